"""Spikes drawn by hand, sample by sample, and what the deprecated extractor's rules make of them."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.udfs.legacy_features import legacy_features, legacy_slope, legacy_spikes, legacy_sweep
from brainlake.udfs.registry import Ragged

RATE = 20_000.0  # no filter at this rate; one sample is 50 us, so 1 mV a sample is 20 V/s
SHAPE = np.array([-60, -59.5, -40, -10, 20, 30, 10, -20, -50, -65.0])  # then up by 5 mV in 160 samples
ONSET, DURATION = 0.2, 0.2
THRESHOLDS = [0.25, 0.26, 0.28, 0.31]  # s


def drawn(thresholds=THRESHOLDS) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    t = np.arange(10_000) / RATE
    v, i = np.full(len(t), -60.0), np.where((t >= ONSET) & (t < ONSET + DURATION), 120.0, 0.0)
    for at in thresholds:
        k = round(at * RATE)
        v[k : k + 10] = SHAPE
        v[k + 10 : k + 170] = -65 + 5 * np.arange(1, 161) / 160
    return v, i, t


def test_a_spike_has_the_features_one_reads_off_it():
    spikes = legacy_spikes(*drawn(), ONSET, DURATION)
    first = {name: values[0] for name, values in spikes.items()}
    k = 5_000
    indices = {name: value - k for name, value in first.items() if name.endswith("_index")}
    assert indices == {
        "peak_index": 5, "upstroke_index": 2, "threshold_index": 0, "n30_index": 3, "downstroke_index": 6,
        "trough_index": 9,
    }  # fmt: skip
    by_hand = {
        "f_peak": 30, "threshold_v": -60, "upstroke": 600, "upstroke_v": -40, "downstroke": -600, "downstroke_v": 10,
        "f_trough": -65, "f_fast_ahp": -65, "threshold_i": 120,
        "thresh_ramp": 600 - 10,  # no sample before the upstroke is 5 mV past threshold
        "rise_time": 5 / RATE,
        "half_height_width": 4 / RATE,  # level -15 mV: from -10 to -20 mV
        "width": 1e3 * 3 / RATE,  # level -17.5 mV: from -10 to 10 mV
        "f_slow_ahp": -62, "f_slow_ahp_time": 0.005 / (0.01 - 0.00025),
    }  # fmt: skip
    assert {name: first[name] for name in by_hand} == pytest.approx(by_hand)


def test_a_sweep_is_described_by_its_intervals():
    v, i, t = drawn()
    sweep = legacy_sweep(v, t, legacy_spikes(v, i, t, ONSET, DURATION), ONSET, DURATION)
    assert sweep == pytest.approx(
        {
            "base_v": -60, "n_spikes": 4, "rate": 20, "adapt": (10 / 30 + 10 / 50) / 2,
            "isi_cv": np.sqrt(200 / 3) / 20, "doublet": 10, "latency": 50, "latency_n30": 50.15, "isi_avg": 20,
        }
    )  # fmt: skip


@pytest.mark.parametrize(("n", "defined"), [(0, set()), (1, {"latency"}), (2, {"latency", "doublet"}),
                                            (3, {"latency", "doublet", "isi_cv"})])  # fmt: skip
def test_few_spikes_leave_features_undefined(n, defined):
    v, i, t = drawn(THRESHOLDS[:n])
    sweep = legacy_sweep(v, t, legacy_spikes(v, i, t, ONSET, DURATION), ONSET, DURATION)
    found = {name for name in ("latency", "doublet", "isi_cv", "adapt") if not np.isnan(sweep[name])}
    assert (sweep["n_spikes"], found) == (n, defined)


def test_spikes_outside_of_the_window_and_cut_by_its_end_do_not_count():
    k = 5_000
    v, i, t = drawn([0.15, 0.25, 0.45])
    assert legacy_spikes(v, i, t, ONSET, DURATION)["threshold_index"].tolist() == [k]
    cut = (k + 6) / RATE - ONSET  # the peak is the window's last sample
    assert not len(legacy_spikes(v, i, t, ONSET, cut)["f_peak"])
    assert len(legacy_spikes(v, i, t, ONSET, cut + 1 / RATE)["f_peak"]) == 1


def test_low_and_slow_bumps_are_no_spikes():
    v, i, t = drawn([0.25])
    assert not len(legacy_spikes(v - 65, i, t, ONSET, DURATION)["f_peak"])  # peak at -35 mV
    v[5_000:5_010] = [-60, -58.5, -59, *[-60] * 7]  # height 1.5 mV
    assert not len(legacy_spikes(v, i, t, ONSET, DURATION)["f_peak"])


def test_only_the_rate_of_200_khz_is_filtered():
    step = np.where(np.arange(400) < 200, -70.0, 20.0)
    assert np.count_nonzero(legacy_slope(step, np.arange(400) / 20_000)) == 1
    assert np.count_nonzero(np.abs(legacy_slope(step, np.arange(400) / 200_000)) > 1) > 10


def test_a_column_of_sweeps_gives_each_its_own_spikes_and_an_empty_one_none():
    v, i, _ = drawn()
    response = Ragged.of([v * 1e-3, [], v[:5_500] * 1e-3], np.float32)
    stimulus = Ragged.of([i * 1e-12, [], i[:5_500] * 1e-12], np.float32)
    found = legacy_features(response, stimulus, np.full(3, RATE), np.full(3, ONSET), np.full(3, 0.07))
    assert found["n_spikes"].tolist() == [2, 0, 2]
    assert np.diff(found["spikes"].offsets).tolist() == [2, 0, 2]
    assert found["spikes"].values["f_peak"] == pytest.approx(30, rel=1e-6)
