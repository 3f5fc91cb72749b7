"""Pictures of the connectivity atlas: what projects where, where injections lie, grids seen along an axis."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from .style import canvas, colour, legend, need

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["injection_sites", "max_projection", "projection_matrix", "strongest_targets", "structures_3d"]

_MAX_TICKS = 60  # more names than that cannot be read
_UM_A_MM = 1000


def projection_matrix(
    frame: pl.DataFrame, *, top: float | None = None, log: bool = False, ax: Axes | None = None
) -> Axes:
    """Experiments by targets as a heat map (P2); grey where there is no unionize.

    Columns: those of ``connectivity.projection_matrix``; rows and columns that a question left out leave no gap.
    top : value of the strongest colour; the highest one where it is not given
    log : colours by the logarithm of the value; zeros have the weakest colour
    """
    need(frame, "projection_matrix", "matrix_row", "matrix_column", "experiment_id", "target", "matrix_value")
    given = frame.filter(pl.col("matrix_value").is_not_null())
    if given.is_empty():
        raise ValueError("projection_matrix: no cell has a value")
    by_row, by_column = (frame.unique(name).sort(name) for name in ("matrix_row", "matrix_column"))
    rows, targets = by_row["experiment_id"].to_list(), by_column["target"].to_list()
    image = np.full((len(rows), len(targets)), np.nan)
    image[
        by_row["matrix_row"].search_sorted(given["matrix_row"]),
        by_column["matrix_column"].search_sorted(given["matrix_column"]),
    ] = given["matrix_value"]
    highest = top if top is not None else float(np.nanmax(image))
    with canvas(ax, (min(14, 2 + 0.16 * len(targets)), min(10, 1.4 + 0.16 * len(rows)))) as ax:
        from matplotlib.colors import LogNorm, Normalize

        norm = Normalize(0, highest)
        if log:
            lowest = float(np.nanmin(image[image > 0], initial=highest))
            image = np.maximum(image, lowest)
            norm = LogNorm(lowest, highest)
        ax.set_facecolor("0.85")
        drawn = ax.imshow(image, cmap="inferno", norm=norm, aspect="auto", interpolation="nearest")
        ax.xaxis.tick_top()
        _name_ticks(ax.xaxis, targets, rotation=90)
        _name_ticks(ax.yaxis, [str(row) for row in rows])
        ax.tick_params(labelsize=7, length=2)
        ax.set_ylabel("experiment")
        ax.figure.colorbar(drawn, ax=ax, shrink=0.8, label="projection")
        return ax


def _name_ticks(axis, names: list[str], rotation: float = 0) -> None:  # type: ignore[no-untyped-def]
    """Every name where there is room, else some at even distances."""
    step = -(-len(names) // _MAX_TICKS)
    axis.set_ticks(range(0, len(names), step), names[::step], rotation=rotation)


def strongest_targets(frame: pl.DataFrame, *, ax: Axes | None = None) -> Axes:
    """The structures that one experiment projects to most, as bars from the top down; left and right apart (P3).

    Columns: those of ``connectivity.rank_structures``, of one experiment.
    """
    need(frame, "strongest_targets", "experiment_id", "acronym", "hemisphere_id", "ranked_value")
    if frame["experiment_id"].n_unique() > 1:
        raise ValueError("strongest_targets takes one experiment; the answer has several")
    names = frame["acronym"].unique(maintain_order=True).to_list()
    sides = frame["hemisphere_id"].unique().sort().to_list()
    height = 0.8 / len(sides)
    with canvas(ax, (5.0, 1.2 + 0.3 * len(names))) as ax:
        for number, side in enumerate(sides):
            of_side = frame.filter(pl.col("hemisphere_id") == side)
            at = [names.index(name) + (number - (len(sides) - 1) / 2) * height for name in of_side["acronym"]]
            name = {1: "left", 2: "right", 3: "both"}.get(side, str(side))
            ax.barh(at, of_side["ranked_value"], height, color=colour(number), label=name)
        ax.set_yticks(range(len(names)), names)
        ax.invert_yaxis()
        ax.set_xlabel("normalized projection volume")
        legend(ax, "hemisphere")
        return ax


def injection_sites(frame: pl.DataFrame, *, view: str = "3d", by: str | None = None, ax: Axes | None = None) -> Axes:
    """Where injections lie, each as a disc whose volume follows the injected one (P10).

    Columns: ``ap_um``, ``dv_um``, ``ml_um``, as of ``connectivity.experiments``; ``injection_volume_mm3`` where there is one.
    view : 3d, or as seen: horizontal (from above), coronal (from the front), sagittal (from the side)
    by : column that colours them, at most eight values
    """
    need(frame, "injection_sites", "ap_um", "dv_um", "ml_um", *([by] if by else []))
    planes = {"horizontal": ("ml_um", "ap_um"), "coronal": ("ml_um", "dv_um"), "sagittal": ("ap_um", "dv_um")}
    if view != "3d" and view not in planes:
        raise ValueError(f"injection_sites: view is 3d, {', '.join(planes)}, not {view!r}")
    if ax is None and view == "3d":
        import matplotlib.pyplot as plt

        ax = plt.figure(figsize=(6.0, 5.0)).add_subplot(projection="3d")
    shown = ("ap_um", "ml_um", "dv_um") if view == "3d" else planes[view]
    with canvas(ax, (6.0, 5.0)) as ax:
        groups = frame.partition_by(by, maintain_order=True) if by else [frame]
        for number, group in enumerate(groups):
            sizes = 12.0
            if "injection_volume_mm3" in group.columns:
                sizes = 60 * np.cbrt(group["injection_volume_mm3"].fill_null(0).to_numpy()) ** 2 + 4
            xs, ys, *zs = (group[name].to_numpy() / _UM_A_MM for name in shown)
            said = str(group[by][0]) if by else None
            ax.scatter(xs, ys, *zs, s=sizes, color=colour(number), alpha=0.6, linewidths=0, label=said)  # type: ignore[misc]
        for name, axis in zip(shown, "xyz", strict=False):
            getattr(ax, f"set_{axis}label")(f"{name.removesuffix('_um').upper()} (mm)")
        if view == "3d":
            ax.invert_zaxis()  # type: ignore[attr-defined]  # dorsal is up
            ax.set_box_aspect([13.2, 11.4, 8.0])  # type: ignore[arg-type]  # as long as the brain's axes are
        else:
            ax.invert_yaxis()
            ax.set_aspect("equal")
        legend(ax, by)
        return ax


def structures_3d(
    frame: pl.DataFrame,
    *,
    sites: pl.DataFrame | None = None,
    paths: pl.DataFrame | None = None,
    alpha: float | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Surfaces of structures in their colours, with injections as spheres and ways between them as lines (P10).

    Columns: ``rgb``, ``corner_ap_um``, ``corner_dv_um``, ``corner_ml_um``, as of ``ccf.mesh_corners``
    sites : relation with ``ap_um``, ``dv_um``, ``ml_um`` and ``injection_volume_mm3``, as of ``connectivity.experiments``:
        spheres of that volume, to scale; without it of 0.01 mm3
    paths : relation with ``ap_um``, ``dv_um``, ``ml_um`` in their order, as of ``connectivity.search_path``; a line for
        each ``experiment_id`` where there is one
    alpha : opacity of surfaces, 0 to 1; by default they are opaque, but for what lies within them is to be seen
    """
    import matplotlib.pyplot as plt
    from mpl_toolkits.mplot3d.art3d import Poly3DCollection

    places = ("ap_um", "ml_um", "dv_um")
    need(frame, "structures_3d", "rgb", *(f"corner_{name}" for name in places))
    for name, given in (("sites", sites), ("paths", paths)):
        if given is not None:
            need(given, f"structures_3d: {name}", *places)
    is_alone = sites is None and paths is None
    alpha = alpha if alpha is not None else 1.0 if is_alone else 0.25
    if ax is None:
        ax = plt.figure(figsize=(7.0, 5.5)).add_subplot(projection="3d")
    with canvas(ax, (7.0, 5.5)) as ax:
        # what lies within a surface is drawn after it, whatever the depth
        ax.computed_zorder = is_alone  # type: ignore[attr-defined]
        low, high = np.full(3, np.inf), np.full(3, -np.inf)
        surfaces = [
            (np.stack([row[f"corner_{name}"] for name in places], axis=-1).reshape(-1, 3, 3) / _UM_A_MM, row["rgb"])
            for row in frame.iter_rows(named=True)
            if row[f"corner_{places[0]}"]
        ]
        for corners, rgb in sorted(surfaces, key=lambda one: -float(np.prod(np.ptp(one[0], axis=(0, 1))))):
            surface = Poly3DCollection(
                corners, facecolors=np.array(rgb) / 255, alpha=alpha, linewidths=0, shade=True, zorder=1
            )
            ax.add_collection3d(surface)  # type: ignore[attr-defined]
            low, high = np.minimum(low, corners.min((0, 1))), np.maximum(high, corners.max((0, 1)))
        if sites is not None:
            for site in sites.drop_nulls(places).iter_rows(named=True):
                centre = np.array([site[name] for name in places]) / _UM_A_MM
                radius = np.cbrt(3 * (site.get("injection_volume_mm3") or 0.01) / (4 * np.pi))
                ball = {"color": colour(1), "alpha": 0.6, "linewidth": 0, "zorder": 2}
                ax.plot_surface(*_sphere(centre, radius), **ball)  # type: ignore[attr-defined]
                low, high = np.minimum(low, centre - radius), np.maximum(high, centre + radius)
        if paths is not None:
            by = "experiment_id" if "experiment_id" in paths.columns else None
            for path in paths.partition_by(by, maintain_order=True) if by else [paths]:
                line = path.select(places).to_numpy() / _UM_A_MM
                ax.plot(*line.T, color=colour(0), linewidth=1.5, zorder=3)
                low, high = np.minimum(low, line.min(0)), np.maximum(high, line.max(0))
        if np.isfinite(low).all():
            for axis, name, start, stop in zip("xyz", places, low, high, strict=True):
                getattr(ax, f"set_{axis}lim")((stop, start) if axis == "z" else (start, stop))  # dorsal is up
                getattr(ax, f"set_{axis}label")(f"{name.removesuffix('_um').upper()} (mm)")
            ax.set_box_aspect(np.maximum(high - low, 1e-3), zoom=1.15)  # type: ignore[call-arg]
        return ax


def _sphere(centre: np.ndarray, radius: float, n: int = 16) -> list[np.ndarray]:
    """x, y and z of a grid of points on a sphere."""
    around, down = np.meshgrid(np.linspace(0, 2 * np.pi, 2 * n), np.linspace(0, np.pi, n))
    unit = (np.cos(around) * np.sin(down), np.sin(around) * np.sin(down), np.cos(down))
    return [start + radius * values for start, values in zip(centre, unit, strict=True)]


def max_projection(
    frame: pl.DataFrame, *, background: pl.DataFrame | None = None, top: float | None = None, ax: Axes | None = None
) -> Axes:
    """A grid seen along an axis (P4), or one of its slices: each pixel's highest value.

    Columns: ``row_um``, ``column_um``, ``voxel_value``, as of ``connectivity.max_projection``.
    background : an answer of ``ccf.grey_slice_image`` or ``ccf.slice_image`` in the same plane, to draw it over
    top : value of the strongest colour
    """
    need(frame, "max_projection", "row_um", "column_um", "voxel_value")
    rows, columns = frame["row_um"].to_numpy(), frame["column_um"].to_numpy()
    um = _step(rows, columns)
    at = np.rint(rows / um).astype(int), np.rint(columns / um).astype(int)
    with canvas(ax, (6.4, 4.6)) as ax:
        image = np.zeros((at[0].max() + 2, at[1].max() + 2))
        np.maximum.at(image, at, frame["voxel_value"].to_numpy())
        extent = (0, image.shape[1] * um / _UM_A_MM, image.shape[0] * um / _UM_A_MM, 0)
        if background is not None:
            from .ccf import ccf_slice

            ccf_slice(background, ax=ax)
            image = np.ma.masked_less_equal(image, 0.01)
        drawn = ax.imshow(
            image,
            cmap="hot",
            vmin=0,
            vmax=top,
            extent=extent,
            interpolation="nearest",
            alpha=0.7 if background is not None else 1,
        )
        if background is not None:
            ax.set_xlim(left=0)
        else:
            ax.set_xlabel("mm")
            ax.set_ylabel("mm")
        ax.set_aspect("equal")
        ax.figure.colorbar(drawn, ax=ax, shrink=0.8, label="density")
        return ax


def _step(*places: np.ndarray) -> int:
    """Edge of a voxel (um): the largest length that all places are multiples of."""
    return int(np.gcd.reduce(np.rint(np.concatenate(places)).astype(np.int64))) or 1
