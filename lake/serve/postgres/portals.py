"""Statements and what comes of them: the two things that clients make, run and throw away."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TYPE_CHECKING, Any

from . import messages
from .answers import Rows
from .errors import PgError
from .messages import Field
from .planning import Plan, make_plan, spread, values_of
from .types import BY_OID, TEXT, PgType

if TYPE_CHECKING:
    from ..snapshots import Lease
    from .client import Client
    from .lexing import Part


class Portal:
    """A statement about to be run, or running.

    fields : columns of its rows; None: it gives none
    """

    fields: list[Field] | None = None
    done = False
    tag = ""

    def take(self, n: int = 0) -> Iterator[bytes | memoryview]:
        """The next ``n`` rows as messages, or all. Afterwards ``done`` and ``tag`` are known."""
        raise NotImplementedError

    def close(self) -> None:
        """Let go of what it holds."""


class Statement:
    """A statement that was read: what it takes, what it gives, and how it is started."""

    parameter_types: Sequence[PgType] = ()
    size = 0  # of its text
    ends_failure = False  # whether it is allowed in a transaction that has failed

    def fields(self) -> list[Field] | None:
        """Columns of its rows, in text; None: it gives none."""
        return None

    def start(self, raw: Sequence[bytes | None], formats: Sequence[int], wanted: Sequence[int]) -> Portal:
        """Bind it: values and their format codes, and the format codes of the columns."""
        raise NotImplementedError


class Question(Statement):
    """What asks the lake."""

    def __init__(self, client: Client, part: Part, oids: Sequence[int] = ()) -> None:
        self._client, self.part, self._oids = client, part, list(oids)
        self._plan = make_plan(client, part, self._oids)
        self.parameter_types = self._plan.parameter_types

    def plan(self) -> Plan:
        """How it is answered, on the snapshot that the client now looks at."""
        if self._plan.passing or self._plan.snapshot_id != self._client.lease.snapshot_id:
            self._plan = make_plan(self._client, self.part, self._oids)
        return self._plan

    def fields(self) -> list[Field] | None:
        plan = self.plan()
        if plan.later:
            raise plan.later
        return [Field(c.name, c.pg) for c in plan.columns]

    def start(self, raw: Sequence[bytes | None], formats: Sequence[int], wanted: Sequence[int]) -> Portal:
        plan = self.plan()
        return Answer(Rows(self._client, plan, values_of(plan, raw, formats), list(wanted)))

    def with_values(self, values: list[Any], wanted: Sequence[int]) -> Answer:
        """Start it with values that are Python's already."""
        return Answer(Rows(self._client, self.plan(), values, list(wanted)))


class Answer(Portal):
    """The rows of a question."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self.fields = rows.fields

    def take(self, n: int = 0) -> Iterator[bytes | memoryview]:
        before = self._rows.n_rows
        yield from self._rows.take(n)
        self.done, self.tag = self._rows.done, f"SELECT {self._rows.n_rows - before}"

    def close(self) -> None:
        self._rows.close()


class Act(Statement):
    """What a server does by itself: it gives no rows. ``act`` does it and returns the tag."""

    def __init__(self, act: Callable[[], str], ends_failure: bool = False) -> None:
        self._act, self.ends_failure = act, ends_failure

    def start(self, raw: Sequence[bytes | None], formats: Sequence[int], wanted: Sequence[int]) -> Portal:
        return _Acting(self._act)


class _Acting(Portal):
    def __init__(self, act: Callable[[], str]) -> None:
        self._act = act

    def take(self, n: int = 0) -> Iterator[bytes | memoryview]:
        if not self.done:
            self.tag, self.done = self._act(), True
        return iter(())


class Told(Statement):
    """What a server knows by itself, in rows of text. ``rows`` tells them."""

    def __init__(self, names: Sequence[str], rows: Callable[[], list[list[str]]], tag: str) -> None:
        self._names, self._rows, self._tag = names, rows, tag

    def fields(self) -> list[Field] | None:
        return [Field(name, TEXT) for name in self._names]

    def start(self, raw: Sequence[bytes | None], formats: Sequence[int], wanted: Sequence[int]) -> Portal:
        codes = spread(wanted, len(self._names))
        return _Telling([Field(n, TEXT, f) for n, f in zip(self._names, codes, strict=True)], self._rows, self._tag)


class _Telling(Portal):
    def __init__(self, fields: list[Field], rows: Callable[[], list[list[str]]], tag: str) -> None:
        self.fields, self._rows, self.tag = fields, rows, tag
        self._left: list[list[str]] | None = None

    def take(self, n: int = 0) -> Iterator[bytes | memoryview]:
        if self._left is None:
            self._left = self._rows()
        some, self._left = (self._left[:n], self._left[n:]) if n else (self._left, [])
        self.done = not self._left
        return iter([messages.data_row([value.encode() for value in row]) for row in some])


class Empty(Statement):
    """A statement without any text."""

    ends_failure = True

    def __init__(self, oids: list[int]) -> None:
        self.parameter_types = [BY_OID.get(oid, TEXT) for oid in oids]

    def start(self, raw: object, formats: object, wanted: object) -> Portal:
        return EmptyPortal()


class EmptyPortal(Portal):
    """Which is answered by a message of its own."""


class Scroll:
    """A cursor of SQL's: a question that is read by FETCH, in the formats that the fetching statement asks for.

    at : how many rows lie before the place where it stands; the row it stands on is the last of these
    """

    def __init__(
        self, client: Client, plan: Plan, values: list[Any], is_binary: bool, scrolls: bool, held: bool, inside: bool
    ) -> None:
        self._client, self._plan, self._values = client, plan, values
        self._is_binary, self.scrolls, self.held, self.settled = is_binary, scrolls, held, not inside
        self.at = 0
        self._formats: list[int] = []
        self._rows = self._begin(client.lease)

    def _begin(self, lease: Lease) -> Rows:
        self.at = 0
        wanted = [messages.BINARY_FORMAT] if self._is_binary else self._formats
        return Rows(self._client, self._plan, self._values, wanted, lease)

    def fields(self, formats: Sequence[int]) -> list[Field]:
        self._as(formats)
        return self._rows.fields

    def _as(self, formats: Sequence[int]) -> None:
        """Answer in these formats from now on, at the same place."""
        if list(formats) != self._formats and not self._is_binary:
            self._formats, at = list(formats), self.at
            self._again()
            self.skip(at)

    def _again(self) -> None:
        """Begin again, on the same snapshot."""
        old = self._rows
        self._rows = self._begin(old.lease)
        old.close()

    def skip(self, n: int) -> int:
        """Go forward over rows; returns over how many."""
        if n <= 0:
            return 0
        before = self._rows.n_rows
        for _ in self._rows.take(n):
            pass
        self.at += self._rows.n_rows - before
        return self._rows.n_rows - before

    def forward(self, n: int | None, formats: Sequence[int]) -> Iterator[memoryview]:
        """The next rows; None: all that are left."""
        self._as(formats)
        if n == 0:
            return
        before = self._rows.n_rows
        yield from self._rows.take(n or 0)
        self.at += self._rows.n_rows - before

    def go_to(self, row: int, formats: Sequence[int]) -> Iterator[memoryview]:
        """The row of a number, from 1; negative: from the end. No row where there is none."""
        self._as(formats)
        if row < 0:
            self._finish()
            row = max(self.at + row + 1, 0)
        if row <= self.at:
            self._back()
        if row > 1:
            self.skip(row - 1 - self.at)
        if row > 0:
            yield from self.forward(1, formats)

    def _finish(self) -> None:
        while self.skip(10_000):
            pass

    def _back(self) -> None:
        if self.at or self._rows.done:
            if not self.scrolls:
                raise PgError("55000", "cursor can only scan forward", hint="Declare it with SCROLL option.")
            self._again()

    def backward(self, n: int | None, formats: Sequence[int]) -> Iterator[memoryview]:
        """The rows before, the nearest first."""
        self._as(formats)
        stop = self.at if self._rows.done else self.at - 1  # read to its end, it stands behind the last row
        start = 0 if n is None else max(stop - n, 0)
        for row in range(stop, start, -1):
            yield from self.go_to(row, formats)
        if start == 0:
            self._back()

    def close(self) -> None:
        self._rows.close()
