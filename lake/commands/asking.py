"""Ask the lake, and learn what it can be asked."""

from __future__ import annotations

import importlib.util
import json
import sys
from pathlib import Path
from typing import Any

import click

from ..errors import BrainlakeError, QueryError
from ..output import write_answer
from .base import Where, examples, output_options, pass_where, split_names, write_relation


@click.command(
    epilog=examples(
        'brainlake sql "select count(*) from ecephys.good_units"',
        "brainlake sql question.sql --param session=791319847 -o answer.parquet",
        "echo 'from ecephys.sessions' | brainlake sql --format json",
        "brainlake --at before_patch sql 'from ecephys.probes' --format csv",
        "brainlake --lake recording.nwb sql 'from ecephys.units'",
    )
)
@click.argument("query", required=False)
@click.option("--param", "params", multiple=True, metavar="NAME=VALUE", help="Value of $NAME in the query. Repeatable.")
@output_options
@pass_where
def sql(
    where: Where, query: str | None, params: tuple[str, ...], format: str | None, output: Path | None, rows: int
) -> None:
    """Ask a question in DuckDB's SQL.

    QUERY is the question, or the name of a .sql file that holds it; `-` or nothing reads standard input. Formats:
    table (for people), csv, json (an array of objects), parquet, arrow (a stream; with -o a Feather file), swc (the
    nodes of one reconstruction).
    """
    text = query_text(query)
    write_answer(where.open().sql(text, query_values(params) or None).reader(), format, output, rows)


def query_text(query: str | None) -> str:
    """A query as it was given: itself, in a .sql file, or on standard input."""
    if query is None and sys.stdin.isatty():
        raise click.UsageError("name a QUERY, a .sql file, or pipe one in")
    if query in (None, "-"):
        return sys.stdin.read()
    assert query is not None
    if query.endswith(".sql") and " " not in query:
        try:
            return Path(query).read_text(encoding="utf-8")
        except OSError as error:
            raise QueryError(f"{query}: {error.strerror}") from None
    return query


def query_values(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Values of ``--param NAME=VALUE``: JSON where it is, else text."""
    values: dict[str, Any] = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.isidentifier():
            raise click.UsageError(f"--param {pair}: write NAME=VALUE")
        try:
            values[name] = json.loads(value)  # numbers, true, null, lists
        except ValueError:
            values[name] = value
    return values


@click.command(
    context_settings={"ignore_unknown_options": True},
    epilog=examples(
        "brainlake console", "brainlake --at before_patch console", "brainlake console --theme monokai --limit 1000"
    ),
)
@click.argument("options", nargs=-1, type=click.UNPROCESSED, metavar="[HARLEQUIN OPTIONS]...")
@pass_where
def console(where: Where, options: tuple[str, ...]) -> None:
    """Ask in a terminal client: a tree of what there is, completion, history, export.

    It is harlequin (extra `console`), which takes options of its own: `harlequin --help` lists them.
    """
    if importlib.util.find_spec("harlequin") is None:
        raise BrainlakeError("the console needs harlequin: pip install 'brainlake[console]'")
    where.open().close()  # a lake that cannot be opened is told here, in one line
    from harlequin.cli import build_cli

    lake = [str(where.path)] if where.path is not None else []
    arguments = ["-a", "brainlake", *(["--at", where.at] if where.at else []), *options, *lake]
    click.get_current_context().exit(build_cli(arguments).main(arguments, "harlequin", standalone_mode=False) or 0)


@click.command(epilog=examples("brainlake tables", "brainlake tables --format json"))
@output_options
@pass_where
def tables(where: Where, **output: Any) -> None:
    """List every relation a question can name."""
    write_relation(where.open().tables(), output)


@click.command(epilog=examples("brainlake describe ecephys.good_units", "brainlake describe ecephys.psth"))
@click.argument("name")
@output_options
@pass_where
def describe(where: Where, name: str, **output: Any) -> None:
    """Tell the columns of a table or view, or the parameters of a macro or function."""
    write_relation(where.open().describe(name), output)


@click.command(epilog=examples("brainlake find isi_violations", "brainlake find get_stimulus_table"))
@click.argument("word")
@output_options
@pass_where
def find(where: Where, word: str, **output: Any) -> None:
    """Find relations by a word: in names, descriptions, columns, or the Allen SDK's names."""
    write_relation(where.open().find(word), output)


@click.command(epilog=examples("brainlake holdings"))
@output_options
@pass_where
def holdings(where: Where, **output: Any) -> None:
    """Tell what is here, what is known but not here, and what failed."""
    write_relation(where.open().holdings, output)


@click.command(epilog=examples("brainlake snapshots --rows 0"))
@output_options
@pass_where
def snapshots(where: Where, **output: Any) -> None:
    """List the lake's history, a row a commit."""
    write_relation(where.open().snapshots(), output)


@click.command(epilog=examples("brainlake diff ecephys.units 12 13", "brainlake diff lab.labels submitted 40"))
@click.argument("relation")
@click.argument("before")
@click.argument("after")
@click.option("--key", metavar="COLUMNS", help="Columns that tell its rows apart; by default a table's own key.")
@output_options
@pass_where
def diff(where: Where, relation: str, before: str, after: str, key: str | None, **output: Any) -> None:
    """Tell the rows of a relation that were added, removed or changed between two snapshots.

    RELATION is a name, or a query. What a row had before stands in columns that end in _before.
    """
    a, b = (int(at) if at.isdigit() else at for at in (before, after))
    rows = where.open().diff(relation, a, b, split_names(key)).to_arrow()
    write_answer(rows.to_reader(), output["format"], output["output"], output["rows"])


@click.command(epilog=examples("brainlake explain 'from ecephys.good_units'"))
@click.argument("query", required=False)
@output_options
@pass_where
def explain(where: Where, query: str | None, **output: Any) -> None:
    """Tell how a question will be answered: what is stored, what is kept of views, and what is computed."""
    answer = where.open().explain(query_text(query))
    write_answer(answer.to_reader(), output["format"], output["output"], output["rows"])
