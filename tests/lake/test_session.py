"""A session answers on one snapshot: whatever schema files were written with, whoever asks, whatever is not here."""

from __future__ import annotations

import shlex
import subprocess
import sys
import threading

import brainlake
import polars as pl
import pyarrow as pa
import pytest
from brainlake.lake import describe
from brainlake.lake.errors import AbsentError, QueryError, UnknownError
from brainlake.lake.relations import RELATIONS
from brainlake.lake.session import Session
from brainlake.lake.spec import Column, TableSpec, float64, int32, int64, text
from brainlake.lake.states import FileState, LakeState, TableState
from brainlake.lake.tables import TABLES
from pyarrow import parquet

OLD = TableSpec(
    "lab.cells",
    "one cell",
    "rows",
    (Column(1, "cell_id", int64, "cell"), Column(2, "size", int32, "size", "um"), Column(3, "note", text, "note")),
)
NEW = TableSpec(  # a column was renamed, one widened, one added, and their order changed
    "lab.cells",
    "one cell",
    "rows",
    (
        Column(4, "depth", float64, "depth", "um", True),
        Column(2, "diameter", float64, "size", "um"),
        Column(1, "cell_id", int64, "cell"),
        Column(3, "note", text, "note"),
    ),
)


def state(root, tables: dict[str, TableState], number: int = 1, **relations: pa.Table) -> LakeState:
    """A lake's state without a catalogue."""
    given = {name: (lambda s=schema: s.empty_table()) for name, (_, schema) in RELATIONS.items()}
    given |= {f"lake.{name}": (lambda t=table: t) for name, table in relations.items()}
    everything = {name: TableState(spec) for name, spec in TABLES.items()} | tables
    return LakeState(root, number, everything, (), given)


def write(root, spec: TableSpec, name: str, **columns) -> FileState:
    """One data file of a table."""
    path = root / "data" / name
    path.parent.mkdir(parents=True, exist_ok=True)
    given = {**columns, "ingest_id": [1] * len(next(iter(columns.values())))}
    table = pa.table([pa.array(given[f.name], f.type) for f in spec.arrow], schema=spec.arrow)
    parquet.write_table(table, path)
    return FileState(f"data/{name}", table.num_rows, path.stat().st_size, None, spec.version)


@pytest.fixture
def session(tmp_path):
    """Two files of a table: one of today's declaration, one from before it was renamed, widened and added to."""
    old = write(tmp_path, OLD, "old.parquet", cell_id=[1, 2], size=[10, 20], note=["a", "b"])
    new = write(tmp_path, NEW, "new.parquet", cell_id=[3], diameter=[30.5], note=["c"], depth=[99.0])
    versions = {OLD.version: OLD.arrow, NEW.version: NEW.arrow}
    session = Session(state(tmp_path, {"lab.cells": TableState(NEW, (old, new), versions)}))
    yield session
    session.close()


def test_files_of_an_older_declaration_answer_in_todays_columns(session):
    rows = session.sql("select cell_id, diameter, depth, note from lab.cells order by cell_id").pl()
    assert rows.rows() == [(1, 10.0, None, "a"), (2, 20.0, None, "b"), (3, 30.5, 99.0, "c")]
    assert rows.schema["diameter"] == pl.Float64


def test_every_table_answers_where_nothing_is_stored_yet(session):
    for name, spec in TABLES.items():
        relation = session.sql(f"from {name}")
        assert relation.columns == [f.name for f in spec.arrow]
        assert relation.arrow().num_rows == 0


def test_every_question_of_the_package_answers_on_an_empty_lake(session):
    for name, question in session.questions.items():
        if question.kind == "view":
            relation = session.sql(f"from {name}")
            wide = {c: t for c, t in relation.types.items() if t.startswith(("DECIMAL", "HUGEINT"))}
            assert not wide, f"{name} has columns that other engines do not read: {wide}"


def test_refreshing_moves_to_another_state_and_only_then(session, tmp_path):
    more = write(tmp_path, NEW, "more.parquet", cell_id=[4], diameter=[1.0], note=["d"], depth=[None])
    before = session.state.tables["lab.cells"]
    after = TableState(NEW, (*before.files, more), before.versions)
    assert session.sql("select count(*) as n from lab.cells").one().n == 3
    session.refresh(state(tmp_path, {"lab.cells": after}, 2))
    assert (session.snapshot_id, session.sql("select count(*) as n from lab.cells").one().n) == (2, 4)
    session.refresh(state(tmp_path, {"lab.cells": TableState(NEW)}, 3))  # everything forgotten
    assert session.sql("select count(*) as n from lab.cells").one().n == 0


def test_an_answer_that_is_streaming_survives_a_refresh(session, tmp_path):
    batches = session.sql("select i from range(1_000_000) as r(i)").fetch_batches()
    n = next(batches).num_rows
    session.refresh(state(tmp_path, {}, 2))  # another set of tables: everything is registered anew
    assert n + sum(batch.num_rows for batch in batches) == 1_000_000


def test_a_frame_given_to_one_question_is_unknown_to_the_next(session):
    mine = {"mine": pl.DataFrame({"cell_id": [1, 3]})}
    query = "select c.note from lab.cells as c join mine using (cell_id) order by 1"
    assert session.sql(query, tables=mine).pl()["note"].to_list() == ["a", "c"]
    with pytest.raises(QueryError, match="mine"):
        session.sql(query)


def test_variables_of_the_calling_python_are_not_tables(session):
    frame = pl.DataFrame({"a": [1]})  # noqa: F841
    with pytest.raises(QueryError):
        session.sql("from frame")


def test_many_threads_may_ask_at_once(session):
    failed: list[BaseException] = []

    def ask() -> None:
        try:
            for _ in range(10):
                assert session.sql("select sum(cell_id)::bigint as total from lab.cells").one().total == 6
                assert session.sql("select count(*) as n from lake.relations").one().n > len(TABLES)
        except BaseException as error:
            failed.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failed


def test_a_result_left_open_on_the_raw_connection_stops_nobody(session):
    session.connection.execute("from range(100000)").fetchone()
    assert session.sql("select 1 as x").one().x == 1


def test_a_raw_cursor_sees_every_table(session):
    with session.cursor() as cursor:
        assert cursor.execute("select count(*) from lab.cells").fetchall() == [(3,)]
        assert cursor.execute("select count(*) from lake.tables").fetchall()[0][0] > len(TABLES)


def test_holdings_say_what_is_here_what_is_known_and_what_failed(tmp_path):
    project = TABLES["ecephys.project_sessions"]
    columns = {c.name: [None, None] for c in project} | {"session_id": [1, 2], "has_nwb": [True, True]}
    file = write(tmp_path, project, "project.parquet", **columns)
    ingests = one_ingest(ingest_id=7, subject="ecephys.session/1", role="session_nwb", source_url="/files/1.nwb")
    parts = pa.Table.from_pylist(
        [
            {"ingest_id": 7, "subject": "ecephys.session/1", "role": "session_nwb", "part": part, "state": where,
             "n_rows": 3, "size_bytes": 10, "source_bytes": 1000}
            for part, where in (("session", "present"), ("lfp", "available"))
        ],
        RELATIONS["lake.parts"][1],
    )  # fmt: skip
    failures = pa.Table.from_pylist(
        [{"source_url": "/files/it's bad.nwb", "error": "truncated"}], RELATIONS["lake.failures"][1]
    )
    tables = {project.name: TableState(project, (file,), {project.version: project.arrow})}
    session = Session(state(tmp_path, tables, ingests=ingests, parts=parts, failures=failures))
    query = "select subject, part, state, size_bytes, remedy from lake.holdings order by all"
    assert session.sql(query).pl().rows() == [
        ("ecephys.session/1", "lfp", "available", 1000, "brainlake ingest /files/1.nwb --with lfp"),
        ("ecephys.session/1", "session", "present", 10, None),
        ("ecephys.session/2", "session", "known", None, "brainlake ingest session_2.nwb"),
        (None, None, "failed", None, "brainlake ingest " + shlex.quote("/files/it's bad.nwb")),
    ]
    session.close()


def one_ingest(**facts) -> pa.Table:
    return pa.Table.from_pylist([facts], RELATIONS["lake.ingests"][1])


def test_absent_is_not_zero(tmp_path):
    nwb, project = TABLES["ecephys.nwb_sessions"], TABLES["ecephys.project_sessions"]
    here = {c.name: [None] for c in nwb} | {"session_id": [1], "source_session_id": ["1"], "source_layout": ["nwb2"]}
    known = {c.name: [None] for c in project} | {"session_id": [2]}
    tables = {
        spec.name: TableState(spec, (write(tmp_path, spec, f"{i}.parquet", **rows),), {spec.version: spec.arrow})
        for i, (spec, rows) in enumerate(((nwb, here), (project, known)))
    }
    taken = [
        {"ingest_id": 1, "subject": "ecephys.session/1", "role": "session_nwb", "part": part, "state": where}
        for part, where in (("running", "present"), ("spikes", "available"))
    ]
    parts = pa.Table.from_pylist(taken, RELATIONS["lake.parts"][1])
    ingests = one_ingest(ingest_id=1, subject="ecephys.session/1", role="session_nwb", source_url="s1.nwb")
    session = Session(state(tmp_path, tables, ingests=ingests, parts=parts))
    # The table is empty for every session; the guard decides whether that is an answer.
    query = "select count(*) as n from behavior.running_speed where session_id = $s and lake.require_session($s, $p)"

    def count(number: int | None, part: str | None = None) -> int:
        return session.sql(query, {"s": number, "p": part}).one().n

    assert count(1) == count(1, "running") == count(None) == 0
    with pytest.raises(AbsentError, match=r"brainlake ingest s1\.nwb --with spikes"):
        count(1, "spikes")
    with pytest.raises(AbsentError, match=r"brainlake ingest session_2\.nwb"):
        count(2)
    with pytest.raises(UnknownError, match=r"ecephys\.sessions"):
        count(3)
    session.close()


def test_a_guarded_question_opens_only_its_sessions_files(tmp_path, engine):
    with brainlake.create(tmp_path / "lake") as lake:
        for i in range(4):
            rows = {"ecephys.spike_trains": engine.trains(i, [10 * i])}
            engine.ingest(lake.catalog, f"ecephys.session/{i}", rows)
        lake.refresh()
        query = "from ecephys.spike_trains where session_id = 2 and coalesce(lake.require_session(null), false)"
        assert "Scanning Files: 1/4" in lake.sql(query).explain(analyze=True)


def test_what_the_lake_says_about_itself_needs_no_pandas(tmp_path, engine):
    with brainlake.create(tmp_path / "lake") as lake:
        engine.ingest(lake.catalog, "ecephys.session/1", {"ecephys.spike_trains": engine.trains(1, [10])})
    ask = f"""
import sys, brainlake
with brainlake.open({str(tmp_path / "lake")!r}) as lake:
    for name in {[*RELATIONS, *describe.SCHEMAS]!r}:
        lake.sql(f"from {{name}}").arrow()
print("pandas" in sys.modules)
"""
    answer = subprocess.run([sys.executable, "-c", ask], capture_output=True, text=True, check=True)
    assert answer.stdout == "False\n"


def test_opening_makes_no_relation_and_listing_makes_all(session):
    def views() -> int:
        return session.sql("select count(*) as n from duckdb_views() where schema_name = 'ecephys'").one().n

    assert not session._made
    session.sql("select count(*) from ecephys.spikes").arrow()
    assert session._made == {"ecephys.spikes", "ecephys.spike_trains"}
    ours = (q for name, q in session.questions.items() if name.startswith("ecephys."))
    assert views() >= sum(q.kind == "view" and not q.kept for q in ours)  # what is kept is a table
