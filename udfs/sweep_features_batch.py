"""Features of many sweeps at once, and of one's own: what SQL calls (spec: cell_types SF, CT-087, CT-100)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa

from .interspike_intervals import burst_metrics
from .registry import Ragged, udf
from .spike_features import SWEEP_ARGUMENTS, options_of, trace_at
from .sweep_features import AMPLITUDES, SweepExtractor
from .sweep_traces import Samples
from .voltage_traces import FeatureError, find_time_index
from .working_memory import reused

_FLOAT, _INT = pa.float64(), pa.int64()
_COLUMNS = {
    "n_spikes": _INT,
    **dict.fromkeys(["avg_rate", "adaptation", "latency", "isi_cv", "mean_isi", "median_isi", "first_isi"], _FLOAT),
    **dict.fromkeys(["v_baseline_mv", "stim_amp_pa", "peak_deflect_v_mv"], _FLOAT),
    "peak_deflect_index": _INT,
    **dict.fromkeys(["tau", "tau_corrected", "tau_rmse_mv", "sag"], _FLOAT),
    "n_pauses": _INT,
    "pause_fraction": _FLOAT,
    "n_bursts": _INT,
    **dict.fromkeys(["max_burstiness_index", "delay_ratio", "delay_tau"], _FLOAT),
}
_SWEEP = pa.struct([*_COLUMNS.items(), ("feature_flags", pa.list_(pa.string())), ("error", pa.string())])


@udf(args=[*SWEEP_ARGUMENTS, pa.string(), pa.float64()], returns=_SWEEP, nulls=True)
def sweep_features(
    response: Samples,
    stimulus: Samples,
    sampling_rate: np.ndarray,
    window_start: np.ndarray,
    window_stop: np.ndarray,
    filter_khz: np.ndarray,
    dv_cutoff: np.ndarray,
    max_interval: np.ndarray,
    min_height: np.ndarray,
    min_peak: np.ndarray,
    thresh_frac: np.ndarray,
    corrected: np.ndarray,
    stimulus_class: np.ndarray,
    max_rmse: np.ndarray,
) -> dict[str, Any]:
    """Features of current-clamp sweeps, one row a sweep; arguments as of the kernel spike_features.

    stimulus_class : (rows,) long_square or short_square, which tells what stim_amp_pa is; others have none
    max_rmse : (rows,) mV, of a fit that tau_corrected accepts
    returns : one value a sweep and feature. Spiking sweeps have no tau and sag, silent ones no pauses, bursts and
        delay, and a depolarised one no tau. What cannot be told is NaN and named in error.
    """
    rows, flags, errors = [], [], []
    options = (window_start, window_stop, filter_khz, dv_cutoff, max_interval, min_height, min_peak, thresh_frac)
    for row in range(len(sampling_rate)):
        told: dict[str, float] = dict.fromkeys(_COLUMNS, np.nan)
        raised: set[str] = set()
        problems = []
        try:
            given = options_of([one[row] for one in options], corrected[row])
            with reused():
                trace = trace_at(row, sampling_rate, response, stimulus)
                sweep = SweepExtractor(trace, given, AMPLITUDES.get(stimulus_class[row]))
                problems = _tell(sweep, told, float(max_rmse[row]))
                raised = sweep.flags
        except FeatureError as problem:
            problems = [str(problem)]
        rows.append(told)
        flags.append(np.array(sorted(raised), object))
        errors.append("; ".join(problems) or None)
    return {
        **{name: np.array([told[name] for told in rows], np.float64) for name in _COLUMNS},
        "feature_flags": Ragged.of(flags, object),
        "error": np.array(errors, object),
    }


def _tell(sweep: SweepExtractor, told: dict[str, float], max_rmse: float) -> list[str]:
    """Fill a row in; what could not be told comes back as text. Raises FeatureError where spikes cannot be told."""
    n_spikes = told["n_spikes"] = len(sweep.spikes)
    for key in sweep.sweep_feature_keys():
        told[key] = sweep.sweep_feature(key)

    def tau() -> dict[str, float]:
        if sweep.trace.i is None or (not told["stim_amp_pa"] < 0 and not _is_hyperpolarised(sweep)):
            return {}
        fit = sweep.sweep_feature("tau_fit")
        return {"tau": fit.tau(), "tau_corrected": fit.tau(max_rmse), "tau_rmse_mv": fit.rmse}

    def pairs(key: str, *names: str) -> Callable[[], dict[str, float]]:
        return lambda: dict(zip(names, sweep.sweep_feature(key), strict=True))

    always: dict[str, Callable[[], dict[str, float]]] = {
        "v_baseline_mv": lambda: {"v_baseline_mv": sweep.sweep_feature("v_baseline_mv")},
        "stim_amp_pa": lambda: {"stim_amp_pa": sweep.sweep_feature("stim_amp_pa")},
        "peak_deflect": pairs("peak_deflect", "peak_deflect_v_mv", "peak_deflect_index"),
    }
    spiking: dict[str, Callable[[], dict[str, float]]] = {
        "pauses": pairs("pauses", "n_pauses", "pause_fraction"),
        "bursts": lambda: dict(
            zip(("max_burstiness_index", "n_bursts"), burst_metrics(sweep.sweep_feature("bursts")), strict=True)
        ),
        "delay": pairs("delay", "delay_ratio", "delay_tau"),
    }
    silent: dict[str, Callable[[], dict[str, float]]] = {
        "tau": tau,
        "sag": lambda: {"sag": sweep.sweep_feature("sag")},
    }
    problems = []
    for name, tell in {**always, **(spiking if n_spikes else silent)}.items():
        try:
            told.update(tell())
        except FeatureError as problem:
            problems.append(f"{name}: {problem}")
    return problems


def _is_hyperpolarised(sweep: SweepExtractor) -> bool:
    start, stop = sweep.options.start or 0.0, sweep.options.stop or float(sweep.trace.t[-1])
    return bool(sweep.trace.current(find_time_index(sweep.trace.t, (stop - start) / 2 + start)) < 0)


# One's own features (SF-14)

_OWN: dict[tuple[str, str], Callable[[SweepExtractor], Any]] = {}


def register_feature(name: str, feature_set: str = "own") -> Callable[[Callable[[SweepExtractor], Any]], Any]:
    """Make a function of a sweep callable in SQL: a number is a feature of the sweep, an array one of its spikes.

        @register_feature("half_amplitude", "lab")
        def half_amplitude(sweep):
            return (sweep.spikes.columns["peak_v_mv"] - sweep.spikes.columns["threshold_v_mv"]) / 2

    then ``icephys.own_features('sweeps', 'lab', 'half_amplitude')``.

    Raises KeyError for a name that the set has already.
    """

    def register(function: Callable[[SweepExtractor], Any]) -> Callable[[SweepExtractor], Any]:
        if (feature_set, name) in _OWN:
            raise KeyError(f"{feature_set} has a feature {name} already")
        _OWN[feature_set, name] = function
        return function

    return register


def forget_feature(name: str, feature_set: str = "own") -> None:
    """Take a feature back. Raises KeyError where there is none."""
    del _OWN[feature_set, name]


_OWN_VALUES = pa.struct([("values", pa.list_(pa.float64())), ("error", pa.string())])


@udf(args=[*SWEEP_ARGUMENTS, pa.string(), pa.string()], returns=_OWN_VALUES, nulls=True)
def own_feature(
    response: Samples,
    stimulus: Samples,
    sampling_rate: np.ndarray,
    window_start: np.ndarray,
    window_stop: np.ndarray,
    filter_khz: np.ndarray,
    dv_cutoff: np.ndarray,
    max_interval: np.ndarray,
    min_height: np.ndarray,
    min_peak: np.ndarray,
    thresh_frac: np.ndarray,
    corrected: np.ndarray,
    feature_set: np.ndarray,
    feature: np.ndarray,
) -> dict[str, Any]:
    """A registered function of each sweep (:func:`register_feature`): its number, or its number for each spike."""
    found, errors = [], []
    options = (window_start, window_stop, filter_khz, dv_cutoff, max_interval, min_height, min_peak, thresh_frac)
    for row in range(len(sampling_rate)):
        values, error = np.empty(0), None
        try:
            function = _OWN.get((feature_set[row], feature[row]))
            if function is None:
                known = ", ".join(f"{group}.{name}" for group, name in _OWN) or "none"
                raise FeatureError(f"no feature {feature_set[row]}.{feature[row]} is registered; there are: {known}")
            trace = trace_at(row, sampling_rate, response, stimulus)
            trace.i = None if trace.i is None else np.asarray(trace.i)  # which one's own function computes with
            sweep = SweepExtractor(trace, options_of([one[row] for one in options], corrected[row]))
            values = np.atleast_1d(np.asarray(function(sweep), np.float64))
        except Exception as problem:  # whatever a user's function raises belongs into its sweep's row
            error = f"{type(problem).__name__}: {problem}" if not isinstance(problem, FeatureError) else str(problem)
        found.append(values)
        errors.append(error)
    return {"values": Ragged.of(found, np.float64), "error": np.array(errors, object)}
