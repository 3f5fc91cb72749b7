"""Sessions of every layout become the same rows; what a file says is what the lake gets, exactly."""

from __future__ import annotations

import json
from pathlib import Path
from typing import NamedTuple

import h5py
import numpy as np
import pyarrow as pa
import pytest
from brainlake.ingest.contract import ID_BASE, Report, Source
from brainlake.ingest.nwb_ecephys import SECTION
from brainlake.ingest.nwb_file import NwbFile
from brainlake.lake.errors import SourceError
from brainlake.tests.fixtures.allen_ecephys import make_probe_lfp, make_session
from brainlake.tests.fixtures.allen_records import STRUCTURE_IDS
from brainlake.tests.fixtures.allen_truth import Truth
from brainlake.tests.fixtures.other_labs import LFP_CONVERSION, LFP_RATE, OtherLab, make_other_lab
from brainlake.tests.fixtures.reading import column, read_section

LAYOUTS = ("v2", "v1", "v1_camstim")
Tables = dict[str, pa.Table]


class Made(NamedTuple):
    truth: Truth
    sessions: dict[str, Path]
    probes: dict[str, Path]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    folder, truth = tmp_path_factory.mktemp("allen"), Truth()
    sessions = {layout: folder / f"{layout}.nwb" for layout in LAYOUTS}
    for layout, path in sessions.items():
        make_session(path, layout=layout, truth=truth, gzip=1)
    probes = {layout: folder / f"probe_{layout}.nwb" for layout in ("v2", "v1")}
    for layout, path in probes.items():
        make_probe_lfp(path, truth, probe=1, layout=layout, gzip=1)
    return Made(truth, sessions, probes)


@pytest.fixture(scope="module", params=LAYOUTS)
def session(request: pytest.FixtureRequest, made: Made) -> Tables:
    return read_section(SECTION, made.sessions[request.param])[0]


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> tuple[OtherLab, Path]:
    path = tmp_path_factory.mktemp("other") / "lab.nwb"
    return make_other_lab(path), path


def trains(tables: Tables) -> dict[int, np.ndarray]:
    """Unit -> spike times, as SQL computes them from ticks."""
    found: dict[int, list[np.ndarray]] = {}
    for row in tables["ecephys.spike_trains"].to_pylist():
        if row["spike_ticks"] is not None:
            times = np.array(row["spike_ticks"]) / row["clock_rate"] - row["clock_shift"]
        else:
            times = np.array(row["spike_times"])
        assert len(times) == row["n_spikes"]
        assert (np.floor(times / 600) == row["time_block"]).all()
        found.setdefault(row["unit_id"], []).append(times)
    return {unit: np.concatenate(blocks) for unit, blocks in found.items()}


def subject(path: Path) -> tuple[str, str]:
    with NwbFile.open(Source(path, str(path))) as nwb:
        assert SECTION.claims(nwb)
        identity = SECTION.identify(nwb)
    assert identity is not None
    return identity.subject, identity.role


# --- identity ---------------------------------------------------------------------------------------------------------


def test_all_layouts_of_a_session_are_one_subject_in_one_role(made: Made) -> None:
    assert {subject(p) for p in made.sessions.values()} == {(f"ecephys.session/{made.truth.session_id}", "session_nwb")}


def test_a_probe_file_is_about_its_probe(made: Made) -> None:
    expected = (f"ecephys.probe/{made.truth.probes[1].probe_id}", "probe_nwb")
    assert {subject(p) for p in made.probes.values()} == {expected}


def test_another_laboratory_has_made_ids_that_do_not_depend_on_the_path(
    other: tuple[OtherLab, Path], tmp_path: Path
) -> None:
    lab, path = other
    assert subject(path) == (f"ecephys.recording/{lab.identifier}", "session_nwb")
    moved = tmp_path / "moved.nwb"
    moved.write_bytes(path.read_bytes())
    first, second = (read_section(SECTION, p)[0] for p in (path, moved))
    assert first == second
    (row,) = first["ecephys.nwb_sessions"].to_pylist()
    assert row["session_id"] >= ID_BASE
    assert float(row["session_id"]) == row["session_id"]
    assert (row["source_session_id"], row["source_layout"]) == (lab.identifier, "nwb2")


# --- units and spikes -------------------------------------------------------------------------------------------------


def test_every_spike_arrives_bit_by_bit(session: Tables, made: Made) -> None:
    found = trains(session)
    for unit in made.truth.units:
        np.testing.assert_array_equal(found.get(unit.unit_id, np.array([])), made.truth.train(unit.unit_id))


def test_spikes_are_kept_as_ticks_of_each_probes_clock(session: Tables, made: Made) -> None:
    probe_of = {unit.unit_id: made.truth.probes[unit.probe] for unit in made.truth.units}
    clocked = [row for row in session["ecephys.spike_trains"].to_pylist() if row["spike_ticks"] is not None]
    # the unit with spikes exactly on presentation edges has times of no clock
    others = {u.unit_id for u in made.truth.with_role("boundary")}
    assert {row["unit_id"] for row in clocked} >= set(trains(session)) - others
    for row in clocked:
        assert row["clock_rate"] == probe_of[row["unit_id"]].sampling_rate
        assert row["clock_shift"] == pytest.approx(probe_of[row["unit_id"]].time_shift, abs=1e-12)


def test_amplitudes_go_with_their_spikes_through_sorting_and_dropping(session: Tables, made: Made) -> None:
    found: dict[int, list[float]] = {}
    for row in session["ecephys.spike_trains"].to_pylist():
        found.setdefault(row["unit_id"], []).extend(row["spike_amplitudes"])
    for unit in made.truth.units:
        expected = made.truth.amplitudes(unit.unit_id).astype(np.float32)
        np.testing.assert_array_equal(np.array(found.get(unit.unit_id, []), np.float32), expected)


def test_units_say_how_many_spikes_they_have_and_how_many_were_unsynchronised(session: Tables, made: Made) -> None:
    rows = {row["unit_id"]: row for row in session["ecephys.nwb_units"].to_pylist()}
    assert set(rows) == {unit.unit_id for unit in made.truth.units}
    for unit in made.truth.units:
        train, stored = made.truth.train(unit.unit_id), made.truth.stored_spikes(unit.unit_id)[0]
        row = rows[unit.unit_id]
        assert (row["n_spikes"], row["n_dropped"]) == (len(train), len(stored) - len(train))
        assert row["first_spike_time"] == (train[0] if len(train) else None)
        assert row["last_spike_time"] == (train[-1] if len(train) else None)


def test_metrics_have_the_names_users_know_and_nan_is_null(session: Tables, made: Made) -> None:
    rows = {row["unit_id"]: row for row in session["ecephys.nwb_units"].to_pylist()}
    renames = {"PT_ratio": "waveform_pt_ratio", "amplitude": "waveform_amplitude", "spread": "waveform_spread"}
    for unit in made.truth.units:
        row = rows[unit.unit_id]
        assert (row["quality"], row["peak_channel_id"]) == (unit.quality, unit.channel.channel_id)
        assert row["probe_id"] == made.truth.probes[unit.probe].probe_id
        for name in ("snr", "isi_violations", "presence_ratio", "amplitude_cutoff", *renames):
            value = unit.metrics[name]
            assert row[renames.get(name, name)] == (None if np.isnan(value) else value)
        assert row["extra"] is None


def test_without_spikes_units_still_say_how_many_the_file_holds(made: Made) -> None:
    tables, _ = read_section(SECTION, made.sessions["v2"], {"units"})
    assert set(tables) == {"ecephys.nwb_units"}
    rows = {row["unit_id"]: row for row in tables["ecephys.nwb_units"].to_pylist()}
    for unit in made.truth.units:
        assert rows[unit.unit_id]["n_spikes"] == len(made.truth.stored_spikes(unit.unit_id)[0])
        assert rows[unit.unit_id]["n_dropped"] is None


def test_mean_waveforms_are_on_their_channels(session: Tables, made: Made) -> None:
    channels = {(c.probe_id, c.local_index): c.channel_id for c in made.truth.channels}
    rows = {(r["unit_id"], r["waveform_index"]): r for r in session["ecephys.nwb_waveforms"].to_pylist()}
    for number, unit in enumerate(made.truth.units):
        expected = made.truth.waveforms(number).astype(np.float32)
        probe_id = made.truth.probes[unit.probe].probe_id
        for index, waveform in enumerate(expected):
            row = rows[unit.unit_id, index]
            assert row["channel_id"] == channels[probe_id, index]
            assert row["is_peak"] == (index == unit.channel.local_index)
            np.testing.assert_array_equal(np.array(row["waveform"], np.float32), waveform)


def test_by_default_only_the_peak_waveform_of_a_unit_is_taken(made: Made) -> None:
    tables, _ = read_section(SECTION, made.sessions["v2"], {"peak_waveforms"})
    rows = tables["ecephys.nwb_waveforms"].to_pylist()
    assert {row["unit_id"]: row["channel_id"] for row in rows} == {
        unit.unit_id: unit.channel.channel_id for unit in made.truth.units
    }
    assert len(rows) == len(made.truth.units)


# --- probes, channels, session ----------------------------------------------------------------------------------------


def test_probes_and_channels_are_where_the_file_says(made: Made) -> None:
    tables, _ = read_section(SECTION, made.sessions["v2"], {"probes", "channels"})
    probes = {row["probe_id"]: row for row in tables["ecephys.nwb_probes"].to_pylist()}
    for probe in made.truth.probes:
        row = probes[probe.probe_id]
        assert (row["name"], row["sampling_rate"]) == (probe.name, probe.sampling_rate)
        assert (row["lfp_sampling_rate"], row["has_lfp_data"]) == (probe.lfp_sampling_rate, True)
    channels = {row["channel_id"]: row for row in tables["ecephys.nwb_channels"].to_pylist()}
    for channel in made.truth.channels:
        row = channels[channel.channel_id]
        assert (row["probe_id"], row["local_index"]) == (channel.probe_id, channel.local_index)
        assert row["structure_acronym"] == channel.acronym
        assert row["structure_id"] == (STRUCTURE_IDS[channel.acronym] if channel.acronym else None)
        assert row["valid_data"] == channel.valid
        place = tuple(None if np.isnan(x) else x for x in channel.ccf)
        assert (row["ap_um"], row["dv_um"], row["ml_um"]) == place


def test_both_layouts_give_the_same_rows(made: Made) -> None:
    v2 = read_section(SECTION, made.sessions["v2"])[0]
    # what layout v1 has no room for, or says in another way (ecephys 2.5)
    differs = {
        "ecephys.nwb_sessions": {"source_layout", "nwb_version", "species", "subject_id"},
        "ecephys.nwb_probes": {"source_probe_id", "device", "description"},
        "ecephys.nwb_channels": {"ap_um", "dv_um", "ml_um", "filtering"},
        "ecephys.nwb_presentations": {"source_table", "parameters"},
    }
    for layout in ("v1", "v1_camstim"):
        v1 = read_section(SECTION, made.sessions[layout])[0]
        assert set(v1) == set(v2)
        for name, table in v2.items():
            same = [c for c in table.column_names if c not in differs.get(name, set())]
            assert v1[name].select(same).equals(table.select(same)), name


# --- stimuli, behaviour -----------------------------------------------------------------------------------------------


def test_presentations_are_numbered_in_order_with_typed_parameters(session: Tables, made: Made) -> None:
    shown, table = made.truth.presentations, session["ecephys.nwb_presentations"]
    assert column(table, "stimulus_presentation_id") == list(range(len(shown)))
    assert column(table, "start_time") == shown.start_time.tolist()
    assert column(table, "stop_time") == shown.stop_time.tolist()
    assert column(table, "stimulus_name") == shown.stimulus_name.tolist()
    for name, values in shown.values.items():
        expected = [None if np.isnan(v) else v for v in values.tolist()]
        assert column(table, name) == expected, name


def test_a_colour_in_brackets_is_a_triplet_and_text_that_is_no_number_stays_a_parameter(session: Tables) -> None:
    rows = session["ecephys.nwb_presentations"].to_pylist()
    gabor = next(row for row in rows if row["stimulus_name"] == "gabors")
    assert (gabor["color"], gabor["color_triplet"]) == (None, "[1.0, 1.0, 1.0]")
    flash = next(row for row in rows if row["stimulus_name"] == "flashes")
    assert (abs(flash["color"]), flash["color_triplet"]) == (1.0, None)
    assert flash["spatial_frequency"] is None
    assert json.loads(flash["parameters"])["spatial_frequency"] == "[0.0, 0.0]"


def test_whoever_ingests_invalid_times_is_told(made: Made) -> None:
    _, report = read_section(SECTION, made.sessions[LAYOUTS[0]], {"session"})
    n = len(made.truth.invalid_times)
    assert any(f"invalid_times: data of {n} interval" in warning for warning in report.warnings)


def test_invalid_times_and_light_pulses_are_as_in_the_file(session: Tables, made: Made) -> None:
    invalid = session["ecephys.invalid_times"].to_pylist()
    assert [(r["start_time"], r["stop_time"], tuple(r["tags"])) for r in invalid] == [
        (i.start_time, i.stop_time, i.tags) for i in made.truth.invalid_times
    ]
    assert [(r["scope"], str(r["scope_id"]), r["label"]) for r in invalid] == [i.tags for i in made.truth.invalid_times]
    trials = session["ecephys.optogenetic_stimulation"].to_pylist()
    assert [(r["start_time"], r["stimulus_name"], r["condition"], r["level"]) for r in trials] == [
        (t.start_time, t.stimulus_name, t.condition, t.level) for t in made.truth.opto
    ]


def test_running_speed_has_intervals_and_the_wheel_its_frames(session: Tables, made: Made) -> None:
    speed, wheel = session["behavior.running_speed"], made.truth.wheel
    assert column(speed, "timestamp") == wheel.start_time.tolist()
    assert column(speed, "stop_time") == wheel.stop_time.tolist()
    assert column(speed, "speed") == wheel.speed.tolist()
    raw = session["behavior.running_wheel"]
    assert column(raw, "timestamp") == wheel.frame_time.tolist()
    assert column(raw, "rotation_deg") == wheel.rotation_deg.astype(float).tolist()


def test_gaze_has_true_axes_and_blinks_are_null(session: Tables, made: Made) -> None:
    """OD-10: the file's first column is x."""
    eye, gaze = made.truth.eye, session["behavior.gaze_mapping"]
    expected = eye.gaze["screen_coordinates"]
    for axis, name in enumerate(("raw_screen_x_cm", "raw_screen_y_cm")):
        assert column(gaze, name) == [None if np.isnan(v) else v for v in expected[:, axis].tolist()]
    pupil = eye.ellipses["pupil"][:, 3]
    assert column(session["behavior.eye_tracking"], "pupil_width") == [
        None if np.isnan(v) else v for v in pupil.tolist()
    ]
    assert gaze["raw_pupil_area"].null_count > 0


# --- LFP and CSD ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("layout", ["v2", "v1"])
def test_lfp_comes_back_bit_by_bit_from_counts(made: Made, layout: str) -> None:
    tables, _ = read_section(SECTION, made.probes[layout])
    with h5py.File(made.probes[layout]) as file:
        series = file[f"acquisition/probe_{made.truth.probes[1].probe_id}_lfp_data"]
        data, times = series["data"][:], series["timestamps"][:]
        ids = file["general/extracellular_ephys/electrodes/id"][:]
    rows = tables["ecephys.lfp_chunks"].to_pylist()
    for position, channel_id in enumerate(ids.tolist()):
        mine = [row for row in rows if row["channel_id"] == channel_id]
        assert all(row["samples"] is None for row in mine)
        back = np.concatenate([(np.array(r["counts"]) * r["scale"]).astype(np.float32) for r in mine])
        np.testing.assert_array_equal(back.view(np.int32), data[:, position].view(np.int32))
        assert mine[0]["start_time"] == times[0]
        assert mine[-1]["stop_time"] == times[-1]
    stored = tables["ecephys.lfp_times"].to_pylist()
    np.testing.assert_array_equal(np.concatenate([row["timestamps"] for row in stored]), times)
    channels = {row["channel_id"]: row for row in tables["ecephys.nwb_lfp_channels"].to_pylist()}
    assert [channels[i]["column_index"] for i in ids.tolist()] == list(range(len(ids)))


def test_the_lfp_rate_that_released_probe_files_halve_is_mended(made: Made) -> None:
    tables, report = read_section(SECTION, made.probes["v2"], {"channels"})
    rates = set(column(tables["ecephys.nwb_lfp_channels"], "lfp_sampling_rate"))
    assert rates == {made.truth.probes[1].lfp_sampling_rate}
    assert any("2 times as dense" in warning for warning in report.warnings)


@pytest.mark.parametrize("layout", ["v2", "v1"])
def test_csd_is_by_virtual_channel_in_both_layouts(made: Made, layout: str) -> None:
    tables, _ = read_section(SECTION, made.probes[layout], {"csd"})
    rows = tables["ecephys.csd_channels"].to_pylist()
    density, times = made.truth.csd(1), made.truth.csd_times
    np.testing.assert_array_equal(np.array([row["csd"] for row in rows]).T, density)
    np.testing.assert_array_equal(rows[0]["timestamps"], times)
    assert [row["vertical_position"] for row in rows] == made.truth.csd_positions["y"].tolist()


def test_a_probe_file_writes_no_row_whose_key_belongs_to_the_session_file(made: Made) -> None:
    tables, _ = read_section(SECTION, made.probes["v2"])
    assert set(tables) == {
        "ecephys.nwb_lfp_channels",
        "ecephys.csd_channels",
        "ecephys.lfp_times",
        "ecephys.lfp_chunks",
    }


@pytest.mark.parametrize("chunks", [None, (500, 3), (1_000, 8)])
def test_lfp_of_any_chunking_is_turned_over(other: tuple[OtherLab, Path], tmp_path: Path, chunks: tuple | None) -> None:
    lab, source = other
    path = tmp_path / "chunked.nwb"
    path.write_bytes(source.read_bytes())
    with h5py.File(path, "a") as file:
        series = file["processing/ecephys/LFP/lfp"]
        attributes = dict(series["data"].attrs)
        del series["data"]
        series.create_dataset("data", data=lab.lfp, chunks=chunks)
        series["data"].attrs.update(attributes)
    rows = read_section(SECTION, path, {"lfp"})[0]["ecephys.lfp_chunks"].to_pylist()
    units = {row["channel_id"]: row for row in rows}
    channels = read_section(SECTION, path, {"channels"})[0]["ecephys.nwb_channels"].to_pylist()
    for row in channels:
        chunk = units[row["channel_id"]]
        assert chunk["counts"] == lab.lfp[:, int(row["source_channel_id"])].tolist()
        assert (chunk["scale"], chunk["start_time"]) == (LFP_CONVERSION, lab.lfp_start)
        assert chunk["stop_time"] == lab.lfp_start + (len(lab.lfp) - 1) / LFP_RATE


# --- other laboratories -----------------------------------------------------------------------------------------------


def test_another_laboratorys_units_spikes_and_trials_fill_the_same_tables(other: tuple[OtherLab, Path]) -> None:
    lab, path = other
    tables, _ = read_section(SECTION, path)
    units = {row["source_unit_id"]: row for row in tables["ecephys.nwb_units"].to_pylist()}
    found = trains(tables)
    for number, train in enumerate(lab.trains):
        row = units[str(number)]
        assert row["n_spikes"] == len(train)
        np.testing.assert_array_equal(found.get(row["unit_id"], np.array([])), train)
        assert json.loads(row["extra"]) == {"label": lab.labels[number], "waveform_snr": number + 0.5}
    trials = tables["ecephys.nwb_presentations"].to_pylist()
    assert [row["start_time"] for row in trials] == lab.trial_start.tolist()
    assert {(row["stimulus_name"], row["source_table"]) for row in trials} == {("trials", "trials")}
    for i, row in enumerate(trials):
        parameters = json.loads(row["parameters"])
        assert (parameters["choice"], parameters["correct"]) == (lab.choice[i], bool(lab.correct[i]))
        assert parameters.get("lick_times", []) == lab.lick_times[i].tolist()


def test_coordinates_of_another_atlas_are_no_ccf_positions(other: tuple[OtherLab, Path]) -> None:
    rows = read_section(SECTION, other[1], {"channels"})[0]["ecephys.nwb_channels"].to_pylist()
    for row in rows:
        assert (row["ap_um"], row["structure_id"]) == (None, None)
        assert row["structure_acronym"] in ("CA1 left", "CA1 right")
        extra, number = json.loads(row["extra"]), int(row["source_channel_id"])
        assert (extra["x"], extra["y"], extra["z"]) == (number, 2 * number, 3 * number)
    assert {row["impedance"] for row in rows if row["source_channel_id"] == "3"} == {None}


def test_negative_times_are_legal_elsewhere(other: tuple[OtherLab, Path], tmp_path: Path) -> None:
    path = tmp_path / "negative.nwb"
    path.write_bytes(other[1].read_bytes())
    with h5py.File(path, "a") as file:
        file["units/spike_times"][0] = -7.5
    tables, _ = read_section(SECTION, path, {"units", "spikes"})
    assert min(t[0] for t in trains(tables).values()) == -7.5
    assert sum(column(tables["ecephys.nwb_units"], "n_dropped")) == 0


# --- damage -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "values", "where"),
    [
        ("units/spike_times_index", lambda v: v + 1, "/units/spike_times_index"),
        ("units/spike_amplitudes_index", lambda v: np.minimum(v, v[-1] - 1), "/units/spike_amplitudes_index"),
        ("units/spike_times", lambda v: np.where(np.arange(len(v)) == 5, np.nan, v), "/units/spike_times"),
        ("units/spike_times", lambda v: np.where(np.arange(len(v)) == 5, 1e18, v), "/units/spike_times"),
    ],
)
def test_damaged_units_are_refused_naming_the_object_and_salvaged_without_them(
    made: Made, tmp_path: Path, path: str, values: object, where: str
) -> None:
    damaged = tmp_path / "damaged.nwb"
    damaged.write_bytes(made.sessions["v2"].read_bytes())
    with h5py.File(damaged, "a") as file:
        file[path][...] = values(file[path][:])  # type: ignore[operator]
    parts = {"session", "probes", "channels", "units", "spikes", "stimuli", "running"}
    with pytest.raises(SourceError) as caught:
        read_section(SECTION, damaged, parts)
    assert caught.value.where == where
    tables, report = read_section(SECTION, damaged, parts, salvage=True)
    assert where in [skipped for skipped, _ in report.skipped]
    whole = read_section(SECTION, made.sessions["v2"], parts)[0]
    for name, table in whole.items():
        if name not in ("ecephys.spike_trains", "ecephys.nwb_units"):
            assert tables[name].equals(table), name


def test_the_report_tells_the_bytes_of_every_part_before_reading(made: Made) -> None:
    report = Report()
    with NwbFile.open(Source(made.sessions["v2"], "x")) as nwb:
        SECTION.inspect(nwb, report)
    with h5py.File(made.sessions["v2"]) as file:
        stored = sum(file[f"units/{n}"].id.get_storage_size() for n in ("spike_times", "spike_amplitudes"))
    assert report.available["spikes"] == stored
    assert {"session", "probes", "channels", "units", "stimuli", "running", "eye"} <= set(report.available)
