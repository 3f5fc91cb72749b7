"""A session reads: nothing it admits writes, and no file outside of the lake's data can be read through it."""

from __future__ import annotations

from pathlib import Path

import brainlake
import duckdb
import polars as pl
import pytest
from brainlake.lake.admission import READING_FUNCTIONS
from brainlake.lake.errors import BrainlakeError, NotAdmittedError, QueryError


@pytest.fixture(scope="module")
def lake(tmp_path_factory):
    folder = tmp_path_factory.mktemp("admission")
    (folder / "secret.csv").write_text("a\n1\n")
    with brainlake.create(folder / "lake") as lake:
        lake.write("lab.x", pl.DataFrame({"a": [1, 2], "b": ["u", "v"]}), key="a")
        yield lake


@pytest.fixture
def unchanged(lake):
    """Whatever a test tries: the lake and its surroundings are afterwards as before."""

    def files() -> dict[Path, int]:
        return {p: p.stat().st_size for p in lake.path.parent.rglob("*") if p.is_file()}

    before = files()
    yield lake
    assert files() == before
    assert lake.sql("select a, b from lab.x order by a").pl().rows() == [(1, "u"), (2, "v")]


# One of each kind of statement that is not a question; {out} lies inside the lake, where DuckDB itself would allow it.
WRITING = [
    "insert into lab.x values (3, 'w', 0)",
    "insert into lab.x values (3, 'w', 0) returning *",
    "update lab.x set a = 1",
    "delete from lab.x",
    "truncate lab.x",
    "merge into lab.x using lab.x as y on true when matched then delete",
    "copy lab.x to '{out}'",
    "copy (select 1) to '{out}' (format parquet)",
    "copy lab.x from '{secret}'",
    "copy from database memory to other",
    "create table z as select 1",
    "create temp table z as select 1",
    "create view z as select 1",
    "create or replace macro lab.m() as 1",
    "create schema z",
    "create sequence z",
    "create type z as enum ('a')",
    "create secret z (type s3)",
    "create index z on lab.x(a)",
    "drop view lab.x",
    "alter view lab.x rename to y",
    "comment on view lab.x is 'mine'",
    "attach '{out}' as z",
    "detach memory",
    "use lab",
    "set threads = 1",
    "set variable files = ['/etc/passwd']",
    "set enable_external_access = true",
    "reset threads",
    "pragma database_list",
    "pragma enable_profiling",
    "call pragma_version()",
    "call enable_logging()",
    "checkpoint",
    "vacuum",
    "analyze",
    "begin",
    "commit",
    "rollback",
    "export database '{out}'",
    "import database '{out}'",
    "install httpfs",
    "load httpfs",
    "update extensions",
    "prepare p as select 1",
    "execute p",
    "deallocate p",
]
INSIDE = [
    "insert into lab.x values (3, 'w', 0) returning *",
    "update lab.x set a = 1 returning *",
    "delete from lab.x returning *",
]
READING_FILES = [
    "from read_csv('{secret}')",
    "from read_csv_auto('{secret}')",
    "from read_csv(['{secret}'])",
    "from sniff_csv('{secret}')",
    "from read_json('{secret}')",
    "from read_json_auto('{secret}')",
    "from read_json_objects('{secret}')",
    "from read_json_objects_auto('{secret}')",
    "from read_ndjson('{secret}')",
    "from read_ndjson_auto('{secret}')",
    "from read_ndjson_objects('{secret}')",
    "from read_parquet('{secret}')",
    "from parquet_scan('{secret}')",
    "from parquet_metadata('{secret}')",
    "from parquet_file_metadata('{secret}')",
    "from parquet_kv_metadata('{secret}')",
    "from parquet_schema('{secret}')",
    "from parquet_bloom_probe('{secret}', 'a', 1)",
    "from read_text('{secret}')",
    "from read_blob('{secret}')",
    "from read_duckdb('{secret}')",
    "from glob('{folder}/*')",
    "from '{secret}'",
    'from "{secret}"',
    "from '{folder}/*.csv'",
    "from query_table('{secret}')",
    "from query('from read_csv(''{secret}'')')",
    "from read_text('{lake}/catalog.sqlite')",
    "from read_text('{lake}/data/../catalog.sqlite')",
    "from read_parquet('{lake}/data/../../secret.csv')",
    "with w as (from read_csv('{secret}')) from w",
    "select (select count(*) from read_csv('{secret}'))",
    "pivot (from read_csv('{secret}')) on a using count(*)",
    "explain analyze from read_csv('{secret}')",
    "from duckdb_secrets()",
    "select getenv('HOME')",
]


def fill(query: str, lake: brainlake.Lake) -> str:
    folder = lake.path.parent
    for name, value in {
        "out": lake.path / "data" / "evil",
        "secret": folder / "secret.csv",
        "folder": folder,
        "lake": lake.path,
    }.items():
        query = query.replace("{" + name + "}", str(value))
    return query


@pytest.mark.parametrize(
    "dressed", ["{}", "explain {}", "explain analyze {}", "/* a */ {} -- b", "explain (format json) {}"]
)
@pytest.mark.parametrize("statement", WRITING)
def test_a_statement_that_is_no_question_is_refused(unchanged, statement, dressed):
    with pytest.raises((NotAdmittedError, QueryError)):
        unchanged.sql(dressed.format(fill(statement, unchanged))).arrow()


@pytest.mark.parametrize(
    "dressed",
    [
        "with w as ({}) select * from w",
        "with w as materialized ({}) select * from w",
        "with recursive w as ({}) select * from w",
        "select * from (with w as ({}) select * from w)",
        "select 1 where exists (with w as ({}) select 1 from w)",
        "select 1 union all (with w as ({}) select 1 from w)",
        "explain analyze with w as ({}) select * from w",
        "with w as ({}) from (pivot w on b using first(a))",
        "with w as ({}) pivot w on b using first(a)",
        "explain analyze with w as ({}) pivot w on b using first(a)",
    ],
)
@pytest.mark.parametrize("inner", INSIDE)
def test_nothing_writes_from_inside_a_question(unchanged, inner, dressed):
    with pytest.raises((NotAdmittedError, QueryError)):
        unchanged.sql(dressed.format(inner)).arrow()


def test_sql_hidden_in_text_is_looked_into(unchanged):
    assert unchanged.sql("from query('select 42 as x')").one().x == 42
    for hidden in ("delete from lab.x returning *", "with w as (delete from lab.x returning *) from w"):
        with pytest.raises(NotAdmittedError):
            unchanged.sql(f"from query('{hidden}')")
    with pytest.raises(NotAdmittedError, match="literal"):
        unchanged.sql("from query('select ' || '1')")
    with pytest.raises(NotAdmittedError):
        unchanged.sql("from json_execute_serialized_sql(json_serialize_sql('select 1'))")


@pytest.mark.parametrize("query", READING_FILES)
def test_no_file_outside_of_the_lake_is_read(unchanged, query):
    with pytest.raises(BrainlakeError):
        unchanged.sql(fill(query, unchanged)).arrow()


@pytest.mark.parametrize("query", ["select 1; select 2", "select 1; drop view lab.x", ";", "", "-- nothing"])
def test_one_statement_at_a_time(unchanged, query):
    with pytest.raises((NotAdmittedError, QueryError)):
        unchanged.sql(query)


@pytest.mark.parametrize(
    ("query", "rows"),
    [
        ("select 1", 1),
        ("from lab.x", 2),
        ("table lab.x", 2),
        ("values (1), (2)", 2),
        ("select a from lab.x union all select a from lab.x", 4),
        ("with recursive w as (select 1 as a union all select a + 1 from w where a < 3) from w", 3),
        ("pivot lab.x on b using first(a)", 1),
        ("from (pivot lab.x on b using first(a))", 1),
        ("with m as (from lab.x) pivot m on b in ('u') using first(a)", 1),
        ("unpivot lab.x on a into name k value v", 2),
        ("from query_table('lab.x')", 2),
        ("with mine as (select 1 as q) from query_table('mine')", 1),
        ("describe lab.x", 3),
        ("summarize lab.x", 3),
        ("select 'drop table x; delete' as \"update\"", 1),
        ("explain select 1", 1),
        ("explain analyze select 1", 1),
        ("explain pivot lab.x on b using first(a)", None),
    ],
)
def test_questions_of_every_form_are_answered(unchanged, query, rows):
    answer = unchanged.sql(query).arrow()
    assert rows is None or answer.num_rows == rows


def test_the_refusal_says_what_to_do(lake):
    with pytest.raises(NotAdmittedError, match=r"lake\.write"):
        lake.sql("create table z as select 1")


@pytest.mark.parametrize(
    "call",
    [
        "from checkpoint()", "from system.main.checkpoint()", 'from "force_checkpoint"()', "from enable_logging()",
        "from create_external_resource('x')", "from read_duckdb('x')", "from duckdb_secrets()", "from duckdb_logs()",
        "select nextval('s')", "select setseed(0.5)", "select sleep_ms(10000)", "select write_log('x')",
        """pivot (from "query"($$select 1 as a$$)) on a using count(*)""",
        """pivot (from "checkpoint" /* ( */ ()) on a using count(*)""",
        "pivot (select sleep_ms(10000) as a) on a using count(*)",
    ],
)  # fmt: skip
def test_a_function_that_does_more_than_read_is_refused_however_it_is_written(unchanged, call):
    with pytest.raises(NotAdmittedError):
        unchanged.sql(call)


def test_every_table_function_of_this_duckdb_is_either_known_to_read_or_refused(unchanged):
    with duckdb.connect() as con:
        found = con.execute("select distinct function_name from duckdb_functions() where function_type = 'table'")
        names = {name for (name,) in found.fetchall()} - READING_FUNCTIONS
    assert names  # there are some, and none of them is admitted
    for name in sorted(names):
        with pytest.raises(NotAdmittedError):
            unchanged.sql(f"from {name}()")


def test_functions_that_share_a_name_with_a_pragma_are_functions(unchanged):
    assert unchanged.sql("select version() as v").one().v.startswith("v2")
