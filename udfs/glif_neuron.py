"""A GLIF neuron: the numbers and rules of a configuration, and its steps in plain Python (GL-1 to GL-4, GL-7).

Voltages are relative to El = 0, in SI units throughout. This way of running takes any registered rule; the compiled loop
of :mod:`.glif` knows the built-in ones and gives the same numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from .glif_rules import METHOD_TYPES, find_rule, needed_parameters

BAD_RESET_SAMPLES = 5  # further samples that show the state of a reset above its threshold, where the run stops
_SCALARS = ("El", "dt", "R_input", "C", "th_inf", "init_voltage", "init_threshold")
_VECTORS = ("asc_tau_array", "asc_amp_array", "init_AScurrents")
_COEFFICIENTS = ("th_inf", "C", "G", "a", "b")
# what :func:`crossing` gives of a spike
CROSSING = ("interpolated_spike_times", "interpolated_spike_voltage", "interpolated_spike_threshold",
            "corrected_spike_voltage", "corrected_spike_threshold")  # fmt: skip
_KEPT = ("El_reference", "th_adapt", "extrapolation_method_name", "dt_multiplier")


@dataclass(frozen=True)
class Method:
    """A rule of a neuron: its name and the parameters its configuration gives."""

    name: str
    params: Mapping[str, Any] = field(default_factory=dict)

    def modified(self, param: str, change: Callable[[Any], Any]) -> Method:
        """The same with one parameter changed. Raises ValueError where it has none of that name."""
        if param not in self.params:
            raise ValueError(f"{self.name!r} has no parameter {param!r}: it has {', '.join(self.params) or 'none'}")
        return Method(self.name, {**self.params, param: change(self.params[param])})

    def to_dict(self) -> dict[str, Any]:
        return {"name": self.name, "params": dict(self.params)}


@dataclass(frozen=True)
class GlifRun:
    """What a run gives (GL-2, GL-4).

    voltage, threshold : (n,) V, NaN while a spike lasts
    ascurrents : (n, m) A, NaN likewise
    spike_time_steps : (spikes,) step whose new potential exceeds its new threshold
    grid_spike_times, interpolated_spike_times : (spikes,) s
    interpolated_spike_voltage, interpolated_spike_threshold : (spikes,) V, as the reference: it interpolates one step
        too far, so that both lie above where the lines cross
    corrected_spike_voltage, corrected_spike_threshold : (spikes,) V, where they cross
    is_bad_reset : a reset left the potential above the threshold; the run stops there
    """

    dt: float
    voltage: np.ndarray
    threshold: np.ndarray
    ascurrents: np.ndarray
    spike_time_steps: np.ndarray
    grid_spike_times: np.ndarray
    interpolated_spike_times: np.ndarray
    interpolated_spike_voltage: np.ndarray
    interpolated_spike_threshold: np.ndarray
    corrected_spike_voltage: np.ndarray
    corrected_spike_threshold: np.ndarray
    is_bad_reset: bool

    @classmethod
    def of(
        cls, dt: float, traces: tuple[np.ndarray, ...], steps: np.ndarray, crossings: np.ndarray, is_bad_reset: bool
    ) -> GlifRun:
        """A run of what stepping gathers. crossings : (5, spikes), as :func:`crossing` gives them a spike"""
        voltage, threshold, ascurrents = traces
        time, reference_voltage, reference_threshold, corrected_voltage, corrected_threshold = crossings
        return cls(
            dt, voltage, threshold, ascurrents, steps, steps * dt, time, reference_voltage, reference_threshold,
            corrected_voltage, corrected_threshold, is_bad_reset,
        )  # fmt: skip


class GlifNeuron:
    """A neuron of a configuration. Raises ValueError naming what the configuration lacks or gives wrongly."""

    TYPE = "GLIF"

    def __init__(self, config: Mapping[str, Any], dt: float | None = None) -> None:
        """config : as the API publishes it; numbers may be texts. dt : s, instead of the configuration's."""
        kind = config.get("type", self.TYPE)
        if kind != self.TYPE:
            raise ValueError(f"a configuration of type {kind!r} is no {self.TYPE} model")
        numbers = {name: _number(config, name) for name in _SCALARS}
        self.El, self.dt, self.R_input, self.C, self.th_inf = (numbers[name] for name in _SCALARS[:5])
        self.init_voltage, self.init_threshold = numbers["init_voltage"], numbers["init_threshold"]
        if dt is not None and not math.isnan(dt):
            self.dt = float(dt)
        for name in ("dt", "R_input", "C"):
            if not getattr(self, name) > 0:
                raise ValueError(f"{name} is {getattr(self, name)}, and must be above zero")
        self.tau, self.asc_amp_array, self.init_AScurrents = (_vector(config, name) for name in _VECTORS)
        if not len(self.tau) == len(self.asc_amp_array) == len(self.init_AScurrents):
            raise ValueError("asc_tau_array, asc_amp_array and init_AScurrents differ in length")
        if not (self.tau > 0).all():
            raise ValueError("asc_tau_array holds a time constant that is not above zero")
        cut = _number(config, "spike_cut_length")
        if cut < 0 or cut != int(cut) or cut > 2**31 - 1:
            raise ValueError(f"spike_cut_length is {cut}, and is a number of time steps")
        self.spike_cut_length = int(cut)
        self.coeffs = _coefficients(config.get("coeffs") or {}, len(self.tau))
        self.methods = {kind: _method(config, kind) for kind in METHOD_TYPES}
        self.kept = {name: config[name] for name in _KEPT if name in config}
        self.clear()

    @classmethod
    def from_json(cls, text: str, dt: float | None = None) -> GlifNeuron:
        """A neuron of a configuration in JSON."""
        try:
            config = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"a GLIF configuration that is no JSON: {error}") from None
        if not isinstance(config, dict):
            raise ValueError("a GLIF configuration that is no JSON object")
        return cls(config, dt)

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> GlifNeuron:
        return cls(config)

    def to_dict(self) -> dict[str, Any]:
        """The configuration; El_reference is kept (the reference writes El in its place)."""
        return {
            "type": self.TYPE,
            **{name: getattr(self, name) for name in _SCALARS},
            "asc_tau_array": self.tau.tolist(),
            "asc_amp_array": self.asc_amp_array.tolist(),
            "init_AScurrents": self.init_AScurrents.tolist(),
            "spike_cut_length": self.spike_cut_length,
            "coeffs": {k: v.tolist() if isinstance(v, np.ndarray) else v for k, v in self.coeffs.items()},
            **{kind: method.to_dict() for kind, method in self.methods.items()},
            **self.kept,
        }

    @property
    def G(self) -> float:
        """Input conductance, S."""
        return 1 / self.R_input

    @property
    def k(self) -> np.ndarray:
        """Rates of the after-spike currents, 1/s."""
        return 1 / self.tau

    @property
    def tau_m(self) -> float:
        """Membrane time constant R C, s."""
        return self.R_input * self.C

    def configure_method(self, method_type: str, name: str, params: Mapping[str, Any]) -> None:
        """Take another rule. Raises ValueError for one that is not registered, or lacks a parameter."""
        if method_type not in METHOD_TYPES:
            raise ValueError(f"there is no method type {method_type!r}: there are {', '.join(METHOD_TYPES)}")
        needed_parameters(method_type, name, params)
        self.methods[method_type] = Method(name, dict(params))

    def modify_parameter(self, method_type: str, param: str, change: Callable[[Any], Any]) -> None:
        """Change one parameter of a rule by a function of its value."""
        self.methods[method_type] = self.methods[method_type].modified(param, change)

    def clear(self) -> None:
        """Forget the components of the threshold, as before a run."""
        self.th_spike, self.th_voltage, self.has_components = 0.0, 0.0, False

    def append_threshold_components(self, spike: float, voltage: float) -> None:
        """Set the components of the threshold: what a custom rule of its dynamics may do."""
        self.th_spike, self.th_voltage, self.has_components = spike, voltage, True

    def dynamics(
        self, voltage: float, threshold: float, ascurrents: np.ndarray, inj: float, step: int, spikes: list[int]
    ) -> tuple[float, float, np.ndarray]:
        """The state one step on; every right-hand side is of the values before."""
        after_currents = self._apply("AScurrent_dynamics_method", ascurrents, step, spikes)
        after_voltage = self._apply("voltage_dynamics_method", voltage, ascurrents, inj)
        after_threshold = self._apply("threshold_dynamics_method", threshold, voltage, ascurrents, inj)
        return after_voltage, after_threshold, after_currents

    def reset(self, voltage: float, threshold: float, ascurrents: np.ndarray) -> tuple[float, float, np.ndarray]:
        """The state after a spike."""
        after_currents = self._apply("AScurrent_reset_method", ascurrents)
        after_voltage = self._apply("voltage_reset_method", voltage)
        return after_voltage, self._apply("threshold_reset_method", threshold, after_voltage), after_currents

    def run(self, stimulus: np.ndarray) -> GlifRun:
        """Step through a stimulus (A) by the rules as Python functions."""
        self._rules = {
            kind: (find_rule(kind, m.name), needed_parameters(kind, m.name, m.params))
            for kind, m in self.methods.items()
        }
        self.clear()
        n, cut = len(stimulus), self.spike_cut_length
        voltages, thresholds = np.full(n, np.nan), np.full(n, np.nan)
        currents = np.full((n, len(self.tau)), np.nan)
        v0, th0, a0 = self.init_voltage, self.init_threshold, self.init_AScurrents
        steps: list[int] = []
        found: list[tuple[float, ...]] = []
        is_bad = False
        i = 0
        while i < n:
            v1, th1, a1 = self.dynamics(v0, th0, a0, float(stimulus[i]), i, steps)
            last = i + 1
            if v1 > th1:
                steps.append(i)
                found.append(crossing(i, self.dt, v0, v1, th0, th1))
                v1, th1, a1 = self.reset(v1, th1, a1)
                i += cut
                is_bad = v1 > th1
                last = i + 1 + (BAD_RESET_SAMPLES if is_bad else 0)
            voltages[i:last], thresholds[i:last], currents[i:last] = v1, th1, a1
            v0, th0, a0 = v1, th1, a1
            if is_bad:
                break
            i += 1
        crossings = np.array(found, float).reshape(-1, len(CROSSING)).T
        return GlifRun.of(self.dt, (voltages, thresholds, currents), np.array(steps, np.int64), crossings, is_bad)

    def _apply(self, kind: str, *state: Any) -> Any:
        function, params = self._rules[kind]
        return function(self, *state, **params)


def crossing(step: int, dt: float, v0: float, v1: float, th0: float, th1: float) -> tuple[float, ...]:
    """Where a potential's line crosses its threshold's within a step (GL-2).

    returns : interpolated time; potential and threshold there as the reference has them; and corrected
    """
    apart = (v1 - v0) - (th1 - th0)
    time = step * dt + (dt * (th0 - v0) / apart if apart else math.nan)
    late, right = time - (step - 1) * dt, time - step * dt
    return (
        time,
        v0 + (v1 - v0) * late / dt,
        th0 + (th1 - th0) * late / dt,
        v0 + (v1 - v0) * right / dt,
        th0 + (th1 - th0) * right / dt,
    )


def _number(config: Mapping[str, Any], name: str) -> float:
    if config.get(name) is None:
        raise ValueError(f"a GLIF configuration without {name}")
    try:
        if isinstance(config[name], bool):
            raise TypeError
        return float(config[name])
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"{name} of a GLIF configuration is no number: {str(config[name])[:40]!r}") from None


def _vector(config: Mapping[str, Any], name: str) -> np.ndarray:
    values = config.get(name)
    if not isinstance(values, list | tuple | np.ndarray):
        raise ValueError(f"{name} of a GLIF configuration is no list")
    return np.array([_number({name: value}, name) for value in values], float)


def _coefficients(given: Any, n_currents: int) -> dict[str, Any]:
    """Factors of the parameters; those not given are 1."""
    if not isinstance(given, Mapping):
        raise ValueError("coeffs of a GLIF configuration is no object")
    found: dict[str, Any] = {name: _number({name: 1.0, **given}, name) for name in _COEFFICIENTS}
    amplitudes = given.get("asc_amp_array")
    found["asc_amp_array"] = _vector(given, "asc_amp_array") if amplitudes is not None else np.ones(n_currents)
    if len(found["asc_amp_array"]) != n_currents:
        raise ValueError("asc_amp_array of coeffs differs in length from asc_tau_array")
    return found


def _method(config: Mapping[str, Any], method_type: str) -> Method:
    given = config.get(method_type)
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
        raise ValueError(f"a GLIF configuration without a name for its {method_type}")
    params = given.get("params") or {}
    if not isinstance(params, Mapping):
        raise ValueError(f"params of {method_type} of a GLIF configuration is no object")
    return Method(given["name"], {key: _parameter(value) for key, value in params.items()})


def _parameter(value: Any) -> Any:
    """A parameter of a rule; numbers in quotes are numbers."""
    if isinstance(value, list):
        return [_parameter(item) for item in value]
    if isinstance(value, str):
        try:
            return float(value)
        except ValueError:
            return value
    return value
