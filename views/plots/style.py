"""What every picture shares: colours, a quiet look, axes that say their unit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import polars as pl

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Okabe & Ito (2008): distinct also for the colour-blind.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000", "#999933")

_LOOK: Any = {
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.labelsize": 10,
    "axes.titlesize": 10,
    "axes.titlelocation": "left",
    "font.size": 9,
    "legend.frameon": False,
    "legend.fontsize": 8,
    "figure.dpi": 120,
    "savefig.bbox": "tight",
    "image.cmap": "viridis",
}


@contextmanager
def _look() -> Iterator[None]:
    # A notebook's backend turns interactive drawing on when it is loaded, which the first figure would do inside of the
    # look: leaving it would turn it off again, and no later figure be shown.
    plt.draw_if_interactive()
    with plt.rc_context(_LOOK):
        yield


@contextmanager
def canvas(ax: Axes | None, size: tuple[float, float] = (6.4, 3.6)) -> Iterator[Axes]:
    """Axes to draw on: those given, or new ones in the project's look."""
    with _look():
        if ax is None:
            _, ax = plt.subplots(figsize=size, layout="constrained")
        yield ax


@contextmanager
def page(size: tuple[float, float]) -> Iterator[Figure]:
    """A figure for several pictures, in the project's look."""
    with _look():
        yield plt.figure(figsize=size, layout="constrained")


def need(frame: pl.DataFrame, picture: str, *columns: str) -> None:
    """Raise ValueError naming the column that a picture misses."""
    missing = [c for c in columns if c not in frame.columns]
    if missing:
        raise ValueError(f"{picture} needs a column {missing[0]}; the answer has {', '.join(frame.columns)}")
    if frame.is_empty():
        raise ValueError(f"{picture}: the answer has no rows")


def first_of(frame: pl.DataFrame, *columns: str) -> str | None:
    """The first of these columns that the frame has."""
    return next((c for c in columns if c in frame.columns), None)


def colour(number: int) -> str:
    return COLOURS[number % len(COLOURS)]


def legend(ax: Axes, title: str | None = None, at_most: int = 12) -> None:
    """A legend outside of the data, unless it would be longer than the picture."""
    _, labels = ax.get_legend_handles_labels()
    if 1 < len(labels) <= at_most:
        ax.legend(title=title, loc="upper left", bbox_to_anchor=(1.0, 1.0), alignment="left")


def legend_inside(ax: Axes, place: Any, title: str | None = None, **look: Any) -> None:
    """A legend where a picture leaves room for it."""
    if ax.get_legend_handles_labels()[1]:
        ax.legend(title=title, loc=place, **look)


def grid_of(frame: pl.DataFrame, y: str, x: str, value: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """A matrix (y × x) of mean values, NaN where there is none, with its sorted axes."""
    ys, xs = frame[y].unique().sort().to_numpy(), frame[x].unique().sort().to_numpy()
    sums, counts = np.zeros((len(ys), len(xs))), np.zeros((len(ys), len(xs)))
    at = np.searchsorted(ys, frame[y].to_numpy()), np.searchsorted(xs, frame[x].to_numpy())
    np.add.at(sums, at, frame[value].to_numpy().astype(float))
    np.add.at(counts, at, 1)
    with np.errstate(invalid="ignore"):
        return ys, xs, sums / np.where(counts == 0, np.nan, counts)


def edges(centres: Sequence[float] | np.ndarray) -> np.ndarray:
    """Edges half-way between sorted positions."""
    c = np.asarray(centres, dtype=float)
    if len(c) < 2:
        return np.array([c[0] - 0.5, c[0] + 0.5])
    middle = (c[1:] + c[:-1]) / 2
    return np.concatenate([[2 * c[0] - middle[0]], middle, [2 * c[-1] - middle[-1]]])


def onset(ax: Axes) -> None:
    """A line where the event happens."""
    ax.axvline(0, color="0.4", linewidth=0.8, linestyle=":", zorder=0)


def as_text(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
