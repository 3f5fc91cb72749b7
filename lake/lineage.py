"""Units of a query's columns: each followed through CTEs, subqueries and joins to the relation that declares it.

Where a column is computed, its unit is known only if the computation keeps it (a mean, a difference of two times);
otherwise it has none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp

from .describe import Dictionary

if TYPE_CHECKING:
    from .session import Session

Node = Any  # a node of sqlglot's tree, whose base class has another name in each of its versions
Lookup = Callable[[str], str | None]  # a relation, as far as units go: column -> unit

# Aggregates and functions whose value has the unit of their first argument.
_KEEPS_UNIT = (
    exp.Avg, exp.Min, exp.Max, exp.Sum, exp.Median, exp.First, exp.Last, exp.Stddev, exp.StddevSamp, exp.StddevPop,
    exp.Quantile, exp.PercentileCont, exp.AnyValue, exp.Abs, exp.Round, exp.Coalesce, exp.Paren, exp.Cast, exp.Unnest,
    exp.ArrayAgg, exp.Order, exp.Filter, exp.Window, exp.Lag, exp.Lead, exp.Alias, exp.Neg, exp.Explode,
)  # fmt: skip


def units_of(query: str, columns: Sequence[str], session: Session) -> dict[str, str | None]:
    """The unit of each result column, or None where it has none or it is not certain."""
    try:
        tree = sqlglot.parse_one(query, read="duckdb")
    except (sqlglot.errors.SqlglotError, RecursionError):  # units are a courtesy
        return dict.fromkeys(columns)
    dictionary = Dictionary(session.state, session.questions)
    try:
        lookup = _Resolver(dictionary, frozenset(session.names())).query(tree, {})
        return {column: lookup(column.lower()) for column in columns}
    except RecursionError:
        return dict.fromkeys(columns)


def _nothing(_: str) -> None:
    return None


class _Resolver:
    """Follows columns through one query."""

    def __init__(self, dictionary: Dictionary, known: frozenset[str]) -> None:
        self._dictionary, self._known = dictionary, known

    def query(self, tree: Node, ctes: Mapping[str, Lookup]) -> Lookup:
        """A query as a relation."""
        if with_ := tree.args.get("with_") or tree.args.get("with"):
            for cte in with_.expressions:
                ctes = {**ctes, cte.alias.lower(): self.query(cte.this, ctes)}
        if isinstance(tree, exp.Subquery):
            return _nothing if tree.args.get("pivots") else self.query(tree.this, ctes)
        if isinstance(tree, exp.SetOperation):
            return self._both(tree, self.query(tree.left, ctes), self.query(tree.right, ctes))
        return self._select(tree, ctes) if isinstance(tree, exp.Select) else _nothing

    @staticmethod
    def _both(tree: exp.SetOperation, left: Lookup, right: Lookup) -> Lookup:
        names = [[one.alias_or_name.lower() for one in side.selects] for side in (tree.left, tree.right)]
        pairs = dict(zip(*names, strict=False)) if "*" not in (*names[0], *names[1]) else {}

        def lookup(column: str) -> str | None:
            unit = left(column)
            return unit if unit == right(pairs.get(column, column)) else None

        return lookup

    def _select(self, tree: exp.Select, ctes: Mapping[str, Lookup]) -> Lookup:
        sources = self._sources(tree, ctes)
        computed: dict[str, str | None] = {}
        passed: list[Lookup] = []
        for item in tree.expressions or [exp.Star()]:
            star = item if isinstance(item, exp.Star) else item.this if isinstance(item, exp.Column) else None
            if isinstance(star, exp.Star):
                table = item.table.lower() if isinstance(item, exp.Column) else ""
                passed += [sources[table]] if table in sources else sources.values() if not table else []
                for one in star.args.get("replace") or ():
                    computed[one.alias_or_name.lower()] = _unit(one.unalias(), sources)
                for one in star.args.get("rename") or ():
                    computed[one.alias_or_name.lower()] = _unit(one.unalias(), sources)
            else:
                computed[item.alias_or_name.lower()] = _unit(item.unalias(), sources)
        return lambda column: computed[column] if column in computed else _agreed(column, passed)

    def _sources(self, tree: exp.Select, ctes: Mapping[str, Lookup]) -> dict[str, Lookup]:
        start = tree.args.get("from_") or tree.args.get("from")
        items = [start.this] if start else []
        items += [join.this for join in tree.args.get("joins") or ()]
        items += tree.args.get("laterals") or ()
        found: dict[str, Lookup] = {}
        for i, item in enumerate(items):
            nested = item.args.get("joins") or ()
            for j, one in enumerate((item, *(join.this for join in nested))):
                found[one.alias_or_name.lower() or f"{i}.{j}"] = self._source(one, ctes)
        return found

    def _source(self, item: Node, ctes: Mapping[str, Lookup]) -> Lookup:
        if item.args.get("pivots"):
            return _nothing
        if isinstance(item, exp.Subquery):
            return self.query(item, ctes)
        if not isinstance(item, exp.Table):
            return _nothing
        if isinstance(item.this, exp.Func):
            return self._call(f"{item.db}.{item.this.name}".lower().lstrip("."), item.this, ctes)
        return self._named(f"{item.db}.{item.name}".lower().lstrip("."), ctes)

    def _named(self, name: str, ctes: Mapping[str, Lookup]) -> Lookup:
        if name in ctes:
            return ctes[name]
        if name not in self._known:
            return _nothing

        def lookup(column: str) -> str | None:
            found = self._dictionary.column(name, column)
            return found.unit if found else None

        return lookup

    def _call(self, name: str, call: exp.Func, ctes: Mapping[str, Lookup]) -> Lookup:
        """A macro: its own columns, else those that it passes through from a relation it was given by name."""
        own = self._named(name, {})
        arguments = [one for one in call.expressions if isinstance(one, (exp.Literal, exp.Column))]
        given = [self._named(one.name.lower(), ctes) for one in arguments]
        return lambda column: own(column) or _agreed(column, given)


def _agreed(column: str, lookups: Sequence[Lookup]) -> str | None:
    units = {unit for lookup in lookups if (unit := lookup(column)) is not None}
    return units.pop() if len(units) == 1 else None


def _unit(item: Node, sources: Mapping[str, Lookup]) -> str | None:
    if isinstance(item, exp.Column):
        table = item.table.lower()
        if table:
            return sources[table](item.name.lower()) if table in sources else None
        return _agreed(item.name.lower(), list(sources.values()))
    if isinstance(item, (exp.Add, exp.Sub)):  # a difference of two times is a time
        left, right = _unit(item.left, sources), _unit(item.right, sources)
        return left if left == right else None
    return _unit(item.this, sources) if isinstance(item, _KEEPS_UNIT) and item.this is not None else None
