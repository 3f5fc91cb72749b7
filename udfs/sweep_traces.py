"""Samples of sweeps, plain or in the form they are packed in (docs/sweep-layout.md).

Packed samples are little-endian numbers, first the lowest byte of all of them, then the next byte of all of them ...:
uint16 steps of a digitiser where a table of levels tells what each became, else the float32 samples themselves.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from .compiling import when_compiling
from .registry import Ragged, udf
from .working_memory import empty

_BLOCK = 1 << 15  # samples unpacked at once, few enough to stay in the processor's cache
_FEW = 1 << 12  # samples that are there before a table of every step is made
_levels, _samples = pa.list_(pa.float64()), pa.list_(pa.float32())

# What a kernel takes as samples of sweeps, any of these. Packed they are half the size, and unpacked where looked at only.
SAMPLES = pa.sparse_union(
    [
        pa.field("plain", _samples),
        pa.field("exact", pa.list_(pa.float64())),
        pa.field("packed", pa.struct([("bytes", pa.binary()), ("levels", _levels)])),
    ]
)


Samples = Ragged | dict[str, Ragged]  # a column of them: of lists, or packed


class PackedSamples:
    """Samples of one sweep, unpacked where they are looked at: an array of float32 in all that is read of it.

    packed : (n bytes,) uint8; levels : the value of each step; empty where samples are packed as they are
    """

    def __init__(self, packed: np.ndarray, levels: np.ndarray) -> None:
        n = len(packed) // (2 if len(levels) else 4)
        planes = len(packed) // n if n else 4
        self._planes = packed[: n * planes].reshape(planes, n)
        self._levels = levels.astype(np.float32)

    @property
    def shape(self) -> tuple[int]:
        return (self._planes.shape[1],)

    def __len__(self) -> int:
        return self._planes.shape[1]

    def __getitem__(self, at: Any) -> Any:
        """Samples at indexes; of a slice, which stays packed."""
        planes = self._planes[:, at]
        if isinstance(at, slice):
            part = PackedSamples.__new__(PackedSamples)
            part._planes, part._levels = planes, self._levels
            return part
        found = np.empty(planes[0].shape, np.float32)
        _unpack(planes.reshape(len(planes), -1), self._levels, found.reshape(-1))
        return found if found.ndim else found[()]

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> np.ndarray:
        found = np.empty(len(self), np.float32)
        self.unpack_into(found)
        return found if dtype is None else found.astype(dtype, copy=False)

    def unpack_into(self, found: np.ndarray) -> None:
        """All samples, into an array of float32."""
        _unpack(self._planes, self._levels, found)

    def times(self, factor: float) -> np.ndarray:
        """All samples, times a factor, in double precision."""
        if not len(self._levels):
            return np.asarray(self) * np.float64(factor)
        found = empty(len(self))
        _unpack(self._planes, self._levels * np.float64(factor), found)
        return found


def samples_at(column: Samples, row: int) -> np.ndarray | PackedSamples:
    """Samples of one row of a column of :data:`SAMPLES`."""
    return PackedSamples(column["bytes"][row], column["levels"][row]) if isinstance(column, dict) else column[row]


@udf(args=[pa.binary(), _levels], returns=_samples, keep_nan=True)
def unpacked_samples(packed: Ragged, levels: Ragged) -> Ragged:
    """All samples of sweeps, in single precision (NW-8).

    packed : ragged bytes, one row a sweep
    levels : ragged, the value of each step (V or A); empty where samples are packed as they are
    returns : ragged float32 (V or A)
    """
    return _unpacked([PackedSamples(*row) for row in zip(packed, levels, strict=True)])


@udf(args=[pa.binary(), _levels, pa.int64(), pa.int64()], returns=_samples, keep_nan=True)
def unpacked_samples_between(packed: Ragged, levels: Ragged, first: np.ndarray, end: np.ndarray) -> Ragged:
    """Samples first, ..., end - 1 of sweeps, in single precision; no more than there are.

    packed, levels : as :func:`unpacked_samples` takes them
    first, end : of each row, from 0
    returns : ragged float32 (V or A)
    """
    rows = zip(packed, levels, np.maximum(first, 0).tolist(), np.maximum(end, 0).tolist(), strict=True)
    return _unpacked([PackedSamples(p, x)[a:b] for p, x, a, b in rows])


def _unpacked(rows: list[PackedSamples]) -> Ragged:
    offsets = np.cumsum([0, *map(len, rows)], dtype=np.int64)
    samples = np.empty(offsets[-1], np.float32)
    for row, start, stop in zip(rows, offsets[:-1].tolist(), offsets[1:].tolist(), strict=True):
        row.unpack_into(samples[start:stop])
    return Ragged(samples, offsets)


def _unpack(planes: np.ndarray, levels: np.ndarray, found: np.ndarray) -> None:
    """(2 or 4, n) bytes of samples into (n,): ``levels[steps]`` where there are levels, else float32."""
    if not len(levels):
        bytes_of = found.view(np.uint8).reshape(-1, 4)
        for k, plane in enumerate(planes):
            bytes_of[:, k] = plane
    elif len(found) < _FEW:
        found[:] = levels[np.minimum(planes[0] | planes[1].astype(np.uint16) << 8, len(levels) - 1)]
    elif len(found) >= _BLOCK and (loop := when_compiling(_look_up)):
        loop(planes[0], planes[1], levels, found)
    else:
        _look_up_in_blocks(planes, levels, found)


def _look_up(low, high, levels, found):  # type: ignore[no-untyped-def]
    """``found = levels[low + 256 * high]``; a step beyond the last level is the last."""
    last = len(levels) - 1
    for k in range(len(found)):
        found[k] = levels[min(np.int64(low[k]) | (np.int64(high[k]) << 8), last)]


def _look_up_in_blocks(planes: np.ndarray, levels: np.ndarray, found: np.ndarray) -> None:
    """The same without numba, a block at a time; a stimulus is constant in most of them."""
    of_every_step = np.full(1 << 16, levels[-1])
    of_every_step[: len(levels)] = levels
    steps = np.empty(min(_BLOCK, len(found)), np.uint16)
    for at in range(0, len(found), _BLOCK):
        low, high = planes[:, at : at + _BLOCK]
        target = found[at : at + _BLOCK]
        if (low == low[0]).all() and (high == high[0]).all():
            target.fill(of_every_step[int(low[0]) | int(high[0]) << 8])
            continue
        block = steps[: len(low)]
        np.left_shift(high, 8, out=block, dtype=np.uint16, casting="unsafe")
        np.bitwise_or(block, low, out=block)
        np.take(of_every_step, block, out=target, mode="wrap")  # the fastest, and nothing lies beyond
