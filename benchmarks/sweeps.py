"""Sweeps out of a lake against h5py on the file they came from: whole, in windows, as pictures need them; ingest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import brainlake
import h5py
import numpy as np
from brainlake.tests.fixtures.allen_icephys import MadeCell, make_cell, write_nwb1

from .material import Material
from .measure import Row, faster, milliseconds, seconds, within
from .sweep_layout import LONG, SHORT

SPECIMEN = 464212183
N_SWEEPS = 20
SHORT_SWEEP, LONG_SWEEP = 0, 1


def fetching(material: Material) -> list[Row]:
    """Sweeps of 0.6 and 2 M samples at 200 kHz of one cell."""
    path, root = material.directory / "sweeps.nwb", material.directory / "sweeps"
    if not path.exists():
        _write(path)
    took, n_samples = 0.0, 0
    if not root.exists():
        with brainlake.create(root) as lake:
            took, _ = seconds(lambda: lake.ingest(path))
    read = seconds(lambda: [_h5py(path, i) for i in range(N_SWEEPS)])[0]
    rows = [faster("ingest of a cell, 20 sweeps: reading them by h5py", took * 1e3, read * 1e3, "h5py")] if took else []
    with brainlake.open(root) as lake:
        for name, sweep in (("0.6 M", SHORT_SWEEP), ("2 M", LONG_SWEEP)):
            fetch, window, envelope = (
                f"from icephys.{macro}({SPECIMEN}, {sweep}{more})"
                for macro, more in (("sweep", ""), ("sweep_window", ", t0 := 1.02, t1 := 1.03"), ("sweep_envelope", ""))
            )
            got, (stimulus, response) = lake.sql(fetch).one(), _h5py(path, sweep)
            if not (np.array_equal(got.stimulus, stimulus) and np.array_equal(got.response, response)):
                raise RuntimeError(f"sweep {sweep} differs from its file")
            peer = milliseconds(lambda: _h5py(path, sweep))  # noqa: B023
            ours = milliseconds(lambda: lake.sql(fetch).one())  # noqa: B023
            rows.append(faster(f"a sweep of {name} samples to numpy", ours, peer, "h5py", 1.0 if sweep else None))
            asked = milliseconds(lambda: lake.sql(window).arrow())  # noqa: B023
            of_file = milliseconds(lambda: _h5py(path, sweep, slice(204_000, 206_000)))  # noqa: B023
            rows.append(faster(f"10 ms of a sweep of {name} samples", asked, of_file, "h5py"))
            drawn = milliseconds(lambda: lake.sql(envelope).arrow())  # noqa: B023
            rows.append(faster(f"what draws a sweep of {name} samples", drawn, peer, "h5py, every sample", None))
            n_samples = max(n_samples, len(lake.sql(envelope).arrow()))
    size = sum(file.stat().st_size for file in root.rglob("*.parquet"))
    rows.append(within("bytes a sample pair", size / _n_samples(path), 1.0, "B"))
    rows.append(within("rows that draw the longest sweep", n_samples, 20_000, "rows"))
    return rows


def _write(path: Path) -> None:
    """Twenty long squares; longer ones hold the same responses over and over, with noise of their own."""
    rng = np.random.default_rng(0)
    made = make_cell(SPECIMEN, sampling_rate=200_000.0, step=1.0)
    squares = [sweep for sweep in made.sweeps if sweep.stimulus_name == "Long Square"]
    sweeps = []
    for number in range(N_SWEEPS):
        square, n = squares[number % len(squares)], LONG if number % 2 else SHORT
        noise = np.rint(rng.normal(0, 1.2, n)).astype(np.float32) * np.float32(0.03125)
        sweeps.append(
            replace(
                square,
                sweep_number=number,
                response=np.resize(square.response, n) + noise,
                stimulus=np.resize(square.stimulus, n),
            )
        )
    write_nwb1(path, MadeCell(SPECIMEN, tuple(sweeps)))


def _h5py(path: Path, sweep: int, part: slice = slice(None)) -> tuple[np.ndarray, np.ndarray]:
    with h5py.File(path) as file:
        folders = ("stimulus/presentation", "acquisition/timeseries")
        stimulus, response = (file[f"{folder}/Sweep_{sweep}/data"][part] for folder in folders)
    return stimulus, response


def _n_samples(path: Path) -> int:
    with h5py.File(path) as file:
        return sum(len(series["data"]) for series in file["acquisition/timeseries"].values())
