"""What Flight SQL's catalogue commands answer: schemas, tables with their columns, keys; each in its exact schema."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import pyarrow as pa

from ...forms import plain_type
from ...session import Session

CATALOG = "memory"  # what DuckDB calls the database of a session: names may be written with it
TABLE_TYPES = ("TABLE", "VIEW")
_TYPE_OF_KIND = {"table": "TABLE", "user table": "TABLE", "view": "VIEW"}

_T = pa.string()


def _schema(*columns: tuple[str, pa.DataType] | str) -> pa.Schema:
    """Columns that may be NULL as pairs in parentheses, the others by ``name!``; texts unless told otherwise."""
    fields = []
    for one in columns:
        name, kind = one if isinstance(one, tuple) else (one, _T)
        fields.append(pa.field(name.rstrip("!"), kind, nullable=not name.endswith("!")))
    return pa.schema(fields)


CATALOGS = _schema("catalog_name!")
DB_SCHEMAS = _schema("catalog_name", "db_schema_name!")
TABLES = _schema("catalog_name", "db_schema_name", "table_name!", "table_type!")
TABLES_WITH_SCHEMA = TABLES.append(pa.field("table_schema", pa.binary(), nullable=False))
TABLE_TYPES_SCHEMA = _schema("table_type!")
PRIMARY_KEYS = _schema(
    "catalog_name", "db_schema_name", "table_name!", "column_name!", "key_name", ("key_sequence!", pa.int32())
)
FOREIGN_KEYS = _schema(
    "pk_catalog_name", "pk_db_schema_name", "pk_table_name!", "pk_column_name!",
    "fk_catalog_name", "fk_db_schema_name", "fk_table_name!", "fk_column_name!",
    ("key_sequence!", pa.int32()), "fk_key_name", "pk_key_name",
    ("update_rule!", pa.uint8()), ("delete_rule!", pa.uint8()),
)  # fmt: skip


@dataclass(frozen=True)
class Column:
    """A column as the lake's dictionary tells of it; ``type`` is DuckDB's name."""

    name: str
    type: str
    unit: str | None
    description: str | None


class Metadata:
    """The catalogue of one session, read when first asked for."""

    def __init__(self, session: Session) -> None:
        self._session = session

    @cached_property
    def relations(self) -> list[tuple[str, str, str]]:
        """Schema, name and type of every table and view, in that order."""
        rows = self._session.sql("select name, kind from lake.relations").arrow().to_pylist()
        kinds = {row["name"]: _TYPE_OF_KIND[row["kind"]] for row in rows if row["kind"] in _TYPE_OF_KIND}
        return sorted((*name.split(".", 1), kind) for name, kind in kinds.items())

    @cached_property
    def columns(self) -> Mapping[str, list[Column]]:
        """The columns of every table and view."""
        found: dict[str, list[Column]] = defaultdict(list)
        query = """
            select name, column_name, column_type, unit, description
            from lake.columns where column_type <> 'parameter' order by name, position"""
        listed = {f"{schema}.{table}" for schema, table, _ in self.relations}  # functions have columns of other types
        for row in self._session.sql(query).arrow().to_pylist():
            if row["name"] not in listed:
                continue
            column = Column(row["column_name"], row["column_type"], row["unit"], row["description"])
            found[row["name"]].append(column)
        return found

    @cached_property
    def _arrow_types(self) -> Mapping[str, pa.DataType]:
        """What each type of a column is in Arrow, as DuckDB gives it."""
        names = sorted({column.type for columns in self.columns.values() for column in columns})
        listed = ", ".join(f"null::{name} as c{i}" for i, name in enumerate(names))
        with self._session.cursor("select 1") as cursor:
            schema = cursor.sql(f"select {listed}").to_arrow_table().schema
        return {name: plain_type(schema.field(i).type) for i, name in enumerate(names)}

    def schema_of(self, schema: str, table: str) -> pa.Schema:
        """A table's or view's columns, with units, descriptions and what Flight SQL says of columns."""
        name = f"{schema}.{table}"
        spec = self._session.state.tables.get(name)
        fields = []
        for column in self.columns[name]:
            kind = self._arrow_types[column.type]
            declared = spec.spec.arrow.field(column.name) if spec and column.name in spec.spec.arrow.names else None
            described = about(column.type, kind, column.unit, column.description, schema, table)
            fields.append(pa.field(column.name, kind, declared is None or declared.nullable, described))
        return pa.schema(fields)

    # -- answers --------------------------------------------------------------------------------------------------

    def catalogs(self) -> pa.Table:
        return pa.table([[CATALOG]], CATALOGS)

    def db_schemas(self, asked: Mapping[str, Any]) -> pa.Table:
        names = sorted({schema for schema, _, _ in self.relations})
        wanted = matching(asked["db_schema_filter_pattern"], names) if in_catalog(asked["catalog"]) else []
        return pa.Table.from_pylist([{"catalog_name": CATALOG, "db_schema_name": one} for one in wanted], DB_SCHEMAS)

    def tables(self, asked: Mapping[str, Any]) -> pa.Table:
        schemas = set(matching(asked["db_schema_filter_pattern"], {schema for schema, _, _ in self.relations}))
        tables = set(matching(asked["table_name_filter_pattern"], {table for _, table, _ in self.relations}))
        rows: list[dict[str, Any]] = []
        for schema, table, kind in self.relations if in_catalog(asked["catalog"]) else ():
            if schema in schemas and table in tables and (not asked["table_types"] or kind in asked["table_types"]):
                row = {"catalog_name": CATALOG, "db_schema_name": schema, "table_name": table, "table_type": kind}
                if asked["include_schema"]:
                    row["table_schema"] = self.schema_of(schema, table).serialize().to_pybytes()
                rows.append(row)
        return pa.Table.from_pylist(rows, TABLES_WITH_SCHEMA if asked["include_schema"] else TABLES)

    def table_types(self) -> pa.Table:
        return pa.table([list(TABLE_TYPES)], TABLE_TYPES_SCHEMA)

    def primary_keys(self, asked: Mapping[str, Any]) -> pa.Table:
        """The keys that stored tables declare; of views nobody says."""
        rows = []
        for name, state in sorted(self._session.state.tables.items()):
            schema, table = name.split(".", 1)
            if table == asked["table"] and asked["db_schema"] in (None, schema) and in_catalog(asked["catalog"]):
                for position, column in enumerate(state.spec.key, start=1):
                    row = {"catalog_name": CATALOG, "db_schema_name": schema, "table_name": table}
                    rows.append({**row, "column_name": column, "key_name": f"{table}_key", "key_sequence": position})
        return pa.Table.from_pylist(rows, PRIMARY_KEYS)


def in_catalog(asked: str | None) -> bool:
    """Whether a request is about the one catalogue there is."""
    return asked is None or asked == CATALOG


def matching(pattern: str | None, names: Iterable[str]) -> list[str]:
    """Names that a pattern of SQL's LIKE fits: ``%`` any text, ``_`` any letter, ``\\`` before either as it is."""
    if pattern is None:
        return sorted(names)
    parts = re.findall(r"\\.|.", pattern, re.DOTALL)
    regex = "".join({"%": ".*", "_": "."}.get(p, re.escape(p[1:] if len(p) == 2 else p)) for p in parts)
    return sorted(name for name in names if re.fullmatch(regex, name, re.DOTALL))


def about(
    type_name: str,
    kind: pa.DataType,
    unit: str | None = None,
    description: str | None = None,
    schema: str | None = None,
    table: str | None = None,
) -> dict[str, str]:
    """What a field's metadata says of a column: unit, description, and Flight SQL's own words."""
    precision, scale = _precision(kind)
    said = {
        "unit": unit,
        "description": description,
        "ARROW:FLIGHT:SQL:CATALOG_NAME": CATALOG if table else None,
        "ARROW:FLIGHT:SQL:DB_SCHEMA_NAME": schema,
        "ARROW:FLIGHT:SQL:TABLE_NAME": table,
        "ARROW:FLIGHT:SQL:TYPE_NAME": type_name,
        "ARROW:FLIGHT:SQL:PRECISION": precision,
        "ARROW:FLIGHT:SQL:SCALE": scale,
        "ARROW:FLIGHT:SQL:IS_AUTO_INCREMENT": "0",
        "ARROW:FLIGHT:SQL:IS_CASE_SENSITIVE": "1" if kind == pa.string() else "0",
        "ARROW:FLIGHT:SQL:IS_READ_ONLY": "1",
        "ARROW:FLIGHT:SQL:IS_SEARCHABLE": "1",
    }
    return {name: value for name, value in said.items() if value}


def _precision(kind: pa.DataType) -> tuple[str | None, str | None]:
    """Decimal digits of integers and of what floats keep; digits after the point."""
    if pa.types.is_integer(kind):
        return {8: "3", 16: "5", 32: "10", 64: "19"}[kind.bit_width], "0"
    if pa.types.is_floating(kind):
        return {16: "3", 32: "7", 64: "15"}[kind.bit_width], None
    return None, None
