"""Pictures of reconstructions draw what their frame holds; scales and densities are computed by hand."""

from __future__ import annotations

from collections.abc import Iterator

import matplotlib as mpl
import numpy as np
import polars as pl
import pytest

mpl.use("Agg")

import matplotlib.pyplot as plt
from brainlake.tests.fixtures.swc import SMALL
from brainlake.views.plots import morphology as pictures

NODES = pl.DataFrame(
    [
        {"node_id": i - 1, "node_type": t, "x": float(x), "y": float(y), "z": float(z), "radius": float(r), "parent_id": max(p - 1, -1)}
        for i, t, x, y, z, r, p in SMALL
    ]
)  # fmt: skip
MARKERS = pl.DataFrame({"meaning": ["cut_dendrite", "soma"], "x": [30.0, 0.0], "y": [0.0, 0.0], "z": [0.0, 0.0]})


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.mark.parametrize("name", pictures.__all__)
def test_every_picture_is_drawn_and_labelled(name, tmp_path):
    ax = getattr(pictures, name)(NODES)
    assert ax.get_xlabel()
    assert ax.get_ylabel()
    ax.figure.savefig(tmp_path / "picture.png")
    assert plt.imread(tmp_path / "picture.png")[..., :3].std() > 0.01  # not a blank page


@pytest.mark.parametrize("name", pictures.__all__)
def test_what_a_picture_lacks_is_named(name):
    picture = getattr(pictures, name)
    with pytest.raises(ValueError, match=f"{name} needs a column node_id"):
        picture(pl.DataFrame({"nothing": [1]}))
    with pytest.raises(ValueError, match="no rows"):
        picture(NODES.clear())
    with pytest.raises(ValueError, match="takes the nodes of one"):
        picture(pl.concat([NODES, NODES]))


@pytest.mark.parametrize(("view", "last_edge"), [("xy", (0, -30)), ("zy", (0, -30)), ("xz", (0, 0))])
def test_a_view_shows_its_axes_in_the_types_colours(view, last_edge):
    ax = pictures.morphology(NODES, view=view)
    axon = next(line for line in ax.lines if line.get_label() == "axon")
    assert mpl.colors.to_hex(axon.get_color()) == "#4682b4"
    assert (axon.get_xdata()[-2], axon.get_ydata()[-2]) == last_edge
    assert len(axon.get_xdata()) == 3 * 3  # three edges, each with a gap after it
    assert (ax.get_xlabel(), ax.get_ylabel()) == (f"{view[0]} (µm)", f"{view[1]} (µm)")


def test_markers_layers_and_radii_are_drawn_where_asked_for():
    ax = pictures.morphology(NODES, markers=MARKERS, layers={"L1": 25.0}, radius=True)
    assert {"cut dendrite", "soma"} <= set(ax.get_legend_handles_labels()[1])
    assert [text.get_text() for text in ax.texts] == ["L1"]
    assert ax.patches[0].radius == 5


def test_a_wrong_option_is_named():
    for call in (
        lambda: pictures.morphology(NODES, view="yx"),
        lambda: pictures.density_by_depth(NODES, ends="lower"),
        lambda: pictures.morphology_image(NODES, placing="top"),
    ):
        with pytest.raises(ValueError, match=r" is .* not "):
            call()


def test_an_image_is_filled_one_way_and_centred_the_other():
    """The small neuron is 40 um wide (x from -10 to 30) and 60 um high (y from -30 to 30)."""
    assert pictures.pixel_scale(NODES, 80, 600) == (2.0, 20.0, 300.0)  # as wide as the image
    factor, left, top = pictures.pixel_scale(NODES, 400, 120)
    assert (factor, left) == (2.0, 180.0)  # the middle of x, 10 um, at pixel 200
    assert top == 60.0  # the highest node in row 0, the lowest in row 120
    # The reference has the least y there, which is right only where y is as far below 0 as above, as here.
    assert pictures.pixel_scale(NODES, 400, 120, "reference")[2] == 60.0
    raised = NODES.with_columns(pl.col("y") + 100)
    assert pictures.pixel_scale(raised, 400, 120)[2] == 260.0
    assert pictures.pixel_scale(raised, 400, 120, "reference")[2] == -140.0


def test_length_is_spread_by_depth():
    """Three bins of 20 um from y 30 down; edges of the small neuron, each half to each end."""
    borders, lengths = pictures.length_by_depth(NODES, bins=3)
    assert borders.tolist() == [0, 20, 40, 60]
    # axon: 0 > -10 > -20 > -30; the end at the soma (y 0) is the soma's, those at -10, -10, -20, -20, -30 the axon's
    assert lengths[2].tolist() == [0, 0, 25]
    # apical: ends at y 10 lie at 20 um, in the second bin: that of 0 > 10, the upper one of 10 > 20; seven lie above
    assert lengths[4].tolist() == [7 * 5, 2 * 5, 0]
    assert lengths[-1].sum() == pytest.approx(15 * 10)


def test_the_reference_puts_both_ends_at_the_upper_one_s_depth():
    _, lengths = pictures.length_by_depth(NODES, bins=3, ends="upper")
    # the axon's own ends: of 0 > -10 at 0 (30 um deep, bin 1), of -10 > -20 and -20 > -30 at theirs (bin 2)
    assert lengths[2].tolist() == [0, 5, 20]


def test_relative_depth_counts_from_the_pia():
    frame = NODES.with_columns(pl.col("y") - 30)
    borders, lengths = pictures.length_by_depth(frame, bins=6, thickness=120)
    assert borders[-1] == 1
    assert np.argmax(lengths[2]) == 2  # 40 to 60 um of 120
    assert lengths[-1][3:].sum() == pytest.approx(5)  # the axon's tip at 60 um
