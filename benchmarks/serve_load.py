"""Many clients of a served lake, some killed at random, beside an ingest: is every answer one snapshot's, and right?

``python -m benchmarks.serve_load --minutes 10``: the server runs as its command; clients ask over PostgreSQL's wire in all
its ways (simple, extended, portals, cursors, COPY, pinned, cancelled); another process replaces a table again and again.
Snapshot n holds the numbers 0 to n - 1, in a table and, in the same transaction of the reader, in its sum: whatever is
read tells which snapshot it is of, and whether all of it is. At the end the server must have forgotten everybody, and its
memory must not have grown.
"""

from __future__ import annotations

import argparse
import contextlib
import multiprocessing
import os
import random
import re
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import brainlake
import pyarrow as pa
from brainlake.tests.fixtures.pg_wire import Reply, Wire, bind, execute, message, parse, z

TABLE, FIRST = "lab.growing", 100
READ = "select count(*) as n, max(i) as top, sum(i)::bigint as total from lab.growing"
MOST_WAIT_S = 120.0  # longer than asked, until something has happened
FLAT_MB = 150.0  # that memory may grow after the first third


@dataclass
class Report:
    """What was seen. ``wrong`` should be empty."""

    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    commits: int = 0
    killed: int = 0
    memory_mb: list[float] = field(default_factory=list)

    @property
    def growth_mb(self) -> float:
        """How much the server's memory grew from the first third to the last, by their medians."""
        third = max(len(self.memory_mb) // 3, 1)
        return sorted(self.memory_mb[-third:])[third // 2] - sorted(self.memory_mb[third : 2 * third] or [0.0])[0]

    def __str__(self) -> str:
        asked = ", ".join(f"{n} {kind}" for kind, n in sorted(self.answers.items()))
        return (
            f"{sum(self.answers.values())} answers ({asked}) over {self.commits} commits, {self.killed} clients killed; "
            f"memory {self.memory_mb[0]:.0f} to {self.memory_mb[-1]:.0f} MB, most {max(self.memory_mb):.0f}; "
            f"{len(self.wrong)} wrong"
        )


def load(path: Path, seconds: float, clients: int, seed: int = 0) -> Report:
    """Make a lake at ``path``, serve it, and load the server for so long."""
    with brainlake.create(path) as lake:
        _write(lake, FIRST)
    report = Report()
    command = [sys.executable, "-c", "from brainlake.lake.cli import main; main()", "--lake", str(path)]
    command += ["serve", "postgres", "--port", "0", "--quiet", "--clients", str(clients + 20)]
    command += ["--per-client", str(clients + 20)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            found = re.search(r":(\d+) ", server.stdout.readline() if server.stdout else "")
            if not found:
                raise RuntimeError("the server did not start")
            _run(path, int(found[1]), server.pid, seconds, clients, seed, report)
            if server.poll() is not None:
                report.wrong.append(f"the server ended with {server.returncode}")
        finally:
            server.terminate()
    return report


def _write(lake: brainlake.Lake, n: int) -> None:
    lake.write(TABLE, pa.table({"i": pa.array(range(n), pa.int64())}), key="i")


def _ingest(path: str, stop: Any, commits: Any) -> None:
    """The writer: each commit has one row more."""
    n = FIRST
    with brainlake.open(path) as lake:
        while not stop.is_set():
            n += 1
            _write(lake, n)
            commits.value += 1
            stop.wait(0.15)


def _run(path: Path, port: int, pid: int, seconds: float, clients: int, seed: int, report: Report) -> None:
    context = multiprocessing.get_context("spawn")
    stop_writing, commits = context.Event(), context.Value("i", 0)
    writer = context.Process(target=_ingest, args=(str(path), stop_writing, commits))
    writer.start()
    stop, lock = threading.Event(), threading.Lock()
    threads = [
        threading.Thread(target=_client, args=(port, seed * 1000 + i, stop, lock, report)) for i in range(clients)
    ]
    for thread in threads:
        thread.start()
    deadline = time.monotonic() + seconds
    latest = deadline + MOST_WAIT_S
    while (now := time.monotonic()) < deadline or (now < latest and (commits.value < 5 or not report.killed)):
        time.sleep(min(1.0, seconds / 20))
        report.memory_mb.append(_resident_mb(pid))
    stop.set()
    for thread in threads:
        thread.join(120)
    stop_writing.set()
    writer.join(60)
    report.commits = commits.value
    if any(thread.is_alive() for thread in threads):
        report.wrong.append("a client still waits for its answer")
    with Wire(port) as wire:
        last = wire.ask(READ).rows
        if last != [_expected(FIRST + report.commits)]:
            report.wrong.append(f"at the end: {last}, after {report.commits} commits")


def _resident_mb(pid: int) -> float:
    with contextlib.suppress(OSError):
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20
    return 0.0


def _expected(n: int) -> list[str | None]:
    return [str(n), str(n - 1), str(n * (n - 1) // 2)]


class _Wrong(Exception):
    pass


def _client(port: int, seed: int, stop: threading.Event, lock: threading.Lock, report: Report) -> None:
    """A client that connects, asks some, leaves well or badly, and comes again."""
    chance = random.Random(seed)
    while not stop.is_set():
        counted: Counter[str] = Counter()
        try:
            with Wire(port, timeout=120) as wire:
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
    """The size of the snapshot that a row of READ tells, which must be whole, and not older than one seen before."""
    if reply.errors:
        raise _Wrong(str(reply.errors))
    (row,) = reply.rows
    n = int(row[0] or 0)
    if row != _expected(n) or n < max(newest, FIRST):
        raise _Wrong(f"{row} after {newest}")
    return n


def _simple(wire: Wire, chance: random.Random, newest: int) -> int:
    return _whole(wire.ask(READ), newest)


def _prepared(wire: Wire, chance: random.Random, newest: int) -> int:
    n = chance.randrange(FIRST)
    reply = wire.query("select i, i + $1 from lab.growing where i = $1", str(n).encode())
    if reply.rows != [[str(n), str(2 * n)]]:
        raise _Wrong(f"asked for {n}, got {reply.rows} {reply.errors}")
    return newest


def _portal(wire: Wire, chance: random.Random, newest: int) -> int:
    """Read in steps, while the lake moves on: still all of one snapshot."""
    wire.ask("begin")
    reply = wire.extended(parse("select i from lab.growing order by i"), bind(portal="p"), execute(30, "p"))
    rows = reply.rows
    while "s" in reply.kinds:
        if chance.random() < 0.3:
            newest = _whole(wire.ask(READ), newest)
        reply = wire.extended(execute(30, "p"))
        rows += reply.rows
    wire.ask("commit")
    if [int(row[0] or -1) for row in rows] != list(range(len(rows))) or len(rows) < FIRST:
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
    wire.ask("begin; declare c cursor for select i from lab.growing order by i")
    rows: list[list[str | None]] = []
    while some := wire.ask("fetch 40 from c").rows:
        rows += some
    wire.ask("commit")
    if [int(row[0] or -1) for row in rows] != list(range(len(rows))):
        raise _Wrong(f"a cursor gave {rows[:3]} ... {rows[-3:]}")
    return newest


def _copy(wire: Wire, chance: random.Random, newest: int) -> int:
    reply = wire.ask("copy (select i from lab.growing order by i) to stdout csv")
    numbers = [int(line) for line in b"".join(reply.bodies("d")).split()]
    if numbers != list(range(len(numbers))) or len(numbers) < max(newest, FIRST):
        raise _Wrong(f"COPY gave {len(numbers)} numbers after {newest}")
    return len(numbers)


def _large(wire: Wire, chance: random.Random, newest: int) -> int:
    n = chance.randrange(1, 20_000)
    rows = wire.query("select i, 'é' || i from range($1::bigint) t(i) order by i", str(n).encode()).rows
    if rows != [[str(i), f"é{i}"] for i in range(n)]:
        raise _Wrong(f"{n} rows came back as {len(rows)}")
    return newest


def _mistake(wire: Wire, chance: random.Random, newest: int) -> int:
    if wire.ask("select nope from lab.growing").error["C"] != "42703":
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


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve_load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="serve-load-"))
    try:
        report = load(folder / "lake", arguments.minutes * 60, arguments.clients, arguments.seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(report)
    for line in report.wrong[:20]:
        print(line)
    print(f"memory grew by {report.growth_mb:.0f} MB from the second third to the last")
    return 1 if report.wrong or report.growth_mb > FLAT_MB else 0


if __name__ == "__main__":
    sys.exit(main())
