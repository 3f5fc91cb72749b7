"""Lists of the Brain Observatory as CSV: new ids of cells by their old ones, sessions of experiments (spec: ophys 2.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..lake.errors import SourceError
from ..lake.spec import TableSpec
from ..lake.tables.ophys import CELL_MAPPINGS, EXPERIMENT_SESSIONS
from .contract import Identity, Part, Report, Rows, Source
from .csv_columns import converted, is_table, read_header, read_rows
from .ophys_events import DATASET

# of each table its columns, by their names in the file
LISTS: Mapping[TableSpec, Mapping[str, str]] = {
    CELL_MAPPINGS: {
        "old_cell_id": "old_cell_specimen_id",
        **{f"session_{letter}_new_cell_id": f"session_{letter.lower()}_cell_specimen_id" for letter in "ABC"},
    },
    EXPERIMENT_SESSIONS: {"ophys_experiment_id": "ophys_experiment_id", "ophys_session_id": "ophys_session_id"},
}


class ObservatoryCsvReader:
    """Reader of the Brain Observatory's lists."""

    name = "ophys_csv"
    version = "1"
    parts: Sequence[Part] = tuple(Part(spec.part, spec.grain) for spec in LISTS)

    def sniff(self, source: Source) -> bool:
        return is_table(source, _spec)

    def identify(self, source: Source) -> Identity:
        return Identity(f"ophys.project/{_known(source).part}", "project_csv", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        report.found(_known(source).part, source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        spec = _known(source)
        if spec.part in parts:
            for rows in read_rows(source):
                yield Rows(
                    spec.name,
                    {target: converted(source, rows, name, spec[target]) for name, target in LISTS[spec].items()},
                )


def _spec(header: Sequence[str]) -> TableSpec | None:
    """The table whose columns a header has, and no others but the number of a row."""
    return next((spec for spec, names in LISTS.items() if set(header) - {""} == set(names)), None)


def _known(source: Source) -> TableSpec:
    spec = _spec(read_header(source))
    if spec is None:
        named = "; ".join(", ".join(names) for names in LISTS.values())
        raise SourceError(source, "header", f"is none of a list that is known: {named}")
    return spec


READER = ObservatoryCsvReader()
