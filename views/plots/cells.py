"""Pictures of cells by their published features. Each takes the answer's frame and draws what its columns hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from .style import as_text, canvas, colour, first_of, legend, need

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["feature_scatter"]

_GROUPS = ("dendrite_type", "reporter_status", "species", "structure_layer")
_UNITS = {"_mv": "mV", "_mohm": "MΩ", "_gohm": "GΩ", "_ms": "ms", "_pa": "pA"}  # how published names end


def feature_scatter(
    frame: pl.DataFrame,
    *,
    x: str = "fast_trough_v_long_square_mv",
    y: str = "upstroke_downstroke_ratio_long_square",
    by: str | None = None,
    fit: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """One feature against another, a point a cell; cells that lack either are left out (P15).

    Columns: ``x`` and ``y``, by default those of the reference's example; ``by``, else dendrite type, reporter status ...
    fit : draw the least-squares line of ``y`` on ``x`` over all cells drawn
    """
    need(frame, "feature_scatter", x, y, *([by] if by else []))
    group = by or first_of(frame, *_GROUPS)
    drawn = frame.drop_nulls([x, y])
    with canvas(ax, (5.6, 4.6)) as ax:
        names = drawn[group].unique().sort(nulls_last=True).to_list() if group else [None]
        for number, name in enumerate(names):
            part = drawn.filter(pl.col(group).eq_missing(name)) if group else drawn
            ax.scatter(
                part[x].to_numpy(), part[y].to_numpy(), s=12, color=colour(number), alpha=0.6, linewidth=0,
                label=f"{'—' if name is None else as_text(name)} ({len(part)})" if group else None,
            )  # fmt: skip
        if fit and drawn[x].n_unique() > 1:
            slope, intercept = np.polyfit(drawn[x].to_numpy(), drawn[y].to_numpy(), 1)
            ends = np.array([drawn[x].min(), drawn[x].max()], dtype=float)
            ax.plot(ends, slope * ends + intercept, color="black", linewidth=1.2, label=f"slope {slope:.3g}")
        ax.set_xlabel(_label(x))
        ax.set_ylabel(_label(y))
        legend(ax, group.replace("_", " ") if group else None)
        return ax


def _label(column: str) -> str:
    for ending, unit in _UNITS.items():
        if column.endswith(ending):
            return f"{column.removesuffix(ending).replace('_', ' ')} ({unit})"
    return column.replace("_", " ")
