"""Time constants of the membrane, fitted to its charging (spec: cell_types SF-7, SF-12)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from .voltage_traces import FeatureError, calculate_dvdt, find_time_index

_MAX_RMSE = 1e-4  # the reference's limit, mV
_KEPT_DECAYS = 3  # both of a fit so far, and one of them changed a little


@dataclass(frozen=True)
class ExponentialFit:
    """y0 + a exp(-k x) with x from the first sample of the fit.

    a, y0 : mV; k : 1/s, all NaN where the fit does not converge
    mean_residual : fit - v, mV; rmse : root mean square of it, mV
    """

    a: float = np.nan
    k: float = np.nan
    y0: float = np.nan
    mean_residual: float = np.nan
    rmse: float = np.nan

    @property
    def is_accepted(self) -> bool:
        """As the reference judges: by the root of the mean residual, NaN where that is negative (SF-7)."""
        return not self.mean_residual > _MAX_RMSE**2

    def tau(self, max_rmse: float | None = None) -> float:
        """Time constant (s): NaN where the reference refuses the fit, or the rmse exceeds a limit (mV) if one is given."""
        accepted = self.is_accepted if max_rmse is None else self.rmse <= max_rmse
        return 1.0 / self.k if accepted else np.nan


def fit_membrane_time_constant(v: np.ndarray, t: np.ndarray, start: float, stop: float) -> ExponentialFit:
    """Exponential through the samples of [start, stop), least squares by Levenberg and Marquardt from (v[0] - v[-1], 50, v[-1]).

    v : (n,) mV; t : (n,) s. Raises FeatureError for fewer than three samples, or samples that are no numbers.
    """
    first, last = find_time_index(t, start), find_time_index(t, stop)
    y, x = np.asarray(v[first:last], np.float64), t[first:last] - t[first]
    guess = (v[first] - v[last], 50.0, v[last])
    backwards, curve_of = -x, np.empty_like(x)

    def curve(_: np.ndarray, a: float, k: float, y0: float) -> np.ndarray:
        np.multiply(backwards, k, out=curve_of)
        np.exp(curve_of, out=curve_of)
        np.multiply(curve_of, a, out=curve_of)
        return np.add(curve_of, y0, out=curve_of)

    found = _least_squares(curve, x, y, guess)
    if found is None:
        return ExponentialFit()
    residual = _exponential(x, *found) - y
    a, k, y0 = found.tolist()
    return ExponentialFit(a, k, y0, float(residual.mean()), float(np.sqrt((residual**2).mean())))


def _exponential(x: np.ndarray, a: float, k: float, y0: float) -> np.ndarray:
    return a * np.exp(-k * x) + y0


def _least_squares(curve, x: np.ndarray, y: np.ndarray, guess: tuple[float, ...]) -> np.ndarray | None:  # type: ignore[no-untyped-def]
    from scipy.optimize import OptimizeWarning, curve_fit

    if len(x) < len(guess) or not np.isfinite(y).all():
        raise FeatureError(f"an exponential cannot be fitted to {len(x)} samples")
    import warnings

    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore", OptimizeWarning)
        try:
            return curve_fit(curve, x, y, p0=guess)[0]
        except RuntimeError:
            return None


def fit_prespike_time_constant(
    v: np.ndarray,
    t: np.ndarray,
    start: float,
    spike_time: float,
    dv_limit: float = -0.001,
    tau_limit: float = 0.3,
    min_window: float = 0.0005,
    distinct_start: bool = False,
) -> float:
    """Slow time constant (s) of the charging before a late first spike, from a double exponential (SF-12).

    dv_limit : slope of ln(y0 - v) at which the charging is taken to begin to fail, 1000/s
    tau_limit : slow components slower than this (s) and less than twice as strong are taken for drift
    distinct_start : begin the fit with a fast and a slow component. The reference begins with two equal ones, where
        the equations are singular: what is found then depends on rounding, so on the version of the numerical library
    Raises FeatureError where the spike does not come after start.
    """
    first, last = find_time_index(t, start), find_time_index(t, spike_time)
    if last <= first:
        raise FeatureError("the spike comes before the window in which its delay is looked for")
    y, x = np.asarray(v[first:last], np.float64), t[first:last] - t[first]
    y0 = float(y.max()) + 5e-6  # mV: keeps the logarithm finite
    log = np.log(y0 - y)
    falling = np.flatnonzero(calculate_dvdt(log, t[first:last], 1.0) <= dv_limit)
    cut = len(x)
    if len(falling) and x[falling[0]] >= min_window:
        cut = int(falling[0])
    slope, intercept = np.polyfit(x[:cut], log[:cut], 1)
    amplitude = float(np.exp(intercept))

    backwards, one, two = -x, np.empty_like(x), np.empty_like(x)
    decays: dict[float, np.ndarray] = {}  # of the last time constants: a step of the fit mostly changes but one

    def decay(tau: float) -> np.ndarray:
        told = decays.pop(tau, None)
        if told is None:
            told = decays.pop(next(iter(decays))) if len(decays) == _KEPT_DECAYS else np.empty_like(x)
            np.divide(backwards, tau, out=told)
            np.exp(told, out=told)
        decays[tau] = told
        return told

    def curve(_: np.ndarray, a1: float, tau1: float, a2: float, tau2: float) -> np.ndarray:
        np.multiply(decay(tau1), a1, out=one)
        np.multiply(decay(tau2), a2, out=two)
        np.add(one, y0, out=one)
        np.add(one, two, out=one)
        return np.add(one, 1e6, out=one) if min(tau1, tau2) < 0 else one

    fast_share, slow_share = (0.5, 2.0) if distinct_start else (1.0, 1.0)
    guess = (-amplitude / 2, -fast_share / slope, -amplitude / 2, -slow_share / slope)
    found = _least_squares(curve, x, y, guess)
    if found is None:
        return float(-1.0 / slope)
    (a_fast, fast), (a_slow, slow) = sorted((found[:2], found[2:]), key=lambda pair: pair[1])
    if abs(a_fast) > abs(a_slow):
        return float(fast)
    if (slow - fast) / slow <= 0.1:
        return float(slow)
    return float(fast if slow > tau_limit and a_slow / a_fast < 2 else slow)
