"""The reference space in SQL, against the arrays and trees that the files were made of."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from brainlake.tests.fixtures import ccf
from brainlake.tests.fixtures.ingesting import concat, tables_of
from brainlake.tests.fixtures.memory import memory_connection

LABELS = ccf.annotation()
UM = 25
GREY = np.random.default_rng(2).integers(1, 517, (20, 18, 33)).astype(np.uint16)
GREY[:16, :16, :16] = 0  # a whole block of zeros, which is not kept


def below(structure: int) -> set[int]:
    """A structure and all below it."""
    return {id_ for id_, path in ccf.PATHS.items() if structure in path}


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("ccf")
    (folder / "385.obj").write_text(ccf.OBJ)
    tables = concat(
        tables_of(ccf.write_json(folder / "structures.json", ccf.tree_records())),
        tables_of(ccf.write_csv(folder / "structures.csv")),
        tables_of(ccf.write_nrrd(folder / "annotation_25.nrrd", LABELS), version="ccf_2017"),
        tables_of(ccf.write_nrrd(folder / "annotation_10.nrrd", LABELS[::-1].copy(), um=10), version="ccf_2016"),
        tables_of(ccf.write_nrrd(folder / "average_template_100.nrrd", GREY, um=100)),
        tables_of(ccf.write_nrrd(folder / "field.nrrd", GREY.astype(np.float32) / 7, um=50), kind="grey"),
        tables_of(folder / "385.obj"),
    )
    con = memory_connection(tables)
    yield con
    con.close()


def rows(con: duckdb.DuckDBPyConnection, query: str) -> list[dict[str, Any]]:
    return con.execute(query).to_arrow_table().to_pylist()


def ids(con: duckdb.DuckDBPyConnection, query: str) -> list[int]:
    return [row[0] for row in con.execute(query).fetchall()]


# -- ontology --------------------------------------------------------------------------------------------------------


def test_a_structure_has_what_either_listing_tells(con):
    (visp,) = rows(con, "from ccf.structures where acronym = 'VISp'")
    assert visp["parent_structure_id"] == 315
    assert visp["structure_id_path"] == [997, 8, 315, 385]
    assert visp["rgb"] == [0x08, 0x85, 0x8C]
    assert visp["safe_name"] == "Primary visual area"  # only the table has it
    assert visp["tree_depth"] == 3
    assert not visp["is_leaf"]


@pytest.mark.parametrize("word", ["'VISp'", "385", "'Primary visual area'"])
@pytest.mark.parametrize("macro", ["descendants", "ancestors", "find_structures", "mask"])
def test_one_structure_may_be_asked_for_without_a_list(con, macro, word):
    alone, listed = (con.sql(f"from ccf.{macro}({given})").fetchall() for given in (word, f"[{word}]"))
    assert alone == listed != []


@pytest.mark.parametrize(
    ("alone", "listed"),
    [
        ("ontology_descendants('VISp')", "ontology_descendants(['VISp'])"),
        ("structures_by_id(385)", "structures_by_id([385])"),
        ("structures_in_set(167587189)", "structures_in_set([167587189])"),
        ("structures_of(sets := 167587189)", "structures_of(sets := [167587189])"),
        ("label_description(hidden := 385)", "label_description(hidden := [385])"),
        ("coverage('VISp', 'Isocortex')", "coverage(['VISp'], ['Isocortex'])"),
    ],
)
def test_nothing_else_that_is_one_needs_a_list(con, alone, listed):
    found = con.sql(f"from ccf.{alone}").fetchall()
    assert found == con.sql(f"from ccf.{listed}").fetchall() != []


def test_a_name_with_commas_and_quotes_is_one_word(con):
    """Names of the warehouse have commas: 'Primary visual area, layer 1'."""
    assert ids(con, "select structure_id from ccf.find_structures('Primary visual area, layer 1')") == [593]
    with pytest.raises(duckdb.Error, match='there is no structure a, "b" or'):
        con.execute("""from ccf.find_structures('a, "b" or')""")


def test_the_closure_holds_every_pair_once(con):
    found = set(con.execute("select ancestor_id, descendant_id, steps from ccf.structure_closure").fetchall())
    expected = {(a, d, len(path) - 1 - i) for d, path in ccf.PATHS.items() for i, a in enumerate(path)}
    assert found == expected


def test_descendants_come_depth_first_with_the_structure_itself(con):
    assert ids(con, "select structure_id from ccf.descendants(['Isocortex'])") == [315, 385, 593, 821, 1027, 12997]
    assert ids(con, "select structure_id from ccf.descendants([549, 385])") == [549, ccf.BIG, 385, 593, 821]


def test_ancestors_lead_from_the_structure_to_the_root(con):
    assert ids(con, "select structure_id from ccf.ancestors(['VISp1'])") == [593, 385, 315, 8, 997]
    assert ids(con, "select structure_id from ccf.ancestors([593]) where steps = 1") == [385]
    assert ids(con, "select structure_id from ccf.descendants([315]) where steps = 1") == [385, 1027, 12997]


def test_structures_are_found_by_id_acronym_and_name_in_the_order_asked(con):
    assert ids(con, "select structure_id from ccf.find_structures(['TH', '385', 'Isocortex'])") == [549, 385, 315]
    with pytest.raises(duckdb.Error, match="unknown: there is no structure nope"):
        con.execute("from ccf.find_structures(['TH', 'nope'])").fetchall()


def test_ids_that_nobody_knows_give_a_row_of_null_as_in_the_reference(con):
    assert rows(con, "select wanted_id, structure_id from ccf.structures_by_id([5, 385])") == [
        {"wanted_id": 5, "structure_id": None}, {"wanted_id": 385, "structure_id": 385}
    ]  # fmt: skip


def test_descent_includes_the_structure_itself(con):
    query = "select ccf.descends_from(593, 315), ccf.descends_from(315, 593), ccf.descends_from(385, 385)"
    assert con.execute(query).fetchone() == (True, False, True)
    assert con.execute("select ccf.descends_from(385, 1027)").fetchone() == (False,)  # VISp is no part of AUD
    words = (
        "select ccf.descends_from('VISp1', 'Isocortex'), ccf.descends_from('VISp', 'AUDp'), ccf.descends_from(385, 5)"
    )
    assert con.execute(words).fetchone() == (True, False, False)
    within = (
        "select count(*) from ccf.structures as s where s.graph_id = 1 and ccf.descends_from(s.structure_id, 'VISp')"
    )
    assert con.execute(within).fetchone() == (len(below(385)),)


@pytest.mark.parametrize("asked", ["'nope', 'VISp'", "'VISp', 'nope'", "5, 385"])
def test_descent_of_what_nobody_knows_is_told_so(con, asked):
    with pytest.raises(duckdb.Error, match=r"there is no structure (nope|5)"):
        con.execute(f"select ccf.descends_from({asked})").fetchall()


def test_overlaps_are_structures_that_others_lie_in(con):
    assert sorted(ids(con, "select structure_id from ccf.overlapping(['VISp', 'VISp1', 'TH', 'grey'])")) == [8, 385]
    assert not ids(con, "select structure_id from ccf.overlapping(['VISp', 'AUDp'])")


def test_sets_and_their_members(con):
    assert ids(con, "select structure_id from ccf.structures_in_set([167587189])") == [385, 1027, 549]
    assert con.execute(
        "select name, n_structures from ccf.structure_sets where structure_set_id = 167587189"
    ).fetchone() == ("summary structures", 3)


def test_structures_are_chosen_by_graphs_and_sets_by_id_or_name(con):
    query = "select structure_id from ccf.structures_of"
    everything = [row[0] for row in ccf.TREE]
    assert ids(con, f"{query}()") == ids(con, f"{query}(graphs := [1])") == everything
    summary = [385, 1027, 549]
    for wanted in ("[167587189]", "['Summary structures']", "['167587189', 'summary structures']"):
        assert ids(con, f"{query}(graphs := [1], sets := {wanted})") == summary, wanted
    assert ids(con, f"{query}(sets := [2, 167587189])") == [315, *summary]  # in the order of the graph
    assert ids(con, f"{query}(sets := [])") == ids(con, f"{query}(graphs := [])") == []
    assert ids(con, "select len(structure_set_ids) from ccf.structures_of() order by 1 desc limit 1") == [1]
    for asked, said in (("graphs := ['Moon']", "structure graph Moon"), ("sets := [5]", "structure set 5")):
        with pytest.raises(duckdb.Error, match=f"unknown: there is no {said}"):
            con.execute(f"from ccf.structures_of({asked})").fetchall()


def test_graphs_are_chosen_by_the_name_that_their_record_has(tmp_path):
    graphs = {"graph_id": [1, 10], "name": ["Mouse Brain Atlas", "Human Brain Atlas"]}
    tree = tables_of(ccf.write_json(tmp_path / "structures.json", ccf.tree_records()))
    con = memory_connection({**tree, "ccf.structure_graphs": graphs})
    assert len(ids(con, "select structure_id from ccf.structures_of(['mouse brain atlas'])")) == len(ccf.TREE)
    assert ids(con, "select structure_id from ccf.structures_of(['Human Brain Atlas'])") == []
    con.close()


def test_the_reference_s_first_class_takes_an_empty_list_for_all_and_drops_what_it_does_not_know(con):
    query = "select of_structure, structure_id from ccf.ontology_descendants"
    everything = {(a, d) for d, path in ccf.PATHS.items() for a in path}
    for asked in ("()", "([])", "(null)"):
        assert set(con.execute(f"{query}{asked}").fetchall()) == everything, asked
    below = [(385, 385), (385, 593), (385, 821), (549, 549), (549, ccf.BIG)]
    assert con.execute(f"{query}(['VISp', '549', 'nope', 'VISp'])").fetchall() == below
    assert con.execute(f"{query}([549, 385, 4, 549])").fetchall() == below
    assert ids(con, "select structure_id from ccf.ontology_descendants(['Isocortex']) where steps = 1") == [
        385, 1027, 12997
    ]  # fmt: skip


def test_the_reference_s_tree_has_its_shape(con):
    (th,) = rows(con, "from ccf.structure_tree where id = 549")
    assert th == {
        "id": 549, "acronym": "TH", "name": "Thalamus", "graph_id": 1, "graph_order": 8,
        "rgb_triplet": [255, 112, 128], "structure_id_path": [997, 8, 549], "structure_set_ids": [167587189],
    }  # fmt: skip


def test_labels_of_itk_snap(con):
    first, *_ = rows(con, "from ccf.label_description(hidden := [997])")
    assert first == {"IDX": 997, "-R-": 255, "-G-": 255, "-B-": 255, "-A-": 1.0, "VIS": 0, "MSH": 1, "LABEL": "root"}


# -- annotation ------------------------------------------------------------------------------------------------------


def test_runs_are_the_array(con):
    again = np.zeros_like(LABELS)
    query = "select r.* from ccf.annotation_runs as r where r.volume_id = ccf.annotation_grid().volume_id"
    for run in rows(con, query):
        again[run["ap_index"] : run["ap_index"] + run["n_voxels"], run["dv_index"], run["ml_index"]] = run[
            "structure_id"
        ]
        assert run["hemisphere_id"] == (1 if run["ml_index"] < 5 else 2)
    assert np.array_equal(again, LABELS)


def test_voxels_of_every_structure_and_hemisphere(con):
    found = rows(con, "from ccf.structure_geometry where version = 'ccf_2017'")
    assert len(found) == 3 * len(ccf.TREE)
    sides = {1: LABELS[:, :, :5], 2: LABELS[:, :, 5:], 3: LABELS}
    for row in found:
        part = sides[row["hemisphere_id"]]
        inside = np.isin(part, list(below(row["structure_id"])))
        assert row["direct_voxels"] == np.sum(part == row["structure_id"])
        assert row["total_voxels"] == inside.sum()
        assert row["volume_mm3"] == pytest.approx(inside.sum() * 0.025**3, rel=1e-12)
        if not inside.any():
            assert row["centroid_ap_um"] is None
            continue
        at = np.argwhere(inside) + np.array([0, 0, 5 if row["hemisphere_id"] == 2 else 0])
        centroid = [row["centroid_ap_um"], row["centroid_dv_um"], row["centroid_ml_um"]]
        assert centroid == pytest.approx(at.mean(axis=0) * UM)
        assert row["first_index"] == at.min(axis=0).tolist()
        assert row["last_index"] == at.max(axis=0).tolist()


def test_a_structure_without_a_voxel_has_zero(con):
    assert ids(con, "select acronym from ccf.structure_geometry where total_voxels = 0 and hemisphere_id = 3"
                    " and version = 'ccf_2017'") == ["void6"]  # fmt: skip


def test_labels_of_no_ontology_are_told(con):
    query = "select structure_id, n_voxels from ccf.annotation_labels where not is_listed and version = 'ccf_2017'"
    assert con.execute(query).fetchall() == [(424242, 1)]


def points_of(where: np.ndarray) -> pa.Table:
    return pa.table({"n": np.arange(len(where)), "ap_um": where[:, 0], "dv_um": where[:, 1], "ml_um": where[:, 2]})


def test_points_lie_in_what_the_array_has(con):
    where = np.random.default_rng(1).uniform(0, np.array(ccf.SHAPE) * UM, (500, 3))
    con.register("points_given", points_of(where))
    found = rows(con, "from ccf.structures_at('points_given') order by n")
    expected = LABELS[tuple((where // UM).astype(int).T)]
    assert [row["ccf_structure_id"] or 0 for row in found] == expected.tolist()
    assert [row["ccf_hemisphere_id"] for row in found] == np.where(where[:, 2] < 125, 1, 2).tolist()
    acronyms = {t[0]: t[1] for t in ccf.TREE}
    assert [row["ccf_structure_acronym"] for row in found] == [acronyms.get(e) for e in expected]


def test_points_outside_have_no_structure(con):
    edges = np.array([[-0.1, 0, 0], [300, 0, 0], [299.9, 199.9, 249.9], [0, 200, 0], [np.nan, 1, 1]])
    con.register("points_given", points_of(edges))
    found = con.execute(
        "select ccf_structure_id, ccf_hemisphere_id from ccf.structures_at('points_given') order by n"
    ).fetchall()
    assert found == [(None, None), (None, None), (None, 2), (None, None), (None, None)]


def test_other_annotations_are_asked_by_resolution_or_version(con):
    con.register("points_given", points_of(np.array([[15.0, 15, 15]])))
    query = "select ccf_structure_id from ccf.structures_at('points_given', {})"
    expected = [(int(LABELS[::-1][1, 1, 1]),)]
    assert con.execute(query.format("at_resolution_um := 10")).fetchall() == expected
    assert con.execute(query.format("of_version := 'ccf_2016'")).fetchall() == expected
    with pytest.raises(duckdb.Error, match=r"absent: no annotation at 50.* brings one"):
        con.execute(query.format("at_resolution_um := 50")).fetchall()


def test_one_position(con):
    assert con.execute("select ccf.structure_at(110, 110, 90), ccf.structure_at(0, 0, 0)").fetchone() == (ccf.BIG, None)
    assert con.execute("select ccf.structure_at(-1, 0, 0), ccf.structure_at(1, 1, 9999)").fetchone() == (None, None)


@pytest.mark.parametrize(
    ("wanted", "direct_only", "labels"),
    [
        ("['VISp']", "false", {385, 593, 821}),
        ("['VISp']", "true", set()),
        ("[593, 549]", "true", {593, 549}),
        ("['TH', 'VISp1']", "false", {593, 549, ccf.BIG}),
    ],
)
def test_a_mask_is_the_union_of_its_structures(con, wanted, direct_only, labels):
    mask = np.zeros(ccf.SHAPE, bool)
    for run in rows(con, f"from ccf.mask({wanted}, direct_only := {direct_only})"):
        mask[run["ap_index"] : run["ap_index"] + run["n_voxels"], run["dv_index"], run["ml_index"]] = True
    assert np.array_equal(mask, np.isin(LABELS, list(labels)))


@pytest.mark.parametrize(
    ("plane", "at_um", "image"),
    [
        ("coronal", 6 * UM, LABELS[6].copy()),
        ("horizontal", 5 * UM, LABELS[:, 5]),
        ("sagittal", 3 * UM, LABELS[:, :, 3].T),
        ("coronal", 2.5 * UM, LABELS[2]),  # RSP-09: half to even
    ],
)
def test_slices(con, plane, at_um, image):
    found = rows(con, f"from ccf.slice('{plane}', {at_um})")
    assert len(found) == image.size
    for row in found:
        assert (row["structure_id"] or 0) == LABELS[row["ap_index"], row["dv_index"], row["ml_index"]]
    (one,) = rows(con, f"from ccf.slice_image('{plane}', {at_um})")
    assert np.array_equal(np.reshape(one["structure_ids"], (one["n_rows"], one["n_columns"])), image)


def test_slices_beyond_the_volume_are_refused(con):
    for at in (-1, 12 * UM):
        with pytest.raises(duckdb.Error, match=r"lies outside of the volume, which has 12 slices of 25.0 um"):
            con.execute(f"from ccf.slice('coronal', {at})").fetchall()
    with pytest.raises(duckdb.Error, match="coronal, horizontal or sagittal, not axial"):
        con.execute("from ccf.slice('axial', 0)").fetchall()


def test_colours_of_a_slice(con):
    found = dict(con.execute("select distinct structure_id, color_hex from ccf.slice('coronal', 250)").fetchall())
    assert found == {None: "000000", 8: "bfdae3", 424242: None}


def test_coverage_tells_what_is_missing_and_what_is_too_much(con):
    found = {(r["acronym"], r["difference"]): r["n_voxels"]
             for r in rows(con, "from ccf.coverage(['VISp', 'TH'], ['Isocortex'])")}  # fmt: skip
    n = {id_: int((id_ == LABELS).sum()) for id_ in (1027, 549, ccf.BIG)}
    assert found == {("AUDp", 1): n[1027], ("TH", -1): n[549], ("far", -1): n[ccf.BIG]}


def test_meshes_as_vertices_and_faces(con):
    assert con.execute("select ap_um from ccf.mesh_vertices where vertex_index = 0").fetchone() == (1000.5,)
    assert con.execute("select vertices, normals from ccf.mesh_faces order by face_index").fetchall() == [
        ([0, 1, 2], [0, 0, 0]), ([0, 1, 3], [1, 1, 1])
    ]  # fmt: skip


def test_a_surface_is_told_by_the_corners_of_its_triangles(con):
    (id_,) = ids(con, "select structure_id from ccf.structure_meshes")
    (mesh,) = rows(con, f"from ccf.mesh_corners([{id_}])")
    places = dict(con.execute("select vertex_index, (ap_um, dv_um, ml_um) from ccf.mesh_vertices").fetchall())
    corners = list(zip(mesh["corner_ap_um"], mesh["corner_dv_um"], mesh["corner_ml_um"], strict=True))
    assert corners == [places[i] for i in (0, 1, 2, 0, 1, 3)]
    with pytest.raises(duckdb.Error, match=r"mesh of TH is not in this lake: `brainlake fetch meshes 549`"):
        con.execute("from ccf.mesh_corners(['TH'])").fetchall()


# -- grey values -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("plane", "index", "image"),
    [("coronal", 17, GREY[17]), ("horizontal", 3, GREY[:, 3]), ("sagittal", 32, GREY[:, :, 32].T)],
)
def test_slices_of_grey_values(con, plane, index, image):
    for kind, um, scale in (("template", 100, np.float64(1)), ("grey", 50, None)):
        (one,) = rows(con, f"from ccf.grey_slice_image('{plane}', {index * um}, of_kind := '{kind}')")
        expected = image / scale if scale else (image.astype(np.float32) / 7).astype(np.float64)
        assert np.array_equal(np.reshape(one["grey_values"], (one["n_rows"], one["n_columns"])), expected)


def test_a_slice_without_a_block_is_black(con):
    empty = np.zeros((16, 16, 16), np.uint16)
    assert not GREY[:16, :16, :16].any()
    (one,) = rows(con, "from ccf.grey_slice_image('coronal', 0)")
    image = np.reshape(one["grey_values"], (18, 33))
    assert np.array_equal(image[:16, :16], empty[0])


def test_grey_values_at_points(con):
    where = np.random.default_rng(3).uniform(-100, np.array(GREY.shape) * 110, (400, 3))
    con.register("points_given", points_of(where))
    found = rows(con, "from ccf.grey_at('points_given') order by n")
    index = np.floor(where / 100).astype(int)
    inside = (index >= 0).all(axis=1) & (index < GREY.shape).all(axis=1)
    assert 0 < inside.sum() < len(where)
    for row, at, is_inside in zip(found, index, inside, strict=True):
        assert row["grey_value"] == (GREY[tuple(at)] if is_inside else None)


def test_a_volume_that_is_not_here_is_told(con):
    with pytest.raises(duckdb.Error, match="absent: no volume of kind nissl"):
        con.execute("from ccf.grey_slice_image('coronal', 0, of_kind := 'nissl')").fetchall()


def test_published_volumes_are_listed_with_those_that_are_here(con):
    found = rows(con, "from ccf.published_volumes")
    assert (
        len(found) == (5 + 2) * 4
    )  # five versions of the annotation, the template and the Nissl volume, four resolutions
    here = {one["published_as"]: one for one in found if one["volume_id"] is not None}
    assert sorted(here) == [
        "annotation/ccf_2016/annotation_10.nrrd", "annotation/ccf_2017/annotation_25.nrrd",
        "average_template/average_template_100.nrrd",
    ]  # fmt: skip
    annotation = here["annotation/ccf_2017/annotation_25.nrrd"]
    assert annotation["shape"] == [528, 320, 456]  # as the public file's header has it
    assert annotation["fetched_by"] == "brainlake fetch annotation --version ccf_2017 --um 25"


def test_constants_of_the_reference_are_rows(con):
    """As the Allen SDK 2.16.2 has them: ReferenceSpaceApi.CCF_VERSION_DEFAULT is annotation/ccf_2017."""
    found = rows(con, "from ccf.reference_spaces")
    assert {one["version"] for one in found} == {"ccf_2015", "ccf_2016", "ccf_2017", "mouse_2011", "devmouse_2012"}
    assert [one["version"] for one in found if one["is_default"]] == ["ccf_2017"]
