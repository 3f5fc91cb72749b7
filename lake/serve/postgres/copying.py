"""COPY ... TO STDOUT: an answer as text, CSV or binary, the way bulk readers and ``\\copy`` take it."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from . import cells, messages, rows
from .answers import Rows
from .errors import PgError
from .lexing import Part, split
from .messages import BINARY_FORMAT, TEXT_FORMAT
from .planning import Column, Plan, values_of
from .portals import Portal, Question, Statement
from .rows import Messages
from .words import Words

if TYPE_CHECKING:
    from .client import Client

_SIGNATURE = b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0)
_TRAILER = struct.pack("!h", -1)


@dataclass(frozen=True)
class Options:
    """How COPY writes; None: as the format has it."""

    format: str = "text"
    delimiter: str | None = None
    null: str | None = None
    header: bool = False
    quote: str = '"'
    escape: str | None = None
    forced: tuple[str, ...] = ()  # columns; "*": all

    def checked(self) -> Options:
        is_csv = self.format == "csv"
        delimiter = self.delimiter if self.delimiter is not None else "," if is_csv else "\t"
        null = self.null if self.null is not None else "" if is_csv else "\\N"
        escape = self.escape if self.escape is not None else self.quote
        if self.format not in ("text", "csv", "binary"):
            raise PgError("22023", f'COPY format "{self.format}" not recognized')
        if self.format == "binary" and (self.delimiter or self.null or self.header):
            raise PgError("42601", "cannot specify DELIMITER, NULL or HEADER in BINARY mode")
        if not is_csv and (self.quote != '"' or self.escape or self.forced):
            raise PgError("0A000", "COPY QUOTE, ESCAPE and FORCE_QUOTE are available only in CSV mode")
        for what, one in (("delimiter", delimiter), ("quote", self.quote), ("escape", escape)):
            if len(one.encode()) != 1 or one in "\r\n":
                raise PgError("0A000", f"COPY {what} must be a single one-byte character")
        if not is_csv and delimiter in "\\.abcdefghijklmnopqrstuvwxyz0123456789":
            raise PgError("22023", f'COPY delimiter cannot be "{delimiter}"')
        if is_csv and delimiter == self.quote:
            raise PgError("22023", "COPY delimiter and quote must be different")
        if "\r" in null or "\n" in null or delimiter in null or (is_csv and self.quote in null):
            raise PgError("22023", "COPY null representation cannot use newline, delimiter or quote")
        return replace(self, delimiter=delimiter, null=null, escape=escape)


class Copy(Statement):
    """COPY of a query or a relation to the client."""

    def __init__(self, client: Client, part: Part) -> None:
        self._client = client
        source, options = _read(part)
        self.options = options.checked()
        self._question = Question(client, source)
        self.parameter_types = self._question.parameter_types

    def start(self, raw: Sequence[bytes | None], formats: Sequence[int], wanted: Sequence[int]) -> Portal:
        plan = self._question.plan()
        return Copying(_Copied(self._client, plan, values_of(plan, raw, formats), self.options))


class _Copied(Rows):
    """Rows as CopyData messages."""

    def __init__(self, client: Client, plan: Plan, values: list[object], options: Options) -> None:
        self._options = options
        code = BINARY_FORMAT if options.format == "binary" else TEXT_FORMAT
        super().__init__(client, plan, values, [code])
        unknown = [name for name in options.forced if name != "*" and name not in {c.name for c in self.columns}]
        if unknown:
            self.close()
            raise PgError("42703", f'column "{unknown[0]}" does not exist')

    def _sent(self, expression: str, column: Column, fmt: int) -> str:
        o = self._options
        if o.format == "text":
            return cells.copied(expression, column.kind, o.delimiter or "", o.null or "")
        if o.format == "csv":
            is_forced = "*" in o.forced or column.name in o.forced
            return cells.in_csv(
                expression, column.kind, o.delimiter or "", o.null or "", o.quote, o.escape or "", is_forced
            )
        return super()._sent(expression, column, fmt)

    def _encode(self, batch: pa.RecordBatch) -> Messages:
        if self._options.format == "binary":
            return rows.copy_rows_binary(batch, [c.pg for c in self.columns])
        return rows.copy_rows_text(batch, self._options.delimiter or "")

    def header(self) -> bytes:
        """What stands before the first row."""
        if self._options.format == "binary":
            return _SIGNATURE
        if not self._options.header:
            return b""
        o = self._options
        names = [c.name for c in self.columns]
        if o.format == "csv":
            names = [
                _quoted(name, o) if any(c in name for c in f"{o.delimiter}{o.quote}\r\n") else name for name in names
            ]
        return (o.delimiter or "").join(names).encode() + b"\n"


def _quoted(name: str, o: Options) -> str:
    for char in dict.fromkeys((o.escape or "", o.quote)):
        name = name.replace(char, (o.escape or "") + char)
    return f"{o.quote}{name}{o.quote}"


class Copying(Portal):
    """The messages of COPY OUT; it is always taken whole."""

    def __init__(self, copied: _Copied) -> None:
        self._copied = copied

    def take(self, n: int = 0) -> Iterator[bytes | memoryview]:
        copied = self._copied
        code = BINARY_FORMAT if copied._options.format == "binary" else TEXT_FORMAT
        waiting = copied.header()
        begun = False
        for some in copied.take():
            if not begun:
                yield messages.copy_out([code] * len(copied.columns))
                begun = True
            if waiting and code == BINARY_FORMAT:  # the signature comes with the first row, as PostgreSQL sends it
                size = int.from_bytes(some[1:5], "big")
                yield messages.message(b"d", waiting + bytes(some[5 : size + 1]))
                some = some[size + 1 :]
            elif waiting:
                yield messages.message(b"d", waiting)
            waiting = b""
            yield some
        if not begun:
            yield messages.copy_out([code] * len(copied.columns))
        if code == BINARY_FORMAT:
            yield messages.message(b"d", waiting + _TRAILER)
        elif waiting:
            yield messages.message(b"d", waiting)
        yield messages.COPY_DONE
        self.done, self.tag = True, f"COPY {copied.n_rows}"

    def close(self) -> None:
        self._copied.close()


# -- reading ----------------------------------------------------------------------------------------------------------


def _read(part: Part) -> tuple[Part, Options]:
    """What is copied, as a question, and how."""
    words = Words(part)
    options = Options(format="binary") if words.take("binary") else Options()
    if words.peek() == "(":
        first, depth = words.at + 1, 0
        while words.more:
            sign = words.take()
            depth += (sign == "(") - (sign == ")")
            if not depth:
                break
        else:
            words.need(")")
        source = part.inner(first, words.at - 1)
        if source.tokens and source.tokens[0].text.lower() in ("insert", "update", "delete", "merge"):
            raise PgError("25006", "cannot execute COPY of a statement that writes: this server only reads")
    else:
        first = words.at
        words.name()
        while words.take("."):
            words.name()
        named = part.inner(first, words.at)
        columns = "*"
        if words.take("("):
            start = words.at
            words.name()
            while words.take(","):
                words.name()
            columns = part.inner(start, words.at).text
            words.need(")")
        source = split(f"select {columns} from {named.text}")[0]
    if words.take("from"):
        raise PgError("25006", "cannot execute COPY FROM in a read-only transaction: this server only reads")
    words.need("to")
    if not words.take("stdout"):
        raise PgError("42501", "COPY to a file or program is not allowed here: COPY ... TO STDOUT")
    options = _options(words, options)
    words.end()
    if not source.tokens:
        raise PgError("42601", "COPY of nothing: write a query between the parentheses")
    return source, options


def _options(words: Words, options: Options) -> Options:
    words.take("with")
    if words.take("("):
        while True:
            options = _one(words, options)
            if words.need(",", ")") == ")":
                return options
    while words.more:
        options = _old_style(words, options)
    return options


def _text(words: Words) -> str:
    return words.token("string", "word", "quoted", "number").value


def _truth(words: Words) -> bool:
    if words.peek() in (",", ")", ""):
        return True
    word = _text(words).lower()
    if word not in ("true", "on", "1", "false", "off", "0", "match"):
        raise PgError("42601", f'"{word}" is no Boolean value')
    return word in ("true", "on", "1")


def _columns(words: Words) -> tuple[str, ...]:
    if words.take("*"):
        return ("*",)
    words.need("(")
    found = [words.name()]
    while words.take(","):
        found.append(words.name())
    words.need(")")
    return tuple(found)


def _one(words: Words, options: Options) -> Options:
    """An option between the parentheses."""
    name = words.name().lower()
    if name == "format":
        return replace(options, format=_text(words).lower())
    if name in ("delimiter", "null", "quote", "escape"):
        return _character(options, name, _text(words))
    if name == "header":
        return replace(options, header=_truth(words))
    if name == "force_quote":
        return replace(options, forced=_columns(words))
    if name == "encoding":
        _encoding(_text(words))
        return options
    if name in ("oids", "freeze"):
        if _truth(words):
            raise PgError("0A000", f"COPY {name.upper()} is not supported")
        return options
    raise PgError("42601", f'option "{name}" not recognized')


def _old_style(words: Words, options: Options) -> Options:
    """An option as it was written before PostgreSQL 9.0, which clients still do."""
    name = words.need(
        "binary", "csv", "header", "delimiter", "delimiters", "null", "quote", "escape", "force", "encoding"
    )
    if name in ("binary", "csv"):
        return replace(options, format=name)
    if name == "header":
        return replace(options, header=True)
    if name == "force":
        words.need("quote")
        if words.take("*"):
            return replace(options, forced=("*",))
        found = [words.name()]
        while words.take(","):
            found.append(words.name())
        return replace(options, forced=tuple(found))
    words.take("as")
    value = _text(words)
    if name == "encoding":
        _encoding(value)
        return options
    return _character(options, name.removesuffix("s"), value)


def _character(options: Options, name: str, value: str) -> Options:
    changed: dict[str, Any] = {name: value}
    return replace(options, **changed)


def _encoding(name: str) -> None:
    if name.lower().replace("-", "") not in ("utf8", "unicode", "sql_ascii"):
        raise PgError("22023", f'encoding "{name}" is not known here: everything is UTF8')
