"""Ontologies in every layout give the same tree, or one clear error."""

from __future__ import annotations

import pytest
from brainlake.ingest import registry
from brainlake.ingest.contract import Report
from brainlake.lake.errors import SourceError
from brainlake.tests.fixtures import ccf
from brainlake.tests.fixtures.ingesting import source_of, tables_of


def without_paths(records):
    """Structures that name their parents alone."""
    for one in records:
        above = ccf.PATHS[one["id"]][:-1]
        one.update(structure_id_path="", parent_structure_id=above[-1] if above else None)
    return records


LAYOUTS = {
    "cached": lambda p: ccf.write_json(p / "structures.json", ccf.tree_records()),
    "flat": lambda p: ccf.write_json(p / "flat.json", ccf.api_records()),
    "envelope": lambda p: ccf.write_json(p / "answer.json", ccf.api_records(), envelope=True),
    "nested": lambda p: ccf.write_json(p / "graph.json", ccf.nested_records(), envelope=True),
    "parents": lambda p: ccf.write_json(p / "parents.json", without_paths(ccf.api_records())),
    "table": lambda p: ccf.write_csv(p / "structures.csv"),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_every_layout_gives_the_tree(layout, tmp_path):
    path = LAYOUTS[layout](tmp_path)
    assert registry.choose(source_of(path)).name == "ccf_structures"
    rows = {row["structure_id"]: row for row in tables_of(path)["ccf.listed_structures"].to_pylist()}
    assert {id_: row["structure_id_path"] for id_, row in rows.items()} == ccf.PATHS
    assert {id_: row["acronym"] for id_, row in rows.items()} == {t[0]: t[1] for t in ccf.TREE}
    assert {id_: row["color_hex"] for id_, row in rows.items()} == {t[0]: t[4].lower() for t in ccf.TREE}
    assert [id_ for id_, row in rows.items() if row["is_leaf"]] == [593, 821, 1027, 12997, ccf.BIG]
    assert {row["graph_id"] for row in rows.values()} == {1}


def test_sets_come_from_the_cached_tree(tmp_path):
    tables = tables_of(LAYOUTS["cached"](tmp_path))
    members = tables["ccf.structure_set_members"].to_pylist()
    assert [(m["structure_set_id"], m["structure_id"]) for m in members] == [
        (2, 315), (167587189, 385), (167587189, 549), (167587189, 1027)
    ]  # fmt: skip


def test_included_sets_are_named(tmp_path):
    records = ccf.api_records()
    records[3]["structure_sets"] = [{"id": 3, "name": "areas", "description": "areas of the brain"}]
    tables = tables_of(ccf.write_json(tmp_path / "a.json", records))
    assert tables["ccf.named_structure_sets"].to_pylist() == [
        {"structure_set_id": 3, "name": "areas", "description": "areas of the brain", "graph_id": 1}
    ]


def test_the_two_kinds_of_listing_are_kept_beside_each_other(tmp_path):
    reader = registry.get("ccf_structures")
    roles = {layout: reader.identify(source_of(write(tmp_path))) for layout, write in LAYOUTS.items()}
    assert {r.subject for r in roles.values()} == {"ccf.structures/1"}
    assert {layout: r.role for layout, r in roles.items()} == {
        "cached": "structure_tree", "flat": "structure_table", "envelope": "structure_table",
        "nested": "structure_table", "parents": "structure_table", "table": "structure_table",
    }  # fmt: skip


def test_a_part_of_a_tree_takes_no_whole_one_s_place(tmp_path):
    path = ccf.write_json(tmp_path / "few.json", ccf.api_records()[3:6])
    identity = registry.get("ccf_structures").identify(source_of(path))
    assert identity.role == "structure_selection"
    assert identity.subject.startswith("ccf.structures/1/")
    report = Report()
    tables_of(path, report=report)
    assert "a selection" in report.warnings[0]


def test_background_is_no_structure(tmp_path):
    records = [{"id": 0, "acronym": "void", "name": "void", "structure_id_path": None}, *ccf.api_records()]
    tables = tables_of(ccf.write_json(tmp_path / "a.json", records))
    assert 0 not in tables["ccf.listed_structures"]["structure_id"].to_pylist()


REFUSED = {
    "a path elsewhere": (lambda r: r[3].update(structure_id_path="/997/8/"), "does not lead to structure 385"),
    "a path in a circle": (lambda r: r[3].update(structure_id_path="/385/8/385/"), "does not lead to structure 385"),
    "paths in a circle": (
        lambda r: (r[2].update(structure_id_path=[997, 385, 315]), r[3].update(structure_id_path=[997, 315, 385])),
        "structure 315: lies in itself",
    ),
    "parents in a circle": (
        lambda r: (without_paths(r), r[1].update(parent_structure_id=385)),
        "structure 8: lies in itself: its parents lead back to it",
    ),
    "a doubled id": (lambda r: r.append(dict(r[3])), "structure 385: is listed twice"),
    "no id": (lambda r: r[3].update(id="x"), "is no id of a structure"),
    "no colour": (lambda r: r[3].update(color_hex_triplet="red"), "is no colour"),
    "two graphs": (lambda r: r[3].update(graph_id=17), "give each in a list of its own"),
    "a name that is none": (lambda r: r[3].update(name=None), "is missing"),
}


@pytest.mark.parametrize("damage", REFUSED)
def test_a_damaged_listing_is_one_clear_error(damage, tmp_path):
    change, message = REFUSED[damage]
    records = ccf.api_records()
    change(records)
    path = ccf.write_json(tmp_path / "a.json", records)
    with pytest.raises(SourceError, match=message):
        tables_of(path)


def test_a_listing_that_is_cut_says_so(tmp_path):
    path = LAYOUTS["flat"](tmp_path)
    path.write_text(path.read_text()[:-400])
    with pytest.raises(SourceError, match="record"):
        tables_of(path)


def test_meshes_follow_the_grammar(tmp_path):
    (path := tmp_path / "385.obj").write_text(ccf.OBJ)
    (mesh,) = tables_of(path)["ccf.structure_meshes"].to_pylist()
    assert mesh["structure_id"] == 385
    assert mesh["vertex_ap_um"] == [1000.5, 1100, 1000, 1000]
    assert mesh["face_vertices"] == [0, 1, 2, 0, 1, 3]
    assert mesh["face_normals"] == [0, 0, 0, 1, 1, 1]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("v 1 2 3\nf 1/1/1 1/1/1 1/1/1\n", "line 2"),
        ("v 1 2 3\nvn 0 0 1\nf 1//1 2//1 1//1\n", "that there is not"),
        ("v 1 2\n", "line 1"),
        ("vn 1 2 3\n", "holds no vertex"),
    ],
)
def test_a_damaged_mesh_is_one_clear_error(text, message, tmp_path):
    (path := tmp_path / "385.obj").write_text(text)
    with pytest.raises(SourceError, match=message):
        tables_of(path)


def test_a_mesh_of_nobody_asks_whose_it_is(tmp_path):
    (path := tmp_path / "brain.obj").write_text(ccf.OBJ)
    with pytest.raises(SourceError, match="--set structure=385"):
        tables_of(path)
    assert tables_of(path, structure="8")["ccf.structure_meshes"]["structure_id"].to_pylist() == [8]
