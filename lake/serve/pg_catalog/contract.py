"""What a server of the PostgreSQL protocol and its catalogue say to each other."""

from __future__ import annotations

from collections.abc import MutableMapping
from dataclasses import dataclass, field

import duckdb

# What `version()`, `server_version` and the shape of the catalogue claim: the newest whose columns are recorded here.
SERVER_VERSION = "15.13"
SERVER_VERSION_NUM = 150013


@dataclass
class ClientContext:
    """A connection, as catalogue queries see it.

    settings : what SHOW and current_setting() tell, by lower-case name; `set_config()` in a query writes here
    """

    user: str
    database: str
    backend_pid: int
    settings: MutableMapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Rewritten:
    """What to run in place of a client's statement; $1, $2 ... are where they were.

    sql : one SELECT in DuckDB's dialect
    cursor : of the catalogue's private database, made for this statement: run on it (not on a cursor of it, which would
        not know the client), and close it. None: run it on the lake's own session.
    types : for each column of the result the name of its PostgreSQL type where DuckDB's does not tell it ("oid", "name",
        "char", "regproc" ...), else None; empty where nothing is known. A "regproc" comes as the name that is shown, an
        "int2vector" as a list
    """

    sql: str
    cursor: duckdb.DuckDBPyConnection | None
    types: tuple[str | None, ...] = ()
