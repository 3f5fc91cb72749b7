"""psycopg 2: values, parameters, server-side cursors, COPY."""

from __future__ import annotations

import io
from typing import Any

import pytest
from brainlake.tests.fixtures.served import MANY, NAMES, VALUES, Served, same

psycopg2 = pytest.importorskip("psycopg2", reason="needs psycopg2-binary", exc_type=ImportError)


def test_values_are_those_in_process(served: Served, expected: list[Any]) -> None:
    with psycopg2.connect(served.dsn) as con, con.cursor() as cursor:
        cursor.execute(VALUES)
        rows = cursor.fetchall()
        assert [column.name for column in cursor.description] == NAMES
    assert same(expected, rows), rows


def test_parameters_find_their_rows(served: Served, expected: list[Any]) -> None:
    with psycopg2.connect(served.dsn) as con, con.cursor() as cursor:
        for name in ("i64", "f64", "label", "blob", "moment"):
            value = expected[0][NAMES.index(name)]
            cursor.execute(f"select value_id from lab.values where {name} = %s", [value])
            assert cursor.fetchall() == [(1,)], name
        cursor.execute("select value_id from lab.values where value_id = any(%(ids)s) order by 1", {"ids": [1, 4]})
        assert cursor.fetchall() == [(1,), (4,)]


def test_a_named_cursor_reads_in_pieces(served: Served) -> None:
    with psycopg2.connect(served.dsn) as con, con.cursor("many") as cursor:
        cursor.itersize = 700
        cursor.execute("select n from lab.many order by n")
        assert [n for (n,) in cursor] == list(range(MANY))


def test_copy_expert_fills_a_file(served: Served) -> None:
    file = io.StringIO()
    with psycopg2.connect(served.dsn) as con, con.cursor() as cursor:
        cursor.copy_expert("copy (select n, name from lab.many order by n) to stdout with csv", file)
    assert file.getvalue().splitlines()[-1] == f"{MANY - 1},row {MANY - 1}"


def test_an_error_has_its_code(served: Served) -> None:
    with psycopg2.connect(served.dsn) as con, con.cursor() as cursor:
        with pytest.raises(psycopg2.errors.UndefinedTable) as caught:
            cursor.execute("select * from lab.manny")
        assert caught.value.pgcode == "42P01"
        assert "lab.many" in str(caught.value)
