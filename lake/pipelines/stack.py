"""Sums of sections where they lie, kept in a file: those of a brain at full size take 7 GB (spec: connectivity GRD-10)."""

from __future__ import annotations

import contextlib
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from ...udfs.resampling import interpolated
from ..errors import BrainlakeError

MARGIN = 16  # columns beside what was asked for, as the next plane asks for the next ones
_FLOAT = np.dtype(np.float32)


class SectionStack:
    """A volume ``[column, row, section, accumulator]`` of float32, written section by section, read column by column.

    Sections are coronal and planes of the reference space sagittal, so that a plane lies in a slab of some columns: that
    slab is what memory holds. Nothing is written of a section that does not come: it is 0.

    folder : where the file lies; it has no name, and is gone with the process
    spacing : um, along column, row and section; the first pixel's corner is the origin of columns and rows (GRD-10)

    Raises BrainlakeError where it cannot be written there, or there is no room for it.
    """

    def __init__(self, folder: Path, shape: tuple[int, int, int, int], spacing: tuple[float, float, float]) -> None:
        self.shape, self._folder = shape, folder
        self._spacing = np.asarray(spacing)
        self._origin = np.array([spacing[0] / 2, spacing[1] / 2, 0.0])
        with self._writing():
            folder.mkdir(parents=True, exist_ok=True)
            self._file = tempfile.TemporaryFile(dir=folder)  # noqa: SIM115 - it is open for as long as the stack is
            self._file.truncate(int(np.prod(shape)) * _FLOAT.itemsize)
        self._slab = 0, np.empty((0, *shape[1:]), _FLOAT)  # its first column, and values
        self._changing = threading.Lock()

    def close(self) -> None:
        self._file.close()

    def put(self, section: int, accumulator: int, plane: np.ndarray) -> None:
        """Keep the sums of a section, ``[column, row]``."""
        with self._writing():
            self._file.seek(self._offset(section, accumulator))
            self._file.write(plane.astype(_FLOAT).tobytes())
            self._file.flush()

    @contextlib.contextmanager
    def _writing(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            reason = error.strerror or error
            raise BrainlakeError(f"{self._folder}: the stack of sections cannot be written: {reason}") from None

    def at(self, points: np.ndarray) -> np.ndarray:
        """Trilinear values at ``(n, 3)`` points (um), float32 ``[accumulator, n]``; outside 0 (GRD-11)."""
        index = ((points - self._origin) / self._spacing).T
        n_columns = self.shape[0]
        column = index[0]
        reached = column[(column >= -0.5) & (column < n_columns - 0.5)]
        if not len(reached):
            return np.zeros((self.shape[3], len(points)), _FLOAT)
        low = max(int(reached.min()), 0)
        first, slab = self._columns(low, min(int(reached.max()) + 2, n_columns))
        # What is outside of the stack stays outside of the slab: beyond its last column, or half a column before its first.
        index[0] = np.where((column >= -0.5) & (column < n_columns - 0.5), column - first, -1.0)
        return interpolated(slab, index, np.float32).T

    def _columns(self, low: int, high: int) -> tuple[int, np.ndarray]:
        """A slab that holds these columns, and the number of its first."""
        with self._changing:
            first, slab = self._slab
            if not (first <= low and high <= first + len(slab)):
                start, stop = max(low - MARGIN, 0), min(high + MARGIN, self.shape[0])
                self._slab = start, self._read(start, stop, first, slab)
            return self._slab

    def _read(self, start: int, stop: int, first: int, have: np.ndarray) -> np.ndarray:
        """Columns from ``start`` to before ``stop``, those of another slab copied from there."""
        slab = np.empty((stop - start, *self.shape[1:]), _FLOAT)
        low, high = max(start, first), min(stop, first + len(have))
        if low < high:
            slab[low - start : high - start] = have[low - first : high - first]
            missing = [(start, low), (high, stop)]
        else:
            missing = [(start, stop)]
        for a, b in missing:
            if a < b:
                self._read_into(slab[a - start : b - start], a)
        return slab

    def _read_into(self, slab: np.ndarray, start: int) -> None:
        n_rows = self.shape[1]
        plane = np.empty((len(slab), n_rows), _FLOAT)
        for section in range(self.shape[2]):
            for accumulator in range(self.shape[3]):
                self._file.seek(self._offset(section, accumulator) + start * n_rows * _FLOAT.itemsize)
                self._file.readinto(plane.data)
                slab[:, :, section, accumulator] = plane

    def _offset(self, section: int, accumulator: int) -> int:
        n_columns, n_rows, _, n_accumulators = self.shape
        return (section * n_accumulators + accumulator) * n_columns * n_rows * _FLOAT.itemsize
