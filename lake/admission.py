"""Who may run what: a session reads, whatever the statement is dressed as. Default is to refuse.

DuckDB's own settings keep files outside of the lake closed, but let ``copy ... to`` the lake's directory, ``explain
analyze copy ...`` and ``with w as (delete ... returning *) select ...`` through. So every statement is parsed, by
DuckDB's parser, and admitted only if its whole tree reads.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

import duckdb

from .errors import NotAdmittedError, QueryError
from .remembered import Remembered

# Every kind of query node that only reads; a kind that a later DuckDB adds is refused until it is known.
READING_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE", "VALUES_NODE"})

# Table functions that only read what the session holds. Every other one that DuckDB has is refused: some read files by
# their paths, run hidden SQL, take raw pointers, or change the process. The lake's own views read files by its catalogue.
READING_FUNCTIONS = frozenset(
    {
        "unnest", "range", "generate_series", "repeat", "repeat_row", "query", "query_table", "json_each", "json_tree",
        "histogram", "histogram_values", "summary", "nwb_table",
        "duckdb_columns", "duckdb_constraints", "duckdb_databases", "duckdb_functions", "duckdb_keywords",
        "duckdb_memory", "duckdb_schemas", "duckdb_settings", "duckdb_tables", "duckdb_types", "duckdb_views",
        "pragma_show", "pragma_table_info", "pragma_version",
    }
)  # fmt: skip
_READS_FILES = re.compile(r"read_|sniff_|parquet_|glob$")
# DuckDB takes such a name for files. It guards folders by their names alone, so that a pattern would follow a link out.
_PATH = re.compile(r"/.*[*?\[]|[*?\[].*/|^[a-z0-9]+://", re.IGNORECASE | re.DOTALL)

# Scalar functions that change the process or the session, read its environment, or only waste time.
REFUSED_SCALARS = frozenset({"getenv", "nextval", "currval", "setval", "setseed", "sleep_ms", "pg_sleep", "write_log"})

# How large a question may be: DuckDB plans one in a time that grows with the square of these, and cannot be interrupted
# meanwhile. Constants do not count: a list of ten thousand ids is no hard question.
MOST_CHARACTERS = 1_000_000
MOST_EXPRESSIONS = 10_000
MOST_QUERIES = 1_000
MOST_PARTS_OF_A_NAME = 16

# A PIVOT whose columns come from the data is several statements, which DuckDB does not show: none of these words may
# stand in it outside of quotes.
WRITING_WORDS = frozenset(
    {
        "insert", "update", "delete", "merge", "copy", "attach", "detach", "export", "import", "install", "load",
        "create", "drop", "alter", "truncate", "set", "reset", "prepare", "execute", "deallocate", "call", "pragma",
        "use", "vacuum", "checkpoint", "begin", "commit", "rollback", "transaction", "comment",
    }
)  # fmt: skip


_admitted: Remembered[None] = Remembered()  # a text alone decides


def admit(con: duckdb.DuckDBPyConnection, query: str) -> None:
    """Return if a query is one statement that only reads.

    Raises QueryError for what cannot be parsed, NotAdmittedError for anything that is not read-only.
    """
    _admitted.get(query, lambda: _admit(con, query))


def _admit(con: duckdb.DuckDBPyConnection, query: str) -> None:
    if len(query) > MOST_CHARACTERS:
        raise _too_large(f"more than {MOST_CHARACTERS:,} characters")
    try:
        statements = con.extract_statements(query)
    except duckdb.Error as error:
        raise QueryError(str(error)) from None
    if len(statements) != 1:
        raise NotAdmittedError(
            "there is no statement to run" if not statements else "one statement at a time: split them at the semicolon"
        )
    try:
        kind = statements[0].type.name
    except ValueError:  # a kind of statement that DuckDB's Python client does not name
        kind = "no question"
    if kind == "SELECT":
        _admit_select(con, query)
    elif kind == "EXPLAIN":
        admit(con, _explained(query))
    elif kind == "MULTI":
        _admit_pivot(con, query)
    else:
        raise NotAdmittedError(
            f"a session only reads, and this is {kind.lower().replace('_', ' ')}: use lake.ingest, lake.write and "
            "lake.forget to change the lake, or lake.connect() for the raw connection"
        )


def _admit_select(con: duckdb.DuckDBPyConnection, query: str) -> None:
    ((text,),) = con.execute("select json_serialize_sql(?)", [query]).fetchall()
    try:
        tree = json.loads(text)
    except RecursionError:
        raise _too_large("nested too deeply") from None
    if tree.get("error"):
        raise NotAdmittedError(f"a session only reads: {tree.get('error_message')}")
    n_queries = n_expressions = 0
    for node in _nodes(tree):
        kind = node.get("type")
        if isinstance(kind, str) and kind.endswith("_NODE") and kind not in READING_NODES:
            raise NotAdmittedError(f"a session only reads, and this holds a {kind.removesuffix('_NODE').lower()}")
        n_queries += isinstance(kind, str) and kind.endswith("_NODE")
        n_expressions += "class" in node and node["class"] != "CONSTANT"
        if n_queries > MOST_QUERIES or n_expressions > MOST_EXPRESSIONS:
            raise _too_large(f"more than {MOST_QUERIES:,} queries or {MOST_EXPRESSIONS:,} expressions in one")
        if len(node.get("column_names") or ()) > MOST_PARTS_OF_A_NAME:
            raise _too_large(f"a name of more than {MOST_PARTS_OF_A_NAME} parts")
        if kind == "BASE_TABLE" and ("/" in (name := node.get("table_name", "")) or _PATH.search(name)):
            raise NotAdmittedError(f"{name} is a file, not a table: ingest it, or bring it as tables={{...}}")
        if kind == "TABLE_FUNCTION":
            _admit_table_function(con, node["function"])
        name = node.get("function_name")
        if isinstance(name, str) and name.lower() in REFUSED_SCALARS:
            raise NotAdmittedError(f"{name}() is not for reading the lake")


def _refuse_path(text: object) -> None:
    """A text that names a relation, which must not be a pattern of files."""
    if isinstance(text, str) and _PATH.search(text):
        raise NotAdmittedError(f"{text[:100]} names files, not a relation")


def _too_large(what: str) -> NotAdmittedError:
    return NotAdmittedError(f"the question is too large ({what}): ask in parts, or bring lists as tables or parameters")


@cache
def _other_table_functions() -> frozenset[str]:
    """Table functions of this DuckDB beyond those known to read. Slow to list, so asked only where one is in doubt."""
    with duckdb.connect() as con:
        found = con.execute(
            "select distinct lower(function_name) from duckdb_functions() where function_type = 'table'"
        ).fetchall()
    return frozenset(name for (name,) in found) - READING_FUNCTIONS


def _admit_table_function(con: duckdb.DuckDBPyConnection, node: dict[str, Any]) -> None:
    name = node["function_name"].lower()
    is_ours = node.get("schema", "").lower() not in ("", "main", "system", "pg_catalog")
    if not is_ours and name not in READING_FUNCTIONS and name in _other_table_functions():
        if _READS_FILES.match(name):
            raise NotAdmittedError(
                f"{name}() reads files by their paths: ingest them, or bring frames as tables={{...}}"
            )
        raise NotAdmittedError(f"{name}() is not for reading the lake")
    if is_ours or name == "query_table":  # whose texts name relations
        for inner in _nodes(node.get("arguments")):
            _refuse_path((inner.get("literal") or {}).get("text"))
    if name == "query":
        arguments = node.get("arguments", [])
        literal = arguments[0]["expression"].get("literal") if len(arguments) == 1 else None
        text = literal.get("text") if literal else None
        if not isinstance(text, str):
            raise NotAdmittedError("query() takes one literal text here")
        admit(con, text)


def _nodes(tree: Any) -> Iterator[dict[str, Any]]:
    stack = [tree]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            yield node
            stack += node.values()
        elif isinstance(node, list):
            stack += node


def _words(query: str) -> list[tuple[int, str]]:
    """Position and text of each token that is neither comment nor string."""
    tokens = duckdb.tokenize(query)
    ends = [position for position, _ in tokens[1:]] + [len(query)]
    words = []
    for (start, kind), end in zip(tokens, ends, strict=True):
        if kind.name not in ("comment", "string_const"):
            words.append((start, query[start:end].strip()))
    return words


def _explained(query: str) -> str:
    """The statement inside EXPLAIN [ANALYZE | VERBOSE] [(options)]."""
    words = _words(query)
    at = 1
    while at < len(words) and words[at][1].lower() in ("analyze", "analyse", "verbose"):
        at += 1
    if at < len(words) and words[at][1].startswith("("):
        inside = [w.lower() for _, w in words[at + 1 : at + 2]]
        if inside and inside[0] in ("format", "analyze", "verbose", "codegen"):
            while at < len(words) and not words[at][1].startswith(")"):
                at += 1
            at += 1
    if at >= len(words):
        raise NotAdmittedError("there is nothing to explain")
    return query[words[at][0] :]


def _admit_pivot(con: duckdb.DuckDBPyConnection, query: str) -> None:
    words = [word.lower() for _, word in _words(query)]
    if words and words[0] == "explain":
        admit(con, _explained(query))
        return
    if "pivot" not in words and "pivot_wider" not in words:
        raise NotAdmittedError("a session only reads, and this is several statements")
    for word, following in zip(words, [*words[1:], ""], strict=True):
        if word in WRITING_WORDS:
            raise NotAdmittedError(
                f"a session only reads: {word!r} may not stand in a PIVOT (quote it if it is a name)"
            )
        name = word.strip('"').replace('""', '"')
        if not following.startswith("("):
            continue
        if name == "query" or name in REFUSED_SCALARS or name in _other_table_functions():
            raise NotAdmittedError(f"{name}() may not stand in a PIVOT")
