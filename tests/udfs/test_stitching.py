"""Tiles put together: numbers by hand, or from the specification (connectivity STI)."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.udfs.stitching import Place, blend, flat_field, lay, prepared, upright

PLACE = Place(rows=(0, 2), columns=(3, 6), size=(2, 3), margins=(1, 0))


def test_an_image_is_flipped_and_transposed():
    assert upright(np.array([[1, 2, 3], [4, 5, 6]])).tolist() == [[4, 1], [5, 2], [6, 3]]  # STI-01


def test_a_flat_field_is_the_median_by_the_average():
    assert flat_field(np.array([[2, 4, 8, 0]])).tolist() == [[1.5, 0.75, 0.375, 0.0]]  # median 3; 3 / 0 is 0
    dark = np.array([[0.0, 0.0, 5.0]])
    assert flat_field(dark).tolist() == dark.tolist()  # median 0: unchanged


def test_a_tile_loses_its_margins_after_it_was_evened_out():
    image = np.arange(12.0).reshape(4, 3)
    assert prepared(image, PLACE, None).tolist() == [[3, 4, 5], [6, 7, 8]]
    assert prepared(image, PLACE, np.full((4, 3), 2.0)).tolist() == [[6, 8, 10], [12, 14, 16]]
    with pytest.raises(ValueError, match="average tile"):
        prepared(image, PLACE, np.ones((1, 1)))


def test_a_larger_average_tile_is_trimmed_first():
    place = Place((0, 2), (0, 3), (2, 3), (0, 0))
    assert prepared(np.ones((2, 3)), place, np.full((9, 9), 3.0)).tolist() == [[3.0] * 3] * 2


def test_a_missing_tile_is_black_and_leaves_its_outline():
    assert prepared(None, PLACE, None).tolist() == [[0.0] * 3] * 2
    assert PLACE.outline == [0, 3, 2, 3, 2, 6, 0, 6]  # r0,c0, r1,c0, r1,c1, r0,c1


def test_the_blend_of_the_specification():
    """STI-03: 8 x 8, covered in rows 0-2 and columns 6-7: rows weigh 1, 2/3, 1/3, and the last column 1."""
    covered = np.zeros((8, 8), bool)
    covered[:3] = covered[:, 6:] = True
    expected = np.zeros((8, 8))
    expected[:3] = np.array([1, 2 / 3, 1 / 3])[:, None]
    expected[:, 7] = 1
    assert blend(covered) == pytest.approx(expected)


def test_nothing_covered_or_all_covered_blends_nothing():
    assert not blend(np.zeros((4, 4), bool)).any()
    assert not blend(np.ones((4, 4), bool)).any()


def test_tiles_fade_into_each_other():
    section, covered = np.zeros((1, 6), np.uint16), np.zeros((1, 6), bool)
    lay(section, covered, np.full((1, 4), 100.0), Place((0, 1), (0, 4), (1, 4), (0, 0)))
    lay(section, covered, np.full((1, 4), 201.0), Place((0, 1), (2, 6), (1, 4), (0, 0)))
    # columns 2 and 3 are covered: blend 1 and 1/2; 150.5 is cut to 150
    assert section.tolist() == [[100, 100, 100, 150, 201, 201]]
    assert covered.all()


def test_a_tile_of_another_size_is_refused():
    with pytest.raises(ValueError, match="a place of"):
        lay(np.zeros((2, 2), np.uint16), np.zeros((2, 2), bool), np.ones((2, 3)), Place((0, 2), (0, 2), (2, 3), (0, 0)))
