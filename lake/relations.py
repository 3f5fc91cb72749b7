"""The ``lake.*`` tables: what the catalogue says about itself, as Arrow tables of one snapshot."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.json

from . import ducklake
from .snapshots import KEPT, require_snapshot

if TYPE_CHECKING:
    from .catalog import Catalog

LIVE = "begin_snapshot <= :v and (end_snapshot is null or end_snapshot > :v)"


def relations_of(catalog: Catalog, snapshot_id: int) -> dict[str, Callable[[], pa.Table]]:
    """Name -> a function that reads it: 10,000 ingests cost nothing until somebody asks."""

    def reader(query: str, schema: pa.Schema) -> Callable[[], pa.Table]:
        def read() -> pa.Table:
            with catalog.reading() as database:
                require_snapshot(database, snapshot_id)
                rows = database.execute(query, {"v": snapshot_id}).fetchall()
            columns: list[Iterable[Any]] = list(zip(*rows, strict=True))
            for i, column in enumerate(columns):
                if told := _told(schema.types[i]):
                    columns[i] = [None if value is None else told(value) for value in column]
            return table_of(zip(*columns, strict=True), schema)

        return read

    return {name: reader(query, schema) for name, (query, schema) in RELATIONS.items()}


def table_of(rows: Iterable[Sequence[Any]], schema: pa.Schema) -> pa.Table:
    """Rows of plain values (no NaN) as a table. By way of JSON, as ``pa.array`` of a list would import pandas."""
    dumps = json.JSONEncoder(check_circular=False).encode
    names = schema.names
    data = "\n".join(dumps(dict(zip(names, row, strict=True))) for row in rows).encode()
    if not data:
        return pa.table([pa.nulls(0, one.type) for one in schema], schema=schema)
    read = pyarrow.json.ReadOptions(use_threads=False, block_size=len(data) + 1)
    declared = pyarrow.json.ParseOptions(explicit_schema=schema, unexpected_field_behavior="error")
    return pyarrow.json.read_json(pa.BufferReader(data), read, declared)


def _told(kind: pa.DataType) -> Callable[[str], Any] | None:
    """How a text of the catalogue becomes the value it stands for."""
    return json.loads if pa.types.is_list(kind) else _moment if pa.types.is_timestamp(kind) else None


def _moment(value: str) -> str:
    return datetime.fromisoformat(value).astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


_T, _I, _F, _L = pa.string(), pa.int64(), pa.float64(), pa.list_(pa.string())
_TS = pa.timestamp("us")

# name -> (query of the catalogue at snapshot :v, columns)
RELATIONS: dict[str, tuple[str, pa.Schema]] = {
    "lake.ingests": (
        f"""select ingested_at_utc, author, message, subject, role, source_url, n_rows, size_bytes, seconds, warnings,
            skipped, dataset, version, doi, licence, citation, source_size_bytes, source_sha256, reader,
            reader_version, options, parts, begin_snapshot, ingest_id
        from brainlake_ingest where {LIVE} order by begin_snapshot, ingest_id""",
        pa.schema(
            [
                ("ingested_at_utc", _TS),
                ("author", _T),
                ("message", _T),
                ("subject", _T),
                ("role", _T),
                ("source_url", _T),
                ("n_rows", _I),
                ("size_bytes", _I),
                ("seconds", _F),
                ("warnings", _L),
                ("skipped", _L),
                ("dataset", _T),
                ("version", _T),
                ("doi", _T),
                ("licence", _T),
                ("citation", _T),
                ("source_size_bytes", _I),
                ("source_sha256", _T),
                ("reader", _T),
                ("reader_version", _T),
                ("options", _T),
                ("parts", _L),
                ("snapshot_id", _I),
                ("ingest_id", _I),
            ]
        ),
    ),
    "lake.parts": (
        f"""select p.ingest_id, i.subject, i.role, p.part, p.state, p.n_rows, p.size_bytes, p.source_bytes
        from brainlake_ingest_part as p
        join (select * from brainlake_ingest where {LIVE}) as i using (ingest_id, begin_snapshot)
        order by p.ingest_id, p.part""",
        pa.schema(
            [
                ("ingest_id", _I),
                ("subject", _T),
                ("role", _T),
                ("part", _T),
                ("state", _T),
                ("n_rows", _I),
                ("size_bytes", _I),
                ("source_bytes", _I),
            ]
        ),
    ),
    "lake.failures": (
        "select source_url, subject, reader, error, failed_at_utc from brainlake_failure order by failed_at_utc",
        pa.schema([("source_url", _T), ("subject", _T), ("reader", _T), ("error", _T), ("failed_at_utc", _TS)]),
    ),
    "lake.files": (
        f"""select t.name, '{ducklake.DATA_PATH}' || replace(t.name, '.', '/') || '/' || f.path, f.record_count, f.file_size_bytes, b.partition_value,
            b.sha256, (select json_group_array(ingest_id) from brainlake_file_ingest as x where x.data_file_id = f.data_file_id)
        from (select * from ducklake_data_file where {LIVE}) as f
        join brainlake_table as t using (table_id)
        join brainlake_file as b using (data_file_id)
        order by t.name, f.data_file_id""",
        pa.schema(
            [
                ("table_name", _T),
                ("path", _T),
                ("n_rows", _I),
                ("size_bytes", _I),
                ("partition_value", _I),
                ("sha256", _T),
                ("ingest_ids", pa.list_(_I)),
            ]
        ),
    ),
    "lake.snapshots": (
        f"""select s.snapshot_id, s.snapshot_time, c.author, c.commit_message,
            (select group_concat(name) from brainlake_tag as t where t.snapshot_id = s.snapshot_id)
        from ({KEPT}) as s
        left join ducklake_snapshot_changes as c using (snapshot_id)
        where s.snapshot_id <= :v order by s.snapshot_id""",
        pa.schema([("snapshot_id", _I), ("committed_at_utc", _TS), ("author", _T), ("message", _T), ("tags", _T)]),
    ),
}
