"""Unionizes of random grids beside those of the Allen SDK.

Runs where $BRAINLAKE_PEER_PYTHON names a Python that has the SDK (2.16.2).
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from brainlake.lake.pipelines.documents import run_documents
from brainlake.tests.fixtures import ccf

PYTHON = os.environ.get("BRAINLAKE_PEER_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="BRAINLAKE_PEER_PYTHON names no Python with the Allen SDK")

SHAPE = (14, 11, 8)
PARENTS = {1: None, 2: 1, 3: 1, 4: 2, 5: 2, 6: 3, 7: 3}  # 7 has no voxel


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Grids of noise with gaps, in files, and the documents that ask for their unionizes."""
    here, rng = tmp_path_factory.mktemp("unionizes"), np.random.default_rng(2)
    labels = rng.integers(0, 7, SHAPE).astype(np.uint32)
    grids = {
        "data_mask": rng.random(SHAPE) > 0.1,
        "injection_fraction": rng.random(SHAPE) * (rng.random(SHAPE) < 0.2),
        "projection_density": rng.random(SHAPE) * (rng.random(SHAPE) < 0.6),
        "sum_pixels": rng.integers(1, 900, SHAPE),
        "aav_exclusion_fraction": rng.random(SHAPE) * (rng.random(SHAPE) < 0.2),
        "sum_pixel_intensities": rng.random(SHAPE) * 1e4,
        "cav_density": rng.random(SHAPE),
    }
    grids["injection_density"] = grids["injection_fraction"] * grids["projection_density"]
    grids["projection_energy"] = grids["projection_density"] * 300
    grids["injection_energy"] = grids["injection_density"] * 300
    grids["injection_sum_pixel_intensities"] = grids["sum_pixel_intensities"] * grids["injection_fraction"]
    paths = {n: str(ccf.write_nrrd(here / f"{n}.nrrd", v.astype(np.float32), um=10)) for n, v in grids.items()}
    common = {
        "structures": [{"id": id_, "parent_structure_id": parent} for id_, parent in PARENTS.items()],
        "image_resolution": 0.35,
        "reference_spacing": 10,
        "reference_shape": list(SHAPE),
        "image_series_id": 1,
        "annotation_path": str(ccf.write_nrrd(here / "annotation.nrrd", labels, um=10)),
    }
    cav = ("cav_density", "sum_pixels", "data_mask")
    for case, names in (("classic", set(paths) - {"cav_density"}), ("cav", cav)):
        (here / f"{case}.json").write_text(json.dumps({**common, "grid_paths": {n: paths[n] for n in names}}))
    return here


def both(folder, case):
    """Our records and the SDK's, by structure, hemisphere and kind."""
    given = folder / f"{case}.json"
    script = Path(__file__).with_name("ask_allensdk_unionizes.py")
    subprocess.run([PYTHON, script, given, folder / "told.json", case], check=True)
    told = json.loads((folder / "told.json").read_text())
    hemispheres = {"left": 1, "right": 2, "(none)": 3}

    def key(row):
        side = row.get("hemisphere_id") or hemispheres[row["hemisphere"]]
        return int(row["structure_id"]), int(side), bool(row.get("is_injection"))

    ours = run_documents("unionize", given, folder / "ours.json")["msg"]
    return {key(row): row for row in ours}, {key(row): row for row in told}


@pytest.mark.parametrize("case", ["classic", "cav"])
def test_records_are_those_of_the_sdk(folder, case):
    ours, told = both(folder, case)
    assert set(ours) == set(told)
    compared = set(next(iter(ours.values()))) & set(next(iter(told.values()))) - {"structure_id", "is_injection"}
    assert len(compared) >= (13 if case == "classic" else 3)
    for key, row in ours.items():
        for name in compared:
            assert row[name] == pytest.approx(told[key][name], rel=2e-5), (key, name)
