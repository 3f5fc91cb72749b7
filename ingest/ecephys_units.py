"""Sorted units: their table, their spikes, their mean waveforms."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import repeat
from typing import Any

import numpy as np
import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.tables.ecephys import NWB_UNITS, UNIT_METRICS
from .chunk_slices import slices
from .contract import Report, Rows
from .ecephys_electrodes import Electrodes, plain_columns, sampling_rates
from .ecephys_names import UNIT_RENAMES
from .ecephys_recording import UNITS, Recording
from .hdf5 import Dataset
from .nwb_columns import extra_json, numbers, texts, whole_column
from .nwb_table import NwbTable
from .spike_blocks import SpikeBlocks, UnitCount

SLICE_SPIKES = 1 << 20  # spikes read at once
_RAGGED = ("spike_times", "spike_amplitudes", "waveform_mean", "waveforms", "waveform_sd")
# of other laboratories only metrics whose name says what they are, whatever the unit
_ALLEN_METRICS = {c.name for c in UNIT_METRICS}
_OTHER_METRICS = {name for name in _ALLEN_METRICS if not name.startswith("waveform_")}


@dataclass(frozen=True)
class Units:
    """The units table of a recording."""

    recording: Recording
    electrodes: Electrodes

    @cached_property
    def table(self) -> NwbTable:
        return self.recording.nwb.table(UNITS)

    @cached_property
    def local_ids(self) -> np.ndarray:
        return self.table.ids()

    @cached_property
    def unit_ids(self) -> np.ndarray:
        return self.recording.ids(UNITS, self.local_ids)

    @cached_property
    def values(self) -> dict[str, np.ndarray]:
        """Every column with one value a unit; lists and matrices stay with the generic tables."""
        known = (*_RAGGED, "electrodes", "electrode_group")
        return {name: self.table.values(name) for name in plain_columns(self.table) if name not in known}

    @cached_property
    def peak_channels(self) -> list[int | None]:
        """Channel id of the largest mean waveform: told (Allen), or the unit's one electrode."""
        n = len(self.local_ids)
        if self.recording.is_allen and "peak_channel_id" in self.values:
            return whole_column(self.table, "peak_channel_id").tolist()
        if "electrodes" not in self.table.columns or not self.electrodes.exists:
            return [None] * n
        channels = self.electrodes.channel_ids
        rows = [_single(r) for r in self.electrode_rows]
        return [int(channels[r]) if r is not None and 0 <= r < len(channels) else None for r in rows]

    @cached_property
    def electrode_rows(self) -> list[np.ndarray]:
        """Rows of the electrodes table of every unit."""
        column = self.table.data("electrodes")
        ends = self.table.ends("electrodes")
        if column.ndim != 1 or column.dtype.kind not in "iu":
            raise self.recording.nwb.error(
                column.path, f"should hold rows of the electrodes table, and is {column.dtype}"
            )
        flat = self.table.values("electrodes").astype(np.int64)
        if ends is None:
            return [np.atleast_1d(r) for r in flat]
        if not len(ends):
            return []
        return np.split(flat, ends[:-1])

    @cached_property
    def probes(self) -> list[int | None]:
        """Probe id of every unit: of its peak channel, of all its electrodes, or of its electrode group."""
        if not self.electrodes.exists:
            found: list[int | None] = [None] * len(self.local_ids)
        elif "electrodes" in self.table.columns:
            known = self.electrodes.probe_ids
            owners = [{known[r] for r in rows if 0 <= r < len(known)} for rows in self.electrode_rows]
            found = [next(iter(o)) if len(o) == 1 else None for o in owners]
        else:
            known_of = self.electrodes.probe_of
            found = [known_of.get(c) if c is not None else None for c in self.peak_channels]
        if "electrode_group" in self.table.columns:
            groups = {path: self.recording.group_id(path) for path in self.recording.groups}
            named = [groups.get(path) for path in self.table.values("electrode_group")]
            found = [f if f is not None else g for f, g in zip(found, named, strict=True)]
        return found

    def rows(self, counts: Mapping[int, UnitCount] | None) -> Rows:
        """Rows of ``ecephys.nwb_units``.

        counts : what became of the spikes, where they were taken
        """
        n, allen = len(self.local_ids), self.recording.is_allen
        metrics = _ALLEN_METRICS if allen else _OTHER_METRICS
        rows: dict[str, Any] = {
            "session_id": np.full(n, self.recording.session_id, np.int64),
            "unit_id": self.unit_ids,
            "peak_channel_id": pa.array(self.peak_channels, pa.int64()),
            "probe_id": pa.array(self.probes, pa.int64()),
            "source_unit_id": [str(i) for i in self.local_ids],
        }
        used = {"peak_channel_id"} if allen else set()
        for name, values in self.values.items():
            target = UNIT_RENAMES.get(name, name)
            if target in metrics and values.dtype.kind in "fiu" and values.ndim == 1:
                rows[target] = numbers(values, n)
                used.add(name)
        for name in ("local_index", "cluster_id"):
            if name in self.values and self.values[name].dtype.kind in "iuf":
                rows[name] = numbers(self.values[name], n, pa.int64())
                used.add(name)
        if "quality" in self.values:
            rows["quality"] = texts(self.values["quality"], n)
            used.add("quality")
        rows["extra"] = extra_json(n, {name: v for name, v in self.values.items() if name not in used})
        rows |= self._counts(counts)
        table = pa.table({c.name: rows[c.name] for c in NWB_UNITS if c.name in rows})
        return Rows(NWB_UNITS.name, table.sort_by([("probe_id", "ascending"), ("unit_id", "ascending")]))

    def _counts(self, counts: Mapping[int, UnitCount] | None) -> dict[str, Any]:
        if counts is not None:
            taken = [counts.get(u, UnitCount()) for u in self.unit_ids.tolist()]
            return {
                "n_spikes": pa.array([c.n_spikes for c in taken], pa.int64()),
                "first_spike_time": pa.array([c.first for c in taken], pa.float64()),
                "last_spike_time": pa.array([c.last for c in taken], pa.float64()),
                "n_dropped": pa.array([c.n_negative + c.n_nan for c in taken], pa.int64()),
            }
        try:
            ends = self.table.ends("spike_times") if "spike_times" in self.table.columns else None
        except SourceError:
            ends = None
        return {"n_spikes": pa.nulls(len(self.local_ids), pa.int64()) if ends is None else np.diff(ends, prepend=0)}

    # --- spikes ---------------------------------------------------------------------------------------------------

    @property
    def has_spikes(self) -> bool:
        return "spike_times" in self.table.columns

    def gather_spikes(self, blocks: SpikeBlocks, report: Report) -> None:
        """Read all spikes once, in large slices, into blocks of time."""
        times, ends = self._flat("spike_times"), self._ends("spike_times")
        amplitudes = self._flat("spike_amplitudes") if blocks.has_amplitudes else None
        ids, total = self.unit_ids.tolist(), len(times)
        rows = SLICE_SPIKES
        if times.chunks:  # whole chunks, so that none is decompressed twice
            rows = max(1, rows // times.chunks[0]) * times.chunks[0]
        of_times = slices(times, rows, dtype=np.float64)
        of_amplitudes = slices(amplitudes, rows, dtype=np.float32) if amplitudes else repeat((0, None))
        for (first, some_times), (_, some_amplitudes) in zip(of_times, of_amplitudes, strict=False):
            start, stop = first, first + len(some_times)
            unit = int(np.searchsorted(ends, first, "right"))
            while start < stop and unit < len(ids):
                end = min(int(ends[unit]), stop)
                here = slice(start - first, end - first)
                try:
                    blocks.add(ids[unit], some_times[here], None if some_amplitudes is None else some_amplitudes[here])
                except ValueError as error:
                    raise SourceError(self.recording.nwb.source, f"{UNITS}/spike_times", str(error)) from None
                start, unit = end, unit + 1
            report.progress("spikes", stop, total)
        self._report_left_out(blocks, report)

    def _flat(self, name: str) -> Dataset:
        """All units' values of a ragged column, to be read in slices."""
        data = self.table.data(name)
        if data.dtype.kind not in "fiu" or data.ndim != 1:
            reason = f"should be a list of numbers, and is {data.ndim}-dimensional {data.dtype}"
            raise self.recording.nwb.error(data.path, reason)
        return data

    def _ends(self, name: str) -> np.ndarray:
        ends = self.table.ends(name)
        if ends is None:
            where = f"{UNITS}/{name}"
            raise SourceError(self.recording.nwb.source, where, "has no index: nobody can tell whose spikes they are")
        return ends

    @property
    def has_amplitudes(self) -> bool:
        """Amplitudes, one for each spike. Raises SourceError where their number differs."""
        ends = self._ends("spike_times")
        if "spike_amplitudes" not in self.table.columns or self.table.ends("spike_amplitudes") is None:
            return False
        if not np.array_equal(ends, self._ends("spike_amplitudes")):
            where = f"{UNITS}/spike_amplitudes_index"
            raise SourceError(self.recording.nwb.source, where, "differs from spike_times_index")
        return True

    def _report_left_out(self, blocks: SpikeBlocks, report: Report) -> None:
        counts = blocks.counts.values()
        nan = sum(c.n_nan for c in counts)
        negative = sum(c.n_negative for c in counts)
        where = f"{UNITS}/spike_times"
        if nan:
            if not report.salvage:
                reason = f"holds {nan} times that are no number"
                raise SourceError(self.recording.nwb.source, where, reason, "--salvage leaves them out")
            report.skip(where, f"{nan} spikes without a time")
        if negative:
            report.skip(where, f"{negative} spikes with a negative time: not synchronised")

    def spike_rows(self, blocks: SpikeBlocks) -> Iterator[Rows]:
        """Rows of ``ecephys.spike_trains``."""
        probes = dict(zip(self.unit_ids.tolist(), self.probes, strict=True))
        clocks = blocks.clocks(probes, sampling_rates(self.recording))
        for batch in blocks.batches(clocks):
            yield Rows("ecephys.spike_trains", batch)


def _single(rows: np.ndarray) -> int | None:
    return int(rows[0]) if len(rows) == 1 else None


def open_blocks(units: Units) -> SpikeBlocks:
    """Where a recording's spikes are gathered; Allen files mark unsynchronised spikes by a negative time."""
    recording = units.recording
    return SpikeBlocks(recording.session_id, units.has_amplitudes, drop_negative=recording.is_allen)
