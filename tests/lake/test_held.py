"""What a session keeps in memory of its snapshot: small views, and partitions that kernels look things up in."""

from __future__ import annotations

import brainlake
import numpy as np
import polars as pl
import pytest
from brainlake.lake import held
from brainlake.tests.fixtures import ccf

POINT = pl.DataFrame({"ap_um": [62.5], "dv_um": [37.5], "ml_um": [37.5]})  # voxel 2, 1, 1: VISp1


def structure(lake: brainlake.Lake) -> str | None:
    return lake.sql("from ccf.structures_at('mine')", tables={"mine": POINT}).pl()["ccf_structure_acronym"].item()


@pytest.fixture
def lake(tmp_path):
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest(ccf.write_json(tmp_path / "structures.json", ccf.tree_records())).raise_failed()
        annotation = ccf.write_nrrd(tmp_path / "annotation_25.nrrd", ccf.annotation())
        lake.ingest(annotation, settings={"version": "ccf_2017"}).raise_failed()
        yield lake


def test_what_is_kept_moves_with_the_snapshot_and_only_then(lake, tmp_path):
    before = lake.snapshots().pl()["snapshot_id"].max()
    other = brainlake.open(lake.path)
    assert structure(lake) == structure(other) == "VISp1"
    changed = ccf.annotation()
    changed[2, 1, 1] = 549
    path = ccf.write_nrrd(tmp_path / "annotation_25.nrrd", changed)
    lake.ingest(path, settings={"version": "ccf_2017"}).raise_failed()
    assert structure(lake) == "TH"
    assert structure(other) == "VISp1"
    other.refresh()
    assert structure(other) == "TH"
    with lake.at(before) as earlier:
        assert structure(earlier) == "VISp1"
    other.close()


def test_a_kept_view_is_made_anew_of_new_files(lake, tmp_path):
    assert structure(lake) == "VISp1"
    records = ccf.tree_records()
    next(one for one in records if one["acronym"] == "VISp1")["acronym"] = "renamed"
    lake.ingest(ccf.write_json(tmp_path / "structures.json", records)).raise_failed()
    assert structure(lake) == "renamed"
    assert lake.sql("select count(*) from ccf.structures").pl().item() == len(ccf.TREE)


def test_a_file_is_read_once_until_room_is_short(lake, monkeypatch):
    read = []
    rows = held.FilesOfPartitions.rows
    monkeypatch.setattr(held.FilesOfPartitions, "rows", lambda *given: read.append(given) or rows(*given))
    monkeypatch.setattr(held, "_kept", type(held._kept)())
    for _ in range(3):
        structure(lake)
    assert len(read) == 1
    monkeypatch.setattr(held, "ROOM", 0)
    held._kept["another"] = np.zeros(1)
    structure(lake)
    assert len(read) == 1  # what was asked for last stays, even where there is no room


def test_a_volume_that_is_not_there_has_no_labels(lake):
    query = "select voxel_at(7, 2, 1.0::double, 1.0::double, 1.0::double), slice_labels(7, [2, 2, 2], 'coronal', 0)"
    assert lake.sql(query).pl().rows() == [({"label": 0, "hemisphere_id": 0}, [])]
