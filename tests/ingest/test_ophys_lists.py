"""Flat lists of containers and experiments, as the reference gives them, in JSON."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import brainlake
import pytest
from brainlake.ingest import registry
from brainlake.ingest.ophys_lists import READER
from brainlake.lake.errors import SourceError
from brainlake.tests.fixtures.ingesting import source_of
from brainlake.tests.fixtures.observatory import (
    CONTAINER,
    CONTAINERS,
    EXPERIMENT,
    FLAT_CONTAINERS,
    FLAT_EXPERIMENTS,
)
from brainlake.tests.fixtures.reading import read_source

COLUMNS = {"id": "experiment_container_id", "imaging_depth": "imaging_depth_um", "failed": "is_failed"}


def write(path: Path, records: Any) -> Path:
    path.write_text(json.dumps(records, indent=4))
    return path


def test_every_attribute_of_a_list_has_its_column(tmp_path):
    record = {**FLAT_CONTAINERS[0], "tags": ["Epileptiform Events", "other"], "colour": "red"}
    tables, report = read_source(READER, write(tmp_path / "a.json", [record]))
    (row,) = tables["ophys.listed_containers"].to_pylist()
    assert json.loads(row.pop("extra")) == {"colour": "red"}
    assert row == {COLUMNS.get(name, name): value for name, value in record.items() if name != "colour"}
    assert list(report.available) == ["containers"]
    tables, _ = read_source(READER, write(tmp_path / "b.json", FLAT_EXPERIMENTS))
    (row,) = tables["ophys.listed_experiments"].to_pylist()
    renames = {"id": "ophys_experiment_id", "imaging_depth": "imaging_depth_um"}
    assert row == {**{renames.get(k, k): v for k, v in FLAT_EXPERIMENTS[0].items()}, "extra": None}


@pytest.mark.parametrize(
    ("records", "reader"),
    [(FLAT_CONTAINERS, "ophys_lists"), (FLAT_EXPERIMENTS, "ophys_lists"), (CONTAINERS, "rma_records")],
)
def test_a_flat_list_is_told_from_an_answer_of_the_api(tmp_path, records, reader):
    assert registry.choose(source_of(write(tmp_path / "a.json", records))).name == reader


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"tags": "one"}, r'record 0, tags: "one" is no list of texts'),
        ({"tags": [1]}, r"record 0, tags: \[1\] is no list of texts"),
        ({"imaging_depth": "deep"}, r'record 0, imaging_depth: "deep" is no int64'),
        ({"id": None}, "record 0, id: is missing"),
    ],
)
def test_an_attribute_of_another_type_is_named(tmp_path, change, said):
    with pytest.raises(SourceError, match=said):
        read_source(READER, write(tmp_path / "a.json", [{**FLAT_CONTAINERS[0], **change}]))


def test_a_damaged_list_is_told_as_such(tmp_path):
    path = write(tmp_path / "a.json", FLAT_CONTAINERS * 3)
    path.write_text(path.read_text()[:-60])
    assert registry.choose(source_of(path)) is READER
    with pytest.raises(SourceError, match="record 2: is no JSON"):
        read_source(READER, path)


def test_a_later_list_takes_the_place_of_an_earlier(tmp_path):
    with brainlake.create(tmp_path / "lake") as lake:
        for id_ in (CONTAINER, CONTAINER + 1):
            path = write(tmp_path / f"{id_}.json", [{**FLAT_CONTAINERS[0], "id": id_}])
            lake.ingest(path, jobs=1).raise_failed()
        found = lake.sql("select experiment_container_id, source from ophys.containers").pl().rows()
    assert found == [(CONTAINER + 1, "list")]


def test_a_list_and_the_api_tell_of_one_container_once(tmp_path):
    """What the record of the API leaves untold (here the reporter line) is as the list tells it, and no row comes twice."""
    flat = {**FLAT_CONTAINERS[0], "cre_line": "another", "reporter_line": "Ai93", "tags": ["seen"]}
    sources = [write(tmp_path / "flat.json", [flat]), write(tmp_path / "experiments.json", FLAT_EXPERIMENTS),
               write(tmp_path / "nested.json", CONTAINERS)]  # fmt: skip
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest(sources, jobs=1).raise_failed()
        containers = (
            lake.sql("select cre_line, reporter_line, tags, specimen_id, source from ophys.containers").pl().rows()
        )
        assert containers == [("Rorb-IRES2-Cre", "Ai93", ["seen"], 500860585, "api")]
        # 15 October to 1 December 2015 are 47 days; that its eyes were not tracked is as the list says, which went by files
        query = "select ophys_experiment_id, acquisition_age_days, fail_eye_tracking, source from ophys.experiments"
        assert lake.sql(query).pl().rows() == [(EXPERIMENT, 47, True, "api")]


def test_lists_alone_answer_the_filters(tmp_path):
    others = [{**FLAT_CONTAINERS[0], "id": 2, "targeted_structure": "VISl", "reporter_line": "Ai93"},
              {**FLAT_CONTAINERS[0], "id": 3, "failed": True}]  # fmt: skip
    experiments = [{**FLAT_EXPERIMENTS[0], "id": 20 + n, "experiment_container_id": n, "fail_eye_tracking": n == 2,
                    "session_type": f"three_session_{'AB'[n - 2]}"} for n in (2, 3)]  # fmt: skip
    sources = [write(tmp_path / "a.json", FLAT_CONTAINERS + others), write(tmp_path / "b.json", experiments)]
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest(sources, jobs=1).raise_failed()

        def ids(call: str) -> list[int]:
            return [row[0] for row in lake.sql(f"from ophys.{call}").pl().rows()]

        assert ids("find_containers()") == [2, CONTAINER]
        assert ids("find_containers(include_failed := true, structures := 'VISp')") == [3, CONTAINER]
        assert ids("find_containers(lines := 'ai93')") == [2]
        assert ids("find_experiments()") == [22]  # the container of the other failed
        assert ids("find_experiments(include_failed := true, need_eye_tracking := true)") == [23]
        assert ids("find_experiments(shown := 'drifting_gratings')") == [22]
