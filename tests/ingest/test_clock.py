"""Ticks replace seconds only where every second comes back bit by bit."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.ingest.clock import COMMON_RATES, Clock, find_clock
from hypothesis import given, settings
from hypothesis import strategies as st

RATE = 29_999.9700560591  # what a released file declares, 15 digits
RATE_USED = float(np.nextafter(RATE, 0)) - 10 * float(np.spacing(RATE))  # a float with the same 15 digits


def _spikes(rate: float, shift: float, n: int = 20_000, seconds: float = 9_600.0) -> np.ndarray:
    ticks = np.sort(np.random.default_rng(1).integers(0, int(seconds * rate), n))
    return ticks / rate - shift


@pytest.mark.parametrize("rate", [r for r in COMMON_RATES if r <= 50_000])
def test_a_common_clock_is_found_without_being_declared(rate: float) -> None:
    clock = find_clock(_spikes(rate, 0.0))
    assert clock is not None
    assert clock.shift == 0
    assert clock.ticks(_spikes(rate, 0.0))[1].all()


@pytest.mark.parametrize("shift", [-3.745650409974452, 0.25, 12.345678901, -43.21])
def test_an_undeclared_shift_and_the_digits_a_declared_rate_lost_are_recovered(shift: float) -> None:
    times = _spikes(RATE_USED, shift)
    clock = find_clock(times, [float(f"{RATE_USED:.15g}")])
    assert clock is not None
    ticks, exact = clock.ticks(times)
    assert exact.all()
    np.testing.assert_array_equal(clock.times(ticks), times)


def test_times_of_no_clock_have_none() -> None:
    times = np.sort(np.random.default_rng(2).uniform(0, 9_600, 2_000))
    assert find_clock(times, [RATE]) is None
    assert find_clock(np.array([]), [RATE]) is None
    assert find_clock(np.array([0.1, np.nan]), [RATE]) is None


def test_a_few_times_made_by_other_means_do_not_hide_the_clock() -> None:
    times = _spikes(RATE, 3.9)
    mixed = np.sort(np.concatenate((times, np.arange(100) * 7.123_456_7)))
    clock = find_clock(mixed, [RATE])
    assert clock is not None
    assert clock.ticks(times)[1].all()
    assert len(clock.refuting(mixed)) == 0


def test_a_time_that_would_not_come_back_says_so() -> None:
    times = np.array([0.5, np.nextafter(0.5, 1), -0.0, 0.0, 1e300])
    ticks, exact = Clock(30_000.0).ticks(times)
    # -0.0 would come back as 0.0, which has other bits
    assert exact.tolist() == [True, False, False, True, False]
    assert ticks.tolist() == [15_000, 0, 0, 0, 0]


@settings(max_examples=200, deadline=None)
@given(
    st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=50),
    st.floats(1.0, 1e6),
    st.floats(-100.0, 100.0),
)
def test_ticks_are_never_lossy(times: list[float], rate: float, shift: float) -> None:
    given_times = np.array(times)
    clock = Clock(rate, shift)
    ticks, exact = clock.ticks(given_times)
    back = clock.times(ticks)
    assert (back.view(np.int64) == given_times.view(np.int64))[exact].all()
