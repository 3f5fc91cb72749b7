"""Traces out of the answers that hold them: samples, bins of samples with their extremes, or whole sweeps as lists."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import polars as pl

from .style import need

if TYPE_CHECKING:
    from matplotlib.axes import Axes

MOST_POINTS = 20_000  # more than any picture has pixels; of longer traces the extremes of bins are drawn
FORMS = "response_min and response_max over start_time, response over timestamp, or response as a list"
_SAMPLES = {"response": "voltage_mv", "stimulus": "current_pa"}


@dataclass(frozen=True)
class Trace:
    """One channel of one sweep. time : (n,) s, ascending; value : (n,) in ``unit``, mV or pA

    Of bins both extremes are there, one after the other.
    """

    sweep_number: int | None
    time: np.ndarray
    value: np.ndarray
    unit: str
    is_binned: bool = False

    def draw(self, ax: Axes, **line: object) -> None:
        time, value = thinned(self.time, self.value)
        ax.plot(time, value, **line)  # type: ignore[arg-type]

    def between(self, start: float, stop: float) -> Trace:
        inside = (self.time >= start) & (self.time <= stop)
        return Trace(self.sweep_number, self.time[inside], self.value[inside], self.unit, self.is_binned)


def traces(frame: pl.DataFrame, picture: str, channel: str = "response") -> list[Trace]:
    """Each sweep's trace, by its number; a frame without ``sweep_number`` is of one sweep.

    Three kinds of answer will do: bins (``icephys.sweep_envelope``: ``start_time``, ``stop_time``, ``response_min``,
    ``response_max``, ...), samples (``icephys.sweep_window``: ``timestamp``, ``voltage_mv``, ``current_pa``, or
    ``response``, ``stimulus``), whole sweeps (``icephys.sweep``: ``sampling_rate``, ``response``, ``stimulus``).
    channel : response or stimulus
    Raises ValueError naming what the frame lacks.
    """
    need(frame, picture)
    if not any(name in frame.columns for name in (channel, f"{channel}_min", _SAMPLES[channel])):
        raise ValueError(f"{picture} needs {FORMS}; the answer has {', '.join(frame.columns)}")
    return [_trace(number, part, picture, channel) for number, part in _sweeps(frame)]


def thinned(time: np.ndarray, value: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """At most about :data:`MOST_POINTS` points: of longer traces the smallest and greatest value of each bin.

    NaN is a gap: bins of nothing else stay NaN.
    """
    step = -(-len(value) // (MOST_POINTS // 2))
    if step <= 1:
        return time, value
    n = len(value) // step * step
    bins = value[:n].reshape(-1, step)
    extremes = np.stack([np.fmin.reduce(bins, 1), np.fmax.reduce(bins, 1)], 1).ravel()
    return np.append(np.repeat(time[:n:step], 2), time[n:]), np.append(extremes, value[n:])


def _sweeps(frame: pl.DataFrame) -> Iterator[tuple[int | None, pl.DataFrame]]:
    if "sweep_number" not in frame.columns:
        yield None, frame
        return
    for number in frame["sweep_number"].unique().sort().to_list():
        yield number, frame.filter(pl.col("sweep_number") == number)


def _trace(number: int | None, part: pl.DataFrame, picture: str, channel: str) -> Trace:
    is_potential = (channel == "response") is not _is_voltage_clamp(part)
    unit, factor = ("mV", 1e3) if is_potential else ("pA", 1e12)
    if f"{channel}_min" in part.columns:
        need(part, picture, "start_time", "stop_time", f"{channel}_max")
        part = part.sort("start_time")
        start, stop = part["start_time"].to_numpy(), part["stop_time"].to_numpy()
        time = np.column_stack([start, (start + stop) / 2]).ravel()
        extremes = part.select(f"{channel}_min", f"{channel}_max").to_numpy().astype(float)
        return Trace(number, time, extremes.ravel() * factor, unit, is_binned=True)
    if channel in part.columns and part[channel].dtype == pl.List:
        need(part, picture, "sampling_rate")
        samples = part[channel][0]
        value = np.empty(0) if samples is None else samples.to_numpy().astype(float)
        return Trace(number, np.arange(len(value)) / float(part["sampling_rate"][0]), value * factor, unit)
    need(part, picture, "timestamp")
    part = part.sort("timestamp")
    told = _SAMPLES[channel]
    in_unit = told in part.columns and part[told].null_count() < len(part)
    value = part[told if in_unit or channel not in part.columns else channel].to_numpy().astype(float)
    return Trace(number, part["timestamp"].to_numpy(), value * (1 if in_unit else factor), unit)


def _is_voltage_clamp(part: pl.DataFrame) -> bool:
    return "clamp_mode" in part.columns and part["clamp_mode"][0] == "voltage_clamp"
