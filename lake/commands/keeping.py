"""Keep a lake: name its states, write to it, hold answers, forget, check, fold."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from .base import USER_ERROR, Where, counted, examples, pass_where, split_names

if TYPE_CHECKING:
    from ..spec import TableSpec


@click.command(
    epilog=examples(
        "brainlake tag submitted",
        "brainlake --at submitted sql 'from ecephys.sessions'",
        "brainlake tag --delete submitted",
    )
)
@click.argument("name")
@click.option("--delete", is_flag=True, help="Take the name away, so that `brainlake expire` may give its snapshot up.")
@pass_where
def tag(where: Where, name: str, delete: bool) -> None:
    """Name a snapshot (the latest, or the one of --at), to look back at it.

    `brainlake snapshots` lists the names; one in use moves. A snapshot with a name stays until the name is deleted, or
    `brainlake expire --keep-tag` names others.
    """
    if delete:
        number = where.open_latest().untag(name)
        click.echo(f"snapshot {number} is no longer {name}: it stays until `brainlake expire` gives it up")
        return
    lake = where.open()
    before = lake.tag(name)
    moved = f"; before, snapshot {before} was" if before not in (None, lake.snapshot) else ""
    click.echo(f"snapshot {lake.snapshot} is {name}{moved}")


@click.command(
    epilog=examples(
        "brainlake write labels.csv --as lab.labels --key session_id,unit_id",
        "brainlake write more.csv --as lab.labels --append",
        "brainlake write latency.csv --as lab.latency --key unit_id --describe 'latency=first spike after onset [s]'",
        "brainlake write odd.csv --as lab.odd --types code=VARCHAR,day=DATE --dry-run",
    )
)
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--as", "name", required=True, metavar="SCHEMA.NAME", help="What it is called in the lake.")
@click.option("--key", metavar="COLUMNS", help="Columns that no two rows share.")
@click.option("--append", is_flag=True, help="Add the rows to those that it holds, instead of replacing them.")
@click.option(
    "--types", multiple=True, metavar="COLUMN=TYPE", help="Type of a column, as VARCHAR. With commas between."
)
@click.option(
    "--describe", "texts", multiple=True, metavar="COLUMN=TEXT [UNIT]", help="What a column is. Once a column."
)
@click.option("--about", metavar="TEXT", help="What one row is.")
@click.option("--partition", metavar="COLUMN", help="Give each value of it a file of its own: for many rows.")
@click.option("--dry-run", is_flag=True, help="Show the columns and types that it would have.")
@pass_where
def write(
    where: Where,
    file: Path,
    name: str,
    key: str | None,
    append: bool,
    types: tuple[str, ...],
    texts: tuple[str, ...],
    about: str | None,
    partition: str | None,
    dry_run: bool,
) -> None:
    """Keep a table of your own (CSV, TSV, JSON, Parquet, Arrow) in the lake; replaces what it held.

    It is a table like the others: versioned, seen by every client, taken out by `brainlake forget table/SCHEMA.NAME`.
    """
    declared = _pairs("--types", [pair for text in types for pair in text.split(",")])
    described = _pairs("--describe", texts)
    keys = split_names(key) or []
    if dry_run:
        from ..frames import read_table
        from ..userspec import user_spec

        table = read_table(file, declared)
        _show_columns(user_spec(name, table.schema, keys, partition, about, described))
        click.echo(f"would write {counted(table.num_rows, 'row')} to {name}")
        return
    lake = where.open_latest()
    done = lake.write(
        name, file, keys, append=append, types=declared, describe=described, about=about, partition=partition
    )
    _show_columns(lake.catalog.state().tables[name].spec)
    verb = "added" if append else "wrote"
    rows = counted(sum(done.n_rows.values()), "row")
    click.echo(f"{verb} {rows} to {name} (snapshot {done.snapshot_id})")


def _pairs(option: str, pairs: Iterable[str]) -> dict[str, str]:
    found = {}
    for pair in pairs:
        name, equals, value = pair.partition("=")
        if not equals or not name.strip() or not value.strip():
            raise click.UsageError(f"{option} {pair}: write COLUMN=VALUE")
        found[name.strip()] = value.strip()
    return found


def _show_columns(spec: TableSpec) -> None:
    from ..functions import sql_type

    width = max(len(column.name) for column in spec)
    for column in spec:
        notes = [f"[{column.unit}]"] if column.unit else []
        notes += ["key"] if column.name in spec.key else []
        notes += [column.description] if column.description else []
        click.echo(f"    {column.name:<{width}}  {sql_type(column.type):<10} {'  '.join(notes)}".rstrip())


@click.command(
    epilog=examples(
        "brainlake materialize",
        "brainlake materialize icephys.cell_features",
        "brainlake materialize ecephys.waveforms --where 'session_id in (715093703, 719161530)' --jobs 4",
        "brainlake materialize --prune",
    )
)
@click.argument("view", required=False)
@click.option("--where", "condition", metavar="CONDITION", help="Only partitions for which it holds.")
@click.option(
    "--jobs", type=click.IntRange(1), help="Partitions computed at the same time. By default one a processor."
)
@click.option("--prune", is_flag=True, help="Remove kept answers, of any view, that have changed since.")
@pass_where
def materialize(where: Where, view: str | None, condition: str | None, jobs: int | None, prune: bool) -> int:
    """Compute a view now and keep its answer, a partition at a time; without VIEW, list those that can be kept.

    Questions then read what is kept, as long as nothing it depends on has changed. It is a cache: deleting the
    folder cache/ of a lake loses nothing but time.
    """
    from ..memo import which
    from ..progress import ingest_progress

    lake = where.open_latest()
    if prune:
        files, size = lake.prune_memos()
        click.echo(f"{counted(files, 'file')} removed: {size:,} bytes")
        if view is None:
            return 0
    if view is None:
        for name in lake.materializable():
            click.echo(name)
        return 0
    with ingest_progress() as progress:
        done = lake.materialize(view, condition, jobs=jobs, progress=progress)
    for value, reason in done.failed.items():
        click.echo(f"failed: {which(value)}: {reason}", err=True)
    click.echo(f"{view}: {counted(len(done.computed), 'partition')} computed, {len(done.fresh)} were fresh")
    return USER_ERROR if done.failed else 0
