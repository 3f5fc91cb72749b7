"""Bringing a lake in order: what no snapshot knows is removed, what lost a file is taken out to be brought again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from .catalog import Catalog
from .checking import check, orphans
from .commit import committing
from .forgetting import Forgotten, gone_of
from .records import live_files
from .retiring import retire
from .snapshots import snapshot_time
from .writer import USER_READER, login_name, writers_lock


def repair(catalog: Catalog) -> list[Path]:
    """Remove files that no snapshot knows, and empty folders, while nobody writes. Returns the files."""
    catalog.require_writable()
    with writers_lock(catalog.root, exclusive=True):
        found = orphans(catalog)
        for path in found:
            path.unlink(missing_ok=True)
        for part in catalog.root.glob("*.part"):
            part.unlink()
        for folder in sorted((catalog.root / "data").rglob("*=*"), reverse=True):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
    return found


def drop_damaged(
    catalog: Catalog, *, deep: bool = False, progress: Callable[[str, str, int, int], None] | None = None
) -> Forgotten | None:
    """Take every ingest that lost a file, or part of one, out of the next snapshot; None where there is no damage.

    Their sources are then told as failed by ``lake.holdings``, with the command that brings them again. Whole ingests
    go, as half of one would answer wrongly. Earlier snapshots stay as damaged as they are.
    """
    damaged = [f for f in check(catalog, deep=deep, progress=progress) if f.kind == "damage" and f.ingests]
    if not damaged:
        return None
    with writers_lock(catalog.root), committing(catalog, login_name(), "take out what was damaged") as commit:
        lost = {ingest_id for finding in damaged for ingest_id in finding.ingests}
        # A folded file that is damaged has rows of others since: it cannot be written anew without them.
        paths = {finding.path.rsplit("/", 1)[-1] for finding in damaged}
        for file in live_files(commit.database):
            if file.path.rsplit("/", 1)[-1] in paths:
                lost |= set(file.ingests)
        items = gone_of(commit.database, lost)
        retire(commit, catalog.root, {item.ingest_id: None for item in items})
        for item in items:
            if item.reader == USER_READER:
                commit.drop_table(item.subject.partition("/")[2])
                continue
            commit.database.execute("delete from brainlake_failure where source_url = ?", [item.source_url])
            values = [
                item.source_url,
                item.subject,
                item.reader,
                "its rows were damaged and taken out",
                snapshot_time(),
            ]
            commit.database.execute("insert into brainlake_failure values (?, ?, ?, ?, ?)", values)
    return Forgotten(commit.snapshot_id, items)
