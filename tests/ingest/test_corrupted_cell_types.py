"""Damaged recordings, reconstructions and model files are read or refused with one clear error.

As :mod:`.test_corrupted`; a kind of file is tried by a line in ``ORIGINALS``.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from brainlake.tests.fixtures import cell_types_tables, corrupted, model_files
from brainlake.tests.fixtures.allen_icephys import make_cell, write_nwb1
from brainlake.tests.fixtures.icephys_labs import make_recordings_lab, make_sweep_table_lab
from brainlake.tests.fixtures.mies_icephys import make_mies_sweeps, write_mies
from brainlake.tests.fixtures.swc import MARKERS


@dataclass(frozen=True)
class Original:
    """A kind of file: its name, who makes one, how many variants of it are tried."""

    name: str
    make: Callable[[Path], object]
    in_short: int
    in_full: int


def make_neuron(path: Path) -> None:
    """A soma, an axon and two dendrites that branch, in 60 nodes, as programs write them."""
    rng = np.random.default_rng(5)
    lines = ["# made for tests", "# id,type,x,y,z,r,pid", "1 1 100.0 100.0 20.0 6.5 -1"]
    for node in range(2, 61):
        branch = 1 if node in (2, 20, 40) else node - 1 if node % 7 else node - 5
        x, y, z = (100 + rng.normal(0, 30, 3)).round(4)
        lines.append(f"{node} {2 + (node > 19) + (node > 39)} {x} {y} {z} {rng.uniform(0.1, 1):.4f} {branch}")
    path.write_text("\n".join(lines) + "\n")


def make_allen(path: Path) -> None:
    """A file as the Cell Types Database's, of few and short sweeps."""
    write_nwb1(path, make_cell(sampling_rate=5_000.0, amplitudes=(150.0,), step=0.05), version="1.1")


def make_mies(path: Path) -> None:
    write_mies(path, make_mies_sweeps(3))


def make_glif(path: Path) -> None:
    """A configuration of a GLIF model of the simplest level, as the API gives it: by the model's id."""
    model_files.write_json(path, {"486558431": model_files.glif_config(1)})


def make_commented_manifest(path: Path) -> None:
    path.write_text(model_files.MANIFEST_WITH_COMMENTS)


ORIGINALS = (
    Original("sweeps.nwb", make_sweep_table_lab, 12, 320),
    Original("recordings.nwb", make_recordings_lab, 10, 320),
    Original("allen.nwb", make_allen, 10, 150),
    Original("mies.nwb", make_mies, 10, 150),
    Original("neuron.swc", make_neuron, 12, 300),
    Original("reconstruction.marker", lambda path: path.write_text(MARKERS), 8, 100),
    Original("cells.csv", cell_types_tables.write_details_csv, 10, 150),
    Original("specimens.json", cell_types_tables.write_specimens_json, 12, 200),
    Original("ephys_sweeps.json", cell_types_tables.write_sweeps_json, 10, 150),
    Original("glif.json", make_glif, 12, 200),
    Original("314804042_fit.json", lambda path: model_files.write_json(path, model_files.fit()), 12, 200),
    Original("manifest.json", make_commented_manifest, 12, 200),
    Original("neuronal_model.json", lambda path: model_files.write_json(path, model_files.model_record()), 12, 200),
    Original("run.json", lambda path: model_files.write_json(path, model_files.run_record()), 12, 200),
    Original("Itest.mod", lambda path: path.write_text(model_files.NMODL), 12, 200),
)


@pytest.fixture(scope="module")
def in_short(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[corrupted.Outcome]]:
    """A few variants of every original, in two interpreters at once."""

    def tried(originals: Sequence[Original]) -> dict[Path, list[corrupted.Outcome]]:
        folder = tmp_path_factory.mktemp("variants")
        for original in originals:
            original.make(folder / original.name)
        return corrupted.outcomes_of([(folder / o.name, 0, o.in_short) for o in originals], folder)

    with ThreadPoolExecutor(2) as pool:
        return {
            path.name: outcomes
            for found in pool.map(tried, (ORIGINALS[::2], ORIGINALS[1::2]))
            for path, outcomes in found.items()
        }


@pytest.mark.parametrize("original", ORIGINALS, ids=lambda original: original.name)
def test_damaged_files_are_read_or_refused(original: Original, in_short: dict[str, list[corrupted.Outcome]]) -> None:
    assert len(in_short[original.name]) == original.in_short
    corrupted.assert_all_are_answered(in_short[original.name])


@pytest.mark.slow
@pytest.mark.parametrize("original", ORIGINALS, ids=lambda original: original.name)
def test_thousands_of_damaged_files_are_read_or_refused(original: Original, tmp_path: Path) -> None:
    original.make(tmp_path / original.name)
    half = original.in_full // 2
    jobs = [(0, half, tmp_path / "a"), (half, original.in_full, tmp_path / "b")]
    for _, _, folder in jobs:
        folder.mkdir()
    with ThreadPoolExecutor(2) as pool:
        found = pool.map(lambda job: corrupted.outcomes(tmp_path / original.name, *job), jobs)
        outcomes = [outcome for some in found for outcome in some]
    assert len(outcomes) == original.in_full
    corrupted.assert_all_are_answered(outcomes)
