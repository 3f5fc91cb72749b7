"""Rows of the patch-clamp tables about an NWB 1 file: the file, its electrodes, sweeps, stored spike times."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..lake.tables.icephys import ELECTRODES, FILES, NWB_SWEEPS, STORED_SPIKE_TIMES
from .contract import Report, Rows
from .ecephys_recording import utc
from .hdf5_values import printable
from .icephys_texts import filter_khz, resistance
from .notes import Notes
from .nwb1_icephys_series import ELECTRODES as ELECTRODE_GROUPS
from .nwb1_icephys_series import Nwb1Series
from .nwb1_icephys_sweeps import Range, Recording, Sweep
from .nwb_columns import extra_json, reals
from .salvage import salvaging

ANALYSIS = "/analysis"
_SWEEP = re.compile(r"Sweep_(\d{1,9})")
_FILE_TEXTS = {  # column -> where it is told
    "session_description": "/session_description",
    "source_session_id": "/general/session_id",
    "specimen_name": "/general/aibs_specimen_name",
    "institution": "/general/institution",
    "lab": "/general/lab",
    "protocol": "/general/protocol",
    "pharmacology": "/general/pharmacology",
    "data_collection": "/general/data_collection",
    "citation_policy": "/general/citation_policy",
    "cre_line": "/general/aibs_cre_line",
    "dendrite_type": "/general/aibs_dendrite_type",
    "dendrite_truncation": "/general/aibs_dendrite_trunc",
    "subject_id": "/general/subject/subject_id",
    "species": "/general/subject/species",
    "sex": "/general/subject/sex",
    "age": "/general/subject/age",
    "full_genotype": "/general/subject/genotype",
}
# what amplifiers tell beside a response; Allen files keep some of it beside the stimulus
_SERIES_NUMBERS = (
    "bias_current",
    "bridge_balance",
    "capacitance_compensation",
    "capacitance_fast",
    "capacitance_slow",
    "resistance_comp_bandwidth",
    "resistance_comp_correction",
    "resistance_comp_prediction",
    "whole_cell_capacitance_comp",
    "whole_cell_series_resistance_comp",
)
_LOCATION = {  # attribute of an electrode's location -> column
    "x": "soma_x",
    "y": "soma_y",
    "z": "soma_z",
    "normalized_depth": "normalized_depth",
    "structure": "structure_acronym",
    "structure_acronym": "structure_acronym",
}
_ABOUT = ("comment", "comments", "description", "source")
_LONG = 500  # characters: beyond it a comment is a notebook, which is read as such


def file_rows(recording: Recording, sweeps: Sequence[Sweep], report: Report) -> Rows:
    """The row of ``icephys.files``."""
    cells = {sweep.specimen_id for sweep in sweeps}
    major, minor = recording.pipeline_version
    row: dict[str, Any] = {
        "file_id": recording.file_id,
        "specimen_id": next(iter(cells)) if len(cells) == 1 else None,
        "identifier": recording.identifier,
        "nwb_version": recording.nwb.version,
        "layout": recording.layout,
        "pipeline_version_major": major,
        "pipeline_version_minor": minor,
        "conversion_applied": not recording.is_si,
        "n_sweeps": len(sweeps),
        "n_cells": len(cells),
    }
    for column, path in _FILE_TEXTS.items():
        with salvaging(report):
            row[column] = recording.told(path)
    with salvaging(report):
        row["session_start_time_utc"] = utc(recording.told("/session_start_time"))
    return _rows(FILES.name, [row])


def electrode_rows(recording: Recording, sweeps: Sequence[Sweep], report: Report) -> Iterator[Rows]:
    """Rows of ``icephys.electrodes``: those that sweeps are of."""
    cells = {sweep.electrode_name: sweep.specimen_id for sweep in sweeps}
    rows = []
    for path in recording.electrodes:
        name = path.rsplit("/", 1)[1]
        # an Allen file has one electrode, which its series may name otherwise or not at all
        specimen = cells.get(name, next(iter(cells.values())) if len(recording.electrodes) == len(cells) == 1 else None)
        if specimen is not None:
            with salvaging(report):
                rows.append({"specimen_id": specimen, "file_id": recording.file_id, **_electrode(recording, path)})
    if rows:
        yield _rows(ELECTRODES.name, rows)


def _electrode(recording: Recording, path: str) -> dict[str, Any]:
    told = recording.told
    filtering = told(f"{path}/filtering") or told(f"{ELECTRODE_GROUPS}/filtering")  # MIES: one for all
    access = resistance(told(f"{path}/initial_access_resistance"), bare=1e6)
    seal = resistance(told(f"{path}/seal"), bare=1e9)
    row: dict[str, Any] = {
        "electrode_name": printable(path.rsplit("/", 1)[1]),
        **{name: told(f"{path}/{name}") for name in ("cell_id", "device", "description", "location", "slice")},
        "filtering": filtering,
        "filter_khz": filter_khz(filtering),
        "initial_access_resistance_mohm": None if access is None else access / 1e6,
        "seal_gohm": None if seal is None else seal / 1e9,
        "resistance_text": told(f"{path}/resistance"),
    }
    extra = {}
    for name, value in recording.nwb.attributes(f"{path}/location").items():
        column = _LOCATION.get(name)
        if column == "structure_acronym" and isinstance(value, str):
            row[column] = value or None
        elif column and (number := _number(value)) is not None:
            row[column] = number
        elif name not in ("neurodata_type", "ancestry"):
            extra[printable(name)] = [value]
    row["extra"] = extra_json(1, extra)[0].as_py()
    return row


def sweep_rows(recording: Recording, sweeps: Sequence[Sweep], report: Report) -> Iterator[Rows]:
    """Rows of ``icephys.nwb_sweeps``."""
    rows, notes = [], Notes()
    for sweep in sweeps:
        with salvaging(report):
            rows.append({"file_id": recording.file_id, **_sweep(sweep)})
            for series in (sweep.response, sweep.stimulus):
                if series is not None:
                    series.note_units(notes)
    notes.tell(report)
    if rows:
        yield _rows(NWB_SWEEPS.name, rows)


def _sweep(sweep: Sweep) -> dict[str, Any]:
    response, stimulus = sweep.response, sweep.stimulus
    code, repeat = sweep.code
    amplifier = {name: response.number(name) for name in _SERIES_NUMBERS}
    about = response.nwb.attributes(response.path)
    extra = {name: [value] for name in _ABOUT if (value := _short(about.get(name)))}
    return {
        "specimen_id": sweep.specimen_id,
        "sweep_number": sweep.sweep_number,
        "electrode_name": sweep.electrode_name,
        "clamp_mode": response.clamp_mode,
        "stimulus_description": sweep.description,
        "stimulus_code": code,
        "stimulus_repeat": repeat,
        "response_unit": response.expected_unit,
        "source_response_unit": response.unit_text,
        "sampling_rate": sweep.sampling_rate,
        "n_samples": len(response.data),
        "n_stimulus_samples": len(stimulus.data) if stimulus else 0,
        "start_time": response.start_time,
        **_range("sweep", sweep.whole),
        **_range("experiment", sweep.experiment),
        **_range("test_pulse", sweep.test_pulse),
        "response_conversion": response.conversion,
        "response_gain": response.number("gain"),
        **amplifier,
        **(_stimulus(stimulus, [name for name, value in amplifier.items() if value is None]) if stimulus else {}),
        "response_series_path": printable(response.path),
        "source_rank": sweep.rank,
        "device": response.source.get("Device"),
        "device_sweep_number": response.whole("Sweep"),
        "headstage": response.whole("ElectrodeNumber"),
        "extra": extra_json(1, extra)[0].as_py(),
    }


def _stimulus(series: Nwb1Series, wanted: Sequence[str]) -> dict[str, Any]:
    """What a stimulus tells, and of the amplifier what its response did not tell."""
    return {
        "stimulus_name": series.text("aibs_stimulus_name"),
        "stimulus_unit": series.expected_unit,
        "source_stimulus_unit": series.unit_text,
        "stimulus_conversion": series.conversion,
        "stimulus_gain": series.number("gain"),
        "stimulus_amplitude_pa": series.number("aibs_stimulus_amplitude_pa"),
        "stimulus_interval": series.number("aibs_stimulus_interval"),
        "seal_gohm": series.amount("seal", bare=1e9),
        "initial_access_resistance_mohm": series.amount("initial_access_resistance", bare=1e6),
        "stimulus_series_path": printable(series.path),
        **{name: series.number(name) for name in wanted},
    }


def _range(name: str, found: Range | None) -> dict[str, int]:
    return {} if found is None else {f"{name}_start_index": found[0], f"{name}_stop_index": found[1]}


def spike_time_rows(recording: Recording, sweeps: Sequence[Sweep], report: Report) -> Iterator[Rows]:
    """Rows of ``icephys.stored_spike_times``: of every group of the analysis that holds times by sweep (NW-5)."""
    cells = {sweep.sweep_number: sweep.specimen_id for sweep in sweeps}
    rows, notes = [], Notes()
    for key, number, path in spike_paths(recording):
        if number not in cells:
            notes.add(path, "is of no sweep of the file: its spike times were not taken")
            continue
        with salvaging(report):
            times = reals(recording.nwb, path)
            row = {"specimen_id": cells[number], "sweep_number": number, "spike_key": printable(key)}
            rows.append({**row, "spike_times": times})
    notes.tell(report)
    if rows:
        yield _rows(STORED_SPIKE_TIMES.name, rows)


def spike_paths(recording: Recording) -> Iterator[tuple[str, int, str]]:
    """(key, sweep number, path) of every list of spike times."""
    nwb = recording.nwb
    for key in nwb.children(ANALYSIS):
        for name in nwb.children(f"{ANALYSIS}/{key}"):
            path = f"{ANALYSIS}/{key}/{name}"
            if (match := _SWEEP.fullmatch(name)) and nwb.is_dataset(path):
                yield key, int(match[1]), path


def _rows(table: str, rows: Sequence[Mapping[str, Any]]) -> Rows:
    names = dict.fromkeys(name for row in rows for name in row)
    return Rows(table, {name: [row.get(name) for row in rows] for name in names})


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return None if number != number else number


def _short(value: object) -> str | None:
    text = str(value).strip() if isinstance(value, str) else ""
    return text if 0 < len(text) <= _LONG and text != "PLACEHOLDER" else None
