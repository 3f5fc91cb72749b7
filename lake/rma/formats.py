"""Answers written as the API writes them: JSON, XML and CSV (spec: api 2.2).

The envelope tells how many records there are, and comes before them: so the records are written first, to memory and
beyond some size to a temporary file, and the envelope around them when all have come.
"""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from tempfile import SpooledTemporaryFile
from typing import IO, Any
from xml.sax.saxutils import escape

from ..errors import QueryError
from .answers import Answer

IN_MEMORY = 4 << 20
FORMATS = {"json": "application/json", "xml": "application/xml", "csv": "text/csv"}

_ILLEGAL = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")  # in any XML


@dataclass
class Written:
    """An answer, or a refusal, ready to be sent: ``head``, what ``body`` holds, ``tail``."""

    head: bytes
    body: IO[bytes]
    tail: bytes

    @property
    def size(self) -> int:
        self.body.seek(0, io.SEEK_END)
        return len(self.head) + self.body.tell() + len(self.tail)

    def blocks(self, size: int = 1 << 16) -> Iterator[bytes]:
        yield self.head
        self.body.seek(0)
        while block := self.body.read(size):
            yield block
        yield self.tail


def write(answer: Answer, fmt: str, megabytes: float) -> Written:
    """Raises QueryError where the answer is larger than allowed, or whatever taking its records raises."""
    body = SpooledTemporaryFile(IN_MEMORY)  # noqa: SIM115 (it is handed on)
    try:
        if answer.text is not None:
            return message(answer.text, fmt)
        for text in _WRITERS[fmt](answer):
            body.write(text.encode())
            if body.tell() > megabytes * 1e6:
                raise QueryError(f"the answer has more than {megabytes:g} MB: ask for pages, or for fewer columns")
        return _framed(answer, fmt, body)
    except BaseException:
        body.close()
        raise


def message(text: str, fmt: str, success: bool = True) -> Written:
    """An envelope with a text in place of records: a refusal, or a preview."""
    body = io.BytesIO()
    if fmt == "xml":
        flags = f'success="{str(success).lower()}" id="0" start_row="0" num_rows="0" total_rows="0"'
        return Written(f"<Response {flags}>".encode(), io.BytesIO(_text(text).encode()), b"</Response>\n")
    if fmt == "csv":
        return Written(text.encode(), body, b"\n")
    envelope = {"success": success, "id": 0, "start_row": 0, "num_rows": 0, "total_rows": 0, "msg": text}
    return Written(json.dumps(envelope).encode(), body, b"\n")


def _framed(answer: Answer, fmt: str, body: IO[bytes]) -> Written:
    total = answer.num_rows if answer.total_rows is None else answer.total_rows
    counts = {"start_row": answer.start_row, "num_rows": answer.num_rows, "total_rows": total}
    if fmt == "json":
        head = json.dumps({"success": True, "id": 0, **counts})[:-1] + ', "msg": ['
        return Written(head.encode(), body, b"]}\n")
    if fmt == "xml":
        name = _hyphens(answer.root.table) if answer.root else "objects"
        told = "".join(f' {key}="{value}"' for key, value in counts.items())
        head = f'<?xml version="1.0" encoding="UTF-8"?>\n<Response success="true" id="0"{told}><{name}>'
        return Written(head.encode(), body, f"</{name}></Response>\n".encode())
    return Written(b"", body, b"")


def _json(answer: Answer) -> Iterator[str]:
    for i, batch in enumerate(answer.texts()):
        yield (",\n" if i else "") + ",\n".join(batch)


def _csv(answer: Answer) -> Iterator[str]:
    line = io.StringIO()
    rows = csv.writer(line, lineterminator="\n")
    rows.writerow(answer.columns or ())
    for record in answer:
        yield line.getvalue()
        line.seek(0)
        line.truncate()
        rows.writerow(str(value).lower() if isinstance(value, bool) else value for value in record.values())
    yield line.getvalue()


def _xml(answer: Answer) -> Iterator[str]:
    name = singular(answer.root.table) if answer.root else "object"
    for batch in answer.texts():
        yield "".join(_element(name, json.loads(text)) for text in batch)


def _element(name: str, value: Any) -> str:
    tag = _hyphens(name)
    if value is None:
        return f'<{tag} nil="true"/>'
    if isinstance(value, dict):
        inside = "".join(_element(key, one) for key, one in value.items())
    elif isinstance(value, list):
        if not value:
            return f'<{tag} type="array"/>'
        inside = "".join(_element(singular(name), one) for one in value)
    elif isinstance(value, str):
        inside = _text(value)
    else:
        inside = str(value).lower() if isinstance(value, bool) else str(value)
    return f"<{tag}>{inside}</{tag}>"


def _text(text: str) -> str:
    return escape(_ILLEGAL.sub("\ufffd", text))


@lru_cache(1_024)
def _hyphens(name: str) -> str:
    """A name as an element's; what no element can be called (an answer's own odd attribute) becomes hyphens too."""
    tag = re.sub(r"[^\w.]|_", "-", name)
    return tag if re.match(r"[^\W\d]", tag) else f"x{tag}"


@lru_cache(1_024)
def singular(name: str) -> str:
    """``well_known_files`` as ``well_known_file``."""
    for plural, one in (("ies", "y"), ("mice", "mouse"), ("series", "series"), ("ss", "ss"), ("s", "")):
        if name.endswith(plural):
            return name.removesuffix(plural) + one
    return name


_WRITERS: dict[str, Callable[[Answer], Iterator[str]]] = {"json": _json, "xml": _xml, "csv": _csv}
