"""asyncpg: it reads and writes binary only, and believes the types it is told."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from brainlake.tests.fixtures.served import DATABASE, MANY, NAMES, PASSWORD, USER, VALUES, Served, same

asyncpg = pytest.importorskip("asyncpg", reason="needs asyncpg", exc_type=ImportError)


def run(served: Served, ask: Callable[[Any], Awaitable[Any]]) -> Any:
    async def connected() -> Any:
        con = await asyncpg.connect(
            host="127.0.0.1", port=served.port, user=USER, password=PASSWORD, database=DATABASE, timeout=60
        )
        try:
            return await ask(con)
        finally:
            await con.close()

    return asyncio.run(connected())


def test_values_are_those_in_process(served: Served, expected: list[Any]) -> None:
    rows = run(served, lambda con: con.fetch(VALUES))
    assert list(rows[0].keys()) == NAMES
    assert same(expected, [tuple(row) for row in rows]), rows


def test_parameters_are_inferred(served: Served, expected: list[Any]) -> None:
    async def ask(con: Any) -> None:
        for name in ("i16", "i32", "i64", "f64", "flag", "label", "blob", "moment"):
            value = expected[0][NAMES.index(name)]
            rows = await con.fetch(f"select value_id from lab.values where {name} = $1", value)
            assert 1 in [row[0] for row in rows], name
        assert await con.fetchval("select sum(n) from lab.many where n between $1 and $2", 10, 20) == 165
        assert await con.fetchval("select $1::float8 * 2", 1.25) == 2.5
        rows = await con.fetch("select value_id from lab.values where value_id = any($1::int8[]) order by 1", [4, 1])
        assert [row[0] for row in rows] == [1, 4]
        assert await con.fetchval("select name from lab.many order by n limit $1 offset $2", 1, 7) == "row 7"

    run(served, ask)


def test_a_cursor_reads_in_pieces(served: Served) -> None:
    async def ask(con: Any) -> list[int]:
        async with con.transaction():
            return [row["n"] async for row in con.cursor("select n from lab.many order by n", prefetch=500)]

    assert run(served, ask) == list(range(MANY))


def test_a_prepared_statement_tells_its_types(served: Served) -> None:
    async def ask(con: Any) -> tuple[list[str], list[str]]:
        statement = await con.prepare("select half, name from lab.many where n = $1 and name <> $2")
        assert await statement.fetch(4, "x") == [(2.0, "row 4")]
        taken = [one.name for one in statement.get_parameters()]
        return taken, [one.type.name for one in statement.get_attributes()]

    assert run(served, ask) == (["int8", "text"], ["float8", "text"])


def test_copy_brings_every_row(served: Served, tmp_path: Any) -> None:
    file = tmp_path / "many.csv"
    run(served, lambda con: con.copy_from_query("select n, name from lab.many order by n", output=file, format="csv"))
    assert file.read_text().splitlines()[-1] == f"{MANY - 1},row {MANY - 1}"


def test_it_finds_types_in_the_catalogue(served: Served) -> None:
    async def ask(con: Any) -> None:
        await con.set_type_codec("json", encoder=str, decoder=str, schema="pg_catalog")
        listed = await con.fetch(
            "select typname, typlen from pg_catalog.pg_type where oid = any($1::oid[]) order by 1", [20, 701]
        )
        assert [tuple(row) for row in listed] == [("float8", 8), ("int8", 8)]
        assert await con.fetchval("select count(*) from information_schema.tables where table_schema = $1", "lab") == 2

    run(served, ask)


def test_an_error_has_its_class(served: Served) -> None:
    async def ask(con: Any) -> None:
        with pytest.raises(asyncpg.exceptions.UndefinedTableError):
            await con.fetch("select * from lab.manny")
        with pytest.raises(asyncpg.exceptions.ReadOnlySQLTransactionError):
            await con.execute("create table x (a int)")

    run(served, ask)
