"""Parameters of a statement: their names in order, and the values that a client binds to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa

from ...errors import QueryError
from ...session import Session

MOST_SETS = 10_000  # sets of values that one execution takes


def names_of(con: duckdb.DuckDBPyConnection, query: str) -> list[str]:
    """Names of a statement's parameters: by number, else in the order in which they are first named."""
    try:
        (statement,) = con.extract_statements(query)
    except (duckdb.Error, ValueError):
        return []  # which the statement's own check tells of
    names = statement.named_parameters
    if all(name.isdigit() for name in names):
        return sorted(names, key=int)
    lower = query.lower()
    return sorted(names, key=lambda name: lower.find(f"${name.lower()}"))


def parameter_schema(session: Session, query: str, names: Sequence[str]) -> pa.Schema:
    """How a client is to send values; where nothing tells the type, as it likes (null)."""
    return pa.schema([pa.field(name, pa.null()) for name in names])


def bound(names: Sequence[str], batch: pa.RecordBatch, n_before: int = 0) -> list[Any]:
    """Sets of values, a row each: by column name where those are the names, else by place.

    Raises QueryError where the number of columns, or of rows, is not one to run with.
    """
    if n_before + batch.num_rows > MOST_SETS:
        raise QueryError(f"more than {MOST_SETS:,} sets of parameters at a time")
    if batch.num_columns != len(names):
        raise QueryError(f"the statement has {len(names)} parameters, and {batch.num_columns} were bound")
    by_name = sorted(batch.schema.names) == sorted(names)
    columns = [batch.column(name if by_name else i).to_pylist() for i, name in enumerate(names)]
    return [from_values(names, values) for values in zip(*columns, strict=True)]


def from_values(names: Sequence[str], values: Sequence[Any]) -> Any:
    """One set of values as DuckDB takes them: a list where the names count from 1, else by name."""
    if list(names) == [str(i) for i in range(1, len(names) + 1)]:
        return list(values)
    return dict(zip(names, values, strict=True))
