"""Random queries of the API over the real ontology, experiments and containers, each answered as loops in Python answer it."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from unittest.mock import patch

import brainlake
import pytest
from brainlake.lake.rma.answers import Api
from brainlake.tests.fixtures.rma_records import ASSOCIATIONS, COLUMNS
from brainlake.tests.lake.test_rma_translator import agree

FILES = (
    "ccf/structures.json", "connectivity/experiments.json",
    "metadata/brain_observatory/experiment_containers_rma216.json",
)  # fmt: skip
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
}  # fmt: skip
FOLLOWED = {
    ("Structure", "parent"): ("Structure", False, lambda w, r: w.by_id(r["parent_structure_id"])),
    ("Structure", "children"): ("Structure", True, lambda w, r: w.children[r["id"]]),
    ("Structure", "self_and_ancestors"): ("Structure", True, lambda w, r: [w.of_id[i] for i in r["path"]]),
    ("ExperimentContainer", "ophys_experiments"): ("OphysExperiment", True, lambda w, r: w.inside[r["id"]]),
    ("OphysExperiment", "experiment_container"): (
        "ExperimentContainer", False,
        lambda w, r: [c for c in w.told["ExperimentContainer"] if c["id"] == r["experiment_container_id"]]),
}  # fmt: skip


class Real:
    """The records of the files, as the files have them."""

    def __init__(self, found: Callable[[str], Path]) -> None:
        structures, experiments, containers = (json.loads(found(name).read_text()) for name in FILES)
        containers = containers["msg"] if isinstance(containers, dict) else containers
        self.told: dict[str, list[dict[str, Any]]] = {
            "Structure": [
                {**one, "path": (path := one["structure_id_path"]), "depth": len(path) - 1,
                 "parent_structure_id": path[-2] if len(path) > 1 else None}
                for one in structures
            ],
            "SectionDataSet": [{"id": e["data_set_id"], "name": e["specimen_name"]} for e in experiments],
            "TransgenicLine": list({t["id"]: t for c in containers
                                    for t in c["specimen"]["donor"]["transgenic_lines"]}.values()),
            "ExperimentContainer": containers,
            "OphysExperiment": [e for c in containers for e in c["ophys_experiments"]],
        }  # fmt: skip
        self.of_id = {one["id"]: one for one in self.told["Structure"]}
        self.children, self.inside = defaultdict(list), defaultdict(list)
        for one in self.told["Structure"]:
            self.children[one["parent_structure_id"]].append(one)
        for one in self.told["OphysExperiment"]:
            self.inside[one["experiment_container_id"]].append(one)

    def by_id(self, structure: int | None) -> list[dict[str, Any]]:
        return [self.of_id[structure]] if structure in self.of_id else []

    def records(self, model: str) -> list[dict[str, Any]]:
        return self.told[model]


@pytest.fixture(scope="module")
def real(real_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Api, Real]]:
    with brainlake.create(tmp_path_factory.mktemp("real") / "lake") as lake:
        lake.ingest([real_data(name) for name in FILES], jobs=1).raise_failed()
        with patch.dict(COLUMNS, DRAWN, clear=True), patch.dict(ASSOCIATIONS, FOLLOWED, clear=True):
            yield lake.api(), Real(real_data)


@pytest.mark.parametrize("n", [40, pytest.param(2_000, marks=pytest.mark.slow)])
def test_random_queries_over_real_records_give_what_loops_in_python_give(real: tuple[Api, Real], n: int) -> None:
    api, world = real
    for seed in range(n):
        agree(api, world, seed)  # type: ignore[arg-type]
