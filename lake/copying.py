"""A lake from a lake: all of it, what a snapshot sees, or what a condition chooses of that.

The copy is made beside its place, as ``.NAME.copying``, and has its name once it is whole. A copy that fails leaves
nothing; one that was killed leaves a folder that the next copy to the same place goes on with.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import shutil
import sqlite3
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from .catalog import Catalog
from .catalog_file import CATALOG_FILE, catalog_errors, fsync_directory
from .commit import committing
from .copied_files import Progress, files_of, remove_others, take_files
from .copied_rows import recount, take_rows, tell_partial
from .errors import CatalogError, as_writing_error
from .parquet import TableWriter, sort_rows
from .session import Session
from .subset import Subset, choose
from .tables import TABLES


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
            take_rows(database, state.snapshot_id, subset)
        files = files_of(copied)
        done = take_files(catalog.root, draft, files, link, progress)
        snapshot_id = state.snapshot_id
        if subset is not None:
            snapshot_id = _write_rest(copied, subset, snapshot_id, where)
        remove_others(copied)
        sizes = files_of(copied)
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
        files = files_of(copied)
        n_linked = take_files(catalog.root, draft, files, link, progress)
        remove_others(copied)
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
        recount(database)
        tell_partial(database, subset, text)
    return new


def _subjects(catalog: Catalog, subset: Subset | None) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    if subset is None:
        return (), (), ()
    with catalog.reading() as database:
        named = dict(database.execute("select ingest_id, subject from brainlake_ingest").fetchall())
    whole, partial, left = (
        tuple(sorted({named[i] for i in ids})) for ids in (subset.whole, subset.partial, subset.left)
    )
    return whole, partial, left
