"""Ontologies: lists of structures as tables of the warehouse, answers of the API, and trees (spec: connectivity 2.1, 4.1).

JSON records come flat or nested (``children``), bare or in an envelope, with the API's attributes or as the reference
keeps them (``rgb_triplet``, ``structure_set_ids``); CSV tables have the API's attributes. A listing that lacks
structures which its paths name is a selection, and takes no complete listing's place.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..lake.errors import SourceError
from ..lake.tables.ccf import LISTED_STRUCTURES
from .contract import Identity, Part, Report, Rows, Source, made_id
from .csv_columns import read_header, read_rows
from .heads import begins_json, text_head
from .json_records import Records, column_of, extra_of, first_record

MAX_STRUCTURES = 1_000_000
MAX_DEPTH = 256
HEAD = 4_096
DATASET = "Allen Brain Atlas structure ontology"

# attribute of a record -> column of the lake
ATTRIBUTES = {
    "acronym": "acronym",
    "name": "name",
    "safe_name": "safe_name",
    "parent_structure_id": "parent_structure_id",
    "graph_order": "graph_order",
    "depth": "tree_depth",
    "st_level": "st_level",
    "atlas_id": "atlas_id",
    "ontology_id": "ontology_id",
    "hemisphere_id": "hemisphere_id",
}
_USED = frozenset(
    (*ATTRIBUTES, "id", "graph_id", "structure_id_path", "color_hex_triplet", "rgb_triplet", "structure_set_ids",
     "structure_sets", "children")
)  # fmt: skip


@dataclass
class Listing:
    """Records of structures in the order of the file, with their paths."""

    records: list[dict[str, Any]]
    paths: list[list[int]]
    graph_id: int
    kind: str  # tree, table or selection
    notes: list[str] = field(default_factory=list)

    @property
    def ids(self) -> list[int]:
        return [path[-1] for path in self.paths]


class StructureReader:
    """Reader of ontologies."""

    name = "ccf_structures"
    version = "1"
    parts: Sequence[Part] = (Part("structures", "structures of an ontology, and the sets they belong to"),)

    def sniff(self, source: Source) -> bool:
        head = text_head(source, HEAD)
        if begins_json(head):
            if b"acronym" not in head:
                return False
            try:
                return _is_structure(first_record(source))
            except SourceError:  # a damaged list of structures is claimed, to be told what is wrong with it
                return b'"structure_id_path"' in head and b'"graph_order"' in head
        if b"acronym" not in head or b"\0" in head:
            return False
        try:
            return _is_table(read_header(source))
        except (SourceError, OSError):
            return False

    def identify(self, source: Source) -> Identity:
        listing = read_listing(source)
        subject = f"ccf.structures/{listing.graph_id}"
        if listing.kind == "selection":
            subject += f"/{_fingerprint(listing.ids)}"
        return Identity(subject, f"structure_{listing.kind}", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        report.found("structures", source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        if "structures" not in parts:
            return
        listing = read_listing(source)
        for note in listing.notes:
            report.warn(note)
        yield structure_rows(source, listing)
        yield from _set_rows(source, listing)


def _is_structure(record: Mapping[str, Any] | None) -> bool:
    return (
        record is not None
        and {"id", "acronym", "name"} <= set(record)
        and bool({"structure_id_path", "children"} & set(record))
    )


def _is_table(header: Sequence[str]) -> bool:
    return {"id", "acronym", "name", "structure_id_path"} <= set(header)


def read_listing(source: Source) -> Listing:
    """Every structure of a file. Raises SourceError where one is doubled, or what lies above it does not lead to it."""
    records: list[dict[str, Any]] = []
    ids: list[int] = []
    told: list[list[int] | None] = []
    notes: list[str] = []
    for where, record, above in _records(source):
        record_id = _id(source, where, record.get("id"))
        if record_id == 0:  # what annotations have where no structure is; some tables list it
            notes.append("structure 0 is left out: it is the background of annotations")
            continue
        records.append(record)
        ids.append(record_id)
        told.append(_path(source, where, record, record_id, above))
        if len(records) > MAX_STRUCTURES:
            raise SourceError(source, where, f"is beyond {MAX_STRUCTURES:,} structures: no ontology has so many")
    if not records:
        raise SourceError(source, None, "lists no structure")
    if len(set(ids)) < len(ids):
        seen: set[int] = set()
        doubled = next(i for i in ids if i in seen or seen.add(i))  # type: ignore[func-returns-value]
        raise SourceError(source, f"structure {doubled}", "is listed twice")
    return _listing(source, records, _paths(source, records, ids, told), notes)


def _records(source: Source) -> Iterator[tuple[str, dict[str, Any], list[int] | None]]:
    """Where each record is, the record, and for a nested one the path of what it lies in."""
    if not begins_json(text_head(source, HEAD)):
        for rows in read_rows(source):
            for number, line in enumerate(rows.lines):
                yield f"line {line}", {n: cells[number] for n, cells in rows.columns.items() if cells[number]}, None
        return
    count = 0
    for number, root in enumerate(Records(source)):
        if "children" not in root:
            yield f"record {number}", root, None
            continue
        pending: list[tuple[dict[str, Any], list[int]]] = [(root, [])]
        while pending:
            record, above = pending.pop()
            where = f"record {count}"
            count += 1
            if not isinstance(record, dict):
                raise SourceError(source, where, "is no structure")
            yield where, record, above
            below = record.get("children") or []
            path = [*above, _id(source, where, record.get("id"))]
            if not isinstance(below, list) or len(path) > MAX_DEPTH:
                raise SourceError(source, where, "has children that are no list of structures, or nests too deeply")
            pending += [(child, path) for child in reversed(below)]


def _id(source: Source, where: str, value: Any) -> int:
    try:
        number = int(value)
    except (TypeError, ValueError):
        raise SourceError(source, f"{where}, id", f"{str(value)[:40]!r} is no id of a structure") from None
    if isinstance(value, bool | float) or not 0 <= number < 2**53:
        raise SourceError(source, f"{where}, id", f"{value!r} is no id of a structure")
    return number


def _path(source: Source, where: str, record: Mapping[str, Any], own: int, above: list[int] | None) -> list[int] | None:
    """Structures from the root to the record (ONT-01), as it says or as it is nested; None where neither tells."""
    said = record.get("structure_id_path")
    if said in (None, "", []):
        return None if above is None else [*above, own]
    steps = [step for step in said.split("/") if step] if isinstance(said, str) else said
    try:
        path = [int(step) for step in steps]
    except (TypeError, ValueError):
        raise SourceError(source, f"{where}, structure_id_path", f"{str(said)[:60]!r} is no path of ids") from None
    if not path or path[-1] != own or len(set(path)) < len(path):
        raise SourceError(source, f"{where}, structure_id_path", f"{str(said)[:60]!r} does not lead to structure {own}")
    return path


def _paths(
    source: Source, records: list[dict[str, Any]], ids: list[int], told: list[list[int] | None]
) -> list[list[int]]:
    """The path of each structure: as told, else its parent's and itself, else itself alone.

    Raises SourceError where parents lead in a circle.
    """
    known = {own: path for own, path in zip(ids, told, strict=True) if path}
    named = {own: _parent(one) for own, one in zip(ids, records, strict=True) if own not in known}
    _refuse_circles(source, {own: path[-2] for own, path in known.items() if len(path) > 1} | named)
    for own in named:
        way = [own]  # upwards, to what is known or has no parent
        while way[-1] not in known and (parent := named.get(way[-1])) is not None:
            way.append(parent)
            if len(way) > MAX_DEPTH:
                raise SourceError(source, f"structure {own}", "nests too deeply")
        path: list[int] = []
        for step in reversed(way):
            path = known.setdefault(step, [*path, step])
    return [known[own] for own in ids]


def _refuse_circles(source: Source, parents: Mapping[int, int | None]) -> None:
    fine: set[int] = set()
    for own in parents:
        way: dict[int, None] = {}
        at: int | None = own
        while at is not None and at not in fine:
            if at in way:
                raise SourceError(source, f"structure {at}", "lies in itself: its parents lead back to it")
            way[at] = None
            at = parents.get(at)
        fine |= way.keys()


def _parent(record: Mapping[str, Any]) -> int | None:
    said = _number(record.get("parent_structure_id"))
    return int(said) if said and said.is_integer() else None


def _listing(source: Source, records: list[dict[str, Any]], paths: list[list[int]], notes: list[str]) -> Listing:
    ids = [path[-1] for path in paths]
    missing = {step for path in paths for step in path} - set(ids)
    disagree = [
        path[-1]
        for record, path in zip(records, paths, strict=True)
        if len(path) > 1 and (said := record.get("parent_structure_id")) not in (None, "") and _number(said) != path[-2]
    ]
    if disagree:
        notes.append(
            f"{len(disagree)} structures name another parent than their path, as {disagree[0]}: the path holds"
        )
    said = [_number(record.get("graph_id")) for record in records]
    graphs = {graph for graph in said if graph is not None}
    if len(graphs) > 1:
        raise SourceError(source, "graph_id", f"names {len(graphs)} structure graphs: give each in a list of its own")
    if sum(graph is not None for graph in said) * 2 > len(said):
        graph_id = int(graphs.pop())
    else:
        graph_id = made_id("structure graph", "", _fingerprint(ids))
        notes.append(f"nothing tells which structure graph it lists: it is one of its own, {graph_id}")
    has_sets = any("structure_set_ids" in record or "structure_sets" in record for record in records)
    kind = "tree" if has_sets else "table"
    if missing:
        kind = "selection"
        notes.append(f"paths name {len(missing)} structures that it does not list, as {min(missing)}: a selection")
    return Listing(records, paths, graph_id, kind, notes)


def _number(value: Any) -> float | None:
    try:
        return float(value)
    except (TypeError, ValueError):
        return None


def _fingerprint(ids: Iterable[int]) -> str:
    return hashlib.sha256(",".join(map(str, sorted(ids))).encode()).hexdigest()[:12]


def structure_rows(source: Source, listing: Listing) -> Rows:
    """Rows of ``ccf.listed_structures``."""
    records = listing.records
    parents = {path[-2] for path in listing.paths if len(path) > 1}
    columns: dict[str, Any] = {
        "graph_id": listing.graph_id,
        "structure_id": listing.ids,
        "listing": listing.kind,
        "list_index": list(range(len(records))),
        "structure_id_path": listing.paths,
        "is_leaf": [own not in parents for own in listing.ids],
        "color_hex": [color_of(source, f"record {n}", record) for n, record in enumerate(records)],
        "extra": extra_of(records, _USED),
    }
    for attribute, name in ATTRIBUTES.items():
        columns[name] = column_of(source, LISTED_STRUCTURES[name], records, attribute, 0)
    return Rows(LISTED_STRUCTURES.name, columns)


def color_of(source: Source, where: str, record: Mapping[str, Any]) -> str | None:
    """A colour as six lower-case digits (ONT-02); tables lose leading zeros, which come back."""
    if (triplet := record.get("rgb_triplet")) is not None:
        if not (isinstance(triplet, list) and len(triplet) == 3 and all(_is_byte(v) for v in triplet)):
            raise SourceError(source, f"{where}, rgb_triplet", f"{json.dumps(triplet)[:60]} is no colour")
        return "{:02x}{:02x}{:02x}".format(*triplet)
    said = record.get("color_hex_triplet")
    if said in (None, ""):
        return None
    digits = str(said).removeprefix("#").lower().zfill(6)
    if len(digits) != 6 or not set(digits) <= set("0123456789abcdef"):
        raise SourceError(source, f"{where}, color_hex_triplet", f"{str(said)[:40]!r} is no colour")
    return digits


def _is_byte(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 255


def _set_rows(source: Source, listing: Listing) -> Iterator[Rows]:
    """Members of structure sets, and what is told of the sets themselves."""
    members: set[tuple[int, int]] = set()
    told: dict[int, tuple[str | None, str | None]] = {}
    for number, (record, own) in enumerate(zip(listing.records, listing.ids, strict=True)):
        where = f"record {number}"
        given = record.get("structure_set_ids") or []
        if not isinstance(given, list):
            raise SourceError(source, f"{where}, structure_set_ids", "is no list of ids")
        members |= {(_id(source, f"{where}, structure_set_ids", one), own) for one in given}
        included = record.get("structure_sets") or []
        if not isinstance(included, list) or not all(isinstance(one, dict) for one in included):
            raise SourceError(source, f"{where}, structure_sets", "is no list of sets")
        for one in included:
            set_id = _id(source, f"{where}, structure_sets", one.get("id"))
            members.add((set_id, own))
            told[set_id] = (one.get("name"), one.get("description"))
    if members:
        pairs = sorted(members)
        yield Rows(
            "ccf.structure_set_members",
            {
                "structure_set_id": [set_id for set_id, _ in pairs],
                "structure_id": [own for _, own in pairs],
                "graph_id": listing.graph_id,
            },
        )
    named = {set_id: texts for set_id, texts in sorted(told.items()) if any(texts)}
    if named:
        yield Rows(
            "ccf.named_structure_sets",
            {
                "structure_set_id": list(named),
                "name": [name for name, _ in named.values()],
                "description": [text for _, text in named.values()],
                "graph_id": listing.graph_id,
            },
        )


READER = StructureReader()
