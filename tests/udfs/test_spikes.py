"""Kernels over spikes against counting by hand, in numpy and compiled."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest
from brainlake.udfs import spikes
from brainlake.udfs.registry import Ragged
from hypothesis import given, settings
from hypothesis import strategies as st

# Quarters make spikes fall exactly on edges, often and without rounding.
quarters = st.integers(-8, 40).map(lambda n: n / 4)
trains = st.lists(quarters, max_size=30).map(sorted)
windows = st.lists(st.tuples(quarters, quarters), max_size=12)
RATE, SHIFT = 29_999.970_056_059_1, 3.21


@pytest.fixture(params=["numpy", "compiled"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "compiled":
        pytest.importorskip("numba")
        monkeypatch.setattr(spikes, "WORTH_COMPILING", -1)
    else:
        monkeypatch.setattr(spikes, "compiled", lambda loop: None)
    return str(request.param)


def given_as_seconds(rows: list[list[float]]) -> tuple[Ragged, np.ndarray, np.ndarray, Ragged]:
    none = Ragged.of([[] for _ in rows], np.int64)
    return none, np.full(len(rows), np.nan), np.full(len(rows), np.nan), Ragged.of(rows, np.float64)


def packed(rows: list[list[float]]) -> Ragged:
    return spikes.pack(Ragged.of(rows, np.float64))


def exhaustively(kernel: Callable[..., object]) -> Callable[..., object]:
    return settings(max_examples=150, deadline=None)(kernel)


@pytest.mark.usefixtures("engine")
class TestCounts:
    def check(self, rows: list[tuple[list[float], list[tuple[float, float]]]]) -> None:
        trains_, windows_ = [r[0] for r in rows], [r[1] for r in rows]
        counts = spikes.count_spikes_in_windows(
            *given_as_seconds(trains_),
            packed([[a for a, _ in w] for w in windows_]),
            packed([[b for _, b in w] for w in windows_]),
            np.array([len(w) // 2 for w in windows_]),
        )
        expected = [[sum(a <= t < b for t in train) for a, b in w] for train, w in rows]
        assert [list(c) for c in counts["inside"]] == [row[: len(row) // 2] for row in expected]
        assert [list(c) for c in counts["crossing"]] == [row[len(row) // 2 :] for row in expected]

    def test_equal_counting_by_hand_for_any_windows(self) -> None:
        """Unsorted, overlapping, empty and inverted windows; repeated spikes; negative times."""
        exhaustively(given(st.lists(st.tuples(trains, windows), max_size=4))(self.check))()

    def test_of_no_train_are_no_counts(self) -> None:
        self.check([])

    def test_compare_clock_ticks_as_the_seconds_that_sql_shows(self) -> None:
        """Every spike lies exactly on an edge: tick / rate - shift in float64, nothing else, decides."""
        ticks = np.arange(100_000, 100_400, dtype=np.int64)
        seconds = ticks / RATE - SHIFT
        counts = spikes.count_spikes_in_windows(
            Ragged.of([ticks]), np.array([RATE]), np.array([SHIFT]), Ragged.of([[]], np.float64),
            packed([list(seconds)]), packed([list(np.nextafter(seconds, np.inf))]), np.array([400]),
        )  # fmt: skip
        assert counts["inside"][0].tolist() == [1] * 400

    def test_take_long_windows_with_infinite_ends(self) -> None:
        self.check([([0.0, 1.0], [(-np.inf, np.inf), (1.0, np.inf), (-np.inf, 0.0)])])


@pytest.mark.usefixtures("engine")
class TestBinsAroundEvents:
    def check(self, train: list[float], events: list[tuple[float, int]], edges: list[float], closed: bool) -> None:
        n_groups = max((g for _, g in events), default=-1) + 1
        counts = spikes.count_spikes_around_events(
            *given_as_seconds([train]),
            packed([[e for e, _ in events]]), packed([[g for _, g in events]]), np.array([n_groups]),
            packed([edges]), np.array([closed]),
        )  # fmt: skip
        expected = np.zeros((n_groups, len(edges) - 1), int)
        for event, group in events:
            for b, (low, high) in enumerate(pairwise(edges)):
                inside = [event + low <= t < event + high or (closed and t == event + high) for t in train]
                expected[group, b] += sum(inside)
        got = counts.values
        assert counts.offsets.tolist() == [0, n_groups]
        assert np.reshape(got.values, expected.shape).tolist() == expected.tolist()

    def test_equal_counting_by_hand(self) -> None:
        events = st.lists(st.tuples(quarters, st.integers(0, 2)), max_size=8)
        edges = st.lists(quarters, min_size=1, max_size=6, unique=True).map(sorted)
        exhaustively(given(trains, events, edges, st.booleans())(self.check))()

    def test_count_a_spike_on_an_inner_edge_twice_when_closed(self) -> None:
        """OD-14."""
        self.check([1.0], [(0.5, 0)], [0.0, 0.5, 1.0], True)


@exhaustively
@given(trains, windows)
def test_found_spikes_are_those_counted(train: list[float], pairs: list[tuple[float, float]]) -> None:
    found = spikes.find_spikes_in_windows(
        *given_as_seconds([train]), packed([[a for a, _ in pairs]]), packed([[b for _, b in pairs]])
    )
    values: dict[str, np.ndarray] = found.values  # type: ignore[assignment]
    got = list(zip(*(values[name].tolist() for name in ("window_index", "spike_index", "spike_time")), strict=True))
    assert got == [(w, i, t) for w, (a, b) in enumerate(pairs) for i, t in enumerate(train) if a <= t < b]
    assert found.offsets.tolist() == [0, len(got)]


def test_both_engines_agree_on_a_real_looking_session(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    rows = [np.sort(rng.integers(0, 18_000_000, n)) for n in rng.integers(0, 3_000, 20)]
    starts = [np.sort(rng.uniform(0, 600, 500)) for _ in rows]
    args = (
        Ragged.of(rows, np.int64), np.full(20, RATE), np.full(20, SHIFT), Ragged.of([[]] * 20, np.float64),
        spikes.pack(Ragged.of(starts)), spikes.pack(Ragged.of([s + 0.25 for s in starts])), np.full(20, 400),
    )  # fmt: skip
    plain = spikes.count_spikes_in_windows(*args)
    monkeypatch.setattr(spikes, "WORTH_COMPILING", 0)
    fast = spikes.count_spikes_in_windows(*args)
    for part in ("inside", "crossing"):
        assert fast[part].values.tolist() == plain[part].values.tolist()
        assert plain[part].values.sum() > 0
