"""From rows to one commit: an ingest's files are written first, then made live together or not at all."""

from __future__ import annotations

import contextlib
import fcntl
import getpass
import os
import secrets
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa

from . import keys
from .catalog import Catalog
from .commit import committing, remove_unknown
from .digests import file_digest
from .errors import CatalogError, as_writing_error
from .parquet import TableWriter
from .records import (
    IngestRecord,
    WrittenAttachment,
    live_ingest_id,
    live_ingest_ids,
)
from .retiring import retire
from .sealing import AttachmentWriter
from .spec import TableSpec
from .tables import TABLES
from .userspec import storable, user_spec, with_descriptions_of

USER_READER = "lake.write"
SEALED_AT_ONCE = 8  # files that are made durable at the same time


@dataclass(frozen=True)
class Committed:
    """What a commit made. ``parts`` are those chosen that are in the lake by it."""

    ingest_id: int
    snapshot_id: int
    n_rows: dict[str, int]
    replaced: int | None
    size_bytes: int
    parts: tuple[str, ...] = ()


@contextlib.contextmanager
def writers_lock(root: Path, exclusive: bool = False) -> Iterator[None]:
    """The lock that tells ``check --repair`` whether files without a snapshot are orphans or somebody's work."""
    try:
        handle = os.open(root / ".writers", os.O_RDWR | os.O_CREAT, 0o664)
    except OSError as error:
        raise as_writing_error(error, root) from None
    try:
        try:
            fcntl.flock(handle, (fcntl.LOCK_EX if exclusive else fcntl.LOCK_SH) | (fcntl.LOCK_NB if exclusive else 0))
        except BlockingIOError:
            who = _holders(handle)
            raise CatalogError(f"{root}: others are writing{who}; repair when they have finished") from None
        yield
    finally:
        os.close(handle)


def _holders(handle: int) -> str:
    """Which processes hold a lock on an open file, where the system tells (Linux does)."""
    status = os.fstat(handle)
    file = f"{os.major(status.st_dev):02x}:{os.minor(status.st_dev):02x}:{status.st_ino}"
    try:
        locks = Path("/proc/locks").read_text().split("\n")
    except OSError:
        return ""
    # "5: FLOCK  ADVISORY  READ 1234 fe:00:56789 0 EOF"
    found = {words[4] for line in locks if len(words := line.split()) > 5 and words[1] == "FLOCK" and words[5] == file}
    return f" (process {', '.join(sorted(found))})" if found else ""


class IngestWriter:
    """Writes one ingest. A context manager: left without ``commit``, it leaves nothing behind.

    source_sha256 : the digest, or a function that gives it (the source is hashed while it is read)
    """

    def __init__(
        self,
        catalog: Catalog,
        *,
        subject: str,
        role: str,
        source_url: str,
        source_size: int,
        source_sha256: str | Callable[[], str],
        reader: str,
        reader_version: str,
        options: Mapping[str, Any],
        parts: Sequence[str],
        dataset: str | None = None,
        version: str | None = None,
        doi: str | None = None,
        licence: str | None = None,
        citation: str | None = None,
        author: str | None = None,
        message: str | None = None,
    ) -> None:
        catalog.require_writable()
        self._catalog = catalog
        self._sha256 = source_sha256 if callable(source_sha256) else lambda: source_sha256
        # 2^52 random values: two writers need no common counter, and a float64 holds the id exactly.
        ingest_id = 1 + secrets.randbelow((1 << 52) - 1)
        self._record = IngestRecord(
            ingest_id, subject, role, source_url, source_size, "", reader, reader_version, options, parts,
            dataset, version, doi, licence, author or login_name(), message, citation=citation,
        )  # fmt: skip
        self._began = time.perf_counter()
        self._tables: dict[str, TableWriter] = {}
        self._attaching: list[AttachmentWriter] = []
        self._attachments: list[WrittenAttachment] = []
        self._is_made = False
        self._stack = contextlib.ExitStack()

    def __enter__(self) -> IngestWriter:
        self._stack.enter_context(writers_lock(self._catalog.root))
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        try:
            for table in self._tables.values():
                table.abandon()
            if not self._is_made:
                paths = [path for table in self._tables.values() for path in table.paths]
                remove_unknown(self._catalog, paths + [one.path for one in self._attaching])
        finally:
            self._stack.close()
        if isinstance(error, OSError):
            raise as_writing_error(error, self._catalog.root) from error

    def write(self, table: str | TableSpec, rows: Mapping[str, Any] | pa.RecordBatch | pa.Table) -> None:
        """Add rows to a table. Raises SpecError where they are not as declared."""
        spec = TABLES[table] if isinstance(table, str) else table
        if spec.name not in self._tables:
            self._tables[spec.name] = TableWriter(self._catalog.root, spec, self._record.ingest_id)
        self._tables[spec.name].write(rows)

    def attach(self, attachment: Any) -> None:
        """Keep a typed file of its own with the ingest (see ``ingest.contract.Attachment``)."""
        self._attaching.append(
            AttachmentWriter(
                self._catalog.root, attachment.part, attachment.kind, attachment.name, attachment.schema,
                attachment.batches,
            )
        )  # fmt: skip

    def commit(
        self,
        *,
        warnings: Sequence[str] = (),
        skipped: Sequence[tuple[str, str]] = (),
        available: Mapping[str, int] | None = None,
        alone: bool = False,
    ) -> Committed:
        """Make everything written live in one snapshot, in place of what the subject and role held before.

        alone : in place of what the subject held in any role
        Raises DoubledKeyError where a key is held twice, within this ingest or by another live one.
        """
        self._finish()
        for table in self._tables.values():
            keys.refuse_doubled_within(table.spec, self._catalog.root, table.files, self._record.source_url)
        seconds = round(time.perf_counter() - self._began, 3)
        record = replace(
            self._record, source_sha256=self._sha256(), warnings=warnings, skipped=skipped, seconds=seconds
        )
        n_rows = {name: table.n_rows for name, table in self._tables.items() if table.n_rows}
        size = sum(f.size_bytes for t in self._tables.values() for f in t.files)
        size += sum(a.size_bytes for a in self._attachments)
        parts = self._parts(available or {})
        message = record.message or f"ingest {record.subject} ({record.role})"
        with committing(self._catalog, record.author, message) as commit:
            old = live_ingest_id(commit.database, record.subject, record.role)
            others = live_ingest_ids(commit.database, record.subject) if alone else [old] if old is not None else []
            retire(commit, self._catalog.root, dict.fromkeys(others))
            for table in self._tables.values():
                commit.table(table.spec)
                keys.refuse_doubled_between(
                    commit.database, self._catalog.root, table.spec, table.files, record.source_url
                )
                for file in table.files:
                    commit.add_file(table.spec, file)
            for attachment in self._attachments:
                commit.add_attachment(record.ingest_id, attachment)
            specs = {name: table.spec.version for name, table in self._tables.items()}
            commit.add_ingest(record, specs, sum(n_rows.values()), size, parts)
        self._is_made = True
        present = tuple(part for part, state, *_ in parts if state == "present" and part in record.parts)
        return Committed(record.ingest_id, commit.snapshot_id, n_rows, old, size, present)

    def _finish(self) -> None:
        """Everything on the disk. At the same time, as a disk takes no longer for many small files than for one."""
        with ThreadPoolExecutor(SEALED_AT_ONCE, "seal") as pool:
            tables = [pool.submit(table.finish) for table in self._tables.values()]
            attachments = [pool.submit(one.finish) for one in self._attaching]
        for done in tables:
            done.result()
        self._attachments = [done.result() for done in attachments]

    def _parts(self, available: Mapping[str, int]) -> list[tuple[str, str, int, int, int | None]]:
        rows: dict[str, int] = {}
        sizes: dict[str, int] = {}
        for table in self._tables.values():
            part = table.spec.part
            rows[part] = rows.get(part, 0) + table.n_rows
            sizes[part] = sizes.get(part, 0) + sum(f.size_bytes for f in table.files)
        for one in self._attachments:
            rows[one.part] = rows.get(one.part, 0) + one.n_rows
            sizes[one.part] = sizes.get(one.part, 0) + one.size_bytes
        taken = {p for p in self._record.parts if p in available or p in rows} | set(rows)
        return [
            (p, "present" if p in taken else "available", rows.get(p, 0), sizes.get(p, 0), available.get(p))
            for p in sorted(taken | set(available))
        ]


def login_name() -> str:
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def write_user_table(
    catalog: Catalog,
    name: str,
    table: pa.Table,
    key: Sequence[str] = (),
    message: str | None = None,
    *,
    append: bool = False,
    file: Path | None = None,
    **declared: Any,
) -> Committed:
    """Keep a user's own table, in place of what it held before.

    append : add the rows to those that it holds, which need its columns and none of its keys
    file : what the rows came from
    declared : ``partition``, ``about``, ``descriptions``, see :func:`.userspec.user_spec`
    """
    held = catalog.state().tables.get(name)
    append = append and held is not None
    if held and append:
        spec = held.spec
        if key and tuple(key) != spec.key:
            raise CatalogError(f"{name} has the key {', '.join(spec.key) or 'none'}: rows are added under it alone")
    else:
        spec = user_spec(name, table.schema, key, **declared)
        spec = with_descriptions_of(held.spec, spec) if held else spec
    if not table.num_rows:
        raise CatalogError(f"{name}: the table is empty; `brainlake forget table/{name}` removes one")
    rows = storable(spec, table)
    with IngestWriter(
        catalog,
        subject=f"table/{name}",
        role=f"table+{secrets.token_hex(4)}" if append else "table",
        source_url=str(file.absolute()) if file else f"table:{name}",
        source_size=file.stat().st_size if file else table.nbytes,
        source_sha256=file_digest(file) if file else keys.digest(table),
        reader=USER_READER,
        reader_version="1",
        options={},
        parts=["rows"],
        message=message or f"{'add to' if append else 'write'} {name}",
    ) as writer:
        writer.write(spec, rows)
        return writer.commit(alone=not append)
