"""Structure graphs, structure sets and atlases as the API answers."""

from __future__ import annotations

import pytest
from brainlake.ingest import registry
from brainlake.lake.errors import SourceError
from brainlake.tests.fixtures import ccf
from brainlake.tests.fixtures.ingesting import source_of, tables_of

GRAPHS = [{"id": 1, "name": "Mouse Brain Atlas", "ontology_id": 1, "ontology": {"id": 1, "name": "Mouse Brain"}}]
SETS = [
    {"id": 2, "name": "Coarse", "description": "coarse structures"},
    {"id": 3, "name": "Areas", "description": None},
]
ATLASES = [
    {
        "id": 602630314, "name": "Adult Mouse, 3D Coronal", "image_type": "Average Template",
        "structure_graph": {"id": 1, "ontology": {"id": 1}}, "graphic_group_labels": [{"id": 28, "name": "Atlas"}],
        "weight": 5,
    },
    {"id": 1, "name": "Mouse, P56, Coronal", "image_type": "Primary Nissl", "graphic_group_labels": []},
]  # fmt: skip


def test_structure_graphs(tmp_path):
    path = ccf.write_json(tmp_path / "graphs.json", GRAPHS, envelope=True)
    assert registry.choose(source_of(path)).name == "ccf_records"
    assert tables_of(path)["ccf.structure_graphs"].to_pylist() == [
        {"graph_id": 1, "name": "Mouse Brain Atlas", "ontology_id": 1, "ontology_name": "Mouse Brain"}
    ]


def test_structure_sets_are_known_by_the_name_of_their_file(tmp_path):
    path = ccf.write_json(tmp_path / "structure_sets.json", SETS)
    assert tables_of(path)["ccf.named_structure_sets"].to_pylist() == [
        {"structure_set_id": 2, "name": "Coarse", "description": "coarse structures", "graph_id": 0},
        {"structure_set_id": 3, "name": "Areas", "description": None, "graph_id": 0},
    ]
    other = ccf.write_json(tmp_path / "something.json", SETS)
    assert not registry.get("ccf_records").sniff(source_of(other))


def test_atlases(tmp_path):
    first, second = tables_of(ccf.write_json(tmp_path / "a.json", ATLASES))["ccf.atlases"].to_pylist()
    assert first == {
        "atlas_id": 602630314, "name": "Adult Mouse, 3D Coronal", "image_type": "Average Template", "graph_id": 1,
        "graphic_group_label_ids": [28], "graphic_group_label_names": ["Atlas"], "extra": '{"weight": 5}',
    }  # fmt: skip
    assert second["graph_id"] is None


def test_a_damaged_record_is_named(tmp_path):
    path = ccf.write_json(tmp_path / "a.json", [{**ATLASES[0], "graphic_group_labels": [1]}])
    with pytest.raises(SourceError, match="record 0, graphic_group_labels"):
        tables_of(path)
