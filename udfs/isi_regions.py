"""Annotated visual areas on maps of intrinsic signals: where they look (spec: connectivity ARM)."""

from __future__ import annotations

import numpy as np

ALTITUDE_SCALE = 0.322  # phase of the map to visual field, as the reference has it
AZIMUTH_SCALE = 0.383


def region_mask(shape: tuple[int, int], x: int, y: int, mask: np.ndarray) -> np.ndarray:
    """A region's pixels on a map ``[y, x]``, bool.

    mask : of the box whose upper left pixel is (x, y). 0 and 1 are false and true; the reference takes them for rows.

    Raises ValueError where the box does not lie on the map, the mask holds something else, or is empty.
    """
    box = np.asarray(mask)
    if box.ndim != 2 or not np.isin(box, (0, 1)).all():
        raise ValueError("the mask of a region is a table of booleans")
    height, width = box.shape
    if x < 0 or y < 0 or y + height > shape[0] or x + width > shape[1]:
        raise ValueError(f"a region of {width} x {height} pixels at ({x}, {y}) is not on a map of {shape[::-1]}")
    if not box.any():
        raise ValueError("the mask of a region has no pixel in it")
    region = np.zeros(shape, bool)
    region[y : y + height, x : x + width] = box.astype(bool)
    return region


def eccentricity(
    azimuth: np.ndarray, altitude: np.ndarray, azimuth_centre: float = 0.0, altitude_centre: float = 0.0
) -> np.ndarray:
    """Angle between a direction and the centre of the visual field; all in radians.

    atan(sqrt(tan^2(dalt) + tan^2(daz) / cos^2(dalt)))
    """
    up, aside = altitude - altitude_centre, azimuth - azimuth_centre
    return np.arctan(np.sqrt(np.tan(up) ** 2 + np.tan(aside) ** 2 / np.cos(up) ** 2))


def region_metrics(
    altitude_phase: np.ndarray,
    azimuth_phase: np.ndarray,
    region: np.ndarray,
    altitude_scale: float = ALTITUDE_SCALE,
    azimuth_scale: float = AZIMUTH_SCALE,
) -> dict[str, float]:
    """Centre of a region in pixels, and what of the visual field it covers in degrees.

    altitude_phase, azimuth_phase : maps ``[y, x]`` (rad); region : bool, as :func:`region_mask`
    returns : x_centroid, y_centroid; of azimuth and altitude min, max, range and bias, which is |min + max|; and
    eccentricity_at_centroid
    """
    altitude, azimuth = altitude_phase * altitude_scale, azimuth_phase * azimuth_scale
    y, x = (float(index.mean()) for index in np.nonzero(region))
    metrics = {"x_centroid": x, "y_centroid": y}
    for name, values in (("azimuth", azimuth), ("altitude", altitude)):
        inside = np.degrees(values[region])
        low, high = float(inside.min()), float(inside.max())
        metrics |= {
            f"{name}_min": low,
            f"{name}_max": high,
            f"{name}_range": high - low,
            f"{name}_bias": abs(low + high),
        }
    at = int(np.rint(y)), int(np.rint(x))
    metrics["eccentricity_at_centroid"] = float(np.degrees(eccentricity(azimuth, altitude)[at]))
    return metrics
