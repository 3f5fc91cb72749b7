"""NMODL files: mechanisms of the NEURON simulator, kept as text. Nothing of them is compiled or run."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Sequence

from ..lake.errors import SourceError
from .contract import Identity, Part, Report, Rows, Source, made_id
from .json_source import decoded, read_bytes

MAX_BYTES = 1 << 20  # the longest of the Allen models has 4 kB
_COMMENT = re.compile(r"\bCOMMENT\b.*?\bENDCOMMENT\b|[:?][^\n]*", re.DOTALL)
_TITLE = re.compile(r"^[ \t]*TITLE[ \t]+([^\n]*)", re.MULTILINE)
_NEURON = re.compile(r"\bNEURON\s*\{(.*?)\}", re.DOTALL)
_NAME = re.compile(r"\b(SUFFIX|POINT_PROCESS|ARTIFICIAL_CELL)\s+(\w+)")
_ION = re.compile(r"\bUSEION\s+(\w+)")


class MechanismReader:
    """Reader of NMODL files."""

    name = "nmodl"
    version = "1"
    parts: Sequence[Part] = (Part("mechanisms", "membrane mechanisms as NMODL text"),)

    def sniff(self, source: Source) -> bool:
        try:
            if not 0 < source.path.stat().st_size <= MAX_BYTES:
                return False
            data = read_bytes(source, MAX_BYTES)
        except (OSError, SourceError):
            return False
        if b"NEURON" not in data or b"\0" in data:
            return False
        block = _NEURON.search(_bare(data.decode("utf-8", "replace")))
        return block is not None and _NAME.search(block[1]) is not None

    def identify(self, source: Source) -> Identity:
        return Identity(f"models.mechanism/{_id(read_bytes(source, MAX_BYTES))}", "nmodl")

    def inspect(self, source: Source, report: Report) -> None:
        report.found("mechanisms", source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        if "mechanisms" not in parts:
            return
        data = read_bytes(source, MAX_BYTES)
        text = _text(source, data)
        block = _NEURON.search(_bare(text))
        named = _NAME.search(block[1]) if block else None
        if block is None or named is None:
            raise SourceError(source, "NEURON", "is no mechanism: there is no block NEURON { SUFFIX name }")
        title = _TITLE.search(text)
        row = {
            "mechanism_id": _id(data),
            "source_name": source.name,
            "mechanism": named[2],
            "mechanism_kind": named[1].lower(),
            "title": title[1].strip() if title else None,
            "ions": list(dict.fromkeys(_ION.findall(block[1]))),
            "range_variables": _listed("RANGE", block[1]),
            "global_variables": _listed("GLOBAL", block[1]),
            "nmodl": text,
            "sha256": hashlib.sha256(data).hexdigest(),
            "n_lines": min(text.count("\n") + 1, 2**15 - 1),
        }
        yield Rows("models.mechanisms", {name: [value] for name, value in row.items()})


def _id(data: bytes) -> int:
    return made_id(hashlib.sha256(data).hexdigest(), "nmodl")


def _text(source: Source, data: bytes) -> str:
    """NMODL as text: UTF-8, or the Latin-1 that older files are in."""
    if b"\0" in data:
        raise SourceError(source, None, "is no text")
    try:
        return decoded(source, None, data)
    except SourceError:
        return data.decode("latin-1")


def _bare(text: str) -> str:
    return _COMMENT.sub(" ", text)


def _listed(word: str, block: str) -> list[str]:
    """Names that follow a word of a NEURON block, over line ends where a comma joins them."""
    found = re.findall(rf"\b{word}\s+(\w+(?:\s*,\s*\w+)*)", block)
    return list(dict.fromkeys(name.strip() for names in found for name in names.split(",")))


READER = MechanismReader()
