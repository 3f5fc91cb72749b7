"""Matrices as papers publish them: every cell arrives under its experiment, target and side."""

from __future__ import annotations

import sys
from pathlib import Path

import h5py
import numpy as np
import pytest
from brainlake.ingest import registry
from brainlake.lake.errors import SourceError
from brainlake.tests.fixtures import matrices as fixture
from brainlake.tests.fixtures.ingesting import source_of, tables_of

pytest.importorskip("python_calamine", reason="reads workbooks")
TABLE = "connectivity.published_matrices"


def test_every_cell_of_a_workbook_arrives_under_its_experiment_target_and_hemisphere(tmp_path):
    found = tables_of(fixture.write_workbook(tmp_path / "nature13186-s3.xlsx"))[TABLE]
    values = fixture.values()
    assert found.num_rows == np.isfinite(values).sum()  # the empty cell is in no row
    for row in found.to_pylist():
        i = fixture.EXPERIMENTS.index(row["experiment_id"])
        j = fixture.ACRONYMS.index(row["structure_acronym"]) + 3 * (row["side"] == "contralateral")
        assert row["matrix_value"] == values[i, j]
        assert (row["matrix_row"], row["matrix_column"], row["structure_id"]) == (i, j, None)


def test_matrices_in_hdf5_keep_the_order_of_their_own_targets(tmp_path):
    found = tables_of(fixture.write_hdf5(tmp_path / "experiment_matrices_manuscript.hdf5"))[TABLE]
    cells = {(r["side"], r["experiment_id"], r["structure_id"]): r["matrix_value"] for r in found.to_pylist()}
    assert cells["source", 100141273, 184] == 2.5
    assert cells["ipsilateral", 100141273, 184] == 1.0
    assert cells["ipsilateral", 268389532, 985] == 6.0
    assert {side for side, *_ in cells} == {"source", "ipsilateral"}  # the empty one is in no row


@pytest.mark.parametrize(
    ("line", "column", "cell", "said"),
    [
        (5, 1, "abc", "'abc' is no id of an experiment"),
        (5, 1, 100141273, "twice"),
        (4, 8, "much", "'much' is no number"),
        (2, 7, "", "without acronym"),
        (0, 9, "Top Hemisphere", "'Top Hemisphere' is no hemisphere"),
    ],
)
def test_a_cell_that_cannot_be_is_refused_by_its_line(tmp_path, line, column, cell, said):
    lines = fixture.sheet_lines()
    lines[line][column] = cell
    with pytest.raises(SourceError, match=said):
        tables_of(fixture.write_workbook(tmp_path / "s3.xlsx", lines))


def test_another_workbook_or_a_damaged_one_is_claimed_by_no_reader(tmp_path):
    other = fixture.write_workbook(tmp_path / "other.xlsx", [["id", "name"], [8, "grey"]])
    damaged = tmp_path / "damaged.xlsx"
    damaged.write_bytes(fixture.write_workbook(tmp_path / "whole.xlsx").read_bytes()[:-400])
    text = tmp_path / "text.xlsx"
    text.write_text("hello")
    for path, said in ((other, "no reader knows"), (damaged, "is no archive"), (text, "is no archive")):
        with pytest.raises(SourceError, match=said):
            registry.choose(source_of(path))


def test_without_the_package_for_workbooks_the_error_says_which(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "python_calamine", None)
    source = source_of(fixture.write_workbook(tmp_path / "s3.xlsx"))
    with pytest.raises(SourceError, match=r"pip install 'brainlake\[sheets\]'"):
        registry.choose(source).identify(source)


def test_a_matrix_of_another_shape_than_its_labels_is_refused(tmp_path):
    path = fixture.write_hdf5(tmp_path / "matrices.hdf5")
    with h5py.File(path, "r+") as file:
        del file["col_label_list_target"]
        file["col_label_list_target"] = np.arange(3)
    with pytest.raises(SourceError, match="3 experiments by 3 targets"):
        tables_of(path)


def test_the_matrix_of_a_paper_is_one_subject_wherever_its_file_lies(tmp_path):
    (tmp_path / "there").mkdir()
    paths: list[Path] = [fixture.write_workbook(tmp_path / name) for name in ("a.xlsx", "there/b.xlsx")]
    found = {registry.choose(source_of(path)).identify(source_of(path)).subject for path in paths}
    assert found == {"connectivity.matrix/normalized_projection_volume"}
