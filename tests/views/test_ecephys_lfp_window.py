"""LFP within windows of time, over chunk boundaries and invalid times."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import duckdb
import numpy as np
import pytest
from brainlake.tests.fixtures.memory import memory_connection

SCALE = 0.195e-6
# 100 Hz from 1 s in chunks of 10 samples; channel 1 holds counts 0 ... 29, channel 2 plain samples 30 ... 59 uV.
TIMES = 1.0 + np.arange(30) / 100


@pytest.fixture(scope="module")
def con() -> Iterator[duckdb.DuckDBPyConnection]:
    pieces = [(channel, chunk, slice(10 * chunk, 10 * chunk + 10)) for channel in (1, 2) for chunk in range(3)]
    con = memory_connection(
        {
            "ecephys.lfp_chunks": {
                "session_id": [1] * 6,
                "probe_id": [5] * 6,
                "channel_id": [channel for channel, _, _ in pieces],
                "chunk": [chunk for _, chunk, _ in pieces],
                "first_sample": [part.start for _, _, part in pieces],
                "n_samples": [10] * 6,
                "start_time": [TIMES[part][0] for _, _, part in pieces],
                "stop_time": [TIMES[part][-1] for _, _, part in pieces],
                "scale": [SCALE if channel == 1 else None for channel, _, _ in pieces],
                "counts": [np.arange(30)[part] if channel == 1 else None for channel, _, part in pieces],
                "samples": [np.arange(30, 60)[part] * 1e-6 if channel == 2 else None for channel, _, part in pieces],
            },
            "ecephys.lfp_times": {
                "session_id": [1] * 3,
                "probe_id": [5] * 3,
                "chunk": [0, 1, 2],
                "first_sample": [0, 10, 20],
                "timestamps": [TIMES[:10], TIMES[10:20], TIMES[20:]],
            },
            "ecephys.nwb_probes": {"session_id": [1], "probe_id": [5], "name": ["probeA"], "source_probe_id": ["a"]},
            "ecephys.invalid_times": {
                "session_id": [1, 1],
                "invalid_time_id": [0, 1],
                "start_time": [1.25, 1.0],
                "stop_time": [1.26, 2.0],
                "tags": [["EcephysProbe", "5", "probeA"], ["EcephysProbe", "6", "probeB"]],
            },
        }
    )
    con.execute("create table channels as select 1 as session_id, 5 as probe_id, unnest([1, 2]) as channel_id")
    yield con
    con.close()


def window(con: duckdb.DuckDBPyConnection, start: float, stop: float, options: str = "") -> list[tuple[Any, ...]]:
    return con.execute(f"""
        with w as (select 1 as session_id, 'w' as window_id, {start} as start_time, {stop} as stop_time)
        select channel_id, timestamp, lfp from ecephys.lfp_window('channels', 'w'{options}) order by all""").fetchall()


def test_a_window_is_half_open_and_goes_on_over_chunks(con: duckdb.DuckDBPyConnection) -> None:
    assert window(con, TIMES[8], TIMES[12]) == [
        *((1, TIMES[n], float(np.float32(n * SCALE))) for n in (8, 9, 10, 11)),
        *((2, TIMES[n], float(np.float32((30 + n) * 1e-6))) for n in (8, 9, 10, 11)),
    ]


def test_a_window_without_samples_is_empty(con: duckdb.DuckDBPyConnection) -> None:
    assert window(con, 1.001, 1.002) == []
    assert window(con, 5.0, 6.0) == []
    assert window(con, 1.2, 1.1) == []


def test_invalid_samples_are_null_unless_asked_for(con: duckdb.DuckDBPyConnection) -> None:
    """EC-5: both ends are invalid; another probe's interval does not matter."""
    assert [v is None for _, _, v in window(con, 1.24, 1.275)][:4] == [False, True, True, False]
    assert [v is None for _, _, v in window(con, 1.24, 1.275, ", masked := false")] == [False] * 8


def test_nothing_is_there_on_an_empty_lake() -> None:
    con = memory_connection()
    con.execute("create table w as select 1 as session_id, 1 as window_id, 0.0 as start_time, 1.0 as stop_time")
    assert con.execute("from ecephys.lfp_window('ecephys.lfp_channels', 'w')").fetchall() == []
    con.close()
