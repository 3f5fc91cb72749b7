"""Rows of a catalogue as another takes them: of one snapshot, and of a subset those of what is chosen."""

from __future__ import annotations

import json
import sqlite3
from collections import Counter

from . import ducklake
from .relations import LIVE
from .subset import Subset
from .tables import TABLES

# Rows that live from one snapshot to another, as they are at snapshot :v.
_VERSIONED = ("ducklake_schema", "ducklake_table", "ducklake_column", "ducklake_partition_info", "ducklake_data_file",
              "brainlake_ingest", "brainlake_attachment")  # fmt: skip
_OF_TABLES = ("ducklake_partition_column", "ducklake_table_stats", "brainlake_table", "brainlake_stored_schema")
_OF_FILES = ("ducklake_file_column_stats", "ducklake_file_partition_value", "brainlake_file", "brainlake_file_ingest")


def take_rows(database: sqlite3.Connection, snapshot_id: int, subset: Subset | None) -> None:
    """Rows of another catalogue as its snapshot sees them; of a subset, those of what is chosen."""
    at = {"v": snapshot_id}
    database.execute("create temp table kept_path(path text primary key)")
    database.execute("create temp table kept_ingest(ingest_id integer primary key)")
    if subset:
        database.executemany("insert into kept_path values (?)", [(path,) for path in subset.paths])
        kept = subset.whole | subset.partial
        database.executemany("insert into kept_ingest values (?)", [(ingest,) for ingest in kept])
    path = f"'{ducklake.DATA_PATH}' || replace(t.name, '.', '/') || '/' || f.path"
    chosen = {
        "ducklake_data_file": f"""data_file_id in (select f.data_file_id from other.ducklake_data_file as f
            join other.brainlake_table as t using (table_id) where {path} in (select path from kept_path))""",
        "brainlake_ingest": "ingest_id in (select ingest_id from kept_ingest)",
        "brainlake_attachment": "ingest_id in (select ingest_id from kept_ingest)",
    }
    for table in _VERSIONED:
        database.execute(f"delete from {table}")  # the first rows of an empty catalogue
        wanted = f" and {chosen[table]}" if subset and table in chosen else ""
        database.execute(f"insert into {table} select * from other.{table} where {LIVE}{wanted}", at)
        database.execute(f"update {table} set end_snapshot = null")
    for table in _OF_TABLES:
        key = "partition_id" if table == "ducklake_partition_column" else "table_id"
        of = "ducklake_partition_info" if key == "partition_id" else "ducklake_table"
        database.execute(f"insert into {table} select * from other.{table} where {key} in (select {key} from {of})")
    for table in _OF_FILES:
        files = "data_file_id in (select data_file_id from ducklake_data_file)"
        database.execute(f"insert into {table} select * from other.{table} where {files}")
    parts = "select ingest_id, begin_snapshot from brainlake_ingest"
    database.execute(
        f"""insert into brainlake_ingest_part select * from other.brainlake_ingest_part
        where (ingest_id, begin_snapshot) in ({parts})"""
    )
    for table in ("ducklake_snapshot", "ducklake_snapshot_changes"):
        database.execute(f"delete from {table}")
        database.execute(f"insert into {table} select * from other.{table} where snapshot_id = :v", at)
    for table, when in (("brainlake_tag", "snapshot_id"), ("ducklake_schema_versions", "begin_snapshot")):
        compared = "=" if table == "brainlake_tag" else "<="
        database.execute(f"insert into {table} select * from other.{table} where {when} {compared} :v", at)
    if not subset:
        database.execute("insert into brainlake_failure select * from other.brainlake_failure")
    (newest,) = database.execute("select max(snapshot_id) from other.ducklake_snapshot").fetchone()
    if snapshot_id < newest:
        # What the columns were then; the next commit to a table brings its declaration to today's.
        database.execute("update brainlake_table set spec_version = '' where user_spec is null")
    recount(database)
    database.execute("drop table kept_path")
    database.execute("drop table kept_ingest")


def recount(database: sqlite3.Connection) -> None:
    """What tables and ingests hold, as their files say."""
    of_table = "from ducklake_data_file as f where f.table_id = s.table_id and f.end_snapshot is null"
    database.execute(
        f"""update ducklake_table_stats as s set
            record_count = coalesce((select sum(f.record_count) {of_table}), 0),
            file_size_bytes = coalesce((select sum(f.file_size_bytes) {of_table}), 0)"""
    )


def tell_partial(database: sqlite3.Connection, subset: Subset, where: str) -> None:
    """Ingests of which not all is here say so: the source, ingested again, replaces what there is of it."""
    parts = {name: spec.part for name, spec in TABLES.items()}
    for ingest in subset.partial:
        (options,) = database.execute("select options from brainlake_ingest where ingest_id = ?", [ingest]).fetchone()
        rows = database.execute(
            """select t.name, sum(x.n_rows) from brainlake_file_ingest as x
            join ducklake_data_file as f using (data_file_id) join brainlake_table as t using (table_id)
            where x.ingest_id = ? group by t.name""",
            [ingest],
        ).fetchall()
        told = json.dumps({**json.loads(options), "subset": where}, sort_keys=True)
        n_rows = sum(n for _, n in rows)
        database.execute(
            "update brainlake_ingest set options = ?, n_rows = ? where ingest_id = ?", [told, n_rows, ingest]
        )
        counts: Counter[str] = Counter()
        for name, n in rows:
            counts[parts.get(name, "rows")] += n
        database.execute("update brainlake_ingest_part set n_rows = 0 where ingest_id = ?", [ingest])
        database.executemany(
            "update brainlake_ingest_part set n_rows = ? where ingest_id = ? and part = ?",
            [(n, ingest, part) for part, n in counts.items()],
        )
