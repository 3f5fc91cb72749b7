"""Real tables of the Cell Types Database: every cell, feature and sweep is there, and joins to the others on its id.

Counts are those of the release (1,920 mouse and 411 human cells in the download of 2,331); the regression is the one that
the reference's example notebook publishes for its 2,333 cells.
"""

from __future__ import annotations

import csv
import json
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from brainlake.ingest.cell_types_csv import READER as CSV
from brainlake.ingest.cell_types_json import READER as JSON
from brainlake.ingest.contract import Source
from brainlake.tests.fixtures.memory import memory_connection
from brainlake.tests.fixtures.reading import read_source

Find = Callable[[str], Path]
FOLDER = "metadata/cell_types"
TABLES = ("cell_types_specimen_details", "ephys_features", "morphology_features", "patchseq_metadata_mouse_20200711")


@pytest.fixture(scope="module")
def sweep_lists(real_data: Find) -> list[Path]:
    return sorted(real_data("models").glob("**/ephys_sweeps.json"))


@pytest.fixture(scope="module")
def con(real_data: Find, sweep_lists: list[Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    sources = [(CSV, real_data(f"{FOLDER}/{name}.csv")) for name in TABLES]
    sources += [(JSON, path) for path in sweep_lists]
    tables: dict[str, list[pa.Table]] = {}
    for reader, path in sources:
        for name, table in read_source(reader, path)[0].items():
            tables.setdefault(name, []).append(table)
    con = memory_connection({name: pa.concat_tables(parts) for name, parts in tables.items()})
    yield con
    con.close()


def one(con: duckdb.DuckDBPyConnection, query: str) -> tuple[object, ...]:
    (row,) = con.sql(query).fetchall()
    return tuple(row)


def test_the_download_has_2331_cells_and_the_features_2333(con: duckdb.DuckDBPyConnection) -> None:
    assert con.sql("select species, count(*) from icephys.cells group by all order by all").fetchall() == [
        ("Homo Sapiens", 411),
        ("Mus musculus", 1_920),
    ]
    assert one(con, "select count(*), count(distinct specimen_id) from icephys.published_ephys_features") == (
        2333,
        2333,
    )
    assert one(con, "select count(*), count(distinct specimen_id) from morphology.published_features") == (402, 402)
    assert one(con, "select count(*), count(distinct cluster_label) from icephys.patchseq_cells") == (4_435, 62)


@pytest.mark.parametrize(
    ("name", "relation", "n_columns"),
    [
        ("cell_types_specimen_details", "rma.api_cell_types_specimen_details", 54),
        ("ephys_features", "rma.ephys_features", 56),
        ("morphology_features", "rma.neuron_reconstructions", 28),
    ],
)
def test_every_cell_of_a_table_is_kept_to_the_last_bit(
    con: duckdb.DuckDBPyConnection, real_data: Find, name: str, relation: str, n_columns: int
) -> None:
    """The file read by other means: the csv module, and float() of what it finds."""
    key = "specimen__id" if name.startswith("cell_types") else "specimen_id"
    with real_data(f"{FOLDER}/{name}.csv").open(newline="") as file:
        raw = {int(row[key]): row for row in csv.DictReader(file)}
    answer = con.sql(f"from {relation}")
    assert len(answer.columns) == n_columns
    found = answer.fetchall()
    assert len(found) == len(raw)
    where = answer.columns.index(key)
    for values in found:
        row = raw[values[where]]
        assert set(answer.columns) == set(row) - {""}
        for column, value in zip(answer.columns, values, strict=True):
            cell = row[column]
            if value is None:
                assert cell == ""
            elif isinstance(value, bool):
                assert cell == str(value)
            elif isinstance(value, int | float):
                assert float(cell) == value
            else:
                assert cell == value


def test_tables_join_on_ids(con: duckdb.DuckDBPyConnection) -> None:
    features = "icephys.published_ephys_features as e"
    assert one(con, f"select count(*) from icephys.cells as c join {features} using (specimen_id)") == (2_331,)
    strays = f"select specimen_id from {features} anti join icephys.cells using (specimen_id) order by 1"
    assert con.sql(strays).fetchall() == [(576120358,), (576136807,)]
    assert one(con, "select count(*) from icephys.all_features()") == (402,)
    assert one(con, "select count(*) from icephys.all_features(require_reconstruction := false)") == (2_333,)
    # the feature table is of an earlier release: since then types of 20 cells changed, and full ones were redone
    shapes = """
        select
            count(*),
            count(*) filter (d.number_stems = m.number_stems and d.number_bifurcations = m.number_bifurcations)
        from morphology.published_features as m
        join icephys.specimen_details as d using (specimen_id)"""
    assert one(con, f"{shapes} where d.reconstruction_type = m.reconstruction_type") == (382, 368)
    assert one(
        con, f"{shapes} where m.reconstruction_type = 'dendrite-only' and d.reconstruction_type = 'dendrite-only'"
    ) == (
        241,
        241,
    )


def test_a_known_row_has_its_published_values(con: duckdb.DuckDBPyConnection) -> None:
    query = "select adaptation, avg_isi_ms from icephys.published_ephys_features where specimen_id = 464212183"
    adaptation, avg_isi = one(con, query)
    assert round(float(str(adaptation)), 7) == 0.0106602
    assert round(float(str(avg_isi)), 6) == 50.912222


def test_the_regression_of_the_reference_notebook(con: duckdb.DuckDBPyConnection) -> None:
    """Question 9 of the spec: upstroke/downstroke ratio on fast trough, all cells."""
    slope, intercept = one(
        con,
        """select
            regr_slope(upstroke_downstroke_ratio_long_square, fast_trough_v_long_square_mv),
            regr_intercept(upstroke_downstroke_ratio_long_square, fast_trough_v_long_square_mv)
        from icephys.featured_cells""",
    )
    assert round(float(str(slope)), 8) == 0.10468807
    assert round(float(str(intercept)), 7) == 8.3550789


def test_questions_of_the_spec_over_cells(con: duckdb.DuckDBPyConnection, real_data: Find) -> None:
    """Questions 1, 10, 12 and 25, each against the file read with the csv module and numpy."""
    with real_data(f"{FOLDER}/cell_types_specimen_details.csv").open(newline="") as file:
        raw = list(csv.DictReader(file))
    spiny = one(
        con,
        """select count(*) from icephys.cells_filtered(species_wanted := 'Mus musculus', reporter_wanted := 'positive')
        where dendrite_type = 'spiny' and parent_structure_acronym = 'VISp' and structure_layer = '5'
            and reconstruction_type = 'full'""",
    )
    assert spiny == (
        sum(
            r["cell_reporter_status"] == "positive" and r["tag__dendrite_type"] == "spiny"
            and r["structure_parent__acronym"] == "VISp" and r["structure__layer"] == "5"
            and r["nr__reconstruction_type"] == "full" and r["donor__species"] == "Mus musculus"
            for r in raw
        ),
    )  # fmt: skip
    with real_data(f"{FOLDER}/ephys_features.csv").open(newline="") as file:
        seals = [float(r["seal_gohm"]) for r in csv.DictReader(file)]
    assert one(con, "select count(*) from icephys.featured_cells where seal_gohm < 1") == (sum(s < 1 for s in seals),)
    pairs = np.array(
        [(float(r["ef__tau"]), float(r["nr__average_contraction"])) for r in raw if r["nr__average_contraction"]]
    )
    (r,) = one(con, "select corr(tau_ms, average_contraction) from icephys.specimen_details")
    assert float(str(r)) == pytest.approx(np.corrcoef(pairs.T)[0, 1], rel=1e-12)
    assert len(pairs) == 638
    human = Counter((r["donor__disease_state"], r["structure__layer"]) for r in raw if r["donor__species"][0] == "H")
    medians = con.sql(
        """select disease_state, structure_layer, count(*) as n, median(vrest_mv) as vrest_mv
        from icephys.specimen_details where species = 'Homo Sapiens' group by all order by all"""
    ).fetchall()
    assert {(disease or "", layer): n for disease, layer, n, _ in medians} == human
    for disease, layer, _, median in medians:
        of_group = [
            float(r["ef__vrest"]) for r in raw
            if r["donor__species"][0] == "H" and (r["donor__disease_state"], r["structure__layer"]) == (disease or "", layer)
        ]  # fmt: skip
        assert median == np.median(of_group)


def test_donors_are_counted_with_their_cells(con: duckdb.DuckDBPyConnection, real_data: Find) -> None:
    with real_data(f"{FOLDER}/cell_types_specimen_details.csv").open(newline="") as file:
        counted = Counter(int(row["donor__id"]) for row in csv.DictReader(file))
    assert len(counted) == 962
    found = con.sql("select donor_id, n_cells, len(cell_ids) from icephys.donors").fetchall()
    assert {donor: n for donor, n, _ in found} == counted
    assert all(n == listed for _, n, listed in found)


def test_sweep_lists_of_models_join_to_cells(con: duckdb.DuckDBPyConnection, sweep_lists: list[Path]) -> None:
    counted: Counter[int] = Counter()
    spikes: Counter[int] = Counter()
    for path in sweep_lists:
        for sweep in json.loads(path.read_text()):
            counted[sweep["specimen_id"]] += 1
            spikes[sweep["specimen_id"]] += sweep["num_spikes"] or 0
    found = con.sql(
        "select specimen_id, count(*), sum(num_spikes)::bigint from icephys.api_sweeps group by all"
    ).fetchall()
    assert {cell: n for cell, n, _ in found} == counted == {
        314804042: 44, 324032509: 123, 470098860: 120, 478058328: 104, 486239338: 98, 488683425: 47,
    }  # fmt: skip
    assert {cell: n or 0 for cell, _, n in found} == spikes
    joined = """
        select count(distinct s.specimen_id), count(*)
        from icephys.api_sweeps as s join icephys.cells as c using (specimen_id)"""
    cells = {cell for (cell,) in con.sql("select specimen_id from icephys.cells").fetchall()}
    assert one(con, joined) == (len(cells & set(counted)), sum(n for cell, n in counted.items() if cell in cells))
    rheobase = """
        select count(*) filter (s.stimulus_name = 'Long Square'), count(*)
        from icephys.published_ephys_features as e
        join icephys.api_sweeps as s on s.specimen_id = e.specimen_id and s.sweep_number = e.rheobase_sweep_number"""
    long_squares, n = one(con, rheobase)
    assert long_squares == n


def test_real_files_are_claimed_by_these_readers_alone(real_data: Find, sweep_lists: list[Path]) -> None:
    from brainlake.ingest import registry

    for path, name in [
        *((real_data(f"{FOLDER}/{table}.csv"), "cell_types_csv") for table in TABLES),
        *((path, "cell_types_json") for path in sweep_lists),
    ]:
        assert registry.choose(Source(path, str(path))).name == name
