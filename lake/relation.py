"""What a question gives: an answer that is computed when asked for, in the form asked for."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import duckdb
import numpy as np
import pyarrow as pa

from .errors import LostMemoError, QueryError
from .forms import Row, cell_text, grouped, n_rows, plain, plain_batch, plain_name, spread, to_numpy, to_value, unique
from .functions import to_column
from .interrupts import interruptible
from .mistakes import explained, located, of_duckdb
from .pictures import Plots
from .whole_sweeps import SAMPLES, SAMPLES_TYPE, whole_sweep

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pynapple as nap
    import xarray as xr

    from .session import Session


FEW_ROWS = 64  # at a time of lists and bytes, any of which may be large

T = TypeVar("T")


class Relation:
    """The answer to a question. Every output computes it anew on the session's snapshot.

    Attributes ``columns``, ``types`` and ``units`` are known without computing it.
    """

    def __init__(
        self,
        session: Session,
        query: str,
        params: Sequence[Any] | Mapping[str, Any] | None = None,
        tables: Mapping[str, Any] | None = None,
    ) -> None:
        self._session, self.query, self._params = session, query, params
        self._tables = {name: _frame(frame) for name, frame in (tables or {}).items()}
        self._types: dict[str, str] = {}
        self.owner: object | None = None  # the lake, which stays open while somebody has an answer of it
        self._running: set[duckdb.DuckDBPyConnection] = set()
        self._sweep = None if tables else whole_sweep(query, params)  # which is read past DuckDB
        self._checked: tuple[int, str, duckdb.DuckDBPyConnection, duckdb.DuckDBPyRelation] | None = None

    # -- running --------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Bind the query: mistakes show now, not when the answer is asked for. The first output needs not do it again."""
        query = self._sweep.told if self._sweep else self.query
        try:
            cursor, bound = self._without_lost_memos(lambda: self._bound(query))
        except QueryError:
            if self._sweep is None:
                raise
            self._sweep = None
            return self.check()
        types = dict(zip(unique(bound.columns), (plain_name(str(t)) for t in bound.types), strict=True))
        if self._sweep:
            types |= dict.fromkeys(SAMPLES, SAMPLES_TYPE)
            types = {name: types[name] for name in self._sweep.in_order(bound.columns)}
        self._types = types
        self._checked = self._session.snapshot_id, query, cursor, bound

    def _bound(self, query: str) -> tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyRelation]:
        checked, self._checked = self._checked, None
        if checked is not None:
            *of, cursor, bound = checked
            if of == [self._session.snapshot_id, query]:
                return cursor, bound
            cursor.close()
        params = self._params if query == self.query else None
        cursor = self._session.cursor(query, params)
        try:
            for name, frame in self._tables.items():
                cursor.register(name, frame)
            return cursor, cursor.sql(query, params=params)
        except duckdb.Error as error:
            told = located(cursor, query, params) or error
            cursor.close()
            raise explained(told, self._session, query, self._tables) from None

    def interrupt(self) -> None:
        """Stop whatever computes this answer in other threads; they get a QueryError."""
        for cursor in list(self._running):
            cursor.interrupt()

    @contextlib.contextmanager
    def _asking(self, query: str | None = None) -> Iterator[tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyRelation]]:
        """The query bound on a cursor of its own, for as long as it computes."""
        cursor, bound = self._bound(query or self.query)
        self._running.add(cursor)
        is_done = False
        try:
            yield cursor, bound
            is_done = True
        except duckdb.Error as error:
            raise explained(error, self._session, self.query, self._tables) from None
        finally:
            self._running.discard(cursor)
            if is_done:
                for name in self._tables:
                    cursor.unregister(name)
                self._session.give_back(cursor)
            else:
                cursor.close()

    def _run(self, output: Callable[[duckdb.DuckDBPyRelation], Any], query: str | None = None) -> Any:
        def run() -> Any:
            with self._asking(query) as (cursor, bound):
                return interruptible(lambda: output(bound), cursor.interrupt)

        return self._without_lost_memos(run)

    def _without_lost_memos(self, ask: Callable[[], T]) -> T:
        """Ask once more where somebody emptied ``cache/`` meanwhile, which loses nothing."""
        try:
            return ask()
        except LostMemoError:
            self._session.forget_memos()
            return ask()

    def _table(self, output: Callable[[duckdb.DuckDBPyRelation], pa.Table] | None = None) -> pa.Table:
        """The answer in plain types; ``output`` says how DuckDB gives it, by default as a whole."""
        if self._sweep:
            told = plain(self._run(lambda r: r.to_arrow_table(), self._sweep.told))
            if (answer := self._sweep.answer(told, self._session.partitions)) is not None:
                return answer
        return plain(self._run(output or (lambda r: r.to_arrow_table())))

    # -- about ----------------------------------------------------------------------------------------------------

    @property
    def columns(self) -> list[str]:
        """Names of the result's columns."""
        return list(self._types)

    @property
    def types(self) -> dict[str, str]:
        """DuckDB types of the result's columns."""
        return dict(self._types)

    @property
    def units(self) -> dict[str, str | None]:
        """Units of the result's columns, where a column is, or summarises, one of known unit."""
        return self._session.units_of(self.query, self.columns)

    def schema(self) -> pa.Schema:
        """Names, types and units of the result's columns as Arrow has them, without computing it."""
        return self._with_units(plain(self._run(lambda r: r.limit(0).to_arrow_table()))).schema

    def explain(self, analyze: bool = False) -> str:
        """How DuckDB answers it."""
        return str(self._run(lambda r: r.explain("analyze" if analyze else "standard")))

    # -- outputs --------------------------------------------------------------------------------------------------

    def arrow(self) -> pa.Table:
        """An Arrow table; units in the fields' metadata."""
        return self._with_units(self._table())

    def pl(self) -> pl.DataFrame:
        """A polars DataFrame, in the memory in which DuckDB gave the answer."""
        import polars as pl

        frame = pl.from_arrow(self._table(), rechunk=False)
        assert isinstance(frame, pl.DataFrame)
        return frame

    def df(self, index: str | Sequence[str] | None = None) -> pd.DataFrame:
        """A pandas DataFrame; units in ``attrs['units']``."""
        frame = self._run(lambda r: r.to_df())
        frame.columns = self.columns
        frame.attrs["units"] = {k: v for k, v in self.units.items() if v}
        return frame if index is None else frame.set_index(index if isinstance(index, str) else list(index))

    def to_numpy(self) -> np.ndarray:
        """One column as an array, several as a structured array; NULL numbers are NaN."""
        table = self._table()
        arrays = {name: to_numpy(table[name]) for name in table.column_names}
        if len(arrays) == 1:
            (array,) = arrays.values()
            return array if array.flags.writeable else array.copy()  # a small answer's memory is Arrow's
        out = np.empty(table.num_rows, dtype=[(name, a.dtype) for name, a in arrays.items()])
        for name, array in arrays.items():
            out[name] = array
        return out

    def to_xarray(self, dims: str | Sequence[str], values: str | Sequence[str], fill: Any = None) -> Any:
        """A labelled array: a dimension for each column of ``dims``, sorted; ``values`` inside.

        fill : where no row is; by default NaN (which makes integers floats). A full product stays integer.

        Raises QueryError where two rows share a cell.
        """
        import xarray as xr

        names = [dims] if isinstance(dims, str) else list(dims)
        wanted = [values] if isinstance(values, str) else list(values)
        table = self._table()
        for name in (*names, *wanted):
            if name not in table.column_names:
                raise QueryError(f"the answer has no column {name}: it has {', '.join(table.column_names)}")
        coords, places = {}, []
        for name in names:
            coords[name], place = np.unique(to_numpy(table[name]), return_inverse=True)
            places.append(place)
        shape = tuple(len(c) for c in coords.values())
        index = np.ravel_multi_index(places, shape) if table.num_rows else np.empty(0, dtype=np.int64)
        if len(np.unique(index)) < table.num_rows:
            raise QueryError(f"several rows share one cell of {' × '.join(names)}: aggregate them, or add a dimension")
        units = self.units
        arrays = {}
        for name in wanted:
            column = to_numpy(table[name])
            arrays[name] = xr.DataArray(
                spread(column, index, shape, fill),
                coords,
                names,
                name,
                {"units": units[name]} if units.get(name) else {},
            )
        out: xr.DataArray | xr.Dataset = arrays[wanted[0]] if isinstance(values, str) else xr.Dataset(arrays)
        for name in names:
            if units.get(name):
                out[name].attrs["units"] = units[name]
        return out

    def one(self) -> Row:
        """The one row, its columns as attributes; a LIST is a numpy array without a copy.

        Raises QueryError where there is none, or more than one.
        """
        table = self._table(_first_two)
        if table.num_rows != 1:
            raise QueryError(f"the answer has {'no row' if not table.num_rows else 'more than one row'}, not one")
        return Row({name: to_value(table[name]) for name in table.column_names})

    def fetch_batches(self, rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        """Record batches as they are computed, of at most so many rows, fewer of heavy ones; at least one.

        Memory does not grow with the answer.
        """
        with self._asking() as (cursor, bound):
            is_light = not any(kind.endswith(("]", ")", "BLOB")) for kind in self._types.values())
            few = rows if is_light else min(rows, FEW_ROWS)
            batches = interruptible(lambda: bound.to_arrow_reader(few), cursor.interrupt)
            is_empty = True
            for batch in grouped(_all(batches, cursor), rows):
                is_empty = False
                yield plain_batch(batch)
            if is_empty:
                yield plain_batch(pa.RecordBatch.from_pylist([], batches.schema))

    def reader(self, rows: int = 65_536) -> pa.RecordBatchReader:
        """:meth:`fetch_batches` as Arrow knows it: with the schema first, units in its fields.

        The first batch is computed now, as with it comes the schema.
        """
        batches = self.fetch_batches(rows)
        first = next(batches)
        schema = self._with_units(pa.Table.from_batches([first])).schema
        named = (pa.RecordBatch.from_arrays(b.columns, schema=schema) for b in itertools.chain([first], batches))
        return pa.RecordBatchReader.from_batches(schema, named)

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.arrow().__arrow_c_stream__(requested_schema)

    def to_tsgroup(self) -> nap.TsGroup:
        """Spike trains for pynapple: columns unit_id, spike_time, and any that are constant within a unit."""
        import pynapple as nap

        table = self._need("unit_id", "spike_time")
        if not table.num_rows:
            raise QueryError("the answer has no spike, and pynapple makes no group of none")
        units, place = np.unique(to_numpy(table["unit_id"]), return_inverse=True)
        times = to_numpy(table["spike_time"])
        order = np.argsort(place, kind="stable")
        cuts = np.searchsorted(place[order], np.arange(len(units) + 1))
        # Given, as pynapple would take each unit's own first to last spike, which leaves out units of one spike.
        support = nap.IntervalSet(times.min(), max(times.max(), np.nextafter(times.min(), np.inf)))
        trains = {
            int(unit): nap.Ts(np.sort(times[order[a:b]]), time_support=support)
            for unit, a, b in zip(units, cuts[:-1], cuts[1:], strict=True)
        }
        first = order[cuts[:-1]]
        metadata = {
            name: to_numpy(table[name])[first] for name in table.column_names if name not in ("unit_id", "spike_time")
        }
        return nap.TsGroup(trains, time_support=support, metadata=metadata or None)

    def to_tsd(self) -> Any:
        """A time series for pynapple: column timestamp, and one value (Tsd) or several (TsdFrame)."""
        import pynapple as nap

        table = self._need("timestamp")
        names = [n for n in table.column_names if n != "timestamp"]
        values = [to_numpy(table[n]) for n in names]
        times = to_numpy(table["timestamp"])
        if len(values) == 1:
            return nap.Tsd(t=times, d=values[0])
        return nap.TsdFrame(t=times, d=np.column_stack(values), columns=names)

    def to_intervalset(self) -> nap.IntervalSet:
        """Intervals for pynapple: columns start_time and stop_time."""
        import pynapple as nap

        table = self._need("start_time", "stop_time")
        return nap.IntervalSet(start=to_numpy(table["start_time"]), end=to_numpy(table["stop_time"]))

    def _need(self, *names: str) -> pa.Table:
        missing = [n for n in names if n not in self.columns]
        if missing:
            raise QueryError(f"the answer needs a column {missing[0]}: it has {', '.join(self.columns)}")
        return self._table()

    def _with_units(self, table: pa.Table) -> pa.Table:
        units = self.units
        fields = [
            f.with_metadata({"unit": unit}) if (unit := units.get(f.name)) else f.remove_metadata()
            for f in table.schema
        ]
        return pa.Table.from_arrays(table.columns, schema=pa.schema(fields))

    # -- for people -----------------------------------------------------------------------------------------------

    @property
    def plot(self) -> Plots:
        """Pictures of the answer: ``.plot.psth()``, ``.plot.raster()`` ... (``dir(rel.plot)`` lists them)."""
        return Plots(self)

    def show(self, max_rows: int = 20) -> None:
        """Print the first rows, with units."""
        from rich.console import Console

        Console().print(self._rich(max_rows))

    def _rich(self, max_rows: int) -> Any:
        from rich.table import Table
        from rich.text import Text

        head, more = self._head(max_rows)
        table = Table(caption=f"first {max_rows} rows" if more else n_rows(head.num_rows), caption_justify="left")
        units = self.units
        for one in head.schema:
            unit = units.get(one.name)
            numeric = pa.types.is_integer(one.type) or pa.types.is_floating(one.type)
            label = Text.assemble(one.name, (f"\n{unit}", "dim")) if unit and unit != "1" else Text(one.name)
            table.add_column(label, justify="right" if numeric else "left")
        for row in head.to_pylist():
            table.add_row(*(Text(cell_text(v)) for v in row.values()))
        return table

    def _head(self, rows: int) -> tuple[pa.Table, bool]:
        head = plain(self._run(lambda r: r.limit(rows + 1).to_arrow_table()))
        return head.slice(0, rows), head.num_rows > rows

    def __repr__(self) -> str:
        from rich.console import Console

        console = Console(width=120, file=None)
        with console.capture() as captured:
            console.print(self._rich(20))
        return captured.get()

    def _repr_html_(self) -> str:
        from .html_table import html_table

        head, more = self._head(20)
        return html_table(head, more, self.types, self.units)

    def provenance(self) -> dict[str, Any]:
        """Where the answer comes from: snapshot, sources with SHA-256 and reader, and the code that computed it."""
        from .provenance import provenance

        return provenance(self)

    def cite(self) -> str:
        """BibTeX of what the answer's sources ask to be cited, each entry once, and of brainlake."""
        from .provenance import cite

        return cite(self)

    def lock(self, file: str | os.PathLike[str]) -> Path:
        """Write down the question, where its answer comes from, and the answer; ``brainlake restore`` compares later.

        file : as ``paper.lock`` or ``figure.json``; the answer and the frames given lie beside it as Parquet
        """
        from .locking import lock

        return lock(self, Path(file))


def _all(batches: pa.RecordBatchReader, cursor: duckdb.DuckDBPyConnection) -> Iterator[pa.RecordBatch]:
    """Batches as they come; some of DuckDB's complaints pass through Arrow, and are DuckDB's own again."""
    while True:
        try:
            batch = interruptible(lambda: next(batches, None), cursor.interrupt)
        except (pa.ArrowException, OSError) as error:
            raise of_duckdb(error) from None
        if batch is None:
            return
        yield batch


def _first_two(bound: duckdb.DuckDBPyRelation) -> pa.Table:
    """Two rows, if there are, without computing the rest; ``limit`` would bind the query anew."""
    reader = bound.to_arrow_reader(1)
    batches: list[pa.RecordBatch] = []
    while sum(batch.num_rows for batch in batches) < 2 and (batch := next(reader, None)) is not None:
        batches.append(batch)
    return pa.Table.from_batches(batches, reader.schema)


def _frame(frame: Any) -> Any:
    """A user's frame as something DuckDB registers without copying."""
    if isinstance(frame, Mapping):
        arrays = {name: to_column(of) if type(of) is np.ndarray and of.ndim == 1 else of for name, of in frame.items()}
        return pa.table(arrays)
    if isinstance(frame, Relation):
        return frame.arrow()
    return frame
