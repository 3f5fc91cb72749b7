"""Steps and ramps by hand."""

from __future__ import annotations

import numpy as np
import pytest
from brainlake.udfs import stimulus_shapes as shapes
from brainlake.udfs.registry import Ragged
from brainlake.udfs.stimulus_shapes import StimulusShape
from brainlake.udfs.voltage_traces import FeatureError

T = np.arange(20) / 10


def current(*steps: tuple[int, int, float]) -> np.ndarray:
    i = np.zeros(20)
    for first, last, value in steps:
        i[first:last] = value
    return i


SQUARE = current((2, 4, -10.0), (8, 14, 50.0))  # a test pulse, then the step
NEGATIVE = current((2, 4, -10.0), (8, 14, -50.0))


def test_a_square_step_follows_the_test_pulse():
    assert shapes.get_square_stim_characteristics(SQUARE, T) == StimulusShape(
        pytest.approx(0.8), pytest.approx(0.6), 50.0, 8, 14
    )
    assert shapes.get_square_stim_characteristics(NEGATIVE, T) == StimulusShape(
        pytest.approx(0.8), pytest.approx(0.6), -50.0, 8, 14
    )
    assert shapes.get_square_stim_characteristics(SQUARE, T, no_test_pulse=True).amplitude == -10.0


def test_without_a_second_step_there_is_none_or_an_error():
    alone = current((8, 14, 50.0))
    with pytest.raises(FeatureError, match="no square step"):
        shapes.get_square_stim_characteristics(alone, T)
    assert np.isnan(shapes.get_square_stim_characteristics(alone, T, nan_if_incomplete=True).amplitude)
    assert shapes.get_square_stim_characteristics(alone, T, no_test_pulse=True).start_index == 8


def test_any_stimulus_runs_from_its_second_change_to_its_last():
    assert shapes.get_stim_characteristics(SQUARE, T) == StimulusShape(
        pytest.approx(0.4), pytest.approx(1.0), 0.0, 4, 14
    )
    assert shapes.get_stim_characteristics(SQUARE, T, no_test_pulse=True).start_index == 2
    assert shapes.get_stim_characteristics(np.zeros(20), T).amplitude == 0
    with pytest.raises(FeatureError, match="changes once only"):
        shapes.get_stim_characteristics(current((5, 20, 1.0)), T)


def test_a_ramp_begins_with_the_second_rise():
    ramp = current((2, 4, -10.0)) + np.clip(np.arange(20) - 9.0, 0, None)
    assert shapes.get_ramp_stim_characteristics(ramp, T) == (pytest.approx(1.0), 10)
    with pytest.raises(FeatureError):
        shapes.get_ramp_stim_characteristics(current((2, 4, 1.0)), T)


def test_the_start_of_a_stimulus_is_after_its_first_change():
    assert shapes.find_stim_start(SQUARE) == 2
    assert shapes.find_stim_start(SQUARE, 5) == 8
    assert shapes.find_stim_start(SQUARE, 14) == -1
    assert shapes.find_sweep_stim_start(SQUARE, 10.0) == pytest.approx(0.8)  # 0.4 s is sample 4, after the pulse


def test_the_step_between_amplitudes_is_the_smallest_in_whole_units():
    assert shapes.coarse_amplitude_step(np.array([-50.0, 10.2, -30.0, 10.0])) == 20
    assert shapes.coarse_amplitude_step(np.array([10.0])) == 0
    assert shapes.smallest_amplitude_step(Ragged.of([[0.0, 20.0], []], np.float64)).tolist() == [20.0, 0.0]


def test_the_kernel_says_of_each_sweep_what_it_is_or_why_it_cannot():
    stimuli = Ragged.of([SQUARE * 1e-12, SQUARE * 1e-12, np.zeros(20), SQUARE, SQUARE * 1e-12], np.float32)
    kinds = np.array(["square", "any", "square_or_none", "sawtooth", "ramp"], object)
    told = shapes.stimulus_shape(stimuli, np.full(5, 10.0), kinds, np.zeros(5, bool))
    assert told["amplitude_pa"][:2] == pytest.approx([50.0, 0.0])
    assert told["start_index"][[0, 1, 4]].tolist() == [8, 4, 8]
    assert np.isnan(told["start_time"][[2, 3]]).all()
    assert [error is None for error in told["error"]] == [True, True, True, False, True]
    starts = shapes.stimulus_start_time(stimuli, np.full(5, 10.0))
    assert starts[[0, 3]] == pytest.approx([0.8, 0.8])
    assert np.isnan(starts[2])


def test_the_test_pulse_is_the_step_that_comes_back_before_something_else_happens():
    assert shapes.find_test_pulse(SQUARE) == (2, 3)
    assert shapes.find_test_pulse(current((2, 4, -10.0)) + np.clip(np.arange(20) - 9.0, 0, None)) == (2, 3)
    assert shapes.find_test_pulse(current((8, 14, 50.0))) is None  # the stimulus itself
    assert shapes.find_test_pulse(np.arange(20.0)) is None  # a ramp from the start
    assert shapes.find_test_pulse(np.zeros(20)) is None
    told = shapes.infer_epochs(Ragged.of([SQUARE, current((8, 14, 50.0)), []], np.float32))
    assert {name: column.tolist()[0] for name, column in told.items()} == {
        "test_pulse_start_index": 2, "test_pulse_stop_index": 3, "experiment_start_index": 4
    }  # fmt: skip
    assert np.isnan(told["test_pulse_start_index"][1:]).all()
    assert told["experiment_start_index"][1:].tolist() == [0, 0]
