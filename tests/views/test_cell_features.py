"""Cell features of a membrane of 150 MOhm and 20 ms with spikes pasted on it: every value is known beforehand."""

from __future__ import annotations

from itertools import count

import numpy as np
import pyarrow as pa
import pytest
from brainlake.ingest.nwb1_icephys import READER
from brainlake.lake.questions import below, standard
from brainlake.tests.fixtures.allen_icephys import make_cell, write_nwb1
from brainlake.tests.fixtures.memory import memory_connection
from brainlake.tests.fixtures.patch_clamp import Drawn, rows_of
from brainlake.tests.fixtures.reading import read_source
from brainlake.tests.fixtures.steps import RATE, long_square, ramp, short_square, slowed

RATES = {120: 3, 140: 5, 160: 7, 170: 8}  # spikes in a step of 1 s by its amplitude in pA: 0.1 a pA


ASKED = below(
    ["icephys.cell_features", "icephys.cell_feature_sweeps", "icephys.fi_curves", "icephys.ephys_feature_check",
     "icephys.computed_sweep_features"], standard(),
)  # fmt: skip
QUESTIONS = {name: question for name, question in standard().items() if name in ASKED}


def train(n: int) -> list[float]:
    """Peaks after the start of the step: intervals grow from 60 ms by 10 ms each."""
    return [0.05, *(0.05 + np.cumsum(0.06 + 0.01 * np.arange(n - 1)))]


def cells() -> list:
    number = count()
    whole = [long_square(next(number), a) for a in (-110, -70, -30, 50)]  # sweeps 0 ... 3
    whole += [long_square(next(number), a, train(n)) for a, n in RATES.items()]  # 4 ... 7
    whole += [long_square(next(number), 170, train(8)), long_square(next(number), 120, train(3))]  # the same again
    whole += [short_square(next(number), a, a > 1000) for a in (900, 1200, 1200, 1100, 1100, 1300)]  # 10 ... 15
    whole += [ramp(next(number), [2.0, 2.5]), ramp(next(number), [2.2]), ramp(next(number), [])]  # 16 ... 18
    others = [
        long_square(0, -50, specimen=2),
        long_square(0, -150, specimen=3), long_square(1, 120, train(3), specimen=3),
        long_square(2, 140, train(5), specimen=3), ramp(3, [2.0], specimen=3), short_square(4, 900, False, specimen=3),
        slowed(ramp(0, [2.0], specimen=4), 5),
        *(long_square(n, a, peaks, start=0.6, specimen=5) for n, (a, peaks) in enumerate(
            [(-50, []), (100, train(2)), (150, train(7))])),
    ]  # fmt: skip
    nameless = long_square(0, 50, specimen=6)
    object.__setattr__(nameless, "stimulus_name", "Noise 1")
    return [*whole, *others, nameless]


@pytest.fixture(scope="module")
def con():
    features = pa.table({"specimen_id": [1], "ephys_feature_id": [9], "ri_mohm": [150.0], "tau_ms": [25.0],
                         "rheobase_sweep_number": [4]})  # fmt: skip
    listed = pa.table({"specimen_id": [1, 1], "sweep_number": [4, 6], "sweep_id": [1004, 1006]})
    con = memory_connection(
        {**rows_of(cells()), "icephys.api_ephys_features": features, "icephys.api_sweeps": listed}, QUESTIONS
    )
    con.execute("create table measured as from icephys.cell_feature_inputs")  # once for all tests
    con.execute("create table cells as from icephys.cell_features")
    yield con
    con.close()


def one(con, query: str) -> dict[str, object]:
    relation = con.sql(query)
    return dict(zip(relation.columns, relation.fetchall()[0], strict=True))


def test_the_membrane_is_recovered(con):
    found = one(con, "from cells where specimen_id = 1")
    assert found["n_membrane_sweeps"] == 2  # -70 and -30 pA; -110 is below the bound of -100
    by_hand = {"input_resistance_mohm": 150, "tau": 0.02, "v_baseline_mv": -70, "vm_for_sag_mv": -70 - 0.15 * 110,
               "sag": 0}  # fmt: skip
    assert {name: found[name] for name in by_hand} == pytest.approx(by_hand, rel=2e-3, abs=1e-3)


def test_rheobase_hero_and_slope_follow_from_the_amplitudes(con):
    found = one(con, "from cells where specimen_id = 1")
    chosen = ("rheobase_sweep_number", "hero_sweep_number", "n_spiking_long_squares", "status", "errors", "error")
    assert [found[name] for name in chosen] == [4, 6, 6, "ok", [], None]  # 120 pA; 160 is the least in (159, 181)
    intervals = 0.06 + 0.01 * np.arange(6)
    by_hand = {
        "rheobase_i_pa": 120, "hero_amp_pa": 160, "mean_isi": intervals.mean(),
        "adaptation": np.mean(np.diff(intervals) / (intervals[1:] + intervals[:-1])), "f_i_curve_slope": 0.1,
    }  # fmt: skip
    assert {name: found[name] for name in by_hand} == pytest.approx(by_hand, rel=1e-3)
    assert found["latency"] == pytest.approx(0.05, abs=0.001)  # threshold lies before the peak
    assert found["threshold_i_long_square_pa"] == pytest.approx(120)
    assert found["peak_t_long_square"] == pytest.approx(1.07, abs=2 / RATE)


def test_short_squares_of_the_most_frequent_amplitude_count_the_lowest_of_equals(con):
    found = one(con, "from cells where specimen_id = 1")
    assert found["short_square_amplitude_pa"] == pytest.approx(1100)
    assert found["n_spiking_short_squares"] == 5
    assert found["peak_t_short_square"] == pytest.approx(1.025, abs=2 / RATE)


def test_short_squares_are_told_from_their_charging(con):
    """5 V/s of charging, which the filter overshoots where it begins: the cutoff is 1.1 times as high.

    A threshold has at least a tenth of the upstroke.
    """
    found = con.sql("""
        select distinct dv_cutoff, thresh_frac from measured
        where specimen_id = 1 and stimulus_class = 'short_square'""").fetchall()
    assert found == [(pytest.approx(5.5, rel=0.1), 0.1)]


def test_first_spikes_of_spiking_ramps_are_averaged(con):
    found = one(con, "from cells where specimen_id = 1")
    assert found["peak_t_ramp"] == pytest.approx((2.0 + 2.2) / 2, abs=2 / RATE)
    assert found["threshold_i_ramp_pa"] == pytest.approx(25 * (found["threshold_t_ramp"] - 1.02), rel=1e-3)


@pytest.mark.parametrize(
    ("specimen", "errors"),
    [
        (2, ["no_ramps", "no_short_squares", "long_squares_silent"]),
        (3, ["short_squares_silent", "no_membrane_sweeps", "no_hero"]),
        (4, ["no_short_squares", "no_long_squares", "sweep_failed"]),
        (6, ["no_ramps", "no_short_squares", "no_long_squares"]),
    ],
)
def test_what_cannot_be_told_is_a_row_that_says_why(con, specimen, errors):
    found = one(con, f"from cells where specimen_id = {specimen}")
    assert (found["status"], found["errors"]) == (errors[0], errors)
    assert found["error"]
    assert found["hero_sweep_number"] is None


def test_one_missing_class_leaves_the_features_of_the_others(con):
    found = one(con, "from cells where specimen_id = 3")
    assert (found["rheobase_sweep_number"], found["vm_for_sag_mv"]) == (1, pytest.approx(-92.5, abs=0.01))
    assert found["peak_t_ramp"] == pytest.approx(2.0, abs=2 / RATE)
    assert "10 kHz needs a sampling rate above" in one(con, "from cells where specimen_id = 4")["error"]


def test_a_single_membrane_sweep_is_taken_with_the_baseline(con):
    found = one(con, "from cells where specimen_id = 2")
    assert found["input_resistance_mohm"] == pytest.approx(150, rel=1e-3)


def test_long_squares_that_begin_elsewhere_are_found_or_told(con):
    found = one(con, "from cells where specimen_id = 5")
    assert (found["rheobase_i_pa"], found["hero_amp_pa"]) == (pytest.approx(100), pytest.approx(150))
    starts = con.sql("""
        select distinct specimen_id, window_start, window_stop from icephys.cell_sweeps(long_square_start := 0.7)
        where specimen_id in (1, 5) and stimulus_class = 'long_square' order by all""").fetchall()
    assert starts == [(1, 0.7, 1.7), (5, 0.7, 1.7)]


def test_the_bound_of_membrane_sweeps_is_a_parameter(con):
    query = (
        "select specimen_id, n_membrane_sweeps from icephys.cell_features_of('measured', subthreshold_min_amp := {}) "
    )
    found = dict(con.sql(query.format(-200)).fetchall())
    assert (found[1], found[3]) == (3, 1)
    assert dict(con.sql(query.format(-40)).fetchall())[1] == 1


def test_coarse_steps_of_other_than_20_pa_tell_a_human_cell():
    coarse = [
        long_square(n, a, specimen=s, code="C1LSCOARSE150216")
        for s, step in ((1, 20), (2, 10)) for n, a in enumerate((-2 * step, -step))
    ]  # fmt: skip
    rows = rows_of(coarse)
    told = pa.array([-40.0, -20.0, -20.0, -10.0])
    con = memory_connection(rows | {"icephys.nwb_sweeps": rows["icephys.nwb_sweeps"].append_column(
        "stimulus_amplitude_pa", told)}, QUESTIONS)  # fmt: skip
    found = con.sql("select distinct specimen_id, subthreshold_min_amp_pa from icephys.cell_sweeps() order by 1")
    assert found.fetchall() == [(1, -100), (2, -200)]
    by_code = con.sql("select distinct stimulus_class from icephys.cell_sweeps(by_code := true)").fetchall()
    con.close()
    assert by_code == [("long_square",)]


def test_every_sweep_has_its_roles(con):
    found = con.sql("""
        select role, list(sweep_number order by rank) from icephys.cell_feature_sweeps
        where specimen_id = 1 group by role""").fetchall()
    assert dict(found) == {
        "long_square": [0, 1, 2, 3, 4, 9, 5, 6, 7, 8],
        "long_square_spiking": [4, 9, 5, 6, 7, 8],
        "long_square_subthreshold": [0, 1, 2, 3],
        "subthreshold_membrane_property": [1, 2],
        "rheobase": [4], "hero": [6], "vm_for_sag": [0],
        "short_square": [10, 13, 14, 11, 12, 15], "short_square_spiking": [13, 14, 11, 12, 15],
        "short_square_common_amp": [13, 14],
        "ramp": [16, 17, 18], "ramp_spiking": [16, 17],
    }  # fmt: skip


def test_an_f_i_curve_has_every_long_square_and_the_slope_of_spiking_ones(con):
    found = con.sql("""
        select round(stim_amp_pa)::int, avg_rate from icephys.fi_curves
        where specimen_id = 1 order by all""").fetchall()
    assert found == [(-110, 0), (-70, 0), (-30, 0), (50, 0), (120, 3), (120, 3), (140, 5), (160, 7), (170, 8), (170, 8)]
    slopes = con.sql("select distinct f_i_curve_slope from icephys.fi_curves where specimen_id = 1").fetchall()
    assert slopes == [(pytest.approx(0.1, rel=1e-3),)]


def test_features_come_in_the_form_and_units_they_are_published_in(con):
    found = one(con, "from icephys.computed_ephys_features where specimen_id = 1")
    cell = one(con, "from cells where specimen_id = 1")
    assert found["tau_ms"] == 1000 * cell["tau"]
    assert found["avg_isi_ms"] == 1000 * cell["mean_isi"]
    assert (found["ri_mohm"], found["vrest_mv"]) == (cell["input_resistance_mohm"], cell["v_baseline_mv"])
    assert found["threshold_i_short_square_pa"] == cell["short_square_amplitude_pa"]
    assert (found["rheobase_sweep_id"], found["thumbnail_sweep_id"], found["status"]) == (1004, 1006, "ok")
    assert found["has_burst"] is None


def test_computed_features_stand_beside_published_ones(con):
    found = con.sql("""
        select feature, agreement, relative_difference from icephys.ephys_feature_check
        where feature in ('ri_mohm', 'tau_ms', 'rheobase_sweep_number', 'sag') order by feature""").fetchall()
    assert found[:3] == [
        ("rheobase_sweep_number", "equal", 0), ("ri_mohm", "equal", pytest.approx(0, abs=1e-6)),
        ("sag", "only_computed", None),
    ]  # fmt: skip
    assert found[3][1:] == ("different", pytest.approx(-0.2, rel=1e-3))  # 20 ms against 25


def test_every_column_that_is_published_is_compared(con):
    compared = {name for (name,) in con.sql("select feature from icephys.ephys_feature_check").fetchall()}
    published = set(con.sql("from icephys.published_ephys_features limit 0").columns)
    left_out = {"specimen_id", "ephys_feature_id", "rheobase_sweep_id", "thumbnail_sweep_id", "has_burst", "has_pause",
                "has_delay", "extra", "source", "electrode_0_pa", "seal_gohm", "input_resistance_mohm"}  # fmt: skip
    assert compared == published - left_out


def test_sweeps_get_back_their_number_of_spikes_and_their_deflection(con):
    found = con.sql("""
        select sweep_number, num_spikes, peak_deflection_mv from icephys.computed_sweep_features
        where specimen_id = 1 and sweep_number in (0, 4, 10, 13, 16) order by all""").fetchall()
    assert found == [
        (0, None, pytest.approx(-86.5, abs=0.01)), (4, 3, None), (10, None, None), (13, 1, None), (16, 2, None),
    ]  # fmt: skip


def test_a_cell_is_computed_alike_alone(con):
    alone = memory_connection(rows_of([sweep for sweep in cells() if sweep.specimen_id == 3]), QUESTIONS)
    assert alone.sql("from icephys.cell_features").fetchall() == con.sql("from cells where specimen_id = 3").fetchall()
    alone.close()


def test_a_released_file_gives_what_its_samples_give(tmp_path):
    """From a file in the released layout through the tables of a lake, and from the arrays it was made of."""
    made = make_cell(7, amplitudes=(-70.0, -30.0, 200.0, 220.0, 250.0), step=1.0)
    write_nwb1(tmp_path / "ephys.nwb", made)
    filed = memory_connection(read_source(READER, tmp_path / "ephys.nwb")[0], QUESTIONS)
    drawn = [
        Drawn(
            sweep.sweep_number, *reversed(sweep.si()), sweep.sampling_rate, sweep.stimulus_name, sweep.description,
            experiment=(round(made.experiment_start * sweep.sampling_rate), len(sweep.response) - 1), specimen_id=7,
        )
        for sweep in made.sweeps if not sweep.is_test
    ]  # fmt: skip
    direct = memory_connection(rows_of(drawn), QUESTIONS)
    ours, theirs = (one(con, "from icephys.cell_features") for con in (filed, direct))
    filed.close()
    direct.close()
    same = {name: pytest.approx(x, rel=1e-12) if isinstance(x, float) else x for name, x in theirs.items()}
    assert ours == same
    assert (ours["status"], ours["n_long_squares"], ours["n_short_squares"], ours["n_ramps"]) == ("ok", 5, 3, 1)
