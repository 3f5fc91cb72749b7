"""Macros that a question gives relations by name, and which partitions those relations have.

``ecephys.psth('units', 'flashes')`` aligns the spikes of the sessions that both relations have, and of no other: that is
the contract of all macros that take relations by name.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import sqlglot
from sqlglot import exp

from .errors import BrainlakeError

if TYPE_CHECKING:
    from .relation import Relation
    from .session import Session

Node = Any  # a node of sqlglot's tree, whose base class has another name in each of its versions


@dataclass(frozen=True)
class Call:
    """One macro of a question.

    names : the macro, and the lake's relations that it was given; what they rest on is read for the call
    given : queries of the rows of each relation that it was given
    """

    names: tuple[str, ...]
    given: tuple[str, ...]
    relation: Relation

    def values(self, column: str) -> frozenset[int] | None:
        """Values of a column that every given relation has which has the column; None where none has it."""
        found: frozenset[int] | None = None
        for query in self.given:
            try:
                values = self._values(query, column)
            except BrainlakeError:
                return None
            if values is not None:
                found = values if found is None else found & values
        return found

    def _values(self, query: str, column: str) -> frozenset[int] | None:
        session, frames = self.relation._session, self.relation._tables
        params = _used(self.relation._params, query)
        if column not in session.sql(query, params, frames).columns:
            return None
        rows = session.sql(f"select distinct {column} from ({query}) where {column} is not null", params, frames)
        return frozenset(map(int, rows.arrow()[column].to_pylist()))


def _used(params: Any, query: str) -> dict[str, Any] | None:
    """Those of a question's named parameters that another question has, too."""
    if not isinstance(params, Mapping):
        if params:
            raise BrainlakeError("parameters without names cannot be told apart")
        return None
    return {name: value for name, value in params.items() if f"${name}".lower() in query.lower()} or None


def without_calls(session: Session, relation: Relation) -> tuple[str, list[Call]]:
    """A question's text with the macros that take relations by name left out, and those; the text itself where it is
    not understood.
    """
    try:
        tree: Node = sqlglot.parse_one(relation.query, read="duckdb")
        calls = []
        for item in list(tree.find_all(exp.Table)):
            name = f"{item.db}.{item.this.name}".lower() if isinstance(item.this, exp.Func) else ""
            question = session.questions.get(name)
            if question is None or question.kind != "macro" or "query_table(" not in question.body:
                continue
            known = {*_ctes(tree), *session.names(), *map(str.lower, relation._tables)}
            given = [g for g in map(_text, item.this.expressions) if g in known]
            if not given:
                return relation.query, []
            of_lake = [g for g in given if g in session.names()]
            calls.append(Call((name, *of_lake), tuple(_query(g, tree) for g in given), relation))
            nothing = sqlglot.parse_one("select * from (select 1) as nothing", read="duckdb").find(exp.Subquery)
            item.replace(nothing)
        return (tree.sql(dialect="duckdb") if calls else relation.query), calls
    except (sqlglot.errors.SqlglotError, AttributeError):
        return relation.query, []


def _text(argument: Node) -> str:
    return str(argument.name).lower() if isinstance(argument, exp.Literal) and argument.is_string else ""


def _ctes(tree: Node) -> dict[str, Node]:
    with_ = tree.args.get("with_") or tree.args.get("with")
    return {cte.alias.lower(): cte for cte in with_.expressions} if with_ else {}


def _query(name: str, tree: Node) -> str:
    """A query of a relation's rows: with the question's own names before it, where it is one of them."""
    ctes = _ctes(tree)
    if name not in ctes:
        return f"select * from {name}"
    before = list(ctes.values())[: list(ctes).index(name) + 1]
    return f"with {', '.join(cte.sql(dialect='duckdb') for cte in before)} select * from {name}"
