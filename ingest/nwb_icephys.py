"""The patch-clamp section of the NWB reader: sweeps of any laboratory's NWB 2 file.

One response of one electrode with its stimulus is a sweep; how they are found is told in :mod:`.nwb_icephys_sweeps`.
Series of which no sweep can be made stay with the generic part of the reader.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from .contract import Identity, Part, Report, Rows
from .icephys_notebook import NOTEBOOK, has_notebook, notebook_rows
from .icephys_samples import trace_rows
from .nwb_file import NwbFile
from .nwb_icephys_recordings import RECORDINGS
from .nwb_icephys_rows import (
    SPIKES,
    electrode_rows,
    file_id,
    file_rows,
    intracellular_recording_rows,
    spike_time_rows,
    subject,
    sweep_rows,
)
from .nwb_icephys_sweeps import ACQUISITION, Found, Piece, find_sweeps, is_patch_clamp
from .salvage import salvaging


class IcephysSection:
    """What is patch clamp in an NWB 2 file."""

    name = "icephys"
    version = "2"
    parts: Sequence[Part] = (
        Part("sweeps", "sweeps, electrodes, how recordings are grouped"),
        Part("samples", "stimulus and response of every sweep"),
        Part("spike_times", "spike times that the file holds"),
        Part("lab_notebook", "what the acquisition program noted (MIES)"),
    )

    def claims(self, nwb: NwbFile) -> bool:
        return is_patch_clamp(nwb)

    def identify(self, nwb: NwbFile) -> Identity | None:
        if nwb.identifier is None:
            raise nwb.error("/identifier", "is missing: nothing tells this recording from others")
        return Identity(subject(nwb), "cell_nwb")

    def inspect(self, nwb: NwbFile, report: Report) -> None:
        _tell_found(find_sweeps(nwb, Report(salvage=True)), report)

    def read(self, nwb: NwbFile, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        found = find_sweeps(nwb, report)
        _tell_found(found, report)
        if not found.sweeps:
            report.warn(f"{ACQUISITION} holds patch-clamp series, and no sweep can be made of any")
            return
        if "sweeps" in parts:
            yield file_rows(found, report)
            yield from electrode_rows(found, report)
            yield sweep_rows(found, report)
            with salvaging(report):
                yield from intracellular_recording_rows(found)
        if "samples" in parts:
            yield from _samples(found, report)
        if "spike_times" in parts:
            yield from spike_time_rows(found, report)
        if "lab_notebook" in parts:
            with salvaging(report):
                yield from notebook_rows(nwb, file_id(nwb))

    def owned(self, nwb: NwbFile) -> Mapping[str, str]:
        """Series of which sweeps hold every sample: of others, the rest would be lost."""
        held: dict[str, list[Piece]] = {}
        for piece in _pieces(find_sweeps(nwb, Report(salvage=True))):
            held.setdefault(piece.path, []).append(piece)
        return {path: "icephys.sweep_traces" for path, pieces in held.items() if _covers(pieces)}


def _samples(found: Found, report: Report) -> Iterator[Rows]:
    for done, sweep in enumerate(found.sweeps):
        with salvaging(report):
            response = sweep.response.samples()
            stimulus = sweep.stimulus.samples() if sweep.stimulus else None
            yield from trace_rows(sweep.specimen_id, sweep.sweep_number, stimulus, response)
        report.progress("samples", done + 1, len(found.sweeps))


def _pieces(found: Found) -> Iterator[Piece]:
    for sweep in found.sweeps:
        yield from sweep.pieces


def _covers(pieces: Sequence[Piece]) -> bool:
    reached = 0
    for piece in sorted(pieces, key=lambda piece: piece.start):
        if piece.start > reached:
            return False
        reached = max(reached, piece.stop)
    return reached == len(pieces[0].series.data)


def _tell_found(found: Found, report: Report) -> None:
    """Bytes of every part; of samples, each series once."""
    nwb = found.nwb
    series = {piece.path: piece.series for piece in _pieces(found)}
    report.found("samples", sum(one.data.stored_bytes for one in series.values()))
    report.found("sweeps", nwb.stored_bytes(RECORDINGS) if nwb.is_group(RECORDINGS) else 0)
    if nwb.is_group(SPIKES):
        report.found("spike_times", nwb.stored_bytes(SPIKES))
    if has_notebook(nwb):
        report.found("lab_notebook", nwb.stored_bytes(NOTEBOOK))


SECTION = IcephysSection()
