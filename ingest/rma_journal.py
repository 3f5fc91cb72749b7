"""Journals of fetches: which requests to the API brought a file, and what the server said of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..lake.errors import SourceError
from ..lake.tables.rma import REQUESTS
from .contract import Identity, Part, Report, Rows, Source
from .json_records import column_of
from .json_source import claimed, document

MEMBER = "brainlake_requests"
_ATTRIBUTES = {column.name: {"request_url": "url"}.get(column.name, column.name) for column in REQUESTS}


class RequestJournalReader:
    """Reader of the journals that fetches write beside their files."""

    name = "rma_journal"
    version = "1"
    parts: Sequence[Part] = (Part("requests", "requests to the API"),)

    def sniff(self, source: Source) -> bool:
        return claimed(source, (f'"{MEMBER}"'.encode(),), lambda found: isinstance(found, dict) and MEMBER in found)

    def identify(self, source: Source) -> Identity:
        first = _requests(source)[0]
        further = f"/{first.get('request_number')}" if first.get("request_number") else ""  # of files in one folder
        return Identity(f"rma.fetch/{first.get('fetch_key')}{further}", "request_journal")

    def inspect(self, source: Source, report: Report) -> None:
        report.found("requests", source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        if "requests" in parts:
            requests = _requests(source)
            rows = {c.name: column_of(source, c, requests, _ATTRIBUTES[c.name], 0) for c in REQUESTS}
            yield Rows(REQUESTS.name, rows)


def _requests(source: Source) -> list[Mapping[str, Any]]:
    found = document(source)
    listed = found.get(MEMBER) if isinstance(found, dict) else None
    if not isinstance(listed, list) or not listed or not all(isinstance(one, dict) for one in listed):
        raise SourceError(source, MEMBER, "lists no requests")
    return listed


READER = RequestJournalReader()
