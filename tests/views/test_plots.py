"""Pictures draw what their frame holds, say their units, and name the column they miss."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import polars as pl
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt
from brainlake.views.plots import ecephys, style

TIME = np.arange(-0.1, 0.4, 0.01).round(2)
FRAMES = {
    "raster": pl.DataFrame({"unit_id": [1, 1, 2], "spike_time": [0.1, 0.2, 0.15]}),
    "psth": pl.DataFrame({"bin_start": [*TIME, *TIME], "spikes_per_s": np.arange(100.0), "condition": ["a"] * 50 + ["b"] * 50}),
    "psth_heatmap": pl.DataFrame({"unit_id": [1] * 50 + [2] * 50, "bin_start": [*TIME, *TIME], "spikes_per_s": np.arange(100.0)}),
    "waveforms": pl.DataFrame({"unit_id": [1, 2], "sampling_rate": [30000.0] * 2, "waveform": [[0.0, -5.0, 2.0]] * 2}),
    "lfp": pl.DataFrame(
        {"channel_id": [1, 1, 2, 2], "timestamp": [0.0, 1.0] * 2, "lfp": [1e-6, 2e-6, 3e-6, 1e-6], "probe_vertical_position": [20, 20, 40, 40]}
    ),
    "lfp_image": pl.DataFrame({"channel_id": [1, 1, 2, 2], "time_from_event": [0.0, 1.0] * 2, "lfp": [1e-6, 2e-6, 3e-6, 1e-6]}),
    "csd": pl.DataFrame({"time_from_event": [0.0, 0.1] * 2, "vertical_position": [0, 0, 10, 10], "csd": [1.0, -1.0, 0.5, 2.0]}),
    "unit_depth": pl.DataFrame({"probe_vertical_position": [20.0, 40.0], "structure_acronym": ["VISp", None], "probe_name": ["probeA", "probeB"]}),
    "stimulus_timeline": pl.DataFrame({"start_time": [0.0, 5.0], "stop_time": [4.0, 9.0], "stimulus_name": ["gabors", "flashes"]}),
    "running_speed": pl.DataFrame({"timestamp": [0.0, 0.1, 0.2, 9.0, 9.1], "speed": [1.0, 2.0, 3.0, 4.0, 5.0]}),
}  # fmt: skip


@pytest.fixture(autouse=True)
def closed():
    yield
    plt.close("all")


@pytest.mark.parametrize("name", ecephys.__all__)
def test_every_picture_is_drawn_and_labelled(name, tmp_path):
    ax = getattr(ecephys, name)(FRAMES[name])
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    ax.figure.savefig(tmp_path / "picture.png")
    pixels = plt.imread(tmp_path / "picture.png")
    assert pixels[..., :3].std() > 0.01  # not a blank page


@pytest.mark.parametrize("name", ecephys.__all__)
def test_a_missing_column_is_named(name):
    with pytest.raises(ValueError, match=f"{name} needs a column"):
        getattr(ecephys, name)(pl.DataFrame({"nothing": [1]}))


@pytest.mark.parametrize("name", ecephys.__all__)
def test_an_empty_answer_is_said_to_be_empty(name):
    with pytest.raises(ValueError, match="no rows"):
        getattr(ecephys, name)(FRAMES[name].clear())


def test_a_raster_has_a_tick_a_spike_on_its_unit_s_row():
    ax = ecephys.raster(FRAMES["raster"])
    segments = np.concatenate([c.get_segments() for c in ax.collections])
    assert sorted((s[0][0], round(float(s[:, 1].mean()))) for s in segments) == [(0.1, 0), (0.15, 1), (0.2, 0)]


def test_a_psth_averages_the_rows_of_a_condition_and_keeps_bins_half_open():
    frame = pl.DataFrame({"bin_start": [0.0, 0.1, 0.0, 0.1], "spikes_per_s": [1.0, 3.0, 3.0, 5.0]})
    (patch,) = ecephys.psth(frame).patches
    values, edges, _ = patch.get_data()
    assert values.tolist() == [2.0, 4.0]  # (1 + 3) / 2, (3 + 5) / 2
    assert np.allclose(edges, [0.0, 0.1, 0.2])


def test_a_heat_map_holds_the_mean_of_each_cell_and_nan_where_nothing_is():
    rows, times, matrix = style.grid_of(
        pl.DataFrame({"y": [1, 1, 2], "x": [0, 0, 1], "v": [1.0, 3.0, 5.0]}), "y", "x", "v"
    )
    assert (rows.tolist(), times.tolist()) == ([1, 2], [0, 1])
    assert matrix[0, 0] == 2.0
    assert matrix[1, 1] == 5.0
    assert np.isnan(matrix[0, 1])
    assert np.isnan(matrix[1, 0])


def test_lfp_traces_lie_in_order_of_their_channel_where_no_position_is_known():
    ax = ecephys.lfp(FRAMES["lfp"].drop("probe_vertical_position"))
    assert [t.get_text() for t in ax.get_yticklabels()] == ["1", "2"]
    first, second = (float(np.mean(line.get_ydata())) for line in ax.lines[:2])
    assert first < second


def test_speed_is_not_drawn_over_a_gap():
    (line, _) = ecephys.running_speed(FRAMES["running_speed"]).lines[:2]
    assert np.isnan(line.get_ydata()).tolist() == [False, False, False, True, False]
