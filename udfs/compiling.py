"""numba where it is installed, and only once it pays: importing and compiling it takes longer than most questions."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

# Below this many look-ups a call, numpy answers before numba has started.
WORTH_COMPILING = 50_000

_COMPILED: dict[Callable[..., Any], Callable[..., Any] | None] = {}
_LOCK = threading.Lock()  # an engine calls a kernel from several threads at once


def compiled(loop: Callable[..., Any]) -> Callable[..., Any] | None:
    """A plain loop compiled to machine code that lets other threads run; None without numba (extra ``fast``).

    Compiled code keeps IEEE semantics (no ``fastmath``), so that it compares times exactly as numpy does.
    """
    with _LOCK:
        if loop not in _COMPILED:
            _COMPILED[loop] = _compile(loop)
        return _COMPILED[loop]


def worth_compiling(loop: Callable[..., Any], n: int) -> Callable[..., Any] | None:
    """The same where n look-ups are worth it, or it is compiled already; else None."""
    return compiled(loop) if n > WORTH_COMPILING or loop in _COMPILED else None


def when_compiling(loop: Callable[..., Any]) -> Callable[..., Any] | None:
    """The same where numba runs in this process already: for a loop that alone would not be worth starting it."""
    return compiled(loop) if any(_COMPILED.values()) else None


def _compile(loop: Callable[..., Any]) -> Callable[..., Any] | None:
    try:
        from numba import njit
    except ImportError:
        return None
    try:
        kept: Callable[..., Any] = njit(loop, nogil=True, cache=True)
    except RuntimeError:  # neither the package's folder nor the user's cache can be written to
        kept = njit(loop, nogil=True)
    return kept
