"""What takes the room: every byte below a lake's directory, by what it is and whom it belongs to."""

from __future__ import annotations

import os
from collections import defaultdict
from collections.abc import Iterator, Mapping
from typing import Literal, NamedTuple

import pyarrow as pa

from . import ducklake
from .catalog import Catalog
from .catalog_file import CATALOG_FILE
from .relations import table_of
from .snapshots import KEPT
from .states import folder_of
from .tables import TABLES

By = Literal["schema", "table", "part", "subject"]
ATTACHED = "nwb.nwb_table"  # the relation that attachments are read by

SCHEMA = pa.schema([("state", pa.string()), ("name", pa.string()), ("n_files", pa.int64()), ("size_bytes", pa.int64())])


class _Data(NamedTuple):
    """A data file as the catalogue knows it; ``shares`` tells how many of its rows are of which subject."""

    state: str
    table: str
    part: str
    shares: Mapping[str, int]


def usage(catalog: Catalog, by: By | None = None) -> pa.Table:
    """Files and bytes, a row a state and, with ``by``, a name of data files.

    by : names are schemas, tables, parts or subjects; a file of several subjects is shared out by their rows, and
        counts as a file of the largest
    state : ``live``; ``retired``: needed by earlier snapshots alone; ``expired``: to be removed when the grace is over;
        ``orphan``: known to no snapshot; ``cache``, ``raw``, ``catalogue``, ``other``: beside the data

    The bytes are sizes of files and sum up to what is below the lake's directory.
    """
    known = _known(catalog)
    files: dict[tuple[str, str | None], int] = defaultdict(int)
    sizes: dict[tuple[str, str | None], int] = defaultdict(int)
    for path, size in _walk(str(catalog.root)):
        for state, name, is_file, share in _shared(path, size, known, by):
            files[state, name] += is_file
            sizes[state, name] += share
    order = ("live", "retired", "expired", "orphan", "cache", "raw", "catalogue", "other")
    keys = sorted(sizes, key=lambda key: (order.index(key[0]), -sizes[key], key[1] or ""))
    table = table_of([(state, name, files[state, name], sizes[state, name]) for state, name in keys], SCHEMA)
    return table if by else table.drop_columns("name")


def _walk(folder: str, inner: str = "") -> Iterator[tuple[str, int]]:
    """Path below the lake, and size, of every file; what vanishes meanwhile is not there."""
    try:
        entries = list(os.scandir(folder))
    except OSError:
        return
    for entry in entries:
        try:
            if entry.is_dir(follow_symlinks=False):
                yield from _walk(entry.path, f"{inner}{entry.name}/")
            else:
                yield inner + entry.name, entry.stat(follow_symlinks=False).st_size
        except OSError:
            continue


def _shared(
    path: str, size: int, known: Mapping[str, _Data], by: By | None
) -> Iterator[tuple[str, str | None, int, int]]:
    """State, name, whether to count as a file, and bytes of a file."""
    data = known.get(path)
    if data is None:
        top = path.partition("/")[0]
        is_orphan = top == "data" and path.endswith(".parquet")
        state = "orphan" if is_orphan else top if top in ("cache", "raw") else "other"
        yield "catalogue" if path.startswith(CATALOG_FILE) else state, None, 1, size
    elif by == "subject":
        total, given = sum(data.shares.values()), 0
        by_size = sorted(data.shares.items(), key=lambda share: (-share[1], share[0]))
        for i, (subject, rows) in enumerate(by_size):
            share = size - given if i == len(by_size) - 1 else size * rows // max(total, 1)
            given += share
            yield data.state, subject, int(i == 0), share
    else:
        names = {"schema": data.table.partition(".")[0], "table": data.table, "part": data.part}
        yield data.state, names[by] if by else None, 1, size


def _known(catalog: Catalog) -> dict[str, _Data]:
    """Every data file in the catalogue, by its path below the lake."""
    with catalog.reading() as database:
        subjects = dict(database.execute("select ingest_id, subject from brainlake_ingest"))
        shares: dict[int, dict[str, int]] = defaultdict(lambda: defaultdict(int))
        for number, ingest_id, rows in database.execute("select * from brainlake_file_ingest"):
            shares[number][subjects.get(ingest_id, "unknown")] += rows
        known = {}
        query = f"select f.data_file_id, t.name, f.path, {_state('f')} from ducklake_data_file as f join brainlake_table as t using (table_id)"
        for number, table, path, state in database.execute(query):
            part = TABLES[table].part if table in TABLES else "rows"
            known[folder_of(table) + path] = _Data(state, table, part, shares[number] or {"unknown": 1})
        query = f"select ingest_id, path, part, {_state('a')} from brainlake_attachment as a"
        for ingest_id, path, part, state in database.execute(query):
            known[path] = _Data(state, ATTACHED, part, {subjects.get(ingest_id, "unknown"): 1})
        for (path,) in database.execute(
            "select path from ducklake_files_scheduled_for_deletion where path_is_relative"
        ):
            known.setdefault(ducklake.DATA_PATH + path, _Data("expired", "unknown", "unknown", {"unknown": 1}))
    return known


def _state(row: str) -> str:
    return f"""case when {row}.end_snapshot is null then 'live' when exists (
        select 1 from ({KEPT}) as s where s.snapshot_id >= {row}.begin_snapshot and s.snapshot_id < {row}.end_snapshot)
        then 'retired' else 'expired' end"""
