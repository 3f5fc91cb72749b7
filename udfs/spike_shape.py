"""What follows a spike's peak, and how wide the spike is (spec: cell_types EF-9, EF-10)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .voltage_traces import find_time_index

HEAVY_FILTER_KHZ = 1.0


@dataclass(frozen=True)
class TroughRules:
    """When the repolarisation of a spike is over, and what counts as an afterdepolarisation."""

    end_fraction: float = 0.01  # of the steepest fall: above it the spike is over
    adp_dvdt: float = 0.5  # rise of the heavily filtered trace that begins an ADP, V/s
    tolerance: float = 0.5  # fall that makes a slow trough, mV
    flat_interval: float = 0.002  # an ADP begins within this time of the fast trough, s
    adp_max_dt: float = 0.005  # and peaks within this, s
    adp_max_dv: float = 10.0  # not higher above the fast trough than this, mV


@dataclass(frozen=True)
class Troughs:
    """Of each spike: where its repolarisation ends, and what comes then. Indexes are float64, NaN for none."""

    isi_type: np.ndarray  # direct: v rises to the next spike; detour: by an ADP or a slow trough; None where clipped
    fast_trough: np.ndarray
    adp: np.ndarray
    slow_trough: np.ndarray
    clipped: np.ndarray


def analyze_trough_details(
    v: np.ndarray,
    t: np.ndarray,
    thresholds: np.ndarray,
    peaks: np.ndarray,
    dvdt: np.ndarray,
    heavy_dvdt: Callable[[np.ndarray, np.ndarray], np.ndarray],
    clipped: np.ndarray | None = None,
    stop: float | None = None,
    rules: TroughRules | None = None,
) -> Troughs:
    """Fast trough, afterdepolarisation (ADP) and slow trough of each spike, and the kind of the interval after it.

    heavy_dvdt : tells dV/dt of the trace filtered at 1 kHz, at least within each [first, last) that it is given
    returns : clipped holds also the spikes whose repolarisation does not end before the next
    """
    rules = rules or TroughRules()
    n = len(thresholds)
    clipped = np.zeros(n, bool) if clipped is None else clipped.copy()
    details = Troughs(np.full(n, None, object), np.full(n, np.nan), np.full(n, np.nan), np.full(n, np.nan), clipped)
    if not n:
        return details
    last = len(t) - 1 if stop is None else find_time_index(t, stop)
    whole = np.flatnonzero(~clipped)
    until = np.append(thresholds[whole[1:]], last)
    ends = [_fast_trough(dvdt, int(peaks[k]), stop_, rules) for k, stop_ in zip(whole, until, strict=False)]
    is_over = np.array([end is not None for end in ends], bool)
    clipped[whole[~is_over]] = True
    whole, until = whole[is_over], until[: len(whole)][is_over]
    at = np.array([end for end in ends if end is not None], np.int64)
    # An ADP begins and peaks within a time of the fast trough: the heavily filtered slope matters no further.
    reach = max(rules.flat_interval, rules.adp_max_dt)
    near = np.minimum(np.searchsorted(t, t[at] + reach, side="right") + 1, until)
    heavy = heavy_dvdt(at, near) if len(at) else dvdt
    for k, end, close, stop_ in zip(whole.tolist(), at.tolist(), near.tolist(), until.tolist(), strict=True):
        details.fast_trough[k] = end
        details.isi_type[k], details.adp[k], details.slow_trough[k] = _rest(v, t, end, close, stop_, heavy, rules)
    # after the last spike nothing ends a slow trough (EF-9)
    details.adp[-1] = details.slow_trough[-1] = np.nan
    return details


def _fast_trough(dvdt: np.ndarray, peak: int, until: int, rules: TroughRules) -> int | None:
    fall = dvdt[peak:until]
    if not len(fall):
        return None
    steepest = peak + int(np.argmin(fall))
    return _first(dvdt, steepest, until, rules.end_fraction * dvdt[steepest], above=True)


def _rest(
    v: np.ndarray, t: np.ndarray, end: int, near: int, until: int, heavy: np.ndarray, rules: TroughRules
) -> tuple[str, float, float]:
    """Kind of the interval, ADP and slow trough after a fast trough."""
    rise = _first(heavy, end, near, rules.adp_dvdt, above=True)
    if rise is not None and t[rise] - t[end] < rules.flat_interval:
        adp = _first(heavy, rise, near, 0.0, above=False)
        if adp is not None:
            slow = adp + int(np.argmin(v[adp:until]))
            if (
                v[adp] - v[slow] >= rules.tolerance
                and v[adp] - v[end] <= rules.adp_max_dv
                and t[adp] - t[end] <= rules.adp_max_dt
            ):
                return "detour", adp, slow
    slow = end + int(np.argmin(v[end:until]))
    return ("detour", np.nan, slow) if v[end] - v[slow] >= rules.tolerance else ("direct", np.nan, np.nan)


def _first(x: np.ndarray, start: int, stop: int, limit: float, above: bool) -> int | None:
    """First index in [start, stop) with x >= limit (or <=), looked for a stretch at a time."""
    stretch = 256
    while start < stop:
        part = x[start : min(start + stretch, stop)]
        if not len(part):
            return None
        at = int(np.argmax(part >= limit if above else part <= limit))
        if part[at] >= limit if above else part[at] <= limit:
            return start + at
        start, stretch = start + len(part), stretch * 4
    return None


def find_widths(
    v: np.ndarray,
    t: np.ndarray,
    thresholds: np.ndarray,
    peaks: np.ndarray,
    fast_troughs: np.ndarray,
    clipped: np.ndarray | None = None,
) -> np.ndarray:
    """Time between the samples around each peak that are at half of its height above the fast trough (EF-10).

    Where that level is below threshold, half of the height above threshold.

    fast_troughs : (n_spikes,) float64, NaN for none
    returns : (n_spikes,) s; NaN where clipped, or v does not pass the level on a side
    """
    widths = np.full(len(thresholds), np.nan)
    for k in np.flatnonzero(~np.isnan(fast_troughs)).tolist():
        if clipped is not None and clipped[k]:
            continue
        threshold, peak, trough = int(thresholds[k]), int(peaks[k]), int(fast_troughs[k])
        level = (v[peak] - v[trough]) / 2 + v[trough]
        if level < v[threshold]:
            level = (v[peak] - v[threshold]) / 2 + v[threshold]
        rising = np.flatnonzero(v[threshold + 1 : peak + 1] <= level)
        falling = np.flatnonzero(v[peak:trough] <= level)
        if len(rising) and len(falling):
            widths[k] = t[peak + falling[0]] - t[threshold + 1 + rising[-1]]
    return widths
