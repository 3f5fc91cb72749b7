"""Pictures of model runs. Each takes the answer's frame and draws what its columns hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from .icephys_traces import thinned
from .style import canvas, colour, first_of, legend, need

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = ["glif_run", "model_and_recording"]


def glif_run(frame: pl.DataFrame, *, start: float = 0.0, stop: float | None = None, ax: Axes | None = None) -> Axes:
    """One run of a GLIF model in three panels: stimulus, potential with threshold and spikes, after-spike currents (P18).

    Columns, of the first row: ``dt`` (s), ``stimulus`` (A), ``voltage``, ``threshold`` (V), ``ascurrents`` (A),
    ``spike_time_steps``, ``interpolated_spike_times`` (s) and ``corrected_spike_voltage`` or the reference's (V).
    start, stop : what is shown of it (s)
    returns : the lowest panel; all three are ``child_axes`` of ``ax``
    """
    need(frame, "glif_run", "dt", "stimulus", "voltage", "threshold", "ascurrents", "spike_time_steps",
         "interpolated_spike_times")  # fmt: skip
    height = first_of(frame, "corrected_spike_voltage", "interpolated_spike_voltage")
    if height is None:
        raise ValueError("glif_run needs a column corrected_spike_voltage")
    dt = float(frame["dt"][0])
    if len(frame["voltage"][0]) == 0:
        raise ValueError("glif_run needs traces: the run was asked for without them")
    voltage = frame["voltage"][0].to_numpy()
    first = max(int(np.floor(start / dt)), 0)
    last = len(voltage) if stop is None else min(int(np.ceil(stop / dt)), len(voltage))
    shown = slice(first, last)
    with canvas(ax, (7.2, 5.2)) as ax:
        ax.set_axis_off()
        currents = ax.inset_axes((0.0, 0.0, 1.0, 0.2))
        potential = ax.inset_axes((0.0, 0.25, 1.0, 0.5), sharex=currents)
        drive = ax.inset_axes((0.0, 0.8, 1.0, 0.2), sharex=currents)
        _trace(drive, frame["stimulus"][0].to_numpy(), dt, shown, 1e12, colour(6), None)
        drive.set_ylabel("stimulus (pA)")
        # The state after a step is that at its end: so drawn, a spike lies where the lines cross.
        _trace(potential, voltage, dt, shown, 1e3, colour(0), "potential", late=1)
        _trace(potential, frame["threshold"][0].to_numpy(), dt, shown, 1e3, colour(1), "threshold", late=1)
        _spikes(potential, frame, height, voltage, dt, shown)
        potential.set_ylabel("from rest (mV)")
        legend(potential)
        for number, current in enumerate(frame["ascurrents"][0].to_list()):
            samples = np.asarray(current, float)
            _trace(currents, samples, dt, shown, 1e12, colour(number + 2), f"current {number + 1}", late=1)
        currents.set_ylabel("after-spike (pA)")
        legend(currents)
        for panel in (potential, drive):
            panel.tick_params(labelbottom=False)
        currents.set_xlabel("time (s)")
        currents.set_xlim(first * dt, last * dt)
        return currents


def model_and_recording(frame: pl.DataFrame, *, spikes: pl.DataFrame | None = None, ax: Axes | None = None) -> Axes:
    """A model's potential over the recorded one, and below how much later its spikes come (P20).

    Columns: ``timestamp`` (s), ``recorded_mv``, ``model_mv``, both as recorded: a model that has the junction potential
    in it is shifted by the query. ``spikes``: ``spike_time`` (s) and ``source``, recorded or model; a recorded spike is
    compared with the model's nearest.
    returns : the lower panel if there are spikes, else the upper; both are ``child_axes`` of ``ax``
    """
    need(frame, "model_and_recording", "timestamp", "recorded_mv", "model_mv")
    frame = frame.sort("timestamp")
    time = frame["timestamp"].to_numpy()
    with canvas(ax, (7.2, 4.2)) as ax:
        ax.set_axis_off()
        upper = ax.inset_axes((0.0, 0.32, 1.0, 0.68) if spikes is not None else (0.0, 0.0, 1.0, 1.0))
        for column, tint in (("recorded_mv", "0.55"), ("model_mv", colour(1))):
            name = column.removesuffix("_mv")
            upper.plot(*thinned(time, frame[column].to_numpy()), color=tint, linewidth=0.8, label=name)
        upper.set_ylabel("potential (mV)")
        upper.set_xlim(time[0], time[-1])
        legend(upper)
        if spikes is None:
            upper.set_xlabel("time (s)")
            return upper
        need(spikes, "model_and_recording (spikes)", "spike_time", "source")
        lower = ax.inset_axes((0.0, 0.0, 1.0, 0.24), sharex=upper)
        upper.tick_params(labelbottom=False)
        recorded, model = (
            spikes.filter(pl.col("source") == source)["spike_time"].drop_nulls().sort().to_numpy()
            for source in ("recorded", "model")
        )
        late = lateness(recorded, model)
        lower.axhline(0, color="0.7", linewidth=0.7)
        lower.plot(recorded, late * 1e3, "o", color=colour(0), ms=3.5, lw=0)
        lower.set_ylabel("later by (ms)")
        lower.set_xlabel("time (s)")
        return lower


def lateness(recorded: np.ndarray, model: np.ndarray) -> np.ndarray:
    """How much later (s) than each recorded spike the model's nearest spike comes, of equally near ones the earlier.

    recorded : (n,), model : (m,), ascending; returns : (n,), NaN for m = 0
    """
    if not len(model):
        return np.full(len(recorded), np.nan)
    nearest = np.abs(model[None, :] - recorded[:, None]).argmin(axis=1)
    return model[nearest] - recorded


def _spikes(ax: Axes, frame: pl.DataFrame, height: str, voltage: np.ndarray, dt: float, shown: slice) -> None:
    """Spikes where the lines cross, and the last sample before each."""
    steps = frame["spike_time_steps"][0].to_numpy()
    inside = np.flatnonzero((steps >= shown.start) & (steps < shown.stop))
    times = frame["interpolated_spike_times"][0].to_numpy()[inside]
    ax.plot(times, frame[height][0].to_numpy()[inside] * 1e3, "v", color=colour(6), ms=4, lw=0, label="spike")
    before = steps[inside] - 1
    before = before[before >= 0]
    ax.plot((before + 1) * dt, voltage[before] * 1e3, ".", color=colour(4), ms=4, lw=0, label="step before")


def _trace(
    ax: Axes, samples: np.ndarray, dt: float, shown: slice, factor: float, tint: str, name: str | None, late: int = 0
) -> None:
    """A trace, ``late`` samples on; of very many samples the extremes of bins. Gaps stay gaps."""
    values = samples[shown] * factor
    times = (np.arange(len(values)) + shown.start + late) * dt
    ax.plot(*thinned(times, values), color=tint, linewidth=0.8, label=name)
