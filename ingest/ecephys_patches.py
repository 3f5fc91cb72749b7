"""Corrected structures of one probe's channels, as the Allen SDK ships them beside its tables (spec: api C-EC2, ecephys 2.3).

Such a table tells of channels by their place on the probe; those that it leaves out are out of the brain. Of which probe
it does not tell: its name does (``732592105_probeD_733744651.csv``: session, probe, id of the probe), or ``--set probe=ID``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ..lake.errors import SourceError
from ..lake.tables.ecephys import CORRECTED_STRUCTURES
from .contract import Identity, Part, Report, Rows, Setting, Source
from .csv_columns import CsvRows, converted, is_table, read_header, read_rows
from .ecephys_csv import DATASET

NAMES = {
    "local_index": "local_index",
    "ecephys_structure_id": "structure_id",
    "ecephys_structure_acronym": "structure_acronym",
}
_NAMED = re.compile(r"\d+_probe[A-Z]_(\d{1,18})\.csv", re.ASCII)
CHANNELS = 384  # of a probe, each of which has a line in the tables that were published
SAYING = "--set probe=ID tells it"


class PatchReader:
    """Reader of corrected structures."""

    name = "ecephys_patches"
    version = "1"
    parts: Sequence[Part] = (Part("channels", "right structures of a probe's channels"),)
    settings: Sequence[Setting] = (Setting("probe", "id of the probe whose channels a table corrects"),)

    def sniff(self, source: Source) -> bool:
        return is_table(source, _known)

    def identify(self, source: Source) -> Identity:
        return Identity(f"ecephys.corrected_structures/{_probe(source)}", "project_csv", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        report.found("channels", source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        if "channels" not in parts:
            return
        if _known(read_header(source)) is None:
            raise SourceError(source, "header", f"is none of corrected structures, which has {', '.join(NAMES)}")
        probe, n_lines = _probe(source), 0
        for rows in read_rows(source):
            n_lines += len(rows.lines)
            said = [i for i, cell in enumerate(rows.columns["local_index"]) if cell]  # one line a channel, told or not
            rows = CsvRows(
                {name: [cells[i] for i in said] for name, cells in rows.columns.items()}, [rows.lines[i] for i in said]
            )
            columns = {
                target: converted(source, rows, name, CORRECTED_STRUCTURES[target]) for name, target in NAMES.items()
            }
            yield Rows(CORRECTED_STRUCTURES.name, {"probe_id": [probe] * len(rows.lines), **columns})
        if n_lines < CHANNELS:
            report.warn(f"tells of {n_lines} channels of {CHANNELS}: is the file whole?")


def _known(header: Sequence[str]) -> bool | None:
    return True if set(header) - {""} == set(NAMES) else None


def _probe(source: Source) -> int:
    said, named = source.setting("probe"), _NAMED.fullmatch(source.name)
    if said is None and named is None:
        raise SourceError(source, None, "corrects channels of a probe, and does not tell which", SAYING)
    text = said if said is not None else named[1] if named else ""
    if not re.fullmatch(r"\d{1,18}", text, re.ASCII):
        raise SourceError(source, None, f"probe {text[:60]!r} is no id", SAYING)
    return int(text)


READER = PatchReader()
