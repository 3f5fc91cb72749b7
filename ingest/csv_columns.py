"""CSV files in batches of typed columns, where every complaint names line and column."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.spec import Column
from .contract import Source

BATCH_ROWS = 16_384
_MAX_HEADER = 1 << 20  # characters; a longer first line is no header
_FLAGS = {"true": True, "false": False, "t": True, "f": False, "1": True, "0": False, "1.0": True, "0.0": False}
_MISSING = {"", "nan", "null", "none", "na", "n/a"}


@dataclass
class CsvRows:
    """A batch of rows: the cells of every column as text, and the line each row ends on."""

    columns: dict[str, Sequence[str]]
    lines: list[int]


def read_header(source: Source) -> list[str]:
    """Names of the columns. Raises SourceError where the first line is no header."""
    try:
        with open(source.path, encoding="utf-8-sig", newline="") as file:
            first = file.readline(_MAX_HEADER)
        header = next(csv.reader([first], strict=True), [])
    except (UnicodeDecodeError, csv.Error) as error:
        raise SourceError(source, "line 1", f"is not text in CSV: {error}") from None
    if not header or "\0" in first:
        raise SourceError(source, "line 1", "is no header of a CSV table")
    doubled = {name for name in header if header.count(name) > 1}
    if doubled:
        raise SourceError(source, "line 1", f"names a column twice: {', '.join(sorted(doubled))}")
    return header


def is_table(source: Source, known: Callable[[Sequence[str]], object]) -> bool:
    """A file is named as tables are, and ``known`` recognises its header: it gives something else than None."""
    if source.path.suffix.lower() not in (".csv", ".txt", ""):
        return False
    try:
        return known(read_header(source)) is not None
    except (SourceError, OSError):
        return False


def read_rows(source: Source) -> Iterator[CsvRows]:
    """Batches of rows; blank lines are passed over."""
    header = read_header(source)
    with open(source.path, encoding="utf-8-sig", newline="") as file:
        reader = csv.reader(file, strict=True)
        cells: list[list[str]] = []
        lines: list[int] = []
        try:
            next(reader)
            for row in reader:
                if not row:
                    continue
                if len(row) != len(header):
                    reason = f"has {len(row)} cells, the header {len(header)}"
                    raise SourceError(source, f"line {reader.line_num}", reason)
                cells.append(row)
                lines.append(reader.line_num)
                if len(cells) == BATCH_ROWS:
                    yield _batch(header, cells, lines)
                    cells, lines = [], []
        except (UnicodeDecodeError, csv.Error) as error:
            raise SourceError(source, f"line {reader.line_num + 1}", f"is not text in CSV: {error}") from None
    if cells:
        yield _batch(header, cells, lines)


def _batch(header: list[str], cells: list[list[str]], lines: list[int]) -> CsvRows:
    return CsvRows(dict(zip(header, zip(*cells, strict=True), strict=True)), lines)


def converted(source: Source, rows: CsvRows, name: str, column: Column) -> pa.Array:
    """A column of cells in a declared type; cells that say nothing are NULL."""
    parse = parser(column.type)
    values: list[Any] = []
    for cell, line in zip(rows.columns[name], rows.lines, strict=True):
        try:
            value = parse(cell)
        except (ValueError, OverflowError):
            raise SourceError(source, f"line {line}, column {name}", f"{cell!r} is no {column.type}") from None
        if value is None and not column.nullable:
            raise SourceError(source, f"line {line}, column {name}", "is empty, and every row needs one")
        values.append(value)
    return pa.array(values, column.type)


@cache
def parser(type_: pa.DataType) -> Callable[[str], Any]:
    if pa.types.is_integer(type_):
        return _integer
    if pa.types.is_floating(type_):
        return lambda cell: None if cell.lower() in _MISSING else float(cell)
    if pa.types.is_boolean(type_):
        return _flag
    if pa.types.is_timestamp(type_):
        return _utc
    return lambda cell: None if cell in ("", "nan") else cell


def _integer(cell: str) -> int | None:
    if cell.lower() in _MISSING:
        return None
    try:
        value = int(cell)
    except ValueError:
        number = float(cell)  # ids of nullable columns are written as 385.0
        if not number.is_integer() or abs(number) > 2**53:
            raise ValueError(cell) from None
        value = int(number)
    if not -(2**63) <= value < 2**63:
        raise ValueError(cell)
    return value


def _flag(cell: str) -> bool | None:
    lower = cell.lower()
    if lower in _MISSING:
        return None
    if lower not in _FLAGS:
        raise ValueError(cell)
    return _FLAGS[lower]


def _utc(cell: str) -> datetime | None:
    if cell.lower() in (*_MISSING, "nat"):
        return None
    moment = datetime.fromisoformat(cell)
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def extra_json(columns: Mapping[str, Sequence[str]]) -> pa.Array:
    """Cells of undeclared columns as one JSON object a row, numbers as numbers; NULL where there are none."""
    texts = []
    for row in zip(*columns.values(), strict=True):
        given = {name: _scalar(cell) for name, cell in zip(columns, row, strict=True) if cell.lower() not in _MISSING}
        texts.append(json.dumps(given, ensure_ascii=False) if given else None)
    return pa.array(texts, pa.string())


def _scalar(cell: str) -> Any:
    for parse in (int, float):
        try:
            number = parse(cell)
        except ValueError:
            continue
        return number if abs(number) < float("inf") and "_" not in cell else cell
    return {"True": True, "False": False}.get(cell, cell)
