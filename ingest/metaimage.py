"""MetaImage headers: ``.mhd`` with its ``.raw`` beside it, or ``.mha`` with the voxels behind (spec: connectivity 2.2)."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from ..lake.errors import SourceError
from .contract import Source
from .volume_files import VolumeHeader, Voxels, beside

MAX_HEADER = 1 << 16
_DTYPES = {
    "MET_CHAR": "i1",
    "MET_UCHAR": "u1",
    "MET_SHORT": "i2",
    "MET_USHORT": "u2",
    "MET_INT": "i4",
    "MET_UINT": "u4",
    "MET_LONG_LONG": "i8",
    "MET_ULONG_LONG": "u8",
    "MET_FLOAT": "f4",
    "MET_DOUBLE": "f8",
}


def open_file(source: Source) -> tuple[VolumeHeader, Voxels]:
    """Header, and where the voxels are. Raises SourceError."""
    try:
        with source.path.open("rb") as file:
            text = file.read(MAX_HEADER)
    except OSError as error:
        raise SourceError(source, None, f"cannot be opened: {error.strerror}") from None
    header, data, end = parse(source, text)
    packing = "gzip" if header.fields.get("CompressedData", "False").lower() == "true" else "raw"
    if data.upper() == "LOCAL":
        return header, Voxels(source.path, end, packing)
    return header, Voxels(beside(source, data, "ElementDataFile"), 0, packing)


def companion(source: Source) -> Path | None:
    """The file with the voxels, where it is another."""
    _, voxels = open_file(source)
    return voxels.path if voxels.path != source.path else None


def parse(source: Source, text: bytes) -> tuple[VolumeHeader, str, int]:
    """The header, the name of the file with the voxels, and where the header ends."""
    fields: dict[str, str] = {}
    at = 0
    while "ElementDataFile" not in fields:
        end = text.find(b"\n", at)
        line, at = (text[at:end], end + 1) if end >= 0 else (text[at:], len(text))
        if not line and at >= len(text):
            raise SourceError(source, "header", "has no ElementDataFile")
        try:
            key, equals, value = line.decode("ascii").partition("=")
        except UnicodeDecodeError:
            raise SourceError(source, "header", "is no text") from None
        if equals:
            fields[key.strip()] = value.strip()
    code = _DTYPES.get(fields.get("ElementType", ""))
    if code is None:
        raise SourceError(source, "ElementType", f"{fields.get('ElementType')!r} is no type of voxels")
    order = ">" if _flag(fields, "ElementByteOrderMSB") or _flag(fields, "BinaryDataByteOrderMSB") else "<"
    sizes = _numbers(source, fields, "DimSize")
    header = VolumeHeader(
        "metaimage",
        tuple(int(s) for s in sizes),
        np.dtype(order + code),
        fields,
        int(_numbers(source, fields, "ElementNumberOfChannels", "1")[0]),
        spacing=_numbers(source, fields, "ElementSpacing", fields.get("ElementSize", "")),
        origin=_numbers(source, fields, "Offset", fields.get("Position", fields.get("Origin", ""))),
    )
    return header, fields["ElementDataFile"], at


def _flag(fields: dict[str, str], name: str) -> bool:
    return fields.get(name, "False").lower() in ("true", "1")


def _numbers(source: Source, fields: dict[str, str], name: str, default: str | None = None) -> tuple[float, ...]:
    said = fields.get(name, default)
    if said is None:
        raise SourceError(source, "header", f"has no {name}")
    try:
        return tuple(float(value) for value in said.split())
    except ValueError:
        raise SourceError(source, name, f"{said[:60]!r} are no numbers") from None
