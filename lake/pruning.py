"""Which partitions of a table a query can need, where its text makes that certain.

DuckDB prunes files by their partition too, but only after it has looked at each path, twice a query: with thousands of
files that is most of a small question's time. So a session hands it short lists where it can. A relation is
restricted where every mention of it stands in a FROM whose WHERE says ``session_id = 5`` (or ``in (5, 6)``) of it, or
is joined on ``session_id`` to one of which it says so. A view passes that on to the tables below it by its
``-- partition:`` header, whose promise is just this: one partition's answer depends on its own rows alone.

Everything else is unrestricted: a doubt costs time, never rows.
"""

from __future__ import annotations

import itertools
import json
import operator
from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import duckdb

from .questions import Question, below

# Table functions that name no relation. Others may, in a text that only DuckDB puts together.
_HARMLESS = frozenset({"unnest", "range", "generate_series"})

Ids = frozenset[int]
Node = dict[str, Any]


@dataclass(frozen=True)
class _Mention:
    """A relation's place in a FROM, and the partitions its SELECT asks for; None: all."""

    name: str
    ids: Ids | None


def restricted(
    con: duckdb.DuckDBPyConnection,
    query: str,
    params: Sequence[Any] | Mapping[str, Any] | None,
    mentioned: Sequence[str],
    questions: Mapping[str, Question],
    partitions: Mapping[str, str],
) -> dict[str, Ids]:
    """Table -> the only partitions of it that the query can need; a table that is not in it may be needed whole.

    mentioned : names of tables and questions, as often as the query's text holds them
    partitions : table -> its partition column, of partitioned tables
    """
    ((text,),) = con.execute("select json_serialize_sql(?)", [query]).fetchall()
    tree = json.loads(text)
    functions = {
        n["function"].get("function_name", "").lower() for n in _all(tree) if n.get("type") == "TABLE_FUNCTION"
    }
    if tree.get("error") or not functions <= _HARMLESS:
        return {}
    column = dict(partitions) | {name: q.partition for name, q in questions.items() if q.partition}
    found = list(_mentions(tree, column, _values(params)))
    in_from = Counter(m.name for m in found)
    needed: dict[str, list[Ids | None]] = defaultdict(list)
    for name, n in Counter(mentioned).items():
        asked: list[Ids | None] = [m.ids for m in found if m.name == name]
        if in_from[name] != n:  # a text, or a column's full name: something this does not follow
            asked.append(None)
        for table in below([name], questions) & partitions.keys():
            same_column = column.get(name) == partitions[table]
            needed[table] += asked if same_column else [None]
    return {
        table: frozenset().union(*(ids for ids in asked if ids is not None))
        for table, asked in needed.items()
        if None not in asked
    }


def _values(params: Sequence[Any] | Mapping[str, Any] | None) -> dict[str, Any]:
    if isinstance(params, Mapping):
        return {str(name).lower(): value for name, value in params.items()}
    return {str(i): value for i, value in enumerate(params or (), start=1)}


def _all(tree: Any) -> Iterator[Node]:
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            yield node
            stack += node.values()
        elif isinstance(node, list):
            stack += node


def _mentions(tree: Any, column: Mapping[str, str | None], values: Mapping[str, Any]) -> Iterator[_Mention]:
    """Every relation in a FROM anywhere in the query."""
    seen: set[int] = set()
    for select in _all(tree):
        if select.get("type") == "SELECT_NODE" and (leaves := _leaves(select.get("from_table"))) is not None:
            for leaf in leaves:
                seen.add(id(leaf.node))
                if leaf.name:
                    wanted = column.get(leaf.name)
                    ids = _asked(leaves, wanted, select.get("where_clause"), values).get(leaf.alias) if wanted else None
                    yield _Mention(leaf.name, None if select.get("sample") else ids)
    for node in _all(tree):  # in a FROM of a form not followed above
        if node.get("type") == "BASE_TABLE" and id(node) not in seen:
            yield _Mention(_name(node), None)


@dataclass(frozen=True)
class _Leaf:
    """One place of a FROM, and how it is joined to the places before it."""

    node: Node
    name: str  # empty: not a relation of the lake's
    alias: str
    join: Node | None


def _name(node: Node) -> str:
    return f"{node.get('schema_name', '')}.{node.get('table_name', '')}".lower()


def _leaves(node: Node | None, join: Node | None = None) -> list[_Leaf] | None:
    """The places of a FROM from left to right; None for one that is not a plain chain of inner and left joins."""
    if node is None:
        return []
    if node.get("type") != "JOIN":
        if node.get("sample") or node.get("column_name_alias"):
            return None
        name = _name(node) if node.get("type") == "BASE_TABLE" else ""
        return [_Leaf(node, name, (node.get("alias") or node.get("table_name") or "").lower(), join)]
    if node["join_type"] not in ("INNER", "LEFT") or node["ref_type"] not in ("REGULAR", "CROSS"):
        return None
    if node["right"].get("type") == "JOIN":
        return None
    before, after = _leaves(node["left"], join), _leaves(node["right"], node)
    if before is None or after is None or {leaf.alias for leaf in before} & {leaf.alias for leaf in after}:
        return None
    return before + after


def _asked(leaves: list[_Leaf], column: str, where: Node | None, values: Mapping[str, Any]) -> dict[str, Ids]:
    """Alias -> the partitions that the WHERE, or a join to one that it restricts, leaves of it."""
    found: dict[str, Ids] = {}

    def restrict(alias: str, ids: Ids) -> None:
        found[alias] = found.get(alias, ids) & ids

    # Places that `using` gives one column between them: what is asked of one is asked of all.
    chain = list(itertools.takewhile(lambda leaf: leaf.join is None or _is_using(leaf.join, column), leaves))
    shared = {leaf.alias for leaf in chain}
    for term in _terms(where):
        alias, ids = _restriction(term, column, values)
        if alias in shared or (alias == "" and len(chain) == len(leaves)):
            for one in shared:
                restrict(one, ids)
        elif alias:
            restrict(alias, ids)
    for leaf in leaves:
        for other in _equal(leaf, column):
            if other in found:
                restrict(leaf.alias, found[other])
            elif leaf.alias in found and leaf.join and leaf.join["join_type"] == "INNER":
                restrict(other, found[leaf.alias])  # a left join would keep the other's row, with NULLs beside it
    return found


def _is_using(join: Node, column: str) -> bool:
    return [c.lower() for c in join.get("using_columns") or ()].count(column) == 1


def _equal(leaf: _Leaf, column: str) -> Iterator[str]:
    """Aliases whose partition column the join of a leaf sets equal to its own."""
    for term in _terms((leaf.join or {}).get("condition")):
        if term.get("type") == "COMPARE_EQUAL":
            sides = [_column(term["left"]), _column(term["right"])]
            if (leaf.alias, column) in sides:
                sides.remove((leaf.alias, column))
                if sides[0] and sides[0][0] and sides[0][1] == column:
                    yield sides[0][0]


def _terms(condition: Node | None) -> Iterator[Node]:
    """What a condition demands all of."""
    if condition:
        if condition.get("type") == "CONJUNCTION_AND":
            for child in condition["children"]:
                yield from _terms(child)
        else:
            yield condition


def _restriction(term: Node, column: str, values: Mapping[str, Any]) -> tuple[str | None, Ids]:
    """Alias (empty: none given) and ids of ``alias.column = id`` or ``alias.column in (id, ...)``; None: other terms."""
    if term.get("type") == "COMPARE_EQUAL":
        one, other = term["left"], term["right"]
        one, ids = (one, [other]) if _column(one) else (other, [one])
    elif term.get("type") == "COMPARE_IN":
        one, *ids = term["children"]
    else:
        return None, frozenset()
    named = _column(one)
    numbers = [_integer(node, values) for node in ids]
    if named is None or named[1] != column or None in numbers:
        return None, frozenset()
    return named[0], frozenset(n for n in numbers if n is not None)


def _column(node: Node) -> tuple[str, str] | None:
    names = [name.lower() for name in node.get("column_names", ())] if node.get("type") == "COLUMN_REF" else []
    return ("", names[0]) if len(names) == 1 else (names[0], names[1]) if len(names) == 2 else None


def _integer(node: Node, values: Mapping[str, Any]) -> int | None:
    if node.get("type") == "VALUE_CONSTANT":
        literal = node.get("literal") or {}
        return int(literal["text"]) if literal.get("kind") == "INTEGER" else None
    if node.get("type") == "VALUE_PARAMETER":
        value = values.get(str(node.get("identifier", "")).lower())
        try:
            return None if value is None or isinstance(value, bool) else operator.index(value)
        except TypeError:
            return None
    return None
