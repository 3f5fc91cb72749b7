"""Expired snapshots: which go, who reads on, what is removed and when."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import brainlake
import pytest
from brainlake.lake.catalog import Catalog
from brainlake.lake.checking import check
from brainlake.lake.cli import run
from brainlake.lake.errors import CatalogError, SnapshotExpired, UnknownError
from brainlake.lake.expiring import expire
from brainlake.lake.folding import compact
from brainlake.lake.forgetting import forget
from brainlake.lake.snapshots import snapshot_time
from brainlake.lake.usage import usage
from brainlake.lake.writer import write_user_table

TRAINS, LAYERS = "ecephys.spike_trains", "ecephys.unit_layers"
NOW = datetime(2026, 6, 30, 12, tzinfo=UTC)
COUNT = f"select count(*) as n from {TRAINS}"
NONE = timedelta(0)


@pytest.fixture
def catalog(tmp_path, engine):
    """Snapshot n (1 to 5) holds n units of session 7: each ingest replaces the one before, a day later."""
    catalog = Catalog.create(tmp_path / "lake")
    for n in range(1, 6):
        engine.ingest(catalog, "session/7", {TRAINS: engine.trains(7, list(range(n))), LAYERS: {"unit_id": [n]}})
    with catalog.writing() as database:
        for n in range(6):
            moment = snapshot_time(NOW - timedelta(days=5 - n))
            database.execute("update ducklake_snapshot set snapshot_time = ? where snapshot_id = ?", [moment, n])
    return catalog


def kept(catalog: Catalog) -> list[int]:
    return catalog.snapshots()["snapshot_id"].to_pylist()


def on_disk(catalog: Catalog) -> int:
    return sum(1 for _ in (catalog.root / "data").rglob("*.parquet"))


@pytest.mark.parametrize(
    ("keep", "stay"),
    [
        ("1 snapshot", [5]),
        ("3 snapshots", [3, 4, 5]),
        ("99 snapshots", [0, 1, 2, 3, 4, 5]),
        ("36h", [3, 4, 5]),  # 1.5 days ago the lake was at snapshot 3
        ("2d", [3, 4, 5]),
        ("1w", [0, 1, 2, 3, 4, 5]),
        ("0d", [5]),
        ("100000000w", [0, 1, 2, 3, 4, 5]),
        ("2026-06-29", [3, 4, 5]),
        ("2026-06-29 12:00:00+00:00", [4, 5]),
        ("2030-01-01", [5]),
    ],
)
def test_what_can_be_looked_back_at_stays(catalog, keep, stay):
    done = expire(catalog, keep, now=NOW)
    assert kept(catalog) == stay
    assert sorted([*done.snapshots, *stay]) == list(range(6))


@pytest.mark.parametrize("keep", ["", "30", "d", "0 snapshots", "-3d", "soon"])
def test_a_keep_that_means_nothing_is_refused(catalog, keep):
    with pytest.raises(CatalogError, match="--keep"):
        expire(catalog, keep, now=NOW)
    assert kept(catalog) == [0, 1, 2, 3, 4, 5]


def test_tagged_snapshots_stay_all_or_those_named(catalog):
    catalog.tag("submitted", 2)
    catalog.tag("draft", 3)
    assert expire(catalog, "1 snapshot", now=NOW, dry_run=True).tags == ()
    with pytest.raises(UnknownError, match="draft, submitted"):
        expire(catalog, "1 snapshot", ["nothing"], now=NOW)
    done = expire(catalog, "1 snapshot", ["submitted"], now=NOW)
    assert (done.snapshots, done.tags, kept(catalog)) == ((0, 1, 3, 4), ("draft",), [2, 5])
    assert catalog.resolve("submitted") == 2
    with pytest.raises(UnknownError, match="draft"):
        catalog.resolve("draft")


def test_a_snapshot_whose_name_is_deleted_or_moves_is_given_up_as_others_are(catalog):
    assert catalog.tag("submitted", 2) is None
    assert catalog.tag("draft", 3) is None
    assert catalog.tag("draft", 4) == 3  # it moves
    assert catalog.untag("submitted") == 2
    with pytest.raises(UnknownError, match=r"there is no tag 'submitted': draft$"):
        catalog.untag("submitted")
    assert catalog.resolve(2) == 2  # until it expires
    assert expire(catalog, "1 snapshot", now=NOW).snapshots == (0, 1, 2, 3)
    assert kept(catalog) == [4, 5]
    assert catalog.snapshots()["tags"].to_pylist() == ["draft", None]


def test_a_dry_run_tells_and_changes_nothing(catalog):
    before = (catalog.root / "catalog.sqlite").read_bytes()
    done = expire(catalog, "1 snapshot", grace=NONE, now=NOW, dry_run=True)
    assert (done.snapshots, done.kept, done.removed_files) == ((0, 1, 2, 3, 4), 1, 8)
    assert done.removed_bytes == sum(
        row["size_bytes"] for row in usage(catalog).to_pylist() if row["state"] == "retired"
    )
    assert (catalog.root / "catalog.sqlite").read_bytes() == before
    assert on_disk(catalog) == 10


def test_who_holds_an_expired_snapshot_reads_on_until_the_grace_is_over(catalog):
    with brainlake.open(catalog.root, 2) as held:
        expire(catalog, "1 snapshot", now=NOW)
        assert held.sql(COUNT).one().n == 2
        assert held.sql("select n_rows from lake.ingests").one().n_rows == 3
        assert held.sql("select count(*) as n from lake.files").one().n == 2
        for at in (2, "2026-06-27 13:00:00+00:00"):
            with pytest.raises(SnapshotExpired, match="no longer kept"):
                brainlake.open(catalog.root, at)
        with pytest.raises(SnapshotExpired):
            held.tag("late")
        assert expire(catalog, now=NOW + timedelta(hours=23)).removed_files == 0
        assert held.sql(COUNT).one().n == 2
        assert expire(catalog, now=NOW + timedelta(hours=25)).removed_files == 8
        for query in (COUNT, "from lake.parts"):
            with pytest.raises(SnapshotExpired, match="snapshot 2 is no longer kept: open the lake again"):
                held.sql(query).arrow()
        held.refresh()
        assert held.sql(COUNT).one().n == 5
    assert on_disk(catalog) == 2


def test_a_file_that_vanishes_while_it_is_read_is_told_as_expired_and_else_as_damage(catalog):
    with brainlake.open(catalog.root, 2) as held, brainlake.open(catalog.root) as newest:
        asked, live = held.sql(COUNT), newest.sql(COUNT)
        expire(catalog, "1 snapshot", grace=NONE, now=NOW)
        with pytest.raises(SnapshotExpired):
            asked.one()
        for file in catalog.state().tables[TRAINS].files:
            (catalog.root / file.path).unlink()
        with pytest.raises(brainlake.BrainlakeError, match="brainlake check"):
            live.one()


def test_a_time_in_a_gap_of_expired_snapshots_is_not_answered_from_an_earlier_one(catalog):
    catalog.tag("first", 1)
    expire(catalog, "2 snapshots", grace=NONE, now=NOW)
    assert kept(catalog) == [1, 4, 5]
    assert catalog.resolve(NOW - timedelta(days=1)) == 4
    for days in (0.5, 0):
        assert catalog.resolve(NOW - timedelta(days=days)) == (4 if days else 5)
    for days in (2, 3.5, 5, 6):
        with pytest.raises(SnapshotExpired, match="no longer kept"):
            catalog.resolve(NOW - timedelta(days=days))


def test_nothing_that_a_kept_snapshot_needs_is_removed(catalog, engine):
    """Folded files, a forgotten subject, a user's dropped table: each read at every kept snapshot."""
    for n in range(10, 14):
        engine.ingest(catalog, f"session/{n}", {TRAINS: engine.trains(n, [n]), LAYERS: {"unit_id": [n]}})
    write_user_table(catalog, "lab.labels", brainlake.lake.frames.as_arrow({"x": [1, 2]}), ["x"])
    labelled = catalog.latest()
    compact(catalog)
    forget(catalog, "session/11")
    forget(catalog, "table/lab.labels")
    forgotten = catalog.latest()
    catalog.tag("labelled", labelled)

    def read(snapshot: int) -> list[object]:
        with brainlake.open(catalog.root, snapshot) as lake:
            tables = [TRAINS, LAYERS, "lake.ingests", "lake.parts", "lake.files", "lake.holdings"]
            tables += ["lab.labels"] if snapshot == labelled else []
            return [lake.sql(f"select * from {t} order by all").arrow() for t in tables]

    before = {n: read(n) for n in (labelled, forgotten)}
    expire(catalog, "1 snapshot", grace=NONE)
    assert kept(catalog) == [labelled, forgotten]
    assert {n: read(n) for n in (labelled, forgotten)} == before
    assert check(catalog, deep=True) == []
    expire(catalog, "1 snapshot", ["labelled"], grace=NONE)
    assert read(forgotten) == before[forgotten]
    assert check(catalog, deep=True) == []


def test_the_catalogue_stays_in_proportion_to_what_is_live(catalog, engine):
    """Rows of every table after 90 replacements are as many as before them."""

    def rows() -> dict[str, int]:
        with catalog.reading() as database:
            names = [n for (n,) in database.execute("select name from sqlite_master where type = 'table'")]
            return {n: database.execute(f"select count(*) from {n}").fetchone()[0] for n in names}

    expire(catalog, "1 snapshot", grace=NONE, now=NOW)
    before, size = rows(), (catalog.root / "catalog.sqlite").stat().st_size
    for n in range(90):
        engine.ingest(catalog, "session/7", {TRAINS: engine.trains(7, [1, 2]), LAYERS: {"unit_id": [1]}})
        write_user_table(catalog, "lab.labels", brainlake.lake.frames.as_arrow({f"x{n}": [1]}))
    forget(catalog, "table/lab.labels")
    assert (catalog.root / "catalog.sqlite").stat().st_size > 1.6 * size
    expire(catalog, "1 snapshot", grace=NONE)
    after = rows()
    assert after.pop("ducklake_schema") == before.pop("ducklake_schema") + 1  # lab
    assert after == before
    assert (catalog.root / "catalog.sqlite").stat().st_size <= 1.2 * size
    assert on_disk(catalog) == 2


def test_killed_after_the_commit_the_next_run_removes_the_files(catalog):
    script = """
import os, sys
from pathlib import Path
from datetime import timedelta
from brainlake.lake import expiring
from brainlake.lake.catalog import Catalog
removed = []
def unlink(path, missing_ok=False):
    if len(removed) == 3:
        os.kill(os.getpid(), 9)
    removed.append(path)
    os.unlink(path)
Path.unlink = unlink
expiring.expire(Catalog.open(sys.argv[1]), "1 snapshot", grace=timedelta(0))
"""
    assert subprocess.run([sys.executable, "-c", script, catalog.root], check=False).returncode == -9
    assert on_disk(catalog) == 7
    assert check(catalog) == []  # known: on their way out
    states = {row["state"]: row["n_files"] for row in usage(catalog).to_pylist()}
    assert (states["live"], states["expired"]) == (2, 5)
    expire(catalog)
    assert on_disk(catalog) == 2
    assert check(catalog, deep=True) == []


def test_empty_folders_of_partitions_go_too(catalog, engine):
    forget(catalog, "session/7")
    assert (catalog.root / "data/ecephys/spike_trains/session_id=7").is_dir()
    expire(catalog, "1 snapshot", grace=NONE)
    assert not (catalog.root / "data/ecephys/spike_trains/session_id=7").exists()
    engine.ingest(catalog, "session/7", {TRAINS: engine.trains(7, [1])})
    assert check(catalog, deep=True) == []


def test_programs_that_know_ducklake_read_what_stays(catalog):
    pdl = pytest.importorskip("polars_ducklake")
    catalog.tag("third", 3)
    expire(catalog, "1 snapshot", grace=NONE)
    where = {"data_path": f"{catalog.root}/data/"}
    url = f"sqlite:///{catalog.root}/catalog.sqlite"
    assert pdl.scan_ducklake(url, TRAINS, **where).collect().height == 5
    assert pdl.scan_ducklake(url, TRAINS, snapshot_id=3, **where).collect().height == 3


OFFICIAL = """
import duckdb, glob, os, sys, duckdb_extension_ducklake, duckdb_extension_sqlite_scanner
root = sys.argv[1]
con = duckdb.connect()
for package in (duckdb_extension_sqlite_scanner, duckdb_extension_ducklake):
    (path,) = glob.glob(os.path.dirname(package.__file__) + f"/extensions/v{duckdb.__version__}/*.duckdb_extension")
    con.execute(f"install '{path}'")
    con.execute(f"load {os.path.basename(path).partition('.')[0]}")
con.execute(f"attach 'ducklake:sqlite:{root}/catalog.sqlite' as lake "
            f"(read_only, data_path '{root}/data/', override_data_path true)")
for query in ("select count(*) from lake.ecephys.spike_trains",
              "select count(*) from lake.ecephys.spike_trains at (version => 3)",
              "select count(*) from lake.snapshots()"):
    print(con.execute(query).fetchone()[0])
"""


def test_duckdbs_own_extension_reads_what_stays(catalog):
    python = os.environ.get("BRAINLAKE_DUCKLAKE_PYTHON")
    if not python:
        pytest.skip("set BRAINLAKE_DUCKLAKE_PYTHON to an interpreter with duckdb 1.5.5 and its ducklake extension")
    catalog.tag("third", 3)
    expire(catalog, "1 snapshot", grace=NONE)
    done = subprocess.run([python, "-c", OFFICIAL, catalog.root], capture_output=True, text=True, timeout=120)
    assert done.stdout.split() == ["5", "3", "2"], done.stderr


def walked(root: Path) -> int:
    return sum(path.lstat().st_size for path in root.rglob("*") if not path.is_dir())


@pytest.mark.parametrize("by", [None, "schema", "table", "part", "subject"])
def test_what_takes_the_room_sums_up_to_what_is_there(catalog, engine, by):
    for n in range(10, 13):
        engine.ingest(catalog, f"session/{n}", {TRAINS: engine.trains(n, [n]), LAYERS: {"unit_id": [n]}})
    compact(catalog)
    expire(catalog, "2 snapshots", now=NOW + timedelta(days=1))
    (catalog.root / "data" / "stray.parquet").write_bytes(b"1234")
    (catalog.root / "raw" / "x").mkdir()
    (catalog.root / "raw" / "x" / "session.nwb").write_bytes(b"12345")
    (catalog.root / "notes.txt").write_bytes(b"123456")
    rows = usage(catalog, by).to_pylist()
    assert sum(row["size_bytes"] for row in rows) == walked(catalog.root)
    assert sum(row["n_files"] for row in rows) == sum(1 for p in catalog.root.rglob("*") if not p.is_dir())
    by_state: dict[str, int] = {}
    for row in rows:
        by_state[row["state"]] = by_state.get(row["state"], 0) + row["size_bytes"]
    assert (by_state["orphan"], by_state["raw"], by_state["other"]) == (4, 5, 6)
    live = catalog.state().tables
    assert by_state["live"] == sum(file.size_bytes for table in live.values() for file in table.files)
    if by == "subject":
        assert {r["name"] for r in rows if r["state"] == "live"} == {
            "session/7",
            *(f"session/{n}" for n in (10, 11, 12)),
        }
    if by == "part":
        assert {r["name"] for r in rows if r["state"] == "live"} == {"spikes", "unit_layers"}


def test_the_commands_expire_and_tell_the_room(catalog, capsys):
    where = ["--lake", str(catalog.root)]
    assert run([*where, "expire", "--keep", "1 snapshot", "--dry-run"]) == 0
    assert "5 snapshots would be expired, 1 kept" in capsys.readouterr().out
    assert run([*where, "expire", "--keep", "1 snapshot"]) == 0
    out = capsys.readouterr().out
    assert "0 files removed" in out
    assert "8 files" in out
    assert "24 h" in out
    assert run([*where, "du", "--by", "table", "--format", "csv"]) == 0
    out = capsys.readouterr().out
    assert f'"live","{TRAINS}",1,' in out
    assert f'"expired","{TRAINS}",4,' in out
    assert run([*where, "expire", "--grace", "0"]) == 0
    assert "8 files removed" in capsys.readouterr().out
    assert run([*where, "--at", "2", "sql", COUNT]) == 1
    assert "snapshot 2 is no longer kept" in capsys.readouterr().err


def test_a_view_first_asked_when_its_snapshot_is_gone_says_so(catalog):
    with brainlake.open(catalog.root, 2) as held:
        expire(catalog, "1 snapshot", grace=NONE, now=NOW)
        for query in ("from ecephys.unit_spike_trains", "from ecephys.spike_counts('a', 'b')"):
            with pytest.raises(SnapshotExpired if "trains" in query else brainlake.BrainlakeError):
                held.sql(query).arrow()
