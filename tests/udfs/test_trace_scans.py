"""Searches along a trace answer as numpy does for each stretch alone, compiled or not."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from brainlake.udfs import trace_scans
from brainlake.udfs.compiling import compiled
from brainlake.udfs.trace_scans import first_at_least, first_at_most, highest_in, last_at_most, lowest_in

RNG = np.random.default_rng(3)
X = np.round(RNG.normal(size=5_000).cumsum(), 1)  # rounded, so that samples equal each other and limits
STARTS = RNG.integers(0, len(X), 200)
STOPS = STARTS + RNG.integers(-5, 900, 200)  # some hold nothing, some reach beyond the end
LIMITS = X[RNG.integers(0, len(X), 200)]


@pytest.fixture(params=[True, False], ids=["compiled", "numpy"], autouse=True)
def _way(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trace_scans, "when_compiling", compiled if request.param else lambda loop: None)


def each(of_slice: Callable[[np.ndarray, float], int | None]) -> list[int]:
    """What a function of a stretch and its limit finds in each, counted from the trace's start."""
    found = []
    for start, stop, limit in zip(STARTS, STOPS, LIMITS, strict=True):
        at = of_slice(X[start:stop], limit) if start < min(stop, len(X)) else None
        found.append(-1 if at is None else int(start + at))
    return found


def first(is_so: np.ndarray) -> int | None:
    return int(np.flatnonzero(is_so)[0]) if is_so.any() else None


def last(is_so: np.ndarray) -> int | None:
    return int(np.flatnonzero(is_so)[-1]) if is_so.any() else None


def test_the_first_of_equal_extremes_is_found() -> None:
    assert highest_in(X, STARTS, STOPS).tolist() == each(lambda part, _: int(np.argmax(part)))
    assert lowest_in(X, STARTS, STOPS).tolist() == each(lambda part, _: int(np.argmin(part)))


def test_a_sample_of_no_value_is_the_extreme_as_of_numpy() -> None:
    x = np.array([1.0, 5.0, np.nan, 9.0, np.nan])
    for find in (highest_in, lowest_in):
        assert find(x, np.array([0, 3, 2]), np.array([5, 4, 3])).tolist() == [2, 3, 2]


def test_a_limit_is_passed_where_a_sample_equals_it() -> None:
    assert first_at_least(X, STARTS, STOPS, LIMITS).tolist() == each(lambda part, limit: first(part >= limit))
    assert first_at_most(X, STARTS, STOPS, LIMITS).tolist() == each(lambda part, limit: first(part <= limit))
    assert last_at_most(X, STARTS, STOPS, LIMITS).tolist() == each(lambda part, limit: last(part <= limit))


def test_one_limit_holds_for_all() -> None:
    assert last_at_most(X, STARTS, STOPS, 3.5).tolist() == each(lambda part, _: last(part <= 3.5))
