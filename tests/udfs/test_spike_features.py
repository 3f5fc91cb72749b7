"""Spikes in traces small enough to be followed by hand, and in recorded ones."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.tests.fixtures.spiking_sweeps import draw_sweep
from brainlake.udfs import spike_detection, voltage_traces
from brainlake.udfs.compiling import compiled
from brainlake.udfs.registry import Ragged
from brainlake.udfs.spike_features import (
    ExtractionOptions,
    extract_spike_features,
    is_affected_by_clipping,
    spike_features,
)
from brainlake.udfs.spike_shape import TroughRules, analyze_trough_details, find_widths
from brainlake.udfs.voltage_traces import FeatureError, Trace, calculate_dvdt

RATE = 10_000.0  # dV/dt in V/s is ten times the difference of neighbours in mV
SPIKE = [-69.0, -40.0, 10.0, 30.0, 20.0, -20.0, -60.0, -72.0, -73.0]  # the peak is its fourth sample


def trace_of(*pieces: list[float]) -> Trace:
    return Trace.sampled(np.concatenate(pieces), RATE)


def flat(n: int, v: float = -70.0) -> list[float]:
    return [v] * n


def recovery(n: int) -> list[float]:
    """From the trough back to -70 mV, too slowly to count as a rise."""
    return np.linspace(-73.0, -70.0, n).tolist()


UNFILTERED = ExtractionOptions(filter_khz=None)
ONE_SPIKE = trace_of(flat(20), SPIKE, recovery(300))


def test_a_spike_is_measured_as_by_hand():
    spikes = extract_spike_features(ONE_SPIKE, UNFILTERED)
    found = {name: column[0] for name, column in spikes.columns.items()}
    assert len(spikes) == 1
    assert found["threshold_index"] == 19  # dV/dt 10 there, then 290; 5 % of 500 is 25
    assert found["threshold_v_mv"] == -70
    assert (found["peak_index"], found["peak_v_mv"]) == (23, 30)
    assert (found["upstroke_index"], found["upstroke"]) == (21, pytest.approx(500))
    assert (found["downstroke_index"], found["downstroke"]) == (24, pytest.approx(-400))
    assert found["trough_index"] == found["fast_trough_index"] == 28
    assert found["spike_width"] == pytest.approx(0.0005)  # half height -21.5 mV: samples 21 and 26
    assert found["upstroke_downstroke_ratio"] == pytest.approx(1.25)
    assert found["isi_type"] == "direct"
    assert np.isnan(found["adp_index"])
    assert np.isnan(found["isi_to_next"])
    assert not found["clipped"]


def test_intervals_run_from_threshold_to_threshold():
    spikes = extract_spike_features(trace_of(flat(20), SPIKE, recovery(191), SPIKE, recovery(300)), UNFILTERED)
    assert spikes.columns["threshold_t"] == pytest.approx([0.0019, 0.0219])
    assert spikes.columns["isi_to_next"][0] == pytest.approx(0.02)


def test_the_window_includes_both_its_ends():
    two = trace_of(flat(20), SPIKE, recovery(191), SPIKE, recovery(300))
    late = extract_spike_features(two, ExtractionOptions(filter_khz=None, start=0.005))
    early = extract_spike_features(two, ExtractionOptions(filter_khz=None, stop=0.01))
    assert late.columns["peak_index"].tolist() == [223]
    assert early.columns["peak_index"].tolist() == [23]


def test_a_spike_cut_off_before_its_end_is_clipped_and_has_nothing_after_its_peak():
    clipped = extract_spike_features(trace_of(flat(20), SPIKE[:6]), UNFILTERED)
    assert clipped.columns["clipped"].tolist() == [True]
    assert clipped.columns["peak_index"].tolist() == [23]
    for name in clipped.columns:
        if is_affected_by_clipping(name) and name != "isi_type":
            assert np.isnan(clipped.columns[name]).all(), name
    assert clipped.feature("spike_width").tolist() == []
    assert len(clipped.feature("spike_width", include_clipped=True)) == 1
    assert clipped.feature("peak_v_mv").tolist() == [30]
    assert clipped.feature("peak_v_mv", force_exclude_clipped=True).tolist() == []


def test_asking_for_clipped_spikes_both_ways_or_for_unknown_columns_is_an_error():
    spikes = extract_spike_features(ONE_SPIKE, UNFILTERED)
    with pytest.raises(ValueError, match="both included and excluded"):
        spikes.feature("peak_v_mv", include_clipped=True, force_exclude_clipped=True)
    with pytest.raises(KeyError):
        spikes.feature("beauty")
    silent = extract_spike_features(trace_of(flat(50)), UNFILTERED)
    assert silent.feature("peak_v_mv").tolist() == []
    assert np.isnan(silent.average("peak_v_mv"))
    assert spikes.average("peak_v_mv") == 30


def test_a_second_rise_counts_only_after_a_fall():
    t = np.arange(10) / RATE
    dvdt = np.array([0.0, 30.0, 10.0, 30.0, 0.0, -1.0, 0.0, 30.0, 0.0])
    found = spike_detection.detect_putative_spikes(np.zeros(10), t, dvdt=dvdt)
    assert found.tolist() == [0, 6]  # the rise after sample 2 follows no fall


def test_spikes_without_a_fall_between_them_are_one():
    dvdt = np.array([1.0, 1, 1, -1, 1, 1, 1, 1])
    v = np.array([-60.0, -40, -10, 0, -30, -20, 10, 20])
    spikes, peaks = spike_detection.filter_putative_spikes(
        v, np.array([0, 2, 4]), np.array([1, 3, 7]), dvdt, min_height=2, min_peak=-30
    )
    assert spikes.tolist() == [0, 4]  # none between peak 1 and spike 2; the second's peak is kept
    assert peaks.tolist() == [3, 7]


def test_low_and_small_peaks_are_left_out():
    v = np.array([-60.0, -31, -50, -30, -1, 0.5, -60, 0])
    none_falls = np.full(7, -1.0)
    spikes, peaks = np.array([0, 2, 4, 6]), np.array([1, 3, 5, 7])
    kept, _ = spike_detection.filter_putative_spikes(v, spikes, peaks, none_falls)
    assert kept.tolist() == [2, 6]  # -31 mV is below -30; 1.5 mV is less than 2


def test_overlapping_spikes_are_merged():
    t, v = np.arange(40) / RATE, np.full(40, -70.0)
    v[[10, 20]] = 0
    dvdt = np.zeros(39)
    thresholds, peaks, upstrokes, clipped = spike_detection.check_thresholds_and_peaks(
        v, t, np.array([5, 11]), np.array([10, 20]), np.array([8, 15]), dvdt
    )
    assert (thresholds.tolist(), peaks.tolist(), upstrokes.tolist()) == ([5], [20], [15])
    assert clipped.tolist() == [False]


def test_a_threshold_too_far_from_its_peak_is_looked_for_again_or_its_peak_is():
    t = np.arange(400) / RATE
    v = np.full(400, -70.0)
    v[100:160] = np.linspace(-70, -30, 60)
    v[160] = 10
    dvdt = np.full(399, 20.0)
    dvdt[159] = 400

    def check(slopes: np.ndarray):
        return spike_detection.check_thresholds_and_peaks(
            v, t, np.array([100]), np.array([160]), np.array([159]), slopes, max_interval=0.005
        )

    nearer = dvdt.copy()
    nearer[150] = 19.0  # 5 % of 400 is 20
    assert check(nearer)[0].tolist() == [159 - 1]  # 20 <= 20: the sample right before the upstroke
    steep = np.full(399, 21.0)
    steep[159] = 400
    assert check(steep)[0].tolist() == []  # no threshold within 5 ms, and no peak within 5 ms of it
    v[105] = 20
    assert [x.tolist() for x in check(steep)[:2]] == [[100], [105]]


def test_the_nearer_threshold_is_by_the_default_fraction_as_in_the_reference_unless_corrected():
    slow = np.linspace(-70, -62, 65).tolist()  # 1.25 V/s: above 0.2 % of 500 V/s, below 5 %
    trace = trace_of(flat(20), slow, [-40.0, 10.0, 30.0, 20.0, -20.0, -60.0, -72.0, -73.0], recovery(300))
    told = {
        corrected: extract_spike_features(
            trace, ExtractionOptions(filter_khz=None, thresh_frac=0.002, corrected=corrected)
        )
        for corrected in (False, True)
    }
    assert told[False].flags == {"threshold_fraction_default"}
    assert told[False].columns["threshold_index"].tolist() == [83]  # 5 %: the last slow sample
    assert told[True].flags == set()
    assert len(told[True]) == 0  # 0.2 %: none within 5 ms of the peak, nor a peak within 5 ms of the first


def test_an_afterdepolarisation_makes_a_detour():
    t = np.arange(200) / RATE
    v = np.full(200, -60.0)
    v[10] = 20  # peak
    v[11:15] = [-20, -50, -60, -60]
    v[15:25] = np.linspace(-60, -56, 10)  # rises by 4 mV
    v[25:60] = np.linspace(-56, -62, 35)
    dvdt = calculate_dvdt(v, t)
    thresholds, peaks = np.array([5, 150]), np.array([10, 160])
    v[160] = 20
    details = analyze_trough_details(v, t, thresholds, peaks, dvdt, lambda *_: dvdt, np.array([False, True]))
    assert details.isi_type.tolist() == ["detour", None]
    assert details.fast_trough[0] == 13
    assert details.adp[0] == 24  # dV/dt falls to 0 or below
    assert details.slow_trough[0] == 59
    high = analyze_trough_details(
        v, t, thresholds, peaks, dvdt, lambda *_: dvdt, np.array([False, True]), rules=TroughRules(adp_max_dv=3.0)
    )
    assert np.isnan(high.adp[0])  # too high above the fast trough: a slow trough only
    assert (high.isi_type[0], high.slow_trough[0]) == ("detour", 59)


def test_a_repolarisation_that_does_not_end_before_the_next_spike_counts_as_clipped():
    t = np.arange(30) / RATE
    v = np.concatenate([flat(10), np.linspace(30, -60, 10), flat(10, -60.0)])
    dvdt = calculate_dvdt(v, t)
    details = analyze_trough_details(v, t, np.array([5, 15]), np.array([10, 25]), dvdt, lambda *_: dvdt)
    assert details.clipped[0]
    assert details.isi_type[0] is None


def test_half_height_below_threshold_is_taken_above_threshold():
    t = np.arange(8) / RATE
    v = np.array([-30.0, -10, 0, 20, 5, -20, -60, -90])
    width = find_widths(v, t, np.array([0]), np.array([3]), np.array([7.0]))
    assert width == pytest.approx([0.0004])  # -35 mV is below -30; (20 + 30) / 2 - 30 = -5 mV: samples 1 and 5
    assert np.isnan(find_widths(v, t, np.array([0]), np.array([3]), np.array([np.nan]))).all()


def test_a_trough_needs_samples_after_the_peak_and_a_peak():
    t, v = np.arange(20) / RATE, np.zeros(20)
    with pytest.raises(FeatureError, match="no sample"):
        spike_detection.find_trough_indexes(v, t, np.array([5]), np.array([19]))
    with pytest.raises(FeatureError, match="2 troughs of 1 peaks"):
        spike_detection.find_downstroke_indexes(np.array([3]), np.array([5.0, 8.0]), np.zeros(19))


def test_a_sweep_shorter_than_its_window_or_without_arrays_is_refused():
    with pytest.raises(FeatureError, match="ends before 5"):
        extract_spike_features(ONE_SPIKE, ExtractionOptions(stop=5.0))
    with pytest.raises(FeatureError, match="same shape"):
        Trace(np.zeros(3), np.zeros(4))
    with pytest.raises(TypeError):
        Trace([0.0], [0.0])  # type: ignore[arg-type]


def test_repeated_times_are_left_out_and_flagged():
    t = ONE_SPIKE.t.copy()
    t[100:] -= 1 / RATE  # sample 100 at the time of sample 99
    t[200:] += 0.001  # no fixed step
    spikes = extract_spike_features(Trace(ONE_SPIKE.v.copy(), np.sort(t)), UNFILTERED)
    assert spikes.flags == set()  # v differs there: an infinite slope is a number
    v = ONE_SPIKE.v.copy()
    v[100] = v[99]
    assert extract_spike_features(Trace(v, np.sort(t)), UNFILTERED).flags == {"repeated_times_deleted"}


@pytest.mark.parametrize("window", [{}, {"start": 0.3, "stop": 0.9}])
def test_with_numba_or_without_the_spikes_are_the_same(window, monkeypatch):
    drawn = draw_sweep(12, sampling_rate=200_000.0, n_spikes=12)
    told = []
    for find_loop in (lambda loop, n: compiled(loop), lambda loop, n: None):
        monkeypatch.setattr(voltage_traces, "worth_compiling", find_loop)
        trace = Trace.sampled(drawn.response, drawn.sampling_rate, drawn.stimulus)
        told.append(extract_spike_features(trace, ExtractionOptions(**window)).columns)
    assert len(told[0]["peak_t"]) > 5
    for name, column in told[0].items():
        if name == "isi_type":
            assert column.tolist() == told[1][name].tolist()
        else:
            np.testing.assert_allclose(column.astype(float), told[1][name].astype(float), rtol=1e-9)


def test_a_threshold_before_the_window_is_found_as_if_all_had_been_filtered():
    """The walk back from the first upstroke ends where v begins to rise, however long before the window that is."""
    pieces = (
        flat(20_000),
        np.linspace(-70, -30, 800),
        np.linspace(-30, 10, 200),
        np.linspace(10, -70, 400),
        flat(9_000),
    )
    v = np.concatenate(pieces)  # 10 V/s for 4 ms, then 40 V/s for 1 ms
    options = ExtractionOptions(start=0.103, max_interval=0.1)  # 1 ms before the faster rise
    slope = calculate_dvdt(v, np.arange(len(v)) / 200_000.0, 10.0)
    threshold = np.flatnonzero(slope[:20_900] <= 0.05 * slope[20_800:21_000].max())[-1]
    assert 19_900 < threshold < 20_010
    spikes = extract_spike_features(Trace.sampled(v, 200_000.0), options)
    assert spikes.columns["threshold_index"].tolist() == [threshold]


@pytest.mark.parametrize("filter_khz", [10.0, None])
def test_what_stays_below_the_least_peak_has_no_spike_however_fast_it_rises(filter_khz):
    low = Trace.sampled(ONE_SPIKE.v - 70, 50_000.0)
    assert calculate_dvdt(low.v, low.t, filter_khz).max() > 20
    assert len(extract_spike_features(low, ExtractionOptions(filter_khz=filter_khz))) == 0
    assert len(extract_spike_features(low, ExtractionOptions(filter_khz=filter_khz, min_peak=-60.0))) == 1
    with pytest.raises(FeatureError, match="sampling rate above"):  # told all the same
        extract_spike_features(low, ExtractionOptions(filter_khz=30.0))


def test_the_kernel_answers_for_many_sweeps_and_says_what_is_wrong_with_one():
    response = Ragged.of([ONE_SPIKE.v / 1e3, flat(3, -0.07), []], np.float32)
    rows = [np.full(3, value) for value in (np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan, np.nan)]
    stimulus = Ragged.of([np.full(len(ONE_SPIKE), 5e-11), [], []], np.float32)
    told = spike_features(response, stimulus, np.full(3, RATE), *rows, np.zeros(3, bool))
    spikes = told["spikes"]
    assert spikes.offsets.tolist() == [0, 1, 1, 1]
    assert spikes.values["peak_v_mv"] == pytest.approx([30.0])
    assert spikes.values["peak_i_pa"] == pytest.approx([50.0])
    assert told["error"].tolist() == [None, None, "the sweep has no samples, or no sampling rate"]
