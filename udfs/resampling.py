"""A stack of sections seen from the reference space (spec: connectivity GRD-10, GRD-11, XFM-01 to XFM-03).

Positions are micrometres in the order of a volume's axes. A volume says nothing beyond its edge: that is 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.ndimage import map_coordinates


@dataclass(frozen=True)
class Placed:
    """A volume ``[x, y, z]`` or, of vectors, ``[x, y, z, 3]``, and where its voxels are."""

    values: np.ndarray
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def at(self, points: np.ndarray) -> np.ndarray:
        """Trilinear values at ``(n, 3)`` points: ``(n,)``, or ``(n, 3)`` of vectors.

        A point is inside down to half a voxel before the first centre, and strictly less than half beyond the last;
        neighbours are clamped at the border. Outside is 0.
        """
        index = ((points - np.asarray(self.origin)) / np.asarray(self.spacing)).T
        return interpolated(self.values, index)


def interpolated(values: np.ndarray, index: np.ndarray) -> np.ndarray:
    """Trilinear values at continuous indices ``(3, n)``, as :meth:`Placed.at`."""
    if values.ndim == 4:
        return np.stack([interpolated(values[..., c], index) for c in range(values.shape[3])], axis=1)
    size = np.asarray(values.shape)[:, None]
    inside = ((index >= -0.5) & (index < size - 0.5)).all(axis=0)
    found = map_coordinates(values, index, np.float64, order=1, mode="nearest", prefilter=False)
    found[~inside] = 0.0
    return found


@dataclass(frozen=True)
class Affine:
    """y = M x + t, of twelve parameters: M by rows, then t (XFM-01)."""

    matrix: np.ndarray
    shift: np.ndarray

    @classmethod
    def of(cls, parameters: Sequence[float]) -> Affine:
        values = np.asarray(parameters, np.float64)
        if values.shape != (12,) or not np.isfinite(values).all():
            raise ValueError("an affine transform has twelve parameters, and they are numbers")
        return cls(values[:9].reshape(3, 3), values[9:])

    def __call__(self, points: np.ndarray) -> np.ndarray:
        return points @ self.matrix.T + self.shift


def to_stack(points: np.ndarray, affine: Affine | None, field: Placed | None) -> np.ndarray:
    """Points of the reference space in the stack of sections: displaced first, then transformed (XFM-03)."""
    if field is not None:
        points = points + field.at(points)
    return points if affine is None else affine(points)


def stacked(planes: Sequence[tuple[int, np.ndarray]], shape: tuple[int, int, int]) -> np.ndarray:
    """Planes ``[x, y]`` put at their place along z, float32; where there is none, 0 (GRD-10)."""
    stack = np.zeros(shape, np.float32)
    for z, plane in planes:
        if not 0 <= z < shape[2]:
            raise ValueError(f"section {z} lies outside of a stack of {shape[2]}")
        stack[:, :, z] = plane
    return stack


def plane_points(ml: int, shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> np.ndarray:
    """Positions of a sagittal plane's voxels, ``(dv * ap, 3)``, ap fastest; the origin lies in the first voxel."""
    n_ap, n_dv, _ = shape
    points = np.empty((n_dv, n_ap, 3))
    points[..., 0] = np.arange(n_ap) * spacing[0]
    points[..., 1] = (np.arange(n_dv) * spacing[1])[:, None]
    points[..., 2] = ml * spacing[2]
    return points.reshape(-1, 3)
