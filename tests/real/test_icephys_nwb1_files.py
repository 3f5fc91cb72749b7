"""Real patch-clamp NWB 1 files of the acquisition program MIES: samples, notebook, what the data's description says."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import brainlake
import h5py
import numpy as np
import pytest
from brainlake.ingest import registry
from brainlake.ingest.contract import Source

Find = Callable[[str], Path]
SMOKE = "icephys/Sst-IRES-CreAi14-395722.01.01.01.nwb"
DEVICES = "icephys/AB_SweepsFromMultipleDevices-V1.nwb"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, real_data: Find) -> Iterator[brainlake.Lake]:
    with brainlake.create(tmp_path_factory.mktemp("real") / "lake") as lake:
        lake.ingest([real_data(SMOKE), real_data(DEVICES)])
        yield lake


@pytest.mark.parametrize("name", [SMOKE, DEVICES])
def test_one_reader_takes_the_file(name: str, real_data: Find) -> None:
    source = Source(real_data(name), name)
    assert registry.choose(source).name == "nwb1_icephys"


@pytest.mark.parametrize("name", [SMOKE, DEVICES])
def test_samples_are_the_files_times_their_conversion(name: str, lake: brainlake.Lake, real_data: Find) -> None:
    """66,000 samples at 200 kHz, conversion 1e-12; 25,667 at 200 kHz and 47,502 at 500 kHz of two devices."""
    with h5py.File(real_data(name)) as file:
        identifier = file["identifier"][()][0].decode()
        rows = lake.sql(
            """
            select s.sweep_number, s.response_series_path, s.stimulus_series_path, s.sampling_rate, t.stimulus, t.response
            from icephys.nwb_sweeps as s
            join icephys.files as f on f.file_id = s.file_id
            join icephys.sweep_traces as t on t.specimen_id = s.specimen_id and t.sweep_number = s.sweep_number
            where f.identifier = $identifier
            order by s.sweep_number
            """,
            {"identifier": identifier},
        ).arrow()
        assert rows.num_rows == len(file["acquisition/timeseries"])
        for i in range(rows.num_rows):
            for role in ("response", "stimulus"):
                data = file[rows[f"{role}_series_path"][i].as_py()]["data"]
                expected = data[:] * np.float32(data.attrs["conversion"])
                got = rows[role].chunk(0)[i].values.to_numpy()
                assert np.array_equal(got.view(np.int32), expected.view(np.int32))
            rate = file[rows["response_series_path"][i].as_py()]["starting_time"].attrs["rate"]
            assert rows["sampling_rate"][i].as_py() == rate


def test_what_the_smoke_test_is(lake: brainlake.Lake) -> None:
    sweep = lake.sql(
        "from icephys.sweeps where stimulus_description like 'EXTPSMOKE%' and clamp_mode = 'voltage_clamp'"
    ).one()
    assert (sweep.n_samples, sweep.sampling_rate, sweep.sweep_number) == (66_000, 200_000.0, 0)
    assert sweep.stimulus_code == "EXTPSMOKET180424"  # without _DA_0
    assert (sweep.stimulus_unit, sweep.response_unit) == ("V", "A")
    assert (sweep.electrode_name, sweep.stimulus_gain) == ("electrode_0", 20.0)


def test_the_notebook_answers_for_the_sweep(lake: brainlake.Lake, real_data: Find) -> None:
    """Against the notebook itself, looked up here: the last entry of sweep 0 for headstage 0 that says something."""
    specimen = lake.sql(
        "select specimen_id from icephys.sweeps where stimulus_description like 'EXTPSMOKE%'"
    ).to_numpy()[0]
    with h5py.File(real_data(SMOKE)) as file:
        notebook = file["general/labnotebook/ITC18USB_Dev_0"]
        keys = [key.decode() for key in notebook["numericalKeys"][0]]
        values = notebook["numericalValues"][:]
        texts = [key.decode() for key in notebook["textualKeys"][0]]
        said = notebook["textualValues"][:]
    of_sweep = values[values[:, keys.index("SweepNum"), 0] == 0]
    compared = 0
    for key in (
        "Stim Scale Factor",
        "Set Sweep Count",
        "V-Clamp Holding Level",
        "Whole Cell Comp Cap",
        "TP Baseline pA",
    ):
        if key not in keys:
            continue
        column = of_sweep[:, keys.index(key)]
        own, of_all = (column[:, layer][~np.isnan(column[:, layer])] for layer in (0, 8))
        expected = own[-1] if len(own) else of_all[-1] if len(of_all) else None
        rows = lake.sql(f"from icephys.notebook_value({specimen}, 0, '{key}')").arrow()
        assert rows["value"].to_pylist() == ([] if expected is None else [expected]), key
        compared += expected is not None
    assert compared >= 2
    rows_of_sweep = said[said[:, texts.index("SweepNum"), 0] == b"0"]
    names = [n.decode() for n in rows_of_sweep[:, texts.index("Stim Wave Name"), 0] if n]
    got = lake.sql(f"from icephys.notebook_value({specimen}, 0, 'Stim Wave Name')").one()
    assert got.value_text == names[-1]
