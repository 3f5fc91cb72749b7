"""Tables of cells as CSV, in the spellings of the web site and of caches, become typed rows; wrong cells are named."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from brainlake.ingest import registry
from brainlake.ingest.cell_types_csv import READER
from brainlake.ingest.cell_types_names import DETAILS, EPHYS_FEATURES, MORPHOLOGY_FEATURES
from brainlake.ingest.contract import Source
from brainlake.lake.errors import SourceError
from brainlake.lake.tables.cells import CSV_EPHYS_FEATURES, CSV_MORPHOLOGY_FEATURES, CSV_SPECIMEN_DETAILS
from brainlake.tests.fixtures import cell_types_tables as made
from brainlake.tests.fixtures.reading import read_source


def source(path: Path) -> Source:
    return Source(path, str(path))


def rows_of(path: Path, table: str) -> list[dict[str, Any]]:
    tables, _ = read_source(READER, path)
    assert list(tables) == [table]
    rows: list[dict[str, Any]] = tables[table].to_pylist()
    return rows


def given(record: Any, spec: Any, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Records under the lake's names, empty texts and NaN as None: what must be stored."""
    targets = record.targets(list(rows[0]), spec)
    return [{column.name: row[name] if row[name] != "" else None for name, column in targets.items()} for row in rows]


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Path]:
    def write(text: str) -> Path:
        path = tmp_path / "table.csv"
        path.write_text(text)
        return path

    return write


def test_the_download_of_cells_keeps_all_54_attributes(tmp_path: Path) -> None:
    path = made.write_details_csv(tmp_path / "cell_types_specimen_details.csv")
    rows = rows_of(path, "icephys.csv_specimen_details")
    expected = given(DETAILS, CSV_SPECIMEN_DETAILS, made.details())
    assert len(expected[0]) == 54
    for row in expected:
        row["years_of_seizure_history"] = row["years_of_seizure_history"] and int(row["years_of_seizure_history"])
    assert [{name: row[name] for name in expected[0]} for row in rows] == expected
    assert rows[0]["adaptation"] == 7.57e-11  # written 7.57E-011
    assert rows[3]["structure_name"] == '"frontal lobe"'  # the warehouse's own quotes stay in what is stored
    assert rows[3]["line_name"] is None  # written ""
    assert rows[2]["apical"] == "NA"  # a word of the vocabulary, not a missing value


def test_quoted_features_with_flags_as_words_keep_all_56_attributes(tmp_path: Path) -> None:
    rows = rows_of(made.write_ephys_features_csv(tmp_path / "ephys_features.csv"), "icephys.csv_ephys_features")
    expected = given(EPHYS_FEATURES, CSV_EPHYS_FEATURES, made.ephys_features())
    assert len(expected[0]) == 56
    assert [{name: row[name] for name in expected[0]} for row in rows] == expected
    assert (rows[1]["has_delay"], rows[1]["has_burst"], rows[2]["adaptation"]) == (True, False, None)


def test_an_unnamed_index_is_no_column(tmp_path: Path) -> None:
    path = made.write_morphology_features_csv(tmp_path / "morphology_features.csv")
    rows = rows_of(path, "morphology.csv_published_features")
    expected = given(MORPHOLOGY_FEATURES, CSV_MORPHOLOGY_FEATURES, made.morphology_features())
    assert [{name: row[name] for name in expected[0]} for row in rows] == expected
    assert all(row["extra"] is None for row in rows)
    assert rows[0]["max_branch_order"] == 10  # written 10.0


def test_columns_that_the_lake_does_not_know_are_kept(tmp_path: Path) -> None:
    rows = [{**row, "nr__new": 2.5, "note": "seen"} for row in made.details()]
    (first, *_) = rows_of(made.write_details_csv(tmp_path / "cells.csv", rows), "icephys.csv_specimen_details")
    assert json.loads(first["extra"]) == {"nr__new": 2.5, "note": "seen"}


def test_patch_seq_cells_have_their_transcriptomic_type_in_a_column_without_a_name(
    written: Callable[[str], Path],
) -> None:
    path = written(
        "project,cell_specimen_id,structure,donor_id,biological_sex,age,apical_dendrite_status,"
        "cell_soma_normalized_depth,depth_from_pia_um,transcriptomics_sample_id,Tree_first_cl_label,\n"
        "mIVSCC-MET,601506507,VISpm4,331294,M,P55,NA,0.361014514,,PS0810_E1-50_S88,CS180626100018,Vip Gpc3 Slc18a3\n"
        "mIVSCC-MET,601790961,VISpm5,331663,F,P57,notchecked,,,PS0817_E1-50_S19,,\n"
    )
    first, second = rows_of(path, "icephys.patchseq_cells")
    assert (first["specimen_id"], first["structure_acronym"], first["sex"]) == (601506507, "VISpm4", "M")
    assert (first["cluster_label_id"], first["cluster_label"]) == ("CS180626100018", "Vip Gpc3 Slc18a3")
    assert (second["cluster_label"], second["normalized_depth"], second["apical"]) == (None, None, "notchecked")


def test_each_table_is_claimed_by_one_reader_and_is_a_subject(tmp_path: Path) -> None:
    files = {
        made.write_details_csv(tmp_path / "a.csv"): "icephys.cell_types/specimen_details",
        made.write_ephys_features_csv(tmp_path / "b.csv"): "icephys.cell_types/ephys_features",
        made.write_morphology_features_csv(tmp_path / "c.csv"): "morphology.cell_types/published_features",
    }
    for path, subject in files.items():
        assert registry.choose(source(path)).name == "cell_types_csv"
        identity = READER.identify(source(path))
        assert (identity.subject, identity.role) == (subject, "table_csv")


@pytest.mark.parametrize(
    ("column", "cell", "reason"),
    [
        ("structure__id", "V1", "'V1' is no int64"),
        ("ef__tau", "1,5", "'1,5' is no double"),
        ("specimen__id", "", "is empty"),
        ("m__glif", "1.5", "'1.5' is no int64"),
        ("donor__id", "9" * 40, "is no int64"),
    ],
)
def test_a_cell_of_the_wrong_type_is_named_with_line_and_column(
    tmp_path: Path, column: str, cell: str, reason: str
) -> None:
    path = made.write_details_csv(tmp_path / "cells.csv")
    with path.open(newline="") as file:
        rows = list(csv.reader(file))
    rows[2][rows[0].index(column)] = cell
    with path.open("w", newline="") as file:
        csv.writer(file).writerows(rows)
    with pytest.raises(SourceError, match=reason) as caught:
        read_source(READER, path)
    assert caught.value.where == f"line 3, column {column}"


def test_a_table_of_something_else_is_refused_by_name(written: Callable[[str], Path]) -> None:
    with pytest.raises(SourceError, match="is of no table of cells"):
        READER.identify(source(written("specimen_id,colour\n1,red\n")))
