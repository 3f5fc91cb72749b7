"""Clients of PostgreSQL's wire for :mod:`.serve_load`: they ask in all its ways, and some break off in the middle.

Simple and extended questions, portals read in steps, cursors, COPY, repeatable transactions, mistakes, time-outs.
"""

from __future__ import annotations

import random
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable

from brainlake.tests.fixtures.pg_wire import Reply, Wire, bind, execute, message, parse, z

from .serve_report import FIRST, PATIENCE_S, READ, Report, expected, snapshot_of


class Clients:
    """So many clients, a thread each, from when they are made until ``stop()``."""

    def __init__(self, port: int, n: int, seed: int, report: Report) -> None:
        self._port, self._report = port, report
        self._stopping, self._lock = threading.Event(), threading.Lock()
        self._threads = [
            threading.Thread(target=_client, args=(port, seed * 1000 + i, self._stopping, self._lock, report))
            for i in range(n)
        ]
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Let each finish its question and leave."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(PATIENCE_S)
        if any(thread.is_alive() for thread in self._threads):
            self._report.wrong.append("a client still waits for its answer")

    def newest(self) -> list[str | None]:
        """What a client that comes now reads."""
        with Wire(self._port) as wire:
            return wire.ask(READ).rows[0]


class _Wrong(Exception):
    pass


def _client(port: int, seed: int, stop: threading.Event, lock: threading.Lock, report: Report) -> None:
    """A client that connects, asks some, leaves well or badly, and comes again."""
    chance = random.Random(seed)
    while not stop.is_set():
        counted: Counter[str] = Counter()
        try:
            with Wire(port, timeout=PATIENCE_S) as wire:
                if wire.hello.errors:
                    raise _Wrong(f"not let in: {wire.hello.error}")
                newest = 0
                for _ in range(chance.randrange(1, 30)):
                    if stop.is_set():
                        break
                    way = chance.choice(_WAYS)
                    newest = way(wire, chance, newest)
                    counted[way.__name__.strip("_")] += 1
                if chance.random() < 0.3:
                    _die(wire, chance)
                    counted["killed"] += 1
        except (_Wrong, AssertionError, OSError, IndexError, ValueError) as error:
            with lock:
                report.wrong.append(f"client {seed}: {type(error).__name__}: {error}")
        with lock:
            report.killed += counted.pop("killed", 0)
            report.answers += counted


def _die(wire: Wire, chance: random.Random) -> None:
    """Reset the connection in the middle of a large answer, or of a message."""
    wire.send(
        chance.choice([message("Q", z("select i, repeat('x', 500) from range(1000000) t(i)")), b"Q\0\0\0\xff sel"])
    )
    time.sleep(chance.random() * 0.05)
    wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def _whole(reply: Reply, newest: int) -> int:
    """The snapshot that a row of READ tells, which must be whole, and not older than one seen before."""
    if reply.errors:
        raise _Wrong(str(reply.errors))
    (row,) = reply.rows
    n = int(row[1] or 0) + 1
    if row != expected(n) or n < max(newest, FIRST):
        raise _Wrong(f"{row} after {newest}")
    return n


def _simple(wire: Wire, chance: random.Random, newest: int) -> int:
    return _whole(wire.ask(READ), newest)


def _prepared(wire: Wire, chance: random.Random, newest: int) -> int:
    back = chance.randrange(FIRST)
    query = "select i + $1 + 1, i from lab.moving where i = (select max(i) from lab.moving) - $1"
    reply = wire.query(query, str(back).encode())
    found = [[int(value or -1) for value in row] for row in reply.rows]
    if len(found) != 1 or found[0][0] != found[0][1] + back + 1 or found[0][0] < max(newest, FIRST):
        raise _Wrong(f"asked for {back} before the last after {newest}, got {reply.rows} {reply.errors}")
    return found[0][0]


def _portal(wire: Wire, chance: random.Random, newest: int) -> int:
    """Read in steps, while the lake moves on: still all of one snapshot."""
    wire.ask("begin")
    reply = wire.extended(parse("select i from lab.moving order by i"), bind(portal="p"), execute(30, "p"))
    rows = reply.rows
    while "s" in reply.kinds:
        if chance.random() < 0.3:
            newest = _whole(wire.ask(READ), newest)
        reply = wire.extended(execute(30, "p"))
        rows += reply.rows
    wire.ask("commit")
    if not snapshot_of([int(row[0] or -1) for row in rows]):
        raise _Wrong(f"a portal gave {len(rows)} rows: {rows[:3]} ... {rows[-3:]} {reply.errors}")
    return newest


def _repeatable(wire: Wire, chance: random.Random, newest: int) -> int:
    wire.ask("begin isolation level repeatable read")
    seen = {_whole(wire.ask(READ), newest) for _ in range(3)}
    wire.ask("rollback")
    if len(seen) != 1:
        raise _Wrong(f"a repeatable transaction saw {seen}")
    return seen.pop()


def _cursor(wire: Wire, chance: random.Random, newest: int) -> int:
    wire.ask("begin; declare c cursor for select i from lab.moving order by i")
    rows: list[list[str | None]] = []
    while some := wire.ask("fetch 40 from c").rows:
        rows += some
    wire.ask("commit")
    if not snapshot_of([int(row[0] or -1) for row in rows]):
        raise _Wrong(f"a cursor gave {rows[:3]} ... {rows[-3:]}")
    return newest


def _copy(wire: Wire, chance: random.Random, newest: int) -> int:
    reply = wire.ask("copy (select i from lab.moving order by i) to stdout csv")
    numbers = [int(line) for line in b"".join(reply.bodies("d")).split()]
    if (n := snapshot_of(numbers)) < max(newest, FIRST):
        raise _Wrong(f"COPY gave {len(numbers)} numbers up to {numbers[-1:]} after {newest}")
    return n


def _large(wire: Wire, chance: random.Random, newest: int) -> int:
    n = chance.randrange(1, 20_000)
    rows = wire.query("select i, 'é' || i from range($1::bigint) t(i) order by i", str(n).encode()).rows
    if rows != [[str(i), f"é{i}"] for i in range(n)]:
        raise _Wrong(f"{n} rows came back as {len(rows)}")
    return newest


def _mistake(wire: Wire, chance: random.Random, newest: int) -> int:
    if wire.ask("select nope from lab.moving").error["C"] != "42703":
        raise _Wrong("a mistake was not one")
    return newest


def _timed_out(wire: Wire, chance: random.Random, newest: int) -> int:
    wire.ask("set statement_timeout = 30")
    reply = wire.ask("select count(*) from range(300000) a, range(300000) b where a.range = -b.range - 1")
    wire.ask("reset statement_timeout")
    if reply.errors and reply.error["C"] != "57014":
        raise _Wrong(f"instead of its time being over: {reply.error}")
    return newest


_WAYS: list[Callable[[Wire, random.Random, int], int]] = [
    _simple, _simple, _simple, _prepared, _prepared, _portal, _repeatable, _cursor, _copy, _large, _mistake, _timed_out,
]  # fmt: skip
