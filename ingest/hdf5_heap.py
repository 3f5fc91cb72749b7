"""A check of the heaps in which HDF5 keeps text, for a damage on which its library never comes back.

A heap is a list of objects, each saying how long it is. libhdf5 walks it to the end before it gives out the first
object, and trusts the length of free space: one of 0 keeps it at the same place for ever. No time limit within the
process can end that, so it is looked for beforehand.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

_MARK = b"GCOL\x01"
_HEADER, _OBJECT = 16, 16  # bytes of a heap's and of an object's header, with lengths of 8 bytes
_BLOCK = 16 << 20
_LARGEST_FILE = 256 << 20  # beyond it the check costs too much; the time limit of the reading process must do
_LARGEST_HEAP = 16 << 20


def endless_heap(path: Path) -> int | None:
    """Where in a file a heap begins that has no end; None where none does."""
    if path.stat().st_size > _LARGEST_FILE:
        return None
    with path.open("rb") as file:
        for start in _places(path):
            file.seek(start)
            size = int.from_bytes(file.read(_HEADER)[8:], "little")
            file.seek(start)
            if size <= _LARGEST_HEAP and _is_endless(file.read(size), size):
                return start
    return None


def _is_endless(heap: bytes, size: int) -> bool:
    if len(heap) < size:
        return False
    at = _HEADER
    while at + _OBJECT <= size:
        index = int.from_bytes(heap[at : at + 2], "little")
        length = int.from_bytes(heap[at + 8 : at + 16], "little")
        step = length if index == 0 else _OBJECT + -(-length // 8) * 8
        if step == 0:
            return True
        at += step
    return False


def _places(path: Path) -> Iterator[int]:
    """Where the mark of a heap stands."""
    before = b""
    start = 0
    with path.open("rb") as file:
        while block := file.read(_BLOCK):
            data = before + block
            at = data.find(_MARK)
            while at >= 0:
                yield start - len(before) + at
                at = data.find(_MARK, at + 1)
            start += len(block)
            before = data[-len(_MARK) + 1 :]
