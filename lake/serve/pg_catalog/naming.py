"""The names that PostgreSQL gives to columns of a result which nobody named."""

from __future__ import annotations

from sqlglot import exp

from .trees import outermost
from .vocabulary import CLASSES, type_name

_TYPE_NAMES = {
    "int": "int4", "bigint": "int8", "smallint": "int2", "boolean": "bool", "double precision": "float8",
    "real": "float4", "decimal": "numeric", "varchar": "varchar", "char": "bpchar",
}  # fmt: skip
_NAMES: dict[type[exp.Expr], str] = {
    **CLASSES,
    exp.Exists: "exists",
    exp.Array: "array",
    exp.Boolean: "bool",
    exp.GroupConcat: "string_agg",
    exp.ArrayAgg: "array_agg",
    exp.CurrentTimestamp: "now",
    exp.Explode: "unnest",
    exp.Unnest: "unnest",
}


def name_of(one: exp.Expr) -> str | None:
    """The name that PostgreSQL gives to a column nobody named."""
    return _strong_name(one) or _weak_name(one)


def _weak_name(one: exp.Expr) -> str | None:
    """The name of a cast or a case, which one that is written within goes before."""
    if isinstance(one, exp.Cast):
        kind = type_name(one.to)
        return _TYPE_NAMES.get(kind, kind)
    if isinstance(one, exp.Paren | exp.Collate | exp.Bracket):
        return _weak_name(one.this)
    return "case" if isinstance(one, exp.Case) else None


def _strong_name(one: exp.Expr) -> str | None:
    """The name of a column, or of a function or a sub-query."""
    if isinstance(one, exp.Column):
        return one.name
    if isinstance(one, exp.Dot):
        last = one.expression
        return last.name.lower() if isinstance(last, exp.Anonymous) else last.name
    if isinstance(one, exp.Anonymous):
        return one.name.lower()
    if isinstance(one, exp.Paren | exp.Collate | exp.Bracket | exp.Cast | exp.Filter | exp.Window | exp.WithinGroup):
        return _strong_name(one.this)
    if isinstance(one, exp.Case):
        default = one.args.get("default")
        return None if default is None else _strong_name(default)
    if isinstance(one, exp.Subquery):
        inner = next(outermost(one.this), None)
        return (inner.expressions[0].alias or name_of(inner.expressions[0])) if inner else None
    if isinstance(one, exp.Trim):
        return {"LEADING": "ltrim", "TRAILING": "rtrim"}.get(str(one.args.get("position") or ""), "btrim")
    if type(one) in _NAMES:
        return _NAMES[type(one)]
    if isinstance(one, exp.Func) and not isinstance(one, exp.Binary | exp.Connector):
        return one.sql_name().lower()
    return None
