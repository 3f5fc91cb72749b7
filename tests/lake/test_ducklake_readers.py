"""Programs that know DuckLake and not us read the same rows, now and at an earlier snapshot.

polars-ducklake and ducklake-sdk are in the test extra. DuckDB's own extension does not exist for the DuckDB that
brainlake uses: ``$BRAINLAKE_DUCKLAKE_PYTHON`` names an interpreter that has duckdb 1.5.5, duckdb-extension-ducklake and
duckdb-extension-sqlite-scanner.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import pytest
from brainlake.lake import tables
from brainlake.lake.catalog import Catalog
from brainlake.lake.folding import compact
from brainlake.lake.spec import Column, TableSpec, float64, int32, int64

LAYERS = "ecephys.unit_layers"
TRAINS = "ecephys.spike_trains"
OLD_LAYERS = TableSpec(
    LAYERS,
    "one unit's layer, as an older declaration had it",
    "unit_layers",
    (
        Column(1, "unit", int64, "unit; since renamed"),
        Column(2, "cortical_depth", float64, "depth", None, True),
        Column(3, "cortical_layer", int32, "layer; since widened", None, True),
    ),
    key=("unit",),
    sort=("unit",),
)
NOW_LAYERS = [(1, 0.5, 4), (2, None, None), (3, 0.7, 5), (4, 0.9, 6)]
EARLIER_LAYERS = [(1, 0.5, 4), (2, None, None), (3, 0.5, 4)]
EARLIER_TRAINS = [(7, 1, [0, 1, 2]), (7, 2, [1, 2, 3]), (8, 3, [0, 1, 2])]
NOW_TRAINS = [(7, 1, [0, 1, 2]), (7, 2, [1, 2, 3]), (8, 4, [0, 1, 2])]


@pytest.fixture(scope="module")
def lake(tmp_path_factory, engine) -> tuple[Path, int]:
    """A lake with a table of two declarations, a replaced ingest and a folded file; and a snapshot from before."""
    catalog = Catalog.create(tmp_path_factory.mktemp("interop") / "lake")
    with pytest.MonkeyPatch.context() as past:
        past.setitem(tables.TABLES, LAYERS, OLD_LAYERS)
        old = {"unit": [1, 2], "cortical_depth": [0.5, None], "cortical_layer": [4, None]}
        engine.ingest(catalog, "a", {TRAINS: engine.trains(7, [1, 2]), LAYERS: old})
    layers = {"unit_id": [3], "cortical_depth": [0.5], "cortical_layer": [4]}
    before = engine.ingest(catalog, "b", {TRAINS: engine.trains(8, [3]), LAYERS: layers}).snapshot_id
    layers = {"unit_id": [3, 4], "cortical_depth": [0.7, 0.9], "cortical_layer": [5, 6]}
    engine.ingest(catalog, "b", {TRAINS: engine.trains(8, [4]), LAYERS: layers})
    compact(catalog)
    return catalog.root, before


def layers_of(frame) -> list[tuple]:
    return sorted(frame.select("unit_id", "cortical_depth", "cortical_layer").rows())


def test_polars_ducklake_reads_the_lake(lake):
    pdl = pytest.importorskip("polars_ducklake")
    root, before = lake
    catalog, data = f"sqlite:///{root}/catalog.sqlite", f"{root}/data/"
    trains = pdl.scan_ducklake(catalog, TRAINS, data_path=data).collect()
    assert sorted(trains.select("session_id", "unit_id", "spike_ticks").rows()) == NOW_TRAINS
    assert layers_of(pdl.scan_ducklake(catalog, LAYERS, data_path=data).collect()) == NOW_LAYERS
    # Not the layers: version 0.2 renames the columns of older files, but does not widen them.
    earlier = pdl.scan_ducklake(catalog, TRAINS, data_path=data, snapshot_id=before).collect()
    assert sorted(earlier.select("session_id", "unit_id", "spike_ticks").rows()) == EARLIER_TRAINS


def test_ducklake_sdk_reads_the_lake(lake, monkeypatch):
    sdk = pytest.importorskip("ducklake")
    pytest.importorskip("polars_hash")  # it reads partitioned tables with it
    root, _ = lake
    monkeypatch.chdir(root)  # the catalogue's data path is relative; the SDK takes it from where it is
    reader = sdk.connect(f"sqlite:///{root}/catalog.sqlite")
    trains = reader.table(("ecephys", "spike_trains")).read_polars()
    assert sorted(trains.select("session_id", "unit_id", "spike_ticks").rows()) == NOW_TRAINS
    assert layers_of(reader.table(("ecephys", "unit_layers")).read_polars()) == NOW_LAYERS


OFFICIAL = """
import duckdb, glob, json, os, sys, duckdb_extension_ducklake, duckdb_extension_sqlite_scanner
root, before = sys.argv[1:]
con = duckdb.connect()
for package in (duckdb_extension_sqlite_scanner, duckdb_extension_ducklake):
    (path,) = glob.glob(os.path.dirname(package.__file__) + f"/extensions/v{duckdb.__version__}/*.duckdb_extension")
    con.execute(f"install '{path}'")
    con.execute(f"load {os.path.basename(path).partition('.')[0]}")
con.execute(f"attach 'ducklake:sqlite:{root}/catalog.sqlite' as lake "
            f"(read_only, data_path '{root}/data/', override_data_path true)")
layers = "select unit_id, cortical_depth, cortical_layer from lake.ecephys.unit_layers {} order by all"
queries = [
    "select session_id, unit_id, spike_ticks from lake.ecephys.spike_trains order by all",
    layers.format(""),
    "select unit, cortical_depth, cortical_layer from lake.ecephys.unit_layers at (version => 1) order by all",
    layers.format(f"at (version => {before})"),
    "select unit_id, cortical_depth, cortical_layer from lake.ecephys.unit_layers where unit_id = 3",
    "select count(*) from lake.snapshots()",
]
print(json.dumps([con.execute(q).fetchall() for q in queries]))
"""


def test_duckdbs_own_extension_reads_the_lake(lake):
    python = os.environ.get("BRAINLAKE_DUCKLAKE_PYTHON")
    if not python:
        pytest.skip("set BRAINLAKE_DUCKLAKE_PYTHON to an interpreter with duckdb 1.5.5 and its ducklake extension")
    root, before = lake
    done = subprocess.run([python, "-c", OFFICIAL, root, str(before)], capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr
    trains, layers, first, earlier, one, count = json.loads(done.stdout)
    assert [tuple(row) for row in trains] == NOW_TRAINS
    assert [tuple(row) for row in layers] == NOW_LAYERS
    assert [tuple(row) for row in first] == EARLIER_LAYERS[:2]  # under the name the column had
    assert [tuple(row) for row in earlier] == EARLIER_LAYERS
    assert [tuple(row) for row in one] == NOW_LAYERS[2:3]
    assert count == [[Catalog.open(root).latest() + 1]]
