"""The catalogue: made once, opened anywhere, looked at as of any snapshot, shared by many."""

from __future__ import annotations

import hashlib
import shutil
import sqlite3
import subprocess
import threading
import time
from datetime import UTC, datetime, timedelta

import pyarrow as pa
import pytest
from brainlake.lake import catalog_file
from brainlake.lake.catalog import Catalog
from brainlake.lake.commit import committing
from brainlake.lake.errors import CatalogError, DamageError, LakeBusyError, SnapshotExpired, UnknownError
from brainlake.lake.forgetting import forget
from brainlake.lake.records import IngestRecord, WrittenFile
from brainlake.lake.tables import TABLES
from brainlake.lake.writer import write_user_table

LAYERS = "ecephys.unit_layers"


@pytest.fixture
def catalog(tmp_path):
    return Catalog.create(tmp_path / "lake")


def add(catalog, engine, number: int):
    return engine.ingest(catalog, f"s/{number}", {LAYERS: {"unit_id": [number]}})


def test_a_new_lake_has_every_table_and_no_rows(catalog):
    state = catalog.state()
    assert (state.snapshot_id, set(state.tables)) == (0, set(TABLES))
    assert all(not table.files for table in state.tables.values())
    assert state.relations["lake.ingests"]().num_rows == 0


def test_a_lake_is_not_made_over_something_else(catalog, tmp_path):
    with pytest.raises(CatalogError, match="already is a lake"):
        Catalog.create(catalog.root)
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.tex").touch()
    with pytest.raises(CatalogError, match="is not empty"):
        Catalog.create(tmp_path / "full")


def test_what_is_no_lake_or_a_newer_or_a_broken_one_is_said_clearly(catalog, tmp_path):
    with pytest.raises(CatalogError, match="is not a lake"):
        Catalog.open(tmp_path)
    with sqlite3.connect(catalog.root / "catalog.sqlite") as database:
        database.execute("update brainlake_metadata set value = '99' where key = 'format_version'")
    with pytest.raises(CatalogError, match="upgrade brainlake"):
        Catalog.open(catalog.root)
    (catalog.root / "catalog.sqlite").write_bytes(b"not a database at all" * 100)
    with pytest.raises(DamageError, match=r"catalog\.sqlite"):
        Catalog.open(catalog.root)


def test_a_snapshot_is_meant_by_number_tag_or_time(catalog, engine):
    first, second = (add(catalog, engine, number).snapshot_id for number in (1, 2))
    catalog.tag("paper", first)
    times = catalog.snapshots()["committed_at_utc"].to_pylist()
    assert catalog.resolve(None) == second
    assert catalog.resolve("paper") == first
    assert catalog.resolve(first) == first
    assert catalog.resolve(times[first]) == first
    assert catalog.resolve((times[second] + timedelta(hours=3)).isoformat() + "+03:00") == second
    assert catalog.resolve(datetime.now(UTC)) == second
    for wrong in ("nobody", 99, -1, times[0] - timedelta(days=1)):
        with pytest.raises(UnknownError):
            catalog.resolve(wrong)
    with sqlite3.connect(catalog.root / "catalog.sqlite") as database:
        database.execute("delete from ducklake_snapshot where snapshot_id = ?", [first])
    with pytest.raises(SnapshotExpired):
        catalog.resolve("paper")


def test_every_table_is_seen_as_of_one_snapshot(catalog, engine):
    first = add(catalog, engine, 1)
    add(catalog, engine, 2)
    forget(catalog, "s/1")
    assert [len(catalog.state(s).tables[LAYERS].files) for s in range(4)] == [0, 1, 2, 1]
    assert catalog.state(1).relations["lake.ingests"]()["ingest_id"].to_pylist() == [first.ingest_id]
    assert catalog.state().relations["lake.ingests"]()["subject"].to_pylist() == ["s/2"]


def test_relations_say_where_rows_are_and_came_from(catalog, engine):
    done = engine.ingest(
        catalog, "s/1", {"ecephys.spike_trains": engine.trains(7, [1, 2])}, doi="10.1/x", options={"salvage": True}
    )
    read = catalog.state().relations
    (ingest,) = read["lake.ingests"]().to_pylist()
    assert (ingest["doi"], ingest["options"], ingest["n_rows"]) == ("10.1/x", '{"salvage": true}', 2)
    assert ingest["parts"] == ["spikes", "units"]
    (file,) = read["lake.files"]().to_pylist()
    assert file["sha256"] == hashlib.sha256((catalog.root / file["path"]).read_bytes()).hexdigest()
    assert (catalog.root / file["path"]).stat().st_size == file["size_bytes"]
    assert (file["partition_value"], file["ingest_ids"]) == (7, [done.ingest_id])
    assert abs(ingest["ingested_at_utc"].replace(tzinfo=UTC) - datetime.now(UTC)) < timedelta(minutes=1)


def test_a_failure_is_remembered_until_the_source_is_ingested(catalog, engine):
    catalog.record_failures([("s/1.nwb", None, "nwb", "truncated")])
    catalog.record_failures([("s/1.nwb", "s/1", "nwb", "still truncated")])
    assert catalog.state().relations["lake.failures"]()["error"].to_pylist() == ["still truncated"]
    add(catalog, engine, 1)
    assert catalog.state().relations["lake.failures"]().num_rows == 0


def test_the_live_ingest_tells_whether_a_source_must_be_read_again(catalog, engine):
    assert catalog.live_ingest("s/1", "session_nwb") is None
    add(catalog, engine, 1)
    live = catalog.live_ingest("s/1", "session_nwb")
    assert (live.source_sha256, live.reader_version, live.options, live.parts) == ("00", "1", {}, ("spikes", "units"))
    assert live.spec_versions == {LAYERS: TABLES[LAYERS].version}


def test_another_declaration_of_a_users_table_leaves_earlier_snapshots_alone(catalog):
    first = write_user_table(catalog, "lab.labels", pa.table({"unit_id": [1], "label": ["a"]}), ["unit_id"])
    write_user_table(catalog, "lab.labels", pa.table({"label": ["b"], "score": [0.5]}))
    assert catalog.state().tables["lab.labels"].spec.arrow.names == ["label", "score", "ingest_id"]
    assert catalog.state(first.snapshot_id).tables["lab.labels"].spec.arrow.names == ["unit_id", "label", "ingest_id"]
    forget(catalog, "table/lab.labels")
    assert "lab.labels" not in catalog.state().tables


def test_a_lake_moves_with_its_directory(catalog, engine, tmp_path):
    add(catalog, engine, 1)
    catalog.close()
    moved = shutil.move(catalog.root, tmp_path / "moved")
    state = Catalog.open(moved).state()
    assert (state.root / state.tables[LAYERS].files[0].path).is_file()


def test_a_lake_opens_on_a_read_only_mount_and_refuses_to_be_written(engine, tmp_path):
    mount = tmp_path / "mount"
    mount.mkdir()
    if subprocess.run(["mount", "-t", "tmpfs", "tmpfs", mount], capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        writable = Catalog.create(mount / "lake")
        add(writable, engine, 1)
        writable.close()
        subprocess.run(["mount", "-o", "remount,ro", mount], check=True)
        catalog = Catalog.open(mount / "lake")
        assert catalog.read_only
        assert len(catalog.state().tables[LAYERS].files) == 1
        with pytest.raises(CatalogError, match="cannot be written"):
            add(catalog, engine, 2)
        with pytest.raises(CatalogError, match="cannot be written"):
            forget(catalog, "s/1")
        catalog.close()
    finally:
        subprocess.run(["umount", "-l", mount], check=True)


def test_a_writer_waits_for_others_and_says_when_it_gives_up(catalog, engine, monkeypatch):
    other = sqlite3.connect(catalog.root / "catalog.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("begin immediate")
    later = threading.Timer(0.5, lambda: other.execute("rollback"))
    later.start()
    began = time.monotonic()
    add(catalog, engine, 1)
    assert time.monotonic() - began > 0.4
    later.join()

    monkeypatch.setattr(catalog_file, "BUSY_S", 0.3)
    other.execute("begin immediate")
    with pytest.raises(LakeBusyError, match="try again"):
        add(catalog, engine, 2)
    assert len(catalog.state().tables[LAYERS].files) == 1  # reading goes on
    other.execute("rollback")
    other.execute("begin exclusive")
    with pytest.raises(LakeBusyError, match="try again"):
        catalog.state()
    other.close()


def test_ten_thousand_files_are_listed_fast(catalog):
    """Without the files themselves: what is measured is the catalogue."""
    spec = TABLES["ecephys.spike_trains"]
    with committing(catalog, None, "many") as commit:
        for number in range(10_000):
            record = IngestRecord(number + 1, f"s/{number}", "r", "u", 1, "0", "nwb", "1", {}, ["spikes"])
            commit.add_file(spec, WrittenFile(f"session_id={number}/x.parquet", 1, 1, 1, "", {number + 1: 1}, number))
            commit.add_ingest(record, {spec.name: spec.version}, 1, 1, [("spikes", "present", 1, 1, None)])
    seconds = []
    for _ in range(5):
        began = time.perf_counter()
        assert len(catalog.state().tables[spec.name].files) == 10_000
        seconds.append(time.perf_counter() - began)
    assert min(seconds) < 0.3  # twice what design.md's budget for opening leaves here, for busy machines


def test_a_path_that_reads_as_a_pattern_is_refused(tmp_path):
    for name in ("lake[1]", "what?", "all*"):
        with pytest.raises(CatalogError, match="pattern"):
            Catalog.create(tmp_path / name)
        assert not (tmp_path / name).exists()


def test_opening_waits_for_a_commit_that_is_being_written(catalog):
    """SQLite's exclusive lock, held for longer than its own patience."""
    other = sqlite3.connect(catalog.root / "catalog.sqlite", isolation_level=None, check_same_thread=False)
    other.execute("begin exclusive")
    release = threading.Timer(0.5, lambda: other.execute("rollback"))
    release.start()
    Catalog.open(catalog.root).close()
    release.join()
    other.close()
