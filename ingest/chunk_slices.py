"""Long compressed lists of numbers, decompressed by several threads.

Nearly all of an ingest's time goes into inflating chunks, which the HDF5 library does one at a time. The chunks of a
one-dimensional dataset can be had as they are stored, and inflated outside Python's lock: by ISA-L where it is
installed (extra ``fast``), which takes half of zlib's time.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

import h5py
import numpy as np

from .hdf5 import Dataset


def _inflater() -> Any:
    try:
        from isal import isal_zlib
    except ImportError:
        import zlib

        return zlib
    return isal_zlib


_zlib = _inflater()
_WORTH_IT = 8 << 20  # stored bytes of a list that is taken in slices
_WORTH_IT_WHOLE = 1 << 20  # bytes in memory of one that is taken whole
_TASK = 1 << 20  # bytes that a thread inflates in a row
_AHEAD = 2  # slices inflated before they are asked for
_DEFLATE, _SHUFFLE = h5py.h5z.FILTER_DEFLATE, h5py.h5z.FILTER_SHUFFLE


def slices(data: Dataset, rows: int, threads: int | None = None) -> Iterator[tuple[int, np.ndarray]]:
    """(first row, values) of a list of numbers, ``rows`` at a time.

    Where the list is not deflated, is short, or ``rows`` would cut its chunks, it is read the ordinary way.
    """
    threads = threads or _threads()
    stored = data.file.item(data.path)
    is_long = data.stored_bytes >= _WORTH_IT
    if threads < 2 or not is_long or not isinstance(stored, h5py.Dataset) or not _can_inflate(data, stored, rows):
        for start in range(0, len(data), rows):
            yield start, data[start : start + rows]
        return
    with ThreadPoolExecutor(threads, thread_name_prefix="inflate") as pool:
        ahead: deque[tuple[int, np.ndarray, list[Future[None]]]] = deque()
        for start in range(0, len(data), rows):
            ahead.append((start, *_inflated(data, stored, start, min(start + rows, len(data)), pool)))
            if len(ahead) > _AHEAD:
                yield _finished(data, *ahead.popleft())
        while ahead:
            yield _finished(data, *ahead.popleft())


def whole(data: Dataset, threads: int | None = None) -> np.ndarray:
    """All values of a dataset."""
    stored = data.file.item(data.path)
    is_long = data.size * data.dtype.itemsize >= _WORTH_IT_WHOLE
    if not is_long or not isinstance(stored, h5py.Dataset) or not _can_inflate(data, stored, 0):
        return data[()]
    with ThreadPoolExecutor(threads or _threads(), thread_name_prefix="inflate") as pool:
        return _finished(data, 0, *_inflated(data, stored, 0, len(data), pool))[1]


def _threads() -> int:
    return min(os.cpu_count() or 1, 4)


def _can_inflate(data: Dataset, stored: h5py.Dataset, rows: int) -> bool:
    if data.ndim != 1 or not data.chunks or data.dtype.kind not in "fiu":
        return False
    created = stored.id.get_create_plist()
    filters = [created.get_filter(i)[0] for i in range(created.get_nfilters())]
    return filters in ([_DEFLATE], [_SHUFFLE, _DEFLATE]) and rows % data.chunks[0] == 0


def _inflated(
    data: Dataset, stored: h5py.Dataset, start: int, stop: int, pool: ThreadPoolExecutor
) -> tuple[np.ndarray, list[Future[None]]]:
    """A slice being filled by the pool, and what to wait for."""
    assert data.chunks
    values, waiting = np.empty(stop - start, data.dtype.newbyteorder("=")), []
    how = data.dtype, data.chunks[0], bool(stored.shuffle)
    task: list[tuple[bytes, np.ndarray]] = []
    for at in range(start, stop, data.chunks[0]):
        target = values[at - start : at - start + data.chunks[0]]
        with data.file.guarded(data.path):
            try:
                skipped_filters, chunk = stored.id.read_direct_chunk((at,))
            except (RuntimeError, OSError, KeyError, ValueError):
                skipped_filters, chunk = 1, b""  # never written: the library knows what stands for it
        if skipped_filters:
            target[...] = data[at : at + len(target)]
            continue
        task.append((chunk, target))
        if len(task) * target.nbytes >= _TASK:
            waiting.append(pool.submit(_inflate, task, *how))
            task = []
    if task:
        waiting.append(pool.submit(_inflate, task, *how))
    return values, waiting


def _inflate(task: list[tuple[bytes, np.ndarray]], dtype: np.dtype, length: int, shuffled: bool) -> None:
    size = length * dtype.itemsize
    for chunk, target in task:
        try:
            content = _zlib.decompressobj().decompress(chunk, size + 1)  # bounded: a damaged chunk may claim any length
        except _zlib.error as error:
            raise ValueError(f"a chunk cannot be decompressed: {error}") from None
        if len(content) != size:
            raise ValueError(f"a chunk holds {len(content):,} bytes instead of {size:,}")
        if shuffled:
            content = np.frombuffer(content, np.uint8).reshape(dtype.itemsize, -1).T.tobytes()
        target[...] = np.frombuffer(content, dtype)[: len(target)]


def _finished(data: Dataset, start: int, values: np.ndarray, waiting: list[Future[None]]) -> tuple[int, np.ndarray]:
    with data.file.guarded(data.path):
        for one in waiting:
            one.result()
    return start, values
