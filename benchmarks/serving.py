"""A lake served over PostgreSQL's wire: a million rows to each client, many clients at once, readers that crawl."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import brainlake
from brainlake.tests.fixtures.pg_wire import Wire, bind, execute, message, parse, z

from .material import Material
from .measure import Row, milliseconds, within

# Ten columns: int, float, text, bool, timestamp, small, big and short ones, and one with NULLs.
MILLION = (
    "select i::int as a, i * 1.5::double as b, 'text ' || i as c, i % 2 = 0 as d, "
    "timestamp '2020-01-01' + interval (i) second as e, (i % 100)::smallint as f, i::bigint as g, "
    "(i * 0.25)::float as h, 'abc' as k, case when i % 10 > 0 then i + 7 end as l from range(1000000) t(i)"
)
SMALL = "select unit_id, spike_time from ecephys.spikes where session_id = $1::bigint and unit_id = $2::bigint limit 20"
QUESTIONS = 640  # in all, however many clients share them


@contextlib.contextmanager
def served(lake: Path, *options: str) -> Iterator[tuple[int, int]]:
    """The command in a process of its own; gives its port and its process."""
    command = [
        str(Path(sys.executable).with_name("brainlake")),
        "--lake",
        str(lake),
        "serve",
        "postgres",
        "--port",
        "0",
    ]
    with subprocess.Popen([*command, "--quiet", *options], stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            found = re.search(r":(\d+) ", line)
            if not found:
                raise RuntimeError(f"the server did not start: {line}")
            yield int(found[1]), process.pid
        finally:
            process.terminate()


def serving(material: Material) -> list[Row]:
    lake = material.large_lake
    with brainlake.open(lake) as opened:
        in_process = milliseconds(lambda: opened.sql(MILLION).arrow(), repeat=5)
    with served(lake) as (port, pid):
        return [
            *_a_million(port, in_process),
            _first_row(port),
            *_many_clients(lake, port),
            _slow_readers(port, pid),
        ]


def _a_million(port: int, in_process: float) -> list[Row]:
    rows: list[Row] = []

    def add(name: str, run: Callable[[], object], limit: float | None = None) -> None:
        ms = milliseconds(run, repeat=3)
        target = (f"≤ {limit:g} ms", ms <= limit) if limit else ("", None)
        what = f"1 M rows × 10 columns: {name}"
        rows.append(Row(what, ms, "ms", in_process, "in-process Arrow", in_process / ms, *target))

    environment = {**os.environ, "PGHOST": "127.0.0.1", "PGPORT": str(port), "PGUSER": "bench", "PGDATABASE": "lake"}
    if shutil.which("psql"):

        def psql(command: str) -> None:
            subprocess.run(["psql", "-XAtc", command], env=environment, stdout=subprocess.DEVNULL, check=True)

        add("psql", lambda: psql(MILLION), 2000)
        add("psql, \\copy to csv", lambda: psql(f"\\copy ({MILLION}) to /dev/null csv"))
        add("psql, \\copy to binary", lambda: psql(f"\\copy ({MILLION}) to /dev/null binary"))
    with contextlib.suppress(ImportError):
        import psycopg

        with psycopg.connect(f"host=127.0.0.1 port={port} user=bench") as connection:
            add("psycopg", lambda: connection.execute(MILLION).fetchall())
            add("psycopg, binary", lambda: connection.execute(MILLION, binary=True).fetchall())
    with contextlib.suppress(ImportError):
        import asyncio

        import asyncpg

        async def fetch() -> None:
            connection = await asyncpg.connect(host="127.0.0.1", port=port, user="bench", database="lake")
            await connection.fetch(MILLION)
            await connection.close()

        add("asyncpg", lambda: asyncio.run(fetch()))
    with contextlib.suppress(ImportError):
        import adbc_driver_postgresql.dbapi as adbc

        with adbc.connect(f"postgresql://bench@127.0.0.1:{port}/lake") as connection, connection.cursor() as cursor:

            def arrow() -> None:
                cursor.execute(MILLION)
                cursor.fetch_arrow_table()

            add("ADBC to Arrow", arrow)
    return rows


def _first_row(port: int) -> Row:
    with Wire(port) as wire:

        def first() -> None:
            wire.send(parse(MILLION) + bind() + execute(1) + message("S"))
            assert len(wire.read().rows) == 1

        return within("first of a million rows", milliseconds(first, repeat=9), 100)


def _many_clients(lake: Path, port: int) -> list[Row]:
    """Small questions: how many a second, and how long the slowest hundredth takes."""
    with brainlake.open(lake) as opened:
        session, unit = (
            opened.sql("select session_id, unit_id from ecephys.units limit 1").arrow().to_pylist()[0].values()
        )
        plain = SMALL.replace("$1::bigint", str(session)).replace("$2::bigint", str(unit))
        alone = _together(8, lambda: (lambda: opened.sql(plain).arrow(), lambda: None))
    values = [str(session).encode(), str(unit).encode()]

    def connect() -> tuple[Callable[[], object], Callable[[], None]]:
        wire = Wire(port, timeout=120)
        wire.extended(parse(SMALL, "small"))
        return lambda: wire.extended(bind(values, name="small"), execute()), wire.close

    rows = []
    for n in (1, 8, 64):
        per_second, p99 = _together(n, connect)
        ratio = per_second / alone[0]
        what = f"{n} clients, small questions" if n > 1 else "1 client, small questions"
        rows.append(Row(what, per_second, "1/s", alone[0], "in process, 8 threads", ratio))
        rows.append(Row(f"{what}: 99 of 100 within", p99, "ms"))
    return rows


def _together(n: int, connect: Callable[[], tuple[Callable[[], object], Callable[[], None]]]) -> tuple[float, float]:
    """Questions a second of n at once, and the 99th percentile of their times in ms."""
    times: list[float] = []
    ready = threading.Barrier(n + 1)

    def run() -> None:
        ask, leave = connect()
        ask()
        ready.wait()
        for _ in range(QUESTIONS // n):
            start = time.perf_counter()
            ask()
            times.append((time.perf_counter() - start) * 1e3)
        leave()

    threads = [threading.Thread(target=run) for _ in range(n)]
    for thread in threads:
        thread.start()
    ready.wait()
    start = time.perf_counter()
    for thread in threads:
        thread.join()
    return len(times) / (time.perf_counter() - start), statistics.quantiles(times, n=100)[98]


def _slow_readers(port: int, pid: int) -> Row:
    """What 16 clients cost that ask for a gigabyte each and read none of it."""

    def resident() -> float:
        return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 2**20

    before = resident()
    wires = [Wire(port) for _ in range(16)]
    for wire in wires:
        wire.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        wire.send(message("Q", z("select i, repeat('x', 1000) from range(1000000) t(i)")))
    peak = before
    for _ in range(50):
        time.sleep(0.1)
        peak = max(peak, resident())
    for wire in wires:
        wire.close()
    return within("memory of 16 readers that read nothing of 1 GB", peak - before, 1000, "MB")
