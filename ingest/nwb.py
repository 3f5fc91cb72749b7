"""The reader of NWB 2 files: what any of them holds, and beside it what the domains know better.

Generic rows go to the ``nwb`` tables: the file, its objects, its DynamicTables, its TimeSeries. A domain's section
(:mod:`.nwb_section`) turns what it recognises into rows of its own tables; samples it holds are not stored twice.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.tables.nwb import FILES
from .contract import Attachment, Identity, Part, Report, Rows, Source, made_id
from .nwb_ecephys import SECTION as ECEPHYS
from .nwb_file import NwbFile, is_nwb2
from .nwb_icephys import SECTION as ICEPHYS
from .nwb_objects import Entry, object_rows, to_json, walk
from .nwb_section import Section
from .nwb_series import Series, chunk_rows, is_series, series_rows
from .nwb_tables import TableReader, is_table
from .salvage import salvaging

SECTIONS: tuple[Section, ...] = (ECEPHYS, ICEPHYS)
GENERIC = (
    Part("objects", "the file, its objects with their attributes, and what its time series are"),
    Part("tables", "every table, typed"),
    Part("series", "samples of time series, without electrical and image series"),
    Part("lfp", "samples of electrical series", default=False),
    Part("images", "samples of image series", default=False),
)
_SAMPLES = ("series", "lfp", "images")
_VERSION = "1"


class NwbReader:
    """Any NWB 2 file, and files laid out as such whose root lost its attributes."""

    name = "nwb"
    version = "+".join([_VERSION, *(f"{section.name}{section.version}" for section in SECTIONS)])
    parts: Sequence[Part] = tuple(
        {part.name: part for part in (*GENERIC, *(p for section in SECTIONS for p in section.parts))}.values()
    )

    def sniff(self, source: Source) -> bool:
        return is_nwb2(source)

    def identify(self, source: Source) -> Identity:
        with _open(source) as nwb:
            return _identity(nwb, _claiming(nwb))

    def inspect(self, source: Source, report: Report) -> None:
        with _open(source) as nwb:
            sections = _claiming(nwb)
            for section in sections:
                with _understanding(nwb, section):
                    section.inspect(nwb, report)
            _Generic(nwb, sections, report).inspect()

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows | Attachment]:
        with _open(source) as nwb:
            sections = _claiming(nwb)
            generic = _Generic(nwb, sections, report)  # meets every object first, so that references have their paths
            generic.inspect()
            for section in sections:
                wanted = parts & {part.name for part in section.parts}
                with salvaging(report), _understanding(nwb, section):
                    if wanted:
                        yield from section.read(nwb, parts, report)
                    else:
                        section.inspect(nwb, report)
            yield from generic.read(parts)


def _open(source: Source) -> NwbFile:
    nwb = NwbFile.open(source)
    if not nwb.is_nwb2:
        nwb.close()
        raise SourceError(source, "/", f"is no NWB 2 file: its nwb_version is {nwb.version or 'missing'}")
    return nwb


def _claiming(nwb: NwbFile) -> list[Section]:
    claiming = []
    for section in SECTIONS:
        with _understanding(nwb, section):
            if section.claims(nwb):
                claiming.append(section)
    return claiming


@contextlib.contextmanager
def _understanding(nwb: NwbFile, section: Section) -> Iterator[None]:
    """Files of all laboratories come by: one that a domain does not expect is an error of the source, not a crash.

    The generic parts of such a file can still be read by themselves.
    """
    try:
        yield
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, pa.ArrowException) as error:
        reason = f"its {section.name} data are laid out as nobody expected: {type(error).__name__}: {error}"
        generic = ",".join(part.name for part in GENERIC if part.default)
        remedy = f"--only {generic} leaves them aside; report it if the file is sound"
        raise SourceError(nwb.source, nwb.last_read, " ".join(reason.split())[:500], remedy) from error


def _identity(nwb: NwbFile, sections: Sequence[Section]) -> Identity:
    for section in sections:
        with _understanding(nwb, section):
            if identity := section.identify(nwb):
                return replace(identity, publications=nwb.publications)
    if nwb.identifier is None:
        raise nwb.error("/identifier", "is missing: nothing tells this recording from others")
    return Identity(f"nwb.file/{nwb.identifier}", "nwb", publications=nwb.publications)


@dataclass
class _Generic:
    """What is read of any file. Built once for a file: it walks the whole tree."""

    nwb: NwbFile
    sections: Sequence[Section]
    report: Report

    def __post_init__(self) -> None:
        self.entries = walk(self.nwb, self.report)
        # the same for every copy of the file; a probe's file and its session's may share an identifier
        self.nwb.subject = _identity(self.nwb, self.sections).subject
        self.file_id = made_id(self.nwb.subject, "nwb.file", self.nwb.identifier or "")

    @cached_property
    def owned(self) -> Mapping[str, str]:
        owned: dict[str, str] = {}
        for section in self.sections:
            with _understanding(self.nwb, section):
                owned |= section.owned(self.nwb)
        return owned

    @cached_property
    def tables(self) -> list[tuple[Entry, TableReader]]:
        found = []
        for entry in self._where(is_table):
            with salvaging(self.report):
                found.append((entry, TableReader(self.nwb, entry.path, self.owned, self.report)))
        return found

    @cached_property
    def series(self) -> list[Series]:
        found = []
        for entry in self._where(is_series):
            owned = self.owned.get(entry.path) or self.owned.get(f"{entry.path}/data")
            series = Series(self.nwb, entry.path, entry.neurodata_type, owned)
            with salvaging(self.report):
                series.check()
                found.append(series)
        return found

    def _where(self, condition: Any) -> Iterator[Entry]:
        for entry in self.entries:
            with salvaging(self.report):
                if condition(self.nwb, entry):
                    yield entry

    def inspect(self) -> None:
        """Bytes of every part, as stored in the file."""
        sizes = {"objects": self._other_bytes(), "tables": sum(reader.stored_bytes for _, reader in self.tables)}
        for series in self.series:
            if series.is_stored and series.part and series.data is not None:
                sizes[series.part] = sizes.get(series.part, 0) + series.data.stored_bytes
        for part, size in sizes.items():
            self.report.found(part, size)

    def _other_bytes(self) -> int:
        """Bytes of datasets that belong to no table and no series."""
        groups = {entry.path for entry, _ in self.tables} | {series.path for series in self.series}
        total = 0
        for entry in self.entries:
            if entry.kind == "dataset" and entry.path.rpartition("/")[0] not in groups:
                with salvaging(self.report):
                    total += self.nwb.stored_bytes(entry.path)
        return total

    def read(self, parts: frozenset[str]) -> Iterator[Rows | Attachment]:
        if parts & {part.name for part in GENERIC}:
            yield Rows(FILES.name, {name: [value] for name, value in self._file().items()})
        if "objects" in parts:
            yield from object_rows(self.nwb, self.file_id, self.entries, self.report)
        if parts & {"objects", *_SAMPLES} and self.series:
            yield series_rows(self.series, self.file_id)
        if "tables" in parts:
            for entry, reader in self.tables:
                yield reader.row(self.file_id, entry)
                yield reader.attachment()
        for series in self.series:
            if series.is_stored and series.part in parts:
                yield from self._samples(series)

    def _samples(self, series: Series) -> Iterator[Rows]:
        with salvaging(self.report):
            yield from chunk_rows(series, self.file_id, self.report)

    def _file(self) -> dict[str, Any]:
        nwb = self.nwb

        def told(path: str) -> str | None:
            with salvaging(self.report):
                value = nwb.scalar(path)
                return None if value is None or value == "" else str(value)
            return None

        return {
            "file_id": self.file_id,
            "file_name": nwb.source.name,
            "identifier": nwb.identifier,
            "nwb_version": nwb.version,
            "session_description": told("/session_description"),
            "session_start_time_utc": _utc(told("/session_start_time")),
            "session_id": told("/general/session_id"),
            "subject_id": told("/general/subject/subject_id"),
            "species": told("/general/subject/species"),
            "institution": told("/general/institution"),
            "lab": told("/general/lab"),
            "experiment_description": told("/general/experiment_description"),
            "namespaces": to_json(dict(nwb.types.versions)) if nwb.types.versions else None,
        }


def _utc(value: str | None) -> datetime | None:
    """ISO 8601 text as UTC without zone; None where it is no such text."""
    try:
        moment = datetime.fromisoformat(value or "")
        return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment
    except (ValueError, OverflowError):  # no date, or one before the year 1 in UTC
        return None


READER = NwbReader()
