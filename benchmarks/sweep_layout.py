"""How to store sweeps: one LIST, chunks, or long rows, in several encodings, against h5py on the file they come from.

The layout of ``icephys.stored_traces`` was chosen by this comparison; docs/sweep-layout.md holds its result.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import duckdb
import h5py
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from brainlake.ingest.icephys_samples import packed, quantised
from brainlake.tests.fixtures.spiking_neuron import Neuron
from brainlake.udfs.registry import Ragged
from brainlake.udfs.sweep_traces import unpacked_samples, unpacked_samples_between

from .measure import milliseconds, number

RATE = 200_000.0
CHUNK = 65_536
SHORT, LONG = 600_000, 2_000_000  # samples of a long square, and of a long noise sweep
WINDOW = (300_000, 302_000)  # 10 ms
N_SWEEPS = 12
ASKED = 5  # sweep that is fetched


@dataclass(frozen=True)
class Trace:
    """A current-clamp sweep: stimulus and response, float32, A and V."""

    stimulus: np.ndarray
    response: np.ndarray


@dataclass(frozen=True)
class Layout:
    """One way to store sweeps.

    tables : of one sweep, each a row group; whole, window : SQL for sweep ASKED, from ``{path}``
    decode : arrays of the answer, and the samples asked for or None for all -> stimulus and response
    """

    name: str
    tables: Callable[[int, Trace], Iterator[pa.Table]]
    dictionary: tuple[str, ...]
    encodings: dict[str, str]
    whole: str
    window: str
    decode: Callable[[list[Any], tuple[int, int] | None], list[np.ndarray]] | None = None


def make_traces(n_samples: int, n_sweeps: int = N_SWEEPS) -> list[Trace]:
    """Noisy responses of a made-up neuron to steps of current, in steps of 0.03125 mV."""
    rng, neuron, traces = np.random.default_rng(0), Neuron(), []
    for i in range(n_sweeps):
        current = np.zeros(n_samples)
        current[n_samples // 3 : n_samples // 2] = (i - 3) * 30e-12
        response, _ = neuron.respond(current, RATE)
        noisy = response * 1e3 + rng.normal(0, 0.05, n_samples)
        millivolts = (np.rint(noisy / 0.03125) * 0.03125).astype(np.float32)
        traces.append(Trace(current.astype(np.float32), millivolts * np.float32(1e-3)))
    return traces


def _list(values: np.ndarray) -> pa.Array:
    return pa.ListArray.from_arrays(pa.array([0, len(values)], pa.int32()), pa.array(values))


def _one_list(sweep: int, trace: Trace) -> Iterator[pa.Table]:
    yield pa.table({"sweep": [sweep], "stimulus": _list(trace.stimulus), "response": _list(trace.response)})


def _codes(sweep: int, trace: Trace) -> Iterator[pa.Table]:
    found = quantised(trace.response)
    if found is None:
        raise RuntimeError("the traces are no digitiser's")
    codes, levels = found
    yield pa.table(
        {"sweep": [sweep], "stimulus": _list(trace.stimulus), "response": _list(codes), "levels": _list(levels)}
    )


def _packed(sweep: int, trace: Trace) -> Iterator[pa.Table]:
    columns: dict[str, Any] = {"sweep": [sweep]}
    for name, values in (("stimulus", trace.stimulus), ("response", trace.response)):
        found = quantised(values)
        if found is None:
            raise RuntimeError("the traces are no digitiser's")
        columns |= {name: pa.array([packed(found[0])], pa.binary()), f"{name}_levels": _list(found[1])}
    yield pa.table(columns)


def _looked_up(arrays: list[Any], _part: tuple[int, int] | None) -> list[np.ndarray]:
    return [arrays[0], arrays[2].astype(np.float32)[arrays[1]]]


def _unpacked(arrays: list[Any], part: tuple[int, int] | None) -> list[np.ndarray]:
    found = []
    for content, levels in (arrays[:2], arrays[2:]):
        given = Ragged.of([content]), Ragged.of([levels])
        if part is None:
            found.append(unpacked_samples(*given).values)
        else:
            found.append(unpacked_samples_between(*given, np.array(part[:1]), np.array(part[1:])).values)
    return found


def _chunks(sweep: int, trace: Trace) -> Iterator[pa.Table]:
    starts = range(0, len(trace.response), CHUNK)
    yield pa.table(
        {
            "sweep": [sweep] * len(starts),
            "chunk": list(starts),
            "stimulus": pa.array([trace.stimulus[a : a + CHUNK] for a in starts]),
            "response": pa.array([trace.response[a : a + CHUNK] for a in starts]),
        }
    )


def _long(sweep: int, trace: Trace) -> Iterator[pa.Table]:
    n = len(trace.response)
    yield pa.table(
        {
            "sweep": np.full(n, sweep, np.int32),
            "i": np.arange(n, dtype=np.int32),
            "stimulus": trace.stimulus,
            "response": trace.response,
        }
    )


def layouts() -> Iterator[Layout]:
    """What is compared; the last is the chosen one."""
    low, high = WINDOW
    rows = "select stimulus, response from '{path}' where sweep = 5"
    part = f"select stimulus[{low + 1}:{high}], response[{low + 1}:{high}] from '{{path}}' where sweep = 5"
    chunk = low // CHUNK * CHUNK
    yield Layout(
        "long rows, a row group a sweep", _long, ("sweep", "stimulus"), {"i": "DELTA_BINARY_PACKED", "response": "PLAIN"},
        rows, f"{rows} and i >= {low} and i < {high}",
    )  # fmt: skip
    yield Layout(
        f"LIST chunks of {CHUNK:,} samples, a row group a sweep", _chunks, ("sweep", "chunk", "stimulus.list.element"),
        {"response.list.element": "PLAIN"},
        "select flatten(list(stimulus order by chunk)), flatten(list(response order by chunk)) from '{path}' where sweep = 5",
        f"select stimulus[{low - chunk + 1}:{high - chunk}], response[{low - chunk + 1}:{high - chunk}] "
        f"from '{{path}}' where sweep = 5 and chunk = {chunk}",
    )  # fmt: skip
    for name, encoding in (("plain", "PLAIN"), ("byte stream split", "BYTE_STREAM_SPLIT")):
        yield Layout(
            f"one LIST a sweep: float32, {name}", _one_list, ("sweep", "stimulus.list.element"),
            {"response.list.element": encoding}, rows, part,
        )  # fmt: skip
    yield Layout(
        "one LIST a sweep: steps of the digitiser (delta) and their levels", _codes, ("sweep", "stimulus.list.element"),
        {"response.list.element": "DELTA_BINARY_PACKED", "levels.list.element": "BYTE_STREAM_SPLIT"},
        "select stimulus, response, levels from '{path}' where sweep = 5",
        part.replace("from '", ", levels from '"), _looked_up,
    )  # fmt: skip
    kept = "select stimulus, stimulus_levels, response, response_levels from '{path}' where sweep = 5"
    yield Layout(
        "steps of the digitiser packed into bytes, and their levels", _packed, ("sweep",),
        {"stimulus": "PLAIN", "response": "PLAIN"}, kept, kept, _unpacked,
    )  # fmt: skip


def compare(directory: Path) -> str:
    """Write every layout, fetch a sweep and a window of it, and return the result as a Markdown table."""
    sizes = (SHORT, LONG)
    lines = [
        f"{N_SWEEPS} sweeps of a made-up neuron at 200 kHz; stimulus and response together.",
        "",
        "| layout | bytes a sample pair | 0.6 M sweep | 2 M sweep | 10 ms of 0.6 M | 10 ms of 2 M |",
        "|---|---:|---:|---:|---:|---:|",
    ]
    traces = {n: make_traces(n) for n in sizes}
    source = directory / "sweeps.h5"
    cells: dict[str, list[str]] = {}
    for n in sizes:
        with h5py.File(source, "w") as file:
            for i, trace in enumerate(traces[n]):
                file.create_dataset(f"stimulus/{i}", data=trace.stimulus, compression=4)
                file.create_dataset(f"response/{i}", data=trace.response, compression=4)
        whole = milliseconds(lambda: _h5py(source, slice(None)))
        window = milliseconds(lambda: _h5py(source, slice(*WINDOW)))
        cells.setdefault("h5py: HDF5, gzip-4", []).extend(_cells(source, n, whole, window))
        for layout in layouts():
            path = directory / "layout.parquet"
            _write(layout, path, traces[n])
            con = duckdb.connect()
            got = _fetch(con, layout, layout.whole, path, None)
            if not (
                np.array_equal(got[0], traces[n][ASKED].stimulus) and np.array_equal(got[1], traces[n][ASKED].response)
            ):
                raise RuntimeError(f"{layout.name} gave other samples")
            whole = milliseconds(lambda: _fetch(con, layout, layout.whole, path, None))  # noqa: B023
            window = milliseconds(lambda: _fetch(con, layout, layout.window, path, WINDOW))  # noqa: B023
            cells.setdefault(layout.name, []).extend(_cells(path, n, whole, window))
            con.close()
            path.unlink()
        source.unlink()
    for name, (small, short, short_window, large, long, long_window) in cells.items():
        lines.append(f"| {name} | {small}, {large} | {short} | {long} | {short_window} | {long_window} |")
    return "\n".join(lines) + "\n"


def _cells(path: Path, n: int, whole: float, window: float) -> list[str]:
    return [f"{path.stat().st_size / (n * N_SWEEPS):.2f}", f"{number(whole)} ms", f"{number(window)} ms"]


def _write(layout: Layout, path: Path, traces: list[Trace]) -> None:
    writer: pq.ParquetWriter | None = None
    for i, trace in enumerate(traces):
        for table in layout.tables(i, trace):
            writer = writer or pq.ParquetWriter(
                path, table.schema, compression="zstd", use_dictionary=list(layout.dictionary),
                column_encoding=layout.encodings,
            )  # fmt: skip
            writer.write_table(table, table.num_rows)
    if writer:
        writer.close()


def _fetch(
    con: duckdb.DuckDBPyConnection, layout: Layout, sql: str, path: Path, part: tuple[int, int] | None
) -> list[np.ndarray]:
    """Stimulus and response as numpy arrays."""
    table: Any = con.sql(sql.format(path=path)).to_arrow_reader(4_000_000).read_all()
    arrays = [_array(column.combine_chunks()) for column in table.columns]
    return layout.decode(arrays, part) if layout.decode else arrays


def _array(column: Any) -> np.ndarray:
    if pa.types.is_binary(column.type):
        return np.frombuffer(column[0].as_buffer(), np.uint8)
    values: np.ndarray = column.values.to_numpy() if pa.types.is_list(column.type) else column.to_numpy()
    return values


def _h5py(path: Path, part: slice) -> tuple[np.ndarray, np.ndarray]:
    with h5py.File(path) as file:
        return file[f"stimulus/{ASKED}"][part], file[f"response/{ASKED}"][part]
