"""Memory of a process that serves for weeks: what is freed goes back to the system, so that use stays what is in use.

A server's threads are many and its buffers large and short-lived. By their defaults allocators keep these for each
thread, and memory grows for hours towards (threads × largest answer), though nothing is lost. So the process has few
heaps, large buffers are the system's from the start, and what lies free inside the heaps is given back now and then.
"""

from __future__ import annotations

import ctypes
import os
import threading
from typing import Any

import pyarrow as pa

_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD, _M_ARENA_MAX = -1, -3, -8  # of <malloc.h>
LARGE_BYTES = 1 << 20  # from here on a buffer is mapped; glibc would raise this by itself, up to 32 MB
TRIM_S = 30.0


def keep_flat() -> None:
    """Set this process's allocators once, before it serves, and give back what is free from then on.

    Elsewhere than with glibc only Arrow's pool is set.
    """
    pa.set_memory_pool(pa.system_memory_pool())  # its own, mimalloc, keeps a heap for each of a server's threads
    libc = _libc()
    if libc is None:
        return
    libc.mallopt(_M_ARENA_MAX, min(max(2, os.cpu_count() or 2), 8))  # about as many as allocate at once
    libc.mallopt(_M_MMAP_THRESHOLD, LARGE_BYTES)
    libc.mallopt(_M_TRIM_THRESHOLD, LARGE_BYTES)
    threading.Thread(target=_trim_again_and_again, args=(libc,), daemon=True, name="memory").start()


def _libc() -> Any:
    """glibc; None where the C library is another."""
    libc = ctypes.CDLL(None)
    return libc if hasattr(libc, "mallopt") and hasattr(libc, "malloc_trim") else None


def _trim_again_and_again(libc: Any) -> None:
    wait = threading.Event().wait
    while not wait(TRIM_S):
        libc.malloc_trim(0)  # milliseconds; ctypes lets other threads run meanwhile
