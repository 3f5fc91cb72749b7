"""A server's read-only sessions: one a snapshot, shared by the clients that look at it, closed when the last has left."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from pathlib import Path

import duckdb

from ..catalog import Catalog
from ..errors import CatalogError
from ..facade import At
from ..session import Session


class _Held:
    """A session and how many leases are on it."""

    def __init__(self, session: Session) -> None:
        self.session, self.leases = session, 0


class Snapshots:
    """The snapshots of a lake that a server's clients look at. Safe to use from many threads.

    path : the lake's directory
    at : a snapshot's number, tag or time that all clients see; by default the newest, which moves
    settings : DuckDB's settings of every session, as ``{"memory_limit": "4GB"}``

    Raises CatalogError where there is no lake, UnknownError or SnapshotExpired where there is no such snapshot.
    """

    def __init__(self, path: str | os.PathLike[str], at: At = None, settings: Mapping[str, str] | None = None) -> None:
        self.catalog = Catalog.open(path)
        self._settings = dict(settings or {})
        self._lock = threading.RLock()
        self._held: dict[int, _Held] = {}
        self._spare: Session | None = None  # left by everybody; moving it costs less than making another
        self._closed = False
        try:
            self._fixed = None if at is None else self.catalog.resolve(at)
            self._first = self.lease()  # keeps a session warm while no client is there
        except BaseException:
            self.catalog.close()
            raise

    @property
    def path(self) -> Path:
        return self.catalog.root

    def lease(self, at: At = None) -> Lease:
        """A look at a snapshot: the one named, which then stays, or else the newest, which ``refresh()`` moves."""
        pinned = self._fixed if at is None else self.catalog.resolve(at)
        snapshot = self.catalog.latest() if pinned is None else pinned
        return Lease(self, snapshot, self._enter(snapshot), pinned is not None)

    def _enter(self, snapshot: int) -> Session:
        with self._lock:
            if self._closed:
                raise CatalogError("the server stops")
            held = self._held.get(snapshot)
            if held is None:
                held = self._held[snapshot] = _Held(self._make(snapshot))
            held.leases += 1
            return held.session

    def _leave(self, snapshot: int) -> None:
        with self._lock:
            held = self._held[snapshot]
            held.leases -= 1
            if not held.leases:
                del self._held[snapshot]
                if self._spare is not None:
                    self._spare.close()
                self._spare = held.session
                if self._closed:
                    self._spare.close()

    def _make(self, snapshot: int) -> Session:
        state = self.catalog.state(snapshot)
        spare, self._spare = self._spare, None
        try:
            if spare is None:
                return Session(state, settings=self._settings)
            if spare.snapshot_id != snapshot:
                spare.refresh(state)
            return spare
        except (duckdb.IOException, duckdb.InvalidInputException) as error:
            raise state.lost(error) from None

    def _keep_warm(self, snapshot: int) -> None:
        """Let the newest snapshot be the one that stays when all clients have left."""
        with self._lock:
            if not self._closed and snapshot > self._first.snapshot_id:
                self._first._move(snapshot)

    def close(self) -> None:
        """Close every session as its last lease leaves; no lease is given any more."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            self._first.close()
            if self._spare is not None:
                self._spare.close()
        self.catalog.close()

    def __enter__(self) -> Snapshots:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


class Lease:
    """A client's look at a snapshot. Use it from one thread at a time; ``close()`` it, or use it in a ``with``.

    session : answers questions at this snapshot; other leases share it, so it is never to be moved or closed
    pinned : whether it stays on its snapshot
    """

    def __init__(self, snapshots: Snapshots, snapshot_id: int, session: Session, pinned: bool) -> None:
        self._snapshots, self.snapshot_id, self.session, self.pinned = snapshots, snapshot_id, session, pinned
        self._is_inside = True

    def refresh(self) -> int:
        """Move to the newest snapshot, unless pinned; returns the number of the one it is on. Cheap without news."""
        if not self.pinned:
            newest = self._snapshots.catalog.latest()
            if newest != self.snapshot_id or not self._is_inside:
                self._move(newest)
                self._snapshots._keep_warm(newest)
        return self.snapshot_id

    def move(self, at: At) -> int:
        """Pin to a snapshot by number, tag or time; None: to where a new lease would be."""
        fixed = self._snapshots._fixed
        if at is None and fixed is None:
            self.pinned = False
            return self.refresh()
        snapshot = self._snapshots.catalog.resolve(fixed if at is None else at)
        if snapshot != self.snapshot_id or not self._is_inside:
            self._move(snapshot)
        self.pinned = True
        return self.snapshot_id

    def rest(self) -> None:
        """Leave the snapshot, unless pinned, until the next ``refresh()``: who says nothing keeps no old session alive."""
        if not self.pinned:
            self.close()

    def share(self) -> Lease:
        """A further lease on the same snapshot, pinned: for a result that is still read while this one moves on."""
        return Lease(self._snapshots, self.snapshot_id, self._snapshots._enter(self.snapshot_id), True)

    def _move(self, snapshot: int) -> None:
        session = self._snapshots._enter(snapshot)
        self.close()
        self.snapshot_id, self.session, self._is_inside = snapshot, session, True

    def close(self) -> None:
        """Leave the snapshot; its session is closed if nobody else looks at it."""
        if self._is_inside:
            self._is_inside = False
            self._snapshots._leave(self.snapshot_id)

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
