"""Every DynamicTable of an NWB file as a typed file of its own, and what each is."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.tables.nwb import TABLES
from .contract import Attachment, Report, Rows
from .hdf5 import Dataset
from .hdf5_values import printable
from .nwb_arrow import arrow_array, arrow_type, ragged_array
from .nwb_file import NwbFile
from .nwb_objects import Entry, to_json, type_name
from .nwb_table import NwbTable
from .salvage import leave_out

KIND = "nwb.table"
_BATCH_ROWS = 65_536
_BATCH_BYTES = 32 << 20


def is_table(nwb: NwbFile, entry: Entry) -> bool:
    """A DynamicTable, or a group that lost its type and still lists its columns."""
    if not entry.is_group:
        return False
    if entry.neurodata_type is None:
        return "colnames" in nwb.attributes(entry.path)
    return "DynamicTable" in nwb.types.lineage(entry.neurodata_type)


@dataclass(frozen=True)
class Column:
    """A column of a table as it is read.

    name : in the file; field : in the typed file
    levels : indices of a ragged column, from the rows inwards; empty for a plain one
    labels : names of an enumeration's values
    """

    table: NwbTable
    name: str
    field: pa.Field
    data: Dataset
    levels: tuple[np.ndarray, ...]
    value_type: pa.DataType
    labels: np.ndarray | None

    @property
    def bytes_to_row(self) -> np.ndarray | None:
        """Bytes of a ragged column up to the end of each row."""
        ends = self.table.ends(self.name) if self.levels else None
        return None if ends is None else ends * self.data.row_bytes

    def read(self, start: int, stop: int) -> pa.Array:
        """Rows as Arrow, one element each."""
        where = self.table.at(self.name)
        try:
            return self._read(start, stop, 0)
        except (OverflowError, pa.ArrowException) as error:
            raise self.table.nwb.error(where, str(error)) from None

    def _read(self, start: int, stop: int, level: int) -> pa.Array:
        if level == len(self.levels):
            values = self.data[start:stop]
            if self.labels is not None:
                values = self._labelled(values)
            return arrow_array(values, self.value_type, nan_is_null=not self.levels)
        ends = self.levels[level]
        first = int(ends[start - 1]) if start else 0
        last = int(ends[stop - 1]) if stop > start else first
        return ragged_array(self._read(first, last, level + 1), ends[start:stop], first)

    def _labelled(self, codes: np.ndarray) -> np.ndarray:
        assert self.labels is not None
        if len(codes) and (codes.min() < 0 or codes.max() >= len(self.labels)):
            reason = f"holds a value that none of its {len(self.labels)} elements names"
            raise self.table.nwb.error(self.table.at(self.name), reason)
        return self.labels[codes.astype(np.int64)]


class TableReader:
    """Reads one table. ``left_out`` says of columns that are not kept here where they are."""

    def __init__(self, nwb: NwbFile, path: str, owned: Mapping[str, str], report: Report) -> None:
        self.nwb, self.path, self.report = nwb, path, report
        self.table = nwb.table(path)
        self.left_out: dict[str, str] = {}
        self.columns: list[Column] = []
        self._names = free_names(self.table.columns)
        self._label_columns = self._of_enumerations()
        self._refuse_missing()
        for name in self.table.columns:
            self._take(name, owned)

    @property
    def stored_bytes(self) -> int:
        """Bytes in the file of the columns kept here."""
        return sum(column.data.stored_bytes for column in self.columns)

    def attachment(self) -> Attachment:
        """The typed file: ``id`` first, then the columns."""
        ids = self._ids()
        fields = [pa.field("id", ids.type, metadata={"description": "row id in the file"})]
        schema = pa.schema([*fields, *(c.field for c in self.columns)])
        return Attachment(KIND, printable(self.path), schema, self._batches(schema, ids))

    def row(self, file_id: int, entry: Entry) -> Rows:
        """The row of ``nwb.tables``."""
        about = self.nwb.attributes(self.path)
        columns = [self._described(column) for column in self.columns]
        row = {
            "file_id": [file_id],
            "path": [printable(self.path)],
            "neurodata_type": [entry.neurodata_type],
            "description": [str(about["description"]) if "description" in about else None],
            "n_rows": [self.table.n_rows],
            "columns": [to_json(columns)],
            "left_out": [to_json(self.left_out) if self.left_out else None],
        }
        return Rows(TABLES.name, row)

    def _described(self, column: Column) -> dict[str, Any]:
        about = self.nwb.attributes(self.table.at(column.name))
        told = {"name": column.name, "type": str(column.field.type), "description": about.get("description", "")}
        if column.field.name != column.name:
            told["stored_as"] = column.field.name
        if about.get("unit"):
            told["unit"] = about["unit"]
        if isinstance(about.get("table"), str):
            told["rows_of"] = about["table"]  # a DynamicTableRegion: values are row numbers there, from 0
        return told

    def _of_enumerations(self) -> dict[str, str]:
        """Columns of labels -> the enumeration that uses them: hdmf keeps them in the same group."""
        found = {}
        for name in self.table.columns:
            elements = self.nwb.attributes(self.table.at(name)).get("elements")
            if isinstance(elements, str) and elements.startswith("/") and self.nwb.is_dataset(elements):
                found[elements] = name
        return found

    def _refuse_missing(self) -> None:
        for name in self.table.declared:
            if name not in self.table.columns:
                reason = "should be a column: the table says it has it, and there is none"
                self._leave_out(self.nwb.error(self.table.at(name), reason), name)

    def _take(self, name: str, owned: Mapping[str, str]) -> None:
        path = self.table.at(name)
        if path in owned:
            self.left_out[name] = owned[path]
            return
        if path in self._label_columns:
            self.left_out[name] = f"its labels are the values of {self._label_columns[path]}"
            return
        try:
            column = self._column(name)
            if self.report.salvage and column is not None:
                _try_reading(column, self.table.n_rows)
        except SourceError as error:
            self._leave_out(error, name)
            return
        if column is not None:
            self.columns.append(column)

    def _column(self, name: str) -> Column | None:
        data, levels = self.table.data(name), self.table.levels(name)
        length = data.shape[0] if data.shape else None
        if not levels and length != self.table.n_rows:
            if name not in self.table.declared:
                shape = " x ".join(map(str, data.shape)) or "one value"
                self.left_out[name] = f"no column: {shape} for {self.table.n_rows} rows; see nwb.objects"
                if data.shape:
                    self.report.warn(f"{self.table.at(name)} is kept only in nwb.objects: {self.left_out[name]}")
                return None
            raise self.nwb.error(self.table.at(name), f"has {length} values, and the table {self.table.n_rows} rows")
        labels = self._labels(name)
        if labels is not None and data.dtype.kind not in "iu":
            raise self.nwb.error(self.table.at(name), f"should be an enumeration, and is {type_name(data.dtype)}")
        value_type = pa.string() if labels is not None else arrow_type(data.dtype, data.shape[1:])
        type_ = value_type
        for _ in levels:
            type_ = pa.list_(type_)
        description = str(self.nwb.attributes(self.table.at(name)).get("description", ""))
        field = pa.field(self._names[name], type_, metadata={"description": printable(description)})
        return Column(self.table, name, field, data, tuple(levels), value_type, labels)

    def _labels(self, name: str) -> np.ndarray | None:
        elements = next((path for path, user in self._label_columns.items() if user == name), None)
        return self.nwb.array(elements) if elements else None

    def _leave_out(self, error: SourceError, name: str) -> None:
        leave_out(error, self.report)
        self.left_out[name] = f"damaged: {error.reason}"

    def _ids(self) -> pa.Array:
        """Row ids as they are stored; 0, 1, 2 ... where the table has none."""
        path = self.table.at("id")
        if not self.nwb.is_dataset(path):
            return pa.array(np.arange(self.table.n_rows, dtype=np.int64))
        data = self.nwb.dataset(path)
        try:
            return arrow_array(data[:], arrow_type(data.dtype, data.shape[1:]))
        except OverflowError as error:
            raise self.nwb.error(path, str(error)) from None

    def _batches(self, schema: pa.Schema, ids: pa.Array) -> Iterator[pa.RecordBatch]:
        total = self.table.n_rows
        for start, stop in row_blocks(self.columns, total):
            arrays = [ids[start:stop], *(column.read(start, stop) for column in self.columns)]
            yield pa.record_batch(arrays, schema=schema)
            self.report.progress(f"table {self.path}", stop, total)


def free_names(names: Sequence[str]) -> dict[str, str]:
    """Names that differ however they are capitalised, and from ``id``: SQL does not tell ``Color`` from ``color``."""
    taken, free = {"id"}, {}
    for name in names:
        candidate, n = printable(name), 1
        while candidate.lower() in taken:
            n += 1
            candidate = f"{printable(name)}_{n}"
        taken.add(candidate.lower())
        free[name] = candidate
    return free


def row_blocks(columns: list[Column], n_rows: int) -> Iterator[tuple[int, int]]:
    """(start, stop) of rows that are read at once: so many rows or bytes, whichever comes first; one row at least."""
    plain = sum(column.data.row_bytes for column in columns if not column.levels)
    total = np.arange(1, n_rows + 1, dtype=np.float64) * plain
    for column in columns:
        ragged = column.bytes_to_row
        if ragged is not None:
            total += ragged
    start = 0
    while start < n_rows:
        before = total[start - 1] if start else 0.0
        by_bytes = int(np.searchsorted(total, before + _BATCH_BYTES, "right"))
        stop = min(max(by_bytes, start + 1), start + _BATCH_ROWS, n_rows)
        yield start, stop
        start = stop


def _try_reading(column: Column, n_rows: int) -> None:
    """Read a column for nothing: what cannot be read must be known before the typed file is begun."""
    for start, stop in row_blocks([column], n_rows):
        column.read(start, stop)
