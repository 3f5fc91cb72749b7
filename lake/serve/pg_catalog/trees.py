"""Statements as sqlglot's trees: what they name of the catalogue, and pieces to build others from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import Any, ClassVar

from sqlglot import exp
from sqlglot.dialects.postgres import Postgres

from .system import SystemRelation, system
from .vocabulary import macros


@cache
def dialect() -> Postgres:
    """PostgreSQL's, but that the functions which the catalogue has stay what they are called."""
    kept = {name.upper() for name in macros()} | {"GENERATE_SUBSCRIPTS"}

    parser: Any = Postgres.Parser

    class CataloguePostgres(Postgres):
        class Parser(parser):
            FUNCTIONS: ClassVar = {name: build for name, build in parser.FUNCTIONS.items() if name not in kept}

    return CataloguePostgres()


def system_relation(table: exp.Table) -> SystemRelation | None:
    """The relation of PostgreSQL's that a table in a query names (``pg_catalog.`` is gone by now)."""
    if not isinstance(table.this, exp.Identifier) or table.meta.get("is_cte"):
        return None
    schema = folded(table.args["db"]) if table.args.get("db") else "pg_catalog"
    return system().relations.get(f"{schema}.{folded(table.this)}")


def folded(name: exp.Identifier) -> str:
    return str(name.this) if name.args.get("quoted") else str(name.this).lower()


def outermost(query: exp.Expr) -> Iterator[exp.Select]:
    """The selects whose columns are the result."""
    if isinstance(query, exp.Select):
        yield query
    elif isinstance(query, exp.SetOperation):
        yield from outermost(query.left)
        yield from outermost(query.right)
    elif isinstance(query, exp.Subquery):
        yield from outermost(query.this)


def sources_of(select: exp.Select) -> Iterator[tuple[str, SystemRelation | None]]:
    """Aliases of a select's relations, and what of the catalogue they are."""
    parts = [select.args.get("from_"), *(select.args.get("joins") or ()), *(select.args.get("laterals") or ())]
    for part in parts:
        source = part.this if isinstance(part, exp.From | exp.Join) else part
        if source is not None:
            relation = system_relation(source) if isinstance(source, exp.Table) else None
            yield source.alias_or_name, None if relation is None or source.args.get("joins") else relation


def source_of(column: exp.Column) -> SystemRelation | None:
    """The relation of the catalogue that a column is of, looked for outwards."""
    select = column.find_ancestor(exp.Select)
    while select is not None:
        for alias, relation in sources_of(select):
            if column.table in ("", alias) and relation is not None:
                return relation
        select = select.find_ancestor(exp.Select)
    return None


def macro_call(name: str, *given: exp.Expr) -> exp.Expr:
    """A call of a function of the catalogue."""
    call = exp.Anonymous(this=name if name != "user" else '"user"', expressions=list(given))
    return exp.Dot(this=exp.to_identifier("pg"), expression=call)


def whole(call: exp.Expr) -> exp.Expr:
    """A call with the schema before it."""
    parent = call.parent
    return parent if isinstance(parent, exp.Dot) and parent.expression is call else call


def literal(text: str) -> exp.Expr:
    return exp.Literal.number(text) if text.isdigit() else exp.Literal.string(text)


def name_column(source: exp.Expr, function: str) -> None:
    """The one column of a function's result is called as the relation: ``from unnest(x) as y`` has y.y."""
    alias = source.args.get("alias")
    name = alias.this.copy() if alias is not None and alias.this else exp.to_identifier(function)
    if alias is None or not alias.args.get("columns"):
        source.set("alias", exp.TableAlias(this=name, columns=[name.copy()]))


def array_literal(text: str) -> list[exp.Expr] | None:
    """Elements of an array as PostgreSQL writes it: {a,"b c",NULL}."""
    if not (text.startswith("{") and text.endswith("}")):
        return None
    elements: list[exp.Expr] = []
    for quoted, bare in re.findall(r'"((?:[^"\\]|\\.)*)"|([^,{}"]+)', text[1:-1]):
        if bare.strip().lower() == "null":
            elements.append(exp.Null())
        else:
            elements.append(exp.Literal.string(bare.strip() or re.sub(r"\\(.)", r"\1", quoted)))
    return elements
