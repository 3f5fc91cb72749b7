"""Flight SQL call by call, by Arrow's plain client: what a careful client, a careless and a hostile one get."""

from __future__ import annotations

import base64
import contextlib
import gc
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import brainlake
import numpy as np
import pyarrow as pa
import pyarrow.flight as flight
import pytest
from brainlake.lake.cli import run
from brainlake.lake.errors import BrainlakeError
from brainlake.lake.serve.flight import metadata, sql_info
from brainlake.lake.serve.flight.answers import Answer, Limits
from brainlake.lake.serve.flight.messages import MESSAGES, pack, unpack_as
from brainlake.lake.serve.flight.metadata import matching
from brainlake.lake.serve.flight.server import Server
from brainlake.lake.serve.flight.wire import Field, encode
from brainlake.lake.serve.snapshots import Snapshots
from brainlake.lake.serve.users import Users, Verifier

Serve = Callable[..., Server]
REFUSALS = (pa.ArrowInvalid, KeyError, NotImplementedError, flight.FlightUnauthorizedError, OSError)  # not: internal
USERS = Users({"ada": Verifier.of("x"), "alan": Verifier.of("y")})


@pytest.fixture(scope="module")
def snapshots(tmp_path_factory: pytest.TempPathFactory, engine: Any) -> Iterator[Snapshots]:
    folder = tmp_path_factory.mktemp("flight") / "lake"
    with brainlake.create(folder) as lake:
        engine.ingest(lake.catalog, "ecephys.session/7", {"ecephys.spike_trains": engine.trains(7, [70, 71])})
        lake.write("lab.many", pa.table({"i": np.arange(2_000_000), "x": np.arange(2_000_000) / 2}), key="i")
    with Snapshots(folder) as snapshots:
        yield snapshots


@pytest.fixture
def serve(snapshots: Snapshots) -> Iterator[Serve]:
    servers: list[Server] = []

    def serve(**how: Any) -> Server:
        servers.append(Server(snapshots, port=0, **how))
        return servers[-1]

    yield serve
    for server in servers:
        server.stop()


@pytest.fixture
def client(serve: Serve) -> Iterator[flight.FlightClient]:
    with flight.connect(serve().uri) as client:
        yield client


def login(client: flight.FlightClient, name: str, password: str) -> flight.FlightCallOptions:
    return flight.FlightCallOptions(headers=[client.authenticate_basic_token(name, password)])


def command(name: str, /, **values: Any) -> flight.FlightDescriptor:
    return flight.FlightDescriptor.for_command(pack(name, **values))


def query(text: str) -> flight.FlightDescriptor:
    return command("CommandStatementQuery", query=text)


def read(client: flight.FlightClient, descriptor: flight.FlightDescriptor, options: Any = None) -> pa.Table:
    info = client.get_flight_info(descriptor, options)
    table = client.do_get(info.endpoints[0].ticket, options).read_all()
    assert table.schema.equals(info.schema, check_metadata=True)
    return table


# -- the catalogue's exact schemas ------------------------------------------------------------------------------------

# As FlightSql.proto has them: name, type, and ! where it is not null.
PROTO = {
    "CommandGetCatalogs": "catalog_name utf8!",
    "CommandGetDbSchemas": "catalog_name utf8, db_schema_name utf8!",
    "CommandGetTables": "catalog_name utf8, db_schema_name utf8, table_name utf8!, table_type utf8!",
    "CommandGetTableTypes": "table_type utf8!",
    "CommandGetPrimaryKeys": "catalog_name utf8, db_schema_name utf8, table_name utf8!, column_name utf8!, key_name utf8, "
    "key_sequence int32!",
    **dict.fromkeys(
        ("CommandGetExportedKeys", "CommandGetImportedKeys", "CommandGetCrossReference"),
        "pk_catalog_name utf8, pk_db_schema_name utf8, pk_table_name utf8!, pk_column_name utf8!, fk_catalog_name utf8, "
        "fk_db_schema_name utf8, fk_table_name utf8!, fk_column_name utf8!, key_sequence int32!, fk_key_name utf8, "
        "pk_key_name utf8, update_rule uint8!, delete_rule uint8!",
    ),
    "CommandGetXdbcTypeInfo": "type_name utf8!, data_type int32!, column_size int32, literal_prefix utf8, literal_suffix "
    "utf8, create_params list, nullable int32!, case_sensitive bool!, searchable int32!, unsigned_attribute bool, "
    "fixed_prec_scale bool!, auto_increment bool, local_type_name utf8, minimum_scale int32, maximum_scale int32, "
    "sql_data_type int32!, datetime_subcode int32, num_prec_radix int32, interval_precision int32",
    "CommandGetSqlInfo": "info_name uint32!, value union!",
}


def spelled(schema: pa.Schema) -> str:
    def kind(one: pa.Field) -> str:
        if pa.types.is_list(one.type) or pa.types.is_union(one.type):
            return "list" if pa.types.is_list(one.type) else "union"
        return {"string": "utf8"}.get(str(one.type), str(one.type))

    return ", ".join(f"{one.name} {kind(one)}{'' if one.nullable else '!'}" for one in schema)


@pytest.mark.parametrize("name", sorted(PROTO))
def test_catalogue_commands_answer_in_the_published_schema(client: flight.FlightClient, name: str) -> None:
    assert spelled(client.get_schema(command(name)).schema) == PROTO[name]
    assert spelled(read(client, command(name)).schema) == PROTO[name]


def test_tables_come_with_their_schemas_if_asked_for(client: flight.FlightClient) -> None:
    asked = command("CommandGetTables", db_schema_filter_pattern="lab", include_schema=True)
    (row,) = read(client, asked).to_pylist()
    schema = pa.ipc.read_schema(pa.py_buffer(row["table_schema"]))
    assert schema.names == ["i", "x", "ingest_id"]
    assert schema.field("i").metadata[b"ARROW:FLIGHT:SQL:DB_SCHEMA_NAME"] == b"lab"
    assert schema.field("i").metadata[b"ARROW:FLIGHT:SQL:PRECISION"] == b"19"


def test_every_table_of_the_catalogue_answers_with_the_schema_it_was_listed_with(client: flight.FlightClient) -> None:
    rows = read(client, command("CommandGetTables", include_schema=True)).to_pylist()
    assert len(rows) > 250
    for row in rows:
        listed = pa.ipc.read_schema(pa.py_buffer(row["table_schema"]))
        got = client.get_schema(query(f"from {row['db_schema_name']}.{row['table_name']}")).schema
        assert [(f.name, f.type) for f in got] == [(f.name, f.type) for f in listed], row["table_name"]


def test_keys_are_those_that_tables_declare(client: flight.FlightClient) -> None:
    rows = read(client, command("CommandGetPrimaryKeys", table="many")).to_pylist()
    assert [(r["db_schema_name"], r["column_name"], r["key_sequence"]) for r in rows] == [("lab", "i", 1)]
    trains = read(client, command("CommandGetPrimaryKeys", db_schema="ecephys", table="spike_trains")).to_pylist()
    assert [r["key_sequence"] for r in trains] == list(range(1, len(trains) + 1))
    assert not read(client, command("CommandGetPrimaryKeys", catalog="other", table="many")).num_rows


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        (None, ["a_b", "axb", "c%d"]), ("%", ["a_b", "axb", "c%d"]), ("a_b", ["a_b", "axb"]), (r"a\_b", ["a_b"]),
        ("%b", ["a_b", "axb"]), (r"c\%d", ["c%d"]), ("", []), ("A%", []), ("a", []), ("[a-z]%", []), ("\\", []),
    ],
)  # fmt: skip
def test_patterns_are_those_of_like(pattern: str | None, expected: list[str]) -> None:
    assert matching(pattern, ["axb", "a_b", "c%d"]) == expected


def test_what_the_sql_can_do_is_told_by_number(client: flight.FlightClient) -> None:
    told = {row["info_name"]: row["value"] for row in read(client, command("CommandGetSqlInfo")).to_pylist()}
    assert set(told) == {*range(6), 8, 9, 100, 101, *range(500, 577)}
    assert (told[0], told[3], told[504], told[507]) == ("brainlake", True, '"', 3)
    assert "SELECT" in told[508]
    assert "ABS" in told[509]
    assert "SUBSTRING" in told[510]
    assert "COALESCE" in told[511]
    assert "DATE_TRUNC" in told[512]
    some = read(client, command("CommandGetSqlInfo", info=[504, 3, 99, 504]))
    assert some["info_name"].to_pylist() == [504, 3]


@pytest.mark.parametrize(
    ("fact", "statement", "value"),
    [(507, "select v from (values (1), (null)) as t(v) order by v desc", None), (503, 'select 1 as A order by "a"', 1)],
)
def test_what_is_told_of_the_sql_is_so(client: flight.FlightClient, fact: int, statement: str, value: object) -> None:
    assert fact in sql_info.facts(0, 0, 0)
    assert read(client, query(statement)).column(0).to_pylist()[-1] == value


def test_types_are_told_in_the_order_of_their_numbers(client: flight.FlightClient) -> None:
    rows = read(client, command("CommandGetXdbcTypeInfo")).to_pylist()
    assert [r["data_type"] for r in rows] == sorted(r["data_type"] for r in rows)
    for row in rows:  # each is a type of the engine
        read(client, query(f"select null::{row['type_name']} as v"))
    (double,) = read(client, command("CommandGetXdbcTypeInfo", data_type=8)).to_pylist()
    assert (double["type_name"], double["num_prec_radix"], double["column_size"]) == ("DOUBLE", 2, 53)


# -- tickets ----------------------------------------------------------------------------------------------------------


def test_a_ticket_is_used_once(client: flight.FlightClient) -> None:
    ticket = client.get_flight_info(query("select 1")).endpoints[0].ticket
    assert client.do_get(ticket).read_all().num_rows == 1
    with pytest.raises(KeyError, match="no such ticket"):
        client.do_get(ticket).read_all()


def test_a_ticket_belongs_to_its_user(serve: Serve) -> None:
    with flight.connect(serve(users=USERS).uri) as client:
        ada, alan = login(client, "ada", "x"), login(client, "alan", "y")
        ticket = client.get_flight_info(query("select 1"), ada).endpoints[0].ticket
        for options in (alan, None):
            with pytest.raises((KeyError, flight.FlightUnauthenticatedError)):
                client.do_get(ticket, options).read_all()
        assert client.do_get(ticket, ada).read_all().num_rows == 1


def test_a_ticket_that_nobody_reads_goes(serve: Serve) -> None:
    server = serve(limits=Limits(idle=0.3))
    with flight.connect(server.uri) as client:
        ticket = client.get_flight_info(query("select 1")).endpoints[0].ticket
        deadline = time.monotonic() + 10
        while len(server._tickets) and time.monotonic() < deadline:
            time.sleep(0.05)
        with pytest.raises((KeyError, flight.FlightError)):
            client.do_get(ticket).read_all()


def test_a_user_holds_so_many_tickets_and_no_more(serve: Serve) -> None:
    with flight.connect(serve(limits=Limits(held=3)).uri) as client:
        for _ in range(3):
            client.get_flight_info(query("select 1"))
        with pytest.raises(flight.FlightUnavailableError, match="3 tickets"):
            client.get_flight_info(query("select 1"))


def test_tickets_cannot_be_made_up(client: flight.FlightClient) -> None:
    """No text of a query travels in one, and none is run from one."""
    real = client.get_flight_info(query("select 'hidden text'")).endpoints[0].ticket.ticket
    assert b"hidden text" not in real
    for forged in (
        pack("TicketStatementQuery", statement_handle=b"x" * 24),
        pack("CommandStatementQuery", query="select 1"),
        pack("CommandPreparedStatementQuery", prepared_statement_handle=b""),
        b"select 1",
        b"",
    ):
        with pytest.raises((pa.ArrowInvalid, KeyError)):
            client.do_get(flight.Ticket(forged)).read_all()


def test_a_snapshot_is_left_when_its_answers_are_gone(snapshots: Snapshots, serve: Serve) -> None:
    before = snapshots.leases
    with flight.connect(serve().uri) as client:
        infos = [client.get_flight_info(query("select i from lab.many")) for _ in range(3)]
        assert snapshots.leases == before + 3
        client.do_get(infos[0].endpoints[0].ticket).read_all()
        reader = client.do_get(infos[1].endpoints[0].ticket)
        reader.read_chunk()
        reader.cancel()
        cancel(client, infos[2])
    wait_for(lambda: gc.collect() is not None and snapshots.leases == before)


def wait_for(is_so: Callable[[], bool], seconds: float = 10.0) -> None:
    deadline = time.monotonic() + seconds
    while not is_so():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.05)


# -- cancelling, slow readers -----------------------------------------------------------------------------------------


def cancel(client: flight.FlightClient, info: flight.FlightInfo, options: Any = None) -> int:
    body = encode({"info": Field(1, "bytes")}, {"info": info.serialize()})
    (result,) = client.do_action(flight.Action("CancelFlightInfo", body), options)
    return result.body.to_pybytes()[1]


def test_a_client_cancels_by_what_it_was_given(client: flight.FlightClient) -> None:
    info = client.get_flight_info(query("select i from lab.many"))
    reader = client.do_get(info.endpoints[0].ticket)
    reader.read_chunk()
    assert cancel(client, info) == 1
    with pytest.raises(flight.FlightCancelledError):
        list(reader)  # read_all() would take a cancelled answer for Ctrl-C
    pending = client.get_flight_info(query("select 1"))
    body = pack("ActionCancelQueryRequest", info=pending.serialize())
    (result,) = client.do_action(flight.Action("CancelQuery", body))
    assert unpack_as("ActionCancelQueryResult", result.body.to_pybytes())["result"] == 1
    assert cancel(client, pending) == 3  # there is nothing to cancel any more


def test_nobody_cancels_what_another_asked(serve: Serve) -> None:
    with flight.connect(serve(users=USERS).uri) as client:
        ada, alan = login(client, "ada", "x"), login(client, "alan", "y")
        info = client.get_flight_info(query("select i from lab.many"), ada)
        assert cancel(client, info, alan) == 3
        assert client.do_get(info.endpoints[0].ticket, ada).read_all().num_rows == 2_000_000


def test_a_slow_reader_fills_no_memory(serve: Serve) -> None:
    """An answer of 4 GB, of which 16 MB are read: what the server computes ahead is a few batches."""
    wide = "select " + ", ".join(f"r.i + {k} as c{k}" for k in range(50)) + " from range(10_000_000) as r(i)"
    with flight.connect(serve().uri) as client:
        before = pa.total_allocated_bytes()
        reader = client.do_get(client.get_flight_info(query(wide)).endpoints[0].ticket)
        for _ in range(2):
            reader.read_chunk()
        time.sleep(0.5)
        assert pa.total_allocated_bytes() - before < 500 << 20
        reader.cancel()


def test_a_reader_that_stops_reading_is_let_go(serve: Serve, snapshots: Snapshots) -> None:
    before = snapshots.leases
    server = serve(limits=Limits(idle=0.5))
    with flight.connect(server.uri) as client:
        wide = "select " + ", ".join(f"r.i + {k} as c{k}" for k in range(50)) + " from range(10_000_000) as r(i)"
        reader = client.do_get(client.get_flight_info(query(wide)).endpoints[0].ticket)
        reader.read_chunk()
        wait_for(lambda: snapshots.leases == before)
        with pytest.raises(flight.FlightTimedOutError, match="nothing was read"):
            reader.read_all()


def test_so_many_answers_are_read_at_once_and_no_more(serve: Serve) -> None:
    with flight.connect(serve(limits=Limits(streams=1)).uri) as client:
        slow = client.do_get(client.get_flight_info(query("select * from lab.many")).endpoints[0].ticket)
        slow.read_chunk()
        info = client.get_flight_info(query("select 1"))
        with pytest.raises(flight.FlightUnavailableError, match="try again"):
            client.do_get(info.endpoints[0].ticket).read_all()
        slow.read_all()
        wait_for(lambda: gc.collect() is not None and read_again(client, info))


def read_again(client: flight.FlightClient, info: flight.FlightInfo) -> bool:
    with contextlib.suppress(flight.FlightUnavailableError):
        return client.do_get(info.endpoints[0].ticket).read_all().num_rows == 1
    return False


# -- prepared statements and transactions -----------------------------------------------------------------------------


def action(client: flight.FlightClient, kind: str, name: str, /, **values: Any) -> list[bytes]:
    return [r.body.to_pybytes() for r in client.do_action(flight.Action(kind, pack(name, **values)))]


def prepare(client: flight.FlightClient, text: str) -> dict[str, Any]:
    (result,) = action(client, "CreatePreparedStatement", "ActionCreatePreparedStatementRequest", query=text)
    return dict(unpack_as("ActionCreatePreparedStatementResult", result))


def test_a_prepared_statement_tells_its_columns_and_parameters(client: flight.FlightClient) -> None:
    made = prepare(client, "select i, x from lab.many where i = ? or x = ?")
    assert pa.ipc.read_schema(pa.py_buffer(made["dataset_schema"])).names == ["i", "x"]
    assert pa.ipc.read_schema(pa.py_buffer(made["parameter_schema"])).names == ["1", "2"]
    assert prepare(client, "select 1")["parameter_schema"] == b""


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("select i from lab.many where i = ? and x > ?", [("1", pa.int64()), ("2", pa.float64())]),
        ("select i from lab.many where x < $2 and i = $1", [("1", pa.int64()), ("2", pa.float64())]),
        ("select i from lab.many where x < $high and i >= $low", [("high", pa.float64()), ("low", pa.int64())]),
        ("select '?' as q, i from lab.many where i in (?, ?) -- ?", [("1", pa.int64()), ("2", pa.int64())]),
        ("select ?::timestamp as t, ? as any_type", [("1", pa.timestamp("us")), ("2", pa.string())]),
        ("from ecephys.spikes where unit_id = ? limit ?", [("1", pa.int64()), ("2", pa.int64())]),
    ],
)
def test_a_parameter_has_the_type_that_its_place_wants(
    client: flight.FlightClient, text: str, expected: list[tuple[str, pa.DataType]]
) -> None:
    told = pa.ipc.read_schema(pa.py_buffer(prepare(client, text)["parameter_schema"]))
    assert list(zip(told.names, told.types, strict=True)) == expected


def test_a_prepared_statement_runs_until_it_is_closed(client: flight.FlightClient) -> None:
    handle = prepare(client, "select i from lab.many where i = ?")["prepared_statement_handle"]
    run = command("CommandPreparedStatementQuery", prepared_statement_handle=handle)
    for value in (3, 4):
        writer, _ = client.do_put(run, pa.schema([("1", pa.int64())]))
        writer.write_batch(pa.record_batch({"1": [value]}))
        writer.close()
        assert read(client, run)["i"].to_pylist() == [value]
    close = "ClosePreparedStatement", "ActionClosePreparedStatementRequest"
    assert action(client, *close, prepared_statement_handle=handle) == []
    with pytest.raises(KeyError, match="no such prepared statement"):
        client.get_flight_info(run)


def test_a_transaction_ends_once(client: flight.FlightClient) -> None:
    (begun,) = action(client, "BeginTransaction", "ActionBeginTransactionRequest")
    transaction = unpack_as("ActionBeginTransactionResult", begun)["transaction_id"]
    inside = command("CommandStatementQuery", query="select 1", transaction_id=transaction)
    assert read(client, inside).num_rows == 1
    end = "EndTransaction", "ActionEndTransactionRequest"
    with pytest.raises(pa.ArrowInvalid, match="commit"):
        action(client, *end, transaction_id=transaction, action=7)
    assert action(client, *end, transaction_id=transaction, action=1) == []
    for again in (lambda: action(client, *end, transaction_id=transaction, action=2), lambda: read(client, inside)):
        with pytest.raises(KeyError, match="no such transaction"):
            again()


def test_what_killed_clients_left_open_keeps_nobody_out(serve: Serve) -> None:
    """They say no goodbye: of their statements and transactions those unused for longest drop out, and no others."""
    server = serve(limits=Limits(held=3, transactions=2))
    with flight.connect(server.uri) as client:
        statements = [prepare(client, f"select {n} as n")["prepared_statement_handle"] for n in range(3)]
        asked = [command("CommandPreparedStatementQuery", prepared_statement_handle=one) for one in statements]
        assert read(client, asked[0])["n"].to_pylist() == [0]  # used just now, so the second is the oldest
        prepare(client, "select 3 as n")
        with pytest.raises(KeyError, match=r"no such prepared statement.*3 others"):
            read(client, asked[1])
        assert [read(client, asked[k])["n"].to_pylist() for k in (0, 2)] == [[0], [2]]
        begun = [action(client, "BeginTransaction", "ActionBeginTransactionRequest")[0] for _ in range(3)]
        ids = [unpack_as("ActionBeginTransactionResult", one)["transaction_id"] for one in begun]
        inside = [command("CommandStatementQuery", query="select 1", transaction_id=one) for one in ids]
        with pytest.raises(KeyError, match="no such transaction"):
            read(client, inside[0])
        assert read(client, inside[1]).num_rows == read(client, inside[2]).num_rows == 1
        deadline = time.monotonic() + 10
        while server._snapshots.leases > 2 and time.monotonic() < deadline:
            time.sleep(0.05)
        assert server._snapshots.leases == 2  # what dropped out keeps no snapshot alive


# -- hostile bytes ----------------------------------------------------------------------------------------------------


def refused(call: Callable[[], object]) -> None:
    """A call that may be answered, or refused for what it is; never a defect of the server's."""
    text = ""
    try:
        call()
    except REFUSALS as error:
        text = str(error)
    assert "defect" not in text


@pytest.mark.parametrize("name", sorted(MESSAGES))
def test_every_message_in_every_place_is_answered_or_refused(client: flight.FlightClient, name: str) -> None:
    data = pack(name)
    calls: list[Callable[[], object]] = [
        lambda: client.get_flight_info(flight.FlightDescriptor.for_command(data)),
        lambda: client.get_schema(flight.FlightDescriptor.for_command(data)),
        lambda: client.do_get(flight.Ticket(data)).read_all(),
        *(
            lambda kind=kind: list(client.do_action(flight.Action(kind, data)))
            for kind in (a.type for a in client.list_actions())
        ),
    ]
    for call in calls:
        refused(call)
    assert read(client, query("select 1")).num_rows == 1


def test_random_bytes_are_refused_and_the_server_stays(client: flight.FlightClient) -> None:
    chance = random.Random(0)
    kinds = [one.type for one in client.list_actions()]
    for _ in range(300):
        data = bytearray(pack(chance.choice(sorted(MESSAGES)), query="select 1", table="x", catalog="memory"))
        for _ in range(chance.randrange(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        data = data[: chance.randrange(len(data) + 1)]
        for call in (
            lambda d=bytes(data): client.get_flight_info(flight.FlightDescriptor.for_command(d)),
            lambda d=bytes(data): client.do_get(flight.Ticket(d)).read_all(),
            lambda d=bytes(data): list(client.do_action(flight.Action(chance.choice(kinds), d))),
        ):
            refused(call)
    assert read(client, query("select 1")).num_rows == 1


@pytest.mark.parametrize(
    "header",
    ["", "Basic", "Basic !", "Basic " + base64.b64encode(b"ada").decode(), "Basic " + base64.b64encode(b"ada:y").decode(),
     "Basic " + base64.b64encode(b"\xff:\xff").decode(), "Bearer", "Bearer x", "Bearer " + "A" * 32, "Negotiate x"],
)  # fmt: skip
def test_a_login_that_proves_nothing_gets_nothing(serve: Serve, header: str) -> None:
    with flight.connect(serve(users=USERS).uri) as client:
        options = flight.FlightCallOptions(headers=[(b"authorization", header.encode())] if header else [])
        for call in (
            lambda: client.get_flight_info(query("select 1"), options),
            lambda: client.get_schema(command("CommandGetCatalogs"), options),
            lambda: client.do_get(flight.Ticket(pack("CommandGetCatalogs")), options).read_all(),
            lambda: list(client.do_action(flight.Action("BeginTransaction", b""), options)),
            lambda: list(client.list_actions(options)),
        ):
            with pytest.raises((flight.FlightUnauthenticatedError, OSError), match="Unauthenticated"):
                call()


def test_paths_uploads_and_unknown_actions_are_refused(client: flight.FlightClient) -> None:
    with pytest.raises(pa.ArrowInvalid, match="not by paths"):
        client.get_flight_info(flight.FlightDescriptor.for_path("lab.many"))
    with pytest.raises(NotImplementedError, match="no action"):
        list(client.do_action(flight.Action("Shutdown", b"")))
    with pytest.raises(pa.ArrowException):  # noqa: PT012
        writer, _ = client.do_put(flight.FlightDescriptor.for_path("lab.many"), pa.schema([("a", pa.int64())]))
        writer.write_batch(pa.record_batch({"a": [1]}))
        writer.close()


# -- the command ------------------------------------------------------------------------------------------------------


def test_it_does_not_listen_beyond_this_machine_without_proof(snapshots: Snapshots) -> None:
    for users in (None, USERS):
        with pytest.raises(BrainlakeError, match="reached from other machines"):
            Server(snapshots, host="0.0.0.0", port=0, users=users)


def test_a_port_in_use_is_said(serve: Serve, snapshots: Snapshots) -> None:
    with pytest.raises(BrainlakeError, match="cannot listen at"):
        Server(snapshots, port=serve().port)


def test_the_command_serves_and_stops_and_logs_no_secret(snapshots: Snapshots, tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("ada:opensesame\n")
    users.chmod(0o600)
    log = (tmp_path / "log").open("w+")
    served = subprocess.Popen(
        [sys.executable, "-m", "brainlake", "--lake", str(snapshots.path), "serve", "flight", "--port", "0", "--users",
         str(users)],
        stdout=subprocess.PIPE,
        stderr=log,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )  # fmt: skip
    try:
        assert served.stdout is not None
        uri = served.stdout.readline().split(" at ")[1].split()[0]
        with flight.connect(uri) as client:
            options = login(client, "ada", "opensesame")
            assert read(client, query("select 'confidential' as word"), options).num_rows == 1
            with pytest.raises(pa.ArrowInvalid):
                read(client, query("select confidential_column"), options)
            with pytest.raises(flight.FlightUnauthenticatedError):
                login(client, "ada", "wrongsesame")
        served.send_signal(signal.SIGINT)
        assert served.wait(30) == 130
    finally:
        served.kill()
        served.wait()
    log.seek(0)
    said = log.read()
    assert "ada: read 1 rows" in said
    assert not any(secret in said for secret in ("sesame", "confidential", "Traceback"))


def test_a_size_that_is_none_is_said(snapshots: Snapshots, capfd: pytest.CaptureFixture[str]) -> None:
    command = ["--lake", str(snapshots.path), "serve", "flight", "--port", "0", "--memory", "lots"]
    assert run(command) == 1
    assert "memory_limit = 'lots' is no setting" in capfd.readouterr().err


def test_metadata_is_read_once_a_snapshot(snapshots: Snapshots) -> None:
    with snapshots.lease() as lease:
        made = metadata.Metadata(lease.session)
        assert made.columns is made.columns


def test_a_call_is_asked_only_while_it_is_inside_of_the_server(snapshots: Snapshots) -> None:
    """The context of a call that has ended, as of a client that was killed, is gone: asking it ended the process."""
    answer = Answer("select i from lab.many", [None], snapshots.lease(), Limits())
    asked: list[bool] = []
    answer.start()
    with answer.called(lambda: bool(asked.append(True))):
        answer.watch()  # between two batches: whoever reads them may be gone
        assert asked == []
        with answer._computing():
            answer.watch()
        assert asked == [True]
    answer.cancel()
    assert not answer._open
