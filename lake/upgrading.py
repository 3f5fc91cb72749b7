"""From the format of an older brainlake to today's: the catalogue alone, in one transaction, with the old one kept."""

from __future__ import annotations

import os
import sqlite3
from dataclasses import dataclass
from pathlib import Path

from . import ducklake
from .catalog import Catalog
from .catalog_file import CATALOG_FILE, fsync_directory
from .datasets import DATASETS
from .errors import CatalogError, as_writing_error
from .writer import writers_lock


@dataclass(frozen=True)
class Upgraded:
    """What :func:`upgrade` did. ``kept`` is the catalogue as it was; None where there was nothing to do."""

    root: Path
    before: int
    after: int
    kept: Path | None = None

    @property
    def line(self) -> str:
        """One line for people."""
        if self.kept is None:
            return f"{self.root} has format {self.after}, which is the newest"
        return (
            f"{self.root} went from format {self.before} to {self.after}; its catalogue of before is {self.kept.name}"
        )


def upgrade(path: str | os.PathLike[str]) -> Upgraded:
    """Bring a lake's catalogue to today's format.

    Raises CatalogError where there is no lake, it is of a newer format, cannot be written, or somebody writes to it.
    """
    catalog = Catalog.open(path, any_format=True)
    try:
        before = catalog.format_version
        if before == ducklake.FORMAT_VERSION:
            return Upgraded(catalog.root, before, before)
        if missing := [v for v in range(before, ducklake.FORMAT_VERSION) if v not in ducklake.UPGRADES]:
            raise CatalogError(f"{catalog.root} has format {before}: no way leads from format {missing[0]} to the next")
        catalog.require_writable()
        with writers_lock(catalog.root, exclusive=True), catalog.writing() as database:
            now = _format(database)  # somebody may have upgraded it meanwhile
            if now == ducklake.FORMAT_VERSION:
                return Upgraded(catalog.root, now, now)
            kept = _keep(catalog.root, now)
            for version in range(now, ducklake.FORMAT_VERSION):
                for statement in ducklake.UPGRADES[version].split(";"):
                    database.execute(statement)
                if version == 1:
                    _tell_collections(database)
            database.execute(
                "update brainlake_metadata set value = ? where key = 'format_version'", [str(ducklake.FORMAT_VERSION)]
            )
        return Upgraded(catalog.root, before, ducklake.FORMAT_VERSION, kept)
    finally:
        catalog.close()


def _format(database: sqlite3.Connection) -> int:
    (value,) = database.execute("select value from brainlake_metadata where key = 'format_version'").fetchone()
    return int(value)


def _keep(root: Path, version: int) -> Path:
    """The catalogue beside itself. Nobody writes to it meanwhile: its write lock is held."""
    kept = root / f"{CATALOG_FILE}.format{version}"
    draft = kept.with_name(f"{kept.name}.part")
    try:
        draft.unlink(missing_ok=True)
        with sqlite3.connect(f"{(root / CATALOG_FILE).as_uri()}?mode=ro", uri=True) as reading:
            target = sqlite3.connect(draft)
            try:
                reading.backup(target)
            finally:
                target.close()
        reading.close()
        os.replace(draft, kept)
        fsync_directory(root)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise as_writing_error(error, root) from None
    except sqlite3.Error:
        draft.unlink(missing_ok=True)
        raise
    return kept


def _tell_collections(database: sqlite3.Connection) -> None:
    """What is known of published collections, for ingests of when it was not yet recorded."""
    for dataset in DATASETS.values():
        database.execute(
            """update brainlake_ingest set doi = coalesce(doi, ?), licence = coalesce(licence, ?),
                citation = coalesce(citation, ?) where dataset = ?""",
            [dataset.doi, dataset.licence, dataset.citation, dataset.name],
        )
