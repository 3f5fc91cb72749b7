"""Features of a recorded cell: SQL over its stored sweeps, against the Allen SDK on its file and eFEL on its responses."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import brainlake
import h5py
import numpy as np
from brainlake.tests.fixtures.allen_icephys import MadeCell, make_cell, write_nwb1

from .counting import ALLENSDK
from .material import Material
from .measure import Row, faster, milliseconds

EFEL = "BRAINLAKE_EFEL_PYTHON"
SPECIMEN, RATE, N_SWEEPS = 464212183, 200_000.0, 50
N_OTHERS = 8  # sweeps that are no long squares
START, STOP = 1.02, 2.02
CELL = f"select input_resistance_mohm, tau, rheobase_i_pa from icephys.cell_features where specimen_id = {SPECIMEN}"
SPIKES = f"from icephys.spike_features where specimen_id = {SPECIMEN}"
SWEEPS = f"from icephys.sweep_features where specimen_id = {SPECIMEN}"
LONG = f"""
    select count(*) as n
    from icephys.spike_features as f
    join icephys.nwb_sweeps as s on s.specimen_id = f.specimen_id and s.sweep_number = f.sweep_number
    where f.specimen_id = {SPECIMEN} and s.stimulus_name = 'Long Square'"""


def features(material: Material) -> list[Row]:
    """Of 50 sweeps at 200 kHz, 42 of them long squares."""
    path, root = material.directory / "features.nwb", material.directory / "features"
    responses = material.directory / "features.npy"
    if not root.exists():
        cell = _cell()
        write_nwb1(path, cell)
        _with_units_as_bytes(path)
        np.save(responses, np.stack([s.response for s in cell.sweeps if s.stimulus_name == "Long Square"]))
        with brainlake.create(root) as lake:
            lake.ingest(path).raise_failed()
    with brainlake.open(root) as lake:
        found = lake.sql(CELL).pl().row(0, named=True) | {"n_spikes": lake.sql(LONG).pl().item()}
        cell_ms, spikes_ms, sweeps_ms = (
            milliseconds(lambda q=q: lake.sql(q).arrow(), 3) for q in (CELL, SPIKES, SWEEPS)
        )  # type: ignore[misc]
    what = f"{N_SWEEPS} sweeps of a cell at 200 kHz"
    rows = [Row(f"features of every spike, {what}", spikes_ms), Row(f"features of every sweep, {what}", sweeps_ms)]
    if python := os.environ.get(ALLENSDK):
        told = _ask(python, "allensdk_icephys.py", path)
        if not np.allclose([found[name] for name in told["features"]], list(told["features"].values()), rtol=1e-6):
            raise RuntimeError(f"the Allen SDK finds {told['features']}, we {found}")
        rows.append(faster(f"features of the cell, {what}", cell_ms, told["ms"], "Allen SDK, from the file"))
    else:
        rows.append(Row(f"features of the cell, {what}", cell_ms))
    if python := os.environ.get(EFEL):
        told = _ask(python, "efel_icephys.py", responses, RATE, START, STOP)
        if told["n_spikes"] != found["n_spikes"]:
            raise RuntimeError(f"eFEL finds {told['n_spikes']} spikes, we {found['n_spikes']}")
        peer = "eFEL, 11 features, of long squares in memory"
        rows.append(faster("features of every spike, from what is stored", spikes_ms, told["ms"], peer))
    return rows


def _cell() -> MadeCell:
    """Amplitudes 20 pA apart, as of mouse cells, many of them above rheobase."""
    silent, firing = np.arange(-80.0, 0.0, 20.0), np.arange(60.0, 301.0, 20.0)
    amplitudes = np.concatenate([silent, np.resize(firing, N_SWEEPS - N_OTHERS - len(silent))])
    return make_cell(SPECIMEN, sampling_rate=RATE, step=STOP - START, amplitudes=tuple(amplitudes.tolist()))


def _with_units_as_bytes(path: Path) -> None:
    """The SDK decodes units, so they must be texts of fixed length."""
    with h5py.File(path, "r+") as file:
        for folder in ("stimulus/presentation", "acquisition/timeseries"):
            for series in file[folder].values():
                series["data"].attrs["unit"] = np.bytes_(series["data"].attrs["unit"])


def _ask(python: str, script: str, *arguments: Any) -> dict[str, Any]:
    command = [python, str(Path(__file__).with_name(script)), *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    return dict(json.loads(done.stdout))
