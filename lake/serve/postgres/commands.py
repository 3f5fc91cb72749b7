"""Statements that are no question to the lake: transactions, settings, cursors, prepared statements, and refusals."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from .copying import Copy
from .errors import PgError
from .lexing import Part, split
from .portals import Act, Portal, Question, Scroll, Statement, Told
from .settings import unknown
from .types import by_name
from .words import Words, syntax

if TYPE_CHECKING:
    from .client import Client
    from .messages import Field

_WRITING = frozenset(
    {
        "insert", "update", "delete", "merge", "replace", "truncate", "create", "drop", "alter", "comment", "grant",
        "revoke", "vacuum", "reindex", "cluster", "refresh", "import", "export", "attach", "detach", "install", "load",
        "call", "do", "security", "checkpoint", "reassign", "use", "pragma", "force", "upsert",
    }
)  # fmt: skip

# What a transaction that has failed still takes.
ENDING = frozenset({"commit", "end", "rollback", "abort"})

_QUERIES_SHOWN = frozenset({"tables", "databases", "schemas", "from"})  # what DuckDB's own SHOW lists


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


# -- transactions -----------------------------------------------------------------------------------------------------

_REPEATABLE = re.compile(r"isolation level (repeatable read|serializable)")


def _begin(client: Client, part: Part) -> Statement:
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
        client.status = "T"
        return "ROLLBACK"

    return Act(act, ends_failure=True)


def _savepoint(client: Client, part: Part) -> Statement:
    words = Words(part)
    name = words.name()
    words.end()

    def act() -> str:
        _in_transaction(client, "SAVEPOINT").savepoints.append(name)
        return "SAVEPOINT"

    return Act(act)


def _release(client: Client, part: Part) -> Statement:
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


def _in_transaction(client: Client, what: str) -> Any:
    if client.transaction is None:
        raise PgError("25P01", f"{what} can only be used in transaction blocks")
    return client.transaction


def _abort(client: Client, part: Part) -> Statement:
    return _end(False, client, part)


def _commit(client: Client, part: Part) -> Statement:
    return _end(True, client, part)


# -- settings ---------------------------------------------------------------------------------------------------------


def _set(client: Client, part: Part) -> Statement | None:
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


def _reset(client: Client, part: Part) -> Statement:
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


def _show(client: Client, part: Part) -> Statement | None:
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


def _discard(client: Client, part: Part) -> Statement:
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


def _nothing(tag: str, client: Client, part: Part) -> Statement:
    return Act(lambda: tag)


def _lock(client: Client, part: Part) -> Statement:
    if re.search(r"\bin\s+(?!access\s+share\b)\w+", part.text, re.IGNORECASE):
        raise PgError("25006", "cannot execute LOCK TABLE in a read-only transaction: this server only reads")
    return Act(lambda: "LOCK TABLE")


# -- cursors ----------------------------------------------------------------------------------------------------------


def _declare(client: Client, part: Part) -> Statement:
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
        from .queries import values_of

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


def _fetch(is_move: bool, client: Client, part: Part) -> Statement:
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


def _close(client: Client, part: Part) -> Statement:
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


# -- prepared statements ----------------------------------------------------------------------------------------------


def _prepare(client: Client, part: Part) -> Statement:
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


def _execute(client: Client, part: Part) -> Statement:
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
    from .messages import Reader

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


def _deallocate(client: Client, part: Part) -> Statement:
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


def _copy(client: Client, part: Part) -> Statement:
    return Copy(client, part)


def _analyze(client: Client, part: Part) -> Statement:
    return Act(lambda: "ANALYZE")


_COMMANDS: dict[str, Callable[[Client, Part], Statement | None]] = {
    "begin": _begin, "start": _begin, "commit": _commit, "end": _commit, "rollback": _abort, "abort": _abort,
    "savepoint": _savepoint, "release": _release,
    "set": _set, "reset": _reset, "show": _show, "discard": _discard,
    "declare": _declare, "fetch": partial(_fetch, False), "move": partial(_fetch, True), "close": _close,
    "prepare": _prepare, "execute": _execute, "deallocate": _deallocate,
    "copy": _copy, "analyze": _analyze, "analyse": _analyze, "lock": _lock,
    "listen": partial(_nothing, "LISTEN"), "unlisten": partial(_nothing, "UNLISTEN"),
    "notify": partial(_nothing, "NOTIFY"),
}  # fmt: skip
