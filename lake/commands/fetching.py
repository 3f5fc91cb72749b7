"""Bring data from the Atlas API."""

from __future__ import annotations

from pathlib import Path

import click

from .base import DEFECT, USER_ERROR, Where, examples, fail, pass_where
from .bringing import tell


@click.command(
    epilog=examples(
        "brainlake fetch cells",
        "brainlake fetch unionizes 112951097 127084296",
        "brainlake fetch recordings 464212183",
        "brainlake fetch annotation --um 25",
        "brainlake fetch section_images 126862575 --image downsample=3 --to images",
        "brainlake fetch biophysical_files 472451419 --to models",
        "brainlake fetch rma \"model::Product,rma::criteria,[name$il'*Mouse*']\"",
        "brainlake fetch --list",
    )
)
@click.argument("what", required=False)
@click.argument("ids", nargs=-1, metavar="[ID...]")
@click.option("--list", "listing", is_flag=True, help="Tell what can be fetched.")
@click.option("--api", metavar="URL", help="The API's address. By default $BRAINLAKE_API, or the public one.")
@click.option("--archive", metavar="URL", help="The address of volumes and meshes.")
@click.option("--verify", is_flag=True, help="Compare files that were fetched with what came.")
@click.option("--offline", is_flag=True, help="Ask nobody: take what was fetched before.")
@click.option("--refresh", is_flag=True, help="Ask again for what was fetched before.")
@click.option("--dry-run", is_flag=True, help="Say what would be asked.")
@click.option("--page", type=click.IntRange(1, 25_000), help="Rows a request.  [default: 2000]")
@click.option(
    "--pause", "pause_s", type=click.FloatRange(0), help="Seconds between two requests at least.  [default: 0.1]"
)
@click.option("--um", type=click.IntRange(1), help="Edge of a voxel of volumes.  [default: 25]")
@click.option(
    "--image",
    "image",
    metavar="NAME=VALUE",
    multiple=True,
    help="A parameter of images: downsample=3, or left, top, width and height of a region.",
)
@click.option(
    "--to",
    type=click.Path(file_okay=False, path_type=Path),
    metavar="DIR",
    help="Lay files into a folder, too, as the reference's caches have them.",
)
@click.option("--version", metavar="NAME", help="Version of the reference space.  [default: ccf_2017]")
@pass_where
def fetch(
    where: Where,
    what: str | None,
    ids: tuple[str, ...],
    listing: bool,
    verify: bool,
    dry_run: bool,
    image: tuple[str, ...],
    **how: str | int | bool | Path | None,
) -> int:
    """Bring data from the Atlas API into the lake.

    WHAT is a data set, as cells or containers, files, as recordings or annotation, or `rma` for the answer to a query
    of one's own. What comes is kept whole below the lake's raw/ and then ingested; stopped anywhere, the same command
    goes on. A query that does not say how many rows it wants gets all of them.
    """
    from ..fetching import How, addresses
    from ..progress import ingest_progress

    if listing:
        return _list()
    if verify:
        return _verify(where)
    if what is None:
        raise click.UsageError("say WHAT to fetch, --list or --verify")
    if strange := [one for one in image if "=" not in one]:
        raise click.UsageError(f"--image takes NAME=VALUE, not {strange[0]!r}")
    parameters = dict(one.split("=", 1) for one in image)
    said = How(image=parameters, **{name: value for name, value in how.items() if value is not None})  # type: ignore[arg-type]
    if dry_run:
        for address in addresses(what, ids, said):
            click.echo(address)
        return 0
    with ingest_progress() as progress:
        report = where.open_latest().fetch(what, *ids, how=said, progress=progress)
    n_new = len(report.paths) - report.n_here
    click.echo(f"fetched {n_new} {'file' if n_new == 1 else 'files'}, {report.n_here} were here")
    for note in report.notes:
        click.echo(f"note: {note}")
    code = tell(report.ingested) if report.ingested.items else 0
    for error in report.errors:
        fail(str(error), USER_ERROR)
    return code or (USER_ERROR if report.errors else 0)


def _verify(where: Where) -> int:
    found = where.open_latest().compared()
    wrong = [(path, state) for path, state in found if state != "as it came"]
    for path, state in wrong:
        fail(f"{path} is {state}: the fetch that brought it, with --refresh, brings it again", DEFECT)
    click.echo(f"{len(found) - len(wrong)} of {len(found)} files are as they came")
    return DEFECT if wrong else 0


def _list() -> int:
    from ...ingest.rma_datasets import DATA_SETS, FILES, DataSet, Files

    everything: list[DataSet | Files] = [*DATA_SETS.values(), *FILES.values()]
    width = max(len(one.name) for one in everything)
    for one in everything:
        click.echo(f"{one.name:<{width}}  {one.description}{f'; ids of {one.ids}' if one.ids else ''}")
    click.echo(f"{'rma':<{width}}  the answer to a query of one's own")
    return 0
