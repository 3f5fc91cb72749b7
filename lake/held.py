"""Partitions of bulk tables that kernels look things up in, held in memory: a file never changes, so neither do they."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ..udfs.registry import Held
from .states import LakeState

ROOM = 512 * 2**20  # bytes, a process


@dataclass(frozen=True)
class Piece:
    """Some rows of a partition, which lie together and are read together.

    key : what they are known by, None where they may change
    low, high : smallest and greatest values of the columns asked for
    """

    key: Hashable | None
    low: tuple[int, ...]
    high: tuple[int, ...]
    read: Callable[[tuple[str, ...]], pa.Table]


class Partitions(Protocol):
    """Where the rows of partitions come from."""

    def key(self, table: str, value: int) -> Hashable | None:
        """What the rows are known by, None where they may change or are not there."""

    def rows(self, table: str, columns: tuple[str, ...], value: int) -> pa.Table:
        """The partition's rows, in the table's declared order."""

    def pieces(self, table: str, by: tuple[str, ...], value: int) -> list[Piece]:
        """The partition in pieces, in the table's declared order."""


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
        parts = [_read(path, columns) for path in self._paths(table, value)]
        # no empty_table: for the empty arrays of it, pyarrow imports pandas, which takes 0.2 s and 40 MB
        schema = pa.schema([spec.arrow.field(name) for name in columns])
        found = pa.concat_tables(parts) if parts else pa.Table.from_batches([], schema)
        return (
            found.sort_by([(name, "ascending") for name in spec.sort if name in columns]) if len(parts) > 1 else found
        )

    def pieces(self, table: str, by: tuple[str, ...], value: int) -> list[Piece]:
        """Row groups, whose statistics say what is in them."""
        return [piece for path in self._paths(table, value) for piece in _row_groups(path, by)]

    def _paths(self, table: str, value: int) -> tuple[str, ...]:
        known = self._known.get((table, value))
        if known is None:
            files, root = self.state.tables[table].files, Path(self.state.root)
            known = tuple(str(root / file.path) for file in files if file.partition_value == value)
            self._known[table, value] = known
        return known


def _read(path: str, columns: Sequence[str]) -> pa.Table:
    """A file's columns, one after the other, as each takes several times its size while it is read.

    Ahead of need and with threads, Arrow takes six times as much, and no less time.
    """
    read = {}
    with pq.ParquetFile(path, pre_buffer=False) as file:
        for name in columns:
            read[name] = file.read([name], use_threads=False).column(0)
            pa.default_memory_pool().release_unused()
    return pa.table(read)


@lru_cache(maxsize=64)
def _row_groups(path: str, by: tuple[str, ...]) -> tuple[Piece, ...]:
    footer = pq.read_metadata(path)
    columns = [footer.schema.names.index(name) for name in by]

    def reader(group: int) -> Callable[[tuple[str, ...]], pa.Table]:
        def read(names: tuple[str, ...]) -> pa.Table:
            with pq.ParquetFile(path, metadata=footer, memory_map=True) as file:
                return file.read_row_group(group, [*names], use_threads=False)

        return read

    found = []
    for group in range(footer.num_row_groups):
        ranges = [footer.row_group(group).column(at).statistics for at in columns]
        low, high = tuple(r.min for r in ranges), tuple(r.max for r in ranges)
        found.append(Piece((path, group), low, high, reader(group)))
    return tuple(found)


class RowsOfConnection:
    """Partitions of tables in a DuckDB of their own; they may change, so nothing of them is kept."""

    def __init__(self, con: duckdb.DuckDBPyConnection) -> None:
        self._con = con

    def key(self, table: str, value: int) -> None:
        return None

    def rows(self, table: str, columns: tuple[str, ...], value: int) -> pa.Table:
        return self._rows(table, columns, value)

    def pieces(self, table: str, by: tuple[str, ...], value: int) -> list[Piece]:
        """All rows of one value of the leading column."""
        ends = ", ".join(f"min({name}), max({name})" for name in by)
        with self._con.cursor() as cursor:
            found = cursor.execute(
                f"select {ends} from {table} where {_partition(table)} = {int(value)} group by {by[0]} order by {by[0]}"
            ).fetchall()

        def reader(first: int) -> Callable[[tuple[str, ...]], pa.Table]:
            return lambda columns: self._rows(table, columns, value, f"and {by[0]} = {int(first)}")

        return [Piece(None, row[::2], row[1::2], reader(row[0])) for row in found]

    def _rows(self, table: str, columns: tuple[str, ...], value: int, where: str = "") -> pa.Table:
        from .tables import TABLES

        order = ", ".join(name for name in TABLES[table].sort if name in columns)
        query = f"select {', '.join(columns)} from {table} where {_partition(table)} = {int(value)} {where} order by {order}"
        with self._con.cursor() as cursor:
            return cursor.sql(query).to_arrow_table()


def _partition(table: str) -> str | None:
    from .tables import TABLES

    return TABLES[table].partition


class Kept:
    """What was made of partitions, as long as there is room; what was asked for last stays whatever its size."""

    def __init__(self) -> None:
        self._made: OrderedDict[Hashable, Any] = OrderedDict()
        self._size = 0
        self._lock = threading.Lock()

    def __setitem__(self, key: Hashable, made: Any) -> None:
        with self._lock:
            self._drop(key)
            self._made[key] = made
            self._size += made.nbytes
            while len(self._made) > 1 and self._size > ROOM:
                self._drop(next(iter(self._made)))

    def get(self, key: Hashable) -> Any:
        """None for what is not kept."""
        with self._lock:
            if key in self._made:
                self._made.move_to_end(key)
            return self._made.get(key)

    def clear(self) -> None:
        with self._lock:
            self._made.clear()
            self._size = 0

    def _drop(self, key: Hashable) -> None:
        if (made := self._made.pop(key, None)) is not None:
            self._size -= made.nbytes


_kept = Kept()


def let_go() -> None:
    """Keep nothing any more: the next question reads what it needs."""
    _kept.clear()
    _row_groups.cache_clear()


class _PiecesOfPartition:
    """What a kernel is given of a partition that is read in pieces."""

    def __init__(self, pieces: Sequence[Piece], make: Callable[[Piece], Any]) -> None:
        self._pieces, self._make = pieces, make
        self._low = np.array([piece.low for piece in pieces], np.int64)
        self._high = np.array([piece.high for piece in pieces], np.int64)

    def within(self, low: Sequence[int], high: Sequence[int]) -> Iterator[Any]:
        meets = ((self._low <= np.asarray(high)) & (self._high >= np.asarray(low))).all(axis=1)
        return (self._make(self._pieces[i]) for i in np.flatnonzero(meets).tolist())


def lookup(held: Held, partitions: Partitions, to_numpy: Callable[[Any], Any]) -> Callable[[int], Any]:
    """What a kernel is given: from a partition's value to what ``held`` makes of it. Raises LookupError for none."""

    def made(key: Hashable | None, read: Callable[[], pa.Table]) -> Any:
        known = None if key is None else (key, held)
        found = None if known is None else _kept.get(known)
        if found is None:
            rows = read()
            if not rows.num_rows:
                raise LookupError(f"{held.table} holds nothing of it")
            found = held.make(*(to_numpy(rows.column(name)) for name in held.columns))
            if known is not None:
                _kept[known] = found
        return found

    def whole(value: int) -> Any:
        return made(partitions.key(held.table, value), lambda: partitions.rows(held.table, held.columns, value))

    def in_pieces(value: int) -> Any:
        pieces = partitions.pieces(held.table, held.by, value)
        if not pieces:
            raise LookupError(f"{held.table} holds nothing of {value}")
        return _PiecesOfPartition(pieces, lambda piece: made(piece.key, lambda: piece.read(held.columns)))

    return in_pieces if held.by else whole
