"""The server: listens, gives each client a thread, counts them, and stops what takes too long."""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import ssl
import threading
import time
from collections import Counter, OrderedDict
from collections.abc import Callable

from ...errors import BrainlakeError
from ...session import Session
from ..empty import EmptySessions
from ..exposure import LOOPBACK, Tls, is_loopback, refuse_unsafe
from ..pg_catalog.catalogue import Catalogue
from ..snapshots import Snapshots
from ..users import Users
from .client import Client, Limits
from .connection import Connection
from .errors import PgError
from .planning import Plans

PORT = 5439  # PostgreSQL's own, 5432, is often taken
# Of the sessions that it serves: parameters are inferred from the plan that DuckDB makes first.
SETTINGS = {"explain_output": "all"}

_TICK = 0.05  # seconds between two looks at what should have ended
_BACKLOG = 128
_CATALOGUES_KEPT = 8  # of sessions; pinned ones may be many


class Server:
    """Serves from ``start()`` to ``close()``. ``port`` is the one it listens at.

    snapshots : of the lake to serve, their sessions with ``SETTINGS``
    users : who may ask; without any, only this machine's own programs can
    tls : certificate and key; without, connections are not encrypted
    log : is told, in a line each, who comes and goes; never a question, a value or a password

    Raises BrainlakeError where it would listen to other machines without TLS and users, or cannot listen at all.
    """

    def __init__(
        self,
        snapshots: Snapshots,
        host: str = LOOPBACK,
        port: int = PORT,
        users: Users | None = None,
        tls: Tls | None = None,
        limits: Limits | None = None,
        log: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.snapshots, self.users = snapshots, users or Users({})
        refuse_unsafe(host, self.users, tls)
        self.tls = None if tls is None else _context(tls)
        self.limits, self.log, self.plans = limits or Limits(), log, Plans()
        self._catalogues: OrderedDict[Session, Catalogue] = OrderedDict()
        self._empty = EmptySessions()
        self._making = threading.Lock()  # of what takes time, and is shared
        self._lock = threading.Lock()
        self._connections: dict[int, Connection] = {}
        self._of_user: Counter[str] = Counter()
        self._of_address: Counter[str] = Counter()
        self._numbers = itertools.count(os.getpid() % 10_000 * 100_000 + 1)
        self._stopping = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = _listen(host, port)

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def host(self) -> str:
        return str(self._listener.getsockname()[0])

    @property
    def url(self) -> str:
        """What clients connect to."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"postgresql://{host}:{self.port}"

    def start(self) -> Server:
        """Begin to serve, in threads of its own."""
        if self._threads:
            return self
        for work in (self._accept, self._watch):
            thread = threading.Thread(target=work, daemon=True, name=f"postgres {work.__name__}")
            thread.start()
            self._threads.append(thread)
        return self

    def wait(self) -> None:
        """Serve until interrupted or closed."""
        self._stopping.wait()

    # -- connections --------------------------------------------------------------------------------------------------

    def _accept(self) -> None:
        while not self._stopping.is_set():
            try:
                sock, address = self._listener.accept()
            except TimeoutError:
                continue
            except OSError:
                if self._stopping.is_set():
                    return
                time.sleep(0.1)  # out of file descriptors: those who leave give some back
                continue
            self._welcome(sock, str(address[0]))

    def _welcome(self, sock: socket.socket, address: str) -> None:
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        pid = next(self._numbers) & 0x7FFFFFFF
        connection = Connection(self, sock, address, is_loopback(address), pid)
        with self._lock:
            # Those who have not logged in count too, and have some room more, for cancel requests.
            full = len(self._connections) >= self.limits.connections + 10
            crowded = self._of_address[address] >= self.limits.per_client + 5
            if not (full or crowded):
                self._connections[pid] = connection
                self._of_address[address] += 1
        if full or crowded:
            with contextlib.suppress(OSError):
                sock.close()
            return
        threading.Thread(target=self._serve, args=(connection,), daemon=True, name=f"postgres client {pid}").start()

    def _serve(self, connection: Connection) -> None:
        try:
            connection.run()
        finally:
            with self._lock:
                del self._connections[connection.pid]
                self._of_address[connection.address] -= 1
                if connection.client is not None:
                    self._of_user[connection.user] -= 1
            self.log(f"{connection.address} {connection.user or '-'} left")

    def admit(self, connection: Connection) -> None:
        """Let a client in that has logged in. Raises PgError 53300 where there are too many."""
        with self._lock:
            n = sum(1 for one in self._connections.values() if one.client is not None)
            if n >= self.limits.connections:
                raise PgError("53300", f"this server takes {self.limits.connections} clients at a time", fatal=True)
            most = self.limits.per_client
            if self._of_user[connection.user] >= most or self._of_address[connection.address] > most:
                raise PgError("53300", f"this server takes {most} connections of one user or address", fatal=True)
            self._of_user[connection.user] += 1
        self.log(f"{connection.address} {connection.user} connected")

    def new_client(self, user: str, database: str, pid: int) -> Client:
        lease = self.snapshots.lease()
        return Client(user, database, pid, lease, self.plans, self.limits, self.catalogue, self._empty.of)

    def catalogue(self, session: Session) -> Catalogue:
        """The PostgreSQL catalogue of a session, one for all clients that look at it."""
        with self._making:
            found = self._catalogues.get(session)
            if found is None:
                found = self._catalogues[session] = Catalogue(session)
            self._catalogues.move_to_end(session)
            while len(self._catalogues) > _CATALOGUES_KEPT:
                self._catalogues.popitem(last=False)
            return found

    def cancel(self, pid: int, secret: int) -> None:
        """Stop what a client runs, for whoever knows its secret."""
        with self._lock:
            connection = self._connections.get(pid)
        if connection is not None and connection.secret == secret and connection.client is not None:
            connection.client.stop(PgError("57014", "canceling statement due to user request"))

    def _watch(self) -> None:
        while not self._stopping.wait(_TICK):
            self._tick_all(time.monotonic())

    def _tick_all(
        self, now: float
    ) -> None:  # a function of its own: its variables, and a client with them, end with it
        with self._lock:
            clients = [c.client for c in self._connections.values() if c.client is not None]
        for client in clients:
            client.tick(now)

    def close(self) -> None:
        """Stop: clients are told, what they run is interrupted; those that do not end by themselves are cut off."""
        self._stopping.set()
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        with self._lock:
            connections = list(self._connections.values())
        for connection in connections:
            connection.leave(PgError("57P01", "the server stops", fatal=True))
        deadline = time.monotonic() + 10
        while self._connections and (now := time.monotonic()) < deadline:
            for connection in connections:
                if connection.client is not None:
                    connection.client.tick(now)
            time.sleep(0.01)
        with self._lock:
            left = list(self._connections.values())
        for connection in left:
            connection.cut()
        self._empty.close()

    def __enter__(self) -> Server:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.close()


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind((host, port))
        listener.listen(_BACKLOG)
    except OSError as error:
        listener.close()
        raise BrainlakeError(f"cannot listen at {host}, port {port}: {error.strerror or error}") from None
    return listener


def _context(tls: Tls) -> ssl.SSLContext:
    """TLS 1.2 or newer. Raises BrainlakeError where certificate and key cannot be read or do not fit."""
    tls.read()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.set_alpn_protocols(["postgresql"])
    context.load_cert_chain(tls.certificate, tls.key)
    return context
