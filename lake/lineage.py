"""Units of a query's columns: followed from the final select to the relations it names, where that is certain."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import sqlglot
from sqlglot import exp

from .describe import Dictionary

if TYPE_CHECKING:
    from .session import Session

# Aggregates and functions whose value has the unit of their first argument.
_KEEPS_UNIT = (
    exp.Avg, exp.Min, exp.Max, exp.Sum, exp.Median, exp.First, exp.Last, exp.Stddev, exp.StddevSamp, exp.StddevPop,
    exp.Quantile, exp.PercentileCont, exp.AnyValue, exp.Abs, exp.Round, exp.Coalesce, exp.Paren, exp.Cast,
)  # fmt: skip


def units_of(query: str, columns: Sequence[str], session: Session) -> dict[str, str | None]:
    """The unit of each result column, or None where it is not certain."""
    nothing: dict[str, str | None] = dict.fromkeys(columns)
    try:
        tree = sqlglot.parse_one(query, read="duckdb")
    except sqlglot.errors.SqlglotError:
        return nothing
    sources = _sources(tree)
    if sources is None:
        return nothing
    dictionary = Dictionary(session.state, session.questions)
    relations = sorted(session.named(query))
    found = dict(nothing)
    for column in columns:
        source = sources.get(column, column if None in sources else None)
        if source is not None:
            units = {d.unit for name in relations if (d := dictionary.column(name, source)) is not None}
            found[column] = units.pop() if len(units) == 1 else None
    return found


def _sources(tree: exp.Expression) -> dict[str | None, str | None] | None:
    """Result column -> the column it is or summarises; key None where a star passes everything through."""
    if isinstance(tree, exp.Pivot) or not isinstance(tree, exp.Query):
        return None
    select = tree
    while isinstance(select, exp.SetOperation):
        select = select.this
    if not isinstance(select, exp.Select):
        return None
    sources: dict[str | None, str | None] = {}
    for item in select.expressions or [exp.Star()]:
        if isinstance(item, exp.Star) or (isinstance(item, exp.Column) and isinstance(item.this, exp.Star)):
            sources[None] = None
        else:
            sources[item.alias_or_name] = _plain(item.unalias())
    return sources


def _plain(item: exp.Expression) -> str | None:
    while isinstance(item, _KEEPS_UNIT):
        item = item.this
    return item.name if isinstance(item, exp.Column) else None
