"""Make a lake and bring sources into it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .base import DEFECT, USER_ERROR, Where, examples, fail, pass_where, split_names

if TYPE_CHECKING:
    from ..ingest_report import IngestReport, Item

NOTES_SHOWN = 20


@click.command(epilog=examples("brainlake create", "brainlake --lake /data/neuropixels create"))
@pass_where
def create(where: Where) -> None:
    """Make an empty lake in a new or empty directory."""
    from ..opening import create

    with create(where.path) as lake:
        click.echo(f"created {lake.path}")


@click.command(
    epilog=examples(
        "brainlake ingest session_791319847.nwb --dry-run",
        "brainlake ingest sessions/ project/*.csv --jobs 4",
        "brainlake ingest probe_805008600_lfp.nwb --with lfp",
        "brainlake ingest 'recordings/**/*.nwb' --only units,spikes",
        "brainlake ingest our_session.nwb --dataset 'Our recordings' --doi 10.5281/zenodo.1 --licence CC-BY-4.0",
        "brainlake ingest --stale",
    )
)
@click.argument("sources", nargs=-1, metavar="SOURCE...")
@click.option("--only", metavar="PARTS", help="Take these parts alone: units,spikes,stimuli ... Others go.")
@click.option(
    "--with", "beside", metavar="PARTS", help="Take these beside the usual ones: lfp, waveforms ... They stay."
)
@click.option("--dry-run", is_flag=True, help="Say what each source holds, in bytes, and what would be taken.")
@click.option("--as", "reader", metavar="READER", help="Read it so, where several readers or none claim a source.")
@click.option("--stale", is_flag=True, help="Also redo what older readers or table declarations wrote.")
@click.option("--salvage", is_flag=True, help="Take what is consistent of damaged sources; the rest is listed.")
@click.option(
    "--set", "settings", multiple=True, metavar="NAME=VALUE", help="Tell what the sources do not: version=ccf_2017."
)
@click.option("--dataset", metavar="NAME", help="The collection they are of, where they do not tell it.")
@click.option("--dataset-version", metavar="VERSION", help="Its version.")
@click.option("--doi", metavar="DOI", help="What to cite it by.")
@click.option("--licence", metavar="TERMS", help="Its terms, as CC-BY-4.0.")
@click.option(
    "--citation",
    metavar="FILE",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="BibTeX of what to cite.",
)
@click.option("--discard-raw", is_flag=True, help="Remove each download from raw/ when it is ingested.")
@click.option("--jobs", type=click.IntRange(1), help="Files read at the same time. By default one a processor.")
@pass_where
def ingest(
    where: Where,
    sources: tuple[str, ...],
    only: str | None,
    beside: str | None,
    dry_run: bool,
    reader: str | None,
    stale: bool,
    salvage: bool,
    settings: tuple[str, ...],
    discard_raw: bool,
    jobs: int | None,
    **collection: Any,
) -> int:
    """Read sources into the lake: files, folders, globs, URLs.

    Each file is one commit, whole or not at all. A file given again is left alone if nothing about it changed, and
    replaced if something did, wherever it lies now; the parts that are here of it are taken again, unless --only
    names others. A file that fails stops no other, and is listed at the end.
    """
    from ..progress import ingest_progress

    if not sources and not stale:
        raise click.UsageError("name at least one SOURCE, or --stale")
    with ingest_progress() as progress:
        report = where.open_latest().ingest(
            sources,
            parts=split_names(only),
            with_parts=split_names(beside) or (),
            as_reader=reader,
            dry_run=dry_run,
            stale=stale,
            salvage=salvage,
            settings=_settings(settings),
            collection=_told(**collection),
            discard_raw=discard_raw,
            jobs=jobs,
            progress=progress,
        )
    return tell(report)


def _told(
    dataset: str | None, dataset_version: str | None, doi: str | None, licence: str | None, citation: Path | None
) -> dict[str, str]:
    bibtex = citation.read_text(encoding="utf-8") if citation else None
    plain = doi.removeprefix("https://doi.org/").removeprefix("doi:") if doi else None
    told = {"dataset": dataset, "version": dataset_version, "doi": plain, "licence": licence, "citation": bibtex}
    return {name: value for name, value in told.items() if value}


def _settings(pairs: tuple[str, ...]) -> dict[str, str]:
    for pair in pairs:
        if not pair.partition("=")[0].strip() or "=" not in pair:
            raise click.UsageError(f"--set {pair}: give NAME=VALUE")
    return {name.strip(): value for name, _, value in (pair.partition("=") for pair in pairs)}


def tell(report: IngestReport) -> int:
    """Say what became of every source, failures last and on standard error; returns the exit code."""
    for item in report.items:
        if item.status != "failed":
            click.echo(item.line)
            _tell_notes(item)
    click.echo(report.summary().splitlines()[-1])
    for note in report.notes:
        click.echo(f"note: {note}", err=True)
    for item in report.failed:
        fail(str(item.error), USER_ERROR)
    if any(item.is_defect for item in report.failed):
        return DEFECT
    return USER_ERROR if report.failed else 0


def _tell_notes(item: Item) -> None:
    notes = [f"left out {what}: {why}" for what, why in item.skipped] + [f"note: {text}" for text in item.warnings]
    for note in notes[:NOTES_SHOWN]:
        click.echo(f"    {note}")
    if len(notes) > NOTES_SHOWN:
        click.echo(f"    and {len(notes) - NOTES_SHOWN} more: select warnings, skipped from lake.ingests")
