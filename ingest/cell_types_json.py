"""Records of cells as the API gives them in JSON: specimen details, sweep lists, features, and the older Specimen with
what it includes. Also the files of an Allen SDK cache: ``cells.json`` and ``ephys_sweeps.json`` are bare lists.

The kind of record is told by the attributes of the first. A complete list is one subject; an answer that holds a page or
a single record is a subject of its own, by the cells it tells of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

from ..lake.errors import SourceError
from ..lake.spec import TableSpec
from ..lake.tables import cells as tables
from .cell_types_names import DATASET, DETAILS, EPHYS_FEATURES, MORPHOLOGY_FEATURES, SWEEPS, Record
from .cell_types_specimens import SPECIMENS, file_rows, specimen_rows
from .contract import Identity, Part, Report, Rows, Source
from .heads import begins_json, text_head
from .json_records import Records, columns_of, first_record

BATCH_RECORDS = 4_096


@dataclass(frozen=True)
class Kind:
    """A kind of record, the table that keeps it, the attribute that names its cell, and what its sources are called."""

    record: Record
    spec: TableSpec
    cell: str
    role: str


API_TABLES = (
    Kind(DETAILS, tables.API_SPECIMEN_DETAILS, "specimen__id", "specimen_details_api"),
    Kind(SWEEPS, tables.API_SWEEPS, "specimen_id", "sweeps_api"),
    Kind(EPHYS_FEATURES, tables.API_EPHYS_FEATURES, "specimen_id", "ephys_features_api"),
    Kind(MORPHOLOGY_FEATURES, tables.API_MORPHOLOGY_FEATURES, "specimen_id", "reconstructions_api"),
    Kind(SPECIMENS, tables.LEGACY_SPECIMENS, "id", "specimens_api"),
)


class CellTypesJsonReader:
    """Reader of lists of cell records."""

    name = "cell_types_json"
    version = "1"
    parts: Sequence[Part] = (
        Part("cells", "cells with their structure, donor and most asked-for features"),
        Part("sweeps", "sweeps as the warehouse lists them"),
        Part("ephys_features", "published electrophysiology features of cells"),
        Part("morphology_features", "published features of reconstructions"),
        Part("files", "files of the warehouse that records include"),
    )

    def sniff(self, source: Source) -> bool:
        head = text_head(source)
        if not begins_json(head):
            return False
        try:
            return _kind(first_record(source)) is not None
        except SourceError as error:
            # a damaged list is claimed where its text tells the kind, so that what is wrong with it is said
            is_list = (error.where or "").startswith("record")
            return (
                is_list and b'"neuronal_model' not in head and any(_is_named(kind.record, head) for kind in API_TABLES)
            )

    def identify(self, source: Source) -> Identity:
        kind = _kind_or_refuse(source)
        records = Records(source)
        first_two = list(islice(records, 2))
        subject = kind.record.subject
        if kind.record is SWEEPS or len(first_two) < 2 or records.is_page:
            found = [record.get(kind.cell) for record in Records(source)]
            cells = [cell for cell in found if isinstance(cell, int)]
            if len(cells) < len(found):
                where = f"record {next(i for i, cell in enumerate(found) if not isinstance(cell, int))}"
                raise SourceError(source, f"{where}, {kind.cell}", "tells no cell")
            span = f"{min(cells)}-{max(cells)}" if len(set(cells)) > 1 else f"{cells[0]}"
            subject = f"{kind.record.subject}/{span}"
        return Identity(subject, kind.role, dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        report.found(_kind_or_refuse(source).spec.part, source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        kind = _kind_or_refuse(source)
        records, first = iter(Records(source)), 0
        while batch := list(islice(records, BATCH_RECORDS)):
            yield from _rows(source, kind, batch, first, parts)
            first += len(batch)


def _rows(
    source: Source, kind: Kind, batch: Sequence[Mapping[str, Any]], first: int, parts: frozenset[str]
) -> Iterator[Rows]:
    if "files" in parts and kind.record in (SPECIMENS, MORPHOLOGY_FEATURES):
        files = file_rows(source, batch, first)
        if files.num_rows:
            yield Rows(tables.WELL_KNOWN_FILES.name, files)
    if kind.spec.part not in parts:
        return
    if kind.record is SPECIMENS:
        yield Rows(kind.spec.name, specimen_rows(source, batch, first))
        return
    attributes = list(dict.fromkeys(name for record in batch for name in record))
    targets = kind.record.targets(attributes, kind.spec)
    yield Rows(kind.spec.name, columns_of(source, kind.spec, targets, batch, first))


def _kind(record: Mapping[str, Any] | None) -> Kind | None:
    return next((kind for kind in API_TABLES if record and kind.record.matches(list(record))), None)


def _is_named(record: Record, head: bytes) -> bool:
    return all(f'"{name}"'.encode() in head for name in record.needs) and (
        not record.one_of or any(f'"{name}"'.encode() in head for name in record.one_of)
    )


def _kind_or_refuse(source: Source) -> Kind:
    kind = _kind(first_record(source))
    if kind is None:
        known = ", ".join(kind.spec.name for kind in API_TABLES)
        raise SourceError(source, "record 0", f"is of no kind that tells of cells ({known})")
    return kind


READER = CellTypesJsonReader()
