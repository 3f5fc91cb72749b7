"""A server's command in a process that tells what its memory is used for: ``python -m benchmarks.serve_watch FILE SECONDS ...``.

Every so many seconds a line of JSON goes to the file: what the system counts (resident memory, of it anonymous), what
the allocators count (in use; free but not given back), what DuckDB counts, and how many of the things are alive that a
server makes for clients and snapshots. Whatever grows is one of these.
"""

from __future__ import annotations

import ctypes
import functools
import json
import os
import re
import sys
import threading
import time
import weakref
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa
from brainlake.lake.serve.snapshots import Lease, Snapshots
from brainlake.lake.session import Session

_made: weakref.WeakValueDictionary[int, Any] = weakref.WeakValueDictionary()


def count(*kinds: type) -> None:
    """Know the things of these classes from when they are made on.

    Asking the garbage collector for them would not do: its list refers to tuples that other threads are still making,
    and then they fail.
    """
    for kind in kinds:
        kind.__init__ = _counted(kind.__init__)  # type: ignore[misc]


def _counted(made: Callable[..., None]) -> Callable[..., None]:
    @functools.wraps(made)
    def init(self: Any, *given: Any, **named: Any) -> None:
        made(self, *given, **named)
        _made[id(self)] = self

    return init


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
    things = [thing for ref in _made.valuerefs() if (thing := ref()) is not None]
    alive = Counter(type(thing).__name__ for thing in things)
    sessions = [thing for thing in things if isinstance(thing, Session)]
    leases = sum(thing.leases for thing in things if isinstance(thing, Snapshots))
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
    from brainlake.lake.serve.flight.answers import Answer
    from brainlake.lake.serve.postgres.client import Client

    count(Session, Snapshots, Lease, Answer, Client)
    threading.Thread(target=_watch, args=(sys.argv[1], float(sys.argv[2])), daemon=True).start()
    del sys.argv[1:3]
    main()
