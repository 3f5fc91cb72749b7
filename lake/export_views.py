"""A lake as a DuckDB file of views, which any DuckDB client opens: no rows in it, only where they are.

Tables are views over the Parquet files of one snapshot, questions the same views and macros as in a session. What calls
a kernel of ``udfs/`` cannot run without Python: it keeps its name and columns, says so when it is read, and is listed in
``lake.needs_python``.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import duckdb
import pyarrow as pa

from .describe import SCHEMAS
from .errors import BrainlakeError
from .functions import declared, sql_type
from .questions import Question
from .relations import RELATIONS
from .session import NWB_TABLE, create_over_files, file_variables, nwb_table_paths, sql_text
from .whole_files import new_path

if TYPE_CHECKING:
    from .session import Session
    from .states import LakeState

# The oldest storage: DuckDB 1.1 opens it.
STORAGE_VERSION = "v1.0.0"
NEEDS_PYTHON = pa.schema(
    [pa.field(name, pa.string()) for name in ("name", "kind", "signature", "functions", "how_to_use")]
)
_LISTED = re.compile(r"getvariable\('((?:[^']|'')*)'\)")


@dataclass(frozen=True)
class Exported:
    """What a file of views holds."""

    path: Path
    snapshot_id: int
    n_relations: int
    needs_python: tuple[str, ...]


def export_views(session: Session, path: Path, *, relative: bool = False, force: bool = False) -> Exported:
    """Write a DuckDB file whose views read a lake's snapshot.

    relative : name the data files as seen from the lake's directory, for clients that start there or say
        ``set file_search_path = 'DIRECTORY'``; by default by their absolute paths
    force : replace a file that is there

    Raises BrainlakeError where the file cannot be written, lies inside of the lake, or is called as a schema is.
    """
    state = session.state
    if path.stem.lower() in {name.partition(".")[0] for name in session.names()}:
        raise BrainlakeError(
            f"{path}: DuckDB names a database by its file, and {path.stem} is a schema in it, so that its names would be "
            "ambiguous: call it brain.duckdb"
        )
    with new_path(path, state.root, force=force) as unfinished:
        try:
            with duckdb.connect() as con:
                con.execute(f"set file_search_path = {sql_text(str(state.root))}")
                con.execute(f"attach {sql_text(str(unfinished))} as lake_file (storage_version '{STORAGE_VERSION}')")
                con.execute("use lake_file")
                needing = _write(con, session, "" if relative else f"{state.root}/")
                n = con.execute("select count(*) from duckdb_views() where not internal").fetchall()[0][0]
                con.execute("use memory")
                con.execute("detach lake_file")  # which writes everything
        finally:
            Path(f"{unfinished}.wal").unlink(missing_ok=True)
    return Exported(path, state.snapshot_id, int(n), tuple(needing))


def _write(con: duckdb.DuckDBPyConnection, session: Session, prefix: str) -> list[str]:
    state = session.state
    kernels = kernels_below(session.questions)
    columns: dict[str, list[tuple[str, str]]] = defaultdict(list)
    described = session.sql("from lake.columns order by name, position").arrow().to_pylist()
    for one in described:
        columns[one["name"]].append((one["column_name"], one["column_type"]))

    for schema in dict.fromkeys(n.partition(".")[0] for n in (*state.tables, *session.questions, *RELATIONS)):
        con.execute(f"create schema if not exists {schema}")
    lists = _file_lists(state, prefix)
    for name, table in state.tables.items():
        con.execute(_LISTED.sub(lambda found: lists[found[1]], create_over_files(name, table)))
    _write_nwb_table(con, state, prefix)
    for name in (*RELATIONS, *SCHEMAS):
        _write_table(con, name, session.sql(f"from {name}").arrow())
    _write_table(con, "lake.needs_python", _needs_python(session.questions, kernels))
    for question in session.questions.values():
        _create(con, question if question.name not in kernels else _refusing(question, kernels, columns[question.name]))
    _comment(con, session.sql("select name, kind, grain from lake.relations").arrow().to_pylist(), described)
    return sorted(kernels)


def kernels_below(questions: Mapping[str, Question]) -> dict[str, list[str]]:
    """Views and macros that call a kernel, themselves or through others -> the kernels."""
    calls = re.compile(rf"\b({'|'.join(map(re.escape, declared()))})\s*\(", re.IGNORECASE)
    found: dict[str, list[str]] = {}
    for name, question in questions.items():  # each after those it depends on
        own = {match.lower() for match in calls.findall(question.body)}
        if all_of_them := own.union(*(found.get(other, ()) for other in question.depends)):
            found[name] = sorted(all_of_them)
    return found


def _file_lists(state: LakeState, prefix: str) -> dict[str, str]:
    """Session variable -> the files that it would hold, as SQL."""
    return {
        variable: "[" + ", ".join(sql_text(prefix + path.removeprefix(f"{state.root}/")) for path in paths) + "]"
        for variable, paths in file_variables(state)
    }


def _write_nwb_table(con: duckdb.DuckDBPyConnection, state: LakeState, prefix: str) -> None:
    """``nwb_table`` with the map of its files in its own text, as there are no session variables."""
    paths = {
        key: prefix + path.removeprefix(f"{state.root}/") for key, path in nwb_table_paths(state.attachments).items()
    }
    keys, values = (", ".join(map(sql_text, side)) for side in (paths, paths.values()))
    literal = f"map([{keys}]::varchar[], [{values}]::varchar[])"
    for name in ("nwb.nwb_table", "main.nwb_table"):
        if paths:
            con.execute(_LISTED.sub(literal, NWB_TABLE.format(name=name)))
        else:
            text = sql_text("this snapshot holds no further table of an NWB file")
            con.execute(f"create macro {name}(table_path, in_file := '') as table select error({text})::boolean")


def _write_table(con: duckdb.DuckDBPyConnection, name: str, table: pa.Table) -> None:
    columns = ", ".join(f'"{one.name}" {sql_type(one.type)}' for one in table.schema)
    con.execute(f"create schema if not exists {name.partition('.')[0]}")
    con.execute(f"create table {name} ({columns})")
    con.register("_rows", table)
    con.execute(f"insert into {name} select * from _rows")
    con.unregister("_rows")


def _create(con: duckdb.DuckDBPyConnection, question: Question) -> None:
    try:
        con.execute(question.create)
    except duckdb.Error as error:
        raise BrainlakeError(f"{question.name} cannot be written as a view: {error}") from None


def _how(question: Question) -> str:
    call = f"from {question.name}" if question.kind == "view" else f"... {question.signature} ..."
    return (
        f'brainlake sql "{call}", lake.sql(...) in Python, or a client of `brainlake serve`; or keep the answer: '
        f"brainlake export parquet QUERY"
    )


def _refusing(question: Question, kernels: Mapping[str, list[str]], columns: Iterable[tuple[str, str]]) -> Question:
    """A question of the same name and columns that says, when it is read, how to be answered."""
    text = (
        f"{question.name} needs brainlake, as it calls {', '.join(kernels[question.name])}: ask it by {_how(question)}"
    )
    failing = f"error({sql_text(text)})::boolean"
    if question.kind == "view":
        listed = ", ".join(f'null::{kind} as "{name}"' for name, kind in columns)
        return replace(question, body=f"select {listed} where {failing}")
    return replace(question, body=failing if question.kind == "function" else f"select {failing} as needs_brainlake")


def _needs_python(questions: Mapping[str, Question], kernels: Mapping[str, list[str]]) -> pa.Table:
    rows = [
        {
            "name": name,
            "kind": questions[name].kind,
            "signature": questions[name].signature,
            "functions": ", ".join(kernels[name]),
            "how_to_use": _how(questions[name]),
        }
        for name in sorted(kernels)
    ]
    return pa.Table.from_pylist(rows, NEEDS_PYTHON)


def _comment(
    con: duckdb.DuckDBPyConnection, relations: Iterable[Mapping[str, str]], columns: Iterable[Mapping[str, str]]
) -> None:
    """What each relation's row and each column is, where clients look: DuckDB's own comments."""
    made = dict(con.execute("select schema_name || '.' || view_name, 'view' from duckdb_views()").fetchall())
    made |= dict(con.execute("select schema_name || '.' || table_name, 'table' from duckdb_tables()").fetchall())
    words = {"macro": "macro table", "function": "macro"}
    for one in relations:
        kind = made.get(one["name"]) or words.get(one["kind"])
        if kind and one["grain"]:
            con.execute(f"comment on {kind} {one['name']} is {sql_text(one['grain'])}")
    for one in columns:
        if one["name"] in made and (text := column_comment(one["description"], one["unit"])):
            con.execute(f'comment on column {one["name"]}."{one["column_name"]}" is {sql_text(text)}')


def column_comment(description: str | None, unit: str | None) -> str:
    """A column's meaning and unit as one text: ``time of the spike (s)``."""
    named = f"({unit})" if unit and unit != "1" else ""
    return " ".join(part for part in (description, named) if part)
