"""Pupil, gaze and rig: half and whole axes, true axes and the reference's swapped ones."""

from __future__ import annotations

import pytest
from brainlake.tests.fixtures.memory import memory_connection


@pytest.fixture(scope="module")
def lake():
    con = memory_connection(
        {
            "ecephys.nwb_sessions": {"session_id": [1], "source_session_id": ["1"], "source_layout": ["allen_v2"]},
            "behavior.eye_tracking": {
                "session_id": [1, 1],
                "timestamp": [0.0, 0.03],
                "pupil_height": [10.0, None],
                "pupil_width": [12.0, None],
            },
            "behavior.gaze_mapping": {
                "session_id": [1, 1],
                "timestamp": [0.0, 0.03],
                "raw_pupil_area": [1.0, 2.0],
                "raw_screen_x_cm": [3.0, 4.0],
                "raw_screen_y_cm": [5.0, 6.0],
                "filtered_pupil_area": [1.0, None],
                "filtered_screen_x_cm": [3.0, None],
                "filtered_screen_y_cm": [5.0, None],
            },
            "behavior.eye_tracking_rigs": {
                "session_id": [1],
                "equipment": ["NP.1"],
                "monitor_position": [[118.6, 86.2, 31.6]],
                "camera_rotation": [[0.0, 0.0, 2.8]],
            },
        }
    )
    yield con
    con.close()


def test_pupil_axes_are_given_half_and_whole(lake):
    """OD-34: files and the reference hold half axes."""
    assert lake.sql(
        "select pupil_height, pupil_full_height, pupil_full_width from behavior.pupil order by timestamp"
    ).fetchall() == [(10.0, 20.0, 24.0), (None, None, None)]


def test_gaze_leaves_out_what_the_filter_left_out(lake):
    assert lake.sql(
        "select is_valid, pupil_area, screen_x_cm, screen_y_cm from behavior.gaze order by timestamp"
    ).fetchall() == [(True, 1.0, 3.0, 5.0), (False, None, None, None)]


def test_the_references_gaze_swaps_its_axes_unless_corrected(lake):
    """OD-10."""
    query = (
        "select raw_screen_x_cm, raw_screen_y_cm, filtered_screen_x_cm from behavior.screen_gaze({}) order by timestamp"
    )
    assert lake.sql(query.format("1")).fetchall() == [(5.0, 3.0, None), (6.0, 4.0, None)]
    assert lake.sql(query.format("1, include_filtered := true")).fetchall() == [(5.0, 3.0, 5.0), (6.0, 4.0, None)]
    assert lake.sql(query.format("1, include_filtered := true, corrected := true")).fetchall() == [
        (3.0, 5.0, 3.0),
        (4.0, 6.0, None),
    ]


def test_rig_geometry_is_one_row_an_axis(lake):
    assert lake.sql(
        "select axis, monitor_position, camera_rotation, led_position from behavior.rig_geometry order by axis"
    ).fetchall() == [("x", 118.6, 0.0, None), ("y", 86.2, 0.0, None), ("z", 31.6, 2.8, None)]
