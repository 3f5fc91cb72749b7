"""When a current injection begins and ends, and how strong it is (spec: cell_types ST-1 to ST-6)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from .registry import Ragged, udf
from .sweep_traces import SAMPLES, Samples, samples_at
from .voltage_traces import FeatureError

_NONE = -1


@dataclass(frozen=True)
class StimulusShape:
    """A step or the like: start_time and duration in s, amplitude in the current's unit, samples [start, stop)."""

    start_time: float = np.nan
    duration: float = np.nan
    amplitude: float = np.nan
    start_index: int | None = None
    stop_index: int | None = None


def get_stim_characteristics(i: np.ndarray, t: np.ndarray, no_test_pulse: bool = False) -> StimulusShape:
    """From the second change of the current (the first, if no test pulse precedes) to the last (ST-1).

    Without any change: amplitude 0 and nothing else.
    Raises FeatureError for a single change where a test pulse is taken for granted.
    """
    changes = np.flatnonzero(np.diff(i))
    if not len(changes):
        return StimulusShape(amplitude=0.0)
    skipped = 0 if no_test_pulse else 1
    if len(changes) <= skipped:
        raise FeatureError("the current changes once only, which is taken for the test pulse")
    return _step(i, t, changes[skipped] + 1, changes[-1] + 1)


def get_square_stim_characteristics(
    i: np.ndarray, t: np.ndarray, no_test_pulse: bool = False, nan_if_incomplete: bool = False
) -> StimulusShape:
    """The step from the second rise (fall) of the current to its second fall (rise), whichever is first (ST-2).

    no_test_pulse : take the first of each
    nan_if_incomplete : nothing, rather than an error, for fewer than two rises or falls (ST-4)
    Raises FeatureError where there are too few.
    """
    change = np.diff(i)
    up, down = np.flatnonzero(change > 0), np.flatnonzero(change < 0)
    if nan_if_incomplete and min(len(up), len(down)) < 2:
        return StimulusShape()
    which = 0 if no_test_pulse else 1
    if min(len(up), len(down)) <= which:
        raise FeatureError(
            f"the current rises {len(up)} and falls {len(down)} times: no square step after a test pulse"
        )
    start, stop = sorted((up[which], down[which]))
    return _step(i, t, start + 1, stop + 1)


def _step(i: np.ndarray, t: np.ndarray, start: int, stop: int) -> StimulusShape:
    return StimulusShape(float(t[start]), float(t[stop] - t[start]), float(i[start]), int(start), int(stop))


def get_ramp_stim_characteristics(i: np.ndarray, t: np.ndarray) -> tuple[float, int]:
    """Time and sample after the second rise of the current, where a ramp begins (ST-3).

    Raises FeatureError for fewer than two rises.
    """
    up = np.flatnonzero(np.diff(i) > 0)
    if len(up) < 2:
        raise FeatureError("the current rises less than twice: no ramp after a test pulse")
    return float(t[up[1] + 1]), int(up[1] + 1)


def find_stim_start(stimulus: np.ndarray, first: int = 0) -> int:
    """Sample after the first change at or after a sample; -1 for none (ST-5)."""
    changes = np.flatnonzero(np.diff(stimulus[max(first, 0) :]))
    return int(changes[0]) + max(first, 0) + 1 if len(changes) else _NONE


def find_sweep_stim_start(stimulus: np.ndarray, sampling_rate: float) -> float:
    """Time (s) of the first change later than 0.4 s; negative for none (ST-5)."""
    return find_stim_start(stimulus, int(0.4 * sampling_rate)) / sampling_rate


def coarse_amplitude_step(amplitudes: np.ndarray) -> float:
    """Smallest positive difference, rounded to whole units, between sorted amplitudes; 0 for none (ST-6)."""
    differences = np.round(np.diff(np.sort(amplitudes)))
    positive = differences[differences > 0]
    return float(positive.min()) if len(positive) else 0.0


_SHAPE = pa.struct(
    [
        ("start_time", pa.float64()),
        ("duration", pa.float64()),
        ("amplitude_pa", pa.float64()),
        ("start_index", pa.int64()),
        ("stop_index", pa.int64()),
        ("error", pa.string()),
    ]
)


@udf(args=[pa.list_(pa.float32()), pa.float64(), pa.string(), pa.bool_()], returns=_SHAPE)
def stimulus_shape(
    stimulus: Ragged, sampling_rate: np.ndarray, kind: np.ndarray, no_test_pulse: np.ndarray
) -> dict[str, np.ndarray]:
    """When the stimulus of each sweep begins and ends, and how strong it is.

    stimulus : ragged, A; sampling_rate : (rows,) Hz
    kind : any (from the second change to the last), square (the second step up and down), square_or_none (the same,
        without error where there is none), ramp (the second step up, no end)
    no_test_pulse : the first instead of the second
    returns : start_time, duration (s), amplitude_pa, start_index, stop_index (exclusive), and error where they
        cannot be told
    """
    shapes: list[StimulusShape] = []
    errors: list[str | None] = []
    for row, current in enumerate(stimulus):
        try:
            shapes.append(_shape_of(current, sampling_rate[row], kind[row], bool(no_test_pulse[row])))
            errors.append(None)
        except FeatureError as error:
            shapes.append(StimulusShape())
            errors.append(str(error))
    indexes = {
        name: np.array([np.nan if getattr(s, name) is None else getattr(s, name) for s in shapes], np.float64)
        for name in ("start_index", "stop_index")
    }
    return {
        "start_time": np.array([s.start_time for s in shapes], np.float64),
        "duration": np.array([s.duration for s in shapes], np.float64),
        "amplitude_pa": np.array([s.amplitude * 1e12 for s in shapes], np.float64),
        **indexes,
        "error": np.array(errors, object),
    }


def _shape_of(current: np.ndarray, sampling_rate: float, kind: str, no_test_pulse: bool) -> StimulusShape:
    t = np.arange(len(current)) * (1.0 / sampling_rate)
    if kind == "any":
        return get_stim_characteristics(current, t, no_test_pulse)
    if kind in ("square", "square_or_none"):
        return get_square_stim_characteristics(current, t, no_test_pulse, kind == "square_or_none")
    if kind == "ramp":
        start_time, start = get_ramp_stim_characteristics(current, t)
        return StimulusShape(start_time, amplitude=float(current[start]), start_index=start)
    raise FeatureError(f"{kind} is no kind of stimulus: any, square, square_or_none or ramp")


def find_test_pulse(i: np.ndarray) -> tuple[int, int] | None:
    """First and last sample of the step that begins a sweep: its first two changes, back to where the current began.

    None where the current changes twice only (that step is the stimulus), or does not come back with the second change.
    """
    changes = np.flatnonzero(np.diff(i))
    if len(changes) < 3 or i[changes[1] + 1] != i[0]:
        return None
    return int(changes[0]) + 1, int(changes[1])


_EPOCHS = pa.struct(
    [(f"{name}_index", pa.int64()) for name in ("test_pulse_start", "test_pulse_stop", "experiment_start")]
)


@udf(args=[pa.list_(pa.float32())], returns=_EPOCHS)
def infer_epochs(stimulus: Ragged) -> dict[str, np.ndarray]:
    """Where the test pulse of each sweep lies, and where after it the experiment begins (NW-9, ST-1).

    stimulus : ragged, A or V
    returns : test_pulse_start_index, test_pulse_stop_index (its last sample), NULL without a test pulse;
        experiment_start_index, then 0
    """
    found = [find_test_pulse(row) or (np.nan, np.nan) for row in stimulus]
    starts, stops = (np.array([one[k] for one in found], np.float64) for k in (0, 1))
    return {
        "test_pulse_start_index": starts,
        "test_pulse_stop_index": stops,
        "experiment_start_index": np.where(np.isnan(stops), 0.0, stops + 1),
    }


@udf(args=[SAMPLES, pa.float64()], returns=pa.float64())
def stimulus_start_time(stimulus: Samples, sampling_rate: np.ndarray) -> np.ndarray:
    """Time (s) of the first change of each sweep's stimulus later than 0.4 s; NULL for none (ST-5)."""
    rows = enumerate(sampling_rate.tolist())
    found = np.array([find_sweep_stim_start(np.asarray(samples_at(stimulus, k)), rate) for k, rate in rows], np.float64)
    return np.where(found < 0, np.nan, found)


@udf(args=[pa.list_(pa.float64())], returns=pa.float64())
def smallest_amplitude_step(amplitudes: Ragged) -> np.ndarray:
    """Smallest positive difference between amplitudes (pA), rounded to whole ones; 0 for none (ST-6)."""
    return np.array([coarse_amplitude_step(row) for row in amplitudes], np.float64)
