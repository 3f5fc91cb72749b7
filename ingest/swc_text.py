"""SWC as text: the nodes of a file, and what its name tells. Nothing here interprets the tree.

Accepted is what laboratories write: any blanks, Windows and old Macintosh line ends, comments anywhere, further fields,
whole numbers written ``3.0``. What strict readers refuse of it is kept as a complaint.
"""

from __future__ import annotations

import hashlib
import re
from array import array
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import Any
from urllib.parse import unquote

import numpy as np

from ..lake.errors import SourceError
from .contract import Source
from .heads import BOM

MAX_BYTES = 256 << 20  # some five million nodes; a whole-brain neuron has some 10^5
MAX_COMMENTS = 100  # comment lines kept of a file
_FIELDS = ("id", "type", "x", "y", "z", "radius", "parent")
_WHOLE = (0, 1, 6)  # which of them are whole numbers
_MARKER_CELLS = range(9, 11)  # x, y, z, radius, shape, name, comment, three colours
_INT64 = 2**63

# <specimen name>_<file id>_m.swc, ..._marker_m.swc, ..._m_pia.swc; a specimen's name may hold underscores itself
_ALLEN_NAME = re.compile(
    r"(?P<specimen>.+?)_(?P<file>\d{6,})_(?:marker_)?[mp](?:_(?P<kind>[A-Za-z]\w*))?\.(?:swc|marker)", re.ASCII
)
_ALLEN_FOLDER = re.compile(r"specimen_(\d{1,18})", re.ASCII)


@dataclass
class SwcText:
    """Nodes of an SWC file, in its order and with its ids."""

    ids: array[int] = field(default_factory=lambda: array("q"))
    types: array[int] = field(default_factory=lambda: array("i"))
    x: array[float] = field(default_factory=lambda: array("d"))
    y: array[float] = field(default_factory=lambda: array("d"))
    z: array[float] = field(default_factory=lambda: array("d"))
    radii: array[float] = field(default_factory=lambda: array("d"))
    parents: array[int] = field(default_factory=lambda: array("q"))
    comments: list[str] = field(default_factory=list)
    strict_complaint: str | None = None
    sha256: str = ""

    def __len__(self) -> int:
        return len(self.ids)

    def columns(self) -> dict[str, np.ndarray]:
        """The nodes as arrays, under the names that the kernel ``build_nodes`` and the lake use."""
        return {
            "swc_ids": np.frombuffer(self.ids, np.int64),
            "swc_types": np.frombuffer(self.types, np.int32),
            "swc_x": np.frombuffer(self.x, np.float64),
            "swc_y": np.frombuffer(self.y, np.float64),
            "swc_z": np.frombuffer(self.z, np.float64),
            "swc_radii": np.frombuffer(self.radii, np.float64),
            "swc_parents": np.frombuffer(self.parents, np.int64),
        }


def read_swc(source: Source) -> SwcText:
    """Every node of a file. Raises SourceError naming the line that is none."""
    data = read_bytes(source)
    swc = SwcText(sha256=hashlib.sha256(data).hexdigest())
    for number, line in enumerate(data.removeprefix(BOM).splitlines(), 1):
        bare = line.strip()
        if not bare:
            if swc.strict_complaint is None:
                swc.strict_complaint = f"line {number} is blank"
        elif bare.startswith(b"#"):
            if len(swc.comments) < MAX_COMMENTS and not len(swc):
                swc.comments.append(bare[1:].decode("utf-8", "replace").replace("\0", ""))
        else:
            _add_node(source, swc, number, line, bare)
    if not len(swc):
        raise SourceError(source, None, "holds no node: it is no SWC file, or was cut short")
    return swc


def read_bytes(source: Source, at_most: int = MAX_BYTES) -> bytes:
    """The whole file. Raises SourceError where it cannot be read, or is longer than any such file is."""
    try:
        size = source.path.stat().st_size
        if size > at_most:
            raise SourceError(source, None, f"has {size:,} bytes, and no reconstruction has over {at_most:,}")
        return source.path.read_bytes()
    except OSError as error:
        raise SourceError(source, None, f"cannot be opened: {error.strerror}") from None


def _add_node(source: Source, swc: SwcText, number: int, line: bytes, bare: bytes) -> None:
    fields = bare.split()
    if len(fields) < len(_FIELDS):
        reason = f"has {len(fields)} of the {len(_FIELDS)} fields {' '.join(_FIELDS)}"
        if bare.count(b",") > 4:
            reason = "has commas between its fields, as files of markers have, and no file of nodes"
        raise SourceError(source, f"line {number}", reason)
    try:
        node_id, kind_code, parent = (_whole(fields[i]) for i in _WHOLE)
        real = [_real(text) for text in fields[2:6]]
    except ValueError:
        at = next(i for i, text in enumerate(fields[:7]) if not _is_field(i, text))
        shown = fields[at][:40].decode("utf-8", "backslashreplace")
        kind = "whole number" if at in _WHOLE else "number"
        raise SourceError(source, f"line {number}, field {_FIELDS[at]}", f"{shown!r} is no {kind}") from None
    if not -(2**31) <= kind_code < 2**31:
        raise SourceError(source, f"line {number}, field type", f"{kind_code} is no type of a node")
    swc.ids.append(node_id)
    swc.types.append(kind_code)
    for values, value in zip((swc.x, swc.y, swc.z, swc.radii), real, strict=True):
        values.append(value)
    swc.parents.append(parent)
    if swc.strict_complaint is None and line.rstrip(b" \t").split(b" ")[:7] != fields[:7]:
        swc.strict_complaint = f"line {number} has other blanks than one between its fields"
    if swc.strict_complaint is None and b"." in fields[0] + fields[1] + fields[6]:
        swc.strict_complaint = f"line {number} writes a whole number with a decimal point"


def _is_field(at: int, text: bytes) -> bool:
    try:
        _whole(text) if at in _WHOLE else _real(text)
    except ValueError:
        return False
    return True


def _whole(text: bytes) -> int:
    if b"_" in text:  # Python's own grouping of digits, which no file means
        raise ValueError
    try:
        value = int(text)
    except ValueError:
        number = float(text)
        if not number.is_integer() or abs(number) > 2**53:
            raise ValueError from None
        value = int(number)
    if not -_INT64 <= value < _INT64:
        raise ValueError
    return value


def _real(text: bytes) -> float:
    if b"_" in text:
        raise ValueError
    return float(text)


def looks_like_nodes(head: bytes) -> bool:
    """True if the first line that is no comment could be a node: seven numbers between blanks."""
    line = first_line(head)
    fields = line.split()
    return b"," not in line and len(fields) >= 7 and all(_is_field(i, text) for i, text in enumerate(fields[:7]))


def looks_like_markers(head: bytes) -> bool:
    """True if the first line that is no comment could be a marker: numbers between commas, a comment, a colour."""
    cells = first_line(head).split(b",")
    return len(cells) in _MARKER_CELLS and all(_is_field(2, cell.strip()) for cell in cells[:6])


def first_line(head: bytes) -> bytes:
    """The first line of a file's beginning that is neither blank nor a comment."""
    lines = (line.strip() for line in head.removeprefix(BOM).splitlines())
    return next((line for line in lines if line and not line.startswith(b"#")), b"")


def named(source: Source) -> dict[str, Any]:
    """What a file's name and folder tell of the specimen, after the Allen Institute's patterns; else None."""
    path = PurePosixPath(unquote(source.url).replace("\\", "/"))
    told = _ALLEN_NAME.fullmatch(path.name)
    folder = _ALLEN_FOLDER.fullmatch(path.parent.name)
    return {
        "source_name": path.name,
        "named_specimen_id": int(folder[1]) if folder else None,
        "named_specimen_name": told["specimen"] if told else None,
        "named_file_id": int(told["file"]) if told and len(told["file"]) <= 18 else None,
    }


def kind_of(source: Source) -> str:
    """raw, or what the end of the file's name says was done to the tree."""
    told = _ALLEN_NAME.fullmatch(PurePosixPath(unquote(source.url)).name)
    return (told["kind"] if told and told["kind"] else "raw").lower()
