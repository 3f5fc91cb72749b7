"""PostgreSQL's own relations and types, as a real server recorded them (``system.json``)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

_PLAIN = re.compile(r"[a-z_][a-z0-9_$]*")

# DuckDB's type of a PostgreSQL type. What is not here is kept as text: it is empty, or shown only.
_DUCKDB_TYPES = {
    **dict.fromkeys(("oid", "regproc", "regtype", "regclass", "xid", "int8"), "BIGINT"),
    **dict.fromkeys(("int4", "cardinal_number"), "INTEGER"),
    **dict.fromkeys(("timestamptz", "time_stamp"), "TIMESTAMPTZ"),
    "int2": "SMALLINT",
    "int2vector": "SMALLINT[]",
    "oidvector": "BIGINT[]",
    "bool": "BOOLEAN",
    "float4": "FLOAT",
    "float8": "DOUBLE",
    "numeric": "DOUBLE",
    "interval": "INTERVAL",
    "bytea": "BLOB",
}


class SystemColumn(NamedTuple):
    """A column of a system relation: its PostgreSQL type's name, and whether NULL is excluded."""

    name: str
    type: str
    not_null: bool

    @property
    def duckdb_type(self) -> str:
        if self.type.startswith("_"):
            return f"{_DUCKDB_TYPES.get(self.type[1:], 'VARCHAR')}[]"
        return _DUCKDB_TYPES.get(self.type, "VARCHAR")


@dataclass(frozen=True)
class SystemRelation:
    """A relation of ``pg_catalog`` or ``information_schema``, with the oids of its row type and of that one's array."""

    oid: int
    schema: str
    name: str
    kind: str
    row_type: int
    array_type: int
    columns: tuple[SystemColumn, ...]


@dataclass(frozen=True)
class System:
    """Everything recorded.

    relations : by qualified name
    rows : of some relations of pg_catalog, in order of columns
    keywords : those that may not name everything, with PostgreSQL's category of each
    """

    relations: dict[str, SystemRelation]
    rows: dict[str, list[list[Any]]]
    keywords: dict[str, str]

    @property
    def types(self) -> dict[str, int]:
        """Oids of the recorded types by name."""
        return {row[1]: row[0] for row in self.rows["pg_type"]}

    @property
    def types_of_columns(self) -> dict[str, str]:
        """PostgreSQL type of a column of a table by its name, which PostgreSQL keeps unique (but ``oid``)."""
        return {
            column.name: column.type
            for relation in self.relations.values()
            if relation.schema == "pg_catalog" and relation.kind == "r"
            for column in relation.columns
        }


@cache
def system() -> System:
    """The record, read once."""
    record = json.loads(Path(__file__).with_name("system.json").read_text())
    relations = {}
    for qualified, (oid, kind, row_type, array_type, columns) in record["relations"].items():
        schema, _, name = qualified.partition(".")
        pairs = (column.split(" ") for column in columns.split(", "))
        told = tuple(SystemColumn(column, kind.rstrip("!"), kind.endswith("!")) for column, kind in pairs)
        relations[qualified] = SystemRelation(oid, schema, name, kind, row_type, array_type, told)
    return System(relations, record["rows"], record["keywords"])


def quote_ident(text: str) -> str:
    """A name as SQL must write it."""
    if _PLAIN.fullmatch(text) and text not in system().keywords:
        return text
    return '"' + text.replace('"', '""') + '"'
