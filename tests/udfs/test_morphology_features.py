"""Features of neurites and places of nodes: measured by hand on a small neuron on a grid."""

from __future__ import annotations

from math import pi, sqrt
from typing import Any

import numpy as np
import pytest
from brainlake.tests.fixtures.swc import SMALL, changed, nodes_of, random_neuron
from brainlake.udfs.morphology_features import FEATURES, SETS, measure_nodes, neurite_features
from brainlake.udfs.registry import Ragged

# Nine edges of 10 um on three stems; node 3 has two children, node 10 three (fixtures/swc.py draws it).
DENDRITE = {
    "overall_width": 40, "overall_height": 30, "overall_depth": 10,
    "number_nodes": 12, "number_stems": 3, "number_tips": 6, "number_neurites": 9,
    "number_bifurcations": 1 + 2,  # a branch point with three children counts two
    "number_branches": 3 + 2 + (3 + 1),  # one a stem, one a child, and one more where three branch off at once
    "max_branch_order": 1, "neurites_over_branches": 1.0,
    "total_length": 90, "max_path_distance": 30, "max_euclidean_distance": sqrt(30**2 + 10**2),
    "average_diameter": 2 * 17 / 12,
    "total_surface": pi * 10 * (3 * 4 + 4 * 3 + 2 * 2),  # edges from r 2 to 2, 2 to 1, 1 to 1
    "total_volume": pi * (3 * 40 + 4 * (40 - 10 + 10 / 3) + 2 * 10),  # length * growth, without r
    "total_volume_corrected": pi * 10 * (3 * 4 + 4 * 7 / 3 + 2 * 1),  # truncated cones: (4 + 2 + 1) / 3
    "soma_surface": 4 * pi * 25,
    "average_contraction": (10 + sqrt(200) + 3 * 10) / (10 + 20 + 3 * 10),
    "average_fragmentation": (1 + 2 + 3) / 5,  # initial segments are left out
    "average_parent_daughter_ratio": (1 / 2 + (2 + 1 + 1) / 3 / 2) / 2,
    "parent_daughter_ratio": (0.5 + 0.5 + 1 + 0.5 + 0.5) / 5,
    "average_bifurcation_angle_local": 90, "average_bifurcation_angle_remote": 45,  # node 3 alone has two children
    "number_outer_bifurcations": 2,
    "first_compartment_moment_x": 75 / 9, "first_compartment_moment_y": 95 / 9, "first_compartment_moment_z": 5 / 9,
    "compartment_stdev_z": sqrt((25 - 25 / 9) / 9),
    "first_bifurcation_moment_x": 10, "first_bifurcation_moment_y": 10, "first_bifurcation_moment_z": 0,
    "bifurcation_stdev_x": 10, "bifurcation_stdev_y": 10, "bifurcation_stdev_z": 0,
    "bifurcation_centroid_over_distance_x": 10 / 40, "bifurcation_stdev_over_distance_y": 10 / 30,
    "compartment_centroid_over_distance_z": 5 / 9 / 10,
}  # fmt: skip


def features(nodes: Ragged, row: int = 0) -> dict[str, dict[str, Any]]:
    """Set -> feature -> value, of one reconstruction."""
    found = neurite_features(nodes)
    at = range(found.offsets[row], found.offsets[row + 1])
    return {
        found.values["neurite_type"][i]: {name: found.values[name][i] for name in FEATURES}
        for i in at  # type: ignore[call-overload]
    }


@pytest.fixture(scope="module")
def small() -> dict[str, dict[str, Any]]:
    return features(nodes_of(SMALL))


@pytest.mark.parametrize("name", DENDRITE)
def test_a_feature_of_dendrites_is_what_is_measured_by_hand(small: dict[str, dict[str, Any]], name: str) -> None:
    assert small["dendrite"][name] == pytest.approx(DENDRITE[name], rel=1e-12)


def test_sets_take_their_own_types(small: dict[str, dict[str, Any]]) -> None:
    nodes = {name: found["number_nodes"] for name, found in small.items()}
    assert nodes["basal_dendrite"] == 7
    assert nodes["apical_dendrite"] == 5
    assert nodes["axon"] == 3
    assert nodes["all_neurites"] == 15
    assert {name: small[name]["total_length"] for name in ("basal_dendrite", "apical_dendrite", "axon")} == {
        "basal_dendrite": 50,
        "apical_dendrite": 40,
        "axon": 20,
    }
    assert small["all_neurites"]["total_length"] == 110


def test_the_reference_measures_basal_dendrites_for_all_neurites(small: dict[str, dict[str, Any]]) -> None:
    """It converts the types of another object (matched); the right set stands beside."""
    for name in FEATURES:
        np.testing.assert_equal(small["all_neurites_reference"][name], small["basal_dendrite"][name])


def test_moments_over_spread_are_the_reference_s_way_round_and_corrected_beside(
    small: dict[str, dict[str, Any]],
) -> None:
    dendrite = small["dendrite"]
    mean, spread = dendrite["first_compartment_moment_x"], dendrite["compartment_stdev_x"]
    assert dendrite["compartment_stdev_over_centroid_x"] == pytest.approx(mean / spread)
    assert dendrite["compartment_stdev_over_centroid_corrected_x"] == pytest.approx(spread / mean)
    assert np.isnan(dendrite["bifurcation_stdev_over_centroid_z"])  # 0 / 0


def test_an_axon_apart_from_the_soma_is_of_the_cloud_only() -> None:
    found = features(nodes_of([*SMALL, (20, 2, 100, 100, 0, 1, -1), (21, 2, 110, 100, 0, 1, 20)]))
    assert found["axon"]["overall_width"] == 0
    assert found["axon_cloud"]["overall_width"] == 110
    # two edges on the soma's tree, at x 0, and one at x 105, each 10 um long
    assert found["axon_cloud"]["first_compartment_moment_x"] == pytest.approx(105 / 3)
    assert np.ma.is_masked(found["axon_cloud"]["number_tips"])


def test_an_empty_set_has_no_features() -> None:
    found = features(nodes_of(SMALL[:1]))
    assert list(found) == [one.name for one in SETS]
    for values in found.values():
        assert all(np.ma.is_masked(v) or np.isnan(v) for v in values.values())


def test_without_a_soma_what_needs_one_is_missing_and_the_rest_is_measured() -> None:
    found = features(nodes_of([(1, 3, 0, 0, 0, 1, -1), (2, 3, 3, 4, 0, 1, 1)]))["dendrite"]
    assert found["total_length"] == 5
    assert np.isnan(found["max_euclidean_distance"])
    assert np.isnan(found["soma_surface"])
    assert found["number_stems"] == 0


def test_several_soma_nodes_have_no_surface() -> None:
    assert np.isnan(features(nodes_of(changed((2, {"type": 1}))))["dendrite"]["soma_surface"])


def test_a_reconstruction_measures_the_same_among_others() -> None:
    """Batches are computed at once: no row may reach into another."""
    trees = [random_neuron(1), SMALL, SMALL[:1], random_neuron(2, n_nodes=50)]
    together = nodes_of(*trees)
    for row, tree in enumerate(trees):
        alone = features(nodes_of(tree))
        for name, values in features(together, row).items():
            for feature, value in values.items():
                np.testing.assert_allclose(
                    np.ma.filled(value, -1), np.ma.filled(alone[name][feature], -1), rtol=1e-9, err_msg=feature
                )


def test_the_order_of_a_file_s_nodes_changes_no_feature() -> None:
    """Where the soma comes first, as the reference finds it."""
    tree = random_neuron(3, n_nodes=400)
    order = np.random.default_rng(0).permutation(len(tree) - 1) + 1
    shuffled = [tree[0], *(tree[i] for i in order)]
    straight, other = features(nodes_of(tree)), features(nodes_of(shuffled))
    for name, values in straight.items():
        for feature, value in values.items():
            np.testing.assert_allclose(
                np.ma.filled(value, -1), np.ma.filled(other[name][feature], -1), rtol=1e-9, err_msg=f"{name} {feature}"
            )


def measured(nodes: Ragged) -> dict[str, np.ndarray]:
    return measure_nodes(nodes).values  # type: ignore[return-value]


def test_nodes_know_their_place() -> None:
    found = measured(nodes_of(SMALL))
    assert found["node_id"].tolist() == list(range(16))
    assert found["parent_id"].tolist() == [-1, 0, 1, 2, 2, 4, 0, 6, 0, 8, 9, 9, 9, 0, 13, 14]
    assert found["n_children"].tolist() == [4, 1, 2, 0, 1, 0, 1, 0, 1, 3, 0, 0, 0, 1, 1, 0]
    assert found["depth_nodes"].tolist() == [0, 1, 2, 3, 3, 4, 1, 2, 1, 2, 3, 3, 3, 1, 2, 3]
    assert found["branch_order"].tolist() == [0, 0, 0, 1, 1, 1, 0, 0, 0, 0, 1, 1, 1, 0, 0, 0]  # the soma is none
    assert found["path_distance"].tolist() == [0, 10, 20, 30, 30, 40, 10, 20, 10, 20, 30, 30, 30, 10, 20, 30]
    assert found["euclidean_distance"][5] == sqrt(30**2 + 10**2)
    assert np.isnan(found["edge_length"][0])
    assert set(found["tree_id"].tolist()) == {0}


def test_paths_follow_the_tree_however_it_is_ordered() -> None:
    """Against a walk up, node by node."""
    tree = random_neuron(5, n_nodes=600)
    order = np.random.default_rng(1).permutation(len(tree))
    shuffled = [tree[i] for i in order]
    at = {node[0]: np.array(node[2:5]) for node in shuffled}
    above = {node[0]: node[6] for node in shuffled}
    expected = []
    for node in shuffled:
        length, here = 0.0, node[0]
        while above[here] != -1:
            length += float(np.linalg.norm(at[here] - at[above[here]]))
            here = above[here]
        expected.append(length)
    np.testing.assert_allclose(measured(nodes_of(shuffled))["path_distance"], expected, rtol=1e-12)


def test_trees_are_numbered_by_first_node_and_the_soma_s_is_0() -> None:
    nodes = [(5, 3, 0, 0, 0, 1, -1), (6, 3, 1, 0, 0, 1, 5), (1, 1, 0, 0, 0, 5, -1), (2, 3, 0, 0, 0, 1, 1)]
    assert measured(nodes_of(nodes))["tree_id"].tolist() == [1, 1, 0, 0]


def test_trees_that_meet_late_are_one() -> None:
    # 3 and 4 come before the node that joins them; 9 is a tree of its own, met between
    nodes = [(3, 3, 0, 0, 0, 1, 2), (9, 3, 0, 0, 0, 1, -1), (4, 3, 0, 0, 0, 1, 2), (2, 3, 0, 0, 0, 1, -1)]
    assert measured(nodes_of(nodes))["tree_id"].tolist() == [0, 1, 0, 0]


def test_a_cycle_ends_and_has_no_root() -> None:
    found = measured(
        nodes_of(
            [
                (1, 1, 0, 0, 0, 5, -1),
                (2, 3, 0, 0, 0, 1, 4),
                (3, 3, 0, 0, 0, 1, 2),
                (4, 3, 1, 0, 0, 1, 3),
                (5, 3, 9, 0, 0, 1, 4),
            ]
        )
    )
    assert np.ma.getmaskarray(found["depth_nodes"]).tolist() == [False, True, True, True, True]
    assert np.isnan(found["path_distance"]).tolist() == [False, True, True, True, True]
    assert found["tree_id"].tolist() == [0, 1, 1, 1, 1]
    features(nodes_of([(1, 3, 0, 0, 0, 1, 1)]))
