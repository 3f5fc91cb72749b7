"""Room for what a file holds in another order than the lake: memory as far as allowed, then a temporary file."""

from __future__ import annotations

import tempfile
from bisect import bisect_right
from types import TracebackType
from typing import IO

import numpy as np

MEMORY_BUDGET = 256 << 20  # bytes


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
                self._file = tempfile.TemporaryFile(prefix="brainlake-")  # noqa: SIM115 - closed by close()
            self._file.write(values.data)
        self.length += len(values)
        return start

    def read(self, start: int, stop: int) -> np.ndarray:
        """Values of a range, as a view where one append holds them all."""
        parts = []
        while start < min(stop, self._in_memory):
            at = bisect_right(self._starts, start) - 1
            begin = start - self._starts[at]
            parts.append(self._kept[at][begin : begin + stop - start])
            start += len(parts[-1])
        if start < stop:
            assert self._file is not None
            self._file.seek((start - self._in_memory) * self.dtype.itemsize)
            parts.append(np.frombuffer(self._file.read((stop - start) * self.dtype.itemsize), self.dtype))
        return parts[0] if len(parts) == 1 else np.concatenate(parts or [np.empty(0, self.dtype)])

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
