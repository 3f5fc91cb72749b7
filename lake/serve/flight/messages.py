"""The messages of Arrow Flight SQL, by the names and numbers of its ``FlightSql.proto``, each wrapped in an ``Any``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .wire import Field, Fields, MalformedError, decode, encode

PREFIX = "type.googleapis.com/arrow.flight.protocol.sql."
_ANY: Fields = {"type_url": Field(1, "text"), "value": Field(2, "bytes")}

_CATALOG = Field(1, "text", optional=True)
_KEYS: Fields = {"catalog": _CATALOG, "db_schema": Field(2, "text", optional=True), "table": Field(3, "text")}
_STATEMENT: Fields = {"query": Field(1, "text"), "transaction_id": Field(2, "bytes", optional=True)}
_PREPARED: Fields = {"prepared_statement_handle": Field(1, "bytes")}
_SUBSTRAIT: Fields = {"plan": Field(1, "bytes"), "transaction_id": Field(2, "bytes", optional=True)}

MESSAGES: dict[str, Fields] = {
    "CommandGetSqlInfo": {"info": Field(1, "uint", repeated=True)},
    "CommandGetXdbcTypeInfo": {"data_type": Field(1, "int", optional=True)},
    "CommandGetCatalogs": {},
    "CommandGetDbSchemas": {"catalog": _CATALOG, "db_schema_filter_pattern": Field(2, "text", optional=True)},
    "CommandGetTables": {
        "catalog": _CATALOG,
        "db_schema_filter_pattern": Field(2, "text", optional=True),
        "table_name_filter_pattern": Field(3, "text", optional=True),
        "table_types": Field(4, "text", repeated=True),
        "include_schema": Field(5, "bool"),
    },
    "CommandGetTableTypes": {},
    "CommandGetPrimaryKeys": _KEYS,
    "CommandGetExportedKeys": _KEYS,
    "CommandGetImportedKeys": _KEYS,
    "CommandGetCrossReference": {
        "pk_catalog": _CATALOG,
        "pk_db_schema": Field(2, "text", optional=True),
        "pk_table": Field(3, "text"),
        "fk_catalog": Field(4, "text", optional=True),
        "fk_db_schema": Field(5, "text", optional=True),
        "fk_table": Field(6, "text"),
    },
    "CommandStatementQuery": _STATEMENT,
    "CommandStatementUpdate": _STATEMENT,
    "CommandStatementSubstraitPlan": _SUBSTRAIT,
    "CommandStatementIngest": {},
    "CommandPreparedStatementQuery": _PREPARED,
    "CommandPreparedStatementUpdate": _PREPARED,
    "TicketStatementQuery": {"statement_handle": Field(1, "bytes")},
    "ActionCreatePreparedStatementRequest": _STATEMENT,
    "ActionCreatePreparedSubstraitPlanRequest": _SUBSTRAIT,
    "ActionCreatePreparedStatementResult": {
        "prepared_statement_handle": Field(1, "bytes"),
        "dataset_schema": Field(2, "bytes"),
        "parameter_schema": Field(3, "bytes"),
    },
    "ActionClosePreparedStatementRequest": _PREPARED,
    "ActionBeginTransactionRequest": {},
    "ActionBeginTransactionResult": {"transaction_id": Field(1, "bytes")},
    "ActionBeginSavepointRequest": {"transaction_id": Field(1, "bytes"), "name": Field(2, "text")},
    "ActionEndTransactionRequest": {"transaction_id": Field(1, "bytes"), "action": Field(2, "int")},
    "ActionEndSavepointRequest": {"savepoint_id": Field(1, "bytes"), "action": Field(2, "int")},
    "ActionCancelQueryRequest": {"info": Field(1, "bytes")},
    "ActionCancelQueryResult": {"result": Field(1, "int")},
}
# Flight's own, which no Any wraps.
CANCEL_FLIGHT_INFO_REQUEST: Fields = {"info": Field(1, "bytes")}
CANCEL_FLIGHT_INFO_RESULT: Fields = {"status": Field(1, "int")}


def pack(name: str, /, **values: Any) -> bytes:
    """A message as it travels."""
    return encode(_ANY, {"type_url": PREFIX + name, "value": encode(MESSAGES[name], values)})


def unpack(data: bytes) -> tuple[str, Mapping[str, Any]]:
    """The name and values of a message. Raises MalformedError where it is none of Flight SQL's."""
    any_ = decode(_ANY, data)
    name = any_["type_url"].removeprefix(PREFIX)
    if name == any_["type_url"] or name not in MESSAGES:
        raise MalformedError(f"this is no message of Flight SQL: {any_['type_url'][:100]!r}")
    return name, decode(MESSAGES[name], any_["value"])


def unpack_as(name: str, data: bytes) -> Mapping[str, Any]:
    """The values of a message that must be this one. Raises MalformedError."""
    found, values = unpack(data)
    if found != name:
        raise MalformedError(f"this is a {found} where a {name} belongs")
    return values
