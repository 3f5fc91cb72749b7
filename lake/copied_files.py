"""Files of a lake as another takes them: linked, cloned or copied, each held to its digest."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from .catalog import Catalog
from .digests import file_digest
from .errors import DamageError
from .states import folder_of

Progress = Callable[[str, str, int, int], None]
BLOCK = 1 << 22
AT_ONCE = 8  # files: what they wait for is the disk
_CLONE = 0x40049409  # FICLONE of Linux: a file of the same blocks, where the file system can


@dataclass(frozen=True)
class CopiedFile:
    path: str
    size_bytes: int
    sha256: str | None


def files_of(catalog: Catalog) -> list[CopiedFile]:
    """Every file that some snapshot needs."""
    with catalog.reading() as database:
        data = database.execute(
            """select t.name, f.path, f.file_size_bytes, b.sha256 from ducklake_data_file as f
            join brainlake_file as b using (data_file_id) join brainlake_table as t using (table_id)"""
        ).fetchall()
        attached = database.execute("select path, size_bytes, sha256 from brainlake_attachment").fetchall()
    found = {
        folder_of(name) + path: CopiedFile(folder_of(name) + path, size, sha256) for name, path, size, sha256 in data
    }
    return [*found.values(), *(CopiedFile(*row) for row in attached)]


def take_files(source: Path, draft: Path, files: Sequence[CopiedFile], link: bool, progress: Progress) -> int:
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


def _take(source: Path, target: Path, file: CopiedFile, link: bool) -> bool:
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


def _copy_bytes(source: Path, target: Path, file: CopiedFile) -> bool:
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


def remove_others(catalog: Catalog) -> None:
    """Remove data files that an earlier try left and this one does not need."""
    known = catalog.known_files()
    for path in (catalog.root / "data").rglob("*"):
        if path.is_file() and path.relative_to(catalog.root).as_posix() not in known:
            path.unlink()
