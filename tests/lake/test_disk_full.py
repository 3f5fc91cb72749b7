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
import pytest
from brainlake.lake.cli import run
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
            told = re.sub(r"^\S+, (partition \d+|rows of no partition): ", "", str(step["message"]))
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


def test_on_a_real_disk_room_comes_back_and_the_work_is_done_after_all(
    small_disk: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    root = small_disk / "lake"
    where = ["--lake", str(root)]
    brainlake.create(root).close()
    for number in (1, 2, 3, 1):
        full_disk.ingest(root, number)
    filler = small_disk / "filler"
    with filler.open("wb", buffering=0) as file, contextlib.suppress(OSError):
        while file.write(b"x" * 4096):
            pass
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
