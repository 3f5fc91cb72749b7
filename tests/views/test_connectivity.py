"""The connectivity atlas in SQL, against small brains worked out by hand or voxel by voxel."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pytest
from brainlake.ingest.ccf_labels import label_rows
from brainlake.tests.fixtures import ccf
from brainlake.tests.fixtures import connectivity as fixture
from brainlake.tests.fixtures.ingesting import concat, source_of, tables_of
from brainlake.tests.fixtures.memory import memory_connection

UM = 200
PATHS = {**ccf.PATHS, 424242: [997, 424242]}
STRUCTURES = [385, 593, 1027, 549]
EXPERIMENTS = [501, 502, 503]
COLUMNS = fixture.unionize_columns(EXPERIMENTS, STRUCTURES, seed=1)
GRIDS = fixture.small_grids()


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    """Experiment 501 has all grids, 502 the three that unionizes need, 503 a density alone; 501 is aligned."""
    folder = tmp_path_factory.mktemp("connectivity")
    foreign = {**ccf.tree_records()[0], "id": 424242, "acronym": "foreign", "structure_id_path": PATHS[424242]}
    records = [*ccf.tree_records(), {**foreign, "graph_order": 99}]
    grids: list[dict[str, Any]] = []
    needed = ("projection_density", "injection_density", "injection_fraction")
    for experiment, measures in ((501, tuple(GRIDS)), (502, needed), (503, needed[:1])):
        for measure in measures:
            values = GRIDS[measure] if experiment == 501 else GRIDS[measure][:, :, ::-1].copy()
            path = ccf.write_nrrd(folder / f"{measure}_{UM}.nrrd", values, um=UM)
            grids.append(tables_of(path, experiment=str(experiment)))
    aligned = fixture.alignment_record(2 * np.eye(3), np.ones(3), aligned_id=501)
    (folder / "alignment3d.json").write_text(fixture.json.dumps(aligned))
    tables = concat(
        tables_of(ccf.write_json(folder / "structures.json", records)),
        tables_of(ccf.write_nrrd(folder / "annotation.nrrd", ccf.annotation(), um=UM), version="ccf_2017"),
        tables_of(fixture.write_experiments(folder / "experiments.json")),
        tables_of(fixture.write_unionizes_csv(folder / "structure_unionizes.csv", COLUMNS)),
        tables_of(folder / "alignment3d.json"),
        *grids,
    )
    con = memory_connection(tables)
    yield con
    con.close()


def ids(con: duckdb.DuckDBPyConnection, query: str) -> list[Any]:
    return [row[0] for row in con.execute(query).fetchall()]


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    found = con.execute(query)
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


# -- experiments -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("", [501, 502, 503, 504, 505]),
        ("injection := ['VISp']", [501, 502, 503]),  # 593 is a layer of VISp
        ("injection := ['VISp'], cre := false", [501, 502]),
        ("injection := ['Isocortex'], cre := true", [503, 504]),
        ("injection := [1027, 549]", [504, 505]),
        ("injection := ['VISp'], reached := true", [501, 502, 503, 504]),
        ("injection := []", []),
        ("cre := ['rbp4-cre_kl100']", [503]),  # in any case
        ("cre := 'CUX2-IRES-CRE'", [504]),
        ("cre := []", []),
        ("genders := 'male'", [502, 504]),
        ("products := [31]", []),
    ],
)
def test_experiments_are_found_by_line_and_injected_structure(con, filters, expected):
    assert ids(con, f"select experiment_id from connectivity.find_experiments({filters}) order by 1") == expected


def test_the_density_of_the_first_wild_type_injected_into_the_isocortex_is_one_question(con):
    """The first example of the reference's guide: experiments without Cre in the isocortex, and the first one's grid."""
    found = con.execute("""
        with chosen as (
            from connectivity.find_experiments(injection := ['Isocortex'], cre := false)
        )
        select v.ap_index, v.dv_index, v.ml_index, v.voxel_value
        from connectivity.voxels_of((select min(experiment_id) from chosen), 'projection_density', 200) as v""")
    density = np.zeros(ccf.SHAPE, np.float32)
    for ap, dv, ml, value in found.fetchall():
        density[ap, dv, ml] = value
    assert np.array_equal(density, GRIDS["projection_density"])  # of 501: 501 and 502 are the two
    chosen = ids(
        con, "select experiment_id from connectivity.find_experiments(injection := ['Isocortex'], cre := false)"
    )
    assert sorted(chosen) == [501, 502]


def test_the_first_listed_structure_is_kept_beside_the_chief_one(con):
    """The reference takes the first as the primary one (EXP-01), where the record names another."""
    (found,) = rows(con, "from connectivity.experiments where experiment_id = 502")
    assert (found["structure_id"], found["primary_injection_structure_id"]) == (593, 1027)
    reached = rows(con, "from connectivity.experiment_injection_structures where experiment_id = 504 order by ordinal")
    assert [(r["structure_id"], r["is_primary"]) for r in reached] == [(1027, True), (385, False), (1027, True)]


def test_an_unknown_structure_is_said_to_be_so(con):
    with pytest.raises(duckdb.Error, match="there is no structure VISX"):
        con.execute("from connectivity.find_experiments(injection := ['VISX'])").fetchall()


# -- published unionizes ---------------------------------------------------------------------------------------------


def cell(experiment: int, structure: int, hemisphere: int, name: str, inside: bool = False) -> float:
    chosen = (
        (COLUMNS["experiment_id"] == experiment)
        & (COLUMNS["structure_id"] == structure)
        & (COLUMNS["hemisphere_id"] == hemisphere)
        & (COLUMNS["is_injection"] == inside)
    )
    (value,) = COLUMNS[name][chosen]
    return float(value)


def test_unionizes_are_found_by_structure_hemisphere_and_place(con):
    query = "select count(*) from connectivity.find_unionizes"
    assert ids(con, f"{query}()") == [3 * 4 * 3 * 2]
    assert ids(con, f"{query}(wanted := ['VISp'])") == [18]
    assert ids(con, f"{query}(wanted := ['VISp'], include_descendants := true)") == [36]
    assert ids(con, f"{query}(experiments := [502], hemispheres := [1, 2], injected := false)") == [8]
    limit = float(np.median(COLUMNS["normalized_projection_volume"]))
    above = int((COLUMNS["normalized_projection_volume"] > limit).sum())
    assert ids(con, f"{query}(above := {limit!r})") == [above]
    assert ids(con, f"{query}(experiments := [], wanted := ['VISp'])") == [0]


@pytest.mark.parametrize(
    ("experiments", "why"),
    [
        ("77", "unknown: there is no experiment 77: `select experiment_id from connectivity.experiments`"),
        ("[502, 77]", "unknown: there is no experiment 77"),
        ("[504, 501]", "absent: experiment 504 is known, but its unionizes are not in this lake: `brainlake ingest "),
    ],
)
def test_an_experiment_without_unionizes_is_no_experiment_without_projections(con, experiments, why):
    """As the reference, which raises for one that nobody knows, and for one whose unionizes it does not have."""
    for more in ("", ", wanted := 'VISp', hemispheres := 2, injected := true, above := 1e9"):
        with pytest.raises(duckdb.Error, match=re.escape(why)):
            con.execute(f"from connectivity.find_unionizes({experiments}{more})").fetchall()


def test_a_matrix_has_hemispheres_then_structures_as_columns_and_experiments_in_the_order_asked(con):
    found = rows(
        con,
        "from connectivity.projection_matrix([502, 777, 501], ['TH', 'VISp'], hemispheres := [2, 1])"
        " order by matrix_row, matrix_column",
    )
    assert [row["target"] for row in found[:4]] == ["TH-L", "VISp-L", "TH-R", "VISp-R"]
    assert [row["experiment_id"] for row in found[::4]] == [502, 777, 501]
    assert [row["matrix_value"] for row in found[4:8]] == [None] * 4  # nothing is known of 777
    expected = [cell(502, s, h, "projection_volume_mm3") for h in (1, 2) for s in (549, 385)]
    assert [row["matrix_value"] for row in found[:4]] == expected


def test_a_matrix_of_the_summary_structures_takes_the_hemispheres_that_occur(con):
    query = "select target, matrix_value from connectivity.projection_matrix([501], of_measure := 'projection_density') order by matrix_column"
    found = con.execute(query).fetchall()
    assert [row[0] for row in found] == ["VISp-L", "AUDp-L", "TH-L", "VISp-R", "AUDp-R", "TH-R", "VISp", "AUDp", "TH"]
    assert found[0][1] == cell(501, 385, 1, "projection_density")
    with pytest.raises(duckdb.Error, match="is no measure of unionizes"):
        con.execute("from connectivity.projection_matrix([501], of_measure := 'volumes')").fetchall()


def test_structures_are_ranked_strictly_above_the_threshold(con):
    values = sorted(
        ((cell(501, s, h, "normalized_projection_volume"), s, h) for s in (385, 1027, 549) for h in (1, 2)),
        reverse=True,
    )
    above = [one for one in values if one[0] > 0]
    assert len(above) > 2
    found = rows(con, f"from connectivity.rank_structures([777, 501], above := {above[-1][0]!r})")
    assert [(r["ranked_value"], r["structure_id"], r["hemisphere_id"]) for r in found] == above[:-1]
    assert [r["place"] for r in found] == list(range(1, len(above)))
    assert ids(con, "select count(*) from connectivity.rank_structures([501], above := 0, n := 1)") == [1]


def test_what_breaks_an_identity_is_counted(con):
    found = {row["identity"]: row for row in rows(con, "from connectivity.unionize_check where experiment_id = 501")}
    assert len(found) == 8
    assert all(row["n_broken"] == 0 and row["n_checked"] > 0 for row in found.values())
    broken = {name: values.copy() for name, values in COLUMNS.items()}
    broken["volume_mm3"][5] *= 1.01
    con = memory_connection({"connectivity.published_unionizes": broken})
    assert ids(con, "select sum(n_broken) from connectivity.unionize_check") == [1]
    con.close()


# -- grids -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("experiment", [501, 502])
def test_unionizes_of_grids_are_those_that_adding_voxel_by_voxel_gives(con, experiment):
    grids = GRIDS
    if experiment == 502:  # mirrored, no pixels, no mask, no intensities
        grids = {m: GRIDS[m][:, :, ::-1] for m in ("projection_density", "injection_density", "injection_fraction")}
        grids["data_mask"] = np.ones(ccf.SHAPE)
    expected = fixture.unionized(ccf.annotation(), grids, PATHS, UM)
    found = rows(con, f"from connectivity.computed_unionizes({experiment}, at_grid_um := {UM})")
    assert {(r["structure_id"], r["hemisphere_id"], r["is_injection"]) for r in found} == set(expected)
    injected = sum(r["signal"] for (s, h, inside), r in expected.items() if (s, h, inside) == (997, 3, True))
    for row in found:
        own = expected[row["structure_id"], row["hemisphere_id"], row["is_injection"]]
        assert row["structure_acronym"] == {**{s[0]: s[1] for s in ccf.TREE}, 424242: "foreign"}[row["structure_id"]]
        assert row["sum_pixels"] == pytest.approx(own["pixels"], rel=1e-12)
        assert row["sum_projection_pixels"] == pytest.approx(own["signal"], rel=1e-12, abs=1e-9)
        assert row["projection_density"] == pytest.approx(own["signal"] / own["pixels"], rel=1e-9, abs=1e-12)
        assert row["volume_mm3"] == pytest.approx(own["pixels"] * 1.225e-9)
        assert row["normalized_projection_volume"] == pytest.approx(own["signal"] / injected, rel=1e-9, abs=1e-12)
        assert row["max_voxel_density"] == own.get("highest", 0)
        at = tuple(row[f"max_voxel_{axis}_um"] for axis in ("ap", "dv", "ml"))
        assert at == (tuple(i * UM for i in own["at"]) if own.get("highest", 0) > 0 else (None, None, None))
        if experiment == 501:
            assert row["sum_pixel_intensity"] == pytest.approx(own["intensity"])
            assert row["sum_projection_pixel_intensity"] == pytest.approx(own["signal_intensity"], rel=1e-9, abs=1e-6)
        else:
            assert row["sum_pixel_intensity"] is row["projection_energy"] is None


def test_unionizes_of_grids_obey_the_identities_of_published_ones(con):
    found = con.sql(f"from connectivity.computed_unionizes(501, at_grid_um := {UM})").to_arrow_table()
    other = memory_connection({"connectivity.published_unionizes": found.drop_columns("structure_acronym")})
    checks = rows(other, "from connectivity.unionize_check")
    other.close()
    assert len(checks) == 8
    assert all(row["n_broken"] == 0 for row in checks)


def test_what_is_missing_of_an_experiment_is_named_with_what_brings_it(con):
    with pytest.raises(duckdb.Error, match=r"experiment_503/injection_(fraction|density)_200\.nrrd"):
        con.execute(f"from connectivity.computed_unionizes(503, at_grid_um := {UM})").fetchall()
    with pytest.raises(duckdb.Error, match="there is no experiment 7"):
        con.execute(f"from connectivity.voxels_of(7, at_grid_um := {UM})").fetchall()
    with pytest.raises(duckdb.Error, match="no annotation whose voxels divide 10 um"):
        con.execute("from connectivity.annotated_voxels(at_grid_um := 10)").fetchall()


def test_voxels_come_with_structure_hemisphere_and_how_much_of_them_is_valid(con):
    found = rows(con, f"from connectivity.voxels_of(501, at_grid_um := {UM})")
    density, mask, labels = GRIDS["projection_density"], GRIDS["data_mask"], ccf.annotation()
    assert len(found) == np.count_nonzero(density)
    for row in found:
        at = row["ap_index"], row["dv_index"], row["ml_index"]
        assert row["voxel_value"] == density[at]
        assert row["valid_fraction"] == mask[at]
        assert row["structure_id"] == (int(labels[at]) or None)
        assert row["ml_um"] == at[2] * UM
    valid = ids(con, f"select count(*) from connectivity.voxels_of(501, at_grid_um := {UM}, valid_only := true)")
    assert valid == [np.count_nonzero((density > 0) & (mask == 1))]


def test_a_coarse_grid_takes_the_structure_in_the_middle_of_its_voxels():
    """Annotation of 25 um, grid of 75: voxel i spans 3i to 3i + 2, its middle is 3i + 1; of 50: behind its middle, 2i + 1."""
    labels = ccf.annotation()
    found: dict[str, list[Any]] = {}
    planes = ((ml, labels[:, :, ml].T.copy()) for ml in range(labels.shape[2]))
    for part in label_rows(source_of(fixture.Path("none")), 1, labels.shape, planes):
        found.setdefault(part.table, []).append(part.columns)
    runs = [
        {name: np.broadcast_to(v, len(part["ml_index"])) for name, v in part.items()}
        for part in found["ccf.annotation_runs"]
    ]
    volume = {
        "volume_id": 1, "kind": "annotation", "version": "ccf_2017", "told_by": "option", "resolution_um": 25.0,
        "shape": list(labels.shape), "spacing_um": [25.0] * 3, "origin_um": [0.0] * 3, "axes_grow_to": "PIR",
        "file_axes": "ap,dv,ml", "file_format": "nrrd", "file_dtype": "<u4", "n_components": 1, "stored_as": "runs",
        "n_nonzero": 0, "header": "{}", "source_name": "annotation.nrrd",
    }  # fmt: skip
    con = memory_connection(
        {
            "ccf.volumes": {name: [value] for name, value in volume.items()},
            "ccf.annotation_runs": {name: np.concatenate([r[name] for r in runs]) for name in runs[0]},
        }
    )
    for um, factor in ((75, 3), (50, 2), (25, 1)):
        middle = labels[factor // 2 :: factor, factor // 2 :: factor, factor // 2 :: factor]
        expected = {(int(a), int(d), int(m), int(middle[a, d, m])) for a, d, m in zip(*np.nonzero(middle), strict=True)}
        query = (
            f"select ap_index, dv_index, ml_index, structure_id from connectivity.annotated_voxels(at_grid_um := {um})"
        )
        rows_found = con.execute(query).fetchall()
        assert len(rows_found) == len(expected)
        assert set(rows_found) == expected
    con.close()


def test_the_centre_of_an_injection_weighs_density_by_fraction(con):
    fraction, density = GRIDS["injection_fraction"].astype(float), GRIDS["injection_density"].astype(float)
    weight = fraction * density
    expected = [UM * (weight * index).sum() / weight.sum() for index in np.indices(ccf.SHAPE)]
    query = "select centroid_ap_um, centroid_dv_um, centroid_ml_um from connectivity.injection_centroids where experiment_id = 501"
    assert con.execute(query).fetchall() == [pytest.approx(tuple(expected))]


def test_the_centre_of_a_square_of_ones_lies_where_the_reference_puts_it():
    """Four by four voxels of 25 um: 37.5, 37.5 (EXP-07)."""
    ap, dv = (index.ravel().astype(np.int16) for index in np.indices((4, 4)))
    one = {"experiment_id": np.full(32, 1), "grid_um": np.full(32, 25, np.int32), "ml_index": np.zeros(32, np.int16)}
    con = memory_connection(
        {
            "connectivity.grid_voxels": {
                **one,
                "measure": ["injection_density"] * 16 + ["injection_fraction"] * 16,
                "ap_index": np.tile(ap, 2),
                "dv_index": np.tile(dv, 2),
                "voxel_value": np.ones(32, np.float32),
            }
        }
    )
    found = con.execute("select centroid_ap_um, centroid_dv_um, centroid_ml_um from connectivity.injection_centroids")
    assert found.fetchall() == [(37.5, 37.5, 0.0)]
    con.close()


@pytest.mark.parametrize(("along", "axis"), [("ap", 0), ("dv", 1), ("ml", 2)])
def test_a_projection_keeps_the_highest_value_behind_each_pixel(con, along, axis):
    seen = GRIDS["projection_density"].max(axis=axis)
    seen = seen.T if along == "ml" else seen  # from the side: rows along dv, columns along ap
    image = np.zeros_like(seen)
    query = f"from connectivity.max_projection(501, along := '{along}', at_grid_um := {UM})"
    for row in rows(con, query):
        image[row["image_row"], row["image_column"]] = row["voxel_value"]
    np.testing.assert_array_equal(image, seen)


# -- searches --------------------------------------------------------------------------------------------------------


def test_sources_are_searched_among_all_that_an_injection_reached(con):
    query = "select experiment_id from connectivity.search_source"
    assert ids(con, f"{query}(['VISp'])") == [501, 502, 503, 504]
    assert ids(con, f"{query}(['VISp'], primary_structure_only := true)") == [501, 502, 503]
    assert ids(con, f"{query}(['VISp'], lines := 0)") == [501, 502]
    assert ids(con, f"{query}(['VISp'], lines := 'Rbp4-Cre_KL100')") == [503]
    assert ids(con, f"{query}(['VISp'], injection_side := 'right')") == [502, 504]  # ml 9000 and 6000
    assert ids(con, f"{query}(['VISp'], start_row := 1, num_rows := 2)") == [502, 503]


def test_targets_are_summed_without_counting_a_layer_twice(con):
    found = rows(con, "from connectivity.search_target(['VISp', 'VISp1', 'TH'], target_hemisphere := 2)")
    sums = {e: sum(cell(e, s, 2, "projection_volume_mm3") for s in (385, 549)) for e in EXPERIMENTS}
    expected = sorted(((v, e) for e, v in sums.items() if v > 0), reverse=True)
    assert [(r["target_volume_mm3"], r["experiment_id"]) for r in found] == [(pytest.approx(v), e) for v, e in expected]


def test_a_point_is_searched_in_the_voxel_it_lies_in(con):
    at = tuple(int(i) for i in np.argwhere(GRIDS["projection_density"] == 0.5)[0])
    seed = [(i + 0.9) * UM for i in at]
    found = rows(con, f"from connectivity.search_spatial({seed}, at_grid_um := {UM})")
    mirrored = float(GRIDS["projection_density"][at[0], at[1], ccf.SHAPE[2] - 1 - at[2]])
    expected = {501: 0.5} | ({502: mirrored, 503: mirrored} if mirrored >= 0.1 else {})
    assert {row["experiment_id"]: row["density"] for row in found} == expected
    assert [row["density"] for row in found] == sorted((row["density"] for row in found), reverse=True)


def test_voxels_of_targets_are_counted_where_projections_reach_them(con):
    found = rows(con, f"from connectivity.target_voxels(['VISp', 'TH'], at_grid_um := {UM}) where experiment_id = 501")
    domain = np.isin(ccf.annotation(), [385, 593, 821, 549, ccf.BIG])
    reached = domain & (GRIDS["projection_density"] > 0)
    assert found == [{"experiment_id": 501, "n_target_voxels": reached.sum(), "n_voxels": domain.sum()}]


def test_a_way_leads_from_a_point_to_the_injection_along_dense_voxels(con):
    """Its ends are given; its cost is the least, relaxed here edge by edge."""
    density = GRIDS["projection_density"]
    weight = (GRIDS["injection_fraction"] * GRIDS["injection_density"]).astype(float)
    centroid = [np.average(index, weights=weight) for index in np.indices(density.shape)]
    voxels = np.argwhere(density > 0)
    nearest = tuple(int(i) for i in voxels[((voxels - centroid) ** 2).sum(axis=1).argmin()])
    seed = tuple(int(i) for i in voxels[0])
    at = [(i + 0.5) * UM for i in seed]
    found = rows(con, f"from connectivity.search_path({at}, 501, at_grid_um := {UM})")
    path = [tuple(round(row[axis] / UM) for axis in ("ap_um", "dv_um", "ml_um")) for row in found]
    assert (path[0], path[-1]) == (seed, nearest)
    assert [row["density"] for row in found] == [density[place] for place in path]

    def cost(one: tuple[int, ...], other: tuple[int, ...]) -> float:
        return float(np.linalg.norm(np.subtract(one, other)) / (density[other] + 0.001))

    assert max(np.abs(np.diff(path, axis=0)).max(axis=1)) == 1  # neighbours
    # The least cost to every voxel, relaxed until nothing changes.
    places = [tuple(int(i) for i in v) for v in voxels]
    least = dict.fromkeys(places, np.inf) | {seed: 0.0}
    changed = True
    while changed:
        changed = False
        for place in places:
            for step in np.ndindex(3, 3, 3):
                other = tuple(p + s - 1 for p, s in zip(place, step, strict=True))
                if other in least and least[place] + cost(place, other) < least[other] - 1e-9:
                    least[other], changed = least[place] + cost(place, other), True
    assert sum(map(cost, path, path[1:])) == pytest.approx(least[nearest])
    faint = [(int(i) + 0.5) * UM for i in np.argwhere(density == 0)[0]]
    assert rows(con, f"from connectivity.search_path({faint}, 501, at_grid_um := {UM})") == []


def test_the_nearest_injection_comes_first(con):
    found = rows(con, "from connectivity.search_injection_coordinate([300, 0, 310], num_rows := 2)")
    assert [row["experiment_id"] for row in found] == [503, 501]  # ml 300 and 100; ap 300 and 100
    assert found[0]["distance_um"] == pytest.approx(10)
    assert found[1]["distance_um"] == pytest.approx(np.hypot(200, 210))


@pytest.mark.parametrize(("wanted", "hemisphere"), [("root", 3), ("Isocortex", 3), ("VISp", 1)])
def test_likeness_is_the_correlation_over_all_voxels_of_a_domain(con, wanted, hemisphere):
    labels = ccf.annotation()
    root = next(row[0] for row in ccf.TREE if row[1] == wanted)
    domain = np.isin(labels, [s for s, path in PATHS.items() if root in path])
    if hemisphere == 1:
        domain[:, :, 5:] = False
    density = GRIDS["projection_density"]
    expected = np.corrcoef(density[domain], density[:, :, ::-1][domain])[0, 1]
    found = rows(
        con, f"from connectivity.search_correlation(501, ['{wanted}'], hemisphere := {hemisphere}, at_grid_um := {UM})"
    )
    assert [row["experiment_id"] for row in found] == [502, 503]
    assert [row["correlation"] for row in found] == [pytest.approx(expected)] * 2
    assert found[0]["n_voxels"] == domain.sum()


# -- alignment -------------------------------------------------------------------------------------------------------


def test_an_alignment_multiplies_rows_by_the_point_and_adds_the_offset():
    """Parameters 1 to 12 and (1, 2, 3) give (24, 43, 62); the reference's recipe would give (40, 47, 54) (XFM-01)."""
    parameters = [float(i) for i in range(1, 13)]
    con = memory_connection(
        {"connectivity.alignments": {"experiment_id": [1], "trv": [parameters], "tvr": [parameters[::-1]]}}
    )
    point = "with points as (select 1.0 as ap_um, 2.0 as dv_um, 3.0 as ml_um, 'mine' as label)"
    (found,) = rows(con, f"{point} from connectivity.to_stack('points', 1)")
    assert (found["stack_x_um"], found["stack_y_um"], found["stack_z_um"], found["label"]) == (24, 43, 62, "mine")
    back = "with points as (select 1.0 as stack_x_um, 2.0 as stack_y_um, 3.0 as stack_z_um)"
    (found,) = rows(con, f"{back} from connectivity.from_stack('points', 1)")
    assert (found["ap_um"], found["dv_um"], found["ml_um"], found["last_step_um"]) == (67, 48, 29, 0)  # no field
    with pytest.raises(duckdb.Error, match="trv or tvr, not up"):
        con.execute("select connectivity.affine(1, 'up')").fetchall()
    with pytest.raises(duckdb.Error, match="alignment of experiment 2 is not in this lake"):
        con.execute(f"{point} from connectivity.to_stack('points', 2)").fetchall()
    con.close()


def test_a_point_is_displaced_before_it_is_aligned(tmp_path):
    """u = (2, 2, 2), M = 2 I, t = (1, 1, 1): (5, 5, 5) comes to (15, 15, 15); a slope of u lies between voxels (XFM-03)."""
    field = np.full((20, 4, 3, 3), 2.0, np.float32)
    field[..., 1] += np.arange(20, dtype=np.float32)[:, None, None]  # along dv: one more each voxel of ap
    header = (
        "ObjectType = Image\nNDims = 3\nDimSize = 20 4 3\nElementSpacing = 25 25 25\nOffset = 0 0 0\n"
        "TransformMatrix = 1 0 0 0 1 0 0 0 1\nElementNumberOfChannels = 3\nElementType = MET_FLOAT\n"
        "ElementByteOrderMSB = False\nElementDataFile = dfmfld.raw\n"
    )
    (tmp_path / "dfmfld.mhd").write_text(header)
    (tmp_path / "dfmfld.raw").write_bytes(field.transpose(2, 1, 0, 3).astype("<f4").tobytes())
    (tmp_path / "alignment3d.json").write_text(
        fixture.json.dumps(fixture.alignment_record(2 * np.eye(3), np.ones(3), aligned_id=501))
    )
    con = memory_connection(
        concat(tables_of(tmp_path / "dfmfld.mhd", experiment="501"), tables_of(tmp_path / "alignment3d.json"))
    )
    points = (
        "with points as (from (values (5.0, 5.0, 5.0), (430.0, 70.0, 50.0), (-20.0, 0, 0)) as p(ap_um, dv_um, ml_um))"
    )
    found = con.execute(f"{points} select stack_x_um, stack_y_um, stack_z_um from connectivity.to_stack('points', 501)")
    expected = [
        (15, 15 + 2 * 5 / 25, 15),
        (2 * 432 + 1, 2 * (72 + 430 / 25) + 1, 2 * 52 + 1),  # in the second block along ap
        (-39, 1, 1),  # outside of the field
    ]
    assert found.fetchall() == [pytest.approx(one) for one in expected]
    con.close()


def test_the_way_back_from_the_stack_undoes_displacements(tmp_path):
    """A field of which no step is steeper than a half has one place for each; a jump of it has none (XFM-03)."""
    shape, rng = (24, 20, 18), np.random.default_rng(6)
    ap, dv, ml = (25.0 * i for i in np.meshgrid(*map(np.arange, shape), indexing="ij"))
    field = np.stack([40 * np.sin(dv / 150), 35 * np.cos(ap / 140), 30 * np.sin((ap + ml) / 200)], axis=-1).astype(
        np.float32
    )
    header = (
        "ObjectType = Image\nNDims = 3\nDimSize = 24 20 18\nElementSpacing = 25 25 25\nOffset = 0 0 0\n"
        "ElementNumberOfChannels = 3\nElementType = MET_FLOAT\nElementDataFile = dfmfld.raw\n"
    )
    (tmp_path / "dfmfld.mhd").write_text(header)
    (tmp_path / "dfmfld.raw").write_bytes(field.transpose(2, 1, 0, 3).tobytes())
    matrix = np.array([[1.1, 0.1, 0], [-0.1, 0.9, 0.05], [0, 0.02, 1.05]])
    aligned = fixture.alignment_record(matrix, np.array([30.0, -12, 8]), aligned_id=501)
    (tmp_path / "alignment3d.json").write_text(fixture.json.dumps(aligned))
    con = memory_connection(
        concat(tables_of(tmp_path / "dfmfld.mhd", experiment="501"), tables_of(tmp_path / "alignment3d.json"))
    )
    places = rng.uniform(60, [500, 400, 360], (40, 3))
    listed = ", ".join(f"({i}, {a!r}, {d!r}, {m!r})" for i, (a, d, m) in enumerate(places.tolist()))
    con.execute(f"create table asked as from (values {listed}) as p(asked_id, ap_um, dv_um, ml_um)")
    con.execute(
        "create table stacked as select asked_id, stack_x_um, stack_y_um, stack_z_um"
        " from connectivity.to_stack('asked', 501)"
    )
    query = "select ap_um, dv_um, ml_um, last_step_um from connectivity.from_stack"
    back = np.array(con.execute(f"{query}('stacked', 501) order by asked_id").fetchall())
    assert (back[:, 3] <= 0.1).all()
    assert (back[:, 3] > 0).all()
    np.testing.assert_allclose(back[:, :3], places, atol=0.1)  # where steps shrink to a half, what is left is a step
    stack = np.array(con.execute("select * exclude (asked_id) from stacked order by asked_id").fetchall())
    straight = np.array(con.execute(f"{query}('stacked', 501, with_field := false) order by asked_id").fetchall())
    np.testing.assert_allclose(straight[:, :3], (stack - [30, -12, 8]) @ np.linalg.inv(matrix).T, atol=1e-9)
    assert np.abs(straight[:, :3] - places).max() > 20

    # far outside nothing is displaced; at the border no place is displaced to here, and steps jump out and in
    aligned = matrix @ [-5.0, 240, 200] + [30, -12, 8]
    asked = (
        "with asked as (from (values (9e4, 0.0, 0.0), ({}, {}, {})) as p(stack_x_um, stack_y_um, stack_z_um))"
    ).format(*aligned.tolist())
    steps = con.execute(f"{asked} select last_step_um from connectivity.from_stack('asked', 501) order by stack_x_um")
    (jumps,), (far,) = steps.fetchall()
    assert far == 0
    assert jumps > 30
    con.close()


@pytest.mark.parametrize(
    ("alone", "listed"),
    [
        ("find_experiments(injection := 'VISp')", "find_experiments(injection := ['VISp'])"),
        ("find_experiments(products := 5)", "find_experiments(products := [5])"),
        (
            "find_unionizes(experiments := 501, wanted := 'VISp', hemispheres := 2)",
            "find_unionizes(experiments := [501], wanted := [385], hemispheres := [2])",
        ),
        ("rank_structures(501, 'VISp', hemispheres := 3)", "rank_structures([501], ['VISp'], hemispheres := [3])"),
        ("projection_matrix(501, 593, hemispheres := 1)", "projection_matrix([501], [593], hemispheres := [1])"),
        ("target_voxels('VISp', at_grid_um := 200)", "target_voxels(['VISp'], at_grid_um := 200)"),
    ],
)
def test_one_of_what_is_asked_for_needs_no_list(con, alone, listed):
    found = con.sql(f"from connectivity.{alone} order by all").fetchall()
    assert found == con.sql(f"from connectivity.{listed} order by all").fetchall()
    assert found
