"""Interval tables of a recording: stimuli or trials, optotagging, invalid times."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from ..lake.errors import SourceError
from .contract import Report, Rows
from .ecephys_recording import INTERVALS, Recording, salvaged
from .ecephys_stimuli import IntervalTable, allen_presentations, other_presentations
from .nwb_columns import numbers, real_column, texts
from .nwb_table import NwbTable

INVALID_TIMES = f"{INTERVALS}/invalid_times"
_OPTOTAGGING = "/processing/optotagging"
# OD-25: layout v1 misspells the table
OPTO_TABLES = (f"{_OPTOTAGGING}/optogenetic_stimulation", f"{_OPTOTAGGING}/optogenetic_stimuluation")


def interval_paths(recording: Recording) -> list[str]:
    """Paths of the tables of presentations or trials."""
    nwb = recording.nwb
    paths = [f"{INTERVALS}/{name}" for name in nwb.children(INTERVALS)]
    paths = [p for p in paths if p != INVALID_TIMES and nwb.is_dataset(f"{p}/start_time")]
    if recording.layout == "allen_v2":
        # others' tables of an Allen file (epochs, trials) keep to themselves
        return [p for p in paths if p.endswith("_presentations")] or paths
    return paths


def presentation_rows(recording: Recording, report: Report) -> Iterator[Rows]:
    """``ecephys.nwb_presentations``, all tables of the file as one list in the order of time."""
    tables = []
    for path in interval_paths(recording):
        try:
            tables.append(_read(recording, path, report))
        except SourceError as error:
            if not report.salvage:
                raise
            report.skip(error.where or path, error.reason)
    if not any(len(t) for t in tables):
        return
    if recording.is_allen:
        keep = recording.layout == "allen_v1" and len(tables) == 1
        rows = allen_presentations(recording.session_id, tables, keep_ids=keep)
    else:
        rows = other_presentations(recording.session_id, tables)
    yield Rows("ecephys.nwb_presentations", rows)


def _read(recording: Recording, path: str, report: Report) -> IntervalTable:
    """All columns of an interval table, ragged ones as lists; rows without a start are left out."""
    table = recording.nwb.table(path)
    columns: dict[str, np.ndarray] = {"id": table.ids()}
    for name in table.columns:
        if name in ("timeseries", "timeseries_index"):
            continue  # which samples of which series an interval covers: bookkeeping of NWB
        columns[name] = _as_rows(table, name)
    for name in ("start_time", "stop_time"):
        if name in table.columns:
            columns[name] = real_column(table, name)
    return started(IntervalTable(table.name, columns), path, report)


def started(table: IntervalTable, path: str, report: Report) -> IntervalTable:
    """The intervals that have a start; the others are left out, and reported."""
    unknown = np.isnan(table.columns["start_time"])
    if not unknown.any():
        return table
    report.skip(path, f"{int(unknown.sum())} intervals without a start time")
    return IntervalTable(table.name, {name: column[~unknown] for name, column in table.columns.items()})


def _as_rows(table: NwbTable, name: str) -> np.ndarray:
    values, ends = table.values(name), table.ends(name)
    if ends is None and values.ndim == 1:
        return values
    if ends is not None and not len(ends):
        return np.empty(0, object)
    parts = np.split(values, ends[:-1]) if ends is not None else list(values)
    rows = np.empty(len(parts), object)
    rows[:] = [p.tolist() for p in parts] if len(parts) else []
    return rows


def invalid_time_rows(recording: Recording, report: Report) -> Iterator[Rows]:
    """``ecephys.invalid_times``: Allen tags are [scope, id, label]."""
    yield from salvaged(report, _invalid_times(recording, report))


def _invalid_times(recording: Recording, report: Report) -> Iterator[Rows]:
    nwb = recording.nwb
    if not nwb.has(f"{INVALID_TIMES}/start_time"):
        return
    table = nwb.table(INVALID_TIMES)
    ids, n = table.ids(), len(table.ids())
    tags = _as_rows(table, "tags").tolist() if "tags" in table.columns else [[] for _ in range(n)]
    tags = [[str(t) for t in (row if isinstance(row, list) else [row])] for row in tags]
    allen = [row if len(row) == 3 else [None] * 3 for row in tags]
    if n:
        report.warn(
            f"{INVALID_TIMES}: data of {n} interval{'s' * (n > 1)} are not to be trusted; ecephys.spikes has them, "
            "ecephys.valid_spikes leaves them out"
        )
    yield Rows(
        "ecephys.invalid_times",
        {
            "session_id": np.full(n, recording.session_id, np.int64),
            "invalid_time_id": ids,
            "start_time": real_column(table, "start_time"),
            "stop_time": real_column(table, "stop_time"),
            "tags": tags,
            "scope": pa.array([row[0] for row in allen], pa.string()),
            "scope_id": pa.array([int(r[1]) if r[1] and r[1].isdigit() else None for r in allen], pa.int64()),
            "label": pa.array([row[2] for row in allen], pa.string()),
        },
    )


def optogenetic_rows(recording: Recording, report: Report) -> Iterator[Rows]:
    """``ecephys.optogenetic_stimulation``, in the order of time."""
    yield from salvaged(report, _optogenetic(recording))


def _optogenetic(recording: Recording) -> Iterator[Rows]:
    nwb = recording.nwb
    path = next((p for p in OPTO_TABLES if nwb.is_dataset(f"{p}/start_time")), None)
    if path is None:
        return
    table = nwb.table(path)
    values = {name: table.values(name) for name in table.columns if table.ends(name) is None}
    start, stop = real_column(table, "start_time"), real_column(table, "stop_time")
    order, n = np.argsort(start, kind="stable"), len(start)
    name = values.get("stimulus_name", values.get("name"))  # v1 says name
    columns = {
        "start_time": pa.array(start),
        "stop_time": pa.array(stop),
        "duration": numbers(values.get("duration"), n),
        "condition": texts(values.get("condition"), n),
        "level": numbers(values.get("level"), n),
        "stimulus_name": texts(name, n),
    }
    rows = pa.table(columns).take(pa.array(order))
    rows = rows.append_column("trial_id", pa.array(np.arange(n)))
    yield Rows(
        "ecephys.optogenetic_stimulation",
        rows.append_column("session_id", pa.array(np.full(n, recording.session_id, np.int64))),
    )
