"""Reconstructions in SQL: nodes, edges, features, markers, rules, operations that chain, and whose cell it is."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import duckdb
import pytest
from brainlake.ingest import registry
from brainlake.ingest.contract import Report, Rows, Source
from brainlake.tests.fixtures.memory import memory_connection
from brainlake.tests.fixtures.swc import MARKERS, SMALL, changed, random_neuron, swc, write_swc

CELL, OTHER = 471, 472  # known by folder, and by name
NAME = "Rorb-IRES2-Cre-D;Ai14(IVSCC)-168053.05.01.01"
FILES = {
    f"specimen_{CELL}/reconstruction.swc": swc(),
    f"specimen_{CELL}/reconstruction.marker": MARKERS,
    "Rorb-IRES2-Cre-D_Ai14-168053.05.01.01_325404214_m_pia.swc": swc(random_neuron(1, n_nodes=200)),
    "some-1.2.3_900100_m.swc": swc(random_neuron(2, n_nodes=100)),
    "unknown.swc": swc(changed((16, {"parent": 99}))),
}


def column_dicts(rows: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [row[name] for row in rows] for name in rows[0]}


@pytest.fixture(scope="module")
def con(tmp_path_factory: pytest.TempPathFactory) -> Iterator[duckdb.DuckDBPyConnection]:
    folder = tmp_path_factory.mktemp("morphology")
    tables: dict[str, list[dict[str, Any]]] = {}
    for name, text in FILES.items():
        source = Source(path := write_swc(folder / name, text), str(path))
        reader = registry.choose(source)
        for rows in reader.read(source, frozenset(part.name for part in reader.parts), Report()):
            assert isinstance(rows, Rows)
            assert isinstance(rows.columns, dict)
            n = len(next(iter(rows.columns.values())))
            given = [{key: values[i] for key, values in rows.columns.items()} for i in range(n)]
            tables.setdefault(rows.table, []).extend(given)
    given = {table: column_dicts(rows) for table, rows in tables.items()}
    given["icephys.csv_specimen_details"] = {
        "specimen_id": [CELL, OTHER, 473, 474],
        "specimen_name": ["Small-1.1.1.1", NAME, "Twin-1.2.3", "Twin-1.2.3"],
        "reconstruction_file_id": [None, None, 900100, None],
    }
    given["morphology.csv_published_features"] = {
        "reconstruction_id": [9], "specimen_id": [CELL], "total_length": [90.0], "number_stems": [4],
    }  # fmt: skip
    connection = memory_connection(given)
    yield connection
    connection.close()


def ask(con: duckdb.DuckDBPyConnection, query: str) -> list[tuple[Any, ...]]:
    return con.execute(query).fetchall()


def test_a_file_s_cell_is_told_by_its_folder_its_number_or_its_name(con: duckdb.DuckDBPyConnection) -> None:
    found = ask(con, "select specimen_id, specimen_known_by, specimen_name, kind from morphology.reconstructions")
    assert sorted(found, key=str) == [
        (CELL, "folder", "Small-1.1.1.1", "raw"),
        (OTHER, "name", NAME, "pia"),
        (473, "file", "Twin-1.2.3", "raw"),  # 1.2.3 alone is two cells' number
        (None, None, None, "raw"),
    ]


def test_a_node_has_its_type_and_place(con: duckdb.DuckDBPyConnection) -> None:
    found = ask(
        con,
        f"""select node_type_name, count(*), max(path_distance), max(branch_order) from morphology.nodes
            where specimen_id = {CELL} group by all order by all""",
    )
    assert found == [
        ("apical_dendrite", 5, 30.0, 1), ("axon", 3, 30.0, 0), ("basal_dendrite", 7, 40.0, 1), ("soma", 1, 0.0, 0),
    ]  # fmt: skip


def test_nodes_of_a_cell_come_in_the_file_s_order_and_by_kind(con: duckdb.DuckDBPyConnection) -> None:
    assert [r[0] for r in ask(con, f"select original_id from morphology.nodes_of({CELL})")] == [n[0] for n in SMALL]
    assert ask(con, f"from morphology.nodes_of({OTHER})") == []
    assert len(ask(con, f"from morphology.nodes_of({OTHER}, wanted_kind := 'pia')")) == 200
    assert ask(con, "from morphology.nodes_of(1)") == []
    lengths = f"select path_distance, edge_length, depth_nodes from morphology.nodes_of({CELL}) where n_children = 0 and tree_id = 0"
    for path, edge, depth in ask(con, lengths):
        assert path == pytest.approx(edge * depth)  # its edges are of one length


def test_an_edge_has_both_ends_its_length_and_its_middle(con: duckdb.DuckDBPyConnection) -> None:
    edges = ask(
        con,
        f"""select compartment_id, parent_id, node_id, node_type, length, center_x, center_y, parent_x, parent_radius
            from morphology.compartments where specimen_id = {CELL} order by compartment_id""",
    )
    assert len(edges) == 15
    assert edges[0] == (0, 0, 1, 3, 10.0, 5.0, 0.0, 0.0, 5.0)
    assert [(e[1], e[2]) for e in edges][:5] == [(0, 1), (0, 6), (0, 8), (0, 13), (1, 2)]  # by upper, then lower node


def test_spheres_are_crossed_as_counted_by_hand(con: duckdb.DuckDBPyConnection) -> None:
    """Of the small neuron's edges; 25 um: 20-30 on x (basal), 5-6 (22.4 to 31.6), 20-30 on y (apical), -20 to -30 (axon)."""
    found = ask(
        con,
        f"""with e as (from morphology.compartments where specimen_id = {CELL})
            select node_type, n_crossings from morphology.sholl('e', 25) where sphere_radius = 25 order by all""",
    )
    assert found == [(2, 1), (3, 2), (4, 1)]


def test_dimensions_are_over_all_nodes(con: duckdb.DuckDBPyConnection) -> None:
    query = f"select width, height, depth, n_nodes, n_trees, min_y, max_y from morphology.dimensions where specimen_id = {CELL}"
    assert ask(con, query) == [(40.0, 60.0, 10.0, 16, 1, -30.0, 30.0)]


def test_nodes_are_found_within_a_distance_that_counts(con: duckdb.DuckDBPyConnection) -> None:
    with_cell = f"with t as (from morphology.nodes where specimen_id = {CELL}) select node_id, distance "
    assert ask(con, with_cell + "from morphology.find('t', 20, 0, 0, 10)") == [
        (1, 10.0),
        (2, 0.0),
        (3, 10.0),
        (4, 10.0),
    ]
    assert ask(con, with_cell + "from morphology.find('t', 0, 0, 0, 10, wanted_type := 2)") == [(13, 10.0)]


TREE = "(values (0, -1), (1, 0), (2, 0), (3, 1), (4, 1), (5, 2)) as t(node_id, parent_id)"


def test_ancestors_lead_to_the_root_itself_first(con: duckdb.DuckDBPyConnection) -> None:
    assert ask(con, f"with t as (from {TREE}) from morphology.ancestors('t', 4)") == [(4, 0), (1, 1), (0, 2)]
    assert ask(con, f"with t as (from {TREE}) from morphology.ancestors('t', 0)") == [(0, 0)]


def test_descendants_come_depth_first_from_the_last_child_also_of_node_0(con: duckdb.DuckDBPyConnection) -> None:
    """The reference takes a parent 0 for none; we do not (MO-17)."""
    found = ask(con, f"with t as (from {TREE}) from morphology.descendants('t', 0)")
    assert found == [(0, 0), (2, 1), (5, 2), (1, 1), (4, 2), (3, 2)]


@pytest.mark.parametrize("macro", ["ancestors", "descendants"])
def test_a_node_that_is_not_there_is_said_to_be_unknown(con: duckdb.DuckDBPyConnection, macro: str) -> None:
    with pytest.raises(duckdb.Error, match="unknown: node_id 9 is no node of the tree"):
        ask(con, f"with t as (from {TREE}) from morphology.{macro}('t', 9)")
    doubled = f"with t as (from {TREE} union all values (3, 2)) from morphology.{macro}('t', 3)"
    with pytest.raises(duckdb.Error, match="wrong: node_id 3 is doubled"):
        ask(con, doubled)


def test_a_cycle_ends(con: duckdb.DuckDBPyConnection) -> None:
    cycle = "with t as (from (values (1, 2), (2, 3), (3, 1)) as t(node_id, parent_id)) "
    assert len(ask(con, cycle + "from morphology.descendants('t', 1)")) == 3
    assert len(ask(con, cycle + "from morphology.ancestors('t', 1)")) <= 4


def test_markers_lie_on_the_nodes_they_mark(con: duckdb.DuckDBPyConnection) -> None:
    """The file's positions are one pixel too far (MO-18)."""
    found = ask(con, "select marker_index, meaning, node_id, distance from morphology.marked_nodes order by all")
    assert [row[:3] for row in found] == [(0, "cut_dendrite", 3), (1, "no_reconstruction", 7), (2, "soma", 0)]
    assert all(row[3] == pytest.approx(0, abs=1e-12) for row in found)
    assert [r[0] for r in ask(con, f"select meaning from morphology.markers_of({CELL})")] == [row[1] for row in found]
    assert ask(con, f"from morphology.markers_of({OTHER})") == []


def test_features_are_those_of_the_kernel_under_published_names(con: duckdb.DuckDBPyConnection) -> None:
    found = ask(
        con,
        f"""select neurite_type, number_stems, total_length, soma_surface is null from morphology.features
            where specimen_id = {CELL} order by neurite_type""",
    )
    assert ("dendrite", 3, 90.0, False) in found
    assert len(found) == 7


def test_computed_features_stand_beside_published_ones(con: duckdb.DuckDBPyConnection) -> None:
    found = ask(
        con,
        """select feature, computed, published, relative_difference from morphology.feature_check
           where published is not null order by feature""",
    )
    assert found == [("number_stems", 3.0, 4.0, -0.25), ("total_length", 90.0, 90.0, 0.0)]


def test_operations_chain(con: duckdb.DuckDBPyConnection) -> None:
    """Question 16 of the spec: the axon cut to a stump, thinned; measured without being stored."""
    found = ask(
        con,
        f"""with stumps as (
                select morphology_id, morphology.sparsify(morphology.stumpify_axon(nodes, 2), 2) as nodes
                from morphology.node_lists where specimen_id = {CELL})
            select node_type, list(original_id order by node_id) from morphology.nodes_in('stumps')
            group by all order by all""",
    )
    # of nodes between (ids 5, 9's 10, ...) only 5 (number 4) may go by its number, and 4 % 2 = 0
    assert found == [(1, [1]), (2, [14, 15]), (3, [2, 3, 4, 5, 6, 7, 8]), (4, [9, 10, 11, 12, 13])]
    thinner = ask(
        con,
        f"""with thin as (
                select morphology_id, morphology.sparsify(nodes, 3) as nodes
                from morphology.node_lists where specimen_id = {CELL})
            select list(original_id order by node_id) from morphology.nodes_in('thin')""",
    )
    assert 5 not in thinner[0][0]  # number 4 of the file


@pytest.mark.parametrize(
    ("call", "n_left"),
    [
        ("strip_type(nodes, 2)", 13),
        ("strip_type(nodes, 2, mode := 'internal')", 13),
        ("strip_other_types(nodes, 3)", 8),
        ("strip_other_types(nodes, 3, keep_soma := false)", 7),
        ("convert_type(nodes, 4, 3)", 16),
        ("append(nodes, nodes)", 32),
        ("change_parent(nodes, 7, -1)", 16),
        ("delete_tree(morphology.change_parent(nodes, 6, -1), 1)", 14),
        ("transform(nodes, [1,0,0, 0,1,0, 0,0,1, 5,5,5])", 16),
        ("transform(nodes, [1,0,0, 0,1,0, 0,0,1, 5,5,5], determinant := 'public', radius_scale := 2)", 16),
        ("rotate(nodes, [1,0,0, 0,1,0, 0,0,1, 5,5,5])", 16),
    ],
)
def test_every_operation_is_called_from_sql(con: duckdb.DuckDBPyConnection, call: str, n_left: int) -> None:
    query = f"select len(morphology.{call}) from morphology.node_lists where specimen_id = {CELL}"
    assert ask(con, query) == [(n_left,)]


def test_features_of_what_was_changed_are_asked_alike(con: duckdb.DuckDBPyConnection) -> None:
    found = ask(
        con,
        f"""with doubled as (
                select morphology_id, morphology.transform(nodes, [2,0,0, 0,2,0, 0,0,2, 0,0,0]) as nodes
                from morphology.node_lists where specimen_id = {CELL})
            select d.total_length / f.total_length, d.total_surface / f.total_surface, d.number_tips
            from morphology.features_in('doubled') as d
            join morphology.features as f using (morphology_id, neurite_type)
            where neurite_type = 'dendrite'""",
    )
    assert found == [(2.0, pytest.approx(4.0), 6)]


LAYERS = f"""
    turned as (
        select morphology_id, morphology.transform(nodes, [0,-1,0, 1,0,0, 0,0,1, 0,100,0]) as nodes
        from morphology.node_lists where specimen_id = {CELL}),
    drawings as (
        select morphology_id, layer, [-50, 50, 50, -50] as drawn_x, [low, low, high, high] as drawn_y
        from turned, (values ('L1', 115, 200), ('L2/3', 95, 115), ('L4', 80, 95)) as t(layer, low, high))"""


def test_nodes_lie_in_the_layers_that_are_drawn(con: duckdb.DuckDBPyConnection) -> None:
    """Turned by 90 degrees and raised by 100 um: a node at (x, y) comes to (-y, 100 + x), by hand."""
    found = ask(
        con,
        f"with {LAYERS} select original_id, x, y, layer from morphology.nodes_in_layers('turned', 'drawings')"
        " where original_id in (1, 4, 6, 7, 8) order by 1",
    )
    assert found == [
        (1, 0.0, 100.0, "L2/3"),
        (4, 0.0, 130.0, "L1"),
        (6, -10.0, 130.0, "L1"),
        (7, 0.0, 90.0, "L4"),
        (8, 0.0, 90.0, "L4"),
    ]


def test_what_lies_in_no_layer_has_none(con: duckdb.DuckDBPyConnection) -> None:
    found = ask(
        con,
        f"with {LAYERS}, none_drawn as (select * from drawings where false) select count(*), count(layer)"
        " from morphology.nodes_in_layers('turned', 'none_drawn')",
    )
    assert found == [(len(SMALL), 0)]


def test_dendrite_length_is_asked_by_layer(con: duckdb.DuckDBPyConnection) -> None:
    """Edges of basal dendrites by the layer of their lower end: 4 of L1 and 2 of L2/3 and L4 each 10 um, by hand."""
    found = ask(
        con,
        f"""with {LAYERS}
            select l.layer, sum(n.edge_length)
            from morphology.nodes_in_layers('turned', 'drawings') as l
            join morphology.nodes_in('turned') as n using (morphology_id, node_id)
            where l.node_type = 3 group by 1 order by 1""",
    )
    assert found == [("L1", 40.0), ("L2/3", 10.0), ("L4", 20.0)]


def test_the_text_of_a_reconstruction_reads_back_as_itself(con: duckdb.DuckDBPyConnection, tmp_path: Path) -> None:
    ((text,),) = ask(con, f"select morphology.to_swc(nodes) from morphology.node_lists where specimen_id = {CELL}")
    source = Source(path := write_swc(tmp_path / "again.swc", text), str(path))
    rows = [r for r in registry.choose(source).read(source, frozenset({"morphology"}), Report()) if isinstance(r, Rows)]
    nodes = rows[1].columns
    assert isinstance(nodes, dict)
    assert nodes["swc_parents"][0].tolist() == [max(n[6] - 1, -1) for n in SMALL]
    assert nodes["swc_radii"][0].tolist() == [n[5] for n in SMALL]


def test_broken_rules_are_rows_and_sound_files_are_valid(con: duckdb.DuckDBPyConnection) -> None:
    rules = ask(
        con,
        """select v.rule_set, v.rule, v.severity, v.original_id from morphology.validation as v
           join morphology.reconstructions as r using (morphology_id)
           where r.source_name = 'unknown.swc' order by all""",
    )
    assert rules == [
        ("internal", "parent_before_child", "error", 16), ("internal", "parents_exist", "error", 16),
        ("public", "parents_exist", "error", 16),
    ]  # fmt: skip
    validity = ask(
        con,
        """select r.source_name, v.is_valid_public, v.is_valid_internal, len(v.messages) from morphology.validity as v
           join morphology.reconstructions as r using (morphology_id)
           where r.source_name in ('unknown.swc', 'reconstruction.swc') order by all""",
    )
    assert validity == [("reconstruction.swc", True, True, 0), ("unknown.swc", False, False, 3)]
