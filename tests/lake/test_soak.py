"""Writers, readers and kills at once: every answer is the one that a plain model of the commits gives."""

from __future__ import annotations

import pytest
from brainlake.benchmarks.soak import soak


@pytest.mark.parametrize(
    ("minutes", "writers", "readers"),
    [(0.5, 2, 3), pytest.param(3.0, 4, 8, marks=pytest.mark.slow)],
)
def test_whatever_happens_at_once_every_answer_is_the_models(minutes: float, writers: int, readers: int) -> None:
    done = soak(minutes, writers=writers, readers=readers, seed=writers, grace_s=3.0)
    assert done.kills
    assert done.snapshots > 3
    assert done.counts["ingest"] > 1
    assert done.counts.keys() & {"fresh", "pinned", "past"}
