"""A lake of the same relations without any rows, for what is to be bound, not run: statements bind alike in it, and fast."""

from __future__ import annotations

import threading
from dataclasses import replace

from ..session import Session
from ..states import TableState


class EmptySessions:
    """One session without rows for all snapshots whose tables are declared alike. Safe to use from many threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._made: tuple[object, Session] | None = None

    def of(self, session: Session) -> Session:
        """A session on a lake of the same relations, whose tables are DuckDB's own and hold nothing."""
        state = session.state
        shape = tuple((name, table.spec.version) for name, table in state.tables.items())
        with self._lock:
            if self._made is None or self._made[0] != shape:
                # The one before is closed when the last statement that asks it has let go of it.
                tables = {name: TableState(table.spec) for name, table in state.tables.items()}
                self._made = shape, Session(replace(state, tables=tables, attachments=()))
            return self._made[1]

    def close(self) -> None:
        with self._lock:
            if self._made is not None:
                self._made[1].close()
                self._made = None
