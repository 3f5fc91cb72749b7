"""An answer as people and programs want it on the command line: table, CSV, DAT, JSON, Parquet, Arrow, SWC, NWB.

Every format but the table for people and one neuron's SWC is written batch by batch: memory does not grow with the
answer.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, get_args

from .errors import BrainlakeError

if TYPE_CHECKING:
    import pyarrow as pa

Format = Literal["table", "csv", "dat", "json", "parquet", "arrow", "swc", "nrrd", "nifti", "npy", "nwb"]
FORMATS: tuple[str, ...] = get_args(Format)
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".dat": "dat",
    ".json": "json",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".swc": "swc",
    ".nrrd": "nrrd",
    ".nii": "nifti",
    ".npy": "npy",
    ".nwb": "nwb",
    ".txt": "table",
}
BINARY = ("parquet", "arrow", "nrrd", "nifti", "npy", "nwb")
COMPRESSIONS = {  # of exports; the first is taken where none is named
    "parquet": ("zstd", "snappy", "gzip", "lz4", "brotli", "none"),
    "csv": ("none", "gzip", "zstd", "bz2"),
}
ROWS_SHOWN = 100
LIST_ELEMENTS_SHOWN = 5
NO_TERMINAL_WIDTH = 100_000  # a table that is read by a program is not folded


def format_for(wanted: str | None, path: Path | None) -> Format:
    """The format asked for, or the one that the file's name ends in, or the table for people."""
    if wanted:
        return wanted  # type: ignore[return-value]
    if path is None:
        return "table"
    if path.suffix.lower() in SUFFIXES:
        return SUFFIXES[path.suffix.lower()]
    raise BrainlakeError(f"{path}: name the format (--format {'|'.join(FORMATS)}), or use a suffix that tells it")


def write_answer(
    answer: pa.RecordBatchReader, wanted: str | None, path: Path | None = None, rows: int = ROWS_SHOWN
) -> None:
    """Write record batches to a file, or to standard output.

    wanted : one of FORMATS, or None: by the file's suffix, else ``table``
    rows : how many of them the format ``table`` shows on standard output; 0 is all
    """
    chosen = format_for(wanted, path)
    if path is None:
        if chosen in BINARY and sys.stdout.isatty():
            raise BrainlakeError(f"{chosen} is not for the screen: name a file with -o, or pipe it")
        _WRITERS[chosen](answer, sys.stdout.buffer, rows)
        sys.stdout.flush()
    else:
        with whole_file(path) as stream:
            _WRITERS[chosen](answer, stream, 0)


@contextlib.contextmanager
def whole_file(path: Path) -> Iterator[IO[bytes]]:
    """A file that appears under its name when it is complete, and not at all otherwise."""
    unfinished = path.with_name(f".{path.name}.{os.getpid()}.part")
    try:
        with unfinished.open("w+b") as stream:
            yield stream
        unfinished.replace(path)
    except OSError as error:
        raise BrainlakeError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        unfinished.unlink(missing_ok=True)


@contextlib.contextmanager
def new_path(path: Path, lake: Path, *, force: bool = False) -> Iterator[Path]:
    """A file or directory to be made beside its name, which it takes when it is complete.

    lake : a directory in which nothing may be written but by commits
    force : replace what is there

    Raises BrainlakeError where something is there, or where it would lie inside of the lake.
    """
    whole = path.resolve()
    if whole.is_relative_to(lake.resolve()):
        raise BrainlakeError(f"{path} lies inside of the lake {lake}, which only commits write to: name another place")
    if not force and (path.exists() or path.is_symlink()):
        raise BrainlakeError(f"{path} is there already: --force replaces it")
    if not whole.parent.is_dir():
        raise BrainlakeError(f"{path} cannot be written: there is no directory {whole.parent}")
    unfinished, old = (whole.with_name(f".{whole.name}.{os.getpid()}.{what}") for what in ("part", "old"))
    try:
        yield unfinished
        if whole.is_dir():
            whole.rename(old)
        unfinished.rename(whole)
    except OSError as error:
        if old.exists() and not whole.exists():
            old.rename(whole)
        raise BrainlakeError(f"{path}: cannot be written: {error.strerror or error}") from None
    finally:
        for leftover in (unfinished, old):
            _remove(leftover)


def _remove(path: Path) -> None:
    import shutil

    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def _write_dat(batches: pa.RecordBatchReader, stream: IO[bytes], _rows: int) -> None:
    """Numbers apart by blanks, a row a line, no header: what simulators and plotting programs read.

    Text stands in double quotes, as ITK-SNAP wants its labels.
    """
    import pyarrow as pa
    from pyarrow import csv

    for one in batches.schema:
        if not (pa.types.is_integer(one.type) or pa.types.is_floating(one.type) or pa.types.is_string(one.type)):
            raise BrainlakeError(
                f"a DAT file holds numbers and text, and {one.name} is {one.type}: leave it out, or write CSV"
            )
    has_text = any(pa.types.is_string(one.type) for one in batches.schema)
    options = csv.WriteOptions(include_header=False, delimiter=" ", quoting_style="needed" if has_text else "none")
    with csv.CSVWriter(stream, batches.schema, write_options=options) as writer:
        for batch in batches:
            columns = [_missing_as_nan(column) for column in batch.columns]
            writer.write_batch(pa.record_batch(columns, schema=batches.schema))


def _missing_as_nan(column: pa.Array) -> pa.Array:
    """A blank between blanks would be no column."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if not column.null_count:
        return column
    if pa.types.is_string(column.type):
        return pc.fill_null(column, "")
    if pa.types.is_integer(column.type):
        raise BrainlakeError("a DAT file has no word for a missing whole number: leave NULLs out, or cast to double")
    return pc.fill_null(column, float("nan"))


def _write_csv(batches: pa.RecordBatchReader, stream: IO[bytes], _rows: int) -> None:
    write_csv(batches, stream)


def write_csv(batches: pa.RecordBatchReader, stream: Any) -> None:
    """Write record batches as CSV to a binary stream, lists as JSON, bytes as hexadecimal digits."""
    from pyarrow import csv

    flat = flat_batches(batches)
    with csv.CSVWriter(stream, flat.schema, write_options=csv.WriteOptions(quoting_style="needed")) as writer:
        for batch in flat:
            writer.write_batch(batch)


def flat_batches(batches: pa.RecordBatchReader) -> pa.RecordBatchReader:
    """Record batches in types that CSV has."""
    import pyarrow as pa

    schema = pa.schema([pa.field(f.name, _flat_type(f.type)) for f in batches.schema])
    flat = (pa.record_batch([_flat(column) for column in batch.columns], schema=schema) for batch in batches)
    return pa.RecordBatchReader.from_batches(schema, flat)


def _flat_type(type_: pa.DataType) -> pa.DataType:
    import pyarrow as pa

    return pa.string() if pa.types.is_nested(type_) or pa.types.is_binary(type_) else type_


def _flat(column: pa.Array) -> pa.Array:
    """CSV has no lists and no bytes: a list becomes a JSON array, bytes their hexadecimal digits."""
    import pyarrow as pa

    if pa.types.is_nested(column.type):
        return pa.array([None if v is None else json.dumps(v, default=str) for v in column.to_pylist()], pa.string())
    if pa.types.is_binary(column.type):
        return pa.array([None if v is None else v.hex() for v in column.to_pylist()], pa.string())
    return column


def _write_json(batches: pa.RecordBatchReader, stream: IO[bytes], _rows: int) -> None:
    """One array of objects, a row a line; NaN and infinities become null, which JSON has no words for."""
    import polars as pl
    import pyarrow as pa

    separator = b"[\n"
    for batch in batches:
        if not batch.num_rows:
            continue
        columns = [_flat(c) if pa.types.is_binary(c.type) else c for c in batch.columns]
        frame = pl.DataFrame(pa.record_batch(columns, names=batch.schema.names))
        lines = frame.write_ndjson().encode().rstrip(b"\n")
        stream.write(separator + lines.replace(b"\n", b",\n"))  # a line break inside a text is written as \n
        separator = b",\n"
    stream.write(b"[]\n" if separator == b"[\n" else b"\n]\n")


def _write_parquet(batches: pa.RecordBatchReader, stream: IO[bytes], _rows: int) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(stream, batches.schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def _write_arrow(batches: pa.RecordBatchReader, stream: IO[bytes], _rows: int) -> None:
    import pyarrow as pa

    # a pipe cannot be sought in: programs read the stream form there, and the file form (Feather) from a file
    new = pa.ipc.new_stream if stream is sys.stdout.buffer else pa.ipc.new_file
    with new(stream, batches.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _write_swc(batches: pa.RecordBatchReader, stream: IO[bytes], rows: int) -> None:
    from .swc import write_swc

    write_swc(batches, stream, rows)


def _write_nwb(batches: pa.RecordBatchReader, stream: IO[bytes], rows: int) -> None:
    from .nwb1_output import write_nwb1

    write_nwb1(batches, stream, rows)


def _write_volume(name: str) -> Callable[[Any, IO[bytes], int], None]:
    def write(batches: pa.RecordBatchReader, stream: IO[bytes], rows: int) -> None:
        from . import volume_output

        getattr(volume_output, f"write_{name}")(batches, stream, rows)

    return write


def _write_table(batches: pa.RecordBatchReader, stream: IO[bytes], rows: int) -> None:
    import io

    from rich.console import Console

    shown, is_more = _first(batches, rows)
    text = io.TextIOWrapper(stream, encoding="utf-8", write_through=True)
    try:
        on_screen = stream is sys.stdout.buffer and sys.stdout.isatty()
        console = Console(file=text, force_terminal=on_screen, width=None if on_screen else NO_TERMINAL_WIDTH)
        console.print(_rich_table(batches.schema, shown))
        noun = "row" if len(shown) == 1 else "rows"
        count = f"first {len(shown):,} {noun}; --rows 0 shows all" if is_more else f"{len(shown):,} {noun}"
        console.print(f"({count})", style="dim", highlight=False)
    finally:
        text.detach()


def _first(batches: pa.RecordBatchReader, n: int) -> tuple[list[dict[str, Any]], bool]:
    """At most n rows (all for 0), and whether there are more."""
    rows: list[dict[str, Any]] = []
    for batch in batches:
        if n and len(rows) + batch.num_rows > n:
            return rows + batch.slice(0, n - len(rows)).to_pylist(), True
        rows += batch.to_pylist()
    return rows, False


def _rich_table(schema: pa.Schema, rows: list[dict[str, Any]]) -> Any:
    import pyarrow as pa
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for field in schema:
        unit = (field.metadata or {}).get(b"unit", b"").decode()
        is_number = pa.types.is_integer(field.type) or pa.types.is_floating(field.type)
        heading = Text(field.name, "bold")
        if unit and unit != "1":
            heading.append(f"\n{unit}", "dim")
        table.add_column(heading, justify="right" if is_number else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(_cell(value), "dim" if value is None else "") for value in row.values()))
    return table


def _cell(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        more = f", … {len(value):,} in all" if len(value) > LIST_ELEMENTS_SHOWN else ""
        return f"[{', '.join(_cell(v) for v in value[:LIST_ELEMENTS_SHOWN])}{more}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {_cell(v)}" for k, v in value.items()) + "}"
    return str(value)


_WRITERS: dict[str, Callable[[Any, IO[bytes], int], None]] = {
    "table": _write_table,
    "csv": _write_csv,
    "dat": _write_dat,
    "json": _write_json,
    "parquet": _write_parquet,
    "arrow": _write_arrow,
    "swc": _write_swc,
    "nrrd": _write_volume("nrrd"),
    "nifti": _write_volume("nifti"),
    "npy": _write_volume("npy"),
    "nwb": _write_nwb,
}
