"""A stack seen from the reference space: numbers of the specification (connectivity GRD-11, XFM-01, XFM-03)."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.udfs.compiling import compiled
from brainlake.udfs.resampling import Affine, Placed, _at_once, _loop, interpolated, plane_points, to_stack
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates


def test_an_affine_has_its_matrix_by_rows():
    """XFM-01: right is (24, 43, 62); the recipe of the reference's documentation gives (40, 47, 54)."""
    assert Affine.of(range(1, 13))(np.array([[1.0, 2.0, 3.0]])).tolist() == [[24.0, 43.0, 62.0]]
    with pytest.raises(ValueError, match="twelve"):
        Affine.of([1.0])


def test_points_are_displaced_before_they_are_transformed():
    """XFM-03: u = (2, 2, 2), M = 2 I, t = (1, 1, 1), p = (5, 5, 5)."""
    affine = Affine.of([2, 0, 0, 0, 2, 0, 0, 0, 2, 1, 1, 1])
    field = Placed(np.full((3, 3, 3, 3), 2.0), (25.0, 25.0, 25.0))
    point = np.array([[5.0, 5.0, 5.0]])
    assert to_stack(point, affine, field).tolist() == [[15.0, 15.0, 15.0]]
    assert to_stack(point, affine, None).tolist() == [[11.0, 11.0, 11.0]]
    assert to_stack(point, None, field).tolist() == [[7.0, 7.0, 7.0]]
    assert to_stack(point + 1000, None, field).tolist() == [[1005.0, 1005.0, 1005.0]]  # no displacement out there


def test_a_volume_ends_half_a_voxel_beyond_its_centres():
    volume = Placed(np.array([1.0, 3.0]).reshape(2, 1, 1), (10.0, 10.0, 10.0), (100.0, 0.0, 0.0))
    x = np.array([94.9, 95.0, 100.0, 105.0, 110.0, 114.9, 115.0])
    points = np.stack([x, 0 * x, 0 * x], axis=1)
    assert volume.at(points).tolist() == [0.0, 1.0, 1.0, 2.0, 3.0, 3.0, 0.0]


@settings(deadline=None)  # the first call compiles
@given(st.integers(1, 4), st.integers(1, 5), st.integers(1, 3), st.integers(0, 2**32 - 1))
def test_the_loop_its_compiled_form_and_arrays_give_equal_values(n_x, n_y, n_z, seed):
    rng = np.random.default_rng(seed)
    values = rng.random((n_x, n_y, n_z, 2)).astype(np.float32)
    index = rng.uniform(-1.5, 5.5, (3, 60))
    index[:, :20] = np.rint(index[:, :20] * 2) / 2  # on centres and borders
    loop = compiled(_loop)
    forms = [_at_once, _loop, *([loop] if loop else [])]
    found = [np.zeros((2, 60)) for _ in forms]
    for form, result in zip(forms, found, strict=True):
        form(values, index, result)
        np.testing.assert_array_equal(result, found[0])


def test_values_are_those_of_scipy_within_the_centres():
    rng = np.random.default_rng(4)
    values, index = rng.random((5, 6, 7)), rng.uniform(0, 4, (3, 500))
    np.testing.assert_allclose(interpolated(values, index), map_coordinates(values, index, order=1), atol=1e-12)


def test_a_planes_points_have_ap_fastest():
    points = plane_points(4, (2, 3, 9), (10.0, 20.0, 30.0))
    assert points[:3].tolist() == [[0, 0, 120], [10, 0, 120], [0, 20, 120]]
