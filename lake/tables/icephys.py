"""Patch-clamp recordings: files, electrodes, sweeps and their samples, spike times, notebooks.

What a recording's file tells of a sweep is ``icephys.nwb_sweeps``, what the warehouse tells ``icephys.api_sweeps``
(:mod:`.cells`); ``icephys.sweeps`` chooses. Samples are packed, a row a sweep (docs/sweep-layout.md): read
``icephys.sweep_traces`` (whole sweeps) or ``icephys.sweep_samples`` (single samples).
"""

from __future__ import annotations

import pyarrow as pa

from ..spec import Column, TableSpec, boolean, float32, float64, int32, int64, list_, text, timestamp

blob = pa.binary()

SPECIMEN = Column(1, "specimen_id", int64, "cell; Allen id, or made from the recording's identifier")
SWEEP = Column(2, "sweep_number", int64, "number of the sweep in its recording")
FILE = "file the recording is in, as in icephys.files"

FILES = TableSpec(
    "icephys.files",
    grain="one file of patch-clamp recordings",
    part="sweeps",
    columns=(
        Column(1, "file_id", int64, "made from the recording's identifier; the same as in nwb.files"),
        Column(2, "specimen_id", int64, "the cell; NULL where the file holds several", None, True),
        Column(3, "identifier", text, "the file's identifier", None, True),
        Column(4, "nwb_version", text, "NWB version the file declares", None, True),
        Column(5, "layout", text, "allen_v1, mies_v1, nwb1 or nwb2"),
        Column(6, "pipeline_version_major", int32, "of the Allen pipeline that wrote it; 0 where it does not say"),
        Column(7, "pipeline_version_minor", int32, "of the Allen pipeline that wrote it; 0 where it does not say"),
        Column(8, "conversion_applied", boolean, "samples were multiplied by the file's conversion factors"),
        Column(9, "session_start_time_utc", timestamp, "wall clock at time 0", "UTC", True),
        Column(10, "session_description", text, "description in the file", None, True),
        Column(11, "source_session_id", text, "the laboratory's id of the session", None, True),
        Column(12, "specimen_name", text, "name of the cell", None, True),
        Column(13, "institution", text, "where it was recorded", None, True),
        Column(14, "lab", text, "laboratory", None, True),
        Column(15, "protocol", text, "protocol", None, True),
        Column(16, "pharmacology", text, "drugs in the bath", None, True),
        Column(17, "data_collection", text, "how it was recorded", None, True),
        Column(18, "citation_policy", text, "how to cite it", None, True),
        Column(19, "cre_line", text, "transgenic driver line", None, True),
        Column(20, "dendrite_type", text, "spiny, aspiny or sparsely spiny", None, True),
        Column(21, "dendrite_truncation", text, "apical dendrite: intact or truncated", None, True),
        Column(22, "subject_id", text, "the laboratory's id of the animal or person", None, True),
        Column(23, "species", text, "species", None, True),
        Column(24, "sex", text, "M or F", None, True),
        Column(25, "age", text, "age of the subject, as told", None, True),
        Column(26, "full_genotype", text, "genotype", None, True),
        Column(27, "n_sweeps", int64, "sweeps read from it"),
        Column(28, "n_cells", int64, "cells (electrodes) with sweeps in it"),
    ),
    key=("file_id",),
    sort=("specimen_id",),
)

ELECTRODES = TableSpec(
    "icephys.electrodes",
    grain="one electrode on one cell",
    part="sweeps",
    columns=(
        SPECIMEN,
        Column(2, "electrode_name", text, "the electrode's name in its file"),
        Column(3, "file_id", int64, FILE),
        Column(4, "cell_id", text, "the laboratory's id of the cell", None, True),
        Column(5, "device", text, "amplifier or digitiser", None, True),
        Column(6, "description", text, "description", None, True),
        Column(7, "filtering", text, "filtering, as told", None, True),
        Column(8, "filter_khz", float64, "corner of the low-pass filter, read from filtering", "kHz", True),
        Column(9, "location", text, "where the cell lies, as told", None, True),
        Column(10, "slice", text, "about the slice", None, True),
        Column(11, "initial_access_resistance_mohm", float64, "right after break-in", "MOhm", True),
        Column(12, "seal_gohm", float64, "seal resistance before break-in", "GOhm", True),
        Column(13, "resistance_text", text, "resistance of the pipette, as told", None, True),
        Column(14, "soma_x", float64, "soma, as the file places it", None, True),
        Column(15, "soma_y", float64, "soma, as the file places it", None, True),
        Column(16, "soma_z", float64, "soma, as the file places it", None, True),
        Column(17, "normalized_depth", float64, "depth in cortex, 0 at the pia, 1 at the white matter", "1", True),
        Column(18, "structure_acronym", text, "structure the soma lies in", None, True),
        Column(900, "extra", text, "further attributes of the electrode, a JSON object", None, True),
    ),
    key=("specimen_id", "electrode_name"),
    sort=("specimen_id", "electrode_name"),
)

NWB_SWEEPS = TableSpec(
    "icephys.nwb_sweeps",
    grain="one sweep of one cell, as the recording's file tells",
    part="sweeps",
    columns=(
        SPECIMEN,
        SWEEP,
        Column(3, "file_id", int64, FILE),
        Column(4, "electrode_name", text, "the electrode's name in its file", None, True),
        Column(5, "clamp_mode", text, "current_clamp, voltage_clamp or izero", None, True),
        Column(6, "stimulus_name", text, "kind of stimulus: Long Square, Ramp, Noise 1 ...", None, True),
        Column(7, "stimulus_description", text, "acquisition code and repeat, as C1LSFINEST150112[0]", None, True),
        Column(8, "stimulus_code", text, "acquisition code without repeat and channel", None, True),
        Column(9, "stimulus_repeat", int32, "repeat of the code, from 0", None, True),
        Column(10, "stimulus_unit", text, "unit of the stored stimulus: A or V; NULL if nothing tells", None, True),
        Column(11, "response_unit", text, "unit of the stored response: V or A; NULL if nothing tells", None, True),
        Column(12, "source_stimulus_unit", text, "unit of the stimulus as the file spells it", None, True),
        Column(13, "source_response_unit", text, "unit of the response as the file spells it", None, True),
        Column(14, "sampling_rate", float64, "sampling rate", "Hz", True),
        Column(15, "n_samples", int64, "samples of the response"),
        Column(16, "n_stimulus_samples", int64, "samples of the stimulus; 0 where there is none"),
        Column(17, "start_time", float64, "first sample, on the recording's clock", "s", True),
        Column(18, "sweep_start_index", int64, "first sample of the sweep", None, True),
        Column(19, "sweep_stop_index", int64, "last sample of the sweep, included", None, True),
        Column(20, "experiment_start_index", int64, "first sample behind the test pulse; NULL without", None, True),
        Column(21, "experiment_stop_index", int64, "last valid sample, included; NULL without", None, True),
        Column(22, "test_pulse_start_index", int64, "first sample of the test pulse", None, True),
        Column(23, "test_pulse_stop_index", int64, "last sample of the test pulse, included", None, True),
        Column(24, "stimulus_conversion", float64, "conversion factor in the file", "1", True),
        Column(25, "response_conversion", float64, "conversion factor in the file", "1", True),
        Column(26, "stimulus_gain", float64, "gain in the file", None, True),
        Column(27, "response_gain", float64, "gain in the file", None, True),
        Column(28, "bias_current", float64, "current clamp: holding current", "A", True),
        Column(29, "bridge_balance", float64, "current clamp: bridge balance", "Ohm", True),
        Column(30, "capacitance_compensation", float64, "current clamp: compensated capacitance", "F", True),
        Column(31, "capacitance_fast", float64, "voltage clamp: fast capacitance", "F", True),
        Column(32, "capacitance_slow", float64, "voltage clamp: slow capacitance", "F", True),
        Column(33, "resistance_comp_bandwidth", float64, "voltage clamp: bandwidth of compensation", "Hz", True),
        Column(34, "resistance_comp_correction", float64, "voltage clamp: correction", "%", True),
        Column(35, "resistance_comp_prediction", float64, "voltage clamp: prediction", "%", True),
        Column(36, "whole_cell_capacitance_comp", float64, "voltage clamp: compensated capacitance", "F", True),
        Column(37, "whole_cell_series_resistance_comp", float64, "voltage clamp: series resistance", "Ohm", True),
        Column(38, "stimulus_amplitude_pa", float64, "amplitude of the stimulus, as told", "pA", True),
        Column(39, "stimulus_interval", float64, "between onsets of pulses, as told", "s", True),
        Column(40, "seal_gohm", float64, "seal resistance, as told with the stimulus", "GOhm", True),
        Column(41, "initial_access_resistance_mohm", float64, "as told with the stimulus", "MOhm", True),
        Column(42, "stimulus_series_path", text, "the stimulus in its file", None, True),
        Column(43, "response_series_path", text, "the response in its file", None, True),
        Column(44, "source_rank", int64, "position of the sweep in the file's own order, from 0"),
        Column(45, "device", text, "digitiser it was recorded with, as in icephys.lab_notebook", None, True),
        Column(46, "device_sweep_number", int64, "number the device gave it, as in icephys.lab_notebook", None, True),
        Column(47, "headstage", int32, "headstage it was recorded with, as in icephys.lab_notebook", None, True),
        Column(900, "extra", text, "further attributes of the series, a JSON object", None, True),
    ),
    key=("specimen_id", "sweep_number"),
    sort=("specimen_id", "sweep_number"),
)

STORED_TRACES = TableSpec(
    "icephys.stored_traces",
    grain="one sweep with all its samples, as stored",
    part="samples",
    columns=(
        SPECIMEN,
        SWEEP,
        Column(3, "stimulus_bytes", blob, "stimulus, packed: uint16 steps where levels tell their values, else float32", None, True, "plain"),
        Column(4, "stimulus_levels", list_(float64), "V or A of each step; NULL where samples are packed as they are", None, True),
        Column(5, "response_bytes", blob, "response, packed: uint16 steps where levels tell their values, else float32", None, True, "plain"),
        Column(6, "response_levels", list_(float64), "V or A of each step; NULL where samples are packed as they are", None, True),
        Column(7, "stimulus_exact", list_(float64), "stimulus where neither levels nor single precision hold it", None, True),
        Column(8, "response_exact", list_(float64), "response where neither levels nor single precision hold it", None, True),
    ),
    key=("specimen_id", "sweep_number"),
    partition="specimen_id",
    sort=("specimen_id", "sweep_number"),
    row_group_rows=1,  # a sweep, so that fetching one reads no other
)  # fmt: skip

SWEEP_ENVELOPES = TableSpec(
    "icephys.sweep_envelopes",
    grain="one sweep at one zoom level: the extremes of bins of samples",
    part="samples",
    columns=(
        SPECIMEN,
        SWEEP,
        Column(3, "bin_samples", int32, "samples a bin: 256, 4,096 or 65,536; the last bin may have fewer"),
        Column(4, "stimulus_min", list_(float32), "smallest stimulus of each bin", None, True),
        Column(5, "stimulus_max", list_(float32), "greatest stimulus of each bin", None, True),
        Column(6, "response_min", list_(float32), "smallest response of each bin", None, True),
        Column(7, "response_max", list_(float32), "greatest response of each bin", None, True),
        Column(8, "response_mean", list_(float32), "mean response of each bin", None, True),
    ),
    key=("specimen_id", "sweep_number", "bin_samples"),
    partition="specimen_id",
    sort=("specimen_id", "sweep_number", "bin_samples"),
)

STORED_SPIKE_TIMES = TableSpec(
    "icephys.stored_spike_times",
    grain="spike times of one sweep, as the file's analysis holds them",
    part="spike_times",
    columns=(
        SPECIMEN,
        SWEEP,
        Column(3, "spike_key", text, "where they are in the file: spike_times, or aibs_spike_times of older ones"),
        Column(4, "spike_times", list_(float64), "from the start of the sweep (s)"),
    ),
    key=("specimen_id", "sweep_number", "spike_key"),
    sort=("specimen_id", "sweep_number", "spike_key"),
)

INTRACELLULAR_RECORDINGS = TableSpec(
    "icephys.intracellular_recordings",
    grain="one row of a file's table of intracellular recordings",
    part="sweeps",
    columns=(
        SPECIMEN,
        Column(2, "sweep_number", int64, "sweep made of it; NULL where none was", None, True),
        Column(3, "file_id", int64, FILE),
        Column(4, "recording_id", int64, "row, as the file numbers it"),
        Column(5, "electrode_name", text, "the electrode's name in its file", None, True),
        Column(6, "stimulus_series_path", text, "series of the stimulus; NULL without", None, True),
        Column(7, "stimulus_start_index", int64, "first sample of it", None, True),
        Column(8, "stimulus_count", int64, "samples of it", None, True),
        Column(9, "template_series_path", text, "series of the stimulus template; NULL without", None, True),
        Column(10, "template_start_index", int64, "first sample of it", None, True),
        Column(11, "template_count", int64, "samples of it", None, True),
        Column(12, "response_series_path", text, "series of the response; NULL without", None, True),
        Column(13, "response_start_index", int64, "first sample of it", None, True),
        Column(14, "response_count", int64, "samples of it", None, True),
        Column(15, "stimulus_type", text, "of its sequential recording", None, True),
        Column(16, "simultaneous_recording_id", int64, "group of rows recorded at once", None, True),
        Column(17, "sequential_recording_id", int64, "group of those, one after the other", None, True),
        Column(18, "repetition_id", int64, "group of those", None, True),
        Column(19, "experimental_condition_id", int64, "group of those", None, True),
        Column(900, "extra", text, "further columns of the table, a JSON object", None, True),
    ),
    key=("file_id", "recording_id"),
    sort=("specimen_id", "sweep_number", "recording_id"),
)

LAB_NOTEBOOK = TableSpec(
    "icephys.lab_notebook",
    grain="one value of a laboratory notebook: an entry, a key, a headstage",
    part="lab_notebook",
    columns=(
        Column(1, "file_id", int64, FILE),
        Column(2, "device", text, "device the notebook is of", None, False, "dictionary"),
        Column(3, "entry_source", text, "numerical or textual", None, False, "dictionary"),
        Column(4, "entry_index", int32, "row of the notebook, from 0", None, False, "delta"),
        Column(5, "sweep_number", int64, "sweep the entry is about", None, True),
        Column(6, "headstage", int32, "headstage, from 0; 8 holds what is of all"),
        Column(7, "entry_key", text, "what was noted", None, False, "dictionary"),
        Column(8, "value", float64, "the value of a numerical entry", None, True, "dictionary"),
        Column(9, "value_text", text, "the value of a textual entry", None, True, "dictionary"),
        Column(10, "value_unit", text, "unit of the key, as told", None, True, "dictionary"),
    ),
    partition="file_id",
    sort=("file_id", "device", "entry_source", "entry_index"),
)

SPECS: tuple[TableSpec, ...] = (
    FILES, ELECTRODES, NWB_SWEEPS, STORED_TRACES, SWEEP_ENVELOPES, STORED_SPIKE_TIMES, INTRACELLULAR_RECORDINGS,
    LAB_NOTEBOOK,
)  # fmt: skip
