"""Searches along a trace, in many stretches at once: where it is extreme, where it first or last passes a limit.

A stretch k is [starts[k], stops[k]), cut where the trace ends; indexes are int64, -1 where a stretch holds none.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from .compiling import when_compiling


def highest_in(x: np.ndarray, starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Index of the greatest sample of each stretch, the first of equals; of the first NaN where there is one."""
    return _run(_highest, _highest_of_slices, x, starts, stops)


def lowest_in(x: np.ndarray, starts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Index of the smallest sample of each stretch, the first of equals; of the first NaN where there is one."""
    return _run(_lowest, _lowest_of_slices, x, starts, stops)


def first_at_least(x: np.ndarray, starts: np.ndarray, stops: np.ndarray, limits: ArrayLike) -> np.ndarray:
    """First index of each stretch with x >= limit; one limit, or one a stretch."""
    return _run(_first_at_least, _first_at_least_of_slices, x, starts, stops, limits)


def first_at_most(x: np.ndarray, starts: np.ndarray, stops: np.ndarray, limits: ArrayLike) -> np.ndarray:
    """First index of each stretch with x <= limit; one limit, or one a stretch."""
    return _run(_first_at_most, _first_at_most_of_slices, x, starts, stops, limits)


def last_at_most(x: np.ndarray, starts: np.ndarray, stops: np.ndarray, limits: ArrayLike) -> np.ndarray:
    """Last index of each stretch with x <= limit; one limit, or one a stretch."""
    return _run(_last_at_most, _last_at_most_of_slices, x, starts, stops, limits)


def _run(
    loop: Callable[..., Any], of_slices: Callable[..., Any], x: np.ndarray, starts: Any, stops: Any, limits: Any = None
) -> np.ndarray:
    found = np.full(len(starts), -1, np.int64)
    arguments = [np.ascontiguousarray(starts, np.int64), np.minimum(stops, len(x)).astype(np.int64)]
    if limits is not None:
        arguments.append(np.ascontiguousarray(np.broadcast_to(np.asarray(limits, np.float64), found.shape)))
    (when_compiling(loop) or of_slices)(np.ascontiguousarray(x), *arguments, found)
    return found


# Loops to compile


def _highest(x, starts, stops, found):  # type: ignore[no-untyped-def]
    for k in range(len(starts)):
        best = -1
        for j in range(starts[k], stops[k]):
            if best < 0 or x[j] > x[best] or x[j] != x[j]:
                best = j
                if x[j] != x[j]:
                    break
        found[k] = best


def _lowest(x, starts, stops, found):  # type: ignore[no-untyped-def]
    for k in range(len(starts)):
        best = -1
        for j in range(starts[k], stops[k]):
            if best < 0 or x[j] < x[best] or x[j] != x[j]:
                best = j
                if x[j] != x[j]:
                    break
        found[k] = best


def _first_at_least(x, starts, stops, limits, found):  # type: ignore[no-untyped-def]
    for k in range(len(starts)):
        for j in range(starts[k], stops[k]):
            if x[j] >= limits[k]:
                found[k] = j
                break


def _first_at_most(x, starts, stops, limits, found):  # type: ignore[no-untyped-def]
    for k in range(len(starts)):
        for j in range(starts[k], stops[k]):
            if x[j] <= limits[k]:
                found[k] = j
                break


def _last_at_most(x, starts, stops, limits, found):  # type: ignore[no-untyped-def]
    for k in range(len(starts)):
        for j in range(stops[k] - 1, starts[k] - 1, -1):
            if x[j] <= limits[k]:
                found[k] = j
                break


# The same without numba, a slice a stretch


def _highest_of_slices(x: np.ndarray, starts: np.ndarray, stops: np.ndarray, found: np.ndarray) -> None:
    for k, (a, b) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True)):
        if a < b:
            found[k] = a + x[a:b].argmax()


def _lowest_of_slices(x: np.ndarray, starts: np.ndarray, stops: np.ndarray, found: np.ndarray) -> None:
    for k, (a, b) in enumerate(zip(starts.tolist(), stops.tolist(), strict=True)):
        if a < b:
            found[k] = a + x[a:b].argmin()


def _first_at_least_of_slices(
    x: np.ndarray, starts: np.ndarray, stops: np.ndarray, limits: np.ndarray, found: np.ndarray
) -> None:
    _look(np.greater_equal, x, starts, stops, limits, found)


def _first_at_most_of_slices(
    x: np.ndarray, starts: np.ndarray, stops: np.ndarray, limits: np.ndarray, found: np.ndarray
) -> None:
    _look(np.less_equal, x, starts, stops, limits, found)


def _last_at_most_of_slices(
    x: np.ndarray, starts: np.ndarray, stops: np.ndarray, limits: np.ndarray, found: np.ndarray
) -> None:
    n = len(x)
    _look(np.less_equal, x[::-1], n - stops, n - starts, limits, found)
    found[found >= 0] = n - 1 - found[found >= 0]


def _look(
    passes: np.ufunc, x: np.ndarray, starts: np.ndarray, stops: np.ndarray, limits: np.ndarray, found: np.ndarray
) -> None:
    """First sample of each stretch that passes its limit, looked for part by part, as it mostly is near the start."""
    for k, (start, stop, limit) in enumerate(zip(starts.tolist(), stops.tolist(), limits.tolist(), strict=True)):
        part = 256
        while start < stop:
            is_past = passes(x[start : min(start + part, stop)], limit)
            at = int(is_past.argmax())
            if is_past[at]:
                found[k] = start + at
                break
            start, part = start + part, part * 4
