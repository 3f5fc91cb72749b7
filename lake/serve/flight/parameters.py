"""Parameters of a statement: their names in order, their types, and the values that a client binds to them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import duckdb
import pyarrow as pa

from ...errors import BrainlakeError, QueryError
from ...forms import plain_type
from ...session import Session
from ..empty import EmptySessions
from ..postgres.inference import infer
from ..postgres.lexing import split, tokens

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
    order = list(dict.fromkeys(name.lower() for _, _, name in _places(query)))
    return sorted(names, key=lambda name: order.index(name.lower()) if name.lower() in order else len(order))


def _places(query: str) -> list[tuple[int, int, str]]:
    """Where parameters stand, and the name of each: ``?`` counts, ``$2`` and ``$name`` say it."""
    found: list[tuple[int, int, str]] = []
    last = None
    for token in tokens(query):
        if token.kind == "sign" and token.text == "?":
            found.append((token.start, token.end, str(len(found) + 1)))
        elif token.kind == "parameter":
            found.append((token.start, token.end, token.text[1:]))
        elif token.kind == "word" and last and last.text == "$" and last.end == token.start:
            found.append((last.start, token.end, token.text))
        last = token
    return found


def parameter_schema(session: Session, empty: EmptySessions, query: str, names: Sequence[str]) -> pa.Schema:
    """How a client is to send values: each of the type that its place in the statement wants, text where it wants none.

    A client may send another type: values are taken as they come.
    """
    numbers = {name.lower(): i for i, name in enumerate(names, start=1)}
    text, at = "", 0
    for start, end, name in _places(query):
        text += f"{query[at:start]}${numbers.get(name.lower(), 0)}"
        at = end
    (part, *_) = split(text + query[at:])
    with session.cursor("select 1") as cursor:
        try:
            types = infer(part, {}, len(names), lambda: empty.of(session).cursor(part.text), cursor)
        except (BrainlakeError, duckdb.Error):  # what is wrong with it shows when it runs
            types = {}
        listed = ", ".join(f"null::{types.get(i, 'VARCHAR')} as p{i}" for i in range(1, len(names) + 1))
        kinds = cursor.sql(f"select {listed}").to_arrow_table().schema.types
    return pa.schema([pa.field(name, plain_type(kind)) for name, kind in zip(names, kinds, strict=True)])


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
