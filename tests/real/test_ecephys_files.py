"""Real files: what they hold is counted by other means (h5py, pynwb, csv, numpy) and must be found again."""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from brainlake.ingest.clock import find_clock
from brainlake.ingest.ecephys_csv import READER as CSV
from brainlake.ingest.nwb1_ecephys import READER as NWB1
from brainlake.ingest.nwb_ecephys import SECTION
from brainlake.lake.errors import SourceError
from brainlake.tests.fixtures.reading import column, read_section, read_source

Find = Callable[[str], Path]


# --- sub-4_ses-4: human microwires, another laboratory ----------------------------------------------------------------


def test_the_microwire_recording_has_35_units_and_214278_spikes(real_data: Find) -> None:
    pynwb = pytest.importorskip("pynwb")
    path = real_data("neuropixels/sub-4_ses-4_ecephys+image.nwb")
    tables, _ = read_section(SECTION, path)
    assert sum(column(tables["ecephys.nwb_units"], "n_spikes")) == 214_278
    trains: dict[int, list[float]] = {}
    for row in tables["ecephys.spike_trains"].to_pylist():
        trains.setdefault(row["unit_id"], []).extend(row["spike_times"])
    units = {row["source_unit_id"]: row for row in tables["ecephys.nwb_units"].to_pylist()}
    assert len(units) == 35
    channels = {row["channel_id"]: row for row in tables["ecephys.nwb_channels"].to_pylist()}
    with pynwb.NWBHDF5IO(path, "r", load_namespaces=True) as io:
        oracle = io.read().units.to_dataframe()
        for number, row in oracle.iterrows():
            unit = units[str(number)]
            assert trains[unit["unit_id"]] == sorted(row["spike_times"].tolist())
            electrode = row["electrodes"]
            assert channels[unit["peak_channel_id"]]["source_channel_id"] == str(electrode.index[0])
            assert channels[unit["peak_channel_id"]]["structure_acronym"] == electrode["location"].iloc[0].decode()


def test_its_three_tasks_are_trials_in_order_of_time(real_data: Find) -> None:
    path = real_data("neuropixels/sub-4_ses-4_ecephys+image.nwb")
    table = read_section(SECTION, path, {"stimuli"})[0]["ecephys.nwb_presentations"]
    names = Counter(column(table, "stimulus_name"))
    assert names == {"encoding_table": 90, "recognition_table": 180, "timediscrimination_table": 180}
    assert column(table, "stimulus_presentation_id") == list(range(450))
    first = table.to_pylist()[0]
    assert json.loads(first["parameters"])["Clip_name"] == "NB_24.mp4"


# --- 20080606_R1: retina, NWB 1 ---------------------------------------------------------------------------------------


def test_the_retina_recording_has_four_units(real_data: Find) -> None:
    tables, report = read_source(NWB1, real_data("neuropixels/20080606_R1.nwb"))
    counts = {r["source_unit_id"]: r["n_spikes"] for r in tables["ecephys.nwb_units"].to_pylist()}
    assert counts == {"cell_1": 6_946, "cell_2": 9_780, "cell_3": 13_011, "cell_4": 10_920}
    with h5py.File(real_data("neuropixels/20080606_R1.nwb")) as file:
        stored = {name: file[f"processing/Cells/UnitTimes/{name}/times"][:] for name in counts}
    names = {r["unit_id"]: r["source_unit_id"] for r in tables["ecephys.nwb_units"].to_pylist()}
    found: dict[str, list[float]] = {}
    for row in tables["ecephys.spike_trains"].to_pylist():
        ticks, times = row["spike_ticks"], row["spike_times"]
        seconds = times if ticks is None else (np.array(ticks) / row["clock_rate"] - row["clock_shift"]).tolist()
        found.setdefault(names[row["unit_id"]], []).extend(seconds)
    for name, times in stored.items():
        np.testing.assert_array_equal(found[name], np.sort(times))
    epochs = tables["ecephys.nwb_presentations"].to_pylist()
    assert [row["stimulus_name"] for row in epochs] == ["stim_1", "stim_2", "stim_3"]
    assert len(report.skipped) == 3  # three series of stimulus frames, which are no presentations


# --- aibs.nwb: a released session cut to ten rows ---------------------------------------------------------------------


def test_the_cut_session_is_refused_naming_the_index_that_points_past_the_data(real_data: Find) -> None:
    with pytest.raises(SourceError, match=r"units/spike_times_index.*row 0 ends at 32415, spike_times has 10"):
        read_section(SECTION, real_data("neuropixels/aibs.nwb"))


def test_what_is_consistent_in_the_cut_session_can_be_salvaged(real_data: Find) -> None:
    tables, report = read_section(SECTION, real_data("neuropixels/aibs.nwb"), salvage=True)
    assert {name: table.num_rows for name, table in tables.items()} == {
        "ecephys.nwb_sessions": 1,
        "ecephys.nwb_probes": 6,
        "ecephys.nwb_channels": 10,
        "ecephys.nwb_units": 10,
        "ecephys.nwb_presentations": 80,
        "ecephys.optogenetic_stimulation": 10,
        "behavior.running_speed": 10,
        "behavior.running_wheel": 10,
        "behavior.eye_tracking": 10,
        "behavior.gaze_mapping": 10,
        "behavior.eye_tracking_rigs": 1,
    }
    assert [where for where, _ in report.skipped] == ["/units/spike_times_index", "/units/waveform_mean_index"]
    assert set(column(tables["ecephys.nwb_units"], "n_spikes")) == {None}
    assert len(set(column(tables["ecephys.nwb_presentations"], "source_table"))) == 8
    (session,) = tables["ecephys.nwb_sessions"].to_pylist()
    assert (session["session_id"], session["source_layout"]) == (760693773, "allen_v2")
    assert (session["specimen_name"], session["rig_equipment_name"]) == ("Sst-IRES-Cre;Ai32-406808", "NP.1")


def test_real_spikes_lie_on_a_clock_whose_declared_rate_lost_its_last_digits(real_data: Find) -> None:
    """The probe's recording began where its LFP file does: there the shift of the clock is known by other means."""
    with h5py.File(real_data("neuropixels/aibs.nwb")) as file:
        times = file["units/spike_times"][:]
        rate = float(file["general/devices/probeA"].attrs["sampling_rate"])
    with h5py.File(real_data("neuropixels/aibs_ecephys_87channels.nwb")) as file:
        start = file["acquisition/probe_769322820_lfp_data/timestamps"][0]
    ticks = np.rint((times - start) * rate)
    near = [rate + i * np.spacing(rate) for i in range(-16, 17)]
    assert not np.array_equal(ticks / rate + start, times)
    assert any(np.array_equal(ticks / used + start, times) for used in near)
    clock = find_clock(times, [rate])
    assert clock is not None
    assert clock.ticks(times)[1].all()


# --- the LFP file of one of its probes, without root attributes -------------------------------------------------------


def test_the_probe_file_has_87_channels_and_the_whole_csd(real_data: Find) -> None:
    path = real_data("neuropixels/aibs_ecephys_87channels.nwb")
    tables, _ = read_section(SECTION, path)
    with h5py.File(path) as file:
        ids = file["general/extracellular_ephys/electrodes/id"][:]
        density = file["processing/current_source_density/ecephys_csd/current_source_density/data"][:]
        lfp = file["acquisition/probe_769322820_lfp_data/data"][:]
    channels = {row["column_index"]: row for row in tables["ecephys.nwb_lfp_channels"].to_pylist()}
    assert [channels[i]["channel_id"] for i in range(87)] == ids.tolist()
    assert {row["lfp_sampling_rate"] for row in channels.values()} == {1249.998752335795}
    assert density.shape == (875, 384)
    rows = tables["ecephys.csd_channels"].to_pylist()
    np.testing.assert_array_equal(np.array([row["csd"] for row in rows]).T, density)
    assert [row["vertical_position"] for row in rows] == [10.0 * i for i in range(384)]
    chunks = {row["channel_id"]: row for row in tables["ecephys.lfp_chunks"].to_pylist()}
    for position, channel in enumerate(ids.tolist()):
        row = chunks[channel]
        back = (np.array(row["counts"]) * row["scale"]).astype(np.float32)
        np.testing.assert_array_equal(back, lfp[:, position])


# --- project tables ---------------------------------------------------------------------------------------------------


def test_the_release_has_58_sessions_and_332_probes(real_data: Find) -> None:
    (sessions,) = read_source(CSV, real_data("metadata/ecephys/sessions.csv"))[0].values()
    assert Counter(column(sessions, "session_type")) == {"brain_observatory_1.1": 32, "functional_connectivity": 26}
    assert Counter(column(sessions, "sex")) == {"M": 45, "F": 13}
    assert None not in column(sessions, "full_genotype")
    (probes,) = read_source(CSV, real_data("metadata/ecephys/probes.csv"))[0].values()
    assert (len(probes), sum(column(probes, "has_lfp_data"))) == (332, 325)
    assert set(column(probes, "session_id")) == set(column(sessions, "session_id"))
    with real_data("metadata/ecephys/probes.csv").open() as file:
        given = list(csv.DictReader(file))
    # of five probes (session 839557629) no LFP was stored, and the factor is empty
    raw = {
        int(r["id"]): float(r["lfp_sampling_rate"]) / 2 if r["lfp_temporal_subsampling_factor"] else None for r in given
    }
    assert dict(zip(column(probes, "probe_id"), column(probes, "lfp_sampling_rate"), strict=True)) == raw


def test_the_merged_table_joins_in_full(real_data: Find) -> None:
    tables, _ = read_source(CSV, real_data("metadata/ecephys/unit_analysis_metrics_4195units.csv"))
    units, metrics = tables["ecephys.annotated_units"], tables["ecephys.annotated_unit_metrics"]
    assert len(units) == len(metrics) == 4_195
    areas = Counter(column(units, "structure_acronym"))
    assert areas == {"VISp": 2478, "VISam": 553, "VISpm": 354, "VISl": 288, "VISal": 272, "VISrl": 250}
    assert (len(set(column(units, "session_id"))), len(set(column(units, "probe_id")))) == (31, 150)
    assert metrics["on_off_ratio_fl"].null_count == 4_195
    assert set(column(metrics, "on_screen_rf")) <= {True, False, None}
    (layers,) = read_source(CSV, real_data("metadata/ecephys/layer_info.csv"))[0].values()
    (latencies,) = read_source(CSV, real_data("metadata/ecephys/time_to_first_spike.csv"))[0].values()
    assert len(layers) == len(latencies) == 99_180
    assert set(column(units, "unit_id")) <= set(column(layers, "unit_id"))
    assert set(column(layers, "unit_id")) == set(column(latencies, "unit_id"))
    (probes,) = read_source(CSV, real_data("metadata/ecephys/probes.csv"))[0].values()
    assert set(column(units, "probe_id")) <= set(column(probes, "probe_id"))
    extra = json.loads(column(units, "extra")[0])
    assert {"timescale_ac", "pooled_group", "cortical_layer"} <= set(extra)


def test_no_other_real_table_is_taken_for_one_of_the_project_s(real_data: Find) -> None:
    from brainlake.ingest.contract import Source

    folder = real_data("metadata")
    taken = {path.name for path in folder.rglob("*.csv") if CSV.sniff(Source(path, str(path)))}
    assert taken == {
        "sessions.csv",
        "neuropixels_vc_experiment_metadata.csv",
        "probes.csv",
        "layer_info.csv",
        "time_to_first_spike.csv",
        "unit_analysis_metrics_4195units.csv",
    }
