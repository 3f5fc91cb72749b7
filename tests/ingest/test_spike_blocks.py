"""Spikes unit by unit become rows by block of 600 s and unit, whatever the pieces and the memory."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from brainlake.ingest.clock import Clock
from brainlake.ingest.spike_blocks import SpikeBlocks
from brainlake.ingest.spool import Spool

RATE, SHIFT = 30_000.0, 0.0


def _rows(blocks: SpikeBlocks, clocks: dict[int, Clock] | None = None) -> list[dict]:
    batches = list(blocks.batches(clocks or {}))
    return pa.Table.from_batches(batches).to_pylist() if batches else []


@pytest.mark.parametrize("budget", [1 << 30, 4_096, 0])
def test_every_spike_is_stored_once_in_order_of_block_and_unit(budget: int) -> None:
    rng = np.random.default_rng(0)
    trains = {unit: np.sort(rng.uniform(0, 3_000, 500)) for unit in (30, 10, 20)}
    with SpikeBlocks(7, True, budget=budget) as blocks:
        for unit, train in trains.items():
            for piece in np.split(train, [100, 101, 400]):
                blocks.add(unit, piece, piece * 1e-6)
        rows = _rows(blocks)
    keys = [(row["time_block"], row["unit_id"]) for row in rows]
    assert keys == sorted(keys)
    for unit, train in trains.items():
        mine = [row for row in rows if row["unit_id"] == unit]
        assert [t for row in mine for t in row["spike_times"]] == train.tolist()
        amplitudes = [a for row in mine for a in row["spike_amplitudes"]]
        assert amplitudes == (train * 1e-6).astype(np.float32).tolist()
        for row in mine:
            assert {int(t // 600) for t in row["spike_times"]} == {row["time_block"]}


def test_unsorted_spikes_are_sorted_stably_with_their_amplitudes() -> None:
    with SpikeBlocks(7, True) as blocks:
        blocks.add(1, np.array([3.0, 1.0]), np.array([30.0, 10.0]))
        blocks.add(1, np.array([2.0, 1.0]), np.array([20.0, 11.0]))
        (row,) = _rows(blocks)
    assert row["spike_times"] == [1.0, 1.0, 2.0, 3.0]
    assert row["spike_amplitudes"] == [10.0, 11.0, 20.0, 30.0]


def test_negative_times_are_dropped_only_where_they_mark_unsynchronised_spikes() -> None:
    times = np.array([-1.0, -0.5, 0.0, 4.0])
    with SpikeBlocks(7, False, drop_negative=True) as blocks:
        blocks.add(1, times)
        assert [row["spike_times"] for row in _rows(blocks)] == [[0.0, 4.0]]
        assert (blocks.counts[1].n_spikes, blocks.counts[1].n_negative) == (2, 2)
    with SpikeBlocks(7, False) as blocks:
        blocks.add(1, times)
        assert [(row["time_block"], row["spike_times"]) for row in _rows(blocks)] == [
            (-1, [-1.0, -0.5]),
            (0, [0.0, 4.0]),
        ]


def test_times_that_are_no_number_are_counted_and_left_out() -> None:
    with SpikeBlocks(7, False) as blocks:
        blocks.add(1, np.array([np.nan]))
        blocks.add(1, np.array([1.0, np.nan, 0.5]))
        assert [row["spike_times"] for row in _rows(blocks)] == [[0.5, 1.0]]
        assert blocks.counts[1].n_nan == 2


def test_a_spike_on_a_block_edge_belongs_to_the_block_it_opens() -> None:
    before = np.nextafter(600.0, 0)
    with SpikeBlocks(7, False) as blocks:
        blocks.add(1, np.array([before, 600.0, 1_200.0]))
        found = [(row["time_block"], row["spike_times"]) for row in _rows(blocks)]
    expected: dict[int, list[float]] = {}
    for time in (before, 600.0, 1_200.0):  # as SQL computes it
        expected.setdefault(int(np.floor(time / 600.0)), []).append(float(time))
    assert found == sorted(expected.items())


def test_a_row_holds_ticks_only_if_each_of_its_times_comes_back() -> None:
    on_grid = np.arange(0, 30_000, 300) / RATE
    off_grid = on_grid + 1e-7
    with SpikeBlocks(7, False) as blocks:
        blocks.add(1, np.concatenate((on_grid, 600 + on_grid)))
        blocks.add(2, np.concatenate((on_grid, 600 + off_grid)))
        rows = _rows(blocks, {1: Clock(RATE), 2: Clock(RATE)})
    ticked = {(row["time_block"], row["unit_id"]): row["spike_ticks"] is not None for row in rows}
    assert ticked == {(0, 1): True, (1, 1): True, (0, 2): True, (1, 2): False}
    assert rows[0]["spike_ticks"][:3] == [0, 300, 600]
    assert (rows[0]["clock_rate"], rows[0]["clock_shift"], rows[0]["spike_times"]) == (RATE, 0.0, None)
    assert (rows[3]["clock_rate"], rows[3]["clock_shift"]) == (None, None)
    assert rows[3]["spike_times"] == (600 + off_grid).tolist()


def test_each_device_has_its_own_clock() -> None:
    rates = {"a": 30_000.0, "b": 29_999.9700560591}
    rng = np.random.default_rng(3)
    with SpikeBlocks(7, False) as blocks:
        for unit, device in ((1, "a"), (2, "b"), (3, None)):
            rate = rates.get(device or "", 1.0)
            blocks.add(unit, np.sort(rng.integers(0, 9_000_000, 5_000)) / rate if device else rng.uniform(0, 9, 50))
        clocks = blocks.clocks({1: "a", 2: "b"}, {d: (r,) for d, r in rates.items()})
        assert {u: c.rate for u, c in clocks.items()} == {1: 30_000.0, 2: 29_999.9700560591}


def test_a_time_that_cannot_be_seconds_is_refused() -> None:
    with SpikeBlocks(7, False) as blocks, pytest.raises(ValueError, match="no time in seconds"):
        blocks.add(5, np.array([1.0, 1e18]))


def test_a_spool_gives_back_any_range_from_memory_and_file() -> None:
    with Spool(np.float64, budget=80) as spool:
        pieces = [np.arange(start, start + 4, dtype=float) for start in range(0, 40, 4)]
        assert [spool.append(piece) for piece in pieces] == list(range(0, 40, 4))
        for start, stop in ((0, 4), (2, 10), (6, 30), (39, 40), (5, 5)):
            assert spool.read(start, stop).tolist() == list(range(start, stop))
