"""A model's package is taken as a folder is; one that would reach out of itself is refused before anything is written."""

from __future__ import annotations

import json
import stat
import zipfile
from pathlib import Path

import brainlake
import pytest
from brainlake.ingest import packages
from brainlake.ingest.sources import expand
from brainlake.lake.errors import SourceError
from brainlake.tests.fixtures import model_files, swc

CONFIG, MODEL = json.dumps(model_files.glif_config()), 472451425


def packed(path: Path, **further: str) -> Path:
    """The files that the API packs of a GLIF model (spec: cell_types 2.2), and further ones."""
    sweeps = [{"sweep_number": 4, "stimulus_name": "Long Square"}]
    files = {f"{MODEL}_neuron_config.json": CONFIG, "ephys_sweeps.json": json.dumps(sweeps),
             "neuronal_model.json": json.dumps(model_files.model_record()), **further}  # fmt: skip
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return path


def test_the_files_of_a_package_are_sources_of_their_own(tmp_path):
    path = packed(tmp_path / "model.zip", **{"modfiles/Ih.mod": "NEURON { SUFFIX Ih }", "picture.png": "no reader's"})
    found = expand([path], tmp_path / "raw")
    assert [source.url for source in found] == [
        f"{path}/{name}" for name in (f"{MODEL}_neuron_config.json", "ephys_sweeps.json", "neuronal_model.json", "modfiles/Ih.mod")
    ]  # fmt: skip
    assert found[0].path.name == f"{MODEL}_neuron_config.json"  # readers tell from it which model it is
    assert found[0].path.read_text() == CONFIG
    (one,) = expand([f"{path}/modfiles/Ih.mod"], tmp_path / "raw")
    assert (one.url, one.path) == (found[3].url, found[3].path)


def test_a_package_is_ingested_with_all_it_holds(tmp_path):
    path = packed(tmp_path / f"{MODEL}.zip", **{"Sst_m.swc": swc.swc()})
    with brainlake.create(tmp_path / "lake") as lake:
        report = lake.ingest(path, jobs=1)
        report.raise_failed()
        assert lake.sql("select neuronal_model_id, capacitance from models.glif_configs").pl().rows() == [
            (MODEL, 8.0e-11)
        ]
        assert lake.sql("select source_name, n_nodes from morphology.swc_files").pl().rows() == [
            ("Sst_m.swc", len(swc.SMALL))
        ]
        snapshot = lake.refresh()
        assert "ingested" not in {item.status for item in lake.ingest(path, jobs=1).items}
        assert lake.refresh() == snapshot


def test_a_package_in_a_folder_is_found(tmp_path):
    (tmp_path / "models").mkdir()
    packed(tmp_path / "models" / "a.zip")
    assert len(expand([tmp_path / "models"], tmp_path / "raw")) == 3


def test_an_archive_of_something_else_is_one_source(tmp_path):
    with zipfile.ZipFile(tmp_path / "volumes.zip", "w") as archive:
        archive.writestr("energy.mhd", "ObjectType = Image")
    assert [source.path for source in expand([tmp_path / "volumes.zip"], tmp_path / "raw")] == [
        tmp_path / "volumes.zip"
    ]
    assert not (tmp_path / "raw").exists()


@pytest.mark.parametrize(
    "name", ["../out.json", "/etc/out.json", "a/../../out.json", "C:\\out.json", "..\\out.json", "a:b.json"]
)
def test_a_member_that_would_lie_outside_is_refused(tmp_path, name):
    path = packed(tmp_path / "model.zip", **{name: "{}"})
    with pytest.raises(SourceError, match=r"model\.zip.*would lie outside of the archive"):
        expand([path], tmp_path / "raw")
    assert {one.name for one in tmp_path.rglob("*")} == {"model.zip"}


def test_a_link_is_refused(tmp_path):
    path = packed(tmp_path / "model.zip")
    with zipfile.ZipFile(path, "a") as archive:
        link = zipfile.ZipInfo("link.json")
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "/etc/passwd")
    with pytest.raises(SourceError, match=r"link\.json.*is no plain file"):
        expand([path], tmp_path / "raw")


@pytest.mark.parametrize(("limit", "value"), [("MAX_BYTES", 1_000), ("MAX_MEMBERS", 2)])
def test_a_package_that_unpacks_to_too_much_is_refused(tmp_path, monkeypatch, limit, value):
    monkeypatch.setattr(packages, limit, value)
    with pytest.raises(SourceError, match="unpacks to 3 files"):
        expand([packed(tmp_path / "model.zip")], tmp_path / "raw")
    assert not (tmp_path / "raw").exists()


def test_a_damaged_member_leaves_nothing_behind(tmp_path):
    path = packed(tmp_path / "model.zip")
    data = bytearray(path.read_bytes())
    data[len(f"{MODEL}_neuron_config.json") + 60] ^= 0xFF  # within the first member's bytes
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"neuron_config\.json.*cannot be unpacked"):
        expand([path], tmp_path / "raw")
    assert [one for one in (tmp_path / "raw").rglob("*") if one.is_file()] == []


def test_what_a_package_does_not_hold_is_told(tmp_path):
    path = packed(tmp_path / "model.zip")
    with pytest.raises(SourceError, match=r"fit\.json: is not in this package"):
        expand([f"{path}/fit.json"], tmp_path / "raw")
