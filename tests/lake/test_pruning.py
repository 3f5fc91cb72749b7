"""Files of other sessions are left out of a question only where its text makes certain that they cannot matter."""

from __future__ import annotations

import brainlake
import pytest
from brainlake.lake import session as session_module

CERTAIN = {
    "from {t} where session_id = 2": {2},
    "from {t} where 2 = session_id and unit_id > 0": {2},
    "from {t} as a where a.session_id in (1, 3) and unit_id > 0": {1, 3},
    "from {t} where session_id in (1, 2) and (session_id = 2)": {2},
    'from memory."ECEPHYS" . "Spike_Trains" as A where a.SESSION_ID = 2': {2},
    "from {t} where session_id = 9": set(),
    "with one as (from {t} where session_id = 1), two as (from {t} where session_id = 2) from one, two": {1, 2},
    "select (select count(*) from {t} where session_id = 1) as n, unit_id from {t} where session_id = 3": {1, 3},
    "from {t} where session_id = 1 union all from {t} where session_id = 2": {1, 2},
    "from {t} as a join {t} as b using (session_id, unit_id) where session_id = 2": {2},
    "from {t} as a left join {t} as b using (session_id) where b.session_id = 2": {2},
    "from {t} as a left join {t} as b on b.session_id = a.session_id where a.session_id = 2": {2},
    "from {t} as a join {t} as b on b.session_id = a.session_id where b.session_id = 2": {2},
    "select * from ecephys.spikes where session_id = 2": {2},
    "select s.* from ecephys.spikes as s join lake.files as f on true where s.session_id = 2": {2},
}
DOUBTFUL = (
    "from {t}",
    "from {t} where session_id = 2 or unit_id = 10",
    "from {t} where not session_id = 2",
    "from {t} where session_id > 2",
    "from {t} where session_id = 1 + 1",
    "from {t} where session_id = (select 2)",
    "from {t} where unit_id = 2",
    "from {t} group by all having session_id = 2",
    "with a as (from {t}) from a where session_id = 2",
    "from {t} as a join {t} as b on true where a.session_id = 2",
    # The row of every other session stays, with NULLs beside it.
    "from {t} as a left join {t} as b on b.session_id = a.session_id and b.session_id = 2",
    "from (select 2 as session_id) as q cross join {t} as a "
    "left join {t} as c on c.session_id = a.session_id and c.session_id = q.session_id where q.session_id = 2",
    # The nearest row may be another session's.
    "from {t} as a asof join {t} as b on a.unit_id >= b.unit_id where b.session_id = 2",
    "from {t} as a full join {t} as b using (session_id) where a.session_id = 2",
    "from {t} as t(other_id, a, session_id) where session_id = 0",
    "from {t} tablesample reservoir(3 rows) repeatable (1) where session_id = 2",
    "from {t} where session_id = 2 and exists (from query_table('ecephys.spike_trains'))",
    "from {t}, query_table('ecephys.spike_' || 'trains') as q where {t}.session_id = 2",
    "select count(*) from ecephys.firing_rates('ecephys.spikes', 'ecephys.spikes')",
)


@pytest.fixture(scope="module")
def lake(tmp_path_factory, engine):
    with brainlake.create(tmp_path_factory.mktemp("pruning") / "lake") as lake:
        for i in range(4):
            engine.ingest(
                lake.catalog, f"ecephys.session/{i}", {"ecephys.spike_trains": engine.trains(i, [10 + i, 20 + i])}
            )
        lake.refresh()
        yield lake


@pytest.fixture
def files(lake, monkeypatch):
    """The sessions whose spike trains a query is given: all of them, as a lake of few files, unless it is certain."""
    monkeypatch.setattr(session_module, "MANY_FILES", 0)
    session = lake._session

    def given(query, params=None):
        with session.cursor(query, params) as cursor:
            variable = next(v for v in session._variables if "spike_trains" in v)
            paths = cursor.execute(f"select getvariable('{variable}')").fetchall()[0][0]
        return {int(path.split("session_id=")[1].split("/")[0]) for path in paths}

    return given


@pytest.mark.parametrize(("query", "sessions"), CERTAIN.items())
def test_a_question_about_some_sessions_is_given_their_files(files, query, sessions):
    assert files(query.format(t="ecephys.spike_trains")) == (sessions or {0})  # one, so that columns are known


@pytest.mark.parametrize("query", DOUBTFUL)
def test_in_doubt_a_question_is_given_every_file(files, query):
    assert files(query.format(t="ecephys.spike_trains")) == {0, 1, 2, 3}


def test_parameters_restrict_as_literals_do(files):
    assert files("from ecephys.spike_trains where session_id = ? and unit_id = ?", [2, 10]) == {2}
    assert files("from ecephys.spike_trains where session_id in ($a, $b)", {"a": 2, "b": 3}) == {2, 3}
    for value in (None, True, "2", 2.0):
        assert files("from ecephys.spike_trains where session_id = ?", [value]) == {0, 1, 2, 3}


@pytest.mark.parametrize("query", [*CERTAIN, *DOUBTFUL[:-2]])
def test_answers_are_the_same(lake, monkeypatch, query):
    query = query.format(t="ecephys.spike_trains")
    whole = lake.sql(query).arrow()
    monkeypatch.setattr(session_module, "MANY_FILES", 0)
    pruned = lake.sql(query).arrow()
    assert sorted(map(repr, pruned.to_pylist())) == sorted(map(repr, whole.to_pylist()))
