"""Work done by a thread before its results are asked for."""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from typing import TypeVar

T = TypeVar("T")
R = TypeVar("R")

_READY = 2  # results that wait to be taken


def n_threads() -> int:
    """Threads that share what takes long of one file."""
    return min(os.cpu_count() or 1, 4)


def ahead(work: Callable[[T], R], items: Iterable[T], name: str) -> Iterator[R]:
    """Results in the order of their items, made while those before are used."""
    with ThreadPoolExecutor(1, thread_name_prefix=name) as thread:
        begun: deque[Future[R]] = deque()
        try:
            for item in items:
                begun.append(thread.submit(work, item))
                if len(begun) > _READY:
                    yield begun.popleft().result()
            while begun:
                yield begun.popleft().result()
        finally:
            for one in begun:
                one.cancel()
