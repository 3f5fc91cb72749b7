"""Damage is found, named with what brings it back, and mended by just that."""

from __future__ import annotations

import contextlib
import hashlib
import os
import re
import shlex
from datetime import timedelta
from pathlib import Path

import brainlake
import pyarrow as pa
import pytest
from brainlake.lake.catalog import Catalog
from brainlake.lake.checking import check
from brainlake.lake.cli import run
from brainlake.lake.commit import committing
from brainlake.lake.expiring import expire
from brainlake.lake.folding import all_to_fold, compact
from brainlake.lake.forgetting import forget
from brainlake.lake.mending import drop_damaged
from brainlake.lake.publishing import publish
from brainlake.lake.records import LiveFile, WrittenFile, live_files, spec_of
from brainlake.lake.sealing import seal
from brainlake.lake.writer import write_user_table

TRAINS, LAYERS = "ecephys.spike_trains", "ecephys.unit_layers"


@pytest.fixture
def catalog(tmp_path, engine):
    """Two sessions with trains; their layers in one folded file; a user's table."""
    catalog = Catalog.create(tmp_path / "lake")
    for n in (7, 8):
        rows = {TRAINS: engine.trains(n, [n, n + 100]), LAYERS: {"unit_id": [n], "cortical_layer": [5]}}
        engine.ingest(catalog, f"ecephys.session/{n}", rows)
    compact(catalog)
    write_user_table(catalog, "lab.labels", pa.table({"x": [1, 2], "label": ["a", "b"]}), ["x"])
    return catalog


def path_of(catalog: Catalog, table: str, n: int = 0) -> Path:
    return catalog.root / catalog.state().tables[table].files[n].path


def flip(path: Path, at: int) -> None:
    """Change one byte, and nothing that the file system tells."""
    times = path.stat()
    os.chmod(path, 0o644)
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)
    os.chmod(path, 0o444)
    os.utime(path, ns=(times.st_atime_ns, times.st_mtime_ns))


@pytest.mark.parametrize("share", [0.0, 0.1, 0.4, 0.7, 0.95, 1.0])
def test_any_changed_byte_is_found_by_a_deep_check(catalog, share):
    path = path_of(catalog, TRAINS)
    flip(path, int(share * (path.stat().st_size - 1)))
    (found,) = check(catalog, deep=True)
    assert found.kind == "damage"
    assert found.what.startswith(path.relative_to(catalog.root).as_posix())
    assert "brainlake ingest ecephys.session/7.nwb --only spikes,units" in found.remedy


def test_without_a_digest_every_row_is_read(catalog):
    """Files written before digests were kept."""
    with catalog.writing() as database:
        database.execute("update brainlake_file set sha256 = null")
    assert check(catalog, deep=True) == []
    path = path_of(catalog, TRAINS)
    for at in range(4, 12):
        flip(path, at)
    (found,) = check(catalog, deep=True)
    assert "cannot be read" in found.what


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ("update ducklake_file_column_stats set max_value = '9' where column_id = 3 and max_value = '107'",
         "other statistics of unit_id"),
        ("update ducklake_file_column_stats set null_count = 1 where column_id = 3", "other statistics of unit_id"),
        ("update ducklake_data_file set record_count = 3 where record_count = 2 and partition_id is not null",
         "2 rows instead of 3"),
        ("update brainlake_file set partition_value = 9 where partition_value = 7", "rows of another session_id than 9"),
        ("update brainlake_file_ingest set n_rows = 3 where n_rows = 2", "not shared out among ingests"),
        ("update ducklake_table_stats set record_count = 77", "another number of rows than its files"),
        ("update brainlake_ingest set end_snapshot = 3 where subject = 'ecephys.session/7'", "no live ingest"),
        ("update brainlake_ingest set subject = 'ecephys.session/7' where role = 'session_nwb'", "live in two ingests"),
        ("update brainlake_stored_schema set arrow_schema = (select arrow_schema from brainlake_stored_schema limit 1)",
         "other columns than its table"),
    ],
)  # fmt: skip
def test_a_catalogue_that_says_otherwise_than_the_rows_is_found(catalog, statement, says):
    assert check(catalog, deep=True) == []
    with catalog.writing() as database:
        assert database.execute(statement).rowcount
    assert any(says in finding.what for finding in check(catalog, deep=True)), check(catalog, deep=True)


def test_a_key_that_two_live_rows_hold_is_found(catalog):
    """As if the check at commit had failed: the same file made live twice."""
    with catalog.reading() as database:
        (file,) = live_files(database, LAYERS)
        spec = spec_of(database, file)
    again = path_of(catalog, LAYERS).with_name("again.parquet")
    again.write_bytes(path_of(catalog, LAYERS).read_bytes())
    with committing(catalog, None, "doubled") as commit:
        commit.add_file(spec, WrittenFile(again.name, 2, *seal(again), file.ingests))
    (found,) = check(catalog, deep=True)
    assert re.search(r"ecephys.unit_layers holds unit_id [78] twice", found.what)


def test_what_only_the_past_needs_is_told_apart(catalog):
    path = path_of(catalog, TRAINS)
    forget(catalog, "ecephys.session/7")
    path.unlink()
    (found,) = check(catalog)
    assert "brainlake expire" in found.remedy
    assert drop_damaged(catalog) is None
    expire(catalog, "1 snapshot", grace=timedelta(0))
    assert check(catalog, deep=True) == []


def test_whole_ingests_go_with_a_damaged_file_and_others_stay(catalog):
    flip(path_of(catalog, TRAINS), 100)
    assert drop_damaged(catalog) is None  # a shallow look does not see it
    done = drop_damaged(catalog, deep=True)
    assert done is not None
    assert [item.subject for item in done.items] == ["ecephys.session/7"]
    assert {i.subject for i in catalog.live_ingests()} == {"ecephys.session/8", "table/lab.labels"}
    (failure,) = catalog.state().relations["lake.failures"]().to_pylist()
    assert (failure["source_url"], failure["error"]) == (
        "ecephys.session/7.nwb", "its rows were damaged and taken out",
    )  # fmt: skip
    with brainlake.open(catalog.root) as lake:
        assert lake.sql(f"select unit_id from {LAYERS}").to_numpy().tolist() == [8]
    assert [finding.kind for finding in check(catalog)] == []


def test_a_damaged_folded_file_takes_all_its_ingests_with_it(catalog):
    path_of(catalog, LAYERS).unlink()
    path_of(catalog, "lab.labels").unlink()
    done = drop_damaged(catalog)
    assert done is not None
    assert len(done.items) == 3
    assert catalog.live_ingests() == []
    assert "lab.labels" not in catalog.state().tables
    assert all("brainlake expire" in finding.remedy for finding in check(catalog, deep=True))


def test_the_line_that_is_told_brings_back_what_was_damaged(tmp_path, capsys):
    file = tmp_path / "layer_info.csv"
    file.write_text("ecephys_unit_id,cortical_depth,cortical_layer\n950911932,0.5,4\n950911986,0.6,5\n")
    root = tmp_path / "lake"
    where = ["--lake", str(root)]
    brainlake.create(root).close()
    assert run([*where, "ingest", str(file)]) == 0
    with brainlake.open(root) as lake:
        before = lake.sql(f"select * exclude (ingest_id) from {LAYERS} order by all").arrow()
        path = root / lake.catalog.state().tables[LAYERS].files[0].path
    flip(path, 60)
    assert run([*where, "check"]) == 0
    capsys.readouterr()
    assert run([*where, "check", "--deep"]) == 2
    told = re.search(
        r"`(brainlake check --drop-damaged)`, then (brainlake ingest \S+ --only \S+?)\)", capsys.readouterr().out
    )
    assert told
    assert run([*where, *shlex.split(told[1])[1:], "--deep"]) == 2  # the past is damaged still
    assert run([*where, *shlex.split(told[2])[1:]]) == 0
    with brainlake.open(root) as lake:
        assert lake.sql(f"select * exclude (ingest_id) from {LAYERS} order by all").arrow().equals(before)
    assert run([*where, "expire", "--keep", "1 snapshot", "--grace", "0"]) == 0
    capsys.readouterr()
    assert run([*where, "check", "--deep"]) == 0
    assert capsys.readouterr().out == "all is well\n"


def test_a_published_lake_is_checked_against_its_manifest(catalog, tmp_path):
    publish(catalog, tmp_path / "published")
    with contextlib.closing(Catalog.open(tmp_path / "published")) as published:
        assert check(published, deep=True) == []
        readme = next(path for path in published.root.iterdir() if path.name.startswith("README"))
        flip(readme, 10)
        flip(path_of(published, TRAINS), 10)
        assert check(published) == []
        found = sorted((finding.kind, finding.path) for finding in check(published, deep=True))
        data = path_of(published, TRAINS).relative_to(published.root).as_posix()
        assert found == [("damage", readme.name), ("damage", data)]


def test_a_download_that_is_not_what_was_ingested_is_found(catalog, engine):
    kept = catalog.root / "raw" / "api" / "answer.json"
    kept.parent.mkdir()
    kept.write_bytes(b"[1, 2, 3]")
    digest = hashlib.sha256(b"[1, 2, 3]").hexdigest()
    engine.ingest(catalog, "x", {LAYERS: {"unit_id": [1]}}, source_url=str(kept), source_size=9, source_sha256=digest)
    assert check(catalog, deep=True) == []
    flip(kept, 3)
    (found,) = check(catalog, deep=True)
    assert (found.kind, found.what.split(" ")[0]) == ("raw", "raw/api/answer.json")
    kept.unlink()
    assert check(catalog, deep=True) == []


def test_compaction_tells_its_gain_and_fits_into_memory(catalog, engine, capsys):
    for n in range(20, 24):
        engine.ingest(catalog, f"ecephys.session/{n}", {LAYERS: {"unit_id": [n]}})
    assert run(["--lake", str(catalog.root), "compact", LAYERS]) == 0
    assert "folded ecephys.unit_layers: 5 files to 1," in capsys.readouterr().out
    assert run(["--lake", str(catalog.root), "compact", LAYERS]) == 0
    assert capsys.readouterr().out == "nothing to fold\n"
    assert run(["--lake", str(catalog.root), "compact", "ecephys.nothing"]) == 1
    assert "there is no small table ecephys.nothing" in capsys.readouterr().err
    assert check(catalog, deep=True) == []


def test_files_are_folded_in_groups_that_fit_into_memory():
    def file(number: int, rows: int, size: int = 1) -> LiveFile:
        return LiveFile(number, 1, LAYERS, "", rows, size, None, "")

    files = [
        file(0, 400_000),
        file(1, 2_000_000),
        *(file(n, 300_000) for n in range(2, 8)),
        file(9, 1, 60 << 20),
        file(10, 2, 60 << 20),
    ]
    groups = all_to_fold(files)
    assert sorted(f.data_file_id for group in groups for f in group) == [2, 3, 4, 5, 6, 7, 10]
    assert all(sum(f.n_rows for f in group) <= 1_000_000 for group in groups)
    assert all(sum(f.size_bytes for f in group) <= 64 << 20 for group in groups)
