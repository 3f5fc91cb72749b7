"""The processes of :mod:`.soak`: writers that change a lake at random, readers that hold every answer to the model."""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pyarrow as pa
from brainlake.lake import expiring, opening
from brainlake.lake.catalog import Catalog
from brainlake.lake.errors import CatalogError, SnapshotExpired, UnknownError
from brainlake.lake.facade import Lake
from brainlake.lake.folding import compact, fold_small_tables
from brainlake.lake.forgetting import forget
from brainlake.lake.mending import repair
from brainlake.lake.writer import IngestWriter, write_user_table

from .soak_model import PART_OF, Journal, Truth, n_spikes, units_of

SUBJECTS, TABLES, KEPT, TAGS = 12, 3, 25, ("draft", "submitted")
VIEW, TRAINS, LAYERS = "ecephys.unit_spike_trains", "ecephys.spike_trains", "ecephys.unit_layers"


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


def naming(catalog: Catalog, _: Journal, chance: random.Random) -> None:
    name = chance.choice(TAGS)
    if chance.random() < 0.6:
        with contextlib.suppress(SnapshotExpired):
            catalog.tag(name, max(0, catalog.latest() - chance.randrange(KEPT)))
    else:
        with contextlib.suppress(UnknownError):
            catalog.untag(name)


def repairing(catalog: Catalog, _: Journal, chance: random.Random) -> None:
    with contextlib.suppress(CatalogError):  # others are writing
        repair(catalog)


def empty_cache(catalog: Catalog, _: Journal, chance: random.Random) -> None:
    shutil.rmtree(catalog.root / "cache", ignore_errors=True)


OPERATIONS: tuple[tuple[Callable[[Catalog, Journal, random.Random], None], int], ...] = (
    (ingest, 40), (forgetting, 12), (write, 10), (forget_table, 4), (materialize, 5), (folding, 6), (expire, 8),
    (naming, 3), (repairing, 4), (empty_cache, 1),
)  # fmt: skip


def be_writer(root: Path, journal: Journal, seed: int) -> None:
    chance = random.Random(seed)
    operations, weights = zip(*OPERATIONS, strict=True)
    while True:
        operation = chance.choices(operations, weights)[0]
        with contextlib.closing(Catalog.open(root)) as catalog:
            operation(catalog, journal, chance)
        journal.note(f"done.{os.getpid()}", kind=operation.__name__)


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


def look_at(lake: Lake, truth: Truth) -> None:
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
