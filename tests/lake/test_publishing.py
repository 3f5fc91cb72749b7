"""A published lake: frozen, the same anywhere, checked by anybody's tools, and citable."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

import bagit
import bibtexparser
import brainlake
import polars as pl
import pytest
from brainlake.lake.cli import run
from brainlake.lake.errors import CatalogError
from brainlake.tests.fixtures.allen_ecephys import make_session

SESSION = 715093703
QUESTIONS = (
    "select unit_id, snr, firing_rate from ecephys.good_units order by all",
    "select unit_id, count(*) as n from ecephys.spikes group by all order by all",
    "select * from ecephys.stimulus_presentations order by all",
    "from lab.labels order by all",
    "select path, neurodata_type from nwb.objects order by all",
)
NOBODY = 65534


@pytest.fixture(scope="module")
def source(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("published")
    make_session(folder / "session.nwb", session_id=SESSION, n_spikes=1_000)
    with brainlake.create(folder / "lake") as lake:
        lake.ingest(folder / "session.nwb").raise_failed()
        lake.write("lab.labels", pl.DataFrame({"unit_id": [1], "label": ["old"]}), key="unit_id")
        lake.write("lab.labels", pl.DataFrame({"unit_id": [1], "label": ["good"]}), key="unit_id")
    return folder / "lake"


@pytest.fixture(scope="module")
def published(source: Path) -> Iterator[Path]:
    """In a place that other users can reach, unlike pytest's own."""
    with tempfile.TemporaryDirectory(prefix="brainlake-test-") as folder:
        os.chmod(folder, 0o755)
        with brainlake.open(source) as lake:
            lake.publish(Path(folder) / "frozen", title="Lake of tests")
        yield Path(folder) / "frozen"


@pytest.fixture
def answers(source: Path) -> list[list[dict]]:
    with brainlake.open(source) as lake:
        return [lake.sql(question).pl().to_dicts() for question in QUESTIONS]


def asked(root: Path, *, user: int | None = None) -> list[list[dict]]:
    """The answers of a process of its own, as another user where one is named, and that it cannot write.

    That user may not be able to read this Python: so everything is loaded before.
    """
    program = f"""
import json, os, brainlake

def ask():
    with brainlake.open({str(root)!r}) as lake:
        for what in (
            lambda: lake.write("lab.more", {{"x": [1]}}), lambda: lake.tag("mine"), lambda: lake.forget("table/lab.labels")
        ):
            try:
                what()
            except brainlake.lake.errors.CatalogError as error:
                assert str(error).count("\\n") == 0, error
            else:
                raise SystemExit("it was written to")
        return [lake.sql(q).pl().to_dicts() for q in {QUESTIONS!r}]

answers = ask()
if {user!r} is not None:
    os.setgroups([])
    os.setgid({user!r})
    os.setuid({user!r})
    answers = ask()
print(json.dumps(answers, default=str))
"""
    environment = {"PATH": os.environ["PATH"], "HOME": "/nonexistent", "NUMBA_DISABLE_JIT": "1"}
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, env=environment, cwd="/")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def same(answers: list[list[dict]], others: list[list[dict]]) -> bool:
    return json.dumps(answers, default=str) == json.dumps(others, default=str)


def test_a_published_lake_answers_alike_and_has_one_snapshot(published, answers):
    assert same(asked(published), answers)
    with brainlake.open(published) as lake:
        assert lake.snapshots().pl().height == 1
        assert lake.check(deep=True) == []
        assert "old" not in lake.sql("from lab.labels").pl()["label"]


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can become another user")
def test_it_opens_for_a_user_who_cannot_write(published, answers):
    assert same(asked(published, user=NOBODY), answers)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_it_opens_from_a_read_only_mount(published, answers, tmp_path):
    mount = tmp_path / "mount"
    mount.mkdir()
    if subprocess.run(["mount", "--bind", str(published), str(mount)], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        if subprocess.run(["mount", "-o", "remount,ro,bind", str(mount)], capture_output=True).returncode:
            pytest.skip("this machine lets nobody mount for reading only")
        with pytest.raises(OSError, match="Read-only"):
            (mount / "x").write_text("x")
        assert same(asked(mount), answers)
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def test_any_lake_opens_from_a_read_only_mount(source, answers, tmp_path):
    """Published or not: its catalogue needs no file beside it."""
    if os.geteuid() != 0:
        pytest.skip("only root can mount")
    mount = tmp_path / "mount"
    mount.mkdir()
    if subprocess.run(["mount", "--bind", str(source), str(mount)], capture_output=True).returncode:
        pytest.skip("this machine lets nobody mount")
    try:
        if subprocess.run(["mount", "-o", "remount,ro,bind", str(mount)], capture_output=True).returncode:
            pytest.skip("this machine lets nobody mount for reading only")
        assert same(asked(mount), answers)
    finally:
        subprocess.run(["umount", str(mount)], check=True)


def test_every_way_to_write_is_refused_in_one_sentence(published, capsys, tmp_path):
    labels = tmp_path / "labels.csv"
    labels.write_text("unit_id,label\n1,a\n")
    for command in (
        ["write", str(labels), "--as", "lab.more"], ["tag", "mine"], ["tag", "--delete", "mine"], ["ingest", str(labels)], ["forget", "table/lab.labels"],
        ["check", "--repair"], ["materialize", "ecephys.stimulus_epochs"], ["expire", "--keep", "1 snapshots"],
    ):  # fmt: skip
        before = (published / "catalog.sqlite").read_bytes()
        assert run(["--lake", str(published), *command]) == 1, command
        told = capsys.readouterr().err
        assert told.count("\n") == 1
        assert "was published on" in told
        assert (published / "catalog.sqlite").read_bytes() == before


def test_it_is_a_bag_to_who_knows_bags(published):
    bag = bagit.Bag(str(published))
    assert bag.validate()
    assert bag.info["External-Description"] == "Lake of tests"
    assert set(bag.payload_files()) == {
        p.relative_to(published).as_posix() for p in published.rglob("data/**/*.parquet")
    }


@pytest.mark.parametrize("harm", ["a bit", "missing", "more", "words", "catalogue"])
def test_whatever_changes_is_found(published, harm, tmp_path):
    shutil.copytree(published, tmp_path / "copy")
    root = tmp_path / "copy"
    path = sorted((root / "data").rglob("*.parquet"))[0]
    path.chmod(0o644)
    if harm == "a bit":
        content = bytearray(path.read_bytes())
        content[len(content) // 2] ^= 1
        path.write_bytes(content)
    elif harm == "missing":
        path.unlink()
    elif harm == "more":
        path = path.with_name("more.parquet")
        path.write_bytes(b"")
    elif harm == "words":
        path = root / "README.md"
        path.write_text("All is well.")
    else:
        path = root / "catalog.sqlite"
        path.chmod(0o644)
        with sqlite3.connect(path) as database:
            database.execute("update brainlake_ingest set author = 'somebody else'")
    with brainlake.open(root) as lake:
        found = [finding for finding in lake.check(deep=True) if path.name in finding.what]
    assert found
    with pytest.raises(bagit.BagValidationError):
        bagit.Bag(str(root)).validate()


def test_it_says_how_to_cite_it(published):
    library = bibtexparser.parse_file(str(published / "CITATION.bib"))
    assert not library.failed_blocks
    keys = [entry.key for entry in library.entries]
    assert keys == ["siegle2021survey", "allen_neuropixels", "brainlake"]
    text = (published / "README.md").read_text()
    assert "# Lake of tests\n" in text
    assert "Allen Institute Terms of Use" in text
    assert f"ecephys.session/{SESSION}" in text


def test_nothing_in_it_tells_of_the_machine_it_was_made_on(published, source):
    folder = str(source.parent)
    for path in [p for p in published.rglob("*") if p.is_file() and p.suffix != ".parquet"]:
        assert folder.encode() not in path.read_bytes(), path
    with brainlake.open(published) as lake:
        urls = lake.sql("select source_url from lake.ingests").pl()["source_url"].to_list()
    assert sorted(urls) == ["session.nwb", "table:lab.labels"]


def test_a_copy_of_it_can_be_written(published, tmp_path):
    with brainlake.open(published) as lake:
        lake.copy(tmp_path / "mine")
    with brainlake.open(tmp_path / "mine") as mine:
        mine.write("lab.more", {"x": [1]})
        assert mine.check(deep=True) == []


def test_a_subset_of_a_past_snapshot_can_be_published(source, tmp_path, capsys):
    first = ["--lake", str(source), "--at", "2", "publish", str(tmp_path / "old"), "--where", f"session_id = {SESSION}"]
    assert run(first) == 0
    with brainlake.open(tmp_path / "old") as lake:
        assert lake.sql("select count(distinct session_id) as n from ecephys.units").one().n == 1
        with pytest.raises(CatalogError, match="was published on"):
            lake.write("lab.more", {"x": [1]})
        assert lake.check(deep=True) == []
    assert bagit.Bag(str(tmp_path / "old")).validate()
