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


CELLS = [
    {"cell_specimen_id": 1, "experiment_container_id": 1, "failed_experiment_container": False, "osi_dg": 0.5,
     "area": "VISp", "all_stim": True, "new_metric": 3},
    {"cell_specimen_id": 2, "experiment_container_id": 2, "failed_experiment_container": False, "osi_dg": 1.5,
     "area": "VISl", "all_stim": False},
    {"cell_specimen_id": 3, "experiment_container_id": 1, "failed_experiment_container": None, "osi_dg": None,
     "area": "VISp", "all_stim": None},
    {"cell_specimen_id": 4, "experiment_container_id": 4, "failed_experiment_container": True, "osi_dg": 0.7,
     "area": "VISpm", "all_stim": True},
]  # fmt: skip


@pytest.fixture(scope="module")
def cells(tmp_path_factory: pytest.TempPathFactory) -> Iterator[brainlake.Lake]:
    folder = tmp_path_factory.mktemp("cells")
    (folder / "cells.json").write_text(json.dumps({"model": "ApiCamCellMetric", "success": True, "msg": CELLS}))
    with brainlake.create(folder / "lake") as found:
        found.ingest(folder / "cells.json", jobs=1).raise_failed()
        yield found


def chosen(lake: brainlake.Lake, filters: Any, further: str = "") -> list[int]:
    query = f"select cell_specimen_id from ophys.find_cells(filters := $filters{further})"
    found = lake.sql(query, {"filters": filters if isinstance(filters, str) else json.dumps(filters)})
    return [row["cell_specimen_id"] for row in found.arrow().to_pylist()]


def test_cells_meet_every_filter_of_a_list(cells):
    """C-BO5, each operator by hand."""
    one = [
        ("osi_dg", "=", 0.5, [1]), ("osi_dg", "=", [1.5], [2]), ("osi_dg", "=", "0.5", [1]),
        ("osi_dg", "<", 1.5, [1]), ("osi_dg", "<=", 1.5, [1, 2]), ("osi_dg", ">", 0.5, [2]), ("osi_dg", ">=", 0.5, [1, 2]),
        ("osi_dg", "between", [0.5, 1.0], [1]), ("osi_dg", "between", [1.0, 0.5], []), ("osi_dg", "in", [1.5, 7], [2]),
        ("area", "=", "VISl", [2]), ("area", "=", ["VISl"], [2]), ("area", "in", ["VISl", "VISp"], [1, 2, 3]),
        ("area", "in", [], []), ("area", "in", ["visp"], []), ("area", "between", ["VISm", "VISq"], [1, 3]),
        ("all_stim", "is", True, [1]), ("all_stim", "is", False, [2]), ("all_stim", "=", 1, [1]),
        ("new_metric", ">", 2, [1]),
    ]  # fmt: skip
    for field, op, value, wanted in one:
        assert chosen(cells, [{"field": field, "op": op, "value": value}]) == wanted, (field, op, value)
    assert chosen(cells, []) == [1, 2, 3]
    both = [{"field": "area", "op": "in", "value": ["VISp", "VISpm"]}, {"field": "osi_dg", "op": ">", "value": 0.1}]
    assert chosen(cells, both) == [1]
    assert chosen(cells, both, ", include_failed := true") == [1, 4]
    assert chosen(cells, [], ", ids := [2, 3, 4]") == [2, 3]
    assert chosen(cells, [], ", containers := [1]") == [1, 3]
    (whole,) = cells.sql("from ophys.find_cells(ids := [2])").arrow().to_pylist()
    assert {name: whole[name] for name in CELLS[1]} == CELLS[1]
    assert list(whole) == cells.sql("from rma.api_cam_cell_metrics").columns


@pytest.mark.parametrize(
    ("filters", "said"),
    [
        ('[{"field": "wings", "op": "=", "value": 2}]', "no cell has a field wings"),
        ('[{"field": "area", "op": "~", "value": 2}]', "no operator ~: there are = < > <= >= is in between"),
        ('[{"field": "osi_dg", "op": "between", "value": [1]}]', "osi_dg by between has another number of values"),
        ('[{"field": "osi_dg", "op": "<"}]', "osi_dg by < has another number of values"),
        ('{"field": "osi_dg"}', "the filters are a list"),
        ("[3]", "a filter has field, op and value"),
    ],
)
def test_a_filter_that_is_none_is_told(cells, filters, said):
    with pytest.raises(brainlake.BrainlakeError, match=said):
        chosen(cells, filters)
