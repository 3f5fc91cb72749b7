"""A cell, or one of its sweeps, on a page: what was recorded, how it answers, what was measured on it (P21).

``frames`` asks the questions of whatever answers SQL with polars frames, and ``cell_dashboard`` draws the answers;
``sweep_frames`` and ``sweep_dashboard`` do the same for a sweep::

    page = cell_dashboard(frames(lambda query: lake.sql(query).pl(), 464212183))
    page.savefig("cell.png")
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING

import polars as pl

from . import icephys, icephys_features
from .style import page

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Ask = Callable[[str], pl.DataFrame]
Frames = Mapping[str, pl.DataFrame]
Panel = Callable[[Frames, "Axes"], "Axes"]
Spans = Sequence[tuple[int, float, float]]  # sweep, start, stop (s)

COLUMNS = 4
_BINS = 2_000  # a trace, more than a panel has pixels
_THUMBNAIL_S = -0.05, 0.25  # before the stimulus and after it
_FIT_S, _SAG_S = 0.05, 0.25  # before and after
_SPIKE_S = 0.002, 0.010  # before threshold or stimulus, after the fast trough or stimulus
_PULSE_S = 0.035

ROLES = """
    select r.role, r.rank, r.stim_amp_pa, r.avg_rate, f.sweep_number, f.window_start, f.window_stop, f.tau,
        f.v_baseline_mv, f.peak_deflect_v_mv, f.sag, q.stimulus_start_time
    from icephys.cell_feature_sweeps as r
    join icephys.sweep_features as f on f.specimen_id = r.specimen_id and f.sweep_number = r.sweep_number
    left join icephys.sweep_qc as q on q.specimen_id = r.specimen_id and q.sweep_number = r.sweep_number
    where r.specimen_id = {cell} and f.specimen_id = {cell}
    order by r.role, r.rank"""
SPIKES = """
    select *
    from icephys.spike_features
    where specimen_id = {cell}{more}
    order by sweep_number, spike_index"""
CURVE = """
    select i.*, c.rheobase_sweep_number, c.hero_sweep_number
    from icephys.fi_curves as i
    left join icephys.cell_features as c on c.specimen_id = i.specimen_id
    where i.specimen_id = {cell}
    order by i.stim_amp_pa, i.sweep_number"""
VALUES = """
    select s.sweep_number, s.stimulus_code, s.bridge_balance * 1e-6 as bridge_balance_mohm, q.pre_vm_mv, a.leak_pa
    from icephys.sweeps as s
    left join icephys.sweep_qc as q on q.specimen_id = s.specimen_id and q.sweep_number = s.sweep_number
    left join icephys.api_sweeps as a on a.specimen_id = s.specimen_id and a.sweep_number = s.sweep_number
    where s.specimen_id = {cell}
    order by s.sweep_number"""
EXPERIMENTS = """
    select sweep_number, stimulus_name, experiment_start_index / sampling_rate as start_time, n_samples / sampling_rate as duration
    from icephys.nwb_sweeps
    where specimen_id = {cell} and clamp_mode = 'current_clamp'
    order by sweep_number"""
TRACES = """
    select w.sweep_number, t.*
    from (values {spans}) as w(sweep_number, start, stop),
        lateral (from icephys.{macro}({cell}, w.sweep_number, t0 := w.start, t1 := w.stop{more})) as t"""


def frames(ask: Ask, specimen: int) -> dict[str, pl.DataFrame]:
    """The answers that ``cell_dashboard`` draws, by name; of sweeps that the cell lacks there is none.

    ask : a query of the lake, as ``lambda query: lake.sql(query).pl()``
    """
    told = {
        name: ask(query.format(cell=int(specimen), more=""))
        for name, query in {"roles": ROLES, "spikes": SPIKES, "curve": CURVE, "values": VALUES}.items()
    }
    experiments = ask(EXPERIMENTS.format(cell=int(specimen)))
    roles, spikes = told["roles"], told["spikes"]

    def of(role: str) -> pl.DataFrame:
        return roles.filter(pl.col("role") == role)

    wanted = {
        "long_squares": _spans(of("long_square"), *_THUMBNAIL_S),
        "short_squares": _spans(
            of("short_square"), *_THUMBNAIL_S, begin="stimulus_start_time", end="stimulus_start_time"
        ),
        "hero_trace": _spans(of("hero"), -1e9, 1e9),
        "membrane": _spans(of("subthreshold_membrane_property"), -_FIT_S, _FIT_S),
        "sag_trace": _spans(of("vm_for_sag"), -_SAG_S, _SAG_S),
    }
    samples = {
        "short_square_spike": _spans(
            of("short_square_common_amp")[:1], -_SPIKE_S[0], _SPIKE_S[1], "stimulus_start_time", "stimulus_start_time"
        ),
        "ramp_spike": _around_spike(of("ramp_spiking")[:1], spikes),
        "rheobase_spike": _around_spike(of("rheobase"), spikes),
        "pulses": [(number, 0.0, _PULSE_S) for number in _first_and_last_two(experiments)],
        "hero_experiment": [
            (number, start, stop)
            for number, _, start, stop in experiments.rows()
            if number in of("hero")["sweep_number"] and start is not None
        ],
    }
    cell = int(specimen)
    told |= {
        name: ask(_windows(cell, "sweep_envelope", spans, f", max_bins := {_BINS}"))
        for name, spans in wanted.items()
        if spans
    }
    told |= {name: ask(_windows(cell, "sweep_window", spans)) for name, spans in samples.items() if spans}
    return told


def cell_dashboard(frames: Frames, *, panel: float = 3.2, title: str = "") -> Figure:
    """Panels of a cell on one page, four a row; what the cell has no sweep for is said in its place.

    frames : as :func:`frames` gives them; panel : width of one (inches), of thumbnails 2, of large pictures 6
    """
    return _draw(frames, PANELS, COLUMNS, panel, title)


def sweep_frames(ask: Ask, specimen: int, sweep: int) -> dict[str, pl.DataFrame]:
    """The answers that ``sweep_dashboard`` draws, by name, of a sweep in current clamp."""
    cell, sweep = int(specimen), int(sweep)
    told = {"spikes": ask(SPIKES.format(cell=cell, more=f" and sweep_number = {sweep}"))}
    told["sweep"] = ask(f"select * from icephys.sweep_envelope({cell}, {sweep}, max_bins := {_BINS})")
    experiments = ask(EXPERIMENTS.format(cell=cell)).filter(pl.col("sweep_number") <= sweep)
    spans: dict[str, Spans] = {
        "pulses": [(number, 0.0, _PULSE_S) for number in _first_and_last_two(experiments)],
        "experiment": [
            (number, start, stop)
            for number, _, start, stop in experiments.rows()
            if number == sweep and start is not None
        ],
    }
    told |= {name: ask(_windows(cell, "sweep_window", wanted)) for name, wanted in spans.items() if wanted}
    return told


def sweep_dashboard(frames: Frames, *, panel: float = 6.0, title: str = "") -> Figure:
    """A sweep with its spikes, its test pulse beside the first and the one before, its level, its intervals.

    frames : as :func:`sweep_frames` gives them; panel : width of one (inches)
    """
    return _draw(frames, SWEEP_PANELS, 2, panel, title)


def _draw(frames: Frames, panels: Mapping[str, Panel], columns: int, panel: float, title: str) -> Figure:
    rows = -(-len(panels) // columns)
    with page((panel * columns, panel * 0.8 * rows)) as figure:
        grid = figure.subplots(rows, columns, squeeze=False).ravel()
        for ax in grid[len(panels) :]:
            ax.set_axis_off()
        for ax, (name, draw) in zip(grid, panels.items(), strict=False):
            try:
                draw(frames, ax)
            except (KeyError, ValueError):  # what a picture needs is not there: no such sweep, or too short a one
                ax.clear()
                ax.set_axis_off()
                ax.text(0.5, 0.5, "nothing recorded", transform=ax.transAxes, ha="center", color="0.5")
            ax.set_title(name, fontweight="bold")
        if title:
            figure.suptitle(title, x=0.01, ha="left")
        return figure


def _windows(cell: int, macro: str, spans: Spans, more: str = "") -> str:
    """The question for many windows at once."""
    values = ", ".join(f"({sweep}, {start!r}::double, {stop!r}::double)" for sweep, start, stop in spans)
    return TRACES.format(cell=cell, macro=macro, spans=values, more=more)


def _spans(
    sweeps: pl.DataFrame, before: float, after: float, begin: str = "window_start", end: str = "window_stop"
) -> list[tuple[int, float, float]]:
    told = sweeps.drop_nulls([begin, end])
    return [
        (sweep, max(start + before, 0.0), stop + after)
        for sweep, start, stop in told.select("sweep_number", begin, pl.col(end).alias("stop")).rows()
    ]


def _around_spike(sweeps: pl.DataFrame, spikes: pl.DataFrame) -> list[tuple[int, float, float]]:
    """From before threshold to after the fast trough of a sweep's first spike."""
    first = sweeps.select("sweep_number").join(_first_spikes(spikes), on="sweep_number")
    return _spans(first, -_SPIKE_S[0], _SPIKE_S[1], "threshold_t", "end_t")


def _first_spikes(spikes: pl.DataFrame) -> pl.DataFrame:
    return spikes.filter(pl.col("spike_index") == 0).with_columns(end_t=pl.coalesce("fast_trough_t", "peak_t"))


def _first_and_last_two(experiments: pl.DataFrame) -> list[int]:
    numbers = experiments["sweep_number"].to_list()
    return sorted({*numbers[:1], *numbers[-2:]})


def _number(frames: Frames, role: str) -> int | None:
    numbers = frames["roles"].filter(pl.col("role") == role)["sweep_number"]
    return numbers[0] if len(numbers) else None


def _role(frames: Frames, role: str) -> pl.DataFrame:
    return frames["roles"].filter(pl.col("role") == role)


def _of_sweep(frames: Frames, number: int | None) -> pl.DataFrame:
    return frames["spikes"].filter(pl.col("sweep_number").eq(pl.lit(number, pl.Int64)))


def _hero(frames: Frames, ax: Axes) -> Axes:
    spikes = _of_sweep(frames, _number(frames, "hero"))
    return icephys.sweep(frames["hero_trace"], spikes=spikes, response_limits=(-110, 50), ax=ax)


def _spike(name: str, role: str, frames: Frames, ax: Axes) -> Axes:
    first = _first_spikes(_of_sweep(frames, _number(frames, role)))
    return icephys.single_spike(frames[name], spikes=first, ax=ax)


def _raster(frames: Frames, ax: Axes) -> Axes:
    long = _role(frames, "long_square").select("sweep_number", "stim_amp_pa")
    found = long.join(frames["spikes"].select("sweep_number", "threshold_t"), on="sweep_number", how="left")
    return icephys.spikes_by_sweep(found.sort("stim_amp_pa", "sweep_number", "threshold_t"), ax=ax)


PANELS: dict[str, Panel] = {
    "long squares, hero": lambda f, ax: icephys.sweep_set(f["long_squares"], highlight=_number(f, "hero"), ax=ax),
    "short squares, commonest": lambda f, ax: icephys.sweep_set(
        f["short_squares"], highlight=_number(f, "short_square_common_amp"), tint="red", ax=ax
    ),
    "spikes of long squares": _raster,
    "hero sweep": _hero,
    "intervals of the hero sweep": lambda f, ax: icephys_features.isi_plot(_of_sweep(f, _number(f, "hero")), ax=ax),
    "f–I curve": lambda f, ax: icephys_features.fi_curve(f["curve"], ax=ax),
    "first spike: short square": partial(_spike, "short_square_spike", "short_square_common_amp"),
    "first spike: ramp": partial(_spike, "ramp_spike", "ramp_spiking"),
    "first spike: rheobase": partial(_spike, "rheobase_spike", "rheobase"),
    "input resistance": lambda f, ax: icephys_features.membrane_vi(_role(f, "subthreshold_membrane_property"), ax=ax),
    "membrane time constant": lambda f, ax: icephys_features.membrane_tau(
        _role(f, "subthreshold_membrane_property"), ax=ax
    ),
    "membrane sweeps": lambda f, ax: icephys.membrane_fits(
        f["membrane"], features=_role(f, "subthreshold_membrane_property"), ax=ax
    ),
    "sag": lambda f, ax: icephys.sag(f["sag_trace"], features=_role(f, "vm_for_sag"), ax=ax),
    "values by sweep": lambda f, ax: icephys_features.sweep_values(f["values"], ax=ax),
    "test pulses": lambda f, ax: icephys.pulse_overlay(f["pulses"], ax=ax),
    "level before, hero": lambda f, ax: icephys.experiment_baseline(f["hero_experiment"], ax=ax),
}
SWEEP_PANELS: dict[str, Panel] = {
    "sweep": lambda f, ax: icephys.sweep(f["sweep"], spikes=f["spikes"], ax=ax),
    "test pulse": lambda f, ax: icephys.pulse_overlay(f["pulses"], ax=ax),
    "level before": lambda f, ax: icephys.experiment_baseline(f["experiment"], ax=ax),
    "intervals": lambda f, ax: icephys_features.isi_plot(f["spikes"], ax=ax),
}
