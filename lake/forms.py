"""Forms of an answer: Arrow as DuckDB gives it, in plain types, as numpy, as text for people."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from .errors import QueryError


def unique(names: Sequence[str]) -> list[str]:
    """Names of a result's columns, a repeated one numbered: ``unit_id, unit_id_1``."""
    found: dict[str, None] = {}
    for name in names:
        candidate, n = name, 0
        while candidate in found:
            n += 1
            candidate = f"{name}_{n}"
        found[candidate] = None
    return list(found)


def plain(table: pa.Table) -> pa.Table:
    """An answer in types that every tool reads: DuckDB's sum of integers is a HUGEINT, its 0.5 a DECIMAL."""
    kinds = [plain_type(one.type) for one in table.schema]
    try:
        columns = [c if c.type == kind else c.cast(kind) for c, kind in zip(table.columns, kinds, strict=True)]
    except pa.ArrowInvalid:
        raise QueryError("a whole number of the answer exceeds 64 bits: cast it to double") from None
    return pa.table(columns, names=unique(table.column_names))


def plain_batch(batch: pa.RecordBatch) -> pa.RecordBatch:
    """A batch of an answer in plain types."""
    table = plain(pa.Table.from_batches([batch])).combine_chunks()
    return table.to_batches()[0] if table.num_rows else pa.RecordBatch.from_pylist([], table.schema)


def grouped(batches: Iterable[pa.RecordBatch], rows: int, size: int = 4 << 20) -> Iterator[pa.RecordBatch]:
    """Batches joined to such of at most so many rows, and of about so many bytes."""
    waiting: list[pa.RecordBatch] = []
    n = n_bytes = 0
    for batch in batches:
        if waiting and n + batch.num_rows > rows:
            yield pa.concat_batches(waiting)
            waiting, n, n_bytes = [], 0, 0
        waiting.append(batch)
        n += batch.num_rows
        n_bytes += batch.nbytes
        if n_bytes >= size:
            yield pa.concat_batches(waiting)
            waiting, n, n_bytes = [], 0, 0
    if waiting:
        yield pa.concat_batches(waiting)


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The type that other tools read: HUGEINT as int64, DECIMAL as float64, also inside lists and structs."""
    if pa.types.is_decimal(kind):
        return pa.int64() if kind.scale == 0 and kind.precision == 38 else pa.float64()
    if pa.types.is_list(kind):
        return pa.list_(plain_type(kind.value_type))
    if pa.types.is_struct(kind):
        return pa.struct([(one.name, plain_type(one.type)) for one in kind])
    return kind


def plain_name(kind: str) -> str:
    """DuckDB's name of the plain type of a type that it names."""
    return re.sub(r"DECIMAL\(\d+,\s*\d+\)", "DOUBLE", re.sub(r"\bU?HUGEINT\b", "BIGINT", kind))


def to_numpy(column: pa.ChunkedArray) -> np.ndarray:
    """A column as an array; NULL integers make it float64, with NaN."""
    if column.null_count and pa.types.is_integer(column.type):
        column = column.cast(pa.float64())
    return np.asarray(column.to_numpy())


def spread(column: np.ndarray, index: np.ndarray, shape: tuple[int, ...], fill: Any) -> np.ndarray:
    """Values put at flat indices of an array of a shape; ``fill`` (by default NaN) where none is."""
    size = int(np.prod(shape))
    if len(index) == size:  # a full product needs no fill and keeps its type
        out = np.empty(size, dtype=column.dtype)
    elif fill is None:
        kind = np.result_type(column.dtype, np.float64) if column.dtype.kind in "iufb" else np.dtype(object)
        out = np.full(size, np.nan, dtype=kind)
    else:
        out = np.full(
            size, fill, dtype=np.result_type(column.dtype, type(fill)) if column.dtype.kind in "iufb" else object
        )
    out[index] = column
    return out.reshape(shape)


def to_value(column: pa.ChunkedArray) -> Any:
    """The first value of a column; a list of numbers as an array that looks into the column's memory."""
    array = column.chunk(0)
    if pa.types.is_list(array.type) and array[0].is_valid:
        inner = array.flatten() if array.offset == 0 and len(array) == 1 else array[0].values
        if pa.types.is_integer(inner.type) or pa.types.is_floating(inner.type):
            return inner.to_numpy(zero_copy_only=inner.null_count == 0)
        return inner.to_pylist()
    return array[0].as_py()


def is_number(kind: pa.DataType) -> bool:
    """Whether values of a type line up on their right."""
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def n_rows(n: int) -> str:
    """How many rows, in words."""
    return f"{n} row{'' if n == 1 else 's'}"


def cell_text(value: Any) -> str:
    """A value as people read it in a table."""
    if value is None:
        return "—"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, np.ndarray)):
        shown = ", ".join(cell_text(v) for v in value[:3])
        return f"[{shown}{', …' if len(value) > 3 else ''}] ({len(value)})" if len(value) > 3 else f"[{shown}]"
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


class Row:
    """One row: columns as attributes, or by name with ``row["name"]``."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_values"][name]
        except KeyError:
            raise AttributeError(f"the row has no column {name}: it has {', '.join(self._values)}") from None

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __dir__(self) -> list[str]:
        return list(self._values)

    def __repr__(self) -> str:
        return f"Row({', '.join(f'{k}={cell_text(v)}' for k, v in self._values.items())})"
