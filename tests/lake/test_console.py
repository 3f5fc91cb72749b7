"""The console: what its tree, completion and answers hold, and that it works in a real terminal."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import brainlake
import polars as pl
import pytest
from brainlake.lake import cli

pytest.importorskip("harlequin", reason="the console comes with the extra `console`")

from brainlake.lake import console
from brainlake.lake.console import BrainlakeAdapter, Item, LakeConnection, short_type
from harlequin.autocomplete import completer_factory
from harlequin.catalog import CatalogItem
from harlequin.exception import HarlequinConnectionError, HarlequinQueryError

SPIKES = {"unit_id": [1, 1, 2], "spike_time": [0.5, 1.5, 0.75], "area": ["VISp", None, "CA1"]}


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("console") / "lake"
    with brainlake.create(where) as lake:
        lake.tag("empty")
        lake.write("lab.spikes", pl.DataFrame(SPIKES))
    return where


@pytest.fixture
def connection(path: Path) -> Iterator[LakeConnection]:
    made = BrainlakeAdapter([str(path)]).connect()
    yield made
    made.close()


def children(items: list[CatalogItem]) -> dict[str, CatalogItem]:
    return {item.label: item for item in items}


def test_the_tree_holds_every_relation_and_function_with_its_columns(connection: LakeConnection) -> None:
    schemas = children(connection.get_catalog().items)
    names = {
        name if schema == console.FUNCTIONS else f"{schema}.{name}"
        for schema, item in schemas.items()
        for name in children(item.children)
    }
    assert names == set(connection.lake.sql("select name from lake.relations").pl()["name"])
    columns = children(children(schemas["lab"].children)["spikes"].children)
    assert {name: item.type_label for name, item in columns.items()} == {
        "unit_id": "##",
        "spike_time": "#.#",
        "area": "s",
        "ingest_id": "##",
    }


def test_the_tree_tells_units_and_what_things_are(connection: LakeConnection) -> None:
    ecephys = children(children(connection.get_catalog().items)["ecephys"].children)
    psth = ecephys["psth"]
    assert isinstance(psth, Item)
    assert (psth.type_label, psth.query_name) == (
        "m", "ecephys.psth(units, events, before := 0.5, after := 0.5, bin := 0.01)",
    )  # fmt: skip
    assert children(psth.children)["bin"].type_label == ":= s"
    drift = children(ecephys["units"].children)["max_drift"]
    assert isinstance(drift, Item)
    assert drift.type_label == "#.# um"
    assert drift.meaning.startswith("max_drift (double, um): ")


@pytest.mark.parametrize(
    ("kind", "short"),
    [("BIGINT", "##"), ("DOUBLE[]", "[#.#]"), ("DOUBLE[][]", "[[#.#]]"), ('STRUCT("a[" DOUBLE)', "{}"), ("NEW", "?")],
)
def test_types_are_short(kind: str, short: str) -> None:
    assert short_type(kind) == short


def test_an_item_is_told_described_and_asked_of_by_its_menu(connection: LakeConnection) -> None:
    schemas = children(connection.get_catalog().items)
    spikes = children(schemas["lab"].children)["spikes"]
    udf = next(item for item in schemas[console.FUNCTIONS].children)
    said: list[str] = []

    class Driver:
        notify = insert_text_in_new_buffer = insert_text_at_selection = staticmethod(said.append)

    for item in (spikes, udf, spikes.children[0]):
        assert isinstance(item, Item)
        for _, act in item.INTERACTIONS or ():
            act(item, Driver())
    told, asked, described, columns, *_ = said
    assert told.startswith("lab.spikes: ")
    cursor = connection.execute(asked)
    assert cursor is not None
    assert cursor.fetchall().num_rows == 3
    cursor = connection.execute(described)
    assert cursor is not None
    assert cursor.fetchall()["column_name"].to_pylist() == [*SPIKES, "ingest_id"]
    assert columns == "unit_id, spike_time, area, ingest_id"
    assert f"select {udf.query_name}" in said


def test_names_are_found_by_what_they_mean(connection: LakeConnection) -> None:
    found = {(*result.parents, result.item.label) for result in connection.search_catalog("refractory", "columns")}
    assert ("ecephys", "units", "isi_violations") in found
    assert [r.item.label for r in connection.search_catalog("SPIKES", "relations") if r.parents == ("lab",)] == [
        "spikes"
    ]


def test_names_keywords_and_functions_are_completed(connection: LakeConnection) -> None:
    words, members = completer_factory(connection.get_catalog(), connection.get_completions())
    assert ("lab.spikes", "lab.spikes") in [(label, value) for (label, _), value in members("lab.sp")]
    assert "spikes.spike_time" in [value for _, value in members("spikes.sp")]
    for start, value in [
        ("sel", "select"),
        ("list_so", "list_sort"),
        ("doub", "double"),
        ("adaptation_i", "adaptation_index"),
    ]:
        assert value in [found for _, found in words(start)]


def test_an_answer_has_units_over_its_columns_and_as_many_rows_as_wanted(connection: LakeConnection) -> None:
    cursor = connection.execute("select unit_id, max_drift from ecephys.units")
    assert cursor is not None
    assert cursor.columns() == [("unit_id", "##"), ("max_drift", "#.# um")]
    cursor = connection.execute("select i from range(1000000) as r(i)")
    assert cursor is not None
    assert cursor.set_limit(70_000).fetchall()["i"].to_pylist() == list(range(70_000))
    cursor = connection.execute("select 1 as one, 2 as one")
    assert cursor is not None
    assert cursor.columns() == [("one", "#"), ("one_1", "#")]


def test_an_answer_that_is_too_large_is_told_before_it_fills_memory(
    connection: LakeConnection, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(console, "MOST_BYTES", 1 << 20)
    cursor = connection.execute("select i from range(1000000000) as r(i)")
    assert cursor is not None
    with pytest.raises(HarlequinQueryError, match="fewer rows"):
        cursor.fetchall()


def test_a_statement_that_does_more_than_read_is_refused_and_told_why(connection: LakeConnection) -> None:
    for statement in ("drop table lab.spikes", "copy lab.spikes to 'x.csv'", "set threads = 1", "attach 'x.db'"):
        with pytest.raises(HarlequinQueryError, match="only reads") as refused:
            connection.execute(statement)
        assert refused.value.title == "This session only reads."
    with pytest.raises(HarlequinQueryError, match=r"Nearest names: lab\.spikes"):
        connection.execute("from lab.spike")
    cursor = connection.execute("select error('wrong: too deep') from lab.spikes")
    assert cursor is not None
    with pytest.raises(HarlequinQueryError, match="too deep"):
        cursor.fetchall()


def test_what_is_no_sql_is_not_sent(connection: LakeConnection) -> None:
    assert connection.validate_sql("from lab.spikes; select 1") == "from lab.spikes; select 1"
    assert connection.validate_sql("selec 1") == ""


def test_a_query_is_stopped(connection: LakeConnection) -> None:
    cursor = connection.execute(
        "select count(*) as n from range(10000000) as a(i), range(100000) as b(j) where i * j % 7 = 3"
    )
    assert cursor is not None
    answers: list[object] = []
    thread = threading.Thread(target=lambda: answers.append(cursor.fetchall()))
    thread.start()
    while thread.is_alive():
        connection.cancel()
        thread.join(0.05)
    assert answers == [None]
    again = connection.execute("select 1 as one")
    assert again is not None
    assert again.fetchall()["one"].to_pylist() == [1]


def test_refreshing_moves_to_the_latest_snapshot_unless_looking_back(path: Path) -> None:
    with brainlake.open(path) as writing:
        live, past = BrainlakeAdapter([str(path)]).connect(), BrainlakeAdapter([str(path)], at="empty").connect()
        try:
            for one in (live, past):
                one.get_catalog()
            writing.write("lab.news", pl.DataFrame({"x": [1]}))
            with pytest.raises(HarlequinQueryError, match="news"):
                live.execute("from lab.news")
            assert "news" in children(children(live.get_catalog().items)["lab"].children)
            assert live.execute("from lab.news") is not None
            assert "lab" not in children(past.get_catalog().items)
        finally:
            live.close()
            past.close()
            writing.forget("table/lab.news")


def test_histories_are_kept_apart_by_lake_and_snapshot(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ids = {BrainlakeAdapter([str(path)]).connection_id, BrainlakeAdapter([str(path)], at="3").connection_id}
    assert len(ids) == 2
    monkeypatch.setenv("BRAINLAKE", str(path))
    assert BrainlakeAdapter().connection_id in ids


def test_what_cannot_be_opened_is_told(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(HarlequinConnectionError, match="not a lake"):
        BrainlakeAdapter([str(tmp_path)]).connect()
    with pytest.raises(HarlequinConnectionError, match="one lake at a time"):
        BrainlakeAdapter([str(tmp_path), str(tmp_path)])
    assert cli.run(["--lake", str(tmp_path), "console"]) == 1
    assert capfd.readouterr().err.count("\n") == 1


def test_without_harlequin_the_console_says_what_to_install(
    path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert cli.run(["--lake", str(path), "console"]) == 1
    assert capfd.readouterr().err == "brainlake: the console needs harlequin: pip install 'brainlake[console]'\n"


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    """An environment in which harlequin finds and leaves nothing of whoever runs the tests."""
    return {**os.environ, "HOME": str(tmp_path), "XDG_CACHE_HOME": str(tmp_path / "cache"),
            "XDG_CONFIG_HOME": str(tmp_path / "config"), "XDG_DATA_HOME": str(tmp_path / "data")}  # fmt: skip


def test_harlequins_command_asks_the_lake(path: Path, home: dict[str, str], tmp_path: Path) -> None:
    program = Path(sys.executable).parent / "hsql"
    if not program.exists():
        pytest.skip("hsql is not beside this Python")
    ask = [program, "-a", "brainlake", path, "-c", "from lab.spikes order by all", "--json"]
    done = subprocess.run(ask, env=home, cwd=tmp_path, capture_output=True, check=False, text=True, timeout=120)
    if "not installed" in done.stderr or "Invalid value" in done.stderr:
        pytest.skip("brainlake was installed before it had this entry point: install it again")
    assert done.returncode == 0, done.stderr
    assert [row["spike_time"] for row in json.loads(done.stdout)] == [0.5, 1.5, 0.75]
    ask[5] = "drop view lab.spikes"
    done = subprocess.run(ask, env=home, cwd=tmp_path, capture_output=True, check=False, text=True, timeout=120)
    assert done.returncode != 0
    assert "only reads" in done.stdout + done.stderr


class Terminal:
    """A terminal of 160 x 45 in which one program runs."""

    def __init__(self, command: list[str], environment: dict[str, str], folder: Path) -> None:
        self._tmux = ["tmux", "-f", "/dev/null", "-L", f"brainlake-{uuid.uuid4().hex[:8]}"]
        size = ["-x", "160", "-y", "45"]
        environment = {**environment, "TERM": "xterm-256color", "LC_ALL": "C.UTF-8"}
        environment.pop("TMUX", None)
        self._run("new-session", "-d", *size, "-c", str(folder), *command, environment=environment)

    def _run(self, *arguments: str, environment: dict[str, str] | None = None) -> str:
        done = subprocess.run([*self._tmux, *arguments], env=environment, capture_output=True, text=True, check=False)
        return done.stdout

    def type(self, text: str) -> None:
        self._run("send-keys", "-l", text)

    def press(self, *keys: str) -> None:
        self._run("send-keys", *keys)

    def screen(self) -> str:
        return self._run("capture-pane", "-p")

    def shows(self, text: str, seconds: float) -> bool:
        end = time.monotonic() + seconds
        while text not in self.screen():
            if time.monotonic() > end:
                return False
            time.sleep(0.1)
        return True

    def wait_for(self, text: str) -> str:
        assert self.shows(text, 60), f"{text!r} did not show:\n{self.screen()}"
        return self.screen()

    def wait_for_end(self) -> None:
        end = time.monotonic() + 60
        while self._run("list-sessions"):
            assert time.monotonic() < end, f"it did not end:\n{self.screen()}"
            time.sleep(0.1)

    def close(self) -> None:
        self._run("kill-server")


@pytest.fixture
def terminal(path: Path, home: dict[str, str], tmp_path: Path) -> Iterator[Terminal]:
    if shutil.which("tmux") is None:
        pytest.skip("there is no tmux to make a terminal with")
    made = Terminal([sys.executable, "-m", "brainlake", "--lake", str(path), "console"], home, tmp_path)
    yield made
    made.close()


def test_it_works_in_a_terminal(terminal: Terminal) -> None:
    terminal.wait_for("▶ ecephys")
    terminal.type("select area, spike_time from lab.spikes")
    terminal.press("C-j")
    answer = terminal.wait_for("0.75")
    assert "spike_time #.#" in answer
    assert "CA1" in answer
    terminal.press("C-q")
    terminal.wait_for_end()
