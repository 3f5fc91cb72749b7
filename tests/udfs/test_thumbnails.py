"""Projections of a turning volume: numbers by hand, or from the specification (connectivity THB)."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.udfs import thumbnails
from scipy.special import ive


def test_values_are_windowed_on_a_logarithmic_scale():
    """THB-01: from 1e-3 to 1, 1e-1.5 lies in the middle."""
    values = np.array([0.0, 1e-3, 10**-1.5, 1.0, 5.0])
    assert thumbnails.windowed(values, 1e-3, 1.0) == pytest.approx([0, 0, 0.5, 1, 1])


def test_thresholds_of_zero_are_the_ends_of_the_scale():
    """FLAG of THB-01: the reference gives NaN."""
    assert thumbnails.windowed(np.array([0.0, 1e-5, 1.0]), 0.0, 0.0) == pytest.approx([0.0, 0.5, 1.0])


@pytest.mark.parametrize(
    ("size", "window", "expected"),
    [
        ((8, 9, 10), "safe", (16, 17, 16)),  # THB-02
        ((3, 4, 12), "pad", (13, 5, 12)),  # |(3,4,12)| = 13, |(4,3)| = 5, floor |(12,3)| = 12.37
        ((3, 4, 12), "no_pad", (13, 4, 12)),
        ((3, 4, 12), (7, 8, 9), (7, 8, 9)),
    ],
)
def test_windows(size, window, expected):
    assert thumbnails.window_size(size, window) == expected


def test_pasting_goes_to_the_middle_and_cuts_the_middle_out():
    room = thumbnails.pasted(np.arange(1, 4), (7,))
    assert room.tolist() == [0, 0, 1, 2, 3, 0, 0]
    assert thumbnails.pasted(room, (3,)).tolist() == [1, 2, 3]
    assert thumbnails.pasted(np.ones(1), (4,)).tolist() == [0, 0, 1, 0]  # 1.5 rounds to even
    assert thumbnails.parities_differ(np.ones(1), (4,))


def test_a_quarter_turn():
    """THB-03: from axis 0 to axis 2, the sampling matrix is [[0, 0, -1], [0, 1, 0], [1, 0, 0]]."""
    assert thumbnails.rotation(np.pi / 2, 0, 2) == pytest.approx(np.array([[0, 0, -1], [0, 1, 0], [1, 0, 0]]))
    volume = np.zeros((5, 5, 5))
    volume[2, 1, 4] = 1.0  # z 2, y 1, x 4: two beyond the middle along x
    turned = thumbnails.rotated(volume, np.pi / 2, 0, 2)
    # out(x) = in(c + R (x - c)): R (x - c) = (2, ., 0) where -dz = 2 and dx = 0
    assert np.argwhere(turned > 0.5).tolist() == [[0, 1, 2]]


def test_projections_tell_where_the_maximum_is_first_met():
    volume = np.zeros((2, 3, 4))  # z, y, x
    volume[0, 1, 2] = volume[1, 1, 2] = 5.0
    highest, depth = thumbnails.projected(volume, 2)  # along z; transposed: [x, y]
    assert highest.shape == (4, 3)
    assert (highest[2, 1], depth[2, 1]) == (5.0, 0)
    assert thumbnails.projected(volume, 0)[1].tolist() == [[0, 0], [2, 2], [0, 0]]


def test_a_strip_is_its_views_side_by_side():
    volume = np.random.default_rng(0).random((4, 4, 4))
    turns = thumbnails.angles(0, 1, 2)
    assert turns == pytest.approx([0, np.pi / 2])  # the end is left out
    strip, depth = thumbnails.strips(volume, 2, 0, 2, turns)
    views = thumbnails.split(strip, 2)
    assert strip.shape == depth.shape == (4, 8)
    np.testing.assert_array_equal(views[0], thumbnails.projected(volume, 2)[0])


def test_colours_are_spread_over_each_channel():
    """THB-06; a channel of one value stays as it is."""
    table = thumbnails.colormap(np.array([[0, 10, 1], [5, 20, 1], [10, 40, 1]]))
    assert table == pytest.approx(np.array([[0, 0, 1], [0.5, 1 / 3, 1], [1, 1, 1]]))
    with pytest.raises(ValueError, match="three numbers"):
        thumbnails.colormap(np.zeros((3, 2)))


def test_values_are_their_own_opacity():
    """THB-05: value 0.5 of red over grey 1: (0.5 + 0.5, 0.5, 0.5)."""
    red = np.array([[1.0, 0.0, 0.0], [1.0, 0.0, 0.0]])
    pixels = thumbnails.coloured(np.array([[0.0, 0.5, 1.0]]), red, 1.0)
    assert pixels.tolist() == [[[255, 255, 255], [255, 128, 128], [255, 0, 0]]]
    assert thumbnails.coloured(np.array([[0.5]]), red).tolist() == [[[128, 0, 0]]]  # over black


def test_a_blur_is_the_discrete_gaussian():
    """exp(-t) I_n(t), cut at 99 % of its area: for t = 1 that is n = 3."""
    point = np.zeros(15)
    point[7] = 1.0
    kernel = ive(np.abs(np.arange(-3, 4)), 1.0)
    assert thumbnails.blurred(point, 1.0)[4:11] == pytest.approx(kernel / kernel.sum())
    assert thumbnails.blurred(np.ones((4, 4)), 2.0) == pytest.approx(1.0)


def test_utilities():
    """THB-07."""
    layers = np.array([0.5, 0.25]).reshape(2, 1, 1)
    # (0 + 2 * 0.25) * (1 - 0.25) + 2 * 0.0625
    assert thumbnails.template_projection(layers, 2).tolist() == [[0.5]]
    assert thumbnails.normalized(np.array([0.0, 2.0, 9.0]), 1.0, 3.0, 10.0, 20.0).tolist() == [10.0, 15.0, 20.0]
    weights = np.array([1.0, 3.0]).reshape(2, 1, 1)  # less 1 / (3 - 1): 0.5 and 2.5
    assert thumbnails.blended(np.array([10.0, 20.0]).reshape(2, 1, 1), weights).tolist() == [[55.0]]
    assert thumbnails.blended(np.full((2, 1, 1), 4.0), np.ones((2, 1, 1))).tolist() == [[4.0]]  # 1/2 each
