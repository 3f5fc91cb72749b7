"""A DynamicTable of an NWB file: columns, row ids, ragged columns with their indices checked."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from ..lake.errors import SourceError
from .chunk_slices import whole
from .hdf5 import Dataset

if TYPE_CHECKING:
    from .nwb_file import NwbFile


@dataclass(frozen=True)
class NwbTable:
    """A table at a path. Columns are named as in the file; their indices are not columns."""

    nwb: NwbFile
    path: str

    def __post_init__(self) -> None:
        if not self.nwb.is_group(self.path):
            raise self.nwb.error(self.path, "should be a table, and is missing or a dataset")

    @property
    def name(self) -> str:
        return self.path.rsplit("/", 1)[1]

    def at(self, name: str) -> str:
        """The path of a column."""
        return f"{self.path}/{name}"

    @cached_property
    def _datasets(self) -> tuple[str, ...]:
        return tuple(name for name in self.nwb.children(self.path) if self.nwb.is_dataset(self.at(name)))

    @cached_property
    def columns(self) -> tuple[str, ...]:
        """Names of the columns, those the file declares first and in its order; without ``id`` and indices."""
        declared = [name for name in self.declared if name in self._datasets]
        others = [name for name in self._datasets if name not in declared]
        return tuple(name for name in declared + others if name != "id" and not self._is_index(name))

    @cached_property
    def declared(self) -> tuple[str, ...]:
        """The columns the table says it has, in order."""
        names = self.nwb.attributes(self.path).get("colnames")
        if isinstance(names, str):
            names = [names]
        return tuple(dict.fromkeys(str(name) for name in names or ()))

    @cached_property
    def n_rows(self) -> int:
        """Rows, by the ids, or where the table has none by the first column."""
        if "id" in self._datasets:
            return len(self.nwb.dataset(self.at("id")))
        for name in self.columns:
            indices = self.indices(name)
            return len(self.nwb.dataset(self.at(indices[-1] if indices else name)))
        return 0

    def ids(self) -> np.ndarray:
        """The row ids (int64), or 0, 1, 2 ... where the table has none."""
        if "id" not in self._datasets:
            return np.arange(self.n_rows, dtype=np.int64)
        return self._integers("id")

    def indices(self, name: str) -> tuple[str, ...]:
        """Names of the indices of a ragged column, from the one into its values outwards; empty for a plain one."""
        found: list[str] = []
        while (index := f"{found[-1] if found else name}_index") in self._datasets and self._is_index(index):
            found.append(index)
        return tuple(found)

    def data(self, name: str) -> Dataset:
        """The stored values of a column, to be read in slices; of a ragged one, all rows' values in one list."""
        if name not in self._datasets:
            raise self.nwb.error(self.at(name), "is missing")
        return self.nwb.dataset(self.at(name))

    def values(self, name: str) -> np.ndarray:
        """:meth:`data`, read whole. Raises SourceError where a plain column has not one value for every row."""
        data = self.data(name)
        if not self.indices(name) and len(data) != self.n_rows:
            raise self.nwb.error(self.at(name), f"has {len(data)} values, and the table {self.n_rows} rows")
        return whole(data)

    def ends(self, name: str) -> np.ndarray | None:
        """Where each row of a ragged column ends in :meth:`data` (int64), nested indices combined; None for others."""
        levels = self.levels(name)
        if not levels:
            return None
        ends = levels[0]
        for inner in levels[1:]:
            ends = np.concatenate([[0], inner])[ends]
        return ends

    def levels(self, name: str) -> list[np.ndarray]:
        """The indices of a ragged column, checked, from the one of the rows inwards."""
        found: list[np.ndarray] = []
        for index, target in reversed(list(zip(self.indices(name), (name, *self.indices(name)), strict=False))):
            ends = self._integers(index)
            if not found and len(ends) != self.n_rows:
                raise self.nwb.error(self.at(index), f"has {len(ends)} entries, and the table {self.n_rows} rows")
            self._refuse_inconsistent(index, ends, len(self.data(target)), target)
            found.append(ends)
        return found

    def _refuse_inconsistent(self, index: str, ends: np.ndarray, n_values: int, target: str) -> None:
        if not len(ends):
            return
        if ends[0] < 0 or (ends[1:] < ends[:-1]).any():
            row = 0 if ends[0] < 0 else int(np.argmax(ends[1:] < ends[:-1])) + 1
            raise self.nwb.error(self.at(index), f"ragged index decreases at row {row}")
        if ends[-1] > n_values:
            row = int(np.searchsorted(ends, n_values, "right"))
            reason = f"ragged index points past the data: row {row} ends at {ends[row]}, {target} has {n_values} values"
            raise self.nwb.error(self.at(index), reason, "--salvage takes what is consistent")

    def _integers(self, name: str) -> np.ndarray:
        data = self.nwb.dataset(self.at(name))
        if data.ndim != 1 or data.dtype.kind not in "iu":
            kind = f"{data.ndim}-dimensional {data.dtype}"
            raise self.nwb.error(self.at(name), f"should be a list of whole numbers, and is {kind}")
        values = data[:]
        if values.dtype.kind == "u" and values.dtype.itemsize == 8 and len(values) and values.max() >= 1 << 63:
            raise self.nwb.error(self.at(name), f"holds {values.max()}, which is beyond 64-bit whole numbers")
        return values.astype(np.int64)

    def _is_index(self, name: str) -> bool:
        """A VectorIndex; where the file lost its types, an integer list named after another column."""
        kind = self.nwb.neurodata_type(self.at(name))
        if kind is not None:
            return "VectorIndex" in self.nwb.types.lineage(kind)
        if not name.endswith("_index") or name.removesuffix("_index") not in self._datasets:
            return False
        try:
            return self.nwb.dataset(self.at(name)).dtype.kind in "iu"
        except SourceError:
            return False
