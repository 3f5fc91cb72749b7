"""From spikes in the order of units to spikes in the order of time blocks, in flat memory.

A file holds one long vector, unit after unit; the lake wants (block of 600 s, unit), so that a window of time over
all units reads one block. The vector is read once, in large slices; what does not fit a fixed budget waits in a
temporary file, and each block gathers its pieces from there.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from types import TracebackType
from typing import Any

import numpy as np
import pyarrow as pa

from ..lake.spec import float32, float64, int64, list_
from ..lake.tables.ecephys import SPIKE_BLOCK_S
from .clock import Clock, encode, find_clock
from .spool import MEMORY_BUDGET, Spool

_BATCH_SPIKES = 1 << 19
_MAX_TIME = SPIKE_BLOCK_S * (2**31 - 2)
_SAMPLE = 32_768  # times from which a clock is sought
_PROBED = 1 << 18  # times on which it is tried


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
        found = {device: self._clock(ranges, rates.get(device, ())) for device, ranges in by_device.items()}
        return {unit: clock for unit in self.counts if (clock := found.get(units.get(unit))) is not None}

    def _clock(self, ranges: list[tuple[int, int]], rates: tuple[float, ...]) -> Clock | None:
        """Sought on a sample, tried on many more times; times that refute a clock join the sample."""
        step = max(1, sum(stop - start for start, stop in ranges) // _PROBED)
        chosen = ranges[:: max(1, len(ranges) // 2_000)]
        probed = np.concatenate([self._times.read(*r)[::step] for r in chosen])
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
        for block in sorted(self._pieces):
            rows: list[tuple[int, np.ndarray, np.ndarray | None]] = []
            pending = 0
            for unit_id, ranges in sorted(self._pieces.pop(block).items()):
                times, amplitudes = self._gathered(ranges)
                rows.append((unit_id, times, amplitudes))
                pending += len(times)
                if pending >= _BATCH_SPIKES:
                    yield self._batch(block, rows, clocks)
                    rows, pending = [], 0
            if rows:
                yield self._batch(block, rows, clocks)

    def _gathered(self, ranges: list[tuple[int, int]]) -> tuple[np.ndarray, np.ndarray | None]:
        amplitudes = self._amplitudes
        if len(ranges) == 1:
            return self._times.read(*ranges[0]), None if amplitudes is None else amplitudes.read(*ranges[0])
        times = np.concatenate([self._times.read(*r) for r in ranges])
        order = np.argsort(times, kind="stable")
        if amplitudes is None:
            return times[order], None
        return times[order], np.concatenate([amplitudes.read(*r) for r in ranges])[order]

    def _batch(
        self, block: int, rows: list[tuple[int, np.ndarray, np.ndarray | None]], clocks: Mapping[int, Clock]
    ) -> pa.RecordBatch:
        lengths = np.array([len(times) for _, times, _ in rows])
        ends = np.cumsum(lengths)
        times = np.concatenate([times for _, times, _ in rows])
        none = Clock(np.nan, np.nan)
        used = [clocks.get(unit_id, none) for unit_id, _, _ in rows]
        rate, shift = np.array([c.rate for c in used]), np.array([c.shift for c in used])
        if np.isnan(rate).all():
            ticks, ticked = np.zeros(len(times), np.int64), np.zeros(len(rows), bool)
        else:
            ticks, exact = _encoded(times, lengths, rate, shift)
            # a row holds ticks if each of its times comes back, so storage never depends on the sample being right
            ticked = np.logical_and.reduceat(exact, ends - lengths)
        rate[~ticked], shift[~ticked] = np.nan, np.nan
        n = len(rows)
        columns = {
            "session_id": pa.array(np.full(n, self.session_id, np.int64)),
            "time_block": pa.array(np.full(n, block, np.int32)),
            "unit_id": pa.array([unit_id for unit_id, _, _ in rows], int64),
            "n_spikes": pa.array(lengths.astype(np.int32)),
            "clock_rate": pa.array(rate, from_pandas=True),
            "clock_shift": pa.array(shift, from_pandas=True),
            "spike_ticks": _lists(ticks, lengths, ticked, int64),
            "spike_times": _lists(times, lengths, ~ticked, float64),
        }
        if self.has_amplitudes:
            flat = np.concatenate([a for _, _, a in rows if a is not None])
            columns["spike_amplitudes"] = _lists(flat, lengths, np.ones(n, bool), float32)
        return pa.RecordBatch.from_pydict(columns)


def _encoded(
    times: np.ndarray, lengths: np.ndarray, rate: np.ndarray, shift: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Ticks of all rows, runs of rows of one clock at once."""
    ends = np.cumsum(lengths)
    same = (rate[1:] == rate[:-1]) & (shift[1:] == shift[:-1])
    bounds = [0, *(np.flatnonzero(~same) + 1).tolist(), len(rate)]
    parts = []
    for first, last in pairwise(bounds):
        part = times[ends[first] - lengths[first] : ends[last - 1]]
        if np.isnan(rate[first]):
            parts.append((np.zeros(len(part), np.int64), np.zeros(len(part), bool)))
        else:
            parts.append(encode(part, rate[first], shift[first]))
    return np.concatenate([p[0] for p in parts]), np.concatenate([p[1] for p in parts])


def _lists(flat: np.ndarray, lengths: np.ndarray, given: np.ndarray, of: pa.DataType) -> pa.Array:
    """A LIST column from concatenated values; rows not given are NULL."""
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
