"""Keep a lake small and sound: forget, fold, expire, tell what takes the room, check."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import click

from .base import DEFECT, Where, counted, examples, output_options, pass_where, split_names, write_rows

if TYPE_CHECKING:
    from ..expiring import Expired


@click.command(
    epilog=examples(
        "brainlake forget ecephys.session/715093703",
        "brainlake forget session=715093703 --only lfp",
        "brainlake forget 'icephys.cell/*' --dry-run",
        "brainlake forget table/lab.labels",
    )
)
@click.argument("subjects", nargs=-1, required=True, metavar="SUBJECT...")
@click.option("--role", help="Only what came in this role: session_nwb, project_csv ...")
@click.option("--only", metavar="PARTS", help="Only these parts, as lfp,waveforms; the rest stays.")
@click.option("--dry-run", is_flag=True, help="Say what would go, and how much room it takes.")
@pass_where
def forget(where: Where, subjects: tuple[str, ...], role: str | None, only: str | None, dry_run: bool) -> None:
    """Take out what came from subjects, or parts of it. Earlier snapshots keep it, until `brainlake expire`.

    A SUBJECT is as `brainlake holdings` tells it, a pattern (quote it), or NAME=ID, as session=715093703: what is
    about it, and what has rows of it and of no other, as the LFP of its probes.
    """
    lake = where.open_latest()
    done = lake.forget(subjects, role, only=split_names(only), dry_run=dry_run)
    for item in done.items:
        parts = "everything" if item.whole else ", ".join(item.parts)
        size = f"{counted(item.n_rows, 'row')}, {in_bytes(item.size_bytes)}"
        click.echo(f"{'would forget' if dry_run else 'forgot'} {item.subject} ({item.role}): {parts}: {size}")
    room = in_bytes(done.size_bytes)
    if dry_run:
        click.echo(
            f"{counted(len(done.items), 'source')}: {room}, free when `brainlake expire` gives earlier snapshots up"
        )
    else:
        click.echo(f"snapshot {lake.snapshot} is without them; earlier ones keep {room} until `brainlake expire`")


@click.command(
    "check",
    epilog=examples("brainlake check --deep", "brainlake check --repair", "brainlake check --deep --drop-damaged"),
)
@click.option("--deep", is_flag=True, help="Compare the digest of every file, and derive statistics and keys anew.")
@click.option("--repair", is_flag=True, help="Remove files that no snapshot knows, left by interrupted work.")
@click.option(
    "--drop-damaged", is_flag=True, help="Take out every source that lost rows, so that it can be brought again."
)
@pass_where
def check_command(where: Where, deep: bool, repair: bool, drop_damaged: bool) -> int:
    """Tell what is wrong with the lake, and what to do about it; exit code 2 if something is damaged."""
    from .. import opening  # works where the lake is too damaged to be opened
    from ..progress import ingest_progress

    with ingest_progress() as progress:
        if drop_damaged and (done := opening.drop_damaged(where.path, deep=deep, progress=progress)):
            for item in done.items:
                click.echo(f"took out {item.subject} ({item.role}), from {item.source_url}")
        findings = opening.check(where.path, repair=repair, deep=deep, progress=progress)
    for finding in findings:
        click.echo(f"{finding.kind}: {finding.what} ({finding.remedy})")
    if not findings:
        click.echo("all is well")
    return DEFECT if any(finding.kind == "damage" for finding in findings) else 0


@click.command(epilog=examples("brainlake compact", "brainlake compact ecephys.nwb_units"))
@click.argument("table", required=False)
@pass_where
def compact(where: Where, table: str | None) -> None:
    """Fold small files into large ones; answers do not change.

    Each file costs a question about a millisecond. Tables with partitions keep a file a partition.
    """
    done = where.open_latest().compact(table)
    for one in done:
        files, size = f"{counted(one.files_before, 'file')} to {one.files_after:,}", in_bytes(one.bytes_before)
        click.echo(f"folded {one.table}: {files}, {size} to {in_bytes(one.bytes_after)}")
    if not done:
        click.echo("nothing to fold")


@click.command(
    epilog=examples(
        "brainlake expire --keep 30d --dry-run",
        "brainlake expire --keep 30d --keep-tag submitted",
        "brainlake expire --keep '10 snapshots'",
        "brainlake expire",
    )
)
@click.option(
    "--keep", metavar="WHAT", help="30d (also m, h, w), '10 snapshots', or a date: what can be looked back at."
)
@click.option(
    "--keep-tag", "tags", multiple=True, metavar="NAME", help="Keep the snapshots of these tags alone, not of all."
)
@click.option("--grace", default=24.0, show_default=True, type=click.FloatRange(0), metavar="HOURS",
              help="For how long who has an expired snapshot open reads on.")  # fmt: skip
@click.option("--dry-run", is_flag=True, help="Say what would go.")
@pass_where
def expire(where: Where, keep: str | None, tags: tuple[str, ...], grace: float, dry_run: bool) -> None:
    """Give up old snapshots, and the room that they alone take. Nothing else deletes data.

    Expired snapshots can no longer be opened. Their files go at the first `expire` after the grace, so run it now and
    then; without --keep it does only that. The newest snapshot stays, and those with a tag unless --keep-tag names
    others.
    """
    done = where.open_latest().expire(keep, tags or None, grace=timedelta(hours=grace), dry_run=dry_run)
    for line in _told(done, grace, dry_run):
        click.echo(line)


def _told(done: Expired, grace: float, dry_run: bool) -> list[str]:
    would = "would be " if dry_run else ""
    lines = [f"{counted(len(done.snapshots), 'snapshot')} {would}expired, {done.kept:,} kept"]
    if done.tags:
        lines.append(f"tags {would}given up: {', '.join(done.tags)}")
    lines.append(f"{counted(done.removed_files, 'file')} {would}removed: {in_bytes(done.removed_bytes)}")
    if done.memo_files:
        answers = counted(done.memo_files, "kept answer")
        lines.append(f"{answers} removed that changed since: {in_bytes(done.memo_bytes)}")
    if done.waiting_files:
        lines.append(
            f"{counted(done.waiting_files, 'file')} ({in_bytes(done.waiting_bytes)}) to go at the first `brainlake expire` "
            f"when {grace:g} h have passed since their snapshots expired"
        )
    return lines


def in_bytes(size: float) -> str:
    """A size for people."""
    for unit in ("B", "kB", "MB", "GB"):
        if abs(size) < 1000:
            return f"{size:,.0f} {unit}" if unit == "B" else f"{size:,.1f} {unit}"
        size /= 1000
    return f"{size:,.1f} TB"


@click.command(epilog=examples("brainlake du", "brainlake du --by part", "brainlake du --by subject --format json"))
@click.option("--by", type=click.Choice(["schema", "table", "part", "subject"]), help="Whom the data belong to.")
@output_options
@pass_where
def du(where: Where, by: Any, **output: Any) -> None:
    """Tell what takes the room: live data, what only earlier snapshots need, what expired, orphans, and the rest.

    Sizes are in bytes and sum up to what is below the lake's directory.
    """
    lake = where.open_latest()
    answer = lake.usage(by)
    write_rows(answer.to_reader(), output)
    click.echo(f"{in_bytes(sum(answer['size_bytes'].to_pylist()))} in {lake.path}", err=True)
