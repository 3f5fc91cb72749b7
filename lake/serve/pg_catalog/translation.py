"""A query of the catalogue, from PostgreSQL's dialect to DuckDB's over our tables and functions."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

from sqlglot import exp

from .naming import name_of
from .system import system
from .trees import (
    array_literal,
    literal,
    macro_call,
    name_column,
    outermost,
    source_of,
    sources_of,
    system_relation,
    whole,
)
from .vocabulary import CASTS, CLASSES, REG, SETS_OF_SCALARS, VECTORS, macros, reg_of, table_macros, type_name

Node = TypeVar("Node", bound=exp.Expr)
_HIDDEN = {"xmin": "1", "xmax": "0", "cmin": "0", "cmax": "0", "ctid": "(0,1)"}
_ORDERS = {
    "pg_attribute": ("attrelid", "attnum"),
    "columns": ("table_schema", "table_name", "ordinal_position"),
    "key_column_usage": ("constraint_schema", "constraint_name", "ordinal_position"),
}
_SCHEMAS = {"pg_catalog": "pg", "information_schema": "info"}


@dataclass(frozen=True)
class CatalogueQuery:
    """A query of the catalogue in DuckDB's SQL; ``settings``: what its set_config() calls set."""

    sql: str
    types: tuple[str | None, ...]
    settings: tuple[tuple[str, str], ...] = ()


class Translation:
    """One query of the catalogue on its way."""

    def __init__(self, tree: exp.Query) -> None:
        self._tree = tree
        self._types = system().types_of_columns
        self._settings: list[tuple[str, str]] = []

    def result(self) -> CatalogueQuery:
        self._fold_names()
        outputs = list(outermost(self._tree))
        for select in outputs:
            self._expand_stars(select)
        self._name_columns()
        types = self._types_of(outputs)
        for select in outputs:
            self._show(select)
        self._order()
        for step in (
            self._hidden_columns, self._casts, self._comparisons, self._patterns, self._concatenations, self._subscripts, self._calls, self._relations,
            self._clauses,
        ):  # fmt: skip
            step()
        return CatalogueQuery(self._tree.sql("duckdb"), types, tuple(self._settings))

    # -- what comes out -------------------------------------------------------------------------------------------

    def _fold_names(self) -> None:
        for name in self._tree.find_all(exp.Identifier):
            if not name.args.get("quoted"):
                name.set("this", name.this.lower())
        for column in self._tree.find_all(exp.Column):
            column.set("db", None)  # information_schema.columns.table_name
            column.set("catalog", None)

    def _expand_stars(self, select: exp.Select) -> None:
        """Name the columns that stars stand for, where all are the catalogue's."""
        sources = dict(sources_of(select))
        expressions: list[exp.Expr] = []
        for one in select.expressions:
            if isinstance(one, exp.Star) and not any(one.args.values()) and sources and all(sources.values()):
                if any(join.args.get("using") or join.args.get("method") for join in select.args.get("joins") or ()):
                    return
                wanted = list(sources.items())
            elif isinstance(one, exp.Column) and isinstance(one.this, exp.Star) and sources.get(one.table):
                wanted = [(one.table, sources[one.table])]
            else:
                expressions.append(one)
                continue
            for alias, relation in wanted:
                assert relation is not None
                expressions += [exp.column(c.name, table=alias, quoted=True) for c in relation.columns]
        select.set("expressions", expressions)

    def _order(self) -> None:
        """Columns come in their order where nothing else is said: PostgreSQL's do, as they lie, and tools rely on it."""
        select = self._tree
        said = ("order", "group", "distinct", "limit")
        if not isinstance(select, exp.Select) or any(select.args.get(part) for part in said):
            return
        if any(one.find(exp.AggFunc) for one in select.expressions):
            return
        for alias, relation in sources_of(select):
            for column in _ORDERS.get(relation.name if relation else "", ()):
                select.order_by(exp.column(column, table=alias), copy=False)

    def _name_columns(self) -> None:
        """Unnamed columns of every level get the names that PostgreSQL gives them."""
        for select in self._tree.find_all(exp.Select):
            named: list[exp.Expr] = []
            for one in select.expressions:
                if isinstance(one, exp.Alias | exp.Star) or one.is_star or isinstance(one, exp.Aliases):
                    named.append(one)
                else:
                    named.append(exp.alias_(one, name_of(one) or "?column?", quoted=True, copy=False))
            select.set("expressions", named)

    def _types_of(self, outputs: list[exp.Select]) -> tuple[str | None, ...]:
        """Types of the result that DuckDB does not know."""
        if len(outputs) != 1 or any(one.is_star for one in outputs[0].expressions):
            return ()
        return tuple(self._type_of(one.unalias()) for one in outputs[0].expressions)

    def _type_of(self, one: exp.Expr) -> str | None:
        if isinstance(one, exp.Column):
            kind = "oid" if one.name in ("oid", "tableoid") else self._types.get(one.name)
            return kind if kind in ("oid", "name", "char", "regproc", "regtype", "xid", *VECTORS) else None
        if isinstance(one, exp.Cast):
            kind = type_name(one.to)
            return kind if kind in (*REG, "oid", "name") else None
        if isinstance(one, exp.Anonymous) and one.name.lower().startswith("to_reg"):
            return one.name.lower().removeprefix("to_")
        return "name" if isinstance(one, exp.CurrentUser | exp.SessionUser | exp.CurrentSchema) else None

    def _show(self, select: exp.Select) -> None:
        """What PostgreSQL shows by name, in the columns of the result."""
        for one in select.expressions:
            value = one.unalias()
            kind = self._type_of(value)
            if kind in REG:
                value.replace(macro_call("reg_out", exp.Literal.string(kind), value.copy()))

    def _inner_first(self, *kinds: type[Node]) -> list[Node]:
        """Nodes of some kinds; what stands within one comes before it."""
        return list(self._tree.find_all(*kinds))[::-1]

    # -- what stands within ---------------------------------------------------------------------------------------

    def _hidden_columns(self) -> None:
        for column in self._inner_first(exp.Column):
            if column.name in _HIDDEN and not column.this.quoted:
                column.replace(literal(_HIDDEN[column.name]))
            elif column.name == "tableoid":
                relation = source_of(column)
                if relation:
                    column.replace(exp.Literal.number(relation.oid))
            elif column.name == "user" and not column.table and not column.this.quoted:
                column.replace(macro_call("user"))

    def _casts(self) -> None:
        for cast in self._inner_first(exp.Cast):
            if kind := reg_of(cast.to):
                self._cast_to_reg(cast, kind)
                continue
            told = type_name(cast.to)
            if told in CASTS and (told != "char" or '"' in cast.to.sql("postgres")):
                cast.set("to", exp.DataType.build(CASTS[told], dialect="postgres"))
            value = cast.this
            if isinstance(value, exp.Literal) and value.is_string and cast.to.is_type("array"):
                if (elements := array_literal(value.this)) is not None:
                    cast.set("this", exp.Array(expressions=elements))
            elif not isinstance(value, exp.Cast) and cast.to.is_type(*exp.DataType.TEXT_TYPES):
                kind = self._type_of(value)
                if kind in REG:
                    cast.set("this", macro_call("reg_out", exp.Literal.string(kind), value.copy()))
                elif kind in VECTORS:
                    cast.set("this", macro_call("array_to_string", value.copy(), exp.Literal.string(" ")))

    def _cast_to_reg(self, cast: exp.Cast, kind: str) -> None:
        """An oid; or the name of one, where that becomes text."""
        value, parent = cast.this, cast.parent
        oid: exp.Expr = macro_call("reg_in", exp.Literal.string(kind), value.copy())
        if not (isinstance(value, exp.Literal) and value.is_string):
            oid = macro_call("reg_in", exp.Literal.string(kind), exp.cast(value.copy(), "text"))
        while isinstance(parent, exp.Paren):
            parent = parent.parent
        is_text = isinstance(parent, exp.DPipe) or (
            isinstance(parent, exp.Cast) and parent.to.is_type(*exp.DataType.TEXT_TYPES)
        )
        cast.replace(macro_call("reg_out", exp.Literal.string(kind), oid) if is_text else oid)

    def _comparisons(self) -> None:
        for node in self._inner_first(exp.Any, exp.All):
            value = node.this.unnest()
            if isinstance(value, exp.Literal) and value.is_string:
                elements = array_literal(value.this)
                if elements is not None:
                    node.set("this", exp.Paren(this=exp.Array(expressions=elements)))
                    value = node.this.this
            like = node.parent
            if isinstance(like, exp.Like | exp.ILike) and isinstance(value, exp.Array):
                combine = exp.or_ if isinstance(node, exp.Any) else exp.and_
                whole = combine(*(type(like)(this=like.this.copy(), expression=e.copy()) for e in value.expressions))
                like.replace(exp.paren(whole, copy=False))

    def _concatenations(self) -> None:
        """Of arrays, where NULL is as an empty one."""
        for node in self._inner_first(exp.DPipe):
            if any(self._is_array(side) for side in (node.this, node.expression)):
                node.replace(macro_call("array_cat", node.this.copy(), node.expression.copy()))

    def _is_array(self, one: exp.Expr) -> bool:
        if isinstance(one, exp.Column):
            return self._types.get(one.name, "").startswith("_")
        return isinstance(one, exp.Array | exp.ArrayAgg) or (isinstance(one, exp.Cast) and one.to.is_type("array"))

    def _subscripts(self) -> None:
        for bracket in self._inner_first(exp.Bracket):
            value = bracket.this
            if isinstance(value, exp.Column) and self._types.get(value.name) in VECTORS:
                bracket.set(
                    "expressions",
                    [exp.Add(this=exp.paren(e.copy()), expression=literal("1")) for e in bracket.expressions],
                )

    def _calls(self) -> None:
        for kind, name in CLASSES.items():
            for call in self._inner_first(kind):
                call.replace(macro_call(name))
        for call in self._inner_first(exp.Anonymous):
            name, given = call.name.lower(), call.expressions
            if name == "_pg_expandarray":
                whole(call).replace(macro_call("expand_array", *(e.copy() for e in given)))
            elif name in ("json_build_object", "jsonb_build_object"):
                call.set("this", "json_object")
            elif name == "generate_subscripts":
                call.replace(self._subscripts_of(given))
            elif name in macros() and not isinstance(call.parent, exp.Table | exp.Dot):
                if name == "set_config" and all(isinstance(e, exp.Literal) for e in given[:2]) and len(given) > 1:
                    self._settings.append((given[0].name.lower(), given[1].name))
                if name == "format" and len(given) > 1:
                    listed = [exp.cast(e.copy(), "text") for e in given[1:]]
                    given = [given[0], exp.Array(expressions=listed)]
                call.replace(macro_call(name, *(e.copy() for e in given)))

    def _subscripts_of(self, given: list[exp.Expr]) -> exp.Expr:
        """The numbers of an array's elements, from 0 for a vector."""
        value = given[0]
        is_vector = isinstance(value, exp.Column) and self._types.get(value.name) in VECTORS
        length: exp.Expr = exp.func("len", value.copy())
        first, stop = ("0", length) if is_vector else ("1", exp.Add(this=length, expression=literal("1")))
        numbers: exp.Expr = exp.func("range", literal(first), stop)
        if len(given) > 1 and not isinstance(given[1], exp.Literal):  # a parameter must stay where it can be bound
            numbers = exp.case().when(exp.EQ(this=given[1].copy(), expression=literal("1")), numbers)
        return exp.func("unnest", numbers)

    def _relations(self) -> None:
        for table in self._inner_first(exp.Table):
            name = table.this
            if relation := system_relation(table):
                if not table.args.get("alias"):
                    table.set("alias", exp.TableAlias(this=exp.to_identifier(relation.name)))
                table.set("this", exp.to_identifier(relation.name, quoted=True))
                table.set("db", exp.to_identifier(_SCHEMAS[relation.schema]))
            elif isinstance(name, exp.Anonymous):
                called = name.name.lower()
                if called in table_macros():
                    table.set("db", exp.to_identifier("pg"))
                elif called in SETS_OF_SCALARS:
                    name_column(table, called)
                elif called in macros():
                    name_column(table, called)
                    alias = table.args["alias"].copy()
                    value = macro_call(called, *(e.copy() for e in name.expressions))
                    table.replace(exp.Subquery(this=exp.select(value), alias=alias))
                    continue
                if called in macros() and not table.args.get("alias"):
                    table.set("alias", exp.TableAlias(this=exp.to_identifier(called)))
        for unnest in self._inner_first(exp.Unnest):
            if isinstance(unnest.parent, exp.From | exp.Join):
                self._unnest(unnest)
            elif isinstance(unnest.parent, exp.Lateral):
                name_column(unnest.parent, "unnest")

    def _unnest(self, unnest: exp.Unnest) -> None:
        """Several arrays side by side; a column that is called as its relation."""
        name_column(unnest, "unnest")
        if len(unnest.expressions) > 1:
            alias, place = unnest.args["alias"], unnest.args.get("offset")
            select = exp.select(*(exp.func("unnest", e.copy()) for e in unnest.expressions))
            if place:
                if isinstance(place, exp.Identifier):
                    alias.append("columns", place.copy())
                longest = exp.func("greatest", *(exp.func("len", e.copy()) for e in unnest.expressions))
                numbers = exp.func("range", literal("1"), exp.Add(this=longest, expression=literal("1")))
                select = select.select(exp.func("unnest", numbers))
            unnest.replace(exp.Subquery(this=select, alias=alias.copy()))

    def _patterns(self) -> None:
        """A backslash escapes in PostgreSQL's patterns, without being told."""
        for like in self._inner_first(exp.Like, exp.ILike):
            pattern = like.expression
            is_plain = isinstance(pattern, exp.Literal) and "\\" not in pattern.this
            if not is_plain and not isinstance(like.parent, exp.Escape) and not isinstance(pattern, exp.Any | exp.All):
                like.replace(exp.Escape(this=like.copy(), expression=exp.Literal.string("\\")))

    def _clauses(self) -> None:
        for collate in self._inner_first(exp.Collate):
            collate.replace(collate.this.copy())
        for query in self._tree.find_all(exp.Select):
            query.set("locks", None)
            if not query.expressions:  # exists (select from ...)
                query.set("expressions", [literal("1")])
