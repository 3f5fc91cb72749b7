"""Tables of users' own, from wherever they are: frames in memory, and files of the usual formats."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import duckdb
import pyarrow as pa

from .errors import BrainlakeError

# Suffix -> how DuckDB reads it. Of text all rows are looked at, not only the first, before a type is chosen.
_READ = {
    ".csv": "read_csv(?, sample_size = -1)",
    ".tsv": "read_csv(?, sample_size = -1, delim = '\t')",
    ".json": "read_json(?, sample_size = -1)",
    ".jsonl": "read_json(?, sample_size = -1, format = 'newline_delimited')",
    ".ndjson": "read_json(?, sample_size = -1, format = 'newline_delimited')",
    ".parquet": "read_parquet(?, hive_partitioning = false)",
}
_ARROW = (".arrow", ".feather", ".ipc")
SUFFIXES = (*_READ, *_ARROW)


def as_arrow(frame: Any) -> pa.Table:
    """A polars, pandas or Arrow frame, a dict of columns, or an answer, as an Arrow table."""
    try:
        if isinstance(frame, pa.Table):
            return frame
        if isinstance(frame, Mapping):
            return pa.table(dict(frame))
        if hasattr(frame, "collect") and hasattr(frame, "lazy"):  # a polars LazyFrame
            frame = frame.collect()
        if type(frame).__module__.startswith("pandas"):
            return pa.Table.from_pandas(frame, preserve_index=False)
        if hasattr(frame, "__arrow_c_stream__"):
            return pa.table(frame)
    except (pa.ArrowException, TypeError, ValueError) as error:
        reason = " ".join(str(error).split())
        raise BrainlakeError(f"the frame has a column of mixed or unknown type: {reason}") from None
    raise BrainlakeError(
        f"cannot read a {type(frame).__name__} as a table: give polars, pandas, Arrow or a dict of columns"
    )


def read_table(file: Path, types: Mapping[str, str] | None = None) -> pa.Table:
    """A file's rows: CSV, TSV, JSON, Parquet, or Arrow, by its suffix.

    types : DuckDB's type of a column, where the one that would be chosen is not right

    Raises BrainlakeError where the file cannot be read, or a value is not of the type that was asked for.
    """
    suffix = file.suffix.lower()
    if suffix not in SUFFIXES:
        raise BrainlakeError(f"{file}: its suffix is none of {', '.join(SUFFIXES)}")
    with duckdb.connect() as con:
        try:
            if suffix in _ARROW:
                con.register("given", _arrow_file(file))
                source, params = "given", []
            else:
                source, params = _READ[suffix], [str(file)]
            columns = con.sql(f"from {source} limit 0", params=params).columns
            if unknown := [name for name in types or () if name not in columns]:
                raise BrainlakeError(f"{file} has no column {unknown[0]}: it has {', '.join(columns)}")
            if suffix in (".csv", ".tsv") and types:
                source = source[:-1] + f", types = {_struct(types)})"
            casts = ", ".join(f'cast("{name}" as {kind}) as "{name}"' for name, kind in (types or {}).items())
            chosen = f"select * replace ({casts})" if casts else "select *"
            return con.sql(f"{chosen} from {source}", params=params).to_arrow_table()
        except duckdb.Error as error:
            raise BrainlakeError(f"{file}: {_first_line(error)}") from None
        except (OSError, pa.ArrowException) as error:
            raise BrainlakeError(f"{file}: cannot be read: {str(error).splitlines()[0]}") from None


def _arrow_file(file: Path) -> pa.Table:
    with pa.memory_map(str(file)) as source:
        try:
            return pa.ipc.open_file(source).read_all()
        except pa.ArrowInvalid:
            source.seek(0)
            return pa.ipc.open_stream(source).read_all()


def _struct(types: Mapping[str, str]) -> str:
    return "{" + ", ".join(f"{_text(name)}: {_text(kind)}" for name, kind in types.items()) + "}"


def _text(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def _first_line(error: Exception) -> str:
    """What DuckDB says first: the file's name, which it repeats, and its own kind of error left out."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return lines[0].split("Error: ", 1)[-1] + (f" ({lines[1]})" if len(lines) > 1 and len(lines[1]) < 120 else "")
