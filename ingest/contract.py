"""What a reader is given and what it gives back.

A reader looks into a :class:`Source`, says what it is about (:class:`Identity`) and yields :class:`Rows` of declared
tables and :class:`Attachment` files, streaming: its memory does not grow with the source. What it found, left out and
wondered about goes to the :class:`Report`. It never sees a lake.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, runtime_checkable

import numpy as np
import pyarrow as pa

ID_BASE = 1 << 52  # ids of other laboratories start here: exact in float64, clear of every Allen id


def made_id(recording: str, object_path: str = "", local_id: object = "") -> int:
    """The id of something an other laboratory recorded: the same on every machine, exact in float64.

    ``2^52 + hash(recording identifier, object path, local id) mod 2^52``. The natural id stays beside it in a
    ``source_*_id`` column.
    """
    text = "\x1f".join((recording, object_path, str(local_id)))
    return ID_BASE + int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big") % ID_BASE


def made_ids(recording: str, object_path: str, local_ids: Iterable[object]) -> np.ndarray:
    """:func:`made_id` of many local ids, as int64."""
    return np.array([made_id(recording, object_path, i) for i in local_ids], dtype=np.int64)


@dataclass(frozen=True)
class Published:
    """What an archive tells of the collection that it gave a source out of."""

    key: str  # dandi_000021
    title: str
    version: str | None = None
    doi: str | None = None
    licence: str | None = None
    authors: tuple[str, ...] = ()
    year: str | None = None
    url: str | None = None
    publisher: str | None = None


@dataclass(frozen=True)
class Source:
    """One file at hand. ``path`` is local (remote sources are fetched first); ``url`` is where it came from.

    settings : what people say of it that its content does not (``--set version=ccf_2017``), in order of name
    named : people named it; False for a file that a folder was found to hold, which no reader need know
    published : the collection it is from, where it came from an archive that tells
    """

    path: Path
    url: str
    settings: tuple[tuple[str, str], ...] = ()
    named: bool = True
    published: Published | None = None

    @property
    def name(self) -> str:
        return self.path.name

    def setting(self, name: str) -> str | None:
        """What people say of it under a name that the reader declares, None where they say nothing."""
        return dict(self.settings).get(name)

    def __str__(self) -> str:
        return self.url


@dataclass(frozen=True)
class Identity:
    """What a source is about and in which capacity, taken from its content, never from its path.

    subject : ``ecephys.session/715093703``; one live ingest exists per (subject, role)
    role : ``session_nwb``, ``probe_nwb``, ``project_csv`` ...
    dataset, version, doi, licence : where the source says so, else None
    publications : papers that the source names, as it names them: a DOI, an address, a reference
    """

    subject: str
    role: str
    dataset: str | None = None
    version: str | None = None
    doi: str | None = None
    licence: str | None = None
    publications: tuple[str, ...] = ()


@dataclass(frozen=True)
class Part:
    """A separately wanted share of a source. ``default`` parts are taken when nobody chooses."""

    name: str
    description: str
    default: bool = True


@dataclass(frozen=True)
class Setting:
    """A fact that people may tell a reader, because its sources do not: ``--set NAME=VALUE``."""

    name: str
    description: str


@dataclass(frozen=True)
class Rows:
    """Rows for one table. Columns the spec calls nullable may be missing; ``ingest_id`` is added by the writer.

    Bulk tables: rows arrive in the declared sort order within one partition value, in as many batches as needed, and
    partitions one after the other. Small tables: any order.
    """

    table: str
    columns: pa.RecordBatch | pa.Table | Mapping[str, Any]


@dataclass(frozen=True)
class Attachment:
    """A typed Parquet file of its own, belonging to the ingest: a DynamicTable of an NWB file, in its own columns."""

    kind: str  # "nwb.table"
    name: str  # the object's path inside the source
    schema: pa.Schema
    batches: Iterable[pa.RecordBatch]
    part: str = "tables"


@dataclass
class Report:
    """What a reader found, left out and wondered about; shown to people and kept with the ingest."""

    salvage: bool = False  # take what is consistent of a damaged source, and say what was left out
    progress: Callable[[str, int, int], None] = lambda what, done, total: None
    available: dict[str, int] = field(default_factory=dict)  # part -> bytes in the source, taken or not
    skipped: list[tuple[str, str]] = field(default_factory=list)  # (object, reason)
    warnings: list[str] = field(default_factory=list)

    def found(self, part: str, size_bytes: int) -> None:
        """The source holds this part: so many bytes as stored there."""
        self.available[part] = self.available.get(part, 0) + int(size_bytes)

    def skip(self, where: str, reason: str) -> None:
        """An object was left out, and why."""
        self.skipped.append((where, reason))

    def warn(self, message: str) -> None:
        self.warnings.append(message)


@runtime_checkable
class Reader(Protocol):
    """A kind of source. Implementations are modules of this package or instances; see :mod:`.registry`.

    A reader that takes settings has ``settings: Sequence[Setting]`` beside its parts; it finds them in the source. One
    whose sources lie in several files has ``companions(source) -> Sequence[Path]``, the others: they count as content.
    """

    name: str  # "nwb", "ecephys_csv"; what ``--as`` takes
    version: str  # changes when the rows it yields change: ``brainlake ingest --stale`` then redoes them
    parts: Sequence[Part]

    def sniff(self, source: Source) -> bool:
        """True if this reader takes the source; decided by looking into it, cheap, and never raising."""
        ...

    def identify(self, source: Source) -> Identity:
        """Subject and role. Raises SourceError if the source is damaged."""
        ...

    def inspect(self, source: Source, report: Report) -> None:
        """Tell the report every part the source holds, with bytes, reading no bulk data (``--dry-run``)."""
        ...

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows | Attachment]:
        """Yield the chosen parts. Also calls ``report.found`` for every part held, chosen or not."""
        ...
