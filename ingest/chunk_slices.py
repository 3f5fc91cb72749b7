"""Long compressed lists of numbers, decompressed by several threads.

Nearly all of an ingest's time goes into inflating chunks, which the HDF5 library does one at a time. Where the chunks
of a one-dimensional dataset lie in the file can be asked for; threads then read and inflate them outside Python's
lock: by libdeflate where it is installed (extra ``fast``), which takes two thirds of zlib's time.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any

import h5py
import numpy as np
from numpy.typing import DTypeLike

from .ahead import n_threads
from .hdf5 import Dataset


def _inflater() -> Callable[[bytes, int], bytes | bytearray]:
    try:
        from deflate import zlib_decompress
    except ImportError:
        import zlib

        # bounded, as a damaged chunk may claim any length
        return lambda chunk, size: zlib.decompressobj().decompress(chunk, size + 1)
    inflate: Callable[[bytes, int], bytes | bytearray] = zlib_decompress  # refuses more bytes than it is told
    return inflate


_inflate_one = _inflater()
_WORTH_IT = 1 << 20  # bytes in memory of a list that several threads take
_TASK = 1 << 20  # bytes that a thread inflates in a row
_AHEAD = 2  # slices inflated before they are asked for
_DEFLATE, _SHUFFLE = h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE


def slices(
    data: Dataset, rows: int, *, dtype: DTypeLike | None = None, threads: int | None = None
) -> Iterator[tuple[int, np.ndarray]]:
    """(first row, values) of a list of numbers, ``rows`` at a time, as ``dtype`` (by default as stored).

    Where the list is not deflated, is short, or ``rows`` would cut its chunks, it is read the ordinary way.
    """
    threads = threads or n_threads()
    stored = _inflatable(data, rows) if threads > 1 else None
    if stored is None:
        for start in range(0, len(data), rows):
            values = data[start : start + rows]
            yield start, values if dtype is None else values.astype(dtype, copy=False)
        return
    with _Inflating(data, stored, dtype, threads) as inflating:
        ahead: deque[tuple[int, _Slice]] = deque()
        for start in range(0, len(data), rows):
            ahead.append((start, inflating.begin(start, min(start + rows, len(data)))))
            if len(ahead) > _AHEAD:
                first, begun = ahead.popleft()
                yield first, inflating.finish(begun)
        while ahead:
            first, begun = ahead.popleft()
            yield first, inflating.finish(begun)


def whole(data: Dataset, *, dtype: DTypeLike | None = None, threads: int | None = None) -> np.ndarray:
    """All values of a dataset, as ``dtype`` (by default as stored)."""
    stored = _inflatable(data, 0)
    if stored is None:
        values = data[()]
        return values if dtype is None else values.astype(dtype, copy=False)
    with _Inflating(data, stored, dtype, threads or n_threads()) as inflating:
        return inflating.finish(inflating.begin(0, len(data)))


def _inflatable(data: Dataset, rows: int) -> h5py.Dataset | None:
    """The stored dataset, where it is worth it and its chunks are known to be nothing but deflated numbers."""
    if data.ndim != 1 or not data.chunks or data.dtype.kind not in "fiu" or rows % data.chunks[0]:
        return None
    stored = data.file.item(data.path)
    if data.size * data.dtype.itemsize < _WORTH_IT or not isinstance(stored, h5py.Dataset):
        return None
    created = stored.id.get_create_plist()
    filters = [created.get_filter(i)[0] for i in range(created.get_nfilters())]
    # where chunks lie counts from the file's beginning or from the end of a block of the user's, by library's version
    is_plain = stored.file.userblock_size == 0 and filters in ([_DEFLATE], [_SHUFFLE, _DEFLATE])
    return stored if is_plain else None


@dataclass(frozen=True)
class _Slice:
    """Values being filled, and what to wait for."""

    values: np.ndarray
    waiting: list[Future[None]]


@dataclass(frozen=True)
class _Chunk:
    """Where a chunk lies in the file, and what it fills."""

    offset: int
    size: int
    target: np.ndarray


class _Inflating:
    """A list whose slices are filled by a pool of threads. A context manager."""

    def __init__(self, data: Dataset, stored: h5py.Dataset, dtype: DTypeLike | None, threads: int) -> None:
        assert data.chunks
        self._data, self._length, self._is_shuffled = data, data.chunks[0], bool(stored.shuffle)
        self._dtype = np.dtype(data.dtype.newbyteorder("=") if dtype is None else dtype)
        self._chunks: dict[int, Any] = {}
        with data.file.guarded(data.path):
            stored.id.chunk_iter(lambda info: self._chunks.__setitem__(info.chunk_offset[0], info))
            self._file = os.open(data.file.source.path, os.O_RDONLY)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="inflate")

    def __enter__(self) -> _Inflating:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self._pool.shutdown(cancel_futures=True)
        os.close(self._file)

    def begin(self, start: int, stop: int) -> _Slice:
        """A slice, which begins with a chunk."""
        values, waiting = np.empty(stop - start, self._dtype), []
        task: list[_Chunk] = []
        for at in range(start, stop, self._length):
            target = values[at - start : at - start + self._length]
            info = self._chunks.get(at)
            if info is None or info.filter_mask:  # never written, or not deflated: the library knows what stands there
                target[...] = self._data[at : at + len(target)]
                continue
            task.append(_Chunk(info.byte_offset, info.size, target))
            if len(task) * self._length * self._data.dtype.itemsize >= _TASK:
                waiting.append(self._pool.submit(self._inflate, task))
                task = []
        if task:
            waiting.append(self._pool.submit(self._inflate, task))
        return _Slice(values, waiting)

    def finish(self, begun: _Slice) -> np.ndarray:
        with self._data.file.guarded(self._data.path):
            for one in begun.waiting:
                one.result()
        return begun.values

    def _inflate(self, task: list[_Chunk]) -> None:
        stored = self._data.dtype
        size = self._length * stored.itemsize
        for chunk in task:
            if chunk.offset + chunk.size > self._data.file.size:
                raise ValueError(
                    f"a chunk of {chunk.size:,} bytes at byte {chunk.offset:,} reaches past the file's end"
                )
            try:
                content = _inflate_one(os.pread(self._file, chunk.size, chunk.offset), size)
            except Exception as error:  # each library has its own
                raise ValueError(f"a chunk cannot be decompressed: {error}") from None
            if len(content) != size:
                raise ValueError(f"a chunk holds {len(content):,} bytes instead of {size:,}")
            if self._is_shuffled:
                content = np.frombuffer(content, np.uint8).reshape(stored.itemsize, -1).T.tobytes()
            chunk.target[...] = np.frombuffer(content, stored)[: len(chunk.target)]
