"""An answer locked today is compared with tomorrow's: sources, readers, code and values, each told by itself."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import brainlake
import polars as pl
import pytest
from brainlake.lake import locking, provenance, session
from brainlake.lake.cli import run
from brainlake.lake.errors import BrainlakeError
from brainlake.lake.functions import declared
from brainlake.lake.provenance import kernels
from brainlake.lake.questions import standard
from brainlake.tests.fixtures.allen_ecephys import make_session

SESSION = 715093703
QUESTION = """
    select u.unit_id, l.label, avg(s.spike_time) as mean_time, count(*) as n
    from ecephys.units as u
    join ecephys.spikes as s using (session_id, unit_id)
    join mine as l using (unit_id)
    where u.session_id = $session
    group by all"""


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("locked")
    make_session(folder / "session.nwb", session_id=SESSION, n_spikes=1_000)
    with brainlake.create(folder / "lake") as lake:
        lake.ingest(folder / "session.nwb").raise_failed()
        lake.write("lab.rates", pl.DataFrame({"unit_id": [1, 2], "rate": [1.0, 2.0]}), key="unit_id")
    return folder


@pytest.fixture
def lake(filled: Path, tmp_path: Path) -> Iterator[brainlake.Lake]:
    shutil.copytree(filled / "lake", tmp_path / "lake")
    with brainlake.open(tmp_path / "lake") as opened:
        yield opened


def asked(lake: brainlake.Lake):
    units = lake.sql("select unit_id, 'good' as label from ecephys.units order by all").pl()
    return lake.sql(QUESTION, {"session": SESSION}, {"mine": units})


def told(found: locking.Restored, state: str) -> list[str]:
    return [one.what for one in found.compared if one.state == state]


def test_nothing_changed_is_told_of_everything(lake, tmp_path):
    asked(lake).lock(tmp_path / "figure.json")
    assert {p.name for p in tmp_path.iterdir()} == {"lake", "figure.json", "figure.parquet", "figure.mine.parquet"}
    found = lake.restore(tmp_path / "figure.json")
    assert found.same
    assert found.identical
    same = told(found, "same")
    assert f"source ecephys.session/{SESSION} (session_nwb)" in same
    assert {"table ecephys.spike_trains", "view ecephys.units", "view ecephys.spikes", "answer"} <= set(same)
    assert len(same) == len(found.compared)


def test_the_file_tells_all_that_made_the_answer(lake, tmp_path, filled):
    relation = asked(lake)
    relation.lock(tmp_path / "figure.json")
    facts = json.loads((tmp_path / "figure.json").read_text())
    assert (facts["query"], facts["provenance"]["params"]) == (QUESTION, {"session": SESSION})
    (source,) = facts["provenance"]["sources"]
    content = (filled / "session.nwb").read_bytes()
    assert source["source_sha256"] == hashlib.sha256(content).hexdigest()
    assert source["source_size_bytes"] == len(content)
    assert source["reader"] == "nwb"
    assert facts["answer"]["n_rows"] == relation.pl().height
    assert [c["unit"] for c in facts["answer"]["columns"]] == [None, None, "s", None]
    assert pl.read_parquet(tmp_path / "figure.parquet").sort("unit_id").equals(relation.pl().sort("unit_id"))
    assert not facts["answer"]["is_ordered"]
    lake.sql("from lab.rates order by rate").lock(tmp_path / "ordered.json")
    assert json.loads((tmp_path / "ordered.json").read_text())["answer"]["is_ordered"]


def test_a_source_that_changed_is_told_with_numbers(lake, tmp_path):
    lake.sql("select unit_id, rate from lab.rates").lock(tmp_path / "a.json")
    lake.write("lab.rates", pl.DataFrame({"unit_id": [1, 2, 3], "rate": [1.0, 2.5, 9.0]}), key="unit_id")
    found = lake.restore(tmp_path / "a.json")
    assert not found.same
    lines = found.summary().splitlines()
    assert any(line.startswith("changed  source table/lab.rates (table): source_sha256 was") for line in lines)
    assert "changed  answer: rows: 2 before, 3 now; 0 gone, 1 new" in lines
    assert "changed  answer: rate: 1 value, at most by 0.5 (0.2 of the value)" in lines
    assert lines[-1] == "the answer differs"
    assert lake.at(2).restore(tmp_path / "a.json").same  # the lake still has the snapshot of then


def test_a_source_that_is_missing_is_told_with_the_command_that_brings_it(lake, tmp_path, filled):
    asked(lake).lock(tmp_path / "a.json")
    lake.forget(f"ecephys.session/{SESSION}")
    found = lake.restore(tmp_path / "a.json")
    assert not found.same
    (line,) = [one.line for one in found.compared if one.state == "missing"]
    assert f"missing  source ecephys.session/{SESSION} (session_nwb): `brainlake ingest {filled}/session.nwb" in line
    lake.ingest(filled / "session.nwb").raise_failed()
    again = lake.restore(tmp_path / "a.json")
    assert again.identical


def test_code_that_changed_is_told_although_the_answer_is_the_same(lake, tmp_path, monkeypatch):
    asked(lake).lock(tmp_path / "a.json")
    changed = dict(standard())
    view = changed["ecephys.spikes"]
    changed["ecephys.spikes"] = dataclasses.replace(view, body=view.body + "\n-- another way to write it")
    monkeypatch.setattr(session, "standard", lambda: changed)
    with brainlake.open(lake.path) as other:
        found = other.restore(tmp_path / "a.json")
    assert told(found, "changed") == ["view ecephys.spikes"]
    assert found.same
    assert not found.identical
    assert found.summary().endswith("the answer is the same, although not all that it was made of is")


def test_kernels_have_a_hash_that_covers_what_they_import(monkeypatch):
    name = min(declared())
    (before,) = kernels(f"select {name}(x) from t").values()
    assert len(before) == 16
    assert kernels(f"select {name}s(x), {name} from t") == {}
    monkeypatch.setattr(provenance, "kernel_digest", lambda module: "another module below it")
    assert kernels(f"select {name} (x) from t")[name] != before


def test_float_sums_may_differ_in_their_last_bits(lake, tmp_path, monkeypatch):
    lake.sql("select unit_id, rate from lab.rates").lock(tmp_path / "a.json")
    near = pl.DataFrame({"unit_id": [1, 2], "rate": [1.0 + 1e-13, 2.0]})
    lake.write("lab.rates", near, key="unit_id")
    found = lake.restore(tmp_path / "a.json")
    assert found.same
    assert [one.note for one in found.compared if one.what == "answer"] == [
        "2 rows, within 1e-09 (rate: 1e-13 at most)"
    ]
    assert not lake.restore(tmp_path / "a.json", relative=1e-15).same


def test_rows_in_another_order_are_the_same(lake, tmp_path):
    lake.write("lab.ties", pl.DataFrame({"x": [1, 1], "y": [1, 2]}))
    lake.sql("select x, y from lab.ties order by x").lock(tmp_path / "a.json")
    lake.write("lab.ties", pl.DataFrame({"x": [1, 1], "y": [2, 1]}))
    found = lake.restore(tmp_path / "a.json")
    assert found.same
    assert "equal ones in another order" in next(one.note for one in found.compared if one.what == "answer")


def test_without_the_values_of_then_summaries_are_compared(lake, tmp_path):
    lake.sql("select unit_id, rate from lab.rates").lock(tmp_path / "a.json")
    (tmp_path / "a.parquet").unlink()
    assert lake.restore(tmp_path / "a.json").same  # by digest
    lake.write("lab.rates", pl.DataFrame({"unit_id": [1, 2], "rate": [1.0, 4.0]}), key="unit_id")
    found = lake.restore(tmp_path / "a.json")
    notes = [one.note for one in found.compared if one.what == "answer"]
    assert notes == ["rate: max 2.0 -> 4.0", "rate: mean 1.5 -> 2.5"]


def test_an_answer_too_large_to_be_kept_is_known_by_its_digest(lake, tmp_path, monkeypatch):
    monkeypatch.setattr(locking, "MOST_BYTES", 0)
    lake.sql("select unit_id, rate from lab.rates").lock(tmp_path / "a.json")
    assert not (tmp_path / "a.parquet").exists()
    assert lake.restore(tmp_path / "a.json").identical


def test_a_question_that_can_no_longer_be_asked_is_told(lake, tmp_path):
    lake.sql("from lab.rates").lock(tmp_path / "a.json")
    lake.forget("table/lab.rates")
    found = lake.restore(tmp_path / "a.json")
    assert not found.same
    assert "can no longer be asked" in found.compared[-1].note


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "No such file"),
        ("{", "is no lock file"),
        ("[]", "is no lock file"),
        ('{"brainlake_lock": 99}', "newer brainlake"),
        ('{"brainlake_lock": 1}', "is no whole lock file"),
    ],
)
def test_a_file_that_is_no_lock_file_is_told(lake, tmp_path, content, told):
    if content is not None:
        (tmp_path / "x.json").write_text(content)
    with pytest.raises(BrainlakeError, match=told):
        lake.restore(tmp_path / "x.json")


def test_a_lock_file_may_have_any_name_but_that_of_an_answer(lake, tmp_path):
    lake.sql("select 1 as n").lock(tmp_path / "paper.lock")
    lake.sql("select 2 as n").lock(tmp_path / "paper.json")
    assert lake.restore(tmp_path / "paper.lock").same
    assert lake.restore(tmp_path / "paper.json").same
    with pytest.raises(BrainlakeError, match=r"name it paper\.lock"):
        lake.sql("select 1").lock(tmp_path / "paper.parquet")


def test_frames_that_were_given_must_be_those_of_then(lake, tmp_path):
    asked(lake).lock(tmp_path / "a.json")
    pl.DataFrame({"unit_id": [1], "label": ["bad"]}).write_parquet(tmp_path / "a.mine.parquet")
    assert "SHA-256 differs" in lake.restore(tmp_path / "a.json").compared[-1].note
    (tmp_path / "a.mine.parquet").unlink()
    assert "is not beside" in lake.restore(tmp_path / "a.json").compared[-1].note


def test_the_commands_lock_and_restore(lake, tmp_path, capsys):
    at = ["--lake", str(lake.path)]
    lock = [*at, "lock", "select unit_id, rate from lab.rates where rate > $least", str(tmp_path / "a.json")]
    assert run([*lock, "--param", "least=0.5"]) == 0
    assert run([*at, "restore", str(tmp_path / "a.json"), "--strict"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "the answer is the same"
    lake.write("lab.rates", pl.DataFrame({"unit_id": [1, 2], "rate": [1.0, 3.0]}), key="unit_id")
    assert run([*at, "restore", str(tmp_path / "a.json")]) == 1
    assert run([*at, "--at", "2", "restore", str(tmp_path / "a.json")]) == 0
    assert run([*at, "restore", str(tmp_path / "a.json"), "--relative", "0.5"]) == 0
    assert run([*at, "restore", str(tmp_path / "a.json"), "--relative", "0.5", "--strict"]) == 1
    capsys.readouterr()
    assert run([*at, "provenance", "from lab.rates"]) == 0
    assert json.loads(capsys.readouterr().out)["sources"][0]["subject"] == "table/lab.rates"


def test_a_published_lake_restores_what_was_locked_before(lake, tmp_path):
    asked(lake).lock(tmp_path / "a.json")
    lake.publish(tmp_path / "frozen")
    with brainlake.open(tmp_path / "frozen") as frozen:
        assert frozen.restore(tmp_path / "a.json").identical
