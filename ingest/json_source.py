"""Small documents, whole: JSON, JSON with comments, and records printed as Python literals.

Nothing of a document is executed, its size and depth are bounded, and whatever is wrong with it is one SourceError. Long
lists of records are read one record at a time instead (:mod:`.json_records`).
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from ..lake.errors import SourceError
from .contract import Source
from .heads import BOM, text_head

MAX_BYTES = 64 << 20  # the longest model record has 1 MB
MAX_LITERAL_BYTES = 8 << 20  # a syntax tree takes a hundred times the text
HEAD = 4_096

_STRING_OR_COMMENT = re.compile(r'"(?:[^"\\\n]|\\.)*"|//[^\n]*|/\*.*?\*/|/\*', re.DOTALL)


def read_bytes(source: Source, at_most: int = MAX_BYTES) -> bytes:
    """The whole file, without a byte order mark. Raises SourceError where it cannot be read or is too long."""
    try:
        with source.path.open("rb") as file:
            data = file.read(at_most + 1)
    except OSError as error:
        raise SourceError(source, None, f"cannot be read: {error.strerror}") from None
    if len(data) > at_most:
        raise SourceError(source, None, f"has over {at_most:,} bytes: too long for a document of its kind")
    return data.removeprefix(BOM)


def read_text(source: Source, at_most: int = MAX_BYTES) -> str:
    """The whole file as text."""
    return decoded(source, None, read_bytes(source, at_most))


def decoded(source: Source, where: str | None, data: bytes) -> str:
    """Bytes as text in UTF-8. Raises SourceError naming the place that is none."""
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise SourceError(source, where, f"is not text in UTF-8: byte {error.start:,}") from None


def read_json(source: Source, *, comments: bool = False) -> Any:
    """A whole JSON document.

    comments : take out ``// ...`` and ``/* ... */`` first, outside of strings (MD-1)
    Raises SourceError where it is no JSON, names a member twice, or nests too deeply. NaN and Infinity, which JSON has
    not and some writers print, become None.
    """
    text = read_text(source)
    return parsed(source, None, without_comments(source, text) if comments else text)


def parsed(source: Source, where: str | None, text: str) -> Any:
    """A JSON text that is in a source, or in a part of it. Raises SourceError, as :func:`read_json`."""

    def members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        found = dict(pairs)
        if len(found) < len(pairs):
            names = [name for name, _ in pairs]
            doubled = next(name for name in names if names.count(name) > 1)
            raise SourceError(source, where, f"names the member {doubled[:60]!r} of an object twice")
        return found

    try:
        return json.loads(text, object_pairs_hook=members, parse_constant=lambda _: None)
    except json.JSONDecodeError as error:
        at = f"line {error.lineno}"
        raise SourceError(source, f"{where}, {at}" if where else at, f"is no JSON: {error.msg}") from None
    except RecursionError:
        raise SourceError(source, where, "nests deeper than any document of its kind") from None
    except ValueError as error:  # a number of thousands of digits
        raise SourceError(source, where, f"is no JSON that can be read: {error}") from None


def without_comments(source: Source, text: str) -> str:
    """A JSON text without comments; what looks like one in a string (``http://``) stays."""

    def kept(match: re.Match[str]) -> str:
        found = match[0]
        if found == "/*":
            line = text.count("\n", 0, match.start()) + 1
            raise SourceError(source, f"line {line}", "begins a comment that does not end")
        if found.startswith("/"):
            return "\n" * found.count("\n")  # so that the lines of later complaints are the file's
        return found

    return _STRING_OR_COMMENT.sub(kept, text)


def read_literal(source: Source) -> Any:
    """A document printed as a Python literal (None, True, single quotes). Nothing in it is evaluated but literals."""
    text = read_text(source, MAX_LITERAL_BYTES)
    try:
        return ast.literal_eval(text.strip())
    except SyntaxError as error:
        raise SourceError(source, f"line {error.lineno}", f"is no literal: {error.msg}") from None
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        raise SourceError(source, None, f"is no literal that can be read: {str(error)[:80]}") from None


def claimed(source: Source, markers: tuple[bytes, ...], matches: Callable[[Any], bool]) -> bool:
    """Whether a document is of a kind: for ``sniff``. Never raises.

    markers : a document of the kind holds one of these texts; asked first, as it costs little
    matches : looks at the document. One that is damaged, but marked, is claimed, to be told what is wrong with it.
    """
    try:
        stat = source.path.stat()
    except OSError:
        return False
    if not 0 < stat.st_size <= MAX_BYTES or not _is_document(source):
        return False
    try:
        data = read_bytes(source)
        if not any(marker in data for marker in markers):
            return False
        return matches(_document(source, stat.st_mtime_ns, stat.st_size))
    except SourceError:
        return True
    except OSError:
        return False


def _is_document(source: Source) -> bool:
    """It begins as an object, a list or a comment does."""
    return text_head(source, HEAD)[:1] in (b"{", b"[", b"/")


def document(source: Source) -> Any:
    """A document in whichever of the three forms it has. Raises SourceError."""
    try:
        stat = source.path.stat()
    except OSError as error:
        raise SourceError(source, None, f"cannot be read: {error.strerror}") from None
    return _document(source, stat.st_mtime_ns, stat.st_size)


@lru_cache(maxsize=4)  # several readers look at the same file, one after the other
def _document(source: Source, changed: int, size: int) -> Any:
    try:
        return read_json(source, comments=True)
    except SourceError as error:
        # only a record printed by Python has these words outside of strings
        head = read_bytes(source)[:MAX_LITERAL_BYTES]
        if size <= MAX_LITERAL_BYTES and re.search(rb"[:\[,]\s*(?:None|True|False|u?')", head):
            try:
                return read_literal(source)
            except SourceError:
                raise error from None
        raise
