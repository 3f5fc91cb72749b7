"""Which series of an NWB 1 file make a sweep.

Allen files have an epoch ``Sweep_N`` for each, which links stimulus and response and tells their range; ``Experiment_N``
tells the part behind the test pulse (NW-3, NW-4). Other files (MIES) tell by the numbers in the names of series.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import cached_property

from .contract import Report, made_id
from .icephys_texts import stimulus_code
from .nwb1_icephys_series import ELECTRODES, RESPONSES, STIMULI, Nwb1Series
from .nwb_columns import text_or_none, whole_or_none
from .nwb_file import NwbFile
from .nwb_icephys_series import number_in_name
from .nwb_icephys_sweeps import natural
from .salvage import salvaging

EPOCHS = "/epochs"
_EPOCH = re.compile(r"Sweep_(\d{1,9})")

Range = tuple[int, int]  # first and last sample, both included


@dataclass(frozen=True)
class Sweep:
    """One response of one electrode with its stimulus.

    whole, experiment, test_pulse : ranges of samples, as the epochs tell
    rank : position in the file's own order of names
    """

    sweep_number: int
    response: Nwb1Series
    stimulus: Nwb1Series | None
    rank: int
    whole: Range | None = None
    experiment: Range | None = None
    test_pulse: Range | None = None
    specimen_id: int = -1

    @property
    def electrode_name(self) -> str | None:
        return self.response.electrode_name or (self.stimulus.electrode_name if self.stimulus else None)

    @property
    def sampling_rate(self) -> float | None:
        """Of the stimulus, as the reference has it (NW-3)."""
        rate = self.stimulus.sampling_rate if self.stimulus else None
        return self.response.sampling_rate if rate is None else rate

    @property
    def description(self) -> str | None:
        """Acquisition code and repeat of the stimulus."""
        stimulus, response = self.stimulus, self.response
        told = stimulus.text("aibs_stimulus_description") if stimulus else None
        return told or response.stimulus_description or (stimulus.stimulus_description if stimulus else None)

    @property
    def code(self) -> tuple[str | None, int | None]:
        return stimulus_code(self.description)


@dataclass(frozen=True)
class Recording:
    """An open NWB 1 file of patch-clamp recordings."""

    nwb: NwbFile

    @cached_property
    def is_allen(self) -> bool:
        """Laid out as the Cell Types Database's files: an epoch a sweep."""
        return any(_EPOCH.fullmatch(name) for name in self.nwb.children(EPOCHS))

    @cached_property
    def layout(self) -> str:
        if self.is_allen:
            return "allen_v1"
        return "mies_v1" if "MIES" in self._generated_by else "nwb1"

    @cached_property
    def _generated_by(self) -> list[str]:
        path = "/general/generated_by"
        if not self.nwb.is_dataset(path) or self.nwb.dataset(path).is_null:
            return []
        return [str(value) for value in self.nwb.array(path).reshape(-1).tolist()]

    @cached_property
    def pipeline_version(self) -> tuple[int, int]:
        """Of the Allen pipeline; (0, 0) where the file does not say (NW-1).

        The reference compares bytes with text on current h5py and says (0, 0) of every file; here text is decoded.
        """
        said = self._generated_by
        if "version" not in said[:-1]:
            return 0, 0
        numbers = said[said.index("version") + 1].split(".")[:2]
        if len(numbers) < 2 or not all(n.isascii() and n.isdigit() and len(n) < 9 for n in numbers):
            return 0, 0
        return int(numbers[0]), int(numbers[1])

    @property
    def is_si(self) -> bool:
        """Samples are SI as they are: Allen files up to 1.0 (NW-2); elsewhere NWB's own rule holds."""
        return self.is_allen and self.pipeline_version < (1, 1)

    @cached_property
    def allen_specimen_id(self) -> int | None:
        path = "/general/aibs_specimen_id"
        number = whole_or_none(self.nwb, path) if self.is_allen and self.nwb.is_dataset(path) else None
        return number if number and number > 0 else None

    @property
    def subject(self) -> str:
        """What the file is about."""
        if self.allen_specimen_id is not None:
            return f"icephys.cell/{self.allen_specimen_id}"
        return f"icephys.recording/{self.identifier}"

    @cached_property
    def identifier(self) -> str:
        if self.nwb.identifier is None:
            raise self.nwb.error("/identifier", "is missing: nothing tells this recording from others")
        return self.nwb.identifier

    @property
    def file_id(self) -> int:
        return made_id(self.subject, "nwb.file", self.identifier)

    @property
    def electrodes(self) -> list[str]:
        """Paths of the electrodes."""
        return [p for n in self.nwb.children(ELECTRODES) if self.nwb.is_group(p := f"{ELECTRODES}/{n}")]

    def sweeps(self, report: Report) -> list[Sweep]:
        """By specimen and number; no two of a specimen have the same number."""
        found = list(self._of_epochs(report) if self.is_allen else self._of_names(report))
        names = {sweep.electrode_name for sweep in found}
        cells = {name: self.specimen_id(name, len(names)) for name in names}
        found = [replace(sweep, specimen_id=cells[sweep.electrode_name]) for sweep in found]
        found.sort(key=lambda sweep: (sweep.specimen_id, sweep.sweep_number))
        return list(_distinct(found, report))

    def specimen_id(self, electrode_name: str | None, n_electrodes: int) -> int:
        """The cell of an electrode: the file's, or where several electrodes record, the electrode's own."""
        if self.allen_specimen_id is not None and n_electrodes == 1:
            return self.allen_specimen_id
        return (
            made_id(self.identifier, f"{ELECTRODES}/{electrode_name}") if n_electrodes > 1 else made_id(self.identifier)
        )

    def _of_epochs(self, report: Report) -> Iterator[Sweep]:
        names = [name for name in self.nwb.children(EPOCHS) if _EPOCH.fullmatch(name)]
        for rank, name in enumerate(names):
            with salvaging(report):
                number = int(name.removeprefix("Sweep_"))
                response = self._linked(f"{EPOCHS}/{name}/response", f"{RESPONSES}/{name}", False)
                stimulus = self._linked(f"{EPOCHS}/{name}/stimulus", f"{STIMULI}/{name}", True)
                if response is None:
                    raise self.nwb.error(
                        f"{EPOCHS}/{name}/response/timeseries", "is missing: the sweep has no response"
                    )
                whole = self._range(f"{EPOCHS}/{name}", report, len(response.data))
                if whole is not None and whole[0] != 0:
                    raise self.nwb.error(f"{EPOCHS}/{name}/stimulus/idx_start", f"should be 0, and is {whole[0]}")
                experiment = self._range(f"{EPOCHS}/Experiment_{number}", report, len(response.data))
                pulse = self._range(f"{EPOCHS}/TestPulse_{number}", report, len(response.data))
                yield Sweep(number, response, stimulus, rank, whole, experiment, pulse)

    def _linked(self, epoch: str, usual: str, is_stimulus: bool) -> Nwb1Series | None:
        """The series an epoch links, under its usual path where that is the same series; None where there is none."""
        path = self.nwb.resolve(f"{epoch}/timeseries")
        if path is None or (self.nwb.is_group(usual) and self.nwb.address(path) == self.nwb.address(usual)):
            path = usual
        if not self.nwb.is_dataset(f"{path}/data"):
            return None
        series = Nwb1Series(self.nwb, path, is_stimulus, self.is_si)
        if series.kind is None:
            raise self.nwb.error(path, "tells neither by its ancestry nor by its unit what it measures")
        return series

    def _range(self, epoch: str, report: Report, n_samples: int) -> Range | None:
        """First and last sample (included) of the stimulus of an epoch; older files tell idx_stop instead of a count."""
        at = f"{epoch}/stimulus"
        start, count, stop = (
            whole_or_none(self.nwb, p) if self.nwb.is_dataset(p := f"{at}/{name}") else None
            for name in ("idx_start", "count", "idx_stop")
        )
        if start is None or (count is None and stop is None):
            return None
        last = start + count - 1 if count is not None else stop
        assert last is not None
        if not 0 <= start <= last + 1:
            raise self.nwb.error(at, f"goes from sample {start} to {last}")
        if last >= n_samples:
            report.warn(f"{at} ends at sample {last}, and the response has {n_samples}")
        return start, last

    def _of_names(self, report: Report) -> Iterator[Sweep]:
        """A response with the stimulus of the same number and electrode."""
        stimuli: dict[tuple[int | None, str | None], list[Nwb1Series]] = {}
        for series in self._series(STIMULI, True, report):
            stimuli.setdefault((number_in_name(series.name), series.electrode_name), []).append(series)
        for rank, response in enumerate(self._series(RESPONSES, False, report)):
            number = number_in_name(response.name)
            given = stimuli.get((number, response.electrode_name), [])
            if len(given) > 1:
                names = ", ".join(series.path for series in given[:4])
                report.warn(f"{response.path} has {len(given)} stimuli ({names}): none was taken")
            with salvaging(report):
                stimulus = given[0] if len(given) == 1 else None
                n_samples = len(response.data)
                yield Sweep(rank if number is None else number, response, stimulus, rank, (0, n_samples - 1))

    def _series(self, folder: str, is_stimulus: bool, report: Report) -> Iterator[Nwb1Series]:
        """Patch-clamp series of a folder, in the order of the numbers in their names."""
        for name in sorted(self.nwb.children(folder), key=natural):
            path = self.nwb.resolve(f"{folder}/{name}")
            if path is None or not self.nwb.is_group(path):
                continue
            series = Nwb1Series(self.nwb, path, is_stimulus, self.is_si)
            with salvaging(report):
                if series.kind is not None and series.is_stimulus == is_stimulus:
                    yield series

    def told(self, path: str) -> str | None:
        """A text of the file; None where it is missing or says nothing."""
        text = text_or_none(self.nwb, path) if self.nwb.is_dataset(path) else None
        return None if text is None or text.strip().upper() in ("", "PLACEHOLDER", "NA", "N/A") else text


def _distinct(sweeps: list[Sweep], report: Report) -> Iterator[Sweep]:
    """The first of sweeps that share a number."""
    seen: set[tuple[int, int]] = set()
    for sweep in sweeps:
        key = sweep.specimen_id, sweep.sweep_number
        if key in seen:
            report.skip(sweep.response.path, f"a second sweep {sweep.sweep_number} of its electrode")
        else:
            seen.add(key)
            yield sweep


def is_patch_clamp(nwb: NwbFile) -> bool:
    """The file holds responses of patch clamp, or epochs of sweeps."""
    if not nwb.is_group(ELECTRODES) and not any(_EPOCH.fullmatch(name) for name in nwb.children(EPOCHS)):
        return False
    paths = (f"{RESPONSES}/{name}" for name in nwb.children(RESPONSES))
    return any(nwb.is_group(path) and Nwb1Series(nwb, path, False, True).kind is not None for path in paths)
