"""SQLAlchemy: reflection, queries, and what stands on it: pandas."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest
from brainlake.tests.fixtures.served import MANY, NAMES, SCALARS, Served, same

sqlalchemy = pytest.importorskip("sqlalchemy", reason="needs sqlalchemy", exc_type=ImportError)

DRIVERS = {"psycopg2": "psycopg2", "psycopg": "psycopg", "pg8000": "pg8000"}


@pytest.fixture(scope="module", params=DRIVERS)
def engine(request: pytest.FixtureRequest, served: Served) -> Iterator[Any]:
    pytest.importorskip(DRIVERS[request.param], reason=f"needs {request.param}", exc_type=ImportError)
    engine = sqlalchemy.create_engine(f"postgresql+{request.param}://{served.url}")
    yield engine
    engine.dispose()


def test_a_table_is_reflected_with_its_types_and_key(engine: Any) -> None:
    table = sqlalchemy.Table("values", sqlalchemy.MetaData(), schema="lab", autoload_with=engine)
    kinds = {column.name: str(column.type) for column in table.columns}
    assert kinds["i64"] == "BIGINT"
    assert kinds["f64"] == "DOUBLE PRECISION"
    assert kinds["moment"] == "TIMESTAMP"
    assert isinstance(table.columns["words"].type, sqlalchemy.ARRAY)
    assert kinds["blob"] == "BYTEA"
    assert [column.name for column in table.primary_key] == ["value_id"]
    assert not table.columns["value_id"].nullable
    assert table.columns["label"].nullable


def test_relations_comments_and_units_are_found(engine: Any) -> None:
    inspector = sqlalchemy.inspect(engine)
    assert {"ecephys", "lab", "public"} <= set(inspector.get_schema_names())
    assert inspector.get_table_names(schema="lab") == ["many", "values"]
    assert "good_units" in inspector.get_view_names(schema="ecephys")
    assert inspector.has_table("good_units", schema="ecephys")
    assert not inspector.has_table("no_units", schema="ecephys")
    comments = {
        column["name"]: column["comment"] for column in inspector.get_columns("running_speed", schema="behavior")
    }
    assert comments["speed"].endswith("(cm/s)")
    assert inspector.get_table_comment("good_units", schema="ecephys")["text"].startswith("one unit")
    assert inspector.get_pk_constraint("spike_trains", schema="ecephys")["constrained_columns"] == [
        "session_id", "time_block", "unit_id"
    ]  # fmt: skip
    assert inspector.get_foreign_keys("spike_trains", schema="ecephys") == []
    assert inspector.get_indexes("spike_trains", schema="ecephys") == []
    assert inspector.get_view_definition("good_units", schema="ecephys").strip().startswith("select")


def test_whole_schemas_are_reflected(engine: Any) -> None:
    metadata = sqlalchemy.MetaData()
    metadata.reflect(engine, schema="ecephys", views=True)
    assert {"ecephys.units", "ecephys.good_units", "ecephys.spike_trains"} <= set(metadata.tables)
    assert "session_id" in metadata.tables["ecephys.units"].columns


def test_expressions_find_rows(engine: Any, expected: list[Any]) -> None:
    table = sqlalchemy.Table("values", sqlalchemy.MetaData(), schema="lab", autoload_with=engine)
    with engine.connect() as con:
        rows = con.execute(sqlalchemy.select(table.c[*SCALARS]).order_by(table.c.value_id)).fetchall()
        wanted = [tuple(row[NAMES.index(name)] for name in SCALARS) for row in expected]
        assert same(wanted, [tuple(row) for row in rows]), rows
        some = sqlalchemy.select(table.c.value_id).where(table.c.value_id.in_([1, 4]), table.c.i64 > 2**53)
        assert [row[0] for row in con.execute(some.order_by(table.c.value_id))] == [1, 4]
        grouped = sqlalchemy.select(table.c.flag, sqlalchemy.func.count()).group_by(table.c.flag)
        assert {tuple(row) for row in con.execute(grouped)} == {(True, 2), (False, 1), (None, 1)}
        named = con.execute(sqlalchemy.text("select name from lab.many where n = :n"), {"n": 5})
        assert named.scalar_one() == "row 5"


def test_pandas_reads_a_query(engine: Any) -> None:
    pandas = pytest.importorskip("pandas", reason="needs pandas", exc_type=ImportError)
    frame = pandas.read_sql("select n, half, name from lab.many order by n", engine)
    assert len(frame) == MANY
    assert frame["half"].sum() == sum(range(MANY)) / 2
    chunks = list(pandas.read_sql("select n from lab.many", engine, chunksize=6000))
    assert [len(chunk) for chunk in chunks] == [6000, 6000, 6000, MANY - 18_000]


def test_a_streamed_result_comes_in_pieces(engine: Any) -> None:
    with engine.connect().execution_options(stream_results=True) as con:
        rows = con.execute(sqlalchemy.text("select n from lab.many order by n"))
        assert [len(part) for part in rows.partitions(1000)] == [1000] * (MANY // 1000)


def test_asyncpg_reflects_and_asks_beneath_it(served: Served) -> None:
    pytest.importorskip("asyncpg", reason="needs asyncpg", exc_type=ImportError)
    pytest.importorskip("greenlet", reason="needs greenlet", exc_type=ImportError)
    from sqlalchemy.ext.asyncio import create_async_engine

    async def ask() -> tuple[Any, Any]:
        engine = create_async_engine(f"postgresql+asyncpg://{served.url}")
        async with engine.connect() as con:
            metadata = sqlalchemy.MetaData()
            await con.run_sync(lambda one: metadata.reflect(one, schema="ecephys", views=True))
            named = await con.execute(sqlalchemy.text("select name, half from lab.many where n = :n"), {"n": 5})
            row = named.one()
        await engine.dispose()
        return metadata, row

    metadata, row = asyncio.run(ask())
    assert tuple(row) == ("row 5", 2.5)
    assert [column.name for column in metadata.tables["ecephys.spike_trains"].primary_key] == [
        "session_id", "time_block", "unit_id"
    ]  # fmt: skip
    assert "ecephys.good_units" in metadata.tables
