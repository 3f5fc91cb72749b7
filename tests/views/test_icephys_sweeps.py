"""Sweeps in SQL: whole to numpy, in windows, as envelopes, sample by sample; what the file and the warehouse tell."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import brainlake
import h5py
import numpy as np
import pytest
from brainlake.ingest import registry
from brainlake.ingest.contract import Source
from brainlake.lake.errors import AbsentError, BrainlakeError, QueryError, UnknownError
from brainlake.lake.output import write_answer
from brainlake.tests.fixtures.allen_icephys import MadeCell, MadeSweep, make_cell, write_nwb1
from brainlake.tests.fixtures.memory import memory_connection
from brainlake.tests.fixtures.mies_icephys import CODE, make_mies_sweeps, write_mies
from brainlake.tests.fixtures.patch_clamp import samples_of
from brainlake.tests.fixtures.reading import column, read_source

CELL, OTHER = 464212183, 600000001
SQUARE = 2  # number of a long square with spikes


@dataclass(frozen=True)
class Made:
    lake: brainlake.Lake
    cell: MadeCell
    path: Path

    @property
    def square(self) -> MadeSweep:
        return self.cell.sweeps[SQUARE]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Made]:
    folder = tmp_path_factory.mktemp("sweeps")
    cell = make_cell(CELL, sampling_rate=20_000.0, amplitudes=(-50.0, 200.0), step=0.2)
    write_nwb1(folder / "cell.nwb", cell, version="1.1", spike_keys=("spike_times", "aibs_spike_times", "mine"))
    write_nwb1(folder / "old.nwb", MadeCell(OTHER, cell.sweeps), spike_keys=("aibs_spike_times",), identifier="old")
    write_mies(folder / "mies.nwb", make_mies_sweeps(4))
    with h5py.File(folder / "cell.nwb", "a") as file:
        file["analysis/mine/Sweep_2"][...] += 1.0
        file["epochs/Experiment_2/stimulus/count"][()] = 10_000  # samples 15,000 to 24,999
    with brainlake.create(folder / "lake") as lake:
        lake.ingest([folder / "cell.nwb", folder / "old.nwb", folder / "mies.nwb"])
        yield Made(lake, cell, folder / "cell.nwb")


def test_a_sweep_is_one_row_whose_samples_are_views_of_single_precision(made: Made) -> None:
    sweep = made.lake.sql("from icephys.sweep(464212183, 2)").one()
    stimulus, response = made.square.si()
    for got, expected in ((sweep.stimulus, stimulus), (sweep.response, response)):
        assert got.dtype == np.float32
        assert not got.flags.owndata  # it looks into the answer's memory
        assert np.array_equal(got.view(np.int32), expected.view(np.int32))
    assert sweep.sampling_rate == 20_000.0
    assert (sweep.clamp_mode, sweep.stimulus_name) == ("current_clamp", "Long Square")
    assert (sweep.stimulus_unit, sweep.response_unit) == ("A", "V")
    assert (sweep.start_index, sweep.stop_index) == (15_000, 24_999)  # of the experiment
    assert (sweep.sweep_start_index, sweep.sweep_stop_index) == (0, len(response) - 1)
    assert sweep.bridge_balance == 14e6


def test_a_test_sweep_has_the_range_of_the_whole(made: Made) -> None:
    sweep = made.lake.sql("from icephys.sweep(464212183, 0)").one()
    assert not sweep.is_experiment
    assert (sweep.start_index, sweep.stop_index) == (0, len(sweep.response) - 1)
    assert (sweep.stimulus_unit, sweep.response_unit) == ("V", "A")


def test_many_sweeps_come_in_one_question(made: Made) -> None:
    rows = made.lake.sql(
        "select t.sweep_number, t.response from icephys.sweep_traces as t where t.specimen_id = 464212183 order by 1"
    ).arrow()
    for sweep, response in zip(made.cell.sweeps, rows["response"].to_pylist(), strict=True):
        assert np.array_equal(np.float32(response), sweep.si()[1])


def test_samples_are_rows_with_their_times_and_in_millivolts(made: Made) -> None:
    rows = made.lake.sql(
        """
        select sample_index, timestamp, stimulus, response, current_pa, voltage_mv
        from icephys.sweep_samples
        where specimen_id = 464212183 and sweep_number = 2
        order by sample_index
        """
    ).arrow()
    stimulus, response = made.square.si()
    n = len(response)
    assert np.array_equal(rows["sample_index"].to_numpy(), np.arange(n))
    assert np.array_equal(rows["timestamp"].to_numpy(), np.arange(n) * (1.0 / 20_000.0))  # NW-8, to the last bit
    assert np.array_equal(rows["response"].to_numpy(), response)
    assert np.array_equal(rows["voltage_mv"].to_numpy(), response * np.float32(1e3))
    assert np.array_equal(rows["current_pa"].to_numpy(), stimulus * np.float32(1e12))


def test_samples_of_voltage_clamp_are_no_millivolts(made: Made) -> None:
    row = made.lake.sql(
        """
        select count(voltage_mv) as n_mv, count(current_pa) as n_pa, count(*) as n_rows
        from icephys.sweep_samples
        where specimen_id = 464212183 and sweep_number = 0
        """
    ).one()
    assert (row.n_mv, row.n_pa, row.n_rows) == (0, 0, 6_000)


@pytest.mark.parametrize(
    ("window", "first", "end"),
    [
        ("", 0, 30_400),
        (", t0 := 1.02, t1 := 1.03", 20_400, 20_600),
        (", t0 := 1.02, t1 := 1.0200001", 20_400, 20_401),  # the sample at 1.02 s, half-open
        (", t0 := -5, t1 := 0.001", 0, 20),
        (", t0 := 1.5, t1 := 99", 30_000, 30_400),
        (", t0 := 1.5, t1 := 1.5", 0, 0),
        (", t0 := 1.2, valid_only := true", 24_000, 25_000),  # up to the experiment's end, included
        (", t0 := 1.3, valid_only := true", 0, 0),
    ],
)
def test_a_window_is_half_open_and_may_end_with_the_experiment(window: str, first: int, end: int, made: Made) -> None:
    rows = made.lake.sql(f"from icephys.sweep_window(464212183, 2{window}) order by sample_index").arrow()
    assert len(made.square.response) == 30_400
    assert np.array_equal(rows["sample_index"].to_numpy(), np.arange(first, end))
    stimulus, response = made.square.si()
    assert np.array_equal(rows["response"].to_numpy(), response[first:end])
    assert np.array_equal(rows["stimulus"].to_numpy(), stimulus[first:end])
    assert np.array_equal(rows["timestamp"].to_numpy(), np.arange(first, end) * (1.0 / 20_000.0))


def test_an_envelope_draws_a_sweep_at_the_finest_zoom_that_fits(made: Made) -> None:
    response = made.square.si()[1]
    rows = made.lake.sql("from icephys.sweep_envelope(464212183, 2) order by bin_index").arrow()
    assert rows.num_rows == 119  # 30,400 samples in bins of 256
    cuts = range(0, 30_400, 256)
    assert rows["response_max"].to_pylist() == [response[c : c + 256].max() for c in cuts]
    assert rows["response_min"].to_pylist() == [response[c : c + 256].min() for c in cuts]
    assert rows["start_time"].to_pylist() == [c / 20_000 for c in cuts]
    assert rows["stop_time"].to_pylist()[-1] == 30_400 / 20_000
    coarse = made.lake.sql("from icephys.sweep_envelope(464212183, 2, max_bins := 20)").arrow()
    assert set(coarse["bin_samples"].to_pylist()) == {4_096}
    assert coarse.num_rows == 8
    coarsest = made.lake.sql("from icephys.sweep_envelope(464212183, 2, max_bins := 0)").arrow()
    assert coarsest["bin_samples"].to_pylist() == [65_536]  # none fits: the coarsest there is
    part = made.lake.sql("from icephys.sweep_envelope(464212183, 2, t0 := 1.02, t1 := 1.04) order by bin_index").arrow()
    assert part["bin_index"].to_pylist() == [79, 80, 81]  # samples 20,400 to 20,800 lie in these


def test_stored_spike_times_come_from_the_key_asked_for(made: Made) -> None:
    times = made.square.spike_times
    assert len(times) > 1

    def asked(arguments: str) -> list[float]:
        rows = made.lake.sql(f"from icephys.get_spike_times({arguments}) order by spike_index").arrow()
        return rows["spike_time"].to_pylist()

    assert asked("464212183, 2") == times.tolist()
    assert asked("464212183, 2, key := 'mine'") == (times + 1.0).tolist()
    assert asked("464212183, 2, key := 'nobody'") == times.tolist()  # of aibs_spike_times, as the reference (NW-5)
    assert asked("600000001, 2") == times.tolist()  # an older file has that key only
    assert asked("464212183, 1") == []
    view = made.lake.sql(
        "select spike_time from icephys.spike_times where specimen_id = 464212183 and sweep_number = 2"
    )
    assert sorted(view.to_numpy().tolist()) == times.tolist()


def test_sweep_metadata_is_what_the_reference_gives(made: Made) -> None:
    row = made.lake.sql("from icephys.sweep_metadata(464212183, 2)").one()
    assert row.aibs_stimulus_amplitude_pa == 200.0
    assert row.aibs_stimulus_name == "Long Square"
    assert (row.gain, row.seal, row.initial_access_resistance) == (400.0, 1.75, 12.5)
    test = made.lake.sql("from icephys.sweep_metadata(464212183, 0)").one()
    assert (test.aibs_stimulus_name, test.seal) == ("Test", None)  # partly there


def test_sweep_numbers_with_and_without_test_sweeps(made: Made) -> None:
    """get_sweep_numbers and get_experiment_sweep_numbers, which leaves out sweeps without an experiment."""
    numbers = "select sweep_number from icephys.sweeps where specimen_id = 464212183"
    assert made.lake.sql(f"{numbers} order by 1").to_numpy().tolist() == list(range(10))
    assert made.lake.sql(f"{numbers} and is_experiment order by 1").to_numpy().tolist() == list(range(1, 10))


def test_a_notebook_says_the_last_value_unless_it_was_switched_off(made: Made) -> None:
    """Balances are 10 + number, noted after 99; odd sweeps have the bridge disabled (fixture)."""
    cell = made.lake.sql("select distinct specimen_id from icephys.nwb_sweeps where headstage = 2").to_numpy()[0]

    def noted(sweep: int, arguments: str) -> object:
        return made.lake.sql(f"from icephys.notebook_value({cell}, {sweep}, {arguments})").one()

    assert noted(2, "'Bridge Bal Value', enabled_by := 'Bridge Bal Enable'").value == 12.0
    assert noted(3, "'Bridge Bal Value', enabled_by := 'Bridge Bal Enable'").value is None
    assert noted(3, "'Bridge Bal Value'").value == 13.0
    assert noted(1, "'Scale Factor'").value == 3.0  # 1 + headstage, from the entry before the last
    count = noted(3, "'Set Sweep Count'")
    assert (count.value, count.headstage) == (4.0, 8)  # of all headstages
    assert noted(0, "'Stim Wave Name'").value_text == f"{CODE}_DA_0"


def test_a_file_without_epochs_has_those_that_its_stimuli_show(made: Made, tmp_path: Path) -> None:
    unmarked = tmp_path / "unmarked.nwb"
    write_nwb1(unmarked, MadeCell(OTHER + 1, made.cell.sweeps), identifier="unmarked")
    with h5py.File(unmarked, "a") as file:
        for name in [name for name in file["epochs"] if not name.startswith("Sweep_")]:
            del file[f"epochs/{name}"]
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest([unmarked, made.path])
        epochs = (
            lake.sql("from icephys.inferred_epochs where sweep_number = 2 order by specimen_id").pl().rows(named=True)
        )
        marked, inferred = epochs
        assert (marked["is_marked"], inferred["is_marked"]) == (True, False)
        assert (marked["experiment_start_index"], marked["experiment_stop_index"]) == (15_000, 24_999)
        assert (marked["test_pulse_start_index"], marked["test_pulse_stop_index"]) == (0, 1_999)  # as the file says
        assert (inferred["test_pulse_start_index"], inferred["test_pulse_stop_index"]) == (400, 599)  # 0.02 to 0.03 s
        n_samples = len(made.square.response)
        assert (inferred["experiment_start_index"], inferred["experiment_stop_index"]) == (600, n_samples - 1)
        told = lake.sql("select count(*) as n from icephys.nwb_sweeps where experiment_start_index is null").one()
        assert told.n >= len(made.cell.sweeps)  # facts stay as the file has them


def test_a_sweep_is_written_as_a_dat_file(made: Made, tmp_path: Path) -> None:
    """Lines of time and voltage apart by a blank (BP-8), as simulators read them."""
    query = "select timestamp, response from icephys.sweep_window(464212183, 2, t0 := 1.0, t1 := 1.1)"
    write_answer(made.lake.sql(query).reader(), None, tmp_path / "sweep.dat")
    lines = (tmp_path / "sweep.dat").read_text().splitlines()
    assert len(lines[0].split(" ")) == 2
    times, voltages = np.loadtxt(tmp_path / "sweep.dat", unpack=True)
    assert np.array_equal(times, np.arange(20_000, 22_000) * (1.0 / 20_000.0))
    assert np.array_equal(voltages.astype(np.float32), made.square.si()[1][20_000:22_000])


def test_a_dat_file_holds_numbers_and_quoted_text(made: Made, tmp_path: Path) -> None:
    missing = made.lake.sql("select 1.5::double as a, null::double as b").reader()
    write_answer(missing, "dat", tmp_path / "missing")
    assert (tmp_path / "missing").read_text() == "1.5 nan\n"
    named = made.lake.sql("select 1 as a, 'x' as name, null::text as other").reader()
    write_answer(named, "dat", tmp_path / "named")
    assert (tmp_path / "named").read_text() == '1 "x" ""\n'
    for query, said in (
        ("select [1] as several", "several is list"),
        ("select 1 as a, null::integer as b", "whole number"),
    ):
        with pytest.raises(BrainlakeError, match=said):
            write_answer(made.lake.sql(query).reader(), "dat", tmp_path / "refused")
        assert not (tmp_path / "refused").exists()


def exported(made: Made, path: Path, options: str = "") -> dict[str, Any]:
    """Tables of a file that a cell's sweeps were written into, as the reader of such files takes them."""
    write_answer(made.lake.sql(f"from icephys.sweeps_to_export(464212183{options})").reader(), None, path)
    source = Source(path, path.name)
    return read_source(registry.choose(source), path)[0]


def test_sweeps_are_written_as_a_file_of_the_cell_types_database(made: Made, tmp_path: Path) -> None:
    """Read back, samples are equal to the last bit, ranges and spikes the same (NW-7)."""
    tables = exported(made, tmp_path / "cell.nwb")
    assert column(tables["icephys.files"], "specimen_id") == [464212183]
    samples = samples_of(tables["icephys.stored_traces"])
    assert len(samples) == len(made.cell.sweeps)
    for sweep in made.cell.sweeps:
        stimulus, response = samples[464212183, sweep.sweep_number]
        assert np.array_equal(stimulus, sweep.si()[0])
        assert np.array_equal(response, sweep.si()[1])
    square = tables["icephys.nwb_sweeps"].to_pylist()[SQUARE]
    assert (square["stimulus_name"], square["clamp_mode"]) == ("Long Square", "current_clamp")
    assert (square["experiment_start_index"], square["experiment_stop_index"]) == (15_000, 24_999)
    spikes = {row["sweep_number"]: row["spike_times"] for row in tables["icephys.stored_spike_times"].to_pylist()}
    assert spikes[SQUARE] == made.square.spike_times.tolist()


def test_an_exported_experiment_may_be_filled_and_extended(made: Made, tmp_path: Path) -> None:
    tables = exported(made, tmp_path / "filled.nwb", ", fill_value := 0.5, extend_experiment := true")
    stimulus, response = samples_of(tables["icephys.stored_traces"])[464212183, SQUARE]
    n = len(made.square.response)
    assert np.array_equal(response, np.full(n, 0.5, np.float32))
    assert np.array_equal(stimulus, made.square.si()[0])
    assert tables["icephys.nwb_sweeps"].to_pylist()[SQUARE]["experiment_stop_index"] == n - 1


def test_samples_of_ones_own_are_filled_up_with_zeros(made: Made, tmp_path: Path) -> None:
    """As the reference's set_sweep (CT-065)."""
    query = """select * replace ([1.0, 2.0]::float[] as response) from icephys.sweeps_to_export(464212183)
        where sweep_number = 2"""
    write_answer(made.lake.sql(query).reader(), "nwb", tmp_path / "own")
    with h5py.File(tmp_path / "own") as file:
        data = file["epochs/Sweep_2/response/timeseries/data"]
        assert data.attrs["conversion"] == 1
        assert data[:3].tolist() == [1, 2, 0]
        assert len(data) == len(made.square.response)


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select 1 as sweep_number", "has no sampling_rate"),
        ("from icephys.sweep(464212183, 2) union all from icephys.sweep(464212183, 2)", "there twice"),
        ("from icephys.sweep(464212183, 2) union all from icephys.sweep(600000001, 1)", "one cell"),
    ],
)
def test_other_answers_are_no_recordings(made: Made, tmp_path: Path, query: str, said: str) -> None:
    with pytest.raises(QueryError, match=said):
        write_answer(made.lake.sql(query).reader(), None, tmp_path / "refused.nwb")
    assert not list(tmp_path.iterdir())


def test_what_is_not_there_is_said(made: Made) -> None:
    with pytest.raises(UnknownError, match="no cell 5"):
        made.lake.sql("from icephys.sweep(5, 2)").arrow()
    with pytest.raises(UnknownError, match="has no sweep 77"):
        made.lake.sql("from icephys.sweep(464212183, 77)").arrow()
    with pytest.raises(UnknownError, match="has no sweep 77"):
        made.lake.sql("from icephys.sweep_envelope(464212183, 77)").arrow()


def test_samples_left_out_are_said_with_what_brings_them(made: Made, tmp_path: Path) -> None:
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest(made.path, parts=["sweeps"])
        assert len(lake.sql("from icephys.sweeps").arrow()) == 10
        with pytest.raises(
            AbsentError, match=r"samples of cell 464212183.*brainlake ingest .*cell\.nwb --with samples"
        ):
            lake.sql("from icephys.sweep_window(464212183, 2)").arrow()


def test_the_warehouse_tells_what_the_file_does_not() -> None:
    """The file's word counts; what it leaves open, and sweeps it does not hold, are the warehouse's."""
    nwb = {
        "specimen_id": [1, 1], "sweep_number": [4, 5], "file_id": [9, 9], "stimulus_name": ["Ramp", None],
        "n_samples": [10, 10], "n_stimulus_samples": [10, 10], "source_rank": [0, 1],
    }  # fmt: skip
    api = {
        "specimen_id": [1, 1, 1], "sweep_number": [4, 5, 6], "stimulus_name": ["Long Square", "Noise 1", "Test"],
        "num_spikes": [3, None, None], "bridge_balance_mohm": [12.0, 12.0, 12.0],
    }  # fmt: skip
    with memory_connection({"icephys.nwb_sweeps": nwb, "icephys.api_sweeps": api}) as con:
        rows = con.sql(
            "select sweep_number, is_recorded, stimulus_name, num_spikes, bridge_balance from icephys.sweeps order by 1"
        ).fetchall()
    assert rows == [(4, True, "Ramp", 3, 12e6), (5, True, "Noise 1", None, 12e6), (6, False, "Test", None, 12e6)]


def test_one_sweep_opens_one_cells_file(made: Made) -> None:
    plan = made.lake.sql("from icephys.sweep(464212183, 2)").explain(analyze=True)
    assert "Scanning Files: 1/4" in plan  # two cells here, two headstages there
