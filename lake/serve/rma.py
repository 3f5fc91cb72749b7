"""``brainlake serve rma``: a lake that answers HTTP as the Allen Brain Atlas API does (spec: api 2.1, 2.2, 5).

A client of the API runs against the lake by changing its base address. The server reads one snapshot and writes nothing.
"""

from __future__ import annotations

import contextlib
import socket
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from shutil import copyfileobj
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote, urlsplit

from ..errors import AbsentError, BrainlakeError, UnknownError
from ..rma.answers import Limits
from ..rma.formats import FORMATS, Written, message, write
from .rma_files import made_file
from .rma_routes import ROUTES, kept_file

if TYPE_CHECKING:
    from ..facade import Lake

LOOPBACK, PORT = "127.0.0.1", 8712
AT_ONCE = 8  # queries that are computed at the same time; others wait
IDLE_SECONDS = 30.0  # after which a client that says nothing is let go
MAX_BODY = 1 << 20
OCTETS = "application/octet-stream"


class Server(ThreadingHTTPServer):
    """Serves until ``shutdown()``. ``url`` is the base address for clients."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(
        self, lake: Lake, host: str = LOOPBACK, port: int = PORT, limits: Limits | None = None, quiet: bool = True
    ) -> None:
        self.lake, self.limits, self.quiet = lake, limits or Limits(), quiet
        self.api = lake.api(self.limits)
        self.turns = threading.BoundedSemaphore(AT_ONCE)
        if ":" in host:
            self.address_family = socket.AF_INET6
        super().__init__((host, port), _Handler)

    @property
    def url(self) -> str:
        host, port = self.server_address[:2]
        named = host.decode() if isinstance(host, bytes) else str(host)
        return f"http://[{named}]:{port}" if ":" in named else f"http://{named}:{port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is nobody's error."""
        if not isinstance(sys.exc_info()[1], (ConnectionError, TimeoutError)):
            super().handle_error(request, client_address)  # type: ignore[arg-type]


class _Handler(BaseHTTPRequestHandler):
    server: Server
    protocol_version = "HTTP/1.1"
    server_version, sys_version = "brainlake", ""
    timeout = IDLE_SECONDS
    # An answer is several pieces: each sent by itself, the next would wait for the client's word that the last arrived.
    disable_nagle_algorithm = True
    wbufsize = 1 << 16

    def do_GET(self) -> None:
        self._answer("")

    def do_HEAD(self) -> None:
        self._answer("")

    def do_POST(self) -> None:
        """Parameters may come in the body, as those of a form."""
        length = self.headers.get("Content-Length", "")
        if not length.isdigit() or int(length) > MAX_BODY:
            self.close_connection = True
            self._send(413, message(f"a body has a length, of at most {MAX_BODY:,} bytes", "json", False), "json")
            return
        self._answer(self.rfile.read(int(length)).decode("utf-8", "replace"))

    def _answer(self, body: str) -> None:
        address = urlsplit(self.path)
        path = unquote(address.path).replace("//", "/")
        fmt = path.rpartition(".")[2]
        try:
            route = next(((r, m) for r in ROUTES if (m := r.pattern.fullmatch(path))), None)
            if route is None:
                self._file(path + (f"?{unquote(address.query)}" if address.query else ""))
                return
            with self.server.turns:
                # Plus signs stay: they are spaces inside of values, and the query's own parser knows where.
                pairs = parse_qsl((address.query + ("&" + body if body else "")).replace("+", "%2B"), max_num_fields=64)
                found = route[0].answer(self.server.api, route[1], dict(pairs))
                written = write(found, fmt, self.server.limits.megabytes)
        except BrainlakeError as error:
            status = 404 if isinstance(error, (AbsentError, UnknownError)) else 400 if error.exit_code == 1 else 500
            self._refuse(status, str(error), fmt)
        except ValueError as error:  # an address that is none
            self._refuse(400, f"the address cannot be read: {error}", fmt)
        else:
            self._send(200, written, fmt)

    def _file(self, address: str) -> None:
        """A file of the API: as it was fetched from the same address, else made of the lake's tables."""
        try:
            self._send_file(kept_file(self.server.lake, address))
        except AbsentError:
            with self.server.turns:
                made = made_file(self.server.lake, address)
            self._send(200, made, "file")

    def _refuse(self, status: int, text: str, fmt: str) -> None:
        known = fmt if fmt in FORMATS else "json"
        self._send(status, message(text, known, success=False), known)

    def _send(self, status: int, written: Written, fmt: str) -> None:
        with contextlib.closing(written.body):
            self.send_response(status)
            self.send_header("Content-Type", f"{FORMATS[fmt]}; charset=utf-8" if fmt in FORMATS else OCTETS)
            self.send_header("Content-Length", str(written.size))
            self.end_headers()
            if self.command != "HEAD":
                for block in written.blocks():
                    self.wfile.write(block)

    def _send_file(self, path: Path) -> None:
        with path.open("rb") as file:
            self.send_response(200)
            self.send_header("Content-Type", OCTETS)
            self.send_header("Content-Length", str(path.stat().st_size))
            self.send_header("Content-Disposition", f'attachment; filename="{ascii(path.name)[1:-1]}"')
            self.end_headers()
            if self.command != "HEAD":
                copyfileobj(file, self.wfile)

    def log_message(self, format: str, *args: object) -> None:
        if not self.server.quiet:
            super().log_message(format, *args)
