"""Measures of a recording's quality: noise, drift and stimulus of a sweep, resistances of a pipette (spec QC).

Traces are in V and A at a fixed rate; results in the units that quality criteria are published in (mV, pA, MOhm).
What cannot be measured is NaN, and the check that needs it fails with the reason "missing".
"""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from .registry import Ragged, udf

NOISE = 0.0015  # s, at the beginning and at the end of a sweep
STABILITY = 0.5  # s, before the stimulus and at the end of a sweep
ELECTRODE = 0.005  # s at the start of a sweep in the bath
PULSE = 0.001  # s, before the edges of a test pulse

_SAMPLES = pa.list_(pa.float32())


def mean_and_rms(v: np.ndarray) -> tuple[float, float]:
    """Mean of a segment and the root mean square of what deviates from it; (0, 0) of an empty one."""
    if not len(v):
        return 0.0, 0.0
    v = np.asarray(v, np.float64)
    return float(v.mean()), float(v.std())


def first_edge(stimulus: np.ndarray, start: int, corrected: bool = False) -> int:
    """Sample at which the stimulus first changes at or after ``start``.

    The reference looks for the first step up, and for a step down before it: without any step up it answers 0, so
    that a stimulus that only goes down is missed. ``corrected`` finds that one too.
    """
    change = np.diff(np.asarray(stimulus, np.float64)[start:])
    found = np.flatnonzero(change if corrected or np.any(change > 0) else [])
    return start + int(found[0]) + 1 if len(found) else 0


def signed_extreme(stimulus: np.ndarray) -> float:
    """The value of larger magnitude among greatest and smallest; the smallest of equals. NaN of no sample."""
    if not len(stimulus):
        return np.nan
    low, high = float(np.min(stimulus)), float(np.max(stimulus))
    return high if abs(high) > abs(low) else low


def pulse_interval(stimulus: np.ndarray) -> float:
    """Samples between the onsets of equal, equally spaced pulses; NaN unless there are two or more of these."""
    is_on = np.concatenate([[False], np.asarray(stimulus) != 0, [False]])
    edges = np.flatnonzero(np.diff(is_on))
    onsets, lengths = edges[::2], edges[1::2] - edges[::2]
    distances = np.diff(onsets)
    regular = len(distances) and np.all(distances == distances[0]) and np.all(lengths == lengths[0])
    return float(distances[0]) if regular else np.nan


def current_clamp_quality(
    v: np.ndarray,
    i: np.ndarray,
    sampling_rate: float,
    start: int,
    stop: int,
    is_ramp: bool = False,
    corrected: bool = False,
) -> dict[str, float]:
    """Noise, drift and stimulus of one current-clamp sweep.

    v, i : (n,) V, A; sampling_rate : Hz
    start, stop : first and last sample of the experiment (after the test pulse)
    is_ramp : a ramp gets no time to recover, so its end is not measured
    corrected : see :func:`first_edge`
    returns : the columns of :data:`SWEEP_FIELDS`; of the end NaN unless ``stop`` is the sweep's last sample
    """
    noise, stability = int(NOISE * sampling_rate), int(STABILITY * sampling_rate)
    result = dict.fromkeys(SWEEP_FIELDS, np.nan)
    result["is_complete"] = float(stop == len(v) - 1)
    result["pre_noise_rms_mv"] = 1e3 * mean_and_rms(v[start : start + noise])[1]
    if result["is_complete"] and not is_ramp:
        result["post_vm_mv"] = 1e3 * mean_and_rms(v[max(stop - stability, 0) : stop])[0]
        result["post_noise_rms_mv"] = 1e3 * mean_and_rms(v[max(stop - noise, 0) : stop])[1]
    at = first_edge(i, start, corrected)
    before = max(at - 1, 0)
    vm, rms = mean_and_rms(v[max(before - stability, 0) : before])
    result["slow_vm_mv"] = result["pre_vm_mv"] = 1e3 * vm
    result["slow_noise_rms_mv"] = 1e3 * rms
    result["vm_delta_mv"] = abs(result["pre_vm_mv"] - result["post_vm_mv"])
    on = np.flatnonzero(i[start:])
    result["stimulus_start_time"] = at / sampling_rate
    result["stimulus_amplitude_pa"] = 1e12 * signed_extreme(i[start:])
    result["stimulus_duration"] = float(on[-1] - on[0]) / sampling_rate if len(on) else 0.0
    result["stimulus_interval"] = pulse_interval(i[start:]) / sampling_rate
    return result


def pulse_resistance(command: np.ndarray, current: np.ndarray, sampling_rate: float) -> dict[str, float]:
    """Resistance seen by voltage pulses, mean over the pulses of a voltage-clamp sweep.

    command, current : (n,) V, A; sampling_rate : Hz
    returns : `steady_ohm`, from the last millisecond of the pulse against the last before it (each ending a sample
        before the edge), and `peak_ohm`, from the largest current within the pulse. NaN where steps up and down do
        not pair, or nothing precedes the pulse.
    """
    change = np.diff(np.asarray(command, np.float64))
    ups, downs = np.flatnonzero(change > 0), np.flatnonzero(change < 0)
    n = int(PULSE * sampling_rate)
    missing = {"steady_ohm": np.nan, "peak_ohm": np.nan}
    if not len(ups) or len(ups) != len(downs) or n < 1 or ups[0] <= n or np.any(downs - ups <= n):
        return missing
    steady, peak = [], []
    for up, down in zip(ups, downs, strict=True):
        base = slice(up - 1 - n, up - 1)
        end = slice(down - 1 - n, down - 1)
        v0, i0 = float(np.mean(command[base])), float(np.mean(current[base]))
        top = up + int(np.argmax(current[up:down]))
        steady.append(_ratio(float(np.mean(command[end])) - v0, float(np.mean(current[end])) - i0))
        peak.append(_ratio(float(command[top]) - v0, float(current[top]) - i0))
    return {"steady_ohm": float(np.mean(steady)), "peak_ohm": float(np.mean(peak))}


def _ratio(dv: float, di: float) -> float:
    return dv / di if di else np.nan


SWEEP_FIELDS = (
    "pre_noise_rms_mv", "post_noise_rms_mv", "slow_noise_rms_mv", "pre_vm_mv", "post_vm_mv", "slow_vm_mv",
    "vm_delta_mv", "stimulus_start_time", "stimulus_amplitude_pa", "stimulus_duration", "stimulus_interval",
    "is_complete",
)  # fmt: skip


@udf(
    args=[_SAMPLES, _SAMPLES, pa.float64(), pa.int64(), pa.int64(), pa.bool_(), pa.bool_()],
    returns=pa.struct([(name, pa.float64()) for name in SWEEP_FIELDS]),
)
def measure_sweep_quality(
    response: Ragged,
    stimulus: Ragged,
    sampling_rate: np.ndarray,
    start: np.ndarray,
    stop: np.ndarray,
    is_ramp: np.ndarray,
    corrected: np.ndarray,
) -> dict[str, np.ndarray]:
    """Noise, drift and stimulus of current-clamp sweeps.

    response, stimulus : ragged, one row a sweep, V, A; sampling_rate : (rows,) Hz
    start, stop : (rows,) first and last sample of the experiment; is_ramp, corrected : (rows,)
    returns : as :func:`current_clamp_quality`, `is_complete` as 0 or 1
    """
    rows = [
        current_clamp_quality(
            response[n].astype(np.float64), stimulus[n].astype(np.float64), sampling_rate[n], int(start[n]),
            int(stop[n]), bool(is_ramp[n]), bool(corrected[n]),
        )
        for n in range(len(response))
    ]  # fmt: skip
    return {name: np.array([row[name] for row in rows], np.float64) for name in SWEEP_FIELDS}


@udf(
    args=[_SAMPLES, _SAMPLES, pa.float64()],
    returns=pa.struct([("steady_ohm", pa.float64()), ("peak_ohm", pa.float64())]),
)
def measure_pulse_resistance(command: Ragged, current: Ragged, sampling_rate: np.ndarray) -> dict[str, np.ndarray]:
    """Resistance seen by the voltage pulses of voltage-clamp sweeps.

    command, current : ragged, one row a sweep, V, A; sampling_rate : (rows,) Hz
    returns : as :func:`pulse_resistance`
    """
    rows = [
        pulse_resistance(command[n].astype(np.float64), current[n].astype(np.float64), sampling_rate[n])
        for n in range(len(command))
    ]
    return {name: np.array([row[name] for row in rows], np.float64) for name in ("steady_ohm", "peak_ohm")}


@udf(args=[_SAMPLES, pa.int64(), pa.int64()], returns=pa.float64())
def mean_of_samples(trace: Ragged, start: np.ndarray, stop: np.ndarray) -> np.ndarray:
    """Mean of samples [start, stop) of each trace, in float64; NULL of none."""
    parts = [trace[n][int(start[n]) : int(stop[n])] for n in range(len(trace))]
    return np.array([part.mean(dtype=np.float64) if len(part) else np.nan for part in parts])
