"""Volumes in a ZIP archive, as the API serves annotations and expression: headers, and the voxels they name.

Members are read in place; nothing is unpacked to the disk, and no more bytes than the header declares.
"""

from __future__ import annotations

import io
import lzma
import struct
import zipfile
import zlib
from pathlib import PurePosixPath
from typing import IO, cast

from ..lake.errors import SourceError
from . import metaimage
from .contract import Source
from .volume_files import VolumeHeader, Voxels

MAX_MEMBERS = 1_000
# whatever a damaged or strange archive makes the standard library raise
BROKEN = (
    OSError, EOFError, RuntimeError, NotImplementedError, ValueError, struct.error, zlib.error, lzma.LZMAError,
    zipfile.BadZipFile,
)  # fmt: skip


def members(source: Source) -> list[str]:
    """Names of an archive's files. Raises SourceError where it is none."""
    try:
        with zipfile.ZipFile(source.path) as archive:
            return [info.filename for info in archive.infolist()[:MAX_MEMBERS] if not info.is_dir()]
    except BROKEN as error:
        raise SourceError(source, None, f"is no archive that can be read: {error}", "get the file again") from None


def unpacked_bytes(source: Source) -> int:
    """What an archive says that its files are together. Raises SourceError where it is none."""
    try:
        with zipfile.ZipFile(source.path) as archive:
            return sum(info.file_size for info in archive.infolist())
    except BROKEN as error:
        raise SourceError(source, None, f"is no archive that can be read: {error}", "get the file again") from None


def header_names(source: Source) -> list[str]:
    """Names of the headers of volumes that an archive holds."""
    return [name for name in members(source) if name.lower().endswith(".mhd")]


def open_file(source: Source, header_name: str | None = None) -> tuple[VolumeHeader, Voxels]:
    """Header, and where the voxels are. Raises SourceError where no header is named and the archive holds not one."""
    names = members(source)
    headers = [header_name] if header_name else header_names(source)
    if len(headers) != 1:
        raise SourceError(source, None, f"holds {len(headers)} headers of volumes (.mhd), and one is needed")
    try:
        with zipfile.ZipFile(source.path) as archive, archive.open(headers[0]) as member:
            text = member.read(metaimage.MAX_HEADER)
    except BROKEN as error:
        raise SourceError(source, headers[0], f"cannot be unpacked: {error}", "get the file again") from None
    header, data, _ = metaimage.parse(source, text)
    wanted = str(PurePosixPath(headers[0]).with_name(PurePosixPath(data).name or data))
    if wanted not in names:
        raise SourceError(source, headers[0], f"its voxels lie in {data}, which is not in the archive")
    packing = "gzip" if header.fields.get("CompressedData", "False").lower() == "true" else "raw"

    def opener() -> IO[bytes]:
        try:
            archive = zipfile.ZipFile(source.path)
            return cast(IO[bytes], _Member(archive, wanted))
        except BROKEN as error:
            raise SourceError(source, wanted, f"cannot be unpacked: {error}", "get the file again") from None

    return header, Voxels(source.path, 0, packing, opener)


class _Member(io.RawIOBase):
    """A member of an archive, which closes the archive with itself."""

    def __init__(self, archive: zipfile.ZipFile, name: str) -> None:
        self._archive, self._member = archive, archive.open(name)

    def read(self, size: int = -1) -> bytes:
        try:
            return self._member.read(size)
        except BROKEN as error:
            raise OSError(str(error)) from None

    def seek(self, offset: int, whence: int = 0) -> int:
        return self._member.seek(offset, whence)

    def close(self) -> None:
        self._member.close()
        self._archive.close()
        super().close()
