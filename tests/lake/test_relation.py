"""The answer to a question, in every form people ask for; and what a wrong question is told."""

from __future__ import annotations

import concurrent.futures
import time

import brainlake
import numpy as np
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from brainlake.lake.errors import AbsentError, QueryError, UnknownError
from brainlake.lake.relation import Relation

# Spikes of three units; the second never fired in window 11. By hand, so that every number below can be counted here.
COUNTS = {"unit_id": [1, 1, 2, 3, 3], "window_id": [10, 11, 10, 10, 11], "spike_count": [4, 0, 1, 2, 3]}
SPIKES = {"unit_id": [1, 1, 2, 1], "spike_time": [0.5, 1.5, 0.75, 1.0], "area": ["VISp", "VISp", "CA1", "VISp"]}


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    with brainlake.create(tmp_path_factory.mktemp("relation") / "lake") as lake:
        lake.write("lab.counts", pl.DataFrame(COUNTS), key=["unit_id", "window_id"])
        times = pa.field("spike_time", pa.float64(), metadata={"unit": "s"})
        schema = pa.schema([("unit_id", pa.int64()), times, ("area", pa.string())])
        lake.write("lab.spikes", pa.table(SPIKES, schema=schema))
        yield lake


def test_every_output_computes_the_answer_anew_and_alike(lake):
    relation = lake.sql("select unit_id, sum(spike_count) as n from lab.counts group by all order by all")
    rows = [(1, 4), (2, 1), (3, 5)]
    assert relation.columns == ["unit_id", "n"]
    assert relation.types == {"unit_id": "BIGINT", "n": "BIGINT"}
    assert relation.pl().rows() == rows
    assert list(relation.df().itertuples(index=False, name=None)) == rows
    assert relation.arrow().to_pydict() == {"unit_id": [1, 2, 3], "n": [4, 1, 5]}
    assert relation.to_numpy().tolist() == rows
    assert pl.DataFrame(relation).rows() == rows  # the Arrow stream
    assert [b.num_rows for b in relation.fetch_batches()] == [3]
    assert relation.df(index="unit_id").loc[3, "n"] == 5


def test_results_have_types_that_every_tool_reads(lake):
    """DuckDB's sum of integers is a HUGEINT and 0.5 a DECIMAL; here they are int64 and float64."""
    relation = lake.sql("select sum(spike_count) as total, 0.5 as half, [0.5] as halves from lab.counts")
    assert relation.types == {"total": "BIGINT", "half": "DOUBLE", "halves": "DOUBLE[]"}
    assert [str(f.type) for f in relation.arrow().schema][:2] == ["int64", "double"]
    assert relation.one().halves.dtype == np.float64
    with pytest.raises(QueryError, match="64 bits"):
        lake.sql("select 9223372036854775807::hugeint + 1 as n").arrow()


def test_an_array_has_a_dimension_for_each_id_and_a_hole_where_no_row_is(lake):
    query = "select unit_id, window_id, spike_count from lab.counts"
    array = lake.sql(query).to_xarray(["window_id", "unit_id"], values="spike_count")
    assert array.dims == ("window_id", "unit_id")
    assert array.coords["window_id"].values.tolist() == [10, 11]
    np.testing.assert_array_equal(array.values, [[4, 1, 2], [0, np.nan, 3]])
    filled = lake.sql(query).to_xarray(["window_id", "unit_id"], values="spike_count", fill=0)
    assert filled.dtype == np.int64
    assert filled.sel(unit_id=2, window_id=11) == 0
    whole = lake.sql(query + " where unit_id <> 2").to_xarray(["window_id", "unit_id"], values="spike_count")
    assert whole.dtype == np.int64  # a full product stays what it is


def test_two_rows_for_one_cell_of_an_array_are_refused(lake):
    with pytest.raises(QueryError, match="share one cell"):
        lake.sql("from lab.counts").to_xarray(["unit_id"], values="spike_count")


def test_the_one_row_of_an_answer_has_attributes_and_lists_are_arrays_without_a_copy(lake):
    row = lake.sql("select area, list(spike_time order by spike_time) as times from lab.spikes where unit_id = 1"
                   " group by all").one()  # fmt: skip
    assert row.area == row["area"] == "VISp"
    assert isinstance(row.times, np.ndarray)
    assert not row.times.flags.owndata  # it looks into the answer's own memory
    assert row.times.tolist() == [0.5, 1.0, 1.5]
    with pytest.raises(AttributeError, match="area"):
        row.structure
    for query, number in (("from lab.spikes where unit_id = 9", "no row"), ("from lab.spikes", "more than one")):
        with pytest.raises(QueryError, match=number):
            lake.sql(query).one()


def test_frames_are_the_memory_that_duckdb_filled(lake, monkeypatch):
    """Column by column, chunk by chunk: the addresses are the same."""
    given = []

    def capture(self):
        given.append(table_of(self))
        return given[-1]

    table_of = Relation._table
    monkeypatch.setattr(Relation, "_table", capture)
    query = "select i, i / 7 as x, [i] as l from range(300000) as r(i)"
    relation = lake.sql(query)
    frame, arrow = relation.pl(), relation.arrow()
    assert given[0]["i"].num_chunks > 1
    for name in ("i", "x"):
        chunks = [chunk.to_arrow() for chunk in frame[name].get_chunks()]
        assert addresses(chunks) == addresses(given[0][name].chunks)
        assert addresses(arrow[name].chunks) == addresses(given[1][name].chunks)
    values = [chunk.to_arrow().values for chunk in frame["l"].get_chunks()]
    assert addresses(values) == addresses([chunk.values for chunk in given[0]["l"].chunks])


def addresses(chunks):
    """Where the numbers of each chunk lie."""
    return [chunk.buffers()[1].address + 8 * chunk.offset for chunk in chunks]


def test_a_scan_reads_the_files_and_columns_that_are_asked_for(tmp_path):
    """Seen by damage: what is not asked for may be lost or broken."""
    rows = {"session_id": [1] * 4 + [2] * 4, "x": range(8), "y": [i / 7 for i in range(8)]}
    with brainlake.create(tmp_path / "lake") as lake:
        lake.write("lab.trials", pl.DataFrame(rows), key=["session_id", "x"], partition="session_id")
    one, two = sorted((tmp_path / "lake" / "data" / "lab" / "trials").rglob("*.parquet"))
    break_columns(one, "y")
    break_columns(two, "session_id", "x", "y")
    with brainlake.open(tmp_path / "lake") as lake:
        scan = lake.scan("lab.trials")
        mine = scan.filter(pl.col("session_id") == 1)
        assert mine.filter(pl.col("x") > 1).select("x").collect()["x"].to_list() == [2, 3]
        assert mine.select(pl.col("x").sum()).collect().item() == 6
        assert scan.select("session_id", "x").filter(pl.col("session_id") == 1).head(2).collect().height == 2
        for lost in (scan.select("x"), mine.select("y")):
            with pytest.raises(Exception, match="type"):  # of a page whose header is no header
                lost.collect()


def break_columns(path, *names):
    """Overwrite what a Parquet file holds of some columns, but not what it tells of them."""
    footer = pq.ParquetFile(path).metadata
    columns = [footer.row_group(0).column(i) for i in range(footer.num_columns)]
    assert set(names) <= {column.path_in_schema for column in columns}
    path.chmod(0o600)
    with path.open("r+b") as file:
        for column in columns:
            if column.path_in_schema in names:
                file.seek(column.dictionary_page_offset or column.data_page_offset)
                file.write(b"\xff" * column.total_compressed_size)


def test_a_scan_is_of_tables_and_views_alike_and_stays_lazy(lake):
    scan = lake.scan("lab.spikes")
    assert isinstance(scan, pl.LazyFrame)
    assert scan.group_by("area").len().sort("area").collect().rows() == [("CA1", 1), ("VISp", 3)]
    assert lake.scan("ecephys.good_units").filter(pl.col("snr") > 1).select("unit_id").collect().height == 0
    with pytest.raises(UnknownError, match=r"lab\.spikes"):
        lake.scan("lab.spike")


def test_null_numbers_are_nan_in_arrays(lake):
    values = lake.sql("select nullif(spike_count, 0) as n from lab.counts order by unit_id, window_id").to_numpy()
    np.testing.assert_array_equal(values, [4, np.nan, 1, 2, 3])


@pytest.mark.parametrize("n", [3, 300_000])
def test_an_array_is_ones_own_to_change_whatever_its_size(lake, n):
    array = lake.sql(f"select i from range({n}) as r(i)").to_numpy()
    array += 1
    assert array.sum() == n * (n + 1) // 2


def test_a_repeated_column_name_is_numbered(lake):
    relation = lake.sql("select a.unit_id, b.unit_id from lab.counts as a, lab.counts as b limit 1")
    assert relation.columns == relation.pl().columns == list(relation.df().columns) == ["unit_id", "unit_id_1"]


@pytest.mark.parametrize(
    ("query", "unit"),
    [
        ("select spike_time as x from lab.spikes", "s"),
        ("select avg(spike_time) as x from lab.spikes", "s"),
        ("select s.spike_time - t.spike_time as x from lab.spikes as s join lab.spikes as t using (unit_id)", "s"),
        ("with early as (select spike_time as t from lab.spikes) select max(t) as x from early", "s"),
        ("select x from (select unit_id, spike_time as x from lab.spikes)", "s"),
        ("select list(spike_time order by spike_time) as x from lab.spikes", "s"),
        ("select spike_time as x from lab.spikes union all select spike_time from lab.spikes", "s"),
        ("from (select spike_time as x from lab.spikes)", "s"),
        ("select spike_time * 1000 as x from lab.spikes", None),
        ("with ms as (select spike_time * 1000 as spike_time from lab.spikes) select spike_time as x from ms", None),
        ("with e as (select unit_id as spike_time from lab.spikes) select spike_time as x from e", None),
        ("select spike_time as x from lab.spikes union all select unit_id from lab.spikes", None),
        ("select x from (select * replace (unit_id as spike_time) from lab.spikes) as s(x, y, z)", None),
        ("select spike_time / unit_id as x from lab.spikes", None),
        ("select count(spike_time) as x from lab.spikes", None),
        ("select mine.spike_time as x from mine join lab.spikes using (unit_id)", None),
    ],
)
def test_a_column_keeps_its_unit_only_as_far_as_it_is_certain(lake, query, unit):
    mine = {"mine": {"unit_id": [1], "spike_time": [500.0]}}
    assert lake.sql(query, tables=mine).units["x"] == unit


def test_units_travel_with_the_answer(lake):
    relation = lake.sql("select unit_id, spike_time from lab.spikes")
    assert relation.arrow().schema.field("spike_time").metadata == {b"unit": b"s"}
    assert relation.df().attrs["units"] == {"spike_time": "s"}
    array = lake.sql("select spike_time, unit_id from lab.spikes").to_xarray("spike_time", "unit_id")
    assert array["spike_time"].attrs["units"] == "s"
    assert "s ┃" in repr(relation)


def test_what_is_shown_is_text_whatever_it_holds(lake):
    relation = lake.sql("select '[red]x[/red] [/] <b>' as \"a[b]<i>\"")
    assert "[red]x[/red] [/] <b>" in repr(relation)


def test_spikes_go_to_pynapple_with_what_is_constant_within_a_unit(lake):
    group = lake.sql("select unit_id, spike_time, area from lab.spikes").to_tsgroup()
    assert list(group.keys()) == [1, 2]
    assert group[1].times().tolist() == [0.5, 1.0, 1.5]
    assert group[2].times().tolist() == [0.75]  # one spike: no time of its own to be supported on
    assert group["area"].tolist() == ["VISp", "CA1"]
    with pytest.raises(QueryError, match="no spike"):
        lake.sql("select unit_id, spike_time from lab.spikes where false").to_tsgroup()
    with pytest.raises(QueryError, match="spike_time"):
        lake.sql("select unit_id from lab.spikes").to_tsgroup()


def test_series_and_intervals_go_to_pynapple(lake):
    series = lake.sql("select spike_time as timestamp, unit_id from lab.spikes order by 1").to_tsd()
    assert series.times().tolist() == [0.5, 0.75, 1.0, 1.5]
    assert series.values.tolist() == [1, 2, 1, 1]
    intervals = lake.sql("select 1.0 as start_time, 2.5 as stop_time").to_intervalset()
    assert (intervals.start.tolist(), intervals.end.tolist()) == ([1.0], [2.5])


def test_provenance_names_the_sources_and_the_code(lake):
    found = lake.sql("select count(*) as n from lab.spikes").provenance()
    assert [source["subject"] for source in found["sources"]] == ["table/lab.spikes"]
    assert all(len(source["source_sha256"]) == 64 for source in found["sources"])
    assert found["snapshot"] == lake.snapshot
    questions = lake.sql("select count(*) as n from ecephys.good_units").provenance()["questions"]
    assert {"ecephys.good_units", "ecephys.units"} <= set(questions)  # and what they rest on


def test_parameters_are_values_not_text(lake):
    query = "select count(*) as n from lab.spikes where area = $area"
    assert lake.sql(query, {"area": "CA1"}).one().n == 1
    assert lake.sql(query, {"area": "CA1' or true --"}).one().n == 0
    assert lake.sql("select count(*) as n from lab.spikes where unit_id = ?", [1]).one().n == 3


@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("select unit_idd from lab.spikes", "Nearest names: unit_id$"),
        ("select s.unit_idd from lab.spikes as s", "Nearest names: unit_id$"),
        ("select unit_id from lab.spikes where areaa = 'CA1'", "Nearest names: area$"),
        ("select zebra from lab.spikes", r"`brainlake describe lab\.spikes`"),
        (
            "select u.zebra from lab.spikes as s join ecephys.units as u using (unit_id)",
            r"`brainlake describe ecephys\.units`",
        ),
        ("select unit_id frm lab.spikes", "LINE 1"),
        ("from ecephys.good_unit", r"Nearest names: ecephys\.good_units"),
        ("from ecephis.good_units", r"Nearest names: ecephys\.good_units"),
        ("from good_units", r"Nearest names: ecephys\.good_units"),
        ("from nowhere", r"lake\.relations"),
        ("with labelled as (from lab.spikes) from labeled", "Nearest names: labelled$"),
        ("select * from mines", "Nearest names: mine$"),
        ("from ecephys.psht('u', 'e')", r"Nearest names: ecephys\.psth"),
        ("from ecephys.psth('u', 'e', befor := 0.1)", "no parameter befor\n.*\n.*\nNearest names: before$"),
        ("from ecephys.psth('u')", "needs events"),
        ("from ecephys.psth(bin := 1)", "needs units and events"),
        ("from ecephys.psth('u', 'e', 1, 2, 3, 4)", "takes 5 arguments, and got 6"),
        ("select lisst_sort([1])", "Nearest names: list_sort$"),
        ("select round(1, 2, 3)", r"\.\.\. and \d+ more"),
        ("selec 1", "syntax"),
    ],
)
def test_a_mistake_shows_at_once_and_says_what_is_near(lake, query, told):
    with pytest.raises(QueryError, match=told):
        lake.sql(query, tables={"mine": {"unit_id": [1]}})


@pytest.mark.parametrize(
    ("query", "place"),
    [
        ("select\n  area, unit_idd\nfrom lab.spikes", "LINE 2:   area, unit_idd"),
        ("select area\nfrom\n  lab.spike", "LINE 3:   lab.spike"),
        ("from lab.spikes\nwhere area = $area and unit_idd = 1", "LINE 2: where area = $area and unit_idd = 1"),
        ("with u as (from lab.spikes)\nfrom ecephys.psth('u',\n  bun := ')', events := 'u')", "LINE 3:   bun := ')', events := 'u')"),
    ],
)  # fmt: skip
def test_a_mistake_is_pointed_at_in_the_text(lake, query, place):
    with pytest.raises(QueryError) as caught:
        lake.sql(query, {"area": "CA1"} if "$area" in query else None)
    line, caret = str(caught.value).split("\n")[1:3]
    assert line == place
    wrong = line[caret.index("^") : caret.rindex("^") + 1]
    assert wrong in ("unit_idd", "lab.spike", "bun")


def test_an_answer_is_stopped_from_another_thread(lake):
    slow = lake.sql("select count(*) as n from range(10000000) as a(i), range(100000) as b(j) where (i * j) % 7 = 3")
    with concurrent.futures.ThreadPoolExecutor(1) as pool:
        asked = pool.submit(slow.pl)
        while not asked.done():
            slow.interrupt()
            time.sleep(0.01)
        with pytest.raises(QueryError, match=r"(?i)interrupt"):
            asked.result()
    assert lake.sql("select 1 as one").one().one == 1


def test_a_mistake_in_the_data_is_ours_too(lake):
    with pytest.raises(QueryError, match="VISp"):
        lake.sql("select area::int as n from lab.spikes order by 1").pl()
    with pytest.raises(QueryError):
        list(lake.sql("select area::int as n from lab.spikes").fetch_batches())


@pytest.mark.parametrize(("word", "kind"), [("absent", AbsentError), ("unknown", UnknownError), ("wrong", QueryError)])
def test_what_a_view_raises_has_its_class(lake, word, kind):
    with pytest.raises(kind) as caught:
        lake.sql(f"select error('{word}: take the other one') as x from lab.spikes").pl()
    assert str(caught.value) == "take the other one"


def test_a_picture_that_does_not_exist_is_told_with_those_that_do(lake):
    with pytest.raises(AttributeError, match="raster"):
        lake.sql("select 1 as x").plot.rastr()


def test_a_closed_lake_says_so(tmp_path):
    lake = brainlake.create(tmp_path / "lake")
    lake.close()
    with pytest.raises(QueryError, match="closed"):
        lake.sql("select 1")


def test_columns_of_numpy_are_taken_as_they_are(lake):
    """Also reversed, masked and of text; NaN is no NULL, a mask is."""
    mine = {
        "reversed": np.arange(3.0)[::-1],
        "not_a_number": np.array([1.0, np.nan, 3.0]),
        "masked": np.ma.masked_array([1, 2, 3], [False, True, False]),
        "text": np.array(["a", "b", "c"]),
    }
    rows = lake.sql("from mine", tables={"mine": mine}).arrow().to_pylist()
    assert [row["reversed"] for row in rows] == [2.0, 1.0, 0.0]
    assert np.isnan(rows[1]["not_a_number"])
    assert [row["masked"] for row in rows] == [1, None, 3]
    assert [row["text"] for row in rows] == ["a", "b", "c"]
