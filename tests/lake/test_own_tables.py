"""Tables of one's own: typed, keyed, versioned, described, and like the others to whoever asks."""

from __future__ import annotations

import datetime
import decimal
import json
import uuid
from collections.abc import Iterator
from pathlib import Path

import brainlake
import numpy as np
import pandas as pd
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from brainlake.lake.cli import run
from brainlake.lake.errors import BrainlakeError, CatalogError, DoubledKeyError
from brainlake.lake.writer import write_user_table
from brainlake.tests.fixtures.allen_ecephys import make_session

LABELS = {"unit_id": [2, 1], "label": ["good", "noise"]}
ROWS = [(1, "noise"), (2, "good")]
ASK = "select unit_id, label from lab.labels order by all"


@pytest.fixture
def lake(tmp_path: Path) -> Iterator[brainlake.Lake]:
    with brainlake.create(tmp_path / "lake") as opened:
        yield opened


def write_file(path: Path) -> Path:
    """The labels in a file of the format that its name tells."""
    frame = pl.DataFrame(LABELS)
    if path.suffix == ".csv":
        frame.write_csv(path)
    elif path.suffix == ".tsv":
        frame.write_csv(path, separator="\t")
    elif path.suffix == ".json":
        frame.write_json(path)
    elif path.suffix == ".jsonl":
        frame.write_ndjson(path)
    elif path.suffix == ".parquet":
        frame.write_parquet(path)
    elif path.suffix == ".feather":
        frame.write_ipc(path)
    else:
        frame.write_ipc_stream(path)
    return path


@pytest.mark.parametrize(
    "frame",
    [
        LABELS, pl.DataFrame(LABELS), pl.LazyFrame(LABELS), pd.DataFrame(LABELS, index=["a", "b"]), pa.table(LABELS),
        pl.DataFrame(LABELS, schema_overrides={"label": pl.Categorical, "unit_id": pl.UInt32}),
        pd.DataFrame(LABELS).astype({"label": "category", "unit_id": "int32"}),
        {"unit_id": np.array([2, 1]), "label": np.array(["good", "noise"])},
    ],
    ids=["dict", "polars", "lazy", "pandas", "arrow", "categorical", "pandas_category", "numpy"],
)  # fmt: skip
def test_any_frame_is_a_table(lake, frame):
    done = lake.write("lab.labels", frame, key="unit_id")
    assert done.n_rows == {"lab.labels": 2}
    assert lake.sql(ASK).pl().rows() == ROWS


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".json", ".jsonl", ".parquet", ".feather", ".arrow"])
def test_any_file_is_a_table_and_its_source_is_known(lake, tmp_path, suffix):
    file = write_file(tmp_path / f"labels{suffix}")
    lake.write("lab.labels", file, key="unit_id")
    assert lake.sql(ASK).pl().rows() == ROWS
    (source,) = lake.sql(ASK).provenance()["sources"]
    assert (source["source_url"], source["source_size_bytes"]) == (str(file), file.stat().st_size)


def test_an_answer_is_a_table(lake):
    lake.write("lab.labels", LABELS)
    lake.write("lab.more", lake.sql("select unit_id * 2 as unit_id, label from lab.labels"), key="unit_id")
    assert lake.sql("select unit_id from lab.more order by all").pl()["unit_id"].to_list() == [2, 4]


def test_types_are_found_in_all_rows_of_a_text_file(lake, tmp_path):
    """Not in the first thousands alone: one late word makes a column of numbers a column of texts."""
    rows = "\n".join(f"{i},{i / 2},2026-01-{1 + i % 28:02},{'true' if i % 2 else 'false'},{i}" for i in range(30_000))
    (tmp_path / "t.csv").write_text(f"a,b,c,d,e\n{rows}\n1,2.5,2026-02-01,true,odd\n")
    lake.write("lab.t", tmp_path / "t.csv")
    assert lake.sql("from lab.t").types == {
        "a": "BIGINT", "b": "DOUBLE", "c": "DATE", "d": "BOOLEAN", "e": "VARCHAR", "ingest_id": "BIGINT",
    }  # fmt: skip
    assert lake.sql("select c from lab.t where a = 29999").one().c == datetime.date(2026, 1, 1 + 29999 % 28)


def test_types_can_be_told(lake, tmp_path):
    (tmp_path / "t.csv").write_text("code,n\n007,1\n")
    lake.write("lab.t", tmp_path / "t.csv", types={"code": "VARCHAR", "n": "DOUBLE"})
    assert lake.sql("select code, n from lab.t").pl().rows() == [("007", 1.0)]
    with pytest.raises(BrainlakeError, match=r"t\.csv has no column cod: it has code, n"):
        lake.write("lab.t", tmp_path / "t.csv", types={"cod": "VARCHAR"})
    (tmp_path / "u.csv").write_text("n\n1\nx\n")
    with pytest.raises(BrainlakeError, match=r"u\.csv: .*x"):
        lake.write("lab.t", tmp_path / "u.csv", types={"n": "BIGINT"})


@pytest.mark.parametrize(
    ("values", "advice"),
    [
        ([decimal.Decimal("1.5")], "cast it to double"),
        ([datetime.timedelta(seconds=1)], "keep it as seconds"),
        ([datetime.time(1, 2)], "seconds since midnight"),
        ([{"a": 1}], "give each field a column"),
        ([[[1, 2]]], "nested ones rows of their own"),
    ],
)
def test_a_type_that_others_cannot_read_is_refused_with_advice(lake, values, advice):
    with pytest.raises(CatalogError, match=f"lab.t: column x is .*{advice}"):
        lake.write("lab.t", pa.table({"x": pa.array(values)}))


def test_a_number_too_large_is_refused(lake):
    with pytest.raises(CatalogError, match="column x as int64"):
        lake.write("lab.t", pa.table({"x": pa.array([2**63], pa.uint64())}))
    with pytest.raises(CatalogError, match=r"column t as timestamp\[us\]"):
        lake.write("lab.t", pa.table({"t": pa.array([1], pa.timestamp("ns"))}))
    lake.write("lab.t", pa.table({"x": pa.array([2**62], pa.uint64()), "t": pa.array([1000], pa.timestamp("ns"))}))
    assert lake.sql("select x from lab.t").one().x == 2**62


def test_every_storable_type_comes_back(lake):
    when = datetime.datetime(2026, 1, 2, 3, 4, 5, 6)
    table = pa.table({
        "i8": pa.array([-1], pa.int8()), "i16": pa.array([-1], pa.int16()), "i32": pa.array([-1], pa.int32()),
        "f4": pa.array([0.5], pa.float32()), "f8": [0.1], "b": [True], "s": ["é"], "by": [b"\x00\xff"],
        "d": [datetime.date(2026, 1, 2)], "ts": pa.array([when], pa.timestamp("us")),
        "l": [[1, 2]], "ls": [["a", None]], "nothing": pa.nulls(1),
    })  # fmt: skip
    lake.write("lab.t", table)
    (row,) = lake.sql("select * exclude (ingest_id) from lab.t").arrow().to_pylist()
    assert row == table.to_pylist()[0]


def test_uuids_of_a_file_become_text_when_asked(lake, tmp_path):
    one = uuid.UUID(int=5)
    (tmp_path / "t.csv").write_text(f"id,x\n{one},1\n")
    lake.write("lab.t", tmp_path / "t.csv", types={"id": "VARCHAR"})
    assert lake.sql("select id from lab.t").one().id == str(one)


# --- names and keys -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("ecephys.labels", "schema ecephys is brainlake's own"),
        ("lake.labels", "schema lake is brainlake's own"),
        ("rma.mine", "schema rma is brainlake's own"),
        ("labels", "give schema.table"),
        ("lab.more.labels", "give schema.table"),
        ("Lab.labels", "give schema.table"),
        ("lab.my-labels", "give schema.table"),
        ("lab.select", "select is a word of SQL"),
        ("order.labels", "order is a word of SQL"),
        ("main.labels", "schema main is DuckDB's own"),
        ("information_schema.labels", "DuckDB's own"),
        ("lab.../x", "give schema.table"),
    ],
)
def test_a_name_that_is_taken_or_none_is_refused(lake, name, told):
    with pytest.raises(CatalogError, match=told):
        lake.write(name, LABELS)
    assert lake.snapshot == 0


@pytest.mark.parametrize(
    ("columns", "told"),
    [
        ({"ingest_id": [1]}, "ingest_id is added by the lake"),
        ({"a": [1], "A": [2]}, "several columns are named"),
        ({' ': [1]}, "give it a name"),
        ({'a"b': [1]}, "without quotes"),
    ],
)  # fmt: skip
def test_a_column_that_cannot_be_asked_for_is_refused(lake, columns, told):
    with pytest.raises(CatalogError, match=told):
        lake.write("lab.t", pa.table(columns))


def test_a_column_may_have_any_other_name(lake):
    lake.write("lab.t", pa.table({"Peak Latency (ms)": [1], "select": [2], "größe": [3]}), key="select")
    assert lake.sql('select "Peak Latency (ms)", "select", größe from lab.t').to_numpy().tolist() == [(1, 2, 3)]


def test_a_key_is_held_once_and_never_null(lake):
    with pytest.raises(DoubledKeyError, match="unit_id 1 twice"):
        lake.write("lab.labels", {"unit_id": [1, 1]}, key="unit_id")
    with pytest.raises(CatalogError, match="key unit_id is NULL in 1 rows"):
        lake.write("lab.labels", {"unit_id": [1, None]}, key="unit_id")
    with pytest.raises(CatalogError, match="key unit is not one of its columns: unit_id, label"):
        lake.write("lab.labels", LABELS, key="unit")


# --- versions -------------------------------------------------------------------------------------------------------


def test_rows_are_added_under_the_same_key(lake):
    first = lake.write("lab.labels", LABELS, key="unit_id").snapshot_id
    lake.write("lab.labels", {"unit_id": [3]}, append=True)  # columns that may be NULL can be missing
    lake.write("lab.labels", {"label": ["mua"], "unit_id": [4]}, key="unit_id", append=True)
    assert lake.sql(ASK).pl().rows() == [*ROWS, (3, None), (4, "mua")]
    assert lake.at(first).sql(ASK).pl().rows() == ROWS
    with pytest.raises(
        DoubledKeyError, match=r"already holds unit_id 4, from .*: leave it out, or write the table anew$"
    ):
        lake.write("lab.labels", {"unit_id": [4]}, append=True)
    with pytest.raises(CatalogError, match="has no column colour: it has unit_id, label"):
        lake.write("lab.labels", {"unit_id": [5], "colour": ["red"]}, append=True)
    with pytest.raises(CatalogError, match="has the key unit_id"):
        lake.write("lab.labels", {"unit_id": [5]}, key="label", append=True)
    with pytest.raises(CatalogError, match="column unit_id as int64"):
        lake.write("lab.labels", {"unit_id": ["five"]}, append=True)
    assert lake.sql("select count(*) as n from lab.labels").one().n == 4


def test_replacing_takes_the_place_of_all_that_was_added(lake):
    lake.write("lab.labels", LABELS, key="unit_id")
    lake.write("lab.labels", {"unit_id": [3]}, append=True)
    lake.write("lab.labels", {"unit_id": [1], "grade": [0.5]}, key="unit_id")
    assert lake.sql("select unit_id, grade from lab.labels").pl().rows() == [(1, 0.5)]
    assert lake.sql("select count(*) as n from lake.ingests where subject = 'table/lab.labels'").one().n == 1


def test_many_additions_are_folded(lake):
    lake.write("lab.labels", {"unit_id": [0]}, key="unit_id")
    for unit in range(1, 40):
        lake.write("lab.labels", {"unit_id": [unit]}, append=True)
    assert lake.sql("select unit_id from lab.labels order by all").pl()["unit_id"].to_list() == list(range(40))
    assert lake.sql("select count(*) as n from lake.files").one().n <= 33


def test_a_table_is_forgotten_with_all_that_was_added(lake):
    lake.write("lab.labels", LABELS, key="unit_id")
    lake.write("lab.labels", {"unit_id": [3]}, append=True)
    role = lake.sql("select role from lake.ingests where role != 'table'").one().role
    lake.forget("table/lab.labels", role=role)
    assert lake.sql(ASK).pl().rows() == ROWS  # what was added is gone, the table is not
    lake.forget("table/lab.labels")
    with pytest.raises(BrainlakeError, match=r"lab\.labels"):
        lake.sql("from lab.labels")
    lake.write("lab.labels", {"x": [1]})
    assert lake.sql("from lab.labels").columns == ["x", "ingest_id"]


def test_rows_for_a_table_that_changed_meanwhile_are_refused(lake, monkeypatch):
    """Two write at once: one replaces the table, the other adds to what it was."""
    lake.write("lab.labels", LABELS, key="unit_id")
    state = lake.catalog.state()
    lake.write("lab.labels", {"unit_id": [1], "grade": [0.5]}, key="unit_id")
    monkeypatch.setattr(lake.catalog, "state", lambda *_: state)
    with pytest.raises(CatalogError, match="written with other columns meanwhile"):
        write_user_table(lake.catalog, "lab.labels", pa.table({"unit_id": [9], "label": ["x"]}), append=True)
    monkeypatch.undo()
    assert lake.sql("select unit_id, grade from lab.labels").pl().rows() == [(1, 0.5)]


# --- words ----------------------------------------------------------------------------------------------------------


def test_columns_have_descriptions_and_units_that_stay(lake):
    told = {"latency": "first spike after onset [s]", "unit_id": "sorted unit"}
    lake.write("lab.t", {"unit_id": [1], "latency": [0.05]}, key="unit_id", describe=told, about="one unit's latency")
    lake.write("lab.t", {"unit_id": [1], "latency": [0.06]}, key="unit_id")
    described = lake.describe("lab.t").pl().select("column_name", "unit", "description").rows()
    assert described[:2] == [("unit_id", None, "sorted unit"), ("latency", "s", "first spike after onset")]
    assert lake.sql("select avg(latency) as latency from lab.t").units == {"latency": "s"}
    assert lake.sql("select grain from lake.relations where name = 'lab.t'").one().grain == "one unit's latency"
    with pytest.raises(CatalogError, match="description latenz is not one of its columns"):
        lake.write("lab.t", {"unit_id": [1]}, describe={"latenz": "x"})


def test_a_table_of_ones_own_is_found_like_any_other(lake):
    lake.write("lab.labels", LABELS, key="unit_id", describe={"label": "how it sounds"})
    assert "lab.labels" in lake.tables().pl()["name"].to_list()
    assert "lab.labels" in lake.find("sounds").pl()["name"].to_list()
    holdings = lake.sql("select subject, state, n_rows from lake.holdings").pl().rows()
    assert holdings == [("table/lab.labels", "present", 2)]


# --- many rows ------------------------------------------------------------------------------------------------------


def test_a_partitioned_table_has_a_file_a_value(lake):
    frame = pl.DataFrame({"session_id": [8, 7, 8, 7], "t": [2.0, 1.0, 1.0, 2.0], "v": [1, 2, 3, 4]})
    lake.write("lab.traces", frame, key=["session_id", "t"], partition="session_id")
    lake.write("lab.traces", {"session_id": [9], "t": [0.0], "v": [5]}, append=True)
    assert lake.sql("select partition_value from lake.files order by all").pl()["partition_value"].to_list() == [
        7,
        8,
        9,
    ]
    plan = lake.sql("select * from lab.traces where session_id = 8").explain(analyze=True)
    assert "Scanning Files: 1/3" in plan
    assert lake.sql("select t, v from lab.traces where session_id = 7 order by t").pl().rows() == [(1.0, 2), (2.0, 4)]
    with pytest.raises(DoubledKeyError):
        lake.write("lab.traces", {"session_id": [9], "t": [0.0], "v": [6]}, append=True)


def test_a_partition_must_be_a_number_of_few_values_in_the_key(lake):
    with pytest.raises(CatalogError, match="it must be a BIGINT"):
        lake.write("lab.t", {"s": ["a"]}, partition="s")
    with pytest.raises(CatalogError, match="the key must hold s"):
        lake.write("lab.t", {"s": [1], "k": [1]}, key="k", partition="s")
    with pytest.raises(CatalogError, match=r"s has 2,001 values.*leave the partition out"):
        lake.write("lab.t", {"s": list(range(2001))}, partition="s")


def test_a_join_opens_the_files_of_the_sessions_asked_for_alone(lake, tmp_path):
    for seed, session in enumerate((715093703, 791319847)):
        make_session(tmp_path / f"{session}.nwb", session_id=session, seed=seed, n_spikes=500)
        lake.ingest(tmp_path / f"{session}.nwb").raise_failed()
    units = lake.sql("select session_id, unit_id, snr > 2 as is_good from ecephys.nwb_units").pl()
    lake.write("lab.labels", units, key=["session_id", "unit_id"])
    question = """
        select count(*) as n from lab.labels join ecephys.nwb_units as u using (session_id, unit_id)
        where session_id = 715093703"""
    plan = lake.sql(question).explain(analyze=True)
    assert "Scanning Files: 1/2" in plan
    assert lake.sql(question).one().n == units.filter(pl.col("session_id") == 715093703).height


# --- the command ----------------------------------------------------------------------------------------------------


def test_the_command_shows_what_it_made_of_a_file(tmp_path, capsys):
    lake = str(tmp_path / "lake")
    run(["--lake", lake, "create"])
    (tmp_path / "l.csv").write_text("unit_id,code,latency\n1,007,0.05\n2,008,\n")
    capsys.readouterr()
    given = [str(tmp_path / "l.csv"), "--as", "lab.latency", "--key", "unit_id", "--types", "code=VARCHAR"]
    given += ["--describe", "latency=first spike after onset [s]", "--about", "one unit"]
    assert run(["--lake", lake, "write", *given, "--dry-run"]) == 0
    dry = capsys.readouterr().out
    assert "would write 2 rows" in dry
    assert run(["--lake", lake, "write", *given]) == 0
    told = capsys.readouterr().out
    assert told.splitlines()[:3] == dry.splitlines()[:3] == [
        "    unit_id  BIGINT     key",
        "    code     VARCHAR",
        "    latency  DOUBLE     [s]  first spike after onset",
    ]  # fmt: skip
    assert told.splitlines()[3] == "wrote 2 rows to lab.latency (snapshot 1)"
    (tmp_path / "m.csv").write_text("unit_id\n3\n")
    assert run(["--lake", lake, "write", str(tmp_path / "m.csv"), "--as", "lab.latency", "--append"]) == 0
    assert "added 1 row to" in capsys.readouterr().out
    assert run(["--lake", lake, "sql", "select code from lab.latency order by unit_id", "--format", "json"]) == 0
    assert json.loads(capsys.readouterr().out) == [{"code": "007"}, {"code": "008"}, {"code": None}]


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("t.xlsx", b"PK", "its suffix is none of .csv"),
        ("t.csv", b"", "the table is empty"),
        ("t.json", b"{", "t.json"),
        ("t.parquet", b"PAR1", "t.parquet"),
        ("t.arrow", b"x", "t.arrow"),
        ("t.csv", b"a,b\n", "the table is empty"),
    ],
)
def test_a_file_that_is_no_table_is_one_line(tmp_path, capsys, name, content, told):
    lake = str(tmp_path / "lake")
    run(["--lake", lake, "create"])
    (tmp_path / name).write_bytes(content)
    capsys.readouterr()
    assert run(["--lake", lake, "write", str(tmp_path / name), "--as", "lab.t"]) == 1
    error = capsys.readouterr().err
    assert told in error
    assert error.count("\n") == 1


def test_hive_like_folders_of_a_file_are_not_columns(lake, tmp_path):
    (tmp_path / "session_id=5").mkdir()
    pq.write_table(pa.table({"x": [1]}), tmp_path / "session_id=5" / "t.parquet")
    lake.write("lab.t", tmp_path / "session_id=5" / "t.parquet")
    assert lake.sql("from lab.t").columns == ["x", "ingest_id"]
