"""What a server knows of one client between its messages: where it looks, what it has set, what it may still take."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING

import duckdb

from ...errors import BrainlakeError
from ..pg_catalog import ClientContext
from .errors import PgError, as_pg_error
from .settings import Settings

if TYPE_CHECKING:
    from ...session import Session
    from ..pg_catalog.catalogue import Catalogue
    from ..snapshots import Lease
    from .planning import Plans
    from .portals import Portal, Scroll, Statement

_TEXTS_AT_MOST = 64 << 20  # characters of all prepared statements of a client

IDLE, IN_TRANSACTION, FAILED = "I", "T", "E"


@dataclass(frozen=True)
class Limits:
    """What a server gives at most. Times in seconds; 0 is no limit.

    connections : at the same time, of all clients
    per_client : of these, from one address, or of one user
    rows : of one answer
    statement_seconds : for one statement, its answer's way to the client included
    idle_seconds : a client may say nothing so long; also how long one that takes nothing of its answer is waited for
    login_seconds : from the connection to the first question
    message_bytes : of one message of a client's
    statements : prepared by one client, and answers it keeps open
    """

    connections: int = 100
    per_client: int = 80
    rows: int = 0
    statement_seconds: float = 0.0
    idle_seconds: float = 3600.0
    login_seconds: float = 30.0
    message_bytes: int = 16 << 20
    statements: int = 4096
    portals: int = 64


@dataclass
class Transaction:
    """A client's transaction. Nothing is written, so it is about what is seen, set and open."""

    settings: dict[str, str]
    outer: dict[str, str | None] = field(default_factory=dict)  # what SET LOCAL hides
    savepoints: list[str] = field(default_factory=list)
    repeatable: bool = False


class Client:
    """A connection between its messages. Used by its own thread; ``stop`` and ``tick`` may be called from others."""

    def __init__(
        self,
        user: str,
        database: str,
        pid: int,
        lease: Lease,
        plans: Plans,
        limits: Limits,
        catalogue: Callable[[Session], Catalogue],
        empty_session: Callable[[Session], Session],
    ) -> None:
        self.lease, self.plans, self.limits = lease, plans, limits
        self.catalogue, self.empty_session = catalogue, empty_session
        self.settings = Settings(user, {"brainlake.snapshot": partial(_look_at, lease)})
        self.context = ClientContext(user, database, pid, self.settings)
        self.status = IDLE
        self.transaction: Transaction | None = None
        self.statements: dict[str, Statement] = {}
        self.portals: dict[str, Portal] = {}
        self.cursors: dict[str, Scroll] = {}
        self.notices: list[tuple[str, str, str]] = []  # severity, SQLSTATE, text
        self._running: duckdb.DuckDBPyConnection | None = None
        self._deadline: float | None = None
        self._stopped: PgError | None = None
        self._is_busy = False

    # -- where it looks -----------------------------------------------------------------------------------------------

    def refresh(self) -> None:
        """Move to the newest snapshot, as between two statements; a repeatable transaction stays."""
        if self.transaction is None or not self.transaction.repeatable:
            self.lease.refresh()

    def rest(self) -> None:
        """Hold no snapshot while the client says nothing, outside of a transaction that is to stay on one."""
        if self.transaction is None or not self.transaction.repeatable:
            self.lease.rest()

    # -- what it may take ---------------------------------------------------------------------------------------------

    def begin(self) -> None:
        """A statement begins: its time runs, and it can be stopped."""
        seconds = self.settings.seconds("statement_timeout")
        most = self.limits.statement_seconds
        allowed = min(s for s in (seconds or most, most or seconds)) if seconds or most else 0.0
        self._stopped = None
        self._deadline = time.monotonic() + allowed if allowed else None
        self._is_busy = True

    def end(self) -> None:
        self._is_busy = False
        self._deadline = None

    def stop(self, why: PgError) -> bool:
        """Stop the statement that runs; returns whether one does. From any thread."""
        if not self._is_busy:
            return False
        self._stopped = why
        self.tick(time.monotonic())
        return True

    def tick(self, now: float) -> None:
        """Interrupt what should have ended; again and again, as what has not yet begun cannot be interrupted."""
        deadline, running = self._deadline, self._running
        if deadline is not None and now > deadline and self._stopped is None:
            self._stopped = PgError("57014", "the statement took longer than statement_timeout allows")
        if self._stopped is not None and running is not None:
            with contextlib.suppress(duckdb.Error):
                running.interrupt()

    def check(self) -> None:
        """Raise what stops the statement, if anything does."""
        if self._stopped is None and self._deadline is not None:
            self.tick(time.monotonic())
        if self._stopped is not None:
            raise self._stopped

    @contextlib.contextmanager
    def working(self, cursor: duckdb.DuckDBPyConnection | None) -> Iterator[None]:
        """While DuckDB computes for this client, so that it can be stopped."""
        self._running = cursor
        try:
            self.check()
            yield
        except Exception:
            if self._stopped is not None:
                raise self._stopped from None
            raise
        finally:
            self._running = None

    def allow_rows(self, n: int) -> None:
        """Raise PgError where an answer has more rows than this server gives."""
        if self.limits.rows and n > self.limits.rows:
            raise PgError(
                "53400", f"this server gives at most {self.limits.rows:,} rows: ask for fewer, or add a limit"
            )

    def keep_statement(self, name: str, statement: Statement) -> None:
        """Keep a prepared statement; a name in use is not given away, except the empty one."""
        if name and name in self.statements:
            raise PgError("42P05", f'prepared statement "{name}" already exists')
        if len(self.statements) >= self.limits.statements:
            raise PgError("53400", f"a client may prepare {self.limits.statements:,} statements: deallocate some")
        if statement.size + sum(one.size for one in self.statements.values()) > _TEXTS_AT_MOST:
            raise PgError("53200", "the texts of the prepared statements take too much memory: deallocate some")
        self.statements[name] = statement

    def notice(self, code: str, text: str, severity: str = "NOTICE") -> None:
        self.notices.append((severity, code, text))

    # -- transactions -------------------------------------------------------------------------------------------------

    def begin_transaction(self, repeatable: bool) -> None:
        if self.transaction is not None:
            self.notice("25001", "there is already a transaction in progress", "WARNING")
            return
        self.transaction = Transaction(self.settings.snapshot(), repeatable=repeatable)
        self.status = IN_TRANSACTION

    def end_transaction(self, commit: bool) -> str:
        """Returns the tag: a failed transaction is rolled back whatever the client says."""
        if self.transaction is None:
            self.notice("25P01", "there is no transaction in progress", "WARNING")
            return "COMMIT" if commit else "ROLLBACK"
        commit = commit and self.status != FAILED
        transaction, self.transaction, self.status = self.transaction, None, IDLE
        if commit:
            for name, value in transaction.outer.items():
                if value is None:
                    del self.settings[name]
                else:
                    self.settings[name] = value
        else:
            self.settings.restore(transaction.settings)
        self.close_portals()
        for name, cursor in list(self.cursors.items()):
            if cursor.held and (commit or cursor.settled):
                cursor.settled = True
            else:
                self.cursors.pop(name).close()
        return "COMMIT" if commit else "ROLLBACK"

    def fail(self) -> None:
        """A statement failed: the transaction around it, if any, only waits for its end."""
        if self.transaction is not None:
            self.status = FAILED

    def close_portal(self, name: str) -> None:
        if portal := self.portals.pop(name, None):
            portal.close()

    def close_portals(self) -> None:
        while self.portals:
            self.portals.popitem()[1].close()

    def close(self) -> None:
        """Let go of everything."""
        self.close_portals()
        while self.cursors:
            self.cursors.popitem()[1].close()
        # What knows its client in turn goes too, so that a client is gone now, not when garbage is next looked for.
        self.statements.clear()
        self._stopped = None
        self.lease.close()


def _look_at(lease: Lease, at: str) -> None:
    try:
        lease.move(int(at) if at.isdigit() else at if at and at != "latest" else None)
    except BrainlakeError as error:
        raise as_pg_error(error) from None
