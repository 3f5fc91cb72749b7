"""Points in drawn layers, by hand."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.udfs.morphology_layers import is_inside

# an L: the square [0, 2] x [0, 2] without its upper right quarter
L_X, L_Y = np.array([0.0, 2, 2, 1, 1, 0]), np.array([0.0, 0, 1, 1, 2, 2])


@pytest.mark.parametrize(
    ("x", "y", "expected"),
    [(0.5, 1.5, True), (1.5, 0.5, True), (1.5, 1.5, False), (-0.1, 0.5, False), (0.5, 2.1, False)],
)
def test_a_point_in_the_notch_of_a_polygon_is_outside(x: float, y: float, expected: bool) -> None:
    assert is_inside(np.array([x]), np.array([y]), L_X, L_Y).tolist() == [expected]
    assert is_inside(np.array([x]), np.array([y]), L_X[::-1], L_Y[::-1]).tolist() == [expected]


def test_a_point_on_a_shared_edge_lies_in_one_of_the_two() -> None:
    x, y = np.array([0.0, 3.0, 7.0]), np.full(3, 10.0)
    box = np.array([-1.0, 8, 8, -1])
    below = is_inside(x, y, box, np.array([0.0, 0, 10, 10]))
    above = is_inside(x, y, box, np.array([10.0, 10, 20, 20]))
    assert (below ^ above).all()


def test_most_of_a_disc_is_inside_the_polygon_drawn_in_it() -> None:
    """A regular polygon of 64 corners covers 64/2 sin(2 pi/64) of the unit circle's area."""
    angles = np.arange(64) * 2 * np.pi / 64
    grid = (np.arange(400) + 0.5) / 200 - 1
    x, y = (axis.ravel() for axis in np.meshgrid(grid, grid))
    area = is_inside(x, y, np.cos(angles), np.sin(angles)).mean() * 4
    assert area == pytest.approx(32 * np.sin(2 * np.pi / 64), abs=2e-3)
