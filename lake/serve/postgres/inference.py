"""What types a statement's parameters have where its client does not say, as PostgreSQL infers them: from their places.

DuckDB decides on types when values come. So each parameter is given a text that stands nowhere else, and DuckDB is
asked for its plan: what it casts that text to is what the place wants. Where an operator leaves it open, the other
operand's type is tried; ``limit`` counts; ``= any($1)`` takes an array of what stands before it.

DuckDB tells whole plans over tables of its own only, not over Parquet: so they are asked of a lake of the same tables
without rows. What that lake cannot bind is explained by the real one, which leaves out what has a name of its own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any

import duckdb

from .errors import position_in
from .lexing import Edited, Part, with_parameters
from .types import PgType, by_name

_ROUNDS = 40  # questions to DuckDB about one statement
_ANY = re.compile(r"\b(?:any|some|all)\s*\(\s*('[^']*')\s*\)", re.IGNORECASE)
_PHYSICAL = {
    "BOOL": "BOOLEAN", "INT8": "TINYINT", "INT16": "SMALLINT", "INT32": "INTEGER", "INT64": "BIGINT",
    "INT128": "HUGEINT", "UINT8": "UTINYINT", "UINT16": "USMALLINT", "UINT32": "UINTEGER", "UINT64": "UBIGINT",
    "UINT128": "UHUGEINT", "FLOAT": "FLOAT", "DOUBLE": "DOUBLE", "DATE": "DATE", "TIME": "TIME",
    "TIMESTAMP": "TIMESTAMP", "INTERVAL": "INTERVAL",
}  # fmt: skip
_ANY_PLACE = "any"
_AT = "\n at "  # before a position
_EXPLAIN = "explain (format json) "
_CAST = re.compile(
    r"(?:TRY_)?CAST\(\\?'brainlake parameter (\d+)\.\\?' AS ([A-Z_0-9 ]+(?:\(\d+, ?\d+\))?(?:\[\d*\])*)\)"
)
_COULD_NOT = re.compile(r"Could not convert string '([^']*)' to ([A-Z0-9 ]+)")
_BEST = re.compile(r'function call "[^(]*\((.*?)\)"\. In order to select one', re.DOTALL)
_CANDIDATE = re.compile(r"^\t\S+?\((.*)\) -> ", re.MULTILINE)
_LITERAL = "STRING_LITERAL"

# A value of each type for binding a statement whose values are not there yet.
_SAMPLES = {
    "BOOLEAN": "true", "DATE": "'2000-01-01'", "TIME": "'00:00'", "TIMESTAMP": "'2000-01-01'",
    "TIMESTAMP WITH TIME ZONE": "'2000-01-01'", "INTERVAL": "'1 day'", "VARCHAR": "null", "BLOB": "'x'",
    "UUID": "'00000000-0000-0000-0000-000000000000'", "JSON": "'null'",
}  # fmt: skip


Con = duckdb.DuckDBPyConnection


def infer(
    sql: Part, declared: Mapping[int, str], count: int, empty: Callable[[], AbstractContextManager[Con]], con: Con
) -> dict[int, str]:
    """DuckDB's type of each of the ``count`` parameters; those that are declared keep theirs, doubt is VARCHAR.

    empty : gives a cursor on the same relations as tables of DuckDB's own
    con : the cursor that will answer

    Never raises for a mistake in the statement: binding it tells that better.
    """
    places = _places(sql)
    types = {n: kind for n, kind in places.items() if kind != _ANY_PLACE} | dict(declared)
    arrays = {n for n, kind in places.items() if kind == _ANY_PLACE} - declared.keys()
    if len(types) < count:
        with empty() as cursor:
            found = _asked(sql, types, count, lambda text: _in_plan(cursor, text))
        if found is None:
            found = _asked(sql, types, count, lambda text: _in_explanation(con, text), insist=True)
        types |= found or {}
    return _settled(types, arrays, count)


def _asked(
    sql: Part, known: Mapping[int, str], count: int, ask: Callable[[str], dict[int, str]], insist: bool = False
) -> dict[int, str] | None:
    """Types by asking again and again, as each complaint tells one more; None where it tells nothing.

    insist : go on even then, with some text for the parameter that DuckDB points at
    """
    types = dict(known)
    for _ in range(_ROUNDS):
        open_ones = [n for n in range(1, count + 1) if n not in types]
        if not open_ones:
            return types
        probed = _probed(sql, types)
        try:
            return ask(probed.text) | types
        except duckdb.Error as error:
            said = str(error)
            if not _learn(said, probed, sql, open_ones, types):
                if not insist and _is_about_relations(said):
                    return None
                types[_nearest(said, probed, sql, open_ones)] = "VARCHAR"
    return types


def _in_plan(con: Con, text: str) -> dict[int, str]:
    """What the plan casts each probe to. Raises as DuckDB does."""
    ((written,),) = con.execute("select json_serialize_plan(?)", [text]).fetchall()
    plan = json.loads(written)
    if not plan.get("error"):
        return _casts(plan)
    raise duckdb.Error(f"{plan.get('error_message')}{_AT}{plan.get('position', '')}")


def _casts(plan: Any) -> dict[int, str]:
    found: dict[int, str] = {}
    stack = [plan]
    while stack:
        node = stack.pop()
        if isinstance(node, dict):
            if (node.get("qname") or {}).get("path") == ["__cast"]:
                for child in node.get("children", ()):
                    value = child.get("value") if isinstance(child, dict) else None
                    n = _number(value.get("value")) if isinstance(value, dict) else 0
                    if n and (kind := _type_name(node["return_type"])):
                        found.setdefault(n, kind)
            stack += node.values()
        elif isinstance(node, list):
            stack += node
    return found


def _type_name(node: Mapping[str, Any]) -> str | None:
    """The name of a type as a plan writes it; None for those that no parameter has."""
    kind, info = str(node.get("id")), node.get("type_info") or {}
    if kind in ("LIST", "ARRAY"):
        child = _type_name(info["child_type"]) if "child_type" in info else None
        return f"{child}[]" if child else None
    if kind == "DECIMAL":
        return f"DECIMAL({info.get('width', 18)},{info.get('scale', 3)})"
    if kind in ("STRUCT", "MAP", "UNION", "ENUM", "NULL", "ANY", "UNKNOWN", "INVALID"):
        return None
    return kind


def _in_explanation(con: Con, text: str) -> dict[int, str]:
    plan = con.execute(_EXPLAIN + text).fetchall()
    # The first plan, before it is optimized, holds every parameter; of the others some leave parts out.
    return {int(n): kind for text in plan[:1] for n, kind in _CAST.findall(str(text))}


def _settled(types: dict[int, str], arrays: set[int], count: int) -> dict[int, str]:
    whole = {n: types.get(n, "VARCHAR") for n in range(1, count + 1)}
    return {n: f"{kind}[]" if n in arrays and not kind.endswith("]") else kind for n, kind in whole.items()}


def _probe(n: int) -> str:
    return f"brainlake parameter {n}."


def _probed(sql: Part, types: Mapping[int, str]) -> Edited:
    edited = with_parameters(sql, lambda n: sample(types[n]) if n in types else f"'{_probe(n)}'")
    return Edited(_ANY.sub(r"(\1)", edited.text), edited.edits) if _ANY.search(edited.text) else edited


def sample(kind: str) -> str:
    """SQL of some value of a type, to bind with."""
    if kind.endswith("]"):
        return f"cast([{sample(kind[:-2])}] as {kind})"
    return f"cast({_SAMPLES.get(kind, '1')} as {kind})"


def _learn(said: str, probed: Edited, sql: Part, open_ones: list[int], types: dict[int, str]) -> bool:
    """Give a parameter a type, from why DuckDB could not bind the probes; returns whether that was to be seen."""
    if (failed := _COULD_NOT.search(said)) and (n := _number(failed[1])) in open_ones:
        types[n] = _PHYSICAL.get(failed[2].strip(), failed[2].strip())
    elif found := re.search(r"brainlake parameter (\d+)\.", said.partition("\nLINE")[0]):
        types[int(found[1])] = "VARCHAR"  # what it names has a meaning of its own: a unit of time, a format
    elif best := _BEST.search(said):
        types[_nearest(said, probed, sql, open_ones)] = _fitting(_arguments(best[1]), said)
    elif "UNNEST() can only be applied" in said:
        types[_nearest(said, probed, sql, open_ones)] = "VARCHAR[]"
    else:
        return False
    return True


def _is_about_relations(said: str) -> bool:
    """Whether DuckDB complains of what only a lake without rows lacks."""
    return bool(re.search(r"Table with name|does not support serialization|absent:|unknown:|wrong:", said))


def _fitting(given: list[str], said: str) -> str:
    """The type of a function's open argument: that of the others if there is such a function, or a float, or any."""
    place = given.index(_LITERAL) if _LITERAL in given else 0
    known = [kind for kind in given if kind != _LITERAL]
    wanted = []
    for signature in _CANDIDATE.findall(said):
        kinds = [a.split(" ", 1)[-1] for a in _arguments(signature) if a != "/"]
        if len(kinds) == len(given) and all(g in (k, _LITERAL) for g, k in zip(given, kinds, strict=True)):
            wanted.append(kinds[place])
    for kind in (*known, "DOUBLE"):
        if kind in wanted:
            return kind
    return wanted[0] if wanted else (known or ["DOUBLE"])[0]


def _arguments(written: str) -> list[str]:
    """Types between commas that stand outside of parentheses; a literal's is that of its values."""
    found, depth, start = [], 0, 0
    for i, char in enumerate(written):
        depth += (char == "(") - (char == ")")
        if char == "," and not depth:
            found.append(written[start:i])
            start = i + 1
    return [a.strip().replace("INTEGER_LITERAL", "BIGINT") for a in [*found, written[start:]]]


def _nearest(said: str, probed: Edited, sql: Part, open_ones: list[int]) -> int:
    """The open parameter that stands closest to where DuckDB points."""
    told = said.partition(_AT)[2]
    pointed = int(told) if told.isdigit() else position_in(said, _EXPLAIN + probed.text)
    if pointed is None:
        return open_ones[0]
    at = probed.original(pointed if told else max(pointed - len(_EXPLAIN), 0))
    is_operator = not (sql.text[at : at + 1].isalnum() or sql.text[at : at + 1] == "_")
    places = [
        (token.start - at if token.start >= at else at - token.end, int(token.text[1:]))
        for token in sql.tokens
        if token.kind == "parameter"
        and int(token.text[1:]) in open_ones
        and (token.start >= at or is_operator)  # a function stands before its arguments
    ]
    return min(places)[1] if places else open_ones[0]


def _number(text: object) -> int:
    found = re.fullmatch(r"brainlake parameter (\d+)\.", text) if isinstance(text, str) else None
    return int(found[1]) if found else 0


def named_types(sql: Part) -> dict[int, PgType]:
    """Types that a statement itself gives to parameters: ``$1::oid[]``, ``cast($1 as text)``."""
    found: dict[int, PgType] = {}
    words = [token.text.lower() for token in sql.tokens] + [""] * 8
    for i, token in enumerate(sql.tokens):
        if token.kind != "parameter":
            continue
        is_cast = words[i + 1] == "as" and i >= 2 and words[i - 1] == "(" and words[i - 2] == "cast"
        if words[i + 1] != "::" and not is_cast:
            continue
        at = i + 2
        if words[at : at + 2] == ["pg_catalog", "."]:
            at += 2
        for n in (4, 3, 2, 1):  # the longest name that is one, as "timestamp with time zone"
            pg = by_name(" ".join(words[at : at + n]).strip('"'), words[at + n : at + n + 2] == ["[", "]"])
            if pg is not None:
                found.setdefault(int(token.text[1:]), pg)
                break
    return found


def _places(sql: Part) -> dict[int, str]:
    """Parameters whose place tells by itself: after LIMIT and OFFSET; all alone within ANY (...)."""
    found: dict[int, str] = {}
    words = ["", "", *(token.text.lower() for token in sql.tokens), ""]
    for i, token in enumerate(sql.tokens, start=2):
        if token.kind != "parameter":
            continue
        if words[i - 1] in ("limit", "offset"):
            found[int(token.text[1:])] = "BIGINT"
        elif words[i - 1] == "(" and words[i + 1] == ")" and words[i - 2] in ("any", "some", "all"):
            found[int(token.text[1:])] = _ANY_PLACE
    return found
