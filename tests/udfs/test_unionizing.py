"""Grids summed by structure: a brain of eight voxels worked by hand (specification connectivity UNI)."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.udfs.unionizing import DirectSums, ancestors_of, cav_unionizes, pixel_volume, unionizes

# 1 holds 2 and 3; 4 has no voxel and holds nothing
PARENTS = {1: None, 2: 1, 3: 1, 4: 1}
LABELS = np.array([[[2, 3], [2, 1]], [[2, 3], [3, 0]]])  # [ml, dv, ap]: ml 0 is left, 1 right


def grids(**given):
    """Planes of a brain [ml, dv, ap]: all voxels full, nothing projects, unless said otherwise."""
    usual = {name: np.zeros((2, 2, 2)) for name in (
        "projection_density", "injection_density", "injection_fraction", "projection_energy", "injection_energy",
        "sum_pixel_intensities", "injection_sum_pixel_intensities", "aav_exclusion_fraction")}  # fmt: skip
    usual |= {"data_mask": np.ones((2, 2, 2)), "sum_pixels": np.full((2, 2, 2), 900.0)}
    return {**usual, **{name: np.array(values, float) for name, values in given.items()}}


def records(given, scale=1.0, um=10.0):
    direct = DirectSums(2)
    for ml in (0, 1):
        direct.add(ml, LABELS[ml], {name: values[ml] for name, values in given.items()})
    rows = unionizes(direct, ancestors_of(PARENTS), scale, um)
    return {(r["structure_id"], r["hemisphere_id"], r["is_injection"]): r for r in rows}


DENSITY = [[[0.5, 0.0], [0.25, 0.0]], [[0.0, 1.0], [1.0, 0.0]]]


def test_pixels_are_summed_up_the_tree_and_over_hemispheres():
    found = records(grids(projection_density=DENSITY))
    pixels = {key[:2]: row["sum_pixels"] for key, row in found.items()}
    assert pixels == {
        (1, 1): 3600.0, (1, 2): 2700.0, (1, 3): 6300.0,
        (2, 1): 1800.0, (2, 2): 900.0, (2, 3): 2700.0,
        (3, 1): 900.0, (3, 2): 1800.0, (3, 3): 2700.0,
    }  # fmt: skip
    assert found[2, 1, False]["projection_density"] == pytest.approx(0.375)  # (0.5 + 0.25) / 2
    assert found[1, 3, False]["sum_projection_pixels"] == pytest.approx(900 * 2.75)
    assert not any(injection for *_, injection in found)  # no pixel of an injection, no record (UNI-08)


def test_of_equal_densities_the_first_voxel_of_the_volume_is_kept():
    """UNI-09: (ap, dv, ml) = (0, 1, 1) before (1, 0, 1), whatever is read first."""
    found = records(grids(projection_density=DENSITY))
    for key in ((3, 2, False), (1, 3, False)):
        row = found[key]
        assert (row["max_voxel_density"], row["max_voxel_x"], row["max_voxel_y"], row["max_voxel_z"]) == (
            1.0,
            0,
            10,
            10,
        )
    silent = found[3, 1, False]
    assert (silent["max_voxel_density"], silent["max_voxel_x"], silent["max_voxel_z"]) == (0.0, 0.0, 0.0)


def test_the_injection_is_taken_out_by_subtraction():
    """Voxel (0, 0, 0) is half injection: of its 450 projecting pixels, 360 lie in it."""
    fraction, injected = np.zeros((2, 2, 2)), np.zeros((2, 2, 2))
    fraction[0, 0, 0], injected[0, 0, 0] = 0.5, 0.4
    found = records(
        grids(projection_density=DENSITY, injection_fraction=fraction, injection_density=injected), scale=2.0
    )
    inside, outside = found[2, 1, True], found[2, 1, False]
    assert (inside["sum_pixels"], inside["sum_projection_pixels"]) == (450.0, 360.0)
    assert (outside["sum_pixels"], outside["sum_projection_pixels"]) == (1350.0, pytest.approx(450 + 225 - 360))
    assert outside["max_voxel_density"] == 0.25  # 0.5 * (1 - 0.5), and 0.25 of the other voxel: the first of equals
    assert outside["max_voxel_y"] == 0
    # UNI-07: the injection's signal is 360 pixels of 2 mm3; that of both hemispheres of the root is 1
    assert outside["normalized_projection_volume"] == pytest.approx((450 + 225 - 360) / 360)
    assert found[1, 3, True]["normalized_projection_volume"] == pytest.approx(1.0)


def test_excluded_voxels_count_only_where_the_injection_touches_them():
    """UNI-03: n = (F != 0) or not A."""
    excluded, fraction = np.zeros((2, 2, 2)), np.zeros((2, 2, 2))
    excluded[0] = 0.1
    fraction[0, 0, 0] = 0.5
    found = records(grids(aav_exclusion_fraction=excluded, injection_fraction=fraction))
    assert found[1, 1, False]["sum_pixels"] == 450.0
    assert (3, 1, False) not in found


def test_voxels_without_data_belong_to_nothing():
    mask = np.ones((2, 2, 2))
    mask[0] = 0
    assert {key[1] for key in records(grids(data_mask=mask))} == {2, 3}


def test_energies_and_intensities():
    """UNI-06: energy by pixels, intensity by pixels that project."""
    found = records(grids(
        projection_density=DENSITY, projection_energy=np.full((2, 2, 2), 10.0), sum_pixel_intensities=np.full((2, 2, 2), 7.0)
    ))  # fmt: skip
    row = found[2, 1, False]
    assert row["projection_energy"] == pytest.approx(10.0)
    assert row["projection_intensity"] == pytest.approx(10.0 / 0.375)
    assert row["sum_pixel_intensity"] == 14.0


def test_a_pixel_of_0_35_um_in_10_um_is_1_225e_9_mm3():
    assert pixel_volume(0.35, 10) == pytest.approx(1.225e-9, rel=1e-12)  # as the published rows have it


def test_a_structure_that_nobody_lists_is_refused():
    direct = DirectSums(2)
    direct.add(0, np.array([[5]]), {name: values[0, :1, :1] for name, values in grids().items()})
    with pytest.raises(ValueError, match="structure 5 has voxels"):
        unionizes(direct, ancestors_of(PARENTS), 1.0, 10.0)


@pytest.mark.parametrize(
    ("parents", "why"), [({1: 2, 2: 1}, "in itself"), ({1: 1}, "in itself"), ({1: 7}, "is not listed")]
)
def test_a_tree_that_is_none_is_refused(parents, why):
    with pytest.raises(ValueError, match=why):
        ancestors_of(parents)


def test_a_retrograde_tracer():
    """UNI-11: volumes relative to the fullest voxel of all, here 1800 pixels outside of the brain; zeros are kept."""
    pixels = np.full((2, 2, 2), 900.0)
    pixels[1, 1, 1] = 1800.0
    density = np.zeros((2, 2, 2))
    density[0, 0, 0] = 0.5
    planes = ((ml, LABELS[ml], {"sum_pixels": pixels[ml], "cav_density": density[ml], "data_mask": np.ones((2, 2))})
              for ml in (0, 1))  # fmt: skip
    rows = {(r["structure_id"], r["hemisphere_id"]): r for r in cav_unionizes(planes, 2, ancestors_of(PARENTS), 100.0)}
    left = rows[2, 1]
    assert left["structure_volume"] == pytest.approx(1800 / 1800 * 1e-3)
    assert left["signal_volume"] == pytest.approx(450 / 1800 * 1e-3)
    assert left["signal_density"] == pytest.approx(0.25)
    assert rows[3, 2]["signal_density"] == 0.0
    assert rows[1, 3]["structure_volume"] == pytest.approx(7 * 900 / 1800 * 1e-3)
