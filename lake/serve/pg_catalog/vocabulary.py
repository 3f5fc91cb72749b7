"""Words of PostgreSQL's dialect: its types, its functions that the catalogue has, those that stand for the client."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from sqlglot import exp

REG = ("regclass", "regtype", "regproc", "regprocedure", "regnamespace", "regrole")
# What a type is cast to where DuckDB has no type of its name.
CASTS = {
    **dict.fromkeys(("oid", "xid", "cid", "xid8", "regoper", "regoperator", "regconfig", "regdictionary"), "bigint"),
    "regcollation": "bigint",
    **dict.fromkeys(("name", "char", "cstring", "inet", "pg_node_tree", "aclitem", "unknown"), "text"),
    **dict.fromkeys(("sql_identifier", "character_data", "yes_or_no"), "text"),
    "cardinal_number": "integer",
    "int2vector": "smallint[]",
    "oidvector": "bigint[]",
    "time_stamp": "timestamptz",
}
VECTORS = frozenset(("int2vector", "oidvector"))  # arrays that count from 0, and are shown without braces
SETS_OF_SCALARS = frozenset(("unnest", "generate_series", "generate_subscripts"))
CONSTANTS = ("version", "txid_current", "pg_postmaster_start_time")  # functions that catalogue.py makes
# Words that stand for the client, also in questions to the lake.
WORDS = frozenset(("current_user", "session_user", "current_role", "current_catalog", "current_schema"))
CALLS = WORDS | {
    "version", "current_database", "pg_backend_pid", "current_setting", "pg_is_in_recovery", "getpgusername",
    "inet_server_addr", "inet_client_addr", "inet_server_port", "inet_client_port", "txid_current",
    "pg_current_xact_id", "pg_postmaster_start_time", "pg_client_encoding",
}  # fmt: skip

# Those that sqlglot knows without parentheses.
CLASSES: dict[type[exp.Expr], str] = {
    exp.CurrentUser: "current_user",
    exp.SessionUser: "session_user",
    exp.CurrentRole: "current_role",
    exp.CurrentCatalog: "current_catalog",
    exp.CurrentSchema: "current_schema",
}


@cache
def macros() -> frozenset[str]:
    """Names of the functions that the catalogue has (macros.sql)."""
    text = Path(__file__).with_name("macros.sql").read_text()
    named = re.findall(r'^create macro pg\."?(\w+)"?\(', text, re.MULTILINE)
    return frozenset((*named, *CONSTANTS))


@cache
def table_macros() -> frozenset[str]:
    text = Path(__file__).with_name("macros.sql").read_text()
    return frozenset(re.findall(r"^create macro pg\.(\w+)\([^)]*\) as table", text, re.MULTILINE))


def type_name(kind: exp.DataType) -> str:
    """How PostgreSQL writes the type of a cast."""
    return kind.sql("postgres").lower().strip('"')


def reg_of(kind: exp.DataType) -> str | None:
    """The ``reg...`` type that a cast names."""
    name = type_name(kind)
    return name if name in REG else None
