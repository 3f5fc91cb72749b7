"""What pipelines made becomes rows: runs, sections, strips and areas."""

from __future__ import annotations

import json

import pytest
from brainlake.ingest import registry
from brainlake.lake.errors import SourceError
from brainlake.tests.fixtures.ingesting import source_of, tables_of

TURN = {"from_axis": 0, "to_axis": 2, "start": 0, "end": 2, "nsteps": 8}
DOCUMENTS = {
    "grid": {
        "pipeline": "grid",
        "output_file_paths": ["a/sum_pixels.nrrd", "g/projection_density_25.nrrd"],
        "input_parameters": {"case": "classic", "sub_images": [{}, {}], "target_spacings": [25]},
    },
    "stitch": {
        "pipeline": "stitch",
        "slice_fname": "s/section.tif",
        "missing_tile_paths": {"7": "2,0,4,0,4,4,2,4"},
        "input_parameters": {"image_dimensions": {"row": 4, "column": 6}, "channels": [1, 2], "tiles": [{}, {}, {}]},
    },
    "thumbnail": {
        "pipeline": "thumbnail",
        "output_file_paths": ["depth.tif", "small.png", "large.png", "depth2.tif", "other.png"],
        "notes": [],
        "input_parameters": {
            "volume_path": "density.nrrd",
            "rotations": [
                {"projection_parameters": {"axis": 2}, "rotation_parameters": TURN, "output_images": [{}, {}]},
                {"projection_parameters": {"axis": 1}, "rotation_parameters": TURN, "output_images": [{}]},
            ],
        },
    },
    "region-metrics": {
        "pipeline": "region-metrics",
        "x_centroid": 1.5, "y_centroid": 0.5, "azimuth_min": -60.0, "azimuth_max": 20.0, "azimuth_range": 80.0,
        "azimuth_bias": 40.0, "altitude_min": 10.0, "altitude_max": 20.0, "altitude_range": 10.0, "altitude_bias": 30.0,
        "eccentricity_at_centroid": None,
        "input_parameters": {"processed_h5": "maps.h5"},
    },
}  # fmt: skip


@pytest.fixture
def written(tmp_path):
    def write(name, **changes):
        path = tmp_path / "out.json"
        path.write_text(json.dumps({**DOCUMENTS[name], **changes}))
        return path

    return write


@pytest.mark.parametrize("name", DOCUMENTS)
def test_one_reader_takes_each_document(written, name):
    source = source_of(written(name))
    assert registry.choose(source).name == "pipeline_documents"
    assert registry.choose(source).identify(source).subject.startswith(f"pipeline.run/{name}/")


def test_a_run_of_the_gridder(written):
    row = tables_of(written("grid"))["connectivity.grid_runs"].to_pylist()[0]
    assert (row["grid_case"], row["n_sections"], row["target_spacings_um"]) == ("classic", 2, [25.0])
    assert row["output_paths"] == DOCUMENTS["grid"]["output_file_paths"]


def test_a_stitched_section_with_its_missing_tiles(written):
    row = tables_of(written("stitch"))["connectivity.stitched_sections"].to_pylist()[0]
    assert (row["n_rows"], row["n_columns"], row["n_tiles"], row["image_channels"]) == (4, 6, 3, [1, 2])
    assert (row["missing_tile_indices"], row["missing_tile_outlines"]) == ([7], ["2,0,4,0,4,4,2,4"])


def test_strips_go_with_the_depths_of_their_rotation(written):
    rows = tables_of(written("thumbnail"))["connectivity.projection_thumbnails"].to_pylist()
    assert [(r["rotation_index"], r["image_index"], r["image_path"], r["depth_path"]) for r in rows] == [
        (0, 0, "small.png", "depth.tif"), (0, 1, "large.png", "depth.tif"), (1, 0, "other.png", "depth2.tif")]  # fmt: skip
    assert rows[0]["end_angle_rad"] == pytest.approx(6.283185307)


def test_metrics_of_an_area_that_people_name(written):
    row = tables_of(written("region-metrics"), region="12")["ophys.isi_region_metrics"].to_pylist()[0]
    assert (row["region_id"], row["azimuth_bias"], row["eccentricity_at_centroid"]) == (12, 40.0, None)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("grid", {"output_file_paths": [1]}),
        ("stitch", {"missing_tile_paths": {"x": "1"}}),
        ("stitch", {"missing_tile_paths": None}),
        ("thumbnail", {"output_file_paths": ["depth.tif"]}),
        ("region-metrics", {"azimuth_min": "low"}),
    ],
)
def test_a_document_that_lacks_something_is_one_clear_error(written, name, changes):
    with pytest.raises(SourceError, match=f"is no document of the pipeline {name}"):
        tables_of(written(name, **changes))
