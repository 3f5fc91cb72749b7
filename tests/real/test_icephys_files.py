"""Real patch-clamp files: what the data's own description says of them, and what pynwb reads of them."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pyarrow as pa
import pytest
from brainlake.ingest import registry
from brainlake.ingest.contract import Source
from brainlake.ingest.nwb_icephys import SECTION
from brainlake.lake.questions import standard
from brainlake.tests.fixtures.memory import memory_connection
from brainlake.tests.fixtures.reading import read_section, read_source

Find = Callable[[str], Path]
Tables = dict[str, pa.Table]

RAMP = "icephys/2018_03_20_0005.nwb"
MIES = "icephys/valid_v2_MIES-NWBv2-0655f7e4.nwb"
PAIR_1, PAIR_2 = "icephys/AB_SweepsFromMultipleDevices-V1.nwb", "icephys/AB_SweepsFromMultipleDevices-V2.nwb"
PYRAMIDAL = "icephys/FergusonEtAl2015_PYR2.nwb"
NWB_2 = [RAMP, MIES, PAIR_2, PYRAMIDAL]


def traces(tables: Tables) -> dict[int, tuple[np.ndarray | None, np.ndarray]]:
    """Sweep number -> stimulus and response, as the lake shows them."""
    shown = {name: question for name, question in standard().items() if name == "icephys.sweep_traces"}
    with memory_connection({"icephys.stored_traces": tables["icephys.stored_traces"]}, shown) as con:
        rows = con.sql("select sweep_number, stimulus, response from icephys.sweep_traces").to_arrow_table()
    found = {}
    for number, stimulus, response in zip(*(rows[name] for name in rows.column_names), strict=True):
        given = stimulus.values.to_numpy() if stimulus.is_valid else None
        found[number.as_py()] = (given, response.values.to_numpy())
    return found


def sweeps(tables: Tables) -> dict[int, dict[str, Any]]:
    return {row["sweep_number"]: row for row in tables["icephys.nwb_sweeps"].to_pylist()}


# --- against pynwb ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", NWB_2)
def test_every_sweep_equals_pynwbs(name: str, real_data: Find) -> None:
    pynwb = pytest.importorskip("pynwb")
    tables, report = read_section(SECTION, real_data(name))
    samples = traces(tables)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pynwb.NWBHDF5IO(str(real_data(name)), "r", load_namespaces=True) as io:
            try:
                nwb = io.read()
            except Exception as error:  # whatever it has against the file
                pytest.skip(f"pynwb does not open {name}: {error}")
            responses = {f"/acquisition/{key}" for key in nwb.acquisition}
            for number, sweep in sweeps(tables).items():
                response = nwb.acquisition[sweep["response_series_path"].removeprefix("/acquisition/")]
                stimulus = nwb.stimulus[sweep["stimulus_series_path"].removeprefix("/stimulus/presentation/")]
                responses.discard(sweep["response_series_path"])
                for series, got in ((stimulus, samples[number][0]), (response, samples[number][1])):
                    values = np.asarray(series.data[:], np.float64) * series.conversion + series.offset
                    np.testing.assert_allclose(got, values, rtol=1.2e-7, atol=0)  # half a unit of single precision
                assert sweep["sampling_rate"] == pytest.approx(response.rate)
                assert sweep["start_time"] == pytest.approx(float(np.ravel(response.starting_time)[0]))
                assert sweep["electrode_name"] == response.electrode.name
                assert sweep["response_gain"] == pytest.approx(float(np.ravel(response.gain)[0]))
                # two devices number their sweeps alike: there, and only there, the numbers are not the file's
                assert name == PAIR_2 or number == int(response.sweep_number)
    assert all(any(path in said for said in report.warnings) for path in responses)  # no response is lost unsaid


# --- what is known of each --------------------------------------------------------------------------------------------


def test_a_pyramidal_cell_spikes_from_its_third_sweep_on(real_data: Find) -> None:
    tables, report = read_section(SECTION, real_data(PYRAMIDAL))
    assert report.warnings == []
    told, samples = sweeps(tables), traces(tables)
    assert sorted(told) == list(range(1, 14))
    assert {(s["n_samples"], s["sampling_rate"], s["clamp_mode"]) for s in told.values()} == {
        (20_000, 10_000.0, "current_clamp")
    }
    spiking = {number for number, (_, volts) in samples.items() if volts.max() > 0}
    assert spiking == set(range(3, 14))
    assert all(volts.min() > -0.1 and volts.max() < 0.1 for _, volts in samples.values())  # volts, not millivolts
    (file,) = tables["icephys.files"].to_pylist()
    assert (file["institution"], file["lab"], file["n_sweeps"]) == ("University of Toronto", "Skinner Lab", 13)


def test_a_mislabelled_series_is_said_and_kept_as_a_series(real_data: Find) -> None:
    """index_1 is called a CurrentClampSeries and has the unit A: nothing tells which of both is wrong."""
    tables, report = read_section(SECTION, real_data(RAMP))
    (sweep,) = tables["icephys.nwb_sweeps"].to_pylist()
    assert (sweep["sweep_number"], sweep["n_samples"], sweep["sampling_rate"]) == (0, 900_000, 50_000.0)
    assert (sweep["electrode_name"], sweep["stimulus_description"]) == ("Electrode 0", "RAMP1")
    assert [said.split(" ")[0] for said in report.warnings] == [
        "/acquisition/index_1",
        "/stimulus/presentation/index_0",
    ]
    stimulus, response = traces(tables)[0]
    assert stimulus is not None
    # the data's description: -77.5 to 59.5 mV, a ramp from 0 to 200 pA
    assert (round(float(response.min()) * 1e3, 1), round(float(response.max()) * 1e3, 1)) == (-77.5, 59.5)
    assert (float(stimulus.min()), round(float(stimulus.max()) * 1e12)) == (0.0, 200)
    (electrode,) = tables["icephys.electrodes"].to_pylist()
    assert (electrode["electrode_name"], electrode["device"]) == ("Electrode 0", "Digidata 1440 with MultiClamp 700")


def test_lists_of_one_are_taken_as_the_values_they_are(real_data: Find) -> None:
    tables, report = read_section(SECTION, real_data(MIES))
    (sweep,) = tables["icephys.nwb_sweeps"].to_pylist()
    assert report.warnings == []
    assert (sweep["n_samples"], sweep["sampling_rate"], sweep["clamp_mode"]) == (188_001, 200_000.0, "voltage_clamp")
    assert (sweep["stimulus_code"], sweep["stimulus_gain"]) == ("StimulusSetA", 20.0)
    assert sweep["capacitance_fast"] == float(np.float32(-3.330669e-28))  # farads, as stored
    (file,) = tables["icephys.files"].to_pylist()
    assert str(file["session_start_time_utc"]) == "2020-01-31 22:54:45.504000"
    (electrode,) = tables["icephys.electrodes"].to_pylist()
    assert electrode["description"] == "Headstage 0"


def test_the_notebook_of_a_sweep_says_what_its_series_says(real_data: Find) -> None:
    tables, _ = read_section(SECTION, real_data(MIES))
    (sweep,) = tables["icephys.nwb_sweeps"].to_pylist()
    assert (sweep["device"], sweep["device_sweep_number"], sweep["headstage"]) == ("ITC18USB_Dev_0", 0, 0)
    noted = {
        row["entry_key"]: row["value_text"] if row["value"] is None else row["value"]
        for row in tables["icephys.lab_notebook"].to_pylist()
        if (row["device"], row["sweep_number"], row["headstage"]) == ("ITC18USB_Dev_0", 0, 0)
    }
    assert noted["Stim Wave Name"] == sweep["stimulus_description"] == "StimulusSetA_DA_0"
    assert (noted["Stim Scale Factor"], noted["Set Sweep Count"]) == (1.0, 0.0)


# --- one recording in both versions of the format ---------------------------------------------------------------------


@pytest.fixture(scope="module")
def pair(real_data: Find) -> dict[int, Tables]:
    found = {}
    for version, name in ((1, PAIR_1), (2, PAIR_2)):
        path = real_data(name)
        reader = registry.choose(Source(path, path.name))
        found[version] = read_source(reader, path, {"sweeps", "samples", "lab_notebook"})[0]
    return found


def test_the_same_sweeps_in_version_1_and_2_have_equal_samples(pair: dict[int, Tables]) -> None:
    first, second = traces(pair[1]), traces(pair[2])
    assert sorted(first) == sorted(second) == [0, 1, 2, 3]
    for number, (stimulus, response) in first.items():
        np.testing.assert_array_equal(response, second[number][1])
        np.testing.assert_array_equal(np.asarray(stimulus), np.asarray(second[number][0]))
    assert [len(first[n][1]) for n in range(4)] == [25_667, 25_667, 47_502, 47_502]


def test_the_same_sweeps_in_version_1_and_2_are_told_alike(pair: dict[int, Tables]) -> None:
    """But for units, which version 2 spells out (amperes), and what differs between the files themselves."""
    alike = (
        "electrode_name", "clamp_mode", "stimulus_description", "stimulus_code", "stimulus_unit", "response_unit",
        "sampling_rate", "n_samples", "n_stimulus_samples", "start_time", "sweep_start_index", "sweep_stop_index",
        "stimulus_conversion", "response_conversion", "stimulus_gain", "response_gain", "capacitance_fast",
        "capacitance_slow", "whole_cell_capacitance_comp", "whole_cell_series_resistance_comp",
    )  # fmt: skip
    first, second = sweeps(pair[1]), sweeps(pair[2])
    for number, sweep in first.items():
        assert {name: sweep[name] for name in alike} == {name: second[number][name] for name in alike}
    assert {s["source_response_unit"] for s in second.values()} == {"amperes"}
    assert [first[n]["sampling_rate"] for n in range(4)] == [200_000.0, 200_000.0, 500_000.0, 500_000.0]


def test_the_notebooks_in_version_1_and_2_say_the_same(pair: dict[int, Tables]) -> None:
    told = {version: tables["icephys.lab_notebook"].drop_columns(["file_id"]) for version, tables in pair.items()}
    assert len(told[1]) == 2_220
    assert told[1].equals(told[2])


def test_samples_are_bit_for_bit_the_files_own_in_single_precision(real_data: Find) -> None:
    """Every response of every NWB 2 file: data * conversion in single precision, read with plain h5py."""
    for name in NWB_2:
        tables, _ = read_section(SECTION, real_data(name), {"sweeps", "samples"})
        samples = traces(tables)
        with h5py.File(real_data(name)) as file:
            for number, sweep in sweeps(tables).items():
                data = file[sweep["response_series_path"]]["data"]
                expected = data[:] * np.float32(data.attrs["conversion"])
                np.testing.assert_array_equal(samples[number][1], expected)


def test_no_two_readers_claim_a_patch_clamp_file(real_data: Find) -> None:
    folder = real_data("icephys")
    for path in sorted(folder.glob("*.nwb")):
        source = Source(path, path.name)
        claiming = [name for name in registry.names() if registry.get(name).sniff(source)]
        assert len(claiming) == 1, (path.name, claiming)
