"""What follows a spike's peak, and how wide the spike is (spec: cell_types EF-9, EF-10)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from .trace_scans import first_at_least, first_at_most, last_at_most, lowest_in
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
    until = np.append(thresholds[whole[1:]], last)[: len(whole)]
    steepest = lowest_in(dvdt, peaks[whole], until)
    at = first_at_least(dvdt, _or(steepest, until), until, rules.end_fraction * dvdt[steepest])
    is_over = at >= 0
    clipped[whole[~is_over]] = True
    whole, until, at = whole[is_over], until[is_over], at[is_over]
    if not len(whole):
        return details
    # An ADP begins and peaks within a time of the fast trough: the heavily filtered slope matters no further.
    reach = max(rules.flat_interval, rules.adp_max_dt)
    near = np.minimum(np.searchsorted(t, t[at] + reach, side="right") + 1, until)
    heavy = heavy_dvdt(at, near)
    rise = first_at_least(heavy, at, near, rules.adp_dvdt)
    rise[(rise >= 0) & (t[rise] - t[at] >= rules.flat_interval)] = -1
    adp = first_at_most(heavy, _or(rise, near), near, 0.0)
    after_adp = lowest_in(v, _or(adp, until), until)
    is_adp = (
        (adp >= 0)
        & (v[adp] - v[after_adp] >= rules.tolerance)
        & (v[adp] - v[at] <= rules.adp_max_dv)
        & (t[adp] - t[at] <= rules.adp_max_dt)
    )
    slow = np.where(is_adp, after_adp, lowest_in(v, at, until))
    is_detour = is_adp | (v[at] - v[slow] >= rules.tolerance)
    details.fast_trough[whole] = at
    details.isi_type[whole] = np.where(is_detour, "detour", "direct")
    details.adp[whole] = np.where(is_adp, adp, np.nan)
    details.slow_trough[whole] = np.where(is_detour, slow, np.nan)
    # after the last spike nothing ends a slow trough (EF-9)
    details.adp[-1] = details.slow_trough[-1] = np.nan
    return details


def _or(found: np.ndarray, otherwise: np.ndarray) -> np.ndarray:
    """Indexes, and where none was found others."""
    return np.where(found >= 0, found, otherwise)


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
    whole = np.flatnonzero(~np.isnan(fast_troughs) if clipped is None else ~np.isnan(fast_troughs) & ~clipped)
    starts, tops, ends = thresholds[whole], peaks[whole], fast_troughs[whole].astype(np.int64)
    levels = (v[tops] - v[ends]) / 2 + v[ends]
    levels = np.where(levels < v[starts], (v[tops] - v[starts]) / 2 + v[starts], levels)
    rising, falling = last_at_most(v, starts + 1, tops + 1, levels), first_at_most(v, tops, ends, levels)
    is_told = (rising >= 0) & (falling >= 0)
    widths[whole[is_told]] = t[falling[is_told]] - t[rising[is_told]]
    return widths
