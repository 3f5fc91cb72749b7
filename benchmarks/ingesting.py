"""Ingest against reading the same arrays with plain h5py, and its memory while the file grows tenfold."""

from __future__ import annotations

import statistics
from pathlib import Path

import h5py
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .material import Material, ingest
from .measure import Row, peak_memory, seconds

_SLICE = 1 << 20
_NOT_TAKEN = ("waveform_mean", "specifications")  # all-channel waveforms stay out of an ingest by default


def read_with_h5py(path: Path) -> int:
    """Read every array that an ingest takes by default, in slices; returns the bytes read."""
    total = 0

    def read(name: str, item: h5py.Group | h5py.Dataset) -> None:
        nonlocal total
        if not isinstance(item, h5py.Dataset) or any(part in name for part in _NOT_TAKEN):
            return
        if item.shape == ():
            item[()]
            return
        for start in range(0, item.shape[0], _SLICE):
            total += item[start : start + _SLICE].nbytes

    with h5py.File(path) as file:
        file.visititems(read)
    return total


def speed(material: Material) -> list[Row]:
    """Both from the page cache, one file, one process."""
    path, root = material.large_session, material.directory / "lake_speed"
    size = read_with_h5py(path)
    # in turn, as a machine that others use does not stay as fast as it was
    both = [(seconds(lambda: read_with_h5py(path))[0], ingest(path, root)) for _ in range(5)]
    plain, ours = (statistics.median(times) for times in zip(*both, strict=True))
    stored = sum(file.stat().st_size for file in root.rglob("*.parquet"))
    n_spikes, times, amplitudes = spike_bytes(root)
    return [
        Row(
            f"ingest of {size / 1e6:,.0f} MB of arrays ({path.stat().st_size / 1e6:,.0f} MB file)",
            ours, "s", plain, "h5py, reading only", plain / ours, "≥ 0.8×", plain / ours >= 0.8,
        ),
        Row("the same in the lake", stored / 1e6, "MB", path.stat().st_size / 1e6, "NWB file", path.stat().st_size / stored),
        Row("a spike's time", times / n_spikes, "B", 8.0, "float64", 8.0 * n_spikes / times, "≤ 2 B", times <= 2 * n_spikes),
        Row("a spike's amplitude (float32)", amplitudes / n_spikes, "B", 4.0, "float32", 4.0 * n_spikes / amplitudes),
    ]  # fmt: skip


def spike_bytes(root: Path) -> tuple[int, int, int]:
    """Spikes in a lake, and the compressed bytes of their times and of their amplitudes, from the files' footers."""
    n_spikes = times = amplitudes = 0
    for path in (root / "data" / "ecephys" / "spike_trains").rglob("*.parquet"):
        n_spikes += pc.sum(pq.read_table(path, columns=["n_spikes"])["n_spikes"]).as_py()
        metadata = pq.ParquetFile(path).metadata
        for group in (metadata.row_group(i) for i in range(metadata.num_row_groups)):
            for column in (group.column(i) for i in range(group.num_columns)):
                name = column.path_in_schema.split(".")[0]
                if name == "spike_amplitudes":
                    amplitudes += column.total_compressed_size
                else:
                    times += column.total_compressed_size
    return n_spikes, times, amplitudes


def memory(material: Material) -> list[Row]:
    """Peak resident memory of the process that reads and writes."""
    small, large = material.n_spikes // 10, material.n_spikes
    rows, peaks = [], []
    for n_spikes in (small, large):
        peak = peak_memory(ingest, material.session(n_spikes), material.directory / "lake_memory")
        peaks.append(peak)
        rows.append(Row(f"peak memory, {n_spikes / 1e6:g} M spikes", peak, "MB"))
    growth = peaks[1] / peaks[0]
    rows.append(Row("memory while the file grows 10×", growth, "×", target="≤ 1.5 ×", ok=growth <= 1.5))
    return rows
