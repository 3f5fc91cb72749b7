"""Operations on reconstructed neurons: nodes in, nodes out, so that they chain.

Each works on whole batches (:class:`Forest`), renumbers the nodes that stay from 0 in their order, and keeps each
node's ``original_id``. Two rules of the reference differ in detail; ``mode`` chooses: ``public`` or ``internal``.
"""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pyarrow as pa

from .morphology_trees import AXON, NODES, SOMA, Forest, first_of_rows
from .registry import Ragged, udf

_INTS, _FLOATS = pa.list_(pa.int64()), pa.list_(pa.float64())
MODES = ("public", "internal")


@udf(
    args=[_INTS, pa.list_(pa.int32()), _FLOATS, _FLOATS, _FLOATS, _FLOATS, _INTS],
    returns=NODES,
    keep_nan=True,
)
def build_nodes(
    swc_ids: Ragged,
    swc_types: Ragged,
    swc_x: Ragged,
    swc_y: Ragged,
    swc_z: Ragged,
    swc_radii: Ragged,
    swc_parents: Ragged,
) -> Ragged:
    """MO-1: the nodes of a file, renumbered from 0 in its order, parents mapped; an unknown parent makes a root.

    An id that the file uses twice means its last node.

    swc_ids ... swc_parents : ragged, one row a file, as the file has them
    returns : ragged node structs
    """
    parent = np.full(len(swc_ids.values), -1, np.int64)
    for row in range(len(swc_ids)):
        ids, wanted = swc_ids[row], swc_parents[row]
        order = np.argsort(ids, kind="stable")
        place = np.searchsorted(ids[order], wanted, side="right") - 1
        found = order[np.maximum(place, 0)] if len(ids) else np.empty(0, np.int64)
        is_known = (wanted >= 0) & (place >= 0) & (ids[found] == wanted)
        parent[swc_ids.offsets[row] : swc_ids.offsets[row + 1]] = np.where(is_known, found, -1)
    values = {
        "node_id": (np.arange(len(parent)) - np.repeat(swc_ids.offsets[:-1], swc_ids.lengths)).astype(np.int32),
        "original_id": swc_ids.values,
        "node_type": swc_types.values,
        "x": swc_x.values,
        "y": swc_y.values,
        "z": swc_z.values,
        "radius": swc_radii.values,
        "parent_id": parent.astype(np.int32),
    }
    return Ragged(values, swc_ids.offsets)  # type: ignore[arg-type]


@udf(args=[NODES, pa.int32(), pa.string()], returns=NODES, keep_nan=True)
def strip_nodes(nodes: Ragged, stripped_type: np.ndarray, mode: np.ndarray) -> Ragged:
    """MO-12: without the nodes of one type; their children become roots.

    ``internal``: a node that would go but carries one that stays is kept and takes its child's type, so that the
    first edge of a branch stays; the soma root never.
    """
    forest = Forest.of(nodes)
    return strip(forest, forest.node_type != stripped_type[forest.row], mode).nodes()


@udf(args=[NODES, pa.int32(), pa.bool_(), pa.string()], returns=NODES, keep_nan=True)
def strip_other_nodes(nodes: Ragged, kept_type: np.ndarray, keep_soma: np.ndarray, mode: np.ndarray) -> Ragged:
    """MO-12: only the nodes of one type, and the soma if it is to be kept; ``mode`` as of :func:`strip_nodes`."""
    forest = Forest.of(nodes)
    is_soma = (forest.node_type == SOMA) & keep_soma.astype(bool)[forest.row]
    return strip(forest, (forest.node_type == kept_type[forest.row]) | is_soma, mode).nodes()


def strip(forest: Forest, kept: np.ndarray, mode: np.ndarray, node_type: np.ndarray | None = None) -> Forest:
    """MO-12 of nodes that are chosen already, of types that may be others by now; see :func:`strip_nodes`."""
    types = forest.node_type if node_type is None else node_type
    is_internal = _is_internal(mode)
    if is_internal.any():
        kept, types = _rescue_parents(forest, kept, types, is_internal)
    return forest.keep(kept, node_type=types)


def _rescue_parents(
    forest: Forest, kept: np.ndarray, types: np.ndarray, is_internal: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Nodes kept, and their types, after those were kept that carry one: nodes are scanned in order, once."""
    kept, node_type = kept.copy(), types.copy()
    may_be_rescued = ~forest.is_soma_root & is_internal[forest.row]
    is_ordered = forest.is_ordered_row[forest.row]
    # Where parents come first, a parent is passed already when its child rescues it, and rescues nobody itself.
    child = np.flatnonzero(kept & ~forest.is_root & is_ordered)
    above = forest.parent[child]
    is_lost = ~kept[above] & may_be_rescued[above]
    rescued, first = np.unique(above[is_lost], return_index=True)
    kept[rescued] = True
    node_type[rescued] = types[child[is_lost][first]]
    for node in np.flatnonzero(~is_ordered & ~forest.is_root):
        above = forest.parent[node]
        if kept[node] and not kept[above] and may_be_rescued[above]:
            kept[above] = True
            node_type[above] = node_type[node]
    return kept, node_type


@udf(args=[NODES, pa.int32(), pa.string()], returns=NODES, keep_nan=True)
def sparsify_nodes(nodes: Ragged, every: np.ndarray, mode: np.ndarray) -> Ragged:
    """MO-13: of the nodes within a branch only each n-th; what was below a removed node hangs on the next above.

    Roots, tips, branch points, the soma and its children stay. Counted are all nodes (``public``), or those that may
    go (``internal``), from 0; children of the soma are those of its root (``public``), or of any node of type soma.

    every : (rows,) n, at least 1
    """
    if (every < 1).any():
        raise ValueError("wrong: sparsify keeps each n-th node, and n is at least 1")
    forest = Forest.of(nodes)
    is_internal = _is_internal(mode)[forest.row]
    is_soma = forest.node_type == SOMA
    under_soma = ~forest.is_root & np.where(is_internal, is_soma[forest.up], (is_soma & forest.is_root)[forest.up])
    fixed = forest.is_root | (forest.n_children != 1) | under_soma | is_soma
    number = np.arange(forest.n_nodes) - forest.start
    candidates = np.cumsum(~fixed) - ~fixed
    of_candidates = candidates - (candidates[forest.start] if forest.n_nodes else 0)
    counted = np.where(is_internal, of_candidates, number)
    kept = fixed | (counted % every[forest.row] == 0)
    above = forest.nearest(kept)
    return forest.keep(kept, parent=np.where(forest.is_root, -1, above[forest.up])).nodes()


@udf(args=[NODES, pa.int32()], returns=NODES, keep_nan=True)
def stumpify_nodes(nodes: Ragged, count: np.ndarray) -> Ragged:
    """MO-14: of the axon only its first nodes, from where it leaves the rest, along first children.

    Other axon trees go too. A reconstruction without an axon that leaves the rest is unchanged.

    count : (rows,) nodes of the stump
    """
    forest = Forest.of(nodes)
    is_axon = forest.node_type == AXON
    leaves = np.flatnonzero(is_axon & ~forest.is_root & (forest.node_type[forest.up] != AXON))
    rows, first = first_of_rows(forest.row[leaves])
    has_axon = np.zeros(len(forest), bool)
    has_axon[rows] = True
    kept = ~is_axon | ~has_axon[forest.row]
    at, left = leaves[first], count[rows]
    for step in range(int(min(left.max(initial=0), forest.n_nodes))):
        going = left > step
        kept[at[going]] = True
        below = forest.first_child[at]
        at = np.where(below >= 0, below, at)
    return forest.keep(kept).nodes()


@udf(args=[NODES, pa.list_(pa.float64()), pa.float64(), pa.string()], returns=NODES, keep_nan=True, nulls=True)
def transform_nodes(nodes: Ragged, affine: Ragged, radius_scale: np.ndarray, determinant: np.ndarray) -> Ragged:
    """MO-15: an affine transform; radii grow with the cube root of the change of volume.

    affine : ragged, 12 a row: the matrix row by row, then the shift (um)
    radius_scale : (rows,) what radii are multiplied by; NaN: |determinant|^(1/3)
    determinant : (rows,) ``true``, or ``public``: the reference adds the second cofactor where it is to be subtracted
    """
    forest = Forest.of(nodes)
    matrix, shift = _affine(affine)
    determinants = np.linalg.det(matrix)
    if wrong := set(determinant.tolist()) - {"true", "public"}:
        raise ValueError(f"wrong: the determinant is true or public, not {wrong.pop()!r}")
    is_public = determinant == "public"
    m = matrix[is_public]
    determinants[is_public] += 2 * m[:, 0, 1] * (m[:, 1, 0] * m[:, 2, 2] - m[:, 1, 2] * m[:, 2, 0])
    scale = np.where(np.isnan(radius_scale), np.cbrt(np.abs(determinants)), radius_scale)
    moved = np.einsum("nij,nj->ni", matrix[forest.row], forest.xyz) + shift[forest.row]
    return replace(forest, xyz=moved, radius=forest.radius * scale[forest.row]).nodes()


@udf(args=[NODES, pa.list_(pa.float64())], returns=NODES, keep_nan=True)
def rotate_nodes(nodes: Ragged, affine: Ragged) -> Ragged:
    """MO-16: only the rotation of an affine transform, as the reference takes it.

    Each column of the matrix is divided by the absolute value of its sum (no norm: matched), if that is not 0.
    """
    forest = Forest.of(nodes)
    matrix, _ = _affine(affine)
    sums = np.abs(matrix.sum(axis=1, keepdims=True))
    matrix = matrix / np.where(sums == 0, 1, sums)
    return replace(forest, xyz=np.einsum("nij,nj->ni", matrix[forest.row], forest.xyz)).nodes()


def _affine(affine: Ragged) -> tuple[np.ndarray, np.ndarray]:
    if (affine.lengths != 12).any():
        raise ValueError("wrong: an affine transform has 12 numbers, nine of the matrix row by row and the shift")
    numbers = np.asarray(affine.values, np.float64).reshape(-1, 12)
    return numbers[:, :9].reshape(-1, 3, 3).copy(), numbers[:, 9:]


@udf(args=[NODES, NODES], returns=NODES, keep_nan=True)
def append_nodes(nodes: Ragged, more: Ragged) -> Ragged:
    """MO-11: the nodes of another reconstruction after one's own, as trees of their own."""
    a, b = Forest.of(nodes), Forest.of(more)
    n_a, n_b = np.diff(a.offsets), np.diff(b.offsets)
    offsets = np.concatenate([[0], np.cumsum(n_a + n_b)])
    at_a = offsets[:-1][a.row] + np.arange(a.n_nodes) - a.start
    at_b = (offsets[:-1] + n_a)[b.row] + np.arange(b.n_nodes) - b.start
    order = np.argsort(np.concatenate([at_a, at_b]))
    parent = np.concatenate(
        [np.where(f.is_root, -1, at[f.parent] if f.n_nodes else -1) for f, at in ((a, at_a), (b, at_b))]
    )
    return Forest(
        offsets,
        np.concatenate([a.original_id, b.original_id])[order],
        np.concatenate([a.node_type, b.node_type])[order],
        np.concatenate([a.xyz, b.xyz])[order],
        np.concatenate([a.radius, b.radius])[order],
        parent[order],
    ).nodes()


@udf(args=[NODES, pa.int32(), pa.int32()], returns=NODES, keep_nan=True)
def rewire_nodes(nodes: Ragged, child: np.ndarray, new_parent: np.ndarray) -> Ragged:
    """MO-11: one node hung on another, or made a root by a parent of -1."""
    forest = Forest.of(nodes)
    n = np.diff(forest.offsets)
    for name, node in (("child", child), ("parent", np.maximum(new_parent, 0))):
        if ((node < 0) | (node >= n)).any():
            raise ValueError(f"wrong: the {name} is no node of the reconstruction")
    parent = forest.parent.copy()
    parent[forest.offsets[:-1] + child] = np.where(new_parent < 0, -1, forest.offsets[:-1] + new_parent)
    return replace(forest, parent=parent).nodes()


@udf(args=[NODES, pa.int32(), pa.int32()], returns=NODES, keep_nan=True)
def retype_nodes(nodes: Ragged, from_type: np.ndarray, to_type: np.ndarray) -> Ragged:
    """MO-11: all nodes of one type made another."""
    forest = Forest.of(nodes)
    is_it = forest.node_type == from_type[forest.row]
    return replace(forest, node_type=np.where(is_it, to_type[forest.row], forest.node_type).astype(np.int32)).nodes()


@udf(args=[NODES, pa.int32()], returns=NODES, keep_nan=True)
def drop_tree(nodes: Ragged, tree: np.ndarray) -> Ragged:
    """MO-11: without one tree; a negative number drops none. Raises ValueError for a tree that is not there."""
    forest = Forest.of(nodes)
    n_trees = np.zeros(len(forest), np.int64)
    np.maximum.at(n_trees, forest.row, forest.tree_id + 1)
    if (tree >= n_trees).any():
        raise ValueError(f"wrong: there is no tree {int(tree[tree >= n_trees][0])}")
    return forest.keep(forest.tree_id != tree[forest.row]).nodes()


def _is_internal(mode: np.ndarray) -> np.ndarray:
    if wrong := set(mode.tolist()) - set(MODES):
        raise ValueError(f"wrong: mode is {' or '.join(MODES)}, not {wrong.pop()!r}")
    return np.asarray(mode == "internal", bool)
