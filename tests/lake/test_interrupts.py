"""Ctrl-C ends work, also work that had not yet begun when it was told to stop."""

from __future__ import annotations

import os
import signal
import threading
import time

import pytest
from brainlake.lake.interrupts import interruptible


@pytest.fixture(autouse=True)
def ctrl_c():
    """Heard, also where the tests run in the background of a shell, which has its jobs ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_the_result_or_the_error_of_the_work_comes_back():
    assert interruptible(lambda: 42, lambda: None) == 42
    with pytest.raises(ZeroDivisionError):
        interruptible(lambda: 1 // 0, lambda: None)


def test_work_that_hears_nothing_before_it_begins_is_told_again():
    begun, told = threading.Event(), threading.Event()

    def work() -> None:
        threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
        time.sleep(0.3)  # told to stop meanwhile, to no effect
        begun.set()
        told.wait(20)

    def interrupt() -> None:
        if begun.is_set():
            told.set()

    with pytest.raises(KeyboardInterrupt):
        interruptible(work, interrupt)
    assert told.is_set()
