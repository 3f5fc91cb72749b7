"""Values in SQL as PostgreSQL writes them: expressions that DuckDB computes, in parallel, before a row is put together.

A type is DuckDB's (``DuckDBPyType``), an expression is SQL of that type; NULL stays NULL.
"""

from __future__ import annotations

from typing import Any

from . import types as t
from .types import PgType, oid_of

# In the lambdas of lists; no column is called so.
_ELEMENT = "_brainlake_element"

# Elements of an array that PostgreSQL writes without quotes, and some clients expect to find so.
_PLAIN_ELEMENT = r"[!#-+\--\[\]-z|~\p{L}\p{N}]+"

_UNQUOTED = frozenset({t.INT2.oid, t.INT4.oid, t.INT8.oid, t.FLOAT4.oid, t.FLOAT8.oid, t.NUMERIC.oid, t.BOOL.oid})


def name(identifier: str) -> str:
    return '"' + identifier.replace('"', '""') + '"'


def text(expression: str, kind: Any) -> str:
    """The value as text, in PostgreSQL's notation."""
    pg = oid_of(kind)
    if pg.element is not None:
        return _array(expression, kind, pg.element)
    if pg.oid == t.JSON.oid:
        return f"({json(expression, kind)})::varchar" if str(kind) != "JSON" else f"{expression}::varchar"
    if pg.oid == t.BOOL.oid:
        return f"case when {expression} then 't' when not {expression} then 'f' end"
    if pg.oid in (t.FLOAT4.oid, t.FLOAT8.oid):
        return (
            f"case when isfinite({expression}) then {expression}::varchar when isnan({expression}) then 'NaN' "
            f"when {expression} > 0 then 'Infinity' when {expression} < 0 then '-Infinity' end"
        )
    if pg.oid == t.BYTEA.oid:
        return f"'\\x' || lower(hex({expression}))"
    if pg.oid == t.INTERVAL.oid:
        return (
            f"regexp_replace(replace({expression}::varchar, 'month', 'mon'), "
            "'(^| )-1 (year|mon|day)', '\\1-1 \\2s', 'g')"
        )
    if pg.oid in (t.DATE.oid, t.TIMESTAMP.oid, t.TIMESTAMPTZ.oid):
        plain = f"{expression}::timestamp" if str(kind).startswith("TIMESTAMP_") else expression
        return (
            f"case when {plain} >= '0001-01-01'::timestamp then {plain}::varchar "
            f"else regexp_replace({plain}::varchar, ' \\(BC\\)(.*)', '\\1 BC') end"
        )
    return expression if str(kind) == "VARCHAR" else f"{expression}::varchar"


def sent(expression: str, kind: Any, pg: PgType) -> str:
    """The value as text for a client that was told this type of it."""
    if pg in (t.INT2VECTOR, t.OIDVECTOR) and str(kind).endswith("]"):
        return f"array_to_string({expression}, ' ')"
    return text(expression, kind)


def _array(expression: str, kind: Any, element: PgType) -> str:
    inner = text(_ELEMENT, kind.children[0][1])
    if element.oid not in _UNQUOTED:
        quoted = f"""'"' || replace(replace({inner}, '\\', '\\\\'), '"', '\\"') || '"'"""
        is_bare = f"regexp_full_match({inner}, '{_PLAIN_ELEMENT}') and upper({inner}) <> 'NULL'"
        inner = f"case when {is_bare} then {inner} else {quoted} end"
    items = f"list_transform({expression}::{_sql(kind.children[0][1])}[], lambda {_ELEMENT}: coalesce({inner}, 'NULL'))"
    return f"'{{' || array_to_string({items}, ',') || '}}'"


def _sql(kind: Any) -> str:
    written = str(kind)
    return "VARCHAR" if written == '"NULL"' else written


def json(expression: str, kind: Any) -> str:
    """The value as JSON; numbers that JSON does not have are the texts that PostgreSQL writes for them."""
    if str(kind) == "JSON" or not _has_floats(kind):
        return f"to_json({expression})"
    if kind.id in ("float", "double"):
        plain = text(expression, kind)
        return f"case when isfinite({expression}) then to_json({expression}) else to_json({plain}) end"
    if kind.id in ("list", "array"):
        child = kind.children[0][1]
        inner = json(f"{_ELEMENT}", child).replace(_ELEMENT, f"{_ELEMENT}_{_depth(kind)}")
        listed = f"{expression}::{_sql(child)}[]"
        return f"to_json(list_transform({listed}, lambda {_ELEMENT}_{_depth(kind)}: {inner}))"
    if kind.id == "struct":
        fields = ", ".join(
            f"{_string(field)}, {json(f'struct_extract({expression}, {_string(field)})', child)}"
            for field, child in kind.children
        )
        return f"case when {expression} is not null then json_object({fields}) end"
    if kind.id == "map":
        entry = f"{_ELEMENT}_{_depth(kind)}"
        value = json(f"{_ELEMENT}.value", kind.children[1][1]).replace(_ELEMENT, entry)
        pairs = f"list_transform(map_entries({expression}), lambda {entry}: {{'k': {entry}.key, 'v': {value}}})"
        return f"to_json(map_from_entries({pairs}))"
    return f"to_json({expression})"


def _has_floats(kind: Any) -> bool:
    if kind.id in ("float", "double"):
        return True
    if kind.id not in ("list", "array", "struct", "map"):
        return False
    return any(_has_floats(child) for label, child in kind.children if label != "size")


def _depth(kind: Any) -> int:
    if kind.id not in ("list", "array", "struct", "map"):
        return 0
    return 1 + max((_depth(child) for label, child in kind.children if label != "size"), default=0)


def _string(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


# -- for binary -------------------------------------------------------------------------------------------------------

# What a value is cast to, so that its Arrow buffer is one step from the bytes that are sent.
_PLAIN = {
    t.BOOL.oid: "TINYINT", t.INT2.oid: "SMALLINT", t.INT4.oid: "INTEGER", t.INT8.oid: "BIGINT", t.OID.oid: "UINTEGER",
    t.XID.oid: "UINTEGER", t.FLOAT4.oid: "FLOAT", t.FLOAT8.oid: "DOUBLE", t.BYTEA.oid: "BLOB", t.DATE.oid: "DATE", t.TIME.oid: "TIME",
    t.TIMESTAMP.oid: "TIMESTAMP", t.TIMESTAMPTZ.oid: "TIMESTAMP WITH TIME ZONE", t.INTERVAL.oid: "INTERVAL",
}  # fmt: skip


def plain(expression: str, kind: Any, pg: PgType) -> str:
    """The value as the encoder of binary takes it: what it does not know, as text."""
    if pg.element is not None:
        child = kind.children[0][1]
        inner = plain(_ELEMENT, child, pg.element)
        return f"list_transform({expression}::{_sql(child)}[], lambda {_ELEMENT}: {inner})"
    if pg.oid == t.UUID.oid:
        return f"unhex(replace({expression}::varchar, '-', ''))"
    if pg.oid in _PLAIN:
        return f"{expression}::{_PLAIN[pg.oid]}"
    return text(expression, kind)


# -- for COPY ---------------------------------------------------------------------------------------------------------

_BARE = _UNQUOTED | {t.DATE.oid, t.TIME.oid, t.UUID.oid}  # texts without any character that COPY could have to escape


def copied(expression: str, kind: Any, delimiter: str, null: str) -> str:
    """The value as a column of COPY's text format."""
    value = text(expression, kind)
    if oid_of(kind).oid not in _BARE or not delimiter.isspace():
        for char, escape in (
            ("\\", "\\\\"), ("\b", "\\b"), ("\f", "\\f"), ("\n", "\\n"), ("\r", "\\r"), ("\t", "\\t"), ("\v", "\\v"),
        ):  # fmt: skip
            value = f"replace({value}, {_string(char)}, {_string(escape)})"
        if delimiter not in "\b\f\n\r\t\v":
            value = f"replace({value}, {_string(delimiter)}, {_string(chr(92) + delimiter)})"
    return f"coalesce({value}, {_string(null)})"


def in_csv(expression: str, kind: Any, delimiter: str, null: str, quote: str, escape: str, is_forced: bool) -> str:
    """The value as a column of COPY's CSV: quoted where it must be, or always."""
    value = f"({text(expression, kind)})"
    escaped = value
    for char in dict.fromkeys((escape, quote)):
        escaped = f"replace({escaped}, {_string(char)}, {_string(escape + char)})"
    quoted = f"{_string(quote)} || {escaped} || {_string(quote)}"
    if not is_forced:
        special = [f"contains({value}, {_string(char)})" for char in (delimiter, quote, "\n", "\r")]
        if escape != quote:
            special.append(f"contains({value}, {_string(escape)})")
        special += [f"{value} = {_string(null)}", f"{value} = '\\.'"]
        quoted = f"case when {' or '.join(special)} then {quoted} else {value} end"
    return f"coalesce({quoted}, {_string(null)})"
