"""What a server holds for its clients between calls: tickets, prepared statements, transactions, logins.

Everything has a name that cannot be guessed, belongs to one user, and goes when it has not been used for a while.
"""

from __future__ import annotations

import secrets
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Generic, Protocol, TypeVar


class Closable(Protocol):
    def close(self) -> None: ...


T = TypeVar("T", bound=Closable)


class GoneError(LookupError):
    """Nobody holds this: it never was, has been used, or was not used for too long."""


class TooManyError(RuntimeError):
    """A user holds as many as one may."""


@dataclass
class _Entry(Generic[T]):
    user: str
    thing: T
    used: float = field(default_factory=time.monotonic)


class Held(Generic[T]):
    """Things by unguessable names. Safe to use from many threads.

    what : how messages call such a thing
    seconds : for how long one stays that is not used
    most : how many a user may hold
    """

    def __init__(self, what: str, seconds: float, most: int) -> None:
        self.what, self.seconds, self.most = what, seconds, most
        self._entries: dict[bytes, _Entry[T]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, user: str, thing: T) -> bytes:
        """Hold a thing; returns its name. Raises TooManyError, and closes it, where the user holds too many."""
        name = secrets.token_bytes(24)
        with self._lock:
            if sum(one.user == user for one in self._entries.values()) < self.most:
                self._entries[name] = _Entry(user, thing)
                return name
        thing.close()
        raise TooManyError(f"{self.most} {self.what}s are open already: read or close some of them")

    def get(self, user: str, name: bytes) -> T:
        """A user's own thing, which counts as used now. Raises GoneError."""
        with self._lock:
            entry = self._entries.get(name)
            if entry is None or entry.user != user:
                raise GoneError(self._gone())
            entry.used = time.monotonic()
            return entry.thing

    def take(self, user: str, name: bytes) -> T:
        """A user's own thing, which is the caller's to close from now on. Raises GoneError."""
        with self._lock:
            entry = self._entries.get(name)
            if entry is None or entry.user != user:
                raise GoneError(self._gone())
            del self._entries[name]
            return entry.thing

    def _gone(self) -> str:
        return f"there is no such {self.what}, or no more: it lasts {self.seconds:g} s unused"

    def sweep(self) -> None:
        """Close what has not been used for too long."""
        oldest = time.monotonic() - self.seconds
        self._close_where(lambda entry: entry.used < oldest)

    def close(self) -> None:
        """Close everything."""
        self._close_where(lambda _: True)

    def _close_where(self, is_meant: Callable[[_Entry[T]], bool]) -> None:
        with self._lock:
            gone = [name for name, entry in self._entries.items() if is_meant(entry)]
            things = [self._entries.pop(name).thing for name in gone]
        for thing in things:
            thing.close()

    def __iter__(self) -> Iterator[T]:
        with self._lock:
            return iter([entry.thing for entry in self._entries.values()])
