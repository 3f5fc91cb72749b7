"""Spikes and windows of time: counted, found, and binned around events.

A train comes as clock ticks (``tick / rate - shift`` seconds) or as seconds; one of the two lists is empty. Times are
compared as float64 seconds, computed as the ``spike_time`` of SQL is, so that a spike on an edge falls on the same
side everywhere. Windows are half-open, [start, stop), in any order, overlapping or not; for other edges, move an
edge by one unit in the last place: (start, stop] is [nextafter(start), nextafter(stop)).
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from .compiling import WORTH_COMPILING, compiled
from .registry import Ragged, udf

_BLOB = pa.binary()
_TICKS, _SECONDS, _RATE = pa.list_(pa.int64()), pa.list_(pa.float64()), pa.float64()
_TRAIN = [_TICKS, _RATE, _RATE, _SECONDS]
_COUNTED = pa.struct([("inside", pa.list_(pa.int32())), ("crossing", pa.list_(pa.int32()))])
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


@udf(args=[*_TRAIN, _BLOB, _BLOB, pa.int64()], returns=_COUNTED, nulls=True)
def count_spikes_in_windows(
    ticks: Ragged,
    rate: np.ndarray,
    shift: np.ndarray,
    times: Ragged,
    packed_starts: Ragged,
    packed_stops: Ragged,
    n_inside: np.ndarray,
) -> dict[str, Ragged]:
    """Spikes of each train in each of its windows [start, stop).

    ticks, times : ragged, one row a train, ascending; ticks of a clock or seconds, the other empty
    rate, shift : (rows,) Hz, s; NaN where times are given
    packed_starts, packed_stops : ragged, one row a train, seconds as :func:`pack` packs them
    n_inside : (rows,) the first so many windows are counted in `inside`, the others in `crossing`
    returns : two ragged int32, `inside` and `crossing`, in the order of the windows; 0 where stop <= start
    """
    starts, stops = unpack(packed_starts), unpack(packed_stops)
    n_inside = np.minimum(n_inside.astype(np.int64, copy=False), starts.lengths)
    inside, crossing = _zeros(n_inside), _zeros(starts.lengths - n_inside)
    fast = compiled(_count_all) if len(starts.values) > WORTH_COMPILING else None
    if fast:
        fast(
            ticks.values.astype(np.int64, copy=False), ticks.offsets, rate, shift, times.values, times.offsets,
            starts.values, stops.values, starts.offsets,
            inside.values, inside.offsets, crossing.values, crossing.offsets,
        )  # fmt: skip
    else:
        for row, train in enumerate(_seconds(ticks, rate, shift, times)):
            first, last = np.searchsorted(train, starts[row]), np.searchsorted(train, stops[row])
            counts = np.maximum(last - first, 0)
            inside[row][:], crossing[row][:] = counts[: n_inside[row]], counts[n_inside[row] :]
    return {"inside": inside, "crossing": crossing}


def _zeros(lengths: np.ndarray) -> Ragged:
    offsets = np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)])
    return Ragged(np.zeros(offsets[-1], np.int32), offsets)


@udf(args=[*_TRAIN, _BLOB, _BLOB], returns=_FOUND, nulls=True)
def find_spikes_in_windows(
    ticks: Ragged, rate: np.ndarray, shift: np.ndarray, times: Ragged, packed_starts: Ragged, packed_stops: Ragged
) -> Ragged:
    """The spikes themselves: for each train and window [start, stop), which spikes fall in it.

    Arguments as of :func:`count_spikes_in_windows`.

    returns : ragged of (window_index, spike_index, spike_time), indices from 0 into the row's lists, spike_time in s
    """
    starts, stops = unpack(packed_starts), unpack(packed_stops)
    windows, spikes, seconds, n_found = [], [], [], [0]
    for row, train in enumerate(_seconds(ticks, rate, shift, times)):
        first, last = np.searchsorted(train, starts[row]), np.searchsorted(train, stops[row])
        counts = np.maximum(last - first, 0)
        n = int(counts.sum())
        begin = np.cumsum(counts) - counts
        index = np.arange(n) + np.repeat(first - begin, counts)
        windows.append(np.repeat(np.arange(len(counts), dtype=np.int32), counts))
        spikes.append(index.astype(np.int32))
        seconds.append(train[index])
        n_found.append(n_found[-1] + n)
    values = {
        "window_index": np.concatenate(windows) if windows else np.empty(0, np.int32),
        "spike_index": np.concatenate(spikes) if spikes else np.empty(0, np.int32),
        "spike_time": np.concatenate(seconds) if seconds else np.empty(0),
    }
    return Ragged(values, np.asarray(n_found, np.int64))  # type: ignore[arg-type]


@udf(
    args=[*_TRAIN, _BLOB, _BLOB, pa.int32(), _BLOB, pa.bool_()],
    returns=pa.list_(pa.list_(pa.int32())),
    nulls=True,
)
def count_spikes_around_events(
    ticks: Ragged,
    rate: np.ndarray,
    shift: np.ndarray,
    times: Ragged,
    packed_events: Ragged,
    packed_groups: Ragged,
    n_groups: np.ndarray,
    packed_edges: Ragged,
    closed: np.ndarray,
) -> Ragged:
    """Spikes of each train in bins around events, summed over the events of a group.

    Bin b of an event is [event + edges[b], event + edges[b + 1]), or closed at both ends (as the reference's
    histogram, OD-14: a spike on an inner edge counts twice).

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
    fast = compiled(_bin_all) if len(group_of) * n_bins > WORTH_COMPILING else None
    if fast:
        fast(
            ticks.values.astype(np.int64, copy=False), ticks.offsets, rate, shift, times.values, times.offsets,
            events.values, events.offsets, group_of, grid, closed.astype(np.bool_), counts, first_group,
        )  # fmt: skip
    else:
        for row, train in enumerate(_seconds(ticks, rate, shift, times)):
            at = events[row][:, None] + grid
            first = np.searchsorted(train, at[:, :-1])
            last = np.searchsorted(train, at[:, 1:], side="right" if closed[row] else "left")
            into = first_group[row] + group_of[events.offsets[row] : events.offsets[row + 1]]
            np.add.at(counts, into, (last - first).astype(np.int32))
    rows = Ragged(counts.ravel(), np.arange(len(counts) + 1, dtype=np.int64) * n_bins)
    return Ragged(rows, first_group)  # type: ignore[arg-type]


def _seconds(ticks: Ragged, rate: np.ndarray, shift: np.ndarray, times: Ragged) -> Iterator[np.ndarray]:
    """Each train in seconds."""
    for row in range(len(ticks)):
        train = ticks[row]
        yield train / rate[row] - shift[row] if len(train) else times[row]


# Loops for numba. A pointer that moves from where the last edge was found beats a search from scratch, as windows
# come nearly in order; it may move back, so any order is exact. Infinity ends each train, so that the pointer needs
# no other check on its way forward.


def _count_all(  # type: ignore[no-untyped-def]
    ticks,
    tick_offsets,
    rate,
    shift,
    times,
    time_offsets,
    starts,
    stops,
    offsets,
    inside,
    inside_offsets,
    crossing,
    crossing_offsets,
):
    longest = 0
    for row in range(len(tick_offsets) - 1):
        longest = max(longest, tick_offsets[row + 1] - tick_offsets[row])
        longest = max(longest, time_offsets[row + 1] - time_offsets[row])
    train = np.empty(longest + 1, np.float64)
    for row in range(len(tick_offsets) - 1):
        n = tick_offsets[row + 1] - tick_offsets[row]
        if n > 0:
            for i in range(n):
                train[i] = ticks[tick_offsets[row] + i] / rate[row] - shift[row]
        else:
            n = time_offsets[row + 1] - time_offsets[row]
            for i in range(n):
                train[i] = times[time_offsets[row] + i]
        train[n] = np.inf
        n_inside = inside_offsets[row + 1] - inside_offsets[row]
        first, last = 0, 0
        for w in range(offsets[row + 1] - offsets[row]):
            start, stop = starts[offsets[row] + w], stops[offsets[row] + w]
            while first > 0 and train[first - 1] >= start:
                first -= 1
            while last > 0 and train[last - 1] >= stop:
                last -= 1
            while train[first] < start:
                first += 1
            while train[last] < stop:
                last += 1
            if w < n_inside:
                inside[inside_offsets[row] + w] = max(last - first, 0)
            else:
                crossing[crossing_offsets[row] + w - n_inside] = max(last - first, 0)


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
