"""The API's Specimen with what it includes: how cells were listed before specimen details, and where files are linked.

    {"id": 1, "name": ..., "structure": {...}, "cortex_layer": {...}, "specimen_tags": [{"name": "dendrite type - spiny"}],
     "donor": {"transgenic_lines": [...], "organism": {...}, "conditions": [{"name": "disease categories - tumor"}]},
     "cell_soma_locations": [...], "cell_reporter": {...}, "data_sets": [...], "neuron_reconstructions": [...],
     "ephys_result": {"id": 2, "well_known_files": [{"id": 3, "well_known_file_type": {"name": "NWBDownload"}}]}}

A member is missing where the query did not include it, and null or empty where there is nothing.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.tables import cells as tables
from .cell_types_names import Record
from .contract import Source
from .json_records import column_of, extra_of

SPECIMENS = Record(
    "icephys.cell_types/specimens",
    names={},
    needs=frozenset({"id", "donor_id"}),
    one_of=frozenset({"specimen_tags", "cell_soma_locations", "is_cell_specimen", "ephys_result", "cell_reporter"}),
    lacks=frozenset({"neuronal_models", "neuronal_model_template_id"}),  # the models' own records
)

_READ = frozenset(
    {
        "id", "name", "hemisphere", "structure", "structure_id", "cortex_layer", "cell_soma_locations", "donor",
        "donor_id", "specimen_tags", "cell_reporter",
    }
)  # fmt: skip


def specimen_rows(source: Source, records: Sequence[Mapping[str, Any]], first: int) -> pa.Table:
    """Specimens as rows of ``icephys.legacy_specimens``; what has no column is in ``extra``.

    first : number of the first record, for messages
    Raises SourceError naming record and member where a member is not what it should be.
    """
    spec = tables.LEGACY_SPECIMENS
    flat = [_flat(_Member(source, f"record {n}", record)) for n, record in enumerate(records, start=first)]
    columns = {}
    for column in spec:
        if column.name == "extra":
            columns["extra"] = extra_of(records, _READ)
        elif pa.types.is_list(column.type):
            columns[column.name] = pa.array([row[column.name] for row in flat], column.type)
        else:
            columns[column.name] = column_of(source, column, flat, column.name, first)
    return pa.table(columns, schema=pa.schema([column.arrow for column in spec]))


def file_rows(source: Source, records: Sequence[Mapping[str, Any]], first: int) -> pa.Table:
    """Files that Specimens or NeuronReconstructions include, as rows of ``icephys.api_well_known_files``."""
    rows = []
    for number, record in enumerate(records, start=first):
        member = _Member(source, f"record {number}", record)
        specimen = record.get("specimen_id", record.get("id"))
        owners = [("NeuronReconstruction", one) for one in member.each("neuron_reconstructions")]
        if "number_bifurcations" in record:
            owners.append(("NeuronReconstruction", member))
        owners += [("EphysResult", one) for one in member.each("ephys_result")]
        for kind, owner in owners:
            rows += [{"specimen_id": specimen, **row} for row in _files(kind, owner)]
    spec = tables.WELL_KNOWN_FILES
    unique = list({row["well_known_file_id"]: row for row in rows}.values())
    columns = {column.name: column_of(source, column, unique, column.name, first) for column in spec}
    return pa.table(columns, schema=pa.schema([column.arrow for column in spec]))


def _files(kind: str, owner: _Member) -> Iterator[dict[str, Any]]:
    for file in owner.each("well_known_files"):
        yield {
            "owner_type": kind,
            "owner_id": owner.get("id"),
            "well_known_file_id": file.get("id"),
            "well_known_file_type_id": file.get("well_known_file_type_id"),
            "file_type": file.one("well_known_file_type").get("name"),
            "download_link": file.get("download_link"),
            "warehouse_path": file.get("path"),
        }


def _flat(specimen: _Member) -> dict[str, Any]:
    donor, structure = specimen.one("donor"), specimen.one("structure")
    soma = specimen.one("cell_soma_locations")
    lines = specimen.one("donor").each("transgenic_lines")
    hemisphere = specimen.get("hemisphere")
    return {
        "specimen_id": specimen.get("id"),
        "specimen_name": specimen.get("name"),
        "hemisphere": specimen.one("hemisphere").get("name") if isinstance(hemisphere, dict) else hemisphere,
        "structure_id": structure.get("id", specimen.get("structure_id")),
        "structure_name": structure.get("name"),
        "structure_acronym": structure.get("acronym"),
        "structure_layer": specimen.one("cortex_layer").get("name"),
        "soma_x": soma.get("x"),
        "soma_y": soma.get("y"),
        "soma_z": soma.get("z"),
        "normalized_depth": soma.get("normalized_depth"),
        "donor_id": donor.get("id", specimen.get("donor_id")),
        "donor_name": donor.get("name"),
        "species": donor.one("organism").get("name"),
        "conditions": [one.text("name") for one in donor.each("conditions")],
        "transgenic_line_names": [one.text("name") for one in lines],
        "transgenic_line_types": [one.text("transgenic_line_type_name") for one in lines],
        "tags": [one.text("name") for one in specimen.each("specimen_tags")],
        "reporter": specimen.one("cell_reporter").get("name"),
        "n_data_sets": len(specimen.each("data_sets")),
        "n_reconstructions": len(specimen.each("neuron_reconstructions")),
    }


class _Member:
    """A member of a record, and where it stands, so that a surprise is named."""

    def __init__(self, source: Source, where: str, value: Mapping[str, Any]) -> None:
        self._source, self._where, self._value = source, where, value

    def get(self, name: str, default: Any = None) -> Any:
        return self._value.get(name, default)

    def text(self, name: str) -> str:
        """A text; empty where there is none."""
        value = self._value.get(name) or ""
        if not isinstance(value, str):
            raise SourceError(self._source, f"{self._where}, {name}", "is no text")
        return value

    def each(self, name: str) -> list[_Member]:
        """Members of a list; a single one counts as a list of it, null as none."""
        value = self._value.get(name) or []
        items = value if isinstance(value, list) else [value]
        where = f"{self._where}, {name}"
        if not all(isinstance(item, dict) for item in items):
            raise SourceError(self._source, where, "is no record or list of records")
        return [_Member(self._source, where, item) for item in items]

    def one(self, name: str) -> _Member:
        """The only or the first; one without members where there is none."""
        found = self.each(name)
        return found[0] if found else _Member(self._source, f"{self._where}, {name}", {})
