"""A socket that speaks in messages: reads within limits of size and time, writes no faster than the other side reads."""

from __future__ import annotations

import contextlib
import socket
import ssl
import time
from collections.abc import Iterator

from .errors import PgError, protocol_violation

_RECEIVED = 1 << 16
_SENT = 1 << 18  # at once; a client that takes none of it within the time is let go
_HELD = 1 << 16  # small messages wait for each other up to this size

STARTUP_AT_MOST = 10_000
_LARGE = frozenset(b"QPBd")  # the kinds of message that may be large
_SMALL_AT_MOST = 1 << 16


class Gone(Exception):
    """The other side went away, or said nothing for too long."""


class Silent(Gone):
    """The other side said nothing for as long as it may."""


@contextlib.contextmanager
def _as_gone() -> Iterator[None]:
    try:
        yield
    except TimeoutError:
        raise Gone("a message did not come to its end in time") from None


class Wire:
    """Messages in and out of one connection."""

    def __init__(self, sock: socket.socket, message_bytes: int, send_seconds: float) -> None:
        self._socket, self._most = sock, message_bytes
        self._send_seconds = send_seconds or None
        self._in = bytearray()
        self._out = bytearray()

    @property
    def is_encrypted(self) -> bool:
        return isinstance(self._socket, ssl.SSLSocket)

    def encrypt(self, context: ssl.SSLContext, seconds: float) -> None:
        """Go on with TLS. Bytes that came before it are no part of it, and end the connection."""
        if self._in:
            raise protocol_violation("unencrypted data came after the request to encrypt")
        try:
            self._socket.settimeout(seconds)
            self._socket = context.wrap_socket(self._socket, server_side=True)
        except (OSError, ValueError) as error:
            raise Gone(str(error)) from None

    def begins_with_tls(self, seconds: float) -> bool:
        """Whether the client speaks TLS at once, without asking (sslnegotiation=direct)."""
        try:
            self._socket.settimeout(seconds)
            return self._socket.recv(1, socket.MSG_PEEK) == b"\x16"
        except OSError as error:
            raise Gone(str(error)) from None

    # -- in -----------------------------------------------------------------------------------------------------------

    def _need(self, n: int, deadline: float | None, most: int) -> None:
        """Wait until so many bytes are there. ``most``: bytes to take from the socket at once."""
        while len(self._in) < n:
            left = None if deadline is None else deadline - time.monotonic()
            if left is not None and left <= 0:
                raise TimeoutError
            try:
                self._socket.settimeout(left)
                some = self._socket.recv(min(most, max(n - len(self._in), 1)) if most < _RECEIVED else most)
            except TimeoutError:
                raise
            except OSError as error:
                raise Gone(str(error)) from None
            if not some:
                raise Gone("closed the connection")
            self._in += some

    def _take(self, n: int) -> bytes:
        found = bytes(self._in[:n])
        del self._in[:n]
        return found

    def startup(self, seconds: float) -> bytes:
        """A message of the kind that comes first: without a letter. Nothing behind it is read."""
        deadline = time.monotonic() + seconds
        with _as_gone():
            self._need(4, deadline, 4)
            size = int.from_bytes(self._in[:4], "big", signed=True)
            if not 8 <= size <= STARTUP_AT_MOST:
                raise protocol_violation("invalid length of startup packet")
            self._need(size, deadline, size)
        return self._take(size)[4:]

    def message(self, seconds: float | None, body_seconds: float = 60.0) -> tuple[int, bytes]:
        """The next message: its letter and its body. ``seconds``: how long to wait for it, None: for ever."""
        try:
            self._need(1, None if seconds is None else time.monotonic() + seconds, _RECEIVED)
        except TimeoutError:
            raise Silent from None
        deadline = time.monotonic() + body_seconds
        with _as_gone():
            self._need(5, deadline, _RECEIVED)
        kind, size = self._in[0], int.from_bytes(self._in[1:5], "big", signed=True)
        if size < 4:
            raise protocol_violation("a message has an impossible length")
        if size > (self._most if kind in _LARGE else _SMALL_AT_MOST):
            raise PgError("54000", f"a message of {size:,} bytes is larger than this server takes", fatal=True)
        with _as_gone():
            self._need(size + 1, deadline, _RECEIVED)
        return kind, self._take(size + 1)[5:]

    # -- out ----------------------------------------------------------------------------------------------------------

    def send(self, data: bytes | memoryview) -> None:
        """Send, soon: small messages wait for ``flush``."""
        if len(data) + len(self._out) < _HELD:
            self._out += data
            return
        self.flush()
        self._send(memoryview(data))

    def flush(self) -> None:
        if self._out:
            out, self._out = self._out, bytearray()
            self._send(memoryview(out))

    def _send(self, data: memoryview) -> None:
        try:
            self._socket.settimeout(self._send_seconds)
            for start in range(0, len(data), _SENT):
                self._socket.sendall(data[start : start + _SENT])
        except OSError as error:
            raise Gone(str(error)) from None

    def close(self) -> None:
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        finally:
            self._socket.close()
