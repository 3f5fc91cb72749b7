"""Areas of intrinsic-signal maps: numbers by hand (specification connectivity ARM)."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.udfs.isi_regions import eccentricity, region_mask, region_metrics


def test_a_mask_lies_in_its_box_and_numbers_are_flags():
    """FLAG of ARM: the reference takes 0 and 1 for rows."""
    mask = region_mask((4, 5), x=1, y=2, mask=np.array([[0, 1, 1], [1, 0, 0]]))
    assert np.argwhere(mask).tolist() == [[2, 2], [2, 3], [3, 1]]


@pytest.mark.parametrize(
    ("x", "y", "mask", "why"),
    [
        (3, 0, [[1, 1, 1]], "is not on a map"),
        (0, 0, [[0]], "no pixel"),
        (0, 0, [[2]], "booleans"),
        (0, 0, [True], "booleans"),
    ],
)
def test_a_box_that_is_none(x, y, mask, why):
    with pytest.raises(ValueError, match=why):
        region_mask((4, 5), x, y, np.array(mask))


def test_eccentricity_is_the_angle_from_the_centre():
    assert eccentricity(np.array(0.3), np.array(0.0)) == pytest.approx(0.3)  # along either axis, the angle itself
    assert eccentricity(np.array(0.0), np.array(-0.2)) == pytest.approx(0.2)
    # altitude 45 degrees, azimuth 45: tan^2 = 1, plus 1 / (1/2): atan(sqrt 3) = 60 degrees
    assert np.degrees(eccentricity(np.array(np.pi / 4), np.array(np.pi / 4))) == pytest.approx(60.0)


def test_metrics_of_a_region():
    altitude = np.radians(np.array([[0.0, 10.0, 20.0], [0.0, 10.0, 20.0], [0.0, 0.0, 0.0]]))
    azimuth = np.radians(np.array([[0.0, -30.0, 10.0], [0.0, 0.0, 10.0], [90.0, 90.0, 90.0]]))
    region = np.array([[False, True, True], [False, True, True], [False, False, False]])
    metrics = region_metrics(altitude, azimuth, region, altitude_scale=1.0, azimuth_scale=2.0)
    assert metrics == pytest.approx({
        "x_centroid": 1.5, "y_centroid": 0.5,
        "azimuth_min": -60.0, "azimuth_max": 20.0, "azimuth_range": 80.0, "azimuth_bias": 40.0,
        "altitude_min": 10.0, "altitude_max": 20.0, "altitude_range": 10.0, "altitude_bias": 30.0,
        # at (rne 0.5, rne 1.5) = (0, 2): altitude 20, azimuth 20
        "eccentricity_at_centroid": np.degrees(np.arctan(np.sqrt(
            np.tan(np.radians(20)) ** 2 + np.tan(np.radians(20)) ** 2 / np.cos(np.radians(20)) ** 2))),
    })  # fmt: skip
