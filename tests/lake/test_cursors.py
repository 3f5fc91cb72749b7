"""Cursors and what was found out about texts are used again, and no question sees what another one left."""

from __future__ import annotations

import threading

import polars as pl
import pytest
from brainlake.lake import cursors, remembered
from brainlake.lake import session as sessions
from brainlake.lake.admission import admit
from brainlake.lake.errors import NotAdmittedError, QueryError
from brainlake.lake.session import Session
from brainlake.lake.spec import Column, TableSpec, float64, int64
from brainlake.lake.states import TableState

from .test_session import state, write

TRACES = TableSpec(
    "lab.traces",
    "one trace of a session",
    "rows",
    (Column(1, "session_id", int64, "session"), Column(2, "depth", float64, "depth", "um")),
    partition="session_id",
    sort=("session_id",),
)


def of_traces(root, sessions_here: list[int], number: int = 1):
    """A state with a file for each session, whose depth is its id."""
    files = []
    for one in sessions_here:
        written = write(root, TRACES, f"session_id={one}/{number}.parquet", session_id=[one], depth=[float(one)])
        files.append(written._replace(partition_value=one))
    return state(root, {"lab.traces": TableState(TRACES, tuple(files), {TRACES.version: TRACES.arrow})}, number)


@pytest.fixture
def session(tmp_path):
    session = Session(of_traces(tmp_path, [1, 2, 3]))
    yield session
    session.close()


def n_traces(session: Session, where: str = "true") -> int:
    return session.sql(f"select count(*) from lab.traces where {where}").pl().item()


def test_a_question_after_one_about_a_few_partitions_sees_all(session, monkeypatch):
    """With many files a session hands DuckDB only those that a question can need."""
    monkeypatch.setattr(sessions, "MANY_FILES", 1)
    for _ in range(3):
        assert n_traces(session, "session_id = 2") == 1
        assert n_traces(session) == 3


def test_the_same_question_sees_the_files_of_the_snapshot_moved_to(session, tmp_path):
    assert n_traces(session) == n_traces(session) == 3
    session.refresh(of_traces(tmp_path, [1, 2, 3, 4, 5], number=2))
    assert n_traces(session) == 5


def test_an_answer_begun_before_a_move_leaves_nothing_to_later_questions(session, tmp_path):
    batches = session.sql("from lab.traces").fetch_batches()
    next(batches)
    session.refresh(of_traces(tmp_path, [7], number=2))
    list(batches)
    assert session.sql("select depth from lab.traces").to_numpy().tolist() == [7.0]


def test_a_frame_that_is_brought_is_known_to_its_question_alone(session):
    for value in (1, 2):
        mine = {"mine": pl.DataFrame({"a": [value]})}
        assert session.sql("from mine", tables=mine).pl().item() == value
    with pytest.raises(QueryError):
        session.sql("from mine")


def test_threads_that_ask_at_once_get_their_own_answers(session):
    wrong = []

    def ask(one: int) -> None:
        for _ in range(10):
            if n_traces(session, f"session_id <= {one}") != one:
                wrong.append(one)

    threads = [threading.Thread(target=ask, args=(one,)) for one in (1, 2, 3, 1, 2, 3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


def test_as_many_cursors_wait_as_are_of_use(session):
    answers = [session.sql("select 1") for _ in range(3 * cursors.MOST_IDLE)]
    for answer in answers:
        answer.arrow()
    assert len(session._cursors._idle) == cursors.MOST_IDLE


def test_the_units_of_a_question_are_those_of_its_columns(session):
    for _ in range(2):
        assert session.sql("select depth from lab.traces").units == {"depth": "um"}
        assert session.sql("select depth * 2 as depth from lab.traces").units == {"depth": None}
    whole = session.sql("select * from lab.traces").units
    assert whole["depth"] == "um"
    assert session.sql(" FROM lab.traces;").units == session.sql("from lab.traces where true").units == whole


def test_what_was_refused_is_refused_again(session):
    for _ in range(2):
        with pytest.raises(NotAdmittedError):
            admit(session.connection, "drop table lab.traces")


def test_only_the_latest_short_texts_are_remembered():
    known = remembered.Remembered()
    asked = []

    def find_out(text: str) -> str:
        return known.get(text, lambda: asked.append(text) or text)

    long = "x" * (remembered.MOST_CHARACTERS + 1)
    for text in ("a", "a", long, long):
        assert find_out(text) == text
    assert asked == ["a", long, long]
    for i in range(remembered.ENTRIES):
        find_out(str(i))
    find_out("a")
    assert asked.count("a") == 2
