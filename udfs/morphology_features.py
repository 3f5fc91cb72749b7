"""What is measured of reconstructed neurons: per node, and per set of neurites.

Formulas: the published columns of the Cell Types Database (spec MF), reference errors kept and a corrected column
beside each. A *set* of neurites is what is left of a reconstruction when all else is stripped (MO-12 internal, without
soma): each stem is a tree of its own, whose edge to the soma is gone. A *segment* runs from a branch point to the next
branch point or tip; the one from a root to its first branch point is *initial*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa

from .morphology_operations import strip
from .morphology_trees import APICAL_DENDRITE, AXON, BASAL_DENDRITE, NODES, SOMA, Forest, first_of_rows, joined
from .registry import Ragged, udf

_MEASURED = pa.list_(
    pa.struct(
        [
            *NODES.value_type,
            pa.field("tree_id", pa.int32()),
            pa.field("n_children", pa.int32()),
            pa.field("depth_nodes", pa.int32()),
            pa.field("branch_order", pa.int32()),
            pa.field("edge_length", pa.float64()),
            pa.field("path_distance", pa.float64()),
            pa.field("euclidean_distance", pa.float64()),
        ]
    )
)


@udf(args=[NODES], returns=_MEASURED)
def measure_nodes(nodes: Ragged) -> Ragged:
    """Each node with its place in its tree.

    returns : ragged structs: the node; ``tree_id``; ``n_children``; ``depth_nodes`` edges to its root;
        ``branch_order`` branch points above it, soma not counted; ``edge_length``, ``path_distance`` um to its parent
        and along the tree to its root; ``euclidean_distance`` um to the soma root. NaN where a soma or root is missing.
    """
    forest = Forest.of(nodes)
    is_cut = forest.root < 0  # on or below a cycle
    with np.errstate(all="ignore"):  # a file may hold any numbers; what they give is NaN or infinite
        values = {
            **forest.nodes().values,  # type: ignore[dict-item]
            "tree_id": forest.tree_id.astype(np.int32),
            "n_children": forest.n_children.astype(np.int32),
            "depth_nodes": np.ma.array(forest.summed(np.ones(forest.n_nodes, np.int64)), np.int32, mask=is_cut),
            "branch_order": np.ma.array(branch_order(forest), np.int32, mask=is_cut),
            "edge_length": np.where(forest.is_root, np.nan, forest.edge_length),
            "path_distance": forest.path_length,
            "euclidean_distance": _soma_distance(forest),
        }
    return Ragged(values, forest.offsets)  # type: ignore[arg-type]


def branch_order(forest: Forest) -> np.ndarray:
    """(nodes,) branch points above each node, those of type soma not counted."""
    return forest.summed(is_branch_point(forest)[forest.up].astype(np.int64))


def is_branch_point(forest: Forest) -> np.ndarray:
    return (forest.n_children >= 2) & (forest.node_type != SOMA)


@dataclass(frozen=True)
class NeuriteSet:
    """A set of neurites: the types it is made of, and how much of it is measured."""

    name: str
    types: tuple[int, ...]
    connected_only: bool = False  # without trees that do not hang on the soma
    extent_only: bool = False  # only dimensions and moments of edges: scattered pieces have no branches


SETS = (
    NeuriteSet("dendrite", (BASAL_DENDRITE, APICAL_DENDRITE)),
    NeuriteSet("basal_dendrite", (BASAL_DENDRITE,)),
    NeuriteSet("apical_dendrite", (APICAL_DENDRITE,)),
    NeuriteSet("axon", (AXON,), connected_only=True),
    NeuriteSet("axon_cloud", (AXON,), extent_only=True),
    NeuriteSet("all_neurites", (AXON, BASAL_DENDRITE, APICAL_DENDRITE)),
    # The reference converts the types of another object, and so measures basal dendrites (matched).
    NeuriteSet("all_neurites_reference", (BASAL_DENDRITE,)),
)

# Sets of the same nodes are measured once.
MEASURED = tuple({(*one.types, one.connected_only, one.extent_only): one for one in reversed(SETS)}.values())
_PLACES = [next(k for k, m in enumerate(MEASURED) if replace(m, name=one.name) == one) for one in SETS]
NODES_AT_ONCE = 30_000

_COUNTS = (
    "number_nodes", "number_stems", "number_bifurcations", "number_branches", "number_tips", "max_branch_order", "number_neurites",
    "number_outer_bifurcations",
)  # fmt: skip
_EXTENTS = ("overall_width", "overall_height", "overall_depth")
_MOMENTS = tuple(
    f"{name}_{axis}"
    for of in ("compartment", "bifurcation")
    for name in (f"first_{of}_moment", f"{of}_stdev", f"{of}_centroid_over_distance", f"{of}_stdev_over_distance",
                 f"{of}_stdev_over_centroid", f"{of}_stdev_over_centroid_corrected")
    for axis in "xyz"
)  # fmt: skip
_LENGTHS = (
    "total_length", "total_surface", "total_volume", "total_volume_corrected", "average_diameter",
    "max_euclidean_distance", "max_path_distance", "average_contraction", "average_fragmentation", "average_parent_daughter_ratio",
    "parent_daughter_ratio", "average_bifurcation_angle_local", "average_bifurcation_angle_remote", "soma_surface",
    "neurites_over_branches",
)  # fmt: skip
FEATURES = (*_EXTENTS, *_COUNTS, *_LENGTHS, *_MOMENTS)

_FEATURES = pa.list_(
    pa.struct(
        [("neurite_type", pa.string()), *((name, pa.int32() if name in _COUNTS else pa.float64()) for name in FEATURES)]
    )
)


@udf(args=[NODES], returns=_FEATURES)
def neurite_features(nodes: Ragged) -> Ragged:
    """Every feature of every set of neurites (spec 4.10); NaN where a set is empty or a feature has nothing to measure.

    returns : ragged structs, one a set of :data:`SETS`: ``neurite_type``, and the features under their table names,
        um, um2, um3, degrees
    """
    by_part = []
    with np.errstate(all="ignore"):  # a file may hold any numbers; what they give is NaN or infinite
        for part in _parts(nodes):
            by_part.append(_features(Forest.of(part), MEASURED))
    n, k = len(nodes), len(SETS)
    values: dict[str, np.ndarray] = {"neurite_type": np.tile(np.array([s.name for s in SETS], object), n)}
    for name in FEATURES:
        column = np.concatenate([found[name][_PLACES].T.ravel() for found in by_part]) if by_part else np.empty(0)
        if name in _COUNTS:
            is_missing = np.isnan(column)
            values[name] = np.ma.array(np.where(is_missing, 0, column).astype(np.int32), mask=is_missing)
        else:
            values[name] = column
    return Ragged(values, np.arange(n + 1, dtype=np.int64) * k)  # type: ignore[arg-type]


def _parts(nodes: Ragged) -> Iterator[Ragged]:
    """Rows some at a time, so many that their arrays stay in a processor's cache."""
    first = 0
    while first < len(nodes):
        stop = int(np.searchsorted(nodes.offsets, nodes.offsets[first] + NODES_AT_ONCE, side="right")) - 1
        stop = min(max(stop, first + 1), len(nodes))
        at = slice(nodes.offsets[first], nodes.offsets[stop])
        values = {name: column[at] for name, column in nodes.values.items()}  # type: ignore[attr-defined]
        yield Ragged(values, nodes.offsets[first : stop + 1] - nodes.offsets[first])  # type: ignore[arg-type]
        first = stop


def features_of(forest: Forest, neurites: NeuriteSet) -> dict[str, np.ndarray]:
    """Features of one set of neurites, each (rows,) float64; the names of :data:`FEATURES`."""
    return {name: values[0] for name, values in _features(forest, (neurites,)).items()}


def _features(forest: Forest, sets: Sequence[NeuriteSet]) -> dict[str, np.ndarray]:
    """Features of several sets at once, each (sets, rows): their trees are measured as one forest."""
    n, k = len(forest), len(sets)
    members, trees = zip(*(_cut(forest, one) for one in sets), strict=True)
    tree = joined(trees)
    centre = np.tile(_soma_position(forest), (k, 1))
    found = dict.fromkeys(FEATURES, np.full(n * k, np.nan))
    found |= _extents(tree)
    found |= _moments("compartment", *_edge_centres(tree), centre, found)
    segments = Segments.of(tree)
    rest = _from_soma(forest, members) | _counts(tree) | _sizes(tree) | _segments(tree, segments)
    rest |= _branch_points(tree, segments, centre, found)
    is_scattered = np.repeat([one.extent_only for one in sets], n)
    found |= {name: np.where(is_scattered, np.nan, values) for name, values in rest.items()}
    is_empty = np.diff(tree.offsets) == 0
    return {name: np.where(is_empty, np.nan, found[name]).reshape(k, n) for name in FEATURES}


def _cut(forest: Forest, neurites: NeuriteSet) -> tuple[np.ndarray, Forest]:
    """Which nodes are of a set, and the trees that are left of it."""
    is_member = np.isin(forest.node_type, neurites.types)
    if neurites.connected_only:
        is_member &= forest.tree_id == 0
    types = np.where(is_member, neurites.types[0], forest.node_type).astype(np.int32)
    return is_member, strip(forest, is_member, np.full(len(forest), "internal", object), types)


def _from_soma(forest: Forest, members: Sequence[np.ndarray]) -> dict[str, np.ndarray]:
    """What is measured on the whole reconstruction, for each set's nodes."""
    n = len(forest)
    distance = _soma_distance(forest)
    on_soma = ~forest.is_root & (forest.node_type[forest.up] == SOMA)
    is_main_soma = (forest.node_type == SOMA) & (forest.tree_id == 0)
    one_soma = (forest.soma_root >= 0) & (_total(is_main_soma, forest.row, n) == 1)
    radius = forest.radius[forest.soma_root] if forest.n_nodes else np.zeros(n)
    surface = np.where(one_soma, 4 * np.pi * radius**2, np.nan)
    return {
        "number_stems": np.concatenate([_total(on_soma & member, forest.row, n) for member in members]),
        "max_euclidean_distance": np.concatenate(
            [_reduced(np.maximum, distance[member], forest.row[member], n) for member in members]
        ),
        "soma_surface": np.tile(surface, len(members)),
    }


def _extents(tree: Forest) -> dict[str, np.ndarray]:
    """Largest minus smallest position, over nodes that are no soma."""
    counted = tree.node_type != SOMA
    row = tree.row[counted]
    extents = {}
    for axis, name in enumerate(_EXTENTS):
        at = tree.xyz[counted, axis]
        extents[name] = _reduced(np.maximum, at, row, len(tree)) - _reduced(np.minimum, at, row, len(tree))
    return extents


def _counts(tree: Forest) -> dict[str, np.ndarray]:
    n = len(tree)
    edge, k = ~tree.is_root, tree.n_children
    not_soma = tree.node_type != SOMA
    branches = tree.is_root + np.where(k >= 2, k, 0) + np.maximum(k - 2, 0)
    order = branch_order(tree)
    counts = {
        "number_nodes": np.diff(tree.offsets).astype(float),
        "number_bifurcations": _total(np.where(edge & not_soma, np.maximum(k - 1, 0), 0), tree.row, n),
        "number_branches": _total(branches, tree.row, n),
        "number_tips": _total(not_soma & (k == 0), tree.row, n),
        "number_neurites": _total(edge & not_soma, tree.row, n),
        "max_branch_order": _reduced(np.maximum, order, tree.row, n),
    }
    with np.errstate(divide="ignore", invalid="ignore"):
        return {**counts, "neurites_over_branches": _finite(counts["number_neurites"] / counts["number_branches"])}


def _sizes(tree: Forest) -> dict[str, np.ndarray]:
    n = len(tree)
    edge = ~tree.is_root & (tree.node_type[tree.up] != SOMA)
    length, r_far, r_near = tree.edge_length, tree.radius, tree.radius[tree.up]
    growth = r_far - r_near
    surface = np.pi * (r_near + r_far) * length
    # The middle term should be length * r * growth; the reference leaves r out (matched).
    volume = np.pi * (length * r_near**2 + length * growth + length * growth**2 / 3)
    corrected = np.pi * length * (r_near**2 + r_near * growth + growth**2 / 3)
    counted = tree.node_type != SOMA
    diameters = _total(2 * tree.radius * counted, tree.row, n)
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "total_length": _total(np.where(edge, length, 0), tree.row, n),
            "total_surface": _total(np.where(edge, surface, 0), tree.row, n),
            "total_volume": _total(np.where(edge, volume, 0), tree.row, n),
            "total_volume_corrected": _total(np.where(edge, corrected, 0), tree.row, n),
            "average_diameter": _finite(diameters / _total(counted, tree.row, n)),
            "max_path_distance": _reduced(np.maximum, tree.path_length, tree.row, n),
        }


@dataclass(frozen=True)
class Segments:
    """Where each node's segment begins: for nodes that end one, a whole segment."""

    begin: np.ndarray  # the nearest branch point or root above
    first: np.ndarray  # the segment's first node below it
    is_end: np.ndarray  # a branch point or tip, and no root
    is_initial: np.ndarray  # begins at a root that is no branch point

    @classmethod
    def of(cls, tree: Forest) -> Segments:
        is_fork = tree.n_children >= 2
        is_stop = is_fork | tree.is_root
        begin = tree.nearest(is_stop)[tree.up]
        first = tree.nearest(is_stop[tree.up])
        return cls(begin, first, ~tree.is_root & (tree.n_children != 1), ~is_fork[begin])


def _segments(tree: Forest, segments: Segments) -> dict[str, np.ndarray]:
    """Contraction and fragmentation, over segments that are not initial."""
    n = len(tree)
    counted = np.flatnonzero(segments.is_end & ~segments.is_initial)
    begin, row = segments.begin[counted], tree.row[counted]
    path, depth = tree.path_length, tree.summed(np.ones(tree.n_nodes))
    straight = np.sqrt(((tree.xyz[counted] - tree.xyz[begin]) ** 2).sum(axis=1))
    along, edges = path[counted] - path[begin], depth[counted] - depth[begin]
    with np.errstate(divide="ignore", invalid="ignore"):
        return {
            "average_contraction": _finite(_total(straight, row, n) / _total(along, row, n)),
            "average_fragmentation": _finite(_total(edges, row, n) / _total(np.ones(len(row)), row, n)),
        }


def _branch_points(
    tree: Forest, segments: Segments, centre: np.ndarray, found: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """What happens where neurites branch: ratios of radii, angles, and where the branch points lie."""
    n = len(tree)
    forks = is_branch_point(tree)
    child = np.flatnonzero(~tree.is_root & forks[tree.up])
    parent, row = tree.parent[child], tree.row[child]
    with np.errstate(divide="ignore", invalid="ignore"):
        ratio = tree.radius[child] / tree.radius[parent]
    per_fork = np.bincount(parent, ratio, tree.n_nodes)[forks] / tree.n_children[forks]
    distance = np.sqrt(((tree.xyz - centre[tree.row]) ** 2).sum(axis=1))
    farthest = _reduced(np.maximum, distance, tree.row, n)
    is_outer = forks & (distance > farthest[tree.row] / 2)
    with np.errstate(invalid="ignore"):
        outer = np.where(np.isnan(farthest), np.nan, _total(is_outer, tree.row, n))
    ends = np.flatnonzero(segments.is_end)
    end_of = np.full(tree.n_nodes, -1, np.int64)
    end_of[segments.first[ends]] = ends
    at = np.flatnonzero(forks)
    return {
        "average_parent_daughter_ratio": _mean(per_fork, tree.row[forks], n),
        "parent_daughter_ratio": _mean(ratio, row, n),
        "number_outer_bifurcations": outer,
        "average_bifurcation_angle_local": _angles(tree, forks, lambda node: node),
        "average_bifurcation_angle_remote": _angles(tree, forks, lambda node: end_of[node]),
        **_moments("bifurcation", tree.xyz[at], np.ones(len(at)), tree.row[at], centre, found),
    }


def _angles(tree: Forest, forks: np.ndarray, target: Callable[[np.ndarray], np.ndarray]) -> np.ndarray:
    """Mean angle (degrees) between the two branches of each branch point that has two, taken to a node of each."""
    child = np.flatnonzero(~tree.is_root & (forks & (tree.n_children == 2))[tree.up])
    child = child[np.argsort(tree.parent[child], kind="stable")]
    one, other = child[::2], child[1::2]
    at = tree.parent[one]
    a, b = tree.xyz[target(one)] - tree.xyz[at], tree.xyz[target(other)] - tree.xyz[at]
    with np.errstate(divide="ignore", invalid="ignore"):
        cosine = (a * b).sum(axis=1) / np.sqrt((a * a).sum(axis=1) * (b * b).sum(axis=1))
    angle = np.degrees(np.arccos(np.clip(cosine, -1, 1)))
    is_known = ~np.isnan(angle)
    return _mean(angle[is_known], tree.row[at][is_known], len(tree))


def _edge_centres(tree: Forest) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Middle, length and row of every edge."""
    edge = np.flatnonzero(~tree.is_root)
    return (tree.xyz[edge] + tree.xyz[tree.parent[edge]]) / 2, tree.edge_length[edge], tree.row[edge]


def _moments(
    of: str, at: np.ndarray, weight: np.ndarray, row: np.ndarray, centre: np.ndarray, found: dict[str, np.ndarray]
) -> dict[str, np.ndarray]:
    """Weighted mean position from the soma (x and z without sign), spread about it, and their ratios."""
    n = len(centre)
    total = _total(weight, row, n)
    moments: dict[str, np.ndarray] = {}
    with np.errstate(divide="ignore", invalid="ignore"):
        for axis, (letter, extent) in enumerate(zip("xyz", _EXTENTS, strict=True)):
            offset = at[:, axis] - centre[row, axis]
            mean = _finite(_total(weight * offset, row, n) / total)
            spread = np.sqrt(_finite(_total(weight * (offset - mean[row]) ** 2, row, n) / total))
            shown = mean if letter == "y" else np.abs(mean)
            moments[f"first_{of}_moment_{letter}"] = shown
            moments[f"{of}_stdev_{letter}"] = spread
            moments[f"{of}_centroid_over_distance_{letter}"] = _finite(shown / found[extent])
            moments[f"{of}_stdev_over_distance_{letter}"] = _finite(spread / found[extent])
            # Named so by the reference, which divides the other way round (matched).
            moments[f"{of}_stdev_over_centroid_{letter}"] = _finite(shown / spread)
            moments[f"{of}_stdev_over_centroid_corrected_{letter}"] = _finite(spread / shown)
    return moments


def _soma_position(forest: Forest) -> np.ndarray:
    """(rows, 3) um, NaN without a soma root."""
    position = np.full((len(forest), 3), np.nan)
    has_soma = forest.soma_root >= 0
    position[has_soma] = forest.xyz[forest.soma_root[has_soma]]
    return position


def _soma_distance(forest: Forest) -> np.ndarray:
    """(nodes,) um to the soma root."""
    return np.sqrt(((forest.xyz - _soma_position(forest)[forest.row]) ** 2).sum(axis=1))


def _total(values: np.ndarray, row: np.ndarray, n: int) -> np.ndarray:
    return np.bincount(row, np.asarray(values, np.float64), n)


def _mean(values: np.ndarray, row: np.ndarray, n: int) -> np.ndarray:
    with np.errstate(divide="ignore", invalid="ignore"):
        return _finite(_total(values, row, n) / np.bincount(row, minlength=n))


def _reduced(function: np.ufunc, values: np.ndarray, row: np.ndarray, n: int) -> np.ndarray:
    """Greatest or smallest of each row's values, which come row by row; NaN of none."""
    out = np.full(n, np.nan)
    if len(values):
        rows, first = first_of_rows(row)
        out[rows] = function.reduceat(np.asarray(values, np.float64), first)
    return out


def _finite(values: np.ndarray) -> np.ndarray:
    return np.where(np.isfinite(values), values, np.nan)
