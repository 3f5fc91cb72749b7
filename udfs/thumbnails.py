"""Rotating maximum projections of a volume, coloured: thumbnails of projection data (spec: connectivity THB-01 to THB-07).

A volume is an array ``[z, y, x]``; its *image axes* are counted the other way: x is 0, so that image axis k is array
axis 2 - k.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import numpy as np

from .resampling import interpolated

DARKEST = 1e-10  # smaller values have no logarithm worth showing
KERNEL_ERROR = 0.01  # share of a Gaussian kernel's area that may be cut off
KERNEL_RADIUS = 15


def upright(volume: np.ndarray) -> np.ndarray:
    """A volume ``[ap, dv, ml]`` as it is looked at from behind: x runs along ml from right to left (THB-01).

    The reference permutes the image axes ap, dv, ml to ml, dv, ap, and flips the first.
    """
    return volume[:, :, ::-1]


def windowed(volume: np.ndarray, lowest: float, highest: float) -> np.ndarray:
    """Values on a logarithmic scale, 0 at lowest and 1 at highest (THB-01).

    A lowest of 0 stands for 1e-10 and a highest of 0 for the volume's maximum: the reference, which takes their
    logarithm, gives NaN.
    """
    low, high = np.log(lowest or DARKEST), np.log(max(highest or float(volume.max(initial=0)), DARKEST))
    scaled = np.log(np.maximum(volume, DARKEST)) - low
    return np.clip(scaled / (high - low) if high > low else np.sign(scaled), 0, 1)


def window_size(size: Sequence[int], window: Literal["pad", "no_pad", "safe"] | Sequence[int]) -> tuple[int, int, int]:
    """Size (x, y, z) of the room in which a volume of a size (x, y, z) turns (THB-02).

    pad : about y, what turns out of it is kept; no_pad : it is cut off; safe : a cube in which anything may turn,
    a voxel longer where the volume's parity is another

    >>> window_size((8, 9, 10), "safe")
    (16, 17, 16)
    """
    x, y, z = size
    diagonal = math.ceil(math.sqrt(x * x + y * y + z * z))
    if window == "pad":
        return diagonal, math.floor(math.hypot(y, x)), math.floor(math.hypot(z, x))
    if window == "no_pad":
        return diagonal, y, z
    if window == "safe":
        a, b, c = (diagonal + (diagonal - edge) % 2 for edge in size)
        return a, b, c
    if len(window) != 3 or any(int(edge) != edge or edge < 1 for edge in window):
        raise ValueError(f"a window is pad, no_pad, or three lengths: {window!r} is not")
    return int(window[0]), int(window[1]), int(window[2])


def pasted(volume: np.ndarray, shape: Sequence[int]) -> np.ndarray:
    """A volume in the middle of zeros, or the middle of it where there is less room (THB-02).

    The offset is rounded half to even where the parities of the edges differ.
    """
    room = np.zeros(shape, volume.dtype)
    to, come = [], []
    for have, want in zip(volume.shape, shape, strict=True):
        offset = int(np.rint((max(have, want) - 1) / 2 - (min(have, want) - 1) / 2))
        length = min(have, want)
        to.append(slice(offset, offset + length) if want >= have else slice(0, length))
        come.append(slice(0, length) if want >= have else slice(offset, offset + length))
    room[tuple(to)] = volume[tuple(come)]
    return room


def parities_differ(volume: np.ndarray, shape: Sequence[int]) -> bool:
    """The middle of a volume and of its room are half a voxel apart along some axis."""
    return any((have - want) % 2 for have, want in zip(volume.shape, shape, strict=True))


def angles(start: float, end: float, n_steps: int) -> np.ndarray:
    """Angles of a rotation (rad) from start to end in units of pi, the end left out."""
    return np.linspace(start * np.pi, end * np.pi, n_steps, endpoint=False)


def rotation(angle: float, from_axis: int, to_axis: int) -> np.ndarray:
    """Sampling matrix of a rotation by an angle (rad) from one image axis to another (THB-03)."""
    if from_axis == to_axis or not {from_axis, to_axis} <= {0, 1, 2}:
        raise ValueError(f"a volume turns from one of axes 0, 1, 2 to another, not from {from_axis} to {to_axis}")
    matrix = np.eye(3)
    matrix[from_axis, from_axis] = matrix[to_axis, to_axis] = np.cos(angle)
    matrix[from_axis, to_axis], matrix[to_axis, from_axis] = -np.sin(angle), np.sin(angle)
    return matrix


def rotated(volume: np.ndarray, angle: float, from_axis: int, to_axis: int) -> np.ndarray:
    """A volume turned about its middle: out(x) = in(c + R (x - c)), trilinear, 0 from outside (THB-03)."""
    matrix = rotation(angle, from_axis, to_axis)[::-1, ::-1]  # of array axes
    middle = (np.asarray(volume.shape) - 1)[:, None] / 2
    result = np.empty(volume.shape)
    rest = np.indices(volume.shape[1:]).reshape(2, -1)
    for z in range(volume.shape[0]):
        points = np.concatenate([np.full((1, rest.shape[1]), z), rest])
        result[z] = interpolated(volume, middle + matrix @ (points - middle)).reshape(volume.shape[1:])
    return result


def projected(volume: np.ndarray, axis: int) -> tuple[np.ndarray, np.ndarray]:
    """Maximum along an image axis, and where it is first met; both transposed, as strips have them (THB-04)."""
    along = 2 - axis
    return volume.max(axis=along).T, volume.argmax(axis=along).T


def strips(
    volume: np.ndarray, axis: int, from_axis: int, to_axis: int, turns: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Projections of a turning volume side by side: maxima and depths (THB-04)."""
    views = [projected(rotated(volume, float(angle), from_axis, to_axis), axis) for angle in turns]
    return np.concatenate([v for v, _ in views], axis=-1), np.concatenate([d for _, d in views], axis=-1)


def split(strip: np.ndarray, n_views: int) -> list[np.ndarray]:
    """The views that make up a strip."""
    return np.split(strip, n_views, axis=-1)


def blurred(image: np.ndarray, variance: float) -> np.ndarray:
    """An image under the discrete Gaussian kernel, exp(-t) I_n(t), of a variance t in pixels (THB-05).

    The kernel is cut where it holds 99 % of its area, and scaled to sum to 1; the border is repeated outward.
    """
    if variance <= 0:
        return image
    from scipy.ndimage import correlate1d
    from scipy.special import ive

    half = ive(np.arange(KERNEL_RADIUS + 1), variance)
    area = 2 * np.cumsum(half) - half[0]
    radius = int(np.argmax(area >= 1 - KERNEL_ERROR)) if area[-1] >= 1 - KERNEL_ERROR else KERNEL_RADIUS
    kernel = np.concatenate([half[radius:0:-1], half[: radius + 1]])
    kernel /= kernel.sum()
    for axis in range(image.ndim):
        image = correlate1d(image, kernel, axis=axis, mode="nearest")
    return image


def colormap(rows: np.ndarray) -> np.ndarray:
    """A table of r, g, b as colours in 0 to 1: each channel from its lowest to its highest (THB-06).

    A channel of one value stays as it is.
    """
    table = np.asarray(rows, np.float64)
    if table.ndim != 2 or table.shape[1] != 3 or not len(table) or not np.isfinite(table).all():
        raise ValueError("a colour map is a table of three numbers a row: red, green, blue")
    low, high = table.min(axis=0), table.max(axis=0)
    spread = np.where(high > low, high - low, 1.0)
    return np.where(high > low, (table - low) / spread, table)


def coloured(strip: np.ndarray, colours: np.ndarray, background: np.ndarray | float = 0.0) -> np.ndarray:
    """A strip of values in 0 to 1 as uint8 ``[row, column, rgb]`` (THB-05).

    colours : as :func:`colormap`, one a level; background : grey in 0 to 1, seen where values are below 1
    """
    level = np.minimum((strip * len(colours)).astype(np.int64), len(colours) - 1)
    opacity = strip[..., None]
    behind = np.broadcast_to(np.asarray(background, np.float64), strip.shape)[..., None]
    rgb = colours[level] * opacity + behind * (1 - opacity)
    return np.rint(255 * np.clip(rgb, 0, 1)).astype(np.uint8)


def finished(strip: np.ndarray, blur: float, scale: float) -> np.ndarray:
    """A strip blurred and then scaled, before it is coloured (THB-05)."""
    image = blurred(np.asarray(strip, np.float64), blur)
    if scale != 1:
        from scipy.ndimage import zoom

        image = zoom(image, scale, order=1)
    return np.clip(image, 0, 1)


def template_projection(volume: np.ndarray, axis: int, gain: float = 2.0, highest: float = 1.0) -> np.ndarray:
    """A grey volume seen through along an image axis: bright voxels cover what lies behind them (THB-07)."""
    seen = np.zeros(np.delete(volume.shape, 2 - axis))
    for layer in np.moveaxis(volume, 2 - axis, 0):
        seen = seen * (highest - layer) / highest + gain * layer**2 / highest
    return seen


def normalized(values: np.ndarray, low: float, high: float, to_low: float = 0.0, to_high: float = 1.0) -> np.ndarray:
    """Intensities from one range to another, cut off at its ends (THB-07)."""
    return np.clip((values - low) / (high - low), 0, 1) * (to_high - to_low) + to_low


def blended(images: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Images ``[n, row, column]`` in one, weighted pixel by pixel (THB-07).

    A weight is w - min / (max - min) over the images, as in the reference, which leaves out a bracket; where that is no
    number, 1/2.
    """
    low, high = weights.min(axis=0), weights.max(axis=0)
    with np.errstate(divide="ignore", invalid="ignore"):
        shares = weights - low / (high - low)
    return (images * np.where(np.isfinite(shares), shares, 0.5)).sum(axis=0)
