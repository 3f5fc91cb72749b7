"""Spike trains as kernels look them up, and where the edges of windows fall among their spikes.

A spike's time is ``tick / rate - shift`` in float64, as the ``spike_time`` of SQL, or seconds where no clock gives
them back. An edge falls before the first spike that is not earlier; nothing is ever compared in ticks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np

from .registry import Held, Ragged

BLOCK_S = 600.0  # the time blocks of the table
_SPARSE = 16  # to search a train for an edge takes as long as to look at so many of its spikes in passing
_FAR_S = 1e300  # an edge beyond is no end of a table, whose steps would be infinite


@dataclass(frozen=True)
class Trains:
    """Spikes of some units in some time blocks, in the order of block and unit.

    time_block, unit_id : (rows,)
    rate, shift : (rows,) of the clock, Hz and s; NaN where seconds are given
    ticks : ragged int32 (int64 where ticks are many), ascending; times : ragged float64 (s); one of them is empty
    """

    time_block: np.ndarray
    unit_id: np.ndarray
    rate: np.ndarray
    shift: np.ndarray
    ticks: Ragged
    times: Ragged

    @classmethod
    def of(
        cls,
        time_block: np.ndarray,
        unit_id: np.ndarray,
        rate: np.ndarray,
        shift: np.ndarray,
        ticks: Ragged,
        times: Ragged,
    ) -> Trains:
        """Of the table's columns."""
        values = ticks.values
        narrow = not len(values) or -(2**31) <= values.min() <= values.max() < 2**31
        # copies, as a loop is compiled for memory that may be written to and once more for memory that may not
        return cls(
            time_block.astype(np.int64), np.array(unit_id), np.array(rate), np.array(shift),
            Ragged(values.astype(np.int32 if narrow else np.int64), np.array(ticks.offsets)),
            Ragged(np.array(times.values), np.array(times.offsets)),
        )  # fmt: skip

    @property
    def nbytes(self) -> int:
        return self.ticks.values.nbytes + self.times.values.nbytes + 7 * self.unit_id.nbytes

    def seconds(self, row: int) -> np.ndarray:
        """A train's times."""
        ticks = self.ticks[row]
        return ticks / self.rate[row] - self.shift[row] if len(ticks) else self.times[row]

    def seconds_at(self, rows: np.ndarray, index: np.ndarray) -> np.ndarray:
        """(n,) times of spikes: of which row, and which of its spikes."""
        of_clock = self.ticks.lengths[rows] > 0
        found = np.empty(len(rows))
        row, i = rows[of_clock], index[of_clock]
        found[of_clock] = self.ticks.values[self.ticks.offsets[row] + i] / self.rate[row] - self.shift[row]
        row, i = rows[~of_clock], index[~of_clock]
        found[~of_clock] = self.times.values[self.times.offsets[row] + i]
        return found

    def earlier(self, rows: np.ndarray, edges: np.ndarray) -> np.ndarray:
        """(n,) how many spikes of a row are earlier than an edge (s): a binary search of all edges at once."""
        low, high = np.zeros(len(rows), np.int64), (self.ticks.lengths + self.times.lengths)[rows]
        left = np.flatnonzero(low < high)
        while len(left):
            middle = (low[left] + high[left]) // 2
            is_earlier = self.seconds_at(rows[left], middle) < edges[left]
            low[left] = np.where(is_earlier, middle + 1, low[left])
            high[left] = np.where(is_earlier, high[left], middle)
            left = left[low[left] < high[left]]
        return low


TRAINS = Held(
    "ecephys.spike_trains",
    ("time_block", "unit_id", "clock_rate", "clock_shift", "spike_ticks", "spike_times"),
    Trains.of,
    by=("time_block", "unit_id"),
)


class Pieces(Protocol):
    """The trains of a session."""

    def within(self, low: Sequence[int], high: Sequence[int]) -> Iterator[Trains]:
        """Those that can hold rows from one (block, unit) to another: each column within its two ends."""


Sessions = Callable[[int], Pieces]  # raises LookupError where a session has no spikes


def sessions_of(held: Sessions, session_id: np.ndarray) -> dict[int, Pieces | None]:
    """Each session's trains, None for one without spikes."""
    found: dict[int, Pieces | None] = {}
    for one in np.unique(session_id).tolist():
        try:
            found[one] = held(one)
        except LookupError:
            found[one] = None
    return found


def looked_up(held: Sessions, session_id: np.ndarray, time_block: np.ndarray, unit_id: np.ndarray) -> Trains:
    """The trains of rows of the table, in their order; empty where there is none."""
    of_row: list[tuple[Trains, int] | None] = [None] * len(unit_id)
    for one, session in sessions_of(held, session_id).items():
        if session is not None:
            rows = np.flatnonzero(session_id == one)
            asked: dict[tuple[int, int], list[int]] = {}
            for row, key in zip(
                rows.tolist(), zip(time_block[rows].tolist(), unit_id[rows].tolist(), strict=True), strict=True
            ):
                asked.setdefault(key, []).append(row)
            low = time_block[rows].min(), unit_id[rows].min()
            for trains in session.within(low, (time_block[rows].max(), unit_id[rows].max())):
                keys = zip(trains.time_block.tolist(), trains.unit_id.tolist(), strict=True)
                for i, key in enumerate(keys):
                    for row in asked.get(key, ()):
                        of_row[row] = trains, i
    ticks = [np.empty(0, np.int32) if one is None else one[0].ticks[one[1]] for one in of_row]
    times = [np.empty(0) if one is None else one[0].times[one[1]] for one in of_row]
    wide = np.result_type(np.int32, *{one.dtype for one in ticks})
    return Trains(
        time_block, unit_id,
        np.array([np.nan if one is None else one[0].rate[one[1]] for one in of_row]),
        np.array([np.nan if one is None else one[0].shift[one[1]] for one in of_row]),
        Ragged.of(ticks, wide), Ragged.of(times),
    )  # fmt: skip


@dataclass(frozen=True)
class Chosen:
    """Units of a session that are asked for.

    ids : (n,) ascending
    places : (n,) where the counts of each begin
    """

    ids: np.ndarray
    places: np.ndarray

    @classmethod
    def of(cls, unit_ids: np.ndarray, places: np.ndarray) -> Chosen:
        order = np.argsort(unit_ids, kind="stable")
        return cls(unit_ids[order], places[order])

    def rows_of(self, trains: Trains, blocks: tuple[int, int]) -> Iterator[tuple[int, int]]:
        """Rows that hold their spikes within the blocks, both included, and the place of the unit of each."""
        if len(self.ids):
            at = np.minimum(np.searchsorted(self.ids, trains.unit_id), len(self.ids) - 1)
            wanted = (trains.time_block >= blocks[0]) & (trains.time_block <= blocks[1])
            rows = np.flatnonzero(wanted & (self.ids[at] == trains.unit_id))
            yield from zip(rows.tolist(), self.places[at[rows]].tolist(), strict=True)


@dataclass(frozen=True)
class Windows:
    """Half-open windows in any order, overlapping or not, as pairs of edges.

    starts, stops : (n,) s, no NaN
    """

    starts: np.ndarray
    stops: np.ndarray

    @cached_property
    def blocks(self) -> tuple[int, int]:
        """First and last time block that they reach into."""
        ends = np.clip(np.floor([self.starts.min() / BLOCK_S, self.stops.max() / BLOCK_S]), -(2**31), 2**31 - 1)
        return int(ends[0]), int(ends[1])

    @cached_property
    def are_apart(self) -> bool:
        """None begins before the last has ended: a time is in one of them at most."""
        return bool((self.starts <= self.stops).all() and (self.stops[:-1] <= self.starts[1:]).all())

    @cached_property
    def edges(self) -> np.ndarray:
        """(2n,) starts and stops, ascending."""
        return np.stack((self.starts, self.stops), axis=1).ravel()[self._order]

    @cached_property
    def _order(self) -> np.ndarray:
        if self.are_apart:
            return np.arange(2 * len(self.starts))
        return np.argsort(np.stack((self.starts, self.stops), axis=1).ravel(), kind="stable")

    @cached_property
    def places(self) -> tuple[np.ndarray, np.ndarray]:
        """(n,), (n,) where each window's start and stop are among the edges."""
        place = np.empty(len(self._order), np.int64)
        place[self._order] = np.arange(len(place))
        return place[::2].copy(), place[1::2].copy()


def count(
    trains: Trains,
    units: Chosen,
    windows: Windows,
    counts: np.ndarray,
    fast: Callable[..., None] | None,
) -> None:
    """Add the spikes of the units' trains in each window to where they are counted.

    counts : int32, changed: one count a window, for each unit from its place on
    fast : :func:`count_edges`, compiled
    """
    starts, stops = windows.places
    if fast:
        fast(
            trains.time_block, trains.unit_id, trains.ticks.values, trains.ticks.offsets, trains.rate, trains.shift,
            trains.times.values, trains.times.offsets, units.ids, units.places, *windows.blocks, windows.edges,
            windows.are_apart, starts, stops, counts,
        )  # fmt: skip
        return
    for row, place in units.rows_of(trains, windows.blocks):
        before = np.searchsorted(trains.seconds(row), windows.edges)
        counts[place : place + len(starts)] += np.maximum(before[stops] - before[starts], 0).astype(np.int32)


# For numba. Windows may be far more than spikes and spikes far more than windows, so either each edge is searched for
# among the spikes, or each spike finds the edges around it from a table of evenly spaced times, in steps that leave
# no branch to guess: where two sorted lists are merged, the processor guesses wrong about once a window, which takes
# four times as long. Of windows apart, a spike in one has passed an odd number of edges, and is counted there. Of
# others, what a spike leaves at the first edge that is later than it is how many spikes there are up to it, which the
# next one there overwrites.


def count_edges(  # type: ignore[no-untyped-def]
    time_block,
    unit_id,
    ticks,
    tick_offsets,
    rate,
    shift,
    times,
    time_offsets,
    ids,
    places,
    first_block,
    last_block,
    edges,
    are_apart,
    starts,
    stops,
    counts,
):
    n = len(edges)
    before = np.empty(n + 1, np.int32)  # spikes earlier than an edge, of those between the first and the last edge
    table = np.empty(4 * n + 2, np.int32)  # the first edge that is in a time's step or later
    is_tabled = False
    first, last = 0, n  # of the finite edges
    low = high = scale = 0.0
    most = 0  # edges in one step
    longest = 0
    for row in range(len(unit_id)):
        longest = max(longest, tick_offsets[row + 1] - tick_offsets[row], time_offsets[row + 1] - time_offsets[row])
    seconds = np.empty(longest, np.float64)
    for row in range(len(unit_id)):
        if time_block[row] < first_block or time_block[row] > last_block:
            continue
        at = np.searchsorted(ids, unit_id[row])
        if at == len(ids) or ids[at] != unit_id[row]:
            continue
        line = counts[places[at] : places[at] + n // 2]
        r, s = rate[row], shift[row]
        of_clock = tick_offsets[row + 1] > tick_offsets[row]
        offset = tick_offsets[row] if of_clock else time_offsets[row]
        end = tick_offsets[row + 1] - offset if of_clock else time_offsets[row + 1] - offset
        begin = 0
        for j in (0, n - 1):  # spikes outside of all windows are not looked at
            a, b = begin, end
            while a < b:
                middle = (a + b) // 2
                time = ticks[offset + middle] / r - s if of_clock else times[offset + middle]
                if time < edges[j]:
                    a = middle + 1
                else:
                    b = middle
            if j == 0:
                begin = a
            if j == n - 1:
                end = a
        if end - begin > _SPARSE * n:
            a = begin
            for j in range(n):
                b = end
                while a < b:
                    middle = (a + b) // 2
                    time = ticks[offset + middle] / r - s if of_clock else times[offset + middle]
                    if time < edges[j]:
                        a = middle + 1
                    else:
                        b = middle
                before[j] = a
        else:
            if not is_tabled:
                is_tabled = True
                while first < n and edges[first] < -_FAR_S:
                    first += 1
                while last > first and edges[last - 1] > _FAR_S:
                    last -= 1
                if first < last:
                    low, high = edges[first], edges[last - 1]
                    if high > low:
                        scale = 4 * n / (high - low)
                    step, a = 0, first
                    for j in range(first, last):
                        until = np.int64((edges[j] - low) * scale)
                        if step <= until:
                            a = j
                        most = max(most, j - a + 1)
                        while step <= until:
                            table[step] = j
                            step += 1
                    while step < len(table):
                        table[step] = last
                        step += 1
            m = end - begin
            offset += begin
            if of_clock:
                for k in range(m):
                    seconds[k] = ticks[offset + k] / r - s
            else:
                for k in range(m):
                    seconds[k] = times[offset + k]
            if are_apart and first == 0 and last == n:
                for k in range(m):
                    time = seconds[k]
                    j = np.int64(table[np.uint64((time - low) * scale)])  # type: ignore[assignment]
                    for _ in range(most):
                        j += np.int64(edges[np.uint64(j)] <= time)  # type: ignore[assignment]
                    line[np.uint64(j >> 1)] += j & 1
                continue
            for j in range(n):
                before[j] = 0
            for k in range(m):
                time = seconds[k]
                if time < low:
                    j = first
                elif time >= high:
                    j = last
                else:
                    j = np.int64(table[np.uint64((time - low) * scale)])  # type: ignore[assignment]
                    for _ in range(most):
                        j += np.int64(edges[np.uint64(j)] <= time)  # type: ignore[assignment]
                before[np.uint64(j)] = k + 1
            earlier = 0
            for j in range(n):
                earlier = max(earlier, before[j])
                before[j] = earlier
        for w in range(n // 2):
            line[w] += max(before[stops[w]] - before[starts[w]], 0)
