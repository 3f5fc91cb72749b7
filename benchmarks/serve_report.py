"""What :mod:`.serve_load` and its clients say to each other: the numbers that a snapshot holds, and what was seen of them."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from typing import Any

TABLE, FIRST = "lab.growing", 100
READ = "select count(*) as n, max(i) as top, sum(i)::bigint as total from lab.growing"
PATIENCE_S = 600.0  # after which a client that has no answer has been forgotten; a busy machine may stand still


def expected(n: int) -> list[str | None]:
    """The row of ``READ`` at the snapshot of n numbers."""
    return [str(n), str(n - 1), str(n * (n - 1) // 2)]


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
    def growth(self) -> float:
        """By which part memory grew from the second third to the last."""
        return self.memory_mb(2) / self.memory_mb(1) - 1

    def __str__(self) -> str:
        asked = ", ".join(f"{n:,} {kind}" for kind, n in sorted(self.answers.items()))
        thirds = ", ".join(f"{self.memory_mb(third):.0f}" for third in range(3))
        return (
            f"{sum(self.answers.values()):,} answers ({asked}) over {self.commits:,} commits, {self.killed} clients "
            f"killed; {len(self.wrong)} wrong\n"
            f"memory {thirds} MB in the first, second and last third ({self.growth:+.1%} from second to last), "
            f"most {max(one['rss'] for one in self.samples):.0f} MB"
        )
