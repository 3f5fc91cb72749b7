"""Messages of the protocol as bytes (PostgreSQL documentation: "Message Formats"). Nothing here knows a lake."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from .errors import PgError, protocol_violation
from .types import PgType

PROTOCOL_3 = 3 << 16
CANCEL_REQUEST, SSL_REQUEST, GSSENC_REQUEST = 80877102, 80877103, 80877104

TEXT_FORMAT, BINARY_FORMAT = 0, 1


class Reader:
    """Takes the fields of a message one after the other. Raises the protocol's error where they do not fit."""

    def __init__(self, body: bytes) -> None:
        self._body, self._at = body, 0

    def raw(self, n: int) -> bytes:
        at = self._at
        if n < 0 or at + n > len(self._body):
            raise protocol_violation("a message ends too early")
        self._at = at + n
        return self._body[at : at + n]

    def int16(self) -> int:
        return int.from_bytes(self.raw(2), "big", signed=True)

    def uint16(self) -> int:
        return int.from_bytes(self.raw(2), "big")

    def int32(self) -> int:
        return int.from_bytes(self.raw(4), "big", signed=True)

    def string(self) -> str:
        end = self._body.find(b"\0", self._at)
        if end < 0:
            raise protocol_violation("a string of a message has no end")
        raw = self._body[self._at : end]
        self._at = end + 1
        try:
            return raw.decode()
        except UnicodeDecodeError:
            raise PgError("22021", "the text is not UTF-8, which is the only encoding here") from None

    def value(self) -> bytes | None:
        """A value with its length before it; None: NULL."""
        n = self.int32()
        return None if n == -1 else self.raw(n)

    def end(self) -> None:
        if self._at != len(self._body):
            raise protocol_violation("a message is longer than its fields")

    @property
    def at_end(self) -> bool:
        return self._at == len(self._body)


def message(kind: bytes, body: bytes = b"") -> bytes:
    return kind + struct.pack("!i", len(body) + 4) + body


def _z(text: str) -> bytes:
    return text.encode("utf-8", "replace").replace(b"\0", b"") + b"\0"


def authentication(code: int, data: bytes = b"") -> bytes:
    return message(b"R", struct.pack("!i", code) + data)


def parameter_status(name: str, value: str) -> bytes:
    return message(b"S", _z(name) + _z(value))


def backend_key(pid: int, secret: int) -> bytes:
    return message(b"K", struct.pack("!II", pid, secret))


def negotiate_version(unknown_options: Sequence[str]) -> bytes:
    """What of the protocol is known here: 3.0, and none of the options.

    The documentation calls the number a minor version; PostgreSQL sends, and libpq expects, the whole one.
    """
    return message(b"v", struct.pack("!ii", PROTOCOL_3, len(unknown_options)) + b"".join(map(_z, unknown_options)))


def ready(status: str) -> bytes:
    return message(b"Z", status.encode())


class Field(NamedTuple):
    """A column of an answer as clients see it."""

    name: str
    type: PgType
    format: int = TEXT_FORMAT


def row_description(fields: Iterable[Field]) -> bytes:
    described = [_z(name) + struct.pack("!ihihih", 0, 0, pg.oid, pg.len, pg.modifier, fmt) for name, pg, fmt in fields]
    return message(b"T", struct.pack("!H", len(described)) + b"".join(described))


def parameter_description(types: Sequence[PgType]) -> bytes:
    return message(b"t", struct.pack(f"!H{len(types)}i", len(types), *(t.oid for t in types)))


def data_row(values: Sequence[bytes | None]) -> bytes:
    cells = [struct.pack("!i", -1) if v is None else struct.pack("!i", len(v)) + v for v in values]
    return message(b"D", struct.pack("!H", len(values)) + b"".join(cells))


def complete(tag: str) -> bytes:
    return message(b"C", _z(tag))


def copy_out(formats: Sequence[int]) -> bytes:
    overall = max(formats, default=TEXT_FORMAT)
    return message(b"H", struct.pack(f"!bH{len(formats)}h", overall, len(formats), *formats))


def error(problem: PgError) -> bytes:
    severity = "FATAL" if problem.fatal else "ERROR"
    return _report(b"E", severity, problem.code, problem.message, problem.hint, problem.position)


def notice(code: str, text: str, severity: str = "NOTICE") -> bytes:
    return _report(b"N", severity, code, text, None, None)


def _report(kind: bytes, severity: str, code: str, text: str, hint: str | None, position: int | None) -> bytes:
    fields: Mapping[str, object | None] = {
        "S": severity, "V": severity, "C": code, "M": text, "H": hint, "P": position,
    }  # fmt: skip
    body = b"".join(name.encode() + _z(str(value)) for name, value in fields.items() if value is not None)
    return message(kind, body + b"\0")


PARSE_COMPLETE, BIND_COMPLETE, CLOSE_COMPLETE = message(b"1"), message(b"2"), message(b"3")
NO_DATA, EMPTY_QUERY, SUSPENDED, COPY_DONE = message(b"n"), message(b"I"), message(b"s"), message(b"c")
