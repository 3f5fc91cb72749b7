"""PostgreSQL's JDBC driver, driven by small Java programs: what it tells of the lake, and queries of an application."""

from __future__ import annotations

import pytest
from brainlake.tests.fixtures.java_client import jdbc_driver, run_java
from brainlake.tests.fixtures.served import DATABASE, MANY, PASSWORD, USER, Served


@pytest.fixture(scope="module")
def told(served: Served) -> list[str]:
    """What DatabaseMetaData tells of the schema ecephys."""
    url = f"jdbc:postgresql://127.0.0.1:{served.port}/{DATABASE}?user={USER}&password=s3cr%20et%27"
    return run_java(jdbc_driver(), "Metadata", url, "ecephys", "spike_trains")


def lines(told: list[str], what: str) -> list[dict[str, str]]:
    rows = [line.split(" | ")[1:] for line in told if line.startswith(f"{what} | ")]
    pairs = [[cell.partition("=") for cell in row] for row in rows]
    return [{name.upper(): value for name, _, value in row} for row in pairs]  # PostgreSQL folds the drivers' names


def test_it_meets_a_postgres_with_the_lake_as_its_database(told: list[str]) -> None:
    assert told[0] == "product PostgreSQL"
    assert told[1] == f"catalog {DATABASE} schema public"
    assert {"ecephys", "lab"} <= {one["TABLE_SCHEM"] for one in lines(told, "schemas")}


def test_it_finds_tables_and_views_with_their_comments(told: list[str]) -> None:
    tables = {one["TABLE_NAME"]: one for one in lines(told, "tables")}
    assert tables["spike_trains"]["TABLE_TYPE"] == "TABLE"
    assert tables["good_units"]["TABLE_TYPE"] == "VIEW"
    assert tables["good_units"]["REMARKS"].startswith("one unit")


def test_it_finds_columns_with_types_units_and_nulls(told: list[str]) -> None:
    columns = {one["COLUMN_NAME"]: one for one in lines(told, "columns") if one["TABLE_NAME"] == "spike_trains"}
    assert columns["session_id"]["TYPE_NAME"] == "int8"
    assert columns["session_id"]["IS_NULLABLE"] == "NO"
    assert columns["spike_times"]["TYPE_NAME"] == "_float8"
    assert columns["clock_rate"]["REMARKS"].endswith("(Hz)")


def test_it_finds_the_key_and_its_index(told: list[str]) -> None:
    keys = [(one["KEY_SEQ"], one["COLUMN_NAME"]) for one in lines(told, "primary keys")]
    assert sorted(keys) == [("1", "session_id"), ("2", "time_block"), ("3", "unit_id")]
    assert {one["INDEX_NAME"] for one in lines(told, "indexes")} == {"spike_trains_pkey"}
    assert [one["COLUMN_NAME"] for one in lines(told, "best row")] == ["session_id", "time_block", "unit_id"]
    assert lines(told, "imported keys") == []


def test_it_finds_functions_and_types(told: list[str]) -> None:
    assert "psth" in {one["FUNCTION_NAME"] for one in lines(told, "functions")}
    assert {"int8", "float8", "text", "bool", "timestamp"} <= {one["TYPE_NAME"] for one in lines(told, "types")}
    assert {one["PRIVILEGE"] for one in lines(told, "privileges")} == {"SELECT"}


def test_queries_prepared_statements_and_fetch_size_give_the_rows(served: Served) -> None:
    url = f"jdbc:postgresql://127.0.0.1:{served.port}/{DATABASE}"
    out = run_java(jdbc_driver(), "Queries", url, USER, PASSWORD)
    assert out[0] == (
        "types value_id:int8 i16:int2 i32:int4 i64:int8 f32:float4 f64:float8 flag:bool label:text blob:bytea "
        "moment:timestamp counts:_int8"
    )
    assert out[1:5] == [
        "row 1 9007199254740993 0.1 true 2020-09-13 12:26:40.123456 4 [1, 9007199254740993] 25",
        "row 2 -9223372036854775808 1.0E-300 false 1969-12-31 23:59:59.0 0 [] 21",
        "row 3 null null null null null null null",
        "row 4 9223372036854775807 null true 2000-01-01 00:00:00.0 256 [-1] 0",
    ]
    assert out[5:25] == [f"prepared {n / 2} row {n}" for n in range(20)]
    assert out[25:27] == [f"fetched {sum(range(MANY))}", "at most 7"]
    assert out[27:] == ["error 42P01", "error 42703", "error 25006"]


@pytest.mark.parametrize("mode", ["simple", "extended", "extendedForPrepared", "extendedCacheEverything"])
def test_each_query_mode_gives_the_same(served: Served, mode: str) -> None:
    url = f"jdbc:postgresql://127.0.0.1:{served.port}/{DATABASE}?preferQueryMode={mode}&binaryTransfer=true"
    out = run_java(jdbc_driver(), "Queries", url, USER, PASSWORD)
    assert out[5:25] == [f"prepared {n / 2} row {n}" for n in range(20)]
    assert out[25] == f"fetched {sum(range(MANY))}"
