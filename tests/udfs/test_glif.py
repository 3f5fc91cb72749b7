"""GLIF runs against numbers by hand, against the equations integrated independently, and against each other."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from brainlake.tests.fixtures.model_files import LEVELS, glif_config
from brainlake.udfs import glif, glif_rules
from brainlake.udfs.glif import simulate_glif
from brainlake.udfs.glif_neuron import GlifNeuron
from brainlake.udfs.manifests import fill_placeholders
from brainlake.udfs.registry import Ragged
from scipy.integrate import solve_ivp

TRACES = ("voltage", "threshold", "ascurrents")
SPIKES = ("spike_time_steps", "grid_spike_times", "interpolated_spike_times", "interpolated_spike_voltage",
          "interpolated_spike_threshold", "corrected_spike_voltage", "corrected_spike_threshold")  # fmt: skip


def noisy(n=8_000, seed=0):
    rng = np.random.default_rng(seed)
    return np.where(np.arange(n) > 500, rng.normal(150e-12, 120e-12, n), 0.0)


def simple(**changes):
    """Level 1 with numbers for mental arithmetic: dt / C = 1e6, G = 0.1 nS-like 1e-8, threshold 10 mV."""
    return glif_config(
        1, C=1e-10, dt=1e-4, R_input=1e8, th_inf=0.010, init_threshold=0.010, spike_cut_length=2,
        coeffs={"th_inf": 1.0}, **changes,
    )  # fmt: skip


def test_the_first_steps_by_hand():
    """V += 1e6 (I - 1e-8 V): 6 mV, 11.94 mV > 10 mV. Reset two steps later to 0."""
    run = simulate_glif(simple(), [6e-9, 6e-9, 6e-9, 6e-9, 6e-9])
    assert run.voltage[0] == pytest.approx(0.006)
    assert np.isnan(run.voltage[1:3]).all()
    assert run.voltage[3:] == pytest.approx([0.0, 0.006])
    assert run.spike_time_steps.tolist() == [1]
    assert run.grid_spike_times == pytest.approx([1e-4])
    # crossing at (10 - 6) / 5.94 of step 1
    part = 4 / 5.94
    assert run.interpolated_spike_times == pytest.approx([1e-4 * (1 + part)])
    assert run.corrected_spike_voltage == pytest.approx([0.010])
    assert run.corrected_spike_threshold == pytest.approx([0.010])
    # the reference interpolates a whole step further
    assert run.interpolated_spike_voltage == pytest.approx([0.006 + 0.00594 * (1 + part)])
    assert run.interpolated_spike_threshold == pytest.approx([0.010])


def test_a_potential_at_the_threshold_is_no_spike():
    run = simulate_glif(simple(), [10e-9])
    assert run.voltage == pytest.approx([0.010])
    assert run.voltage[0] <= run.threshold[0]
    assert not len(run.spike_time_steps)


def test_a_spike_s_gap_ends_with_the_stimulus():
    run = simulate_glif(simple() | {"spike_cut_length": 10}, [11e-9] * 4)
    assert np.isnan(run.voltage).all()
    assert len(run.voltage) == 4


def test_without_a_gap_the_reset_state_is_at_the_spike():
    run = simulate_glif(simple() | {"spike_cut_length": 0}, [11e-9] * 3)
    assert run.voltage.tolist() == [0.0, 0.0, 0.0]
    assert run.spike_time_steps.tolist() == [0, 1, 2]


def test_the_resting_potential_is_where_it_relaxes_to():
    assert simulate_glif(simple(El=0.002), np.zeros(5_000)).voltage[-1] == pytest.approx(0.002)


@pytest.mark.parametrize("how", ["loop", "rules"])
@pytest.mark.parametrize("cut", [0, 3])
def test_a_reset_above_the_threshold_stops_the_run_and_shows_where(how, cut):
    config = glif_config(2, spike_cut_length=cut)
    config["voltage_reset_method"]["params"]["b"] = 0.2
    stimulus = np.full(400, 5e-10)
    run = simulate_glif(config, stimulus) if how == "loop" else GlifNeuron(config).run(stimulus)
    (spike,) = run.spike_time_steps
    shown = run.voltage[spike + cut : spike + cut + 6]  # the reset and five samples more, as the reference
    assert run.is_bad_reset
    assert (shown == shown[0]).all()
    assert shown[0] > run.threshold[spike + cut]
    assert np.isnan(run.voltage[spike + cut + 6 :]).all()
    assert np.isnan(run.voltage[spike : spike + cut]).all()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("cut", [0, 1, 60])
def test_the_loop_its_compiled_form_and_the_rules_give_equal_runs(level, cut, monkeypatch):
    config = glif_config(level, spike_cut_length=cut, El=0.001)
    config["coeffs"] |= {"a": 1.1, "b": 1.2, "G": 1.2, "C": 0.9, "asc_amp_array": [0.5, 2.0]}
    stimulus = noisy()
    runs = [simulate_glif(config, stimulus), GlifNeuron(config).run(stimulus)]
    monkeypatch.setattr(glif, "WORTH_COMPILING", 0)
    runs.append(simulate_glif(config, stimulus))
    assert len(runs[0].spike_time_steps) > 3
    for run in runs[1:]:
        assert run.spike_time_steps.tolist() == runs[0].spike_time_steps.tolist()
        for name in TRACES + SPIKES:
            np.testing.assert_allclose(getattr(run, name), getattr(runs[0], name), rtol=1e-11, atol=1e-16)


def integrated(config, current, duration):
    """Spike times of the equations themselves: an adaptive solver, events where potential meets threshold."""
    c, r = config["C"], config["R_input"]
    k = 1 / np.array(config["asc_tau_array"])
    has_currents = config["AScurrent_dynamics_method"]["name"] == "exp"
    amplitudes = np.array(config["asc_amp_array"]) * has_currents
    threshold = config["threshold_dynamics_method"]["params"]
    a_spike, b_spike, a_v, b_v = (threshold.get(n, 0.0) for n in ("a_spike", "b_spike", "a_voltage", "b_voltage"))
    reset = config["voltage_reset_method"]["params"]
    th_inf = config["th_inf"] * config["coeffs"]["th_inf"]
    gap = config["spike_cut_length"] * config["dt"]

    def slopes(t, y):
        v, s, w, *currents = y
        return [(current + sum(currents) - v / r) / c, -b_spike * s, a_v * v - b_v * w, *(-k * np.array(currents))]

    def meets(t, y):
        return y[0] - (th_inf + y[1] + y[2])

    meets.terminal, meets.direction = True, 1
    t, y, spikes = 0.0, np.zeros(3 + len(k)), []
    while t < duration:
        found = solve_ivp(slopes, (t, duration), y, events=meets, rtol=1e-10, atol=1e-14, max_step=1e-3)
        if not found.t_events[0].size:
            break
        t, y = found.t_events[0][0], found.y_events[0][0]
        spikes.append(t)
        decayed = y[3:] * np.exp(-k * gap)
        y = np.concatenate([
            [reset.get("a", 0.0) * y[0] + reset.get("b", 0.0), y[1] * math.exp(-b_spike * gap) + a_spike, y[2]],
            amplitudes + decayed,
        ])  # fmt: skip
        t += gap
    return np.array(spikes)


@pytest.mark.parametrize("level", LEVELS)
def test_a_run_tends_to_the_equations_as_steps_get_finer(level):
    """A spike errs by up to a step: its gap ends on the grid. Errors add up over spikes, and shrink with the step."""
    duration, current = 0.2, 3e-10
    exact = integrated(glif_config(level), current, duration)
    assert len(exact) > 4
    for finer in (10, 40):
        config = glif_config(level, dt=5e-5 / finer, spike_cut_length=60 * finer)
        run = simulate_glif(config, np.full(round(duration / config["dt"]), current))
        assert len(run.interpolated_spike_times) == len(exact)
        assert np.abs(run.interpolated_spike_times - exact).max() < len(exact) * config["dt"]


def test_the_exact_potential_has_no_error_of_the_step():
    """dV/dt = (I - V/R)/C from 0: V = I R (1 - exp(-t / RC))."""
    config = glif_config(1, voltage_dynamics_method={"name": "linear_exact", "params": {}}, dt=1e-3)
    run = simulate_glif(config, np.full(50, 5e-11))
    tau = config["R_input"] * config["C"]
    t = np.arange(1, 51) * 1e-3
    np.testing.assert_allclose(run.voltage, 5e-11 * config["R_input"] * (1 - np.exp(-t / tau)), rtol=1e-12)


def test_the_exact_component_of_the_threshold_solves_its_equation():
    """dv/dt = a (V - El) - b v with V relaxing under a constant current."""
    a, b, c, g, el, current = 9.0, 35.0, 8e-11, 4e-9, 0.001, 1e-10

    def slopes(t, y):
        return [(current - g * (y[0] - el)) / c, a * (y[0] - el) - b * y[1]]

    solved = solve_ivp(slopes, (0, 0.01), [0.005, 0.002], rtol=1e-12, atol=1e-16).y[1, -1]
    found = glif_rules.voltage_component_exact(0.002, 0.005, current, 0.01, a, b, c, g, el)
    assert found == pytest.approx(solved, rel=1e-9)


def test_equal_rates_of_membrane_and_threshold_give_no_number_as_in_the_reference():
    config = glif_config(5)
    config["threshold_dynamics_method"]["params"]["b_voltage"] = 1 / config["R_input"] / config["C"]
    assert not np.isfinite(simulate_glif(config, np.full(10, 1e-10)).threshold[1:]).any()


def test_helpers():
    assert glif_rules.spike_component_forward_euler(0.01, 1e-4, 100.0) == pytest.approx(0.01 - 1e-4)
    assert glif_rules.voltage_component_forward_euler(0.01, 0.02, 1e-4, 9.0, 35.0, 0.0) == pytest.approx(0.009983)
    assert glif_rules.max_of_line_and_const(2.0, 5.0, 1.0, 1.0) == 5.0
    assert glif_rules.max_of_line_and_const(9.0, 5.0, 1.0, 1.0) == 10.0
    assert glif_rules.min_of_line_and_zero(2.0, 1.0, -5.0) == -3.0
    assert glif_rules.min_of_line_and_zero(9.0, 1.0, -5.0) == 0.0
    assert glif_rules.line_crossing_x(2.0, 0.0, 4.0, 3.0, 1.0) == 1.0  # 2x meets 3 - x
    assert glif_rules.line_crossing_y(2.0, 0.0, 4.0, 3.0, 1.0) == 2.0
    with pytest.raises(ValueError, match="floats"):
        glif_rules.line_crossing_x(2, 0.0, 4.0, 3.0, 1.0)


def test_a_rule_of_one_s_own_serves_a_configuration_in_json():
    @glif_rules.rule("voltage_reset_method", "test_halved")
    def halved(neuron, voltage_t0, factor):
        return factor * voltage_t0

    try:
        config = simple(voltage_reset_method={"name": "test_halved", "params": {"factor": 0.5}})
        run = simulate_glif(json.dumps(config), [11e-9, 0.0, 0.0])
        assert run.voltage[2] == pytest.approx(0.0055)
        missing = simple(voltage_reset_method={"name": "test_halved", "params": {}})
        with pytest.raises(ValueError, match="needs the parameter 'factor'"):
            simulate_glif(missing, [0.0])
    finally:
        del glif_rules.RULES["voltage_reset_method"]["test_halved"]


def test_rules_are_refused_where_they_do_not_fit():
    with pytest.raises(ValueError, match="no method type 'reset'"):
        glif_rules.rule("reset", "x")
    with pytest.raises(ValueError, match="built in"):
        glif_rules.rule("voltage_reset_method", "zero")(lambda neuron, v: 0.0)
    with pytest.raises(ValueError, match=r"no voltage_reset_method 'lost': there are .*v_before"):
        simulate_glif(glif_config(1, voltage_reset_method={"name": "lost"}), [0.0])
    # currents that no rule resets, and a threshold without components, are errors only where there is a spike
    for changes in (
        {"AScurrent_dynamics_method": {"name": "exp"}, "init_AScurrents": [1e-12, 0.0]},
        {"threshold_reset_method": {"name": "three_components", "params": {"a_spike": 0.001, "b_spike": 100.0}}},
    ):
        config = glif_config(1, **changes)
        assert not len(simulate_glif(config, np.zeros(10)).spike_time_steps)
        with pytest.raises(ValueError, match="reset"):
            simulate_glif(config, np.full(10, 1e-7))


def test_changing_a_parameter_changes_the_run():
    neuron = GlifNeuron(glif_config(2))
    before = simulate_glif(neuron, noisy())
    neuron.modify_parameter("voltage_reset_method", "a", lambda a: a / 2)
    after = simulate_glif(neuron, noisy())
    assert neuron.methods["voltage_reset_method"].params["a"] == 0.2
    assert before.spike_time_steps.tolist() != after.spike_time_steps.tolist()
    with pytest.raises(ValueError, match="has no parameter 'c'"):
        neuron.modify_parameter("voltage_reset_method", "c", lambda c: c)
    with pytest.raises(ValueError, match="there is no voltage_reset_method"):
        neuron.configure_method("voltage_reset_method", "three_components", {})


@pytest.mark.parametrize("level", LEVELS)
def test_a_configuration_comes_back_whole(level):
    config = glif_config(level)
    assert GlifNeuron.from_dict(config).to_dict() == config
    assert GlifNeuron.from_dict(config).tau_m == pytest.approx(0.02)  # 2.5e8 Ohm times 80 pF


def test_numbers_in_quotes_are_numbers():
    config = glif_config(5)
    quoted = json.loads(json.dumps(config), parse_float=str)
    np.testing.assert_array_equal(
        simulate_glif(quoted, noisy(3000)).voltage, simulate_glif(config, noisy(3000)).voltage
    )


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"asc_tau_array": [0.1]}, "differ in length"),
        ({"C": None}, "without C"),
        ({"C": 0}, "above zero"),
        ({"R_input": "much"}, "no number"),
        ({"dt": True}, "no number"),
        ({"spike_cut_length": 1.5}, "time steps"),
        ({"spike_cut_length": 1e300}, "time steps"),
        ({"asc_tau_array": [0.1, 0.0]}, "above zero"),
        ({"coeffs": {"asc_amp_array": [1.0]}}, "differs in length"),
        ({"coeffs": 3}, "no object"),
        ({"voltage_reset_method": "zero"}, "without a name"),
        ({"type": "LNP"}, "no GLIF model"),
    ],
)
def test_a_wrong_configuration_is_told_what_is_wrong(changes, said):
    with pytest.raises(ValueError, match=said):
        simulate_glif(glif_config(5, **changes), [0.0])


def test_many_models_on_many_stimuli_in_one_call():
    configs = [[json.dumps(glif_config(1)), json.dumps(glif_config(3))], [json.dumps(glif_config(5))]]
    stimuli = [noisy(4000), noisy(3000, seed=1)]
    offsets = np.array([0, 2, 3])
    dt, cut, traces = np.array([np.nan, 1e-4]), np.array([0.05, np.nan]), np.array([True, False])
    runs = glif.run_glif(
        Ragged(np.array([*configs[0], *configs[1]], object), offsets), Ragged.of(stimuli), dt, cut, traces
    )
    assert runs.values["dt"].tolist() == [5e-5, 5e-5, 1e-4]
    own = simulate_glif(configs[0][1], stimuli[0])
    np.testing.assert_array_equal(runs.values["voltage"][1], np.nan_to_num(own.voltage, nan=0.05))
    np.testing.assert_array_equal(runs.values["ascurrents"].values[3], own.ascurrents[:, 1])
    last = simulate_glif(configs[1][0], stimuli[1], dt=1e-4)
    assert runs.values["spike_time_steps"][2].tolist() == last.spike_time_steps.tolist()
    assert runs.values["voltage"].lengths.tolist() == [4000, 4000, 0]


def test_of_many_models_the_wrong_one_is_named():
    configs = [json.dumps(glif_config(1)), json.dumps(glif_config(1, C=None))]
    given = Ragged(np.array(configs, object), np.array([0, 2]))
    nothing = np.array([np.nan])
    with pytest.raises(ValueError, match=r"model 2 of 2 in the order of their ids: .* without C"):
        glif.run_glif(given, Ragged.of([[0.0]]), nothing, nothing, np.array([True]))


def test_placeholders_of_paths():
    given = Ragged(np.array(["464212183", "a", "7"], object), np.array([0, 1, 3]))
    filled = fill_placeholders(np.array(["specimen_%d/ephys.nwb", "100%%_%s_%03d"], object), given)
    assert filled.tolist() == ["specimen_464212183/ephys.nwb", "100%_a_007"]
    with pytest.raises(ValueError, match="1 placeholders, and 0 values"):
        fill_placeholders(np.array(["%d"], object), Ragged(np.array([], object), np.array([0, 0])))
    with pytest.raises(ValueError, match="asks for a number"):
        fill_placeholders(np.array(["%d"], object), Ragged(np.array(["x"], object), np.array([0, 1])))
