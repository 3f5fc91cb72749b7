"""What both kinds of answers need as SQL: what is read, how it hangs together, and which records are meant.

Expressions of sqlglot, never text; values are bound (spec: api C-RS2, C-RS3).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from typing import Any

from sqlglot import exp

from ..errors import QueryError
from .models import Attached, Many, Model, One, Sql, Through, model
from .tree import Condition, Node, Tree

LISTED = 64  # values of $in that are bound one by one, so that files prune; more are bound as a list
_COMPARED = {"eq": exp.EQ, "ne": exp.NEQ, "lt": exp.LT, "gt": exp.GT, "le": exp.LTE, "ge": exp.GTE}

Aliases = dict[Node, str]


class Writer:
    """Writes one statement: its values, its aliases, and what it reads by name."""

    def __init__(self, tree: Tree) -> None:
        self.tree, self.root = tree, tree.root
        self.params: dict[str, Any] = {}
        self.read: dict[str, str] = {}
        self.n_aliases = 0

    def whole(self, query: Sql, steps: Sequence[tuple[str, Sql]] = ()) -> str:
        """The query after what it reads: models and pairs, in SQL that is ours, then its own steps."""
        # Not materialized, so that conditions reach the files.
        declared = [f"{name} as not materialized ({told})" for name, told in self.read.items()]
        # Trees are made for one statement: a copy of each, to be written from, took half of the time.
        declared += [f"{name} as ({step.sql('duckdb', copy=False)})" for name, step in steps]
        return f"with {', '.join(declared)} {query.sql('duckdb', copy=False)}"

    def source(self, of: Model, alias: str) -> Sql:
        """A model's records, by name."""
        name = f"records_{of.name}"
        self.read[name] = self.tree.told.of(of).sql
        return exp.alias_(exp.table_(name), alias, table=True)

    def pairs(self, owner: Model, association: str, to: Through, alias: str) -> Sql:
        """Pairs of associated records, by name."""
        name = f"pairs_{owner.name}_{association}"
        self.read[name] = to.pairs
        return exp.alias_(exp.table_(name), alias, table=True)

    def alias(self, letter: str) -> str:
        self.n_aliases += 1
        return f"{letter}{self.n_aliases}"

    # -- which records --------------------------------------------------------------------------------------------

    def root_conditions(self, at: Aliases) -> list[Sql]:
        found = [self.condition(c, at) for c in self.tree.conditions if set(c.nodes) == {self.root}]
        for group in self._groups():
            found.append(self.exists([n for top in group for n in top.walk() if n.required], at))
        return found

    def _groups(self) -> list[list[Node]]:
        """The root's required associations; in one group where a condition compares columns of both."""
        groups = [[child] for child in self.root.children.values() if child.required]
        for condition in self.tree.conditions:
            tops = {top for node in condition.nodes if (top := self._top(node)) is not None}
            if len(tops) == 2:
                touched = [group for group in groups if tops & set(group)]
                groups = [group for group in groups if group not in touched]
                groups.append([top for group in touched for top in group])
        return groups

    def _top(self, node: Node) -> Node | None:
        path = [node, *node.above()]
        return path[-2] if len(path) > 1 else None

    def exists(self, nodes: Sequence[Node], at: Aliases) -> Sql:
        """Whether there are partners, one for each of the nodes, that hang together and meet their conditions."""
        inside = at | {node: self.alias("k") for node in nodes}
        sources, conditions = self.chain(nodes, inside)
        return exp.Exists(this=cross(exp.select("1"), sources).where(*conditions))

    def chain(self, nodes: Sequence[Node], at: Aliases) -> tuple[list[Sql], list[Sql]]:
        """What to read for these nodes, and what must hold: their links, and conditions on nothing but what is known."""
        sources: list[Sql] = []
        conditions: list[Sql] = []
        for node in nodes:
            read, link = self.link(node, at)
            sources += read
            conditions += link
        touching = (c for c in self.tree.conditions if set(c.nodes) & set(nodes) and set(c.nodes) <= at.keys())
        return sources, conditions + [self.condition(c, at) for c in touching]

    def link(self, node: Node, at: Aliases) -> tuple[list[Sql], list[Sql]]:
        """What to read for a node, and how it hangs on its parent: one condition for each thing read."""
        assert node.parent is not None
        return self._linked(node.parent.model, node.name, at[node.parent], at[node])

    def _linked(self, owner: Model, association: str, above: str, alias: str) -> tuple[list[Sql], list[Sql]]:
        to = owner.association(association)
        source = self.source(model(to.model), alias)
        if isinstance(to, One):
            return [source], [column_of(above, to.key).eq(column_of(alias, "id"))]
        if isinstance(to, Many):
            return [source], [column_of(alias, to.key).eq(column_of(above, "id"))]
        if isinstance(to, Attached):
            return [source], [
                exp.and_(self.attached(to, alias), column_of(alias, "attachable_id").eq(column_of(above, "id")))
            ]
        pairs = self.alias("p")
        return (
            [self.pairs(owner, association, to, pairs), source],
            [
                column_of(pairs, "owner").eq(column_of(above, "id")),
                column_of(alias, "id").eq(column_of(pairs, "member")),
            ],
        )

    @staticmethod
    def attached(to: Attached, alias: str) -> Sql:
        """Whether a file belongs to a record of these classes."""
        return column_of(alias, "attachable_type").isin(*(exp.Literal.string(c) for c in to.classes))

    # -- conditions -----------------------------------------------------------------------------------------------

    def condition(self, condition: Condition, at: Aliases) -> Sql:
        place = condition.place
        owner = place.node.model
        if place.column in owner.memberships:
            association, column = owner.memberships[place.column]
            alias = self.alias("m")
            sources, conditions = self._linked(owner, association, at[place.node], alias)
            met = self._meets(column_of(alias, column), condition, at)
            return exp.Exists(this=cross(exp.select("1"), sources).where(*conditions, met))
        return self._meets(column_of(at[place.node], place.column), condition, at)

    def _meets(self, column: Sql, condition: Condition, at: Aliases) -> Sql:
        operator, values = condition.operator, condition.values
        if operator in ("known", "unknown"):
            null = exp.Is(this=column, expression=exp.Null())
            return null if operator == "unknown" else exp.not_(null)
        if condition.other is not None:
            other = column_of(at[condition.other.node], condition.other.column)
            if operator in ("li", "il"):
                raise QueryError(f"${operator} compares with a text, not with another column")
            return _COMPARED.get(operator, exp.EQ)(this=column, expression=other)
        if operator == "in":
            return self._among(column, values)
        if operator in ("li", "il"):
            like = exp.Like if operator == "li" else exp.ILike
            pattern = exp.Escape(
                this=like(this=exp.cast(column, "text"), expression=self.bound(_pattern(str(values[0])))),
                expression=exp.Literal.string("!"),
            )
            return exp.paren(pattern)
        return _COMPARED[operator](this=column, expression=self.bound(values[0]))

    def _among(self, column: Sql, values: Iterable[Any]) -> Sql:
        wanted = list(dict.fromkeys(values))
        known = [value for value in wanted if value is not None]
        found: list[Sql] = []
        if len(known) > LISTED:
            listed = exp.select(exp.Explode(this=self.bound(known)))
            found.append(exp.In(this=column, query=listed.subquery()))
        elif known:
            found.append(exp.In(this=column, expressions=[self.bound(value) for value in known]))
        if len(known) < len(wanted):
            found.append(exp.Is(this=column.copy(), expression=exp.Null()))
        return exp.paren(exp.or_(*found)) if found else exp.false()

    def bound(self, value: Any) -> Sql:
        """A value, which a parameter of the statement holds."""
        name = f"v{len(self.params)}"
        self.params[name] = value
        return exp.Placeholder(this=name)


def column_of(alias: str, name: str) -> exp.Column:
    return exp.column(name, table=alias, quoted=True)


def cross(query: exp.Select, sources: Sequence[Sql]) -> exp.Select:
    return reduce(lambda q, s: q.join(s, join_type="cross"), sources[1:], query.from_(sources[0]))


def ordered(key: Sql, down: bool) -> exp.Ordered:
    return exp.Ordered(this=key, desc=down, nulls_first=False)


def _pattern(text: str) -> str:
    """``*`` stands for any characters, and everything else for itself."""
    for character in "!%_":
        text = text.replace(character, f"!{character}")
    return text.replace("*", "%")
