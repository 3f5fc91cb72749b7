"""NWB 1 files with spikes: early Allen sessions (ecephys 2.6), and other laboratories' ``UnitTimes``.

The format gives no ids, so all are made from the recording's identifier and the object's path.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.spec import float32, list_
from .contract import Identity, Part, Report, Rows, Source, made_id
from .ecephys_intervals import started
from .ecephys_names import STRUCTURE_IDS
from .ecephys_recording import salvaged, utc
from .ecephys_stimuli import IntervalTable, allen_presentations, other_presentations
from .nwb1_icephys_sweeps import is_patch_clamp
from .nwb_columns import plain, real_or_none, reals, text_or_none, whole_or_none
from .nwb_file import NwbFile
from .spike_blocks import SpikeBlocks

PROBE_SAMPLING_RATE = 30_000.0  # Hz; the files do not say
RUNNING = "/acquisition/timeseries/RunningSpeed"
STIMULI = "/stimulus/presentation"
_UNIT_FIELDS = ("times", "channel", "xpos_probe", "ypos_probe", "ccf_structure", "waveform", "snr")


@dataclass(frozen=True)
class Unit:
    """One group of a module's ``UnitTimes``."""

    path: str
    name: str  # the natural id
    unit_id: int
    module: str
    channel: int | None

    @property
    def probe(self) -> str:
        return self.module.rsplit("/", 1)[1]


@dataclass(frozen=True)
class Recording:
    """What an NWB 1 file is about."""

    nwb: NwbFile
    key: str = field(init=False)

    def __post_init__(self) -> None:
        start = self.nwb.scalar("/session_start_time")
        object.__setattr__(self, "key", f"{self.nwb.scalar('/identifier')}\x1f{start}")

    @cached_property
    def session_id(self) -> int:
        return made_id(self.key)

    @cached_property
    def modules(self) -> list[str]:
        """Processing modules with units."""
        paths = [f"/processing/{name}" for name in self.nwb.children("/processing")]
        return [p for p in paths if self.nwb.is_group(f"{p}/UnitTimes")]

    @cached_property
    def is_allen(self) -> bool:
        """One module a probe, whose units tell their channel."""
        return all(p.startswith("/processing/probe") for p in self.modules)

    @cached_property
    def units(self) -> list[Unit]:
        found = []
        for module in self.modules:
            parent = f"{module}/UnitTimes"
            for name in self.nwb.children(parent):
                path = f"{parent}/{name}"
                if self.nwb.is_group(path):
                    channel = whole_or_none(self.nwb, f"{path}/channel")
                    found.append(Unit(path, name, made_id(self.key, parent, name), module, channel))
        return found

    def probe_id(self, module: str) -> int:
        return made_id(self.key, module)

    def channel_id(self, unit: Unit) -> int | None:
        return None if unit.channel is None else made_id(self.key, f"{unit.module}/channel", unit.channel)

    def real(self, unit: Unit, name: str) -> float | None:
        return real_or_none(self.nwb, f"{unit.path}/{name}")


class Nwb1EcephysReader:
    """Reader of NWB 1 files that hold units."""

    name = "nwb1_ecephys"
    version = "1"
    parts: Sequence[Part] = (
        Part("session", "the session"),
        Part("probes", "probes (modules with units)"),
        Part("channels", "channels of the units"),
        Part("units", "sorted units"),
        Part("spikes", "spike times"),
        Part("stimuli", "stimulus presentations or epochs"),
        Part("peak_waveforms", "mean waveforms"),
        Part("running", "running speed"),
    )

    def sniff(self, source: Source) -> bool:
        try:
            with NwbFile.open(source) as nwb:
                return nwb.is_nwb1 and bool(Recording(nwb).modules) and not is_patch_clamp(nwb)
        except (SourceError, OSError):
            return False

    def identify(self, source: Source) -> Identity:
        with NwbFile.open(source) as nwb:
            _refuse_others(nwb)
            subject = f"ecephys.recording/{nwb.scalar('/identifier')}"
            return Identity(subject, "session_nwb", publications=nwb.publications)

    def inspect(self, source: Source, report: Report) -> None:
        with NwbFile.open(source) as nwb:
            _refuse_others(nwb)
            _inspect(Recording(nwb), report)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        with NwbFile.open(source) as nwb:
            _refuse_others(nwb)
            recording = Recording(nwb)
            _inspect(recording, report)
            if "session" in parts:
                yield _session(recording)
            if "probes" in parts and recording.modules:
                yield _probes(recording)
            if "channels" in parts:
                yield from _channels(recording)
            if parts & {"units", "spikes"}:
                yield from salvaged(report, _units(recording, parts, report))
            if "peak_waveforms" in parts:
                yield from salvaged(report, _waveforms(recording))
            if "stimuli" in parts:
                yield from salvaged(report, _presentations(recording, report))
            if "running" in parts:
                yield from salvaged(report, _running(recording))


def _refuse_others(nwb: NwbFile) -> None:
    if not nwb.is_nwb1:
        raise SourceError(nwb.source, "/nwb_version", f"is {nwb.version!r}: no NWB 1 file")


def _inspect(recording: Recording, report: Report) -> None:
    nwb = recording.nwb
    report.found("session", 0)
    report.found("probes", 0)
    if any(u.channel is not None for u in recording.units):
        report.found("channels", 0)
    report.found("units", 0)
    report.found(
        "spikes", sum(nwb.stored_bytes(f"{u.path}/times") for u in recording.units if nwb.has(f"{u.path}/times"))
    )
    waveforms = [f"{u.path}/waveform" for u in recording.units if nwb.has(f"{u.path}/waveform")]
    if waveforms:
        report.found("peak_waveforms", sum(map(nwb.stored_bytes, waveforms)))
    report.found("stimuli", 0)
    if nwb.has(RUNNING):
        report.found("running", nwb.stored_bytes(RUNNING))


def _session(recording: Recording) -> Rows:
    nwb = recording.nwb
    told = {
        "session_description": "/session_description",
        "institution": "/general/institution",
        "lab": "/general/lab",
        "subject_id": "/general/subject/subject_id",
        "species": "/general/subject/species",
        "sex": "/general/subject/sex",
        "full_genotype": "/general/subject/genotype",
    }
    row = {
        "session_id": recording.session_id,
        "source_session_id": text_or_none(nwb, "/identifier") or "",
        "session_start_time_utc": utc(nwb.scalar("/session_start_time")),
        **{name: text_or_none(nwb, path) for name, path in told.items()},
        "source_layout": "nwb1",
        "nwb_version": nwb.version,
    }
    return Rows("ecephys.nwb_sessions", {name: [value] for name, value in row.items()})


def _probes(recording: Recording) -> Rows:
    names = [module.rsplit("/", 1)[1] for module in recording.modules]
    rate = PROBE_SAMPLING_RATE if recording.is_allen else None
    return Rows(
        "ecephys.nwb_probes",
        {
            "session_id": [recording.session_id] * len(names),
            "probe_id": [recording.probe_id(module) for module in recording.modules],
            "name": names,
            "source_probe_id": names,
            "sampling_rate": [rate] * len(names),
            "description": [
                str(recording.nwb.attributes(m).get("description") or "") or None for m in recording.modules
            ],
        },
    )


def _channels(recording: Recording) -> Iterator[Rows]:
    """The distinct channels that units name; the first unit of each tells where it is."""
    first: dict[int | None, Unit] = {}
    for unit in recording.units:
        if unit.channel is not None:
            first.setdefault(recording.channel_id(unit), unit)
    if not first:
        return
    units = list(first.values())
    acronyms = [text_or_none(recording.nwb, f"{u.path}/ccf_structure") for u in units]
    yield Rows(
        "ecephys.nwb_channels",
        {
            "session_id": [recording.session_id] * len(units),
            "channel_id": list(first),
            "probe_id": [recording.probe_id(u.module) for u in units],
            "local_index": [u.channel for u in units],
            "probe_vertical_position": [recording.real(u, "ypos_probe") for u in units],
            "probe_horizontal_position": [recording.real(u, "xpos_probe") for u in units],
            "structure_acronym": acronyms,
            "structure_id": [STRUCTURE_IDS.get(a) if a else None for a in acronyms],
            "source_channel_id": [f"{u.probe}/{u.channel}" for u in units],
            "valid_data": [True] * len(units),
        },
    )


def _units(recording: Recording, parts: frozenset[str], report: Report) -> Iterator[Rows]:
    nwb = recording.nwb
    with SpikeBlocks(recording.session_id, False, drop_negative=recording.is_allen) as blocks:
        for done, unit in enumerate(recording.units):
            times = reals(nwb, f"{unit.path}/times")
            nan = int(np.isnan(times).sum())
            if nan and not report.salvage:
                raise SourceError(nwb.source, f"{unit.path}/times", f"holds {nan} times that are no number")
            try:
                blocks.add(unit.unit_id, times)
            except ValueError as error:
                raise SourceError(nwb.source, f"{unit.path}/times", str(error)) from None
            if nan:
                report.skip(f"{unit.path}/times", f"{nan} spikes without a time")
            report.progress("spikes", done + 1, len(recording.units))
        negative = sum(c.n_negative for c in blocks.counts.values())
        if negative:
            report.skip("/processing", f"{negative} spikes with a negative time: not synchronised")
        if "units" in parts:
            yield _unit_rows(recording, blocks)
        if "spikes" in parts:
            probes = {unit.unit_id: unit.module for unit in recording.units}
            rates = dict.fromkeys(recording.modules, (PROBE_SAMPLING_RATE,)) if recording.is_allen else {}
            for batch in blocks.batches(blocks.clocks(probes, rates)):
                yield Rows("ecephys.spike_trains", batch)


def _unit_rows(recording: Recording, blocks: SpikeBlocks) -> Rows:
    units = sorted(recording.units, key=lambda u: (recording.probe_id(u.module), u.unit_id))
    counts = [blocks.counts[u.unit_id] for u in units]
    return Rows(
        "ecephys.nwb_units",
        {
            "session_id": np.full(len(units), recording.session_id, np.int64),
            "unit_id": [u.unit_id for u in units],
            "peak_channel_id": [recording.channel_id(u) for u in units],
            "quality": ["good" if recording.is_allen else None for _ in units],
            "snr": [recording.real(u, "snr") for u in units],
            "probe_id": [recording.probe_id(u.module) for u in units],
            "cluster_id": [int(u.name) if u.name.isdigit() else None for u in units],
            "source_unit_id": [u.name for u in units],
            "n_spikes": [c.n_spikes for c in counts],
            "first_spike_time": [c.first for c in counts],
            "last_spike_time": [c.last for c in counts],
            "n_dropped": [c.n_negative + c.n_nan for c in counts],
            "extra": [_extra(recording, u) for u in units],
        },
    )


def _extra(recording: Recording, unit: Unit) -> str | None:
    """Further single values of a unit's group."""
    nwb = recording.nwb
    names = [n for n in nwb.children(unit.path) if n not in _UNIT_FIELDS and nwb.is_dataset(f"{unit.path}/{n}")]
    given = {n: plain(nwb.scalar(p)) for n in names if nwb.dataset(p := f"{unit.path}/{n}").size == 1}
    given = {n: v for n, v in given.items() if v is not None}
    return json.dumps(given, ensure_ascii=False, sort_keys=True) if given else None


def _waveforms(recording: Recording) -> Iterator[Rows]:
    """One waveform a unit, on its own channel."""
    nwb = recording.nwb
    units = sorted((u for u in recording.units if nwb.has(f"{u.path}/waveform")), key=lambda u: u.unit_id)
    waveforms = [reals(nwb, f"{u.path}/waveform").astype(np.float32) for u in units]
    if not units:
        return
    yield Rows(
        "ecephys.nwb_waveforms",
        {
            "session_id": np.full(len(units), recording.session_id, np.int64),
            "unit_id": [u.unit_id for u in units],
            "channel_id": [recording.channel_id(u) for u in units],
            "waveform_index": pa.array([u.channel or 0 for u in units], pa.int32()),
            "is_peak": [True] * len(units),
            "sampling_rate": [PROBE_SAMPLING_RATE if recording.is_allen else None] * len(units),
            "waveform": pa.array([w.tolist() for w in waveforms], list_(float32)),
        },
    )


def _presentations(recording: Recording, report: Report) -> Iterator[Rows]:
    """Presentations with start and stop; where there are none, the epochs."""
    nwb, tables = recording.nwb, []
    for block, name in enumerate(nwb.children(STIMULI)):
        path = f"{STIMULI}/{name}"
        if not nwb.has(f"{path}/timestamps"):
            continue
        shape = nwb.dataset(f"{path}/timestamps").shape
        if len(shape) != 2 or shape[1] != 2:
            report.skip(path, "times of frames or pulses without an end: no presentations")
            continue
        limits = reals(nwb, f"{path}/timestamps", 2)
        features = [str(f) for f in np.atleast_1d(nwb.array(f"{path}/features"))] if nwb.has(f"{path}/features") else []
        data = nwb.array(f"{path}/data") if features and nwb.has(f"{path}/data") else np.empty((len(limits), 0))
        if data.ndim == 1:
            data = data[:, None]
        if data.ndim != 2 or data.shape[0] != len(limits) or data.shape[1] < len(features):
            found = " x ".join(map(str, data.shape))
            raise SourceError(nwb.source, f"{path}/data", f"is {found}, for {len(limits)} x {len(features)}")
        columns = {f: data[:, i] for i, f in enumerate(features)}
        columns |= {"start_time": limits[:, 0], "stop_time": limits[:, 1]}
        columns |= {"stimulus_block": np.full(len(limits), float(block)), "stimulus_index": np.zeros(len(limits))}
        tables.append(started(IntervalTable(name, columns), path, report))
    if tables:
        yield Rows("ecephys.nwb_presentations", allen_presentations(recording.session_id, tables))
    elif epochs := _epochs(recording):
        yield Rows("ecephys.nwb_presentations", other_presentations(recording.session_id, epochs))


def _epochs(recording: Recording) -> list[IntervalTable]:
    tables = []
    for name in recording.nwb.children("/epochs"):
        limits = [real_or_none(recording.nwb, f"/epochs/{name}/{end}_time") for end in ("start", "stop")]
        if limits[0] is not None:
            stop = np.nan if limits[1] is None else limits[1]
            tables.append(IntervalTable(name, {"start_time": np.array(limits[:1]), "stop_time": np.array([stop])}))
    return tables


def _running(recording: Recording) -> Iterator[Rows]:
    nwb = recording.nwb
    if not nwb.has(f"{RUNNING}/data"):
        return
    speed, times = reals(nwb, f"{RUNNING}/data"), reals(nwb, f"{RUNNING}/timestamps")
    if len(speed) != len(times) or np.isnan(times).any():
        raise SourceError(nwb.source, RUNNING, f"has {len(speed)} speeds for {int(np.isfinite(times).sum())} times")
    order = np.argsort(times, kind="stable")
    yield Rows(
        "behavior.running_speed",
        {
            "session_id": np.full(len(times), recording.session_id, np.int64),
            "timestamp": times[order],
            "speed": pa.array(speed[order], from_pandas=True),
        },
    )


READER = Nwb1EcephysReader()
