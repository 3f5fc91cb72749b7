"""Older lakes are brought to today's format, whole or not at all, and answer as they did."""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import sys
from pathlib import Path

import brainlake
import pytest
from brainlake.lake import ducklake
from brainlake.lake.catalog import Catalog
from brainlake.lake.cli import run
from brainlake.lake.errors import CatalogError
from brainlake.lake.upgrading import upgrade
from brainlake.tests.fixtures.first_format import make_first_format

DEPTHS = "select unit_id, cortical_depth, cortical_layer from ecephys.unit_layers order by unit_id"
NOW, THEN = [(1, 0.1, 1), (2, 0.55, 5)], [(1, 0.1, 1), (2, 0.5, 4), (3, 0.9, 6)]  # as the fixture wrote them


@pytest.fixture
def old(tmp_path: Path) -> Path:
    return make_first_format(tmp_path / "lake")


def schema_of(path: Path) -> dict[str, str]:
    """Tables and their columns, as SQLite understands them."""
    with sqlite3.connect(path) as database:
        names = [name for (name,) in database.execute("select name from sqlite_master where type = 'table'")]
        columns = {
            n: database.execute(f"select name, type, [notnull], pk from pragma_table_info('{n}')") for n in names
        }
        return {name: str(found.fetchall()) for name, found in columns.items()}


def test_the_first_format_is_refused_with_the_command_that_mends_it(old, capsys):
    with pytest.raises(CatalogError, match=r"has format 1.*`brainlake --lake .* upgrade` brings it there$"):
        brainlake.open(old)
    assert run(["--lake", str(old), "sql", "select 1"]) == 1
    assert capsys.readouterr().err.count("\n") == 1


def test_the_first_format_answers_after_an_upgrade_as_before(old, capsys):
    assert run(["--lake", str(old), "upgrade"]) == 0
    assert f"from format 1 to {ducklake.FORMAT_VERSION}" in capsys.readouterr().out
    with brainlake.open(old) as lake:
        assert lake.sql(DEPTHS).pl().rows() == NOW
        assert lake.at(1).sql(DEPTHS).pl().rows() == THEN
        assert lake.at("submitted").sql(DEPTHS).pl().rows() == THEN
        (ingest,) = lake.sql("from lake.ingests").pl().to_dicts()
        assert (ingest["ingest_id"], ingest["author"], ingest["source_url"]) == (102, "ada", "/data/layer_info_2.csv")
        assert lake.sql("select part, state, n_rows from lake.parts").pl().rows() == [("unit_layers", "present", 2)]
        assert [f for f in lake.check() if f.kind != "stale"] == []
        assert [f for f in lake.check(deep=True) if f.kind == "damage"] == []


def test_what_is_known_of_collections_is_told_of_ingests_of_before(old):
    upgrade(old)
    with brainlake.open(old) as lake:
        assert "10.1038/s41586-020-03171-x" in lake.sql(DEPTHS).cite()
        assert lake.sql("select doi from lake.ingests").one().doi == "10.1038/s41586-020-03171-x"


def test_an_upgraded_catalogue_is_like_a_new_one(old, tmp_path):
    upgrade(old)
    Catalog.create(tmp_path / "new").close()
    upgraded, new = schema_of(old / "catalog.sqlite"), schema_of(tmp_path / "new" / "catalog.sqlite")
    assert upgraded.keys() == new.keys()
    differing = {name for name in new if upgraded[name] != new[name]}
    assert differing <= {"brainlake_attachment"}  # its column `part` has a default there, for rows of before


def test_an_upgraded_lake_takes_commits(old):
    upgrade(old)
    with brainlake.open(old) as lake:
        lake.write("lab.labels", {"unit_id": [1], "label": ["good"]}, key="unit_id")
        lake.forget("ecephys.project/unit_layers")
        assert lake.sql(DEPTHS).pl().rows() == []
        assert lake.at("submitted").sql(DEPTHS).pl().rows() == THEN


def test_the_catalogue_of_before_is_kept(old):
    before = (old / "catalog.sqlite").read_bytes()
    done = upgrade(old)
    assert done.kept is not None
    shutil.copy(done.kept, old / "catalog.sqlite")  # back to where it was, with the software of then
    with sqlite3.connect(done.kept) as kept, sqlite3.connect(":memory:") as memory:
        memory.deserialize(before)
        assert list(kept.iterdump()) == list(memory.iterdump())


def test_a_second_upgrade_has_nothing_to_do(old):
    upgrade(old)
    again = upgrade(old)
    assert (again.kept, again.line) == (None, f"{old} has format {ducklake.FORMAT_VERSION}, which is the newest")


@pytest.mark.parametrize("step", range(1, 6))
def test_an_upgrade_that_fails_leaves_the_lake_as_it_was(old, step, monkeypatch):
    """At any of its statements: here the catalogue has one that is none, after so many that are."""
    statements = [s for s in ducklake.UPGRADES[1].split(";") if s.strip()]
    monkeypatch.setitem(ducklake.UPGRADES, 1, ";".join([*statements[:step], "select nothing from nowhere"]))
    before = (old / "catalog.sqlite").read_bytes()
    with pytest.raises(CatalogError):
        upgrade(old)
    assert (old / "catalog.sqlite").read_bytes() == before
    assert not list(old.glob("*-journal"))


def test_an_upgrade_killed_in_its_middle_has_not_happened(old):
    program = f"""
import os, brainlake.lake.upgrading as u
u._tell_collections = lambda database: os.kill(os.getpid(), 9)
u.upgrade({str(old)!r})
"""
    assert subprocess.run([sys.executable, "-c", program]).returncode == -9
    with pytest.raises(CatalogError, match="has format 1"):
        brainlake.open(old)
    upgrade(old)
    with brainlake.open(old) as lake:
        assert lake.sql(DEPTHS).pl().rows() == NOW


def test_a_lake_somebody_writes_to_is_not_upgraded(old):
    from brainlake.lake.writer import writers_lock

    with writers_lock(old), pytest.raises(CatalogError, match="others are writing"):
        upgrade(old)


def test_a_newer_format_is_refused_clearly(tmp_path):
    Catalog.create(tmp_path / "lake").close()
    with sqlite3.connect(tmp_path / "lake" / "catalog.sqlite") as database:
        database.execute("update brainlake_metadata set value = '99' where key = 'format_version'")
    for asked in (brainlake.open, upgrade):
        with pytest.raises(CatalogError, match=r"has format 99, .* knows up to \d+: upgrade brainlake to open it"):
            asked(tmp_path / "lake")


def test_a_lake_that_cannot_be_written_says_where_an_upgrade_can(old, monkeypatch):
    monkeypatch.setattr("brainlake.lake.catalog_file._is_writable", lambda root: False)
    with pytest.raises(CatalogError, match="upgrade` brings it there where it can be written"):
        brainlake.open(old)
    with pytest.raises(CatalogError, match="cannot be written"):
        upgrade(old)


def test_every_format_has_a_way_to_the_next():
    assert set(ducklake.UPGRADES) == set(range(1, ducklake.FORMAT_VERSION))
