"""The catalogue of a lake: snapshots, files, ingests. Only this module and :mod:`.commit` know what is in it."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime

import pyarrow as pa

from . import ducklake
from .catalog_file import CatalogFile
from .errors import CatalogError
from .relations import relations_of
from .snapshots import find_snapshot, require_snapshot, snapshot_time, tags_of
from .states import IngestState, LakeState, folder_of, read_attachments, read_live_ingests, read_tables


class Catalog(CatalogFile):
    """A lake's catalogue: what is there now and was at each snapshot, and what commits need to know."""

    # -- snapshots ------------------------------------------------------------------------------------------------

    def snapshots(self) -> pa.Table:
        """The lake's history, as ``lake.snapshots`` shows it."""
        return self.state().relations["lake.snapshots"]()

    def latest(self) -> int:
        """The newest snapshot."""
        return self.resolve(None)

    def resolve(self, at: int | str | datetime | None) -> int:
        """The snapshot meant by a number, a tag, or a time (the last one committed by then)."""
        with self.reading() as database:
            return find_snapshot(database, at)

    def tag(self, name: str, snapshot_id: int) -> int | None:
        """Name a snapshot; a name in use moves. Returns the snapshot that had it."""
        if not name or name.isdigit():
            raise CatalogError(f"{name!r} cannot be a tag: a number means a snapshot")
        with self.writing() as database:
            find_snapshot(database, snapshot_id)
            before = tags_of(database).get(name)
            database.execute(
                "insert or replace into brainlake_tag values (?, ?, ?)", [name, snapshot_id, snapshot_time()]
            )
        return before

    def untag(self, name: str) -> int:
        """Take a name from the snapshot that has it, which is returned. Raises UnknownError where none has."""
        with self.writing() as database:
            before = tags_of(database, [name])[name]
            database.execute("delete from brainlake_tag where name = ?", [name])
        return before

    # -- what is there --------------------------------------------------------------------------------------------

    def state(self, snapshot_id: int | None = None) -> LakeState:
        """Every table, file and attachment at a snapshot, in one consistent read."""
        with self.reading() as database:
            at = {"v": find_snapshot(database, None) if snapshot_id is None else snapshot_id}
            require_snapshot(database, at["v"])
            tables, attachments = read_tables(database, at), read_attachments(database, at)
        return LakeState(self.root, at["v"], tables, attachments, relations_of(self, at["v"]))

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

    def live_ingests(self, subject: str | None = None, role: str | None = None) -> list[IngestState]:
        """Ingests that are live now, of one subject and role or of all."""
        with self.reading() as database:
            return read_live_ingests(database, subject, role)

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

    def record_failures(self, failures: Collection[tuple[str, str | None, str | None, str | None]]) -> None:
        """Remember sources that could not be ingested (URL, subject, reader, error), each until it is."""
        if not failures:
            return
        with self.writing() as database:
            database.executemany("delete from brainlake_failure where source_url = ?", [(url,) for url, *_ in failures])
            database.executemany(
                "insert into brainlake_failure values (?, ?, ?, ?, ?)",
                [(url, subject, reader, error or "", snapshot_time()) for url, subject, reader, error in failures],
            )
