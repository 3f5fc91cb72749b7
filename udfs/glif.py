"""GLIF models simulated: configurations and a stimulus in, potential, threshold, currents and spikes out (GL).

Built-in rules run in a compiled loop, and in the same loop uncompiled where numba is not at hand; a model with a rule of
one's own runs by :meth:`.glif_neuron.GlifNeuron.run`. All three give the numbers of stepping in float64, in order.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa

from .compiling import WORTH_COMPILING, compiled
from .glif_neuron import BAD_RESET_SAMPLES, CROSSING, GlifNeuron, GlifRun
from .glif_rules import CODES, METHOD_TYPES, needed_parameters
from .registry import Ragged, udf

_NUMBERS, _STEPS = pa.list_(pa.float64()), pa.list_(pa.int64())
_TIMES = ("grid_spike_times", *CROSSING)
_RUN = pa.struct([
    ("dt", pa.float64()),
    ("voltage", _NUMBERS),
    ("threshold", _NUMBERS),
    ("ascurrents", pa.list_(_NUMBERS)),
    ("spike_time_steps", _STEPS),
    *((name, _NUMBERS) for name in _TIMES),
    ("is_bad_reset", pa.bool_()),
])  # fmt: skip


@udf(
    args=[pa.list_(pa.string()), _NUMBERS, pa.float64(), pa.float64(), pa.bool_()],
    returns=pa.list_(_RUN),
    nulls=True,
    keep_nan=True,
)
def run_glif(
    configs: Ragged, stimulus: Ragged, dt: np.ndarray, spike_cut_value: np.ndarray, traces: np.ndarray
) -> Ragged:
    """Every GLIF model of a row, run on the row's stimulus.

    configs : ragged, configurations in JSON, as the API publishes them
    stimulus : ragged, A
    dt : (rows,) s, instead of each configuration's own; NaN keeps that
    spike_cut_value : (rows,) V, what the potential is while a spike lasts; NaN keeps NaN there
    traces : (rows,) give potential, threshold and currents; otherwise they are empty lists, and only spikes are given
    returns : ragged of runs, in the order of the configurations; `ascurrents` is a list of samples for each current
    Raises ValueError naming what a configuration lacks.
    """
    n_steps = int((stimulus.lengths * configs.lengths).sum())
    runs: list[GlifRun] = []
    n_currents: list[int] = []
    for row in range(len(configs)):
        current = np.ascontiguousarray(stimulus[row], np.float64)
        for n, text in enumerate(configs[row]):
            try:
                neuron = GlifNeuron.from_json(text, dt[row])
                run = simulate(neuron, current, traces=bool(traces[row]), n_steps=n_steps)
            except ValueError as error:
                raise ValueError(f"model {n + 1} of {len(configs[row])} in the order of their ids: {error}") from None
            if not np.isnan(spike_cut_value[row]):
                np.copyto(run.voltage, spike_cut_value[row], where=np.isnan(run.voltage))
            runs.append(run)
            n_currents.append(run.ascurrents.shape[1])
    samples = [current for run in runs for current in run.ascurrents.T]
    offsets = np.concatenate([[0], np.cumsum(n_currents, dtype=np.int64)]).astype(np.int64)
    values: dict[str, Any] = {
        "dt": np.array([run.dt for run in runs], float),
        "voltage": Ragged.of([run.voltage for run in runs], np.float64),
        "threshold": Ragged.of([run.threshold for run in runs], np.float64),
        "ascurrents": Ragged(Ragged.of(samples, np.float64), offsets),  # type: ignore[arg-type]
        "spike_time_steps": Ragged.of([run.spike_time_steps for run in runs], np.int64),
        **{name: Ragged.of([getattr(run, name) for run in runs], np.float64) for name in _TIMES},
        "is_bad_reset": np.array([run.is_bad_reset for run in runs], bool),
    }
    return Ragged(values, configs.offsets)  # type: ignore[arg-type]


def simulate_glif(
    config: str | dict[str, Any] | GlifNeuron, stimulus: Sequence[float] | np.ndarray, dt: float | None = None
) -> GlifRun:
    """One GLIF model on one stimulus.

    config : a configuration, as JSON, as a dictionary or as a neuron; stimulus : (n,) A; dt : s, instead of its own
    """
    if isinstance(config, str):
        config = GlifNeuron.from_json(config, dt)
    elif not isinstance(config, GlifNeuron):
        config = GlifNeuron(config, dt)
    return simulate(config, np.ascontiguousarray(stimulus, np.float64))


def simulate(neuron: GlifNeuron, stimulus: np.ndarray, *, traces: bool = True, n_steps: int | None = None) -> GlifRun:
    """A neuron on a stimulus: compiled where its rules are built in.

    n_steps : of all the runs that are asked for, by which it is chosen whether to compile; by default of this one
    """
    numbers = _loop_numbers(neuron)
    if numbers is None:
        run = neuron.run(stimulus)
        return run if traces else _without_traces(run)
    n = len(stimulus)
    kept = n if traces else 0
    voltage, threshold = np.full(kept, np.nan), np.full(kept, np.nan)
    currents = np.full((kept, len(neuron.tau)), np.nan)
    most = n // (neuron.spike_cut_length + 1) + 1
    steps, found = np.empty(most, np.int64), np.empty((most, len(CROSSING)))
    loop: Callable[..., Any] = (compiled(_run) if (n_steps or n) > WORTH_COMPILING else None) or _run
    with np.errstate(invalid="ignore", over="ignore"):  # a model may leave all bounds, as the reference's does
        n_spikes, is_bad = loop(stimulus, *numbers, voltage, threshold, currents, steps, found)
    traced = (voltage, threshold, currents)
    return GlifRun.of(neuron.dt, traced, steps[:n_spikes].copy(), found[:n_spikes].T.copy(), bool(is_bad))


def _without_traces(run: GlifRun) -> GlifRun:
    none = np.empty(0)
    return replace(run, voltage=none, threshold=none, ascurrents=np.empty((0, run.ascurrents.shape[1])))


def _loop_numbers(neuron: GlifNeuron) -> tuple[Any, ...] | None:
    """Arguments of the loop, with every exponential and quotient that does not change; None if it must not be used."""
    names = {kind: neuron.methods[kind].name for kind in METHOD_TYPES}
    if any(name not in CODES[kind] for kind, name in names.items()):
        return None
    params = {kind: needed_parameters(kind, names[kind], neuron.methods[kind].params) for kind in METHOD_TYPES}
    codes = {kind: CODES[kind][names[kind]] for kind in METHOD_TYPES}
    has_components = codes["threshold_dynamics_method"] > 0
    if codes["threshold_reset_method"] and not has_components:
        return None  # an error at the first spike, if there is one: the rules say it
    if codes["AScurrent_dynamics_method"] and not codes["AScurrent_reset_method"]:
        return None  # likewise
    return (neuron.dt, neuron.El, *_codes(codes), *_membrane(neuron), *_threshold(neuron, params), *_currents(neuron, params),
            neuron.spike_cut_length, neuron.init_voltage, neuron.init_threshold, neuron.init_AScurrents)  # fmt: skip


def _codes(codes: dict[str, int]) -> tuple[int, ...]:
    return tuple(codes[kind] for kind in METHOD_TYPES)


def _membrane(neuron: GlifNeuron) -> tuple[float, ...]:
    conductance, capacitance = neuron.G * neuron.coeffs["G"], neuron.C * neuron.coeffs["C"]
    rate = conductance / capacitance
    return conductance, capacitance, rate, float(np.exp(-rate * neuron.dt))


def _threshold(neuron: GlifNeuron, params: dict[str, dict[str, Any]]) -> tuple[float, ...]:
    dynamics, reset = params["threshold_dynamics_method"], params["threshold_reset_method"]
    voltage_reset = params["voltage_reset_method"]
    conductance, capacitance = neuron.G * neuron.coeffs["G"], neuron.C * neuron.coeffs["C"]
    a = np.float64(dynamics.get("a_voltage", 0.0)) * neuron.coeffs["a"]
    b = np.float64(dynamics.get("b_voltage", 0.0)) * neuron.coeffs["b"]
    with np.errstate(divide="ignore", invalid="ignore"):
        phi, steady = a / (b - conductance / capacitance), a / b
    cut_time = neuron.dt * neuron.spike_cut_length
    return (
        neuron.coeffs["th_inf"] * neuron.th_inf,
        float(np.exp(-float(dynamics.get("b_spike", 0.0)) * neuron.dt)),
        float(phi),
        float(steady),
        float(np.exp(-b * neuron.dt)),
        float(np.exp(-float(reset.get("b_spike", 0.0)) * cut_time)),
        float(reset.get("a_spike", 0.0)),
        float(voltage_reset.get("a", 0.0)),
        float(voltage_reset.get("b", 0.0)),
    )


def _currents(neuron: GlifNeuron, params: dict[str, dict[str, Any]]) -> tuple[np.ndarray, ...]:
    remaining = np.broadcast_to(np.asarray(params["AScurrent_reset_method"].get("r", 0.0), float), neuron.tau.shape)
    return (
        np.exp(-neuron.k * neuron.dt),
        remaining * np.exp(-neuron.k * neuron.dt * neuron.spike_cut_length),
        neuron.asc_amp_array * neuron.coeffs["asc_amp_array"],
    )


# The loop for numba; without it, it runs as it is. The order of operations is that of the rules.


def _run(  # type: ignore[no-untyped-def]
    stimulus,
    dt,
    el,
    currents_step,
    voltage_step,
    threshold_step,
    currents_reset,
    voltage_reset,
    threshold_reset,
    conductance,
    capacitance,
    rate,
    voltage_decay,
    th_inf,
    spike_decay,
    phi,
    steady_factor,
    b_decay,
    spike_decay_cut,
    a_spike,
    reset_a,
    reset_b,
    current_decay,
    current_decay_cut,
    amplitudes,
    cut,
    init_voltage,
    init_threshold,
    init_currents,
    voltage,
    threshold,
    currents,
    steps,
    found,
):
    n, kept, m = len(stimulus), len(voltage), len(init_currents)
    v0, th0 = init_voltage, init_threshold
    a0 = init_currents.copy()
    th_spike, th_voltage = 0.0, 0.0
    n_spikes = 0
    i = 0
    while i < n:
        total = 0.0
        for j in range(m):
            total += a0[j]
        drive = stimulus[i] + total
        if voltage_step == 0:
            v1 = v0 + (drive - conductance * (v0 - el)) * dt / capacitance
        else:
            v1 = v0 * voltage_decay + (drive + conductance * el) / capacitance * (1 - voltage_decay) / rate
        if threshold_step == 0:
            th1 = th_inf
        else:
            th_spike *= spike_decay
            if threshold_step == 2:
                beta = (drive + conductance * el) / conductance
                driven = phi * (v0 - beta)
                steady = steady_factor * (beta - el)
                th_voltage = driven * voltage_decay + b_decay * (th_voltage - driven - steady) + steady
            th1 = th_voltage + th_spike + th_inf
        for j in range(m):
            a0[j] = a0[j] * current_decay[j] if currents_step else 0.0
        last = i + 1
        is_bad = False
        if v1 > th1:
            apart = (v1 - v0) - (th1 - th0)
            time = i * dt + (dt * (th0 - v0) / apart if apart != 0 else np.nan)
            late, right = time - (i - 1) * dt, time - i * dt
            steps[n_spikes] = i
            found[n_spikes, 0] = time
            found[n_spikes, 1] = v0 + (v1 - v0) * late / dt
            found[n_spikes, 2] = th0 + (th1 - th0) * late / dt
            found[n_spikes, 3] = v0 + (v1 - v0) * right / dt
            found[n_spikes, 4] = th0 + (th1 - th0) * right / dt
            n_spikes += 1
            for j in range(m):
                a0[j] = amplitudes[j] + a0[j] * current_decay_cut[j] if currents_reset else 0.0
            v1 = reset_a * v1 + reset_b if voltage_reset else 0.0
            if threshold_reset:
                th_spike = th_spike * spike_decay_cut + a_spike
                th1 = th_spike + th_voltage + th_inf
            else:
                th1 = th_inf
            i += cut
            is_bad = v1 > th1
            last = i + 1 + (BAD_RESET_SAMPLES if is_bad else 0)
        for at in range(i, min(last, kept)):
            voltage[at] = v1
            threshold[at] = th1
            for j in range(m):
                currents[at, j] = a0[j]
        if is_bad:
            return n_spikes, True
        v0, th0 = v1, th1
        i += 1
    return n_spikes, False
