"""Packages of models, as the API gives them: a ZIP of a model's files, which is taken as a folder would be.

What an archive says of itself is not believed: a member that would lie outside of it, is no plain file, comes twice or is
more than there may be makes the whole archive refused, before anything is written.
"""

from __future__ import annotations

import os
import re
import secrets
import shutil
import stat
import zipfile
from pathlib import Path, PurePosixPath

from ..lake.errors import SourceError
from .volume_zip import BROKEN

MAX_MEMBERS = 1_000
MAX_BYTES = 4 << 30  # of all files together; a recording has 400 MB, the other files of a model 2
_BLOCK = 1 << 20
# a file that only a model has: what it was fitted to, or what the warehouse says of it
_MODEL = re.compile(r"(?:.*[/_])?(?:neuron_config|fit|fit_parameters|neuronal_model|model_metadata)\.json", re.ASCII)


def members(path: Path) -> list[str]:
    """Names of the files in a model's package, in its order; none where a file is no such package.

    Raises SourceError where the archive holds what no package does.
    """
    try:
        if not zipfile.is_zipfile(path):
            return []
        with zipfile.ZipFile(path) as archive:
            found = archive.infolist()
    except BROKEN:  # the reader that it is given to says what is wrong with it
        return []
    if not any(_MODEL.fullmatch(one.filename) for one in found[:MAX_MEMBERS]):
        return []
    _refuse_unsafe(path, found)
    return [one.filename for one in found if not one.is_dir()]


def archive_of(path: Path) -> tuple[Path, str] | None:
    """The package that a path leads into, ``model.zip/fit.json``, and the member; None where it leads into none."""
    for above in path.parents:
        if above.is_file():
            return above, path.relative_to(above).as_posix()
    return None


def unpack(path: Path, member: str, folder: Path) -> Path:
    """A file of a package, whole, below a folder: one that is there already and is the same is not written again.

    Raises SourceError where the package has no such file, or it is damaged.
    """
    target = folder / PurePosixPath(member).name
    version = target.with_name(target.name + ".version")
    part = target.with_name(f"{target.name}.{secrets.token_hex(4)}.part")
    if member not in members(path):
        raise SourceError(path, member, "is not in this package")
    try:
        with zipfile.ZipFile(path) as archive:
            info = archive.getinfo(member)
            now = f"{info.CRC:08x} {info.file_size}"
            if target.is_file() and target.stat().st_size == info.file_size and _text(version) == now:
                return target
            folder.mkdir(parents=True, exist_ok=True)
            with archive.open(info) as packed, part.open("wb") as out:  # gives no more than it declares, and checks it
                shutil.copyfileobj(packed, out, _BLOCK)
                out.flush()
                os.fsync(out.fileno())
            if part.stat().st_size != info.file_size:
                raise SourceError(path, member, "is cut short", "get the file again")
        os.replace(part, target)
        version.write_text(now)
    except BROKEN as error:
        raise SourceError(path, member, f"cannot be unpacked: {error}", "get the file again") from None
    finally:
        part.unlink(missing_ok=True)
    return target


def _refuse_unsafe(path: Path, found: list[zipfile.ZipInfo]) -> None:
    names = [one.filename for one in found]
    total = sum(one.file_size for one in found)
    if len(found) > MAX_MEMBERS or total > MAX_BYTES:
        reason = (
            f"unpacks to {len(found):,} files of {total:,} bytes: at most {MAX_MEMBERS:,} of {MAX_BYTES:,} are taken"
        )
        raise SourceError(path, None, reason)
    if len(set(names)) < len(names):
        raise SourceError(path, next(name for name in names if names.count(name) > 1)[:200], "is in the archive twice")
    for one in found:
        place = PurePosixPath(one.filename)
        if place.is_absolute() or ".." in place.parts or "\\" in one.filename or ":" in one.filename:
            raise SourceError(path, one.filename[:200], "would lie outside of the archive")
        kind = stat.S_IFMT(one.external_attr >> 16)
        if kind not in (0, stat.S_IFREG, stat.S_IFDIR):
            raise SourceError(path, one.filename[:200], "is no plain file")
        if one.flag_bits & 1:
            raise SourceError(path, one.filename[:200], "is encrypted")


def _text(path: Path) -> str | None:
    return path.read_text() if path.exists() else None
