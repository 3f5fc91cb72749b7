"""Probes and channels: electrode groups and the electrodes table."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.tables.ecephys import NWB_CHANNELS, NWB_LFP_CHANNELS
from .contract import Report, Rows
from .ecephys_names import CHANNEL_RENAMES, STRUCTURE_IDS
from .ecephys_recording import ELECTRODES, GROUPS, Recording
from .nwb_columns import extra_json, numbers, texts, whole_column
from .nwb_table import NwbTable

_NOWHERE = ("", "None", "nan")  # how Allen files spell a channel out of the brain
_POSITIONS = {
    "probe_vertical_position": ("probe_vertical_position", "rel_y"),
    "probe_horizontal_position": ("probe_horizontal_position", "rel_x"),
}
_CCF = {"ap_um": "x", "dv_um": "y", "ml_um": "z"}


@dataclass(frozen=True)
class Electrodes:
    """The electrodes table of a recording, read once."""

    recording: Recording

    @cached_property
    def exists(self) -> bool:
        return self.recording.nwb.has(f"{ELECTRODES}/id")

    @cached_property
    def table(self) -> NwbTable:
        return self.recording.nwb.table(ELECTRODES)

    @cached_property
    def local_ids(self) -> np.ndarray:
        return self.table.ids()

    @cached_property
    def channel_ids(self) -> np.ndarray:
        """Lake's channel ids, in the order of the table."""
        return self.recording.ids(ELECTRODES, self.local_ids)

    @cached_property
    def probe_ids(self) -> list[int | None]:
        """Lake's probe ids, in the order of the table."""
        if self.recording.is_allen and "probe_id" in self.table.columns:
            return whole_column(self.table, "probe_id").tolist()
        known = {path: self.recording.group_id(path) for path in self.recording.groups}
        if "group_name" in self.table.columns:
            paths = [f"{GROUPS}/{name}" for name in self.table.values("group_name")]
            if all(path in known for path in paths):
                return [known[path] for path in paths]
        if "group" in self.table.columns:
            return [known.get(path) for path in self.table.values("group")]
        return [None] * len(self.local_ids)

    @cached_property
    def probe_of(self) -> dict[int, int | None]:
        """Channel id -> probe id."""
        return dict(zip(self.channel_ids.tolist(), self.probe_ids, strict=True))

    @cached_property
    def by_local_index(self) -> dict[tuple[int | None, int], int]:
        """(probe id, index on the probe) -> channel id."""
        if "local_index" not in self.table.columns:
            return {}
        indices = whole_column(self.table, "local_index").tolist()
        return dict(zip(zip(self.probe_ids, indices, strict=True), self.channel_ids.tolist(), strict=True))

    def rows(self, lfp_rate: float | None = None, columns_of: Mapping[int, int] | None = None) -> Rows:
        """Rows of ``ecephys.nwb_channels``; of ``nwb_lfp_channels`` where the columns of LFP data are given."""
        allen = self.recording.is_allen
        values = {name: self.table.values(name) for name in plain_columns(self.table) if name != "group"}
        n = len(self.local_ids)
        rows: dict[str, Any] = {
            "session_id": np.full(n, self.recording.session_id, np.int64),
            "channel_id": self.channel_ids,
            "probe_id": pa.array(self.probe_ids, pa.int64()),
            "source_channel_id": [str(i) for i in self.local_ids],
        }
        used = {"probe_id", "group_name"} if allen else {"group_name"}

        def take(target: str, *names: str) -> np.ndarray | None:
            for name in names:
                if name in values:
                    used.add(name)
                    return values[name]
            return None

        for target, names in _POSITIONS.items():
            rows[target] = numbers(take(target, *names), n)
        rows["local_index"] = numbers(take("local_index", "local_index"), n, pa.int64())
        rows["impedance"] = numbers(take("impedance", "imp"), n)
        rows["filtering"] = texts(take("filtering", "filtering"), n)
        valid = take("valid_data", "valid_data")
        rows["valid_data"] = pa.nulls(n, pa.bool_()) if valid is None else _flags(valid, n)
        if allen:
            # others' x, y, z are in the space of their own atlas, so they stay in ``extra``
            for target, axis in _CCF.items():
                rows[target] = numbers(take(target, axis), n)
        self._structures(rows, values, used, n)
        rows["extra"] = extra_json(n, {name: v for name, v in values.items() if name not in used})
        spec = NWB_CHANNELS
        if columns_of is not None:
            spec = NWB_LFP_CHANNELS
            rows["column_index"] = pa.array([columns_of.get(row) for row in range(n)], pa.int64())
            rows["lfp_sampling_rate"] = pa.array([lfp_rate] * n, pa.float64())
        return Rows(spec.name, {c.name: rows[c.name] for c in spec if c.name in rows})

    def _structures(self, rows: dict[str, Any], values: Mapping[str, np.ndarray], used: set[str], n: int) -> None:
        """v2: acronyms as ``location``; v1: ids and acronyms as text; others: whatever their location says."""
        allen = self.recording.is_allen
        acronyms: list[str | None] = [None] * n
        ids: list[int | None] = [None] * n
        spelled = {CHANNEL_RENAMES.get(name, name): name for name in values}
        if "structure_acronym" in spelled or "location" in values:
            name = spelled.get("structure_acronym", "location")
            used.add(name)
            acronyms = [None if str(v) in _NOWHERE else str(v) for v in values[name]]
        if allen:
            ids = [STRUCTURE_IDS.get(a) if a else None for a in acronyms]
        if allen and "structure_id" in spelled:
            name = spelled["structure_id"]
            used.add(name)
            try:
                ids = [None if str(v) in _NOWHERE else int(float(v)) for v in values[name]]
            except ValueError as error:
                raise SourceError(self.recording.nwb.source, f"{ELECTRODES}/{name}", f"is no id: {error}") from None
        rows["structure_acronym"], rows["structure_id"] = pa.array(acronyms, pa.string()), pa.array(ids, pa.int64())


def plain_columns(table: NwbTable) -> list[str]:
    """Columns with one value a row."""
    return [name for name in table.columns if not table.indices(name) and table.data(name).ndim == 1]


def probe_rows(recording: Recording) -> Rows:
    """Rows of ``ecephys.nwb_probes``: the electrode groups."""
    nwb, rows = recording.nwb, []
    for path in recording.groups:
        group, name = nwb.attributes(path), path.rsplit("/", 1)[1]
        device = nwb.link_target(f"{path}/device")
        about_device = nwb.attributes(device) if device else {}
        described = str(group.get("description") or nwb.scalar(f"{path}/description") or "")
        rows.append(
            {
                "session_id": recording.session_id,
                "probe_id": recording.group_id(path),
                # v1 names groups by id and describes them by name
                "name": described if recording.layout == "allen_v1" and described else name,
                "sampling_rate": _number(about_device.get("sampling_rate", group.get("sampling_rate"))),
                "lfp_sampling_rate": _number(group.get("lfp_sampling_rate")),
                "has_lfp_data": bool(group["has_lfp_data"]) if "has_lfp_data" in group else None,
                "source_probe_id": name,
                "location": _text(group.get("location") or nwb.scalar(f"{path}/location")),
                "description": described or None,
                "device": device.rsplit("/", 1)[1] if device else None,
            }
        )
    return Rows("ecephys.nwb_probes", {name: [row[name] for row in rows] for name in rows[0]} if rows else {})


def sampling_rates(recording: Recording) -> dict[int, tuple[float, ...]]:
    """Probe id -> the rates its file declares (Hz)."""
    columns = probe_rows(recording).columns
    if not columns:
        return {}
    pairs = zip(columns["probe_id"], columns["sampling_rate"], strict=True)
    return {probe: (rate,) for probe, rate in pairs if rate is not None}


def warn_of_unregistered(electrodes: Electrodes, report: Report) -> None:
    """Channels without a probe cannot be placed."""
    missing = sum(p is None for p in electrodes.probe_ids)
    if missing:
        report.warn(f"{missing} of {len(electrodes.probe_ids)} electrodes name no known electrode group")


def _number(value: Any) -> float | None:
    if value is None:
        return None
    if not isinstance(value, (int, float)) or value != value:
        return None
    return float(value)


def _flags(values: np.ndarray, n: int) -> pa.Array:
    return pa.array(values.astype(bool)) if values.dtype.kind in "biu" else pa.nulls(n, pa.bool_())


def _text(value: Any) -> str | None:
    return None if value in (None, "") else str(value)
