"""A stack of sections seen from the reference space (spec: connectivity GRD-11, XFM-01 to XFM-03).

Positions are micrometres in the order of a volume's axes. A volume says nothing beyond its edge: that is 0.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .compiling import WORTH_COMPILING, compiled


@dataclass(frozen=True)
class Placed:
    """A volume ``[x, y, z]``, or several of one grid ``[x, y, z, c]``, and where its voxels are."""

    values: np.ndarray
    spacing: tuple[float, float, float]
    origin: tuple[float, float, float] = (0.0, 0.0, 0.0)

    def at(self, points: np.ndarray, dtype: type = np.float64) -> np.ndarray:
        """Trilinear values at ``(n, 3)`` points: ``(n,)``, or ``(n, c)``, of which each ``[:, c]`` lies together.

        A point is inside down to half a voxel before the first centre, and strictly less than half beyond the last;
        neighbours are clamped at the border. Outside is 0.
        """
        return interpolated(self.values, ((points - np.asarray(self.origin)) / np.asarray(self.spacing)).T, dtype)


def interpolated(values: np.ndarray, index: np.ndarray, dtype: type = np.float64) -> np.ndarray:
    """Trilinear values at continuous indices ``(3, n)``, as :meth:`Placed.at`; summed in float64, kept as ``dtype``."""
    if values.ndim == 3:
        return interpolated(values[..., None], index, dtype)[:, 0]
    loop = compiled(_loop) if index.shape[1] >= WORTH_COMPILING else None
    found: np.ndarray = np.zeros((values.shape[3], index.shape[1]), dtype)
    (loop or _at_once)(values, np.ascontiguousarray(index), found)
    return found.T


def _at_once(values: np.ndarray, index: np.ndarray, found: np.ndarray) -> None:
    """Fill in what lies inside; all points at a time, corner by corner."""
    size = np.asarray(values.shape[:3])[:, None]
    inside = np.flatnonzero(((index >= -0.5) & (index < size - 0.5)).all(axis=0))
    at = np.clip(index[:, inside], 0, size - 1)
    low = np.minimum(at.astype(np.int64), np.maximum(size - 2, 0))
    high = np.minimum(low + 1, size - 1)
    part = at - low
    total = np.zeros((len(inside), values.shape[3]))
    for corner in itertools.product((0, 1), repeat=3):
        picked = [high[n] if up else low[n] for n, up in enumerate(corner)]
        x, y, z = (part[n] if up else 1 - part[n] for n, up in enumerate(corner))
        total += (x * y * z)[:, None] * values[picked[0], picked[1], picked[2]]
    found[:, inside] = total.T


def _loop(values, index, found):  # type: ignore[no-untyped-def]
    """:func:`_at_once`, point by point, to be compiled."""
    n_x, n_y, n_z, n_values = values.shape
    for p in range(index.shape[1]):
        x, y, z = index[0, p], index[1, p], index[2, p]
        is_inside = -0.5 <= x < n_x - 0.5 and -0.5 <= y < n_y - 0.5 and -0.5 <= z < n_z - 0.5
        if not is_inside:
            continue
        x, y, z = min(max(x, 0.0), n_x - 1.0), min(max(y, 0.0), n_y - 1.0), min(max(z, 0.0), n_z - 1.0)
        low_x, low_y, low_z = min(int(x), max(n_x - 2, 0)), min(int(y), max(n_y - 2, 0)), min(int(z), max(n_z - 2, 0))
        part_x, part_y, part_z = x - low_x, y - low_y, z - low_z
        high_x, high_y, high_z = min(low_x + 1, n_x - 1), min(low_y + 1, n_y - 1), min(low_z + 1, n_z - 1)
        for value in range(n_values):
            total = 0.0
            for a in range(2):
                i, u = (high_x, part_x) if a else (low_x, 1 - part_x)
                for b in range(2):
                    j, v = (high_y, part_y) if b else (low_y, 1 - part_y)
                    for c in range(2):
                        k, w = (high_z, part_z) if c else (low_z, 1 - part_z)
                        total += u * v * w * values[i, j, k, value]
            found[value, p] = total


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
        # column by column: a product of so thin matrices takes ten times as long
        return sum((points[:, n, None] * self.matrix[:, n] for n in range(3)), self.shift)


def to_stack(points: np.ndarray, affine: Affine | None, field: Placed | None) -> np.ndarray:
    """Points of the reference space in the stack of sections: displaced first, then transformed (XFM-03)."""
    if field is not None:
        points = points + field.at(points)
    return points if affine is None else affine(points)


def plane_points(ml: int, shape: tuple[int, int, int], spacing: tuple[float, float, float]) -> np.ndarray:
    """Positions of a sagittal plane's voxels, ``(dv * ap, 3)``, ap fastest; the origin lies in the first voxel."""
    n_ap, n_dv, _ = shape
    points = np.empty((n_dv, n_ap, 3))
    points[..., 0] = np.arange(n_ap) * spacing[0]
    points[..., 1] = (np.arange(n_dv) * spacing[1])[:, None]
    points[..., 2] = ml * spacing[2]
    return points.reshape(-1, 3)
