"""What a commit is given, and what it finds in the catalogue: files, their statistics, ingests."""

from __future__ import annotations

import sqlite3
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from .spec import TableSpec
from .tables import TABLES
from .userspec import spec_from_json


@dataclass(frozen=True)
class ColumnStats:
    """What a file says about one column; minimum and maximum as DuckLake's text."""

    column_id: int
    n_values: int
    n_nulls: int
    minimum: str | None
    maximum: str | None
    has_nan: bool | None = None


@dataclass(frozen=True)
class WrittenFile:
    """A data file on disk that no snapshot knows yet. ``path`` is relative to the table's folder."""

    path: str
    n_rows: int
    size_bytes: int
    footer_bytes: int
    sha256: str
    ingests: Mapping[int, int]  # ingest -> rows
    partition_value: int | None = None
    stats: Sequence[ColumnStats] = ()
    schema: pa.Schema | None = None  # as stored, where it is not today's (a rewritten older file)
    schema_version: str | None = None


@dataclass(frozen=True)
class WrittenAttachment:
    """A typed file of its own on disk that no snapshot knows yet. ``path`` is relative to the lake."""

    path: str
    part: str
    kind: str
    name: str
    n_rows: int
    size_bytes: int
    sha256: str


@dataclass(frozen=True)
class IngestRecord:
    """The facts of an ingest, as ``lake.ingests`` shows them."""

    ingest_id: int
    subject: str
    role: str
    source_url: str
    source_size_bytes: int
    source_sha256: str
    reader: str
    reader_version: str
    options: Mapping[str, Any]
    parts: Sequence[str]
    dataset: str | None = None
    version: str | None = None
    doi: str | None = None
    licence: str | None = None
    author: str | None = None
    message: str | None = None
    warnings: Sequence[str] = ()
    skipped: Sequence[tuple[str, str]] = ()
    citation: str | None = None  # BibTeX
    seconds: float | None = None  # that reading and writing took


@dataclass(frozen=True)
class LiveFile:
    """A file the newest snapshot knows, as a commit needs it."""

    data_file_id: int
    table_id: int
    table: str
    path: str
    n_rows: int
    size_bytes: int
    partition_value: int | None
    schema_version: str
    ingests: dict[int, int] = field(default_factory=dict)


def live_files(
    database: sqlite3.Connection,
    table: str | None = None,
    ingest_id: int | None = None,
    partition_value: int | None = None,
    ranges: Mapping[int, tuple[int, int]] | None = None,
) -> list[LiveFile]:
    """Files of the newest snapshot: of a table, holding rows of an ingest, in a partition.

    ranges : column id -> (low, high); files whose integers in that column all lie outside are left out
    """
    where: list[str] = ["f.end_snapshot is null"]
    values: list[Any] = []
    if table is not None:
        where.append("f.table_id in (select table_id from brainlake_table where name = ?)")
        values.append(table)
    if ingest_id is not None:
        where.append("f.data_file_id in (select data_file_id from brainlake_file_ingest where ingest_id = ?)")
        values.append(ingest_id)
    if partition_value is not None:
        where.append("b.partition_value = ?")
        values.append(partition_value)
    for column_id, (low, high) in (ranges or {}).items():
        where.append(
            """not exists (select 1 from ducklake_file_column_stats as s
                where s.data_file_id = f.data_file_id and s.column_id = ?
                  and (cast(s.max_value as integer) < ? or cast(s.min_value as integer) > ?))"""
        )
        values += [column_id, low, high]
    query = f"""
        select f.data_file_id, f.table_id, t.name, f.path, f.record_count, f.file_size_bytes,
               b.partition_value, b.schema_version, x.ingest_id, x.n_rows
        from ducklake_data_file as f
        join brainlake_file as b on b.data_file_id = f.data_file_id
        join brainlake_table as t on t.table_id = f.table_id
        join brainlake_file_ingest as x on x.data_file_id = f.data_file_id
        where {" and ".join(where)}
        order by f.data_file_id"""
    files: dict[int, LiveFile] = {}
    for *facts, holder, held in database.execute(query, values):
        if facts[0] not in files:
            files[facts[0]] = LiveFile(*facts)
        files[facts[0]].ingests[holder] = held
    return list(files.values())


def file_counts(database: sqlite3.Connection) -> dict[str, int]:
    """Live files of each small table that has any."""
    query = """select t.name, t.user_spec, count(*) from ducklake_data_file as f
        join brainlake_table as t using (table_id)
        where f.end_snapshot is null group by t.table_id"""
    counts = {}
    for name, user_spec, count in database.execute(query):
        spec = spec_from_json(user_spec) if user_spec else TABLES.get(name)
        if spec is not None and not spec.is_bulk:
            counts[name] = count
    return counts


def stored_schema(database: sqlite3.Connection, file: LiveFile) -> pa.Schema:
    """The schema that a file has."""
    (blob,) = database.execute(
        "select arrow_schema from brainlake_stored_schema where table_id = ? and schema_version = ?",
        [file.table_id, file.schema_version],
    ).fetchone()
    return pa.ipc.read_schema(pa.py_buffer(blob))


def spec_of(database: sqlite3.Connection, file: LiveFile) -> TableSpec:
    """Today's declaration of a file's table."""
    if file.table in TABLES:
        return TABLES[file.table]
    query = "select user_spec from brainlake_table where table_id = ?"
    return spec_from_json(database.execute(query, [file.table_id]).fetchone()[0])


def source_of(database: sqlite3.Connection, ingest_id: int) -> str:
    """Where an ingest came from, for messages."""
    query = "select source_url, subject, role from brainlake_ingest where ingest_id = ? order by begin_snapshot desc"
    url, subject, role = database.execute(query, [ingest_id]).fetchone()
    return f"{url} ({subject}, {role})"


def live_ingest_ids(database: sqlite3.Connection, subject: str) -> list[int]:
    """The live ingests of a subject, in whatever roles."""
    query = "select ingest_id from brainlake_ingest where subject = ? and end_snapshot is null"
    return [int(ingest_id) for (ingest_id,) in database.execute(query, [subject])]


def live_ingest_id(database: sqlite3.Connection, subject: str, role: str) -> int | None:
    """The one live ingest of a subject in a role."""
    row = database.execute(
        "select ingest_id from brainlake_ingest where subject = ? and role = ? and end_snapshot is null",
        [subject, role],
    ).fetchone()
    return None if row is None else int(row[0])
