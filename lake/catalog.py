"""The catalogue of a lake: snapshots, files, ingests. Only this module and :mod:`.commit` touch ``catalog.sqlite``."""

from __future__ import annotations

import contextlib
import json
import os
import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple

import pyarrow as pa

from . import ducklake
from .errors import CatalogError, DamageError, LakeBusyError, as_writing_error, lost_file
from .relations import LIVE, relations_of
from .relations import RELATIONS as RELATIONS  # what a session registers
from .snapshots import find_snapshot, require_snapshot
from .snapshots import snapshot_time as snapshot_time
from .spec import TableSpec
from .tables import TABLES
from .userspec import spec_from_json

CATALOG_FILE = "catalog.sqlite"
FOLDERS = ("data", "raw", "cache")
BUSY_S = 120.0  # how long we wait for others before we give up


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
            catalog = Catalog.open(self.root)
            try:
                with catalog.reading() as database:
                    require_snapshot(database, self.snapshot_id)
            finally:
                catalog.close()
        except CatalogError as why:
            return why
        return lost_file(error)


class Catalog:
    """A lake's catalogue. Cheap to open; may be used by many processes at once."""

    def __init__(self, root: Path, read_only: bool) -> None:
        self.root, self.read_only = root, read_only
        self.format_version = ducklake.FORMAT_VERSION
        self.frozen: str | None = None  # when it was published, if it was
        self._lock = threading.RLock()  # one transaction at a time; sessions of several threads may share a catalogue
        self._connection = self._connect()

    @classmethod
    def create(cls, root: str | os.PathLike[str]) -> Catalog:
        """Make an empty lake in a new or empty directory."""
        root = _plain_path(root)
        if root.exists() and not _is_empty(root):
            what = "already is a lake" if (root / CATALOG_FILE).exists() else "is not empty"
            raise CatalogError(f"{root} {what}: open it, or choose another directory")
        with catalog_errors(root):
            root.mkdir(parents=True, exist_ok=True)
            for folder in FOLDERS:
                (root / folder).mkdir(exist_ok=True)
            draft = root / f"{CATALOG_FILE}.{os.getpid()}.part"
            try:
                with contextlib.closing(sqlite3.connect(draft, isolation_level=None)) as database:
                    database.execute("pragma journal_mode = delete")
                    database.execute("begin")
                    for statement in (ducklake.DUCKLAKE_TABLES + ducklake.OUR_TABLES).split(";"):
                        database.execute(statement)
                    _first_rows(database)
                    database.execute("commit")
                os.replace(draft, root / CATALOG_FILE)
                try:
                    fsync_directory(root)
                except OSError:
                    (root / CATALOG_FILE).unlink()
                    raise
            finally:
                for path in (draft, draft.with_name(f"{draft.name}-journal")):
                    path.unlink(missing_ok=True)
        return cls(root, read_only=False)

    @classmethod
    def open(cls, root: str | os.PathLike[str], any_format: bool = False) -> Catalog:
        """Open an existing lake; read-only where its directory cannot be written.

        any_format : also one of an older format, which only an upgrade can work on
        """
        root = _plain_path(root)
        if not (root / CATALOG_FILE).is_file():
            raise CatalogError(
                f"{root} is not a lake (no {CATALOG_FILE}): make one with `brainlake create`, "
                "or name another with --lake or $BRAINLAKE"
            )
        catalog = cls(root, read_only=not _is_writable(root))
        catalog._check_format(any_format)
        return catalog

    def _connect(self) -> sqlite3.Connection:
        uri = (self.root / CATALOG_FILE).as_uri() + ("?mode=ro" if self.read_only else "?mode=rw")
        with catalog_errors(self.root):
            # SQLite's own waiting cannot be interrupted, so it is short, and we wait around it.
            connection = sqlite3.connect(uri, uri=True, timeout=0.1, isolation_level=None, check_same_thread=False)
            for setting in (
                "synchronous = extra",
                "temp_store = memory",
                "cache_spill = off",  # else a large commit may have to wait in its middle
            ):
                _patiently(connection, f"pragma {setting}")
        return connection

    def _check_format(self, any_format: bool) -> None:
        with self.reading() as database:
            told = dict(database.execute("select key, value from brainlake_metadata").fetchall())
        self.frozen = told.get("frozen")
        self.read_only |= self.frozen is not None
        found = self.format_version = int(told.get("format_version", 0))
        if not found or found > ducklake.FORMAT_VERSION:
            raise CatalogError(
                f"{self.root} has format {found or 'none'}, this brainlake knows up to {ducklake.FORMAT_VERSION}: "
                "upgrade brainlake to open it"
            )
        if found < ducklake.FORMAT_VERSION and not any_format:
            where = " where it can be written" if self.read_only else ""
            raise CatalogError(
                f"{self.root} has format {found}, this brainlake works on {ducklake.FORMAT_VERSION}: "
                f"`brainlake --lake {self.root} upgrade` brings it there{where}"
            )

    def close(self) -> None:
        self._connection.close()

    # -- transactions ---------------------------------------------------------------------------------------------

    @contextlib.contextmanager
    def reading(self) -> Iterator[sqlite3.Connection]:
        """One consistent view of the catalogue."""
        with self._transaction("begin") as database:
            yield database

    @contextlib.contextmanager
    def writing(self) -> Iterator[sqlite3.Connection]:
        """The catalogue's write lock: everything inside commits, or nothing does."""
        self.require_writable()
        with self._transaction("begin immediate") as database:
            yield database

    def require_writable(self) -> None:
        """Raise CatalogError where the lake takes no commits: it is published, or its directory is read-only."""
        if self.frozen:
            raise CatalogError(
                f"{self.root} was published on {self.frozen} and does not change: "
                "`brainlake copy` makes a lake of it that does"
            )
        if self.read_only:
            raise CatalogError(f"{self.root} cannot be written: its directory is read-only")

    @contextlib.contextmanager
    def beside(self, other: Catalog) -> Iterator[sqlite3.Connection]:
        """The write lock, with the tables of another lake's catalogue, as they are now, in the schema ``other``."""
        self.require_writable()
        with self._lock, catalog_errors(self.root):
            self._connection.execute("attach ? as other", [(other.root / CATALOG_FILE).as_uri() + "?mode=ro"])
            try:
                with self._transaction("begin immediate") as database:
                    _patiently(database, "select count(*) from other.ducklake_metadata")  # takes its lock: it may wait
                    yield database
            finally:
                self._connection.execute("detach other")

    @contextlib.contextmanager
    def _transaction(self, begin: str) -> Iterator[sqlite3.Connection]:
        with self._lock, catalog_errors(self.root):
            _patiently(self._connection, begin)
            try:
                # A reader takes its lock at the first read: then, not in the block, it may have to wait.
                _patiently(self._connection, "select count(*) from ducklake_metadata")
                yield self._connection
                # A commit waits for readers to leave; the transaction stays open meanwhile.
                _patiently(self._connection, "commit")
            except BaseException:
                if self._connection.in_transaction:
                    self._connection.execute("rollback")
                raise

    # -- snapshots ------------------------------------------------------------------------------------------------

    def snapshots(self) -> pa.Table:
        """The lake's history, as ``lake.snapshots`` shows it."""
        return self.state().relations["lake.snapshots"]()

    def latest(self) -> int:
        """The newest snapshot."""
        with self.reading() as database:
            return int(database.execute("select max(snapshot_id) from ducklake_snapshot").fetchone()[0])

    def resolve(self, at: int | str | datetime | None) -> int:
        """The snapshot meant by a number, a tag, or a time (the last one committed by then)."""
        with self.reading() as database:
            return find_snapshot(database, at)

    def tag(self, name: str, snapshot_id: int) -> None:
        """Name a snapshot; a name in use moves."""
        if not name or name.isdigit():
            raise CatalogError(f"{name!r} cannot be a tag: a number means a snapshot")
        with self.writing() as database:
            find_snapshot(database, snapshot_id)
            database.execute(
                "insert or replace into brainlake_tag values (?, ?, ?)", [name, snapshot_id, snapshot_time()]
            )

    # -- what is there --------------------------------------------------------------------------------------------

    def state(self, snapshot_id: int | None = None) -> LakeState:
        """Every table, file and attachment at a snapshot, in one consistent read."""
        with self.reading() as database:
            newest = int(database.execute("select max(snapshot_id) from ducklake_snapshot").fetchone()[0])
            at = {"v": newest if snapshot_id is None else snapshot_id}
            require_snapshot(database, at["v"])
            tables = self._tables(database, at)
            attachments = tuple(
                AttachmentState(*row)
                for row in database.execute(
                    f"""select a.ingest_id, i.subject, a.kind, a.name, a.path, a.n_rows, a.size_bytes, i.source_url
                    from (select * from brainlake_attachment where {LIVE}) as a
                    join (select * from brainlake_ingest where {LIVE}) as i using (ingest_id)
                    order by a.ingest_id, a.name""",
                    at,
                )
            )
        return LakeState(self.root, at["v"], tables, attachments, relations_of(self, at["v"]))

    @staticmethod
    def _tables(database: sqlite3.Connection, at: dict[str, int]) -> dict[str, TableState]:
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

    def known_files(self) -> set[str]:
        """Every file that some snapshot knows, relative to the lake."""
        with self.reading() as database:
            files = database.execute(
                "select t.name, f.path from ducklake_data_file as f join brainlake_table as t using (table_id)"
            )
            known = {folder_of(name) + path for name, path in files}
            known |= {path for (path,) in database.execute("select path from brainlake_attachment")}
            dying = database.execute("select path from ducklake_files_scheduled_for_deletion")
            return known | {ducklake.DATA_PATH + path for (path,) in dying}

    def shrink(self) -> None:
        """Give the file system back what deleted rows left, where that is much of the catalogue."""
        with self._lock, catalog_errors(self.root):
            free, pages = (
                self._connection.execute(f"pragma {p}").fetchone()[0] for p in ("freelist_count", "page_count")
            )
            if free > max(pages // 4, 64):
                _patiently(self._connection, "vacuum")

    def live_ingests(self, subject: str | None = None, role: str | None = None) -> list[IngestState]:
        """Ingests that are live now, of one subject and role or of all."""
        query = """
            select ingest_id, subject, role, source_url, source_sha256, reader, reader_version, options, parts,
                   spec_versions, (
                select json_group_object(part, state) from brainlake_ingest_part as p
                where p.ingest_id = i.ingest_id and p.begin_snapshot = i.begin_snapshot)
            from brainlake_ingest as i
            where end_snapshot is null and subject = coalesce(:subject, subject) and role = coalesce(:role, role)
            order by ingest_id"""
        with self.reading() as database:
            rows = database.execute(query, {"subject": subject, "role": role}).fetchall()
        return [_ingest_state(*row) for row in rows]

    def live_ingest(self, subject: str, role: str) -> IngestState | None:
        """The one live ingest of a subject in a role."""
        return next(iter(self.live_ingests(subject, role)), None)

    def record_discarded(self, path: str, source_url: str, size_bytes: int) -> None:
        """Remember that a download below ``raw/`` was removed when it had been ingested."""
        with self.writing() as database:
            values = [path, source_url, size_bytes, snapshot_time()]
            database.execute("insert or replace into brainlake_discarded values (?, ?, ?, ?)", values)

    def discarded(self) -> dict[str, int]:
        """Sources whose downloads were removed, and their bytes."""
        with self.reading() as database:
            return dict(database.execute("select source_url, size_bytes from brainlake_discarded").fetchall())

    def record_failure(self, source_url: str, subject: str | None, reader: str | None, error: str | None) -> None:
        """Remember that a source could not be ingested; forgotten when it is."""
        with self.writing() as database:
            database.execute("delete from brainlake_failure where source_url = ?", [source_url])
            values = [source_url, subject, reader, error or "", snapshot_time()]
            database.execute("insert into brainlake_failure values (?, ?, ?, ?, ?)", values)


def _ingest_state(*row: Any) -> IngestState:
    *facts, options, parts, spec_versions, states = row
    told = json.loads(options), tuple(json.loads(parts)), json.loads(spec_versions), json.loads(states)
    return IngestState(*facts, *told)


def folder_of(table: str) -> str:
    """Where a table's files are, relative to the lake."""
    return ducklake.DATA_PATH + table.replace(".", "/") + "/"


def _first_rows(database: sqlite3.Connection) -> None:
    database.executemany(
        "insert into ducklake_metadata values (?, ?, null, null)",
        [
            ("version", ducklake.DUCKLAKE_VERSION),
            ("created_by", "brainlake"),
            ("data_path", ducklake.DATA_PATH),
            ("encrypted", "false"),
        ],
    )
    database.execute("insert into ducklake_snapshot values (0, ?, 0, 1, 0)", [snapshot_time()])
    changes = 'created_schema:"main"'
    database.execute("insert into ducklake_snapshot_changes values (0, ?, null, 'lake created', null)", [changes])
    main = (0, "00000000-0000-4000-8000-000000000000", 0, None, "main", "main/", 1)
    database.execute("insert into ducklake_schema values (?, ?, ?, ?, ?, ?, ?)", main)
    database.execute("insert into brainlake_metadata values ('format_version', ?)", [str(ducklake.FORMAT_VERSION)])


def _plain_path(root: str | os.PathLike[str]) -> Path:
    path = Path(root).absolute()
    if any(character in str(path) for character in "*?["):
        raise CatalogError(f"{path}: DuckDB takes *, ? and [ in a path for a pattern; rename the directory")
    return path


def _patiently(connection: sqlite3.Connection, statement: str) -> None:
    """Run a statement that others may hold up, again and again until it is done or BUSY_S have passed."""
    deadline = time.monotonic() + BUSY_S
    while True:
        try:
            connection.execute(statement)
            return
        except sqlite3.OperationalError as error:
            if not _is_busy(error) or time.monotonic() > deadline:
                raise
            time.sleep(random.uniform(0.005, 0.05))  # not in step with the others who wait


def _is_busy(error: sqlite3.Error) -> bool:
    return error.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED)


@contextlib.contextmanager
def catalog_errors(root: Path) -> Iterator[None]:
    """What SQLite and the file system say, as one clear sentence."""
    try:
        yield
    except sqlite3.Error as error:
        if hasattr(error, "sqlite_errorcode"):
            code = error.sqlite_errorcode & 0xFF
            if _is_busy(error):
                raise LakeBusyError(f"{root}: others have been writing for {BUSY_S:.0f} s; try again") from None
            if code == sqlite3.SQLITE_FULL:
                raise CatalogError(
                    f"{root}: the disk is full; the lake is unchanged: free some space and try again"
                ) from None
            if error.sqlite_errorcode in (sqlite3.SQLITE_READONLY_ROLLBACK, sqlite3.SQLITE_READONLY_RECOVERY):
                raise CatalogError(
                    f"{root}: a writer was killed here in the middle of a commit: open the lake once where it can be "
                    "written, which takes the half commit back"
                ) from None
            if code == sqlite3.SQLITE_CANTOPEN:  # its journal, mostly
                raise CatalogError(
                    f"{root} cannot be written: {error} (is the disk full?); the lake is unchanged"
                ) from None
            if code == sqlite3.SQLITE_READONLY:
                raise CatalogError(f"{root} cannot be written: {error}") from None
            if code == sqlite3.SQLITE_IOERR:
                # The last step of a commit may be the one that fails: then it is made, if not for sure.
                raise CatalogError(
                    f"{root}: the disk is full or fails ({error}): free some space, then `brainlake snapshots` tells "
                    "whether the change is in the lake"
                ) from None
        raise DamageError(f"{root / CATALOG_FILE}: {error}") from error
    except OSError as error:
        raise as_writing_error(error, root) from error


def _is_empty(root: Path) -> bool:
    """Whether a directory holds nothing but what an interrupted ``create`` left."""
    if not root.is_dir():
        return False
    left = [path for path in root.iterdir() if not path.name.startswith(f"{CATALOG_FILE}.")]
    return all(path.name in FOLDERS and path.is_dir() and not any(path.iterdir()) for path in left)


def _is_writable(root: Path) -> bool:
    """Whether SQLite could commit: it writes the catalogue, and a journal beside it."""
    return os.access(root / CATALOG_FILE, os.W_OK) and os.access(root, os.W_OK)


def fsync_directory(path: Path) -> None:
    """Make the names in a directory as durable as the files."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
