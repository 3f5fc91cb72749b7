"""Models of cells: what the API tells of them, GLIF configurations, biophysical fits, description files, mechanisms.

A file without an id of its own (a bare configuration, a fit, a manifest) gets one made from its content; what its name
tells is kept beside, and the public relations (``models.glif_models``, ``models.biophysical_models`` ...) join them with
the records of the API. Voltages of GLIF models are relative to the resting potential, in SI units as published.
"""

from __future__ import annotations

from ..spec import Column, TableSpec, boolean, float64, int8, int16, int32, int64, list_, text

MODEL = Column(1, "neuronal_model_id", int64, "model, as the API numbers it; made where its file does not tell")
LISTED = Column(2, "is_listed", boolean, "from a list of models, rather than from the record of this one")
FIT = Column(1, "biophysical_fit_id", int64, "fit, made from the content of its file")
DESCRIPTION = Column(1, "description_id", int64, "description file, made from its content")
EXTRA = Column(900, "extra", text, "what no column holds, a JSON object", None, True)

RECORDS = TableSpec(
    "models.model_records",
    grain="one model of a cell, as the API tells of it (NeuronalModel)",
    part="records",
    columns=(
        MODEL,
        LISTED,
        Column(3, "specimen_id", int64, "cell it models", None, True),
        Column(4, "neuronal_model_template_id", int64, "kind of model", None, True),
        Column(5, "neuronal_model_name", text, "name of the model", None, True),
        Column(6, "neuronal_model_template_name", text, "name of its template", None, True),
        Column(7, "neuronal_model_template_description", text, "what the template says of itself", None, True),
        Column(8, "reconstruction_id", int64, "reconstruction it is built on", None, True),
        Column(9, "specimen_name", text, "name of the cell", None, True),
        EXTRA,
    ),
    key=("neuronal_model_id", "is_listed"),
    sort=("neuronal_model_id",),
)

RUNS = TableSpec(
    "models.model_record_runs",
    grain="one evaluation of a model against its cell's recording, as the API tells of it (NeuronalModelRun)",
    part="records",
    columns=(
        MODEL,
        LISTED,
        Column(3, "run_index", int32, "position among the model's runs, from 0"),
        Column(4, "neuronal_model_run_id", int64, "the API's id of the run", None, True),
        Column(5, "rheobase_feature_average", float64, "mean error of features at rheobase, in deviations", "1", True),
        Column(6, "explained_variance_ratio", float64, "of the spikes in noise, over what the cell repeats", "1", True),
        EXTRA,
    ),
    key=("neuronal_model_id", "is_listed", "run_index"),
    sort=("neuronal_model_id", "run_index"),
)

FILES = TableSpec(
    "models.model_record_files",
    grain="one file of the warehouse that belongs to a model, its template, its cell or its reconstruction",
    part="records",
    columns=(
        MODEL,
        LISTED,
        Column(3, "owner_type", text, "NeuronalModel, NeuronalModelTemplate, EphysResult or NeuronReconstruction ..."),
        Column(4, "owner_id", int64, "the API's id of the owner", None, True),
        Column(5, "well_known_file_id", int64, "the API's id of the file"),
        Column(6, "well_known_file_type_id", int64, "kind of file", None, True),
        Column(7, "file_type", text, "name of the kind: NeuronalModelParameters, NWBDownload ...", None, True),
        Column(8, "file_name", text, "last part of the path in the warehouse", None, True),
        Column(9, "download_link", text, "path below the API's address", None, True),
        Column(10, "warehouse_path", text, "path in the warehouse", None, True),
    ),
    key=("neuronal_model_id", "is_listed", "well_known_file_id"),
    sort=("neuronal_model_id", "well_known_file_id"),
)

SWEEPS = TableSpec(
    "models.model_record_sweeps",
    grain="one sweep of a model's cell, where the record of the model includes it",
    part="records",
    columns=(
        MODEL,
        LISTED,
        Column(3, "sweep_number", int64, "number of the sweep in its recording"),
        Column(4, "sweep_id", int64, "the API's id of the sweep", None, True),
        Column(5, "specimen_id", int64, "cell", None, True),
        Column(6, "stimulus_name", text, "kind of stimulus: Long Square, Ramp, Noise 1 ...", None, True),
        Column(7, "num_spikes", int64, "spikes the producer counted; NULL stands for none", None, True),
        EXTRA,
    ),
    key=("neuronal_model_id", "is_listed", "sweep_number"),
    sort=("neuronal_model_id", "sweep_number"),
)

_METHOD = "name of the rule for"
GLIF_CONFIGS = TableSpec(
    "models.glif_configs",
    grain="one generalized leaky integrate-and-fire model: the file that configures it",
    part="glif",
    columns=(
        MODEL,
        Column(2, "specimen_id", int64, "cell it models, where its file tells", None, True),
        Column(3, "glif_level", int8, "GLIF level 1 to 5; NULL for another combination of rules", None, True),
        Column(4, "el", float64, "resting potential in the model's own frame (El): zero", "V"),
        Column(5, "el_reference", float64, "resting potential of the cell (El_reference)", "V", True),
        Column(6, "dt", float64, "time step", "s"),
        Column(7, "r_input", float64, "input resistance", "Ohm"),
        Column(8, "capacitance", float64, "membrane capacitance (C)", "F"),
        Column(9, "th_inf", float64, "threshold of instant spiking, from the resting potential", "V"),
        Column(10, "th_adapt", float64, "unused adaptation of the threshold", "V", True),
        Column(11, "spike_cut_length", int32, "time steps that a spike takes out"),
        Column(12, "init_voltage", float64, "potential at the start", "V"),
        Column(13, "init_threshold", float64, "threshold at the start", "V"),
        Column(14, "init_ascurrents", list_(float64), "after-spike currents at the start", "A"),
        Column(15, "asc_tau_array", list_(float64), "time constants of after-spike currents", "s"),
        Column(16, "asc_amp_array", list_(float64), "amplitudes of after-spike currents", "A"),
        Column(17, "coeff_th_inf", float64, "factor of th_inf", "1"),
        Column(18, "coeff_c", float64, "factor of the capacitance", "1"),
        Column(19, "coeff_g", float64, "factor of the conductance", "1"),
        Column(20, "coeff_a", float64, "factor of the threshold's voltage drive", "1"),
        Column(21, "coeff_b", float64, "factor of the threshold's decay", "1"),
        Column(22, "coeff_asc_amp_array", list_(float64), "factors of the amplitudes", "1"),
        Column(23, "ascurrent_dynamics_method", text, f"{_METHOD} after-spike currents"),
        Column(24, "voltage_dynamics_method", text, f"{_METHOD} the potential"),
        Column(25, "threshold_dynamics_method", text, f"{_METHOD} the threshold"),
        Column(26, "ascurrent_reset_method", text, f"{_METHOD} after-spike currents at a spike"),
        Column(27, "voltage_reset_method", text, f"{_METHOD} the potential at a spike"),
        Column(28, "threshold_reset_method", text, f"{_METHOD} the threshold at a spike"),
        Column(29, "extrapolation_method", text, "how fitting extrapolated over spikes", None, True),
        Column(30, "dt_multiplier", float64, "how much coarser fitting stepped", "1", True),
        Column(31, "config_json", text, "the configuration, whole, as JSON"),
        Column(32, "source_name", text, "name of the file"),
        Column(33, "named_specimen_id", int64, "specimen or model that the file's name tells", None, True),
    ),
    key=("neuronal_model_id",),
    sort=("neuronal_model_id",),
)

GLIF_VARIANCES = TableSpec(
    "models.glif_explained_variance",
    grain="one explained variance of a GLIF model's spikes, in one kind of noise, before or after optimisation",
    part="glif",
    columns=(
        MODEL,
        Column(2, "specimen_id", int64, "cell", None, True),
        Column(3, "optimization_stage", text, "before_opt, after_opt, or n2_after_opt_sanitycheck"),
        Column(4, "noise_name", text, "noise_1 (fitted to) or noise_2 (held out)"),
        Column(5, "explained_variance_ratio", float64, "of spikes in 10 ms, over what the cell repeats", "1", True),
    ),
    key=("neuronal_model_id", "optimization_stage", "noise_name"),
    sort=("neuronal_model_id", "optimization_stage", "noise_name"),
)

GLIF_SUBTHRESHOLD = TableSpec(
    "models.glif_subthreshold_fits",
    grain="how near one GLIF model comes to the potential between spikes, in one kind of noise",
    part="glif",
    columns=(
        MODEL,
        Column(2, "specimen_id", int64, "cell", None, True),
        Column(3, "noise_name", text, "noise_1 (fitted to) or noise_2 (held out)"),
        Column(4, "residual_sum_of_squares", float64, "squared difference of model and cell, summed", "V2", True),
        Column(5, "difference_variance", float64, "variance of the difference", "V2", True),
        Column(6, "recorded_variance", float64, "variance of the cell's potential", "V2", True),
        Column(7, "n_points", int64, "samples outside of spikes", None, True),
    ),
    key=("neuronal_model_id", "noise_name"),
    sort=("neuronal_model_id", "noise_name"),
)

FITS = TableSpec(
    "models.biophysical_fits",
    grain="one fitted compartmental model: the parameter file of it",
    part="descriptions",
    columns=(
        FIT,
        Column(2, "ra", float64, "axial resistivity", "Ohm cm", True),
        Column(3, "e_pas_mv", float64, "reversal of the passive conductance", "mV", True),
        Column(4, "junction_potential_mv", float64, "liquid junction potential of the recording", "mV", True),
        Column(5, "celsius", float64, "temperature of the simulation", "degC", True),
        Column(6, "v_init_mv", float64, "potential at the start", "mV", True),
        Column(7, "fit_sweeps", list_(int32), "sweeps it was fitted to"),
        Column(8, "axon_morph_json", text, "instructions that replace the axon, as JSON", None, True),
        Column(9, "fit_json", text, "the file, whole, as JSON"),
        Column(10, "source_name", text, "name of the file"),
        Column(11, "named_model_id", int64, "model that the file's name tells", None, True),
    ),
    key=("biophysical_fit_id",),
    sort=("biophysical_fit_id",),
)

CM = TableSpec(
    "models.biophysical_cm",
    grain="membrane capacitance of one kind of section of a fit",
    part="descriptions",
    columns=(
        FIT,
        Column(2, "row_index", int32, "position in the file, from 0"),
        Column(3, "section", text, "soma, axon, dend or apic"),
        Column(4, "cm", float64, "membrane capacitance", "uF/cm2"),
    ),
    key=("biophysical_fit_id", "row_index"),
    sort=("biophysical_fit_id", "row_index"),
)

GENOME = TableSpec(
    "models.biophysical_genome",
    grain="one fitted parameter of one kind of section (the genome of a fit)",
    part="descriptions",
    columns=(
        FIT,
        Column(2, "row_index", int32, "position in the file, from 0"),
        Column(3, "section", text, "soma, axon, dend, apic, or glob for a global of the simulator"),
        Column(4, "mechanism", text, "mechanism that is inserted; empty for a property of the section"),
        Column(5, "parameter_name", text, "parameter as the simulator calls it: gbar_NaTs, g_pas ..."),
        Column(6, "parameter_value", float64, "its value, in the mechanism's own unit"),
        Column(7, "value_text", text, "its value as written, where the file has text", None, True),
    ),
    key=("biophysical_fit_id", "row_index"),
    sort=("biophysical_fit_id", "row_index"),
)

EREV = TableSpec(
    "models.biophysical_erev",
    grain="reversal potentials of ions in one kind of section of a fit",
    part="descriptions",
    columns=(
        FIT,
        Column(2, "row_index", int32, "position in the file, from 0"),
        Column(3, "section", text, "soma, axon, dend or apic"),
        Column(4, "ena_mv", float64, "sodium", "mV", True),
        Column(5, "ek_mv", float64, "potassium", "mV", True),
    ),
    key=("biophysical_fit_id", "row_index"),
    sort=("biophysical_fit_id", "row_index"),
)

DESCRIPTION_FILES = TableSpec(
    "models.description_files",
    grain="one file that describes a model or a run of it: a manifest, a fit, a configuration in sections",
    part="descriptions",
    columns=(
        DESCRIPTION,
        Column(2, "source_name", text, "name of the file"),
        Column(3, "description_kind", text, "manifest, fit or sections"),
        Column(4, "model_type", text, "kind of biophysical model it says it is", None, True),
        Column(5, "model_files", list_(text), "files it says belong together (biophys.model_file)"),
        Column(6, "has_comments", boolean, "it holds comments, which JSON has not"),
        Column(7, "sha256", text, "SHA-256 of the file's content"),
    ),
    key=("description_id",),
    sort=("description_id",),
)

DESCRIPTIONS = TableSpec(
    "models.descriptions",
    grain="one entry of one section of a description file",
    part="descriptions",
    columns=(
        DESCRIPTION,
        Column(2, "section", text, "section of the file: manifest, biophys, runs, genome ..."),
        Column(3, "entry_index", int32, "position in the section, from 0"),
        Column(4, "entry_json", text, "the entry, as JSON"),
        Column(5, "is_unary", boolean, "the file has an object in place of a list"),
    ),
    key=("description_id", "section", "entry_index"),
    sort=("description_id", "section", "entry_index"),
)

MANIFEST_ENTRIES = TableSpec(
    "models.manifest_entries",
    grain="one entry of a manifest: a file or folder under a key",
    part="descriptions",
    columns=(
        DESCRIPTION,
        Column(2, "entry_index", int32, "position in the manifest, from 0"),
        Column(3, "entry_key", text, "what it is asked for by; NULL for a version entry", None, True),
        Column(4, "entry_type", text, "file, dir, db, dir_root or manifest_version", None, True),
        Column(5, "spec", text, "its path, from the parent's; may hold % placeholders", None, True),
        Column(6, "parent_key", text, "entry it lies in", None, True),
        Column(7, "ignored_parent", text, "value of `parent`, which readers ignore", None, True),
        Column(8, "format", text, "format of the file", None, True),
        Column(9, "required", boolean, "it must exist", None, True),
        Column(10, "manifest_version", text, "of a version entry", None, True),
    ),
    key=("description_id", "entry_index"),
    sort=("description_id", "entry_index"),
)

MECHANISMS = TableSpec(
    "models.mechanisms",
    grain="one NMODL file: a membrane mechanism of the NEURON simulator, as text",
    part="mechanisms",
    columns=(
        Column(1, "mechanism_id", int64, "mechanism file, made from its content"),
        Column(2, "source_name", text, "name of the file"),
        Column(3, "mechanism", text, "name the simulator knows it by (SUFFIX, POINT_PROCESS or ARTIFICIAL_CELL)"),
        Column(4, "mechanism_kind", text, "suffix, point_process or artificial_cell"),
        Column(5, "title", text, "its TITLE line", None, True),
        Column(6, "ions", list_(text), "ions it uses"),
        Column(7, "range_variables", list_(text), "variables that sections may set or read (RANGE)"),
        Column(8, "global_variables", list_(text), "variables shared by all sections (GLOBAL)"),
        Column(9, "nmodl", text, "text of the file"),
        Column(10, "sha256", text, "SHA-256 of the file's content"),
        Column(11, "n_lines", int16, "lines of the file"),
    ),
    key=("mechanism_id",),
    sort=("mechanism_id",),
)

SPECS: tuple[TableSpec, ...] = (
    RECORDS, RUNS, FILES, SWEEPS, GLIF_CONFIGS, GLIF_VARIANCES, GLIF_SUBTHRESHOLD,
    FITS, CM, GENOME, EREV, DESCRIPTION_FILES, DESCRIPTIONS, MANIFEST_ENTRIES, MECHANISMS,
)  # fmt: skip
