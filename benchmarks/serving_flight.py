"""A lake served over Arrow Flight SQL: a million rows to each client, the first of them, many clients, a slow reader."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import brainlake

from .material import Material
from .measure import Row, milliseconds
from .serving import MILLION

AT_MOST = 4.0  # times what the same question takes in this process
SMALL = "select unit_id, spike_time from ecephys.spikes where session_id = ? and unit_id = ? limit 20"
QUESTIONS = 640  # in all, however many clients share them
WIDE = "select " + ", ".join(f"i + {k} as c{k}" for k in range(50)) + " from range(20_000_000) as r(i)"  # 8 GB


@contextlib.contextmanager
def served(lake: Path) -> Iterator[tuple[str, int]]:
    """The command in a process of its own; gives its address and its process."""
    command = [
        sys.executable,
        "-u",
        "-m",
        "brainlake",
        "--lake",
        str(lake),
        "serve",
        "flight",
        "--port",
        "0",
        "--quiet",
    ]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            line = process.stdout.readline() if process.stdout else ""
            if "grpc://" not in line:
                raise RuntimeError(f"the server did not start: {line}")
            yield line.split(" at ")[1].split()[0], process.pid
        finally:
            process.terminate()


def serving_flight(material: Material) -> list[Row]:
    import adbc_driver_flightsql.dbapi as adbc

    lake = material.large_lake
    with brainlake.open(lake) as opened:
        in_process = milliseconds(lambda: opened.sql(MILLION).arrow(), repeat=5)
        session, unit = opened.sql("select session_id, unit_id from ecephys.units limit 1").to_numpy().tolist()[0]
    with served(lake) as (uri, pid), adbc.connect(uri, autocommit=True) as connection:
        return [
            *_a_million(connection, in_process),
            Row("1 M rows × 10 columns: time to the first batch", milliseconds(lambda: _first(connection), repeat=5)),
            *(_many(uri, clients, (session, unit)) for clients in (1, 8, 64)),
            _slow_reader(connection, pid),
        ]


def _a_million(connection: Any, in_process: float) -> Iterator[Row]:
    import polars as pl

    def arrow() -> None:
        with connection.cursor() as cursor:
            cursor.execute(MILLION)
            assert cursor.fetch_arrow_table().num_rows == 1_000_000

    ways: tuple[tuple[str, Callable[[], object]], ...] = (
        ("ADBC, Arrow", arrow),
        ("polars.read_database", lambda: pl.read_database(MILLION, connection)),
    )
    for name, run in ways:
        ms = milliseconds(run, repeat=5)
        what, ratio = f"1 M rows × 10 columns: {name}", in_process / ms
        target = f"≥ {1 / AT_MOST:g}×"
        yield Row(what, ms, "ms", in_process, "in-process Arrow", ratio, target, ratio >= 1 / AT_MOST)


def _first(connection: Any) -> None:
    with connection.cursor() as cursor:
        cursor.execute(MILLION)
        next(cursor.fetch_record_batch())


def _many(uri: str, clients: int, values: tuple[int, int]) -> Row:
    """Small questions of several clients at once; the 99th hundredth of their times."""
    import adbc_driver_flightsql.dbapi as adbc

    times: list[float] = []

    def ask() -> None:
        with adbc.connect(uri, autocommit=True) as connection, connection.cursor() as cursor:
            cursor.adbc_prepare(SMALL)
            for _ in range(QUESTIONS // clients):
                began = time.perf_counter()
                cursor.execute(SMALL, values)
                cursor.fetchall()
                times.append((time.perf_counter() - began) * 1e3)

    threads = [threading.Thread(target=ask) for _ in range(clients)]
    began = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    rate = len(times) / (time.perf_counter() - began)
    p99 = sorted(times)[int(len(times) * 0.99)]
    return Row(f"20 spikes of a unit, {clients} clients at once: {rate:,.0f} questions/s; p99", p99)


def _slow_reader(connection: Any, pid: int) -> Row:
    """What the server holds while a client reads two batches of 8 GB and waits."""

    def resident() -> float:
        text = Path(f"/proc/{pid}/status").read_text(encoding="ascii")
        return int(text.split("VmRSS:")[1].split()[0]) / 1024

    before = resident()
    with connection.cursor() as cursor:
        cursor.execute(WIDE)
        reader = cursor.fetch_record_batch()
        for _ in range(2):
            reader.read_next_batch()
        time.sleep(3)
        more = resident() - before
        cursor.adbc_cancel()
    return Row("memory for a reader that waits amid 8 GB", more, "MB", target="≤ 500 MB", ok=more <= 500)
