"""SET, SHOW, RESET, DISCARD, and statements that have no effect here."""

from __future__ import annotations

import re
from functools import partial
from typing import TYPE_CHECKING

from .errors import PgError
from .lexing import Part
from .portals import Act, Statement, Told
from .settings import unknown
from .words import Words

if TYPE_CHECKING:
    from .client import Client

# What DuckDB's own SHOW lists.
_QUERIES_SHOWN = frozenset({"tables", "databases", "schemas", "from"})


def set_(client: Client, part: Part) -> Statement | None:
    words = Words(part)
    local = words.take("session", "local") == "local"
    if words.peek() == "characteristics" or words.peek() == "transaction":
        return _set_transaction(client, words)
    if words.take("role"):
        wanted = words.take() if words.peek() in ("none", "default") else words.token("word", "quoted", "string").value
        return Act(partial(_same_user, client, wanted))
    if words.take("authorization"):
        return Act(partial(_same_user, client, words.token("word", "quoted", "string").value))
    if words.peek() == "constraints":
        return Act(lambda: "SET CONSTRAINTS")
    if words.take("names"):
        name = "client_encoding"
    elif words.take("time"):
        words.need("zone")
        name = "timezone"
    else:
        name = _setting_name(words)
        words.need("to", "=")
    value = _setting_value(words)

    def act() -> str:
        key = client.settings.name(name)
        if local:
            if client.transaction is None:
                client.notice("25P01", "SET LOCAL can only be used in transaction blocks", "WARNING")
                return "SET"
            client.transaction.outer.setdefault(key, client.settings.snapshot().get(key))
        if value is None:
            del client.settings[key]
        else:
            client.settings[key] = value
        return "SET"

    return Act(act)


def _setting_name(words: Words) -> str:
    name = words.name()
    while words.take("."):
        name += "." + words.name()
    return name


def _setting_value(words: Words) -> str | None:
    """One value, or several with commas between them; None: the default."""
    if words.peek() in ("default",) and not words.peek(1):
        return None
    values: list[str] = []
    while True:
        sign = words.take("-", "+").replace("+", "")
        token = words.token("word", "quoted", "string", "number")
        value = token.value
        if token.kind == "word" and token.value == "interval" and words.peek().startswith("'"):
            value = words.token("string").value
        values.append(sign + (value if token.kind != "word" else token.text))
        if not words.take(","):
            break
    words.end()
    return ", ".join(values)


def _set_transaction(client: Client, words: Words) -> Statement:
    modes = words.rest().text.lower()
    if re.search(r"\bread\s+write\b", modes):
        raise PgError("25006", "this server only reads: a transaction cannot be READ WRITE")
    level = re.search(
        r"isolation\s+level\s+(serializable|repeatable\s+read|read\s+committed|read\s+uncommitted)", modes
    )
    is_default = words.peek() == "characteristics"

    def act() -> str:
        if level:
            wanted = " ".join(level[1].split())
            if is_default:
                client.settings["default_transaction_isolation"] = wanted
            elif client.transaction is not None:
                client.transaction.repeatable = wanted in ("serializable", "repeatable read")
        return "SET"

    return Act(act)


def _same_user(client: Client, wanted: str) -> str:
    if wanted.lower() not in ("none", "default", client.context.user.lower()):
        raise PgError("42501", f'permission denied to set role "{wanted}"')
    return "SET"


def reset(client: Client, part: Part) -> Statement:
    words = Words(part)
    if words.take("all"):
        words.end()

        def everything() -> str:
            client.settings.reset_all()
            return "RESET"

        return Act(everything)
    if words.take("role"):
        return Act(lambda: "RESET")
    if words.peek() == "session" and words.peek(1) == "authorization":
        return Act(lambda: "RESET")
    name = _two_words(words) or _setting_name(words)
    words.end()

    def act() -> str:
        del client.settings[name]
        return "RESET"

    return Act(act)


def _two_words(words: Words) -> str:
    if words.peek() == "time" and words.peek(1) == "zone":
        words.at += 2
        return "timezone"
    if words.peek() == "transaction" and words.peek(1) == "isolation":
        words.at += 2
        words.need("level")
        return "transaction_isolation"
    if words.peek() == "session" and words.peek(1) == "authorization":
        words.at += 2
        return "session_authorization"
    return ""


def show(client: Client, part: Part) -> Statement | None:
    words = Words(part)
    if words.peek() in _QUERIES_SHOWN or (words.peek() == "all" and words.peek(1) == "tables"):
        return None
    if words.peek() == "all" and not words.peek(1):
        return Told(
            ["name", "setting", "description"],
            lambda: [[name, client.settings[name], ""] for name in sorted(client.settings)],
            "SHOW",
        )
    name = _two_words(words) or _setting_name(words)
    words.end()
    key = client.settings.name(name)
    if key == "transaction_isolation":
        return Told([key], lambda: [[_isolation(client)]], "SHOW")
    if key == "brainlake.snapshot":
        return Told([key], lambda: [[str(client.lease.snapshot_id)]], "SHOW")
    if key not in client.settings:
        raise unknown(name)
    spelled = {"timezone": "TimeZone", "datestyle": "DateStyle", "intervalstyle": "IntervalStyle"}.get(key, key)
    return Told([spelled], lambda: [[client.settings.show(key)]], "SHOW")


def _isolation(client: Client) -> str:
    if client.transaction is None:
        return client.settings["default_transaction_isolation"]
    return "repeatable read" if client.transaction.repeatable else "read committed"


def discard(client: Client, part: Part) -> Statement:
    words = Words(part)
    what = words.need("all", "plans", "sequences", "temp", "temporary")
    words.end()

    def act() -> str:
        if what == "all":
            if client.transaction is not None:
                raise PgError("25001", "DISCARD ALL cannot run inside a transaction block")
            client.close_portals()
            while client.cursors:
                client.cursors.popitem()[1].close()
            client.statements.clear()
            client.settings.reset_all()
        return f"DISCARD {what.upper().replace('TEMPORARY', 'TEMP')}"

    return Act(act)


def nothing(tag: str, client: Client, part: Part) -> Statement:
    return Act(lambda: tag)


def lock(client: Client, part: Part) -> Statement:
    if re.search(r"\bin\s+(?!access\s+share\b)\w+", part.text, re.IGNORECASE):
        raise PgError("25006", "cannot execute LOCK TABLE in a read-only transaction: this server only reads")
    return Act(lambda: "LOCK TABLE")
