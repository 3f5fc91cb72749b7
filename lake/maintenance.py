"""Keeping a lake: folding small files, checking that everything is there, removing what no snapshot knows."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from .catalog import Catalog
from .commit import committing, remove_unknown
from .parquet import TableWriter, read_file, sort_rows
from .records import LiveFile, live_files, spec_of, stored_schema
from .spec import TableSpec
from .writer import writers_lock

FOLD_FILES = 32  # a small table with more live files is folded after a run
FOLD_ROWS = 1_000_000  # files at least so large are left as they are
MANY_FILES = 2_000  # live files of a table above which opening and planning become slow


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be, and what to do."""

    kind: str
    what: str
    remedy: str


def conform(table: pa.Table, stored: pa.Schema, spec: TableSpec) -> pa.Table:
    """Rows written under an older declaration, in today's: renamed by field id, widened, new columns as NULL."""
    by_id = {(f.metadata or {}).get(b"PARQUET:field_id"): f.name for f in stored}
    arrays = []
    for one in spec.arrow:
        name = by_id.get((one.metadata or {})[b"PARQUET:field_id"])
        arrays.append(table[name].cast(one.type) if name else pa.nulls(table.num_rows, one.type))
    return pa.table(arrays, schema=spec.arrow)


def fold_small_tables(catalog: Catalog, only: str | None = None, limit: int = FOLD_FILES) -> int | None:
    """Fold the small files of small tables that have more than ``limit``; returns the snapshot, or None.

    Files are taken smallest first while the next is no larger than all before it together, so that a row is written
    anew a logarithmic number of times, however many ingests come.
    """
    if catalog.read_only:
        return None
    counts = {t.spec.name: len(t.files) for t in catalog.state().tables.values() if not t.spec.is_bulk}
    snapshot_id = None
    for name, count in counts.items():
        if count > limit and only in (None, name):
            snapshot_id = _fold(catalog, name, limit) or snapshot_id
    return snapshot_id


def to_fold(files: Sequence[LiveFile], limit: int) -> list[LiveFile]:
    """The files to fold into one, so that about half of ``limit`` remain at most."""
    small = sorted((f for f in files if f.n_rows < FOLD_ROWS), key=lambda f: f.n_rows)
    taken: list[LiveFile] = []
    rows = 0
    for file in small:
        if len(taken) > limit // 2 and file.n_rows > rows:
            break
        taken.append(file)
        rows += file.n_rows
    return taken


def _fold(catalog: Catalog, name: str, limit: int) -> int | None:
    """Fold a table's small files into one. Others may write meanwhile: only the exchange holds them up."""
    with catalog.reading() as database:
        files = to_fold(live_files(database, name), limit)
        if len(files) < 2:
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
                live = {file.data_file_id for file in live_files(commit.database, name)}
                if not live.issuperset(file.data_file_id for file in files):
                    raise _OvertakenError
                for file in files:
                    commit.retire_file(file)
                for new in writer.files:
                    commit.add_file(spec, new)
        except _OvertakenError:
            remove_unknown(catalog, writer.paths)
            return None
        except BaseException:
            writer.abandon()
            remove_unknown(catalog, writer.paths)
            raise
    return commit.snapshot_id


class _OvertakenError(Exception):
    """Somebody replaced or folded one of the files meanwhile; the next run folds."""


def compact(catalog: Catalog, table: str | None = None) -> int | None:
    """Fold every small table that has more than one file; answers do not change."""
    return fold_small_tables(catalog, table, limit=1)


def orphans(catalog: Catalog) -> list[Path]:
    """Data files that no snapshot knows: what killed writers left, or what is being written now."""
    known = catalog.known_files()
    return [
        path
        for path in sorted((catalog.root / "data").rglob("*.parquet"))
        if path.relative_to(catalog.root).as_posix() not in known
    ]


def repair(catalog: Catalog) -> list[Path]:
    """Remove files that no snapshot knows, while nobody writes. Returns them."""
    with writers_lock(catalog.root, exclusive=True):
        found = orphans(catalog)
        for path in found:
            path.unlink()
        for part in catalog.root.glob("*.part"):
            part.unlink()
    return found


def check(catalog: Catalog, *, deep: bool = False) -> list[Finding]:
    """Whether every live file is there and as the catalogue says; ``deep`` also reads every row of every file."""
    findings = [*_database_findings(catalog)]
    state = catalog.state()
    for table in state.tables.values():
        for file in table.files:
            findings += _file_findings(catalog.root, file.path, file.n_rows, file.size_bytes, deep)
        if len(table.files) > MANY_FILES:
            what = f"{table.spec.name} has {len(table.files):,} files: opening and planning get slow"
            findings.append(Finding("many files", what, f"brainlake compact {table.spec.name}"))
    for attachment in state.attachments:
        findings += _file_findings(catalog.root, attachment.path, attachment.n_rows, attachment.size_bytes, deep)
    findings += [
        Finding("orphan", f"{path.relative_to(catalog.root)} belongs to no snapshot", "brainlake check --repair")
        for path in orphans(catalog)
    ]
    return findings


def _database_findings(catalog: Catalog) -> Iterable[Finding]:
    with catalog.reading() as database:
        for (text,) in database.execute("pragma integrity_check"):
            if text != "ok":
                yield Finding("damage", f"catalog.sqlite: {text}", "restore the lake from a copy")


def _file_findings(root: Path, name: str, n_rows: int, size: int, deep: bool) -> Iterable[Finding]:
    remedy = "ingest its source again, or restore the lake from a copy"
    path = root / name
    if not path.exists():
        yield Finding("damage", f"{name} is missing", remedy)
        return
    if path.stat().st_size != size:
        yield Finding("damage", f"{name} has {path.stat().st_size:,} bytes instead of {size:,}", remedy)
        return
    try:
        file = pq.ParquetFile(path)
        found = sum(b.num_rows for b in file.iter_batches()) if deep else file.metadata.num_rows
    except (OSError, pa.ArrowException) as error:
        yield Finding("damage", f"{name} cannot be read: {str(error).splitlines()[0]}", remedy)
        return
    if found != n_rows:
        yield Finding("damage", f"{name} has {found:,} rows instead of {n_rows:,}", remedy)
