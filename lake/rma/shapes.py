"""How records are written: as DuckDB's structures, which relations hold, or as JSON, which answers are sent as.

DuckDB writes the JSON: record by record in Python, a million of them took half a minute (spec: api 2.2).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from sqlglot import exp

from .conditions import column_of, ordered
from .models import Sql
from .told import Records

_EMPTY = "_"  # a STRUCT has at least one entry


@dataclass(frozen=True)
class Shown:
    """What records, read as ``r``, show.

    columns : their own, by name and DuckDB's type
    nested : name and value of what is in them, and whether it is a list; NULL is no such object, or an empty list
    further : names of other attributes that are asked for, and that are not; None where they have none to show
    """

    columns: Sequence[tuple[str, str]]
    nested: Sequence[tuple[str, Sql, bool]]
    further: tuple[Sequence[str] | None, Sequence[str]] | None


class Shape(Protocol):
    """A way to write records."""

    def has_further(self, records: Records) -> bool:
        """Whether further attributes have a place where records are written."""

    def rows(self, shown: Shown) -> list[Sql]:
        """The columns of an answer that has a row for each record."""

    def record(self, shown: Shown) -> Sql:
        """A record as one value."""

    def listed(self, record: Sql, order: Sequence[tuple[Sql, bool]]) -> Sql:
        """An aggregate: records as one value."""


class Structures:
    """A record as a STRUCT, several as a LIST of them; further attributes as the column that holds them all."""

    def has_further(self, records: Records) -> bool:
        return "extra" in records.types

    def rows(self, shown: Shown) -> list[Sql]:
        return [exp.alias_(value, name, quoted=True, copy=False) for name, value in self._entries(shown)]

    def record(self, shown: Shown) -> Sql:
        entries = ((exp.to_identifier(name, quoted=True), value) for name, value in self._entries(shown))
        return exp.Struct(expressions=[exp.PropertyEQ(this=name, expression=value) for name, value in entries])

    def listed(self, record: Sql, order: Sequence[tuple[Sql, bool]]) -> Sql:
        return exp.ArrayAgg(this=in_order(record, order))

    @staticmethod
    def _entries(shown: Shown) -> list[tuple[str, Sql]]:
        found: list[tuple[str, Sql]] = [(name, column_of("r", name)) for name, _ in shown.columns]
        if shown.further is not None:
            found.append(("extra", column_of("r", "extra")))
        for name, value, is_list in shown.nested:
            found.append((name, exp.func("coalesce", value, exp.Array(expressions=[])) if is_list else value))
        return found or [(_EMPTY, exp.true())]


class Texts:
    """A record as a JSON object, several as an array.

    bound : a value as a parameter of the statement
    """

    def __init__(self, bound: Callable[[Any], Sql]) -> None:
        self._bound = bound

    def has_further(self, records: Records) -> bool:
        return "extra" in records.known

    def rows(self, shown: Shown) -> list[Sql]:
        return [exp.alias_(self.record(shown), "record", copy=False)]

    def record(self, shown: Shown) -> Sql:
        own = json_object([(name, column_of("r", name), kind) for name, kind in shown.columns])
        if not shown.nested and shown.further is None:
            return own
        # What is NULL is left out: an object that is not there has no name.
        members = [_sliced(own)] if shown.columns else []
        members += [self._member(*one) for one in shown.nested]
        if shown.further is not None:
            members.append(self._further(shown, shown.further))
        return _around("{", exp.Anonymous(this="concat_ws", expressions=[exp.Literal.string(","), *members]), "}")

    def listed(self, record: Sql, order: Sequence[tuple[Sql, bool]]) -> Sql:
        joined = exp.GroupConcat(this=in_order(record, order), separator=exp.Literal.string(","))
        return _around("[", joined, "]")

    @staticmethod
    def _member(name: str, value: Sql, is_list: bool) -> Sql:
        if is_list:
            value = exp.func("coalesce", value, exp.Literal.string("[]"))
        return exp.DPipe(this=exp.Literal.string(f'"{name}":'), expression=value)

    def _further(self, shown: Shown, further: tuple[Sequence[str] | None, Sequence[str]]) -> Sql:
        wanted, unwanted = further
        names = [*(name for name, _ in shown.columns), *(name for name, _, _ in shown.nested), *unwanted]
        given = [column_of("r", "extra"), self._bound(names), exp.null() if wanted is None else self._bound(wanted)]
        return exp.Anonymous(this="rma.further_members", expressions=given)


def json_object(entries: Sequence[tuple[str, Sql, str]]) -> Sql:
    """A JSON object, as text, of names, values and their types; times as the API writes them, what is no number as null."""
    given = [one for name, value, kind in entries for one in (exp.Literal.string(name), _plain(value, kind))]
    return exp.cast(exp.Anonymous(this="json_object", expressions=given), "text", copy=False)


def _plain(value: Sql, kind: str) -> Sql:
    if kind in ("DOUBLE", "FLOAT"):
        finite = exp.Anonymous(this="isfinite", expressions=[value])
        return exp.Case(ifs=[exp.If(this=finite, true=value.copy())])
    if kind == "TIMESTAMP":
        return exp.Anonymous(this="strftime", expressions=[value, exp.Literal.string("%Y-%m-%dT%H:%M:%SZ")])
    return value


def _sliced(text: Sql) -> Sql:
    """A JSON object without its braces."""
    return exp.Anonymous(
        this="substring",
        expressions=[exp.Anonymous(this="left", expressions=[text, exp.Literal.number(-1)]), exp.Literal.number(2)],
    )


def _around(left: str, text: Sql, right: str) -> Sql:
    return exp.DPipe(
        this=exp.DPipe(this=exp.Literal.string(left), expression=text), expression=exp.Literal.string(right)
    )


def in_order(record: Sql, order: Sequence[tuple[Sql, bool]]) -> Sql:
    return exp.Order(this=record, expressions=[ordered(key, down) for key, down in order])
