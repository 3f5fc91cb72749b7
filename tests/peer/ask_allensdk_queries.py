"""Run by the Allen SDK's Python: the addresses that its verbs ask. Argument: the JSON file to write, name -> address.

No request is made: what would send one notes its address instead.
"""

from __future__ import annotations

import contextlib
import json
import sys
import tempfile
import warnings

from allensdk.api.queries import (
    annotated_section_data_sets_api,
    biophysical_api,
    brain_observatory_api,
    cell_types_api,
    glif_api,
    grid_data_api,
    image_download_api,
    mouse_atlas_api,
    mouse_connectivity_api,
    ontologies_api,
    svg_api,
    synchronization_api,
    tree_search_api,
)

SEED = [6900, 5050, 6450]

ASKED = {
    ontologies_api.OntologiesApi: {
        "by_graph": lambda a, _: a.get_structures([1]),
        "by_graph_name": lambda a, _: a.get_structures(structure_graph_names="'Mouse Brain Atlas'"),
        "by_set": lambda a, _: a.get_structures(structure_set_ids=[7, 8]),
        "by_set_name": lambda a, _: a.get_structures(structure_set_names=["'a b'"]),
        "with_sets": lambda a, _: a.get_structures_with_sets([1]),
        "atlases_table": lambda a, _: a.get_atlases_table(),
        "atlases_table_of": lambda a, _: a.get_atlases_table([1]),
        "atlases_full": lambda a, _: a.get_atlases_table([1], brief=False),
        "atlases": lambda a, _: a.get_atlases(),
        "graphs": lambda a, _: a.get_structure_graphs(),
        "sets": lambda a, _: a.get_structure_sets(),
        "sets_of": lambda a, _: a.get_structure_sets([5, 6]),
    },
    cell_types_api.CellTypesApi: {
        "Q03": lambda a, _: a.list_cells_api(),
        "Q03_one": lambda a, _: a.list_cells_api(id=5),
        "Q04": lambda a, _: a.list_cells(),
        "Q04_one": lambda a, _: a.list_cells(id=5),
        "Q05": lambda a, _: a.get_ephys_sweeps(5),
        "Q06": lambda a, _: a.get_ephys_features(),
        "Q08": lambda a, f: a.save_ephys_data(5, f),
        "Q09": lambda a, f: a.save_reconstruction(5, f),
        "Q09_markers": lambda a, f: a.save_reconstruction_markers(5, f),
    },
    biophysical_api.BiophysicalApi: {
        "models_by_specimen": lambda a, _: a.get_neuronal_models([5]),
    },
    brain_observatory_api.BrainObservatoryApi: {
        "isi": lambda a, _: a.list_isi_experiments(),
        "isi_of": lambda a, _: a.get_isi_experiments(5),
        "ophys": lambda a, _: a.get_ophys_experiments(),
        "ophys_of": lambda a, _: a.get_ophys_experiments([1, 2]),
        "containers": lambda a, _: a.get_experiment_containers(),
        "containers_of": lambda a, _: a.get_experiment_containers([5]),
        "container_metrics": lambda a, _: a.get_experiment_container_metrics([5]),
        "mappings": lambda a, _: a.get_stimulus_mappings(),
        "columns": lambda a, _: a.get_column_definitions("'ApiCamCellMetric'"),
        "column_classes": lambda a, _: a.list_column_definition_class_names(),
        "cell_metrics": lambda a, _: list(a.get_cell_metrics([517394843, 517394850])),
        "data": lambda a, f: a.save_ophys_experiment_data(5, f),
        "analysis": lambda a, f: a.save_ophys_experiment_analysis_data(5, f),
        "events": lambda a, f: a.save_ophys_experiment_event_data(5, f),
        "gaze": lambda a, f: a.save_ophys_experiment_eye_gaze_data(5, 6, f),
        "mapping": lambda a, f: a.get_cell_specimen_id_mapping(f),
    },
    glif_api.GlifApi: {
        "glif_templates": lambda a, _: a.get_neuronal_model_templates(),
        "glif_models": lambda a, _: a.get_neuronal_models([5]),
        "glif_by_id": lambda a, _: a.get_neuronal_models_by_id([5]),
        "Q10": lambda a, _: a.list_neuronal_models(),
        "Q11": lambda a, _: a.get_neuronal_model(5),
    },
    image_download_api.ImageDownloadApi: {
        "ranges": lambda a, _: a.get_section_image_ranges([5, 6]),
        "images": lambda a, _: a.section_image_query(5),
        "by_product": lambda a, _: a.get_section_data_sets_by_product([1]),
        "by_product_failed": lambda a, _: a.get_section_data_sets_by_product([1], include_failed=True),
        "Q14": lambda a, _: a.atlas_image_query(1),
        "Q14_typed": lambda a, _: a.atlas_image_query(1, "Atlas - Adult Mouse"),
    },
    mouse_atlas_api.MouseAtlasApi: {
        "Q15": lambda a, _: list(a.get_section_data_sets([5])),
        "Q16": lambda a, _: list(a.get_genes()),
        "Q16_of": lambda a, _: list(a.get_genes(chromosome_ids=[40])),
    },
    mouse_connectivity_api.MouseConnectivityApi: {
        "Q17": lambda a, _: a.get_experiments([5]),
        "Q18": lambda a, _: a.get_experiments_api(),
        "Q19": lambda a, _: a.get_manual_injection_summary(5),
        "Q20": lambda a, _: a.get_experiment_detail(5),
        "Q21": lambda a, _: a.get_projection_image_info(5, 6),
        "Q23": lambda a, _: a.get_structure_unionizes([5], False, structure_ids=[1, 2], hemisphere_ids=[1]),
        "Q23_named": lambda a, _: a.get_structure_unionizes(
            [5],
            structure_name="Isocortex",
            normalized_projection_volume_limit=0.01,
            include=["structure"],
            order=["id"],
        ),
        "Q24": lambda a, _: a.experiment_source_search(injection_structures="Isocortex", primary_structure_only=True),
        "Q25": lambda a, _: a.experiment_spatial_search(seed_point=SEED),
        "Q26": lambda a, _: a.experiment_injection_coordinate_search(seed_point=SEED, injection_structures=[8]),
        "Q27": lambda a, _: a.experiment_correlation_search(row=5, structures=["TH"], hemisphere="right"),
    },
    annotated_section_data_sets_api.AnnotatedSectionDataSetsApi: {
        "Q01": lambda a, _: a.get_annotated_section_data_sets_via_rma([1], ["High", "Low"], age_names=["E11.5"]),
        "E13": lambda a, _: a.get_annotated_section_data_sets([1], ["High", "Low"], age_names=["E11.5"]),
    },
    grid_data_api.GridDataApi: {
        "Q12": lambda a, f: a.download_deformation_field(5, f),
        "Q13": lambda a, _: a.download_alignment3d(5),
    },
    synchronization_api.SynchronizationApi: {
        "E15": lambda a, _: a.get_image_to_atlas(5, 18232, 10704, 1),
        "E16": lambda a, _: a.get_image_to_image(5, 18232, 10704, [1, 2]),
        "E17": lambda a, _: a.get_image_to_image_2d(5, 18232, 10704, [1, 2]),
        "E18": lambda a, _: a.get_reference_to_image(10, 6085, 3670, 4883, [1, 2]),
        "E19": lambda a, _: a.get_image_to_reference(5, 18232, 10704),
        "E20": lambda a, _: a.get_structure_to_image(5, [1, 2]),
    },
    tree_search_api.TreeSearchApi: {
        "E12": lambda a, _: a.get_tree("Structure", 385, ancestors=True, descendants=False),
        "E12_plain": lambda a, _: a.get_tree("Specimen", 385),
    },
}


def main(target):
    warnings.simplefilter("ignore")
    found = {
        "Q02": biophysical_api.BiophysicalApi().build_rma(5),
        "E09": svg_api.SvgApi().build_query(5, groups=[28]),
        "E09_all": svg_api.SvgApi().build_query(5),
    }
    with tempfile.TemporaryDirectory() as folder:
        for kind, verbs in ASKED.items():
            for name, verb in verbs.items():
                api, urls = kind(), []

                def note(url, *_, urls=urls, **__):
                    urls.append(url)
                    return []

                def build(build_url, _, *args, urls=urls, **told):
                    told.pop("post", None)
                    return note(build_url(*args, **told), urls=urls)

                api.json_msg_query, api.do_query = note, build
                with contextlib.suppress(Exception):  # nothing came, so what works on the answer fails
                    verb(api, f"{folder}/file")
                found[name] = urls[0] if urls else None
    with open(target, "w") as file:
        json.dump(found, file)


if __name__ == "__main__":
    main(*sys.argv[1:])
