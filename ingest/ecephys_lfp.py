"""LFP and current source density: the probe files of Allen sessions, and other laboratories' LFP series."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.spec import float32, float64, int32, list_
from .contract import Report, Rows, made_id
from .ecephys_electrodes import Electrodes
from .ecephys_recording import Recording
from .nwb_columns import real_or_none, reals
from .spool import Spool

CHUNK_SAMPLES = 65_536
# Of the probes' LFP band: int16 in the recording, float32 in the files, multiplied in double or in single precision.
VOLTS_A_COUNT = (0.195e-6, float(np.float32(0.195e-6)))
CSD = "/processing/current_source_density"
_SLAB_BYTES = 64 << 20
_BATCH_CHUNKS = 16


@dataclass(frozen=True)
class LfpSeries:
    """One ElectricalSeries of LFP, [time, channel]."""

    recording: Recording
    electrodes: Electrodes
    path: str

    @cached_property
    def data(self) -> Any:
        data = self.recording.nwb.dataset(f"{self.path}/data")
        if data.ndim not in (1, 2) or data.dtype.kind not in "fiu":
            raise SourceError(self.recording.nwb.source, f"{self.path}/data", "is no matrix [time, channel] of numbers")
        return data

    @cached_property
    def conversion(self) -> float:
        """Volts a unit of the data."""
        factor = self.recording.nwb.attributes(f"{self.path}/data").get("conversion", 1.0)
        if not isinstance(factor, (int, float)) or not np.isfinite(factor):
            raise self.recording.nwb.error(f"{self.path}/data@conversion", f"should be a number, and is {factor!r}")
        return float(factor)

    @cached_property
    def series_id(self) -> int:
        """Probe id of an Allen probe file; of others, of the series."""
        recording = self.recording
        return recording.probe_id if recording.probe_id is not None else made_id(recording.key, self.path)

    @cached_property
    def electrode_rows(self) -> np.ndarray:
        """Row of the electrodes table of every column of the data."""
        nwb, n = self.recording.nwb, 1 if self.data.ndim == 1 else self.data.shape[1]
        rows = reals(nwb, f"{self.path}/electrodes") if nwb.has(f"{self.path}/electrodes") else np.arange(n)
        if len(rows) != n or (len(rows) and not 0 <= rows.min() <= rows.max() < len(self.electrodes.channel_ids)):
            reason = f"names {len(rows)} electrodes of {len(self.electrodes.channel_ids)} for {n} columns of data"
            raise SourceError(nwb.source, f"{self.path}/electrodes", reason)
        return rows.astype(np.int64)

    @cached_property
    def channel_ids(self) -> np.ndarray:
        return self.electrodes.channel_ids[self.electrode_rows]

    def times(self, start: int, stop: int) -> np.ndarray:
        """Time stamps of samples (s)."""
        nwb = self.recording.nwb
        if nwb.has(f"{self.path}/timestamps"):
            times = nwb.dataset(f"{self.path}/timestamps")
            if times.dtype.kind not in "fiu" or times.ndim != 1:
                raise nwb.error(f"{self.path}/timestamps", f"should be a list of times, and is {times.dtype}")
            return times[start:stop].astype(np.float64)
        rate = nwb.attributes(f"{self.path}/starting_time").get("rate")
        if not isinstance(rate, (int, float)) or not rate > 0:
            raise SourceError(nwb.source, self.path, "has neither timestamps nor a rate")
        return (real_or_none(nwb, f"{self.path}/starting_time") or 0.0) + np.arange(start, stop) / rate

    def measured_rate(self, declared: float | None, report: Report) -> float | None:
        """Sampling rate of the stored samples (Hz).

        The released probe files declare half of it (their session files the whole), so time stamps decide.
        """
        some = self.times(0, min(len(self.data), 1_024))
        step = float(np.median(np.diff(some))) if len(some) > 2 else 0.0
        if not step > 0:
            return declared
        if declared is None:
            return 1 / step
        times = round(1 / step / declared)
        if times > 1:
            report.warn(f"{self.path}: the file declares {declared:g} Hz, its time stamps are {times} times as dense")
        return declared * max(times, 1)


def lfp_series(recording: Recording, electrodes: Electrodes) -> list[LfpSeries]:
    """The LFP series of a file: ElectricalSeries within an LFP container."""
    nwb, found = recording.nwb, []
    modules = [f"/processing/{name}" for name in nwb.children("/processing")]
    for parent in ("/acquisition", *modules):
        for name in nwb.children(parent):
            container = f"{parent}/{name}"
            if nwb.attributes(container).get("neurodata_type") == "LFP":
                inside = [f"{container}/{child}" for child in nwb.children(container)]
                found += [LfpSeries(recording, electrodes, path) for path in inside if nwb.has(f"{path}/data")]
    return found


def lfp_rows(series: LfpSeries, report: Report) -> Iterator[Rows]:
    """``ecephys.lfp_times`` and ``ecephys.lfp_chunks``, channel after channel."""
    n = len(series.data)
    if series.recording.nwb.has(f"{series.path}/timestamps"):
        n_times = len(series.recording.nwb.dataset(f"{series.path}/timestamps"))
        if n_times != n:
            where = f"{series.path}/timestamps"
            raise SourceError(series.recording.nwb.source, where, f"are {n_times} for {n} samples")
    spans = []
    for chunk, start in enumerate(range(0, n, CHUNK_SAMPLES)):
        times = series.times(start, min(start + CHUNK_SAMPLES, n))
        spans.append((start, len(times), float(times[0]), float(times[-1])))
        yield Rows(
            "ecephys.lfp_times",
            {
                "session_id": [series.recording.session_id],
                "probe_id": [series.series_id],
                "chunk": pa.array([chunk], pa.int32()),
                "first_sample": [start],
                "timestamps": _list_column([times], float64),
            },
        )
    batch: list[tuple[int, int, np.ndarray]] = []
    for piece in _pieces(series, report):
        batch.append(piece)
        if len(batch) == _BATCH_CHUNKS:
            yield _chunk_rows(series, spans, batch)
            batch = []
    if batch:
        yield _chunk_rows(series, spans, batch)


def _pieces(series: LfpSeries, report: Report) -> Iterator[tuple[int, int, np.ndarray]]:
    """(column of the data, chunk, samples), by channel id and chunk; each byte of the file is read once.

    Files that are chunked by column (Allen's) are read by column; others in blocks of rows, which wait turned over
    in a spool.
    """
    data, n = series.data, len(series.data)
    starts = range(0, n, CHUNK_SAMPLES)
    order = np.argsort(series.channel_ids, kind="stable").tolist()
    if data.ndim == 1 or (data.chunks and data.chunks[1] == 1):
        for done, column in enumerate(order):
            for chunk, start in enumerate(starts):
                rows = slice(start, start + CHUNK_SAMPLES)
                yield column, chunk, data[rows] if data.ndim == 1 else data[rows, column]
            report.progress("lfp", done + 1, len(order))
        return
    slab = max(1, _SLAB_BYTES // max(data.dtype.itemsize * len(order), 1))
    if data.chunks:
        slab = max(1, slab // data.chunks[0]) * data.chunks[0]
    with Spool(data.dtype) as spool:
        places: list[list[tuple[int, int]]] = [[] for _ in starts]  # of each chunk: (place, length of a column)
        for chunk, start in enumerate(starts):
            end = min(start + CHUNK_SAMPLES, n)
            for begin in range(start, end, slab):
                block = data[begin : min(begin + slab, end)].T
                places[chunk].append((spool.append(block), block.shape[1]))
            report.progress("lfp", end, n)
        for column in order:
            for chunk, held in enumerate(places):
                parts = [spool.read(at + column * k, at + (column + 1) * k) for at, k in held]
                yield column, chunk, np.concatenate(parts)


def _chunk_rows(
    series: LfpSeries, spans: list[tuple[int, int, float, float]], batch: list[tuple[int, int, np.ndarray]]
) -> Rows:
    """Chunks; counts where they give every sample back bit by bit, else the samples."""
    counts, scales, kept = zip(*(_counts(series, samples) for _, _, samples in batch), strict=True)
    channel_ids, n = series.channel_ids, len(batch)
    of_chunk = [spans[chunk] for _, chunk, _ in batch]
    return Rows(
        "ecephys.lfp_chunks",
        {
            "session_id": np.full(n, series.recording.session_id, np.int64),
            "probe_id": np.full(n, series.series_id, np.int64),
            "channel_id": channel_ids[[column for column, _, _ in batch]],
            "chunk": np.array([chunk for _, chunk, _ in batch], np.int32),
            "first_sample": np.array([s[0] for s in of_chunk], np.int64),
            "n_samples": np.array([s[1] for s in of_chunk], np.int32),
            "start_time": np.array([s[2] for s in of_chunk]),
            "stop_time": np.array([s[3] for s in of_chunk]),
            "scale": pa.array(scales, pa.float64()),
            "counts": _list_column(counts, int32),
            "samples": _list_column(kept, float32),
        },
    )


def _counts(series: LfpSeries, samples: np.ndarray) -> tuple[np.ndarray | None, float | None, np.ndarray | None]:
    """(counts, scale, None), or (None, None, samples in V)."""
    conversion = series.conversion
    if samples.dtype.kind in "iu":
        if samples.dtype.itemsize <= 2 or not len(samples) or np.abs(samples.astype(np.int64)).max() < 2**31:
            return samples.astype(np.int32), conversion, None
        return None, None, (samples * conversion).astype(np.float32)
    volts = samples if conversion == 1.0 else samples * conversion
    volts = np.ascontiguousarray(volts, np.float32)
    for scale in VOLTS_A_COUNT:
        with np.errstate(invalid="ignore", over="ignore"):
            counts = np.rint(volts.astype(np.float64) / scale)
            back = (counts * scale).astype(np.float32)
        if (np.abs(counts) < 2**31).all() and np.array_equal(back.view(np.int32), volts.view(np.int32)):
            return counts.astype(np.int32), scale, None
    return None, None, volts


def _list_column(rows: Any, of: pa.DataType) -> pa.Array:
    """A LIST column of arrays; None is NULL."""
    lengths = [0 if row is None else len(row) for row in rows]
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    given = [np.asarray(row, of.to_pandas_dtype()) for row in rows if row is not None]
    flat = np.concatenate(given) if given else np.empty(0, of.to_pandas_dtype())
    mask = pa.array([row is None for row in rows]) if len(given) < len(rows) else None
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat), type=list_(of), mask=mask)


def csd_path(recording: Recording) -> str | None:
    """Path of the current source density series, of either layout."""
    paths = (f"{CSD}/ecephys_csd/current_source_density", f"{CSD}/current_source_density")
    return next((p for p in paths if recording.nwb.has(f"{p}/data")), None)


def csd_rows(recording: Recording) -> Iterator[Rows]:
    """``ecephys.csd_channels``: v2 stores [time, channel] and positions apart, v1 [channel, time] and a control."""
    nwb, path = recording.nwb, csd_path(recording)
    if path is None or recording.probe_id is None:
        return
    density, times = reals(nwb, f"{path}/data", 2), reals(nwb, f"{path}/timestamps")
    if path.startswith(f"{CSD}/ecephys_csd"):
        axes = [f"{CSD}/ecephys_csd/virtual_electrode_{axis}_positions" for axis in "xy"]
        x, y = (reals(nwb, a) if nwb.has(a) else None for a in axes)
        density = density.T
    else:
        control = reals(nwb, f"{path}/control", 2) if nwb.has(f"{path}/control") else None
        x, y = (None, None) if control is None else (control[:, 0], control[:, 1])
    n = len(density)
    if density.shape[1] != len(times) or any(p is not None and len(p) != n for p in (x, y)):
        shape = " x ".join(map(str, density.shape))
        raise SourceError(nwb.source, f"{path}/data", f"is {shape} for {len(times)} times")
    yield Rows(
        "ecephys.csd_channels",
        {
            "session_id": np.full(n, recording.session_id, np.int64),
            "probe_id": np.full(n, recording.probe_id, np.int64),
            "virtual_channel_index": np.arange(n, dtype=np.int32),
            "horizontal_position": pa.nulls(n, pa.float64()) if x is None else pa.array(x),
            "vertical_position": pa.nulls(n, pa.float64()) if y is None else pa.array(y),
            "timestamps": _list_column([times] * n, float64),
            "csd": _list_column(list(density), float64),
            "csd_unit": [nwb.attributes(f"{path}/data").get("unit")] * n,
        },
    )
