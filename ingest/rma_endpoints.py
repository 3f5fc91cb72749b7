"""Addresses of the API that are no queries: files, grids, images, drawings, synchronisation, searches, volumes.

Spec: api 2.1 (E06-E24), 4.11. Every function gives the address as the reference writes it, not percent-encoded. All but
the archive's follow the API's base address.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..lake.errors import QueryError
from .rma_text import API_URL, quote_string

ARCHIVE_URL = "http://download.alleninstitute.org"
CELL_METRICS_URL = "http://observatory.brain-map.org/visualcoding/data/cell_metrics.csv.zip"

EXPRESSION_VOLUMES = ("energy", "density", "intensity")
PROJECTION_VOLUMES = (
    "projection_density", "projection_energy", "injection_fraction", "injection_density", "injection_energy", "data_mask",
)  # fmt: skip
RESOLUTIONS_UM = (10, 25, 50, 100)
CCF_VERSIONS = ("ccf_2015", "ccf_2016", "ccf_2017", "mouse_2011", "devmouse_2012")
CCF_VERSION = "ccf_2017"

COLOR_MAPS = {
    "gray": 0, "hotmetal": 1, "jet": 2, "redtemp": 3, "expression": 4, "red": 5, "blue": 6, "green": 7, "aba": 8,
    "aibsmap_alt": 9, "colormap": 10, "projection": 11,
}  # fmt: skip
IMAGE_KINDS = {
    "section": "section_image_download", "atlas": "atlas_image_download", "projection": "projection_image_download",
    "image": "image_download",
}  # fmt: skip
VIEWS = ("expression", "projection", "tumor_feature_annotation", "tumor_feature_boundary")

# in the order the reference appends them
_IMAGE_PARAMETERS = (
    "downsample", "quality", "tumor_feature_annotation", "tumor_feature_boundary", "annotation", "atlas", "projection",
    "expression", "colormap", "range", "rgb", "contrast", "view", "left", "top", "width", "height",
    "downsample_dimensions",
)  # fmt: skip

ENDPOINTS: Mapping[str, str] = {
    "E01": "{api}/api/v2/data/query.{fmt}?q={stages}",
    "E02": "{api}/api/v2/data/{Model}/{id}.{fmt}",
    "E03": "{api}/api/v2/data/{Model}/query.{fmt}?criteria={criteria}",
    "E04": "{api}/api/v2/data.{fmt}",
    "E05": "{api}/api/v2/data/enumerate.{fmt}",
    "E06": "{api}/api/v2/well_known_file_download/{id}",
    "E07": "{api}/grid_data/download/{id}?include={volumes}",
    "E08": "{api}/grid_data/download_file/{id}?image={volume}&resolution={um}",
    "E09": "{api}/api/v2/svg/{id}",
    "E10": "{api}/api/v2/svg_download/{id}",
    "E11": "{api}/api/v2/structure_graph_download/{id}.{fmt}",
    "E12": "{api}/api/v2/tree_search/{kind}/{id}.{fmt}",
    "E13": "{api}/api/v2/annotated_section_data_sets.{fmt}?structures={ids}",
    "E14": "{api}/api/v2/compound_annotated_section_data_sets.{fmt}?query={groups}",
    "E15": "{api}/api/v2/image_to_atlas/{id}.{fmt}?x={x}&y={y}&atlas_id={atlas}",
    "E16": "{api}/api/v2/image_to_image/{id}.{fmt}?x={x}&y={y}&section_data_set_ids={ids}",
    "E17": "{api}/api/v2/image_to_image_2d/{id}.{fmt}?x={x}&y={y}&section_image_ids={ids}",
    "E18": "{api}/api/v2/reference_to_image/{id}.{fmt}?x={x}&y={y}&z={z}&section_data_set_ids={ids}",
    "E19": "{api}/api/v2/image_to_reference/{id}.{fmt}?x={x}&y={y}",
    "E20": "{api}/api/v2/structure_to_image/{id}.{fmt}?structure_ids={ids}",
    "E21": "{api}/api/v2/section_image_download/{id}",
    "E22": "{archive}/informatics-archive/{release}/{framework}/{path}/{file}",
    "E23": "{archive}/informatics-archive/current-release/mouse_annotation/{age}_{type}.zip",
    "E24": CELL_METRICS_URL,
}
"""What the reference knows of the API, by the ids of the spec."""


# -- files and grids ------------------------------------------------------------------------------------------------


def well_known_file(file_id: int, api: str = API_URL) -> str:
    """E06: a file of the warehouse."""
    return f"{api}/api/v2/well_known_file_download/{file_id}"


def expression_grid(data_set: int, volumes: Sequence[str] = (), api: str = API_URL) -> str:
    """E07: volumes of gene expression as a ZIP of MetaImages; ``energy`` where none is named."""
    _one_of("a volume of expression", volumes, EXPRESSION_VOLUMES)
    return f"{api}/grid_data/download/{data_set}" + (f"?include={','.join(volumes)}" if volumes else "")


def projection_grid(data_set: int, volume: str | None = None, um: int | None = None, api: str = API_URL) -> str:
    """E08: a volume of a connectivity experiment as NRRD; 100 um where nobody says."""
    _one_of("a volume of projection", () if volume is None else volume.split(","), PROJECTION_VOLUMES)
    _one_of("an edge of voxels in um", () if um is None else (um,), RESOLUTIONS_UM)
    return f"{api}/grid_data/download_file/{data_set}{_query({'image': volume, 'resolution': um})}"


def model_package(model: int, api: str = API_URL) -> str:
    """A neuronal model with what it needs, as a ZIP."""
    return f"{api}/neuronal_model/download/{model}"


def structure_graph(graph: int, api: str = API_URL) -> str:
    """E11: an ontology as a tree."""
    return f"{api}/api/v2/structure_graph_download/{graph}.json"


# -- drawings and images --------------------------------------------------------------------------------------------


def svg(section_image: int, groups: Iterable[int] = (), download: bool = False, api: str = API_URL) -> str:
    """E09, E10: outlines drawn on an image, of some groups of them."""
    named = ",".join(map(str, groups))
    verb = "svg_download" if download else "svg"
    return f"{api}/api/v2/{verb}/{section_image}" + (f"?groups={named}" if named else "")


def image(image_id: int, kind: str = "section", api: str = API_URL, **parameters: Any) -> str:
    """E21: an image, or a region of it (4.11).

    kind : section, atlas, projection or image
    parameters : ``downsample`` halves so often; ``range`` six numbers, low and high of red, green and blue;
        ``left``, ``top``, ``width``, ``height``; ``colormap`` a text or (lower threshold, name) ...
    """
    if kind not in IMAGE_KINDS:
        raise QueryError(f"there is no kind of image {kind!r}: there are {', '.join(IMAGE_KINDS)}")
    unknown = set(parameters) - set(_IMAGE_PARAMETERS)
    if unknown:
        known = ", ".join(_IMAGE_PARAMETERS)
        raise QueryError(f"an image has no parameter {', '.join(sorted(unknown))}: it has {known}")
    view = parameters.get("view")
    if view is not None and view not in VIEWS:
        raise QueryError(f"view {view!r} is none of {', '.join(VIEWS)}")
    said = {name: _image_value(name, parameters.get(name)) for name in _IMAGE_PARAMETERS}
    return f"{api}/api/v2/{IMAGE_KINDS[kind]}/{image_id}{_query(said)}"


def _image_value(name: str, value: Any) -> Any:
    if value is None:
        return None
    if name == "colormap" and not isinstance(value, str):
        lower, color_map = value
        return f"0.5,{lower},0,256,{COLOR_MAPS[color_map]}"
    if name in ("annotation", "projection"):
        return "true" if value is True else "false"  # for exactly True
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, Iterable) and not isinstance(value, str):
        return ",".join(map(str, value))
    return value


# -- synchronisation and searches -----------------------------------------------------------------------------------


def image_to_atlas(section_image: int, x: float, y: float, atlas: int, api: str = API_URL) -> str:
    """E15: where a pixel lies in an atlas."""
    return _point(api, "image_to_atlas", section_image, x, y) + f"&atlas_id={atlas}"


def image_to_image(section_image: int, x: float, y: float, data_sets: Iterable[int], api: str = API_URL) -> str:
    """E16: where a pixel lies in other image series."""
    return _point(api, "image_to_image", section_image, x, y) + f"&section_data_set_ids={_ids(data_sets)}"


def image_to_image_2d(section_image: int, x: float, y: float, images: Iterable[int], api: str = API_URL) -> str:
    """E17: where a pixel lies in other images."""
    return _point(api, "image_to_image_2d", section_image, x, y) + f"&section_image_ids={_ids(images)}"


def reference_to_image(
    space: int, x: float, y: float, z: float, data_sets: Iterable[int], api: str = API_URL
) -> str:  # fmt: skip
    """E18: where a point of a reference space, in um, lies in image series."""
    return _point(api, "reference_to_image", space, x, y) + f"&z={z:f}&section_data_set_ids={_ids(data_sets)}"


def image_to_reference(section_image: int, x: float, y: float, api: str = API_URL) -> str:
    """E19: where a pixel lies in its reference space, in um."""
    return _point(api, "image_to_reference", section_image, x, y)


def structure_to_image(data_set: int, structures: Iterable[int], api: str = API_URL) -> str:
    """E20: where the centres of structures lie in an image series."""
    return f"{api}/api/v2/structure_to_image/{data_set}.json?structure_ids={_ids(structures)}"


def tree_search(
    kind: str, record: int, ancestors: bool | None = None, descendants: bool | None = None, api: str = API_URL
) -> str:  # fmt: skip
    """E12: what is above and below a Structure or a Specimen."""
    _one_of("a kind of tree", (kind,), ("Structure", "Specimen"))
    said = {"ancestors": ancestors, "descendants": descendants}
    flags = {name: str(flag).lower() for name, flag in said.items() if flag is not None}
    return f"{api}/api/v2/tree_search/{kind}/{record}.json{_query(flags)}"


def annotated_data_sets(
    structures: Iterable[int],
    intensity: Sequence[str] = (),
    density: Sequence[str] = (),
    pattern: Sequence[str] = (),
    ages: Sequence[str] = (),
    api: str = API_URL,
) -> str:
    """E13: image series by manual annotation of structures."""
    lists = {
        "structures": _ids(structures),
        "intensity_values": _quoted(intensity),
        "density_values": _quoted(density),
        "pattern_values": _quoted(pattern),
        "age_names": _quoted(ages),
    }
    return f"{api}/api/v2/annotated_section_data_sets.json{_query({k: v or None for k, v in lists.items()})}"


def compound_annotated_data_sets(
    groups: Sequence[Mapping[str, Iterable[Any]]], joined_by: Sequence[str], api: str = API_URL
) -> str:
    """E14: image series by several annotations.

    groups : each ``{"structures": [1], "intensity_values": ["High"]}``; joined_by : ``or``, ``and`` between them. Each
        list is its own; the reference writes the intensities for every one (D-28).
    """
    if len(joined_by) != max(len(groups) - 1, 0):
        raise QueryError(f"{len(groups)} groups need {len(groups) - 1} of or, and between them")
    _one_of("a word between groups", joined_by, ("or", "and"))
    texts = []
    for group in groups:
        terms = [f"{key} $in {_terms(values)}" for key, values in group.items()]
        texts.append(f"[{' : '.join(terms)}]")
    text = texts[0] if texts else ""
    for word, group_text in zip(joined_by, texts[1:], strict=True):
        text += f" {word} {group_text}"
    return f"{api}/api/v2/compound_annotated_section_data_sets.json?query={text}"


# -- volumes of the archive -----------------------------------------------------------------------------------------


def volumetric_data(
    path: str, file: str, release: str = "current-release", framework: str = "mouse_ccf", archive: str = ARCHIVE_URL
) -> str:  # fmt: skip
    """E22: a file of the archive."""
    return f"{archive}/informatics-archive/{release}/{framework}/{path}/{file}"


def template_volume(um: int, archive: str = ARCHIVE_URL) -> str:
    """The average template."""
    _one_of("an edge of voxels in um", (um,), RESOLUTIONS_UM)
    return volumetric_data("average_template", f"average_template_{um}.nrrd", archive=archive)


def nissl_volume(um: int, archive: str = ARCHIVE_URL) -> str:
    """The Nissl volume."""
    _one_of("an edge of voxels in um", (um,), RESOLUTIONS_UM)
    return volumetric_data("ara_nissl", f"ara_nissl_{um}.nrrd", archive=archive)


def annotation_volume(um: int, version: str = CCF_VERSION, archive: str = ARCHIVE_URL) -> str:
    """The annotation of a version of the reference space."""
    _one_of("an edge of voxels in um", (um,), RESOLUTIONS_UM)
    return volumetric_data(_version(version), f"annotation_{um}.nrrd", archive=archive)


def structure_mask(structure: int, um: int, version: str = CCF_VERSION, archive: str = ARCHIVE_URL) -> str:
    """The voxels of a structure."""
    _one_of("an edge of voxels in um", (um,), RESOLUTIONS_UM)
    path = f"{_version(version)}/structure_masks/structure_masks_{um}"
    return volumetric_data(path, f"structure_{structure}.nrrd", archive=archive)


def structure_mesh(structure: int, version: str = CCF_VERSION, archive: str = ARCHIVE_URL) -> str:
    """The surface of a structure."""
    return volumetric_data(f"{_version(version)}/structure_meshes", f"{structure}.obj", archive=archive)


def mouse_atlas_volume(age: str, kind: str, archive: str = ARCHIVE_URL) -> str:
    """E23: a volume of an atlas by age, as P56 and Mouse_gridAnnotation."""
    return f"{archive}/informatics-archive/current-release/mouse_annotation/{age}_{kind}.zip"


def _version(version: str) -> str:
    _one_of("a version of the reference space", (version,), CCF_VERSIONS)
    return f"annotation/{version}"


# -- pieces of addresses ---------------------------------------------------------------------------------------------


def _point(api: str, verb: str, record: int, x: float, y: float) -> str:
    return f"{api}/api/v2/{verb}/{record}.json?x={x:f}&y={y:f}"


def _query(parameters: Mapping[str, Any]) -> str:
    text = "&".join(f"{name}={value}" for name, value in parameters.items() if value is not None)
    return f"?{text}" if text else ""


def _ids(ids: Iterable[int]) -> str:
    return ",".join(map(str, ids))


def _quoted(names: Iterable[str]) -> str:
    return ",".join(map(quote_string, names))


def _terms(values: Iterable[Any]) -> str:
    return ",".join(quote_string(v) if isinstance(v, str) else str(v) for v in values)


def _one_of(what: str, given: Iterable[Any], known: Sequence[Any]) -> None:
    for value in given:
        if value not in known:
            raise QueryError(f"{value!r} is not {what}: there are {', '.join(map(str, known))}")
