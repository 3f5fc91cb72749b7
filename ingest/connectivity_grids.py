"""Volumes of an experiment on the grid of the reference space: signals, data masks, and fields of displacements.

Neither experiment nor measure stands in such a file: the reference's paths tell them (``experiment_ID/MEASURE_UM.nrrd``),
or people do (``--set experiment=ID --set measure=projection_density``); which of them did is kept in ``told_by``.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from ..lake.errors import SourceError
from . import metaimage, nrrd
from .ccf_blocks import grey_rows
from .ccf_labels import runs_of
from .connectivity_names import DATASET
from .contract import Identity, Part, Report, Rows, Setting, Source, made_id
from .volume_files import CCF_SHAPES, Volume, format_of, open_volume

SIGNALS = (
    "projection_density", "projection_energy", "injection_density", "injection_energy", "injection_fraction",
    "sum_pixels", "sum_pixel_intensities", "injection_sum_pixel_intensities", "aav_exclusion_fraction", "cav_density",
)  # fmt: skip
MEASURES = (*SIGNALS, "data_mask", "deformation")
_NAME = re.compile(rf"({'|'.join(sorted((*SIGNALS, 'data_mask'), key=len, reverse=True))})(_(\d+))?\.")
_FIELD = re.compile(r"dfmfld.*\.(mhd|mha|nrrd)$")
_FOLDER = re.compile(r"(?:experiment_|image_series_)?(\d{6,})")


@dataclass(frozen=True)
class Told:
    """What a volume is, and what says so."""

    experiment_id: int
    measure: str
    told_by: str


class GridReader:
    """Reader of an experiment's volumes."""

    name = "connectivity_grids"
    version = "1"
    parts: Sequence[Part] = (
        Part("grids", "signals, injections and data masks by voxel"),
        Part("volumes", "fields of displacements, in blocks"),
        Part("deformation", "which experiment a field of displacements is of"),
    )
    settings: Sequence[Setting] = (
        Setting("experiment", "id of the experiment that the volume is of"),
        Setting("measure", f"what was measured: {', '.join(MEASURES)}"),
        Setting("axes", "axes of the file, the fastest first, as ap,dv,ml; -ml runs from right to left"),
        Setting("spacing", "edge of a voxel in um, or three along ap, dv and ml"),
    )

    def sniff(self, source: Source) -> bool:
        name = source.name.lower()
        return bool(_NAME.match(name) or _FIELD.match(name)) and format_of(source) not in (None, "zip")

    def companions(self, source: Source) -> Sequence[Path]:
        """Files beside it that hold its voxels."""
        find = {"nrrd": nrrd.companion, "metaimage": metaimage.companion}.get(format_of(source) or "")
        found = find(source) if find else None
        return [found] if found else []

    def identify(self, source: Source) -> Identity:
        told = tell(source)
        subject = f"connectivity.experiment/{told.experiment_id}"
        if told.measure == "deformation":
            return Identity(subject, "deformation", dataset=DATASET)
        return Identity(subject, f"{told.measure}_{_grid_um(open_volume(source))}", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        told = tell(source)
        volume = open_volume(source)
        report.found("volumes" if told.measure == "deformation" else "grids", volume.header.n_bytes)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        told, volume = tell(source), open_volume(source)
        for warning in volume.warnings:
            report.warn(warning)
        if told.measure == "deformation":
            yield from _field_rows(volume, told, parts)
        elif "grids" in parts:
            yield from _grid_rows(volume, told, report)


def tell(source: Source) -> Told:
    """Whose the volume is, and what. Raises SourceError where nothing tells it."""
    measure, experiment = source.setting("measure"), source.setting("experiment")
    told_by = "option" if measure and experiment else "path"
    if measure is None:
        name = source.name.lower()
        match = _NAME.match(name)
        measure = match[1] if match else "deformation" if _FIELD.match(name) else None
    if measure not in MEASURES:
        raise SourceError(source, "measure", f"is not told by its name: --set measure= one of {', '.join(MEASURES)}")
    if experiment is None:
        folders = (_FOLDER.fullmatch(part) for part in reversed(source.path.parts[:-1]))
        experiment = next((found[1] for found in folders if found), None)
    if experiment is None or not experiment.isdigit():
        said = f"{experiment!r} is no id" if experiment else "is not told by its folder"
        raise SourceError(source, "experiment", f"{said}: --set experiment=ID names it")
    return Told(int(experiment), measure, told_by)


def _grid_um(volume: Volume) -> int:
    """Edge of a voxel. Raises SourceError where the grid is none of the reference space's."""
    edges, shape = set(volume.header.spacing), volume.header.shape
    um = edges.pop()
    if edges or not float(um).is_integer():
        raise SourceError(volume.source, "header", f"declares voxels of {volume.header.spacing} um: a grid has cubes")
    if um in CCF_SHAPES and shape != CCF_SHAPES[int(um)]:
        raise SourceError(
            volume.source, "header", f"declares {shape} voxels of {um:g} um; it has {CCF_SHAPES[int(um)]}"
        )
    match = _NAME.match(volume.source.name.lower())
    if match and match[3] and int(match[3]) != um:
        raise SourceError(volume.source, "header", f"declares voxels of {um:g} um, and its name says {match[3]}")
    return int(um)


def _grid_rows(volume: Volume, told: Told, report: Report) -> Iterator[Rows]:
    header, um = volume.header, _grid_um(volume)
    if header.n_components > 1:
        raise SourceError(volume.source, "header", f"declares {header.n_components} values a voxel: a grid has one")
    n_nonzero, total, highest = 0, 0.0, -np.inf
    constant = {"experiment_id": told.experiment_id, "grid_um": um}
    for ml, plane in volume.planes():
        values = _as_float32(volume.source, ml, plane)
        n_nonzero += int(np.count_nonzero(values))
        total += float(values.sum(dtype=np.float64))
        highest = max(highest, float(values.max()))
        if told.measure == "data_mask":
            dv, ap, run_values, lengths = runs_of(values)
            kept = run_values != 1
            columns = {
                "n_voxels": lengths[kept].astype(np.int16),
                "valid_fraction": run_values[kept],
            }
            table, dv, ap = "connectivity.data_mask_runs", dv[kept], ap[kept]
        else:
            dv, ap = np.nonzero(values)
            columns = {"voxel_value": values[dv, ap], "measure": [told.measure] * len(dv)}
            table = "connectivity.grid_voxels"
        if len(dv):
            yield Rows(
                table,
                {
                    **constant,
                    "ml_index": np.full(len(dv), ml, np.int16),
                    "dv_index": dv.astype(np.int16),
                    "ap_index": ap.astype(np.int16),
                    **columns,
                },
            )
        if ml % 16 == 15:
            report.progress("planes", ml + 1, header.shape[2])
    if highest > 1 and told.measure.endswith(("density", "fraction", "mask")):
        report.warn(f"the highest value is {highest:g}: a {told.measure.replace('_', ' ')} is at most 1")
    facts = {
        **constant,
        "measure": told.measure,
        "shape": list(header.shape),
        "n_nonzero": n_nonzero,
        "voxel_sum": total,
        "voxel_max": highest,
        "file_dtype": header.dtype.str,
        "told_by": told.told_by,
        "header": json.dumps(dict(header.fields)),
        "source_name": volume.source.name,
    }
    yield Rows("connectivity.grids", {name: [value] for name, value in facts.items()})


def _as_float32(source: Source, ml: int, plane: np.ndarray) -> np.ndarray:
    """A plane as it is kept. The reference's 25 um files have float64 whose values are float32 (spec: connectivity 3.4)."""
    values = plane.astype(np.float32)
    if plane.dtype != np.float32 and not np.array_equal(values, plane, equal_nan=plane.dtype.kind == "f"):
        raise SourceError(source, f"plane {ml}", "holds values that float32 does not: no grid of the reference does")
    return values


def _field_rows(volume: Volume, told: Told, parts: frozenset[str]) -> Iterator[Rows]:
    """Displacements along ap, dv and ml (um) at points of the reference space (XFM-02), as a volume of grey values."""
    header = volume.header
    if header.n_components != 3:
        raise SourceError(
            volume.source, "header", f"declares {header.n_components} values a voxel: a displacement has 3"
        )
    volume_id = made_id(f"connectivity.experiment/{told.experiment_id}", "deformation")
    if "volumes" in parts:
        yield from grey_rows(volume, volume_id, "field", told.told_by, volume.planes())
    if "deformation" in parts:
        yield Rows(
            "connectivity.deformation_fields",
            {"experiment_id": [told.experiment_id], "volume_id": [volume_id]},
        )


READER = GridReader()
