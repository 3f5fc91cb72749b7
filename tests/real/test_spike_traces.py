"""Spikes of recorded traces that the Allen SDK's own tests use; numbers as its extractor (2.16.2) gives them."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.ingest.nwb import READER as NWB
from brainlake.tests.fixtures.memory import memory_connection
from brainlake.tests.fixtures.reading import read_source
from brainlake.udfs.spike_features import extract_spike_features
from brainlake.udfs.sweep_features import SweepExtractor
from brainlake.udfs.voltage_traces import Trace


def trace_of(path) -> Trace:
    t, v = np.loadtxt(path).T.copy()
    return Trace(v, t)


def test_two_spikes_at_200_khz(real_data):
    sweep = SweepExtractor(trace_of(real_data("icephys/spike_test_pair.txt")))
    columns = sweep.spikes.columns
    assert columns["threshold_index"].tolist() == [725, 3382]
    assert columns["peak_index"].tolist() == [812, 3478]
    assert columns["upstroke_index"].tolist() == [778, 3440]
    assert columns["downstroke_index"].tolist() == [862, 3532]
    assert columns["trough_index"].tolist() == [1089, 3741]
    assert columns["fast_trough_index"].tolist() == [1066, 3722]
    assert columns["upstroke"] == pytest.approx([258.83803010242485, 226.2892712302192], rel=1e-9)
    assert columns["downstroke"] == pytest.approx([-150.78420531354857, -133.2850374850186], rel=1e-9)
    assert columns["spike_width"] == pytest.approx([0.000545, 0.000585])
    assert columns["isi_type"].tolist() == ["direct", "direct"]
    assert sweep.sweep_feature("avg_rate") == pytest.approx(100.02500625156297)
    assert sweep.sweep_feature("first_isi") == pytest.approx(0.013285)


def test_six_spikes_at_uneven_times_are_found_without_the_filter(real_data):
    spikes = extract_spike_features(trace_of(real_data("icephys/spike_test_var_dt.txt")))
    columns = spikes.columns
    assert columns["threshold_index"].tolist() == [73, 183, 314, 463, 616, 770]
    assert columns["peak_index"].tolist() == [95, 205, 349, 488, 640, 795]
    assert columns["fast_trough_index"].tolist() == [147, 275, 406, 558, 710, 873]
    assert columns["upstroke"] == pytest.approx(
        [566.6290461538462, 586.941125, 597.1622857142858, 600.2146250000001, 585.0985263157894, 585.2657931034482]
    )
    assert columns["spike_width"][0] == pytest.approx(0.00035071372985839844)


def test_a_file_at_10_khz_is_analysed_without_the_filter_only(real_data):
    """Ferguson et al. 2015: 13 sweeps, action potentials from sweep 3 up, as its potentials above 0 mV show."""
    tables, _ = read_source(NWB, real_data("icephys/FergusonEtAl2015_PYR2.nwb"))
    con = memory_connection({name: table for name, table in tables.items() if name.startswith("icephys.")})
    refused = con.execute("select count(*) from icephys.sweep_features where error like '%10 kHz%'").fetchone()
    assert refused == (13,)
    counts = con.execute(
        """with sweeps as (
            select t.specimen_id, t.sweep_number, t.response, t.stimulus, s.sampling_rate
            from icephys.sweep_traces as t
            join icephys.sweeps as s on s.specimen_id = t.specimen_id and s.sweep_number = t.sweep_number
        )
        select sweep_number, n_spikes, error
        from icephys.sweep_features_of('sweeps', filter_khz := null)
        order by sweep_number"""
    ).fetchall()
    con.close()
    assert [number for number, _, _ in counts] == list(range(1, 14))
    assert [n > 0 for _, n, _ in counts] == [False, False] + [True] * 11
