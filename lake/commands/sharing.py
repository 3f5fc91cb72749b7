"""Give a lake or an answer to others: copies, frozen lakes, lock files, citations; and bring an old lake up to date."""

from __future__ import annotations

import json
from pathlib import Path

import click

from .asking import query_text, query_values
from .base import USER_ERROR, Where, examples, pass_where

query_argument = click.argument("query", required=False)
params_option = click.option(
    "--param", "params", multiple=True, metavar="NAME=VALUE", help="Value of $NAME in the query. Repeatable."
)


@click.command(
    epilog=examples(
        'brainlake cite "select * from ecephys.units where session_id = 715093703"',
        "brainlake cite figure2.sql > 2.bib",
    )
)
@query_argument
@params_option
@pass_where
def cite(where: Where, query: str | None, params: tuple[str, ...]) -> None:
    """Tell, as BibTeX, what the sources of an answer ask to be cited by."""
    click.echo(where.open().sql(query_text(query), query_values(params) or None).cite(), nl=False)


@click.command(epilog=examples("brainlake provenance 'from ecephys.good_units'"))
@query_argument
@params_option
@pass_where
def provenance(where: Where, query: str | None, params: tuple[str, ...]) -> None:
    """Tell, as JSON, where an answer comes from: sources with SHA-256, versions, and the code that makes it."""
    found = where.open().sql(query_text(query), query_values(params) or None).provenance()
    click.echo(json.dumps(found, indent=2))


@click.command(epilog=examples("brainlake lock figure2.sql figure2.json", "brainlake restore figure2.json"))
@click.argument("query")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@params_option
@pass_where
def lock(where: Where, query: str, file: Path, params: tuple[str, ...]) -> None:
    """Write down a question, where its answer comes from, and the answer, to compare later.

    QUERY is the question, a .sql file, or `-`. FILE ends in .json; the answer lies beside it as Parquet.
    """
    lake = where.open()
    lake.sql(query_text(query), query_values(params) or None).lock(file)
    click.echo(f"locked {file} (snapshot {lake.snapshot})")


@click.command(
    epilog=examples("brainlake restore figure2.json", "brainlake --at submitted restore figure2.json --strict")
)
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option(
    "--relative",
    type=click.FloatRange(0),
    default=1e-9,
    show_default=True,
    help="Floats that differ by no more than this part of the larger are the same.",
)
@click.option("--strict", is_flag=True, help="Sources, readers, views and functions must be the same, too.")
@pass_where
def restore(where: Where, file: Path, relative: float, strict: bool) -> int:
    """Tell whether a locked answer is still the same, and what of its making is not.

    Exit code 0 where the answer is the same, 1 where it differs.
    """
    found = where.open().restore(file, relative)
    click.echo(found.summary())
    return 0 if (found.identical if strict else found.same) else USER_ERROR
