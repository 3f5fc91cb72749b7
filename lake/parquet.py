"""Record batches to Parquet files as the tables declare them: checked, ordered, encoded, durable."""

from __future__ import annotations

import contextlib
import itertools
import uuid
from collections import deque
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from .errors import DamageError, SpecError
from .records import ColumnStats, WrittenFile
from .sealing import GrowingDigest, make_folder, seal
from .spec import INGEST_ID_FIELD, PARQUET_ENCODING, TableSpec

ENCODED_AHEAD = 32 << 20  # bytes of row groups that may wait to be encoded: a reader goes on meanwhile
SMALL_TABLE_ROWS = 1_000_000  # rows of a small table that are sorted in memory before they become a file


def to_table(spec: TableSpec, rows: pa.RecordBatch | pa.Table | Mapping[str, Any], ingest_id: int) -> pa.Table:
    """Rows in the table's declared schema: missing nullable columns as NULL, NaN scalars as NULL, types cast.

    A mapping's values are arrays, sequences, or scalars (repeated). Raises SpecError for an unknown column, a missing
    or NULL required one, or a value its type does not hold.
    """
    given = _columns(rows)
    unknown = [name for name in given if name not in spec.arrow.names]
    if unknown:
        raise SpecError(f"{spec.name} has no column {unknown[0]}")
    lengths = {len(v) for v in given.values() if not _is_scalar(v)}
    if len(lengths) > 1:
        raise SpecError(f"{spec.name}: columns of different lengths: {sorted(lengths)}")
    length = lengths.pop() if lengths else 1
    arrays = []
    for declared in spec.arrow:
        if declared.name == "ingest_id":
            array = pa.array(np.full(length, ingest_id, dtype=np.int64))
        elif declared.name not in given:
            array = pa.nulls(length, declared.type)
        else:
            array = _cast(spec, declared, given[declared.name], length)
        if not declared.nullable and array.null_count:
            raise SpecError(f"{spec.name}.{declared.name} may not be NULL")
        arrays.append(array)
    return pa.table(arrays, schema=spec.arrow)


def _columns(rows: pa.RecordBatch | pa.Table | Mapping[str, Any]) -> dict[str, Any]:
    if isinstance(rows, Mapping):
        return dict(rows)
    return dict(zip(rows.schema.names, rows.columns, strict=True))


def _is_scalar(value: Any) -> bool:
    return (
        value is None or isinstance(value, (str, bytes, bool, int, float, np.generic)) or not hasattr(value, "__len__")
    )


def _cast(spec: TableSpec, declared: pa.Field, value: Any, length: int) -> pa.Array:
    kind = declared.type
    try:
        if _is_scalar(value):
            value = pa.repeat(pa.scalar(value.item() if isinstance(value, np.generic) else value, kind), length)
        array = value if isinstance(value, (pa.Array, pa.ChunkedArray)) else pa.array(value, _input_type(value, kind))
        if isinstance(array, pa.ChunkedArray):
            array = array.combine_chunks()
        if array.type != kind:
            array = array.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowTypeError, pa.ArrowNotImplementedError, OverflowError, TypeError) as error:
        raise SpecError(f"{spec.name}.{declared.name} is {kind}: {str(error).splitlines()[0]}") from None
    if pa.types.is_floating(kind) and declared.nullable and pc.any(is_nan := pc.is_nan(array)).as_py():
        array = pc.if_else(is_nan, pa.scalar(None, kind), array)  # NaN sorts above every number in SQL
    return array


def _input_type(value: Any, kind: pa.DataType) -> pa.DataType | None:
    return None if isinstance(value, np.ndarray) and value.dtype != object else kind


class TableWriter:
    """Writes the rows of one table of one ingest, in as many files as partitions (or a million rows) need.

    Bulk tables stream: their rows must come in the declared order, and are written a row group at a time. Small
    tables are gathered and sorted.
    """

    def __init__(self, root: Path, spec: TableSpec, ingest_id: int) -> None:
        self.spec, self.ingest_id = spec, ingest_id
        self.folder = root / "data" / spec.schema_name / spec.table_name
        self.files: list[WrittenFile] = []
        self._file: _OpenFile | None = None
        self._seen: set[int] = set()
        self._gathered: list[pa.Table] = []

    @property
    def paths(self) -> list[Path]:
        """Every finished file."""
        return [self.folder / f.path for f in self.files]

    @property
    def n_rows(self) -> int:
        return sum(f.n_rows for f in self.files)

    def write(self, rows: pa.RecordBatch | pa.Table | Mapping[str, Any]) -> None:
        table = to_table(self.spec, rows, self.ingest_id)
        if not table.num_rows:
            return
        if not self.spec.is_bulk:
            self._gathered.append(table)
            if sum(t.num_rows for t in self._gathered) >= SMALL_TABLE_ROWS:
                self._flush_small()
            return
        values = table[self.spec.partition].to_numpy()
        cuts = [0, *(np.flatnonzero(np.diff(values)) + 1).tolist(), table.num_rows]
        for start, stop in itertools.pairwise(cuts):
            self._write_partition(int(values[start]), table.slice(start, stop - start))

    def _write_partition(self, value: int, table: pa.Table) -> None:
        if self._file is None or self._file.partition_value != value:
            self._finish_file()
            if value in self._seen:
                raise SpecError(
                    f"{self.spec.name}: rows of {self.spec.partition} {value} must come one after the other"
                )
            self._seen.add(value)
            self._file = _OpenFile(self.folder, self.spec, self.ingest_id, value)
        self._file.write(table)

    def _flush_small(self) -> None:
        if self._gathered:
            table = pa.concat_tables(self._gathered)
            self._gathered = []
            self.write_file(sort_rows(self.spec, table))

    def write_file(self, table: pa.Table, ingests: Mapping[int, int] | None = None) -> None:
        """One whole file of rows in declared order."""
        file = _OpenFile(self.folder, self.spec, self.ingest_id, None)
        self._file = file
        file.write(table)
        self._finish_file(ingests)

    def _finish_file(self, ingests: Mapping[int, int] | None = None) -> None:
        if self._file is not None:
            file, self._file = self._file, None
            try:
                self.files.append(file.finish(ingests))
            except BaseException:
                file.path.unlink(missing_ok=True)
                raise

    def finish(self) -> None:
        """Everything written is on disk when this returns."""
        self._flush_small()
        self._finish_file()

    def abandon(self) -> None:
        """Give up the file being written; finished ones stay for the caller to remove."""
        if self._file:
            file, self._file = self._file, None
            file.abandon()


def sort_rows(spec: TableSpec, table: pa.Table) -> pa.Table:
    """Rows in the table's declared order."""
    return table.sort_by([(name, "ascending") for name in spec.sort]) if spec.sort else table


class _OpenFile:
    """A Parquet file being written, a row group at a time, by a thread of its own: encoding lets Python go on."""

    def __init__(self, folder: Path, spec: TableSpec, ingest_id: int, partition_value: int | None) -> None:
        self.spec, self.ingest_id, self.partition_value = spec, ingest_id, partition_value
        self._folder = folder
        inner = "" if partition_value is None else f"{spec.partition}={partition_value}/"
        self._name = f"{inner}{uuid.uuid4()}.parquet"
        self.path = folder / self._name
        make_folder(self.path.parent)
        try:
            self._writer = pq.ParquetWriter(self.path, spec.arrow, **parquet_options(spec))
        except BaseException:
            self.path.unlink(missing_ok=True)
            raise
        self._encoder = ThreadPoolExecutor(1, "parquet")
        self._digest = GrowingDigest(self.path)
        self._encoding: deque[tuple[int, Future[None]]] = deque()  # (bytes, row group being encoded)
        self._pending: list[pa.Table] = []
        self._last: pa.Table | None = None
        self._stats = {name: Range() for name in _stats_columns(spec)}
        self._n_rows = 0

    def write(self, table: pa.Table) -> None:
        check_order(self.spec, table, self._last)
        self._last = table.slice(table.num_rows - 1)
        self._n_rows += table.num_rows
        for name, found in self._stats.items():
            found.add(table[name])
        self._pending.append(table)
        if sum(t.num_rows for t in self._pending) >= self.spec.row_group_rows or self._elements() >= (
            self.spec.row_group_elements
        ):
            self._flush(last=False)

    def _elements(self) -> int:
        return max((_elements(t).sum() for t in self._pending), default=0)

    def _flush(self, last: bool) -> None:
        table = pa.concat_tables(self._pending)
        for start, stop in row_groups(self.spec, table):
            if stop == table.num_rows and not last:
                self._pending = [table.slice(start)]
                return
            group = table.slice(start, stop - start)
            self._encoded(ENCODED_AHEAD - group.nbytes)
            self._encoding.append((group.nbytes, self._encoder.submit(self._encode, group)))
        self._pending = []

    def _encode(self, group: pa.Table) -> None:
        self._writer.write_table(group, max(1, group.num_rows))
        self._digest.follow(group.nbytes)

    def _encoded(self, ahead: int = 0) -> None:
        """Wait until row groups of no more than so many bytes are not yet in the file; their errors are raised here."""
        while self._encoding and sum(size for size, _ in self._encoding) > max(ahead, 0):
            self._encoding.popleft()[1].result()

    def finish(self, ingests: Mapping[int, int] | None) -> WrittenFile:
        try:
            if self._pending:
                self._flush(last=True)
            self._encoded()
            self._encoder.shutdown()
            self._writer.close()
            sealed = seal(self.path, self._digest.result)
        finally:
            self._encoder.shutdown()
            self._digest.stop()
        stats = [
            found.stats(INGEST_ID_FIELD if name == "ingest_id" else self.spec[name].id)
            for name, found in self._stats.items()
        ]
        counts = dict(ingests) if ingests is not None else {self.ingest_id: self._n_rows}
        return WrittenFile(self._name, self._n_rows, *sealed, counts, self.partition_value, stats)

    def abandon(self) -> None:
        self._encoder.shutdown()
        self._digest.stop()
        with contextlib.suppress(OSError):  # the disk may be full; the file goes anyway
            self._writer.close()
        self.path.unlink(missing_ok=True)


def parquet_options(spec: TableSpec) -> dict[str, Any]:
    """How a table's columns are encoded (docs/spike-layout.md)."""
    dictionary, encodings = [], {}
    for column in spec:
        path = f"{column.name}.list.element" if pa.types.is_list(column.type) else column.name
        if column.chosen_encoding == "dictionary":
            dictionary.append(path)
        else:
            encodings[path] = PARQUET_ENCODING[column.chosen_encoding]
    return {
        "compression": spec.compression,
        "use_dictionary": [*dictionary, "ingest_id"],
        "column_encoding": encodings,
        # of the elements of a list nobody asks the least and the greatest
        "write_statistics": [c.name for c in spec if not pa.types.is_list(c.type)] + ["ingest_id"],
        "store_schema": True,
    }


def row_groups(spec: TableSpec, table: pa.Table) -> list[tuple[int, int]]:
    """Where row groups begin and end: at so many rows or list elements, whichever comes first; one row at least."""
    total = np.concatenate([[0], np.cumsum(_elements(table))])
    cuts, start = [], 0
    while start < table.num_rows:
        by_elements = int(np.searchsorted(total, total[start] + spec.row_group_elements, "right")) - 1
        stop = min(max(by_elements, start + 1), start + spec.row_group_rows, table.num_rows)
        cuts.append((start, stop))
        start = stop
    return cuts


def _elements(table: pa.Table) -> np.ndarray:
    """List elements of each row, of its longest list column."""
    longest = np.zeros(table.num_rows, dtype=np.int64)
    for one in table.schema:
        if pa.types.is_list(one.type):
            lengths = pc.fill_null(pc.list_value_length(table[one.name]), 0).to_numpy()
            np.maximum(longest, lengths, out=longest)
    return longest


def check_order(spec: TableSpec, table: pa.Table, before: pa.Table | None) -> None:
    """Raise SpecError where rows are not in the declared order (NULLs last), also against the row before."""
    rows = pa.concat_tables([before, table]) if before is not None else table
    if rows.num_rows < 2:
        return
    tied = np.ones(rows.num_rows - 1, dtype=bool)
    for name in spec.sort:
        present = np.asarray(rows[name].is_valid())
        values = rows[name].combine_chunks()
        if pa.types.is_boolean(values.type):
            values = values.cast(pa.int8())  # no number fills a boolean's NULLs
        filled = pc.fill_null(values, "" if pa.types.is_string(values.type) else 0)
        array = np.asarray(filled.to_numpy(zero_copy_only=False))
        a, b, has_a, has_b = array[:-1], array[1:], present[:-1], present[1:]
        if np.any(tied & ((~has_a & has_b) | (has_a & has_b & (a > b)))):
            raise SpecError(f"{spec.name}: rows are not in the declared order ({', '.join(spec.sort)})")
        tied &= (has_a == has_b) & (a == b)


def _stats_columns(spec: TableSpec) -> list[str]:
    names = dict.fromkeys((*((spec.partition,) if spec.partition else ()), *spec.key, *spec.sort))
    return [name for name in names if not pa.types.is_list(spec[name].type)] + ["ingest_id"]


class Range:
    """Minimum, maximum, values and NULLs of a column, over batches."""

    def __init__(self) -> None:
        self.low: Any = None
        self.high: Any = None
        self.n_values = self.n_nulls = 0

    def add(self, column: pa.ChunkedArray) -> None:
        self.n_values += len(column)
        self.n_nulls += column.null_count
        if column.null_count < len(column):
            found = pc.min_max(column).as_py()
            self.low = found["min"] if self.low is None else min(self.low, found["min"])
            self.high = found["max"] if self.high is None else max(self.high, found["max"])

    def stats(self, column_id: int) -> ColumnStats:
        return ColumnStats(column_id, self.n_values, self.n_nulls, _text(self.low), _text(self.high))


def _text(value: Any) -> str | None:
    if value is None:
        return None
    return str(int(value)) if isinstance(value, bool) else str(value)


def read_file(path: Path) -> pa.Table:
    """A data file's rows, as stored. Raises DamageError where it is missing or broken."""
    try:
        return pq.read_table(path, partitioning=None)
    except (OSError, pa.ArrowException) as error:
        raise DamageError(f"{path} cannot be read ({str(error).splitlines()[0]}): see `brainlake check`") from None
