"""A lake as a Flight SQL server, asked by a client of its own makers: ADBC's, and what rests on it."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import brainlake
import numpy as np
import polars as pl
import pyarrow as pa
import pytest
from brainlake.lake.serve.exposure import Tls
from brainlake.lake.serve.flight.answers import Limits
from brainlake.lake.serve.flight.server import Server
from brainlake.lake.serve.snapshots import Snapshots
from brainlake.lake.serve.users import Users, Verifier
from brainlake.tests.fixtures.serving import make_certificate, one_of_everything

dbapi = pytest.importorskip("adbc_driver_flightsql.dbapi", reason="pip install adbc-driver-flightsql")
from adbc_driver_flightsql import DatabaseOptions  # noqa: E402

HEADER = DatabaseOptions.RPC_CALL_HEADER_PREFIX.value + "x-brainlake-snapshot"
Serve = Callable[..., Server]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory, engine: Any) -> Path:
    folder = tmp_path_factory.mktemp("flight") / "lake"
    with brainlake.create(folder) as lake:
        rows = {"ecephys.spike_trains": engine.trains(7, [70, 71, 72])}
        engine.ingest(lake.catalog, "ecephys.session/7", rows)
        lake.write("lab.everything", one_of_everything(), key="row_id")
        n = 300_000
        lake.write(
            "lab.many", pa.table({"i": np.arange(n), "x": np.arange(n) / 2, "s": [f"n{i % 97}" for i in range(n)]})
        )
    return folder


@pytest.fixture(scope="module")
def snapshots(path: Path) -> Iterator[Snapshots]:
    with Snapshots(path) as snapshots:
        yield snapshots


@pytest.fixture
def serve(snapshots: Snapshots) -> Iterator[Serve]:
    """Makes servers that stop with the test."""
    servers: list[Server] = []

    def serve(**how: Any) -> Server:
        servers.append(Server(how.pop("snapshots", snapshots), port=0, **how))
        return servers[-1]

    yield serve
    for server in servers:
        server.stop()


@pytest.fixture
def connection(serve: Serve) -> Iterator[Any]:
    with dbapi.connect(serve().uri) as connection:
        yield connection


def ask(connection: Any, query: str, parameters: Any = None) -> pa.Table:
    with connection.cursor() as cursor:
        cursor.execute(query, parameters)
        return cursor.fetch_arrow_table()


# -- answers ----------------------------------------------------------------------------------------------------------


def test_every_type_of_the_lake_arrives_as_it_is(connection: Any) -> None:
    stored = one_of_everything()
    got = ask(connection, "select * exclude (ingest_id) from lab.everything order by row_id")
    assert got.schema.types == stored.schema.types
    assert got.slice(1).to_pylist() == stored.slice(1).to_pylist()
    first, expected = got.slice(0, 1).to_pylist()[0], stored.slice(0, 1).to_pylist()[0]
    assert math.isnan(first["numbers"][1])
    assert {k: v for k, v in first.items() if k != "numbers"} == {k: v for k, v in expected.items() if k != "numbers"}


def test_units_travel_with_the_answer(connection: Any) -> None:
    got = ask(connection, "select unit_id, spike_time, spike_time * 2 as doubled from ecephys.spikes")
    assert got.schema.field("spike_time").metadata[b"unit"] == b"s"
    assert got.schema.field("spike_time").metadata[b"ARROW:FLIGHT:SQL:TYPE_NAME"] == b"DOUBLE"
    assert b"unit" not in got.schema.field("doubled").metadata
    assert got.num_rows == 9


def test_views_macros_and_kernels_answer(connection: Any) -> None:
    got = ask(
        connection,
        """
        with units as (select 7 as session_id, 70 as unit_id),
             windows as (select 7 as session_id, 1 as window_id, 0.0 as start_time, 1.0 as stop_time)
        select spike_count from ecephys.spike_counts('units', 'windows')""",
    )
    assert got["spike_count"].to_pylist() == [3]  # as the fixture made them


def test_an_answer_of_no_rows_has_its_columns(connection: Any) -> None:
    got = ask(connection, "select i, s from lab.many where i < 0")
    assert (got.num_rows, got.schema.types) == (0, [pa.int64(), pa.string()])


def test_a_large_answer_comes_whole_and_in_parts(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute("select i, x, s from lab.many")
        batches = list(cursor.fetch_record_batch())
    assert len(batches) > 1
    table = pa.Table.from_batches(batches)
    assert sum(table["i"].to_pylist()) == 300_000 * 299_999 // 2
    assert set(table["s"].to_pylist()) == {f"n{i}" for i in range(97)}


def test_rows_of_long_lists_come_in_messages_that_a_client_takes(connection: Any) -> None:
    """100 rows of 1.6 MB: as one batch the driver would refuse it at 16 MiB."""
    got = ask(connection, "select r.i, list_transform(range(200_000), lambda x: x + r.i) as l from range(100) as r(i)")
    assert got.num_rows == 100
    assert [row[-1].as_py() for row in got["l"]] == [199_999 + i for i in got["i"].to_pylist()]


def test_repeated_names_of_columns_are_numbered(connection: Any) -> None:
    assert ask(connection, "select 1 as a, 2 as a").column_names == ["a", "a_1"]


def test_polars_reads_the_database(connection: Any) -> None:
    frame = pl.read_database("select i, x from lab.many where i % 100_000 = 1 order by i", connection)
    assert frame.rows() == [(1, 0.5), (100_001, 50_000.5), (200_001, 100_000.5)]


# -- parameters -------------------------------------------------------------------------------------------------------


def test_values_are_bound_by_place_and_by_name(connection: Any) -> None:
    query = "select i from lab.many where x = ? or s = ? and i < ? order by i"
    assert ask(connection, query, (4.5, "n3", 200))["i"].to_pylist() == [3, 9, 100, 197]
    assert ask(connection, "select $2 as b, $1 as a", ("first", 2)).to_pylist() == [{"b": 2, "a": "first"}]
    named = pa.record_batch({"low": [5], "high": [7]})
    by_name = ask(connection, "select i from lab.many where i between $low and $high order by i", named)
    assert by_name["i"].to_pylist() == [5, 6, 7]
    swapped = pa.record_batch({"high": [7], "low": [5]})
    assert ask(connection, "select $low as low, $high as high", swapped).to_pylist() == [{"low": 5, "high": 7}]


@pytest.mark.parametrize(
    "value", [None, True, -(2**63), 2.5, "it's", b"\x00\x01", datetime(2020, 1, 2, 3, 4, 5, 678901), [1, None], ["x"]]
)
def test_a_value_comes_back_as_it_went(connection: Any, value: Any) -> None:
    bound = pa.record_batch({"1": pa.array([value])})
    assert ask(connection, "select ? as v", bound)["v"].to_pylist() == [value]


def test_a_statement_runs_with_each_set_of_values_in_turn(connection: Any) -> None:
    sets = pa.record_batch({"1": [3, 1, 2]})
    assert ask(connection, "select i, s from lab.many where i = ?", sets)["i"].to_pylist() == [3, 1, 2]


def test_a_statement_is_prepared_once_and_run_often(connection: Any) -> None:
    with connection.cursor() as cursor:
        schema = cursor.adbc_prepare("select i, s from lab.many where i = ?")
        assert len(schema) == 1
        for i in (5, 6, 299_999):
            cursor.execute("select i, s from lab.many where i = ?", (i,))
            assert cursor.fetchall() == [(i, f"n{i % 97}")]


def test_missing_values_are_asked_for(connection: Any) -> None:
    with connection.cursor() as cursor, pytest.raises(Exception, match="bind values to the parameters"):
        cursor.execute("select ? + 1")


# -- the catalogue ----------------------------------------------------------------------------------------------------


def objects(connection: Any, **how: Any) -> list[dict[str, Any]]:
    return connection.adbc_get_objects(**how).read_all().to_pylist()


def test_the_catalogue_lists_tables_views_and_their_columns(connection: Any) -> None:
    (catalog,) = objects(connection, depth="all", db_schema_filter="lab")
    (schema,) = catalog["catalog_db_schemas"]
    tables = {one["table_name"]: one for one in schema["db_schema_tables"]}
    assert {name: one["table_type"] for name, one in tables.items()} == {"everything": "TABLE", "many": "TABLE"}
    columns = tables["many"]["table_columns"]
    assert [(c["column_name"], c["ordinal_position"], c["xdbc_type_name"]) for c in columns[:3]] == [
        ("i", 1, "BIGINT"), ("x", 2, "DOUBLE"), ("s", 3, "VARCHAR"),
    ]  # fmt: skip


def test_patterns_and_types_narrow_the_catalogue(connection: Any) -> None:
    found = objects(
        connection,
        depth="tables",
        db_schema_filter="ece%",
        table_name_filter="good\\_unit_",
        table_types_filter=["VIEW"],
    )
    tables = [t["table_name"] for s in found[0]["catalog_db_schemas"] for t in s["db_schema_tables"]]
    assert tables == ["good_units"]
    none = objects(connection, depth="tables", db_schema_filter="lab", table_types_filter=["VIEW"])
    assert not any(schema["db_schema_tables"] for schema in none[0]["catalog_db_schemas"])


def test_a_table_has_its_schema_with_units_and_meanings(connection: Any) -> None:
    schema = connection.adbc_get_table_schema("spikes", db_schema_filter="ecephys")
    field = schema.field("spike_time")
    assert field.type == pa.float64()
    assert field.metadata[b"unit"] == b"s"
    assert field.metadata[b"description"]
    assert field.metadata[b"ARROW:FLIGHT:SQL:TABLE_NAME"] == b"spikes"
    stored = connection.adbc_get_table_schema("spike_trains", db_schema_filter="ecephys")
    assert not stored.field("unit_id").nullable
    assert stored.field("spike_ticks").type == pa.list_(pa.int64())


def test_a_table_can_be_asked_by_its_full_name(connection: Any) -> None:
    (catalog,) = objects(connection, depth="catalogs")
    full = f'"{catalog["catalog_name"]}"."lab"."many"'
    assert ask(connection, f"select count(*) as n from {full}")["n"].to_pylist() == [300_000]


def test_the_server_says_what_it_is(connection: Any) -> None:
    info = connection.adbc_get_info()
    assert info["vendor_name"] == "brainlake"
    assert info["vendor_version"] == brainlake.__version__
    assert connection.adbc_get_table_types() == ["TABLE", "VIEW"]


# -- snapshots --------------------------------------------------------------------------------------------------------


@pytest.fixture
def moving(tmp_path: Path) -> Iterator[tuple[brainlake.Lake, Snapshots]]:
    with brainlake.create(tmp_path / "lake") as lake:
        lake.write("lab.x", pl.DataFrame({"a": [1]}))
        with Snapshots(tmp_path / "lake") as snapshots:
            yield lake, snapshots


COUNT = "select count(*) as n from lab.x"


def test_each_statement_sees_the_newest_snapshot_and_a_transaction_one(
    moving: tuple[brainlake.Lake, Snapshots], serve: Serve
) -> None:
    lake, snapshots = moving
    uri = serve(snapshots=snapshots).uri
    with dbapi.connect(uri, autocommit=True) as newest, dbapi.connect(uri) as transaction:
        assert [ask(c, COUNT)["n"][0].as_py() for c in (newest, transaction)] == [1, 1]
        lake.write("lab.x", pl.DataFrame({"a": [1, 2]}))
        assert [ask(c, COUNT)["n"][0].as_py() for c in (newest, transaction)] == [2, 1]
        transaction.commit()
        assert ask(transaction, COUNT)["n"][0].as_py() == 2


def test_a_header_pins_a_snapshot_by_number_or_tag(moving: tuple[brainlake.Lake, Snapshots], serve: Serve) -> None:
    lake, snapshots = moving
    first = lake.snapshot
    lake.tag("submitted")
    lake.write("lab.x", pl.DataFrame({"a": [1, 2]}))
    server = serve(snapshots=snapshots)
    for pin in (str(first), "submitted"):
        with dbapi.connect(server.uri, db_kwargs={HEADER: pin}, autocommit=True) as connection:
            assert ask(connection, COUNT)["n"].to_pylist() == [1]
    database = DatabaseOptions.RPC_CALL_HEADER_PREFIX.value + "database"
    with dbapi.connect(server.uri, db_kwargs={database: f"lake@{first}"}, autocommit=True) as connection:
        assert ask(connection, COUNT)["n"].to_pylist() == [1]
    with (
        dbapi.connect(server.uri, db_kwargs={HEADER: "99"}, autocommit=True) as connection,
        pytest.raises(Exception, match="no snapshot 99"),
    ):
        ask(connection, COUNT)


def test_an_answer_that_is_being_read_stays_on_its_snapshot(
    moving: tuple[brainlake.Lake, Snapshots], serve: Serve
) -> None:
    lake, snapshots = moving
    lake.write("lab.y", pl.DataFrame({"a": range(500_000)}))
    with dbapi.connect(serve(snapshots=snapshots).uri, autocommit=True) as connection, connection.cursor() as cursor:
        cursor.execute("select a from lab.y")
        reader = cursor.fetch_record_batch()
        n = reader.read_next_batch().num_rows
        lake.write("lab.y", pl.DataFrame({"a": [0]}))
        assert ask(connection, "select count(*) as n from lab.y")["n"].to_pylist() == [1]
        assert n + sum(batch.num_rows for batch in reader) == 500_000


# -- refusals ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("select * from lab.manny", "lab.many"),
        ("select nope from lab.many", "nope"),
        ("selec 1", "syntax error"),
        ("create table x as select 1", "only reads"),
        ("select 1; select 2", "one statement"),
        ("select error('wrong: not like this')", "not like this"),
        ("from read_csv('/etc/passwd')", "by their paths"),
        ("select if(i = 250000, error('wrong: late')::int, 1) from lab.many", "late"),
    ],
)
def test_a_mistake_is_told_and_the_next_statement_runs(connection: Any, query: str, said: str) -> None:
    with pytest.raises(Exception, match=said) as refused:
        ask(connection, query)
    assert "site-packages" not in str(refused.value)
    assert "/lake/serve/" not in str(refused.value)
    assert ask(connection, "select 1 as a")["a"].to_pylist() == [1]


def test_updates_are_refused(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.adbc_statement.set_sql_query("delete from lab.many")
        with pytest.raises(Exception, match="only read"):
            cursor.adbc_statement.execute_update()
    with connection.cursor() as cursor, pytest.raises(Exception, match="only read"):
        cursor.adbc_ingest("mine", pa.table({"a": [1]}))


def connect_and_ask(uri: str, how: dict[str, str]) -> None:
    with dbapi.connect(uri, db_kwargs=how, autocommit=True) as connection:
        ask(connection, "select 1")


def test_who_has_no_password_gets_nothing(serve: Serve) -> None:
    uri = serve(users=Users({"ada": Verifier.of("love lace")})).uri
    for how in ({}, {"username": "ada", "password": "wrong"}, {"username": "alan", "password": "love lace"}):
        with pytest.raises(Exception, match=r"(?i)unauthenticated"):
            connect_and_ask(uri, how)
    with dbapi.connect(uri, db_kwargs={"username": "ada", "password": "love lace"}, autocommit=True) as connection:
        assert ask(connection, "select 1 as a")["a"].to_pylist() == [1]


def test_tls_is_spoken_with_the_certificate_given(serve: Serve, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    server = serve(tls=Tls(certificate, key), users=Users({"ada": Verifier.of("x")}))
    how = {"username": "ada", "password": "x", DatabaseOptions.TLS_ROOT_CERTS.value: certificate.read_text()}
    with dbapi.connect(server.uri, db_kwargs=how, autocommit=True) as connection:
        assert ask(connection, "select 1 as a")["a"].to_pylist() == [1]
    with pytest.raises(Exception, match="certificate"):
        connect_and_ask(server.uri, {"username": "ada", "password": "x"})


# -- limits -----------------------------------------------------------------------------------------------------------

ENDLESS = "select count(*) from range(100_000_000) as a, range(100_000_000) as b where hash(a.range, b.range) = 1"


def test_what_takes_too_long_is_stopped(serve: Serve) -> None:
    with dbapi.connect(serve(limits=Limits(seconds=0.5)).uri, autocommit=True) as connection:
        began = time.monotonic()
        with pytest.raises(Exception, match=r"more than 0\.5 s"):
            ask(connection, ENDLESS)
        assert time.monotonic() - began < 10
        assert ask(connection, "select 1 as a")["a"].to_pylist() == [1]


def test_an_answer_of_too_many_rows_is_refused(serve: Serve) -> None:
    with dbapi.connect(serve(limits=Limits(rows=100_000)).uri, autocommit=True) as connection:
        assert ask(connection, "select i from lab.many limit 100_000").num_rows == 100_000
        with pytest.raises(Exception, match="more than 100,000 rows"):
            ask(connection, "select i from lab.many")


def test_a_client_cancels_what_computes(connection: Any) -> None:
    with connection.cursor() as cursor:
        threading.Timer(0.5, cursor.adbc_cancel).start()
        began = time.monotonic()
        with pytest.raises(Exception, match=r"(?i)cancel"):
            cursor.execute(ENDLESS)
        assert time.monotonic() - began < 10
    assert ask(connection, "select 1 as a")["a"].to_pylist() == [1]


def test_many_clients_at_once_get_their_own_answers(serve: Serve) -> None:
    uri = serve().uri
    wrong: list[object] = []

    def client(number: int) -> None:
        try:
            with dbapi.connect(uri, autocommit=True) as connection:
                for i in range(5):
                    got = ask(connection, "select i from lab.many where i % 1000 = ? order by i", (number + i,))
                    if got["i"].to_pylist() != list(range(number + i, 300_000, 1000)):
                        wrong.append(number)
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=client, args=(n,)) for n in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_a_driver_asked_for_manual_transactions_gets_them(serve: Serve) -> None:
    with dbapi.connect(serve().uri) as connection:
        option = connection.adbc_connection.get_option("adbc.connection.autocommit")
        assert option == "false"
        assert ask(connection, "select 1 as a").num_rows == 1
        connection.rollback()
