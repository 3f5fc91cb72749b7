"""A question about one cell reads the samples of one cell: every view over traces that says it is partitioned by cell."""

from __future__ import annotations

import re
from pathlib import Path

import duckdb
import pyarrow.parquet as pq
import pytest
from brainlake.lake.parquet import to_table
from brainlake.lake.questions import below, register, standard
from brainlake.lake.tables import TABLES
from brainlake.tests.fixtures.memory import make_table
from brainlake.tests.fixtures.patch_clamp import rows_of
from brainlake.tests.fixtures.steps import long_square, ramp, short_square

CELLS = (1, 2, 3)
TRACES = "icephys.stored_traces"
PARTITIONED = [
    question.name for question in standard().values()
    if question.kind == "view" and question.partition == "specimen_id" and TRACES in below([question.name], standard())
]  # fmt: skip


@pytest.fixture(scope="module")
def filed(tmp_path_factory) -> duckdb.DuckDBPyConnection:
    """A connection over tables laid out as in a lake: one file of traces a cell."""
    root: Path = tmp_path_factory.mktemp("data")
    con = duckdb.connect()
    con.execute("create schema icephys")
    listed = []
    for cell in CELLS:
        sweeps = [long_square(0, -50, specimen=cell), long_square(1, 120, [0.1, 0.3], specimen=cell),
                  short_square(2, 900, specimen=cell), ramp(3, [2.0], specimen=cell)]  # fmt: skip
        rows = rows_of(sweeps)
        listed.append(to_table(TABLES["icephys.nwb_sweeps"], rows["icephys.nwb_sweeps"], 1))
        folder = root / f"specimen_id={cell}"
        folder.mkdir()
        pq.write_table(to_table(TABLES[TRACES], rows[TRACES], 1), folder / "0.parquet")
    con.execute(f"create view {TRACES} as from read_parquet('{root}/*/*.parquet', hive_partitioning = true)")
    needed = below(PARTITIONED, standard())
    for name, spec in TABLES.items():
        if name in needed and name != TRACES:
            make_table(con, name, spec.arrow.empty_table())
    for part in listed:
        con.register("_part", part)
        con.execute("insert into icephys.nwb_sweeps from _part")
        con.unregister("_part")
    register(con, {name: question for name, question in standard().items() if name in needed})
    yield con
    con.close()


def files_read(con: duckdb.DuckDBPyConnection, query: str) -> list[int]:
    """How many files each scan of Parquet files read."""
    plan = con.execute(f"explain analyze {query}").fetchall()[0][1]
    return [int(n) for n in re.findall(r"Total Files Read:\s*(\d+)", plan)]


@pytest.mark.parametrize("name", PARTITIONED)
def test_a_question_about_one_cell_reads_its_samples_only(filed, name):
    read = files_read(filed, f"from {name} where specimen_id = 2")
    assert read, "no file was read, so nothing is shown"
    assert max(read) <= 1


def test_a_question_about_all_cells_reads_them_all(filed):
    """The counting itself works."""
    assert max(files_read(filed, "from icephys.sweep_traces")) == len(CELLS)
