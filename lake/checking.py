"""Whether a lake is as its catalogue says: files, their digests, statistics and keys, and what belongs to nothing."""

from __future__ import annotations

import contextlib
import json
import os
import sqlite3
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from . import bag, keys
from .catalog import Catalog
from .digests import file_digest
from .parquet import Range
from .records import ColumnStats
from .remedies import brings
from .states import folder_of
from .tables import TABLES
from .userspec import spec_from_json

_FROM_COPY = "get the published lake again from where it was published"
MANY_FILES = 2_000  # live files of a table above which opening and planning become slow
Progress = Callable[[str, str, int, int], None]


@dataclass(frozen=True)
class Finding:
    """Something that is not as it should be, and what to do.

    kind : ``damage``, ``orphan``, ``raw`` (a download that changed), ``many files``, ``stale``
    path : the file that is damaged, below the lake; ingests : those with rows in it
    """

    kind: str
    what: str
    remedy: str
    path: str = ""
    ingests: tuple[int, ...] = ()


@dataclass(frozen=True)
class _Expected:
    """A file as the catalogue has it. ``schema``, ``stats`` and ``ingests`` are known of tables' files alone."""

    path: str
    n_rows: int
    size_bytes: int
    sha256: str | None
    is_live: bool
    ingests: Mapping[int, int]  # ingest -> rows
    partition: tuple[str, int] | None = None
    schema: pa.Schema | None = None
    stats: tuple[ColumnStats, ...] = field(default=())


def check(catalog: Catalog, *, deep: bool = False, progress: Progress | None = None) -> list[Finding]:
    """Whether every file is there and as the catalogue says.

    deep : compare the digest of every file, and derive row counts, statistics and keys anew from the rows
    """
    show = progress or (lambda *_: None)
    with catalog.reading() as database:
        findings = [*_database_findings(database), *_count_findings(database)]
        sources = _sources(database)
        expected = [*_data_files(database, deep), *_attachments(database)]
    total, done = sum(file.size_bytes for file in expected), 0
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        for file, wrong in zip(expected, pool.map(lambda f: _wrong(catalog.root, f, deep), expected), strict=True):
            done += file.size_bytes
            show(str(catalog.root), "files", done, total)
            findings += [_damage(file, what, sources) for what in wrong]
    if deep and not any(f.kind == "damage" for f in findings):
        findings += _key_findings(catalog)
    if deep and bag.is_bag(catalog.root):
        told = {finding.path for finding in findings}
        read = {file.path: file.sha256 for file in expected if file.sha256 and file.path not in told}
        findings += [
            Finding("damage", f"{path} {trouble}", _FROM_COPY, path)
            for path, trouble in bag.problems(catalog.root, read)
            if path not in told
        ]
    if deep:
        findings += _raw_findings(catalog)
    counts = Counter({name: len(table.files) for name, table in catalog.state().tables.items()})
    findings += [
        Finding("many files", f"{name} has {count:,} files: opening and planning get slow", _fewer(name))
        for name, count in counts.items()
        if count > MANY_FILES
    ]
    findings += [
        Finding("orphan", f"{path.relative_to(catalog.root)} belongs to no snapshot", "brainlake check --repair")
        for path in orphans(catalog)
    ]
    return findings


def orphans(catalog: Catalog) -> list[Path]:
    """Files that no snapshot knows: what killed writers left, or what is being written now."""
    known = catalog.known_files()
    files = [
        path
        for path in sorted((catalog.root / "data").rglob("*.parquet"))
        if path.relative_to(catalog.root).as_posix() not in known
    ]
    return files + sorted((catalog.root / "cache").rglob("*.part"))


def _fewer(table: str) -> str:
    if table in TABLES and TABLES[table].is_bulk:
        return "a partition of it is a file: forget what is not needed, or keep two lakes"
    return f"brainlake compact {table}"


# --- what should be there -------------------------------------------------------------------------------------------


def _data_files(database: sqlite3.Connection, deep: bool) -> Iterator[_Expected]:
    ingests: dict[int, dict[int, int]] = defaultdict(dict)
    for number, ingest_id, rows in database.execute("select * from brainlake_file_ingest"):
        ingests[number][ingest_id] = rows
    schemas, stats = {}, defaultdict(list)
    if deep:
        for table_id, version, blob in database.execute("select * from brainlake_stored_schema"):
            schemas[table_id, version] = pa.ipc.read_schema(pa.py_buffer(blob))
        query = """select data_file_id, column_id, value_count, null_count, min_value, max_value
            from ducklake_file_column_stats"""
        for number, *facts in database.execute(query):
            stats[number].append(ColumnStats(*facts))
    query = """
        select f.data_file_id, f.table_id, t.name, f.path, f.record_count, f.file_size_bytes, f.end_snapshot is null,
               b.partition_value, b.schema_version, b.sha256, t.user_spec
        from ducklake_data_file as f
        join brainlake_table as t using (table_id) left join brainlake_file as b using (data_file_id)
        order by t.name, f.data_file_id"""
    for number, table_id, name, path, rows, size, is_live, value, version, sha256, user in database.execute(query):
        spec = spec_from_json(user) if user else TABLES.get(name)
        partition = (spec.partition, value) if spec and spec.partition and value is not None else None
        yield _Expected(
            folder_of(name) + path, rows, size, sha256, bool(is_live), ingests[number], partition,
            schemas.get((table_id, version)), tuple(stats[number]),
        )  # fmt: skip


def _attachments(database: sqlite3.Connection) -> Iterator[_Expected]:
    query = "select path, n_rows, size_bytes, sha256, end_snapshot is null, ingest_id from brainlake_attachment"
    for path, rows, size, sha256, is_live, ingest_id in database.execute(query):
        yield _Expected(path, rows, size, sha256, bool(is_live), {ingest_id: rows})


def _sources(database: sqlite3.Connection) -> dict[int, str]:
    """The line that brings an ingest back."""
    found = {}
    query = "select ingest_id, subject, source_url, parts, options from brainlake_ingest order by begin_snapshot"
    for ingest_id, subject, url, parts, options in database.execute(query):
        found[ingest_id] = brings(subject, url, json.loads(parts), json.loads(options))
    return found


def _damage(file: _Expected, what: str, sources: Mapping[int, str]) -> Finding:
    if not file.is_live:
        remedy = "only earlier snapshots need it: `brainlake expire` gives them up"
    else:
        lines = sorted(sources.get(ingest_id, "restore the lake from a copy") for ingest_id in file.ingests)
        more = f", and {len(lines) - 3} more that it names" if len(lines) > 3 else ""
        remedy = f"`brainlake check --drop-damaged`, then {'; '.join(lines[:3])}{more}"
    return Finding("damage", f"{file.path} {what}", remedy, file.path, tuple(file.ingests) if file.is_live else ())


# --- what is there --------------------------------------------------------------------------------------------------


def _database_findings(database: sqlite3.Connection) -> Iterator[Finding]:
    for (text,) in database.execute("pragma integrity_check"):
        if text != "ok":
            yield Finding("damage", f"catalog.sqlite: {text}", "restore the lake from a copy")


def _count_findings(database: sqlite3.Connection) -> Iterator[Finding]:
    """Rows of the catalogue that contradict each other."""
    for what, query in (
        ("{} has files whose rows belong to no live ingest",
         """select distinct t.name from ducklake_data_file as f join brainlake_table as t using (table_id)
         join brainlake_file_ingest as x using (data_file_id)
         where f.end_snapshot is null and x.ingest_id not in (
             select ingest_id from brainlake_ingest where end_snapshot is null)"""),
        ("{} has files whose rows are not shared out among ingests",
         """select distinct t.name from ducklake_data_file as f join brainlake_table as t using (table_id)
         where f.end_snapshot is null and f.record_count != (
             select coalesce(sum(n_rows), 0) from brainlake_file_ingest as x where x.data_file_id = f.data_file_id)"""),
        ("{} has another number of rows than its files together",
         """select t.name from ducklake_table_stats as s join brainlake_table as t using (table_id)
         where s.record_count != (select coalesce(sum(record_count), 0) from ducklake_data_file as f
             where f.table_id = s.table_id and f.end_snapshot is null)"""),
        ("{} is live in two ingests of one role",
         """select subject from brainlake_ingest where end_snapshot is null
         group by subject, role having count(*) > 1"""),
    ):  # fmt: skip
        for (name,) in database.execute(query):
            yield Finding("damage", f"catalog.sqlite: {what.format(name)}", "restore the lake from a copy")


def _raw_findings(catalog: Catalog) -> Iterator[Finding]:
    """Downloads below ``raw/`` that are not what was ingested from them; those that are gone were not to stay."""
    raw = f"{catalog.root}/raw/"
    with catalog.reading() as database:
        query = """select source_url, source_size_bytes, source_sha256 from brainlake_ingest
            where end_snapshot is null and substr(source_url, 1, ?) = ? order by source_url"""
        rows = database.execute(query, [len(raw), raw]).fetchall()
    for url, size, sha256 in rows:
        path = Path(url)
        with contextlib.suppress(OSError):
            # Of several files together the size is another: their digest is not one file's.
            if path.stat().st_size == size and file_digest(path) != sha256:
                what = f"{path.relative_to(catalog.root)} is not what was ingested: its SHA-256 is another"
                yield Finding("raw", what, "fetch it again with --refresh, or delete it")


def _wrong(root: Path, file: _Expected, deep: bool) -> list[str]:
    """What is wrong with a file, each as the end of a sentence that its name begins."""
    path = root / file.path
    try:
        size = path.stat().st_size
    except FileNotFoundError:
        return ["is missing"]
    except OSError as error:
        return [f"cannot be read: {error.strerror}"]
    if size != file.size_bytes:
        return [f"has {size:,} bytes instead of {file.size_bytes:,}"]
    try:
        if deep and file.sha256 and file_digest(path) != file.sha256:
            return ["has other bytes than were written (SHA-256)"]
        with pq.ParquetFile(path) as parquet:
            if parquet.metadata.num_rows != file.n_rows:
                return [f"has {parquet.metadata.num_rows:,} rows instead of {file.n_rows:,}"]
            return list(_wrong_rows(parquet, file)) if deep else []
    except (OSError, pa.ArrowException) as error:
        return [f"cannot be read: {str(error).splitlines()[0]}"]


def _wrong_rows(parquet: pq.ParquetFile, file: _Expected) -> Iterator[str]:
    """What the rows contradict: the schema, the statistics, whose rows they are, the partition."""
    if file.schema is None:
        for _ in parquet.iter_batches():  # an attachment: its rows can be read, which is all that is known
            pass
        return
    schema = parquet.schema_arrow
    if [(f.name, f.type) for f in schema] != [(f.name, f.type) for f in file.schema]:
        yield "has other columns than its table"
        return
    names = {int((f.metadata or {}).get(b"PARQUET:field_id", b"0")): f.name for f in file.schema}
    expected = {names[s.column_id]: s for s in file.stats if s.column_id in names}
    ranges = {name: Range() for name in expected}
    ingests: Counter[int] = Counter()
    # Where the digest is known the columns without statistics need not be read.
    columns = None if file.sha256 is None else [*dict.fromkeys((*expected, "ingest_id"))]
    for batch in parquet.iter_batches(columns=columns):
        for name, found in ranges.items():
            found.add(batch.column(name))
        for row in batch.column("ingest_id").value_counts().to_pylist():
            ingests[row["values"]] += row["counts"]
    for name, found in ranges.items():
        seen = found.stats(expected[name].column_id)
        if seen != ColumnStats(
            *(getattr(expected[name], k) for k in ("column_id", "n_values", "n_nulls", "minimum", "maximum"))
        ):
            yield f"has other statistics of {name} than the catalogue"
    if dict(ingests) != dict(file.ingests):
        yield "holds rows of other ingests than the catalogue says"
    if file.partition is not None:
        column, value = file.partition
        if column in ranges and {ranges[column].low, ranges[column].high} != {value}:
            yield f"has rows of another {column} than {value}"


def _key_findings(catalog: Catalog) -> Iterable[Finding]:
    """Keys that several live rows hold."""
    with catalog.reading() as database:
        query = """select t.name, t.user_spec, f.path, b.partition_value, s.arrow_schema
            from ducklake_data_file as f join brainlake_table as t using (table_id)
            join brainlake_file as b using (data_file_id)
            join brainlake_stored_schema as s on s.table_id = f.table_id and s.schema_version = b.schema_version
            where f.end_snapshot is null"""
        files: dict[tuple[str, str | None, int | None], list[tuple[str, pa.Schema]]] = defaultdict(list)
        for name, user_spec, path, value, blob in database.execute(query):
            files[name, user_spec, value].append((path, pa.ipc.read_schema(pa.py_buffer(blob))))
    for (name, user_spec, _), found in files.items():
        spec = TABLES.get(name) or (spec_from_json(user_spec) if user_spec else None)
        if spec is not None and (doubled := keys.held_twice(spec, catalog.root, found)):
            yield Finding("damage", f"{name} holds {doubled} twice", "brainlake forget one of its sources")
