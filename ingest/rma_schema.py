"""The API's schema: its models with their fields and associations, all of them or one (spec: api E04, E05, 2.3).

``brainlake ingest http://api.brain-map.org/api/v2/data.json`` reads the whole of it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..lake.errors import SourceError
from ..lake.tables.rma_schema import MODEL_ASSOCIATIONS, MODEL_FIELDS
from .contract import Identity, Part, Report, Rows, Source
from .json_source import claimed, document
from .rma_records import DATASET

MEMBER = "DataDescription"
_FLAGS = {"true": True, "false": False}


class SchemaReader:
    """Reader of the schema documents of the API."""

    name = "rma_schema"
    version = "1"
    parts: Sequence[Part] = (Part("schema", "models of the API, with their fields and associations"),)

    def sniff(self, source: Source) -> bool:
        return claimed(source, (f'"{MEMBER}"'.encode(),), lambda found: _described(found) is not None)

    def identify(self, source: Source) -> Identity:
        names = list(_models(source))
        return Identity(f"rma.schema/{names[0] if len(names) == 1 else 'models'}", "api_schema", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        report.found("schema", source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        if "schema" not in parts:
            return
        fields: list[dict[str, Any]] = []
        associations: list[dict[str, Any]] = []
        for model, told in _models(source).items():
            of = {"model": model, "table_name": _text(source, model, told, "table")}
            for i, one in enumerate(_listed(source, model, told, "fields")):
                rest = {name: value for name, value in one.items() if name not in ("name", "type", "nullable")}
                where = f"{model}, fields [{i}]"
                fields.append({
                    **of, "field": _text(source, where, one, "name"), "field_index": i,
                    "field_type": _text(source, where, one, "type"),
                    "is_nullable": _FLAGS.get(str(one.get("nullable")).lower()),
                    "extra": json.dumps(rest) if rest else None,
                })  # fmt: skip
            for i, one in enumerate(_listed(source, model, told, "associations")):
                where = f"{model}, associations [{i}]"
                associations.append({
                    **of, "association": _text(source, where, one, "name"), "association_index": i,
                    "association_type": _text(source, where, one, "type"),
                    "target_model": _text(source, where, one, "class"),
                })  # fmt: skip
        for spec, rows in ((MODEL_FIELDS, fields), (MODEL_ASSOCIATIONS, associations)):
            if rows:
                yield Rows(spec.name, {column.name: [row[column.name] for row in rows] for column in spec})


def _described(found: Any) -> list[Mapping[str, Any]] | None:
    """The descriptions in a document; None where it is no schema."""
    listed = found.get("msg") if isinstance(found, dict) else found
    if not isinstance(listed, list) or not listed:
        return None
    told = [one[MEMBER] for one in listed if isinstance(one, dict) and isinstance(one.get(MEMBER), dict)]
    return told if len(told) == len(listed) else None


def _models(source: Source) -> dict[str, Mapping[str, Any]]:
    told = _described(document(source))
    if told is None:
        raise SourceError(source, None, f"is no schema of the API: its records have no {MEMBER}")
    models = {name: one for description in told for name, one in description.items()}
    for name, one in models.items():
        if not isinstance(one, dict):
            raise SourceError(source, name, "is no description of a model")
    return models


def _listed(source: Source, model: str, told: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = told.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, dict) for one in found):
        raise SourceError(source, f"{model}, {name}", "is no list of descriptions")
    return found


def _text(source: Source, where: str, told: Mapping[str, Any], name: str) -> str:
    found = told.get(name)
    if not isinstance(found, str) or not found:
        raise SourceError(source, f"{where}, {name}", "is no name")
    return found


READER = SchemaReader()
