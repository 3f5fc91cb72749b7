"""Writers killed at any instant: the lake opens, holds whole ingests only, and has lost none reported done."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from brainlake.lake.catalog import Catalog
from brainlake.lake.checking import check, orphans
from brainlake.lake.folding import fold_small_tables
from brainlake.lake.mending import repair

TRAINS, LAYERS = "ecephys.spike_trains", "ecephys.unit_layers"

# One writer: ingests rows of two tables for one subject after the other, every third time in place of an earlier
# ingest, and folds now and then. Each subject's version is in its rows, so that a mixture would show. What is
# committed is told on stdout at once.
WRITER = """
import itertools, random, sys, tempfile
import numpy as np, pyarrow as pa
from brainlake.lake.catalog import Catalog
from brainlake.lake.folding import fold_small_tables
from brainlake.lake.writer import IngestWriter

def ingest(catalog, subject, version):
    with IngestWriter(catalog, subject=f"session/{subject}", role="nwb", source_url=f"{subject}.nwb", source_size=1,
                      source_sha256=str(version), reader="nwb", reader_version="1", options={},
                      parts=["spikes", "unit_layers"]) as writer:
        units = [subject * 10 + i for i in range(5)]
        for block in range(4):
            ticks = pa.array([np.arange(2000) + version] * 5, pa.list_(pa.int64()))
            writer.write("ecephys.spike_trains", {"session_id": subject, "time_block": block, "unit_id": units,
                         "n_spikes": version, "spike_ticks": ticks})
        writer.write("ecephys.unit_layers", {"unit_id": units, "cortical_layer": [version] * 5})
        return writer.commit().snapshot_id

root, base, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
random.seed(seed)
with tempfile.TemporaryDirectory() as elsewhere:  # the first ingest of a process imports much
    ingest(Catalog.create(elsewhere), 1, 1)
print("ready", flush=True)
for step in itertools.count():
    catalog = Catalog.open(root)
    subject = base + (random.randrange(100) if step % 3 else seed % 100)
    version = seed * 1000 + step
    print("done", subject, version, ingest(catalog, subject, version), flush=True)
    if step % 5 == 4:
        fold_small_tables(catalog, limit=8)
    catalog.close()
"""


def start(root: Path, base: int, seed: int) -> subprocess.Popen[str]:
    command = [sys.executable, "-c", WRITER, str(root), str(base), str(seed)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, text=True)


def kill_two_writers(root: Path, rounds: int, seed: int) -> dict[int, tuple[int, int]]:
    """Start two writers, kill both at a random instant, look at the lake; again and again.

    Returns the last version that was reported of each subject, and its snapshot.
    """
    chance = random.Random(seed)
    reported: dict[int, tuple[int, int]] = {}
    for number in range(rounds):
        writers = [start(root, base, seed + 2 * number + i) for i, base in enumerate((1_000, 2_000))]
        for writer in writers:
            assert writer.stdout.readline() == "ready\n"
        time.sleep(chance.uniform(0.0, 1.0))
        for writer in chance.sample(writers, 2):
            os.kill(writer.pid, signal.SIGKILL)
            time.sleep(chance.uniform(0.0, 0.05))
        for writer in writers:
            output, _ = writer.communicate(timeout=30)
            for line in output.splitlines(keepends=True):
                if line.endswith("\n"):  # a killed writer may leave half a line
                    _, subject, version, snapshot = line.split()
                    reported[int(subject)] = (int(version), int(snapshot))
        look_at(root, reported)
    return reported


def look_at(root: Path, reported: dict[int, tuple[int, int]]) -> None:
    """Assert that the lake holds whole ingests only, and none older than reported."""
    catalog = Catalog.open(root)
    state = catalog.state()
    trains, layers = (
        [pq.read_table(root / f.path, partitioning=None) for f in state.tables[name].files] for name in (TRAINS, LAYERS)
    )
    versions: dict[int, int] = {}
    for table in trains:  # a bulk file belongs to one ingest
        (session,) = set(table["session_id"].to_pylist())
        (version,) = set(table["n_spikes"].to_pylist())
        assert table.num_rows == 20
        assert session not in versions
        versions[session] = version
    found: dict[int, list[int]] = {}
    for table in layers:
        for unit, version in zip(table["unit_id"].to_pylist(), table["cortical_layer"].to_pylist(), strict=True):
            found.setdefault(unit // 10, []).append(version)
    assert found == {session: [version] * 5 for session, version in versions.items()}
    ingests = {row["subject"]: row["source_sha256"] for row in state.relations["lake.ingests"]().to_pylist()}
    assert ingests == {f"session/{session}": str(version) for session, version in versions.items()}
    # A commit made but not yet reported may have replaced what was reported: it comes from a later seed or step.
    for subject, (version, snapshot) in reported.items():
        assert versions[subject] >= version
        assert state.snapshot_id >= snapshot
    assert [f for f in check(catalog) if f.kind != "orphan"] == []
    catalog.close()


@pytest.mark.parametrize("rounds", [6, pytest.param(60, marks=pytest.mark.slow)])
def test_killing_two_writers_at_any_instant_loses_nothing_and_shows_nothing_partial(tmp_path, rounds):
    catalog = Catalog.create(tmp_path / "lake")
    reported = kill_two_writers(catalog.root, rounds, seed=rounds)
    assert reported
    repair(catalog)
    assert orphans(catalog) == []
    assert check(catalog, deep=True) == []
    fold_small_tables(catalog, limit=1)
    look_at(catalog.root, reported)


def test_several_processes_commit_at_once_and_none_is_lost(tmp_path):
    catalog = Catalog.create(tmp_path / "lake")
    writers = [start(catalog.root, base, base) for base in (1_000, 2_000, 3_000)]
    lines: list[str] = []
    for writer in writers:
        assert writer.stdout.readline() == "ready\n"
    for _ in range(8):
        for writer in writers:
            lines.append(writer.stdout.readline())
    for writer in writers:
        writer.kill()
        rest, _ = writer.communicate(timeout=30)
        lines += rest.splitlines(keepends=True)
    done = [line.split() for line in lines if line.endswith("\n")]
    assert all(words[0] == "done" for words in done)
    snapshots = [int(words[3]) for words in done]
    assert len(set(snapshots)) == len(snapshots)
    reported: dict[int, tuple[int, int]] = {}
    for _, subject, version, snapshot in done:
        if int(snapshot) > reported.get(int(subject), (0, 0))[1]:
            reported[int(subject)] = (int(version), int(snapshot))
    look_at(catalog.root, reported)


def test_a_commit_killed_in_its_middle_is_taken_back_by_the_next_who_opens(tmp_path, engine):
    """The journal of a half-written catalogue is rolled back, and the file of the killed ingest is an orphan."""
    catalog = Catalog.create(tmp_path / "lake")
    engine.ingest(catalog, "s/1", {LAYERS: {"unit_id": [1]}})
    catalog.close()
    script = """
import os, sys
from brainlake.lake import commit
from brainlake.lake.catalog import Catalog
from brainlake.lake.writer import IngestWriter
def die_before_commit(self):
    self.database.execute("pragma cache_spill = on")
    self.database.execute("pragma cache_size = 1")  # pages reach the file before the commit
    self.database.execute("update ducklake_snapshot set snapshot_time = printf('%.9999c', 'x')")
    os.kill(os.getpid(), 9)
commit.Commit.finish = die_before_commit
with IngestWriter(Catalog.open(sys.argv[1]), subject="s/2", role="r", source_url="u", source_size=1, source_sha256="0",
                  reader="nwb", reader_version="1", options={}, parts=[]) as writer:
    writer.write("ecephys.unit_layers", {"unit_id": [2]})
    writer.commit()
"""
    done = subprocess.run([sys.executable, "-c", script, catalog.root], check=False)
    assert done.returncode == -signal.SIGKILL
    assert (catalog.root / "catalog.sqlite-journal").exists()
    catalog = Catalog.open(catalog.root)
    assert catalog.latest() == 1
    assert len(catalog.state().tables[LAYERS].files) == 1
    assert len(orphans(catalog)) == 1
    repair(catalog)
    assert check(catalog, deep=True) == []
