"""The catalogue answers what clients ask as a real PostgreSQL does that holds empty relations of the same shape.

The queries are those that the installed clients send, taken from the real server's log.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import brainlake
import pytest
from brainlake.lake.serve.pg_catalog import SERVER_VERSION, Catalogue, ClientContext
from brainlake.lake.serve.pg_catalog.objects import FIRST_OID, database_oid, role_oid
from brainlake.lake.serve.snapshots import Snapshots

psycopg = pytest.importorskip("psycopg", reason="needs psycopg", exc_type=ImportError)

from brainlake.tests.fixtures import postgres_server, postgres_shape, system_catalogue  # noqa: E402
from brainlake.tests.fixtures.java_client import jdbc_driver, run_java  # noqa: E402
from brainlake.tests.fixtures.postgres_shape import DATABASE, USER, psql  # noqa: E402
from brainlake.tests.fixtures.tool_queries import QUERIES  # noqa: E402

OIDS = """
select oid::int8, 'relation ' || relnamespace::regnamespace || '.' || relname from pg_class
union all select oid::int8, 'type ' || typnamespace::regnamespace || '.' || typname from pg_type
union all select oid::int8, 'schema ' || nspname from pg_namespace
union all select oid::int8, 'constraint ' || connamespace::regnamespace || '.' || conname from pg_constraint
union all select oid::int8, 'function ' || pronamespace::regnamespace || '.' || proname from pg_proc
union all select oid::int8, 'role ' || rolname from pg_roles
union all select oid::int8, 'database ' || datname from pg_database
"""


@dataclass
class Pair:
    """The same question to both."""

    server: postgres_server.PostgresServer
    catalogue: Catalogue
    real: Any
    owner: Any
    names: dict[int, str]  # of the real server's oids
    our_names: dict[int, str]

    def dsn(self) -> str:
        return self.server.dsn(USER, DATABASE)

    def ask_real(self, sql: str, given: list[str | None]) -> tuple[list[str], list[tuple[str | None, ...]]]:
        values = [None if value is None else value.encode() for value in given]
        # PostgreSQL shows constraints in information_schema to those only who may write
        who = self.owner if re.search("constraint|key_column", sql, re.IGNORECASE) else self.real
        result = who.pgconn.exec_params(sql.encode(), values)
        assert result.status in (2, 7), sql
        if result.status == 7:
            return ["error"], [(result.error_message.decode(),)]
        columns = [result.fname(i).decode() for i in range(result.nfields)]
        cells = [[result.get_value(r, c) for c in range(result.nfields)] for r in range(result.ntuples)]
        return columns, [tuple(None if cell is None else cell.decode() for cell in row) for row in cells]

    def ask_ours(self, sql: str, given: list[str | None]) -> tuple[list[str], list[tuple[str | None, ...]]] | None:
        """None where the catalogue is not asked."""
        back = {name: oid for oid, name in self.our_names.items()}
        ours = {str(oid): str(back[name]) for oid, name in self.names.items() if name in back and oid >= FIRST_OID}
        translated = re.sub(r"\b\d{5,10}\b", lambda found: ours.get(found[0], found[0]), sql)
        client = ClientContext(USER, DATABASE, 4711, {"jit": "on"})
        rewritten = self.catalogue.rewrite(translated, client)
        if rewritten is None or rewritten.cursor is None:
            return None
        with rewritten.cursor as cursor:
            cursor.execute(rewritten.sql, [_parameter(value, ours) for value in given])
            columns = [one[0] for one in cursor.description]
            types = rewritten.types or (None,) * len(columns)
            return columns, [tuple(map(_text, row, types)) for row in cursor.fetchall()]

    def compare(self, sql: str, given: list[str | None]) -> str | None:
        """What is different; None where nothing is."""
        columns, expected = self.ask_real(sql, given)
        try:
            answer = self.ask_ours(sql, given)
        except Exception as error:
            return f"{sql}\n{given}\n-> {error}"
        if answer is None:
            return None
        our_columns, rows = answer
        if columns != our_columns:
            return f"{sql}\n-> columns {our_columns}\ninstead of {columns}"
        ordered = sorted(_named(rows, self.our_names), key=str), sorted(_named(expected, self.names), key=str)
        if ordered[0] == ordered[1]:
            return None
        ours, theirs = (set(map(str, one)) for one in ordered)
        return (
            f"{sql}\n{given}\n-> {len(rows)} rows instead of {len(expected)};\n only ours: {sorted(ours - theirs)[:4]}\n"
            f" only theirs: {sorted(theirs - ours)[:4]}"
        )


def _parameter(value: str | None, ours: dict[str, str]) -> Any:
    if value is None:
        return None
    if value.startswith("{") and value.endswith("}"):
        return [_parameter(one.strip('"'), ours) for one in value[1:-1].split(",") if one]
    value = ours.get(value, value)
    return int(value) if re.fullmatch(r"-?\d+", value) else value


def _text(value: Any, kind: str | None = None) -> str | None:
    """A value as PostgreSQL writes it."""
    if isinstance(value, list) and kind in ("int2vector", "oidvector"):
        return " ".join(map(str, value))
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "t" if value else "f"
    if isinstance(value, list):
        return "{" + ",".join("NULL" if one is None else _element(_text(one) or "") for one in value) + "}"
    if isinstance(value, dict):
        return "(" + ",".join(_text(one) or "" for one in value.values()) + ")"
    if isinstance(value, float):
        return repr(value).removesuffix(".0")
    return value.isoformat() if isinstance(value, datetime) else str(value)


def _element(text: str) -> str:
    if text and not re.search(r'[{},"\\\s]', text) and text.upper() != "NULL":
        return text
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _named(rows: list[tuple[str | None, ...]], names: dict[int, str]) -> list[tuple[str | None, ...]]:
    """Rows with names in place of oids, which are every server's own."""

    def cell(value: str | None) -> str | None:
        if value is None:
            return None
        known = lambda found: names.get(int(found[0]), found[0]) if int(found[0]) >= FIRST_OID else found[0]  # noqa: E731
        value = re.sub(r"(?<!\d)\d{5,10}(?!\d)", known, value)
        return re.sub(r" DEFAULT .*", " DEFAULT", value)  # of parameters, which are DuckDB's expressions

    return [tuple(map(cell, row)) for row in rows]


RECORDED_VERSION = int(SERVER_VERSION.partition(".")[0])


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    programs = postgres_server.binaries()
    if programs is None:
        pytest.skip("needs a PostgreSQL server: apt-get install postgresql")
    path = tmp_path_factory.mktemp("shape") / "lake"
    brainlake.create(path).close()
    with Snapshots(path) as snapshots, snapshots.lease() as lease, postgres_server.running(programs) as server:
        if server.version != RECORDED_VERSION:
            pytest.skip(f"the catalogue is that of PostgreSQL {RECORDED_VERSION}, and this one is {server.version}")
        catalogue = Catalogue(lease.session)
        objects = catalogue.objects()
        postgres_shape.make_database(server, objects)
        owner = psycopg.connect(server.dsn(database=DATABASE), autocommit=True)
        owner.execute(f"alter role {postgres_server.OWNER} nologin")
        with owner, psycopg.connect(server.dsn(USER, DATABASE), autocommit=True) as real:
            names = dict(real.execute(OIDS).fetchall())
            ours = {oid: name for name, oid in _our_names(objects)}
            yield Pair(server, catalogue, real, owner, names, ours)


def _our_names(objects: Any) -> Iterator[tuple[str, int]]:
    yield f"role {USER}", role_oid(USER)
    yield f"database {DATABASE}", database_oid(DATABASE)
    for schema in objects.schemas:
        yield f"schema {schema}", objects.oid("schema", schema)
    for one in objects.functions:
        yield f"function {one.schema}.{one.name}", objects.oid("function", f"{one.schema}.{one.name}")
    for one in objects.relations:
        yield f"relation {one.qualified}", objects.oid("relation", one.qualified)
        yield f"type {one.qualified}", objects.oid("row type", one.qualified)
        yield f"type {one.schema}._{one.name}", objects.oid("array type", one.qualified)
        if one.key:
            yield f"relation {one.schema}.{one.name}_pkey", objects.oid("index", one.qualified)
            yield f"constraint {one.schema}.{one.name}_pkey", objects.oid("constraint", one.qualified)


END = "select 'all of a client is logged'"

# What tells of the server, of texts of views, which the shape has otherwise, and of columns that only a stored table has (ctid ...).
OTHERWISE = re.compile(r"\bversion\(\)|pg_get_viewdef|view_definition|FROM\s+pg_catalog.pg_attribute\s+ORDER BY")


def check(pair: Pair, drive: Callable[[Pair], None], at_least: int) -> None:
    """Drive a client against the real server, then ask what it has asked of both."""
    since = pair.server.log.stat().st_size
    drive(pair)
    pair.real.execute(END)
    while not (sent := pair.server.statements(since)) or sent[-1][0] != END:
        time.sleep(0.01)  # the log is written by another process
    asked = list(dict.fromkeys((sql, tuple(given)) for sql, given in sent[:-1]))
    different = [found for sql, given in asked if _is_query(sql) and (found := pair.compare(sql, list(given)))]
    assert not different, f"{len(different)} of {len(asked)} differ:\n\n" + "\n\n".join(different)
    assert sum(_is_query(sql) and pair.ask_ours(sql, list(given)) is not None for sql, given in asked) >= at_least


def _is_query(sql: str) -> bool:
    return re.match(r"\s*(select|with)\b", sql, re.IGNORECASE) is not None and not OTHERWISE.search(sql)


def test_the_record_is_what_the_server_says_of_itself(pair: Pair) -> None:
    assert system_catalogue.recorded(pair.real) == json.loads(system_catalogue.RECORD.read_text())


# What psql's commands show that a lake's catalogue has otherwise is left out: operators, casts, conversions, text
# search, and functions, which there are DuckDB's.
PSQL = [
    r"\d", r"\dt", r"\dt e*.*", r"\d ecephys.c*", r"\d+ ecephys.spike_trains", r"\d+ ecephys.good_units",
    r"\d rma.s*", r"\dv ccf.*", r"\dv+ ccf.*", r"\dn", r"\dn+", r"\l", r"\du", r"\du+", r"\dx", r"\dT",
    r"\di", r"\di ecephys.*", r"\dp ecephys.*", r"\dm", r"\ds", r"\dD", r"\dd", r"\db", r"\dy", r"\des",
    r"\det", r"\dew", r"\deu", r"\dRp", r"\dRs", r"\dX", r"\dP", r"\ddp", r"\drds", r"\dE", r"\dL", r"\dA", r"\dA+",
    r"\dvS information_schema.*", r"\dtS pg_catalog.*",
    r"\dT+ pg_catalog.int*", r"\df ecephys.*", r"\df", r"\dl",
]  # fmt: skip


@pytest.mark.parametrize("command", PSQL)
def test_psql_sees_what_it_sees_of_postgres(pair: Pair, command: str) -> None:
    if not shutil.which("psql"):
        pytest.skip("needs psql")
    check(pair, lambda pair: psql(None, pair.dsn(), command) and None, at_least=1)


def test_psql_completes_names_as_with_postgres(pair: Pair) -> None:
    pexpect = pytest.importorskip("pexpect", reason="needs pexpect")
    if not shutil.which("psql"):
        pytest.skip("needs psql")

    def drive(pair: Pair) -> None:
        child = pexpect.spawn("psql", ["-X", pair.dsn()], encoding="utf-8", timeout=60, dimensions=(50, 200))
        child.expect("lake=> ")
        for typed, completed in (
            ("select * from ecephys.good_u", "nits"),
            ("select session_id from ccf.structure_cl", "osure"),
            ("\\d ecephys.spike_t", "rains"),
            ("\\dv ecephys.good_u", "nits"),
            ("\\df behavior.screen_g", "aze"),
            ("\\dn morph", "ology"),
            ("set search_p", "ath"),
            ("select * from morph", "ology"),
            ("\\dT pg_catalog.int4r", "ange"),
        ):
            child.send(f"{typed}\t")
            child.expect(completed)
            child.send("\x15")  # the line away
        child.sendline("\\q")
        child.expect(pexpect.EOF)

    check(pair, drive, at_least=6)


@pytest.mark.parametrize(("tool", "sql"), QUERIES, ids=[f"{tool} {i}" for i, (tool, _) in enumerate(QUERIES)])
def test_tools_are_answered_as_by_postgres(pair: Pair, tool: str, sql: str) -> None:
    if "server_version" in sql or "version()" in sql:
        pytest.skip("tells of the server")
    difference = pair.compare(sql, [])
    assert difference is None, difference


def test_sqlalchemy_reflects_what_it_reflects_of_postgres(pair: Pair) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy", exc_type=ImportError)
    pytest.importorskip("psycopg2", exc_type=ImportError)

    def drive(pair: Pair) -> None:
        engine = sqlalchemy.create_engine(f"postgresql+psycopg2://{USER}@127.0.0.1:{pair.server.port}/{DATABASE}")
        inspector = sqlalchemy.inspect(engine)
        inspector.get_schema_names()
        inspector.has_table("spike_trains", schema="ecephys")
        inspector.get_enums(schema="*")
        inspector.get_domains(schema="ecephys")
        for schema in ("ecephys", None):
            given = {"schema": schema, "kind": sqlalchemy.engine.reflection.ObjectKind.ANY}
            inspector.get_table_names(schema=schema)
            inspector.get_view_names(schema=schema)
            inspector.get_materialized_view_names(schema=schema)
            inspector.get_sequence_names(schema=schema)
            inspector.get_multi_columns(**given)
            inspector.get_multi_pk_constraint(**given)
            inspector.get_multi_foreign_keys(**given)
            inspector.get_multi_indexes(**given)
            inspector.get_multi_unique_constraints(**given)
            inspector.get_multi_check_constraints(**given)
            inspector.get_multi_table_comment(**given)
            inspector.get_multi_table_options(**given)
        engine.dispose()
        inspector.clear_cache()
        sqlalchemy.MetaData().reflect(engine, schema="ccf", views=True)
        engine.dispose()

    check(pair, drive, at_least=20)


def test_sqlalchemy_reflects_through_asyncpg_by_parameters(pair: Pair) -> None:
    sqlalchemy = pytest.importorskip("sqlalchemy", exc_type=ImportError)
    pytest.importorskip("asyncpg", exc_type=ImportError)
    pytest.importorskip("greenlet", exc_type=ImportError)
    from sqlalchemy.ext.asyncio import create_async_engine

    async def ask() -> None:
        engine = create_async_engine(f"postgresql+asyncpg://{USER}@127.0.0.1:{pair.server.port}/{DATABASE}")
        async with engine.connect() as con:
            metadata = sqlalchemy.MetaData()
            await con.run_sync(lambda one: metadata.reflect(one, schema="ecephys", views=True))
        await engine.dispose()

    check(pair, lambda _: asyncio.run(ask()), at_least=10)


def test_psycopg_finds_types_as_of_postgres(pair: Pair) -> None:
    from psycopg.types import TypeInfo
    from psycopg.types.composite import CompositeInfo
    from psycopg.types.enum import EnumInfo
    from psycopg.types.range import RangeInfo

    def drive(pair: Pair) -> None:
        with psycopg.connect(pair.dsn(), autocommit=True) as con:
            assert TypeInfo.fetch(con, "float8").array_oid == 1022
            RangeInfo.fetch(con, "int4range")
            EnumInfo.fetch(con, "nothing")
            CompositeInfo.fetch(con, "ccf.structures")

    check(pair, drive, at_least=4)


def test_asyncpg_looks_types_up_as_of_postgres(pair: Pair) -> None:
    asyncpg = pytest.importorskip("asyncpg", exc_type=ImportError)

    async def ask() -> None:
        con = await asyncpg.connect(host="127.0.0.1", port=pair.server.port, user=USER, database=DATABASE)
        await con.fetch("select s from ccf.structures as s")  # a row type, which it must look up
        await con.fetch("select array_agg(s) from ccf.structures as s")
        await con.set_type_codec("json", encoder=str, decoder=str, schema="pg_catalog")
        await con.set_type_codec("structures", encoder=tuple, decoder=tuple, schema="ccf", format="tuple")
        await con.close()

    check(pair, lambda _: asyncio.run(ask()), at_least=3)


def test_adbc_lists_objects_as_of_postgres(pair: Pair) -> None:
    dbapi = pytest.importorskip("adbc_driver_postgresql.dbapi", exc_type=ImportError)

    def drive(pair: Pair) -> None:
        with dbapi.connect(f"postgresql://{USER}@127.0.0.1:{pair.server.port}/{DATABASE}") as con:
            con.adbc_get_objects(depth="all", db_schema_filter="ecephys").read_all()
            con.adbc_get_objects(depth="tables", table_types_filter=["view"]).read_all()
            con.adbc_get_table_schema("spike_trains", db_schema_filter="ecephys")
            con.adbc_get_table_types()

    check(pair, drive, at_least=5)


def test_odbc_lists_what_it_lists_of_postgres(pair: Pair) -> None:
    pyodbc = pytest.importorskip("pyodbc", exc_type=ImportError)
    drivers = [name for name in pyodbc.drivers() if "postgresql unicode" in name.lower()]
    if not drivers:
        pytest.skip("needs psqlODBC: apt-get install odbc-postgresql")

    def drive(pair: Pair) -> None:
        where = f"Driver={{{drivers[0]}}};Server=127.0.0.1;Port={pair.server.port};UID={USER};Database={DATABASE}"
        with pyodbc.connect(where, autocommit=True) as con:
            cursor = con.cursor()
            cursor.tables().fetchall()
            cursor.tables(schema="ecephys", tableType="TABLE,VIEW").fetchall()
            cursor.columns(schema="ecephys", table="spike_trains").fetchall()
            cursor.primaryKeys("spike_trains", schema="ecephys").fetchall()
            cursor.foreignKeys("spike_trains", schema="ecephys").fetchall()
            cursor.statistics("spike_trains", schema="ecephys").fetchall()
            cursor.rowIdColumns("spike_trains", schema="ecephys").fetchall()
            cursor.procedures(schema="ecephys").fetchall()
            cursor.procedureColumns(schema="ecephys").fetchall()
            cursor.getTypeInfo().fetchall()

    check(pair, drive, at_least=8)


def test_jdbc_tells_what_it_tells_of_postgres(pair: Pair) -> None:
    driver = jdbc_driver()

    def drive(pair: Pair) -> None:
        url = f"jdbc:postgresql://127.0.0.1:{pair.server.port}/{DATABASE}?user={USER}"
        run_java(driver, "Metadata", url, "ecephys", "spike_trains")

    check(pair, drive, at_least=15)
