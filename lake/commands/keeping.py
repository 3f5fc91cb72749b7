"""Keep a lake: name its states, write to it, hold answers, forget, check, fold."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import BrainlakeError
from .base import USER_ERROR, Where, examples, pass_where, split_names


@click.command(epilog=examples("brainlake tag submitted", "brainlake --at submitted sql 'from ecephys.sessions'"))
@click.argument("name")
@pass_where
def tag(where: Where, name: str) -> None:
    """Name a snapshot (the latest, or the one of --at), to look back at it."""
    lake = where.open()
    lake.tag(name)
    click.echo(f"snapshot {lake.snapshot} is {name}")


@click.command(epilog=examples("brainlake write lab.labels labels.csv --key unit_id"))
@click.argument("name")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--key", metavar="COLUMNS", help="Columns that no two rows share.")
@pass_where
def write(where: Where, name: str, file: Path, key: str | None) -> None:
    """Keep a table of your own (CSV, Parquet, JSON, Arrow) in the lake, under SCHEMA.NAME; replaces what it held."""
    done = where.open_latest().write(name, _frame(file), key=split_names(key))
    click.echo(f"wrote {sum(done.n_rows.values()):,} rows to {name} (snapshot {done.snapshot_id})")


def _frame(file: Path) -> Any:
    import polars as pl

    readers: dict[str, Any] = {
        ".csv": pl.read_csv,
        ".parquet": pl.read_parquet,
        ".json": pl.read_json,
        ".arrow": pl.read_ipc,
        ".feather": pl.read_ipc,
    }
    if (read := readers.get(file.suffix.lower())) is None:
        raise BrainlakeError(f"{file}: its suffix is none of {', '.join(readers)}")
    try:
        return read(file)
    except (pl.exceptions.PolarsError, OSError) as error:
        raise BrainlakeError(f"{file}: cannot be read: {str(error).splitlines()[0]}") from None


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
    from ..progress import ingest_progress

    lake = where.open_latest()
    if prune:
        files, size = lake.prune_memos()
        click.echo(f"{files:,} files removed: {size:,} bytes")
        if view is None:
            return 0
    if view is None:
        for name in lake.materializable():
            click.echo(name)
        return 0
    with ingest_progress() as progress:
        done = lake.materialize(view, condition, jobs=jobs, progress=progress)
    for value, reason in done.failed.items():
        click.echo(f"failed: partition {value}: {reason}", err=True)
    click.echo(f"{view}: {len(done.computed)} partitions computed, {len(done.fresh)} were fresh")
    return USER_ERROR if done.failed else 0
