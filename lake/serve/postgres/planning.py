"""A client's questions: read, translated where need be, admitted, and bound to types.

Everything the lake is asked goes through here, and through the admission of its sessions: nothing else reads.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb

from ...admission import admit
from ...errors import QueryError
from ...mistakes import explained, located
from .errors import PgError, as_pg_error, position_in
from .inference import infer, named_types, sample
from .lexing import Edited, Part, parameters, split, with_parameters
from .messages import BINARY_FORMAT, TEXT_FORMAT
from .types import (
    BY_NAME,
    BY_OID,
    OID,
    TEXT,
    PgType,
    array_of,
    duckdb_of,
    oid_of,
)
from .values import decode

if TYPE_CHECKING:
    from ...session import Session
    from .client import Client

PLANS_KEPT = 300
_LONG = 20_000  # characters; longer texts are not kept
_UNKNOWN_OID = 705
_TRANSLATED = ("42601", "42883")  # errors that another dialect could be the reason of


class Column(NamedTuple):
    """A column of an answer, for DuckDB and for clients."""

    name: str
    kind: Any
    pg: PgType


@dataclass(frozen=True)
class Plan:
    """A question that has been admitted and bound: what it takes and what it gives.

    sql : what DuckDB is asked, with ``$n`` in it
    types : DuckDB's type of each parameter
    literals : parameters whose texts take any type, as a literal does; their places decide
    catalogue : whether the catalogue's own database answers it
    """

    part: Part
    sql: Part
    types: Mapping[int, str]
    parameter_types: tuple[PgType, ...]
    literals: frozenset[int]
    columns: tuple[Column, ...]
    catalogue: bool
    snapshot_id: int
    explains: bool = False
    passing: bool = False  # what the client is and has set stands in it
    later: PgError | None = None  # why it cannot be bound before its values are there

    def executed(self, values: Sequence[Any]) -> Edited:
        """The text to run: a parameter is cast to its type, or stands in it as a literal."""

        def place(n: int) -> str:
            if self._stands_in(n, values):
                return _literal(values[n - 1])
            kind = self.types[n]
            return f"${n}" if kind.startswith(("DECIMAL", "HUGEINT")) else f"(${n}::{kind})"

        return with_parameters(self.sql, place)

    def asked(self, values: Sequence[Any]) -> str:
        """The text by which the session tells what the question rests on."""
        return with_parameters(
            self.sql, lambda n: _literal(values[n - 1]) if self._stands_in(n, values) else f"${n}"
        ).text

    def _stands_in(self, n: int, values: Sequence[Any]) -> bool:
        """Whether a parameter is written into the text: a long one could make that too long."""
        return n in self.literals and len(str(values[n - 1])) <= _LONG

    def given(self, values: Sequence[Any]) -> dict[str, Any] | None:
        """The values that DuckDB is given, by name."""
        used = {int(token.text[1:]) for token in self.sql.tokens if token.kind == "parameter"}
        return {str(n): values[n - 1] for n in sorted(used) if not self._stands_in(n, values)} or None


class Plans:
    """Plans of all clients, by text: the same question is bound once a snapshot."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[int, str, tuple[int, ...]], Plan] = OrderedDict()

    def get(self, key: tuple[int, str, tuple[int, ...]]) -> Plan | None:
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
                return self._kept[key]
        return None

    def keep(self, key: tuple[int, str, tuple[int, ...]], plan: Plan) -> None:
        if len(plan.part.text) > _LONG:
            return
        with self._lock:
            self._kept[key] = plan
            while len(self._kept) > PLANS_KEPT:
                self._kept.popitem(last=False)


def make_plan(client: Client, part: Part, oids: Sequence[int]) -> Plan:
    """Read and bind a question on the client's snapshot. Raises PgError."""
    lease = client.lease
    key = (lease.snapshot_id, part.text, tuple(oids))
    if found := client.plans.get(key):
        return found
    try:
        rewritten = client.catalogue(lease.session).rewrite(part.text, client.context)
    except (duckdb.Error, QueryError) as error:
        raise as_pg_error(error) from None
    if rewritten is not None and rewritten.cursor is not None:
        with rewritten.cursor as cursor:
            return _bound(client, cursor, part, _one(rewritten.sql), oids, True, rewritten.types)
    plan = _of_lake(client, part, part if rewritten is None else _one(rewritten.sql), oids)
    if rewritten is None:
        client.plans.keep(key, plan)
    return plan


def _one(text: str) -> Part:
    found = split(text)
    return found[0] if len(found) == 1 else Part(text, 0, ())


def _of_lake(client: Client, part: Part, sql: Part, oids: Sequence[int]) -> Plan:
    """A question as DuckDB reads it; where it does not, or lacks a function, as it is translated from PostgreSQL's."""
    try:
        return _admitted(client, part, sql, oids)
    except PgError as first:
        if first.code in _TRANSLATED and (translated := _translated(sql.text)) not in (None, sql.text):
            with contextlib.suppress(PgError):
                return _admitted(client, part, _one(str(translated)), oids)
        raise


def _admitted(client: Client, part: Part, sql: Part, oids: Sequence[int]) -> Plan:
    session = client.lease.session
    try:
        with session.cursor("") as cursor:
            admit(cursor, sql.text)
        with session.cursor(sql.text) as cursor:
            return _bound(client, cursor, part, sql, oids, False, ())
    except (duckdb.Error, QueryError) as error:
        raise in_own_text(_placed(error, Edited(sql.text, ()), part, sql.text, 0), part, sql) from None
    except PgError as error:
        raise in_own_text(error, part, sql) from None


def in_own_text(error: PgError, part: Part, sql: Part) -> PgError:
    """An error without its place where that is in a text which is not the client's."""
    if sql.text != part.text:
        error.position = None
    return error


def _translated(text: str) -> str | None:
    import sqlglot

    try:
        found = sqlglot.transpile(text, read="postgres", write="duckdb")
    except (sqlglot.errors.SqlglotError, RecursionError):
        return None
    return found[0] if len(found) == 1 else None


def _bound(
    client: Client,
    cursor: duckdb.DuckDBPyConnection,
    part: Part,
    sql: Part,
    oids: Sequence[int],
    catalogue: bool,
    named: Sequence[str | None],
) -> Plan:
    count = max(parameters(sql), parameters(part), len(oids))
    declared = {
        n: duckdb_of(BY_OID[oid]) for n, oid in enumerate(oids, start=1) if oid in BY_OID and oid != _UNKNOWN_OID
    }
    with client.working(cursor):
        types = infer(sql, declared, count, lambda: _empty(client, cursor, sql, catalogue), cursor) if count else {}
    names_relations = any(token.text.lower() == "query_table" for token in sql.tokens)
    literals = frozenset(n for n, kind in types.items() if kind == "VARCHAR" and (n not in declared or names_relations))
    said = named_types(part) | {n: BY_OID[oids[n - 1]] for n in declared}
    pgs = tuple(said.get(n) or oid_of(types[n])._replace(modifier=-1) for n in range(1, count + 1))
    explains = bool(sql.tokens) and sql.tokens[0].text.lower() == "explain"
    columns: tuple[Column, ...] = ()
    later: PgError | None = None
    if explains:
        columns = (Column("QUERY PLAN", "VARCHAR", TEXT),)
    else:
        edited = with_parameters(sql, lambda n: "null" if n in literals else sample(types[n]))
        try:
            with client.working(cursor):
                columns = _columns(client.lease.session, cursor, edited, part, named)
        except PgError as error:
            if not count or not _is_about_values(error):
                raise
            later = error
    if catalogue:  # whose only long integers in arrays are oids
        columns = tuple(c._replace(pg=array_of(OID)) if c.pg == oid_of("BIGINT[]") else c for c in columns)
    passing = sql is not part and not catalogue
    return Plan(part, sql, types, pgs, literals, columns, catalogue, client.lease.snapshot_id, explains, passing, later)


def _is_about_values(error: PgError) -> bool:
    """Whether DuckDB complains of the samples that stood for the values to come."""
    return error.code[:2] == "22" or error.code in ("P0002", "42704") or "NULL" in error.message


def _empty(
    client: Client, cursor: duckdb.DuckDBPyConnection, sql: Part, catalogue: bool
) -> contextlib.AbstractContextManager[duckdb.DuckDBPyConnection]:
    """A cursor on relations without rows, whose plans can be read; the catalogue's can be read anyway."""
    if catalogue:
        return contextlib.nullcontext(cursor)
    return client.empty_session(client.lease.session).cursor(sql.text)


def _columns(
    session: Session, cursor: duckdb.DuckDBPyConnection, edited: Edited, part: Part, named: Sequence[str | None]
) -> tuple[Column, ...]:
    try:
        bound = cursor.sql(edited.text)
    except duckdb.Error as error:
        raise mistake(located(cursor, edited.text, None) or error, session, edited, part, edited.text, 0) from None
    if bound is None:
        return ()
    told = [BY_NAME.get(name or "") for name in named] + [None] * len(bound.columns)
    return tuple(
        Column(name, kind, pg or oid_of(kind)) for name, kind, pg in zip(bound.columns, bound.types, told, strict=False)
    )


def mistake(error: duckdb.Error, session: Session, edited: Edited, part: Part, run: str, before: int) -> PgError:
    """DuckDB's complaint about a question, with the nearest names, and the place in the client's own text."""
    told = as_pg_error(explained(error, session, part.text))
    return _placed(told, edited, part, run, before, str(error))


def _placed(error: Exception, edited: Edited, part: Part, run: str, before: int, said: str | None = None) -> PgError:
    told = as_pg_error(error)
    at = position_in(said or str(error), run)
    if at is not None and before <= at <= before + len(edited.text) and told.position is None:
        told.position = part.start + edited.original(at - before) + 1
    return told


def _literal(value: Any) -> str:
    return "null" if value is None else "'" + str(value).replace("'", "''") + "'"


def values_of(plan: Plan, raw: Sequence[bytes | None], formats: Sequence[int]) -> list[Any]:
    """Parameters as they came with Bind."""
    if len(raw) != len(plan.parameter_types):
        wanted = len(plan.parameter_types)
        raise PgError("08P01", f"bind message supplies {len(raw)} parameters, but the statement requires {wanted}")
    codes = spread(formats, len(raw))
    return [decode(one, fmt, pg) for one, fmt, pg in zip(raw, codes, plan.parameter_types, strict=True)]


def spread(formats: Sequence[int], n: int) -> list[int]:
    """Format codes as Bind gives them, none or one for all, one for each."""
    if len(formats) not in (0, 1, n):
        raise PgError("08P01", f"there are {len(formats)} format codes for {n} columns or parameters")
    if any(fmt not in (TEXT_FORMAT, BINARY_FORMAT) for fmt in formats):
        raise PgError("22023", "a format code is neither text (0) nor binary (1)")
    return list(formats) * n if len(formats) == 1 else list(formats) or [TEXT_FORMAT] * n
