"""Taking out what came from a subject, or parts of it; earlier snapshots keep it."""

from __future__ import annotations

import difflib
import fnmatch
import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass

from .catalog import Catalog
from .commit import committing
from .errors import UnknownError
from .records import live_files
from .retiring import Leaving, going_of, retire
from .tables import TABLES
from .writer import USER_READER, login_name, writers_lock


@dataclass(frozen=True)
class Gone:
    """What was taken out of an ingest, or would be: its parts, their rows and stored bytes; ``whole``: all of it."""

    ingest_id: int
    subject: str
    role: str
    source_url: str
    reader: str
    parts: tuple[str, ...]
    whole: bool
    n_rows: int
    size_bytes: int


@dataclass(frozen=True)
class Forgotten:
    """What ``forget`` took out, and the snapshot that is without it (None: a dry run)."""

    snapshot_id: int | None
    items: tuple[Gone, ...]

    @property
    def subjects(self) -> list[str]:
        return [f"{item.subject} ({item.role})" for item in self.items]

    @property
    def size_bytes(self) -> int:
        """Bytes that ``expire`` gives back when earlier snapshots need them no more."""
        return sum(item.size_bytes for item in self.items)


def forget(
    catalog: Catalog,
    subjects: str | Iterable[str],
    role: str | None = None,
    only: Sequence[str] | None = None,
    *,
    dry_run: bool = False,
    message: str | None = None,
) -> Forgotten:
    """Take out what came from subjects: in one commit, all or nothing.

    subjects : ``ecephys.session/715093703``, patterns (``ecephys.session/7*``), or ``session=715093703``: what is
        about it, and what has rows of it and of no other, as the LFP of its probes
    role : only what came in this role
    only : only these parts; the rest of the ingests stays

    Raises UnknownError for a subject that nothing is about, and for parts that nothing chosen holds.
    """
    wanted = [subjects] if isinstance(subjects, str) else list(dict.fromkeys(subjects))
    if dry_run:
        with catalog.reading() as database:
            return Forgotten(None, _going(database, wanted, role, only))
    text = message or f"forget {', '.join(only) + ' of ' if only else ''}{', '.join(wanted)}"
    with writers_lock(catalog.root), committing(catalog, login_name(), text) as commit:
        items = _going(commit.database, wanted, role, only)
        leaving: Leaving = {item.ingest_id: None if item.whole else item.parts for item in items}
        retire(commit, catalog.root, leaving)
        for item in items:
            if item.reader == USER_READER:
                commit.drop_table(item.subject.partition("/")[2])
    return Forgotten(commit.snapshot_id, items)


def _going(
    database: sqlite3.Connection, wanted: Sequence[str], role: str | None, only: Sequence[str] | None
) -> tuple[Gone, ...]:
    chosen = _chosen(database, wanted, role)
    held = {row[0]: _present(database, row[0]) for row in chosen}
    if only is not None:
        for part in only:
            if not any(part in parts for parts in held.values()):
                found = ", ".join(sorted({p for parts in held.values() for p in parts})) or "nothing"
                raise UnknownError(f"{', '.join(wanted)}: no part {part!r} is here: there are {found}")
    items = []
    for row in chosen:
        ingest_id = row[0]
        parts = set(held[ingest_id]) if only is None else set(held[ingest_id]) & set(only)
        rest = sum(rows for part, rows in held[ingest_id].items() if part not in parts)
        if only is not None and not parts:
            continue
        whole = only is None or not rest
        items.append(Gone(*row, tuple(sorted(parts)), whole, *_room(database, ingest_id, parts, whole)))
    return tuple(items)


def gone_of(database: sqlite3.Connection, ingests: Collection[int]) -> tuple[Gone, ...]:
    """What goes when ingests go whole."""
    return tuple(
        Gone(*row, tuple(sorted(_present(database, row[0]))), True, *_room(database, row[0], (), True))
        for row in _live(database)
        if row[0] in ingests
    )


def _live(database: sqlite3.Connection) -> list[tuple[int, str, str, str, str]]:
    """Number, subject, role, source and reader of live ingests."""
    query = """select ingest_id, subject, role, source_url, reader from brainlake_ingest
        where end_snapshot is null order by subject, role"""
    return database.execute(query).fetchall()


def _chosen(
    database: sqlite3.Connection, wanted: Sequence[str], role: str | None
) -> list[tuple[int, str, str, str, str]]:
    """Live ingests that the selectors mean; each must mean one."""
    live = _live(database)
    chosen: set[int] = set()
    for selector in wanted:
        found = {row[0] for row in live if _means(selector, row[1])}
        name, equals, value = selector.partition("=")
        if equals and value.isdigit():
            found |= _all_rows_in(database, f"{name}_id", int(value))
        found = {row[0] for row in live if row[0] in found and role in (None, row[2])}
        if not found:
            near = difflib.get_close_matches(selector, {row[1] for row in live}, 3)
            hint = f"did you mean {', '.join(near)}?" if near else "see `brainlake holdings`"
            raise UnknownError(f"nothing in the lake is about {selector}{f' ({role})' if role else ''}: {hint}")
        chosen |= found
    return [row for row in live if row[0] in chosen]


def _means(selector: str, subject: str) -> bool:
    """Whether ``ecephys.session/7*`` or ``session=7`` means a subject."""
    name, equals, value = selector.partition("=")
    if not equals or "/" in name:
        return fnmatch.fnmatchcase(subject, selector)
    kind, _, one = subject.partition("/")
    return name in (kind, kind.rpartition(".")[2]) and fnmatch.fnmatchcase(one, value)


def _all_rows_in(database: sqlite3.Connection, column: str, value: int) -> set[int]:
    """Ingests that have rows in partition ``column=value``, and in none beside it."""
    names = json.dumps([name for name, spec in TABLES.items() if spec.partition == column])
    query = """
        select x.ingest_id from ducklake_data_file as f
        join brainlake_table as t using (table_id) join brainlake_file as b using (data_file_id)
        join brainlake_file_ingest as x using (data_file_id)
        where f.end_snapshot is null and t.name in (select value from json_each(?))
        group by x.ingest_id
        having min(b.partition_value = ?)"""
    return {int(row[0]) for row in database.execute(query, [names, value])}


def _present(database: sqlite3.Connection, ingest_id: int) -> dict[str, int]:
    """Part -> rows, of the parts of a live ingest that are here."""
    query = """select p.part, p.n_rows from brainlake_ingest_part as p
        join brainlake_ingest as i using (ingest_id, begin_snapshot)
        where i.end_snapshot is null and p.state = 'present' and ingest_id = ?"""
    return dict(database.execute(query, [ingest_id]).fetchall())


def _room(database: sqlite3.Connection, ingest_id: int, parts: Collection[str], whole: bool) -> tuple[int, int]:
    """Rows and stored bytes of parts of an ingest; of a folded file its share."""
    leaving: Leaving = {ingest_id: None if whole else parts}
    rows = size = 0
    for file in live_files(database, ingest_id=ingest_id):
        if going_of(file, leaving):
            rows += file.ingests[ingest_id]
            size += file.size_bytes * file.ingests[ingest_id] // max(file.n_rows, 1)
    query = """select part, n_rows, size_bytes from brainlake_attachment
        where ingest_id = ? and end_snapshot is null"""
    for part, n_rows, bytes_ in database.execute(query, [ingest_id]):
        if whole or part in parts:
            rows, size = rows + n_rows, size + bytes_
    return rows, size
