"""Volumes in every format and order come out as the array that went in, or as one clear error."""

from __future__ import annotations

import random
from pathlib import Path

import numpy as np
import pytest
from brainlake.ingest import registry
from brainlake.ingest.volume_files import open_volume
from brainlake.lake.errors import SourceError
from brainlake.tests.fixtures import ccf
from brainlake.tests.fixtures.ingesting import source_of, tables_of

LABELS = ccf.annotation()
GREY = np.random.default_rng(5).integers(0, 517, ccf.SHAPE).astype(np.uint16)
# our axes in the world of NIfTI (right, anterior, superior): ap runs to posterior, dv to inferior, ml to the right
PIR = np.array([[0, 0, 1], [-1, 0, 0], [0, -1, 0]], float)


def array_of(path: Path, **settings: str) -> np.ndarray:
    """A file's volume as ``[ap, dv, ml]``."""
    volume = open_volume(source_of(path, **settings))
    planes = {index: plane.copy() for index, plane in volume.planes()}
    assert list(planes) == list(range(volume.header.shape[2]))
    return np.stack(list(planes.values())).transpose(2, 1, 0)


def nrrd(folder: Path, **how: object) -> Path:
    return ccf.write_nrrd(folder / "annotation_25.nrrd", LABELS, **how)


WRITERS = {
    "nrrd gzip": lambda p: nrrd(p),
    "nrrd raw": lambda p: nrrd(p, encoding="raw"),
    "nrrd bzip2": lambda p: nrrd(p, encoding="bzip2"),
    "nrrd detached": lambda p: ccf.write_detached(p / "annotation_25.nhdr", LABELS),
    "nrrd detached, packed": lambda p: ccf.write_detached(p / "annotation_25.nhdr", LABELS, encoding="gzip"),
    "metaimage, two files": lambda p: ccf.write_metaimage(p / "annotation.mhd", LABELS),
    "metaimage, one file": lambda p: ccf.write_metaimage(p / "annotation.mha", LABELS),
    "zip": lambda p: ccf.write_zip(p / "P56_Mouse_gridAnnotation.zip", LABELS),
    "nifti": lambda p: ccf.write_nifti(p / "a.nii", LABELS, directions=PIR),
    "nifti packed": lambda p: ccf.write_nifti(p / "a.nii.gz", LABELS, directions=PIR),
}


@pytest.mark.parametrize("kind", WRITERS)
def test_every_format_gives_back_the_array(kind, tmp_path):
    assert np.array_equal(array_of(WRITERS[kind](tmp_path)), LABELS)


@pytest.mark.parametrize("kind", WRITERS)
def test_exactly_one_reader_takes_each_format(kind, tmp_path):
    assert registry.choose(source_of(WRITERS[kind](tmp_path))).name == "ccf_volumes"


@pytest.mark.parametrize("order", ["C", "F"])
def test_numpy_arrays_are_taken_as_python_has_them(order, tmp_path):
    np.save(tmp_path / "annotation.npy", np.asarray(LABELS, order=order))
    assert np.array_equal(array_of(tmp_path / "annotation.npy", spacing="25"), LABELS)


@pytest.mark.parametrize("axes", ["ml,dv,ap", "dv,ml,ap", "ap,ml,dv"])
def test_a_file_in_another_order_is_turned(axes, tmp_path):
    path = nrrd(tmp_path, axes=axes)
    assert np.array_equal(array_of(path, axes=axes), LABELS)


def test_an_axis_that_runs_backwards_is_turned_round(tmp_path):
    path = ccf.write_nrrd(tmp_path / "a.nrrd", LABELS[:, :, ::-1])
    assert np.array_equal(array_of(path, axes="ap,dv,-ml"), LABELS)


def test_nifti_in_the_world_s_own_order_is_turned(tmp_path):
    """A RAS file: the first axis to the right, the second to anterior, the third to superior."""
    ras = LABELS[::-1, ::-1, :].transpose(2, 0, 1)
    path = ccf.write_nifti(tmp_path / "a.nii", ras, directions=np.eye(3))
    assert np.array_equal(array_of(path), LABELS)


def test_nifti_without_orientation_is_taken_as_it_lies_and_says_so(tmp_path):
    volume = open_volume(source_of(ccf.write_nifti(tmp_path / "a.nii", LABELS)))
    assert volume.header.spacing == (100, 100, 100)
    assert "no orientation" in volume.warnings[0]


def test_a_ccf_volume_in_itk_order_is_known_by_its_shape(tmp_path):
    """FLAG-AXIS: 114 x 80 x 132 is the 100 um volume read the other way round."""
    whole = np.zeros((132, 80, 114), np.uint8)
    whole[130, 2, 7] = 9
    path = ccf.write_nrrd(tmp_path / "a.nrrd", whole, axes="ml,dv,ap", um=None)
    volume = open_volume(source_of(path))
    assert volume.header.shape == (132, 80, 114)
    assert volume.header.spacing == (100, 100, 100)
    assert array_of(path)[130, 2, 7] == 9


def test_voxels_of_one_resolution_are_not_those_of_another(tmp_path):
    """132 x 80 x 114 are the 100 um volume; a header that says otherwise is wrong, and people can say so."""
    path = ccf.write_nrrd(tmp_path / "annotation_25.nrrd", np.zeros((132, 80, 114), np.uint8), um=25)
    with pytest.raises(
        SourceError, match=r"declares voxels of 25 x 25 x 25 um, and 132 x 80 x 114 of them, as .* at 100 um"
    ):
        open_volume(source_of(path))
    assert open_volume(source_of(path, spacing="100")).header.spacing == (100, 100, 100)


def test_a_volume_of_unknown_shape_without_spacing_asks_for_it(tmp_path):
    path = nrrd(tmp_path, um=None)
    with pytest.raises(SourceError, match=r"tells no spacing of voxels.*--set spacing=25"):
        open_volume(source_of(path))
    assert open_volume(source_of(path, spacing="25")).header.spacing == (25, 25, 25)


def test_big_endian_voxels_are_read(tmp_path):
    data = LABELS.transpose(2, 1, 0).astype(">u4").tobytes()
    head = ccf.nrrd_bytes(LABELS, encoding="raw").split(b"\n\n")[0].replace(b"endian: little", b"endian: big")
    (tmp_path / "a.nrrd").write_bytes(head + b"\n\n" + data)
    assert np.array_equal(array_of(tmp_path / "a.nrrd"), LABELS)


# -- what is wrong is said ------------------------------------------------------------------------------------------

REFUSED = {
    "cut short": (lambda p: _cut(nrrd(p, encoding="raw"), 100), "cut short"),
    "packed and cut short": (lambda p: _cut(nrrd(p), 30), "cut short"),
    "more than declared": (lambda p: _append(nrrd(p, encoding="raw")), "holds more than"),
    "packed badly": (lambda p: _flip(nrrd(p), -20), "cannot be unpacked|cut short"),
    "sizes of another kind": (lambda p: _edit(nrrd(p), b"sizes: 12 8 10", b"sizes: 12 8 ten"), "no numbers"),
    "a huge volume": (lambda p: _edit(nrrd(p), b"sizes: 12 8 10", b"sizes: 32000 32000 32000"), "too many"),
    "no voxel": (lambda p: _edit(nrrd(p), b"sizes: 12 8 10", b"sizes: 0 8 10"), "an edge has 1 to"),
    "a type of its own": (lambda p: _edit(nrrd(p), b"unsigned int", b"block"), "no type of voxels"),
    "another packing": (lambda p: _edit(nrrd(p), b"encoding: gzip", b"encoding: hex"), "not raw, gzip or bzip2"),
    "a file elsewhere": (
        lambda p: _edit(ccf.write_detached(p / "a.nhdr", LABELS), b"file: a.raw", b"file: /etc/passwd"),
        "which is not beside it",
    ),
    "voxels that are missing": (lambda p: _lose(ccf.write_metaimage(p / "a.mhd", LABELS)), "which is not beside it"),
    "nifti that scales": (lambda p: _patch(ccf.write_nifti(p / "a.nii", LABELS), 112, b"\0\0\0\x40"), "unscaled"),
    "zip that is cut": (lambda p: _cut(ccf.write_zip(p / "a_annotation.zip", LABELS), 40), "no archive"),
}


@pytest.mark.parametrize("damage", REFUSED)
def test_a_damaged_volume_is_one_clear_error(damage, tmp_path):
    make, message = REFUSED[damage]
    path = make(tmp_path)
    with pytest.raises(SourceError, match=message) as caught:
        array_of(path, spacing="25")
    assert str(path) in str(caught.value)


def test_arrays_of_python_objects_are_refused_unread(tmp_path):
    objects = np.empty((2, 2, 2), object)
    objects[:] = "x"
    np.save(tmp_path / "a.npy", objects, allow_pickle=True)
    with pytest.raises(SourceError, match="numbers are needed"):
        open_volume(source_of(tmp_path / "a.npy", spacing="25"))


def test_any_damage_is_an_error_or_the_right_shape(tmp_path):
    """Bytes changed at random: a volume, or a SourceError, and nothing else."""
    rng = random.Random(3)
    for kind, write in WRITERS.items():
        folder = tmp_path / kind
        folder.mkdir()
        path = write(folder)
        whole = path.read_bytes()
        for _ in range(30):
            damaged = bytearray(whole)
            for _ in range(rng.randint(1, 4)):
                damaged[rng.randrange(len(damaged))] = rng.randrange(256)
            path.write_bytes(damaged[: rng.choice([len(damaged), rng.randrange(1, len(damaged))])])
            try:
                tables_of(path, kind="annotation")
            except SourceError:
                continue


def _cut(path: Path, n_bytes: int) -> Path:
    path.write_bytes(path.read_bytes()[:-n_bytes])
    return path


def _append(path: Path) -> Path:
    path.write_bytes(path.read_bytes() + b"\0")
    return path


def _flip(path: Path, at: int) -> Path:
    data = bytearray(path.read_bytes())
    data[at] ^= 0xFF
    path.write_bytes(data)
    return path


def _edit(path: Path, old: bytes, new: bytes) -> Path:
    data = path.read_bytes()
    assert old in data
    path.write_bytes(data.replace(old, new, 1))
    return path


def _patch(path: Path, at: int, new: bytes) -> Path:
    data = bytearray(path.read_bytes())
    data[at : at + len(new)] = new
    path.write_bytes(data)
    return path


def _lose(path: Path) -> Path:
    path.with_suffix(".raw").unlink()
    return path
