"""Cache folders of the Allen SDK, both ways: what it wrote is adopted, and what was fetched for it, it reads.

Runs where $BRAINLAKE_PEER_PYTHON names a Python that has the SDK (2.16.2).
"""

from __future__ import annotations

import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import brainlake
import numpy as np
import pytest
from brainlake.lake.fetching import How
from brainlake.lake.serve.rma import Server
from brainlake.tests.fixtures import atlas_origin as origin
from brainlake.tests.fixtures import ccf, connectivity, observatory, swc
from brainlake.tests.fixtures.rma_server import serving

PYTHON = os.environ.get("BRAINLAKE_PEER_PYTHON")
pytestmark = [
    pytest.mark.skipif(not PYTHON, reason="BRAINLAKE_PEER_PYTHON names no Python with the Allen SDK"),
    pytest.mark.slow,  # two lakes, and twenty verbs of the SDK
]
NOBODY = "http://127.0.0.1:9"
FILES = (
    "ccf/structures.json", "connectivity/experiments.json",
    "connectivity/experiment_112951097/structure_unionizes_first40.csv",
    "metadata/brain_observatory/experiment_containers_rma216.json", "metadata/brain_observatory/stimulus_mappings.json",
    "metadata/cell_types/cell_types_specimen_details.csv", "metadata/cell_types/ephys_features.csv",
    "metadata/cell_types/morphology_features.csv",
)  # fmt: skip
IDS = {
    "cell": origin.CELL, "swept_cell": origin.MODEL_CELL, "experiment": origin.EXPERIMENT,
    "unionized_experiment": 112951097, "ophys_experiment": observatory.EXPERIMENT,
}  # fmt: skip


def asked(mode: str, url: str, folder: Path) -> dict[str, Any]:
    """What the SDK's caches over a folder gave, by verb."""
    script, ids, target = Path(__file__).with_name("ask_allensdk_caches.py"), folder / "ids.json", folder / "told.json"
    ids.write_text(json.dumps(IDS))
    arguments = [PYTHON, script, mode, url, ids, folder / "caches", target]
    done = subprocess.run(list(map(str, arguments)), capture_output=True, timeout=500, text=True, check=False)
    assert done.returncode == 0, done.stderr[-2_000:]
    found: dict[str, Any] = json.loads(target.read_text())
    assert {verb: answer for verb, answer in found.items() if isinstance(answer, dict)} == {}  # errors
    return found


# -- what the SDK wrote ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def both(
    real_data: Callable[[str], Path], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[brainlake.Lake, brainlake.Lake, dict[str, Any]]]:
    """A lake that was served, one that took the folders which the SDK filled from it, and what the SDK said."""
    folder = tmp_path_factory.mktemp("filled")
    with brainlake.create(folder / "served") as served, serving(**origin.held(folder)) as server:
        served.ingest([real_data(name) for name in FILES]).raise_failed()
        for what, ids in {"sweeps": [origin.MODEL_CELL], "sessions": [], "probes": [], "channels": [], "units": [],
                          "cell_metrics": []}.items():  # fmt: skip
            served.fetch(what, *ids, how=How(server.url, pause_s=0)).raise_failed()
        api = Server(served, port=0)
        threading.Thread(target=api.serve_forever, args=(0.02,), daemon=True).start()
        told = asked("fill", api.url, folder)
        api.shutdown()
        api.server_close()
        with brainlake.create(folder / "adopted") as adopted:
            report = adopted.ingest(folder / "caches")
            report.raise_failed()
            left_out = {Path(item.source).name for item in report.items if item.status == "left out"}
            assert left_out == {"manifest.json"}  # which tells of the others
            yield served, adopted, told


ADOPTED = {
    "cells": "select specimen__id, specimen__name, ef__vrest, donor__species from rma.api_cell_types_specimen_details",
    "ephys_features": """
        select f.id, f.specimen_id, f.vrest, f.tau, f.has_burst from rma.ephys_features as f
        semi join icephys.specimen_details as d using (specimen_id)""",  # the SDK asks for those of listed cells
    "morphology_features": "select id, specimen_id, total_length from rma.neuron_reconstructions",
    "sweeps": "select specimen_id, sweep_number, stimulus_name from rma.ephys_sweeps",
    "experiments": "select experiment_id, structure_id, transgenic_line, ap_um from connectivity.experiments",
    "structures": "select structure_id, acronym, structure_id_path, graph_order from ccf.structures",
    "containers": "from ophys.containers",
    "ophys_experiments": "from ophys.experiments",
    "cell_specimens": "select cell_specimen_id, osi_dg, all_stim from rma.api_cam_cell_metrics",
    "sessions": "select session_id, session_type, full_genotype, age_in_days from ecephys.project_sessions",
}


@pytest.mark.parametrize("verb", ADOPTED)
def test_what_the_sdk_cached_is_the_lake_s(both, verb):
    served, adopted, told = both
    ours, theirs = (lake.sql(ADOPTED[verb]).pl() for lake in (served, adopted))
    assert ours.height > 0
    assert told[verb] > 0
    assert theirs.sort(theirs.columns[0]).equals(ours.sort(ours.columns[0]))


def test_unionizes_that_the_sdk_cached_are_the_lake_s(both):
    query = "select unionize_id, structure_id, hemisphere_id, projection_density from connectivity.published_unionizes order by 1"
    served, adopted, told = both
    assert adopted.sql(query).pl().equals(served.sql(query).pl())
    assert told["unionizes"] == 40


# -- what is laid out for the SDK ------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the SDK reads in folders that ``fetch --to`` made, with no server to ask."""
    folder = tmp_path_factory.mktemp("laid_out")
    wanted = {
        "cell_types": {"recordings": [origin.CELL], "reconstructions": [origin.CELL], "markers": [origin.CELL]},
        "mouse_connectivity": {"projection_density": [origin.EXPERIMENT], "data_mask": [origin.EXPERIMENT]},
        "space": {"annotation": [], "template": [], "masks": [593], "meshes": [385]},
        "brain_observatory": {"ophys_events": [observatory.EXPERIMENT]},
    }
    with brainlake.create(folder / "lake") as lake, serving(**origin.held(folder)) as server:
        for cache, files in wanted.items():
            um = 100 if cache == "mouse_connectivity" else 25
            how = How(server.url, archive=server.url, um=um, to=folder / "caches" / cache, pause_s=0)
            for what, ids in files.items():
                lake.fetch(what, *ids, how=how).raise_failed()
    return asked("read", NOBODY, folder)


def test_the_sdk_reads_what_was_laid_out_without_asking_anybody(laid_out):
    density = connectivity.small_grids()["projection_density"]
    assert sorted(laid_out.pop("recording"))[:3] == [0, 1, 2]
    assert laid_out.pop("projection_density") == pytest.approx(float(density.sum(dtype=float)))
    assert laid_out == {
        "reconstruction": len(swc.SMALL), "markers": 1, "data_mask": [132, 80, 114],
        "annotation": sorted(map(int, np.unique(ccf.annotation()))), "template": float(origin.TEMPLATE.sum()),
        "mask": int(origin.MASK.sum()), "mesh": [[3, 3], [1, 3], [1, 3], [1, 3]],
        "events": np.nan_to_num(observatory.EVENTS).sum(1).tolist(),
    }  # fmt: skip
