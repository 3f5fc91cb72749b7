"""An answer as HTML, its first rows for notebooks or all of it as a page: names, units and types in the header."""

from __future__ import annotations

import html
from collections.abc import Iterator, Mapping

import pyarrow as pa

from .forms import cell_text, is_number, n_rows

LONGEST_TYPE = 24  # a STRUCT's name can be longer than its values; the whole of it shows on hovering

# Said with the table, as a notebook keeps no style sheet of ours; colours are left to the reader's theme, light or dark.
_SCROLLED = "max-width: 100%; overflow-x: auto"
_TABLE = "border-collapse: collapse; font-variant-numeric: tabular-nums"
_CELL = "text-align: {side}; white-space: nowrap; padding: 2px 8px"


def html_table(head: pa.Table, is_more: bool, types: Mapping[str, str], units: Mapping[str, str | None]) -> str:
    """A table of HTML, whose every name and value is escaped.

    head : the rows to show
    is_more : the answer has more rows than those
    types, units : of its columns by name, as a relation tells them; the unit ``1`` is not written
    """
    shown = f"first {n_rows(head.num_rows)} of more" if is_more else n_rows(head.num_rows)
    n_columns = f"{head.num_columns} column{'' if head.num_columns == 1 else 's'}"
    # The classes keep notebooks from reading formulas between two dollar signs of a text.
    return (
        f'<div class="brainlake tex2jax_ignore mathjax_ignore" style="{_SCROLLED}">'
        f"{_opening(head.schema, types, units)}{_rows(head)}</tbody></table>"
        f"<small>{shown} × {n_columns}</small></div>"
    )


def html_page(batches: pa.RecordBatchReader) -> Iterator[str]:
    """The pieces of a whole page that holds every row; units from the fields' metadata."""
    schema = batches.schema
    units = {one.name: (one.metadata or {}).get(b"unit", b"").decode() for one in schema}
    yield (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><title>brainlake</title></head>'
        f'<body style="font-family: sans-serif">\n{_opening(schema, {}, units)}\n'
    )
    n = 0
    for batch in batches:
        n += batch.num_rows
        yield _rows(pa.Table.from_batches([batch])).replace("</tr><tr>", "</tr>\n<tr>")
    yield f"</tbody></table>\n<small>{n_rows(n)}</small></body></html>\n"


def _opening(schema: pa.Schema, types: Mapping[str, str], units: Mapping[str, str | None]) -> str:
    columns = zip(schema.names, _sides(schema), strict=True)
    heading = "".join(_heading(name, side, types.get(name, ""), units.get(name)) for name, side in columns)
    return f'<table style="{_TABLE}"><thead><tr>{heading}</tr></thead><tbody>'


def _rows(table: pa.Table) -> str:
    starts = [f'<td style="{_CELL.format(side=side)}">' for side in _sides(table.schema)]
    return "".join(
        "<tr>"
        + "".join(
            f"{start}{html.escape(cell_text(value))}</td>" for start, value in zip(starts, row.values(), strict=True)
        )
        + "</tr>"
        for row in table.to_pylist()
    )


def _sides(schema: pa.Schema) -> list[str]:
    return ["right" if is_number(one.type) else "left" for one in schema]


def _heading(name: str, side: str, kind: str, unit: str | None) -> str:
    shown = kind if len(kind) <= LONGEST_TYPE else kind[: LONGEST_TYPE - 1] + "…"
    measured = f" [{html.escape(unit)}]" if unit and unit != "1" else ""
    return (
        f'<th style="{_CELL.format(side=side)}">{html.escape(name)}{measured}<br>'
        f'<small style="opacity: 0.6; font-weight: normal" title="{html.escape(kind)}">{html.escape(shown)}</small></th>'
    )
