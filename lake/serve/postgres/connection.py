"""One connection from its first byte to its last: startup, login, and the two ways to ask (simple and extended)."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from . import messages
from .auth import MECHANISM, Scram
from .client import FAILED, IDLE, Client
from .commands import ENDING, read, statements
from .cursors import Fetching
from .errors import PgError, as_pg_error, protocol_violation
from .lexing import Part
from .messages import Reader
from .portals import Empty, EmptyPortal, Portal, Statement
from .startup import options_of, pairs
from .wire import Gone, Silent, Wire

if TYPE_CHECKING:
    import socket

    from .server import Server

_IN_FAILED = "current transaction is aborted, commands ignored until end of transaction block"


class Connection:
    """Runs in a thread of its own. Whatever a client sends, at worst its own connection ends."""

    def __init__(self, server: Server, sock: socket.socket, address: str, is_local: bool, pid: int) -> None:
        self._server, self._is_local, self.address, self.pid = server, is_local, address, pid
        self.secret = secrets.randbits(32)
        self._wire = Wire(sock, server.limits.message_bytes, server.limits.idle_seconds)
        self.client: Client | None = None
        self.user = ""
        self._ignoring = False  # messages up to Sync, after an error

    def run(self) -> None:
        """Serve until the client leaves, or has to."""
        try:
            if self._log_in():
                self._serve()
        except Gone:
            pass
        except PgError as problem:
            self._last_words(problem)
        except Exception as error:
            self._server.log(f"{self.address}: {type(error).__name__} in {_place(error)}")
            self._last_words(as_pg_error(error))
        finally:
            if self.client is not None:
                self.client.close()
            self._wire.close()

    def _last_words(self, problem: PgError) -> None:
        problem.fatal = True
        try:
            self._wire.send(messages.error(problem))
            self._wire.flush()
        except Gone:
            pass

    def leave(self, why: PgError) -> None:
        """Make it end, from another thread: what it runs stops, and it is told why."""
        if self.client is None or not self.client.stop(why):
            self._last_words(why)  # it waits for its client, and says nothing itself
            self._wire.close()

    def cut(self) -> None:
        """Take its socket away."""
        self._wire.close()

    # -- startup ------------------------------------------------------------------------------------------------------

    def _log_in(self) -> bool:
        seconds = self._server.limits.login_seconds
        wire, tls = self._wire, self._server.tls
        if tls is not None and wire.begins_with_tls(seconds):
            wire.encrypt(tls, seconds)
        while True:
            body = Reader(wire.startup(seconds))
            code = body.int32()
            if code == messages.CANCEL_REQUEST:
                self._server.cancel(body.int32() & 0xFFFFFFFF, body.int32() & 0xFFFFFFFF)
                return False
            if code == messages.SSL_REQUEST:
                will = tls is not None and not wire.is_encrypted
                wire.send(b"S" if will else b"N")
                wire.flush()
                if will and tls is not None:
                    wire.encrypt(tls, seconds)
            elif code == messages.GSSENC_REQUEST:
                wire.send(b"N")
                wire.flush()
            else:
                break
        if code >> 16 != 3:
            raise PgError("0A000", f"protocol {code >> 16}.{code & 0xFFFF} is not known here: 3.0 is", fatal=True)
        self._start(code & 0xFFFF, pairs(body), seconds)
        return True

    def _start(self, minor: int, asked: dict[str, str], seconds: float) -> None:
        wire, server = self._wire, self._server
        if server.tls is not None and not wire.is_encrypted and not self._is_local:
            raise PgError("28000", "this server takes encrypted connections only: sslmode=require", fatal=True)
        options = [name for name in asked if name.startswith("_pq_.")]
        if minor or options:
            wire.send(messages.negotiate_version(options))
        self.user = asked.get("user", "")
        if not self.user:
            raise PgError("28000", "no user name in the startup packet", fatal=True)
        if "replication" in asked and asked["replication"].lower() not in ("false", "off", "no", "0"):
            raise PgError("0A000", "replication is not supported", fatal=True)
        self._authenticate(seconds)
        server.admit(self)
        database, at_sign, snapshot = asked.get("database", self.user).partition("@")
        client = server.new_client(self.user, database or self.user, self.pid)
        self.client = client
        settings = options_of(asked.get("options", ""))
        known = {"user", "database", "options", "replication"}
        settings |= {k: v for k, v in asked.items() if k not in known and not k.startswith("_pq_.")}
        if at_sign:
            settings["brainlake.snapshot"] = snapshot
        try:
            client.settings.start(settings)
        except PgError as problem:
            problem.fatal = True
            raise
        wire.send(messages.authentication(0))
        for name, value in client.settings.reports():
            wire.send(messages.parameter_status(name, value))
        wire.send(messages.backend_key(self.pid, self.secret))
        self._ready()

    def _authenticate(self, seconds: float) -> None:
        users = self._server.users
        if not len(users):
            return
        wire = self._wire
        wire.send(messages.authentication(10, MECHANISM.encode() + b"\0\0"))
        wire.flush()
        first = Reader(self._password(seconds))
        if first.string() != MECHANISM:
            raise PgError("28000", f"login is by {MECHANISM} only", fatal=True)
        exchange = Scram(users, self.user)
        wire.send(messages.authentication(11, exchange.challenge(first.value() or b"")))
        wire.flush()
        wire.send(messages.authentication(12, exchange.verdict(self._password(seconds))))

    def _password(self, seconds: float) -> bytes:
        kind, body = self._wire.message(seconds, seconds)
        if kind != ord("p"):
            raise protocol_violation("a password message was expected")
        return body

    # -- messages -----------------------------------------------------------------------------------------------------

    def _serve(self) -> None:
        client = self._client
        while True:
            try:
                kind, body = self._wire.message(self._patience(client))
            except Silent:
                in_transaction = client.transaction is not None
                what = "idle-in-transaction timeout" if in_transaction else "idle-session timeout"
                code = "25P03" if in_transaction else "57P05"
                raise PgError(code, f"terminating connection due to {what}", fatal=True) from None
            if kind == ord("X"):
                return
            handle = _HANDLERS.get(kind)
            if handle is None:
                raise protocol_violation(f"invalid frontend message type {kind}")
            if self._ignoring and kind != ord("S"):
                continue
            try:
                handle(self, Reader(body))
            except PgError as problem:
                self._failed(problem, kind)
            except Gone:
                raise
            except Exception as error:
                told = as_pg_error(error)
                if told.code == "XX000":
                    self._server.log(f"{self.address}: {type(error).__name__} in {_place(error)}")
                self._failed(told, kind)

    @property
    def _client(self) -> Client:
        assert self.client is not None
        return self.client

    def _patience(self, client: Client) -> float | None:
        """How long the client may now say nothing."""
        asked = client.settings.seconds(
            "idle_session_timeout" if client.transaction is None else "idle_in_transaction_session_timeout"
        )
        most = self._server.limits.idle_seconds
        return min((s for s in (asked, most) if s), default=None)

    def _failed(self, problem: PgError, kind: int) -> None:
        if problem.fatal:
            raise problem
        client = self._client
        client.end()
        client.fail()
        self._notices()
        self._wire.send(messages.error(problem))
        if kind == ord("Q"):
            self._after_transaction()
            self._ready()
        else:
            self._ignoring = True
            self._wire.flush()

    def _notices(self) -> None:
        client = self._client
        for severity, code, text in client.notices:
            self._wire.send(messages.notice(code, text, severity))
        client.notices.clear()
        for name, value in client.settings.news():
            self._wire.send(messages.parameter_status(name, value))

    def _ready(self) -> None:
        self._notices()
        self._client.rest()
        self._wire.send(messages.ready(self._client.status))
        self._wire.flush()

    def _after_transaction(self) -> None:
        """What does not outlive a transaction: outside of one, every statement is its own."""
        if self._client.status == IDLE:
            self._client.close_portals()

    # -- simple -------------------------------------------------------------------------------------------------------

    def _query(self, body: Reader) -> None:
        text = body.string()
        body.end()
        client = self._client
        client.close_portal("")
        parts = statements(text)
        if not parts:
            self._wire.send(messages.EMPTY_QUERY)
        for part in parts:
            client.begin()
            statement = self._read(part)
            if statement.parameter_types:
                raise PgError("42P02", "there is no parameter $1: a simple query has no values")
            portal = statement.start((), (), ())
            try:
                if portal.fields is not None:
                    self._wire.send(messages.row_description(portal.fields))
                self._run(portal, 0)
            finally:
                portal.close()
            client.end()
        self._after_transaction()
        self._ready()

    def _read(self, part: Part, oids: Sequence[int] = ()) -> Statement:
        client = self._client
        if client.status == FAILED and part.tokens[0].text.lower() not in ENDING:
            raise PgError("25P02", _IN_FAILED)
        client.refresh()
        statement = read(client, part, oids)
        self._allow(statement)
        return statement

    def _allow(self, statement: Statement) -> None:
        if self._client.status == FAILED and not statement.ends_failure:
            raise PgError("25P02", _IN_FAILED)

    def _run(self, portal: Portal, n: int) -> None:
        client = self._client
        for data in portal.take(n):
            client.check()
            self._wire.send(data)
        client.check()
        self._notices()
        self._wire.send(messages.complete(portal.tag) if portal.done or not n else messages.SUSPENDED)

    # -- extended -----------------------------------------------------------------------------------------------------

    def _parse(self, body: Reader) -> None:
        name, text = body.string(), body.string()
        oids = [body.int32() & 0xFFFFFFFF for _ in range(body.uint16())]
        body.end()
        client = self._client
        parts = statements(text)
        if len(parts) > 1:
            raise PgError("42601", "cannot insert multiple commands into a prepared statement")
        client.begin()
        statement: Statement = self._read(parts[0], oids) if parts else Empty(oids)
        if not name:
            client.statements.pop("", None)
        statement.size = len(text)
        client.keep_statement(name, statement)
        client.end()
        self._wire.send(messages.PARSE_COMPLETE)

    def _bind(self, body: Reader) -> None:
        name, source = body.string(), body.string()
        formats = [body.int16() for _ in range(body.uint16())]
        values = [body.value() for _ in range(body.uint16())]
        wanted = [body.int16() for _ in range(body.uint16())]
        body.end()
        client = self._client
        statement = self._statement(source)
        self._allow(statement)
        if not name:
            client.close_portal("")
        if name in client.portals:
            raise PgError("42P03", f'portal "{name}" already exists')
        if len(client.portals) >= client.limits.portals:
            raise PgError("53400", f"a client may keep {client.limits.portals} answers open: close some")
        client.begin()
        client.refresh()
        client.portals[name] = statement.start(values, formats, wanted)
        client.end()
        self._wire.send(messages.BIND_COMPLETE)

    def _statement(self, name: str) -> Statement:
        found = self._client.statements.get(name)
        if found is None:
            raise PgError("26000", f'prepared statement "{name}" does not exist')
        return found

    def _portal(self, name: str) -> Portal:
        found = self._client.portals.get(name)
        if found is None:
            raise PgError("34000", f'portal "{name}" does not exist')
        return found

    def _describe(self, body: Reader) -> None:
        kind, name = body.raw(1), body.string()
        body.end()
        self._client.refresh()
        if kind == b"S":
            statement = self._statement(name)
            fields = statement.fields()
            self._wire.send(messages.parameter_description(statement.parameter_types))
        elif kind == b"P":
            cursor = self._client.cursors.get(name)  # which SQL made, and the protocol knows by the same name
            fields = self._portal(name).fields if cursor is None else cursor.fields([])
        else:
            raise protocol_violation("what is described is a statement or a portal")
        self._wire.send(messages.NO_DATA if fields is None else messages.row_description(fields))

    def _execute(self, body: Reader) -> None:
        name, n = body.string(), body.int32()
        body.end()
        cursor = self._client.cursors.get(name)
        portal = self._portal(name) if cursor is None else Fetching(cursor, "forward", n if n > 0 else None, False, [])
        if isinstance(portal, EmptyPortal):
            self._wire.send(messages.EMPTY_QUERY)
            return
        client = self._client
        if client.status == FAILED and not getattr(portal, "ends_failure", False) and portal.fields is not None:
            raise PgError("25P02", _IN_FAILED)
        client.begin()
        client.refresh()
        self._run(portal, max(n, 0))
        client.end()

    def _close(self, body: Reader) -> None:
        kind, name = body.raw(1), body.string()
        body.end()
        if kind == b"S":
            self._client.statements.pop(name, None)
        elif kind == b"P":
            self._client.close_portal(name)
            if cursor := self._client.cursors.pop(name, None):
                cursor.close()
        else:
            raise protocol_violation("what is closed is a statement or a portal")
        self._wire.send(messages.CLOSE_COMPLETE)

    def _flush(self, body: Reader) -> None:
        body.end()
        self._wire.flush()

    def _sync(self, body: Reader) -> None:
        body.end()
        self._ignoring = False
        self._after_transaction()
        self._ready()

    def _call(self, body: Reader) -> None:
        raise PgError("0A000", "function calls of the old protocol are not supported: use SELECT")

    def _copied(self, body: Reader) -> None:
        """Data for a COPY that failed, which the client sent before it knew."""


_HANDLERS: dict[int, Callable[[Connection, Reader], None]] = {
    ord("Q"): Connection._query,
    ord("P"): Connection._parse,
    ord("B"): Connection._bind,
    ord("D"): Connection._describe,
    ord("E"): Connection._execute,
    ord("C"): Connection._close,
    ord("S"): Connection._sync,
    ord("H"): Connection._flush,
    ord("F"): Connection._call,
    ord("d"): Connection._copied,
    ord("c"): Connection._copied,
    ord("f"): Connection._copied,
}


def _place(error: BaseException) -> str:
    """Where in the code an error arose: names and lines, never values."""
    trace, last = error.__traceback__, None
    while trace is not None:
        last, trace = trace, trace.tb_next
    if last is None:
        return "?"
    code = last.tb_frame.f_code
    return f"{code.co_filename.rsplit('/', 1)[-1]}:{last.tb_lineno} {code.co_name}"
