"""Places in images and in the reference space: pixels, points and structures, by the alignments of the warehouse."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brainlake
import numpy as np
import pytest
import requests
from brainlake.lake.errors import AbsentError, BrainlakeError
from brainlake.lake.serve.rma import Server
from brainlake.tests.fixtures import connectivity as fixture

# The published answer for series 77371835: the point, its image, and the matrices it was computed with.
POINT, IMAGE, PIXEL = (650, 7650, 6300), 77374877, (3146.1732065159667, 5001.930884546023)
TRV = np.array([[0.00907898, 0.0119762, 0.952229, 868.301], [0.00317704, 0.951597, -0.0119636, 1435.31],
                [-0.978908, 0.00366498, 0.00955698, 13201.9]])  # fmt: skip
TVS = np.array([[0.953289, -0.00069246, -3487.37], [0.00069246, 0.953289, -3240.95]])


def parameters(way: str, matrix: np.ndarray) -> dict[str, float]:
    """An affine matrix as the warehouse spells it: linear part row by row, then the offsets."""
    values = [*matrix[:, :-1].ravel(), *matrix[:, -1]]
    return {f"{way}_{i:02d}": float(value) for i, value in enumerate(values)}


def inverse(matrix: np.ndarray) -> np.ndarray:
    linear = np.linalg.inv(matrix[:, :-1])
    return np.column_stack([linear, -linear @ matrix[:, -1]])


def image(number: int, id_: int, **further: Any) -> dict[str, Any]:
    aligned = {"id": 9, "section_image_id": id_, **parameters("tvs", TVS), **parameters("tsv", inverse(TVS))}
    return {"id": id_, "section_number": number, "width": 9000, "height": 7000, "resolution": 1.05, "tier_count": 6,
            "failed": False, "annotated": False, "alignment2d": aligned, **further}  # fmt: skip


def series(id_: int, trv: np.ndarray, images: list[dict[str, Any]], space: int = 9, **further: Any) -> dict[str, Any]:
    aligned = {"id": id_, "aligned_id": id_, "aligned_type": "DataSet", **parameters("trv", trv),
               **parameters("tvr", inverse(trv))}  # fmt: skip
    return {"id": id_, "section_thickness": 25.0, "reference_space_id": space, "failed": False, "alignment3d": aligned,
            "section_images": [{**one, "data_set_id": id_} for one in images], **further}  # fmt: skip


MOVE = np.column_stack([np.eye(3), [100.0, 200.0, 0.0]])  # a stack that is the space, shifted
SHOWN = {"id": 3, "section_data_set_id": 5, "red_lower": 0, "red_upper": 932, "green_lower": 1, "green_upper": 1279,
         "blue_lower": 2, "blue_upper": 4095}  # fmt: skip
RECORDS = [
    series(77371835, TRV, [image(440, 1), image(474, IMAGE), image(506, 2, failed=True)]),
    series(
        5,
        MOVE,
        [image(4, 51), image(6, 52, annotated=True), image(8, 53)],
        atlases=[{"id": 1, "name": "atlas"}],
        equalization=SHOWN,
    ),
    series(6, MOVE, [image(4, 61)], space=10),
]
CENTERS = [{"id": 1, "structure_id": 385, "x": 10, "y": 20, "z": 150, "reference_space_id": 9},
           {"id": 2, "structure_id": 385, "x": 1, "y": 2, "z": 3, "reference_space_id": 10}]  # fmt: skip
BETWEEN = {"id": 1, "from_reference_space_id": 9, "to_reference_space_id": 10,
           **parameters("t", np.column_stack([np.diag([2.0, 2.0, 1.0]), [7.0, 0.0, 0.0]]))}  # fmt: skip


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[brainlake.Lake]:
    folder: Path = tmp_path_factory.mktemp("synchronised")
    answers = {"StructureCenter": CENTERS, "ReferenceToReferenceTransform": [BETWEEN]}
    files = [folder / "series.json"]
    files[0].write_text(json.dumps(RECORDS))
    for name, records in answers.items():
        files.append(folder / f"{name}.json")
        files[-1].write_text(json.dumps({"model": name, "success": True, "msg": records}))
    with brainlake.create(folder / "lake") as found:
        found.ingest(files, jobs=1).raise_failed()
        yield found


def rows(lake: brainlake.Lake, query: str) -> list[dict[str, Any]]:
    return lake.sql(query).arrow().to_pylist()


def test_a_point_lies_where_the_service_says(lake):
    """The last image that did not fail answers: the point lies beyond section 474."""
    query = "select 650 as ap_um, 7650 as dv_um, 6300 as ml_um, 9 as reference_space_id"
    (found,) = rows(lake, f"with p as ({query}) from ccf.reference_to_images('p', [77371835])")
    assert (found["section_image_id"], found["section_number"]) == (IMAGE, 474)
    assert (found["x"], found["y"]) == pytest.approx(PIXEL, rel=1e-12)


def test_a_pixel_goes_to_the_reference_space_and_back(lake):
    (there,) = rows(lake, f"from ccf.image_to_reference({IMAGE}, 1000, 2000)")
    stack = inverse(TVS) @ [1000, 2000, 1]
    expected = inverse(TRV) @ [*stack, 474 * 25, 1]
    assert [there[f"{axis}_um"] for axis in ("ap", "dv", "ml")] == pytest.approx(expected, rel=1e-12)
    (back,) = rows(lake, f"from ccf.image_to_images({IMAGE}, 1000, 2000, data_sets := [77371835])")
    assert (back["section_image_id"], back["x"], back["y"]) == (IMAGE, pytest.approx(1000), pytest.approx(2000))


def test_the_nearest_section_answers_and_of_two_as_near_the_smaller(lake):
    """Sections 4, 6, 8 of 25 um: 125 um is between the first two, 132 um nearer to the second."""
    for ml, number in ((0, 4), (125, 4), (132, 6), (175, 6), (9_000, 8)):
        query = f"select 0 as ap_um, 0 as dv_um, {ml} as ml_um, 9 as reference_space_id"
        (found,) = rows(lake, f"with p as ({query}) from ccf.reference_to_images('p', [5])")
        assert found["section_number"] == number, ml


def test_an_image_that_is_named_answers_however_far(lake):
    query = f"from ccf.image_to_images({IMAGE}, 1000, 2000, images := [51, 53])"
    found = rows(lake, query)
    assert [one["section_image_id"] for one in found] == [51, 53]
    assert found[0]["x"] == found[1]["x"]  # the third coordinate is passed over


def test_between_spaces_a_point_goes_through_their_transform(lake):
    query = "select 10 as ap_um, 20 as dv_um, 100 as ml_um, 9 as reference_space_id"
    (found,) = rows(lake, f"with p as ({query}) from ccf.reference_to_images('p', [6])")
    expected = TVS @ [10 * 2 + 7 + 100, 20 * 2 + 200, 1]
    assert (found["x"], found["y"]) == pytest.approx(tuple(expected))
    unknown = "select 1 as ap_um, 1 as dv_um, 1 as ml_um, 3 as reference_space_id"
    with pytest.raises(BrainlakeError, match="transform from reference space 3 to 10 is not in this lake"):
        rows(lake, f"with p as ({unknown}) from ccf.reference_to_images('p', [6])")


def test_the_centre_of_a_structure_is_that_of_the_series_space(lake):
    (found,) = rows(lake, "from ccf.structure_to_images(5, [385, 997])")
    assert (found["structure_id"], found["ap_um"], found["section_number"]) == (385, 10, 6)
    assert (found["x"], found["y"]) == pytest.approx(tuple(TVS @ [110, 220, 1]))


def test_an_image_that_is_not_aligned_is_told(lake):
    with pytest.raises(BrainlakeError, match="the alignment of image 7 is not in this lake"):
        rows(lake, "from ccf.image_to_reference(7, 0, 0)")


def test_an_image_is_shown_in_the_ranges_of_its_series(lake):
    """D-26: a row an image; the reference has one a series, in an order of its own."""
    found = rows(lake, "select section_image_id, ranges from rma.section_image_ranges order by 1")
    assert found == [{"section_image_id": image, "ranges": [0, 932, 1, 1279, 2, 4095]} for image in (51, 52, 53)]


def test_the_served_lake_synchronises_as_the_api_does(lake):
    server = Server(lake, port=0)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()

    def asked(address: str) -> list[dict[str, Any]]:
        got = requests.get(f"{server.url}/api/v2/{address}").json()
        assert got["success"], got
        return got["msg"]

    try:
        point = asked("reference_to_image/9.json?x=650.0&y=7650.0&z=6300.0&section_data_set_ids=77371835,5")
        assert [one["image_sync"]["section_data_set_id"] for one in point] == [5, 77371835]
        assert point[1]["image_sync"]["x"] == pytest.approx(PIXEL[0], rel=1e-12)
        (back,) = asked(f"image_to_reference/{IMAGE}.json?x={PIXEL[0]}&y={PIXEL[1]}")
        stack = inverse(TVS) @ [*PIXEL, 1]
        assert back["image_to_reference"]["x"] == pytest.approx((inverse(TRV) @ [*stack, 474 * 25, 1])[0])
        (atlas,) = asked(f"image_to_atlas/{IMAGE}.json?x=10&y=20&atlas_id=1")
        assert (atlas["image_sync"]["section_image_id"], atlas["image_sync"]["section_number"]) == (52, 6)
        (other,) = asked(f"image_to_image/{IMAGE}.json?x=10&y=20&section_data_set_ids=5")
        assert other["image_sync"]["section_data_set_id"] == 5
        assert len(asked(f"image_to_image_2d/{IMAGE}.json?x=10&y=20&section_image_ids=51,52")) == 2
        (structure,) = asked("structure_to_image/5.json?structure_ids=385")
        assert structure["image_sync"]["structure_id"] == 385
        refused = requests.get(f"{server.url}/api/v2/image_to_reference/{IMAGE}.json?x=left&y=0")
        assert (refused.status_code, refused.json()["msg"]) == (400, "x is a number, not 'left'")
    finally:
        server.shutdown()
        server.server_close()


def test_a_point_of_an_experiment_is_seen_on_a_pixel_of_its_images(lake):
    """q = M_trv p + t, section q_z / thickness, pixel = M_tvs (q_x, q_y) + t (XFM-03, XFM-04); failed images are left out."""
    points = np.array([[650.0, 7650, 6300], [5000, 3000, 1200]])
    given = ", ".join(f"({ap}, {dv}, {ml})" for ap, dv, ml in points)
    query = f"with p as (select * from (values {given}) as v(ap_um, dv_um, ml_um)) "
    found = rows(lake, query + "from connectivity.to_images('p', 77371835)")
    stack = np.column_stack([points, [1, 1]]) @ TRV.T
    for one, (x, y, z) in zip(found, stack, strict=True):
        assert one["section_number"] == min((440, 474), key=lambda n: abs(n - z / 25))
        assert (one["x"], one["y"]) == pytest.approx(tuple(TVS @ [x, y, 1]), rel=1e-12)
    service = rows(lake, query.replace("select *", "select *, 9 as reference_space_id") +
                   "from ccf.reference_to_images('p', 77371835)")  # fmt: skip
    assert [(r["section_image_id"], r["x"], r["y"]) for r in found] == [
        (r["section_image_id"], pytest.approx(r["x"]), pytest.approx(r["y"])) for r in service
    ]


def test_an_experiment_whose_images_are_not_aligned_here_is_told_so(tmp_path):
    record = fixture.alignment_record(np.eye(3), np.zeros(3), aligned_id=501)
    (tmp_path / "alignment3d.json").write_text(json.dumps(record))
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest(tmp_path / "alignment3d.json").raise_failed()
        with pytest.raises(AbsentError, match="images of experiment 501"):
            rows(lake, "with p as (select 1 as ap_um, 1 as dv_um, 1 as ml_um) from connectivity.to_images('p', 501)")
