"""What docs/notebooks.md shows runs as it stands there, and prints what it should."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import brainlake
import pytest
from brainlake.tests.fixtures.allen_ecephys import make_session

PAGE = Path(__file__).resolve().parent.parent.parent / "docs" / "notebooks.md"
CELLS = dict(
    re.findall(r"^### (\S+)\n.*?```ipython\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
)
SHELL = """
import sys
from IPython.testing.globalipapp import start_ipython
shell = start_ipython()
found = shell.run_cell(sys.stdin.read())
found.raise_error()
"""


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("cells")
    make_session(folder / "session.nwb")
    with brainlake.create(folder / "lake") as made:
        made.ingest(folder / "session.nwb").raise_failed()
    return folder / "lake"


def printed(command: list[str], text: str, lake: Path, tmp_path: Path) -> list[str]:
    """What a program prints that reads a text, on a lake."""
    environment = {**os.environ, "BRAINLAKE": str(lake), "IPYTHONDIR": str(tmp_path), "HOME": str(tmp_path)}
    done = subprocess.run(
        command, input=text, env=environment, capture_output=True, text=True, check=False, cwd=tmp_path, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.splitlines()


@pytest.mark.parametrize(
    ("library", "module", "said"),
    [
        ("magic-duckdb", "magic_duckdb", "['structure_acronym', 'n'] True"),
        ("marimo", "marimo", "polars ['structure_acronym', 'n']"),
        ("jupysql", "sql", "['structure_acronym', 'n'] True"),
    ],
)
def test_cells_of_sql_ask_the_lake(library: str, module: str, said: str, lake: Path, tmp_path: Path) -> None:
    pytest.importorskip("IPython")
    pytest.importorskip(module, reason=f"{library} is not installed")
    assert said in printed([sys.executable, "-c", SHELL], CELLS[library], lake, tmp_path)


def test_every_library_that_is_shown_is_tested() -> None:
    assert set(CELLS) == {"magic-duckdb", "marimo", "jupysql"}


def test_the_page_scans_as_it_says(lake: Path, tmp_path: Path) -> None:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    assert printed([sys.executable, "-"], block, lake, tmp_path) == ["['unit_id', 'structure_acronym']"]
