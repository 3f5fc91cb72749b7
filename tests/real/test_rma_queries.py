"""Random queries of the API over the real ontology, experiments, containers and cells, each answered as loops in Python answer it."""

from __future__ import annotations

import csv
import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import brainlake
import pytest
from brainlake.lake.rma.answers import Api
from brainlake.tests.fixtures.rma_records import ASSOCIATIONS, COLUMNS
from brainlake.tests.lake.test_rma_translator import PATIENT, agree

CELLS = "metadata/cell_types"
FILES = (
    "ccf/structures.json", "connectivity/experiments.json",
    "metadata/brain_observatory/experiment_containers_rma216.json",
)  # fmt: skip
TABLES = (f"{CELLS}/cell_types_specimen_details.csv", f"{CELLS}/ephys_features.csv", f"{CELLS}/morphology_features.csv")
DRAWN = {
    "Structure": {"id": ["385", "315", "997"], "acronym": ["'VISp'", "'VIS*'", "'*1'", "'x'"], "depth": ["2", "7"],
                  "name": ["'*layer*'", "'Isocortex'"], "graph_order": ["100", "1000"],
                  "parent_structure_id": ["8", "nil", "385"]},
    "SectionDataSet": {"id": ["527712447", "300000000"], "name": ["'Penk*'", "'*-2499*'"]},
    "TransgenicLine": {"id": ["177836119", "200000000"], "name": ["'*Cre*'", "'Emx1-IRES-Cre'"]},
    "ExperimentContainer": {"id": ["511510753", "560000000"], "imaging_depth": ["175", "275"],
                            "failed": ["true", "'false'"]},
    "OphysExperiment": {"id": ["501271265", "570000000"], "stimulus_name": ["'three_session_A'", "'*C2'"],
                        "experiment_container_id": ["511510753", "560000000"]},
    "Specimen": {"id": ["464212183", "525011903", "559019102"], "name": ["'Sst*'", "'H16*'", "'*Ai14*'"],
                 "hemisphere": ["'left'", "'r*'", "nil"], "donor_id": ["524848408", "500000000"],
                 "structure_id": ["385", "12113", "nil"], "is_cell_specimen": ["true", "'f'"]},
    "Donor": {"id": ["524848408", "559019098"], "name": ["'H16.03.003'", "'*Cux2*'", "'Sst-*'"],
              "sex_full_name": ["'Male'", "'F*'", "nil"]},
    "EphysFeature": {"id": ["529951870", "500000000"], "specimen_id": ["464212183", "525011903"],
                     "vrest": ["-70", "-65.5"], "tau": ["20", "nil"], "rheobase_sweep_number": ["40", "nil"],
                     "has_burst": ["true", "'false'"]},
    "NeuronReconstruction": {"id": ["492413664", "500000000"], "specimen_id": ["478586295", "600000000"],
                             "neuron_reconstruction_type": ["'dendrite-only'", "'f*'"], "number_nodes": ["2446", "5000"],
                             "total_length": ["2759.5", "5000"]},
    "ApiCellTypesSpecimenDetail": {"donor__species": ["'Homo Sapiens'", "'*mus*'"], "structure__layer": ["'5'", "'6*'", "nil"],
                                   "tag__dendrite_type": ["'spiny'", "'*spiny'"], "ef__vrest": ["-70", "nil"],
                                   "nr__number_stems": ["5", "nil"], "m__biophys": ["0", "1"]},
}  # fmt: skip
# Columns of the tables that are no text; empty cells are NULL.
NUMBERS = {
    "specimen__id", "donor__id", "structure__id", "ef__vrest", "nr__number_stems", "m__biophys", "id", "specimen_id", "vrest",
    "tau", "rheobase_sweep_number", "number_nodes", "total_length",
}  # fmt: skip
FLAGS = {"True": True, "False": False}
FOLLOWED = {
    ("Structure", "parent"): ("Structure", False, lambda w, r: w.one("Structure", r["parent_structure_id"])),
    ("Structure", "children"): ("Structure", True, lambda w, r: w.having("Structure", "parent_structure_id", r["id"])),
    ("Structure", "self_and_ancestors"): (
        "Structure", True, lambda w, r: [one for i in r["path"] for one in w.one("Structure", i)]),
    ("Structure", "specimens"): ("Specimen", True, lambda w, r: w.having("Specimen", "structure_id", r["id"])),
    ("ExperimentContainer", "ophys_experiments"): (
        "OphysExperiment", True, lambda w, r: w.having("OphysExperiment", "experiment_container_id", r["id"])),
    ("ExperimentContainer", "specimen"): ("Specimen", False, lambda w, r: w.one("Specimen", r["specimen_id"])),
    ("OphysExperiment", "experiment_container"): (
        "ExperimentContainer", False, lambda w, r: w.one("ExperimentContainer", r["experiment_container_id"])),
    ("Specimen", "donor"): ("Donor", False, lambda w, r: w.one("Donor", r["donor_id"])),
    ("Specimen", "structure"): ("Structure", False, lambda w, r: w.one("Structure", r["structure_id"])),
    ("Specimen", "ephys_features"): ("EphysFeature", True, lambda w, r: w.having("EphysFeature", "specimen_id", r["id"])),
    ("Specimen", "neuron_reconstructions"): (
        "NeuronReconstruction", True, lambda w, r: w.having("NeuronReconstruction", "specimen_id", r["id"])),
    ("EphysFeature", "specimen"): ("Specimen", False, lambda w, r: w.one("Specimen", r["specimen_id"])),
    ("NeuronReconstruction", "specimen"): ("Specimen", False, lambda w, r: w.one("Specimen", r["specimen_id"])),
    ("Donor", "transgenic_lines"): (
        "TransgenicLine", True, lambda w, r: [one for i in r["lines"] for one in w.one("TransgenicLine", i)]),
}  # fmt: skip


class Real:
    """The records of the files, as the files have them."""

    def __init__(self, found: Callable[[str], Path]) -> None:
        structures, experiments, containers = (json.loads(found(name).read_text()) for name in FILES)
        details, features, reconstructions = (_table(found(name)) for name in TABLES)
        imaged = [c["specimen"] for c in containers]
        self.told: dict[str, list[dict[str, Any]]] = {
            "Structure": [
                {**one, "path": (path := one["structure_id_path"]), "depth": len(path) - 1,
                 "parent_structure_id": path[-2] if len(path) > 1 else None}
                for one in structures
            ],
            "SectionDataSet": [{"id": e["data_set_id"], "name": e["specimen_name"]} for e in experiments],
            "TransgenicLine": _once(line for one in imaged for line in one["donor"]["transgenic_lines"]),
            "ExperimentContainer": containers,
            "OphysExperiment": [e for c in containers for e in c["ophys_experiments"]],
            "EphysFeature": features,
            "NeuronReconstruction": reconstructions,
            "ApiCellTypesSpecimenDetail": [{**one, "id": one["specimen__id"]} for one in details],
            "Specimen": _once([
                *({"id": one["specimen__id"], "name": one["specimen__name"], "hemisphere": one["specimen__hemisphere"],
                   "donor_id": one["donor__id"], "structure_id": one["structure__id"], "is_cell_specimen": True}
                  for one in details),
                *imaged,
            ]),
            "Donor": _once([
                *({"id": one["donor__id"], "name": one["donor__name"], "sex_full_name": one["donor__sex"], "lines": []}
                  for one in details),
                *({**one["donor"], "lines": [line["id"] for line in one["donor"]["transgenic_lines"]]} for one in imaged),
            ]),
        }  # fmt: skip
        self.by: dict[tuple[str, str], dict[Any, list[dict[str, Any]]]] = {}

    def having(self, model: str, column: str, value: Any) -> list[dict[str, Any]]:
        """Records of a model with a value, and none of them for NULL."""
        if (model, column) not in self.by:
            found = self.by[model, column] = defaultdict(list)
            for one in self.told[model]:
                found[one[column]].append(one)
        return [] if value is None else self.by[model, column].get(value, [])

    def one(self, model: str, value: Any) -> list[dict[str, Any]]:
        return self.having(model, "id", value)

    def records(self, model: str) -> list[dict[str, Any]]:
        return self.told[model]


def _table(path: Path) -> list[dict[str, Any]]:
    def value(name: str, cell: str) -> Any:
        return None if cell == "" else float(cell) if name in NUMBERS else FLAGS.get(cell, cell)

    with path.open(newline="") as file:
        return [{name: value(name, cell) for name, cell in row.items()} for row in csv.DictReader(file)]


def _once(records: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    return list({one["id"]: one for one in records}.values())


@pytest.fixture(scope="module")
def real(real_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, Real]]:
    with brainlake.create(tmp_path_factory.mktemp("real") / "lake") as lake:
        lake.ingest([real_data(name) for name in (*FILES, *TABLES)], jobs=1).raise_failed()
        with patch.dict(COLUMNS, DRAWN, clear=True), patch.dict(ASSOCIATIONS, FOLLOWED, clear=True):
            yield lake.api(PATIENT), Real(real_data)


@pytest.mark.parametrize("n", [40, pytest.param(2_000, marks=pytest.mark.slow)])
def test_random_queries_over_real_records_give_what_loops_in_python_give(real: tuple[Api, Real], n: int) -> None:
    api, world = real
    for seed in range(n):
        agree(api, world, seed)  # type: ignore[arg-type]
