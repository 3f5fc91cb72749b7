"""Spikes of 500 units in 50,000 windows of 50 ms: SQL over the lake against arrays in memory."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import brainlake
import h5py
import numpy as np
from brainlake.lake.held import let_go

from .material import SESSION_ID, Material
from .measure import Row, faster, milliseconds, seconds

N_UNITS, N_WINDOWS, LENGTH_S = 500, 50_000, 0.05
# lazynwb joins every unit with every window, spikes and all: the whole problem needs more memory than any machine has
FEW_UNITS, FEW_WINDOWS = 5, 500
ALLENSDK = "BRAINLAKE_ALLENSDK_PYTHON"  # a Python with allensdk, which pins versions that cannot live beside ours
SUMMED = "select sum(spike_count)::bigint as n from ecephys.spike_counts('my_units', 'my_windows')"


def counting(material: Material) -> list[Row]:
    starts = _starts(material.large_truth.duration)
    trains = material.trains(N_UNITS)
    units = np.array([unit.unit_id for unit in material.large_truth.units[:N_UNITS]])
    truth = _numpy(trains, starts)
    with brainlake.open(material.large_lake) as lake:
        tables = _tables(units, starts)
        if not np.array_equal(_matrix(lake, tables), truth):
            raise RuntimeError("spike_counts differs from numpy.searchsorted")
        summed = milliseconds(lambda: lake.sql(SUMMED, tables=tables).arrow(), 5)
        every = "select spike_count from ecephys.spike_counts('my_units', 'my_windows')"
        all_rows = milliseconds(lambda: lake.sql(every, tables=tables).arrow(), 3)
        few = _tables(units[:FEW_UNITS], starts[:FEW_WINDOWS])
        few_summed = milliseconds(lambda: lake.sql(SUMMED, tables=few).arrow(), 5)
        first = milliseconds(lambda: (let_go(), lake.sql(SUMMED, tables=tables).arrow()), 3)

    def opened() -> None:
        let_go()
        with brainlake.open(material.large_lake) as lake:
            lake.sql(SUMMED, tables=tables).arrow()

    numpy_ms = milliseconds(lambda: _numpy(trains, starts), 3)
    read_ms = milliseconds(lambda: _read(material.large_session), 3)
    expected = int(truth[:FEW_UNITS, :FEW_WINDOWS].sum())
    lazynwb_ms = _lazynwb(material.large_session, units[:FEW_UNITS], starts[:FEW_WINDOWS], expected)
    rows = [
        faster("counts, summed", summed, numpy_ms, "numpy.searchsorted, trains in memory", 3),
        faster("counts, summed, first of a session", first, numpy_ms, "numpy.searchsorted, trains in memory"),
        faster("counts, summed, first of a session", first, read_ms + numpy_ms, "numpy.searchsorted, trains by h5py"),
        faster("counts, all 25 M rows out", all_rows, numpy_ms, "numpy.searchsorted, trains in memory"),
        faster("counts, summed", summed, _pynapple(trains, starts), "pynapple, trains in memory", 2),
        faster(f"{FEW_UNITS} units, {FEW_WINDOWS} windows", few_summed, lazynwb_ms, "lazynwb, from the file"),
    ]
    if python := os.environ.get(ALLENSDK):
        sdk = _allensdk(python, material, trains, starts)
        if sdk["total"] != _numpy(trains, starts, closed=True).sum():
            raise RuntimeError("the Allen SDK counts otherwise than in closed windows")
        rows += [
            faster("counts, summed", summed, sdk["in_memory_ms"], "Allen SDK, trains in memory", 20),
            faster("open, then count", milliseconds(opened, 3), sdk["from_file_ms"], "Allen SDK, from the file", 20),
        ]
    return rows


def _tables(units: np.ndarray, starts: np.ndarray) -> dict[str, Any]:
    """The relations that the question names, as the user's own."""
    return {
        "my_units": {"session_id": np.full(len(units), SESSION_ID), "unit_id": units},
        "my_windows": {
            "session_id": np.full(len(starts), SESSION_ID),
            "window_id": np.arange(len(starts)),
            "start_time": starts,
            "stop_time": starts + LENGTH_S,
        },
    }


def _matrix(lake: brainlake.Lake, tables: dict[str, Any]) -> np.ndarray:
    """(units, windows) counts as the lake has them."""
    found = lake.sql(
        "select unit_id, window_id, spike_count from ecephys.spike_counts('my_units', 'my_windows')", tables=tables
    ).arrow()
    order = np.argsort(units := tables["my_units"]["unit_id"])
    rows = order[np.searchsorted(units[order], found["unit_id"].to_numpy())]
    matrix = np.full((len(units), len(tables["my_windows"]["window_id"])), -1, np.int64)
    matrix[rows, found["window_id"].to_numpy()] = found["spike_count"].to_numpy()
    return matrix


def _starts(duration: float) -> np.ndarray:
    """Sorted starts of disjoint windows, as pynapple wants them, spread over the session."""
    rng = np.random.default_rng(5)
    step = (duration - 20.0) / N_WINDOWS
    return 10.0 + step * np.arange(N_WINDOWS) + rng.uniform(0.0, step - LENGTH_S - 1e-3, N_WINDOWS)


def _numpy(trains: list[np.ndarray], starts: np.ndarray, closed: bool = False) -> np.ndarray:
    """(units, windows) spikes in [start, start + 50 ms), or in the closed interval."""
    counts = np.empty((len(trains), len(starts)), np.int64)
    stops = starts + LENGTH_S
    for row, train in enumerate(trains):
        counts[row] = np.searchsorted(train, stops, "right" if closed else "left") - np.searchsorted(
            train, starts, "left"
        )
    return counts


def _read(path: Path) -> list[np.ndarray]:
    """The trains as a program without a lake reads them."""
    with h5py.File(path) as file:
        ends = file["units/spike_times_index"][:N_UNITS]
        return np.split(file["units/spike_times"][: ends[-1]], ends[:-1])


def _pynapple(trains: list[np.ndarray], starts: np.ndarray) -> float:
    import pynapple as nap

    group = nap.TsGroup({i: nap.Ts(train) for i, train in enumerate(trains)})
    windows = nap.IntervalSet(starts, starts + LENGTH_S)
    return milliseconds(lambda: group.count(ep=windows), 3)


def _lazynwb(session: Path, units: np.ndarray, starts: np.ndarray, expected: int) -> float:
    """Its own way from a file to counts, in ms; it wants the windows as a table of the file too."""
    import lazynwb
    import polars as pl

    path = session.with_name("counting.nwb")
    if not path.exists():
        _with_windows(session, path, starts)
    frame = lazynwb.scan_nwb(path, "units", disable_progress=True)
    windows = lazynwb.scan_nwb(path, "intervals/windows", disable_progress=True)

    def count() -> Any:
        return lazynwb.get_spike_times_in_intervals(
            frame.filter(pl.col("id").is_in(units.tolist())),
            intervals={"n": (pl.col("start_time"), pl.col("stop_time"))},
            intervals_df=windows,
            apply_obs_intervals=False,
            as_counts=True,
            use_process_pool=False,
            disable_progress=True,
        )

    took, counts = seconds(count)
    found = int(counts["n"].sum())
    if found != expected:
        raise RuntimeError(f"lazynwb counted {found} spikes, not {expected}")
    return took * 1e3


def _with_windows(session: Path, path: Path, starts: np.ndarray) -> None:
    """A file with the session's units and a table of the windows."""
    with h5py.File(session) as source, h5py.File(path, "w") as file:
        for name, value in source.attrs.items():
            if name != ".specloc":
                file.attrs[name] = value
        source.copy("units", file)
        table = file.create_group("intervals/windows")
        table.attrs["neurodata_type"], table.attrs["namespace"] = "TimeIntervals", "core"
        table.attrs["colnames"] = ["start_time", "stop_time"]
        table["id"], table["start_time"], table["stop_time"] = np.arange(len(starts)), starts, starts + LENGTH_S


def _allensdk(python: str, material: Material, trains: list[np.ndarray], starts: np.ndarray) -> dict[str, float]:
    """The SDK's times and total, run in its own environment on the same arrays and the same file."""
    given = material.directory / "allensdk.npz"
    ends = np.cumsum([len(train) for train in trains])
    np.savez(given, spikes=np.concatenate(trains), ends=ends, starts=starts, length=LENGTH_S)
    script = Path(__file__).with_name("allensdk_counts.py")
    command = [python, str(script), str(given), str(material.large_session)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    answer: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return answer
