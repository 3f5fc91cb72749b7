"""What people tell of a source that its content does not: kept with the ingest, and part of what makes it the same."""

from __future__ import annotations

from pathlib import Path

import brainlake
import numpy as np
import pytest
from brainlake.ingest.contract import Source
from brainlake.lake import ingestion
from brainlake.lake.cli import run
from brainlake.tests.fixtures import ccf

LABELS = ccf.annotation()


@pytest.fixture
def lake(tmp_path: Path) -> brainlake.Lake:
    with brainlake.create(tmp_path / "lake") as lake:
        yield lake


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return ccf.write_nrrd(tmp_path / "volume.nrrd", LABELS)


def ingest(lake: brainlake.Lake, path: Path, **settings: str) -> ingestion.Item:
    """One file, in this process."""
    source = Source(path, str(path), tuple(sorted(settings.items())))
    item = ingestion.ingest_file(ingestion.Job(lake.catalog.root, source))
    lake.refresh()
    return item


def told(lake: brainlake.Lake) -> list[tuple[str, str | None, str]]:
    return [tuple(row) for row in lake.sql("select kind, version, told_by from ccf.volumes").pl().rows()]


def test_what_is_told_again_changes_nothing_and_what_is_told_otherwise_does(lake, file):
    assert ingest(lake, file, version="ccf_2017").status == "ingested"
    assert ingest(lake, file, version="ccf_2017").status == "unchanged"
    assert ingest(lake, file, version="ccf_2017", axes="ap,dv,-ml").status == "replaced"
    assert told(lake) == [("annotation", "ccf_2017", "content")]


def test_a_stale_source_is_redone_as_it_was_told(lake, file):
    ingest(lake, file, version="ccf_2016", kind="annotation")
    (old,) = lake.catalog.live_ingests()
    job = ingestion._redone(lake.catalog, old, Source(file, str(file)), dry_run=False)
    assert job.source.settings == (("kind", "annotation"), ("version", "ccf_2016"))
    assert ingestion.ingest_file(job).status == "unchanged"


def test_a_setting_that_no_reader_takes_is_refused(lake, file):
    item = ingest(lake, file, colour="red")
    assert item.status == "failed"
    assert "no reader takes a setting 'colour': ccf_volumes takes kind, version" in item.error


def test_a_setting_for_other_readers_is_left_aside(lake, tmp_path):
    """As parts, settings may be meant for other files of the same run."""
    path = ccf.write_json(tmp_path / "structures.json", ccf.tree_records())
    assert ingest(lake, path, version="ccf_2017").status == "ingested"


def test_a_path_of_the_reference_s_cache_tells_kind_and_version(lake, tmp_path):
    folder = tmp_path / "annotation" / "ccf_2015" / "structure_masks" / "resolution_25"
    folder.mkdir(parents=True)
    path = ccf.write_nrrd(folder / "structure_385.nrrd", (LABELS == 385).astype(np.uint8), um=25)
    ingest(lake, path)
    assert told(lake) == [("mask", "ccf_2015", "path")]
    assert lake.sql("select structure_id from ccf.volumes").to_numpy().tolist() == [385]


def test_voxels_in_a_file_beside_the_header_count_as_content(lake, tmp_path):
    """Two files: a change of the second is a change."""
    path = ccf.write_detached(tmp_path / "volume.nhdr", LABELS)
    statuses = [ingest(lake, path, version="ccf_2017").status for _ in range(2)]
    ccf.write_detached(path, LABELS[::-1].copy())
    statuses.append(ingest(lake, path, version="ccf_2017").status)
    assert statuses == ["ingested", "unchanged", "replaced"]


def test_the_command_takes_settings(lake, file, capsys):
    arguments = ["--lake", str(lake.catalog.root), "ingest", str(file), "--set", "version=ccf_2017"]
    assert run(arguments) == 0
    lake.refresh()
    assert told(lake) == [("annotation", "ccf_2017", "content")]
    assert run([*arguments, "--set", "nothing"]) == 1
    assert "give NAME=VALUE" in capsys.readouterr().err


def test_wrong_values_of_settings_are_refused(lake, file):
    for name, value, message in (
        ("kind", "picture", "is none of annotation"),
        ("axes", "ap,dv", "does not name ap, dv and ml"),
        ("spacing", "0", "is not one length"),
        ("orientation", "RAS", "neither PIR nor PIL"),
    ):
        assert message in (ingest(lake, file, **{name: value}).error or "")
