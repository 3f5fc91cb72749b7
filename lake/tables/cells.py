"""Cells of the Cell Types Database as its warehouse tells of them: specimens, sweep lists, published features.

The same record comes as a table of the web site or of an old cache (``csv_*``) and as a result of the API (``api_*``);
the public relations of the same name without a prefix are views that choose per cell. Published features keep the units
they were published in, named where not SI.
"""

from __future__ import annotations

from ..spec import Column, TableSpec, boolean, float64, int64, list_, text

SPECIMEN = Column(1, "specimen_id", int64, "cell")
EXTRA = Column(900, "extra", text, "further attributes of the record, a JSON object", None, True)


def _by_role(schema: str, name: str, grain: str, part: str, columns: tuple[Column, ...], key: str) -> list[TableSpec]:
    """The same columns twice: as tables give them and as the API gives them."""
    return [
        TableSpec(f"{schema}.{role}_{name}", f"{grain}, {told}", part, (*columns, EXTRA), key=(key,), sort=(key,))
        for role, told in (("csv", "from a table of the web site or of a cache"), ("api", "from the API"))
    ]


# The API's ApiCellTypesSpecimenDetail, 54 attributes (spec: cell_types 2.1).
DETAIL_COLUMNS = (
    SPECIMEN,
    Column(2, "specimen_name", text, "name of the cell", None, True),
    Column(3, "line_name", text, "transgenic driver line", None, True),
    Column(4, "hemisphere", text, "left or right", None, True),
    Column(5, "structure_id", int64, "structure the soma lies in, with its layer", None, True),
    Column(6, "structure_name", text, "its name; the warehouse keeps it in quotes of its own", None, True),
    Column(7, "structure_acronym", text, "its acronym", None, True),
    Column(8, "parent_structure_id", int64, "the area, without the layer", None, True),
    Column(9, "parent_structure_acronym", text, "acronym of the area", None, True),
    Column(10, "structure_layer", text, "cortical layer: 1, 2, 2/3, 3, 4, 5, 6, 6a, 6b", None, True),
    Column(11, "max_euclidean_distance", float64, "greatest distance of a node from the soma", "um", True),
    Column(12, "number_stems", int64, "neurites that leave the soma", None, True),
    Column(13, "number_bifurcations", int64, "branch points", None, True),
    Column(14, "average_contraction", float64, "straight over path length of branches", "1", True),
    Column(15, "average_parent_daughter_ratio", float64, "radius of daughters over the parent's", "1", True),
    Column(16, "reconstruction_type", text, "full or dendrite-only; NULL without a reconstruction", None, True),
    Column(17, "reconstruction_file_id", int64, "well-known file that holds the reconstruction", None, True),
    Column(18, "ephys_file_id", int64, "well-known file that holds the recording (NWB)", None, True),
    Column(19, "fast_trough_v_long_square_mv", float64, "fast trough of the rheobase sweep's first spike", "mV", True),
    Column(
        20, "upstroke_downstroke_ratio_long_square", float64, "of the rheobase sweep's first spike", "1", True
    ),
    Column(21, "adaptation", float64, "adaptation index of the hero sweep", "1", True),
    Column(22, "f_i_curve_slope", float64, "slope of rate over current of long squares", "1/(s pA)", True),
    Column(23, "threshold_i_long_square_pa", float64, "current at threshold, rheobase sweep", "pA", True),
    Column(24, "tau_ms", float64, "membrane time constant", "ms", True),
    Column(25, "avg_isi_ms", float64, "mean interspike interval of the hero sweep", "ms", True),
    Column(26, "avg_firing_rate", float64, "mean rate of the hero sweep", "Hz", True),
    Column(27, "ri_mohm", float64, "input resistance from subthreshold long squares", "MOhm", True),
    Column(28, "peak_t_ramp", float64, "time of the first peak in ramps, from the sweep's start", "s", True),
    Column(29, "vrest_mv", float64, "resting potential", "mV", True),
    Column(30, "image_height", int64, "height of the specimen's image", "pixel", True),
    Column(31, "image_width", int64, "width of the specimen's image", "pixel", True),
    Column(32, "image_path", text, "path of the image's transform in the warehouse", None, True),
    Column(33, "soma_x", float64, "soma: anterior-posterior in the mouse CCF (um), x in the human donor's MRI", None, True),
    Column(34, "soma_y", float64, "soma: dorsal-ventral in the mouse CCF (um), y in the human donor's MRI", None, True),
    Column(35, "soma_z", float64, "soma: left-right in the mouse CCF (um), z in the human donor's MRI", None, True),
    Column(36, "normalized_depth", float64, "depth in cortex, 0 at the pia, 1 at the white matter", "1", True),
    Column(37, "reporter_status", text, "positive or negative; NULL where undetermined", None, True),
    Column(38, "n_glif_models", int64, "GLIF models published for the cell", None, True),
    Column(39, "n_biophysical_models", int64, "biophysical models published for the cell", None, True),
    Column(40, "n_perisomatic_models", int64, "of them perisomatic", None, True),
    Column(41, "n_all_active_models", int64, "of them all-active", None, True),
    Column(42, "apical", text, "apical dendrite: intact, truncated or NA", None, True),
    Column(43, "dendrite_type", text, "spiny, aspiny or sparsely spiny", None, True),
    Column(44, "morphology_thumbnail_path", text, "download path of the morphology's thumbnail", None, True),
    Column(45, "ephys_thumbnail_path", text, "download path of the long-square thumbnail", None, True),
    Column(46, "threshold_thumbnail_path", text, "download path of the threshold thumbnail", None, True),
    Column(47, "donor_age", text, "age of a human donor, as 25 yrs", None, True),
    Column(48, "donor_sex", text, "Male or Female; NULL for mice", None, True),
    Column(49, "disease_state", text, "disease of a human donor: epilepsy or tumor", None, True),
    Column(50, "donor_race", text, "race of a human donor", None, True),
    Column(51, "years_of_seizure_history", int64, "of a human donor", "yr", True),
    Column(52, "species", text, "Mus musculus or Homo Sapiens", None, True),
    Column(53, "donor_id", int64, "animal or person", None, True),
    Column(54, "donor_name", text, "name of the animal or person", None, True),
)  # fmt: skip

_CLASSES = {
    "long_square": "first spike of the rheobase sweep",
    "ramp": "mean of the first spikes of ramps",
    "short_square": "mean of the first spikes of short squares",
}
_POINTS = {
    "threshold": "threshold",
    "peak": "peak",
    "trough": "trough",
    "fast_trough": "fast trough",
    "slow_trough": "slow trough",
}


def _spike_columns() -> list[Column]:
    columns = []
    for i, (suffix, which) in enumerate(_CLASSES.items()):
        for k, (point, said) in enumerate(_POINTS.items()):
            t, v = 101 + 20 * i + 2 * k, 102 + 20 * i + 2 * k
            columns.append(
                Column(
                    t, f"{point}_t_{suffix}", float64, f"time of the {said} from the sweep's start, {which}", "s", True
                )
            )
            columns.append(
                Column(v, f"{point}_v_{suffix}_mv", float64, f"potential at the {said}, {which}", "mV", True)
            )
        last = 111 + 20 * i
        current = "stimulus amplitude, short squares" if suffix == "short_square" else f"current at threshold, {which}"
        columns.append(Column(last, f"threshold_i_{suffix}_pa", float64, current, "pA", True))
        columns.append(
            Column(
                last + 1,
                f"upstroke_downstroke_ratio_{suffix}",
                float64,
                f"upstroke over downstroke, {which}",
                "1",
                True,
            )
        )
    return columns


# The API's EphysFeature, 56 attributes.
EPHYS_FEATURE_COLUMNS = (
    SPECIMEN,
    Column(2, "ephys_feature_id", int64, "the API's id of the record", None, True),
    Column(3, "adaptation", float64, "adaptation index of the hero sweep", "1", True),
    Column(4, "avg_isi_ms", float64, "mean interspike interval of the hero sweep", "ms", True),
    Column(5, "electrode_0_pa", float64, "offset current of the electrode in the bath", "pA", True),
    Column(6, "f_i_curve_slope", float64, "slope of rate over current of long squares", "1/(s pA)", True),
    Column(7, "has_burst", boolean, "the hero sweep bursts", None, True),
    Column(8, "has_delay", boolean, "the first spike of the hero sweep is delayed", None, True),
    Column(9, "has_pause", boolean, "the hero sweep pauses", None, True),
    Column(10, "input_resistance_mohm", float64, "measured by a test pulse after break-in", "MOhm", True),
    Column(11, "latency", float64, "of the hero sweep's first spike after stimulus onset", "s", True),
    Column(12, "rheobase_sweep_id", int64, "the API's id of the rheobase sweep", None, True),
    Column(13, "rheobase_sweep_number", int64, "number of the rheobase sweep", None, True),
    Column(14, "ri_mohm", float64, "input resistance from subthreshold long squares", "MOhm", True),
    Column(15, "sag", float64, "return of a hyperpolarisation towards rest", "1", True),
    Column(16, "seal_gohm", float64, "seal resistance before break-in", "GOhm", True),
    Column(17, "tau_ms", float64, "membrane time constant", "ms", True),
    Column(18, "thumbnail_sweep_id", int64, "the API's id of the hero sweep", None, True),
    Column(19, "vm_for_sag_mv", float64, "potential at which the sag was measured", "mV", True),
    Column(20, "vrest_mv", float64, "resting potential", "mV", True),
    *_spike_columns(),
)

# The API's NeuronReconstruction.
MORPHOLOGY_FEATURE_COLUMNS = (
    Column(1, "reconstruction_id", int64, "the API's id of the reconstruction"),
    Column(2, "specimen_id", int64, "cell"),
    Column(3, "reconstruction_type", text, "full or dendrite-only", None, True),
    Column(4, "superseded", boolean, "a newer reconstruction replaces it", None, True),
    Column(5, "average_bifurcation_angle_local", float64, "between daughters at the branch point", "deg", True),
    Column(6, "average_bifurcation_angle_remote", float64, "between the far ends of daughters", "deg", True),
    Column(7, "average_contraction", float64, "straight over path length of branches", "1", True),
    Column(8, "average_diameter", float64, "mean diameter of nodes", "um", True),
    Column(9, "average_fragmentation", float64, "compartments a branch", "1", True),
    Column(10, "average_parent_daughter_ratio", float64, "radius of daughters over the parent's", "1", True),
    Column(11, "hausdorff_dimension", float64, "fractal dimension", "1", True),
    Column(12, "max_branch_order", int64, "most branch points between soma and tip", None, True),
    Column(13, "max_euclidean_distance", float64, "greatest distance of a node from the soma", "um", True),
    Column(14, "max_path_distance", float64, "greatest path length from soma to tip", "um", True),
    Column(15, "number_bifurcations", int64, "branch points", None, True),
    Column(16, "number_branches", int64, "branches", None, True),
    Column(17, "number_nodes", int64, "nodes", None, True),
    Column(18, "number_stems", int64, "neurites that leave the soma", None, True),
    Column(19, "number_tips", int64, "tips", None, True),
    Column(20, "overall_depth", float64, "extent along z", "um", True),
    Column(21, "overall_height", float64, "extent along y", "um", True),
    Column(22, "overall_width", float64, "extent along x", "um", True),
    Column(23, "scale_factor_x", float64, "size of an image pixel along x", "um", True),
    Column(24, "scale_factor_y", float64, "size of an image pixel along y", "um", True),
    Column(25, "scale_factor_z", float64, "distance of image planes", "um", True),
    Column(26, "soma_surface", float64, "surface of the soma", "um2", True),
    Column(27, "total_length", float64, "summed length of neurites", "um", True),
    Column(28, "total_surface", float64, "summed surface of neurites", "um2", True),
    Column(29, "total_volume", float64, "summed volume of neurites", "um3", True),
)

CSV_SPECIMEN_DETAILS, API_SPECIMEN_DETAILS = _by_role(
    "icephys", "specimen_details", "one cell of the Cell Types Database", "cells", DETAIL_COLUMNS, "specimen_id"
)
CSV_EPHYS_FEATURES, API_EPHYS_FEATURES = _by_role(
    "icephys", "ephys_features", "published electrophysiology features of one cell", "ephys_features",
    EPHYS_FEATURE_COLUMNS, "specimen_id",
)  # fmt: skip
CSV_MORPHOLOGY_FEATURES, API_MORPHOLOGY_FEATURES = _by_role(
    "morphology", "published_features", "published features of one reconstruction", "morphology_features",
    MORPHOLOGY_FEATURE_COLUMNS, "reconstruction_id",
)  # fmt: skip

API_SWEEPS = TableSpec(
    "icephys.api_sweeps",
    grain="one sweep of a cell, as the warehouse lists it (the API's EphysSweep)",
    part="sweeps",
    columns=(
        SPECIMEN,
        Column(2, "sweep_number", int64, "number of the sweep in its recording"),
        Column(3, "sweep_id", int64, "the API's id of the sweep", None, True),
        Column(4, "stimulus_name", text, "kind of stimulus: Long Square, Ramp, Noise 1 ...", None, True),
        Column(5, "stimulus_description", text, "acquisition code and repeat, as C1LSFINEST150112[0]", None, True),
        Column(6, "stimulus_units", text, "unit of the stimulus as told: Amps, Volts, pA, mV", None, True),
        Column(7, "stimulus_absolute_amplitude_pa", float64, "greatest stimulus current", "pA", True),
        Column(8, "stimulus_relative_amplitude", float64, "scale factor of the stimulus set", "1", True),
        Column(9, "stimulus_start_time", float64, "start of the stimulus from the sweep's start", "s", True),
        Column(10, "stimulus_duration", float64, "length of the stimulus", "s", True),
        Column(11, "stimulus_interval", float64, "between onsets of pulses", "s", True),
        Column(12, "num_spikes", int64, "spikes the producer counted; NULL stands for none", None, True),
        Column(13, "peak_deflection_mv", float64, "extreme potential of a subthreshold long square", "mV", True),
        Column(14, "bridge_balance_mohm", float64, "bridge balance", "MOhm", True),
        Column(15, "leak_pa", float64, "leak current", "pA", True),
        Column(16, "pre_vm_mv", float64, "potential before the stimulus", "mV", True),
        Column(17, "post_vm_mv", float64, "potential after the stimulus", "mV", True),
        Column(18, "slow_vm_mv", float64, "potential over 500 ms before the stimulus", "mV", True),
        Column(19, "vm_delta_mv", float64, "change of the potential over the sweep", "mV", True),
        Column(20, "pre_noise_rms_mv", float64, "noise before the stimulus", "mV", True),
        Column(21, "post_noise_rms_mv", float64, "noise after the stimulus", "mV", True),
        Column(22, "slow_noise_rms_mv", float64, "noise over 500 ms before the stimulus", "mV", True),
        EXTRA,
    ),
    key=("specimen_id", "sweep_number"),
    sort=("specimen_id", "sweep_number"),
)

LEGACY_SPECIMENS = TableSpec(
    "icephys.legacy_specimens",
    grain="one cell, as the API's Specimen tells of it with what it includes (the endpoint before specimen details)",
    part="cells",
    columns=(
        SPECIMEN,
        Column(2, "specimen_name", text, "name of the cell", None, True),
        Column(3, "hemisphere", text, "left or right", None, True),
        Column(4, "structure_id", int64, "structure the soma lies in, with its layer", None, True),
        Column(5, "structure_name", text, "its name", None, True),
        Column(6, "structure_acronym", text, "its acronym", None, True),
        Column(7, "structure_layer", text, "cortical layer", None, True),
        Column(8, "soma_x", float64, "soma: anterior-posterior in the mouse CCF (um)", None, True),
        Column(9, "soma_y", float64, "soma: dorsal-ventral in the mouse CCF (um)", None, True),
        Column(10, "soma_z", float64, "soma: left-right in the mouse CCF (um)", None, True),
        Column(11, "normalized_depth", float64, "depth in cortex, 0 at the pia, 1 at the white matter", "1", True),
        Column(12, "donor_id", int64, "animal or person", None, True),
        Column(13, "donor_name", text, "name of the animal or person", None, True),
        Column(14, "species", text, "name of the donor's organism", None, True),
        Column(15, "conditions", list_(text), "the donor's conditions, as told"),
        Column(16, "transgenic_line_names", list_(text), "the donor's transgenic lines, as told"),
        Column(17, "transgenic_line_types", list_(text), "driver or reporter, of each line; empty if unknown"),
        Column(18, "tags", list_(text), "the cell's tags, as told: dendrite type - spiny"),
        Column(19, "reporter", text, "cell_reporter: positive, negative or other words", None, True),
        Column(20, "n_data_sets", int64, "image sets of the cell"),
        Column(21, "n_reconstructions", int64, "reconstructions of the cell"),
        EXTRA,
    ),
    key=("specimen_id",),
    sort=("specimen_id",),
)

WELL_KNOWN_FILES = TableSpec(
    "icephys.api_well_known_files",
    grain="one file of the warehouse and the record it belongs to, where a record of a cell includes it",
    part="files",
    columns=(
        SPECIMEN,
        Column(2, "owner_type", text, "EphysResult or NeuronReconstruction"),
        Column(3, "owner_id", int64, "the API's id of the owner", None, True),
        Column(4, "well_known_file_id", int64, "the API's id of the file"),
        Column(5, "well_known_file_type_id", int64, "kind of file", None, True),
        Column(6, "file_type", text, "name of the kind: NWBDownload, 3DNeuronReconstruction ...", None, True),
        Column(7, "download_link", text, "path below the API's address", None, True),
        Column(8, "warehouse_path", text, "path in the warehouse", None, True),
    ),
    key=("well_known_file_id",),
    sort=("specimen_id", "well_known_file_id"),
)

PATCHSEQ_CELLS = TableSpec(
    "icephys.patchseq_cells",
    grain="one cell recorded, stained and sequenced (Patch-seq), from the table of its project",
    part="cells",
    columns=(
        SPECIMEN,
        Column(2, "specimen_name", text, "name of the cell", None, True),
        Column(3, "project", text, "project code", None, True),
        Column(4, "hemisphere", text, "left or right", None, True),
        Column(5, "structure_acronym", text, "structure the soma lies in, with its layer", None, True),
        Column(6, "donor_id", int64, "animal or person", None, True),
        Column(7, "donor_name", text, "name of the animal or person", None, True),
        Column(8, "sex", text, "M or F", None, True),
        Column(9, "donor_age", text, "age of the donor, as P55", None, True),
        Column(10, "ethnicity", text, "of a human donor", None, True),
        Column(11, "medical_conditions", text, "of a human donor", None, True),
        Column(12, "full_genotype", text, "genotype", None, True),
        Column(13, "dendrite_type", text, "spiny, aspiny or sparsely spiny", None, True),
        Column(14, "apical", text, "apical dendrite: intact, truncated, notchecked or NA", None, True),
        Column(15, "reconstruction_type", text, "full or dendrite-only; NULL without a reconstruction", None, True),
        Column(16, "normalized_depth", float64, "depth in cortex, 0 at the pia, 1 at the white matter", "1", True),
        Column(17, "depth_from_pia_um", float64, "depth below the pia", "um", True),
        Column(18, "ephys_session_id", int64, "recording session in the archive of the data", None, True),
        Column(19, "transcriptomics_sample_id", text, "sequenced sample", None, True),
        Column(20, "transcriptomics_batch", text, "batch it was sequenced in", None, True),
        Column(
            21, "cluster_label_id", text, "leaf of the transcriptomic tree the cell was mapped to first", None, True
        ),
        Column(22, "cluster_label", text, "its name: the transcriptomic type", None, True),
        EXTRA,
    ),
    key=("specimen_id",),
    sort=("specimen_id",),
)

SPECS: tuple[TableSpec, ...] = (
    CSV_SPECIMEN_DETAILS, API_SPECIMEN_DETAILS, LEGACY_SPECIMENS, PATCHSEQ_CELLS, API_SWEEPS, WELL_KNOWN_FILES,
    CSV_EPHYS_FEATURES, API_EPHYS_FEATURES, CSV_MORPHOLOGY_FEATURES, API_MORPHOLOGY_FEATURES,
)  # fmt: skip
