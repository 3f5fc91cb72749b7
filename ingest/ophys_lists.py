"""Lists of the Brain Observatory as the reference gives them and people save them: flat records of containers and of
experiments, in JSON (spec: ophys 2.1, C-02).

What the API answers to the same question nests its records, and is ``rma_records``'s.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.spec import Column, TableSpec
from ..lake.tables.ophys import LISTED_CONTAINERS, LISTED_EXPERIMENTS
from .contract import Identity, Part, Report, Rows, Source
from .heads import text_head
from .json_records import Records, columns_of, first_record
from .ophys_events import DATASET

BATCH_RECORDS = 4_096
HEAD = 4_096  # bytes: several records
_LIST = re.compile(rb"\s*\[\s*\{")


@dataclass(frozen=True)
class Kind:
    """A kind of list: the table that keeps it, the attributes that tell it, and those with a column of another name."""

    spec: TableSpec
    needs: frozenset[str]
    renames: Mapping[str, str]

    def targets(self, names: Iterable[str]) -> dict[str, Column]:
        """Attribute -> column, for all that say one value; tags, a list of texts, are put beside them."""
        known = {column.name: column for column in self.spec if column.name not in ("extra", "tags")}
        return {name: known[target] for name in names if (target := self.renames.get(name, name)) in known}


_DEPTH = {"imaging_depth": "imaging_depth_um"}
KINDS = (
    Kind(
        LISTED_CONTAINERS,
        frozenset({"id", "imaging_depth", "targeted_structure", "cre_line", "donor_name", "tags", "failed"}),
        {"id": "experiment_container_id", "failed": "is_failed", **_DEPTH},
    ),
    Kind(
        LISTED_EXPERIMENTS,
        frozenset({"id", "imaging_depth", "targeted_structure", "cre_line", "experiment_container_id", "session_type"}),
        {"id": "ophys_experiment_id", **_DEPTH},
    ),
)


class ObservatoryListReader:
    """Reader of flat lists of containers and experiments. A list is taken as all there are: a later one takes its place."""

    name = "ophys_lists"
    version = "1"
    parts: Sequence[Part] = tuple(Part(kind.spec.part, kind.spec.grain) for kind in KINDS)

    def sniff(self, source: Source) -> bool:
        head = text_head(source, HEAD)
        # by its text, so that what is wrong with a damaged list is said
        return bool(_LIST.match(head)) and any(
            all(f'"{name}"'.encode() in head for name in kind.needs) for kind in KINDS
        )

    def identify(self, source: Source) -> Identity:
        return Identity(f"ophys.project/{_known(source).spec.part}", "project_json", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        report.found(_known(source).spec.part, source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        kind = _known(source)
        if kind.spec.part not in parts:
            return
        records, first = iter(Records(source)), 0
        while batch := list(islice(records, BATCH_RECORDS)):
            yield Rows(kind.spec.name, _rows(source, kind, batch, first))
            first += len(batch)


def _rows(source: Source, kind: Kind, batch: Sequence[Mapping[str, Any]], first: int) -> pa.Table:
    targets = kind.targets(dict.fromkeys(name for record in batch for name in record))
    if kind.spec is not LISTED_CONTAINERS:
        return columns_of(source, kind.spec, targets, batch, first)
    column = LISTED_CONTAINERS["tags"]
    tags = [_texts(source, number, record, column.name) for number, record in enumerate(batch, start=first)]
    others = [{name: value for name, value in record.items() if name != column.name} for record in batch]
    rows = columns_of(source, kind.spec, targets, others, first)
    return rows.append_column(column.name, pa.array(tags, column.type))


def _texts(source: Source, number: int, record: Mapping[str, Any], name: str) -> list[str]:
    found = record.get(name) or []
    if not isinstance(found, list) or not all(isinstance(one, str) for one in found):
        raise SourceError(source, f"record {number}, {name}", f"{json.dumps(found)[:60]} is no list of texts")
    return found


def _known(source: Source) -> Kind:
    record = first_record(source) or {}
    kind = next((kind for kind in KINDS if kind.needs <= set(record)), None)
    if kind is None:
        named = "; ".join(", ".join(sorted(kind.needs)) for kind in KINDS)
        raise SourceError(source, "record 0", f"is none of a list that is known, which have {named}")
    return kind


READER = ObservatoryListReader()
