"""Keys are held once: within an ingest, and between live ingests of a table."""

from __future__ import annotations

import hashlib
import sqlite3
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from .errors import DoubledKeyError
from .records import ColumnStats, WrittenFile, live_files, source_of, stored_schema
from .spec import INGEST_ID_FIELD, TableSpec
from .tables import TABLES


def refuse_doubled_within(spec: TableSpec, root: Path, files: Sequence[WrittenFile], source: str) -> None:
    """Raise DoubledKeyError where an ingest's own rows hold a key twice."""
    if not spec.key or sum(f.n_rows for f in files) < 2:
        return
    columns = ", ".join(spec.key)
    query = f"select {columns} from read_parquet(?) group by {columns} having count(*) > 1 limit 1"
    found = _ask(query, [_paths(root, spec, [f.path for f in files])])
    if found:
        raise DoubledKeyError(f"{source}: {spec.name} would hold {_say(spec, found)} twice")


def held_twice(spec: TableSpec, root: Path, files: Sequence[tuple[str, pa.Schema]]) -> str | None:
    """A key that several rows of files hold, for messages; the files' paths are below the table's folder."""
    if not spec.key:
        return None
    paths: dict[str, list[str]] = {}
    for path, schema in files:  # an older file may name a key column otherwise
        theirs = ", ".join(f'"{_stored_name(schema, spec, name)}" as "{name}"' for name in spec.key)
        paths.setdefault(theirs, []).extend(_paths(root, spec, [path]))
    scans = " union all ".join(f"select {theirs} from read_parquet(?, hive_partitioning = false)" for theirs in paths)
    columns = ", ".join(f'"{name}"' for name in spec.key)
    query = f"select {columns} from ({scans}) group by all having count(*) > 1 limit 1"
    found = _ask(query, list(paths.values()))
    return _say(spec, found) if found else None


def refuse_doubled_between(
    database: sqlite3.Connection, root: Path, spec: TableSpec, files: Sequence[WrittenFile], source: str
) -> None:
    """Raise DoubledKeyError where another live ingest holds one of the keys, naming both sources.

    Only files that may hold one are read: those of the same partition whose ranges of the key columns overlap.
    """
    if not spec.key:
        return
    columns = ", ".join(spec.key)
    for new in files:
        for other in live_files(database, spec.name, None, new.partition_value, _key_ranges(spec, new)):
            # An older file may name a key column otherwise: keys are compared under the names each file has.
            stored = stored_schema(database, other)
            theirs = ", ".join(f'"{_stored_name(stored, spec, name)}" as {name}' for name in spec.key)
            query = f"""
                with ours as (select {columns} from read_parquet(?)),
                     theirs as (select {theirs}, ingest_id from read_parquet(?))
                select {columns}, ingest_id from ours join theirs using ({columns}) limit 1"""
            found = _ask(query, [_paths(root, spec, [name]) for name in (new.path, other.path)])
            if found:
                holder = source_of(database, int(found[-1]))
                remedy = "forget one of the two" if spec.name in TABLES else "leave it out, or write the table anew"
                raise DoubledKeyError(
                    f"{source}: {spec.name} already holds {_say(spec, found)}, from {holder}: {remedy}"
                )


def _key_ranges(spec: TableSpec, file: WrittenFile) -> dict[int, tuple[int, int]]:
    """Ranges of a file's integer key columns, by column id."""
    ids = {spec[name].id for name in spec.key if pa.types.is_integer(spec[name].type)}
    return {
        s.column_id: (int(s.minimum), int(s.maximum))
        for s in file.stats
        if s.column_id in ids and s.minimum is not None and s.maximum is not None
    }


def _stored_name(stored: pa.Schema, spec: TableSpec, name: str) -> str:
    field_id = str(spec[name].id).encode()
    return next((f.name for f in stored if (f.metadata or {}).get(b"PARQUET:field_id") == field_id), name)


def _paths(root: Path, spec: TableSpec, names: Sequence[str]) -> list[str]:
    return [str(root / "data" / spec.schema_name / spec.table_name / name) for name in names]


@cache
def _connection() -> duckdb.DuckDBPyConnection:
    """One engine for all questions of a process: making one costs more than most of the answers."""
    return duckdb.connect(config={"threads": 1})


def _ask(query: str, parameters: list[object]) -> tuple[Any, ...] | None:
    with _connection().cursor() as cursor:
        return next(iter(cursor.execute(query, parameters).fetchall()), None)


def _say(spec: TableSpec, row: tuple[Any, ...]) -> str:
    return ", ".join(f"{name} {value}" for name, value in zip(spec.key, row, strict=False))


def stats_of(schema: pa.Schema, table: pa.Table) -> list[ColumnStats]:
    """Ranges of a whole table's scalar columns that have a field id."""
    found = []
    for one in schema:
        column = table[one.name]
        field_id = int((one.metadata or {}).get(b"PARQUET:field_id", b"0"))
        if field_id and (pa.types.is_integer(one.type) or field_id == INGEST_ID_FIELD) and len(column):
            ends = pc.min_max(column).as_py()
            low, high = (None if v is None else str(v) for v in (ends["min"], ends["max"]))
            found.append(ColumnStats(field_id, len(column), column.null_count, low, high))
    return found


def digest(table: pa.Table) -> str:
    """SHA-256 of a table's schema and values."""
    sink = pa.BufferOutputStream()
    with pa.ipc.new_stream(sink, table.schema) as stream:
        stream.write_table(table)
    return hashlib.sha256(sink.getvalue()).hexdigest()
