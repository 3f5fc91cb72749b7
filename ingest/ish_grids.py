"""Grids of gene expression: energy, density and intensity of one image series (spec: connectivity 2.2, 3.5).

The API serves them as an archive of MetaImage volumes, which the reference unpacks into a folder. -1 says that a voxel
has no data. No file says which image series it is of: people do, or the names of archives and folders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa

from ..lake.errors import SourceError
from . import metaimage
from .contract import Identity, Part, Report, Rows, Setting, Source
from .volume_files import Volume, format_of, open_volume
from .volume_zip import header_names

DATASET = "Allen Mouse Brain Atlas"
MEASURES = ("energy", "density", "intensity")
NO_DATA = -1.0
_ID = re.compile(r"(?<!\d)(\d{2,})(?!\d)")


class IshGridReader:
    """Reader of grids of expression."""

    name = "ish_grids"
    version = "1"
    parts: Sequence[Part] = (Part("expression_grids", "expression energy, density and intensity by voxel"),)
    settings: Sequence[Setting] = (
        Setting("data_set", "id of the image series that the grids are of"),
        Setting("spacing", "edge of a voxel in um, or three along ap, dv and ml"),
        Setting("axes", "axes of the file, the fastest first, as ap,dv,ml"),
    )

    def sniff(self, source: Source) -> bool:
        try:
            kind = format_of(source)
            if kind == "zip":
                return bool(_headers(source))
            # of files side by side the first stands for all
            return kind == "metaimage" and source.path == next(iter(_beside(source).values()), None)
        except (SourceError, OSError):
            return False

    def companions(self, source: Source) -> Sequence[Path]:
        """The other headers beside it, and the voxels of all."""
        if format_of(source) == "zip":
            return []
        found = [path for path in _beside(source).values() if path != source.path]
        headers = [source, *(_sibling(source, path) for path in found)]
        return [*found, *(voxels for header in headers if (voxels := metaimage.companion(header)))]

    def identify(self, source: Source) -> Identity:
        data_set, _ = _data_set(source)
        return Identity(f"ish.data_set/{data_set}", "expression_grids", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        report.found("expression_grids", sum(volume.header.n_bytes for volume in _volumes(source).values()))

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        if "expression_grids" not in parts:
            return
        data_set, told_by = _data_set(source)
        volumes = _volumes(source)
        shape, spacing = _common(source, volumes)
        for warning in next(iter(volumes.values())).header.notes:
            report.warn(warning)
        n_voxels = 0
        for columns in _voxels(volumes):
            n_voxels += len(columns["ap_index"])
            yield Rows("ish.grid_voxels", {"data_set_id": np.full(len(columns["ap_index"]), data_set), **columns})
        facts = {
            "data_set_id": data_set,
            "told_by": told_by,
            "measures": list(volumes),
            "shape": list(shape),
            "spacing_um": list(spacing),
            "n_voxels": n_voxels,
        }
        yield Rows("ish.grids", {name: [value] for name, value in facts.items()})


def _headers(source: Source) -> dict[str, str]:
    """Measures that an archive holds, and the names of their headers."""
    found = {Path(name).stem.lower(): name for name in header_names(source)}
    return {measure: found[measure] for measure in MEASURES if measure in found}


def _beside(source: Source) -> dict[str, Path]:
    """Measures that lie in a file's folder, if it is one of them."""
    if source.path.stem not in MEASURES:
        return {}
    paths = {measure: source.path.with_name(f"{measure}{source.path.suffix}") for measure in MEASURES}
    return {measure: path for measure, path in paths.items() if path.is_file()}


def _sibling(source: Source, path: Path) -> Source:
    return Source(path, str(path), source.settings, source.named)


def _volumes(source: Source) -> dict[str, Volume]:
    if format_of(source) == "zip":
        found = {measure: open_volume(source, member) for measure, member in _headers(source).items()}
    else:
        found = {measure: open_volume(_sibling(source, path)) for measure, path in _beside(source).items()}
    if not found:
        raise SourceError(source, None, f"holds none of {', '.join(MEASURES)} (.mhd)")
    return found


def _data_set(source: Source) -> tuple[int, str]:
    """Id of the image series, and what tells it. Raises SourceError where nothing does."""
    if told := source.setting("data_set"):
        if not told.isdigit():
            raise SourceError(source, "setting data_set", f"{told!r} is no id of an image series")
        return int(told), "option"
    names = [source.path.stem, source.path.parent.name]
    for name in names:
        if len(found := _ID.findall(name)) == 1:
            return int(found[0]), "path"
    raise SourceError(source, None, "nothing tells which image series it is of", "say it: --set data_set=69782969")


def _common(source: Source, volumes: dict[str, Volume]) -> tuple[tuple[int, int, int], tuple[float, ...]]:
    """Shape and spacing, which all measures share."""
    grids = {m: (v.header.shape, v.header.along(v.header.spacing)) for m, v in volumes.items()}
    for measure, grid in grids.items():
        if grid != next(iter(grids.values())):
            raise SourceError(source, measure, f"has a grid of {grid[0]} voxels, and another of another size")
        dtype = volumes[measure].header.dtype
        if dtype.kind != "f" or volumes[measure].header.n_components > 1:
            raise SourceError(source, measure, f"holds voxels of {dtype}: expression is one real number")
    shape, spacing = next(iter(grids.values()))
    return shape, tuple(float(edge) for edge in spacing)


def _voxels(volumes: dict[str, Volume]) -> Iterator[dict[str, Any]]:
    """Rows of each sagittal plane that has any, dv by dv."""
    for planes in zip(*(volume.planes() for volume in volumes.values()), strict=True):
        ml = planes[0][0]
        values = np.stack([plane for _, plane in planes]).astype(np.float32)
        known = np.isfinite(values) & (values != NO_DATA)
        dv, ap = np.nonzero(known.any(axis=0))
        if len(ap):
            yield {
                "ml_index": np.full(len(ap), ml, np.int16),
                "dv_index": dv.astype(np.int16),
                "ap_index": ap.astype(np.int16),
                **{measure: pa.array(values[n][dv, ap], mask=~known[n][dv, ap]) for n, measure in enumerate(volumes)},
            }


READER = IshGridReader()
