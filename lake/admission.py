"""Who may run what: a session reads, whatever the statement is dressed as. Default is to refuse.

DuckDB's own settings keep files outside of the lake closed, but let ``copy ... to`` the lake's directory, ``explain
analyze copy ...`` and ``with w as (delete ... returning *) select ...`` through. So every statement is parsed, by
DuckDB's parser, and admitted only if its whole tree reads.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import duckdb

from .errors import NotAdmittedError, QueryError

# Every kind of query node that only reads; a kind that a later DuckDB adds is refused until it is known.
READING_NODES = frozenset({"SELECT_NODE", "SET_OPERATION_NODE", "RECURSIVE_CTE_NODE", "CTE_NODE", "VALUES_NODE"})

# Functions that run SQL hidden in text, take raw pointers, or change the process or its files.
REFUSED_FUNCTIONS = frozenset(
    {
        "arrow_scan", "arrow_scan_dumb", "pandas_scan", "python_map_function", "json_execute_serialized_sql",
        "enable_logging", "disable_logging", "enable_profiling", "disable_profiling", "truncate_duckdb_logs",
        "write_log", "checkpoint", "force_checkpoint", "getenv", "nextval", "set_config", "load_aws_credentials",
        "import_database", "add_parquet_key", "test_vector_types", "pragma_last_profiling_output",
    }
)  # fmt: skip

# A PIVOT whose columns come from the data is several statements, which DuckDB does not show: none of these words may
# stand in it outside of quotes.
WRITING_WORDS = frozenset(
    {
        "insert", "update", "delete", "merge", "copy", "attach", "detach", "export", "import", "install", "load",
        "create", "drop", "alter", "truncate", "set", "reset", "prepare", "execute", "deallocate", "call", "pragma",
        "use", "vacuum", "checkpoint", "begin", "commit", "rollback", "transaction", "comment",
    }
)  # fmt: skip


def admit(con: duckdb.DuckDBPyConnection, query: str) -> None:
    """Return if a query is one statement that only reads.

    Raises QueryError for what cannot be parsed, NotAdmittedError for anything that is not read-only.
    """
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
    tree = json.loads(text)
    if tree.get("error"):
        raise NotAdmittedError(f"a session only reads: {tree.get('error_message')}")
    for node in _nodes(tree):
        kind = node.get("type")
        if isinstance(kind, str) and kind.endswith("_NODE") and kind not in READING_NODES:
            raise NotAdmittedError(f"a session only reads, and this holds a {kind.removesuffix('_NODE').lower()}")
        name = node.get("function_name")
        if isinstance(name, str):
            _admit_function(con, name.lower(), node)


def _admit_function(con: duckdb.DuckDBPyConnection, name: str, node: dict[str, Any]) -> None:
    if name in REFUSED_FUNCTIONS:
        raise NotAdmittedError(f"{name}() is not for reading the lake")
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
    """Position and text of each token that is no comment and no quoted thing."""
    tokens = duckdb.tokenize(query)
    ends = [position for position, _ in tokens[1:]] + [len(query)]
    words = []
    for (start, kind), end in zip(tokens, ends, strict=True):
        text = query[start:end].strip()
        if kind.name in ("comment", "string_const") or text.startswith(('"', "'", "--", "/*", "$")):
            continue
        words.append((start, text))
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
    for word in words:
        if word in WRITING_WORDS:
            raise NotAdmittedError(
                f"a session only reads: {word!r} may not stand in a PIVOT (quote it if it is a name)"
            )
        if word in REFUSED_FUNCTIONS or word == "query":
            raise NotAdmittedError(f"{word}() may not stand in a PIVOT")
