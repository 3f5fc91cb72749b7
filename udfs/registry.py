"""Declare a kernel once; call it from numpy, from SQL, and later from Spark.

A kernel takes whole numpy arrays, one per argument, and returns one. A LIST argument arrives as :class:`Ragged`.
Few heavy rows beat many light ones: an engine hands at most 2,048 rows a call.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

UDFS: dict[str, Udf] = {}


@dataclass(frozen=True)
class Ragged:
    """A column of lists: row i is ``values[offsets[i]:offsets[i + 1]]``."""

    values: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    def __getitem__(self, i: int) -> np.ndarray:
        return self.values[self.offsets[i] : self.offsets[i + 1]]

    def __iter__(self) -> Iterator[np.ndarray]:
        return (self[i] for i in range(len(self)))

    @property
    def lengths(self) -> np.ndarray:
        return np.diff(self.offsets)

    @classmethod
    def of(cls, rows: Sequence[Any], dtype: Any = None) -> Ragged:
        """From a sequence of arrays, one per row."""
        arrays = [np.asarray(row, dtype=dtype) for row in rows]
        offsets = np.concatenate([[0], np.cumsum([len(a) for a in arrays], dtype=np.int64)]).astype(np.int64)
        values = np.concatenate(arrays) if arrays else np.empty(0, dtype=dtype or np.float64)
        return cls(values, offsets)


@dataclass(frozen=True)
class Held:
    """A bulk table that a kernel looks things up in: its partitions are read once, and kept as long as there is room.

    table, columns : what is read of the table, in its declared order
    make : what the kernel is given of a partition, from its columns as arrays; ``nbytes`` says its size
    by : columns that lead the table's order: a partition is read in pieces then, and only those that a kernel needs.
        It is given an object whose ``within(low, high)`` goes through what is made of the pieces that can hold rows
        in which each of these columns lies between its two ends, both included.
    """

    table: str
    columns: tuple[str, ...]
    make: Callable[..., Any]
    by: tuple[str, ...] = ()


@dataclass(frozen=True)
class Udf:
    """A declared kernel: its SQL name, Arrow types and the function itself.

    ``args`` are the Arrow types of its arguments and ``names`` their names (for ``describe`` and the docs).
    NULL in any argument gives NULL unless ``nulls`` is true, in which case the kernel sees NaN (floats) or masks.
    NaN in a float result becomes NULL in SQL unless ``keep_nan`` is true.
    A kernel with ``held`` is first given a function, from the value of a partition to what is held of it; that raises
    LookupError where the table has no such partition.
    """

    name: str
    function: Callable[..., Any]
    args: tuple[pa.DataType, ...]
    names: tuple[str, ...]
    returns: pa.DataType
    nulls: bool = False
    keep_nan: bool = False
    held: Held | None = None

    @property
    def summary(self) -> str:
        return (self.function.__doc__ or "").strip().split("\n", 1)[0]


def udf(
    *,
    args: Sequence[pa.DataType],
    returns: pa.DataType,
    name: str | None = None,
    nulls: bool = False,
    keep_nan: bool = False,
    held: Held | None = None,
) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Declare a kernel as a SQL function. The function itself is returned unchanged."""

    def declare(function: Callable[..., Any]) -> Callable[..., Any]:
        code = function.__code__
        sql_name = name or function.__name__
        names = code.co_varnames[1 if held else 0 : code.co_argcount]
        UDFS[sql_name] = Udf(sql_name, function, tuple(args), names, returns, nulls, keep_nan, held)
        return function

    return declare
