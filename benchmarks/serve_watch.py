"""A server's command in a process that tells what its memory is used for: ``python -m benchmarks.serve_watch FILE SECONDS ...``.

Every so many seconds a line of JSON goes to the file: what the system counts (resident memory, of it anonymous), what
the allocators count (in use; free but not given back), what DuckDB counts, and how many of the things are alive that a
server makes for clients and snapshots. Whatever grows is one of these.
"""

from __future__ import annotations

import ctypes
import gc
import json
import os
import re
import sys
import threading
import time
from collections import Counter
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

_COUNTED = {
    "Session", "Lease", "Catalogue", "Client", "Plan", "Answer", "DuckDBPyConnection", "DuckDBPyRelation",
}  # fmt: skip


class _Mallinfo(ctypes.Structure):
    """glibc's ``struct mallinfo2``, in bytes."""

    _fields_ = [
        (name, ctypes.c_size_t)
        for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")
    ]  # fmt: skip


def sample() -> dict[str, Any]:
    """What this process holds now; memory in MB."""
    return {"time": time.monotonic(), **_of_system(), **_of_allocators(), **_of_objects()}


def shown(one: dict[str, Any]) -> str:
    """A sample in a line."""
    counts = ", ".join(f"{n} {kind}" for kind, n in sorted(one["alive"].items()))
    duckdb_uses = ", ".join(f"{tag} {mb:.1f}" for tag, mb in sorted(one["duckdb"].items()))
    return (
        f"{time.strftime('%H:%M:%S')} resident {one['rss']:.0f} MB, anonymous {one['anonymous']:.0f}; "
        f"malloc {one.get('malloc_used', 0):.0f} used, {one.get('malloc_free', 0):.0f} free; Arrow {one['arrow']:.0f}; "
        f"DuckDB {duckdb_uses or 0}; {one['threads']} threads, {one['files']} files; "
        f"{one['open']} sessions open, {one['leases']} looks at them; alive: {counts}"
    )


def _of_system() -> dict[str, float]:
    told = dict(re.findall(r"^(\w+):\s+(\d+)", Path("/proc/self/status").read_text(), re.MULTILINE))
    return {
        "rss": int(told["VmRSS"]) / 1024,
        "anonymous": int(told["RssAnon"]) / 1024,
        "threads": int(told["Threads"]),
        "files": len(os.listdir("/proc/self/fd")),
    }


def _of_allocators() -> dict[str, float]:
    found = {"arrow": pa.total_allocated_bytes() / 2**20}
    libc = ctypes.CDLL(None)
    if hasattr(libc, "mallinfo2"):
        libc.mallinfo2.restype = _Mallinfo
        info = libc.mallinfo2()
        found |= {"malloc_used": (info.uordblks + info.hblkhd) / 2**20, "malloc_free": info.fordblks / 2**20}
    return found


def _of_objects() -> dict[str, Any]:
    alive: Counter[str] = Counter()
    sessions, leases = [], 0
    for one in gc.get_objects():
        name = type(one).__name__
        if name in _COUNTED:
            alive[name] += 1
            if name == "Session":
                sessions.append(one)
        elif name == "Snapshots":
            leases += one.leases
    uses: Counter[str] = Counter()
    n_open = 0
    for session in sessions:
        try:
            with session.cursor("select 1") as cursor:
                told = cursor.execute("select tag, memory_usage_bytes from duckdb_memory()").fetchall()
        except (duckdb.Error, AttributeError):  # closed, or not yet made
            continue
        n_open += 1
        uses.update(dict(told))
    return {
        "open": n_open,
        "leases": leases,
        "duckdb": {tag: n / 2**20 for tag, n in uses.items() if n},
        "alive": dict(alive),
    }


def _watch(path: str, every_s: float) -> None:
    with Path(path).open("w", buffering=1) as out:
        while True:
            time.sleep(every_s)
            out.write(json.dumps(sample()) + "\n")


if __name__ == "__main__":
    from brainlake.lake.cli import main

    threading.Thread(target=_watch, args=(sys.argv[1], float(sys.argv[2])), daemon=True).start()
    del sys.argv[1:3]
    main()
