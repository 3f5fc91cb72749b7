"""Which PostgreSQL type stands for which of DuckDB's.

The numbers are those of PostgreSQL's own catalogue (pg_type.dat), which clients have built in.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple


class PgType(NamedTuple):
    """A type as clients know it.

    len : bytes of a value, -1 where it varies
    array_oid : the type of arrays of it; 0: there is none
    element : of an array, the type of its elements
    modifier : of a numeric, its precision and scale; -1: none
    """

    oid: int
    name: str
    len: int
    array_oid: int
    element: PgType | None = None
    modifier: int = -1


BOOL = PgType(16, "bool", 1, 1000)
BYTEA = PgType(17, "bytea", -1, 1001)
NAME = PgType(19, "name", 64, 1003)
INT8 = PgType(20, "int8", 8, 1016)
INT2 = PgType(21, "int2", 2, 1005)
INT4 = PgType(23, "int4", 4, 1007)
TEXT = PgType(25, "text", -1, 1009)
OID = PgType(26, "oid", 4, 1028)
JSON = PgType(114, "json", -1, 199)
FLOAT4 = PgType(700, "float4", 4, 1021)
FLOAT8 = PgType(701, "float8", 8, 1022)
BPCHAR = PgType(1042, "bpchar", -1, 1014)
VARCHAR = PgType(1043, "varchar", -1, 1015)
DATE = PgType(1082, "date", 4, 1182)
TIME = PgType(1083, "time", 8, 1183)
TIMESTAMP = PgType(1114, "timestamp", 8, 1115)
TIMESTAMPTZ = PgType(1184, "timestamptz", 8, 1185)
INTERVAL = PgType(1186, "interval", 16, 1187)
NUMERIC = PgType(1700, "numeric", -1, 1231)
UUID = PgType(2950, "uuid", 16, 2951)

_OF_DUCKDB = {
    "BOOLEAN": BOOL,
    "TINYINT": INT2, "SMALLINT": INT2, "INTEGER": INT4, "BIGINT": INT8, "HUGEINT": NUMERIC, "BIGNUM": NUMERIC,
    "UTINYINT": INT2, "USMALLINT": INT4, "UINTEGER": INT8, "UBIGINT": NUMERIC, "UHUGEINT": NUMERIC,
    "INTEGER_LITERAL": INT4,
    "FLOAT": FLOAT4, "DOUBLE": FLOAT8,
    "VARCHAR": TEXT, "NULL": TEXT, "\"NULL\"": TEXT, "STRING_LITERAL": TEXT, "BIT": TEXT, "ENUM": TEXT,
    "BLOB": BYTEA, "UUID": UUID, "JSON": JSON, "VARIANT": JSON,
    "DATE": DATE, "TIME": TIME, "TIME_NS": TIME, "TIME WITH TIME ZONE": TEXT,
    "TIMESTAMP": TIMESTAMP, "TIMESTAMP_S": TIMESTAMP, "TIMESTAMP_MS": TIMESTAMP, "TIMESTAMP_NS": TIMESTAMP,
    "TIMESTAMP WITH TIME ZONE": TIMESTAMPTZ, "INTERVAL": INTERVAL,
}  # fmt: skip

# Types of the catalogue's own columns; no value of the lake's has them.
CHAR = PgType(18, "char", 1, 1002)
REGPROC = PgType(24, "regproc", 4, 1008)
INT2VECTOR = PgType(22, "int2vector", -1, 1006, INT2)
XID = PgType(28, "xid", 4, 1011)
OIDVECTOR = PgType(30, "oidvector", -1, 1013, OID)
NODE_TREE = PgType(194, "pg_node_tree", -1, 0)
REGCLASS = PgType(2205, "regclass", 4, 2210)
REGTYPE = PgType(2206, "regtype", 4, 2211)
REGNAMESPACE = PgType(4089, "regnamespace", 4, 4090)
ACLITEM = PgType(1033, "aclitem", 12, 1034)
_OF_CATALOGUE = (CHAR, REGPROC, INT2VECTOR, XID, OIDVECTOR, NODE_TREE, REGCLASS, REGTYPE, REGNAMESPACE, ACLITEM)

# What a parameter that a client calls by one of these types is to DuckDB.
_TO_DUCKDB = {
    BOOL: "BOOLEAN", BYTEA: "BLOB", NAME: "VARCHAR", INT8: "BIGINT", INT2: "SMALLINT", INT4: "INTEGER",
    TEXT: "VARCHAR", OID: "BIGINT", JSON: "JSON", FLOAT4: "FLOAT", FLOAT8: "DOUBLE", BPCHAR: "VARCHAR",
    VARCHAR: "VARCHAR", DATE: "DATE", TIME: "TIME", TIMESTAMP: "TIMESTAMP", TIMESTAMPTZ: "TIMESTAMP WITH TIME ZONE",
    INTERVAL: "INTERVAL", UUID: "UUID",
}  # fmt: skip

_NUMERIC_HEADER = 4  # a modifier counts from here
_ARRAY = re.compile(r"(.*)\[\d*\]")
_DECIMAL = re.compile(r"DECIMAL\((\d+),\s*(\d+)\)")

BY_OID = {t.oid: t for t in (*_TO_DUCKDB, NUMERIC)}


def array_of(element: PgType) -> PgType:
    """The type of one-dimensional arrays of an element."""
    return PgType(element.array_oid, f"_{element.name}", -1, 0, element)


BY_OID |= {t.array_oid: array_of(t) for t in list(BY_OID.values())}
BY_NAME = {t.name: t for t in (*BY_OID.values(), *_OF_CATALOGUE)}
BY_NAME |= {f"_{t.name}": array_of(t) for t in _OF_CATALOGUE if t.array_oid}


def oid_of(duckdb_type: object) -> PgType:
    """The type that clients are told for one of DuckDB's, which may be given by name.

    A list of scalars is an array. A list of lists is json, as PostgreSQL's arrays cannot be ragged; so are structs,
    maps and unions. Integers too large for int8 are numeric. An enum is text.
    """
    return _named(str(duckdb_type))


@lru_cache(maxsize=1024)
def _named(name: str) -> PgType:
    if found := _OF_DUCKDB.get(name.upper()):
        return found
    if array := _ARRAY.fullmatch(name):
        element = _named(array[1])
        return array_of(element) if element.array_oid and element != JSON else JSON
    if decimal := _DECIMAL.fullmatch(name):
        precision, scale = map(int, decimal.groups())
        return NUMERIC._replace(modifier=(precision << 16 | scale) + _NUMERIC_HEADER)
    if name.upper().startswith("ENUM"):
        return TEXT
    return JSON if name.upper().startswith(("STRUCT", "MAP", "UNION", "TUPLE")) else TEXT


def duckdb_of(pg: PgType) -> str:
    """The type of DuckDB's that a parameter of a PostgreSQL type has; a numeric has the scale of its value."""
    if pg.element is not None:
        return f"{duckdb_of(pg.element)}[]"
    if pg.oid == NUMERIC.oid:
        return "DECIMAL" if pg.modifier < 0 else _decimal(pg.modifier - _NUMERIC_HEADER)
    return _TO_DUCKDB.get(pg, "VARCHAR")


def _decimal(modifier: int) -> str:
    return f"DECIMAL({modifier >> 16},{modifier & 0xFFFF})"


_SPELLED = {
    "int": "int4", "integer": "int4", "bigint": "int8", "smallint": "int2", "real": "float4", "float": "float8",
    "double": "float8", "double precision": "float8", "boolean": "bool", "decimal": "numeric", "dec": "numeric",
    "character varying": "varchar", "character": "bpchar", "char": "bpchar", "string": "text", "blob": "bytea",
    "timestamp without time zone": "timestamp", "timestamp with time zone": "timestamptz",
    "time without time zone": "time",
}  # fmt: skip


def by_name(written: str, is_array: bool = False) -> PgType | None:
    """A type as SQL names it; None for one that no client has built in."""
    name = written.lower().removeprefix("pg_catalog.")
    found = BY_NAME.get(_SPELLED.get(name, name))
    return array_of(found) if found and is_array and found.array_oid else found
