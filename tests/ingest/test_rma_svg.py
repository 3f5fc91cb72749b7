"""Drawings of the API are taken apart: which structure an outline is of, where it lies, what encloses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from brainlake.ingest.contract import Report
from brainlake.lake.errors import ForeignError, SourceError
from brainlake.tests.fixtures.ingesting import tables_of

# Groups as the API nests them: the drawing's own, then one for each label, each with a transformation of its own.
DRAWING = """<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE svg PUBLIC "-//W3C//DTD SVG 1.1//EN" "http://www.w3.org/Graphics/SVG/1.1/DTD/svg11.dtd">
<svg xmlns="http://www.w3.org/2000/svg" width="11360" height="8000px">
  <title>one section</title>
  <g id="100" order="0" transform="translate(100,50)">
    <g id="101" order="1" graphic_group_label="Atlas - Adult Mouse" graphic_group_label_id="28" transform="scale(2)">
      <path id="7" parent_id="101" order="3" structure_id="997" style="stroke:black;fill:#bfdae3" d="M0,0 H10 V5 z"/>
      <g transform="rotate(90 10 10)">
        <path id="8" parent_id="7" order="4" structure_id="385" fill="#08858c" d="m 10 10 l 4 0"/>
      </g>
    </g>
    <g id="102" order="2" graphic_group_label="Fiber Tracts" graphic_group_label_id="159226751">
      <path id="9" order="1" structure_id="1009" d="M0,0 C0,10 10,10 10,0"/>
    </g>
  </g>
</svg>"""


def drawn(folder: Path, text: str, name: str = "100960033.svg", **settings: str) -> list[dict[str, Any]]:
    (folder / name).write_text(text)
    return tables_of(folder / name, **settings)["rma.svg_paths"].to_pylist()


def test_an_outline_says_its_structure_and_where_it_belongs(tmp_path):
    found = drawn(tmp_path, DRAWING)
    said = ("path_index", "path_id", "structure_id", "path_order", "parent_id", "group_id", "group_order",
            "graphic_group_label_id", "graphic_group_label", "fill")  # fmt: skip
    assert [tuple(one[name] for name in said) for one in found] == [
        (0, 7, 997, 3, 101, 101, 1, 28, "Atlas - Adult Mouse", "#bfdae3"),
        (1, 8, 385, 4, 7, None, None, 28, "Atlas - Adult Mouse", "#08858c"),
        (2, 9, 1009, 1, None, 102, 2, 159226751, "Fiber Tracts", None),
    ]
    assert {one["section_image_id"] for one in found} == {100960033}
    assert [one["path_data"] for one in found] == ["M0,0 H10 V5 z", "m 10 10 l 4 0", "M0,0 C0,10 10,10 10,0"]


def test_what_encloses_an_outline_is_told_in_pixels_of_the_document(tmp_path):
    """By hand: a scaled and moved triangle; a line turned about its start; a curve, which reaches 3/4 of its handles."""
    found = drawn(tmp_path, DRAWING)
    edges = [[one[f"{side}_px"] for side in ("left", "top", "right", "bottom")] for one in found]
    assert edges[0] == [100, 50, 120, 60]
    assert edges[1] == pytest.approx([120, 70, 120, 78])
    assert edges[2] == pytest.approx([100, 50, 110, 57.5])
    assert found[0]["path_transform"] == [2, 0, 0, 2, 100, 50]


@pytest.mark.parametrize(
    ("transform", "expected"),
    [
        ("matrix(1 0 0 1 5 6)", [1, 0, 0, 1, 5, 6]),
        ("matrix(0.5,0,0,0.25,-3,1e1)", [0.5, 0, 0, 0.25, -3, 10]),
        ("translate(7)", [1, 0, 0, 1, 7, 0]),
        ("scale(2, 3) translate(1,1)", [2, 0, 0, 3, 2, 3]),
        ("rotate(90)", [0, 1, -1, 0, 0, 0]),
        ("skewX(45)", [1, 0, 1, 1, 0, 0]),
        ("", [1, 0, 0, 1, 0, 0]),
    ],
)
def test_transformations_are_those_of_svg(tmp_path, transform, expected):
    """The matrices of the SVG 1.1 recommendation, section 7.6."""
    (one,) = drawn(tmp_path, f'<svg><path structure_id="1" transform="{transform}" d="M0 0"/></svg>')
    assert one["path_transform"] == pytest.approx(expected)


def test_the_document_tells_its_size(tmp_path):
    (tmp_path / "5.svg").write_text(DRAWING)
    (one,) = tables_of(tmp_path / "5.svg")["rma.svg_documents"].to_pylist()
    assert (one["section_image_id"], one["width_px"], one["height_px"], one["n_paths"]) == (5, 11360, 8000, 3)


def test_geometry_that_cannot_be_followed_is_kept_without_edges(tmp_path):
    (tmp_path / "5.svg").write_text('<svg><path structure_id="1" d="M 0 0 L 1"/></svg>')
    report = Report()
    (one,) = tables_of(tmp_path / "5.svg", report=report)["rma.svg_paths"].to_pylist()
    assert (one["path_data"], one["left_px"], one["bottom_px"]) == ("M 0 0 L 1", None, None)
    assert report.warnings == ["path 0: its geometry is none that can be followed, so nothing encloses it"]


def test_the_image_is_told_by_the_name_or_by_people(tmp_path):
    assert drawn(tmp_path, DRAWING, "section.svg", image="77")[0]["section_image_id"] == 77
    with pytest.raises(SourceError, match=r"section\.svg.*does not tell of which image.*--set image=ID"):
        drawn(tmp_path, DRAWING, "section.svg")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (DRAWING[:600], "is no XML"),
        (DRAWING.replace("<svg ", "<!ENTITY a 'b'><svg "), "declares entities"),
        (DRAWING.replace('structure_id="385"', 'structure_id="VISp"'), "path, structure_id: 'VISp' is no whole number"),
        (DRAWING.replace("scale(2)", "scale(2) spin(3)"), "transform that SVG does not know"),
        (DRAWING.replace("scale(2)", "scale()"), "transform that SVG does not know"),
        (DRAWING.replace("scale(2)", "scale(inf)"), "transform that SVG does not know"),
        (f"<svg graphic_group_label='x'>{'<g>' * 90}{'</g>' * 90}</svg>", "nests deeper"),
    ],
)  # fmt: skip
def test_a_broken_drawing_is_one_clear_error(tmp_path, text, said):
    with pytest.raises(SourceError, match=rf"5\.svg.*{said}"):
        drawn(tmp_path, text, "5.svg")


def test_drawings_of_other_programs_are_nobody_s(tmp_path):
    with pytest.raises(ForeignError):
        drawn(tmp_path, '<svg xmlns="http://www.w3.org/2000/svg"><path id="a" d="M0 0"/></svg>', "5.svg")
