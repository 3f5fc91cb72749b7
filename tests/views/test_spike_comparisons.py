"""Spikes and features of one recording as several sources or settings tell them, side by side."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import brainlake
import duckdb
import numpy as np
import polars as pl
import pytest
from brainlake.lake.questions import below, standard
from brainlake.tests.fixtures import model_files
from brainlake.tests.fixtures.allen_icephys import make_cell, write_nwb1
from brainlake.tests.fixtures.memory import memory_connection
from hypothesis import given
from hypothesis import strategies as st

CELL, MODEL = 464212183, 486558431
NAME = "icephys.spike_distances"
ASKED = below([NAME], standard())


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    connection = memory_connection({}, {name: question for name, question in standard().items() if name in ASKED})
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[brainlake.Lake]:
    """A cell whose rests differ by sweeps, and a model of it."""
    folder = tmp_path_factory.mktemp("comparisons") / f"specimen_{CELL}"
    folder.mkdir()
    write_nwb1(folder / "ephys.nwb", make_cell(CELL, sampling_rate=50_000.0, amplitudes=(-50.0, 250.0), step=0.3))
    model_files.write_json(folder / "neuron_config.json", {str(MODEL): model_files.glif_config(1)})
    record = model_files.model_record(
        MODEL, CELL, neuronal_model_template_id=395310469, neuronal_model_template={}, neuronal_model_runs=[],
        well_known_files=[],
    )  # fmt: skip
    model_files.write_json(folder / "neuronal_model.json", record)
    with brainlake.create(folder.parent / "lake") as lake:
        lake.ingest(folder).raise_failed()
        lake.refresh()
        yield lake


times = st.lists(st.floats(0, 3, allow_subnormal=False), max_size=8)


@given(times, times)
def test_the_nearest_spike_is_the_nearest(
    con: duckdb.DuckDBPyConnection, spikes: list[float], others: list[float]
) -> None:
    for name, found in (("mine", spikes), ("theirs", others)):
        frame = pl.DataFrame({"specimen_id": [1] * len(found), "sweep_number": [4] * len(found), "spike_time": found},
                             schema={"specimen_id": pl.Int64, "sweep_number": pl.Int64, "spike_time": pl.Float64})  # fmt: skip
        con.register(name, frame.to_arrow())
    rows = con.execute(
        f"select spike_index, spike_time, nearest_time, distance from {NAME}('mine', 'theirs')"
    ).fetchall()
    assert [row[:2] for row in rows] == list(enumerate(sorted(spikes)))
    for _, time, nearest, distance in rows:
        if not others:
            assert (nearest, distance) == (None, None)
        else:
            assert nearest in others
            assert abs(distance) == min(abs(other - time) for other in others)
            assert distance == nearest - time


def test_spikes_of_other_sweeps_and_cells_are_none_of_a_sweep_s(con: duckdb.DuckDBPyConnection) -> None:
    query = f"""
        with mine as (select 1 as specimen_id, 4 as sweep_number, 0.5 as spike_time),
        theirs as (
            select * from (values (1, 5, 0.5), (2, 4, 0.5), (1, 4, 0.75)) as t(specimen_id, sweep_number, spike_time))
        select nearest_time from {NAME}('mine', 'theirs')"""
    assert con.execute(query).fetchall() == [(0.75,)]


def test_a_model_s_spikes_stand_beside_the_recorded_ones_in_one_query(lake: brainlake.Lake) -> None:
    """CT-203."""
    found = lake.sql(f"""
        with wanted as (from models.glif_models where neuronal_model_id = {MODEL}),
        modelled as (
            select specimen_id, sweep_number, unnest(interpolated_spike_times) as spike_time
            from models.simulate_glif_recorded('wanted', traces := false)),
        recorded as (
            select specimen_id, sweep_number, threshold_t as spike_time
            from icephys.spike_features where specimen_id = {CELL})
        select * from {NAME}('recorded', 'modelled')""").pl()  # fmt: skip
    told = lake.sql(f"select sweep_number, threshold_t from icephys.spike_features where specimen_id = {CELL}").pl()
    runs = lake.sql(f"""
        with wanted as (from models.glif_models where neuronal_model_id = {MODEL})
        select sweep_number, interpolated_spike_times as times
        from models.simulate_glif_recorded('wanted', traces := false)""").pl()  # fmt: skip
    by_sweep = dict(runs.iter_rows())
    assert len(found) == len(told) > 0
    compared = 0
    for sweep, time, distance in found.select("sweep_number", "spike_time", "distance").iter_rows():
        modelled = np.asarray(by_sweep.get(sweep) or [])
        assert (distance is None) == (not len(modelled))
        if len(modelled):
            assert abs(distance) == np.abs(modelled - time).min()
            compared += 1
    assert compared > 0


def test_sets_of_features_are_kept_under_names_with_their_pasts(lake: brainlake.Lake, tmp_path: Path) -> None:
    """CT-202: by two settings, compared in SQL; what is written anew does not change what an earlier snapshot holds."""
    sweeps = f"""
        with sweeps as (
            select t.specimen_id, t.sweep_number, t.stimulus, t.response, s.sampling_rate
            from icephys.sweep_traces as t
            join icephys.sweeps as s on s.specimen_id = t.specimen_id and s.sweep_number = t.sweep_number
            where t.specimen_id = {CELL} and s.stimulus_name = 'Long Square')"""
    key = ("specimen_id", "sweep_number", "spike_index")
    columns = "specimen_id, sweep_number, spike_index, peak_index, upstroke"
    for name, options in (("filtered", "filter_khz := 5"), ("unfiltered", "filter_khz := null")):
        answer = lake.sql(
            f"{sweeps} select {columns}, '{name}' as feature_set from icephys.spike_features_of('sweeps', {options})"
        )
        lake.write(f"feature_sets.{name}", answer.pl(), key=key)
    compared = lake.sql("""
        select f.upstroke as filtered, u.upstroke as unfiltered
        from feature_sets.filtered as f
        join feature_sets.unfiltered as u using (specimen_id, sweep_number, peak_index)""").pl()  # fmt: skip
    assert len(compared) > 0
    assert (compared["filtered"] < compared["unfiltered"]).all()  # the filter blunts them
    before = lake.snapshot
    lake.write(
        "feature_sets.filtered", lake.sql("select * exclude (ingest_id) from feature_sets.unfiltered").pl(), key=key
    )
    question = "select distinct feature_set from feature_sets.filtered"
    assert lake.sql(question).one().feature_set == "unfiltered"
    with lake.at(before) as earlier:
        assert earlier.sql(question).one().feature_set == "filtered"
