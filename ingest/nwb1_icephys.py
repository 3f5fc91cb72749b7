"""The reader of NWB 1 files of patch-clamp recordings: the Cell Types Database's (2.2), MIES' (2.3), and others."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence

import pyarrow as pa

from ..lake.errors import SourceError
from .contract import Identity, Part, Report, Rows, Source
from .icephys_notebook import NOTEBOOK, has_notebook, notebook_rows
from .icephys_samples import trace_rows
from .nwb1_icephys_rows import electrode_rows, file_rows, spike_paths, spike_time_rows, sweep_rows
from .nwb1_icephys_sweeps import Recording, Sweep, is_patch_clamp
from .nwb_file import NwbFile
from .salvage import salvaging


class Nwb1IcephysReader:
    """Reader of NWB 1 files with patch-clamp series."""

    name = "nwb1_icephys"
    version = "1"
    parts: Sequence[Part] = (
        Part("sweeps", "the file, its electrodes and sweeps"),
        Part("samples", "stimulus and response of every sweep"),
        Part("spike_times", "spike times that the file holds"),
        Part("lab_notebook", "what the acquisition program noted (MIES)"),
    )

    def sniff(self, source: Source) -> bool:
        try:
            with NwbFile.open(source) as nwb:
                return nwb.is_nwb1 and is_patch_clamp(nwb)
        except (SourceError, OSError):
            return False

    def identify(self, source: Source) -> Identity:
        with _open(source) as nwb, _understanding(nwb):
            recording = Recording(nwb)
            dataset = "Allen Cell Types Database" if recording.allen_specimen_id is not None else None
            return Identity(recording.subject, "cell_nwb", dataset, publications=nwb.publications)

    def inspect(self, source: Source, report: Report) -> None:
        with _open(source) as nwb, _understanding(nwb):
            recording = Recording(nwb)
            _inspect(recording, recording.sweeps(report), report)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        with _open(source) as nwb, _understanding(nwb):
            recording = Recording(nwb)
            sweeps = recording.sweeps(report)
            _inspect(recording, sweeps, report)
            yield from _read(recording, sweeps, parts, report)


@contextlib.contextmanager
def _understanding(nwb: NwbFile) -> Iterator[None]:
    """Files of all laboratories come by: one that nobody expected is an error of the source, not a crash."""
    try:
        yield
    except (ValueError, TypeError, LookupError, ArithmeticError, AttributeError, pa.ArrowException) as error:
        reason = f"is laid out as nobody expected: {type(error).__name__}: {' '.join(str(error).split())}"
        raise SourceError(nwb.source, nwb.last_read, reason[:500], "report it if the file is sound") from error


def _open(source: Source) -> NwbFile:
    nwb = NwbFile.open(source)
    if not nwb.is_nwb1:
        version = nwb.version
        nwb.close()
        raise SourceError(source, "/nwb_version", f"is {version!r}: no NWB 1 file")
    return nwb


def _inspect(recording: Recording, sweeps: Sequence[Sweep], report: Report) -> None:
    report.found("sweeps", 0)
    series = {s.path: s for sweep in sweeps for s in (sweep.response, sweep.stimulus) if s is not None}
    report.found("samples", sum(s.data.stored_bytes for s in series.values()))
    spikes = [recording.nwb.stored_bytes(path) for _, _, path in spike_paths(recording)]
    if spikes:
        report.found("spike_times", sum(spikes))
    if has_notebook(recording.nwb):
        report.found("lab_notebook", recording.nwb.stored_bytes(NOTEBOOK))


def _read(recording: Recording, sweeps: Sequence[Sweep], parts: frozenset[str], report: Report) -> Iterator[Rows]:
    if "sweeps" in parts:
        yield file_rows(recording, sweeps, report)
        yield from electrode_rows(recording, sweeps, report)
        yield from sweep_rows(recording, sweeps, report)
    if "spike_times" in parts:
        yield from spike_time_rows(recording, sweeps, report)
    if "samples" in parts:
        for done, sweep in enumerate(sweeps):
            with salvaging(report):
                stimulus = sweep.stimulus.samples() if sweep.stimulus else None
                yield from trace_rows(sweep.specimen_id, sweep.sweep_number, stimulus, sweep.response.samples())
            report.progress("samples", done + 1, len(sweeps))
    if "lab_notebook" in parts:
        with salvaging(report):
            yield from notebook_rows(recording.nwb, recording.file_id)


READER = Nwb1IcephysReader()
