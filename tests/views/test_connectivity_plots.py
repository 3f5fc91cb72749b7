"""Pictures of the connectivity atlas draw what the answers hold."""

from __future__ import annotations

import matplotlib as mpl
import numpy as np
import polars as pl
import pytest
from brainlake.views.plots import connectivity

mpl.use("Agg")

MATRIX = pl.DataFrame(
    {
        "matrix_row": [0, 0, 1, 1],
        "matrix_column": [0, 1, 0, 1],
        "experiment_id": [7, 7, 3, 3],
        "target": ["VISp-L", "TH-L"] * 2,
        "matrix_value": [0.5, None, 0.0, 1.0],
    }
)


@pytest.mark.parametrize("log", [False, True])
def test_a_matrix_is_drawn_in_its_order_and_gaps_stay_empty(log):
    ax = connectivity.projection_matrix(MATRIX, log=log)
    image = np.ma.filled(ax.images[0].get_array(), np.nan)
    np.testing.assert_array_equal(image, [[0.5, np.nan], [0.5 if log else 0.0, 1.0]])  # the least above 0 stands for 0
    assert [label.get_text() for label in ax.get_xticklabels()] == ["VISp-L", "TH-L"]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["7", "3"]
    assert ax.images[0].get_clim() == ((0.5, 1.0) if log else (0.0, 1.0))


def test_rows_and_columns_that_were_left_out_leave_no_gap():
    sparse = MATRIX.with_columns(pl.col("matrix_row") * 40 + 3, pl.col("matrix_column") * 7)
    ax = connectivity.projection_matrix(sparse)
    np.testing.assert_array_equal(np.ma.filled(ax.images[0].get_array(), np.nan), [[0.5, np.nan], [0.0, 1.0]])


def test_targets_are_bars_from_the_top_down_side_by_side():
    frame = pl.DataFrame(
        {
            "experiment_id": [7] * 3,
            "acronym": ["VISp", "TH", "VISp"],
            "hemisphere_id": [2, 1, 1],
            "ranked_value": [0.9, 0.5, 0.2],
        }
    )
    ax = connectivity.strongest_targets(frame)
    assert [label.get_text() for label in ax.get_yticklabels()] == ["VISp", "TH"]
    assert sorted(bar.get_width() for bar in ax.patches) == [0.2, 0.5, 0.9]
    with pytest.raises(ValueError, match="takes one experiment"):
        connectivity.strongest_targets(frame.with_columns(experiment_id=pl.Series([1, 2, 3])))


@pytest.mark.parametrize(("view", "places"), [("horizontal", (3, 1)), ("coronal", (3, 2)), ("sagittal", (1, 2))])
def test_injections_lie_where_they_are_seen_from_that_side(view, places):
    frame = pl.DataFrame({"ap_um": [1000.0], "dv_um": [2000.0], "ml_um": [3000.0], "injection_volume_mm3": [0.125]})
    ax = connectivity.injection_sites(frame, view=view)
    assert tuple(ax.collections[0].get_offsets()[0]) == places
    assert ax.collections[0].get_sizes()[0] == pytest.approx(60 * 0.25 + 4)  # area follows the disc's radius squared


def test_injections_in_space_have_dorsal_up():
    frame = pl.DataFrame(
        {"ap_um": [1000.0, 2000.0], "dv_um": [2000.0, 1.0], "ml_um": [3000.0, 1.0], "line": ["a", "b"]}
    )
    ax = connectivity.injection_sites(frame, by="line")
    assert len(ax.collections) == 2
    assert ax.get_zlim()[0] > ax.get_zlim()[1]
    with pytest.raises(ValueError, match="view is 3d"):
        connectivity.injection_sites(frame, view="above")


def test_a_projection_is_drawn_in_millimetres_over_a_slice():
    frame = pl.DataFrame({"row_um": [0.0, 200.0], "column_um": [100.0, 400.0], "voxel_value": [0.5, 1.0]})
    image = connectivity.max_projection(frame).images[0]
    assert image.get_array()[0, 1] == 0.5
    assert image.get_array()[2, 4] == 1
    assert tuple(image.get_extent()) == pytest.approx((0, 0.6, 0.4, 0))
    background = pl.DataFrame(
        {
            "plane": ["coronal"],
            "n_rows": [2],
            "n_columns": [3],
            "spacing_um": [200.0],
            "grey_values": [[0.0, 1, 2, 3, 4, 5]],
        }
    )
    ax = connectivity.max_projection(frame, background=background)
    assert len(ax.images) == 2
    assert ax.get_xlabel() == "ML (mm)"


def test_structures_are_surfaces_with_injections_as_spheres_of_their_volume():
    corners = np.array([[0, 0, 0], [4000, 0, 0], [0, 2000, 1000], [0, 0, 0], [0, 2000, 0], [4000, 0, 1000]], float)
    frame = pl.DataFrame(
        {
            "rgb": [[255, 0, 51]],
            **{f"corner_{n}_um": [corners[:, i].tolist()] for i, n in enumerate(("ap", "dv", "ml"))},
        }
    )
    site = pl.DataFrame(
        {"ap_um": [1000.0], "dv_um": [500.0], "ml_um": [700.0], "injection_volume_mm3": [4 / 3 * np.pi * 0.2**3]}
    )
    path = pl.DataFrame(
        {"experiment_id": [1, 1], "ap_um": [1000.0, 5000.0], "dv_um": [500.0, 900.0], "ml_um": [700.0, 100.0]}
    )
    ax = connectivity.structures_3d(frame, sites=site, paths=path)
    ax.figure.canvas.draw()
    surface, sphere = ax.collections
    # two triangles; matplotlib tells corners in three dimensions nowhere but here
    np.testing.assert_array_equal(np.reshape(surface._faces, (-1, 3)), corners[:, [0, 2, 1]] / 1000)
    points = np.reshape(sphere._faces, (-1, 3))
    np.testing.assert_allclose(np.linalg.norm(points - [1.0, 0.7, 0.5], axis=1), 0.2, rtol=1e-9)
    (line,) = ax.lines
    np.testing.assert_array_equal(np.array(line.get_data_3d()).T, [[1.0, 0.7, 0.5], [5.0, 0.1, 0.9]])
    assert ax.get_xlim() == (0.0, 5.0)
    assert ax.get_zlim()[0] > ax.get_zlim()[1]  # dorsal is up
    alone = connectivity.structures_3d(frame)
    assert alone.collections[0].get_facecolor()[0][3] == 1.0
    with pytest.raises(ValueError, match="corner_ap_um"):
        connectivity.structures_3d(frame.drop("corner_ap_um"))
