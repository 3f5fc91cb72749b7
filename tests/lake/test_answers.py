"""Whether two answers are the same, and by how much they are not."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest
from brainlake.lake.answers import compare, digest, summary
from brainlake.lake.diffing import difference
from brainlake.lake.errors import QueryError
from hypothesis import given, settings
from hypothesis import strategies as st

NAN = float("nan")
ROWS = st.lists(
    st.fixed_dictionaries({
        "n": st.none() | st.integers(-(2**62), 2**62),
        "x": st.none() | st.floats(),
        "s": st.none() | st.text(max_size=5),
        "l": st.none() | st.lists(st.none() | st.floats(), max_size=3),
        "r": st.none() | st.fixed_dictionaries({"a": st.integers(0, 9), "b": st.none() | st.text(max_size=2)}),
    }),
    max_size=6,
)  # fmt: skip
SCHEMA = pa.schema({
    "n": pa.int64(), "x": pa.float64(), "s": pa.string(), "l": pa.list_(pa.float64()),
    "r": pa.struct({"a": pa.int64(), "b": pa.string()}),
})  # fmt: skip


def table(rows: list[dict]) -> pa.Table:
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def canonical(rows: list[dict]) -> list[str]:
    """Rows as texts that are equal where their values are; -0.0 equals 0.0, and NaN itself."""

    def plain(value):
        if isinstance(value, float):
            return "nan" if math.isnan(value) else value + 0.0
        if isinstance(value, list):
            return [plain(one) for one in value]
        return {k: plain(v) for k, v in value.items()} if isinstance(value, dict) else value

    return [repr(plain(row)) for row in rows]


@settings(deadline=None, max_examples=60)
@given(ROWS, ROWS, st.randoms())
def test_digests_are_equal_where_values_are(a, b, random):
    assert (digest(table(a)) == digest(table(b))) == (canonical(a) == canonical(b))
    shuffled = random.sample(a, len(a))
    assert digest(table(a), ordered=False) == digest(table(shuffled), ordered=False)
    equal = sorted(canonical(a)) == sorted(canonical(b))
    assert (digest(table(a), ordered=False) == digest(table(b), ordered=False)) == equal


def test_a_digest_does_not_depend_on_how_values_are_held():
    whole = pa.table({"x": [1.0, None, 3.0], "s": ["a", "b", None]})
    pieces = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    assert digest(whole) == digest(pieces) == digest(whole.slice(0, 3))
    assert digest(whole) == digest(whole.set_column(1, "s", whole["s"].dictionary_encode()))
    assert digest(whole) == digest(whole.set_column(1, "s", whole["s"].cast(pa.large_string())))
    assert digest(whole) != digest(whole.rename_columns(["y", "s"]))
    # of a NULL, whatever lies in memory below it is nothing
    below = pa.Array.from_buffers(pa.float64(), 3, [pa.py_buffer(b"\x05"), pa.py_buffer(np.array([1.0, 99.0, 3.0]))])
    assert digest(whole) == digest(whole.set_column(0, "x", below))


def test_floats_near_each_other_are_the_same():
    before = pa.table({"k": [1, 2, 3], "x": [1.0, NAN, 0.0]})
    after = pa.table({"k": [3, 1, 2], "x": [0.0, 1.0 + 1e-12, NAN]})
    found = compare(before, after)
    assert found.same
    assert [(one.name, one.n_values) for one in found.within] == [("x", 1)]
    assert not compare(before, after, relative=1e-13).same


def test_differences_are_told_in_numbers():
    before = pa.table({"unit_id": [1, 2, 3], "rate": [1.0, 2.0, 3.0], "area": ["a", "b", "c"]})
    after = pa.table({"unit_id": [2, 1, 4], "rate": [2.5, 1.0, 9.0], "area": ["b", "a", "d"]})
    found = compare(before, after)
    assert (found.n_removed, found.n_added) == (1, 1)
    (rate,) = found.columns
    assert (rate.name, rate.n_values, rate.largest, rate.relative) == ("rate", 1, 0.5, 0.2)  # 2.0 and 2.5
    assert found.lines == ["rows: 3 before, 3 now; 1 gone, 1 new", "rate: 1 value, at most by 0.5 (0.2 of the value)"]


def test_rows_without_exact_columns_are_paired_in_order():
    before, after = pa.table({"x": [3.0, 1.0]}), pa.table({"x": [1.0, 3.5]})
    assert [one.largest for one in compare(before, after).columns] == [0.5]  # sorted: 1 with 1, 3 with 3.5
    assert [one.largest for one in compare(before, after, ordered=True).columns] == [2.5]  # 3 with 1, 1 with 3.5


def test_lists_are_compared_by_element_and_by_length():
    before = pa.table({"k": [1, 2], "l": [[1.0, 2.0], [3.0]]})
    near = pa.table({"k": [1, 2], "l": [[1.0, 2.25], [3.0]]})
    (found,) = compare(before, near).columns
    assert (found.n_values, found.largest) == (1, 0.25)
    longer = pa.table({"k": [1, 2], "l": [[1.0, 2.0], [3.0, 4.0]]})
    (found,) = compare(before, longer).columns
    assert (found.n_values, found.largest) == (1, None)


def test_columns_that_came_went_and_changed_are_told():
    found = compare(pa.table({"a": [1], "b": [1], "c": [1]}), pa.table({"a": [1], "c": ["1"], "d": [1]}))
    assert found.shape == ("column b is gone", "column d is new", "column c was int64, is string")
    assert not found.same
    infinite = compare(pa.table({"x": [1.0]}), pa.table({"x": [math.inf]}))
    assert infinite.columns[0].largest == math.inf


def test_a_summary_tells_ranges_of_numbers():
    told = summary(pa.table({"x": [1.0, None, 3.0, NAN], "s": ["a", "b", "c", "d"]}))
    assert told[0] == {"name": "x", "type": "double", "unit": None, "n_null": 1, "min": 1.0, "max": 3.0, "mean": 2.0}
    assert "min" not in told[1]


# --- differences between snapshots ----------------------------------------------------------------------------------


def test_a_key_pairs_rows_that_changed():
    before = pa.table({"k": [1, 2, 3], "x": [1.0, NAN, None], "l": [[1], [2], None], "same": ["a", "b", "c"]})
    after = pa.table({"k": [1, 2, 4], "x": [5.0, NAN, 2.0], "l": [[1], [3], None], "same": ["a", "b", "d"]})
    found = difference(before, after, ["k"]).to_pylist()
    assert found == [
        {"change": "changed", "k": 1, "changed_columns": ["x"], "x": 5.0, "x_before": 1.0, "l": [1], "l_before": [1], "same": "a"},
        {"change": "changed", "k": 2, "changed_columns": ["l"], "x": pytest.approx(NAN, nan_ok=True),
         "x_before": pytest.approx(NAN, nan_ok=True), "l": [3], "l_before": [2], "same": "b"},
        {"change": "removed", "k": 3, "changed_columns": [], "x": None, "x_before": None, "l": None, "l_before": None, "same": "c"},
        {"change": "added", "k": 4, "changed_columns": [], "x": 2.0, "x_before": None, "l": None, "l_before": None, "same": "d"},
    ]  # fmt: skip
    assert difference(before, before, ["k"]).num_rows == 0


def test_without_a_key_rows_come_and_go_as_often_as_they_are_there():
    before, after = pa.table({"x": [1, 1, 2], "ingest_id": [1, 1, 1]}), pa.table({"x": [1, 3], "ingest_id": [2, 2]})
    assert difference(before, after).to_pylist() == [
        {"change": "added", "x": 3}, {"change": "removed", "x": 1}, {"change": "removed", "x": 2},
    ]  # fmt: skip


def test_columns_may_come_go_and_change_their_type():
    before = pa.table({"k": [1], "old": ["a"], "t": [1]})
    after = pa.table({"k": [1], "new": [5], "t": ["1"]})
    (row,) = difference(before, after, ["k"]).to_pylist()
    assert row == {
        "change": "changed", "k": 1, "changed_columns": ["new", "old"], "new": 5, "new_before": None, "t": "1", "old": None,
        "old_before": "a",
    }  # fmt: skip


def test_a_key_that_is_none_is_told():
    rows = pa.table({"k": [1, 1], "x": [1, 2]})
    with pytest.raises(QueryError, match="several of k 1"):
        difference(rows, rows, ["k"])
    with pytest.raises(QueryError, match="the key y is not a column: there are k, x"):
        difference(rows, rows, ["y"])
