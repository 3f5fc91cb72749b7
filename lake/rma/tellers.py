"""What the lake's own domains tell of the API's models, under the API's names: one query a teller.

Answers that were fetched tell of most models too (``rma.*``); a domain is asked first, as it has read whole lists.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import sqlglot

from ..questions import standard
from ..tables.rma import MODELS


def _view(name: str) -> str:
    """All of a view that has the API's names already."""
    body: Any = sqlglot.parse_one(standard()[name].body, read="duckdb")
    columns = body.named_selects
    return f"select {', '.join(columns)} from {name}"


def _numbered(column: str, name: str, n: int, first: int = 1) -> str:
    """Entries of a list as columns: ``trv[1] as trv_00, trv[2] as trv_01, ...``."""
    return ", ".join(f"{column}[{i + first}] as {name}_{i:02d}" for i in range(n))


def _further(model: str, known: str) -> str:
    """Attributes of a model that its domain keeps in ``extra``, typed; ``known`` are those that it has columns for."""
    types = {"i": "bigint", "f": "double", "b": "boolean", "s": "varchar", "t": "timestamp"}
    missing = ((n, letter) for n, letter in MODELS[model].attributes.items() if n not in known.split())
    # What is of another type than declared is not told; the answer itself, below raw/, has it.
    return ", ".join(f"try_cast(extra->>'{name}' as {types[letter]}) as {name}" for name, letter in missing)


def _rest(model: str) -> str:
    """What is in ``extra`` beside attributes of a model."""
    known = json.dumps(dict.fromkeys(MODELS[model].attributes))  # a patch of nulls takes members out
    return f"nullif(json_merge_patch(extra, '{known}')::varchar, '{{}}') as extra"


# Models that are no declared answers, and the API's names of their tables.
OWN_TABLES: Mapping[str, str] = {
    "ApiCellTypesSpecimenDetail": "api_cell_types_specimen_details",
    "ApiConnectivity": "api_connectivities",
    "EphysFeature": "ephys_features",
    "EphysSweep": "ephys_sweeps",
    "NeuronalModelRun": "neuronal_model_runs",
    "ProjectionStructureUnionize": "projection_structure_unionizes",
    "StructureHierarchy": "structure_hierarchies",
    "StructureSetsStructure": "structure_sets_structures",
    "StructureUnionize": "structure_unionizes",
}

# Views of this name that tell what a domain has read, not what answers held.
DOMAIN_VIEWS = frozenset({"NeuronReconstruction"})

# What tells records of a model apart, where it is not ``id``.
KEYS: Mapping[str, tuple[str, ...]] = {
    "Alignment2d": ("section_image_id",),
    "ApiCellTypesSpecimenDetail": ("specimen__id",),
    "ApiConnectivity": ("data_set_id",),
    "EphysResult": ("specimen_id",),
    "StructureHierarchy": ("descendant_id", "ancestor_id"),
    "StructureSetsStructure": ("structure_set_id", "structure_id"),
}

# Which structures are in which sets: by listings of structures, and by sets that included them.
SET_MEMBERS = """
    select structure_set_id, structure_id from ccf.structure_set_members
    union
    select owner_id, member_id from rma.links where owner_model = 'StructureSet' and association = 'structures'
"""

DOMAINS: Mapping[str, tuple[str, ...]] = {
    "Structure": (
        f"""
        select structure_id as id, atlas_id, name, acronym, st_level, ontology_id, parent_structure_id,
            tree_depth as depth, graph_id, graph_order, '/' || array_to_string(structure_id_path, '/') || '/'
            as structure_id_path, color_hex as color_hex_triplet, safe_name, hemisphere_id::bigint as hemisphere_id,
            {
            _further(
                "Structure",
                "atlas_id name acronym st_level ontology_id parent_structure_id depth graph_id graph_order "
                "structure_id_path color_hex_triplet safe_name hemisphere_id",
            )
        }
        from ccf.structures
        """,
    ),
    "StructureHierarchy": (
        """
        select c.descendant_id, c.ancestor_id, c.generations from (
            select structure_id as descendant_id, unnest(structure_id_path) as ancestor_id,
                len(structure_id_path) - generate_subscripts(structure_id_path, 1) as generations
            from ccf.structures) as c
        """,
    ),
    "StructureSet": ("select structure_set_id as id, name, description from ccf.structure_sets",),
    "StructureSetsStructure": (f"select m.structure_set_id, m.structure_id from ({SET_MEMBERS}) as m",),
    "StructureGraph": (
        """
        select g.graph_id as id, g.name, g.ontology_id, min(s.structure_id) filter (s.parent_structure_id is null)
            as root_structure_id
        from ccf.structure_graphs as g left join ccf.structures as s on s.graph_id = g.graph_id
        group by g.graph_id, g.name, g.ontology_id
        """,
    ),
    "Ontology": (
        """
        select ontology_id as id, any_value(ontology_name) as name from ccf.structure_graphs
        where ontology_id is not null group by ontology_id
        """,
    ),
    "Atlas": ("select atlas_id as id, name, image_type, graph_id as structure_graph_id from ccf.atlases",),
    "GraphicGroupLabel": (
        """
        select distinct on (l.id) l.id, l.name from (
            select unnest(graphic_group_label_ids) as id, unnest(graphic_group_label_names) as name
            from ccf.atlases) as l
        """,
    ),
    "DataSet": (
        """
        select experiment_id as id, specimen_name as name, 'SectionDataSet' as type, false as failed
        from connectivity.experiments
        """,
        """
        select data_set_id as id, 'SectionDataSet' as type, specimen_id, plane_of_section_id, failed,
            section_thickness_um as section_thickness, expression, delegate, reference_space_id
        from ish.data_sets
        """,
    ),
    "PlaneOfSection": (
        """
        select plane_of_section_id as id, any_value(plane_of_section) as name from ish.data_sets
        where plane_of_section_id is not null group by plane_of_section_id
        """,
    ),
    "Product": (
        """
        select p.product_id as id from (
            select product_id::bigint as product_id from connectivity.experiments where product_id is not null
            union select unnest(product_ids) from ish.data_sets) as p
        """,
    ),
    "Gene": (
        """
        select gene_id as id, gene_acronym as acronym, gene_name as name, entrez_id, organism_id, chromosome_id
        from ish.genes
        """,
    ),
    "ProjectionStructureUnionize": (
        """
        select unionize_id as id, experiment_id as section_data_set_id, structure_id, hemisphere_id, is_injection,
            sum_pixels, sum_projection_pixels, sum_pixel_intensity, sum_projection_pixel_intensity,
            projection_density, projection_intensity, projection_energy, volume_mm3 as volume,
            projection_volume_mm3 as projection_volume, normalized_projection_volume, max_voxel_density,
            max_voxel_ap_um as max_voxel_x, max_voxel_dv_um as max_voxel_y, max_voxel_ml_um as max_voxel_z
        from connectivity.published_unionizes
        """,
    ),
    "StructureUnionize": (
        """
        select unionize_id as id, data_set_id as section_data_set_id, structure_id, sum_pixels,
            sum_expressing_pixels, sum_pixel_intensity, sum_expressing_pixel_intensity, expression_density,
            expression_energy, voxel_energy_mean, voxel_energy_cv
        from ish.published_unionizes
        """,
    ),
    "ApiConnectivity": (
        """
        select experiment_id as data_set_id, product_id, specimen_name, gender, strain,
            if(transgenic_line is not null, {'name': transgenic_line, 'id': transgenic_line_id}, null)
            as transgenic_line, transgenic_line_id, structure_id, structure_name, structure_acronym as structure_abbrev,
            array_to_string(injection_structure_ids, '/') as injection_structures, ap_um as injection_x,
            dv_um as injection_y, ml_um as injection_z, injection_volume_mm3 as injection_volume,
            l.storage_directory
        from connectivity.experiments
        left join (select experiment_id as listed_id, max(storage_directory) as storage_directory
                   from connectivity.listed_experiments group by experiment_id) as l on l.listed_id = experiment_id
        """,
    ),
    "Alignment3d": (
        f"""
        select alignment_id as id, 'DataSet' as aligned_type, experiment_id as aligned_id,
            {_numbered("trv", "trv", 12)}, {_numbered("tvr", "tvr", 12)}
        from connectivity.alignments
        """,
    ),
    "Alignment2d": (
        f"""
        select section_image_id, {_numbered("tvs", "tvs", 6)}, {_numbered("tsv", "tsv", 6)}
        from connectivity.section_images where len(tvs) > 0
        """,
    ),
    "SubImage": (
        """
        select section_image_id as id, 'SectionImage' as type, experiment_id as data_set_id, section_number,
            image_width as width, image_height as height, resolution_um as resolution
        from connectivity.section_images
        """,
    ),
    "ApiCellTypesSpecimenDetail": (_view("rma.api_cell_types_specimen_details"),),
    "EphysFeature": (_view("rma.ephys_features"),),
    "EphysSweep": (_view("rma.ephys_sweeps"),),
    "NeuronReconstruction": (_view("rma.neuron_reconstructions"),),
    # The warehouse lists cells whose recording passed; what its other records say is not published.
    "EphysResult": (
        """
        select min(f.owner_id) as id, d.specimen_id, false as failed
        from icephys.specimen_details as d
        left join icephys.api_well_known_files as f on f.specimen_id = d.specimen_id and f.owner_type = 'EphysResult'
        group by d.specimen_id
        """,
    ),
    "Specimen": (
        """
        select specimen_id as id, specimen_name as name, hemisphere, structure_id, donor_id,
            true as is_cell_specimen
        from icephys.specimen_details
        """,
        f"""
        select specimen_id as id, specimen_name as name, hemisphere, structure_id, donor_id,
            {_further("Specimen", "name hemisphere structure_id donor_id")}, {_rest("Specimen")}
        from icephys.legacy_specimens
        """,
    ),
    "Donor": ("select donor_id as id, donor_name as name, donor_sex as sex_full_name from icephys.donors",),
    "NeuronalModel": (
        """
        select neuronal_model_id as id, neuronal_model_name as name, specimen_id, neuronal_model_template_id,
            reconstruction_id as neuron_reconstruction_id
        from models.neuronal_models
        """,
    ),
    "NeuronalModelTemplate": (
        """
        select neuronal_model_template_id as id, neuronal_model_template_name as name,
            neuronal_model_template_description as description
        from models.templates
        """,
    ),
    "NeuronalModelRun": (
        """
        select neuronal_model_run_id as id, neuronal_model_id, rheobase_feature_average, explained_variance_ratio
        from models.neuronal_model_runs
        """,
    ),
    "WellKnownFile": (
        """
        select well_known_file_id as id, any_value(warehouse_path) as path, any_value(download_link) as download_link,
            any_value(well_known_file_type_id) as well_known_file_type_id, any_value(owner_type) as attachable_type,
            any_value(owner_id) as attachable_id
        from (select well_known_file_id, warehouse_path, download_link, well_known_file_type_id, owner_type, owner_id
              from icephys.api_well_known_files
              union all select well_known_file_id, warehouse_path, download_link, well_known_file_type_id, owner_type,
                  owner_id from models.model_files) as f
        where well_known_file_id is not null
        group by well_known_file_id
        """,
    ),
    "WellKnownFileType": ("select well_known_file_type_id as id, file_type as name from icephys.well_known_file_types",),
    "EcephysSession": (
        """
        select session_id as id, specimen_id, session_type as stimulus_name, isi_experiment_id,
            date_of_acquisition_utc as date_of_acquisition, published_at_utc as published_at
        from ecephys.project_sessions
        """,
    ),
    "EcephysProbe": (
        """
        select probe_id as id, session_id as ecephys_session_id, name, phase, sampling_rate,
            lfp_sampling_rate_raw as lfp_sampling_rate, lfp_temporal_subsampling_factor, air_channel_index,
            surface_channel_index, has_lfp_data as use_lfp_data
        from ecephys.project_probes
        """,
    ),
    "EcephysChannel": (
        """
        select channel_id as id, probe_id as ecephys_probe_id, local_index,
            probe_horizontal_position::bigint as probe_horizontal_position,
            probe_vertical_position::bigint as probe_vertical_position,
            ap_um::bigint as anterior_posterior_ccf_coordinate, dv_um::bigint as dorsal_ventral_ccf_coordinate,
            ml_um::bigint as left_right_ccf_coordinate, structure_id as ecephys_structure_id,
            structure_acronym as ecephys_structure_acronym
        from ecephys.project_channels
        """,
    ),
    "EcephysUnit": (
        """
        select unit_id as id, peak_channel_id as ecephys_channel_id, quality, snr, firing_rate, isi_violations,
            presence_ratio, amplitude_cutoff, isolation_distance, l_ratio, d_prime, nn_hit_rate, nn_miss_rate,
            silhouette_score, max_drift, cumulative_drift, waveform_duration as duration,
            waveform_halfwidth as halfwidth, waveform_pt_ratio as "PT_ratio",
            waveform_repolarization_slope as repolarization_slope, waveform_recovery_slope as recovery_slope,
            waveform_amplitude as amplitude, waveform_spread as spread, waveform_velocity_above as velocity_above,
            waveform_velocity_below as velocity_below
        from ecephys.units
        """,
    ),
}  # fmt: skip

# -- pairs of associated records -----------------------------------------------------------------------------------

ATLAS_LABELS = "select atlas_id as owner, unnest(graphic_group_label_ids) as member from ccf.atlases"
# Told from either side.
ATLAS_DATA_SETS = """
    select owner_id as owner, member_id as member from rma.links
    where owner_model = 'Atlas' and association = 'atlas_data_sets'
    union select member_id, owner_id from rma.links where owner_model = 'DataSet' and association = 'atlases'
"""
DATA_SET_ATLASES = f"select member as owner, owner as member from ({ATLAS_DATA_SETS}) as d"
DATA_SET_GENES = """
    select data_set_id as owner, gene_id as member from ish.data_set_genes
    union select owner_id, member_id from rma.links where association = 'genes' and member_model = 'Gene'
"""
GENE_DATA_SETS = "select gene_id as owner, data_set_id as member from ish.data_set_genes"
DATA_SET_PRODUCTS = """
    select experiment_id as owner, product_id as member from connectivity.experiments where product_id is not null
    union select data_set_id, unnest(product_ids) from ish.data_sets
    union select owner_id, member_id from rma.links
    where owner_model in ('DataSet', 'SectionDataSet', 'AtlasDataSet') and association = 'products'
"""
SPECIMEN_PRODUCTS = """
    select distinct owner_id as owner, member_id as member from rma.links
    where owner_model = 'Specimen' and association = 'products'
"""
TEMPLATE_FILES = """
    select distinct m.neuronal_model_template_id as owner, f.well_known_file_id as member
    from models.model_files as f
    join models.neuronal_models as m on m.neuronal_model_id = f.neuronal_model_id
    where f.file_kind = 'modfiles' and f.well_known_file_id is not null
"""
