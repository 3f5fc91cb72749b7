"""Stimulus presentations, conditions, parameters, epochs and gaps (ecephys EC-3, EC-4), from rows a reader wrote."""

from __future__ import annotations

from typing import Any

import duckdb
import pytest
from brainlake.tests.fixtures.memory import memory_connection

# session 1, in order of time: start, stop, name, block, and parameters
PRESENTED: list[tuple[float, float, str, float | None, dict[str, Any]]] = [
    (0.0, 80.0, "spontaneous", None, {}),
    (80.0, 81.0, "drifting_gratings", 2.0, {"orientation": 90.0, "temporal_frequency": 2.0, "phase": "[0.0, 0.0]"}),
    (82.0, 83.0, "drifting_gratings", 2.0, {"orientation": 0.0, "temporal_frequency": 2.0, "phase": "[0.0, 0.0]"}),
    (84.0, 85.0, "drifting_gratings", 2.0, {}),  # a blank
    (86.0, 87.0, "drifting_gratings", 2.0, {"orientation": 90.0, "temporal_frequency": 2.0, "phase": "[0.0, 0.0]"}),
    (87.0, 182.0, "spontaneous", None, {}),
    (182.0, 182.25, "natural_scenes", 3.0, {"frame": -1.0}),
    (182.25, 182.5, "natural_scenes", 3.0, {"frame": 7.0, "parameters": '{"opacity": 1}'}),
    (182.5, 182.75, "natural_scenes", 3.0, {"frame": 7.0, "parameters": '{"opacity": 0}'}),
]


def presentations(session_id: int, presented: list[tuple[Any, ...]]) -> list[dict[str, Any]]:
    return [
        {
            "session_id": session_id, "stimulus_presentation_id": i, "start_time": start, "stop_time": stop,
            "stimulus_name": name, "stimulus_block": block, "stimulus_index": float(i), "source_table": name, **more,
        }
        for i, (start, stop, name, block, more) in enumerate(presented)
    ]  # fmt: skip


def stored(presented: list[dict[str, Any]], invalid: list[tuple[int, float, float, list[str]]] = ()):
    names = dict.fromkeys(name for row in presented for name in row)
    sessions = sorted({row["session_id"] for row in presented})
    rows: dict[str, dict[str, list[Any]]] = {
        "ecephys.nwb_presentations": {name: [row.get(name) for row in presented] for name in names},
        "ecephys.nwb_sessions": {
            "session_id": sessions,
            "source_session_id": [str(s) for s in sessions],
            "source_layout": ["allen_v2"] * len(sessions),
        },
    }
    if invalid:
        rows["ecephys.invalid_times"] = {
            "session_id": [i[0] for i in invalid],
            "invalid_time_id": list(range(len(invalid))),
            "start_time": [i[1] for i in invalid],
            "stop_time": [i[2] for i in invalid],
            "tags": [i[3] for i in invalid],
        }
    con = memory_connection(rows)
    con.execute(
        "insert into lake.parts by name select 1 as ingest_id, 'stimuli' as part, 'present' as state"
    )  # what the guard of `session` parameters asks for
    return con


@pytest.fixture(scope="module")
def lake():
    """Session 1 without invalid times, and session 2 with other conditions that must not count with it."""
    con = stored(presentations(1, PRESENTED) + presentations(2, PRESENTED[1:3]))
    yield con
    con.close()


@pytest.fixture(scope="module")
def masked():
    """Presentations [80, 81], [82, 83] and [84, 85] touch an invalid time at an end point or lie in it; a tag that
    only contains the word, and a time in another session, mask nothing."""
    con = stored(
        presentations(1, PRESENTED),
        [
            (1, 81.0, 82.0, ["EcephysSession", "1", "stimulus"]),
            (1, 84.5, 84.5, ["stimulus"]),
            (1, 182.0, 182.75, ["EcephysSession", "1", "stimulus_like", "all_probes"]),
            (9, 0.0, 500.0, ["stimulus"]),
        ],
    )
    yield con
    con.close()


def column(con: duckdb.DuckDBPyConnection, sql: str) -> list[Any]:
    return [value for (value,) in con.execute(sql).fetchall()]


def test_conditions_are_numbered_by_first_presentation_over_every_parameter(lake):
    """Parameters that do not apply equal each other; the detailed ones (opacity) count."""
    query = (
        "select stimulus_condition_id from ecephys.stimulus_presentations where session_id = {} "
        "order by stimulus_presentation_id"
    )
    assert column(lake, query.format(1)) == [0, 1, 2, 3, 1, 0, 4, 5, 6]
    assert column(lake, query.format(2)) == [0, 1]


def test_a_condition_id_does_not_depend_on_which_presentations_are_asked_for(lake):
    assert column(
        lake,
        "select stimulus_condition_id from ecephys.stimulus_presentations "
        "where session_id = 1 and stimulus_name = 'natural_scenes' order by stimulus_presentation_id",
    ) == [4, 5, 6]


def test_conditions_tell_their_parameters_repeats_and_blanks(lake):
    assert lake.sql(
        "select stimulus_condition_id, stimulus_name, orientation, frame, n_presentations, is_null_condition "
        "from ecephys.stimulus_conditions where session_id = 1 order by 1"
    ).fetchall() == [
        (0, "spontaneous", None, None, 2, False),
        (1, "drifting_gratings", 90.0, None, 2, False),
        (2, "drifting_gratings", 0.0, None, 1, False),
        (3, "drifting_gratings", None, None, 1, True),
        (4, "natural_scenes", None, -1.0, 1, True),
        (5, "natural_scenes", None, 7.0, 1, False),
        (6, "natural_scenes", None, 7.0, 1, False),
    ]


def test_presentations_touching_an_invalid_time_are_masked_but_keep_their_times(masked):
    assert masked.sql(
        "select stimulus_presentation_id, start_time, stop_time, stimulus_name, stimulus_block, "
        "stimulus_condition_id, orientation, duration, source_table from ecephys.stimulus_presentations "
        "where is_invalid order by 1"
    ).fetchall() == [
        (1, 80.0, 81.0, "invalid_presentation", None, None, None, None, None),
        (2, 82.0, 83.0, "invalid_presentation", None, None, None, None, None),
        (3, 84.0, 85.0, "invalid_presentation", None, None, None, None, None),
    ]


def test_unmasked_presentations_keep_everything_and_say_which_are_invalid(masked):
    assert column(
        masked,
        "select stimulus_presentation_id from ecephys.all_stimulus_presentations where is_invalid order by 1",
    ) == [1, 2, 3]
    assert column(
        masked, "select stimulus_name from ecephys.all_stimulus_presentations where stimulus_presentation_id = 1"
    ) == ["drifting_gratings"]


def test_conditions_are_numbered_before_masking(masked):
    """As the reference does: the condition of presentation 4 is that of the masked presentation 1."""
    assert column(
        masked, "select stimulus_condition_id from ecephys.stimulus_presentations order by stimulus_presentation_id"
    ) == [0, None, None, None, 1, 0, 4, 5, 6]
    assert masked.sql(
        "select n_presentations, n_valid_presentations from ecephys.stimulus_conditions where stimulus_condition_id = 1"
    ).fetchall() == [(2, 1)]


def test_a_stimulus_table_takes_names_and_hides_detailed_parameters_unless_asked(lake):
    query = "select stimulus_presentation_id, parameters from ecephys.stimulus_table(1{}) order by 1"
    assert lake.sql(query.format(", ['natural_scenes']")).fetchall() == [(6, None), (7, None), (8, None)]
    assert lake.sql(query.format(", ['natural_scenes'], detailed := true")).fetchall() == [
        (6, None),
        (7, '{"opacity": 1}'),
        (8, '{"opacity": 0}'),
    ]
    assert len(lake.sql(query.format("")).fetchall()) == len(PRESENTED)


def test_parameter_values_are_distinct_sorted_and_of_applicable_parameters_alone(lake):
    query = (
        "select parameter, value, number from ecephys.stimulus_parameter_values(1{}) order by parameter, value_index"
    )
    assert lake.sql(query.format(", 'drifting_gratings'")).fetchall() == [
        ("orientation", "0.0", 0.0),
        ("orientation", "90.0", 90.0),
        ("phase", "[0.0, 0.0]", None),
        ("temporal_frequency", "2.0", 2.0),
    ]
    assert [(p, v) for p, v, _ in lake.sql(query.format("")).fetchall() if p == "frame"] == [
        ("frame", "-1.0"),
        ("frame", "7.0"),
    ]


def test_null_is_a_value_where_wanted_and_comes_last(lake):
    assert column(
        lake,
        "select value from ecephys.stimulus_parameter_values(1, 'drifting_gratings', drop_nulls := false) "
        "where parameter = 'orientation' order by value_index",
    ) == ["0.0", "90.0", None]
    # every natural scene has a frame, so there is no NULL to list
    assert column(
        lake,
        "select value from ecephys.stimulus_parameter_values(1, 'natural_scenes', drop_nulls := false) "
        "where parameter = 'frame' order by value_index",
    ) == ["-1.0", "7.0"]


EPOCHS = (
    "select stimulus_name, stimulus_block, start_time, stop_time, duration, n_presentations from {} order by start_time"
)


def test_epochs_are_runs_of_one_block_also_of_none(lake):
    assert lake.sql(EPOCHS.format("ecephys.stimulus_epochs where session_id = 1")).fetchall() == [
        ("spontaneous", None, 0.0, 80.0, 80.0, 1),
        ("drifting_gratings", 2.0, 80.0, 87.0, 7.0, 4),
        ("spontaneous", None, 87.0, 182.0, 95.0, 1),
        ("natural_scenes", 3.0, 182.0, 182.75, 0.75, 3),
    ]


def test_masked_presentations_are_an_epoch_of_their_own_beside_those_without_a_block(masked):
    """Presentation 0 has no block and 1-3 are masked: both NULL, and yet two epochs."""
    assert masked.sql(EPOCHS.format("ecephys.stimulus_epochs")).fetchall()[:3] == [
        ("spontaneous", None, 0.0, 80.0, 80.0, 1),
        ("invalid_presentation", None, 80.0, 85.0, 5.0, 3),
        ("drifting_gratings", 2.0, 86.0, 87.0, 1.0, 1),
    ]


def test_short_spontaneous_epochs_are_dropped_but_not_by_the_references_threshold(lake):
    """OD-2: the reference's default names spontaneous_activity, which is no stimulus."""
    query = "select epoch_index from ecephys.drop_short_epochs({}) order by 1"
    assert column(lake, query.format("1")) == [1, 2, 3]  # the first lasts 80 s
    assert column(lake, query.format("1, shorter_than := map {'spontaneous_activity': 90}")) == [0, 1, 2, 3]
    assert column(lake, query.format("1, shorter_than := map {'spontaneous': 95, 'natural_scenes': 1}")) == [1, 2]


def test_gaps_lie_between_consecutive_presentations_of_a_session(lake):
    assert lake.sql(
        "select from_presentation_id, to_presentation_id, gap from ecephys.inter_presentation_intervals "
        "where session_id = 1 order by 1"
    ).fetchall() == [
        (0, 1, 0.0),
        (1, 2, 1.0),
        (2, 3, 1.0),
        (3, 4, 1.0),
        (4, 5, 0.0),
        (5, 6, 0.0),
        (6, 7, 0.0),
        (7, 8, 0.0),
    ]
    assert column(lake, "select count(*) from ecephys.inter_presentation_intervals where session_id = 2") == [1]


def test_gaps_of_named_stimuli_have_both_ends_in_them_and_skip_nothing(lake):
    """Both spontaneous presentations have others between them, so there is no pair of them."""
    query = "select from_presentation_id from ecephys.stimulus_gaps(1, {}) order by 1"
    assert column(lake, query.format("['drifting_gratings']")) == [1, 2, 3]
    assert column(lake, query.format("['spontaneous']")) == []
    assert column(lake, query.format("['spontaneous', 'drifting_gratings']")) == [0, 1, 2, 3, 4]


def test_session_metadata_lists_stimuli_in_order_of_appearance(masked):
    assert masked.sql("select num_stimulus_presentations, stimulus_names from ecephys.session_metadata").fetchall() == [
        (9, ["spontaneous", "invalid_presentation", "drifting_gratings", "natural_scenes"])
    ]


@pytest.mark.parametrize("question", ["stimulus_table(5)", "stimulus_parameter_values(5)", "stimulus_gaps(5, ['a'])"])
def test_a_session_nobody_knows_is_an_error_not_an_empty_answer(lake, question):
    with pytest.raises(duckdb.Error, match="no session 5"):
        lake.sql(f"from ecephys.{question}").fetchall()


def test_events_without_an_end_are_masked_by_their_onset():
    con = stored(presentations(1, [(5.0, None, "events", None, {})]), [(1, 5.0, 6.0, ["stimulus"])])
    assert column(con, "select is_invalid from ecephys.stimulus_presentations") == [True]
    con.close()
