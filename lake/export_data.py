"""Relations and answers as Parquet or CSV files, for programs that read neither lakes nor SQL.

Everything streams: memory does not grow with what is written. A file or directory appears when it is complete.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pyarrow as pa

from .describe import Dictionary
from .errors import BrainlakeError, QueryError
from .output import COMPRESSIONS, flat_batches, write_csv
from .whole_files import new_path

if TYPE_CHECKING:
    from .session import Session

_SUFFIXES = {"none": "", "gzip": ".gz", "zstd": ".zst", "bz2": ".bz2"}
_MOST_FILES_OPEN = 256  # of partitions written at the same time; a query in their order needs one
_NAME = re.compile(r"[\w*?]+\.[\w*?]+")

Progress = Callable[[str, str, int, int], None]


@dataclass(frozen=True)
class Item:
    """What goes to one file: a whole relation, or a query's answer."""

    name: str
    query: str


@dataclass(frozen=True)
class Written:
    """One file or directory that was written."""

    path: Path
    n_rows: int


@dataclass(frozen=True)
class How:
    """How files are written.

    compression : one of COMPRESSIONS of the format; by default its first
    partition_by : columns that become folders, ``session_id=7/``
    force : replace what is there
    """

    format: Literal["parquet", "csv"]
    compression: str | None = None
    partition_by: tuple[str, ...] = ()
    force: bool = False

    @property
    def codec(self) -> str:
        """The compression that is used. Raises BrainlakeError where the format has it not."""
        known = COMPRESSIONS[self.format]
        if self.compression not in (None, *known):
            raise BrainlakeError(f"{self.format} is compressed by {', '.join(known)}, not by {self.compression}")
        return self.compression or known[0]

    @property
    def suffix(self) -> str:
        return ".parquet" if self.format == "parquet" else ".csv" + _SUFFIXES[self.codec]


def export(
    session: Session, asked: Sequence[str], to: Path, how: How, progress: Progress | None = None
) -> Iterator[Written]:
    """Write relations and answers, yielding each when it is complete.

    asked : names of relations, patterns of them (``ecephys.*``), files of SQL, or queries
    to : a file for one of them, a directory for several; partitioned, a directory for each

    Raises QueryError where a name or pattern fits nothing, BrainlakeError where something cannot be written, is there
    already, or would lie inside of the lake.
    """
    items = items_of(session, asked)
    paths = [to]
    if len(items) > 1 or (to.is_dir() and not how.partition_by):
        paths = [to / (item.name + ("" if how.partition_by else how.suffix)) for item in items]
        if len(set(paths)) < len(paths):
            raise BrainlakeError("several queries have no name to tell their files by: put each into a .sql file")
        if not to.is_dir():
            with new_path(to, session.state.root) as made:
                made.mkdir()
    for item, path in zip(items, paths, strict=True):
        yield _write(session, item, path, how, progress or (lambda *_: None))


def items_of(session: Session, asked: Sequence[str]) -> list[Item]:
    """What was asked for, each once."""
    known = session.sql("select name from lake.relations where kind in ('table', 'user table', 'view')").arrow()
    relations = sorted(known["name"].to_pylist())
    found: dict[str, Item] = {}
    for text in asked:
        if _NAME.fullmatch(text) and not text.endswith(".sql"):
            names = fnmatch.filter(relations, text.lower())
            if not names:
                raise QueryError(f"no table or view is called {text}; `brainlake tables` lists them")
            found |= {name: Item(name, f"from {name}") for name in names}
        elif text.endswith(".sql") and " " not in text:
            try:
                found[text] = Item(Path(text).stem, Path(text).read_text(encoding="utf-8"))
            except OSError as error:
                raise QueryError(f"{text}: {error.strerror}") from None
        else:
            found[text] = Item("answer", text)
    return list(found.values())


def _write(session: Session, item: Item, path: Path, how: How, progress: Progress) -> Written:
    answer = session.sql(item.query).reader()
    schema = _described(session, item, answer.schema)
    if missing := [name for name in how.partition_by if name not in schema.names]:
        raise QueryError(f"{item.name} has no column {missing[0]} to partition by: it has {', '.join(schema.names)}")
    n_rows = 0

    def batches() -> Iterator[pa.RecordBatch]:
        nonlocal n_rows
        for batch in answer:
            n_rows += batch.num_rows
            progress(item.name, f"{n_rows:,} rows", 0, 0)
            yield pa.RecordBatch.from_arrays(batch.columns, schema=schema)

    reader = pa.RecordBatchReader.from_batches(schema, batches())
    with new_path(path, session.state.root, force=how.force) as unfinished:
        if how.partition_by:
            _write_folders(reader, unfinished, how)
        elif how.format == "parquet":
            _write_parquet(reader, unfinished, how.codec)
        else:
            codec = None if how.codec == "none" else how.codec
            with pa.output_stream(str(unfinished), compression=codec) as stream:
                write_csv(reader, stream)
    progress(item.name, "done", 0, 0)
    return Written(path, n_rows)


def _described(session: Session, item: Item, schema: pa.Schema) -> pa.Schema:
    """A schema whose fields carry ``unit``, those of whole relations ``description`` too."""
    dictionary = Dictionary(session.state, session.questions)
    fields = []
    for one in schema:
        said = dictionary.column(item.name, one.name)
        metadata = {**(one.metadata or {}), **({b"description": said.text.encode()} if said and said.text else {})}
        fields.append(one.with_metadata(metadata) if metadata else one)
    return pa.schema(fields, {"brainlake.query": item.query, "brainlake.snapshot": str(session.snapshot_id)})


def _write_parquet(answer: pa.RecordBatchReader, path: Path, codec: str) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(path, answer.schema, compression=codec) as writer:
        for batch in answer:
            writer.write_batch(batch)


def _write_folders(answer: pa.RecordBatchReader, path: Path, how: How) -> None:
    from pyarrow import dataset

    if how.format == "csv" and how.codec != "none":
        raise BrainlakeError("a partitioned CSV is not compressed: leave --compression out, or export Parquet")
    fields = pa.schema([answer.schema.field(name).remove_metadata() for name in how.partition_by])
    form = dataset.ParquetFileFormat() if how.format == "parquet" else dataset.CsvFileFormat()
    options = form.make_write_options(**({"compression": how.codec} if how.format == "parquet" else {}))
    dataset.write_dataset(
        answer if how.format == "parquet" else flat_batches(answer),
        path,
        basename_template=f"part-{{i}}{how.suffix}",
        format=form,
        file_options=options,
        partitioning=dataset.partitioning(fields, flavor="hive"),
        max_partitions=1 << 20,
        max_open_files=_MOST_FILES_OPEN,
        create_dir=True,
    )
