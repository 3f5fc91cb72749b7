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
_ON_GRID = 1e-4  # ticks; rounding of times and of the declared rate moves a spike of three hours by less
_IN_CACHE = 1 << 15  # times
_FEWEST = 8  # fewer spikes agree with many shifts, and would gain nothing
_FIRST_BATCH, _BATCH = 1 << 15, 1 << 19  # ticks tried at once
_REJECTING, _REJECTING_MORE = 48, 1024  # times that leave few of them, then hardly any


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
        ticks, exact = np.empty(len(times), np.int64), np.empty(len(times), bool)
        self.encode(times, ticks, exact)
        return ticks, exact

    def encode(self, times: np.ndarray, ticks: np.ndarray, exact: np.ndarray) -> None:
        """:meth:`ticks` into arrays that are there, in pieces that stay in the processor's cache."""
        nearest, back = np.empty((2, min(len(times), _IN_CACHE)))
        for start in range(0, len(times), _IN_CACHE):
            some = times[start : start + _IN_CACHE]
            here, n = slice(start, start + len(some)), len(some)
            np.add(some, self.shift, out=nearest[:n])
            np.multiply(nearest[:n], self.rate, out=nearest[:n])
            np.rint(nearest[:n], out=nearest[:n])
            np.divide(nearest[:n], self.rate, out=back[:n])
            np.subtract(back[:n], self.shift, out=back[:n])
            # bits, not values: -0.0 would come back as 0.0
            np.equal(back[:n].view(np.int64), some.view(np.int64), out=exact[here])
            np.abs(nearest[:n], out=back[:n])
            exact[here] &= back[:n] <= _MAX_TICK
            if not exact[here].all():
                nearest[:n][~exact[here]] = 0.0
            ticks[here] = nearest[:n]

    def refuting(self, times: np.ndarray) -> np.ndarray:
        """The times next to a tick that do not come back: another clock's. Those far from any tick are of none."""
        ticks = (times + self.shift) * self.rate
        return times[~self.ticks(times)[1] & (np.abs(ticks - np.rint(ticks)) <= _ON_GRID)]

    def times(self, ticks: np.ndarray) -> np.ndarray:
        """Seconds of int64 ticks."""
        return ticks / self.rate - self.shift


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
    if shifted:
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
    times = _on_one_grid(times, declared)
    if len(times) <= _FEWEST:
        return None
    span = times - times[0]
    steps = np.rint(span * declared)
    rates = _rates_near(declared, span, steps)
    for start, stop in _distances(declared):
        for rate in rates:  # of a wrong rate no shift is right, so none is searched to the end before the next
            for lead, low, high in _shifts(times, steps, rate, start, stop):
                for shift in _floats_within(low, high):
                    if np.array_equal((lead + steps) / rate - shift, times):
                        return Clock(float(rate), float(shift))
    return None


def _on_one_grid(times: np.ndarray, rate: float) -> np.ndarray:
    """The times that are whole ticks apart, if nearly all are; a few may have been made up by other means."""
    for reference in times[:3]:
        ticks = (times - reference) * rate
        close = np.abs(ticks - np.rint(ticks)) <= _ON_GRID
        if close.mean() > 0.9:
            return times[close]
    return times[:0]


def _rates_near(declared: float, span: np.ndarray, steps: np.ndarray) -> list[float]:
    """Floats next to the rate by least squares over all steps, nearest first.

    Text with 15 digits is up to 14 floats away from the rate that was used, so the search must know the float.
    """
    deviation = span - steps / declared
    slope = float(deviation @ steps) / max(float(steps @ steps), 1.0)
    best = declared - slope * declared**2  # to first order, which is beyond the last digit
    ulp = float(np.spacing(declared))
    if abs(best - declared) > 64 * ulp:  # another rate altogether, not the declared one rounded
        return []
    return [best, best + ulp, best - ulp]


def _distances(rate: float) -> Iterator[tuple[int, int]]:
    """Ranges of shifts to try together, in ticks; small shifts first, as most are."""
    reach, start = int(MAX_SHIFT_S * rate), 0
    while start < reach:
        stop = min(max(2 * start, _FIRST_BATCH), start + _BATCH, reach)
        yield start, stop
        start = stop


def _shifts(
    times: np.ndarray, steps: np.ndarray, rate: float, start: int, stop: int
) -> Iterator[tuple[float, float, float]]:
    """First ticks so far from the unshifted one, and the interval of shifts (s) that every time's rounding admits."""
    middle = float(np.rint(times[0] * rate))
    half_ulp = np.spacing(np.abs(times)) / 2
    # a spread of early and late times rejects a wrong tick soonest
    order = np.argsort(np.arange(len(times)) * 0.618_033_988_75 % 1.0)
    away = np.arange(start, stop, dtype=np.float64)
    lead = np.concatenate((middle + away, middle - away))
    low, high = np.full(len(lead), -np.inf), np.full(len(lead), np.inf)
    widest = float(np.spacing((stop + 1) / rate)) / 2  # one slack for all shifts of the range: a little generous
    for i in order[:_REJECTING]:
        shift = (lead + steps[i]) / rate - times[i]
        slack = half_ulp[i] + widest
        low, high = np.maximum(low, shift - slack), np.minimum(high, shift + slack)
        kept = low <= high
        lead, low, high = lead[kept], low[kept], high[kept]
    more = order[_REJECTING : _REJECTING + _REJECTING_MORE]
    shifts = (lead[:, None] + steps[more]) / rate - times[more]
    slack = half_ulp[more] + widest
    lead = lead[(shifts - slack).max(1, initial=-np.inf) <= (shifts + slack).min(1, initial=np.inf)]
    for one in lead:  # few are left, and each of all times must admit them
        shift = (one + steps) / rate - times
        slack = half_ulp + np.spacing(np.abs(shift)) / 2
        lowest, highest = float((shift - slack).max()), float((shift + slack).min())
        if lowest <= highest:
            yield float(one), lowest, highest


def _floats_within(low: float, high: float) -> np.ndarray:
    """The floats of an interval, or 257 of them evenly spread, from the middle outwards."""
    middle = low / 2 + high / 2
    count = min(int((high - low) / np.spacing(abs(middle))) + 1, 256)
    found = np.unique(np.concatenate(([middle], np.linspace(low, high, count + 1))))
    return found[np.argsort(np.abs(found - middle))]
