"""Downloads that are not kept: removed once ingested, noted, fetched again when they must be."""

from __future__ import annotations

from pathlib import Path

import brainlake
import fsspec
import pytest
from brainlake.ingest import sources
from brainlake.ingest.contract import Source
from brainlake.lake.cli import run
from brainlake.lake.usage import usage

LAYERS = "ecephys_unit_id,cortical_depth,cortical_layer\n950911932,0.5,4\n950911986,0.6,5\n"
URL = "memory://published/layer_info.csv"


@pytest.fixture
def lake(tmp_path: Path) -> brainlake.Lake:
    fsspec.filesystem("memory").pipe("/published/layer_info.csv", LAYERS.encode())
    with brainlake.create(tmp_path / "lake") as lake:
        yield lake
    fsspec.filesystem("memory").rm("/published", recursive=True)


def raw(lake: brainlake.Lake) -> list[str]:
    return sorted(path.name for path in (lake.path / "raw").rglob("*"))


def test_a_download_goes_when_it_is_ingested_and_nothing_else_does(lake: brainlake.Lake, tmp_path: Path) -> None:
    own = tmp_path / "layer_info.csv"
    own.write_text(LAYERS)
    lake.ingest(URL).raise_failed()
    assert "layer_info.csv" in raw(lake)
    report = lake.ingest([URL, own], discard_raw=True)
    report.raise_failed()
    assert raw(lake) == []
    assert own.exists()
    assert lake.catalog.discarded() == {URL: len(LAYERS)}
    assert "raw" not in {row["state"] for row in usage(lake.catalog).to_pylist()}
    assert lake.check(deep=True) == []
    assert lake.sql("select count(*) as n from ecephys.unit_layers").one().n == 2


def test_a_download_that_could_not_be_ingested_stays(lake: brainlake.Lake) -> None:
    fsspec.filesystem("memory").pipe("/published/broken.csv", b"ecephys_unit_id,cortical_depth,cortical_layer\nx,y,z\n")
    assert lake.ingest("memory://published/broken.csv", discard_raw=True).failed
    assert "broken.csv" in raw(lake)
    assert lake.catalog.discarded() == {}


def make_stale(lake: brainlake.Lake) -> None:
    """As if an older reader had written it."""
    with lake.catalog.writing() as database:
        database.execute("update brainlake_ingest set reader_version = '0'")


def test_what_became_stale_is_said_to_need_fetching_and_is_fetched(lake: brainlake.Lake) -> None:
    lake.ingest(URL, discard_raw=True).raise_failed()
    make_stale(lake)
    (item,) = lake.ingest(stale=True, dry_run=True).items
    assert item.status == "inspected"
    assert item.warnings == (f"its download was discarded: {len(LAYERS)} bytes are to be fetched again",)
    assert raw(lake) == []
    (item,) = lake.ingest(stale=True, discard_raw=True).items
    assert (item.status, raw(lake)) == ("replaced", [])
    assert lake.check() == []


def test_a_stale_source_that_is_gone_is_told_and_stops_no_other(
    lake: brainlake.Lake, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "layer_info.csv"
    own.write_text(LAYERS)
    assert run(["--lake", str(lake.path), "ingest", str(own), "--discard-raw"]) == 0
    own.unlink()
    make_stale(lake)
    (item,) = lake.ingest(stale=True).failed
    assert "layer_info.csv" in str(item.error)
    assert "bring the file back, or forget ecephys.project/" in str(item.error)
    assert lake.sql("select count(*) as n from ecephys.unit_layers").one().n == 2


def test_a_download_is_gone_before_the_next_is_fetched(lake: brainlake.Lake, monkeypatch: pytest.MonkeyPatch) -> None:
    """So that many large ones need the room of one."""
    memory = fsspec.filesystem("memory")
    for number in range(3):
        memory.pipe(f"/published/{number}.csv", LAYERS.replace("950911", f"95091{number}").encode())
    most = 0
    fetch = sources.Fetcher._fetch

    def fetching(self: sources.Fetcher, url: str, name: str) -> Source:
        nonlocal most
        found = fetch(self, url, name)
        most = max(most, len(list((lake.path / "raw").rglob("*.csv"))))
        return found

    monkeypatch.setattr(sources.Fetcher, "_fetch", fetching)
    report = lake.ingest("memory://published/*.csv", discard_raw=True, jobs=1)
    assert len(report.items) == 4
    assert most == 1
    assert raw(lake) == []
