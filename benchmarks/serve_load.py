"""Many clients of a served lake, some killed at random, beside an ingest: is every answer one snapshot's, and right?

``python -m benchmarks.serve_load --minutes 10 [--flight]``: the server runs as its command, over PostgreSQL's wire or
Arrow Flight SQL, and its clients ask in all ways of these; another process replaces a table again and again. Snapshot n
holds the hundred numbers below n, in a table and, in the same transaction of the reader, in its sum: whatever is read
tells which snapshot it is of, and whether all of it is. At the end the server must have forgotten everybody, and its memory
must not have grown. What its memory is used for is told twice a minute.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import re
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import brainlake
import pyarrow as pa
from brainlake.lake.serve.snapshots import SPARES

from .serve_report import FIRST, TABLE, Report, expected, held
from .serve_watch import shown

MOST_WAIT_S = 120.0  # longer than asked, until something has happened
FLAT = 0.05  # by which part memory may grow in a third of the time
TOLD_S = 30.0


def load(
    path: Path, seconds: float, clients: int, seed: int = 0, protocol: str = "postgres", verbose: bool = False
) -> Report:
    """Make a lake at ``path``, serve it, and load the server for so long."""
    with brainlake.create(path) as lake:
        _write(lake, FIRST)
    report = Report()
    watched = path.with_name("watched.jsonl")
    command = [sys.executable, "-m", "brainlake.benchmarks.serve_watch", str(watched), str(min(5.0, seconds / 16))]
    command += ["--lake", str(path), "serve", protocol, "--port", "0", "--quiet"]
    if protocol == "postgres":
        command += ["--clients", str(clients + 20), "--per-client", str(clients + 20)]
    else:
        command += ["--streams", str(4 * clients + 20), "--idle", "60", "--transaction", "60"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        try:
            found = re.search(r":(\d+) ", server.stdout.readline() if server.stdout else "")
            if not found:
                raise RuntimeError("the server did not start")
            _run(path, int(found[1]), watched, seconds, clients, seed, protocol, report, verbose)
            if server.poll() is not None:
                report.wrong.append(f"the server ended with {server.returncode}")
        finally:
            server.terminate()
    return report


def _write(lake: brainlake.Lake, n: int) -> None:
    lake.write(TABLE, pa.table({"i": pa.array(held(n), pa.int64())}), key="i")


def _ingest(path: str, stop: Any, commits: Any) -> None:
    """The writer: each commit moves the numbers on by one."""
    n = FIRST
    with brainlake.open(path) as lake:
        while not stop.is_set():
            n += 1
            _write(lake, n)
            commits.value += 1
            stop.wait(0.15)


def _run(
    path: Path,
    port: int,
    watched: Path,
    seconds: float,
    clients: int,
    seed: int,
    protocol: str,
    report: Report,
    verbose: bool,
) -> None:
    if protocol == "postgres":
        from .serve_load_postgres import Clients
    else:
        from .serve_load_flight import Clients  # type: ignore[assignment]
    context = multiprocessing.get_context("spawn")
    stop_writing, commits = context.Event(), context.Value("i", 0)
    writer = context.Process(target=_ingest, args=(str(path), stop_writing, commits))
    writer.start()
    asking = Clients(port, clients, seed, report)
    deadline = time.monotonic() + seconds
    latest = deadline + MOST_WAIT_S
    told = 0.0
    while (now := time.monotonic()) < deadline or (now < latest and (commits.value < 5 or not report.killed)):
        time.sleep(min(1.0, seconds / 20))
        if verbose and now - told > TOLD_S and (samples := _samples(watched)):
            told = now
            print(shown(samples[-1]), flush=True)
    report.samples = _samples(watched)
    asking.stop()
    stop_writing.set()
    writer.join(60)
    report.commits = commits.value
    last = asking.newest()
    if last != expected(FIRST + report.commits):
        report.wrong.append(f"at the end: {last}, after {report.commits} commits")
    report.wrong += _not_forgotten(watched)


def _samples(watched: Path) -> list[dict[str, Any]]:
    lines = watched.read_text().splitlines(keepends=True) if watched.exists() else []
    return [json.loads(line) for line in lines if line.endswith("\n")]


def _not_forgotten(watched: Path) -> list[str]:
    """What the server still holds of clients that have all left, when it has had time to see that."""
    n_before, deadline = len(_samples(watched)), time.monotonic() + MOST_WAIT_S
    left: dict[str, int] = {}
    while time.monotonic() < deadline:
        time.sleep(0.5)
        for sample in _samples(watched)[n_before + 1 :]:
            left = {"looks at a snapshot": sample["leases"]} if sample["leases"] else {}
            if sample["open"] > SPARES + 2:  # the one without rows, and the one of the command
                left["open sessions"] = sample["open"]
            if not left:
                return []
    return [f"the server still holds {left} though all have left"]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.serve_load", description=__doc__)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--flight", action="store_true", help="over Arrow Flight SQL instead of PostgreSQL's wire")
    arguments = parser.parse_args()
    protocol = "flight" if arguments.flight else "postgres"
    folder = Path(tempfile.mkdtemp(prefix="serve-load-"))
    try:
        report = load(folder / "lake", arguments.minutes * 60, arguments.clients, arguments.seed, protocol, True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(report)
    for line in report.wrong[:20]:
        print(line)
    return 1 if report.wrong or report.growth > FLAT else 0


if __name__ == "__main__":
    sys.exit(main())
