"""DECLARE, FETCH, MOVE and CLOSE: answers that SQL reads in steps."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

from .errors import PgError
from .lexing import Part
from .planning import values_of
from .portals import Act, Portal, Question, Scroll, Statement
from .words import Words, syntax

if TYPE_CHECKING:
    from .client import Client
    from .messages import Field


def declare(client: Client, part: Part) -> Statement:
    words = Words(part)
    name = words.name()
    options: set[str] = set()
    while option := words.take("binary", "asensitive", "insensitive", "scroll", "no"):
        options.add("no scroll" if option == "no" and words.need("scroll") else option)
    words.need("cursor")
    held = bool(words.take("with")) and bool(words.need("hold"))
    if words.take("without"):
        words.need("hold")
    words.need("for")
    question = Question(client, words.rest())

    return _Declare(client, name, question, options, held)


class _Declare(Statement):
    """DECLARE: its question may have parameters, which come with it."""

    def __init__(self, client: Client, name: str, question: Question, options: set[str], held: bool) -> None:
        self._client, self._name, self._question, self._options, self._held = client, name, question, options, held
        self.parameter_types = question.parameter_types

    def start(self, raw: Sequence[bytes | None], formats: Sequence[int], wanted: Sequence[int]) -> Portal:
        plan = self._question.plan()
        values = values_of(plan, raw, formats)
        client = self._client

        def act() -> str:
            if client.transaction is None and not self._held:
                raise PgError("25P01", "DECLARE CURSOR can only be used in transaction blocks")
            if self._name in client.cursors:
                raise PgError("42P03", f'cursor "{self._name}" already exists')
            if len(client.cursors) >= client.limits.portals:
                raise PgError("53400", f"a client may have {client.limits.portals} cursors open: close some")
            client.cursors[self._name] = Scroll(
                client, plan, values, "binary" in self._options, "scroll" in self._options, self._held,
                client.transaction is not None,
            )  # fmt: skip
            return "DECLARE CURSOR"

        return Act(act).start((), (), ())


class _Fetch(Statement):
    """FETCH or MOVE."""

    def __init__(self, client: Client, name: str, way: str, count: int | None, is_move: bool) -> None:
        self._client, self._name, self._way, self._count, self._is_move = client, name, way, count, is_move

    def _cursor(self) -> Scroll:
        if self._name not in self._client.cursors:
            raise PgError("34000", f'cursor "{self._name}" does not exist')
        return self._client.cursors[self._name]

    def fields(self) -> list[Field] | None:
        return None if self._is_move else [f._replace(format=0) for f in self._cursor().fields([])]

    def start(self, raw: Sequence[bytes | None], formats: Sequence[int], wanted: Sequence[int]) -> Portal:
        return Fetching(self._cursor(), self._way, self._count, self._is_move, wanted)


class Fetching(Portal):
    def __init__(self, cursor: Scroll, way: str, count: int | None, is_move: bool, wanted: Sequence[int]) -> None:
        self._cursor, self._way, self._count, self._is_move = cursor, way, count, is_move
        self._wanted = list(wanted)
        self._left: Iterator[Any] | None = None
        self.fields = None if is_move else cursor.fields(wanted)

    def _chosen(self) -> Iterator[memoryview]:
        cursor, count = self._cursor, self._count
        if self._way == "absolute":
            return cursor.go_to(count or 0, self._wanted)
        if self._way == "relative":
            return cursor.go_to(max(cursor.at + (count or 0), 0), self._wanted)
        if self._way == "backward" or (count is not None and count < 0):
            backwards = -(count or 0) if self._way == "forward" else count
            if backwards is not None and backwards < 0:
                return cursor.forward(-backwards, self._wanted)
            if backwards == 0:
                return cursor.go_to(cursor.at, self._wanted)
            return cursor.backward(backwards, self._wanted)
        if count == 0:
            return cursor.go_to(cursor.at, self._wanted)
        return cursor.forward(count, self._wanted)

    def take(self, n: int = 0) -> Iterator[bytes | memoryview]:
        if self.done:
            return
        total = 0
        for some in self._chosen():
            total += _count(some)
            if not self._is_move:
                yield some
        self.done = True
        self.tag = f"{'MOVE' if self._is_move else 'FETCH'} {total}"


def _count(data: memoryview) -> int:
    """How many messages a buffer holds."""
    n = at = 0
    while at < len(data):
        at += 1 + int.from_bytes(data[at + 1 : at + 5], "big")
        n += 1
    return n


_ONE = {"next": ("forward", 1), "prior": ("backward", 1), "first": ("absolute", 1), "last": ("absolute", -1)}


def fetch(is_move: bool, client: Client, part: Part) -> Statement:
    words = Words(part)
    way, count = "forward", 1
    many: int | None = 1
    if one := words.take(*_ONE):
        way, many = _ONE[one]
    elif kind := words.take("absolute", "relative"):
        way, many = kind, _whole(words)
    elif words.peek() in ("forward", "backward", "all") or (words.peek()[:1] in "-+0123456789" and words.peek()):
        way = words.take("forward", "backward") or "forward"
        if words.take("all"):
            many = None
        else:
            many = _whole(words) if words.peek()[:1] in "-+0123456789" and words.peek() else count
    words.take("from", "in")
    name = words.name()
    words.end()
    return _Fetch(client, name, way, many, is_move)


def _whole(words: Words) -> int:
    sign = -1 if words.take("-", "+") == "-" else 1
    token = words.token("number")
    if not token.text.isdigit():
        raise syntax(words.part, words.at - 1)
    return sign * int(token.text)


def close(client: Client, part: Part) -> Statement:
    words = Words(part)
    name = None if words.take("all") else words.name()
    words.end()

    def act() -> str:
        if name is not None and name not in client.cursors:
            raise PgError("34000", f'cursor "{name}" does not exist')
        for one in list(client.cursors) if name is None else [name]:
            client.cursors.pop(one).close()
        return "CLOSE CURSOR" if name is not None else "CLOSE CURSOR ALL"

    return Act(act)
