"""A lake from a lake: all of it, what a snapshot sees, or what a condition chooses of that.

The copy is made beside its place, as ``.NAME.copying``, and has its name once it is whole. A copy that fails leaves
nothing; one that was killed leaves a folder that the next copy to the same place goes on with.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from . import ducklake
from .catalog import Catalog
from .catalog_file import CATALOG_FILE, catalog_errors, fsync_directory
from .commit import committing
from .digests import file_digest
from .errors import CatalogError, DamageError, as_writing_error
from .parquet import TableWriter, sort_rows
from .relations import LIVE
from .session import Session
from .states import folder_of
from .subset import Subset, choose
from .tables import TABLES

Progress = Callable[[str, str, int, int], None]
BLOCK = 1 << 22
AT_ONCE = 8  # files: what they wait for is the disk
_CLONE = 0x40049409  # FICLONE of Linux: a file of the same blocks, where the file system can

# Rows that live from one snapshot to another, as they are at snapshot :v.
_VERSIONED = ("ducklake_schema", "ducklake_table", "ducklake_column", "ducklake_partition_info", "ducklake_data_file",
              "brainlake_ingest", "brainlake_attachment")  # fmt: skip
_OF_TABLES = ("ducklake_partition_column", "ducklake_table_stats", "brainlake_table", "brainlake_stored_schema")
_OF_FILES = ("ducklake_file_column_stats", "ducklake_file_partition_value", "brainlake_file", "brainlake_file_ingest")


@dataclass(frozen=True)
class Copied:
    """What a copy took.

    n_linked : files that are the same on disk as those of the source, and take no room
    left : subjects that it holds nothing of, partial : those it holds a part of
    """

    path: Path
    snapshot_id: int
    n_files: int = 0
    size_bytes: int = 0
    n_linked: int = 0
    whole: tuple[str, ...] = ()
    partial: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    values: Mapping[str, tuple[int, ...]] = field(default_factory=dict)

    def summary(self) -> str:
        """What was taken and what was left, for people."""
        lines = [f"{column}: {_listed(list(map(str, found)))}" for column, found in self.values.items()]
        if self.values:
            lines.append(f"whole: {_listed(self.whole)}")
            lines.append(f"in part: {_listed(self.partial)}")
            lines.append(f"left: {_listed(self.left)}")
        linked = f", {self.n_linked:,} of them sharing the disk with the source" if self.n_linked else ""
        size = f"{self.size_bytes / 1e6:,.1f} MB"
        return "\n".join([*lines, f"copied {self.n_files:,} files, {size}{linked}, to {self.path}"])


def _listed(names: Sequence[str], most: int = 5) -> str:
    if not names:
        return "nothing"
    return ", ".join(names[:most]) + (f" and {len(names) - most:,} more" if len(names) > most else "")


def copy(
    catalog: Catalog,
    to: str | os.PathLike[str],
    *,
    where: Sequence[str] = (),
    snapshot: int | None = None,
    also: Iterable[str] = (),
    link: bool = False,
    progress: Progress = lambda *_: None,
) -> Copied:
    """Copy a lake to a place where nothing is yet.

    where : conditions on partition columns (``session_id in (1, 2)``); what any of them chooses is taken, with its
        tables' rows and the reference rows beside. None: everything.
    snapshot : take what it sees, without history. None: with ``where`` the newest, else all of the history.
    also : schemas or tables that are taken whole beside what ``where`` chooses
    link : share the files with this lake (hard links) where the file system allows

    Raises CatalogError where something is at the place already, QueryError for a condition that is none.
    """
    with drafting(catalog.root, to) as draft:
        done = fill(catalog, draft, where=where, snapshot=snapshot, also=also, link=link, progress=progress)
    return Copied(**{**vars(done), "path": _absolute(to)})


# --- the place ------------------------------------------------------------------------------------------------------


def _absolute(to: str | os.PathLike[str]) -> Path:
    return Path(to).expanduser().absolute()


@contextlib.contextmanager
def drafting(root: Path, to: str | os.PathLike[str]) -> Iterator[Path]:
    """A directory beside a place, which has its name when the block ends and is gone where it fails."""
    place = _absolute(to)
    if place.resolve().is_relative_to(root.resolve()):
        raise CatalogError(f"{place} lies inside of the lake: name a place outside")
    if place.exists() and (not place.is_dir() or any(place.iterdir())):
        raise CatalogError(f"{place} is there already: name a place where nothing is")
    draft = place.with_name(f".{place.name}.copying")
    try:
        draft.mkdir(parents=True, exist_ok=True)
        handle = os.open(draft, os.O_RDONLY)
    except OSError as error:
        raise as_writing_error(error, place) from None
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise CatalogError(f"{place} is being copied to by another process") from None
        try:
            yield draft
            _seal(draft)
            os.rename(draft, place)
            try:
                fsync_directory(place.parent)
            except OSError:
                os.rename(place, draft)
                raise
        except BaseException as error:
            shutil.rmtree(draft, ignore_errors=True)
            if isinstance(error, OSError):
                raise as_writing_error(error, place) from error
            raise
    finally:
        os.close(handle)


def _seal(draft: Path) -> None:
    for folder, _, _ in os.walk(draft):
        fsync_directory(Path(folder))


# --- what goes in ---------------------------------------------------------------------------------------------------


def fill(
    catalog: Catalog,
    draft: Path,
    *,
    where: Sequence[str],
    snapshot: int | None,
    also: Iterable[str],
    link: bool,
    progress: Progress,
) -> Copied:
    """Make a lake in an empty directory, or in one that an earlier try left."""
    for left in (CATALOG_FILE, f"{CATALOG_FILE}-journal"):
        (draft / left).unlink(missing_ok=True)
    if not where and snapshot is None:
        return _everything(catalog, draft, link, progress)
    state = catalog.state(catalog.resolve(snapshot))
    subset = None
    if where:
        progress(str(draft), "choosing", 0, 0)
        session = Session(state)
        try:
            subset = choose(session, where, also)
        finally:
            session.close()
    copied = _new_catalogue(draft)
    try:
        with copied.beside(catalog) as database:
            _take_rows(database, state.snapshot_id, subset)
        files = _files(copied)
        done = _take_files(catalog.root, draft, files, link, progress)
        snapshot_id = state.snapshot_id
        if subset is not None:
            snapshot_id = _write_rest(copied, subset, snapshot_id, where)
        _remove_others(copied)
        sizes = _files(copied)
        subjects = _subjects(catalog, subset)
    finally:
        copied.close()
    values = subset.values if subset else {}
    size = sum(file.size_bytes for file in sizes)
    return Copied(draft, snapshot_id, len(sizes), size, done, *subjects, values)


def _everything(catalog: Catalog, draft: Path, link: bool, progress: Progress) -> Copied:
    """All of a lake: its catalogue as it is, and every file that some snapshot needs."""
    with (
        catalog_errors(draft),
        contextlib.closing(sqlite3.connect(draft / CATALOG_FILE, isolation_level=None)) as target,
    ):
        with catalog.reading() as database:
            database.backup(target)
        target.execute("delete from brainlake_metadata where key = 'frozen'")
    copied = Catalog.open(draft)
    try:
        for folder in ("data", "raw", "cache"):
            (draft / folder).mkdir(exist_ok=True)
        with copied.writing() as database:  # what waits for the end of its grace is not needed by anybody here
            database.execute("delete from ducklake_files_scheduled_for_deletion")
        files = _files(copied)
        n_linked = _take_files(catalog.root, draft, files, link, progress)
        _remove_others(copied)
        return Copied(draft, copied.latest(), len(files), sum(f.size_bytes for f in files), n_linked)
    finally:
        copied.close()


def _new_catalogue(draft: Path) -> Catalog:
    """An empty catalogue, also where data files of an earlier try lie."""
    with contextlib.ExitStack() as stack:
        fresh = draft / ".fresh"
        shutil.rmtree(fresh, ignore_errors=True)
        stack.callback(shutil.rmtree, fresh, ignore_errors=True)
        Catalog.create(fresh).close()
        os.replace(fresh / CATALOG_FILE, draft / CATALOG_FILE)
    for folder in ("data", "raw", "cache"):
        (draft / folder).mkdir(exist_ok=True)
    return Catalog.open(draft)


def _take_rows(database: sqlite3.Connection, snapshot_id: int, subset: Subset | None) -> None:
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
    _recount(database)
    database.execute("drop table kept_path")
    database.execute("drop table kept_ingest")


def _recount(database: sqlite3.Connection) -> None:
    """What tables and ingests hold, as their files say."""
    of_table = "from ducklake_data_file as f where f.table_id = s.table_id and f.end_snapshot is null"
    database.execute(
        f"""update ducklake_table_stats as s set
            record_count = coalesce((select sum(f.record_count) {of_table}), 0),
            file_size_bytes = coalesce((select sum(f.file_size_bytes) {of_table}), 0)"""
    )


# --- files ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _File:
    path: str
    size_bytes: int
    sha256: str | None


def _files(catalog: Catalog) -> list[_File]:
    """Every file that some snapshot needs."""
    with catalog.reading() as database:
        data = database.execute(
            """select t.name, f.path, f.file_size_bytes, b.sha256 from ducklake_data_file as f
            join brainlake_file as b using (data_file_id) join brainlake_table as t using (table_id)"""
        ).fetchall()
        attached = database.execute("select path, size_bytes, sha256 from brainlake_attachment").fetchall()
    found = {folder_of(name) + path: _File(folder_of(name) + path, size, sha256) for name, path, size, sha256 in data}
    return [*found.values(), *(_File(*row) for row in attached)]


def _take_files(source: Path, draft: Path, files: Sequence[_File], link: bool, progress: Progress) -> int:
    """Bring files, several at a time; returns how many are the same on disk as those of the source."""
    total = sum(file.size_bytes for file in files)
    for folder in {(draft / file.path).parent for file in files}:
        folder.mkdir(parents=True, exist_ok=True)
    n_linked = done = 0
    with ThreadPoolExecutor(AT_ONCE, "copy") as pool:
        tasks = [pool.submit(_take, source / f.path, draft / f.path, f, link) for f in files]
        try:
            for file, task in zip(files, tasks, strict=True):
                n_linked += task.result()
                done += file.size_bytes
                progress(str(draft), "files", done, total)
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return n_linked


def _take(source: Path, target: Path, file: _File, link: bool) -> bool:
    """Bring one file; returns whether it takes no room of its own. Raises DamageError where it is not what it was."""
    try:
        if target.exists():
            if target.stat().st_size == file.size_bytes and (not file.sha256 or file_digest(target) == file.sha256):
                return target.samefile(source)
            target.unlink()
        if source.stat().st_size != file.size_bytes:
            raise DamageError(f"{source} has another size than it was written with: see `brainlake check`")
        if link:
            with contextlib.suppress(OSError):  # another file system, or one without hard links
                os.link(source, target)
                return True
        return _copy_bytes(source, target, file)
    except FileNotFoundError:
        raise DamageError(f"{source} is missing: see `brainlake check`") from None


def _copy_bytes(source: Path, target: Path, file: _File) -> bool:
    with source.open("rb") as reading, target.open("xb") as writing:
        cloned = _cloned(reading.fileno(), writing.fileno())
        if not cloned:
            digest = hashlib.sha256()
            while block := reading.read(BLOCK):
                digest.update(block)
                writing.write(block)
            if file.sha256 and digest.hexdigest() != file.sha256:
                why = "is not what was written (its SHA-256 differs)"
                raise DamageError(f"{source} {why}: see `brainlake check --deep`")
        writing.flush()
        os.fsync(writing.fileno())
    target.chmod(0o444)
    return cloned


def _cloned(source: int, target: int) -> bool:
    """Make an empty file one of the same blocks; False where the file system cannot."""
    try:
        fcntl.ioctl(target, _CLONE, source)
    except OSError:
        return False
    return True


def _remove_others(catalog: Catalog) -> None:
    """Remove data files that an earlier try left and this one does not need."""
    known = catalog.known_files()
    for path in (catalog.root / "data").rglob("*"):
        if path.is_file() and path.relative_to(catalog.root).as_posix() not in known:
            path.unlink()


# --- subsets --------------------------------------------------------------------------------------------------------


def _write_rest(catalog: Catalog, subset: Subset, snapshot_id: int, where: Sequence[str]) -> int:
    """Write the chosen rows of tables that are not taken in whole files; the copy has this one snapshot."""
    text = " or ".join(where)
    state = catalog.state()
    writers = []
    for name, rows in sorted(subset.rewritten.items()):
        spec = TABLES.get(name) or state.tables[name].spec
        writer = TableWriter(catalog.root, spec, ingest_id=0)
        writer.write_file(sort_rows(spec, rows), dict(Counter(rows["ingest_id"].to_pylist())))
        writers.append(writer)
    with committing(catalog, None, f"copy of snapshot {snapshot_id} where {text}") as commit:
        for writer in writers:
            for file in writer.files:
                commit.add_file(writer.spec, file)
        database, new = commit.database, commit.snapshot_id
        database.execute("update brainlake_tag set snapshot_id = ?", [new])
        for table in ("ducklake_snapshot", "ducklake_snapshot_changes"):
            database.execute(f"delete from {table} where snapshot_id < ?", [new])
        _recount(database)
        _tell_partial(database, subset, text)
    return new


def _tell_partial(database: sqlite3.Connection, subset: Subset, where: str) -> None:
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


def _subjects(catalog: Catalog, subset: Subset | None) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    if subset is None:
        return (), (), ()
    with catalog.reading() as database:
        named = dict(database.execute("select ingest_id, subject from brainlake_ingest").fetchall())
    whole, partial, left = (
        tuple(sorted({named[i] for i in ids})) for ids in (subset.whole, subset.partial, subset.left)
    )
    return whole, partial, left
