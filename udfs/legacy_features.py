"""Features as the deprecated extractor of the reference takes them (spec LG), which the first stage of model fits uses.

Voltages in mV, currents in pA, times in s, slopes in V/s (= mV/ms). It differs from the present extractor in its
filter, its exclusive window, the check of peaks before thresholds are refined, and in what it reports.
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from .registry import Ragged, udf

CUTOFF = 20.0  # V/s: a spike is where the slope crosses it upwards
THRESHOLD_FRACTION = 0.05  # of the upstroke
MAX_RISE = 0.002  # s, from threshold to peak
MIN_HEIGHT = 2.0  # mV, from threshold to peak
MIN_PEAK = -30.0  # mV
FAST_AHP = 0.005  # s after the peak
RAMP = 5.0  # mV past threshold

SPIKE_FIELDS = {
    "peak_index": pa.int64(), "f_peak": pa.float64(), "f_peak_i": pa.float64(), "f_peak_t": pa.float64(),
    "upstroke": pa.float64(), "upstroke_index": pa.int64(), "upstroke_v": pa.float64(),
    "upstroke_i": pa.float64(), "upstroke_t": pa.float64(),
    "threshold_index": pa.int64(), "threshold_v": pa.float64(), "threshold_i": pa.float64(),
    "threshold_t": pa.float64(), "rise_time": pa.float64(), "half_height_width": pa.float64(),
    "n30_index": pa.int64(), "t_n30": pa.float64(), "thresh_ramp": pa.float64(),
    "downstroke_index": pa.int64(), "downstroke_v": pa.float64(), "downstroke_i": pa.float64(),
    "downstroke_t": pa.float64(), "downstroke": pa.float64(),
    "trough_index": pa.int64(), "f_trough": pa.float64(), "f_trough_i": pa.float64(), "f_trough_t": pa.float64(),
    "f_fast_ahp": pa.float64(), "f_fast_ahp_i": pa.float64(), "f_fast_ahp_t": pa.float64(),
    "f_slow_ahp": pa.float64(), "f_slow_ahp_time": pa.float64(), "f_slow_ahp_t": pa.float64(),
    "width": pa.float64(),
}  # fmt: skip
SWEEP_FIELDS = ("base_v", "n_spikes", "rate", "adapt", "isi_cv", "doublet", "latency", "latency_n30", "isi_avg")


def legacy_slope(v: np.ndarray, t: np.ndarray) -> np.ndarray:
    """dV/dt as the legacy extractor has it: filtered at 200 kHz, and at no other rate.

    v, t : (n,) mV, s
    returns : (n - 1,) V/s
    """
    steps = np.diff(t)
    if abs(steps[0] - 5e-6) < 1e-7 and np.var(steps) < 1e-6:
        from scipy.signal import bessel, filtfilt

        v = filtfilt(*bessel(4, 0.1, "low"), v)
    return np.diff(v) / steps * 1e-3


def legacy_spikes(v: np.ndarray, i: np.ndarray, t: np.ndarray, onset: float, duration: float) -> dict[str, np.ndarray]:
    """Spikes of a sweep within [onset, onset + duration), each with its features.

    v, i, t : (n,) mV, pA, s; onset, duration : s
    returns : :data:`SPIKE_FIELDS` -> (spikes,) arrays; times s, `width` ms, `f_slow_ahp_time` a fraction of the time
        from the peak to the next threshold. Voltages are those of the unfiltered trace; NaN where the next spike comes
        before the slow part.
    """
    start, stop = (int(np.searchsorted(t, at)) for at in (onset, onset + duration))
    slope = legacy_slope(v, t)
    found = _crossings(slope, start, stop)
    peaks, upstrokes, own, thresholds = _refined(v, t, slope, found, stop)
    rows = [
        _spike(v, i, t, slope, *where)
        for where in zip(peaks, upstrokes, own, thresholds, [*thresholds[1:], stop][: len(peaks)], strict=True)
    ]
    return {
        name: np.array([row[name] for row in rows], np.int64 if kind == pa.int64() else np.float64)
        for name, kind in SPIKE_FIELDS.items()
    }


def legacy_sweep(
    v: np.ndarray, t: np.ndarray, spikes: dict[str, np.ndarray], onset: float, duration: float
) -> dict[str, float]:
    """What the legacy extractor says of a whole sweep, given its spikes.

    returns : `base_v` mV, mean between 100 and 1 ms before the onset; `n_spikes`; `rate` spikes/s; `adapt` for 4
        spikes or more; `isi_cv` for 3 or more (population deviation); `doublet` the first interval, `latency`,
        `latency_n30` (until -30 mV) and `isi_avg` in ms. NaN where undefined.
    """
    first, last = int(np.searchsorted(t, onset - 0.1, "right")), int(np.searchsorted(t, onset - 0.001))
    times = spikes["threshold_t"]
    intervals = np.diff(times)
    n = len(times)
    rises = np.diff(intervals) / (intervals[1:] + intervals[:-1]) if n > 2 else np.empty(0)
    return {
        "base_v": float(np.mean(v[first:last])) if last > first else np.nan,
        "n_spikes": n,
        "rate": n / duration,
        "adapt": float(np.mean(rises)) if n > 3 else np.nan,
        "isi_cv": float(np.std(intervals) / np.mean(intervals)) if n > 2 else np.nan,
        "doublet": 1e3 * float(intervals[0]) if n > 1 else np.nan,
        "latency": 1e3 * float(times[0] - onset) if n else np.nan,
        "latency_n30": 1e3 * float(spikes["t_n30"][0] - onset) if n else np.nan,
        "isi_avg": 1e3 * float(np.mean(intervals)) if n > 1 else np.nan,
    }


def _crossings(slope: np.ndarray, start: int, stop: int) -> np.ndarray:
    """Samples before the slope reaches the cutoff, where it was negative at least once since the crossing before."""
    inside = slope[start:stop]
    candidates = np.flatnonzero((inside[:-1] < CUTOFF) & (inside[1:] >= CUTOFF))
    if len(candidates) < 2:
        return candidates + start
    falls = np.concatenate([[0], np.cumsum(inside < 0)])
    dipped = falls[candidates[1:]] > falls[candidates[:-1]]
    return candidates[np.concatenate([[True], dipped])] + start


def _refined(
    v: np.ndarray, t: np.ndarray, slope: np.ndarray, found: np.ndarray, stop: int
) -> tuple[list[int], list[int], list[int], list[int]]:
    """Peaks, upstrokes, own thresholds and common ones of the spikes that are fast and high enough."""
    kept: list[tuple[int, int, int]] = []
    previous = 0
    for at, until in zip(found, np.append(found[1:], stop)[: len(found)], strict=True):
        peak = int(at + np.argmax(v[at:until]))
        if until == stop and (peak == stop - 1 or peak == at):
            continue  # cut off by the end of the window
        upstroke = int(at + np.argmax(slope[at:peak])) if peak > at else int(at)
        threshold = _threshold(slope, previous, upstroke, THRESHOLD_FRACTION * slope[upstroke])
        if t[peak] - t[threshold] > MAX_RISE or v[peak] - v[threshold] < MIN_HEIGHT or v[peak] < MIN_PEAK:
            continue
        kept.append((peak, upstroke, threshold))
        previous = upstroke
    if not kept:
        return [], [], [], []
    peaks, upstrokes, own = (list(column) for column in zip(*kept, strict=True))
    target = THRESHOLD_FRACTION * float(np.mean(slope[upstrokes]))
    befores = [0, *peaks[:-1]]
    return peaks, upstrokes, own, [_threshold(slope, b, u, target) for b, u in zip(befores, upstrokes, strict=True)]


def _threshold(slope: np.ndarray, first: int, upstroke: int, target: float) -> int:
    """The last sample before the upstroke where the slope is no steeper than the target; the upstroke if none is."""
    below = np.flatnonzero(slope[first:upstroke] <= target)
    return first + int(below[-1]) if len(below) else upstroke


def _spike(
    v: np.ndarray,
    i: np.ndarray,
    t: np.ndarray,
    slope: np.ndarray,
    peak: int,
    upstroke: int,
    own: int,
    threshold: int,
    until: int,
) -> dict[str, float]:
    """One spike's features; ``until`` is the next threshold or the end of the window.

    ``own`` is the threshold by the spike's own upstroke, from which the reference takes the rise and the width at half
    height, although it reports the other.
    """
    until = max(until, peak + 1)  # the next threshold may lie before a peak in noise
    trough = peak + int(np.argmin(v[peak:until]))
    downstroke = peak + int(np.argmin(slope[peak:until]))
    early = int(np.searchsorted(t, t[peak] + FAST_AHP))
    fast = peak + int(np.argmin(v[peak : min(early, until)]))
    slow = early + int(np.argmin(v[early:until])) if early < until else trough
    end = t[until] if until < len(t) else t[-1]
    above = np.flatnonzero(v[threshold:peak] >= MIN_PEAK)
    n30 = threshold + int(above[0]) if len(above) else threshold
    steep = np.flatnonzero(v[threshold:upstroke] >= v[threshold] + RAMP)
    past = threshold + int(steep[0]) if len(steep) else upstroke
    return {
        "peak_index": peak, "f_peak": v[peak], "f_peak_i": i[peak], "f_peak_t": t[peak],
        "upstroke": slope[upstroke], "upstroke_index": upstroke, "upstroke_v": v[upstroke],
        "upstroke_i": i[upstroke], "upstroke_t": t[upstroke],
        "threshold_index": threshold, "threshold_v": v[threshold], "threshold_i": i[threshold],
        "threshold_t": t[threshold], "rise_time": t[peak] - t[own],
        "half_height_width": _half_height_width(v, t, own, peak),
        "n30_index": n30, "t_n30": t[n30], "thresh_ramp": slope[past] - slope[threshold],
        "downstroke_index": downstroke, "downstroke_v": v[downstroke], "downstroke_i": i[downstroke],
        "downstroke_t": t[downstroke], "downstroke": slope[downstroke],
        "trough_index": trough, "f_trough": v[trough], "f_trough_i": i[trough], "f_trough_t": t[trough],
        "f_fast_ahp": v[fast], "f_fast_ahp_i": i[fast], "f_fast_ahp_t": t[fast],
        "f_slow_ahp": v[slow], "f_slow_ahp_time": (t[slow] - t[peak]) / (end - t[peak]), "f_slow_ahp_t": t[slow],
        "width": 1e3 * _time_above(v, t, threshold, trough, (v[peak] + v[trough]) / 2),
    }  # fmt: skip


def _half_height_width(v: np.ndarray, t: np.ndarray, threshold: int, peak: int) -> float:
    """Time from the first sample at or above half of threshold-peak to the first one after the peak below it."""
    level = (v[peak] + v[threshold]) / 2
    rise = np.flatnonzero(v[threshold:peak] >= level)
    if not len(rise):
        return np.nan
    start = threshold + int(rise[0])
    fall = np.flatnonzero(v[start:] < level)
    return float(t[start + fall[0]] - t[start]) if len(fall) else np.nan


def _time_above(v: np.ndarray, t: np.ndarray, first: int, stop: int, level: float) -> float:
    """Time from the first to the last sample above a level."""
    above = np.flatnonzero(v[first:stop] > level)
    return float(t[first + above[-1]] - t[first + above[0]]) if len(above) else np.nan


_SPIKES = pa.list_(pa.struct(list(SPIKE_FIELDS.items())))
_SWEEP = pa.struct([(name, pa.int32() if name == "n_spikes" else pa.float64()) for name in SWEEP_FIELDS])
_SAMPLES = pa.list_(pa.float32())


@udf(
    args=[_SAMPLES, _SAMPLES, pa.float64(), pa.float64(), pa.float64()],
    returns=pa.struct([*_SWEEP, ("spikes", _SPIKES)]),
)
def legacy_features(
    response: Ragged, stimulus: Ragged, sampling_rate: np.ndarray, onset: np.ndarray, duration: np.ndarray
) -> dict[str, object]:
    """Sweeps and their spikes as the deprecated extractor of the reference sees them.

    response, stimulus : ragged, one row a sweep, V, A
    sampling_rate : (rows,) Hz; onset, duration : (rows,) s
    returns : :data:`SWEEP_FIELDS`, and `spikes`, ragged of :data:`SPIKE_FIELDS`
    """
    sweeps: list[dict[str, float]] = []
    spikes: list[dict[str, np.ndarray]] = []
    for row in range(len(response)):
        v = response[row].astype(np.float64) * 1e3
        i = stimulus[row].astype(np.float64) * 1e12
        t = np.arange(len(v)) * (1.0 / sampling_rate[row])
        if len(v) < 2 or len(i) != len(v):
            found = {name: np.empty(0) for name in SPIKE_FIELDS}
            sweeps.append(dict.fromkeys(SWEEP_FIELDS, np.nan) | {"n_spikes": 0})
        else:
            found = legacy_spikes(v, i, t, onset[row], duration[row])
            sweeps.append(legacy_sweep(v, t, found, onset[row], duration[row]))
        spikes.append(found)
    offsets = np.cumsum([0, *(len(one["f_peak"]) for one in spikes)], dtype=np.int64)
    columns = {name: np.concatenate([one[name] for one in spikes]) for name in SPIKE_FIELDS} if spikes else {}
    return {
        **{name: np.array([one[name] for one in sweeps], np.float64) for name in SWEEP_FIELDS},
        "spikes": Ragged(columns or {name: np.empty(0) for name in SPIKE_FIELDS}, offsets),  # type: ignore[arg-type]
    }
