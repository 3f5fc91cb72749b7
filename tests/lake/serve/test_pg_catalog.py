"""What clients of PostgreSQL find of a lake in its catalogue: relations, columns, comments, keys, functions."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brainlake
import pyarrow as pa
import pytest
from brainlake.lake.errors import NotAdmittedError, QueryError
from brainlake.lake.serve.pg_catalog import SERVER_VERSION, Catalogue, ClientContext
from brainlake.lake.serve.pg_catalog.objects import FIRST_OID, LAST_OID
from brainlake.lake.serve.pg_catalog.rewriting import translate
from brainlake.lake.serve.pg_catalog.system import quote_ident, system
from brainlake.lake.serve.snapshots import Lease, Snapshots
from brainlake.tests.fixtures.tool_queries import QUERIES
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st


def rows_of(catalogue: Catalogue, sql: str, given: Any = (), **settings: str) -> list[tuple[Any, ...]]:
    client = ClientContext("alice", "lake", 4711, dict(settings))
    rewritten = catalogue.rewrite(sql, client)
    assert rewritten is not None, sql
    assert rewritten.cursor is not None, rewritten.sql
    with rewritten.cursor as cursor:
        return cursor.execute(rewritten.sql, list(given)).fetchall()


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("catalogue") / "lake"
    with brainlake.create(path) as lake:
        lake.write("lab.labels", pa.table({"unit_id": [1, 2], "Label": ["a", "b"]}), key=["unit_id"])
    return path


@pytest.fixture(scope="module")
def lease(path: Path) -> Iterator[Lease]:
    with Snapshots(path) as snapshots, snapshots.lease() as lease:
        yield lease


@pytest.fixture(scope="module")
def catalogue(lease: Lease) -> Catalogue:
    return Catalogue(lease.session)


# -- what there is --------------------------------------------------------------------------------------------------------


def test_a_column_comment_tells_what_it_means_and_its_unit(catalogue: Catalogue) -> None:
    question = """
        select col_description(a.attrelid, a.attnum), format_type(a.atttypid, a.atttypmod), a.attnotnull
        from pg_attribute a where a.attrelid = 'ecephys.running'::regclass and a.attname = 'speed'"""
    session_columns = "select description, unit from lake.columns where name = ? and column_name = ?"
    with catalogue._session.cursor("from lake.columns") as cursor:
        tables = cursor.execute("select name, column_name from lake.columns where unit = 'cm/s'").fetchall()
        name, column = tables[0]
        text, unit = cursor.execute(session_columns, [name, column]).fetchall()[0]
    question = question.replace("ecephys.running", name).replace("'speed'", f"'{column}'")
    assert rows_of(catalogue, question)[0][:2] == (f"{text} ({unit})", "double precision")


def test_tables_are_tables_with_their_keys_and_views_are_views_with_their_text(catalogue: Catalogue) -> None:
    kinds = dict(rows_of(catalogue, "select oid::regclass::text, relkind from pg_class where relkind in ('r', 'v')"))
    assert kinds["ecephys.spike_trains"] == "r"
    assert kinds["ecephys.good_units"] == "v"
    assert kinds["lake.ingests"] == "r"
    (definition,) = rows_of(catalogue, "select pg_get_viewdef('ecephys.good_units'::regclass)")[0]
    assert definition.strip().startswith("select")
    key = """
        select conname, pg_get_constraintdef(oid), conindid::regclass::text from pg_constraint
        where conrelid = 'ecephys.spike_trains'::regclass"""
    assert rows_of(catalogue, key) == [
        ("spike_trains_pkey", "PRIMARY KEY (session_id, time_block, unit_id)", "ecephys.spike_trains_pkey")
    ]
    index = "select pg_get_indexdef(indexrelid), pg_get_indexdef(indexrelid, 2, true), indkey[1] from pg_index"
    assert rows_of(catalogue, f"{index} where indrelid = 'ecephys.spike_trains'::regclass") == [
        (
            "CREATE UNIQUE INDEX spike_trains_pkey ON ecephys.spike_trains"
            " USING btree (session_id, time_block, unit_id)",
            "time_block",
            2,
        )
    ]


def test_a_table_of_a_user_has_its_rows_size_and_not_null_columns(catalogue: Catalogue) -> None:
    told = "select reltuples, pg_table_size(oid) > 0, pg_total_relation_size('lab.labels') from pg_class where relname = %s"
    (row,) = rows_of(catalogue, told.replace("%s", "'labels'"))
    assert row[:2] == (2.0, True)
    columns = "select column_name, is_nullable from information_schema.columns where table_schema = 'lab'"
    assert rows_of(catalogue, columns) == [  # in order, as PostgreSQL's do, though nobody asked for one
        ("unit_id", "NO"), ("Label", "YES"), ("ingest_id", "NO")
    ]  # fmt: skip


def test_functions_tell_their_parameters_with_defaults(catalogue: Catalogue) -> None:
    told = """
        select pg_get_function_arguments(p.oid), pg_get_function_result(p.oid), l.lanname, obj_description(p.oid, 'pg_proc')
        from pg_proc p join pg_namespace n on n.oid = pronamespace join pg_language l on l.oid = prolang
        where nspname || '.' || proname = '{}'"""
    (macro,) = rows_of(catalogue, told.format("behavior.screen_gaze"))
    assert macro[:3] == (
        'session "any", include_filtered "any" DEFAULT false, corrected "any" DEFAULT false', "SETOF record", "sql"
    )  # fmt: skip
    assert macro[3].startswith("one frame of the eye camera")
    (kernel,) = rows_of(catalogue, told.format("public.correlogram"))
    assert kernel[1:3] == ("bigint[]", "internal")
    routines = "select count(*) from information_schema.routines where routine_schema = 'ecephys'"
    assert rows_of(catalogue, routines)[0][0] > 20
    parameters = "select parameter_name from information_schema.parameters where specific_name like 'screen\\_gaze%' order by ordinal_position"
    assert [name for (name,) in rows_of(catalogue, parameters)] == ["session", "include_filtered", "corrected"]


def test_every_relation_of_postgres_is_there_with_its_columns(catalogue: Catalogue) -> None:
    for name, relation in system().relations.items():
        rewritten = catalogue.rewrite(f"select * from {name} limit 1", ClientContext("alice", "lake", 1))
        assert rewritten is not None
        assert rewritten.cursor is not None
        with rewritten.cursor as cursor:
            columns = [one[0] for one in cursor.execute(rewritten.sql).description]
        assert columns == [column.name for column in relation.columns], name


def test_every_function_of_the_catalogue_can_be_called(catalogue: Catalogue) -> None:
    con = catalogue._current().connection
    listed = "select function_name, parameters, function_type from duckdb_functions() where schema_name = 'pg'"
    known = con.execute(listed).fetchall()
    assert len(known) > 150
    with con.cursor() as cursor:
        for name, parameters, kind in known:
            nulls = ", ".join("null::bigint[]" if name == "oidvectortypes" else "null" for _ in parameters)
            cursor.execute(f'from pg."{name}"({nulls})' if kind == "table_macro" else f'select pg."{name}"({nulls})')


# -- oids -----------------------------------------------------------------------------------------------------------------


def test_oids_are_the_same_in_every_process_and_of_one_thing_only(catalogue: Catalogue, path: Path) -> None:
    oids = catalogue.objects().oids
    assert len(set(oids.values())) == len(oids)
    assert all(FIRST_OID <= oid <= LAST_OID for oid in oids.values())
    code = f"""
from brainlake.lake.serve.pg_catalog import Catalogue
from brainlake.lake.serve.snapshots import Snapshots
with Snapshots({str(path)!r}) as snapshots, snapshots.lease() as lease:
    print(Catalogue(lease.session).objects().oid('relation', 'ecephys.units'))"""
    other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert int(other) == oids["relation ecephys.units"]


def test_a_name_that_is_written_in_another_case_must_be_quoted(catalogue: Catalogue) -> None:
    assert rows_of(catalogue, "select to_regclass('ECEPHYS.Units') = to_regclass('ecephys.units')") == [(True,)]
    assert rows_of(catalogue, "select to_regclass('\"Ecephys\".units'), to_regclass('ecephys.nothing')") == [
        (None, None)
    ]
    with pytest.raises(Exception, match=r'relation "ecephys.nothing" does not exist'):
        rows_of(catalogue, "select 'ecephys.nothing'::regclass")


# -- what a client is told of itself --------------------------------------------------------------------------------------


def test_the_client_is_told_who_and_where_it_is(catalogue: Catalogue) -> None:
    who = "select current_user, session_user, user, current_database(), current_catalog, current_schema(), pg_backend_pid()"
    assert rows_of(catalogue, who) == [("alice", "alice", "alice", "lake", "lake", "public", 4711)]
    (version,) = rows_of(catalogue, "select version()")[0]
    assert version.startswith(f"PostgreSQL {SERVER_VERSION} (brainlake ")
    roles = "select rolname, rolsuper, rolcanlogin from pg_roles order by 1"
    assert rows_of(catalogue, roles) == [("alice", False, True), ("brainlake", True, False)]
    assert rows_of(catalogue, "select datname, pid, usename from pg_stat_activity") == [("lake", 4711, "alice")]


def test_it_may_read_everything_and_write_nothing(catalogue: Catalogue) -> None:
    asked = """
        select has_table_privilege('ecephys.units', 'select'), has_table_privilege(current_user, 'ecephys.units', 'insert'),
            has_schema_privilege('ecephys', 'usage'), has_schema_privilege('ecephys', 'create'),
            has_database_privilege('lake', 'connect'), has_table_privilege('ecephys.units', 'insert, select')"""
    assert rows_of(catalogue, asked) == [(True, False, True, False, True, True)]


def test_settings_are_the_clients_own_and_set_config_changes_them(catalogue: Catalogue) -> None:
    client = ClientContext("alice", "lake", 1, {"application_name": "plot"})
    rewritten = catalogue.rewrite(
        "select current_setting('application_name') as old, set_config('application_name', 'table', false) as new",
        client,
    )
    assert rewritten is not None
    assert rewritten.cursor is not None
    assert rewritten.cursor.execute(rewritten.sql).fetchall() == [("plot", "table")]
    assert client.settings["application_name"] == "table"
    shown = "select setting from pg_settings where name = 'application_name'"
    assert rows_of(catalogue, shown, application_name="x") == [("x",)]
    assert rows_of(catalogue, "select current_setting('no.such', true)") == [(None,)]
    with pytest.raises(Exception, match=r'unrecognized configuration parameter "no.such"'):
        rows_of(catalogue, "select current_setting('no.such')")


def test_what_is_visible_and_how_it_is_named_follows_the_search_path(catalogue: Catalogue) -> None:
    named = "select 'ecephys.units'::regclass::text, pg_table_is_visible('ecephys.units'::regclass), current_schema()"
    assert rows_of(catalogue, named) == [("ecephys.units", False, "public")]
    assert rows_of(catalogue, named, search_path="ecephys, ccf") == [("units", True, "ecephys")]
    assert rows_of(catalogue, named, search_path='"$user", nowhere') == [("ecephys.units", False, None)]
    bare = "select 'units'::regclass = 'icephys.cells'::regclass, to_regclass('units') = to_regclass('ecephys.units')"
    assert rows_of(catalogue, bare, search_path="icephys, ecephys")[0][1] is True


def test_a_question_to_the_lake_keeps_its_text_but_for_what_stands_for_the_client(catalogue: Catalogue) -> None:
    client = ClientContext("o'neil", "lake", 9, {})
    question = "select session_id // 2 as half, current_user, version() from ecephys.units where x = $1 -- current_user"
    rewritten = catalogue.rewrite(question, client)
    assert rewritten is not None
    assert rewritten.cursor is None
    assert rewritten.sql.startswith("select session_id // 2 as half, 'o''neil' as \"current_user\", 'PostgreSQL ")
    assert rewritten.sql.endswith("from ecephys.units where x = $1 -- current_user")


def test_bare_names_in_a_question_are_found_along_the_search_path(catalogue: Catalogue) -> None:
    question = """
        with cells as (select 1 as unit_id), u as (from units) -- units
        select labels."Label", 'units' from labels join u using (unit_id), cells, lab.labels as l, psth('units', 'f') as p
        where models.is_stable(1) and l.unit_id in (select unit_id from Labels)"""
    client = ClientContext("alice", "lake", 1, {"search_path": '"$user", lab, ecephys, icephys'})
    rewritten = catalogue.rewrite(question, client)
    assert rewritten is not None
    assert rewritten.cursor is None
    assert rewritten.sql == question.replace("from units)", 'from "ecephys".units)').replace(
        "from labels join", 'from "lab".labels join'
    ).replace("psth(", '"ecephys".psth(').replace("from Labels)", 'from "lab".Labels)')  # fmt: skip
    assert catalogue.rewrite(question, ClientContext("alice", "lake", 1, {"search_path": '"$user", public'})) is None


@pytest.mark.parametrize(
    "question",
    [
        "select 1",
        "from ecephys.units",
        "select user, version from lab.labels",
        "select 'pg_class', 'current_user' from lab.labels",
        "select t.current_user from lab.labels as t",
        "select pg_x from ecephys.psth('units', 'flashes')",
        "with pg_class as (select 1 as relname) select * from pg_class",
        "insert into pg_class values (1)",
        "set search_path = pg_catalog",
        "this is no sql about pg_class",
        "",
    ],
)
def test_what_is_not_about_the_catalogue_is_left_alone(catalogue: Catalogue, question: str) -> None:
    assert catalogue.rewrite(question, ClientContext("alice", "lake", 1)) is None


def test_a_query_of_both_the_lake_and_the_catalogue_is_refused_in_a_line(catalogue: Catalogue) -> None:
    with pytest.raises(QueryError, match=r"ecephys.units is the lake's and pg_class the catalogue's"):
        catalogue.rewrite("select * from pg_class, ecephys.units", ClientContext("alice", "lake", 1))


# -- safe -----------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "hostile",
    [
        "with w as (delete from pg_class returning *) select * from w",
        "with w as (insert into pg_class select * from pg_class returning *) select * from w",
        "select * from pg_class, read_csv('/etc/passwd')",
        "select * from pg_class where relname = (select content from read_text('/etc/passwd'))",
        "select * from pg_class, glob('/etc/*')",
        "select getenv('HOME') from pg_class",
        "select * from pg_class; drop table pg_class",
        "select * from pg_class, query('select 1')",
        "select * from pg_class, pragma_database_size()",
    ],
)
def test_the_catalogue_reads_nothing_but_itself(catalogue: Catalogue, hostile: str) -> None:
    before = rows_of(catalogue, "select count(*) from pg_class")
    client = ClientContext("alice", "lake", 1)
    try:
        rewritten = catalogue.rewrite(hostile, client)
    except (NotAdmittedError, QueryError):
        rewritten = None
    if rewritten is not None and rewritten.cursor is not None:
        with pytest.raises(Exception, match=r"disabled|[Pp]ermission|not exist|not allowed"):
            rewritten.cursor.execute(rewritten.sql).fetchall()
    assert rows_of(catalogue, "select count(*) from pg_class") == before


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(
    st.sampled_from(QUERIES),
    st.floats(0, 1),
    st.floats(0, 1),
    st.sampled_from(["", " ", "'", '"', "(", ")", ",", "::", "$$", "\x00", "/*", "pg_catalog."]),
)
def test_any_piece_of_a_query_is_translated_or_left_alone(
    query: tuple[str, str], start: float, end: float, between: str
) -> None:
    sql = query[1]
    piece = sql[: int(start * len(sql))] + between + sql[int(end * len(sql)) :]
    with contextlib.suppress(QueryError):  # "one query cannot ask both"
        translate(piece)


def test_long_and_deep_texts_take_no_time(catalogue: Catalogue) -> None:
    client = ClientContext("alice", "lake", 1, {"search_path": "ecephys"})
    assert catalogue.rewrite(f"select pg_class, '{'x' * 20_000_000}'", client) is None
    deep = f"select {'(' * 30_000}current_user{')' * 30_000}"
    rewritten = catalogue.rewrite(deep, client)
    assert rewritten is not None
    assert rewritten.sql == deep.replace("current_user", "'alice'")
    many = f"select {', '.join(['current_user'] * 10_000)} from lab.labels"
    rewritten = catalogue.rewrite(many, client)
    assert rewritten is not None
    assert rewritten.sql.count("'alice'") == 10_000


# -- how it is shown ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("expression", "name", "value"),
    [
        ("relname", "relname", "pg_am"),
        ("upper(relname)", "upper", "PG_AM"),
        ("relname::text", "relname", "pg_am"),
        ("'x'::text", "text", "x"),
        ("1::int8", "int8", 1),
        ("case when true then relkind end", "case", "r"),
        ("case when false then 'x' else relkind end", "relkind", "r"),
        ("1 + relnatts", "?column?", 5),
        ("coalesce(relname, 'x')", "coalesce", "pg_am"),
        ("(select nspname from pg_namespace n where n.oid = relnamespace)", "nspname", "pg_catalog"),
        ("exists (select 1)", "exists", True),
        ("array[1, 2]", "array", [1, 2]),
        ("count(*) over ()", "count", 1),
        ("pg_catalog.format_type(23, null)", "format_type", "integer"),
        ("relname as \"Name\"", "Name", "pg_am"),
        ("relname AS NAME", "name", "pg_am"),
        ("relam::regclass", "relam", "2"),
        ("tableoid::regclass", "tableoid", "pg_class"),
        ("to_regclass('ecephys.units')", "to_regclass", "ecephys.units"),
        ("to_regtype('int4')", "to_regtype", "integer"),
        ("c.relname", "relname", "pg_am"),
        ("pg_class_.x", "x", 1),
    ],
)  # fmt: skip
def test_columns_are_called_as_postgres_calls_them(
    catalogue: Catalogue, expression: str, name: str, value: Any
) -> None:
    sql = f"select {expression} from pg_class c, (select 1 as x) pg_class_ where c.relname = 'pg_am'"
    rewritten = catalogue.rewrite(sql, ClientContext("alice", "lake", 1))
    assert rewritten is not None
    assert rewritten.cursor is not None
    with rewritten.cursor as cursor:
        cursor.execute(rewritten.sql)
        assert [one[0] for one in cursor.description] == [name]
        assert cursor.fetchall() == [(value,)]


def test_types_of_the_result_that_duckdb_has_not_are_told(catalogue: Catalogue) -> None:
    sql = "select oid, relname, relkind, relnatts, 'pg_am'::regclass, relacl from pg_class"
    rewritten = catalogue.rewrite(sql, ClientContext("alice", "lake", 1))
    assert rewritten is not None
    assert rewritten.types == ("oid", "name", "char", None, "regclass", None)
    starred = catalogue.rewrite("select * from pg_am", ClientContext("alice", "lake", 1))
    assert starred is not None
    assert starred.types == ("oid", "name", "regproc", "char")


def test_parameters_stay_where_they_were(catalogue: Catalogue) -> None:
    by_name = "select relname from pg_class where relname like $1 and relnatts > $2 and oid = any($3::oid[])"
    oid = catalogue.objects().oid("relation", "ecephys.spike_trains")
    assert rows_of(catalogue, by_name, ["spike\\_%", 3, [oid, 5]]) == [("spike_trains",)]


def test_names_are_quoted_only_where_they_must_be() -> None:
    assert [quote_ident(name) for name in ("units", "Units", "select", "a b", 'q"q', "name", "int", "_x9$")] == [
        "units", '"Units"', '"select"', '"a b"', '"q""q"', "name", '"int"', "_x9$"
    ]  # fmt: skip


# -- as the lake moves ----------------------------------------------------------------------------------------------------


def test_a_new_table_is_found_once_the_session_has_moved_to_it(tmp_path: Path) -> None:
    path = tmp_path / "lake"
    brainlake.create(path).close()
    with Snapshots(path) as snapshots, snapshots.lease() as lease:
        catalogue = Catalogue(lease.session)
        asked = "select table_name from information_schema.tables where table_schema = 'lab'"
        old = catalogue.rewrite(asked, ClientContext("alice", "lake", 1))
        assert old is not None
        assert old.cursor is not None
        with brainlake.open(path) as lake:
            lake.write("lab.labels", pa.table({"unit_id": [1, 2]}), key=["unit_id"])
        assert rows_of(catalogue, asked) == []
        lease.refresh()
        assert rows_of(Catalogue(lease.session), asked) == [("labels",)]
        assert old.cursor.execute(old.sql).fetchall() == []  # a client in the middle keeps what it saw


def test_more_rows_of_a_table_are_told_without_making_the_catalogue_anew(tmp_path: Path) -> None:
    path = tmp_path / "lake"
    with brainlake.create(path) as lake:
        lake.write("lab.labels", pa.table({"unit_id": [1, 2]}), key=["unit_id"])
    with brainlake.open(path) as lake:
        catalogue = Catalogue(lake._session)
        asked = """
            select reltuples, pg_table_size(oid), relpages, txid_current() from pg_class
            where oid = 'lab.labels'::regclass"""
        before, built = rows_of(catalogue, asked)[0], catalogue._current()
        with brainlake.open(path) as other:
            other.write("lab.labels", pa.table({"unit_id": range(3, 100_000)}), key=["unit_id"])
        lake.refresh()
        after = rows_of(catalogue, asked)[0]
        assert catalogue._current() is built
    assert before[0] == 2.0
    assert after[0] > before[0]
    assert after[1] > before[1]
    assert after[2] > before[2]
    assert after[3] == before[3] + 1


def test_many_clients_ask_at_once(catalogue: Catalogue) -> None:
    wrong: list[object] = []

    def ask(user: str) -> None:
        client = ClientContext(user, "lake", 1)
        for _ in range(10):
            rewritten = catalogue.rewrite("select current_user, count(*) from pg_class where relkind = 'v'", client)
            assert rewritten is not None
            assert rewritten.cursor is not None
            with rewritten.cursor as cursor:
                (row,) = cursor.execute(rewritten.sql).fetchall()
            if row[0] != user or row[1] < 200:
                wrong.append(row)

    threads = [threading.Thread(target=ask, args=(f"user{i}",)) for i in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong
