"""A DuckDB connection on one snapshot of a lake: tables, views, macros and UDFs, for reading only."""

from __future__ import annotations

import contextlib
import os
import re
import tempfile
import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import duckdb
import pyarrow as pa

from . import describe
from .admission import admit
from .cursors import Cursors, set_variables
from .errors import QueryError, SpecError
from .functions import declared, register_functions, sql_type
from .held import FilesOfPartitions
from .memo import Memos, memos_of
from .mistakes import lost_file_of
from .pruning import restricted
from .questions import Question, below, make, standard
from .relation import Relation
from .relations import RELATIONS
from .remembered import Remembered
from .states import AttachmentState, LakeState, TableState

if TYPE_CHECKING:
    import polars as pl

_NAME = re.compile(r"(?<!\w)(?=([a-z_]\w*)\.([a-z_]\w*))")  # overlapping: memory.ecephys.units holds two pairs
_WHOLE = re.compile(r"\s*from\s+([a-z_]\w*\.[a-z_]\w*)\s*(?:\([^()]*\))?\s*;?\s*", re.IGNORECASE)  # all of a relation
_LISTS_ALL = re.compile(r"duckdb_|information_schema|pg_|pragma|\bshow\b")  # asks DuckDB what there is

MANY_FILES = 100  # of a table; with fewer, DuckDB prunes faster than we do

ATTACHMENTS = "nwb_tables"  # the session variable that maps a table of a file to its Parquet file

# A DynamicTable of an NWB file as a relation of its own columns. The map knows each table as "file|path" and, where
# only one file has such a table, as "|path".
NWB_TABLE = """
create or replace macro {name}(table_path, in_file := '') as table
select * from read_parquet(coalesce(
    getvariable('nwb_tables')[in_file || '|' || trim(table_path, '/')],
    error('absent: there is no NWB table ' || table_path || case in_file when '' then '' else ' in ' || in_file end
        || ', or several files have one: `from nwb.tables` lists them with their files')))
"""


class Session:
    """Questions to one snapshot. ``refresh`` moves it to another; nothing else does.

    settings : further settings of DuckDB, as ``{"memory_limit": "4GB"}``
    """

    def __init__(
        self,
        state: LakeState,
        questions: Mapping[str, Question] | None = None,
        settings: Mapping[str, str] | None = None,
    ) -> None:
        self.questions = standard() if questions is None else questions
        self._settings = dict(settings or {})
        self._connection = duckdb.connect()
        self._changing = threading.RLock()
        self._prepare(state)

    @property
    def snapshot_id(self) -> int:
        return self.state.snapshot_id

    @property
    def connection(self) -> duckdb.DuckDBPyConnection:
        """The connection that cursors are made from, with everything on it."""
        self._fill([*RELATIONS, *describe.SCHEMAS])
        set_variables(self._connection, self._variables)
        self._set_attachments(self._connection)
        return self._connection

    # -- registration ---------------------------------------------------------------------------------------------

    def _prepare(self, state: LakeState) -> None:
        """UDFs now; tables, views and macros when a question first rests on them, as DuckDB binds each it makes."""
        self.state = state
        self._variables = dict(file_variables(state))
        self._cursors = Cursors(self._connection)
        self._units: Remembered[dict[str, str | None]] = Remembered()
        self._shape = _shape(state)
        self._known = frozenset({*state.tables, *self.questions, *RELATIONS, *describe.SCHEMAS})
        self._made: set[str] = set()
        self._memos: dict[str, Memos] = {}
        con = self._connection
        con.execute("set global TimeZone = 'UTC'")
        con.execute("set global python_enable_replacements = false")
        con.execute("set global parquet_metadata_cache = true")  # a file never changes
        # by default DuckDB would spill into the folder that the process happens to be in
        spill = {"temp_directory": os.path.join(tempfile.gettempdir(), f"brainlake-{os.getpid()}-{id(self):x}")}
        for name, value in (spill | self._settings).items():
            try:
                con.execute(f"set global {name} = ?", [value])
            except (duckdb.ParserException, duckdb.InvalidInputException, duckdb.CatalogException) as error:
                raise QueryError(f"{name} = {value!r} is no setting: {str(error).partition(': ')[2]}") from None
        for schema in dict.fromkeys(name.partition(".")[0] for name in (*state.tables, *RELATIONS, "lake.columns")):
            con.execute(f"create schema if not exists {schema}")
        self._empty_relations()
        for name in ("nwb.nwb_table", "nwb_table"):
            con.execute(NWB_TABLE.format(name=name))
        self.partitions = FilesOfPartitions(state)
        register_functions(con, self.partitions)
        self._lock()

    def _make(self, names: Iterable[str]) -> None:
        """Make the tables, views and macros among the names, which hold those that they depend on.

        Raises DamageError where a table's file is lost: binding looks into one.
        """
        if missing := ((self.questions.keys() | self.state.tables.keys()) & set(names)) - self._made:
            with self._changing, self._connection.cursor() as cursor:
                self._set_one_file(cursor)
                try:
                    for name in sorted((self.state.tables.keys() & missing) - self._made):
                        cursor.execute(create_over_files(name, self.state.tables[name]))
                        self._made.add(name)
                    for question in [q for name, q in self.questions.items() if name in missing - self._made]:
                        if question.kept:  # its rows are made now, of all files
                            whole = self._variables_of(below([question.name], self.questions))
                            set_variables(cursor, {name: self._variables[name] for name in whole})
                        make(cursor, [self._from_memos(cursor, question)], keeping=True)
                except (SpecError, duckdb.Error) as error:
                    cause = error.__cause__ if isinstance(error, SpecError) else error
                    raise lost_file_of(cause, self) or error from None
                self._made |= missing

    def _from_memos(self, cursor: duckdb.DuckDBPyConnection, question: Question) -> Question:
        """A view as its memos answer it, where there are any."""
        if question.partition and question.kind == "view" and (self.state.root / "cache" / question.name).is_dir():
            memos = memos_of(self, question.name)
            if memos.serve:
                with contextlib.suppress(FileNotFoundError):  # somebody empties cache/, which loses nothing
                    answered = memos.over(question)
                    self._memos[question.name] = memos
                    self._variables[memos.variable] = memos.paths
                    set_variables(cursor, {memos.variable: memos.paths[:1]})
                    return answered
        return question

    def forget_memos(self, names: Iterable[str] | None = None) -> None:
        """Look anew, at the next question, which answers of views are kept."""
        with self._changing:
            for name in list(self._memos) if names is None else names:
                self._memos.pop(name, None)
                self._made.discard(name)

    def _lock(self) -> None:
        con = self._connection
        folders = [str(self.state.root / folder) for folder in ("data", "cache")]
        con.execute(f"set global allowed_directories = [{', '.join(map(sql_text, folders))}]")
        con.execute("set global enable_external_access = false")
        con.execute("set global lock_configuration = true")

    def _empty_relations(self) -> None:
        """The ``lake.*`` tables, empty: they are filled when a question first names them."""
        self._filled: set[str] = set()
        schemas = {**{name: schema for name, (_, schema) in RELATIONS.items()}, **describe.SCHEMAS}
        for name, schema in schemas.items():
            columns = ", ".join(f"{f.name} {sql_type(f.type)}" for f in schema)
            self._connection.execute(f"create or replace table {name} ({columns})")

    def _fill(self, names: Iterable[str]) -> None:
        if missing := ((RELATIONS.keys() | describe.SCHEMAS.keys()) & set(names)) - self._filled:
            with self._changing, self._connection.cursor() as cursor:
                if "lake.columns" in missing:  # which DuckDB tells of
                    self._make(self.names())
                    self._set_one_file(cursor)
                for name in sorted(missing - self._filled):
                    self._fill_one(cursor, name)

    def _fill_one(self, cursor: duckdb.DuckDBPyConnection, name: str) -> None:
        if name in RELATIONS:
            table = self.state.relations[name]()
        else:
            table = describe.relation(name, self.state, self.questions, cursor)
        cursor.register("_fill", table)
        cursor.execute(f"insert into {name} select * from _fill")
        cursor.unregister("_fill")
        self._filled.add(name)

    def refresh(self, state: LakeState) -> None:
        """Move to another state of the same lake."""
        if _shape(state) != self._shape:
            # A table got its first file, or files of another stored schema: its view must be made anew.
            self.close()
            self._connection = duckdb.connect()
            self._prepare(state)
            return
        self.state = state
        self.partitions.move(state)
        self.forget_memos()
        for name in [q.name for q in self.questions.values() if q.kept and q.name in self._made]:
            self._connection.execute(f"drop table {name}")
            self._made.discard(name)
        self._cursors.close()
        self._cursors = Cursors(self._connection)
        self._variables = dict(file_variables(state))
        for name in self._filled:
            self._connection.execute(f"delete from {name}")
        self._filled.clear()

    def _set_one_file(self, con: duckdb.DuckDBPyConnection) -> None:
        """Each variable one file, which is all that binding needs."""
        set_variables(con, {name: files[:1] for name, files in self._variables.items()})

    def _set_attachments(self, con: duckdb.DuckDBPyConnection) -> None:
        root, paths = self.state.root, nwb_table_paths(self.state.attachments)
        con.execute(
            f"set variable {ATTACHMENTS} = map(?::varchar[], ?::varchar[])",
            [list(paths), [f"{root}/{path}" for path in paths.values()]],
        )

    # -- asking ---------------------------------------------------------------------------------------------------

    def sql(
        self,
        query: str,
        params: Sequence[Any] | Mapping[str, Any] | None = None,
        tables: Mapping[str, Any] | None = None,
    ) -> Relation:
        """A question, admitted and checked now, answered when its result is asked for."""
        try:
            with self._connection.cursor() as cursor:  # of its own: several threads may ask at once
                admit(cursor, query)
        except duckdb.ConnectionException:
            raise QueryError("the lake is closed: open it again to ask") from None
        relation = Relation(self, query, params, tables)
        relation.check()
        return relation

    def cursor(
        self, query: str | None = None, params: Sequence[Any] | Mapping[str, Any] | None = None
    ) -> duckdb.DuckDBPyConnection:
        """A cursor on this snapshot, ready for a query with these parameters, or for any."""
        needed = self.named(query) if query is not None else frozenset(self.names())
        text = "nwb_table" if query is None else query.lower()
        if lost := [n for n in needed & self._memos.keys() if not self._memos[n].are_there]:
            self.forget_memos(lost)  # somebody emptied cache/, which loses nothing
        self._fill(needed)  # before what is made of it and kept
        self._make(self.names() if _LISTS_ALL.search(text) else needed)
        files = {v: self._variables[v] for v in self._variables_of(needed)}
        if query is not None and any(len(paths) > MANY_FILES for paths in files.values()):
            restricted = self._restricted(query, params)
            cursor = self._cursors.take({name: paths for name, paths in files.items() if name not in restricted})
            if restricted:
                self._cursors.only_once(cursor, restricted)
        else:
            cursor = self._cursors.take(files)
        if "nwb_table" in text:
            self._set_attachments(cursor)
        return cursor

    def give_back(self, cursor: duckdb.DuckDBPyConnection) -> None:
        """Keep a cursor, on which nothing runs and nothing is registered, for a later question."""
        self._cursors.give_back(cursor)

    def _restricted(self, query: str, params: Sequence[Any] | Mapping[str, Any] | None) -> dict[str, list[str]]:
        """The variables of the tables of which a query needs some partitions only."""
        partitions = {name: t.spec.partition for name, t in self.state.tables.items() if t.spec.partition}
        partitions |= {name: memos.column for name, memos in self._memos.items()}
        found = {}
        with self._connection.cursor() as cursor:
            wanted_of = restricted(cursor, query, params, self.mentioned(query), self.questions, partitions)
        for name, ids in wanted_of.items():
            if name in self._memos:
                memos = self._memos[name]
                kept = [str(memos.path(value)) for value in memos.stored if value in ids]
                found[memos.variable] = kept or memos.paths[:1]
                continue
            table = self.state.tables[name]
            for variable, indices in _versions(name, table).items():
                paths = self._variables[variable]
                wanted = [p for p, i in zip(paths, indices, strict=True) if table.files[i].partition_value in ids]
                found[variable] = wanted or paths[:1]  # a scan needs a file to know its columns
        return found

    def named(self, query: str) -> frozenset[str]:
        """Every table, view and macro that a query rests on."""
        return below(self.mentioned(query), self.questions)

    def has_rows_for(self, query: str) -> bool:
        """Whether any table that a query rests on may hold a row."""
        tables = self.named(query) - self.questions.keys()
        return any(name not in self.state.tables or self.state.tables[name].files for name in tables)

    def mentioned(self, query: str) -> list[str]:
        """Names of relations as a query's text holds them, repeated where it repeats them."""
        plain = re.sub(r"(?<!\s)\s*\.\s*", ".", query.replace('"', "").lower())
        return [name for a, b in _NAME.findall(plain) if (name := f"{a}.{b}") in self._known]

    def units_of(self, query: str, columns: Sequence[str]) -> dict[str, str | None]:
        """Units of a question's columns, where a column is, or summarises, one of known unit."""
        mentioned = self.mentioned(query)
        if not mentioned:
            return dict.fromkeys(columns)

        def units() -> dict[str, str | None]:
            if (whole := _WHOLE.fullmatch(query)) and mentioned == [whole[1].lower()]:
                return describe.Dictionary(self.state, self.questions).units(mentioned[0], columns)
            from .lineage import units_of  # of anything else: it parses, by what takes 0.1 s and 9 MB to import

            return units_of(query, columns, self)

        return dict(self._units.get(query, units, tuple(columns)))

    def _variables_of(self, names: Iterable[str]) -> list[str]:
        needed = list(names)
        of_tables = [v for n in needed if n in self.state.tables for v in _versions(n, self.state.tables[n])]
        return of_tables + [self._memos[name].variable for name in needed if name in self._memos]

    def scan(self, name: str) -> pl.LazyFrame:
        """A relation as a polars LazyFrame; its filters and columns are pushed into DuckDB."""
        cursor = self.cursor(f"from {name}")
        return cursor.sql(f"from {name}").pl(lazy=True)

    def own_names(self) -> set[str]:
        """Names that are brainlake's own."""
        users = {name for name, table in self.state.tables.items() if table.spec.part == "rows"}
        return {*self.state.tables, *self.questions, *RELATIONS, *describe.SCHEMAS} - users

    def names(self) -> list[str]:
        """Every relation a question can name."""
        return sorted(self._known)

    def function_names(self) -> list[str]:
        """Every kernel and scalar macro that a question can call."""
        return sorted({*declared(), *(name for name, q in self.questions.items() if q.kind == "function")})

    def columns_of(self, name: str) -> list[str]:
        """Columns of a table or view; none of a macro, whose arguments decide."""
        if name in self.questions and self.questions[name].kind != "view":
            return []
        with self.cursor(f"from {name}") as cursor:
            return list(cursor.sql(f"from {name}").columns)

    def close(self) -> None:
        self._cursors.close()
        self._connection.close()


def _shape(state: LakeState) -> dict[str, tuple[str, ...]]:
    """What the views over tables depend on: the declarations, and which stored schemas have files."""
    return {name: (t.spec.version, *sorted({f.schema_version for f in t.files})) for name, t in state.tables.items()}


def _versions(name: str, table: TableState) -> dict[str, list[int]]:
    """Variable -> indices of the table's files, one a stored schema."""
    found: dict[str, list[int]] = {}
    for i, file in enumerate(table.files):
        found.setdefault(f"files_{name}_{file.schema_version}", []).append(i)
    return found


def file_variables(state: LakeState) -> Iterable[tuple[str, list[str]]]:
    """Session variable -> files, one a stored schema of a table."""
    for name, table in state.tables.items():
        for variable, indices in _versions(name, table).items():
            yield variable, [f"{state.root}/{table.files[i].path}" for i in indices]


def nwb_table_paths(attachments: Iterable[AttachmentState]) -> dict[str, str]:
    """What ``nwb_table`` may be asked for, ``file|table`` or ``|table`` -> its file, relative to the lake."""
    paths: dict[str, str] = {}
    bare: dict[str, list[str]] = {}
    for one in attachments:
        if one.kind == "nwb.table":
            name = one.name.strip("/")
            bare.setdefault(name, []).append(one.path)
            for file in (one.subject, one.source_url.rsplit("/", 1)[-1]):
                paths[f"{file}|{name}"] = one.path
    return paths | {f"|{name}": found[0] for name, found in bare.items() if len(found) == 1}


def create_over_files(name: str, table: TableState) -> str:
    """A table as a view: one scan for each stored schema, in today's columns."""
    versions = _versions(name, table)
    if not versions:
        # A real table, not `where false`: that would let the optimizer drop the guards that questions carry.
        columns = ", ".join(f'"{f.name}" {sql_type(f.type)}' for f in table.spec.arrow)
        return f"create table {name} ({columns})"
    scans = (_scan(table, variable, table.versions[variable.rsplit("_", 1)[1]]) for variable in versions)
    return f"create view {name} as " + " union all ".join(scans)


def _scan(table: TableState, variable: str, stored: pa.Schema) -> str:
    by_id = {(f.metadata or {}).get(b"PARQUET:field_id"): f for f in stored}
    columns = []
    for one in table.spec.arrow:
        old = by_id.get((one.metadata or {})[b"PARQUET:field_id"])
        if old is None:
            columns.append(f'null::{sql_type(one.type)} as "{one.name}"')
        elif sql_type(old.type) != sql_type(one.type):
            columns.append(f'"{old.name}"::{sql_type(one.type)} as "{one.name}"')
        else:
            columns.append(f'"{old.name}"' + (f' as "{one.name}"' if old.name != one.name else ""))
    options = ""
    if table.spec.partition:
        options = f", hive_partitioning = true, hive_types = {{'{table.spec.partition}': BIGINT}}"
    else:
        options = ", hive_partitioning = false"
    return f"select {', '.join(columns)} from read_parquet(getvariable({sql_text(variable)}){options})"


def sql_text(value: str) -> str:
    """A text as SQL writes it."""
    return "'" + value.replace("'", "''") + "'"
