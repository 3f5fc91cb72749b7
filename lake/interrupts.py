"""Ctrl-C while DuckDB computes."""

from __future__ import annotations

import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import TypeVar

T = TypeVar("T")


def interruptible(work: Callable[[], T], interrupt: Callable[[], None]) -> T:
    """Do the work, calling ``interrupt`` and raising KeyboardInterrupt when Ctrl-C is pressed meanwhile.

    DuckDB's relations look for no signal while they compute (seen on 2.0.0), and Python runs signal handlers in the
    main thread alone: so the work is done in another one, and the main thread waits where it can be interrupted.
    """
    if threading.current_thread() is not threading.main_thread():
        return work()
    outcome: Future[T] = Future()
    done = threading.Event()  # not thread.join(): a thread whose join was interrupted counts as ended (Python 3.11)

    def do() -> None:
        try:
            outcome.set_result(work())
        except BaseException as error:
            outcome.set_exception(error)
        finally:
            done.set()

    thread = threading.Thread(target=do, daemon=True)
    try:
        thread.start()
        while not done.wait(0.2):  # short waits: a signal that another thread took would not end a long one
            pass
    except KeyboardInterrupt:
        # DuckDB stops at once, and its connection must not be closed before; what had not yet begun to compute when it
        # was told to stop has to be told again.
        while thread.ident is not None and not done.is_set():
            interrupt()
            done.wait(0.1)
        raise
    return outcome.result()
