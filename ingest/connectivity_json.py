"""Records of the connectivity atlas as the API gives them in JSON, and as the reference caches them.

Experiments (``experiments.json``), unionizes, and section data sets with what they include; the kind is told by the
attributes of the first record. A complete list of experiments is one subject, everything else is a subject by the
experiments it tells of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.spec import list_, text
from ..lake.tables.rma import MODELS
from . import connectivity_sections as sections
from .connectivity_names import DATASET, EXPERIMENTS, UNIONIZES, Record, structure_ids
from .contract import Identity, Part, Report, Rows, Setting, Source
from .heads import begins_json, text_head
from .json_records import Records, column_of, extra_of, first_record
from .rma_records import Gathered

BATCH_RECORDS = 4_096
KINDS = (EXPERIMENTS, UNIONIZES)
DATA_SETS = MODELS["DataSet"]


class ConnectivityJsonReader:
    """Reader of lists of records of the connectivity atlas."""

    name = "connectivity_json"
    version = "4"
    parts: Sequence[Part] = (
        Part("experiments", "experiments with their injection"),
        Part("unionizes", "sums of pixels by structure and hemisphere"),
        Part("alignments", "affine alignments of experiments to the reference space"),
        Part("injections", "stereotaxic injections"),
        Part("section_images", "images of sections, with their place in the stack"),
        Part("records", "image series as the API has them, by model"),
    )
    settings: Sequence[Setting] = (Setting("experiment", "id of the experiment that an alignment is of"),)

    def sniff(self, source: Source) -> bool:
        head = text_head(source)
        if not begins_json(head):
            return False
        if head[:1] == b"{" and b'"trv_00"' in head and b'"msg"' not in head:
            return sections.is_alignment(source)
        try:
            record = first_record(source)
        except SourceError as error:
            # a damaged list is claimed where its text tells the kind, so that what is wrong with it is said
            return (error.where or "").startswith("record") and any(
                all(f'"{name}"'.encode() in head for name in kind.needs) for kind in KINDS
            )
        return record is not None and (_kind(record) is not None or sections.matches(record))

    def identify(self, source: Source) -> Identity:
        if sections.is_alignment(source):
            experiment, _ = sections.read_alignment(source)
            return Identity(f"connectivity.experiment/{experiment}", "alignment", dataset=DATASET)
        records = Records(source)
        record = next(iter(records), None)
        kind = _kind(record)
        role = kind.role if kind else "section_data_sets"
        if kind is EXPERIMENTS:
            ids = _experiment_ids(source, EXPERIMENTS)
            if len(ids) > 1 and not records.is_page:
                return Identity("connectivity.experiments", role, dataset=DATASET)
        else:
            ids = _experiment_ids(source, kind) if kind else sections.experiment_ids(source)
        span = f"{min(ids)}-{max(ids)}" if len(ids) > 1 else f"{next(iter(ids))}"
        return Identity(f"connectivity.experiment/{span}", role, dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        size = source.path.stat().st_size
        if sections.is_alignment(source):
            report.found("alignments", size)
            return
        record = first_record(source)
        kind = _kind(record)
        if kind:
            report.found(kind.spec.part, size)
        elif record is not None and sections.matches(record):
            for number, part in enumerate(sections.PARTS):  # the same bytes serve all parts: they are counted once
                report.found(part, 0 if number else size)
        else:
            raise SourceError(source, "record 0", "is no experiment, unionize or section data set")

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        if sections.is_alignment(source):
            if "alignments" in parts:
                yield sections.alignment_rows(source, [sections.read_alignment(source)])
            return
        kind = _kind(first_record(source))
        records, first = iter(Records(source)), 0
        series = Gathered(source)
        if kind is UNIONIZES and (left := _unknown(source, kind)):
            report.skip(", ".join(left), "no attribute of unionizes")
        while batch := list(islice(records, BATCH_RECORDS)):
            if kind is None:
                yield from sections.rows(source, batch, first, parts)
                if "records" in parts:
                    yield from series.rows_of(DATA_SETS, "SectionDataSet", map(sections.without_parts, batch))
            elif kind.spec.part in parts:
                yield Rows(kind.spec.name, _rows(source, kind, batch, first))
            first += len(batch)


def _kind(record: Mapping[str, Any] | None) -> Record | None:
    return next((kind for kind in KINDS if record and kind.matches(record)), None)


def _unknown(source: Source, kind: Record) -> list[str]:
    """Attributes of the first record that the table has no column for."""
    attributes = list(first_record(source) or {})
    return [name for name in attributes if name not in kind.targets(attributes)]


def _experiment_ids(source: Source, kind: Record) -> set[int]:
    found = set()
    for number, record in enumerate(Records(source)):
        name = kind.experiment_of(record)
        value = record.get(name) if name else None
        if not isinstance(value, int) or isinstance(value, bool):
            raise SourceError(source, f"record {number}, {name or kind.experiment[0]}", "tells no experiment")
        found.add(value)
    return found


def _rows(source: Source, kind: Record, batch: Sequence[Mapping[str, Any]], first: int) -> pa.Table:
    attributes = list(dict.fromkeys(name for record in batch for name in record))
    targets = kind.targets(attributes)
    special: dict[str, pa.Array] = {}
    known = set(targets)
    if kind is EXPERIMENTS:
        batch = [_with_line(record) for record in batch]
        special = {
            "listing": pa.array(["experiments"] * len(batch)),
            "injection_structure_ids": pa.array(_injected(source, batch, first), list_(pa.int64())),
            "workflows": pa.array(_workflows(source, batch, first), list_(text)),
        }
    columns = {
        column.name: column_of(source, column, batch, name, first)
        for name, column in targets.items()
        if column.name not in special
    }
    columns |= special
    if kind is EXPERIMENTS:
        columns["extra"] = extra_of(batch, frozenset({*known, "workflows"}))
    return pa.table(columns, schema=pa.schema([kind.spec[name].arrow for name in columns]))


def _with_line(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record whose transgenic line, an object, is its name; the object's other attributes stay beside it."""
    line = record.get("transgenic_line")
    if not isinstance(line, dict):
        return dict(record)
    rest = {name: value for name, value in line.items() if name != "name" and value is not None}
    return {**record, "transgenic_line": line.get("name"), "transgenic_line_record": rest}


def _injected(source: Source, batch: Sequence[Mapping[str, Any]], first: int) -> list[list[int]]:
    found = []
    for number, record in enumerate(batch, start=first):
        try:
            found.append(structure_ids(record.get("injection_structures")))
        except ValueError:
            said = str(record.get("injection_structures"))[:60]
            raise SourceError(
                source, f"record {number}, injection_structures", f"{said!r} are no ids of structures"
            ) from None
    return found


def _workflows(source: Source, batch: Sequence[Mapping[str, Any]], first: int) -> list[list[str]]:
    """Workflows of people's own experiments: a list, or one text that joins them by ``|`` (spec: connectivity 7)."""
    found = []
    for number, record in enumerate(batch, start=first):
        given = record.get("workflows") or []
        words = given.split("|") if isinstance(given, str) else given
        if not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise SourceError(source, f"record {number}, workflows", f"{str(given)[:60]!r} are no names")
        found.append([word.strip() for word in words if word.strip()])
    return found


READER = ConnectivityJsonReader()
