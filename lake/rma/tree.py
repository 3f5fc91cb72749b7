"""A query of the API resolved against the models: one tree of joined records, and conditions on them (spec: api 4.3).

The paths of criteria and of includes are merged: a path named in both is one join, so that criteria also choose what is
nested. A bracket's column is looked for on the record it stands at, then on the root, then on the records joined, in the
order of their paths; a qualified one on the record of that table.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from ...ingest import rma_grammar as rma
from ..errors import QueryError
from .models import Model, model
from .told import Told

MAX_NODES = 64
_TRUE, _FALSE = ("true", "t"), ("false", "f")

Variables = Mapping[str, Sequence[Any]]


@dataclass(eq=False)
class Node:
    """Records joined along a path; the root has no parent and no association."""

    model: Model
    name: str = ""
    parent: Node | None = None
    children: dict[str, Node] = field(default_factory=dict)
    conditions: list[Condition] = field(default_factory=list)
    chooses: bool = False  # named in criteria
    nested: bool = False  # named in an include

    @property
    def required(self) -> bool:
        """Whether records without such a partner are left out: named in criteria, or a condition stands on its path."""
        return self.chooses or bool(self.conditions) or any(child.required for child in self.children.values())

    def walk(self) -> Iterator[Node]:
        """This and those joined to it, in the order of their paths."""
        yield self
        for child in self.children.values():
            yield from child.walk()

    def above(self) -> Iterator[Node]:
        """Those it is joined to, the nearest first."""
        if self.parent is not None:
            yield self.parent
            yield from self.parent.above()


@dataclass(frozen=True, eq=False)
class Place:
    """A column of some joined record."""

    node: Node
    column: str
    type: str


@dataclass(frozen=True, eq=False)
class Condition:
    """One bracket. ``values`` are of the column's type; with ``other``, the column is compared with that one.

    operator : of the grammar, or ``known`` for a bracket without one
    """

    place: Place
    operator: str
    values: tuple[Any, ...] = ()
    other: Place | None = None

    @property
    def nodes(self) -> tuple[Node, ...]:
        return (self.place.node, self.other.node) if self.other else (self.place.node,)


class Tree:
    """The root and what is joined to it. ``conditions`` holds all of them; each also hangs on the node it is of."""

    def __init__(self, stage: rma.ModelStage, told: Told, variables: Variables) -> None:
        self.root = Node(model(stage.model), chooses=True, nested=True)
        self.told, self.variables = told, variables
        brackets: list[tuple[Node, rma.Filter]] = [(self.root, one) for one in stage.filters]
        for items, including in ((stage.criteria, False), (stage.include, True)):
            for item in items:
                brackets += [(self.root, one) for one in item.filters]
                if item.path:
                    self._join(self.root, item.path, including, brackets)
        self.conditions = [self._condition(node, bracket) for node, bracket in brackets]
        for condition in self.conditions:
            condition.place.node.conditions.append(condition)
            if condition.other:
                condition.other.node.chooses = True

    def _join(self, parent: Node, path: rma.Path, including: bool, brackets: list[tuple[Node, rma.Filter]]) -> None:
        target = model(parent.model.association(path.name).model)
        node = parent.children.setdefault(path.name, Node(target, path.name, parent))
        node.nested |= including
        node.chooses |= not including
        if sum(1 for _ in self.root.walk()) > MAX_NODES:
            raise QueryError(f"the query joins more than {MAX_NODES} associations: ask in several queries")
        brackets += [(node, one) for one in path.filters]
        for child in path.children:
            self._join(node, child, including, brackets)

    def types(self, model: Model) -> Mapping[str, str]:
        """DuckDB's types of a model's columns."""
        return self.told.of(model).types

    # -- columns --------------------------------------------------------------------------------------------------

    def place(self, column: rma.Column, at: Node | None = None) -> Place:
        """The record and column that a name means where it stands. Raises QueryError where there is none such."""
        if found := self.find(column, at):
            return found
        whole = list(dict.fromkeys(node.model.name for node in self.root.walk()))
        raise QueryError(f"there is no column {str(column)[:80]!r} in {', '.join(whole)}")

    def find(self, column: rma.Column, at: Node | None = None) -> Place | None:
        """As :meth:`place`, None where there is none such."""
        nodes = list(dict.fromkeys(([at] if at else []) + list(self.root.walk())))
        for node in nodes:
            types = self.types(node.model)
            known = (column.name in types and column.name != "extra") or column.name in node.model.memberships
            if known and column.table in (None, node.model.table):
                return Place(node, column.name, types.get(column.name, "BIGINT"))
        return None

    # -- conditions -----------------------------------------------------------------------------------------------

    def _condition(self, node: Node, bracket: rma.Filter) -> Condition:
        place = self.place(bracket.column, node)
        operator, given = bracket.operator or "known", bracket.values
        if len(given) == 1 and isinstance(given[0], rma.Bare) and (other := self._column(given[0], node)):
            return Condition(place, operator, (), other)
        values = [value for one in given for value in self._values(one, place)]
        variable = len(given) == 1 and isinstance(given[0], rma.Variable)
        if operator in ("eq", "is") and (variable or len(values) > 1):
            operator = "in"
        elif operator != "in" and operator != "known" and len(values) != 1:
            raise QueryError(f"{bracket.column}: ${operator} compares with one value, not with {len(values)}")
        if operator in ("eq", "is", "ne") and values == [None]:
            operator = "unknown" if operator != "ne" else "known"
        if operator in ("lt", "gt", "le", "ge", "li", "il") and None in values:
            raise QueryError(f"{bracket.column}: nil goes with $eq, $ne, $is and $in, not with ${operator}")
        return Condition(place, {"is": "eq"}.get(operator, operator), tuple(values))

    def _column(self, value: rma.Bare, node: Node) -> Place | None:
        """A qualified column on the right of an operator."""
        column = value.column if value.number is None else None
        return self.find(column, node) if column and column.table else None

    def _values(self, value: rma.Value, place: Place) -> list[Any]:
        if isinstance(value, rma.Variable):
            if value.name not in self.variables:
                raise QueryError(f"nothing was collected into ${value.name}: a pipe before this stage must do so")
            return [coerced(one, place) for one in self.variables[value.name]]
        if isinstance(value, rma.Bare) and value.is_nil:
            return [None]
        return [coerced(value.words, place)]


def coerced(value: Any, place: Place) -> Any:
    """A value of a query as the column's type has it. Raises QueryError where it is none of that type."""
    kind, text = place.type, str(value).strip()
    try:
        if kind == "BOOLEAN":
            if text.lower() not in _TRUE + _FALSE:
                raise ValueError
            return text.lower() in _TRUE
        if "INT" in kind:
            number = int(text)
            if not -(1 << 63) <= number < 1 << 63:
                raise ValueError
            return number
        if kind in ("DOUBLE", "FLOAT"):
            real = float(text)
            if not math.isfinite(real):
                raise ValueError
            return real
        if kind.startswith(("TIMESTAMP", "DATE")):
            return datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        names = {"BOOLEAN": "true or false", "DOUBLE": "a number", "FLOAT": "a number"}
        wanted = names.get(kind, "a whole number" if "INT" in kind else "a time (2016-01-31T12:00:00)")
        raise QueryError(f"{place.node.model.name}.{place.column} is {wanted}, and {text[:60]!r} is none") from None
    return str(value)
