"""Values of NWB files as rows need them: checked to be numbers, NaN as NULL, what has no column as JSON."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import numpy as np
import pyarrow as pa

from .chunk_slices import whole
from .hdf5 import Hdf5File
from .nwb_table import NwbTable

_MAX_WHOLE = 2**53  # a larger float is no certain whole number


def reals(nwb: Hdf5File, path: str, ndim: int = 1) -> np.ndarray:
    """A dataset of numbers (float64). Raises SourceError where it is something else."""
    data = nwb.dataset(path)
    if data.dtype.kind not in "fiu" or data.ndim != ndim:
        raise nwb.error(path, f"should be {ndim}-dimensional numbers, and is {data.ndim}-dimensional {data.dtype}")
    return whole(data, dtype=np.float64)


def real_column(table: NwbTable, name: str) -> np.ndarray:
    """A column with one number a row (float64). Raises SourceError where it is something else."""
    values = table.values(name)
    if values.dtype.kind not in "fiu" or values.ndim != 1 or table.indices(name):
        raise table.nwb.error(
            table.at(name), f"should be a list of numbers, and is {values.ndim}-dimensional {values.dtype}"
        )
    return values.astype(np.float64)


def whole_column(table: NwbTable, name: str) -> np.ndarray:
    """A column of ids or indices (int64). Raises SourceError where a value is no whole number."""
    return _whole(table.nwb, table.at(name), real_column(table, name))


def _whole(nwb: Hdf5File, path: str, values: np.ndarray) -> np.ndarray:
    wrong = ~np.isfinite(values) | (values != np.rint(values)) | (np.abs(values) > _MAX_WHOLE)
    if wrong.any():
        raise nwb.error(path, f"should hold whole numbers, and holds {values[wrong][0]}")
    return values.astype(np.int64)


def real_or_none(nwb: Hdf5File, path: str) -> float | None:
    """A single number; None where it is missing or NaN. Raises SourceError where it is something else."""
    value = nwb.scalar(path)
    if value is None:
        return None
    if not isinstance(value, (int, float)):
        raise nwb.error(path, f"should be a number, and is {value!r}")
    return None if value != value else float(value)


def whole_or_none(nwb: Hdf5File, path: str) -> int | None:
    """A single whole number; None where it is missing. Raises SourceError where it is something else."""
    value = nwb.scalar(path)
    if isinstance(value, str) and value.strip().lstrip("-").isdigit():
        value = int(value)
    if value is None:
        return None
    if not isinstance(value, (int, float)):
        raise nwb.error(path, f"should be a whole number, and is {value!r}")
    return int(_whole(nwb, path, np.array([value], np.float64))[0])


def text_or_none(nwb: Hdf5File, path: str) -> str | None:
    """A single value as text; None where it is missing or empty."""
    value = nwb.scalar(path)
    return None if value is None or value == "" else str(value)


def numbers(values: np.ndarray | None, n: int, type_: pa.DataType | None = None) -> pa.Array:
    """A numeric column; text in a numeric column becomes NULL where it is no number."""
    type_ = type_ or pa.float64()
    if values is None:
        return pa.nulls(n, type_)
    if values.dtype == object:
        values = np.array([_number(v) for v in values], np.float64)
    if values.dtype.kind not in "fiub" or values.ndim != 1:
        return pa.nulls(n, type_)
    if pa.types.is_integer(type_) and values.dtype.kind == "f":
        known = np.abs(values) <= _MAX_WHOLE  # False for NaN
        return pa.array(np.where(known, values, 0).astype(np.int64), type_, mask=~known)
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
