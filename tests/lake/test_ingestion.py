"""From files to commits: what happens to each file of a run, and to the lake."""

from __future__ import annotations

import shutil
from pathlib import Path

import brainlake
import h5py
import pytest
from brainlake.lake import ingestion
from brainlake.lake.errors import BrainlakeError, SourceError
from brainlake.tests.fixtures.anything import make_anything

SESSIONS = """\
id,date_of_acquisition,isi_experiment_id,published_at,specimen_id,session_type,age_in_days,sex,genotype,has_nwb
715093703,2019-01-19T08:54:18Z,705968051,2019-10-03T00:00:00Z,699733581,brain_observatory_1.1,118.0,M,Sst-IRES-Cre/wt,True
719161530,2019-01-09T00:25:16Z,712195349,2019-10-03T00:00:00Z,703279284,functional_connectivity,122.0,F,,True
"""
LAYERS = "ecephys_unit_id,cortical_depth,cortical_layer\n915956271,0.25,2\n915956287,0.0,0\n"


@pytest.fixture
def lake(tmp_path):
    with brainlake.create(tmp_path / "lake") as lake:
        yield lake


@pytest.fixture
def files(tmp_path) -> Path:
    folder = tmp_path / "files"
    folder.mkdir()
    (folder / "sessions.csv").write_text(SESSIONS)
    (folder / "layer_info.csv").write_text(LAYERS)
    return folder


def sessions(lake: brainlake.Lake) -> list[tuple[object, ...]]:
    query = "select session_id, session_type, sex, full_genotype from ecephys.project_sessions order by 1"
    return lake.sql(query).arrow().to_pylist()


def test_a_folder_is_ingested_one_commit_a_file(lake, files):
    before = lake.snapshot
    report = lake.ingest(files)
    assert [item.status for item in report.items] == ["ingested", "ingested"]
    assert lake.snapshot - before >= 2
    assert sessions(lake) == [
        {
            "session_id": 715093703,
            "session_type": "brain_observatory_1.1",
            "sex": "M",
            "full_genotype": "Sst-IRES-Cre/wt",
        },
        # the reference's project table says wt/wt where the genotype is empty (spec: ecephys 2.2)
        {"session_id": 719161530, "session_type": "functional_connectivity", "sex": "F", "full_genotype": "wt/wt"},
    ]


def test_what_no_reader_knows_is_left_out_of_a_folder_and_a_failure_where_it_is_named(lake, files):
    foreign = files / "package.json"
    foreign.write_text('{"name": "other"}')
    found = {Path(item.source).name: item.status for item in lake.ingest(files).items}
    assert found == {"layer_info.csv": "ingested", "package.json": "left out", "sessions.csv": "ingested"}
    named = lake.ingest(foreign)
    assert [item.status for item in named.failed] == ["failed"]


def test_the_same_content_again_changes_nothing_wherever_it_lies(lake, files, tmp_path):
    lake.ingest(files / "sessions.csv")
    before = lake.snapshot
    moved = tmp_path / "elsewhere.csv"
    moved.write_text(SESSIONS)
    report = lake.ingest([files / "sessions.csv", moved])
    assert [item.status for item in report.items] == ["unchanged", "unchanged"]
    assert lake.snapshot == before


def test_new_content_of_the_same_subject_replaces_the_old(lake, files):
    lake.ingest(files / "sessions.csv")
    (files / "sessions.csv").write_text(SESSIONS.replace(",M,", ",F,"))
    report = lake.ingest(files / "sessions.csv")
    assert [item.status for item in report.items] == ["replaced"]
    assert [row["sex"] for row in sessions(lake)] == ["F", "F"]
    assert lake.sql("select count(*) as n from lake.ingests").one().n == 1


def test_a_file_that_fails_stops_no_other_and_is_remembered(lake, files):
    (files / "broken.nwb").write_bytes(b"\x89HDF\r\n\x1a\n" + b"\0" * 100)
    report = lake.ingest([files / "broken.nwb", files / "sessions.csv"])
    assert [item.status for item in report.items] == ["failed", "ingested"]
    assert "broken.nwb" in report.failed[0].error
    assert "\n" not in report.failed[0].error
    with pytest.raises(BrainlakeError, match=r"broken\.nwb"):
        report.raise_failed()
    failures = lake.sql("select source_url, error from lake.failures").arrow().to_pylist()
    assert len(failures) == 1
    assert failures[0]["error"] == report.failed[0].error


def test_a_dry_run_tells_parts_and_bytes_and_writes_nothing(lake, files):
    before = lake.snapshot
    report = lake.ingest(files / "sessions.csv", dry_run=True)
    assert [item.status for item in report.items] == ["inspected"]
    assert sum(report.items[0].available.values()) > 0
    assert lake.snapshot == before
    assert sessions(lake) == []


def test_rows_of_an_older_reader_are_found_by_check_and_redone(lake, files, monkeypatch):
    lake.ingest(files / "sessions.csv")
    assert [f for f in lake.check() if f.kind == "stale"] == []
    reader = ingestion.registry.get("ecephys_csv")
    monkeypatch.setattr(reader, "version", reader.version + ".older", raising=False)
    stale = [f for f in lake.check() if f.kind == "stale"]
    assert len(stale) == 1
    assert "sessions.csv" in stale[0].what
    assert [i.subject for i in ingestion.stale_ingests(lake.catalog)] == ["ecephys.project/sessions"]


def test_what_is_stale_is_redone_from_where_its_source_lies_now(lake, files, tmp_path):
    lake.ingest(files / "sessions.csv").raise_failed()
    with lake.catalog.writing() as database:
        database.execute("update brainlake_ingest set reader_version = 'of long ago'")
    moved = (files / "sessions.csv").rename(tmp_path / "moved.csv")
    (item,) = lake.ingest(stale=True).items
    assert (item.status, "bring the file back" in item.error) == ("failed", True)
    assert [item.status for item in lake.ingest(moved, stale=True).items] == ["replaced"]
    assert lake.ingest(stale=True).items == ()
    assert lake.sql("select source_url from lake.ingests").one().source_url == str(moved)
    assert lake.sql("select count(*) as n from lake.failures").one().n == 0


def test_an_argument_that_leads_nowhere_is_an_error(lake, files):
    with pytest.raises(SourceError, match=r"nothing\.nwb"):
        lake.ingest(files / "nothing.nwb")


def test_an_unknown_part_is_refused_with_the_known_ones(lake, files):
    report = lake.ingest(files / "sessions.csv", parts=["spykes"])
    assert "spykes" in report.failed[0].error
    assert "sessions" in report.failed[0].error


@pytest.fixture(scope="module")
def recording(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with images, a part that is not among the usual ones."""
    path = tmp_path_factory.mktemp("recording") / "anything.nwb"
    make_anything(path)
    return path


def parts_here(lake: brainlake.Lake) -> set[str]:
    return set(lake.sql("select part from lake.parts where state = 'present'").arrow()["part"].to_pylist())


def test_a_part_taken_before_is_taken_again_by_who_does_not_name_it(lake, recording, tmp_path):
    lake.ingest(recording).raise_failed()
    assert "images" not in parts_here(lake)
    (item,) = lake.ingest(recording, with_parts=["images"]).items
    assert (item.status, item.kept, item.gone) == ("replaced", (), ())
    assert parts_here(lake) == {"images", "objects", "series", "tables"}
    assert lake.ingest(recording).items[0].status == "unchanged"
    changed = shutil.copy(recording, tmp_path / "changed.nwb")
    with h5py.File(changed, "a") as file:
        file["scratch/more"] = [1.0]
    (item,) = lake.ingest(changed).items
    assert (item.status, item.kept, item.gone) == ("replaced", ("images",), ())
    assert "; images as before" in item.line
    assert "images" in parts_here(lake)


def test_only_these_parts_leaves_others_out_and_says_what_is_no_longer_here(lake, recording):
    lake.ingest(recording, with_parts=["images"]).raise_failed()
    assert (
        lake.ingest(recording, parts=["tables"], dry_run=True)
        .items[0]
        .line.endswith("; would no longer be here: images, objects, series")
    )
    assert "images" in parts_here(lake)
    (item,) = lake.ingest(recording, parts=["tables"]).items
    assert item.gone == ("images", "objects", "series")
    assert "no longer here: images, objects, series" in item.line
    assert parts_here(lake) == {"objects", "tables"}  # the file itself is a row of objects
    assert lake.ingest(recording).items[0].gone == ()
    assert parts_here(lake) == {"objects", "series", "tables"}


def test_asking_for_a_part_that_the_source_has_not_reads_it_no_second_time(lake, recording):
    lake.ingest(recording).raise_failed()
    (item,) = lake.ingest(recording, with_parts=["waveforms"]).items
    assert item.status == "unchanged"
    assert item.line.endswith("anything (nwb)")
