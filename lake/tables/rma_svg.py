"""Outlines of structures that the API draws on its images (spec: api E09, E10, 3.5)."""

from __future__ import annotations

from ..spec import Column, TableSpec, float64, int32, int64, list_, text

_IMAGE = Column(1, "section_image_id", int64, "image that it is drawn on")


def _edge(number: int, name: str, description: str) -> Column:
    return Column(number, name, float64, f"{description} of what encloses it, in the document's pixels", "px", True)


SVG_DOCUMENTS = TableSpec(
    "rma.svg_documents",
    grain="one drawing of one image",
    part="drawings",
    columns=(
        _IMAGE,
        Column(2, "width_px", float64, "width of the drawing", "px", True),
        Column(3, "height_px", float64, "height of the drawing", "px", True),
        Column(4, "n_paths", int32, "outlines in it"),
    ),
    key=("section_image_id",),
    sort=("section_image_id",),
)

SVG_PATHS = TableSpec(
    "rma.svg_paths",
    grain="one outline in the drawing of one image",
    part="drawings",
    columns=(
        _IMAGE,
        Column(2, "path_index", int32, "its place in the document, from 0: a later one is painted over an earlier one"),
        Column(3, "path_id", int64, "graphic object of the warehouse that it is", None, True),
        Column(4, "structure_id", int64, "structure that it outlines", None, True),
        Column(5, "path_order", int32, "its order, as the warehouse numbers it", None, True),
        Column(6, "parent_id", int64, "graphic object that it belongs to, as it says itself", None, True),
        Column(7, "group_id", int64, "graphic object of the group that holds it", None, True),
        Column(8, "group_order", int32, "order of that group", None, True),
        Column(9, "graphic_group_label_id", int64, "label of the nearest group that has one", None, True),
        Column(10, "graphic_group_label", text, "name of that label", None, True),
        Column(11, "path_data", text, "its geometry: commands of an SVG path, before the transformation"),
        Column(12, "path_transform", list_(float64), "from its geometry to the document's pixels: a, b, c, d, e, f"),
        Column(13, "style", text, "style, as CSS", None, True),
        Column(14, "fill", text, "colour it is filled with", None, True),
        _edge(15, "left_px", "left edge"),
        _edge(16, "top_px", "upper edge"),
        _edge(17, "right_px", "right edge"),
        _edge(18, "bottom_px", "lower edge"),
    ),
    key=("section_image_id", "path_index"),
    sort=("section_image_id", "path_index"),
)

SPECS = (SVG_DOCUMENTS, SVG_PATHS)
