"""Events of the Brain Observatory's cells: an NPZ archive of one array ``ev``, cells by frames (spec: ophys 2.7).

Nearly all of it is zero, so what is kept of a cell are its events. The archive does not say of which experiment it is:
its name does (``502376461_events.npz``), else ``--set experiment=ID``.
"""

from __future__ import annotations

import re
import zipfile
from collections.abc import Iterator, Sequence
from typing import IO

import numpy as np
import pyarrow as pa
from numpy.lib import format as npy_format

from ..lake.errors import SourceError
from ..lake.tables.ophys import EVENT_TRAINS
from .contract import Identity, Part, Report, Rows, Setting, Source
from .volume_zip import BROKEN

MEMBER = "ev.npy"
DATASET = "Allen Brain Observatory: Visual Coding 2-photon"
MAX_BYTES = 4 << 30  # of the array; 400 cells of 114,000 frames have 365 MB
MAX_CELLS = 100_000
_NAMED = re.compile(r"(\d{6,18})_events\.npz", re.ASCII)


class EventsReader:
    """Reader of events of cells."""

    name = "ophys_events"
    version = "1"
    parts: Sequence[Part] = (Part("events", "events of cells"),)
    settings: Sequence[Setting] = (Setting("experiment", "id of the experiment that events are of"),)

    def sniff(self, source: Source) -> bool:
        try:
            with zipfile.ZipFile(source.path) as archive:
                return archive.namelist() == [MEMBER]
        except BROKEN:
            return False

    def identify(self, source: Source) -> Identity:
        return Identity(f"ophys.experiment/{_experiment(source)}", "events", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        report.found("events", source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        if "events" not in parts:
            return
        experiment_id = _experiment(source)
        try:
            with zipfile.ZipFile(source.path) as archive, archive.open(MEMBER) as member:
                size = archive.getinfo(MEMBER).file_size
                for index, trace in enumerate(_traces(source, member, size)):
                    yield Rows(EVENT_TRAINS.name, _row(source, experiment_id, index, trace))
        except BROKEN as error:
            raise SourceError(source, MEMBER, f"cannot be read: {error}", "get the file again") from None


def _experiment(source: Source) -> int:
    """Raises SourceError where neither setting nor name tell it."""
    said = source.setting("experiment")
    named = _NAMED.fullmatch(source.name)
    digits = said if said is not None else named[1] if named else ""
    if not (digits.isascii() and digits.isdigit() and 0 < int(digits) < 2**63):
        raise SourceError(source, None, "does not tell of which experiment it is", "--set experiment=ID tells it")
    return int(digits)


def _traces(source: Source, member: IO[bytes], size: int) -> Iterator[np.ndarray]:
    """A cell's row after the other. Raises SourceError where the array is none of events; nothing is unpickled."""
    try:
        version = npy_format.read_magic(member)
        read = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}.get(version)
        if read is None:
            raise SourceError(source, MEMBER, f"is of version {version[0]}.{version[1]}, not 1.0 or 2.0")
        shape, is_fortran, dtype = read(member)
    except (ValueError, SyntaxError, EOFError, UnicodeDecodeError) as error:
        raise SourceError(source, MEMBER, f"is no array: {str(error)[:80]}") from None
    if dtype.kind != "f" or len(shape) != 2:
        raise SourceError(source, MEMBER, f"is an array of {dtype} in {len(shape)} dimensions: 2 of floats are needed")
    n_cells, n_frames = shape
    n_bytes = n_cells * n_frames * dtype.itemsize
    if n_bytes > min(MAX_BYTES, size) or n_cells > MAX_CELLS or n_frames >= 2**31:
        raise SourceError(source, MEMBER, f"declares {n_cells:,} cells of {n_frames:,} frames, which it does not hold")
    if is_fortran:  # frame by frame: no cell is whole before the end
        whole = np.frombuffer(_exactly(source, member, n_bytes), dtype).reshape((n_frames, n_cells))
        yield from whole.T
    else:
        for _ in range(n_cells):
            yield np.frombuffer(_exactly(source, member, n_frames * dtype.itemsize), dtype)
    if member.read(1):
        raise SourceError(source, MEMBER, "goes on after its array")


def _exactly(source: Source, member: IO[bytes], size: int) -> bytes:
    data = member.read(size)
    if len(data) < size:
        raise SourceError(source, MEMBER, "is cut short", "get the file again")
    return data


def _row(source: Source, experiment_id: int, index: int, trace: np.ndarray) -> pa.RecordBatch:
    is_missing = bool(np.isnan(trace).all()) and trace.size > 0
    frames = np.flatnonzero(trace) if not is_missing else np.empty(0, np.int64)
    magnitudes = trace[frames].astype(np.float64)
    if not np.isfinite(magnitudes).all() or (magnitudes < 0).any():
        raise SourceError(source, f"{MEMBER}, cell {index}", "has events that are negative or no numbers")
    values = {
        "ophys_experiment_id": [experiment_id], "cell_index": [index], "n_frames": [len(trace)],
        "is_missing": [is_missing], "event_frames": [frames.astype(np.int32)], "event_magnitudes": [magnitudes],
    }  # fmt: skip
    return pa.record_batch({name: pa.array(value, EVENT_TRAINS[name].type) for name, value in values.items()})


READER = EventsReader()
