"""Write what a lake holds into files for other programs."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import click

from ..output import COMPRESSIONS
from ..progress import ingest_progress
from .base import Where, examples, pass_where, split_names


@click.group(
    epilog=examples(
        "brainlake export parquet ecephys.units ecephys.sessions -o tables",
        "brainlake export csv 'select * from ecephys.good_units where snr > 3' -o units.csv",
        "brainlake export views brain.duckdb",
        "brainlake export bundle 472451419 -o model",
        "brainlake export cell-types-cache 464212183 -o cell_types",
    )
)
def export() -> None:
    """Write relations, answers, or a DuckDB file of views, for other programs."""


_what = click.argument("what", nargs=-1, required=True)
_partition_by = click.option(
    "--partition-by", metavar="COLUMNS", help="Columns, with commas between them, that become folders: session_id=7/."
)
_force = click.option("--force", is_flag=True, help="Replace what is there.")
_output = click.option(
    "-o",
    "--output",
    required=True,
    type=click.Path(path_type=Path),
    help="A file; a directory for several relations, and for a partitioned one.",
)


def _compression(format: str) -> Any:
    return click.option(
        "--compression", type=click.Choice(COMPRESSIONS[format]), default=COMPRESSIONS[format][0], show_default=True
    )


@export.command(
    epilog=examples(
        "brainlake export parquet ecephys.units -o units.parquet",
        "brainlake export parquet 'ecephys.*' -o ecephys",
        "brainlake export parquet ecephys.spikes -o spikes --partition-by session_id",
        "brainlake --at submitted export parquet question.sql -o answer.parquet --compression snappy",
    )
)
@_what
@_output
@_partition_by
@_compression("parquet")
@_force
@pass_where
def parquet(where: Where, what: tuple[str, ...], output: Path, **how: Any) -> None:
    """Write tables, views or answers as Parquet; units and descriptions go into the fields' metadata.

    WHAT is a name, a pattern of names, a query, or a .sql file that holds one; several of them go to a directory.
    """
    _export(where, what, output, "parquet", **how)


@export.command(
    epilog=examples(
        "brainlake export csv ecephys.probes -o probes.csv",
        "brainlake export csv 'select * from ecephys.good_units where snr > 3' -o units.csv.gz --compression gzip",
    )
)
@_what
@_output
@_partition_by
@_compression("csv")
@_force
@pass_where
def csv(where: Where, what: tuple[str, ...], output: Path, **how: Any) -> None:
    """Write tables, views or answers as CSV, lists as JSON, bytes as hexadecimal digits.

    WHAT is a name, a pattern of names, a query, or a .sql file that holds one; several of them go to a directory.
    """
    _export(where, what, output, "csv", **how)


def _export(
    where: Where,
    what: tuple[str, ...],
    output: Path,
    format: Literal["parquet", "csv"],
    partition_by: str | None,
    **how: Any,
) -> None:
    with ingest_progress() as show:
        columns = split_names(partition_by) or ()
        for one in where.open().export(what, output, format=format, partition_by=columns, progress=show, **how):
            click.echo(f"{one.path}: {one.n_rows:,} row{'' if one.n_rows == 1 else 's'}")


@export.command(
    epilog=examples(
        "brainlake export views brain.duckdb",
        """python -c "import duckdb; print(duckdb.connect('brain.duckdb', read_only=True).sql('from ecephys.units'))\"""",
    )
)
@click.argument("file", type=click.Path(path_type=Path))
@click.option(
    "--relative",
    is_flag=True,
    help="Name data files as seen from the lake's directory: clients start there, or set file_search_path to it.",
)
@_force
@pass_where
def views(where: Where, file: Path, relative: bool, force: bool) -> None:
    """Write a DuckDB file of views on the lake's Parquet files, which DuckDB clients from 1.1 on open.

    It holds the tables, views and macros of one snapshot with their descriptions, no rows, and is read where the lake
    can be read; after an ingest, write it anew. What calls a Python kernel says so when read; lake.needs_python lists it.
    """
    made = where.open().export_views(file, relative=relative, force=force)
    click.echo(
        f"{made.path}: {made.n_relations} views of snapshot {made.snapshot_id}; "
        f"{len(made.needs_python)} views and macros need brainlake (from lake.needs_python)"
    )


@export.command(
    epilog=examples(
        "brainlake export bundle 472451419 -o model",
        "brainlake export bundle 472451419 -o model --partial",
    )
)
@click.argument("model", type=int)
@click.option("-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder.")
@click.option("--partial", is_flag=True, help="Leave out what is not in the lake.")
@_force
@pass_where
def bundle(where: Where, model: int, output: Path, partial: bool, force: bool) -> None:
    """Write the folder that a compartmental model is run from, as a download of it is laid out.

    MODEL is a neuronal_model_id of models.biophysical_models. The folder holds the manifest, the fit, the reconstruction
    and its markers, mechanisms, the recording of the cell, and an empty folder for what a run writes.
    """
    made = where.open().export_bundle(model, output, partial=partial, force=force)
    click.echo(f"{made.path}: {', '.join(made.files)}")
    if made.missing:
        click.echo(f"not in this lake: {', '.join(made.missing)}", err=True)


@export.command(
    "cell-types-cache",
    epilog=examples(
        "brainlake export cell-types-cache -o cell_types",
        "brainlake export cell-types-cache 464212183 466664172 -o cell_types",
        """python -c "from allensdk.core.cell_types_cache import *; CellTypesCache(manifest_file='cell_types/manifest.json')\"""",
    ),
)
@click.argument("cells", type=int, nargs=-1)
@click.option("-o", "--output", required=True, type=click.Path(file_okay=False, path_type=Path), help="The folder.")
@_force
@pass_where
def cell_types_cache(where: Where, cells: tuple[int, ...], output: Path, force: bool) -> None:
    """Write a folder that the Allen SDK takes for its CellTypesCache: manifest, cells and published features.

    CELLS are specimen_ids of which the list of sweeps, the recording, the reconstruction and its markers are written, too,
    as far as they are in the lake.
    """
    made = where.open().export_cell_types_cache(output, cells, force=force)
    click.echo(f"{made.path}: {', '.join(made.files)}")
