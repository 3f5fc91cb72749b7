"""A cache folder of the Allen SDK is taken whole, and its files can be written again from the lake."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import brainlake
import pytest
from brainlake.lake import cli
from brainlake.lake.errors import AbsentError, UnknownError
from brainlake.lake.facade import Lake
from brainlake.tests.fixtures import cell_types_tables as made
from brainlake.tests.fixtures.allen_icephys import make_cell, write_nwb1

MOUSE, HUMAN = made.CELLS[0].specimen_id, made.CELLS[3].specimen_id


@pytest.fixture(scope="module")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = made.make_cache(tmp_path_factory.mktemp("cell_types"))
    recorded = make_cell(MOUSE, sampling_rate=10_000.0, amplitudes=(-50.0, 150.0), step=0.1)
    write_nwb1(folder / f"specimen_{MOUSE}" / "ephys.nwb", recorded)
    return folder


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, cache: Path) -> Iterator[Lake]:
    with brainlake.create(tmp_path_factory.mktemp("adopted") / "lake") as lake:
        report = lake.ingest(cache)
        assert report.failed == ()
        assert {item.source for item in report.items} == {str(path) for path in cache.rglob("*") if path.is_file()}
        yield lake


def test_every_file_of_a_cache_is_taken(lake: Lake) -> None:
    assert lake.sql("select count(*) as n from icephys.cells").one()["n"] == 5
    assert lake.sql(f"select count(*) as n from icephys.get_ephys_sweeps({HUMAN})").one()["n"] == 2
    assert lake.sql("select count(*) as n from icephys.all_features(require_reconstruction := false)").one()["n"] == 7
    sweep = lake.sql(
        f"select min(sweep_number) as n from icephys.sweeps where specimen_id = {MOUSE} and is_recorded"
    ).one()["n"]
    assert len(lake.sql(f"from icephys.sweep({MOUSE}, {sweep})").one().response) > 0
    nodes = lake.sql(f"select node_type_name, x from morphology.nodes_of({MOUSE}) order by node_id").pl().rows()
    assert [x for _, x in nodes] == [10.0, 10.0]
    markers = lake.sql(f"select meaning, x from morphology.markers_of({MOUSE})").pl().rows()
    assert markers == [("cut_dendrite", 11 - 0.1144)]  # markers lie a pixel too far
    assert lake.sql(f"from morphology.markers_of({HUMAN})").pl().is_empty()


def test_the_web_sites_table_stands_beside_the_caches_list(lake: Lake, tmp_path: Path) -> None:
    """Two sources of the same cells: neither replaces or doubles the other, and the API's records are shown."""
    report = lake.ingest(made.write_details_csv(tmp_path / "cell_types_specimen_details.csv"))
    assert [item.status for item in report.items] == ["ingested"]
    lake.refresh()
    assert lake.sql("select distinct source from icephys.specimen_details").pl()["source"].to_list() == ["api"]
    assert lake.sql("select count(*) as n from icephys.cells").one()["n"] == 5


def test_an_unknown_cell_is_refused_and_an_absent_list_says_what_brings_it(lake: Lake) -> None:
    with pytest.raises(UnknownError, match="there is no cell 5"):
        lake.sql("from icephys.get_cell(5)").pl()
    absent = made.CELLS[1].specimen_id
    with pytest.raises(AbsentError, match=f"brainlake fetch sweeps {absent}"):
        lake.sql(f"from icephys.get_ephys_sweeps({absent})").pl()


WRITTEN = {
    "cells.json": "from rma.api_cell_types_specimen_details",
    "ephys_features.csv": "from rma.ephys_features",
    "morphology_features.csv": "from rma.neuron_reconstructions",
    f"specimen_{MOUSE}/ephys_sweeps.json": f"from rma.ephys_sweeps where specimen_id = {MOUSE}",
}


def test_the_files_of_a_cache_can_be_written_again(lake: Lake, cache: Path, tmp_path: Path) -> None:
    """What is written, another lake reads as the same rows; names of attributes are the file's own."""
    for file, query in WRITTEN.items():
        path = tmp_path / "cache" / file
        path.parent.mkdir(exist_ok=True, parents=True)
        assert cli.run(["--lake", str(lake.path), "sql", query, "-o", str(path)]) == 0
        if path.suffix == ".json":
            written, kept = (json.loads(one.read_text()) for one in (path, cache / file))
            assert set(written[0]) == set(kept[0])
            assert len(written) == len(kept)
    with brainlake.create(tmp_path / "second") as second:
        assert second.ingest(tmp_path / "cache").failed == ()
        second.refresh()
        for query in WRITTEN.values():
            assert second.sql(query).pl().equals(lake.sql(query).pl())


def test_a_whole_cache_is_written_and_taken_again(lake: Lake, cache: Path, tmp_path: Path) -> None:
    written = lake.export_cell_types_cache(tmp_path / "cell_types", [MOUSE])
    own = [
        f"specimen_{MOUSE}/{name}"
        for name in ("ephys.nwb", "ephys_sweeps.json", "reconstruction.marker", "reconstruction.swc")
    ]
    assert list(written.files) == ["cells.json", "ephys_features.csv", "manifest.json", "morphology_features.csv", *own]
    written_manifest, own_manifest = (
        {entry.get("key"): entry for entry in json.loads((folder / "manifest.json").read_text())["manifest"]}
        for folder in (written.path, cache)
    )
    assert written_manifest == own_manifest
    with brainlake.create(tmp_path / "second") as second:
        assert second.ingest(written.path).failed == ()
        second.refresh()
        for query in (*WRITTEN.values(), f"select node_type, x, y, z, radius from morphology.nodes_of({MOUSE})",
                      f"select x, y, z, meaning from morphology.markers_of({MOUSE})",
                      f"select sweep_number, response from icephys.sweep_traces where specimen_id = {MOUSE}"):  # fmt: skip
            assert second.sql(query).pl().equals(lake.sql(query).pl())
    with pytest.raises(UnknownError, match="there is no cell 5"):
        lake.export_cell_types_cache(tmp_path / "unknown", [5])
    assert not (tmp_path / "unknown").exists()
    command = ["--lake", str(lake.path), "export", "cell-types-cache", "-o", str(tmp_path / "tables")]
    assert cli.run(command) == 0
    assert len(list((tmp_path / "tables").iterdir())) == 4
    assert cli.run(command) == 1  # it is there already
