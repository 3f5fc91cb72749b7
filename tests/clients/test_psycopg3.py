"""psycopg 3: text and binary, parameters, server-side cursors, COPY, pipelines."""

from __future__ import annotations

from typing import Any

import pytest
from brainlake.tests.fixtures.served import MANY, NAMES, VALUES, Served, same

psycopg = pytest.importorskip("psycopg", reason="needs psycopg", exc_type=ImportError)


@pytest.mark.parametrize("binary", [False, True])
def test_values_are_those_in_process(served: Served, expected: list[Any], binary: bool) -> None:
    with psycopg.connect(served.dsn) as con, con.cursor(binary=binary) as cursor:
        rows = cursor.execute(VALUES).fetchall()
        assert [column.name for column in cursor.description] == NAMES
    assert same(expected, rows), rows


@pytest.mark.parametrize("binary", [False, True])
def test_parameters_of_every_type_find_their_rows(served: Served, expected: list[Any], binary: bool) -> None:
    with psycopg.connect(served.dsn) as con, con.cursor(binary=binary) as cursor:
        for name in ("i16", "i32", "i64", "f64", "flag", "label", "blob", "moment"):
            value = expected[0][NAMES.index(name)]
            found = cursor.execute(f"select value_id from lab.values where {name} = %s order by 1", [value]).fetchall()
            assert (1,) in found, name
        ids = cursor.execute("select value_id from lab.values where value_id = any(%s) order by 1", [[1, 4, 9]])
        assert ids.fetchall() == [(1,), (4,)]
        assert cursor.execute("select %s::int8 + 1, %s::text", [2**40, "x"]).fetchall() == [(2**40 + 1, "x")]
        assert cursor.execute(
            "select value_id from lab.values where label is not distinct from %s", [None]
        ).fetchall() == [(3,)]


def test_a_named_cursor_reads_in_pieces(served: Served) -> None:
    with psycopg.connect(served.dsn) as con, con.cursor(name="many") as cursor:
        cursor.itersize = 1000
        cursor.execute("select n from lab.many order by n")
        assert [n for (n,) in cursor] == list(range(MANY))


def test_prepared_statements_are_reused(served: Served) -> None:
    with psycopg.connect(served.dsn, autocommit=True) as con:
        for n in range(20):
            assert con.execute("select half from lab.many where n = %s", [n], prepare=True).fetchone() == (n / 2,)


def test_a_pipeline_keeps_answers_apart(served: Served) -> None:
    with psycopg.connect(served.dsn, autocommit=True) as con, con.pipeline():
        cursors = [con.execute("select name from lab.many where n = %s", [n]) for n in range(50)]
        assert [cursor.fetchone() for cursor in cursors] == [(f"row {n}",) for n in range(50)]


@pytest.mark.parametrize("form", ["text", "binary"])
def test_copy_brings_every_row(served: Served, form: str) -> None:
    sql = f"copy (select n, half, name from lab.many order by n) to stdout (format {form})"
    with psycopg.connect(served.dsn) as con, con.cursor() as cursor, cursor.copy(sql) as copy:
        copy.set_types(["int8", "float8", "text"])
        rows = list(copy.rows())
    assert rows == [(n, n / 2, f"row {n}") for n in range(MANY)]


def test_writing_is_refused_with_its_code_and_the_connection_goes_on(served: Served) -> None:
    with psycopg.connect(served.dsn, autocommit=True) as con:
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            con.execute("delete from lab.many")
        with pytest.raises(psycopg.errors.UndefinedTable):
            con.execute("select * from lab.manny")
        with pytest.raises(psycopg.errors.UndefinedColumn):
            con.execute("select nn from lab.many")
        with pytest.raises(psycopg.errors.SyntaxError):
            con.execute("select from where")
        assert con.execute("select count(*) from lab.many").fetchone() == (MANY,)


def test_a_transaction_with_an_error_waits_for_its_end(served: Served) -> None:
    with psycopg.connect(served.dsn) as con:
        with pytest.raises(psycopg.errors.UndefinedTable):
            con.execute("select * from lab.manny")
        with pytest.raises(psycopg.errors.InFailedSqlTransaction):
            con.execute("select 1")
        con.rollback()
        assert con.execute("select 1").fetchone() == (1,)


def test_types_are_looked_up_in_the_catalogue(served: Served) -> None:
    from psycopg.types import TypeInfo

    with psycopg.connect(served.dsn) as con:
        info = TypeInfo.fetch(con, "float8")
        assert info is not None
        assert (info.oid, info.array_oid) == (701, 1022)
        assert TypeInfo.fetch(con, "no_such_type") is None
