"""Work done by threads before its results are asked for."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")


def n_threads() -> int:
    """Threads that share what takes long of one file."""
    return min(os.cpu_count() or 1, 4)


def ahead(pool: ThreadPoolExecutor, work: Callable[[T], R], items: Iterable[T], n: int) -> Iterator[R]:
    """Results in the order of their items, made while those before are used; no more than ``n`` wait."""
    begun: deque[Future[R]] = deque()
    try:
        for item in items:
            begun.append(pool.submit(work, item))
            if len(begun) > n:
                yield begun.popleft().result()
        while begun:
            yield begun.popleft().result()
    finally:
        for one in begun:
            one.cancel()
