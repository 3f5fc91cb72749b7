"""Everything that changes a lake at once, at random, with kills: does every answer equal a plain model's?

``python -m benchmarks.soak --minutes 60``: writers ingest, forget, write, tag, materialize, compact, expire and repair
(:mod:`.soak_actors`); readers ask on fresh, pinned and past snapshots; some of both are killed with -9. What each snapshot
must hold follows from the commits before it, told by their messages, applied to a dictionary (:mod:`.soak_model`). In
the end nothing may be left over.
"""

from __future__ import annotations

import argparse
import contextlib
import os
import random
import subprocess
import sys
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pyarrow as pa
from brainlake.lake import opening
from brainlake.lake.catalog import Catalog
from brainlake.lake.checking import check
from brainlake.lake.errors import UnknownError
from brainlake.lake.usage import usage
from brainlake.lake.writer import IngestWriter, write_user_table

from .soak_actors import LAYERS, TAGS, TRAINS, be_reader, be_writer, look_at
from .soak_model import PART_OF, Journal, Model, Truth, units_of

MOST_WAIT_S = 120.0  # longer than asked, until something has happened


@dataclass(frozen=True)
class Soaked:
    """What happened: operations and looks by kind, kills, snapshots; and the lake in the end against one made anew."""

    counts: dict[str, int]
    kills: int
    snapshots: int
    live_files: int
    catalogue_bytes: int
    fresh_catalogue_bytes: int


def soak(minutes: float, *, writers: int = 4, readers: int = 8, seed: int = 0, grace_s: float = 5.0) -> Soaked:
    """Run it. Raises AssertionError at the first answer that is wrong, and for what is left over in the end."""
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        root, journal = Path(folder) / "lake", Journal(Path(folder) / "journal")
        journal.folder.mkdir()
        Catalog.create(root).close()
        runners = [_Runner("writer", root, seed + i, grace_s) for i in range(writers)]
        runners += [_Runner("reader", root, seed + 1_000 + i, grace_s) for i in range(readers)]
        try:
            kills = _run(root, journal, runners, minutes * 60, random.Random(seed))
        finally:
            for runner in runners:
                runner.kill()
        return _in_the_end(root, journal, kills)


class _Runner:
    """A process that is started again whenever it was killed."""

    def __init__(self, role: str, root: Path, seed: int, grace_s: float) -> None:
        self.role, self._root, self._seed, self._grace_s = role, root, seed, grace_s
        self.start()

    def start(self) -> None:
        self._seed += 10_000
        command = [sys.executable, "-m", __spec__.name, "--as", self.role, str(self._root), str(self._seed)]
        environment = os.environ | {"SOAK_GRACE": str(self._grace_s)}
        self._said = self._root.parent / "journal" / f"said.{self._seed}"
        with self._said.open("w") as said:
            self.process = subprocess.Popen(command, stderr=said, env=environment)

    def kill(self) -> None:
        self.process.kill()
        self.process.wait()

    @property
    def said(self) -> str:
        return self._said.read_text()


def collect(catalog: Catalog, journal: Journal, told: int) -> int:
    """Note commits made since, before they expire; returns the newest."""
    query = (
        "select snapshot_id, commit_message from ducklake_snapshot_changes where snapshot_id > ? order by snapshot_id"
    )
    with catalog.reading() as database:
        rows = database.execute(query, [told]).fetchall()
    for snapshot, message in rows:
        assert snapshot == told + 1, f"snapshot {told + 1} was never seen: it expired too early"
        journal.note("commits", snapshot=snapshot, message=message)
        told = snapshot
    return told


def _run(root: Path, journal: Journal, runners: list[_Runner], seconds: float, chance: random.Random) -> int:
    kills, told, end = 0, -1, time.monotonic() + seconds
    patience = end + MOST_WAIT_S
    next_kill = time.monotonic() + 5
    with contextlib.closing(Catalog.open(root)) as catalog:
        while time.monotonic() < end or (time.monotonic() < patience and not _enough(journal, told)):
            told = collect(catalog, journal, told)
            for runner in runners:
                if runner.process.poll() is not None:
                    raise AssertionError(f"a {runner.role} failed:\n{runner.said}")
            if time.monotonic() > next_kill:
                runner = chance.choice(runners)
                if (journal.folder / f"done.{runner.process.pid}").exists():  # it is at work
                    runner.kill()
                    runner.start()
                    kills += 1
                next_kill = time.monotonic() + chance.uniform(0.5, 4)
            time.sleep(0.1)
        for runner in runners:
            runner.kill()
        collect(catalog, journal, told)
    return kills


def _enough(journal: Journal, told: int) -> bool:
    """Whether something happened at all, on a machine that has other things to do."""
    return told > 10 and len(list(journal.folder.glob("done.*"))) > 4


def _in_the_end(root: Path, journal: Journal, kills: int) -> Soaked:
    """Everything at rest: the last answers, nothing left over, a catalogue no larger than what is live needs."""
    truth = Truth(journal)
    with opening.open(root) as lake:
        look_at(lake, truth)
        model, snapshots = truth.at(lake.snapshot), lake.snapshot
        for name in TAGS:
            with contextlib.suppress(UnknownError):
                lake.untag(name)
        lake.expire("1 snapshot", grace=timedelta(0))
        lake.check(repair=True)
        assert lake.check(deep=True) == [], lake.check(deep=True)
        look_at(lake, truth)
        states = {row["state"]: row for row in usage(lake.catalog).to_pylist()}
        assert not states.keys() & {"retired", "expired", "orphan"}, states
        live = sum(len(table.files) for table in lake.catalog.state().tables.values())
        assert states.get("live", {"n_files": 0})["n_files"] == live
        empty = [folder for folder in (root / "data").rglob("*=*") if not any(folder.iterdir())]
        assert not empty, f"empty folders: {empty}"
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        again = Journal(Path(folder) / "journal")
        again.folder.mkdir()
        fresh = _made_anew(Path(folder) / "lake", model)
        assert check(fresh, deep=True) == []
        sizes = [(place / "catalog.sqlite").stat().st_size for place in (root, fresh.root)]
        fresh.close()
    counts = Counter(line["kind"] for line in journal.lines("done.*"))
    # What is left free is given back once it is a quarter of all, and 64 pages at least.
    assert sizes[0] <= 1.5 * sizes[1] + 64 * 4096 + 65_536, (
        f"the catalogue has {sizes[0]:,} bytes, one made anew {sizes[1]:,}"
    )
    return Soaked(dict(counts), kills, snapshots, live, *sizes)


def _made_anew(root: Path, model: Model) -> Catalog:
    """A lake that holds what the model says and has no past."""
    catalog = Catalog.create(root)
    for number, held in model.subjects.items():
        with IngestWriter(
            catalog, subject=f"ecephys.session/{number}", role="session_nwb", source_url=f"{number}.nwb", source_size=1,
            source_sha256="", reader="soak", reader_version="1", options={}, parts=[PART_OF[what] for what in held],
        ) as writer:  # fmt: skip
            if "trains" in held:
                writer.write(TRAINS, {"session_id": number, "time_block": 0, "unit_id": units_of(number), "n_spikes": 0,
                             "clock_rate": 1.0, "clock_shift": 0.0, "spike_ticks": pa.array([[]] * 3, pa.list_(pa.int64()))})  # fmt: skip
            if "layers" in held:
                writer.write(LAYERS, {"unit_id": units_of(number)})
            writer.commit()
    for number, version in model.tables.items():
        write_user_table(catalog, f"lab.labels_{number}", pa.table({f"x{version % 3}": [version]}))
    return catalog


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=60.0)
    parser.add_argument("--writers", type=int, default=4)
    parser.add_argument("--readers", type=int, default=8)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--grace", type=float, default=5.0, help="seconds")
    parser.add_argument("--as", dest="role", nargs=3, metavar=("ROLE", "ROOT", "SEED"), help=argparse.SUPPRESS)
    told = parser.parse_args()
    if told.role:
        role, root, seed = told.role
        run = {"writer": be_writer, "reader": be_reader}[role]
        run(Path(root), Journal(Path(root).parent / "journal"), int(seed))
        return
    done = soak(told.minutes, writers=told.writers, readers=told.readers, seed=told.seed, grace_s=told.grace)
    for kind, count in sorted(done.counts.items()):
        print(f"{count:8,} {kind}")
    print(f"{done.kills:8,} killed with -9; {done.snapshots:,} snapshots, every answer as the model's")
    print(
        f"{done.catalogue_bytes:8,} bytes of catalogue for {done.live_files} files; made anew {done.fresh_catalogue_bytes:,}"
    )


if __name__ == "__main__":
    main()
