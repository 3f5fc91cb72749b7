"""The data dictionary: ``lake.relations``, ``lake.columns`` and ``lake.tables``, derived from the declarations."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import duckdb
import pyarrow as pa

from .functions import declared, sql_type
from .questions import Described, Question
from .relations import RELATIONS, table_of
from .spec import TableSpec
from .states import LakeState

_T, _I = pa.string(), pa.int64()

SCHEMAS: dict[str, pa.Schema] = {
    "lake.relations": pa.schema(
        [("name", _T), ("kind", _T), ("signature", _T), ("grain", _T), ("sdk", _T), ("spec", _T)]
    ),
    "lake.columns": pa.schema(
        [("name", _T), ("position", _I), ("column_name", _T), ("column_type", _T), ("unit", _T), ("description", _T)]
    ),
    "lake.tables": pa.schema(
        [
            ("table_name", _T),
            ("kind", _T),
            ("grain", _T),
            ("part", _T),
            ("n_rows", _I),
            ("n_files", _I),
            pa.field("size_bytes", _I),
        ]
    ),
}
_GRAINS = {
    "lake.ingests": "one live ingest: a source turned into rows by one commit",
    "lake.parts": "one part of an ingested source: taken, or held by the source only",
    "lake.failures": "one source that could not be ingested",
    "lake.files": "one live Parquet file",
    "lake.snapshots": "one commit of the whole lake",
    "lake.relations": "one relation or function a question can name",
    "lake.columns": "one column of a relation, or parameter of a macro or function",
    "lake.tables": "one stored table",
}


def relation(
    name: str, state: LakeState, questions: Mapping[str, Question], con: duckdb.DuckDBPyConnection
) -> pa.Table:
    """One of the dictionary's tables."""
    make = {"lake.relations": _relations, "lake.columns": _columns, "lake.tables": _tables}[name]
    return table_of(make(state, questions, con), SCHEMAS[name])


def _kind(spec: TableSpec) -> str:
    return "user table" if spec.part == "rows" else "table"


def _relations(
    state: LakeState, questions: Mapping[str, Question], con: duckdb.DuckDBPyConnection
) -> Iterator[tuple[object, ...]]:
    for name, table in state.tables.items():
        yield name, _kind(table.spec), name, table.spec.grain, None, None
    for name, grain in _GRAINS.items():
        yield name, "table", name, grain, None, None
    for question in questions.values():
        yield (
            *(question.name, question.kind, question.signature, question.grain)[:4],
            ", ".join(question.sdk) or None,
            ", ".join(question.spec) or None,
        )
    for udf in declared().values():
        yield udf.name, "udf", f"{udf.name}({', '.join(udf.names)})", udf.summary, None, None


def _columns(
    state: LakeState, questions: Mapping[str, Question], con: duckdb.DuckDBPyConnection
) -> Iterator[tuple[object, ...]]:
    dictionary = Dictionary(state, questions)
    query = """
        select schema_name || '.' || table_name, column_index, column_name, data_type
        from duckdb_columns() where not internal and database_name = current_database()
        order by 1, 2"""
    for name, position, column, kind in con.execute(query).fetchall():
        found = dictionary.column(name, column)
        yield name, position, column, kind, found.unit if found else None, found.text if found else None
    for question in questions.values():
        for position, (name, default) in enumerate(question.parameters, start=1):
            doc = question.docs.get(name)
            text = f"{doc.text if doc else ''}{f' [default {default}]' if default is not None else ''}".strip()
            yield question.name, position, name, "parameter", doc.unit if doc else None, text or None
    for udf in declared().values():
        for position, (name, kind) in enumerate(zip(udf.names, udf.args, strict=True), start=1):
            yield udf.name, position, name, sql_type(kind), None, None


def _tables(
    state: LakeState, questions: Mapping[str, Question], con: duckdb.DuckDBPyConnection
) -> Iterator[tuple[object, ...]]:
    for name, table in state.tables.items():
        spec = table.spec
        kind = "user" if spec.part == "rows" else "bulk" if spec.is_bulk else "small"
        rows, size = sum(f.n_rows for f in table.files), sum(f.size_bytes for f in table.files)
        yield name, kind, spec.grain, spec.part, rows, len(table.files), size


class Dictionary:
    """What a column means: said by the relation's author, or by what the relation rests on.

    A column name has one meaning and one unit across the lake (a test holds that), so a view that passes a column
    through need not say again what it is.
    """

    def __init__(self, state: LakeState, questions: Mapping[str, Question]) -> None:
        self._tables = {name: table.spec for name, table in state.tables.items()}
        self._questions = questions

    def column(self, relation_name: str, column: str) -> Described | None:
        """Meaning and unit of a column of a table or view."""
        return self._find(relation_name, column, set())

    def units(self, relation_name: str, columns: Iterable[str]) -> dict[str, str | None]:
        """Units of columns of a relation; None where they have none."""
        found = {name: self.column(relation_name, name.lower()) for name in columns}
        return {name: one.unit if one else None for name, one in found.items()}

    def _find(self, name: str, column: str, seen: set[str]) -> Described | None:
        if name in seen:
            return None
        seen.add(name)
        if name in self._tables:
            for declared_column in self._tables[name]:
                if declared_column.name == column:
                    return Described(declared_column.description, declared_column.unit)
            return None
        question = self._questions.get(name)
        if question is None:
            return None
        if column in question.docs and column not in dict(question.parameters):
            return question.docs[column]
        for other in sorted(question.depends):
            found = self._find(other, column, seen)
            if found:
                return found
        return None


KNOWN = frozenset({*RELATIONS, *SCHEMAS})
