"""What a query's ``rma::options`` ask for (spec: api 2.4, C-RS5 to C-RS8)."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from ...ingest import rma_grammar as rma
from ..errors import QueryError

PAGE, MAX_PAGE = 50, 25_000  # rows where nobody says, and at most; 'all' is not capped
KEYS = ("only", "except", "tabular", "num_rows", "start_row", "order", "count", "debug")

_TERM = re.compile(r"([A-Za-z_*]\w*)(?:\.([A-Za-z_*]\w*))?(?:(?:\s+|\$)(asc|desc))?", re.IGNORECASE)
_CELL = re.compile(r"([A-Za-z_*]\w*)(?:\.([A-Za-z_*]\w*))?(?:\s+as\s+([A-Za-z_]\w*))?", re.IGNORECASE)


@dataclass(frozen=True)
class Cell:
    """One column of a tabular answer."""

    column: rma.Column
    alias: str | None


@dataclass(frozen=True)
class Options:
    """``num_rows`` None: all there are. ``tabular`` None: nested records. ``order``: columns, and whether descending."""

    only: tuple[rma.Column, ...] | None
    without: tuple[rma.Column, ...]
    tabular: tuple[Cell, ...] | None
    distinct: bool
    num_rows: int | None
    start_row: int
    order: tuple[tuple[rma.Column, bool], ...]
    count: bool
    preview: bool

    def keeps(self, table: str, column: str) -> bool:
        """Whether records of a table show a column: names of neither list are passed over."""

        def listed(columns: tuple[rma.Column, ...]) -> bool:
            return any(c.name in (column, "*") and c.table in (None, table) for c in columns)

        return (self.only is None or listed(self.only)) and not listed(self.without)

    def further(self, table: str, columns: Sequence[str]) -> tuple[list[str] | None, list[str]] | None:
        """Names that are none of the columns of a table's records: those asked for (None: any), and those not.

        None where no such name can be shown.
        """
        wanted, unwanted = _names(self.only, table), _names(self.without, table)
        named = [name for name in wanted if name not in columns]
        if "*" in unwanted or (self.only is not None and not named):
            return None
        return (None if self.only is None or "*" in named else named), unwanted


def _names(columns: tuple[rma.Column, ...] | None, table: str) -> list[str]:
    return [c.name for c in columns or () if c.table in (None, table)]


def read(stage: rma.ModelStage) -> Options:
    """Raises QueryError for an option that is none, or has no such value."""
    for option in stage.options:
        if option.column.name not in KEYS:
            raise QueryError(f"there is no option {str(option.column)[:60]!r}: there are {', '.join(KEYS)}")
    only = _listed(stage, "only")
    cells = _listed(stage, "tabular")
    distinct = cells is not None and bool(cells) and cells[0].lower().startswith("distinct ")
    if cells and distinct:
        cells[0] = cells[0][len("distinct ") :].strip()
    return Options(
        only=None if only is None else tuple(column for column, _ in map(_ordered, only)),
        without=tuple(column for column, _ in map(_ordered, _listed(stage, "except") or ())),
        tabular=None if cells is None else tuple(map(_cell, cells)),
        distinct=distinct,
        num_rows=_rows(stage),
        start_row=_number(stage, "start_row", 0),
        order=tuple(map(_ordered, _listed(stage, "order") or ())),
        count=_word(stage, "count") not in ("false", "f"),
        preview=_word(stage, "debug") == "preview",
    )


def _rows(stage: rma.ModelStage) -> int | None:
    return None if _word(stage, "num_rows") == "all" else min(_number(stage, "num_rows", PAGE), MAX_PAGE)


def _word(stage: rma.ModelStage, key: str) -> str | None:
    """The one value of an option."""
    values = stage.option(key)
    if values is None:
        return None
    if len(values) != 1 or isinstance(values[0], rma.Variable):
        raise QueryError(f"option {key} has one value, as [{key}$eq...]")
    return values[0].words.strip().lower()


def _number(stage: rma.ModelStage, key: str, default: int) -> int:
    word = _word(stage, key)
    if word is None:
        return default
    if not re.fullmatch(r"\d{1,15}", word):
        raise QueryError(f"option {key} is a whole number, and {word[:60]!r} is none")
    return int(word)


def _listed(stage: rma.ModelStage, key: str) -> list[str] | None:
    """A list of columns: one quoted text with commas, several, or bare; None where the option is not given."""
    values = stage.option(key)
    if values is None:
        return None
    if any(isinstance(value, rma.Variable) for value in values):
        raise QueryError(f"option {key} lists columns, not what a pipe collected")
    words = [word.strip() for value in values for word in value.words.split(",")]  # type: ignore[union-attr]
    return [word for word in words if word]


def _ordered(term: str) -> tuple[rma.Column, bool]:
    match = _TERM.fullmatch(term)
    if not match:
        raise QueryError(f"{term[:80]!r} names no column, as table.column or column")
    first, second, direction = match.groups()
    return rma.Column(second or first, first if second else None), (direction or "").lower() == "desc"


def _cell(term: str) -> Cell:
    match = _CELL.fullmatch(term)
    if not match:
        raise QueryError(f"{term[:80]!r} names no column of a tabular answer, as table.column or column as name")
    first, second, alias = match.groups()
    return Cell(rma.Column(second or first, first if second else None), alias)
