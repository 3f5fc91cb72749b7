"""What every question of the package keeps to, whoever wrote it."""

from __future__ import annotations

from collections import defaultdict
from types import SimpleNamespace

import pytest
import sqlglot
from brainlake.lake.describe import Dictionary
from brainlake.lake.questions import standard
from brainlake.lake.tables import TABLES
from brainlake.tests.fixtures.memory import memory_connection
from sqlglot import exp

QUESTIONS = standard()
VIEWS = [name for name, question in QUESTIONS.items() if question.kind == "view"]
MACROS = [name for name, question in QUESTIONS.items() if question.kind != "view"]

# What relations given by name may hold (design: macros over relations); a parameter of that name would be captured.
GIVEN = {"session_id", "unit_id", "event_time", "condition", "window_id", "start_time", "stop_time", "probe_id",
         "channel_id"}  # fmt: skip


@pytest.fixture(scope="module")
def columns() -> dict[str, dict[str, str]]:
    """Relation -> its columns and their types, as DuckDB has them on an empty lake."""
    con = memory_connection()
    found: dict[str, dict[str, str]] = defaultdict(dict)
    query = "select schema_name || '.' || table_name, column_name, data_type from duckdb_columns() where not internal"
    for name, column, kind in con.execute(query).fetchall():
        found[name][column] = kind
    con.close()
    return found


@pytest.fixture(scope="module")
def dictionary() -> Dictionary:
    tables = {name: SimpleNamespace(spec=spec) for name, spec in TABLES.items()}
    return Dictionary(SimpleNamespace(tables=tables), QUESTIONS)


@pytest.mark.parametrize("name", VIEWS)
def test_a_view_names_the_columns_it_publishes(name):
    tree = sqlglot.parse_one(QUESTIONS[name].body, read="duckdb")
    published = tree
    while isinstance(published, exp.SetOperation):
        published = published.this
    assert not any(item.is_star for item in published.selects), f"{QUESTIONS[name].path}: select * is published"


@pytest.mark.parametrize("name", VIEWS)
def test_every_column_of_a_view_is_described_and_nothing_else(name, columns, dictionary):
    question = QUESTIONS[name]
    undescribed = [c for c in columns[name] if dictionary.column(name, c) is None and c != "ingest_id"]
    assert not undescribed, f"{question.path}: say what these columns are: {', '.join(undescribed)}"
    unknown = [c for c in question.docs if c not in columns[name]]
    assert not unknown, f"{question.path}: it describes columns that it does not have: {', '.join(unknown)}"


@pytest.mark.parametrize("name", MACROS)
def test_every_parameter_is_described(name):
    question = QUESTIONS[name]
    missing = [parameter for parameter, _ in question.parameters if parameter not in question.docs]
    assert not missing, f"{question.path}: say what these parameters are: {', '.join(missing)}"


@pytest.mark.parametrize("name", MACROS)
def test_no_parameter_is_captured_by_a_column(name, columns):
    question = QUESTIONS[name]
    parameters = {parameter for parameter, _ in question.parameters}
    readable = {c for other in question.depends for c in columns.get(other, ())}
    for other in question.depends & set(MACROS):
        called = QUESTIONS[other]
        readable |= set(called.docs) - {parameter for parameter, _ in called.parameters}
    if "query_table(" in question.body:
        readable |= GIVEN
    captured = sorted(parameters & readable)
    assert not captured, f"{question.path}: parameters named like columns that it reads: {', '.join(captured)}"


@pytest.mark.parametrize("name", VIEWS)
def test_no_view_has_columns_that_other_engines_do_not_read(name, columns):
    bad = {c: kind for c, kind in columns[name].items() if "DECIMAL" in kind or "HUGEINT" in kind}
    assert not bad, f"{QUESTIONS[name].path}: {bad}"


def test_a_column_name_has_one_unit_everywhere(columns, dictionary):
    """So that a unit can be told from a name, and a join never mixes seconds with milliseconds."""
    units: dict[str, dict[str | None, str]] = defaultdict(dict)
    for name in (*TABLES, *VIEWS):
        for column in columns[name]:
            found = dictionary.column(name, column)
            if found is not None and found.unit:
                units[column].setdefault(found.unit, name)
    several = {column: found for column, found in units.items() if len(found) > 1}
    assert not several


# Widths of integers differ between storage and views for the sake of bytes, and a view may take lists apart; what a
# thing *is* may not differ.
FAMILY = {"TINYINT": "BIGINT", "SMALLINT": "BIGINT", "INTEGER": "BIGINT", "FLOAT": "DOUBLE"}


def test_a_column_name_has_one_type_everywhere(columns):
    """The nwb and rma schemas aside, which keep the words of files and of the API (in nwb, session_id is text)."""
    types: dict[str, dict[str, str]] = defaultdict(dict)
    for name in (*TABLES, *VIEWS):
        if not name.startswith(("nwb.", "rma.")):
            for column, kind in columns[name].items():
                element = kind.removesuffix("[]")
                types[column].setdefault(FAMILY.get(element, element), name)
    several = {column: found for column, found in types.items() if len(found) > 1}
    assert not several, "\n".join(f"{column}: {found}" for column, found in several.items())
