"""What a question gives: an answer that is computed when asked for, in the form asked for."""

from __future__ import annotations

import difflib
import hashlib
import html
import inspect
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa

from .errors import AbsentError, BrainlakeError, QueryError, UnknownError

if TYPE_CHECKING:
    import pandas as pd
    import polars as pl
    import pynapple as nap
    import xarray as xr

    from .session import Session

_RAISED = re.compile(r"(absent|unknown|wrong): (.*)", re.DOTALL)  # texts of error() in our views and macros


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

    # -- running --------------------------------------------------------------------------------------------------

    def check(self) -> None:
        """Bind the query: mistakes show now, not when the answer is asked for."""
        cursor, bound = self._bound()
        self._types = dict(zip(bound.columns, map(str, bound.types), strict=True))
        cursor.close()

    def _bound(self) -> tuple[duckdb.DuckDBPyConnection, duckdb.DuckDBPyRelation]:
        cursor = self._session.cursor(self.query)
        try:
            for name, frame in self._tables.items():
                cursor.register(name, frame)
            return cursor, cursor.sql(self.query, params=self._params)
        except duckdb.Error as error:
            cursor.close()
            raise self._explain_error(error) from None

    def _run(self, output: Callable[[duckdb.DuckDBPyRelation], Any]) -> Any:
        cursor, bound = self._bound()
        try:
            return output(bound)
        except duckdb.Error as error:
            raise self._explain_error(error) from None
        finally:
            cursor.close()

    def _explain_error(self, error: duckdb.Error) -> BrainlakeError:
        """DuckDB's complaint as ours: with the class that tells what to do, and the nearest names."""
        text = str(error)
        raised = _RAISED.search(text)
        if raised and isinstance(error, (duckdb.InvalidInputException, duckdb.BinderException)):
            kinds = {"absent": AbsentError, "unknown": UnknownError, "wrong": QueryError}
            return kinds[raised[1]](raised[2].strip())
        missing = re.search(
            r"(?:Table|Table Function|Scalar Function|Function) with name \"?([\w.]+)\"? does not exist", text
        )
        if missing:
            names = self._session.names()
            leaf = {n.split(".")[-1]: n for n in names}
            close = difflib.get_close_matches(missing[1].lower(), [*names, *leaf], 3, 0.6)
            if close:
                near = ", ".join(dict.fromkeys(leaf.get(n, n) for n in close))
                text = re.sub(r"\nDid you mean.*", "", text) + f"\nNearest names: {near}"
        return QueryError(text)

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
        from .lineage import units_of

        return units_of(self.query, self.columns, self._session)

    def explain(self, analyze: bool = False) -> str:
        """How DuckDB answers it."""
        return str(self._run(lambda r: r.explain("analyze" if analyze else "standard")))

    # -- outputs --------------------------------------------------------------------------------------------------

    def arrow(self) -> pa.Table:
        """An Arrow table; units in the fields' metadata."""
        return self._with_units(self._run(lambda r: r.to_arrow_table()))

    def pl(self) -> pl.DataFrame:
        """A polars DataFrame."""
        import polars as pl

        return pl.DataFrame(self._run(lambda r: r.to_arrow_table()))

    def df(self, index: str | Sequence[str] | None = None) -> pd.DataFrame:
        """A pandas DataFrame; units in ``attrs['units']``."""
        frame = self._run(lambda r: r.to_df())
        frame.attrs["units"] = {k: v for k, v in self.units.items() if v}
        return frame if index is None else frame.set_index(index if isinstance(index, str) else list(index))

    def to_numpy(self) -> np.ndarray:
        """One column as an array, several as a structured array; NULL numbers are NaN."""
        table = self._run(lambda r: r.to_arrow_table())
        arrays = {name: _numpy(table[name]) for name in table.column_names}
        if len(arrays) == 1:
            return next(iter(arrays.values()))
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
        table = self._run(lambda r: r.to_arrow_table())
        for name in (*names, *wanted):
            if name not in table.column_names:
                raise QueryError(f"the answer has no column {name}: it has {', '.join(table.column_names)}")
        coords, places = {}, []
        for name in names:
            coords[name], place = np.unique(_numpy(table[name]), return_inverse=True)
            places.append(place)
        shape = tuple(len(c) for c in coords.values())
        cell = np.ravel_multi_index(places, shape) if table.num_rows else np.empty(0, dtype=np.int64)
        if len(np.unique(cell)) < table.num_rows:
            raise QueryError(f"several rows share one cell of {' × '.join(names)}: aggregate them, or add a dimension")
        units = self.units
        arrays = {}
        for name in wanted:
            column = _numpy(table[name])
            arrays[name] = xr.DataArray(
                _spread(column, cell, shape, fill),
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
        table = self._run(lambda r: r.limit(2).to_arrow_table())
        if table.num_rows != 1:
            raise QueryError(f"the answer has {'no row' if not table.num_rows else 'more than one row'}, not one")
        return Row({name: _value(table[name]) for name in table.column_names})

    def fetch_batches(self, rows: int = 65_536) -> Iterator[pa.RecordBatch]:
        """Record batches as they are computed; memory does not grow with the answer."""
        cursor, bound = self._bound()
        try:
            yield from bound.to_arrow_reader(rows)
        except duckdb.Error as error:
            raise self._explain_error(error) from None
        finally:
            cursor.close()

    def __arrow_c_stream__(self, requested_schema: Any = None) -> Any:
        return self.arrow().__arrow_c_stream__(requested_schema)

    def to_tsgroup(self) -> nap.TsGroup:
        """Spike trains for pynapple: columns unit_id, spike_time, and any that are constant within a unit."""
        import pynapple as nap

        table = self._need("unit_id", "spike_time")
        units, place = np.unique(_numpy(table["unit_id"]), return_inverse=True)
        times = _numpy(table["spike_time"])
        order = np.argsort(place, kind="stable")
        cuts = np.searchsorted(place[order], np.arange(len(units) + 1))
        trains = {
            int(unit): nap.Ts(np.sort(times[order[a:b]])) for unit, a, b in zip(units, cuts[:-1], cuts[1:], strict=True)
        }
        first = order[cuts[:-1]]
        metadata = {
            name: _numpy(table[name])[first] for name in table.column_names if name not in ("unit_id", "spike_time")
        }
        return nap.TsGroup(trains, metadata=metadata or None)

    def to_tsd(self) -> Any:
        """A time series for pynapple: column timestamp, and one value (Tsd) or several (TsdFrame)."""
        import pynapple as nap

        table = self._need("timestamp")
        names = [n for n in table.column_names if n != "timestamp"]
        values = [_numpy(table[n]) for n in names]
        times = _numpy(table["timestamp"])
        if len(values) == 1:
            return nap.Tsd(t=times, d=values[0])
        return nap.TsdFrame(t=times, d=np.column_stack(values), columns=names)

    def to_intervalset(self) -> nap.IntervalSet:
        """Intervals for pynapple: columns start_time and stop_time."""
        import pynapple as nap

        table = self._need("start_time", "stop_time")
        return nap.IntervalSet(start=_numpy(table["start_time"]), end=_numpy(table["stop_time"]))

    def _need(self, *names: str) -> pa.Table:
        missing = [n for n in names if n not in self.columns]
        if missing:
            raise QueryError(f"the answer needs a column {missing[0]}: it has {', '.join(self.columns)}")
        return self._run(lambda r: r.to_arrow_table())

    def _with_units(self, table: pa.Table) -> pa.Table:
        units = self.units
        fields = [
            f.with_metadata({"unit": unit}) if (unit := units.get(f.name)) else f.remove_metadata()
            for f in table.schema
        ]
        return table.cast(pa.schema(fields))

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

        head, more = self._head(max_rows)
        table = Table(caption=f"first {max_rows} rows" if more else f"{head.num_rows} rows", caption_justify="left")
        units = self.units
        for one in head.schema:
            unit = units.get(one.name)
            numeric = pa.types.is_integer(one.type) or pa.types.is_floating(one.type)
            label = f"{one.name}\n[dim]{unit}[/dim]" if unit and unit != "1" else one.name
            table.add_column(label, justify="right" if numeric else "left")
        for row in head.to_pylist():
            table.add_row(*(_cell(v) for v in row.values()))
        return table

    def _head(self, rows: int) -> tuple[pa.Table, bool]:
        head = self._run(lambda r: r.limit(rows + 1).to_arrow_table())
        return head.slice(0, rows), head.num_rows > rows

    def __repr__(self) -> str:
        from rich.console import Console

        console = Console(width=120, file=None)
        with console.capture() as captured:
            console.print(self._rich(20))
        return captured.get()

    def _repr_html_(self) -> str:
        head, more = self._head(20)
        units = self.units
        names = "".join(
            f"<th>{html.escape(n)}{f'<br><small>{html.escape(u)}</small>' if (u := units.get(n)) and u != '1' else ''}</th>"
            for n in head.column_names
        )
        rows = "".join(
            "<tr>" + "".join(f"<td>{html.escape(_cell(v))}</td>" for v in row.values()) + "</tr>"
            for row in head.to_pylist()
        )
        note = "<p><small>first 20 rows</small></p>" if more else ""
        return f"<table><thead><tr>{names}</tr></thead><tbody>{rows}</tbody></table>{note}"

    def provenance(self) -> dict[str, Any]:
        """Where the answer comes from: snapshot, sources with SHA-256 and reader, and the code that computed it."""
        from .. import __version__
        from .functions import declared

        named = self._session.named(self.query)
        tables = [n for n in named if n in self._session.state.tables]
        files = self._session.state.relations["lake.files"]().to_pylist()
        ids = {int(i) for f in files if f["table_name"] in tables for i in f["ingest_ids"] or ()}
        ingests = self._session.state.relations["lake.ingests"]().to_pylist()
        keep = (
            "subject",
            "role",
            "source_url",
            "source_sha256",
            "reader",
            "reader_version",
            "dataset",
            "version",
            "doi",
        )
        questions = {n: self._session.questions[n] for n in sorted(named) if n in self._session.questions}
        text = " ".join([self.query, *(q.body for q in questions.values())])
        used = {n: u for n, u in declared().items() if re.search(rf"\b{n}\s*\(", text)}
        return {
            "brainlake": __version__,
            "duckdb": duckdb.__version__,
            "lake": str(self._session.state.root),
            "snapshot": self._session.snapshot_id,
            "query": self.query,
            "sources": [{k: i[k] for k in keep} for i in ingests if i["ingest_id"] in ids],
            "questions": {n: _hash(q.create) for n, q in questions.items()},
            "udfs": {n: _hash(inspect.getsource(u.function)) for n, u in used.items()},
        }


class Row:
    """One row: columns as attributes, or by name with ``row["name"]``."""

    def __init__(self, values: dict[str, Any]) -> None:
        self._values = values

    def __getattr__(self, name: str) -> Any:
        try:
            return self.__dict__["_values"][name]
        except KeyError:
            raise AttributeError(f"the row has no column {name}: it has {', '.join(self._values)}") from None

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def __dir__(self) -> list[str]:
        return list(self._values)

    def __repr__(self) -> str:
        return f"Row({', '.join(f'{k}={_cell(v)}' for k, v in self._values.items())})"


class Plots:
    """Pictures of a relation; each is a function of a module of ``views/plots`` that takes its frame."""

    def __init__(self, relation: Relation) -> None:
        self._relation = relation

    def __dir__(self) -> list[str]:
        return sorted(_pictures())

    def __getattr__(self, name: str) -> Callable[..., Any]:
        if name.startswith("_"):
            raise AttributeError(name)
        pictures = _pictures()
        if name not in pictures:
            raise AttributeError(f"there is no picture {name}: there are {', '.join(sorted(pictures))}")
        return lambda **options: pictures[name](self._relation.pl(), **options)


def _pictures() -> dict[str, Callable[..., Any]]:
    import importlib
    import pkgutil

    from ..views import plots

    found = {}
    for module in pkgutil.iter_modules(plots.__path__):
        try:
            loaded = importlib.import_module(f"{plots.__name__}.{module.name}")
        except ModuleNotFoundError as error:
            raise BrainlakeError(f"pictures need {error.name}: pip install 'brainlake[plots]'") from None
        for name in getattr(loaded, "__all__", ()):
            found[name] = getattr(loaded, name)
    return found


def _frame(frame: Any) -> Any:
    """A user's frame as something DuckDB registers without copying."""
    if isinstance(frame, Mapping):
        return pa.table(dict(frame))
    if isinstance(frame, Relation):
        return frame.arrow()
    return frame


def _numpy(column: pa.ChunkedArray) -> np.ndarray:
    if column.null_count and pa.types.is_integer(column.type):
        column = column.cast(pa.float64())
    return np.asarray(column.to_numpy())


def _spread(column: np.ndarray, cell: np.ndarray, shape: tuple[int, ...], fill: Any) -> np.ndarray:
    size = int(np.prod(shape))
    if len(cell) == size:  # a full product needs no fill and keeps its type
        out = np.empty(size, dtype=column.dtype)
    elif fill is None:
        kind = np.result_type(column.dtype, np.float64) if column.dtype.kind in "iufb" else np.dtype(object)
        out = np.full(size, np.nan, dtype=kind)
    else:
        out = np.full(
            size, fill, dtype=np.result_type(column.dtype, type(fill)) if column.dtype.kind in "iufb" else object
        )
    out[cell] = column
    return out.reshape(shape)


def _value(column: pa.ChunkedArray) -> Any:
    array = column.chunk(0)
    if pa.types.is_list(array.type) and array[0].is_valid:
        inner = array.flatten() if array.offset == 0 and len(array) == 1 else array[0].values
        if pa.types.is_integer(inner.type) or pa.types.is_floating(inner.type):
            return inner.to_numpy(zero_copy_only=inner.null_count == 0)
        return inner.to_pylist()
    return array[0].as_py()


def _cell(value: Any) -> str:
    if value is None:
        return "—"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, (list, np.ndarray)):
        shown = ", ".join(_cell(v) for v in value[:3])
        return f"[{shown}{', …' if len(value) > 3 else ''}] ({len(value)})" if len(value) > 3 else f"[{shown}]"
    text = str(value)
    return text if len(text) <= 60 else text[:57] + "..."


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:16]
