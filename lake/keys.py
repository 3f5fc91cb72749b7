"""Keys are held once: within an ingest, and between live ingests of a table."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import duckdb
import pyarrow as pa
import pyarrow.compute as pc

from .commit import ColumnStats, Commit, LiveFile, WrittenFile
from .errors import DoubledKeyError
from .spec import INGEST_ID_FIELD, TableSpec


def refuse_doubled_within(spec: TableSpec, root: Path, files: Sequence[WrittenFile], source: str) -> None:
    """Raise DoubledKeyError where an ingest's own rows hold a key twice."""
    if not spec.key or not files:
        return
    columns = ", ".join(spec.key)
    query = f"select {columns} from read_parquet(?) group by {columns} having count(*) > 1 limit 1"
    found = _ask(query, [_paths(root, spec, [f.path for f in files])])
    if found:
        raise DoubledKeyError(f"{source}: {spec.name} would hold {_say(spec, found)} twice")


def refuse_doubled_between(
    commit: Commit, root: Path, spec: TableSpec, files: Sequence[WrittenFile], source: str
) -> None:
    """Raise DoubledKeyError where another live ingest holds one of the keys, naming both sources."""
    if not spec.key or not files:
        return
    others = [f for f in commit.live_files(spec.name) if any(_may_share(commit, spec, f, new) for new in files)]
    if not others:
        return
    # Older files may name a key column otherwise: keys are compared under the names each file has.
    ours, columns = _paths(root, spec, [f.path for f in files]), ", ".join(spec.key)
    for other in others:
        stored = commit.stored_schema(other.table_id, other.schema_version)
        theirs = ", ".join(f'"{_stored_name(stored, spec, name)}" as {name}' for name in spec.key)
        query = f"""
            with ours as (select {columns} from read_parquet(?)),
                 theirs as (select {theirs}, ingest_id from read_parquet(?))
            select {columns}, ingest_id from ours join theirs using ({columns}) limit 1"""
        found = _ask(query, [ours, _paths(root, spec, [other.path])])
        if found:
            holder = commit.source_of(int(found[-1]))
            raise DoubledKeyError(
                f"{source}: {spec.name} already holds {_say(spec, found)}, from {holder}: forget one of the two"
            )


def _may_share(commit: Commit, spec: TableSpec, old: LiveFile, new: WrittenFile) -> bool:
    """False where partition or the range of the first other key column tells two files apart."""
    if spec.is_bulk and old.partition_value != new.partition_value:
        return False
    for stats in new.stats:
        name = next((c.name for c in spec if c.id == stats.column_id), None)
        if name in spec.key and pa.types.is_integer(spec[name].type) and stats.minimum is not None:
            stored = commit.stored_range(old.data_file_id, stats.column_id)
            if stored and stored[0] is not None and stored[1] is not None:
                assert stats.maximum is not None
                if int(stored[1]) < int(stats.minimum) or int(stored[0]) > int(stats.maximum):
                    return False
    return True


def _stored_name(stored: pa.Schema, spec: TableSpec, name: str) -> str:
    field_id = str(spec[name].id).encode()
    return next((f.name for f in stored if (f.metadata or {}).get(b"PARQUET:field_id") == field_id), name)


def _paths(root: Path, spec: TableSpec, names: Sequence[str]) -> list[str]:
    return [str(root / "data" / spec.schema_name / spec.table_name / name) for name in names]


def _ask(query: str, parameters: list[object]) -> tuple[object, ...] | None:
    connection = duckdb.connect(config={"threads": 1})
    try:
        return connection.execute(query, parameters).fetchone()
    finally:
        connection.close()


def _say(spec: TableSpec, row: tuple[object, ...]) -> str:
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
