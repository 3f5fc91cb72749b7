"""Whole lists of the Neuropixels release as the API answers them: the rows that the project's CSV tables give.

An answer of some of the records is left to ``rma_records``: only a whole list takes the place of a project table. Records
become cells under the names of the tables, so that the conventions are written once (spec: api C-EC1 to C-EC5).
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

from ..lake.errors import QueryError, SourceError
from . import rma_grammar as rma
from .contract import Identity, Part, Report, Rows, Source
from .csv_columns import CsvRows
from .ecephys_csv import DATASET, PROJECT_TABLES, ProjectTable, put_right, rows_of_table
from .ecephys_csv import READER as CSV_READER
from .heads import text_head
from .json_records import Records

BATCH_RECORDS = 4_096
WILD_TYPE = "wt"  # C-EC1: of a donor without a genotype

Record = Mapping[str, Any]
_TAGGED = re.compile(rb'\s*\{\s*"model"\s*:\s*"(\w+)"\s*,\s*"query"\s*:\s*("(?:[^"\\\\]|\\\\.)*")')


def _session(record: Record) -> dict[str, Any]:
    specimen = record.get("specimen") or {}
    donor = specimen.get("donor") or {}
    files = record.get("well_known_files") or []
    return {
        **_flat(record),
        "session_type": record.get("stimulus_name"),
        "specimen_name": specimen.get("name"),
        "age_in_days": (donor.get("age") or {}).get("days"),
        "sex": donor.get("sex"),
        "genotype": donor.get("full_genotype") or WILD_TYPE,
        "has_nwb": any((file.get("well_known_file_type") or {}).get("name") == "EcephysNwb" for file in files),
    }


def _probe(record: Record) -> dict[str, Any]:
    flat = _flat(record)
    flat["has_lfp_data"] = flat.pop("use_lfp_data", None)
    return flat


def _metrics(record: Record) -> dict[str, Any]:
    """C-EC5: a unit's metrics are a JSON object in one attribute."""
    data = record.get("data")
    found = json.loads(data) if isinstance(data, str) else data
    if not isinstance(found, dict):
        raise ValueError
    return {"ecephys_unit_id": record.get("ecephys_unit_id"), **_flat(found)}


def _flat(record: Record) -> dict[str, Any]:
    return {name: value for name, value in record.items() if not isinstance(value, dict | list)}


# Model -> the project table it is a list of, and how a record becomes a row of it.
LISTS: dict[str, tuple[str, Callable[[Record], dict[str, Any]]]] = {
    "EcephysSession": ("sessions", _session),
    "EcephysProbe": ("probes", _probe),
    "EcephysChannel": ("channels", _flat),
    "EcephysUnit": ("units", _flat),
    "EcephysUnitMetricBundle": ("unit_analysis_metrics", _metrics),
}
_TABLES: Mapping[str, ProjectTable] = {table.name: table for table in PROJECT_TABLES}


class EcephysRecordReader:
    """Reader of whole lists of the Neuropixels release."""

    name = "ecephys_records"
    version = "1"
    parts: Sequence[Part] = CSV_READER.parts

    def sniff(self, source: Source) -> bool:
        return _model(source) is not None

    def identify(self, source: Source) -> Identity:
        table, _ = LISTS[_model_or_refuse(source)]
        return Identity(f"ecephys.project/{table}", "project_csv", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        table, _ = LISTS[_model_or_refuse(source)]
        report.found(_TABLES[table].specs[0].part, source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        name, flatten = LISTS[_model_or_refuse(source)]
        for rows in put_right(_cells(source, flatten)):
            yield from rows_of_table(source, _TABLES[name], rows, parts)


def _cells(source: Source, flatten: Callable[[Record], dict[str, Any]]) -> Iterator[CsvRows]:
    """Batches of records as a table has them; the line of a row is the number of its record."""
    records, first = iter(Records(source)), 0
    while batch := list(islice(records, BATCH_RECORDS)):
        flat = []
        for number, record in enumerate(batch, start=first):
            try:
                flat.append(flatten(record))
            except (ValueError, AttributeError):
                raise SourceError(source, f"record {number}", "is no record of its model") from None
        names = dict.fromkeys(name for row in flat for name in row)
        columns: dict[str, Sequence[str]] = {name: [_text(row.get(name)) for row in flat] for name in names}
        yield CsvRows(columns, list(range(first, first + len(batch))))
        first += len(batch)


def _text(value: Any) -> str:
    return "" if value is None else value if isinstance(value, str) else repr(value)


def _model(source: Source) -> str | None:
    """The model of a list that is whole: its query chooses none of the records."""
    try:
        tagged = _TAGGED.match(text_head(source))
        if not tagged or tagged[1].decode() not in LISTS:
            return None
        stage = rma.parse(json.loads(tagged[2])).stages[-1]
    except (ValueError, QueryError):
        return None
    if not isinstance(stage, rma.ModelStage) or stage.filters or stage.criteria or stage.option("num_rows") is not None:
        return None
    return tagged[1].decode()


def _model_or_refuse(source: Source) -> str:
    name = _model(source)
    if name is None:
        raise SourceError(source, None, f"is no whole list of {', '.join(LISTS)}, as an answer of the API")
    return name


READER = EcephysRecordReader()
