"""Pictures of what is measured on patch-clamp sweeps. Each takes the answer's frame and draws what its columns hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from ...udfs.interspike_intervals import detect_bursts, detect_pauses
from .style import as_text, canvas, colour, first_of, legend, legend_inside, need

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["fi_curve", "isi_plot", "membrane_tau", "membrane_vi", "sweep_values"]

BLUE, RED = colour(0), colour(1)
BLOWOUT = "EXTPBLWOUT"  # its sweep has no resting potential: the pipette is out of the cell
VALUES = {
    "bridge_balance_mohm": "bridge (MΩ)",
    "pre_vm_mv": "before (mV)",
    "leak_pa": "leak (pA)",
}


def membrane_vi(frame: pl.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Deflection by current, of membrane sweeps, with the level before and the line of the input resistance (P3).

    Columns: ``stim_amp_pa``, ``peak_deflect_v_mv``; optional ``v_baseline_mv``, and ``input_resistance_mohm`` of the
    cell, without which the line is the least-squares one of the points.
    """
    need(frame, "membrane_vi", "stim_amp_pa", "peak_deflect_v_mv")
    drawn = frame.drop_nulls(["stim_amp_pa", "peak_deflect_v_mv"])
    current, potential = drawn["stim_amp_pa"].to_numpy(), drawn["peak_deflect_v_mv"].to_numpy()
    with canvas(ax, (4.2, 3.6)) as ax:
        if "v_baseline_mv" in frame.columns and frame["v_baseline_mv"].count():
            level = float(frame["v_baseline_mv"].mean())  # type: ignore[arg-type]
            ax.axhline(level, color=BLUE, linewidth=1.2, label=f"before: {level:.1f} mV")
        resistance = _told(frame, "input_resistance_mohm")
        if resistance is None and len(np.unique(current)) > 1:
            resistance = float(np.polyfit(current, potential, 1)[0]) * 1e3
        if resistance is not None and len(current):
            ends = np.array([current.min(), max(current.max(), 0.0)])
            line = potential.mean() + (ends - current.mean()) * resistance * 1e-3
            ax.plot(ends, line, color=RED, linewidth=1.2, label=f"{resistance:.0f} MΩ")
        ax.plot(current, potential, "o", color="0.2", ms=4.5, lw=0)
        ax.set_xlabel("current (pA)")
        ax.set_ylabel("extreme potential (mV)")
        legend_inside(ax, "lower right")
        return ax


def membrane_tau(frame: pl.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Membrane time constant by current, of membrane sweeps; from 0, so that spread is seen for what it is (P4).

    Columns: ``stim_amp_pa``, ``tau`` (s).
    """
    need(frame, "membrane_tau", "stim_amp_pa", "tau")
    drawn = frame.drop_nulls(["stim_amp_pa", "tau"])
    with canvas(ax, (4.2, 3.2)) as ax:
        tau = drawn["tau"].to_numpy()
        ax.plot(drawn["stim_amp_pa"].to_numpy(), tau, "o", color="0.2", ms=4.5, lw=0)
        if len(tau):
            ax.axhline(tau.mean(), color=RED, linewidth=1.2, linestyle="--", label=f"mean {tau.mean() * 1e3:.1f} ms")
            ax.set_ylim(0, 1.25 * tau.max())
        ax.margins(x=0.12)
        ax.set_xlabel("current (pA)")
        ax.set_ylabel("time constant (s)")
        legend_inside(ax, "lower right")
        return ax


def fi_curve(frame: pl.DataFrame, *, by: str = "specimen_id", ax: Axes | None = None) -> Axes:
    """Rate by current, a line a cell; of one cell with rheobase, hero and the line of the slope (P6).

    Columns: those of ``icephys.fi_curves``: ``stim_amp_pa``, ``avg_rate`` (spikes/s), optional ``f_i_curve_slope``
    (1/(s pA)), ``specimen_id``; beside them ``sweep_number`` with ``rheobase_sweep_number`` and ``hero_sweep_number``
    marks these two. Sweeps of one current are averaged in the line, and points of their own. ``by``: what a line is of.
    """
    need(frame, "fi_curve", "stim_amp_pa", "avg_rate")
    drawn = frame.drop_nulls(["stim_amp_pa", "avg_rate"]).with_columns(pl.col("stim_amp_pa").round(2))
    names = drawn[by].unique().sort(nulls_last=True).to_list() if by in frame.columns else [None]
    with canvas(ax, (4.8, 3.6)) as ax:
        for number, name in enumerate(names):
            part = drawn.filter(pl.col(by).eq_missing(name)) if by in frame.columns else drawn
            line = part.group_by("stim_amp_pa").agg(pl.col("avg_rate").mean()).sort("stim_amp_pa")
            ax.plot(
                line["stim_amp_pa"].to_numpy(), line["avg_rate"].to_numpy(), color=colour(number),
                linewidth=1.1, label=as_text(name) if len(names) > 1 else None,
            )  # fmt: skip
            ax.plot(part["stim_amp_pa"].to_numpy(), part["avg_rate"].to_numpy(), "o", color=colour(number), ms=3, lw=0)
        if len(names) == 1:
            _slope(ax, drawn)
            for role, tint in (("rheobase", colour(2)), ("hero", RED)):
                _mark_sweep(ax, drawn, role, tint)
        ax.set_ylim(bottom=0)
        ax.set_xlabel("current (pA)")
        ax.set_ylabel("rate (spikes/s)")
        if len(names) > 1:
            legend(ax, by.removesuffix("_id").replace("_", " "))
        else:
            legend_inside(ax, "upper left")
        return ax


def _slope(ax: Axes, frame: pl.DataFrame) -> None:
    """A least-squares line goes through the mean of its points: those with spikes."""
    slope = _told(frame, "f_i_curve_slope")
    spiking = frame.filter(pl.col("avg_rate") > 0)
    if slope is None or not len(spiking):
        return
    current, rate = spiking["stim_amp_pa"].to_numpy(), spiking["avg_rate"].to_numpy()
    ends = np.array([current.min(), current.max()])
    ax.plot(
        ends, rate.mean() + slope * (ends - current.mean()), color="0.45", linewidth=1.4, linestyle="--",
        label=f"{slope:.2g} spikes/s/pA",
    )  # fmt: skip


def _mark_sweep(ax: Axes, frame: pl.DataFrame, role: str, tint: str) -> None:
    column = f"{role}_sweep_number"
    if column not in frame.columns or "sweep_number" not in frame.columns:
        return
    it = frame.filter(pl.col("sweep_number") == pl.col(column))
    if len(it):
        ax.plot(it["stim_amp_pa"][0], it["avg_rate"][0], "o", mfc="none", mec=tint, mew=1.6, ms=9, lw=0, label=role)


def isi_plot(frame: pl.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Intervals between the spikes of a sweep, those flagged that are pauses or of a burst (P8).

    Columns: those of ``icephys.spike_features`` of one sweep: ``isi_to_next`` (s); with ``isi_type`` pauses are told as
    ``icephys.sweep_features`` counts them, with troughs and thresholds beside it bursts as well.
    """
    need(frame, "isi_plot", "isi_to_next")
    if "sweep_number" in frame.columns and frame["sweep_number"].n_unique() > 1:
        raise ValueError("isi_plot takes the spikes of one sweep; the answer has several sweep_number")
    order = first_of(frame, "spike_index", "threshold_t", "peak_t")
    intervals = (frame.sort(order) if order else frame).drop_nulls("isi_to_next")
    isis = intervals["isi_to_next"].to_numpy()
    pauses, bursts = flagged(intervals)
    with canvas(ax, (4.8, 3.0)) as ax:
        index = np.arange(len(isis))
        ax.plot(index, isis * 1e3, "o-", color="0.3", ms=4, linewidth=0.9)
        for name, found, tint in (("pause", pauses, RED), ("burst", bursts, colour(2))):
            if len(found):
                ax.plot(found, isis[found] * 1e3, "o", color=tint, ms=6, lw=0, label=name)
        if len(isis):
            ax.set_ylim(0, 1.15e3 * isis.max())
        ax.locator_params(axis="x", integer=True)
        ax.set_xlabel("interval")
        ax.set_ylabel("interspike interval (ms)")
        legend_inside(ax, "best")
        return ax


def flagged(intervals: pl.DataFrame) -> tuple[np.ndarray, np.ndarray]:
    """Which intervals are pauses, and which belong to bursts: their places; none where the frame does not tell enough."""
    pauses = bursts = np.empty(0, np.int64)
    told = ("fast_trough_v_mv", "fast_trough_t", "slow_trough_v_mv", "slow_trough_t", "threshold_v_mv")
    if "isi_type" in intervals.columns:
        isis, types = intervals["isi_to_next"].to_numpy(), intervals["isi_type"].to_list()
        pauses = detect_pauses(isis, types)
        if set(told) <= set(intervals.columns):
            trough_v, trough_t, slow_v, slow_t, threshold_v = (
                intervals[name].cast(pl.Float64).fill_null(float("nan")).to_numpy() for name in told
            )
            found = detect_bursts(isis, types, trough_v, trough_t, slow_v, slow_t, threshold_v)
            bursts = np.concatenate([bursts, *(np.arange(a, b) for _, a, b in found)])
    return pauses, bursts


def sweep_values(frame: pl.DataFrame, *, ax: Axes | None = None) -> Axes:
    """What was noted of each sweep over the course of a recording, a panel a value (P12).

    Columns: ``sweep_number``, and any of ``bridge_balance_mohm``, ``pre_vm_mv``, ``leak_pa``, as
    ``icephys.get_ephys_sweeps`` has them. Zeros stand for nothing noted and are left out; with
    ``stimulus_description`` or ``stimulus_code`` so is the potential of the sweep after blowing out the pipette.
    returns : the lowest panel; all are ``child_axes`` of ``ax``
    """
    need(frame, "sweep_values", "sweep_number")
    shown = [name for name in VALUES if name in frame.columns]
    if not shown:
        raise ValueError(f"sweep_values needs a column {', '.join(VALUES)}; the answer has {', '.join(frame.columns)}")
    code = first_of(frame, "stimulus_description", "stimulus_code")
    with canvas(ax, (5.6, 0.6 + 1.4 * len(shown))) as ax:
        ax.set_axis_off()
        height = 1 / len(shown)
        lowest: Axes | None = None
        for number, name in reversed(list(enumerate(shown))):
            bottom = 1 - (number + 1) * height + 0.02
            panel = ax.inset_axes((0.0, bottom, 1.0, height * 0.82), sharex=lowest)
            kept = frame.filter(pl.col(name).is_not_null() & (pl.col(name) != 0)).sort("sweep_number")
            if code and name == "pre_vm_mv":
                kept = kept.filter(~pl.col(code).fill_null("").str.starts_with(BLOWOUT))
            panel.plot(kept["sweep_number"].to_numpy(), kept[name].to_numpy(), "o", color=colour(number), ms=3.5, lw=0)
            panel.set_ylabel(VALUES[name].replace(" (", "\n("))
            panel.ticklabel_format(axis="y", useOffset=False)
            if lowest is None:
                lowest = panel
                panel.locator_params(axis="x", integer=True)
                panel.set_xlabel("sweep")
                numbers = frame["sweep_number"].to_numpy()
                panel.set_xlim(numbers.min() - 1, numbers.max() + 1)
            else:
                panel.tick_params(labelbottom=False)
        assert lowest is not None
        return lowest


def _told(frame: pl.DataFrame, column: str) -> float | None:
    """The one value that a column repeats, if it is there."""
    if column not in frame.columns or not frame[column].count():
        return None
    return float(frame[column].drop_nulls()[0])
