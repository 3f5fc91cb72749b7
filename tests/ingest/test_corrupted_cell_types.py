"""Damaged recordings, reconstructions and model files are read or refused with one clear error.

As :mod:`.test_corrupted`; a kind of file is tried by a line in ``ORIGINALS``.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from brainlake.tests.fixtures import cell_types_tables, corrupted
from brainlake.tests.fixtures.icephys_labs import make_recordings_lab, make_sweep_table_lab


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


ORIGINALS = (
    Original("sweeps.nwb", make_sweep_table_lab, 20, 320),
    Original("recordings.nwb", make_recordings_lab, 16, 320),
    Original("neuron.swc", make_neuron, 24, 300),
    Original("cells.csv", cell_types_tables.write_details_csv, 16, 150),
    Original("specimens.json", cell_types_tables.write_specimens_json, 24, 200),
    Original("ephys_sweeps.json", cell_types_tables.write_sweeps_json, 16, 150),
)


def tried(original: Original, n: int, folder: Path) -> list[corrupted.Outcome]:
    """So many variants, in two interpreters at once."""
    original.make(folder / original.name)
    jobs = [(folder / original.name, first, min(first + -(-n // 2), n), folder) for first in (0, -(-n // 2))]
    with ThreadPoolExecutor(2) as pool:
        return [outcome for found in pool.map(lambda job: corrupted.outcomes(*job), jobs) for outcome in found]


@pytest.mark.parametrize("original", ORIGINALS, ids=lambda original: original.name)
def test_damaged_files_are_read_or_refused(original: Original, tmp_path: Path) -> None:
    corrupted.assert_all_are_answered(tried(original, original.in_short, tmp_path))


@pytest.mark.slow
@pytest.mark.parametrize("original", ORIGINALS, ids=lambda original: original.name)
def test_a_thousand_damaged_files_are_read_or_refused(original: Original, tmp_path: Path) -> None:
    outcomes = tried(original, original.in_full, tmp_path)
    assert len(outcomes) == original.in_full
    corrupted.assert_all_are_answered(outcomes)
