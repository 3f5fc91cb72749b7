"""What a catalogue tells: tables, files, attachments and ingests that live at a snapshot, as values."""

from __future__ import annotations

import contextlib
import json
import sqlite3
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from . import ducklake
from .catalog_file import CatalogFile
from .errors import CatalogError, lost_file
from .relations import LIVE
from .snapshots import require_snapshot
from .spec import TableSpec
from .tables import TABLES
from .userspec import spec_from_json


class FileState(NamedTuple):  # a lake has tens of thousands
    """A live Parquet file; ``path`` is relative to the lake."""

    path: str
    n_rows: int
    size_bytes: int
    partition_value: int | None
    schema_version: str


@dataclass(frozen=True)
class TableState:
    """A table at a snapshot: its declaration of today, its files, and the schemas they were written with."""

    spec: TableSpec
    files: tuple[FileState, ...] = ()
    versions: Mapping[str, pa.Schema] = field(default_factory=dict)


@dataclass(frozen=True)
class AttachmentState:
    """A live Parquet file of its own, as a DynamicTable of an NWB file."""

    ingest_id: int
    subject: str
    kind: str
    name: str
    path: str
    n_rows: int
    size_bytes: int
    source_url: str


@dataclass(frozen=True)
class IngestState:
    """A live ingest: what it is about, where it came from, and what decides whether it must be redone.

    parts : chosen, whether the source holds them or not; states : what it holds, as ``present`` or ``available``
    """

    ingest_id: int
    subject: str
    role: str
    source_url: str
    source_sha256: str
    reader: str
    reader_version: str
    options: dict[str, Any]
    parts: tuple[str, ...]
    spec_versions: dict[str, str]
    states: dict[str, str]

    @property
    def present(self) -> frozenset[str]:
        """Chosen parts that are in the lake."""
        return frozenset(part for part in self.parts if self.states.get(part) == "present")


@dataclass(frozen=True)
class LakeState:
    """Everything a session needs, at one snapshot. ``relations`` are the ``lake.*`` tables, read when asked for."""

    root: Path
    snapshot_id: int
    tables: Mapping[str, TableState]
    attachments: tuple[AttachmentState, ...]
    relations: Mapping[str, Callable[[], pa.Table]]

    def lost(self, error: Exception) -> CatalogError:
        """DuckDB's complaint about a data file that is missing or broken: the snapshot expired, or there is damage."""
        try:
            with contextlib.closing(CatalogFile.open(self.root)) as catalog, catalog.reading() as database:
                require_snapshot(database, self.snapshot_id)
        except CatalogError as why:
            return why
        return lost_file(error)


def folder_of(table: str) -> str:
    """Where a table's files are, relative to the lake."""
    return ducklake.DATA_PATH + table.replace(".", "/") + "/"


def read_tables(database: sqlite3.Connection, at: Mapping[str, int]) -> dict[str, TableState]:
    """Every table that there is at snapshot ``at["v"]``, also those that hold nothing."""
    names = dict(database.execute("select table_id, name from brainlake_table").fetchall())
    folders = {table_id: folder_of(name) for table_id, name in names.items()}
    files: dict[int, list[FileState]] = {table_id: [] for table_id in names}
    query = f"""
        select f.table_id, f.path, f.record_count, f.file_size_bytes, b.partition_value, b.schema_version
        from (select * from ducklake_data_file where {LIVE}) as f
        join brainlake_file as b using (data_file_id)
        order by f.data_file_id"""
    for table_id, path, *facts in database.execute(query, at):
        files[table_id].append(FileState(folders[table_id] + path, *facts))
    schemas: dict[int, dict[str, pa.Schema]] = {}
    for table_id, version, blob in database.execute("select * from brainlake_stored_schema"):
        schemas.setdefault(table_id, {})[version] = pa.ipc.read_schema(pa.py_buffer(blob))
    states = {name: TableState(spec) for name, spec in TABLES.items()}
    query = f"""
        select b.table_id, b.name, b.user_spec from brainlake_table as b
        join (select table_id from ducklake_table where {LIVE}) using (table_id)"""
    for table_id, name, user_spec in database.execute(query, at):
        if user_spec is None and name not in TABLES:
            continue  # written by a newer brainlake: its rows stay, and stay unseen
        spec = TABLES[name] if user_spec is None else spec_from_json(user_spec)
        states[name] = TableState(spec, tuple(files[table_id]), schemas.get(table_id, {}))
    return states


def read_attachments(database: sqlite3.Connection, at: Mapping[str, int]) -> tuple[AttachmentState, ...]:
    """The files of their own that live at snapshot ``at["v"]``."""
    query = f"""
        select a.ingest_id, i.subject, a.kind, a.name, a.path, a.n_rows, a.size_bytes, i.source_url
        from (select * from brainlake_attachment where {LIVE}) as a
        join (select * from brainlake_ingest where {LIVE}) as i using (ingest_id)
        order by a.ingest_id, a.name"""
    return tuple(AttachmentState(*row) for row in database.execute(query, at))


def read_live_ingests(database: sqlite3.Connection, subject: str | None, role: str | None) -> list[IngestState]:
    """Ingests that are live now, of one subject and role or of all."""
    query = """
        select ingest_id, subject, role, source_url, source_sha256, reader, reader_version, options, parts,
               spec_versions, (
            select json_group_object(part, state) from brainlake_ingest_part as p
            where p.ingest_id = i.ingest_id and p.begin_snapshot = i.begin_snapshot)
        from brainlake_ingest as i
        where end_snapshot is null and subject = coalesce(:subject, subject) and role = coalesce(:role, role)
        order by ingest_id"""
    rows = database.execute(query, {"subject": subject, "role": role})
    return [_ingest_state(*row) for row in rows]


def _ingest_state(*row: Any) -> IngestState:
    *facts, options, parts, specs, states = row
    told = json.loads(options), tuple(json.loads(parts)), json.loads(specs), json.loads(states)
    return IngestState(*(*facts, *told))
