"""The first rows of an answer as HTML, for notebooks: names, units and types in the header."""

from __future__ import annotations

import html
from collections.abc import Mapping

import pyarrow as pa

from .forms import cell_text, n_rows

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
    sides = ["right" if _is_number(one.type) else "left" for one in head.schema]
    columns = list(zip(head.column_names, sides, strict=True))
    heading = "".join(_heading(name, side, types.get(name, ""), units.get(name)) for name, side in columns)
    rows = "".join(
        "<tr>"
        + "".join(
            f'<td style="{_CELL.format(side=side)}">{html.escape(cell_text(value))}</td>'
            for side, value in zip(sides, row.values(), strict=True)
        )
        + "</tr>"
        for row in head.to_pylist()
    )
    shown = f"first {n_rows(head.num_rows)} of more" if is_more else n_rows(head.num_rows)
    n_columns = f"{head.num_columns} column{'' if head.num_columns == 1 else 's'}"
    # The classes keep notebooks from reading formulas between two dollar signs of a text.
    return (
        f'<div class="brainlake tex2jax_ignore mathjax_ignore" style="{_SCROLLED}">'
        f'<table style="{_TABLE}"><thead><tr>{heading}</tr></thead><tbody>{rows}</tbody></table>'
        f"<small>{shown} × {n_columns}</small></div>"
    )


def _heading(name: str, side: str, kind: str, unit: str | None) -> str:
    shown = kind if len(kind) <= LONGEST_TYPE else kind[: LONGEST_TYPE - 1] + "…"
    measured = f" [{html.escape(unit)}]" if unit and unit != "1" else ""
    return (
        f'<th style="{_CELL.format(side=side)}">{html.escape(name)}{measured}<br>'
        f'<small style="opacity: 0.6; font-weight: normal" title="{html.escape(kind)}">{html.escape(shown)}</small></th>'
    )


def _is_number(kind: pa.DataType) -> bool:
    return pa.types.is_integer(kind) or pa.types.is_floating(kind)
