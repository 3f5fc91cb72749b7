"""The quality of recordings: measured on their samples, judged by criteria, with every reason told."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from brainlake.tests.fixtures.memory import memory_connection
from brainlake.tests.fixtures.patch_clamp import Drawn, rows_of

RATE = 10_000.0


def current_clamp(number: int, code: str, *, delta: float = 0.0005, stop: int = 19_999, **more: object) -> Drawn:
    """2 s at -70 mV, 50 pA from 1.02 to 1.52 s; behind the step the potential is higher by ``delta`` V."""
    v, i = np.full(20_000, -0.070), np.zeros(20_000)
    i[200:300] = -10e-12
    i[10_200:15_200] = 50e-12
    v[10_200:] += delta
    return Drawn(number, v, i, RATE, "Long Square", code, experiment=(7_500, stop), **more)


def pulses(number: int, code: str, steady: float, peak: float) -> Drawn:
    """Voltage clamp: two pulses of 10 mV with a current (A) at their peak and in the end."""
    v, i = np.full(2_000, -0.07), np.zeros(2_000)
    for start in (400, 1_200):
        v[start : start + 200] += 0.010
        i[start : start + 200] = steady
        i[start] = peak
    return Drawn(number, i, v, RATE, "Test", code, clamp_mode="voltage_clamp")


SWEEPS = [
    Drawn(0, np.full(2_000, 100e-12), np.zeros(2_000), RATE, "Test", "EXTPINBATH141203", "voltage_clamp"),
    pulses(1, "EXTPCllATT141203", 1e-12, 1e-12),  # 10 GOhm
    pulses(2, "EXTPBREAKN141203", 1e-9, 2e-9),  # superseded by the next one
    pulses(3, "EXTPBREAKN141203", 50e-12, 1e-9),  # 200 and 10 MOhm
    Drawn(4, np.full(2_000, 0.004), np.zeros(2_000), RATE, "Test", "EXTPBLWOUT141203"),
    current_clamp(5, "C1LSCOARSE150216"),
    current_clamp(6, "C1LSCOARSE150216", delta=0.0011),
    current_clamp(7, "C1LSCOARSE150216", stop=19_000),
    current_clamp(8, "C1RP25PR1S141203", stop=19_000),
    current_clamp(9, "EXTPCllATT141203"),
    current_clamp(10, "MYOWN"),
    current_clamp(11, "C1NSSEED"),
]


@pytest.fixture(scope="module")
def con():
    con = memory_connection(rows_of(SWEEPS))
    yield con
    con.close()


def test_a_sweep_passes_or_fails_with_its_reasons(con):
    found = con.sql("select sweep_number, state, reasons from icephys.sweep_qc order by all").fetchall()
    assert found == [
        (0, None, []), (1, None, []), (2, None, []), (3, None, []),
        (4, "Fail", ["vm_delta_mv"]),  # without stimulus the reference compares with 0; only EXTP may be without
        (5, "Pass", []),
        (6, "Fail", ["vm_delta_mv"]),
        (7, "Fail", ["truncated"]),
        (8, "Pass", []),  # ramps have no time to recover
        (9, "Fail", ["clamp_mode"]),
        (10, "Fail", ["stimulus_code"]),
        (11, "Pass", []),
    ]  # fmt: skip


def test_measures_stand_beside_the_state(con):
    found = con.sql("""
        select pre_vm_mv, post_vm_mv, vm_delta_mv, stimulus_start_time, stimulus_amplitude_pa, stimulus_duration
        from icephys.sweep_qc where sweep_number = 6""").fetchall()[0]
    assert found == pytest.approx((-70, -68.9, 1.1, 1.02, 50, 0.4999), abs=1e-4)


def test_criteria_are_parameters(con):
    found = con.sql("""
        with quality as (from icephys.sweep_qc where sweep_number in (5, 6))
        from icephys.judge_sweeps('quality', vm_delta_mv_max := 1.2) order by sweep_number""").fetchall()
    assert found == [(1, 5, "Pass", []), (1, 6, "Pass", [])]
    found = con.sql("""
        with quality as (from icephys.sweep_qc where sweep_number = 10)
        from icephys.judge_sweeps('quality', current_clamp_codes := ['MY'])""").fetchall()
    assert found == [(1, 10, "Pass", [])]


def test_a_measure_that_is_not_there_fails_as_missing(con):
    found = con.sql("""
        with quality as (
            select 1 as specimen_id, 1 as sweep_number, 'current_clamp' as clamp_mode, 'C1LSCOARSE' as stimulus_code,
                true as is_complete, null::double as stimulus_duration, 0.01 as pre_noise_rms_mv,
                null::double as post_noise_rms_mv, 0.1 as slow_noise_rms_mv, null::double as vm_delta_mv)
        select state, reasons from icephys.judge_sweeps('quality')""").fetchall()
    assert found == [("Fail", ["post_noise_rms_mv missing", "vm_delta_mv missing", "stimulus_duration missing"])]


def test_a_cell_is_judged_by_its_test_sweeps_the_last_of_each_kind(con):
    found = con.sql("""
        select blowout_mv, electrode_0_pa, seal_gohm, initial_access_resistance_mohm, input_resistance_mohm,
            input_access_resistance_ratio
        from icephys.cell_qc""").fetchall()[0]
    assert found == pytest.approx((4, 100, 10, 10, 200, 0.05), rel=1e-5)
    assert con.sql("select qc_result, fail_tags from icephys.cell_qc").fetchall() == [("Pass", [])]


def test_every_criterion_of_a_cell_can_fail_and_says_so(con):
    found = con.sql("""
        with quality as (
            select 1 as specimen_id, 11.0 as blowout_mv, -201.0 as electrode_0_pa, 0.9 as seal_gohm,
                21.0 as initial_access_resistance_mohm, 100.0 as input_resistance_mohm
            union all
            select 2, null, null, null, null, null
            union all
            select 3, -10, 200, 1, 20, 200)
        select qc_result, fail_tags from icephys.judge_cells('quality') order by specimen_id""").fetchall()
    names = ["blowout_mv", "electrode_0_pa", "seal_gohm", "initial_access_resistance_mohm"]
    assert found == [
        ("Fail", [*names, "input_access_resistance_ratio"]),
        ("Fail", [f"{name} missing" for name in (*names, "input_access_resistance_ratio")]),
        ("Pass", []),  # every bound belongs to the allowed side
    ]


def test_a_released_file_without_test_sweeps_keeps_what_it_and_the_warehouse_tell(con):
    released = current_clamp(
        5, "C1LSCOARSE150216", attributes={"seal_gohm": 2.5, "initial_access_resistance_mohm": 12.0}
    )
    features = pa.table({"specimen_id": [1], "ephys_feature_id": [7], "electrode_0_pa": [-3.0],
                         "input_resistance_mohm": [150.0]})  # fmt: skip
    con = memory_connection({**rows_of([released]), "icephys.api_ephys_features": features})
    found = con.sql("""
        select electrode_0_pa, seal_gohm, initial_access_resistance_mohm, input_resistance_mohm, qc_result, fail_tags
        from icephys.cell_qc""").fetchall()
    con.close()
    assert found == [(-3, 2.5, 12, 150, "Fail", ["blowout_mv missing"])]
