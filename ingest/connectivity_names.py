"""What the warehouse calls the attributes of experiments and unionizes, and what the lake calls them.

A record is the same whether a table or the API gives it, so the readers of both use these names (spec: connectivity 2.1).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..lake.spec import Column, TableSpec
from ..lake.tables import connectivity as tables

DATASET = "Allen Mouse Brain Connectivity Atlas"

EXPERIMENT_NAMES = {
    "data_set_id": "experiment_id",
    "id": "experiment_id",
    "injection_structures": "injection_structure_ids",
    "injection_volume": "injection_volume_mm3",
    "injection_x": "injection_ap_um",
    "injection_y": "injection_dv_um",
    "injection_z": "injection_ml_um",
    "structure_abbrev": "structure_acronym",
}

# The reference's cache has the record's experiment under another name than the API; its index column has none.
UNIONIZE_NAMES = {
    "section_data_set_id": "experiment_id",
    "id": "unionize_id",
    "volume": "volume_mm3",
    "projection_volume": "projection_volume_mm3",
    "max_voxel_x": "max_voxel_ap_um",
    "max_voxel_y": "max_voxel_dv_um",
    "max_voxel_z": "max_voxel_ml_um",
}
UNIONIZE_INDEX = frozenset({"", "Unnamed: 0", "index"})


@dataclass(frozen=True)
class Record:
    """A kind of record: attributes that tell it, its table, and the table's other names for attributes.

    experiment : attributes that may name its experiment, the first it has counts
    """

    spec: TableSpec
    needs: frozenset[str]
    experiment: tuple[str, ...]
    renames: Mapping[str, str]
    role: str

    def matches(self, attributes: Collection[str]) -> bool:
        return self.needs <= set(attributes) and self.experiment_of(attributes) is not None

    def experiment_of(self, attributes: Collection[str]) -> str | None:
        return next((name for name in self.experiment if name in attributes), None)

    def targets(self, attributes: Sequence[str]) -> dict[str, Column]:
        """Attribute -> column of the table, for all that it has columns for."""
        own = self.experiment_of(attributes)
        found: dict[str, Column] = {}
        for name in attributes:
            if name in self.experiment and name != own:
                continue
            target = "experiment_id" if name == own else self.renames.get(name, name)
            if target in {column.name for column in self.spec} and target not in {c.name for c in found.values()}:
                found[name] = self.spec[target]
        return found


EXPERIMENTS = Record(
    tables.LISTED_EXPERIMENTS,
    frozenset({"injection_structures", "structure_id"}),
    ("data_set_id", "id"),
    EXPERIMENT_NAMES,
    "experiments",
)
UNIONIZES = Record(
    tables.PUBLISHED_UNIONIZES,
    frozenset({"structure_id", "hemisphere_id", "is_injection", "projection_density"}),
    ("section_data_set_id", "experiment_id"),
    UNIONIZE_NAMES,
    "unionizes",
)


def structure_ids(value: Any) -> list[int]:
    """Injected structures in the order given, repeats kept (EXP-01): ``"502/926"``, a list of ids, or of records.

    Raises ValueError where one is no id.
    """
    if value is None or value == "":
        return []
    if isinstance(value, int) and not isinstance(value, bool):
        return [value]
    parts = [part for part in value.split("/") if part.strip()] if isinstance(value, str) else value
    if not isinstance(parts, list):
        raise ValueError(value)
    ids: list[Any] = [part.get("id") if isinstance(part, dict) else part for part in parts]
    if any(not isinstance(i, int | str) or isinstance(i, bool) for i in ids):
        raise ValueError(value)
    return [int(i) for i in ids]
