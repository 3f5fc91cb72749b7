"""Where a lake is and how it is come by: :func:`create`, :func:`open`, and :func:`check` of one too damaged for that."""

from __future__ import annotations

import contextlib
import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from . import checking, forgetting, mending
from .catalog import Catalog
from .facade import At, Lake

if TYPE_CHECKING:
    from .ingest_report import Progress

DEFAULT_LAKE = "brainlake"


def default_path() -> Path:
    """Where the lake is when nobody says: ``$BRAINLAKE``, or ``./brainlake``."""
    return Path(os.environ.get("BRAINLAKE") or DEFAULT_LAKE)


def create(path: str | os.PathLike[str] | None = None) -> Lake:
    """Make an empty lake in a new or empty directory, and open it.

    Raises CatalogError where there already is a lake, or a directory with something else in it.
    """
    return Lake(Catalog.create(Path(path) if path is not None else default_path()))


def open(path: str | os.PathLike[str] | None = None, snapshot: At = None) -> Lake:
    """Open a lake, or a single file as a throw-away lake.

    path : a lake's directory; by default ``$BRAINLAKE`` or ``./brainlake``. A file (NWB, CSV) is read into a temporary
        lake that goes with the object.
    snapshot : a snapshot's number, a tag, or a time; by default the latest. The lake stays on it until ``refresh()``.
    """
    where = Path(path) if path is not None else default_path()
    if where.is_file():
        return _open_file(where)
    return Lake(Catalog.open(where), snapshot)


def check(
    path: str | os.PathLike[str] | None = None,
    *,
    repair: bool = False,
    deep: bool = False,
    progress: Progress | None = None,
) -> list[checking.Finding]:
    """What is wrong with a lake, also where it is too damaged to be opened; see :meth:`Lake.check`."""
    with contextlib.closing(Catalog.open(Path(path) if path is not None else default_path())) as catalog:
        return findings(catalog, repair=repair, deep=deep, progress=progress)


def drop_damaged(
    path: str | os.PathLike[str] | None = None, *, deep: bool = False, progress: Progress | None = None
) -> forgetting.Forgotten | None:
    """Take out what lost a file, also where the lake is too damaged to be opened; see :func:`.mending.drop_damaged`."""
    with contextlib.closing(Catalog.open(Path(path) if path is not None else default_path())) as catalog:
        return mending.drop_damaged(catalog, deep=deep, progress=progress)


def findings(catalog: Catalog, *, repair: bool, deep: bool, progress: Progress | None = None) -> list[checking.Finding]:
    """What is wrong with a lake and, last, what an older reader read; see :meth:`.facade.Lake.check`."""
    from .ingestion import stale_ingests

    if repair:
        mending.repair(catalog)
    stale = [
        checking.Finding("stale", f"{old.subject} ({old.role}) from {old.source_url}", "brainlake ingest --stale")
        for old in stale_ingests(catalog)
    ]
    return checking.check(catalog, deep=deep, progress=progress) + stale


def _open_file(path: Path) -> Lake:
    directory = Path(tempfile.mkdtemp(prefix="brainlake-"))
    try:
        lake = Lake(Catalog.create(directory / "lake"), temporary=directory)
        lake.ingest(path).raise_failed()
        return lake
    except BaseException:
        shutil.rmtree(directory, ignore_errors=True)
        raise
