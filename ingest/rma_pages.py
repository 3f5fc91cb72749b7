"""Whole answers to queries, in pages that are kept: what a fetch was stopped at is where it goes on.

A fetch has a folder of its own, named by the digest of address and query. Pages lie in it one by one, each renamed into
place when whole; the last of them makes the answer, ``<Model>.json``, and its journal, ``<Model>.requests.json``. A
page that contradicts another (the database changed meanwhile) makes the fetch begin again, twice at most.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..lake.errors import ApiError
from .rma_client import Answer, Client, Exchange
from .rma_grammar import Bare, Column, Filter, ModelStage, Query, Quoted, parse
from .rma_text import query_url

PAGE = 2_000
RESTARTS = 2
PAGES_KEEP_S = 24 * 3600  # what was fetched before is another day's state of the database
PAGING = ("num_rows", "start_row", "count")
# models whose records are told apart by another column than id, or by two
KEYS = {
    "ApiCellTypesSpecimenDetail": "specimen__id",
    "ApiConnectivity": "data_set_id",
    "ApiCamCellMetric": "cell_specimen_id",
    "StructureHierarchy": "descendant_id,ancestor_id",
    "StructureSetsStructure": "structure_set_id,structure_id",
}

log = logging.getLogger(__name__)

Progress = Callable[[str, int, int], None]  # (what, done, total)


@dataclass(frozen=True)
class Fetched:
    """An answer at hand. ``was_here``: nothing was asked for it."""

    path: Path
    journal: Path
    model: str | None
    num_rows: int
    was_here: bool


class Contradiction(Exception):
    """Two pages cannot be of one answer."""


def fetch_answer(
    client: Client,
    query: str,
    folder: Path,
    *,
    page: int = PAGE,
    refresh: bool = False,
    progress: Progress = lambda what, done, total: None,
) -> Fetched:
    """The whole answer to a query, from the folder where it is there, else from the API.

    query : RMA. One that says ``num_rows`` as a number, and a service's, is asked as it is; any other is asked for in
        pages of ``page`` rows, sorted by id where it does not say how.
    refresh : ask again though it is here; what is here stays until the new answer is whole
    Raises QueryError where it is no RMA, ApiError where it cannot be had.
    """
    plan = _Plan.of(client.api, query, page)
    place = folder / plan.key
    target = place / f"{plan.name}.json"
    journal = place / f"{plan.name}.requests.json"
    if target.exists() and journal.exists() and not refresh:
        return Fetched(target, journal, plan.model, _known_rows(journal), True)
    if client.offline:
        client.attempt(plan.url(0), lambda _: None)  # says that it is not here
    place.mkdir(parents=True, exist_ok=True)
    with _alone(place):
        if target.exists() and journal.exists() and not refresh:  # another process brought it meanwhile
            return Fetched(target, journal, plan.model, _known_rows(journal), True)
        pages = place / "pages"
        for restart in range(RESTARTS + 1):
            try:
                found = _fetch_pages(client, plan, pages, progress)
                break
            except Contradiction as error:
                shutil.rmtree(pages, ignore_errors=True)
                if restart == RESTARTS:
                    raise ApiError(query, None, f"{error}, each of {RESTARTS + 1} times", "try again later") from None
                log.info("%s %s: all pages are asked for anew", query, error)
        n_rows = _assemble(plan, found, target, journal)
        shutil.rmtree(pages, ignore_errors=True)
    return Fetched(target, journal, plan.model, n_rows, False)


@dataclass(frozen=True)
class _Plan:
    """How a query is asked."""

    query: Query
    api: str
    page: int | None  # None: in one piece, as it is
    is_exact: bool  # rows are the root's alone, so that they can be counted

    @classmethod
    def of(cls, api: str, text: str, page: int) -> _Plan:
        query = parse(text)
        last = query.stages[-1]
        if not isinstance(last, ModelStage):
            return cls(query, api, None, False)
        wanted = last.option("num_rows")
        if (wanted and str(wanted[0]).strip("'") != "all") or last.option("start_row"):
            return cls(query, api, None, False)
        options = tuple(option for option in last.options if option.column.name not in PAGING)
        if last.option("order") is None:
            options += (Filter(Column("order"), "eq", (Quoted(KEYS.get(last.model, "id")),)),)
        paged = replace(last, options=options)
        is_exact = not any(item.path for item in last.criteria) and not _filters_below(last)
        return cls(Query((*query.stages[:-1], paged)), api, page, is_exact)

    @property
    def model(self) -> str | None:
        last = self.query.stages[-1]
        return last.model if isinstance(last, ModelStage) else None

    @property
    def name(self) -> str:
        last = self.query.stages[-1]
        return last.model if isinstance(last, ModelStage) else last.name

    @property
    def key(self) -> str:
        return hashlib.sha256(f"{self.api}\n{self.query}".encode()).hexdigest()[:16]

    def key_of(self, record: Any) -> tuple[int, ...] | None:
        """What tells a record from others, where it has that."""
        names = KEYS.get(self.name, "id").split(",")
        told = [record.get(name) for name in names] if isinstance(record, dict) else []
        key = tuple(one for one in told if isinstance(one, int))
        return key if len(key) == len(names) else None

    def text(self, start: int) -> str:
        if self.page is None:
            return str(self.query)
        last = self.query.stages[-1]
        assert isinstance(last, ModelStage)
        said = (("num_rows", self.page), ("start_row", start))
        paging = tuple(Filter(Column(key), "eq", (Bare(str(value)),)) for key, value in said)
        return str(Query((*self.query.stages[:-1], replace(last, options=(*paging, *last.options)))))

    def url(self, start: int) -> str:
        return query_url(self.text(start), "json", self.api)


def _filters_below(stage: ModelStage) -> bool:
    """Whether an include restricts the root's rows: a filter anywhere on it does (C-RS4)."""

    def any_filter(path: Any) -> bool:
        return bool(path.filters) or any(map(any_filter, path.children))

    return any(item.path is not None and any_filter(item.path) for item in stage.include)


def _fetch_pages(client: Client, plan: _Plan, pages: Path, progress: Progress) -> list[Path]:
    """Every page as a file, those that are there not asked for again. Raises Contradiction."""
    pages.mkdir(exist_ok=True)
    found: list[Path] = []
    seen: set[tuple[int, ...]] = set()
    start, total, rows = 0, None, 0
    while True:
        path = pages / f"{start}.json"
        page = _kept(path, plan.url(start))
        if page is None:
            page = _page(client.json(plan.url(start)))
            _write(path, page)
        found.append(path)
        records, said = page["records"], page["total_rows"]
        if plan.page is None:
            return found
        if said is None:
            raise ApiError(plan.text(start), None, "answers without total_rows, so no one knows when it is whole")
        if total is not None and said != total:
            raise Contradiction(f"changes while it is fetched: {total:,} rows, then {said:,}")
        if page["start_row"] not in (None, start):
            raise Contradiction(f"answers with rows from {page['start_row']:,} on where {start:,} was asked for")
        total, ids = said, [key for key in map(plan.key_of, records) if key is not None]
        if plan.is_exact and (len(set(ids)) < len(ids) or not seen.isdisjoint(ids)):
            raise Contradiction("has records twice")
        seen.update(ids)
        rows += len(records)
        progress("fetching", min(start + len(records), total), total)
        start += len(records) if plan.is_exact else plan.page
        if start >= total:
            if plan.is_exact and rows != total:
                raise Contradiction(f"has {rows:,} rows where it says {total:,}")
            return found
        if plan.is_exact and not records:
            raise Contradiction(f"ends after {rows:,} of {total:,} rows")


def _page(answer: Answer) -> dict[str, Any]:
    return {
        "records": answer.records,
        "start_row": answer.start_row,
        "total_rows": answer.total_rows,
        "exchange": asdict(answer.exchange),
    }


def _kept(path: Path, url: str) -> dict[str, Any] | None:
    """A page that an earlier run left, where it is whole, of this query, and young."""
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        if time.time() - path.stat().st_mtime < PAGES_KEEP_S:
            page: dict[str, Any] = json.loads(path.read_bytes())
            Exchange(**page["exchange"])
            if page["exchange"]["url"] == url and isinstance(page["records"], list):
                return page
    return None


def _assemble(plan: _Plan, pages: list[Path], target: Path, journal: Path) -> int:
    """Join pages into the answer, one record a line, each record once; and write the journal."""
    exchanges: list[dict[str, Any]] = []
    seen: set[tuple[int, ...]] = set()
    count = 0
    with _replacing(target) as body, body.open("w", encoding="utf-8") as out:
        # model (or service) and query first, so that a reader knows what it has without looking at records
        out.write(f'{{"model": {json.dumps(plan.name)}, "query": {json.dumps(str(plan.query))}, "msg": [')
        for number, path in enumerate(pages):
            page = json.loads(path.read_bytes())
            exchanges.append({
                "fetch_key": plan.key, "request_number": number, "rma_text": _rma_text(page["exchange"]["url"]),
                **page["exchange"], "start_row": page["start_row"], "num_rows": len(page["records"]),
                "total_rows": page["total_rows"], "file_name": target.name,
            })  # fmt: skip
            for record in page["records"]:
                key = plan.key_of(record)
                if plan.page is not None and key is not None:
                    if key in seen:
                        continue
                    seen.add(key)
                out.write((",\n" if count else "\n") + json.dumps(record, ensure_ascii=False))
                count += 1
        out.write(f'\n], "success": true, "id": 0, "start_row": 0, "num_rows": {count}, "total_rows": {count}}}\n')
    write_journal(journal, exchanges)
    return count


def _rma_text(url: str) -> str | None:
    return url.partition("?q=")[2] or None


def write_journal(path: Path, exchanges: list[dict[str, Any]]) -> None:
    """Keep what was asked beside what came."""
    with _replacing(path) as part:
        part.write_text(json.dumps({"brainlake_requests": exchanges}, indent=1) + "\n", encoding="utf-8")


def _known_rows(journal: Path) -> int:
    with contextlib.suppress(OSError, ValueError, KeyError, TypeError):
        return sum(request["num_rows"] or 0 for request in json.loads(journal.read_bytes())["brainlake_requests"])
    return 0


def _write(path: Path, page: dict[str, Any]) -> None:
    with _replacing(path) as part:
        part.write_text(json.dumps(page, ensure_ascii=False), encoding="utf-8")


@contextlib.contextmanager
def _replacing(path: Path) -> Iterator[Path]:
    """A file beside its place, moved there when the block ends well: whoever looks sees all of it, or nothing."""
    part = path.with_name(path.name + ".part")
    try:
        yield part
        with part.open("rb") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _alone(place: Path) -> Iterator[None]:
    """One process fetches into a folder at a time; the lock goes with the process."""
    with (place / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
