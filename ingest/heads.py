"""How a file begins, which mostly tells what it is; asking fails for no file."""

from __future__ import annotations

from .contract import Source

HEAD_BYTES = 16_384  # a record of most of the API's models is shorter
BOM = b"\xef\xbb\xbf"


def read_head(source: Source, n_bytes: int = HEAD_BYTES) -> bytes:
    """First bytes; none where the file cannot be read."""
    try:
        with source.path.open("rb") as file:
            return file.read(n_bytes)
    except OSError:
        return b""


def text_head(source: Source, n_bytes: int = HEAD_BYTES) -> bytes:
    """First bytes of a text, from its first character on: without byte order mark and white space."""
    return read_head(source, n_bytes).removeprefix(BOM).lstrip()


def begins_json(head: bytes) -> bool:
    """A text's beginning is that of a JSON list or object."""
    return head[:1] in (b"[", b"{")
