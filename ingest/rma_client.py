"""Talking to the Atlas API: one request at a time, tried again where that may help, checked before it is believed.

What fails becomes one ApiError naming the address that was asked. Nothing here touches the network when ``offline``.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from ..lake.errors import ApiError
from .rma_text import API_URL, encoded

if TYPE_CHECKING:
    import requests

TIMEOUT_S = (9.05, 31.1)  # to connect, and between bytes: the reference's
LATER = frozenset({408, 425, 429, 500, 502, 503, 504})  # statuses that may be others a moment later
MAX_ANSWER = 1 << 30  # bytes of an answer held in memory
MAX_PAUSE_S = 60.0
BLOCK = 1 << 16
API_VARIABLE = "BRAINLAKE_API"
log = logging.getLogger(__name__)


def api_url(given: str | None = None) -> str:
    """The API's base address: the one given, ``$BRAINLAKE_API``, or the public one. Raises ApiError for no address."""
    address = (given or os.environ.get(API_VARIABLE) or API_URL).rstrip("/")
    parts = urlsplit(address)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ApiError(address, None, "is no base address of an API", "as http://127.0.0.1:8080")
    return address


@dataclass(frozen=True)
class Exchange:
    """One request and what is known of its answer; what the journal of a fetch keeps."""

    url: str
    requested_at: str
    elapsed_seconds: float
    attempts: int
    http_status: int
    size_bytes: int
    sha256: str
    etag: str | None


@dataclass(frozen=True)
class Answer:
    """The API's envelope, checked: ``records`` are the top-level ones."""

    records: list[Any]
    start_row: int | None
    num_rows: int | None
    total_rows: int | None
    exchange: Exchange


class TryAgain(Exception):
    """An attempt failed in a way that another may not."""

    def __init__(self, reason: str, after_s: float | None = None) -> None:
        super().__init__(reason)
        self.after_s = after_s


@dataclass
class Client:
    """A connection to one API.

    api : base address
    attempts : how often a request is made at most
    pause_s : before the second attempt; twice as long before each further one
    timeout_s : to connect, and between two pieces of an answer
    answer_s : for a whole answer held in memory, however slowly it comes
    spacing_s : between the beginnings of two requests, whichever thread makes them: the API serves others too
    """

    api: str = API_URL
    offline: bool = False
    attempts: int = 5
    pause_s: float = 0.5
    timeout_s: tuple[float, float] = TIMEOUT_S
    answer_s: float = 600.0
    spacing_s: float = 0.0
    sleep: Callable[[float], None] = time.sleep
    _local: threading.local = field(default_factory=threading.local, repr=False)
    _turn: threading.Lock = field(default_factory=threading.Lock, repr=False)
    _next_s: float = field(default=0.0, repr=False)  # when the next request may begin

    def json(self, url: str) -> Answer:
        """The answer to a query. Raises ApiError where the API says that it failed, and what it says."""

        def once(response: requests.Response) -> tuple[Any, bytes]:
            data = self._body(response)
            return _document(url, response.status_code, data), data

        document, exchange = self._attempted(url, once)
        return _answer(url, document, exchange)

    def content(self, url: str) -> tuple[bytes, Exchange]:
        """The bytes of an answer in any form: XML, CSV, SVG, an image."""

        def once(response: requests.Response) -> tuple[bytes, bytes]:
            data = self._body(response)
            if response.status_code >= 400:
                raise ApiError(unquote(url), None, refusal(response.status_code, data))
            return data, data

        return self._attempted(url, once)

    def attempt(self, url: str, work: Callable[[int], Any]) -> tuple[Any, int]:
        """Do the work until it does not raise TryAgain, at most ``attempts`` times; and which attempt it was.

        Raises ApiError naming the address, with the last reason.
        """
        if self.offline:
            raise ApiError(
                unquote(url), None, "is not here, and nothing is fetched offline", "fetch it without --offline"
            )
        pause = self.pause_s
        for number in range(1, self.attempts + 1):
            try:
                return work(number), number
            except TryAgain as error:
                if number == self.attempts:
                    tried = f" (tried {number} times)" if number > 1 else ""
                    raise ApiError(unquote(url), None, f"{error}{tried}", "try again later") from None
                wait = min(error.after_s if error.after_s is not None else pause, MAX_PAUSE_S)
                log.info(
                    "%s %s; attempt %d of %d follows in %g s", unquote(url), error, number + 1, self.attempts, wait
                )
                self.sleep(wait)
                pause *= 2
        raise AssertionError("at least one attempt is made")

    @contextlib.contextmanager
    def response(self, url: str, headers: dict[str, str] | None = None) -> Iterator[requests.Response]:
        """One answer, its body not yet read. Raises TryAgain for whatever the way to the server does."""
        import requests  # here, as a lake of local files does without
        import urllib3

        session = getattr(self._local, "session", None)
        if session is None:
            session = self._local.session = requests.Session()
            session.max_redirects = 5
        asked = {"Accept-Encoding": "identity", **(headers or {})}
        self._wait_for_turn()
        try:
            with session.get(encoded_once(url), headers=asked, stream=True, timeout=self.timeout_s) as response:
                log.debug(
                    "GET %s answers %d after %.3f s",
                    unquote(url),
                    response.status_code,
                    response.elapsed.total_seconds(),
                )
                if response.status_code in LATER:
                    raise TryAgain(
                        refusal(response.status_code, some(response)),
                        _retry_after(response.headers.get("Retry-After")),
                    )
                yield response
        except requests.TooManyRedirects:
            raise ApiError(unquote(url), None, "leads from one address to another without end") from None
        except (requests.exceptions.InvalidURL, requests.exceptions.InvalidSchema) as error:
            raise ApiError(unquote(url), None, f"is no address that can be asked: {error}") from None
        except (requests.Timeout, urllib3.exceptions.ReadTimeoutError):
            raise TryAgain("does not answer in time") from None
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise TryAgain(_said(error)) from None

    def _wait_for_turn(self) -> None:
        if not self.spacing_s:
            return
        with self._turn:
            now = time.monotonic()
            if self._next_s > now:
                self.sleep(self._next_s - now)
            self._next_s = max(now, self._next_s) + self.spacing_s

    def _attempted(self, url: str, once: Callable[[Any], tuple[Any, bytes]]) -> tuple[Any, Exchange]:
        began, moment = time.perf_counter(), datetime.now(UTC)

        def work(_: int) -> tuple[Any, bytes, int, str | None]:
            with self.response(url) as response:
                found, data = once(response)
                return found, data, response.status_code, response.headers.get("ETag")

        (found, data, status, etag), attempts = self.attempt(url, work)
        digest = hashlib.sha256(data).hexdigest()
        elapsed = time.perf_counter() - began
        return found, Exchange(url, moment.isoformat(), elapsed, attempts, status, len(data), digest, etag)

    def _body(self, response: requests.Response) -> bytes:
        until = time.monotonic() + self.answer_s
        blocks, size = [], 0
        for block in response.iter_content(BLOCK):
            blocks.append(block)
            size += len(block)
            if size > MAX_ANSWER:
                raise ApiError(response.url, None, f"answers with over {MAX_ANSWER:,} bytes", "ask for it in pages")
            if time.monotonic() > until:
                raise TryAgain(f"has not answered whole within {self.answer_s:g} s")
        check_length(response.headers.get("Content-Length"), size)
        return b"".join(blocks)


def encoded_once(url: str) -> str:
    """An address percent-encoded, whether or not it was already."""
    return encoded(unquote(url)) if "%" not in url else url


def check_length(declared: str | None, size: int) -> None:
    """Raise TryAgain where fewer bytes came than the server said."""
    if declared is not None and declared.isdigit() and int(declared) != size:
        raise TryAgain(f"came incomplete: {size:,} of {int(declared):,} bytes")


def _document(url: str, status: int, data: bytes) -> Any:
    """The JSON of an answer; TryAgain where it is none, as a truncated one may be whole the next time."""
    try:
        found = json.loads(data)
    except (ValueError, RecursionError) as error:
        if status >= 400:
            raise ApiError(unquote(url), None, refusal(status, data)) from None
        reason = error.args[0] if error.args else type(error).__name__
        raise TryAgain(f"answers what is no JSON: {reason}") from None
    if status >= 400 and not isinstance(found, dict):
        raise ApiError(unquote(url), None, refusal(status, data))
    return found


def _answer(url: str, found: Any, exchange: Exchange) -> Answer:
    """An envelope, believed where it agrees with itself (D-01: ``success`` is looked at)."""
    name = unquote(url)
    if not isinstance(found, dict) or "msg" not in found:
        raise ApiError(name, None, "answers without the API's envelope (success, num_rows, msg)")
    message = found["msg"]
    if found.get("success") is not True or exchange.http_status >= 400:
        said = message if isinstance(message, str) and message.strip() else "it gives no reason"
        raise ApiError(name, None, f"is refused by the API: {' '.join(str(said).split())[:500]}")
    if not isinstance(message, list):
        raise ApiError(name, None, f"answers with {type(message).__name__} where records should be")
    numbers: dict[str, int | None] = {}
    for key in ("start_row", "num_rows", "total_rows"):
        value = found.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 0):
            raise ApiError(name, None, f"answers with {key} {str(value)[:40]!r}, which is no count")
        numbers[key] = value
    if numbers["num_rows"] not in (None, len(message)):
        raise ApiError(name, None, f"says that it has {numbers['num_rows']:,} records, and has {len(message):,}")
    return Answer(message, **numbers, exchange=exchange)


def refusal(status: int, data: bytes) -> str:
    """What a failed answer says: the envelope's message where it has one."""
    with contextlib.suppress(ValueError, AttributeError, RecursionError):
        message = json.loads(data).get("msg")
        if isinstance(message, str):
            return f"is refused with status {status}: {' '.join(message.split())[:500]}"
    return f"is refused with status {status}"


def some(response: requests.Response) -> bytes:
    with contextlib.suppress(Exception):
        return next(response.iter_content(BLOCK), b"")
    return b""


def _retry_after(text: str | None) -> float | None:
    """Seconds that a server asks to wait."""
    if text is None:
        return None
    if text.strip().isdigit():
        return float(text)
    with contextlib.suppress(ValueError, TypeError):
        return max(0.0, (parsedate_to_datetime(text) - datetime.now(UTC)).total_seconds())
    return None


def _said(error: BaseException) -> str:
    """The innermost reason, without the objects that libraries print around it."""
    while error.__cause__ or error.__context__:
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    text = str(error).strip().splitlines()
    return f"the connection fails: {text[0] if text else type(error).__name__}"
