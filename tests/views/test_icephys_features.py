"""Spikes and features of recorded sweeps, asked for in SQL."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.tests.fixtures.memory import memory_connection
from brainlake.tests.fixtures.patch_clamp import Drawn, rows_of
from brainlake.tests.fixtures.spiking_sweeps import draw_sweep
from brainlake.udfs.spike_detection import estimate_adjusted_detection_parameters
from brainlake.udfs.sweep_features_batch import forget_feature, register_feature

RATE = 50_000.0


def recorded(number: int, seed: int, name: str, amplitude: float, n_spikes: int, start: float = 1.02) -> Drawn:
    """A drawn sweep (V, A), its step moved from 0.3 to 1.02 s and made 1 s long, or 3 ms for short squares."""
    drawn = draw_sweep(seed, RATE, duration=1.5, amplitude=amplitude, n_spikes=n_spikes)
    before = round((start - 0.3) * RATE)
    v = np.concatenate([np.full(before, drawn.response[0]), drawn.response])
    t = np.arange(len(v)) / RATE
    length = 0.003 if name.startswith("Short") else 1.0
    i = np.where((t >= start) & (t < start + length), amplitude, 0.0)
    i[(t >= 0.05) & (t < 0.06)] = -20.0
    return Drawn(number, v * 1e-3, i * 1e-12, RATE, name, experiment=(round(0.5 * RATE), len(v) - 1), attributes={})


def short_square(number: int, spikes: bool) -> Drawn:
    v = np.full(80_000, -70.0)
    at = round(1.02 * RATE)
    v[at : at + 150] += np.linspace(0, 20, 150)
    if spikes:
        v[at + 100 : at + 120] += np.linspace(0, 70, 20)
        v[at + 120 : at + 180] += np.linspace(70, -5, 60)
        v[at + 180 : at + 600] += np.linspace(-5, 0, 420)
    i = np.zeros(80_000)
    i[at : at + 150] = 400.0
    return Drawn(number, v * 1e-3, i * 1e-12, RATE, "Short Square", experiment=(round(0.5 * RATE), 79_999))


def hyperpolarised(number: int) -> Drawn:
    """-90 pA from 1.02 to 2.02 s: 20 mV down with a time constant of 20 ms, a quarter of it back after 0.1 s."""
    t = np.arange(110_000) / RATE
    inside = (t >= 1.02) & (t < 2.02)
    x = t[inside] - 1.02
    v = np.full(len(t), -70.0)
    v[inside] -= 20 * (1 - np.exp(-x / 0.02)) - 5 * (1 - np.exp(-np.clip(x - 0.1, 0, None) / 0.02))
    i = np.where(inside, -90.0, 0.0)
    i[(t >= 0.05) & (t < 0.06)] = -20.0
    return Drawn(number, v * 1e-3, i * 1e-12, RATE, "Long Square", experiment=(25_000, len(t) - 1))


SWEEPS = [
    recorded(0, 21, "Long Square", 120.0, 5),
    hyperpolarised(1),
    Drawn(2, np.full(9_000, -0.07), np.zeros(9_000), 15_000.0, "Noise 1", experiment=(0, 8_999)),
    recorded(3, 23, "Noise 1", 150.0, 1),
    short_square(4, spikes=True),
    short_square(5, spikes=True),
    Drawn(6, np.full(9_000, 1e-12), np.zeros(9_000), RATE, "Test", clamp_mode="voltage_clamp"),
]


@pytest.fixture(scope="module")
def con():
    con = memory_connection(rows_of(SWEEPS))
    yield con
    con.close()


def test_every_current_clamp_sweep_has_a_row_with_features_or_a_reason(con):
    found = con.execute("select sweep_number, n_spikes, error from icephys.sweep_features order by all").fetchall()
    assert [row[0] for row in found] == [0, 1, 2, 3, 4, 5]
    assert [row[1] for row in found] == [5, 0, None, 1, 1, 1]
    assert [row[2] is None for row in found] == [True, True, False, True, True, True]
    assert found[2][2].startswith("a filter of 10 kHz needs a sampling rate above 20 kHz, not 15 kHz")


def test_spikes_are_rows_numbered_within_their_sweep(con):
    found = con.execute(
        "select sweep_number, spike_index, threshold_t from icephys.spike_features where sweep_number < 4 order by all"
    ).fetchall()
    assert [row[:2] for row in found] == [(0, 0), (0, 1), (0, 2), (0, 3), (0, 4), (3, 0)]
    times = draw_sweep(21, RATE, duration=1.5, amplitude=120.0, n_spikes=5).spike_times + 0.72
    assert [row[2] for row in found[:5]] == pytest.approx(times.tolist(), abs=0.003)  # drawn are the peaks


def test_features_are_of_the_stimulus_window_of_long_squares(con):
    window, rate, first, latency = con.execute(
        "select [window_start, window_stop], avg_rate, first_isi, latency from icephys.sweep_features where sweep_number = 0"
    ).fetchone()
    times = con.execute(
        "select threshold_t from icephys.spike_features where sweep_number = 0 order by all"
    ).fetchnumpy()
    times = times["threshold_t"]
    assert window == pytest.approx([1.02, 2.02], abs=1e-4)
    assert rate == pytest.approx(np.count_nonzero((times >= 1.02) & (times <= 2.02)) / 1.0, rel=1e-3)
    assert first == pytest.approx(times[1] - times[0])
    assert latency == pytest.approx(times[0] - 1.02, abs=1e-4)


def test_silent_hyperpolarised_sweeps_have_a_time_constant_and_a_sag(con):
    amplitude, tau, sag, rmse, flags = con.execute(
        "select stim_amp_pa, tau, sag, tau_rmse_mv, feature_flags from icephys.sweep_features where sweep_number = 1"
    ).fetchone()
    assert amplitude == pytest.approx(-90)
    assert tau == pytest.approx(0.02, rel=1e-3)
    assert sag == pytest.approx(0.25, rel=0.05)  # the deepest is a mean over 5 ms
    assert (rmse > 1e-4) == ("tau_rmse_signed" in flags)


def test_short_squares_are_detected_with_options_adjusted_to_all_of_them(con):
    told = con.execute(
        "select distinct used_dv_cutoff, used_thresh_frac from icephys.sweep_features where sweep_number in (4, 5)"
    ).fetchall()
    v = [SWEEPS[k].response.astype(np.float32).astype(np.float64) * 1e3 for k in (4, 5)]
    t = [np.arange(len(one)) / RATE for one in v]
    cutoff, fraction = estimate_adjusted_detection_parameters(v, t, 1.02, 1.021)
    assert told == [(pytest.approx(cutoff), pytest.approx(max(0.1, fraction)))]
    assert cutoff != pytest.approx(20)


def test_options_are_parameters_for_any_relation_of_sweeps(con):
    con.execute(
        """create temp table mine as
        select specimen_id, sweep_number, response, 50000.0::double as sampling_rate
        from icephys.sweep_traces where sweep_number in (0, 3)"""
    )

    def count(arguments: str) -> int:
        return con.execute(f"select count(*) from icephys.spike_features_of('mine'{arguments})").fetchone()[0]

    assert count("") == 6
    assert count(", min_peak := 1000") == 0
    assert count(", filter_khz := null, dv_cutoff := 1e6") == 0
    (threshold,) = con.execute("select max(threshold_i_pa) from icephys.spike_features_of('mine')").fetchone()
    assert threshold is None  # these have no stimulus


def test_two_sets_of_options_are_compared_in_one_query(con):
    """CT-202: filtered and unfiltered upstrokes of the same spikes."""
    ratio = con.execute(
        """with sweeps as (
            select t.specimen_id, t.sweep_number, t.response, s.sampling_rate
            from icephys.sweep_traces as t
            join icephys.sweeps as s on s.specimen_id = t.specimen_id and s.sweep_number = t.sweep_number
            where t.sweep_number = 0
        )
        select avg(a.upstroke / b.upstroke)
        from icephys.spike_features_of('sweeps') as a
        join icephys.spike_features_of('sweeps', filter_khz := null) as b
            on b.sweep_number = a.sweep_number and b.peak_index = a.peak_index"""
    ).fetchone()
    assert 0.5 < ratio[0] < 1.0  # the filter blunts them


def test_a_registered_function_answers_per_spike_or_per_sweep(con):
    sweeps = """with sweeps as (
        select t.specimen_id, t.sweep_number, t.response, s.sampling_rate
        from icephys.sweep_traces as t
        join icephys.sweeps as s on s.specimen_id = t.specimen_id and s.sweep_number = t.sweep_number
        where t.sweep_number in (0, 1)
    )"""
    try:
        register_feature("n", "lab")(lambda sweep: len(sweep.spikes))
        register_feature("height", "lab")(lambda sweep: sweep.spikes.feature("peak_v_mv"))
        counts = con.execute(
            f"{sweeps} select sweep_number, value from icephys.own_features('sweeps', 'lab', 'n') order by all"
        )
        assert counts.fetchall() == [(0, 5.0), (1, 0.0)]
        heights = con.execute(
            f"{sweeps} select sweep_number, value_index, value is null from icephys.own_features('sweeps', 'lab', 'height') order by all"
        )
        assert heights.fetchall() == [*((0, k, False) for k in range(5)), (1, None, True)]
        (error,) = con.execute(
            f"{sweeps} select any_value(error) from icephys.own_features('sweeps', 'lab', 'x')"
        ).fetchone()
        assert "no feature lab.x is registered" in error
    finally:
        forget_feature("n", "lab")
        forget_feature("height", "lab")


def test_stimuli_are_told_from_their_samples(con):
    found = con.execute(
        """select sweep_number, stimulus_start_time, stimulus_amplitude_pa, error
        from icephys.stimulus_shapes(kind := 'square') where sweep_number in (0, 1, 2) order by all"""
    ).fetchall()
    assert found[0][1:3] == pytest.approx((1.02, 120.0), rel=1e-5)
    assert found[1][1:3] == pytest.approx((1.02, -90.0), rel=1e-5)
    assert "no square step" in found[2][3]
    starts = con.execute("select first_change_time from icephys.stimulus_shapes() where sweep_number = 0").fetchone()
    assert starts == pytest.approx((1.02,), abs=1e-9)
