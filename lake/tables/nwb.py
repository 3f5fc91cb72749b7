"""Any NWB file: what it is, the tree of its objects, its tables, its time series."""

from __future__ import annotations

from ..spec import Column, TableSpec, float64, int32, int64, list_, text, timestamp

FILE = Column(1, "file_id", int64, "NWB file; made from its identifier")

FILES = TableSpec(
    "nwb.files",
    grain="one NWB file",
    part="objects",
    columns=(
        FILE,
        Column(2, "file_name", text, "name it was ingested under"),
        Column(3, "identifier", text, "identifier in the file", None, True),
        Column(4, "nwb_version", text, "NWB version the file declares", None, True),
        Column(5, "session_description", text, "description of the session", None, True),
        Column(6, "session_start_time_utc", timestamp, "wall clock at the reference time", "UTC", True),
        Column(7, "session_id", text, "the laboratory's id of the session", None, True),
        Column(8, "subject_id", text, "the laboratory's id of the subject", None, True),
        Column(9, "species", text, "species", None, True),
        Column(10, "institution", text, "institution", None, True),
        Column(11, "lab", text, "laboratory", None, True),
        Column(12, "experiment_description", text, "description of the experiment", None, True),
        Column(13, "namespaces", text, "cached specifications as a JSON object: namespace -> version", None, True),
    ),
    key=("file_id",),
)

OBJECTS = TableSpec(
    "nwb.objects",
    grain="one group or dataset of an NWB file",
    part="objects",
    columns=(
        FILE,
        Column(2, "path", text, "path in the file"),
        Column(3, "kind", text, "group, dataset, soft_link, external_link or hard_link"),
        Column(4, "neurodata_type", text, "NWB type", None, True),
        Column(5, "namespace", text, "namespace of the type", None, True),
        Column(6, "shape", list_(int64), "shape of a dataset; empty for a scalar", None, True),
        Column(7, "dtype", text, "type of a dataset", None, True),
        Column(8, "size_bytes", int64, "bytes stored in the file", "byte", True),
        Column(9, "attributes", text, "attributes as a JSON object", None, True),
        Column(10, "value", text, "value of a scalar or short text dataset", None, True),
        Column(11, "target", text, "where a link leads", None, True),
        Column(
            12, "base_types", list_(text), "the type and those it extends, from the cached specifications", None, True
        ),
    ),
    key=("file_id", "path"),
    partition="file_id",
    sort=("path",),
)

TABLES = TableSpec(
    "nwb.tables",
    grain="one DynamicTable of an NWB file",
    part="tables",
    columns=(
        FILE,
        Column(2, "path", text, "path in the file"),
        Column(3, "neurodata_type", text, "NWB type", None, True),
        Column(4, "description", text, "description in the file", None, True),
        Column(5, "n_rows", int64, "rows"),
        Column(6, "columns", text, "JSON list of column name, type and description, in order"),
        Column(7, "left_out", text, "JSON object of columns not kept here: name -> where they are", None, True),
    ),
    key=("file_id", "path"),
)

SERIES = TableSpec(
    "nwb.stored_series",
    grain="one TimeSeries of an NWB file",
    part="objects",
    columns=(
        FILE,
        Column(2, "path", text, "path in the file"),
        Column(3, "neurodata_type", text, "NWB type", None, True),
        Column(4, "description", text, "description in the file", None, True),
        Column(5, "unit", text, "unit of the converted values", None, True),
        Column(6, "conversion", float64, "factor to the unit", "1", True),
        Column(7, "value_offset", float64, "added after the factor", "1", True),
        Column(8, "rate", float64, "sampling rate, where samples are regular", "Hz", True),
        Column(9, "starting_time", float64, "time of the first sample, where samples are regular", "s", True),
        Column(10, "shape", list_(int64), "shape of the data", None, True),
        Column(11, "dtype", text, "type of the data", None, True),
        Column(12, "part", text, "the part its samples belong to: series, lfp, images; NULL: no samples", None, True),
        Column(13, "timestamps_path", text, "where its time stamps are stored (links followed)", None, True),
        Column(14, "size_bytes", int64, "bytes of samples stored in the file", "byte", True),
        Column(15, "stored_in", text, "relation that holds its samples once its part is taken", None, True),
    ),
    key=("file_id", "path"),
)

SERIES_CHUNKS = TableSpec(
    "nwb.series_chunks",
    grain="one chunk of samples of one column of a TimeSeries",
    part="series",
    columns=(
        FILE,
        Column(2, "path", text, "the series"),
        Column(3, "column_index", int32, "column of the data, flattened behind the time axis"),
        Column(4, "chunk", int32, "chunk of 65,536 samples, from 0"),
        Column(5, "first_sample", int64, "index of the chunk's first sample"),
        Column(6, "start_time", float64, "time of the chunk's first sample", "s", True),
        Column(7, "stop_time", float64, "time of the chunk's last sample", "s", True),
        Column(8, "timestamps", list_(float64), "time of each sample, where irregular (column 0 only)", "s", True),
        Column(
            9, "integers", list_(int64), "samples of an integer or boolean series, unconverted", None, True, "delta"
        ),
        Column(10, "reals", list_(float64), "samples of a real series, unconverted", None, True),
        Column(11, "texts", list_(text), "samples of a text series", None, True),
    ),
    key=("file_id", "path", "column_index", "chunk"),
    partition="file_id",
    sort=("path", "column_index", "chunk"),
    row_group_elements=1_048_576,
)

SPECS = (FILES, OBJECTS, TABLES, SERIES, SERIES_CHUNKS)
