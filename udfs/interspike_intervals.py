"""Intervals between spikes: rates, adaptation, pauses and bursts (spec: cell_types SF-1 to SF-4, SF-10, SF-11)."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
import pyarrow as pa

from .registry import Ragged, udf
from .voltage_traces import FeatureError

_INTERVALS = pa.list_(pa.float64())


def get_isis(t: np.ndarray, spikes: np.ndarray) -> np.ndarray:
    """Intervals (s) between spikes given as indexes into t."""
    return np.diff(t[spikes]) if len(spikes) > 1 else np.empty(0)


def latency(t: np.ndarray, spikes: np.ndarray, start: float | None = None) -> float:
    """Time (s) from start, by default the first sample, to the first spike; NaN without one (SF-2)."""
    return float(t[spikes[0]] - (t[0] if start is None else start)) if len(spikes) else np.nan


def average_rate(t: np.ndarray, spikes: np.ndarray, start: float | None = None, stop: float | None = None) -> float:
    """Spikes in [start, stop], both edges included, over its length (SF-4), spikes/s."""
    start, stop = t[0] if start is None else start, t[-1] if stop is None else stop
    times = t[spikes]
    return float(np.count_nonzero((times >= start) & (times <= stop)) / (stop - start))


def norm_diff(a: np.ndarray) -> float:
    """Mean of (a[k+1] - a[k]) / (a[k+1] + a[k]); NaN for fewer than two values (SF-1).

    0 where all sums are nearly 0; a pair of zeros counts as 0, a pair that holds NaN not at all.
    """
    return _mean_ratio(a, 1)


def norm_sq_diff(a: np.ndarray) -> float:
    """Mean of (a[k+1] - a[k])**2 / (a[k+1] + a[k])**2, else as :func:`norm_diff`."""
    return _mean_ratio(a, 2)


def _mean_ratio(a: np.ndarray, power: int) -> float:
    a = np.asarray(a, np.float64)
    if len(a) < 2:
        return np.nan
    sums = a[1:] + a[:-1]
    if np.all(np.abs(sums) <= 1e-8):
        return 0.0
    with np.errstate(divide="ignore", invalid="ignore"):
        ratios = (np.diff(a) ** power) / sums**power
    ratios[(a[1:] == 0) & (a[:-1] == 0)] = 0
    valid = ratios[~np.isnan(ratios)]
    return float(valid.mean()) if len(valid) else np.nan


@udf(args=[_INTERVALS], returns=pa.float64())
def adaptation_index(intervals: Ragged) -> np.ndarray:
    """How intervals between spikes grow: :func:`norm_diff` of each list; positive where they grow (SF-1)."""
    return np.array([norm_diff(row) for row in intervals], np.float64)


@udf(args=[_INTERVALS], returns=pa.float64())
def norm_sq_difference(numbers: Ragged) -> np.ndarray:
    """Mean square of the relative differences of successive numbers of each list (:func:`norm_sq_diff`)."""
    return np.array([norm_sq_diff(row) for row in numbers], np.float64)


def isi_cv(isis: np.ndarray) -> float:
    """Standard deviation (of the population) over mean (SF-3); NaN without an interval."""
    return float(isis.std() / isis.mean()) if len(isis) else np.nan


def detect_pauses(
    isis: np.ndarray, isi_types: Sequence[str | None] | np.ndarray, cost_weight: float = 1.0
) -> np.ndarray:
    """Intervals without which the others are more regular than setting them apart costs (SF-10).

    Candidates, in this order: detours, then direct intervals longer than 3 medians of the direct ones. They are
    taken as long as the gain does not fall.

    isis : (n,) s; isi_types : (n,) direct or detour
    returns : indexes of the pauses, ascending
    Raises FeatureError for lists of different lengths.
    """
    isis, types = np.asarray(isis, np.float64), np.asarray(isi_types, object)
    if len(isis) != len(types):
        raise FeatureError(f"{len(isis)} intervals of {len(types)} types")
    direct = np.flatnonzero(types == "direct")
    if not len(direct):
        return np.empty(0, np.int64)
    long = direct[isis[direct] > 3 * np.median(isis[direct])]
    candidates = [*np.flatnonzero(types == "detour").tolist(), *long.tolist()]
    best, taken = 0.0, []
    normal = np.ones(len(isis), bool)
    for candidate in candidates:
        normal[candidate] = False
        rest = isis[normal]
        if len(rest) < 2:
            break
        benefit = isi_cv(isis) - isi_cv(rest)
        with np.errstate(divide="ignore"):
            cost = cost_weight * float(np.sum(rest.std() / np.abs(rest.mean() - isis[~normal])))
        net = benefit - cost
        if 0 < net < best:
            break
        best = max(best, net)
        taken.append(candidate)
    return np.array(sorted(taken) if best > 0 else [], np.int64)


def pause_metrics(
    isis: np.ndarray,
    isi_types: Sequence[str | None] | np.ndarray,
    duration: float,
    cost_weight: float = 1.0,
) -> tuple[int, float]:
    """Number of pauses, and their share of a duration (s)."""
    pauses = detect_pauses(isis, isi_types, cost_weight)
    return (len(pauses), float(isis[pauses].sum() / duration)) if len(pauses) else (0, 0.0)


def pause_reliability(
    isis: np.ndarray, isi_types: Sequence[str | None] | np.ndarray, duration: float, cost_weights: Sequence[float]
) -> tuple[float, float, float, int]:
    """Pauses under several weights: mean number, mean share of the duration, reliability, and how many reach it.

    The reliability of a pause is the share of the weights under which it is found; the third result is the greatest.
    """
    runs = [detect_pauses(isis, isi_types, weight) for weight in cost_weights]
    found = np.concatenate(runs)
    if not len(found):
        return 0.0, 0.0, 0.0, 0
    times = np.bincount(found)
    share = float(np.mean([isis[run].sum() for run in runs]) / duration)
    highest = int(times.max())
    return float(np.mean([len(run) for run in runs])), share, highest / len(runs), int((times == highest).sum())


def detect_bursts(
    isis: np.ndarray,
    isi_types: Sequence[str | None] | np.ndarray,
    fast_trough_v: np.ndarray,
    fast_trough_t: np.ndarray,
    slow_trough_v: np.ndarray,
    slow_trough_t: np.ndarray,
    threshold_v: np.ndarray,
    tolerance: float = 0.5,
    pause_cost: float = 1.0,
) -> list[tuple[float, int, int]]:
    """Bursts: runs of direct intervals between detours, kept as far as they stand out (SF-11).

    This is the algorithm that the reference means: its own raises wherever there is something to score.

    All but the last two are (n_isis,), of the first spike of each interval; v in mV, t in s.
    returns : (index, first interval, interval after the last); index in [-1, 1], 1 for the most bursting
    Raises FeatureError for lists of different lengths, and where ends and beginnings do not match.
    """
    isis, n = np.asarray(isis, np.float64), len(isis)
    if n < 2:
        return []
    given = (isi_types, fast_trough_v, fast_trough_t, slow_trough_v, slow_trough_t, threshold_v)
    if any(len(one) != n for one in given):
        raise FeatureError("a burst needs types, troughs and thresholds for each interval")
    types = np.array(isi_types, object)
    types[detect_pauses(isis, types, pause_cost)] = "pauselike"
    if not {"direct", "detour"} <= set(types):
        return []
    with np.errstate(invalid="ignore"):
        types[(types == "detour") & (threshold_v < np.asarray(slow_trough_v) + tolerance)] = "midburst"
    bursts = _runs(types)
    if not bursts:
        return []
    steepness = (np.asarray(slow_trough_t) - fast_trough_t) / isis
    bursts = _best_subset(bursts, isis, steepness)
    return [
        (_burstiness(isis[a:b], _surroundings(isis, bursts, k)), a, b) for k, (a, b) in enumerate(bursts)
    ]  # fmt: skip


def _runs(types: np.ndarray) -> list[tuple[int, int]]:
    n = len(types)
    into = [k for k in range(n) if types[k] == "direct" and (k == 0 or types[k - 1] == "detour")]
    begins, ends = [], []
    for begin, following in pairwise([*into, n]):
        first = next((k for k in range(begin + 1, following) if types[k] in ("detour", "pauselike")), None)
        if first is None:
            begins.append(begin)
        elif types[first] == "detour":
            begins.append(begin)
            ends.append(first)
    if len(ends) == len(begins) - 1:
        ends.append(n)
    if len(ends) != len(begins):
        raise FeatureError(f"{len(begins)} bursts begin but {len(ends)} end")
    return list(zip(begins, ends, strict=True))


def _best_subset(bursts: list[tuple[int, int]], isis: np.ndarray, steepness: np.ndarray) -> list[tuple[int, int]]:
    """Bursts without those that score worst, as long as leaving one out raises the mean score."""
    scores = _scores(bursts, isis, steepness)
    best = float(scores.mean())
    while len(bursts) > 1:
        worst = int(np.argmin(scores))
        fewer = bursts[:worst] + bursts[worst + 1 :]
        scores_of_fewer = _scores(fewer, isis, steepness)
        if scores_of_fewer.mean() <= best:
            break
        bursts, scores, best = fewer, scores_of_fewer, float(scores_of_fewer.mean())
    return bursts if best >= 0 else []


def _scores(bursts: list[tuple[int, int]], isis: np.ndarray, steepness: np.ndarray) -> np.ndarray:
    outside = np.ones(len(isis), bool)
    for a, b in bursts:
        outside[a:b] = False
    if not outside.any():
        return np.full(len(bursts), -1e12)
    scores = []
    for a, b in bursts:
        score = _burstiness(isis[a:b], isis[outside]) - 0.1 * (b - a - 1)
        if b < len(isis):
            score -= 0.01 / steepness[b]
        if a > 0:
            score -= 0.01 / steepness[a - 1]
        scores.append(score)
    return np.array(scores)


def _surroundings(isis: np.ndarray, bursts: list[tuple[int, int]], k: int) -> np.ndarray:
    a, b = bursts[k]
    if k + 1 < len(bursts):
        return isis[b : bursts[k + 1][0]]
    if b < len(isis):
        return isis[b:]
    return isis[:a] if len(bursts) == 1 else isis[bursts[k - 1][1] : a]


def _burstiness(inside: np.ndarray, outside: np.ndarray) -> float:
    fast, slow = 1 / inside.min(), 1 / outside.min()
    return float((fast - slow) / (fast + slow))


def burst_metrics(bursts: list[tuple[float, int, int]]) -> tuple[float, int]:
    """Greatest index and number of bursts; (0, 0) for none."""
    return (max(index for index, _, _ in bursts), len(bursts)) if bursts else (0.0, 0)
