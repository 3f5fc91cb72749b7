"""The query language of the Allen Brain Atlas API (RMA, "RESTful Model Access"): its tree, and text to tree and back.

    model::Structure,rma::criteria,[graph_id$eq1],structure_sets[name$li'*Summary*'],rma::options[num_rows$eq'all']

:func:`parse` takes the full grammar (spec: api 2.4); ``str()`` of a tree is text that parses to an equal tree. A tree
says what was written and resolves nothing: which model a column belongs to is for whoever has the models.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from ..lake.errors import QueryError

OPERATORS = ("eq", "ne", "lt", "gt", "le", "ge", "in", "li", "il", "is")
PIPES = ("list", "replace", "split")
MAX_CHARS = 1 << 20
MAX_DEPTH = 32

_NAME = re.compile(r"[A-Za-z_*][A-Za-z0-9_*]*")
_COLUMN = re.compile(rf"\s*({_NAME.pattern})(?:\.({_NAME.pattern}))?\s*")
_OPERATOR = re.compile(rf"\$({'|'.join(OPERATORS)})")
_QUOTED = re.compile(r"\s*'((?:[^']|'')*)'\s*")
_BARE = re.compile(r"[^],]*")
_SPACE = re.compile(r"\s*")
_NUMBER = re.compile(r"[+-]?\d+(?:\.\d*)?(?:[eE][+-]?\d+)?|[+-]?\.\d+(?:[eE][+-]?\d+)?")
_START = re.compile(r"\s*(?:q|criteria)=(?=\s*(?:model|service|pipe)::)")

T = TypeVar("T")


@dataclass(frozen=True)
class Column:
    """A column, where the query says so of a table: ``structures.graph_order``."""

    name: str
    table: str | None = None

    def __str__(self) -> str:
        return f"{self.table}.{self.name}" if self.table else self.name


@dataclass(frozen=True)
class Quoted:
    """A text in quotes. ``text`` is what stands between them, doubled quotes made one."""

    text: str

    @property
    def words(self) -> str:
        """The text that is meant: ``+`` and ``%20`` stand for spaces."""
        return _spaced(self.text)

    def __str__(self) -> str:
        return "'" + self.text.replace("'", "''") + "'"


@dataclass(frozen=True)
class Bare:
    """What stands without quotes: a number, ``nil``, a word, a column, or free text. May not hold ``,`` nor ``]``."""

    text: str

    @property
    def words(self) -> str:
        """The text that is meant: ``+`` and ``%20`` stand for spaces."""
        return _spaced(self.text)

    @property
    def is_nil(self) -> bool:
        return self.text in ("nil", "null")

    @property
    def number(self) -> int | float | None:
        """The number it is, None where it is none."""
        if not _NUMBER.fullmatch(self.text):
            return None
        return int(self.text) if re.fullmatch(r"[+-]?\d+", self.text) else float(self.text)

    @property
    def column(self) -> Column | None:
        """The column it may name, None where its text cannot be a column's."""
        match = _COLUMN.fullmatch(self.text)
        return _column(match) if match else None

    def __str__(self) -> str:
        return self.text


@dataclass(frozen=True)
class Variable:
    """``$name``: what an earlier pipe collected."""

    name: str

    def __str__(self) -> str:
        return f"${self.name}"


Value = Quoted | Bare | Variable


@dataclass(frozen=True)
class Filter:
    """``[column$op values]``; without an operator, the column is not NULL."""

    column: Column
    operator: str | None = None
    values: tuple[Value, ...] = ()

    def __str__(self) -> str:
        operator = f"${self.operator}" if self.operator else ""
        return f"[{self.column}{operator}{','.join(map(str, self.values))}]"


@dataclass(frozen=True)
class Path:
    """An association, its filters, and associations of its target: ``donor[sex$eq'M'](age,transgenic_lines)``."""

    name: str
    filters: tuple[Filter, ...] = ()
    children: tuple[Path, ...] = ()

    def __str__(self) -> str:
        children = f"({','.join(map(str, self.children))})" if self.children else ""
        return f"{self.name}{_joined(self.filters)}{children}"


@dataclass(frozen=True)
class Item:
    """One element of a criteria or include list: filters of the root, a path from it, or both."""

    filters: tuple[Filter, ...] = ()
    path: Path | None = None

    def __str__(self) -> str:
        return f"{_joined(self.filters)}{self.path or ''}"


@dataclass(frozen=True)
class ModelStage:
    """Rows of a model. ``options`` in the order written; of a key given twice the later counts (:meth:`option`)."""

    model: str
    filters: tuple[Filter, ...] = ()
    criteria: tuple[Item, ...] = ()
    include: tuple[Item, ...] = ()
    options: tuple[Filter, ...] = ()

    def option(self, key: str) -> tuple[Value, ...] | None:
        """The values of an option, None where it is not given."""
        return next((option.values for option in reversed(self.options) if option.column.name == key), None)

    @property
    def root_filters(self) -> tuple[Filter, ...]:
        """Filters of the root, wherever they were written."""
        return self.filters + tuple(f for item in self.criteria for f in item.filters)

    def __str__(self) -> str:
        parts = [f"model::{self.model}{_joined(self.filters)}"]
        if self.criteria:
            parts += ["rma::criteria", *map(str, self.criteria)]
        if self.include:
            parts += ["rma::include", *map(str, self.include)]
        if self.options:
            parts += [f"rma::options{_joined(self.options)}"]
        return ",".join(parts)


@dataclass(frozen=True)
class ServiceStage:
    """A connected service and its parameters."""

    name: str
    parameters: tuple[Filter, ...] = ()

    def __str__(self) -> str:
        return f"service::{self.name}{_joined(self.parameters)}"


@dataclass(frozen=True)
class PipeStage:
    """What becomes of the stage before: ``list``, ``replace`` or ``split``."""

    name: str
    parameters: tuple[Filter, ...] = ()

    def __str__(self) -> str:
        return f"pipe::{self.name}{_joined(self.parameters)}"


Stage = ModelStage | ServiceStage | PipeStage


@dataclass(frozen=True)
class Query:
    """Stages; the last one's rows are the answer."""

    stages: tuple[Stage, ...]

    def __str__(self) -> str:
        return ",".join(map(str, self.stages))


def parse(text: str) -> Query:
    """The tree of a query. ``criteria=`` or ``q=`` before it is passed over; percent signs are not decoded.

    Raises QueryError saying at which character what was expected.
    """
    if len(text) > MAX_CHARS:
        raise QueryError(f"the RMA query has {len(text):,} characters, and at most {MAX_CHARS:,} are read")
    return _Parser(text).query()


class _Parser:
    """Recursive descent; ``at`` is the next character not yet taken."""

    def __init__(self, text: str) -> None:
        start = _START.match(text)
        self.text, self.at = text, start.end() if start else 0

    def query(self) -> Query:
        stages = [self._stage()]
        while self._comma():
            stages.append(self._stage())
        if self.at < len(self.text):
            raise self._expected("a comma or the end")
        return Query(tuple(stages))

    def _stage(self) -> Stage:
        if self._takes("model::"):
            return self._model()
        if self._takes("service::"):
            return ServiceStage(self._name("the name of a service"), self._filters())
        if self._takes("pipe::"):
            name = self._name(f"a pipe ({', '.join(PIPES)})")
            if name not in PIPES:
                raise QueryError(f"RMA query: there is no pipe {name[:60]!r}: there are {', '.join(PIPES)}")
            return PipeStage(name, self._filters())
        raise self._expected("model::, service:: or pipe::")

    def _model(self) -> ModelStage:
        model, filters = self._name("the name of a model"), self._filters()
        lists: dict[str, list[Item]] = {"criteria": [], "include": []}
        options: list[Filter] = []
        current = "criteria"  # a run before any clause is criteria
        while self._another_clause():
            if self._takes("rma::options"):
                mark = self.at
                if not (self._comma() and self._next() == "["):
                    self.at = mark
                options += self._filters()
                current = "criteria"
            elif self._takes("rma::criteria") or self._takes("rma::include"):
                current = "criteria" if self.text[: self.at].endswith("criteria") else "include"
                if found := self._filters():
                    lists[current].append(Item(found))
            elif self._next() == "r" and self.text.startswith("rma::", self.at):
                raise self._expected("rma::criteria, rma::include or rma::options")
            else:
                lists[current].append(self._item())
        return ModelStage(model, filters, tuple(lists["criteria"]), tuple(lists["include"]), tuple(options))

    def _another_clause(self) -> bool:
        """Whether a comma and more of the same stage follow; takes the comma."""
        mark = self.at
        if self._comma():
            self._next()
            if not self.text.startswith(("model::", "service::", "pipe::"), self.at):
                return True
        self.at = mark
        return False

    def _item(self) -> Item:
        filters = self._filters()
        if self._next() in ("", ","):
            if not filters:
                raise self._expected("a filter or the name of an association")
            return Item(filters)
        return Item(filters, self._path(1))

    def _path(self, depth: int) -> Path:
        if depth > MAX_DEPTH:
            raise QueryError(f"RMA query: associations nest deeper than {MAX_DEPTH}")
        self._takes("attribute::")
        name, filters = self._name("the name of an association"), self._filters()
        children: list[Path] = []
        if self._takes("("):
            children.append(self._path(depth + 1))
            while self._comma():
                children.append(self._path(depth + 1))
            if not self._takes(")"):
                raise self._expected("a comma or )")
        return Path(name, filters + self._filters(), tuple(children))

    def _filters(self) -> tuple[Filter, ...]:
        return tuple(self._repeated(lambda: self._filter() if self._takes("[") else None))

    def _filter(self) -> Filter:
        column = self._match(_COLUMN)
        if not column:
            raise self._expected("a column")
        operator = self._match(_OPERATOR)
        values: list[Value] = []
        if operator:
            values.append(self._value())
            while self._comma():
                values.append(self._value())
        if not self._takes("]"):
            raise self._expected("]" if operator else f"an operator (${' $'.join(OPERATORS)}) or ]")
        return Filter(_column(column), operator[1] if operator else None, tuple(values))

    def _value(self) -> Value:
        mark = self.at
        if (quoted := self._match(_QUOTED)) and self.text[self.at : self.at + 1] in (",", "]"):
            return Quoted(quoted[1].replace("''", "'"))
        self.at = mark
        bare = self._match(_BARE)
        assert bare is not None  # it matches nothing, too
        text = bare[0].strip()
        if text.startswith("'"):
            self.at = mark
            raise self._expected("a text that ends with ' before a comma or ]")
        if text.startswith("$") and _NAME.fullmatch(text, 1):
            return Variable(text[1:])
        return Bare(text)

    # -- the text -------------------------------------------------------------------------------------------------

    def _next(self) -> str:
        """The next character that is no space, not taken; empty at the end."""
        space = _SPACE.match(self.text, self.at)
        assert space is not None
        self.at = space.end()
        return self.text[self.at : self.at + 1]

    def _takes(self, expected: str) -> bool:
        self._next()
        if not self.text.startswith(expected, self.at):
            return False
        self.at += len(expected)
        return True

    def _comma(self) -> bool:
        return self._takes(",")

    def _match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        match = pattern.match(self.text, self.at)
        if match:
            self.at = match.end()
        return match

    def _name(self, what: str) -> str:
        self._next()
        match = self._match(_NAME)
        if not match:
            raise self._expected(what)
        return match[0]

    def _repeated(self, take: Callable[[], T | None]) -> Iterator[T]:
        while (found := take()) is not None:
            yield found

    def _expected(self, what: str) -> QueryError:
        self._next()
        said = self.text[self.at : self.at + 30]
        found = f"there is {said!r}" if said else "it ends"
        return QueryError(f"RMA query, character {self.at + 1}: expected {what}, but {found}")


def _column(match: re.Match[str]) -> Column:
    return Column(match[2], match[1]) if match[2] else Column(match[1])


def _joined(filters: tuple[Filter, ...]) -> str:
    return "".join(map(str, filters))


def _spaced(text: str) -> str:
    return text.replace("%20", " ").replace("+", " ")
