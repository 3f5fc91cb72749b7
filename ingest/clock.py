"""Spike times as ticks of the clock they were taken with, where that loses nothing.

A recording system counts samples; a file holds ``tick / rate - shift`` in seconds, already rounded. Ticks take a
third of the space (docs/spike-layout.md), but only a clock that gives every stored second back, bit by bit, may
replace them. The rate that a file declares is often rounded to 15 digits and the shift between the probe's and the
session's zero is not declared at all: both are recovered from the times themselves.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

# Clocks of recording systems and of text files with a fixed number of decimals, coarsest first (Hz).
COMMON_RATES = (
    1e3, 1e4, 2e4, 24_414.0625, 2.5e4, 3e4, 3.2e4, 32_556.0, 4e4, 44_100.0, 48_000.0, 5e4, 1e5, 1e6,
)  # fmt: skip

MAX_SHIFT_S = 64.0  # a probe is started at most this long before or after the session's zero
_MAX_TICK = 2.0**53  # beyond it a tick is not exact in float64
_ON_GRID = 0.05  # largest distance from a whole tick (ticks) at which a rate is still worth a search
_BATCH = 1 << 19


@dataclass(frozen=True)
class Clock:
    """``time = tick / rate - shift`` in float64, as SQL and numpy both compute it."""

    rate: float  # ticks/s
    shift: float = 0.0  # s

    def ticks(self, times: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Nearest ticks, and which of them give their time back bit by bit.

        times : (n,) float64, seconds
        returns : (n,) int64 ticks (0 where not exact), (n,) bool
        """
        nearest, exact = encode(times, self.rate, self.shift)
        return nearest, exact

    def times(self, ticks: np.ndarray) -> np.ndarray:
        """Seconds of int64 ticks."""
        return ticks / self.rate - self.shift


def encode(times: np.ndarray, rate: np.ndarray | float, shift: np.ndarray | float) -> tuple[np.ndarray, np.ndarray]:
    """:meth:`Clock.ticks` with one rate and shift for all times, or one for each (NaN: no clock)."""
    nearest = times + shift
    nearest *= rate
    np.rint(nearest, out=nearest)
    back = nearest / rate
    back -= shift
    # bits, not values: -0.0 would come back as 0.0
    exact = (back.view(np.int64) == times.view(np.int64)) & (np.abs(nearest) <= _MAX_TICK)
    if not exact.all():
        nearest[~exact] = 0.0
    return nearest.astype(np.int64), exact


def find_clock(times: np.ndarray, rates: Sequence[float] = (), *, shifted: bool = True) -> Clock | None:
    """The coarsest clock that gives every one of ``times`` back bit by bit, or None.

    times : (n,) float64, a sample of one device's times in seconds; 200 to 2,000 spread over the recording do
    rates : Hz, what the file declares for the device
    shifted : also recover a shift between the device's zero and the session's, for the declared rates
    """
    times = np.unique(np.asarray(times, np.float64))
    if not len(times) or not np.isfinite(times).all():
        return None
    declared = [float(r) for r in rates if np.isfinite(r) and r > 0]
    for rate in sorted({*declared, *COMMON_RATES}):
        if Clock(rate).ticks(times)[1].all():
            return Clock(rate)
    if shifted and len(times) > 8:  # fewer spikes agree with many shifts, and would gain nothing
        for rate in declared:
            if (clock := _recover(times, rate)) is not None:
                return clock
    return None


def _recover(times: np.ndarray, declared: float) -> Clock | None:
    """The clock near a declared rate, with an unknown shift.

    The distances between times are whole ticks whatever the shift is, so they say whether the rate fits at all, and
    what it is beyond its declared digits. Then every tick that the first time may have been gives, for each
    time, an interval of shifts that would round to it; the true one leaves an intersection.
    """
    span = times - times[0]
    steps = np.rint(span * declared)
    if np.abs(span * declared - steps).max() > _ON_GRID:
        return None
    for rate in _rates_near(declared, span, steps):
        for lead, low, high in _shifts(times, steps, rate):
            for shift in _floats_within(low, high):
                if np.array_equal((lead + steps) / rate - shift, times):
                    return Clock(float(rate), float(shift))
    return None


def _rates_near(declared: float, span: np.ndarray, steps: np.ndarray) -> Iterator[float]:
    """Floats next to the rate by least squares over all steps, nearest first.

    Text with 15 digits is up to 14 floats away from the rate that was used, so the search must know the float.
    """
    deviation = span - steps / declared
    slope = float(deviation @ steps) / max(float(steps @ steps), 1.0)
    best = 1.0 / (1.0 / declared + slope)
    ulp = np.spacing(declared)
    if abs(best - declared) > 64 * ulp:  # another rate altogether, not the declared one rounded
        return
    yield from (best, best + ulp, best - ulp, best + 2 * ulp, best - 2 * ulp)


def _shifts(times: np.ndarray, steps: np.ndarray, rate: float) -> Iterator[tuple[float, float, float]]:
    """First ticks and their intervals of shifts (s) that the rounding of every time admits, small shifts first."""
    middle = float(np.rint(times[0] * rate))
    # a spread of early and late times rejects a wrong tick soonest
    order = np.argsort(np.arange(len(times)) * 0.618_033_988_75 % 1.0)
    reach = int(MAX_SHIFT_S * rate)
    for start in range(0, reach, _BATCH):
        away = np.arange(start, min(start + _BATCH, reach), dtype=np.float64)
        lead = np.concatenate((middle + away, middle - away))
        low, high = np.full(len(lead), -np.inf), np.full(len(lead), np.inf)
        for i in order:
            shift = (lead + steps[i]) / rate - times[i]
            slack = np.spacing(abs(times[i])) / 2 + np.spacing(np.abs(shift)) / 2
            low, high = np.maximum(low, shift - slack), np.minimum(high, shift + slack)
            kept = low <= high
            lead, low, high = lead[kept], low[kept], high[kept]
            if not len(lead):
                break
        yield from zip(lead, low, high, strict=True)


def _floats_within(low: float, high: float) -> np.ndarray:
    """The floats of an interval, or 257 of them evenly spread, from the middle outwards."""
    middle = low / 2 + high / 2
    count = min(int((high - low) / np.spacing(abs(middle))) + 1, 256)
    found = np.unique(np.concatenate(([middle], np.linspace(low, high, count + 1))))
    return found[np.argsort(np.abs(found - middle))]
