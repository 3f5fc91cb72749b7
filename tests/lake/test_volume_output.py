"""Volumes leave the lake as files that others read: the bytes are checked by NumPy and by reading them again."""

from __future__ import annotations

import gzip
import struct
import zlib
from pathlib import Path

import brainlake
import numpy as np
import pytest
from brainlake.ingest.volume_files import open_volume
from brainlake.lake.errors import BrainlakeError
from brainlake.lake.output import write_answer
from brainlake.tests.fixtures import ccf
from brainlake.tests.fixtures import connectivity as fixture
from brainlake.tests.fixtures.ingesting import source_of

LABELS = ccf.annotation()
COLOUR = "select rgb from ccf.structures order by acronym limit 1"
GRIDS = fixture.small_grids()
TEMPLATE = np.zeros((40, 20, 35), np.uint16)  # blocks beyond every edge, and whole blocks of zeros
TEMPLATE[3:9, 2:19, 30:] = np.random.default_rng(1).integers(0, 500, (6, 17, 5))
FIELD = np.random.default_rng(2).normal(size=(20, 4, 3, 3)).astype(np.float32)
FIELD[..., 2] = 0


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> brainlake.Lake:
    folder = tmp_path_factory.mktemp("volumes")
    with brainlake.create(folder / "lake") as lake:
        ccf.write_json(folder / "structures.json", ccf.tree_records())
        ccf.write_nrrd(folder / "annotation_25.nrrd", LABELS)
        files = [folder / "structures.json", folder / "annotation_25.nrrd"]
        lake.ingest(files, settings={"version": "ccf_2017"}, jobs=1).raise_failed()
        lake.ingest(ccf.write_nrrd(folder / "average_template_10.nrrd", TEMPLATE, um=10), jobs=1).raise_failed()
        experiment = folder / "experiment_100501"
        experiment.mkdir()
        for measure in ("projection_density", "injection_fraction", "data_mask"):
            ccf.write_nrrd(experiment / f"{measure}_200.nrrd", GRIDS[measure], um=200)
        ccf.write_nrrd(experiment / "injection_density_200.nrrd", np.zeros(ccf.SHAPE, np.float32), um=200)
        lake.ingest(experiment, jobs=1).raise_failed()
        header = ccf.metaimage_header(FIELD[..., 0], 25, "dfmfld.raw").decode()
        header = header.replace("ElementType", "ElementNumberOfChannels = 3\nElementType")
        (folder / "dfmfld.mhd").write_text(header)
        (folder / "dfmfld.raw").write_bytes(np.ascontiguousarray(FIELD.transpose(2, 1, 0, 3)).tobytes())
        lake.ingest(folder / "dfmfld.mhd", settings={"experiment": "100501"}, jobs=1).raise_failed()
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


@pytest.mark.parametrize("suffix", [".nrrd", ".nii", ".mha", ".npy"])
def test_an_annotation_comes_back_as_it_was(lake, suffix, tmp_path):
    again = written(lake, "from ccf.annotation_volume()", tmp_path / f"a{suffix}")
    assert again.dtype == np.uint32
    assert np.array_equal(again, LABELS)


@pytest.mark.parametrize("suffix", [".nrrd", ".nii", ".mha", ".npy"])
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


def test_labels_of_itk_snap_are_written_as_it_reads_them(lake, tmp_path):
    """RSP-11: blanks between fields, no header, text in double quotes."""
    path = tmp_path / "labels.dat"
    write_answer(lake.sql("select * exclude (structure_id) from ccf.itksnap_labels() limit 1").reader(), None, path)
    fields = path.read_text().split()
    assert fields == [
        "1",
        *(str(c) for c in lake.sql(COLOUR).one().rgb),
        "1",
        "1",
        "1",
        f'"{sorted(t[1] for t in ccf.TREE)[0]}"',
    ]


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
        ("from ccf.grey_volume() order by ml_block desc", "block .* out of order"),
        (
            "from connectivity.grid_volume(100501, at_grid_um := 200) order by ml_index desc nulls first",
            "voxel .* out of order",
        ),
        (
            "select 20::int as ml_index, 0 as dv_index, 0 as ap_index, 1.0::float as voxel_value, 2 as n_ap, 2 as n_dv, "
            "2 as n_ml, 25 as grid_um, 'f4' as dtype",
            "out of it",
        ),
        ("from ccf.annotation_volume() where ml_index > 2", "plane 0 of the answer is another's"),
        ("from ccf.annotation_volume() limit 3", "has 3 of 10 planes"),
        ("from ccf.annotation_volume() limit 0", "has no row"),
    ],
)
def test_what_is_no_volume_leaves_no_file(lake, query, message, tmp_path):
    with pytest.raises(BrainlakeError, match=message):
        write_answer(lake.sql(query).reader(), None, tmp_path / "a.nrrd")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize("measure", ["projection_density", "injection_fraction", "data_mask", "injection_density"])
def test_a_grid_of_an_experiment_comes_back_as_it_was(lake, measure, tmp_path):
    """Also where a mask is 1 but for some, and where a grid has no voxel at all that is not 0."""
    path = tmp_path / "g.npy"
    query = f"from connectivity.grid_volume(100501, of_measure := '{measure}', at_grid_um := 200)"
    write_answer(lake.sql(query).reader(), None, path)
    again = np.load(path)
    assert again.dtype == np.float32
    assert np.array_equal(
        again, GRIDS.get(measure, np.zeros(ccf.SHAPE)) if measure != "injection_density" else 0 * LABELS
    )


def test_a_grid_goes_to_a_file_that_is_ingested_as_the_same_grid(lake, tmp_path):
    folder = tmp_path / "experiment_100501"
    folder.mkdir()
    query = "from connectivity.grid_volume(100501, at_grid_um := 200)"
    write_answer(lake.sql(query).reader(), None, folder / "projection_density_200.nrrd")
    volume = open_volume(source_of(folder / "projection_density_200.nrrd"))
    assert volume.header.spacing == (200, 200, 200)
    planes = np.stack([plane.copy() for _, plane in volume.planes()])
    assert np.array_equal(planes.transpose(2, 1, 0), GRIDS["projection_density"])


def test_a_template_comes_back_from_its_blocks(lake, tmp_path):
    path = tmp_path / "t.npy"
    write_answer(lake.sql("from ccf.grey_volume()").reader(), None, path)
    assert np.array_equal(np.load(path), TEMPLATE)


def test_a_field_of_displacements_comes_back_with_its_components(lake, tmp_path):
    query = "from connectivity.deformation_volume(100501)"
    write_answer(lake.sql(query).reader(), None, tmp_path / "d.npy")
    assert np.array_equal(np.load(tmp_path / "d.npy"), FIELD)  # [ap, dv, ml, component]
    write_answer(lake.sql(query).reader(), None, tmp_path / "d.nii")
    head = (tmp_path / "d.nii").read_bytes()
    assert struct.unpack_from("<8h", head, 40) == (5, 20, 4, 3, 1, 3, 1, 1)
    assert struct.unpack_from("<h", head, 68) == (1007,)  # a vector in every voxel
    voxels = np.frombuffer(head, "<f4", offset=352)
    assert np.array_equal(voxels.reshape(3, 3, 4, 20).transpose(3, 2, 1, 0), FIELD)
    write_answer(lake.sql(query).reader(), None, tmp_path / "d.nrrd")
    text, _, data = (tmp_path / "d.nrrd").read_bytes().partition(b"\n\n")
    assert b"sizes: 20 4 3 3\n" in text
    assert b"kinds: domain domain domain vector\n" in text
    assert np.frombuffer(gzip.decompress(data), "<f4").tobytes() == voxels.tobytes()
    write_answer(lake.sql(query).reader(), None, tmp_path / "d.mha")
    text, _, data = (tmp_path / "d.mha").read_bytes().partition(b"ElementDataFile = LOCAL\n")
    assert b"ElementNumberOfChannels = 3\n" in text
    assert f"CompressedDataSize = {len(data)}\n".encode() in text
    voxels = np.frombuffer(zlib.decompress(data), "<f4")
    assert np.array_equal(voxels.reshape(3, 4, 20, 3).transpose(2, 1, 0, 3), FIELD)


def test_what_is_not_here_says_what_brings_it(lake):
    with pytest.raises(BrainlakeError, match="deformation field of experiment 100502 is not in this lake"):
        lake.sql("from connectivity.deformation_volume(100502)").arrow()
    with pytest.raises(BrainlakeError, match="projection_energy of experiment 100501 at 200 um is not in this lake"):
        lake.sql("from connectivity.grid_volume(100501, of_measure := 'projection_energy', at_grid_um := 200)").arrow()
    labels = lake.sql("select volume_id from ccf.volumes where stored_as = 'runs'").pl().item()
    with pytest.raises(BrainlakeError, match="holds labels"):
        lake.sql(f"from ccf.block_volume({labels})").arrow()
