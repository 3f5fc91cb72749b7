"""Who gets in, over what, how many, for how long; and what is written down about it."""

from __future__ import annotations

import os
import re
import signal
import socket
import ssl
import struct
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import brainlake
import polars as pl
import pytest
from brainlake.lake.errors import BrainlakeError
from brainlake.lake.serve.exposure import Tls
from brainlake.lake.serve.postgres.client import Limits
from brainlake.lake.serve.postgres.server import SETTINGS, Server
from brainlake.lake.serve.snapshots import Snapshots
from brainlake.lake.serve.users import Users, Verifier
from brainlake.tests.fixtures import pg_wire
from brainlake.tests.fixtures.pg_wire import Wire, bind, execute, parse
from brainlake.tests.fixtures.serving import make_certificate

PASSWORD = "pä ss:wörd"
Serve = Callable[..., Server]


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = Path(tmp_path_factory.mktemp("login")) / "lake"
    with brainlake.create(folder) as lake:
        lake.write("lab.t", pl.DataFrame({"a": [1, 2, 3]}), key="a")
    return folder


@pytest.fixture(scope="module")
def snapshots(path: Path) -> Iterator[Snapshots]:
    with Snapshots(path, settings=SETTINGS) as snapshots:
        yield snapshots


@pytest.fixture
def serve(snapshots: Snapshots) -> Iterator[Serve]:
    started: list[Server] = []

    def start(**options: Any) -> Server:
        started.append(Server(snapshots, port=0, **options).start())
        return started[-1]

    yield start
    for server in started:
        server.close()


@pytest.fixture
def users() -> Users:
    return Users({"ada": Verifier.of(PASSWORD)})


def test_a_password_lets_in_and_a_wrong_one_does_not(serve: Serve, users: Users) -> None:
    server = serve(users=users)
    with Wire(server.port, password=PASSWORD) as wire:
        assert wire.ask("select current_user").rows == [["ada"]]
    errors = []
    for user, password in (("ada", "wrong"), ("ada", ""), ("eve", PASSWORD)):
        with Wire(server.port, user, password) as wire:
            errors.append(wire.hello.error)
            assert wire.hello.kinds == "RRE"
    assert {(e["S"], e["C"]) for e in errors} == {("FATAL", "28P01")}
    assert {e["M"].replace("eve", "ada") for e in errors} == {'password authentication failed for user "ada"'}


def test_an_unknown_user_is_challenged_as_a_known_one(serve: Serve, users: Users) -> None:
    """The same salt each time, or it would tell that there is none."""
    server = serve(users=users)
    salts = []
    for _ in range(2):
        with Wire(server.port, "eve", "x") as wire:
            challenge = dict(p.split("=", 1) for p in wire.hello.bodies("R")[1][4:].decode().split(","))
            salts.append((challenge["s"], challenge["i"]))
    assert salts[0] == salts[1]


@pytest.mark.parametrize(
    "first",
    [b"", b"n,,", b"n,,n=,r=", b"p=tls-server-end-point,,n=,r=abc", b"n,,m=x,n=,r=abc", b"\xff\xfe", b"y,,n=,r=a b"],
)
def test_a_login_that_is_none_ends_the_connection(serve: Serve, users: Users, first: bytes) -> None:
    server = serve(users=users)
    with socket.create_connection(("127.0.0.1", server.port), 10) as sock:
        sock.sendall(pg_wire.startup(user="ada"))
        assert sock.recv(1000)[:1] == b"R"
        sock.sendall(pg_wire.message("p", pg_wire.z("SCRAM-SHA-256") + struct.pack("!i", len(first)) + first))
        answer = b""
        while some := sock.recv(1000):
            answer += some
        assert answer[:1] == b"E"
    with Wire(server.port, password=PASSWORD) as wire:
        assert wire.ask("select 1").rows == [["1"]]


def test_nothing_is_answered_before_the_login(serve: Serve, users: Users) -> None:
    server = serve(users=users)
    with socket.create_connection(("127.0.0.1", server.port), 10) as sock:
        sock.sendall(pg_wire.startup(user="ada") + pg_wire.message("Q", b"select 42\0"))
        answer = b""
        while some := sock.recv(1000):
            answer += some
    assert b"42" not in answer
    assert b"C08P01" in answer


# -- TLS --------------------------------------------------------------------------------------------------------------


def upgraded(port: int, context: ssl.SSLContext, extra: bytes = b"") -> ssl.SSLSocket:
    sock = socket.create_connection(("127.0.0.1", port), 10)
    sock.sendall(struct.pack("!ii", 8, 80877103) + extra)
    assert sock.recv(1) == b"S"
    return context.wrap_socket(sock, server_hostname="127.0.0.1")


def test_a_connection_is_encrypted_by_request_and_directly(serve: Serve, users: Users, tmp_path: Path) -> None:
    certificate, key = make_certificate(tmp_path)
    server = serve(users=users, tls=Tls(certificate, key))
    context = ssl.create_default_context(cafile=str(certificate))
    context.set_alpn_protocols(["postgresql"])
    with upgraded(server.port, context) as sock:
        assert (sock.version() or "") >= "TLSv1.2"
        sock.sendall(pg_wire.startup(user="ada"))
        assert sock.recv(1) == b"R"
    plain = socket.create_connection(("127.0.0.1", server.port), 10)
    with context.wrap_socket(plain, server_hostname="127.0.0.1") as sock:
        assert sock.selected_alpn_protocol() == "postgresql"
        sock.sendall(pg_wire.startup(user="ada"))
        assert sock.recv(1) == b"R"
    with Wire(server.port, password=PASSWORD) as wire:  # this machine's own may speak plainly
        assert wire.ask("select 1").rows == [["1"]]


def test_what_is_sent_before_the_encryption_is_not_taken_for_its_content(
    serve: Serve, users: Users, tmp_path: Path
) -> None:
    """A man in the middle could otherwise put words in (CVE-2021-23214)."""
    certificate, key = make_certificate(tmp_path)
    server = serve(users=users, tls=Tls(certificate, key))
    context = ssl.create_default_context(cafile=str(certificate))
    with pytest.raises((ssl.SSLError, OSError)):
        upgraded(server.port, context, extra=pg_wire.startup(user="mallory"))
    with Wire(server.port, password=PASSWORD) as wire:
        assert wire.ask("select 1").rows == [["1"]]


def test_other_machines_are_not_listened_to_without_tls_and_users(
    snapshots: Snapshots, users: Users, tmp_path: Path
) -> None:
    tls = Tls(*make_certificate(tmp_path))
    for options in ({}, {"users": users}, {"tls": tls}):
        with pytest.raises(BrainlakeError, match="reached from other machines"):
            Server(snapshots, "0.0.0.0", 0, **options)


def test_a_port_that_is_taken_is_told(serve: Serve, snapshots: Snapshots) -> None:
    with pytest.raises(BrainlakeError, match="cannot listen"):
        Server(snapshots, port=serve().port)


# -- limits -----------------------------------------------------------------------------------------------------------


def test_no_more_clients_than_allowed_and_one_that_leaves_makes_room(serve: Serve) -> None:
    server = serve(limits=Limits(connections=3))
    wires = [Wire(server.port) for _ in range(3)]
    with Wire(server.port) as late:
        assert late.hello.error["C"] == "53300"
    wires.pop().close()
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        with Wire(server.port) as again:
            if not again.hello.errors:
                break
        time.sleep(0.05)
    assert again.hello.status == "I"
    for wire in wires:
        assert wire.ask("select 1").rows == [["1"]]
        wire.close()


def test_no_client_takes_all_connections(serve: Serve) -> None:
    server = serve(limits=Limits(connections=10, per_client=2))
    with Wire(server.port), Wire(server.port), Wire(server.port) as third:
        assert third.hello.error["C"] == "53300"


def test_an_answer_has_no_more_rows_than_allowed(serve: Serve) -> None:
    with Wire(serve(limits=Limits(rows=1000)).port) as wire:
        assert len(wire.ask("select * from range(1000)").rows) == 1000
        assert wire.ask("select * from range(1001)").error["C"] == "53400"
        assert wire.ask("copy (select * from range(1001)) to stdout").error["C"] == "53400"
        assert wire.ask("select count(*) from range(100000)").rows == [["100000"]]


def test_a_statement_takes_no_longer_than_allowed_whatever_its_client_sets(serve: Serve) -> None:
    with Wire(serve(limits=Limits(statement_seconds=0.3)).port) as wire:
        wire.ask("set statement_timeout = 0")
        long = "select count(*) from range(1000000) a, range(1000000) b where a.range + b.range = 7"
        assert wire.ask(long).error["C"] == "57014"
        assert wire.extended(parse(long), bind(), execute()).error["C"] == "57014"
        assert wire.ask("select 1").rows == [["1"]]


def test_a_query_takes_no_more_memory_than_allowed(path: Path) -> None:
    settings = {**SETTINGS, "memory_limit": "60MB", "max_temp_directory_size": "0B"}
    with (
        Snapshots(path, settings=settings) as snapshots,
        Server(snapshots, port=0) as server,
        Wire(server.port) as wire,
    ):
        greedy = "select list(i) as l from range(30000000) t(i)"
        assert wire.ask(greedy).error["C"] in ("53200", "53100")
        assert wire.ask("select sum(a) from lab.t").rows == [["6"]]


def test_who_says_nothing_is_let_go(serve: Serve) -> None:
    server = serve(limits=Limits(idle_seconds=0.3, login_seconds=0.3))
    with Wire(server.port) as wire:
        assert wire.read().error["C"] == "57P05"
    with socket.create_connection(("127.0.0.1", server.port), 10) as sock:
        assert sock.recv(1) == b""
    with Wire(serve().port) as wire:
        wire.ask("set idle_in_transaction_session_timeout = 200; begin")
        assert wire.read().error["C"] == "25P03"


def test_a_message_is_no_larger_than_allowed(serve: Serve) -> None:
    server = serve(limits=Limits(message_bytes=10_000))
    with Wire(server.port) as wire:
        assert wire.ask("select '" + "x" * 9_000 + "'").rows == [["x" * 9_000]]
        wire.send(pg_wire.message("Q", b"select '" + b"x" * 20_000 + b"'\0")[:15_000])
        error = wire.read().error
        assert (error["S"], error["C"]) == ("FATAL", "54000")


def test_prepared_statements_and_portals_are_counted(serve: Serve) -> None:
    with Wire(serve(limits=Limits(statements=5, portals=4)).port) as wire:
        replies = [wire.extended(parse("select 1", f"s{i}")) for i in range(6)]
        assert [bool(r.errors) for r in replies] == [False] * 5 + [True]
        assert replies[-1].error["C"] == "53400"
        wire.ask("begin")
        replies = [wire.extended(bind(name="s0", portal=f"p{i}")) for i in range(5)]
        assert replies[-1].error["C"] == "53400"


# -- the end, and the log ---------------------------------------------------------------------------------------------


def test_clients_are_told_when_the_server_stops(serve: Serve) -> None:
    server = serve()
    with Wire(server.port) as idle, Wire(server.port) as busy:
        busy.send(
            pg_wire.message(
                "Q", b"select count(*) from range(1000000) a, range(1000000) b where a.range + b.range = 7\0"
            )
        )
        time.sleep(0.3)
        server.close()
        assert idle.read().error["C"] == "57P01"
        assert busy.read().errors[-1]["C"] == "57P01"


def test_no_password_value_or_question_is_logged(serve: Serve, users: Users) -> None:
    lines: list[str] = []
    server = serve(users=users, log=lines.append)
    with Wire(server.port, password=PASSWORD) as wire:
        wire.query("select $1 || 'secretvalue'", b"secretparameter")
        wire.ask("select secretcolumn from secrettable")
        wire.ask("set my.secret = 'secretsetting'")
    with Wire(server.port, password="secretwrong"):
        pass
    server.close()
    assert any("ada" in line for line in lines)
    assert not re.search("secret|select|" + re.escape(PASSWORD), "\n".join(lines), re.IGNORECASE)


def test_the_command_serves_until_interrupted(path: Path, tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text(f"# who may ask\nada:{PASSWORD}\n")
    users.chmod(0o600)
    code = "from brainlake.lake.cli import main; main()"
    command = [
        sys.executable,
        "-c",
        code,
        "--lake",
        str(path),
        "serve",
        "postgres",
        "--port",
        "0",
        "--users",
        str(users),
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            port = int(re.search(r":(\d+) ", line)[1])  # type: ignore[index]
            with Wire(port, password=PASSWORD, timeout=60) as wire:
                assert wire.ask("select sum(a) from lab.t").rows == [["6"]]
        finally:
            process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert PASSWORD not in line + errors


def test_the_command_refuses_a_file_of_users_that_others_may_read(path: Path, tmp_path: Path) -> None:
    users = tmp_path / "users"
    users.write_text("ada:x\n")
    users.chmod(0o644)
    code = "from brainlake.lake.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", code, "--lake", str(path), "serve", "postgres", "--port", "0", "--users", str(users)],
        capture_output=True, text=True, timeout=60, check=False, env=os.environ,
    )  # fmt: skip
    assert done.returncode == 1
    assert "chmod 600" in done.stderr
