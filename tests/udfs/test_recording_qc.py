"""Noise, drift, stimuli and resistances of traces drawn by hand."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.udfs.recording_qc import (
    current_clamp_quality,
    first_edge,
    mean_and_rms,
    pulse_interval,
    pulse_resistance,
    signed_extreme,
)

RATE = 10_000.0


def sweep(n: int = 20_000) -> tuple[np.ndarray, np.ndarray]:
    """-70 mV, 50 pA from 1.02 to 1.52 s, -69.5 mV behind it, 10 uV of noise at the start and 20 uV at the end."""
    v, i = np.full(n, -0.070), np.zeros(n)
    i[200:300] = -10e-12  # test pulse
    i[10_200:15_200] = 50e-12
    v[10_200:] = -0.0695
    v[7_500:7_515] += np.where(np.arange(15) % 2, 10e-6, -10e-6)
    v[-16:-1] += np.where(np.arange(15) % 2, 20e-6, -20e-6)
    return v, i


def test_noise_is_the_deviation_from_a_segments_own_mean():
    assert mean_and_rms(np.array([1.0, 3.0])) == (2.0, 1.0)
    assert mean_and_rms(np.empty(0)) == (0.0, 0.0)


def test_a_sweep_is_measured_before_and_after_its_stimulus():
    v, i = sweep()
    found = current_clamp_quality(v, i, RATE, 7_500, len(v) - 1)
    odd = np.sqrt(1 - (1 / 15) ** 2)  # 8 of 15 samples lie on one side, so their mean is 1/15 of the amplitude
    assert found == pytest.approx(
        {
            "pre_noise_rms_mv": 0.010 * odd, "post_noise_rms_mv": 0.020 * odd,
            "slow_noise_rms_mv": 1e3 * v[5_199:10_199].std(), "slow_vm_mv": -70, "pre_vm_mv": -70,
            "post_vm_mv": -69.5, "vm_delta_mv": 0.5, "stimulus_start_time": 1.02, "stimulus_amplitude_pa": 50,
            "stimulus_duration": 0.4999, "stimulus_interval": np.nan, "is_complete": 1,
        },
        nan_ok=True, abs=2e-4,
    )  # fmt: skip


@pytest.mark.parametrize(("stop", "is_ramp"), [(19_998, False), (19_999, True)])
def test_the_end_of_a_truncated_sweep_and_of_a_ramp_is_not_measured(stop, is_ramp):
    v, i = sweep()
    found = current_clamp_quality(v, i, RATE, 7_500, stop, is_ramp)
    assert np.isnan([found[name] for name in ("post_vm_mv", "post_noise_rms_mv", "vm_delta_mv")]).all()
    assert found["pre_vm_mv"] == pytest.approx(-70)


def test_a_stimulus_that_only_goes_down_is_missed_unless_corrected():
    down = np.where(np.arange(100) < 60, 0.0, -1.0)
    assert first_edge(down, 10) == 0
    assert first_edge(down, 10, corrected=True) == 60
    assert first_edge(np.zeros(100), 10, corrected=True) == 0
    back = np.where((np.arange(100) >= 60) & (np.arange(100) < 80), -1.0, 0.0)
    assert first_edge(back, 10) == 60  # it goes up again, and the step down is the earlier one


def test_the_amplitude_is_the_larger_extreme_and_of_equals_the_negative():
    assert signed_extreme(np.array([0, 3, -5])) == -5
    assert signed_extreme(np.array([0, 5, -3])) == 5
    assert signed_extreme(np.array([0, 5, -5])) == -5


@pytest.mark.parametrize(
    ("onsets", "lengths", "interval"),
    [([10, 30, 50], [3, 3, 3], 20), ([10, 30, 51], [3, 3, 3], None), ([10, 30, 50], [3, 4, 3], None),
     ([10], [3], None), ([], [], None)],
)  # fmt: skip
def test_only_equal_and_equally_spaced_pulses_have_an_interval(onsets, lengths, interval):
    i = np.zeros(100)
    for onset, length in zip(onsets, lengths, strict=True):
        i[onset : onset + length] = 1
    found = pulse_interval(i)
    assert found == interval if interval is not None else np.isnan(found)


def test_resistances_follow_from_voltage_and_current_of_the_pulses():
    """10 mV; 1 nA at the peak: 10 MOhm; 50 pA in the end: 200 MOhm."""
    v, i = np.full(2_000, -0.07), np.full(2_000, -20e-12)
    for start in (400, 1_200):
        v[start : start + 200] += 0.010
        i[start : start + 200] += 50e-12
        i[start] += 950e-12
    found = pulse_resistance(v, i, RATE)
    assert found == pytest.approx({"steady_ohm": 200e6, "peak_ohm": 10e6})


def test_pulses_that_do_not_pair_tell_no_resistance():
    step = np.where(np.arange(2_000) < 400, -0.07, -0.06)
    assert np.isnan(list(pulse_resistance(step, step * 1e-9, RATE).values())).all()
    assert np.isnan(list(pulse_resistance(np.zeros(50), np.zeros(50), RATE).values())).all()
