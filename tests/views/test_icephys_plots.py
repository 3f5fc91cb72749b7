"""Pictures of patched cells draw what their frame holds; what they compute on the way is computed by hand."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import polars as pl
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt
from brainlake.ingest.nwb1_icephys import READER
from brainlake.lake.questions import below, standard
from brainlake.tests.fixtures.allen_icephys import make_cell, write_nwb1
from brainlake.tests.fixtures.memory import memory_connection
from brainlake.tests.fixtures.reading import read_source
from brainlake.views.plots import cell_dashboard as page
from brainlake.views.plots import icephys, icephys_features, icephys_traces, models

CELL = 464212183
ASKED = below(
    ["icephys.cell_features", "icephys.cell_feature_sweeps", "icephys.fi_curves", "icephys.spike_features",
     "icephys.sweep_features", "icephys.sweep_qc", "icephys.sweep_envelope", "icephys.sweep_window"], standard(),
)  # fmt: skip
SAMPLES = pl.DataFrame(
    {"timestamp": [0.0, 0.1, 0.2], "voltage_mv": [-70.0, 20.0, -65.0], "current_pa": [0.0, 50.0, 0.0]}
)
BINS = pl.DataFrame(
    {"start_time": [0.2, 0.0], "stop_time": [0.4, 0.2], "response_min": [-0.07, -0.08], "response_max": [-0.06, 0.02],
     "stimulus_min": [0.0, 0.0], "stimulus_max": [0.0, 5e-11]}
)  # fmt: skip
SQUARES = pl.concat([SAMPLES.with_columns(pl.lit(n).alias("sweep_number")) for n in (4, 7, 9)])
SPIKE = pl.DataFrame(
    {"threshold_t": [0.05], "threshold_v_mv": [-45.0], "peak_t": [0.1], "peak_v_mv": [20.0], "fast_trough_t": [0.9],
     "fast_trough_v_mv": [-60.0], "upstroke": [400.0], "upstroke_t": [0.07], "upstroke_v_mv": [-10.0]}
)  # fmt: skip
CURVE = pl.DataFrame(
    {"specimen_id": [1] * 4, "sweep_number": [1, 2, 3, 4], "stim_amp_pa": [50.0, 100.0, 120.0, 150.0],
     "avg_rate": [0.0, 4.0, 8.0, 14.0], "f_i_curve_slope": [0.2] * 4, "rheobase_sweep_number": [2] * 4,
     "hero_sweep_number": [4] * 4}
)  # fmt: skip
MEMBRANE = pl.DataFrame(
    {"stim_amp_pa": [-20.0, -40.0], "peak_deflect_v_mv": [-73.0, -76.0], "v_baseline_mv": [-70.0, -70.0], "tau": [0.018, 0.022]}
)  # fmt: skip
FRAMES: dict[str, pl.DataFrame] = {
    "experiment_baseline": pl.DataFrame({"timestamp": np.arange(10_000) / 1e4, "voltage_mv": np.full(10_000, -70.0)}),
    "membrane_fits": SQUARES, "pulse_overlay": SQUARES, "sag": SAMPLES, "single_spike": SAMPLES, "sweep": SAMPLES,
    "spikes_by_sweep": pl.DataFrame({"sweep_number": [9, 9, 4], "spike_time": [0.1, 0.2, None]}),
    "sweep_set": SQUARES,
    "fi_curve": CURVE,
    "isi_plot": pl.DataFrame({"isi_to_next": [0.02, 0.02, 0.3, None], "isi_type": ["direct"] * 4}),
    "membrane_tau": MEMBRANE, "membrane_vi": MEMBRANE,
    "sweep_values": pl.DataFrame({"sweep_number": [1, 2], "leak_pa": [5.0, 0.0]}),
    "model_and_recording": pl.DataFrame({"timestamp": [0.0, 0.1], "recorded_mv": [-70.0, 10.0], "model_mv": [-71.0, 5.0]}),
}  # fmt: skip
PICTURES = {
    name: getattr(module, name)
    for module in (icephys, icephys_features, models)
    for name in module.__all__
    if name in FRAMES
}


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


def line(ax, label: str):
    return next(found for found in ax.lines if found.get_label() == label)


@pytest.mark.parametrize("name", PICTURES)
def test_every_picture_is_drawn_and_labelled(name, tmp_path):
    ax = PICTURES[name](FRAMES[name])
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    ax.figure.savefig(tmp_path / "picture.png")
    assert plt.imread(tmp_path / "picture.png")[..., :3].std() > 0.01  # not a blank page


@pytest.mark.parametrize("name", PICTURES)
def test_what_a_picture_lacks_is_named(name):
    with pytest.raises(ValueError, match=f"{name} needs "):
        PICTURES[name](pl.DataFrame({"nothing": [1]}))
    with pytest.raises(ValueError, match="no rows"):
        PICTURES[name](FRAMES[name].clear())


def test_no_picture_has_been_left_out():
    assert {*icephys.__all__, *icephys_features.__all__} <= set(PICTURES)


def test_a_sweep_is_drawn_alike_from_samples_and_from_lists():
    lists = pl.DataFrame(
        {"sampling_rate": [10.0], "response": [[-0.07, 0.02, -0.065]], "stimulus": [[0.0, 5e-11, 0.0]]}
    )
    for frame in (SAMPLES, lists):
        drive = icephys.sweep(frame)
        (upper,) = (ax for ax in drive.figure.axes[0].child_axes if ax is not drive)
        assert upper.lines[0].get_xdata() == pytest.approx([0, 0.1, 0.2])
        assert upper.lines[0].get_ydata() == pytest.approx([-70, 20, -65])
        assert drive.lines[0].get_ydata() == pytest.approx([0, 50, 0])
        assert (upper.get_ylabel(), drive.get_ylabel()) == ("response\n(mV)", "stimulus\n(pA)")


def test_bins_are_drawn_by_both_extremes_in_order_of_time():
    (trace,) = icephys_traces.traces(BINS, "sweep")
    assert trace.time == pytest.approx([0, 0.1, 0.2, 0.3])  # the greatest at half of its bin
    assert trace.value == pytest.approx([-80, 20, -70, -60])


def test_in_voltage_clamp_the_response_is_the_current():
    frame = pl.DataFrame({"timestamp": [0.0], "response": [5e-11], "stimulus": [0.01], "clamp_mode": ["voltage_clamp"]})
    for channel, value, unit in (("response", 50.0, "pA"), ("stimulus", 10.0, "mV")):
        (trace,) = icephys_traces.traces(frame, "sweep", channel)
        assert (trace.value[0], trace.unit) == (pytest.approx(value), unit)


def test_a_long_trace_is_thinned_to_its_extremes():
    value = np.zeros(600_001)
    value[123_456], value[400_000] = 40.0, -90.0
    time, thin = icephys_traces.thinned(np.arange(len(value)) / 2e5, value)
    assert len(thin) < 20_100
    assert (thin.max(), thin.min()) == (40, -90)
    assert time[thin.argmax()] == pytest.approx(123_456 / 2e5, abs=61 / 2e5)
    assert time[-1] == 3.0


def test_a_spike_carries_its_points_and_lines_as_steep_as_it_is():
    ax = icephys.single_spike(SAMPLES, spikes=SPIKE)
    peak = line(ax, "peak")
    assert (peak.get_xdata()[0], peak.get_ydata()[0]) == (0.1, 20)
    slope = line(ax, "upstroke 400 V/s")
    assert slope.get_ydata().tolist() == [-15, -5]  # 5 mV each way
    assert np.ptp(slope.get_xdata()) == pytest.approx(10e-3 / 400)
    assert "fast trough" not in ax.get_legend_handles_labels()[1]  # it lies beyond the trace


def test_spikes_lie_on_their_sweep_s_row_and_silent_sweeps_have_one():
    ax = icephys.spikes_by_sweep(FRAMES["spikes_by_sweep"])
    ticks = [[segment[0][0], segment[:, 1].mean()] for segment in ax.collections[0].get_segments()]
    assert np.array(ticks) == pytest.approx(np.array([[0.1, 0], [0.2, 0]]))
    assert [text.get_text() for text in ax.get_yticklabels()] == ["9", "4"]


def test_a_thumbnail_has_one_sweep_in_colour_on_top_and_the_reference_s_range():
    ax = icephys.sweep_set(SQUARES, highlight=4)
    assert [found.get_color() for found in ax.lines] == ["#dddddd", "#dddddd", "#0779BE"]
    assert ax.get_ylim() == (-110, 60)
    assert not ax.axison


def test_an_exponential_of_a_given_time_constant_is_fitted_to_the_trace():
    time = np.arange(1000) / 1e3
    value = np.where(time < 0.1, -70, -70 - 20 * (1 - np.exp(-(time - 0.1) / 0.03)))
    drawn, curve = icephys.exponential(icephys_traces.Trace(1, time, value, "mV"), 0.1, 0.9, 0.03)
    assert curve == pytest.approx(-90 + 20 * np.exp(-(drawn - 0.1) / 0.03))
    features = pl.DataFrame({"sweep_number": [1, 2], "window_start": 0.1, "window_stop": 0.9, "tau": [0.03, None]})
    frame = pl.DataFrame(
        {"timestamp": [*time, *time], "voltage_mv": [*value, *value], "sweep_number": [1] * 1000 + [2] * 1000}
    )
    ax = icephys.membrane_fits(frame, features=features)
    assert len(ax.lines) == 3  # two traces, and one fit: the other has no time constant


def test_sag_is_drawn_between_its_three_potentials():
    features = pl.DataFrame(
        {
            "v_baseline_mv": [-70.0],
            "peak_deflect_v_mv": [-90.0],
            "sag": [0.25],
            "window_start": [0.0],
            "window_stop": [0.2],
        }
    )
    ax = icephys.sag(SAMPLES, features=features)
    levels = [found.get_segments()[0][0][1] for found in ax.collections]
    assert levels == [-70, -90, -85]  # a quarter of 20 mV is back at the end


def test_test_pulses_begin_at_zero():
    n = 150
    frame = pl.DataFrame(
        {
            "sweep_number": [1] * n + [2] * n,
            "timestamp": [*range(n)] * 2,
            "voltage_mv": [-70.0] * 100 + [-75.0] * 50 + [-60.0] * n,
        }
    )
    first, last = icephys.pulse_overlay(frame).lines
    assert (first.get_ydata()[0], first.get_ydata()[-1]) == (0, -5)
    assert last.get_ydata().tolist() == [0] * n
    with pytest.raises(ValueError, match="needs samples"):
        icephys.pulse_overlay(BINS.with_columns(sweep_number=1))


def test_the_level_before_is_of_samples_5000_to_9000():
    value = np.where((np.arange(12_000) >= 5_000) & (np.arange(12_000) < 9_000), -72.0, -10.0)
    ax = icephys.experiment_baseline(pl.DataFrame({"timestamp": np.arange(12_000) / 2e4, "voltage_mv": value}))
    assert line(ax, "before: -72.00 mV").get_ydata()[0] == -72
    with pytest.raises(ValueError, match="needs 9,000 samples"):
        icephys.experiment_baseline(SAMPLES)


def test_an_f_i_curve_marks_rheobase_and_hero_and_has_the_line_of_its_slope():
    ax = icephys_features.fi_curve(CURVE)
    assert line(ax, "rheobase").get_xydata().tolist() == [[100, 4]]
    assert line(ax, "hero").get_xydata().tolist() == [[150, 14]]
    slope = line(ax, "0.2 spikes/s/pA")
    mean_current, mean_rate = 370 / 3, 26 / 3  # of the three that spike
    by_hand = [mean_rate + 0.2 * (100 - mean_current), mean_rate + 0.2 * (150 - mean_current)]
    assert slope.get_ydata() == pytest.approx(by_hand)


def test_f_i_curves_of_several_cells_are_lines_of_their_own():
    both = pl.concat([CURVE, CURVE.with_columns(specimen_id=pl.lit(2, pl.Int64))])
    labels = icephys_features.fi_curve(both).get_legend_handles_labels()[1]
    assert labels == ["1", "2"]


def test_the_line_of_the_input_resistance_is_the_points_own_or_the_cell_s():
    assert "150 MΩ" in icephys_features.membrane_vi(MEMBRANE).get_legend_handles_labels()[1]  # 3 mV / 20 pA
    told = icephys_features.membrane_vi(MEMBRANE.with_columns(input_resistance_mohm=140.0))
    assert line(told, "140 MΩ").get_ydata() == pytest.approx([-74.5 - 0.14 * 10, -74.5 + 0.14 * 30])
    assert line(told, "before: -70.0 mV").get_color() == "#0072B2"


def test_time_constants_start_from_zero():
    ax = icephys_features.membrane_tau(MEMBRANE)
    assert ax.get_ylim()[0] == 0
    assert line(ax, "mean 20.0 ms").get_ydata()[0] == pytest.approx(0.02)


def test_an_interval_far_longer_than_the_others_is_flagged_as_a_pause():
    isis = [0.02, 0.021, 0.02, 0.3, 0.02, 0.021]
    frame = pl.DataFrame({"spike_index": range(7), "isi_to_next": [*isis, None], "isi_type": ["direct"] * 7})
    assert line(icephys_features.isi_plot(frame), "pause").get_xydata() == pytest.approx(np.array([[3, 300]]))
    several = frame.with_columns(sweep_number=pl.col("spike_index"))
    with pytest.raises(ValueError, match="one sweep"):
        icephys_features.isi_plot(several)


def test_what_was_not_noted_of_a_sweep_is_not_drawn():
    frame = pl.DataFrame(
        {"sweep_number": [1, 2, 3], "stimulus_code": ["EXTPBLWOUT141203", "C1LSCOARSE150112", None],
         "pre_vm_mv": [2.0, -70.0, -71.0], "bridge_balance_mohm": [14.0, None, 15.0], "leak_pa": [0.0, -5.0, 0.0]}
    )  # fmt: skip
    lowest = icephys_features.sweep_values(frame)
    panels = {ax.get_ylabel(): ax.lines[0].get_xydata().tolist() for ax in lowest.figure.axes[0].child_axes}
    assert panels == {"leak\n(pA)": [[2, -5]], "before\n(mV)": [[2, -70], [3, -71]], "bridge\n(MΩ)": [[1, 14], [3, 15]]}


def test_a_model_s_spike_is_compared_with_the_nearest_recorded_one():
    recorded, model = np.array([0.1, 0.2, 0.9]), np.array([0.102, 0.19, 0.215])
    assert models.lateness(recorded, model) == pytest.approx([0.002, -0.01, -0.685])
    assert np.isnan(models.lateness(recorded, np.empty(0))).all()
    spikes = pl.DataFrame({"spike_time": [*recorded, *model], "source": ["recorded"] * 3 + ["model"] * 3})
    lower = models.model_and_recording(FRAMES["model_and_recording"], spikes=spikes)
    assert lower.lines[1].get_ydata() == pytest.approx([2, -10, -685])


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    path = tmp_path_factory.mktemp("cell") / "cell.nwb"
    recorded = make_cell(CELL, sampling_rate=50_000.0, step=1.0, amplitudes=(-90, -70, -50, -30, 150, 170, 190, 220))
    write_nwb1(path, recorded)
    con = memory_connection(
        read_source(READER, path)[0], {name: question for name, question in standard().items() if name in ASKED}
    )
    yield lambda query: con.sql(query).pl()
    con.close()


def test_a_page_shows_everything_of_a_cell(asked, tmp_path):
    frames = page.frames(asked, CELL)
    figure = page.cell_dashboard(frames, title="a cell")
    titles = [ax.get_title("left") for ax in figure.axes if ax.get_title("left")]
    assert titles == list(page.PANELS)
    assert "nothing recorded" not in [text.get_text() for ax in figure.axes for text in ax.texts]
    figure.savefig(tmp_path / "page.png")
    assert frames["long_squares"].height < 20_000  # rows that draw eight sweeps of 116,000 samples
    assert frames["hero_trace"]["sweep_number"].unique().to_list() == [8]  # 220 pA is 50 above rheobase, of sweep 6
    assert frames["pulses"]["sweep_number"].unique().sort().to_list() == [1, 14, 15]  # the first, and the last two


def test_a_page_says_what_a_cell_has_no_sweeps_for(asked):
    figure = page.cell_dashboard(page.frames(asked, 1))
    texts = [text.get_text() for ax in figure.axes for text in ax.texts]
    assert texts == ["nothing recorded"] * len(page.PANELS)


def test_a_sweep_has_a_page_of_its_own(asked):
    frames = page.sweep_frames(asked, CELL, 8)
    figure = page.sweep_dashboard(frames)
    assert "nothing recorded" not in [text.get_text() for ax in figure.axes for text in ax.texts]
    assert frames["pulses"]["sweep_number"].unique().sort().to_list() == [1, 7, 8]  # the first, the one before, itself
    assert frames["spikes"]["sweep_number"].unique().to_list() == [8]
    silent = page.sweep_dashboard(page.sweep_frames(asked, CELL, 1))
    assert [text.get_text() for ax in silent.axes for text in ax.texts] == ["nothing recorded"]  # no intervals
