"""Room for what a file holds in another order than the lake: memory as far as allowed, then a temporary file."""

from __future__ import annotations

import os
import tempfile
from bisect import bisect_right
from types import TracebackType
from typing import IO

import numpy as np

MEMORY_BUDGET = 192 << 20  # bytes


class Spool:
    """An append-only vector, in memory up to a budget and in an anonymous temporary file beyond."""

    def __init__(self, dtype: type[np.generic], budget: int = MEMORY_BUDGET) -> None:
        self.dtype, self.budget = np.dtype(dtype), budget
        self.length = 0
        self._kept: list[np.ndarray] = []
        self._starts: list[int] = []
        self._file: IO[bytes] | None = None
        self._in_memory = 0  # elements

    def append(self, values: np.ndarray) -> int:
        """Add values; returns where they start."""
        start = self.length
        values = np.ascontiguousarray(values, self.dtype).ravel()
        if self._file is None and (start + len(values)) * self.dtype.itemsize <= self.budget:
            self._kept.append(values)
            self._starts.append(start)
            self._in_memory += len(values)
        else:
            if self._file is None:
                self._file = tempfile.TemporaryFile(prefix="brainlake-", buffering=0)  # noqa: SIM115 - closed by close()
            left = memoryview(values.data).cast("B")
            while left:
                left = left[self._file.write(left) :]
        self.length += len(values)
        return start

    def read(self, start: int, stop: int) -> np.ndarray:
        """Values of a range."""
        values = np.empty(max(stop - start, 0), self.dtype)
        self.read_into(values, start)
        return values

    def read_into(self, values: np.ndarray, start: int) -> None:
        """Fill an array with the values from a place on. Several threads may read at once."""
        done, stop = 0, start + len(values)
        while start + done < min(stop, self._in_memory):
            at = bisect_right(self._starts, start + done) - 1
            begin = start + done - self._starts[at]
            found = self._kept[at][begin : begin + len(values) - done]
            values[done : done + len(found)] = found
            done += len(found)
        left = memoryview(values[done:].data).cast("B")
        offset = (start + done - self._in_memory) * self.dtype.itemsize
        while left:
            assert self._file is not None
            n = os.preadv(self._file.fileno(), [left], offset)
            if not n:
                raise OSError("a temporary file is shorter than what was written to it")
            left, offset = left[n:], offset + n

    def __enter__(self) -> Spool:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        if self._file is not None:
            self._file.close()
        self._kept.clear()
