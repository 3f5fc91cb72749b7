"""Extracellular recordings: sessions, probes, channels, units, spikes, stimuli, LFP.

Roles that overlap have a table each (``nwb_*`` from session files, ``project_*`` from the project's tables,
``annotated_units`` from merged exports); the public relations of the same name without a prefix are views that
choose per column.
"""

from __future__ import annotations

from ..spec import Column, TableSpec, boolean, float32, float64, int32, int64, list_, text, timestamp

SPIKE_BLOCK_S = (
    600.0  # length of a time block of ecephys.spike_trains and ecephys.lfp, measured in docs/spike-layout.md
)

SESSION = Column(1, "session_id", int64, "session; Allen id, or made from the recording's identifier")

# Quality and waveform metrics of a unit, under the names users know (spec: ecephys EC-2), ids from 101.
UNIT_METRICS = (
    Column(101, "firing_rate", float64, "spikes of the unit over the time the probe recorded", "Hz", True),
    Column(102, "snr", float64, "amplitude of the mean waveform over the noise on the peak channel", "1", True),
    Column(103, "isi_violations", float64, "rate of refractory violations relative to the unit's own", "1", True),
    Column(104, "presence_ratio", float64, "share of the session's time bins with spikes", "1", True),
    Column(105, "amplitude_cutoff", float64, "estimated share of spikes below detection", "1", True),
    Column(106, "isolation_distance", float64, "Mahalanobis distance to the n-th nearest foreign spike", "1", True),
    Column(107, "l_ratio", float64, "contamination by foreign spikes in PC space", "1", True),
    Column(108, "d_prime", float64, "separation from other units by linear discriminant analysis", "1", True),
    Column(109, "nn_hit_rate", float64, "nearest neighbours of the unit's spikes that are its own", "1", True),
    Column(110, "nn_miss_rate", float64, "nearest neighbours of other spikes that are this unit's", "1", True),
    Column(111, "silhouette_score", float64, "smallest silhouette against another unit", "1", True),
    Column(112, "max_drift", float64, "range of the unit's depth over the session", "um", True),
    Column(113, "cumulative_drift", float64, "summed movement of the unit's depth over the session", "um", True),
    Column(114, "waveform_amplitude", float64, "peak to trough of the mean waveform on the peak channel", "uV", True),
    Column(115, "waveform_duration", float64, "trough to peak of the mean waveform", "ms", True),
    Column(116, "waveform_halfwidth", float64, "width of the mean waveform at half amplitude", "ms", True),
    Column(117, "waveform_pt_ratio", float64, "absolute ratio of peak to trough", "1", True),
    Column(118, "waveform_repolarization_slope", float64, "slope after the extremum", "V/s", True),
    Column(119, "waveform_recovery_slope", float64, "slope after the following peak", "V/s", True),
    Column(120, "waveform_spread", float64, "extent of channels above 12 % of the peak amplitude", "um", True),
    Column(121, "waveform_velocity_above", float64, "propagation above the soma", "s/m", True),
    Column(122, "waveform_velocity_below", float64, "propagation below the soma", "s/m", True),
)

NWB_SESSIONS = TableSpec(
    "ecephys.nwb_sessions",
    grain="one recording session, as its own file tells",
    part="session",
    columns=(
        SESSION,
        Column(2, "source_session_id", text, "identifier the recording's laboratory gave it"),
        Column(3, "session_start_time_utc", timestamp, "wall clock at time 0", "UTC", True),
        Column(4, "session_type", text, "stimulus programme", None, True),
        Column(5, "specimen_name", text, "name of the animal", None, True),
        Column(6, "subject_id", text, "the laboratory's id of the animal or person", None, True),
        Column(7, "age_in_days", float64, "age when recorded", "d", True),
        Column(8, "sex", text, "M or F", None, True),
        Column(9, "full_genotype", text, "genotype", None, True),
        Column(10, "strain", text, "strain", None, True),
        Column(11, "species", text, "species", None, True),
        Column(12, "institution", text, "where it was recorded", None, True),
        Column(13, "lab", text, "laboratory", None, True),
        Column(14, "session_description", text, "description in the file", None, True),
        Column(15, "rig_equipment_name", text, "rig it was recorded on", None, True),
        Column(16, "source_layout", text, "layout of the file: allen_v2, allen_v1, nwb2, nwb1"),
        Column(17, "nwb_version", text, "NWB version the file declares", None, True),
    ),
    key=("session_id",),
    sort=("session_id",),
)

PROJECT_SESSIONS = TableSpec(
    "ecephys.project_sessions",
    grain="one session of the Neuropixels release, from the project's session table",
    part="sessions",
    columns=(
        SESSION,
        Column(2, "specimen_id", int64, "animal", None, True),
        Column(3, "session_type", text, "stimulus programme", None, True),
        Column(4, "age_in_days", float64, "age when recorded", "d", True),
        Column(5, "sex", text, "M or F", None, True),
        Column(6, "full_genotype", text, "genotype; wt/wt where the table is empty", None, True),
        Column(7, "date_of_acquisition_utc", timestamp, "when the session entered the warehouse", "UTC", True),
        Column(8, "published_at_utc", timestamp, "when it was released", "UTC", True),
        Column(9, "isi_experiment_id", int64, "intrinsic imaging experiment of the animal", None, True),
        Column(10, "has_nwb", boolean, "a session file exists", None, True),
        Column(11, "specimen_name", text, "name of the animal", None, True),
        Column(12, "extra", text, "further columns of the table, a JSON object", None, True),
    ),
    key=("session_id",),
    sort=("session_id",),
)

SESSION_RUNS = TableSpec(
    "ecephys.session_runs",
    grain="one session's run of its experiment on a rig, as the rig's log tells",
    part="sessions",
    columns=(
        SESSION,
        Column(2, "mouse_id", text, "the laboratory's number of the mouse", None, True),
        Column(3, "run_start_time_utc", timestamp, "when the experiment began", "UTC", True),
        Column(4, "run_stop_time_utc", timestamp, "when it was complete", "UTC", True),
        Column(5, "rig_equipment_name", text, "rig it ran on", None, True),
        Column(6, "operator", text, "who ran it", None, True),
        Column(7, "extra", text, "further columns of the table, a JSON object", None, True),
    ),
    key=("session_id",),
    sort=("session_id",),
)

_PROBE = (
    SESSION,
    Column(2, "probe_id", int64, "probe insertion"),
    Column(3, "name", text, "probe name: probeA ... probeF, or the electrode group's"),
    Column(4, "sampling_rate", float64, "of the spike band, on the session's clock", "Hz", True),
    Column(5, "lfp_sampling_rate", float64, "of the stored LFP, after temporal subsampling", "Hz", True),
    Column(6, "has_lfp_data", boolean, "an LFP file exists", None, True),
)

NWB_PROBES = TableSpec(
    "ecephys.nwb_probes",
    grain="one probe insertion (electrode group) of a session, as the session's file tells",
    part="probes",
    columns=(
        *_PROBE,
        Column(7, "source_probe_id", text, "the natural id: the electrode group's name"),
        Column(8, "location", text, "location of the electrode group", None, True),
        Column(9, "description", text, "description of the electrode group", None, True),
        Column(10, "device", text, "device the group belongs to", None, True),
    ),
    key=("probe_id",),
    sort=("session_id", "name"),
)

PROJECT_PROBES = TableSpec(
    "ecephys.project_probes",
    grain="one probe insertion of the Neuropixels release, from the project's probe table",
    part="probes",
    columns=(
        *_PROBE,
        Column(7, "phase", text, "probe generation: 3a or PXI", None, True),
        Column(8, "lfp_sampling_rate_raw", float64, "of the LFP band before subsampling", "Hz", True),
        Column(9, "lfp_temporal_subsampling_factor", float64, "samples of the raw band per stored sample", "1", True),
        Column(10, "air_channel_index", int64, "lowest channel in air", None, True),
        Column(11, "surface_channel_index", int64, "channel at the brain's surface", None, True),
        Column(12, "extra", text, "further columns of the table, a JSON object", None, True),
    ),
    key=("probe_id",),
    sort=("session_id", "name"),
)

_CHANNEL = (
    Column(2, "channel_id", int64, "recording channel (electrode)"),
    Column(3, "probe_id", int64, "probe it is on", None, True),
    Column(4, "local_index", int64, "index on the probe, from the tip", None, True),
    Column(5, "probe_vertical_position", float64, "distance from the tip along the probe", "um", True),
    Column(6, "probe_horizontal_position", float64, "distance across the probe", "um", True),
    Column(7, "ap_um", float64, "anterior-posterior CCF position (x)", "um", True),
    Column(8, "dv_um", float64, "dorsal-ventral CCF position (y)", "um", True),
    Column(9, "ml_um", float64, "left-right CCF position (z)", "um", True),
    Column(10, "structure_id", int64, "CCF structure; NULL out of the brain", None, True),
    Column(11, "structure_acronym", text, "acronym of the structure, or the laboratory's location text", None, True),
)

NWB_CHANNELS = TableSpec(
    "ecephys.nwb_channels",
    grain="one channel (electrode) of a session, as a session or probe file tells",
    part="channels",
    columns=(
        SESSION,
        *_CHANNEL,
        Column(12, "source_channel_id", text, "the natural id in the file"),
        Column(13, "valid_data", boolean, "data of the channel are usable", None, True),
        Column(14, "impedance", float64, "impedance", "ohm", True),
        Column(15, "filtering", text, "hardware filters", None, True),
        Column(16, "extra", text, "further columns of the electrodes table, a JSON object", None, True),
    ),
    key=("channel_id",),
    sort=("session_id", "probe_id", "local_index"),
)

NWB_LFP_CHANNELS = TableSpec(
    "ecephys.nwb_lfp_channels",
    grain="one channel (electrode) whose LFP a probe file holds",
    part="channels",
    columns=(
        *NWB_CHANNELS.columns,
        Column(20, "column_index", int64, "column of the LFP data; NULL where the file names none", None, True),
        Column(21, "lfp_sampling_rate", float64, "of the stored LFP", "Hz", True),
    ),
    key=("channel_id",),
    sort=("session_id", "probe_id", "local_index"),
)

PROJECT_CHANNELS = TableSpec(
    "ecephys.project_channels",
    grain="one channel of the Neuropixels release, from the project's channel table (structures as published)",
    part="channels",
    columns=(
        *_CHANNEL,
        Column(12, "extra", text, "further columns of the table, a JSON object", None, True),
    ),
    key=("channel_id",),
    sort=("probe_id", "local_index"),
)

CORRECTED_STRUCTURES = TableSpec(
    "ecephys.corrected_structures",
    grain="one channel of a probe whose published structures are wrong, with the right structure",
    part="channels",
    columns=(
        Column(1, "probe_id", int64, "probe to be corrected"),
        Column(2, "local_index", int64, "index on the probe, from the tip"),
        Column(3, "structure_id", int64, "CCF structure; NULL out of the brain", None, True),
        Column(4, "structure_acronym", text, "acronym of the structure", None, True),
    ),
    key=("probe_id", "local_index"),
    sort=("probe_id", "local_index"),
)

_UNIT = (
    Column(2, "unit_id", int64, "sorted unit (putative neuron)"),
    Column(3, "peak_channel_id", int64, "channel with the largest mean waveform", None, True),
    Column(4, "quality", text, "good or noise", None, True),
    *UNIT_METRICS,
)

NWB_UNITS = TableSpec(
    "ecephys.nwb_units",
    grain="one sorted unit of a session, as the session's file tells",
    part="units",
    columns=(
        SESSION,
        *_UNIT,
        Column(5, "probe_id", int64, "probe of the peak channel", None, True),
        Column(6, "local_index", int64, "index among the probe's units", None, True),
        Column(7, "cluster_id", int64, "cluster of the sorter", None, True),
        Column(8, "source_unit_id", text, "the natural id in the file"),
        Column(9, "n_spikes", int64, "spikes, without those left out; NULL where the file does not tell", None, True),
        Column(10, "first_spike_time", float64, "first stored spike", "s", True),
        Column(11, "last_spike_time", float64, "last stored spike", "s", True),
        Column(
            12,
            "n_dropped",
            int64,
            "spikes left out, as their time is negative (unsynchronised); NULL where spikes were not taken",
            None,
            True,
        ),
        Column(13, "extra", text, "further columns of the units table, a JSON object", None, True),
    ),
    key=("session_id", "unit_id"),
    partition="session_id",
    sort=("probe_id", "unit_id"),
)

PROJECT_UNITS = TableSpec(
    "ecephys.project_units",
    grain="one unit of the Neuropixels release, from the project's unit table",
    part="units",
    columns=(
        *_UNIT,
        Column(5, "epoch_name_quality_metrics", text, "epoch the quality metrics were computed over", None, True),
        Column(6, "epoch_name_waveform_metrics", text, "epoch the waveform metrics were computed over", None, True),
        Column(7, "extra", text, "further columns of the table, a JSON object", None, True),
    ),
    key=("unit_id",),
    sort=("unit_id",),
)

ANNOTATED_UNITS = TableSpec(
    "ecephys.annotated_units",
    grain="one unit of a merged unit table: unit, channel, probe and session in one row",
    part="units",
    columns=(
        *_UNIT,
        SESSION,
        Column(5, "probe_id", int64, "probe of the peak channel", None, True),
        Column(6, "probe_name", text, "probe name", None, True),
        Column(7, "probe_phase", text, "probe generation", None, True),
        Column(8, "session_type", text, "stimulus programme", None, True),
        Column(9, "specimen_id", int64, "animal", None, True),
        Column(10, "age_in_days", float64, "age when recorded", "d", True),
        Column(11, "sex", text, "M or F", None, True),
        Column(12, "full_genotype", text, "genotype", None, True),
        Column(13, "local_index", int64, "index of the peak channel on the probe", None, True),
        Column(14, "probe_vertical_position", float64, "of the peak channel", "um", True),
        Column(15, "probe_horizontal_position", float64, "of the peak channel", "um", True),
        Column(16, "ap_um", float64, "anterior-posterior CCF position of the peak channel", "um", True),
        Column(17, "dv_um", float64, "dorsal-ventral CCF position of the peak channel", "um", True),
        Column(18, "ml_um", float64, "left-right CCF position of the peak channel", "um", True),
        Column(19, "structure_id", int64, "CCF structure of the peak channel", None, True),
        Column(20, "structure_acronym", text, "its acronym", None, True),
        Column(21, "sampling_rate", float64, "of the probe's spike band", "Hz", True),
        Column(22, "lfp_sampling_rate", float64, "of the probe's stored LFP", "Hz", True),
        Column(23, "has_lfp_data", boolean, "an LFP file exists", None, True),
        Column(24, "extra", text, "further columns of the table, a JSON object", None, True),
    ),
    key=("unit_id",),
    sort=("unit_id",),
)

UNIT_LAYERS = TableSpec(
    "ecephys.unit_layers",
    grain="one unit's depth and layer in cortex",
    part="unit_layers",
    columns=(
        Column(1, "unit_id", int64, "unit"),
        Column(2, "cortical_depth", float64, "relative depth, 0 at the surface, 1 at the white matter", "1", True),
        Column(3, "cortical_layer", int64, "layer: 1, 2 (2/3), 4, 5, 6; 0 out of cortex", None, True),
        Column(4, "extra", text, "further columns of the table, a JSON object", None, True),
    ),
    key=("unit_id",),
    sort=("unit_id",),
)

UNIT_LATENCIES = TableSpec(
    "ecephys.unit_latencies",
    grain="one unit's published latency to flashes",
    part="unit_latencies",
    columns=(
        Column(1, "unit_id", int64, "unit"),
        Column(2, "time_to_first_spike_fl", float64, "median time to the first spike after a flash", "s", True),
        Column(3, "extra", text, "further columns of the table, a JSON object", None, True),
    ),
    key=("unit_id",),
    sort=("unit_id",),
)

_METRIC_SUFFIXES = ("dg", "dm", "fl", "ns", "rf", "sg")


def _metric(field_id: int, name: str, description: str, unit: str | None = "1") -> Column:
    return Column(field_id, name, float64, description, unit, True)


def _flag(field_id: int, name: str, description: str) -> Column:
    return Column(field_id, name, boolean, description, None, True)


PUBLISHED_UNIT_METRICS = TableSpec(
    "ecephys.published_unit_metrics",
    grain="one unit's published stimulus-tuning metrics",
    part="unit_metrics",
    columns=(
        Column(1, "unit_id", int64, "unit"),
        *(
            _metric(10 + 10 * i + j, f"{stem}_{suffix}", f"{meaning} ({suffix})", unit)
            for i, (stem, meaning, unit) in enumerate(
                (
                    ("firing_rate", "mean rate over the stimulus", "Hz"),
                    ("fano", "Fano factor at the preferred condition", "1"),
                    ("lifetime_sparseness", "lifetime sparseness over conditions", "1"),
                    ("run_mod", "running modulation at the preferred condition", "1"),
                    ("run_pval", "p of the running modulation", "1"),
                    ("time_to_peak", "time of the largest PSTH bin", "s"),
                )
            )
            for j, suffix in enumerate(_METRIC_SUFFIXES)
        ),
        _metric(70, "pref_ori_dg", "preferred orientation, drifting gratings", "deg"),
        _metric(71, "pref_tf_dg", "preferred temporal frequency, drifting gratings", "Hz"),
        _metric(72, "c50_dg", "contrast of half response", "1"),
        _metric(73, "f1_f0_dg", "response at the stimulus frequency over the mean", "1"),
        _metric(74, "mod_idx_dg", "modulation index", "1"),
        _metric(75, "g_osi_dg", "global orientation selectivity, drifting gratings", "1"),
        _metric(76, "g_dsi_dg", "global direction selectivity, drifting gratings", "1"),
        _flag(77, "pref_ori_multi_dg", "several orientations share the maximum"),
        _flag(78, "pref_tf_multi_dg", "several temporal frequencies share the maximum"),
        _metric(80, "pref_dir_dm", "preferred direction, dot motion", "deg"),
        _metric(81, "pref_speed_dm", "preferred speed, dot motion", None),
        _flag(82, "pref_dir_multi_dm", "several directions share the maximum"),
        _flag(83, "pref_speed_multi_dm", "several speeds share the maximum"),
        _metric(85, "on_off_ratio_fl", "response to bright over dark flashes", "1"),
        _metric(86, "sustained_idx_fl", "mean over maximum of the flash PSTH", "1"),
        _metric(90, "pref_image_ns", "preferred natural scene, as a stimulus condition id (OD-5)", None),
        _flag(91, "pref_image_multi_ns", "several scenes share the maximum"),
        _metric(92, "image_selectivity_ns", "image selectivity", "1"),
        _metric(95, "pref_sf_sg", "preferred spatial frequency, static gratings", "1/deg"),
        _metric(96, "pref_ori_sg", "preferred orientation, static gratings", "deg"),
        _metric(97, "pref_phase_sg", "preferred phase, static gratings", "1"),
        _metric(98, "g_osi_sg", "global orientation selectivity, static gratings", "1"),
        _flag(99, "pref_sf_multi_sg", "several spatial frequencies share the maximum"),
        _flag(100, "pref_ori_multi_sg", "several orientations share the maximum"),
        _flag(101, "pref_phase_multi_sg", "several phases share the maximum"),
        _metric(110, "azimuth_rf", "receptive field centre, azimuth", "deg"),
        _metric(111, "elevation_rf", "receptive field centre, elevation", "deg"),
        _metric(112, "area_rf", "receptive field area", "deg2"),
        _metric(113, "width_rf", "receptive field extent (OD-7: along elevation)", "deg"),
        _metric(114, "height_rf", "receptive field extent (OD-7: along azimuth)", "deg"),
        _metric(115, "p_value_rf", "p that responses do not depend on position", "1"),
        _flag(116, "on_screen_rf", "the fitted centre lies on the screen"),
        Column(120, "extra", text, "further columns of the table, a JSON object", None, True),
    ),
    key=("unit_id",),
    sort=("unit_id",),
)

ANNOTATED_UNIT_METRICS = TableSpec(
    "ecephys.annotated_unit_metrics",
    grain="one unit's published stimulus-tuning metrics, from a merged unit table",
    part="unit_metrics",
    columns=PUBLISHED_UNIT_METRICS.columns,
    key=("unit_id",),
    sort=("unit_id",),
)

SPIKE_TRAINS = TableSpec(
    "ecephys.spike_trains",
    grain="one unit's spikes within one time block of 600 s",
    part="spikes",
    columns=(
        SESSION,
        Column(2, "time_block", int32, "floor(spike_time / 600 s)"),
        Column(3, "unit_id", int64, "unit"),
        Column(4, "n_spikes", int32, "spikes in the block"),
        Column(5, "clock_rate", float64, "ticks a second; NULL where times are stored", "Hz", True),
        Column(6, "clock_shift", float64, "spike_time = tick / clock_rate - clock_shift", "s", True),
        Column(7, "spike_ticks", list_(int64), "times as clock ticks, ascending, where exact", "tick", True, "delta"),
        Column(8, "spike_times", list_(float64), "times, ascending, where no clock reproduces them", "s", True),
        Column(9, "spike_amplitudes", list_(float32), "peak-to-trough amplitudes, in the order of times", "V", True),
    ),
    key=("session_id", "time_block", "unit_id"),
    partition="session_id",
    sort=("time_block", "unit_id"),
)

WAVEFORMS = TableSpec(
    "ecephys.nwb_waveforms",
    grain="one unit's mean waveform on one channel",
    part="peak_waveforms",
    columns=(
        SESSION,
        Column(2, "unit_id", int64, "unit"),
        Column(3, "channel_id", int64, "channel; NULL where the file does not tell", None, True),
        Column(4, "waveform_index", int32, "row within the unit's block: the channel's local index"),
        Column(5, "is_peak", boolean, "the unit's peak channel"),
        Column(6, "sampling_rate", float64, "of the waveform's samples", "Hz", True),
        Column(7, "waveform", list_(float32), "mean waveform", "uV"),
    ),
    key=("session_id", "unit_id", "waveform_index"),
    partition="session_id",
    sort=("unit_id", "waveform_index"),
)

NWB_PRESENTATIONS = TableSpec(
    "ecephys.nwb_presentations",
    grain="one stimulus presentation (or trial) of a session, names and parameters standardised (EC-3, steps 1-3)",
    part="stimuli",
    columns=(
        SESSION,
        Column(2, "stimulus_presentation_id", int64, "0-based in order of start time, or as the file gives it"),
        Column(3, "start_time", float64, "onset on the master clock", "s"),
        Column(4, "stop_time", float64, "end on the master clock", "s", True),
        Column(5, "stimulus_name", text, "stimulus, or the interval table's name"),
        Column(6, "stimulus_block", float64, "run of one stimulus, in order", None, True),
        Column(7, "stimulus_index", float64, "position of the stimulus in the programme", None, True),
        Column(8, "orientation", float64, "orientation or direction of motion", "deg", True),
        Column(9, "spatial_frequency", float64, "spatial frequency", "1/deg", True),
        Column(10, "temporal_frequency", float64, "temporal frequency", "Hz", True),
        Column(11, "contrast", float64, "contrast", "1", True),
        Column(12, "x_position", float64, "azimuth of the stimulus centre", "deg", True),
        Column(13, "y_position", float64, "elevation of the stimulus centre", "deg", True),
        Column(14, "color", float64, "luminance, -1 black to 1 white", "1", True),
        Column(15, "frame", float64, "image or movie frame; -1 is a blank", None, True),
        Column(16, "phase", text, "phase, or a pair as text", None, True),
        Column(17, "size", text, "size in degrees, a pair as text", None, True),
        Column(18, "dir", float64, "direction of dot motion", "deg", True),
        Column(19, "speed", float64, "speed of dot motion", None, True),
        Column(20, "color_triplet", text, "colour given as a list", None, True),
        Column(
            21,
            "parameters",
            text,
            "all other parameters as a JSON object, keys sorted, as the file spells them",
            None,
            True,
        ),
        Column(22, "source_table", text, "the interval table it came from"),
    ),
    key=("session_id", "stimulus_presentation_id"),
    partition="session_id",
    sort=("start_time", "stimulus_presentation_id"),
)

INVALID_TIMES = TableSpec(
    "ecephys.invalid_times",
    grain="one interval whose data are not to be trusted",
    part="session",
    columns=(
        SESSION,
        Column(2, "invalid_time_id", int64, "row of the file's table"),
        Column(3, "start_time", float64, "start", "s"),
        Column(4, "stop_time", float64, "end", "s"),
        Column(5, "tags", list_(text), "scope, id and label, as stored"),
        Column(6, "scope", text, "EcephysSession or EcephysProbe", None, True),
        Column(7, "scope_id", int64, "session or probe", None, True),
        Column(8, "label", text, "all_probes, stimulus, optotagging, or a probe's name", None, True),
    ),
    key=("session_id", "invalid_time_id"),
    sort=("session_id", "start_time"),
)

OPTOGENETIC = TableSpec(
    "ecephys.optogenetic_stimulation",
    grain="one optogenetic stimulation trial",
    part="stimuli",
    columns=(
        SESSION,
        Column(2, "trial_id", int64, "row of the file's table, in order of start"),
        Column(3, "start_time", float64, "light on", "s"),
        Column(4, "stop_time", float64, "light off", "s"),
        Column(5, "duration", float64, "nominal duration", "s", True),
        Column(6, "condition", text, "wave form in words", None, True),
        Column(7, "level", float64, "command voltage of the light source", "V", True),
        Column(8, "stimulus_name", text, "pulse, fast_pulses, raised_cosine", None, True),
    ),
    key=("session_id", "trial_id"),
    sort=("session_id", "start_time"),
)

LFP = TableSpec(
    "ecephys.lfp_chunks",
    grain="one channel's LFP over one chunk of samples",
    part="lfp",
    columns=(
        SESSION,
        Column(2, "probe_id", int64, "probe; of an other laboratory, the series"),
        Column(3, "channel_id", int64, "channel"),
        Column(4, "chunk", int32, "chunk of 65,536 samples, from 0"),
        Column(5, "first_sample", int64, "index of the chunk's first sample"),
        Column(6, "n_samples", int32, "samples in the chunk"),
        Column(7, "start_time", float64, "time of the chunk's first sample", "s"),
        Column(8, "stop_time", float64, "time of the chunk's last sample", "s"),
        Column(9, "scale", float64, "volts a count; NULL where samples are stored as they are", "V", True),
        Column(10, "counts", list_(int32), "samples in counts, where every value comes back", None, True, "delta"),
        Column(11, "samples", list_(float32), "samples, where counts would not be exact", "V", True),
    ),
    key=("session_id", "probe_id", "channel_id", "chunk"),
    partition="session_id",
    sort=("probe_id", "channel_id", "chunk"),
    row_group_elements=1_048_576,
)

LFP_TIMES = TableSpec(
    "ecephys.lfp_times",
    grain="time stamps of one chunk of a probe's LFP",
    part="lfp",
    columns=(
        SESSION,
        Column(2, "probe_id", int64, "probe; of an other laboratory, the series"),
        Column(3, "chunk", int32, "chunk of 65,536 samples, from 0"),
        Column(4, "first_sample", int64, "index of the chunk's first sample"),
        Column(5, "timestamps", list_(float64), "time of each sample", "s"),
    ),
    key=("session_id", "probe_id", "chunk"),
    partition="session_id",
    sort=("probe_id", "chunk"),
    row_group_elements=1_048_576,
)

CSD = TableSpec(
    "ecephys.csd_channels",
    grain="one virtual channel's flash-triggered current source density",
    part="csd",
    columns=(
        SESSION,
        Column(2, "probe_id", int64, "probe"),
        Column(3, "virtual_channel_index", int32, "index along the probe"),
        Column(4, "horizontal_position", float64, "position across the probe", "um", True),
        Column(5, "vertical_position", float64, "position along the probe", "um", True),
        Column(6, "timestamps", list_(float64), "time from the flash", "s"),
        Column(7, "csd", list_(float64), "current source density, positive second derivative (OD-22)"),
        Column(8, "csd_unit", text, "unit the file names (OD-22)", None, True),
    ),
    key=("session_id", "probe_id", "virtual_channel_index"),
    partition="session_id",
    sort=("probe_id", "virtual_channel_index"),
)

SPECS = (
    NWB_SESSIONS, PROJECT_SESSIONS, SESSION_RUNS, NWB_PROBES, PROJECT_PROBES, NWB_CHANNELS, NWB_LFP_CHANNELS,
    PROJECT_CHANNELS, CORRECTED_STRUCTURES, NWB_UNITS, PROJECT_UNITS, ANNOTATED_UNITS, UNIT_LAYERS, UNIT_LATENCIES, PUBLISHED_UNIT_METRICS,
    ANNOTATED_UNIT_METRICS, SPIKE_TRAINS, WAVEFORMS,
    NWB_PRESENTATIONS, INVALID_TIMES, OPTOGENETIC, LFP, LFP_TIMES, CSD,
)  # fmt: skip
