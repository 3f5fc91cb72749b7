"""PREPARE, EXECUTE and DEALLOCATE: prepared statements as SQL makes and uses them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from .errors import PgError
from .lexing import Part, split
from .messages import Reader
from .portals import Act, Portal, Question, Statement
from .types import by_name
from .words import Words, syntax

if TYPE_CHECKING:
    from .client import Client
    from .messages import Field

    Read = Callable[[Client, Part, Sequence[int]], Statement]


def prepare(read: Read, client: Client, part: Part) -> Statement:
    words = Words(part)
    name = words.name()
    oids: list[int] = []
    if words.take("("):
        while True:
            written = words.name()
            if words.take("precision", "varying"):
                pass
            is_array = bool(words.take("[")) and bool(words.need("]"))
            pg = by_name(written, is_array)
            oids.append(pg.oid if pg else 0)
            if words.need(",", ")") == ")":
                break
    words.need("as")
    inner = read(client, words.rest(), oids)

    def act() -> str:
        client.keep_statement(name, inner)
        return "PREPARE"

    return Act(act)


def execute(client: Client, part: Part) -> Statement:
    words = Words(part)
    name = words.name()
    if name not in client.statements:
        raise PgError("26000", f'prepared statement "{name}" does not exist')
    statement = client.statements[name]
    given = words.rest() if words.more else None
    if given is None:
        return _Executed(statement, [])
    if given.tokens[0].text != "(" or given.tokens[-1].text != ")":
        raise syntax(part, words.at)
    values = Question(client, split(f"select {given.text[1:-1]}")[0])
    portal = values.start((), (), ())
    found = list(portal.take())
    portal.close()
    return _Executed(statement, _cells(bytes(found[0])))


def _cells(row: bytes) -> list[bytes | None]:
    """The values of a DataRow."""
    reader = Reader(row[5:])
    return [reader.value() for _ in range(reader.uint16())]


class _Executed(Statement):
    """EXECUTE: a prepared statement with its values."""

    def __init__(self, statement: Statement, values: list[bytes | None]) -> None:
        self._statement, self._values = statement, values
        self.ends_failure = statement.ends_failure

    def fields(self) -> list[Field] | None:
        return self._statement.fields()

    def start(self, raw: Sequence[bytes | None], formats: Sequence[int], wanted: Sequence[int]) -> Portal:
        return self._statement.start(self._values, [], wanted)


def deallocate(client: Client, part: Part) -> Statement:
    words = Words(part)
    words.take("prepare")
    name = None if words.take("all") else words.name()
    words.end()

    def act() -> str:
        if name is None:
            client.statements.clear()
            return "DEALLOCATE ALL"
        if name not in client.statements:
            raise PgError("26000", f'prepared statement "{name}" does not exist')
        del client.statements[name]
        return "DEALLOCATE"

    return Act(act)
