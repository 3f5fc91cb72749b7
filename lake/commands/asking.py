"""Ask the lake, and learn what it can be asked."""

from __future__ import annotations

import importlib.util
import json
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from ..errors import BrainlakeError, QueryError
from ..output import LINES, format_for
from .base import Where, examples, listing_options, output_options, pass_where, split_names, write_relation, write_rows


@click.command(
    epilog=examples(
        'brainlake sql "select count(*) from ecephys.good_units"',
        "brainlake sql -f question.sql -p session=791319847 -o answer.parquet",
        "echo 'from ecephys.sessions' | brainlake sql --format json",
        "brainlake --at before_patch sql 'from ecephys.probes' --format csv",
        "brainlake --lake recording.nwb sql 'from ecephys.units' -x",
    )
)
@click.argument("query", required=False)
@click.option("-f", "--file", "path", type=click.Path(path_type=Path), help="Read the question from a file.")
@click.option(
    "-p",
    "--param",
    "params",
    multiple=True,
    metavar="NAME[:TYPE]=VALUE",
    help="Value of $NAME in the query, of a type of SQL, else of the type that it looks like. Repeatable.",
)
@click.option("--timing", is_flag=True, help="Tell on standard error how long each answer took.")
@output_options
@pass_where
def sql(
    where: Where, query: str | None, path: Path | None, params: tuple[str, ...], timing: bool, **output: Any
) -> None:
    """Ask a question in DuckDB's SQL.

    QUERY is the question, or the name of a .sql file that holds it; `-` or nothing reads standard input. Several
    questions, each ended by a semicolon, are answered one after the other, once all of them are known to be right.

    \b
    Formats, also told by the suffix of -o:
      table, markdown, html  for people: with units, numbers to six digits
      csv, tsv, dat          values apart; lists as JSON (dat: by blanks, no lists, no header)
      json, jsonl            an array of objects, or an object a line
      parquet, arrow         columns with their units (a stream; with -o a Feather file)
      swc, nwb               one reconstruction's nodes, one cell's sweeps
      nrrd, nifti, metaimage, npy   a volume's planes
    """
    if path is not None and query is not None:
        raise click.UsageError("name a QUERY or a --file, not both")
    statements = _statements(_read(path) if path is not None else query_text(query))
    chosen = format_for(output["format"], output["output"])
    if len(statements) > 1 and (chosen not in LINES or output["output"] is not None):
        place = "a file" if output["output"] is not None else f"--format {chosen}"
        raise click.UsageError(f"{place} holds one answer, and these are {len(statements)} questions")
    lake = where.open()
    values = query_values(params)
    relations = [lake.sql(one, _named_in(one, values)) for one in statements]
    unused = [name for name in values if not any(_named_in(one, {name: None}) for one in statements)]
    if unused:
        raise click.UsageError(f"the query has no ${unused[0]}, of which --param gives the value")
    for i, relation in enumerate(relations):
        if i and chosen in ("csv", "tsv", "markdown"):
            click.echo()
        started = time.perf_counter()
        write_relation(relation, output)
        if timing:
            click.echo(f"answered in {time.perf_counter() - started:.3f} s", err=True)


def _statements(text: str) -> list[str]:
    """The statements of a text, each on the line where it stands, for complaints to tell."""
    import duckdb

    try:
        found = [one.query for one in duckdb.extract_statements(text)]
    except duckdb.Error:
        return [text]  # to be complained of when it is asked
    lines, statements = 0, []
    for one in found:
        statements.append("\n" * lines + one)
        lines += one.count("\n")
    return statements or [text]


def _named_in(statement: str, values: dict[str, Any]) -> dict[str, Any] | None:
    """The values that a statement has names for: DuckDB refuses others."""
    import duckdb

    names = {name.lower() for one in duckdb.extract_statements(statement) for name in one.named_parameters}
    return {name: value for name, value in values.items() if name.lower() in names} or None


def _read(path: Path) -> str:
    if str(path) == "-":
        return sys.stdin.read()
    try:
        return path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise QueryError(f"{path}: {error.strerror}") from None
    except UnicodeDecodeError:
        raise QueryError(f"{path}: is no text in UTF-8") from None


def query_text(query: str | None) -> str:
    """A query as it was given: itself, in a .sql file, or on standard input."""
    if query is None and sys.stdin.isatty():
        raise click.UsageError("name a QUERY, a .sql file, or pipe one in")
    if query is None or query == "-" or (query.endswith(".sql") and " " not in query):
        return _read(Path(query or "-"))
    return query


def query_values(pairs: tuple[str, ...]) -> dict[str, Any]:
    """Values of ``--param NAME[:TYPE]=VALUE``: of the type, or as JSON reads them, else text."""
    values: dict[str, Any] = {}
    for pair in pairs:
        named, equals, value = pair.partition("=")
        name, colon, kind = named.partition(":")
        if not equals or not name.isidentifier():
            raise click.UsageError(f"--param {pair}: write NAME=VALUE, or NAME:TYPE=VALUE")
        if colon:
            values[name] = _cast(value, kind, pair)
            continue
        try:
            values[name] = json.loads(value)  # numbers, true, null, lists
        except ValueError:
            values[name] = value
    return values


def _cast(value: str, kind: str, pair: str) -> Any:
    import duckdb

    try:
        with duckdb.connect() as con:
            return con.execute(f"select cast(? as {duckdb.sqltype(kind)})", [value]).fetchall()[0][0]
    except duckdb.Error as error:
        raise click.UsageError(f"--param {pair}: {str(error).splitlines()[0]}") from None


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


def _names(start: str, *, with_schema: bool) -> Iterator[str]:
    """Names of relations of every lake, for shells to complete; a lake's own would take longer to find."""
    from ..functions import declared
    from ..questions import standard
    from ..relations import RELATIONS
    from ..tables import TABLES

    names = {*TABLES, *RELATIONS, *standard(), *(declared() if with_schema else ())}
    found = names if with_schema else {name.partition(".")[0] for name in names}
    return (name for name in sorted(found) if name.startswith(start))


def complete_name(_context: click.Context, _parameter: click.Parameter, start: str) -> list[str]:
    """Whole names that begin so; nothing where that cannot be known."""
    return list(_names(start, with_schema=True))


def complete_schema(_context: click.Context, _parameter: click.Parameter, start: str) -> list[str]:
    """Schemas that begin so."""
    return list(_names(start, with_schema=False))


@click.command(epilog=examples("brainlake tables", "brainlake tables ecephys", "brainlake tables --format json"))
@click.argument("schema", required=False, shell_complete=complete_schema)
@listing_options
@pass_where
def tables(where: Where, schema: str | None, **output: Any) -> None:
    """List every relation a question can name, or those of a SCHEMA."""
    write_relation(where.open().tables(schema), output)


@click.command(
    epilog=examples("brainlake describe ecephys.good_units", "brainlake describe psth", "brainlake describe -x units")
)
@click.argument("name", shell_complete=complete_name)
@listing_options
@pass_where
def describe(where: Where, name: str, **output: Any) -> None:
    """Tell what a table, view, macro or function is: its columns, or its parameters and results.

    NAME may leave out the schema where only one relation has it.
    """
    lake = where.open()
    if output["output"] is None and format_for(output["format"], None) == "table":
        told = lake.sql("from lake.relations where name = ?", [lake.full_name(name)]).one()
        click.echo(f"{told.signature}  ({told.kind})\n  {told.grain}")
        if told.sdk:
            click.echo(f"  in the Allen SDK: {told.sdk}")
    write_relation(lake.describe(name), output)


@click.command(epilog=examples("brainlake find isi_violations", "brainlake find get_stimulus_table"))
@click.argument("word")
@listing_options
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


@click.command(epilog=examples("brainlake ingests", "brainlake ingests --rows 0 -o notebook.csv"))
@output_options
@pass_where
def ingests(where: Where, **output: Any) -> None:
    """Tell what was ingested, when, by whom, from where: a line a source, as in a laboratory notebook."""
    query = "select * exclude (role, note, snapshot_id, ingest_id) from lake.notebook order by snapshot_id"
    write_relation(where.open().sql(query), output)


@click.command(epilog=examples("brainlake snapshots --rows 0"))
@output_options
@pass_where
def snapshots(where: Where, **output: Any) -> None:
    """List the lake's history, a row a commit."""
    write_relation(where.open().snapshots(), output)


@click.command(epilog=examples("brainlake diff ecephys.units 12 13", "brainlake diff lab.labels submitted 40"))
@click.argument("relation", shell_complete=complete_name)
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
    write_rows(rows.to_reader(), output)


@click.command(epilog=examples("brainlake explain 'from ecephys.good_units'"))
@click.argument("query", required=False)
@output_options
@pass_where
def explain(where: Where, query: str | None, **output: Any) -> None:
    """Tell how a question will be answered: what is stored, what is kept of views, and what is computed."""
    answer = where.open().explain(query_text(query))
    write_rows(answer.to_reader(), output)
