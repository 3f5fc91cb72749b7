"""The catalogue of a session: a private DuckDB with PostgreSQL's tables, views and functions in it."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from ....version import __version__
from ...admission import admit
from ...relations import table_of
from ...session import Session
from ...spec import TableSpec
from ...states import LakeState
from .contract import SERVER_VERSION, ClientContext, Rewritten
from .functions import Functions
from .objects import LakeObjects, at_state, database_oid, objects_of, role_oid
from .paths import schemas_before
from .rewriting import translate
from .rows import numbers_of, rows_of
from .system import SystemRelation, system
from .texts import Mention
from .translation import CatalogueQuery

_HERE = Path(__file__).parent
_SCHEMAS = {"pg_catalog": "pg", "information_schema": "info"}
_ARROW = {
    "BIGINT": pa.int64(), "INTEGER": pa.int32(), "SMALLINT": pa.int16(), "BOOLEAN": pa.bool_(),
    "FLOAT": pa.float32(), "DOUBLE": pa.float64(), "VARCHAR": pa.string(), "SMALLINT[]": pa.list_(pa.int16()),
    "BIGINT[]": pa.list_(pa.int64()), "VARCHAR[]": pa.list_(pa.string()),
}  # fmt: skip
DESCRIPTION = f"PostgreSQL {SERVER_VERSION} (brainlake {__version__} on DuckDB {duckdb.__version__})"
STARTED = datetime.now(UTC)
_SNAPSHOT = "create or replace macro pg.txid_current() as {}::bigint"

# What a client's settings are where it and its server say nothing of them, and what they mean.
SETTINGS = {
    "application_name": ("", "Sets the application name to be reported in statistics and logs."),
    "bytea_output": ("hex", "Sets the output format for bytea."),
    "client_encoding": ("UTF8", "Sets the client's character set encoding."),
    "datestyle": ("ISO, MDY", "Sets the display format for date and time values."),
    "default_table_access_method": ("heap", "Sets the default table access method for new tables."),
    "default_tablespace": ("", "Sets the default tablespace to create tables and indexes in."),
    "default_transaction_isolation": (
        "read committed",
        "Sets the transaction isolation level of each new transaction.",
    ),
    "default_transaction_read_only": ("on", "Sets the default read-only status of new transactions."),
    "extra_float_digits": ("1", "Sets the number of digits displayed for floating-point values."),
    "integer_datetimes": ("on", "Shows whether datetimes are integer based."),
    "intervalstyle": ("postgres", "Sets the display format for interval values."),
    "lc_collate": ("C", "Shows the collation order locale."),
    "lc_ctype": ("C", "Shows the character classification and case conversion locale."),
    "max_identifier_length": ("63", "Shows the maximum identifier length."),
    "max_index_keys": ("32", "Shows the maximum number of index keys."),
    "search_path": ('"$user", public', "Sets the schema search order for names that are not schema-qualified."),
    "server_encoding": ("UTF8", "Shows the server (database) character set encoding."),
    "server_version": (SERVER_VERSION, "Shows the server version."),
    "server_version_num": ("150013", "Shows the server version as an integer."),
    "standard_conforming_strings": ("on", "Causes '...' strings to treat backslashes literally."),
    "statement_timeout": ("0", "Sets the maximum allowed duration of any statement."),
    "timezone": ("UTC", "Sets the time zone for displaying and interpreting time stamps."),
    "transaction_isolation": ("read committed", "Sets the current transaction's isolation level."),
    "transaction_read_only": ("on", "Sets the current transaction's read-only status."),
}


class Catalogue:
    """What clients of a lake's session see in ``pg_catalog`` and ``information_schema``. Safe from many threads."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._changing = threading.Lock()
        self._built: _Built | None = None

    def rewrite(self, sql: str, client: ClientContext) -> Rewritten | None:
        """What to run for a statement; None: the statement as it is, on the lake's session.

        Raises QueryError for a query of the catalogue that cannot be answered.
        """
        found = translate(sql)
        if isinstance(found, CatalogueQuery):
            return Rewritten(found.sql, self._cursor(found, client), found.types)
        told = _Told(client, self._session)
        edits = [(start, start, f'"{schema}".') for start, schema in self._qualified(sql, told)]
        if found is not None:
            edits += [(m.start, m.end, told.literal(m)) for m in found.mentions]
        return Rewritten(_edited(sql, edits), None) if edits else None

    def _qualified(self, sql: str, told: _Told) -> Iterator[tuple[int, str]]:
        """The schemas that a question leaves to the client's search_path."""
        if told.searches_public_only:
            return iter(())
        known = frozenset(self._session.names())
        return schemas_before(sql, told.path({name.partition(".")[0]: 0 for name in known}), known)

    def objects(self) -> LakeObjects:
        """What clients find: the objects of the session's snapshot with their oids."""
        return self._current().lake

    def _cursor(self, query: CatalogueQuery, client: ClientContext) -> duckdb.DuckDBPyConnection:
        built = self._current()
        cursor = built.connection.cursor()
        told = _Told(client, self._session)
        for name, value in query.settings:  # which the query itself does not see yet
            client.settings[name] = value
        for name, value in told.variables(built.lake).items():
            if isinstance(value, dict):
                given = [list(value), list(value.values())]
                cursor.execute(f"set variable {name} = map(?::varchar[], ?::varchar[])", given)
            else:
                cursor.execute(f"set variable {name} = ?", [value])
        admit(cursor, query.sql)
        return cursor

    def _current(self) -> _Built:
        """The catalogue of the snapshot that the session is on."""
        with self._changing:
            state = self._session.state
            if self._built is None or not self._built.holds_relations_of(state):
                self._built = _Built(self._session)
            elif self._built.state is not state:
                self._built.move(state)
            return self._built


class _Built:
    """A private DuckDB with the catalogue of one snapshot."""

    def __init__(self, session: Session) -> None:
        self.state = session.state
        self.lake: LakeObjects = objects_of(session)
        self.connection = duckdb.connect(config={"threads": 1})
        con = self.connection
        con.execute("set global TimeZone = 'UTC'")
        con.execute("set global python_enable_replacements = false")
        for schema in _SCHEMAS.values():
            con.execute(f"create schema {schema}")
        _constants(con, session.snapshot_id)
        rows = rows_of(self.lake, system())
        self._functions = Functions(rows, self.lake)
        self._functions.register(con)
        views = _statements("views.sql")
        for name, relation in system().relations.items():
            if name not in views:
                con.execute(f"create table {_own(relation)} ({', '.join(_columns(relation))})")
                if relation.schema == "pg_catalog" and relation.name in rows:
                    _insert(con, relation, rows[relation.name])
        macros, of_tables = (_HERE / "macros.sql").read_text().split("-- relations\n")
        con.execute(macros)
        for name, query in views.items():
            _view(con, system().relations[name], query)
        con.execute(of_tables)
        con.execute("set global enable_external_access = false")
        con.execute("set global lock_configuration = true")

    def holds_relations_of(self, state: LakeState) -> bool:
        """True if another snapshot has the same relations."""
        return self.state is state or _specs(self.state) == _specs(state)

    def move(self, state: LakeState) -> None:
        """Be the catalogue of another snapshot with the same relations; who is asking meanwhile sees the old one."""
        lake = at_state(self.lake, state)
        changed = [new for new, old in zip(lake.relations, self.lake.relations, strict=True) if new != old]
        with self.connection.cursor() as cursor:
            cursor.execute("begin")
            for one in changed:
                given = [*numbers_of(one).values(), lake.oid("relation", one.qualified)]
                cursor.execute("update pg.pg_class set reltuples = ?, relpages = ? where oid = ?", given)
            cursor.execute(_SNAPSHOT.format(state.snapshot_id))
            cursor.execute("commit")
        self._functions.measure(lake)
        self.state, self.lake = state, lake


def _specs(state: LakeState) -> dict[str, TableSpec]:
    return {name: table.spec for name, table in state.tables.items()}


def _constants(con: duckdb.DuckDBPyConnection, snapshot: int) -> None:
    """What is the same for every client, as functions."""
    con.execute(f"create macro pg.version() as {_text(DESCRIPTION)}")
    con.execute(f"create macro pg.pg_postmaster_start_time() as timestamptz '{STARTED.isoformat()}'")
    con.execute(_SNAPSHOT.format(snapshot))
    con.execute("create table pg.keywords(word varchar, catcode varchar)")
    con.executemany("insert into pg.keywords values (?, ?)", list(system().keywords.items()))
    con.execute("create table pg.known_settings(name varchar primary key, boot_value varchar, meaning varchar)")
    con.executemany(
        "insert into pg.known_settings values (?, ?, ?)", [(name, *told) for name, told in SETTINGS.items()]
    )


class _Told:
    """What a client's connection is told about itself."""

    def __init__(self, client: ClientContext, session: Session) -> None:
        self._client, self._session = client, session
        self._settings = {name: value for name, (value, _) in SETTINGS.items()} | dict(client.settings)

    @property
    def searches_public_only(self) -> bool:
        """True if bare names are looked for nowhere else, as by default."""
        return set(self._searched()) <= {"public", "$user", "pg_catalog"}

    def _searched(self) -> list[str]:
        return [name.strip().strip("\"'") for name in self._settings["search_path"].split(",")]

    def path(self, schemas: dict[str, int]) -> list[str]:
        """The schemas, of those there are, in which bare names are looked for."""
        return [name for name in self._searched() if name in schemas]

    def variables(self, lake: LakeObjects) -> dict[str, Any]:
        """The variables that macros.sql and views.sql read."""
        client = self._client
        return {
            "client_user": client.user,
            "client_role": role_oid(client.user) if client.user != "brainlake" else 10,
            "client_database": client.database,
            "client_database_oid": database_oid(client.database),
            "client_pid": client.backend_pid,
            "client_path": self.path(lake.by_schema),
            "client_settings": self._settings,
        }

    def literal(self, mention: Mention) -> str:
        """What a mention in a question to the lake stands for, as SQL."""
        client, given = self._client, mention.given
        match mention.function:
            case "bytea":
                return f"from_hex('{given[0]}')"
            case "current_user" | "session_user" | "current_role" | "getpgusername":
                value: str | int | None = client.user
            case "current_catalog" | "current_database":
                value = client.database
            case "current_schema":
                schemas = dict.fromkeys((name.partition(".")[0] for name in self._session.names()), 0) | {"public": 0}
                value = next(iter(self.path(schemas)), None)
            case "version":
                value = DESCRIPTION
            case "pg_backend_pid":
                value = client.backend_pid
            case "txid_current" | "pg_current_xact_id":
                value = self._session.snapshot_id
            case "pg_client_encoding":
                value = "UTF8"
            case "pg_is_in_recovery":
                return "false"
            case "pg_postmaster_start_time":
                return f"timestamptz '{STARTED.isoformat()}'"
            case "current_setting" if given:
                value = self._settings.get(given[0].lower())
                if value is None and given[1:] != ("true",):
                    return f"error({_text(f'unrecognized configuration parameter {given[0]!r}')})"
            case _:
                value = None
        written = "null" if value is None else str(value) if isinstance(value, int) else _text(value)
        return f'{written} as "{mention.function}"' if mention.is_column else written


def _edited(sql: str, edits: list[tuple[int, int, str]]) -> str:
    """A text with other texts in some places, which do not overlap."""
    pieces, at = [], 0
    for start, end, text in sorted(edits):
        pieces += [sql[at:start], text]
        at = end
    return "".join((*pieces, sql[at:]))


def _own(relation: SystemRelation) -> str:
    return f'{_SCHEMAS[relation.schema]}."{relation.name}"'


def _columns(relation: SystemRelation) -> list[str]:
    return [f'"{column.name}" {column.duckdb_type}' for column in relation.columns]


def _statements(file: str) -> dict[str, str]:
    """The definitions of a file by the name in the comment before each."""
    parts = re.split(r"^-- ((?:pg_catalog|information_schema)\.\w+)$", (_HERE / file).read_text(), flags=re.MULTILINE)
    return {name: text.strip().rstrip(";") for name, text in zip(parts[1::2], parts[2::2], strict=True)}


def _insert(con: duckdb.DuckDBPyConnection, relation: SystemRelation, rows: list[dict[str, Any]]) -> None:
    schema = pa.schema([(column.name, _ARROW.get(column.duckdb_type, pa.string())) for column in relation.columns])
    names = schema.names
    table = table_of(([row.get(name) for name in names] for row in rows), schema)
    con.register("_rows", table)
    con.execute(f"insert into {_own(relation)} select * from _rows")
    con.unregister("_rows")


def _view(con: duckdb.DuckDBPyConnection, relation: SystemRelation, query: str) -> None:
    """A view of all columns that PostgreSQL has, NULL where the definition does not name them."""
    given = set(con.sql(query).columns)
    if unknown := given - {column.name for column in relation.columns}:
        raise AssertionError(f"{relation.name} has no {', '.join(sorted(unknown))}")
    columns = ", ".join(
        f'{c.name if c.name in given else "null"}::{c.duckdb_type} as "{c.name}"' for c in relation.columns
    )
    con.execute(f"create view {_own(relation)} as select {columns} from ({query})")


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"
