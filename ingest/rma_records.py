"""Answers of the API, any model: its records and those nested in them, each in the table of its model. Also one record
that somebody took out of its answer, and lists in CSV.

A record nested in several others comes once; lists are told by links (``rma.answered_links``). Attributes and nested
records that no table has stay in ``extra``. Models that other domains keep (cells, structures, models ...) are left
to their readers.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import chain, islice
from typing import Any

from ..lake.errors import SourceError
from ..lake.tables.rma import LINKS, MODELS, OTHER_RECORDS, Model, model
from .contract import Identity, Part, Report, Rows, Setting, Source
from .csv_columns import read_header, read_rows
from .ecephys_records import READER as WHOLE_LISTS
from .heads import begins_json, text_head
from .json_records import Records, columns_of
from .json_source import read_json
from .rma_xml import read_records, root_of

BATCH_RECORDS = 4_096
MAX_DEPTH = 32
DATASET = "Allen Brain Atlas API"

# Models whose answers other readers take whole
ELSEWHERE = frozenset({
    "ApiCellTypesSpecimenDetail", "EphysSweep", "EphysFeature", "NeuronReconstruction", "Specimen", "NeuronalModel",
    "Structure", "StructureGraph", "StructureSet", "Atlas", "ApiConnectivity", "ProjectionStructureUnionize",
    "SectionDataSet", "Gene", "StructureUnionize",
})  # fmt: skip

# What a record of a model has and no other's, for answers that do not say what they are
SIGNATURES: Mapping[str, Sequence[set[str]]] = {
    "ExperimentContainer": ({"targeted_structure_id", "isi_experiment_id", "imaging_depth"},),
    "OphysExperiment": ({"targeted_structure_id", "experiment_container_id", "storage_directory"},),
    "ApiCamStimulusMapping": ({"item", "item_type", "level"},),
    "TransgenicLine": ({"transgenic_line_type_name", "originating_lab"},),
    "EcephysSession": ({"specimen_id", "fail_eye_tracking", "habituation"},),
    "EcephysProbe": ({"ecephys_session_id", "air_channel_index"},),
    "SectionImage": ({"data_set_id", "section_number", "tier_count"},),
    "SectionDataSet": ({"plane_of_section_id", "section_thickness", "reference_space_id"},),
    "ApiCamCellMetric": (
        {"cell_specimen_id", "experiment_container_id", "tld1_id"},
        {"cell_specimen_id", "tld1_name", "imaging_depth"},  # tables of some columns that people made of it
    ),
    "ApiCamExperimentContainerMetric": ({"experiment_container_id", "tld1_id", "population_receptive_field_large"},),
    "WellKnownFile": ({"download_link", "attachable_type", "attachable_id"},),
}
IN_CSV = frozenset(
    {"ApiCamCellMetric", "ApiCamExperimentContainerMetric"}
)  # the portal gives them so, under these names
# Whose a nested record is, where its attribute is not called by the name of what nests it
WHOSE = {"equalization": "section_data_set_id", "alignment3d": "aligned_id", "alignment2d": "section_image_id"}
SAYING = "--set model=NAME tells whose records they are"
_TAGGED = re.compile(rb'\s*\{\s*"model"\s*:\s*"(\w+)"')
_LIST = re.compile(rb"\s*(?:\[|\{[^\[{]*\"msg\"\s*:\s*\[)\s*\{")
_RECORD = re.compile(rb'\s*\{(?!.*"(?:msg|success)"\s*:)', re.DOTALL)


class RmaReader:
    """Reader of answers of the API."""

    name = "rma_records"
    version = "3"
    parts: Sequence[Part] = (Part("records", "records of an answer of the API, by model"),)
    settings: Sequence[Setting] = (Setting("model", "model of an answer that does not tell it, as one in CSV"),)

    def sniff(self, source: Source) -> bool:
        head = text_head(source)
        if tagged := _TAGGED.match(head):
            return tagged[1].decode() not in ELSEWHERE and not WHOLE_LISTS.sniff(source)
        if head.startswith(b"<"):
            return _camel((root_of(head) or "").replace("-", "_")) in _MODEL_NAMES | ELSEWHERE  # others read no XML
        may_tell = any(all(name.encode() in head for name in names) for kinds in SIGNATURES.values() for names in kinds)
        told = _told(source) if may_tell else None
        if _LIST.match(head):
            return told is not None and told not in ELSEWHERE
        return told in IN_CSV or (told is not None and bool(_RECORD.match(head)))  # others take lists, not one record

    def identify(self, source: Source) -> Identity:
        name, records, envelope = _opened(source)
        declared = model(name)
        words = declared.table if declared else name.lower()
        query = envelope.get("query")
        if isinstance(query, str):
            return Identity(
                f"rma.{words}/{hashlib.sha256(query.encode()).hexdigest()[:12]}", "api_answer", dataset=DATASET
            )
        key = declared.key if declared else "id"
        ids = [record[key] for record in records if isinstance(record.get(key), int | str)]
        among = f"{ids[0]}-{ids[-1]}" if len(ids) > 1 else f"{ids[0]}" if ids else "none"
        return Identity(f"rma.{words}/{among}", "api_answer", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        report.found("records", source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        if "records" not in parts:
            return
        name, records, _ = _opened(source)
        gathered = Gathered(source)
        declared = model(name)
        for number, record in enumerate(records):
            if declared is None or not _id(record, declared.key):
                gathered.other(name, number, record)
            else:
                gathered.add(declared, name, record, 1)
            if gathered.n_waiting >= BATCH_RECORDS:
                yield from gathered.rows()
        yield from gathered.rows()


@dataclass
class Gathered:
    """Records met and not yet given back, by model; each id of a model once."""

    source: Source
    waiting: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    links: list[dict[str, Any]] = field(default_factory=list)
    others: list[dict[str, Any]] = field(default_factory=list)
    seen: dict[str, set[int]] = field(default_factory=dict)
    given: dict[str, int] = field(default_factory=dict)
    n_waiting: int = 0

    def add(self, declared: Model, name: str, record: Mapping[str, Any], depth: int) -> None:
        """A record and what is nested in it. ``name``: its own model, where several share a table."""
        if depth > MAX_DEPTH:
            raise SourceError(self.source, name, f"nests deeper than {MAX_DEPTH}")
        row: dict[str, Any] = {}
        for key, value in record.items():
            nested = declared.nested.get(key)
            target = model(nested) if nested else None
            inner = [value] if isinstance(value, dict) else value
            if (
                nested
                and target
                and isinstance(inner, list)
                and all(isinstance(one, dict) and _id(one, target.key) for one in inner)
            ):
                back = WHOSE.get(key, f"{_snake(declared.name)}_id")
                for index, one in enumerate(inner):
                    if back in target.attributes and back not in one and _id(record):  # what nests it tells whose it is
                        one = {**one, back: _id(record)}
                    self.add(target, nested, one, depth + 1)
                    if isinstance(value, list):
                        self._link(declared, record, key, target, one, index)
            elif f"{key}_00" in declared.attributes and isinstance(value, str):  # XML has an alignment in one text
                row |= {f"{key}_{i:02d}": one.strip() for i, one in enumerate(value.split(","))}
            elif key in declared.attributes and isinstance(value, dict | list):
                row[key] = json.dumps(value, ensure_ascii=False)
            else:
                row[key] = value
        seen = self.seen.setdefault(declared.name, set())
        if (key_id := int(record[declared.key])) in seen:
            return
        seen.add(key_id)
        if "type" in declared.attributes and not row.get("type") and name in declared.subclasses:
            row["type"] = name
        self.waiting.setdefault(declared.name, []).append(row)
        self.n_waiting += 1

    def other(self, name: str, number: int, record: Mapping[str, Any]) -> None:
        """A record of a model that has no table, or without an id."""
        self.others.append({
            "model": name, "record_id": _id(record), "record_number": number,
            "attributes": json.dumps(record, ensure_ascii=False),
        })  # fmt: skip
        self.n_waiting += 1

    def rows_of(self, declared: Model, name: str, records: Iterable[Mapping[str, Any]]) -> Iterator[Rows]:
        """Rows of records of one model, and of those nested in them."""
        for record in records:
            self.add(declared, name, record, 1)
        yield from self.rows()

    def rows(self) -> Iterator[Rows]:
        """Give back what waits."""
        for name, records in self.waiting.items():
            declared = MODELS[name]
            first = self.given.get(name, 0)
            known = {column.name: column for column in declared.spec if column.name != "extra"}
            present = {key for record in records for key in record}
            targets = {key: column for key, column in known.items() if key in present}
            yield Rows(declared.spec.name, columns_of(self.source, declared.spec, targets, records, first))
            self.given[name] = first + len(records)
        for spec, rows in ((LINKS, self.links), (OTHER_RECORDS, self.others)):
            if rows:
                yield Rows(spec.name, {column.name: [row[column.name] for row in rows] for column in spec})
        self.waiting, self.links, self.others, self.n_waiting = {}, [], [], 0

    def _link(
        self,
        owner: Model,
        record: Mapping[str, Any],
        association: str,
        member: Model,
        one: Mapping[str, Any],
        index: int,
    ) -> None:
        self.links.append({
            "owner_model": owner.name, "owner_id": _id(record), "association": association,
            "member_model": member.name, "member_id": _id(one), "member_index": index,
        })  # fmt: skip
        self.n_waiting += 1


def _opened(source: Source) -> tuple[str, Iterator[Mapping[str, Any]], Mapping[str, Any]]:
    """The model of an answer's records, the records, and its envelope. Raises SourceError where it tells no model."""
    head = text_head(source)
    if head.startswith(b"<"):
        singular, found = read_records(source)
        return _camel(singular) or "Response", iter(found), {}
    said = _named(source.setting("model"))
    if not begins_json(head):
        name = said or _signed(read_header(source))
        if name is None:
            raise SourceError(source, None, "is neither JSON nor XML", f"of CSV, {SAYING}")
        return name, _cells(source), {}
    listed = Records(source)
    records = iter([read_json(source)] if _RECORD.match(head) else listed)
    first = list(islice(records, 1))
    name = listed.envelope.get("model")
    if not isinstance(name, str):
        signed = _signed(first[0]) if first else None
        name = (said or signed) if source.named else (signed or said)  # what is said is not meant for all of a folder
    if name is None:
        reason = f"known by their attributes: {', '.join(SIGNATURES)}; {SAYING}"
        raise SourceError(source, "record 0", "tells no model of the API", reason)
    return name, chain(first, records), listed.envelope


def _cells(source: Source) -> Iterator[Mapping[str, Any]]:
    """Records of an answer in CSV: values stay text, and what is empty is null. A column without a name numbers rows."""
    for rows in read_rows(source):
        rows.columns.pop("", None)
        for cells in zip(*rows.columns.values(), strict=True):
            yield {name: cell or None for name, cell in zip(rows.columns, cells, strict=True)}


def _told(source: Source) -> str | None:
    try:
        return _opened(source)[0]
    except (SourceError, OSError):
        return None


def _named(said: str | None) -> str | None:
    """A model as the API spells it, however people do."""
    known = {name.lower(): name for name in _MODEL_NAMES | ELSEWHERE | set(SIGNATURES)}
    return said and known.get(said.lower(), said)


def _signed(record: Iterable[str]) -> str | None:
    """The model that a record's attributes tell."""
    names = set(record)
    return next((name for name, kinds in SIGNATURES.items() if any(needs <= names for needs in kinds)), None)


def _id(record: Mapping[str, Any], key: str = "id") -> int | None:
    value = record.get(key)
    if isinstance(value, str) and value.isascii() and value.isdigit():  # XML has texts
        value = int(value)
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 2**63 else None


def _snake(name: str) -> str:
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()


def _camel(words: str) -> str:
    return "".join(word.capitalize() for word in words.split("_"))


_MODEL_NAMES = (
    frozenset(chain(MODELS, *(declared.subclasses for declared in MODELS.values()), ("Response",))) - ELSEWHERE
)

READER = RmaReader()
