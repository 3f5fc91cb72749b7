"""Real files of the connectivity atlas: the published counts, identities and sums."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path

import duckdb
import numpy as np
import pytest
from brainlake.tests.fixtures.ingesting import concat, tables_of
from brainlake.tests.fixtures.memory import memory_connection

EXPERIMENT = 158375425


@pytest.fixture(scope="module")
def con(real_data: Callable[[str], Path]) -> Iterator[duckdb.DuckDBPyConnection]:
    files = [
        real_data("ccf/structures.json"),
        real_data("connectivity/experiments.json"),
        real_data("connectivity/100141219_injection_unionizes.json"),
        real_data("connectivity/experiment_112951097/structure_unionizes_first40.csv"),
        *sorted(real_data(f"connectivity/experiment_{EXPERIMENT}").glob("*.nrrd")),
    ]
    annotation = tables_of(real_data("ccf/annotation_25.nrrd"), version="ccf_2017")
    con = memory_connection(concat(annotation, *(tables_of(path) for path in files)))
    yield con
    con.close()


@pytest.fixture(scope="module")
def grids(real_data: Callable[[str], Path]) -> dict[str, np.ndarray]:
    """The four volumes by the shortest way: header cut off, unpacked, ap fastest."""
    found = {}
    for path in real_data(f"connectivity/experiment_{EXPERIMENT}").glob("*.nrrd"):
        data = gzip.decompress(path.read_bytes().split(b"\n\n", 1)[1])
        found[path.name.removesuffix("_100.nrrd")] = np.frombuffer(data, "<f4").reshape((132, 80, 114), order="F")
    return found


@pytest.mark.parametrize(
    ("filters", "count"),
    [
        ("", 2_992),
        ("cre := false", 498),
        ("cre := true", 2_494),
        ("injection := ['VISp'], cre := false", 33),
        ("injection := ['Isocortex'], cre := true", 1_209),
        ("injection := ['Isocortex'], cre := ['Rbp4-Cre_KL100']", 105),
    ],
)
def test_the_published_counts_of_experiments(con, filters, count):
    assert con.execute(f"select count(*) from connectivity.find_experiments({filters})").fetchall() == [(count,)]


def test_the_guide_s_first_example(con, grids, real_data):
    """Experiments without Cre in the isocortex, then a density by such a question: of the grids at hand, in thalamus."""
    tree = json.loads(real_data("ccf/structures.json").read_text())
    isocortex = {one["id"] for one in tree if 315 in one["structure_id_path"]}
    expected = {
        one["data_set_id"]
        for one in json.loads(real_data("connectivity/experiments.json").read_text())
        if one["structure_id"] in isocortex and not one["transgenic_line"]
    }
    query = "select experiment_id from connectivity.find_experiments(injection := ['Isocortex'], cre := false)"
    assert {row[0] for row in con.execute(query).fetchall()} == expected
    assert len(expected) == 129
    found = con.execute("""
        select v.experiment_id, count(*), sum(v.voxel_value::double)
        from connectivity.voxels_of(
            (
                select min(x.experiment_id)
                from connectivity.find_experiments(injection := ['TH']) as x
                semi join connectivity.grids as g using (experiment_id)
            ),
            'projection_density', 100
        ) as v
        group by all""")
    density = grids["projection_density"]
    total = pytest.approx(density.sum(dtype=float), rel=1e-9)
    assert found.fetchone() == (EXPERIMENT, np.count_nonzero(density), total)


def test_the_first_listed_structure_is_not_always_the_chief_one(con):
    query = "select structure_id, primary_injection_structure_id from connectivity.experiments where experiment_id = 122642490"
    assert con.execute(query).fetchall() == [(993, 985)]  # spec: connectivity EXP-01


def test_published_unionizes_obey_their_identities(con):
    checked = con.execute("select sum(n_checked), sum(n_broken), max(worst_relative) from connectivity.unionize_check")
    ((n_checked, n_broken, worst),) = checked.fetchall()
    assert n_checked > 400
    assert n_broken == 0
    assert worst < 1e-7  # sums of leaves were kept as float32
    denominators = dict(
        con.execute("""
            select experiment_id, max_by(projection_volume_mm3 / normalized_projection_volume, projection_volume_mm3)
            from connectivity.published_unionizes where normalized_projection_volume > 0 group by all""").fetchall()
    )
    assert denominators[112951097] == pytest.approx(0.0154678042354, rel=1e-9)
    assert denominators[100141219] == pytest.approx(0.2042789056, rel=1e-9)


def test_grids_hold_every_voxel_of_their_files(con, grids):
    facts = con.execute("select measure, n_nonzero, voxel_sum from connectivity.grids order by all").fetchall()
    assert [(m, n) for m, n, _ in facts] == [
        ("data_mask", 1_167_776), ("injection_density", 482), ("injection_fraction", 494), ("projection_density", 86_730)
    ]  # fmt: skip
    assert {m: s for m, _, s in facts}["projection_density"] == pytest.approx(1465.98, abs=0.01)
    for measure in ("projection_density", "injection_density", "injection_fraction"):
        back = np.zeros((132, 80, 114), np.float32)
        query = f"select ap_index, dv_index, ml_index, voxel_value from connectivity.grid_voxels where measure = '{measure}'"
        ap, dv, ml, value = con.execute(query).fetchnumpy().values()
        back[ap, dv, ml] = value
        np.testing.assert_array_equal(back, grids[measure])
    valid = con.execute(f"""
        select count(*) from connectivity.voxels_of({EXPERIMENT}, valid_only := true)""").fetchall()
    assert valid == [(int(((grids["projection_density"] > 0) & (grids["data_mask"] == 1)).sum()),)]


def test_the_centre_of_the_injection_is_near_the_published_one(con, grids):
    weight = grids["injection_density"].astype(float) * grids["injection_fraction"]
    expected = [100 * (weight * index).sum() / weight.sum() for index in np.indices(weight.shape)]
    query = f"""
        select c.centroid_ap_um, c.centroid_dv_um, c.centroid_ml_um, e.ap_um, e.dv_um, e.ml_um
        from connectivity.injection_centroids as c join connectivity.experiments as e using (experiment_id)
        where experiment_id = {EXPERIMENT}"""
    (found,) = con.execute(query).fetchall()
    assert found[:3] == pytest.approx(expected)
    # the record's centre lies three voxels below that of the grids: 4,360 and 4,059 um along dv
    assert np.linalg.norm(np.subtract(found[:3], found[3:])) < 350


def test_unionizes_of_the_grids_put_the_injection_where_the_record_says(con, grids):
    found = con.sql(f"from connectivity.computed_unionizes({EXPERIMENT})").to_arrow_table()
    other = memory_connection({"connectivity.published_unionizes": found.drop_columns("structure_acronym")})
    assert other.execute("select sum(n_broken) from connectivity.unionize_check").fetchall() == [(0,)]
    rows = {(r["structure_id"], r["hemisphere_id"], r["is_injection"]): r for r in found.to_pylist()}
    other.close()
    root = rows[997, 3, True]
    assert root["normalized_projection_volume"] == pytest.approx(1)
    inside = max(
        (r for r in rows.values() if r["is_injection"] and r["structure_id"] == 733), key=lambda r: r["sum_pixels"]
    )
    assert inside["normalized_projection_volume"] > 0.5  # VPM (733) is its chief structure
    # All signal within labelled voxels, injection and the rest, in mm3 of voxels: what the density volume holds there
    total = (rows[997, 3, True]["projection_volume_mm3"] + rows[997, 3, False]["projection_volume_mm3"]) / 1.1025
    labels = con.execute("select ap_index, dv_index, ml_index from connectivity.annotated_voxels()").fetchnumpy()
    at = labels["ap_index"], labels["dv_index"], labels["ml_index"]
    expected = (grids["projection_density"][at].astype(float) * grids["data_mask"][at]).sum() * 1e-3
    assert total == pytest.approx(expected, rel=1e-6)


def test_the_published_matrix_of_2014_arrives_whole(real_data):
    """469 experiments by 296 targets by two hemispheres, as the paper's third supplementary table has them."""
    pytest.importorskip("python_calamine", reason="reads workbooks")
    found = tables_of(real_data("connectivity/oh2014/nature13186-s3.xlsx"))["connectivity.published_matrices"]
    assert found.num_rows == 469 * 296 * 2
    cells = {
        (r["structure_acronym"], r["side"]): r["matrix_value"]
        for r in found.filter(np.equal(found["experiment_id"].to_numpy(), 100141273)).to_pylist()
    }
    assert cells["MOp", "ipsilateral"] == 2.61557
    assert cells["MOp", "contralateral"] == 0.825416
    assert cells["FRP", "contralateral"] == 1.83634e-08


def test_the_published_matrix_of_2014_is_asked_as_a_projection_matrix_is(real_data):
    """Every target is in the ontology of today; the matrix of a query is the sheet, cell by cell."""
    calamine = pytest.importorskip("python_calamine", reason="reads workbooks")
    path = real_data("connectivity/oh2014/nature13186-s3.xlsx")
    con = memory_connection(concat(tables_of(real_data("ccf/structures.json")), tables_of(path)))
    query = "select matrix_row, matrix_column, matrix_value, target, structure_id from connectivity.published_matrix()"
    found = con.execute(query).fetchnumpy()
    assert not np.ma.is_masked(found["structure_id"])
    matrix = np.full((469, 592), np.nan)
    matrix[found["matrix_row"], found["matrix_column"]] = found["matrix_value"]
    sheet = calamine.CalamineWorkbook.from_path(str(path)).get_sheet_by_index(0).to_python(skip_empty_area=False)
    np.testing.assert_array_equal(matrix, np.array([line[6:] for line in sheet[4:]], np.float64))
    labels = dict(zip(found["matrix_column"], found["target"], strict=True))
    assert (labels[0], labels[296]) == ("FRP-R", "FRP-L")
    con.close()
