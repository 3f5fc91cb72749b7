"""A cache folder of the Allen SDK's CellTypesCache, written from a lake (spec: cell_types CT-050, NW-7)."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from .cell_output import has_recording, marker_text, reconstruction_text, write_recording
from .output import write_answer
from .whole_files import new_path

if TYPE_CHECKING:
    from .session import Session

MANIFEST_VERSION = "1.1"
# key of the manifest -> path of the file, for one cell with its number
_PATHS = {
    "CELLS": "cells.json",
    "EPHYS_DATA": "specimen_%d/ephys.nwb",
    "EPHYS_FEATURES": "ephys_features.csv",
    "MORPHOLOGY_FEATURES": "morphology_features.csv",
    "RECONSTRUCTION": "specimen_%d/reconstruction.swc",
    "MARKER": "specimen_%d/reconstruction.marker",
    "EPHYS_SWEEPS": "specimen_%d/ephys_sweeps.json",
}
_TABLES = {
    "CELLS": "from rma.api_cell_types_specimen_details",
    "EPHYS_FEATURES": "from rma.ephys_features",
    "MORPHOLOGY_FEATURES": "from rma.neuron_reconstructions",
}


@dataclass(frozen=True)
class WrittenCache:
    """The folder, and the files in it."""

    path: Path
    files: tuple[str, ...]


def export_cell_types_cache(
    session: Session, to: Path, cells: Iterable[int] = (), *, force: bool = False
) -> WrittenCache:
    """Write a cache folder: its manifest, the tables of all cells, and the files of some.

    cells : specimen_ids whose sweeps, recording, reconstruction and markers are written as far as they are in the lake
    Raises QueryError for a cell that nobody knows.
    """
    wanted = [int(cell) for cell in cells]
    for cell in wanted:
        session.sql(f"select lake.require_specimen({cell})").one()
    with new_path(to, session.state.root, force=force) as folder:
        folder.mkdir()
        entries: list[dict[str, str]] = [
            {"type": "manifest_version", "value": MANIFEST_VERSION},
            {"key": "BASEDIR", "type": "dir", "spec": "."},
            *({"key": key, "type": "file", "spec": path, "parent_key": "BASEDIR"} for key, path in _PATHS.items()),
        ]
        (folder / "manifest.json").write_text(json.dumps({"manifest": entries}, indent=2) + "\n")
        for key, query in _TABLES.items():
            write_answer(session.sql(query).reader(), None, folder / _PATHS[key])
        for cell in wanted:
            _write_cell(session, folder, cell)
        files = tuple(sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()))
    return WrittenCache(to, files)


def _write_cell(session: Session, folder: Path, cell: int) -> None:
    paths = {key: folder / (path % cell) for key, path in _PATHS.items() if "%" in path}
    paths["EPHYS_DATA"].parent.mkdir()
    sweeps = session.sql(f"from rma.ephys_sweeps where specimen_id = {cell} order by sweep_number")
    if sweeps.arrow().num_rows:
        write_answer(sweeps.reader(), None, paths["EPHYS_SWEEPS"])
    if has_recording(session, cell):
        write_recording(session, cell, paths["EPHYS_DATA"])
    for key, text in (
        ("RECONSTRUCTION", reconstruction_text(session, cell, paths["RECONSTRUCTION"].name)),
        ("MARKER", marker_text(session, cell)),
    ):
        if text is not None:
            paths[key].write_text(text)
