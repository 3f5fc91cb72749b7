"""Which reader takes which source: decided by looking into it. Readers are imported when first needed."""

from __future__ import annotations

import importlib
from functools import cache

from ..lake.errors import BrainlakeError, SourceError
from .contract import Reader, Source

# name -> module that holds it as READER; adding a reader is adding a line
READERS = {
    "nwb": "nwb",
    "nwb1_ecephys": "nwb1_ecephys",
    "ecephys_csv": "ecephys_csv",
}

SUFFIXES = frozenset({".nwb", ".csv", ".h5", ".hdf5"})  # what a folder is searched for


def names() -> list[str]:
    """Names that ``--as`` takes."""
    return list(READERS)


@cache
def get(name: str) -> Reader:
    """A reader by its name. Raises BrainlakeError for an unknown one."""
    if name not in READERS:
        raise BrainlakeError(f"there is no reader {name!r}: there are {', '.join(READERS)}")
    module = importlib.import_module(f"{__package__}.{READERS[name]}")
    reader: Reader = module.READER
    return reader


def choose(source: Source, as_reader: str | None = None) -> Reader:
    """The one reader that claims a source, or the one asked for.

    Raises SourceError where none or several claim it.
    """
    if as_reader is not None:
        return get(as_reader)
    claims = [get(name) for name in READERS if get(name).sniff(source)]
    if len(claims) == 1:
        return claims[0]
    if claims:
        several = ", ".join(reader.name for reader in claims)
        raise SourceError(source, None, f"several readers take it: {several}", "say which with --as")
    raise SourceError(source, None, _why_unknown(source), f"readers: {', '.join(READERS)}; --as NAME forces one")


def _why_unknown(source: Source) -> str:
    """What a file that no reader takes seems to be."""
    try:
        with source.path.open("rb") as file:
            head = file.read(8)
    except OSError as error:
        return f"cannot be opened: {error.strerror}"
    if not head:
        return "the file is empty"
    if head == b"\x89HDF\r\n\x1a\n":
        return "an HDF5 file, but truncated or not one whose layout any reader knows"
    return "no reader knows this kind of file"
