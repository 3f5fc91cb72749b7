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
    """A user holds as many as one may, and none of them is to be dropped."""


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
    drops_oldest : of one more than that, the one drops out that was not used for longest: clients that were killed say
        no goodbye, and what they left must not keep others out
    """

    def __init__(self, what: str, seconds: float, most: int, drops_oldest: bool = False) -> None:
        self.what, self.seconds, self.most, self.drops_oldest = what, seconds, most, drops_oldest
        self._entries: dict[bytes, _Entry[T]] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        return len(self._entries)

    def add(self, user: str, thing: T) -> bytes:
        """Hold a thing; returns its name. Raises TooManyError, and closes it, where the user holds too many."""
        name, over = secrets.token_bytes(24), None
        with self._lock:
            own = {known: one.used for known, one in self._entries.items() if one.user == user}
            if len(own) >= self.most:
                over = self._entries.pop(min(own, key=own.__getitem__)).thing if self.drops_oldest else thing
            if over is not thing:
                self._entries[name] = _Entry(user, thing)
        if over is not None:
            over.close()
        if over is thing:
            raise TooManyError(f"{self.most} {self.what}s are open already: read or close some of them")
        return name

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
        until = f", or until {self.most} others were used since" if self.drops_oldest else ""
        return f"there is no such {self.what}, or no more: it lasts {self.seconds:g} s unused{until}"

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
