"""Grids summed by structure and hemisphere, plane by plane (spec: connectivity UNI-01 to UNI-11).

A *group* is a structure in a hemisphere, as a signed id: negative on the left. Direct sums count the voxels labelled with
a structure itself; those of structures below are added afterwards, up the tree.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

import numpy as np

LEFT, RIGHT, BOTH = 1, 2, 3
Voxel = tuple[int, int, int]
SUMS = ("sum_pixels", "sum_projection_pixels", "sum_projection_pixel_intensity", "sum_pixel_intensity")


@dataclass
class Sums:
    """What is summed of a group; ``direct`` is sum_projection_pixels of its own voxels.

    voxel : indices along ap, dv, ml of the voxel of highest density; None where there is no signal
    """

    values: dict[str, float] = field(default_factory=lambda: dict.fromkeys(SUMS, 0.0))
    direct: float = 0.0
    density: float = 0.0
    voxel: Voxel | None = None

    def add(self, other: Sums, with_direct: bool = False) -> None:
        """Add another group's; of equal densities the first voxel in the volume stays (UNI-09)."""
        for name, value in other.values.items():
            self.values[name] = self.values.get(name, 0.0) + value
        self.direct += other.direct * with_direct
        self.see(other.density, other.voxel)

    def see(self, density: float, voxel: Voxel | None) -> None:
        """Keep a voxel if its density is higher, or as high and it comes first."""
        if voxel is not None and (self.voxel is None or (-density, voxel) < (-self.density, self.voxel)):
            self.density, self.voxel = density, voxel


Groups = dict[int, Sums]


def ancestors_of(parents: Mapping[int, int | None]) -> dict[int, list[int]]:
    """Structures above each one, nearest first. Raises ValueError where the tree has a circle or a parent is missing."""
    found: dict[int, list[int]] = {}
    for structure in parents:
        above: list[int] = []
        at = parents[structure]
        while at is not None:
            if at in above or at == structure:
                raise ValueError(f"structure {structure} lies in itself")
            if at not in parents:
                raise ValueError(f"structure {at} is a parent and is not listed")
            above.append(at)
            at = parents[at]
        found[structure] = above
    return found


class DirectSums:
    """Sums of the voxels labelled with a structure itself (UNI-01 to UNI-03), of planes given one after the other."""

    def __init__(self, n_ml: int) -> None:
        self.injection: Groups = {}
        self.projection: Groups = {}
        self._middle = int(np.rint(n_ml / 2))

    def add(self, ml: int, labels: np.ndarray, grids: Mapping[str, np.ndarray]) -> None:
        """Add a sagittal plane.

        labels : structures ``[dv, ap]``
        grids : planes alike: sum_pixels, projection_density, injection_density, injection_fraction, data_mask; and those
            that there are of projection_energy, injection_energy, sum_pixel_intensities,
            injection_sum_pixel_intensities, aav_exclusion_fraction
        """
        dv, ap = np.nonzero((labels != 0) & (grids["data_mask"] != 0))
        if not len(ap):
            return
        # in the order of the volume, ap slowest, so that the first of equal densities is the first in it
        order = np.lexsort((dv, ap))
        dv, ap = dv[order], ap[order]
        structures, group = np.unique(labels[dv, ap].astype(np.int64), return_inverse=True)
        values = {name: grid[dv, ap].astype(np.float64) for name, grid in grids.items()}
        side = -1 if ml < self._middle else 1
        pixels, fraction = values["sum_pixels"], values["injection_fraction"]
        nothing = np.zeros(len(ap))
        excluded = values.get("aav_exclusion_fraction", nothing) > 0
        counted = (fraction != 0) | ~excluded
        projected, injected = values["projection_density"] * counted, values["injection_density"]
        inside = {
            "sum_pixels": pixels * fraction,
            "sum_projection_pixels": pixels * injected,
            "sum_projection_pixel_intensity": pixels * values.get("injection_energy", nothing),
            "sum_pixel_intensity": values.get("injection_sum_pixel_intensities", nothing),
        }
        everywhere = {
            "sum_pixels": pixels * counted,
            "sum_projection_pixels": pixels * projected,
            "sum_projection_pixel_intensity": pixels * values.get("projection_energy", nothing) * counted,
            "sum_pixel_intensity": values.get("sum_pixel_intensities", nothing) * counted,
        }
        outside = {name: everywhere[name] - inside[name] for name in SUMS}
        for groups, sums, density in (
            (self.injection, inside, injected),
            (self.projection, outside, projected * (1 - fraction)),
        ):
            totals = {name: np.bincount(group, sums[name], len(structures)) for name in SUMS}
            highest = np.lexsort((-density, group))[np.searchsorted(np.sort(group), np.arange(len(structures)))]
            for n, structure in enumerate(structures):
                own = groups.setdefault(side * int(structure), Sums())
                for name in SUMS:
                    own.values[name] += float(totals[name][n])
                at = highest[n]
                own.see(float(density[at]), (int(ap[at]), int(dv[at]), ml))

    def finished(self) -> tuple[Groups, Groups]:
        """Injection and projection, of which a group without signal has no highest voxel."""
        for groups in (self.injection, self.projection):
            for own in groups.values():
                own.direct = own.values["sum_projection_pixels"]
                if not own.direct > 0:
                    own.density, own.voxel = 0.0, None
        return self.injection, self.projection


def propagated(direct: Groups, ancestors: Mapping[int, list[int]]) -> Groups:
    """Direct sums, and those of everything below, by group (UNI-04).

    Raises ValueError where a voxel's structure is not listed.
    """
    found: Groups = {}
    for key, own in direct.items():
        if abs(key) not in ancestors:
            raise ValueError(f"structure {abs(key)} has voxels and is not listed")
        found.setdefault(key, Sums()).add(own, with_direct=True)
        for above in ancestors[abs(key)]:
            found.setdefault(above if key > 0 else -above, Sums()).add(own)
    return found


def bilateral(lateral: Groups) -> Groups:
    """Both hemispheres together, by structure (UNI-05)."""
    found: Groups = {}
    for key, own in lateral.items():
        found.setdefault(abs(key), Sums()).add(own, with_direct=True)
    return found


def sides(lateral: Groups) -> list[tuple[int, int, Sums]]:
    """Structure, hemisphere and sums, sorted; both hemispheres follow the single ones."""
    rows = [(abs(key), LEFT if key < 0 else RIGHT, own) for key, own in lateral.items()]
    rows += [(structure, BOTH, own) for structure, own in bilateral(lateral).items()]
    return sorted(rows, key=lambda row: row[:2])


def unionizes(
    direct: DirectSums, ancestors: Mapping[int, list[int]], mm3_per_pixel: float, voxel_um: float
) -> list[dict[str, float | int | bool]]:
    """Records of a projection experiment, those with pixels, by structure, hemisphere and kind (UNI-04 to UNI-08).

    mm3_per_pixel : volume that a pixel stands for, :func:`pixel_volume`; voxel_um : edge of a voxel
    normalized_projection_volume is 0 where nothing of the injection is seen.
    """
    kinds = dict(zip((True, False), (propagated(groups, ancestors) for groups in direct.finished()), strict=True))
    injected = mm3_per_pixel * sum(own.direct for own in direct.injection.values())
    rows = []
    for is_injection, lateral in kinds.items():
        for structure, hemisphere, own in sides(lateral):
            pixels, signal, intensity, _ = (own.values[name] for name in SUMS)
            if not pixels > 0:
                continue
            ap, dv, ml = own.voxel or (0, 0, 0)
            rows.append(
                {
                    "structure_id": structure,
                    "hemisphere_id": hemisphere,
                    "is_injection": is_injection,
                    **own.values,
                    "projection_density": signal / pixels,
                    "projection_intensity": intensity / signal if signal > 0 else 0.0,
                    "projection_energy": intensity / pixels,
                    "volume": pixels * mm3_per_pixel,
                    "projection_volume": signal * mm3_per_pixel,
                    "normalized_projection_volume": signal * mm3_per_pixel / injected if injected > 0 else 0.0,
                    "max_voxel_density": own.density,
                    "max_voxel_x": ap * voxel_um,
                    "max_voxel_y": dv * voxel_um,
                    "max_voxel_z": ml * voxel_um,
                }
            )
    return sorted(rows, key=lambda row: (row["structure_id"], row["hemisphere_id"], row["is_injection"]))


def pixel_volume(pixel_um: float, section_um: float) -> float:
    """mm3 that a pixel of a section stands for (UNI-06): 1.225e-9 for 0.35 um and 10 um."""
    return pixel_um**2 * 1e-9 * section_um


def cav_unionizes(
    planes: Iterable[tuple[int, np.ndarray, Mapping[str, np.ndarray]]],
    n_ml: int,
    ancestors: Mapping[int, list[int]],
    voxel_um: float,
) -> list[dict[str, float | int]]:
    """Records of a retrograde tracer, also where there is none of it (UNI-11).

    planes : index along ml, structures ``[dv, ap]``, and cav_density, sum_pixels and data_mask alike
    """
    direct: Groups = {}
    fullest, middle = 0.0, int(np.rint(n_ml / 2))
    for ml, labels, grids in planes:
        fullest = max(fullest, float(grids["sum_pixels"].max(initial=0)))
        dv, ap = np.nonzero((labels != 0) & (grids["data_mask"] != 0))
        structures, group = np.unique(labels[dv, ap].astype(np.int64), return_inverse=True)
        counted = grids["sum_pixels"][dv, ap].astype(np.float64)
        totals = np.bincount(group, counted, len(structures))
        labelled = np.bincount(group, counted * grids["cav_density"][dv, ap], len(structures))
        for n, structure in enumerate(structures):
            own = direct.setdefault(int(structure) * (-1 if ml < middle else 1), Sums())
            own.values["sum_pixels"] += float(totals[n])
            own.values["sum_projection_pixels"] += float(labelled[n])
    mm3 = (voxel_um / 1000) ** 3 / fullest if fullest > 0 else 0.0
    rows: list[dict[str, float | int]] = []
    for structure, hemisphere, own in sides(propagated(direct, ancestors)):
        pixels, signal = own.values["sum_pixels"], own.values["sum_projection_pixels"]
        rows.append(
            {
                "structure_id": structure,
                "hemisphere_id": hemisphere,
                "structure_volume": pixels * mm3,
                "signal_volume": signal * mm3,
                "signal_density": signal / pixels if pixels > 0 else 0.0,
            }
        )
    return rows
