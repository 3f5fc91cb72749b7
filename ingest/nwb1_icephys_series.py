"""A patch-clamp series of an NWB 1 file: its class is told by its ancestry, its electrode by a name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from .hdf5 import Dataset
from .icephys_texts import resistance
from .nwb_columns import text_or_none
from .nwb_icephys_series import PatchSeries, parse_unit

ELECTRODES = "/general/intracellular_ephys"
RESPONSES, STIMULI = "/acquisition/timeseries", "/stimulus/presentation"
_CLASSES = frozenset(
    {
        "CurrentClampSeries",
        "IZeroClampSeries",
        "VoltageClampSeries",
        "CurrentClampStimulusSeries",
        "VoltageClampStimulusSeries",
    }
)
# what a series without ancestry is, by where it is and by its unit
_BY_UNIT = {
    (False, "V"): "CurrentClampSeries",
    (False, "A"): "VoltageClampSeries",
    (True, "A"): "CurrentClampStimulusSeries",
    (True, "V"): "VoltageClampStimulusSeries",
}
_SOURCE = re.compile(r"(\w+)=([^;]*)")


@dataclass(frozen=True)
class Nwb1Series(PatchSeries):
    """A series at a path.

    is_given : it is a stimulus, by where the file keeps it
    is_si : its samples are volts or amperes, whatever the conversion says (Allen files up to 1.0; NW-2)
    """

    is_given: bool
    is_si: bool

    @cached_property
    def kind(self) -> str | None:
        about = self.nwb.attributes(self.path)
        ancestry = about.get("ancestry")
        lineage = [*(ancestry if isinstance(ancestry, list) else [ancestry]), about.get("neurodata_type")]
        told = next((str(kind) for kind in reversed(lineage) if kind in _CLASSES), None)
        if told is not None or not self.nwb.is_dataset(f"{self.path}/data"):
            return told
        unit = parse_unit(self.unit_text)
        return _BY_UNIT[self.is_given, unit[0]] if unit and self.nwb.has(f"{self.path}/starting_time") else None

    @cached_property
    def data(self) -> Dataset:
        """Samples as stored. Raises SourceError where they are no list of numbers."""
        data = super().data
        if data.size != len(data):
            raise self.nwb.error(f"{self.path}/data", f"should be a list of numbers, and is {data.ndim}-dimensional")
        return data

    @cached_property
    def factor(self) -> float:
        return 1.0 if self.is_si else super().factor

    @cached_property
    def electrode_name(self) -> str | None:
        """As the series tells it; of a MIES file also the name of the electrode's group."""
        return text_or_none(self.nwb, f"{self.path}/electrode_name")

    @cached_property
    def electrode(self) -> str | None:
        """Path of the electrode of that name."""
        name = self.electrode_name
        return None if name is None or "/" in name else self.nwb.resolve(f"{ELECTRODES}/{name}")

    @cached_property
    def declared_number(self) -> int | None:
        return None  # names tell it; MIES counts sweeps anew for every device

    @cached_property
    def source(self) -> dict[str, str]:
        """What MIES says of where it comes from: Device, Sweep, AD or DA, ElectrodeNumber, ElectrodeName."""
        said = self.nwb.attributes(self.path).get("source")
        return dict(_SOURCE.findall(said)) if isinstance(said, str) else {}

    def whole(self, name: str) -> int | None:
        """A number of :attr:`source`; None where it says none."""
        value = self.source.get(name, "")
        return int(value) if value.isascii() and value.isdigit() and len(value) < 10 else None

    def text(self, name: str) -> str | None:
        """A text beside the samples; None where it is missing or empty."""
        path = f"{self.path}/{name}"
        return text_or_none(self.nwb, path) if self.nwb.is_dataset(path) else None

    def amount(self, name: str, bare: float) -> float | None:
        """A resistance beside the samples, a number or a text, in units of ``bare`` Ohm."""
        path = f"{self.path}/{name}"
        value: Any = self.nwb.scalar(path) if self.nwb.is_dataset(path) else None
        if isinstance(value, str):
            ohms = resistance(value, bare)
            return None if ohms is None else ohms / bare
        return self.number(name) if value is not None else None
