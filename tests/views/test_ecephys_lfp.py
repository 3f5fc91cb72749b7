"""LFP: samples with their times, masked where invalid, and averaged around events."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from brainlake.tests.fixtures.memory import memory_connection

SESSION, PROBE, RATE, SCALE = 7, 70, 100.0, 0.195e-6
CHUNK = 1000  # samples a chunk; the lake's own chunks have 65,536, which no query relies on
TIMES = 5.0 + np.arange(2500) / RATE
COUNTS = {
    701: np.arange(2500, dtype=np.int32),
    702: np.random.default_rng(1).integers(-3000, 3000, 2500).astype(np.int32),
}
EVENTS = [
    6.0,
    6.0,
    15.0,
    14.996,
    29.0,
    5.02,
    29.98,
    100.0,
    -3.0,
]  # two at once; 15.0 lies at a chunk's edge; the last two outside


def volts(channel: int) -> np.ndarray:
    return (COUNTS[channel] * SCALE).astype(np.float32)


def rows(invalid: list[dict[str, Any]] | None = None, as_counts: bool = True) -> dict[str, Any]:
    chunks: list[dict[str, Any]] = []
    for channel, counts in COUNTS.items():
        for number, first in enumerate(range(0, 2500, CHUNK)):
            part = counts[first : first + CHUNK]
            times = TIMES[first : first + CHUNK]
            chunks.append(
                {
                    "session_id": SESSION, "probe_id": PROBE, "channel_id": channel, "chunk": number,
                    "first_sample": first, "n_samples": len(part), "start_time": times[0], "stop_time": times[-1],
                    "scale": SCALE if as_counts else None, "counts": part.tolist() if as_counts else None,
                    "samples": None if as_counts else (part * SCALE).astype(np.float32).tolist(),
                }
            )  # fmt: skip
    times = [
        {
            "session_id": SESSION,
            "probe_id": PROBE,
            "chunk": n,
            "first_sample": f,
            "timestamps": TIMES[f : f + CHUNK].tolist(),
        }
        for n, f in enumerate(range(0, 2500, CHUNK))
    ]
    probe = {"session_id": SESSION, "probe_id": PROBE, "name": "probeA", "source_probe_id": "probeA"}
    given = {
        "ecephys.lfp_chunks": columns(chunks),
        "ecephys.lfp_times": columns(times),
        "ecephys.nwb_probes": columns([probe]),
    }
    if invalid:
        given["ecephys.invalid_times"] = columns(invalid)
    return given


def columns(records: list[dict[str, Any]]) -> dict[str, list[Any]]:
    return {name: [r[name] for r in records] for name in records[0]}


def invalid(number: int, start: float, stop: float, label: str) -> dict[str, Any]:
    tags = ["EcephysProbe", str(PROBE), label]
    return {"session_id": SESSION, "invalid_time_id": number, "start_time": start, "stop_time": stop, "tags": tags}


@pytest.fixture(params=[True, False], ids=["counts", "samples"])
def con(request):
    con = memory_connection(rows(as_counts=request.param))
    yield con
    con.close()


def test_every_sample_has_its_time_and_its_recorded_value(con):
    query = "select timestamp, lfp from ecephys.lfp where channel_id = ? order by timestamp"
    for channel in COUNTS:
        found = con.execute(query, [channel]).fetchnumpy()
        assert np.array_equal(found["timestamp"], TIMES)
        assert np.array_equal(found["lfp"], volts(channel))  # bit by bit the float32 of the file


def test_samples_in_invalid_times_of_the_probe_are_null_ends_included():
    """Closed intervals tagged with the probe's name or all_probes; another probe's do not count (EC-5)."""
    tagged = [
        invalid(0, TIMES[10], TIMES[12], "probeA"),
        invalid(1, TIMES[995], TIMES[1004], "all_probes"),  # over a chunk's edge
        invalid(2, TIMES[50], TIMES[60], "probeB"),
        invalid(3, TIMES[70], TIMES[80], "stimulus"),
    ]
    con = memory_connection(rows(tagged))
    found = con.execute("select lfp, raw_lfp from ecephys.lfp where channel_id = 701 order by timestamp").fetchnumpy()
    masked = np.flatnonzero(np.ma.getmaskarray(found["lfp"]))
    assert masked.tolist() == [10, 11, 12, *range(995, 1005)]
    assert np.array_equal(found["raw_lfp"], volts(701))
    con.close()


def brute_force(
    channel: int, before: int, after: int, valid: np.ndarray | None = None
) -> tuple[np.ndarray, np.ndarray]:
    """Mean over the samples nearest to each event, by plain loops."""
    values = volts(channel).astype(np.float64)
    valid = np.ones(len(values), dtype=bool) if valid is None else valid
    total, number = np.zeros(before + after + 1), np.zeros(before + after + 1)
    for event in EVENTS:
        if event < TIMES[0] - 1 / RATE or event > TIMES[-1] + 1 / RATE:
            continue
        nearest = int(np.argmin(np.abs(TIMES - event)))
        for k in range(-before, after + 1):
            if 0 <= nearest + k < len(values) and valid[nearest + k]:
                total[k + before] += values[nearest + k]
                number[k + before] += 1
    return total / number, number


QUERY = """
    with events as (select 7 as session_id, unnest(?::double[]) as event_time),
         channels as (select 7 as session_id, 70 as probe_id, unnest([701, 702]) as channel_id)
    select channel_id, time_from_event, lfp, n_samples
    from ecephys.lfp_average('events', 'channels', before := 0.2, after := 0.3)
    order by channel_id, time_from_event
"""


def test_the_average_around_events_equals_plain_loops_also_over_chunk_edges(con):
    found = con.execute(QUERY, [EVENTS]).fetchnumpy()
    for channel in COUNTS:
        of = found["channel_id"] == channel
        mean, number = brute_force(channel, 20, 29)
        assert np.allclose(found["time_from_event"][of], np.arange(-20, 30) / RATE, rtol=0, atol=1e-12)
        assert np.array_equal(found["n_samples"][of], number)
        assert np.allclose(found["lfp"][of], mean, rtol=1e-12)


def test_masked_samples_do_not_enter_the_average():
    con = memory_connection(rows([invalid(0, TIMES[95], TIMES[105], "probeA")]))
    valid = np.ones(len(TIMES), dtype=bool)
    valid[95:106] = False
    found = con.execute(QUERY, [EVENTS]).fetchnumpy()
    mean, number = brute_force(702, 20, 29, valid)
    of = found["channel_id"] == 702
    assert np.array_equal(found["n_samples"][of], number)
    assert np.allclose(found["lfp"][of], mean, rtol=1e-12)
    con.close()


def test_windows_around_events_are_the_samples_themselves(con):
    query = QUERY.replace("lfp_average", "lfp_aligned").replace("lfp, n_samples", "lfp, event_time")
    found = con.execute(query + ", event_time", [[15.0]]).fetchnumpy()
    of = found["channel_id"] == 702
    assert np.array_equal(found["lfp"][of], volts(702)[980:1030])
    assert found["event_time"][of].tolist() == [15.0] * 50


def test_conditions_of_the_events_and_columns_of_the_channels_come_along(con):
    query = """
        with events as (
                select 7 as session_id, t as event_time, c as condition
                from (values (6.0, 'a'), (15.0, 'b'), (29.0, 'b')) as e(t, c)),
             channels as (select 7 as session_id, 70 as probe_id, 702 as channel_id, 'CA1' as structure_acronym)
        select structure_acronym, condition, lfp, n_samples
        from ecephys.lfp_average('events', 'channels', before := 0.01, after := 0.01)
        where time_from_event = 0
        order by condition
    """
    mean_b = (float(volts(702)[1000]) + float(volts(702)[2400])) / 2
    assert con.execute(query).fetchall() == [("CA1", "a", float(volts(702)[100]), 1), ("CA1", "b", mean_b, 2)]


def test_no_events_give_no_rows(con):
    assert con.execute(QUERY, [[]]).fetchall() == []
    assert con.execute(QUERY, [[1e6]]).fetchall() == []


def test_an_empty_lake_answers():
    con = memory_connection()
    assert con.execute("from ecephys.lfp").fetchall() == []
    assert con.execute("from ecephys.lfp_masks").fetchall() == []
    con.close()
