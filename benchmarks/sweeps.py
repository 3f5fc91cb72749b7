"""Sweeps out of a lake against h5py on the file they came from: whole, in windows, as pictures need them; ingest."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import brainlake
import h5py
import numpy as np
from brainlake.tests.fixtures.allen_icephys import MadeCell, make_cell, write_nwb1

from .material import Material, ingest
from .measure import Row, faster, milliseconds, peak_memory, seconds, within
from .sweep_layout import LONG, SHORT

SPECIMEN = 464212183
N_SWEEPS, MANY_SWEEPS = 20, 100
SHORT_SWEEP, LONG_SWEEP = 0, 1


def fetching(material: Material) -> list[Row]:
    """Sweeps of 0.6 and 2 M samples at 200 kHz of one cell."""
    path, root = _recording(material, N_SWEEPS), material.directory / "sweeps"
    if not root.exists():
        ingest(path, root)
    rows, n_samples = [], 0
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


def ingesting(material: Material) -> list[Row]:
    """Ingest against reading the same sweeps by h5py: of one cell, and of each sweep more; and its memory."""
    paths = [_recording(material, n) for n in (N_SWEEPS, MANY_SWEEPS)]
    root = material.directory / "sweeps_ingested"
    ours = [ingest(path, root) for path in paths]
    peer = [
        seconds(lambda p=path, n=n: [_h5py(p, i) for i in range(n)])[0]
        for path, n in zip(paths, (N_SWEEPS, MANY_SWEEPS), strict=True)
    ]
    rows = [
        faster(f"ingest of a cell, {n} sweeps", took * 1e3, read * 1e3, "h5py, reading only")
        for n, took, read in zip((N_SWEEPS, MANY_SWEEPS), ours, peer, strict=True)
    ]
    more, read = ((many - few) / (MANY_SWEEPS - N_SWEEPS) * 1e3 for few, many in (ours, peer))
    rows.append(faster("each sweep more", more, read, "h5py, reading only", 0.8))
    peaks = [peak_memory(ingest, path, root) for path in paths]
    rows.append(Row(f"peak memory, {N_SWEEPS} sweeps", peaks[0], "MB"))
    rows.append(within("memory while the file grows 5×", peaks[1] / peaks[0], 1.5, "×"))
    return rows


def _recording(material: Material, n_sweeps: int) -> Path:
    path = material.directory / f"sweeps_{n_sweeps}.nwb"
    if not path.exists():
        _write(path, n_sweeps)
    return path


def _write(path: Path, n_sweeps: int) -> None:
    """Long squares; longer ones hold the same responses over and over, with noise of their own."""
    rng = np.random.default_rng(0)
    made = make_cell(SPECIMEN, sampling_rate=200_000.0, step=1.0)
    squares = [sweep for sweep in made.sweeps if sweep.stimulus_name == "Long Square"]
    sweeps = []
    for number in range(n_sweeps):
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
