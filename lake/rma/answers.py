"""Answers to queries of the API: stage after stage, within limits of rows, time and size (spec: api 4.3).

What a query does not name it does not read; the lake is only ever read.
"""

from __future__ import annotations

import contextlib
import json
import math
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import duckdb
import numpy as np
import pyarrow as pa

from ...ingest import rma_grammar as rma
from ..errors import QueryError
from ..mistakes import explained
from . import options as asked
from . import services, translate
from .models import Model
from .told import Told
from .tree import Tree

if TYPE_CHECKING:
    from ..relation import Relation
    from ..session import Session

BATCH = 2_048
CHUNK = 20_000  # records that one statement reads of a long answer
INTEGERS = ("TINYINT", "SMALLINT", "INTEGER", "BIGINT")
COLLECTED = 100_000  # values a pipe may collect


@dataclass(frozen=True)
class Limits:
    """What one query may take."""

    rows: int = 1_000_000
    seconds: float = 60.0
    megabytes: float = 1_024.0


@dataclass
class Answer:
    """Records as they come; ``num_rows`` is known when all have come.

    root : the model of the records, None where they are text
    batches : records, each a JSON object; no batch is empty
    columns : of a flat answer, None for nested records
    """

    root: Model | None
    batches: Iterator[list[str]]
    start_row: int = 0
    total_rows: int | None = None
    columns: tuple[str, ...] | None = None
    text: str | None = None
    num_rows: int = field(default=0, init=False)

    def texts(self) -> Iterator[list[str]]:
        """The records as JSON, some at a time."""
        for batch in self.batches:
            self.num_rows += len(batch)
            yield batch

    def __iter__(self) -> Iterator[dict[str, Any]]:
        for batch in self.texts():
            yield from map(json.loads, batch)


class Api:
    """The Atlas API, as one snapshot of a lake answers it. Several threads may ask at once."""

    def __init__(self, session: Session, limits: Limits | None = None) -> None:
        self.session, self.limits = session, limits or Limits()
        self.told = Told(session)

    def relation(self, text: str) -> Relation:
        """The last stage's rows as a relation: objects are STRUCT, lists LIST; earlier stages are run now."""
        from ..relation import Relation

        stage, variables = self._until_last(rma.parse(text))
        relation = Relation(self.session, *_statement(self._translated(stage, variables)))
        relation.check()
        return relation

    def answer(self, query: rma.Query, flat: bool = False) -> Answer:
        """The last stage's records. ``flat``: rows of columns, as CSV has them.

        Raises QueryError for a query with a mistake or beyond the limits, also while records are taken.
        """
        if isinstance(query.stages[-1], rma.ServiceStage):
            return self._service(query.stages[-1])
        stage, variables = self._until_last(query)
        return self._answer(stage, variables, flat)

    def rows(self, sql: str, params: Mapping[str, Any]) -> list[dict[str, Any]]:
        """Rows of a question of our own, within the limits."""
        found = [_plain(row) for row in self._rows(translate.Statement(sql, dict(params)), self._deadline())]
        self._allow(len(found))
        return found

    # -- stages ---------------------------------------------------------------------------------------------------

    def _until_last(self, query: rma.Query) -> tuple[rma.ModelStage, dict[str, list[Any]]]:
        """Run what comes before the last stage; returns the last and what pipes collected."""
        variables: dict[str, list[Any]] = {}
        records: list[dict[str, Any]] | None = None
        *before, last = query.stages
        for stage in before:
            if isinstance(stage, rma.PipeStage):
                self._pipe(stage, records, variables)
            elif isinstance(stage, rma.ServiceStage):
                records = list(self._service(stage))
            else:
                records = list(self._answer(_model_stage(stage), variables, False))
        return _model_stage(last), variables

    def _service(self, stage: rma.ServiceStage) -> Answer:
        until = self._deadline()
        lines = translate.Statement(
            "select transgenic_line_id as id, list(distinct transgenic_line) as names from connectivity.experiments "
            "where transgenic_line_id is not null and transgenic_line is not null group by all", {}
        )  # fmt: skip
        known = {row["id"]: row["names"] for row in self._rows(lines, until)}
        statement = services.statement(stage, known)
        rows = [_plain(row) for row in self._rows(statement, until)]
        self._allow(len(rows))
        if stage.name == "mouse_connectivity_target_spatial":
            for row in rows:
                path = {"seed": statement.params["seed_point"], "experiment": row["id"]}
                row["path"] = list(self._rows(translate.Statement(services.PATH.sql, path), until))
        return listed(rows)

    def _pipe(
        self, stage: rma.PipeStage, records: list[dict[str, Any]] | None, variables: dict[str, list[Any]]
    ) -> None:
        given = {one.column.name: one.values for one in stage.parameters}
        if stage.name == "list":
            if records is None:
                raise QueryError("pipe::list collects from the stage before, and there is none")
            for name, values in given.items():
                variables[name] = list(dict.fromkeys(_under(records, _word(values, name).strip("/").split("/"))))
                if len(variables[name]) > COLLECTED:
                    raise QueryError(f"pipe::list collects more than {COLLECTED:,} values into ${name}")
            return
        source, target = (given.get(key, ()) for key in ("input", "output"))
        if len(source) != 1 or not isinstance(source[0], rma.Variable) or source[0].name not in variables:
            raise QueryError(f"pipe::{stage.name} needs [input$in$name] of what a pipe collected before")
        texts = [str(value) for value in variables[source[0].name]]
        pattern = _word(given.get("pattern", ()), "pattern")
        # DuckDB's regular expressions, which take linear time.
        if stage.name == "replace":
            sql = "select regexp_replace(unnest($texts), $pattern, $by, 'g')"
            params: dict[str, Any] = {"by": _word(given.get("replacement", ()), "replacement")}
        else:
            sql, params = (
                "select unnest(flatten(list_transform($texts, lambda t: string_split_regex(t, $pattern))))",
                {},
            )
        rows = self._rows(translate.Statement(sql, {"texts": texts, "pattern": pattern, **params}), self._deadline())
        found = [next(iter(row.values())) for row in rows] if texts else []
        variables[_word(target, "output")] = list(dict.fromkeys(value for value in found if value != ""))

    def _answer(self, stage: rma.ModelStage, variables: Mapping[str, Sequence[Any]], flat: bool) -> Answer:
        options = asked.read(stage)
        flat = flat or options.tabular is not None
        if flat and options.tabular is None:  # plain columns have no room for what is included
            stage = replace(stage, include=())
        tree = Tree(stage, self.told, variables)
        columns = translate.cells(tree, options) if flat else None
        names = tuple(name for _, name in columns) if columns is not None else None
        if options.preview:
            return Answer(None, iter(()), text=_relation(tree, options, columns).sql)
        until = self._deadline()
        total, keys = None, None
        if self._in_key_order(tree, options, columns):
            keys = self._keys(translate.keys(tree, options), until)
            total = len(keys) if options.count and columns is None else None
        if options.count and total is None:
            total = next(iter(self._rows(translate.count(tree, options, columns), until)))["n"]
        if keys is not None and len(keys) > CHUNK:
            found = self._part_by_part(tree, options, columns, keys[options.start_row :], until)
        else:
            # Rows of a table are more than its keys: joins multiply them.
            few = options.num_rows is not None or (total is not None and total <= CHUNK)
            few = few or (keys is not None and columns is None)
            found = self._texts(translate.texts(tree, options, columns), until, at_once=few)
        return Answer(tree.root.model, self._within(found), options.start_row, total, names)

    def _in_key_order(self, tree: Tree, options: asked.Options, columns: translate.Columns | None) -> bool:
        """Whether an answer is of all records, one key after the other, so that it can be taken in parts."""
        model = tree.root.model
        if options.num_rows is not None or options.order or options.distinct or len(model.keys) > 1:
            return False
        if self.told.of(model).is_merged:  # by their keys: each part would read all that tell them
            return False
        if columns is not None and options.start_row:  # which counts rows
            return False
        return self.told.types(model)[model.keys[0]] in INTEGERS

    def _keys(self, statement: translate.Statement, until: float) -> np.ndarray:
        """Keys of records, ascending, in 8 bytes each."""
        parts = [column.to_numpy() for column in self._columns(statement, until)]
        return np.concatenate(parts).astype(np.int64, copy=False) if parts else np.empty(0, np.int64)

    def _part_by_part(
        self,
        tree: Tree,
        options: asked.Options,
        columns: translate.Columns | None,
        keys: np.ndarray,
        until: float,
    ) -> Iterator[list[str]]:
        """A long answer, of which DuckDB holds one part at a time."""
        options = replace(options, start_row=0)
        for i in range(0, len(keys), CHUNK):
            part = int(keys[i]), int(keys[min(i + CHUNK, len(keys)) - 1])
            yield from self._texts(translate.texts(tree, options, columns, part), until, at_once=columns is None)

    def _translated(self, stage: rma.ModelStage, variables: Mapping[str, Sequence[Any]]) -> translate.Statement:
        options = asked.read(stage)
        tree = Tree(stage, self.told, variables)
        return _relation(tree, options, None if options.tabular is None else translate.cells(tree, options))

    # -- running --------------------------------------------------------------------------------------------------

    def _deadline(self) -> float:
        return time.monotonic() + self.limits.seconds

    def _within(self, batches: Iterator[list[str]]) -> Iterator[list[str]]:
        n = 0
        for batch in batches:
            n += len(batch)
            self._allow(n)
            yield batch

    def _allow(self, n: int) -> None:
        if n > self.limits.rows:
            raise QueryError(
                f"the answer has more than {self.limits.rows:,} rows: ask for pages with num_rows and start_row"
            )

    def _rows(self, statement: translate.Statement, until: float) -> Iterator[dict[str, Any]]:
        """All rows of a question whose answer is small."""
        with self._asking(statement, until) as (cursor, in_time):
            found = cursor.execute(*_statement(statement))
            names = [column[0] for column in found.description or ()]
            rows = found.fetchall()
            in_time()
        return (dict(zip(names, row, strict=True)) for row in rows)

    def _texts(self, statement: translate.Statement, until: float, *, at_once: bool) -> Iterator[list[str]]:
        """The texts in an answer's one column.

        at_once : they are few: DuckDB then plans the statement once, not twice, and hands them over whole
        """
        if not at_once:
            yield from (column.to_pylist() for column in self._columns(statement, until))
            return
        with self._asking(statement, until) as (cursor, in_time):
            rows = cursor.execute(*_statement(statement)).fetchall()
            in_time()
        if rows:
            yield [text for (text,) in rows]

    def _columns(self, statement: translate.Statement, until: float) -> Iterator[pa.Array]:
        """An answer's one column as it is computed."""
        with self._asking(statement, until) as (cursor, in_time):
            for batch in cursor.sql(statement.sql, params=statement.params or None).to_arrow_reader(BATCH):
                in_time()
                if batch.num_rows:
                    yield batch.column(0)

    @contextlib.contextmanager
    def _asking(
        self, statement: translate.Statement, until: float
    ) -> Iterator[tuple[duckdb.DuckDBPyConnection, Callable[[], None]]]:
        """A cursor for a statement, which is stopped when the time is over; and a check that it is not."""
        cursor = self.session.cursor(*_statement(statement))
        late = QueryError(f"the query takes longer than {self.limits.seconds:g} s: ask for less at once")
        timer = threading.Timer(max(0.0, until - time.monotonic()), cursor.interrupt)
        timer.daemon = True
        timer.start()

        def in_time() -> None:
            if time.monotonic() > until:
                raise late

        is_done = False
        try:
            yield cursor, in_time
            is_done = True
        except duckdb.InterruptException:
            raise late from None
        except duckdb.Error as error:
            raise explained(error, self.session, statement.sql) from None
        finally:
            timer.cancel()
            timer.join()  # it may be about to stop what is asked next on this cursor
            if is_done and time.monotonic() < until:
                self.session.give_back(cursor)
            else:
                cursor.close()


def listed(records: Iterable[Mapping[str, Any]], root: Model | None = None) -> Answer:
    """An answer of records that are made in Python."""
    texts = [json.dumps(record, allow_nan=False) for record in records]
    return Answer(root, iter([texts] if texts else []))


def _relation(tree: Tree, options: asked.Options, columns: translate.Columns | None) -> translate.Statement:
    return translate.records(tree, options) if columns is None else translate.table(tree, options, columns)


def _statement(statement: translate.Statement) -> tuple[str, dict[str, Any] | None]:
    return statement.sql, statement.params or None


def _model_stage(stage: rma.Stage) -> rma.ModelStage:
    if isinstance(stage, rma.ModelStage):
        return stage
    if isinstance(stage, rma.ServiceStage):
        raise QueryError("a service's rows are records of no model: ask it by itself, or pipe it into one")
    raise QueryError("a query ends with a model, not with a pipe")


def _word(values: Sequence[rma.Value], name: str) -> str:
    """The text of one parameter, as it stands: a pattern may hold a plus."""
    if len(values) != 1 or isinstance(values[0], rma.Variable):
        raise QueryError(f"a pipe's [{name}$eq...] has one value")
    return values[0].text


def _under(records: Any, path: Sequence[str]) -> Iterator[Any]:
    """Values below a path of names, in the order of the records."""
    if isinstance(records, list):
        for record in records:
            yield from _under(record, path)
    elif not path:
        if not isinstance(records, dict) and records is not None:
            yield records
    elif isinstance(records, dict):
        if path[0] in records:
            yield from _under(records[path[0]], path[1:])
        elif path[1:]:  # structures/structure/name: elements around the records
            yield from _under(records, path[1:])


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """A row without what JSON does not know."""
    return {
        name: None if isinstance(value, float) and not math.isfinite(value) else value for name, value in row.items()
    }
