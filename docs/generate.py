"""Write the pages of this folder that derive from declarations: ``python docs/generate.py`` (``make docs``).

Nothing here is a second list: tables come from their TableSpecs, views and macros from their files, UDFs from the
registry, commands from click. ``tests/test_docs.py`` fails where a page is not what this module would write.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import groupby
from pathlib import Path
from typing import TypeVar

import click
import duckdb
from brainlake.lake import questions
from brainlake.lake.cli import brainlake
from brainlake.lake.functions import declared, sql_type
from brainlake.lake.questions import Question
from brainlake.lake.spec import TableSpec
from brainlake.lake.tables import TABLES
from brainlake.tests.fixtures.memory import memory_connection

DOCS = Path(__file__).resolve().parent
DERIVED = "<!-- Derived: change the declaration and run `make docs`; edits here are lost. -->"
HELP_WIDTH = 100
Row = Sequence[object]
T = TypeVar("T")


def pages() -> dict[str, str]:
    """Every derived page: file name -> text."""
    return {name: f"{DERIVED}\n\n{make().strip()}\n" for name, make in _PAGES.items()}


def tables_page() -> str:
    """Stored tables, in the order of their schemas."""
    intro = (
        "# Tables\n\nWhat the lake stores. A *bulk* table is laid out in folders by its partition, a *small* one is not. "
        "Every table also has `ingest_id` (int64): the ingest that wrote the row, a key of `lake.ingests`. "
        "Ask the [views](views.md) first: they join, rename and choose between sources."
    )
    return "\n\n".join([intro, *_by_schema(TABLES.values(), lambda spec: spec.name, _table)])


def views_page() -> str:
    """Views, with the types that DuckDB derives."""
    views = [q for q in questions.standard().values() if q.kind == "view"]
    intro = "# Views\n\nQuestions with a name: use them as tables."
    with memory_connection() as con:
        return "\n\n".join([intro, *_by_schema(views, lambda q: q.name, lambda q: _view(q, con))])


def macros_page() -> str:
    """Table macros and scalar macros."""
    macros = [q for q in questions.standard().values() if q.kind != "view"]
    intro = (
        "# Macros\n\nQuestions with parameters: `from schema.name(a, b := 1)`. A parameter that is a relation takes its "
        "name as text, which may be a view, a table, or a `with` clause of the calling query: "
        "`from ecephys.psth('my_units', 'my_events')`."
    )
    return "\n\n".join([intro, *_by_schema(macros, lambda q: q.name, _macro)])


def udfs_page() -> str:
    """Kernels callable in SQL."""
    intro = (
        "# Functions\n\nKernels over whole numpy arrays, callable in SQL by these names; in Python the same functions "
        "lie in `brainlake.udfs`, where a LIST argument is a `Ragged`."
    )
    blocks = [intro]
    for name, udf in sorted(declared().items()):
        arguments = ", ".join(f"{n}: {sql_type(t)}" for n, t in zip(udf.names, udf.args, strict=False))
        where = udf.function.__module__.removeprefix("brainlake.").replace(".", "/")
        blocks.append(f"## {name}\n\n`{name}({arguments}) -> {sql_type(udf.returns)}` · `{where}.py`\n\n{udf.summary}")
    return "\n\n".join(blocks)


def cli_page() -> str:
    """Every command's help as it is printed."""
    blocks = ["# The command\n\nExit codes: 0 ok, 1 something you can mend, 2 a defect or damage, 130 interrupted."]
    blocks.append(_help(brainlake, "brainlake", None))
    root = click.Context(brainlake, info_name="brainlake", **brainlake.context_settings)
    for name in brainlake.list_commands(root):
        command = brainlake.get_command(root, name)
        assert command is not None
        blocks.append(f"## {name}\n\n{_help(command, name, root)}")
        if isinstance(command, click.Group):
            group = click.Context(command, info_name=name, parent=root)
            for below in command.list_commands(group):
                one = command.commands[below]
                blocks.append(f"### {name} {below}\n\n{_help(one, below, group)}")
    return "\n\n".join(blocks)


def allensdk_page() -> str:
    """What answers for each name of the Allen SDK."""
    pairs = sorted((sdk, q.signature, q.grain) for q in questions.standard().values() for sdk in q.sdk)
    intro = (
        "# Coming from the Allen SDK\n\nWhat you called there, and what answers here. `brainlake find NAME` looks this up "
        "as well. A relation with the SDK's own name reproduces the SDK's numbers, oddities included; the others are "
        "half-open `[a, b)` and keep the zeros."
    )
    blocks = [intro]
    for owner, group in groupby(pairs, key=lambda pair: pair[0].rpartition(".")[0]):
        rows = [(f"`{sdk.rpartition('.')[2]}`", f"`{ours}`", grain) for sdk, ours, grain in group]
        blocks.append(f"## {owner or 'Functions'}\n\n{_grid(('in the SDK', 'here', 'one row is'), rows)}")
    return "\n\n".join(blocks)


def _by_schema(items: Iterable[T], name: Callable[[T], str], block: Callable[[T], str]) -> list[str]:
    ordered = sorted(items, key=name)
    return [
        f"## {schema}\n\n" + "\n\n".join(block(item) for item in group)
        for schema, group in groupby(ordered, key=lambda item: name(item).partition(".")[0])
    ]


def _table(spec: TableSpec) -> str:
    facts = [f"part `{spec.part}`", f"bulk, partitioned by `{spec.partition}`" if spec.is_bulk else "small"]
    if spec.key:
        facts.append("key " + ", ".join(f"`{k}`" for k in spec.key))
    if spec.sort:
        facts.append("sorted by " + ", ".join(f"`{s}`" for s in spec.sort))
    rows = [
        (
            f"`{c.name}`",
            f"{c.type}{'' if c.nullable else ' not null'}".replace("element: ", ""),
            c.unit or "",
            c.description,
        )
        for c in spec
    ]
    return f"### {spec.name}\n\nOne row: {spec.grain}. {_capital('; '.join(facts))}.\n\n" + _grid(
        ("column", "type", "unit", "meaning"), rows
    )


def _view(question: Question, con: duckdb.DuckDBPyConnection) -> str:
    rows = []
    for name, type_, *_ in con.execute(f"describe {question.name}").fetchall():
        said = question.docs.get(name)
        told = None if said else _declared(name, question)
        text, unit = (said.text, said.unit) if said else told or ("", None)
        rows.append((f"`{name}`", type_.lower(), unit or "", text))
    return f"### {question.name}\n\n{_about(question)}\n\n{_grid(('column', 'type', 'unit', 'meaning'), rows)}"


def _declared(column: str, question: Question) -> tuple[str, str | None] | None:
    """What a table or a documented view below the question says of a column of the same name."""
    for name in sorted(questions.below([question.name], questions.standard())):
        below = questions.standard().get(name)
        if below and column in below.docs:
            return below.docs[column].text, below.docs[column].unit
    for name in sorted(questions.below([question.name], questions.standard())):
        for stored in TABLES.get(name, ()):
            if stored.name == column:
                return stored.description, stored.unit
    return None


def _macro(question: Question) -> str:
    names = dict(question.parameters)
    parameters = [(f"`{n}`", f"`{d}`" if d is not None else "", *_doc(question, n)) for n, d in question.parameters]
    columns = [(f"`{n}`", *_doc(question, n)) for n in question.docs if n not in names]
    blocks = [f"### {question.name}", f"`{question.signature}`", _about(question)]
    if parameters:
        blocks.append(_grid(("parameter", "default", "unit", "meaning"), parameters))
    if columns:
        blocks.append(_grid(("column", "unit", "meaning"), columns))
    return "\n\n".join(blocks)


def _doc(question: Question, name: str) -> tuple[str, str]:
    said = question.docs.get(name)
    return (said.unit or "", said.text) if said else ("", "")


def _about(question: Question) -> str:
    grain = question.grain.rstrip(".")
    lines = [f"One row: {grain}." if question.kind != "function" else f"{_capital(grain)}."]
    if question.sdk:
        lines.append("Answers for " + ", ".join(f"`{sdk}`" for sdk in question.sdk) + ".")
    return " ".join(lines)


def _help(command: click.Command, name: str, parent: click.Context | None) -> str:
    # with the command's own settings, as a run has them: click keeps what the first context makes of them
    settings = {**command.context_settings, "terminal_width": HELP_WIDTH}
    context = click.Context(command, info_name=name, parent=parent, **settings)
    return f"```\n{command.get_help(context).rstrip()}\n```"


def _grid(head: Sequence[str], rows: Iterable[Row]) -> str:
    """A Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


_PAGES: dict[str, Callable[[], str]] = {
    "tables.md": tables_page,
    "views.md": views_page,
    "macros.md": macros_page,
    "udfs.md": udfs_page,
    "cli.md": cli_page,
    "coming-from-allensdk.md": allensdk_page,
}

if __name__ == "__main__":
    for file, page in pages().items():
        (DOCS / file).write_text(page, encoding="utf-8")
