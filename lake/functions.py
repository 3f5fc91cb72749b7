"""Kernels of ``udfs/`` as DuckDB functions: Arrow columns in, numpy arrays to the kernel, Arrow out."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable
from functools import cache
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from .. import udfs
from ..udfs.registry import UDFS, Ragged, Udf
from .errors import SpecError

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
}


def sql_type(kind: pa.DataType) -> str:
    """DuckDB's name of an Arrow type."""
    if pa.types.is_list(kind):
        return f"{sql_type(kind.value_type)}[]"
    if pa.types.is_struct(kind):
        fields = ", ".join(f'"{one.name}" {sql_type(one.type)}' for one in kind)
        return f"STRUCT({fields})"
    return _SQL_TYPES[kind]


@cache
def declared() -> dict[str, Udf]:
    """Every kernel of the package."""
    for module in pkgutil.iter_modules(udfs.__path__):
        importlib.import_module(f"{udfs.__name__}.{module.name}")
    return dict(UDFS)


def register_functions(con: duckdb.DuckDBPyConnection) -> None:
    """Make every kernel callable on a connection."""
    create: Any = con.create_function  # its stub knows row-at-a-time functions only
    for udf in declared().values():
        create(
            udf.name,
            adapt(udf),
            [duckdb.sqltype(sql_type(kind)) for kind in udf.args],
            duckdb.sqltype(sql_type(udf.returns)),
            type="arrow",
            null_handling="special" if udf.nulls else "default",
        )


def adapt(udf: Udf) -> Callable[..., pa.Array]:
    """A kernel as DuckDB calls it: with one Arrow column an argument."""

    def call(*columns: Any) -> pa.Array:
        result = udf.function(*(to_numpy(column) for column in columns))
        return to_arrow(result, udf.returns, udf.keep_nan)

    call.__name__ = udf.name
    # DuckDB counts the parameters of a function, and would see one in `*columns`
    named = [inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY) for name in udf.names]
    call.__signature__ = inspect.Signature(named)  # type: ignore[attr-defined]
    return call


def to_numpy(column: Any) -> Any:
    """A column as a kernel takes it: LIST as Ragged (nested for lists of lists), BLOB as Ragged bytes, NULL as NaN."""
    array = column
    if isinstance(column, pa.ChunkedArray):  # combining copies, and DuckDB hands over one chunk
        array = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if isinstance(array, pa.ChunkedArray):  # no chunk at all, or several that do not combine
        array = pa.concat_arrays(array.chunks) if array.num_chunks else pa.array([], array.type)
    if pa.types.is_list(array.type) or pa.types.is_large_list(array.type):
        if array.null_count:
            array = pc.fill_null(array, pa.scalar([], array.type))
        offsets = array.offsets.to_numpy().astype(np.int64)
        values = array.values.slice(offsets[0], offsets[-1] - offsets[0])
        return Ragged(to_numpy(values), offsets - offsets[0])
    if pa.types.is_binary(array.type):
        start, stop = array.offset, array.offset + len(array) + 1
        offsets = np.frombuffer(array.buffers()[1], np.int32)[start:stop].astype(np.int64)
        data = array.buffers()[2]
        values = np.frombuffer(data, np.uint8) if data else np.empty(0, np.uint8)
        return Ragged(values[offsets[0] : offsets[-1]], offsets - offsets[0])
    if array.null_count and pa.types.is_integer(array.type):
        array = array.cast(pa.float64())
    return array.to_numpy(zero_copy_only=False)


def to_arrow(result: Any, kind: pa.DataType, keep_nan: bool) -> pa.Array:
    """A kernel's result as a column of the declared type; NaN as NULL unless it is kept."""
    if pa.types.is_list(kind):
        ragged = result if isinstance(result, Ragged) else Ragged.of(result)
        values = to_arrow(ragged.values, kind.value_type, keep_nan)
        return pa.ListArray.from_arrays(pa.array(ragged.offsets, pa.int32()), values)
    if pa.types.is_binary(kind):
        offsets, data = pa.py_buffer(result.offsets.astype(np.int32)), pa.py_buffer(np.ascontiguousarray(result.values))
        return pa.Array.from_buffers(kind, len(result), [None, offsets, data])
    if pa.types.is_struct(kind):
        columns = [to_arrow(result[f.name], f.type, keep_nan) for f in kind]
        return pa.StructArray.from_arrays(columns, fields=list(kind))
    if isinstance(result, np.ma.MaskedArray):
        return pa.array(result.data, kind, mask=np.ma.getmaskarray(result))
    values = np.asarray(result)
    if values.dtype == object:
        return pa.array(values, kind)
    is_missing = None if keep_nan or values.dtype.kind != "f" else np.isnan(values)
    try:
        return pa.array(values, mask=is_missing).cast(kind)
    except pa.ArrowInvalid as error:
        raise SpecError(f"a kernel returned {values.dtype} where {kind} is declared: {error}") from None
