"""Answers as they come: batches of rows as the protocol carries them, on the snapshot they began with."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from ...admission import admit
from ...errors import QueryError
from ...mistakes import of_duckdb
from . import cells, rows
from .errors import PgError, as_pg_error
from .messages import TEXT_FORMAT, Field
from .planning import Column, Plan, in_own_text, mistake, spread
from .rows import Messages
from .types import FLOAT4, FLOAT8, INT2, INT4, INT8, NUMERIC, oid_of

if TYPE_CHECKING:
    from ..snapshots import Lease
    from .client import Client

_FEW_ROWS, _MANY_ROWS = 8, 8_192  # of a batch: any list may be long


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
            if plan.literals and not plan.catalogue:  # a text with other literals in it is another text
                self._admit(self._edited.text)
            if plan.later or plan.literals or "DECIMAL" in plan.types.values():  # whose values may decide on types
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
        return session.cursor(self.plan.asked(self.values), self.plan.given(self.values))

    def _admit(self, text: str) -> None:
        with self.lease.session.cursor("") as cursor:
            try:
                admit(cursor, text)
            except QueryError as error:
                raise as_pg_error(error) from None

    def _columns_now(self) -> tuple[Column, ...]:
        cursor = self._cursor = self._open()
        try:
            with self.client.working(cursor):
                bound = cursor.sql(self._edited.text, params=self.plan.given(self.values))
        except duckdb.Error as error:
            raise self._mistake(error, self._edited.text, 0) from None
        kinds = bound.types if bound is not None else []
        if self.plan.later:
            return tuple(Column(n, kind, oid_of(kind)) for n, kind in zip(bound.columns, kinds, strict=True))
        return tuple(_now(c, kind) for c, kind in zip(self.plan.columns, kinds, strict=True))

    def _mistake(self, error: duckdb.Error, run: str, before: int) -> PgError:
        told = mistake(error, self.lease.session, self._edited, self.plan.part, run, before)
        return in_own_text(told, self.plan.part, self.plan.sql)

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
