"""A lake as a PostgreSQL server, asked message by message by a client written from the protocol's documentation."""

from __future__ import annotations

import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brainlake
import polars as pl
import pyarrow as pa
import pytest
from brainlake.lake.serve.postgres.server import SETTINGS, Server
from brainlake.lake.serve.snapshots import Snapshots
from brainlake.tests.fixtures import pg_wire
from brainlake.tests.fixtures.pg_wire import Wire, bind, close, describe, execute, parse

INT4, INT8, TEXT, DATE, FLOAT8 = 23, 20, 25, 1082, 701


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, engine: Any) -> Path:
    folder = Path(tmp_path_factory.mktemp("postgres")) / "lake"
    with brainlake.create(folder) as lake:
        engine.ingest(lake.catalog, "ecephys.session/7", {"ecephys.spike_trains": engine.trains(7, [70, 71, 72])})
        rows = {"n": range(1, 101), "half": [i / 2 for i in range(1, 101)], "label": [f"r{i}" for i in range(1, 101)]}
        lake.write("lab.numbers", pl.DataFrame(rows), key="n")
    return folder


@pytest.fixture(scope="module")
def server(path: Path) -> Iterator[Server]:
    with Snapshots(path, settings=SETTINGS) as snapshots, Server(snapshots, port=0) as server:
        yield server


@pytest.fixture
def wire(server: Server) -> Iterator[Wire]:
    with Wire(server.port, database="lake") as wire:
        yield wire


# -- the beginning ----------------------------------------------------------------------------------------------------


def test_a_client_is_told_what_drivers_look_at_first(wire: Wire) -> None:
    assert wire.hello.messages[0] == ("R", struct.pack("!i", 0))
    assert wire.hello.status == "I"
    told = {"server_encoding": "UTF8", "client_encoding": "UTF8", "DateStyle": "ISO, MDY", "integer_datetimes": "on",
            "standard_conforming_strings": "on", "TimeZone": "UTC", "default_transaction_read_only": "on"}  # fmt: skip
    assert {name: wire.settings[name] for name in told} == told
    assert int(wire.settings["server_version"].split(".")[0]) >= 14
    assert wire.key[0] > 0


def test_a_newer_minor_version_and_unknown_options_are_negotiated_away(server: Server) -> None:
    with Wire(server.port, minor="2", **{"_pq_.fancy": "1"}) as wire:
        (body,) = wire.hello.bodies("v")
        assert body == struct.pack("!ii", 3 << 16, 1) + b"_pq_.fancy\0"
        assert wire.ask("select 1").rows == [["1"]]


def test_another_major_version_is_refused(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 10) as sock:
        sock.sendall(struct.pack("!ii", 8, 2 << 16))
        answer = sock.recv(4096)
    assert answer[:1] == b"E"
    assert b"C0A000" in answer


def test_encryption_is_declined_where_there_is_no_certificate(server: Server) -> None:
    with socket.create_connection(("127.0.0.1", server.port), 10) as sock:
        for code in (80877103, 80877104):  # TLS, GSSAPI
            sock.sendall(struct.pack("!ii", 8, code))
            assert sock.recv(1) == b"N"
        sock.sendall(pg_wire.startup(user="ada"))
        assert sock.recv(1) == b"R"


def test_a_client_without_a_name_is_refused(server: Server) -> None:
    with Wire(server.port, user="") as wire:
        assert wire.hello.error["C"] == "28000"


def test_settings_come_with_the_startup_message_and_its_options(server: Server) -> None:
    options = r"-c statement_timeout=5s --extra-float-digits=3 -c application_name=two\ words"
    with Wire(server.port, options=options, DateStyle="ISO") as wire:
        assert wire.settings["application_name"] == "two words"
        assert wire.ask("show statement_timeout").rows == [["5s"]]
        assert wire.ask("show extra_float_digits").rows == [["3"]]
        wire.ask("set statement_timeout = '1min'")
        wire.ask("reset statement_timeout")  # to what the connection began with
        assert wire.ask("show statement_timeout").rows == [["5s"]]
    with Wire(server.port, options="-c nonsense=1") as wire:
        assert wire.hello.error["C"] == "42704"


# -- simple -----------------------------------------------------------------------------------------------------------


def test_a_simple_query_gives_its_columns_rows_and_tag(wire: Wire) -> None:
    reply = wire.ask("select n, half, label from lab.numbers where n <= 2 order by n")
    assert reply.kinds == "TDDCZ"
    assert reply.columns == [("n", INT8, 0), ("half", FLOAT8, 0), ("label", TEXT, 0)]
    assert reply.rows == [["1", "0.5", "r1"], ["2", "1.0", "r2"]]
    assert (reply.tags, reply.status) == (["SELECT 2"], "I")


def test_several_statements_are_answered_in_turn_and_an_error_ends_them(wire: Wire) -> None:
    reply = wire.ask("select 1; ; select 'a;b' as \"x;y\"; -- ;\n select $$;$$ /* ; */;")
    assert [r[0] for r in reply.rows] == ["1", "a;b", ";"]
    assert reply.kinds == "TDCTDCTDCZ"
    reply = wire.ask("select 1; select nope; select 2")
    assert reply.kinds == "TDCEZ"
    assert wire.ask("select 3").rows == [["3"]]


def test_a_text_without_a_statement_is_an_empty_query(wire: Wire) -> None:
    assert wire.ask("").kinds == "IZ"
    assert wire.ask(" ; -- nothing").kinds == "IZ"


def test_rows_come_in_the_order_asked_for(wire: Wire) -> None:
    reply = wire.ask("select i from range(100000) t(i) order by i desc")
    assert [int(row[0] or 0) for row in reply.rows] == list(range(99_999, -1, -1))


def test_columns_of_one_name_and_of_none_are_all_sent(wire: Wire) -> None:
    reply = wire.ask("select 1 as a, 2 as a, 3")
    assert [name for name, _, _ in reply.columns] == ["a", "a", "3"]
    assert reply.rows == [["1", "2", "3"]]


def test_duckdb_s_own_ways_to_ask_work_too(wire: Wire) -> None:
    assert wire.ask("from lab.numbers select sum(n) as s").rows == [["5050"]]
    assert wire.ask("describe lab.numbers").rows[0][:2] == ["n", "BIGINT"]
    pivot = "pivot (select n % 2 as odd, n from lab.numbers) on odd using count(*)"
    assert wire.ask(pivot).rows == [["50", "50"]] or len(wire.ask(pivot).rows) == 100
    assert wire.ask("values (1, 'x'), (2, 'y')").rows == [["1", "x"], ["2", "y"]]
    plan = wire.ask("explain select n from lab.numbers where n = 3")
    assert plan.columns[0][0] == "QUERY PLAN"
    assert "numbers" in str(plan.rows).lower() or "parquet" in str(plan.rows).lower()


def test_a_text_that_only_postgresql_reads_is_translated(wire: Wire) -> None:
    """DuckDB has neither the operator nor the function."""
    assert wire.ask("select 6 # 3, to_char(date '2020-03-04', 'YYYY-MM') for update").rows == [["5", "2020-03"]]
    assert wire.query("select to_char(date '2020-03-04', 'MM') = $1", b"03").rows == [["t"]]


# -- errors -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "code"),
    [
        ("selec 1", "42601"),
        ("select * from nowhere", "42P01"),
        ("select * from noschema.t", "3F000"),
        ("select nope from lab.numbers", "42703"),
        ("select x.n from lab.numbers", "42P01"),
        ("select nosuch(1)", "42883"),
        ("select sin('a', 2)", "42883"),
        ("select a.n from lab.numbers a join lab.numbers b on true where n = 1", "42702"),
        ("select n from lab.numbers group by half", "42803"),
        ("select 1//0", "22012"),
        ("select 300::tinyint", "22003"),
        ("select 9223372036854775807 + n from lab.numbers", "22003"),
        ("select 'x'::int", "22P02"),
        ("select (label || 'x')::int from lab.numbers", "22P02"),
        ("select '2020-13-45'::date", "22008"),
        ("select (select n from lab.numbers)", "21000"),
        ("select 1 union select 1, 2", "42601"),
        ("insert into lab.numbers values (1)", "25006"),
        ("with w as (delete from lab.numbers returning *) select * from w", "25006"),
        ("create table t (a int)", "25006"),
        ("copy lab.numbers from stdin", "25006"),
        ("copy lab.numbers to '/tmp/x'", "42501"),
        ("select * from read_text('/etc/passwd')", "42501"),
        ("select getenv('HOME')", "42501"),
        ("execute nothing", "26000"),
        ("fetch 1 from nothing", "34000"),
        ("show nothing", "42704"),
        ("set nothing = 1", "42704"),
        ("set server_version = '1'", "55P02"),
        ("set client_encoding = 'LATIN1'", "22023"),
        ("set role postgres", "42501"),
        ("rollback to nowhere", "25P01"),
        ("declare c cursor for select 1", "25P01"),
        ("select $1", "42P02"),
        ("set brainlake.snapshot = 999", "42704"),
        ("select error('unknown: there is no session 5')", "42704"),
        ("select error('absent: session 5 is not here: brainlake fetch it')", "P0002"),
    ],
)
def test_each_kind_of_mistake_has_its_sqlstate(wire: Wire, sql: str, code: str) -> None:
    error = wire.ask(sql).error
    assert error["C"] == code, error
    assert error["S"] == error["V"] == "ERROR"
    assert "Error:" not in error["M"]
    assert "LINE" not in error["M"]


@pytest.mark.parametrize(
    ("sql", "at"),
    [
        ("select nope from lab.numbers", "nope"),
        ("select 1;\n select 'é', n\n from lab.numbers where nope = 1", "nope"),
        ("select * fro lab.numbers", "lab"),
        ("select ' " + "y" * 300 + "', nope, '" + "z" * 300 + "' from lab.numbers", "nope"),
        ("select * from nowhere", "nowhere"),
        ("fetch sideways from c", "from"),
    ],
)
def test_an_error_points_into_the_text(wire: Wire, sql: str, at: str) -> None:
    reply = wire.ask(sql)
    assert int(reply.errors[-1]["P"]) == sql.index(at) + 1


def test_an_error_points_into_the_text_also_behind_parameters(wire: Wire) -> None:
    sql = "select $1::int, $2 || 'x', nope from lab.numbers where n = $3"
    assert int(wire.extended(parse(sql)).error["P"]) == sql.index("nope") + 1


def test_the_nearest_names_are_a_hint(wire: Wire) -> None:
    error = wire.ask("select * from lab.nombers").error
    assert "lab.numbers" in error["H"]
    assert "lab.numbers" not in error["M"]


def test_an_error_in_the_middle_of_an_answer_comes_after_its_first_rows(wire: Wire) -> None:
    reply = wire.ask("select case when i = 500000 then error('boom') else i end as x from range(1000000) t(i)")
    assert reply.error["C"] == "22023"
    assert reply.kinds[0] == "T"
    assert reply.kinds.endswith("EZ")
    assert wire.ask("select 1").rows == [["1"]]


# -- extended ---------------------------------------------------------------------------------------------------------


def test_a_statement_is_parsed_described_bound_and_run(wire: Wire) -> None:
    reply = wire.extended(
        parse("select n, label from lab.numbers where n = $1", "s"), describe("S", "s"),
        bind([b"5"], name="s", portal="p"), describe("P", "p"), execute(portal="p"), close("P", "p"), close("S", "s"),
    )  # fmt: skip
    assert reply.kinds == "1tT2TDC33Z"
    assert reply.parameters == [INT8]
    assert reply.rows == [["5", "r5"]]
    assert wire.extended(bind(name="s")).error["C"] == "26000"


def test_a_prepared_statement_runs_again_and_again(wire: Wire) -> None:
    wire.extended(parse("select n from lab.numbers where n = $1", "again"))
    for n in range(1, 6):
        assert wire.extended(bind([str(n).encode()], name="again"), execute()).rows == [[str(n)]]
    assert wire.extended(parse("select 1", "again")).error["C"] == "42P05"
    assert wire.extended(parse("select 1"), parse("select 2"), bind(), execute()).rows == [["2"]]  # the unnamed one


def test_after_an_error_everything_up_to_sync_is_left_out(wire: Wire) -> None:
    reply = wire.extended(parse("select nope"), bind(), execute(), parse("select 1"), bind(), execute())
    assert reply.kinds == "EZ"
    assert wire.query("select 1").rows == [["1"]]


def test_flush_brings_what_is_ready_without_sync(wire: Wire) -> None:
    wire.send(parse("select $1::date as d") + describe("S") + pg_wire.FLUSH)
    reply = wire.read("T")
    assert (reply.kinds, reply.parameters) == ("1tT", [DATE])
    assert wire.extended(bind([b"2020-02-03"]), execute()).rows == [["2020-02-03"]]


def test_a_portal_gives_some_rows_at_a_time(wire: Wire) -> None:
    wire.ask("begin")
    reply = wire.extended(parse("select n from lab.numbers order by n"), bind(portal="p"), execute(40, "p"))
    assert (len(reply.rows), reply.kinds[-2:]) == (40, "sZ")
    reply = wire.extended(execute(40, "p"))
    assert (reply.rows[0], len(reply.rows), reply.kinds[-2]) == (["41"], 40, "s")
    reply = wire.extended(execute(40, "p"))
    assert (reply.rows[-1], len(reply.rows), reply.tags) == (["100"], 20, ["SELECT 20"])
    assert wire.extended(execute(40, "p")).tags == ["SELECT 0"]
    wire.ask("commit")
    assert wire.extended(execute(1, "p")).error["C"] == "34000"


def test_two_portals_are_read_in_turn(wire: Wire) -> None:
    wire.ask("begin")
    wire.extended(
        parse("select i from range($1::bigint) t(i)", "r"), bind([b"50000"], name="r", portal="a"),
        bind([b"50000"], name="r", portal="b"),
    )  # fmt: skip
    seen: dict[str, list[int]] = {"a": [], "b": []}
    for _ in range(5):
        for portal in seen:
            seen[portal] += [int(row[0] or 0) for row in wire.extended(execute(10_000, portal)).rows]
    assert seen["a"] == seen["b"] == list(range(50_000))
    wire.ask("rollback")


def test_an_empty_statement_is_prepared_and_run(wire: Wire) -> None:
    assert wire.extended(parse(""), describe("S"), bind(), describe("P"), execute()).kinds == "1tn2nIZ"


def test_two_statements_in_one_parse_are_refused(wire: Wire) -> None:
    assert wire.extended(parse("select 1; select 2")).error["C"] == "42601"


@pytest.mark.parametrize(
    ("values", "formats", "code"),
    [([], [], "08P01"), ([b"1", b"2"], [], "08P01"), ([b"x"], [], "22P02"), ([b"\0\0"], [1], "22P03"),
     ([b"\xff"], [], "22021"), ([b"1"], [2], "22023"), ([b"1"], [0, 0], "08P01")],
)  # fmt: skip
def test_values_that_do_not_fit_a_statement_are_refused(
    wire: Wire, values: list[bytes], formats: list[int], code: str
) -> None:
    assert wire.extended(parse("select $1::int"), bind(values, formats)).error["C"] == code
    assert wire.ask("select 1").rows == [["1"]]


def test_function_calls_of_the_old_protocol_are_declined(wire: Wire) -> None:
    wire.send(pg_wire.message("F", b"\0" * 12) + pg_wire.SYNC)
    assert wire.read().error["C"] == "0A000"


# -- parameters' types ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sql", "oids"),
    [
        ("select n from lab.numbers where n = $1 and half > $2 and label like $3", [INT8, FLOAT8, TEXT]),
        ("select n from lab.numbers where n in ($1, $2) limit $3 offset $4", [INT8, INT8, INT8, INT8]),
        ("select n from lab.numbers where n = any($1) or label <> all($2)", [1016, 1009]),
        ("select n + $1, half * $2, $3 || label from lab.numbers", [INT8, FLOAT8, TEXT]),
        ("select case when n > $1 then $2 else half end from lab.numbers", [INT8, FLOAT8]),
        ("select $1::timestamp, $2::oid[], cast($3 as double precision)", [1114, 1028, FLOAT8]),
        ("select count(*) from lab.numbers having count(*) > $1", [INT8]),
        ("select date_trunc($1, date '2020-01-01'), date '2020-01-01' - $2", [TEXT, DATE]),
        ("select * from range($1)", [INT8]),
        ("select abs($1), $2 + $3", [FLOAT8, FLOAT8, FLOAT8]),
        ("select $1", [TEXT]),
        ("select spike_time from ecephys.spikes where unit_id = $1 and spike_time between $2 and $3",
         [INT8, FLOAT8, FLOAT8]),
        ("with u as (select session_id, unit_id from ecephys.spikes where unit_id = $1) select * from u limit $2",
         [INT8, INT8]),
    ],
)  # fmt: skip
def test_types_of_parameters_are_inferred_from_their_places(wire: Wire, sql: str, oids: list[int]) -> None:
    """As PostgreSQL infers them: a driver that encodes by them (asyncpg, Npgsql) cannot do without."""
    reply = wire.extended(parse(sql), describe("S"))
    assert not reply.errors, reply.errors
    assert reply.parameters == oids


def test_a_type_that_the_client_gives_stays(wire: Wire) -> None:
    reply = wire.extended(parse("select $1 as x, $2 as y", oids=[INT4, 0]), describe("S"))
    assert reply.parameters == [INT4, TEXT]
    assert [oid for _, oid, _ in reply.columns] == [INT4, TEXT]


def test_a_text_of_no_type_is_what_its_place_takes(wire: Wire) -> None:
    """A driver that sends texts alone (psycopg) relies on it."""
    assert wire.query("select n from lab.numbers where n = $1", b"7").rows == [["7"]]
    assert wire.query("select list_contains([1.5, 2.5], $1)", b"2.5").rows == [["t"]]
    assert wire.query("select max(n) from lab.numbers where label < $1", b"r2'; --").rows == [["100"]]
    assert wire.query("select $1 is null", None).rows == [["t"]]
    long = b"x" * 3_000_000
    assert wire.query("select length($1), $1 = repeat('x', 3000000)", long).rows == [["3000000", "t"]]


def test_a_value_is_no_way_around_admission(wire: Wire, path: Path) -> None:
    """A relation may be named by a value, a file not."""
    (file,) = path.glob("data/lab/numbers/*.parquet")
    for oids in ((), (TEXT,)):
        assert wire.query("select count(*) from query_table($1)", b"lab.numbers", oids=oids).rows == [["100"]]
        for value in (b"/etc/passwd", b"(select 1)"):
            assert wire.query("from query_table($1)", value, oids=oids).errors, value
        for function in ("query", "read_parquet", "read_text", "glob", "getenv"):
            assert wire.query(f"from {function}($1)", str(file).encode(), oids=oids).error["C"][:2] in ("42", "25")


def test_a_question_that_only_values_decide_is_bound_when_they_come(wire: Wire) -> None:
    """Relations by name, and ids that a macro looks up."""
    assert wire.query("select count(*) from query_table($1)", b"lab.numbers").rows == [["100"]]
    reply = wire.query("select $1::int / (case when $1 = 0 then error('wrong: zero') else 1 end) as x", b"6")
    assert reply.rows == [["6.0"]]
    reply = wire.query("with mine as (select n from lab.numbers) select sum(n) from query_table($1)", b"mine")
    assert reply.rows == [["5050"]]


# -- transactions -----------------------------------------------------------------------------------------------------


def test_the_status_follows_transactions(wire: Wire) -> None:
    assert wire.ask("begin").status == "T"
    reply = wire.ask("begin")
    assert (reply.notices[0]["C"], reply.status) == ("25001", "T")
    assert wire.ask("select nope").status == "E"
    assert wire.ask("select 1").error["C"] == "25P02"
    assert wire.extended(parse("select 1")).error["C"] == "25P02"
    reply = wire.ask("commit")
    assert (reply.tags, reply.status) == (["ROLLBACK"], "I")  # what failed cannot be committed
    assert wire.ask("rollback").notices[0]["C"] == "25P01"
    assert wire.ask("start transaction isolation level serializable, read only, deferrable; end").tags == [
        "START TRANSACTION", "COMMIT",
    ]  # fmt: skip
    assert wire.ask("begin read write").error["C"] == "25006"


def test_a_savepoint_takes_a_failure_back(wire: Wire) -> None:
    wire.ask("begin; savepoint a")
    assert wire.ask("select nope").status == "E"
    reply = wire.ask("rollback to savepoint a")
    assert (reply.tags, reply.status) == (["ROLLBACK"], "T")
    assert wire.ask("release a").tags == ["RELEASE"]
    assert wire.ask("release a").error["C"] == "3B001"
    wire.ask("rollback")


def test_a_failure_in_an_extended_batch_ends_its_transaction_too(wire: Wire) -> None:
    wire.ask("begin")
    assert wire.query("select 1//0").status == "E"
    assert wire.ask("rollback").status == "I"


# -- settings ---------------------------------------------------------------------------------------------------------


def test_settings_are_set_shown_reset_and_told(wire: Wire) -> None:
    wire.ask("set application_name to 'mine'")
    assert wire.settings["application_name"] == "mine"
    assert wire.ask("show application_name").rows == [["mine"]]
    wire.ask("set session statement_timeout = 1500; set time zone 'Europe/Berlin'; set names 'UTF8'")
    assert wire.ask("show statement_timeout; show time zone").rows == [["1500"], ["Europe/Berlin"]]
    wire.ask("reset all")
    assert wire.settings["application_name"] == ""
    assert wire.ask("show statement_timeout").rows == [["0"]]
    wire.ask("set my.own = 'x'")
    assert wire.ask("select current_setting('my.own')").rows == [["x"]]
    assert ["search_path", '"$user", public'] in [row[:2] for row in wire.ask("show all").rows]


def test_what_a_transaction_set_goes_with_it(wire: Wire) -> None:
    wire.ask("begin; set application_name = 'inside'; rollback")
    assert wire.settings["application_name"] == ""
    wire.ask("begin; set local application_name = 'here'")
    assert wire.settings["application_name"] == "here"
    wire.ask("commit")
    assert wire.settings["application_name"] == ""
    wire.ask("begin; set application_name = 'kept'; commit")
    assert wire.settings["application_name"] == "kept"
    wire.ask("discard all")
    assert wire.settings["application_name"] == ""


def test_statements_of_no_effect_are_taken(wire: Wire) -> None:
    reply = wire.ask("listen a; unlisten *; notify a, 'x'; analyze; lock table lab.numbers in access share mode")
    assert reply.tags == ["LISTEN", "UNLISTEN", "NOTIFY", "ANALYZE", "LOCK TABLE"]


# -- prepared statements and cursors of SQL ---------------------------------------------------------------------------


def test_statements_are_prepared_executed_and_deallocated_in_sql(wire: Wire) -> None:
    assert wire.ask("prepare q (bigint, text) as select n, $2 from lab.numbers where n = $1").tags == ["PREPARE"]
    assert wire.ask("execute q (3, 'it''s')").rows == [["3", "it's"]]
    assert wire.ask("execute q (2 + 2, lower('X'))").rows == [["4", "x"]]
    assert wire.extended(bind([b"6", b"y"], name="q"), execute()).rows == [["6", "y"]]  # one name space
    assert wire.ask("deallocate q; deallocate all").tags == ["DEALLOCATE", "DEALLOCATE ALL"]
    assert wire.ask("execute q (1, 'x')").error["C"] == "26000"


def test_a_cursor_is_read_in_steps(wire: Wire) -> None:
    wire.ask("begin; declare c no scroll cursor for select n from lab.numbers order by n")
    assert wire.ask("fetch c").rows == [["1"]]
    reply = wire.ask("fetch forward 3 from c")
    assert (reply.rows, reply.tags) == ([["2"], ["3"], ["4"]], ["FETCH 3"])
    assert wire.ask("move 90 in c").tags == ["MOVE 90"]
    assert wire.ask("fetch all from c").rows == [[str(n)] for n in range(95, 101)]
    assert wire.ask("fetch 5 from c").tags == ["FETCH 0"]
    assert wire.ask("fetch prior from c").error["C"] == "55000"
    wire.ask("rollback")
    assert wire.ask("fetch c").error["C"] == "34000"


def test_a_cursor_that_scrolls_goes_both_ways(wire: Wire) -> None:
    """Positions as PostgreSQL's documentation of FETCH has them."""
    wire.ask("begin; declare c scroll cursor for select n from lab.numbers where n <= 5 order by n")
    steps = {
        "fetch last from c": ["5"], "fetch prior from c": ["4"], "fetch relative -2 from c": ["2"],
        "fetch backward 5 from c": ["1"], "fetch backward 1 from c": [], "fetch next from c": ["1"],
        "fetch absolute 3 from c": ["3"], "fetch absolute -2 from c": ["4"], "fetch relative 0 from c": ["4"],
        "fetch 0 from c": ["4"], "fetch all from c": ["5"], "fetch next from c ": [],
        "fetch backward all from c": ["5", "4", "3", "2", "1"], "fetch first from c": ["1"],
        "fetch absolute 0 from c": [], "fetch forward 2 from c": ["1", "2"], "fetch -1 from c": ["1"],
        "fetch absolute 9 from c": [], "fetch backward 2 from c": ["5", "4"],
    }  # fmt: skip
    for statement, rows in steps.items():
        reply = wire.ask(statement)
        assert [row[0] for row in reply.rows] == rows, statement
        assert reply.tags == [f"FETCH {len(rows)}"], statement
    wire.ask("rollback")


def test_a_cursor_with_hold_outlives_its_transaction(wire: Wire) -> None:
    wire.ask("begin; declare h cursor with hold for select n from lab.numbers order by n; fetch 2 from h; commit")
    assert wire.ask("fetch h").rows == [["3"]]
    assert wire.ask("close h").tags == ["CLOSE CURSOR"]
    wire.ask("begin; declare h cursor with hold for select 1; rollback")
    assert wire.ask("fetch h").error["C"] == "34000"


def test_a_cursor_is_a_portal_of_the_protocol(wire: Wire) -> None:
    """psycopg's named cursors describe one so; binary columns are asked for when fetching."""
    wire.ask('begin; declare "My C" cursor for select n from lab.numbers order by n')
    assert wire.extended(describe("P", "My C")).columns == [("n", INT8, 0)]
    reply = wire.extended(parse('fetch 2 from "My C"'), bind(results=[1]), describe("P"), execute())
    assert reply.columns == [("n", INT8, 1)]
    assert [struct.unpack("!q", row[0] or b"") for row in reply.raw] == [(1,), (2,)]
    assert wire.ask('fetch 1 from "My C"').rows == [["3"]]  # in text again
    wire.ask("commit")


# -- COPY -------------------------------------------------------------------------------------------------------------


def copied(reply: pg_wire.Reply) -> bytes:
    assert not reply.errors, reply.errors
    assert reply.kinds.strip("CZ").startswith("H")
    return b"".join(reply.bodies("d"))


def test_copy_writes_text_as_postgresql_escapes_it(wire: Wire) -> None:
    sql = r"copy (select 1 as a, e'tab\there' || chr(10) || 'back\slash' as b, null as c, [1, 2] as d) to stdout"
    reply = wire.ask(sql)
    assert copied(reply) == b"1\ttab\\there\\nback\\\\slash\t\\N\t{1,2}\n"
    assert (reply.tags, reply.bodies("H")) == (["COPY 1"], [struct.pack("!bHhhhh", 0, 4, 0, 0, 0, 0)])
    assert len(wire.ask("copy lab.numbers to stdout").bodies("d")) == 100  # a message a row


@pytest.mark.parametrize(
    ("options", "lines"),
    [
        ("csv", [b'1,"a,""b""",,x']),
        ("(format csv, header true)", [b'n,"q,""",m,s', b'1,"a,""b""",,x']),
        ("csv header null 'NULL' delimiter ';'", [b'n;"q,""";m;s', b'1;"a,""b""";NULL;x']),
        ("(format csv, quote '''', escape '\\')", [b"1,'a,\"b\"',,x"]),
        ("(format csv, force_quote (n, s))", [b'"1","a,""b""",,"x"']),
        ("with csv force quote *", [b'"1","a,""b""",,"x"']),
        ("(delimiter '|', null '-')", [b'1|a,"b"|-|x']),
        ("(header)", [b'n\tq,"\tm\ts', b'1\ta,"b"\t\\N\tx']),
    ],
)
def test_copy_takes_the_options_of_postgresql(wire: Wire, options: str, lines: list[bytes]) -> None:
    sql = 'copy (select 1 as n, \'a,"b"\' as "q,""", null::varchar as m, \'x\' as s) to stdout ' + options
    assert copied(wire.ask(sql)) == b"".join(line + b"\n" for line in lines)


@pytest.mark.parametrize(
    "options",
    ["(format xml)", "(delimiter ',,')", "(format csv, delimiter '\"')", "(format binary, header)", "(nonsense)",
     "csv quote", "(null 'a\tb')", "(format csv, encoding 'LATIN1')", "(force_quote *)"],
)  # fmt: skip
def test_copy_refuses_options_that_make_no_sense(wire: Wire, options: str) -> None:
    assert wire.ask(f"copy (select 1) to stdout {options}").error["C"] in ("42601", "22023", "0A000")
    assert wire.ask("select 1").rows == [["1"]]


def test_copy_writes_binary(wire: Wire) -> None:
    """Layout by the documentation of COPY: signature, flags, extension, tuples, trailer."""
    data = copied(wire.ask("copy (select 7::bigint as a, 'xy' as b, null::int as c) to stdout (format binary)"))
    assert data == (
        b"PGCOPY\n\xff\r\n\0" + struct.pack("!ii", 0, 0) + struct.pack("!hiqi2si", 3, 8, 7, 2, b"xy", -1) + b"\xff\xff"
    )  # fmt: skip
    empty = copied(wire.ask("copy (select 1 where false) to stdout binary"))
    assert empty == b"PGCOPY\n\xff\r\n\0" + struct.pack("!iih", 0, 0, -1)


def test_copy_of_nothing_has_its_header_still(wire: Wire) -> None:
    assert copied(wire.ask("copy (select 1 as a where false) to stdout csv header")) == b"a\n"
    assert copied(wire.ask("copy lab.numbers (label, n) to stdout"))[:5] == b"r1\t1\n"


# -- cancelling -------------------------------------------------------------------------------------------------------

LONG = "select count(*) from range(1000000) a, range(1000000) b where a.range + b.range = 7"


def cancel(port: int, pid: int, secret: int) -> None:
    with socket.create_connection(("127.0.0.1", port), 10) as sock:
        sock.sendall(struct.pack("!iiII", 16, 80877102, pid, secret))
        assert sock.recv(1) == b""


def test_a_statement_is_cancelled_by_who_knows_its_secret(server: Server, wire: Wire) -> None:
    wire.send(pg_wire.message("Q", pg_wire.z(LONG)))
    time.sleep(0.3)
    cancel(server.port, wire.key[0], wire.key[1] ^ 1)
    cancel(server.port, wire.key[0] + 1, wire.key[1])
    wire.socket.settimeout(0.3)
    with pytest.raises(TimeoutError):
        wire.socket.recv(1, socket.MSG_PEEK)
    wire.socket.settimeout(30)
    cancel(server.port, *wire.key)
    assert wire.read().error["C"] == "57014"
    assert wire.ask("select 1").rows == [["1"]]
    cancel(server.port, *wire.key)  # nothing runs: nothing happens
    assert wire.ask("select 2").rows == [["2"]]


def test_a_cancelled_answer_stops_in_its_middle(server: Server, wire: Wire) -> None:
    wire.send(pg_wire.message("Q", pg_wire.z("select i, 'x' || i from range(1000000000) t(i)")))
    assert wire._one()[0] == "T"
    threading.Timer(0.2, cancel, (server.port, *wire.key)).start()
    assert wire.read().error["C"] == "57014"


def test_a_statement_takes_no_longer_than_its_client_allows(wire: Wire) -> None:
    started = time.monotonic()
    wire.ask("set statement_timeout = 200")
    assert wire.ask(LONG).error["C"] == "57014"
    assert time.monotonic() - started < 20
    assert wire.ask("select 1").rows == [["1"]]


# -- snapshots --------------------------------------------------------------------------------------------------------


@pytest.fixture
def moving(path: Path) -> Iterator[tuple[brainlake.Lake, Any]]:
    """The lake, and how to add a row to lab.moving and tell the new snapshot."""
    with brainlake.open(path) as lake:

        def write(n: int) -> int:
            lake.write("lab.moving", pa.table({"n": pa.array(range(n), pa.int64())}), key="n")
            return lake.snapshot

        yield lake, write


COUNT = "select count(*) from lab.moving"


def test_a_connection_moves_forward_between_statements(wire: Wire, moving: Any) -> None:
    _, write = moving
    write(1)
    assert wire.ask(COUNT).rows == [["1"]]
    wire.extended(parse(COUNT, "kept"))
    write(2)
    assert wire.ask(COUNT).rows == [["2"]]
    assert wire.extended(bind(name="kept"), execute()).rows == [["2"]]  # prepared before


def test_a_repeatable_transaction_stays_and_a_plain_one_moves(wire: Wire, moving: Any) -> None:
    _, write = moving
    write(3)
    wire.ask("begin isolation level repeatable read")
    assert wire.ask(COUNT).rows == [["3"]]
    write(4)
    assert wire.ask(COUNT).rows == [["3"]]
    wire.ask("commit; begin")
    assert wire.ask(COUNT).rows == [["4"]]
    write(5)
    assert wire.ask(COUNT).rows == [["5"]]
    wire.ask("commit")


def test_an_answer_stays_on_its_snapshot_while_it_is_read(wire: Wire, moving: Any) -> None:
    _, write = moving
    write(20_000)
    wire.ask("begin; declare c scroll cursor for select n from lab.moving order by n")
    wire.extended(parse("select n from lab.moving order by n"), bind(portal="p"), execute(10, "p"))
    write(7)
    assert wire.ask(COUNT).rows == [["7"]]
    assert len(wire.extended(execute(0, "p")).rows) == 19_990
    assert wire.ask("fetch last from c").rows == [["19999"]]
    wire.ask("commit")


def test_a_snapshot_is_chosen_by_database_startup_or_set(server: Server, wire: Wire, moving: Any) -> None:
    lake, write = moving
    old = write(8)
    lake.tag("eight")
    write(9)
    for parameters in ({"database": f"lake@{old}"}, {"database": "lake@eight"}, {"brainlake.snapshot": str(old)}):
        with Wire(server.port, **parameters) as pinned:
            assert pinned.ask(COUNT).rows == [["8"]]
            assert pinned.ask("show brainlake.snapshot").rows == [[str(old)]]
    with Wire(server.port, database="lake@998") as lost:
        assert lost.hello.error["S"] == "FATAL"
    wire.ask(f"set brainlake.snapshot = {old}")
    assert wire.ask(COUNT).rows == [["8"]]
    wire.ask("reset brainlake.snapshot")
    assert wire.ask(COUNT).rows == [["9"]]
    wire.ask(f"begin; set local brainlake.snapshot = {old}")
    assert wire.ask(COUNT).rows == [["8"]]
    wire.ask("commit")
    assert wire.ask(COUNT).rows == [["9"]]
