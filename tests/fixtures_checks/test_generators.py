"""The generated files are what they claim: true in layout, equal across layouts, and telling the truth they return."""

from __future__ import annotations

import csv
import hashlib
import re
from pathlib import Path

import h5py
import numpy as np
import pynwb
import pytest
from brainlake.tests.fixtures.allen_ecephys import make_probe_lfp, make_session
from brainlake.tests.fixtures.allen_records import VOLTS_A_COUNT
from brainlake.tests.fixtures.allen_truth import Truth
from brainlake.tests.fixtures.nwb1 import make_nwb1
from brainlake.tests.fixtures.other_labs import LFP_CONVERSION, OtherLab, make_other_lab
from brainlake.tests.fixtures.project_tables import PATCHED_PROBE, make_project_tables


@pytest.fixture(scope="module")
def truth() -> Truth:
    return Truth(seed=3)


@pytest.fixture(scope="module")
def folder(truth: Truth, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generated")
    make_session(folder / "v2.nwb", truth=truth)
    make_session(folder / "v1.nwb", truth=truth, layout="v1")
    make_probe_lfp(folder / "lfp.nwb", truth, probe=0)
    make_probe_lfp(folder / "lfp_v1.nwb", truth, probe=0, layout="v1")
    make_nwb1(folder / "nwb1.nwb", truth)
    return folder


# --- layout ---------------------------------------------------------------------------------------------------------


def layout(path: Path) -> dict[str, object]:
    """Every object of a file with its dtype, dimensions, compression, attribute dtypes and descriptive texts.

    Left out: cached specifications, and the digits of ids.
    """
    found: dict[str, object] = {}
    with h5py.File(path) as file:

        def walk(group: h5py.Group, prefix: str) -> None:
            for name in group:
                link = group.get(name, getlink=True)
                path = re.sub(r"\d{9}", "ID", prefix + name)
                if isinstance(link, h5py.SoftLink):
                    found[path] = "-> " + re.sub(r"\d{9}", "ID", link.path)
                elif name != "specifications":
                    found[path] = describe(group[name])
                    if isinstance(group[name], h5py.Group):
                        walk(group[name], path + "/")

        walk(file, "")
    return found


def describe(item: h5py.Group | h5py.Dataset) -> tuple[object, ...]:
    attributes = {}
    for name in item.attrs:
        dtype = item.attrs.get_id(name).dtype
        attributes[name] = (str(dtype), str(h5py.check_string_dtype(dtype)))
        if name in ("namespace", "neurodata_type", "description", "unit", "colnames"):
            attributes[name] += (re.sub(r"\d{9}", "ID", str(item.attrs[name])),)
    if isinstance(item, h5py.Group):
        return ("group", attributes)
    return (str(item.dtype), str(h5py.check_string_dtype(item.dtype)), item.ndim, item.compression, attributes)


def test_a_generated_session_has_the_layout_of_the_released_file(folder: Path, real_data) -> None:
    released, generated = layout(real_data("neuropixels/aibs.nwb")), layout(folder / "v2.nwb")
    # the released session has six probes and a second movie; the generated one has invalid times
    absent = {path for path in released if re.search(r"/probe[C-F]|natural_movie_three", path)}
    added = {path for path in generated if path.startswith("intervals/invalid_times")}
    assert set(released) - absent == set(generated) - added
    assert {p: generated[p] for p in set(released) - absent} == {p: released[p] for p in set(released) - absent}


def test_a_generated_probe_file_has_the_layout_of_the_released_file(folder: Path, real_data) -> None:
    released, generated = layout(real_data("neuropixels/aibs_ecephys_87channels.nwb")), layout(folder / "lfp.nwb")
    assert generated == released


@pytest.mark.parametrize("name", ["v2.nwb", "lfp.nwb"])
def test_pynwb_finds_nothing_wrong_beyond_what_the_released_files_do(folder: Path, name: str) -> None:
    """Released index columns are int64 without description; the core schema of today wants uint and a description."""
    complaints = [str(error) for error in pynwb.validate(path=str(folder / name))]
    assert [text for text in complaints if "_index" not in text] == []


def test_equal_arguments_make_equal_files(truth: Truth, folder: Path, tmp_path: Path) -> None:
    make_session(tmp_path / "again.nwb", seed=3)
    digests = [hashlib.sha256(path.read_bytes()).digest() for path in (folder / "v2.nwb", tmp_path / "again.nwb")]
    assert digests[0] == digests[1]


# --- contents -------------------------------------------------------------------------------------------------------


def test_pynwb_reads_back_every_spike(truth: Truth, folder: Path) -> None:
    with pynwb.NWBHDF5IO(folder / "v2.nwb", "r", load_namespaces=True) as io:
        units = io.read().units
        assert units.id[:].tolist() == [unit.unit_id for unit in truth.units]
        for row, unit in enumerate(truth.units):
            times, amplitudes = truth.stored_spikes(unit.unit_id)
            np.testing.assert_array_equal(units["spike_times"][row], times)
            np.testing.assert_array_equal(units["spike_amplitudes"][row], amplitudes)


def test_both_layouts_hold_the_same_session(truth: Truth, folder: Path) -> None:
    with h5py.File(folder / "v2.nwb") as v2, h5py.File(folder / "v1.nwb") as v1:
        for name, column in v2["units"].items():
            np.testing.assert_array_equal(column[()], v1["units"][name][()])
        epochs = v1["intervals/epochs"]
        for table in v2["intervals"].values():
            if "stimulus_name" not in table:
                continue
            rows = table["timeseries"]["idx_start"]
            for name in table.attrs["colnames"]:
                if name not in ("tags", "timeseries"):
                    assert spelled(table[name]) == spelled(epochs[name], rows)
        limits = v1["processing/running/running_speed/timestamps"][()]
        np.testing.assert_array_equal(limits[0], v2["processing/running/running_speed/timestamps"])
        np.testing.assert_array_equal(limits[1], v2["processing/running/running_speed_end_times/timestamps"])


def spelled(column: h5py.Dataset, rows: np.ndarray | slice = slice(None)) -> list[str]:
    """Values as text; '' for everything that means not applicable."""
    values = column.asstr()[()] if h5py.check_string_dtype(column.dtype) else column[()].astype(str)
    return ["" if value in ("N/A", "nan") else str(value) for value in values[rows]]


def test_times_are_samples_of_the_probes_clock_to_the_last_bit(truth: Truth) -> None:
    for unit in truth.with_role("plain"):
        probe, times = truth.probes[unit.probe], truth.train(unit.unit_id)
        ticks = np.rint((times + probe.time_shift) * probe.sampling_rate)
        assert (ticks / probe.sampling_rate - probe.time_shift).tobytes() == times.tobytes()


def test_the_special_units_are_there(truth: Truth) -> None:
    roles = [unit.role for unit in truth.units]
    assert {role: roles.count(role) for role in set(roles)} == {
        "plain": 4, "threshold": 1, "invalid_channel": 1, "out_of_brain": 1, "nan_metric": 1, "noise": 4,
        "amplitude_cutoff": 3, "presence_ratio": 2, "one_spike": 1, "isi_violations": 3, "silent": 1,
        "unsorted_negative": 1, "boundary": 1,
    }  # fmt: skip
    assert sorted(unit.role for unit in truth.good_units) == sorted(
        ["plain"] * 4 + ["threshold", "silent", "unsorted_negative", "boundary"]
    )
    assert len(truth.train(truth.with_role("silent")[0].unit_id)) == 0
    assert len(truth.train(truth.with_role("one_spike")[0].unit_id)) == 1
    stored, _ = truth.stored_spikes(truth.with_role("unsorted_negative")[0].unit_id)
    assert (stored < 0).sum() == 5
    assert (np.diff(stored) < 0).any()
    boundary = truth.train(truth.with_role("boundary")[0].unit_id)
    flash = truth.presentations.rows("flashes")[0]
    edges = truth.presentations.start_time[flash], truth.presentations.stop_time[flash]
    assert np.isin(edges, boundary).all()
    assert (np.diff(boundary) == 0).any()


def test_channels_out_of_the_brain_and_invalid_ones(truth: Truth) -> None:
    assert len(truth.channels) == 32
    assert sum(channel.acronym is None for channel in truth.channels) == 3
    assert sum(not channel.valid for channel in truth.channels) == 1
    assert {"VISp", "LGd", "CA1", "VISl"} <= {channel.acronym for channel in truth.channels}


def test_the_programme_shows_what_it_should(truth: Truth) -> None:
    shown = truth.presentations
    assert (np.diff(shown.start_time) > 0).all()
    counts = {name: len(shown.rows(name)) for name in set(shown.stimulus_name)}
    assert counts == {
        "gabors": 3 * 243, "flashes": 10, "drifting_gratings": 2 * 40 + 4, "static_gratings": 6 * 5 * 4 + 4,
        "natural_scenes": 60, "natural_movie_one": 90, "spontaneous": 8,
    }  # fmt: skip
    gratings = shown.rows("drifting_gratings")
    assert np.isnan(shown.values["orientation"][gratings]).sum() == 4
    gabors = shown.rows("gabors")
    np.testing.assert_array_equal(shown.stop_time[gabors[:-1]], shown.start_time[gabors[1:]])


def test_stimulus_intervals_touch_one_flash_and_one_grating(truth: Truth) -> None:
    names = [truth.presentations.stimulus_name[i] for i in truth.invalid_presentations]
    assert names == ["flashes", "drifting_gratings"]


def test_units_answer_to_their_preferred_stimuli(truth: Truth) -> None:
    """Counts in the file, not only rates in the model: preferred direction against the orthogonal ones."""
    shown, rows = truth.presentations, truth.presentations.rows("drifting_gratings")
    unit = max((u for u in truth.with_role("plain")), key=lambda u: u.gain)
    counts = truth.counts([unit.unit_id], shown.start_time[rows], shown.stop_time[rows] + 0.04)[0]
    turn = np.abs(shown.values["orientation"][rows] - unit.orientation)
    near = np.abs(np.log2(shown.values["temporal_frequency"][rows] / unit.temporal_frequency)) < 0.5
    assert counts[near & (turn == 0)].mean() > counts[near & np.isin(turn, (90, 270))].mean() + 20


def test_light_driven_units_answer_to_light(truth: Truth) -> None:
    trials = [trial for trial in truth.opto if trial.stimulus_name == "raised_cosine"]
    unit = next(unit for unit in truth.good_units if unit.light_driven)
    start, stop = (np.array([getattr(trial, name) for trial in trials]) for name in ("start_time", "stop_time"))
    assert truth.counts([unit.unit_id], start, stop).sum() > truth.counts([unit.unit_id], start - 1, start).sum() + 60
    assert len({(t.stimulus_name, t.level, round(t.duration, 3)) for t in truth.opto}) == 12


def test_the_wheel_stands_still_exactly(truth: Truth, folder: Path) -> None:
    with h5py.File(folder / "v2.nwb") as file:
        raw = file["acquisition/raw_running_wheel_rotation/data"][()]
        rotation = file["processing/running/running_wheel_rotation/data"][()]
    assert (raw == 0).sum() > 1000
    assert (rotation != 0).all()
    np.testing.assert_allclose(rotation, np.deg2rad(raw[1:][raw[1:] != 0]), rtol=1e-6)
    assert np.isnan(truth.eye.ellipses["pupil"]).any()


def test_the_lfp_is_counts_and_follows_flashes(truth: Truth, folder: Path) -> None:
    probe_id = truth.probes[0].probe_id
    with h5py.File(folder / "lfp.nwb") as file:
        series = file[f"acquisition/probe_{probe_id}_lfp_data"]
        data, times = series["data"][()], series["timestamps"][()]
        density = file["processing/current_source_density/ecephys_csd/current_source_density/data"][()]
    counts = np.rint(data / np.float32(VOLTS_A_COUNT)).astype(np.int16)
    assert (counts.astype(np.float32) * np.float32(VOLTS_A_COUNT) == data).all()
    np.testing.assert_array_equal(counts[1000:2000], truth.lfp_counts(0, 1000, 2000))
    flashes = truth.presentations.start_time[truth.presentations.rows("flashes")]
    peak, before = (data[np.searchsorted(times, flashes + offset)].mean(axis=0) for offset in (0.1, -0.1))
    assert peak[-1] - before[-1] == pytest.approx(-200e-6, abs=120e-6)  # the sines remain
    assert density.shape == (875, 384)
    assert density[7, 11] == 11_007.0
    with h5py.File(folder / "lfp_v1.nwb") as file:
        v1 = file["processing/current_source_density/current_source_density"]
        np.testing.assert_array_equal(v1["data"][()].T, density)
        assert v1["control"][3].tolist() == [24, 30]


def test_counts_are_known_before_spikes_are_made() -> None:
    """So that a session of any size is written piece by piece into datasets of known length."""
    large = Truth(n_units=200, n_spikes=400_000, duration=2000.0)
    assert large.stored_counts.sum() == pytest.approx(400_000, rel=0.05)
    for row in (0, 9, 21, 22, 199):
        assert len(large.stored_spikes(large.units[row].unit_id)[0]) == large.stored_counts[row]


def test_sessions_with_consecutive_ids_share_none() -> None:
    one, other = Truth(session_id=791319847), Truth(session_id=791319848)
    for kind, key in (("units", "unit_id"), ("channels", "channel_id"), ("probes", "probe_id")):
        ids = [{getattr(item, key) for item in getattr(truth, kind)} for truth in (one, other)]
        assert not ids[0] & ids[1]


# --- other files ----------------------------------------------------------------------------------------------------


def test_nwb_1_holds_the_good_units(truth: Truth, folder: Path) -> None:
    with h5py.File(folder / "nwb1.nwb") as file:
        assert file["nwb_version"].asstr()[()].startswith("NWB-1.")
        for unit in (unit for unit in truth.units if unit.quality == "good"):
            module = file[f"processing/{truth.probes[unit.probe].name}"]
            assert unit.cluster_id in module["unit_list"]
            times = module[f"UnitTimes/{unit.cluster_id}/times"][()]
            np.testing.assert_array_equal(times, truth.stored_spikes(unit.unit_id)[0])
        assert file["stimulus/presentation/optogenetic_stimulation/timestamps"].shape == (12, 1)
        assert file["stimulus/presentation/gabors/features"].asstr()[()].tolist() == ["pos_x", "pos_y", "orientation"]


def test_an_other_laboratorys_file_is_valid_and_tells_the_truth(tmp_path: Path) -> None:
    lab: OtherLab = make_other_lab(tmp_path / "lab.nwb")
    complaints = [str(error) for error in pynwb.validate(path=str(tmp_path / "lab.nwb"))]
    assert [text for text in complaints if "_index" not in text] == []
    with pynwb.NWBHDF5IO(tmp_path / "lab.nwb", "r") as io:
        nwb = io.read()
        for row, train in enumerate(lab.trains):
            np.testing.assert_array_equal(nwb.units["spike_times"][row], train)
        assert list(nwb.trials["choice"][:]) == lab.choice
        lfp = nwb.processing["ecephys"]["LFP"]["lfp"]
        assert lfp.conversion == LFP_CONVERSION
        np.testing.assert_array_equal(lfp.data[:], lab.lfp)


def test_project_tables_have_the_released_columns(truth: Truth, tmp_path: Path, real_data) -> None:
    make_project_tables(tmp_path, [truth])
    for name in ("sessions.csv", "probes.csv"):
        assert header(tmp_path / name) == header(real_data(f"metadata/ecephys/{name}"))


def test_project_tables_hold_the_sessions_and_a_wrongly_mapped_probe(truth: Truth, tmp_path: Path) -> None:
    tables = make_project_tables(tmp_path, [truth])
    assert len(tables.units) == len(truth.units) + 4
    assert len(tables.metrics) == 20 + 4  # good units of the session; of the other
    with (tmp_path / "channels.csv").open(newline="") as file:
        channels = list(csv.DictReader(file))
    assert sum(row["ecephys_probe_id"] == str(PATCHED_PROBE) for row in channels) == 384
    outside = {c.channel_id for c in truth.channels if c.acronym is None}
    assert {int(row["id"]) for row in channels if row["ecephys_structure_id"] == ""} == outside


def header(path: Path) -> list[str]:
    with path.open(newline="") as file:
        return next(csv.reader(file))
