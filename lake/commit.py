"""One commit: files, ingests and declarations that change together, inside the catalogue's write lock."""

from __future__ import annotations

import contextlib
import json
import sqlite3
import uuid
from collections.abc import Collection, Iterable, Iterator, Mapping
from pathlib import Path

import pyarrow as pa

from . import ducklake
from .catalog import Catalog
from .errors import CatalogError
from .records import IngestRecord, LiveFile, WrittenAttachment, WrittenFile
from .snapshots import snapshot_time
from .spec import TableSpec
from .tables import TABLES
from .userspec import spec_to_json


@contextlib.contextmanager
def committing(catalog: Catalog, author: str | None, message: str) -> Iterator[Commit]:
    """The next snapshot: what is done in the block becomes visible together when it ends, or not at all."""
    drafts: list[Path] = []
    try:
        with catalog.writing() as database:
            commit = Commit(database, author, message, drafts)
            yield commit
            commit.finish()
    except BaseException:
        remove_unknown(catalog, drafts)
        raise


def remove_unknown(catalog: Catalog, paths: Iterable[Path]) -> None:
    """Remove those files that no snapshot knows.

    The catalogue is asked, not the caller: an interrupt may arrive when the commit is already made. Where it cannot
    be asked the files stay, for ``check --repair``.
    """
    paths = [path for path in paths if path.exists()]
    if paths:
        with contextlib.suppress(CatalogError):
            known = catalog.known_files()
            for path in paths:
                if path.relative_to(catalog.root).as_posix() not in known:
                    path.unlink(missing_ok=True)


class Commit:
    """The next snapshot, being made, see :func:`committing`.

    drafts : files written for this commit alone, to be removed if it is not made
    """

    def __init__(self, database: sqlite3.Connection, author: str | None, message: str, drafts: list[Path]) -> None:
        self.database, self.drafts = database, drafts
        self._author, self._message = author, message
        row = database.execute(
            """select snapshot_id, schema_version, next_catalog_id, next_file_id from ducklake_snapshot
            order by snapshot_id desc limit 1"""
        ).fetchone()
        self.snapshot_id = int(row[0]) + 1
        self._schema_version, self._next_catalog_id, self._next_file_id = map(int, row[1:])
        self._changes: list[str] = []
        self._altered: set[int] = set()

    # -- declarations ---------------------------------------------------------------------------------------------

    def table(self, spec: TableSpec) -> int:
        """The table's id; it is made, or brought to today's declaration, where needed."""
        row = self.database.execute(
            """select b.table_id, b.spec_version, b.user_spec from brainlake_table as b
            join ducklake_table as t using (table_id) where b.name = ? and t.end_snapshot is null""",
            [spec.name],
        ).fetchone()
        if row is None:
            return self._create_table(spec)
        table_id, version, user = row
        if user is not None and user != spec_to_json(spec):
            # Field ids of a user's table are positions: another declaration is another table under its name, so that
            # earlier snapshots keep the columns they had.
            if not self.drop_table(spec.name):
                raise CatalogError(f"{spec.name} was written with other columns meanwhile: add the rows again")
            return self._create_table(spec)
        if version != spec.version:
            self._alter_table(int(table_id), spec)
        return int(table_id)

    def _create_table(self, spec: TableSpec) -> int:
        schema_id = self._schema(spec.schema_name)
        table_id = self._new_catalog_id()
        self.database.execute(
            "insert into ducklake_table values (?, ?, ?, null, ?, ?, ?, 1)",
            [table_id, str(uuid.uuid4()), self.snapshot_id, schema_id, spec.table_name, f"{spec.table_name}/"],
        )
        self._insert_columns(ducklake.column_rows(spec, table_id, self.snapshot_id))
        if spec.partition:
            partition_id = self._new_catalog_id()
            self.database.execute(
                "insert into ducklake_partition_info values (?, ?, ?, null)", [partition_id, table_id, self.snapshot_id]
            )
            self.database.execute(
                "insert into ducklake_partition_column values (?, ?, 0, ?, 'identity')",
                [partition_id, table_id, spec[spec.partition].id],
            )
        self.database.execute("insert into ducklake_table_stats values (?, 0, 0, 0)", [table_id])
        user = None if spec.name in TABLES else spec_to_json(spec)
        values = [table_id, spec.name, spec.version, user]
        self.database.execute("insert into brainlake_table values (?, ?, ?, ?)", values)
        self._remember_schema(table_id, spec.version, spec.arrow)
        self._changes.append(f'created_table:"{spec.schema_name}"."{spec.table_name}"')
        self._altered.add(table_id)
        return table_id

    def _alter_table(self, table_id: int, spec: TableSpec) -> None:
        """Columns that were added, renamed or widened: DuckLake keeps both versions of the row."""
        live = {
            row[0]: row[1:]
            for row in self.database.execute(
                """select column_id, column_name, column_type, nulls_allowed, parent_column from ducklake_column
                where table_id = ? and end_snapshot is null""",
                [table_id],
            )
        }
        fresh = {row[0]: row for row in ducklake.column_rows(spec, table_id, self.snapshot_id)}
        changed = [row for id_, row in fresh.items() if live.get(id_) != (row[5], row[6], row[9], row[10])]
        gone = [id_ for id_ in live if id_ not in fresh] + [row[0] for row in changed]
        self.database.executemany(
            "update ducklake_column set end_snapshot = ? where table_id = ? and column_id = ? and end_snapshot is null",
            [(self.snapshot_id, table_id, id_) for id_ in gone],
        )
        self._insert_columns(changed)
        self.database.execute(
            "update brainlake_table set spec_version = ? where table_id = ?", [spec.version, table_id]
        )
        self._remember_schema(table_id, spec.version, spec.arrow)
        self._changes.append(f"altered_table:{table_id}")
        self._altered.add(table_id)

    def drop_table(self, name: str) -> bool:
        """A user's table that holds nothing any more is gone from this snapshot on; False where it holds something."""
        row = self.database.execute(
            """select table_id from brainlake_table join ducklake_table using (table_id)
            where name = ? and end_snapshot is null""",
            [name],
        ).fetchone()
        query = "select count(*) from ducklake_data_file where table_id = ? and end_snapshot is null"
        if row and not self.database.execute(query, row).fetchone()[0]:
            for table in ("ducklake_table", "ducklake_column", "ducklake_partition_info"):
                self.database.execute(
                    f"update {table} set end_snapshot = ? where table_id = ? and end_snapshot is null",
                    [self.snapshot_id, row[0]],
                )
            self._changes.append(f"dropped_table:{row[0]}")
            self._altered.add(int(row[0]))
            return True
        return False

    def _schema(self, name: str) -> int:
        row = self.database.execute(
            "select schema_id from ducklake_schema where schema_name = ? and end_snapshot is null", [name]
        ).fetchone()
        if row:
            return int(row[0])
        schema_id = self._new_catalog_id()
        self.database.execute(
            "insert into ducklake_schema values (?, ?, ?, null, ?, ?, 1)",
            [schema_id, str(uuid.uuid4()), self.snapshot_id, name, f"{name}/"],
        )
        self._changes.append(f'created_schema:"{name}"')
        return schema_id

    def _insert_columns(self, rows: Iterable[tuple[object, ...]]) -> None:
        self.database.executemany(f"insert into ducklake_column values ({', '.join('?' * 13)})", rows)

    def _remember_schema(self, table_id: int, version: str, schema: pa.Schema) -> None:
        self.database.execute(
            "insert or ignore into brainlake_stored_schema values (?, ?, ?)",
            [table_id, version, schema.serialize().to_pybytes()],
        )

    def _new_catalog_id(self) -> int:
        self._next_catalog_id += 1
        return self._next_catalog_id - 1

    # -- files ----------------------------------------------------------------------------------------------------

    def add_file(self, spec: TableSpec, file: WrittenFile) -> None:
        """Make a written file live."""
        table_id = self.table(spec)
        file_id, self._next_file_id = self._next_file_id, self._next_file_id + 1
        version = file.schema_version or spec.version
        if file.schema is not None:
            self._remember_schema(table_id, version, file.schema)
        (row_id,) = self.database.execute(
            "select next_row_id from ducklake_table_stats where table_id = ?", [table_id]
        ).fetchone()
        partition = self.database.execute(
            "select partition_id from ducklake_partition_info where table_id = ? and end_snapshot is null", [table_id]
        ).fetchone()
        self.database.execute(
            f"insert into ducklake_data_file values ({', '.join('?' * 16)})",
            [file_id, table_id, self.snapshot_id, None, None, file.path, 1, "parquet", file.n_rows, file.size_bytes,
             file.footer_bytes, row_id, partition[0] if partition else None, None, None, None],
        )  # fmt: skip
        if partition:
            self.database.execute(
                "insert into ducklake_file_partition_value values (?, ?, 0, ?)",
                [file_id, table_id, str(file.partition_value)],
            )
        self.database.executemany(
            "insert into ducklake_file_column_stats values (?, ?, ?, null, ?, ?, ?, ?, ?, null)",
            [
                (file_id, table_id, s.column_id, s.n_values, s.n_nulls, s.minimum, s.maximum, s.has_nan)
                for s in file.stats
            ],
        )
        values = [file_id, version, file.partition_value, file.sha256]
        self.database.execute("insert into brainlake_file values (?, ?, ?, ?)", values)
        self.database.executemany(
            "insert into brainlake_file_ingest values (?, ?, ?)", [(file_id, i, n) for i, n in file.ingests.items()]
        )
        self._count(table_id, file.n_rows, file.size_bytes, file.n_rows)
        self._note(f"inserted_into_table:{table_id}")

    def retire_file(self, file: LiveFile) -> None:
        """Take a file out of this snapshot; earlier ones keep it."""
        self.database.execute(
            "update ducklake_data_file set end_snapshot = ? where data_file_id = ?",
            [self.snapshot_id, file.data_file_id],
        )
        self._count(file.table_id, -file.n_rows, -file.size_bytes, 0)
        self._note(f"deleted_from_table:{file.table_id}")

    def _count(self, table_id: int, rows: int, size: int, new_ids: int) -> None:
        self.database.execute(
            """update ducklake_table_stats set record_count = record_count + ?, next_row_id = next_row_id + ?,
                file_size_bytes = file_size_bytes + ? where table_id = ?""",
            [rows, new_ids, size, table_id],
        )

    def _note(self, change: str) -> None:
        if change not in self._changes:
            self._changes.append(change)

    # -- ingests --------------------------------------------------------------------------------------------------

    def add_ingest(
        self,
        record: IngestRecord,
        spec_versions: Mapping[str, str],
        n_rows: int,
        size_bytes: int,
        parts: Iterable[tuple[str, str, int, int, int | None]],
    ) -> None:
        """Record an ingest and its parts (part, state, rows, stored bytes, bytes in the source)."""
        self.database.execute(
            f"insert into brainlake_ingest values ({', '.join('?' * 26)})",
            [record.ingest_id, self.snapshot_id, None, record.subject, record.role, record.dataset, record.version,
             record.doi, record.licence, record.source_url, record.source_size_bytes, record.source_sha256,
             record.reader, record.reader_version, json.dumps(dict(record.options), sort_keys=True),
             json.dumps(sorted(record.parts)), json.dumps(dict(spec_versions), sort_keys=True), snapshot_time(),
             record.author, record.message, n_rows, size_bytes, json.dumps(list(record.warnings)),
             json.dumps([f"{where}: {why}" for where, why in record.skipped]), record.citation, record.seconds],
        )  # fmt: skip
        self.database.executemany(
            "insert into brainlake_ingest_part values (?, ?, ?, ?, ?, ?, ?)",
            [(record.ingest_id, self.snapshot_id, *part) for part in parts],
        )
        # A source that failed may lie elsewhere by now: whoever reads it tells the same subject.
        self.database.execute(
            "delete from brainlake_failure where source_url = ? or (subject = ? and reader = ?)",
            [record.source_url, record.subject, record.reader],
        )

    def retire_ingest(self, ingest_id: int) -> None:
        """An ingest and its attachments end here; its files are retired or rewritten by the caller."""
        for table in ("brainlake_ingest", "brainlake_attachment"):
            self.database.execute(
                f"update {table} set end_snapshot = ? where ingest_id = ? and end_snapshot is null",
                [self.snapshot_id, ingest_id],
            )

    def retire_parts(self, ingest_id: int, parts: Collection[str]) -> None:
        """An ingest goes on without some of its parts: another row of it begins here, with the same number."""
        cursor = self.database.execute(
            "select * from brainlake_ingest where ingest_id = ? and end_snapshot is null", [ingest_id]
        )
        row = dict(zip([name for name, *_ in cursor.description], cursor.fetchone(), strict=True))
        self.database.execute(
            "update brainlake_ingest set end_snapshot = ? where ingest_id = ? and end_snapshot is null",
            [self.snapshot_id, ingest_id],
        )
        self.database.execute(
            """insert into brainlake_ingest_part
            select ingest_id, :now, part, case when part in (select value from json_each(:gone)) then 'available' else state end,
                iif(part in (select value from json_each(:gone)), 0, n_rows),
                iif(part in (select value from json_each(:gone)), 0, size_bytes), source_bytes
            from brainlake_ingest_part where ingest_id = :id and begin_snapshot = :before""",
            {
                "now": self.snapshot_id,
                "gone": json.dumps(list(parts)),
                "id": ingest_id,
                "before": row["begin_snapshot"],
            },
        )
        (row["n_rows"], row["size_bytes"]) = self.database.execute(
            "select sum(n_rows), sum(size_bytes) from brainlake_ingest_part where ingest_id = ? and begin_snapshot = ?",
            [ingest_id, self.snapshot_id],
        ).fetchone()
        row["parts"] = json.dumps([part for part in json.loads(row["parts"]) if part not in parts])
        versions = json.loads(row["spec_versions"]).items()
        kept = {name: version for name, version in versions if name not in TABLES or TABLES[name].part not in parts}
        row |= {"begin_snapshot": self.snapshot_id, "spec_versions": json.dumps(kept, sort_keys=True)}
        self.database.execute(f"insert into brainlake_ingest values ({', '.join('?' * len(row))})", list(row.values()))
        self.database.execute(
            f"""update brainlake_attachment set end_snapshot = ? where ingest_id = ? and end_snapshot is null
            and part in ({", ".join("?" * len(parts))})""",
            [self.snapshot_id, ingest_id, *parts],
        )

    def add_attachment(self, ingest_id: int, file: WrittenAttachment) -> None:
        self.database.execute(
            "insert into brainlake_attachment values (?, ?, ?, null, ?, ?, ?, ?, ?, ?)",
            [file.path, ingest_id, self.snapshot_id, file.kind, file.name, file.n_rows, file.size_bytes, file.part,
             file.sha256],
        )  # fmt: skip

    def finish(self) -> int:
        """Write the snapshot; returns its number."""
        if self._altered:
            self._schema_version += 1
            self.database.executemany(
                "insert into ducklake_schema_versions values (?, ?, ?)",
                [(self.snapshot_id, self._schema_version, table_id) for table_id in sorted(self._altered)],
            )
        self.database.execute(
            "insert into ducklake_snapshot values (?, ?, ?, ?, ?)",
            [self.snapshot_id, snapshot_time(), self._schema_version, self._next_catalog_id, self._next_file_id],
        )
        self.database.execute(
            "insert into ducklake_snapshot_changes values (?, ?, ?, ?, null)",
            [self.snapshot_id, ",".join(self._changes), self._author, self._message],
        )
        return self.snapshot_id
