"""Partitions of bulk tables that kernels look things up in, held in memory: a file never changes, so neither do they."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from pathlib import Path
from typing import Any, Protocol

import duckdb
import pyarrow as pa
import pyarrow.parquet as pq

from ..udfs.registry import Held
from .catalog import LakeState

ROOM = 512 * 2**20  # bytes, a process


class Partitions(Protocol):
    """Where the rows of partitions come from."""

    def key(self, table: str, value: int) -> Hashable | None:
        """What the rows are known by, None where they may change or are not there."""

    def rows(self, table: str, columns: tuple[str, ...], value: int) -> pa.Table:
        """The partition's rows, in the table's declared order."""


class FilesOfPartitions:
    """Partitions of a lake at the snapshot of ``state``, which a session moves."""

    def __init__(self, state: LakeState) -> None:
        self.move(state)

    def move(self, state: LakeState) -> None:
        """Go to another snapshot."""
        self.state = state
        self._known: dict[tuple[str, int], tuple[str, ...]] = {}  # a kernel asks for each 2,048 rows

    def key(self, table: str, value: int) -> Hashable | None:
        return self._paths(table, value) or None

    def rows(self, table: str, columns: tuple[str, ...], value: int) -> pa.Table:
        spec = self.state.tables[table].spec
        parts = [pq.ParquetFile(path).read([*columns]) for path in self._paths(table, value)]
        empty = pa.schema([spec.arrow.field(name) for name in columns]).empty_table()
        found = pa.concat_tables(parts) if parts else empty
        return (
            found.sort_by([(name, "ascending") for name in spec.sort if name in columns]) if len(parts) > 1 else found
        )

    def _paths(self, table: str, value: int) -> tuple[str, ...]:
        known = self._known.get((table, value))
        if known is None:
            files, root = self.state.tables[table].files, Path(self.state.root)
            known = tuple(str(root / file.path) for file in files if file.partition_value == value)
            self._known[table, value] = known
        return known


class RowsOfConnection:
    """Partitions of tables in a DuckDB of their own; they may change, so nothing of them is kept."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con

    def key(self, table: str, value: int) -> None:
        return None

    def rows(self, table: str, columns: tuple[str, ...], value: int) -> pa.Table:
        from .tables import TABLES

        spec = TABLES[table]
        order = ", ".join(name for name in spec.sort if name in columns)
        query = f"select {', '.join(columns)} from {table} where {spec.partition} = {int(value)} order by {order}"
        with self._con.cursor() as cursor:
            return cursor.sql(query).to_arrow_table()


_kept: OrderedDict[Hashable, Any] = OrderedDict()
_keeping = threading.Lock()


def lookup(held: Held, partitions: Partitions, to_numpy: Callable[[Any], Any]) -> Callable[[int], Any]:
    """What a kernel is given: from a partition's value to what ``held`` makes of it. Raises LookupError for none."""

    def of(value: int) -> Any:
        key = partitions.key(held.table, value)
        known = None if key is None else (key, held)
        with _keeping:
            if known in _kept:
                _kept.move_to_end(known)
                return _kept[known]
        rows = partitions.rows(held.table, held.columns, value)
        if not rows.num_rows:
            raise LookupError(f"{held.table} holds nothing of {value}")
        made = held.make(*(to_numpy(rows.column(name)) for name in held.columns))
        if known is not None:
            with _keeping:
                _kept[known] = made
                while len(_kept) > 1 and sum(one.nbytes for one in _kept.values()) > ROOM:
                    _kept.popitem(last=False)
        return made

    return of
