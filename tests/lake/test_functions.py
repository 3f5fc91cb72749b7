"""Kernels as SQL calls them: what is NULL in and out."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import brainlake
import pyarrow as pa
import pytest
from brainlake.lake.facade import Lake
from brainlake.lake.functions import to_numpy

INTERVALS = "(values (0, [1.0, 2.0, 4.0]), (1, null), (2, [1.0]), (3, [1.0, 2.0, 4.0])) as t(i, intervals)"


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    with brainlake.create(tmp_path_factory.mktemp("functions") / "lake") as made:
        yield made


def test_what_cannot_be_computed_is_null_beside_what_can(lake: Lake) -> None:
    """Of one interval there is no adaptation, and of no list; (2 - 1) / 3 and (4 - 2) / 6 make a third."""
    found = lake.sql(f"select adaptation_index(intervals) as x from {INTERVALS} order by i").pl()["x"].to_list()
    assert found == [pytest.approx(1 / 3), None, None, pytest.approx(1 / 3)]
    assert lake.sql("select adaptation_index([1.0]) as x").one().x is None


@pytest.mark.parametrize("n", [1, 5_000])
def test_null_alone_is_null_and_no_row_is_no_row(lake: Lake, n: int) -> None:
    found = lake.sql(f"select adaptation_index(x) as x from (select null::double[] as x from range({n}))").pl()
    assert (found.height, found["x"].null_count()) == (n, n)
    assert lake.sql(f"select adaptation_index(intervals) as x from {INTERVALS} where i > 3").pl().height == 0


def test_results_of_kernels_become_columns_without_pandas() -> None:
    """Which pyarrow imports wherever it is given a list, a text or a mask, at 0.2 s a process."""
    program = """
import sys
import numpy as np, pyarrow as pa
from brainlake.lake.functions import to_arrow
from brainlake.udfs.registry import Ragged
texts = np.array(["a", None, "", "Å"], object)
told = [
    to_arrow(texts, pa.string(), False),
    to_arrow(texts[:0], pa.string(), False),
    to_arrow(texts[3:], pa.string(), False),
    to_arrow(np.ma.array(np.arange(3), np.int64, mask=[False, True, False]), pa.int32(), False),
    to_arrow(np.array([1.0, np.nan]), pa.float64(), False),
    to_arrow(np.array([1.0, 2.0]), pa.int32(), False),
    to_arrow(Ragged.of([["b", "c"], []], object), pa.list_(pa.string()), False),
]
print("pandas" in sys.modules)
for column in told:
    column.validate(full=True)
    print(column.type, column.to_pylist())
"""
    done = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert done.stdout.splitlines() == [
        "False", "string ['a', None, '', 'Å']", "string []", "string ['Å']", "int32 [0, None, 2]", "double [1.0, None]",
        "int32 [1, 2]", "list<item: string> [['b', 'c'], []]",
    ]  # fmt: skip


def test_texts_reach_a_kernel_as_they_are() -> None:
    """Repeated ones, empty ones and NULL, also of a slice of a column; and no text at all."""
    column = pa.array(["x", "coronal", None, "", "coronal", "héllo"]).slice(1)
    assert to_numpy(pa.chunked_array([column])).tolist() == ["coronal", None, "", "coronal", "héllo"]
    assert to_numpy(column.slice(0, 0)).tolist() == []
