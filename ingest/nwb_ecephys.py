"""The extracellular section of the NWB reader: sessions, units, spikes, stimuli, behaviour, LFP.

Allen Visual Coding files in both public layouts, their probe files, and any other laboratory's units, electrodes and
intervals become rows of the same tables.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from ..lake.errors import SourceError
from .contract import Identity, Part, Report, Rows
from .ecephys_behavior import WHEEL, ellipse_columns, eye_objects, eye_rows, running_objects, running_rows
from .ecephys_electrodes import Electrodes, probe_rows, warn_of_unregistered
from .ecephys_intervals import OPTO_TABLES, interval_paths, invalid_time_rows, optogenetic_rows, presentation_rows
from .ecephys_lfp import csd_path, csd_rows, lfp_rows, lfp_series
from .ecephys_recording import ELECTRODES, UNITS, Recording, is_extracellular, recognise, salvaged, session_rows
from .ecephys_units import Units, open_blocks
from .ecephys_waveforms import waveform_rows
from .nwb_file import NwbFile

_RELEASES = ("brain_observatory_1.1", "functional_connectivity")  # session types of the Visual Coding release
DATASET = "Allen Brain Observatory: Visual Coding Neuropixels"


class EcephysSection:
    """What is extracellular in an NWB 2 file."""

    name = "ecephys"
    version = "2"
    parts: Sequence[Part] = (
        Part("session", "the session and its invalid times"),
        Part("probes", "probes (electrode groups)"),
        Part("channels", "channels (electrodes)"),
        Part("units", "sorted units with their metrics"),
        Part("spikes", "spike times and amplitudes"),
        Part("stimuli", "stimulus presentations, trials, optotagging"),
        Part("peak_waveforms", "mean waveforms on peak channels"),
        Part("running", "running speed and wheel"),
        Part("eye", "eye tracking and gaze"),
        Part("csd", "current source density"),
        Part("waveforms", "mean waveforms on all channels", default=False),
        Part("lfp", "local field potential", default=False),
    )

    def claims(self, nwb: NwbFile) -> bool:
        return is_extracellular(nwb)

    def identify(self, nwb: NwbFile) -> Identity | None:
        recording = recognise(nwb)
        dataset = DATASET if nwb.scalar("/general/stimulus") in _RELEASES and recording.is_allen else None
        if recording.probe_id is not None:
            return Identity(f"ecephys.probe/{recording.probe_id}", "probe_nwb", dataset)
        if recording.is_allen:
            return Identity(f"ecephys.session/{recording.session_id}", "session_nwb", dataset)
        return Identity(f"ecephys.recording/{recording.source_session_id}", "session_nwb")

    def inspect(self, nwb: NwbFile, report: Report) -> None:
        for part, paths in _objects(recognise(nwb)).items():
            if paths:
                report.found(part, sum(nwb.stored_bytes(path) for path in paths))

    def read(self, nwb: NwbFile, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        recording = recognise(nwb)
        self.inspect(nwb, report)
        electrodes = Electrodes(recording)
        if recording.probe_id is not None:
            yield from _probe_file(recording, electrodes, parts, report)
        else:
            yield from _session_file(recording, electrodes, parts, report)

    def owned(self, nwb: NwbFile) -> Mapping[str, str]:
        """Bulk data that the extracellular tables hold: path -> relation."""
        recording = recognise(nwb)
        owned = {f"{UNITS}/spike_times": "ecephys.spikes", f"{UNITS}/spike_amplitudes": "ecephys.spikes"}
        owned[f"{UNITS}/waveform_mean"] = "ecephys.waveforms"
        for series in lfp_series(recording, Electrodes(recording)):
            owned[series.path] = "ecephys.lfp"
        if path := csd_path(recording):
            owned[path] = "ecephys.csd"
        if recording.is_allen:
            speed = "/processing/running/"
            owned |= dict.fromkeys(WHEEL.values(), "behavior.running_wheel")
            owned |= {f"{speed}{n}": "behavior.running_speed" for n in ("running_speed", "running_wheel_rotation")}
            owned[f"{speed}running_speed_end_times"] = "behavior.running_speed"
            owned |= {p: "behavior.gaze_mapping" for p in eye_objects(recording) if "gaze_mapping" in p}
            owned |= dict.fromkeys(ellipse_columns(), "behavior.eye_tracking")
        return {path: relation for path, relation in owned.items() if nwb.has(path)}


def _objects(recording: Recording) -> dict[str, list[str]]:
    """Part -> paths of the objects it is made from."""
    nwb = recording.nwb
    electrodes = [ELECTRODES] if nwb.has(ELECTRODES) else []
    lfp = [f"{series.path}/data" for series in lfp_series(recording, Electrodes(recording))]
    csd = [path] if (path := csd_path(recording)) and recording.probe_id is not None else []
    if recording.probe_id is not None:
        return {"channels": electrodes, "csd": csd, "lfp": lfp}
    opto = [path for path in OPTO_TABLES if nwb.has(path)]
    spikes = [f"{UNITS}/{name}" for name in ("spike_times", "spike_amplitudes") if nwb.has(f"{UNITS}/{name}")]
    waveforms = [f"{UNITS}/waveform_mean"] if nwb.has(f"{UNITS}/waveform_mean") else []
    units = [f"{UNITS}/{n}" for n in nwb.children(UNITS)]
    return {
        "session": ["/general"],
        "probes": list(recording.groups),
        "channels": electrodes,
        "units": [path for path in units if path not in (*spikes, *waveforms)],
        "spikes": spikes,
        "stimuli": interval_paths(recording) + opto,
        "peak_waveforms": waveforms,
        "running": running_objects(recording) if recording.is_allen else [],
        "eye": eye_objects(recording) if recording.is_allen else [],
        "waveforms": waveforms,
        "lfp": lfp,
    }


def _session_file(
    recording: Recording, electrodes: Electrodes, parts: frozenset[str], report: Report
) -> Iterator[Rows]:
    if "session" in parts:
        yield session_rows(recording)
        yield from invalid_time_rows(recording, report)
    if "probes" in parts and recording.groups:
        yield probe_rows(recording)
    if "channels" in parts and electrodes.exists:
        yield from salvaged(report, _channels(electrodes, report))
    if "stimuli" in parts:
        yield from presentation_rows(recording, report)
        yield from optogenetic_rows(recording, report)
    if "running" in parts and recording.is_allen:
        yield from running_rows(recording, report)
    if "eye" in parts and recording.is_allen:
        yield from eye_rows(recording, report)
    # what is long last: its encoding then has the rest's beside it
    if parts & {"units", "spikes"} and recording.nwb.has(f"{UNITS}/id"):
        yield from salvaged(report, _units(Units(recording, electrodes), parts, report))
    if parts & {"peak_waveforms", "waveforms"} and recording.nwb.has(f"{UNITS}/id"):
        units = Units(recording, electrodes)
        yield from salvaged(report, waveform_rows(units, "waveforms" in parts, report))
    if "lfp" in parts:
        yield from _lfp(recording, electrodes, report)


def _channels(electrodes: Electrodes, report: Report) -> Iterator[Rows]:
    warn_of_unregistered(electrodes, report)
    yield electrodes.rows()


def _units(units: Units, parts: frozenset[str], report: Report) -> Iterator[Rows]:
    """Spikes first, as the units' rows say what became of them."""
    if "spikes" not in parts or not units.has_spikes:
        yield units.rows(None)
        return
    try:
        with open_blocks(units) as blocks:
            units.gather_spikes(blocks, report)
            if "units" in parts:
                yield units.rows(blocks.counts)
            yield from units.spike_rows(blocks)
    except SourceError as error:
        if not report.salvage:
            raise
        report.skip(error.where or UNITS, error.reason)
        if "units" in parts:
            yield units.rows(None)


def _probe_file(recording: Recording, electrodes: Electrodes, parts: frozenset[str], report: Report) -> Iterator[Rows]:
    """Rows only of tables that no session file writes: the keys of the others belong to the session's file."""
    series = lfp_series(recording, electrodes)
    if "channels" in parts and electrodes.exists:
        yield from salvaged(report, _lfp_channels(recording, electrodes, report))
    if "csd" in parts:
        yield from salvaged(report, csd_rows(recording))
    if "lfp" in parts:
        for one in series:
            yield from salvaged(report, lfp_rows(one, report))


def _lfp_channels(recording: Recording, electrodes: Electrodes, report: Report) -> Iterator[Rows]:
    series = lfp_series(recording, electrodes)
    columns: dict[int, int] = {}
    rate = probe_rows(recording).columns.get("lfp_sampling_rate", [None])[0] if recording.groups else None
    if series:
        columns = {int(row): column for column, row in enumerate(series[0].electrode_rows)}
        rate = series[0].measured_rate(rate, report)
    yield electrodes.rows(rate, columns)


def _lfp(recording: Recording, electrodes: Electrodes, report: Report) -> Iterator[Rows]:
    for series in sorted(lfp_series(recording, electrodes), key=lambda s: s.series_id):
        yield from salvaged(report, lfp_rows(series, report))


SECTION = EcephysSection()
