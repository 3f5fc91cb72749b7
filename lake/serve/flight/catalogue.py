"""Commands of Flight SQL that ask for the catalogue: the schema of each answer, and its rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from ...session import Session
from . import metadata, sql_info
from .metadata import Metadata

Values = Mapping[str, Any]


class Told(Protocol):
    """What a server tells of itself and its sessions."""

    def metadata_of(self, session: Session) -> Metadata: ...

    def facts(self) -> dict[int, tuple[int, Any]]: ...


@dataclass(frozen=True)
class Command:
    """A command: the schema of its answer, and its rows."""

    schema: Callable[[Values], pa.Schema]
    rows: Callable[[Told, Session, Values], pa.Table]


def _always(schema: pa.Schema, rows: Callable[[Told, Session, Values], pa.Table]) -> Command:
    return Command(lambda _: schema, rows)


_NO_KEYS = _always(metadata.FOREIGN_KEYS, lambda *_: metadata.FOREIGN_KEYS.empty_table())  # none is declared

CATALOGUE: dict[str, Command] = {
    "CommandGetCatalogs": _always(metadata.CATALOGS, lambda s, on, _: s.metadata_of(on).catalogs()),
    "CommandGetDbSchemas": _always(metadata.DB_SCHEMAS, lambda s, on, asked: s.metadata_of(on).db_schemas(asked)),
    "CommandGetTables": Command(
        lambda asked: metadata.TABLES_WITH_SCHEMA if asked["include_schema"] else metadata.TABLES,
        lambda s, on, asked: s.metadata_of(on).tables(asked),
    ),
    "CommandGetTableTypes": _always(metadata.TABLE_TYPES_SCHEMA, lambda s, on, _: s.metadata_of(on).table_types()),
    "CommandGetPrimaryKeys": _always(metadata.PRIMARY_KEYS, lambda s, on, asked: s.metadata_of(on).primary_keys(asked)),
    "CommandGetExportedKeys": _NO_KEYS,
    "CommandGetImportedKeys": _NO_KEYS,
    "CommandGetCrossReference": _NO_KEYS,
    "CommandGetSqlInfo": _always(sql_info.SQL_INFO, lambda s, _, asked: sql_info.sql_info(s.facts(), asked["info"])),
    "CommandGetXdbcTypeInfo": _always(
        sql_info.XDBC_TYPES, lambda _, __, asked: sql_info.xdbc_types(asked["data_type"])
    ),
}
