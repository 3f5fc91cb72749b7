"""Pictures of the reference space: slices, and what of the brain a list of structures takes up."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from .style import canvas, need

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["ccf_slice", "mask_projection", "structure_volumes"]

_SIDES = {"coronal": ("ML", "DV"), "horizontal": ("ML", "AP"), "sagittal": ("AP", "DV")}  # columns, rows
_UNLISTED = (255, 0, 255)  # a label that no ontology lists stands out


def ccf_slice(frame: pl.DataFrame, *, borders: bool = False, legend: int = 0, ax: Axes | None = None) -> Axes:
    """A slice: structures in their colours (``ccf.slice_image``), or grey values (``ccf.grey_slice_image``).

    borders : draw a line where structures meet
    legend : name so many structures beside it, those that take up most of it, the largest first
    """
    need(frame, "ccf_slice", "n_rows", "n_columns", "spacing_um")
    row = frame.row(0, named=True)
    shape = row["n_rows"], row["n_columns"]
    height, width = (n * row["spacing_um"] / 1000 for n in shape)
    with canvas(ax, (6.0, 6.0 * shape[0] / shape[1] + 0.6)) as ax:
        extent = (0, width, height, 0)
        if "grey_values" in row:
            image = np.asarray(row["grey_values"]).reshape(shape)
            ax.imshow(image, cmap="gray", extent=extent, interpolation="nearest")
        else:
            need(frame, "ccf_slice", "structure_ids", "palette")
            labels = np.asarray(row["structure_ids"]).reshape(shape)
            colours = _coloured(labels, row["palette"])
            if borders:
                colours[_borders(labels)] = (60, 60, 60)
            ax.imshow(colours, extent=extent, interpolation="nearest")
            if legend:
                _name_largest(ax, labels, row["palette"], legend)
        x, y = _SIDES.get(row.get("plane", ""), ("columns", "rows"))
        ax.set_xlabel(f"{x} (mm)")
        ax.set_ylabel(f"{y} (mm)")
        return ax


def _coloured(labels: np.ndarray, palette: list[dict]) -> np.ndarray:
    """Labels as red, green and blue; background black (RSP-09)."""
    known = {one["structure_id"]: one["rgb"] for one in palette if one["rgb"]}
    present, which = np.unique(labels, return_inverse=True)
    table = np.array([(0, 0, 0) if label == 0 else known.get(int(label), _UNLISTED) for label in present], np.uint8)
    return table[which.reshape(labels.shape)]


def _name_largest(ax: Axes, labels: np.ndarray, palette: list[dict], n: int) -> None:
    """A legend of the structures that take up most pixels."""
    from matplotlib.patches import Patch

    names = {one["structure_id"]: one["acronym"] for one in palette}
    found, counts = np.unique(labels[labels > 0], return_counts=True)
    largest = found[np.argsort(-counts, kind="stable")[:n]]
    colours = _coloured(largest, palette) / 255
    # an edge, as some structures are white
    patches = [
        Patch(facecolor=colour, edgecolor="0.4", linewidth=0.5, label=names.get(int(label)) or str(label))
        for label, colour in zip(largest, colours, strict=True)
    ]
    ax.legend(handles=patches, loc="upper left", bbox_to_anchor=(1.01, 1.0), fontsize=8, frameon=False)


def _borders(labels: np.ndarray) -> np.ndarray:
    edges = np.zeros(labels.shape, bool)
    edges[1:] |= labels[1:] != labels[:-1]
    edges[:, 1:] |= labels[:, 1:] != labels[:, :-1]
    return edges


def mask_projection(frame: pl.DataFrame, *, view: str = "horizontal", ax: Axes | None = None) -> Axes:
    """How deep a mask is, looked at from above, from the front or from the side.

    Columns as of ``ccf.mask``: ``ml_index``, ``dv_index``, ``ap_index``, ``n_voxels``.
    view : horizontal (AP down, ML across), coronal (DV, ML) or sagittal (DV, AP)
    """
    need(frame, "mask_projection", "ml_index", "dv_index", "ap_index", "n_voxels")
    runs = frame.select("ml_index", "dv_index", "ap_index", "n_voxels").to_numpy().astype(np.int64)
    ml, dv, ap, n = runs.T
    last = ap + n
    sizes = {"ml": ml.max() + 1, "dv": dv.max() + 1, "ap": last.max() + 1}
    if view == "coronal":
        image = np.zeros((sizes["dv"], sizes["ml"]), np.int64)
        np.add.at(image, (dv, ml), n)
    else:
        # a run adds 1 from its first voxel on and takes it away behind its last
        across = ml if view == "horizontal" else dv
        steps = np.zeros((sizes["ap"] + 1, int(across.max()) + 1), np.int64)
        np.add.at(steps, (ap, across), 1)
        np.add.at(steps, (last, across), -1)
        image = steps.cumsum(axis=0)[:-1]
        image = image if view == "horizontal" else image.T
    x, y = _SIDES[view]
    with canvas(ax, (5.4, 5.0)) as ax:
        shown = ax.imshow(np.where(image == 0, np.nan, image), interpolation="nearest")
        ax.figure.colorbar(shown, ax=ax, label="depth (voxels)", shrink=0.8)
        ax.set_xlabel(f"{x} (voxels)")
        ax.set_ylabel(f"{y} (voxels)")
        return ax


def structure_volumes(frame: pl.DataFrame, *, at_most: int = 40, ax: Axes | None = None) -> Axes:
    """Volumes of structures as bars, the largest on top. Columns ``acronym``, ``volume_mm3`` (``ccf.structure_geometry``)."""
    need(frame, "structure_volumes", "acronym", "volume_mm3")
    if "hemisphere_id" in frame.columns and frame["hemisphere_id"].n_unique() > 1:
        frame = frame.filter(pl.col("hemisphere_id") == 3)
    shown = frame.sort("volume_mm3", descending=True).head(at_most)
    with canvas(ax, (5.0, 0.18 * len(shown) + 0.8)) as ax:
        ax.barh(range(len(shown)), shown["volume_mm3"].to_numpy(), color="#0072B2", height=0.75)
        ax.set_yticks(range(len(shown)), shown["acronym"].to_list(), fontsize=7)
        ax.invert_yaxis()
        ax.set_xlabel("volume (mm³)")
        return ax
