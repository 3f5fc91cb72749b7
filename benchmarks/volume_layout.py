"""How a volume of labels can be kept: runs along each axis as rows, LISTs or packed planes, asked for the same points.

Measured on a real annotation (``$BRAINLAKE_ANNOTATION``) or on the generated brain of :mod:`.ccf`. Every layout's answer is
compared with the array before it is timed.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from brainlake.ingest.ccf_labels import row_starts, runs_of
from brainlake.lake.functions import adapt, sql_type
from brainlake.lake.held import RowsOfConnection
from brainlake.udfs.ccf_planes import Planes
from brainlake.udfs.registry import Ragged, Udf

from . import ccf
from .measure import milliseconds

AXES = ("ap", "dv", "ml")
N_POINTS = 1_000


def compare(directory: Path) -> str:
    """A Markdown table."""
    folder = directory / "volume_layout"
    folder.mkdir(exist_ok=True)
    volume, *_ = ccf.material_of(folder)
    where = np.random.default_rng(0).integers(0, volume.shape, (N_POINTS, 3))
    expected = volume[tuple(where.T)].astype(np.int64)
    con = duckdb.connect()
    _register(con)
    points = pa.table({"n": np.arange(N_POINTS), **dict(zip(AXES, where.T, strict=True))})
    con.register("points", points)
    lines = ["| layout | rows | file | 1,000 points | all of one structure |", "|---|---:|---:|---:|---:|"]
    labels, counts = np.unique(volume, return_counts=True)
    wanted = int(labels[1:][np.argmax(counts[1:])])  # the largest
    for what, path, point_query, label_query in _layouts(volume, folder):
        found = con.sql(point_query.format(path=path)).order("n").to_arrow_table()["label"].to_numpy()
        if not np.array_equal(found, expected):
            raise RuntimeError(f"{what}: points differ from the array")
        points_ms = milliseconds(_run(con, point_query.format(path=path)), 7)
        label_ms = milliseconds(_run(con, label_query.format(path=path, wanted=wanted)), 7) if label_query else None
        rows = pq.read_metadata(path).num_rows
        label = f"{label_ms:.1f} ms" if label_ms is not None else ""
        lines.append(f"| {what} | {rows:,} | {path.stat().st_size / 1e6:.1f} MB | {points_ms:.1f} ms | {label} |")
    con.close()
    return "\n".join(lines) + "\n"


def _register(con: duckdb.DuckDBPyConnection) -> None:
    """A kernel that takes packed planes from a query, as one would without holding them in memory."""
    blob, longs = pa.binary(), pa.list_(pa.int64())

    def labels_at(
        row_starts: Ragged, run_starts: Ragged, run_labels: Ragged, plane_labels: Ragged, dv: Ragged, ap: Ragged
    ) -> Ragged:
        planes = Planes.of(row_starts, run_starts, run_labels, plane_labels)
        which = np.repeat(np.arange(len(dv)), dv.lengths)
        return Ragged(planes.find(which, dv.values, ap.values), dv.offsets)

    names = ("row_starts", "run_starts", "run_labels", "plane_labels", "dv", "ap")
    kernel = Udf("labels_at", labels_at, (blob, blob, blob, blob, longs, longs), names, longs)
    types = [duckdb.sqltype(sql_type(kind)) for kind in kernel.args]
    con.create_function(
        kernel.name, adapt(kernel, RowsOfConnection(con)), types, duckdb.sqltype(sql_type(longs)), type="arrow"
    )


def _run(con: duckdb.DuckDBPyConnection, query: str) -> Callable[[], Any]:
    return lambda: con.sql(query).to_arrow_table()


RUNS = """
    select p.n, coalesce(r.label, 0) as label
    from points as p
    left join '{{path}}' as r
        on r.a = p.{0} and r.b = p.{1} and p.{2} >= r.first and p.{2} < r.first + r.length"""
OF_LABEL = "select * from '{path}' where label = {wanted}"
BY_PLANE = """
    with by_plane as (
        select ml::smallint as ml, list({{{{'n': n, 'dv': dv::bigint, 'ap': ap::bigint}}}}) as held from points group by ml
    ),
    found as (
        select unnest(b.held) as point, unnest({0}) as label
        from '{{path}}' as p
        join by_plane as b on b.ml = p.ml
    )
    select point.n as n, label from found"""
PACKED = BY_PLANE.format(
    "labels_at(row_starts, run_starts, run_labels, plane_labels, "
    "list_transform(held, lambda x: x.dv), list_transform(held, lambda x: x.ap))"
)


def _layouts(volume: np.ndarray, folder: Path) -> list[tuple[str, Path, str, str | None]]:
    found: list[tuple[str, Path, str, str | None]] = []
    for along in range(3):
        a, b = (axis for axis in (2, 1, 0) if axis != along)
        path = folder / f"runs_{AXES[along]}.parquet"
        pq.write_table(_runs(volume.transpose(a, b, along)), path, compression="zstd", row_group_size=65_536)
        what = f"a row a run along {AXES[along]}"
        found.append((what, path, RUNS.format(AXES[a], AXES[b], AXES[along]), OF_LABEL))
    planes = _planes(volume)
    for compression in ("zstd", "lz4"):
        path = folder / f"planes_{compression}.parquet"
        pq.write_table(planes, path, compression=compression, row_group_size=32, use_dictionary=False)
        found.append((f"a row a sagittal plane, packed; {compression}", path, PACKED, None))
    return found


def _runs(planes: np.ndarray) -> pa.Table:
    """Labelled runs along the last axis."""
    parts = []
    for number, plane in enumerate(planes):
        row, first, label, length = runs_of(np.ascontiguousarray(plane))
        kept = label > 0
        parts.append(np.column_stack([np.full(kept.sum(), number), row[kept], first[kept], length[kept], label[kept]]))
    a, b, first, length, label = np.concatenate(parts).T
    small = {name: v.astype(np.int16) for name, v in (("a", a), ("b", b), ("first", first), ("length", length))}
    return pa.table({**small, "label": label.astype(np.int64)})


def _planes(volume: np.ndarray) -> pa.Table:
    columns: dict[str, list[bytes]] = {"row_starts": [], "run_starts": [], "run_labels": [], "plane_labels": []}
    for plane in volume.transpose(2, 1, 0):
        row, first, label, _ = runs_of(np.ascontiguousarray(plane))
        distinct, which = np.unique(label, return_inverse=True)
        columns["row_starts"].append(row_starts(row, plane.shape[0]).astype("<i4").tobytes())
        columns["run_starts"].append(first.astype("<u2").tobytes())
        columns["run_labels"].append(which.astype("<u2").tobytes())
        columns["plane_labels"].append(distinct.astype("<u4").tobytes())
    return pa.table({"ml": np.arange(volume.shape[2], dtype=np.int16), **columns})
