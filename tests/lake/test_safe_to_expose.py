"""What strangers may ask: nothing outside of the lake is read or written, no question ends the process.

Every way that DuckDB documents to reach a file, the network, an extension, the environment or another statement is
tried against a session, and against each server.
"""

from __future__ import annotations

import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import textwrap
from collections.abc import Callable, Iterator
from pathlib import Path

import brainlake
import polars as pl
import pyarrow as pa
import pytest
from brainlake.lake.admission import MOST_CHARACTERS, MOST_EXPRESSIONS, MOST_QUERIES
from brainlake.lake.errors import BrainlakeError, NotAdmittedError, QueryError
from brainlake.lake.serve.snapshots import Snapshots

SECRET = "secret-of-somebody"
Ask = Callable[[str], pa.Table]


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[brainlake.Lake]:
    """A lake with a secret beside it, one in raw/, and links out of data/ that somebody has laid."""
    folder = tmp_path_factory.mktemp("exposed")
    (folder / "secret.csv").write_text(f"a\n{SECRET}\n")
    with brainlake.create(folder / "lake") as lake:
        lake.write("lab.x", pl.DataFrame({"a": [1, 2], "b": ["u", "v"]}), key="a")
        (lake.path / "raw" / "secret.csv").write_text(f"a\n{SECRET}\n")
        (lake.path / "data" / "link.csv").symlink_to(folder / "secret.csv")
        (lake.path / "data" / "link").symlink_to(folder)
        yield lake


def in_process(lake: brainlake.Lake) -> Iterator[Ask]:
    yield lambda query: lake.sql(query).arrow()


def by_flight(lake: brainlake.Lake) -> Iterator[Ask]:
    import pyarrow.flight as flight
    from brainlake.lake.serve.flight.messages import pack
    from brainlake.lake.serve.flight.server import Server

    with Snapshots(lake.path) as snapshots:
        server = Server(snapshots, port=0)
        with flight.connect(server.uri) as client:

            def ask(query: str) -> pa.Table:
                command = flight.FlightDescriptor.for_command(pack("CommandStatementQuery", query=query))
                return client.do_get(client.get_flight_info(command).endpoints[0].ticket).read_all()

            yield ask
        server.stop()


def by_postgres(lake: brainlake.Lake) -> Iterator[Ask]:
    psycopg = pytest.importorskip("psycopg", reason="pip install psycopg[binary]")
    served = subprocess.Popen(
        [sys.executable, "-m", "brainlake", "--lake", str(lake.path), "serve", "postgres", "--port", "0"],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    try:
        assert served.stdout is not None
        line = served.stdout.readline()
        if not line:
            pytest.skip("this brainlake serves no PostgreSQL")
        port = int(line.rsplit(":", 1)[1].split()[0].strip("/)"))
        with psycopg.connect(host="127.0.0.1", port=port, user="x", dbname="lake", autocommit=True) as connection:

            def ask(query: str) -> pa.Table:
                rows = connection.execute(query.encode()).fetchall()
                return pa.table({"row": [str(row) for row in rows]})

            yield ask
    finally:
        served.kill()
        served.wait()


@pytest.fixture(scope="module", params=[in_process, by_flight, by_postgres], ids=lambda way: way.__name__)
def ask(request: pytest.FixtureRequest, lake: brainlake.Lake) -> Iterator[Ask]:
    """A way to put a question to the lake."""
    yield from request.param(lake)


def filled(query: str, lake: brainlake.Lake) -> str:
    file = next((lake.path / "data" / "lab").rglob("*.parquet"))
    for name, path in {"lake": lake.path, "out": lake.path.parent, "file": file}.items():
        query = query.replace("{" + name + "}", str(path))
    return query


PLACES = [
    "{out}/secret.csv", "{out}/*.csv", "{lake}/data/../../secret.csv", "{lake}/data/./..//../secret.csv",
    "{lake}/data/link.csv", "{lake}/data/link/secret.csv", "{lake}/data/*/secret.csv", "{lake}/raw/secret.csv",
    "{lake}/data/../raw/secret.csv", "{lake}/catalog.sqlite", "{lake}/data/../catalog.sqlite", "file://{out}/secret.csv",
    "file:{out}/secret.csv", "{lake}/data%2f..%2f..%2fsecret.csv", "{lake}/data\\..\\..\\secret.csv", "{lake}/dataX",
    "/etc/passwd", "/proc/self/environ", "/proc/self/cmdline", "/dev/stdin", "secret.csv", "../secret.csv",
    "~/.bashrc", "http://127.0.0.1:9/x.csv", "https://127.0.0.1:9/x.parquet", "s3://bucket/x.parquet",
    "s3a://bucket/x.csv", "gs://bucket/x.csv", "gcs://bucket/x.csv", "r2://bucket/x.csv", "az://c/x.csv",
    "abfss://c/x.csv", "hf://datasets/a/b.parquet", "ftp://127.0.0.1/x.csv", "memory://x.csv", "zip://{out}/x.zip/a.csv",
]  # fmt: skip
READERS = [
    "from read_csv('{}')", "from read_text('{}')", "from read_blob('{}')", "from read_parquet('{}')",
    "from read_json('{}')", "from read_ndjson_objects('{}')", "from sniff_csv('{}')", "from parquet_schema('{}')",
    "from parquet_full_metadata('{}')", "from '{}'", "from query('from read_csv(''{}'')')", "from query_table('{}')",
    "from read_csv(['{file}', '{}'])", "select (select count(*) from read_text('{}'))",
    "from lab.x where a in (select 1 from read_csv('{}'))", "from lab.x limit (select count(*) from read_text('{}'))",
    "from lab.x, lateral (from read_text('{}'))", "describe '{}'", "summarize '{}'", "explain analyze from read_csv('{}')",
    "with w as materialized (from read_text('{}')) from w", "from ecephys.psth('{}', '{}')", "from nwb_table('{}')", "pivot (from read_csv('{}')) on a using count(*)",
]  # fmt: skip


def said(ask: Ask, query: str) -> tuple[int, str]:
    """How many rows a question has, and what is said where it is refused, which is never that brainlake is at fault."""
    try:
        return ask(query).num_rows, ""
    except Exception as error:
        text = str(error)
    assert "defect" not in text
    return 0, text


def refused(ask: Ask, query: str) -> None:
    """A question that is refused, or has no rows; what is said of it does not hold the secret either."""
    n_rows, text = said(ask, query)
    assert n_rows == 0, query
    assert SECRET not in text


@pytest.mark.parametrize("place", PLACES)
def test_no_reader_reads_outside_of_the_lake(lake: brainlake.Lake, ask: Ask, place: str) -> None:
    for reader in READERS:
        refused(ask, filled(reader.replace("{}", place), lake))


def test_no_glob_sees_beyond_the_lakes_data(lake: brainlake.Lake, ask: Ask) -> None:
    for pattern in ("{out}/*", "/etc/*", "{lake}/*", "{lake}/data/../*", "{lake}/data/link/*", "{lake}/raw/**", "~/*"):
        refused(ask, filled(f"from glob('{pattern}')", lake))
    refused(ask, filled("from glob('{lake}/data/**')", lake))


WRITING = [
    "copy (select 1) to '{out}/evil'", "copy (select 1) to '{lake}/data/evil'", "copy lab.x to '{lake}/data/evil' (format parquet)",
    "copy lab.x from '{out}/secret.csv'", "explain analyze copy (select 1) to '{lake}/data/evil'",
    "export database '{lake}/data/evil'", "import database '{out}'", "attach '{lake}/data/evil.db'",
    "attach '{lake}/catalog.sqlite' (type sqlite)", "attach ':memory:' as evil", "attach 'http://127.0.0.1:9/x.db'",
    "install httpfs", "load httpfs", "force install httpfs from 'http://127.0.0.1:9'", "load '{out}/evil.duckdb_extension'",
    "create secret s (type s3)", "create table evil as select 1", "create temp table evil as select 1",
    "create macro evil() as 1", "create view evil as select 1", "create function evil() as 1", "create sequence evil",
    "insert into lab.x values (1)", "delete from lab.x", "update lab.x set a = 1", "truncate lab.x", "drop view lab.x",
    "alter table lab.x rename to y", "comment on view lab.x is 'evil'", "vacuum", "analyze", "checkpoint",
    "with w as (delete from lab.x returning *) select * from w", "with w as (insert into lab.x select 1 returning *) from w",
    "from read_csv('{file}', store_rejects = true)", "from read_csv('{file}', rejects_table := 'evil', ignore_errors := true)",
    "select 1; drop view lab.x", "select 1;\ncopy (select 1) to '{lake}/data/evil'",
    "merge into lab.x using lab.x as y on true when matched then delete",
]  # fmt: skip


@pytest.mark.parametrize("statement", WRITING)
def test_nothing_is_written_whatever_is_said(lake: brainlake.Lake, ask: Ask, statement: str) -> None:
    def files() -> set[Path]:
        return {path for path in lake.path.parent.rglob("*") if not path.is_symlink()}

    before = files()
    assert said(ask, filled(statement, lake))[1], "it was run"
    assert files() == before
    assert ask("from lab.x").num_rows == 2


SETTINGS = [
    "set enable_external_access = true", "set global allowed_directories = ['/']", "set lock_configuration = false",
    "reset lock_configuration", "reset enable_external_access", "pragma enable_external_access",
    "set python_enable_replacements = true", "set allow_unsigned_extensions = true", "set temp_directory = '{out}'",
    "set secret_directory = '{out}'", "set home_directory = '{out}'", "set file_search_path = '{out}'",
    "set log_query_path = '{out}/log'", "set custom_extension_repository = 'http://127.0.0.1:9'",
    "set http_proxy = '127.0.0.1:9'", "set memory_limit = '1PB'", "set max_memory = '1PB'", "set threads = 1000",
    "set profiling_output = '{out}/p'", "pragma enable_profiling = 'json'", "pragma memory_limit = '1PB'",
    "call enable_logging(storage_path = '{out}')", "set schema = 'lab'", "use lab",
]  # fmt: skip


@pytest.mark.parametrize("statement", SETTINGS)
def test_no_setting_that_guards_can_be_changed(lake: brainlake.Lake, ask: Ask, statement: str) -> None:
    """A server may take settings of its own protocol as said and ignore them; the guards must hold afterwards."""
    values = "select name, value from duckdb_settings() where name in ('enable_external_access', 'memory_limit', \
        'allowed_directories', 'lock_configuration', 'temp_directory', 'threads', 'python_enable_replacements') order by 1"
    before = lake.sql(values).arrow().to_pylist()
    said(ask, filled(statement, lake))
    assert lake.sql(values).arrow().to_pylist() == before
    refused(ask, filled("from read_text('{out}/secret.csv')", lake))
    assert not (lake.path.parent / "log").exists()


@pytest.mark.parametrize(
    "query",
    [
        "select getenv('HOME')", "select getenv('PATH') from lab.x", "from duckdb_secrets()", "from which_secret('a', 's3')",
        "from duckdb_logs()", "from duckdb_temporary_files()", "from duckdb_extensions()", "from duckdb_variables()",
        "from pandas_scan(1)", "from arrow_scan(1, 2, 3)", "from arrow_scan_dumb(1, 2, 3)", "from python_map_function(1)",
        "from read_duckdb('x')", "from force_checkpoint()", "from sql_auto_complete('sel')", "from seq_scan('lab.x')",
        "from json_execute_serialized_sql(json_serialize_sql('select 1'))", "pragma json_execute_serialized_sql('x')",
        "from query('select ' || '1')", "from query((select 'select 1'))", "from query('delete from lab.x returning *')",
        "from query('from query(''delete from lab.x returning *'')')", "prepare p as delete from lab.x", "execute never_prepared",
        "select sleep_ms(60000)", "select pg_sleep(60)", "select write_log('x')", "select nextval('s')",
        "select setseed(0.5)", "select load_extension('x')", "select set_config('a', 'b', false)", "select lo_import('x')",
        "select pg_read_file('/etc/passwd')", "select pg_ls_dir('/')", "copy (select 1) to program 'id'",
    ],
)  # fmt: skip
def test_what_reaches_beyond_data_is_no_question(lake: brainlake.Lake, ask: Ask, query: str) -> None:
    refused(ask, query)


def test_variables_of_the_process_are_no_tables(lake: brainlake.Lake) -> None:
    mine = pl.DataFrame({"a": [1]})
    theirs = pa.table({"a": [1]})
    for name in ("mine", "theirs", "lake", "SECRET", "pl"):
        with pytest.raises(BrainlakeError):
            lake.sql(f"from {name}").arrow()
    assert (mine.height, theirs.num_rows) == (1, 1)


@pytest.mark.parametrize(
    "query",
    ["select 1 -- ; drop view lab.x", "/* ; drop view lab.x */ select 1", "select 1;", "select 1 ; -- end", "(((select 1)))",
     "select\u00a01", "select\u20031", "select/**/1", "select 'drop view lab.x; delete' as \"update\"", "from (describe lab.x)",
     "select $$; drop view lab.x$$"],
)  # fmt: skip
def test_a_question_that_only_looks_dangerous_is_answered(ask: Ask, query: str) -> None:
    assert ask(query).num_rows


# -- size -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "query",
    [
        "select " + "1," * 600_000 + "1",
        "select " + ", ".join(f"a * {i}" for i in range(MOST_EXPRESSIONS)) + " from lab.x",
        " union all ".join(["select 1"] * (MOST_QUERIES + 10)),
        "select " + ".".join(["a"] * 5_000),
        "select 1 from " + ", ".join(f"(values (1)) as t{i}" for i in range(MOST_QUERIES + 10)),
    ],
    ids=["characters", "expressions", "queries", "name", "cross"],
)
def test_a_question_too_large_to_plan_is_refused_at_once(lake: brainlake.Lake, query: str) -> None:
    with pytest.raises(NotAdmittedError, match="too large"):
        lake.sql(query)


def test_a_list_of_many_ids_is_not_too_large(lake: brainlake.Lake) -> None:
    ids = ", ".join(map(str, range(50_000)))
    assert len(ids) < MOST_CHARACTERS
    assert lake.sql(f"select a from lab.x where a in ({ids}) order by a").to_numpy().tolist() == [1, 2]


DEEP = 3_000
NESTED = {
    "parentheses": ("(", "1", ")"), "negations": ("not ", "true", ""), "signs": ("- ", "1", ""),
    "calls": ("abs(", "1", ")"), "lists": ("[", "1", "]"), "structs": ("{'a': ", "1", "}"),
    "cases": ("case when true then ", "1", " end"), "subqueries": ("(select ", "1", ")"), "casts": ("", "1", "::int"),
    "sums": ("", "1", "+1"), "arrows": ("", "'{}'", "->'a'"), "lambdas": ("list_transform([1], lambda x: ", "x", ")"),
    "concatenations": ("", "'a'", "||'a'"), "exists": ("exists(select 1 where ", "true", ")"), "rows": ("row(", "1", ")"),
    "types": ("", "null::int", "[]"), "indices": ("", "[1]", "[1]"), "zones": ("", "now()", " at time zone 'UTC'"),
    "comments": ("/*", "1", "*/"), "collations": ("", "'a'", " collate nocase"), "filters": ("count(*) filter (where ", "true", ")"),
    "json": ("", "json('" + "[" * DEEP + "]" * DEEP + "')", ""), "explains": ("", "1 ", ""),
}  # fmt: skip

# What a process that is sent each of many questions says of them: it must come to its end.
ASKER = """
import json, random, sys
import brainlake
from brainlake.lake.errors import BrainlakeError
lake = brainlake.open(sys.argv[1])
answers = []
for query in json.load(sys.stdin):
    try:
        relation = lake.sql(query)
        relation.head = relation.reader().read_next_batch().num_rows
        relation.units
        answers.append("answered")
    except BrainlakeError as error:
        answers.append("defect" if error.exit_code == 2 else "refused")
    except Exception as error:
        answers.append(f"{type(error).__name__}: {error}"[:200])
print(json.dumps(answers))
"""


def answers_of(lake: brainlake.Lake, queries: list[str], seconds: float) -> list[str]:
    """What another process makes of questions; it may not end by a signal, nor take more than 8 GiB."""
    done = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(ASKER), str(lake.path)],
        input=json.dumps(queries),
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_AS, (8 << 30, 8 << 30)),
    )
    assert done.returncode == 0, done.stderr[-2000:]
    found: list[str] = json.loads(done.stdout)
    return found


def test_no_nesting_ends_the_process(lake: brainlake.Lake) -> None:
    queries = {kind: f"select {a * DEEP}{middle}{b * DEEP}" for kind, (a, middle, b) in NESTED.items()}
    queries["selects"] = "select * from (" * DEEP + "select 1" + ")" * DEEP
    queries["explains"] = "explain " * DEEP + "select 1"
    queries["withs"] = (
        "".join(f"with c{i} as (" for i in range(300))
        + "select 1"
        + "".join(f") from c{i}" for i in range(299, -1, -1))
    )
    queries["query"] = "from query('" * 12 + "select 1" + "')" * 12
    found = dict(zip(queries, answers_of(lake, list(queries.values()), 300), strict=True))
    assert {kind: what for kind, what in found.items() if what not in ("answered", "refused")} == {}


def test_no_long_question_is_looked_at_for_minutes(lake: brainlake.Lake) -> None:
    """400,000 of the same: what looks at a text once more for each of its letters would take an hour."""
    n = 400_000
    queries = [
        "select" + " " * n + "1", "select" + "\n" * n + "1", "select 1" + "." * n, "select '" + "''" * (n // 2) + "'",
        "select 1" + "--\n" * (n // 3), "select 1" + "/**/" * (n // 4), "select " + "ab " * (n // 3), "select 1" + "," * n,
        "from lab.x where a" + "\t" * n + "= 1", "select 1 as " + "a" * n, "select * from lab." + "a" * n,
        "from ecephys.psth(" + " " * n + ")", "explain" + " " * n + "select 1", "select '" + "a." * (n // 2) + "'",
        "pivot lab.x on b using first(a)" + " " * n, "select " + "(" * n, "select $a$" + "$" * n + "$a$",
    ]  # fmt: skip
    assert set(answers_of(lake, queries, 400)) <= {"answered", "refused"}


PIECES = r"""
select from where group by all order limit offset union except intersect with recursive as ( ) , * + - / // % || lab.x a b t1 t2
'text' 1 1.5 -1 null true [1,2] {'k':1} map{1:2} sum( count(*) list( unnest( range(3) over ( partition filter (where having
qualify window join left outer cross using (a) on lateral pivot unpivot in between and or not like ilike ~ is distinct case when
then else end cast( ::int ::varchar ::double[] ::struct(a int) :: -> ->> [1] [1:2] lambda x: x $1 ? $name @ # #1 exclude replace
columns('a') tablesample 10% values describe summarize show explain ecephys.units ecephys.psth( icephys.sweep( nwb_table(
lake.holdings interval 1 day date '2020-01-01' timestamp ; -- /* */ " ' $$ \ é 💩 asof positional at (version => 1) grouping sets
cube rollup escape collate array_agg( string_agg( arg_max( quantile_cont( regexp_replace( printf( strftime( struct_pack( try( error(
"""


REAL = (
    "select b , sum ( a ) over ( order by a rows 1 preceding ) as s from lab.x where a in ( 1 , 2 ) order by b desc limit 3",
    "with w as ( select a , list ( b order by b ) as l from lab.x group by all ) select unnest ( l ) from w where a > 0",
    "pivot lab.x on b using sum ( a ) group by a", "unpivot lab.x on a into name k value v", "summarize lab.x",
    "with recursive r as ( select 1 as n union all select n + 1 from r where n < 5 ) select max ( n ) from r",
    "select * exclude ( b ) replace ( a + 1 as a ) from lab.x as t asof join lab.x as u on t.a >= u.a",
    "select a , case when b like 'u%' then { 'k' : [ a ] } else null end . k [ 1 ] from lab.x qualify row_number ( ) over ( ) = 1",
    "select list_transform ( range ( 3 ) , lambda x : x * a ) from lab.x , lateral ( select a + 1 as c ) tablesample 50 %",
    "select count ( * ) filter ( where a > 1 ) , arg_max ( a , b ) from lab.x group by grouping sets ( ( a ) , ( b ) , ( ) )",
    "from query_table ( 'lab.x' ) select columns ( c -> c = 'a' ) + 1", "select try ( cast ( b as int ) ) , date '2020-01-01' + a from lab.x",
    "from ecephys.spikes where session_id = 1 and unit_id = 2 order by spike_time limit 5", "describe ecephys.units",
    "with units as ( select 1 as session_id , 2 as unit_id ) , events as ( select 1 as session_id , 0.5 as event_time )"
    " from ecephys.psth ( 'units' , 'events' , before := 0.1 , after := 0.1 , bin := 0.05 )",
)  # fmt: skip


def odd_questions(n: int, seed: int) -> list[str]:
    """Questions made of pieces, and real ones with pieces put in, taken out and exchanged: mostly wrong, all odd."""
    chance = random.Random(seed)
    pieces = PIECES.split()

    def changed(question: str) -> str:
        words = question.split(" ")
        for _ in range(chance.randrange(1, 4)):
            at = chance.randrange(len(words) + 1)
            other = chance.choice(chance.choice((pieces, words or pieces)))
            words[at : at + chance.randrange(2)] = chance.choice(([], [other], [other, *words[at : at + 1]]))
        return " ".join(words)

    def made() -> str:
        return "select " + " ".join(chance.choice(pieces) for _ in range(chance.randrange(1, 25)))

    return [changed(chance.choice(REAL)) if chance.random() < 0.7 else made() for _ in range(n)]


def test_no_odd_question_ends_the_process(lake: brainlake.Lake) -> None:
    found = answers_of(lake, odd_questions(2_000, seed=0), 300)
    assert set(found) <= {"answered", "refused"}, {one for one in found if one not in ("answered", "refused")}


def test_a_session_within_a_memory_limit_refuses_what_needs_more(lake: brainlake.Lake) -> None:
    with Snapshots(lake.path, settings={"memory_limit": "200MB"}) as snapshots, snapshots.lease() as lease:
        with pytest.raises(QueryError, match=r"(?i)memory"):
            lease.session.sql("select list(i) from range(100_000_000) as r(i)").arrow()
        assert lease.session.sql("select 1 as a").one().a == 1


def test_what_spills_lies_in_a_folder_of_the_sessions_own_and_goes_with_it(
    lake: brainlake.Lake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with Snapshots(lake.path, settings={"memory_limit": "100MB"}) as snapshots, snapshots.lease() as lease:
        folder = Path(lease.session.sql("select current_setting('temp_directory') as d").one().d)
        assert folder.parent == Path(tempfile.gettempdir())
        reader = lease.session.sql("select i from range(10_000_000) as r(i) order by hash(i)").reader()
        assert any(folder.iterdir())
        with pytest.raises(BrainlakeError):
            lease.session.sql(f"from read_blob('{folder}/*')").arrow()
        del reader
    assert not folder.exists()
    assert not list(tmp_path.iterdir())
