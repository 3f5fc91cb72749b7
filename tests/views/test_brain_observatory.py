"""Containers and experiments of the Brain Observatory, and the filters over them, by hand."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import brainlake
import pytest

LINES = {
    "cre": {"id": 1, "name": "Cux2-CreERT2", "transgenic_line_type_name": "driver"},
    "driver": {"id": 2, "name": "Camk2a-tTA", "transgenic_line_type_name": "driver"},
    "reporter": {"id": 3, "name": "Ai93(TITL-GCaMP6f)", "transgenic_line_type_name": "reporter"},
    "other": {"id": 4, "name": "Ai94", "transgenic_line_type_name": "reporter"},
}


def container(
    id_: int, depth: int, lines: list[str], experiments: list[dict[str, Any]], **further: Any
) -> dict[str, Any]:
    donor = {
        "id": id_ * 10, "name": f"donor {id_}", "external_donor_name": f"22{id_}", "date_of_birth": "2016-01-01T12:00:00Z",
        "transgenic_lines": [LINES[line] for line in lines],
        "conditions": [{"id": 1, "name": "tissuecyte"}, {"id": 2, "name": "Epileptiform Events"}] if id_ == 2 else [],
    }  # fmt: skip
    return {
        "id": id_, "imaging_depth": depth, "failed": False, "isi_experiment_id": 1, "targeted_structure_id": 385,
        "specimen_id": id_ * 100, "targeted_structure": {"id": 385, "acronym": "VISp"},
        "specimen": {"id": id_ * 100, "name": f"specimen {id_}", "donor_id": id_ * 10, "donor": donor},
        "ophys_experiments": [{"experiment_container_id": id_, "imaging_depth": depth, "failed": False, **one}
                              for one in experiments], **further,
    }  # fmt: skip


CONTAINERS = [
    container(1, 175, ["driver", "cre", "reporter", "other"], [
        {"id": 11, "stimulus_name": "three_session_A", "date_of_acquisition": "2016-03-01T11:59:59Z",
         "fail_eye_tracking": False},
        {"id": 12, "stimulus_name": "three_session_B", "date_of_acquisition": "2016-03-01T12:00:00Z",
         "fail_eye_tracking": None}]),
    container(2, 275, ["driver", "other"], [
        {"id": 21, "stimulus_name": "three_session_C2", "fail_eye_tracking": True},
        {"id": 22, "stimulus_name": "something new", "failed": True}]),
    container(3, 275, [], [{"id": 31, "stimulus_name": "three_session_A"}], failed=True),
]  # fmt: skip


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[brainlake.Lake]:
    folder = tmp_path_factory.mktemp("observatory")
    (folder / "containers.json").write_text(json.dumps(CONTAINERS))
    with brainlake.create(folder / "lake") as found:
        found.ingest(folder / "containers.json", jobs=1).raise_failed()
        yield found


def rows(lake: brainlake.Lake, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in lake.sql(query).arrow().to_pylist()]


def ids(lake: brainlake.Lake, query: str) -> list[int]:
    return [row[0] for row in rows(lake, query)]


def test_lines_are_the_first_of_their_kind(lake):
    """The first driver has no Cre in its name; of two reporters the first counts; conditions of the TissueCyte do not."""
    found = rows(lake, """
        select experiment_container_id, targeted_structure, cre_line, reporter_line, tags, donor_name
        from ophys.containers order by 1""")  # fmt: skip
    assert found == [
        (1, "VISp", "Cux2-CreERT2", "Ai93(TITL-GCaMP6f)", [], "221"),
        (2, "VISp", None, "Ai94", ["Epileptiform Events"], "222"),
        (3, "VISp", None, None, [], "223"),
    ]


def test_age_is_in_whole_days(lake):
    """From 1 January, noon, to 1 March 2016: 60 days, and a second less is 59."""
    query = "select ophys_experiment_id, acquisition_age_days from ophys.experiments where experiment_container_id < 3"
    assert sorted(rows(lake, query)) == [(11, 59), (12, 60), (21, None), (22, None)]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("", [1, 2]),
        ("include_failed := true", [1, 2, 3]),
        ("cre_lines := ['cux2-CREert2']", [1]),
        ("reporter_lines := ['AI94']", [2]),
        ("lines := ['ai94']", [1, 2]),
        ("depths_um := [275], include_failed := true", [2, 3]),
        ("structures := ['VISl']", []),
        ("ids := [3]", []),
    ],
)
def test_containers_are_chosen(lake, filters, expected):
    assert ids(lake, f"from ophys.find_containers({filters})") == expected


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ("", [11, 12, 21]),
        ("include_failed := true", [11, 12, 21, 22, 31]),  # an experiment that failed itself comes, too (D-18)
        ("need_eye_tracking := true", [11]),  # where nothing is told it may have failed
        ("shown := ['natural_scenes']", [12]),
        ("shown := ['natural_movie_one']", [11, 12, 21]),
        ("shown := ['natural_movie_one'], include_failed := true", [11, 12, 21, 31]),  # nothing is known of other types
        ("session_types := ['three_session_A', 'three_session_C2']", [11, 21]),
        ("containers := [1], cre_lines := ['Cux2-CreERT2'], depths_um := [175]", [11, 12]),
        ("lines := ['Camk2a-tTA'], reporter_lines := ['Ai94']", [21]),
    ],
)
def test_experiments_are_chosen(lake, filters, expected):
    assert ids(lake, f"from ophys.find_experiments({filters})") == expected


def test_files_that_the_lake_knows_tell_whose_eyes_were_tracked(tmp_path):
    """C-BO3: they overrule what the experiment says of itself."""
    files = [{"id": 1, "attachable_type": "OphysSession", "attachable_id": 500, "download_link": "/1",
              "well_known_file_type_id": 9, "well_known_file_type": {"id": 9, "name": "EyeDlcScreenMapping"}}]  # fmt: skip
    records = json.loads(json.dumps(CONTAINERS))
    records[0]["ophys_experiments"][1]["ophys_session_id"] = 500
    (tmp_path / "containers.json").write_text(json.dumps(records))
    (tmp_path / "files.json").write_text(json.dumps({"model": "WellKnownFile", "msg": files}))
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest([tmp_path / "containers.json", tmp_path / "files.json"], jobs=1).raise_failed()
        assert ids(lake, "from ophys.find_experiments(need_eye_tracking := true)") == [12]
