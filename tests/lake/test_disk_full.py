"""A disk that becomes full at any step of any verb: one clear sentence, the lake as it was, nothing that repair leaves."""

from __future__ import annotations

import contextlib
import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import brainlake
import numpy as np
import pytest
from brainlake.lake import folding, ingestion
from brainlake.lake.cli import run
from brainlake.lake.errors import CatalogError
from brainlake.tests.fixtures import full_disk
from brainlake.tests.fixtures.full_disk import VERBS

LIBRARY = Path(full_disk.__file__).with_suffix(".c")
CLEAR = re.compile(
    r"\S+(: the disk is full; the lake is unchanged: free some space and try again"
    r"|: the disk is full or fails \(.*\): free some space, then `brainlake snapshots` tells whether .*"
    r"| cannot be written: .* \(is the disk full\?\); the lake is unchanged)"
)


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    compiler = shutil.which("cc") or shutil.which("gcc")
    if compiler is None or not sys.platform.startswith("linux"):
        pytest.skip("needs Linux and a C compiler, for a library that refuses writes")
    made = tmp_path_factory.mktemp("full_disk") / "full_disk.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", made, LIBRARY, "-ldl"], check=True)
    return made


def steps_of(library: Path, verb: str, folder: Path, alone: bool, stride: int) -> list[dict[str, object]]:
    command = [sys.executable, "-m", full_disk.__name__, verb, str(folder), str(int(alone)), str(stride)]
    done = subprocess.run(
        command, env=os.environ | {"LD_PRELOAD": str(library)}, capture_output=True, text=True, timeout=3_000
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def assert_harmless(steps: list[dict[str, object]]) -> None:
    for step in steps:
        assert not step["problem"], f"step {step['step']}: {step['message']}\n{step['problem']}"
        assert step["outcome"] in ("refused", "survived", "done")
        if step["outcome"] == "refused":
            of_what = r"^\S+(, partition \d+|, rows of no partition|\.csv): "  # which is told first
            told = re.sub(of_what, "", str(step["message"]))
            assert CLEAR.fullmatch(told), told
    assert steps[-1]["outcome"] == "done"
    assert any(step["outcome"] == "refused" for step in steps)


@pytest.mark.parametrize("verb", ["tag", "forget a part", "expire"])
def test_whichever_step_finds_the_disk_full_the_lake_is_as_it_was(library: Path, verb: str, tmp_path: Path) -> None:
    assert_harmless(steps_of(library, verb, tmp_path / "disk", alone=False, stride=5))


@pytest.mark.slow
@pytest.mark.parametrize("alone", [False, True], ids=["full from then on", "full for a moment"])
@pytest.mark.parametrize("verb", VERBS)
def test_every_step_of_every_verb(library: Path, verb: str, alone: bool, tmp_path: Path) -> None:
    assert_harmless(steps_of(library, verb, tmp_path / "disk", alone, stride=1))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 6 MB of its own."""
    folder = tmp_path / "small"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=6m", "tmpfs", str(folder)]
    if shutil.which("mount") is None or subprocess.run(mount, capture_output=True).returncode:
        pytest.skip("mounting a small file system is not allowed here")
    yield folder
    subprocess.run(["umount", "-l", str(folder)], check=True)


def fill(disk: Path, but: int = 0) -> Path:
    """A file that takes all the room there is, but so many bytes."""
    filler = disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
    os.truncate(filler, filler.stat().st_size - but)
    return filler


def test_on_a_real_disk_room_comes_back_and_the_work_is_done_after_all(
    small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = small_disk / "lake"
    where = ["--lake", str(root)]
    brainlake.create(root).close()
    for number in (1, 2, 3, 1):
        full_disk.ingest(root, number)
    filler = fill(small_disk)
    with brainlake.open(root) as lake:
        before = lake.sql("from ecephys.spike_trains order by all").arrow()
    for arguments in (["forget", "session=1"], ["compact"], ["expire", "--keep", "1 snapshot", "--grace", "0"],
                      ["materialize", full_disk.VIEW, "--jobs", "1"], ["tag", "now"]):  # fmt: skip
        code = run([*where, *arguments])
        told = capsys.readouterr().err
        assert code == 1, (arguments, told)
        assert "full" in told, (arguments, told)
        lines = [line for line in told.splitlines() if not line.startswith(("[", "failed: "))]
        assert len(lines) == (arguments[0] != "materialize"), told  # one line, or one for each partition
        with brainlake.open(root) as lake:
            assert lake.sql("from ecephys.spike_trains order by all").arrow().equals(before)
    filler.unlink()
    assert run([*where, "check", "--deep", "--repair"]) == 0
    assert capsys.readouterr().out == "all is well\n"
    assert run([*where, "expire", "--keep", "1 snapshot", "--grace", "0"]) == 0
    assert run([*where, "forget", "session=1"]) == 0


SESSIONS = """\
id,date_of_acquisition,isi_experiment_id,published_at,specimen_id,session_type,age_in_days,sex,genotype,has_nwb
715093703,2019-01-19T08:54:18Z,705968051,2019-10-03T00:00:00Z,699733581,brain_observatory_1.1,118.0,M,Sst-IRES-Cre/wt,True
"""


def test_of_several_sources_those_that_fit_are_taken_and_the_others_when_there_is_room(
    small_disk: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root, files = small_disk / "lake", tmp_path / "files"
    files.mkdir()
    depths = np.random.default_rng(0).random(60_000)  # not to be compressed: 500 kB
    layers = "".join(f"{950_000_000 + i},{depth},4\n" for i, depth in enumerate(depths))
    (files / "layer_info.csv").write_text(f"ecephys_unit_id,cortical_depth,cortical_layer\n{layers}")
    (files / "sessions.csv").write_text(SESSIONS)
    brainlake.create(root).close()
    command = ["--lake", str(root), "ingest", str(files), "--jobs", "2"]
    for room, taken in ((0, 0), (350_000, 1)):
        filler = fill(small_disk, but=room)
        assert run(command) == 1
        told = capsys.readouterr()
        full = [line for line in told.err.splitlines() if line.startswith("brainlake: ")]
        assert len(full) == 2 - taken
        assert all("files/" in line and "the disk is full; the lake is unchanged" in line for line in full)
        with brainlake.open(root) as lake:
            assert lake.sql("select count(*) as n from ecephys.project_sessions").one().n == taken
            assert lake.sql("select count(*) as n from ecephys.unit_layers").one().n == 0
            assert lake.check() == []
        filler.unlink()
    assert run(command) == 0
    assert capsys.readouterr().out.endswith("1 ingested, 1 unchanged\n")
    with brainlake.open(root) as lake:
        assert lake.sql("select count(*) as n from ecephys.unit_layers").one().n == len(depths)
        assert lake.sql("select count(*) as n from lake.failures").one().n == 0
        assert lake.check(deep=True) == []


def test_what_is_in_the_lake_is_told_also_where_upkeep_finds_the_disk_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise CatalogError("the disk is full")

    monkeypatch.setattr(ingestion, "fold_small_tables", full)
    monkeypatch.setattr(folding, "fold_small_tables", full)
    (tmp_path / "sessions.csv").write_text(SESSIONS)
    with brainlake.create(tmp_path / "lake") as lake:
        report = lake.ingest(tmp_path / "sessions.csv")
        assert [item.status for item in report.items] == ["ingested"]
        assert report.notes == ("small tables are not folded: the disk is full",)
        for _ in range(2):
            lake.write("lab.labels", {"x": [1]}, append=True)
        assert lake.sql("select count(*) as n from lab.labels").one().n == 2
