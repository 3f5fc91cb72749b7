"""Names and parameters of Allen stimuli are standardised as the reference does (ecephys EC-3, EC-12)."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest
from brainlake.ingest.ecephys_stimuli import (
    IntervalTable,
    allen_presentations,
    other_presentations,
    standard_names,
)


def _objects(*values: Any) -> np.ndarray:
    column = np.empty(len(values), object)
    column[:] = values
    return column


def _table(name: str = "epochs", **columns: Any) -> IntervalTable:
    n = len(next(iter(columns.values()))) if columns else 1
    given = {k: v if isinstance(v, np.ndarray) else _objects(*v) for k, v in columns.items()}
    return IntervalTable(name, {"start_time": np.arange(n) * 1.0, "stop_time": np.arange(n) + 0.5, **given})


@pytest.mark.parametrize(
    ("name", "standard"),
    [
        ("natural_movie_1", "natural_movie_one"),
        ("natural_movie_3", "natural_movie_three"),
        ("natural_movie_1_more_repeats", "natural_movie_one_more_repeats"),  # OD-19
        ("natural_movie_one_shuffled", "natural_movie_one_shuffled"),
        ("Natural Images", "natural_scenes"),
        ("flash_250ms", "flashes"),
        ("gabor_20_deg_250ms", "gabors"),
        ("contrast_response", "drifting_gratings_contrast"),
        ("motion_stimulus", "dot_motion"),
        ("drifting_gratings_more_repeats", "drifting_gratings_75_repeats"),
        ("signal_noise_test_0", "test_movie_two"),
        ("signal_noise_session_4", "dense_movie_four"),
        ("", "spontaneous"),
        ("static_gratings", "static_gratings"),
    ],
)
def test_stimulus_names(name: str, standard: str) -> None:
    assert standard_names([name]) == {name: standard}


def test_a_shuffled_movie_takes_the_only_number_seen() -> None:
    names = ["natural_movie_1_more_repeats", "natural_movie_shuffled", "flashes"]
    assert standard_names(names)["natural_movie_shuffled"] == "natural_movie_one_shuffled"
    # with several numbers nobody can tell whose frames were shuffled
    assert standard_names([*names, "natural_movie_3"])["natural_movie_shuffled"] == "natural_movie_shuffled"


def test_the_stimulus_software_s_column_names_become_the_lake_s() -> None:
    table = _table(Ori=[0.0, 90.0], SF=["0.04", ""], TF=["", "N/A"], Pos_x=["-10.0", "10.0"], Image=[1.0, np.nan])
    rows = allen_presentations(7, [table]).to_pylist()
    assert [(r["orientation"], r["spatial_frequency"], r["temporal_frequency"], r["x_position"]) for r in rows] == [
        (0.0, 0.04, None, -10.0),
        (90.0, None, None, 10.0),
    ]
    assert [r["frame"] for r in rows] == [1.0, None]
    assert [r["parameters"] for r in rows] == [None, None]


def test_columns_that_differ_by_capitals_and_are_never_both_given_are_one() -> None:
    table = _table(contrast=["0.8", "", ""], Contrast=["", "0.1", ""])
    assert allen_presentations(7, [table])["contrast"].to_pylist() == [0.8, 0.1, None]


def test_columns_that_are_both_given_stay_apart() -> None:
    table = _table(contrast=["0.8", "0.2"], Contrast=["0.1", ""])
    rows = allen_presentations(7, [table]).to_pylist()
    assert [r["contrast"] for r in rows] == [0.8, 0.2]
    assert [r["parameters"] and json.loads(r["parameters"]) for r in rows] == [{"Contrast": 0.1}, None]


def test_presentations_of_several_tables_are_numbered_by_start_unless_the_table_numbers_them() -> None:
    late = IntervalTable("b", {"start_time": np.array([5.0, 1.0]), "id": np.array([0, 1])})
    early = IntervalTable("a", {"start_time": np.array([3.0]), "id": np.array([0])})
    rows = allen_presentations(7, [early, late]).to_pylist()
    assert [(r["stimulus_presentation_id"], r["start_time"], r["source_table"]) for r in rows] == [
        (0, 1.0, "b"),
        (1, 3.0, "a"),
        (2, 5.0, "b"),
    ]
    kept = allen_presentations(7, [late], keep_ids=True).to_pylist()
    assert [(r["stimulus_presentation_id"], r["start_time"]) for r in kept] == [(1, 1.0), (0, 5.0)]


def test_a_stimulus_without_a_name_column_is_named_by_its_table() -> None:
    rows = allen_presentations(7, [_table("flashes_presentations", color=["1.0", "-1.0"])]).to_pylist()
    assert [(r["stimulus_name"], r["color"]) for r in rows] == [("flashes", 1.0), ("flashes", -1.0)]


def test_other_laboratories_parameters_keep_name_type_and_spelling() -> None:
    table = _table("trials", choice=["left", "007"], Ori=np.array([1, 2]), rewarded=np.array([True, False]))
    rows = other_presentations(7, [table]).to_pylist()
    assert [json.loads(r["parameters"]) for r in rows] == [
        {"Ori": 1, "choice": "left", "rewarded": True},
        {"Ori": 2, "choice": "007", "rewarded": False},
    ]
    assert [(r["stimulus_name"], r["orientation"]) for r in rows] == [("trials", None)] * 2


def test_no_tables_give_no_rows() -> None:
    assert allen_presentations(7, []).num_rows == 0
