"""From spikes in the order of units to spikes in the order of time blocks, in flat memory.

A file holds one long vector, unit after unit; the lake wants (block of 600 s, unit), so that a window of time over
all units reads one block. The vector is read once, in large slices; what does not fit a fixed budget waits in a
temporary file, and each block gathers its pieces from there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import cache
from itertools import groupby
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa

from ..lake.spec import float32, float64, int64, list_
from ..lake.tables.ecephys import SPIKE_BLOCK_S
from .ahead import ahead, n_threads
from .clock import Clock, find_clock
from .spool import MEMORY_BUDGET, Spool

_BATCH_SPIKES = 1 << 19
_READY = 2  # batches that wait to be taken
_MAX_TIME = SPIKE_BLOCK_S * (2**31 - 2)
_SAMPLE = 32_768  # times from which a clock is sought
_PROBED, _PROBED_ROWS = 1 << 18, 256  # times on which it is tried, and of how many rows


@dataclass
class UnitCount:
    """What became of one unit's spikes."""

    n_spikes: int = 0
    first: float | None = None
    last: float | None = None
    n_negative: int = 0
    n_nan: int = 0


@dataclass
class SpikeBlocks:
    """Spikes bucketed by (block, unit): :meth:`add` pieces of units in any order, then :meth:`batches`.

    drop_negative : times below 0 mark spikes outside the synchronised recording (Allen) and are left out
    """

    session_id: int
    has_amplitudes: bool
    drop_negative: bool = False
    budget: int = MEMORY_BUDGET
    counts: dict[int, UnitCount] = field(default_factory=lambda: defaultdict(UnitCount))

    def __post_init__(self) -> None:
        share = self.budget * 2 // 3 if self.has_amplitudes else self.budget
        self._times = Spool(np.float64, share)
        self._amplitudes = Spool(np.float32, self.budget - share) if self.has_amplitudes else None
        self._pieces: dict[int, dict[int, list[tuple[int, int]]]] = defaultdict(lambda: defaultdict(list))

    def __enter__(self) -> SpikeBlocks:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._times.close()
        if self._amplitudes is not None:
            self._amplitudes.close()

    def add(self, unit_id: int, times: np.ndarray, amplitudes: np.ndarray | None = None) -> None:
        """A piece of one unit's spikes, in the order of the file; NaN times are counted and left out."""
        count = self.counts[unit_id]
        if not len(times):
            return
        ascending = bool((times[1:] >= times[:-1]).all())  # False with a NaN among several
        if not ascending or not np.isfinite(times[0]) or (self.drop_negative and times[0] < 0):
            times, amplitudes = self._cleaned(count, times, amplitudes)
            if not len(times):
                return
        if abs(times[0]) > _MAX_TIME or abs(times[-1]) > _MAX_TIME:
            raise ValueError(f"unit {unit_id} has a spike at {max(times, key=abs):g}, which is no time in seconds")
        count.n_spikes += len(times)
        first, last = float(times[0]), float(times[-1])
        count.first = first if count.first is None else min(count.first, first)
        count.last = last if count.last is None else max(count.last, last)
        at = self._times.append(times)
        if self._amplitudes is not None:
            assert amplitudes is not None
            self._amplitudes.append(amplitudes.astype(np.float32, copy=False))
        start = 0
        while start < len(times):
            block = int(np.floor(times[start] / SPIKE_BLOCK_S))
            stop = int(np.searchsorted(times, _block_start(block + 1), "left"))
            self._pieces[block][unit_id].append((at + start, at + stop))
            start = stop

    def _cleaned(
        self, count: UnitCount, times: np.ndarray, amplitudes: np.ndarray | None
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Without NaN and unsynchronised times, ascending; equal times stay in the file's order."""
        nan = np.isnan(times)
        negative = times < 0 if self.drop_negative else np.zeros(len(times), bool)
        count.n_nan += int(nan.sum())
        count.n_negative += int(negative.sum())
        kept = np.flatnonzero(~nan & ~negative)
        order = kept[np.argsort(times[kept], kind="stable")]
        return times[order], None if amplitudes is None else amplitudes[order]

    def clocks(self, units: Mapping[int, Any], rates: Mapping[Any, tuple[float, ...]]) -> dict[int, Clock]:
        """Unit -> the clock of its device, where one gives the device's times back.

        units : unit -> device; rates : device -> declared sampling rates (Hz)
        """
        by_device: dict[Any, list[tuple[int, int]]] = defaultdict(list)
        for pieces in self._pieces.values():
            for unit_id, ranges in pieces.items():
                by_device[units.get(unit_id)] += ranges
        with ThreadPoolExecutor(n_threads(), thread_name_prefix="clock") as pool:
            sought = [pool.submit(self._clock, ranges, rates.get(device, ())) for device, ranges in by_device.items()]
        found = {device: one.result() for device, one in zip(by_device, sought, strict=True)}
        return {unit: clock for unit in self.counts if (clock := found.get(units.get(unit))) is not None}

    def _clock(self, ranges: list[tuple[int, int]], rates: tuple[float, ...]) -> Clock | None:
        """Sought on a sample, tried on many more times; times that refute a clock join the sample."""
        chosen = ranges[:: max(1, len(ranges) // _PROBED_ROWS)]
        each = _PROBED // len(chosen)
        probed = np.concatenate([self._times.read(start, min(start + each, stop)) for start, stop in chosen])
        earliest = self._times.read(*ranges[0])[:64]  # early times are rounded finest
        sample = np.concatenate((earliest, probed[:: max(1, len(probed) // _SAMPLE)]))
        best: Clock | None = None
        for _ in range(4):
            clock = find_clock(sample, rates)
            if clock is None:
                return best
            best = clock
            refuting = clock.refuting(probed)
            if not len(refuting):
                break
            sample = np.concatenate((sample, refuting[:_SAMPLE]))
        return best

    def batches(self, clocks: Mapping[int, Clock]) -> Iterator[pa.RecordBatch]:
        """Rows of ``ecephys.spike_trains``, ordered by block and unit."""
        with ThreadPoolExecutor(1, thread_name_prefix="spikes") as thread:
            yield from ahead(thread, lambda rows: self._batch(rows, clocks), self._rows(), _READY)

    def _rows(self) -> Iterator[_Rows]:
        """The rows of each batch, and where their spikes are."""
        for block in sorted(self._pieces):
            rows, pending = _Rows(block, [], []), 0
            for unit_id, ranges in sorted(self._pieces.pop(block).items()):
                rows.unit_ids.append(unit_id)
                rows.ranges.append(ranges)
                pending += sum(stop - start for start, stop in ranges)
                if pending >= _BATCH_SPIKES:
                    yield rows
                    rows, pending = _Rows(block, [], []), 0
            if rows.unit_ids:
                yield rows

    def _batch(self, rows: _Rows, clocks: Mapping[int, Clock]) -> pa.RecordBatch:
        n = len(rows.unit_ids)
        lengths = np.array([sum(stop - start for start, stop in ranges) for ranges in rows.ranges])
        ends = np.cumsum(lengths)
        times, amplitudes = self._gathered(rows.ranges, ends)
        none = Clock(np.nan, np.nan)
        used = [clocks.get(unit_id, none) for unit_id in rows.unit_ids]
        ticks, exact = _encoded(times, ends, used)
        # a row holds ticks if each of its times comes back, so storage never depends on the sample being right
        ticked = np.logical_and.reduceat(exact, ends - lengths)
        columns = {
            "session_id": pa.array(np.full(n, self.session_id, np.int64)),
            "time_block": pa.array(np.full(n, rows.block, np.int32)),
            "unit_id": pa.array(rows.unit_ids, int64),
            "n_spikes": pa.array(lengths.astype(np.int32)),
            "clock_rate": pa.array([c.rate for c in used], float64, mask=~ticked),
            "clock_shift": pa.array([c.shift for c in used], float64, mask=~ticked),
            "spike_ticks": _lists(ticks, lengths, ticked, int64),
            "spike_times": _lists(times, lengths, ~ticked, float64),
        }
        if amplitudes is not None:
            columns["spike_amplitudes"] = _lists(amplitudes, lengths, np.ones(n, bool), float32)
        return pa.RecordBatch.from_pydict(columns)

    def _gathered(
        self, rows: Sequence[Sequence[tuple[int, int]]], ends: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray | None]:
        """Times and amplitudes of the rows one after the other, each row's ascending."""
        times = np.empty(ends[-1])
        amplitudes = None if self._amplitudes is None else np.empty(ends[-1], np.float32)
        at = 0
        for ranges, end in zip(rows, ends.tolist(), strict=True):
            here = slice(at, end)
            for start, stop in ranges:
                self._times.read_into(times[at : at + stop - start], start)
                if self._amplitudes is not None and amplitudes is not None:
                    self._amplitudes.read_into(amplitudes[at : at + stop - start], start)
                at += stop - start
            if len(ranges) > 1:  # each of them is ascending already
                order = np.argsort(times[here], kind="stable")
                times[here] = times[here][order]
                if amplitudes is not None:
                    amplitudes[here] = amplitudes[here][order]
        return times, amplitudes


@dataclass(frozen=True)
class _Rows:
    """Rows of one block: of each its unit, and where its spikes lie in the spool."""

    block: int
    unit_ids: list[int]
    ranges: list[list[tuple[int, int]]]


def _encoded(times: np.ndarray, ends: np.ndarray, used: Sequence[Clock]) -> tuple[np.ndarray, np.ndarray]:
    """Ticks of all rows, and which of them give their time back; runs of rows of one clock at once."""
    ticks, exact = np.zeros(len(times), np.int64), np.zeros(len(times), bool)
    at = 0
    for clock, run in groupby(zip(used, ends.tolist(), strict=True), key=lambda row: row[0]):
        end = max(end for _, end in run)
        if clock.rate > 0:
            clock.encode(times[at:end], ticks[at:end], exact[at:end])
        at = end
    return ticks, exact


def _lists(flat: np.ndarray, lengths: np.ndarray, given: np.ndarray, of: pa.DataType) -> pa.Array:
    """A LIST column from concatenated values; rows not given are NULL."""
    if not given.any():
        return pa.nulls(len(lengths), list_(of))
    if not given.all():
        flat = flat[np.repeat(given, lengths)]
        lengths = np.where(given, lengths, 0)
    offsets = np.concatenate(([0], np.cumsum(lengths))).astype(np.int32)
    mask = pa.array(~given) if not given.all() else None
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat), type=list_(of), mask=mask)


@cache
def _block_start(block: int) -> float:
    """The smallest time whose block is at least this one, as float64 division rounds."""
    start = block * SPIKE_BLOCK_S
    while np.floor(np.nextafter(start, -np.inf) / SPIKE_BLOCK_S) >= block:
        start = float(np.nextafter(start, -np.inf))
    return start
