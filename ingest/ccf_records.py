"""Records of the API about ontologies: structure graphs, structure sets, atlases (spec: connectivity 2.1, 3.1).

The kind of record is told by its attributes. Those of a structure set are no more than id, name and description, so that
one is known by the structures it includes, or by the name of the file. What a set includes is kept as the API told it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..lake.errors import SourceError
from ..lake.tables import ccf as tables
from ..lake.tables.rma import MODELS
from .contract import Identity, Part, Report, Rows, Source
from .heads import begins_json, text_head
from .json_records import Records, column_of, extra_of, first_record
from .rma_records import Gathered

DATASET = "Allen Brain Atlas structure ontology"
MAX_RECORDS = 100_000


class OntologyRecordReader:
    """Reader of lists of structure graphs, structure sets and atlases."""

    name = "ccf_records"
    version = "2"
    parts: Sequence[Part] = (
        Part("structure_graphs", "versions of ontologies"),
        Part("structure_sets", "structure sets and their names"),
        Part("atlases", "atlases"),
    )

    def sniff(self, source: Source) -> bool:
        head = text_head(source)
        if not begins_json(head) or b'"name"' not in head:
            return False
        try:
            return _kind(source, first_record(source)) is not None
        except SourceError:
            return False

    def identify(self, source: Source) -> Identity:
        return Identity(f"ccf.{_known_kind(source)}", "records", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        report.found(_known_kind(source), source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        kind = _known_kind(source)
        if kind not in parts:
            return
        records: list[dict[str, Any]] = []
        for record in Records(source):
            records.append(record)
            if len(records) > MAX_RECORDS:
                raise SourceError(
                    source, f"record {len(records)}", f"is beyond {MAX_RECORDS:,}: there are never so many"
                )
        yield {"structure_graphs": _graphs, "structure_sets": _sets, "atlases": _atlases}[kind](source, records)
        if kind == "structure_sets" and any(record.get("structures") for record in records):
            # Listings of structures tell of members, too: what an answer tells is kept beside them.
            yield from Gathered(source).rows_of(MODELS["StructureSet"], "StructureSet", records)


def _kind(source: Source, record: Mapping[str, Any] | None) -> str | None:
    if record is None or not {"id", "name"} <= set(record) or "acronym" in record:
        return None
    attributes = set(record)
    if {"image_type", "graphic_group_labels"} & attributes:
        return "atlases"
    if {"ontology_id", "ontology"} & attributes:
        return "structure_graphs"
    if attributes <= {"id", "name", "description", "structures"}:
        is_set = "structures" in attributes or "structure_set" in source.name.lower()
        return "structure_sets" if is_set else None
    return None


def _known_kind(source: Source) -> str:
    kind = _kind(source, first_record(source))
    if kind is None:
        raise SourceError(source, "record 0", "is no structure graph, structure set or atlas")
    return kind


def _graphs(source: Source, records: list[dict[str, Any]]) -> Rows:
    spec = tables.STRUCTURE_GRAPHS
    flat = [{**r, "ontology_name": _included(source, n, r, "ontology").get("name")} for n, r in enumerate(records)]
    names = {"graph_id": "id", "name": "name", "ontology_id": "ontology_id", "ontology_name": "ontology_name"}
    return Rows(spec.name, {column: column_of(source, spec[column], flat, name, 0) for column, name in names.items()})


def _sets(source: Source, records: list[dict[str, Any]]) -> Rows:
    spec = tables.NAMED_STRUCTURE_SETS
    names = {"structure_set_id": "id", "name": "name", "description": "description"}
    columns: dict[str, Any] = {c: column_of(source, spec[c], records, name, 0) for c, name in names.items()}
    return Rows(spec.name, {**columns, "graph_id": 0})


def _atlases(source: Source, records: list[dict[str, Any]]) -> Rows:
    spec = tables.ATLASES
    flat = []
    for number, record in enumerate(records):
        graph = _included(source, number, record, "structure_graph").get("id")
        flat.append({**record, "graph_id": record.get("structure_graph_id") or graph})
    names = {"atlas_id": "id", "name": "name", "image_type": "image_type", "graph_id": "graph_id"}
    columns: dict[str, Any] = {c: column_of(source, spec[c], flat, name, 0) for c, name in names.items()}
    groups = [_groups(source, number, record) for number, record in enumerate(records)]
    columns["graphic_group_label_ids"] = [[one["id"] for one in group] for group in groups]
    columns["graphic_group_label_names"] = [[one["name"] for one in group] for group in groups]
    known = frozenset((*names.values(), "structure_graph", "structure_graph_id", "graphic_group_labels"))
    columns["extra"] = extra_of(flat, known)
    return Rows(spec.name, columns)


def _groups(source: Source, number: int, record: Mapping[str, Any]) -> list[dict[str, Any]]:
    groups = record.get("graphic_group_labels") or []
    if not isinstance(groups, list) or not all(
        isinstance(one, dict) and isinstance(one.get("id"), int) and isinstance(one.get("name"), str) for one in groups
    ):
        raise SourceError(source, f"record {number}, graphic_group_labels", "is no list of groups with id and name")
    return groups


def _included(source: Source, number: int, record: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = record.get(name) or {}
    if not isinstance(found, dict):
        raise SourceError(source, f"record {number}, {name}", "is no record")
    return found


READER = OntologyRecordReader()
