"""Gene expression by in situ hybridisation: genes, image series, sums by structure, and expression on grids of voxels.

An image series is a *data set* (``SectionDataSet``); most show one gene. Grids of the warehouse say -1 where a voxel
has no data: that is NULL here, and a voxel without any value has no row. Structures of voxels follow in a view.
"""

from __future__ import annotations

from ..spec import Column, TableSpec, boolean, float32, float64, int16, int32, int64, list_, text

DATA_SET = Column(1, "data_set_id", int64, "image series (SectionDataSet)")

LISTED_GENES = TableSpec(
    "ish.listed_genes",
    grain="one gene, as a list of genes has it",
    part="genes",
    columns=(
        Column(1, "gene_id", int64, "gene in the warehouse"),
        Column(2, "gene_acronym", text, "symbol", None, True),
        Column(3, "gene_name", text, "name", None, True),
        Column(4, "entrez_id", int64, "gene in Entrez", None, True),
        Column(5, "organism_id", int64, "1 human, 2 mouse", None, True),
        Column(6, "chromosome_id", int64, "chromosome in the warehouse", None, True),
        Column(7, "chromosome", text, "name of the chromosome", None, True),
        Column(8, "extra", text, "other attributes, a JSON object", None, True),
    ),
    key=("gene_id",),
    sort=("gene_id",),
)

DATA_SETS = TableSpec(
    "ish.data_sets",
    grain="one image series that shows the expression of genes",
    part="data_sets",
    columns=(
        DATA_SET,
        Column(2, "product_ids", list_(int64), "products it belongs to: 1 adult mouse, 3 developing mouse"),
        Column(3, "plane_of_section", text, "coronal or sagittal", None, True),
        Column(4, "plane_of_section_id", int64, "1 coronal, 2 sagittal", None, True),
        Column(5, "age", text, "age of the animal, as P56 or E13.5", None, True),
        Column(6, "failed", boolean, "it failed the control of quality", None, True),
        Column(7, "expression", boolean, "the gene is expressed in it", None, True),
        Column(8, "delegate", boolean, "it stands for its gene where one series is asked for", None, True),
        Column(9, "section_thickness_um", float64, "thickness of a section", "um", True),
        Column(10, "reference_space_id", int64, "9 grows to the right along ml, 10 to the left", None, True),
        Column(11, "specimen_id", int64, "brain", None, True),
        Column(12, "extra", text, "other attributes, a JSON object", None, True),
    ),
    key=("data_set_id",),
    sort=("data_set_id",),
)

DATA_SET_GENES = TableSpec(
    "ish.data_set_genes",
    grain="one gene shown by one image series",
    part="data_sets",
    columns=(
        DATA_SET,
        Column(2, "gene_id", int64, "gene in the warehouse"),
        Column(3, "gene_acronym", text, "symbol", None, True),
        Column(4, "gene_name", text, "name", None, True),
        Column(5, "entrez_id", int64, "gene in Entrez", None, True),
        Column(6, "organism_id", int64, "1 human, 2 mouse", None, True),
    ),
    key=("data_set_id", "gene_id"),
    sort=("gene_id", "data_set_id"),
)

UNIONIZES = TableSpec(
    "ish.published_unionizes",
    grain="one structure in one image series, as the warehouse sums it",
    part="unionizes",
    columns=(
        Column(1, "unionize_id", int64, "record in the warehouse", None, True),
        Column(2, "data_set_id", int64, "image series (SectionDataSet)"),
        Column(3, "structure_id", int64, "structure, those below counted"),
        Column(4, "sum_pixels", float64, "pixels", None, True),
        Column(5, "sum_expressing_pixels", float64, "pixels that express", None, True),
        Column(6, "sum_pixel_intensity", float64, "sum of intensities", None, True),
        Column(7, "sum_expressing_pixel_intensity", float64, "sum of intensities where pixels express", None, True),
        Column(8, "expression_density", float64, "expressing share of pixels", None, True),
        Column(9, "expression_energy", float64, "expressing intensity a pixel", None, True),
        Column(10, "voxel_energy_mean", float64, "mean of energy over voxels", None, True),
        Column(11, "voxel_energy_cv", float64, "deviation of energy over voxels, divided by its mean", None, True),
        Column(12, "extra", text, "other attributes, a JSON object", None, True),
    ),
    key=("data_set_id", "structure_id"),
    sort=("structure_id", "data_set_id"),
)

GRIDS = TableSpec(
    "ish.grids",
    grain="one grid of expression of one image series",
    part="expression_grids",
    columns=(
        DATA_SET,
        Column(2, "told_by", text, "what tells the image series: option or path"),
        Column(3, "measures", list_(text), "what it holds: energy, density, intensity"),
        Column(4, "shape", list_(int32), "voxels along ap, dv and ml"),
        Column(5, "spacing_um", list_(float64), "edges of a voxel along ap, dv and ml", "um"),
        Column(6, "n_voxels", int64, "voxels with a value"),
    ),
    key=("data_set_id",),
    sort=("data_set_id",),
)

GRID_VOXELS = TableSpec(
    "ish.grid_voxels",
    grain="one voxel of a grid of expression that has a value; zeros are kept",
    part="expression_grids",
    columns=(
        DATA_SET,
        Column(2, "ml_index", int16, "index along ml"),
        Column(3, "dv_index", int16, "index along dv, 0 dorsal"),
        Column(4, "ap_index", int16, "index along ap, 0 anterior", encoding="delta"),
        Column(5, "energy", float32, "expression energy; NULL where there is no data", None, True),
        Column(6, "density", float32, "expression density; NULL where there is no data", None, True),
        Column(7, "intensity", float32, "intensity of what expresses; NULL where there is no data", None, True),
    ),
    key=("data_set_id", "ml_index", "dv_index", "ap_index"),
    partition="data_set_id",
    sort=("ml_index", "dv_index", "ap_index"),
)

SPECS: tuple[TableSpec, ...] = (LISTED_GENES, DATA_SETS, DATA_SET_GENES, UNIONIZES, GRIDS, GRID_VOXELS)
