"""A voltage trace and its derivative: time look-ups, the Bessel filter, dV/dt (spec: cell_types EF-0, EF-1).

Traces are in the field's units: v in mV, i in pA, t in s; then dV/dt is in V/s.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache, cached_property, lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import ArrayLike

from .compiling import worth_compiling
from .working_memory import empty

if TYPE_CHECKING:
    from .sweep_traces import PackedSamples

_POLES = 4
_PADDING = 3 * (_POLES + 1)  # samples that a forward-backward filter mirrors at both ends
_MEMORY = 0.012  # s, for a corner of 1 kHz: its slowest pole has then decayed to 1e-16


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
    return _is_fixed(np.diff(t))


def _is_fixed(steps: np.ndarray) -> bool:
    if not len(steps):
        return True
    tolerance = 1e-8 + 1e-5 * abs(steps[0])
    return bool(steps.max() - steps[0] <= tolerance and steps[0] - steps.min() <= tolerance)


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
    from scipy.signal import lfilter

    b, a, zi = _design(len(v), filter_khz, sampling_rate)
    padded = _padded(v)
    forth, _ = lfilter(b, a, padded, zi=zi * padded[0])
    back, _ = lfilter(b, a, forth[::-1], zi=zi * forth[-1])
    return back[::-1][_PADDING:-_PADDING]


def _padded(v: np.ndarray) -> np.ndarray:
    """Continued at both ends by what lies beside them, turned about the last sample."""
    padded = np.empty(len(v) + 2 * _PADDING)
    padded[_PADDING:-_PADDING] = v
    padded[:_PADDING] = 2 * padded[_PADDING] - v[_PADDING:0:-1]
    padded[-_PADDING:] = 2 * padded[-_PADDING - 1] - v[-2 : -_PADDING - 2 : -1]
    return padded


def _design(n: int, filter_khz: float, sampling_rate: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    wn = round(float(filter_khz * 1000.0 / (sampling_rate / 2)), 12)  # so that rounding of times does not design anew
    if not 0 < wn < 1:
        raise FeatureError(
            f"a filter of {filter_khz:g} kHz needs a sampling rate above {2 * filter_khz:g} kHz, not "
            f"{sampling_rate / 1000:g} kHz; take a lower filter_khz, or NULL for none"
        )
    if n <= _PADDING:
        raise FeatureError(f"{n} samples are too few to filter: more than {_PADDING} are needed")
    return _bessel(wn)


def _slopes(b, a, zi, v, begins, ends, per_step, room, slope):  # type: ignore[no-untyped-def]
    """Within each [begin, end): filtered both ways by itself, then the difference to the next sample, times per_step.

    The filter is in the transposed direct form II, whose sums are in the order of scipy's.

    room : for the longest of them, with its padding
    """
    b0, b1, b2, b3, b4 = b[0], b[1], b[2], b[3], b[4]
    a1, a2, a3, a4 = a[1], a[2], a[3], a[4]
    for stretch in range(len(begins)):
        begin, end = begins[stretch], ends[stretch]
        inner = end - begin
        n = inner + 2 * _PADDING
        x = room[:n]
        for k in range(_PADDING):
            x[k] = 2 * v[begin] - v[begin + _PADDING - k]
            x[n - 1 - k] = 2 * v[end - 1] - v[end - 1 - _PADDING + k]
        for k in range(inner):
            x[_PADDING + k] = v[begin + k]
        for way in range(2):
            at, step = (0, 1) if way == 0 else (n - 1, -1)
            z0, z1, z2, z3 = zi[0] * x[at], zi[1] * x[at], zi[2] * x[at], zi[3] * x[at]
            for _ in range(n):
                u = x[at]
                y = z0 + b0 * u
                z0 = z1 + b1 * u - a1 * y
                z1 = z2 + b2 * u - a2 * y
                z2 = z3 + b3 * u - a3 * y
                z3 = b4 * u - a4 * y
                x[at] = y
                at += step
        for k in range(inner - 1):
            slope[begin + k] = (x[_PADDING + k + 1] - x[_PADDING + k]) * per_step


def calculate_dvdt(v: np.ndarray, t: np.ndarray, filter_khz: float | None = None) -> np.ndarray:
    """dV/dt between samples, low-pass filtered before where a corner is given and the time step is fixed (EF-1).

    v : (n,) mV; t : (n,) s
    returns : (n - 1,) V/s; shorter where times repeat, as entries of no value are left out, which shifts later
        indexes (kept as in the reference)
    Raises FeatureError as :func:`bessel_lowpass`.
    """
    return Trace(v, t).dvdt(filter_khz)


@lru_cache(maxsize=8)  # the sweeps of a cell are of few lengths
def _times(n: int, sampling_rate: float) -> np.ndarray:
    t = np.arange(n, dtype=np.float64)
    t *= 1.0 / sampling_rate
    t.flags.writeable = False
    return t


@dataclass
class Trace:
    """A sweep, with derivatives kept once computed.

    v : (n,) mV; t : (n,) s, ascending; i : (n,) current or None, which is in pA once multiplied by i_factor
    sampling_rate : Hz, where it is known and fixed; else the steps of t are looked at
    Raises TypeError unless they are arrays, FeatureError unless their shapes agree.
    """

    v: np.ndarray
    t: np.ndarray
    i: np.ndarray | PackedSamples | None = None
    i_factor: float = 1.0
    sampling_rate: float | None = None
    _dvdt: dict[float | None, np.ndarray] = field(default_factory=dict, repr=False)
    _is_fixed: bool | None = field(default=None, repr=False)

    def __post_init__(self) -> None:
        if not all(isinstance(x, np.ndarray) for x in (self.v, self.t)):
            raise TypeError("v and t must be numpy arrays")
        if self.v.shape != self.t.shape or (self.i is not None and self.i.shape != self.v.shape):
            raise FeatureError("v, t and i must have the same shape")

    @classmethod
    def sampled(
        cls, v: np.ndarray, sampling_rate: float, i: np.ndarray | PackedSamples | None = None, i_factor: float = 1.0
    ) -> Trace:
        """At a fixed rate (Hz) from time 0."""
        return cls(v, _times(len(v), float(sampling_rate)), i, i_factor, sampling_rate)

    def __len__(self) -> int:
        return len(self.v)

    def __getitem__(self, window: slice) -> Trace:
        i = None if self.i is None else self.i[window]
        return Trace(self.v[window], self.t[window], i, self.i_factor, self.sampling_rate)

    def current(self, at: Any) -> Any:
        """Current (pA) at indexes. Raises FeatureError where it is not known."""
        if self.i is None:
            raise FeatureError("the sweep has no current")
        return np.asarray(self.i[at], np.float64) * self.i_factor

    @property
    def is_fixed(self) -> bool:
        """Whether its time step is fixed (EF-1)."""
        if self._is_fixed is None:
            self._is_fixed = self.sampling_rate is not None or has_fixed_dt(self.t)
        return self._is_fixed

    @cached_property
    def _has_nan(self) -> bool:
        return bool(np.isnan(np.sum(self.v)))

    @property
    def steps(self) -> np.ndarray | float:
        """Time from each sample to the next, s: one number where the rate is known."""
        return np.diff(self.t) if self.sampling_rate is None else 1.0 / self.sampling_rate

    def dvdt(self, filter_khz: float | None) -> np.ndarray:
        """As :func:`calculate_dvdt`."""
        if filter_khz not in self._dvdt:
            if filter_khz is not None and len(self) > 1 and self.is_fixed:
                slope = self._filtered_slope(filter_khz, np.array([0]), np.array([len(self)]))
            else:
                slope = np.diff(np.asarray(self.v, np.float64))
                with np.errstate(divide="ignore", invalid="ignore"):
                    slope *= 1e-3 / self.steps
            # Where times repeat nothing is told, and later indexes shift (EF-1).
            self._dvdt[filter_khz] = slope[~np.isnan(slope)] if np.isnan(np.sum(slope)) else slope
        return self._dvdt[filter_khz]

    def _filtered_slope(self, filter_khz: float, begins: np.ndarray, ends: np.ndarray) -> np.ndarray:
        """dV/dt, each [begin, end) filtered by itself; what lies between them means nothing."""
        rate = 1.0 / (self.t[1] - self.t[0])
        design = _design(int(np.min(ends - begins)), filter_khz, rate)
        slope = empty(len(self) - 1)
        per_step = 1.0 if self.sampling_rate is None else 1e-3 / (1.0 / self.sampling_rate)
        loop = worth_compiling(_slopes, int(np.sum(ends - begins)))
        if loop is not None:
            room = empty(int(np.max(ends - begins)) + 2 * _PADDING)
            loop(*design, np.ascontiguousarray(self.v, np.float64), begins, ends, per_step, room, slope)
        else:
            for begin, end in zip(begins.tolist(), ends.tolist(), strict=True):
                slope[begin : end - 1] = np.diff(bessel_lowpass(self.v[begin:end], filter_khz, rate)) * per_step
        if self.sampling_rate is None:
            with np.errstate(all="ignore"):  # times may repeat, and between stretches may lie anything
                slope *= 1e-3 / np.diff(self.t)
        return slope

    def check_filter(self, filter_khz: float | None) -> None:
        """Raises FeatureError as :func:`bessel_lowpass`, where a filter would be used."""
        if filter_khz is not None and len(self) > 1 and self.is_fixed:
            _design(len(self), filter_khz, 1.0 / (self.t[1] - self.t[0]))

    def dvdt_between(self, filter_khz: float | None, firsts: ArrayLike, lasts: ArrayLike) -> np.ndarray:
        """The same derivative, computed within each [first, last) only, to rounding; what lies between them means
        nothing, but that -inf ends them, for whoever looks back from the first.

        A sample further away than the filter remembers has no say in its result.

        firsts, lasts : (n,) indexes or one, ascending
        """
        if filter_khz is None or filter_khz in self._dvdt or not self.is_fixed or self._has_nan:
            return self.dvdt(filter_khz)
        around = self._memory(filter_khz)
        begins = np.maximum(np.atleast_1d(firsts) - around, 0)
        ends = np.minimum(np.atleast_1d(lasts) + around, len(self))
        apart = np.flatnonzero(begins[1:] > ends[:-1])  # the others overlap, and are computed at once
        begins, ends = begins[np.insert(apart + 1, 0, 0)], ends[np.append(apart, len(ends) - 1)]
        if np.sum(ends - begins) > 0.9 * len(self):
            return self.dvdt(filter_khz)
        slope = self._filtered_slope(filter_khz, begins, ends)
        if begins[0] > 0:
            slope[begins[0] - 1] = -np.inf
        return slope

    def dvdt_of_window(self, filter_khz: float | None, first: int, last: int, dvdt: np.ndarray) -> np.ndarray:
        """Derivative of [first, last) filtered by itself, to rounding: of the whole (dvdt), but for the ends.

        dvdt : as :meth:`dvdt_between` gives it
        """
        around = 0 if filter_khz is None or not self.is_fixed else self._memory(filter_khz)
        if len(dvdt) < len(self) - 1 or not around or last - first < 4 * around:
            return self[first:last].dvdt(filter_khz)
        window = dvdt[first : last - 1].copy()
        if first > 0:
            window[:around] = self[first : first + 2 * around].dvdt(filter_khz)[:around]
        if last < len(self):
            window[-around:] = self[last - 2 * around : last].dvdt(filter_khz)[-around:]
        return window

    def _memory(self, filter_khz: float) -> int:
        return int(_MEMORY / filter_khz / (self.t[1] - self.t[0])) + _PADDING

    def index(self, time: float | None, default: int) -> int:
        """First sample at or after a time, or the default where none is given."""
        return default if time is None else find_time_index(self.t, time)
