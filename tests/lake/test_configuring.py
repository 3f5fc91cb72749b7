"""Options from a configuration file: below the command line, above the environment and the defaults."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import brainlake
import pytest
from brainlake.lake import cli

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture
def run(capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Run:
    monkeypatch.chdir(tmp_path)
    for name in ("BRAINLAKE", "BRAINLAKE_CONFIG"):
        monkeypatch.delenv(name, raising=False)

    def run_command(*arguments: object) -> tuple[int, str, str]:
        capfd.readouterr()
        code = cli.run([str(a) for a in arguments])
        return (code, *capfd.readouterr())

    return run_command


@pytest.fixture
def lakes(tmp_path: Path) -> tuple[Path, Path]:
    """Two lakes; only the first has a tag."""
    one, two = tmp_path / "one", tmp_path / "two"
    with brainlake.create(one) as lake:
        lake.tag("mine")
    brainlake.create(two).close()
    return one, two


def config(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


WHERE = "from lake.snapshots"


def test_the_file_is_below_the_command_line_and_above_the_environment(run, lakes, tmp_path, monkeypatch):
    one, two = lakes
    said = config(tmp_path / "brainlake.conf", f"[brainlake]\nlake = {one}\n\n[sql]\nformat = csv\n")
    monkeypatch.setenv("BRAINLAKE", str(two))
    assert run("--config", said, "sql", "select 1 as a")[:2] == (0, '"a"\n1\n')
    assert "mine" in run("--config", said, "sql", WHERE)[1]
    assert "mine" not in run("sql", WHERE)[1]
    assert "mine" not in run("--config", said, "--lake", two, "sql", WHERE)[1]
    assert run("--config", said, "sql", "--format", "json", "select 1 as a")[1].split() == ["[", '{"a":1}', "]"]
    monkeypatch.setenv("BRAINLAKE_CONFIG", str(said))
    assert run("sql", "select 1 as a")[1] == '"a"\n1\n'


def test_json_with_comments_says_the_same(run, lakes, tmp_path):
    own = json.dumps({"lake": str(lakes[0])})
    text = f'{{"brainlake": {own}, // where it is\n "brainlake sql": {{"format": "csv", "output": ""}}}}'
    assert run("--config", config(tmp_path / "c.json", text), "sql", "select 2 as a")[:2] == (0, '"a"\n2\n')


def test_commands_of_commands_have_sections_of_their_own(run, lakes, tmp_path):
    said = config(tmp_path / "b.conf", "[serve rma]\nport = 99999999\n[sql]\nformat =\n")
    code, _, error = run("--config", said, "--lake", lakes[0], "serve", "rma")
    assert (code, "port" in error) == (1, True)
    assert run("--config", said, "--lake", lakes[0], "sql", "select 1 as a")[0] == 0  # what is empty says nothing


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[brainlake]\nwings = 2\n", "section 'brainlake' has no option 'wings'"),
        ("[fly]\nlake = x\n", "section 'fly' names no command"),
        ("[serve fly]\nport = 2\n", "section 'serve fly' names no command"),
        ("[brainlake]\nconfig = x\n", "has no option 'config'"),
        ("lake = x\n", "is no configuration file"),
        ("[sql]\nformat = runes\n", "runes"),
    ],
)
def test_what_is_no_option_is_told_with_its_file(run, lakes, tmp_path, text, told):
    code, _, error = run("--config", config(tmp_path / "b.conf", text), "--lake", lakes[0], "sql", "select 1")
    assert (code, told in error, error.count("\n")) == (1, True, 1), error
    code, _, error = run("--config", tmp_path / "absent.conf", "sql", "select 1")
    assert (code, "absent.conf" in error) == (1, True)
