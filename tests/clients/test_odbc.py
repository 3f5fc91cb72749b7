"""psqlODBC, through pyodbc: catalogue functions, values, parameters."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from brainlake.tests.fixtures.served import DATABASE, MANY, NAMES, SCALARS, USER, Served, same

pyodbc = pytest.importorskip(
    "pyodbc", reason="needs pyodbc and unixODBC: apt-get install unixodbc", exc_type=ImportError
)


@pytest.fixture
def con(served: Served) -> Iterator[Any]:
    driver = next((name for name in pyodbc.drivers() if "postgresql unicode" in name.lower()), None)
    if driver is None:
        pytest.skip("needs psqlODBC: apt-get install odbc-postgresql")
    where = f"Driver={{{driver}}};Server=127.0.0.1;Port={served.port};UID={USER};PWD={{s3cr et'}};Database={DATABASE}"
    with pyodbc.connect(where + ";MaxVarcharSize=4000;BoolsAsChar=0;ByteaAsLongVarBinary=1", autocommit=True) as con:
        yield con


def test_it_lists_tables_columns_and_keys(con: Any) -> None:
    cursor = con.cursor()
    tables = {(row.table_schem, row.table_name): row.table_type for row in cursor.tables(schema="ecephys").fetchall()}
    assert tables["ecephys", "spike_trains"] == "TABLE"
    assert tables["ecephys", "good_units"] == "VIEW"
    columns = cursor.columns(schema="lab", table="values").fetchall()
    assert [row.column_name for row in columns] == [*NAMES, "ingest_id"]
    assert {row.column_name: row.type_name for row in columns}["i64"] == "int8"
    keys = cursor.primaryKeys("spike_trains", schema="ecephys").fetchall()
    assert [row.column_name for row in keys] == ["session_id", "time_block", "unit_id"]
    indexes = cursor.statistics("spike_trains", schema="ecephys", unique=True).fetchall()
    assert "spike_trains_pkey" in {row.index_name for row in indexes}
    assert cursor.foreignKeys("spike_trains", schema="ecephys").fetchall() == []


def test_values_are_those_in_process(con: Any, expected: list[Any]) -> None:
    rows = con.cursor().execute(f"select {', '.join(SCALARS)} from lab.values order by value_id").fetchall()
    wanted = [tuple(row[NAMES.index(name)] for name in SCALARS) for row in expected]
    assert same(wanted, [tuple(row) for row in rows]), rows


def test_parameters_find_their_rows(con: Any) -> None:
    cursor = con.cursor()
    assert cursor.execute("select name from lab.many where n = ?", 12).fetchall()[0][0] == "row 12"
    assert cursor.execute("select n from lab.many where name = ?", "row 13").fetchall()[0][0] == 13
    assert cursor.execute("select count(*) from lab.many where half between ? and ?", 1.0, 2.0).fetchall()[0][0] == 3


def test_many_rows_come(con: Any) -> None:
    cursor = con.cursor().execute("select n from lab.many order by n")
    assert [row[0] for row in cursor] == list(range(MANY))


def test_an_error_has_its_code(con: Any) -> None:
    with pytest.raises(pyodbc.Error) as caught:
        con.cursor().execute("select * from lab.manny")
    assert caught.value.args[0] == "42S02" or "42P01" in str(caught.value)
    with pytest.raises(pyodbc.Error):
        con.cursor().execute("delete from lab.many")
    assert con.cursor().execute("select 1").fetchall()[0][0] == 1
