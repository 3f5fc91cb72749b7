"""SWC and marker files as laboratories write them become rows; what is no node is named by its line."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brainlake.ingest import registry
from brainlake.ingest.contract import Report, Rows, Source
from brainlake.ingest.swc_text import read_swc
from brainlake.lake.errors import SourceError
from brainlake.lake.parquet import to_table
from brainlake.lake.tables import TABLES
from brainlake.tests.fixtures.swc import MARKERS, SMALL, random_neuron, swc, swc_lines, write_swc


def source(path: Path) -> Source:
    return Source(path, str(path))


def read(path: Path) -> tuple[dict[str, list[dict[str, Any]]], Report]:
    """Rows by table in the declared types, and the report."""
    report = Report()
    reader = registry.choose(source(path))
    found: dict[str, list[dict[str, Any]]] = {}
    for rows in reader.read(source(path), frozenset(part.name for part in reader.parts), report):
        assert isinstance(rows, Rows)
        found[rows.table] = to_table(TABLES[rows.table], rows.columns, ingest_id=1).to_pylist()
    return found, report


def refused(path: Path) -> SourceError:
    with pytest.raises(SourceError) as caught:
        read(path)
    return caught.value


def test_a_file_becomes_a_row_of_facts_and_a_row_of_nodes(tmp_path: Path) -> None:
    found, report = read(write_swc(tmp_path / "cell.swc"))
    (facts,), (nodes,) = found["morphology.swc_files"], found["morphology.swc_nodes"]
    assert facts["morphology_id"] == nodes["morphology_id"] >= 2**52
    assert (facts["n_nodes"], facts["is_strict"], facts["comments"]) == (16, True, [" id,type,x,y,z,r,pid"])
    assert [
        *zip(*(nodes[f"swc_{name}"] for name in ("ids", "types", "x", "y", "z", "radii", "parents")), strict=True)
    ] == [*SMALL]
    assert report.available == {"morphology": (tmp_path / "cell.swc").stat().st_size}
    assert not report.warnings


VARIANTS = {
    "tabs": "\n".join(swc_lines(SMALL, "\t")),
    "double blanks": "\n".join(swc_lines(SMALL, "  ")),
    "leading blanks": "\n".join(" " + line for line in swc_lines(SMALL)),
    "blank lines": "\n\n".join(swc_lines(SMALL)),
    "decimal ids": "\n".join(f"{i}.0 {t}.0 {x} {y} {z} {r} {p}.0" for i, t, x, y, z, r, p in SMALL),
}
STRICT_VARIANTS = {
    "Windows line ends": "\r\n".join(swc_lines(SMALL)),
    "old Macintosh line ends": "\r".join(swc_lines(SMALL)),
    "a byte order mark": "\ufeff# made elsewhere\n" + swc(comments=[]),
    "comments between nodes": "\n  # a comment\n".join(swc_lines(SMALL)),
    "trailing blanks": " \n".join(swc_lines(SMALL)),
    "further fields": "\n".join(f"{line} 0 99" for line in swc_lines(SMALL)),
    "no last line break": swc().rstrip("\n"),
}


@pytest.mark.parametrize("variant", [*VARIANTS, *STRICT_VARIANTS])
def test_a_file_is_read_however_it_is_laid_out(tmp_path: Path, variant: str) -> None:
    text = (VARIANTS | STRICT_VARIANTS)[variant]
    (tmp_path / "cell.swc").write_bytes(text.encode())
    found, report = read(tmp_path / "cell.swc")
    (nodes,) = found["morphology.swc_nodes"]
    assert nodes["swc_ids"] == [node[0] for node in SMALL]
    assert nodes["swc_radii"] == [node[5] for node in SMALL]
    (facts,) = found["morphology.swc_files"]
    assert facts["is_strict"] == (variant in STRICT_VARIANTS) == (facts["strict_complaint"] is None)
    assert len(report.warnings) == (not facts["is_strict"])


def test_the_same_content_is_the_same_reconstruction_wherever_it_lies(tmp_path: Path) -> None:
    paths = [write_swc(tmp_path / name) for name in ("a.swc", "specimen_5/reconstruction.swc")]
    other = write_swc(tmp_path / "other.swc", swc(SMALL[:5]))
    one, same, another = (registry.choose(source(p)).identify(source(p)) for p in (*paths, other))
    assert one == same
    assert one != another
    assert one.role == "swc"


@pytest.mark.parametrize(
    ("name", "specimen", "specimen_name", "file_id", "kind"),
    [
        ("Rbp4-Cre_KL100_Ai14-196623.04.01.01_491119548_m.swc", None, "Rbp4-Cre_KL100_Ai14-196623.04.01.01", 491119548, "raw"),
        ("H16.06.012.11.08.04_668616935_m.swc", None, "H16.06.012.11.08.04", 668616935, "raw"),
        ("Ctgf-2A-dgCre-D_Ai14_BT_-245170.06.06.01_539748835_m_pia.swc", None, "Ctgf-2A-dgCre-D_Ai14_BT_-245170.06.06.01", 539748835, "pia"),
        ("specimen_485931158/reconstruction.swc", 485931158, None, None, "raw"),
        ("17545-6151-X24259-Y36270.swc", None, None, None, "raw"),
        ("neuron.SWC", None, None, None, "raw"),
    ],
)  # fmt: skip
def test_a_file_s_name_tells_the_cell(
    tmp_path: Path, name: str, specimen: int | None, specimen_name: str | None, file_id: int | None, kind: str
) -> None:
    (facts,) = read(write_swc(tmp_path / name))[0]["morphology.swc_files"]
    assert facts["source_name"] == name.rsplit("/")[-1]
    assert facts["named_specimen_id"] == specimen
    assert facts["named_specimen_name"] == specimen_name
    assert facts["named_file_id"] == file_id
    assert facts["kind"] == kind


def test_broken_trees_are_taken_as_they_are(tmp_path: Path) -> None:
    """What they break is told by morphology.validation; no number is invented."""
    text = "1 1 0 0 0 nan 77\n5 99 1e3 -2.5E-01 inf 0 5\n5 3 0 0 0 1 1\n"
    ((nodes,),) = [rows for table, rows in read(write_swc(tmp_path / "x.swc", text))[0].items() if "nodes" in table]
    assert (nodes["swc_ids"], nodes["swc_parents"]) == ([1, 5, 5], [77, 5, 1])
    assert np.isnan(nodes["swc_radii"][0])
    assert (nodes["swc_x"][1], nodes["swc_y"][1], nodes["swc_z"][1]) == (1000, -0.25, float("inf"))


@pytest.mark.parametrize(
    ("text", "where", "reason"),
    [
        ("", None, "is empty|holds no node"),
        ("# only comments\n", None, "holds no node"),
        ("1 1 0 0 0 1\n", "line 1", "has 6 of the 7 fields"),
        ("1 1 0 0 0 1 -1\n2 3 0 0\n", "line 2", "has 4 of the 7 fields"),
        ("1 1 0 0 0 1 -1\n2 3 0 zero 0 1 1\n", "line 2, field y", "'zero' is no number"),
        ("1 1 0 0 0 1 -1\n2.5 3 0 0 0 1 1\n", "line 2, field id", "'2.5' is no whole number"),
        ("1 1 0 0 0 1 -1\n2 3 0 0 0 1 9223372036854775808\n", "line 2, field parent", "no whole number"),
        ("1 9999999999 0 0 0 1 -1\n", "line 1, field type", "is no type"),
        ("1 1 0 0 0 1_0 -1\n", "line 1, field radius", "is no number"),
        ("1 1 0 0 0 1 -1\n2,3,0,0,0,1,1\n", "line 2", "has commas"),
        ("<html><body>Not found</body></html>\n", "line 1", "of the 7 fields"),
    ],
)
def test_what_is_no_node_is_named_by_its_line(tmp_path: Path, text: str, where: str | None, reason: str) -> None:
    error = refused(write_swc(tmp_path / "cell.swc", text))
    assert error.where == where
    assert re.search(reason, error.reason)


def test_a_giant_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "giant.swc"
    with path.open("wb") as file:
        file.write(swc().encode())
        file.truncate(1 << 40)  # sparse
    with pytest.raises(SourceError, match="no reconstruction has over"):
        read_swc(source(path))


def test_markers_are_read_under_either_name(tmp_path: Path) -> None:
    for name in ("specimen_7/reconstruction.marker", "x-1.2.3_491119548_marker_m.swc"):
        found, _ = read(write_swc(tmp_path / name, MARKERS))
        (facts,), markers = found["morphology.marker_files"], found["morphology.file_markers"]
        assert facts["n_markers"] == 3
        assert [m["marker_code"] for m in markers] == [10, 20, 30]
        assert (markers[1]["raw_x"], markers[1]["raw_z"]) == (-9.8856, 10.28)
        assert markers[1]["comment"] == "not followed"
        assert markers[0]["comment"] is None
        assert markers[0]["marker_rgb"] == [214, 93, 101]
    assert (facts["named_file_id"], facts["named_specimen_name"]) == (491119548, "x-1.2.3")


def test_a_marker_file_may_be_empty(tmp_path: Path) -> None:
    found, _ = read(write_swc(tmp_path / "reconstruction.marker", "##x,y,z,radius,shape,name,comment\n"))
    assert list(found) == ["morphology.marker_files"]
    assert found["morphology.marker_files"][0]["n_markers"] == 0


@pytest.mark.parametrize(
    ("line", "where"),
    [
        ("1,2,3", "line 3"),
        ("a,2,3,0,1,10,,1,2,3", "line 3, x"),
        ("1,nan,3,0,1,10,,1,2,3", "line 3, y"),
        ("1,2,3,0,1,10.5,,1,2,3", "line 3, name"),
        ("1,2,3,0,1,10,,1,2,red", "line 3, color_b"),
        ('1,2,3,0,1,10,"open,1,2,3', "line 3"),
    ],
)
def test_a_wrong_marker_is_named_by_its_line(tmp_path: Path, line: str, where: str) -> None:
    text = "# markers\n30,0,0,0,1,10,,1,2,3\n" + line + "\n"
    assert refused(write_swc(tmp_path / "reconstruction.marker", text)).where == where


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("sweep.txt", "0.0 -70.1\n0.000005 -70.2\n"),
        ("table.csv", "a,b,c\n1,2,3\n"),
        ("numbers.csv", "1,2,3,4,5,6,7\n"),
        ("binary.swc", "1 1 0 0 0 1 -1\n\0\0\0"),
        ("cells.json", '[{"id": 1}]'),
    ],
)
def test_other_files_are_not_claimed(tmp_path: Path, name: str, text: str) -> None:
    path = write_swc(tmp_path / name, text)
    assert not [n for n in ("swc", "swc_markers") if registry.get(n).sniff(source(path))]


def test_nodes_are_known_by_what_they_are_not_by_their_name(tmp_path: Path) -> None:
    path = write_swc(tmp_path / "neuron.txt", swc(random_neuron(0, n_nodes=30)))
    assert registry.choose(source(path)).name == "swc"
