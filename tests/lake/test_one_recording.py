"""A recording is asked where it lies, without a lake of its own (the reference's walk-through of feature extraction)."""

from __future__ import annotations

import csv
from pathlib import Path

from brainlake.lake.cli import run
from brainlake.tests.fixtures.allen_icephys import make_cell, write_nwb1

CELL = 464212183
AMPLITUDES = (-70.0, -50.0, 160.0, 200.0, 220.0, 240.0)  # pA


def test_one_command_writes_the_features_of_every_sweep_and_of_the_cell(tmp_path: Path) -> None:
    cell = make_cell(CELL, sampling_rate=50_000.0, step=1.0, amplitudes=AMPLITUDES)
    write_nwb1(tmp_path / "ephys.nwb", cell)
    relations = ["icephys.sweep_features", "icephys.cell_features"]
    assert run(["--lake", str(tmp_path / "ephys.nwb"), "export", "csv", *relations, "-o", str(tmp_path / "out")]) == 0
    sweeps, features = (
        sorted(csv.DictReader((tmp_path / "out" / f"{name}.csv").open(newline="")), key=_number) for name in relations
    )
    current_clamp = [sweep for sweep in cell.sweeps if not sweep.is_test]
    assert [int(row["sweep_number"]) for row in sweeps] == [sweep.sweep_number for sweep in current_clamp]
    assert not any(row["error"] for row in sweeps)
    squares = [row for row in sweeps if row["stimulus_class"] == "long_square"]
    assert [round(float(row["stim_amp_pa"]), 3) for row in squares] == list(AMPLITUDES)
    (told,) = features
    assert int(told["specimen_id"]) == CELL
    assert told["status"] == "ok"
    spiking = [row for row in squares if int(row["n_spikes"])]
    assert told["rheobase_sweep_number"] == spiking[0]["sweep_number"]
    taus = [float(row["tau"]) for row in squares if row["tau"]]
    assert abs(float(told["tau"]) - sum(taus) / len(taus)) < 1e-9


def _number(row: dict[str, str]) -> int:
    return int(row.get("sweep_number", 0))
