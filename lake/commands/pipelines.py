"""Run a pipeline of files: sections to grids, tiles to sections, volumes to thumbnails."""

from __future__ import annotations

from pathlib import Path

import click

from ..pipelines import PIPELINES
from .base import examples

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command(
    epilog=examples(
        "brainlake pipeline grid series_gridder_input.json series_gridder_output.json",
        "brainlake pipeline region-metrics region.json region_metrics.json",
    )
)
@click.argument("name", metavar="PIPELINE", type=click.Choice(list(PIPELINES)))
@click.argument("given", metavar="INPUT.json", type=_FILE)
@click.argument("made", metavar="OUTPUT.json", type=_FILE)
def pipeline(name: str, given: Path, made: Path) -> None:
    """Do what a JSON document asks for, and write another that tells what was made.

    \b
    grid            sections of an image series, summed and resampled to grids in the reference space
    unionize        grids, summed by structure and hemisphere
    thumbnail       strips of rotating projections of a volume
    stitch          tiles of a microscope, put together to a section
    region-metrics  what of the visual field an area of an intrinsic-signal map covers

    A grid works on as many sections at once as there are processors, or on nprocesses of them where those are fewer. Each
    takes 2 GB of memory where it has 40,000 x 30,000 pixels; sums of all of them wait in a file beside the accumulators.
    """
    from ..pipelines.documents import run_documents

    run_documents(name, given, made)
    click.echo(f"{name}: done, see {made}")
