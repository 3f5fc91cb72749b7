"""Tables of the Cell Types Database as CSV files: the web site's download of cells, the two feature tables that the
cache of the Allen SDK keeps, and the cells of the Patch-seq project.

A table is known by its header. The files differ in what they quote and leave empty, some begin with an unnamed index.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.spec import TableSpec
from ..lake.tables import cells as tables
from .cell_types_names import DATASET, DETAILS, EPHYS_FEATURES, MORPHOLOGY_FEATURES, PATCHSEQ, Record
from .contract import Identity, Part, Report, Rows, Source
from .csv_columns import converted, extra_json, is_table, read_header, read_rows

CSV_TABLES: tuple[tuple[Record, TableSpec], ...] = (
    (DETAILS, tables.CSV_SPECIMEN_DETAILS),
    (EPHYS_FEATURES, tables.CSV_EPHYS_FEATURES),
    (MORPHOLOGY_FEATURES, tables.CSV_MORPHOLOGY_FEATURES),
    (PATCHSEQ, tables.PATCHSEQ_CELLS),
)
_INDEX = ("", "Unnamed: 0")  # pandas' index, where it was written with the table


class CellTypesCsvReader:
    """Reader of the tables of cells."""

    name = "cell_types_csv"
    version = "1"
    parts: Sequence[Part] = (
        Part("cells", "cells with their structure, donor and most asked-for features"),
        Part("ephys_features", "published electrophysiology features of cells"),
        Part("morphology_features", "published features of reconstructions"),
    )

    def sniff(self, source: Source) -> bool:
        return is_table(source, _kind)

    def identify(self, source: Source) -> Identity:
        record, _ = _kind_or_refuse(source, read_header(source))
        return Identity(record.subject, "table_csv", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        _, spec = _kind_or_refuse(source, read_header(source))
        report.found(spec.part, source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        header = read_header(source)
        record, spec = _kind_or_refuse(source, header)
        if spec.part not in parts:
            return
        targets = record.targets(header, spec)
        unknown = [name for i, name in enumerate(header) if name not in targets and (i or name not in _INDEX)]
        for rows in read_rows(source):
            columns = {column.name: converted(source, rows, name, column) for name, column in targets.items()}
            if unknown:
                columns["extra"] = extra_json({name: rows.columns[name] for name in unknown})
            yield Rows(spec.name, pa.table(columns))


def _kind(header: Sequence[str]) -> tuple[Record, TableSpec] | None:
    return next(((record, spec) for record, spec in CSV_TABLES if record.matches(header)), None)


def _kind_or_refuse(source: Source, header: Sequence[str]) -> tuple[Record, TableSpec]:
    kind = _kind(header)
    if kind is None:
        known = ", ".join(spec.name for _, spec in CSV_TABLES)
        raise SourceError(source, "header", f"is of no table of cells ({known})")
    return kind


READER = CellTypesCsvReader()
