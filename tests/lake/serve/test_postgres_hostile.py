"""Clients that mean harm, are broken, or vanish: their own connection ends at worst, and nothing is left of it."""

from __future__ import annotations

import contextlib
import os
import random
import re
import socket
import struct
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import brainlake
import polars as pl
import pytest
from brainlake.lake.serve.postgres.client import Limits
from brainlake.lake.serve.postgres.server import SETTINGS, Server
from brainlake.lake.serve.snapshots import Snapshots
from brainlake.tests.fixtures.pg_wire import FLUSH, SYNC, Reply, Wire, bind, close, describe, execute, message, parse, z
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

QUIET = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


def resident() -> int:
    """Bytes of memory that this process, and the server in it, has."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Logged:
    """A server and every line it wrote."""

    def __init__(self, server: Server, lines: list[str]) -> None:
        self.server, self.lines = server, lines

    @property
    def port(self) -> int:
        return self.server.port

    def still_serves(self) -> None:
        """It answers, and was surprised by nothing."""
        with Wire(self.port) as wire:
            assert wire.ask("select sum(a) from lab.t").rows == [["6"]]
        assert not [line for line in self.lines if " in " in line], self.lines


@pytest.fixture(scope="module")
def logged(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Logged]:
    path = Path(tmp_path_factory.mktemp("hostile")) / "lake"
    with brainlake.create(path) as lake:
        lake.write("lab.t", pl.DataFrame({"a": [1, 2, 3]}), key="a")
    lines: list[str] = []
    limits = Limits(message_bytes=1 << 20, login_seconds=2)
    with (
        Snapshots(path, settings=SETTINGS) as snapshots,
        Server(snapshots, port=0, limits=limits, log=lines.append) as server,
    ):
        yield Logged(server, lines)


def everything(sock: socket.socket) -> bytes:
    """What comes until the other side closes."""
    found = b""
    while True:
        try:
            some = sock.recv(65536)
        except (ConnectionError, TimeoutError):
            return found
        if not some:
            return found
        found += some


def _say(sock: socket.socket, data: bytes) -> None:
    """Send all and no more; the other side may have had enough before."""
    with contextlib.suppress(OSError):
        sock.sendall(data)
        sock.shutdown(socket.SHUT_WR)


def well_formed(data: bytes) -> Reply:
    """A server's bytes as messages, each whole."""
    reply, at = Reply(), 0
    while at < len(data):
        (size,) = struct.unpack("!i", data[at + 1 : at + 5])
        assert 4 <= size <= len(data) - at - 1
        reply.messages.append((chr(data[at]), data[at + 5 : at + 1 + size]))
        at += size + 1
    return reply


# -- bytes ------------------------------------------------------------------------------------------------------------


@QUIET
@given(st.binary(max_size=200))
def test_any_first_bytes_end_at_worst_their_own_connection(logged: Logged, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", logged.port), 10) as sock:
        _say(sock, data)
        answer = everything(sock)
    if answer[:1] not in (b"N", b""):
        well_formed(answer)


@pytest.mark.parametrize(
    "data",
    [
        b"", b"\0", b"\0\0\0\0", b"\0\0\0\x07\0\0\0", b"\x7f\xff\xff\xff", b"\xff\xff\xff\xff", b"\0\0\0\x08\0\0\0\0",
        struct.pack("!ii", 8, 3 << 16), struct.pack("!ii", 9, 3 << 16) + b"\0", struct.pack("!ii", 12, 3 << 16) + b"user",
        struct.pack("!ii", 8, 80877102), struct.pack("!iiII", 16, 80877102, 1, 2), b"GET / HTTP/1.1\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01", struct.pack("!ii", 8, 80877103) * 50, struct.pack("!ii", 10_000, 3 << 16),
    ],
)  # fmt: skip
def test_beginnings_that_others_have_stumbled_over(logged: Logged, data: bytes) -> None:
    with socket.create_connection(("127.0.0.1", logged.port), 10) as sock:
        _say(sock, data)
        everything(sock)
    logged.still_serves()


PIECES = [
    message("Q", z("select 1")), parse("select $1::int", "s"), bind([b"1"], name="s"), describe("S", "s"), describe("P"),
    execute(), execute(1), close("S", "s"), SYNC, FLUSH, message("Q", z("begin")), message("Q", z("")),
    message("Q", z("copy (select 1) to stdout")), message("d", b"x"), message("c"), message("f", z("x")), message("F", b""),
    message("p", b"x"), message("Q", z("select '" + "ß" * 50 + "'")), message("Q", b"select 1"), message("P", b"\0"),
    message("B", struct.pack("!H", 65535)), message("E", b"\0\xff\xff\xff\xff"), message("D", b"X\0"),
    parse("select 1", oids=[0] * 300), bind([b"x"] * 300), b"Q\0\0\0\x03", b"Q\xff\xff\xff\xff", b"Z\0\0\0\x04", b"\0" * 7,
]  # fmt: skip


@QUIET
@given(st.data())
def test_any_bytes_after_the_login_end_at_worst_their_own_connection(logged: Logged, data: st.DataObject) -> None:
    """Messages, whole, cut, repeated, with bytes flipped between and within them."""
    stream = bytearray(b"".join(data.draw(st.lists(st.sampled_from(PIECES), max_size=12))))
    for _ in range(data.draw(st.integers(0, 4))):
        if stream:
            at = data.draw(st.integers(0, len(stream) - 1))
            kind = data.draw(st.sampled_from(["flip", "cut", "insert", "drop"]))
            if kind == "flip":
                stream[at] = data.draw(st.integers(0, 255))
            elif kind == "cut":
                del stream[at:]
            elif kind == "drop":
                del stream[at : at + data.draw(st.integers(1, 9))]
            else:
                stream[at:at] = data.draw(st.binary(max_size=9))
    with Wire(logged.port) as wire:
        _say(wire.socket, bytes(stream))
        well_formed(everything(wire.socket))


def test_the_server_has_forgotten_all_of_them(logged: Logged) -> None:
    deadline = time.monotonic() + 20
    while logged.server._connections and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not logged.server._connections
    assert not +logged.server._of_address
    assert not +logged.server._of_user
    logged.still_serves()


# -- states -----------------------------------------------------------------------------------------------------------

NAMES = st.sampled_from(["", "a", "b", "Ü"])
STATEMENTS = st.sampled_from(
    ["select 1", "select $1::int", "select a from lab.t order by a", "", "begin", "commit", "rollback", "select nope", "selec",
     "show server_version", "set application_name = 'x'", "set nothing = 1", "insert into lab.t values (1)", "select 1//0",
     "declare c cursor for select a from lab.t", "fetch 2 from c", "close c", "savepoint s", "rollback to s", "select 1; select 2",
     "copy (select 1) to stdout", "prepare q as select $1", "execute q ('x')", "deallocate all", "discard all",
     "select * from range(3000)", "select relname from pg_catalog.pg_class limit 1", "explain select 1"]
)  # fmt: skip
VALUES = st.lists(st.one_of(st.none(), st.sampled_from([b"1", b"x", b"\0\0\0\1", b"\xff", b""])), max_size=2)
FORMATS = st.lists(st.sampled_from([0, 1, 7]), max_size=2)
STEPS = st.one_of(
    st.builds(lambda sql, name: ("1", parse(sql, name)), STATEMENTS, NAMES),
    st.builds(lambda v, f, r, p, n: ("2", bind(v, f, r, p, n)), VALUES, FORMATS, FORMATS, NAMES, NAMES),
    st.builds(lambda name: ("t(?:T|n)", describe("S", name)), NAMES),
    st.builds(lambda name: ("(?:T|n)", describe("P", name)), NAMES),
    st.builds(lambda n, name: ("(?:D*(?:C|s)|I|Hd*cC)", execute(n, name)), st.sampled_from([0, 1, 1000]), NAMES),
    st.builds(lambda kind, name: ("3", close(kind, name)), st.sampled_from("SP"), NAMES),
    st.just(("", FLUSH)),
)
SIMPLE = st.builds(lambda sql: [("(?:T?D*C|Hd*cC|I)*", message("Q", z(sql)))], STATEMENTS)
EXTENDED = st.lists(STEPS, max_size=8).map(lambda steps: [*steps, ("", SYNC)])


@settings(max_examples=120, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.one_of(SIMPLE, EXTENDED), max_size=8))
def test_any_order_of_messages_is_answered_as_the_protocol_says(
    logged: Logged, batches: list[list[tuple[str, bytes]]]
) -> None:
    """Each step has its answer, in order, up to an error; after that nothing but the end of the batch."""
    with Wire(logged.port) as wire:
        for batch in batches:
            wire.send(b"".join(data for _, data in batch))
            reply = wire.read()
            kinds = re.sub("[NS]", "", reply.kinds)
            whole = "".join(pattern for pattern, _ in batch)
            if reply.errors:
                assert reply.error["S"] == "ERROR"
                heads = ["".join(pattern for pattern, _ in batch[:n]) for n in range(len(batch) + 1)]
                assert any(re.fullmatch(head + "t?T?H?[Dd]*EZ", kinds) for head in heads), (kinds, whole)
            else:
                assert re.fullmatch(whole + "Z", kinds), (kinds, whole)
            assert reply.status in "ITE"
        assert wire.ask("rollback").status == "I"
        assert wire.ask("select 7").rows == [["7"]]
    assert not [line for line in logged.lines if " in " in line], logged.lines[-3:]


# -- those who vanish, and those who crawl ------------------------------------------------------------------------------


def test_a_client_that_vanishes_in_the_middle_leaves_nothing(logged: Logged) -> None:
    for wait in (0.0, 0.05, 0.2):
        wire = Wire(logged.port)
        wire.send(message("Q", z("select i, 'x' || i from range(100000000) t(i)")))
        time.sleep(wait)
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # reset, not goodbye
        wire.close()
    for _ in range(3):
        wire = Wire(logged.port)
        wire.ask("begin; declare c cursor for select * from range(1000000)")
        wire.ask("fetch 10 from c")
        wire.close()
    deadline = time.monotonic() + 30
    while logged.server._connections and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not logged.server._connections
    logged.still_serves()


def test_a_reader_that_takes_nothing_fills_no_memory(logged: Logged) -> None:
    """Three answers of a gigabyte each, of which nobody reads."""
    wires = [Wire(logged.port) for _ in range(3)]
    with Wire(logged.port) as other:
        other.ask("select i, repeat('x', 100) from range(100000) t(i)")
        before = resident()
        for wire in wires:
            wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            wire.send(message("Q", z("select i, repeat('x', 1000) from range(1000000) t(i)")))
        time.sleep(2)
        assert other.ask("select 1").rows == [["1"]]  # and holds nobody up
        assert resident() - before < 300 << 20
    for wire in wires:
        wire.close()


def test_a_message_that_comes_byte_by_byte_is_read(logged: Logged) -> None:
    with Wire(logged.port) as wire:
        for byte in message("Q", z("select 'slow'")):
            wire.send(bytes([byte]))
            time.sleep(0.002)
        assert wire.read().rows == [["slow"]]


def test_questions_may_be_sent_before_the_answers_are_read(logged: Logged) -> None:
    """A pipeline: the server must not wait for its reader while the reader waits for it, at sizes sockets buffer."""
    with Wire(logged.port) as wire:
        wire.send(b"".join(parse(f"select {i}") + bind() + execute() + SYNC for i in range(200)))
        assert [wire.read().rows for _ in range(200)] == [[[str(i)]] for i in range(200)]


def test_many_clients_at_once_each_get_their_own_answers(logged: Logged) -> None:
    wrong: list[str] = []

    def run(seed: int) -> None:
        chance = random.Random(seed)
        try:
            with Wire(logged.port, timeout=120) as wire:
                for _ in range(10):
                    n = chance.randrange(1, 3000)
                    found = wire.query(
                        "select i + $1::bigint from range($2::bigint) t(i)", b"%d" % seed, b"%d" % n
                    ).rows
                    if found != [[str(i + seed)] for i in range(n)]:
                        wrong.append(f"{seed}: {found[:2]}")
        except Exception as error:
            wrong.append(f"{seed}: {error!r}")

    threads = [threading.Thread(target=run, args=(seed,)) for seed in range(64)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(180)
    assert wrong == []
    logged.still_serves()
