"""Which part of a lake a condition chooses: whole files where tables are partitioned, rows of the small tables beside.

A condition is about one partition column: ``session_id in (715093703)``. Rows that have the column are chosen by it.
Rows that have not follow their source where all of it is chosen, else the ids they share with chosen rows: a channel
its probe, a unit its channel. What nothing ties to any value is reference, and stays: structures, lists of genes.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import sqlglot
from sqlglot import exp

from .errors import QueryError, UnknownError

if TYPE_CHECKING:
    from .session import Session
    from .spec import TableSpec

REFERENCE_SCHEMAS = frozenset({"ccf"})  # beside those that the chosen rows are in
_NAMED = "named_"  # before the name of a column: what the name of a file tells, where its content does not
_ROUNDS = 6  # of following ids: session, probe, channel, unit, metric of a unit


@dataclass(frozen=True)
class Subset:
    """What is chosen of a lake at a snapshot.

    paths : data files that are taken whole
    rewritten : table -> the rows that are taken of it, where they are not whole files
    whole, partial : ingests that are taken, entirely or not; those of neither are left
    values : column -> chosen values
    """

    paths: frozenset[str]
    rewritten: Mapping[str, pa.Table]
    whole: frozenset[int]
    partial: frozenset[int]
    left: frozenset[int]
    values: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def chosen_values(session: Session, condition: str) -> tuple[str, tuple[int, ...]]:
    """The partition column that a condition is about, and the values in the lake that it chooses.

    Raises QueryError where it is about no partition column, or several; UnknownError where it chooses nothing.
    """
    columns = {t.spec.partition for t in session.state.tables.values() if t.spec.partition}
    try:
        tree = sqlglot.parse_one(f"select 1 where {condition}", read="duckdb")
    except sqlglot.errors.SqlglotError as error:
        raise QueryError(f"--where {condition}: {str(error).splitlines()[0]}") from None
    where = tree.args.get("where")
    if where is None:
        raise QueryError(f"--where {condition}: is not one condition")
    named = {c.name.lower() for c in where.find_all(exp.Column) if c.find_ancestor(exp.Select) is tree}
    if len(named) != 1 or not named <= columns:
        told = f"names {', '.join(sorted(named))}" if named else "names no column"
        raise QueryError(
            f"--where {condition}: {told}; it is about one of {', '.join(sorted(columns))} (repeat --where for several)"
        )
    (column,) = named
    values = sorted(_values_of(session, column))
    candidates = pa.table({column: pa.array(values, pa.int64())})
    query = f"select distinct {column} from candidates where {condition} order by all"
    found = tuple(session.sql(query, tables={"candidates": candidates}).arrow()[column].to_pylist())
    if not found:
        there = ", ".join(map(str, values[:10])) + (", ..." if len(values) > 10 else "")
        raise UnknownError(f"--where {condition} chooses nothing: there are {column} {there or 'of none'}")
    return column, found


def _values_of(session: Session, column: str) -> set[int]:
    found: set[int] = set()
    for name, table in session.state.tables.items():
        if not table.files:
            continue
        if table.spec.partition == column:
            found.update(f.partition_value for f in table.files if f.partition_value is not None)
        elif _has(table.spec, column) and not table.spec.is_bulk:
            query = f"select distinct {column} from {name} where {column} is not null"
            with session.cursor(query) as cursor:
                found.update(int(value) for (value,) in cursor.execute(query).fetchall())
    return found


def _has(spec: TableSpec, column: str) -> bool:
    return column in spec.arrow.names and spec.arrow.field(column).type == pa.int64()


def choose(session: Session, conditions: Sequence[str], also: Iterable[str] = ()) -> Subset:
    """What conditions choose, together.

    also : schemas or tables of which all is taken besides
    """
    values: dict[str, set[int]] = defaultdict(set)
    for condition in conditions:
        column, found = chosen_values(session, condition)
        values[column].update(found)
    extra = frozenset(also)
    known = {*session.state.tables, *(t.spec.schema_name for t in session.state.tables.values())}
    if unknown := extra - known:
        raise UnknownError(f"there is no schema or table {min(unknown)} to take besides")
    return _Choice(session, values, extra).subset()


class _Choice:
    """One choice being made."""

    def __init__(self, session: Session, values: Mapping[str, set[int]], also: frozenset[str]) -> None:
        self.session, self.values, self.also = session, values, also
        self.tables = {name: table for name, table in session.state.tables.items() if table.files}
        self.ingests_of: dict[str, dict[str, tuple[int, ...]]] = defaultdict(dict)  # table -> path -> ingests
        for file in session.state.relations["lake.files"]().to_pylist():
            self.ingests_of[file["table_name"]][file["path"]] = tuple(map(int, file["ingest_ids"] or ()))
        self.n_direct: dict[int, int] = defaultdict(int)  # ingest -> rows that the conditions decide on
        self.n_chosen: dict[int, int] = defaultdict(int)
        self.paths: set[str] = set()
        self.rewritten: dict[str, pa.Table] = {}
        self.short: set[int] = set()  # ingests some of whose rows are left
        self.ids: dict[str, pa.Table] = {}  # id column -> (id, kept) as far as known
        self.decided: dict[str, frozenset[int]] = {}

    def subset(self) -> Subset:
        direct = {name: self._columns(table.spec) for name, table in self.tables.items()}
        bulk = [name for name, table in self.tables.items() if table.spec.is_bulk]
        for name, columns in direct.items():
            if name in bulk and self.tables[name].spec.partition in columns:
                self._choose_files(name)
            elif name not in bulk and columns:
                self._count_rows(name, columns)
        whole, partial, left = self._classes()
        self.decided = {"whole_ingests": whole, "partial_ingests": partial}
        for name, columns in direct.items():
            if name in bulk and self.tables[name].spec.partition not in columns:
                self._follow_files(name, whole)
            elif name not in bulk and columns:
                self._choose_rows(name, columns, whole | partial)
        self._follow_ids([n for n, columns in direct.items() if n not in bulk and not columns])
        taken = whole | partial
        chosen = {column: tuple(sorted(found)) for column, found in self.values.items()}
        short = frozenset(self.short)
        return Subset(frozenset(self.paths), self.rewritten, taken - short, taken & short, left, chosen)

    def _columns(self, spec: TableSpec) -> list[str]:
        """Columns by which a table's rows are decided: the conditions' own, or what a file's name tells of them."""
        found = [column for column in self.values if _has(spec, column)]
        told = [f"{_NAMED}{column}" for column in self.values]
        return found or [column for column in told if _has(spec, column)]

    def _is_extra(self, name: str) -> bool:
        return name in self.also or name.partition(".")[0] in self.also

    # -- rows that the conditions decide on -----------------------------------------------------------------------

    def _choose_files(self, name: str) -> None:
        table = self.tables[name]
        wanted = self.values[str(table.spec.partition)]
        for file in table.files:
            kept = file.partition_value in wanted or self._is_extra(name)
            for ingest in self.ingests_of[name][file.path]:
                self.n_direct[ingest] += file.n_rows
                self.n_chosen[ingest] += file.n_rows * kept
            if kept:
                self.paths.add(file.path)
            else:
                self.short.update(self.ingests_of[name][file.path])

    def _decision(self, columns: Sequence[str]) -> str:
        """SQL that is true or false of a row, or NULL where it has none of the columns' values."""
        values = {c: self.values[c.removeprefix(_NAMED)] for c in columns}
        wanted = (f"coalesce({c} in ({', '.join(map(str, sorted(found)))}), false)" for c, found in values.items())
        nothing = " and ".join(f"{column} is null" for column in columns)
        return f"case when {nothing} then null else {' or '.join(wanted)} end"

    def _count_rows(self, name: str, columns: Sequence[str]) -> None:
        query = f"""
            select ingest_id, count(*) filter (kept is not null) as n, count(*) filter (kept) as n_kept
            from (select ingest_id, {self._decision(columns)} as kept from {name}) group by ingest_id"""
        with self.session.cursor(query) as cursor:
            for ingest, n, n_kept in cursor.execute(query).fetchall():
                self.n_direct[ingest] += n
                self.n_chosen[ingest] += n if self._is_extra(name) else n_kept

    def _choose_rows(self, name: str, columns: Sequence[str], kept: frozenset[int]) -> None:
        decision = f"coalesce({self._decision(columns)}, ingest_id in (select ingest_id from kept_ingests))"
        self._take(name, decision, {"kept_ingests": _one_column("ingest_id", kept)})

    def _classes(self) -> tuple[frozenset[int], frozenset[int], frozenset[int]]:
        """Ingests that are taken whole, those that may be in part, and those that are left."""
        holders: dict[int, set[str]] = defaultdict(set)
        for name, files in self.ingests_of.items():
            for ingests in files.values():
                for ingest in ingests:
                    holders[ingest].add(name)
        for one in self.session.state.attachments:
            holders.setdefault(one.ingest_id, set())
        chosen = {i for i, n in self.n_chosen.items() if n}
        schemas = {name.partition(".")[0] for i in chosen for name in holders[i]} | REFERENCE_SCHEMAS
        schemas |= {t.spec.schema_name for t in self.tables.values() if t.spec.part == "rows"}
        whole, partial, left = set(), set(), set()
        for ingest, names in holders.items():
            n, n_kept = self.n_direct.get(ingest, 0), self.n_chosen.get(ingest, 0)
            if any(map(self._is_extra, names)) or 0 < n == n_kept:
                whole.add(ingest)
            elif n_kept or (not n and names and all(self._is_reference(name, schemas) for name in names)):
                partial.add(ingest)
            else:
                left.add(ingest)
        return frozenset(whole), frozenset(partial), frozenset(left)

    def _is_reference(self, name: str, schemas: Iterable[str]) -> bool:
        return not self.tables[name].spec.is_bulk and name.partition(".")[0] in schemas

    # -- rows that follow -----------------------------------------------------------------------------------------

    def _follow_files(self, name: str, whole: frozenset[int]) -> None:
        self.paths |= {path for path, ingests in self.ingests_of[name].items() if whole.issuperset(ingests)}

    def _follow_ids(self, names: list[str]) -> None:
        """Decide on rows of small tables without the columns: by source, and by ids that others have decided on."""
        self._learn_ids(names)
        for _ in range(_ROUNDS):
            known = sum(map(len, self.ids.values()))
            for name in names:
                self._learn(name)
            if sum(map(len, self.ids.values())) == known:
                break
        for name in names:
            self._take(name, self._following(name), self._frames())

    def _following(self, name: str) -> str:
        kept = [f"(select h.kept from ids_{of} as h where h.id = t.{column})" for column, of in self._links(name)]
        return f"""case when ingest_id in (select ingest_id from whole_ingests) then true
            when ingest_id in (select ingest_id from partial_ingests) then coalesce({", ".join([*kept, "true"])})
            else false end"""

    def _links(self, name: str) -> list[tuple[str, str]]:
        """Columns of a table that tell ids of which some are known, and which: its own key first."""
        spec = self.tables[name].spec
        columns = [c.name for c in spec if c.name.endswith("_id") and c.type == pa.int64()]
        columns.sort(key=lambda c: c not in spec.key)
        found = []
        for column in columns:
            of = [x for x in self.ids if column == x or column.endswith(f"_{x}")]
            found += [(column, max(of, key=len))] if of else []
        return found

    def _frames(self) -> dict[str, pa.Table]:
        named = {name: _one_column("ingest_id", ids) for name, ids in self.decided.items()}
        return named | {f"ids_{name}": table for name, table in self.ids.items()}

    def _learn_ids(self, followers: Iterable[str]) -> None:
        """Ids of the rows that the conditions decided on, as far as others have them."""
        wanted = {c.name for name in followers for c in self.tables[name].spec if c.name.endswith("_id")}
        for name, table in self.tables.items():
            columns = self._columns(table.spec)
            own = [k for k in table.spec.key if k.endswith("_id") and k not in self.values]
            if not columns or len(own) != 1 or not any(w == own[0] or w.endswith(f"_{own[0]}") for w in wanted):
                continue
            decision = self._decision(columns)
            # Of a partitioned table only what is chosen is read: what is not, others may tell.
            only = f"where {decision}" if table.spec.is_bulk else f"where {decision} is not null"
            self._add_ids(own[0], f"select {own[0]} as id, {decision} as kept from {name} {only}", {})

    def _learn(self, name: str) -> None:
        """The ids of a table that others follow, decided as its rows are."""
        key = self.tables[name].spec.key
        if len(key) == 1 and key[0].endswith("_id") and self._links(name):
            links = " or ".join(f"t.{column} in (select id from ids_{of})" for column, of in self._links(name))
            query = f"select t.{key[0]} as id, {self._following(name)} as kept from {name} as t where {links}"
            self._add_ids(key[0], query, self._frames())

    def _add_ids(self, column: str, query: str, frames: Mapping[str, pa.Table]) -> None:
        with self.session.cursor(query) as cursor:
            for frame, table in frames.items():
                cursor.register(frame, table)
            found = cursor.sql(f"select id, bool_or(kept) as kept from ({query}) group by id").to_arrow_table()
        both = pa.concat_tables([self.ids[column], found]) if column in self.ids else found
        once = both.group_by("id").aggregate([("kept", "max")])
        self.ids[column] = once.select(["id", "kept_max"]).rename_columns(["id", "kept"])

    # -- taking ---------------------------------------------------------------------------------------------------

    def _take(self, name: str, decision: str, frames: Mapping[str, pa.Table]) -> None:
        """The files of a small table where all its rows are taken, else those rows."""
        decision = "true" if self._is_extra(name) else decision
        query = (
            f"select ingest_id, count(*) as n, count(*) filter ({decision}) as k from {name} as t group by ingest_id"
        )
        with self.session.cursor(query) as cursor:
            for frame, table in frames.items():
                cursor.register(frame, table)
            counts = cursor.execute(query).fetchall()
            self.short |= {int(ingest) for ingest, n, k in counts if k < n}
            if all(k == n for _, n, k in counts):
                self.paths |= set(self.ingests_of[name])
            elif any(k for _, _, k in counts):
                rows = cursor.sql(f"select * from {name} as t where {decision}").to_arrow_table()
                self.rewritten[name] = rows.cast(self.tables[name].spec.arrow)


def _one_column(name: str, values: Iterable[Any]) -> pa.Table:
    return pa.table({name: pa.array(sorted(values), pa.int64())})
