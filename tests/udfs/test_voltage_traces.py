"""The filter and the derivative against scipy and by hand."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.tests.fixtures.spiking_sweeps import draw_sweep
from brainlake.udfs import voltage_traces
from brainlake.udfs.compiling import compiled
from brainlake.udfs.voltage_traces import (
    FeatureError,
    Trace,
    average_voltage,
    bessel_lowpass,
    calculate_dvdt,
    find_time_index,
    has_fixed_dt,
)
from scipy import signal

DRAWN = draw_sweep(3, sampling_rate=200_000.0, duration=1.0)


def test_the_filter_is_scipys_bessel_forward_and_backward():
    b, a = signal.bessel(4, 10_000 / 100_000, "low")
    expected = signal.filtfilt(b, a, DRAWN.response)
    np.testing.assert_allclose(bessel_lowpass(DRAWN.response, 10.0, 200_000.0), expected, rtol=0, atol=1e-10)


def with_numba(is_used: bool):
    return lambda loop, n: compiled(loop) if is_used else None


@pytest.mark.parametrize("is_compiled", [True, False])
def test_the_slope_is_that_of_the_filtered_trace(is_compiled, monkeypatch):
    monkeypatch.setattr(voltage_traces, "worth_compiling", with_numba(is_compiled))
    b, a = signal.bessel(4, 0.1, "low")
    expected = np.diff(signal.filtfilt(b, a, DRAWN.response)) / np.diff(DRAWN.t) * 1e-3
    told = calculate_dvdt(DRAWN.response, DRAWN.t, 10.0)
    np.testing.assert_allclose(told, expected, rtol=0, atol=1e-8)
    at_known_rate = Trace.sampled(DRAWN.response, DRAWN.sampling_rate).dvdt(10.0)
    np.testing.assert_allclose(at_known_rate, expected, rtol=0, atol=1e-7)


@pytest.mark.parametrize(("first", "last"), [(60_000, 180_000), (0, 90_000), (150_000, 200_000)])
def test_a_part_is_filtered_as_the_whole_or_by_itself(first, last):
    """To rounding, though only what the filter remembers is computed."""
    whole = calculate_dvdt(DRAWN.response, DRAWN.t, 10.0)
    trace = Trace.sampled(DRAWN.response, DRAWN.sampling_rate)
    part = trace.dvdt_between(10.0, first, last)
    np.testing.assert_allclose(part[first : last - 1], whole[first : last - 1], rtol=0, atol=1e-7)
    window = trace.dvdt_of_window(10.0, first, last, part)
    alone = calculate_dvdt(DRAWN.response[first:last], DRAWN.t[first:last], 10.0)
    np.testing.assert_allclose(window, alone, rtol=0, atol=1e-7)


@pytest.mark.parametrize("is_compiled", [True, False])
@pytest.mark.parametrize("has_rate", [True, False])
def test_stretches_of_a_trace_are_filtered_as_the_whole(is_compiled, has_rate, monkeypatch):
    monkeypatch.setattr(voltage_traces, "worth_compiling", with_numba(is_compiled))
    whole = calculate_dvdt(DRAWN.response, DRAWN.t, 1.0)
    trace = Trace(DRAWN.response, DRAWN.t, sampling_rate=DRAWN.sampling_rate if has_rate else None)
    firsts, lasts = np.array([9_000, 70_000, 75_000, 190_000]), np.array([9_500, 71_000, 76_000, 200_000])
    part = trace.dvdt_between(1.0, firsts, lasts)
    for first, last in zip(firsts, lasts, strict=True):
        np.testing.assert_allclose(
            part[first : last - 1], whole[first : last - 1], rtol=0, atol=1e-6
        )  # rounding of 1 kHz
    looked_back = part[firsts[0] :: -1]
    before = firsts[0] - int(np.flatnonzero(looked_back == -np.inf)[0])  # where what was computed begins
    assert 5_000 < before < 9_000
    np.testing.assert_allclose(part[before + 1_000 : 9_000], whole[before + 1_000 : 9_000], rtol=0, atol=1e-3)


@pytest.mark.parametrize(("rate", "filter_khz"), [(20_000.0, 10.0), (15_000.0, 10.0), (200_000.0, -1.0)])
def test_a_corner_outside_of_the_sampled_band_is_refused(rate, filter_khz):
    with pytest.raises(FeatureError, match="needs a sampling rate above"):
        calculate_dvdt(np.zeros(100), np.arange(100) / rate, filter_khz)


def test_a_trace_no_longer_than_the_padding_is_not_filtered():
    with pytest.raises(FeatureError, match="15 samples are too few"):
        bessel_lowpass(np.zeros(15), 1.0, 50_000.0)
    assert bessel_lowpass(np.ones(16), 1.0, 50_000.0) == pytest.approx(np.ones(16))


def test_an_uneven_trace_is_not_filtered():
    t = np.array([0.0, 0.001, 0.003, 0.004])
    v = np.array([0.0, 1.0, 1.0, -1.0])
    assert calculate_dvdt(v, t, 10.0) == pytest.approx([1.0, 0.0, -2.0])  # mV/ms


def test_slopes_of_no_value_are_left_out():
    t = np.array([0.0, 0.001, 0.001, 0.002])
    assert calculate_dvdt(np.array([0.0, 1.0, 1.0, 3.0]), t) == pytest.approx([1.0, 2.0])
    assert calculate_dvdt(np.array([0.0, 1.0, 2.0, 3.0]), t).tolist() == pytest.approx([1.0, np.inf, 1.0])


def test_steps_are_fixed_within_ten_nanoseconds_however_small_they_are():
    assert has_fixed_dt(np.array([0.0, 5e-6, 1.5e-5, 2e-5])) is False
    assert has_fixed_dt(np.array([0.0, 1e-8, 2.9e-8, 3e-8]))  # EF-1: loose for steps that small


def test_a_time_is_its_first_sample_at_or_after():
    t = np.array([0.0, 0.1, 0.2, 0.2, 0.3])
    assert [find_time_index(t, x) for x in (-1.0, 0.05, 0.2, 0.3)] == [0, 1, 2, 4]
    with pytest.raises(FeatureError, match=r"ends before 0.31"):
        find_time_index(t, 0.31)


def test_a_mean_voltage_is_over_a_half_open_window():
    t, v = np.arange(5) / 10, np.array([1.0, 2.0, 3.0, 4.0, 100.0])
    assert average_voltage(v, t) == 2.5
    assert average_voltage(v, t, 0.1, 0.3) == 2.5
    with pytest.raises(FeatureError):
        average_voltage(v, t, 0.3, 0.3)
