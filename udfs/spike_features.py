"""Features of every spike of a sweep (spec: cell_types EF-11), as an object in Python and as rows in SQL.

In a batch a sweep that cannot be analysed becomes a row that says why (`error`), and an oddity of the reference that
had a say in a result is named in `feature_flags`:

threshold_fraction_default   a threshold was looked for again with the default fraction, not the sweep's own (EF-7)
repeated_times_deleted       samples at repeated times, or of no value, were left out, which shifts indexes (EF-1)
baseline_detect_one_sided    a falling voltage counted as a quiet baseline (SF-5)
tau_rmse_signed              the fit passed as its mean residual is small; its root mean square is not (SF-7)
burst_reference_broken       bursts, where the reference raises (SF-11)
delay_start_singular         a delay's time constant depends on the version of the numerical library (SF-12)
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial

import numpy as np
import pyarrow as pa

from .registry import Ragged, udf
from .spike_detection import (
    DEFAULT_THRESH_FRAC,
    check_thresholds_and_peaks,
    detect_putative_spikes,
    filter_putative_spikes,
    find_downstroke_indexes,
    find_peak_indexes,
    find_trough_indexes,
    find_upstroke_indexes,
    refine_threshold_indexes,
)
from .spike_shape import HEAVY_FILTER_KHZ, analyze_trough_details, find_widths
from .sweep_traces import SAMPLES, PackedSamples, Samples, samples_at
from .voltage_traces import FeatureError, Trace
from .working_memory import reused

AFTER_PEAK = ("trough", "fast_trough", "adp", "slow_trough")  # points that a clipped spike lacks
POINTS = ("threshold", "peak", *AFTER_PEAK)


@dataclass(frozen=True)
class ExtractionOptions:
    """How spikes are found; the defaults are the reference's. Filters in kHz, voltages in mV, dV/dt in V/s."""

    start: float | None = None  # s; None: the first sample
    stop: float | None = None  # s; None: the last sample
    filter_khz: float | None = 10.0
    dv_cutoff: float = 20.0
    max_interval: float = 0.005
    min_height: float = 2.0
    min_peak: float = -30.0
    thresh_frac: float = DEFAULT_THRESH_FRAC
    baseline_interval: float = 0.1
    baseline_detect_thresh: float = 0.3
    corrected: bool = False  # the reference's slips put right (EF-7, SF-5, SF-12)


@dataclass
class SpikeFeatures:
    """Columns of one value per spike. Indexes are float64 with NaN for none."""

    columns: dict[str, np.ndarray] = field(default_factory=dict)
    flags: set[str] = field(default_factory=set)
    affected: set[str] = field(default_factory=set)  # added columns that mean nothing where a spike is clipped

    def __len__(self) -> int:
        return len(self.columns["threshold_index"]) if self.columns else 0

    def feature(self, key: str, include_clipped: bool = False, force_exclude_clipped: bool = False) -> np.ndarray:
        """One column, without the clipped spikes where clipping affects it.

        include_clipped : with them all the same
        force_exclude_clipped : without them whatever the column
        Raises ValueError if both are asked for, KeyError for an unknown column.
        """
        if include_clipped and force_exclude_clipped:
            raise ValueError("clipped spikes cannot be both included and excluded")
        if not len(self):
            return np.empty(0)
        column = self.columns[key]
        is_affected = is_affected_by_clipping(key) or key in self.affected
        leave_out = force_exclude_clipped or (is_affected and not include_clipped)
        return column[~self.columns["clipped"]] if leave_out else column

    def average(self, key: str) -> float:
        """Mean of :meth:`feature`; NaN without a spike."""
        values = self.feature(key)
        return float(values.mean()) if len(values) else np.nan


def is_affected_by_clipping(key: str) -> bool:
    """Whether a clipped spike has no value in a column, or one that means nothing."""
    return key in ("isi_type", "spike_width", "upstroke_downstroke_ratio") or key.startswith(
        (*AFTER_PEAK, "downstroke")
    )


def extract_spike_features(trace: Trace, options: ExtractionOptions | None = None) -> SpikeFeatures:
    """Find the spikes of a sweep and measure them (EF-2 to EF-11).

    Raises FeatureError where the sweep does not hold the window, or a filter does not fit its sampling rate.
    """
    options = options or ExtractionOptions()
    v, t = trace.v, trace.t
    first, last = trace.index(options.start, 0), trace.index(options.stop, len(t) - 1)
    if trace.is_fixed and np.max(v[first : last + 1]) < options.min_peak:  # then no spike passes, however v rises
        trace[first : last + 1].check_filter(options.filter_khz)
        return SpikeFeatures()
    thresholds, peaks, clipped, dvdt, flags = _find_spikes(trace, options, first, last, first)
    if not len(thresholds):
        return SpikeFeatures(flags=flags)
    upstrokes = find_upstroke_indexes(thresholds, peaks, dvdt)
    troughs = find_trough_indexes(v, t, thresholds, peaks, clipped, options.stop)
    downstrokes = find_downstroke_indexes(peaks, troughs, dvdt, clipped)
    details = analyze_trough_details(
        v, t, thresholds, peaks, dvdt, partial(trace.dvdt_between, HEAVY_FILTER_KHZ), clipped, options.stop
    )
    points = dict(
        zip(POINTS, (thresholds, peaks, troughs, details.fast_trough, details.adp, details.slow_trough), strict=True)
    )
    columns: dict[str, np.ndarray] = {}
    for name, at in points.items():
        columns[f"{name}_index"] = at.astype(np.float64)
        columns[f"{name}_t"], columns[f"{name}_v_mv"] = _values_at(t, at), _values_at(v, at)
        columns[f"{name}_i_pa"] = (
            np.full(len(at), np.nan) if trace.i is None else _values_at(trace.i, at, trace.i_factor)
        )
    for name, at in (("upstroke", upstrokes), ("downstroke", downstrokes)):
        columns[f"{name}_index"] = at.astype(np.float64)
        columns[f"{name}_t"], columns[f"{name}_v_mv"] = _values_at(t, at), _values_at(v, at)
        columns[name] = _values_at(dvdt, at)
    columns["isi_type"] = details.isi_type
    columns["spike_width"] = find_widths(v, t, thresholds, peaks, details.fast_trough, details.clipped)
    columns["upstroke_downstroke_ratio"] = columns["upstroke"] / -columns["downstroke"]
    columns["isi_to_next"] = np.append(np.diff(columns["threshold_t"]), np.nan)
    columns["clipped"] = details.clipped
    return SpikeFeatures(columns, flags)


def _find_spikes(
    trace: Trace, options: ExtractionOptions, first: int, last: int, earliest: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, set[str]]:
    """Thresholds, peaks and clipped of the spikes in [first, last] (EF-2 to EF-7), the dV/dt that told, and flags.

    earliest : where to begin with dV/dt; if a threshold lies before, again from the sweep's start
    """
    v, t, filter_khz = trace.v, trace.t, options.filter_khz
    dvdt = trace.dvdt_between(filter_khz, earliest, last + 1)
    flags = {"repeated_times_deleted"} if len(dvdt) < len(v) - 1 else set()
    window = trace.dvdt_of_window(filter_khz, first, last + 1, dvdt)
    spikes = detect_putative_spikes(v, t, options.start, options.stop, filter_khz, options.dv_cutoff, window)
    peaks = find_peak_indexes(v, t, spikes, options.stop)
    spikes, peaks = filter_putative_spikes(v, spikes, peaks, dvdt, options.min_height, options.min_peak)
    if not len(spikes):
        return spikes, peaks, np.empty(0, bool), dvdt, flags
    upstrokes = find_upstroke_indexes(spikes, peaks, dvdt)
    thresholds = refine_threshold_indexes(upstrokes, dvdt, options.thresh_frac)
    if thresholds[0] < earliest:
        return _find_spikes(trace, options, first, last, 0)
    fraction = options.thresh_frac if options.corrected else DEFAULT_THRESH_FRAC
    if fraction != options.thresh_frac and np.any(t[peaks] - t[thresholds] >= options.max_interval):
        flags.add("threshold_fraction_default")
    thresholds, peaks, _, clipped = check_thresholds_and_peaks(
        v, t, thresholds, peaks, upstrokes, dvdt, options.stop, options.max_interval, fraction
    )
    return thresholds, peaks, clipped, dvdt, flags


def _values_at(x: np.ndarray | PackedSamples, at: np.ndarray, factor: float = 1.0) -> np.ndarray:
    """x at indexes; NaN where an index is NaN."""
    values = np.full(len(at), np.nan)
    known = ~np.isnan(at)
    values[known] = x[at[known].astype(np.int64)] * np.float64(factor)
    return values


# SQL

POINT_FIELDS = [
    (f"{name}_{what}", pa.int64() if what == "index" else pa.float64())
    for name in POINTS
    for what in ("index", "t", "v_mv", "i_pa")
]
SLOPE_FIELDS = [
    (f"{name}{what}", pa.int64() if what == "_index" else pa.float64())
    for name in ("upstroke", "downstroke")
    for what in ("_index", "_t", "_v_mv", "")
]
SPIKE = pa.struct(
    [
        *POINT_FIELDS,
        *SLOPE_FIELDS,
        ("isi_type", pa.string()),
        ("spike_width", pa.float64()),
        ("upstroke_downstroke_ratio", pa.float64()),
        ("isi_to_next", pa.float64()),
        ("clipped", pa.bool_()),
    ]
)
SWEEP_ARGUMENTS = [SAMPLES, SAMPLES, *[pa.float64()] * 9, pa.bool_()]
_SPIKES = pa.struct(
    [("spikes", pa.list_(SPIKE)), ("feature_flags", pa.list_(pa.string())), ("error", pa.string())]
)  # fmt: skip


@udf(args=SWEEP_ARGUMENTS, returns=_SPIKES, nulls=True)
def spike_features(
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
) -> dict[str, object]:
    """Spikes of current-clamp sweeps with all their features (:func:`extract_spike_features`), one row a sweep.

    response, stimulus : ragged, V and A; stimulus may be empty; sampling_rate : (rows,) Hz
    window_start, window_stop : (rows,) s, NaN for the ends of the sweep
    filter_khz : (rows,) kHz, NaN for none; dv_cutoff : V/s; max_interval : s; min_height, min_peak : mV
    returns : spikes (ragged of rows), feature_flags, error
    """
    found: list[SpikeFeatures] = []
    flags: list[np.ndarray] = []
    errors: list[str | None] = []
    options = (window_start, window_stop, filter_khz, dv_cutoff, max_interval, min_height, min_peak, thresh_frac)
    for row in range(len(sampling_rate)):
        spikes, error = SpikeFeatures(), None
        try:
            with reused():
                trace = trace_at(row, sampling_rate, response, stimulus)
                spikes = extract_spike_features(trace, options_of([one[row] for one in options], corrected[row]))
        except FeatureError as problem:
            error = str(problem)
        found.append(spikes)
        flags.append(np.array(sorted(spikes.flags), object))
        errors.append(error)
    spiking = [one for one in found if len(one)]
    values = {
        kind.name: np.concatenate([one.columns[kind.name] for one in spiking]) if spiking else _nothing(kind.type)
        for kind in SPIKE
    }
    ends = np.cumsum([0, *(len(one) for one in found)], dtype=np.int64)
    return {
        "spikes": Ragged(values, ends),  # type: ignore[arg-type]
        "feature_flags": Ragged.of(flags, object),
        "error": np.array(errors, object),
    }


def _nothing(kind: pa.DataType) -> np.ndarray:
    return np.empty(0, object if kind == pa.string() else kind.to_pandas_dtype())


def trace_at(row: int, sampling_rate: np.ndarray, response: Samples, stimulus: Samples | None = None) -> Trace:
    """One of stored sweeps (V, A, Hz) in the units of this package.

    Raises FeatureError where it has no samples or rate.
    """
    samples, rate = samples_at(response, row), float(sampling_rate[row])
    if len(samples) < 2 or not rate > 0:
        raise FeatureError("the sweep has no samples, or no sampling rate")
    v = samples.times(1e3) if isinstance(samples, PackedSamples) else samples * np.float64(1e3)
    i = None if stimulus is None else samples_at(stimulus, row)
    return Trace.sampled(v, rate, i if i is not None and len(i) else None, 1e12)


OPTION_NAMES = ("start", "stop", "filter_khz", "dv_cutoff", "max_interval", "min_height", "min_peak", "thresh_frac")
_CAN_BE_NONE = ("start", "stop", "filter_khz")


def options_of(values: Sequence[float], corrected: bool) -> ExtractionOptions:
    """Options as SQL gives them, in the order of OPTION_NAMES: NaN for none, or for the default."""
    options = ExtractionOptions(corrected=bool(corrected))
    for name, value in zip(OPTION_NAMES, values, strict=True):
        if not np.isnan(value):
            options = replace(options, **{name: float(value)})  # type: ignore[arg-type]
        elif name in _CAN_BE_NONE:
            options = replace(options, **{name: None})  # type: ignore[arg-type]
    return options
