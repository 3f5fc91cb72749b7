"""Bare names in questions to the lake, found along a client's ``search_path``: DuckDB is given them qualified."""

from __future__ import annotations

from collections.abc import Iterator, Sequence, Set
from functools import lru_cache
from typing import NamedTuple

import sqlglot
import sqlglot.errors
from sqlglot import exp

LONGEST, _KEPT = 1 << 18, 1 << 14  # characters of a text that is looked into, and whose names are kept


class Bare(NamedTuple):
    """A relation or function that a question names without its schema, and where it does."""

    start: int
    name: str


def schemas_before(sql: str, path: Sequence[str], known: Set[str]) -> Iterator[tuple[int, str]]:
    """Where a schema is to be put into a question, and which: the first on the path that has the name.

    known : qualified names of all that there is
    """
    if len(sql) > LONGEST:
        return
    for bare in _bare_names(sql) if len(sql) <= _KEPT else _bare_names.__wrapped__(sql):
        for schema in path:
            if f"{schema}.{bare.name}" in known:
                yield bare.start, schema
                break


@lru_cache(maxsize=1024)
def _bare_names(sql: str) -> tuple[Bare, ...]:
    """In order of where they stand; none of a text that is no question."""
    try:
        trees = sqlglot.parse(sql, read="duckdb")
    except (sqlglot.errors.SqlglotError, RecursionError):
        return ()
    found = set()
    for tree in trees:
        if tree is None:
            continue
        defined = {cte.alias.lower() for cte in tree.find_all(exp.CTE)}
        for table in tree.find_all(exp.Table):
            if isinstance(table.this, exp.Identifier) and not table.db and table.name.lower() not in defined:
                found.add(_bare(table.this))
        for call in tree.find_all(exp.Anonymous):
            is_bare = not isinstance(call.parent, exp.Dot) and not (
                isinstance(call.parent, exp.Table) and call.parent.db
            )
            if is_bare:
                found.add(_bare(call))
    return tuple(sorted(one for one in found if one is not None))


def _bare(named: exp.Expr) -> Bare | None:
    start = named.meta.get("start")
    return None if start is None else Bare(start, named.name.lower())
