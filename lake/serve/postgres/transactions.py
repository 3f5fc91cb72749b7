"""BEGIN, COMMIT, ROLLBACK and savepoints: nothing is written, so they are about what is seen, set and open."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from .client import IN_TRANSACTION, Transaction
from .errors import PgError
from .lexing import Part
from .portals import Act, Statement
from .words import Words

if TYPE_CHECKING:
    from .client import Client

_REPEATABLE = re.compile(r"isolation level (repeatable read|serializable)")


def begin(client: Client, part: Part) -> Statement:
    modes = " ".join(part.words(20)[1:])
    if re.search(r"\bread write\b", modes):
        raise PgError("25006", "this server only reads: a transaction cannot be READ WRITE")
    default = client.settings["default_transaction_isolation"].lower()
    repeatable = bool(_REPEATABLE.search(modes)) or (
        "isolation level" not in modes and default in ("repeatable read", "serializable")
    )

    def act() -> str:
        client.begin_transaction(repeatable)
        return "BEGIN" if part.words(1) == ["begin"] else "START TRANSACTION"

    return Act(act)


def _end(commit: bool, client: Client, part: Part) -> Statement:
    words = Words(part)
    words.take("work", "transaction")
    if words.take("to"):
        words.take("savepoint")
        return _rollback_to(client, words.name())
    if words.take("prepared"):
        raise PgError("0A000", "prepared transactions are not supported")
    chain = bool(words.take("and")) and not words.take("no") and bool(words.need("chain"))
    words.take("chain")
    words.end()

    def act() -> str:
        repeatable = client.transaction is not None and client.transaction.repeatable
        tag = client.end_transaction(commit)
        if chain:
            client.begin_transaction(repeatable)
        return tag

    return Act(act, ends_failure=True)


def _rollback_to(client: Client, name: str) -> Statement:
    def act() -> str:
        transaction = _in_transaction(client, "ROLLBACK TO SAVEPOINT")
        if name not in transaction.savepoints:
            raise PgError("3B001", f'savepoint "{name}" does not exist')
        last = len(transaction.savepoints) - transaction.savepoints[::-1].index(name)
        del transaction.savepoints[last:]
        client.status = IN_TRANSACTION
        return "ROLLBACK"

    return Act(act, ends_failure=True)


def savepoint(client: Client, part: Part) -> Statement:
    words = Words(part)
    name = words.name()
    words.end()

    def act() -> str:
        _in_transaction(client, "SAVEPOINT").savepoints.append(name)
        return "SAVEPOINT"

    return Act(act)


def release(client: Client, part: Part) -> Statement:
    words = Words(part)
    words.take("savepoint")
    name = words.name()
    words.end()

    def act() -> str:
        transaction = _in_transaction(client, "RELEASE SAVEPOINT")
        if name not in transaction.savepoints:
            raise PgError("3B001", f'savepoint "{name}" does not exist')
        del transaction.savepoints[len(transaction.savepoints) - 1 - transaction.savepoints[::-1].index(name) :]
        return "RELEASE"

    return Act(act)


def _in_transaction(client: Client, what: str) -> Transaction:
    if client.transaction is None:
        raise PgError("25P01", f"{what} can only be used in transaction blocks")
    return client.transaction


def abort(client: Client, part: Part) -> Statement:
    return _end(False, client, part)


def commit(client: Client, part: Part) -> Statement:
    return _end(True, client, part)
