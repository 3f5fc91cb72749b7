"""Where an animal looked, as the Brain Observatory publishes it: frames that pandas kept in HDF5 (spec: behavior 2.4).

Areas and places on the screen, raw and filtered (the file calls that ``new``), on the times of the session's clock. The
file does not say of which session it is: its name does (``<session>_eyetracking_dlc_to_screen_mapping.h5``), else
``--set session=ID``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.tables.behavior import GAZE_MAPPING
from .contract import Identity, Part, Report, Rows, Setting, Source
from .hdf5 import Hdf5File
from .hdf5_guard import SIGNATURE
from .ophys_events import DATASET

TIMES = "synced_frame_timestamps"
STAGES = {"raw": "raw", "filtered": "new"}  # ours -> the file's
_SERIES = {"eye_area": "eye_areas", "pupil_area": "pupil_areas"}
_FRAMES = {
    "screen_coordinates": {"screen_x_cm": "x_pos_cm", "screen_y_cm": "y_pos_cm"},
    "screen_coordinates_spherical": {"screen_x_deg": "x_pos_deg", "screen_y_deg": "y_pos_deg"},
}
_NAMED = re.compile(r"(\d{6,18})_eyetracking_dlc_to_screen_mapping\.h5", re.ASCII)


class EyeGazeReader:
    """Reader of gaze mappings."""

    name = "eye_gaze"
    version = "1"
    parts: Sequence[Part] = (Part("eye", "areas of eye and pupil, and gaze on the screen"),)
    settings: Sequence[Setting] = (Setting("session", "id of the session that a gaze mapping is of"),)

    def sniff(self, source: Source) -> bool:
        try:
            with source.path.open("rb") as file:
                if file.read(len(SIGNATURE)) != SIGNATURE:
                    return False
            with Hdf5File.open(source) as file:
                return file.is_group(f"/{TIMES}") and file.is_group("/raw_screen_coordinates")
        except (SourceError, OSError):
            return False

    def identify(self, source: Source) -> Identity:
        return Identity(f"ophys.session/{_session(source)}", "eye_gaze", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        report.found("eye", source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        if "eye" not in parts:
            return
        session = _session(source)
        with Hdf5File.open(source) as file:
            times = _series(file, TIMES)
            columns = dict(_columns(file, len(times)))
        known = ~np.isnan(times)
        if not known.all():
            report.warn(f"/{TIMES}: {int((~known).sum()):,} frames without a time are left out")
        order = np.flatnonzero(known)[np.argsort(times[known], kind="stable")]
        arrays = {name: pa.array(values[order], pa.float64(), from_pandas=True) for name, values in columns.items()}
        told = {"session_id": np.full(len(order), session), "timestamp": times[order]}
        yield Rows(GAZE_MAPPING.name, pa.table({**told, **arrays}))


def _session(source: Source) -> int:
    """Raises SourceError where neither setting nor name tell it."""
    said = source.setting("session")
    named = _NAMED.fullmatch(source.name)
    digits = said if said is not None else named[1] if named else ""
    if not (digits.isascii() and digits.isdigit() and 0 < int(digits) < 2**63):
        raise SourceError(source, None, "does not tell of which session it is", "--set session=ID tells it")
    return int(digits)


def _columns(file: Hdf5File, n_frames: int) -> Iterator[tuple[str, np.ndarray]]:
    """Columns of the table by name, as long as there are times. Raises SourceError."""
    for stage, prefix in STAGES.items():
        found = {name: (f"{prefix}_{key}", _series(file, f"{prefix}_{key}")) for name, key in _SERIES.items()}
        for key, names in _FRAMES.items():
            frame = _frame(file, f"{prefix}_{key}", list(names.values()))
            found |= {name: (f"{prefix}_{key}", frame[column]) for name, column in names.items()}
        for name, (path, values) in found.items():
            if len(values) != n_frames:
                raise file.error(f"/{path}", f"has {len(values):,} frames, and {TIMES} has {n_frames:,}")
            yield f"{stage}_{name}", values


def _series(file: Hdf5File, key: str) -> np.ndarray:
    """A series, in the layout that pandas calls fixed."""
    _refuse_tables(file, key)
    return _numbers(file, f"/{key}/values", 1)


def _frame(file: Hdf5File, key: str, names: Sequence[str]) -> dict[str, np.ndarray]:
    """Columns of a frame, in the same layout: blocks of columns of one type, each with their names."""
    _refuse_tables(file, key)
    found: dict[str, np.ndarray] = {}
    for number in range(len(names)):
        block = f"/{key}/block{number}"
        if not file.has(f"{block}_items"):
            break
        items, values = file.array(f"{block}_items"), _numbers(file, f"{block}_values", 2)
        if items.ndim != 1 or values.shape[1] != len(items):
            raise file.error(f"{block}_values", f"has {values.shape[1]} columns, and {len(items)} names")
        found |= {str(name): values[:, i] for i, name in enumerate(items)}
    if missing := [name for name in names if name not in found]:
        raise file.error(f"/{key}", f"has no column {', '.join(missing)}")
    return found


def _numbers(file: Hdf5File, path: str, ndim: int) -> np.ndarray:
    values = file.array(path)
    if values.ndim != ndim or values.dtype.kind not in "fiu":
        raise file.error(
            path, f"is an array of {values.dtype} in {values.ndim} dimensions: {ndim} of numbers are needed"
        )
    return values.astype(np.float64)


def _refuse_tables(file: Hdf5File, key: str) -> None:
    if file.has(f"/{key}/table"):
        raise file.error(f"/{key}", "is kept in the layout that pandas calls table", "write it with format='fixed'")


READER = EyeGazeReader()
