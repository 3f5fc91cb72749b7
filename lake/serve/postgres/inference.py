"""What types a statement's parameters have where its client does not say, as PostgreSQL infers them: from their places.

DuckDB decides on types when values come. So each parameter is given a text that stands nowhere else, and DuckDB is
asked for its plan: what it casts that text to is what the place wants. Where an operator leaves it open, the other
operand's type is tried; ``limit`` counts; ``= any($1)`` takes an array of what stands before it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

import duckdb

from .lexing import Edited, Part, with_parameters

_ROUNDS = 40  # questions to DuckDB about one statement
_ANY = re.compile(r"\b(?:any|some|all)\s*\(\s*('[^']*')\s*\)", re.IGNORECASE)
_PHYSICAL = {
    "BOOL": "BOOLEAN", "INT8": "TINYINT", "INT16": "SMALLINT", "INT32": "INTEGER", "INT64": "BIGINT",
    "INT128": "HUGEINT", "UINT8": "UTINYINT", "UINT16": "USMALLINT", "UINT32": "UINTEGER", "UINT64": "UBIGINT",
    "UINT128": "UHUGEINT", "FLOAT": "FLOAT", "DOUBLE": "DOUBLE", "DATE": "DATE", "TIME": "TIME",
    "TIMESTAMP": "TIMESTAMP", "INTERVAL": "INTERVAL",
}  # fmt: skip
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


def infer(con: duckdb.DuckDBPyConnection, sql: Part, declared: Mapping[int, str], count: int) -> dict[int, str]:
    """DuckDB's type of each of the ``count`` parameters; those that are declared keep theirs, doubt is VARCHAR.

    Never raises for a mistake in the statement: binding it tells that better.
    """
    types = dict(declared)
    arrays = {n for n in range(1, count + 1) if _is_any(sql, n)}
    for _ in range(_ROUNDS):
        open_ones = [n for n in range(1, count + 1) if n not in types]
        if not open_ones:
            break
        probed = _probed(sql, types)
        plan = _plan(con, probed.text)
        if not plan.get("error"):
            return _settled(types | _found(plan, open_ones), arrays - declared.keys(), count)
        _learn(plan, probed, sql, open_ones, types)
    return _settled(types, arrays - declared.keys(), count)


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


def _plan(con: duckdb.DuckDBPyConnection, query: str) -> dict[str, Any]:
    try:
        ((text,),) = con.execute("select json_serialize_plan(?)", [query]).fetchall()
        found: dict[str, Any] = json.loads(text)
    except (duckdb.Error, ValueError) as error:
        return {"error": True, "error_message": str(error)}
    return found


def _learn(
    plan: Mapping[str, Any],
    probed: Edited,
    sql: Part,
    open_ones: list[int],
    types: dict[int, str],
) -> None:
    """Give at least one parameter a type, from why DuckDB could not bind the probes."""
    said = str(plan.get("error_message", ""))
    if (failed := _COULD_NOT.search(said)) and (n := _number(failed[1])) in open_ones:
        types[n] = _PHYSICAL.get(failed[2].strip(), failed[2].strip())
        return
    if found := re.search(r"brainlake parameter (\d+)\.", said):
        types[int(found[1])] = "VARCHAR"  # what it names has a meaning of its own: a unit of time, a format
        return
    nearest = _nearest(plan, probed, sql, open_ones)
    if best := _BEST.search(said):
        types[nearest] = _fitting(_arguments(best[1]), said)
        return
    if "UNNEST" in said or "list" in said.lower():
        types[nearest] = "VARCHAR[]"
        return
    types[nearest] = "VARCHAR"


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


def _nearest(plan: Mapping[str, Any], probed: Edited, sql: Part, open_ones: list[int]) -> int:
    """The open parameter that stands closest to where DuckDB points."""
    try:
        at = probed.original(int(plan.get("position", "")))
    except ValueError:
        return open_ones[0]
    places = [
        (abs(token.start - at), int(token.text[1:]))
        for token in sql.tokens
        if token.kind == "parameter" and int(token.text[1:]) in open_ones
    ]
    return min(places)[1] if places else open_ones[0]


def _number(text: str) -> int:
    found = re.fullmatch(r"brainlake parameter (\d+)\.", text)
    return int(found[1]) if found else 0


def _is_any(sql: Part, n: int) -> bool:
    tokens = sql.tokens
    return any(
        token.text == f"${n}"
        and i >= 2
        and i + 1 < len(tokens)
        and tokens[i - 1].text == "("
        and tokens[i + 1].text == ")"
        and tokens[i - 2].text.lower() in ("any", "some", "all")
        for i, token in enumerate(tokens)
    )


def _found(plan: Mapping[str, Any], open_ones: list[int]) -> dict[int, str]:
    """What the plan casts each probe to."""
    types: dict[int, str] = {}
    for probe, kind in _casts(plan, None):
        n = _number(probe)
        if n in open_ones and kind and types.get(n, kind) == kind:
            types[n] = kind
    return types


def _casts(node: Any, place: str | None) -> Iterator[tuple[str, str | None]]:
    """Probes and what they are cast to; where they limit, they count."""
    stack: list[tuple[Any, str | None]] = [(node, place)]
    while stack:
        node, place = stack.pop()
        if isinstance(node, dict):
            if (node.get("qname") or {}).get("path") == ["__cast"]:
                for child in node.get("children", ()):
                    probe = _constant(child)
                    if probe is not None:
                        yield probe, type_name(node["return_type"])
            elif place and (probe := _constant(node)) is not None:
                yield probe, "BIGINT"
            for key, child in node.items():
                if key != "return_type":
                    stack.append((child, key if key.startswith(("limit", "offset")) else place))
        elif isinstance(node, list):
            stack += [(child, place) for child in node]


def _constant(node: Any) -> str | None:
    value = node.get("value") if isinstance(node, dict) else None
    inner = value.get("value") if isinstance(value, dict) else None
    return inner if isinstance(inner, str) else None


def type_name(node: Mapping[str, Any]) -> str | None:
    """The name of a type as a plan writes it; None for those that no parameter has."""
    kind, info = str(node.get("id")), node.get("type_info") or {}
    if kind in ("LIST", "ARRAY"):
        child = type_name(info["child_type"]) if "child_type" in info else None
        return f"{child}[]" if child else None
    if kind == "DECIMAL":
        return f"DECIMAL({info.get('width', 18)},{info.get('scale', 3)})"
    if kind in ("STRUCT", "MAP", "UNION", "ENUM", "NULL", "ANY", "UNKNOWN", "INVALID"):
        return None
    return kind
