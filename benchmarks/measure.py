"""Timing, peak memory of processes, and the table that a benchmark prints."""

from __future__ import annotations

import contextlib
import gc
import multiprocessing
import statistics
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
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
    return Row(what, ours_ms, "ms", peer_ms, peer_name, ratio, f"≥ {at_least:.3g}×", ratio >= at_least)


def within(what: str, ours: float, limit: float, unit: str = "ms") -> Row:
    """Ours against a limit."""
    return Row(what, ours, unit, target=f"≤ {limit:g} {unit}", ok=ours <= limit)


def peak_memory(run: Callable[..., Any], *arguments: Any) -> float:
    """Peak resident memory in MB of a call in a fresh process: of the largest process that it makes, itself included.

    Read while it runs from the processes' own high-water marks: what rusage says of a process starts from its
    parent's size, and does not see processes that a helper process waits for.
    """
    process = multiprocessing.get_context("spawn").Process(target=run, args=arguments)
    process.start()
    peaks: dict[int, int] = {}
    while process.is_alive():
        for pid in _family(process.pid or 0):
            peaks[pid] = max(peaks.get(pid, 0), _high_water_kb(pid))
        time.sleep(0.02)
    process.join()
    if process.exitcode != 0:
        raise RuntimeError(f"{run.__name__} failed in its process (exit code {process.exitcode})")
    return max(peaks.values()) / 1024


def _family(root: int) -> list[int]:
    """A process and all its descendants."""
    family = [root]
    for pid in family:
        for task in Path(f"/proc/{pid}/task").glob("*/children"):
            with contextlib.suppress(OSError):
                family += [int(child) for child in task.read_text().split()]
    return family


def _high_water_kb(pid: int) -> int:
    with contextlib.suppress(OSError):
        for line in Path(f"/proc/{pid}/status").read_text().splitlines():
            if line.startswith("VmHWM"):
                return int(line.split()[1])
    return 0


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
