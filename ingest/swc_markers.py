"""Marker files of reconstructions: points where a dendrite was cut or a branch not followed, and the soma."""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence
from math import isfinite
from typing import Any

from ..lake.errors import SourceError
from .contract import Identity, Part, Report, Rows, Source, made_id
from .heads import read_head
from .swc_text import looks_like_markers, looks_like_nodes, named, read_bytes

MAX_BYTES = 64 << 20
_FIELDS = ("x", "y", "z", "radius", "shape", "name", "comment", "color_r", "color_g", "color_b")
_NEEDED = 6  # x, y, z ... name: what makes a marker; the rest may be missing


class MarkerReader:
    """Reader of marker files: comma-separated, ``#`` comments, no header; also under the name ``.swc``."""

    name = "swc_markers"
    version = "1"
    parts: Sequence[Part] = (Part("markers", "markers beside a reconstruction"),)

    def sniff(self, source: Source) -> bool:
        head = read_head(source, 1 << 16)
        if b"\0" in head or looks_like_nodes(head):
            return False
        return looks_like_markers(head) or source.path.suffix.lower() == ".marker"

    def identify(self, source: Source) -> Identity:
        return Identity(f"morphology.markers/{_id(read_bytes(source, MAX_BYTES))}", "markers")

    def inspect(self, source: Source, report: Report) -> None:
        report.found("markers", source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        if "markers" not in parts:
            return
        data = read_bytes(source, MAX_BYTES)
        file_id = _id(data)
        markers = list(_markers(source, data))
        facts = {"marker_file_id": file_id, **named(source), "n_markers": len(markers)}
        yield Rows("morphology.marker_files", {name: [value] for name, value in facts.items()})
        if markers:
            columns: dict[str, Any] = {name: [marker[name] for marker in markers] for name in markers[0]}
            index = list(range(len(markers)))
            yield Rows(
                "morphology.file_markers",
                {"marker_file_id": [file_id] * len(markers), "marker_index": index, **columns},
            )


def _id(data: bytes) -> int:
    return made_id(hashlib.sha256(data).hexdigest(), "markers")


def _markers(source: Source, data: bytes) -> Iterator[dict[str, Any]]:
    """Every marker of a file. Raises SourceError naming the line that is none."""
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise SourceError(source, f"byte {error.start}", "is not text") from None
    for number, line in enumerate(text.splitlines(), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        try:
            (cells,) = csv.reader([line], strict=True)
        except (csv.Error, ValueError) as error:
            raise SourceError(source, f"line {number}", f"is not text in CSV: {error}") from None
        if not _NEEDED <= len(cells) <= len(_FIELDS):
            reason = f"has {len(cells)} cells, a marker has {len(_FIELDS)}: {', '.join(_FIELDS)}"
            raise SourceError(source, f"line {number}", reason)
        given = dict(zip(_FIELDS, (cell.strip() for cell in cells), strict=False))
        try:
            yield _marker(given)
        except _NotANumber as error:
            raise SourceError(
                source, f"line {number}, {error.name}", f"{given[error.name][:40]!r} is no number"
            ) from None


class _NotANumber(ValueError):
    def __init__(self, name: str) -> None:
        self.name = name


def _marker(given: dict[str, str]) -> dict[str, Any]:
    colour = [_code(given, name) for name in ("color_r", "color_g", "color_b") if given.get(name)]
    return {
        **{f"raw_{axis}": _real(given, axis) for axis in "xyz"},
        "radius": _real(given, "radius") if given["radius"] else None,
        "marker_shape": _code(given, "shape") if given["shape"] else None,
        "marker_code": _code(given, "name") if given["name"] else None,
        "comment": given.get("comment") or None,
        "marker_rgb": colour if len(colour) == 3 else None,
    }


def _real(given: dict[str, str], name: str) -> float:
    try:
        value = float(given[name])
    except ValueError:
        raise _NotANumber(name) from None
    if not isfinite(value):
        raise _NotANumber(name)
    return value


def _code(given: dict[str, str], name: str) -> int:
    value = _real(given, name)
    if not value.is_integer() or abs(value) >= 2**31:
        raise _NotANumber(name)
    return int(value)


READER = MarkerReader()
