"""Labels are found in packed planes as they lie in the array, whichever way they are looked up."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.udfs.ccf_planes import WORTH_A_LOOP, WORTH_MARKING, Planes
from brainlake.udfs.registry import Ragged

SHAPE = (300, 7, 5)  # ap, dv, ml


@pytest.fixture(scope="module")
def volume() -> np.ndarray:
    """Runs of every length from one voxel to a whole row, and labels that do not fit 16 bits."""
    rng = np.random.default_rng(4)
    rows = [np.repeat(rng.integers(0, 4, 300), rng.integers(1, 40, 300))[:300] for _ in range(35)]
    rows[3], rows[8] = np.zeros(300, np.int64), np.arange(300)
    return np.array([0, 7, 997, 614454277, *range(4, 300)])[np.array(rows)].reshape(7, 5, 300).transpose(2, 0, 1)


@pytest.fixture
def planes(volume) -> Planes:
    """The planes as the lake has them, packed by an algorithm of its own: voxel by voxel."""
    packed: tuple[list[bytes], ...] = ([], [], [], [])
    for plane in np.moveaxis(volume, 2, 0):  # [ap, dv]
        known = sorted(set(plane.ravel().tolist()))
        starts, first, labels = [0], [], []
        for row in plane.T.tolist():
            begins = [i for i in range(len(row)) if i == 0 or row[i] != row[i - 1]]
            first += begins
            labels += [known.index(row[i]) for i in begins]
            starts.append(len(first))
        for column, values, kind in zip(
            packed, (starts, first, labels, known), ("<i4", "<u2", "<u2", "<u4"), strict=True
        ):
            column.append(np.array(values, kind).tobytes())
    return Planes.of(*(ragged(column) for column in packed))


def ragged(texts: list[bytes]) -> Ragged:
    return Ragged(np.frombuffer(b"".join(texts), np.uint8), np.cumsum([0, *map(len, texts)]))


def test_points_are_found_before_marks_are_made_and_by_them(planes, volume):
    ap, dv, ml = (one.ravel() for one in np.indices(SHAPE))
    packed = planes.nbytes
    for _ in range(1 + WORTH_MARKING // ap.size):
        assert np.array_equal(planes.find(ml, dv, ap), volume.ravel())
    assert planes.nbytes == packed
    for _ in range(2):
        assert np.array_equal(planes.find(ml, dv, ap), volume.ravel())
    assert planes.nbytes > packed  # what the marks take counts where there is little room


@pytest.mark.parametrize("n_before", [0, WORTH_A_LOOP])
def test_positions_are_found_in_the_voxel_that_they_lie_in(planes, volume, n_before):
    """By numpy and, once it pays, by numba; a position beside the volume, or none at all, has no label and no side."""
    planes._found[0] = n_before
    rng = np.random.default_rng(1)
    ap, dv, ml = (rng.uniform(-1.5, n + 1.5, 5000) for n in SHAPE)
    ap[:4], dv[4:8], ml[8:12] = ([np.nan, np.inf, -1e-9, n] for n in SHAPE)
    labels, sides = planes.look_up(SHAPE[0], ap, dv, ml)
    is_inside = (ap >= 0) & (ap < 300) & (dv >= 0) & (dv < 7) & (ml >= 0) & (ml < 5)
    voxel = tuple(np.where(is_inside, at, 0).astype(int) for at in (ap, dv, ml))
    assert 1000 < is_inside.sum() < 4900
    assert np.array_equal(labels, volume[voxel] * is_inside)
    assert np.array_equal(sides, np.where(voxel[2] < 2, 1, 2) * is_inside)  # 5 / 2 rounds to the even 2


@pytest.mark.parametrize("n_before", [0, WORTH_MARKING])
def test_slices_of_every_kind_are_those_of_the_array(planes, volume, n_before):
    planes.find(*np.zeros((3, n_before), np.int64))
    for ap in range(SHAPE[0]):
        assert np.array_equal(planes.at_ap(ap).reshape(SHAPE[2], SHAPE[1]).T, volume[ap])
    for dv in range(SHAPE[1]):
        assert np.array_equal(planes.rows_of(dv, SHAPE[0]).T, volume[:, dv])
    for ml in range(SHAPE[2]):
        assert np.array_equal(planes.plane(ml, SHAPE[0]).T, volume[:, :, ml])


def test_the_comparison_of_layouts_has_a_line_for_each(volume, tmp_path, monkeypatch):
    """`python -m benchmarks volume_layout`: every layout's points are those of the array, or it raises."""
    layouts = pytest.importorskip("brainlake.benchmarks.volume_layout")
    monkeypatch.setattr(layouts.ccf, "material_of", lambda folder: (volume.astype(np.uint32), None, None, 0))
    lines = layouts.compare(tmp_path).splitlines()
    assert lines[0] == "| layout | rows | file | 1,000 points | all of one structure |"
    assert [line.split("|")[1].split(";")[0].strip() for line in lines[2:]] == [
        "a row a run along ap", "a row a run along dv", "a row a run along ml",
        *["a row a sagittal plane, packed"] * 2,
    ]  # fmt: skip
