"""Files made durable and immutable, with their digests; and typed files that ingests keep as they are."""

from __future__ import annotations

import hashlib
import os
import uuid
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from .catalog_file import fsync_directory
from .records import WrittenAttachment

DIGESTED_AT_ONCE = 16 << 20  # bytes written after which a thread goes on with a file's digest


def make_folder(folder: Path) -> None:
    """A folder whose name is as durable as the files to come."""
    if folder.is_dir():
        return
    make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    fsync_directory(folder.parent)


class Sealed(NamedTuple):
    """What is known of a finished file."""

    size_bytes: int
    footer_bytes: int
    sha256: str


def seal(path: Path, digest: Callable[[], str] | None = None) -> Sealed:
    """Make a finished file durable and immutable.

    digest : gives the file's SHA-256, where somebody has been computing it
    """
    with path.open("rb") as file:
        with ThreadPoolExecutor(1, "fsync") as writing:  # the disk works while the digest is computed
            durable = writing.submit(os.fsync, file.fileno())
            sha256 = digest() if digest else hashlib.file_digest(file, "sha256").hexdigest()
            durable.result()
        size = file.seek(-8, os.SEEK_END) + 8
        footer = int.from_bytes(file.read(4), "little")
    path.chmod(0o444)
    fsync_directory(path.parent)
    return Sealed(size, footer, sha256)


class GrowingDigest:
    """SHA-256 of a file that is being written: of a long one computed by a thread of its own, as far as it is there."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._digest = hashlib.sha256()
        self._read = self._left = 0
        self._thread = ThreadPoolExecutor(1, "digest")

    def follow(self, size: int) -> None:
        """The file has grown by about so many bytes. What is in it must never change."""
        self._left += size
        if self._left >= DIGESTED_AT_ONCE:
            self._left = 0
            self._thread.submit(self._catch_up)

    def result(self) -> str:
        """Of the whole file, which is written."""
        self.stop()
        self._catch_up()
        return self._digest.hexdigest()

    def stop(self) -> None:
        """Go on no further."""
        self._thread.shutdown(cancel_futures=True)

    def _catch_up(self) -> None:
        with self._path.open("rb", buffering=0) as file:
            file.seek(self._read)
            while block := file.read(1 << 20):
                self._digest.update(block)
                self._read += len(block)


class AttachmentWriter:
    """A typed file of its own, written at once; :meth:`finish` makes it durable."""

    def __init__(
        self, root: Path, part: str, kind: str, name: str, schema: pa.Schema, batches: Iterable[pa.RecordBatch]
    ) -> None:
        self._place = f"data/attachments/{uuid.uuid4()}.parquet"
        self._about = part, kind, name
        self._n_rows = 0
        self.path = root / self._place
        make_folder(self.path.parent)
        try:
            with pq.ParquetWriter(self.path, schema, compression="zstd") as writer:
                for batch in batches:
                    writer.write_batch(batch)
                    self._n_rows += batch.num_rows
        except BaseException:
            self.path.unlink(missing_ok=True)
            raise

    def finish(self) -> WrittenAttachment:
        sealed = seal(self.path)
        return WrittenAttachment(self._place, *self._about, self._n_rows, sealed.size_bytes, sealed.sha256)
