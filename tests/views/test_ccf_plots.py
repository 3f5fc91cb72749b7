"""Pictures of the reference space draw what the answers hold."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import polars as pl
import pytest
from brainlake.views.plots import ccf

mpl.use("Agg")


def slice_frame(**more: object) -> pl.DataFrame:
    return pl.DataFrame({"plane": ["coronal"], "n_rows": [2], "n_columns": [3], "spacing_um": [500.0], **more})


def test_a_slice_has_the_colours_of_its_structures():
    palette = [{"structure_id": 385, "acronym": "VISp", "rgb": [8, 133, 140]}]
    frame = slice_frame(structure_ids=[[0, 385, 385, 0, 7, 385]], palette=[palette])
    image = ccf.ccf_slice(frame).images[0]
    expected = [[(0, 0, 0), (8, 133, 140), (8, 133, 140)], [(0, 0, 0), (255, 0, 255), (8, 133, 140)]]
    assert np.array_equal(image.get_array(), expected)
    assert tuple(image.get_extent()) == (0, 1.5, 1.0, 0)
    assert image.axes.get_xlabel() == "ML (mm)"


def test_borders_lie_where_structures_meet():
    frame = slice_frame(
        structure_ids=[[1, 1, 2, 1, 1, 2]], palette=[[{"structure_id": 1, "acronym": "a", "rgb": [1, 1, 1]}]]
    )
    drawn = np.asarray(ccf.ccf_slice(frame, borders=True).images[0].get_array())
    assert (drawn[:, 2] == 60).all()
    assert (drawn[:, :2] == 1).all()


def test_a_legend_names_the_structures_that_take_up_most():
    palette = [
        {"structure_id": 1, "acronym": "small", "rgb": [255, 255, 255]},
        {"structure_id": 2, "acronym": "large", "rgb": [0, 51, 255]},
    ]
    frame = slice_frame(structure_ids=[[0, 2, 2, 2, 1, 9]], palette=[palette])
    ax = ccf.ccf_slice(frame, legend=2)
    shown = [(one.get_label(), one.get_facecolor()[:3]) for one in ax.get_legend().get_patches()]
    assert shown == [("large", (0, 0.2, 1)), ("small", (1, 1, 1))]
    assert [text.get_text() for text in ccf.ccf_slice(frame, legend=9).get_legend().get_texts()][2] == "9"  # unlisted
    assert ccf.ccf_slice(frame).get_legend() is None


def test_a_slice_of_grey_values():
    image = ccf.ccf_slice(slice_frame(grey_values=[[0.0, 1, 2, 3, 4, 5]])).images[0]
    assert np.array_equal(image.get_array(), [[0, 1, 2], [3, 4, 5]])


RUNS = pl.DataFrame({"ml_index": [1, 1, 2], "dv_index": [0, 1, 1], "ap_index": [0, 1, 2], "n_voxels": [2, 2, 1]})


@pytest.mark.parametrize(
    ("view", "depth"),
    [
        ("horizontal", [[0, 1, 0], [0, 2, 0], [0, 1, 1]]),  # [ap, ml], by hand
        ("coronal", [[0, 2, 0], [0, 2, 1]]),  # [dv, ml]
        ("sagittal", [[1, 1, 0], [0, 1, 2]]),  # [dv, ap]
    ],
)
def test_a_mask_seen_from_each_side(view, depth):
    drawn = np.ma.filled(ccf.mask_projection(RUNS, view=view).images[0].get_array(), 0)
    shown = np.nan_to_num(np.asarray(drawn, float))[: len(depth), : len(depth[0])]
    assert np.array_equal(shown, depth)


def test_the_largest_structure_is_on_top():
    frame = pl.DataFrame({"acronym": ["a", "b", "b"], "volume_mm3": [1.0, 3.0, 1.5], "hemisphere_id": [3, 3, 1]})
    ax = ccf.structure_volumes(frame)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["b", "a"]


def test_a_missing_column_is_named():
    with pytest.raises(ValueError, match="needs a column volume_mm3"):
        ccf.structure_volumes(pl.DataFrame({"acronym": ["a"]}))
