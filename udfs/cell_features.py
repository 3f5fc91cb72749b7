"""What a cell's features need of each of its sweeps (spec: cell_types CF); choosing and combining them is SQL.

Long squares, short squares and ramps are told apart by their `stimulus_class`. Short squares are detected with options
adjusted to all of them (SF-13), which takes two looks at each before: its charging, then its upstrokes.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from .registry import Ragged, udf
from .spike_detection import charging_dvdt, find_upstrokes
from .spike_features import ExtractionOptions, trace_at
from .sweep_features import AMPLITUDES, SweepExtractor, voltage_deflection
from .sweep_traces import SAMPLES, Samples
from .voltage_traces import FeatureError, find_time_index
from .working_memory import reused

FIRST_SPIKE = (
    "threshold_t", "threshold_v_mv", "threshold_i_pa", "peak_t", "peak_v_mv", "trough_t", "trough_v_mv",
    "fast_trough_t", "fast_trough_v_mv", "slow_trough_t", "slow_trough_v_mv", "upstroke_downstroke_ratio",
)  # fmt: skip
TRAIN = ("avg_rate", "adaptation", "latency", "mean_isi")
SUBTHRESHOLD = ("peak_deflect_v_mv", "deepest_v_mv", "deepest_i_pa", "sag", "tau")
FLOATS = (*TRAIN, "stim_amp_pa", "v_baseline_mv", *SUBTHRESHOLD, *FIRST_SPIKE)

_F = pa.float64()


def sweep_of_cell(sweep: SweepExtractor, stimulus_class: str) -> tuple[dict[str, float], str | None]:
    """Features of one sweep that its class has a use for, NaN for all others, and why tau is missing if it is.

    stimulus_class : long_square, short_square or ramp
    returns : :data:`FLOATS` and `n_spikes`; voltages mV, currents pA, times s, rates spikes/s
    Raises FeatureError where the sweep cannot be analysed at all.
    """
    found = dict.fromkeys(FLOATS, np.nan) | {"n_spikes": float(len(sweep.spikes))}
    for name in TRAIN:
        found[name] = sweep.sweep_feature(name, allow_missing=True)
    if len(sweep.spikes):
        found |= {name: float(sweep.spikes.columns[name][0]) for name in FIRST_SPIKE}
    if stimulus_class in AMPLITUDES:
        found["stim_amp_pa"] = AMPLITUDES[stimulus_class](sweep.trace, sweep.options)
    problem = None
    if stimulus_class == "long_square":
        found["v_baseline_mv"] = sweep.sweep_feature("v_baseline_mv")
        if found["avg_rate"] == 0:
            more, problem = _subthreshold(sweep, has_tau=found["stim_amp_pa"] < 0)
            found |= more
    return found, problem


def _subthreshold(sweep: SweepExtractor, has_tau: bool) -> tuple[dict[str, float], str | None]:
    trace, options = sweep.trace, sweep.options
    deepest, at = voltage_deflection(trace, options.start, options.stop, "min")
    found = {
        "peak_deflect_v_mv": sweep.sweep_feature("peak_deflect")[0],
        "deepest_v_mv": deepest,
        "deepest_i_pa": float(trace.current(at)) if trace.i is not None else np.nan,
        "sag": float(sweep.sweep_feature("sag")),
        "tau": np.nan,
    }
    try:
        if has_tau:
            found["tau"] = sweep.sweep_feature("tau")
    except FeatureError as error:
        return found, str(error)
    return found, None


def _each(
    n: int, look: Callable[[int], dict[str, Any]], nothing: dict[str, Any]
) -> tuple[list[dict[str, Any]], np.ndarray]:
    """One look at every sweep of a batch; a sweep that cannot be analysed gives nothing and the reason."""
    rows: list[dict[str, Any]] = []
    errors: list[str | None] = []
    for row in range(n):
        try:
            with reused():
                rows.append(look(row))
            errors.append(None)
        except FeatureError as error:
            rows.append(nothing)
            errors.append(str(error))
    return rows, np.array(errors, object)


def _khz(filter_khz: float) -> float | None:
    return None if np.isnan(filter_khz) else float(filter_khz)


@udf(
    args=[SAMPLES, _F, _F, _F, _F],
    returns=pa.struct([("highest", _F), ("at_end", _F), ("error", pa.string())]),
    nulls=True,
)
def dvdt_of_stimulus(
    response: Samples, sampling_rate: np.ndarray, start: np.ndarray, stop: np.ndarray, filter_khz: np.ndarray
) -> dict[str, np.ndarray]:
    """Greatest dV/dt (V/s) of each sweep during a short stimulus [start, stop), and that at its end (SF-13).

    response : ragged, V; sampling_rate : (rows,) Hz; start, stop : (rows,) s; filter_khz : (rows,) kHz, NaN for none
    returns : highest, at_end, and error where it cannot be told
    """

    def look(row: int) -> dict[str, Any]:
        trace = trace_at(row, sampling_rate, response)
        first, last = find_time_index(trace.t, start[row]), find_time_index(trace.t, stop[row])
        return dict(
            zip(("highest", "at_end"), charging_dvdt(trace.dvdt(_khz(filter_khz[row])), first, last), strict=True)
        )

    rows, errors = _each(len(sampling_rate), look, {"highest": np.nan, "at_end": np.nan})
    return {name: np.array([one[name] for one in rows], np.float64) for name in ("highest", "at_end")} | {
        "error": errors
    }


@udf(args=[SAMPLES, _F, _F, _F], returns=pa.list_(_F), nulls=True)
def upstrokes_past_cutoff(
    response: Samples, sampling_rate: np.ndarray, filter_khz: np.ndarray, dv_cutoff: np.ndarray
) -> Ragged:
    """dV/dt (V/s) at the upstroke of every spike of each sweep that passes a cutoff (SF-13).

    response : ragged, V; sampling_rate : (rows,) Hz; filter_khz : (rows,) kHz, NaN for none; dv_cutoff : (rows,) V/s
    returns : ragged, one row a sweep; none where it cannot be analysed
    """

    def look(row: int) -> dict[str, Any]:
        trace = trace_at(row, sampling_rate, response)
        return {"upstrokes": find_upstrokes(trace, _khz(filter_khz[row]), float(dv_cutoff[row]))}

    rows, _ = _each(len(sampling_rate), look, {"upstrokes": np.empty(0)})
    return Ragged.of([one["upstrokes"] for one in rows], np.float64)


@udf(
    args=[SAMPLES, SAMPLES, _F, _F, _F, _F, _F, _F, pa.string()],
    returns=pa.struct(
        [
            *((name, _F) for name in FLOATS),
            ("n_spikes", pa.int32()),
            ("feature_flags", pa.list_(pa.string())),
            ("tau_error", pa.string()),
            ("error", pa.string()),
        ]
    ),
    nulls=True,
)
def measure_sweep_of_cell(
    response: Samples,
    stimulus: Samples,
    sampling_rate: np.ndarray,
    window_start: np.ndarray,
    window_stop: np.ndarray,
    filter_khz: np.ndarray,
    dv_cutoff: np.ndarray,
    thresh_frac: np.ndarray,
    stimulus_class: np.ndarray,
) -> dict[str, Any]:
    """Features of sweeps that a cell's features are made of (:func:`sweep_of_cell`), one row a sweep.

    response, stimulus : ragged, V and A; sampling_rate : (rows,) Hz
    window_start, window_stop : (rows,) s, NaN for the ends of the sweep
    filter_khz : (rows,) kHz, NaN for none; dv_cutoff : (rows,) V/s; thresh_frac : (rows,)
    stimulus_class : (rows,) long_square, short_square, ramp
    returns : :data:`FLOATS`, n_spikes, feature_flags, tau_error (why a subthreshold sweep has no tau) and error (why a
        sweep has nothing)
    """

    def look(row: int) -> dict[str, Any]:
        start, stop = (None if np.isnan(one[row]) else float(one[row]) for one in (window_start, window_stop))
        options = ExtractionOptions(
            start=start, stop=stop, filter_khz=_khz(filter_khz[row]), dv_cutoff=float(dv_cutoff[row]),
            thresh_frac=float(thresh_frac[row]),
        )  # fmt: skip
        sweep = SweepExtractor(trace_at(row, sampling_rate, response, stimulus), options)
        found, problem = sweep_of_cell(sweep, stimulus_class[row])
        return {**found, "tau_error": problem, "feature_flags": sorted(sweep.flags)}

    nothing: dict[str, Any] = {
        **dict.fromkeys(FLOATS, np.nan),
        "n_spikes": np.nan,
        "tau_error": None,
        "feature_flags": [],
    }
    rows, errors = _each(len(sampling_rate), look, nothing)
    return {
        **{name: np.array([one[name] for one in rows], np.float64) for name in (*FLOATS, "n_spikes")},
        "feature_flags": Ragged.of([one["feature_flags"] for one in rows], object),
        "tau_error": np.array([one["tau_error"] for one in rows], object),
        "error": errors,
    }
