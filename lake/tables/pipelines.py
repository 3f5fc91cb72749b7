"""What pipelines of files made (spec: connectivity 3.6): runs, and where their files are; pixels stay in the files."""

from __future__ import annotations

from ..spec import Column, TableSpec, float64, int32, int64, list_, text

RUN = Column(1, "run_id", int64, "run of a pipeline, made from what it was asked for")

GRID_RUNS = TableSpec(
    "connectivity.grid_runs",
    grain="one image series put into grids of the reference space",
    part="grid_runs",
    columns=(
        RUN,
        Column(2, "grid_case", text, "classic, count or cav"),
        Column(3, "n_sections", int32, "sections that were summed"),
        Column(4, "target_spacings_um", list_(float64), "edges of voxels of the grids", "um"),
        Column(5, "output_paths", list_(text), "files of accumulators and grids"),
        Column(6, "input_parameters", text, "what was asked for, a JSON object"),
    ),
    key=("run_id",),
    sort=("run_id",),
)

STITCHED_SECTIONS = TableSpec(
    "connectivity.stitched_sections",
    grain="one section put together from tiles",
    part="stitched_sections",
    columns=(
        RUN,
        Column(2, "image_path", text, "file of the section"),
        Column(3, "n_rows", int32, "pixels from top to bottom"),
        Column(4, "n_columns", int32, "pixels from left to right"),
        Column(5, "image_channels", list_(int32), "channels, from 1, in the order of the file"),
        Column(6, "n_tiles", int32, "tiles that were asked for, in all channels"),
        Column(7, "missing_tile_indices", list_(int64), "tiles that could not be read"),
        Column(8, "missing_tile_outlines", list_(text), "corners of each: row,column,row,column ..."),
    ),
    key=("run_id",),
    sort=("run_id",),
)

PROJECTION_THUMBNAILS = TableSpec(
    "connectivity.projection_thumbnails",
    grain="one strip of views of a turning volume",
    part="projection_thumbnails",
    columns=(
        RUN,
        Column(2, "rotation_index", int32, "rotation that was asked for, from 0"),
        Column(3, "image_index", int32, "image of it, from 0"),
        Column(4, "volume_path", text, "file of the volume"),
        Column(5, "projection_axis", int32, "image axis looked along: 0 ml, 1 dv, 2 ap"),
        Column(6, "from_axis", int32, "image axis that it turns from"),
        Column(7, "to_axis", int32, "image axis that it turns to"),
        Column(8, "first_angle_rad", float64, "angle of the first view", "rad"),
        Column(9, "end_angle_rad", float64, "angle at which no view is taken any more", "rad"),
        Column(10, "n_views", int32, "views, at equal angles"),
        Column(11, "image_path", text, "file of the strip"),
        Column(12, "depth_path", text, "file of the depths of what is seen"),
    ),
    key=("run_id", "rotation_index", "image_index"),
    sort=("run_id", "rotation_index", "image_index"),
)


def _degrees(number: int, name: str, description: str) -> Column:
    return Column(number, name, float64, description, "degree", True)


ISI_REGION_METRICS = TableSpec(
    "ophys.isi_region_metrics",
    grain="one annotated area of a map of intrinsic signals: what of the visual field it covers",
    part="isi_region_metrics",
    columns=(
        RUN,
        Column(2, "region_id", int64, "area, as people name it", None, True),
        Column(3, "x_centroid", float64, "centre in pixels from the left"),
        Column(4, "y_centroid", float64, "centre in pixels from the top"),
        _degrees(5, "azimuth_min", "least azimuth"),
        _degrees(6, "azimuth_max", "greatest azimuth"),
        _degrees(7, "azimuth_range", "greatest less least azimuth"),
        _degrees(8, "azimuth_bias", "|least + greatest azimuth|"),
        _degrees(9, "altitude_min", "least altitude"),
        _degrees(10, "altitude_max", "greatest altitude"),
        _degrees(11, "altitude_range", "greatest less least altitude"),
        _degrees(12, "altitude_bias", "|least + greatest altitude|"),
        _degrees(13, "eccentricity_at_centroid", "angle between the centre of the area and that of the visual field"),
        Column(14, "source_path", text, "file of the maps"),
    ),
    key=("run_id",),
    sort=("run_id",),
)

SPECS: tuple[TableSpec, ...] = (GRID_RUNS, STITCHED_SECTIONS, PROJECTION_THUMBNAILS, ISI_REGION_METRICS)
