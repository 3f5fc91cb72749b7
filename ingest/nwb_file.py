"""An open NWB file: its version and identifier, its types, its tables."""

from __future__ import annotations

from functools import cached_property

from ..lake.errors import SourceError
from .contract import Source
from .hdf5 import Hdf5File
from .hdf5_values import plain
from .nwb_specs import Types
from .nwb_table import NwbTable

MAX_PUBLICATIONS = 1_000  # of a file; with more it lists something else
# what every NWB 2 file has, for files whose root attributes were lost
_LAYOUT = ("/identifier", "/session_description", "/session_start_time", "/acquisition", "/general", "/processing")


class NwbFile(Hdf5File):
    """An NWB file of any version, as HDF5 with what NWB adds to it."""

    subject: str | None = None  # what the reader found the file to be about, once it did

    @cached_property
    def version(self) -> str | None:
        """As declared: an attribute of the root (NWB 2) or a dataset (NWB 1); None where neither is there."""
        declared = self.attributes("/").get("nwb_version")
        if declared is None and self.is_dataset("/nwb_version"):
            declared = self.scalar("/nwb_version")
        if isinstance(declared, list):  # some writers make arrays of one element
            declared = declared[0] if declared else None
        return None if declared is None else str(declared)

    @cached_property
    def is_nwb2(self) -> bool:
        """Declared, or where the root lost its attributes, laid out as such."""
        if self.version is not None:
            return self.version.removeprefix("NWB-").startswith("2")
        return all(self.has(path) for path in _LAYOUT)

    @cached_property
    def is_nwb1(self) -> bool:
        """Declared as NWB 1, or as one of the drafts before it."""
        return (self.version or "").removeprefix("NWB-").startswith(("1.", "0."))

    @property
    def is_missing_root(self) -> bool:
        """The root lost its attributes: nothing declares the version."""
        return self.version is None

    @cached_property
    def identifier(self) -> str | None:
        """The file's identifier; None where it has none."""
        value = self.scalar("/identifier")
        return None if value is None or value == "" else str(value)

    @cached_property
    def publications(self) -> tuple[str, ...]:
        """What the file says was published of it: DOIs, addresses, references, as somebody typed them."""
        path = "/general/related_publications"
        if not self.is_dataset(path) or self.dataset(path).size > MAX_PUBLICATIONS:
            return ()
        texts = (str(plain(text)).strip() for text in self.array(path).reshape(-1))
        return tuple(dict.fromkeys(text for text in texts if text))

    @cached_property
    def types(self) -> Types:
        """The types the file's cached specifications define, on those of the core."""
        return Types.of(self)

    @cached_property
    def _tables(self) -> dict[str, NwbTable]:
        return {}

    def table(self, path: str) -> NwbTable:
        """A DynamicTable. Raises SourceError where there is none."""
        if path not in self._tables:
            self._tables[path] = NwbTable(self, path)
        return self._tables[path]

    def neurodata_type(self, path: str) -> str | None:
        value = self.attributes(path).get("neurodata_type")
        return value if isinstance(value, str) and value else None

    def base_types(self, path: str) -> tuple[str, ...]:
        """The type of an object and those it extends, itself first; empty where it has none."""
        kind = self.neurodata_type(path)
        return self.types.lineage(kind) if kind else ()


def is_nwb2(source: Source) -> bool:
    """Whether a file is NWB 2; never raises."""
    try:
        with NwbFile.open(source) as nwb:
            return nwb.is_nwb2
    except SourceError:
        return False
