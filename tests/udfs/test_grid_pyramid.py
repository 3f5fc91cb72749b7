"""Coarser grids and ratios: numbers of the specification (connectivity GRD-12 to GRD-14)."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.udfs.grid_pyramid import data_mask, ratio, reduced, reduced_planes


def test_published_25_um_grids_have_the_references_windows():
    """GRD-14: half weight at i mod 3 = 2, wherever the shared voxel is."""
    assert reduced(np.arange(15.0), 2.5) == pytest.approx([0.8, 3.2, 6.2, 8.0, 11.0, 12.8], abs=1e-12)


def test_windows_of_exact_overlap():
    assert reduced(np.arange(15.0), 2.5, exact_overlap=True) == pytest.approx([0.8, 3.2, 5.8, 8.2, 10.8, 13.2])
    # 1.5: [0, 1.5) holds 0 and half of 1, [1.5, 3) the rest
    assert reduced(np.arange(3.0), 1.5, exact_overlap=True) == pytest.approx([1 / 3, 5 / 3])


def test_a_block_beyond_the_end_counts_zeros():
    """GRD-13: 5 voxels by 2 make a last cell of one voxel and one zero."""
    assert reduced(np.ones(5), 2).tolist() == [1.0, 1.0, 0.5]


@pytest.mark.parametrize("factor", [2.5, 2, 3])
def test_a_constant_stays_what_it_is(factor):
    assert reduced(np.full((30, 30, 30), 7.0), factor) == pytest.approx(7.0)


@pytest.mark.parametrize(
    ("n", "factor", "why"), [(11, 2.5, "windows"), (10, 1.5, "exact overlap"), (10, 2.2, "neither")]
)
def test_what_the_reference_cannot_do_is_refused(n, factor, why):
    with pytest.raises(ValueError, match=why):
        reduced(np.zeros(n), factor)


@pytest.mark.parametrize("exact", [True, False])
@pytest.mark.parametrize("factor", [1, 2, 2.5, 4])
def test_planes_give_what_the_volume_gives(factor, exact):
    volume = np.random.default_rng(0).random((12, 7, 10))
    if factor == 2.5 and not exact:
        volume = volume[:10, :5]
    planes = list(reduced_planes(np.moveaxis(volume, 2, 0), 10, factor, exact))
    np.testing.assert_allclose(np.stack(planes, 2), reduced(volume, factor, exact), rtol=1e-12)


def test_nothing_of_nothing_is_nothing_and_something_of_nothing_is_infinite():
    quotient = ratio(np.array([0, 1, 1], np.float32), np.array([0, 0, 4], np.float32))
    assert quotient.tolist() == [0.0, np.inf, 0.25]  # GRD-12
    assert quotient.dtype == np.float32


def test_a_voxel_counts_from_half_of_its_pixels_on():
    """rne(x / max): exactly half rounds to 0."""
    assert data_mask(np.array([0, 449, 450, 451, 900], np.float32), 900.0).tolist() == [0, 0, 0, 1, 1]
    assert data_mask(np.zeros(2, np.float32), 0.0).tolist() == [0, 0]
