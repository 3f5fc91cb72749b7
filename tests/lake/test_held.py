"""What a session keeps in memory of its snapshot: small views, and partitions that kernels look things up in."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from types import SimpleNamespace

import brainlake
import numpy as np
import polars as pl
import pyarrow.parquet as pq
import pytest
from brainlake.lake import held
from brainlake.lake.functions import to_numpy
from brainlake.lake.parquet import to_table
from brainlake.lake.questions import below, standard
from brainlake.lake.tables import TABLES
from brainlake.tests.fixtures import ccf
from brainlake.tests.fixtures.allen_ecephys import make_session
from brainlake.tests.fixtures.allen_truth import Truth
from brainlake.udfs.spike_trains import TRAINS

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
    held.let_go()
    for _ in range(3):
        structure(lake)
    assert len(read) == 1
    monkeypatch.setattr(held, "ROOM", 0)
    structure(lake)
    assert len(read) == 1  # what was asked for last stays, even where there is no room
    held._kept["another"] = np.zeros(1)
    structure(lake)
    assert len(read) == 2


def test_a_volume_that_is_not_there_has_no_labels(lake):
    query = "select voxel_at(7, 2, 1.0::double, 1.0::double, 1.0::double), slice_labels(7, [2, 2, 2], 'coronal', 0)"
    assert lake.sql(query).pl().rows() == [({"label": 0, "hemisphere_id": 0}, [])]


def test_points_masks_and_slices_need_neither_pandas_nor_a_parser(lake):
    """Of 40 MB and 0.2 s, and 9 MB and 0.1 s; pyarrow imports pandas for an empty array, a list or a text."""
    ask = f"""
import sys, brainlake, numpy as np
mine = dict(zip(("ap_um", "dv_um", "ml_um"), np.array([[62.5, 37.5, 37.5]]).T))
with brainlake.open({str(lake.path)!r}) as lake:
    print(lake.sql("from ccf.structures_at('mine')", tables={{"mine": mine}}).arrow()["ccf_structure_acronym"][0])
    lake.sql("from ccf.mask('VISp')").arrow()
    lake.sql("from ccf.slice_image('coronal', 50)").arrow()
    lake.sql("from ccf.structure_geometry").arrow()
print({{"pandas", "sqlglot"}} & {{*sys.modules}})
"""
    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert answer.stdout == "VISp1\nset()\n"


def test_a_count_reads_the_row_groups_that_its_units_and_windows_need_once(tmp_path):
    """Two units in three blocks, a row group each: one unit in one block needs one of six."""
    blocks = {7: [100.0, 700.0, 1300.0], 8: [150.0, 750.0, 1350.0]}
    trains = [(int(t // 600), unit, t) for unit, times in blocks.items() for t in times]
    columns = dict(zip(("time_block", "unit_id", "spike_times"), zip(*sorted(trains), strict=True), strict=True))
    columns |= {"session_id": 1, "n_spikes": 1, "spike_times": [[t] for t in columns["spike_times"]]}
    rows = to_table(TABLES["ecephys.spike_trains"], columns, ingest_id=1)
    pq.write_table(rows, tmp_path / "trains.parquet", row_group_size=1)
    read = []
    whole = held._row_groups(str(tmp_path / "trains.parquet"), TRAINS.by)
    pieces = [replace(one, read=lambda names, one=one: read.append(one.low) or one.read(names)) for one in whole]
    held.let_go()
    files = SimpleNamespace(pieces=lambda table, by, value: pieces)
    session = held.lookup(TRAINS, files, to_numpy)(1)
    for _ in range(2):
        (found,) = session.within((1, 8), (1, 8))
        assert found.seconds(0).tolist() == [750.0]
    assert read == [(1, 8)]


def test_counts_follow_the_snapshot(tmp_path):
    """A session is forgotten: a lake that stands on the snapshot before goes on counting its spikes."""
    query = """
        with windows as (select session_id, 1 as window_id, 0 as start_time, 1e6 as stop_time from ecephys.sessions)
        select sum(spike_count)::bigint as n from ecephys.spike_counts('ecephys.units', 'windows')
    """
    truth = Truth(session_id=5, n_spikes=600)
    with brainlake.create(tmp_path / "lake") as lake:
        make_session(tmp_path / "one.nwb", truth=truth)
        lake.ingest(tmp_path / "one.nwb").raise_failed()
        n = lake.sql(query).one().n
        assert n == lake.sql("select count(*) as n from ecephys.spikes").one().n > 0
        with brainlake.open(lake.path) as before:
            assert before.sql(query).one().n == n
            lake.forget("ecephys.session/5")
            assert lake.sql(query).one().n is None
            assert before.sql(query).one().n == n


def test_what_rests_on_a_table_that_a_kernel_looks_up_says_so():
    assert "ecephys.spike_trains" in below(["ecephys.spike_counts"], standard())
