"""Cells, their published features and files: filters of the reference's cache, precedence of sources, absent things."""

from __future__ import annotations

import json

import duckdb
import matplotlib as mpl
import pyarrow as pa
import pytest
from brainlake.ingest.cell_types_csv import READER as CSV
from brainlake.ingest.cell_types_json import READER as JSON
from brainlake.tests.fixtures import cell_types_tables as made
from brainlake.tests.fixtures.memory import memory_connection
from brainlake.tests.fixtures.reading import read_source

MOUSE, DENDRITE, UNDETERMINED, HUMAN, TUMOR = (cell.specimen_id for cell in made.CELLS)


def stored(folder):
    """The tables that the files of a cache and of the web site fill."""
    documents = {
        "sweeps_0.json": made.sweeps(made.CELLS[0]),
        "sweeps_3.json": made.sweeps(made.CELLS[3]),
        "specimens.json": [made.specimen(cell, i) for i, cell in enumerate(made.CELLS)],
    }
    paths = [
        (CSV, made.write_details_csv(folder / "cells.csv")),
        (CSV, made.write_ephys_features_csv(folder / "ephys.csv")),
        (CSV, made.write_morphology_features_csv(folder / "morphology.csv")),
    ]
    for name, document in documents.items():
        (folder / name).write_text(json.dumps(document))
        paths.append((JSON, folder / name))
    tables: dict[str, list[pa.Table]] = {}
    for reader, path in paths:
        for name, table in read_source(reader, path)[0].items():
            tables.setdefault(name, []).append(table)
    return {name: pa.concat_tables(parts) for name, parts in tables.items()}


@pytest.fixture(scope="module")
def con(tmp_path_factory):
    con = memory_connection(stored(tmp_path_factory.mktemp("cells")))
    yield con
    con.close()


def ids(con, relation):
    return [i for (i,) in con.sql(f"select specimen_id from {relation} order by specimen_id").fetchall()]


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("", [MOUSE, DENDRITE, HUMAN, TUMOR, UNDETERMINED]),
        ("require_reconstruction := true", [MOUSE, DENDRITE, TUMOR]),
        ("require_morphology := true", [MOUSE, DENDRITE, TUMOR]),  # the same flag twice, as the reference has it
        ("reporter_wanted := 'positive'", [MOUSE]),
        ("reporter_wanted := ['positive', 'negative']", [MOUSE, DENDRITE]),
        ("reporter_wanted := [null]", [HUMAN, TUMOR, UNDETERMINED]),
        ("reporter_wanted := ['negative', null]", [DENDRITE, HUMAN, TUMOR, UNDETERMINED]),
        ("reporter_wanted := []", [MOUSE, DENDRITE, HUMAN, TUMOR, UNDETERMINED]),
        ("species_wanted := 'homo sapiens'", [HUMAN, TUMOR]),
        ("species_wanted := ['Mus musculus', 'Homo Sapiens']", [MOUSE, DENDRITE, HUMAN, TUMOR, UNDETERMINED]),
        ("species_wanted := 'MUS MUSCULUS', require_reconstruction := true, reporter_wanted := ['negative']", [DENDRITE]),
    ],
)  # fmt: skip
def test_cells_are_filtered_as_the_cache_filters_them(con, arguments, expected):
    assert ids(con, f"icephys.cells_filtered({arguments})") == sorted(expected)


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        ("require_morphology := true", [MOUSE, DENDRITE]),  # images
        ("require_reconstruction := true", [MOUSE, DENDRITE, TUMOR]),
        ("species_wanted := 'homo sapiens', reporter_wanted := [null]", [HUMAN, TUMOR]),
    ],
)
def test_the_older_endpoint_tells_images_from_reconstructions(con, arguments, expected):
    assert ids(con, f"icephys.legacy_cells_filtered({arguments})") == sorted(expected)


def test_older_records_become_columns(con):
    row = con.sql(
        f"""select transgenic_line, dendrite_type, apical, reporter_status, disease_categories, has_reconstruction
        from icephys.legacy_cells where specimen_id in ({MOUSE}, {HUMAN}) order by specimen_id"""
    ).fetchall()
    assert row == [
        ("Scnn1a-Tg2-Cre", "spiny", "intact", "positive", [], True),
        (None, "spiny", "intact", None, ["epilepsy"], False),
    ]


def test_the_simplified_list_has_the_references_sixteen_fields(con):
    relation = con.sql(f"from icephys.simplified_cells where id = {MOUSE}")
    assert relation.columns == [
        "reporter_status", "cell_soma_location", "species", "id", "name", "structure_layer_name", "structure_area_id",
        "structure_area_abbrev", "transgenic_line", "dendrite_type", "apical", "reconstruction_type", "disease_state",
        "donor_id", "structure_hemisphere", "normalized_depth",
    ]  # fmt: skip
    assert relation.fetchall()[0][:9] == (
        "positive", [8966.56330957526, 1429.52689052075, 8567.389672505], "Mus musculus", MOUSE,
        "Scnn1a-Tg2-Cre;Ai14-172530.06.02.01", "5", 385, "VISp", "Scnn1a-Tg2-Cre",
    )  # fmt: skip


def test_a_cell_that_the_older_endpoint_alone_knows_is_a_cell(tmp_path):
    rows = stored(tmp_path)
    details = rows["icephys.csv_specimen_details"]
    rows["icephys.csv_specimen_details"] = details.slice(1)
    with memory_connection(rows) as con:
        found = dict(con.sql("select specimen_id, source from icephys.cells").fetchall())
        assert found[MOUSE] == "legacy"
        assert [source for cell, source in found.items() if cell != MOUSE] == ["csv"] * 4


def test_the_apis_record_of_a_cell_comes_before_the_tables(tmp_path):
    rows = stored(tmp_path)
    api = {"specimen_id": [MOUSE], "structure_name": ['"Primary visual area"'], "vrest_mv": [-61.0]}
    with memory_connection({**rows, "icephys.api_specimen_details": api}) as con:
        query = """
            select d.source, c.structure_name, d.vrest_mv
            from icephys.specimen_details as d join icephys.cells as c using (specimen_id) where specimen_id = ?"""
        assert con.execute(query, [MOUSE]).fetchall() == [("api", "Primary visual area", -61.0)]
        assert con.execute(query, [HUMAN]).fetchall() == [("csv", "frontal lobe", -73.5)]
        assert len(ids(con, "icephys.cells")) == 5


def test_features_side_by_side_have_a_row_a_reconstruction(con):
    both = con.sql("select specimen_id, reconstruction_id, tau_ms, total_length from icephys.all_features()")
    assert sorted(both.fetchall()) == [
        (MOUSE, 492413664, 20.0, 2759.19905626),
        (MOUSE, 601947643, 20.0, 2759.19905626),
        (DENDRITE, 492413665, 21.0, 2759.19905626),
        (TUMOR, 492413668, 24.0, 2759.19905626),
    ]
    everything = con.sql("from icephys.all_features(require_reconstruction := false)").fetchall()
    assert len(everything) == 7  # three cells without a reconstruction, one with two
    newest = con.sql("select reconstruction_id from icephys.all_features(one_reconstruction := true) order by 1")
    assert newest.fetchall() == [(492413665,), (492413668,), (601947643,)]


def test_a_cell_of_features_alone_stays_when_all_are_asked_for(con):
    found = con.sql("select specimen_id, dendrite_type from icephys.featured_cells where specimen_name is null")
    assert found.fetchall() == [(576120358, None)]


def test_sweeps_come_by_number_and_null_spikes_stay(con):
    found = con.sql(f"select sweep_number, num_spikes from icephys.get_ephys_sweeps({MOUSE})").fetchall()
    assert found == [(4, None), (6, None), (35, 18)]


def test_files_of_a_cell_have_an_address(con):
    found = con.sql(f"from icephys.get_cell_file({MOUSE}, '3DNeuronReconstruction')").fetchall()
    path = "/api/v2/well_known_file_download/500961530"
    assert found == [(MOUSE, 500961530, "3DNeuronReconstruction", path, f"http://api.brain-map.org{path}")]
    assert con.sql(f"select well_known_file_id from icephys.get_cell_file({HUMAN})").fetchall() == [(618211600,)]


@pytest.mark.parametrize(
    ("question", "message"),
    [
        ("icephys.get_cell(5)", "unknown: there is no cell 5"),
        ("icephys.get_ephys_sweeps(5)", "unknown: there is no cell 5"),
        (f"icephys.get_ephys_sweeps({TUMOR})", f"absent.*`brainlake fetch sweeps {TUMOR}`"),
        (f"icephys.get_cell_file({HUMAN}, '3DNeuronReconstruction')", "absent: cell 525011903 has no 3DNeuron"),
        ("icephys.get_cell_file(5)", "unknown: there is no cell 5"),
    ],
)
def test_what_is_not_there_is_said(con, question, message):
    with pytest.raises(duckdb.Error, match=message):
        con.sql(f"from {question}").fetchall()


@pytest.mark.parametrize(
    ("wanted", "answer"),
    [
        (
            "recording",
            f"absent: cell {HUMAN} is known, but its recording.*`brainlake fetch recordings {HUMAN}` brings it",
        ),
        ("samples", f"absent: cell {HUMAN} is known, but its recording"),
        ("cell", True),
        ("sweep_list", True),
    ],
)
def test_a_question_can_require_what_it_rests_on(con, wanted, answer):
    question = f"select lake.require_specimen({HUMAN}, '{wanted}')"
    if answer is True:
        assert con.sql(question).fetchall() == [(True,)]
    else:
        with pytest.raises(duckdb.Error, match=answer):
            con.sql(question).fetchall()


def test_holdings_know_recordings_that_are_not_here(con):
    known = con.sql("select subject, part, remedy from lake.holdings where state = 'known' order by subject").fetchall()
    assert len(known) == 5
    assert known[0] == (
        f"icephys.cell/{MOUSE}", "sweeps",
        "brainlake ingest http://api.brain-map.org/api/v2/well_known_file_download/618211597",
    )  # fmt: skip


def test_kinds_of_files_have_their_ids(con):
    found = dict(con.sql("select file_type, well_known_file_type_id from icephys.well_known_file_types").fetchall())
    assert found["NWBDownload"] == 481007198
    assert found["3DNeuronReconstruction"] == 303941301
    assert found["3DNeuronMarker"] == 486753749


# --- back to the API's names ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("relation", "records", "order"),
    [
        ("rma.api_cell_types_specimen_details", made.details(), "specimen__id"),
        ("rma.ephys_features", made.ephys_features(), "specimen_id"),
        ("rma.neuron_reconstructions", made.morphology_features(), "id"),
        ("rma.ephys_sweeps", [s for cell in made.CELLS for s in made.sweeps(cell)], "id"),
    ],
)
def test_records_go_back_to_the_names_they_came_with(con, relation, records, order):
    answer = con.sql(f"from {relation}")
    found = [dict(zip(answer.columns, row, strict=True)) for row in answer.fetchall()]
    assert sorted(answer.columns) == sorted(records[0])
    expected = [{name: None if value == "" else value for name, value in record.items()} for record in records]
    for row in expected:
        if "donor__years_of_seizure_history" in row:
            row["donor__years_of_seizure_history"] = row["donor__years_of_seizure_history"] and 9
    assert sorted(found, key=lambda row: row[order]) == sorted(expected, key=lambda row: row[order])


# --- P15 --------------------------------------------------------------------------------------------------------------


def test_features_are_scattered_by_group_with_their_line(con):
    mpl.use("Agg")
    from brainlake.views.plots.cells import feature_scatter

    frame = con.sql("from icephys.featured_cells").pl()
    ax = feature_scatter(frame, fit=True)
    labels = [text.get_text() for text in ax.get_legend().get_texts()]
    assert labels == ["aspiny (1)", "sparsely spiny (1)", "spiny (3)", "— (1)", "slope -0.125"]
    assert sum(len(points.get_offsets()) for points in ax.collections) == 6
    assert ax.get_xlabel() == "fast trough v long square (mV)"
    with pytest.raises(ValueError, match="needs a column depth"):
        feature_scatter(frame, x="depth")
