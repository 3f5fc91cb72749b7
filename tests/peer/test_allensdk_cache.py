"""A cache folder written from a lake, opened by the Allen SDK's own CellTypesCache, which finds what the lake says.

Runs where $BRAINLAKE_PEER_PYTHON names a Python that has the SDK (2.16.2).
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import brainlake
import pytest
from brainlake.tests.fixtures import cell_types_tables as made
from brainlake.tests.fixtures.allen_icephys import make_cell, write_nwb1

PYTHON = os.environ.get("BRAINLAKE_PEER_PYTHON")
pytestmark = pytest.mark.skipif(not PYTHON, reason="BRAINLAKE_PEER_PYTHON names no Python with the Allen SDK")

CELL, SWEEP = made.CELLS[0].specimen_id, 2


def test_the_sdk_finds_in_a_written_cache_what_the_lake_holds(tmp_path: Path) -> None:
    source = made.make_cache(tmp_path / "source")
    write_nwb1(
        source / f"specimen_{CELL}" / "ephys.nwb", make_cell(CELL, sampling_rate=10_000.0, amplitudes=(-50.0, 150.0))
    )
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest(source).raise_failed()
        lake.refresh()
        written = lake.export_cell_types_cache(tmp_path / "cell_types", [CELL])

        def column(query: str) -> list:
            return lake.sql(query).pl().to_series().to_list()

        script = Path(__file__).with_name("ask_allensdk_cache.py")
        command = [PYTHON, str(script), str(written.path / "manifest.json"), str(CELL), str(SWEEP)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        sweep = lake.sql(f"from icephys.sweep({CELL}, {SWEEP})").one()
        assert set(told["cells"]) <= set(column("select specimen_id from icephys.cells"))
        assert len(told["cells"]) > 2
        assert told["features"] == column("select specimen_id from icephys.published_ephys_features order by 1")
        assert told["morphologies"] == column("select specimen_id from morphology.published_features order by 1")
        assert told["listed_sweeps"] == column(f"select sweep_number from icephys.get_ephys_sweeps({CELL}) order by 1")
        assert told["sweeps"] == column(
            f"select sweep_number from icephys.nwb_sweeps where specimen_id = {CELL} order by 1"
        )
        assert told["sampling_rate"] == sweep.sampling_rate
        assert told["index_range"] == [sweep.start_index, sweep.stop_index]
        assert told["response"] == sweep.response.tolist()
        nodes = lake.sql(f"select node_type, x, y, z from morphology.nodes_of({CELL}) order by node_id").pl().rows()
        assert told["nodes"] == [list(node) for node in nodes]
        markers = lake.sql(f"select x, marker_code from morphology.markers_of({CELL})").pl().rows()
        assert told["markers"] == [[pytest.approx(x), code] for x, code in markers]
