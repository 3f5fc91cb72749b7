"""Files of the API by address: whole, checked, and gone on with where an earlier attempt was stopped.

A file comes as ``<name>.part`` and gets its name when its length is the one the server told. What a stopped attempt left
is gone on with only where the server says that the file is still the same (ETag), else it comes anew.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import re
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from ..lake.errors import ApiError
from .rma_client import BLOCK, Client, Exchange, TryAgain, refusal, some
from .rma_pages import write_journal

AT_ONCE = 2  # files fetched at the same time: the API serves others too
_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")

Progress = Callable[[str, str, int, int], None]  # (file, what, done, total)


@dataclass(frozen=True)
class Wanted:
    """A file to fetch.

    name : what it is called here, with folders as the reference's caches have them: both tell readers what it is
    sha256 : where somebody said what it must be
    group, number : files that belong into one folder, as a header and its voxels, and which of them it is
    """

    url: str
    name: str
    sha256: str | None = None
    group: str | None = None
    number: int = 0


@dataclass(frozen=True)
class FetchedFile:
    """A file at hand, with the journal of its requests."""

    path: Path
    journal: Path
    was_here: bool

    @property
    def name(self) -> Path:
        """What it was wanted as: a name, with the folders that tell what it is of."""
        return self.path.relative_to(self.journal.parent)


def fetch_files(
    client: Client,
    wanted: Sequence[Wanted],
    folder: Path,
    *,
    refresh: bool = False,
    progress: Progress = lambda file, what, done, total: None,
) -> list[FetchedFile | ApiError]:
    """Files at hand, a few at a time; in the order asked, and for one that cannot be had the reason."""

    def one(file: Wanted) -> FetchedFile | ApiError:
        try:
            return fetch_file(client, file, folder, refresh=refresh, progress=progress)
        except ApiError as error:
            return error

    with ThreadPoolExecutor(AT_ONCE) as workers:
        return list(workers.map(one, wanted))


def fetch_file(
    client: Client,
    wanted: Wanted,
    folder: Path,
    *,
    refresh: bool = False,
    progress: Progress = lambda file, what, done, total: None,
) -> FetchedFile:
    """A file at hand: from the folder where it is there, else from its address. Raises ApiError."""
    key = hashlib.sha256((wanted.group or wanted.url).encode()).hexdigest()[:16]
    place = folder / key
    target = place / wanted.name
    journal = place / f"{target.name}.requests.json"
    if target.exists() and journal.exists() and not refresh:
        return FetchedFile(target, journal, True)
    if client.offline:
        client.attempt(wanted.url, lambda _: None)  # says that it is not here
    target.parent.mkdir(parents=True, exist_ok=True)
    with (place / ".lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # goes with the process
        if target.exists() and journal.exists() and not refresh:
            return FetchedFile(target, journal, True)
        exchange = _fetch(client, wanted, target, progress)
        request = {
            "fetch_key": key,
            "request_number": wanted.number,
            "rma_text": None,
            "file_name": wanted.name,
            **asdict(exchange),
        }
        write_journal(journal, [{**request, "start_row": None, "num_rows": None, "total_rows": None}])
    return FetchedFile(target, journal, False)


def _fetch(client: Client, wanted: Wanted, target: Path, progress: Progress) -> Exchange:
    part = target.with_name(target.name + ".part")
    mark = target.with_name(target.name + ".part.etag")
    began, moment = time.perf_counter(), datetime.now(UTC)

    def work(number: int) -> tuple[int, str | None]:
        have, etag = _left(part, mark)
        headers = {"Range": f"bytes={have}-", "If-Range": etag} if have and etag else {}
        with client.response(wanted.url, headers) as response:
            if response.status_code == 416:  # what is there is more than there is
                _discard(part, mark)
                raise TryAgain("has become shorter")
            if response.status_code not in (200, 206):
                raise ApiError(unquote(wanted.url), None, refusal(response.status_code, some(response)))
            start = have if response.status_code == 206 else 0
            total = _length(response, start)
            etag = response.headers.get("ETag")
            if etag and not etag.startswith("W/"):
                mark.write_text(etag)
            else:
                mark.unlink(missing_ok=True)
            with part.open("ab" if start else "wb") as out:
                for block in response.iter_content(BLOCK):
                    out.write(block)
                    progress(wanted.name, "fetching", out.tell(), total or 0)
                out.flush()
                os.fsync(out.fileno())
            size = part.stat().st_size
            if total is not None and size != total:
                if size > total:
                    _discard(part, mark)
                raise TryAgain(f"came incomplete: {size:,} of {total:,} bytes")
            return response.status_code, etag

    try:
        (status, etag), attempts = client.attempt(wanted.url, work)
        digest = sha256_of(part)
        if wanted.sha256 not in (None, digest):
            _discard(part, mark)
            raise ApiError(
                unquote(wanted.url), None, f"is not the file it should be: SHA-256 {digest}, not {wanted.sha256}"
            )
    except ApiError:
        if not mark.exists():  # nobody could go on with it
            part.unlink(missing_ok=True)
        raise
    size = part.stat().st_size
    os.replace(part, target)
    mark.unlink(missing_ok=True)
    elapsed = time.perf_counter() - began
    return Exchange(wanted.url, moment.isoformat(), elapsed, attempts, status, size, digest, etag)


def _left(part: Path, mark: Path) -> tuple[int, str | None]:
    """Bytes that an earlier attempt left, and the version they are of; none where that is not known."""
    with contextlib.suppress(OSError):
        return part.stat().st_size, mark.read_text()
    return 0, None


def _discard(part: Path, mark: Path) -> None:
    part.unlink(missing_ok=True)
    mark.unlink(missing_ok=True)


def _length(response: Any, start: int) -> int | None:
    """Bytes of the whole file, as the server tells. Raises TryAgain where it goes on from somewhere else."""
    if response.status_code == 206:
        match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
        if not match or int(match[1]) != start:
            raise TryAgain("goes on from another place than it was asked to")
        return int(match[3])
    declared = response.headers.get("Content-Length", "")
    return int(declared) if declared.isdigit() else None


def sha256_of(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal digits."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def name_of(url: str) -> str:
    """What a file of an address is called here: its last part, without what file systems take amiss."""
    last = unquote(urlsplit(url).path).rstrip("/").rsplit("/", 1)[-1]
    return re.sub(r"[^\w.-]", "_", last).lstrip(".") or "download"
