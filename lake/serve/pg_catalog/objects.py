"""What a lake's session holds, as a PostgreSQL database would: schemas, relations, functions, each with its oid."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from functools import cached_property

from ...functions import declared, sql_type
from ...session import Session
from ...states import LakeState, TableState
from ..postgres.types import oid_of

FIRST_OID = 16_384  # below are PostgreSQL's own
LAST_OID = 2**31 - 1  # above, clients that keep an oid in an int32 fail
MAX_NAME = 63

PUBLIC, PG_CATALOG = 2200, 11
RECORD, ANY = 2249, 2276  # pseudo-types of what a macro returns and takes, which nobody declared


@dataclass(frozen=True)
class Column:
    """A column of a relation: the oid of its type, what it means."""

    name: str
    type: int
    not_null: bool = False
    comment: str | None = None


@dataclass(frozen=True)
class Relation:
    """A table (``r``) or view (``v``). ``key``: numbers, from 1, of the columns that no two rows share."""

    schema: str
    name: str
    kind: str
    columns: tuple[Column, ...]
    comment: str | None
    key: tuple[int, ...] = ()
    n_rows: int | None = None
    size_bytes: int = 0
    definition: str | None = None

    @property
    def qualified(self) -> str:
        return f"{self.schema}.{self.name}"


@dataclass(frozen=True)
class Parameter:
    """A parameter of a function; ``default`` as SQL."""

    name: str
    type: int
    default: str | None = None


@dataclass(frozen=True)
class Function:
    """A macro or kernel. ``language``: sql or internal."""

    schema: str
    name: str
    parameters: tuple[Parameter, ...]
    returns: int
    is_set: bool
    language: str
    comment: str | None
    body: str


@dataclass(frozen=True)
class LakeObjects:
    """Everything that clients can find, in order of names."""

    schemas: tuple[str, ...]
    relations: tuple[Relation, ...]
    functions: tuple[Function, ...]
    oids: dict[str, int] = field(default_factory=dict)

    def oid(self, kind: str, name: str) -> int:
        """The oid of a "schema", "relation", "row type", "array type", "index", "constraint" or "function"."""
        return self.oids[f"{kind} {name}"]

    @cached_property
    def by_schema(self) -> dict[str, int]:
        return {schema: self.oid("schema", schema) for schema in self.schemas} | {"public": PUBLIC}


def objects_of(session: Session) -> LakeObjects:
    """The objects of a session's snapshot."""
    relations, functions = _relations(session), _functions(session)
    named = {one.schema for one in relations} | {one.schema for one in functions}
    schemas = sorted(named - {"public"})
    wanted = [f"schema {schema}" for schema in schemas]
    for relation in relations:
        kinds = ("relation", "row type", "array type", *(("index", "constraint") if relation.key else ()))
        wanted += [f"{kind} {relation.qualified}" for kind in kinds]
    wanted += [f"function {function.schema}.{function.name}" for function in functions]
    return LakeObjects(tuple(schemas), tuple(relations), tuple(functions), _oids(wanted))


def role_oid(user: str) -> int:
    """The oid of a client's role."""
    return _hashed(f"role {user}")


def database_oid(database: str) -> int:
    """The oid of the database that a client is connected to."""
    return _hashed(f"database {database}")


def _oids(names: Iterable[str]) -> dict[str, int]:
    """An oid for each name, the same in every process and at every snapshot, but where two names fall on one."""
    found: dict[str, int] = {}
    taken: set[int] = set()
    for name in sorted(names):
        oid = _hashed(name)
        while oid in taken:
            oid = oid + 1 if oid < LAST_OID else FIRST_OID
        found[name] = oid
        taken.add(oid)
    return found


def _hashed(name: str) -> int:
    number = int.from_bytes(hashlib.sha256(name.encode()).digest()[:8], "big")
    return FIRST_OID + number % (LAST_OID - FIRST_OID + 1)


def _relations(session: Session) -> list[Relation]:
    query = "select * from lake.relations, lake.columns"  # names what is read, for the session to fill
    with session.cursor(query) as cursor:
        told = cursor.execute("select name, grain from lake.relations").fetchall()
        grains: dict[str, str] = dict(told)
        columns: dict[str, list[Column]] = {}
        question = """
            select name, column_name, column_type, unit, description from lake.columns
            where column_type <> 'parameter' and contains(name, '.') order by name, position"""
        for name, column, kind, unit, description in cursor.execute(question).fetchall():
            comment = " ".join(part for part in (description, f"({unit})" if unit else None) if part)
            spec = session.state.tables[name].spec if name in session.state.tables else None
            not_null = spec is not None and not spec.arrow.field(column).nullable
            columns.setdefault(name, []).append(Column(column, oid_of(kind).oid, not_null, comment or None))
    return [_relation(session, name, tuple(told), grains.get(name)) for name, told in sorted(columns.items())]


def _relation(session: Session, name: str, columns: tuple[Column, ...], grain: str | None) -> Relation:
    schema, _, bare = name.partition(".")
    if question := session.questions.get(name):
        return Relation(schema, bare, "v", columns, grain, definition=question.body)
    if name not in session.state.tables:
        return Relation(schema, bare, "r", columns, grain)
    table = session.state.tables[name]
    numbers = {column.name: number for number, column in enumerate(columns, start=1)}
    key = tuple(numbers[one] for one in table.spec.key)
    return Relation(schema, bare, "r", columns, grain, key, *_held(table))


def _held(table: TableState) -> tuple[int, int]:
    """Rows and bytes of a table's files."""
    return sum(file.n_rows for file in table.files), sum(file.size_bytes for file in table.files)


def at_state(lake: LakeObjects, state: LakeState) -> LakeObjects:
    """The objects at another snapshot of which the tables are declared alike: only how much they hold is another."""

    def moved(one: Relation) -> Relation:
        if one.n_rows is None:
            return one
        n_rows, size_bytes = _held(state.tables[one.qualified])
        return replace(one, n_rows=n_rows, size_bytes=size_bytes)

    return replace(lake, relations=tuple(map(moved, lake.relations)))


def _functions(session: Session) -> list[Function]:
    found = []
    for question in session.questions.values():
        if question.kind != "view":
            schema, _, bare = question.name.partition(".")
            parameters = tuple(Parameter(name, ANY, default) for name, default in question.parameters)
            is_set = question.kind == "macro"
            returns = RECORD if is_set else ANY
            found.append(Function(schema, bare, parameters, returns, is_set, "sql", question.grain, question.body))
    for udf in declared().values():
        kinds = [oid_of(sql_type(kind)).oid for kind in udf.args]
        parameters = tuple(Parameter(name, kind) for name, kind in zip(udf.names, kinds, strict=True))
        returns = oid_of(sql_type(udf.returns)).oid
        found.append(Function("public", udf.name, parameters, returns, False, "internal", udf.summary, udf.name))
    return sorted(found, key=lambda one: (one.schema, one.name))
