"""A server's read-only sessions: one a snapshot, shared by the clients that look at it; those left by all are moved."""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import duckdb

from ..catalog import Catalog
from ..errors import CatalogError
from ..facade import At
from ..session import Session

SPARES = 4  # sessions that wait for somebody: moving one takes a fortieth of making one, and waiting 5 MB


@dataclass
class _Held:
    """A session and how many leases are on it."""

    session: Session
    leases: int = 1


class Snapshots:
    """The snapshots of a lake that a server's clients look at. Safe to use from many threads.

    There are as many sessions as snapshots that somebody looks at, and at most ``SPARES`` more. While one is made, who
    wants the newest snapshot waits, and then shares one session, however many commits came meanwhile: clients that
    are many and slow do not keep a session for each.

    path : the lake's directory
    at : a snapshot's number, tag or time that all clients see; by default the newest, which moves
    settings : DuckDB's settings of every session, as ``{"memory_limit": "4GB"}``

    Raises CatalogError where there is no lake, UnknownError or SnapshotExpired where there is no such snapshot.
    """

    def __init__(self, path: str | os.PathLike[str], at: At = None, settings: Mapping[str, str] | None = None) -> None:
        self.catalog = Catalog.open(path)
        self._settings = dict(settings or {})
        self._making = threading.Lock()  # one session at a time
        self._lock = threading.Lock()  # of what follows; held for moments only
        self._held: dict[int, _Held] = {}
        self._spares: list[Session] = []  # the one that was left last is the last
        self._closed = False
        try:
            self._fixed = None if at is None else self.catalog.resolve(at)
            self.lease().close()  # so that a session is there for the first client
        except BaseException:
            self.catalog.close()
            raise

    @property
    def path(self) -> Path:
        return self.catalog.root

    def __len__(self) -> int:
        """How many sessions there are."""
        with self._lock:
            return len(self._held) + len(self._spares)

    @property
    def leases(self) -> int:
        """How many looks at a snapshot there are."""
        with self._lock:
            return sum(held.leases for held in self._held.values())

    def lease(self, at: At = None) -> Lease:
        """A look at a snapshot: the one named, which then stays, or else the newest, which ``refresh()`` moves."""
        pinned = self._fixed if at is None else self.catalog.resolve(at)
        return Lease(self, *self._enter(pinned), pinned is not None)

    def _enter(self, pinned: int | None) -> tuple[int, Session]:
        """A snapshot, or the newest, and its session, on which there is one lease more."""
        snapshot = self.catalog.latest() if pinned is None else pinned
        if session := self._join(snapshot):
            return snapshot, session
        with self._making:
            snapshot = self.catalog.latest() if pinned is None else pinned  # which may have changed while we waited
            return snapshot, self._join(snapshot) or self._begin(snapshot)

    def _join(self, snapshot: int) -> Session | None:
        with self._lock:
            if self._closed:
                raise CatalogError("the server stops")
            if held := self._held.get(snapshot):
                held.leases += 1
                return held.session
        return None

    def _begin(self, snapshot: int) -> Session:
        session = self._make(snapshot)
        with self._lock:
            if not self._closed:
                self._held[snapshot] = _Held(session)
                return session
        session.close()
        raise CatalogError("the server stops")

    def _make(self, snapshot: int) -> Session:
        state = self.catalog.state(snapshot)
        spare = self._take_spare(snapshot)
        try:
            if spare is None:
                return Session(state, settings=self._settings)
            if spare.snapshot_id != snapshot:
                spare.refresh(state)
            return spare
        except (duckdb.IOException, duckdb.InvalidInputException) as error:
            if spare is not None:
                spare.close()
            raise state.lost(error) from None

    def _take_spare(self, snapshot: int) -> Session | None:
        """One on the snapshot where there is one, else the one used last."""
        with self._lock:
            here = [i for i, spare in enumerate(self._spares) if spare.snapshot_id == snapshot]
            return self._spares.pop(here[0] if here else -1) if self._spares else None

    def _leave(self, snapshot: int) -> None:
        with self._lock:
            held = self._held[snapshot]
            held.leases -= 1
            if held.leases:
                return
            del self._held[snapshot]
            self._spares.append(held.session)
            over = self._spares[: -SPARES if not self._closed else None]
            del self._spares[: len(over)]
        for session in over:
            session.close()

    def close(self) -> None:
        """Close every session as its last lease leaves; no lease is given any more."""
        with self._lock:
            if self._closed:
                return
            self._closed = True
            over, self._spares = self._spares, []
        for session in over:
            session.close()
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
        if not self.pinned and not (self._is_inside and self._snapshots.catalog.latest() == self.snapshot_id):
            self._move(None)
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
        return Lease(self._snapshots, *self._snapshots._enter(self.snapshot_id), True)

    def _move(self, snapshot: int | None) -> None:
        found = self._snapshots._enter(snapshot)
        self.close()
        self.snapshot_id, self.session = found
        self._is_inside = True

    def close(self) -> None:
        """Leave the snapshot; its session waits for others if nobody else looks at it."""
        if self._is_inside:
            self._is_inside = False
            self._snapshots._leave(self.snapshot_id)

    def __enter__(self) -> Lease:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
