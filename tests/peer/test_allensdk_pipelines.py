"""Gridding, thumbnails, stitching and region metrics beside those of the Allen SDK, on random arrays.

Runs where $BRAINLAKE_PEER_PYTHON names a Python that has the SDK (2.16.2).
"""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import numpy as np
import pytest
from brainlake.udfs import gridding, isi_regions, stitching, thumbnails
from brainlake.udfs.grid_pyramid import reduced
from brainlake.udfs.resampling import Affine, Placed, plane_points, to_stack

PYTHON = os.environ.get("BRAINLAKE_PEER_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="BRAINLAKE_PEER_PYTHON names no Python with the Allen SDK")


def arrays():
    rng = np.random.default_rng(11)
    z, y, x = np.mgrid[:17, :14, :12]
    blob = np.exp(-((z - 8) ** 2 + (y - 6) ** 2 + (x - 4) ** 2) / 12.0)
    return {
        "axes": np.array([(rng.integers(50, 30_000), rng.uniform(0.3, 1.2), 10.0, rng.integers(0, 3)) for _ in range(200)]),
        "blocks": np.array([(rng.integers(3, 900), rng.uniform(0.3, 3), rng.uniform(1, 25)) for _ in range(300)]),
        "volume": rng.random((20, 15, 25)),
        "stack": rng.random((9, 11, 6)),
        "stack_spacing": np.array([11.05, 10.5, 100.0]),
        "stack_origin": np.array([5.525, 5.25, 0.0]),
        "field": rng.normal(0, 6, (4, 5, 3, 3)),
        "affine": np.array([0.9, 0.1, 0.2, -0.1, 1.1, 0.05, 0.3, -0.2, 4.0, 8.0, -3.0, 20.0]),
        "shape": np.array([10, 12, 8]),
        "density": (blob * rng.uniform(0.5, 1, blob.shape)).transpose(2, 1, 0).astype(np.float64),
        "window": np.array([25, 14, 25]),
        "background": rng.random((50, 84)),
        "colours": rng.integers(0, 255, (16, 3)),
        "images": rng.random((3, 6, 7)),
        "weights": rng.random((3, 6, 7)),
        "covered": np.stack([covered(rng) for _ in range(40)]),
        "altitude": rng.uniform(-2, 2, (20, 30)),
        "azimuth": rng.uniform(-2, 2, (20, 30)),
        "mask": rng.random((9, 8)) > 0.4,
    }  # fmt: skip


def covered(rng):
    """What tiles to the left and above leave behind."""
    grid = np.zeros((10, 12), bool)
    grid[: rng.integers(0, 6)] = True
    grid[:, : rng.integers(0, 6)] = True
    if rng.random() < 0.5:
        grid[:, rng.integers(7, 12) :] = True
    return grid


@pytest.fixture(scope="module")
def given():
    return arrays()


@pytest.fixture(scope="module")
def told(given, tmp_path_factory):
    folder = tmp_path_factory.mktemp("sdk")
    np.savez(folder / "given.npz", **given)
    script = Path(__file__).with_name("ask_allensdk_pipelines.py")
    subprocess.run([PYTHON, script, folder / "given.npz", folder / "told.npz"], check=True)
    return np.load(folder / "told.npz")


def test_coarse_axes(given, told):
    for n, (pixels, um, wanted, level) in enumerate(given["axes"]):
        axis = gridding.coarse_axis(int(pixels), um, wanted, int(level))
        assert [axis.n_cells, axis.cell_um] == pytest.approx(told[f"axis/{n}"].tolist(), rel=1e-12)


def test_blocks(given, told):
    for n, (pixels, um, cell) in enumerate(given["blocks"]):
        assert gridding.block_starts(int(pixels), um, cell).tolist() == told[f"blocks/{n}"].tolist()


@pytest.mark.parametrize("factor", [2.0, 2.5, 4.0])
def test_reduced_volumes(given, told, factor):
    np.testing.assert_allclose(reduced(given["volume"], factor), told[f"reduced/{factor}"], rtol=1e-12)


def test_a_stack_in_the_reference_space(given, told):
    stack = Placed(
        given["stack"].astype(np.float32), tuple(given["stack_spacing"].tolist()), tuple(given["stack_origin"].tolist())
    )
    field, affine = Placed(given["field"], (25.0,) * 3), Affine.of(given["affine"])
    n_ap, n_dv, n_ml = shape = tuple(given["shape"].tolist())
    planes = [stack.at(to_stack(plane_points(ml, shape, (10.0,) * 3), affine, field)) for ml in range(n_ml)]
    seen = np.stack([plane.reshape(n_dv, n_ap).T for plane in planes], axis=2)
    np.testing.assert_allclose(seen, told["seen"], atol=2e-6)
    assert 0.2 < (seen > 0).mean() < 1


def test_thumbnails(given, told):
    values = thumbnails.windowed(thumbnails.upright(given["density"]), 1e-3, 1.0)
    room = thumbnails.pasted(values, given["window"][::-1])
    strip, depth = thumbnails.strips(room, 2, 0, 2, thumbnails.angles(0.0, 1.0, 3))
    colours = thumbnails.colormap(given["colours"])
    plain = thumbnails.coloured(strip, colours)
    blurred = thumbnails.coloured(thumbnails.finished(strip, 1.5, 2), colours, given["background"])
    assert (depth == told["depth"]).mean() > 0.995  # equal maxima but for their last bits
    for ours, theirs in ((plain, told["plain"]), (blurred, told["blurred"])):
        assert ours.shape == theirs.shape
        # a value at the edge of two colours may fall to either
        assert (np.abs(ours.astype(int) - theirs) <= 1).mean() > 0.995
    np.testing.assert_allclose(thumbnails.blended(given["images"], given["weights"]), told["blended"], rtol=1e-12)


def test_blends(given, told):
    for n, grid in enumerate(given["covered"]):
        np.testing.assert_allclose(stitching.blend(grid), told[f"blend/{n}"], atol=1e-12)


def test_region_metrics(given, told):
    mask = isi_regions.region_mask(given["altitude"].shape, 2, 3, given["mask"])
    for name, value in isi_regions.region_metrics(given["altitude"], given["azimuth"], mask).items():
        assert value == pytest.approx(float(told[f"metric/{name}"]), rel=1e-12), name
