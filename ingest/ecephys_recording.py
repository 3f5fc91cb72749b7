"""What an extracellular NWB file is: whose layout, which session, and the ids of what is in it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from typing import Any, Literal

import numpy as np

from ..lake.errors import SourceError
from .contract import Report, Rows, made_id, made_ids
from .nwb_file import NwbFile

Layout = Literal["allen_v2", "allen_v1", "nwb2"]

ELECTRODES = "/general/extracellular_ephys/electrodes"
GROUPS = "/general/extracellular_ephys"
UNITS = "/units"
INTERVALS = "/intervals"
EYE = "/processing/eye_tracking"
RIG = "/processing/eye_tracking_rig_metadata/eye_tracking_rig_metadata"
# the class of the electrode groups tells the layout (ecephys 2.4, 2.5)
_ALLEN_GROUPS: dict[str, Layout] = {"EcephysElectrodeGroup": "allen_v2", "EcephysProbe": "allen_v1"}
_LFP = re.compile(r"probe_(\d+)_lfp")


@dataclass(frozen=True)
class Recording:
    """One file's session.

    key : what ids of an other laboratory are made from: identifier and start
    probe_id : of a probe file (LFP and CSD of one probe), else None
    """

    nwb: NwbFile
    layout: Layout
    session_id: int
    source_session_id: str
    key: str
    probe_id: int | None = None

    @property
    def is_allen(self) -> bool:
        return self.layout != "nwb2"

    def ids(self, path: str, local: np.ndarray) -> np.ndarray:
        """Ids of rows of a table: the file's own in Allen files, made ones elsewhere."""
        return local.astype(np.int64) if self.is_allen else made_ids(self.key, path, local.tolist())

    @cached_property
    def groups(self) -> list[str]:
        """Paths of the electrode groups."""
        return [f"{GROUPS}/{name}" for name in self.nwb.children(GROUPS) if _is_group(self.nwb, f"{GROUPS}/{name}")]

    def group_id(self, path: str) -> int:
        """Probe id of an electrode group."""
        if not self.is_allen:
            return made_id(self.key, path)
        name = path.rsplit("/", 1)[1]
        number = self.nwb.attributes(path).get("probe_id", name)
        try:
            return int(number)
        except ValueError:
            raise SourceError(self.nwb.source, path, f"has no probe id, but {number!r}") from None


def is_extracellular(nwb: NwbFile) -> bool:
    """Units with spikes, or electrodes, or LFP."""
    return nwb.has(f"{UNITS}/spike_times") or nwb.has(f"{ELECTRODES}/id")


def recognise(nwb: NwbFile) -> Recording:
    """Look into the file. Raises SourceError where an Allen file lacks the ids that everything hangs on."""
    kinds = {
        str(nwb.attributes(f"{GROUPS}/{name}").get("neurodata_type"))
        for name in nwb.children(GROUPS)
        if name != "electrodes"
    }
    layout: Layout = next((layout for kind, layout in _ALLEN_GROUPS.items() if kind in kinds), "nwb2")
    identifier = nwb.identifier
    if layout != "nwb2" and identifier and not identifier.isdigit():
        layout = "nwb2"  # the extension is used by others too
    if layout == "nwb2":
        start = _text(nwb.scalar("/session_start_time")) or ""
        key = f"{identifier}\x1f{start}"
        return Recording(nwb, layout, made_id(key), identifier or str(made_id(key)), key)
    probe_id = _probe_of(nwb)
    session = _text(nwb.scalar("/general/session_id")) if probe_id is not None else identifier
    if not session or not session.isdigit():
        where = "/general/session_id" if probe_id is not None else "/identifier"
        raise SourceError(nwb.source, where, f"should be an Allen session's number, and is {session!r}")
    return Recording(nwb, layout, int(session), session, session, probe_id)


def _probe_of(nwb: NwbFile) -> int | None:
    """The probe whose LFP this is, where it is a probe file."""
    if nwb.has(UNITS):
        return None
    return next((int(m[1]) for name in nwb.children("/acquisition") if (m := _LFP.fullmatch(name))), None)


def _is_group(nwb: NwbFile, path: str) -> bool:
    return not path.endswith("/electrodes") and nwb.is_group(path)


def salvaged(report: Report, rows: Iterable[Rows]) -> Iterator[Rows]:
    """Rows of one object; where the source is to be salvaged, a damaged object is reported and left out."""
    try:
        yield from rows
    except SourceError as error:
        if not report.salvage:
            raise
        report.skip(error.where or "/", error.reason)


def session_rows(recording: Recording) -> Rows:
    """The one row of ``ecephys.nwb_sessions``."""
    nwb = recording.nwb
    subject = nwb.attributes("/general/subject")
    lab = nwb.attributes("/general/metadata")  # EcephysLabMetaData of layout v1

    def told(*places: Any) -> Any:
        return next((value for value in places if value not in (None, "")), None)

    def about(name: str) -> Any:
        return told(subject.get(name), nwb.scalar(f"/general/subject/{name}"))

    row = {
        "session_id": recording.session_id,
        "source_session_id": recording.source_session_id,
        "session_start_time_utc": utc(nwb.scalar("/session_start_time")),
        "session_type": told(nwb.scalar("/general/stimulus"), lab.get("stimulus_name")) if recording.is_allen else None,
        "specimen_name": told(subject.get("specimen_name"), lab.get("specimen_name")),
        "subject_id": about("subject_id"),
        "age_in_days": _days(told(subject.get("age_in_days"), lab.get("age_in_days"), about("age"))),
        "sex": told(about("sex"), lab.get("sex")),
        "full_genotype": told(about("genotype"), lab.get("full_genotype")),
        "strain": told(about("strain"), lab.get("strain")),
        "species": about("species"),
        "institution": nwb.scalar("/general/institution"),
        "lab": nwb.scalar("/general/lab"),
        "session_description": nwb.scalar("/session_description"),
        "rig_equipment_name": rig_equipment(nwb),
        "source_layout": recording.layout,
        "nwb_version": nwb.version,
    }
    numeric = ("session_id", "session_start_time_utc", "age_in_days")
    told_rows = {k: [v if k in numeric else _text(v)] for k, v in row.items()}
    return Rows("ecephys.nwb_sessions", {**told_rows, "source_session_id": [recording.source_session_id]})


def rig_equipment(nwb: NwbFile) -> str | None:
    """Name of the rig: an attribute of its metadata (v2), or a table of one cell (v1)."""
    told = nwb.attributes(RIG).get("equipment") or nwb.scalar(f"{RIG}/equipment")
    if not told and nwb.has(f"{EYE}/equipment/equipment"):
        cells = nwb.array(f"{EYE}/equipment/equipment")
        told = cells[0] if len(cells) else None
    return _text(told)


def utc(value: object) -> datetime | None:
    """ISO 8601 text as UTC without zone; text without an offset is taken as UTC, anything else is unknown."""
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return moment.astimezone(UTC).replace(tzinfo=None) if moment.tzinfo else moment


def _days(value: object) -> float | None:
    """Days from a number or an ISO 8601 duration in days or weeks; months and years have no certain length."""
    if isinstance(value, (int, float, np.number)):
        return float(value) if value == value else None
    match = re.fullmatch(r"P(\d+(?:\.\d+)?)([DW])", str(value))
    return float(match[1]) * {"D": 1, "W": 7}[match[2]] if match else None


def _text(value: object) -> str | None:
    return None if value is None or value == "" else str(value)
