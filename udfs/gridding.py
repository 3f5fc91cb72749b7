"""Sections of an image series summed into cells of a coarse grid (spec: connectivity GRD-01 to GRD-09).

Images are ``[column, row]``, as are cells. A *cell* is a square of input pixels; a *block* is the range of pixels whose
centres lie in one cell. ``level`` is the pyramid level that images are read at: each step halves both edges.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

PROJECTION_BIT = 7
INJECTION_BITS = 0b11111
Polygon = Sequence[Sequence[float]]


@dataclass(frozen=True)
class CoarseAxis:
    """One in-plane axis of the coarse grid.

    n_pixels : pixels of the input, at full resolution
    pixel_um : edge of such a pixel
    cell_pixels : pixels along a cell, at full resolution
    level : pyramid level that images are read at
    """

    n_pixels: int
    pixel_um: float
    cell_pixels: int
    level: int

    @property
    def n_cells(self) -> int:
        return -(-self.n_pixels // self.cell_pixels)

    @property
    def cell_um(self) -> float:
        return self.pixel_um * self.cell_pixels

    @property
    def n_reduced(self) -> int:
        """Pixels at the level that images are read at (GRD-02)."""
        return round_half_even(self.n_pixels / 2**self.level)

    @property
    def reduced_um(self) -> float:
        return self.pixel_um * 2**self.level


def round_half_even(value: float) -> int:
    return int(np.rint(value))


def coarse_axis(n_pixels: int, pixel_um: float, wanted_um: float, level: int = 0) -> CoarseAxis:
    """The axis whose cells are nearest to a wanted edge (GRD-01): an odd number of reduced pixels, whole ones.

    >>> axis = coarse_axis(12353, 0.85, 10.0)
    >>> axis.n_cells, round(axis.cell_um, 6)
    (951, 11.05)
    """
    if n_pixels < 1 or not (pixel_um > 0 and wanted_um > 0) or level < 0:
        raise ValueError(f"no grid of {wanted_um} um from {n_pixels} pixels of {pixel_um} um at level {level}")
    quotient = 2**level
    radius = round_half_even(wanted_um / pixel_um / 2 / quotient)
    return CoarseAxis(n_pixels, pixel_um, (2 * radius + 1) * quotient, level)


def block_starts(n_pixels: int, pixel_um: float, cell_um: float) -> np.ndarray:
    """First pixel of each block (GRD-03).

    Pixel p has its centre at (p + 1/2) pixel_um; edges lie at multiples of cell_um strictly below the last centre's
    upper half. A cell in which no centre lies has no block, so that later cells move up.

    >>> block_starts(10, 5.0, 20.0).tolist()
    [0, 4, 8]
    """
    n_edges = max(0, math.ceil(((n_pixels - 0.5) * pixel_um - cell_um) / cell_um))
    edges = cell_um + np.arange(n_edges) * cell_um
    centres = pixel_um / 2 + np.arange(n_pixels) * pixel_um
    cells = np.searchsorted(edges, centres, side="right")
    return np.flatnonzero(np.diff(cells, prepend=-1))


@dataclass(frozen=True)
class Band:
    """Rows of an image that make up whole cells.

    pixels : which rows, at the level that images are read at
    cells : which row cells they are summed into
    starts : first of these pixels of each cell, from 0
    """

    pixels: slice
    cells: slice
    starts: np.ndarray


def bands(rows: CoarseAxis, most: int) -> Iterator[Band]:
    """The rows of an image, so many pixels or fewer at a time, or one cell where that has more."""
    edges = np.append(_starts(rows), rows.n_reduced)
    first, n = 0, len(edges) - 1
    while first < n:
        stop = max(first + 1, int(np.searchsorted(edges, edges[first] + most, side="right")) - 1)
        starts = edges[first:stop] - edges[first]
        yield Band(slice(int(edges[first]), int(edges[stop])), slice(first, stop), starts)
        first = stop


def band_sums(image: np.ndarray, columns: CoarseAxis, band: Band) -> np.ndarray:
    """Sums of a band of an image over the cells of a grid (GRD-04), float64 ``[column cell, row cell]``.

    Multiplied by 2^(level + 1), as the reference does: the area of a reduced pixel is 4^level, which is the same at
    level 1 alone. Ratios of sums do not depend on it.
    """
    shape = columns.n_reduced, band.pixels.stop - band.pixels.start
    if image.shape != shape:
        raise ValueError(f"an image of {image.shape} pixels, where {shape} are expected")
    sums = np.add.reduceat(image, band.starts, axis=1, dtype=np.float64)
    sums = np.add.reduceat(sums, _starts(columns), axis=0)
    return sums * 2.0 ** (columns.level + 1)


def _starts(axis: CoarseAxis) -> np.ndarray:
    return block_starts(axis.n_reduced, axis.reduced_um, axis.cell_um)


def nearest_indices(n_source: int, n_target: int) -> np.ndarray:
    """Source index of each of n_target samples: floor(o (N - 1) / (M - 1) + 1/2) (GRD-02, RSP-08)."""
    if n_target <= 1:
        return np.zeros(max(n_target, 0), np.int64)
    return np.floor(np.arange(n_target) * (n_source - 1) / (n_target - 1) + 0.5).astype(np.int64)


def rasterized(
    polygons: Sequence[Polygon], n_columns: int, n_rows: int, level: int = 0, first_row: int = 0
) -> np.ndarray:
    """Pixels inside any of the polygons (GRD-05), bool ``[column, row]``, of so many rows from the first.

    Vertices (x, y) are in pixels of full resolution. Even-odd crossing with half-open edges, so that a square from 4 to
    6 fills pixels 4 and 5.
    """
    inside = np.zeros((n_columns, n_rows), bool)
    for polygon in polygons:
        vertices = np.asarray(polygon, np.float64).reshape(-1, 2)
        if not np.isfinite(vertices).all():
            raise ValueError("a polygon has a vertex that is no number")
        points = np.rint(vertices * 2.0**-level)
        ends = points[:, 1].min(initial=np.inf), points[:, 1].max(initial=-np.inf)  # of no vertex there is no row
        low, high = (int(y) for y in np.clip(ends, first_row, first_row + n_rows))
        if low < high:
            inside[:, low - first_row : high - first_row] |= _inside(points - (0, low), n_columns, high - low)
    return inside


def _inside(points: np.ndarray, n_columns: int, n_rows: int) -> np.ndarray:
    """Pixels inside of one polygon."""
    # a pixel is inside if an odd number of edges cross its row to the right of it: toggles, summed from the right
    toggles = np.zeros((n_columns + 1, n_rows), bool)
    for (x_i, y_i), (x_j, y_j) in zip(points, np.roll(points, 1, axis=0), strict=True):
        low, high = (int(np.clip(y, 0, n_rows)) for y in sorted((y_i, y_j)))
        rows = np.arange(low, high)
        if len(rows):
            crossing = (x_j - x_i) * (rows - y_i) / (y_j - y_i) + x_i
            toggles[np.clip(np.ceil(crossing), 0, n_columns).astype(np.int64), rows] ^= True
    return np.logical_xor.accumulate(toggles[:0:-1], axis=0)[::-1]


def projection_of(segmentation: np.ndarray, filter_bit: int | None = None) -> np.ndarray:
    """Where a segmentation (uint8) says that axons project (GRD-06): bit 7, and the filter's bit if there is one."""
    signal = segmentation >> PROJECTION_BIT & 1 == 1
    return signal if filter_bit is None else signal & (segmentation >> filter_bit & 1 == 1)


def injection_of(segmentation: np.ndarray) -> np.ndarray:
    """Where a segmentation says that the injection is: any of bits 0 to 4 (GRD-06)."""
    return segmentation & INJECTION_BITS != 0


def signal_images(
    segmentation: np.ndarray,
    polygons: Mapping[str, np.ndarray],
    intensity: np.ndarray | None = None,
    filter_bit: int | None = None,
) -> dict[str, np.ndarray]:
    """Images whose sums are the accumulators of a section (GRD-07; without intensities GRD-08).

    segmentation : uint8 ``[column, row]``
    polygons : rasterised ``missing_tile``, ``no_signal``, ``aav_exclusion``, ``aav_tracer``, those that there are. An
        ``aav_tracer`` is the injection, whatever the segmentation says, also where it is empty.
    """
    missing = polygons.get("missing_tile", np.zeros(segmentation.shape, bool))
    kept = np.where(missing, 0, segmentation)
    projection = projection_of(kept, filter_bit)
    if "no_signal" in polygons:
        projection &= ~polygons["no_signal"]
    injection = polygons["aav_tracer"] if "aav_tracer" in polygons else injection_of(kept)
    both = injection & projection
    images = {
        "injection_sum_pixels": injection,
        "injection_sum_projecting_pixels": both,
        "sum_projecting_pixels": projection,
        "sum_pixels": ~missing,
    }
    if "aav_exclusion" in polygons:
        images["aav_exclusion_sum_pixels"] = polygons["aav_exclusion"]
    if intensity is not None:
        images["sum_pixel_intensities"] = intensity
        images["injection_sum_pixel_intensities"] = intensity * injection
        images["sum_projecting_pixel_intensities"] = intensity * projection
        images["injectionsum_projecting_pixel_intensities"] = intensity * both
    return images


def cav_images(polygons: Mapping[str, np.ndarray], shape: tuple[int, int]) -> dict[str, np.ndarray]:
    """Images whose sums are the accumulators of a section with a retrograde tracer (GRD-09)."""
    nowhere = np.zeros(shape, bool)
    present = ~polygons.get("missing_tile", nowhere)
    return {"sum_pixels": present, "cav_tracer": polygons.get("cav_tracer", nowhere) & present}
