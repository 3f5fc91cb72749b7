"""Answers as text for people: a table as wide as the screen, one line a value, or a table of Markdown."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING, Any

from .forms import is_number

if TYPE_CHECKING:
    import pyarrow as pa
    from rich.console import Console
    from rich.table import Table

LIST_ELEMENTS_SHOWN = 5
NARROWEST = 16  # to which a column of text is folded before columns are left out
GAP = 3  # between two columns
SECONDS_TO_COUNT = 0.5  # rows beyond those shown


def cell(value: Any) -> str:
    """A value as people read it."""
    if value is None:
        return "NULL"
    if isinstance(value, float):
        return f"{value:.6g}"
    if isinstance(value, list):
        more = f", … {len(value):,} in all" if len(value) > LIST_ELEMENTS_SHOWN else ""
        return f"[{', '.join(cell(v) for v in value[:LIST_ELEMENTS_SHOWN])}{more}]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{k}: {cell(v)}" for k, v in value.items()) + "}"
    return str(value)


def unit_of(field: pa.Field) -> str:
    """The unit that an answer's column carries, or nothing."""
    unit = (field.metadata or {}).get(b"unit", b"").decode()
    return "" if unit == "1" else unit


def write_table(
    batches: pa.RecordBatchReader, console: Console, rows: int = 0, *, header: bool = True, upright: bool = False
) -> None:
    """Print a table, and below it how many rows there are.

    rows : how many of them are shown; 0 is all
    header : names and units above the columns, and the count below
    upright : a line for each value, for rows that are wider than the screen
    """
    shown, more = _first(batches, rows)
    left_out: list[str] = []
    if upright:
        _print_upright(console, batches.schema, shown)
    else:
        table, left_out = _table(batches.schema, shown, console.width, header)
        console.print(table)
    if header:
        noun = "row" if len(shown) == 1 else "rows"
        count = f"first {len(shown):,} {noun}, {more} more; --rows 0 shows all" if more else f"{len(shown):,} {noun}"
        console.print(f"({count})", style="dim", highlight=False)
        if left_out:
            noun = "column" if len(left_out) == 1 else "columns"
            names = ", ".join(left_out)
            console.print(f"(no room for {len(left_out)} {noun}, -x shows them: {names})", style="dim", highlight=False)


def _first(batches: pa.RecordBatchReader, n: int) -> tuple[list[dict[str, Any]], str]:
    """At most n rows (all for 0), and how many more there are, in words: none if none."""
    rows: list[dict[str, Any]] = []
    for batch in batches:
        if n and len(rows) + batch.num_rows > n:
            wanted = n - len(rows)
            return rows + batch.slice(0, wanted).to_pylist(), _count(batches, batch.num_rows - wanted)
        rows += batch.to_pylist()
    return rows, ""


def _count(batches: pa.RecordBatchReader, counted: int) -> str:
    """How many rows follow, as far as they can be counted without making anybody wait."""
    end = time.monotonic() + SECONDS_TO_COUNT
    for batch in batches:
        counted += batch.num_rows
        if time.monotonic() > end:
            return f"over {counted:,}"
    return f"{counted:,}"


def _table(schema: pa.Schema, rows: Sequence[dict[str, Any]], width: int, header: bool) -> tuple[Table, list[str]]:
    """The table, and the names of columns for which there is no room."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    texts = [[cell(value) for value in row.values()] for row in rows]
    natural = [
        max([len(field.name), len(unit_of(field)), *(_longest(line[i]) for line in texts)])
        for i, field in enumerate(schema)
    ]
    widths = _fitted(natural, [is_number(field.type) for field in schema], width)
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_header=header)
    for field, wide in zip(schema, widths, strict=False):
        heading = Text(field.name, "bold")
        if unit := unit_of(field):
            heading.append(f"\n{unit}", "dim")
        side = "right" if is_number(field.type) else "left"
        table.add_column(heading, justify=side, overflow="fold", width=wide, no_wrap=False)  # type: ignore[arg-type]
    for line, row in zip(texts, rows, strict=True):
        cells = zip(line, row.values(), widths, strict=False)
        table.add_row(*(Text(text, "dim" if value is None else "") for text, value, _ in cells))
    return table, schema.names[len(widths) :]


def _longest(text: str) -> int:
    from rich.cells import cell_len

    return max((cell_len(line) for line in text.split("\n")), default=0)


def _fitted(natural: Sequence[int], is_fixed: Sequence[bool], width: int) -> list[int]:
    """Widths of as many columns as fit, texts folded as far as they must be."""
    least = [wide if fixed else min(wide, NARROWEST) for wide, fixed in zip(natural, is_fixed, strict=True)]
    n = len(natural)
    while n > 1 and sum(least[:n]) + GAP * (n - 1) > width - 1:
        n -= 1
    spare = width - 1 - GAP * (n - 1) - sum(least[:n])
    widths = least[:n]
    for i in sorted(range(n), key=lambda i: natural[i] - least[i]):  # those that need little get all of it
        waiting = sum(natural[j] > widths[j] for j in range(n))
        given = max(0, min(natural[i] - widths[i], spare // max(1, waiting)))
        widths[i] += given
        spare -= given
    for i in range(n):  # what those left over that needed less
        given = max(0, min(natural[i] - widths[i], spare))
        widths[i] += given
        spare -= given
    return widths


def _print_upright(console: Console, schema: pa.Schema, rows: Sequence[dict[str, Any]]) -> None:
    from rich.table import Table
    from rich.text import Text

    for number, row in enumerate(rows, start=1):
        console.print(f"─── row {number:,}", style="dim", highlight=False)
        table = Table(box=None, show_header=False, pad_edge=False)
        for i in range(3):
            table.add_column(overflow="fold", no_wrap=i == 0)
        for field, value in zip(schema, row.values(), strict=True):
            text = Text(cell(value), "dim" if value is None else "")
            table.add_row(Text(field.name, "bold"), Text(unit_of(field), "dim"), text)
        console.print(table)


def write_markdown(batches: pa.RecordBatchReader, stream: IO[bytes]) -> None:
    """A table of Markdown, row by row; numbers to six digits, as they are read in a text."""
    for line in _markdown(batches):
        stream.write(f"| {' | '.join(line)} |\n".encode())


def _markdown(batches: pa.RecordBatchReader) -> Iterator[list[str]]:
    units = [unit_of(field) for field in batches.schema]
    yield [_escaped(f"{f.name} ({u})" if u else f.name) for f, u in zip(batches.schema, units, strict=True)]
    yield ["---:" if is_number(field.type) else "---" for field in batches.schema]
    for batch in batches:
        columns = [column.to_pylist() for column in batch.columns]
        for row in zip(*columns, strict=True):
            yield [_escaped(cell(value)) for value in row]


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", "<br>")
