"""The reference space beside that of the Allen SDK: a random brain, and the 25 um annotation where it is at hand.

Runs where $BRAINLAKE_PEER_PYTHON names a Python that has the SDK (2.16.2).
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from brainlake.tests.fixtures import ccf
from brainlake.tests.fixtures.ingesting import concat, tables_of
from brainlake.tests.fixtures.memory import memory_connection

PYTHON = os.environ.get("BRAINLAKE_PEER_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="BRAINLAKE_PEER_PYTHON names no Python with the Allen SDK")

PLANES = ("coronal", "horizontal", "sagittal")
SHAPE = (27, 18, 22)
LARGE = 70_000  # does not fit into 16 bits


def random_brain(folder: Path) -> tuple[Path, Path]:
    """Sixty structures in a random tree, some without a voxel, and labels in blobs; one label of no structure."""
    rng = np.random.default_rng(11)
    records, paths = [], {}
    for order in range(60):
        id_ = 1 if order == 0 else LARGE + 7 if order == 41 else int(10 + 3 * order)
        parent = list(paths)[rng.integers(len(paths))] if paths else None
        paths[id_] = [*paths.get(parent, []), id_]
        records.append(
            {
                "id": id_, "acronym": f"a{order * 7 % 60:02d}", "name": f"structure {order}", "graph_id": 1,
                "graph_order": order, "structure_id_path": paths[id_], "rgb_triplet": rng.integers(0, 256, 3).tolist(),
                "structure_set_ids": rng.choice([100, 200, 300], rng.integers(0, 4), replace=False).tolist(),
            }
        )  # fmt: skip
    records.sort(key=lambda one: one["structure_id_path"])  # depth first, as the reference lists them
    for order, one in enumerate(records):
        one["graph_order"] = order
    coarse = rng.choice([0, 0, 5, *list(paths)[:50]], [-(-n // 3) for n in SHAPE])
    labels = np.kron(coarse, np.ones((3, 3, 3), int))[: SHAPE[0], : SHAPE[1], : SHAPE[2]].astype(np.uint32)
    labels[labels == 5] = 0
    return ccf.write_json(folder / "structures.json", records), ccf.write_nrrd(folder / "annotation_25.nrrd", labels)


@pytest.fixture(scope="module", params=["random", "real"])
def both(request, tmp_path_factory):
    """What the SDK tells of a brain, and a connection on the same files."""
    folder = tmp_path_factory.mktemp(request.param)
    if request.param == "random":
        tree, annotation = random_brain(folder)
    else:
        real_data = request.getfixturevalue("real_data")
        tree, annotation = real_data("ccf/structures.json"), real_data("ccf/annotation_25.nrrd")
    records = json.loads(tree.read_text())
    rng = np.random.default_rng(5)
    chosen = [records[i] for i in rng.choice(len(records), 8, replace=False)]
    ids = [one["id"] for one in chosen]
    shape = SHAPE if request.param == "random" else (528, 320, 456)
    asked = {
        "edge_um": 25,
        "ids": ids,
        "acronyms": [one["acronym"] for one in chosen],
        "names": [one["name"] for one in chosen],
        "sets": sorted({s for one in records for s in one["structure_set_ids"]})[:2],
        "lists": [ids[:1], ids[:4], [*ids, records[0]["id"]]],
        "domain": ids[2:6],
        "slices": [[axis, 25 * shape[axis] * f] for axis in range(3) for f in (0.0, 0.3, 0.51)]
        + [[0, 62.5], [2, 87.5]],
        "targets": [50, 40],
    }
    (folder / "asked.json").write_text(json.dumps(asked))
    script = Path(__file__).with_name("ask_allensdk_reference_space.py")
    subprocess.run([PYTHON, script, tree, annotation, folder / "asked.json", folder], check=True)
    con = memory_connection(concat(tables_of(tree), tables_of(annotation, version="ccf_2017")))
    told = json.loads((folder / "told.json").read_text())
    yield SimpleNamespace(con=con, told=told, arrays=np.load(folder / "told.npz"), asked=asked, shape=shape)
    con.close()


def column(both, query):
    return [row[0] for row in both.con.execute(query).fetchall()]


def grouped(both, query):
    """Second column by the first."""
    found = {}
    for of, id_ in both.con.execute(query).fetchall():
        found.setdefault(of, []).append(id_)
    return [found.get(id_, []) for id_ in both.asked["ids"]]


def volume(both, query):
    """Planes as an array ``[ap, dv, ml]``."""
    rows = both.con.execute(f"select shape, dtype, plane_bytes from {query} order by ml_index").fetchall()
    return np.stack([np.frombuffer(one, dtype).reshape(s[1], s[0]).T for s, dtype, one in rows], axis=2)


def test_relations_of_structures(both):
    ids, told = both.asked["ids"], both.told
    assert grouped(both, f"select of_structure, structure_id from ccf.ancestors({ids})") == told["ancestors"]
    assert grouped(both, f"select of_structure, structure_id from ccf.ancestors({ids}) where steps = 1") == [
        [one] if one is not None else [] for one in told["parents"]
    ]
    ours = grouped(both, f"select of_structure, structure_id from ccf.descendants({ids})")
    assert [sorted(one) for one in ours] == [sorted(one) for one in told["descendants"]]
    assert [one[0] for one in ours] == ids
    children = grouped(both, f"select of_structure, structure_id from ccf.descendants({ids}) where steps = 1")
    assert children == told["children"]
    descents = [column(both, f"select ccf.descends_from({a}, {b})")[0] for a in ids for b in ids]
    assert descents == told["descents"]


def test_look_ups(both):
    asked, told = both.asked, both.told
    by = "select structure_id from ccf.find_structures({}) order by wanted_index"
    assert column(both, by.format(asked["acronyms"])) == told["by_acronym"]
    assert (
        column(both, "select structure_id from ccf.find_structures(?)".replace("?", str(asked["ids"]))) == asked["ids"]
    )
    names = "[" + ", ".join("'" + one.replace("'", "''") + "'" for one in asked["names"]) + "]"
    assert column(both, by.format(names)) == told["by_name"]
    assert column(both, f"select structure_id from ccf.structures_by_id({[*asked['ids'], -1]})") == told["by_id"]
    in_sets = (
        f"select distinct structure_id from ccf.structure_set_members where structure_set_id in {tuple(asked['sets'])}"
    )
    assert sorted(column(both, in_sets)) == told["by_set"]
    assert sorted(column(both, "select distinct structure_set_id from ccf.structure_set_members")) == told["sets"]


def test_maps_of_all_structures(both):
    query = "select structure_id, acronym, name, rgb, structure_id_path from ccf.structures where graph_id = 1"
    found = both.con.execute(query).fetchall()
    assert {acronym: id_ for id_, acronym, *_ in found} == both.told["acronyms"]
    assert {str(id_): name for id_, _, name, *_ in found} == both.told["names"]
    assert {str(row[0]): row[3] for row in found} == both.told["colours"]
    assert {str(row[0]): row[4][::-1] for row in found} == both.told["all_ancestors"]


def test_lists_that_overlap(both):
    for one, told in zip(both.asked["lists"], both.told["overlaps"], strict=True):
        assert sorted(column(both, f"select structure_id from ccf.overlapping({one})")) == told


def test_voxels_of_structures(both):
    query = "select structure_id, direct_voxels, total_voxels from ccf.structure_geometry where hemisphere_id = 3"
    found = both.con.execute(query).fetchall()
    assert {str(id_): n for id_, n, _ in found} == both.told["direct"]
    assert {str(id_): n for id_, _, n in found} == both.told["total"]
    assert {id_ for id_, _, n in found if n > 0} == set(both.told["assigned"])


@pytest.mark.parametrize("direct_only", [False, True])
def test_masks(both, direct_only):
    for n, one in enumerate(both.asked["lists"]):
        told = both.arrays[f"{'direct_' if direct_only else ''}mask_{n}"]
        assert np.array_equal(volume(both, f"ccf.mask_volume({one}, direct_only := {direct_only})"), told)
        voxels = column(both, f"select sum(n_voxels)::bigint from ccf.mask({one}, direct_only := {direct_only})")
        assert (voxels[0] or 0) == told.sum()


def test_coverage(both):
    """Signed, summed over the labels that it falls on."""
    for n, one in enumerate(both.asked["lists"]):
        query = (
            f"select difference, sum(n_voxels)::bigint from ccf.coverage({one}, {both.asked['domain']}) group by all"
        )
        ours = dict(both.con.execute(query).fetchall())
        told = both.arrays[f"coverage_{n}"]
        assert ours == {sign: (told == sign).sum() for sign in (-1, 1) if (told == sign).any()}


def test_slices_in_colour(both):
    for n, (axis, position) in enumerate(both.asked["slices"]):
        query = f"select structure_ids, palette, n_rows, n_columns from ccf.slice_image('{PLANES[axis]}', {position})"
        labels, palette, *shape = both.con.execute(query).fetchone()
        colours = {0: [0, 0, 0], **{one["structure_id"]: one["rgb"] for one in palette}}
        image = np.array([colours[id_] for id_ in labels]).reshape(*shape, 3)
        told = both.arrays[f"slice_{n}"]
        assert np.array_equal(image if axis < 2 else image.transpose(1, 0, 2), told)  # the reference has ap across


def test_fewer_voxels(both):
    for target in both.asked["targets"]:
        assert np.array_equal(volume(both, f"ccf.downsampled_volume({target})"), both.arrays[f"downsampled_{target}"])


def test_labels_of_itk_snap(both):
    told = both.told["itksnap_labels"]
    ours = both.con.execute('select "IDX", "LABEL" from ccf.itksnap_labels()').fetchall()
    assert sorted(map(list, ours)) == sorted(told)
    assert np.array_equal(volume(both, "ccf.itksnap_volume()"), both.arrays["itksnap"])
    columns = '"IDX", "-R-", "-G-", "-B-", "-A-", "VIS", "MSH", "LABEL"'
    described = both.con.execute(f"select {columns} from ccf.label_description()").fetchall()
    assert sorted(map(list, described)) == sorted(both.told["labels"])
