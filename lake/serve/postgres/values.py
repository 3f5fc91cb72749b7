"""Parameters as clients send them, in text or binary, as values that DuckDB takes."""

from __future__ import annotations

import datetime as dt
import math
import re
import struct
import uuid
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import Any

import numpy as np

from . import types as t
from .errors import PgError
from .messages import BINARY_FORMAT
from .types import PgType

EPOCH_DAYS = (dt.date(2000, 1, 1) - dt.date(1970, 1, 1)).days  # PostgreSQL counts from 2000
_ELEMENTS_AT_MOST = 10_000_000
_DIMENSIONS_AT_MOST = 6
JSONB_OID = 3802


def decode(raw: bytes | None, fmt: int, pg: PgType) -> Any:
    """A parameter's value: of Python's types where DuckDB takes them as they are, else its text, which a cast reads.

    Raises PgError 22P02 or 22P03 where the bytes are none of the type.
    """
    if raw is None:
        return None
    if fmt == BINARY_FORMAT:
        try:
            return _array(raw, pg.element) if pg.element else _binary(raw, pg)
        except (struct.error, ValueError, OverflowError, IndexError):
            raise PgError("22P03", f"a binary value is no {pg.name}") from None
    text = _text(raw)
    try:
        return _parsed_array(text, pg.element) if pg.element else _parsed(text, pg)
    except (ValueError, InvalidOperation, RecursionError):
        raise PgError("22P02", f"a text is no {pg.name}") from None


def _text(raw: bytes) -> str:
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        raise PgError("22021", "a value is not UTF-8, which is the only encoding here") from None
    if "\0" in text:
        raise PgError("22021", "a text may not hold the character 0")
    return text


# -- text -------------------------------------------------------------------------------------------------------------

_TRUE, _FALSE = {"t", "true", "y", "yes", "on", "1"}, {"f", "false", "n", "no", "off", "0"}


def _parsed(text: str, pg: PgType) -> Any:
    if pg.oid in (t.INT2.oid, t.INT4.oid, t.INT8.oid, t.OID.oid):
        return int(text)
    if pg.oid in (t.FLOAT4.oid, t.FLOAT8.oid):
        return float(text)
    if pg.oid == t.NUMERIC.oid:
        return number(Decimal(text))
    if pg.oid == t.BOOL.oid:
        word = text.strip().lower()
        if word not in _TRUE | _FALSE:
            raise ValueError
        return word in _TRUE
    if pg.oid == t.BYTEA.oid:
        return bytes.fromhex(text[2:]) if text.startswith("\\x") else _from_escaped(text)
    return text


def number(value: Decimal) -> Any:
    """A decimal as DuckDB takes it: NaN, infinities and what has more than 38 digits as float."""
    if not value.is_finite():
        return float(value)
    _, digits, written = value.as_tuple()
    exponent = int(written)
    scale = max(-exponent, 0)
    if scale == 0 and exponent < 40 and abs(whole := int(value)) < 2**127:
        return whole
    if max(len(digits), scale) + max(exponent, 0) > 38:
        return float(value)
    return value


def _from_escaped(text: str) -> bytes:
    def byte(found: re.Match[bytes]) -> bytes:
        return b"\\" if found[1] == b"\\" else bytes([int(found[1], 8)])

    raw = text.encode()
    if re.search(rb"\\(?!\\|[0-3][0-7]{2})", re.sub(rb"\\\\", b"", raw)):
        raise ValueError
    return re.sub(rb"\\(\\|[0-3][0-7]{2})", byte, raw)


_PIECE = re.compile(r'\s*(?:([{},])|"((?:[^"\\]|\\.)*)"|((?:[^{},"\\]|\\.)+))', re.DOTALL)


def _parsed_array(text: str, element: PgType) -> list[Any]:
    """``{1,NULL,"a b"}``, also of several dimensions, also with bounds before it."""
    text = re.sub(r"^\s*(\[[-+]?\d+(:[-+]?\d+)?\])+\s*=", "", text).strip()
    pieces = _PIECE.finditer(text)
    found, end = _items(pieces, element) if text.startswith("{") and next(pieces) else ([], -1)
    if end != len(text):
        raise ValueError
    return found


def _items(pieces: Any, element: PgType, depth: int = 1) -> tuple[list[Any], int]:
    if depth > _DIMENSIONS_AT_MOST:
        raise ValueError
    items: list[Any] = []
    expected = True  # an item, not a comma
    for piece in pieces:
        sign, quoted, plain = piece.groups()
        if sign == "}":
            if expected and items:
                raise ValueError
            return items, piece.end()
        if sign == ",":
            if expected:
                raise ValueError
            expected = True
            continue
        if not expected:
            raise ValueError
        expected = False
        if sign == "{":
            items.append(_items(pieces, element, depth + 1)[0])
        elif quoted is not None:
            items.append(_parsed(re.sub(r"\\(.)", r"\1", quoted, flags=re.DOTALL), element))
        elif plain.strip().upper() == "NULL":
            items.append(None)
        else:
            items.append(_parsed(re.sub(r"\\(.)", r"\1", plain.strip(), flags=re.DOTALL), element))
    raise ValueError


# -- binary -----------------------------------------------------------------------------------------------------------


def _unpack(form: str) -> Callable[[bytes], Any]:
    return lambda raw: struct.unpack(form, raw)[0]


def _day(days: int) -> str:
    """A day, counted from 2000, as DuckDB reads it, before the first year too."""
    year, month, day = str(np.datetime64(EPOCH_DAYS + days, "D")).rsplit("-", 2)
    if int(year) > 0:
        return f"{int(year):04}-{month}-{day}"
    return f"{1 - int(year):04}-{month}-{day} (BC)"


def _date(raw: bytes) -> str:
    days = struct.unpack("!i", raw)[0]
    if days in (2**31 - 1, -(2**31)):
        return "infinity" if days > 0 else "-infinity"
    return _day(days)


def _timestamp(raw: bytes) -> str:
    micros = struct.unpack("!q", raw)[0]
    if micros in (2**63 - 1, -(2**63)):
        return "infinity" if micros > 0 else "-infinity"
    days, of_day = divmod(micros, 86_400_000_000)
    return f"{_day(days)} {_clock(of_day)}"


def _clock(micros: int) -> str:
    seconds, micro = divmod(micros, 1_000_000)
    return f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{micro:06}"


def _timestamptz(raw: bytes) -> str:
    text = _timestamp(raw)
    return text if text.endswith("infinity") else text + "+00"


def _time(raw: bytes) -> str:
    micros = struct.unpack("!q", raw)[0]
    if not 0 <= micros <= 86_400_000_000:
        raise ValueError
    return _clock(micros)


def _interval(raw: bytes) -> str:
    micros, days, months = struct.unpack("!qii", raw)
    return f"{months} months {days} days {micros} microseconds"


def _numeric(raw: bytes) -> Any:
    n, weight, sign, scale = struct.unpack("!HhHH", raw[:8])
    special = {0xC000: math.nan, 0xD000: math.inf, 0xF000: -math.inf}
    if sign in special:
        return special[sign]
    digits = struct.unpack(f"!{n}H", raw[8:])
    if sign not in (0, 0x4000) or any(digit > 9999 for digit in digits) or scale > 0x3FFF:
        raise ValueError
    if abs(weight) > 100:  # beyond what any number of DuckDB's holds, and long to write out
        raise ValueError
    written = "".join(f"{digit:04}" for digit in digits)
    exponent = 4 * (weight - n + 1)
    if extra := max(0, -scale - exponent):  # digits are sent by fours; those beyond the scale are zeros
        written, exponent = written[: len(written) - extra], -scale
    return number(Decimal((int(bool(sign)), tuple(map(int, written or "0")), exponent)))


_BINARY: dict[int, Callable[[bytes], Any]] = {
    t.BOOL.oid: lambda raw: struct.unpack("!?", raw)[0],
    t.INT2.oid: _unpack("!h"),
    t.INT4.oid: _unpack("!i"),
    t.INT8.oid: _unpack("!q"),
    t.OID.oid: _unpack("!I"),
    t.FLOAT4.oid: _unpack("!f"),
    t.FLOAT8.oid: _unpack("!d"),
    t.NUMERIC.oid: _numeric,
    t.BYTEA.oid: bytes,
    t.DATE.oid: _date,
    t.TIME.oid: _time,
    t.TIMESTAMP.oid: _timestamp,
    t.TIMESTAMPTZ.oid: _timestamptz,
    t.INTERVAL.oid: _interval,
    t.UUID.oid: lambda raw: str(uuid.UUID(bytes=raw)),
    JSONB_OID: lambda raw: _text(raw[1:]),
}


def _binary(raw: bytes, pg: PgType) -> Any:
    return _BINARY.get(pg.oid, _text)(raw)


def _array(raw: bytes, element: PgType) -> list[Any]:
    dimensions, _, oid = struct.unpack("!iiI", raw[:12])
    if not 0 <= dimensions <= _DIMENSIONS_AT_MOST:
        raise ValueError
    actual = t.BY_OID.get(oid, element)
    sizes = [struct.unpack("!ii", raw[12 + 8 * i : 20 + 8 * i])[0] for i in range(dimensions)]
    if any(size < 0 for size in sizes) or math.prod(sizes) > _ELEMENTS_AT_MOST:
        raise ValueError
    at = 12 + 8 * dimensions

    def items(level: int) -> list[Any]:
        nonlocal at
        found: list[Any] = []
        for _ in range(sizes[level]):
            if level + 1 < dimensions:
                found.append(items(level + 1))
                continue
            (n,) = struct.unpack("!i", raw[at : at + 4])
            at += 4
            if n < 0:
                found.append(None)
                continue
            if at + n > len(raw):
                raise ValueError
            found.append(_binary(raw[at : at + n], actual))
            at += n
        return found

    result = items(0) if dimensions else []
    if at != len(raw):
        raise ValueError
    return result
