"""Operations on reconstructed neurons: what stays, what it hangs on, and under which number."""

from __future__ import annotations

from collections.abc import Callable
from math import cos, pi, sin
from typing import Any

import numpy as np
import pytest
from brainlake.tests.fixtures.swc import SMALL, Node, changed, nodes_of, random_neuron
from brainlake.udfs.morphology_operations import (
    append_nodes,
    build_nodes,
    drop_tree,
    retype_nodes,
    rewire_nodes,
    rotate_nodes,
    sparsify_nodes,
    strip_nodes,
    strip_other_nodes,
    stumpify_nodes,
    transform_nodes,
)
from brainlake.udfs.registry import Ragged

IDENTITY = [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]


def each(*values: Any, kind: Any = np.int32) -> np.ndarray:
    """An argument of a kernel: a value a row."""
    return np.array(values, kind)


def mode(name: str) -> np.ndarray:
    return each(name, kind=object)


def tree_of(nodes: Ragged, row: int = 0) -> dict[int, int]:
    """The file's id of each node -> that of its parent, -1 for a root."""
    at = slice(nodes.offsets[row], nodes.offsets[row + 1])
    ids: list[int] = nodes.values["original_id"][at].tolist()  # type: ignore[call-overload]
    parents: list[int] = nodes.values["parent_id"][at].tolist()  # type: ignore[call-overload]
    assert nodes.values["node_id"][at].tolist() == list(range(len(ids)))  # type: ignore[call-overload]
    return {own: ids[parent] if parent >= 0 else -1 for own, parent in zip(ids, parents, strict=True)}


def column(nodes: Ragged, name: str) -> list[Any]:
    return nodes.values[name].tolist()  # type: ignore[call-overload, no-any-return]


ALL = {node[0]: node[6] for node in SMALL}


def test_nodes_are_numbered_in_the_order_of_the_file_and_parents_follow() -> None:
    nodes = nodes_of([(7, 3, 1, 2, 3, 0.5, 9), (9, 1, 0, 0, 0, 4, -1), (8, 2, 0, 0, 0, 1, 12)])
    assert column(nodes, "parent_id") == [1, -1, -1]  # 12 is not there: a root
    assert tree_of(nodes) == {7: 9, 9: -1, 8: -1}
    assert (column(nodes, "x"), column(nodes, "radius")) == ([1, 0, 0], [0.5, 4, 1])


def test_an_id_used_twice_is_its_last_node() -> None:
    nodes = nodes_of([(1, 1, 0, 0, 0, 1, -1), (2, 3, 0, 0, 0, 1, 1), (2, 3, 5, 0, 0, 1, 1), (3, 3, 0, 0, 0, 1, 2)])
    assert column(nodes, "parent_id") == [-1, 0, 0, 2]


def test_stripping_a_type_makes_roots_of_its_children() -> None:
    nodes = nodes_of(changed((15, {"type": 3}), (16, {"type": 3})))
    stripped = tree_of(strip_nodes(nodes, each(2), mode("public")))
    assert stripped == {**{i: p for i, p in ALL.items() if i != 14}, 15: -1}


def test_internal_stripping_keeps_the_node_that_carries_what_stays() -> None:
    nodes = nodes_of(changed((15, {"type": 3}), (16, {"type": 3})))
    stripped = strip_nodes(nodes, each(2), mode("internal"))
    assert tree_of(stripped) == ALL  # 14 carries 15, and becomes a dendrite
    assert column(stripped, "node_type")[13] == 3


@pytest.mark.parametrize("which", ["public", "internal"])
def test_what_hangs_on_the_soma_root_becomes_a_root_in_either_mode(which: str) -> None:
    stripped = strip_other_nodes(nodes_of(SMALL), each(4), each(False, kind=bool), mode(which))
    assert tree_of(stripped) == {9: -1, 10: 9, 11: 10, 12: 10, 13: 10}


def test_the_soma_stays_where_it_is_asked_for() -> None:
    stripped = strip_other_nodes(nodes_of(SMALL), each(4), each(True, kind=bool), mode("public"))
    assert tree_of(stripped) == {1: -1, 9: 1, 10: 9, 11: 10, 12: 10, 13: 10}


def test_internal_rescue_goes_on_where_parents_come_late() -> None:
    """Nodes are scanned in order: a parent that is yet to come rescues its own parent in its turn."""
    chain: list[Node] = [(4, 3, 0, 0, 0, 1, 3), (3, 2, 0, 0, 0, 1, 2), (2, 2, 0, 0, 0, 1, 1), (1, 1, 0, 0, 0, 5, -1)]
    assert tree_of(strip_nodes(nodes_of(chain), each(2), mode("internal"))) == {4: 3, 3: 2, 2: 1, 1: -1}
    upright = chain[::-1]
    assert tree_of(strip_nodes(nodes_of(upright), each(2), mode("internal"))) == {1: -1, 3: -1, 4: 3}


def chain_of(n: int) -> list[Node]:
    """A soma and a chain of n nodes; the second, first of them, is the soma's child."""
    return [(1, 1, 0, 0, 0, 5, -1), *((i + 1, 3, i, 0, 0, 1, i) for i in range(1, n + 1))]


def test_public_sparsifying_counts_all_nodes() -> None:
    # ids 1 ... 11 are nodes 0 ... 10: soma, its child (2) and the tip (11) stay; of the rest nodes 3, 6, 9
    assert tree_of(sparsify_nodes(nodes_of(chain_of(10)), each(3), mode("public"))) == {
        1: -1, 2: 1, 4: 2, 7: 4, 10: 7, 11: 10,
    }  # fmt: skip


def test_internal_sparsifying_counts_those_that_may_go() -> None:
    # candidates are ids 3 ... 10: the first, fourth and seventh of them stay
    assert tree_of(sparsify_nodes(nodes_of(chain_of(10)), each(3), mode("internal"))) == {
        1: -1, 2: 1, 3: 2, 6: 3, 9: 6, 11: 9,
    }  # fmt: skip


def test_each_row_is_counted_for_itself() -> None:
    both = sparsify_nodes(nodes_of(chain_of(9), chain_of(10)), each(3, 3), each("internal", "internal", kind=object))
    assert tree_of(both, 1) == {1: -1, 2: 1, 3: 2, 6: 3, 9: 6, 11: 9}


def test_sparsifying_by_one_changes_nothing_and_by_zero_is_refused() -> None:
    nodes = nodes_of(SMALL)
    assert tree_of(sparsify_nodes(nodes, each(1), mode("public"))) == ALL
    with pytest.raises(ValueError, match="at least 1"):
        sparsify_nodes(nodes, each(0), mode("public"))


def test_a_stump_is_the_axon_s_first_nodes() -> None:
    assert tree_of(stumpify_nodes(nodes_of(SMALL), each(2))) == {i: p for i, p in ALL.items() if i != 16}
    assert tree_of(stumpify_nodes(nodes_of(SMALL), each(99))) == ALL
    assert tree_of(stumpify_nodes(nodes_of(SMALL), each(0))) == {i: p for i, p in ALL.items() if i < 14}


def test_a_stump_follows_first_children_and_other_axons_go() -> None:
    tree = [*SMALL, (17, 2, 5, -20, 0, 1, 15), (18, 2, 50, 50, 0, 1, -1)]
    assert 17 not in (stump := tree_of(stumpify_nodes(nodes_of(tree), each(3))))
    assert 18 not in stump
    assert stump[16] == 15


def test_an_axon_that_hangs_on_nothing_is_left_alone() -> None:
    tree = changed((14, {"parent": -1}))
    assert tree_of(stumpify_nodes(nodes_of(tree), each(1))) == {**ALL, 14: -1}


def affine(*rows: list[float]) -> Ragged:
    return Ragged.of(rows, np.float64)


def transformed(matrix: list[float], determinant: str = "true", scale: float = np.nan) -> Ragged:
    return transform_nodes(nodes_of(SMALL), affine(matrix), each(scale, kind=float), mode(determinant))


def test_an_affine_transform_moves_nodes_and_scales_radii_by_the_volume() -> None:
    moved = transformed([2, 0, 0, 0, 3, 0, 0, 0, 4.5, 1, 2, 3])
    assert (column(moved, "x")[3], column(moved, "y")[8], column(moved, "z")[7]) == (61, 32, 48)
    assert column(moved, "radius")[0] == pytest.approx(5 * 3)  # (2 * 3 * 4.5) ** (1 / 3)
    assert column(transformed(IDENTITY, scale=0.1), "radius")[0] == pytest.approx(0.5)


def test_the_public_determinant_has_a_wrong_sign() -> None:
    """It adds the second cofactor: |2 * 2 + 1 * 1| where the matrix has 2 * 2 - 1 * 1 (matched on request)."""
    matrix = [2, 1, 0, 1, 2, 0, 0, 0, 1, 0, 0, 0]
    assert column(transformed(matrix), "radius")[0] == pytest.approx(5 * 3 ** (1 / 3))
    assert column(transformed(matrix, "public"), "radius")[0] == pytest.approx(5 * 5 ** (1 / 3))


def test_the_reference_s_rotation_divides_columns_by_their_sums() -> None:
    a = pi / 6
    turned = rotate_nodes(nodes_of(SMALL), affine([cos(a), -sin(a), 0, sin(a), cos(a), 0, 0, 0, 0, 9, 9, 9]))
    # columns sum to cos + sin, cos - sin and 0 (left alone); node 4 lies at (30, 0, 0)
    assert column(turned, "x")[3] == pytest.approx(30 * cos(a) / (cos(a) + sin(a)))
    assert column(turned, "y")[3] == pytest.approx(30 * sin(a) / (cos(a) + sin(a)))
    assert column(turned, "radius") == column(nodes_of(SMALL), "radius")


def test_appended_nodes_are_trees_of_their_own() -> None:
    both = append_nodes(nodes_of(SMALL, SMALL[:1]), nodes_of(SMALL[:2], SMALL[:2]))
    assert column(both, "parent_id")[:18] == [*column(nodes_of(SMALL), "parent_id"), -1, 16]
    assert column(both, "parent_id")[18:] == [-1, -1, 1]


def test_one_node_is_hung_on_another() -> None:
    nodes = nodes_of(SMALL)
    assert tree_of(rewire_nodes(nodes, each(7), each(3))) == {**ALL, 8: 4}
    assert tree_of(rewire_nodes(nodes, each(7), each(-1))) == {**ALL, 8: -1}
    for child, parent in ((16, 0), (-1, 0), (0, 16)):
        with pytest.raises(ValueError, match="is no node"):
            rewire_nodes(nodes, each(child), each(parent))


def test_types_are_converted() -> None:
    assert column(retype_nodes(nodes_of(SMALL), each(4), each(3)), "node_type").count(3) == 12


def test_a_tree_is_deleted_by_its_number() -> None:
    two = nodes_of([*SMALL, (20, 2, 0, 0, 0, 1, -1), (21, 2, 0, 0, 0, 1, 20)])
    assert tree_of(drop_tree(two, each(1))) == ALL
    assert tree_of(drop_tree(two, each(0))) == {20: -1, 21: 20}
    assert len(tree_of(drop_tree(two, each(-1)))) == 18
    with pytest.raises(ValueError, match="no tree 2"):
        drop_tree(two, each(2))


@pytest.mark.parametrize(
    "wrong",
    [
        lambda nodes: strip_nodes(nodes, each(2), mode("other")),
        lambda nodes: transform_nodes(nodes, affine([1, 2, 3]), each(1, kind=float), mode("true")),
        lambda nodes: transform_nodes(nodes, affine(IDENTITY), each(1, kind=float), mode("other")),
    ],
)
def test_a_wrong_option_is_named(wrong: Callable[[Ragged], object]) -> None:
    with pytest.raises(ValueError, match=r"^wrong: "):
        wrong(nodes_of(SMALL))


def test_nothing_stays_nothing() -> None:
    none = build_nodes(*(Ragged(np.empty(0, kind), np.array([0, 0])) for kind in "qiddddq"))
    for result in (
        strip_nodes(none, each(2), mode("internal")),
        sparsify_nodes(none, each(2), mode("internal")),
        stumpify_nodes(none, each(2)),
        append_nodes(none, none),
        retype_nodes(none, each(2), each(3)),
    ):
        assert result.offsets.tolist() == [0, 0]


def test_operations_of_a_batch_are_those_of_its_rows() -> None:
    trees = [random_neuron(seed, n_nodes=300) for seed in range(4)]
    internal = each(*["internal"] * 4, kind=object)
    together = strip_nodes(sparsify_nodes(nodes_of(*trees), each(2, 3, 4, 5), internal), each(2, 2, 4, 4), internal)
    for row, (tree, every, kind) in enumerate(zip(trees, (2, 3, 4, 5), (2, 2, 4, 4), strict=True)):
        thin = sparsify_nodes(nodes_of(tree), each(every), mode("internal"))
        assert tree_of(together, row) == tree_of(strip_nodes(thin, each(kind), mode("internal")))
