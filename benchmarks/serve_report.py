"""What :mod:`.serve_load` and its clients say to each other: the numbers that a snapshot holds, and what was seen of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

import numpy as np

TABLE, SIZE = "lab.moving", 100
FIRST = SIZE  # the first snapshot
READ = "select count(*) as n, max(i) as top, sum(i)::bigint as total from lab.moving"
PATIENCE_S = 600.0  # after which a client that has no answer has been forgotten; a busy machine may stand still


def held(n: int) -> range:
    """The numbers of snapshot n: as many in each, so that a load is the same at its end as at its beginning."""
    return range(n - SIZE, n)


def expected(n: int) -> list[str | None]:
    """The row of ``READ`` at snapshot n."""
    return [str(SIZE), str(n - 1), str(sum(held(n)))]


def snapshot_of(numbers: Sequence[int]) -> int:
    """The snapshot whose numbers these are; 0 where they are none's."""
    n = numbers[-1] + 1 if len(numbers) else 0
    return n if list(numbers) == list(held(n)) else 0


@dataclass
class Report:
    """What was seen. ``wrong`` should be empty.

    samples : of the server's process, as :func:`.serve_watch.sample` takes them, while clients were there
    """

    answers: Counter[str] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)
    commits: int = 0
    killed: int = 0
    samples: list[dict[str, Any]] = field(default_factory=list)

    def memory_mb(self, third: int) -> float:
        """The median of the server's resident memory in the first (0), second or last third of the time."""
        n = max(len(self.samples) // 3, 1)
        return median(one["rss"] for one in self.samples[third * n : (third + 1) * n] or self.samples[-1:])

    @property
    def uses(self) -> tuple[float, float, float, float]:
        """Memory of the last two thirds of the time, in MB: at all, a session, a MB of answers on their way, and a minute.

        How many snapshots and large answers are read at once depends on chance and on how busy the machine is; what is
        left beside them tells whether something is lost. By least squares.
        """
        samples = self.samples[len(self.samples) // 3 :]
        minutes = (np.array([one["time"] for one in samples]) - samples[0]["time"]) / 60
        held = [[one["open"] for one in samples], [one["arrow"] for one in samples]]
        columns = np.column_stack([np.ones(len(samples)), *held, minutes])
        found, *_ = np.linalg.lstsq(columns, np.array([one["rss"] for one in samples]), rcond=None)
        at_all, a_session, an_answer, a_minute = found.tolist()
        return at_all, a_session, an_answer, a_minute

    @property
    def growth(self) -> float:
        """By which part memory grew in a third of the time, but for the snapshots and answers that are read."""
        minutes = (self.samples[-1]["time"] - self.samples[0]["time"]) / 60
        return self.uses[3] * minutes / 3 / self.memory_mb(2)

    def __str__(self) -> str:
        asked = ", ".join(f"{n:,} {kind}" for kind, n in sorted(self.answers.items()))
        thirds = ", ".join(f"{self.memory_mb(third):.0f}" for third in range(3))
        at_all, a_session, an_answer, a_minute = self.uses
        return (
            f"{sum(self.answers.values()):,} answers ({asked}) over {self.commits:,} commits, {self.killed} clients "
            f"killed; {len(self.wrong)} wrong\n"
            f"memory {thirds} MB in the first, second and last third, most {max(one['rss'] for one in self.samples):.0f}: "
            f"{at_all:.0f} MB, {a_session:.1f} for each session ({max(one['open'] for one in self.samples)} at most), "
            f"{an_answer:.1f} for each MB of answers in Arrow and {a_minute:.2f} each minute ({self.growth:+.1%} in a third)"
        )
