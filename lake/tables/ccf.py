"""The Common Coordinate Framework: ontologies of structures, and volumes in the space they are drawn in.

Positions are ``ap`` (0 anterior), ``dv`` (0 dorsal) and ``ml`` (0 left), whatever order a file has them in. A volume of
labels is kept twice, as runs along ``ap`` for SQL and as packed sagittal planes for look-ups; grey values are kept in
blocks. Why so: docs/volume-layout.md. Which structures are where follows in views (``ccf.structures`` ...).
"""

from __future__ import annotations

import pyarrow as pa

from ..spec import Column, TableSpec, boolean, float64, int8, int16, int32, int64, list_, text

blob = pa.binary()

VOLUME = Column(1, "volume_id", int64, "volume, as in ccf.volumes")


LISTED_STRUCTURES = TableSpec(
    "ccf.listed_structures",
    grain="one structure of one ontology, as one kind of listing has it",
    part="structures",
    columns=(
        Column(
            1, "graph_id", int64, "structure graph: 1 adult mouse; made from the content where the listing names none"
        ),
        Column(2, "structure_id", int64, "structure"),
        Column(3, "listing", text, "tree: with structure sets, as the reference caches it; table: all attributes"),
        Column(4, "list_index", int32, "position in the listing, from 0"),
        Column(5, "acronym", text, "acronym"),
        Column(6, "name", text, "full name"),
        Column(7, "safe_name", text, "name without special characters", None, True),
        Column(8, "parent_structure_id", int64, "parent as the listing has it", None, True),
        Column(9, "structure_id_path", list_(int64), "structures from the root down to this one"),
        Column(10, "graph_order", int32, "place in the order of the graph", None, True),
        Column(11, "tree_depth", int32, "edges from the root, as the listing has it", None, True),
        Column(12, "st_level", int32, "level of the structure, as the listing has it", None, True),
        Column(13, "color_hex", text, "colour, six lower-case digits", None, True),
        Column(14, "atlas_id", int64, "atlas, as the listing has it", None, True),
        Column(15, "ontology_id", int64, "ontology", None, True),
        Column(16, "hemisphere_id", int8, "1 left, 2 right, 3 both", None, True),
        Column(18, "is_leaf", boolean, "no structure of the listing is part of it"),
        Column(17, "extra", text, "other attributes of the listing, a JSON object", None, True),
    ),
    key=("graph_id", "structure_id", "listing"),
    sort=("graph_id", "list_index"),
)

STRUCTURE_SET_MEMBERS = TableSpec(
    "ccf.structure_set_members",
    grain="one structure in one structure set",
    part="structures",
    columns=(
        Column(1, "structure_set_id", int64, "structure set"),
        Column(2, "structure_id", int64, "structure in it"),
        Column(3, "graph_id", int64, "structure graph whose listing says so"),
    ),
    key=("graph_id", "structure_set_id", "structure_id"),
    sort=("structure_set_id", "structure_id"),
)

NAMED_STRUCTURE_SETS = TableSpec(
    "ccf.named_structure_sets",
    grain="one structure set, as a record of the API has it",
    part="structure_sets",
    columns=(
        Column(1, "structure_set_id", int64, "structure set"),
        Column(2, "name", text, "name", None, True),
        Column(3, "description", text, "description", None, True),
        Column(4, "graph_id", int64, "structure graph whose listing tells it; 0 for a list of sets"),
    ),
    key=("structure_set_id", "graph_id"),
    sort=("structure_set_id",),
)

STRUCTURE_GRAPHS = TableSpec(
    "ccf.structure_graphs",
    grain="one structure graph: a version of an ontology",
    part="structure_graphs",
    columns=(
        Column(1, "graph_id", int64, "structure graph"),
        Column(2, "name", text, "name"),
        Column(3, "ontology_id", int64, "ontology it is a version of", None, True),
        Column(4, "ontology_name", text, "name of the ontology", None, True),
    ),
    key=("graph_id",),
    sort=("graph_id",),
)

ATLASES = TableSpec(
    "ccf.atlases",
    grain="one atlas: images with structures drawn on them",
    part="atlases",
    columns=(
        Column(1, "atlas_id", int64, "atlas"),
        Column(2, "name", text, "name"),
        Column(3, "image_type", text, "kind of image it is drawn on", None, True),
        Column(4, "graph_id", int64, "structure graph its structures come from", None, True),
        Column(5, "graphic_group_label_ids", list_(int64), "groups of drawings", None, True),
        Column(6, "graphic_group_label_names", list_(text), "names of the groups of drawings", None, True),
        Column(7, "extra", text, "other attributes, a JSON object", None, True),
    ),
    key=("atlas_id",),
    sort=("atlas_id",),
)

VOLUMES = TableSpec(
    "ccf.volumes",
    grain="one volume of the reference space: an annotation, a mask, a template, a field",
    part="volumes",
    columns=(
        VOLUME,
        Column(2, "kind", text, "annotation, mask, labels, template, nissl, field, channel or grey"),
        Column(3, "version", text, "version of the annotation, as ccf_2017; NULL where nothing tells it", None, True),
        Column(4, "told_by", text, "what tells kind and version: option, path, or content"),
        Column(5, "structure_id", int64, "structure that a mask is of", None, True),
        Column(6, "resolution_um", float64, "edge of a voxel; NULL where edges differ", "um", True),
        Column(7, "shape", list_(int32), "voxels along ap, dv and ml"),
        Column(8, "spacing_um", list_(float64), "edges of a voxel along ap, dv and ml", "um"),
        Column(9, "origin_um", list_(float64), "position of the first voxel, as the file's header has it", "um"),
        Column(10, "axes_grow_to", text, "PIR: axes grow to posterior, inferior and right; PIL: the last to the left"),
        Column(11, "file_axes", text, "axes of the file from the fastest on, as ap,dv,ml"),
        Column(12, "file_format", text, "nrrd, metaimage, nifti or npy"),
        Column(13, "file_dtype", text, "type of a voxel in the file, as numpy names it"),
        Column(14, "n_components", int32, "values a voxel"),
        Column(15, "stored_as", text, "runs or blocks"),
        Column(16, "stored_dtype", text, "type of a voxel in the blocks, as numpy names it", None, True),
        Column(17, "n_nonzero", int64, "voxels that are not 0"),
        Column(18, "header", text, "fields of the file's header, a JSON object"),
        Column(19, "source_name", text, "name of the file"),
    ),
    key=("volume_id",),
    sort=("volume_id",),
)

LABEL_GEOMETRY = TableSpec(
    "ccf.label_geometry",
    grain="one label of a volume within one hemisphere: how much of it there is, and where",
    part="volumes",
    columns=(
        VOLUME,
        Column(2, "structure_id", int64, "label: the structure of an annotation, 1 in a mask"),
        Column(3, "hemisphere_id", int8, "1 left, 2 right"),
        Column(4, "n_voxels", int64, "voxels with this very label, structures below not counted"),
        Column(5, "ap_index_sum", int64, "sum of the voxels' indices along ap"),
        Column(6, "dv_index_sum", int64, "sum of the voxels' indices along dv"),
        Column(7, "ml_index_sum", int64, "sum of the voxels' indices along ml"),
        Column(8, "first_index", list_(int32), "lowest index along ap, dv and ml"),
        Column(9, "last_index", list_(int32), "highest index along ap, dv and ml"),
    ),
    key=("volume_id", "structure_id", "hemisphere_id"),
    sort=("volume_id", "structure_id", "hemisphere_id"),
)

ANNOTATION_RUNS = TableSpec(
    "ccf.annotation_runs",
    grain="one run of voxels along ap that have the same label; voxels of label 0 are in no run",
    part="volumes",
    columns=(
        VOLUME,
        Column(2, "ml_index", int16, "index along ml, 0 left"),
        Column(3, "dv_index", int16, "index along dv, 0 dorsal"),
        Column(4, "ap_index", int16, "index of the run's first voxel along ap, 0 anterior", encoding="delta"),
        Column(5, "n_voxels", int16, "voxels from there on, to posterior"),
        Column(6, "structure_id", int64, "label: the structure of an annotation, 1 in a mask"),
        Column(7, "hemisphere_id", int8, "1 left, 2 right"),
    ),
    partition="volume_id",
    sort=("ml_index", "dv_index", "ap_index"),
    row_group_rows=65_536,
)

ANNOTATION_PLANES = TableSpec(
    "ccf.annotation_planes",
    grain="one sagittal plane of a volume of labels, packed for look-ups",
    part="volumes",
    columns=(
        VOLUME,
        Column(2, "ml_index", int16, "index along ml, 0 left"),
        Column(3, "row_starts", blob, "int32: where the runs of each row begin, a row a dv index, and the end", None, False, "plain"),
        Column(4, "run_starts", blob, "uint16: index along ap at which each run begins, 0 for a row's first", None, False, "plain"),
        Column(5, "run_labels", blob, "uint16: label of each run, as its place in plane_labels", None, False, "plain"),
        Column(6, "plane_labels", blob, "uint32: labels that the plane has, 0 for background", None, False, "plain"),
    ),
    key=("volume_id", "ml_index"),
    partition="volume_id",
    sort=("ml_index",),
    row_group_rows=32,
    compression="lz4",  # read whole for points all over the brain: unpacking is then most of the work
)  # fmt: skip

VOLUME_BLOCKS = TableSpec(
    "ccf.volume_blocks",
    grain="one block of 16 x 16 x 16 voxels of a volume of grey values; blocks of zeros are not kept",
    part="volumes",
    columns=(
        VOLUME,
        Column(2, "ml_block", int16, "index along ml of its first voxel, divided by 16"),
        Column(3, "ap_block", int16, "index along ap of its first voxel, divided by 16"),
        Column(4, "dv_block", int16, "index along dv of its first voxel, divided by 16"),
        Column(5, "component", int16, "which of a voxel's values, from 0"),
        Column(6, "lowest", float64, "lowest value in it", None, True),
        Column(7, "highest", float64, "highest value in it", None, True),
        Column(8, "voxel_bytes", blob, "its voxels, ml fastest, then dv, then ap, in the volume's stored_dtype; 0 beyond its edge", encoding="plain"),
    ),
    key=("volume_id", "ml_block", "ap_block", "dv_block", "component"),
    partition="volume_id",
    sort=("ml_block", "ap_block", "dv_block", "component"),
    row_group_rows=128,
)  # fmt: skip

STRUCTURE_MESHES = TableSpec(
    "ccf.structure_meshes",
    grain="one mesh: the surface of a structure",
    part="meshes",
    columns=(
        Column(1, "structure_id", int64, "structure it is the surface of"),
        Column(2, "told_by", text, "what tells the structure: option or path"),
        Column(3, "vertex_ap_um", list_(float64), "position of each vertex", "um"),
        Column(4, "vertex_dv_um", list_(float64), "position of each vertex", "um"),
        Column(5, "vertex_ml_um", list_(float64), "position of each vertex", "um"),
        Column(6, "normal_ap", list_(float64), "direction of each normal"),
        Column(7, "normal_dv", list_(float64), "direction of each normal"),
        Column(8, "normal_ml", list_(float64), "direction of each normal"),
        Column(9, "face_vertices", list_(int32), "three vertices a face, from 0", encoding="delta"),
        Column(10, "face_normals", list_(int32), "three normals a face, from 0", encoding="delta"),
    ),
    key=("structure_id",),
    sort=("structure_id",),
)  # fmt: skip

SPECS: tuple[TableSpec, ...] = (
    LISTED_STRUCTURES,
    STRUCTURE_SET_MEMBERS,
    NAMED_STRUCTURE_SETS,
    STRUCTURE_GRAPHS,
    ATLASES,
    VOLUMES,
    LABEL_GEOMETRY,
    ANNOTATION_RUNS,
    ANNOTATION_PLANES,
    VOLUME_BLOCKS,
    STRUCTURE_MESHES,
)
