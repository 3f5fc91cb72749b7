"""Cursors of a session, used again: setting the variables that a table's files are in takes as long as a small answer."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from weakref import WeakKeyDictionary

import duckdb

Variables = Mapping[str, Sequence[str]]

MOST_IDLE = 4


class Cursors:
    """Cursors of one connection, with the session variables that each has."""

    def __init__(self, connection: duckdb.DuckDBPyConnection) -> None:
        self._connection = connection
        self._idle: list[duckdb.DuckDBPyConnection] = []
        self._variables: WeakKeyDictionary[duckdb.DuckDBPyConnection, dict[str, Sequence[str]]] = WeakKeyDictionary()
        self._changing = threading.Lock()

    def take(self, variables: Variables) -> duckdb.DuckDBPyConnection:
        """A cursor on which these variables are set. Whoever takes it closes it, or gives it back."""
        with self._changing:
            cursor = self._idle.pop() if self._idle else self._connection.cursor()
            has = self._variables.setdefault(cursor, {})
        missing = {name: files for name, files in variables.items() if has.get(name) != files}
        set_variables(cursor, missing)
        has.update(missing)
        return cursor

    def only_once(self, cursor: duckdb.DuckDBPyConnection, variables: Variables) -> None:
        """Set variables that no later question may see: this cursor is not used again."""
        with self._changing:
            self._variables.pop(cursor, None)
        set_variables(cursor, variables)

    def give_back(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Keep a cursor, on which nothing runs and nothing is registered, for a later question."""
        with self._changing:
            if cursor in self._variables and len(self._idle) < MOST_IDLE:
                self._idle.append(cursor)
                return
        cursor.close()

    def close(self) -> None:
        """Close those that nobody uses; those in use are closed when they are given back."""
        with self._changing:
            idle, self._idle = self._idle, []
            self._variables.clear()
        for cursor in idle:
            cursor.close()


def set_variables(cursor: duckdb.DuckDBPyConnection, variables: Variables) -> None:
    """Set session variables to lists of files."""
    for name, files in variables.items():
        cursor.execute(f'set variable "{name}" = ?', [list(files)])  # as text the list takes ten times as long
