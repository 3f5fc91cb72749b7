"""Which snapshot is meant, and whether it is still kept."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from datetime import UTC, datetime

from .errors import BrainlakeError, SnapshotExpired, UnknownError

# Snapshots that can be opened. Those that expired are readable a while longer by who holds them.
KEPT = "select * from ducklake_snapshot where snapshot_id not in (select snapshot_id from brainlake_expired)"


def snapshot_time(moment: datetime | None = None) -> str:
    """A time as DuckLake writes it: UTC, microseconds."""
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%d %H:%M:%S.%f+00:00")


def find_snapshot(database: sqlite3.Connection, at: int | str | datetime | None) -> int:
    """The snapshot meant by a number, a tag, or a time (the last one committed by then); by None the newest.

    Raises SnapshotExpired where it is no longer kept, UnknownError where it never was.
    """
    if at is None:
        return int(database.execute("select max(snapshot_id) from ducklake_snapshot").fetchone()[0])
    if isinstance(at, str):
        row = database.execute("select snapshot_id from brainlake_tag where name = ?", [at]).fetchone()
        at = int(row[0]) if row else read_time(at)
    if isinstance(at, datetime):
        return _of_moment(database, at)
    if database.execute(f"select 1 from ({KEPT}) where snapshot_id = ?", [int(at)]).fetchone() is None:
        raise _not_kept(database, int(at))
    return int(at)


def tags_of(database: sqlite3.Connection, wanted: Iterable[str] = ()) -> dict[str, int]:
    """Every tag and the snapshot that has it. Raises UnknownError where one that is wanted is not among them."""
    rows = database.execute("select name, snapshot_id from brainlake_tag order by name")
    tags = {str(name): int(number) for name, number in rows}
    if unknown := set(wanted) - tags.keys():
        raise UnknownError(f"there is no tag {min(unknown)!r}: {', '.join(tags) or 'the lake has none'}")
    return tags


def require_snapshot(database: sqlite3.Connection, number: int) -> None:
    """Raise SnapshotExpired where nothing is known any more of a snapshot that somebody holds."""
    if database.execute("select 1 from ducklake_snapshot where snapshot_id = ?", [number]).fetchone() is None:
        raise _not_kept(database, number)


def read_time(text: str) -> datetime:
    """A time as people write it; UTC where it does not say otherwise."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise UnknownError(f"there is no tag {text!r} (nor is it a time): `brainlake snapshots` lists them") from None
    return moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)


def _of_moment(database: sqlite3.Connection, moment: datetime) -> int:
    """The last snapshot committed by then. Numbers are consecutive: a gap after it is one that expired."""
    moment = moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
    query = f"""
        select max(snapshot_id) filter (where snapshot_time <= :t), min(snapshot_id) filter (where snapshot_time > :t),
               min(snapshot_id)
        from ({KEPT})"""
    before, after, first = database.execute(query, {"t": snapshot_time(moment)}).fetchone()
    when = f"{moment:%Y-%m-%d %H:%M:%S} UTC"
    if before is None and first == 0:
        raise UnknownError(f"the lake has no snapshot as old as {when}")
    if before is None or (after is not None and after != before + 1):
        raise SnapshotExpired(f"what the lake was at {when} is no longer kept; `brainlake snapshots` lists what is")
    return int(before)


def _not_kept(database: sqlite3.Connection, number: int) -> BrainlakeError:
    (newest,) = database.execute("select max(snapshot_id) from ducklake_snapshot").fetchone()
    if 0 <= number < newest:
        return SnapshotExpired(
            f"snapshot {number} is no longer kept: open the lake again, at the latest or at one that "
            "`brainlake snapshots` lists"
        )
    return UnknownError(f"there is no snapshot {number}; the newest is {newest}")
