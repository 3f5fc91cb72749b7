"""Action potentials in a voltage trace: where they begin, rise, peak and end (spec: cell_types EF-2 to EF-8, SF-13).

Indexes count samples of the trace from 0, one per spike, ascending. ``dvdt`` is what
:func:`~.voltage_traces.calculate_dvdt` gives for the whole trace. Order of use: :func:`detect_putative_spikes`,
:func:`find_peak_indexes`, :func:`filter_putative_spikes`, :func:`find_upstroke_indexes`,
:func:`refine_threshold_indexes`, :func:`check_thresholds_and_peaks`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .trace_scans import first_at_most, highest_in, last_at_most, lowest_in
from .voltage_traces import FeatureError, Trace, find_time_index

DEFAULT_THRESH_FRAC = 0.05


def detect_putative_spikes(
    v: np.ndarray,
    t: np.ndarray,
    start: float | None = None,
    stop: float | None = None,
    filter_khz: float | None = 10.0,
    dv_cutoff: float = 20.0,
    dvdt: np.ndarray | None = None,
) -> np.ndarray:
    """Samples before dV/dt rises through a cutoff, one per rise that follows a fall of v (EF-2).

    The window [start, stop] is inclusive, and filtered by itself.

    v : (n,) mV; t : (n,) s; dv_cutoff : V/s
    dvdt : of the window, where it is at hand
    returns : (n_spikes,) int64
    Raises TypeError, FeatureError as :class:`Trace` and :func:`calculate_dvdt`.
    """
    trace = Trace(v, t)
    first, last = trace.index(start, 0), trace.index(stop, len(t) - 1)
    if dvdt is None:
        dvdt = trace[first : last + 1].dvdt(filter_khz)
    below = dvdt < dv_cutoff
    candidates = np.flatnonzero(below[:-1] & ~below[1:])
    if len(candidates) > 1:
        # any fall since the candidate before, be that one kept or not
        lowest = np.minimum.reduceat(dvdt, candidates)[:-1]
        candidates = candidates[np.concatenate([[True], lowest < 0])]
    return candidates + first


def find_peak_indexes(v: np.ndarray, t: np.ndarray, spikes: np.ndarray, stop: float | None = None) -> np.ndarray:
    """Highest sample from each spike to the next, or to stop (EF-3); 0 means none, as None does.

    Raises FeatureError where the last spike does not lie before stop.
    """
    if not len(spikes):
        return np.empty(0, np.int64)
    last = find_time_index(t, stop) if stop else len(t) - 1
    return _everywhere(highest_in(v, spikes, np.append(spikes[1:], last)))


def _everywhere(found: np.ndarray) -> np.ndarray:
    """Indexes, one a spike. Raises FeatureError where one is missing."""
    if np.any(found < 0):
        raise FeatureError("a spike has no sample before the next, or before the end of the window")
    return found


def filter_putative_spikes(
    v: np.ndarray,
    spikes: np.ndarray,
    peaks: np.ndarray,
    dvdt: np.ndarray,
    min_height: float = 2.0,
    min_peak: float = -30.0,
) -> tuple[np.ndarray, np.ndarray]:
    """Spikes that are spikes: v falls before the next, the peak is high enough, and high above the start (EF-4).

    Where v does not fall between a peak and the next spike, the two become one: the first's start, the second's peak.

    min_height, min_peak : mV
    returns : spikes, peaks
    """
    if not len(spikes):
        return spikes, peaks
    falls = first_at_most(dvdt, peaks[:-1], spikes[1:], -np.nextafter(0, 1)) >= 0  # at most the last number below 0
    peaks, spikes = peaks[np.append(falls, True)], spikes[np.insert(falls, 0, True)]
    high = v[peaks] >= min_peak
    spikes, peaks = spikes[high], peaks[high]
    tall = v[peaks] - v[spikes] >= min_height
    return spikes[tall], peaks[tall]


def find_upstroke_indexes(spikes: np.ndarray, peaks: np.ndarray, dvdt: np.ndarray) -> np.ndarray:
    """Steepest rise from each spike to its peak (EF-5). Raises FeatureError where they coincide."""
    return _everywhere(highest_in(dvdt, spikes, peaks))


def refine_threshold_indexes(
    upstrokes: np.ndarray, dvdt: np.ndarray, thresh_frac: float = DEFAULT_THRESH_FRAC
) -> np.ndarray:
    """Thresholds: last sample before each upstroke where dV/dt is at most a share of the mean upstroke (EF-6).

    Where there is none after the upstroke before, that upstroke (0 for the first).
    """
    if not len(upstrokes):
        return np.empty(0, np.int64)
    target = thresh_frac * dvdt[upstrokes].mean()
    before = np.insert(upstrokes[:-1], 0, 0)
    found = last_at_most(dvdt, before + 1, upstrokes + 1, target)
    return np.where(found >= 0, found, before)


def check_thresholds_and_peaks(
    v: np.ndarray,
    t: np.ndarray,
    thresholds: np.ndarray,
    peaks: np.ndarray,
    upstrokes: np.ndarray,
    dvdt: np.ndarray,
    stop: float | None = None,
    max_interval: float = 0.005,
    thresh_frac: float = DEFAULT_THRESH_FRAC,
    tolerance: float = 1.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Spikes whose threshold and peak belong together (EF-7).

    Overlapping spikes are merged. Where threshold and peak lie max_interval (s) or more apart, a threshold nearer to
    the peak is looked for, then a peak nearer to the threshold, else the spike is dropped. The last spike is clipped
    if v does not come back to its threshold + tolerance (mV) before stop.

    thresh_frac : for the nearer threshold; the reference's extractor always takes the default here, whatever its own
    returns : thresholds, peaks, upstrokes, clipped (bool)
    Raises FeatureError where the trace ends while a nearer peak is looked for.
    """
    overlaps = np.flatnonzero(thresholds[1:] <= peaks[:-1] + 1)
    thresholds = np.delete(thresholds, overlaps + 1)
    peaks, upstrokes = np.delete(peaks, overlaps), np.delete(upstrokes, overlaps)

    far = np.flatnonzero(t[peaks] - t[thresholds] >= max_interval)
    if len(far):
        target = thresh_frac * dvdt[upstrokes].mean()
        dropped = []
        for k in far.tolist():
            earliest = find_time_index(t, t[peaks[k]] - max_interval)
            nearer = last_at_most(dvdt, np.array([earliest + 1]), upstrokes[k : k + 1] + 1, target)
            if nearer[0] >= 0:
                thresholds[k] = nearer[0]
                continue
            begin = thresholds[k]
            peak = begin + int(np.argmax(v[begin : find_time_index(t, t[begin] + 2 * max_interval)]))
            is_before_next = k + 1 == len(thresholds) or t[peak] < t[thresholds[k + 1]]
            if t[peak] - t[begin] < max_interval and is_before_next:
                peaks[k] = peak
            else:
                dropped.append(k)
        thresholds, peaks, upstrokes = (np.delete(x, dropped) for x in (thresholds, peaks, upstrokes))

    clipped = np.zeros(len(thresholds), bool)
    if len(clipped):
        last = len(t) - 1 if stop is None else find_time_index(t, stop)
        clipped[-1] = not np.any(v[peaks[-1] : last + 1] <= v[thresholds[-1]] + tolerance)
    return thresholds, peaks, upstrokes, clipped


def find_trough_indexes(
    v: np.ndarray,
    t: np.ndarray,
    thresholds: np.ndarray,
    peaks: np.ndarray,
    clipped: np.ndarray | None = None,
    stop: float | None = None,
) -> np.ndarray:
    """Lowest sample from each peak to the next threshold, or to stop (EF-8).

    returns : (n_spikes,) float64, NaN where clipped
    """
    if not len(thresholds):
        return np.empty(0)
    last = len(t) - 1 if stop is None else find_time_index(t, stop)
    return _unclipped(v, peaks, np.append(thresholds[1:], last), clipped)


def find_downstroke_indexes(
    peaks: np.ndarray, troughs: np.ndarray, dvdt: np.ndarray, clipped: np.ndarray | None = None
) -> np.ndarray:
    """Steepest fall from each peak to its trough (EF-8).

    returns : (n_spikes,) float64, NaN where clipped
    Raises FeatureError for more troughs than peaks.
    """
    if len(troughs) > len(peaks):
        raise FeatureError(f"{len(troughs)} troughs of {len(peaks)} peaks")
    return _unclipped(dvdt, peaks, troughs, clipped)


def _unclipped(x: np.ndarray, starts: np.ndarray, stops: np.ndarray, clipped: np.ndarray | None) -> np.ndarray:
    found = np.full(len(starts), np.nan)
    whole = ~np.isnan(stops) if clipped is None else ~clipped & ~np.isnan(stops)
    found[whole] = _everywhere(lowest_in(x, starts[whole], stops[whole].astype(np.int64)))
    return found


def estimate_adjusted_detection_parameters(
    v_set: Sequence[np.ndarray],
    t_set: Sequence[np.ndarray],
    interval_start: float,
    interval_stop: float,
    filter_khz: float | None = 10.0,
) -> tuple[float, float]:
    """Cutoff and threshold fraction for short stimuli, whose own charging would pass for a spike (SF-13).

    interval : of the stimulus, s; its indexes are those of the first sweep
    returns : dv_cutoff (V/s), thresh_frac
    Raises FeatureError for no sweep, lists of different lengths, or no spike at all.
    """
    if not len(v_set) or len(v_set) != len(t_set):
        raise FeatureError("as many voltages as times are needed, and at least one")
    first, last = find_time_index(t_set[0], interval_start), find_time_index(t_set[0], interval_stop)
    traces = [Trace(v, t) for v, t in zip(v_set, t_set, strict=True)]
    during = [charging_dvdt(trace.dvdt(filter_khz), first, last) for trace in traces]
    cutoff = 1.1 * float(np.median([highest for highest, _ in during]))
    upstrokes = np.concatenate([find_upstrokes(trace, filter_khz, cutoff) for trace in traces])
    if not len(upstrokes):
        raise FeatureError("no sweep has a spike")
    return cutoff, 1.2 * float(np.median([at_end for _, at_end in during])) / float(upstrokes.mean())


def charging_dvdt(dvdt: np.ndarray, first: int, last: int) -> tuple[float, float]:
    """Greatest dV/dt during a stimulus [first, last), and that at its end."""
    if last <= first or last >= len(dvdt):
        raise FeatureError("the trace does not hold the whole stimulus")
    return float(dvdt[first:last].max()), float(dvdt[last])


def find_upstrokes(trace: Trace, filter_khz: float | None, dv_cutoff: float) -> np.ndarray:
    """dV/dt (V/s) at the upstroke of each spike that passes a cutoff, with the other options at their defaults."""
    dvdt = trace.dvdt(filter_khz)
    spikes = detect_putative_spikes(trace.v, trace.t, filter_khz=filter_khz, dv_cutoff=dv_cutoff, dvdt=dvdt)
    peaks = find_peak_indexes(trace.v, trace.t, spikes)
    spikes, peaks = filter_putative_spikes(trace.v, spikes, peaks, dvdt)
    return dvdt[find_upstroke_indexes(spikes, peaks, dvdt)]
