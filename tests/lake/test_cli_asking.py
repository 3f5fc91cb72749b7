"""``brainlake sql`` and the data dictionary on the command line."""

from __future__ import annotations

import csv
import io
import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import brainlake
import polars as pl
import pyarrow as pa
import pytest
from brainlake.lake import cli, text_tables
from brainlake.lake.text_tables import write_table
from rich.console import Console

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("asking") / "lake"
    times = pa.field("spike_time", pa.float64(), metadata={"unit": "s"})
    schema = pa.schema([("unit_id", pa.int64()), times, ("area", pa.string())])
    spikes = pa.table({"unit_id": [1, 2], "spike_time": [0.5, None], "area": ["VISp|l\nx", "CA1"]}, schema=schema)
    with brainlake.create(path) as made:
        made.write("lab.spikes", spikes)
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


SPIKES = "select unit_id, spike_time, area from lab.spikes order by unit_id"


def test_tab_separated_values_read_back(run: Run) -> None:
    rows = list(csv.reader(io.StringIO(run("sql", SPIKES, "--format", "tsv")[1]), delimiter="\t"))
    assert rows == [["unit_id", "spike_time", "area"], ["1", "0.5", "VISp|l\nx"], ["2", "", "CA1"]]


def test_values_come_without_names_where_that_is_wanted(run: Run) -> None:
    assert run("sql", "select 1 as a, 2 as b", "--format", "csv", "--no-header")[1] == "1,2\n"
    assert run("sql", "select 1 as a, 2 as b", "--no-header")[1].split() == ["1", "2"]


def test_json_lines_are_an_object_each(run: Run) -> None:
    lines = run("sql", SPIKES, "--format", "jsonl")[1].splitlines()
    assert [json.loads(line) for line in lines] == [
        {"unit_id": 1, "spike_time": 0.5, "area": "VISp|l\nx"},
        {"unit_id": 2, "spike_time": None, "area": "CA1"},
    ]
    assert run("sql", "select 1 as a where false", "--format", "jsonl") == (0, "", "")


def test_markdown_has_units_and_escapes_what_would_break_the_table(run: Run) -> None:
    assert run("sql", SPIKES, "--format", "markdown")[1].splitlines() == [
        "| unit_id | spike_time (s) | area |",
        "| ---: | ---: | --- |",
        "| 1 | 0.5 | VISp\\|l<br>x |",
        "| 2 | NULL | CA1 |",
    ]


def test_a_page_of_html_holds_every_row(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    assert run("sql", "select i, '<b>' as t from range(70000) as r(i)", "-o", path)[0] == 0
    page = path.read_text()
    assert page.count("<tr>") == 70_001
    assert "<b>" not in page
    assert "spike_time [s]" in run("sql", SPIKES, "--format", "html")[1]


def test_several_questions_are_answered_one_after_the_other(run: Run, tmp_path: Path) -> None:
    script = tmp_path / "script.txt"
    script.write_text("-- first; of two\nselect 1 as a;\n\nselect ';' as b; -- the end\n")
    assert run("sql", "-f", script, "--format", "csv")[1] == '"a"\n1\n\n"b"\n";"\n'
    assert run("sql", "-f", script, "--format", "jsonl")[1] == '{"a":1}\n{"b":";"}\n'
    for wrong in (["--format", "json"], ["-o", tmp_path / "x.csv"]):
        code, _, err = run("sql", "-f", script, *wrong)
        assert (code, "2 questions" in err) == (1, True)


def test_nothing_is_answered_before_all_questions_are_known_to_be_right(run: Run) -> None:
    code, out, err = run("sql", "select 1;\n\nselect nope\nfrom lab.spikes")
    assert (code, out) == (1, "")
    assert "LINE 3: select nope" in err


def test_a_mistake_is_told_with_its_line_and_the_nearest_name(run: Run) -> None:
    code, _, err = run("sql", "select unit_id,\n  spike_tim\nfrom lab.spikes")
    assert code == 1
    assert err.splitlines()[1:] == ["LINE 2:   spike_tim", "          ^^^^^^^^^", "Nearest names: spike_time"]


def test_parameters_have_the_type_that_is_named(run: Run) -> None:
    query = "select typeof($n) as n, $d + 1 as d, $n || 'x' as x; select $n as n"
    given = ["-p", "n:varchar=42", "--param", "d:date=2020-02-28"]
    assert run("sql", query, *given, "--format", "jsonl", "--timing")[1].splitlines() == [
        '{"n":"VARCHAR","d":"2020-02-29","x":"42x"}',
        '{"n":"42"}',
    ]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["select $n", "-p", "n:int=x"], "Could not convert"),
        (["select $n", "-p", "n:nope=1"], "nope"),
        (["select $n", "-p", "n"], "NAME=VALUE"),
        (["select 1", "-p", "n=1"], "has no $n"),
        (["select $n"], "n"),
        (["select 1", "-f", "x.sql"], "not both"),
        (["-f", "no/such.sql"], "No such file"),
        (["-f", "/proc/self/exe"], "no text in UTF-8"),
    ],
)
def test_what_cannot_be_asked_is_one_complaint(run: Run, arguments: list[str], says: str) -> None:
    code, out, err = run("sql", *arguments)
    assert (code, out, err.count("\n")) == (1, "", 1)
    assert says in err


def test_the_time_an_answer_took_is_told_apart_from_it(run: Run) -> None:
    code, out, err = run("sql", "select 1 as a; select 2 as a", "--timing", "--format", "csv", "--no-header")
    assert (code, out.split()) == (0, ["1", "2"])
    assert [line.split()[:2] for line in err.splitlines()] == [["answered", "in"]] * 2


def shown(table: pa.Table, width: int, rows: int = 0, upright: bool = False, batch: int = 1000) -> str:
    console = Console(file=io.StringIO(), width=width)
    write_table(table.to_reader(batch), console, rows, upright=upright)
    return console.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_a_table_folds_texts_before_it_leaves_columns_out() -> None:
    table = pa.table({"number": [1234567890], "text": ["word " * 20], "other": [0.5]})
    assert len(max(shown(table, 200).splitlines(), key=len)) > 100
    folded = shown(table, 60)
    assert max(map(len, folded.splitlines())) <= 60
    assert folded.count("word") == 20
    assert "1234567890" in folded


def test_columns_without_room_are_named() -> None:
    wide = pa.table({f"column_{i}": [i] for i in range(12)})
    text = shown(wide, 60)
    assert max(map(len, text.splitlines())) <= 60
    head, told = text.split("(no room for ")
    n_shown = head.count("column_")
    assert told.startswith(f"{12 - n_shown} columns, -x shows them: column_{n_shown}, ")
    assert told.count("column_") == 12 - n_shown
    upright = shown(wide, 60, upright=True)
    assert [line.split() for line in upright.splitlines()[1:13]] == [[f"column_{i}", str(i)] for i in range(12)]


def test_rows_beyond_those_shown_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    table = pa.table({"i": range(2500)})
    assert "(first 10 rows, 2,490 more; --rows 0 shows all)" in shown(table, 80, 10)
    assert "(2,500 rows)" in shown(table, 80)
    monkeypatch.setattr(text_tables, "SECONDS_TO_COUNT", 0)
    assert "(first 10 rows, over 1,990 more; --rows 0 shows all)" in shown(table, 80, 10)


def test_units_stand_below_names_and_null_is_seen(run: Run) -> None:
    lines = [line.split() for line in run("sql", SPIKES)[1].splitlines() if line.strip()]
    assert lines[:2] == [["spike_time"], ["unit_id", "s", "area"]]
    assert ["2", "NULL", "CA1"] in lines


def test_describing_tells_what_it_is_its_parameters_and_results(run: Run) -> None:
    _, out, _ = run("describe", "psth")
    assert out.startswith(
        "ecephys.psth(units, events, before := 0.5, after := 0.5, bin := 0.01)  (macro)\n  one time bin"
    )
    rows = json.loads(run("describe", "ecephys.psth", "--format", "json")[1])
    kinds = {row["column_name"]: (row["column_type"], row["unit"]) for row in rows}
    assert (kinds["bin"], kinds["spikes_per_s"]) == (("parameter", "s"), ("result", "spikes/s"))
    _, out, _ = run("describe", "ecephys.units")
    assert "in the Allen SDK: EcephysProjectCache.get_units" in out
    assert "adaptation_index(intervals)  (udf)" in run("describe", "adaptation_index")[1]


def test_a_name_that_several_schemas_have_must_be_whole(run: Run) -> None:
    code, _, err = run("describe", "files")
    assert (code, "did you mean" in err) == (1, True)


def test_relations_are_listed_whole_or_by_schema(run: Run) -> None:
    names = [row["name"] for row in json.loads(run("tables", "lab", "--format", "json")[1])]
    assert names == ["lab.spikes"]
    everything = json.loads(run("tables", "--format", "json")[1])
    assert run("tables")[1].rstrip().endswith(f"({len(everything)} rows)")
    assert run("tables", "nope")[0] == 1


def test_shells_complete_names(lake: Path) -> None:
    def complete(words: str) -> list[str]:
        n = len(words.split()) - (not words.endswith(" "))
        asked = {**os.environ, "_BRAINLAKE_COMPLETE": "bash_complete", "COMP_WORDS": words, "COMP_CWORD": str(n)}
        done = subprocess.run(
            [sys.executable, "-m", "brainlake"], env=asked, capture_output=True, check=False, text=True
        )
        return [line.partition(",")[2] for line in done.stdout.splitlines()]

    assert "ecephys.psth" in complete("brainlake describe ecephys.ps")
    assert complete("brainlake tables ece") == ["ecephys"]


def test_memory_does_not_grow_with_the_answer(lake: Path) -> None:
    def peak(n: int) -> int:
        code = (
            "import resource, sys; from brainlake.lake import cli\n"
            f"code = cli.run(['--lake', {str(lake)!r}, 'sql', 'select i, i / 7 as x from range({n}) as r(i)', '--format', 'csv'])\n"
            "print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", code], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, check=True
        )
        return int(done.stderr)

    assert peak(4_000_000) < peak(400_000) + 40_000  # kB; whole, the answer is 64 MB of columns and 80 MB of text


def test_a_file_is_whole_or_as_it_was(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "answer.csv"
    path.write_text("before")
    query = "select if(i < 200000, i, error('wrong: too far')::bigint) as i from range(300000) as r(i)"
    assert run("sql", query, "-o", path)[0] == 1
    assert path.read_text() == "before"
    assert run("sql", "select 1 as i", "-o", path)[0] == 0
    assert pl.read_csv(path)["i"].to_list() == [1]
    assert [p.name for p in tmp_path.iterdir()] == ["answer.csv"]
