"""An answer on its way to a client: computed as fast as it is read, on one snapshot, within the server's limits."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa

from ...errors import BrainlakeError, QueryError
from ...relation import Relation
from ..snapshots import Lease
from .metadata import about

MESSAGE_BYTES = 8 << 20  # clients refuse messages of more than 16 MiB unless told otherwise


@dataclass(frozen=True)
class Limits:
    """What a client may ask of a server.

    rows : of an answer; 0 for any number
    seconds : that an answer may be computed, whoever reads it however slowly
    idle : seconds that a ticket or a reader may do nothing
    streams : answers that are read at the same time
    held : tickets that a user may have open, and prepared statements, of which the one unused for longest then drops out
    transaction : seconds that a transaction may do nothing; prepared statements stay as long
    transactions : that a user may have open, of which then the one unused for longest ends
    """

    rows: int = 0
    seconds: float = 600.0
    idle: float = 300.0
    streams: int = 64
    held: int = 256
    transaction: float = 3600.0
    transactions: int = 64  # each may keep a snapshot's session, of some megabytes, alive


class LimitError(BrainlakeError):
    """An answer, or a client, went over a limit of the server."""


class TookTooLongError(LimitError):
    """An answer took longer than it may, to be computed or to be read."""


class StoppedError(QueryError):
    """The client gave up."""


class Answer:
    """One statement being answered, with each set of parameters in turn.

    lease : a look at the snapshot that it sees, which it closes with itself
    parameters : values for each time the statement runs
    """

    def __init__(self, query: str, parameters: Sequence[Any], lease: Lease, limits: Limits, user: str = "") -> None:
        self.user = user
        self._query, self._parameters, self._lease, self._limits = query, list(parameters), lease, limits
        self._changing = threading.Lock()
        self._relation: Relation | None = None
        self._reader: Iterator[pa.RecordBatch] = iter(())
        self._why: BrainlakeError | None = None
        self._busy_since: float | None = None
        self._touched = time.monotonic()
        self._computed = 0.0
        self._open = True
        self._is_cancelled: Callable[[], bool] = _never
        self.schema = pa.schema([])

    def start(self) -> None:
        """Compute the first batch, and with it the schema."""
        try:
            reader, types = self._run(self._parameters.pop(0))
            self._reader, self.schema = reader, described(reader.schema, types)
        except BaseException:
            self.close()
            raise

    def _run(self, values: Any) -> tuple[pa.RecordBatchReader, dict[str, str]]:
        with self._computing():
            self._relation = self._lease.session.sql(self._query, values)
            return self._relation.reader(), self._relation.types

    @contextlib.contextmanager
    def called(self, is_cancelled: Callable[[], bool]) -> Iterator[None]:
        """A call of the client's is under way, and this tells whether the client has given it up."""
        with self._changing:
            self._is_cancelled = is_cancelled
        try:
            yield
        finally:
            with self._changing:  # the call's context dies with the call
                self._is_cancelled = _never

    @contextlib.contextmanager
    def _computing(self) -> Iterator[None]:
        """Time that counts; what was stopped meanwhile says why, not that it was interrupted."""
        with self._changing:
            self._check()
            self._busy_since = time.monotonic()
        try:
            yield
        except BrainlakeError:
            self._check()
            raise
        finally:
            with self._changing:
                self._touched = time.monotonic()
                self._computed += self._touched - self._busy_since
                self._busy_since = None

    def _check(self) -> None:
        if self._why is not None:
            raise self._why
        if not self._open:
            raise StoppedError("the answer was closed")

    def batches(self) -> Iterator[pa.RecordBatch]:
        """Its batches, none too large for a client to take; closes it at the end, whatever the end."""
        n_rows = 0
        try:
            while True:
                with self._computing():
                    batch = next(self._reader, None)
                if batch is not None:
                    n_rows += batch.num_rows
                    if self._limits.rows and n_rows > self._limits.rows:
                        raise LimitError(
                            f"the answer has more than {self._limits.rows:,} rows, which is the limit here"
                        )
                    yield from parted(self._as_first(batch))
                elif self._parameters:
                    self._reader, _ = self._run(self._parameters.pop(0))
                else:
                    return
        finally:
            self.close()

    def _as_first(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """A batch in the schema that was told, which further parameters might change."""
        if batch.schema.names != self.schema.names:
            raise QueryError("the parameters change the columns of the answer: run them one at a time")
        try:
            columns = [
                column if column.type == one.type else column.cast(one.type)
                for column, one in zip(batch.columns, self.schema, strict=True)
            ]
        except pa.ArrowException as error:
            raise QueryError(f"the parameters change the types of the answer: {error}") from None
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def watch(self) -> None:
        """Stop what takes too long, or is wanted no more. Called now and then, from another thread."""
        now = time.monotonic()
        with self._changing:
            if not self._open:
                return
            busy = now - self._busy_since if self._busy_since is not None else 0.0
            if self._why is not None:
                pass  # it has been stopped, and may not have heard it
            elif self._busy_since is not None and self._is_cancelled():
                # Asked only while the call's own thread is inside of us, and waits for the lock to leave: a stream may
                # outlive the call whose client was killed, and to ask such a call ends the process.
                self._why = StoppedError("the client cancelled")
            elif self._computed + busy > self._limits.seconds:
                self._why = TookTooLongError(f"it took more than {self._limits.seconds:g} s, which is the limit here")
            elif self._busy_since is None and now - self._touched > self._limits.idle:
                self._why = TookTooLongError(f"nothing was read for {self._limits.idle:g} s, which is the limit here")
            if self._why is None:
                return
            is_busy, relation = self._busy_since is not None, self._relation
        if not is_busy:
            self.close()
        elif relation is not None:
            relation.interrupt()

    def cancel(self) -> None:
        """Stop it at a client's wish."""
        with self._changing:
            self._why = self._why or StoppedError("the client cancelled")
        self.watch()

    def close(self) -> None:
        """Give its snapshot and its memory back."""
        with self._changing:
            if not self._open:
                return
            self._open = False
            reader, self._reader = self._reader, iter(())
        del reader  # its cursor goes with it
        self._lease.close()

    def __del__(self) -> None:
        self.close()  # a client may go before it has begun to read


def _never() -> bool:
    return False


def described(schema: pa.Schema, types: dict[str, str]) -> pa.Schema:
    """A schema of an answer with Flight SQL's words beside the units."""
    fields = []
    for one in schema:
        unit = (one.metadata or {}).get(b"unit", b"").decode()
        fields.append(one.with_metadata(about(types[one.name], one.type, unit)))
    return pa.schema(fields)


def parted(batch: pa.RecordBatch, size: int = MESSAGE_BYTES) -> Iterator[pa.RecordBatch]:
    """A batch in parts of about so many bytes; a row is never cut."""
    n = max(1, -(-batch.nbytes // size))
    rows = max(1, -(-batch.num_rows // n))
    if rows >= batch.num_rows:
        yield batch
        return
    for start in range(0, batch.num_rows, rows):
        yield from parted(batch.slice(start, rows), size) if rows > 1 else [batch.slice(start, rows)]
