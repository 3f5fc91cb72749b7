"""Retiring snapshots, and what only they needed.

An expired snapshot can no longer be opened, but who holds it reads on: its files and its rows in the catalogue stay for
a time of grace. The next ``expire`` after that removes both. Nothing else deletes data.
"""

from __future__ import annotations

import contextlib
import json
import re
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from . import ducklake
from .catalog import Catalog
from .errors import CatalogError, UnknownError, as_writing_error
from .snapshots import KEPT, read_time, snapshot_time, tags_of
from .states import folder_of
from .writer import writers_lock

GRACE = timedelta(hours=24)
_SPAN = re.compile(r"(\d+) *(m|h|d|w)")
_COUNT = re.compile(r"(\d+) +snapshots?")
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}

# A row of a table whose rows live from one snapshot to another, in which no kept snapshot falls.
_DEAD = """end_snapshot is not null and not exists (
    select 1 from ducklake_snapshot as s where s.snapshot_id >= begin_snapshot and s.snapshot_id < end_snapshot)"""


@dataclass(frozen=True)
class Expired:
    """What :func:`expire` did, or would do.

    snapshots : expired now; tags : given up with them
    waiting_files, waiting_bytes : needed by expired snapshots alone, to be removed when their grace is over
    removed_files, removed_bytes : removed now; memo_files, memo_bytes : kept answers that nothing is true of any more
    """

    snapshots: tuple[int, ...] = ()
    tags: tuple[str, ...] = ()
    kept: int = 0
    waiting_files: int = 0
    waiting_bytes: int = 0
    removed_files: int = 0
    removed_bytes: int = 0
    memo_files: int = 0
    memo_bytes: int = 0


def expire(
    catalog: Catalog,
    keep: str | None = None,
    keep_tags: Iterable[str] | None = None,
    *,
    grace: timedelta = GRACE,
    dry_run: bool = False,
    now: datetime | None = None,
) -> Expired:
    """Expire snapshots, and remove what those need alone whose grace is over.

    keep : ``30d`` (also m, h, w: every moment since can be looked back at), ``10 snapshots``, or a date; None expires
        nothing, and removes what is due
    keep_tags : tags whose snapshots stay, None: all of them. The newest snapshot always stays.
    grace : for how long who holds an expired snapshot reads on

    Raises CatalogError for a ``keep`` that means nothing, UnknownError for a tag that is not there.
    """
    now = now or datetime.now(UTC)
    with _rolled_back(catalog) if dry_run else catalog.writing() as database:
        snapshots, tags = _expire(database, keep, None if keep_tags is None else set(keep_tags), now)
        removed = _remove_rows(database, now - grace)
        (kept,) = database.execute(f"select count(*) from ({KEPT})").fetchone()
        waiting = _waiting(database)
        due = database.execute(
            "select path from ducklake_files_scheduled_for_deletion where path_is_relative"
        ).fetchall()
    if not dry_run:
        _remove_files(catalog, [path for (path,) in due])
        if removed:
            with contextlib.suppress(CatalogError):  # it may want room that a full disk has not
                catalog.shrink()
    return Expired(snapshots, tags, int(kept), *waiting, len(removed), sum(removed.values()))


@contextlib.contextmanager
def _rolled_back(catalog: Catalog) -> Iterator[sqlite3.Connection]:
    """A transaction whose changes are seen inside, and by nobody ever after."""

    class _DoneError(Exception):
        pass

    with contextlib.suppress(_DoneError), catalog.writing() as database:
        yield database
        raise _DoneError


def _expire(
    database: sqlite3.Connection, keep: str | None, keep_tags: set[str] | None, now: datetime
) -> tuple[tuple[int, ...], tuple[str, ...]]:
    tags = tags_of(database, keep_tags or ())
    if keep is None:
        return (), ()
    history = database.execute(f"select snapshot_id, snapshot_time from ({KEPT}) order by snapshot_id").fetchall()
    staying = _staying([(int(number), str(time)) for number, time in history], keep, now)
    staying |= {number for name, number in tags.items() if keep_tags is None or name in keep_tags}
    going = tuple(int(number) for number, _ in history if number not in staying)
    database.executemany(
        "insert into brainlake_expired values (?, ?)", [(number, snapshot_time(now)) for number in going]
    )
    given_up = tuple(sorted(name for name, number in tags.items() if number in set(going)))
    database.executemany("delete from brainlake_tag where name = ?", [(name,) for name in given_up])
    return going, given_up


def _staying(history: Sequence[tuple[int, str]], keep: str, now: datetime) -> set[int]:
    """Numbers of the snapshots that a rule keeps."""
    newest = history[-1][0]
    if count := _COUNT.fullmatch(keep.strip()):
        if not int(count[1]):
            raise CatalogError("--keep 0 snapshots: the newest always stays; keep 1 snapshot at least")
        return {number for number, _ in history[-int(count[1]) :]}
    since = snapshot_time(_since(keep, now))
    before = [number for number, time in history if time <= since]
    return {newest, *before[-1:], *(number for number, time in history if time > since)}


def _since(keep: str, now: datetime) -> datetime:
    if span := _SPAN.fullmatch(keep.strip()):
        try:
            return now - timedelta(**{_UNITS[span[2]]: int(span[1])})
        except OverflowError:
            return datetime.min.replace(year=1000, tzinfo=UTC)
    try:
        return read_time(keep.strip())
    except UnknownError:
        raise CatalogError(f"--keep {keep}: give a time as 30d, 12h or 2w, `10 snapshots`, or a date") from None


def _remove_rows(database: sqlite3.Connection, due: datetime) -> dict[str, int]:
    """Remove the catalogue's rows of snapshots that expired before a time; returns the files that nothing needs now."""
    gone = "(select snapshot_id from brainlake_expired where expired_at_utc <= ?)"
    moment = [snapshot_time(due)]
    if not database.execute(f"select count(*) from {gone}", moment).fetchone()[0]:
        return {}
    for table in ("ducklake_snapshot", "ducklake_snapshot_changes"):
        database.execute(f"delete from {table} where snapshot_id in {gone}", moment)
    database.execute("delete from brainlake_expired where expired_at_utc <= ?", moment)
    dying = _dead_files(database)
    database.executemany(
        "insert into ducklake_files_scheduled_for_deletion values (?, ?, 1, ?)",
        [(number, path, snapshot_time()) for number, path, _ in dying],
    )
    _remove_dead(database)
    return {path: size for _, path, size in dying}


def _dead_files(database: sqlite3.Connection) -> list[tuple[int, str, int]]:
    """Number, path below ``data/`` and size of the files that no snapshot in the catalogue needs."""
    query = f"""
        select f.data_file_id, t.name, f.path, f.file_size_bytes
        from (select * from ducklake_data_file where {_DEAD}) as f join brainlake_table as t using (table_id)"""
    found = [(n, folder_of(name).removeprefix("data/") + path, size) for n, name, path, size in database.execute(query)]
    # Attachments are no files of DuckLake's: numbers that it will not give.
    query = f"select rowid + (1 << 52), path, size_bytes from brainlake_attachment where {_DEAD}"
    return found + [(n, path.removeprefix("data/"), size) for n, path, size in database.execute(query)]


def _remove_dead(database: sqlite3.Connection) -> None:
    """Remove every row that tells of what no snapshot in the catalogue holds."""
    for table in ("ducklake_data_file", "brainlake_attachment", "brainlake_ingest", "ducklake_table",
                  "ducklake_column", "ducklake_partition_info"):  # fmt: skip
        database.execute(f"delete from {table} where {_DEAD}")
    for table, key, owner in (
        ("ducklake_file_column_stats", "data_file_id", "ducklake_data_file"),
        ("ducklake_file_partition_value", "data_file_id", "ducklake_data_file"),
        ("brainlake_file", "data_file_id", "ducklake_data_file"),
        ("brainlake_file_ingest", "data_file_id", "ducklake_data_file"),
        ("ducklake_partition_column", "partition_id", "ducklake_partition_info"),
        ("ducklake_table_stats", "table_id", "ducklake_table"),
        ("ducklake_schema_versions", "table_id", "ducklake_table"),
        ("brainlake_table", "table_id", "ducklake_table"),
        ("brainlake_stored_schema", "table_id", "ducklake_table"),
    ):
        database.execute(f"delete from {table} where {key} not in (select {key} from {owner})")
    database.execute(
        """delete from brainlake_ingest_part where not exists (
            select 1 from brainlake_ingest as i
            where i.ingest_id = brainlake_ingest_part.ingest_id
              and i.begin_snapshot = brainlake_ingest_part.begin_snapshot)"""
    )
    database.execute(
        """delete from brainlake_stored_schema where not exists (
            select 1 from brainlake_file as b join ducklake_data_file as f using (data_file_id)
            where f.table_id = brainlake_stored_schema.table_id
              and b.schema_version = brainlake_stored_schema.schema_version)
          and not exists (
            select 1 from brainlake_table as t
            where t.table_id = brainlake_stored_schema.table_id
              and t.spec_version = brainlake_stored_schema.schema_version)"""
    )


def _waiting(database: sqlite3.Connection) -> tuple[int, int]:
    """Files, and their bytes, that only expired snapshots need whose grace is not over."""
    dead = _DEAD.replace("ducklake_snapshot", f"({KEPT})")
    query = f"""
        select count(*), coalesce(sum(size), 0) from (
            select file_size_bytes as size from ducklake_data_file where {dead}
            union all
            select size_bytes from brainlake_attachment where {dead})"""
    count, size = database.execute(query).fetchone()
    return int(count), int(size)


def _remove_files(catalog: Catalog, paths: Sequence[str]) -> None:
    """Remove files that the catalogue gave up, and folders that they leave empty. Stopped, the next run goes on."""
    data = catalog.root / ducklake.DATA_PATH
    folders: set[Path] = set()
    for path in paths:
        try:
            (data / path).unlink(missing_ok=True)
        except OSError as error:
            raise as_writing_error(error, catalog.root) from None
        folders.add((data / path).parent)
    # A writer may be about to put a file into an empty folder: they go when nobody writes, or another time.
    with contextlib.suppress(CatalogError), writers_lock(catalog.root, exclusive=True):
        for folder in folders:
            if "=" in folder.name:
                with contextlib.suppress(OSError):
                    folder.rmdir()
    if paths:
        with contextlib.suppress(CatalogError), catalog.writing() as database:  # else the next run does it
            gone = "delete from ducklake_files_scheduled_for_deletion where path in (select value from json_each(?))"
            database.execute(gone, [json.dumps(paths)])
