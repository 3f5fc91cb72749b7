"""Trees of nodes, many at a time: how the kernels of reconstructed neurons see them.

A reconstruction is a list of nodes (struct), each with its parent; a batch of them is one :class:`Forest`. What follows
a path (length to the root, next branch point above) is found by doubling: in every round each node skips twice as far,
so that a batch of millions of nodes takes some twenty passes, whatever their order. Nodes on a cycle have no root.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pyarrow as pa

from .registry import Ragged

UNDEFINED, SOMA, AXON, BASAL_DENDRITE, APICAL_DENDRITE = range(5)

NODES = pa.list_(
    pa.struct(
        [
            ("node_id", pa.int32()),
            ("original_id", pa.int64()),
            ("node_type", pa.int32()),
            ("x", pa.float64()),
            ("y", pa.float64()),
            ("z", pa.float64()),
            ("radius", pa.float64()),
            ("parent_id", pa.int32()),
        ]
    )
)


@dataclass(frozen=True)
class Forest:
    """Nodes of several reconstructions, one after the other.

    offsets : (rows + 1,) where each reconstruction's nodes begin
    original_id, node_type : (nodes,) the file's id of a node, and its type
    xyz, radius : (nodes, 3), (nodes,) um
    parent : (nodes,) index of the parent among all nodes, -1 for a root
    """

    offsets: np.ndarray
    original_id: np.ndarray
    node_type: np.ndarray
    xyz: np.ndarray
    radius: np.ndarray
    parent: np.ndarray

    @classmethod
    def of(cls, nodes: Ragged) -> Forest:
        """From a column of lists of node structs. A parent outside of its list makes a root."""
        values: dict[str, np.ndarray] = nodes.values  # type: ignore[assignment]
        start = np.repeat(nodes.offsets[:-1], nodes.lengths)
        stop = np.repeat(nodes.offsets[1:], nodes.lengths)
        local = np.nan_to_num(np.asarray(values["parent_id"], np.float64), nan=-1).astype(np.int64)
        parent = np.where((local >= 0) & (local + start < stop), local + start, -1)
        return cls(
            np.asarray(nodes.offsets, np.int64),
            np.nan_to_num(values["original_id"]).astype(np.int64),
            np.nan_to_num(values["node_type"]).astype(np.int32),
            np.column_stack([values["x"], values["y"], values["z"]]).astype(np.float64),
            np.asarray(values["radius"], np.float64),
            parent,
        )

    def nodes(self) -> Ragged:
        """As a column of lists of node structs; ids count from 0 in each."""
        start = self.start
        values = {
            "node_id": (np.arange(len(self.parent)) - start).astype(np.int32),
            "original_id": self.original_id,
            "node_type": self.node_type,
            "x": self.xyz[:, 0],
            "y": self.xyz[:, 1],
            "z": self.xyz[:, 2],
            "radius": self.radius,
            "parent_id": np.where(self.parent >= 0, self.parent - start, -1).astype(np.int32),
        }
        return Ragged(values, self.offsets)  # type: ignore[arg-type]

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def n_nodes(self) -> int:
        return len(self.parent)

    @cached_property
    def row(self) -> np.ndarray:
        """(nodes,) the reconstruction that each node belongs to."""
        return np.repeat(np.arange(len(self)), np.diff(self.offsets))

    @cached_property
    def start(self) -> np.ndarray:
        """(nodes,) index of the first node of the same reconstruction."""
        return self.offsets[self.row]

    @cached_property
    def is_root(self) -> np.ndarray:
        return self.parent < 0

    @cached_property
    def up(self) -> np.ndarray:
        """(nodes,) the parent, and of a root itself: safe to index with."""
        return np.where(self.is_root, np.arange(self.n_nodes), self.parent)

    @cached_property
    def n_children(self) -> np.ndarray:
        return np.bincount(self.parent[~self.is_root], minlength=self.n_nodes)

    @cached_property
    def first_child(self) -> np.ndarray:
        """(nodes,) the child that comes first in the file, -1 of a tip."""
        first = np.full(self.n_nodes, self.n_nodes, np.int64)
        child = np.flatnonzero(~self.is_root)
        np.minimum.at(first, self.parent[child], child)
        return np.where(first == self.n_nodes, -1, first)

    @cached_property
    def is_ordered_row(self) -> np.ndarray:
        """(rows,) every parent comes before its children, as in most files."""
        late = self.row[self.parent >= np.arange(self.n_nodes)]
        is_ordered = np.ones(len(self), bool)
        is_ordered[late] = False
        return is_ordered

    @cached_property
    def root(self) -> np.ndarray:
        """(nodes,) the root above each node, -1 for nodes on or below a cycle."""
        above = self.nearest(self.is_root)
        return np.where(self.is_root[above], above, -1)

    def nearest(self, is_stop: np.ndarray, above: np.ndarray | None = None) -> np.ndarray:
        """The nearest stop on the way from each node to its root, itself included; roots stop always.

        A node on a cycle without a stop gets some node of it.
        """
        jump = np.where(is_stop, np.arange(self.n_nodes), self.up if above is None else above)
        for _ in range(_rounds(self.n_nodes)):
            further = jump[jump]
            if np.array_equal(further, jump):
                break
            jump = further
        return jump

    def summed(self, steps: np.ndarray) -> np.ndarray:
        """Sum of a quantity of each node's step to its parent, from the node to its root; (nodes,) or (nodes, k).

        A root has no step. A node on or below a cycle gets NaN (of integers, -1).
        """
        total = np.where(self.is_root.reshape(-1, *[1] * (steps.ndim - 1)), 0, steps)
        jump = self.up
        for _ in range(_rounds(self.n_nodes)):
            if self.is_root[jump].all():
                break
            total = total + total[jump]
            jump = jump[jump]
        # where the last jump does not end at a root, the path has no end
        missing = ~self.is_root[jump]
        # a root adds nothing more, so that what is past it is not counted twice
        total[missing] = np.nan if total.dtype.kind == "f" else -1
        return total

    @cached_property
    def edge_length(self) -> np.ndarray:
        """(nodes,) um from each node to its parent, 0 for a root."""
        step = self.xyz - self.xyz[self.up]
        return np.sqrt((step * step).sum(axis=1))

    @cached_property
    def path_length(self) -> np.ndarray:
        """(nodes,) um along the tree from each node to its root."""
        return self.summed(self.edge_length)

    @cached_property
    def tree_id(self) -> np.ndarray:
        """(nodes,) MO-1: connected trees, from 0 in each reconstruction; the tree of its first soma node is tree 0."""
        # where parents come first, a tree is met with its root
        met = np.cumsum(self.is_root)
        tree = met[self.root] - (met - self.is_root)[self.start] - 1 if self.n_nodes else met
        for row in np.flatnonzero(~self.is_ordered_row):
            at = slice(self.offsets[row], self.offsets[row + 1])
            parent = np.where(self.is_root[at], -1, self.parent[at] - self.offsets[row])
            _, tree[at] = np.unique(_labels_as_met(parent), return_inverse=True)
        return self._soma_first(tree)

    def _soma_first(self, tree: np.ndarray) -> np.ndarray:
        """The tree of each reconstruction's first soma node swaps its number with tree 0."""
        soma = np.flatnonzero(self.node_type == SOMA)
        rows, first = first_of_rows(self.row[soma])
        of_soma = np.zeros(len(self), np.int64)
        of_soma[rows] = tree[soma[first]]
        wanted = of_soma[self.row]
        return np.where(tree == wanted, 0, np.where(tree == 0, wanted, tree))

    @cached_property
    def soma_root(self) -> np.ndarray:
        """(rows,) MO-2: the first node of tree 0 if it is of type soma, else -1."""
        found = np.full(len(self), -1, np.int64)
        main = np.flatnonzero(self.tree_id == 0)
        rows, first = first_of_rows(self.row[main])
        first = main[first]
        is_soma = self.node_type[first] == SOMA
        found[rows[is_soma]] = first[is_soma]
        return found

    @cached_property
    def is_soma_root(self) -> np.ndarray:
        is_it = np.zeros(self.n_nodes, bool)
        is_it[self.soma_root[self.soma_root >= 0]] = True
        return is_it

    def keep(self, kept: np.ndarray, parent: np.ndarray | None = None, node_type: np.ndarray | None = None) -> Forest:
        """The forest of the nodes that are kept; children of others become roots.

        parent, node_type : as they are to be (indices among all nodes), by default as they are
        """
        above = self.parent if parent is None else parent
        types = self.node_type if node_type is None else node_type
        new_index = np.cumsum(kept) - 1
        has_parent = (above >= 0) & kept[np.maximum(above, 0)] if self.n_nodes else np.zeros(0, bool)
        renumbered = np.where(has_parent, new_index[np.maximum(above, 0)] if self.n_nodes else 0, -1)
        return Forest(
            np.concatenate([[0], np.cumsum(kept)])[self.offsets],
            self.original_id[kept],
            types[kept],
            self.xyz[kept],
            self.radius[kept],
            renumbered[kept],
        )


def _labels_as_met(parent: np.ndarray) -> np.ndarray:
    """Labels of connected nodes where parents may come late: nodes are added in order, trees that meet are merged.

    A label is the number of the tree that the others were merged into: that of the parent, else of the first child.
    """
    children: list[list[int]] = [[] for _ in parent]
    for node, above in enumerate(parent.tolist()):
        if above >= 0:
            children[above].append(node)
    label: list[int] = [-1] * len(parent)
    merged: list[int] = []  # of each tree, the one it was merged into

    def find(tree: int) -> int:
        while merged[tree] != tree:
            merged[tree] = merged[merged[tree]]
            tree = merged[tree]
        return tree

    for node, above in enumerate(parent.tolist()):
        met = [find(label[other]) for other in ([above] if above >= 0 else []) + children[node] if label[other] >= 0]
        if not met:
            label[node] = len(merged)
            merged.append(len(merged))
            continue
        label[node] = met[0]
        for other in met[1:]:
            merged[other] = met[0]
    return np.array([find(tree) for tree in label], np.int64)


def joined(forests: Sequence[Forest]) -> Forest:
    """Several batches as one, their rows one after the other."""
    before = np.concatenate([[0], np.cumsum([one.n_nodes for one in forests])])
    return Forest(
        np.concatenate([[0], *(one.offsets[1:] + first for one, first in zip(forests, before, strict=False))]),
        np.concatenate([one.original_id for one in forests]),
        np.concatenate([one.node_type for one in forests]),
        np.concatenate([one.xyz for one in forests]),
        np.concatenate([one.radius for one in forests]),
        np.concatenate(
            [np.where(one.is_root, -1, one.parent + first) for one, first in zip(forests, before, strict=False)]
        ),
    )


def first_of_rows(rows: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The distinct of ascending row numbers, and where each is first."""
    first = np.flatnonzero(np.diff(rows, prepend=-1))
    return rows[first], first


def _rounds(n: int) -> int:
    """Doublings after which every path of n nodes has ended."""
    return max(int(n).bit_length() + 1, 1)
