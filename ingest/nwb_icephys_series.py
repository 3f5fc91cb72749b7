"""A patch-clamp series of an NWB 2 file: what it is of, in which unit, and its samples in volts or amperes."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Literal

import numpy as np

from .chunk_slices import whole
from .hdf5 import Dataset
from .notes import Notes
from .nwb_columns import text_or_none
from .nwb_file import NwbFile

Unit = Literal["V", "A"]

_CLASSES: dict[str, tuple[str, Unit]] = {  # class -> (clamp mode, unit of its samples); the most special first
    "IZeroClampSeries": ("izero", "V"),
    "CurrentClampSeries": ("current_clamp", "V"),
    "VoltageClampSeries": ("voltage_clamp", "A"),
    "CurrentClampStimulusSeries": ("current_clamp", "A"),
    "VoltageClampStimulusSeries": ("voltage_clamp", "V"),
}
_PREFIXES = {
    "": 1.0, "p": 1e-12, "n": 1e-9, "u": 1e-6, "μ": 1e-6, "m": 1e-3, "k": 1e3, "M": 1e6, "G": 1e9,
    "pico": 1e-12, "nano": 1e-9, "micro": 1e-6, "milli": 1e-3, "kilo": 1e3, "mega": 1e6, "giga": 1e9,
}  # fmt: skip
_UNIT = re.compile(
    r"(?P<prefix>[pnuμmkMG]?|pico|nano|micro|milli|kilo|mega|giga)(?P<base>[vV]|[vV]olts?|[aA]|[aA]mp(?:ere)?s?)"
)
_CHANNEL = re.compile(r"_(?:AD|DA|TTL)\d+$")  # of MIES: the channel behind the number of the sweep
_BLOCK = 1 << 20  # time stamps looked at together
_UNEVEN = 0.01  # of a sampling interval: how far time stamps may lie from a regular clock
_SAME = 1e-6  # conversions are stored in float32 by some


def parse_unit(text: str | None) -> tuple[Unit, float] | None:
    """A unit as written, as (V or A, factor to it): ``mV``, ``volts``, ``picoamperes`` ...; None for anything else."""
    spelled = unicodedata.normalize("NFKC", text or "").strip()
    match = _UNIT.fullmatch(spelled) or _UNIT.fullmatch(spelled.lower())
    if not match:
        return None
    base: Unit = "V" if match["base"][0] in "vV" else "A"
    return base, _PREFIXES[match["prefix"]]


def number_in_name(name: str) -> int | None:
    """The number by which a name tells its sweep: the last one, channels left aside; None where it has none."""
    found = re.findall(r"\d+", _CHANNEL.sub("", name))
    return int(found[-1]) if found and len(found[-1]) < 10 else None


@dataclass(frozen=True)
class PatchSeries:
    """A PatchClampSeries at a path."""

    nwb: NwbFile
    path: str

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[1]

    @cached_property
    def kind(self) -> str | None:
        """Its class among those of patch clamp, extensions by what they extend; None for any other series."""
        lineage = self.nwb.base_types(self.path)
        return next((kind for kind in lineage if kind in _CLASSES), None)

    @property
    def is_stimulus(self) -> bool:
        return self.kind is not None and self.kind.endswith("StimulusSeries")

    @property
    def clamp_mode(self) -> str:
        """current_clamp, voltage_clamp or izero."""
        assert self.kind is not None
        return _CLASSES[self.kind][0]

    @property
    def expected_unit(self) -> Unit:
        """What a series of its class measures."""
        assert self.kind is not None
        return _CLASSES[self.kind][1]

    @cached_property
    def unit_text(self) -> str | None:
        """The unit as the file spells it."""
        value = _one(self.nwb.attributes(f"{self.path}/data").get("unit"))
        return str(value) if value not in (None, "") else None

    @cached_property
    def is_mislabelled(self) -> bool:
        """Its unit is not one that its class measures: either the class is wrong or the unit."""
        parsed = parse_unit(self.unit_text)
        return parsed is not None and parsed[0] != self.expected_unit

    @cached_property
    def data(self) -> Dataset:
        """Samples as stored. Raises SourceError where they are no numbers."""
        path = f"{self.path}/data"
        data = self.nwb.dataset(path)
        if data.ndim == 0 or data.dtype.kind not in "fiu" or data.is_null:
            raise self.nwb.error(path, f"should be a list of numbers, and is {data.ndim}-dimensional {data.dtype}")
        return data

    @cached_property
    def conversion(self) -> float:
        """Factor from stored samples to the unit that the file spells."""
        return self._factor("conversion", 1.0)

    @cached_property
    def offset(self) -> float:
        """Added behind the factor."""
        return self._factor("offset", 0.0)

    @cached_property
    def factor(self) -> float:
        """From stored samples to volts or amperes, the prefix of the unit included once."""
        prefix = self._prefix
        return self.conversion if _is_same(self.conversion, prefix) else self.conversion * prefix

    @property
    def _prefix(self) -> float:
        parsed = parse_unit(self.unit_text)
        return parsed[1] if parsed else 1.0

    def samples(self, start: int = 0, stop: int | None = None) -> np.ndarray:
        """Samples in volts or amperes: ``data * conversion + offset``.

        Single-precision samples are converted in single precision (NW-8), others in double.
        """
        is_whole = start == 0 and stop in (None, len(self.data))
        stored = (whole(self.data) if is_whole else self.data[start:stop]).reshape(-1)
        is_single = stored.dtype.kind == "f" and stored.dtype.itemsize <= 4
        converted: np.ndarray = stored.astype(np.float32 if is_single else np.float64, copy=False)
        with np.errstate(over="ignore", invalid="ignore"):
            if self.factor != 1:
                converted *= self.factor  # a Python number takes the precision of the samples
            if self.offset:
                converted += self.offset * self._prefix
        return converted

    @cached_property
    def start_time(self) -> float | None:
        """Time of the first sample (s)."""
        stamps = self._timestamps
        if stamps is not None:
            return float(stamps[0:1][0]) if len(stamps) else None
        return self.number("starting_time")

    @cached_property
    def sampling_rate(self) -> float | None:
        """Hz; of time stamps where they lie on a regular clock; None where samples are irregular or have no times."""
        stamps = self._timestamps
        if stamps is None:
            rate = _one(self.nwb.attributes(f"{self.path}/starting_time").get("rate"))
            return float(rate) if isinstance(rate, (int, float)) and 0 < rate < np.inf else None
        if len(stamps) < 2:
            return None
        first, last = float(stamps[0:1][0]), float(stamps[len(stamps) - 1 : len(stamps)][0])
        step = (last - first) / (len(stamps) - 1)
        if not 0 < step < np.inf:
            return None
        for start in range(0, len(stamps), _BLOCK):
            block = stamps[start : start + _BLOCK].astype(np.float64)
            ideal = first + step * np.arange(start, start + len(block))
            if not np.all(np.abs(block - ideal) <= _UNEVEN * step):  # NaN is no regular clock either
                return None
        return 1 / step

    @cached_property
    def _timestamps(self) -> Dataset | None:
        path = f"{self.path}/timestamps"
        if not self.nwb.is_dataset(path):
            return None
        stamps = self.nwb.dataset(path)
        if stamps.ndim != 1 or stamps.dtype.kind not in "fiu" or len(stamps) != len(self.data):
            shape = f"{stamps.size} {stamps.dtype} for {len(self.data)} samples"
            raise self.nwb.error(path, f"should be one time for every sample, and are {shape}")
        return stamps

    @cached_property
    def electrode(self) -> str | None:
        """Path of the electrode, links followed."""
        return self.nwb.resolve(f"{self.path}/electrode")

    @cached_property
    def declared_number(self) -> int | None:
        """The attribute ``sweep_number``; None where there is none."""
        value = _one(self.nwb.attributes(self.path).get("sweep_number"))
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        return value if isinstance(value, int) and 0 <= value < 1 << 31 else None

    @cached_property
    def stimulus_description(self) -> str | None:
        """What the file says was given; ``NA`` and ``N/A`` say nothing."""
        value = _one(self.nwb.attributes(self.path).get("stimulus_description"))
        said = text_or_none(self.nwb, f"{self.path}/stimulus_description") if value is None else str(value)
        return None if said is None or said.strip().upper() in ("", "NA", "N/A") else said

    def number(self, name: str) -> float | None:
        """A single value beside the samples (gain, bias_current ...); None where missing, NaN or no number.

        NWB fixes their units (A, F, Ω): the ``unit`` attributes that some writers add name others than the values
        have (MIES: pF beside farads).
        """
        value = _one(self.nwb.scalar(f"{self.path}/{name}"))
        if not isinstance(value, (int, float)) or value != value or abs(value) == np.inf:
            return None
        return float(value)

    def note_units(self, notes: Notes) -> None:
        """Say what of its unit had to be decided without the file telling it."""
        parsed = parse_unit(self.unit_text)
        if parsed is None:
            said = f"the unit {self.unit_text!r}" if self.unit_text else "no unit"
            notes.add(self.path, f"has {said}: taken as {self.expected_unit}, what a {self.kind} measures")
        elif parsed[1] != 1 and self.conversion != 1:
            once = _is_same(self.conversion, parsed[1])
            how = "taken as leading to it without its prefix" if once else "both were applied"
            notes.add(self.path, f"has the unit {self.unit_text} and the conversion {self.conversion:g}: {how}")

    def _factor(self, name: str, default: float) -> float:
        value = _one(self.nwb.attributes(f"{self.path}/data").get(name))
        if value is None:
            return default
        if not isinstance(value, (int, float)) or not np.isfinite(value):
            raise self.nwb.error(f"{self.path}/data@{name}", f"should be a number, and is {str(value)[:40]!r}")
        return float(value)


def _is_same(conversion: float, prefix: float) -> bool:
    """The conversion is the unit's own prefix: it leads to the unit without it, and is not applied twice."""
    return prefix != 1 and abs(conversion - prefix) <= _SAME * prefix


def _one(value: Any) -> Any:
    """A value, also where a writer made it a list of one."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value
