"""Sections of an image series become grids in the reference space (spec: connectivity GRD-01 to GRD-16).

    sections ──sums over cells──▶ planes ──stacked──▶ stack ──transformed──▶ 10 um planes ──▶ accumulators
                                                                                 └──ratios──reduced──▶ grids

A section is decoded whole, at a byte or two a pixel, and summed band by band. The stack is a file. Everything behind it
goes sagittal plane by sagittal plane, once, so that memory holds the deformation field, a slab of the stack and a few
planes, not volumes of 1.2 thousand million voxels. The data mask alone has to wait for the largest voxel.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from ...ingest.ahead import ahead
from ...ingest.contract import Source
from ...udfs import gridding, resampling
from ...udfs.grid_pyramid import RATIOS, Reduction, data_mask, ratio, windows
from ..errors import SourceError
from .documents import COUNT, INDEX, LENGTH, NUMBER, TEXT, a_list, an_object
from .images import fitted_rows, open_image
from .stack import SectionStack
from .volumes import NrrdWriter, planes_of, volume_at, whole

BAND_PIXELS = 1 << 22  # of a section, that are summed at once

_POLYGONS = a_list(a_list({"type": "array", "prefixItems": [NUMBER, NUMBER], "items": False, "minItems": 2}))
_SUB_IMAGE = an_object(
    {
        "specimen_tissue_index": INDEX,
        "dimensions": an_object({"row": COUNT, "column": COUNT}),
        "spacing": an_object({"row": LENGTH, "column": LENGTH}),
    },
    {
        "segmentation_paths": an_object({"segmentation": TEXT}),
        "intensity_paths": an_object({"green": an_object({"path": TEXT}, {"channel": {**INDEX, "default": 0}})}),
        "polygons": {
            "type": "object",
            "properties": dict.fromkeys(("missing_tile", "no_signal", "aav_exclusion", "aav_tracer", "cav_tracer"), _POLYGONS),
            "additionalProperties": False,
            "default": {},
        },
    },
)  # fmt: skip
_NULLABLE = {"default": None}
SCHEMA = an_object(
    {
        "case": {"enum": ["classic", "count", "cav"]},
        "sub_images": a_list(_SUB_IMAGE, 1),
        "image_series_slice_spacing": LENGTH,
        "target_spacings": a_list(LENGTH, 1),
        "reference_spacing": an_object({"row": LENGTH, "column": LENGTH, "slice": LENGTH}),
        "reference_dimensions": an_object({"row": COUNT, "column": COUNT, "slice": COUNT}),
        "sub_image_count": COUNT,
        "grid_prefix": TEXT,
        "accumulator_prefix": TEXT,
    },
    {
        "affine_params": {"type": ["array", "null"], "items": NUMBER, "minItems": 12, "maxItems": 12, **_NULLABLE},
        "deformation_field_path": {"type": ["string", "null"], **_NULLABLE},
        "filter_bit": {"type": ["integer", "null"], "minimum": 0, "maximum": 7, **_NULLABLE},
        "nprocesses": {**COUNT, "default": 8},
        "reduce_level": {**INDEX, "maximum": 16, "default": 0},
        "exact_overlap": {"type": "boolean", "default": False},
        "storage_directory": {"type": ["string", "null"]},  # the reference takes and ignores these two
        "log_level": {},
    },
)

GRIDS = {
    "classic": (
        "projection_density", "injection_density", "injection_fraction", "projection_energy", "injection_energy",
        "aav_exclusion_fraction",
    ),
    "count": ("projection_density", "injection_density", "injection_fraction", "aav_exclusion_fraction"),
    "cav": ("cav_density",),
}  # fmt: skip


def run(parameters: dict[str, Any], source: Source, folder: Path) -> dict[str, Any]:
    """Make accumulators and grids; returns their paths and the parameters.

    folder : where relative prefixes are taken from

    Raises SourceError where an image, the field or a parameter is not as it should be.
    """
    asked = parameters
    parameters = {**asked, **{name: str(folder / asked[name]) for name in ("grid_prefix", "accumulator_prefix")}}
    with ThreadPoolExecutor(_n_threads(parameters)) as pool:
        made = _Made(parameters)  # what cannot be made is said before anything is read
        with contextlib.closing(_stack(parameters, source, pool)) as stack:
            _fill(parameters, stack, made, pool)
        masks = _masks(parameters, made)
    paths = [*made.accumulators.values(), *(sink.path for grid in made.grids for sink in grid.sinks), *masks]
    return {
        "output_file_paths": list(dict.fromkeys(map(str, paths))),
        "input_parameters": asked,
        "infinite_voxels": {grid.name: grid.n_infinite for grid in made.grids},
    }


def _n_threads(parameters: Mapping[str, Any]) -> int:
    """As many as are asked for, but not more than there are cores: each has a section, or a plane, in memory."""
    return min(int(parameters["nprocesses"]), os.cpu_count() or 1)


def axes_of(parameters: Mapping[str, Any]) -> tuple[gridding.CoarseAxis, gridding.CoarseAxis]:
    """Columns and rows of the coarse grid, by the first section: all are taken to be alike (GRD-10)."""
    first, wanted = parameters["sub_images"][0], parameters["reference_spacing"]
    columns, rows = (
        gridding.coarse_axis(first["dimensions"][n], first["spacing"][n], wanted[n], parameters["reduce_level"])
        for n in ("column", "row")
    )
    return columns, rows


def section(
    parameters: Mapping[str, Any], number: int, columns: gridding.CoarseAxis, rows: gridding.CoarseAxis
) -> tuple[int, dict[str, np.ndarray]]:
    """Place of a section in the stack, and its sums by accumulator (GRD-07 to GRD-09), float32 ``[column, row]``."""
    given = parameters["sub_images"][number]
    images_of = _images_of(parameters, given, columns, rows)
    sums: dict[str, np.ndarray] = {}
    for band in gridding.bands(rows, max(1, BAND_PIXELS // max(columns.n_reduced, 1))):
        for name, image in images_of(band.pixels).items():
            summed = gridding.band_sums(image, columns, band)
            cells = sums.setdefault(name, np.zeros((columns.n_cells, rows.n_cells), np.float32))
            cells[: len(summed), band.cells] = summed
    return given["specimen_tissue_index"], sums


def _images_of(
    parameters: Mapping[str, Any],
    given: Mapping[str, Any],
    columns: gridding.CoarseAxis,
    rows: gridding.CoarseAxis,
) -> Callable[[slice], dict[str, np.ndarray]]:
    """What gives the images that are summed, ``[column, row]``, for some rows of a section."""
    case, level = parameters["case"], parameters["reduce_level"]
    shape = rows.n_reduced, columns.n_reduced

    def polygons(at: slice) -> dict[str, np.ndarray]:
        size = columns.n_reduced, at.stop - at.start, level, at.start
        return {name: gridding.rasterized(drawn, *size) for name, drawn in given["polygons"].items()}

    if case == "cav":
        return lambda at: gridding.cav_images(polygons(at), (columns.n_reduced, at.stop - at.start))
    if "segmentation_paths" not in given or (case == "classic" and "intensity_paths" not in given):
        raise ValueError(f"case {case} needs segmentation_paths" + " and intensity_paths" * (case == "classic"))
    labels = _labels(Path(given["segmentation_paths"]["segmentation"]), columns, rows)
    green = None
    if case == "classic":
        told = given["intensity_paths"]["green"]
        green = open_image(Path(told["path"]), level, told["channel"])

    def images(at: slice) -> dict[str, np.ndarray]:
        intensity = None if green is None else fitted_rows(green, shape, at.start, at.stop).T
        return gridding.signal_images(labels(at), polygons(at), intensity, parameters["filter_bit"])

    return images


def _labels(path: Path, columns: gridding.CoarseAxis, rows: gridding.CoarseAxis) -> Callable[[slice], np.ndarray]:
    """What gives the segmentation of some rows at the level that images are read at, by the nearest pixel (GRD-02)."""
    picture = open_image(path)
    if picture.image.mode != "L" or picture.shape != (rows.n_pixels, columns.n_pixels):
        found, wanted = picture.shape[::-1], (columns.n_pixels, rows.n_pixels)
        raise SourceError(path, None, f"holds {found} pixels of mode {picture.image.mode}, and not {wanted} of 8 bits")
    at_row, at_column = (gridding.nearest_indices(axis.n_pixels, axis.n_reduced) for axis in (rows, columns))

    def labels(at: slice) -> np.ndarray:
        picked = at_row[at]
        read = picture.rows(int(picked[0]), int(picked[-1]) + 1)
        return (read if rows.level == 0 else read.take(picked - picked[0], 0).take(at_column, 1)).T

    return labels


def accumulators_of(parameters: Mapping[str, Any]) -> list[str]:
    """Names of what is summed (GRD-07 to GRD-09)."""
    if parameters["case"] == "cav":
        return ["sum_pixels", "cav_tracer"]
    names = ["sum_pixels", "sum_projecting_pixels", "injection_sum_pixels", "injection_sum_projecting_pixels"]
    if parameters["case"] == "classic":
        names += ["sum_pixel_intensities", "injection_sum_pixel_intensities"]
        names += ["sum_projecting_pixel_intensities", "injectionsum_projecting_pixel_intensities"]
    if any("aav_exclusion" in image["polygons"] for image in parameters["sub_images"]):
        names.append("aav_exclusion_sum_pixels")
    return names


def _stack(parameters: dict[str, Any], source: Source, pool: ThreadPoolExecutor) -> SectionStack:
    """Sums of all sections where they lie; where there is none, 0 (GRD-10)."""
    columns, rows = axes_of(parameters)
    names, depth = accumulators_of(parameters), parameters["sub_image_count"]

    def summed(number: int) -> tuple[int, dict[str, np.ndarray]]:
        try:
            return section(parameters, number, columns, rows)
        except ValueError as error:
            raise SourceError(source, f"sub_images[{number}]", str(error)) from None

    spacing = columns.cell_um, rows.cell_um, float(parameters["image_series_slice_spacing"])
    stack = SectionStack(
        Path(parameters["accumulator_prefix"]), (columns.n_cells, rows.n_cells, depth, len(names)), spacing
    )
    seen: set[int] = set()
    for place, sums in ahead(pool, summed, range(len(parameters["sub_images"])), _n_threads(parameters)):
        if place in seen or place >= depth:
            reason = f"{place} is another's" if place in seen else f"{place} is not below sub_image_count"
            raise SourceError(source, "specimen_tissue_index", reason)
        seen.add(place)
        for name, plane in sums.items():
            stack.put(place, names.index(name), plane)
    return stack


def _reference(parameters: Mapping[str, Any]) -> tuple[tuple[int, int, int], tuple[float, float, float]]:
    """Voxels and their edges along ap, dv and ml."""
    n, um = parameters["reference_dimensions"], parameters["reference_spacing"]
    return (n["slice"], n["row"], n["column"]), (um["slice"], um["row"], um["column"])


class _Sink:
    """A grid at one target, written as the planes of its full resolution come (GRD-13)."""

    def __init__(self, parameters: Mapping[str, Any], name: str, target: float) -> None:
        shape, spacing = _reference(parameters)
        if len(set(spacing)) > 1:
            raise SourceError(name, "reference_spacing", "has edges that differ: a pyramid is of cubes")
        factor = target / spacing[0]
        try:
            self._reduction = Reduction(shape[2], factor, parameters["exact_overlap"])
            if factor != 1:
                for n in shape[:2]:
                    windows(n, factor, parameters["exact_overlap"])
        except ValueError as error:
            raise SourceError(name, f"target_spacings, {target:g} um", str(error)) from None
        self.path = Path(parameters["grid_prefix"]) / f"{name}_{target:g}.nrrd"
        self.writer = NrrdWriter(self.path, [-(-2 * n // round(2 * factor)) for n in shape], (target,) * 3)

    def take(self, plane: np.ndarray) -> None:
        for reduced in self._reduction.add(plane):
            self.writer.write(reduced)


@dataclass
class _Grid:
    """A ratio of accumulators at each target; ``n_infinite`` of its voxels, at full resolution, are infinite."""

    name: str
    sinks: list[_Sink]
    n_infinite: int = 0

    def take(self, planes: Mapping[str, np.ndarray]) -> None:
        above, below = RATIOS[self.name]
        quotient = ratio(planes[above], planes[below])
        self.n_infinite += int(np.isinf(quotient).sum())
        for sink in self.sinks:
            sink.take(quotient)


class _Made:
    """The files that a run makes: accumulators (GRD-11), ratios of them and masks at each target (GRD-12 to GRD-15)."""

    def __init__(self, parameters: Mapping[str, Any]) -> None:
        shape, spacing = _reference(parameters)
        names = accumulators_of(parameters)
        suffix = f"_{spacing[0]:g}" if parameters["case"] == "cav" else ""
        folder = Path(parameters["accumulator_prefix"])
        self.accumulators = {name: folder / f"{name}{suffix}.nrrd" for name in names}
        self.writers = {name: NrrdWriter(path, shape, spacing) for name, path in self.accumulators.items()}
        self.grids = [
            _Grid(name, _sinks(parameters, name))
            for name in GRIDS[parameters["case"]]
            if RATIOS[name][0] in names  # otherwise no section had such a polygon
        ]
        self.largest = 0.0  # of the pixels in a voxel


def _sinks(parameters: Mapping[str, Any], name: str) -> list[_Sink]:
    return [_Sink(parameters, name, target) for target in dict.fromkeys(parameters["target_spacings"])]


def _fill(parameters: dict[str, Any], stack: SectionStack, made: _Made, pool: ThreadPoolExecutor) -> None:
    """Write accumulators as seen from the reference space, and their ratios, all files of a plane at once."""
    shape, spacing = _reference(parameters)
    affine = resampling.Affine.of(parameters["affine_params"]) if parameters["affine_params"] else None
    field = _field(parameters["deformation_field_path"])

    def seen(ml: int) -> np.ndarray:
        points = resampling.to_stack(resampling.plane_points(ml, shape, spacing), affine, field)
        return stack.at(points).reshape(-1, shape[1], shape[0])

    with contextlib.ExitStack() as files:
        for writer in (*made.writers.values(), *(sink.writer for grid in made.grids for sink in grid.sinks)):
            files.enter_context(writer)
        for values in ahead(pool, seen, range(shape[2]), _n_threads(parameters)):
            planes = dict(zip(made.accumulators, values, strict=True))
            made.largest = max(made.largest, float(planes["sum_pixels"].max()))
            work = [pool.submit(writer.write, planes[name]) for name, writer in made.writers.items()]
            work += [pool.submit(grid.take, planes) for grid in made.grids]
            for one in work:
                one.result()


def _masks(parameters: Mapping[str, Any], made: _Made) -> list[Path]:
    """Write the data mask at each target, and for a retrograde tracer at full resolution beside its accumulators."""
    shape, spacing = _reference(parameters)
    sinks = _sinks(parameters, "data_mask")
    paths = [sink.path for sink in sinks]
    with contextlib.ExitStack() as files:
        for sink in sinks:
            files.enter_context(sink.writer)
        whole_mask = None
        if parameters["case"] == "cav":
            path = Path(parameters["accumulator_prefix"]) / f"data_mask_{spacing[0]:g}.nrrd"
            if path not in paths:
                whole_mask = files.enter_context(NrrdWriter(path, shape, spacing))
            paths.append(path)
        for plane in planes_of(made.accumulators["sum_pixels"]):
            mask = data_mask(plane, made.largest)
            for sink in sinks:
                sink.take(mask)
            if whole_mask:
                whole_mask.write(mask)
    return paths


def _field(path: str | None) -> resampling.Placed | None:
    if path is None:
        return None
    volume = volume_at(path)
    if volume.header.n_components != 3:
        raise SourceError(path, None, f"has {volume.header.n_components} values a voxel; a displacement has 3")
    ap, dv, ml = volume.header.along(volume.header.spacing)
    return resampling.Placed(whole(volume), (ap, dv, ml))
