"""Clients of Arrow Flight SQL for :mod:`.serve_load`, by ADBC's driver: processes of some threads, killed as processes are.

``python -m benchmarks.serve_load_flight URI SEED THREADS`` is one such process: it tells, in a line of JSON each time a
client leaves, what was answered, or what was wrong.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable
from typing import Any

import adbc_driver_flightsql.dbapi as flight
import adbc_driver_manager
import pyarrow as pa

from .serve_report import FIRST, PATIENCE_S, READ, Report, expected, snapshot_of

_THREADS = 8  # of a process
_LIVES_S = (5.0, 60.0)  # of a process, before it is killed


class Clients:
    """So many clients, some of which are killed again and again, from when they are made until ``stop()``."""

    def __init__(self, port: int, n: int, seed: int, report: Report) -> None:
        self._uri, self._report = f"grpc://127.0.0.1:{port}", report
        self._stopping, self._lock = threading.Event(), threading.Lock()
        sizes = [_THREADS] * (n // _THREADS) + [n % _THREADS] * bool(n % _THREADS)
        self._threads = [
            threading.Thread(target=self._keep, args=(seed * 1000 + i, size)) for i, size in enumerate(sizes)
        ]
        for thread in self._threads:
            thread.start()

    def _keep(self, seed: int, size: int) -> None:
        """Keep a process of clients alive: another for each that is killed."""
        chance = random.Random(seed)
        while not self._stopping.is_set():
            command = [sys.executable, "-m", __name__, self._uri, str(chance.randrange(2**31)), str(size)]
            with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
                reader = threading.Thread(target=self._read, args=(process,))
                reader.start()
                if not self._stopping.wait(chance.uniform(*_LIVES_S)):
                    process.kill()
                    with self._lock:
                        self._report.killed += size
                elif process.stdin:
                    process.stdin.close()  # they finish what they ask, and end
                reader.join(PATIENCE_S)
                if reader.is_alive():
                    self._report.wrong.append("a client still waits for its answer")
                    process.kill()

    def _read(self, process: subprocess.Popen[str]) -> None:
        for line in process.stdout or ():
            if line.endswith("\n"):  # the last line of one that was killed may be half
                told = json.loads(line)
                with self._lock:
                    self._report.answers += Counter(told["answers"])
                    self._report.wrong += told["wrong"]

    def stop(self) -> None:
        """Let each finish its question and leave."""
        self._stopping.set()
        for thread in self._threads:
            thread.join(2 * PATIENCE_S)

    def newest(self) -> list[str | None]:
        """What a client that comes now reads."""
        with flight.connect(self._uri, autocommit=True) as connection:
            return _row(_ask(connection, READ))


# -- a process of clients ---------------------------------------------------------------------------------------------


class _WrongError(Exception):
    pass


def _ask(connection: Any, query: str, values: list[Any] | None = None) -> pa.Table:
    with connection.cursor() as cursor:
        cursor.execute(query, values)
        return cursor.fetch_arrow_table()


def _row(table: pa.Table) -> list[str | None]:
    (row,) = table.to_pylist()
    return [str(value) for value in row.values()]


def _whole(table: pa.Table, newest: int) -> int:
    """The snapshot that a row of READ tells, which must be whole, and not older than one seen before."""
    row = _row(table)
    n = int(row[1] or 0) + 1
    if row != expected(n) or n < max(newest, FIRST):
        raise _WrongError(f"{row} after {newest}")
    return n


def _simple(connection: Any, chance: random.Random, newest: int) -> int:
    return _whole(_ask(connection, READ), newest)


def _prepared(connection: Any, chance: random.Random, newest: int) -> int:
    back = chance.randrange(FIRST)
    query = "select i + $1 + 1 as n, i from lab.moving where i = (select max(i) from lab.moving) - $1"
    rows = _ask(connection, query, [back]).to_pylist()
    if len(rows) != 1 or rows[0]["n"] != rows[0]["i"] + back + 1 or rows[0]["n"] < max(newest, FIRST):
        raise _WrongError(f"asked for {back} before the last after {newest}, got {rows}")
    return int(rows[0]["n"])


def _streamed(connection: Any, chance: random.Random, newest: int) -> int:
    """Read in batches, while the lake moves on: still all of one snapshot."""
    with connection.cursor() as cursor:
        cursor.execute("select i from lab.moving order by i")
        numbers = []
        for batch in cursor.fetch_record_batch():
            newest = _simple(connection, chance, newest)
            numbers += batch.column(0).to_pylist()
    if not snapshot_of(numbers):
        raise _WrongError(f"a stream gave {len(numbers)} numbers: {numbers[:3]} ... {numbers[-3:]}")
    return newest


def _transaction(connection: Any, chance: random.Random, newest: int) -> int:
    connection.adbc_connection.set_autocommit(False)
    try:
        seen = {_whole(_ask(connection, READ), newest) for _ in range(3)}
        connection.commit()
    finally:
        connection.adbc_connection.set_autocommit(True)
    if len(seen) != 1:
        raise _WrongError(f"a transaction saw {seen}")
    return seen.pop()


def _large(connection: Any, chance: random.Random, newest: int) -> int:
    n = chance.randrange(1, 200_000)
    found = _ask(connection, "select i, 'é' || i as t from range($1::bigint) r(i) order by i", [n])
    if found.num_rows != n or found["t"][n - 1].as_py() != f"é{n - 1}" or found["i"].to_pylist() != list(range(n)):
        raise _WrongError(f"{n} rows came back as {found.num_rows}")
    return newest


def _left(connection: Any, chance: random.Random, newest: int) -> int:
    """Begin to read a large answer, and think better of it."""
    with connection.cursor() as cursor:
        cursor.execute("select i, repeat('x', 500) as t from range(1000000) r(i)")
        reader = cursor.fetch_record_batch()
        if reader.read_next_batch().column(0)[0].as_py() is None:
            raise _WrongError("a number was none")
    return newest


def _mistake(connection: Any, chance: random.Random, newest: int) -> int:
    try:
        _ask(connection, "select nope from lab.moving")
    except adbc_driver_manager.Error as error:
        if "nope" in str(error):
            return newest
        raise
    raise _WrongError("a mistake was not one")


def _cancelled(connection: Any, chance: random.Random, newest: int) -> int:
    """Give up what would take hours."""
    done = threading.Event()
    with connection.cursor() as cursor:

        def cancel() -> None:
            while not done.wait(0.05 + chance.random() / 5):  # again, where it came before the question
                cursor.adbc_cancel()

        canceller = threading.Thread(target=cancel)
        canceller.start()
        try:
            cursor.execute("select count(*) from range(3000000) a, range(3000000) b where a.range * b.range < -1")
            raise _WrongError("it was not cancelled")
        except adbc_driver_manager.Error as error:
            if "ancel" not in str(error):
                raise
        finally:
            done.set()
            canceller.join()
    return newest


_WAYS: list[Callable[[Any, random.Random, int], int]] = [
    _simple, _simple, _simple, _prepared, _prepared, _streamed, _transaction, _large, _left, _mistake, _cancelled,
]  # fmt: skip


def _client(uri: str, seed: int, stop: threading.Event) -> None:
    """A client that connects, asks some, leaves, and comes again."""
    chance = random.Random(seed)
    while not stop.is_set():
        answers: Counter[str] = Counter()
        wrong: list[str] = []
        try:
            with flight.connect(uri, autocommit=True) as connection:
                newest = 0
                for _ in range(chance.randrange(1, 30)):
                    if stop.is_set():
                        break
                    way = chance.choice(_WAYS)
                    newest = way(connection, chance, newest)
                    answers[way.__name__.strip("_")] += 1
        except (_WrongError, adbc_driver_manager.Error, OSError) as error:
            wrong.append(f"client {seed}: {type(error).__name__}: {error}"[:500])
            time.sleep(0.1)
        sys.stdout.write(json.dumps({"answers": answers, "wrong": wrong}) + "\n")
        sys.stdout.flush()


def main() -> None:
    uri, seed, n = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
    stop = threading.Event()
    threads = [threading.Thread(target=_client, args=(uri, seed + i, stop)) for i in range(n)]
    for thread in threads:
        thread.start()
    sys.stdin.read()  # until it is closed
    stop.set()
    for thread in threads:
        thread.join()


if __name__ == "__main__":
    main()
