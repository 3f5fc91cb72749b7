"""Queries of the API over the lake mean what they mean: each answer beside the one that loops in Python give."""

from __future__ import annotations

import random
import re
from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import duckdb
import pytest
from brainlake.ingest.rma_grammar import parse
from brainlake.lake.errors import QueryError
from brainlake.lake.rma import answers
from brainlake.lake.rma.answers import Api, Limits
from brainlake.lake.rma.formats import write
from brainlake.tests.fixtures.rma_records import ASSOCIATIONS, COLUMNS, KEYS, World, draw_stage, evaluate

PATIENT = Limits(seconds=3_600.0)  # a machine may be busy


class MemorySession:
    """As much of a session as the API asks of it."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self.connection = connection
        self.state = SimpleNamespace(root="/nowhere")

    def cursor(self, query: str | None = None, params: Any = None) -> duckdb.DuckDBPyConnection:
        return self.connection.cursor()

    def give_back(self, cursor: duckdb.DuckDBPyConnection) -> None:
        cursor.close()

    def has_rows_for(self, query: str) -> bool:
        return True


@pytest.fixture(scope="module")
def world() -> World:
    return World(5)


@pytest.fixture(scope="module")
def api(world: World) -> Api:
    return Api(MemorySession(world.connection()), PATIENT)  # type: ignore[arg-type]


def only(model: str, record: Mapping[str, Any]) -> dict[str, Any]:
    """A record with the columns that the evaluation knows, and what is nested in it likewise."""
    found: dict[str, Any] = {"id": record[KEYS.get(model, "id")], **{name: record[name] for name in COLUMNS[model]}}
    for (of, name), (target, many, _) in ASSOCIATIONS.items():
        if of == model and name in record:
            nested = record[name]
            found[name] = [only(target, one) for one in nested] if many else only(target, nested)
    return found


def agree(api: Api, world: World, seed: int) -> None:
    draw = random.Random(seed)
    stage = draw_stage(draw)
    columns, down = draw.sample(list(COLUMNS[stage.model]), draw.choice((0, 1))), draw.random() < 0.5
    start, rows = draw.choice((0, 0, 2)), draw.choice((3, None))
    order = "".join(f"[order$eq'{column}+{'desc' if down else 'asc'}']" for column in columns)
    text = f"{stage},rma::options[num_rows$eq{rows or 'all'}][start_row$eq{start}]{order}"
    wanted, total = evaluate(world, stage, columns, down)
    answer = api.answer(parse(text))
    assert [only(stage.model, one) for one in answer] == wanted[start : start + (rows or len(wanted))], text
    assert answer.total_rows == total, text


@pytest.mark.parametrize("n", [60, pytest.param(2_000, marks=pytest.mark.slow)])
def test_random_queries_give_what_loops_in_python_give(api: Api, world: World, n: int) -> None:
    for seed in range(n):
        agree(api, world, seed)


@pytest.mark.parametrize(
    "options",
    [
        "",
        "[start_row$eq3]",
        "[count$eqfalse]",
        "[tabular$eq'projection_structure_unionizes.id','volume']",
        "[only$eqvolume]",
    ],
)
@pytest.mark.parametrize("criteria", ["", ",rma::criteria,structure[graph_id$eq1]", ",rma::include,structure"])
def test_a_long_answer_is_the_same_in_parts(
    api: Api, monkeypatch: pytest.MonkeyPatch, criteria: str, options: str
) -> None:
    query = parse(f"model::ProjectionStructureUnionize{criteria},rma::options[num_rows$eq'all']{options}")
    whole = api.answer(query)
    wanted = list(whole)
    assert wanted
    monkeypatch.setattr(answers, "CHUNK", 10)
    asked = []
    monkeypatch.setattr(
        api, "_texts", lambda *how, texts=api._texts, **further: asked.append(how) or texts(*how, **further)
    )
    parted = api.answer(query)
    assert (list(parted), parted.total_rows, parted.num_rows) == (wanted, whole.total_rows, len(wanted))
    assert len(asked) > len(wanted) // 10  # there were parts


def test_what_a_query_brings_as_a_value_stays_a_value(api: Api) -> None:
    """Quotes, comments and statements compare with names, and match none."""
    for text in ("x''; drop table rma.answered_donors; --", "'' or 1=1 or ''x''=''", "$v0", '"id"'):
        assert not list(api.answer(parse(f"model::Donor,rma::criteria,[name$eq'{text}']")))
    assert len(list(api.answer(parse("model::Donor")))) == 9


@pytest.mark.parametrize(
    ("query", "said"),
    [
        ("model::Nonsense", "there is no model 'Nonsense'"),
        ("model::Donor,rma::criteria,[wings$eq2]", "there is no column 'wings'"),
        ("model::Donor,rma::include,wings", "Donor has no association 'wings'"),
        ("model::Donor,rma::criteria,[id$eq'one']", "Donor.id is a whole number"),
        ("model::Donor,rma::options[num_rows$eq'many']", "num_rows is a whole number"),
        ("model::Donor,rma::options[tabular$eq'id as x\"y']", "names no column"),
        ("model::Donor,rma::criteria,[id$in$lost]", "nothing was collected into $lost"),
    ],
)
def test_a_mistake_is_named(api: Api, query: str, said: str) -> None:
    with pytest.raises(QueryError, match=re.escape(said)):
        api.answer(parse(query))


def test_an_answer_has_no_more_rows_than_allowed(world: World) -> None:
    small = Api(MemorySession(world.connection()), Limits(rows=3))  # type: ignore[arg-type]
    assert len(list(small.answer(parse("model::Donor,rma::options[num_rows$eq3]")))) == 3
    with pytest.raises(QueryError, match="more than 3 rows"):
        list(small.answer(parse("model::Donor")))


def test_an_answer_takes_no_more_time_than_allowed(world: World) -> None:
    late = Api(MemorySession(world.connection()), Limits(seconds=0.0))  # type: ignore[arg-type]
    for query in ("model::Donor", "model::Donor,rma::options[num_rows$eq'all']"):
        with pytest.raises(QueryError, match="takes longer than 0 s: ask for less"):
            list(late.answer(parse(query)))


@pytest.mark.parametrize("fmt", ["json", "xml", "csv"])
def test_an_answer_has_no_more_bytes_than_allowed(api: Api, fmt: str) -> None:
    query = parse("model::Donor,rma::options[num_rows$eq'all']")
    whole = write(api.answer(query, flat=fmt == "csv"), fmt, 1.0)
    whole.body.seek(0)
    size = len(whole.body.read())
    assert write(api.answer(query, flat=fmt == "csv"), fmt, size / 1e6).size == whole.size
    with pytest.raises(QueryError, match=r"more than 0\.\d+ MB: ask for pages"):
        write(api.answer(query, flat=fmt == "csv"), fmt, (size - 1) / 1e6)


def test_pipes_hand_on_what_a_stage_found(api: Api, world: World) -> None:
    """list collects, split and replace make new values of old ones, and a later stage asks with them."""
    chosen = [one for one in world.structures if one["depth"] == 1]
    parents = {one["parent_structure_id"] for one in chosen}
    asked = (
        "model::Structure,rma::criteria,[depth$eq1],rma::options[num_rows$eq'all'],"
        "pipe::list[wanted$eq'parent_structure_id'],model::Structure,rma::criteria,[id$in$wanted]"
    )
    assert {one["id"] for one in api.answer(parse(asked))} == parents
    paths = (
        "model::Structure,rma::criteria,[depth$eq2],rma::options[num_rows$eq'all'],pipe::list[paths$eq'structure_id_path'],"
        "pipe::split[input$in$paths][pattern$eq'/'][output$eqids],"
        "model::Structure,rma::criteria,[id$in$ids],rma::options[num_rows$eq'all']"
    )
    expected = {i for one in world.structures if one["depth"] == 2 for i in one["path"]}
    assert {one["id"] for one in api.answer(parse(paths))} == expected
    first = sorted(one["name"] for one in world.structures)[0]
    renamed = (
        f"model::Structure,rma::criteria,[name$eq'{first}'],pipe::list[names$eq'name'],"
        "pipe::replace[input$in$names][pattern$eq'Area [0-9]'][replacement$eq'Area 1'][output$eqothers],"
        "model::Structure,rma::criteria,[name$in$others],rma::options[num_rows$eq'all']"
    )
    assert {one["id"] for one in api.answer(parse(renamed))} == {
        one["id"] for one in world.structures if one["name"] == "Area 1"
    }
