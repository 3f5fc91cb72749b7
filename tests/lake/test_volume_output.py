"""Volumes leave the lake as files that others read: the bytes are checked by NumPy and by reading them again."""

from __future__ import annotations

from pathlib import Path

import brainlake
import numpy as np
import pytest
from brainlake.ingest.volume_files import open_volume
from brainlake.lake.errors import BrainlakeError
from brainlake.lake.output import write_answer
from brainlake.tests.fixtures import ccf
from brainlake.tests.fixtures.ingesting import source_of

LABELS = ccf.annotation()


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> brainlake.Lake:
    folder = tmp_path_factory.mktemp("volumes")
    with brainlake.create(folder / "lake") as lake:
        ccf.write_json(folder / "structures.json", ccf.tree_records())
        ccf.write_nrrd(folder / "annotation_25.nrrd", LABELS)
        files = [folder / "structures.json", folder / "annotation_25.nrrd"]
        lake.ingest(files, settings={"version": "ccf_2017"}, jobs=1).raise_failed()
        yield lake


def written(lake: brainlake.Lake, query: str, path: Path) -> np.ndarray:
    """An answer as a file, and the file as ``[ap, dv, ml]``."""
    write_answer(lake.sql(query).reader(), None, path)
    if path.suffix == ".npy":
        return np.load(path)
    volume = open_volume(source_of(path))
    assert volume.header.spacing == (25, 25, 25)
    assert volume.header.shape == ccf.SHAPE
    return np.stack([plane.copy() for _, plane in volume.planes()]).transpose(2, 1, 0)


@pytest.mark.parametrize("suffix", [".nrrd", ".nii", ".npy"])
def test_an_annotation_comes_back_as_it_was(lake, suffix, tmp_path):
    again = written(lake, "from ccf.annotation_volume()", tmp_path / f"a{suffix}")
    assert again.dtype == np.uint32
    assert np.array_equal(again, LABELS)


@pytest.mark.parametrize("suffix", [".nrrd", ".nii", ".npy"])
def test_a_mask_is_of_bytes(lake, suffix, tmp_path):
    mask = written(lake, "from ccf.mask_volume(['VISp', 'TH'])", tmp_path / f"m{suffix}")
    assert mask.dtype == np.uint8
    assert np.array_equal(mask, np.isin(LABELS, [593, 821, 549, ccf.BIG]))


def test_an_exported_annotation_can_be_ingested(lake, tmp_path):
    written(lake, "from ccf.annotation_volume()", tmp_path / "annotation_25.nrrd")
    report = lake.ingest(tmp_path / "annotation_25.nrrd", settings={"version": "ccf_2017"})
    assert report.items[0].status == "replaced"
    lake.ingest(tmp_path / "annotation_25.nrrd", settings={"version": "ccf_2017"})


def test_labels_of_itk_snap_are_numbered_anew_where_an_id_is_too_large(lake, tmp_path):
    """RSP-10: acronyms in the order of their text, numbered from 1; foreign labels become 0."""
    labels = lake.sql('select "IDX", structure_id, "LABEL" from ccf.itksnap_labels()').pl()
    assert labels["LABEL"].to_list() == sorted(t[1] for t in ccf.TREE)
    assert labels["IDX"].to_list() == list(range(1, len(ccf.TREE) + 1))
    volume = written(lake, "from ccf.itksnap_volume()", tmp_path / "itk.nrrd")
    assert volume.dtype == np.uint16
    number = dict(zip(labels["structure_id"], labels["IDX"], strict=True))
    assert np.array_equal(volume, np.vectorize(lambda v: number.get(v, 0))(LABELS))


def test_downsampling_lays_ends_upon_ends(lake, tmp_path):
    """RSP-08 by its formula: 12 x 8 x 10 voxels at 25 um are 6 x 4 x 5 at 50."""
    path = tmp_path / "d.npy"
    write_answer(lake.sql("from ccf.downsampled_volume(50)").reader(), None, path)
    take = [np.floor(np.arange(m) * (n - 1) / (m - 1) + 0.5).astype(int) for n, m in ((12, 6), (8, 4), (10, 5))]
    assert take[0].tolist() == [0, 2, 4, 7, 9, 11]
    assert np.array_equal(np.load(path), LABELS[np.ix_(*take)])


@pytest.mark.parametrize(
    ("query", "message"),
    [
        ("select 1 as one", "ask ccf.mask_volume"),
        ("from ccf.annotation_volume() where ml_index > 2", "plane 0 of the answer is another's"),
        ("from ccf.annotation_volume() limit 3", "has 3 of 10 planes"),
        ("from ccf.annotation_volume() limit 0", "has no plane"),
    ],
)
def test_what_is_no_volume_leaves_no_file(lake, query, message, tmp_path):
    with pytest.raises(BrainlakeError, match=message):
        write_answer(lake.sql(query).reader(), None, tmp_path / "a.nrrd")
    assert not list(tmp_path.iterdir())
