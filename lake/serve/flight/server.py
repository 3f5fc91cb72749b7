"""The Flight SQL server: its calls, each a few lines over metadata, answers and what is held between calls."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, TypeVar

import pyarrow as pa
import pyarrow.flight as flight

from ...admission import admit
from ...errors import (
    BrainlakeError,
    NotAdmittedError,
    QueryError,
)
from ...session import Session
from ..empty import EmptySessions
from ..exposure import LOOPBACK, Tls, refuse_unsafe
from ..snapshots import Lease, Snapshots
from ..users import Users
from . import sql_info
from .answers import Answer, Limits, described
from .catalogue import CATALOGUE
from .errors import as_flight, unplaced
from .held import GoneError, Held, TooManyError
from .logins import Caller, Logins, OpenHandshake
from .messages import CANCEL_FLIGHT_INFO_REQUEST, CANCEL_FLIGHT_INFO_RESULT, pack, unpack, unpack_as
from .metadata import Metadata
from .parameters import bound, from_values, names_of, parameter_schema
from .wire import MalformedError, decode, encode

PORT = 8815
TICK_S = 0.1  # how often is looked at what runs too long
CANCELLED, NOT_CANCELLABLE = 1, 3

Method = TypeVar("Method", bound=Callable[..., Any])


@dataclass
class Prepared:
    """A statement that a client runs again and again."""

    query: str
    names: list[str]
    transaction: bytes | None
    parameters: list[Any] = field(default_factory=list)

    def close(self) -> None:
        """It holds nothing but its text."""


class Transaction:
    """One snapshot for several statements."""

    def __init__(self, lease: Lease) -> None:
        self.lease = lease

    def close(self) -> None:
        self.lease.close()


def _call(method: Method) -> Method:
    """A call from outside: whatever is raised reaches the client as one clean sentence, and nobody else."""

    def answer(self: Server, context: Any, *arguments: Any) -> Any:
        try:
            return method(self, context, *arguments)
        except BaseException as error:
            told = self.told(error)
            if method.__name__ == "get_schema" and isinstance(told, flight.FlightError):
                told = pa.ArrowInvalid(str(told))  # of this call alone, pyarrow does not know Flight's own errors
        raise told

    return unplaced(answer)  # type: ignore[return-value]


class Server(flight.FlightServerBase):
    """Serves from when it is made until ``stop()``.

    snapshots : the lake's; closed by whoever opened them
    log : takes lines about what happens; they hold neither queries nor values nor passwords

    Raises BrainlakeError where it may not listen at the address, or cannot.
    """

    def __init__(
        self,
        snapshots: Snapshots,
        host: str = LOOPBACK,
        port: int = PORT,
        *,
        users: Users | None = None,
        tls: Tls | None = None,
        limits: Limits | None = None,
        log: Callable[[str], None] | None = None,
    ) -> None:
        users = users or Users({})
        refuse_unsafe(host, users, tls)
        self._snapshots, self._limits, self._log = snapshots, limits or Limits(), log or (lambda _: None)
        self._logins, self._empty = Logins(users), EmptySessions()
        most, lasts = self._limits.held, self._limits.transaction
        self._tickets: Held[Answer] = Held("ticket", self._limits.idle, most)
        self._statements: Held[Prepared] = Held("prepared statement", lasts, most, drops_oldest=True)
        self._transactions: Held[Transaction] = Held("transaction", lasts, self._limits.transactions, drops_oldest=True)
        self._running: weakref.WeakValueDictionary[bytes, Answer] = weakref.WeakValueDictionary()
        self._watched: weakref.WeakSet[Answer] = weakref.WeakSet()
        self._metadata: weakref.WeakKeyDictionary[Session, tuple[int, Metadata]] = weakref.WeakKeyDictionary()
        self._stopped = threading.Event()
        self._facts = sql_info.facts(int(lasts * 1000), int(lasts * 1000), most)
        scheme = "grpc+tls" if tls else "grpc"
        named = f"[{host}]" if ":" in host else host
        try:
            super().__init__(
                f"{scheme}://{named}:{port}",
                auth_handler=OpenHandshake(),
                middleware={"caller": self._logins},
                tls_certificates=[tls.read()] if tls else None,
            )
        except (pa.ArrowException, OSError) as error:
            raise BrainlakeError(f"cannot listen at {named}:{port}: {str(error).splitlines()[0]}") from None
        self.uri = f"{scheme}://{named}:{self.port}"
        self._watcher = threading.Thread(target=self._watch, name="flight-watch", daemon=True)
        self._watcher.start()

    # -- calls ----------------------------------------------------------------------------------------------------

    @_call
    def get_flight_info(self, context: Any, descriptor: flight.FlightDescriptor) -> flight.FlightInfo:
        name, values = unpack(_command(descriptor))
        if name in CATALOGUE:
            return _info(CATALOGUE[name].schema(values), descriptor, descriptor.command)
        caller = _caller(context)
        if name == "CommandStatementQuery":
            query, transaction, parameters = values["query"], values["transaction_id"], [None]
        elif name == "CommandPreparedStatementQuery":
            prepared = self._statements.get(caller.user, values["prepared_statement_handle"])
            query, transaction, parameters = prepared.query, prepared.transaction, _to_run(prepared)
        else:
            raise self._refused(name)
        answer = Answer(query, parameters, self._lease(caller, transaction), self._limits, caller.user)
        self._watched.add(answer)
        with answer.called(context.is_cancelled):
            answer.start()
        handle = self._tickets.add(caller.user, answer)
        return _info(answer.schema, descriptor, pack("TicketStatementQuery", statement_handle=handle))

    @_call
    def get_schema(self, context: Any, descriptor: flight.FlightDescriptor) -> flight.SchemaResult:
        name, values = unpack(_command(descriptor))
        if name in CATALOGUE:
            return flight.SchemaResult(CATALOGUE[name].schema(values))
        caller = _caller(context)
        if name == "CommandStatementQuery":
            with self._lease(caller, values["transaction_id"]) as lease:
                return flight.SchemaResult(_schema_of(lease.session, values["query"], None))
        if name == "CommandPreparedStatementQuery":
            prepared = self._statements.get(caller.user, values["prepared_statement_handle"])
            with self._lease(caller, prepared.transaction) as lease:
                return flight.SchemaResult(_schema_of(lease.session, prepared.query, _any_values(prepared)))
        raise self._refused(name)

    @_call
    def do_get(self, context: Any, ticket: flight.Ticket) -> flight.FlightDataStream:
        name, values = unpack(ticket.ticket)
        caller = _caller(context)
        if name in CATALOGUE:
            with self._lease(caller, None) as lease:
                return flight.RecordBatchStream(CATALOGUE[name].rows(self, lease.session, values))
        if name != "TicketStatementQuery":
            raise MalformedError(f"a {name} is no ticket: get one by GetFlightInfo")
        if len(self._running) >= self._limits.streams:
            raise TooManyError(f"{self._limits.streams} answers are being read already: try again later")
        handle = values["statement_handle"]
        answer = self._tickets.take(caller.user, handle)
        self._running[handle] = answer
        return flight.GeneratorStream(answer.schema, self._stream(handle, answer, context, caller))

    @unplaced
    def _stream(self, handle: bytes, answer: Answer, context: Any, caller: Caller) -> Iterator[pa.RecordBatch]:
        began, n_rows, end = time.monotonic(), 0, "stopped"
        try:
            with answer.called(context.is_cancelled):
                for batch in answer.batches():
                    yield batch
                    n_rows += batch.num_rows
            end = "read"
        except Exception as error:
            told = self.told(error)
            end = type(told).__name__
            raise told from None
        finally:
            self._running.pop(handle, None)
            seconds = time.monotonic() - began
            self._log(f"{caller.user or 'anybody'}: {end} {n_rows:,} rows in {seconds:.2f} s")

    @_call
    def do_put(self, context: Any, descriptor: flight.FlightDescriptor, reader: Any, writer: Any) -> None:
        name, values = unpack(_command(descriptor))
        if name != "CommandPreparedStatementQuery":
            raise self._refused(name)
        caller = _caller(context)
        prepared = self._statements.get(caller.user, values["prepared_statement_handle"])
        parameters: list[Any] = []
        for chunk in reader:
            parameters += bound(prepared.names, chunk.data, len(parameters))
        prepared.parameters = parameters

    @_call
    def list_actions(self, context: Any) -> list[flight.ActionType]:
        return [flight.ActionType(name, text) for name, (text, _) in _ACTIONS.items()]

    @_call
    def do_action(self, context: Any, action: flight.Action) -> list[bytes]:
        if action.type not in _ACTIONS:
            raise NotImplementedError(f"there is no action {action.type[:100]!r} here")
        return list(_ACTIONS[action.type][1](self, context, action.body.to_pybytes()))

    @_call
    def list_flights(self, context: Any, criteria: bytes) -> list[flight.FlightInfo]:
        """None: what there is to ask is told by Flight SQL's catalogue."""
        return []

    # -- actions --------------------------------------------------------------------------------------------------

    def _create_prepared(self, context: Any, body: bytes) -> Iterator[bytes]:
        values, caller = unpack_as("ActionCreatePreparedStatementRequest", body), _caller(context)
        with self._lease(caller, values["transaction_id"]) as lease:
            with lease.session.cursor("select 1") as cursor:
                admit(cursor, values["query"])
                names = names_of(cursor, values["query"])
            prepared = Prepared(values["query"], names, values["transaction_id"])
            try:
                schema = _schema_of(lease.session, prepared.query, _any_values(prepared)).serialize().to_pybytes()
            except QueryError:
                if not names:
                    raise
                schema = b""  # what NULLs do not fit; that it is wrong otherwise shows when it runs
            parameters = parameter_schema(lease.session, self._empty, prepared.query, names) if names else None
        handle = self._statements.add(caller.user, prepared)
        yield pack(
            "ActionCreatePreparedStatementResult",
            prepared_statement_handle=handle,
            dataset_schema=schema,
            parameter_schema=parameters.serialize().to_pybytes() if parameters else b"",
        )

    def _close_prepared(self, context: Any, body: bytes) -> Iterator[bytes]:
        values = unpack_as("ActionClosePreparedStatementRequest", body)
        self._statements.take(_caller(context).user, values["prepared_statement_handle"])
        yield from ()

    def _begin(self, context: Any, body: bytes) -> Iterator[bytes]:
        unpack_as("ActionBeginTransactionRequest", body)
        caller = _caller(context)
        lease = self._lease(caller, None)
        yield pack(
            "ActionBeginTransactionResult", transaction_id=self._transactions.add(caller.user, Transaction(lease))
        )

    def _end(self, context: Any, body: bytes) -> Iterator[bytes]:
        values = unpack_as("ActionEndTransactionRequest", body)
        if values["action"] not in (1, 2):
            raise MalformedError(
                "a transaction ends by commit (1) or rollback (2), which are the same where nothing changes"
            )
        self._transactions.take(_caller(context).user, values["transaction_id"]).close()
        yield from ()

    def _cancel_query(self, context: Any, body: bytes) -> Iterator[bytes]:
        values = unpack_as("ActionCancelQueryRequest", body)
        yield pack("ActionCancelQueryResult", result=self._cancelled(context, values["info"]))

    def _cancel_info(self, context: Any, body: bytes) -> Iterator[bytes]:
        values = decode(CANCEL_FLIGHT_INFO_REQUEST, body)
        yield encode(CANCEL_FLIGHT_INFO_RESULT, {"status": self._cancelled(context, values["info"])})

    def _cancelled(self, context: Any, info: bytes) -> int:
        try:
            tickets = [endpoint.ticket.ticket for endpoint in flight.FlightInfo.deserialize(info).endpoints]
        except (pa.ArrowException, OSError):
            raise MalformedError("this is no FlightInfo") from None
        user, status = _caller(context).user, NOT_CANCELLABLE
        for ticket in tickets:
            name, values = unpack(ticket)
            if name != "TicketStatementQuery":
                continue
            handle = values["statement_handle"]
            answer = self._running.get(handle)
            try:
                answer = answer if answer is not None and answer.user == user else self._tickets.take(user, handle)
            except GoneError:
                continue
            answer.cancel()
            status = CANCELLED
        return status

    # -- inside ---------------------------------------------------------------------------------------------------

    def _lease(self, caller: Caller, transaction: bytes | None) -> Lease:
        """The snapshot that a call sees: its transaction's, the one it names, else the newest."""
        if transaction:
            return self._transactions.get(caller.user, transaction).lease.share()
        at = caller.at
        return self._snapshots.lease(int(at) if at and at.isdigit() else at)

    def metadata_of(self, session: Session) -> Metadata:
        """The catalogue of a session, kept as long as it stays on its snapshot."""
        snapshot, found = self._metadata.get(session, (None, None))
        if found is None or snapshot != session.snapshot_id:
            found = Metadata(session)
            self._metadata[session] = session.snapshot_id, found
        return found

    def facts(self) -> dict[int, tuple[int, Any]]:
        return self._facts

    @staticmethod
    def _refused(name: str) -> Exception:
        if "Substrait" in name:
            return NotImplementedError("plans are not run here: ask in SQL")
        if "Update" in name or "Ingest" in name:
            return NotAdmittedError("the lake is only read here: `brainlake ingest` and `brainlake write` change it")
        return MalformedError(f"a {name} does not go here")

    def told(self, error: BaseException) -> Exception:
        """An error as the client is told it."""
        return as_flight(error, self._snapshots.path, self._log)

    def _watch(self) -> None:
        swept = 0.0
        while not self._stopped.wait(TICK_S):
            self._watch_all()
            if time.monotonic() - swept > 1.0:
                swept = time.monotonic()
                for held in (self._tickets, self._statements, self._transactions, self._logins):
                    held.sweep()

    def _watch_all(self) -> None:  # a function of its own: its variable must not outlive it, and an answer with it
        for answer in list(self._watched):
            answer.watch()

    def stop(self, seconds: float = 30.0) -> bool:
        """Stop: what is being read ends now. Returns whether all calls ended within the time.

        A client that has stopped reading, and stays, holds its call; the process must then end without it.
        """
        self._stopped.set()
        for answer in list(self._watched):
            answer.cancel()
        closing = threading.Thread(target=self.shutdown, daemon=True)
        closing.start()
        closing.join(seconds)
        for held in (self._tickets, self._statements, self._transactions):
            held.close()
        self._empty.close()
        return not closing.is_alive()

    def wait(self) -> None:
        """Serve until stopped."""
        while not self._stopped.wait(0.5):  # short: a long wait would not hear Ctrl-C everywhere
            pass


_ACTIONS: dict[str, tuple[str, Callable[[Server, Any, bytes], Iterator[bytes]]]] = {
    "CreatePreparedStatement": ("Prepare a query.", Server._create_prepared),
    "ClosePreparedStatement": ("Let a prepared query go.", Server._close_prepared),
    "BeginTransaction": ("Stay on one snapshot.", Server._begin),
    "EndTransaction": ("Stay on it no longer.", Server._end),
    "CancelQuery": ("Stop a query.", Server._cancel_query),
    "CancelFlightInfo": ("Stop a query.", Server._cancel_info),
}


def _caller(context: Any) -> Caller:
    return context.get_middleware("caller")


def _command(descriptor: flight.FlightDescriptor) -> bytes:
    if descriptor.descriptor_type != flight.DescriptorType.CMD:
        raise MalformedError("this server is asked by commands of Flight SQL, not by paths")
    return descriptor.command


def _info(schema: pa.Schema, descriptor: flight.FlightDescriptor, ticket: bytes) -> flight.FlightInfo:
    return flight.FlightInfo(schema, descriptor, [flight.FlightEndpoint(ticket, [])], -1, -1)


def _schema_of(session: Session, query: str, values: Any) -> pa.Schema:
    relation = session.sql(query, values)
    return described(relation.schema(), relation.types)


def _any_values(prepared: Prepared) -> Any:
    """NULL for each parameter: enough to bind most statements."""
    return from_values(prepared.names, [None] * len(prepared.names)) if prepared.names else None


def _to_run(prepared: Prepared) -> list[Any]:
    if not prepared.names:
        return [None]
    if not prepared.parameters:
        raise QueryError(f"bind values to the parameters of the statement: {', '.join(prepared.names)}")
    return prepared.parameters
