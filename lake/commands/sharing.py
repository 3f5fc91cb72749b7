"""Give a lake or an answer to others: copies, frozen lakes, lock files, citations; and bring an old lake up to date."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import click

from .asking import query_text, query_values
from .base import USER_ERROR, Where, as_snapshot, examples, pass_where, split_names

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

    QUERY is the question, a .sql file, or `-`. The answer lies beside FILE as Parquet.
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


def _choosing(command: Any) -> Any:
    """What of a lake is taken: ``--where``, ``--with``, ``--link``."""
    for option in (
        click.option("--link", is_flag=True, help="Share the files on disk (hard links) where the file system allows."),
        click.option("--with", "also", metavar="NAMES", help="Schemas or tables taken whole beside it: ccf,lab."),
        click.option(
            "--where", "conditions", multiple=True, metavar="CONDITION",
            help="Take what it chooses: \"session_id in (715093703)\". Repeatable.",
        ),
    ):  # fmt: skip
        command = option(command)
    return command


@click.command(
    epilog=examples(
        "brainlake copy /backup/lake",
        "brainlake copy one_session --where 'session_id = 715093703' --with ccf",
        "brainlake copy as_submitted --snapshot submitted",
    )
)
@click.argument("to", type=click.Path(path_type=Path))
@_choosing
@click.option("--snapshot", metavar="SNAPSHOT", help="Take what it sees (a number, a tag, a time), without history.")
@pass_where
def copy(
    where: Where, to: Path, conditions: tuple[str, ...], snapshot: str | None, also: str | None, link: bool
) -> None:
    """Make a lake of this one at TO: all of it with its history, or what conditions choose of it.

    Partitioned tables give whole files; of the others come the rows of what is chosen, and reference rows. A source
    that came whole is not read again when it is ingested there.
    """
    from ..progress import ingest_progress

    lake = where.open()
    with ingest_progress() as progress:
        at = as_snapshot(snapshot or where.at)
        done = lake.copy(to, where=conditions, snapshot=at, also=split_names(also) or (), link=link, progress=progress)
    click.echo(done.summary())


@click.command(
    epilog=examples(
        "brainlake publish our_paper --title 'Lake of Doe et al. 2026'",
        "brainlake --at submitted publish our_paper --where 'session_id in (715093703, 719161530)'",
    )
)
@click.argument("to", type=click.Path(path_type=Path))
@_choosing
@click.option("--title", help="What it is called in its README. By default the name of its directory.")
@pass_where
def publish(
    where: Where, to: Path, conditions: tuple[str, ...], also: str | None, link: bool, title: str | None
) -> None:
    """Make at TO a lake of one snapshot that no longer changes, with the digests of all files, and citations.

    It opens from anywhere, also from a directory that cannot be written, and takes no commits. It is a bag (RFC 8493),
    as archives take them; `brainlake check --deep` compares its files with their digests.
    """
    from ..progress import ingest_progress

    lake = where.open()
    with ingest_progress() as progress:
        done = lake.publish(
            to, where=conditions, also=split_names(also) or (), title=title, link=link, progress=progress
        )
    click.echo(done.summary())


@click.command(epilog=examples("brainlake upgrade"))
@pass_where
def upgrade(where: Where) -> None:
    """Bring the catalogue of a lake that an older brainlake made to today's format; no data file is touched.

    The catalogue as it was stays beside it. It takes one transaction: whole, or not at all.
    """
    from ..opening import default_path
    from ..upgrading import upgrade

    click.echo(upgrade(where.path or default_path()).line)
