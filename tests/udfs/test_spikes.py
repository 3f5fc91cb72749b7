"""Kernels over spikes against counting by hand, in numpy and compiled."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

import numpy as np
import pytest
from brainlake.udfs import spikes
from brainlake.udfs.compiling import compiled
from brainlake.udfs.registry import Ragged
from brainlake.udfs.spike_trains import Pieces, Sessions, Trains
from hypothesis import given, settings
from hypothesis import strategies as st

# Quarters make spikes fall exactly on edges, often and without rounding.
quarters = st.integers(-8, 40).map(lambda n: n / 4)
trains = st.lists(quarters, max_size=30).map(sorted)
RATE, SHIFT = 29_999.970_056_059_1, 3.21


@pytest.fixture(params=["numpy", "compiled"])
def engine(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    if request.param == "compiled":
        pytest.importorskip("numba")
        monkeypatch.setattr(spikes, "WORTH_COMPILING", -1)
        monkeypatch.setattr(spikes, "worth_compiling", lambda loop, n: compiled(loop))
    else:
        monkeypatch.setattr(spikes, "compiled", lambda loop: None)
        monkeypatch.setattr(spikes, "worth_compiling", lambda loop, n: None)
    return str(request.param)


def packed(rows: list[list[float]]) -> Ragged:
    return spikes.pack(Ragged.of(rows, np.float64))


def exhaustively(kernel: Callable[..., object]) -> Callable[..., object]:
    return settings(max_examples=150, deadline=None)(kernel)


class Session:
    """Trains of units 0, 1, 2 ..., in pieces."""

    def __init__(self, *pieces: Trains) -> None:
        self.pieces = pieces

    def within(self, low: Sequence[int], high: Sequence[int]) -> Iterator[Trains]:
        for piece in self.pieces:
            if piece.time_block.min() <= high[0] and piece.time_block.max() >= low[0]:
                yield piece


def blocks_of(trains_: list[list[float]]) -> dict[tuple[int, int], list[float]]:
    """(block, unit) -> spikes, in the table's order."""
    found: dict[tuple[int, int], list[float]] = {}
    for unit, train in enumerate(trains_):
        for time in train:
            found.setdefault((int(np.floor(time / 600)), unit), []).append(time)
    return dict(sorted(found.items()))


def in_seconds(trains_: list[list[float]]) -> Session:
    """Times that no clock gives back, a piece for each row."""
    pieces = []
    for (block, unit), times in blocks_of(trains_).items():
        none, nan = Ragged.of([[]], np.int64), np.array([np.nan])
        pieces.append(Trains.of(np.array([block]), np.array([unit]), nan, nan, none, Ragged.of([times], np.float64)))
    return Session(*pieces)


def in_ticks(trains_: list[list[float]]) -> Session:
    """The same on clocks of 4 Hz, which quarters lie on, in one piece; every second unit's clock starts late."""
    rows = blocks_of(trains_)
    if not rows:
        return Session()
    shift = np.array([float(unit % 2) for _, unit in rows])
    ticks = [((np.array(times) + late) * 4).astype(np.int64) for times, late in zip(rows.values(), shift, strict=True)]
    blocks, units = (np.array(column) for column in zip(*rows, strict=True))
    none = Ragged.of([[] for _ in rows], np.float64)
    return Session(Trains.of(blocks, units, np.full(len(rows), 4.0), shift, Ragged.of(ticks), none))


def one_row(train: list[float], of_clock: bool) -> tuple[Sessions, np.ndarray, np.ndarray, np.ndarray]:
    """A train as the row of session 7, block 0, unit 0, whatever its times, and that row."""
    rate, shift = (np.array([4.0]), np.array([1.0])) if of_clock else (np.array([np.nan]), np.array([np.nan]))
    ticks = Ragged.of([((np.array(train) + 1.0) * 4 if of_clock else [])], np.int64)
    times = Ragged.of([[] if of_clock else train], np.float64)
    session = Session(Trains.of(np.array([0]), np.array([0]), rate, shift, ticks, times))
    return lambda session_id: session, np.array([7]), np.array([0]), np.array([0])


def counted(session: Pieces, n_units: int, windows_: list[tuple[float, float]]) -> list[list[int]]:
    """Counts of the units, asked for in descending order, which are returned in ascending order."""
    counts = spikes.count_spikes_in_windows(
        lambda session_id: session, np.array([7]), Ragged.of([np.arange(n_units)[::-1]], np.int64),
        packed([[a for a, _ in windows_]]), packed([[b for _, b in windows_]]),
    )  # fmt: skip
    assert counts.offsets.tolist() == [0, n_units]
    return [row.tolist() for row in counts.values][::-1]  # type: ignore[attr-defined]


# Blocks of 600 s: quarters of a block make windows and trains that reach over several.
far = st.one_of(quarters, st.integers(-4, 12).map(lambda n: n * 150.0), quarters.map(lambda t: t + 600))
far_windows = st.lists(st.tuples(st.one_of(far, st.just(-np.inf)), st.one_of(far, st.just(np.inf))), max_size=12)


@pytest.mark.usefixtures("engine")
class TestCounts:
    def check(self, trains_: list[list[float]], windows_: list[tuple[float, float]]) -> None:
        expected = [[sum(a <= t < b for t in train) for a, b in windows_] for train in trains_]
        assert counted(in_seconds(trains_), len(trains_), windows_) == expected
        assert counted(in_ticks(trains_), len(trains_), windows_) == expected

    def test_equal_counting_by_hand_for_any_windows(self) -> None:
        """Unsorted, overlapping, empty, inverted and endless windows, over several blocks; repeated spikes."""
        some = st.lists(st.lists(far, max_size=30).map(sorted), min_size=1, max_size=4)
        exhaustively(given(some, far_windows)(self.check))()

    def test_equal_counting_by_hand_for_windows_apart(self) -> None:
        """In order, at most touching: some empty, some endless, and spikes on the edges that two of them share."""
        some = st.lists(st.lists(far, max_size=30).map(sorted), min_size=1, max_size=4)
        ends = st.lists(st.one_of(far, st.just(-np.inf), st.just(np.inf)), min_size=2, max_size=16).map(sorted)
        apart = ends.flatmap(lambda e: st.sampled_from([list(pairwise(e)), list(zip(e[::2], e[1::2], strict=False))]))
        exhaustively(given(some, apart)(self.check))()

    def test_are_as_exact_where_spikes_are_many_more_than_windows(self) -> None:
        self.check([[i / 4 for i in range(2_000)]], [(-1.0, 7.25), (7.0, 7.25), (499.75, 500.0), (3.0, np.inf)])

    @pytest.mark.parametrize("lists", [[[2, 0], [3], [1]], [[2, 0], [0, 1]]], ids=["apart", "of the same units"])
    def test_of_many_rows_are_each_its_own_whichever_are_counted_at_once(self, lists: list[list[int]]) -> None:
        """40 lists of windows, each asked of several lists of units, in any order."""
        rng = np.random.default_rng(4)
        trains_ = [sorted((rng.integers(0, 4_000, 300) / 4).tolist()) for _ in range(4)]
        shares = [[(start + i / 4, start + i / 4 + 1.5) for i in range(0, 12, 3)] for start in np.arange(40) * 20.0]
        rows = [(units, windows_) for units in lists for windows_ in shares]
        rows = [rows[i] for i in rng.permutation(len(rows))]
        counts = spikes.count_spikes_in_windows(
            lambda session_id: in_ticks(trains_), np.full(len(rows), 7), Ragged.of([units for units, _ in rows], np.int64),
            packed([[a for a, _ in w] for _, w in rows]), packed([[b for _, b in w] for _, w in rows]),
        )  # fmt: skip
        expected = [
            [[sum(a <= t < b for t in trains_[unit]) for a, b in windows_] for unit in units]
            for units, windows_ in rows
        ]
        lines = [line.tolist() for line in counts.values]
        assert [lines[a:b] for a, b in pairwise(counts.offsets.tolist())] == expected

    def test_of_a_session_without_spikes_are_zero(self) -> None:
        def nothing(session_id: int) -> Pieces:
            raise LookupError

        held: Sessions = nothing
        counts = spikes.count_spikes_in_windows(
            held, np.array([7]), Ragged.of([[1, 2]]), packed([[0.0]]), packed([[9.0]])
        )
        assert counts.values.values.tolist() == [0, 0]  # type: ignore[attr-defined]

    def test_compare_clock_ticks_as_the_seconds_that_sql_shows(self) -> None:
        """Every spike lies exactly on an edge: tick / rate - shift in float64, nothing else, decides."""
        ticks = np.arange(100_000, 100_400, dtype=np.int64)
        seconds = ticks / RATE - SHIFT
        of_clock = Trains.of(
            np.array([0]), np.array([0]), np.array([RATE]), np.array([SHIFT]),
            Ragged.of([ticks]), Ragged.of([[]], np.float64),
        )  # fmt: skip
        windows_ = [(t, float(np.nextafter(t, np.inf))) for t in seconds.tolist()]
        assert counted(Session(of_clock), 1, windows_) == [[1] * 400]


@pytest.mark.usefixtures("engine")
class TestBinsAroundEvents:
    def check(self, train: list[float], events: list[tuple[float, int]], edges: list[float], closed: bool) -> None:
        n_groups = max((g for _, g in events), default=-1) + 1
        expected = np.zeros((n_groups, len(edges) - 1), int)
        for event, group in events:
            for b, (low, high) in enumerate(pairwise(edges)):
                inside = [event + low <= t < event + high or (closed and t == event + high) for t in train]
                expected[group, b] += sum(inside)
        for of_clock in (False, True):
            counts = spikes.count_spikes_around_events(
                *one_row(train, of_clock),
                packed([[e for e, _ in events]]), packed([[g for _, g in events]]), np.array([n_groups]),
                packed([edges]), np.array([closed]),
            )  # fmt: skip
            assert counts.offsets.tolist() == [0, n_groups]
            assert np.reshape(counts.values.values, expected.shape).tolist() == expected.tolist()

    def test_equal_counting_by_hand(self) -> None:
        events = st.lists(st.tuples(quarters, st.integers(0, 2)), max_size=8)
        edges = st.lists(quarters, min_size=1, max_size=6, unique=True).map(sorted)
        exhaustively(given(trains, events, edges, st.booleans())(self.check))()

    def test_count_a_spike_on_an_inner_edge_twice_when_closed(self) -> None:
        """OD-14."""
        self.check([1.0], [(0.5, 0)], [0.0, 0.5, 1.0], True)


@exhaustively
@given(trains, st.lists(st.tuples(quarters, quarters), max_size=40))
def test_found_spikes_are_those_counted(train: list[float], pairs: list[tuple[float, float]]) -> None:
    expected = [(w, i, t) for w, (a, b) in enumerate(pairs) for i, t in enumerate(train) if a <= t < b]
    for of_clock in (False, True):
        found = spikes.find_spikes_in_windows(
            *one_row(train, of_clock), packed([[a for a, _ in pairs]]), packed([[b for _, b in pairs]])
        )
        values: dict[str, np.ndarray] = found.values  # type: ignore[assignment]
        names = ("window_index", "spike_index", "spike_time")
        assert list(zip(*(values[name].tolist() for name in names), strict=True)) == expected
        assert found.offsets.tolist() == [0, len(expected)]


def test_both_engines_agree_on_a_real_looking_session(monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("numba")
    rng = np.random.default_rng(0)
    rows = [np.sort(rng.integers(0, 18_000_000, n)) for n in rng.integers(0, 3_000, 20)]
    none = Ragged.of([[]] * 20, np.float64)
    trains_ = Trains.of(
        np.zeros(20, int), np.arange(20), np.full(20, RATE), np.full(20, SHIFT), Ragged.of(rows, np.int64), none
    )
    starts = rng.uniform(0, 600, 500).tolist()
    windows_ = [(a, a + rng.uniform(0, 2)) for a in starts]
    monkeypatch.setattr(spikes, "worth_compiling", lambda loop, n: None)
    plain = counted(Session(trains_), 20, windows_)
    monkeypatch.setattr(spikes, "worth_compiling", lambda loop, n: compiled(loop))
    assert counted(Session(trains_), 20, windows_) == plain
    assert np.sum(plain) > 0
