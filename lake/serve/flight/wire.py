"""Protocol Buffers as bytes: the two kinds of field that Flight SQL's messages are made of, numbers and strings of bytes.

Messages are dicts; what their fields are called, and of what kind they are, is declared in :mod:`.messages`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

MAX_VARINT = 10  # bytes
_VARINT, _FIXED64, _BYTES, _FIXED32 = 0, 1, 2, 5


class MalformedError(ValueError):
    """Bytes that are no message of the declared kind."""


@dataclass(frozen=True)
class Field:
    """One field of a message. A field that a message lacks is an empty value, or None where it is optional."""

    number: int
    kind: Literal["text", "bytes", "uint", "int", "bool"]
    repeated: bool = False
    optional: bool = False


Fields = Mapping[str, Field]


def encode(fields: Fields, values: Mapping[str, Any]) -> bytes:
    """A message's bytes, in the order of its fields."""
    out = bytearray()
    for name, field in fields.items():
        value = values.get(name)
        for one in (value or ()) if field.repeated else (value,):
            if one is None or (not field.optional and not field.repeated and not one):
                continue
            if field.kind in ("text", "bytes"):
                data = one.encode() if field.kind == "text" else bytes(one)
                out += _varint(field.number << 3 | _BYTES) + _varint(len(data)) + data
            else:
                out += _varint(field.number << 3 | _VARINT) + _varint(int(one) & 0xFFFF_FFFF_FFFF_FFFF)
    return bytes(out)


def decode(fields: Fields, data: bytes) -> dict[str, Any]:
    """A message's values; fields that are not declared are left out. Raises MalformedError."""
    by_number = {field.number: (name, field) for name, field in fields.items()}
    found: dict[str, Any] = {
        name: [] if field.repeated else None if field.optional else _EMPTY[field.kind] for name, field in fields.items()
    }
    for number, value in _parts(data):
        if number not in by_number:
            continue
        name, field = by_number[number]
        if field.repeated and isinstance(value, bytes) and field.kind not in ("text", "bytes"):  # packed
            found[name] += [_typed(field, one) for one in _varints(value)]
        elif field.repeated:
            found[name].append(_typed(field, value))
        else:
            found[name] = _typed(field, value)  # the last one counts
    return found


_EMPTY: dict[str, Any] = {"text": "", "bytes": b"", "uint": 0, "int": 0, "bool": False}


def _typed(field: Field, value: int | bytes) -> Any:
    if field.kind in ("text", "bytes"):
        if not isinstance(value, bytes):
            raise MalformedError(f"field {field.number} is a number where {field.kind} belongs")
        try:
            return value.decode() if field.kind == "text" else value
        except UnicodeDecodeError:
            raise MalformedError(f"field {field.number} is not text in UTF-8") from None
    if isinstance(value, bytes):
        raise MalformedError(f"field {field.number} is {len(value)} bytes where a number belongs")
    if field.kind == "bool":
        return bool(value)
    return value - (1 << 64) if field.kind == "int" and value >> 63 else value


def _parts(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    at = 0
    while at < len(data):
        key, at = _read_varint(data, at)
        number, kind = key >> 3, key & 7
        if not number or number >= 1 << 29:
            raise MalformedError(f"{number} is no field's number")
        if kind == _VARINT:
            value, at = _read_varint(data, at)
            yield number, value
        elif kind in (_BYTES, _FIXED64, _FIXED32):
            length, at = _read_varint(data, at) if kind == _BYTES else ({_FIXED64: 8, _FIXED32: 4}[kind], at)
            if at + length > len(data):
                raise MalformedError(f"field {number} is longer than its message")
            yield number, data[at : at + length]
            at += length
        else:
            raise MalformedError(f"field {number} is of the unknown kind {kind}")


def _varints(data: bytes) -> Iterator[int]:
    at = 0
    while at < len(data):
        value, at = _read_varint(data, at)
        yield value


def _read_varint(data: bytes, at: int) -> tuple[int, int]:
    value = 0
    for i in range(MAX_VARINT):
        if at + i >= len(data):
            raise MalformedError("the message ends in the middle of a number")
        byte = data[at + i]
        value |= (byte & 0x7F) << 7 * i
        if byte < 0x80:
            return value & 0xFFFF_FFFF_FFFF_FFFF, at + i + 1
    raise MalformedError("a number is longer than 64 bits")


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)
