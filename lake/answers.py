"""Two answers to one question: whether they are the same, and if not, by how much.

A digest tells exactly; it depends on the values alone, not on how they are stored, and NaN equals NaN. A sum of floats
in parallel differs in its last bits from run to run, so what a digest finds different is looked at value by value.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

RELATIVE = 1e-9  # floats so near, relative to the larger, count as the same


def digest(table: pa.Table, ordered: bool = True) -> str:
    """SHA-256 of an answer's names, types and values.

    ordered : whether the order of rows counts; else rows are sorted first
    """
    rows = table if ordered else in_order(table)
    found = hashlib.sha256(json.dumps([rows.column_names, rows.num_rows]).encode())
    for column in rows.columns:
        _feed(found, column.combine_chunks() if column.num_chunks else pa.array([], column.type))
    return found.hexdigest()


def in_order(table: pa.Table) -> pa.Table:
    """Rows in an order that depends on them alone."""
    if not table.num_columns:
        return table
    with duckdb.connect() as con:
        con.register("rows", table)
        return con.sql("from rows order by all").to_arrow_table()


def _feed(found: Any, array: pa.Array) -> None:
    """Add an array to a digest."""
    if isinstance(array, pa.ChunkedArray):
        array = array.chunk(0) if array.num_chunks else pa.array([], array.type)
    kind = array.type
    if pa.types.is_dictionary(kind):
        return _feed(found, array.dictionary_decode())
    found.update(np.packbits(np.asarray(array.is_valid().to_numpy(zero_copy_only=False), dtype=bool)).tobytes())
    if pa.types.is_floating(kind):
        values = pc.fill_null(array, 0.0).to_numpy(zero_copy_only=False) + 0.0  # -0.0 equals 0.0
        values[np.isnan(values)] = np.nan
        found.update(str(kind).encode() + values.tobytes())
    elif pa.types.is_boolean(kind):
        found.update(b"bool" + pc.fill_null(array, False).cast(pa.int8()).to_numpy().tobytes())
    elif pa.types.is_integer(kind):
        found.update(b"int" + pc.fill_null(array, 0).cast(pa.int64(), safe=False).to_numpy().tobytes())
    elif pa.types.is_list(kind) or pa.types.is_large_list(kind):
        found.update(b"list" + pc.fill_null(pc.list_value_length(array), 0).cast(pa.int64()).to_numpy().tobytes())
        _feed(found, array.flatten())
    elif pa.types.is_struct(kind):
        found.update(json.dumps(["struct", *(one.name for one in kind)]).encode())
        for child in array.flatten():
            _feed(found, child)
    elif pa.types.is_temporal(kind):
        found.update(pc.fill_null(array.cast(pa.string()), "").cast(pa.large_binary()).to_pylist().__repr__().encode())
    elif pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_binary(kind):
        values = pc.fill_null(array.cast(pa.large_binary()), b"")
        found.update(b"text" + pc.binary_length(values).cast(pa.int64()).to_numpy().tobytes())
        found.update(b"".join(values.to_pylist()))
    else:
        found.update(repr(array.to_pylist()).encode())
    return None


def summary(table: pa.Table) -> list[dict[str, Any]]:
    """Of each column: name, type, NULLs, its own digest, and of numbers the range and the mean."""
    found = []
    for one in table.schema:
        column = table[one.name]
        unit = (one.metadata or {}).get(b"unit")
        facts: dict[str, Any] = {"name": one.name, "type": str(one.type), "unit": unit.decode() if unit else None}
        facts["n_null"] = column.null_count
        if pa.types.is_integer(one.type) or pa.types.is_floating(one.type):
            numbers = _floats(column)
            numbers = numbers[np.isfinite(numbers)]
            if len(numbers):
                facts |= {"min": float(numbers.min()), "max": float(numbers.max()), "mean": float(numbers.mean())}
        found.append(facts)
    return found


def _floats(column: pa.ChunkedArray) -> np.ndarray:
    return np.asarray(pc.fill_null(column.cast(pa.float64(), safe=False), np.nan).to_numpy(), dtype=np.float64)


@dataclass(frozen=True)
class ColumnDifference:
    """How one column differs: values that do, and of numbers by how much at most."""

    name: str
    n_values: int
    largest: float | None = None  # absolute
    relative: float | None = None

    @property
    def line(self) -> str:
        """One line for people."""
        text = f"{self.name}: {self.n_values:,} value{'' if self.n_values == 1 else 's'}"
        if self.largest is None:
            return text
        return f"{text}, at most by {self.largest:.6g} ({self.relative:.3g} of the value)"


@dataclass(frozen=True)
class Difference:
    """How an answer differs from an earlier one.

    Rows are paired by the values of their exact columns (all but floats and lists) where those tell rows apart, else
    by their order. ``columns`` tells of paired rows beyond the tolerance, ``within`` of those inside of it.
    """

    n_before: int
    n_after: int
    n_removed: int = 0
    n_added: int = 0
    columns: tuple[ColumnDifference, ...] = ()
    within: tuple[ColumnDifference, ...] = ()
    shape: tuple[str, ...] = field(default=())  # columns that are not the same

    @property
    def same(self) -> bool:
        """Whether nothing differs by more than the tolerance."""
        return not (self.n_removed or self.n_added or self.columns or self.shape)

    @property
    def lines(self) -> list[str]:
        """What differs, for people."""
        found = list(self.shape)
        if self.n_removed or self.n_added:
            found.append(
                f"rows: {self.n_before:,} before, {self.n_after:,} now; {self.n_removed:,} gone, {self.n_added:,} new"
            )
        return found + [column.line for column in self.columns]


def compare(before: pa.Table, after: pa.Table, relative: float = RELATIVE, ordered: bool = False) -> Difference:
    """How an answer differs from an earlier one to the same question.

    relative : floats whose difference is at most this, relative to the larger, are the same
    ordered : pair rows as they come where no exact columns tell them apart; else in sorted order
    """
    n = before.num_rows, after.num_rows
    shape = _shape(before.schema, after.schema)
    common = [name for name in before.column_names if name in after.column_names]
    common = [name for name in common if _kin(before.schema.field(name).type, after.schema.field(name).type)]
    old, new = before.select(common), after.select(common)
    left, right = _paired(old, new, ordered)
    columns: list[ColumnDifference] = []
    within: list[ColumnDifference] = []
    for name in common:
        found, beyond = _column_difference(name, old[name].take(left), new[name].take(right), relative)
        if found is not None:
            (columns if beyond else within).append(found)
    gone, added = n[0] - len(left), n[1] - len(right)
    return Difference(*n, gone, added, tuple(columns), tuple(within), tuple(shape))


def _shape(before: pa.Schema, after: pa.Schema) -> list[str]:
    told = [f"column {name} is gone" for name in before.names if name not in after.names]
    told += [f"column {name} is new" for name in after.names if name not in before.names]
    for name in before.names:
        if name in after.names and before.field(name).type != after.field(name).type:
            told.append(f"column {name} was {before.field(name).type}, is {after.field(name).type}")
    return told


def _is_number(kind: pa.DataType) -> bool:
    return bool(pa.types.is_integer(kind) or pa.types.is_floating(kind))


def _kin(a: pa.DataType, b: pa.DataType) -> bool:
    return a == b or (_is_number(a) and _is_number(b))


def _is_exact(kind: pa.DataType) -> bool:
    return not (pa.types.is_floating(kind) or pa.types.is_nested(kind))


def _paired(old: pa.Table, new: pa.Table, ordered: bool) -> tuple[pa.Array, pa.Array]:
    """Row numbers of each side that belong together."""
    keys = [one.name for one in old.schema if one.type == new.schema.field(one.name).type and _is_exact(one.type)]
    with duckdb.connect() as con:
        for name, table in (("old", old), ("new", new)):
            number = pa.array(np.arange(table.num_rows, dtype=np.int64))
            con.register(name, table.append_column("_row", number))
        names = [f'"{name}"' for name in keys]
        listed = ", ".join(names)
        if keys and all(
            con.sql(f"select count(*) = count(distinct ({listed},)) from {side}").fetchall()[0][0]
            for side in ("old", "new")
        ):
            on = " and ".join(f"o.{name} is not distinct from n.{name}" for name in names)
            query = f"select o._row, n._row from old as o join new as n on {on} order by all"
        else:
            rest = [f'"{one}"' for one in old.column_names if one not in keys]
            order = "_row" if ordered else ", ".join([*names, *rest, "_row"])
            query = f"""
                with o as (select _row, row_number() over (order by {order}) as place from old),
                     n as (select _row, row_number() over (order by {order}) as place from new)
                select o._row, n._row from o join n using (place) order by all"""
        pairs = con.sql(query).to_arrow_table()
    return pairs.column(0), pairs.column(1)


def _column_difference(
    name: str, old: pa.ChunkedArray, new: pa.ChunkedArray, relative: float
) -> tuple[ColumnDifference | None, bool]:
    """How a column of paired rows differs, or None, and whether by more than the tolerance."""
    if _is_number(old.type):
        return _number_difference(name, _floats(old), _floats(new), relative)
    a, b = old.combine_chunks(), new.combine_chunks()
    if pa.types.is_list(old.type) and old.type == new.type and _is_number(old.type.value_type):
        lengths = [pc.fill_null(pc.list_value_length(side), -1).to_numpy() for side in (a, b)]
        if np.array_equal(*lengths):
            return _number_difference(name, _floats_of(a), _floats_of(b), relative)
        return ColumnDifference(name, int(np.sum(lengths[0] != lengths[1]))), True
    different = sum(_text(x) != _text(y) for x, y in zip(a.to_pylist(), b.to_pylist(), strict=True))
    return (ColumnDifference(name, different), True) if different else (None, False)


def _floats_of(lists: Any) -> np.ndarray:
    flat = lists.flatten() if not isinstance(lists, pa.ChunkedArray) else lists.combine_chunks().flatten()
    return _floats(pa.chunked_array([flat]))


def _text(value: Any) -> str:
    return repr(value)  # NaN equals NaN there


def _number_difference(
    name: str, a: np.ndarray, b: np.ndarray, relative: float
) -> tuple[ColumnDifference | None, bool]:
    unequal = (a != b) & ~(np.isnan(a) & np.isnan(b))
    if not unequal.any():
        return None, False
    x, y = a[unequal], b[unequal]
    with np.errstate(invalid="ignore", over="ignore"):
        absolute = np.abs(x - y)
        scale = np.maximum(np.abs(x), np.abs(y))
        shares = np.where(scale > 0, absolute / scale, 0.0)
    shares[~np.isfinite(shares)] = np.inf  # a number against none, or against infinity
    absolute[~np.isfinite(absolute)] = np.inf
    beyond = shares > relative
    chosen = beyond if beyond.any() else np.ones_like(beyond)
    found = ColumnDifference(name, int(chosen.sum()), float(absolute[chosen].max()), float(shares[chosen].max()))
    return found, bool(beyond.any())


def told_apart(before: Mapping[str, Any], after: Mapping[str, Any]) -> list[str]:
    """What the summaries of a column say differently, where the values of before are not at hand."""
    names = ("type", "unit", "n_null", "min", "max", "mean")
    return [
        f"{before['name']}: {name} {before.get(name)} -> {after.get(name)}"
        for name in names
        if before.get(name) != after.get(name)
    ]
