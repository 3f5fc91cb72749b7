"""How to store spikes: long rows in several orders and encodings against LISTs, on one generated session.

The spike table's layout (``ecephys.spike_trains``) was chosen by this comparison; docs/spike-layout.md holds its result.
Bytes a spike, and DuckDB's time for the three questions that everything else is made of: one unit's 600 s, all units'
10 s, every unit's number of spikes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from brainlake.tests.fixtures.allen_truth import Truth

from .measure import milliseconds, number

BLOCK_S = 600.0
ROW_GROUP = 131_072
WINDOW, MOMENT = (1000.0, 1600.0), (1000.0, 1010.0)


@dataclass(frozen=True)
class Spikes:
    """All spikes of a session, sorted by unit and time."""

    unit_id: np.ndarray
    time: np.ndarray
    tick: np.ndarray
    amplitude: np.ndarray
    rate: np.ndarray  # (spikes,) of the unit's clock, Hz
    shift: np.ndarray

    @property
    def block(self) -> np.ndarray:
        return np.floor(self.time / BLOCK_S).astype(np.int32)


@dataclass(frozen=True)
class Layout:
    """One way to store spikes.

    write : spikes, path -> the file
    view : path -> SQL relation (unit_id, spike_time [, time_block])
    totals : path -> SQL that counts every unit's spikes; by default over the view
    """

    name: str
    write: Callable[[Spikes, Path], None]
    view: Callable[[Path], str]
    has_block: bool = False
    totals: Callable[[Path], str] | None = None


def session(n_spikes: int, n_units: int = 1000, duration: float = 9600.0) -> tuple[Truth, Spikes]:
    """A generated session's spikes. Times off the clock (the few of the boundary unit) are moved onto it."""
    truth = Truth(n_units=n_units, n_spikes=n_spikes, n_probes=6, duration=duration)
    parts: list[tuple[np.ndarray, ...]] = []
    for unit in truth.units:
        times, amplitudes = truth.train(unit.unit_id), truth.amplitudes(unit.unit_id)
        clock = truth.probes[unit.probe]
        tick = np.rint((times + clock.time_shift) * clock.sampling_rate).astype(np.int64)
        rate, shift = np.full(len(tick), clock.sampling_rate), np.full(len(tick), clock.time_shift)
        identity = np.full(len(tick), unit.unit_id)
        parts.append((identity, tick / rate - shift, tick, amplitudes.astype(np.float32), rate, shift))
    return truth, Spikes(*(np.concatenate(column) for column in zip(*parts, strict=True)))


def _write(
    path: Path, columns: Mapping[str, np.ndarray], encodings: Mapping[str, str], row_group: int = ROW_GROUP
) -> None:
    table = pa.table(dict(columns))
    labels = [name for name in columns if name not in encodings]
    pq.write_table(
        table,
        path,
        row_group_size=row_group,
        compression="zstd",
        use_dictionary=labels,
        column_encoding=dict(encodings),
    )


def _long(order: str, value: str, amplitudes: bool) -> Callable[[Spikes, Path], None]:
    """Long rows. order : "unit", "time" or "block"; value : "seconds" or "ticks"."""

    def write(spikes: Spikes, path: Path) -> None:
        keys = {
            "unit": None,
            "time": (spikes.time,),
            "block": (spikes.time, spikes.unit_id, spikes.block),
        }[order]
        chosen = slice(None) if keys is None else np.lexsort(keys)
        columns: dict[str, np.ndarray] = {"unit_id": spikes.unit_id[chosen]}
        encodings = {}
        if order == "block":
            columns["time_block"] = spikes.block[chosen]
        if value == "seconds":
            columns["spike_time"], encodings["spike_time"] = spikes.time[chosen], "BYTE_STREAM_SPLIT"
        else:
            columns["spike_tick"], encodings["spike_tick"] = spikes.tick[chosen], "DELTA_BINARY_PACKED"
            # the clock travels with the row, as dictionary runs that cost nothing, so that no join is needed
            columns["clock_rate"], columns["clock_shift"] = spikes.rate[chosen], spikes.shift[chosen]
        if amplitudes:
            columns["spike_amplitude"], encodings["spike_amplitude"] = spikes.amplitude[chosen], "BYTE_STREAM_SPLIT"
        _write(path, columns, encodings)

    return write


def _lists(row_group_spikes: int, amplitudes: bool) -> Callable[[Spikes, Path], None]:
    """One row a (block, unit) with its spikes as a LIST; row groups are counted in spikes."""

    def write(spikes: Spikes, path: Path) -> None:
        order = np.lexsort((spikes.time, spikes.unit_id, spikes.block))
        block, unit = spikes.block[order], spikes.unit_id[order]
        changes = np.flatnonzero((np.diff(block) != 0) | (np.diff(unit) != 0)) + 1
        offsets = np.concatenate([[0], changes, [len(order)]])
        first = offsets[:-1]

        def lists(values: np.ndarray) -> pa.Array:
            return pa.ListArray.from_arrays(pa.array(offsets.astype(np.int32)), pa.array(values[order]))

        columns = {
            "time_block": pa.array(block[first]),
            "unit_id": pa.array(unit[first]),
            "n_spikes": pa.array(np.diff(offsets).astype(np.int32)),
            "clock_rate": pa.array(spikes.rate[order][first]),
            "clock_shift": pa.array(spikes.shift[order][first]),
            "spike_ticks": lists(spikes.tick),
        }
        encodings = {"spike_ticks.list.element": "DELTA_BINARY_PACKED"}
        if amplitudes:
            columns["spike_amplitudes"] = lists(spikes.amplitude)
            encodings["spike_amplitudes.list.element"] = "BYTE_STREAM_SPLIT"
        table = pa.table(columns)
        labels = ["time_block", "unit_id", "n_spikes", "clock_rate", "clock_shift"]
        with pq.ParquetWriter(
            path, table.schema, compression="zstd", use_dictionary=labels, column_encoding=encodings
        ) as writer:
            row = 0
            while row < len(first):
                end = max(int(np.searchsorted(offsets, offsets[row] + row_group_spikes, "right")) - 1, row + 1)
                writer.write_table(table.slice(row, end - row), row_group_size=end - row)
                row = end

    return write


def _seconds_view(path: Path) -> str:
    return f"(select unit_id, spike_time from '{path}')"


def _ticks_view(path: Path) -> str:
    return f"(select unit_id, spike_tick / clock_rate - clock_shift as spike_time from '{path}')"


def _blocks_view(path: Path) -> str:
    return f"(select unit_id, time_block, spike_tick / clock_rate - clock_shift as spike_time from '{path}')"


def _lists_view(path: Path) -> str:
    return f"""(
        select unit_id, time_block, spike_tick / clock_rate - clock_shift as spike_time
        from (select unit_id, time_block, clock_rate, clock_shift, unnest(spike_ticks) as spike_tick from '{path}'))"""


def _stored_totals(path: Path) -> str:
    return f"select unit_id, sum(n_spikes)::bigint as n from '{path}' group by unit_id"


def layouts() -> Iterator[Layout]:
    """What is compared, from the plainest to the chosen one."""
    yield Layout(
        "A′ long, by unit and time: float64 seconds (byte stream split)", _long("unit", "seconds", False), _seconds_view
    )
    yield Layout("A″ long, by unit and time: ticks (delta)", _long("unit", "ticks", False), _ticks_view)
    yield Layout("D long, by time: ticks (delta)", _long("time", "ticks", False), _ticks_view)
    yield Layout("G long, by block, unit and time: ticks", _long("block", "ticks", False), _blocks_view, True)
    for spikes in (65_536, 131_072, 262_144):
        yield Layout(
            f"L LIST a (block, unit): ticks, row groups of {spikes:,} spikes",
            _lists(spikes, False), _lists_view, True, _stored_totals,
        )  # fmt: skip
    yield Layout("G with float32 amplitudes", _long("block", "ticks", True), _blocks_view, True)
    yield Layout("L (131,072) with float32 amplitudes", _lists(131_072, True), _lists_view, True, _stored_totals)


def compare(directory: Path, n_spikes: int = 44_000_000) -> str:
    """Write every layout, ask every question, and return the result as a Markdown table."""
    truth, spikes = session(n_spikes)
    n, unit = len(spikes.time), int(truth.units[500].unit_id)
    inside = (spikes.time >= MOMENT[0]) & (spikes.time < MOMENT[1])
    own = spikes.time[spikes.unit_id == unit]
    expected = (int(((own >= WINDOW[0]) & (own < WINDOW[1])).sum()), int(inside.sum()), len(np.unique(spikes.unit_id)))
    lines = [
        f"{n:,} spikes of {len(truth.units):,} units on {len(truth.probes)} probes over {truth.duration:,.0f} s.",
        "",
        "| layout | bytes a spike | one unit, 600 s | with its blocks | all units, 10 s | with its block | totals |",
        "|---|---:|---:|---:|---:|---:|---:|",
    ]
    con = duckdb.connect()
    for layout in layouts():
        path = directory / "layout.parquet"
        layout.write(spikes, path)
        view, size = layout.view(path), path.stat().st_size
        totals = (layout.totals or (lambda p: f"select unit_id, count(*) from {layout.view(p)} group by unit_id"))(path)  # noqa: B023
        of_unit = f"select count(*) from {view} where unit_id = {unit} and spike_time >= 1000 and spike_time < 1600"
        of_all = f"select count(*) from {view} where spike_time >= 1000 and spike_time < 1010"
        questions = [
            (of_unit, expected[0]),
            (f"{of_unit} and time_block between 1 and 2" if layout.has_block else None, expected[0]),
            (of_all, expected[1]),
            (f"{of_all} and time_block = 1" if layout.has_block else None, expected[1]),
            (f"select count(*) from ({totals})", expected[2]),
        ]
        cells = []
        for sql, answer in questions:
            if sql is None:
                cells.append("")
                continue
            found = con.execute(sql).fetchone()
            if found != (answer,):
                raise RuntimeError(f"{layout.name}: {sql} gave {found}, not {answer}")
            cells.append(f"{number(milliseconds(lambda: con.execute(sql).fetchall()))} ms")  # noqa: B023
        lines.append(f"| {layout.name} | {size / n:.2f} | " + " | ".join(cells) + " |")
        path.unlink()
    con.close()
    return "\n".join(lines) + "\n"
