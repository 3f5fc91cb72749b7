"""Memory for what a kernel computes on the way, used again from one sweep to the next.

An operating system hands large arrays over page by page, and takes them back when they are let go: of the time that the
features of a cell took, a third went there.
"""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import numpy as np

_MOST_KEPT = 12 << 20  # float64, all in all: what two threads need for sweeps of ten seconds
_WORTH_KEEPING = 1 << 15  # float64: what is smaller, the allocator has at hand

_free: list[np.ndarray] = []
_changing = threading.Lock()


class _OfThread(threading.local):  # lost with the call in threads that an engine starts, so it holds nothing for long
    taken: list[np.ndarray] | None = None


_own = _OfThread()


@contextmanager
def reused() -> Iterator[None]:
    """Arrays that :func:`empty` gives meanwhile, in this thread, are given again afterwards: keep none of them."""
    taken: list[np.ndarray] = []
    outer, _own.taken = _own.taken, taken
    try:
        yield
    finally:
        _own.taken = outer
        with _changing:
            _free.extend(taken)
            while sum(map(len, _free)) > _MOST_KEPT:
                _free.pop(0)


def empty(n: int) -> np.ndarray:
    """An array of n float64, with anything in it; one that was used before, within :func:`reused`."""
    if _own.taken is None or n < _WORTH_KEEPING:
        return np.empty(n)
    with _changing:
        fitting = [i for i, array in enumerate(_free) if len(array) >= n]
        found = _free.pop(min(fitting, key=lambda i: len(_free[i]))) if fitting else np.empty(n)
    _own.taken.append(found)
    return found[:n]
