"""Records of the API as JSON, one at a time: a bare list, or the envelope an answer comes in.

An envelope is ``{"success": true, "id": 0, "start_row": 0, "num_rows": 2, "total_rows": 2, "msg": [...]}``. Memory holds
one record and one block of text, however long the list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.spec import Column, TableSpec
from .contract import Source
from .csv_columns import parser

BLOCK = 1 << 20  # characters read at a time
MAX_RECORD = 1 << 26  # characters; a longer one is no record of the API
_TOKEN = 32  # characters that the end of a block may cut from a word or number
_SPACE = re.compile(r"\s*")
_SCALAR = r'(?:"(?:[^"\\]|\\.)*"|[-+.\w]+)'
_MEMBER = rf'\s*"(\w+)"\s*:\s*({_SCALAR})\s*'
_OPENING = re.compile(rf'\s*(?:\[|\{{((?:{_MEMBER},)*)\s*"msg"\s*:\s*\[)')
_CLOSING = re.compile(rf"\s*((?:,{_MEMBER})*)\s*\}}\s*")
_decoder = json.JSONDecoder()


@dataclass
class Records:
    """Iterates over the records of a source. ``envelope`` fills while it does: its members other than ``msg``."""

    source: Source
    envelope: dict[str, Any] = field(default_factory=dict)

    @property
    def is_page(self) -> bool:
        """The answer holds fewer records than the query has."""
        rows, total = self.envelope.get("num_rows"), self.envelope.get("total_rows")
        return isinstance(rows, int) and isinstance(total, int) and rows < total

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """Raises SourceError where the text is no JSON, ends early, or an item is no record."""
        try:
            with self.source.path.open(encoding="utf-8-sig") as file:
                yield from self._records(_Text(file))
        except UnicodeDecodeError as error:
            raise SourceError(self.source, None, f"is not text in UTF-8: {error}") from None
        except OSError as error:
            raise SourceError(self.source, None, f"cannot be read: {error.strerror}") from None

    def _records(self, text: _Text) -> Iterator[dict[str, Any]]:
        text.more()
        opening = _OPENING.match(text.buffer)
        if not opening:
            raise SourceError(self.source, None, "is neither a list of records nor an answer of the API")
        self._members(opening[1])
        in_envelope = "{" in opening[0]
        text.at = opening.end()
        count = 0
        while text.next_char() != "]":
            if count and text.take() != ",":
                raise SourceError(self.source, f"record {count - 1}", "is followed by something that is no record")
            yield self._record(text, count)
            count += 1
            if not text.next_char():
                raise SourceError(self.source, f"record {count - 1}", "is the last, and the list does not end")
        text.take()
        rest = text.rest()
        closing = _CLOSING.fullmatch(rest) if in_envelope else _SPACE.fullmatch(rest)
        if not closing or not text.is_over():
            raise SourceError(self.source, None, "does not end after its list of records")
        if in_envelope:
            self._members(closing[1])

    def _members(self, text: str | None) -> None:
        for name, value in re.findall(_MEMBER, text or ""):
            try:
                self.envelope[name] = json.loads(value)
            except ValueError:
                raise SourceError(self.source, name, f"{value[:40]} is no JSON") from None

    def _record(self, text: _Text, number: int) -> dict[str, Any]:
        where = f"record {number}"
        if text.next_char() != "{":
            raise SourceError(self.source, where, "is no record" if text.next_char() else "is missing: the text ends")
        while True:
            try:
                record, end = _decoder.raw_decode(text.buffer, text.at)
            except json.JSONDecodeError as error:
                is_whole = error.pos < len(text.buffer) - _TOKEN and not error.msg.startswith("Unterminated string")
                if is_whole or not text.more():
                    raise SourceError(self.source, where, f"is no JSON: {error.msg}") from None
                if len(text.buffer) - text.at > MAX_RECORD:
                    raise SourceError(self.source, where, f"is longer than {MAX_RECORD:,} characters") from None
            except (RecursionError, ValueError) as error:
                raise SourceError(self.source, where, f"is no JSON that can be read: {error}") from None
            else:
                text.at = end
                found: dict[str, Any] = record
                return found


class _Text:
    """A file's text, of which only what is not yet decoded is held."""

    def __init__(self, file: Any) -> None:
        self._file = file
        self.buffer, self.at = "", 0

    def more(self) -> bool:
        """Read on; as much again of a long record, as one that does not end is decoded from its start again."""
        rest = self.buffer[self.at :]
        block = self._file.read(max(BLOCK, len(rest)))
        self.buffer, self.at = rest + block, 0
        return bool(block)

    def next_char(self) -> str:
        """The next character that is no space, not taken; empty at the end."""
        while True:
            match = _SPACE.match(self.buffer, self.at)
            assert match is not None  # it matches nothing, too
            self.at = match.end()
            if self.at < len(self.buffer) or not self.more():
                return self.buffer[self.at : self.at + 1]

    def take(self) -> str:
        char = self.next_char()
        self.at += 1
        return char

    def rest(self) -> str:
        """What follows, as far as an envelope's last members may reach."""
        return self.buffer[self.at :] + str(self._file.read(BLOCK))

    def is_over(self) -> bool:
        """Nothing follows what was read."""
        return not self._file.read(1)


def first_record(source: Source) -> dict[str, Any] | None:
    """The first record, None where there is none. Raises SourceError as :class:`Records`."""
    return next(iter(Records(source)), None)


def column_of(source: Source, column: Column, records: Sequence[Mapping[str, Any]], name: str, first: int) -> pa.Array:
    """An attribute of records in a declared type; what says nothing (null, NaN, empty text) is NULL.

    first : number of the first record, for messages
    Raises SourceError naming record and attribute.
    """
    parse = parser(column.type)
    values = []
    for number, record in enumerate(records, start=first):
        given = record.get(name)
        try:
            value = parse(given if isinstance(given, str) else _as_text(given))
        except (ValueError, OverflowError):
            said = json.dumps(given)[:60]
            raise SourceError(source, f"record {number}, {name}", f"{said} is no {column.type}") from None
        if value is None and not column.nullable:
            raise SourceError(source, f"record {number}, {name}", "is missing, and every record needs one")
        values.append(value)
    return pa.array(values, column.type)


def _as_text(value: Any) -> str:
    """A scalar as a table would have it. ``repr`` of a float gives back every bit."""
    if value is None:
        return ""
    if isinstance(value, bool | int | float):
        return repr(value)
    raise ValueError(value)


def extra_of(records: Sequence[Mapping[str, Any]], known: Mapping[str, Any] | frozenset[str]) -> pa.Array:
    """Attributes that no column holds, as one JSON object a record; NULL where there are none."""
    texts = []
    for record in records:
        rest = {k: v for k, v in record.items() if k not in known and v not in (None, [], "")}
        texts.append(json.dumps(rest, ensure_ascii=False) if rest else None)
    return pa.array(texts, pa.string())


def columns_of(
    source: Source, spec: TableSpec, targets: Mapping[str, Column], records: Sequence[Mapping[str, Any]], first: int
) -> pa.Table:
    """Records as rows of a table: the attributes that it has columns for, and the others in ``extra``."""
    columns = {c.name: column_of(source, c, records, name, first) for name, c in targets.items()}
    columns["extra"] = extra_of(records, frozenset(targets))
    return pa.table(columns, schema=pa.schema([spec[name].arrow for name in columns]))
