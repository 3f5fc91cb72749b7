"""What is wrong with a reconstruction: the rules of programs that read SWC files, and its text as they read it.

Two rule sets of the reference (spec MO-2, MO-4, MO-5), and ``values``: numbers that no cell has. ``public`` looks at nodes
as it renumbers them; ``internal`` at the ids of the file. Every broken rule is told, not only the first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from .morphology_operations import build_nodes
from .morphology_trees import APICAL_DENDRITE, AXON, BASAL_DENDRITE, NODES, SOMA, Forest
from .registry import Ragged, udf

RULE_SETS = ("public", "internal", "values")
_INTS, _FLOATS = pa.list_(pa.int64()), pa.list_(pa.float64())
_FINDINGS = pa.list_(
    pa.struct(
        [
            ("rule_set", pa.string()),
            ("rule", pa.string()),
            ("severity", pa.string()),
            ("original_id", pa.int64()),
            ("message", pa.string()),
        ]
    )
)


@dataclass(frozen=True)
class Finding:
    """A broken rule: ``severity`` is error or warning; the file's id of the first node that breaks it, if one does."""

    rule_set: str
    rule: str
    message: str
    original_id: int | None = None
    severity: str = "error"


@dataclass(frozen=True)
class _Tree:
    """One reconstruction: ids and parents of the file, and the forest that was built of them."""

    ids: np.ndarray
    parents: np.ndarray
    forest: Forest

    @property
    def orphans(self) -> np.ndarray:
        """(nodes,) names a parent that the file does not have."""
        return (self.parents >= 0) & ~np.isin(self.parents, self.ids)

    def id_of(self, broken: np.ndarray) -> int | None:
        """The file's id of the first of the nodes that are marked."""
        return int(self.ids[np.flatnonzero(broken)[0]]) if broken.any() else None


@udf(args=[_INTS, pa.list_(pa.int32()), _FLOATS, _FLOATS, _FLOATS, _FLOATS, _INTS], returns=_FINDINGS)
def check_nodes(
    swc_ids: Ragged,
    swc_types: Ragged,
    swc_x: Ragged,
    swc_y: Ragged,
    swc_z: Ragged,
    swc_radii: Ragged,
    swc_parents: Ragged,
) -> Ragged:
    """Broken rules of each file; none where it is sound.

    Arguments as of :func:`build_nodes`.

    returns : ragged structs: ``rule_set`` of :data:`RULE_SETS`, ``rule``, ``severity`` error or warning,
        ``original_id`` the first node that breaks it, ``message``
    """
    nodes = build_nodes(swc_ids, swc_types, swc_x, swc_y, swc_z, swc_radii, swc_parents)
    found: list[Finding] = []
    offsets = [0]
    for row, (ids, parents) in enumerate(zip(swc_ids, swc_parents, strict=True)):
        at = slice(nodes.offsets[row], nodes.offsets[row + 1])
        own = {name: column[at] for name, column in nodes.values.items()}
        found += findings(ids, parents, Ragged(own, np.array([0, len(ids)])))  # type: ignore[arg-type]
        offsets.append(len(found))
    ids_of = np.array([0 if f.original_id is None else f.original_id for f in found], np.int64)
    columns: dict[str, np.ndarray] = {
        name: np.array([getattr(f, name) for f in found], object)
        for name in ("rule_set", "rule", "severity", "message")
    }
    columns["original_id"] = np.ma.array(ids_of, mask=[f.original_id is None for f in found])
    return Ragged(columns, np.array(offsets, np.int64))  # type: ignore[arg-type]


def findings(ids: np.ndarray, parents: np.ndarray, nodes: Ragged) -> list[Finding]:
    """Broken rules of one reconstruction: the file's ids and parents, and the nodes that were built of them."""
    tree = _Tree(np.asarray(ids), np.asarray(parents), Forest.of(nodes))
    return [finding for rules in (_public, _internal, _values) for finding in rules(tree)]


def _consistent(tree: _Tree, rule_set: str) -> Iterator[Finding]:
    """MO-2: every tree has a root, and no branch two axon roots."""
    forest = tree.forest
    if (endless := forest.root < 0).any():
        text = "nodes are their own ancestors, so that their tree has no root"
        yield Finding(rule_set, "has_root", text, tree.id_of(endless))
    is_axon = forest.node_type == AXON
    axons_above = forest.summed(is_axon[forest.up].astype(np.int64))
    begins = is_axon & ~forest.is_root & ~is_axon[forest.up]
    if (second := begins & (axons_above > 0)).any():
        yield Finding(rule_set, "one_axon_root", "an axon begins on a branch that began as axon", tree.id_of(second))


def _public(tree: _Tree) -> Iterator[Finding]:
    """MO-4, with the rules that its class asks for."""
    yield from _consistent(tree, "public")
    forest = tree.forest
    if (orphans := tree.orphans).any():
        text = f"{orphans.sum()} nodes name a parent that is not there"
        yield Finding("public", "parents_exist", text, tree.id_of(orphans))
    is_soma = forest.node_type == SOMA
    roots = is_soma & forest.is_root
    if roots.sum() > 1:
        yield Finding("public", "one_soma_root", f"{roots.sum()} roots are of type soma", tree.id_of(roots))
    if is_soma.sum() != 1:
        text = f"{is_soma.sum()} nodes are of type soma, and there must be one"
        yield Finding("public", "one_soma", text, tree.id_of(is_soma))
    if not roots.any():
        yield Finding("public", "soma_root", "no root is of type soma")
    branched = ~forest.is_root & roots[forest.up] & (forest.n_children > 1)
    if branched.any():
        text = f"{branched.sum()} children of the soma have several children"
        yield Finding("public", "unbranched_stems", text, tree.id_of(branched))
    late = forest.parent > np.arange(forest.n_nodes)
    if late.any():
        yield Finding("public", "parent_before_child", f"{late.sum()} nodes come before their parent", tree.id_of(late))


def _internal(tree: _Tree) -> Iterator[Finding]:
    """MO-5, on the file's own ids; with its two warnings."""
    yield from _consistent(tree, "internal")
    forest, ids, parents = tree.forest, tree.ids, tree.parents
    types = forest.node_type
    report: Callable[[str, str, np.ndarray], Finding] = lambda rule, text, broken: Finding(  # noqa: E731
        "internal", rule, f"{broken.sum()} {text}", tree.id_of(broken)
    )
    if (odd := (types < SOMA) | (types > APICAL_DENDRITE)).any():
        yield report("known_types", "nodes are of a type outside of 1 ... 4", odd)
    is_dendrite = (types == BASAL_DENDRITE) | (types == APICAL_DENDRITE)
    if (apart := is_dendrite & (forest.tree_id != 0)).any():
        yield report("dendrites_connected", "dendrite nodes are in trees apart from the soma's", apart)
    if (negative := ids < 0).any():
        yield report("ids_not_negative", "ids are negative", negative)
    if (orphans := tree.orphans).any():
        yield report("parents_exist", "nodes name a parent that is not there", orphans)
    is_soma = types == SOMA
    if not is_soma.any():
        yield Finding("internal", "has_soma", "no node is of type soma")
    in_order = np.sort(ids)
    if len(doubled := in_order[1:][np.diff(in_order) == 0]):
        yield Finding("internal", "ids_unique", f"{len(doubled)} nodes have an id of another", int(doubled[0]))
    if (late := ids < parents).any():
        yield report("parent_before_child", "nodes have a smaller id than their parent", late)
    first = int(np.argmin(ids)) if len(ids) else 0
    if len(ids) and types[first] != SOMA:
        # The reference looks for a root of type axon here; a soma is meant (corrected).
        if not (is_soma & forest.is_root).any():
            yield Finding("internal", "soma_root", "no root is of type soma")
        yield Finding("internal", "soma_first", "the node of the lowest id is no soma", int(ids[first]))
    if len(ids) and (branched := (forest.parent == first) & (forest.n_children > 1)).any():
        yield report("unbranched_stems", "children of the first node have several children", branched)
    if (np.diff(in_order) > 1).any():
        yield Finding("internal", "ids_consecutive", "ids leave numbers out")
    if is_soma.sum() > 1:
        text = f"{is_soma.sum()} nodes are of type soma"
        yield Finding("internal", "one_soma", text, tree.id_of(is_soma), "warning")
    if (roots := parents < 0).sum() > 1:
        yield Finding("internal", "one_root", f"{roots.sum()} nodes are roots", tree.id_of(roots), "warning")


def _values(tree: _Tree) -> Iterator[Finding]:
    """Numbers that make every measure senseless; no reader of the reference looks."""
    forest = tree.forest
    if (nowhere := ~np.isfinite(forest.xyz).all(axis=1)).any():
        yield Finding("values", "finite_position", f"{nowhere.sum()} positions are no numbers", tree.id_of(nowhere))
    if (thin := ~(np.isfinite(forest.radius) & (forest.radius > 0))).any():
        text = f"{thin.sum()} radii are not above 0"
        yield Finding("values", "positive_radius", text, tree.id_of(thin), "warning")


@udf(args=[NODES], returns=pa.string())
def swc_text(nodes: Ragged) -> np.ndarray:
    """MO-6: the text of an SWC file, ids from 0, four decimals.

    returns : (rows,) text, a line a node, ending with a line break
    """
    columns = [nodes.values[name] for name in _SWC_COLUMNS]
    texts = []
    for first, stop in zip(nodes.offsets[:-1], nodes.offsets[1:], strict=True):
        rows = zip(*(column[first:stop].tolist() for column in columns), strict=True)
        texts.append("".join([SWC_HEADER, *(SWC_LINE % row for row in rows)]))
    return np.array(texts, object)


SWC_HEADER = "#n,type,x,y,z,radius,parent\n"
SWC_LINE = "%d %d %.4f %.4f %.4f %.4f %d\n"
_SWC_COLUMNS = ("node_id", "node_type", "x", "y", "z", "radius", "parent_id")
