"""Timing, peak memory of a child process, and the table that a benchmark prints."""

from __future__ import annotations

import gc
import multiprocessing
import resource
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

T = TypeVar("T")


@dataclass(frozen=True)
class Row:
    """One measurement. ``target`` is what ``ratio`` (or else ``ours``) should reach, as design and issue state it.

    ours, peer : in ``unit``; ratio : peer / ours for times (above 1: ours is faster), None without a peer
    """

    what: str
    ours: float
    unit: str = "ms"
    peer: float | None = None
    peer_name: str = ""
    ratio: float | None = None
    target: str = ""
    ok: bool | None = None


def milliseconds(run: Callable[[], Any], repeat: int = 7, warm: int = 1) -> float:
    """Median wall time of a call, after ``warm`` calls that do not count."""
    for _ in range(warm):
        run()
    times = []
    for _ in range(repeat):
        gc.collect()
        start = time.perf_counter()
        run()
        times.append((time.perf_counter() - start) * 1e3)
    return statistics.median(times)


def seconds(run: Callable[[], T]) -> tuple[float, T]:
    """Wall time and result of one call."""
    start = time.perf_counter()
    result = run()
    return time.perf_counter() - start, result


def faster(what: str, ours_ms: float, peer_ms: float, peer_name: str, at_least: float | None = None) -> Row:
    """Ours against a peer: how many times faster, and whether that is enough where a target is set."""
    ratio = peer_ms / ours_ms
    if at_least is None:
        return Row(what, ours_ms, "ms", peer_ms, peer_name, ratio)
    return Row(what, ours_ms, "ms", peer_ms, peer_name, ratio, f"≥ {at_least:g}×", ratio >= at_least)


def within(what: str, ours: float, limit: float, unit: str = "ms") -> Row:
    """Ours against a limit."""
    return Row(what, ours, unit, target=f"≤ {limit:g} {unit}", ok=ours <= limit)


def _child(run: Callable[..., Any], arguments: tuple[Any, ...], answers: Any) -> None:
    started = time.perf_counter()
    run(*arguments)
    usage = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    answers.put((time.perf_counter() - started, usage / 1024))


def in_child(run: Callable[..., Any], *arguments: Any) -> tuple[float, float]:
    """Seconds, and peak resident memory in MB, of a call in a fresh process (its own children included)."""
    context = multiprocessing.get_context("spawn")
    answers = context.SimpleQueue()
    process = context.Process(target=_child, args=(run, arguments, answers))
    process.start()
    process.join()
    if process.exitcode != 0:
        raise RuntimeError(f"{run.__name__} failed in its process (exit code {process.exitcode})")
    took, peak = answers.get()
    return float(took), float(peak)


def table(title: str, rows: Sequence[Row]) -> str:
    """Rows as a Markdown table."""
    lines = [
        f"### {title}",
        "",
        "| what | brainlake | peer | ratio | target | |",
        "|---|---:|---:|---:|---|---|",
    ]
    for row in rows:
        peer = "" if row.peer is None else f"{number(row.peer)} {row.unit} ({row.peer_name})"
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}×"
        verdict = {None: "", True: "met", False: "**missed**"}[row.ok]
        lines.append(f"| {row.what} | {number(row.ours)} {row.unit} | {peer} | {ratio} | {row.target} | {verdict} |")
    return "\n".join(lines) + "\n"


def number(value: float) -> str:
    """Three significant digits, without an exponent."""
    if value == 0:
        return "0"
    digits = max(0, 2 - int(f"{abs(value):e}".split("e")[1]))
    return f"{value:,.{digits}f}"
