"""Baseline, deflection, charging and delays of sweeps whose answers are known beforehand."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.udfs import membrane_fits, sweep_features_batch
from brainlake.udfs.registry import Ragged
from brainlake.udfs.spike_detection import estimate_adjusted_detection_parameters
from brainlake.udfs.spike_features import ExtractionOptions
from brainlake.udfs.sweep_features import (
    AMPLITUDES,
    SweepExtractor,
    baseline_voltage,
    estimate_sag,
    extract_sweeps,
    voltage_deflection,
)
from brainlake.udfs.voltage_traces import FeatureError, Trace

RATE = 50_000.0
T = np.arange(60_000) / RATE
START, STOP = 0.3, 0.9
WINDOW = ExtractionOptions(start=START, stop=STOP)
INSIDE = (T >= START) & (T < STOP)


def charged(amplitude: float = -20.0, tau: float = 0.02, sag: float = 0.0) -> np.ndarray:
    """From -70 mV towards -70 + amplitude during the step; a share comes back after 0.1 s."""
    v = np.full(len(T), -70.0)
    x = T[INSIDE] - START
    v[INSIDE] += amplitude * (1 - np.exp(-x / tau)) - amplitude * sag * (1 - np.exp(-np.clip(x - 0.1, 0, None) / 0.02))
    return v


def step(amplitude: float) -> np.ndarray:
    return np.where(INSIDE, amplitude, 0.0)


def with_spikes(*times: float, rise: float = 8.0) -> np.ndarray:
    """A slow charging and triangular spikes of 90 mV, up within 0.3 ms and down within 0.6 ms."""
    v = charged(rise, tau=0.1)
    for time in times:
        at = round(time * RATE)
        v[at : at + 15] += np.linspace(0, 90, 15)
        v[at + 15 : at + 45] += np.linspace(90, -4, 30)
        v[at + 45 : at + 300] += np.linspace(-4, 0, 255)
    return v


def test_a_time_constant_is_found_back():
    sweep = SweepExtractor(Trace.sampled(charged(tau=0.02), RATE, step(-50.0)), WINDOW)
    assert sweep.sweep_feature("v_baseline_mv") == pytest.approx(-70)
    assert sweep.sweep_feature("tau") == pytest.approx(0.02, rel=1e-6)
    assert sweep.sweep_feature("tau_fit").rmse < 1e-6
    assert sweep.sweep_feature("tau_fit").tau(max_rmse=1e-4) == pytest.approx(0.02, rel=1e-6)
    assert sweep.flags == set()


def test_a_noisy_fit_passes_as_in_the_reference_but_not_by_its_root_mean_square():
    noise = np.random.default_rng(1).normal(0, 0.05, len(T))
    sweep = SweepExtractor(Trace.sampled(charged() + noise, RATE, step(-50.0)), WINDOW)
    assert sweep.sweep_feature("tau") == pytest.approx(0.02, rel=0.05)
    assert sweep.sweep_feature("tau_fit").rmse == pytest.approx(0.05, rel=0.05)
    assert np.isnan(sweep.sweep_feature("tau_fit").tau(max_rmse=1e-4))
    assert sweep.flags == {"tau_rmse_signed"}


def test_a_fit_that_cannot_be_made_says_so():
    with pytest.raises(FeatureError, match="cannot be fitted to 2 samples"):
        membrane_fits.fit_membrane_time_constant(charged(), T, 0.3, 0.30004)
    flat = SweepExtractor(Trace.sampled(np.linspace(-70, -60, len(T)), RATE, step(-50.0)), WINDOW)
    with pytest.raises(FeatureError, match="does not reach 10 %"):
        flat.sweep_feature("tau")


def test_sag_is_the_share_of_the_deflection_that_comes_back():
    trace = Trace.sampled(charged(-20.0, tau=0.005, sag=0.25), RATE, step(-50.0))
    assert estimate_sag(trace, WINDOW, -70.0) == pytest.approx(0.25, rel=0.05)  # the deepest is a mean over 5 ms
    no_sag = Trace.sampled(charged(-20.0, tau=0.005), RATE, step(-50.0))
    assert estimate_sag(no_sag, WINDOW, -70.0) == pytest.approx(0, abs=1e-6)


def test_a_deflection_is_where_the_current_points_to():
    v = charged()
    v[35_000] = -10.0
    down, up = (Trace.sampled(v, RATE, step(sign * 50.0)) for sign in (-1, 1))
    assert voltage_deflection(down, START, STOP)[0] == pytest.approx(-90)
    assert voltage_deflection(up, START, STOP) == (-10.0, 35_000)
    assert voltage_deflection(up, START, STOP, "min")[0] == pytest.approx(-90)
    assert voltage_deflection(Trace.sampled(v, RATE), START, STOP)[0] == pytest.approx(-90)  # no current: min
    assert voltage_deflection(up)[1] == 35_000  # the whole sweep, by the current in its middle
    with pytest.raises(ValueError, match="min or max"):
        voltage_deflection(up, START, STOP, "left")
    with pytest.raises(FeatureError, match="no sample"):
        voltage_deflection(up, STOP, START)


def test_a_baseline_without_a_start_is_the_first_quiet_stretch():
    v = np.full(len(T), -70.0)
    v[5_000:10_000] = -60.0  # a rise at 0.1 s, a fall at 0.2 s, a rise at 0.6 s
    v[30_000:] = -50.0
    trace = Trace.sampled(v, RATE)
    assert baseline_voltage(trace, ExtractionOptions()) == pytest.approx(-70, abs=0.01)
    assert baseline_voltage(trace, WINDOW) == pytest.approx(-70)
    quiet = Trace.sampled(np.full(len(T), -70.0), RATE)
    assert np.isnan(baseline_voltage(quiet, ExtractionOptions()))


def test_falling_slopes_count_only_where_corrected():
    v = np.full(len(T), -70.0)
    v[5_000:] = -60.0
    v[15_000:] = -65.0  # falls at 0.3 s
    v[30_000:] = -50.0
    sweeps = [SweepExtractor(Trace.sampled(v, RATE), ExtractionOptions(corrected=c)) for c in (False, True)]
    told = [sweep.sweep_feature("v_baseline_mv") for sweep in sweeps]
    assert told == [pytest.approx(-65, abs=0.01), pytest.approx(-60, abs=0.01)]
    assert [sweep.flags for sweep in sweeps] == [{"baseline_detect_one_sided"}, set()]


def test_a_train_has_a_rate_a_latency_and_intervals():
    sweep = SweepExtractor(Trace.sampled(with_spikes(0.4, 0.5, 0.7), RATE, step(50.0)), WINDOW)
    assert sweep.sweep_feature("avg_rate") == pytest.approx(3 / 0.6)
    assert sweep.sweep_feature("latency") == pytest.approx(0.1, abs=1e-3)
    assert sweep.sweep_feature("mean_isi") == pytest.approx(0.15, abs=1e-4)
    assert sweep.sweep_feature("median_isi") == pytest.approx(0.15, abs=1e-4)
    assert sweep.sweep_feature("first_isi") == pytest.approx(0.1, abs=1e-4)
    assert sweep.sweep_feature("adaptation") == pytest.approx(1 / 3, abs=1e-3)
    assert sweep.sweep_feature("isi_cv") == pytest.approx(1 / 3, abs=1e-3)
    told = sweep.as_dict()
    assert [spike["isi_type"] for spike in told["spikes"]] == sweep.spikes.columns["isi_type"].tolist()
    assert set(told) == {*sweep.sweep_feature_keys(), "spikes"}  # what nobody asked for is not told


def test_a_silent_sweep_has_a_rate_only_and_unknown_features_are_errors():
    sweep = SweepExtractor(Trace.sampled(charged(), RATE), WINDOW)
    assert sweep.sweep_feature_keys() == ["avg_rate"]
    assert sweep.sweep_feature("avg_rate") == 0
    for key in ("latency", "beauty"):
        with pytest.raises(KeyError):
            sweep.sweep_feature(key)
        assert np.isnan(sweep.sweep_feature(key, allow_missing=True))
    assert (sweep.pause_metrics(), sweep.bursts(), sweep.delay_metrics()) == ((0, 0.0), [], (0.0, 0.0))


def test_a_delay_is_measured_in_time_constants_of_the_charging():
    v = charged(8.0, tau=0.1)
    x = T[INSIDE] - START
    v[INSIDE] += 5 * (1 - np.exp(-x / 0.01))
    tau = membrane_fits.fit_prespike_time_constant(v, T, START, 0.8, distinct_start=True)
    # the asymptote is taken to be the greatest voltage so far, which 0.5 s before it ends biases the slow component
    assert tau == pytest.approx(0.1, rel=0.1)
    delayed = with_spikes(0.8)
    sweep = SweepExtractor(Trace.sampled(delayed, RATE, step(50.0)), WINDOW)
    ratio, constant = sweep.delay_metrics()
    assert ratio == pytest.approx(0.5 / constant, rel=0.01)
    assert sweep.sweep_feature("delay") == (ratio, constant)
    assert "delay_start_singular" in sweep.flags
    with pytest.raises(FeatureError, match="before the window"):
        membrane_fits.fit_prespike_time_constant(v, T, 0.5, 0.4)


def test_amplitudes_are_told_by_the_kind_of_stimulus():
    i = step(50.0)
    i[20_000] = 70.0
    trace = Trace.sampled(charged(), RATE, i)
    told = {name: SweepExtractor(trace, WINDOW, tell).sweep_feature("stim_amp_pa") for name, tell in AMPLITUDES.items()}
    assert told == {"long_square": 50.0, "short_square": 70.0}
    assert np.isnan(SweepExtractor(trace, WINDOW).sweep_feature("stim_amp_pa"))
    with pytest.raises(FeatureError, match="no current"):
        SweepExtractor(Trace.sampled(charged(), RATE), WINDOW, AMPLITUDES["long_square"]).sweep_feature("stim_amp_pa")


def test_features_of_ones_own_join_those_of_the_sweep():
    sweep = SweepExtractor(Trace.sampled(with_spikes(0.4, 0.5), RATE), WINDOW)
    sweep.add_spike_feature("height", lambda s: s.spikes.columns["peak_v_mv"] - s.spikes.columns["threshold_v_mv"])
    assert sweep.spikes.feature("height") == pytest.approx([90, 90], abs=5)
    sweep.add_sweep_feature("n", lambda s: len(s.spikes))
    assert sweep.sweep_feature("n") == 2
    assert "n" in sweep.as_dict()
    with pytest.raises(KeyError, match="already"):
        sweep.add_spike_feature("peak_t", lambda s: s.isis)
    with pytest.raises(KeyError, match="already"):
        sweep.add_sweep_feature("tau", lambda s: 1.0)
    with pytest.raises(FeatureError, match="1 values for 2 spikes"):
        sweep.add_spike_feature("isis", lambda s: s.isis)


def test_sets_of_sweeps_come_as_lists_of_one_length():
    sweeps = extract_sweeps([charged(), with_spikes(0.4)], [T, T], options=WINDOW)
    assert [sweep.sweep_feature("avg_rate") for sweep in sweeps] == [0, pytest.approx(1 / 0.6)]
    assert [len(sweep.spikes.feature("peak_v_mv")) for sweep in sweeps] == [0, 1]
    with pytest.raises(FeatureError, match="as many"):
        extract_sweeps([charged()], [T, T])
    with pytest.raises(TypeError, match="lists"):
        extract_sweeps(charged(), T)  # type: ignore[arg-type]


def test_short_stimuli_adjust_the_cutoff_to_their_charging():
    """By hand: unfiltered slopes of the charging are 30 V/s, of the spike 300, at the stimulus's end 1."""
    rate = 10_000.0
    v = np.full(200, -70.0)
    v[50:61] = -70 + np.arange(11) * 3.0  # 30 V/s over 1 ms
    v[61:66] = -40 + np.arange(5) * 0.1  # 1 V/s
    v[66:70] = v[65] + np.array([30.0, 60, 40, -30])
    v[70:] = -70.0
    t = np.arange(200) / rate
    cutoff, fraction = estimate_adjusted_detection_parameters([v, v], [t, t], 0.005, 0.0061, filter_khz=None)
    assert cutoff == pytest.approx(33)
    assert fraction == pytest.approx(1.2 * 1.0 / 300)
    with pytest.raises(FeatureError, match="as many voltages as times"):
        estimate_adjusted_detection_parameters([v], [], 0.005, 0.006)
    with pytest.raises(FeatureError, match="no sweep has a spike"):
        estimate_adjusted_detection_parameters([np.full(200, -70.0)], [t], 0.005, 0.0061, filter_khz=None)


def batch(*sweeps: tuple[np.ndarray, np.ndarray, float]) -> list:
    """Arguments of the kernels, with defaults."""
    n = len(sweeps)
    options = [np.full(n, value) for value in (START, STOP, 10.0, 20.0, 0.005, 2.0, -30.0, 0.05)]
    return [
        Ragged.of([v * 1e-3 for v, _, _ in sweeps], np.float32),
        Ragged.of([i * 1e-12 for _, i, _ in sweeps], np.float32),
        np.array([rate for _, _, rate in sweeps]),
        *options,
        np.zeros(n, bool),
    ]


def test_in_a_batch_a_row_says_what_could_not_be_told():
    slow = charged()[::5]
    given = batch(
        (charged(), step(-50.0), RATE), (with_spikes(0.4, 0.5, 0.6), step(50.0), RATE), (slow, slow * 0, 10_000.0)
    )
    told = sweep_features_batch.sweep_features(*given, np.array(["long_square", None, None], object), np.full(3, 1e-4))
    assert told["n_spikes"][:2].tolist() == [0, 3]
    assert told["tau"][0] == pytest.approx(0.02, rel=1e-4)
    assert told["stim_amp_pa"][0] == pytest.approx(-50)
    assert np.isnan(told["tau"][1])
    assert told["n_pauses"][1] == 0
    assert told["error"][0] is None
    assert told["error"][1] is None
    assert "10 kHz needs a sampling rate above 20 kHz" in told["error"][2]
    assert np.isnan(told["n_spikes"][2])


def test_a_registered_function_is_a_feature_in_its_set():
    @sweep_features_batch.register_feature("height", "lab")
    def height(sweep):
        return sweep.spikes.columns["peak_v_mv"] - sweep.spikes.columns["threshold_v_mv"]

    try:
        with pytest.raises(KeyError, match="already"):
            sweep_features_batch.register_feature("height", "lab")(height)
        given = batch((with_spikes(0.4, 0.5), step(50.0), RATE), (charged(), step(-50.0), RATE))
        names = np.full(2, "lab", object)
        told = sweep_features_batch.own_feature(*given, names, np.full(2, "height", object))
        assert told["values"].lengths.tolist() == [2, 0]
        assert (
            told["error"][1] == "KeyError: 'peak_v_mv'"
        )  # without spikes its author's function fails: told, not raised
        told = sweep_features_batch.own_feature(*given, names, np.full(2, "width", object))
        assert "no feature lab.width is registered; there are: lab.height" in told["error"][0]
    finally:
        sweep_features_batch.forget_feature("height", "lab")
