"""Genes, image series, unionizes and grids of expression arrive as they were served."""

from __future__ import annotations

import json
import zipfile

import numpy as np
import pytest
from brainlake.ingest import registry
from brainlake.lake.errors import SourceError
from brainlake.tests.fixtures import ccf, ish
from brainlake.tests.fixtures.ingesting import source_of, tables_of


def test_genes_arrive_with_their_chromosome_and_the_rest(tmp_path):
    path = ish.write_json(tmp_path / "genes.json", ish.envelope(ish.genes()))
    rows = tables_of(path)["ish.listed_genes"].to_pylist()
    assert [(r["gene_id"], r["gene_acronym"], r["organism_id"], r["chromosome"]) for r in rows] == [
        (18376, "Pdyn", 2, "2"), (12308, "Man1a", 2, "2"), (1234, "PDYN", 1, "2")]  # fmt: skip
    assert json.loads(rows[0]["extra"]) == {"alias_tags": "Dyn"}


def test_an_image_series_has_a_row_for_each_gene_it_shows(tmp_path):
    tables = tables_of(ish.write_json(tmp_path / "a.json", ish.data_sets()))
    first, second = tables["ish.data_sets"].to_pylist()
    assert (first["plane_of_section"], first["age"], first["product_ids"]) == ("coronal", "P56", [1])
    assert (second["plane_of_section"], second["age"], second["failed"]) == ("sagittal", None, True)
    assert second["product_ids"] == [1, 3]
    shown = tables["ish.data_set_genes"].to_pylist()
    assert [(r["data_set_id"], r["gene_acronym"]) for r in shown] == [
        (ish.DATA_SET, "Pdyn"), (ish.OTHER, "Pdyn"), (ish.OTHER, "Man1a")]  # fmt: skip


def test_unionizes_arrive_alike_from_json_and_csv(tmp_path):
    records = [ish.unionize(ish.DATA_SET, 385, 100, 25, 500), ish.unionize(ish.DATA_SET, 997, 300, 30, 600)]
    names = list(records[0])
    lines = [",".join(["", *names]), *(",".join([str(n), *map(str, r.values())]) for n, r in enumerate(records))]
    (tmp_path / "u.csv").write_text("\n".join(lines) + "\n")  # as pandas writes it: the first column is an index
    ours = tables_of(ish.write_json(tmp_path / "u.json", ish.envelope(records)))["ish.published_unionizes"]
    assert tables_of(tmp_path / "u.csv")["ish.published_unionizes"].drop_columns("extra") == ours.drop_columns("extra")
    assert ours["expression_energy"].to_pylist() == [5.0, 2.0]


def test_pages_of_a_list_are_subjects_of_their_own(tmp_path):
    for name, listed in (("a", ish.genes()[:2]), ("b", ish.genes()[2:])):
        ish.write_json(tmp_path / f"{name}.json", ish.envelope(listed, total=3))
    subjects = {
        registry.choose(s).identify(s).subject for s in (source_of(tmp_path / "a.json"), source_of(tmp_path / "b.json"))
    }
    assert subjects == {"ish.genes/12308-18376", "ish.genes/1234"}


def test_a_series_without_genes_is_not_gene_expression(tmp_path):
    """As a series of projections, whose list of genes is empty."""
    record = {**ish.data_sets()[0], "genes": []}
    reader = registry.get("ish_records")
    assert not reader.sniff(source_of(ish.write_json(tmp_path / "a.json", [record])))
    with pytest.raises(SourceError, match="neither genes"):
        reader.identify(source_of(tmp_path / "a.json"))


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ({"genes": [3]}, "record 0, genes: is no list of records"),
        ({"specimen": [1]}, "record 0, specimen: is no record"),
        ({"id": "abc"}, "record 0, id: 'abc' is no id"),
        ({"section_thickness": "thin"}, 'section_thickness: "thin" is no double'),
    ],
)
def test_a_record_that_is_none_is_one_clear_error(tmp_path, change, why):
    path = ish.write_json(tmp_path / "a.json", [{**ish.data_sets()[0], **change}])
    with pytest.raises(SourceError, match=why):
        tables_of(path)


def voxels_of(table):
    """Voxel -> energy, density, intensity."""
    return {(r["ap_index"], r["dv_index"], r["ml_index"]): (r["energy"], r["density"], r["intensity"]) for r in table}


def expected():
    energy, density, intensity = ish.volumes().values()
    known = np.argwhere((energy != -1) | (density != -1) | (intensity != -1))
    return {
        tuple(int(i) for i in at): tuple(None if v[tuple(at)] == -1 else float(v[tuple(at)]) for v in (energy, density, intensity))
        for at in known
    }  # fmt: skip


def test_three_volumes_are_one_row_a_voxel(tmp_path):
    """-1 is NULL, a voxel without any value has no row, and zeros are kept."""
    tables = tables_of(ish.write_zip(tmp_path / f"{ish.DATA_SET}.zip"))
    found = voxels_of(tables["ish.grid_voxels"].to_pylist())
    assert found == expected()
    assert found[2, 1, 1] == (0.0, None, None)
    grid = tables["ish.grids"].to_pylist()[0]
    assert grid == {
        "data_set_id": ish.DATA_SET, "told_by": "path", "measures": ["energy", "density", "intensity"],
        "shape": list(ccf.SHAPE), "spacing_um": [200.0] * 3, "n_voxels": 36,
    }  # fmt: skip


def test_files_side_by_side_are_one_grid(tmp_path):
    folder = tmp_path / f"expression_{ish.DATA_SET}"
    folder.mkdir()
    with zipfile.ZipFile(ish.write_zip(tmp_path / "a.zip")) as archive:
        archive.extractall(folder)
    source = source_of(folder / "energy.mhd")
    assert voxels_of(tables_of(source.path)["ish.grid_voxels"].to_pylist()) == expected()
    reader = registry.get("ish_grids")
    assert not reader.sniff(source_of(folder / "density.mhd"))  # the first stands for all
    assert {path.name for path in reader.companions(source)} == {
        "density.mhd", "intensity.mhd", "energy.raw", "density.raw", "intensity.raw"}  # fmt: skip


def test_one_measure_is_enough_and_people_may_say_of_what(tmp_path):
    path = ish.write_zip(tmp_path / "grid.zip", density=None, intensity=None)
    with pytest.raises(SourceError, match="--set data_set="):
        tables_of(path)
    tables = tables_of(path, data_set="5")
    assert tables["ish.grids"]["told_by"].to_pylist() == ["option"]
    assert tables["ish.grid_voxels"]["density"].null_count == tables["ish.grid_voxels"].num_rows


def test_volumes_that_do_not_go_together_are_refused(tmp_path):
    path = ish.write_zip(tmp_path / "12345.zip", density=np.zeros((3, 3, 3), np.float32))
    with pytest.raises(SourceError, match="density: has a grid of"):
        tables_of(path)
    path = ish.write_zip(tmp_path / "12346.zip", density=np.zeros(ccf.SHAPE, np.uint8))
    with pytest.raises(SourceError, match="density: holds voxels of uint8"):
        tables_of(path)


@pytest.mark.parametrize("kept", [0.3, 0.6, 0.9])
def test_an_archive_cut_short_is_one_clear_error(tmp_path, kept):
    path = ish.write_zip(tmp_path / f"{ish.DATA_SET}.zip")
    data = path.read_bytes()
    path.write_bytes(data[: int(len(data) * kept)])
    with pytest.raises(SourceError):
        tables_of(path)


def test_voxels_cut_short_name_the_archive(tmp_path):
    path = tmp_path / f"{ish.DATA_SET}.zip"
    energy = ish.volumes()["energy"]
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("energy.mhd", ccf.metaimage_header(energy, 200, "energy.raw"))
        archive.writestr("energy.raw", ccf.file_order(energy)[:-8])
    with pytest.raises(SourceError, match="cut short"):
        tables_of(path)
