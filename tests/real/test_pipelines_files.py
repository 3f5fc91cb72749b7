"""Pipelines on grids of a real experiment (158375425, 100 um)."""

from __future__ import annotations

import json

import numpy as np
import pytest
from brainlake.lake.pipelines.documents import run_documents
from brainlake.lake.pipelines.volumes import volume_at, whole
from PIL import Image

EXPERIMENT = "connectivity/experiment_158375425"


@pytest.fixture(scope="module")
def grid(real_data):
    def read(name):
        path = real_data(f"{EXPERIMENT}/{name}_100.nrrd")
        return path, whole(volume_at(path))

    return read


def test_published_masks_are_means_of_thousand_voxels(grid):
    """GRD-12, GRD-13: the 10 um mask is 0 or 1, and a voxel of 100 um is the mean of 10 x 10 x 10 of them."""
    _, mask = grid("data_mask")
    thousandths = mask.astype(float) * 1000
    assert mask.shape == (132, 80, 114)
    assert np.abs(thousandths - np.rint(thousandths)).max() < 1e-3
    assert 0 < (mask < 1).sum() < mask.size


def test_the_injection_lies_within_its_fraction(grid):
    """GRD-12: of all pixels of a voxel, those that are injected and project are no more than those that are injected."""
    (_, density), (_, fraction), (_, projection) = map(
        grid, ("injection_density", "injection_fraction", "projection_density")
    )
    assert (density <= fraction + 1e-6).all()
    assert (density <= projection + 1e-6).all()


def test_the_first_view_of_a_strip_is_the_maximum_along_ap(grid, tmp_path):
    path, density = grid("projection_density")
    (tmp_path / "colours.txt").write_text("\n".join(f"{n} {n} {n}" for n in range(256)))
    document = {
        "volume_path": str(path),
        "colormap_path": str(tmp_path / "colours.txt"),
        "min_threshold": 0.01,
        "max_threshold": 1.0,
        "rotations": [
            {
                "window_size": "pad",
                "projection_parameters": {"axis": 2},
                "rotation_parameters": {"from_axis": 0, "to_axis": 2, "start": 0, "end": 2, "nsteps": 4},
                "depth_path": "depth.tif",
                "output_images": [{"path": "strip.png"}],
            }
        ],
    }
    (tmp_path / "in.json").write_text(json.dumps(document))
    run_documents("thumbnail", tmp_path / "in.json", tmp_path / "out.json")
    strip = np.asarray(Image.open(tmp_path / "strip.png"))[..., 0] / 255
    # x of the window: ceil |(114, 80, 132)| = 192; y: floor |(80, 114)| = 139; z: floor |(132, 114)| = 174
    view = strip[:, :139]
    assert strip.shape == (192, 4 * 139)
    # looked at from behind: x runs from the right; the volume lies in the middle of its window
    highest = density.max(axis=0)[:, ::-1].T
    values = np.clip(np.log(np.maximum(highest, 1e-10) / 0.01) / np.log(100), 0, 1)
    inner = view[39 : 39 + 114, 30 : 30 + 80]  # (192 - 114) / 2; (139 - 80) / 2 = 29.5 rounds to even
    # a colour map of 256 greys, each as opaque as it is bright
    np.testing.assert_allclose(inner, (np.minimum(np.floor(values * 256), 255) / 255) * values, atol=1.5 / 255)
    assert not view[:39].any()
