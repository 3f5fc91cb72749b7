"""What a lake knows of the API's records beyond their columns, and who tells of them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brainlake
import pytest
from brainlake.ingest.rma_grammar import parse
from brainlake.lake.facade import Lake
from brainlake.lake.rma.models import models

LINES = [
    {"id": 1, "name": 'a "quoted" \\ line', "a/b~c": [1, {"d": 12345678901234567890123}], "rating": 0.1},
    {"id": 2, "name": "ünï\u2028code\n", "name_of": "x"},
]
DONORS = [{"id": 7, "name": "mouse", "weight": 20.5, "colour": "grey", "transgenic_lines": LINES}]


def answer(model: str, records: list[dict[str, Any]]) -> str:
    told = {"success": True, "id": 0, "start_row": 0, "num_rows": len(records), "total_rows": len(records)}
    return json.dumps({"model": model, **told, "msg": records})


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lake]:
    folder: Path = tmp_path_factory.mktemp("told")
    (folder / "donors.json").write_text(answer("Donor", DONORS))
    with brainlake.create(folder / "lake") as made:
        made.ingest(folder / "donors.json").raise_failed()
        yield made


def asked(lake: Lake, query: str) -> list[dict[str, Any]]:
    return list(lake.api().answer(parse(query)))


def known(records: list[dict[str, Any]], given: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Of records, the attributes that were given."""
    return [{name: one[name] for name in whole} for one, whole in zip(records, given, strict=True)]


def test_attributes_that_no_column_is_for_come_back_as_they_came(lake: Lake) -> None:
    assert known(asked(lake, "model::TransgenicLine,rma::options[order$eqid]"), LINES) == LINES
    (donor,) = asked(lake, "model::Donor,rma::include,transgenic_lines")
    assert known(donor["transgenic_lines"], LINES) == LINES
    assert donor["colour"] == "grey"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ("[only$eq'id,rating']", [{"id": 1, "rating": 0.1}, {"id": 2}]),
        ("[only$eq'rating']", [{"rating": 0.1}, {}]),
        ("[only$eq'id,name'][except$eqname]", [{"id": 1}, {"id": 2}]),
        ("[only$eq'transgenic_lines.*'][except$eq'transgenic_lines.*']", [{}, {}]),
    ],
)
def test_options_choose_among_them(lake: Lake, options: str, expected: list[dict[str, Any]]) -> None:
    assert asked(lake, f"model::TransgenicLine,rma::options[order$eqid]{options}") == expected
    left_out = asked(lake, "model::TransgenicLine,rma::options[order$eqid][except$eq'rating']")
    assert [{*one} & {*LINES[0], *LINES[1]} for one in left_out] == [{"id", "name", "a/b~c"}, {"id", "name", "name_of"}]


def test_columns_of_a_table_are_told_apart_by_their_cases(lake: Lake) -> None:
    options = "rma::options[tabular$eq'donors.weight as w','name as W']"
    assert asked(lake, f"model::Donor,{options}") == [{"w": 20.5, "W": "mouse"}]


def test_what_a_lake_has_no_tables_of_is_told_all_the_same(lake: Lake) -> None:
    """Templates of models and types of files are constants of their views: a teller of empty tables may know something."""
    assert len(asked(lake, "model::NeuronalModelTemplate")) == 7
    assert {one["name"] for one in asked(lake, "model::WellKnownFileType")} >= {"NWBDownload"}


def test_who_tells_is_asked_anew_of_each_snapshot(tmp_path: Path) -> None:
    """Structures from an answer alone, then from the listing too, which knows one more."""
    (tmp_path / "structures.json").write_text(
        answer("Structure", [{"id": 5, "acronym": "x", "name": "of an answer", "weight": 8690}])
    )
    listing = [
        {"id": i, "acronym": acronym, "name": f"of the listing {i}", "graph_id": 1, "graph_order": i,
         "structure_id_path": path, "rgb_triplet": [1, 2, 3], "structure_set_ids": []}
        for i, acronym, path in ((4, "root", [4]), (5, "x", [4, 5]))
    ]  # fmt: skip
    (tmp_path / "listing.json").write_text(json.dumps(listing))
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest(tmp_path / "structures.json", settings={"model": "Structure"}).raise_failed()
        api, query = lake.api(), parse("model::Structure,rma::options[order$eqid]")
        before = [(one["id"], one["name"], one["weight"], one["depth"]) for one in api.answer(query)]
        assert before == [(5, "of an answer", 8690, None)]
        lake.ingest(tmp_path / "listing.json").raise_failed()
        lake.refresh()
        after = [(one["id"], one["name"], one["weight"], one["depth"]) for one in api.answer(query)]
        assert after == [(4, "of the listing 4", None, 0), (5, "of the listing 5", 8690, 1)]


def test_records_are_told_apart_by_their_keys(lake: Lake) -> None:
    """What is nested as an object is one record for each key."""
    for one in models().values():
        sql = lake.api().told.of(one).sql
        with lake.api().session.cursor(sql) as cursor:
            n, n_keys = cursor.execute(
                f"select count(*), count(distinct ({', '.join(one.keys)})) from ({sql})"
            ).fetchone()
        assert n == n_keys, one.name
