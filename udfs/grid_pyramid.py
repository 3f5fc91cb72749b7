"""Grids at coarser resolutions, and ratios of accumulators (spec: connectivity GRD-12 to GRD-14).

A reduction works along one axis at a time, so that a volume can be reduced plane by plane.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np

# grid -> accumulators that it is the ratio of (GRD-12)
RATIOS = {
    "projection_density": ("sum_projecting_pixels", "sum_pixels"),
    "injection_density": ("injection_sum_projecting_pixels", "sum_pixels"),
    "injection_fraction": ("injection_sum_pixels", "sum_pixels"),
    "projection_energy": ("sum_projecting_pixel_intensities", "sum_pixels"),
    "injection_energy": ("injectionsum_projecting_pixel_intensities", "sum_pixels"),
    "aav_exclusion_fraction": ("aav_exclusion_sum_pixels", "sum_pixels"),
    "cav_density": ("cav_tracer", "sum_pixels"),
}


def ratio(numerator: np.ndarray, denominator: np.ndarray) -> np.ndarray:
    """float32 quotient; 0 / 0 is 0, and what is divided by 0 stays infinite (GRD-12)."""
    with np.errstate(divide="ignore", invalid="ignore"):
        quotient = np.divide(numerator, denominator, dtype=np.float32)
    quotient[np.isnan(quotient)] = 0
    return quotient


def data_mask(sum_pixels: np.ndarray, largest: float) -> np.ndarray:
    """1 where at least half of the pixels of a full voxel are there, else 0, as float32 (GRD-12)."""
    if not largest > 0:
        return np.zeros(sum_pixels.shape, np.float32)
    return np.rint(sum_pixels / np.float32(largest)).astype(np.float32)


@dataclass(frozen=True)
class Windows:
    """What each output voxel of one axis is made of: ``weights[o, j]`` of input voxel ``first[o] + j``."""

    first: np.ndarray
    weights: np.ndarray

    def along(self, values: np.ndarray, axis: int) -> np.ndarray:
        """Values at the coarser resolution along one axis, float64; beyond the end they count as 0."""
        moved = np.moveaxis(values, axis, 0)
        found = np.zeros((len(self.first), *moved.shape[1:]))
        for step in range(self.weights.shape[1]):
            index = np.minimum(self.first + step, len(moved) - 1)
            found += self.weights[:, step].reshape(-1, *[1] * (moved.ndim - 1)) * moved[index]
        return np.moveaxis(found, 0, axis)


def windows(n: int, factor: float, exact_overlap: bool = False) -> Windows:
    """How n voxels of an axis become ceil(n / factor) (GRD-13, GRD-14).

    factor : edge of an output voxel in input voxels: a whole number (block mean, zeros beyond the end), or k + 1/2
    exact_overlap : weigh by the true overlap of voxels. The reference halves every third input voxel instead of the
        shared ones, at factor 2.5, and so have all published 25 um grids; other k + 1/2 it gets wrong altogether.

    Raises ValueError where the reference has no answer.
    """
    twice = round(2 * factor)
    if factor < 1 or twice != 2 * factor:
        raise ValueError(f"a voxel {factor:g} times as large is neither k nor k + 1/2 voxels")
    outputs, steps = np.arange(-(-2 * n // twice)), np.arange(-(-twice // 2))
    first = outputs * twice // 2
    inputs = first[:, None] + steps
    if twice % 2 == 0 or exact_overlap:
        starts = outputs[:, None] * factor
        weights = np.minimum(inputs + 1, starts + factor) - np.maximum(inputs, starts)
    elif factor != 2.5:
        raise ValueError(f"a factor of {factor:g} is defined for exact overlap alone")
    elif n % 5 in (1, 3):
        raise ValueError(f"{n} voxels do not make up windows of 2.5 voxels")
    else:
        weights = np.where(inputs % 3 == 2, 0.5, 1.0)  # GRD-14: the shared voxels are those with i mod 5 == 2
    return Windows(first, np.where(inputs < n, weights, 0.0) / factor)


def reduced(volume: np.ndarray, factor: float, exact_overlap: bool = False) -> np.ndarray:
    """A volume (or image) at a coarser resolution, float64; a factor of 1 leaves it as it is."""
    if factor == 1:
        return volume
    for axis, n in enumerate(volume.shape):
        volume = windows(n, factor, exact_overlap).along(volume, axis)
    return volume


class Reduction:
    """:func:`reduced` of a volume that comes plane by plane, of which a few planes are held.

    Raises ValueError where :func:`windows` does.
    """

    def __init__(self, n_planes: int, factor: float, exact_overlap: bool = False) -> None:
        self._across = windows(n_planes, factor, exact_overlap)
        self._n_planes, self._factor, self._exact_overlap = n_planes, factor, exact_overlap
        self._held: dict[int, np.ndarray] = {}  # outputs of which something has come
        self._number = self._done = 0

    def add(self, plane: np.ndarray) -> Iterator[np.ndarray]:
        """The planes that are complete with the next one, to be taken before another is added."""
        if self._factor == 1:
            yield plane
            return
        small = reduced(plane, self._factor, self._exact_overlap)
        first, weights = self._across.first, self._across.weights
        number, width = self._number, weights.shape[1]
        self._number += 1
        for output in range(self._done, len(first)):
            step = number - first[output]
            if step < 0:
                break
            if step < width:
                self._held[output] = self._held.get(output, 0.0) + weights[output, step] * small
        while self._done < len(first) and (first[self._done] + width - 1 <= number or number == self._n_planes - 1):
            yield self._held.pop(self._done)
            self._done += 1


def reduced_planes(
    planes: Iterable[np.ndarray], n_planes: int, factor: float, exact_overlap: bool = False
) -> Iterator[np.ndarray]:
    """:func:`reduced` of a volume that comes plane by plane."""
    reduction = Reduction(n_planes, factor, exact_overlap)
    for plane in planes:
        yield from reduction.add(plane)
