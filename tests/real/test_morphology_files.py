"""Real reconstructions: measured here, and as the Allen Institute published them for the same cells.

Published features were made after the transform into the pial frame, which the SWC files lack. It turns a cell and
scales its radii: lengths, counts, angles and ratios are equal as they are; surfaces, diameters and volumes once radii are
scaled by what the published surface of the soma tells. Its shear of extents cannot be had back.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from brainlake.ingest import registry
from brainlake.ingest.contract import Report, Rows, Source
from brainlake.ingest.swc_text import read_swc
from brainlake.lake.swc import check_swc
from brainlake.udfs.morphology_features import SETS, features_of, measure_nodes
from brainlake.udfs.morphology_operations import build_nodes, transform_nodes
from brainlake.udfs.morphology_trees import Forest
from brainlake.udfs.registry import Ragged

Find = Callable[[str], Path]

# file, its cell, and the reconstruction it is: number - 2 of the well-known file published for the cell
CURRENT = {
    "Scnn1a-Tg3-Cre_Ai14-177297.06.01.01_491120155_m.swc": (468193142, 491120155),
    "Rbp4-Cre_KL100_Ai14-196623.04.01.01_491119548_m.swc": (479704527, 491119548),
    "Sst-IRES-Cre_Ai14-165865.03.01.01_491119181_m.swc": (464198958, 491119181),
}
AS_THEY_ARE = (
    "number_nodes", "number_stems", "number_bifurcations", "number_branches", "number_tips", "max_branch_order",
    "total_length", "max_euclidean_distance", "max_path_distance", "average_contraction", "average_fragmentation",
    "average_parent_daughter_ratio", "average_bifurcation_angle_local", "average_bifurcation_angle_remote",
)  # fmt: skip
SCALED = ("total_surface", "total_volume", "average_diameter", "soma_surface")
IN_DETAILS = {
    "nr__number_stems": "number_stems",
    "nr__number_bifurcations": "number_bifurcations",
    "nr__max_euclidean_distance": "max_euclidean_distance",
    "nr__average_contraction": "average_contraction",
    "nr__average_parent_daughter_ratio": "average_parent_daughter_ratio",
}


def nodes_of(path: Path) -> Ragged:
    columns = read_swc(Source(path, str(path))).columns()
    return build_nodes(**{name: Ragged.of([values]) for name, values in columns.items()})


def dendrite(nodes: Ragged) -> dict[str, float]:
    return {name: float(values[0]) for name, values in features_of(Forest.of(nodes), SETS[0]).items()}


def published(path: Path, key: str, value: int) -> dict[str, str]:
    """The row of a CSV file whose key is a number."""
    with path.open(newline="") as file:
        return next(row for row in csv.DictReader(file) if row[key] and float(row[key]) == value)


@pytest.mark.parametrize("name", CURRENT)
def test_features_of_dendrites_are_the_published_ones(real_data: Find, name: str) -> None:
    nodes, (_, reconstruction) = nodes_of(real_data(f"swc/{name}")), CURRENT[name]
    told = published(real_data("metadata/cell_types/morphology_features.csv"), "id", reconstruction)
    own = dendrite(nodes)
    compared = [feature for feature in AS_THEY_ARE if told[feature]]
    assert len(compared) >= 12  # angles are missing where no branch point has two children
    for feature in compared:
        assert own[feature] == pytest.approx(float(told[feature]), rel=1e-9), feature

    scale = np.sqrt(float(told["soma_surface"]) / own["soma_surface"])
    identity = Ragged.of([[1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]], float)
    scaled = dendrite(transform_nodes(nodes, identity, np.array([scale]), np.array(["true"], object)))
    for feature in SCALED:
        assert scaled[feature] == pytest.approx(float(told[feature]), rel=1e-9), feature


@pytest.mark.parametrize(
    ("name", "specimen"),
    [
        *((name, specimen) for name, (specimen, _) in CURRENT.items()),
        ("H16.06.012.11.08.04_668616935_m.swc", 548457754),
    ],
)
def test_features_are_those_of_the_table_of_cells(real_data: Find, name: str, specimen: int) -> None:
    told = published(real_data("metadata/cell_types/cell_types_specimen_details.csv"), "specimen__id", specimen)
    own = dendrite(nodes_of(real_data(f"swc/{name}")))
    for column, feature in IN_DETAILS.items():
        assert own[feature] == pytest.approx(float(told[column]), rel=1e-9), feature


def test_a_human_cell_has_its_nodes_and_axon(real_data: Find) -> None:
    nodes = nodes_of(real_data("swc/H16.06.012.11.08.04_668616935_m.swc"))
    types = nodes.values["node_type"]  # type: ignore[call-overload]
    assert (len(types), int((types == 2).sum())) == (26_206, 14_260)


def test_a_whole_brain_tree_in_pieces_is_taken_and_told_to_be_broken(real_data: Find) -> None:
    path = real_data("swc/17545-6151-X24259-Y36270.swc")
    text = [line.split() for line in path.read_text().splitlines() if not line.startswith("#")]
    nodes = nodes_of(path)
    found = measure_nodes(nodes).values
    assert len(text) == len(found["tree_id"]) == 3_397  # type: ignore[call-overload]
    assert sum(line[1] == "1" for line in text) == 11
    assert int(found["tree_id"].max()) + 1 == sum(line[6] == "-1" for line in text) == 289  # type: ignore[call-overload]
    broken = {(f.rule_set, f.rule): f for f in check_swc(path)}
    assert broken["public", "one_soma"].message.startswith("11 nodes")
    assert broken["internal", "one_root"].message.startswith("289 nodes")


def test_every_published_reconstruction_is_sound(real_data: Find) -> None:
    paths = [p for p in real_data("swc").glob("*_m*.swc") if "marker" not in p.name]
    assert len(paths) >= 8
    assert not [(p.name, f) for p in paths for f in check_swc(p) if f.severity == "error"]


def rows_of(path: Path) -> dict[str, Any]:
    source = Source(path, str(path))
    reader = registry.choose(source)
    rows = reader.read(source, frozenset(part.name for part in reader.parts), Report())
    return {r.table: r.columns for r in rows if isinstance(r, Rows)}


@pytest.mark.parametrize(
    "name", ["Rbp4-Cre_KL100_Ai14-196623.04.01.01_491119548", "Sst-IRES-Cre_Ai14-165865.03.01.01_491119181"]
)
def test_markers_of_cut_dendrites_lie_on_nodes_once_their_pixel_is_taken_off(real_data: Find, name: str) -> None:
    """Files named .swc that hold no nodes; the offset is that of MO-18."""
    markers = rows_of(real_data(f"swc/{name}_marker_m.swc"))["morphology.file_markers"]
    at = np.column_stack([markers[f"raw_{axis}"] for axis in "xyz"]) - [0.1144, 0.1144, 0.28]
    nodes = nodes_of(real_data(f"swc/{name}_m.swc")).values
    xyz = np.column_stack([nodes[axis] for axis in "xyz"])  # type: ignore[call-overload]
    nearest = np.sqrt(((at[:, None] - xyz) ** 2).sum(axis=2)).min(axis=1)
    cut = np.array(markers["marker_code"]) == 10
    assert cut.sum() >= 12
    assert (nearest[cut] < 1e-9).all()


def test_the_marker_file_of_a_model_is_read(real_data: Find) -> None:
    rows = rows_of(real_data("models/biophysical/491766131_all_active/reconstruction.marker"))
    assert rows["morphology.marker_files"]["n_markers"] == [17]
