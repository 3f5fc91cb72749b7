"""Pictures of reconstructed neurons. Each takes the answer's frame and draws what its columns hold."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from .style import canvas, legend, need

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["density_by_depth", "morphology", "morphology_image"]

# The reference's colours (spec 4.16), drawn in this order: what comes later lies on top.
TYPES = {
    2: ("axon", (70 / 255, 130 / 255, 180 / 255)),
    3: ("basal dendrite", (178 / 255, 34 / 255, 34 / 255)),
    4: ("apical dendrite", (255 / 255, 127 / 255, 80 / 255)),
    0: ("other", (0.6, 0.6, 0.6)),
    1: ("soma", (0.0, 0.0, 0.0)),
}
MARKERS = {"cut_dendrite": ("cut dendrite", "x"), "no_reconstruction": ("not followed", "s"), "soma": ("soma", "+")}
_VIEWS = {"xy": ("x", "y"), "zy": ("z", "y"), "xz": ("x", "z")}


def morphology(
    frame: pl.DataFrame,
    *,
    view: str = "xy",
    markers: pl.DataFrame | None = None,
    layers: dict[str, float] | None = None,
    radius: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """A reconstruction seen along an axis, coloured by type (P16).

    Columns: those of ``morphology.nodes`` (``node_id``, ``parent_id``, ``node_type``, ``x``, ``y``, ``z``, um), of one
    reconstruction. ``view``: xy, zy or xz. ``markers``: an answer of ``morphology.markers_of``, drawn as signs.
    ``layers``: name -> y where the layer begins (um). ``radius``: lines as thick as neurites are, and a soma as large.
    """
    need(frame, "morphology", "node_id", "parent_id", "node_type", "x", "y", "z", *(["radius"] if radius else []))
    if view not in _VIEWS:
        raise ValueError(f"morphology: view is {', '.join(_VIEWS)}, not {view!r}")
    across, up = _VIEWS[view]
    with canvas(ax, (4.2, 5.2)) as ax:
        for name, top in (layers or {}).items():
            ax.axhline(top, color="0.8", linewidth=0.8, zorder=0)
            ax.annotate(name, (0.01, top), xycoords=("axes fraction", "data"), color="0.5", va="top", size=7)
        edges = Edges.of(frame, across, up)
        for order, (kind, (name, tint)) in enumerate(TYPES.items(), 1):
            of_kind = edges.of_type(kind)
            if not len(of_kind.node_type):
                continue
            xs, ys = (
                _with_gaps(of_kind.upper[:, 0], of_kind.lower[:, 0]),
                _with_gaps(of_kind.upper[:, 1], of_kind.lower[:, 1]),
            )
            if radius:
                _thick(ax, of_kind, tint, order)
            ax.plot(xs, ys, color=tint, linewidth=0.9, label=name, zorder=order, solid_capstyle="round")
        _soma(ax, frame, across, up, radius)
        if markers is not None and len(markers):
            need(markers, "morphology (markers)", "meaning", "x", "y", "z")
            for meaning, (name, sign) in MARKERS.items():
                found = markers.filter(pl.col("meaning") == meaning)
                if len(found):
                    ax.scatter(
                        found[across], found[up], marker=sign, s=26, color="0.15", linewidths=0.9, label=name, zorder=9
                    )
        ax.set_aspect("equal")
        ax.set_xlabel(f"{across} (µm)")
        ax.set_ylabel(f"{up} (µm)")
        legend(ax)
        return ax


def density_by_depth(
    frame: pl.DataFrame,
    *,
    bins: int = 50,
    thickness: float | None = None,
    ends: str = "both",
    ax: Axes | None = None,
) -> Axes:
    """Length of neurites by depth, a line a type (P17): from the top down.

    Columns: those of ``morphology.nodes``, of one reconstruction. ``thickness`` (um): the nodes are in the pial frame,
    y upwards from 0 at the pia, and depth is relative to the cortex; without, it is in um below the highest node.
    ``ends``: see :func:`length_by_depth`.
    """
    need(frame, "density_by_depth", "node_id", "parent_id", "node_type", "x", "y", "z")
    with canvas(ax, (3.4, 4.6)) as ax:
        borders, lengths = length_by_depth(frame, bins, thickness, ends)
        centres = (borders[1:] + borders[:-1]) / 2
        ax.plot(lengths[-1], centres, color="0.75", linewidth=2.2, label="all")
        for kind in (2, 3, 4):
            if lengths[kind].any():
                ax.plot(lengths[kind], centres, color=TYPES[kind][1], linewidth=1.3, label=TYPES[kind][0])
        ax.set_xlim(left=0)
        ax.set_ylim(borders[-1], borders[0])
        ax.set_xlabel("length (µm) in a bin")
        ax.set_ylabel("depth below the highest node (µm)" if thickness is None else "relative depth in cortex")
        legend(ax)
        return ax


def length_by_depth(
    frame: pl.DataFrame, bins: int = 50, thickness: float | None = None, ends: str = "both"
) -> tuple[np.ndarray, dict[int, np.ndarray]]:
    """Length of neurites in bins of depth: borders of the bins, and type -> um; -1 is all types.

    Half of an edge's length counts for each end: at its depth, under its type (``ends="both"``); the reference takes
    the upper end's depth for both (``ends="upper"``), and takes what is less than a bin above the pia as within.
    """
    if ends not in ("both", "upper"):
        raise ValueError(f"density_by_depth: ends is both or upper, not {ends!r}")
    edges = Edges.of(frame, "x", "y")
    y = np.concatenate([edges.upper[:, 1], (edges.lower if ends == "both" else edges.upper)[:, 1]])
    top = float(frame["y"].max() or 0.0) if thickness is None else 0.0  # type: ignore[arg-type]
    span = float(top - (frame["y"].min() or 0.0)) if thickness is None else thickness  # type: ignore[operator]
    relative = (top - y) / max(span, 1e-12)
    place = np.trunc(relative * bins) if ends == "upper" else np.floor(relative * bins)
    place = np.where(relative * bins == bins, bins - 1, place)
    half = np.tile(edges.length / 2, 2)
    kinds = np.concatenate([edges.upper_type, edges.node_type])
    inside = (place >= 0) & (place < bins)
    lengths = {}
    for kind in (-1, 2, 3, 4):
        counted = inside & ((kinds == kind) | (kind == -1))
        lengths[kind] = np.bincount(place[counted].astype(np.int64), half[counted], bins)
    return np.linspace(0, span if thickness is None else 1, bins + 1), lengths


def morphology_image(
    frame: pl.DataFrame, *, width: int = 400, height: int = 600, placing: str = "corrected", ax: Axes | None = None
) -> Axes:
    """A reconstruction fitted into an image of so many pixels (P17), as the reference draws it.

    Columns: those of ``morphology.nodes``, of one reconstruction. ``placing``: see :func:`pixel_scale`.
    """
    need(frame, "morphology_image", "node_id", "parent_id", "node_type", "x", "y", "z")
    with canvas(ax, (width / 100, height / 100)) as ax:
        factor, left, top = pixel_scale(frame, width, height, placing)
        edges = Edges.of(frame, "x", "y")
        for order, (kind, (_, tint)) in enumerate(TYPES.items(), 1):
            of_kind = edges.of_type(kind)
            xs = _with_gaps(left + factor * of_kind.upper[:, 0], left + factor * of_kind.lower[:, 0])
            ys = _with_gaps(top - factor * of_kind.upper[:, 1], top - factor * of_kind.lower[:, 1])
            ax.plot(xs, ys, color=tint, linewidth=0.8, zorder=order)
        soma = frame.filter((pl.col("node_type") == 1) & (pl.col("parent_id") < 0))
        if "radius" in frame.columns and len(soma):
            from matplotlib.patches import Circle

            centre = (left + factor * soma["x"][0], top - factor * soma["y"][0])
            ax.add_patch(Circle(centre, factor * soma["radius"][0], color=TYPES[1][1], zorder=8))
        ax.set_xlim(0, width)
        ax.set_ylim(height, 0)
        ax.set_aspect("equal")
        ax.set_xlabel("pixel")
        ax.set_ylabel("pixel")
        return ax


def pixel_scale(frame: pl.DataFrame, width: int, height: int, placing: str = "corrected") -> tuple[float, float, float]:
    """Pixels a um, and where x = 0 and y = 0 come to lie: ``column = left + factor x``, ``row = top - factor y``.

    The tree fills the image one way and is centred the other. Where its height fills it, the reference places it by
    the least y, as if rows did not run downwards (``placing="reference"``); right is the greatest.
    """
    if placing not in ("corrected", "reference"):
        raise ValueError(f"morphology_image: placing is corrected or reference, not {placing!r}")
    x, y = frame["x"].to_numpy(), frame["y"].to_numpy()
    x_span, y_span = max(float(np.ptp(x)), 1e-12), max(float(np.ptp(y)), 1e-12)
    across, up = width / x_span, height / y_span
    factor = min(across, up)
    if across <= up:
        return factor, -factor * float(x.min()), height / 2 + factor * float(y.max() + y.min()) / 2
    top = factor * float(y.max()) if placing == "corrected" else -factor * float(y.min())
    return factor, width / 2 - factor * float(x.max() + x.min()) / 2, top


@dataclass(frozen=True)
class Edges:
    """Edges of a reconstruction in two of its axes: (n, 2) positions, (n,) radii and types of both ends, length (um)."""

    upper: np.ndarray
    lower: np.ndarray
    upper_radius: np.ndarray
    lower_radius: np.ndarray
    upper_type: np.ndarray
    node_type: np.ndarray
    length: np.ndarray

    @classmethod
    def of(cls, frame: pl.DataFrame, across: str, up: str) -> Edges:
        """Raises ValueError where the frame is of several reconstructions."""
        if frame["node_id"].n_unique() < len(frame):
            raise ValueError("a picture of a reconstruction takes the nodes of one; the answer has a node_id twice")
        numbers = [c for c in ("x", "y", "z", "radius") if c in frame.columns]
        kept = [*numbers, "node_type"]
        above = frame.select(pl.col("node_id").alias("parent_id"), *(pl.col(c).alias(f"upper_{c}") for c in kept))
        both = frame.join(above, on="parent_id", how="inner", maintain_order="left")
        upper, lower = (both.select(f"{end}x", f"{end}y", f"{end}z").to_numpy() for end in ("upper_", ""))
        seen = ["xyz".index(across), "xyz".index(up)]
        has_radius = "radius" in numbers
        thin = np.ones(len(both))
        return cls(
            upper[:, seen],
            lower[:, seen],
            both["upper_radius"].to_numpy() if has_radius else thin,
            both["radius"].to_numpy() if has_radius else thin,
            both["upper_node_type"].to_numpy(),
            both["node_type"].to_numpy(),
            np.sqrt(((upper - lower) ** 2).sum(axis=1)),
        )

    def of_type(self, kind: int) -> Edges:
        """Of one type; type 0 stands for all that have no colour of their own."""
        is_it = ~np.isin(self.node_type, [1, 2, 3, 4]) if kind == 0 else self.node_type == kind
        return Edges(
            self.upper[is_it], self.lower[is_it], self.upper_radius[is_it], self.lower_radius[is_it],
            self.upper_type[is_it], self.node_type[is_it], self.length[is_it],
        )  # fmt: skip


def _with_gaps(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Lines from a to b as one line that is broken between them: drawn far faster than many."""
    return np.column_stack([a, b, np.full(len(a), np.nan)]).ravel()


def _thick(ax: Axes, edges: Edges, tint: tuple[float, float, float], order: int) -> None:
    """Each edge as wide as the neurite at its ends."""
    from matplotlib.collections import PolyCollection

    along = edges.lower - edges.upper
    length = np.sqrt((along * along).sum(axis=1, keepdims=True))
    side = np.column_stack([-along[:, 1], along[:, 0]]) / np.where(length == 0, 1, length)
    near, far = side * edges.upper_radius[:, None], side * edges.lower_radius[:, None]
    corners = np.stack([edges.upper + near, edges.lower + far, edges.lower - far, edges.upper - near], axis=1)
    ax.add_collection(PolyCollection(list(corners), facecolors=[tint], edgecolors="none", zorder=order))


def _soma(ax: Axes, frame: pl.DataFrame, across: str, up: str, as_large: bool) -> None:
    somas = frame.filter(pl.col("node_type") == 1)
    tint = TYPES[1][1]
    if as_large:
        from matplotlib.patches import Circle

        for x, y, r in somas.select(across, up, "radius").iter_rows():
            ax.add_patch(Circle((x, y), r, color=tint, zorder=8))
    elif len(somas):
        ax.scatter(somas[across], somas[up], s=18, color=tint, zorder=8)
