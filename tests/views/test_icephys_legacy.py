"""What the deprecated extractor's features come to over sweeps, and how sweeps are scored against them."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.lake.questions import below, standard
from brainlake.tests.fixtures.memory import memory_connection
from brainlake.tests.fixtures.patch_clamp import rows_of
from brainlake.tests.fixtures.steps import long_square, short_square

ASKED = below(
    ["icephys.legacy_spike_features", "icephys.legacy_features", "icephys.legacy_summary", "icephys.legacy_scores",
     "icephys.sweeps", "icephys.sweep_traces"], standard(),
)  # fmt: skip
PEAKS = [0.1, 0.2, 0.4, 0.7]  # intervals of 100, 200 and 300 ms


@pytest.fixture(scope="module")
def con():
    sweeps = [long_square(0, 120, PEAKS), long_square(1, 120, PEAKS[:2]), short_square(2, 900, False)]
    con = memory_connection(rows_of(sweeps), {name: q for name, q in standard().items() if name in ASKED})
    con.execute("""
        create table traces as
        select s.specimen_id, s.sweep_number, t.response, t.stimulus, s.sampling_rate
        from icephys.sweeps as s join icephys.sweep_traces as t using (specimen_id, sweep_number)""")
    con.execute("create table features as from icephys.legacy_features('traces')")
    yield con
    con.close()


def test_features_of_a_sweep_are_rows_and_those_it_lacks_are_none(con):
    found = con.sql("select sweep_number, feature, value from features where deviation is null").fetchall()
    of = {number: {f: x for n, f, x in found if n == number} for number in range(3)}
    intervals = np.array([100, 200, 300])
    assert of[0] | {"latency_n30": 0, "latency": 0, "base_v": 0} == pytest.approx(
        {"base_v": 0, "n_spikes": 4, "rate": 4, "adapt": (100 / 300 + 100 / 500) / 2, "doublet": 100, "isi_avg": 200,
         "isi_cv": intervals.std() / intervals.mean(), "latency": 0, "latency_n30": 0}, rel=1e-2)  # fmt: skip
    assert set(of[1]) == {"base_v", "n_spikes", "rate", "doublet", "isi_avg", "latency", "latency_n30"}
    assert of[2] == {"base_v": pytest.approx(-70), "n_spikes": 0, "rate": 0}


def test_features_of_spikes_have_mean_deviation_and_every_value(con):
    value, deviation, values = con.sql("""
        select value, deviation, spike_values from features
        where sweep_number = 0 and feature = 'f_peak_t'""").fetchall()[0]
    assert values == pytest.approx([1.02 + p for p in PEAKS], abs=1e-4)
    assert (value, deviation) == pytest.approx((np.mean(values), np.std(values)))


def test_spikes_are_rows_of_their_own(con):
    found = con.sql("select sweep_number, spike_index from icephys.legacy_spike_features('traces') order by all")
    assert found.fetchall() == [(0, 0), (0, 1), (0, 2), (0, 3), (1, 0), (1, 1)]


def test_a_summary_says_which_features_not_every_sweep_has(con):
    found = con.sql("""
        select feature, mean, deviation, n_sweeps, status from icephys.legacy_summary('features')
        where feature in ('n_spikes', 'adapt') order by feature""").fetchall()
    assert found[0][3:] == (1, "missing")
    assert found[1] == ("n_spikes", 2, pytest.approx(np.std([4, 2, 0])), 3, "ok")


@pytest.fixture(scope="module")
def scores(con) -> dict[tuple[int, str], tuple[float, bool]]:
    con.execute("""
        create table given as
        select * from (values
            ('rate', 3.0, 0.5), ('isi_cv', 0.4, 0.1), ('adapt', 0.1, 0.2), ('doublet', 100.0, 0.0),
            ('f_peak', 0.0, 2.0), ('width', 0.0, 1.0), ('n_spikes', 4.0, 1.0)) as s(feature, mean, deviation)""")
    found = con.sql("from icephys.legacy_scores('features', 'given')").fetchall()
    return {(number, feature): (score, missing) for _, number, feature, score, missing in found}


def test_scores_count_deviations_from_the_mean(con, scores):
    rate = {number: scores[number, "rate"][0] for number in range(3)}
    assert rate == pytest.approx({0: 2, 1: 2, 2: 6})
    peaks = con.sql("select spike_values from features where sweep_number = 1 and feature = 'f_peak'").fetchall()[0][0]
    assert scores[1, "f_peak"] == (pytest.approx(np.mean(np.abs(peaks)) / 2), False)
    widths = con.sql("select spike_values from features where sweep_number = 1 and feature = 'width'").fetchall()[0][0]
    assert scores[1, "width"][0] == pytest.approx(widths[0])  # the last spike's width is not counted


def test_what_a_sweep_lacks_is_penalised_and_what_cannot_be_scored_is_null(scores):
    assert scores[1, "isi_cv"] == (0.8, True)  # twice the mean
    assert scores[1, "adapt"] == (0, True)
    assert scores[2, "f_peak"] == (20, True)
    assert scores[0, "doublet"] == (None, False)  # no deviation to count in
    assert (0, "n_spikes") not in scores
