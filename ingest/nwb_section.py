"""What a domain adds to the NWB reader: a section turns what it knows of a file into rows of its own tables."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Protocol, runtime_checkable

from .contract import Identity, Part, Report, Rows
from .nwb_file import NwbFile


@runtime_checkable
class Section(Protocol):
    """A domain's share of NWB files, listed in :data:`.nwb.SECTIONS`."""

    name: str
    version: str  # changes when the rows it yields change
    parts: Sequence[Part]

    def claims(self, nwb: NwbFile) -> bool:
        """True if the file holds something of this domain."""
        ...

    def identify(self, nwb: NwbFile) -> Identity | None:
        """What the file is about, where this domain can tell. Raises SourceError if the file is damaged."""
        ...

    def inspect(self, nwb: NwbFile, report: Report) -> None:
        """Tell the report the domain's parts that the file holds, with bytes, reading no bulk data."""
        ...

    def read(self, nwb: NwbFile, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        """Yield the chosen parts. Also calls ``report.found`` for every part held, chosen or not."""
        ...

    def owned(self, nwb: NwbFile) -> Mapping[str, str]:
        """Bulk data that the domain's tables hold: path of a series or of a table's column -> relation.

        The generic part of the reader does not store these samples a second time, and says where they are.
        """
        ...
