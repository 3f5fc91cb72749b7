"""The Mouse Connectivity Atlas: experiments, what projects where, and the grids it was counted on.

An *experiment* is one brain with one injection of a tracer; the warehouse calls it a section data set. Unionizes sum its
pixels by structure and hemisphere; grids hold them by voxel. Grids are kept sparse: a voxel that is in no row is 0 (and 1
in a data mask, whose exceptions alone are kept). Names follow the warehouse, lengths and volumes carry their unit.
"""

from __future__ import annotations

from ..spec import Column, TableSpec, boolean, float32, float64, int8, int16, int32, int64, list_, text

EXPERIMENT = Column(1, "experiment_id", int64, "experiment: the section data set's id")

LISTED_EXPERIMENTS = TableSpec(
    "connectivity.listed_experiments",
    grain="one experiment, as one kind of listing has it",
    part="experiments",
    columns=(
        EXPERIMENT,
        Column(2, "listing", text, "experiments: the service's list; metadata: a table of people's own"),
        Column(3, "product_id", int32, "product: 5 and 31 are the reference's", None, True),
        Column(4, "specimen_name", text, "name of the animal", None, True),
        Column(5, "gender", text, "F or M", None, True),
        Column(6, "strain", text, "strain", None, True),
        Column(7, "transgenic_line", text, "transgenic line; NULL for a wild type", None, True),
        Column(8, "transgenic_line_id", int64, "transgenic line", None, True),
        Column(9, "structure_id", int64, "structure that was chiefly injected", None, True),
        Column(10, "structure_acronym", text, "acronym of that structure", None, True),
        Column(11, "structure_name", text, "name of that structure", None, True),
        Column(12, "injection_structure_ids", list_(int64), "structures that the injection reached, as listed, repeats kept"),
        Column(13, "injection_volume_mm3", float64, "volume that was injected", "mm3", True),
        Column(14, "injection_ap_um", float64, "centre of the injection along ap", "um", True),
        Column(15, "injection_dv_um", float64, "centre of the injection along dv", "um", True),
        Column(16, "injection_ml_um", float64, "centre of the injection along ml", "um", True),
        Column(17, "age", text, "age of the animal", None, True),
        Column(18, "project_code", text, "project it was made in", None, True),
        Column(19, "workflow_state", text, "how far it has come", None, True),
        Column(20, "workflows", list_(text), "workflows that it belongs to"),
        Column(21, "storage_directory", text, "where the warehouse keeps its images", None, True),
        Column(22, "extra", text, "other attributes of the listing, a JSON object", None, True),
    ),
    key=("experiment_id", "listing"),
    sort=("experiment_id",),
)  # fmt: skip

PUBLISHED_UNIONIZES = TableSpec(
    "connectivity.published_unionizes",
    grain="one structure in one hemisphere of one experiment, within the injection or outside of it, as published",
    part="unionizes",
    columns=(
        EXPERIMENT,
        Column(2, "structure_id", int64, "structure, all below it included"),
        Column(3, "hemisphere_id", int8, "1 left, 2 right, 3 both"),
        Column(4, "is_injection", boolean, "within the injection; false: outside of it"),
        Column(5, "unionize_id", int64, "record of the warehouse", None, True),
        Column(6, "sum_pixels", float64, "pixels", None, True),
        Column(7, "sum_projection_pixels", float64, "pixels with signal", None, True),
        Column(8, "sum_pixel_intensity", float64, "intensity summed over pixels", None, True),
        Column(9, "sum_projection_pixel_intensity", float64, "intensity summed over pixels with signal", None, True),
        Column(10, "projection_density", float64, "pixels with signal / pixels", None, True),
        Column(11, "projection_intensity", float64, "intensity of a pixel with signal", None, True),
        Column(12, "projection_energy", float64, "intensity of pixels with signal / pixels", None, True),
        Column(13, "volume_mm3", float64, "volume of the pixels", "mm3", True),
        Column(14, "projection_volume_mm3", float64, "volume of the pixels with signal", "mm3", True),
        Column(15, "normalized_projection_volume", float64, "projection volume / volume of the injection's signal", None, True),
        Column(16, "max_voxel_density", float64, "highest density of a voxel", None, True),
        Column(17, "max_voxel_ap_um", float64, "where that is along ap; 0 where there is no signal", "um", True),
        Column(18, "max_voxel_dv_um", float64, "where that is along dv; 0 where there is no signal", "um", True),
        Column(19, "max_voxel_ml_um", float64, "where that is along ml; 0 where there is no signal", "um", True),
    ),
    key=("experiment_id", "structure_id", "hemisphere_id", "is_injection"),
    sort=("experiment_id", "structure_id", "hemisphere_id", "is_injection"),
)  # fmt: skip

GRIDS = TableSpec(
    "connectivity.grids",
    grain="one volume of one experiment: what of it was measured, on which grid",
    part="grids",
    columns=(
        EXPERIMENT,
        Column(2, "measure", text, "projection_density, injection_fraction, data_mask, sum_pixels ..."),
        Column(3, "grid_um", int32, "edge of a voxel", "um"),
        Column(4, "shape", list_(int32), "voxels along ap, dv and ml"),
        Column(5, "n_nonzero", int64, "voxels that are not 0"),
        Column(6, "voxel_sum", float64, "sum over all voxels", None, True),
        Column(7, "voxel_max", float64, "highest value of a voxel", None, True),
        Column(8, "file_dtype", text, "type of a voxel in the file, as numpy names it"),
        Column(9, "told_by", text, "what tells experiment and measure: option or path"),
        Column(10, "header", text, "fields of the file's header, a JSON object"),
        Column(11, "source_name", text, "name of the file"),
    ),
    key=("experiment_id", "measure", "grid_um"),
    sort=("experiment_id", "measure", "grid_um"),
)

GRID_VOXELS = TableSpec(
    "connectivity.grid_voxels",
    grain="one voxel of one volume of an experiment that is not 0; data masks are in connectivity.data_mask_runs",
    part="grids",
    columns=(
        EXPERIMENT,
        Column(2, "measure", text, "what was measured, as in connectivity.grids"),
        Column(3, "grid_um", int32, "edge of a voxel", "um"),
        Column(4, "ml_index", int16, "index along ml, 0 left"),
        Column(5, "dv_index", int16, "index along dv, 0 dorsal"),
        Column(6, "ap_index", int16, "index along ap, 0 anterior", encoding="delta"),
        Column(7, "voxel_value", float32, "value of the voxel"),
    ),
    partition="experiment_id",
    sort=("measure", "grid_um", "ml_index", "dv_index", "ap_index"),
)

DATA_MASK_RUNS = TableSpec(
    "connectivity.data_mask_runs",
    grain="one run of voxels along ap where an experiment's data mask is not 1, and the same",
    part="grids",
    columns=(
        EXPERIMENT,
        Column(2, "grid_um", int32, "edge of a voxel", "um"),
        Column(3, "ml_index", int16, "index along ml, 0 left"),
        Column(4, "dv_index", int16, "index along dv, 0 dorsal"),
        Column(5, "ap_index", int16, "index of the run's first voxel along ap, 0 anterior", encoding="delta"),
        Column(6, "n_voxels", int16, "voxels from there on, to posterior"),
        Column(7, "valid_fraction", float32, "share of each voxel that has data"),
    ),
    partition="experiment_id",
    sort=("grid_um", "ml_index", "dv_index", "ap_index"),
)

ALIGNMENTS = TableSpec(
    "connectivity.alignments",
    grain="one experiment's affine alignment to the reference space",
    part="alignments",
    columns=(
        EXPERIMENT,
        Column(2, "alignment_id", int64, "record of the warehouse", None, True),
        Column(3, "trv", list_(float64), "12 parameters, reference (um) to stack (um): nine row by row, three offsets"),
        Column(4, "tvr", list_(float64), "12 parameters, stack (um) to reference (um)"),
        Column(5, "extra", text, "other attributes of the record, a JSON object", None, True),
    ),
    key=("experiment_id",),
    sort=("experiment_id",),
)

INJECTIONS = TableSpec(
    "connectivity.injections",
    grain="one injection of a tracer into the animal of an experiment",
    part="injections",
    columns=(
        EXPERIMENT,
        Column(2, "injection_id", int64, "record of the warehouse"),
        Column(3, "structure_id", int64, "structure that was chiefly injected", None, True),
        Column(4, "injection_structure_ids", list_(int64), "structures that it reached"),
        Column(5, "injection_materials", text, "what was injected", None, True),
        Column(6, "injection_angle", float64, "angle of the pipette", "degree", True),
        Column(7, "injection_ap_mm", float64, "stereotaxic position", "mm", True),
        Column(8, "injection_dv_mm", float64, "stereotaxic position", "mm", True),
        Column(9, "injection_ml_mm", float64, "stereotaxic position", "mm", True),
        Column(10, "extra", text, "other attributes of the record, a JSON object", None, True),
    ),
    key=("experiment_id", "injection_id"),
    sort=("experiment_id", "injection_id"),
)

SECTION_IMAGES = TableSpec(
    "connectivity.section_images",
    grain="one image of one section of an experiment",
    part="section_images",
    columns=(
        EXPERIMENT,
        Column(2, "section_image_id", int64, "record of the warehouse"),
        Column(3, "section_number", int32, "number of the section", None, True),
        Column(4, "image_width", int32, "pixels from left to right", None, True),
        Column(5, "image_height", int32, "pixels from top to bottom", None, True),
        Column(6, "resolution_um", float64, "edge of a pixel", "um", True),
        Column(7, "tsv", list_(float64), "6 parameters, section (pixel) to stack (um): four row by row, two offsets; empty where it is not aligned"),
        Column(8, "tvs", list_(float64), "6 parameters, stack (um) to section (pixel)"),
        Column(9, "extra", text, "other attributes of the record, a JSON object", None, True),
    ),
    key=("experiment_id", "section_image_id"),
    sort=("experiment_id", "section_number"),
)  # fmt: skip

DEFORMATION_FIELDS = TableSpec(
    "connectivity.deformation_fields",
    grain="one experiment's field of displacements, whose values are in ccf.volume_blocks",
    part="deformation",
    columns=(
        EXPERIMENT,
        Column(2, "volume_id", int64, "volume, as in ccf.volumes"),
    ),
    key=("experiment_id",),
    sort=("experiment_id",),
)

CHANNEL_VOLUMES = TableSpec(
    "connectivity.channel_volumes",
    grain="one channel of an experiment's images on the reference space, whose values are in ccf.volume_blocks",
    part="channels",
    columns=(
        EXPERIMENT,
        Column(2, "channel", text, "red, green or blue"),
        Column(3, "volume_id", int64, "volume, as in ccf.volumes"),
    ),
    key=("experiment_id", "channel"),
    sort=("experiment_id", "channel"),
)

PUBLISHED_MATRICES = TableSpec(
    "connectivity.published_matrices",
    grain="one experiment's value for one target, as a published matrix has it",
    part="matrices",
    columns=(
        Column(1, "matrix_name", text, "matrix: the sheet's or the dataset's name"),
        Column(2, "experiment_id", int64, "experiment"),
        Column(3, "structure_acronym", text, "acronym of the target; NULL where ids name it", None, True),
        Column(4, "structure_id", int64, "target; NULL where an acronym names it", None, True),
        Column(5, "side", text, "ipsilateral, contralateral, or source"),
        Column(6, "matrix_value", float64, "value in the matrix; cells that are empty are in no row"),
        Column(7, "matrix_row", int32, "row of the experiment, from 0"),
        Column(8, "matrix_column", int32, "column of the target, from 0"),
    ),
    sort=("matrix_name", "matrix_row", "matrix_column"),
)

SPECS: tuple[TableSpec, ...] = (
    LISTED_EXPERIMENTS,
    PUBLISHED_UNIONIZES,
    GRIDS,
    GRID_VOXELS,
    DATA_MASK_RUNS,
    ALIGNMENTS,
    INJECTIONS,
    SECTION_IMAGES,
    DEFORMATION_FIELDS,
    CHANNEL_VOLUMES,
    PUBLISHED_MATRICES,
)
