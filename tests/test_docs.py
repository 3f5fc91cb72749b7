"""The derived pages say what the declarations say, and nothing public is left undocumented."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import click
import pytest
from brainlake.lake import questions
from brainlake.lake.cli import brainlake
from brainlake.lake.functions import declared
from brainlake.lake.tables import TABLES

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
LINK = re.compile(r"\]\(([^)#:\s]+)(?:#[^)]*)?\)")


@pytest.fixture(scope="module")
def generate() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_generate", DOCS / "generate.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_derived_pages_are_what_the_declarations_say(generate: ModuleType) -> None:
    stale = [
        name
        for name, text in generate.pages().items()
        if not (DOCS / name).exists() or (DOCS / name).read_text(encoding="utf-8") != text
    ]
    assert not stale, f"run `make docs`: {', '.join(stale)}"


def test_every_table_column_has_a_meaning() -> None:
    assert [f"{spec.name}.{c.name}" for spec in TABLES.values() for c in spec if not c.description] == []


def test_every_column_of_a_view_has_a_meaning(generate: ModuleType) -> None:
    """Given in its header, or inherited from the table or view below that has a column of the name."""
    page = generate.views_page()
    bare = []
    for line in page.splitlines():
        if line.startswith("### "):
            view = line[4:]
        elif line.startswith("| `") and line.rstrip().endswith("|  |"):
            bare.append(f"{view}.{line.split('`')[1]}")
    assert bare == []


def test_every_macro_tells_its_parameters() -> None:
    untold = [
        f"{q.name}({name})" for q in questions.standard().values() for name, _ in q.parameters if name not in q.docs
    ]
    assert untold == []


def test_every_kernel_says_what_it_computes() -> None:
    assert [name for name, udf in declared().items() if not udf.summary] == []


def test_every_command_and_option_has_help_and_every_command_an_example() -> None:
    for name, command in brainlake.commands.items():
        assert command.help, name
        assert command.epilog, f"brainlake {name} shows no example"
        assert f"brainlake {name}" in command.epilog or f" {name} " in command.epilog, name
        for parameter in command.params:
            if isinstance(parameter, click.Option):
                assert parameter.help, f"brainlake {name} {parameter.opts[0]}"


@pytest.mark.parametrize("page", sorted([*DOCS.glob("*.md"), ROOT / "README.md"]), ids=lambda p: p.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert [to for to in LINK.findall(text) if not (page.parent / to).exists()] == []
