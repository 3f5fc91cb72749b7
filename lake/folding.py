"""Folding the small files of small tables: each costs a scan about a millisecond, whatever is in it."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import pyarrow as pa

from .catalog import Catalog
from .commit import committing, remove_unknown
from .errors import DamageError, UnknownError, as_writing_error
from .parquet import TableWriter, read_file, sort_rows
from .records import LiveFile, file_counts, live_files, spec_of, stored_schema
from .spec import TableSpec
from .writer import writers_lock

FOLD_FILES = 32  # a small table with more live files is folded after a run
FOLD_ROWS = 1_000_000  # files at least so large are left as they are
FOLD_BYTES = 64 << 20  # files of so many bytes together, at most, are folded in memory at once


@dataclass(frozen=True)
class Folded:
    """What became of a table's small files."""

    table: str
    files_before: int
    files_after: int
    bytes_before: int
    bytes_after: int
    snapshot_id: int


def conform(table: pa.Table, stored: pa.Schema, spec: TableSpec) -> pa.Table:
    """Rows written under an older declaration, in today's: renamed by field id, widened, new columns as NULL."""
    by_id = {(f.metadata or {}).get(b"PARQUET:field_id"): f.name for f in stored}
    arrays = []
    for one in spec.arrow:
        name = by_id.get((one.metadata or {})[b"PARQUET:field_id"])
        arrays.append(table[name].cast(one.type) if name else pa.nulls(table.num_rows, one.type))
    return pa.table(arrays, schema=spec.arrow)


def fold_small_tables(catalog: Catalog, only: str | None = None, limit: int = FOLD_FILES) -> list[Folded]:
    """Fold the small files of small tables that have more than ``limit``.

    Files are taken smallest first while the next is no larger than all before it together, so that a row is written
    anew a logarithmic number of times, however many ingests come.
    """
    return _fold_tables(catalog, only, limit)


def compact(catalog: Catalog, table: str | None = None) -> list[Folded]:
    """Fold the files of small tables (of one, or of all) into as few as fit into memory; answers do not change."""
    return _fold_tables(catalog, table, 1)


def _fold_tables(catalog: Catalog, only: str | None, limit: int) -> list[Folded]:
    if catalog.read_only:
        return []
    with catalog.reading() as database:
        counts = file_counts(database)
    if only is not None and only not in counts and limit == 1:
        raise UnknownError(f"there is no small table {only} with files: {', '.join(sorted(counts)) or 'none has any'}")
    done = []
    for name, count in sorted(counts.items()):
        if count > limit and only in (None, name):
            with catalog.reading() as database:
                files = live_files(database, name)
            groups = [to_fold(files, limit)] if limit > 1 else all_to_fold(files)
            done += [folded for group in groups if (folded := _fold(catalog, name, group))]
    return done


def all_to_fold(files: Sequence[LiveFile]) -> list[list[LiveFile]]:
    """Groups of files to fold, each into one: small ones, as many together as fit into memory."""
    groups: list[list[LiveFile]] = [[]]
    rows = size = 0
    for file in sorted((f for f in files if f.n_rows < FOLD_ROWS), key=lambda f: f.n_rows):
        rows, size = rows + file.n_rows, size + file.size_bytes
        if groups[-1] and (rows > FOLD_ROWS or size > FOLD_BYTES):
            groups.append([])
            rows, size = file.n_rows, file.size_bytes
        groups[-1].append(file)
    return [group for group in groups if len(group) > 1]


def to_fold(files: Sequence[LiveFile], limit: int) -> list[LiveFile]:
    """The files to fold into one, so that about half of ``limit`` remain at most."""
    small = sorted((f for f in files if f.n_rows < FOLD_ROWS), key=lambda f: f.n_rows)
    taken: list[LiveFile] = []
    rows = 0
    for file in small:
        if (len(taken) > limit // 2 and file.n_rows > rows) or (taken and rows + file.n_rows > 2 * FOLD_ROWS):
            break
        taken.append(file)
        rows += file.n_rows
    return taken


def _fold(catalog: Catalog, name: str, files: Sequence[LiveFile]) -> Folded | None:
    """Fold files into one. Others may write meanwhile: only the exchange holds them up."""
    if len(files) < 2:
        return None
    with catalog.reading() as database:
        if not _are_live(database, name, files):
            return None
        spec = spec_of(database, files[0])
        schemas = [stored_schema(database, file) for file in files]
    folder = catalog.root / "data" / spec.schema_name / spec.table_name
    ingests: Counter[int] = Counter()
    for file in files:
        ingests.update(file.ingests)
    writer = TableWriter(catalog.root, spec, ingest_id=0)
    with writers_lock(catalog.root):
        try:
            pieces = [
                conform(read_file(folder / file.path), schema, spec)
                for file, schema in zip(files, schemas, strict=True)
            ]
            writer.write_file(sort_rows(spec, pa.concat_tables(pieces)), ingests)
            with committing(catalog, None, f"fold {name}") as commit:
                if not _are_live(commit.database, name, files):
                    raise _OvertakenError
                for file in files:
                    commit.retire_file(file)
                for new in writer.files:
                    commit.add_file(spec, new)
        except _OvertakenError:
            remove_unknown(catalog, writer.paths)
            return None
        except BaseException as error:
            writer.abandon()
            remove_unknown(catalog, writer.paths)
            if isinstance(error, DamageError):  # or gone, as somebody replaced and expired it meanwhile
                with catalog.reading() as database:
                    if not _are_live(database, name, files):
                        return None
            if isinstance(error, OSError):
                raise as_writing_error(error, catalog.root) from error
            raise
    sizes = sum(file.size_bytes for file in files), sum(file.size_bytes for file in writer.files)
    return Folded(name, len(files), len(writer.files), *sizes, commit.snapshot_id)


def _are_live(database: sqlite3.Connection, name: str, files: Sequence[LiveFile]) -> bool:
    live = {file.data_file_id for file in live_files(database, name)}
    return live.issuperset(file.data_file_id for file in files)


class _OvertakenError(Exception):
    """Somebody replaced or folded one of the files meanwhile; the next run folds."""
