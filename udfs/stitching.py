"""Tiles of a section put together, blended where they overlap (spec: connectivity STI-01 to STI-03).

Tiles and sections are ``[row, column]``.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass

import numpy as np


def upright(image: np.ndarray) -> np.ndarray:
    """An image as the microscope writes it, as it lies in a section: flipped top to bottom, then transposed (STI-01)."""
    return np.flip(image, axis=0).swapaxes(0, 1)


def flat_field(average_tile: np.ndarray) -> np.ndarray:
    """What evens out the light on a tile: median / average, 0 where that is no number (STI-01).

    A tile whose median is 0 stays as it is.
    """
    average = np.asarray(average_tile, np.float64)
    median = np.median(average)
    if median == 0:
        return average
    with np.errstate(divide="ignore", invalid="ignore"):
        factor = median / average
    return np.where(np.isfinite(factor), factor, 0.0)


@dataclass(frozen=True)
class Place:
    """Where a tile belongs: its upper left corner in the section, its size without margins, and its margins."""

    rows: tuple[int, int]
    columns: tuple[int, int]
    size: tuple[int, int]
    margins: tuple[int, int]

    @property
    def region(self) -> tuple[slice, slice]:
        return slice(*self.rows), slice(*self.columns)

    @property
    def outline(self) -> list[int]:
        """Corners of the region as row, column, row, column ... of a missing tile (STI-02)."""
        (r0, r1), (c0, c1) = self.rows, self.columns
        return [r0, c0, r1, c0, r1, c1, r0, c1]

    def trimmed(self, image: np.ndarray) -> np.ndarray:
        """An image without its margins (STI-02)."""
        (top, left), (n_rows, n_columns) = self.margins, self.size
        return image[top : top + n_rows, left : left + n_columns]


def prepared(image: np.ndarray | None, place: Place, field: np.ndarray | None) -> np.ndarray:
    """A tile evened out and trimmed; zeros where there is none (STI-02)."""
    if image is None:
        return np.zeros(place.size)
    if field is not None:
        if any(have > want for have, want in zip(field.shape, image.shape, strict=True)):
            field = place.trimmed(field)
        if field.shape != image.shape:
            raise ValueError(f"an average tile of {field.shape} pixels goes with no tile of {image.shape}")
        image = image * field
    return place.trimmed(image)


def blend(covered: np.ndarray) -> np.ndarray:
    """How much of what is there already stays under a tile, 0 to 1 a pixel (STI-03).

    covered : bool, where something is. From each covered edge it falls off linearly to the end of what is covered.
    """
    weight = np.zeros(covered.shape)
    for compare in (operator.lt, operator.gt):
        for axis, size in enumerate(covered.shape):
            step = np.diff(covered.astype(np.int8), axis=axis)
            ends = np.unique(np.nonzero(compare(step, 0))[axis])
            ends = ends[compare(ends, size / 2)]
            if len(ends):
                ramp = ends[-1] - np.arange(size) + 1
                ramp = np.abs(np.where(compare(ramp, 0), 0, ramp))
                ramp = ramp / (ramp.max() or 1)
                weight = np.maximum(weight, ramp[:, None] if axis == 0 else ramp)
    return weight * covered


def lay(section: np.ndarray, covered: np.ndarray, tile: np.ndarray, place: Place) -> None:
    """Put a tile into a section (uint16) and into what is covered, in place (STI-03).

    Tiles come in the order of the input; one that is missing is laid, too, as zeros. Raises ValueError where the tile's
    size is not that of its place.
    """
    region = place.region
    if section[region].shape != tile.shape:
        raise ValueError(f"a tile of {tile.shape} pixels, and a place of {section[region].shape}")
    share = blend(covered[region])
    section[region] = ((1 - share) * tile + share * section[region]).astype(section.dtype)
    covered[region] = True
