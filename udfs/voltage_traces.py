"""A voltage trace and its derivative: time look-ups, the Bessel filter, dV/dt (spec: cell_types EF-0, EF-1).

Traces are in the field's units: v in mV, i in pA, t in s; then dV/dt is in V/s.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache

import numpy as np

from .compiling import WORTH_COMPILING, compiled

_POLES = 4
_PADDING = 3 * (_POLES + 1)  # samples that a forward-backward filter mirrors at both ends


class FeatureError(ValueError):
    """A trace from which a feature cannot be told; in batches it becomes a row's `error`."""


def find_time_index(t: np.ndarray, time: float) -> int:
    """First sample at or after a time (EF-0).

    t : (n,) s, ascending
    Raises FeatureError where the trace ends before.
    """
    index = int(np.searchsorted(t, time, side="left"))
    if index == len(t):
        raise FeatureError(f"the trace ends before {time} s")
    return index


def has_fixed_dt(t: np.ndarray) -> bool:
    """Whether all time steps equal the first, within 1e-8 s + 1e-5 of it (EF-1: loose for steps of microseconds)."""
    steps = np.diff(t)
    return bool(np.all(np.abs(steps - steps[0]) <= 1e-8 + 1e-5 * abs(steps[0]))) if len(steps) else True


def average_voltage(v: np.ndarray, t: np.ndarray, start: float | None = None, stop: float | None = None) -> float:
    """Mean of v over [start, stop), by default from the first sample up to the last.

    Raises FeatureError where no sample is in between.
    """
    first = 0 if start is None else find_time_index(t, start)
    last = len(t) - 1 if stop is None else find_time_index(t, stop)
    if last <= first:
        raise FeatureError(f"no sample between {start} s and {stop} s")
    return float(v[first:last].mean())


@cache
def _bessel(wn: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    from scipy import signal

    b, a = signal.bessel(_POLES, wn, "low")
    return b, a, signal.lfilter_zi(b, a)


def bessel_lowpass(v: np.ndarray, filter_khz: float, sampling_rate: float) -> np.ndarray:
    """A trace through a 4-pole low-pass Bessel filter (phase-normalised), forward and backward: no delay.

    v : (n,); filter_khz : corner; sampling_rate : Hz
    Raises FeatureError unless 0 < corner < sampling_rate / 2 and the trace is longer than the padding, 15 samples.
    """
    wn = round(filter_khz * 1000.0 / (sampling_rate / 2), 12)  # so that rounding of times does not design anew
    if not 0 < wn < 1:
        raise FeatureError(
            f"a filter of {filter_khz:g} kHz needs a sampling rate above {2 * filter_khz:g} kHz, not "
            f"{sampling_rate / 1000:g} kHz; take a lower filter_khz, or NULL for none"
        )
    if len(v) <= _PADDING:
        raise FeatureError(f"{len(v)} samples are too few to filter: more than {_PADDING} are needed")
    b, a, zi = _bessel(wn)
    v = np.asarray(v, np.float64)
    padded = np.concatenate([2 * v[0] - v[_PADDING:0:-1], v, 2 * v[-1] - v[-2 : -_PADDING - 2 : -1]])
    loop = compiled(_both_ways) if len(v) > WORTH_COMPILING else None
    if loop:
        loop(b, a, zi, padded)
    else:
        from scipy.signal import lfilter

        forth, _ = lfilter(b, a, padded, zi=zi * padded[0])
        back, _ = lfilter(b, a, forth[::-1], zi=zi * forth[-1])
        padded = back[::-1]
    return padded[_PADDING:-_PADDING]


def _both_ways(b, a, zi, x):  # type: ignore[no-untyped-def]
    """In place, in the transposed direct form II, whose sums are in the order of scipy's lfilter."""
    b0, b1, b2, b3, b4 = b[0], b[1], b[2], b[3], b[4]
    a1, a2, a3, a4 = a[1], a[2], a[3], a[4]
    n = len(x)
    for way in range(2):
        first = x[0] if way == 0 else x[n - 1]
        z0, z1, z2, z3 = zi[0] * first, zi[1] * first, zi[2] * first, zi[3] * first
        for k in range(n):
            at = k if way == 0 else n - 1 - k
            u = x[at]
            y = z0 + b0 * u
            z0 = z1 + b1 * u - a1 * y
            z1 = z2 + b2 * u - a2 * y
            z2 = z3 + b3 * u - a3 * y
            z3 = b4 * u - a4 * y
            x[at] = y


def calculate_dvdt(v: np.ndarray, t: np.ndarray, filter_khz: float | None = None) -> np.ndarray:
    """dV/dt between samples, low-pass filtered before where a corner is given and the time step is fixed (EF-1).

    v : (n,) mV; t : (n,) s
    returns : (n - 1,) V/s; shorter where times repeat, as entries of no value are left out, which shifts later
        indexes (kept as in the reference)
    Raises FeatureError as :func:`bessel_lowpass`.
    """
    return Trace(v, t).dvdt(filter_khz)


@dataclass
class Trace:
    """A sweep, with derivatives kept once computed.

    v : (n,) mV; t : (n,) s, ascending; i : (n,) pA or None
    Raises TypeError unless they are arrays, FeatureError unless their shapes agree.
    """

    v: np.ndarray
    t: np.ndarray
    i: np.ndarray | None = None
    _dvdt: dict[float | None, np.ndarray] = field(default_factory=dict, repr=False)
    _steps: np.ndarray | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not all(isinstance(x, np.ndarray) for x in (self.v, self.t)):
            raise TypeError("v and t must be numpy arrays")
        if self.v.shape != self.t.shape or (self.i is not None and self.i.shape != self.v.shape):
            raise FeatureError("v, t and i must have the same shape")

    @classmethod
    def sampled(cls, v: np.ndarray, sampling_rate: float, i: np.ndarray | None = None) -> Trace:
        """At a fixed rate (Hz) from time 0."""
        return cls(v, np.arange(len(v)) * (1.0 / sampling_rate), i)

    def __len__(self) -> int:
        return len(self.v)

    def __getitem__(self, window: slice) -> Trace:
        return Trace(self.v[window], self.t[window], None if self.i is None else self.i[window])

    @property
    def steps(self) -> np.ndarray:
        """Time steps, s."""
        if self._steps is None:
            self._steps = np.diff(self.t)
        return self._steps

    def dvdt(self, filter_khz: float | None) -> np.ndarray:
        """As :func:`calculate_dvdt`."""
        if filter_khz not in self._dvdt:
            v = np.asarray(self.v, np.float64)
            if filter_khz is not None and len(v) > 1 and has_fixed_dt(self.t):
                v = bessel_lowpass(v, filter_khz, 1.0 / (self.t[1] - self.t[0]))
            slope = np.diff(v)
            with np.errstate(divide="ignore", invalid="ignore"):
                slope /= self.steps
            slope *= 1e-3
            missing = np.isnan(slope)
            self._dvdt[filter_khz] = slope[~missing] if missing.any() else slope
        return self._dvdt[filter_khz]

    def index(self, time: float | None, default: int) -> int:
        """First sample at or after a time, or the default where none is given."""
        return default if time is None else find_time_index(self.t, time)
