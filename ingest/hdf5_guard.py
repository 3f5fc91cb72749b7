"""HDF5's own errors as ours, and what must be known of a file before its library may have it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from typing import IO

import h5py

from ..lake.errors import SourceError
from .contract import Source
from .hdf5_heap import endless_heap

_LIST_KIND = 3  # byte of an encoded type of lists whose low half says of what: 0 values, 1 characters
SIGNATURE = b"\x89HDF\r\n\x1a\n"


def refuse_foreign(source: Source) -> None:
    """Raise SourceError unless the file begins as HDF5 files do, and its library will come back from it."""
    try:
        with source.path.open("rb") as file:
            found = _is_signed(file)
        endless = endless_heap(source.path) if found else None
    except OSError as error:
        raise SourceError(source, None, f"cannot be opened: {error.strerror}") from None
    if not found:
        raise SourceError(source, None, "is no HDF5 file" if source.path.stat().st_size else "is empty")
    if endless is not None:
        reason = f"is damaged: its texts at byte {endless:,} have no end"
        raise SourceError(source, None, reason, "copy or download it again")


def _is_signed(file: IO[bytes]) -> bool:
    """At the beginning, or behind a block of the user's of 512 bytes times a power of two."""
    for at in (0, *(512 << i for i in range(12))):
        file.seek(at)
        if file.read(len(SIGNATURE)) == SIGNATURE:
            return True
    return False


@contextlib.contextmanager
def guarded(source: Source, where: str | None) -> Iterator[None]:
    """Whatever h5py throws within becomes one SourceError naming file and object."""
    try:
        yield
    except SourceError:
        raise
    except MemoryError:
        raise SourceError(source, where, "cannot be read: it asks for more memory than there is") from None
    except RecursionError:
        raise SourceError(source, where, "cannot be read: it is nested without end") from None
    except Exception as error:
        raise SourceError(source, where, *_said(error)) from None


def _said(error: Exception) -> tuple[str, str | None]:
    """Reason and remedy, from what the library says."""
    text = " ".join(str(error).split()) or type(error).__name__
    if "truncated file" in text:
        return "is truncated", "copy or download it again"
    if "filter" in text and ("required" in text or "plugin" in text):
        return f"is compressed in a way this installation cannot read: {text}", "pip install hdf5plugin"
    return f"cannot be read: {text[:300]}", "the file is damaged: copy or download it again"


def refuse_unknown_list(source: Source, where: str, type_: h5py.h5t.TypeID) -> None:
    """Raise SourceError for a type of lists that are neither of values nor of characters.

    Nothing but damage makes one, and libhdf5 crashes when it reads a value of it (found by damaged variants).
    """
    kind = type_.get_class()
    if kind == h5py.h5t.COMPOUND:
        for member in range(type_.get_nmembers()):
            refuse_unknown_list(source, where, type_.get_member_type(member))
    elif kind == h5py.h5t.ARRAY:
        refuse_unknown_list(source, where, type_.get_super())
    elif kind == h5py.h5t.VLEN and type_.encode()[_LIST_KIND] & 0x0F:
        raise SourceError(source, where, "has a type that HDF5 does not know", "the file is damaged")
