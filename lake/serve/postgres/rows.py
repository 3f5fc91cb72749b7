"""Rows as the protocol carries them, put together from Arrow columns: whole batches, no Python per value.

Each column gives pieces (arrays of bytes, one a row: a length, a value, or both), which Arrow joins row by row.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from . import types as t
from .messages import BINARY_FORMAT
from .types import PgType
from .values import EPOCH_DAYS

_EPOCH_MICROS = EPOCH_DAYS * 86_400_000_000
_NULL = -1
_ARRAY_HEADER, _EMPTY_HEADER = 20, 12  # bytes before an array's elements, and of an array without any


@dataclass(frozen=True)
class Messages:
    """Messages one after the other in one buffer, and where each begins; the last offset is the end."""

    data: memoryview
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def part(self, start: int, stop: int) -> memoryview:
        return self.data[self.offsets[start] : self.offsets[stop]]


def data_rows(batch: pa.RecordBatch, types: Sequence[PgType], formats: Sequence[int]) -> Messages:
    """A batch as DataRow messages; columns in text come as text, those in binary as ``cells.plain`` makes them."""
    return _framed(b"D", struct.pack("!H", batch.num_columns), _fields(batch, types, formats))


def copy_rows_binary(batch: pa.RecordBatch, types: Sequence[PgType]) -> Messages:
    """A batch as CopyData messages of COPY's binary format."""
    fields = _fields(batch, types, [BINARY_FORMAT] * batch.num_columns)
    return _framed(b"d", struct.pack("!h", batch.num_columns), fields)


def copy_rows_text(batch: pa.RecordBatch, delimiter: str) -> Messages:
    """A batch of texts as CopyData messages, a line each."""
    between = pa.scalar(delimiter.encode(), pa.binary())
    pieces: list[Any] = []
    for column in batch.columns:
        pieces += [between, column.view(pa.binary())]
    if not pieces:
        pieces = [between, _fixed(np.zeros((batch.num_rows, 0), np.uint8))]
    return _framed(b"d", b"", [*pieces[1:], pa.scalar(b"\n", pa.binary())])


def _fields(batch: pa.RecordBatch, types: Sequence[PgType], formats: Sequence[int]) -> list[pa.Array]:
    pieces: list[pa.Array] = []
    for column, pg, fmt in zip(batch.columns, types, formats, strict=True):
        pieces += _binary(column, pg) if fmt == BINARY_FORMAT else _prefixed(column)
    return pieces or [_fixed(np.zeros((batch.num_rows, 0), np.uint8))]


def _framed(kind: bytes, before: bytes, pieces: Sequence[Any]) -> Messages:
    """Rows with a message's kind and length before them."""
    n = next(len(piece) for piece in pieces if isinstance(piece, pa.Array))
    lengths = np.full(n, 4 + len(before), np.int64)
    for piece in pieces:
        lengths += _lengths(piece) if isinstance(piece, pa.Array) else len(piece.as_py())
    head = np.empty(n, np.dtype([("kind", "u1"), ("length", ">i4"), ("before", f"V{len(before)}")]))
    head["kind"], head["length"] = kind[0], lengths
    if before:
        head["before"] = np.frombuffer(before, f"V{len(before)}")
    joined = _joined([_fixed(head), *pieces])
    return Messages(memoryview(joined.buffers()[2] or b""), _offsets(joined))


def _joined(pieces: Sequence[Any]) -> pa.Array:
    if len(pieces) == 1:
        return pieces[0]
    return pc.binary_join_element_wise(*pieces, b"", null_handling="replace", null_replacement=b"")


def _offsets(array: pa.Array) -> np.ndarray:
    return np.frombuffer(array.buffers()[1], np.int32, len(array) + 1, array.offset * 4)


def _lengths(array: pa.Array) -> np.ndarray:
    """Bytes of each value; of NULL, none."""
    found = np.diff(_offsets(array)) if len(array) else np.zeros(0, np.int32)
    return np.where(_valid(array), found, 0) if array.null_count else found


def _valid(array: pa.Array) -> np.ndarray:
    return np.asarray(array.is_valid())


def _of_bytes(data: np.ndarray, lengths: np.ndarray) -> pa.Array:
    """Bytes that stand one after the other as an array of values of these lengths."""
    offsets = np.zeros(len(lengths) + 1, np.int32)
    np.cumsum(lengths, out=offsets[1:])
    raw = np.ascontiguousarray(data).view(np.uint8).reshape(-1)
    return pa.Array.from_buffers(pa.binary(), len(lengths), [None, pa.py_buffer(offsets), pa.py_buffer(raw)])


def _fixed(data: np.ndarray) -> pa.Array:
    """A row of bytes, or a record, each."""
    width = data.shape[1] if data.ndim == 2 else data.dtype.itemsize
    offsets = (
        np.arange(0, (len(data) + 1) * width, width, dtype=np.int32) if width else np.zeros(len(data) + 1, np.int32)
    )
    raw = np.ascontiguousarray(data).view(np.uint8).reshape(-1) if data.size else np.zeros(0, np.uint8)
    return pa.Array.from_buffers(pa.binary(), len(data), [None, pa.py_buffer(offsets), pa.py_buffer(raw)])


def _prefixed(column: pa.Array) -> list[pa.Array]:
    """Values of any length, each with its length before it."""
    lengths = np.diff(_offsets(column)) if len(column) else np.zeros(0, np.int32)
    if column.null_count:
        lengths = np.where(_valid(column), lengths, _NULL)
    return [_fixed(lengths.astype(">i4")), column if column.type == pa.binary() else column.view(pa.binary())]


def _cells(values: np.ndarray, valid: np.ndarray | None) -> pa.Array:
    """Values of one size, big-endian, each with its length before it; NULL is a length alone."""
    width = values.dtype.itemsize
    cells = np.empty(len(values), np.dtype([("length", ">i4"), ("value", values.dtype)]))
    cells["length"], cells["value"] = width, values
    return _fixed(cells) if valid is None else _without_nulls(cells, valid)


def _without_nulls(cells: np.ndarray, valid: np.ndarray) -> pa.Array:
    cells["length"] = np.where(valid, cells["length"], _NULL)
    raw = cells.view(np.uint8).reshape(len(cells), -1)
    kept = np.ones(raw.shape, bool)
    kept[:, 4:] = valid[:, None]
    return _of_bytes(raw[kept], kept.sum(axis=1))


# -- binary -----------------------------------------------------------------------------------------------------------


def _numbers(column: pa.Array, dtype: str) -> np.ndarray:
    """The values' buffer; those that are NULL are anything."""
    width = np.dtype(dtype).itemsize
    return (
        np.frombuffer(column.buffers()[1], dtype, len(column), column.offset * width)
        if len(column)
        else np.empty(0, dtype)
    )


def _days(column: pa.Array) -> np.ndarray:
    days = _numbers(column, "<i4")
    is_infinite = np.abs(days.astype(np.int64)) == 2**31 - 1
    moved = np.where(is_infinite, days, days - np.int32(EPOCH_DAYS))
    return np.where(days == -(2**31 - 1), np.int32(-(2**31)), moved).astype(">i4")


def _micros(column: pa.Array) -> np.ndarray:
    micros = _numbers(column, "<i8")
    top = 2**63 - 1
    moved = np.where((micros == top) | (micros == -top), micros, micros - _EPOCH_MICROS)
    return np.where(micros == -top, np.int64(-top - 1), moved).astype(">i8")


def _intervals(column: pa.Array) -> np.ndarray:
    parts = np.frombuffer(
        column.buffers()[1], [("months", "<i4"), ("days", "<i4"), ("nanos", "<i8")], len(column), column.offset * 16
    )
    out = np.empty(len(column), [("micros", ">i8"), ("days", ">i4"), ("months", ">i4")])
    out["micros"], out["days"], out["months"] = parts["nanos"] // 1000, parts["days"], parts["months"]
    return out


_FIXED = {
    t.BOOL.oid: lambda c: _numbers(c, "<i1"),
    t.INT2.oid: lambda c: _numbers(c, "<i2").astype(">i2"),
    t.INT4.oid: lambda c: _numbers(c, "<i4").astype(">i4"),
    t.INT8.oid: lambda c: _numbers(c, "<i8").astype(">i8"),
    t.OID.oid: lambda c: _numbers(c, "<u4").astype(">u4"),
    t.XID.oid: lambda c: _numbers(c, "<u4").astype(">u4"),
    t.FLOAT4.oid: lambda c: _numbers(c, "<f4").astype(">f4"),
    t.FLOAT8.oid: lambda c: _numbers(c, "<f8").astype(">f8"),
    t.DATE.oid: _days,
    t.TIME.oid: lambda c: _numbers(c, "<i8").astype(">i8"),
    t.TIMESTAMP.oid: _micros,
    t.TIMESTAMPTZ.oid: _micros,
    t.INTERVAL.oid: lambda c: _intervals(c) if len(c) else np.empty(0, "V16"),
}


def _binary(column: pa.Array, pg: PgType) -> list[pa.Array]:
    if pg.element is not None:
        return _arrays(column, pg.element)
    if pg.oid in _FIXED:
        return [_cells(_FIXED[pg.oid](column), _valid(column) if column.null_count else None)]
    if pg.oid == t.NUMERIC.oid:
        column = pa.array([None if v is None else numeric(v) for v in column.to_pylist()], pa.binary())
    return _prefixed(column)


def _arrays(column: pa.ListArray, element: PgType) -> list[pa.Array]:
    """One-dimensional arrays: a header, then each element with its length."""
    offsets = _offsets(column) if len(column) else np.zeros(1, np.int32)
    items = _joined(_binary(column.values, element))
    counts = np.diff(offsets)
    starts = _offsets(items)[offsets] if len(items) else np.zeros(len(offsets), np.int32)
    values = pa.Array.from_buffers(
        pa.binary(), len(column), [None, pa.py_buffer(np.ascontiguousarray(starts)), items.buffers()[2]]
    )
    header = [
        ("length", ">i4"),
        ("dimensions", ">i4"),
        ("flags", ">i4"),
        ("oid", ">i4"),
        ("n", ">i4"),
        ("first", ">i4"),
    ]
    head = np.zeros(len(column), np.dtype(header))
    head["length"] = np.where(counts > 0, _ARRAY_HEADER + np.diff(starts), _EMPTY_HEADER)
    head["dimensions"], head["flags"], head["oid"] = counts > 0, bool(column.values.null_count), element.oid
    head["n"], head["first"] = counts, 1
    kept = np.ones((len(column), 4 + _ARRAY_HEADER), bool)
    kept[:, 4 + _EMPTY_HEADER :] = (counts > 0)[:, None]
    if column.null_count:
        valid = _valid(column)
        head["length"] = np.where(valid, head["length"], _NULL)
        kept[:, 4:] &= valid[:, None]
        values = pc.if_else(pa.array(valid), values, pa.scalar(b"", pa.binary()))
    raw = head.view(np.uint8).reshape(len(column), -1) if len(column) else np.zeros((0, 24), np.uint8)
    return [_of_bytes(raw[kept], kept.sum(axis=1)), values]


def numeric(text: str) -> bytes:
    """A number's text as PostgreSQL's numeric: its digits by fours."""
    value = Decimal(text)
    if not value.is_finite():
        return struct.pack("!HhHH", 0, 0, 0xC000 if value.is_nan() else 0xD000 if value > 0 else 0xF000, 0)
    sign, digits, exponent = value.as_tuple()
    scale = max(-int(exponent), 0)
    written = "".join(map(str, digits)) + "0" * max(int(exponent), 0)
    written = written.rjust(scale + 1, "0")
    whole, part = written[: len(written) - scale], written[len(written) - scale :]
    whole = whole.rjust(-(-len(whole) // 4) * 4, "0")
    part = part.ljust(-(-len(part) // 4) * 4, "0")
    groups = [int((whole + part)[i : i + 4]) for i in range(0, len(whole + part), 4)]
    weight = len(whole) // 4 - 1
    while groups and groups[0] == 0:
        groups, weight = groups[1:], weight - 1
    while groups and groups[-1] == 0:
        groups = groups[:-1]
    if not groups:
        weight = 0
    return struct.pack(f"!HhHH{len(groups)}H", len(groups), weight, 0x4000 if sign else 0, scale, *groups)
