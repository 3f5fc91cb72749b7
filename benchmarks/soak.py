"""Everything that changes a lake at once, at random, with kills: does every answer equal a plain model's?

``python -m benchmarks.soak --minutes 60``: writers ingest, forget, write, materialize, compact, expire and repair; readers
ask on fresh, pinned and past snapshots; some of both are killed with -9. What each snapshot must hold follows from the
commits before it, told by their messages, applied to a dictionary. In the end nothing may be left over.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from brainlake.lake import expiring, opening
from brainlake.lake.catalog import Catalog
from brainlake.lake.checking import check
from brainlake.lake.errors import CatalogError, SnapshotExpired, UnknownError
from brainlake.lake.folding import compact, fold_small_tables
from brainlake.lake.forgetting import forget
from brainlake.lake.mending import repair
from brainlake.lake.usage import usage
from brainlake.lake.writer import IngestWriter, write_user_table

SUBJECTS, TABLES, KEPT = 12, 3, 25
MOST_WAIT_S = 120.0  # longer than asked, until something has happened
VIEW, TRAINS, LAYERS = "ecephys.unit_spike_trains", "ecephys.spike_trains", "ecephys.unit_layers"
PART_OF = {"trains": "spikes", "layers": "unit_layers"}
NOT_OURS = ("lake created", "fold ")  # messages of commits that change no answer


# --- the model ------------------------------------------------------------------------------------------------------


@dataclass
class Model:
    """What a lake must hold: subject -> what is here of it, at which version; users' tables likewise."""

    subjects: dict[int, dict[str, int]] = field(default_factory=dict)
    tables: dict[int, int] = field(default_factory=dict)

    def apply(self, change: dict[str, Any]) -> None:
        kind, number = change["kind"], change["number"]
        if kind == "ingest":
            self.subjects[number] = dict.fromkeys(change["what"], change["version"])
        elif kind == "forget":
            for what in change["what"]:
                self.subjects.get(number, {}).pop(what, None)
            if not self.subjects.get(number):
                self.subjects.pop(number, None)
        elif kind == "write":
            self.tables[number] = change["version"]
        elif kind == "forget table":
            self.tables.pop(number, None)

    def trains(self) -> list[tuple[int, int, int, float]]:
        """Rows of ``unit_spike_trains``: session, unit, spikes, first spike."""
        return [
            (number, unit, n_spikes(held["trains"]), float(held["trains"] * 100))
            for number, held in sorted(self.subjects.items())
            if "trains" in held
            for unit in units_of(number)
        ]

    def layers(self) -> list[tuple[int, int]]:
        return [
            (unit, held["layers"])
            for number, held in sorted(self.subjects.items())
            if "layers" in held
            for unit in units_of(number)
        ]

    def parts(self) -> list[tuple[str, str]]:
        return sorted(
            (f"ecephys.session/{number}", PART_OF[what]) for number, held in self.subjects.items() for what in held
        )


def units_of(number: int) -> list[int]:
    return [number * 10 + i for i in range(3)]


def n_spikes(version: int) -> int:
    return 3 + version % 5


# --- the journal beside the lake ------------------------------------------------------------------------------------


class Journal:
    """What processes mean to do (before they do it), which commits there were, and what went wrong."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._changes: dict[str, dict[str, Any]] = {}
        self._read: Counter[str] = Counter()

    def mean(self, change: dict[str, Any]) -> str:
        """Note a change before it is made; returns the message that its commit must have."""
        token = f"soak {os.getpid()}.{time.monotonic_ns()}"
        self._append(f"meant.{os.getpid()}", change | {"token": token})
        return token

    def note(self, file: str, **facts: Any) -> None:
        self._append(file, facts)

    def _append(self, file: str, facts: dict[str, Any]) -> None:
        with (self.folder / file).open("a") as out:
            out.write(json.dumps(facts) + "\n")

    def lines(self, pattern: str) -> Iterator[dict[str, Any]]:
        """Whole lines that were not yet read by this object."""
        for path in sorted(self.folder.glob(pattern)):
            with path.open() as file:
                file.seek(self._read[path.name])
                for line in iter(file.readline, ""):
                    if not line.endswith("\n"):
                        break
                    self._read[path.name] += len(line)
                    yield json.loads(line)

    def change(self, message: str) -> dict[str, Any] | None:
        """What a commit's message stands for; None for one that changes no answer."""
        if message.startswith(NOT_OURS):
            return None
        if message not in self._changes:
            self._changes |= {change["token"]: change for change in self.lines("meant.*")}
        return self._changes[message]


class Truth:
    """The model at any snapshot."""

    def __init__(self, journal: Journal) -> None:
        self._journal, self._model, self._messages = journal, Model(), dict[int, str]()
        self._history: dict[int, str] = {}  # snapshot -> the model there, as JSON
        self._next = 0

    def at(self, snapshot: int, wait_s: float = 30.0) -> Model:
        deadline = time.monotonic() + wait_s
        while self._next <= snapshot:
            self._messages |= {line["snapshot"]: line["message"] for line in self._journal.lines("commits")}
            while self._next in self._messages:
                if change := self._journal.change(self._messages.pop(self._next)):
                    self._model.apply(change)
                self._history[self._next] = json.dumps(
                    [list(self._model.subjects.items()), list(self._model.tables.items())]
                )
                self._next += 1
            if self._next <= snapshot:
                if time.monotonic() > deadline:
                    raise AssertionError(f"nobody told of the commit that made snapshot {self._next}")
                time.sleep(0.05)
        subjects, tables = json.loads(self._history[snapshot])
        return Model(dict(subjects), dict(tables))


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


# --- writers --------------------------------------------------------------------------------------------------------


def ingest(catalog: Catalog, journal: Journal, chance: random.Random) -> None:
    number, version = chance.randrange(SUBJECTS), chance.randrange(1_000)
    what = chance.choice([["trains"], ["layers"], ["trains", "layers"], ["trains", "layers"]])
    message = journal.mean({"kind": "ingest", "number": number, "what": what, "version": version})
    with IngestWriter(
        catalog, subject=f"ecephys.session/{number}", role="session_nwb", source_url=f"{number}.nwb", source_size=1,
        source_sha256=str(version), reader="soak", reader_version="1", options={}, parts=[PART_OF[w] for w in what],
        message=message,
    ) as writer:  # fmt: skip
        if "trains" in what:
            n = n_spikes(version)
            for block in range(2):
                few = n if block == 0 else 0
                ticks = pa.array([[version * 100 + i for i in range(few)]] * 3, pa.list_(pa.int64()))
                writer.write(TRAINS, {"session_id": number, "time_block": block, "unit_id": units_of(number),
                             "n_spikes": few, "clock_rate": 1.0, "clock_shift": 0.0, "spike_ticks": ticks})  # fmt: skip
        if "layers" in what:
            writer.write(LAYERS, {"unit_id": units_of(number), "cortical_layer": [version] * 3})
        writer.commit()


def forgetting(catalog: Catalog, journal: Journal, chance: random.Random) -> None:
    number = chance.randrange(SUBJECTS)
    what = chance.choice([["trains"], ["layers"], ["trains", "layers"]])
    message = journal.mean({"kind": "forget", "number": number, "what": what})
    only = None if len(what) == 2 else [PART_OF[w] for w in what]
    with contextlib.suppress(UnknownError):  # nothing of it is here
        forget(catalog, f"session={number}", only=only, message=message)


def write(catalog: Catalog, journal: Journal, chance: random.Random) -> None:
    number, version = chance.randrange(TABLES), chance.randrange(1_000)
    message = journal.mean({"kind": "write", "number": number, "version": version})
    rows = pa.table({f"x{version % 3}": [version, version + 1]})  # its columns change now and then
    write_user_table(catalog, f"lab.labels_{number}", rows, message=message)


def forget_table(catalog: Catalog, journal: Journal, chance: random.Random) -> None:
    number = chance.randrange(TABLES)
    message = journal.mean({"kind": "forget table", "number": number})
    with contextlib.suppress(UnknownError):
        forget(catalog, f"table/lab.labels_{number}", message=message)


def materialize(catalog: Catalog, _: Journal, chance: random.Random) -> None:
    with opening.open(catalog.root) as lake:
        failed = lake.materialize(VIEW, jobs=1).failed
        # While it computes its snapshot may expire, for a longer time than the grace.
        assert not [why for why in failed.values() if "no longer kept" not in why], failed
        if chance.random() < 0.3:
            lake.prune_memos()


def folding(catalog: Catalog, _: Journal, chance: random.Random) -> None:
    if chance.random() < 0.5:
        compact(catalog)
    else:
        fold_small_tables(catalog, limit=4)


def expire(catalog: Catalog, journal: Journal, chance: random.Random) -> None:
    expiring.expire(catalog, f"{KEPT} snapshots", grace=timedelta(seconds=float(os.environ["SOAK_GRACE"])))


def repairing(catalog: Catalog, _: Journal, chance: random.Random) -> None:
    with contextlib.suppress(CatalogError):  # others are writing
        repair(catalog)


def empty_cache(catalog: Catalog, _: Journal, chance: random.Random) -> None:
    shutil.rmtree(catalog.root / "cache", ignore_errors=True)


OPERATIONS: tuple[tuple[Callable[[Catalog, Journal, random.Random], None], int], ...] = (
    (ingest, 40), (forgetting, 12), (write, 10), (forget_table, 4), (materialize, 5), (folding, 6), (expire, 8),
    (repairing, 4), (empty_cache, 1),
)  # fmt: skip


def be_writer(root: Path, journal: Journal, seed: int) -> None:
    chance = random.Random(seed)
    operations, weights = zip(*OPERATIONS, strict=True)
    while True:
        operation = chance.choices(operations, weights)[0]
        with contextlib.closing(Catalog.open(root)) as catalog:
            operation(catalog, journal, chance)
        journal.note(f"done.{os.getpid()}", kind=operation.__name__)


# --- readers --------------------------------------------------------------------------------------------------------


def be_reader(root: Path, journal: Journal, seed: int) -> None:
    chance, truth, grace = random.Random(seed), Truth(journal), float(os.environ["SOAK_GRACE"])
    while True:
        kind = chance.choice(("fresh", "pinned", "past"))
        opened = time.monotonic()
        try:
            with opening.open(root) as lake:
                look_at(lake, truth)
                if kind == "pinned":
                    while time.monotonic() - opened < 3 * grace:
                        time.sleep(chance.uniform(0, grace / 2))
                        look_at(lake, truth)
                elif kind == "past":
                    kept = lake.sql("select snapshot_id from lake.snapshots").to_numpy().tolist()
                    opened = time.monotonic()
                    number = chance.choice(kept or [lake.snapshot])  # ours, and all before it, may have expired
                    with contextlib.suppress(SnapshotExpired), lake.at(number) as past:
                        look_at(past, truth)
        except SnapshotExpired:
            held = time.monotonic() - opened
            if held < grace:
                raise AssertionError(f"a snapshot was gone after {held:.1f} s, before the grace of {grace} s") from None
            kind = "expired in our hands"
        journal.note(f"done.{os.getpid()}", kind=kind)


def look_at(lake: opening.Lake, truth: Truth) -> None:
    """Assert that a lake's answers are the model's."""

    def answer(query: str) -> list[tuple[Any, ...]]:
        table = lake.sql(query).arrow()
        return list(zip(*(column.to_pylist() for column in table.columns), strict=True))

    found = {
        "trains": answer(f"select session_id, unit_id, n_spikes, spike_times[1] from {VIEW} order by all"),
        "layers": answer(f"select unit_id, cortical_layer from {LAYERS} order by all"),
        "parts": answer(
            "select subject, part from lake.parts where state = 'present' and role != 'table' order by all"
        ),
    }
    one = random.randrange(SUBJECTS)
    part = answer(
        f"select session_id, unit_id, n_spikes, spike_times[1] from {VIEW} where session_id = {one} order by all"
    )
    tables = {
        name
        for name in lake.sql("select name from lake.relations").arrow()["name"].to_pylist()
        if name.startswith("lab.")
    }
    users = {int(name.rpartition("_")[2]): answer(f"from {name} order by all") for name in tables}
    model = truth.at(lake.snapshot)
    expected = {"trains": model.trains(), "layers": model.layers(), "parts": model.parts()}
    assert found == expected, f"snapshot {lake.snapshot}: {found} instead of {expected}"
    assert part == [row for row in model.trains() if row[0] == one], f"snapshot {lake.snapshot}: session {one}: {part}"
    seen = {number: [row[0] for row in rows] for number, rows in users.items()}
    assert seen == {number: [v, v + 1] for number, v in model.tables.items()}, f"snapshot {lake.snapshot}: {users}"


# --- the whole ------------------------------------------------------------------------------------------------------


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
        lake.expire("1 snapshot", grace=timedelta(0))
        lake.check(repair=True)
        assert lake.check(deep=True) == [], lake.check(deep=True)
        look_at(lake, truth)
        states = {row["state"]: row for row in usage(lake.catalog).to_pylist()}
        assert not states.keys() & {"retired", "expired", "orphan"}, states
        live = sum(len(table.files) for table in lake.catalog.state().tables.values())
        assert states.get("live", {"n_files": 0})["n_files"] == live
        assert not list((root / "data").rglob("*=*/../empty")), "an empty folder"
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
