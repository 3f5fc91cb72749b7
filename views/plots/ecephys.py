"""Pictures of extracellular relations. Each takes the answer's frame and draws what its columns hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import polars as pl

from .style import as_text, canvas, colour, edges, first_of, grid_of, legend, need, onset

if TYPE_CHECKING:
    from matplotlib.axes import Axes

__all__ = [
    "csd",
    "lfp",
    "lfp_image",
    "psth",
    "psth_heatmap",
    "raster",
    "running_speed",
    "stimulus_timeline",
    "unit_depth",
    "waveforms",
]


def raster(frame: pl.DataFrame, *, by: str | None = None, ax: Axes | None = None) -> Axes:
    """Spikes as ticks, a row a unit (or trial).

    Columns: ``time_from_event`` or ``spike_time`` (s), and the rows: ``by``, else event, presentation or unit.
    """
    x = first_of(frame, "time_from_event", "time_since_stimulus_presentation_onset", "spike_time")
    rows = by or first_of(frame, "event_time", "event_id", "window_id", "stimulus_presentation_id", "unit_id")
    need(frame, "raster", x or "spike_time", rows or "unit_id")
    assert x is not None
    assert rows is not None
    with canvas(ax) as ax:
        groups = first_of(frame, "unit_id", "condition") if rows != "unit_id" else None
        values = frame[rows].unique().sort().to_list()
        position = {value: i for i, value in enumerate(values)}
        kinds = frame[groups].unique().sort().to_list() if groups else [None]
        for number, kind in enumerate(kinds):
            part = frame.filter(pl.col(groups) == kind) if groups else frame
            y = np.array([position[v] for v in part[rows].to_list()])
            tint = colour(number) if groups else [colour(int(v)) for v in y]
            ax.vlines(part[x].to_numpy(), y - 0.42, y + 0.42, color=tint, linewidth=0.7, label=as_text(kind))
        if x != "spike_time":
            onset(ax)
        ax.set_ylim(len(values) - 0.5, -0.5)
        ax.set_xlabel("time from event (s)" if x != "spike_time" else "time (s)")
        ax.set_ylabel(rows.removesuffix("_id").replace("_", " "))
        if len(values) <= 30 and rows == "unit_id":
            ax.set_yticks(range(len(values)), [as_text(v) for v in values], fontsize=6)
        if groups:
            legend(ax, groups.removesuffix("_id"))
        return ax


def psth(frame: pl.DataFrame, *, by: str | None = None, ax: Axes | None = None) -> Axes:
    """Mean rate around an event, a line a condition (or structure, or unit); rows that share a bin are averaged.

    Columns: ``bin_start`` (s), ``spikes_per_s``; optional ``condition``, ``structure_acronym``, ``unit_id``.
    """
    need(frame, "psth", "bin_start", "spikes_per_s")
    keys = [by] if by else [c for c in ("structure_acronym", "condition") if c in frame.columns]
    keys = [k for k in keys if frame[k].n_unique() > 1] or (
        [k for k in ("unit_id",) if k in frame.columns and frame[k].n_unique() <= 12]
    )
    with canvas(ax) as ax:
        for number, (label, part) in enumerate(_groups(frame, keys)):
            line = part.group_by("bin_start").agg(pl.col("spikes_per_s").mean()).sort("bin_start")
            start, rate = line["bin_start"].to_numpy(), line["spikes_per_s"].to_numpy()
            width = np.median(np.diff(start)) if len(start) > 1 else 0.01
            ax.stairs(
                rate, [*start, start[-1] + width], color=colour(number), linewidth=1.2, label=label, baseline=None
            )
        onset(ax)
        ax.set_ylim(bottom=0)
        ax.set_xlabel("time from event (s)")
        ax.set_ylabel("rate (spikes/s)")
        legend(ax, ", ".join(keys))
        return ax


def psth_heatmap(frame: pl.DataFrame, *, by: str = "unit_id", value: str | None = None, ax: Axes | None = None) -> Axes:
    """Rates or counts as an image: time across, a row a unit, sorted as the frame first names them.

    Columns: ``bin_start`` or a time; ``spikes_per_s`` or ``spike_count``; ``by``.
    """
    x = first_of(frame, "bin_start", "time_relative_to_stimulus_onset", "time_from_event")
    value = value or first_of(frame, "spikes_per_s", "spike_count")
    need(frame, "psth_heatmap", x or "bin_start", value or "spikes_per_s", by)
    assert x is not None
    assert value is not None
    with canvas(ax, (6.4, 4.2)) as ax:
        rows, times, matrix = grid_of(frame, by, x, value)
        order = {v: i for i, v in enumerate(frame[by].unique(maintain_order=True).to_list())}
        matrix = matrix[np.argsort([order[v] for v in rows.tolist()])]
        step = np.median(np.diff(times)) if len(times) > 1 else 1.0
        image = ax.pcolormesh(np.append(times, times[-1] + step), np.arange(len(rows) + 1), matrix, rasterized=True)
        ax.invert_yaxis()
        onset(ax)
        ax.set_xlabel("time from event (s)")
        ax.set_ylabel(f"{by.removesuffix('_id')} (n = {len(rows)})")
        ax.figure.colorbar(image, ax=ax, label="rate (spikes/s)" if value == "spikes_per_s" else "spikes", pad=0.02)
        return ax


def waveforms(frame: pl.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Mean waveforms, a line a unit.

    Columns: ``unit_id``, ``waveform`` (LIST, uV), optional ``sampling_rate`` (Hz).
    """
    need(frame, "waveforms", "waveform")
    with canvas(ax) as ax:
        for number, row in enumerate(frame.iter_rows(named=True)):
            samples = np.asarray(row["waveform"], dtype=float)
            rate = row.get("sampling_rate")
            time = np.arange(len(samples)) * (1000 / rate if rate else 1.0)
            ax.plot(
                time, samples, color=colour(number), linewidth=1.1, alpha=0.9, label=as_text(row.get("unit_id", number))
            )
        ax.axhline(0, color="0.7", linewidth=0.6, zorder=0)
        ax.set_xlabel("time (ms)" if "sampling_rate" in frame.columns else "sample")
        ax.set_ylabel("mean waveform (µV)")
        legend(ax, "unit")
        return ax


def lfp(frame: pl.DataFrame, *, spacing: float | None = None, ax: Axes | None = None) -> Axes:
    """LFP traces, one above the other as the channels lie on the probe.

    Columns: ``channel_id``, ``lfp`` (V), and ``timestamp`` or ``time_from_event`` (s); optional
    ``probe_vertical_position`` (um). ``spacing``: between traces, in uV; by default what keeps them apart.
    """
    x = first_of(frame, "time_from_event", "timestamp")
    need(frame, "lfp", x or "timestamp", "lfp", "channel_id")
    assert x is not None
    depth = first_of(frame, "probe_vertical_position", "local_index", "channel_id")
    assert depth is not None
    with canvas(ax, (6.4, 4.8)) as ax:
        placed = frame.group_by("channel_id").agg(pl.col(depth).first().alias("depth")).sort("depth", "channel_id")
        channels = placed["channel_id"].to_list()
        swing = frame.select((pl.col("lfp") - pl.col("lfp").mean().over("channel_id")) * 1e6).to_series().to_numpy()
        step = spacing or 2.0 * float(np.nanpercentile(np.abs(swing), 99)) or 1.0
        for number, channel in enumerate(channels):
            trace = frame.filter(pl.col("channel_id") == channel).sort(x)
            microvolts = trace["lfp"].to_numpy() * 1e6
            shown = microvolts - np.nanmean(microvolts) + number * step
            ax.plot(trace[x].to_numpy(), shown, color=colour(0), linewidth=0.7)
        every = max(1, len(channels) // 16)
        label = dict(zip(channels, placed["depth"].to_list(), strict=True))
        ax.set_yticks(np.arange(0, len(channels), every) * step, [as_text(label[c]) for c in channels[::every]])
        if x == "time_from_event":
            onset(ax)
        ax.set_xlabel("time from event (s)" if x == "time_from_event" else "time (s)")
        ax.set_ylabel("position on the probe (µm)" if depth == "probe_vertical_position" else depth.replace("_", " "))
        ax.set_title(f"LFP, {step:.3g} µV between traces")
        return ax


def lfp_image(frame: pl.DataFrame, *, limit: float | None = None, ax: Axes | None = None) -> Axes:
    """LFP as an image: time across, channels from the tip upwards.

    Columns as :func:`lfp`; ``limit``: colour range, in uV.
    """
    x = first_of(frame, "time_from_event", "timestamp")
    depth = first_of(frame, "probe_vertical_position", "local_index", "channel_id")
    need(frame, "lfp_image", x or "timestamp", "lfp", depth or "channel_id")
    assert x is not None
    assert depth is not None
    with canvas(ax, (6.4, 4.2)) as ax:
        rows, times, matrix = grid_of(frame, depth, x, "lfp")
        microvolts = matrix * 1e6
        top = limit or float(np.nanpercentile(np.abs(microvolts), 99)) or 1.0
        image = ax.pcolormesh(
            edges(times), edges(rows), microvolts, cmap="RdBu_r", vmin=-top, vmax=top, rasterized=True
        )
        if x == "time_from_event":
            onset(ax)
        ax.set_xlabel("time from event (s)" if x == "time_from_event" else "time (s)")
        ax.set_ylabel("position on the probe (µm)" if depth == "probe_vertical_position" else depth.replace("_", " "))
        ax.figure.colorbar(image, ax=ax, label="LFP (µV)", pad=0.02)
        return ax


def csd(frame: pl.DataFrame, *, sigma: float = 0.0, ax: Axes | None = None) -> Axes:
    """Current source density as an image.

    Columns: ``time_from_event`` (s) or ``timestamp``, ``vertical_position`` (um), ``csd``. ``sigma``: Gaussian
    smoothing in samples, for display only (the reference shows 4).
    """
    x = first_of(frame, "time_from_event", "timestamp", "time")
    need(frame, "csd", x or "time_from_event", "vertical_position", "csd")
    assert x is not None
    with canvas(ax, (6.4, 4.2)) as ax:
        rows, times, matrix = grid_of(frame, "vertical_position", x, "csd")
        if sigma:
            from scipy.ndimage import gaussian_filter

            matrix = gaussian_filter(np.nan_to_num(matrix), sigma)
        top = float(np.nanpercentile(np.abs(matrix), 99)) or 1.0
        image = ax.pcolormesh(edges(times), edges(rows), matrix, cmap="RdBu_r", vmin=-top, vmax=top, rasterized=True)
        onset(ax)
        unit = frame["csd_unit"][0] if "csd_unit" in frame.columns else None
        ax.set_xlabel("time from flash (s)")
        ax.set_ylabel("position on the probe (µm)")
        ax.figure.colorbar(image, ax=ax, label=f"CSD ({unit})" if unit else "CSD", pad=0.02)
        return ax


def unit_depth(frame: pl.DataFrame, *, size: str = "firing_rate", ax: Axes | None = None) -> Axes:
    """Units along their probes, coloured by structure, larger where they fire more.

    Columns: ``probe_vertical_position`` (um); optional ``probe_name``, ``structure_acronym``, ``firing_rate``.
    """
    need(frame, "unit_depth", "probe_vertical_position")
    probe = first_of(frame, "probe_name", "name", "probe_id")
    with canvas(ax, (5.6, 5.0)) as ax:
        probes = frame[probe].unique().sort().to_list() if probe else [""]
        rng = np.random.default_rng(0)  # sideways scatter only parts points that lie at one depth
        area = first_of(frame, "structure_acronym")
        by_depth = frame.sort("probe_vertical_position", descending=True)
        areas = by_depth[area].fill_null("—").unique(maintain_order=True).to_list() if area else [""]
        for number, name in enumerate(areas):
            part = frame.filter(pl.col(area).fill_null("—") == name) if area else frame
            x = np.array([probes.index(v) for v in part[probe].to_list()]) if probe else np.zeros(len(part))
            dots = 12 + 40 * np.sqrt(part[size].fill_null(0).to_numpy().clip(0) / 10) if size in part.columns else 20
            ax.scatter(
                x + rng.uniform(-0.25, 0.25, len(part)), part["probe_vertical_position"].to_numpy(), s=dots,
                color=colour(number), alpha=0.75, linewidth=0.3, edgecolor="white", label=name,
            )  # fmt: skip
        ax.set_xticks(range(len(probes)), [as_text(p) for p in probes])
        ax.set_xlim(-0.6, len(probes) - 0.4)
        ax.set_ylabel("distance from the tip (µm)")
        ax.set_xlabel("probe")
        legend(ax, "structure", at_most=30)
        return ax


def stimulus_timeline(frame: pl.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Blocks of stimuli over the session, a row and colour a stimulus.

    Columns: ``start_time``, ``stop_time`` (s), ``stimulus_name``.
    """
    need(frame, "stimulus_timeline", "start_time", "stop_time", "stimulus_name")
    with canvas(ax, (7.2, 3.0)) as ax:
        names = frame.sort("start_time")["stimulus_name"].unique(maintain_order=True).to_list()
        for number, name in enumerate(names):
            part = frame.filter(pl.col("stimulus_name") == name)
            spans = list(zip(part["start_time"], part["stop_time"] - part["start_time"], strict=True))
            ax.broken_barh(spans, (number - 0.4, 0.8), color=colour(number))
        ax.set_yticks(range(len(names)), names)
        ax.invert_yaxis()
        ax.set_xlabel("time (s)")
        ax.set_ylabel("stimulus")
        return ax


def running_speed(frame: pl.DataFrame, *, ax: Axes | None = None) -> Axes:
    """Running speed over time (or around an event).

    Columns: ``speed`` (cm/s), and ``timestamp`` or ``time_from_event`` (s).
    """
    x = first_of(frame, "time_from_event", "timestamp")
    need(frame, "running_speed", x or "timestamp", "speed")
    assert x is not None
    with canvas(ax, (7.2, 2.4)) as ax:
        trace = frame.group_by(x).agg(pl.col("speed").mean()).sort(x)
        time, speed = trace[x].to_numpy(), trace["speed"].to_numpy().copy()
        if len(time) > 1:  # no line over intervals without samples: the wheel stood, or nothing was recorded
            speed[1:][np.diff(time) > 10 * np.median(np.diff(time))] = np.nan
        ax.plot(time, speed, color=colour(0), linewidth=0.8)
        ax.axhline(0, color="0.7", linewidth=0.6, zorder=0)
        if x == "time_from_event":
            onset(ax)
        ax.set_xlabel("time from event (s)" if x == "time_from_event" else "time (s)")
        ax.set_ylabel("running speed (cm/s)")
        return ax


def _groups(frame: pl.DataFrame, keys: list[str]) -> list[tuple[str, Any]]:
    """Parts of a frame by the values of some columns, in sorted order, with labels."""
    if not keys:
        return [("", frame)]
    parts = frame.partition_by(keys, as_dict=True)
    ordered = sorted(parts, key=lambda values: tuple((v is None, v) for v in values))
    return [(" ".join(as_text(v) for v in values), parts[values]) for values in ordered]
