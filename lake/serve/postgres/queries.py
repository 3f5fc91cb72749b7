"""A client's questions: read, bound to types, and answered in rows as the protocol carries them.

Everything the lake is asked goes through here, and through the admission of its sessions: nothing else reads.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import duckdb
import pyarrow as pa

from ...admission import admit
from ...errors import QueryError
from ...mistakes import explained, located, of_duckdb
from . import cells, rows
from .errors import PgError, as_pg_error, position_in
from .inference import infer, named_types, sample
from .lexing import Edited, Part, parameters, split, with_parameters
from .messages import BINARY_FORMAT, TEXT_FORMAT, Field
from .rows import Messages
from .types import (
    BY_NAME,
    BY_OID,
    FLOAT4,
    FLOAT8,
    INT2,
    INT4,
    INT8,
    NUMERIC,
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
    from ..snapshots import Lease
    from .client import Client

PLANS_KEPT = 1_000
_FEW_ROWS, _MANY_ROWS = 8, 8_192  # of a batch: any list may be long
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

    def executed(self, values: Sequence[Any]) -> Edited:
        """The text to run: a parameter is cast to its type, or stands in it as a literal."""

        def place(n: int) -> str:
            if n in self.literals:
                return _literal(values[n - 1])
            kind = self.types[n]
            return f"${n}" if kind.startswith(("DECIMAL", "HUGEINT")) else f"(${n}::{kind})"

        return with_parameters(self.sql, place)

    def given(self, values: Sequence[Any]) -> dict[str, Any] | None:
        """The values that DuckDB is given, by name."""
        used = {int(token.text[1:]) for token in self.sql.tokens if token.kind == "parameter"}
        return {str(n): values[n - 1] for n in sorted(used - self.literals)} or None


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
        raise _in_own_text(_placed(error, Edited(sql.text, ()), part, sql.text, 0), part, sql) from None
    except PgError as error:
        raise _in_own_text(error, part, sql) from None


def _in_own_text(error: PgError, part: Part, sql: Part) -> PgError:
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
    literals = frozenset(n for n, kind in types.items() if kind == "VARCHAR" and n not in declared)
    said = named_types(part) | {n: BY_OID[oids[n - 1]] for n in declared}
    pgs = tuple(said.get(n) or oid_of(types[n])._replace(modifier=-1) for n in range(1, count + 1))
    edited = with_parameters(sql, lambda n: "null" if n in literals else sample(types[n]))
    explains = bool(sql.tokens) and sql.tokens[0].text.lower() == "explain"
    columns: tuple[Column, ...] = ()
    if explains:
        columns = (Column("QUERY PLAN", "VARCHAR", TEXT),)
    else:
        with client.working(cursor):
            columns = _columns(client.lease.session, cursor, edited, part, named)
    if catalogue:  # whose only long integers in arrays are oids
        columns = tuple(c._replace(pg=array_of(OID)) if str(c.kind) == "BIGINT[]" else c for c in columns)
    passing = sql is not part and not catalogue
    return Plan(part, sql, types, pgs, literals, columns, catalogue, client.lease.snapshot_id, explains, passing)


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
        raise _mistake(located(cursor, edited.text, None) or error, session, edited, part, edited.text, 0) from None
    if bound is None:
        return ()
    told = [BY_NAME.get(name or "") for name in named] + [None] * len(bound.columns)
    return tuple(
        Column(name, kind, pg or oid_of(kind)) for name, kind, pg in zip(bound.columns, bound.types, told, strict=False)
    )


def _mistake(error: duckdb.Error, session: Session, edited: Edited, part: Part, run: str, before: int) -> PgError:
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


class Rows:
    """An answer as it comes: batches of messages, on the snapshot it began with. ``close()`` it.

    n_rows : sent so far
    done : whether all are
    """

    def __init__(
        self, client: Client, plan: Plan, values: list[Any], formats: Sequence[int], lease: Lease | None = None
    ) -> None:
        self.client, self.plan, self.values = client, plan, values
        self.n_rows, self.done = 0, False
        self.lease = (lease or client.lease).share()
        self._cursor: duckdb.DuckDBPyConnection | None = None
        self._batches: Iterator[Messages] | None = None
        self._left: tuple[Messages, int] | None = None
        try:
            self._edited = plan.executed(values)
            self.columns = plan.columns
            if plan.literals or "DECIMAL" in plan.types.values():  # whose values may decide on types
                self.columns = self._columns_now()
            self.formats = spread(formats, len(self.columns))
        except BaseException:
            self.close()
            raise

    @property
    def fields(self) -> list[Field]:
        return [Field(c.name, c.pg, fmt) for c, fmt in zip(self.columns, self.formats, strict=True)]

    def _open(self) -> duckdb.DuckDBPyConnection:
        session = self.lease.session
        if self.plan.catalogue:
            rewritten = self.client.catalogue(session).rewrite(self.plan.part.text, self.client.context)
            if rewritten is None or rewritten.cursor is None:
                raise PgError("XX000", "the catalogue changed its mind about a question")
            return rewritten.cursor
        return session.cursor(self.plan.sql.text, self.plan.given(self.values))

    def _columns_now(self) -> tuple[Column, ...]:
        cursor = self._cursor = self._open()
        try:
            with self.client.working(cursor):
                bound = cursor.sql(self._edited.text, params=self.plan.given(self.values))
        except duckdb.Error as error:
            raise self._mistake(error, self._edited.text, 0) from None
        kinds = bound.types if bound is not None else []
        return tuple(_now(c, kind) for c, kind in zip(self.plan.columns, kinds, strict=True))

    def _mistake(self, error: duckdb.Error, run: str, before: int) -> PgError:
        told = _mistake(error, self.lease.session, self._edited, self.plan.part, run, before)
        return _in_own_text(told, self.plan.part, self.plan.sql)

    def _query(self) -> tuple[str, int]:
        """The question with its columns as they are sent, and where in it the client's part begins."""
        names = [f"c{i}" for i in range(len(self.columns))]
        sent = [
            self._sent(name, column, fmt) for name, column, fmt in zip(names, self.columns, self.formats, strict=True)
        ]
        before = f"select {', '.join(f'{e} as {n}' for e, n in zip(sent, names, strict=True))} from ("
        return f"{before}{self._edited.text}\n) as q({', '.join(names)})", len(before)

    def _sent(self, expression: str, column: Column, fmt: int) -> str:
        if fmt == TEXT_FORMAT:
            return cells.sent(expression, column.kind, column.pg)
        return cells.plain(expression, column.kind, column.pg)

    def _encode(self, batch: pa.RecordBatch) -> Messages:
        return rows.data_rows(batch, [c.pg for c in self.columns], self.formats)

    def _start(self) -> Iterator[Messages]:
        cursor = self._cursor = self._cursor or self._open()
        if self.plan.explains:
            return self._explanation(cursor)
        query, before = self._query()
        try:
            with self.client.working(cursor):
                bound = cursor.sql(query, params=self.plan.given(self.values))
                reader = bound.to_arrow_reader(_MANY_ROWS if _are_light(self.columns) else _FEW_ROWS)
        except duckdb.Error as error:
            raise self._mistake(error, query, before) from None
        return self._encoded(reader, query, before)

    def _encoded(self, reader: pa.RecordBatchReader, query: str, before: int) -> Iterator[Messages]:
        while True:
            try:
                with self.client.working(self._cursor):
                    batch = next(reader, None)
            except duckdb.Error as error:
                raise self._mistake(error, query, before) from None
            except (pa.ArrowException, OSError) as error:
                raise self._mistake(of_duckdb(error), query, before) from None
            if batch is None:
                return
            if batch.num_rows:
                yield self._encode(batch)

    def _explanation(self, cursor: duckdb.DuckDBPyConnection) -> Iterator[Messages]:
        try:
            with self.client.working(cursor):
                found = cursor.execute(self._edited.text, self.plan.given(self.values)).fetchall()
        except duckdb.Error as error:
            raise self._mistake(error, self._edited.text, 0) from None
        lines = str(found[-1][1]).rstrip().split("\n")  # of several plans, the one that is run
        yield self._encode(pa.record_batch({"c0": pa.array(lines, pa.string())}))

    def take(self, n: int = 0) -> Iterator[memoryview]:
        """The next ``n`` rows as messages, or all that are left. Afterwards ``done`` tells whether there are more."""
        if self._batches is None:
            self._batches = self._start()
        wanted = n or None
        while wanted is None or wanted > 0:
            messages, at = self._left or (next(self._batches, None), 0)
            if messages is None:
                self.done = True
                return
            stop = len(messages) if wanted is None else min(len(messages), at + wanted)
            self._left = (messages, stop) if stop < len(messages) else None
            self.n_rows += stop - at
            self.client.allow_rows(self.n_rows)
            if wanted is not None:
                wanted -= stop - at
            yield messages.part(at, stop)
        # Whether the last row was sent is only known by looking; a client that asks for no more is not kept waiting.

    def close(self) -> None:
        """Let go of the result, its cursor and its snapshot."""
        self._batches = self._left = None
        self.done = True
        if self._cursor is not None:
            self._cursor.close()
            self._cursor = None
        self.lease.close()


def _now(column: Column, kind: Any) -> Column:
    """A column whose type the values decided; what was called a numeric stays one."""
    pg = oid_of(kind)
    if str(kind) == str(column.kind):
        return column
    is_number = pg.oid in (INT2.oid, INT4.oid, INT8.oid, FLOAT4.oid, FLOAT8.oid, NUMERIC.oid)
    return Column(column.name, kind, NUMERIC if is_number and column.pg.oid == NUMERIC.oid else pg)


def _are_light(columns: Sequence[Column]) -> bool:
    return not any(c.pg.element or c.pg.name in ("json", "bytea") for c in columns)
