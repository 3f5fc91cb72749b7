"""Volumes of pipelines: read whole or a plane at a time, written a plane at a time."""

from __future__ import annotations

import contextlib
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import numpy as np

from ...ingest.contract import Source
from ...ingest.volume_files import Volume, open_volume
from ..volume_output import nrrd_header
from ..whole_files import whole_file


def volume_at(path: str | Path) -> Volume:
    """A volume in any format that the lake reads. Raises SourceError."""
    return open_volume(Source(Path(path), str(path)))


def planes_of(path: str | Path) -> Iterator[np.ndarray]:
    """Sagittal planes ``[dv, ap]`` from left to right; one is valid until the next is asked for."""
    return (plane for _, plane in volume_at(path).planes())


def whole(volume: Volume) -> np.ndarray:
    """``[ap, dv, ml]``, or ``[ap, dv, ml, component]``, a view of planes side by side."""
    n_ap, n_dv, n_ml = volume.header.shape
    parts = () if volume.header.n_components == 1 else (volume.header.n_components,)
    values = np.empty((n_ml, n_dv, n_ap, *parts), volume.header.dtype.newbyteorder("="))
    for index, plane in volume.planes():
        values[index] = plane
    return values.transpose(2, 1, 0, *range(3, values.ndim))


class NrrdWriter:
    """A NRRD file of float32, written sagittal plane by sagittal plane; it appears under its name when it is complete.

    shape, spacing : voxels and their edges (um) along ap, dv and ml
    """

    def __init__(self, path: Path, shape: Sequence[int], spacing: Sequence[float]) -> None:
        self.path, self.shape = path, tuple(shape)
        self._header = nrrd_header(shape, spacing, "f4")
        self._open = contextlib.ExitStack()

    def __enter__(self) -> Self:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        self._stream = self._open.enter_context(whole_file(self.path))
        self._stream.write(self._header)
        # level 1: packing is what a run waits for, and higher levels gain little on real numbers
        self._packer = zlib.compressobj(1, zlib.DEFLATED, zlib.MAX_WBITS | 16)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if kind is None:
            self._stream.write(self._packer.flush())
        self._open.__exit__(kind, error, at)

    def write(self, plane: np.ndarray) -> None:
        """The next plane, ``[dv, ap]``."""
        self._stream.write(self._packer.compress(plane.astype("<f4").tobytes()))
