"""Features beside NeuroM, a program of other authors; runs where $BRAINLAKE_NEUROM_PYTHON names a Python that has it.

Where definitions agree: no edge to the soma counts in either; volumes are those of truncated cones, our corrected ones.
Not compared: surfaces (NeuroM takes the slant of a cone, the published ones do not), branch points (NeuroM counts one
where three branch off, the published features two) and the farthest node (NeuroM looks at ends of sections only). It
computes in float32.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from brainlake.tests.fixtures.swc import SMALL, nodes_of, random_neuron, swc, write_swc
from brainlake.udfs.morphology_features import SETS, features_of
from brainlake.udfs.morphology_trees import Forest

PYTHON = os.environ.get("BRAINLAKE_NEUROM_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="BRAINLAKE_NEUROM_PYTHON names no Python with NeuroM")


def test_features_agree_with_neurom_where_definitions_do(tmp_path: Path) -> None:
    trees = [SMALL, *(random_neuron(seed, n_nodes=500) for seed in range(20))]
    paths = [write_swc(tmp_path / f"{k}.swc", swc(tree)) for k, tree in enumerate(trees)]
    script = Path(__file__).parent / "ask_neurom_morphology.py"
    assert PYTHON
    subprocess.run([PYTHON, script, tmp_path / "answers.json", *paths], check=True)
    sets = {one.name: one for one in SETS}
    for tree, told in zip(trees, json.loads((tmp_path / "answers.json").read_text()), strict=True):
        forest = Forest.of(nodes_of(tree))
        for name, features in told.items():
            own = features_of(forest, sets[name])
            for feature, value in features.items():
                np.testing.assert_allclose(
                    np.nan_to_num(own[feature][0]), value, rtol=1e-5, err_msg=f"{name} {feature}"
                )
