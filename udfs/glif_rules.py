"""The rules a GLIF model is made of, each as a function of its state, and a place to register one's own (GL-1, GL-3).

A rule has a name under one of six method types. Dynamics give the state one step on, resets the state after a spike, all
from the values before. Further arguments are the parameters that a configuration gives the rule::

    @rule("voltage_reset_method", "halved")
    def halved(neuron, voltage_t0, factor):
        return factor * voltage_t0

    {"voltage_reset_method": {"name": "halved", "params": {"factor": 0.5}}, ...}

| method type | is called with |
| --- | --- |
| AScurrent_dynamics_method | neuron, AScurrents_t0, time_step, spike_time_steps |
| voltage_dynamics_method | neuron, voltage_t0, AScurrents_t0, inj |
| threshold_dynamics_method | neuron, threshold_t0, voltage_t0, AScurrents_t0, inj |
| AScurrent_reset_method | neuron, AScurrents_t0 |
| voltage_reset_method | neuron, voltage_t0 |
| threshold_reset_method | neuron, threshold_t0, voltage_v1 |
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import numpy as np

Rule = Callable[..., Any]
F = TypeVar("F", bound=Rule)

RULES: dict[str, dict[str, Rule]] = {
    "AScurrent_dynamics_method": {},
    "voltage_dynamics_method": {},
    "threshold_dynamics_method": {},
    "AScurrent_reset_method": {},
    "voltage_reset_method": {},
    "threshold_reset_method": {},
}
METHOD_TYPES = tuple(RULES)
N_GIVEN = dict(zip(METHOD_TYPES, (4, 4, 5, 2, 2, 3), strict=True))  # arguments every rule of a type is called with

# name of a rule -> its code in the compiled loop, for those it knows
CODES: dict[str, dict[str, int]] = {
    "AScurrent_dynamics_method": {"none": 0, "exp": 1},
    "voltage_dynamics_method": {"linear_forward_euler": 0, "linear_exact": 1},
    "threshold_dynamics_method": {"inf": 0, "spike_component": 1, "three_components_exact": 2},
    "AScurrent_reset_method": {"none": 0, "sum": 1},
    "voltage_reset_method": {"zero": 0, "v_before": 1},
    "threshold_reset_method": {"inf": 0, "three_components": 1},
}


def rule(method_type: str, name: str) -> Callable[[F], F]:
    """Register a function as a rule, replacing one of that name. It serves SQL and Python alike.

    Raises ValueError for an unknown method type, or for the name of a built-in rule.
    """
    if method_type not in RULES:
        raise ValueError(f"there is no method type {method_type!r}: there are {', '.join(METHOD_TYPES)}")

    def register(function: F) -> F:
        is_built_in = function.__module__ == __name__
        if name in CODES[method_type] and not is_built_in:
            raise ValueError(f"{method_type} {name!r} is built in: give yours another name")
        RULES[method_type][name] = function
        return function

    return register


def find_rule(method_type: str, name: str) -> Rule:
    """A registered rule. Raises ValueError naming those there are."""
    try:
        return RULES[method_type][name]
    except KeyError:
        known = ", ".join(sorted(RULES.get(method_type, {})))
        raise ValueError(f"there is no {method_type} {name!r}: there are {known}; register yours with @rule") from None


def parameters_of(method_type: str, function: Rule) -> tuple[set[str], set[str]]:
    """Names of the parameters a rule needs, and of those it takes but does not need."""
    own = list(inspect.signature(function).parameters.values())[N_GIVEN[method_type] :]
    named = [p for p in own if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    needed = {p.name for p in named if p.default is p.empty}
    return needed, {p.name for p in named} - needed


# Built-in rules


@rule("AScurrent_dynamics_method", "exp")
def ascurrents_exp(neuron: Any, AScurrents_t0: np.ndarray, time_step: int, spike_time_steps: Sequence[int]) -> Any:
    """A_j exp(-k_j dt)."""
    return AScurrents_t0 * np.exp(-neuron.k * neuron.dt)


@rule("AScurrent_dynamics_method", "none")
def ascurrents_none(neuron: Any, AScurrents_t0: np.ndarray, time_step: int, spike_time_steps: Sequence[int]) -> Any:
    """No after-spike currents."""
    return np.zeros(len(AScurrents_t0))


@rule("voltage_dynamics_method", "linear_forward_euler")
def voltage_forward_euler(neuron: Any, voltage_t0: float, AScurrents_t0: np.ndarray, inj: float) -> float:
    """V + dt/C (I + sum A - G (V - El))."""
    drive = inj + np.sum(AScurrents_t0) - neuron.G * neuron.coeffs["G"] * (voltage_t0 - neuron.El)
    return float(voltage_t0 + drive * neuron.dt / (neuron.C * neuron.coeffs["C"]))


@rule("voltage_dynamics_method", "linear_exact")
def voltage_exact(neuron: Any, voltage_t0: float, AScurrents_t0: np.ndarray, inj: float) -> float:
    """The solution for a current that is constant over the step."""
    conductance, capacitance = neuron.G * neuron.coeffs["G"], neuron.C * neuron.coeffs["C"]
    rate = conductance / capacitance
    drive = (inj + np.sum(AScurrents_t0) + conductance * neuron.El) / capacitance
    decay = np.exp(-rate * neuron.dt)
    return float(voltage_t0 * decay + drive * (1 - decay) / rate)


@rule("threshold_dynamics_method", "inf")
def threshold_inf(neuron: Any, threshold_t0: float, voltage_t0: float, AScurrents_t0: np.ndarray, inj: float) -> float:
    """A threshold that stays."""
    return neuron.coeffs["th_inf"] * neuron.th_inf


@rule("threshold_dynamics_method", "spike_component")
def threshold_spike_component(
    neuron: Any, threshold_t0: float, voltage_t0: float, AScurrents_t0: np.ndarray, inj: float,
    a_spike: float, b_spike: float, a_voltage: float = 0.0, b_voltage: float = 0.0,
) -> float:  # fmt: skip
    """A component that spikes raise and that decays."""
    neuron.th_spike = spike_component_exact(neuron.th_spike, neuron.dt, b_spike)
    neuron.th_voltage = 0.0
    neuron.has_components = True
    return float(neuron.th_spike + neuron.coeffs["th_inf"] * neuron.th_inf)


@rule("threshold_dynamics_method", "three_components_exact")
def threshold_three_components(
    neuron: Any, threshold_t0: float, voltage_t0: float, AScurrents_t0: np.ndarray, inj: float,
    a_spike: float, b_spike: float, a_voltage: float, b_voltage: float,
) -> float:  # fmt: skip
    """Components of spikes and of the potential."""
    neuron.th_spike = spike_component_exact(neuron.th_spike, neuron.dt, b_spike)
    neuron.has_components = True
    neuron.th_voltage = voltage_component_exact(
        neuron.th_voltage, voltage_t0, inj + float(np.sum(AScurrents_t0)), neuron.dt,
        a_voltage * neuron.coeffs["a"], b_voltage * neuron.coeffs["b"],
        neuron.C * neuron.coeffs["C"], neuron.G * neuron.coeffs["G"], neuron.El,
    )  # fmt: skip
    return float(neuron.th_voltage + neuron.th_spike + neuron.coeffs["th_inf"] * neuron.th_inf)


@rule("AScurrent_reset_method", "sum")
def ascurrents_reset_sum(neuron: Any, AScurrents_t0: np.ndarray, r: Sequence[float]) -> np.ndarray:
    """What is left of the currents after the time a spike takes, and the spike's own."""
    left = AScurrents_t0 * np.asarray(r, float) * np.exp(-neuron.k * neuron.dt * neuron.spike_cut_length)
    return np.asarray(neuron.asc_amp_array * neuron.coeffs["asc_amp_array"] + left)


@rule("AScurrent_reset_method", "none")
def ascurrents_reset_none(neuron: Any, AScurrents_t0: np.ndarray) -> np.ndarray:
    """No after-spike currents. Raises ValueError where there are some."""
    if np.sum(AScurrents_t0) != 0:
        raise ValueError("AScurrent_reset_method 'none' resets currents that are not zero: use it with dynamics 'none'")
    return np.zeros(len(AScurrents_t0))


@rule("voltage_reset_method", "zero")
def voltage_reset_zero(neuron: Any, voltage_t0: float) -> float:
    """To the resting potential."""
    return 0.0


@rule("voltage_reset_method", "v_before")
def voltage_reset_v_before(neuron: Any, voltage_t0: float, a: float, b: float) -> float:
    """A line over the potential before: a V + b."""
    return a * voltage_t0 + b


@rule("threshold_reset_method", "inf")
def threshold_reset_inf(neuron: Any, threshold_t0: float, voltage_v1: float) -> float:
    """A threshold that stays."""
    return neuron.coeffs["th_inf"] * neuron.th_inf


@rule("threshold_reset_method", "three_components")
def threshold_reset_three_components(
    neuron: Any, threshold_t0: float, voltage_v1: float, a_spike: float, b_spike: float
) -> float:
    """The spike's component decays over the time a spike takes, then rises by a_spike. Raises before any step."""
    if not neuron.has_components:
        raise ValueError(
            "threshold_reset_method 'three_components' resets a threshold whose components no step has set"
        )
    decayed = spike_component_exact(neuron.th_spike, neuron.dt * neuron.spike_cut_length, b_spike)
    neuron.th_spike = decayed + a_spike
    return float(neuron.th_spike + neuron.th_voltage + neuron.coeffs["th_inf"] * neuron.th_inf)


# Helpers (GL-8)


def spike_component_exact(component: float, duration: float, b_spike: float) -> float:
    """The threshold's spike component after a duration: it decays at rate b_spike."""
    return float(component * np.exp(-b_spike * duration))


def spike_component_forward_euler(component: float, dt: float, b_spike: float) -> float:
    """The same over one step, by forward Euler."""
    return component + component * -b_spike * dt


def voltage_component_exact(
    component: float, voltage_t0: float, current: float, dt: float,
    a: float, b: float, capacitance: float, conductance: float, el: float,
) -> float:  # fmt: skip
    """The threshold's voltage component one step on, for a current that is constant over it (GL-1).

    Where b equals conductance / capacitance the solution divides by zero, and is infinite or NaN.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.float64(conductance / capacitance)
        beta = (current + conductance * el) / conductance
        phi = a / (b - rate)
        driven, steady = phi * (voltage_t0 - beta), (np.float64(a) / b) * (beta - el)
        return float(driven * np.exp(-rate * dt) + np.exp(-b * dt) * (component - driven - steady) + steady)


def voltage_component_forward_euler(
    component: float, voltage_t0: float, dt: float, a: float, b: float, el: float
) -> float:
    """The same over one step, by forward Euler."""
    return component + (a * (voltage_t0 - el) - b * component) * dt


def max_of_line_and_const(x: float, b: float, c: float, d: float) -> float:
    """The greater of a constant b and a line c x + d."""
    return max(b, c * x + d)


def min_of_line_and_zero(x: float, c: float, d: float) -> float:
    """The lesser of zero and a line c x + d."""
    return min(0.0, c * x + d)


def line_crossing_x(dx: float, a0: float, a1: float, b0: float, b1: float) -> float:
    """Where lines a0 -> a1 and b0 -> b1 over [0, dx] cross. Raises ValueError for whole numbers, TypeError alike."""
    _refuse_integers(dx, a0, a1, b0, b1)
    return float(dx * (b0 - a0) / ((a1 - a0) - (b1 - b0)))


def line_crossing_y(dx: float, a0: float, a1: float, b0: float, b1: float) -> float:
    """The value there."""
    _refuse_integers(dx, a0, a1, b0, b1)
    return float(b0 + (b1 - b0) * (b0 - a0) / ((a1 - a0) - (b1 - b0)))


def _refuse_integers(*numbers: Any) -> None:
    if any(isinstance(n, int | np.integer) for n in numbers):
        raise ValueError("a line crossing is computed of floats: a whole number among them is likely a mistake")


def needed_parameters(method_type: str, name: str, params: Mapping[str, Any]) -> dict[str, Any]:
    """The parameters a rule takes out of those given. Raises ValueError naming one that is missing."""
    needed, optional = parameters_of(method_type, find_rule(method_type, name))
    missing = sorted(needed - set(params))
    if missing:
        raise ValueError(f"{method_type} {name!r} needs the parameter {missing[0]!r}")
    return {key: value for key, value in params.items() if key in needed | optional}
