"""Which series of an NWB 2 file make a sweep, and what its number is.

A sweep is one response of one electrode with its stimulus. A file tells which belong together by its table of
intracellular recordings, by numbers (an attribute, the sweep table), or only by names; each that is used where the
better ones do not tell sweeps apart is said in the report.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np

from .contract import Report, made_id
from .notes import Notes
from .nwb_file import NwbFile
from .nwb_icephys_recordings import ICEPHYS, Row, Span, recording_rows
from .nwb_icephys_series import PatchSeries, number_in_name
from .salvage import salvaging

SWEEP_TABLE = f"{ICEPHYS}/sweep_table"
ACQUISITION, PRESENTATION = "/acquisition", "/stimulus/presentation"


@dataclass(frozen=True)
class Piece:
    """Samples ``start`` to ``stop`` (excluded) of a series."""

    series: PatchSeries
    start: int
    stop: int

    @property
    def path(self) -> str:
        return self.series.path

    @property
    def n_samples(self) -> int:
        return self.stop - self.start

    def samples(self) -> np.ndarray:
        """In volts or amperes."""
        return self.series.samples(self.start, self.stop)

    @property
    def start_time(self) -> float | None:
        """Time of the first sample (s)."""
        zero, rate = self.series.start_time, self.series.sampling_rate
        return zero if zero is None or not self.start or rate is None else zero + self.start / rate


@dataclass(frozen=True)
class Sweep:
    """One sweep of one electrode.

    row : its row in the table of intracellular recordings, where it has one
    """

    response: Piece
    stimulus: Piece | None
    electrode: str | None
    row: Row | None = None
    specimen_id: int = -1
    sweep_number: int = -1

    @property
    def pieces(self) -> tuple[Piece, ...]:
        return (self.response,) if self.stimulus is None else (self.response, self.stimulus)


@dataclass(frozen=True)
class Found:
    """What of a file is patch clamp.

    sweeps : sorted by specimen and number; no two of a specimen have the same number
    rows : the table of intracellular recordings
    """

    nwb: NwbFile
    sweeps: Sequence[Sweep]
    rows: Sequence[Row]
    electrodes: frozenset[str | None]  # that sweeps are of

    def specimen_id(self, electrode: str | None) -> int:
        """The cell on an electrode: the file's one, or where several electrodes record, the electrode's."""
        return _specimen_id(self.nwb, electrode, self.electrodes)


def _specimen_id(nwb: NwbFile, electrode: str | None, electrodes: frozenset[str | None]) -> int:
    key = nwb.identifier or ""
    return made_id(key, electrode or "") if len(electrodes) > 1 else made_id(key)


Numbering = Callable[[PatchSeries], int | None]


def is_patch_clamp(nwb: NwbFile) -> bool:
    """The file holds a response of patch clamp."""
    series = (PatchSeries(nwb, f"{ACQUISITION}/{name}") for name in nwb.children(ACQUISITION))
    return any(one.kind is not None and not one.is_stimulus for one in series)


def find_sweeps(nwb: NwbFile, report: Report) -> Found:
    """The sweeps of a file and the table that groups them."""
    responses = _series(nwb, ACQUISITION, False, report)
    stimuli = _series(nwb, PRESENTATION, True, report)
    told = _told_numbers(nwb, report)
    rows: list[Row] = []
    sweeps: list[Sweep] = []
    with salvaging(report):
        rows = recording_rows(nwb, report)
        sweeps = _tabled(nwb, rows, responses, stimuli, report)
    tabled = {sweep.response.series.path for sweep in sweeps}
    for path, series in responses.items():
        if path not in tabled:
            sweeps.append(Sweep(Piece(series, 0, len(series.data)), None, series.electrode))
    sweeps, number_of = _numbered(sweeps, told, report)
    sweeps = _with_stimuli(sweeps, list(stimuli.values()), number_of, report)
    electrodes = frozenset(sweep.electrode for sweep in sweeps)
    sweeps = [replace(sweep, specimen_id=_specimen_id(nwb, sweep.electrode, electrodes)) for sweep in sweeps]
    return Found(nwb, sorted(sweeps, key=lambda sweep: (sweep.specimen_id, sweep.sweep_number)), rows, electrodes)


def _series(nwb: NwbFile, folder: str, is_stimulus: bool, report: Report) -> dict[str, PatchSeries]:
    """Series of a folder that can be of sweeps, by path, in the order of the numbers in their names."""
    found: dict[str, PatchSeries] = {}
    notes = Notes()
    for name in sorted(nwb.children(folder), key=natural):
        path = nwb.resolve(f"{folder}/{name}")
        if path is None or path in found:
            continue
        series = PatchSeries(nwb, path)
        if series.kind is None or series.is_stimulus != is_stimulus:
            continue
        with salvaging(report):
            if reason := _unusable(series):
                notes.add(path, f"{reason}: it is kept in nwb.series, and no sweep is made of it")
            else:
                found[path] = series
    notes.tell(report)
    return found


def _unusable(series: PatchSeries) -> str | None:
    """Why no sweep can be made of a series; None where one can."""
    if series.is_mislabelled:
        measured = {"V": "volts", "A": "amperes"}[series.expected_unit]
        return f"is called a {series.kind}, which measures {measured}, and has the unit {series.unit_text}"
    if not series.data.size:
        return "has no samples"
    if series.data.size != len(series.data):
        return f"has {series.data.size // len(series.data):,} values at a time"
    if series.sampling_rate is None:
        return "has neither a sampling rate nor time stamps at regular intervals"
    return None


def _told_numbers(nwb: NwbFile, report: Report) -> dict[str, int]:
    """Path of a series -> its sweep number by the sweep table."""
    numbers: dict[str, int] = {}
    if not nwb.is_group(SWEEP_TABLE):
        return numbers
    with salvaging(report):
        table = nwb.table(SWEEP_TABLE)
        if not {"series", "sweep_number"} <= set(table.columns):
            return numbers
        series, ends, rows = table.data("series")[:], table.ends("series"), table.values("sweep_number")
        if rows.dtype.kind not in "iu" or rows.ndim != 1 or series.dtype != object:
            raise nwb.error(SWEEP_TABLE, "should name a sweep number and series in each row")
        start = 0
        for row, end in enumerate(ends.tolist() if ends is not None else range(1, len(rows) + 1)):
            for path in series[start:end].tolist():
                number = int(rows[row])
                if path is not None and 0 <= number < 1 << 31:
                    numbers.setdefault(nwb.resolve(str(path)) or str(path), number)
            start = end
    return numbers


def _tabled(
    nwb: NwbFile,
    rows: Sequence[Row],
    responses: dict[str, PatchSeries],
    stimuli: dict[str, PatchSeries],
    report: Report,
) -> list[Sweep]:
    """Sweeps of the table of intracellular recordings, one for each row that has a response."""
    sweeps, notes = [], Notes()
    for row in rows:
        response = _piece(nwb, row.response, responses)
        if response is None:
            continue
        stimulus = _piece(nwb, row.stimulus, stimuli)
        if stimulus is None and row.template is not None and row.stimulus is None:
            notes.add(
                f"recording {row.recording_id}", "names only the template of its stimulus, which is not taken for it"
            )
        sweeps.append(Sweep(response, stimulus, row.electrode or response.series.electrode, row))
    notes.tell(report)
    return sweeps


def _piece(nwb: NwbFile, span: Span | None, series: dict[str, PatchSeries]) -> Piece | None:
    found = series.get(nwb.resolve(span.path) or span.path) if span else None
    if span is None or found is None:
        return None
    if span.stop > len(found.data):
        reason = f"is recorded to end at sample {span.stop:,}, and has {len(found.data):,}"
        raise nwb.error(f"{found.path}/data", reason, "--salvage leaves the table of recordings aside")
    return Piece(found, span.start, span.stop) if span.stop > span.start else None


def _numbered(sweeps: list[Sweep], told: dict[str, int], report: Report) -> tuple[list[Sweep], Numbering | None]:
    """Sweeps with numbers, and how a series' number is told; by the first way that tells all of them apart."""

    def declared(series: PatchSeries) -> int | None:
        number = series.declared_number
        return told.get(series.path) if number is None else number

    def by_any(series: PatchSeries) -> int | None:
        number = declared(series)
        return number_in_name(series.name) if number is None else number

    def by_name(series: PatchSeries) -> int | None:
        return number_in_name(series.name)

    ways: tuple[tuple[str, Numbering], ...] = (("", by_any), ("the numbers in their names", by_name))
    for how, number_of in ways:
        numbers = [number_of(sweep.response.series) for sweep in sweeps]
        if _tells_apart(sweeps, numbers):
            _warn_of_numbering(sweeps, declared, how, report)
            return _given(sweeps, numbers), number_of
    together = [sweep.row.simultaneous if sweep.row else None for sweep in sweeps]
    how = "the simultaneous recordings they are part of"
    if not _tells_apart(sweeps, together):
        counts: Counter[str | None] = Counter()
        together, how = [], "their order"
        for sweep in sweeps:
            together.append(counts[sweep.electrode])
            counts[sweep.electrode] += 1
    _warn_of_numbering(sweeps, declared, how, report)
    return _given(sweeps, together), None


def _tells_apart(sweeps: list[Sweep], numbers: Sequence[int | None]) -> bool:
    """Every sweep has a number, and no two of an electrode the same."""
    pairs = {(sweep.electrode, number) for sweep, number in zip(sweeps, numbers, strict=True)}
    return None not in numbers and len(pairs) == len(sweeps)


def _given(sweeps: list[Sweep], numbers: Sequence[int | None]) -> list[Sweep]:
    return [replace(s, sweep_number=-1 if n is None else n) for s, n in zip(sweeps, numbers, strict=True)]


def _warn_of_numbering(sweeps: list[Sweep], declared: Numbering, how: str, report: Report) -> None:
    """Say when the numbers that the file declares are not those of the sweeps."""
    numbers = [declared(sweep.response.series) for sweep in sweeps]
    if how and any(number is not None for number in numbers):
        given = sorted({number for number in numbers if number is not None})
        some = ", ".join(map(str, given[:5])) + (" ..." if len(given) > 5 else "")
        report.warn(f"the sweep numbers {some} do not tell sweeps of an electrode apart: sweeps are numbered by {how}")


def _with_stimuli(
    sweeps: list[Sweep], stimuli: list[PatchSeries], number_of: Numbering | None, report: Report
) -> list[Sweep]:
    """Sweeps that the table of recordings does not tell of, with the stimulus of the same number and electrode."""
    if number_of is None:
        return sweeps
    by_number: dict[int | None, list[PatchSeries]] = {}
    for series in stimuli:
        by_number.setdefault(number_of(series), []).append(series)
    n_responses = Counter(sweep.sweep_number for sweep in sweeps)
    found, notes = [], Notes()
    for sweep in sweeps:
        number, response = sweep.sweep_number, sweep.response.series
        same = [s for s in by_number.get(number, []) if s.clamp_mode == response.clamp_mode and sweep.row is None]
        own = [s for s in same if s.electrode == sweep.electrode]
        if not own and len(same) == 1 and n_responses[number] == 1:
            own = same
            if same[0].electrode is not None:
                notes.add(
                    same[0].path, "is of another electrode than the only response of its number: it was joined to it"
                )
        if len(own) > 1:
            named = ", ".join(s.path for s in own[:4])
            notes.add(f"sweep {number}", f"has {len(own)} stimuli ({named}): none was taken")
        elif own and own[0].sampling_rate != response.sampling_rate:
            rates = f"{own[0].sampling_rate:g} Hz, and its response at {response.sampling_rate:g} Hz"
            notes.add(own[0].path, f"is sampled at {rates}: it was not taken as the stimulus")
        elif own:
            sweep = replace(sweep, stimulus=Piece(own[0], 0, len(own[0].data)))
        found.append(sweep)
    notes.tell(report)
    return found


def natural(name: str) -> tuple[tuple[bool, int, str], ...]:
    """Sorts names by the numbers in them, however long: sweep 2 before sweep 10."""
    parts = re.findall(r"[0-9]+|[^0-9]+", name)
    numbers = (part.lstrip("0") if part[0] in "0123456789" else None for part in parts)
    return tuple(
        (True, 0, part) if number is None else (False, len(number), number)
        for part, number in zip(parts, numbers, strict=True)
    )
