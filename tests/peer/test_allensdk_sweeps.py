"""The Allen SDK opens the recordings that we write, and reads in them what we read in the originals.

Runs where $BRAINLAKE_PEER_PYTHON names a Python that has the SDK (2.16.2).
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import brainlake
import numpy as np
import pytest
from brainlake.lake.output import write_answer
from brainlake.tests.fixtures.allen_icephys import make_cell, write_nwb1

PYTHON = os.environ.get("BRAINLAKE_PEER_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="BRAINLAKE_PEER_PYTHON names no Python with the Allen SDK")


def test_the_sdk_opens_an_exported_recording(tmp_path: Path) -> None:
    cell = make_cell(7, sampling_rate=20_000.0, amplitudes=(-50.0, 200.0), step=0.2)
    write_nwb1(tmp_path / "cell.nwb", cell, version="1.1")
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest(tmp_path / "cell.nwb")
        write_answer(lake.sql("from icephys.sweeps_to_export(7)").reader(), None, tmp_path / "exported.nwb")
        recorded = lake.sql("from icephys.recorded_sweeps").arrow().to_pylist()
    assert PYTHON
    script = Path(__file__).parent / "ask_allensdk_sweeps.py"
    subprocess.run([PYTHON, script, tmp_path / "exported.nwb", tmp_path / "answers.npz"], check=True)
    told = np.load(tmp_path / "answers.npz")
    assert sorted(told["experiments"]) == [s.sweep_number for s in cell.sweeps if not s.is_test]
    for sweep, row in zip(cell.sweeps, recorded, strict=True):
        number = sweep.sweep_number
        assert np.array_equal(told[f"{number}/stimulus"], sweep.si()[0])
        assert np.array_equal(told[f"{number}/response"], sweep.si()[1])
        assert told[f"{number}/index_range"].tolist() == [row["start_index"], row["stop_index"]]
        assert told[f"{number}/sampling_rate"] == sweep.sampling_rate
        assert told[f"{number}/unit"] == ("Volts" if sweep.is_test else "Amps")
        expected = [] if sweep.is_test else sweep.spike_times.tolist()
        assert told[f"{number}/spike_times"].tolist() == expected
