"""A client that nobody here wrote: the Allen SDK, its base address changed to a served lake, gets what the lake says.

Runs where $BRAINLAKE_PEER_PYTHON names a Python that has the SDK (2.16.2). The lake holds the real tables that are at hand,
and what it fetched from an API of made-up files.
"""

from __future__ import annotations

import json
import math
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import brainlake
import pytest
from brainlake.lake.fetching import How
from brainlake.lake.serve.rma import Server
from brainlake.tests.fixtures import atlas_origin as origin
from brainlake.tests.fixtures import ccf, swc
from brainlake.tests.fixtures.rma_server import serving
from brainlake.tests.views.test_synchronisation import IMAGE, PIXEL, RECORDS

PYTHON = os.environ.get("BRAINLAKE_PEER_PYTHON")
pytestmark = [
    pytest.mark.skipif(not PYTHON, reason="BRAINLAKE_PEER_PYTHON names no Python with the Allen SDK"),
    pytest.mark.slow,  # a lake of eleven files, and some eighty verbs of the SDK
]

FILES = (
    "ccf/structures.json", "connectivity/experiments.json", "connectivity/experiment_158375425",
    "connectivity/experiment_112951097/structure_unionizes_first40.csv",
    "metadata/brain_observatory/experiment_containers_rma216.json", "metadata/brain_observatory/stimulus_mappings.json",
    "metadata/cell_types/cell_types_specimen_details.csv", "metadata/cell_types/ephys_features.csv",
    "metadata/cell_types/morphology_features.csv", "metadata/ecephys/probes.csv",
)  # fmt: skip
SEED, DENSE = [6900, 5050, 6450], [7250, 4250, 7550]  # um; the second lies in a voxel of the experiment that is dense
IDS = {
    "structure_set": [167587189], "structure": 385, "cell": origin.CELL, "glif_cell": origin.CELL,
    "glif_model": origin.GLIF_MODEL, "biophysical_cell": origin.MODEL_CELL, "biophysical_model": origin.MODEL,
    "experiment": origin.EXPERIMENT, "unionized_experiment": 112951097, "seed": SEED,
    "aligned_data_set": 77371835, "section_image": IMAGE,
    "image": origin.IMAGE, "dense": DENSE,
}  # fmt: skip


@pytest.fixture(scope="module")
def lake(real_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[brainlake.Lake]:
    folder = tmp_path_factory.mktemp("client")
    (folder / "series.json").write_text(json.dumps(RECORDS))
    with brainlake.create(folder / "lake") as found, serving(**origin.held(folder)) as server:
        found.ingest([*(real_data(name) for name in FILES), folder / "series.json"]).raise_failed()
        found.ingest(real_data("ccf/annotation_25.nrrd"), settings={"version": "ccf_2017"}).raise_failed()
        how = How(server.url, archive=server.url)
        wanted = {"recordings": [origin.CELL], "reconstructions": [origin.CELL], "markers": [origin.CELL],
                  "glif_models": [origin.GLIF_MODEL], "glif_configs": [origin.GLIF_MODEL],
                  "biophysical_models": [origin.MODEL], "biophysical_files": [origin.MODEL], "meshes": [385], "sweeps": [origin.MODEL_CELL],
                  "template": [], "svg": [origin.IMAGE], "section_images": [origin.IMAGE],
                  "deformation_fields": [origin.EXPERIMENT], "genes": [], "ish_data_sets": [], "sessions": [], "channels": [], "units": []}  # fmt: skip
        for what, ids in wanted.items():
            found.fetch(what, *ids, how=how).raise_failed()
        yield found


@pytest.fixture(scope="module")
def told(lake: brainlake.Lake, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the SDK's verbs gave, by name."""
    folder = tmp_path_factory.mktemp("downloads")
    (folder / "ids.json").write_text(json.dumps(IDS))
    server = Server(lake, port=0)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    try:
        script = Path(__file__).with_name("ask_allensdk_client.py")
        arguments = [PYTHON, script, server.url, folder / "ids.json", folder / "files", folder / "told.json"]
        done = subprocess.run(list(map(str, arguments)), capture_output=True, timeout=500, text=True, check=False)
        assert done.returncode == 0, done.stderr[-2_000:]
    finally:
        server.shutdown()
        server.server_close()
    found: dict[str, Any] = json.loads((folder / "told.json").read_text())
    return found


def rows(lake: brainlake.Lake, query: str) -> list[dict[str, Any]]:
    return lake.sql(query).arrow().to_pylist()


def values(lake: brainlake.Lake, query: str) -> list[Any]:
    return [next(iter(row.values())) for row in rows(lake, query)]


def same(theirs: Any, ours: Any) -> bool:
    """Numbers to 1e-12, as their frames write them; no number where there is none."""
    if isinstance(ours, float) or isinstance(theirs, float):
        return (theirs is None and ours is None) or math.isclose(theirs, ours, rel_tol=1e-12)
    return bool(theirs == ours)


LISTS: dict[str, tuple[str, str]] = {
    "rma.model_query": ("id", "select structure_id from ccf.structures order by graph_order"),
    "rma.page": ("acronym", "select acronym from ccf.structures order by graph_order limit 5 offset 10"),
    "rma.tabular": ("short", "select acronym from ccf.structures where tree_depth <= 2 order by structure_id"),
    "ontologies.get_structures": ("acronym", "select acronym from ccf.structures order by graph_order"),
    "ontologies.by_set": ("id", """
        select m.structure_id from ccf.structure_set_members as m join ccf.structures as s using (structure_id)
        where m.structure_set_id = 167587189 order by s.graph_order"""),
    "ontologies.get_structure_sets": ("id", "select structure_set_id from ccf.structure_sets order by 1"),
    "tree_search.Structure": ("id", """
        select structure_id from ccf.structures
        where list_contains(structure_id_path, 385)
            or list_contains((select structure_id_path from ccf.structures where structure_id = 385), structure_id)
        order by tree_depth, graph_order"""),
    "tree_search.plain": ("id", "select 385"),
    "cell_types.list_cells_api": ("specimen__id", "select specimen_id from icephys.specimen_details order by 1"),
    "cell_types.get_cells": ("id", "select specimen_id from icephys.specimen_details order by 1"),
    "cell_types.get_cells.human": ("id", """
        select specimen__id from rma.api_cell_types_specimen_details
        where donor__species = 'Homo Sapiens' and nr__reconstruction_type is not null order by 1"""),
    "cell_types.get_ephys_features": ("vrest", """
        select f.vrest from rma.ephys_features as f join icephys.specimen_details as d using (specimen_id)
        order by f.id"""),
    "cell_types.get_morphology_features": ("total_length", """
        select r.total_length from rma.neuron_reconstructions as r full join (
            select distinct id from rma.answered_neuron_reconstructions) as a on a.id = r.id
        order by coalesce(r.id, a.id)"""),
    "connectivity.get_experiments": ("id", "select experiment_id from connectivity.experiments order by 1"),
    "connectivity.get_structure_tree": ("acronym", "select acronym from ccf.structures order by graph_order"),
    "connectivity.source_search": ("id", """
        select experiment_id from connectivity.search_source([385], primary_structure_only := true)"""),
    "connectivity.injection_coordinate_search": ("distance", f"""
        select distance_um from connectivity.search_injection_coordinate({SEED})"""),
    "connectivity.spatial_search": ("density", f"select density from connectivity.search_spatial({DENSE})"),
    "connectivity.get_experiment_structure_unionizes": ("id", """
        select unionize_id from connectivity.published_unionizes
        where experiment_id = 112951097 and not is_injection order by 1"""),
    "connectivity.api.get_structure_unionizes": ("structure_id", """
        select structure_id from connectivity.published_unionizes where experiment_id = 112951097 and not is_injection
            and hemisphere_id = 2 and normalized_projection_volume > 0.01 order by 1"""),
    "observatory.get_experiment_containers": ("id", "select id from rma.experiment_containers where not failed order by 1"),
    "observatory.api.get_stimulus_mappings": ("item", "select item from rma.api_cam_stimulus_mappings order by id"),
    "glif.get_neuronal_model_templates": ("id", "select neuronal_model_template_id from models.templates order by 1"),
    "glif.get_neuronal_models_by_id": ("id", f"select {origin.GLIF_MODEL}"),
    "neuropixels.get_sessions": ("genotype", "select 'Sst-IRES-Cre/wt'"),
    "neuropixels.get_probes": ("id", """
        select probe_id from ecephys.project_probes union select id from rma.ecephys_probes order by 1"""),
    "neuropixels.get_channels": ("ecephys_structure_acronym", "select 'VISp'"),
    "neuropixels.get_units": ("snr", "select 2.5"),
    "mouse_atlas.get_genes": ("acronym", "select gene_acronym from ish.genes where organism_id = 2 order by gene_id"),
    "mouse_atlas.get_section_data_sets": ("id", "select data_set_id from ish.data_sets order by 1"),
    "images.section_image_query": ("id", """
        select section_image_id from connectivity.section_images where experiment_id = 77371835 order by 1"""),
}  # fmt: skip


@pytest.mark.parametrize("verb", LISTS)
def test_a_list_is_what_the_lake_says_in_its_order(lake, told, verb):
    column, query = LISTS[verb]
    assert "error" not in told[verb], told[verb]
    theirs, ours = [one[column] for one in told[verb]], values(lake, query)
    assert len(theirs) == len(ours) > 0
    assert all(same(a, b) for a, b in zip(theirs, ours, strict=True))


VALUES: dict[str, str] = {
    "connectivity.get_experiments_api": "select count(*) from connectivity.experiments",
    "connectivity.get_experiments.cre": """
        select list(e.experiment_id order by e.experiment_id)
        from connectivity.find_experiments(injection := [315], cre := ['Rbp4-Cre_KL100']) as e""",
    "connectivity.default_structure_ids": """
        select list(s.structure_id order by s.graph_order) from ccf.structure_set_members as m
        join ccf.structures as s using (structure_id) where m.structure_set_id = 167587189""",
    "cell_types.get_all_features": """
        select count(*) from icephys.specimen_details as d left join (
            select id, specimen_id from rma.neuron_reconstructions
            union select id, specimen_id from rma.answered_neuron_reconstructions) as r using (specimen_id)""",
    "observatory.get_all_imaging_depths": """
        select list(distinct imaging_depth order by imaging_depth) from rma.experiment_containers where not failed""",
    "observatory.get_all_session_types": "select list(distinct stimulus_name order by stimulus_name) from rma.ophys_experiments",
    "observatory.get_all_stimuli": "select list(distinct stimulus_name order by stimulus_name) from ophys.session_type_stimuli",
    "observatory.get_all_reporter_lines": """
        select list(distinct reporter_line order by reporter_line) from ophys.containers where not is_failed""",
    "observatory.get_all_cre_lines": """
        select list(distinct cre_line order by cre_line) from ophys.containers where not is_failed""",
    "observatory.get_all_targeted_structures": """
        select list(distinct targeted_structure order by targeted_structure) from ophys.containers where not is_failed""",
    "observatory.api.get_ophys_experiments": "select count(*) from rma.ophys_experiments",
    "observatory.api.list_isi_experiments": "select count(*) from rma.isi_experiments",
    "reference_space.get_structure_tree": "select count(*) from ccf.structures",
}


@pytest.mark.parametrize("verb", VALUES)
def test_a_value_is_what_the_lake_says(lake, told, verb):
    (ours,) = values(lake, VALUES[verb])
    theirs = sorted(told[verb]) if verb == "connectivity.get_experiments.cre" else told[verb]
    assert theirs == ours


CONTAINERS = """
    select experiment_container_id as id, imaging_depth_um as imaging_depth, targeted_structure, cre_line, reporter_line,
        donor_name, specimen_name, tags, is_failed as failed
    from ophys.find_containers({}) order by id"""
EXPERIMENTS = """
    select ophys_experiment_id as id, imaging_depth_um as imaging_depth, targeted_structure, cre_line, reporter_line,
        acquisition_age_days, experiment_container_id, session_type, donor_name, specimen_name
    from ophys.find_experiments({}) order by id"""
CHOSEN: dict[str, str] = {
    "observatory.get_experiment_containers": CONTAINERS.format(""),
    "observatory.get_experiment_containers.some": CONTAINERS.format(
        "structures := ['VISp'], cre_lines := ['Cux2-CreERT2']"
    ),
    "observatory.get_experiment_containers.lines": CONTAINERS.format(
        "reporter_lines := ['Ai93(TITL-GCaMP6f)'], lines := ['camk2a-tta'], depths_um := [175, 375], include_failed := true"
    ),
    "observatory.get_ophys_experiments": EXPERIMENTS.format(""),
    "observatory.get_ophys_experiments.some": EXPERIMENTS.format(
        "structures := ['VISp', 'VISl'], cre_lines := ['Rbp4-Cre_KL100'], shown := ['static_gratings']"
    ),
    "observatory.get_ophys_experiments.types": EXPERIMENTS.format(
        "session_types := ['three_session_C2'], depths_um := [275], include_failed := true"
    ),
}


@pytest.mark.parametrize("verb", CHOSEN)
def test_the_observatory_is_filtered_as_the_sdk_filters_it(lake, told, verb):
    ours = rows(lake, CHOSEN[verb])
    assert ours
    assert sorted(({name: one[name] for name in ours[0]} for one in told[verb]), key=lambda one: one["id"]) == ours


VOLUMES = {
    **{f"connectivity.get_{measure}": f"""
        select 'float32' as dtype, shape, voxel_sum from connectivity.grids
        where experiment_id = 158375425 and measure = '{measure}'"""
       for measure in ("projection_density", "injection_density", "injection_fraction", "data_mask")},
    "reference_space.get_annotation_volume": """
        select 'uint32' as dtype, any_value(v.shape) as shape, sum(r.structure_id::double * r.n_voxels) as voxel_sum
        from ccf.annotation_runs as r join ccf.volumes as v using (volume_id) where v.kind = 'annotation'""",
    "reference_space.get_structure_mask": """
        select 'uint8' as dtype, any_value(v.shape) as shape, sum(r.n_voxels)::double as voxel_sum
        from ccf.annotation_runs as r join ccf.volumes as v using (volume_id)
        join ccf.structure_closure as c on c.descendant_id = r.structure_id
        where v.kind = 'annotation' and c.ancestor_id = 385""",
}  # fmt: skip


@pytest.mark.parametrize("verb", VOLUMES)
def test_a_volume_has_the_voxels_of_the_lake(lake, told, verb):
    (ours,) = rows(lake, VOLUMES[verb])
    theirs = told[verb]
    assert (theirs.get("dtype"), theirs.get("shape")) == (ours["dtype"], ours["shape"]), theirs
    assert theirs["sum"] == pytest.approx(ours["voxel_sum"], rel=1e-9)


def test_a_cell_s_files_open(told):
    assert sorted(told["cell_types.get_ephys_data"])[:3] == [0, 1, 2]
    assert told["cell_types.get_reconstruction"] == [
        [number - 1, x, y, z, max(parent - 1, -1)]
        for number, _, x, y, z, _, parent in swc.SMALL  # it counts from 0
    ]
    assert len(told["cell_types.get_reconstruction_markers"]) == 1
    assert told["glif.get_neuron_configs"][str(origin.GLIF_MODEL)]["C"] == 8.0e-11


def test_a_cell_is_told_whole(lake, told):
    (ours,) = rows(lake, f"from rma.api_cell_types_specimen_details where specimen__id = {origin.CELL}")
    theirs = told["cell_types.get_cell"]
    assert set(theirs) == set(ours)
    assert all(same(theirs[name], value) for name, value in ours.items())


def test_a_model_is_downloaded_with_all_it_needs(told):
    assert told["biophysical.get_well_known_file_ids"] == {
        "stimulus": {"3": "314804040.nwb"}, "morphology": {"4": "line_m.swc"}, "marker": {"5": "line_marker_m.swc"},
        "modfiles": {"2": "modfiles/Ih.mod"}, "fit": {"1": "314804042_fit.json"},
    }  # fmt: skip
    assert told["biophysical.cache_data"] == [
        "314804040.nwb", "314804042_fit.json", "line_m.swc", "line_marker_m.swc", "manifest.json", "modfiles/Ih.mod",
    ]  # fmt: skip


def test_images_synchronise(told):
    (found,) = told["sync.get_reference_to_image"]
    assert found["image_sync"]["section_image_id"] == IMAGE
    assert (found["image_sync"]["x"], found["image_sync"]["y"]) == pytest.approx(PIXEL)
    assert "error" not in told["sync.get_image_to_reference"]
    assert len(told["sync.get_image_to_image"]) == 1


def test_files_come_as_they_were_fetched(told):
    assert told["svg.get_svg"] == str(origin.SVG)
    assert told["reference_space.get_structure_mesh"][0]["shape"] == [3, 3]
    assert told["reference_space.get_template_volume"]["sum"] == origin.TEMPLATE.sum()
    assert told["reference_space.get_template_volume"]["shape"] == [*ccf.SHAPE]


def test_a_deformation_field_is_downloaded_with_its_voxels(told):
    _, header, size = told["connectivity.download_deformation_field"]
    assert "ElementNumberOfChannels = 3" in header
    assert size == 4 * origin.FIELD.size


def test_the_schema_names_every_model(told):
    listed = {name for one in told["rma.get_schema"] for name in one["DataDescription"]}
    assert {"Structure", "Specimen", "SectionDataSet", "ProjectionStructureUnionize"} <= listed
    assert told["rma.load_api_schema"]["num_rows"] == len(listed)
    (structure,) = told["rma.get_schema.Structure"]
    assert "acronym" in {field["name"] for field in structure["DataDescription"]["Structure"]["fields"]}


def test_no_verb_fails(told):
    assert {verb: answer for verb, answer in told.items() if isinstance(answer, dict) and "error" in answer} == {}
