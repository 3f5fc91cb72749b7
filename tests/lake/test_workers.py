"""A pool whose jobs may crash, stall or raise: it answers for every one of them."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Any

from brainlake.lake.workers import Died, Workers

# The nursery imports this module by its bare name; the directory is put on its path by the fixture below.
FUNCTION = "test_workers:behave"


def behave(job: str, progress: Callable[[str, int, int], None]) -> str:
    """What a job does, by its name."""
    if job == "crash":
        os.kill(os.getpid(), signal.SIGSEGV)
    if job == "hang":
        time.sleep(60)
    if job == "raise":
        raise RuntimeError("unforeseen")
    if job == "print":
        print("a library that prints must not disturb the answers")
    for step in range(3):
        progress("reading", step + 1, 3)
    return job.upper()


def run(jobs: list[str], monkeypatch: Any, **options: Any) -> tuple[dict[int, Any], list[tuple[int, str, int, int]]]:
    monkeypatch.setenv("PYTHONPATH", os.path.dirname(__file__))
    steps: list[tuple[int, str, int, int]] = []
    workers = Workers(FUNCTION, jobs=2, **options)
    return dict(workers.run(jobs, lambda *step: steps.append(step))), steps


def test_every_job_is_answered_and_its_progress_told(monkeypatch):
    answers, steps = run(["a", "b", "print", "c"], monkeypatch)
    assert answers == {0: "A", 1: "B", 2: "PRINT", 3: "C"}
    assert sorted(steps) == [(i, "reading", k, 3) for i in range(4) for k in (1, 2, 3)]


def test_a_job_that_crashes_or_raises_fails_alone(monkeypatch):
    answers, _ = run(["a", "crash", "b", "raise", "c"], monkeypatch)
    assert [answers[i] for i in (0, 2, 4)] == ["A", "B", "C"]
    assert "SIGSEGV" in answers[1].reason
    assert isinstance(answers[3], Died)


def test_a_job_that_stalls_is_ended_and_the_next_one_runs(monkeypatch):
    answers, _ = run(["hang", "a", "b"], monkeypatch, stall_s=3.0)
    assert "no progress" in answers[0].reason
    assert (answers[1], answers[2]) == ("A", "B")
