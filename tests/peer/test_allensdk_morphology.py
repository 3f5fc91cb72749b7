"""Every operation and check beside the Allen SDK's two classes, on generated neurons and on broken ones.

Runs where $BRAINLAKE_PEER_PYTHON names a Python that has the SDK (2.16.2).
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brainlake.ingest.contract import Source
from brainlake.ingest.swc_text import read_swc
from brainlake.lake.errors import SourceError
from brainlake.lake.swc import check_swc
from brainlake.tests.fixtures.swc import BROKEN, SMALL, random_neuron, swc, write_swc
from brainlake.udfs.morphology_features import measure_nodes
from brainlake.udfs.morphology_operations import (
    build_nodes,
    retype_nodes,
    rotate_nodes,
    sparsify_nodes,
    strip_nodes,
    strip_other_nodes,
    stumpify_nodes,
    transform_nodes,
)  # fmt: skip
from brainlake.udfs.registry import Ragged

PYTHON = os.environ.get("BRAINLAKE_PEER_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="BRAINLAKE_PEER_PYTHON names no Python with the Allen SDK")

N_NEURONS = 40
AFFINE = [0.9, 0.1, -0.2, 0.05, 1.1, 0.3, 0.2, -0.1, 0.8, 10.0, -20.0, 30.0]


def ask(requests: list[dict[str, Any]], folder: Path) -> list[dict[str, Any]]:
    (folder / "requests.json").write_text(json.dumps(requests))
    script = Path(__file__).parent / "ask_allensdk_morphology.py"
    assert PYTHON
    subprocess.run([PYTHON, script, folder / "requests.json", folder / "answers.json"], check=True)
    return json.loads((folder / "answers.json").read_text())  # type: ignore[no-any-return]


def nodes_of(path: Path) -> Ragged:
    columns = read_swc(Source(path, str(path))).columns()
    return build_nodes(**{name: Ragged.of([values]) for name, values in columns.items()})


def one(value: Any, kind: Any = np.int32) -> np.ndarray:
    return np.array([value], kind)


OURS: dict[str, Any] = {
    "read": lambda nodes, mode: nodes,
    "strip_type": lambda nodes, mode, kind: strip_nodes(nodes, one(kind), mode),
    "strip_all_other_types": lambda nodes, mode, kind, soma: strip_other_nodes(nodes, one(kind), one(soma, bool), mode),
    "sparsify": lambda nodes, mode, every: sparsify_nodes(nodes, one(every), mode),
    "stumpify_axon": lambda nodes, mode, count: stumpify_nodes(nodes, one(count)),
    "convert_type": lambda nodes, mode, a, b: retype_nodes(nodes, one(a), one(b)),
    "apply_affine": lambda nodes, mode, m: transform_nodes(
        nodes, Ragged.of([m], float), one(np.nan, float), one("public" if mode[0] == "public" else "true", object)
    ),
    "apply_affine_only_rotation": lambda nodes, mode, m: rotate_nodes(nodes, Ragged.of([m], float)),
}
CALLS: list[tuple[str, str, list[Any]]] = [
    (kind, method, arguments)
    for kind in ("public", "internal")
    for method, arguments in (
        ("read", []), ("strip_type", [2]), ("strip_type", [3]), ("strip_all_other_types", [3, True]),
        ("strip_all_other_types", [4, False]), ("strip_all_other_types", [2, False]), ("sparsify", [3]),
        ("sparsify", [7]), ("stumpify_axon", [10]), ("convert_type", [4, 3]), ("apply_affine", [AFFINE]),
        ("apply_affine_only_rotation", [AFFINE]), ("find", [5.0, -3.0, 8.0, 25.0]), ("find", [5.0, -3.0, 8.0, 40.0, 3]),
        ("trees", []), ("dimensions", []),
    )
    if not (kind == "public" and method in ("stumpify_axon", "apply_affine_only_rotation", "dimensions"))
]  # fmt: skip


def as_rows(nodes: Ragged) -> np.ndarray:
    names = ("node_type", "x", "y", "z", "radius", "parent_id")
    return np.column_stack([nodes.values[name] for name in names])  # type: ignore[call-overload]


def test_operations_are_the_sdk_s(tmp_path: Path) -> None:
    """Every node, its type, place, radius and parent. The public class's stump is left out: it crashes (MO-14)."""
    paths = [write_swc(tmp_path / f"{k}.swc", swc(random_neuron(k, n_nodes=400))) for k in range(N_NEURONS)]
    paths.append(write_swc(tmp_path / "small.swc"))
    answers = iter(ask([{"file": str(p), "calls": CALLS} for p in paths], tmp_path))
    for path in paths:
        nodes = nodes_of(path)
        measured = measure_nodes(nodes).values
        xyz = np.column_stack([measured[axis] for axis in "xyz"])  # type: ignore[call-overload]
        for kind, method, arguments in CALLS:
            told, where = next(answers), f"{path.name} {kind} {method} {arguments}"
            assert "error" not in told, where
            if method == "find":
                near = np.sqrt(((xyz - arguments[:3]) ** 2).sum(axis=1)) <= arguments[3]
                near &= (measured["node_type"] == arguments[4]) if len(arguments) > 4 else True  # type: ignore[call-overload]
                assert np.flatnonzero(near).tolist() == told["ids"], where
            elif method == "trees":
                tree = measured["tree_id"]  # type: ignore[call-overload]
                assert [np.flatnonzero(tree == k).tolist() for k in range(tree.max() + 1)] == told["trees"], where
            elif method == "dimensions":
                own = [np.ptp(xyz, axis=0), xyz.min(axis=0), xyz.max(axis=0)]
                np.testing.assert_allclose(own, told["dimensions"], rtol=1e-12, err_msg=where)
            else:
                own = as_rows(OURS[method](nodes, one(kind, object), *arguments))
                theirs = np.array(told["nodes"]).reshape(-1, 6)
                assert own.shape == theirs.shape, where
                np.testing.assert_allclose(own, theirs, rtol=1e-12, atol=1e-12, err_msg=where)


def test_checks_pass_and_fail_the_sdk_s_files(tmp_path: Path) -> None:
    """Trees that break a rule each; those that break none of its own rules pass."""
    trees = {"sound": SMALL, **{"-".join(rule): nodes for rule, nodes in BROKEN.items()}}
    paths = {name: write_swc(tmp_path / f"{name}.swc", swc(nodes)) for name, nodes in trees.items()}
    calls = [["public", "validate", []], ["internal", "validate", []]]
    answers = iter(ask([{"file": str(p), "calls": calls} for p in paths.values()], tmp_path))
    disagreements = []
    for name, path in paths.items():
        for kind in ("public", "internal"):
            told = next(answers).get("valid", False)
            try:
                own = all(f.severity == "warning" for f in check_swc(path, kind))
            except SourceError:
                own = False
            if own != told:
                disagreements.append((kind, name, told))
    assert disagreements == [], disagreements
