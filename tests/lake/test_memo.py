"""Kept answers of views: the same as computed ones, fresh or not there at all, and worth nothing when lost."""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import brainlake
import pyarrow as pa
import pytest
from brainlake.lake import demo, memo
from brainlake.lake.cli import run
from brainlake.lake.errors import CatalogError, QueryError, UnknownError
from brainlake.lake.writer import IngestWriter, writers_lock
from brainlake.tests.fixtures.allen_ecephys import make_session

VIEW = "ecephys.stimulus_epochs"
ASK = f"select * from {VIEW} order by all"
SESSIONS = (715093703, 719161530, 721123822)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("sessions")
    paths = [folder / f"{session}.nwb" for session in SESSIONS]
    for seed, (session, path) in enumerate(zip(SESSIONS, paths, strict=True)):
        make_session(path, session_id=session, seed=seed, n_spikes=2_000)
    return paths


@pytest.fixture(scope="module")
def filled(files: list[Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("lakes") / "lake"
    with brainlake.create(root) as lake:
        lake.ingest(files[:2]).raise_failed()
    return root


@pytest.fixture
def lake(filled: Path, tmp_path: Path) -> Iterator[brainlake.Lake]:
    root = tmp_path / "lake"
    shutil.copytree(filled, root)
    with brainlake.open(root) as opened:
        yield opened


def answered(lake: brainlake.Lake, query: str = ASK) -> str:
    """How the view below a query is answered."""
    told: list[str] = [row["answered"] for row in lake.explain(query).to_pylist() if row["name"] == VIEW]
    return told[0]


def memos(lake: brainlake.Lake) -> list[Path]:
    return sorted((lake.path / "cache").rglob("*.parquet"))


@pytest.mark.parametrize("view", ["ecephys.units", "ecephys.waveforms", "ecephys.unit_spike_trains"])
def test_kept_answers_equal_computed_ones(lake: brainlake.Lake, view: str) -> None:
    """Types, order of columns and values; lists, too."""
    query = f"select * from {view} order by all"
    computed = lake.sql(query).arrow()
    done = lake.materialize(view, jobs=1)
    done.raise_failed()
    assert set(done.computed) == set(SESSIONS[:2]), view
    kept = lake.sql(query).arrow()
    assert kept.schema.names == computed.schema.names
    assert kept.schema.types == computed.schema.types, view
    assert kept.equals(computed) or repr(kept.to_pylist()) == repr(computed.to_pylist()), view  # NaN != NaN
    assert "kept: 2 of 2" in next(r["answered"] for r in lake.explain(query).to_pylist() if r["name"] == view)


def test_questions_read_what_is_kept_and_not_what_it_came_from(lake: brainlake.Lake) -> None:
    """Shown by keeping another answer under the fresh name."""
    lake.materialize(VIEW, jobs=1)
    path = memo.memos_of(lake._session, VIEW).path(SESSIONS[0])
    table = pa.parquet.read_table(path, partitioning=None)
    path.unlink()
    pa.parquet.write_table(table.slice(0, 1), path)
    lake._session.forget_memos([VIEW])
    assert lake.sql(f"select count(*) as n from {VIEW} where session_id = {SESSIONS[0]}").one().n == 1
    assert lake.sql(f"select count(*) as n from {VIEW} where session_id = {SESSIONS[1]}").one().n > 1


def test_another_process_uses_them_and_losing_them_loses_nothing(lake: brainlake.Lake) -> None:
    before = lake.sql(ASK).arrow()
    lake.materialize(VIEW, jobs=1)
    with brainlake.open(lake.path) as other:
        assert answered(other).startswith("kept: 2 of 2")
        assert other.sql(ASK).arrow().equals(before)
        shutil.rmtree(lake.path / "cache")
        assert other.sql(ASK).arrow().equals(before)
        assert answered(other).startswith("computed")
    assert lake.sql(ASK).arrow().equals(before)


def test_a_new_session_leaves_the_others_fresh(lake: brainlake.Lake, files: list[Path]) -> None:
    lake.materialize(VIEW, jobs=1)
    kept = memos(lake)
    lake.ingest(files[2]).raise_failed()
    assert answered(lake) == "kept: 2 of 3 partitions, 1 computed"
    with brainlake.open(lake.path) as other:
        computed = {row["session_id"] for row in other.sql(ASK).arrow().to_pylist()}
    assert computed == set(SESSIONS)
    done = lake.materialize(VIEW, jobs=1)
    assert (done.computed, set(done.fresh)) == ((SESSIONS[2],), set(SESSIONS[:2]))
    assert set(kept) < set(memos(lake))


def test_changed_facts_are_never_answered_from_old_memos(lake: brainlake.Lake) -> None:
    """Also in a connection that is open meanwhile and moves to the new snapshot."""
    lake.materialize(VIEW, jobs=1)
    with brainlake.open(lake.path) as other:
        before = other.sql(ASK).arrow()
        lake.forget(f"ecephys.session/{SESSIONS[0]}")
        assert other.sql(ASK).arrow().equals(before)
        other.refresh()
        assert set(other.sql(ASK).arrow()["session_id"].to_pylist()) == {SESSIONS[1]}
        assert other.at(other.snapshot - 1).sql(ASK).arrow().equals(before)


def test_changed_code_is_never_answered_from_old_memos(lake: brainlake.Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    lake.materialize(VIEW, jobs=1)
    fresh = memo.memos_of(lake._session, VIEW).fingerprints
    below = "ecephys.stimulus_presentations"
    changed = dict(lake._session.questions)
    changed[below] = memo.replace(changed[below], body=changed[below].body + "\n-- another")
    monkeypatch.setattr(lake._session, "questions", changed)
    other = memo.memos_of(lake._session, VIEW).fingerprints
    assert set(other) == set(fresh)
    assert not set(other.values()) & set(fresh.values())


def test_a_condition_chooses_partitions_by_their_column_alone(lake: brainlake.Lake) -> None:
    assert lake.materialize(VIEW, f"session_id = {SESSIONS[1]}").computed == (SESSIONS[1],)
    assert answered(lake) == "kept: 1 of 2 partitions, 1 computed"
    with pytest.raises(QueryError, match="session_id alone"):
        lake.materialize(VIEW, "stimulus_name = 'flashes'")


@pytest.mark.parametrize(
    ("name", "error", "says"),
    [
        ("ecephys.nothing", UnknownError, "is no view"),
        ("ecephys.psth", UnknownError, "is a macro"),
        ("ecephys.structure_patches", QueryError, "partitions"),
    ],
)
def test_what_has_no_partitions_cannot_be_kept(
    lake: brainlake.Lake, name: str, error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        lake.materialize(name)


def test_a_full_disk_is_told_and_leaves_no_piece(lake: brainlake.Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    job = memo.MemoJob(
        lake.path, lake.snapshot, VIEW, "session_id", SESSIONS[0],
        memo.memos_of(lake._session, VIEW).path(SESSIONS[0]),
    )  # fmt: skip
    monkeypatch.setattr(memo.pq.ParquetWriter, "write_batch", full)
    assert "the disk is full" in memo.compute(job)
    assert not [p for p in (lake.path / "cache").rglob("*") if p.is_file()]


def test_the_command_keeps_tells_and_explains(lake: brainlake.Lake, capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--lake", str(lake.path)]
    assert run([*where, "materialize"]) == 0
    assert VIEW in capsys.readouterr().out.split()
    assert run([*where, "materialize", VIEW, "--jobs", "2"]) == 0
    assert "2 partitions computed, 0 were fresh" in capsys.readouterr().out
    assert run([*where, "explain", f"from {VIEW}", "--format", "csv"]) == 0
    assert f'"{VIEW}","view","kept: 2 of 2 partitions"' in capsys.readouterr().out
    assert run([*where, "materialize", "ecephys.psth"]) == 1


def test_an_answer_asked_for_before_the_cache_was_emptied_is_given_all_the_same(lake: brainlake.Lake) -> None:
    lake.materialize(VIEW, jobs=1)
    with brainlake.open(lake.path) as other:
        before = other.sql(ASK).arrow()
        asked = other.sql(ASK)  # bound to what is kept
        shutil.rmtree(lake.path / "cache")
        assert asked.arrow().equals(before)


def test_an_answer_is_kept_although_those_it_rests_on_are_taken_out_meanwhile(
    lake: brainlake.Lake, monkeypatch: pytest.MonkeyPatch
) -> None:
    lake.materialize("ecephys.units", jobs=1).raise_failed()
    lock, emptied = memo.writers_lock, []

    def emptying(root: Path) -> Any:
        if not emptied:
            emptied.append(root)
            shutil.rmtree(root / "cache" / "ecephys.units")
        return lock(root)

    monkeypatch.setattr(memo, "writers_lock", emptying)
    kept = lake.materialize("ecephys.good_units", jobs=1)
    kept.raise_failed()
    assert emptied
    assert {*SESSIONS[:2]} <= {*kept.computed}


def test_what_has_changed_since_is_removed_when_asked_and_by_expiry(lake: brainlake.Lake) -> None:
    lake.materialize(VIEW, jobs=1)
    fresh = memo.memos_of(lake._session, VIEW).path(SESSIONS[1])
    draft = fresh.with_name(".x.part")
    draft.write_bytes(b"a draft of a killed process")
    (lake.path / "cache" / "ecephys.gone" / "session_id=1").mkdir(parents=True)
    (lake.path / "cache" / "ecephys.gone" / "session_id=1" / "abc.parquet").write_bytes(b"a view that is no more")
    lake.forget(f"ecephys.session/{SESSIONS[0]}")
    assert lake.expire("30d").memo_files == 0  # sessions on earlier snapshots may read them
    assert lake.prune_memos()[0] == 4  # with that of rows without a session
    assert [p for p in (lake.path / "cache").rglob("*") if p.is_file()] == [fresh]
    assert not (lake.path / "cache" / "ecephys.gone").exists()
    assert answered(lake) == "kept: 1 of 1 partitions"
    lake.forget(f"ecephys.session/{SESSIONS[1]}")
    assert lake.expire("30d", grace=timedelta(0)).memo_files == 1
    assert memos(lake) == []


KILLED = """
import os, sys
from pathlib import Path
import brainlake
from brainlake.lake import demo, memo
Path.replace = lambda *_: os.kill(os.getpid(), 9)
brainlake.open(sys.argv[1]).materialize(sys.argv[2], jobs=1)
"""


def test_a_killed_computation_leaves_a_draft_that_is_found_and_removed(lake: brainlake.Lake) -> None:
    done = subprocess.run([sys.executable, "-c", KILLED, lake.path, VIEW], check=False)
    assert done.returncode == -9
    assert memos(lake) == []
    (draft,) = (lake.path / "cache").rglob("*.part")
    assert [finding.kind for finding in lake.check()] == ["orphan"]
    with writers_lock(lake.path), pytest.raises(CatalogError, match="others are writing"):
        lake.check(repair=True)
    assert lake.check(repair=True) == []
    assert not draft.exists()
    assert answered(lake).startswith("computed")


def rounded(value: object) -> object:
    """A value whose equals are equal: sums of floats may be added in another order."""
    if isinstance(value, float):
        return "NaN" if value != value else float(f"{value:.9g}")
    if isinstance(value, dict):
        return {name: rounded(one) for name, one in value.items()}
    return [rounded(one) for one in value] if isinstance(value, (list, tuple)) else value


@pytest.mark.slow
def test_every_view_that_can_be_kept_answers_the_same_from_what_is_kept(tmp_path: Path) -> None:
    """Over the demo's files: sessions, probes, cells, reconstructions, experiments."""
    demo._make_files(tmp_path / "files")
    with brainlake.create(tmp_path / "lake") as made:
        made.ingest(tmp_path / "files", with_parts=["lfp", "waveforms"]).raise_failed()
        with_rows = 0
        for view in made.materializable():
            query = f"from {view}"
            computed = made.sql(query).arrow()
            made.materialize(view, jobs=1).raise_failed()
            kept = made.sql(query).arrow()
            assert kept.schema.names == computed.schema.names, view
            assert kept.schema.types == computed.schema.types, view
            rows = [sorted(repr(rounded(list(row.values()))) for row in t.to_pylist()) for t in (kept, computed)]
            assert rows[0] == rows[1], view
            with_rows += bool(rows[0])
        assert with_rows > 30


def test_rows_without_a_partition_are_kept_too(lake: brainlake.Lake, tmp_path: Path) -> None:
    """Units of the project's table of which no channel, and so no session, is here."""
    with IngestWriter(
        lake.catalog, subject="ecephys.project/units", role="project_csv", source_url="units.csv", source_size=1,
        source_sha256="0", reader="test", reader_version="1", options={}, parts=["units"],
    ) as writer:  # fmt: skip
        writer.write("ecephys.project_units", {"unit_id": [950911932, 950911986]})
        writer.commit()
    lake.refresh()
    ask = "select unit_id from ecephys.units where session_id is null order by all"
    everything = "from ecephys.units order by all"
    assert lake.sql(ask).to_numpy().tolist() == [950911932, 950911986]
    computed = lake.sql(everything).arrow()
    lake.materialize("ecephys.units", f"session_id = {SESSIONS[0]}", jobs=1).raise_failed()
    assert lake.sql(ask).to_numpy().tolist() == [950911932, 950911986]
    (lake.path / "cache/ecephys.units/rest").rename(tmp_path / "rest")
    lake._session.forget_memos()
    assert lake.sql(ask).to_numpy().tolist() == [950911932, 950911986]  # computed
    assert repr(lake.sql(everything).arrow().to_pylist()) == repr(computed.to_pylist())
