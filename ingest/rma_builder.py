"""Queries of the API, written in Python.

    >>> print(model("SectionDataSet").where(failed=False).where("products", id=[5, 31]).include("equalization").rows(10))
    model::SectionDataSet,rma::criteria,[failed$eqfalse],products[id$in5,31],rma::include,equalization,rma::options[num_rows$eq10]

A query is a value: every verb gives a new one. ``.query`` is its tree (:mod:`.rma_grammar`), ``str()`` its text.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np

from ..lake.errors import QueryError
from .rma_grammar import OPERATORS, Bare, Column, Filter, Item, ModelStage, Path, Query, Quoted, Value, parse

_PLAIN = re.compile(r"[A-Za-z0-9_.+-]+")


@dataclass(frozen=True)
class ModelQuery:
    """A query of one model, as far as it has been said."""

    stage: ModelStage

    def where(self, path: str | None = None, /, **conditions: Any) -> ModelQuery:
        """Rows whose columns, or whose partners' columns, are so.

        path : associations from the model down, as ``specimen.donor``; None for the model itself
        conditions : ``column=value`` equals it, a list holds it, None is NULL; ``column__gt=value`` and so on with the
            operators ne, lt, gt, le, ge, li, il, in, is; ``column__known=True`` is not NULL
        """
        filters = tuple(_filter(name, value) for name, value in conditions.items())
        item = Item(filters) if path is None else Item((), _nested(path.split("."), filters))
        if path is None and not filters:
            raise QueryError("where() needs a condition, or the path of an association that must exist")
        return replace(self, stage=replace(self.stage, criteria=(*self.stage.criteria, item)))

    def include(self, *paths: str) -> ModelQuery:
        """Nest partners in each record: ``donor(age,transgenic_lines)``, in the API's own words."""
        found = tuple(item for path in paths for item in _items(path))
        return replace(self, stage=replace(self.stage, include=(*self.stage.include, *found)))

    def only(self, *columns: str) -> ModelQuery:
        """Records of these columns alone."""
        return self._option("only", _list(columns))

    def except_(self, *columns: str) -> ModelQuery:
        """Records without these columns."""
        return self._option("except", _list(columns))

    def tabular(self, *columns: str) -> ModelQuery:
        """Flat records of these columns, ``structures.id as structure_id`` among them."""
        return self._option("tabular", _list(columns))

    def order_by(self, *columns: str) -> ModelQuery:
        """Sorted by these, each with ``$desc`` behind it where wanted."""
        return self._option("order", tuple(Bare(column) for column in columns))

    def rows(self, number: int | Literal["all"], start: int | None = None) -> ModelQuery:
        """So many rows, from row ``start`` on."""
        query = self._option("num_rows", (Quoted("all") if number == "all" else Bare(f"{number:d}"),))
        return query if start is None else query._option("start_row", (Bare(f"{start:d}"),))

    def count(self, wanted: bool) -> ModelQuery:
        """Whether the API counts all rows that there are."""
        return self._option("count", (_value(wanted),))

    @property
    def query(self) -> Query:
        return Query((self.stage,))

    def __str__(self) -> str:
        return str(self.stage)

    def _option(self, key: str, values: tuple[Value, ...]) -> ModelQuery:
        others = tuple(option for option in self.stage.options if option.column.name != key)
        return replace(self, stage=replace(self.stage, options=(*others, Filter(Column(key), "eq", values))))


def model(name: str) -> ModelQuery:
    """A query of a model's rows: ``model("Structure").where(graph_id=1)``."""
    stage = parse(f"model::{name}").stages[0]
    assert isinstance(stage, ModelStage)
    if stage != ModelStage(name):
        raise QueryError(f"{name[:60]!r} is no name of a model")
    return ModelQuery(stage)


def _filter(name: str, value: Any) -> Filter:
    column, _, operator = name.rpartition("__")
    if operator == "known" and column:
        return Filter(Column(column)) if value else Filter(Column(column), "is", (Bare("null"),))
    if not column or operator not in OPERATORS:
        is_many = isinstance(value, Iterable) and not isinstance(value, str)
        column, operator = name, "in" if is_many else "is" if value is None else "eq"
    values = value if isinstance(value, Iterable) and not isinstance(value, str) else (value,)
    found = tuple(_value(one) for one in values)
    if not found:
        raise QueryError(f"{column}: an empty list names no row")
    return Filter(Column(column), operator, found)


def _value(value: Any) -> Value:
    if value is None:
        return Bare("null")
    if isinstance(value, bool | np.bool_):
        return Bare("true" if value else "false")
    if isinstance(value, int | float | np.number):
        return Bare(repr(value.item() if isinstance(value, np.number) else value))
    return Quoted(str(value))


def _nested(names: list[str], filters: tuple[Filter, ...]) -> Path:
    inner = Path(names[-1], filters)
    for name in reversed(names[:-1]):
        inner = Path(name, (), (inner,))
    return inner


def _items(path: str) -> tuple[Item, ...]:
    stage = parse(f"model::M,rma::include,{path}")
    found = stage.stages[0]
    assert isinstance(found, ModelStage)
    if len(stage.stages) > 1 or found.criteria or found.options:
        raise QueryError(f"{path[:60]!r} is no list of associations")
    return found.include


def _list(columns: tuple[str, ...]) -> tuple[Value, ...]:
    plain = all(_PLAIN.fullmatch(column) for column in columns)
    return tuple(Bare(c) for c in columns) if plain else (Quoted(",".join(columns)),)
