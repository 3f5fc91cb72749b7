"""An answer as people and programs want it on the command line: tables, CSV, JSON, Parquet, Arrow, SWC, NWB and others.

Every format but the table for people and one neuron's SWC is written batch by batch: memory does not grow with the
answer.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Literal, get_args

from .errors import BrainlakeError
from .whole_files import whole_file

if TYPE_CHECKING:
    import pyarrow as pa

Format = Literal[
    "table", "csv", "tsv", "json", "jsonl", "markdown", "html", "dat",
    "parquet", "arrow", "swc", "nrrd", "nifti", "metaimage", "npy", "nwb",
]  # fmt: skip
FORMATS: tuple[str, ...] = get_args(Format)
SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".dat": "dat",
    ".json": "json",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".md": "markdown",
    ".html": "html",
    ".parquet": "parquet",
    ".arrow": "arrow",
    ".feather": "arrow",
    ".swc": "swc",
    ".nrrd": "nrrd",
    ".nii": "nifti",
    ".mha": "metaimage",
    ".npy": "npy",
    ".nwb": "nwb",
    ".txt": "table",
}
BINARY = ("parquet", "arrow", "nrrd", "nifti", "metaimage", "npy", "nwb")
COMPRESSIONS = {  # of exports; the first is taken where none is named
    "parquet": ("zstd", "snappy", "gzip", "lz4", "brotli", "none"),
    "csv": ("none", "gzip", "zstd", "bz2"),
}
LINES: tuple[Format, ...] = ("table", "csv", "tsv", "jsonl", "markdown", "dat")  # one answer may follow another
ROWS_SHOWN = 100
NO_TERMINAL_WIDTH = 100_000  # a table that is read by a program is not folded


@dataclass(frozen=True)
class Look:
    """How tables for people look, and tables of text.

    rows : how many of them the format ``table`` shows on standard output; 0 is all
    header : whether names stand above the columns
    upright : in the format ``table`` a line for each value
    """

    rows: int = ROWS_SHOWN
    header: bool = True
    upright: bool = False


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
    answer: pa.RecordBatchReader, wanted: str | None, path: Path | None = None, look: Look | int = ROWS_SHOWN
) -> None:
    """Write record batches to a file, or to standard output.

    wanted : one of FORMATS, or None: by the file's suffix, else ``table``
    look : a :class:`Look`, or how many rows the format ``table`` shows on standard output
    """
    look = Look(look) if isinstance(look, int) else look
    chosen = format_for(wanted, path)
    if path is None:
        if chosen in BINARY and sys.stdout.isatty():
            raise BrainlakeError(f"{chosen} is not for the screen: name a file with -o, or pipe it")
        _WRITERS[chosen](answer, sys.stdout.buffer, look)
        sys.stdout.flush()
    else:
        with whole_file(path) as stream:
            _WRITERS[chosen](answer, stream, replace(look, rows=0))


def _write_dat(batches: pa.RecordBatchReader, stream: IO[bytes], _look: Look) -> None:
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


def _write_separated(delimiter: str) -> Callable[[Any, IO[bytes], Look], None]:
    def write(batches: pa.RecordBatchReader, stream: IO[bytes], look: Look) -> None:
        write_csv(batches, stream, delimiter, header=look.header)

    return write


def write_csv(batches: pa.RecordBatchReader, stream: Any, delimiter: str = ",", *, header: bool = True) -> None:
    """Write record batches as CSV to a binary stream, lists as JSON, bytes as hexadecimal digits."""
    from pyarrow import csv

    flat = flat_batches(batches)
    options = csv.WriteOptions(include_header=header, delimiter=delimiter, quoting_style="needed")
    with csv.CSVWriter(stream, flat.schema, write_options=options) as writer:
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


def _write_json(batches: pa.RecordBatchReader, stream: IO[bytes], _look: Look) -> None:
    """One array of objects, a row a line; NaN and infinities become null, which JSON has no words for."""
    separator = b"[\n"
    for lines in _json_lines(batches):
        stream.write(separator + lines.rstrip(b"\n").replace(b"\n", b",\n"))  # one inside a text is written as \n
        separator = b",\n"
    stream.write(b"[]\n" if separator == b"[\n" else b"\n]\n")


def _write_jsonl(batches: pa.RecordBatchReader, stream: IO[bytes], _look: Look) -> None:
    """An object a line."""
    for lines in _json_lines(batches):
        stream.write(lines)


def _json_lines(batches: pa.RecordBatchReader) -> Iterator[bytes]:
    import polars as pl
    import pyarrow as pa

    for batch in batches:
        if batch.num_rows:
            columns = [_flat(c) if pa.types.is_binary(c.type) else c for c in batch.columns]
            yield pl.DataFrame(pa.record_batch(columns, names=batch.schema.names)).write_ndjson().encode()


def _write_markdown(batches: pa.RecordBatchReader, stream: IO[bytes], _look: Look) -> None:
    from .text_tables import write_markdown

    write_markdown(batches, stream)


def _write_html(batches: pa.RecordBatchReader, stream: IO[bytes], _look: Look) -> None:
    from .html_table import html_page

    for piece in html_page(batches):
        stream.write(piece.encode())


def _write_parquet(batches: pa.RecordBatchReader, stream: IO[bytes], _look: Look) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(stream, batches.schema, compression="zstd") as writer:
        for batch in batches:
            writer.write_batch(batch)


def _write_arrow(batches: pa.RecordBatchReader, stream: IO[bytes], _look: Look) -> None:
    import pyarrow as pa

    # a pipe cannot be sought in: programs read the stream form there, and the file form (Feather) from a file
    new = pa.ipc.new_stream if stream is sys.stdout.buffer else pa.ipc.new_file
    with new(stream, batches.schema) as writer:
        for batch in batches:
            writer.write_batch(batch)


def _write_swc(batches: pa.RecordBatchReader, stream: IO[bytes], look: Look) -> None:
    from .swc import write_swc

    write_swc(batches, stream)


def _write_nwb(batches: pa.RecordBatchReader, stream: IO[bytes], look: Look) -> None:
    from .nwb1_output import write_nwb1

    write_nwb1(batches, stream, look.rows)


def _write_volume(name: str) -> Callable[[Any, IO[bytes], Look], None]:
    def write(batches: pa.RecordBatchReader, stream: IO[bytes], look: Look) -> None:
        from . import volume_output

        getattr(volume_output, f"write_{name}")(batches, stream, look.rows)

    return write


def _write_table(batches: pa.RecordBatchReader, stream: IO[bytes], look: Look) -> None:
    import io

    from rich.console import Console

    from .text_tables import write_table

    text = io.TextIOWrapper(stream, encoding="utf-8", write_through=True)
    try:
        on_screen = stream is sys.stdout.buffer and sys.stdout.isatty()
        console = Console(file=text, force_terminal=on_screen, width=None if on_screen else NO_TERMINAL_WIDTH)
        write_table(batches, console, look.rows, header=look.header, upright=look.upright)
    finally:
        text.detach()


_WRITERS: dict[str, Callable[[Any, IO[bytes], Look], None]] = {
    "table": _write_table,
    "csv": _write_separated(","),
    "tsv": _write_separated("\t"),
    "json": _write_json,
    "jsonl": _write_jsonl,
    "markdown": _write_markdown,
    "html": _write_html,
    "dat": _write_dat,
    "parquet": _write_parquet,
    "arrow": _write_arrow,
    "swc": _write_swc,
    "nrrd": _write_volume("nrrd"),
    "nifti": _write_volume("nifti"),
    "metaimage": _write_volume("metaimage"),
    "npy": _write_volume("npy"),
    "nwb": _write_nwb,
}
