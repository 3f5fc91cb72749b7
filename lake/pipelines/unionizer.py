"""Grids of an experiment summed by structure and hemisphere (spec: connectivity UNI-01 to UNI-12).

Annotation and grids are read together, a sagittal plane at a time. Without energies the intensities are unknown, which is
the reference's case ``count``; with ``cav_density`` it is a retrograde tracer.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...ingest.contract import Source
from ...udfs import unionizing
from ..errors import SourceError
from .documents import COUNT, LENGTH, TEXT, a_list, an_object
from .volumes import volume_at

CLASSIC = ("data_mask", "injection_fraction", "injection_density", "projection_density", "sum_pixels")
ENERGIES = ("injection_energy", "projection_energy", "sum_pixel_intensities", "injection_sum_pixel_intensities")
CAV = ("cav_density", "sum_pixels", "data_mask")
OPTIONAL = "aav_exclusion_fraction"

_ID = {"type": "integer", "minimum": 0}
_STRUCTURE = {
    "type": "object",
    "properties": {"id": _ID, "parent_structure_id": {"type": ["integer", "null"]}},
    "required": ["id", "parent_structure_id"],
}
SCHEMA = an_object(
    {
        "structures": a_list(_STRUCTURE, 1),
        "reference_spacing": LENGTH,
        "reference_shape": {**a_list(COUNT, 3), "maxItems": 3},
        "image_series_id": _ID,
        "annotation_path": TEXT,
        "grid_paths": an_object({}, dict.fromkeys((*CLASSIC, *ENERGIES, "cav_density", OPTIONAL), TEXT)),
    },
    {"image_resolution": LENGTH, "log_level": {}},
)


def run(parameters: dict[str, Any], source: Source, _folder: Path) -> dict[str, Any]:
    """The records, as answers of the API are: in ``msg``, by structure, hemisphere and kind."""
    paths = dict(parameters["grid_paths"])
    case = "cav" if "cav_density" in paths else "classic" if set(ENERGIES) & set(paths) else "count"
    needed = {"cav": CAV, "count": CLASSIC, "classic": (*CLASSIC, *ENERGIES)}[case]
    if missing := [name for name in needed if name not in paths]:
        raise SourceError(source, "grid_paths", f"names no {missing[0]}, which case {case} needs")
    names = list(needed)
    if OPTIONAL in paths and Path(paths[OPTIONAL]).exists():  # no file: nothing is excluded (UNI-01)
        names.append(OPTIONAL)
    shape, um = tuple(parameters["reference_shape"]), float(parameters["reference_spacing"])
    planes = _planes(parameters["annotation_path"], {name: paths[name] for name in names}, shape)
    try:
        ancestors = unionizing.ancestors_of({s["id"]: s["parent_structure_id"] for s in parameters["structures"]})
        if case == "cav":
            rows: list[dict[str, Any]] = list(unionizing.cav_unionizes(planes, shape[2], ancestors, um))
        else:
            rows = _projections(parameters, source, planes, ancestors)
    except ValueError as error:
        raise SourceError(source, "structures", str(error)) from None
    if case == "count":
        unknown = ("sum_projection_pixel_intensity", "sum_pixel_intensity", "projection_intensity", "projection_energy")
        rows = [{**row, **dict.fromkeys(unknown)} for row in rows]
    series = {"section_data_set_id": parameters["image_series_id"]}
    records = [{**series, **row} for row in rows]
    return {
        "success": True,
        "id": 0,
        "start_row": 0,
        "num_rows": len(records),
        "total_rows": len(records),
        "msg": records,
    }


def _projections(
    parameters: Mapping[str, Any],
    source: Source,
    planes: Iterator[tuple[int, np.ndarray, dict[str, np.ndarray]]],
    ancestors: Mapping[int, list[int]],
) -> list[dict[str, Any]]:
    if "image_resolution" not in parameters:
        raise SourceError(source, None, "has no image_resolution: the volume of a pixel needs it")
    um = float(parameters["reference_spacing"])
    direct = unionizing.DirectSums(parameters["reference_shape"][2])
    for ml, labels, grids in planes:
        direct.add(ml, labels, grids)
    scale = unionizing.pixel_volume(parameters["image_resolution"], um)
    return list(unionizing.unionizes(direct, ancestors, scale, um))


def _planes(
    annotation: str, grids: Mapping[str, str], shape: tuple[int, ...]
) -> Iterator[tuple[int, np.ndarray, dict[str, np.ndarray]]]:
    """Planes of annotation and grids together. Raises SourceError where a volume has another shape."""
    volumes = {"annotation": volume_at(annotation), **{name: volume_at(path) for name, path in grids.items()}}
    for name, volume in volumes.items():
        if volume.header.shape != shape:
            raise SourceError(volume.source, None, f"{name} has {volume.header.shape} voxels, reference_shape {shape}")
    for planes in zip(*(volume.planes() for volume in volumes.values()), strict=True):
        named = {name: plane for name, (_, plane) in zip(volumes, planes, strict=True)}
        yield planes[0][0], named.pop("annotation"), named
