"""Trains by hand: rates, adaptation, pauses and bursts."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.udfs import interspike_intervals as intervals
from brainlake.udfs.registry import Ragged
from brainlake.udfs.voltage_traces import FeatureError


def test_differences_of_successive_values_are_relative_to_their_sum():
    assert intervals.norm_diff(np.array([1.0, 3.0])) == 0.5
    assert intervals.norm_diff(np.array([1.0, 3.0, 1.0])) == 0
    assert intervals.norm_sq_diff(np.array([1.0, 3.0, 1.0])) == 0.25
    assert intervals.norm_diff(np.array([0.0, 0.0, 1.0])) == 0.5  # a pair of zeros is 0
    assert intervals.norm_diff(np.array([0.0, 0.0])) == 0
    assert intervals.norm_diff(np.array([1.0, -1.0])) == 0  # all sums are 0
    assert np.isnan(intervals.norm_diff(np.array([1.0])))
    assert intervals.norm_diff(np.array([1.0, 3.0, np.nan])) == 0.5


def test_adaptation_is_known_from_two_intervals_on():
    told = intervals.adaptation_index(Ragged.of([[0.1, 0.3], [0.1], []], np.float64))
    assert told[0] == pytest.approx(0.5)
    assert np.isnan(told[1:]).all()
    assert intervals.norm_sq_difference(Ragged.of([[1.0, 3.0]], np.float64)).tolist() == [0.25]


def test_rates_latencies_and_variation():
    t, spikes = np.arange(100) / 100, np.array([10, 20, 40])
    assert intervals.get_isis(t, spikes) == pytest.approx([0.1, 0.2])
    assert intervals.get_isis(t, spikes[:1]).tolist() == []
    assert intervals.latency(t, spikes, 0.05) == pytest.approx(0.05)
    assert np.isnan(intervals.latency(t, spikes[:0]))
    assert intervals.average_rate(t, spikes, 0.1, 0.2) == pytest.approx(20)  # both edges count
    assert intervals.isi_cv(np.array([0.1, 0.2])) == pytest.approx(1 / 3)  # 0.05 / 0.15, of the population
    assert intervals.isi_cv(np.array([0.1])) == 0


def test_a_pause_is_an_interval_that_makes_the_others_irregular():
    isis = np.array([0.01, 0.011, 0.5, 0.01, 0.009])
    types = ["direct"] * 5
    assert intervals.detect_pauses(isis, types).tolist() == [2]  # longer than 3 medians
    assert intervals.pause_metrics(isis, types, 1.0) == (1, pytest.approx(0.5))
    assert intervals.detect_pauses(isis[:2], types[:2]).tolist() == []
    assert intervals.detect_pauses(isis, ["detour"] * 5).tolist() == []  # nothing to compare with
    assert intervals.pause_metrics(isis[:2], types[:2], 1.0) == (0, 0.0)
    with pytest.raises(FeatureError, match="5 intervals of 2 types"):
        intervals.detect_pauses(isis, types[:2])


def test_pauses_under_several_weights_have_a_reliability():
    isis = np.array([0.01, 0.011, 0.5, 0.01, 0.009])
    told = intervals.pause_reliability(isis, ["direct"] * 5, 1.0, [1.0, 1.0, 1e6])
    assert told == (pytest.approx(2 / 3), pytest.approx(1 / 3), pytest.approx(2 / 3), 1)  # the last weight forbids it


def burst(isis: list[float], types: list[str], **changes: np.ndarray) -> list[tuple[float, int, int]]:
    """With slow troughs 5 mV below the fast ones, reached after half of the interval."""
    n = len(isis)
    isi = np.array(isis)
    given = {
        "fast_trough_v": np.full(n, -50.0),
        "fast_trough_t": np.cumsum(isi),
        "slow_trough_v": np.full(n, -55.0),
        "slow_trough_t": np.cumsum(isi) + isi / 2,
        "threshold_v": np.full(n, -40.0),
    } | changes
    return intervals.detect_bursts(isi, types, **given)


TYPES = ["detour", "direct", "direct", "detour", "detour"]
ISIS = [0.05, 0.004, 0.012, 0.05, 0.05]  # so irregular within that no detour passes for a pause


def test_a_burst_is_a_run_of_direct_intervals_between_detours():
    ((index, first, after),) = burst(ISIS, TYPES)
    assert (first, after) == (1, 3)
    assert index == pytest.approx((250 - 20) / (250 + 20))  # 1/0.004 against 1/0.05
    assert intervals.burst_metrics([(index, first, after)]) == (index, 1)


def test_there_is_no_burst_without_detours_or_with_slow_ones():
    assert burst(ISIS, ["direct"] * 5) == []
    assert burst([0.05, 0.1, 0.1, 0.05, 0.05], TYPES) == []  # the run is slower than the rest
    assert burst([0.01], ["direct"]) == []
    assert intervals.burst_metrics([]) == (0.0, 0)


def test_a_detour_with_its_threshold_at_the_trough_belongs_to_the_burst():
    types = ["detour", "direct", "detour", "detour", "detour"]
    assert [b[1:] for b in burst([0.05, 0.004, 0.005, 0.05, 0.05], types)] == [(1, 2)]
    low = np.array([-40.0, -40, -55, -40, -40])  # below -55 + 0.5
    assert [b[1:] for b in burst([0.05, 0.004, 0.005, 0.05, 0.05], types, threshold_v=low)] == [(1, 3)]


def test_a_burst_may_last_to_the_end():
    ((_, first, after),) = burst([0.05, 0.05, 0.004, 0.016], ["detour", "detour", "direct", "direct"])
    assert (first, after) == (2, 4)


def test_lists_of_different_lengths_are_refused():
    with pytest.raises(FeatureError):
        burst(ISIS, TYPES[:-1])
