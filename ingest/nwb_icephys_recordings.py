"""The table of intracellular recordings of an NWB 2 file, and the four tables that group its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from .contract import Report
from .nwb_columns import texts
from .nwb_file import NwbFile
from .nwb_table import NwbTable

ICEPHYS = "/general/intracellular_ephys"
RECORDINGS = f"{ICEPHYS}/intracellular_recordings"
# table -> the column that names rows of the one before it
_LEVELS = {
    "simultaneous_recordings": "recordings",
    "sequential_recordings": "simultaneous_recordings",
    "repetitions": "sequential_recordings",
    "experimental_conditions": "repetitions",
}


@dataclass(frozen=True)
class Span:
    """Samples of a series: ``start`` to ``stop``, which is excluded."""

    path: str
    start: int
    stop: int


@dataclass(frozen=True)
class Row:
    """One row of the table.

    position : from 0; recording_id : as the file numbers it
    stimulus, response, template : None where the row has none
    simultaneous : position of the simultaneous recording it is part of
    ids : level -> id of the row there that it belongs to
    stimulus_type : of its sequential recording
    """

    position: int
    recording_id: int
    electrode: str | None
    stimulus: Span | None
    response: Span | None
    template: Span | None
    simultaneous: int | None
    ids: Mapping[str, int]
    stimulus_type: str | None


def recording_rows(nwb: NwbFile, report: Report) -> list[Row]:
    """Rows of the table; empty where the file has none."""
    if not nwb.is_group(RECORDINGS):
        return []
    n = nwb.table(RECORDINGS).n_rows
    ids = _ids(nwb, RECORDINGS, n)
    if len(np.unique(ids)) < n:
        report.warn(f"{RECORDINGS}/id holds an id twice: recordings are numbered by their rows")
        ids = np.arange(n)
    electrodes = _references(nwb, "electrodes", "electrode", n)
    stimuli = _spans(nwb, "stimuli", "stimulus", n)
    templates = _spans(nwb, "stimuli", "stimulus_template", n)
    responses = _spans(nwb, "responses", "response", n)
    parents = _parents(nwb, n, report)
    types = _stimulus_types(nwb)
    rows = []
    for i in range(n):
        simultaneous = parents["simultaneous_recordings"][i]
        sequential = parents["sequential_recordings"][i]
        owners = {level: _id_of(nwb, level, positions[i]) for level, positions in parents.items()}
        rows.append(
            Row(
                position=i,
                recording_id=int(ids[i]),
                electrode=electrodes[i],
                stimulus=stimuli[i],
                response=responses[i],
                template=templates[i],
                simultaneous=simultaneous,
                ids={level: number for level, number in owners.items() if number is not None},
                stimulus_type=types[sequential] if sequential is not None and sequential < len(types) else None,
            )
        )
    return rows


def _category(nwb: NwbFile, category: str, column: str, n: int) -> np.ndarray | None:
    """A column of a category, one value a row; None where there is none."""
    path = f"{RECORDINGS}/{category}"
    if not nwb.is_group(path) or column not in nwb.table(path).columns:
        return None
    values = nwb.table(path).values(column)
    if len(values) != n:
        raise nwb.error(f"{path}/{column}", f"has {len(values)} values, and the table {n} rows")
    return values


def _references(nwb: NwbFile, category: str, column: str, n: int) -> list[str | None]:
    values = _category(nwb, category, column, n)
    if values is None:
        return [None] * n
    if values.dtype != object:
        raise nwb.error(f"{RECORDINGS}/{category}/{column}", f"should name objects, and is {values.dtype}")
    return [str(value) if isinstance(value, str) else None for value in values]


def _spans(nwb: NwbFile, category: str, column: str, n: int) -> list[Span | None]:
    """References to samples of series: (idx_start, count, timeseries), of which -1 says that there is none."""
    values = _category(nwb, category, column, n)
    if values is None:
        return [None] * n
    where = f"{RECORDINGS}/{category}/{column}"
    if not {"idx_start", "count", "timeseries"} <= set(values.dtype.names or ()):
        raise nwb.error(where, f"should name samples of series, and is {values.dtype}")
    spans: list[Span | None] = []
    for row, (start, count, path) in enumerate(
        zip(values["idx_start"].tolist(), values["count"].tolist(), values["timeseries"].tolist(), strict=True)
    ):
        if start == -1 and count == -1:
            spans.append(None)
            continue
        if not isinstance(path, str) or not isinstance(start, int) or not isinstance(count, int):
            raise nwb.error(where, f"names no samples in row {row}")
        if start < 0 or count < 0:
            raise nwb.error(where, f"starts at {start} with {count} samples in row {row}")
        spans.append(Span(path, start, start + count))
    return spans


def _parents(nwb: NwbFile, n: int, report: Report) -> dict[str, list[int | None]]:
    """For each level: the position there of the row that a recording belongs to, through the levels below."""
    parents: dict[str, list[int | None]] = {}
    below: list[int | None] = list(range(n))
    n_below = n
    for level, column in _LEVELS.items():
        path = f"{ICEPHYS}/{level}"
        if not nwb.is_group(path) or column not in nwb.table(path).columns:
            below, n_below = [None] * n, 0
        else:
            table = nwb.table(path)
            owner = _owners(table, column, n_below, report)
            below, n_below = [None if at is None else owner.get(at) for at in below], table.n_rows
        parents[level] = below
    return parents


def _owners(table: NwbTable, column: str, n_below: int, report: Report) -> dict[int, int]:
    """Row of the level below -> row of this table."""
    members, ends = table.data(column)[:], table.ends(column)
    where = table.at(column)
    if members.dtype.kind not in "iu" or ends is None:
        raise table.nwb.error(where, f"should list rows of another table, and is {members.dtype}")
    owner: dict[int, int] = {}
    shared = set()
    start = 0
    for row, end in enumerate(ends.tolist()):
        for member in members[start:end].tolist():
            if not 0 <= member < n_below:
                raise table.nwb.error(where, f"names row {member} of {n_below} in row {row}")
            if owner.setdefault(member, row) != row:
                shared.add(member)
        start = end
    if shared:
        report.warn(f"{where} has {len(shared)} rows in several groups: each is kept in the first of its own")
    return owner


def _ids(nwb: NwbFile, path: str, n: int) -> np.ndarray:
    where = f"{path}/id"
    if not nwb.is_dataset(where):
        return np.arange(n)
    ids = nwb.dataset(where)
    if ids.ndim != 1 or ids.dtype.kind not in "iu":
        raise nwb.error(where, f"should be a list of whole numbers, and is {ids.dtype}")
    return ids[:].astype(np.int64)


def _id_of(nwb: NwbFile, level: str, position: int | None) -> int | None:
    if position is None:
        return None
    path = f"{ICEPHYS}/{level}"
    return int(_ids(nwb, path, position + 1)[position])


def _stimulus_types(nwb: NwbFile) -> list[str | None]:
    path = f"{ICEPHYS}/sequential_recordings"
    if not nwb.is_group(path) or "stimulus_type" not in nwb.table(path).columns:
        return []
    values: Any = nwb.table(path).values("stimulus_type")
    if values.dtype != object or values.ndim != 1:
        raise nwb.error(f"{path}/stimulus_type", f"should be texts, and is {values.dtype}")
    return list(texts(values, len(values)).to_pylist())
