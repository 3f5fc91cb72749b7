"""Run by the Allen SDK's Python: asks a server of the API through the SDK's own verbs, and writes what it was told.

Arguments: base address, JSON file of ids to ask about, folder for what is downloaded, JSON file to write (verb -> answer).
An answer is what the SDK made of it; a verb that raised has ``{"error": ...}``.
"""

from __future__ import annotations

import json
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.sandbox.stats.multicomp as multicomp
from allensdk.api.api import Api
from allensdk.api.queries.annotated_section_data_sets_api import AnnotatedSectionDataSetsApi
from allensdk.api.queries.biophysical_api import BiophysicalApi
from allensdk.api.queries.brain_observatory_api import BrainObservatoryApi
from allensdk.api.queries.cell_types_api import CellTypesApi
from allensdk.api.queries.glif_api import GlifApi
from allensdk.api.queries.image_download_api import ImageDownloadApi
from allensdk.api.queries.mouse_atlas_api import MouseAtlasApi
from allensdk.api.queries.mouse_connectivity_api import MouseConnectivityApi
from allensdk.api.queries.ontologies_api import OntologiesApi
from allensdk.api.queries.reference_space_api import ReferenceSpaceApi
from allensdk.api.queries.rma_api import RmaApi
from allensdk.api.queries.svg_api import SvgApi
from allensdk.api.queries.synchronization_api import SynchronizationApi
from allensdk.api.queries.tree_search_api import TreeSearchApi
from allensdk.brain_observatory.ecephys.ecephys_project_api import EcephysProjectWarehouseApi
from allensdk.brain_observatory.ecephys.ecephys_project_api.rma_engine import RmaEngine
from allensdk.core.cell_types_cache import CellTypesCache
from allensdk.core.mouse_connectivity_cache import MouseConnectivityCache
from allensdk.core.reference_space_cache import ReferenceSpaceCache
from statsmodels.stats.multitest import multipletests


def plain(value):
    """What JSON can hold of an answer: frames as records, volumes as shape, sum and type."""
    if isinstance(value, pd.DataFrame):
        return json.loads(value.to_json(orient="records", double_precision=15))
    if isinstance(value, np.ndarray):
        return {"shape": list(value.shape), "sum": float(value.sum(dtype=float)), "dtype": value.dtype.name}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, dict):
        return {str(key): plain(one) for key, one in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(one) for one in value]
    if isinstance(value, Path | bytes):
        return str(value)
    return value


def rma(url):
    api = RmaApi(base_uri=url)
    return {
        "rma.model_query": lambda: api.model_query(
            "Structure", criteria="[graph_id$eq1]", order=["structures.graph_order"], num_rows="all", count=False
        ),
        "rma.only": lambda: api.model_query(
            "Structure", criteria="[acronym$il'*VISp*']", include="structure_sets", order=["structures.graph_order"],
            num_rows=20, only=["structures.id", "structures.acronym", "structure_sets.id"],
        ),
        "rma.tabular": lambda: api.model_query(
            "Structure", criteria="[depth$le2]", tabular=["structures.id", "structures.acronym as short"],
            order=["structures.id"], num_rows="all",
        ),
        "rma.page": lambda: api.model_query(
            "Structure", criteria="[graph_id$eq1]", order=["structures.graph_order"], start_row=10, num_rows=5
        ),
        "rma.get_schema": lambda: api.get_schema(),
        "rma.get_schema.Structure": lambda: api.get_schema("Structure"),
        "rma.load_api_schema": lambda: api.load_api_schema(),
    }  # fmt: skip


def ontologies(url, ids):
    api = OntologiesApi(base_uri=url)
    return {
        "ontologies.get_structures": lambda: api.get_structures(1),
        "ontologies.by_graph_name": lambda: api.get_structures(structure_graph_names="'Mouse Brain Atlas'"),
        "ontologies.by_set": lambda: api.get_structures(structure_set_ids=ids["structure_set"]),
        "ontologies.get_structures_with_sets": lambda: api.get_structures_with_sets(1),
        "ontologies.get_structure_sets": lambda: api.get_structure_sets(),
        "ontologies.get_structure_graphs": lambda: api.get_structure_graphs(),
        "ontologies.get_atlases": lambda: api.get_atlases(),
        "ontologies.get_atlases_table": lambda: api.get_atlases_table(),
        "tree_search.Structure": lambda: TreeSearchApi(base_uri=url).get_tree(
            "Structure", ids["structure"], ancestors=True, descendants=True
        ),
        "tree_search.plain": lambda: TreeSearchApi(base_uri=url).get_tree("Structure", ids["structure"]),
    }


def cell_types(url, ids, folder):
    api = CellTypesApi(base_uri=url)
    cache = CellTypesCache(manifest_file=str(folder / "cell_types" / "manifest.json"), base_uri=url)
    cell = ids["cell"]
    return {
        "cell_types.list_cells_api": lambda: api.list_cells_api(),
        "cell_types.get_cell": lambda: api.get_cell(cell),
        "cell_types.get_ephys_sweeps": lambda: cache.get_ephys_sweeps(cell),
        "cell_types.get_cells": lambda: cache.get_cells(),
        "cell_types.get_cells.human": lambda: cache.get_cells(
            require_reconstruction=True, reporter_status=None, species=["Homo Sapiens"]
        ),
        "cell_types.get_ephys_features": lambda: cache.get_ephys_features(dataframe=True),
        "cell_types.get_morphology_features": lambda: cache.get_morphology_features(dataframe=True),
        "cell_types.get_all_features": lambda: len(
            cache.get_all_features(dataframe=True, require_reconstruction=False)
        ),
        "cell_types.get_ephys_data": lambda: cache.get_ephys_data(cell).get_sweep_numbers(),
        "cell_types.get_reconstruction": lambda: [
            [n["id"], n["x"], n["y"], n["z"], n["parent"]] for n in cache.get_reconstruction(cell).compartment_list
        ],
        "cell_types.get_reconstruction_markers": lambda: cache.get_reconstruction_markers(cell),
    }


def models(url, ids, folder):
    glif, biophysical = GlifApi(base_uri=url), BiophysicalApi(base_uri=url)

    def cache_data():
        target = folder / "biophysical"
        biophysical.cache_stimulus = True
        biophysical.cache_data(ids["biophysical_model"], working_directory=str(target))
        return sorted(str(p.relative_to(target)) for p in target.rglob("*") if p.is_file())

    return {
        "glif.get_neuronal_model_templates": lambda: glif.get_neuronal_model_templates(),
        "glif.get_neuronal_models": lambda: glif.get_neuronal_models([ids["glif_cell"]]),
        "glif.get_neuronal_models_by_id": lambda: glif.get_neuronal_models_by_id([ids["glif_model"]]),
        "glif.get_neuron_configs": lambda: glif.get_neuron_configs([ids["glif_model"]]),
        "biophysical.get_neuronal_models": lambda: biophysical.get_neuronal_models([ids["biophysical_cell"]]),
        "biophysical.get_well_known_file_ids": lambda: (
            biophysical.get_well_known_file_ids(ids["biophysical_model"]), biophysical.ids)[1],
        "biophysical.cache_data": cache_data,
    }  # fmt: skip


def connectivity(url, ids, folder):
    api = MouseConnectivityApi(base_uri=url)
    cache = MouseConnectivityCache(
        manifest_file=str(folder / "connectivity" / "manifest.json"), resolution=100, base_uri=url
    )
    experiment, with_unionizes = ids["experiment"], ids["unionized_experiment"]
    seed = ids["seed"]
    return {
        "connectivity.get_experiments_api": lambda: len(api.get_experiments_api()),
        "connectivity.get_experiments": lambda: cache.get_experiments(dataframe=True),
        "connectivity.get_experiments.cre": lambda: [
            e["id"] for e in cache.get_experiments(cre=["Rbp4-Cre_KL100"], injection_structure_ids=[315])
        ],
        "connectivity.get_structure_tree": lambda: cache.get_structure_tree().nodes(),
        "connectivity.default_structure_ids": lambda: cache.default_structure_ids,
        "connectivity.get_experiment_structure_unionizes": lambda: cache.get_experiment_structure_unionizes(
            with_unionizes, is_injection=False
        ),
        "connectivity.api.get_structure_unionizes": lambda: api.get_structure_unionizes(
            [with_unionizes], is_injection=False, hemisphere_ids=[2], normalized_projection_volume_limit=0.01,
            include=["structure"], order=["structure_id"],
        ),
        "connectivity.get_projection_density": lambda: cache.get_projection_density(experiment)[0],
        "connectivity.get_injection_density": lambda: cache.get_injection_density(experiment)[0],
        "connectivity.get_injection_fraction": lambda: cache.get_injection_fraction(experiment)[0],
        "connectivity.get_data_mask": lambda: cache.get_data_mask(experiment)[0],
        "connectivity.get_projection_density.header": lambda: dict(cache.get_projection_density(experiment)[1]),
        "connectivity.download_deformation_field": lambda: [
            api.download_deformation_field(experiment, str(folder / "f.mhd"), str(folder / "f.raw")),
            (folder / "f.mhd").read_text(), (folder / "f.raw").stat().st_size,
        ],
        "connectivity.get_affine_parameters": lambda: cache.get_affine_parameters(ids["aligned_data_set"]),
        "connectivity.source_search": lambda: api.experiment_source_search(
            injection_structures=[385], primary_structure_only=True
        ),
        "connectivity.injection_coordinate_search": lambda: api.experiment_injection_coordinate_search(seed_point=seed),
        "connectivity.spatial_search": lambda: api.experiment_spatial_search(seed_point=ids["dense"]),
        "connectivity.correlation_search": lambda: api.experiment_correlation_search(
            row=experiment, structures=[315], num_rows=5
        ),
    }  # fmt: skip


def reference_space(url, ids, folder):
    Api.download_url = url
    cache = ReferenceSpaceCache(
        25, "annotation/ccf_2017", manifest=str(folder / "space" / "manifest.json"), base_uri=url
    )
    api = ReferenceSpaceApi(base_uri=url)

    def downloaded():
        api.download_annotation_volume("annotation/ccf_2017", 25, str(folder / "annotation.nrrd"))
        return (folder / "annotation.nrrd").stat().st_size > 0

    return {
        "reference_space.download_annotation_volume": downloaded,
        "reference_space.get_annotation_volume": lambda: cache.get_annotation_volume()[0],
        "reference_space.get_structure_tree": lambda: len(cache.get_structure_tree().nodes()),
        "reference_space.get_structure_mask": lambda: cache.get_structure_mask(ids["structure"])[0],
        "reference_space.get_structure_mesh": lambda: [
            plain(one) for one in cache.get_structure_mesh(ids["structure"])
        ],
        "reference_space.get_template_volume": lambda: cache.get_template_volume()[0],
    }


def observatory(url, ids, folder):
    multicomp.multipletests = multipletests  # where the SDK looks for it, and newer statsmodels do not have it
    from allensdk.core.brain_observatory_cache import BrainObservatoryCache

    api = BrainObservatoryApi(base_uri=url)
    cache = BrainObservatoryCache(manifest_file=str(folder / "observatory" / "manifest.json"), base_uri=url)
    return {
        "observatory.get_experiment_containers": lambda: cache.get_experiment_containers(),
        "observatory.get_experiment_containers.some": lambda: cache.get_experiment_containers(
            targeted_structures=["VISp"], cre_lines=["Cux2-CreERT2"]
        ),
        "observatory.get_experiment_containers.lines": lambda: cache.get_experiment_containers(
            reporter_lines=["ai93(TITL-GCaMP6f)"],
            transgenic_lines=["CAMK2A-TTA"],
            imaging_depths=[175, 375],
            include_failed=True,
        ),
        "observatory.get_ophys_experiments": lambda: cache.get_ophys_experiments(),
        "observatory.get_ophys_experiments.some": lambda: cache.get_ophys_experiments(
            targeted_structures=["VISp", "VISl"],
            cre_lines=["rbp4-cre_kl100"],
            stimuli=["static_gratings"],
        ),
        "observatory.get_ophys_experiments.types": lambda: cache.get_ophys_experiments(
            session_types=["three_session_C2"], imaging_depths=[275], include_failed=True
        ),
        "observatory.get_all_stimuli": lambda: cache.get_all_stimuli(),
        "observatory.get_all_reporter_lines": lambda: cache.get_all_reporter_lines(),
        "observatory.get_all_targeted_structures": lambda: cache.get_all_targeted_structures(),
        "observatory.get_all_imaging_depths": lambda: cache.get_all_imaging_depths(),
        "observatory.get_all_cre_lines": lambda: cache.get_all_cre_lines(),
        "observatory.get_all_session_types": lambda: cache.get_all_session_types(),
        "observatory.api.get_ophys_experiments": lambda: len(api.get_ophys_experiments()),
        "observatory.api.get_stimulus_mappings": lambda: api.get_stimulus_mappings(),
        "observatory.api.list_isi_experiments": lambda: len(api.list_isi_experiments()),
    }


def neuropixels(url, ids):
    scheme, host = url.split("://")
    api = EcephysProjectWarehouseApi(RmaEngine(scheme=scheme, host=host))
    return {
        "neuropixels.get_sessions": lambda: api.get_sessions().reset_index(),
        "neuropixels.get_probes": lambda: api.get_probes().reset_index(),
        "neuropixels.get_channels": lambda: api.get_channels().reset_index(),
        "neuropixels.get_units": lambda: api.get_units(
            amplitude_cutoff_maximum=None, presence_ratio_minimum=None, isi_violations_maximum=None,
            filter_by_validity=False,
        ).reset_index(),
    }  # fmt: skip


def images(url, ids):
    sync, image = SynchronizationApi(base_uri=url), ImageDownloadApi(base_uri=url)
    atlas, section = MouseAtlasApi(base_uri=url), ids["section_image"]
    return {
        "sync.get_image_to_reference": lambda: sync.get_image_to_reference(section, 650, 750),
        "sync.get_reference_to_image": lambda: sync.get_reference_to_image(
            9, 650, 7650, 6300, [ids["aligned_data_set"]]
        ),
        "sync.get_image_to_image": lambda: sync.get_image_to_image(section, 650, 750, [ids["aligned_data_set"]]),
        "images.section_image_query": lambda: image.section_image_query(ids["aligned_data_set"]),
        "images.get_section_image_ranges": lambda: image.get_section_image_ranges([section]),
        "mouse_atlas.get_genes": lambda: list(atlas.get_genes()),
        "mouse_atlas.get_section_data_sets": lambda: list(atlas.get_section_data_sets()),
        "annotated.get_annotated_section_data_sets": lambda: AnnotatedSectionDataSetsApi(
            base_uri=url
        ).get_annotated_section_data_sets([112763676], intensity_values=["High", "Low"], age_names=["E11.5"]),
        "svg.get_svg": lambda: SvgApi(base_uri=url).get_svg(ids["image"]),
    }


def main():
    url, asked, folder, target = sys.argv[1:]
    ids, folder = json.loads(Path(asked).read_text()), Path(folder)
    verbs = {
        **rma(url), **ontologies(url, ids), **cell_types(url, ids, folder), **models(url, ids, folder),
        **connectivity(url, ids, folder), **reference_space(url, ids, folder), **observatory(url, ids, folder),
        **neuropixels(url, ids), **images(url, ids),
    }  # fmt: skip
    told = {}
    for name, verb in verbs.items():
        try:
            told[name] = plain(verb())
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            told[name] = {"error": f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"}
    Path(target).write_text(json.dumps(told))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    main()
