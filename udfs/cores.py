"""Independent shares of a call's work on every core, where its loops let other threads run."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

_WORTH_A_THREAD = 100_000  # results of a call: fewer are there before a thread has started


def on_every_core(run: Callable[[int], None], rows: Sequence[int], size: int) -> None:
    """Run it once for each row, neighbours on one core; the first error is raised.

    size : numbers that come of it, all in all
    """
    n = min(os.cpu_count() or 1, size // _WORTH_A_THREAD, len(rows))
    if n < 2:
        for row in rows:
            run(row)
        return

    def run_all(some: Sequence[int]) -> None:
        for row in some:
            run(row)

    with ThreadPoolExecutor(n, "kernel") as pool:
        shares = [rows[i * len(rows) // n : (i + 1) * len(rows) // n] for i in range(n)]
        for done in [pool.submit(run_all, share) for share in shares]:
            done.result()
