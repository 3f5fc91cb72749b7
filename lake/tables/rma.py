"""Records of the Allen Brain Atlas API that no other domain keeps, under the API's own names (spec: api 2.8.1, 3.1).

An *answer* is what the API said to one query, saved whole. Its records, and those nested in them, lie in a table for each
model, so one record may lie there once for every answer that held it; the view ``rma.<models>`` says each thing once, as
the latest answer that tells of it does. Attributes that no column is declared for stay in ``extra``; models that
no table is declared for are in ``rma.answered_records``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from types import MappingProxyType

import pyarrow as pa

from ..spec import Column, TableSpec, boolean, float64, int32, int64, text, timestamp

TYPES: dict[str, pa.DataType] = {"i": int64, "f": float64, "b": boolean, "s": text, "t": timestamp}

# What a name does not say by itself. Any other attribute is described by its words; ``x_id`` as a record of model X.
DESCRIPTIONS = MappingProxyType({
    "id": "record of the warehouse",
    "sex": "F or M",
    "failed": "it failed the control of quality",
    "days": "days since birth, or since conception where embryonic",
    "imaging_depth": "depth below the pia, in um",
    "date_of_acquisition": "when it was recorded (UTC)",
    "date_of_birth": "when the animal was born (UTC)",
    "published_at": "when it was published (UTC)",
    "specimen_id_path": "specimens it was cut from, /a/b/",
    "section_thickness": "thickness of a section, in um",
    "transgenic_line_type_name": "driver, reporter ...",
    "stimulus_name": "what was shown: three_session_A, brain_observatory_1.1, drifting_grating ...",
    "item_type": "T: thumbnail, M or C: a column of the cell metrics",
    "level": "R: cell, S: experiment ...",
    "data": "metrics, a JSON object",
    "download_link": "path of the file below the API's address",
    "path": "path in the warehouse",
    "resolution": "edge of a pixel, in um",
    "sampling_rate": "samples a second, in Hz",
    "lfp_sampling_rate": "samples a second of the local field potential as recorded, in Hz",
    "hemisphere_id": "1 left, 2 right, 3 both",
})  # fmt: skip


@dataclass(frozen=True)
class Model:
    """A model of the API, and the table that keeps its records.

    table : the API's own name of its table, plural
    attributes : attribute -> letter of its type in TYPES
    nested : association -> model of the records nested under that name
    key : what tells its records apart
    """

    name: str
    table: str
    attributes: Mapping[str, str]
    nested: Mapping[str, str] = field(default_factory=dict)
    subclasses: tuple[str, ...] = ()
    key: str = "id"

    @cached_property
    def spec(self) -> TableSpec:
        columns = [Column(1, self.key, int64, _described(self.key))]
        for number, (name, letter) in enumerate(self.attributes.items(), start=2):
            columns.append(Column(number, name, TYPES[letter], _described(name), None, True))
        columns.append(Column(999, "extra", text, "other attributes, a JSON object", None, True))
        words = self.name if self.name[1].isupper() else _words(self.name)
        return TableSpec(
            f"rma.answered_{self.table}",
            grain=f"one record of {words}, in one answer of the API",
            part="records",
            columns=tuple(columns),
            sort=(self.key,),
        )


def _words(model: str) -> str:
    return "".join(f" {c.lower()}" if c.isupper() else c for c in model).strip()


def _described(name: str) -> str:
    if name in DESCRIPTIONS:
        return DESCRIPTIONS[name]
    words = name.replace("_", " ")
    return f"record of its {words.removesuffix(' id')}" if name.endswith("_id") else words


def _model(
    name: str, table: str, attributes: str, nested: str = "", subclasses: tuple[str, ...] = (), key: str = "id"
) -> Model:
    """``attributes``: ``i a b s c``: a and b are integers, c is text. ``nested``: ``association:Model``, spaces between."""
    found, letter = {}, "s"
    for word in attributes.split():
        if word in TYPES:
            letter = word
        else:
            found[word] = letter
    pairs = (pair.partition(":") for pair in nested.split())
    return Model(name, table, found, {association: model for association, _, model in pairs}, subclasses, key)


def _numbered(*stems: str, n: int) -> str:
    """``t_00 t_01 ...`` of each stem."""
    return " ".join(f"{stem}_{i:02d}" for stem in stems for i in range(n))


_FILES = "well_known_files:WellKnownFile"
_ANNOTATED = "structure:Structure specimen:Specimen"

# Attributes keep their order: it tells their field ids, so further ones go to the end.
MODELS: dict[str, Model] = {model.name: model for model in (
    _model("ExperimentContainer", "experiment_containers",
           "i imaging_depth specimen_id targeted_structure_id isi_experiment_id weight failed_facet b failed s storage_directory",
           "ophys_experiments:OphysExperiment isi_experiment:IsiExperiment specimen:Specimen targeted_structure:Structure"),
    _model("OphysExperiment", "ophys_experiments",
           "s name stimulus_name storage_directory t date_of_acquisition "
           "i specimen_id targeted_structure_id imaging_depth experiment_container_id ophys_session_id b fail_eye_tracking failed",
           f"experiment_container:ExperimentContainer targeted_structure:Structure specimen:Specimen {_FILES}"),
    _model("IsiExperiment", "isi_experiments", "s name storage_directory t date_of_acquisition i specimen_id",
           "experiment_container:ExperimentContainer specimen:Specimen"),
    _model("Specimen", "specimens",
           "s name external_specimen_name hemisphere specimen_id_path data "
           "i donor_id structure_id parent_id ephys_result_id cell_reporter_id cell_prep_sample_id cortex_layer_id treatment_id "
           "f parent_x_coord parent_y_coord parent_z_coord pinned_radius weight tissue_ph rna_integrity_number b is_cell_specimen is_ish",
           f"donor:Donor {_ANNOTATED} neuronal_models:NeuronalModel injections:Injection data_sets:SectionDataSet "
           f"stereotaxic_injections:StereotaxicInjection products:Product ephys_result:EphysResult "
           f"neuron_reconstructions:NeuronReconstruction {_FILES}"),
    _model("EphysResult", "ephys_results", "i specimen_id b failed f sampling_rate", _FILES),
    _model("NeuronReconstruction", "neuron_reconstructions",
           "i specimen_id number_nodes number_stems number_branches number_bifurcations number_tips s "
           "neuron_reconstruction_type tags b superseded f overall_width overall_height overall_depth average_diameter "
           "total_length total_surface total_volume soma_surface max_euclidean_distance max_path_distance max_branch_order "
           "average_contraction average_fragmentation average_parent_daughter_ratio average_bifurcation_angle_local "
           "average_bifurcation_angle_remote hausdorff_dimension scale_factor_x scale_factor_y scale_factor_z", _FILES),
    _model("Donor", "donors",
           "s name external_donor_name sex sex_full_name strain full_genotype handedness tags data "
           "t date_of_birth i age_id organism_id transgenic_mouse_id f weight weight_grams pmi",
           "age:Age organism:Organism transgenic_mouse:TransgenicMouse transgenic_lines:TransgenicLine conditions:Condition"),
    _model("Age", "ages", "s name description tags f days b embryonic i organism_id age_group_id developmental_stage_id",
           "organism:Organism"),
    _model("Organism", "organisms", "s name tags i ncbitaxonomyid"),
    _model("Condition", "conditions", "s name description"),
    _model("TransgenicMouse", "transgenic_mice",
           "s name transgenic_induction_method_name transgenic_induction_method_description",
           "transgenic_lines:TransgenicLine"),
    _model("TransgenicLine", "transgenic_lines",
           "s name description stock_number transgenic_line_type_name transgenic_line_type_code transgenic_line_source_name "
           "originating_lab url_prefix url_suffix"),
    _model("Product", "products", "s name abbreviation resource description documentation tags species"),
    _model("DataSet", "data_sets",
           "s name type storage_directory red_channel green_channel blue_channel "
           "i specimen_id plane_of_section_id failed_facet reference_space_id weight sphinx_id rnaseq_design_id "
           "f section_thickness t qc_date b failed expression delegate",
           "specimen:Specimen plane_of_section:PlaneOfSection treatments:Treatment probes:Probe genes:Gene products:Product "
           f"section_images:SectionImage sub_images:SectionImage atlas_images:AtlasImage equalization:Equalization "
           f"alignment3d:Alignment3d manual_annotations:ManualAnnotation atlases:Atlas {_FILES}",
           ("SectionDataSet", "AtlasDataSet")),
    _model("SubImage", "sub_images",
           "s type path axes image_type expression_path projection_function "
           "i x y width height section_number specimen_id data_set_id tier_count image_width image_height structure_id lims1_id "
           "bits_per_component number_of_components isi_experiment_id ophys_experiment_id f resolution b failed expression annotated",
           "data_set:DataSet section_data_set:SectionDataSet atlas_data_set:AtlasDataSet structure:Structure "
           "treatments:Treatment alignment2d:Alignment2d alternate_images:AlternateImage", ("SectionImage", "AtlasImage")),
    _model("AlternateImage", "alternate_images", "i sub_image_id s path image_type"),
    _model("Alignment2d", "alignment2ds", f"i section_image_id f {_numbered('tsv', 'tvs', n=6)}"),
    _model("Alignment3d", "alignment3ds", f"s aligned_type i aligned_id f {_numbered('trv', 'tvr', n=12)}"),
    _model("ReferenceToReferenceTransform", "reference_to_reference_transforms",
           f"i from_reference_space_id to_reference_space_id f {_numbered('t', n=12)}"),
    _model("StructureCenter", "structure_centers", "i structure_id reference_space_id f x y z",
           "structure:Structure reference_space:ReferenceSpace"),
    _model("ManualAnnotation", "manual_annotations",
           "i structure_id section_data_set_id s annotation_plan_name intensity_call density_call pattern_call "
           "mixed_population_call comment", "structure:Structure section_data_set:SectionDataSet"),
    _model("Equalization", "equalizations",
           "i section_data_set_id red_lower red_upper green_lower green_upper blue_lower blue_upper "
           "f red_mean green_mean blue_mean red_std_dev green_std_dev blue_std_dev", "section_data_set:SectionDataSet"),
    _model("PlaneOfSection", "plane_of_sections", "s name"),
    _model("Treatment", "treatments", "s name tags"),
    _model("Gene", "genes",
           "s acronym name original_symbol original_name alias_tags ensembl_id legacy_ensembl_gene_id type version_status "
           "i entrez_id homologene_id organism_id chromosome_id reference_genome_id genomic_reference_update_id sphinx_id",
           "chromosome:Chromosome organism:Organism probes:Probe", ("NcbiGene",)),
    _model("Chromosome", "chromosomes", "s name i organism_id", "genes:Gene"),
    _model("Probe", "probes",
           "s name label ncbi_accession_number probe_type fluor_color i gene_id orientation_id predicted_sequence_id "
           "forward_sequence_id reverse_sequence_id gi sphinx_id f gc_percent", "gene:Gene"),
    _model("Injection", "injections",
           "i specimen_id structure_id age_id days_post_injection primary_injection_structure_id targeted_injection_structure_id "
           "s registration_point injection_method injection_materials injection_quality fluor_colors "
           "f coordinates_ap coordinates_ml coordinates_dv angle", "specimen:Specimen structure:Structure age:Age"),
    _model("StereotaxicInjection", "stereotaxic_injections", "i specimen_id primary_injection_structure_id",
           "specimen:Specimen primary_injection_structure:Structure structures:Structure "
           "stereotaxic_injection_coordinates:StereotaxicInjectionCoordinate"),
    _model("StereotaxicInjectionCoordinate", "stereotaxic_injection_coordinates",
           "i stereotaxic_injection_id f coordinates_ap coordinates_dv coordinates_ml"),
    _model("Structure", "structures",
           "s acronym name safe_name structure_id_path color_hex_triplet neuro_name_structure_id_path "
           "i atlas_id st_level ontology_id hemisphere_id weight parent_structure_id depth graph_id graph_order "
           "neuro_name_structure_id sphinx_id structure_name_facet failed_facet b failed",
           "ontology:Ontology structure_graph:StructureGraph structure_sets:StructureSet"),
    _model("StructureSet", "structure_sets", "s name description", "structures:Structure"),
    _model("StructureGraph", "structure_graphs", "s name i root_structure_id ontology_id", "ontology:Ontology"),
    _model("Ontology", "ontologies", "s name abbreviation description i organism_id b has_atlas", "organism:Organism"),
    _model("Atlas", "atlases",
           "s name image_type xyz_sort i structure_graph_id specimen_id treatment_id graphic_group_label_id reference_space_id",
           "structure_graph:StructureGraph graphic_group_labels:GraphicGroupLabel reference_space:ReferenceSpace "
           "atlas_data_sets:AtlasDataSet"),
    _model("GraphicGroupLabel", "graphic_group_labels", "s name color"),
    _model("ReferenceSpace", "reference_spaces", "s name anatomy storage_directory i organism_id age_id", _FILES),
    _model("NeuronalModel", "neuronal_models", "s name i specimen_id neuronal_model_template_id neuron_reconstruction_id",
           f"specimen:Specimen neuronal_model_template:NeuronalModelTemplate {_FILES}"),
    _model("NeuronalModelTemplate", "neuronal_model_templates", "s name description", _FILES),
    _model("WellKnownFile", "well_known_files", "s path download_link attachable_type i well_known_file_type_id attachable_id",
           "well_known_file_type:WellKnownFileType"),
    _model("WellKnownFileType", "well_known_file_types", "s name"),
    _model("ApiCamStimulusMapping", "api_cam_stimulus_mappings", "s item item_type level stimulus stimulus_name"),
    _model("ApiColumnDefinition", "api_column_definitions", "s api_class_name"),
    _model("EcephysSession", "ecephys_sessions",
           "t published_at date_of_acquisition s name stimulus_name i specimen_id isi_experiment_id b fail_eye_tracking habituation",
           f"specimen:Specimen ecephys_probes:EcephysProbe {_FILES}"),
    _model("EcephysProbe", "ecephys_probes",
           "i ecephys_session_id air_channel_index surface_channel_index s name phase "
           "f sampling_rate lfp_sampling_rate lfp_temporal_subsampling_factor b use_lfp_data",
           "ecephys_session:EcephysSession ecephys_channels:EcephysChannel"),
    _model("EcephysChannel", "ecephys_channels",
           "i ecephys_probe_id local_index probe_horizontal_position probe_vertical_position anterior_posterior_ccf_coordinate "
           "dorsal_ventral_ccf_coordinate left_right_ccf_coordinate ecephys_structure_id s ecephys_structure_acronym",
           "ecephys_probe:EcephysProbe structure:Structure"),
    _model("EcephysUnit", "ecephys_units",
           "i ecephys_channel_id s quality epoch_name_quality_metrics epoch_name_waveform_metrics "
           "f snr firing_rate isi_violations presence_ratio amplitude_cutoff isolation_distance l_ratio d_prime nn_hit_rate "
           "nn_miss_rate silhouette_score max_drift cumulative_drift duration halfwidth PT_ratio repolarization_slope "
           "recovery_slope amplitude spread velocity_above velocity_below", "ecephys_channel:EcephysChannel"),
    _model("ApiCamCellMetric", "api_cam_cell_metrics",
           "i experiment_container_id tld1_id tld2_id tlr1_id imaging_depth s area tld1_name tld2_name tlr1_name "
           "b failed_experiment_container all_stim "
           "f osi_dg dsi_dg g_osi_dg g_dsi_dg pref_dir_dg pref_tf_dg p_dg p_run_mod_dg run_mod_dg reliability_dg peak_dff_dg "
           "tfdi_dg osi_sg g_osi_sg pref_ori_sg pref_sf_sg pref_phase_sg p_sg p_run_mod_sg run_mod_sg reliability_sg "
           "peak_dff_sg time_to_peak_sg sfdi_sg image_sel_ns pref_image_ns p_ns p_run_mod_ns run_mod_ns reliability_ns "
           "peak_dff_ns time_to_peak_ns reliability_nm1_a reliability_nm1_b reliability_nm1_c reliability_nm2 reliability_nm3 "
           "rf_area_on_lsn rf_area_off_lsn rf_center_on_x_lsn rf_center_on_y_lsn rf_center_off_x_lsn rf_center_off_y_lsn "
           "rf_chi2_lsn rf_distance_lsn rf_overlap_index_lsn", key="cell_specimen_id"),
    _model("EcephysUnitMetricBundle", "ecephys_unit_metric_bundles", "i ecephys_unit_id s data"),
    _model("ApiCamExperimentContainerMetric", "api_cam_experiment_container_metrics",
           "i id specimen_id tld1_id tld2_id tlr1_id imaging_depth s area tld1_name tld2_name tlr1_name donor_full_genotype "
           "b failed_experiment_container f mean_running_speed_a mean_running_speed_b mean_running_speed_c",
           key="experiment_container_id"),
)}  # fmt: skip


def model(name: str) -> Model | None:
    """The declaration of a model, or of the one whose table it shares; None where there is none."""
    return MODELS.get(name) or next((found for found in MODELS.values() if name in found.subclasses), None)


OTHER_RECORDS = TableSpec(
    "rma.answered_records",
    grain="one record of a model that no table is declared for, in one answer of the API",
    part="records",
    columns=(
        Column(1, "model", text, "model of the API, or the association it was nested under"),
        Column(2, "record_id", int64, "the record's id, where it has one", None, True),
        Column(3, "record_number", int64, "its position in the answer, among records of its model"),
        Column(4, "attributes", text, "all it says, a JSON object"),
    ),
    sort=("model", "record_number"),
)

LINKS = TableSpec(
    "rma.answered_links",
    grain="one record nested in another one's list, in one answer of the API",
    part="records",
    columns=(
        Column(1, "owner_model", text, "model of the record that holds the list"),
        Column(2, "owner_id", int64, "that record"),
        Column(3, "association", text, "name of the list"),
        Column(4, "member_model", text, "model of the record in the list"),
        Column(5, "member_id", int64, "that record"),
        Column(6, "member_index", int32, "its position in the list"),
    ),
    sort=("owner_model", "owner_id", "association", "member_index"),
)

REQUESTS = TableSpec(
    "rma.requests",
    grain="one request to the API that a file of the lake was fetched by",
    part="requests",
    columns=(
        Column(1, "fetch_key", text, "what was fetched: a digest of its address"),
        Column(2, "request_number", int32, "0 for the first request of the fetch"),
        Column(3, "request_url", text, "address that was asked, not percent-encoded"),
        Column(4, "rma_text", text, "the query, where the address holds one", None, True),
        Column(5, "requested_at", timestamp, "when (UTC)"),
        Column(6, "elapsed_seconds", float64, "how long the answer took, with its attempts", "s"),
        Column(7, "attempts", int32, "attempts it took"),
        Column(8, "http_status", int32, "status of the answer"),
        Column(9, "size_bytes", int64, "bytes of the answer", "byte"),
        Column(10, "sha256", text, "SHA-256 of the answer"),
        Column(11, "etag", text, "the server's mark of its version", None, True),
        Column(12, "start_row", int64, "first row that was asked for", None, True),
        Column(13, "num_rows", int64, "records in the answer", None, True),
        Column(14, "total_rows", int64, "rows the API says there are", None, True),
        Column(15, "file_name", text, "file it went into, below raw/rma/<fetch_key>/"),
    ),
    key=("fetch_key", "request_number"),
    sort=("fetch_key", "request_number"),
)  # fmt: skip

SPECS = (*(declared.spec for declared in MODELS.values()), OTHER_RECORDS, LINKS, REQUESTS)
