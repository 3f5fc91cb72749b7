"""What leaves a lake for other programs: Parquet and CSV files, and a DuckDB file of views."""

from __future__ import annotations

import gzip
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brainlake
import duckdb
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from brainlake.lake.cli import run
from brainlake.lake.errors import BrainlakeError, QueryError
from brainlake.lake.export_views import export_views, kernels_below
from brainlake.lake.questions import standard


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, engine: Any) -> Iterator[brainlake.Lake]:
    folder = tmp_path_factory.mktemp("export")
    with brainlake.create(folder / "lake") as lake:
        for session in (7, 8):
            rows = {"ecephys.spike_trains": engine.trains(session, [session * 10 + i for i in range(3)])}
            engine.ingest(lake.catalog, f"ecephys.session/{session}", rows)
        frame = pa.table({"unit_id": [70, 71, 80], "note": ["it's", 'a "b", c', None], "places": [[1, 2], [], None]})
        lake.write("lab.notes", frame, key="unit_id")
        yield lake


# -- Parquet and CSV --------------------------------------------------------------------------------------------------


def test_a_relation_becomes_a_parquet_file_with_units_and_meanings(lake: brainlake.Lake, tmp_path: Path) -> None:
    (written,) = lake.export("ecephys.spikes", tmp_path / "spikes.parquet")
    table = pq.read_table(written.path)
    assert written.n_rows == table.num_rows == 18  # two sessions of three units of three spikes
    assert table.schema.field("spike_time").metadata[b"unit"] == b"s"
    assert table.schema.field("unit_id").metadata[b"description"]
    assert table.schema.metadata[b"brainlake.snapshot"] == str(lake.snapshot).encode()
    assert sorted(table["spike_time"].to_pylist()) == sorted(
        i / 30000 for _ in (7, 8) for u in range(3) for i in (u, u + 1, u + 2)
    )


@pytest.mark.parametrize("codec", ["zstd", "snappy", "gzip", "lz4", "brotli", "none"])
def test_every_compression_of_parquet_is_what_it_says(lake: brainlake.Lake, tmp_path: Path, codec: str) -> None:
    lake.export("lab.notes", tmp_path / "notes.parquet", compression=codec)
    found = pq.ParquetFile(tmp_path / "notes.parquet").metadata.row_group(0).column(0).compression
    assert found.lower() == {"none": "uncompressed"}.get(codec, codec)


def test_patterns_and_several_relations_go_to_a_directory(lake: brainlake.Lake, tmp_path: Path) -> None:
    written = lake.export(["lab.*", "ecephys.spike_trains"], tmp_path / "out")
    assert [one.path.name for one in written] == ["lab.notes.parquet", "ecephys.spike_trains.parquet"]
    assert pl.read_parquet(tmp_path / "out" / "lab.notes.parquet")["unit_id"].to_list() == [70, 71, 80]


def test_a_partitioned_export_is_read_back_by_folders(lake: brainlake.Lake, tmp_path: Path) -> None:
    lake.export("ecephys.spikes", tmp_path / "spikes", partition_by="session_id")
    assert {p.name for p in (tmp_path / "spikes").iterdir()} == {"session_id=7", "session_id=8"}
    with duckdb.connect() as con:
        query = f"select session_id, count(*) from read_parquet('{tmp_path}/spikes/*/*.parquet', hive_partitioning = true) group by 1 order by 1"
        assert con.execute(query).fetchall() == [(7, 9), (8, 9)]
    with pytest.raises(QueryError, match="no column nope to partition by"):
        lake.export("ecephys.spikes", tmp_path / "other", partition_by="nope")


def test_a_partitioned_csv_has_its_columns_in_folders_and_files(lake: brainlake.Lake, tmp_path: Path) -> None:
    lake.export("ecephys.spikes", tmp_path / "spikes", format="csv", partition_by=["session_id", "unit_id"])
    (file,) = (tmp_path / "spikes" / "session_id=8" / "unit_id=81").iterdir()
    assert file.read_text().splitlines()[0].split(",")[0].strip('"') != "session_id"
    assert len(file.read_text().splitlines()) == 4  # a header and three spikes


def test_csv_quotes_what_it_must_and_writes_lists_as_json(lake: brainlake.Lake, tmp_path: Path) -> None:
    lake.export("from lab.notes order by unit_id", tmp_path / "n.csv.gz", format="csv", compression="gzip")
    text = gzip.decompress((tmp_path / "n.csv.gz").read_bytes()).decode()
    frame = pl.read_csv(text.encode())
    assert frame["note"].to_list() == ["it's", 'a "b", c', None]
    assert [None if v is None else json.loads(v) for v in frame["places"].to_list()] == [[1, 2], [], None]


def test_nothing_is_written_into_the_lake_or_over_what_is_there(lake: brainlake.Lake, tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(lake.path / "data")
    for inside in (lake.path / "x.parquet", lake.path / "data" / "x.parquet", tmp_path / "link" / "x.parquet"):
        with pytest.raises(BrainlakeError, match="inside of the lake"):
            lake.export("lab.notes", inside)
    (tmp_path / "old.parquet").write_text("mine")
    with pytest.raises(BrainlakeError, match="there already"):
        lake.export("lab.notes", tmp_path / "old.parquet")
    assert (tmp_path / "old.parquet").read_text() == "mine"
    lake.export("lab.notes", tmp_path / "old.parquet", force=True)
    assert pq.read_table(tmp_path / "old.parquet").num_rows == 3


def test_what_fails_leaves_neither_file_nor_rest(lake: brainlake.Lake, tmp_path: Path) -> None:
    (tmp_path / "kept.parquet").write_text("mine")
    broken = "select if(i = 900000, error('wrong: broken at the end')::int, i) from range(1000000) as r(i)"
    for to, how in ((tmp_path / "new.parquet", {}), (tmp_path / "kept.parquet", {"force": True})):
        with pytest.raises(QueryError, match="broken at the end"):
            lake.export(broken, to, **how)
    assert [p.name for p in tmp_path.iterdir()] == ["kept.parquet"]
    assert (tmp_path / "kept.parquet").read_text() == "mine"


def test_a_directory_that_is_replaced_holds_only_the_new(lake: brainlake.Lake, tmp_path: Path) -> None:
    lake.export("ecephys.spikes", tmp_path / "s", partition_by="session_id")
    lake.export("from ecephys.spikes where session_id = 7", tmp_path / "s", partition_by="session_id", force=True)
    assert [p.name for p in (tmp_path / "s").iterdir()] == ["session_id=7"]


def test_the_command_exports_and_says_what_it_wrote(
    lake: brainlake.Lake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    to = tmp_path / "notes.csv"
    assert run(["--lake", str(lake.path), "export", "csv", "lab.notes", "-o", str(to)]) == 0
    assert capsys.readouterr().out == f"{to}: 3 rows\n"
    assert run(["--lake", str(lake.path), "export", "parquet", "lab.nothing", "-o", str(tmp_path / "x")]) == 1
    assert "no table or view is called lab.nothing" in capsys.readouterr().err


# -- a file of views --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def views(lake: brainlake.Lake, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("views") / "brain.duckdb"
    assert lake.export_views(path).n_relations > 100
    return path


def plainly(path: Path, code: str, cwd: Path | None = None) -> Any:
    """What a Python process that has DuckDB alone makes of the file: ``code`` sets ``found``."""
    program = f"import duckdb, json, sys\ncon = duckdb.connect({str(path)!r}, read_only=True)\n{code}\n"
    program += "assert 'brainlake' not in sys.modules and 'pyarrow' not in sys.modules\nprint(json.dumps(found))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, cwd=cwd, check=False)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_a_plain_duckdb_reads_tables_and_views_of_the_file(lake: brainlake.Lake, views: Path) -> None:
    code = "found = con.execute('select session_id, unit_id, spike_time from ecephys.spikes order by all').fetchall()"
    ours = lake.sql("select session_id, unit_id, spike_time from ecephys.spikes order by all").pl().rows()
    assert [tuple(row) for row in plainly(views, code)] == ours
    assert plainly(views, "found = con.execute('select note from lab.notes order by unit_id').fetchall()") == [
        ["it's"], ['a "b", c'], [None],
    ]  # fmt: skip


def test_a_plain_duckdb_opens_one_file_of_many_for_one_session(views: Path) -> None:
    code = (
        "found = con.execute('explain analyze select sum(n_spikes) from ecephys.spike_trains where session_id = 7')"
        ".fetchall()"
    )
    assert "Scanning Files: 1/2" in str(plainly(views, code))


def test_every_view_of_the_file_answers_or_says_what_it_needs(views: Path) -> None:
    code = """
found = {}
names = "select schema_name || '.' || view_name from duckdb_views() where not internal"
for (name,) in con.execute(names).fetchall():
    try:
        con.execute(f'from {name} limit 1').fetchall()
        found[name] = ''
    except duckdb.Error as error:
        found[name] = str(error)
"""
    failed = {name: text for name, text in plainly(views, code).items() if text}
    needing = {name for name in kernels_below(standard()) if standard()[name].kind == "view"}
    assert set(failed) == needing
    assert all("needs brainlake" in text and "brainlake sql" in text for text in failed.values())


def test_what_needs_python_is_listed_and_keeps_its_columns(lake: brainlake.Lake, views: Path) -> None:
    code = "found = con.execute(\"select functions, how_to_use from lake.needs_python where name = 'ecephys.psth'\").fetchone()"
    functions, how = plainly(views, code)
    assert "count_spikes_around_events" in functions
    assert "ecephys.psth(units, events" in how
    with pytest.raises(AssertionError, match="needs brainlake, as it calls"):
        plainly(views, "found = con.execute(\"from ecephys.psth('a', 'b')\").fetchall()")
    view = next(name for name in sorted(kernels_below(standard())) if standard()[name].kind == "view")
    columns = plainly(views, f"found = con.execute('describe {view}').fetchall()")
    told = lake.describe(view).pl()
    assert [(c[0], c[1]) for c in columns] == list(zip(told["column_name"], told["column_type"], strict=True))


def test_units_and_meanings_are_duckdbs_comments(views: Path) -> None:
    code = """found = dict(con.execute(
        "select column_name, comment from duckdb_columns() where schema_name = 'ecephys' and table_name = 'spikes'"
    ).fetchall())
found['view'], = con.execute(
    "select comment from duckdb_views() where schema_name = 'ecephys' and view_name = 'spikes'").fetchone()"""
    found = plainly(views, code)
    assert found["spike_time"].endswith("(s)")
    assert found["view"] == standard()["ecephys.spikes"].grain


def test_a_relative_file_is_read_from_wherever_the_lake_lies(lake: brainlake.Lake, tmp_path: Path) -> None:
    path = tmp_path / "relative.duckdb"
    export_views(lake._session, path, relative=True)
    count = "found = con.execute('select count(*) from ecephys.spikes').fetchone()[0]"
    assert str(lake.path).encode() not in path.read_bytes()
    assert plainly(path, count, cwd=lake.path) == 18
    assert plainly(path, f"con.execute(\"set file_search_path = '{lake.path}'\")\n{count}", cwd=tmp_path) == 18


def test_a_file_of_views_is_replaced_only_by_force_and_never_lies_in_the_lake(
    lake: brainlake.Lake, views: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["--lake", str(lake.path), "export", "views"]
    assert run([*command, str(views)]) == 1
    assert "--force" in capsys.readouterr().err
    assert run([*command, str(views), "--force"]) == 0
    assert "need brainlake" in capsys.readouterr().out
    assert run([*command, str(lake.path / "x.duckdb")]) == 1
    assert [p.name for p in views.parent.iterdir()] == ["brain.duckdb"]


def test_a_file_is_not_called_as_a_schema(lake: brainlake.Lake, tmp_path: Path) -> None:
    """DuckDB would find `lake.needs_python` ambiguous in a database called lake."""
    for name in ("lake.duckdb", "Ecephys.duckdb"):
        with pytest.raises(BrainlakeError, match=r"call it brain\.duckdb"):
            lake.export_views(tmp_path / name)


def test_the_storage_is_one_that_older_versions_open(views: Path) -> None:
    with duckdb.connect() as con:
        con.execute(f"attach '{views}' as f (read_only)")
        tags = con.execute("select tags from duckdb_databases() where database_name = 'f'").fetchone()
    assert tags is not None
    assert tags[0]["storage_version"].startswith("v1.0.0")
