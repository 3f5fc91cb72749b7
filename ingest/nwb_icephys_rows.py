"""Rows of the patch-clamp tables about an NWB 2 file: the file, its electrodes, sweeps and groups of recordings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from ..lake.tables.icephys import ELECTRODES, FILES, INTRACELLULAR_RECORDINGS, NWB_SWEEPS, STORED_SPIKE_TIMES
from .contract import Report, Rows, made_id
from .ecephys_recording import utc
from .hdf5_values import printable
from .icephys_notebook import NOTEBOOK
from .icephys_texts import filter_khz, resistance, stimulus_code
from .notes import Notes
from .nwb_columns import extra_json, reals, text_or_none
from .nwb_file import NwbFile
from .nwb_icephys_recordings import ICEPHYS, RECORDINGS, Row, Span
from .nwb_icephys_series import PatchSeries
from .nwb_icephys_sweeps import Found, Sweep
from .salvage import salvaging

SPIKES = "/processing/spikes"  # as the Allen Institute's pipeline leaves them
_SERIES_NUMBERS = (
    "bias_current", "bridge_balance", "capacitance_compensation", "capacitance_fast", "capacitance_slow",
    "resistance_comp_bandwidth", "resistance_comp_correction", "resistance_comp_prediction",
    "whole_cell_capacitance_comp", "whole_cell_series_resistance_comp",
)  # fmt: skip
_HEADSTAGE = re.compile(r"electrode_(\d{1,3})")  # as MIES names electrodes
_SAYS_NOTHING = frozenset({"", "no comments", "no description", "PLACEHOLDER", "N/A", "NA"})
_FILE_TEXTS = {  # column -> where it is told
    "session_description": "/session_description",
    "source_session_id": "/general/session_id",
    "institution": "/general/institution",
    "lab": "/general/lab",
    "protocol": "/general/protocol",
    "pharmacology": "/general/pharmacology",
    "data_collection": "/general/data_collection",
    "subject_id": "/general/subject/subject_id",
    "species": "/general/subject/species",
    "sex": "/general/subject/sex",
    "age": "/general/subject/age",
    "full_genotype": "/general/subject/genotype",
}


def subject(nwb: NwbFile) -> str:
    """What the file is about, as long as no other domain tells it."""
    return f"icephys.recording/{nwb.identifier}"


def file_id(nwb: NwbFile) -> int:
    """As the generic part of the reader makes it for ``nwb.files``."""
    return made_id(nwb.subject or subject(nwb), "nwb.file", nwb.identifier or "")


def file_rows(found: Found, report: Report) -> Rows:
    """The row of ``icephys.files``."""
    nwb = found.nwb
    cells = {sweep.specimen_id for sweep in found.sweeps}
    row: dict[str, Any] = {
        "file_id": file_id(nwb),
        "specimen_id": next(iter(cells)) if len(cells) == 1 else None,
        "identifier": nwb.identifier,
        "nwb_version": nwb.version,
        "layout": "nwb2",
        "pipeline_version_major": 0,
        "pipeline_version_minor": 0,
        "conversion_applied": True,
        "n_sweeps": len(found.sweeps),
        "n_cells": len(cells),
    }
    for column, path in _FILE_TEXTS.items():
        with salvaging(report):
            row[column] = _told(nwb, path)
    with salvaging(report):
        row["session_start_time_utc"] = utc(text_or_none(nwb, "/session_start_time"))
    return _rows(FILES.name, [row])


def electrode_rows(found: Found, report: Report) -> Iterator[Rows]:
    """Rows of ``icephys.electrodes``: the electrodes that sweeps are of."""
    rows = []
    for path in sorted(path for path in found.electrodes if path is not None):
        with salvaging(report):
            rows.append(_electrode(found, path))
    if rows:
        yield _rows(ELECTRODES.name, rows)


def _electrode(found: Found, path: str) -> dict[str, Any]:
    nwb = found.nwb
    device = nwb.resolve(f"{path}/device")
    texts = {name: _told(nwb, f"{path}/{name}") for name in ("cell_id", "description", "location", "slice")}
    # MIES says for all electrodes in one place how they were filtered
    filtering = _told(nwb, f"{path}/filtering") or _told(nwb, f"{ICEPHYS}/filtering")
    access = resistance(_told(nwb, f"{path}/initial_access_resistance"), bare=1e6)
    seal = resistance(_told(nwb, f"{path}/seal"), bare=1e9)
    return {
        "specimen_id": found.specimen_id(path),
        "electrode_name": _name(path),
        "file_id": file_id(nwb),
        **texts,
        "device": _name(device) if device else _told(nwb, f"{path}/device"),
        "filtering": filtering,
        "filter_khz": filter_khz(filtering),
        "initial_access_resistance_mohm": None if access is None else access / 1e6,
        "seal_gohm": None if seal is None else seal / 1e9,
        "resistance_text": _told(nwb, f"{path}/resistance"),
    }


def sweep_rows(found: Found, report: Report) -> Rows:
    """Rows of ``icephys.nwb_sweeps``, one for every sweep found."""
    in_order = sorted(found.sweeps, key=lambda sweep: (sweep.row.position if sweep.row else -1, sweep.response.path))
    ranks = {id(sweep): rank for rank, sweep in enumerate(in_order)}
    number = file_id(found.nwb)
    acquired = _Acquisition(found)
    rows = [
        {"file_id": number, "source_rank": ranks[id(sweep)], **_sweep(sweep), **acquired.of(sweep)}
        for sweep in found.sweeps
    ]
    notes = Notes()
    for series in {piece.path: piece.series for sweep in found.sweeps for piece in sweep.pieces}.values():
        series.note_units(notes)
    notes.tell(report)
    return _rows(NWB_SWEEPS.name, rows)


def _sweep(sweep: Sweep) -> dict[str, Any]:
    response, stimulus = sweep.response.series, sweep.stimulus.series if sweep.stimulus else None
    description = response.stimulus_description or (stimulus.stimulus_description if stimulus else None)
    code, repeat = stimulus_code(description)
    about = response.nwb.attributes(response.path)
    extra: dict[str, list[Any]] = {name: [_short(about.get(name))] for name in ("comments", "description")}
    if response.offset:
        extra["response_offset"] = [response.offset]
    if stimulus and stimulus.offset:
        extra["stimulus_offset"] = [stimulus.offset]
    return {
        "specimen_id": sweep.specimen_id,
        "sweep_number": sweep.sweep_number,
        "electrode_name": _name(sweep.electrode) if sweep.electrode else None,
        "clamp_mode": response.clamp_mode,
        "stimulus_name": sweep.row.stimulus_type if sweep.row else None,
        "stimulus_description": description,
        "stimulus_code": code,
        "stimulus_repeat": repeat,
        "response_unit": response.expected_unit,
        "source_response_unit": response.unit_text,
        "sampling_rate": response.sampling_rate,
        "n_samples": sweep.response.n_samples,
        "n_stimulus_samples": sweep.stimulus.n_samples if sweep.stimulus else 0,
        "start_time": sweep.response.start_time,
        "sweep_start_index": 0,
        "sweep_stop_index": sweep.response.n_samples - 1,
        "response_conversion": response.conversion,
        "response_gain": response.number("gain"),
        **{name: response.number(name) for name in _SERIES_NUMBERS},
        **(_stimulus(stimulus) if stimulus else {}),
        "response_series_path": printable(response.path),
        "extra": extra_json(1, extra)[0].as_py(),
    }


class _Acquisition:
    """What joins a sweep to the laboratory notebook of a MIES file: device, its own count of sweeps, headstage.

    Of several devices an electrode tells its own; where devices share an electrode's name and the sweep's number, none
    is told.
    """

    def __init__(self, found: Found) -> None:
        self.nwb = found.nwb
        self.devices = [name for name in self.nwb.children(NOTEBOOK) if self.nwb.is_group(f"{NOTEBOOK}/{name}")]
        self._uses = Counter((sweep.electrode, sweep.response.series.declared_number) for sweep in found.sweeps)

    def of(self, sweep: Sweep) -> dict[str, Any]:
        number = sweep.response.series.declared_number
        headstage = _HEADSTAGE.fullmatch(_name(sweep.electrode)) if sweep.electrode else None
        if not self.devices or number is None or headstage is None:
            return {}
        return {
            "device": self._device(sweep, number),
            "device_sweep_number": number,
            "headstage": int(headstage[1]),
        }

    def _device(self, sweep: Sweep, number: int) -> str | None:
        if len(self.devices) == 1:
            return printable(self.devices[0])
        linked = self.nwb.resolve(f"{sweep.electrode}/device")
        name = _name(linked).removeprefix("device_") if linked else None
        return name if name in self.devices and self._uses[sweep.electrode, number] == 1 else None


def _stimulus(series: PatchSeries) -> dict[str, Any]:
    return {
        "stimulus_unit": series.expected_unit,
        "source_stimulus_unit": series.unit_text,
        "stimulus_conversion": series.conversion,
        "stimulus_gain": series.number("gain"),
        "stimulus_series_path": printable(series.path),
    }


def intracellular_recording_rows(found: Found) -> Iterator[Rows]:
    """Rows of ``icephys.intracellular_recordings``, where the file has the table."""
    if not found.rows:
        return
    sweeps = {sweep.row.position: sweep for sweep in found.sweeps if sweep.row}
    extra = _further_columns(found.nwb, len(found.rows))
    rows = [_recording(found, row, sweeps.get(row.position), extra[row.position]) for row in found.rows]
    yield _rows(INTRACELLULAR_RECORDINGS.name, rows)


def _recording(found: Found, row: Row, sweep: Sweep | None, extra: str | None) -> dict[str, Any]:
    return {
        "specimen_id": sweep.specimen_id if sweep else found.specimen_id(row.electrode),
        "sweep_number": sweep.sweep_number if sweep else None,
        "file_id": file_id(found.nwb),
        "recording_id": row.recording_id,
        "electrode_name": _name(row.electrode) if row.electrode else None,
        **_span("stimulus", row.stimulus),
        **_span("template", row.template),
        **_span("response", row.response),
        "stimulus_type": row.stimulus_type,
        "simultaneous_recording_id": row.ids.get("simultaneous_recordings"),
        "sequential_recording_id": row.ids.get("sequential_recordings"),
        "repetition_id": row.ids.get("repetitions"),
        "experimental_condition_id": row.ids.get("experimental_conditions"),
        "extra": extra,
    }


def _span(what: str, span: Span | None) -> dict[str, Any]:
    if span is None:
        return {}
    return {
        f"{what}_series_path": printable(span.path),
        f"{what}_start_index": span.start,
        f"{what}_count": span.stop - span.start,
    }


def _further_columns(nwb: NwbFile, n: int) -> list[str | None]:
    """What the table says of its rows beyond its categories, as JSON."""
    table = nwb.table(RECORDINGS)
    plain = [name for name in table.columns if not table.indices(name) and table.data(name).ndim == 1]
    return list(extra_json(n, {name: table.values(name) for name in plain}).to_pylist())


def spike_time_rows(found: Found, report: Report) -> Iterator[Rows]:
    """Rows of ``icephys.stored_spike_times``: a list of times a sweep, by the number in its name."""
    nwb = found.nwb
    cells: dict[int, list[int]] = {}
    for sweep in found.sweeps:
        cells.setdefault(sweep.sweep_number, []).append(sweep.specimen_id)
    rows, notes = [], Notes()
    for name in nwb.children(SPIKES):
        path, number = f"{SPIKES}/{name}", name.removeprefix("Sweep_")
        owners = cells.get(int(number), []) if number.isascii() and number.isdigit() else []
        if len(owners) != 1:
            notes.add(printable(path), "is not of one sweep: its spike times are left in the file's own series")
            continue
        times = next((p for p in (f"{path}/timestamps", f"{path}/data", path) if nwb.is_dataset(p)), None)
        if times is not None:
            with salvaging(report):
                row = {"specimen_id": owners[0], "sweep_number": int(number), "spike_key": "spike_times"}
                rows.append({**row, "spike_times": reals(nwb, times)})
    notes.tell(report)
    if rows:
        yield _rows(STORED_SPIKE_TIMES.name, rows)


def _rows(table: str, rows: Sequence[Mapping[str, Any]]) -> Rows:
    names = dict.fromkeys(name for row in rows for name in row)
    return Rows(table, {name: [row.get(name) for row in rows] for name in names})


def _told(nwb: NwbFile, path: str) -> str | None:
    text = text_or_none(nwb, path) if nwb.is_dataset(path) else None
    return None if text is None or text.strip() in _SAYS_NOTHING else text


def _short(value: object) -> str | None:
    return None if value is None or str(value).strip() in _SAYS_NOTHING else str(value)


def _name(path: str) -> str:
    return printable(path.rsplit("/", 1)[1])
