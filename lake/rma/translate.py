"""A query of the API as SQL over the lake (spec: api 4.3).

Nested answers keep the root's rows by semi-joins, choose a page of them by what orders them, read the page, and then what
is nested in it, association by association: rows on the way down, an object as a STRUCT and a list as a LIST of them on
the way up. Nothing correlates over more than one level, which DuckDB fails at. Tabular answers are joins, whose rows
multiply as the API's do.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlglot import exp

from ..errors import QueryError
from .conditions import Aliases, Writer, column_of, cross, ordered
from .models import Association, Attached, Many, One, Sql, Through
from .options import Options
from .shapes import Shape, Shown, Structures, Texts, in_order, json_object
from .tree import Node, Place, Tree

Columns = Sequence[tuple[Place, str]]
Within = tuple[int, int] | None  # the records whose key lies between the two, which are among them; None: all


@dataclass(frozen=True)
class Statement:
    """One question to the lake."""

    sql: str
    params: dict[str, Any]


def records(tree: Tree, options: Options) -> Statement:
    """Records with what is nested in them, a page of them: objects are STRUCT, lists LIST."""
    return _Records(tree, options).statement(Structures())


def table(tree: Tree, options: Options, columns: Columns) -> Statement:
    """Flat rows of these columns under these names, a page of them."""
    return _Table(tree, options, columns).statement()


def texts(tree: Tree, options: Options, columns: Columns | None, within: Within = None) -> Statement:
    """The same, each record or row one JSON object as text: rows where there are columns."""
    if columns is not None:
        return _Table(tree, options, columns, within).texts()
    asked = _Records(tree, options, within)
    return asked.statement(Texts(asked.bound))


def count(tree: Tree, options: Options, columns: Columns | None) -> Statement:
    """How many records, or rows of a table, there are in all pages."""
    return (_Records(tree, options) if columns is None else _Table(tree, options, columns)).count()


def keys(tree: Tree, options: Options) -> Statement:
    """The key of each record, ascending, in one column."""
    return _Records(tree, options).keys()


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


class _Asked(Writer):
    """A statement with the options of a query."""

    def __init__(self, tree: Tree, options: Options, within: Within = None) -> None:
        super().__init__(tree)
        self.options, self.within = options, within
        self.order = [(tree.place(column), down) for column, down in options.order]

    def among(self) -> list[Sql]:
        """What holds of the keys of the records that are meant."""
        if self.within is None:
            return []
        low, high = map(self.bound, self.within)
        return [exp.Between(this=column_of("r", self.root.model.keys[0]), low=low, high=high)]

    def paged(self, query: exp.Select) -> exp.Select:
        options = self.options
        if options.num_rows is not None:
            query = query.limit(options.num_rows, copy=False)
        return query.offset(options.start_row, copy=False) if options.start_row else query


class _Table(_Asked):
    """Flat rows: every association a join, inner where it is required, otherwise left."""

    def __init__(self, tree: Tree, options: Options, columns: Columns, within: Within = None) -> None:
        super().__init__(tree, options, within)
        self.columns = columns

    def statement(self) -> Statement:
        return Statement(self.whole(self.paged(self._joined())), self.params)

    def texts(self) -> Statement:
        # Names that differ in their cases only are one name to DuckDB: inside, columns have others.
        names = [name for _, name in self.columns]
        self.columns = [(place, f"c{i}") for i, (place, _) in enumerate(self.columns)]
        own = [(n, column_of("t", alias), place.type) for n, (place, alias) in zip(names, self.columns, strict=True)]
        rows = exp.select(exp.alias_(json_object(own), "record", copy=False), copy=False)
        return Statement(self.whole(rows.from_(self.paged(self._joined()).subquery("t"), copy=False)), self.params)

    def count(self) -> Statement:
        rows = self._joined()
        rows.set("order", None)
        counted = exp.select(exp.alias_(exp.Count(this=exp.Star()), "n")).from_(rows.subquery("t"))
        return Statement(self.whole(counted), self.params)

    def _joined(self) -> exp.Select:
        at: Aliases = {self.root: "r"}
        query = exp.select().from_(self.source(self.root.model, "r"))
        for node in [n for n in self.root.walk() if n is not self.root]:
            at[node] = self.alias("j")
            how = "inner" if node.required else "left"
            sources, on = self.link(node, at)
            if len(sources) == 2:  # pairs, then the partners
                query = query.join(sources[0], on=on[0], join_type=how)
                sources, on = sources[1:], on[1:]
            query = query.join(sources[0], on=exp.and_(*on), join_type=how)
        query = query.where(*(self.condition(c, at) for c in self.tree.conditions), *self.among())
        query = query.select(
            *(exp.alias_(column_of(at[p.node], p.column), name, quoted=True) for p, name in self.columns)
        )
        if not self.options.distinct:
            order = [ordered(column_of(at[p.node], p.column), down) for p, down in self.order]
            order += [ordered(column_of(at[n], key), False) for n in self.root.walk() for key in n.model.keys]
            return query.order_by(*order)
        names = {(p.node, p.column): name for p, name in self.columns}
        if hidden := [p.column for p, _ in self.order if (p.node, p.column) not in names]:
            raise QueryError(f"distinct rows can be ordered by what they show, and {hidden[0]} is not among it")
        directions = {names[p.node, p.column]: down for p, down in self.order}
        directions |= {name: False for _, name in self.columns if name not in directions}
        order = [ordered(exp.column(name, quoted=True), down) for name, down in directions.items()]
        return query.distinct().order_by(*order)


class _Records(_Asked):
    """Records and what is nested in them. ``steps``: the page, then rows and nests of each association."""

    def statement(self, shape: Shape) -> Statement:
        self.shape = shape
        at: Aliases = {self.root: "r"}
        of = self.root.model
        keys = [(self._ordering(place, down, at), down) for place, down in self.order]
        keys += [(column_of("r", key), False) for key in of.keys]
        named = [exp.alias_(key.copy(), f"_key_{i}", quoted=True, copy=False) for i, (key, _) in enumerate(keys)]
        # Trees are made for one statement: copying them at every step took most of the time.
        chosen = (
            exp.select(*named, copy=False)
            .from_(self.source(of, "r"), copy=False)
            .where(*self.root_conditions(at), *self.among(), copy=False)
        )
        self.steps: list[tuple[str, Sql]] = []
        if self.options.num_rows is None or self._by_key():
            self.steps.append(("page", self.paged(self._sorted(chosen.select(_all_of("r"), copy=False), keys))))
        else:
            # First the page's keys: the other columns of a million records would be read to keep fifty of them.
            self.steps.append(("chosen", self.paged(self._sorted(chosen, keys))))
            own = enumerate(of.keys, start=len(self.order))
            on = exp.and_(*(column_of("r", key).eq(column_of("c", f"_key_{i}")) for i, key in own))
            page = exp.select(_all_of("r"), *(column_of("c", f"_key_{i}") for i in range(len(keys))), copy=False)
            page = page.from_(exp.alias_(exp.table_("chosen"), "c", table=True), copy=False)
            self.steps.append(("page", page.join(self.source(of, "r"), on=on, copy=False)))
        shown, read = self._shown(self.root, "page")
        read = read.select(*shape.rows(shown), copy=False).order_by(
            *(ordered(column_of("r", f"_key_{i}"), down) for i, (_, down) in enumerate(keys)), copy=False
        )
        return Statement(self.whole(read, self.steps), self.params)

    @staticmethod
    def _sorted(query: exp.Select, keys: Sequence[tuple[Sql, bool]]) -> exp.Select:
        return query.order_by(*(ordered(key.copy(), down) for key, down in keys), copy=False)

    def _by_key(self) -> bool:
        """Whether records are asked for by their keys, so that no other is read."""
        key = self.root.model.keys[0]
        asked = (c for c in self.tree.conditions if c.place.node is self.root and c.place.column == key)
        return any(c.operator in ("eq", "in") and c.other is None for c in asked)

    def keys(self) -> Statement:
        key = column_of("r", self.root.model.keys[0])
        rows = exp.select(key).from_(self.source(self.root.model, "r"))
        rows = rows.where(*self.root_conditions({self.root: "r"})).order_by(ordered(key.copy(), False))
        return Statement(self.whole(rows), self.params)

    def count(self) -> Statement:
        conditions = self.root_conditions({self.root: "r"})
        rows = (
            exp.select(exp.alias_(exp.Count(this=exp.Star()), "n"))
            .from_(self.source(self.root.model, "r"))
            .where(*conditions)
        )
        return Statement(self.whole(rows), self.params)

    def _shown(self, node: Node, rows: str) -> tuple[Shown, exp.Select]:
        """What records of a step show, and a query that reads them as ``r``, joined with what is nested in them."""
        of, options = node.model, self.options
        types = self.tree.types(of)
        columns = [(c, types[c]) for c in of.columns if c != "extra" and options.keeps(of.table, c)]
        further = options.further(of.table, of.columns) if self.shape.has_further(self.tree.told.of(of)) else None
        read = exp.select().from_(exp.alias_(exp.table_(rows), "r", table=True), copy=False)
        nested = []
        for child in node.children.values():
            if not child.nested:
                continue
            nest, link, is_list = self._nest(child, rows)
            alias = self.alias("n")
            on = column_of(alias, "_owner").eq(column_of("r", link))
            # As a tree: its words would be parsed.
            read.append("joins", exp.Join(this=exp.alias_(exp.table_(nest), alias, table=True), on=on, side="LEFT"))
            nested.append((child.name, column_of(alias, "_nest"), is_list))
        return Shown(columns, nested, further), read

    def _nest(self, node: Node, above: str) -> tuple[str, str, bool]:
        """The step that holds what is nested at a node, ``_nest`` for each ``_owner``; the owner's column; if a list."""
        assert node.parent is not None
        number = self.alias("")
        to = node.parent.model.association(node.name)
        rows = f"rows_{number}"
        self.steps.append((rows, self._partners(node, to, above)))
        shown, read = self._shown(node, rows)
        record = self.shape.record(shown)
        is_list = not (isinstance(to, One) or (isinstance(to, Many) and to.single))
        order = [(column_of("r", p.column), down) for p, down in self.order if p.node is node]
        order += [(column_of("r", "_place"), False)] if _is_listed(to) else []
        order += [(column_of("r", key), False) for key in node.model.keys]
        if is_list:
            value = self.shape.listed(record, order)
        elif isinstance(to, Many):
            first = exp.ArrayAgg(this=in_order(record, order))
            value = exp.func("list_extract", first, exp.Literal.number(1))
        else:
            value = record  # one for each owner
        nest = read.select(column_of("r", "_owner"), exp.alias_(value, "_nest", copy=False), copy=False)
        if not isinstance(to, One):
            nest = nest.group_by(column_of("r", "_owner"), copy=False)
        self.steps.append((f"nest_{number}", nest))
        return f"nest_{number}", _link(to), is_list

    def _partners(self, node: Node, to: Association, above: str) -> exp.Select:
        """The rows of a node's records, each with its ``_owner`` among the rows above."""
        assert node.parent is not None
        at: Aliases = {node: "i"}
        sources = [self.source(node.model, "i")]
        conditions: list[Sql] = []
        if isinstance(to, One):
            owner = column_of("i", "id")
        elif isinstance(to, Many):
            owner = column_of("i", to.key)
        elif isinstance(to, Attached):
            owner = column_of("i", "attachable_id")
            conditions.append(self.attached(to, "i"))
        else:
            owner = column_of("p", "owner")
            sources.insert(0, self.pairs(node.parent.model, node.name, to, "p"))
            conditions.append(column_of("i", "id").eq(column_of("p", "member")))
        owners = exp.select(column_of("a", _link(to))).from_(exp.alias_(exp.table_(above), "a", table=True))
        conditions.append(exp.In(this=owner, query=owners.subquery()))
        # What compares with a record above chooses roots, and nothing within them.
        conditions += [self.condition(c, at) for c in self.tree.conditions if set(c.nodes) == {node}]
        for child in node.children.values():
            if child.required:
                conditions.append(self.exists([n for n in child.walk() if n.required], at))
        selected = exp.select(exp.alias_(owner.copy(), "_owner"), _all_of("i"), copy=False)
        if _is_listed(to):
            selected = selected.select(exp.alias_(column_of("p", "place"), "_place"), copy=False)
        return cross(selected, sources).where(*conditions, copy=False)

    def _ordering(self, place: Place, down: bool, at: Aliases) -> Sql:
        """A root's place by a column: of several partners' the first in the order (spec: api C-RS7)."""
        if place.column in place.node.model.memberships:
            raise QueryError(f"{place.column} is no column of its records, and orders nothing")
        if place.node is self.root:
            return column_of("r", place.column)
        path = [n for n in (place.node, *place.node.above()) if n is not self.root][::-1]
        inside = at | {node: self.alias("o") for node in path}
        sources, conditions = self.chain(path, inside)
        value = (exp.Max if down else exp.Min)(this=column_of(inside[place.node], place.column))
        return cross(exp.select(value), sources).where(*conditions).subquery()


def _is_listed(to: Association) -> bool:
    """Whether partners have places in a list."""
    return isinstance(to, Through) and to.is_listed


def _link(to: Association) -> str:
    """The owner's column that partners hang on."""
    return to.key if isinstance(to, One) else "id"


def _all_of(alias: str) -> exp.Column:
    return exp.Column(this=exp.Star(), table=exp.to_identifier(alias))
