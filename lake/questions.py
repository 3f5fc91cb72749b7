"""Questions with names: the views and macros of ``views/``, one ``.sql`` file each, and the UDFs they may use.

A file's leading comment says what only its author knows; everything else is derived::

    -- one unit that passes the reference's default quality filter
    -- spec: ecephys EC-1
    -- sdk: EcephysProjectCache.get_units
    -- partition: session_id
    --   isi_violations   rate of refractory violations (1)
    select ...

``-- macro: schema.name(a, b := 1)`` makes a table macro of it, ``-- function: schema.name(a)`` a scalar one.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Literal

import duckdb

from .errors import SpecError
from .functions import declared, register_functions

VIEWS = Path(__file__).resolve().parent.parent / "views"

_HEADER = re.compile(r"--\s(spec|sdk|partition|kept|macro|function):\s*(.*)")
_DOC = re.compile(r"--\s{2,}([a-z_][a-z0-9_]*)\s{2,}(\S.*)")
_CONTINUED = re.compile(r"--\s{6,}(\S.*)")
_UNIT = re.compile(r"\s*\(([^()]*)\)\s*$")
_QUOTED_OR_COMMENT = re.compile(r"'(?:[^']|'')*'|--[^\n]*")
_QUALIFIED = re.compile(r"\b([a-z_][a-z0-9_]*)\.([a-z_][a-z0-9_]*)\b")
_CALLED = re.compile(r"\b([a-z_][a-z0-9_]*)\(")
_SIGNATURE = re.compile(r"([a-z_]+\.[a-z_][a-z0-9_]*)\((.*)\)")


@dataclass(frozen=True)
class Described:
    """What an author says of a column or parameter."""

    text: str
    unit: str | None = None


@dataclass(frozen=True)
class Question:
    """A view or macro: its name, what one row is, and the SQL."""

    name: str
    kind: Literal["view", "macro", "function"]
    grain: str
    body: str
    path: Path
    spec: tuple[str, ...] = ()
    sdk: tuple[str, ...] = ()
    partition: str | None = None
    kept: bool = False  # a small view that a session computes once, and keeps in memory
    parameters: tuple[tuple[str, str | None], ...] = ()  # name, default as SQL
    docs: Mapping[str, Described] = field(default_factory=dict)
    depends: frozenset[str] = frozenset()  # tables, views and macros it names, and tables its kernels look things up in

    @property
    def signature(self) -> str:
        """How it is called."""
        if self.kind == "view":
            return self.name
        given = (n if default is None else f"{n} := {default}" for n, default in self.parameters)
        return f"{self.name}({', '.join(given)})"

    @property
    def results(self) -> dict[str, Described]:
        """Columns of a macro's result, as far as its author describes them."""
        parameters = dict(self.parameters)
        return {} if self.kind == "view" else {n: d for n, d in self.docs.items() if n not in parameters}

    @property
    def create(self) -> str:
        """The statement that makes it."""
        if self.kind == "view":
            return f"create or replace view {self.name} as\n{self.body}"
        if self.kind == "macro":
            return f"create or replace macro {self.signature} as table\n{self.body}"
        return f"create or replace macro {self.signature} as ({self.body})"


def parse(path: Path, root: Path = VIEWS) -> Question:
    """One file. Raises SpecError where its header does not say what a header must."""
    name = ".".join(path.relative_to(root).with_suffix("").parts)
    lines = path.read_text().splitlines()
    count = next((i for i, line in enumerate(lines) if not line.startswith("--")), len(lines))
    body = "\n".join(lines[count:]).strip().rstrip(";")
    if not count or _HEADER.match(lines[0]) or not body:
        raise SpecError(f"{path}: the first line must be a comment that says what one row is, then the query")
    facts: dict[str, str] = {}
    docs: dict[str, Described] = {}
    last = ""
    for line in lines[1:count]:
        if header := _HEADER.match(line):
            facts[header[1]] = header[2].strip()
        elif doc := _DOC.match(line):
            last = doc[1]
            docs[last] = _described(doc[2])
        elif (more := _CONTINUED.match(line)) and last:
            docs[last] = _described(f"{docs[last].text} {more[1]}")
    kind: Literal["view", "macro", "function"] = "view"
    parameters: tuple[tuple[str, str | None], ...] = ()
    for form in ("macro", "function"):
        if form in facts:
            kind = form
            signature = _SIGNATURE.fullmatch(facts[form])
            if not signature or signature[1] != name:
                raise SpecError(f"{path}: its {form} line must read {name}(parameters)")
            parameters = tuple(_parameters(signature[2]))
    return Question(
        name, kind, lines[0][2:].strip(), body, path, _listed(facts.get("spec")), _listed(facts.get("sdk")),
        facts.get("partition"), "kept" in facts, parameters, docs,
    )  # fmt: skip


def _described(text: str) -> Described:
    unit = _UNIT.search(text)
    return Described(text[: unit.start()] if unit else text, unit[1] if unit else None)


def _listed(text: str | None) -> tuple[str, ...]:
    return tuple(part.strip() for part in text.split(",")) if text else ()


def _parameters(text: str) -> Iterator[tuple[str, str | None]]:
    depth, start = 0, 0
    for i, char in enumerate(text + ","):
        depth += (char in "([{") - (char in ")]}")
        if char == "," and depth == 0:
            name, assigned, default = text[start:i].partition(":=")
            if name.strip():
                yield name.strip(), default.strip() if assigned else None
            start = i + 1


def named_in(sql: str, known: Iterable[str]) -> frozenset[str]:
    """Qualified names of ``known`` that a query mentions, outside of comments and strings."""
    plain = _QUOTED_OR_COMMENT.sub(" ", sql)
    mentioned = {f"{a}.{b}" for a, b in _QUALIFIED.findall(plain.lower())}
    return frozenset(mentioned & set(known))


def held_in(sql: str, known: Iterable[str]) -> frozenset[str]:
    """Tables of ``known`` that the kernels which a query calls look things up in."""
    called = {*_CALLED.findall(_QUOTED_OR_COMMENT.sub(" ", sql))}
    held = (udf.held for name, udf in declared().items() if name in called)
    return frozenset({one.table for one in held if one} & set(known))


def load(root: Path = VIEWS, tables: Iterable[str] = ()) -> dict[str, Question]:
    """Every question under a folder, each after those it depends on. Raises SpecError for doubled names and cycles."""
    found: dict[str, Question] = {}
    for path in sorted(root.rglob("*.sql")):
        question = parse(path, root)
        if question.name in found or question.name in tables:
            raise SpecError(f"{path}: {question.name} is the name of a table or of another question")
        found[question.name] = question
    known = {*found, *tables}
    complete = {
        name: replace(q, depends=(named_in(q.body, known) | held_in(q.body, known)) - {name})
        for name, q in found.items()
    }
    return _in_order(complete)


def _in_order(questions: dict[str, Question]) -> dict[str, Question]:
    ordered: dict[str, Question] = {}
    underway: list[str] = []

    def visit(name: str) -> None:
        if name in ordered or name not in questions:
            return
        if name in underway:
            cycle = " -> ".join([*underway[underway.index(name) :], name])
            raise SpecError(f"{questions[name].path}: questions depend on each other in a circle: {cycle}")
        underway.append(name)
        for other in sorted(questions[name].depends):
            visit(other)
        underway.pop()
        ordered[name] = questions[name]

    for name in questions:
        visit(name)
    return ordered


@cache
def standard() -> Mapping[str, Question]:
    """The questions of the package."""
    from .relations import RELATIONS
    from .tables import TABLES

    return load(VIEWS, {*TABLES, *RELATIONS})


def register(con: duckdb.DuckDBPyConnection, questions: Mapping[str, Question] | None = None) -> None:
    """Make every UDF, macro and view on a connection that has the tables. Raises SpecError naming the file."""
    register_functions(con)
    make(con, (standard() if questions is None else questions).values())


def make(con: duckdb.DuckDBPyConnection, questions: Iterable[Question], keeping: bool = False) -> None:
    """Make views and macros, each after those it depends on. Raises SpecError naming the file.

    keeping : compute the rows of views that say so (``-- kept:``) now, once; otherwise every question does
    """
    for question in questions:
        try:
            con.execute(f"create schema if not exists {question.name.partition('.')[0]}")
            if keeping and question.kept:
                con.execute(f"create or replace table {question.name} as\n{question.body}")
            else:
                con.execute(question.create)
        except duckdb.Error as error:
            raise SpecError(f"{question.path}: {error}") from error


def below(names: Iterable[str], questions: Mapping[str, Question]) -> frozenset[str]:
    """The names and everything they rest on: tables, views, macros."""
    seen: set[str] = set()
    todo = list(names)
    while todo:
        name = todo.pop()
        if name not in seen:
            seen.add(name)
            todo += questions[name].depends if name in questions else ()
    return frozenset(seen)
