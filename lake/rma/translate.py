"""A query of the API as SQL over the lake: expressions of sqlglot, never text; values are bound (spec: api 4.3).

Nested answers keep the root's rows by semi-joins, and nest each include as a correlated query: an object as a STRUCT, a
list as a LIST of them. Tabular answers are joins, whose rows multiply as the API's do.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from sqlglot import exp

from ..errors import QueryError
from .models import Attached, Many, Model, One, Through, model
from .options import Options
from .tree import Condition, Node, Place, Tree

LISTED = 64  # values of $in that are bound one by one, so that files prune; more are bound as a list
_COMPARED = {"eq": exp.EQ, "ne": exp.NEQ, "lt": exp.LT, "gt": exp.GT, "le": exp.LTE, "ge": exp.GTE}
_EMPTY = "_"  # a STRUCT has at least one entry; this one is left out of the answer

Aliases = dict[Node, str]


@dataclass(frozen=True)
class Shape:
    """What a nested record has: columns, and under each association's name an object (or none) or a list."""

    model: Model
    columns: tuple[str, ...]
    nested: tuple[tuple[str, bool, Shape], ...]


@dataclass(frozen=True)
class Statement:
    """One question to the lake. ``shape`` is None for flat rows."""

    sql: str
    params: dict[str, Any]
    shape: Shape | None = None


def records(tree: Tree, options: Options) -> Statement:
    """Records with what is nested in them, a page of them."""
    return _Writer(tree, options).records()


def table(tree: Tree, options: Options, columns: Sequence[tuple[Place, str]]) -> Statement:
    """Flat rows of these columns under these names, a page of them."""
    return _Writer(tree, options).table(columns, paged=True)


def count(tree: Tree, options: Options, columns: Sequence[tuple[Place, str]] | None) -> Statement:
    """How many records, or rows of a table, there are in all pages."""
    return _Writer(tree, options).count(columns)


def cells(tree: Tree, options: Options) -> list[tuple[Place, str]]:
    """Columns of a flat answer and their names; all of the root's own where no option says."""
    if options.tabular is None:
        model = tree.root.model
        types = tree.types(model)
        names = [c for c in model.columns if c != "extra" and options.keeps(model.table, c)]
        return [(Place(tree.root, name, types[name]), name) for name in names]
    found: dict[str, Place] = {}
    for cell in options.tabular:
        place = tree.place(cell.column)
        if place.column in place.node.model.memberships:
            raise QueryError(f"{cell.column} is no column of its records: filter by it, or ask for what it stands for")
        name = cell.alias or cell.column.name
        if name in found:
            name = f"{place.node.model.table}_{name}"
        found[name] = place
    return [(place, name) for name, place in found.items()]


class _Writer:
    """Writes one statement: its values and its aliases."""

    def __init__(self, tree: Tree, options: Options) -> None:
        self.tree, self.options, self.root = tree, options, tree.root
        self.params: dict[str, Any] = {}
        self.read: dict[str, str] = {}
        self.n_aliases = 0
        self.order = [(tree.place(column), down) for column, down in options.order]

    # -- statements -----------------------------------------------------------------------------------------------

    def records(self) -> Statement:
        at: Aliases = {self.root: "r"}
        keys = [(self._ordering(place, down, at), down) for place, down in self.order]
        keys += [(_column("r", key), False) for key in self.root.model.keys]
        page = (
            exp.select(
                *(_column("r", name) for name in self.root.model.columns),
                *(exp.alias_(key, f"_key_{i}", quoted=True) for i, (key, _) in enumerate(keys)),
            )
            .from_(self._source(self.root.model, "r"))
            .where(*self._root_conditions(at))
            .order_by(*(_ordered(key.copy(), down) for key, down in keys))
        )
        entries, shape = self._entries(self.root, at)
        whole = (
            exp.select(*(exp.alias_(value, name, quoted=True) for name, value in entries))
            .from_(self._paged(page).subquery("r"))
            .order_by(*(_ordered(_column("r", f"_key_{i}"), down) for i, (_, down) in enumerate(keys)))
        )
        return self._statement(whole, shape)

    def table(self, columns: Sequence[tuple[Place, str]], paged: bool) -> Statement:
        query = self._joined(columns)
        return self._statement(self._paged(query) if paged else query)

    def count(self, columns: Sequence[tuple[Place, str]] | None) -> Statement:
        n = exp.Count(this=exp.Star())
        if columns is not None:
            rows = self._joined(columns)
            rows.set("order", None)
            return self._statement(exp.select(n).from_(rows.subquery("t", copy=False), copy=False))
        at: Aliases = {self.root: "r"}
        rows = exp.select(n).from_(self._source(self.root.model, "r")).where(*self._root_conditions(at))
        return self._statement(rows)

    def _joined(self, columns: Sequence[tuple[Place, str]]) -> exp.Select:
        """Every association a join: inner where it is required, otherwise left."""
        at: Aliases = {self.root: "r"}
        query = exp.select().from_(self._source(self.root.model, "r"))
        for node in [n for n in self.root.walk() if n is not self.root]:
            at[node] = self._alias("j")
            how = "inner" if node.required else "left"
            sources, on = self._link(node, at)
            if len(sources) == 2:  # pairs, then the partners
                query = query.join(sources[0], on=on[0], join_type=how)
                sources, on = sources[1:], on[1:]
            query = query.join(sources[0], on=exp.and_(*on), join_type=how)
        query = query.where(*(self._condition(c, at) for c in self.tree.conditions))
        query = query.select(*(exp.alias_(_column(at[p.node], p.column), name, quoted=True) for p, name in columns))
        if not self.options.distinct:
            order = [(_column(at[p.node], p.column), down) for p, down in self.order]
            order += [(_column(at[n], key), False) for n in self.root.walk() for key in n.model.keys]
            return query.order_by(*(_ordered(key, down) for key, down in order))
        names = {(p.node, p.column): name for p, name in columns}
        if hidden := [p.column for p, _ in self.order if (p.node, p.column) not in names]:
            raise QueryError(f"distinct rows can be ordered by what they show, and {hidden[0]} is not among it")
        directions = {names[p.node, p.column]: down for p, down in self.order}
        directions |= {name: False for _, name in columns if name not in directions}
        order = [_ordered(exp.column(name, quoted=True), down) for name, down in directions.items()]
        return query.distinct().order_by(*order)

    def _paged(self, query: exp.Select) -> exp.Select:
        options = self.options
        if options.num_rows is not None:
            query = query.limit(options.num_rows)
        return query.offset(options.start_row) if options.start_row else query

    def _statement(self, query: exp.Expression, shape: Shape | None = None) -> Statement:
        """The query over what it reads: models and pairs by name, each declared before, in SQL that is ours."""
        # Not materialized, so that conditions reach the files.
        declared = ", ".join(f"{name} as not materialized ({told})" for name, told in self.read.items())
        return Statement(f"with {declared} {query.sql('duckdb')}", self.params, shape)

    def _source(self, of: Model, alias: str) -> exp.Expression:
        """A model's records, by name."""
        name = f"records_{of.name}"
        self.read[name] = of.sql
        return exp.alias_(exp.table_(name), alias, table=True)

    def _pairs(self, owner: Model, association: str, to: Through, alias: str) -> exp.Expression:
        name = f"pairs_{owner.name}_{association}"
        self.read[name] = to.pairs
        return exp.alias_(exp.table_(name), alias, table=True)

    # -- which records --------------------------------------------------------------------------------------------

    def _root_conditions(self, at: Aliases) -> list[exp.Expression]:
        found = [self._condition(c, at) for c in self.tree.conditions if set(c.nodes) == {self.root}]
        for group in self._groups():
            found.append(self._exists([n for top in group for n in top.walk() if n.required], at))
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

    def _exists(self, nodes: Sequence[Node], at: Aliases) -> exp.Expression:
        """Whether there are partners, one for each of the nodes, that hang together and meet their conditions."""
        inside = at | {node: self._alias("k") for node in nodes}
        sources, conditions = self._chain(nodes, inside)
        return exp.Exists(this=_cross(exp.select("1"), sources).where(*conditions))

    def _chain(self, nodes: Sequence[Node], at: Aliases) -> tuple[list[exp.Expression], list[exp.Expression]]:
        """What to read for these nodes, and what must hold: their links, and conditions on nothing but what is known."""
        sources: list[exp.Expression] = []
        conditions: list[exp.Expression] = []
        for node in nodes:
            read, link = self._link(node, at)
            sources += read
            conditions += link
        touching = (c for c in self.tree.conditions if set(c.nodes) & set(nodes) and set(c.nodes) <= at.keys())
        return sources, conditions + [self._condition(c, at) for c in touching]

    def _link(self, node: Node, at: Aliases) -> tuple[list[exp.Expression], list[exp.Expression]]:
        """What to read for a node, and how it hangs on its parent: one condition for each thing read."""
        assert node.parent is not None
        return self._linked(node.parent.model, node.name, at[node.parent], at[node])

    def _linked(
        self, owner: Model, association: str, above: str, alias: str
    ) -> tuple[list[exp.Expression], list[exp.Expression]]:
        to = owner.association(association)
        source = self._source(model(to.model), alias)
        if isinstance(to, One):
            return [source], [_column(above, to.key).eq(_column(alias, "id"))]
        if isinstance(to, Many):
            return [source], [_column(alias, to.key).eq(_column(above, "id"))]
        if isinstance(to, Attached):
            kinds = _column(alias, "attachable_type").isin(*(exp.Literal.string(c) for c in to.classes))
            return [source], [exp.and_(kinds, _column(alias, "attachable_id").eq(_column(above, "id")))]
        pairs = self._alias("p")
        return (
            [self._pairs(owner, association, to, pairs), source],
            [_column(pairs, "owner").eq(_column(above, "id")), _column(alias, "id").eq(_column(pairs, "member"))],
        )

    # -- conditions -----------------------------------------------------------------------------------------------

    def _condition(self, condition: Condition, at: Aliases) -> exp.Expression:
        place = condition.place
        owner = place.node.model
        if place.column in owner.memberships:
            association, column = owner.memberships[place.column]
            alias = self._alias("m")
            sources, conditions = self._linked(owner, association, at[place.node], alias)
            met = self._meets(_column(alias, column), condition, at)
            return exp.Exists(this=_cross(exp.select("1"), sources).where(*conditions, met))
        return self._meets(_column(at[place.node], place.column), condition, at)

    def _meets(self, column: exp.Expression, condition: Condition, at: Aliases) -> exp.Expression:
        operator, values = condition.operator, condition.values
        if operator in ("known", "unknown"):
            null = exp.Is(this=column, expression=exp.Null())
            return null if operator == "unknown" else exp.not_(null)
        if condition.other is not None:
            other = _column(at[condition.other.node], condition.other.column)
            if operator in ("li", "il"):
                raise QueryError(f"${operator} compares with a text, not with another column")
            return _COMPARED.get(operator, exp.EQ)(this=column, expression=other)
        if operator == "in":
            return self._among(column, values)
        if operator in ("li", "il"):
            like = exp.Like if operator == "li" else exp.ILike
            pattern = exp.Escape(
                this=like(this=exp.cast(column, "text"), expression=self._value(_pattern(str(values[0])))),
                expression=exp.Literal.string("!"),
            )
            return exp.paren(pattern)
        return _COMPARED[operator](this=column, expression=self._value(values[0]))

    def _among(self, column: exp.Expression, values: Iterable[Any]) -> exp.Expression:
        wanted = list(dict.fromkeys(values))
        known = [value for value in wanted if value is not None]
        found: list[exp.Expression] = []
        if len(known) > LISTED:
            listed = exp.select(exp.Explode(this=self._value(known)))
            found.append(exp.In(this=column, query=listed.subquery()))
        elif known:
            found.append(exp.In(this=column, expressions=[self._value(value) for value in known]))
        if len(known) < len(wanted):
            found.append(exp.Is(this=column.copy(), expression=exp.Null()))
        return exp.paren(exp.or_(*found)) if found else exp.false()

    def _value(self, value: Any) -> exp.Expression:
        name = f"v{len(self.params)}"
        self.params[name] = value
        return exp.Placeholder(this=name)

    # -- what records show ----------------------------------------------------------------------------------------

    def _entries(self, node: Node, at: Aliases) -> tuple[list[tuple[str, exp.Expression]], Shape]:
        """A record's entries: its columns, and what is nested in it."""
        of = node.model
        columns = tuple(c for c in of.columns if c == "extra" or self.options.keeps(of.table, c))
        entries = [(name, _column(at[node], name)) for name in columns]
        nested = []
        for child in node.children.values():
            if child.nested:
                value, many, shape = self._nested(child, at)
                entries.append((child.name, value))
                nested.append((child.name, many, shape))
        return entries or [(_EMPTY, exp.true())], Shape(of, columns, tuple(nested))

    def _nested(self, node: Node, at: Aliases) -> tuple[exp.Expression, bool, Shape]:
        """Partners along an include: a STRUCT, NULL where there is none, or a LIST of STRUCT."""
        assert node.parent is not None
        inside = at | {node: self._alias("i")}
        sources, conditions = self._chain([node], inside)
        for child in node.children.values():
            if child.required:
                conditions.append(self._exists([n for n in child.walk() if n.required], inside))
        entries, shape = self._entries(node, inside)
        struct = exp.Struct(
            expressions=[exp.PropertyEQ(this=exp.to_identifier(n, quoted=True), expression=v) for n, v in entries]
        )
        order = [(_column(inside[node], p.column), down) for p, down in self.order if p.node is node]
        order += [(_column(inside[node], key), False) for key in node.model.keys]
        to = node.parent.model.association(node.name)
        if isinstance(to, One) or (isinstance(to, Many) and to.single):
            one = _cross(exp.select(struct), sources).where(*conditions)
            return one.order_by(*(_ordered(k, down) for k, down in order)).limit(1).subquery(), False, shape
        listed = self._alias("l")
        rows = _cross(
            exp.select(exp.alias_(struct, "v"), *(exp.alias_(key, f"k{i}") for i, (key, _) in enumerate(order))),
            sources,
        ).where(*conditions)
        ordered = exp.Order(
            this=_column(listed, "v"),
            expressions=[_ordered(_column(listed, f"k{i}"), down) for i, (_, down) in enumerate(order)],
        )
        many = exp.select(exp.ArrayAgg(this=ordered)).from_(rows.subquery(listed)).subquery()
        return exp.func("coalesce", many, exp.Array(expressions=[])), True, shape

    def _ordering(self, place: Place, down: bool, at: Aliases) -> exp.Expression:
        """A root's place by a column: of several partners' the first in the order (spec: api C-RS7)."""
        if place.column in place.node.model.memberships:
            raise QueryError(f"{place.column} is no column of its records, and orders nothing")
        if place.node is self.root:
            return _column("r", place.column)
        path = [n for n in (place.node, *place.node.above()) if n is not self.root][::-1]
        inside = at | {node: self._alias("o") for node in path}
        sources, conditions = self._chain(path, inside)
        value = (exp.Max if down else exp.Min)(this=_column(inside[place.node], place.column))
        return _cross(exp.select(value), sources).where(*conditions).subquery()

    def _alias(self, letter: str) -> str:
        self.n_aliases += 1
        return f"{letter}{self.n_aliases}"


def _column(alias: str, name: str) -> exp.Column:
    return exp.column(name, table=alias, quoted=True)


def _cross(query: exp.Select, sources: Sequence[exp.Expression]) -> exp.Select:
    return reduce(lambda q, s: q.join(s, join_type="cross"), sources[1:], query.from_(sources[0]))


def _ordered(key: exp.Expression, down: bool) -> exp.Ordered:
    return exp.Ordered(this=key, desc=down, nulls_first=False)


def _pattern(text: str) -> str:
    """``*`` stands for any characters, and everything else for itself."""
    for character in "!%_":
        text = text.replace(character, f"!{character}")
    return text.replace("*", "%")
