"""NWB 1 files with units: early Allen sessions and other laboratories' (ecephys 2.6)."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pytest
from brainlake.ingest.contract import ID_BASE, Source
from brainlake.ingest.nwb1_ecephys import PROBE_SAMPLING_RATE, READER
from brainlake.lake.errors import SourceError
from brainlake.tests.fixtures.allen_ecephys import make_session
from brainlake.tests.fixtures.allen_truth import Truth
from brainlake.tests.fixtures.nwb1 import make_nwb1
from brainlake.tests.fixtures.reading import column, read_source


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Truth, Path]:
    path = tmp_path_factory.mktemp("nwb1") / "early.nwb"
    return make_nwb1(path), path


@pytest.fixture(scope="module")
def tables(made: tuple[Truth, Path]) -> dict[str, pa.Table]:
    return read_source(READER, made[1])[0]


def _source(path: Path) -> Source:
    return Source(path, str(path))


def test_only_nwb_1_files_with_units_are_taken(made: tuple[Truth, Path], tmp_path: Path) -> None:
    truth, path = made
    assert READER.sniff(_source(path))
    make_session(tmp_path / "v2.nwb", truth=truth, gzip=1)
    assert not READER.sniff(_source(tmp_path / "v2.nwb"))
    with h5py.File(tmp_path / "sweeps.nwb", "w") as file:
        file["nwb_version"], file["identifier"] = "NWB-1.0.5", "sweeps without units"
    assert not READER.sniff(_source(tmp_path / "sweeps.nwb"))


def test_another_version_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "later.nwb"
    make_nwb1(path, nwb_version="2.0b")
    assert not READER.sniff(_source(path))
    with pytest.raises(SourceError, match="no NWB 1 file") as caught:
        READER.identify(_source(path))
    assert caught.value.where == "/nwb_version"


def test_ids_are_made_and_the_same_for_every_copy(made: tuple[Truth, Path], tmp_path: Path) -> None:
    moved = tmp_path / "moved.nwb"
    moved.write_bytes(made[1].read_bytes())
    assert READER.identify(_source(moved)) == READER.identify(_source(made[1]))
    tables = read_source(READER, moved)[0]
    assert tables == read_source(READER, made[1])[0]
    ids = [
        i
        for t, c in (("units", "unit_id"), ("probes", "probe_id"), ("channels", "channel_id"))
        for i in column(tables[f"ecephys.nwb_{t}"], c)
    ]
    assert min(ids) >= ID_BASE
    assert len(set(ids)) == len(ids)


def _by_natural_id(tables: dict[str, pa.Table], truth: Truth) -> list[tuple[Any, dict[str, Any]]]:
    """(unit of the truth, row) for every unit in the file."""
    probes = {row["probe_id"]: row["name"] for row in tables["ecephys.nwb_probes"].to_pylist()}
    rows = {(probes[r["probe_id"]], r["source_unit_id"]): r for r in tables["ecephys.nwb_units"].to_pylist()}
    good = [unit for unit in truth.units if unit.quality == "good"]
    assert len(rows) == len(good)
    return [(unit, rows[truth.probes[unit.probe].name, str(unit.cluster_id)]) for unit in good]


def test_units_have_their_spikes_and_what_the_format_leaves_out(
    tables: dict[str, pa.Table], made: tuple[Truth, Path]
) -> None:
    trains: dict[int, list[float]] = {}
    for row in tables["ecephys.spike_trains"].to_pylist():
        times = row["spike_times"]
        if times is None:
            times = (np.array(row["spike_ticks"]) / row["clock_rate"] - row["clock_shift"]).tolist()
        trains.setdefault(row["unit_id"], []).extend(times)
    channels = {row["channel_id"]: row for row in tables["ecephys.nwb_channels"].to_pylist()}
    for unit, row in _by_natural_id(tables, made[0]):
        train = made[0].train(unit.unit_id)
        np.testing.assert_array_equal(trains.get(row["unit_id"], []), train)
        assert (row["n_spikes"], row["quality"]) == (len(train), "good")
        channel = channels[row["peak_channel_id"]]
        assert (channel["local_index"], channel["valid_data"]) == (unit.channel.local_index, True)
        assert channel["structure_acronym"] == unit.channel.acronym
    assert set(column(tables["ecephys.nwb_probes"], "sampling_rate")) == {PROBE_SAMPLING_RATE}


def test_stimuli_are_numbered_by_time_and_light_pulses_are_no_presentations(
    tables: dict[str, pa.Table], made: tuple[Truth, Path]
) -> None:
    shown, table = made[0].presentations, tables["ecephys.nwb_presentations"]
    assert column(table, "start_time") == shown.start_time.tolist()
    assert column(table, "stimulus_name") == shown.stimulus_name.tolist()
    gabors = [row for row in table.to_pylist() if row["stimulus_name"] == "gabors"]
    expected = shown.values["x_position"][shown.rows("gabors")]
    assert [row["x_position"] for row in gabors] == expected.tolist()
    assert {row["stimulus_index"] for row in gabors} == {0.0}
    _, report = read_source(READER, made[1], {"stimuli"})
    assert [where for where, _ in report.skipped] == ["/stimulus/presentation/optogenetic_stimulation"]


def test_running_and_waveforms_are_taken(tables: dict[str, pa.Table], made: tuple[Truth, Path]) -> None:
    assert column(tables["behavior.running_speed"], "speed") == made[0].wheel.speed.tolist()
    waveforms = tables["ecephys.nwb_waveforms"].to_pylist()
    assert len(waveforms) == len(tables["ecephys.nwb_units"])
    assert all(row["is_peak"] and len(row["waveform"]) == 82 for row in waveforms)


def _minimal(path: Path, **datasets: Any) -> Path:
    given = {
        "nwb_version": "1.0.6",
        "identifier": "minimal",
        "session_start_time": "2008-06-06 11:22:24",
        "processing/Cells/UnitTimes/cell_1/times": np.array([-0.5, 1.0, 2.0]),
        "processing/Cells/UnitTimes/cell_1/unit_description": "on cell",
        "epochs/dark/start_time": 0.0,
        "epochs/dark/stop_time": 9.0,
        **datasets,
    }
    with h5py.File(path, "w") as file:
        for name, value in given.items():
            file[name] = value
    return path


def test_another_laboratorys_file_gives_units_without_channels_and_its_epochs(tmp_path: Path) -> None:
    tables, _ = read_source(READER, _minimal(tmp_path / "cells.nwb"))
    (unit,) = tables["ecephys.nwb_units"].to_pylist()
    assert (unit["n_spikes"], unit["first_spike_time"], unit["peak_channel_id"]) == (3, -0.5, None)
    assert (unit["quality"], json.loads(unit["extra"])) == (None, {"unit_description": "on cell"})
    (epoch,) = tables["ecephys.nwb_presentations"].to_pylist()
    assert (epoch["stimulus_name"], epoch["start_time"], epoch["stop_time"]) == ("dark", 0.0, 9.0)
    assert "ecephys.nwb_channels" not in tables


@pytest.mark.parametrize(
    "times", [np.array([1.0, np.nan]), np.array(["a", "b"], "S1"), np.zeros((2, 2)), np.float64(1.0)]
)
def test_spike_times_of_no_sense_are_refused_naming_the_unit(tmp_path: Path, times: Any) -> None:
    path = _minimal(tmp_path / "bad.nwb", **{"processing/Cells/UnitTimes/cell_1/times": times})
    with pytest.raises(SourceError) as caught:
        read_source(READER, path)
    assert caught.value.where == "/processing/Cells/UnitTimes/cell_1/times"
