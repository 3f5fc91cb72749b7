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

from .material import SESSION_ID, Material
from .measure import Row, faster, milliseconds, seconds

N_UNITS, N_WINDOWS, LENGTH_S = 500, 50_000, 0.05
FEW = 5  # units that the slowest peer is given; its time is proportional to them
ALLENSDK = "BRAINLAKE_ALLENSDK_PYTHON"  # a Python with allensdk, which pins versions that cannot live beside ours


def counting(material: Material) -> list[Row]:
    starts = _starts(material.large_truth.duration)
    trains = material.trains(N_UNITS)
    units = [unit.unit_id for unit in material.large_truth.units[:N_UNITS]]
    truth = _numpy(trains, starts)
    with brainlake.open(material.large_lake) as lake:
        tables = {
            "my_windows": {
                "session_id": np.full(N_WINDOWS, SESSION_ID),
                "window_id": np.arange(N_WINDOWS),
                "start_time": starts,
                "stop_time": starts + LENGTH_S,
            },
            "my_units": {"session_id": np.full(N_UNITS, SESSION_ID), "unit_id": np.array(units)},
        }
        product = "from ecephys.spike_counts('my_units', 'my_windows')"
        found = lake.sql(f"select unit_id, window_id, spike_count {product}", tables=tables).arrow()
        matrix = np.zeros((N_UNITS, N_WINDOWS), np.int64)
        row = {unit: i for i, unit in enumerate(units)}
        rows = np.array([row[u] for u in found["unit_id"].to_pylist()])
        matrix[rows, found["window_id"].to_numpy()] = found["spike_count"].to_numpy()
        if not np.array_equal(matrix, truth):
            raise RuntimeError("spike_counts differs from numpy.searchsorted")
        del found, matrix
        summed = milliseconds(
            lambda: lake.sql(f"select sum(spike_count)::bigint as n {product}", tables=tables).arrow(), 5
        )
        all_rows = milliseconds(lambda: lake.sql(f"select spike_count {product}", tables=tables).arrow(), 3)
    numpy_ms = milliseconds(lambda: _numpy(trains, starts), 3)
    lines = [
        faster("counts, summed", summed, numpy_ms, "numpy.searchsorted, trains in memory", 3),
        faster("counts, all 25 M rows out", all_rows, numpy_ms, "numpy.searchsorted, trains in memory", 1),
        faster("counts, summed", summed, _pynapple(trains, starts), "pynapple, trains in memory", 2),
        faster("counts, summed", summed, _lazynwb(material.large_session, units[:FEW], starts, int(truth[:FEW].sum())) * (N_UNITS / FEW),
            f"lazynwb from the file, {FEW} units times {N_UNITS // FEW}", 1,
        ),
    ]  # fmt: skip
    python = os.environ.get(ALLENSDK)
    if python:
        took, total = _allensdk(python, trains, starts, material.directory)
        if total == int(_numpy(trains, starts, closed=True).sum()):
            lines.append(faster("counts, summed", summed, took, "Allen SDK, trains in memory", 20))
        else:
            raise RuntimeError("the Allen SDK counts otherwise than its documentation says")
    return lines


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


def _pynapple(trains: list[np.ndarray], starts: np.ndarray) -> float:
    import pynapple as nap

    group = nap.TsGroup({i: nap.Ts(train) for i, train in enumerate(trains)})
    windows = nap.IntervalSet(starts, starts + LENGTH_S)
    return milliseconds(lambda: group.count(ep=windows), 3)


def _lazynwb(session: Path, units: list[int], starts: np.ndarray, expected: int) -> float:
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
            frame.filter(pl.col("id").is_in(units)),
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


def _allensdk(python: str, trains: list[np.ndarray], starts: np.ndarray, directory: Path) -> tuple[float, int]:
    """Milliseconds and total of the SDK's histogram, run in its own environment on the same arrays."""
    given = directory / "allensdk.npz"
    ends = np.cumsum([len(train) for train in trains])
    np.savez(given, spikes=np.concatenate(trains), ends=ends, starts=starts, length=LENGTH_S)
    script = Path(__file__).with_name("allensdk_counts.py")
    done = subprocess.run([python, str(script), str(given)], check=True, capture_output=True, text=True)
    answer = json.loads(done.stdout.splitlines()[-1])
    return float(answer["ms"]), int(answer["total"])
