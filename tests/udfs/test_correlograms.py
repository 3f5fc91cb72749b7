"""Lags between trains against counting every pair."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from brainlake.udfs import correlograms
from brainlake.udfs.registry import Ragged
from brainlake.udfs.spikes import pack
from hypothesis import given, settings
from hypothesis import strategies as st

quarters = st.integers(-8, 40).map(lambda n: n / 4)
trains = st.lists(quarters, max_size=15).map(sorted)
edges = st.lists(quarters, min_size=1, max_size=6, unique=True).map(sorted)


@pytest.mark.parametrize("engine", ["numpy", "compiled"])
def test_counts_equal_counting_every_pair(engine: str, monkeypatch: pytest.MonkeyPatch) -> None:
    if engine == "compiled":
        pytest.importorskip("numba")
        monkeypatch.setattr(correlograms, "WORTH_COMPILING", -1)

    @settings(max_examples=150, deadline=None)
    @given(trains, trains, edges, st.booleans())
    def check(a: list[float], b: list[float], grid: list[float], is_same: bool) -> None:
        b = a if is_same else b
        packed = [pack(Ragged.of([values], np.float64)) for values in (a, b, grid)]
        got = correlograms.correlogram(*packed, np.array([is_same]))
        pairs = [y - x for i, x in enumerate(a) for j, y in enumerate(b) if not (is_same and i == j)]
        assert got[0].tolist() == [sum(low <= lag < high for lag in pairs) for low, high in pairwise(grid)]

    check()
