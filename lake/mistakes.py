"""A wrong question, told so that it can be put right: what is wrong, where in the text, and the nearest names."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING

import duckdb

from .errors import AbsentError, BrainlakeError, LostMemoError, QueryError, UnknownError
from .questions import Question

if TYPE_CHECKING:
    from .session import Session

LOST_FILE = (duckdb.IOException, duckdb.InvalidInputException)  # what DuckDB says of a missing or broken file
CANDIDATES_SHOWN = 5

_RAISED = re.compile(r"(absent|unknown|wrong): (.*)", re.DOTALL)  # texts of error() in our views and macros
_RELATION = re.compile(r"\b(Table|Table Function|Scalar Function|Function) with name \"?([\w.]+)\"? does not exist")
_COLUMN = re.compile(r'Referenced column "([^"]+)" not found|does not have a column named "([^"]+)"')
_OF_ALIAS = re.compile(r'(?:Values list|Table) "(\w+)" does not have a column')
_CALL = re.compile(r"Macro (\w+)\(\) does not support the supplied arguments")
_SUGGESTED = re.compile(r"\n+(?:Did you mean|Candidate bindings|Candidate tables)[^\n]*")
_QUOTED = re.compile(r'"([^"]+)"')
_LINE = re.compile(r"\n+(?=LINE \d+:)")
_CTE = re.compile(r"\b(\w+)\s*(?:\([\w\s,]*\)\s*)?as\s+(?:(?:not\s+)?materialized\s+)?\(", re.IGNORECASE)


def lost_file_of(error: BaseException | None, session: Session) -> BrainlakeError | None:
    """What it means that DuckDB cannot read a file of the lake: expired, damaged, or a memo that is gone; else None."""
    if isinstance(error, LOST_FILE):
        if f"{session.state.root}/data/" in str(error):
            return session.state.lost(error)
        if f"{session.state.root}/cache/" in str(error):
            return LostMemoError("a kept answer vanished while it was read; nothing is lost: ask again")
    return None


def explained(error: duckdb.Error, session: Session, query: str, own: Iterable[str] = ()) -> BrainlakeError:
    """DuckDB's complaint as ours: of the class that tells what to do, with the nearest names.

    own : names of frames that the question may use beside the lake's relations
    """
    text = str(error)
    if lost := lost_file_of(error, session):
        return lost
    raised = _RAISED.search(text)
    if raised and isinstance(error, (duckdb.InvalidInputException, duckdb.BinderException)):
        kinds = {"absent": AbsentError, "unknown": UnknownError, "wrong": QueryError}
        return kinds[raised[1]](raised[2].strip())
    if missing := _RELATION.search(text):
        text = _with_hint(text, _near_relation(missing[1], missing[2], text, session, query, own))
    elif column := _COLUMN.search(text):
        text = _with_hint(text, _near_column(column[1] or column[2], text, session, query))
    elif call := _CALL.search(text):
        text = _wrong_call(call[1], session.questions, query) or text
    return QueryError(_LINE.sub("\n", _shortened(text)))


def of_duckdb(error: Exception) -> duckdb.Error:
    """A complaint that came through Arrow's stream as DuckDB's own, whose kind its text begins with."""
    text = str(error)
    kind = text.partition(" Error: ")[0].replace(" ", "").capitalize()
    kinds = {name.capitalize(): getattr(duckdb, name) for name in dir(duckdb) if name.endswith("Exception")}
    found: type[duckdb.Error] = kinds.get(f"{kind}exception", duckdb.Error)
    return found(text)


def located(cursor: duckdb.DuckDBPyConnection, query: str, params: object) -> duckdb.Error | None:
    """The complaint about a query that could not be bound, now with its place in the text, which a relation's lacks."""
    try:
        cursor.execute(cursor.extract_statements(query)[0], params)
    except duckdb.Error as error:
        return error
    return None


def _with_hint(text: str, hint: str) -> str:
    """DuckDB's suggestions, which know no schema, replaced by ours, before the place in the text."""
    if not hint:
        return text
    said, *place = _LINE.split(_SUGGESTED.sub("", text), 1)
    return "\n".join([said.rstrip(), *place, hint])


def _named(names: Iterable[str]) -> str:
    near = ", ".join(dict.fromkeys(names))
    return f"Nearest names: {near}" if near else ""


def _near_relation(kind: str, name: str, text: str, session: Session, query: str, own: Iterable[str]) -> str:
    if kind == "Scalar Function":
        suggested = [n.removeprefix("main.") for n in _QUOTED.findall(_joined(_SUGGESTED, text))]
        known = {n: n for n in suggested} | _by_last_part(session.function_names())
    else:
        known = _by_last_part(session.names()) | {n: n for n in (*own, *_CTE.findall(query))}
    schema = re.search(rf"\b(\w+)\s*\.\s*{re.escape(name)}\b", query)
    wanted = f"{schema[1]}.{name}".lower() if schema else name.lower()
    close = _close(wanted, known) or _close(wanted.rsplit(".", 1)[-1], known)
    if not close and kind == "Table":
        return "`from lake.relations` lists what there is; frames of your own come with tables={...}"
    return _named(known[n] for n in close)


def _by_last_part(names: Iterable[str]) -> dict[str, str]:
    """Each name, also by what follows its schema."""
    listed = list(names)
    return {n.rsplit(".", 1)[-1]: n for n in listed} | {n: n for n in listed}


def _near_column(name: str, text: str, session: Session, query: str) -> str:
    bindings = _QUOTED.findall(_joined(_SUGGESTED, text))
    near = _close(name.lower(), {b.lower(): b for b in bindings})
    if near:
        return _named(near)
    columns: dict[str, None] = {}
    relations = _behind(text, session, query) or session.mentioned(query)
    for relation in relations:
        columns |= dict.fromkeys(session.columns_of(relation))
    if near := _close(name.lower(), {c: c for c in columns}):
        return _named(near)
    if relations:
        return f"`brainlake describe {relations[0]}` lists the columns of {relations[0]}"
    return _named(bindings)


def _behind(text: str, session: Session, query: str) -> list[str]:
    """The relation of which the complaint names the alias, where the query tells it plainly."""
    if not (alias := _OF_ALIAS.search(text)):
        return []
    told = re.search(rf"\b(\w+\s*\.\s*\w+)\s+(?:as\s+)?{re.escape(alias[1])}\b", query, re.IGNORECASE)
    return session.mentioned(told[1]) if told else []


def _wrong_call(name: str, questions: Mapping[str, Question], query: str) -> str | None:
    """What is wrong with the arguments of one of our macros."""
    for found in re.finditer(rf"\b(\w+)\s*\.\s*{name}\s*\(", query, re.IGNORECASE):
        macro = questions.get(f"{found[1]}.{name}".lower())
        if macro is None:
            continue
        place = _place(query, found.start(), found.end() - 1)
        given = list(_arguments(query, found.end()))
        names = dict(macro.parameters)
        for start, argument in given:
            assigned = re.match(r"(\w+)\s*(?::=|=>)", argument)
            if assigned and assigned[1].lower() not in names:
                said = f"{macro.signature} has no parameter {assigned[1]}"
                place = _place(query, start, start + len(assigned[1]))
                near = _named(_close(assigned[1].lower(), {n: n for n in names}))
                return "\n".join(filter(None, [f"Binder Error: {said}", place, near]))
        set_ = {m[1].lower() for _, a in given if (m := re.match(r"(\w+)\s*(?::=|=>)", a))}
        n_unnamed = len(given) - len(set_)
        if n_unnamed > len(names):
            return f"Binder Error: {macro.signature} takes {len(names)} arguments, and got {n_unnamed}\n{place}"
        missing = [n for n in list(names)[n_unnamed:] if names[n] is None and n not in set_]
        if missing:
            return f"Binder Error: {macro.signature} needs {' and '.join(missing)}\n{place}"
    return None


def _arguments(query: str, start: int) -> Iterator[tuple[int, str]]:
    """Position and text of each argument of a call whose opening parenthesis ends before ``start``."""
    depth, begin, quoted = 0, start, ""
    for i in range(start, len(query)):
        char = query[i]
        if quoted or char in "'\"":
            quoted = "" if char == quoted else quoted or char
            continue
        if depth == 0 and char in ",)":
            argument = query[begin:i]
            if argument.strip():
                yield begin + len(argument) - len(argument.lstrip()), argument.strip()
            begin = i + 1
            if char == ")":
                return
        depth += (char in "([{") - (char in ")]}")


def _place(query: str, start: int, stop: int) -> str:
    """A place in a query as DuckDB shows it."""
    line_start = query.rfind("\n", 0, start) + 1
    line = query[line_start:].split("\n", 1)[0]
    heading = f"LINE {query.count(chr(10), 0, start) + 1}: "
    return f"{heading}{line}\n{' ' * (len(heading) + start - line_start)}{'^' * (stop - start)}"


def _close(wanted: str, known: Iterable[str]) -> list[str]:
    """At most three names like the wanted one, the nearest first, and none much farther than that."""
    near = difflib.get_close_matches(wanted, list(known), 3, 0.65)
    likeness = [difflib.SequenceMatcher(None, wanted, name).ratio() for name in near]
    return [name for name, alike in zip(near, likeness, strict=True) if alike > likeness[0] - 0.15]


def _joined(pattern: re.Pattern[str], text: str) -> str:
    return " ".join(pattern.findall(text))


def _shortened(text: str) -> str:
    """A list of candidate functions cut where it stops being read."""
    lines = text.rstrip().split("\n")
    candidates = [i for i, line in enumerate(lines) if line.startswith("\t") and not line.startswith("\tCandidate")]
    left_out = candidates[CANDIDATES_SHOWN:]
    if left_out:
        lines[left_out[0]] = f"\t... and {len(left_out)} more"
        lines = [line for i, line in enumerate(lines) if i not in left_out[1:]]
    return "\n".join(lines)
