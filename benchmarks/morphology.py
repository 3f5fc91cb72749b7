"""Features of 600 reconstructions: every feature of seven sets of neurites, beside what the Allen SDK has of them.

The SDK reads, transforms, strips and sums one cell after the other in plain Python; its time is measured on some of the
cells and stated for all.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import brainlake
import numpy as np
from brainlake.tests.fixtures.swc import random_neuron, swc

from .material import Material
from .measure import Row, faster, milliseconds, seconds

N_CELLS, N_NODES, N_SDK = 600, 5_000, 20
ALLENSDK = "BRAINLAKE_ALLENSDK_PYTHON"
AT_LEAST = 10.0
LENGTHS = """
    select r.source_name, f.total_length, f.number_bifurcations, f.number_tips
    from morphology.features as f
    join morphology.reconstructions as r using (morphology_id)
    where f.neurite_type = 'dendrite'
    order by r.source_name"""
ALL = "from morphology.features"


def morphology(material: Material) -> list[Row]:
    files, lake_path = material.directory / "swc", material.directory / "swc_lake"
    _make(files)
    shutil.rmtree(lake_path, ignore_errors=True)
    with brainlake.create(lake_path) as lake:
        ingest_s, report = seconds(lambda: lake.ingest(str(files)))
        if report.failed:
            raise RuntimeError(f"{len(report.failed)} files were not taken")
        found = lake.sql(LENGTHS).pl()
        features_ms = milliseconds(lambda: lake.sql(ALL).arrow(), 3)
        nodes_ms = milliseconds(lambda: lake.sql("select max(path_distance) from morphology.nodes").arrow(), 3)
        one_ms = milliseconds(
            lambda: lake.sql("select count(*) from morphology.nodes where morphology_id = $1", [_any_id(lake)]).arrow(),
            7,
        )
    rows = [
        Row(f"ingest {N_CELLS} SWC files of {N_NODES:,} nodes", ingest_s * 1e3),
        Row(f"path length of all {N_CELLS * N_NODES / 1e6:g} M nodes", nodes_ms),
        Row("nodes of one reconstruction", one_ms),
    ]
    python = os.environ.get(ALLENSDK)
    what = f"every feature of {N_CELLS} cells, seven sets of neurites each"
    if not python:
        return [*rows, Row(what, features_ms)]
    script = Path(__file__).with_name("allensdk_morphology.py")
    done = subprocess.run([python, script, files, str(N_SDK)], check=True, capture_output=True, text=True)
    told = json.loads(done.stdout)
    if not np.allclose(found["total_length"][:N_SDK].to_numpy(), told["lengths"], rtol=1e-9):
        raise RuntimeError("total lengths differ from the SDK's")
    compute_ms = told["compute_ms"] / N_SDK * N_CELLS
    whole_ms = compute_ms + told["read_ms"] / N_SDK * N_CELLS
    peer = f"Allen SDK, four features of one set ({N_SDK} cells measured)"
    return [
        *rows,
        faster(f"{what}, from what is stored", features_ms, whole_ms, f"{peer}, which stores files", AT_LEAST),
        faster("the same, without reading on the SDK's side", features_ms, compute_ms, peer),
    ]


def _make(folder: Path) -> None:
    """The files, made once; names sort as numbers do."""
    folder.mkdir(exist_ok=True)
    for k in range(N_CELLS):
        path = folder / f"cell_{k:04}.swc"
        if not path.exists():
            path.write_text(swc(random_neuron(k, n_stems=12, n_nodes=N_NODES)))


def _any_id(lake: brainlake.Lake) -> int:
    return int(lake.sql("select min(morphology_id) as id from morphology.swc_files").one().id)
