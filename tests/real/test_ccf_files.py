"""Real files of the reference space: counts are those that README and header state, arrays those that NumPy reads."""

from __future__ import annotations

import subprocess
import sys
import zlib
from collections.abc import Iterator

import duckdb
import numpy as np
import pyarrow as pa
import pytest
from brainlake.ingest import registry
from brainlake.tests.fixtures.ingesting import concat, source_of, tables_of
from brainlake.tests.fixtures.memory import memory_connection

SHAPE = (528, 320, 456)


@pytest.fixture(scope="module")
def labels() -> np.ndarray:
    """The 25 um annotation of 2017, unpacked by hand: ``[ml, dv, ap]``."""
    from brainlake.tests.conftest import REAL_DATA

    path = REAL_DATA / "ccf/annotation_25.nrrd"
    if not path.exists():
        pytest.skip("real file ccf/annotation_25.nrrd is not at hand")
    packed = path.read_bytes()
    voxels = zlib.decompress(packed[packed.index(b"\n\n") + 2 :], 47)
    return np.frombuffer(voxels, "<u4").reshape(SHAPE[::-1])


@pytest.fixture(scope="module")
def con(labels: np.ndarray) -> Iterator[duckdb.DuckDBPyConnection]:
    from brainlake.tests.conftest import REAL_DATA

    folder = REAL_DATA / "ccf"
    tables = concat(
        tables_of(folder / "structures.json"),
        tables_of(folder / "structure_tree_safe_2017.csv"),
        tables_of(folder / "annotation_25.nrrd", version="ccf_2017"),
        tables_of(folder / "average_template_100.nii"),
    )
    con = memory_connection(tables)
    yield con
    con.close()


def test_the_tree_has_1327_structures_in_33_sets(con):
    assert con.execute("select count(*) from ccf.structures where graph_id = 1").fetchall() == [(1327,)]
    found = dict(con.execute("select structure_set_id, n_structures from ccf.structure_sets").fetchall())
    assert len(found) == 33
    assert (found[167587189], found[687527945], found[114512891]) == (316, 293, 303)


def test_tree_and_table_agree(real_data):
    """Independent files: the reference's cache, and the table of another laboratory."""
    tree = tables_of(real_data("ccf/structures.json"))["ccf.listed_structures"]
    table = tables_of(real_data("ccf/structure_tree_safe_2017.csv"))["ccf.listed_structures"]
    for name in ("structure_id", "structure_id_path", "color_hex", "graph_order", "is_leaf"):
        assert tree[name].to_pylist() == table[name].to_pylist()
    pairs = zip(tree["acronym"].to_pylist(), table["acronym"].to_pylist(), strict=True)
    renamed = {(new, old) for new, old in pairs if new != old}
    assert len(renamed) == 9  # the table is older: it writes Mmme for MMme, the medial mammillary nucleus ...
    assert ("MMme", "Mmme") in renamed


def test_every_structure_has_as_many_voxels_as_numpy_counts(con, labels):
    ids, counts = np.unique(labels, return_counts=True)
    direct = dict(zip(ids.tolist(), counts.tolist(), strict=True))
    assert len(direct) - 1 == 671
    assert sum(counts[1:]) == 32_387_385
    below: dict[int, int] = {}
    for id_, path in con.execute("select structure_id, structure_id_path from ccf.structures").fetchall():
        for above in path:
            below[above] = below.get(above, 0) + direct.get(id_, 0)
    query = "select structure_id, direct_voxels, total_voxels from ccf.structure_geometry where hemisphere_id = 3"
    found = con.execute(query).fetchall()
    assert len(found) == 1327
    for id_, n_direct, n_total in found:
        assert n_direct == direct.get(id_, 0)
        assert n_total == below[id_]
    assert con.execute("select count(*) from ccf.annotation_labels where not is_listed").fetchall() == [(0,)]


def test_the_volume_of_visp_is_that_of_the_2017_annotation(con):
    """7.073 mm3 over both hemispheres (README of the data)."""
    query = "select volume_mm3 from ccf.structure_geometry where acronym = 'VISp' and hemisphere_id = 3"
    assert con.execute(query).fetchall()[0][0] == pytest.approx(7.073, abs=5e-4)


def test_a_million_points_equal_the_array(con, labels):
    n = 1_000_000
    where = np.random.default_rng(4).uniform(0, np.array(SHAPE) * 25.0, (n, 3))
    points = {"n": np.arange(n), "ap_um": where[:, 0], "dv_um": where[:, 1], "ml_um": where[:, 2]}
    con.register("points_given", pa.table(points))
    found = con.execute(
        "select coalesce(ccf_structure_id, 0) as s, ccf_hemisphere_id as h from ccf.structures_at('points_given') order by n"
    ).fetchnumpy()
    ap, dv, ml = (where // 25).astype(int).T
    assert np.array_equal(found["s"], labels[ml, dv, ap])
    assert np.array_equal(found["h"], np.where(ml < 228, 1, 2))


@pytest.mark.parametrize(("plane", "index"), [("coronal", 264), ("horizontal", 120), ("sagittal", 200)])
def test_slices_equal_the_array(con, labels, plane, index):
    image = {"coronal": labels[:, :, index].T, "horizontal": labels[:, index].T, "sagittal": labels[index]}[plane]
    found = con.execute(f"select * from ccf.slice_image('{plane}', {25 * index})").fetchnumpy()
    shape = int(found["n_rows"][0]), int(found["n_columns"][0])
    assert np.array_equal(found["structure_ids"][0].reshape(shape), image)


def test_a_mask_equals_the_array(con, labels):
    ids = [row[0] for row in con.execute("select structure_id from ccf.descendants(['TH'])").fetchall()]
    found = con.execute("select sum(n_voxels)::bigint from ccf.mask(['TH'])").fetchall()
    assert found == [(np.isin(labels, ids).sum(),)]


def test_the_template_knows_its_axes_from_its_affine(con, real_data):
    voxels = real_data("ccf/average_template_100.nii").read_bytes()[352:]
    grey = np.frombuffer(voxels, "<u2").reshape(114, 80, 132)
    assert con.execute("select kind, file_axes, spacing_um from ccf.volumes where kind = 'template'").fetchall() == [
        ("template", "ap,dv,ml", [100.0, 100.0, 100.0])
    ]
    found = con.execute("select grey_values from ccf.grey_slice_image('coronal', 6600)").fetchnumpy()
    assert np.array_equal(found["grey_values"][0].reshape(80, 114), grey[:, :, 66].T)


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("ccf/annotation_25.nrrd", "ccf_volumes"),
        ("ccf/average_template_100.nii", "ccf_volumes"),
        ("ccf/barrels_annotation_10_extended.nrrd", "ccf_volumes"),
        ("ccf/structures.json", "ccf_structures"),
        ("ccf/structure_tree_safe_2017.csv", "ccf_structures"),
        ("ccf/allen_structure_tree_ibl.csv", "ccf_structures"),
    ],
)
def test_each_file_has_one_reader(name, reader, real_data):
    assert registry.choose(source_of(real_data(name))).name == reader


def test_no_file_of_another_kind_is_claimed(real_data):
    """A signal of an experiment, a table of connectivity, arrays of spikes."""
    mine = [registry.get(name) for name in ("ccf_volumes", "ccf_structures", "ccf_meshes", "ccf_records")]
    folder = real_data("connectivity").parent
    own = {path.name for path in (folder / "ccf").iterdir()} | {"ccf_layer_ontology_response.json"}
    for path in folder.rglob("*"):
        if path.is_file() and path.name not in own:
            claims = [reader.name for reader in mine if reader.sniff(source_of(path))]
            assert not claims, f"{path}: {claims}"


MEASURE = """
import resource, sys
from pathlib import Path
from brainlake.tests.fixtures.ingesting import source_of
from brainlake.ingest import registry
from brainlake.ingest.contract import Report
source = source_of(Path(sys.argv[1]))
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
reader = registry.get("ccf_volumes")
rows = list(r.columns for r in reader.read(source, frozenset({"volumes"}), Report()) if r.table == "ccf.volumes")
print(rows[0]["n_nonzero"][0], resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)
"""


def test_a_volume_of_1200_million_voxels_needs_little_memory(real_data):
    """1.2 GB of voxels: read a plane of a megabyte at a time."""
    path = real_data("ccf/barrels_annotation_10_extended.nrrd")
    done = subprocess.run([sys.executable, "-c", MEASURE, str(path)], capture_output=True, text=True, check=True)
    n_nonzero, grown_kb = map(int, done.stdout.split())
    assert n_nonzero == 1_687_462
    assert grown_kb < 200_000
