"""Every TimeSeries of an NWB file: what it is, and its samples in chunks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.spec import float64, int64, list_, text
from ..lake.tables.nwb import SERIES, SERIES_CHUNKS
from .contract import Report, Rows
from .hdf5 import Dataset
from .hdf5_values import printable
from .nwb_file import NwbFile
from .nwb_objects import Entry, type_name
from .spool import Spool

CHUNK_SAMPLES = 65_536
_BATCH_BYTES = 16 << 20
_SLAB_BYTES = 32 << 20  # samples of several columns read at once
_STRIP_BYTES = 128 << 20  # chunks of the file that lie side by side, decompressed together
_NUMPY = {"integers": np.int64, "reals": np.float64, "texts": object}
_ARROW = {"integers": int64, "reals": float64, "texts": text}
_FAMILIES = {"ElectricalSeries": "lfp", "ImageSeries": "images"}  # what is bulk, by the type it extends


def is_series(nwb: NwbFile, entry: Entry) -> bool:
    """A TimeSeries, or a group that lost its type and is laid out as one."""
    if not entry.is_group:
        return False
    if entry.neurodata_type is not None:
        return "TimeSeries" in nwb.types.lineage(entry.neurodata_type)
    timed = nwb.is_dataset(f"{entry.path}/timestamps") or nwb.is_dataset(f"{entry.path}/starting_time")
    return timed and nwb.is_dataset(f"{entry.path}/data")


@dataclass(frozen=True)
class Series:
    """A TimeSeries. ``owned`` is the relation of a domain that holds its samples, else None."""

    nwb: NwbFile
    path: str
    neurodata_type: str | None
    owned: str | None = None

    @cached_property
    def data(self) -> Dataset | None:
        """Samples, time first; None where the file holds none."""
        if not self.nwb.is_dataset(f"{self.path}/data"):
            return None
        data = self.nwb.dataset(f"{self.path}/data")
        return data if data.ndim and not data.is_null else None

    @cached_property
    def part(self) -> str | None:
        """The part its samples belong to; None where it has none: its images may be files of their own."""
        if self.data is None or self.nwb.has(f"{self.path}/external_file"):
            return None
        lineage = self.nwb.types.lineage(self.neurodata_type) if self.neurodata_type else ()
        return next((part for kind, part in _FAMILIES.items() if kind in lineage), "series")

    @property
    def kind(self) -> str | None:
        """The column of ``nwb.series_chunks`` for its samples; None for types that have no column."""
        assert self.data is not None
        name = type_name(self.data.dtype)
        if name in ("text", "reference", "enumeration"):
            return "texts"
        return {"b": "integers", "i": "integers", "u": "integers", "f": "reals"}.get(self.data.dtype.kind)

    @cached_property
    def timestamps(self) -> Dataset | None:
        """Times of the samples, links followed. Raises SourceError where they are not one for each sample."""
        path = f"{self.path}/timestamps"
        if not self.nwb.is_dataset(path):
            return None
        times = self.nwb.dataset(path)
        if times.ndim != 1 or times.dtype.kind not in "fiu":
            raise self.nwb.error(path, f"should be a list of times, and is {times.ndim}-dimensional {times.dtype}")
        if self.part is not None and self.data is not None and len(self.data) not in (0, len(times)):
            raise self.nwb.error(path, f"are {len(times)} for {len(self.data)} samples", "--salvage leaves it out")
        return times

    @cached_property
    def rate(self) -> float | None:
        return _number(self.nwb.attributes(f"{self.path}/starting_time").get("rate"))

    @cached_property
    def starting_time(self) -> float | None:
        return _number(self.nwb.scalar(f"{self.path}/starting_time"))

    @property
    def is_stored(self) -> bool:
        """Its samples go to ``nwb.series_chunks``."""
        return self.part is not None and self.owned is None

    def check(self) -> None:
        """Raise SourceError where what is known of it without reading samples does not fit together."""
        if self.is_stored:
            _ = self.timestamps
        self.row(0)

    def row(self, file_id: int) -> dict[str, Any]:
        """Its row of ``nwb.stored_series``."""
        about = self.nwb.attributes(self.path)
        about_data = self.nwb.attributes(f"{self.path}/data")
        times = self.nwb.link_target(f"{self.path}/timestamps")
        return {
            "file_id": file_id,
            "path": printable(self.path),
            "neurodata_type": self.neurodata_type,
            "description": _text(about.get("description")),
            "unit": _text(about_data.get("unit")),
            "conversion": _number(about_data.get("conversion")),
            "value_offset": _number(about_data.get("offset")),
            "rate": self.rate,
            "starting_time": self.starting_time,
            "shape": list(self.data.shape) if self.data is not None else None,
            "dtype": type_name(self.data.dtype) if self.data is not None else None,
            "part": self.part,
            "timestamps_path": printable(times) if times else None,
            "size_bytes": self.data.stored_bytes if self.data is not None else None,
            "stored_in": (self.owned or SERIES_CHUNKS.name) if self.part else None,
        }


def series_rows(series: list[Series], file_id: int) -> Rows:
    """Rows of ``nwb.stored_series``."""
    rows = [one.row(file_id) for one in series]
    return Rows(SERIES.name, {name: [row[name] for row in rows] for name in SERIES.arrow.names[:-1]})


def chunk_rows(series: Series, file_id: int, report: Report) -> Iterator[Rows]:
    """Rows of ``nwb.series_chunks``, by column and chunk. Samples as stored, unconverted."""
    data = series.data
    if data is None or len(data) == 0:
        return
    if series.kind is None:
        report.skip(f"{series.path}/data", f"samples of type {type_name(data.dtype)} have no column in the lake")
        return
    if series.timestamps is None and series.rate is None:
        report.warn(f"{series.path} has neither timestamps nor a rate: its samples have no times")
    clock = _Clock(series)
    if report.salvage:  # what cannot be read must be known before the first row is written
        for column, chunk, _ in _column_chunks(series):
            clock.times(column, chunk)
    batch: list[dict[str, Any]] = []
    size = 0
    for column, chunk, values in _column_chunks(series):
        batch.append({"column_index": column, "chunk": chunk, **clock.times(column, chunk), "values": values})
        size += values.nbytes
        if size >= _BATCH_BYTES:
            yield _rows(series, file_id, batch)
            batch, size = [], 0
        report.progress(series.path, (chunk + 1) * CHUNK_SAMPLES, len(data))
    if batch:
        yield _rows(series, file_id, batch)


def _rows(series: Series, file_id: int, batch: list[dict[str, Any]]) -> Rows:
    columns: Mapping[str, Any] = {
        "file_id": file_id,
        "path": printable(series.path),
        **{name: [row[name] for row in batch] for name in ("column_index", "chunk", "start_time", "stop_time")},
        "first_sample": [row["chunk"] * CHUNK_SAMPLES for row in batch],
        "timestamps": pa.array([row["timestamps"] for row in batch], list_(float64)),
    }
    assert series.kind is not None
    type_ = _ARROW[series.kind]
    lengths = np.cumsum([0, *(len(row["values"]) for row in batch)])
    values = pa.array(np.concatenate([row["values"] for row in batch]), type_, from_pandas=False)
    if values.null_count:  # references that lead nowhere
        values = values.fill_null("")
    samples = pa.ListArray.from_arrays(pa.array(lengths, pa.int32()), values, type=list_(type_))
    return Rows(SERIES_CHUNKS.name, {**columns, series.kind: samples})


class _Clock:
    """Times of a series' chunks; stamps are read once, with the first column."""

    def __init__(self, series: Series) -> None:
        self.series = series
        self._limits: dict[int, tuple[float, float]] = {}

    def times(self, column: int, chunk: int) -> dict[str, Any]:
        series, start = self.series, chunk * CHUNK_SAMPLES
        assert series.data is not None
        stop = min(start + CHUNK_SAMPLES, len(series.data))
        stamps = None
        if series.timestamps is not None and column == 0:
            stamps = series.timestamps[start:stop].astype(np.float64)
            self._limits[chunk] = float(stamps[0]), float(stamps[-1])
        elif series.timestamps is None and series.rate is not None and series.rate > 0:
            zero = series.starting_time or 0.0
            self._limits[chunk] = zero + start / series.rate, zero + (stop - 1) / series.rate
        first, last = self._limits.get(chunk, (None, None))
        return {"timestamps": stamps, "start_time": first, "stop_time": last}


def _column_chunks(series: Series) -> Iterator[tuple[int, int, np.ndarray]]:
    """(column, chunk, samples) in that order, although a file is read fastest by time."""
    data = series.data
    assert data is not None
    n_columns = data.size // len(data)
    if n_columns == 1 or series.kind == "texts":
        for column in range(n_columns):
            for chunk, start in enumerate(range(0, len(data), CHUNK_SAMPLES)):
                values = data[start : start + CHUNK_SAMPLES].reshape(-1, n_columns)[:, column]
                yield column, chunk, _cast(series, values)
        return
    for first, last in _strips(data):
        yield from _turned(series, data, first, last)


def _strips(data: Dataset) -> Iterator[tuple[int, int]]:
    """Ranges of columns to be read together: all, unless chunks of the file are too long to have them side by side."""
    n_columns = data.size // len(data)
    width = n_columns
    if data.ndim == 2 and data.chunks and data.chunks[0] * n_columns * data.dtype.itemsize > _STRIP_BYTES:
        width = data.chunks[1]
    for first in range(0, n_columns, width):
        yield first, min(first + width, n_columns)


def _turned(series: Series, data: Dataset, first: int, last: int) -> Iterator[tuple[int, int, np.ndarray]]:
    """Columns of a strip: slabs of time wait in a spool until their column's turn."""
    n_columns = data.size // len(data)
    whole = last - first == n_columns
    step = max(1, min(CHUNK_SAMPLES, _SLAB_BYTES // ((last - first) * data.dtype.itemsize)))
    with Spool(data.dtype.type) as spool:
        slabs: list[list[tuple[int, int]]] = []  # of each chunk: (place, samples) of its slabs
        for start in range(0, len(data), CHUNK_SAMPLES):
            slabs.append([])
            stop = min(start + CHUNK_SAMPLES, len(data))
            for at in range(start, stop, step):
                rows = slice(at, min(at + step, stop))
                block = (data[rows] if whole else data[rows, first:last]).reshape(rows.stop - at, last - first)
                slabs[-1].append((spool.append(block.T), rows.stop - at))
        for column in range(last - first):
            for chunk, parts in enumerate(slabs):
                found = [spool.read(place + column * n, place + (column + 1) * n) for place, n in parts]
                yield first + column, chunk, _cast(series, np.concatenate(found))


def _cast(series: Series, values: np.ndarray) -> np.ndarray:
    """Samples in the type of their column of ``nwb.series_chunks``."""
    if values.dtype.kind == "u" and values.dtype.itemsize == 8 and values.size and values.max() >= 1 << 63:
        reason = f"holds {values.max()}, which is beyond 64-bit whole numbers"
        raise SourceError(series.nwb.source, f"{series.path}/data", reason)
    return values.astype(_NUMPY[str(series.kind)], copy=False)


def _number(value: Any) -> float | None:
    """A number, also where a writer made it a list of one or text; None for anything else."""
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _text(value: Any) -> str | None:
    return None if value is None or value == "" else str(value)
