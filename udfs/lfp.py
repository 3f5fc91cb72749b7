"""Samples around events: which they are, and what they sum to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from .registry import Ragged, udf

_doubles, _longs = pa.list_(pa.float64()), pa.list_(pa.int64())


@udf(args=[_doubles, pa.float64(), _doubles], returns=_longs, nulls=True)
def nearest_samples(timestamps: Ragged, next_start: np.ndarray, times: Ragged) -> Ragged:
    """Index of the sample nearest to each time; of two equally near, the earlier.

    timestamps : ragged (s), ascending, one row a chunk of samples
    next_start : (rows,) first time stamp of the chunk that follows, NaN where none does; its sample has index
        ``len(timestamps[i])``
    times : ragged (s), one row a chunk
    returns : ragged int64, as ``times``; -1 before the first and after the last sample by more than a sample
    """
    rows = []
    for stamps, following, wanted in zip(timestamps, next_start, times, strict=True):
        known = stamps if np.isnan(following) else np.append(stamps, following)
        if not len(known):
            rows.append(np.full(len(wanted), -1))
            continue
        right = np.searchsorted(known, wanted).clip(1, max(len(known) - 1, 1))
        left = right - 1
        right = np.minimum(right, len(known) - 1)
        index = np.where(wanted - known[left] <= known[right] - wanted, left, right)
        step = (known[-1] - known[0]) / max(len(known) - 1, 1)
        outside = (wanted < known[0] - step) | (wanted > known[-1] + step) | np.isnan(wanted)
        rows.append(np.where(outside, -1, index))
    return Ragged.of(rows, np.int64)


@udf(args=[_doubles, _doubles, _doubles], returns=_longs)
def samples_within(timestamps: Ragged, starts: Ragged, stops: Ragged) -> Ragged:
    """Ranges of samples that lie in closed intervals: first, end (exclusive), first, end ...

    timestamps : ragged (s), ascending; starts, stops : ragged (s), an interval each
    returns : ragged int64, two values an interval that holds a sample
    """
    rows = []
    for stamps, first, last in zip(timestamps, starts, stops, strict=True):
        low, high = np.searchsorted(stamps, first, "left"), np.searchsorted(stamps, last, "right")
        rows.append(np.column_stack([low, high])[high > low].ravel())
    return Ragged.of(rows, np.int64)


def _values(counts: np.ndarray, scale: float, samples: np.ndarray, masked: np.ndarray) -> np.ndarray:
    """A chunk's samples in volts, as float64 of the float32 that was recorded; NaN where masked."""
    values = samples if np.isnan(scale) else (counts * scale).astype(np.float32)
    values = values.astype(np.float64)
    for low, high in masked.reshape(-1, 2):
        values[low:high] = np.nan
    return values


@udf(
    args=[pa.list_(pa.int32()), pa.float64(), pa.list_(pa.float32()), _longs, _longs, pa.int64(), pa.int64()],
    returns=pa.list_(pa.struct([("total", pa.float64()), ("n", pa.int64())])),
    nulls=True,
)
def sum_around(
    counts: Ragged,
    scale: np.ndarray,
    samples: Ragged,
    masked: Ragged,
    at: Ragged,
    before: np.ndarray,
    after: np.ndarray,
) -> Ragged:
    """Sum and number of a chunk's samples at each offset from some of its (or its neighbours') samples.

    counts, scale, samples : a chunk as ecephys.lfp_chunks holds it (V)
    masked : ragged, ranges of samples to leave out (see :func:`samples_within`)
    at : ragged, samples of the events relative to the chunk's first one; may lie outside of the chunk
    before, after : offsets run from ``-before`` to ``after``
    returns : ragged, ``before + after + 1`` structs (total, n) a row; samples outside of the chunk do not count
    """
    totals, numbers, lengths = [], [], []
    for i, events in enumerate(at):
        values = _values(counts[i], scale[i], samples[i], masked[i])
        low, high = int(before[i]), int(after[i])
        valid = ~np.isnan(values)
        width = low + high + 1
        total, number = np.zeros(width), np.zeros(width, dtype=np.int64)
        clean = np.where(valid, values, 0.0)
        for event in events:
            first, last = max(event - low, 0), min(event + high + 1, len(values))
            if first < last:
                into = slice(first - event + low, last - event + low)
                total[into] += clean[first:last]
                number[into] += valid[first:last]
        totals.append(total)
        numbers.append(number)
        lengths.append(width)
    return _structs({"total": totals, "n": numbers}, lengths)


@udf(
    args=[pa.list_(pa.int32()), pa.float64(), pa.list_(pa.float32()), _longs, _longs, pa.int64(), pa.int64()],
    returns=pa.list_(pa.struct([("event", pa.int64()), ("offset", pa.int64()), ("value", pa.float32())])),
    nulls=True,
)
def take_around(
    counts: Ragged,
    scale: np.ndarray,
    samples: Ragged,
    masked: Ragged,
    at: Ragged,
    before: np.ndarray,
    after: np.ndarray,
) -> Ragged:
    """A chunk's samples around events, one struct a sample: number of the event in ``at``, offset, value (V).

    Arguments as :func:`sum_around`. Samples outside of the chunk are left out; masked ones are NULL.
    """
    numbers, offsets, taken, lengths = [], [], [], []
    for i, events in enumerate(at):
        values = _values(counts[i], scale[i], samples[i], masked[i])
        row = 0
        for number, event in enumerate(events):
            first, last = max(event - int(before[i]), 0), min(event + int(after[i]) + 1, len(values))
            if first < last:
                numbers.append(np.full(last - first, number))
                offsets.append(np.arange(first, last) - event)
                taken.append(values[first:last])
                row += last - first
        lengths.append(row)
    return _structs({"event": numbers, "offset": offsets, "value": taken}, lengths)


def _structs(columns: dict[str, list[np.ndarray]], lengths: list[int]) -> Ragged:
    joined: dict[str, Any] = {
        name: np.concatenate(pieces) if pieces else np.empty(0, dtype=np.int64 if name != "value" else np.float32)
        for name, pieces in columns.items()
    }
    return Ragged(joined, np.concatenate([[0], np.cumsum(lengths, dtype=np.int64)]))  # type: ignore[arg-type]
