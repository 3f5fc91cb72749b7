"""Rows that leave the next snapshot: whole files, and shares of folded ones."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping
from pathlib import Path

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from . import keys
from .commit import Commit
from .parquet import read_file
from .records import LiveFile, WrittenFile, live_files, spec_of, stored_schema
from .sealing import seal
from .tables import TABLES

Leaving = Mapping[int, Collection[str] | None]  # ingest -> the parts of it that go; None: all of it


def retire(commit: Commit, root: Path, leaving: Leaving) -> None:
    """Take ingests, or parts of them, out of the next snapshot; a folded file is written anew once."""
    files = {f.data_file_id: f for ingest_id in leaving for f in live_files(commit.database, ingest_id=ingest_id)}
    for file in files.values():
        going = going_of(file, leaving)
        if going and going < set(file.ingests):
            _rewrite(commit, root, file, going)
        if going:
            commit.retire_file(file)
    for ingest_id, parts in leaving.items():
        if parts is None:
            commit.retire_ingest(ingest_id)
        else:
            commit.retire_parts(ingest_id, parts)


def going_of(file: LiveFile, leaving: Leaving) -> set[int]:
    """Those of a file's ingests whose rows in it leave."""
    part = part_of(file.table)
    gone = {ingest_id for ingest_id, parts in leaving.items() if parts is None or part in parts}
    return gone & set(file.ingests)


def part_of(table: str) -> str:
    """The part that a table's rows belong to."""
    return TABLES[table].part if table in TABLES else "rows"


def _rewrite(commit: Commit, root: Path, file: LiveFile, without: Collection[int]) -> None:
    """Write a folded file anew without the rows of some ingests, in the schema it has."""
    folder = root / "data" / file.table.replace(".", "/")
    schema = stored_schema(commit.database, file)
    table = read_file(folder / file.path)
    gone = pc.is_in(table["ingest_id"], pa.array(without, pa.int64()))
    table = table.filter(pc.invert(gone)).cast(schema)
    path = Path(file.path).with_name(f"{uuid.uuid4()}.parquet")
    commit.drafts.append(folder / path)
    pq.write_table(table, folder / path, compression="zstd")
    sealed = seal(folder / path)
    ingests = {i: n for i, n in file.ingests.items() if i not in without}
    stats = keys.stats_of(schema, table)
    commit.add_file(
        spec_of(commit.database, file),
        WrittenFile(
            path.as_posix(), table.num_rows, *sealed, ingests, file.partition_value, stats, schema, file.schema_version
        ),
    )
