"""Every rule of SWC readers has a tree that breaks it, and the sound tree breaks none."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.tests.fixtures.swc import BROKEN, SMALL, Node, nodes_of, random_neuron, swc_lines
from brainlake.udfs.morphology_checks import check_nodes, findings, swc_text
from brainlake.udfs.morphology_features import measure_nodes, neurite_features
from brainlake.udfs.morphology_operations import (
    append_nodes,
    sparsify_nodes,
    strip_nodes,
    strip_other_nodes,
    stumpify_nodes,
)
from brainlake.udfs.registry import Ragged
from hypothesis import given, settings
from hypothesis import strategies as st

WARNINGS = {("internal", "one_soma"), ("internal", "one_root"), ("values", "positive_radius")}


def broken(tree: list[Node] | tuple[Node, ...]) -> dict[tuple[str, str], str]:
    """Rule -> severity."""
    ids, parents = np.array([node[0] for node in tree]), np.array([node[6] for node in tree])
    return {(f.rule_set, f.rule): f.severity for f in findings(ids, parents, nodes_of(tree))}


def test_a_sound_tree_breaks_no_rule() -> None:
    assert broken(SMALL) == {}


@pytest.mark.parametrize("rule", BROKEN, ids="_".join)
def test_a_rule_is_told_where_it_is_broken(rule: tuple[str, str]) -> None:
    found = broken(list(BROKEN[rule]))
    assert found[rule] == ("warning" if rule in WARNINGS else "error")


def test_a_rule_names_the_first_node_that_breaks_it() -> None:
    tree = BROKEN["internal", "parents_exist"]
    columns = [np.array(c) for c in zip(*tree, strict=True)]
    kinds = (np.int64, np.int32, float, float, float, float, np.int64)
    offsets = np.array([0, 0, len(tree)])  # an empty file first
    found = check_nodes(*(Ragged(c.astype(kind), offsets) for c, kind in zip(columns, kinds, strict=True)))
    assert found.offsets.tolist()[:2] == [0, 3]  # the empty one has no soma, no root of that type, nor any node
    assert 16 in found.values["original_id"].compressed().tolist()  # type: ignore[call-overload]


def test_a_file_without_a_soma_is_said_to_have_none_by_all_sets() -> None:
    found = broken([(1, 3, 0, 0, 0, 1, -1)])
    assert {rule for _, rule in found} == {"one_soma", "soma_root", "has_soma", "soma_first"}


def test_the_text_of_a_tree_is_what_it_was_read_from() -> None:
    nodes = nodes_of(SMALL, random_neuron(1, n_nodes=50))
    small, _ = swc_text(nodes)
    lines = small.splitlines()
    assert lines[0] == "#n,type,x,y,z,radius,parent"
    assert lines[1] == "0 1 0.0000 0.0000 0.0000 5.0000 -1"
    assert lines[16] == "15 2 0.0000 -30.0000 0.0000 0.5000 14"
    assert len(lines) == 1 + len(swc_lines(SMALL))


ANY_NODE = st.tuples(
    st.integers(-2, 12), st.integers(-1, 6), *[st.sampled_from([0.0, 1.0, -2.5, 1e300, np.nan, np.inf])] * 4,
    st.integers(-2, 13),
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(st.lists(ANY_NODE, max_size=14), min_size=1, max_size=4), st.sampled_from(["public", "internal"]))
def test_whatever_a_file_holds_kernels_answer(trees: list[list[Node]], which: str) -> None:
    """Cycles, doubled ids, no numbers, no nodes: no error, no endless walk, and as many rows as were given."""
    if not any(trees):
        return
    nodes = nodes_of(*trees)
    mode, two = np.array([which] * len(trees), object), np.full(len(trees), 2, np.int32)
    for result in (
        measure_nodes(nodes), neurite_features(nodes), strip_nodes(nodes, two, mode),
        strip_other_nodes(nodes, two, two > 0, mode), sparsify_nodes(nodes, two, mode), stumpify_nodes(nodes, two),
        append_nodes(nodes, nodes),
    ):  # fmt: skip
        assert len(result) == len(trees)
    assert len(swc_text(nodes)) == len(trees)
    for tree in trees:
        if tree:
            broken(tree)
