"""Features of a sweep: its spike train, baseline, deflection and charging (spec: cell_types SF-1 to SF-14)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from .interspike_intervals import (
    average_rate,
    detect_bursts,
    get_isis,
    isi_cv,
    latency,
    norm_diff,
    pause_metrics,
)
from .membrane_fits import ExponentialFit, fit_membrane_time_constant, fit_prespike_time_constant
from .spike_features import ExtractionOptions, SpikeFeatures, extract_spike_features
from .voltage_traces import FeatureError, Trace, average_voltage, find_time_index

STEP_DELAY = 1  # samples after the onset at which a step's amplitude is taken


def baseline_voltage(trace: Trace, options: ExtractionOptions) -> float:
    """Mean voltage (mV) before the stimulus, or in the first quiet stretch where no start is known (SF-5).

    Quiet is what lies between points of dV/dt >= baseline_detect_thresh; the reference forgets falling ones, which
    options.corrected counts too. NaN where nothing is quiet for baseline_interval.
    """
    interval = options.baseline_interval
    if options.start is not None:
        return average_voltage(trace.v, trace.t, options.start - interval, options.start)
    busy = _busy(trace, options.baseline_detect_thresh, options.corrected)
    gaps = np.flatnonzero(np.diff(trace.t[busy]) >= interval)
    if not len(gaps):
        return np.nan
    end = trace.t[busy[gaps[0] + 1]]
    return average_voltage(trace.v, trace.t, end - interval, end)


def _busy(trace: Trace, limit: float, corrected: bool) -> np.ndarray:
    dvdt = trace.dvdt(1.0)
    return np.flatnonzero((np.abs(dvdt) if corrected else dvdt) >= limit)


def voltage_deflection(
    trace: Trace, start: float | None = None, stop: float | None = None, kind: str | None = None
) -> tuple[float, int]:
    """Extreme voltage (mV) in [start, stop), and its sample (SF-6).

    kind : max or min; by default max where the current in the middle is not negative, min where it is or is unknown
    Raises FeatureError for an empty window, ValueError for another kind.
    """
    start, stop = start or 0.0, stop or float(trace.t[-1])
    first, last = find_time_index(trace.t, start), find_time_index(trace.t, stop)
    if last <= first:
        raise FeatureError(f"no sample between {start} s and {stop} s")
    if kind is None:
        kind = "min"
        if trace.i is not None and trace.current(find_time_index(trace.t, (stop - start) / 2 + start)) >= 0:
            kind = "max"
    if kind not in ("min", "max"):
        raise ValueError(f"a deflection is min or max, not {kind}")
    window = trace.v[first:last]
    at = first + int(np.argmax(window) if kind == "max" else np.argmin(window))
    return float(trace.v[at]), at


def estimate_time_constant(trace: Trace, options: ExtractionOptions, baseline: float) -> ExponentialFit:
    """Exponential from 10 % of the hyperpolarisation to its deepest point (SF-7).

    Raises FeatureError where v does not reach 10 %, or too few samples lie between.
    """
    deepest, peak = voltage_deflection(trace, options.start, options.stop, "min")
    onset = find_time_index(trace.t, options.start or 0.0)
    past = np.flatnonzero(trace.v[onset:] <= 0.1 * (deepest - baseline) + baseline)
    if not len(past):
        raise FeatureError("the voltage does not reach 10 % of its deflection")
    return fit_membrane_time_constant(trace.v, trace.t, trace.t[onset + past[0]], trace.t[peak])


def estimate_sag(trace: Trace, options: ExtractionOptions, baseline: float) -> float:
    """Share of the deepest deflection from which v recovers until the end of the stimulus (SF-8)."""
    _, peak = voltage_deflection(trace, options.start, options.stop, "min")
    stop = float(trace.t[-1]) if options.stop is None else options.stop
    deepest = average_voltage(trace.v, trace.t, trace.t[peak] - 0.0025, trace.t[peak] + 0.0025)
    steady = average_voltage(trace.v, trace.t, stop - options.baseline_interval, stop)
    return (deepest - steady) / (deepest - baseline)


def step_amplitude(trace: Trace, options: ExtractionOptions) -> float:
    """Current (pA) right after the start: the amplitude of a long square (CF 4.5.3)."""
    return float(trace.current(find_time_index(trace.t, options.start or 0.0) + STEP_DELAY))


def greatest_amplitude(trace: Trace, options: ExtractionOptions) -> float:
    """Greatest current (pA) after the start: the amplitude of a short square (CF 4.5.3)."""
    return float(trace.current(slice(find_time_index(trace.t, options.start or 0.0) + STEP_DELAY, None)).max())


AMPLITUDES: dict[str, Callable[[Trace, ExtractionOptions], float]] = {
    "long_square": step_amplitude,
    "short_square": greatest_amplitude,
}


class SweepExtractor:
    """One sweep, its spikes and features, each computed when it is first asked for.

    stimulus_amplitude : how stim_amp_pa is told of (trace, options), as those of AMPLITUDES; without it NaN
    """

    def __init__(
        self,
        trace: Trace,
        options: ExtractionOptions | None = None,
        stimulus_amplitude: Callable[[Trace, ExtractionOptions], float] | None = None,
    ) -> None:
        self.trace = trace
        self.options = options or ExtractionOptions()
        self._stimulus_amplitude = stimulus_amplitude
        self._spikes: SpikeFeatures | None = None
        self._known: dict[str, Any] = {}
        self._added: dict[str, Callable[[SweepExtractor], Any]] = {}

    @property
    def spikes(self) -> SpikeFeatures:
        """Its spikes. Raises FeatureError as :func:`extract_spike_features`."""
        if self._spikes is None:
            self._spikes = extract_spike_features(self.trace, self.options)
        return self._spikes

    @property
    def flags(self) -> set[str]:
        """Oddities of the reference that had a say in what was asked for so far."""
        return self._flags_of_features | (self._spikes.flags if self._spikes else set())

    @property
    def _flags_of_features(self) -> set[str]:
        flags = set()
        if self._known.get("bursts"):
            flags.add("burst_reference_broken")
        if self._known.get("delay", (0, 0))[1] and not self.options.corrected:
            flags.add("delay_start_singular")
        fit = self._known.get("tau_fit")
        if fit is not None and fit.is_accepted and not fit.rmse <= 1e-4:
            flags.add("tau_rmse_signed")
        if "v_baseline_mv" in self._known and self.options.start is None and not self.options.corrected:
            limit = self.options.baseline_detect_thresh
            if len(_busy(self.trace, limit, True)) > len(_busy(self.trace, limit, False)):
                flags.add("baseline_detect_one_sided")
        return flags

    def sweep_feature(self, key: str, allow_missing: bool = False) -> Any:
        """One feature of SWEEP_FEATURES, of ON_REQUEST or added by :meth:`add_sweep_feature`.

        Raises KeyError for an unknown one, unless NaN may stand for it.
        """
        if key not in self._known:
            compute = self._added.get(key) or SWEEP_FEATURES.get(key) or ON_REQUEST.get(key)
            if compute is None or (not len(self.spikes) and key in SWEEP_FEATURES and key != "avg_rate"):
                if allow_missing:
                    return np.nan
                raise KeyError(f"the sweep has no feature {key}")
            self._known[key] = compute(self)
        return self._known[key]

    def sweep_feature_keys(self) -> list[str]:
        """What can be told without asking for more: only avg_rate where there are no spikes (SF-4)."""
        return [*(SWEEP_FEATURES if len(self.spikes) else ["avg_rate"]), *self._added]

    def as_dict(self) -> dict[str, Any]:
        """Features told so far or by themselves, and the spikes as a list of rows."""
        features = {key: self.sweep_feature(key) for key in self.sweep_feature_keys()}
        shown = {key: value for key, value in self._known.items() if key in ON_REQUEST}
        columns = self.spikes.columns
        spikes = [{name: column[k] for name, column in columns.items()} for k in range(len(self.spikes))]
        return {**features, **shown, "spikes": spikes}

    def add_spike_feature(
        self, name: str, function: Callable[[SweepExtractor], np.ndarray], affected_by_clipping: bool = False
    ) -> None:
        """A column of one's own, one value per spike (SF-14).

        Raises KeyError for a name that is taken, FeatureError for another number of values.
        """
        if name in self.spikes.columns:
            raise KeyError(f"spikes have a feature {name} already")
        if not len(self.spikes):
            return
        values = np.asarray(function(self))
        if len(values) != len(self.spikes):
            raise FeatureError(f"{name}: {len(values)} values for {len(self.spikes)} spikes")
        self.spikes.columns[name] = values
        if affected_by_clipping:
            self.spikes.affected.add(name)

    def add_sweep_feature(self, name: str, function: Callable[[SweepExtractor], Any]) -> None:
        """A feature of one's own (SF-14). Raises KeyError for a name that is taken."""
        if name in {**SWEEP_FEATURES, **ON_REQUEST, **self._added}:
            raise KeyError(f"sweeps have a feature {name} already")
        self._added[name] = function

    @property
    def spike_train(self) -> np.ndarray:
        """Samples of the thresholds."""
        return self.spikes.columns["threshold_index"].astype(np.int64) if len(self.spikes) else np.empty(0, np.int64)

    @property
    def isis(self) -> np.ndarray:
        """Intervals between thresholds, s."""
        return get_isis(self.trace.t, self.spike_train)

    @property
    def duration(self) -> float:
        """Length of the window, s."""
        start = self.trace.t[0] if self.options.start is None else self.options.start
        return float((self.trace.t[-1] if self.options.stop is None else self.options.stop) - start)

    def pause_metrics(self, cost_weight: float = 1.0) -> tuple[int, float]:
        """Number of pauses and their share of the window (SF-10)."""
        if len(self.spikes) < 2:
            return 0, 0.0
        return pause_metrics(self.isis, self.spikes.columns["isi_type"][:-1], self.duration, cost_weight)

    def bursts(self, tolerance: float = 0.5, pause_cost: float = 1.0) -> list[tuple[float, int, int]]:
        """Bursts (SF-11), as :func:`~.interspike_intervals.detect_bursts`."""
        if len(self.spikes) < 3:
            return []
        first = {name: column[:-1] for name, column in self.spikes.columns.items()}  # of each interval
        return detect_bursts(
            self.isis,
            first["isi_type"],
            first["fast_trough_v_mv"],
            first["fast_trough_t"],
            first["slow_trough_v_mv"],
            first["slow_trough_t"],
            first["threshold_v_mv"],
            tolerance,
            pause_cost,
        )

    def delay_metrics(self) -> tuple[float, float]:
        """Time to the first spike over the time constant of the charging, and that constant (s); (0, 0) (SF-12)."""
        if not len(self.spikes):
            return 0.0, 0.0
        start = float(self.trace.t[0] if self.options.start is None else self.options.start)
        spike_time = float(self.trace.t[self.spike_train[0]])
        tau = fit_prespike_time_constant(
            self.trace.v, self.trace.t, start, spike_time, distinct_start=self.options.corrected
        )
        return (spike_time - start) / tau, tau


def _of_intervals(statistic: Callable[[np.ndarray], float]) -> Callable[[SweepExtractor], float]:
    return lambda sweep: float(statistic(sweep.isis)) if len(sweep.isis) else np.nan


SWEEP_FEATURES: dict[str, Callable[[SweepExtractor], Any]] = {
    "avg_rate": lambda s: average_rate(s.trace.t, s.spike_train, s.options.start, s.options.stop),
    "adaptation": lambda s: norm_diff(s.isis),
    "latency": lambda s: latency(s.trace.t, s.spike_train, s.options.start),
    "isi_cv": lambda s: isi_cv(s.isis),
    "mean_isi": _of_intervals(np.mean),
    "median_isi": _of_intervals(np.median),
    "first_isi": _of_intervals(lambda isis: isis[0]),
}
ON_REQUEST: dict[str, Callable[[SweepExtractor], Any]] = {
    "v_baseline_mv": lambda s: baseline_voltage(s.trace, s.options),
    "peak_deflect": lambda s: voltage_deflection(s.trace, s.options.start, s.options.stop),
    "tau_fit": lambda s: estimate_time_constant(s.trace, s.options, s.sweep_feature("v_baseline_mv")),
    "tau": lambda s: s.sweep_feature("tau_fit").tau(),
    "sag": lambda s: estimate_sag(s.trace, s.options, s.sweep_feature("v_baseline_mv")),
    "stim_amp_pa": lambda s: s._stimulus_amplitude(s.trace, s.options) if s._stimulus_amplitude else np.nan,
    "pauses": lambda s: s.pause_metrics(),
    "bursts": lambda s: s.bursts(),
    "delay": lambda s: s.delay_metrics(),
}


def extract_sweeps(
    v_set: Sequence[np.ndarray],
    t_set: Sequence[np.ndarray],
    i_set: Sequence[np.ndarray] | None = None,
    options: ExtractionOptions | Sequence[ExtractionOptions] | None = None,
) -> list[SweepExtractor]:
    """Several sweeps (mV, s, pA), with options of their own or the same for all (CT-088).

    Raises TypeError unless they are lists, FeatureError unless these are of one length.
    """
    given = [v_set, t_set, *([] if i_set is None else [i_set])]
    if not all(isinstance(one, (list, tuple)) for one in given):
        raise TypeError("sweeps come as lists of arrays")
    each = options if isinstance(options, Sequence) else [options] * len(v_set)
    if {len(one) for one in (*given, each)} != {len(v_set)}:
        raise FeatureError("as many voltages as times, currents and options are needed")
    currents: Sequence[np.ndarray | None] = [None] * len(v_set) if i_set is None else i_set
    return [
        SweepExtractor(Trace(v, t, i), one) for v, t, i, one in zip(v_set, t_set, currents, each, strict=True)
    ]  # fmt: skip
