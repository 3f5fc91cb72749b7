"""Columns of NWB tables as Arrow columns: NaN and missing columns become NULL, what has no column becomes JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa


def numbers(values: np.ndarray | None, n: int, type_: pa.DataType | None = None) -> pa.Array:
    """A numeric column; text in a numeric column becomes NULL where it is no number."""
    type_ = type_ or pa.float64()
    if values is None:
        return pa.nulls(n, type_)
    if values.dtype == object:
        values = np.array([_number(v) for v in values], np.float64)
    if pa.types.is_integer(type_) and values.dtype.kind == "f":
        whole = np.where(np.isfinite(values), values, 0).astype(np.int64)
        return pa.array(whole, type_, mask=~np.isfinite(values))
    return pa.array(values.astype(type_.to_pandas_dtype()), type_, from_pandas=True)


def texts(values: np.ndarray | None, n: int) -> pa.Array:
    """A text column; empty text is NULL."""
    if values is None:
        return pa.nulls(n, pa.string())
    return pa.array([None if v is None or v == "" or v != v else str(v) for v in values.tolist()], pa.string())


def extra_json(n: int, columns: Mapping[str, np.ndarray | list[Any]]) -> pa.Array:
    """One JSON object a row of what has no column of its own; NULL where it would be empty."""
    lists = {name: v.tolist() if isinstance(v, np.ndarray) else list(v) for name, v in sorted(columns.items())}
    objects = []
    for row in range(n):
        given = {name: plain(values[row]) for name, values in lists.items()}
        given = {name: value for name, value in given.items() if value is not None}
        objects.append(json.dumps(given, ensure_ascii=False) if given else None)
    return pa.array(objects, pa.string())


def plain(value: Any) -> Any:
    """What JSON can hold: NaN, infinity and empty text say nothing."""
    if isinstance(value, np.ndarray):
        value = value.tolist()
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, float) and not np.isfinite(value):
        return None
    if value is None or isinstance(value, (bool, int, float)):
        return value
    return str(value) or None


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.nan
