"""Statements that are no question to the lake: transactions, settings, cursors, prepared statements, and refusals."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING

from ...admission import MOST_CHARACTERS
from . import cursors, preparing, set_and_show, transactions
from .copying import Copy
from .errors import PgError
from .lexing import Part, split
from .portals import Question, Statement

if TYPE_CHECKING:
    from .client import Client

_WRITING = frozenset(
    {
        "insert", "update", "delete", "merge", "replace", "truncate", "create", "drop", "alter", "comment", "grant",
        "revoke", "vacuum", "reindex", "cluster", "refresh", "import", "export", "attach", "detach", "install", "load",
        "call", "do", "security", "checkpoint", "reassign", "use", "pragma", "force", "upsert",
    }
)  # fmt: skip

# What a transaction that has failed still takes.
ENDING = frozenset({"commit", "end", "rollback", "abort"})


def statements(text: str) -> list[Part]:
    """The statements of a text. Raises PgError where it is too long to be looked through."""
    if len(text) > MOST_CHARACTERS:
        raise PgError("54000", f"a text of {len(text):,} characters is too long: bind values as parameters instead")
    return split(text)


def read(client: Client, part: Part, oids: Sequence[int] = ()) -> Statement:
    """A statement of a client's, by what it begins with. Raises PgError for what is not for reading."""
    word = part.tokens[0].text.lower()
    if make := _COMMANDS.get(word):
        statement = make(client, part)
        if statement is not None:
            return statement
    if word in _WRITING:
        raise PgError("25006", f"cannot execute {_named(part)} in a read-only transaction: this server only reads")
    return Question(client, part, oids)


def _named(part: Part) -> str:
    words = [t.text.upper() for t in part.tokens[:2] if t.kind == "word"]
    two = words[0] in ("CREATE", "DROP", "ALTER", "IMPORT", "REFRESH") and len(words) > 1
    return " ".join(words[: 2 if two else 1])


_COMMANDS: dict[str, Callable[[Client, Part], Statement | None]] = {
    "begin": transactions.begin,
    "start": transactions.begin,
    "commit": transactions.commit,
    "end": transactions.commit,
    "rollback": transactions.abort,
    "abort": transactions.abort,
    "savepoint": transactions.savepoint,
    "release": transactions.release,
    "set": set_and_show.set_,
    "reset": set_and_show.reset,
    "show": set_and_show.show,
    "discard": set_and_show.discard,
    "lock": set_and_show.lock,
    "listen": partial(set_and_show.nothing, "LISTEN"),
    "unlisten": partial(set_and_show.nothing, "UNLISTEN"),
    "notify": partial(set_and_show.nothing, "NOTIFY"),
    "analyze": partial(set_and_show.nothing, "ANALYZE"),
    "analyse": partial(set_and_show.nothing, "ANALYZE"),
    "declare": cursors.declare,
    "fetch": partial(cursors.fetch, False),
    "move": partial(cursors.fetch, True),
    "close": cursors.close,
    "prepare": partial(preparing.prepare, read),
    "execute": preparing.execute,
    "deallocate": preparing.deallocate,
    "copy": Copy,
}
