"""Spikes and windows of time: counted, found, and binned around events.

Trains are looked up where they are held (:mod:`.spike_trains`). Times are compared as float64 seconds, computed as the
``spike_time`` of SQL is, so that a spike on an edge falls on the same side everywhere. Windows are half-open,
[start, stop), in any order, overlapping or not; for other edges, move an edge by one unit in the last place:
(start, stop] is [nextafter(start), nextafter(stop)).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from .compiling import WORTH_COMPILING, compiled, worth_compiling
from .cores import on_every_core
from .registry import Ragged, udf
from .spike_trains import TRAINS, Chosen, Pieces, Sessions, Trains, Windows, count, count_edges, looked_up, sessions_of

_BLOB = pa.binary()
_SECONDS = pa.list_(pa.float64())
_TRAIN = [pa.int64(), pa.int32(), pa.int64()]  # session, time block, unit: a row of the table
_IDS = pa.list_(pa.int64())
_MANY_SHARES = 32  # of a call, which every core has its part of
_MANY_WINDOWS = 16  # of a train: to seek an edge of all trains at once takes as long as so many of one train
_FOUND = pa.list_(pa.struct([("window_index", pa.int32()), ("spike_index", pa.int32()), ("spike_time", pa.float64())]))


@udf(args=[_SECONDS], returns=_BLOB)
def pack(numbers: Ragged) -> Ragged:
    """Numbers as the bytes of their float64 values: an engine hands a BLOB to a kernel far faster than a LIST.

    numbers : ragged
    returns : ragged uint8, 8 bytes a number
    """
    values = np.ascontiguousarray(numbers.values, np.float64).view(np.uint8)
    return Ragged(values, numbers.offsets * 8)


def unpack(packed: Ragged) -> Ragged:
    """What :func:`pack` packed."""
    values = packed.values
    if values.ctypes.data % 8:
        values = values.copy()
    return Ragged(values.view(np.float64), packed.offsets // 8)


@udf(args=[pa.int64(), _IDS, _BLOB, _BLOB], returns=pa.list_(pa.list_(pa.int32())), held=TRAINS)
def count_spikes_in_windows(
    held: Sessions, session_id: np.ndarray, unit_ids: Ragged, packed_starts: Ragged, packed_stops: Ragged
) -> Ragged:
    """Spikes of some units of a session in each of some windows [start, stop).

    session_id : (rows,)
    unit_ids : ragged, of the session
    packed_starts, packed_stops : ragged, seconds as :func:`pack` packs them, in any order
    returns : ragged int32, for each unit one count a window; 0 where stop <= start, and for units without spikes
    """
    starts, stops = unpack(packed_starts), unpack(packed_stops)
    n_windows = np.repeat(starts.lengths, unit_ids.lengths)
    counts = Ragged(np.zeros(n_windows.sum(), np.int32), _offsets(n_windows))
    fast = worth_compiling(count_edges, len(counts.values))
    sessions = sessions_of(held, session_id)
    # near rows use the same pieces, and rows of the same windows can be counted at once
    first = np.array([np.min(row, initial=np.inf) for row in starts])
    shares: dict[tuple[int, bytes], list[int]] = {}
    for row in np.lexsort((first, session_id)).tolist():
        if len(unit_ids[row]) and len(starts[row]):
            shares.setdefault((session_id[row], starts[row].tobytes() + stops[row].tobytes()), []).append(row)

    def count_rows(rows: list[int]) -> None:
        windows = Windows(starts[rows[0]], stops[rows[0]])
        of_units = np.concatenate([np.arange(*unit_ids.offsets[row : row + 2]) for row in rows])
        units = Chosen.of(unit_ids.values[of_units], counts.offsets[of_units])
        for trains in _trains(sessions[session_id[rows[0]]], units, windows.blocks):
            count(trains, units, windows, counts.values, fast)

    work = list(shares.values())
    if len(work) < _MANY_SHARES or any(_are_doubled(unit_ids, rows) for rows in work):
        work = [[row] for rows in work for row in rows]
    on_every_core(lambda i: count_rows(work[i]), range(len(work)), len(counts.values))
    return Ragged(counts, unit_ids.offsets)  # type: ignore[arg-type]


def _are_doubled(unit_ids: Ragged, rows: list[int]) -> bool:
    """A unit is in several rows."""
    ids = np.concatenate([unit_ids[row] for row in rows])
    return len(np.unique(ids)) < len(ids)


def _trains(session: Pieces | None, units: Chosen, blocks: tuple[int, int]) -> Iterator[Trains]:
    """Pieces of the session that can hold spikes of the units within the blocks."""
    return iter(()) if session is None else session.within((blocks[0], units.ids[0]), (blocks[1], units.ids[-1]))


def _offsets(lengths: np.ndarray) -> np.ndarray:
    return np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])


@udf(args=[*_TRAIN, _BLOB, _BLOB], returns=_FOUND, held=TRAINS)
def find_spikes_in_windows(
    held: Sessions,
    session_id: np.ndarray,
    time_block: np.ndarray,
    unit_id: np.ndarray,
    packed_starts: Ragged,
    packed_stops: Ragged,
) -> Ragged:
    """The spikes themselves: for each train and window [start, stop), which spikes fall in it.

    session_id, time_block, unit_id : (rows,) one train of ``ecephys.spike_trains`` a row
    packed_starts, packed_stops : ragged, the row's windows, seconds as :func:`pack` packs them, in any order
    returns : ragged of (window_index, spike_index, spike_time), indices from 0 into the row's lists, spike_time in s
    """
    starts, stops = unpack(packed_starts), unpack(packed_stops)
    trains = looked_up(held, session_id, time_block, unit_id)
    rows = np.repeat(np.arange(len(starts)), starts.lengths)
    if len(rows) > _MANY_WINDOWS * len(starts):  # then they are sought train by train
        both = [np.searchsorted(trains.seconds(i), (starts[i], stops[i])) for i in range(len(starts))]
        first, last = np.concatenate(both, axis=1)
    else:
        first, last = trains.earlier(rows, starts.values), trains.earlier(rows, stops.values)
    counts = np.maximum(last - first, 0)
    begin = np.cumsum(counts) - counts
    index = np.arange(counts.sum()) + np.repeat(first - begin, counts)
    window = np.arange(len(rows)) - starts.offsets[rows]
    values = {
        "window_index": np.repeat(window, counts).astype(np.int32),
        "spike_index": index.astype(np.int32),
        "spike_time": trains.seconds_at(np.repeat(rows, counts), index),
    }
    n_found = np.concatenate([[0], np.cumsum(counts)])[starts.offsets]
    return Ragged(values, n_found)  # type: ignore[arg-type]


@udf(
    args=[*_TRAIN, _BLOB, _BLOB, pa.int32(), _BLOB, pa.bool_()],
    returns=pa.list_(pa.list_(pa.int32())),
    held=TRAINS,
)
def count_spikes_around_events(
    held: Sessions,
    session_id: np.ndarray,
    time_block: np.ndarray,
    unit_id: np.ndarray,
    packed_events: Ragged,
    packed_groups: Ragged,
    n_groups: np.ndarray,
    packed_edges: Ragged,
    closed: np.ndarray,
) -> Ragged:
    """Spikes of each train in bins around events, summed over the events of a group.

    Bin b of an event is [event + edges[b], event + edges[b + 1]), or closed at both ends (as the reference's
    histogram, OD-14: a spike on an inner edge counts twice).

    session_id, time_block, unit_id : (rows,) one train of ``ecephys.spike_trains`` a row
    packed_events : ragged, s; packed_groups : ragged, the group of each event, 0 ... n_groups - 1
    packed_edges : ragged, s from the event, ascending, the same in every row of a call
    returns : ragged of ragged int32, for each row a list of n_groups lists of n_bins counts
    """
    events, groups, edges = unpack(packed_events), unpack(packed_groups), unpack(packed_edges)
    grid = edges[0] if len(edges) else np.empty(0)
    n_bins = max(len(grid) - 1, 0)
    group_of = groups.values.astype(np.int64)
    first_group = np.concatenate([[0], np.cumsum(n_groups, dtype=np.int64)])
    counts = np.zeros((first_group[-1], n_bins), np.int32)
    trains = looked_up(held, session_id, time_block, unit_id)
    fast = compiled(_bin_all) if len(group_of) * n_bins > WORTH_COMPILING else None
    if fast:
        ticks, times = trains.ticks, trains.times
        fast(
            ticks.values, ticks.offsets, trains.rate, trains.shift, times.values, times.offsets,
            events.values, events.offsets, group_of, grid, closed.astype(np.bool_), counts, first_group,
        )  # fmt: skip
    else:
        for row in range(len(events)):
            at, train = events[row][:, None] + grid, trains.seconds(row)
            first = np.searchsorted(train, at[:, :-1])
            last = np.searchsorted(train, at[:, 1:], side="right" if closed[row] else "left")
            into = first_group[row] + group_of[events.offsets[row] : events.offsets[row + 1]]
            np.add.at(counts, into, (last - first).astype(np.int32))
    rows = Ragged(counts.ravel(), np.arange(len(counts) + 1, dtype=np.int64) * n_bins)
    return Ragged(rows, first_group)  # type: ignore[arg-type]


# For numba. A pointer that moves from where the last edge was found beats a search from scratch, as events come nearly
# in order; it may move back, so any order is exact.


def _bin_all(  # type: ignore[no-untyped-def]
    ticks,
    tick_offsets,
    rate,
    shift,
    times,
    time_offsets,
    events,
    event_offsets,
    groups,
    grid,
    closed,
    counts,
    first_group,
):
    n_bins = len(grid) - 1
    longest = 0
    for row in range(len(tick_offsets) - 1):
        longest = max(longest, tick_offsets[row + 1] - tick_offsets[row])
        longest = max(longest, time_offsets[row + 1] - time_offsets[row])
    train = np.empty(longest, np.float64)
    for row in range(len(tick_offsets) - 1):
        n = tick_offsets[row + 1] - tick_offsets[row]
        if n > 0:
            for i in range(n):
                train[i] = ticks[tick_offsets[row] + i] / rate[row] - shift[row]
        else:
            n = time_offsets[row + 1] - time_offsets[row]
            for i in range(n):
                train[i] = times[time_offsets[row] + i]
        first = 0
        for e in range(event_offsets[row], event_offsets[row + 1]):
            while first < n and train[first] < events[e] + grid[0]:
                first += 1
            while first > 0 and train[first - 1] >= events[e] + grid[0]:
                first -= 1
            here = first
            into = first_group[row] + groups[e]
            for b in range(n_bins):
                stop = events[e] + grid[b + 1]
                until = here
                while until < n and train[until] < stop:
                    until += 1
                after = until
                if closed[row]:
                    while after < n and train[after] == stop:
                        after += 1
                counts[into, b] += after - here
                here = until
