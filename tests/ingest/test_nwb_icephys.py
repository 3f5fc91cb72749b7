"""NWB 2 files of any laboratory become the rows of the patch-clamp tables, and answer in the lake."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import brainlake
import h5py
import numpy as np
import pytest
from brainlake.ingest import registry
from brainlake.ingest.contract import Source, made_id
from brainlake.ingest.nwb import READER
from brainlake.ingest.nwb_icephys import SECTION
from brainlake.lake.errors import SourceError
from brainlake.tests.fixtures.icephys_labs import (
    ELECTRODES,
    ODD_RATE,
    IcephysWriter,
    LabSweep,
    RecordingsLab,
    make_recordings_lab,
    make_sweep_table_lab,
)
from brainlake.tests.fixtures.other_labs import make_other_lab
from brainlake.tests.fixtures.reading import column, read_section

ONE_CELL = made_id("sweep-table-lab")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("patch")


@pytest.fixture(scope="module")
def sweep_table(folder: Path) -> tuple[Path, list[LabSweep]]:
    return folder / "sweeps.nwb", make_sweep_table_lab(folder / "sweeps.nwb")


@pytest.fixture(scope="module")
def recordings(folder: Path) -> tuple[Path, RecordingsLab]:
    return folder / "recordings.nwb", make_recordings_lab(folder / "recordings.nwb")


@pytest.fixture(scope="module")
def lake(
    folder: Path, sweep_table: tuple[Path, list[LabSweep]], recordings: tuple[Path, RecordingsLab]
) -> Iterator[brainlake.Lake]:
    with brainlake.create(folder / "lake") as lake:
        lake.ingest([sweep_table[0], recordings[0]])
        yield lake


def test_a_file_is_about_its_recording_and_no_other_reader_claims_it(sweep_table: tuple[Path, list[LabSweep]]) -> None:
    source = Source(sweep_table[0], sweep_table[0].name)
    assert registry.choose(source) is READER
    identity = READER.identify(source)
    assert (identity.subject, identity.role) == ("icephys.recording/sweep-table-lab", "cell_nwb")


def test_a_file_without_identifier_is_refused(tmp_path: Path) -> None:
    make_sweep_table_lab(tmp_path / "a.nwb")
    with h5py.File(tmp_path / "a.nwb", "r+") as file:
        del file["identifier"]
    with pytest.raises(SourceError, match=r"a\.nwb: /identifier: is missing"):
        READER.identify(Source(tmp_path / "a.nwb", "a.nwb"))


def test_a_sweep_says_all_that_its_series_say(sweep_table: tuple[Path, list[LabSweep]]) -> None:
    tables, _ = read_section(SECTION, sweep_table[0])
    rows = {row["sweep_number"]: row for row in tables["icephys.nwb_sweeps"].to_pylist()}
    ten = {name: value for name, value in rows[10].items() if value is not None}
    file_id = ten.pop("file_id")
    assert ten == {
        "specimen_id": ONE_CELL, "sweep_number": 10, "electrode_name": "Electrode 0", "clamp_mode": "current_clamp",
        "stimulus_description": "long square", "stimulus_code": "long square", "stimulus_unit": "A",
        "response_unit": "V", "source_stimulus_unit": "amperes", "source_response_unit": "volts",
        "sampling_rate": ODD_RATE, "n_samples": 500, "n_stimulus_samples": 500, "start_time": 10.0,
        "sweep_start_index": 0, "sweep_stop_index": 499, "stimulus_conversion": 1e-12, "response_conversion": 3.125e-5,
        "stimulus_gain": 400.0, "response_gain": 20.0, "bias_current": -2.5e-11, "bridge_balance": 1.1e7,
        "capacitance_compensation": 4.5e-12, "stimulus_series_path": "/stimulus/presentation/sweep 10 stimulus",
        "response_series_path": "/acquisition/sweep 10 response", "source_rank": 1,
    }  # fmt: skip
    assert (rows[1]["clamp_mode"], rows[1]["stimulus_unit"], rows[1]["n_stimulus_samples"]) == ("izero", None, 0)
    assert (rows[2]["source_response_unit"], rows[2]["response_unit"]) == ("pA", "A")
    assert (rows[2]["capacitance_fast"], rows[2]["stimulus_code"]) == (1.5e-12, "ramp")
    assert column(tables["icephys.files"], "file_id") == [file_id]


def test_an_electrode_says_numbers_where_the_file_has_texts(sweep_table: tuple[Path, list[LabSweep]]) -> None:
    (row,) = read_section(SECTION, sweep_table[0])[0]["icephys.electrodes"].to_pylist()
    assert (row["electrode_name"], row["device"], row["cell_id"]) == ("Electrode 0", "Amplifier 700", "cell 7")
    assert (row["seal_gohm"], row["initial_access_resistance_mohm"], row["filter_khz"]) == (1.7, 12.5, 10.0)


def test_one_file_may_be_of_several_cells(recordings: tuple[Path, RecordingsLab]) -> None:
    tables, _ = read_section(SECTION, recordings[0])
    (file,) = tables["icephys.files"].to_pylist()
    assert (file["specimen_id"], file["n_cells"], file["n_sweeps"]) == (None, 2, 6)
    cells = dict(zip(*(column(tables["icephys.electrodes"], n) for n in ("cell_id", "specimen_id")), strict=True))
    assert cells == {f"cell {name}": made_id("recordings-lab", f"/{ELECTRODES}/pipette {name}") for name in ("A", "B")}


def test_the_table_of_recordings_is_kept_with_its_groups(recordings: tuple[Path, RecordingsLab]) -> None:
    rows = read_section(SECTION, recordings[0])[0]["icephys.intracellular_recordings"].to_pylist()
    row = next(row for row in rows if row["recording_id"] == 22)
    assert (row["sweep_number"], row["electrode_name"], row["stimulus_series_path"]) == (2, "pipette B", None)
    assert (row["response_series_path"], row["response_start_index"], row["response_count"]) == (
        "/acquisition/held", 400, 200,
    )  # fmt: skip
    assert (row["simultaneous_recording_id"], row["sequential_recording_id"]) == (102, 1)
    assert (row["repetition_id"], row["experimental_condition_id"]) == (8, 40)
    row = next(row for row in rows if row["recording_id"] == 10)
    assert (row["template_series_path"], row["template_count"]) == ("/stimulus/templates/step", 200)


def test_samples_of_a_series_are_kept_once(recordings: tuple[Path, RecordingsLab], lake: brainlake.Lake) -> None:
    stored = lake.sql(
        "select path, stored_in from nwb.stored_series where path like '/acquisition/%' or path like '/stimulus/%'"
    )
    kept = dict(stored.pl().rows())
    assert kept.pop("/stimulus/templates/step") == "nwb.series_chunks"
    assert set(kept.values()) == {"icephys.sweep_traces"}
    assert lake.sql("select count(distinct path) as n from nwb.series_chunks").one().n == 1


def test_a_series_of_which_recordings_take_a_share_is_kept_whole_as_well(tmp_path: Path) -> None:
    make_recordings_lab(tmp_path / "a.nwb")
    with h5py.File(tmp_path / "a.nwb", "r+") as file:
        responses = file[f"{ELECTRODES}/intracellular_recordings/responses/response"]
        row = responses[5]
        row["count"] = 100  # the last hundred samples are in no recording now
        responses[5] = row
    from brainlake.ingest.nwb_file import NwbFile

    with NwbFile.open(Source(tmp_path / "a.nwb", "a.nwb")) as nwb:
        assert "/acquisition/held" not in SECTION.owned(nwb)
        assert "/acquisition/response 0" in SECTION.owned(nwb)


def test_only_wanted_parts_come_and_all_are_told(sweep_table: tuple[Path, list[LabSweep]]) -> None:
    tables, report = read_section(SECTION, sweep_table[0], {"sweeps"})
    assert set(tables) == {"icephys.files", "icephys.electrodes", "icephys.nwb_sweeps"}
    assert report.available["samples"] > 0
    assert set(read_section(SECTION, sweep_table[0], {"samples"})[0]) == {
        "icephys.stored_traces", "icephys.sweep_envelopes",
    }  # fmt: skip


def test_spike_times_that_a_pipeline_left_are_those_of_their_sweep(tmp_path: Path) -> None:
    with IcephysWriter(tmp_path / "a.nwb", identifier="spikes") as nwb:
        for number in (3, 12):
            nwb.patch_series(f"data_{number:05d}_AD0", np.zeros(9, np.float32), unit="volts")
        module = nwb.module("spikes", "detected spikes")
        nwb.series(module, "Sweep_12", np.array([0.5, 0.75]), np.array([0.5, 0.75]), "seconds")
        nwb.series(module, "Sweep_4", np.array([0.5]), np.array([0.5]), "seconds")
    tables, report = read_section(SECTION, tmp_path / "a.nwb")
    (row,) = tables["icephys.stored_spike_times"].to_pylist()
    assert (row["sweep_number"], row["spike_key"], row["spike_times"]) == (12, "spike_times", [0.5, 0.75])
    assert [said.split(" ")[0] for said in report.warnings] == ["/processing/spikes/Sweep_4"]


def test_a_damaged_series_is_named_and_the_rest_is_salvaged(tmp_path: Path) -> None:
    make_sweep_table_lab(tmp_path / "a.nwb")
    with h5py.File(tmp_path / "a.nwb", "r+") as file:
        del file["acquisition/sweep 2 response/data"]
        file["acquisition/sweep 2 response/data"] = ["no", "numbers"]
    with pytest.raises(SourceError, match=r"/acquisition/sweep 2 response/data: should be a list of numbers"):
        read_section(SECTION, tmp_path / "a.nwb")
    tables, report = read_section(SECTION, tmp_path / "a.nwb", salvage=True)
    assert column(tables["icephys.nwb_sweeps"], "sweep_number") == [1, 10]
    assert [where for where, _ in report.skipped] == ["/acquisition/sweep 2 response/data"]


def test_a_file_of_spikes_and_sweeps_is_one_file_in_both_domains(tmp_path: Path) -> None:
    make_other_lab(tmp_path / "both.nwb", identifier="both")
    with IcephysWriter(tmp_path / "patch.nwb") as nwb:
        nwb.patch_series("sweep 1", np.zeros(9, np.float32), unit="volts", sweep_number=1)
    with h5py.File(tmp_path / "patch.nwb") as patch, h5py.File(tmp_path / "both.nwb", "r+") as both:
        patch.copy("acquisition/sweep 1", both.require_group("acquisition"))
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest([tmp_path / "both.nwb"])
        lake.refresh()
        ids = lake.sql(
            "select (from nwb.files select file_id) as a, (from icephys.nwb_sweeps select file_id) as b"
        ).one()
        assert ids.a == ids.b
        assert lake.sql("select count(*) as n from ecephys.units").one().n == 5


# --- asked of the lake ------------------------------------------------------------------------------------------------


def test_a_sweep_comes_to_numpy_in_volts_and_amperes(
    lake: brainlake.Lake, sweep_table: tuple[Path, list[LabSweep]]
) -> None:
    for expected in sweep_table[1]:
        sweep = lake.sql(f"from icephys.sweep({ONE_CELL}, {expected.sweep_number})").one()
        assert (sweep.clamp_mode, sweep.sampling_rate) == (expected.clamp_mode, expected.sampling_rate)
        np.testing.assert_array_equal(sweep.response, expected.response.astype(np.float32))
        if expected.stimulus is None:
            assert sweep.stimulus is None
        else:
            np.testing.assert_allclose(sweep.stimulus, expected.stimulus, rtol=1.2e-7)


def test_groups_of_recordings_are_asked_by_level(lake: brainlake.Lake) -> None:
    groups = lake.sql("""
        select group_level, group_id, parent_id, stimulus_type, n_recordings, n_sweeps, n_cells, recording_ids
        from icephys.recording_groups
        order by n_recordings desc, group_level, group_id
    """).pl()
    assert groups.rows() == [
        ("condition", 40, None, None, 6, 6, 2, [10, 11, 12, 20, 21, 22]),
        ("repetition", 7, 40, None, 4, 4, 2, [10, 11, 20, 21]),
        ("sequential", 0, 7, "square", 4, 4, 2, [10, 11, 20, 21]),
        ("repetition", 8, 40, None, 2, 2, 2, [12, 22]),
        ("sequential", 1, 8, "square again", 2, 2, 2, [12, 22]),
        ("simultaneous", 100, 0, None, 2, 2, 2, [10, 20]),
        ("simultaneous", 101, 0, None, 2, 2, 2, [11, 21]),
        ("simultaneous", 102, 1, None, 2, 2, 2, [12, 22]),
    ]


def test_cells_recorded_at_once_find_each_other(lake: brainlake.Lake) -> None:
    a, b = (made_id("recordings-lab", f"/{ELECTRODES}/pipette {name}") for name in ("A", "B"))
    pairs = lake.sql(f"""
        select sweep_number, other_specimen_id, other_sweep_number
        from icephys.simultaneous_sweeps
        where specimen_id = {a}
        order by sweep_number
    """).pl()
    assert pairs.rows() == [(0, b, 0), (1, b, 1), (2, b, 2)]
    assert lake.sql("select count(*) as n from icephys.simultaneous_sweeps").one().n == 6


def test_a_second_copy_replaces_the_first(folder: Path, tmp_path: Path) -> None:
    make_sweep_table_lab(tmp_path / "copy.nwb")
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest([folder / "sweeps.nwb"])
        lake.ingest([tmp_path / "copy.nwb"])
        lake.refresh()
        assert lake.sql("select count(*) as n from icephys.nwb_sweeps").one().n == 3
