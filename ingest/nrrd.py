"""NRRD headers (NRRD0001-0005), attached or detached (spec: connectivity 2.2).

``space`` is kept but not believed: the reference writes ``left-posterior-superior`` whatever the axes are (FLAG-SPACE).
"""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np

from ..lake.errors import SourceError
from .contract import Source
from .volume_files import VolumeHeader, Voxels, beside

MAX_HEADER = 1 << 20
_TYPES = {
    "i1": "signed char, int8, int8_t",
    "u1": "uchar, unsigned char, uint8, uint8_t",
    "i2": "short, short int, signed short, signed short int, int16, int16_t",
    "u2": "ushort, unsigned short, unsigned short int, uint16, uint16_t",
    "i4": "int, signed int, int32, int32_t",
    "u4": "uint, unsigned int, uint32, uint32_t",
    "i8": "longlong, long long, long long int, signed long long, signed long long int, int64, int64_t",
    "u8": "ulonglong, unsigned long long, unsigned long long int, uint64, uint64_t",
    "f4": "float",
    "f8": "double",
}
DTYPES = {name: code for code, names in _TYPES.items() for name in names.split(", ")}
_PACKINGS = {"raw": "raw", "gzip": "gzip", "gz": "gzip", "bzip2": "bzip2", "bz2": "bzip2"}
_VECTOR = re.compile(r"\(([^()]*)\)|none")


def open_file(source: Source) -> tuple[VolumeHeader, Voxels]:
    """Header, and where the voxels are. Raises SourceError."""
    fields, end = _fields(source)
    path, start = source.path, end
    if named := fields.get("data file") or fields.get("datafile"):
        path, start = beside(source, named, "data file"), 0
    header = _header(source, fields)
    packing = _PACKINGS.get(_needed(source, fields, "encoding").lower())
    if packing is None:
        raise SourceError(source, "encoding", f"{fields['encoding']!r} is not raw, gzip or bzip2")
    skip = _integer(source, fields, "byte skip", fields.get("byteskip", "0"))
    if fields.get("line skip", fields.get("lineskip", "0")) != "0" or skip < -1 or (skip == -1 and packing != "raw"):
        raise SourceError(source, "line skip, byte skip", "skips what cannot be skipped")
    if skip == -1:
        skip = path.stat().st_size - start - header.n_bytes
        if skip < 0:
            raise SourceError(source, "voxels", "is cut short", "get the file again")
    if packing == "raw":
        return header, Voxels(path, start + skip)
    return header, Voxels(path, start, packing, skip=skip)


def companion(source: Source) -> Path | None:
    """The file with the voxels of a detached header."""
    fields, _ = _fields(source)
    named = fields.get("data file") or fields.get("datafile")
    return beside(source, named, "data file") if named else None


def _fields(source: Source) -> tuple[dict[str, str], int]:
    try:
        with source.path.open("rb") as file:
            head = file.read(MAX_HEADER)
    except OSError as error:
        raise SourceError(source, None, f"cannot be opened: {error.strerror}") from None
    match = re.search(rb"\r?\n\r?\n", head)
    end = match.end() if match else len(head)
    if not match and len(head) == MAX_HEADER:
        raise SourceError(source, "header", f"does not end within {MAX_HEADER:,} bytes")
    try:
        lines = head[: match.start() if match else end].decode("ascii").splitlines()
    except UnicodeDecodeError:
        raise SourceError(source, "header", "is no text") from None
    fields: dict[str, str] = {}
    for number, line in enumerate(lines[1:], start=2):
        if not line or line.startswith("#"):
            continue
        key, colon, value = line.partition(":")
        if not colon:
            raise SourceError(source, f"header, line {number}", f"{line[:40]!r} is no field")
        fields[key.strip().lower()] = value.removeprefix("=").strip()
    return fields, end


def _header(source: Source, fields: dict[str, str]) -> VolumeHeader:
    said = _needed(source, fields, "type")
    code = DTYPES.get(said.lower())
    if code is None:
        raise SourceError(source, "type", f"{said!r} is no type of voxels")
    order = ">" if fields.get("endian", "little").lower() == "big" else "<"
    if code[1] != "1" and "endian" not in fields:
        order = "<"  # masks that the reference writes do not say
    dimension = _integer(source, fields, "dimension", _needed(source, fields, "dimension"))
    sizes = _numbers(source, "sizes", _needed(source, fields, "sizes"))
    if len(sizes) != dimension or any(s != int(s) for s in sizes):
        raise SourceError(source, "sizes", f"{fields['sizes'][:60]!r} are not {dimension} whole numbers")
    counts = tuple(int(s) for s in sizes)
    n_components = 1
    kinds = fields.get("kinds", "").split()
    if dimension == 4 and (not kinds or kinds[0] not in ("domain", "space")):
        n_components, counts = counts[0], counts[1:]
    return VolumeHeader(
        "nrrd",
        counts,
        np.dtype(order + code),
        fields,
        n_components,
        spacing=_spacing(source, fields),
        origin=_vector(source, "space origin", fields["space origin"]) if "space origin" in fields else (),
    )


def _spacing(source: Source, fields: dict[str, str]) -> tuple[float, ...]:
    """Edges of voxels: lengths of the directions, or ``spacings``."""
    if "space directions" in fields:
        said = [m[0] for m in _VECTOR.finditer(fields["space directions"]) if m[0] != "none"]
        rows = [_vector(source, "space directions", one) for one in said]
        return tuple(float(np.linalg.norm(row)) for row in rows)[:3]
    if "spacings" in fields:
        values = [v for v in fields["spacings"].split() if v.lower() != "nan"]
        return _numbers(source, "spacings", " ".join(values))
    return ()


def _vector(source: Source, name: str, text: str) -> tuple[float, ...]:
    return _numbers(source, name, text.strip().removeprefix("(").removesuffix(")").replace(",", " "))


def _numbers(source: Source, name: str, text: str) -> tuple[float, ...]:
    try:
        return tuple(float(value) for value in text.split())
    except ValueError:
        raise SourceError(source, name, f"{text[:60]!r} are no numbers") from None


def _integer(source: Source, fields: dict[str, str], name: str, default: str) -> int:
    try:
        return int(fields.get(name, default))
    except ValueError:
        raise SourceError(source, name, f"{fields[name][:40]!r} is no whole number") from None


def _needed(source: Source, fields: dict[str, str], name: str) -> str:
    if name not in fields:
        raise SourceError(source, "header", f"has no field {name!r}")
    return fields[name]
