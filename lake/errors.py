"""One tree of errors. Every message names the thing and the way out.

``exit_code`` is what the command line returns: 1 for something its user can mend, 2 for a defect or damage.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path


class BrainlakeError(Exception):
    """The root of everything brainlake raises on purpose."""

    exit_code = 1


class SourceError(BrainlakeError):
    """A source that cannot be read: truncated, corrupted, foreign or inconsistent.

    ``where`` names the object inside the source (an HDF5 path, a CSV column); ``remedy`` says what to do.
    """

    def __init__(self, source: object, where: str | None, reason: str, remedy: str | None = None) -> None:
        self.source, self.where, self.reason, self.remedy = str(source), where, reason, remedy
        at = f"{self.source}: {where}: " if where else f"{self.source}: "
        super().__init__(at + reason + (f" ({remedy})" if remedy else ""))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.source, self.where, self.reason, self.remedy)


class ForeignError(SourceError):
    """A source that no reader knows."""


class ApiError(SourceError):
    """The Atlas API refuses a query or answers what cannot be read, or it cannot be reached; names the address."""


class CatalogError(BrainlakeError):
    """The catalogue refuses: not a lake, a newer format, a key that another ingest holds."""


class DoubledKeyError(CatalogError):
    """Two live ingests would hold the same key of the same table."""


class LakeBusyError(CatalogError):
    """Others are writing and did not finish within the time we wait."""


class DamageError(CatalogError):
    """Files or catalogue rows that should be there are not: ``brainlake check`` tells which."""

    exit_code = 2


def lost_file(error: Exception) -> DamageError:
    """DuckDB's complaint about a data file that is missing or broken, as ours."""
    return DamageError(f"{str(error).splitlines()[0]}: `brainlake check` tells what is damaged and what to do")


class SnapshotExpired(CatalogError):
    """The snapshot asked for is no longer kept."""


class QueryError(BrainlakeError):
    """A question that cannot be answered as asked."""


class LostMemoError(QueryError):
    """A kept answer of a view vanished while it was read: nothing is lost, ask again."""


class NotAdmittedError(QueryError):
    """A statement that a read-only session does not run."""


class AbsentError(QueryError):
    """Known but not in this lake: the message holds the command that brings it."""


class UnknownError(QueryError):
    """Nobody knows this id or name; the message names the nearest ones that exist."""


class SpecError(BrainlakeError):
    """A table, view, macro or UDF declared wrongly: a defect of the software, found at registration."""

    exit_code = 2


def as_writing_error(error: OSError, root: Path) -> CatalogError:
    """What the file system said, as a sentence with a way out."""
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG) or "No space left" in str(error):
        return CatalogError(f"{root}: the disk is full; the lake is unchanged: free some space and try again")
    if error.errno in (errno.EROFS, errno.EACCES, errno.EPERM):
        return CatalogError(f"{root} cannot be written ({os.strerror(error.errno)}); the lake is unchanged")
    return CatalogError(f"{root}: {error}; the lake is unchanged")
