"""Patch-clamp NWB 1 files become the rows of their tables: the Cell Types Database's of both versions, and MIES'."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import h5py
import numpy as np
import pyarrow as pa
import pytest
from brainlake.ingest import registry
from brainlake.ingest.contract import Source, made_id
from brainlake.ingest.nwb1_icephys import READER
from brainlake.lake.errors import SourceError
from brainlake.tests.fixtures.allen_icephys import TEXT, MadeCell, MadeSweep, make_cell, write_nwb1
from brainlake.tests.fixtures.mies_icephys import CODE, DEVICE, MiesSweep, make_mies_sweeps, write_mies
from brainlake.tests.fixtures.nwb1 import make_nwb1
from brainlake.tests.fixtures.patch_clamp import samples_of
from brainlake.tests.fixtures.reading import column, read_source

Tables = dict[str, pa.Table]


@pytest.fixture(scope="module")
def cell() -> MadeCell:
    return make_cell(sampling_rate=20_000.0, amplitudes=(-50.0, 200.0), step=0.2)


@pytest.fixture(scope="module")
def mies_sweeps() -> list[MiesSweep]:
    return make_mies_sweeps()


@pytest.fixture(scope="module")
def mies(mies_sweeps: list[MiesSweep], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("mies") / "mies.nwb"
    write_mies(path, mies_sweeps)
    return path


def read(path: Path, *parts: str, salvage: bool = False) -> Tables:
    return read_source(READER, path, parts or None, salvage=salvage)[0]


def samples(tables: Tables) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Sweep number -> stimulus and response (float32) of a file with one cell."""
    return {number: pair for (_, number), pair in samples_of(tables["icephys.stored_traces"]).items()}


# --- Cell Types files -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("version", "listed", "told"),
    [
        ("1.0", False, (1, 0)),
        ("1.0", True, (1, 0)),
        ("1.1", False, (1, 1)),
        ("2.0", True, (2, 0)),
        ("0.9", False, (0, 9)),
        (None, False, (0, 0)),
    ],
)
def test_every_version_of_a_recording_gives_equal_samples(
    version: str | None, listed: bool, told: tuple[int, int], cell: MadeCell, tmp_path: Path
) -> None:
    """NW-1, NW-2: up to 1.0 samples are SI beside factors that do not apply; later ones are multiplied, in float32."""
    write_nwb1(tmp_path / "cell.nwb", cell, version=version, listed=listed)
    tables = read(tmp_path / "cell.nwb")
    file = tables["icephys.files"].to_pylist()[0]
    assert (file["pipeline_version_major"], file["pipeline_version_minor"]) == told
    assert file["conversion_applied"] == (told > (1, 0))
    got = samples(tables)
    assert sorted(got) == [sweep.sweep_number for sweep in cell.sweeps]
    for sweep in cell.sweeps:
        stimulus, response = sweep.si()
        assert stimulus.dtype == response.dtype == np.float32
        assert np.array_equal(got[sweep.sweep_number][0].view(np.int32), stimulus.view(np.int32))
        assert np.array_equal(got[sweep.sweep_number][1].view(np.int32), response.view(np.int32))


def test_what_a_file_tells_of_its_cell(cell: MadeCell, tmp_path: Path) -> None:
    write_nwb1(tmp_path / "cell.nwb", cell)
    source = Source(tmp_path / "cell.nwb", "cell.nwb")
    assert registry.choose(source) is READER
    identity = READER.identify(source)
    assert (identity.subject, identity.role) == ("icephys.cell/464212183", "cell_nwb")
    tables = read(tmp_path / "cell.nwb")
    file = tables["icephys.files"].to_pylist()[0]
    assert file["specimen_id"] == 464212183
    assert file["layout"] == "allen_v1"
    assert file["nwb_version"] == "NWB-1.0.5"
    assert file["cre_line"] == "Scnn1a-Tg3-Cre"
    assert (file["dendrite_type"], file["dendrite_truncation"]) == ("spiny", "intact")
    assert (file["species"], file["sex"], file["age"]) == ("Mus musculus", "male", "P58")
    assert str(file["session_start_time_utc"]) == "2015-03-04 10:11:12"
    electrode = tables["icephys.electrodes"].to_pylist()[0]
    assert electrode["electrode_name"] == "Electrode 1"
    assert electrode["filter_khz"] == 10.0  # "Bessel filter at 10KHz"
    assert electrode["initial_access_resistance_mohm"] == 12.5  # "12.5 MOhm"
    assert electrode["seal_gohm"] == 1.75  # "1.75 GOhm"
    assert electrode["resistance_text"] == "3.8 MOhm (bath)"
    assert (electrode["soma_x"], electrode["soma_y"], electrode["soma_z"]) == (9_000.5, 1_200.25, 2_300.0)
    assert (electrode["normalized_depth"], electrode["structure_acronym"]) == (0.41, "VISp4")


@pytest.mark.parametrize("idx_stop", [False, True])
@pytest.mark.parametrize("hard_links", [False, True])
def test_epochs_tell_ranges_and_sweeps_their_stimulus(
    idx_stop: bool, hard_links: bool, cell: MadeCell, tmp_path: Path
) -> None:
    """NW-3, NW-4, NW-6; the experiment starts at 0.75 s, sample 15,000 at 20 kHz."""
    write_nwb1(tmp_path / "cell.nwb", cell, idx_stop=idx_stop, hard_links=hard_links)
    rows = {row["sweep_number"]: row for row in read(tmp_path / "cell.nwb", "sweeps")["icephys.nwb_sweeps"].to_pylist()}
    names = [row["stimulus_name"] for row in rows.values()]
    expected = [
        "Test",
        *["Long Square"] * 2,
        *["Short Square"] * 3,
        "Short Square - Triple",
        "Ramp",
        "Noise 1",
        "Noise 2",
    ]
    assert names == expected
    test = rows[0]
    assert (test["clamp_mode"], test["stimulus_unit"], test["response_unit"]) == ("voltage_clamp", "V", "A")
    assert test["experiment_start_index"] is None
    assert test["whole_cell_capacitance_comp"] == 30e-12
    square = rows[2]
    n = len(cell.sweeps[2].response)
    assert (square["clamp_mode"], square["stimulus_unit"], square["response_unit"]) == ("current_clamp", "A", "V")
    assert (square["sweep_start_index"], square["sweep_stop_index"]) == (0, n - 1)
    assert (square["experiment_start_index"], square["experiment_stop_index"]) == (15_000, n - 1)
    assert (square["test_pulse_start_index"], square["test_pulse_stop_index"]) == (0, 1_999)
    assert (square["stimulus_code"], square["stimulus_repeat"]) == ("C1LSCOARSE150112", 1)
    assert square["stimulus_amplitude_pa"] == 200.0
    assert square["stimulus_interval"] is None  # NaN in the file
    assert (square["seal_gohm"], square["initial_access_resistance_mohm"], square["stimulus_gain"]) == (
        1.75,
        12.5,
        400.0,
    )
    assert (square["bias_current"], square["bridge_balance"]) == (-5e-12, 14e6)
    assert (square["sampling_rate"], square["start_time"]) == (20_000.0, 20.0)
    assert square["response_series_path"] == "/acquisition/timeseries/Sweep_2"
    assert square["stimulus_conversion"] == np.float32(1e-12)


def test_numbers_order_sweeps_and_the_order_of_the_file_is_kept_beside(cell: MadeCell, tmp_path: Path) -> None:
    """Text sorts Sweep_10 before Sweep_2."""
    twelve = MadeCell(cell.specimen_id, tuple(_numbered(cell, range(12))))
    write_nwb1(tmp_path / "cell.nwb", twelve)
    sweeps = read(tmp_path / "cell.nwb", "sweeps")["icephys.nwb_sweeps"]
    assert column(sweeps, "sweep_number") == list(range(12))
    assert column(sweeps, "source_rank") == [0, 1, 4, 5, 6, 7, 8, 9, 10, 11, 2, 3]  # 0 1 10 11 2 3 ... by text


def _numbered(cell: MadeCell, numbers: range) -> list[MadeSweep]:
    return [replace(cell.sweeps[0], sweep_number=number) for number in numbers]


@pytest.mark.parametrize("keys", [("spike_times",), ("aibs_spike_times",), ("spike_times", "aibs_spike_times", "mine")])
def test_spike_times_are_kept_under_every_key(keys: tuple[str, ...], cell: MadeCell, tmp_path: Path) -> None:
    write_nwb1(tmp_path / "cell.nwb", cell, spike_keys=keys)
    rows = read(tmp_path / "cell.nwb", "spike_times")["icephys.stored_spike_times"].to_pylist()
    expected = {s.sweep_number: s.spike_times.tolist() for s in cell.sweeps if not s.is_test}
    for key in keys:
        assert {r["sweep_number"]: r["spike_times"] for r in rows if r["spike_key"] == key} == expected
    assert len(rows) == len(keys) * len(expected)


def test_a_file_that_names_no_specimen_is_a_recording_of_its_own(cell: MadeCell, tmp_path: Path) -> None:
    write_nwb1(tmp_path / "cell.nwb", cell, identifier="no name")
    with h5py.File(tmp_path / "cell.nwb", "a") as file:
        del file["general/aibs_specimen_id"]
    assert READER.identify(Source(tmp_path / "cell.nwb", "cell.nwb")).subject == "icephys.recording/no name"
    assert set(column(read(tmp_path / "cell.nwb", "sweeps")["icephys.nwb_sweeps"], "specimen_id")) == {
        made_id("no name")
    }


def test_a_series_without_ancestry_is_told_by_its_unit(cell: MadeCell, tmp_path: Path) -> None:
    write_nwb1(tmp_path / "cell.nwb", cell)
    with h5py.File(tmp_path / "cell.nwb", "a") as file:
        for folder in ("acquisition/timeseries", "stimulus/presentation"):
            for series in file[folder].values():
                del series.attrs["ancestry"]
    rows = read(tmp_path / "cell.nwb", "sweeps")["icephys.nwb_sweeps"].to_pylist()
    assert [row["clamp_mode"] for row in rows] == ["voltage_clamp", *["current_clamp"] * (len(rows) - 1)]


def test_a_unit_that_is_none_is_said(cell: MadeCell, tmp_path: Path) -> None:
    write_nwb1(tmp_path / "cell.nwb", cell)
    with h5py.File(tmp_path / "cell.nwb", "a") as file:
        file["acquisition/timeseries/Sweep_1/data"].attrs["unit"] = "furlongs"
    _, report = read_source(READER, tmp_path / "cell.nwb", ["sweeps"])
    assert any("Sweep_1" in said and "furlongs" in said for said in report.warnings)


# --- MIES -------------------------------------------------------------------------------------------------------------


def test_each_headstage_is_a_cell_with_its_stimulus(mies: Path, mies_sweeps: list[MiesSweep]) -> None:
    assert registry.choose(Source(mies, mies.name)) is READER
    tables = read(mies)
    file = tables["icephys.files"].to_pylist()[0]
    assert (file["layout"], file["n_cells"], file["n_sweeps"], file["specimen_id"]) == ("mies_v1", 2, 24, None)
    cells = {h: made_id("mies", f"/general/intracellular_ephys/electrode_{h}") for h in (0, 2)}
    rows = {(r["specimen_id"], r["sweep_number"]): r for r in tables["icephys.nwb_sweeps"].to_pylist()}
    traces = samples_of(tables["icephys.stored_traces"])
    assert rows.keys() == traces.keys() == {(cells[s.headstage], s.sweep_number) for s in mies_sweeps}
    for sweep in mies_sweeps:
        key = cells[sweep.headstage], sweep.sweep_number
        assert rows[key]["stimulus_code"] == CODE  # of C1LSFINEST150112_DA_0
        assert (rows[key]["device"], rows[key]["headstage"]) == (DEVICE, sweep.headstage)
        assert rows[key]["device_sweep_number"] == sweep.sweep_number
        assert rows[key]["sampling_rate"] == 50_000.0
        stimulus, response = traces[key]
        assert np.array_equal(response, sweep.response * np.float32(1e-3))
        assert np.array_equal(stimulus, sweep.stimulus * np.float32(1e-12))
    assert set(column(tables["icephys.electrodes"], "electrode_name")) == {"electrode_0", "electrode_2"}


def test_the_notebook_keeps_every_value_that_is_there(mies: Path, mies_sweeps: list[MiesSweep]) -> None:
    tables = read(mies, "lab_notebook")
    rows = tables["icephys.lab_notebook"].to_pylist()
    assert {row["device"] for row in rows} == {DEVICE}
    numerical = [row for row in rows if row["entry_source"] == "numerical"]
    # per entry 9 sweep numbers and 9 times, a count for all, 2 x 2 values of the bridge; scale factors in every other
    assert len(numerical) == 24 * (9 + 9 + 1 + 4) + 12 * 2
    told = {(r["sweep_number"], r["headstage"]): r["value"] for r in numerical if r["entry_key"] == "Scale Factor"}
    assert told == {(s.sweep_number, s.headstage): s.scale_factor for s in mies_sweeps}
    balance = next(r for r in numerical if r["entry_key"] == "Bridge Bal Value")
    assert balance["value_unit"] == "MOhm"
    texts = {r["value_text"] for r in rows if r["entry_key"] == "Stim Wave Name"}
    assert texts == {f"{CODE}_DA_0"}  # what is empty is no entry


# --- files that are wrong ---------------------------------------------------------------------------------------------


def test_a_sweep_that_does_not_start_at_0_is_refused(cell: MadeCell, tmp_path: Path) -> None:
    write_nwb1(tmp_path / "cell.nwb", cell)
    with h5py.File(tmp_path / "cell.nwb", "a") as file:
        file["epochs/Sweep_3/stimulus/idx_start"][()] = 5
    with pytest.raises(SourceError, match=r"Sweep_3/stimulus/idx_start.*should be 0, and is 5"):
        read(tmp_path / "cell.nwb")
    tables, report = read_source(READER, tmp_path / "cell.nwb", salvage=True)
    assert 3 not in column(tables["icephys.nwb_sweeps"], "sweep_number")
    assert len(column(tables["icephys.nwb_sweeps"], "sweep_number")) == len(cell.sweeps) - 1
    assert any("Sweep_3" in where for where, _ in report.skipped)


@pytest.mark.parametrize(
    ("path", "value", "reason"),
    [
        ("acquisition/timeseries/Sweep_1/data", np.zeros((5, 2), np.float32), "list of numbers"),
        ("acquisition/timeseries/Sweep_1/data", np.array(["a", "b"], TEXT), "list of numbers"),
        ("analysis/spike_times/Sweep_1", np.zeros((2, 2)), "1-dimensional"),
        ("epochs/Sweep_1/stimulus/count", -7, "goes from sample 0 to -8"),
    ],
)
def test_what_is_no_sweep_is_one_clear_error(
    path: str, value: object, reason: str, cell: MadeCell, tmp_path: Path
) -> None:
    write_nwb1(tmp_path / "cell.nwb", cell)
    with h5py.File(tmp_path / "cell.nwb", "a") as file:
        del file[path]
        file[path] = value
    with pytest.raises(SourceError, match=reason) as error:
        read(tmp_path / "cell.nwb")
    assert str(tmp_path / "cell.nwb") in str(error.value)
    assert "Sweep_1" in str(error.value)


def test_a_response_that_is_missing_is_said(cell: MadeCell, tmp_path: Path) -> None:
    write_nwb1(tmp_path / "cell.nwb", cell)
    with h5py.File(tmp_path / "cell.nwb", "a") as file:
        del file["acquisition/timeseries/Sweep_2"]
    with pytest.raises(SourceError, match=r"Sweep_2/response/timeseries.*missing"):
        read(tmp_path / "cell.nwb")


def test_a_notebook_of_another_shape_is_refused_and_salvage_takes_the_rest(mies: Path, tmp_path: Path) -> None:
    broken = tmp_path / "mies.nwb"
    broken.write_bytes(mies.read_bytes())
    with h5py.File(broken, "a") as file:
        del file[f"general/labnotebook/{DEVICE}/numericalValues"]
        file[f"general/labnotebook/{DEVICE}/numericalValues"] = np.zeros((4, 99, 9))
    with pytest.raises(SourceError, match="numericalValues"):
        read(broken)
    assert len(read(broken, salvage=True)["icephys.stored_traces"]) == 24


def test_extracellular_files_are_left_to_their_reader(tmp_path: Path) -> None:
    make_nwb1(tmp_path / "spikes.nwb")
    source = Source(tmp_path / "spikes.nwb", "spikes.nwb")
    assert not READER.sniff(source)
    assert registry.choose(source).name == "nwb1_ecephys"
    other = tmp_path / "other.nwb"
    with h5py.File(other, "w") as file:
        file["nwb_version"] = "7"
    with pytest.raises(SourceError, match="no NWB 1 file"):
        READER.identify(Source(other, other.name))
