"""Time series of any NWB file as rows: conversion, offset, and times from a rate or stored."""

from __future__ import annotations

import pytest
from brainlake.tests.fixtures.memory import memory_connection


@pytest.fixture(scope="module")
def lake():
    """``/regular``: integers, two chunks of two samples at 10 Hz from 5 s; ``/irregular``: two columns with stored
    times; ``/notes``: texts."""
    con = memory_connection(
        {
            "nwb.stored_series": {
                "file_id": [1, 1, 1],
                "path": ["/regular", "/irregular", "/notes"],
                "unit": ["V", "m", None],
                "conversion": [0.5, None, None],
                "value_offset": [1.0, None, None],
                "rate": [10.0, None, None],
                "starting_time": [5.0, None, None],
            },
            "nwb.series_chunks": {
                "file_id": [1] * 5,
                "path": ["/regular", "/regular", "/irregular", "/irregular", "/notes"],
                "column_index": [0, 0, 0, 1, 0],
                "chunk": [0, 1, 0, 0, 0],
                "first_sample": [0, 2, 0, 0, 0],
                "timestamps": [None, None, [0.1, 0.7], None, [3.0]],
                "integers": [[2, 4], [6, 8], None, None, None],
                "reals": [None, None, [1.5, 2.5], [3.5, 4.5], None],
                "texts": [None, None, None, None, ["licked"]],
            },
            "nwb.tables": {
                "file_id": [1],
                "path": ["/units"],
                "n_rows": [0],
                "columns": ['[{"name": "snr", "type": "double", "description": "signal to noise"}]'],
            },
        }
    )
    yield con
    con.close()


def test_samples_are_converted_and_timed_by_the_rate_over_chunks(lake):
    assert lake.sql(
        "select sample, timestamp, value, unit from nwb.series where file_id = 1 and path = '/regular' order by 1"
    ).fetchall() == [(0, 5.0, 2.0, "V"), (1, 5.1, 3.0, "V"), (2, 5.2, 4.0, "V"), (3, 5.3, 5.0, "V")]


def test_every_column_has_the_stored_times(lake):
    assert lake.sql(
        "select column_index, timestamp, value from nwb.series where path = '/irregular' order by 1, 2"
    ).fetchall() == [(0, 0.1, 1.5), (0, 0.7, 2.5), (1, 0.1, 3.5), (1, 0.7, 4.5)]


def test_a_text_series_has_texts(lake):
    assert lake.sql("select timestamp, value, text_value from nwb.series where path = '/notes'").fetchall() == [
        (3.0, None, "licked")
    ]


def test_table_columns_are_listed_from_the_declaration(lake):
    assert lake.sql("from nwb.table_columns").fetchall() == [(1, "/units", "snr", "double", "signal to noise")]
