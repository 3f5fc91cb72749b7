"""Reconstructed neurons: SWC files with their nodes, and marker files.

A file's nodes are one row of lists (``swc_nodes``), in file order and with the file's own ids, so that every operation
reads a whole tree; the public relations (``morphology.nodes``, ``morphology.reconstructions`` ...) are views. An SWC file
says nothing of the cell it shows: it is known by its content, and what its name tells is kept beside.
"""

from __future__ import annotations

from ..spec import Column, TableSpec, boolean, float64, int32, int64, list_, text

MORPHOLOGY = Column(1, "morphology_id", int64, "reconstruction, made from the content of its file")

# What the Allen Institute's file names say: <specimen name>_<file id>_m.swc, specimen_<id>/reconstruction.swc
_NAMED = (
    Column(2, "source_name", text, "name of the file"),
    Column(3, "named_specimen_id", int64, "specimen that the file's name or folder tells", None, True),
    Column(4, "named_specimen_name", text, "name of the specimen that the file's name tells", None, True),
    Column(5, "named_file_id", int64, "well-known file or reconstruction that the file's name tells", None, True),
)

SWC_FILES = TableSpec(
    "morphology.swc_files",
    grain="one SWC file",
    part="morphology",
    columns=(
        MORPHOLOGY,
        *_NAMED,
        Column(6, "kind", text, "raw, or what was done to it: pia, upright ... as the file's name ends"),
        Column(7, "n_nodes", int32, "nodes of the file"),
        Column(8, "comments", list_(text), "comment lines above the first node, without their #"),
        Column(
            9, "is_strict", boolean, "seven fields with one blank between them on every line, as strict readers ask"
        ),
        Column(10, "strict_complaint", text, "the first line that a strict reader refuses, and why", None, True),
        Column(11, "sha256", text, "SHA-256 of the file's content"),
    ),
    key=("morphology_id",),
    sort=("morphology_id",),
)

SWC_NODES = TableSpec(
    "morphology.swc_nodes",
    grain="the nodes of one SWC file, in the order and with the ids of the file",
    part="morphology",
    columns=(
        MORPHOLOGY,
        Column(2, "swc_ids", list_(int64), "id of each node", encoding="delta"),
        Column(3, "swc_types", list_(int32), "1 soma, 2 axon, 3 basal dendrite, 4 apical dendrite, 0 undefined"),
        Column(4, "swc_x", list_(float64), "position of each node", "um"),
        Column(5, "swc_y", list_(float64), "position of each node", "um"),
        Column(6, "swc_z", list_(float64), "position of each node", "um"),
        Column(7, "swc_radii", list_(float64), "radius of each node", "um"),
        Column(8, "swc_parents", list_(int64), "id of each node's parent, negative for a root", encoding="delta"),
    ),
    key=("morphology_id",),
    partition="morphology_id",
)

MARKER_FILES = TableSpec(
    "morphology.marker_files",
    grain="one marker file",
    part="markers",
    columns=(
        Column(1, "marker_file_id", int64, "marker file, made from its content"),
        *_NAMED,
        Column(6, "n_markers", int32, "markers of the file"),
    ),
    key=("marker_file_id",),
    sort=("marker_file_id",),
)

FILE_MARKERS = TableSpec(
    "morphology.file_markers",
    grain="one marker of a marker file, as the file has it",
    part="markers",
    columns=(
        Column(1, "marker_file_id", int64, "marker file, made from its content"),
        Column(2, "marker_index", int32, "index in the file, from 0"),
        Column(3, "raw_x", float64, "position, one pixel too far", "um"),
        Column(4, "raw_y", float64, "position, one pixel too far", "um"),
        Column(5, "raw_z", float64, "position, one pixel too far", "um"),
        Column(6, "radius", float64, "radius of the marker", "um", True),
        Column(7, "marker_shape", int32, "shape code", None, True),
        Column(8, "marker_code", int32, "10 cut dendrite, 20 no reconstruction, 30 soma", None, True),
        Column(9, "comment", text, "comment", None, True),
        Column(10, "marker_rgb", list_(int32), "red, green, blue, 0-255", None, True),
    ),
    key=("marker_file_id", "marker_index"),
    sort=("marker_file_id", "marker_index"),
)

SPECS: tuple[TableSpec, ...] = (SWC_FILES, SWC_NODES, MARKER_FILES, FILE_MARKERS)
