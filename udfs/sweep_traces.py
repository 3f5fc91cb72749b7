"""Samples of sweeps out of the form they are packed in (docs/sweep-layout.md).

Packed samples are little-endian numbers, first the lowest byte of all of them, then the next byte of all of them ...:
uint16 steps of a digitiser where a table of levels tells what each became, else the float32 samples themselves.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from .registry import Ragged, udf

_BLOCK = 1 << 15  # samples unpacked at once, few enough to stay in the processor's cache
_levels, _samples = pa.list_(pa.float64()), pa.list_(pa.float32())


@udf(args=[pa.binary(), _levels], returns=_samples, keep_nan=True)
def unpacked_samples(packed: Ragged, levels: Ragged) -> Ragged:
    """All samples of sweeps, in single precision (NW-8).

    packed : ragged bytes, one row a sweep
    levels : ragged, the value of each step (V or A); empty where samples are packed as they are
    returns : ragged float32 (V or A)
    """
    n = np.array([_length(p, x) for p, x in zip(packed, levels, strict=True)], np.int64)
    return _unpacked(packed, levels, np.zeros(len(n), np.int64), n)


@udf(args=[pa.binary(), _levels, pa.int64(), pa.int64()], returns=_samples, keep_nan=True)
def unpacked_samples_between(packed: Ragged, levels: Ragged, first: np.ndarray, end: np.ndarray) -> Ragged:
    """Samples first, ..., end - 1 of sweeps, in single precision; no more than there are.

    packed, levels : as :func:`unpacked_samples` takes them
    first, end : of each row, from 0
    returns : ragged float32 (V or A)
    """
    n = np.array([_length(p, x) for p, x in zip(packed, levels, strict=True)], np.int64)
    start = np.clip(first, 0, n)
    return _unpacked(packed, levels, start, np.clip(end, start, n))


def _length(packed: np.ndarray, levels: np.ndarray) -> int:
    return len(packed) // (2 if len(levels) else 4)


def _unpacked(packed: Ragged, levels: Ragged, start: np.ndarray, stop: np.ndarray) -> Ragged:
    offsets = np.concatenate([[0], np.cumsum(stop - start)])
    samples = np.empty(offsets[-1], np.float32)
    for i, (row, of_row) in enumerate(zip(packed, levels, strict=True)):
        n = _length(row, of_row)
        planes = row[: n * (len(row) // n)].reshape(-1, n)[:, start[i] : stop[i]] if n else row[:0].reshape(4, 0)
        target = samples[offsets[i] : offsets[i + 1]]
        if len(of_row):
            _look_up(planes, of_row.astype(np.float32), target)
        else:
            bytes_of = target.view(np.uint8).reshape(-1, 4)
            for k, plane in enumerate(planes):
                bytes_of[:, k] = plane
    return Ragged(samples, offsets)


def _look_up(planes: np.ndarray, levels: np.ndarray, target: np.ndarray) -> None:
    """``target = levels[steps]``, a block at a time."""
    steps = np.empty(min(_BLOCK, len(target)), np.uint16)
    for at in range(0, len(target), _BLOCK):
        low, high = planes[:, at : at + _BLOCK]
        block = steps[: len(low)]
        np.left_shift(high, 8, out=block, dtype=np.uint16, casting="unsafe")
        np.bitwise_or(block, low, out=block)
        np.take(levels, block, out=target[at : at + _BLOCK], mode="clip")
