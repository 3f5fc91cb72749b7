"""Long work seen from outside: bars on a terminal, plain lines elsewhere, always on standard error."""

from __future__ import annotations

import contextlib
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

Show = Callable[[str, str, int, int], None]  # (source, what, done, total)
QUIET_S = 10.0  # without a terminal, a source that takes long says so at most this often


@contextlib.contextmanager
def ingest_progress() -> Iterator[Show]:
    """A function for ``lake.ingest(progress=...)``; what it shows ends with the block."""
    if sys.stderr.isatty():
        with _bars() as show:
            yield show
    else:
        yield _Lines().show


@contextlib.contextmanager
def _bars() -> Iterator[Show]:
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TaskID, TextColumn, TimeElapsedColumn

    bars = Progress(
        TextColumn("{task.description}", markup=False),
        BarColumn(),
        TextColumn("{task.fields[what]}", markup=False),
        TimeElapsedColumn(),
        console=Console(stderr=True),
        transient=True,
    )
    tasks: dict[str, TaskID] = {}

    def show(source: str, what: str, done: int, total: int) -> None:
        if what == "done":
            if (task := tasks.pop(source, None)) is not None:
                bars.remove_task(task)
            return
        if source not in tasks:
            tasks[source] = bars.add_task(PurePosixPath(source).name, what=what)
        bars.update(tasks[source], what=what, completed=done, total=total or None)

    with bars:
        yield show


class _Lines:
    """One line when a source is done, and now and then one for a source that takes long."""

    def __init__(self) -> None:
        self._said: dict[str, float] = {}
        self._n_done = 0
        self._lock = threading.Lock()

    def show(self, source: str, what: str, done: int, total: int) -> None:
        with self._lock:
            now = time.monotonic()
            if what == "done":
                self._n_done += 1
                self._said.pop(source, None)
                print(f"[{self._n_done}] {source}", file=sys.stderr)
            elif now - self._said.setdefault(source, now) >= QUIET_S:
                self._said[source] = now
                share = f" {100 * done // total} %" if total else ""
                print(f"    {source}: {what}{share}", file=sys.stderr)
