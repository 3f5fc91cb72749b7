"""Cache folders that the Allen SDK left behind are taken as they are: nothing of them is downloaded again."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brainlake
import numpy as np
import pytest
from brainlake.lake.cli import run
from brainlake.lake.errors import ForeignError, QueryError, SourceError
from brainlake.tests.fixtures import observatory as cache
from brainlake.tests.fixtures.ingesting import tables_of


def rows(lake: brainlake.Lake, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in lake.sql(query).arrow().to_pylist()]


def statuses(lake: brainlake.Lake, folder: Path, named: Path | None = None) -> dict[str, str]:
    """What became of each file of a folder, by its path in it. ``named``: what was named instead of it."""
    report = lake.ingest(named or folder, jobs=1)
    report.raise_failed()
    return {str(Path(item.source).relative_to(folder)): item.status for item in report.items}


# -- Brain Observatory -----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def observatory(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[brainlake.Lake, Path]]:
    folder = cache.observatory_cache(tmp_path_factory.mktemp("caches") / "brain_observatory")
    with brainlake.create(folder.parent / "lake") as lake:
        taken = statuses(lake, folder)
        files = {str(path.relative_to(folder)): "ingested" for path in folder.rglob("*") if path.is_file()}
        assert taken == files | {"manifest.json": "left out"}  # which tells of the others
        yield lake, folder


def test_the_observatory_s_lists_are_tables(observatory):
    lake, _ = observatory
    assert rows(lake, """
        select experiment_container_id, imaging_depth_um, targeted_structure, cre_line, donor_name
        from ophys.find_containers()""") == [(cache.CONTAINER, 175, "VISp", "Rorb-IRES2-Cre", "222424")]  # fmt: skip
    assert rows(
        lake, "select ophys_experiment_id, session_type, acquisition_age_days from ophys.find_experiments()"
    ) == [
        (cache.EXPERIMENT, "three_session_B", 47)  # born on 2015-10-15
    ]
    chosen = (
        """select cell_specimen_id, osi_dg from ophys.find_cells('[{"field": "p_dg", "op": "<", "value": 0.001}]')"""
    )
    assert rows(lake, chosen) == [(cache.CELL, 0.75)]
    assert rows(lake, "select count(*), count(osi_dg) from rma.api_cam_cell_metrics") == [(2, 1)]
    assert rows(lake, "select id, item, item_type from rma.api_cam_stimulus_mappings order by id") == [
        (15, "natural_movie_one_a_small", "T"),
        (70, "sfdi_sg", "M"),
    ]
    files = "select count(*), any_value(attachable_type) from rma.well_known_files where attachable_id = ?"
    assert [tuple(r.values()) for r in lake.sql(files, [cache.EXPERIMENT]).arrow().to_pylist()] == [
        (2, "OphysExperiment")
    ]


def test_events_of_cells_are_those_of_the_array(observatory):
    lake, _ = observatory
    assert rows(lake, "from ophys.events order by cell_index, event_frame") == [
        (cache.EXPERIMENT, 0, 3, 0.25),
        (cache.EXPERIMENT, 0, 17, 1.5),
    ]
    trains = "select cell_index, n_frames, is_missing from ophys.event_trains order by 1"
    assert rows(lake, trains) == [(0, 40, False), (1, 40, False), (2, 40, True)]


def test_gaze_is_on_the_times_of_its_session(observatory, tmp_path):
    lake, _ = observatory
    (tmp_path / "sessions.csv").write_text(
        f"ophys_experiment_id,ophys_session_id\n{cache.EXPERIMENT},{cache.SESSION}\n"
    )
    lake.ingest(tmp_path / "sessions.csv", jobs=1).raise_failed()
    found = lake.sql(f"from ophys.eye_gaze({cache.EXPERIMENT})").pl()
    assert found["ophys_session_id"].unique().to_list() == [cache.SESSION]
    assert found["timestamp"].to_list() == cache.GAZE_TIMES.tolist()
    assert found["raw_eye_area"].to_list() == [0, 1, 2, 3, 4, 5]
    assert found["filtered_pupil_area"].to_list() == [100, 100.5, None, 101.5, 102, 102.5]  # NaN in the file
    assert found["raw_screen_x_cm"].to_list() == [1, 3, 5, 7, 9, 11]  # the file has y before x
    assert found["filtered_screen_y_deg"].to_list() == [99, 97, 95, 93, 91, 89]
    with pytest.raises(QueryError, match="the session of experiment 5 is not known"):
        lake.sql("from ophys.eye_gaze(5)").pl()


def test_old_ids_of_cells_lead_to_new_ones(observatory):
    lake, _ = observatory
    assert rows(lake, "from ophys.mapped_cells order by all") == [
        (509904120, "A", cache.CELL),
        (509904120, "B", cache.CELL),
        (509904121, "C", cache.CELL + 7),
    ]
    assert rows(lake, "select count(*) from ophys.cell_mappings") == [(3,)]


def test_a_cache_taken_again_changes_nothing(observatory):
    lake, folder = observatory
    snapshot = lake.refresh()
    assert {status for path, status in statuses(lake, folder).items() if path != "manifest.json"} == {"unchanged"}
    assert lake.refresh() == snapshot


# -- Neuropixels -----------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def neuropixels(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[brainlake.Lake, Any, dict[str, str]]]:
    folder, truth = cache.neuropixels_cache(tmp_path_factory.mktemp("caches") / "ecephys")
    with brainlake.create(folder.parent / "lake") as lake:
        yield lake, truth, statuses(lake, folder)


def test_every_file_of_a_neuropixels_cache_is_taken_but_what_was_shown(neuropixels):
    _, _, taken = neuropixels
    assert {path for path, status in taken.items() if status != "ingested"} == {
        "natural_movie_templates/natural_movie_1.h5"
    }
    assert len(taken) == 9


def test_tables_and_sessions_of_a_neuropixels_cache_meet(neuropixels):
    lake, truth, _ = neuropixels
    n_good = sum(unit.quality == "good" for unit in truth.units)
    assert rows(lake, f"""
        select s.session_id, s.has_nwb, s.in_project, count(m.unit_id) as n_measured
        from ecephys.sessions as s
        join ecephys.units as u on u.session_id = s.session_id
        left join ecephys.published_unit_metrics as m on m.unit_id = u.unit_id
        where s.session_id = {truth.session_id}
        group by all""") == [(truth.session_id, True, True, n_good)]  # fmt: skip
    spikes = rows(lake, f"select count(*) from ecephys.spikes where session_id = {truth.session_id}")
    assert spikes[0][0] > 0


# -- manifests -------------------------------------------------------------------------------------------------------


def manifest(path: Path, *entries: dict[str, Any]) -> Path:
    """A manifest of a Brain Observatory cache, whose places are as told."""
    keys = ("EXPERIMENT_CONTAINERS", "EXPERIMENT_DATA")
    others = [{"type": "file", "key": key, "spec": "nowhere.json"} for key in keys]
    listed = [{"type": "manifest_version", "value": "1.3"}, *others, *entries]
    path.write_text(json.dumps({"manifest": listed}))
    return path


def test_a_manifest_stands_for_the_files_it_names(observatory, tmp_path):
    """Below the folder it says, with anything where a number is filled in, and nothing else."""
    _, folder = observatory
    named = manifest(
        tmp_path / "manifest.json",
        {"type": "dir", "key": "BASEDIR", "spec": str(folder.parent)},
        {"type": "dir", "key": "MINE", "spec": f"/{folder.name}", "parent_key": "BASEDIR"},
        {"type": "file", "key": "EVENTS_DATA", "spec": "ophys_experiment_events/%d_events.npz", "parent_key": "MINE"},
    )
    with brainlake.create(tmp_path / "lake") as lake:
        assert list(statuses(lake, folder, named)) == [f"ophys_experiment_events/{cache.EXPERIMENT}_events.npz"]


def test_a_manifest_in_a_folder_is_left_out_as_what_it_is(tmp_path):
    cache.write_events(tmp_path / "cache" / f"{cache.EXPERIMENT}_events.npz")
    manifest(tmp_path / "cache" / "manifest.json")
    with brainlake.create(tmp_path / "lake") as lake:
        report = lake.ingest(tmp_path / "cache", jobs=1)
        (left,) = (item for item in report.items if item.status == "left out")
        assert "is the manifest of a Brain Observatory cache of the Allen SDK" in left.error
        assert rows(lake, "select count(*) from models.description_files") == [(0,)]


def test_a_manifest_without_its_files_is_one_clear_error(tmp_path):
    alone = manifest(tmp_path / "manifest.json")
    with (
        brainlake.create(tmp_path / "lake") as lake,
        pytest.raises(SourceError, match="no file that it names is there"),
    ):
        lake.ingest(alone, jobs=1)


# -- what is wrong with a file ---------------------------------------------------------------------------------------


def test_a_truncated_array_is_one_clear_error(tmp_path):
    path = cache.write_events(tmp_path / f"{cache.EXPERIMENT}_events.npz")
    data = path.read_bytes()
    for size in (0, 10, 60, 300, len(data) - 30):
        path.write_bytes(data[:size])
        with pytest.raises((SourceError, ForeignError), match=r"_events\.npz"):
            tables_of(path)


@pytest.mark.parametrize(
    ("events", "said"),
    [
        (np.zeros(5), "2 of floats are needed"),
        (np.zeros((2, 3), int), "2 of floats are needed"),
        (np.array([[1.0, -1.0]]), "negative or no numbers"),
        (np.array([[1.0, np.nan]]), "negative or no numbers"),
        (np.array([[None, {}]]), "2 of floats are needed"),  # pickled: never opened
    ],
)
def test_an_array_that_is_none_of_events_is_refused(tmp_path, events, said):
    with pytest.raises(SourceError, match=said):
        tables_of(cache.write_events(tmp_path / f"{cache.EXPERIMENT}_events.npz", events))


def test_an_array_frame_by_frame_has_the_same_events(tmp_path):
    one, other = (
        tables_of(cache.write_events(tmp_path / name / f"{cache.EXPERIMENT}_events.npz", events))["ophys.event_trains"]
        for name, events in (("c", cache.EVENTS), ("f", np.asfortranarray(cache.EVENTS)))
    )
    assert one.equals(other)


# -- files of a cache by hand ----------------------------------------------------------------------------------------


def test_records_in_json_are_known_whatever_the_file_is_called(tmp_path):
    """The reference's caches may keep JSON under a name of CSV."""
    (tmp_path / "containers.csv").write_text(json.dumps(cache.CONTAINERS, indent=2))
    found = tables_of(tmp_path / "containers.csv")["rma.answered_experiment_containers"]
    assert found["id"].to_pylist() == [cache.CONTAINER]


def test_columns_are_renamed_and_left_out_in_sql_and_files_read_back(observatory, tmp_path):
    lake, _ = observatory
    query = """
        select * exclude (item_type, level, stimulus, extra) rename (stimulus_name as shown)
        from rma.api_cam_stimulus_mappings order by id"""
    for name in ("mappings.csv", "mappings.json"):
        assert run(["--lake", str(lake.path), "sql", query, "-o", str(tmp_path / name)]) == 0
    written = json.loads((tmp_path / "mappings.json").read_text())
    assert [set(one) for one in written] == [{"id", "item", "shown"}] * 2
    with (tmp_path / "mappings.csv").open(newline="") as file:
        assert [{**one, "id": int(one["id"])} for one in csv.DictReader(file)] == written
