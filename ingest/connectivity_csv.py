"""Tables of the connectivity atlas as CSV: unionizes as the reference caches them, and experiments of people's own.

``structure_unionizes.csv`` has an index column without a name, and its experiment in every row. A table of experiments
has one row each, with structures as ``502/926`` and workflows joined by ``|`` (spec: connectivity 2.4 and 7).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.spec import list_, text
from .connectivity_names import DATASET, EXPERIMENTS, UNIONIZE_INDEX, UNIONIZES, Record, structure_ids
from .contract import Identity, Part, Report, Rows, Source
from .csv_columns import CsvRows, converted, extra_json, is_table, read_header, read_rows

KINDS = (UNIONIZES, EXPERIMENTS)


class ConnectivityCsvReader:
    """Reader of the connectivity atlas's CSV tables."""

    name = "connectivity_csv"
    version = "2"
    parts: Sequence[Part] = (
        Part("experiments", "experiments with their injection"),
        Part("unionizes", "sums of pixels by structure and hemisphere"),
    )

    def sniff(self, source: Source) -> bool:
        return is_table(source, _kind)

    def identify(self, source: Source) -> Identity:
        kind = _kind_or_refuse(source)
        ids: set[int] = set()
        for rows in read_rows(source):
            ids |= set(_experiments(source, kind, rows).to_pylist())
        if not ids:
            raise SourceError(source, None, "has a header and no rows")
        span = f"{min(ids)}-{max(ids)}" if len(ids) > 1 else f"{next(iter(ids))}"
        role = "unionizes" if kind is UNIONIZES else "experiment_metadata"
        return Identity(f"connectivity.experiment/{span}", role, dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        report.found(_kind_or_refuse(source).spec.part, source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        kind = _kind_or_refuse(source)
        if kind.spec.part not in parts:
            return
        for rows in read_rows(source):
            yield Rows(kind.spec.name, _table(source, kind, rows, report))


def _kind(header: Sequence[str]) -> Record | None:
    return next((kind for kind in KINDS if kind.matches(header)), None)


def _kind_or_refuse(source: Source) -> Record:
    kind = _kind(read_header(source))
    if kind is None:
        raise SourceError(source, "header", "is neither that of unionizes nor that of experiments")
    return kind


def _experiments(source: Source, kind: Record, rows: CsvRows) -> pa.Array:
    name = kind.experiment_of(list(rows.columns))
    assert name is not None  # the header was matched
    return converted(source, rows, name, kind.spec["experiment_id"])


def _table(source: Source, kind: Record, rows: CsvRows, report: Report) -> pa.Table:
    targets = kind.targets(list(rows.columns))
    special: dict[str, pa.Array] = {}
    if kind is EXPERIMENTS:
        n = len(rows.lines)
        special = {
            "listing": pa.array(["metadata"] * n),
            "injection_structure_ids": pa.array(_injected(source, rows), list_(pa.int64())),
            "workflows": pa.array([_split(cell) for cell in rows.columns.get("workflows", [""] * n)], list_(text)),
        }
    columns = {
        column.name: converted(source, rows, name, column)
        for name, column in targets.items()
        if column.name not in special
    }
    columns |= special
    unknown = {name: cells for name, cells in rows.columns.items() if name not in targets}
    if kind is EXPERIMENTS:
        columns["extra"] = extra_json(unknown)
    elif left := [name for name in unknown if name not in UNIONIZE_INDEX]:
        report.skip(", ".join(left), "no column of unionizes")
    return pa.table(columns, schema=pa.schema([kind.spec[name].arrow for name in columns]))


def _split(cell: str) -> list[str]:
    words = (word.strip() for word in cell.strip("[]").replace("'", "").replace("|", ",").split(","))
    return [word for word in words if word]


def _injected(source: Source, rows: CsvRows) -> list[list[int]]:
    found = []
    for cell, line in zip(rows.columns["injection_structures"], rows.lines, strict=True):
        try:
            found.append(structure_ids(cell))
        except ValueError:
            raise SourceError(
                source, f"line {line}, column injection_structures", f"{cell[:60]!r} are no ids of structures"
            ) from None
    return found


READER = ConnectivityCsvReader()
