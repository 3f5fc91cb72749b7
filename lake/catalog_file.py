"""The file ``catalog.sqlite`` of a lake: connections that wait for others, whole transactions, errors in words.

What is in it is :mod:`.catalog`'s business.
"""

from __future__ import annotations

import contextlib
import os
import random
import sqlite3
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Self

from . import ducklake
from .errors import CatalogError, DamageError, LakeBusyError, as_writing_error
from .snapshots import snapshot_time

CATALOG_FILE = "catalog.sqlite"
FOLDERS = ("data", "raw", "cache")
BUSY_S = 120.0  # how long we wait for others before we give up


class CatalogFile:
    """An open catalogue. Cheap to open; may be used by many processes at once, and by many threads one after the other."""

    def __init__(self, root: Path, read_only: bool) -> None:
        self.root, self.read_only = root, read_only
        self.format_version = ducklake.FORMAT_VERSION
        self.frozen: str | None = None  # when it was published, if it was
        self._lock = threading.RLock()  # one transaction at a time; sessions of several threads may share a catalogue
        self._connection = self._connect()

    @classmethod
    def create(cls, root: str | os.PathLike[str]) -> Self:
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
    def open(cls, root: str | os.PathLike[str], any_format: bool = False) -> Self:
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
    def beside(self, other: CatalogFile) -> Iterator[sqlite3.Connection]:
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

    def shrink(self) -> None:
        """Give the file system back what deleted rows left, where that is much of the catalogue."""
        with self._lock, catalog_errors(self.root):
            free, pages = (
                self._connection.execute(f"pragma {p}").fetchone()[0] for p in ("freelist_count", "page_count")
            )
            if free > max(pages // 4, 64):
                _patiently(self._connection, "vacuum")


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
