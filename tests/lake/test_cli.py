"""The command: exit codes, one line for an error, and formats that programs can read."""

from __future__ import annotations

import io
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import brainlake
import numpy as np
import polars as pl
import pytest
from brainlake.lake import cli
from brainlake.lake.commands.base import Where
from brainlake.lake.errors import BrainlakeError, DamageError
from brainlake.tests.fixtures.nwb1 import make_nwb1

Run = Callable[..., tuple[int, str, str]]
ROWS = "select i::bigint as i, i / 7 as x, if(i = 1, null, 'a,\"b') as t, [i, i + 1] as l from range(3) as r(i)"


@pytest.fixture
def lake(tmp_path: Path) -> Path:
    path = tmp_path / "lake"
    brainlake.create(path).close()
    return path


@pytest.fixture
def run(lake: Path, capfd: pytest.CaptureFixture[str]) -> Run:
    """Run a command on the lake: exit code, standard output, standard error."""

    def run_command(*arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        code = cli.run(["--lake", str(lake), *map(str, arguments)])
        sys.stdout.flush()
        out, err = capfd.readouterr()
        return code, out, err

    return run_command


def test_an_answer_is_a_table_for_people(run: Run) -> None:
    code, out, err = run("sql", "select 42 as answer")
    assert (code, err) == (0, "")
    assert [line.strip() for line in out.split("\n") if line.strip()] == ["answer", "──────", "42", "(1 row)"]


def test_a_table_stops_after_as_many_rows_as_people_read(run: Run) -> None:
    _, out, _ = run("sql", "from range(1000)", "--rows", 5)
    assert "first 5 rows" in out
    assert run("sql", "from range(1000)", "--rows", 0)[1].count("\n") > 1000


def test_csv_reads_back(run: Run) -> None:
    _, out, _ = run("sql", ROWS, "--format", "csv")
    frame = pl.read_csv(io.StringIO(out))
    assert frame["i"].to_list() == [0, 1, 2]
    assert frame["x"].to_list() == [0.0, 1 / 7, 2 / 7]  # to the last bit
    assert frame["t"].to_list() == ['a,"b', None, 'a,"b']
    assert [json.loads(cell) for cell in frame["l"]] == [[0, 1], [1, 2], [2, 3]]


def test_json_is_an_array_of_objects(run: Run) -> None:
    rows = json.loads(run("sql", ROWS, "--format", "json")[1])
    assert rows[1] == {"i": 1, "x": 1 / 7, "t": None, "l": [1, 2]}
    assert len(rows) == 3


@pytest.mark.parametrize("n", [0, 1, 300_000])
def test_json_is_whole_at_any_size(run: Run, n: int) -> None:
    assert len(json.loads(run("sql", f"from range({n}) as r(i)", "--format", "json")[1])) == n


def test_json_has_null_where_it_has_no_word(run: Run) -> None:
    out = run("sql", "select 'nan'::double as a, 'inf'::double as b, 'x\n,y' as c", "--format", "json")[1]
    assert json.loads(out) == [{"a": None, "b": None, "c": "x\n,y"}]


@pytest.mark.parametrize(("suffix", "read"), [(".parquet", pl.read_parquet), (".arrow", pl.read_ipc)])
def test_a_file_tells_its_format_by_its_suffix(
    run: Run, tmp_path: Path, suffix: str, read: Callable[[Path], pl.DataFrame]
) -> None:
    path = tmp_path / f"answer{suffix}"
    assert run("sql", ROWS, "-o", path) == (0, "", "")
    assert read(path)["l"].to_list() == [[0, 1], [1, 2], [2, 3]]


def test_an_arrow_stream_goes_through_a_pipe(lake: Path) -> None:
    done = _process(lake, "sql", ROWS, "--format", "arrow")
    assert pl.read_ipc_stream(io.BytesIO(done.stdout))["i"].to_list() == [0, 1, 2]


def test_a_file_that_could_not_be_completed_is_not_there(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "answer.csv"
    code, _, err = run("sql", "select error('no') from range(3)", "-o", path)
    assert code == 1
    assert err.count("\n") == 1
    assert [p.name for p in tmp_path.iterdir()] == ["lake"]


def test_parameters_have_the_type_they_look_like(run: Run) -> None:
    _, out, _ = run("sql", "select $n + 1 as n, $t as t", "--param", "n=41", "--param", "t=VISp", "--format", "json")
    assert json.loads(out) == [{"n": 42, "t": "VISp"}]


def test_a_query_may_be_a_file_or_come_from_a_pipe(run: Run, lake: Path, tmp_path: Path) -> None:
    (tmp_path / "q.sql").write_text("select 7 as seven")
    assert json.loads(run("sql", tmp_path / "q.sql", "--format", "json")[1]) == [{"seven": 7}]
    done = _process(lake, "sql", "--format", "json", stdin=b"select 8 as eight")
    assert json.loads(done.stdout) == [{"eight": 8}]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["sql", "select nothing_such from ecephys.sessions"], "nothing_such"),
        (["sql", "drop table ecephys.sessions"], ""),
        (["sql", "missing.sql"], "missing.sql"),
        (["sql", "select $a", "--param", "a"], "NAME=VALUE"),
        (["sql", "select 1", "--format", "xml"], "xml"),
        (["sql", "select 1", "-o", "answer.xyz"], "--format"),
        (["describe", "ecephys.unitss"], "ecephys.unitss"),
        (["frobnicate"], "frobnicate"),
        (["ingest"], "SOURCE"),
        (["ingest", "no/such/file.nwb"], "no/such/file.nwb"),
        (["forget", "ecephys.session/1"], "ecephys.session/1"),
        (["create"], "lake"),
        (["--at", "1", "compact"], "--at"),
        (["write", "pyproject.toml", "--as", "lab.labels"], ""),
    ],
)
def test_a_mistake_is_one_clear_line_and_exit_code_1(run: Run, arguments: list[str], says: str) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (1, "")
    assert err.startswith("brainlake: ")
    assert says in err
    assert err.count("\n") == 1 or arguments[0] == "sql"  # a mistake in a query is pointed at below


def test_damage_and_defects_are_exit_code_2(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    failures: dict[BaseException, int] = {
        DamageError("a file is gone"): 2,
        ValueError("a slip of ours"): 2,
        BrainlakeError("yours"): 1,
        KeyboardInterrupt(): 130,
    }
    for failure, code in failures.items():

        def fail(*_: object, failure: BaseException = failure) -> None:
            raise failure

        monkeypatch.setattr(Where, "open", fail)
        got, _, err = run("sql", "select 1")
        assert got == code
        assert err.strip().count("\n") == 0
        assert "Traceback" not in err


def test_an_own_table_is_written_found_and_forgotten(run: Run, tmp_path: Path) -> None:
    labels = tmp_path / "labels.csv"
    labels.write_text("unit_id,label\n1,a\n2,b\n")
    code, out, _ = run("write", labels, "--as", "lab.labels", "--key", "unit_id")
    assert (code, "wrote 2 rows to lab.labels" in out) == (0, True)
    assert json.loads(run("sql", "from lab.labels", "--format", "json")[1])[1]["label"] == "b"
    assert "lab.labels" in run("tables", "--rows", 0)[1]
    run("tag", "two")
    labels.write_text("unit_id,label\n1,a\n3,c\n")
    run("write", labels, "--as", "lab.labels", "--key", "unit_id")
    changes = json.loads(run("diff", "lab.labels", "two", json.loads(_last(run)), "--format", "json")[1])
    assert {(c["change"], c["unit_id"]) for c in changes} == {("removed", 2), ("added", 3)}
    assert json.loads(run("--at", "two", "sql", "from lab.labels", "--format", "json")[1])[1]["unit_id"] == 2


def test_a_tag_is_given_moved_and_deleted(run: Run, tmp_path: Path) -> None:
    first = _last(run)
    assert run("tag", "draft")[1] == f"snapshot {first} is draft\n"
    labels = tmp_path / "labels.csv"
    labels.write_text("unit_id\n1\n")
    run("write", labels, "--as", "lab.labels")
    now = _last(run)
    assert run("tag", "draft")[1] == f"snapshot {now} is draft; before, snapshot {first} was\n"
    told = f"snapshot {now} is no longer draft: it stays until `brainlake expire` gives it up\n"
    assert run("tag", "--delete", "draft")[:2] == (0, told)
    code, _, err = run("tag", "--delete", "draft")
    assert (code, err) == (1, "brainlake: there is no tag 'draft': the lake has none\n")


def _last(run: Run) -> str:
    return str(
        json.loads(run("sql", "select max(snapshot_id) as n from lake.snapshots", "--format", "json")[1])[0]["n"]
    )


def test_an_ingest_tells_what_became_of_each_file(run: Run, tmp_path: Path) -> None:
    files = tmp_path / "files"
    files.mkdir()
    truth = make_nwb1(files / "good.nwb")
    (files / "bad.nwb").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    code, out, err = run("ingest", files / "good.nwb", files / "bad.nwb", "--jobs", 1)
    assert code == 1
    assert out.startswith("ingested ")
    assert "1 ingested, 1 failed" in out
    assert "bad.nwb" in err.splitlines()[-1]
    again = run("ingest", files / "good.nwb")
    assert (again[0], again[1].startswith("unchanged ")) == (0, True)
    counted = json.loads(run("sql", "select count(*) as n from ecephys.nwb_units", "--format", "json")[1])
    assert counted == [{"n": sum(unit.quality == "good" for unit in truth.units)}]


def test_a_dry_run_tells_bytes_and_changes_nothing(run: Run, tmp_path: Path) -> None:
    make_nwb1(tmp_path / "good.nwb")
    before = _last(run)
    code, out, _ = run("ingest", tmp_path / "good.nwb", "--dry-run")
    assert code == 0
    assert "spikes" in out
    assert "MB" in out
    assert _last(run) == before


def test_check_says_that_all_is_well_or_what_is_damaged(run: Run, lake: Path, tmp_path: Path) -> None:
    pl.DataFrame({"unit_id": np.arange(5)}).write_parquet(tmp_path / "mine.parquet")
    run("write", tmp_path / "mine.parquet", "--as", "lab.mine")
    assert run("check", "--deep") == (0, "all is well\n", "")
    next(lake.glob("data/lab/mine/**/*.parquet")).unlink()
    code, out, _ = run("check")
    assert code == 2
    assert "is missing" in out


def test_whoever_reads_our_output_may_stop_reading(lake: Path) -> None:
    command = [sys.executable, "-m", "brainlake", "--lake", str(lake), "sql", "from range(3000000)", "--format", "csv"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        assert process.stdout
        assert process.stderr
        process.stdout.read(10)
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1  # as click does it, and without a word


def test_ctrl_c_leaves_the_lake_as_it_was(lake: Path) -> None:
    command = [sys.executable, "-m", "brainlake", "--lake", str(lake), "sql"]
    slow = "select count(*) as n from range(10000000) as a(i), range(100000) as b(j) where (i * j) % 7 = 3"
    command += [f"select 1 as a; {slow}", "--format", "csv", "--no-header"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline() == "1\n"  # so it computes the other one now
        time.sleep(0.5)
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert err.strip() == "brainlake: stopped; the lake holds what was reported done, and nothing half"
    assert _process(lake, "check").stdout == b"all is well\n"


def _process(lake: Path, *arguments: str, stdin: bytes = b"") -> subprocess.CompletedProcess[bytes]:
    command = [sys.executable, "-m", "brainlake", "--lake", str(lake), *arguments]
    return subprocess.run(command, input=stdin, capture_output=True, check=False, env=dict(os.environ))
