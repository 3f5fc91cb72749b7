"""Frames read over the wire: polars, ConnectorX, ADBC's PostgreSQL driver."""

from __future__ import annotations

import math
from typing import Any

import pytest
from brainlake.tests.fixtures.served import MANY, NAMES, SCALARS, VALUES, Served, same

SIMPLE = f"select {', '.join(SCALARS)} from lab.values order by value_id"


def rows_of(table: Any) -> list[tuple[Any, ...]]:
    return [tuple(row.values()) for row in table.to_pylist()]


@pytest.fixture
def simple(expected: list[Any]) -> list[tuple[Any, ...]]:
    return [tuple(row[NAMES.index(name)] for name in SCALARS) for row in expected]


def test_connectorx_reads_values_and_arrays(served: Served, simple: list[Any]) -> None:
    connectorx = pytest.importorskip("connectorx", reason="needs connectorx", exc_type=ImportError)
    table = connectorx.read_sql(f"postgresql://{served.url}", SIMPLE, return_type="arrow")
    assert same(simple, rows_of(table)), rows_of(table)
    listed = connectorx.read_sql(
        f"postgresql://{served.url}", "select counts from lab.values where counts is not null order by value_id",
        return_type="arrow",
    )  # fmt: skip
    assert listed.column("counts").to_pylist() == [[1, 2**53 + 1], [], [-1]]


@pytest.mark.parametrize("protocol", ["binary", "csv", "cursor"])
def test_connectorx_reads_by_each_of_its_ways(served: Served, protocol: str) -> None:
    connectorx = pytest.importorskip("connectorx", reason="needs connectorx", exc_type=ImportError)
    table = connectorx.read_sql(
        f"postgresql://{served.url}", "select n, half, name from lab.many", return_type="arrow", protocol=protocol
    )
    assert table.num_rows == MANY
    assert sum(table.column("n").to_pylist()) == sum(range(MANY))


def test_connectorx_reads_partitions_at_once(served: Served) -> None:
    connectorx = pytest.importorskip("connectorx", reason="needs connectorx", exc_type=ImportError)
    table = connectorx.read_sql(
        f"postgresql://{served.url}",
        "select n, name from lab.many",
        return_type="arrow",
        partition_on="n",
        partition_num=4,
    )
    assert sorted(table.column("n").to_pylist()) == list(range(MANY))


@pytest.mark.parametrize("through", ["connectorx", "adbc_driver_postgresql"])
def test_polars_reads_a_query(served: Served, through: str) -> None:
    polars = pytest.importorskip("polars", reason="needs polars", exc_type=ImportError)
    pytest.importorskip(through, reason=f"needs {through}", exc_type=ImportError)
    engine = "connectorx" if through == "connectorx" else "adbc"
    frame = polars.read_database_uri(
        "select n, half, name from lab.many order by n", f"postgresql://{served.url}", engine=engine
    )
    assert frame.shape == (MANY, 3)
    assert frame["half"].sum() == sum(range(MANY)) / 2
    assert frame["name"][-1] == f"row {MANY - 1}"


def test_adbc_reads_values_and_arrays(served: Served, expected: list[Any]) -> None:
    dbapi = pytest.importorskip(
        "adbc_driver_postgresql.dbapi", reason="needs adbc-driver-postgresql", exc_type=ImportError
    )
    with dbapi.connect(f"postgresql://{served.url}") as con, con.cursor() as cursor:
        cursor.execute(VALUES)
        table = cursor.fetch_arrow_table()
        assert table.column_names == NAMES
        assert same(expected, rows_of(table)), rows_of(table)


def test_adbc_binds_parameters(served: Served) -> None:
    dbapi = pytest.importorskip(
        "adbc_driver_postgresql.dbapi", reason="needs adbc-driver-postgresql", exc_type=ImportError
    )
    with dbapi.connect(f"postgresql://{served.url}") as con, con.cursor() as cursor:
        cursor.execute("select name, half from lab.many where n = $1", [9])
        assert cursor.fetchall() == [("row 9", 4.5)]


def test_adbc_lists_relations_with_columns_and_keys(served: Served) -> None:
    dbapi = pytest.importorskip(
        "adbc_driver_postgresql.dbapi", reason="needs adbc-driver-postgresql", exc_type=ImportError
    )
    with dbapi.connect(f"postgresql://{served.url}") as con:
        objects = con.adbc_get_objects(depth="all", db_schema_filter="lab").read_all().to_pylist()
        (catalogue,) = objects
        assert catalogue["catalog_name"] == "lake"
        (schema,) = catalogue["catalog_db_schemas"]
        tables = {one["table_name"]: one for one in schema["db_schema_tables"]}
        assert sorted(tables) == ["many", "values"]
        assert [one["column_name"] for one in tables["many"]["table_columns"]] == ["n", "half", "name", "ingest_id"]
        (key,) = [k for k in tables["many"]["table_constraints"] if k["constraint_type"] == "PRIMARY KEY"]
        assert key["constraint_column_names"] == ["n"]
        described = con.adbc_get_table_schema("many", db_schema_filter="lab")
        assert [str(kind) for kind in described.types[:3]] == ["int64", "double", "string"]
        assert {"table", "view"} <= set(con.adbc_get_table_types())


def test_infinity_and_nan_survive_frames(served: Served) -> None:
    dbapi = pytest.importorskip(
        "adbc_driver_postgresql.dbapi", reason="needs adbc-driver-postgresql", exc_type=ImportError
    )
    with dbapi.connect(f"postgresql://{served.url}") as con, con.cursor() as cursor:
        cursor.execute("select 'nan'::float8, 'inf'::float4, '-inf'::float8")
        (row,) = cursor.fetchall()
    assert math.isnan(row[0])
    assert row[1:] == (math.inf, -math.inf)
