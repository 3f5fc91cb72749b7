"""Sweeps of an answer as an NWB 1 file in the layout of the Cell Types Database, which its tools open (spec NW-7)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from .errors import QueryError

if TYPE_CHECKING:
    import h5py
    import pyarrow as pa

_NEEDED = ("sweep_number", "sampling_rate", "stimulus", "response")
_UNITS = {"voltage_clamp": ("V", "A")}  # of stimulus and response; elsewhere A and V
_CLASSES = {"voltage_clamp": "VoltageClamp", "izero": "IZeroClamp"}
# column -> what the file calls it, beside the samples
_OF_STIMULUS = {
    "stimulus_name": "aibs_stimulus_name",
    "stimulus_description": "aibs_stimulus_description",
    "stimulus_amplitude_pa": "aibs_stimulus_amplitude_pa",
    "stimulus_interval": "aibs_stimulus_interval",
    "stimulus_gain": "gain",
    "seal_gohm": "seal",
    "initial_access_resistance_mohm": "initial_access_resistance",
}
_OF_RESPONSE = {
    "response_gain": "gain",
    "bias_current": "bias_current",
    "bridge_balance": "bridge_balance",
    "capacitance_compensation": "capacitance_compensation",
}
_VERSION = "1.1"  # of the pipeline whose layout this is: conversion factors apply, and are 1


def write_nwb1(batches: pa.RecordBatchReader, stream: IO[bytes], _rows: int) -> None:
    """One sweep a row, of one cell, samples in SI: columns of ``icephys.sweeps_to_export`` or some of them.

    Raises QueryError where rows are no sweeps of one cell.
    """
    import h5py

    missing = [name for name in _NEEDED if name not in batches.schema.names]
    if missing:
        raise QueryError(f"an NWB file holds sweeps, and the answer has no {missing[0]}: see icephys.sweeps_to_export")
    if not stream.seekable():
        raise QueryError("an NWB file is not written in one go: name it with -o")
    cells: set[Any] = set()
    with h5py.File(stream, "w") as file:
        for batch in batches:
            for i in range(batch.num_rows):
                row = {name: _value(batch.column(name)[i]) for name in batch.schema.names}
                cells.add(row.get("specimen_id"))
                if len(cells) > 1:
                    raise QueryError("an NWB file of this layout holds one cell: ask for the sweeps of one specimen_id")
                _write_sweep(file, row)
        _write_head(file, cells.pop() if cells else None)


def _value(scalar: Any) -> Any:
    import pyarrow as pa

    if pa.types.is_list(scalar.type):
        return scalar.values.to_numpy(zero_copy_only=False) if scalar.is_valid else None
    return scalar.as_py()


def _write_sweep(file: h5py.File, row: Mapping[str, Any]) -> None:
    number, rate = row["sweep_number"], row["sampling_rate"]
    name = f"Sweep_{number}"
    if number is None or not rate or row["response"] is None:
        raise QueryError(f"sweep {number} lacks samples or a sampling rate: leave it out")
    if name in file.require_group("epochs"):
        raise QueryError(f"sweep {number} is there twice")
    traces = [np.empty(0, np.float32) if row[n] is None else row[n] for n in ("stimulus", "response")]
    # NW-7: what is shorter than the recording is filled up with zeros
    n = max(*map(len, traces), row.get("n_samples") or 0)
    mode = row.get("clamp_mode") or "current_clamp"
    kind, units = _CLASSES.get(mode, "CurrentClamp"), _UNITS.get(mode, ("A", "V"))
    for i, (folder, suffix, beside) in enumerate(
        (
            ("stimulus/presentation", "StimulusSeries", _OF_STIMULUS),
            ("acquisition/timeseries", "Series", _OF_RESPONSE),
        )
    ):
        series = file.create_group(f"{folder}/{name}")
        series.attrs["neurodata_type"] = "TimeSeries"
        series.attrs["ancestry"] = np.array(["TimeSeries", "PatchClampSeries", f"{kind}{suffix}"], _text())
        padded = np.zeros(n, np.float32)
        padded[: len(traces[i])] = traces[i]
        data = series.create_dataset("data", data=padded, compression=4, chunks=True if n else None)
        # bytes: the reference takes no other text for a unit
        data.attrs.update({"conversion": 1.0, "resolution": np.nan, "unit": np.bytes_(units[i])})
        series["starting_time"] = row.get("start_time") or 0.0
        series["starting_time"].attrs.update({"rate": float(rate), "unit": "Seconds"})
        series["num_samples"] = n
        series["electrode_name"] = row.get("electrode_name") or "Electrode 1"
        for column, called in beside.items():
            if row.get(column) is not None:
                series[called] = row[column]
    _write_epochs(file, row, n)
    if row.get("spike_times") is not None:
        file[f"analysis/spike_times/{name}"] = row["spike_times"]


def _write_epochs(file: h5py.File, row: Mapping[str, Any], n: int) -> None:
    """The whole sweep, and where they are told the experiment and the test pulse, both ends included."""
    import h5py

    ranges = {
        "Sweep": (0, n - 1),
        "Experiment": (row.get("experiment_start_index"), row.get("experiment_stop_index")),
        "TestPulse": (row.get("test_pulse_start_index"), row.get("test_pulse_stop_index")),
    }
    for kind, (first, last) in ranges.items():
        if first is None or last is None:
            continue
        epoch = file.create_group(f"epochs/{kind}_{row['sweep_number']}")
        epoch["start_time"], epoch["stop_time"] = first / row["sampling_rate"], (last + 1) / row["sampling_rate"]
        epoch["description"] = kind
        for role, folder in (("stimulus", "stimulus/presentation"), ("response", "acquisition/timeseries")):
            part = epoch.create_group(role)
            part["idx_start"], part["count"] = first, last + 1 - first
            part["timeseries"] = h5py.SoftLink(f"/{folder}/Sweep_{row['sweep_number']}")


def _write_head(file: h5py.File, specimen_id: int | None) -> None:
    texts = {
        "nwb_version": "NWB-1.0.5",
        "identifier": f"brainlake export of cell {specimen_id}",
        "session_description": "sweeps exported from a lake",
        "general/intracellular_ephys/Electrode 1/description": "as in the lake",
    }
    if specimen_id is not None:
        texts["general/aibs_specimen_id"] = str(specimen_id)
    for name, value in texts.items():
        file[name] = value
    made = np.array(["pipeline", "brainlake", "version", _VERSION], _text())
    file.create_dataset("general/generated_by", data=made)


def _text() -> Any:
    import h5py

    return h5py.string_dtype("utf-8")
