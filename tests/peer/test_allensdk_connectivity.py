"""One cache folder of the connectivity atlas, asked by the Allen SDK's MouseConnectivityCache and read into a lake.

Runs where $BRAINLAKE_PEER_PYTHON names a Python that has the SDK (2.16.2).
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import brainlake
import numpy as np
import polars as pl
import pytest
from brainlake.tests.fixtures import ccf
from brainlake.tests.fixtures import connectivity as fixture

PYTHON = os.environ.get("BRAINLAKE_PEER_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="BRAINLAKE_PEER_PYTHON names no Python with the Allen SDK")

ROUNDED = 1e-11  # pandas, by which the SDK reads CSV, leaves digits after the sixteenth out
SHAPE = (132, 80, 114)
FIELD = np.random.default_rng(8).normal(0, 40, (4, 3, 5, 3)).astype(np.float32)  # [ap, dv, ml, component]
GRIDS = ("projection_density", "injection_density", "injection_fraction", "data_mask")


def made_atlas(folder: Path) -> dict[str, Any]:
    """The small brain and its five experiments, with grids of noise for the first."""
    experiments = [{**r, "data_set_id": r["data_set_id"] + 100_000} for r in fixture.experiment_records()]
    ccf.write_json(folder / "structures.json", ccf.tree_records())
    fixture.write_experiments(folder / "experiments.json", experiments)
    ids = [one["data_set_id"] for one in experiments]
    rng = np.random.default_rng(4)
    (folder / f"experiment_{ids[0]}").mkdir()
    for name in GRIDS:
        values = (rng.random(SHAPE) * (rng.random(SHAPE) < 0.02)).astype(np.float32)
        ccf.write_nrrd(folder / f"experiment_{ids[0]}" / f"{name}_100.nrrd", values, um=100)
    return {
        "experiments": ids[:4], "grids": ids[0], "structures": [385, 593, 1027, 549],
        "areas": [[385], [315], [593, 549], [997]], "lines": fixture.LINES[1:],
    }  # fmt: skip


def real_atlas(folder: Path, real_data: Any) -> dict[str, Any]:
    """The published experiments and ontology, drawn unionizes of eight of them, grids of one."""
    shutil.copy(real_data("ccf/structures.json"), folder)
    shutil.copy(real_data("connectivity/experiments.json"), folder)
    shutil.copytree(real_data("connectivity/experiment_158375425"), folder / "experiment_158375425")
    tree = json.loads((folder / "structures.json").read_text())
    summary = [one["id"] for one in tree if 167587189 in one["structure_set_ids"]]
    return {
        "experiments": [158375425, 100141219, 112951097, 122642490, 180296424, 126909424, 127084296, 100140756],
        "grids": 158375425, "structures": [*summary[::3], 315, 549], "areas": [[385], [315], [549, 477], [997]],
        "lines": ["Rbp4-Cre_KL100", "cux2-ires-cre"],
    }  # fmt: skip


@pytest.fixture(scope="module", params=["made", "real"])
def both(request, tmp_path_factory) -> Iterator[SimpleNamespace]:
    """What the SDK tells of a folder, by question; and a lake that has taken the same folder."""
    folder = tmp_path_factory.mktemp(f"connectivity_{request.param}") / "mouse_connectivity"
    folder.mkdir()
    made = request.param == "made"
    atlas = made_atlas(folder) if made else real_atlas(folder, request.getfixturevalue("real_data"))
    experiments, first = atlas["experiments"], atlas["grids"]
    columns = fixture.unionize_columns(experiments, atlas["structures"], seed=7)
    for experiment in experiments:
        chosen = {name: values[columns["experiment_id"] == experiment] for name, values in columns.items()}
        fixture.write_unionizes_csv(folder / f"experiment_{experiment}" / "structure_unionizes.csv", chosen)
    at = folder / f"experiment_{first}"
    matrix, offset = np.random.default_rng(2).normal(size=(3, 3)), np.array([100.0, -20, 7])
    (at / "alignment3d.json").write_text(json.dumps(fixture.alignment_record(matrix, offset, aligned_id=first)))
    (at / "dfmfld.mhd").write_text(
        "ObjectType = Image\nNDims = 3\nBinaryData = True\nBinaryDataByteOrderMSB = False\nOffset = 0 0 0\n"
        "ElementSpacing = 25 25 25\nDimSize = 4 3 5\nElementNumberOfChannels = 3\nElementType = MET_FLOAT\n"
        "ElementDataFile = dfmfld.raw\n"
    )
    (at / "dfmfld.raw").write_bytes(FIELD.transpose(2, 1, 0, 3).tobytes())

    few = atlas["structures"][-3:]
    asked = [
        ("get_experiments", {}),
        *(("get_experiments", {"cre": cre}) for cre in (True, False, list(atlas["lines"]))),
        *(("get_experiments", {"injection_structure_ids": area}) for area in atlas["areas"]),
        ("get_experiments", {"cre": False, "injection_structure_ids": atlas["areas"][1]}),
        ("get_structure_unionizes", {"experiment_ids": experiments}),
        ("get_structure_unionizes", {"experiment_ids": experiments[1:3], "is_injection": True}),
        ("get_structure_unionizes", {"experiment_ids": experiments[:2], "structure_ids": few, "hemisphere_ids": [2]}),
        (
            "get_structure_unionizes",
            {"experiment_ids": experiments, "structure_ids": atlas["areas"][1], "include_descendants": True},
        ),
        *(
            ("rank_structures", {"experiment_ids": experiments[::-1], "is_injection": inside, "n": n, "rank_on": on})
            for inside, n, on in ((False, 5, "normalized_projection_volume"), (True, 2, "projection_density"))
        ),
        *(
            (
                "get_projection_matrix",
                {"experiment_ids": experiments[::-1], "projection_structure_ids": few, "hemisphere_ids": sides},
            )
            for sides in (None, [1, 2], [3])
        ),
        (
            "get_projection_matrix",
            {"experiment_ids": experiments, "projection_structure_ids": few[::-1], "parameter": "projection_energy"},
        ),
        *((f"get_{name}", {"experiment_id": first}) for name in GRIDS),
        ("get_deformation_field", {"section_data_set_id": first}),
        *(
            (
                "get_affine_parameters",
                {"section_data_set_id": first, "direction": way, "file_name": str(at / "alignment3d.json")},
            )
            for way in ("trv", "tvr")
        ),
    ]
    with brainlake.create(folder.parent / "lake") as lake:
        lake.ingest(folder).raise_failed()
        (folder.parent / "asked.json").write_text(json.dumps(asked))
        script, told = Path(__file__).with_name("ask_allensdk_connectivity.py"), folder.parent / "told.json"
        subprocess.run([PYTHON, script, folder, folder.parent / "asked.json", told], check=True)
        answers = zip(asked, json.loads(told.read_text()), strict=True)
        found: dict[str, list[tuple[dict[str, Any], Any]]] = {}
        for (name, given), answer in answers:
            found.setdefault(name, []).append((given, answer))
        yield SimpleNamespace(lake=lake, told=found, first=first, made=made)


def rows(lake: brainlake.Lake, query: str, params: Any = None) -> list[tuple[Any, ...]]:
    return lake.sql(query, params).pl().rows()


def test_experiments_are_chosen_as_the_sdk_chooses_them(both):
    for given, told in both.told["get_experiments"]:
        filters = [f"cre := {given['cre']}"] if "cre" in given else []
        filters += [f"injection := {given[n]}" for n in ("injection_structure_ids",) if n in given]
        query = "select experiment_id, structure_id, injection_structure_ids from connectivity.find_experiments"
        ours = rows(both.lake, f"{query}({', '.join(filters)})")
        assert sorted(map(list, ours)) == sorted(told), given
    assert 0 < len(both.told["get_experiments"][1][1]) < len(both.told["get_experiments"][0][1])


def test_unionizes_are_chosen_as_the_sdk_chooses_them(both):
    names = {
        "experiment_ids": "experiments", "is_injection": "injected", "structure_ids": "wanted",
        "include_descendants": "include_descendants", "hemisphere_ids": "hemispheres",
    }  # fmt: skip
    for given, told in both.told["get_structure_unionizes"]:
        filters = ", ".join(f"{names[name]} := {value}" for name, value in given.items())
        ours = rows(
            both.lake,
            "select experiment_id, structure_id, hemisphere_id, is_injection, projection_volume_mm3, coalesce(max_voxel_ap_um, 0)"
            f" from connectivity.find_unionizes({filters})",
        )
        assert len(told) > 5, given
        np.testing.assert_allclose(sorted(map(list, ours)), sorted(told), rtol=ROUNDED, err_msg=str(given))


def test_matrices_have_the_sdk_s_columns_rows_and_values(both):
    for given, told in both.told["get_projection_matrix"]:
        sides, measure = given.get("hemisphere_ids"), given.get("parameter")
        ours = both.lake.sql(
            f"select matrix_row, matrix_column, target, matrix_value from connectivity.projection_matrix("
            f"{given['experiment_ids']}, {given['projection_structure_ids']}, hemispheres := {sides or 'null'},"
            f" of_measure := '{measure or 'projection_volume'}') order by matrix_row, matrix_column"
        ).pl()
        n = len(told["labels"])
        assert ours["target"].to_list()[:n] == told["labels"]
        values = ours["matrix_value"].to_numpy().reshape(-1, n)
        np.testing.assert_allclose(values, np.array(told["matrix"], float), rtol=ROUNDED)


def test_structures_are_ranked_as_the_sdk_ranks_them(both):
    for given, told in both.told["rank_structures"]:
        ours = rows(
            both.lake,
            "select experiment_id, structure_id, hemisphere_id, ranked_value from connectivity.rank_structures("
            f"{given['experiment_ids']}, injected := {given['is_injection']}, n := {given['n']},"
            f" of_measure := '{given['rank_on']}')",
        )
        names = ("experiment_id", "structure_id", "hemisphere_id", given["rank_on"])
        expected = [tuple(row[name] for name in names) for of_one in told for row in of_one]
        # where values tie the SDK's order is that of its sort; ours is that of the structures
        assert [row[0] for row in ours] == [row[0] for row in expected]
        np.testing.assert_allclose(sorted(ours), sorted(expected), rtol=ROUNDED)
        np.testing.assert_allclose([row[3] for row in ours], [row[3] for row in expected], rtol=ROUNDED)


@pytest.mark.parametrize("measure", GRIDS)
def test_grids_hold_what_the_sdk_reads(both, measure):
    ((_, told),) = both.told[f"get_{measure}"]
    is_mask = measure == "data_mask"
    query = "select ml_index, dv_index, ap_index, 1 as n_voxels, voxel_value from connectivity.grid_voxels"
    if is_mask:
        query = "select ml_index, dv_index, ap_index, n_voxels, valid_fraction from connectivity.data_mask_runs"
    measured = "" if is_mask else f" and measure = '{measure}'"
    ours = np.full(SHAPE, float(is_mask))
    for ml, dv, ap, n, value in rows(both.lake, f"{query} where experiment_id = {both.first}{measured}"):
        ours[ap : ap + n, dv, ml] = value
    assert list(ours.shape) == told["shape"]
    assert np.count_nonzero(ours > 0) == told["n"] > 50
    assert np.sum(ours) == pytest.approx(told["sum"], rel=1e-12)
    assert ours[tuple(np.array(told["at"]).T)].tolist() == told["values"]


def test_a_deformation_field_is_the_sdk_s_turned_round(both):
    ((_, told),) = both.told["get_deformation_field"]
    theirs = np.array(told["values"]).reshape(told["shape"]).transpose(2, 1, 0, 3)  # [ml, dv, ap]: XFM-02
    assert np.array_equal(theirs, FIELD)
    points = [(25.0 * ap, 25.0 * dv, 25.0 * ml) for ap in range(4) for dv in range(3) for ml in range(5)]
    frame = {name: [p[i] for p in points] for i, name in enumerate(("ap_um", "dv_um", "ml_um"))}
    ours = both.lake.sql(
        "select displaced_ap_um, displaced_dv_um, displaced_ml_um"
        f" from connectivity.displacements('points', {both.first}) order by ap_um, dv_um, ml_um",
        tables={"points": pl.DataFrame(frame)},
    ).pl()
    np.testing.assert_allclose(ours.to_numpy().reshape(theirs.shape), theirs, rtol=0, atol=1e-4)


def test_alignments_have_the_sdk_s_parameters(both):
    for given, told in both.told["get_affine_parameters"]:
        ours = both.lake.sql(f"select connectivity.affine({both.first}, '{given['direction']}') as p").one()
        assert list(ours.p) == pytest.approx(told, rel=1e-15)
