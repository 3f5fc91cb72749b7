"""View files: what their header says, in which order they are made, what is refused."""

from __future__ import annotations

from pathlib import Path

import duckdb
import pytest
from brainlake.lake.errors import SpecError
from brainlake.lake.questions import below, load, parse, register

VIEW = """\
-- one fast unit
-- spec: ecephys EC-1, OD-18
-- sdk: Session.units
-- partition: session_id
--   rate      spikes over time (Hz)
--   depth     below the surface, along
--             the probe (um)
select u.unit_id, u.rate
from lab.units as u
where u.rate > 10
"""
MACRO = """\
-- one unit above a rate
-- macro: lab.above(threshold, units := 'lab.fast', bins := [0, 1])
select u.unit_id
from query_table(units) as u
where u.rate > threshold::double
"""


@pytest.fixture
def views(tmp_path) -> Path:
    (tmp_path / "lab").mkdir()
    (tmp_path / "lab" / "fast.sql").write_text(VIEW)
    (tmp_path / "lab" / "above.sql").write_text(MACRO)
    return tmp_path


def test_the_header_is_read(views):
    question = parse(views / "lab" / "fast.sql", views)
    assert (question.name, question.kind, question.grain) == ("lab.fast", "view", "one fast unit")
    assert question.spec == ("ecephys EC-1", "OD-18")
    assert question.sdk == ("Session.units",)
    assert question.partition == "session_id"
    assert (question.docs["rate"].text, question.docs["rate"].unit) == ("spikes over time", "Hz")
    assert question.docs["depth"].text == "below the surface, along the probe"


def test_views_come_after_what_they_name_and_answer(views):
    (views / "lab" / "a_first.sql").write_text("-- one unit\nselect f.unit_id from lab.fast as f -- not lab.above\n")
    questions = load(views, ["lab.units"])
    assert list(questions).index("lab.fast") < list(questions).index("lab.a_first")
    assert questions["lab.a_first"].depends == {"lab.fast"}
    assert below(["lab.a_first"], questions) == {"lab.a_first", "lab.fast", "lab.units"}
    con = duckdb.connect()
    con.execute("create schema lab; create table lab.units as select 1 as unit_id, 12.5 as rate")
    register(con, questions)
    assert con.execute("from lab.a_first").fetchall() == [(1,)]
    assert con.execute("from lab.above(12)").fetchall() == [(1,)]
    assert con.execute(
        "with mine as (select 2 as unit_id, 5 as rate) from lab.above(1, units := 'mine')"
    ).fetchall() == [(2,)]
    con.close()


def test_macro_parameters_may_have_any_default(views):
    question = parse(views / "lab" / "above.sql", views)
    assert question.parameters == (("threshold", None), ("units", "'lab.fast'"), ("bins", "[0, 1]"))
    assert question.signature == "lab.above(threshold, units := 'lab.fast', bins := [0, 1])"


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("bare", "select 1 as x", "first line"),
        ("empty", "-- one row\n", "first line"),
        ("wrong", "-- one row\n-- macro: lab.other(x)\nselect x", "must read"),
        ("loop", "-- one row\nselect 1 from lab.pool", "circle"),
        ("broken", "-- one row\nselect nothing from lab.units", "nothing"),
    ],
)
def test_a_wrong_file_is_named(views, name, text, message):
    path = views / "lab" / f"{name}.sql"
    path.write_text(text)
    (views / "lab" / "pool.sql").write_text("-- one row\nselect 1 as x from lab.loop")
    if name != "loop":
        (views / "lab" / "pool.sql").unlink()
    con = duckdb.connect()
    con.execute("create schema lab; create table lab.units as select 1 as unit_id, 12.5 as rate")
    with pytest.raises(SpecError, match=message) as error:
        register(con, load(views, ["lab.units"]))
    assert str(views) in str(error.value)
    con.close()


def test_a_question_may_not_take_the_name_of_a_table(views):
    with pytest.raises(SpecError, match="name of a table"):
        load(views, ["lab.fast"])
