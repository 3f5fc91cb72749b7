"""Addresses beside those of the Allen SDK: every canned query, template, service and search it has a verb for.

Runs where $BRAINLAKE_PEER_PYTHON names a Python that has the SDK (2.16.2).
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from brainlake.ingest import rma_endpoints as at
from brainlake.ingest import rma_queries as q
from brainlake.ingest.rma_templates import template_query as t
from brainlake.ingest.rma_text import query_url

PYTHON = os.environ.get("BRAINLAKE_PEER_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="BRAINLAKE_PEER_PYTHON names no Python with the Allen SDK")

SEED = [6900, 5050, 6450]
PAGED = {"num_rows": 2000, "start_row": 0}

OURS = {
    "by_graph": t("structures_by_graph_ids", graph_ids=[1]),
    "by_graph_name": t("structures_by_graph_names", graph_names="'Mouse Brain Atlas'"),
    "by_set": t("structures_by_set_ids", set_ids=[7, 8]),
    "by_set_name": t("structures_by_set_names", set_names=["'a b'"]),
    "with_sets": t("structures_with_sets", graph_ids=[1]),
    "atlases_table": t("atlases_table"),
    "atlases_table_of": t("atlases_table", atlas_ids=[1]),
    "atlases_full": t("atlases_table", atlas_ids=[1], only=None),
    "atlases": t("atlases_list"),
    "graphs": t("structure_graphs_list"),
    "sets": t("structure_sets_list"),
    "sets_of": t("structure_sets_by_id", set_ids=[5, 6]),
    "Q02": q.biophysical_model(5),
    "Q03": q.cells(),
    "Q03_one": q.cells(5),
    "Q04": q.specimens(),
    "Q04_one": q.specimens(5),
    "Q05": q.sweeps(5),
    "Q06": q.ephys_features(),
    "Q08": q.recording_file(5),
    "Q09": q.reconstruction_file(5),
    "Q09_markers": q.reconstruction_file(5, "3DNeuronMarker"),
    "models_by_specimen": t("models_by_specimen", biophysical_model_types=[491455321, 329230710], specimen_ids=[5]),
    "isi": t("list_isi_experiments"),
    "isi_of": t("isi_experiment_by_ids", isi_experiment_ids=5),
    "ophys": t("ophys_experiment_by_ids"),
    "ophys_of": t("ophys_experiment_by_ids", ophys_experiment_ids=[1, 2]),
    "containers": t("experiment_container"),
    "containers_of": t("experiment_container", experiment_container_ids=[5]),
    "container_metrics": t("experiment_container_metric", experiment_container_metric_ids=[5]),
    "mappings": t("stimulus_mapping"),
    "columns": t("column_definitions", api_class_name="'ApiCamCellMetric'"),
    "column_classes": t("column_definition_class_names"),
    "cell_metrics": t("cell_metric", cell_specimen_ids=[517394843, 517394850], **PAGED),
    "data": t("ophys_experiment_data", ophys_experiment_id=5),
    "analysis": t("ophys_analysis_file", ophys_experiment_id=5),
    "events": t("ophys_events_file", ophys_experiment_id=5),
    "gaze": t("eye_gaze_mapping_file", ophys_session_id=6),
    "mapping": t("cell_specimen_id_mapping_table", mapping_table_id=590985414),
    "glif_templates": t("neuronal_model_templates"),
    "glif_models": t("neuronal_models", ephys_experiment_ids=[5]),
    "glif_by_id": t("neuron_config", neuronal_model_ids=[5]),
    "Q10": q.glif_models(),
    "Q11": q.glif_model(5),
    "ranges": t("section_image_ranges", section_image_ids=[5, 6]),
    "images": t("section_images_by_data_set_id", data_set_id=5),
    "by_product": t("section_data_sets_by_product_id", failed="'false'", product_ids=[1]),
    "by_product_failed": t("section_data_sets_by_product_id", failed="'false','true'", product_ids=[1]),
    "Q14": q.atlas_images(1),
    "Q14_typed": q.atlas_images(1, "Atlas - Adult Mouse"),
    "Q15": q.ish_data_sets([5], **PAGED),
    "Q16": q.genes(**PAGED),
    "Q16_of": q.genes(chromosomes=[40], **PAGED),
    "Q17": q.connectivity_data_sets([5]),
    "Q18": q.connectivity_experiments(),
    "Q19": q.injection_summary(5),
    "Q20": q.experiment_detail(5),
    "Q21": q.projection_image(5, 6),
    "Q23": q.unionizes([5], False, [1, 2], hemispheres=[1]),
    "Q23_named": q.unionizes([5], structure_name="Isocortex", above=0.01, include=["structure"], order=["id"]),
    "Q24": q.source_search(injection_structures="Isocortex", primary_structure_only=True),
    "Q25": q.spatial_search(seed_point=SEED),
    "Q26": q.injection_coordinate_search(seed_point=SEED, injection_structures=[8]),
    "Q27": q.correlation_search(row=5, structures=["TH"], hemisphere="right"),
    "Q01": q.annotated_data_sets([1], ["High", "Low"], ages=["E11.5"]),
    "Q12": q.deformation_field_files(5),
    "Q13": q.alignment3d(5),
}
ADDRESSES = {
    "E09": at.svg(5, [28]),
    "E09_all": at.svg(5),
    "E12": at.tree_search("Structure", 385, ancestors=True, descendants=False),
    "E12_plain": at.tree_search("Specimen", 385),
    "E13": at.annotated_data_sets([1], ["High", "Low"], ages=["E11.5"]),
    "E15": at.image_to_atlas(5, 18232, 10704, 1),
    "E16": at.image_to_image(5, 18232, 10704, [1, 2]),
    "E17": at.image_to_image_2d(5, 18232, 10704, [1, 2]),
    "E18": at.reference_to_image(10, 6085, 3670, 4883, [1, 2]),
    "E19": at.image_to_reference(5, 18232, 10704),
    "E20": at.structure_to_image(5, [1, 2]),
}


@pytest.fixture(scope="module")
def theirs(tmp_path_factory):
    target = tmp_path_factory.mktemp("asked") / "asked.json"
    script = Path(__file__).with_name("ask_allensdk_queries.py")
    subprocess.run([PYTHON, str(script), str(target)], check=True, capture_output=True, timeout=300)
    return json.loads(target.read_text())


@pytest.mark.parametrize("name", [*OURS, *ADDRESSES])
def test_the_address_is_the_same_to_the_byte(theirs, name):
    assert theirs[name] == (ADDRESSES[name] if name in ADDRESSES else query_url(OURS[name]))


def test_every_verb_asked_is_compared(theirs):
    assert set(theirs) == {*OURS, *ADDRESSES}
