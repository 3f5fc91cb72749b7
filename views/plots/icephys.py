"""Pictures of patch-clamp sweeps. Each takes the answer's frame and draws what its columns hold.

Where a picture takes traces, any of the three answers of :func:`icephys_traces.traces` will do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from .icephys_traces import Trace, thinned, traces
from .style import as_text, canvas, colour, first_of, legend, legend_inside, need

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "experiment_baseline",
    "membrane_fits",
    "pulse_overlay",
    "sag",
    "single_spike",
    "spikes_by_sweep",
    "sweep",
    "sweep_set",
]

BLUE, RED = colour(0), colour(1)
BACKGROUND, HIGHLIGHT = "#dddddd", "#0779BE"  # of the web site's thumbnails
THUMBNAIL_MV = (-110, 60)
POINTS = {
    "threshold": ("threshold", "o", colour(2)),
    "peak": ("peak", "^", RED),
    "fast_trough": ("fast trough", "v", colour(4)),
    "trough": ("trough", "s", BLUE),
    "slow_trough": ("slow trough", "D", colour(3)),
}
SLOPE_MV = 5.0  # how far the lines of upstroke and downstroke reach each way
_PULSE_BASE = 100  # samples
_BASELINE = slice(5_000, 9_000)  # samples of the experiment


def sweep(
    frame: pl.DataFrame,
    *,
    spikes: pl.DataFrame | None = None,
    start: float | None = None,
    stop: float | None = None,
    response_limits: tuple[float, float] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """A sweep, its response above its stimulus; with spikes on it where they are given (P1, P2, P8).

    Columns: traces; of several sweeps one lies over the other. ``spikes``: an answer of ``icephys.spike_features``
    (``peak_t``, ``peak_v_mv``) or ``icephys.spike_times`` (``spike_time``), s. ``start``, ``stop``: what is shown (s).
    ``response_limits``: of the upper axis.
    returns : the panel of the stimulus; both are ``child_axes`` of ``ax``
    """
    responses, stimuli = traces(frame, "sweep"), traces(frame, "sweep", "stimulus")
    with canvas(ax, (7.2, 4.2)) as ax:
        ax.set_axis_off()
        drive = ax.inset_axes((0.0, 0.0, 1.0, 0.22))
        upper = ax.inset_axes((0.0, 0.28, 1.0, 0.72), sharex=drive)
        for number, (response, stimulus) in enumerate(zip(responses, stimuli, strict=True)):
            several = {"label": str(response.sweep_number)} if len(responses) > 1 else {}
            response.draw(upper, color=colour(number), linewidth=0.8, **several)
            stimulus.draw(drive, color=colour(number) if several else "0.25", linewidth=0.9)
        if spikes is not None and len(spikes):
            _mark_spikes(upper, spikes)
        upper.tick_params(labelbottom=False)
        upper.set_ylabel(f"response\n({responses[0].unit})")
        if response_limits:
            upper.set_ylim(response_limits)
        drive.set_ylabel(f"stimulus\n({stimuli[0].unit})")
        drive.set_xlabel("time (s)")
        last = max((float(trace.time[-1]) for trace in responses if len(trace.time)), default=1.0)
        first = min((float(trace.time[0]) for trace in responses if len(trace.time)), default=0.0)
        drive.set_xlim(first if start is None else start, last if stop is None else stop)
        legend(upper, "sweep")
        return drive


def _mark_spikes(ax: Axes, spikes: pl.DataFrame) -> None:
    """At the peaks where these are told, else as ticks above the trace."""
    time = first_of(spikes, "peak_t", "threshold_t", "spike_time")
    need(spikes, "sweep (spikes)", time or "spike_time")
    assert time is not None
    if time == "peak_t" and "peak_v_mv" in spikes.columns:
        ax.plot(spikes[time].to_numpy(), spikes["peak_v_mv"].to_numpy(), "v", color=RED, ms=3.5, lw=0, label="spike")
        return
    top = ax.get_ylim()[1]
    ax.vlines(spikes[time].to_numpy(), top, top + 0.04 * np.ptp(ax.get_ylim()), color=RED, linewidth=0.8)


def spikes_by_sweep(frame: pl.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Spikes as ticks, a row a sweep, in the frame's order of sweeps (P2).

    Columns: ``sweep_number``, and ``spike_time`` or ``threshold_t`` (s); optional ``stimulus_name`` for colours and
    ``stim_amp_pa``, told beside the row. A sweep with a NULL time is a row without spikes.
    """
    time = first_of(frame, "spike_time", "threshold_t", "peak_t")
    need(frame, "spikes_by_sweep", "sweep_number", time or "spike_time")
    assert time is not None
    rows = frame["sweep_number"].unique(maintain_order=True).to_list()
    place = {number: row for row, number in enumerate(rows)}
    kind = first_of(frame, "stimulus_name", "stimulus_class")
    with canvas(ax, (6.4, max(1.6, 0.6 + 0.16 * len(rows)))) as ax:
        names = frame[kind].unique(maintain_order=True).to_list() if kind else [None]
        for number, name in enumerate(names):
            part = (frame.filter(pl.col(kind).eq_missing(name)) if kind else frame).drop_nulls(time)
            y = np.array([place[sweep] for sweep in part["sweep_number"].to_list()], float)
            ax.vlines(
                part[time].to_numpy(), y - 0.4, y + 0.4, color=colour(number), linewidth=0.9,
                label="other" if name is None else as_text(name),
            )  # fmt: skip
        shown = [row for row in range(len(rows)) if len(rows) <= 40 or row % 10 == 0]
        ax.set_yticks(shown, [_row_name(frame, rows[row]) for row in shown], fontsize=7)
        ax.set_ylim(len(rows) - 0.5, -0.5)
        ax.set_xlabel("time (s)")
        ax.set_ylabel("sweep: stimulus (pA)" if "stim_amp_pa" in frame.columns else "sweep")
        if kind:
            legend(ax, kind.replace("_", " "))
        return ax


def _row_name(frame: pl.DataFrame, number: int) -> str:
    if "stim_amp_pa" not in frame.columns:
        return str(number)
    amplitude = frame.filter(pl.col("sweep_number") == number)["stim_amp_pa"][0]
    return f"{number}" if amplitude is None else f"{number}: {amplitude:.0f}"


def single_spike(frame: pl.DataFrame, *, spikes: pl.DataFrame | None = None, ax: Axes | None = None) -> Axes:
    """A spike with the points that its features come from, and lines as steep as its upstroke and downstroke (P7).

    Columns: traces, of one spike. ``spikes``: a row of ``icephys.spike_features``: ``threshold_t`` (s),
    ``threshold_v_mv``, ``upstroke_t``, ``upstroke_v_mv``, ``upstroke`` (V/s) and so on; points beyond the trace are
    left out.
    """
    found = traces(frame, "single_spike")
    with canvas(ax, (4.2, 3.4)) as ax:
        for trace in found:
            trace.draw(ax, color="0.3", linewidth=1.1)
        start = min(float(trace.time[0]) for trace in found)
        stop = max(float(trace.time[-1]) for trace in found)
        for spike in [] if spikes is None else spikes.iter_rows(named=True):
            _mark_points(ax, spike, start, stop)
            _draw_slopes(ax, spike)
        ax.set_xlim(start, stop)
        ax.set_xlabel("time (s)")
        ax.set_ylabel("potential (mV)")
        ax.locator_params(axis="x", nbins=4)
        ax.ticklabel_format(useOffset=False)
        legend_inside(ax, "upper right", fontsize=7, handlelength=1.2)
        return ax


def _mark_points(ax: Axes, spike: dict[str, float | None], start: float, stop: float) -> None:
    for point, (name, sign, tint) in POINTS.items():
        time, potential = spike.get(f"{point}_t"), spike.get(f"{point}_v_mv")
        if time is not None and potential is not None and start <= time <= stop:
            ax.plot(time, potential, sign, color=tint, ms=5, lw=0, label=name, zorder=4)


def _draw_slopes(ax: Axes, spike: dict[str, float | None]) -> None:
    for slope, tint in (("upstroke", colour(3)), ("downstroke", colour(5))):
        steepness, time, potential = spike.get(slope), spike.get(f"{slope}_t"), spike.get(f"{slope}_v_mv")
        if steepness and time is not None and potential is not None:
            reach = SLOPE_MV / (steepness * 1e3)
            ax.plot(
                [time - reach, time + reach], [potential - SLOPE_MV, potential + SLOPE_MV], color=tint, linewidth=2.4,
                label=f"{slope} {steepness:.0f} V/s", zorder=3,
            )  # fmt: skip


def sweep_set(
    frame: pl.DataFrame,
    *,
    highlight: int | None = None,
    tint: str = HIGHLIGHT,
    bare: bool = True,
    ax: Axes | None = None,
) -> Axes:
    """Responses of many sweeps in grey with one of them in colour: the thumbnail of a cell (P9, P10).

    Columns: traces, and ``sweep_number``. ``highlight``: the sweep in colour, by default none; the reference has the
    hero among long squares in blue, and the weakest spiking short square in red. ``bare``: without axes.
    """
    need(frame, "sweep_set", "sweep_number")
    found = traces(frame, "sweep_set")
    with canvas(ax, (3.2, 2.4)) as ax:
        for trace in sorted(found, key=lambda trace: trace.sweep_number == highlight):
            is_it = trace.sweep_number == highlight
            trace.draw(ax, color=tint if is_it else BACKGROUND, linewidth=1.1 if is_it else 0.8)
        ax.set_xlim(min(float(trace.time[0]) for trace in found), max(float(trace.time[-1]) for trace in found))
        ax.set_ylim(*THUMBNAIL_MV)
        ax.set_xlabel("time (s)")
        ax.set_ylabel("potential (mV)")
        if bare:
            ax.set_axis_off()
        return ax


def membrane_fits(frame: pl.DataFrame, *, features: pl.DataFrame | None = None, ax: Axes | None = None) -> Axes:
    """Responses to hyperpolarising steps, each with the exponential of its time constant (P5).

    Columns: traces, and ``sweep_number``. ``features``: of ``icephys.sweep_features`` ``sweep_number``,
    ``window_start``, ``window_stop``, ``tau`` (s): time constants are as told; where each curve begins and how far it goes
    is fitted to the trace.
    """
    need(frame, "membrane_fits", "sweep_number")
    found = traces(frame, "membrane_fits")
    with canvas(ax, (5.6, 3.6)) as ax:
        for trace in found:
            trace.draw(ax, color="0.65", linewidth=0.7)
        if features is not None:
            need(features, "membrane_fits (features)", "sweep_number", "window_start", "window_stop", "tau")
            label: str | None = "fitted"
            for row in features.iter_rows(named=True):
                trace = next((trace for trace in found if trace.sweep_number == row["sweep_number"]), None)  # type: ignore[assignment]
                if trace is None or row["tau"] is None:
                    continue
                curve = exponential(trace, row["window_start"], row["window_stop"], row["tau"])
                ax.plot(*curve, color=RED, linewidth=1.3, label=label)
                label = None
        ax.set_xlim(min(float(trace.time[0]) for trace in found), max(float(trace.time[-1]) for trace in found))
        ax.set_xlabel("time (s)")
        ax.set_ylabel("potential (mV)")
        return ax


def exponential(trace: Trace, start: float, stop: float, tau: float) -> tuple[np.ndarray, np.ndarray]:
    """``y0 + a exp(-(t - start) / tau)`` from ``start`` to the lowest potential, the least-squares one of that tau."""
    step = trace.between(start, stop)
    lowest = int(step.value.argmin()) if len(step.value) else 0
    time, value = step.time[: lowest + 1], step.value[: lowest + 1]
    if len(time) < 3:
        return np.empty(0), np.empty(0)
    decay = np.exp(-(time - start) / tau)
    (a, y0), *_ = np.linalg.lstsq(np.column_stack([decay, np.ones(len(time))]), value)
    return thinned(time, y0 + a * decay)


def sag(frame: pl.DataFrame, *, features: pl.DataFrame | None = None, ax: Axes | None = None) -> Axes:
    """The response that sag is measured on, with the three potentials it comes from (P11).

    Columns: traces, of one sweep. ``features``: its row of ``icephys.sweep_features``: ``v_baseline_mv``,
    ``peak_deflect_v_mv``, ``sag`` (1), ``window_start``, ``window_stop`` (s).
    """
    found = traces(frame, "sag")
    with canvas(ax, (5.6, 3.4)) as ax:
        for trace in found:
            trace.draw(ax, color="0.4", linewidth=0.8)
        if features is not None and len(features):
            need(features, "sag (features)", "v_baseline_mv", "peak_deflect_v_mv", "sag", "window_start", "window_stop")
            row = features.row(0, named=True)
            if None not in (row["v_baseline_mv"], row["peak_deflect_v_mv"], row["sag"]):
                steady = row["peak_deflect_v_mv"] - row["sag"] * (row["peak_deflect_v_mv"] - row["v_baseline_mv"])
                span = (row["window_start"], row["window_stop"])
                for number, (name, level) in enumerate(
                    [
                        ("before", row["v_baseline_mv"]),
                        ("deepest", row["peak_deflect_v_mv"]),
                        (f"at the end: sag {row['sag']:.3f}", steady),
                    ]
                ):
                    ax.hlines(level, *span, color=colour(number), linewidth=1.3, linestyle="--", label=name)
        ax.set_xlim(min(float(trace.time[0]) for trace in found), max(float(trace.time[-1]) for trace in found))
        ax.set_xlabel("time (s)")
        ax.set_ylabel("potential (mV)")
        legend_inside(ax, "center")
        return ax


def pulse_overlay(frame: pl.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Responses to the test pulse at the start of sweeps, one over the other, each from its own beginning (P13).

    Columns: samples as traces, and ``sweep_number``: the first sweep, the one before, and the one in question; later
    ones are darker. The mean of its first 100 samples is taken off each.
    """
    need(frame, "pulse_overlay", "sweep_number")
    found = _of_samples(traces(frame, "pulse_overlay"), "pulse_overlay")
    with canvas(ax, (5.0, 3.2)) as ax:
        for number, trace in enumerate(found):
            shade = 0.75 * (1 - (number + 1) / len(found))
            value = trace.value - trace.value[:_PULSE_BASE].mean()
            last = number == len(found) - 1
            ax.plot(
                *thinned(trace.time, value), color=BLUE if last else str(shade + 0.15), linewidth=1.2 if last else 0.8,
                label=str(trace.sweep_number),
            )  # fmt: skip
        ax.set_xlabel("time (s)")
        ax.set_ylabel(f"from the beginning ({found[0].unit})")
        legend_inside(ax, "upper right", "sweep")
        return ax


def experiment_baseline(frame: pl.DataFrame, *, ax: Axes | None = None) -> Axes:
    """The response of an experiment, smoothed, and its level before the stimulus (P14).

    Columns: samples as traces, of one sweep, from the beginning of its experiment. The smoothing is the reference's: a
    Bessel filter of fourth order at a tenth of the Nyquist frequency, to and fro; the level is the mean of samples
    5,000 to 9,000.
    """
    from scipy.signal import bessel, filtfilt

    (trace,) = _of_samples(traces(frame, "experiment_baseline"), "experiment_baseline")[:1]
    if len(trace.value) < _BASELINE.stop:
        raise ValueError(f"experiment_baseline needs {_BASELINE.stop:,} samples; the answer has {len(trace.value):,}")
    level = float(trace.value[_BASELINE].mean())
    with canvas(ax, (5.6, 3.2)) as ax:
        smooth = filtfilt(*bessel(4, 0.1), trace.value)
        ax.plot(*thinned(trace.time, smooth), color="0.35", linewidth=0.8)
        ax.axhline(level, color=RED, linewidth=1.2, linestyle="--", label=f"before: {level:.2f} {trace.unit}")
        ax.set_xlim(trace.time[0], trace.time[-1])
        ax.set_xlabel("time (s)")
        ax.set_ylabel(f"response ({trace.unit})")
        legend_inside(ax, "center left", frameon=True, framealpha=0.85, edgecolor="none")
        return ax


def _of_samples(found: list[Trace], picture: str) -> list[Trace]:
    if any(trace.is_binned for trace in found):
        raise ValueError(f"{picture} needs samples, as icephys.sweep_window gives them; the answer has bins of them")
    return found
