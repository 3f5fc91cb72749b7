"""Sections summed into cells: numbers by hand, or from the specification (connectivity GRD-01 to GRD-09)."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.udfs.gridding import (
    band_sums,
    bands,
    block_starts,
    cav_images,
    coarse_axis,
    injection_of,
    nearest_indices,
    projection_of,
    rasterized,
    signal_images,
)
from hypothesis import given
from hypothesis import strategies as st


def sums_of(image, columns, rows, most=1000):
    """Sums over the cells of a whole image, from bands of so many rows."""
    return np.hstack([band_sums(image[:, band.pixels], columns, band) for band in bands(rows, most)])


@pytest.mark.parametrize(
    ("given_", "n_cells", "cell_um"),
    [((12353, 0.85, 10.0, 0), 951, 11.05), ((30000, 0.35, 10.0, 1), 1000, 10.5)],  # GRD-01
)
def test_cells_are_an_odd_number_of_reduced_pixels(given_, n_cells, cell_um):
    axis = coarse_axis(*given_)
    assert axis.n_cells == n_cells
    assert axis.cell_um == pytest.approx(cell_um, rel=1e-12)


def test_pixels_belong_to_the_cell_of_their_centre():
    assert block_starts(10, 5.0, 20.0).tolist() == [0, 4, 8]  # GRD-03: (0,4), (4,8), (8,10)
    # cells narrower than pixels: centres at 5, 15, 25; edges at 4, 8 .. 24: none lies in cells 0, 2, 4 ...
    assert block_starts(3, 10.0, 4.0).tolist() == [0, 1, 2]


def test_sums_are_multiplied_by_two_to_the_level_plus_one():
    """GRD-04: 2 at level 0 and 4 at level 1, where it is the area."""
    columns, rows = coarse_axis(6, 1.0, 3.0), coarse_axis(3, 1.0, 3.0)
    image = np.arange(18).reshape(6, 3)
    assert columns.cell_pixels == 5  # rne(1.5) = 2 pixels to either side
    assert sums_of(image, columns, rows).tolist() == [[2 * sum(range(15))], [2 * (15 + 16 + 17)]]
    half = coarse_axis(12, 1.0, 6.0, 1), coarse_axis(6, 1.0, 6.0, 1)
    assert sums_of(image, *half)[0, 0] == 4 * sum(range(15))
    with pytest.raises(ValueError, match="an image of"):
        sums_of(image.T, columns, rows)


@given(n=st.integers(1, 60), pixel=st.sampled_from([0.35, 0.5, 1.0, 3.3]), level=st.integers(0, 2))
def test_no_pixel_is_lost_or_counted_twice(n, pixel, level):
    axis = coarse_axis(n, pixel, 10.0, level)
    if axis.n_reduced:
        image = np.ones((axis.n_reduced, 1))
        one = coarse_axis(2**level, 1.0, 1.0, level)
        assert sums_of(image, axis, one).sum() == axis.n_reduced * 2 ** (level + 1)


@given(n=st.integers(1, 60), pixel=st.sampled_from([0.35, 1.0, 3.3, 14.0]), most=st.integers(1, 60))
def test_bands_of_rows_have_whole_cells(n, pixel, most):
    rows, columns = coarse_axis(n, pixel, 10.0), coarse_axis(5, 1.0, 3.0)
    found = list(bands(rows, most))
    assert [band.pixels.start for band in found[1:]] == [band.pixels.stop for band in found[:-1]]
    assert [found[0].pixels.start, found[-1].pixels.stop] == [0, n]
    assert all(band.pixels.stop - band.pixels.start <= most or len(band.starts) == 1 for band in found)
    image = np.random.default_rng(n).integers(0, 4095, (5, n))
    np.testing.assert_array_equal(sums_of(image, columns, rows, most), sums_of(image, columns, rows))


def test_a_square_from_4_to_6_fills_4_and_5():
    """GRD-05; newer rasterisers fill 6, too."""
    square = [[4, 4], [6, 4], [6, 6], [4, 6]]
    assert np.argwhere(rasterized([square], 9, 9)).tolist() == [[4, 4], [4, 5], [5, 4], [5, 5]]


def test_a_polygon_is_scaled_to_its_level_and_may_leave_the_image():
    square = [[-5, -5], [7, -5], [7, 5], [-5, 5]]  # 3.5 and 2.5 round to even: 4 and 2
    inside = rasterized([square], 6, 6, level=1)
    assert np.flatnonzero(inside.any(axis=1)).tolist() == [0, 1, 2, 3]
    assert np.flatnonzero(inside.any(axis=0)).tolist() == [0, 1]
    assert not rasterized([[]], 3, 3).any()


@given(st.lists(st.tuples(st.integers(-3, 15), st.integers(-3, 15)), min_size=1, max_size=7))
def test_inside_is_by_counting_crossings(vertices):
    """The rule of GRD-05, pixel by pixel."""

    def by_hand(x, y):
        inside, (x_j, y_j) = False, vertices[-1]
        for x_i, y_i in vertices:
            if (y_i <= y < y_j or y_j <= y < y_i) and x < (x_j - x_i) * (y - y_i) / (y_j - y_i) + x_i:
                inside = not inside
            x_j, y_j = x_i, y_i
        return inside

    expected = [[by_hand(x, y) for y in range(12)] for x in range(11)]
    assert rasterized([vertices], 11, 12).tolist() == expected
    assert rasterized([vertices], 11, 5, first_row=4).tolist() == [column[4:9] for column in expected]


def test_segmentation_codes():
    """GRD-06: bit 7 projects, bits 0 to 4 are the injection, and a filter's bit must be set as well."""
    codes = np.array([0, 1, 16, 32, 128, 129, 192], np.uint8)
    assert projection_of(codes).tolist() == [False] * 4 + [True] * 3
    assert projection_of(codes, 6).tolist() == [False] * 6 + [True]
    assert injection_of(codes).tolist() == [False, True, True, False, False, True, False]


def test_labels_are_reduced_by_the_nearest_pixel():
    """RSP-08: 5 to 2 takes the end points; M = rne(5 / 2) = 2."""
    assert nearest_indices(5, 2).tolist() == [0, 4]
    assert nearest_indices(5, 5).tolist() == [0, 1, 2, 3, 4]


class TestSignals:
    segmentation = np.array([[128, 129, 1, 0, 129]], np.uint8)
    green = np.array([[10, 20, 30, 40, 50]], np.uint16)

    def test_a_section(self):
        """GRD-07: the missing tile empties the segmentation, but not the intensities."""
        missing = np.array([[False, False, False, False, True]])
        images = signal_images(self.segmentation, {"missing_tile": missing}, self.green)
        sums = {name: int(image.sum()) for name, image in images.items()}
        assert sums == {
            "injection_sum_pixels": 2, "injection_sum_projecting_pixels": 1, "sum_projecting_pixels": 2, "sum_pixels": 4,
            "sum_pixel_intensities": 150, "injection_sum_pixel_intensities": 50,
            "sum_projecting_pixel_intensities": 30, "injectionsum_projecting_pixel_intensities": 20,
        }  # fmt: skip

    def test_no_signal_takes_projection_and_leaves_the_injection(self):
        images = signal_images(self.segmentation, {"no_signal": np.array([[True, True, False, False, False]])})
        assert images["sum_projecting_pixels"].tolist() == [[False, False, False, False, True]]
        assert images["injection_sum_pixels"].sum() == 3
        assert "sum_pixel_intensities" not in images  # GRD-08

    def test_a_drawn_injection_stands_also_where_it_is_empty(self):
        """FLAG of GRD-07: an empty list is an empty injection; only a missing one falls back to the codes."""
        images = signal_images(self.segmentation, {"aav_tracer": np.zeros((1, 5), bool)})
        assert not images["injection_sum_pixels"].any()
        assert signal_images(self.segmentation, {})["injection_sum_pixels"].sum() == 3

    def test_a_retrograde_tracer_is_counted_where_there_is_a_tile(self):
        drawn, missing = np.array([[True, True, False]]), np.array([[True, False, False]])
        images = cav_images({"cav_tracer": drawn, "missing_tile": missing}, (1, 3))
        assert images["cav_tracer"].tolist() == [[False, True, False]]  # GRD-09
        assert images["sum_pixels"].tolist() == [[False, True, True]]
