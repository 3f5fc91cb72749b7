"""Records of gene expression, as the API gives them in JSON or people keep them in CSV: genes, image series, unionizes.

The kind of record is told by its attributes. An answer holds a page of a list: each page is a subject of its own, by the
ids it tells of.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.spec import TableSpec
from ..lake.tables import ish as tables
from .contract import Identity, Part, Report, Rows, Source
from .csv_columns import read_header, read_rows
from .heads import begins_json, text_head
from .json_records import Records, column_of, columns_of, first_record

DATASET = "Allen Mouse Brain Atlas"
BATCH_RECORDS = 4_096
PLANES = {1: "coronal", 2: "sagittal"}


@dataclass(frozen=True)
class Kind:
    """A kind of record: the table that keeps it, the attributes that tell it, and how it names what it is about.

    renames : attributes -> columns of another name
    """

    name: str
    spec: TableSpec
    needs: frozenset[str]
    about: str
    renames: Mapping[str, str]


KINDS = (
    Kind(
        "unionizes",
        tables.UNIONIZES,
        frozenset({"section_data_set_id", "structure_id", "sum_expressing_pixels"}),
        "section_data_set_id",
        {"id": "unionize_id", "section_data_set_id": "data_set_id"},
    ),
    Kind(
        "data_sets",
        tables.DATA_SETS,
        frozenset({"id", "section_thickness", "genes"}),
        "id",
        {"id": "data_set_id", "section_thickness": "section_thickness_um"},
    ),
    Kind(
        "genes",
        tables.LISTED_GENES,
        frozenset({"id", "acronym", "entrez_id", "organism_id"}),
        "id",
        {"id": "gene_id", "acronym": "gene_acronym", "name": "gene_name"},
    ),
)


class IshRecordReader:
    """Reader of genes, image series and their unionizes."""

    name = "ish_records"
    version = "1"
    parts: Sequence[Part] = (
        Part("genes", "genes"),
        Part("data_sets", "image series, and which genes they show"),
        Part("unionizes", "expression by structure"),
    )

    def sniff(self, source: Source) -> bool:
        try:
            return _kind(source) is not None
        except (SourceError, OSError):
            return False

    def identify(self, source: Source) -> Identity:
        kind = _kind_or_refuse(source)
        found = {_id(source, n, record, kind.about) for n, record in enumerate(_records(source))}
        span = f"{min(found)}-{max(found)}" if len(found) > 1 else f"{min(found)}"
        return Identity(f"ish.{kind.name}/{span}", "ish_records", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        report.found(_kind_or_refuse(source).name, source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        kind = _kind_or_refuse(source)
        if kind.name not in parts:
            return
        records, first = _records(source), 0
        while batch := list(islice(records, BATCH_RECORDS)):
            yield from _ROWS[kind.name](source, kind, batch, first)
            first += len(batch)


def _is_json(source: Source) -> bool:
    return begins_json(text_head(source, 64))


def _kind(source: Source) -> Kind | None:
    if _is_json(source):
        record = first_record(source) or {}
        attributes = {name for name, value in record.items() if name != "genes" or value}
    else:
        attributes = set(read_header(source))
    return next((kind for kind in KINDS if kind.needs <= attributes), None)


def _kind_or_refuse(source: Source) -> Kind:
    kind = _kind(source)
    if kind is None:
        raise SourceError(source, None, "lists neither genes, nor image series with their genes, nor unionizes of them")
    return kind


def _records(source: Source) -> Iterator[Mapping[str, Any]]:
    """Records one at a time; those of a CSV table are texts."""
    if _is_json(source):
        yield from Records(source)
        return
    for rows in read_rows(source):
        names = list(rows.columns)
        for cells in zip(*rows.columns.values(), strict=True):
            yield dict(zip(names, cells, strict=True))


def _id(source: Source, number: int, record: Mapping[str, Any], name: str) -> int:
    try:
        return int(record.get(name))  # type: ignore[arg-type]
    except (TypeError, ValueError):
        raise SourceError(source, f"record {number}, {name}", f"{str(record.get(name))[:40]!r} is no id") from None


def _columns(source: Source, kind: Kind, records: Sequence[Mapping[str, Any]], first: int) -> pa.Table:
    """Attributes in the columns that are named for them; an unnamed column of an index is left out."""
    known = {c.name for c in kind.spec} - {"extra"}
    attributes = dict.fromkeys(name for record in records for name in record)
    targets = {name: kind.renames.get(name, name) for name in attributes}
    declared = {name: kind.spec[column] for name, column in targets.items() if column in known}
    return columns_of(source, kind.spec, declared, [{k: v for k, v in r.items() if k} for r in records], first)


def _plain_rows(source: Source, kind: Kind, records: Sequence[Mapping[str, Any]], first: int) -> Iterator[Rows]:
    yield Rows(kind.spec.name, _columns(source, kind, records, first))


def _gene_rows(source: Source, kind: Kind, records: Sequence[Mapping[str, Any]], first: int) -> Iterator[Rows]:
    flat = []
    for number, record in enumerate(records, start=first):
        chromosome = _included(source, f"record {number}, chromosome", record.get("chromosome"))
        flat.append({**record, "chromosome": chromosome.get("name")})
    yield Rows(kind.spec.name, _columns(source, kind, flat, first))


def _data_set_rows(source: Source, kind: Kind, records: Sequence[Mapping[str, Any]], first: int) -> Iterator[Rows]:
    flat, products, shown = [], [], []
    for number, record in enumerate(records, start=first):
        where = f"record {number}"
        specimen = _included(source, f"{where}, specimen", record.get("specimen"))
        donor = _included(source, f"{where}, specimen, donor", specimen.get("donor"))
        age = _included(source, f"{where}, specimen, donor, age", donor.get("age"))
        plane = _included(source, f"{where}, plane_of_section", record.get("plane_of_section"))
        plane_id = record.get("plane_of_section_id")
        own = {k: v for k, v in record.items() if k not in ("genes", "products", "specimen", "plane_of_section")}
        flat.append({**own, "age": age.get("name"), "plane_of_section": plane.get("name") or PLANES.get(plane_id)})  # type: ignore[arg-type]
        listed = _list(source, f"{where}, products", record.get("products"))
        products.append(sorted(_id(source, number, product, "id") for product in listed))
        for gene in _list(source, f"{where}, genes", record.get("genes")):
            shown.append({"section_data_set_id": _id(source, number, record, "id"), **gene})
    columns = _columns(source, kind, flat, first)
    yield Rows(kind.spec.name, columns.append_column("product_ids", pa.array(products, pa.list_(pa.int64()))))
    if shown:
        names = {"section_data_set_id": "data_set_id", "id": "gene_id", "acronym": "gene_acronym", "name": "gene_name"}
        names |= {"entrez_id": "entrez_id", "organism_id": "organism_id"}
        spec = tables.DATA_SET_GENES
        yield Rows(spec.name, {c: column_of(source, spec[c], shown, name, first) for name, c in names.items()})


def _included(source: Source, where: str, value: Any) -> Mapping[str, Any]:
    """A record within a record, empty where there is none; of a table, the text is its name."""
    if value in (None, ""):
        return {}
    if isinstance(value, str):
        return {"name": value}
    if not isinstance(value, dict):
        raise SourceError(source, where, "is no record")
    return value


def _list(source: Source, where: str, value: Any) -> list[Mapping[str, Any]]:
    """Records within a record."""
    if value in (None, ""):
        return []
    if not isinstance(value, list) or not all(isinstance(one, dict) for one in value):
        raise SourceError(source, where, "is no list of records")
    return value


_ROWS = {"unionizes": _plain_rows, "data_sets": _data_set_rows, "genes": _gene_rows}

READER = IshRecordReader()
