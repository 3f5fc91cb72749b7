"""Kernels of ``udfs/`` as DuckDB functions: Arrow columns in, numpy arrays to the kernel, Arrow out."""

from __future__ import annotations

import contextlib
import importlib
import inspect
import pkgutil
from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .. import udfs
from ..udfs.registry import UDFS, Ragged, Udf
from .errors import QueryError, SpecError
from .held import Partitions, RowsOfConnection, lookup

_SQL_TYPES = {
    pa.bool_(): "BOOLEAN",
    pa.int8(): "TINYINT",
    pa.int16(): "SMALLINT",
    pa.int32(): "INTEGER",
    pa.int64(): "BIGINT",
    pa.float32(): "FLOAT",
    pa.float64(): "DOUBLE",
    pa.string(): "VARCHAR",
    pa.binary(): "BLOB",
    pa.timestamp("us"): "TIMESTAMP",
    pa.date32(): "DATE",
}
# Types whose memory numpy reads as it is. Arrow's own ways between the two import pandas, at 0.2 s a process.
_DTYPES: dict[pa.DataType, np.dtype[Any]] = {
    pa.int8(): np.dtype(np.int8),
    pa.int16(): np.dtype(np.int16),
    pa.int32(): np.dtype(np.int32),
    pa.int64(): np.dtype(np.int64),
    pa.float32(): np.dtype(np.float32),
    pa.float64(): np.dtype(np.float64),
}
_ARROW_TYPES = {dtype: kind for kind, dtype in _DTYPES.items()}


def sql_type(kind: pa.DataType) -> str:
    """DuckDB's name of an Arrow type."""
    if pa.types.is_list(kind):
        return f"{sql_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        fields = ", ".join(f'"{one.name}" {sql_type(one.type)}' for one in kind)
        return f"STRUCT({fields})"
    if pa.types.is_union(kind):
        return " | ".join(sql_type(one.type) for one in kind)
    return _SQL_TYPES[kind]


@cache
def declared() -> dict[str, Udf]:
    """Every kernel of the package."""
    for module in pkgutil.iter_modules(udfs.__path__):
        importlib.import_module(f"{udfs.__name__}.{module.name}")
    return dict(UDFS)


def register_functions(con: duckdb.DuckDBPyConnection, partitions: Partitions | None = None) -> None:
    """Make every kernel callable on a connection; those that hold tables read them from ``partitions``, else from it."""
    partitions = partitions or RowsOfConnection(con)
    create: Any = con.create_function  # its stub knows row-at-a-time functions only
    for udf in declared().values():
        create(
            udf.name,
            adapt(udf, partitions),
            None,  # its signature tells
            duckdb.sqltype(sql_type(udf.returns)),
            type="arrow",
            null_handling="special",  # by default DuckDB lets a function answer NULL only where it is asked with NULL
        )


def adapt(udf: Udf, partitions: Partitions) -> Callable[..., pa.Array]:
    """A kernel as DuckDB calls it: with one Arrow column an argument."""
    held = () if udf.held is None else (lookup(udf.held, partitions, to_numpy),)

    def answer(columns: Sequence[Any]) -> pa.Array:
        result = udf.function(*held, *(to_numpy(column) for column in columns))
        return to_arrow(result, udf.returns, udf.keep_nan)

    def call(*given: Any) -> pa.Array:
        columns = [
            _alternative(one, kind) if pa.types.is_union(kind) else one
            for one, kind in zip(given, udf.args, strict=True)
        ]
        missing = None if udf.nulls else _missing(columns)
        if missing is None:
            return answer(columns)
        present = pa.array(~missing)
        if missing.all():
            return pa.nulls(len(missing), udf.returns)
        answered = answer([column.filter(present) for column in columns])
        return answered.take(pa.array(np.cumsum(~missing) - 1, mask=missing))

    call.__name__ = udf.name
    call.__signature__ = inspect.Signature([_parameter(*one) for one in zip(udf.names, udf.args, strict=True)])  # type: ignore[attr-defined]
    return call


def _parameter(name: str, kind: pa.DataType) -> inspect.Parameter:
    """A parameter as DuckDB reads it of a signature: without a type it takes anything.

    That stands for alternatives, as DuckDB hands over its own UNION value by value.
    """
    duckdb_type = inspect.Parameter.empty if pa.types.is_union(kind) else duckdb.sqltype(sql_type(kind))
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY, annotation=duckdb_type)


def _alternative(column: Any, kind: pa.DataType) -> Any:
    """A column that is of one of several types, or can be made one; where all of it is NULL, of the first.

    Raises QueryError for any other.
    """
    types = [one.type for one in kind]
    if column.type in types:
        return column
    if column.null_count == len(column):
        return pa.nulls(len(column), types[0])
    for one in types:
        with contextlib.suppress(pa.ArrowInvalid, pa.ArrowNotImplementedError):
            return column.cast(one)
    raise QueryError(f"{sql_type(kind)} is wanted, not {column.type}")


def _missing(columns: Sequence[Any]) -> np.ndarray | None:
    """Rows in which any argument is NULL, or None where there is no such row."""
    found = None
    for column in columns:
        if column.null_count:
            is_null = np.asarray(column.is_null().to_numpy(zero_copy_only=False))
            found = is_null if found is None else found | is_null
    return found


def to_numpy(column: Any) -> Any:
    """A column as a kernel takes it: LIST as Ragged (nested for lists of lists), STRUCT as a
    dict of columns, BLOB as Ragged bytes, NULL as NaN.
    """
    array = column
    if isinstance(column, pa.ChunkedArray):  # combining copies, and DuckDB hands over one chunk
        array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # no chunk at all, or several that do not combine
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        if array.null_count:
            array = pc.fill_null(array, _empty_list(array.type))
        offsets = _numbers(array.offsets).astype(np.int64)
        values = array.values.slice(offsets[0], offsets[-1] - offsets[0])
        return Ragged(to_numpy(values), offsets - offsets[0])
    if pa.types.is_struct(array.type):
        return {one.name: to_numpy(array.field(i)) for i, one in enumerate(array.type)}
    if pa.types.is_binary(array.type):
        start, stop = array.offset, array.offset + len(array) + 1
        offsets = np.frombuffer(array.buffers()[1], np.int32)[start:stop].astype(np.int64)
        data = array.buffers()[2]
        values = np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8)
        return Ragged(values[offsets[0] : offsets[-1]], offsets - offsets[0])
    if pa.types.is_string(array.type):
        return _texts(array)
    if array.null_count and pa.types.is_integer(array.type):
        array = array.cast(pa.float64())
    return _numbers(array) if array.type in _DTYPES else array.to_numpy(zero_copy_only=False)


def _texts(array: Any) -> np.ndarray:
    """An array of strings as objects, None where they are NULL; what repeats is made once."""
    encoded = array.dictionary_encode(null_encoding="encode")
    return np.array(encoded.dictionary.to_pylist(), object)[_numbers(encoded.indices)]


def _text_column(values: np.ndarray) -> pa.Array:
    """An array of objects as a column of strings, None as NULL."""
    texts = values.tolist()
    encoded = [b"" if text is None else str(text).encode() for text in texts]
    is_there = np.array([text is not None for text in texts], bool)
    offsets = np.zeros(len(texts) + 1, np.int32)
    np.cumsum([len(text) for text in encoded], out=offsets[1:])
    valid = None if is_there.all() else pa.py_buffer(np.packbits(is_there, bitorder="little"))
    return pa.Array.from_buffers(
        pa.string(), len(texts), [valid, pa.py_buffer(offsets), pa.py_buffer(b"".join(encoded))]
    )


def _empty_list(kind: pa.DataType) -> pa.Scalar:
    offsets = pa.py_buffer(np.zeros(2, np.int64))  # wide enough for either kind of list
    return pa.Array.from_buffers(kind, 1, [None, offsets], children=[pa.nulls(0, kind.value_type)])[0]


def _numbers(array: Any) -> np.ndarray:
    """An array of numbers as numpy: its own memory, or with NaN where floats are NULL a copy."""
    start, stop = array.offset, array.offset + len(array)
    valid, data = array.buffers()
    values = np.frombuffer(data or b"", _DTYPES[array.type])[start:stop]
    if array.null_count:
        bits = np.unpackbits(np.frombuffer(valid, np.uint8), bitorder="little")[start:stop]
        values = np.where(bits, values, np.array(np.nan, values.dtype))
    return values


def to_column(values: np.ndarray, is_missing: np.ndarray | None = None) -> pa.Array:
    """An array of numbers as Arrow, in its own memory; NULL where they are missing."""
    if values.dtype not in _ARROW_TYPES:
        return pa.array(values, mask=is_missing)
    valid = None
    if is_missing is not None and is_missing.any():
        valid = pa.py_buffer(np.packbits(~is_missing, bitorder="little"))
    data = pa.py_buffer(np.ascontiguousarray(values))
    return pa.Array.from_buffers(_ARROW_TYPES[values.dtype], len(values), [valid, data])


def to_arrow(result: Any, kind: pa.DataType, keep_nan: bool) -> pa.Array:
    """A kernel's result as a column of the declared type; NaN as NULL unless it is kept."""
    if pa.types.is_list(kind):
        ragged = result if isinstance(result, Ragged) else Ragged.of(result)
        values = to_arrow(ragged.values, kind.value_type, keep_nan)
        return pa.ListArray.from_arrays(to_column(ragged.offsets.astype(np.int32)), values)
    if pa.types.is_binary(kind):
        offsets, data = pa.py_buffer(result.offsets.astype(np.int32)), pa.py_buffer(np.ascontiguousarray(result.values))
        return pa.Array.from_buffers(kind, len(result), [None, offsets, data])
    if pa.types.is_struct(kind):
        columns = [to_arrow(result[f.name], f.type, keep_nan) for f in kind]
        return pa.StructArray.from_arrays(columns, fields=list(kind))
    values = np.asarray(result)
    is_missing = None if keep_nan or values.dtype.kind != "f" else np.isnan(values)
    if isinstance(result, np.ma.MaskedArray):
        is_missing = np.ma.getmaskarray(result)
    elif values.dtype == object:
        return _text_column(values) if kind == pa.string() else pa.array(values, kind)
    try:
        column = to_column(values, is_missing)
        return column if column.type == kind else column.cast(kind)
    except pa.ArrowInvalid as error:
        raise SpecError(f"a kernel returned {values.dtype} where {kind} is declared: {error}") from None
