"""Mean waveforms of units: on the peak channel, or on every channel (ecephys EC-20)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.spec import float32, list_
from .contract import Report, Rows
from .ecephys_electrodes import sampling_rates
from .ecephys_recording import UNITS
from .ecephys_units import Units
from .spool import Spool

_SLAB_BYTES = 32 << 20
_BATCH_ROWS = 4_096


def waveform_rows(units: Units, all_channels: bool, report: Report) -> Iterator[Rows]:
    """Rows of ``ecephys.nwb_waveforms``, by unit and channel.

    The file's ``waveform_mean`` is (unit, channel) x samples with an index, or units x samples [x channels] without.
    It is read once, in slabs; the waveforms wanted wait until their unit's turn.
    """
    if "waveform_mean" not in units.table.columns:
        return
    data, ends = units.table.data("waveform_mean"), units.table.ends("waveform_mean")
    if data.ndim not in ((2,) if ends is not None else (2, 3)) or data.dtype.kind not in "fiu":
        shape = " x ".join(map(str, data.shape))
        raise SourceError(units.recording.nwb.source, f"{UNITS}/waveform_mean", f"has an unknown shape: {shape}")
    n_samples = data.shape[1]
    with Spool(np.float32) as spool:
        taken = list(_gathered(units, data, ends, all_channels, spool, report))
        if not taken:
            return
        found = _Found(*(np.concatenate(column) for column in zip(*taken, strict=True)))
        ids = units.unit_ids[found.unit]
        order = np.lexsort((found.index, ids))
        for first in range(0, len(order), _BATCH_ROWS):
            yield _rows(units, found, order[first : first + _BATCH_ROWS], spool, n_samples)


@dataclass(frozen=True)
class _Found:
    """Waveforms in the spool: unit (row of the table), index in the unit's block, whether its peak, place."""

    unit: np.ndarray
    index: np.ndarray
    is_peak: np.ndarray
    place: np.ndarray


def _gathered(
    units: Units, data: Any, ends: np.ndarray | None, all_channels: bool, spool: Spool, report: Report
) -> Iterator[tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]]:
    factor = np.float32(_to_microvolts(units))
    peaks = _peak_indices(units)
    row_bytes = max(int(np.prod(data.shape[1:])) * data.dtype.itemsize, 1)
    step = max(1, _SLAB_BYTES // row_bytes)
    if data.chunks:  # a chunk is decompressed as a whole, so no slab may end within one
        step = max(1, step // data.chunks[0]) * data.chunks[0]
    for start in range(0, len(data), step):
        stop = min(start + step, len(data))
        slab = data[start:stop].astype(np.float32) * factor
        rows = np.arange(start, stop)
        if ends is not None:
            unit = np.searchsorted(ends, rows, "right")
            index = rows - np.where(unit > 0, ends[np.maximum(unit, 1) - 1], 0)
            known = unit < len(peaks)
            unit, index, slab = unit[known], index[known], slab[known]
            is_peak = peaks[unit] == index
        elif slab.ndim == 2:
            unit, index, is_peak = rows, np.zeros(len(rows), np.int64), np.ones(len(rows), bool)
        else:
            n_channels = slab.shape[2]
            largest = np.ptp(slab, axis=1).argmax(axis=1)
            slab = slab.transpose(0, 2, 1).reshape(-1, slab.shape[1])
            unit, index = np.repeat(rows, n_channels), np.tile(np.arange(n_channels), len(rows))
            is_peak = index == np.repeat(largest, n_channels)
        if not all_channels:
            unit, index, slab, is_peak = unit[is_peak], index[is_peak], slab[is_peak], is_peak[is_peak]
        place = spool.append(slab) + np.arange(len(unit)) * data.shape[1]
        yield unit, index, is_peak, place
        report.progress("waveforms", stop, len(data))


def _to_microvolts(units: Units) -> float:
    """Allen files say volts and hold microvolts; others that say volts mean it."""
    unit = str(units.recording.nwb.attributes(f"{UNITS}/waveform_mean").get("unit", "volts"))
    return 1e6 if unit.lower() in ("volts", "volt", "v") and not units.recording.is_allen else 1.0


def _peak_indices(units: Units) -> np.ndarray:
    """Row of the peak channel within each unit's block: Allen blocks are in the order of the probe; -1 unknown."""
    local = {channel: index for (_, index), channel in units.electrodes.by_local_index.items()}
    return np.array([local.get(c, -1) if c is not None else -1 for c in units.peak_channels], np.int64)


def _rows(units: Units, found: _Found, order: np.ndarray, spool: Spool, n_samples: int) -> Rows:
    place, unit, index = found.place[order], found.unit[order].tolist(), found.index[order].tolist()
    breaks = [0, *(np.flatnonzero(np.diff(place) != n_samples) + 1).tolist(), len(place)]
    runs = [spool.read(int(place[a]), int(place[b - 1]) + n_samples) for a, b in pairwise(breaks)]
    rates = sampling_rates(units.recording)
    rate = [rates.get(units.probes[u] or 0, (None,))[0] for u in unit]
    offsets = np.arange(len(order) + 1, dtype=np.int32) * n_samples
    return Rows(
        "ecephys.nwb_waveforms",
        pa.table(
            {
                "session_id": np.full(len(order), units.recording.session_id, np.int64),
                "unit_id": units.unit_ids[unit],
                "channel_id": pa.array([_channel(units, u, i) for u, i in zip(unit, index, strict=True)], pa.int64()),
                "waveform_index": np.array(index, np.int32),
                "is_peak": found.is_peak[order],
                "sampling_rate": pa.array(rate, pa.float64()),
                "waveform": pa.ListArray.from_arrays(
                    pa.array(offsets), pa.array(np.concatenate(runs)), type=list_(float32)
                ),
            }
        ),
    )


def _channel(units: Units, unit: int, index: int) -> int | None:
    """The channel of a waveform, where the file tells."""
    if units.recording.is_allen:
        return units.electrodes.by_local_index.get((units.probes[unit], index))
    data = units.table.data("waveform_mean")
    if data.ndim == 2:
        return units.peak_channels[unit]
    if "electrodes" not in units.table.columns or not units.electrodes.exists:
        return None
    rows, known = units.electrode_rows[unit], units.electrodes.channel_ids
    return int(known[rows[index]]) if len(rows) == data.shape[2] and rows[index] < len(known) else None
