"""Processes that read sources, so that a damaged file can take down no more than itself.

A :class:`Workers` pool keeps a few *nurseries*: interpreters that have imported the readers and nothing else, and fork
one child a job. A fork costs milliseconds where a new interpreter costs a second, its memory is given back whole, and
a native crash or a stall inside a file-format library becomes the failure of one job. Nurseries are started as plain
subprocesses, so that a script needs no ``if __name__ == "__main__"``.
"""

from __future__ import annotations

import contextlib
import gc
import importlib
import os
import pickle
import queue
import selectors
import signal
import struct
import subprocess
import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

PRELOAD = ("h5py", "pyarrow.parquet", "duckdb", "pandas")  # pyarrow imports pandas where it is installed
# A process a core needs no threads for algebra. Arrow's own allocator gives pages back that are asked for at once.
ENVIRONMENT = {"OPENBLAS_NUM_THREADS": "1", "ARROW_DEFAULT_MEMORY_POOL": "system"}
STALL_S = 900.0  # a job that says nothing for so long is taken to hang


@dataclass(frozen=True)
class Died:
    """A job whose process ended without an answer."""

    reason: str


class Workers:
    """Run ``function(job, progress)`` for many jobs in child processes, ``jobs`` at a time.

    function : ``"module:name"``, importable in a fresh interpreter; called with a job and a progress function, returns
        anything picklable.
    modules : what jobs import, too: imported once for all of them
    """

    def __init__(self, function: str, jobs: int, stall_s: float = STALL_S, modules: Sequence[str] = ()) -> None:
        self.function, self.jobs, self.stall_s, self.modules = function, max(1, jobs), stall_s, modules
        self._nurseries: list[subprocess.Popen[bytes]] = []
        self._lock = threading.Lock()
        self._closed = False

    def run(self, jobs: Iterable[Any], progress: Callable[[int, str, int, int], None]) -> Iterator[tuple[int, Any]]:
        """Yield (index of the job, its result or :class:`Died`) as they end."""
        todo: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
        done: queue.SimpleQueue[tuple[int, Any]] = queue.SimpleQueue()
        count = 0
        for index, job in enumerate(jobs):
            todo.put((index, job))
            count += 1
        threads = [
            threading.Thread(target=self._serve, args=(todo, done, progress), daemon=True)
            for _ in range(min(self.jobs, count))
        ]
        for thread in threads:
            thread.start()
        try:
            for _ in range(count):
                yield done.get()
        finally:
            self.close()

    def _serve(self, todo: queue.SimpleQueue, done: queue.SimpleQueue, progress: Callable[..., None]) -> None:
        nursery: subprocess.Popen[bytes] | None = None
        while not self._closed:
            try:
                index, job = todo.get_nowait()
            except queue.Empty:
                break
            try:
                if nursery is None or nursery.poll() is not None:
                    nursery = self._start()
                answer = self._ask(nursery, index, job, progress)
            except Exception as error:  # the pool must answer for every job, whatever happened to it
                answer = Died(f"its process could not be run: {error}")
            done.put((index, answer))

    def _start(self) -> subprocess.Popen[bytes]:
        nursery = subprocess.Popen(
            [sys.executable, "-m", __name__, self.function, *self.modules],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            bufsize=0,
            env={**ENVIRONMENT, **os.environ},
            start_new_session=True,  # one signal ends it with its children; Ctrl-C reaches only us
        )
        with self._lock:
            self._nurseries.append(nursery)
        return nursery

    def _ask(self, nursery: subprocess.Popen[bytes], index: int, job: Any, progress: Callable[..., None]) -> Any:
        assert nursery.stdin is not None
        assert nursery.stdout is not None
        _send(nursery.stdin, job)
        with selectors.DefaultSelector() as waiting:
            waiting.register(nursery.stdout, selectors.EVENT_READ)
            while True:
                if not waiting.select(self.stall_s):
                    _kill(nursery)
                    return Died(f"it made no progress for {self.stall_s:.0f} s and was ended")
                frame = _receive(nursery.stdout)
                if frame is None:
                    return Died("its process was ended from outside")
                kind, value = frame
                if kind == "progress":
                    progress(index, *value)
                elif kind == "died":
                    return Died(value)
                else:
                    return value

    def close(self) -> None:
        """End every process of the pool at once; what they had not committed never was."""
        self._closed = True
        with self._lock:
            for nursery in self._nurseries:
                _kill(nursery)
            self._nurseries.clear()


def _kill(nursery: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.killpg(nursery.pid, signal.SIGKILL)
    nursery.wait()
    for pipe in (nursery.stdin, nursery.stdout):
        if pipe:
            with contextlib.suppress(OSError):
                pipe.close()


def _send(pipe: Any, value: Any) -> None:
    """One frame, to an unbuffered pipe: its length, then the pickled value."""
    data = pickle.dumps(value)
    view = memoryview(struct.pack("<Q", len(data)) + data)
    while view:
        view = view[pipe.write(view) :]


def _receive(pipe: Any) -> Any:
    """The next frame of an unbuffered pipe, or None at its end. (A buffer would hide frames from ``select``.)"""
    head = _exactly(pipe, 8)
    data = _exactly(pipe, struct.unpack("<Q", head)[0]) if head else b""
    return pickle.loads(data) if data else None


def _exactly(pipe: Any, n: int) -> bytes:
    pieces = []
    while n:
        piece = pipe.read(n)
        if not piece:
            return b""
        pieces.append(piece)
        n -= len(piece)
    return b"".join(pieces)


def _nursery(function: str, *modules: str) -> None:
    """The body of a nursery: import once, then fork a child for each job read from stdin."""
    # Frames go to a private copy of stdout, unbuffered: whatever a library prints must not mix with them.
    answers = os.fdopen(os.dup(1), "wb", buffering=0)
    os.dup2(2, 1)
    for module in PRELOAD:
        with contextlib.suppress(ImportError):  # an extra that is not installed
            importlib.import_module(module)
    module, _, name = function.partition(":")
    call = getattr(importlib.import_module(module), name)
    for one in modules:
        importlib.import_module(one)
    gc.freeze()  # what is imported stays: children need not look through it for what could go
    jobs = os.fdopen(os.dup(0), "rb", buffering=0)
    while (job := _receive(jobs)) is not None:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            status = 1
            try:
                result = call(job, lambda *values: _send(answers, ("progress", values)))
                _send(answers, ("result", result))
                status = 0
            finally:
                os._exit(status)
        _, status = os.waitpid(child, 0)
        if os.WIFSIGNALED(status):
            number = os.WTERMSIG(status)
            hint = ": out of memory, or killed" if number == signal.SIGKILL else ": the file crashed its library"
            _send(answers, ("died", f"its process ended by {signal.Signals(number).name}{hint}"))
        elif os.WEXITSTATUS(status):
            _send(answers, ("died", "its process failed; the traceback is above"))


if __name__ == "__main__":
    _nursery(*sys.argv[1:])
