"""The folder of a compartmental model is written from a lake as a download of it is, and is read again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import brainlake
import pytest
from brainlake.lake.cli import run
from brainlake.lake.errors import QueryError
from brainlake.tests.fixtures import model_files as made
from brainlake.tests.fixtures.allen_icephys import make_cell, write_nwb1
from brainlake.tests.fixtures.swc import MARKERS, write_swc

MODEL, CELL = 473863510, 314804042
FILES = {
    "manifest.json", f"{CELL}_fit.json", "line_m.swc", "line_marker_m.swc", "modfiles/Ih.mod", "314804040.nwb"
}  # fmt: skip


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the warehouse has of one model."""
    folder = tmp_path_factory.mktemp("model") / f"specimen_{CELL}"
    folder.mkdir()
    made.write_json(folder / "neuronal_model.json", made.model_record(MODEL, CELL))
    made.write_json(folder / f"{CELL}_fit.json", made.fit())
    write_swc(folder / "line_m.swc")
    (folder / "line_marker_m.swc").write_text(MARKERS)
    (folder / "Ih.mod").write_text(made.NMODL)
    write_nwb1(folder / "ephys.nwb", make_cell(CELL, sampling_rate=20_000.0, amplitudes=(-50.0, 200.0), step=0.2))
    return folder


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory, sources: Path) -> Iterator[brainlake.Lake]:
    with brainlake.create(tmp_path_factory.mktemp("bundles") / "lake") as lake:
        lake.ingest(sources).raise_failed()
        yield lake


def test_a_folder_has_every_file_where_a_download_has_it(lake: brainlake.Lake, sources: Path, tmp_path: Path) -> None:
    written = lake.export_bundle(MODEL, tmp_path / "bundle")
    found = {str(p.relative_to(written.path)) for p in written.path.rglob("*") if p.is_file()}
    assert found == set(written.files) == FILES
    assert (written.path / "work").is_dir()
    assert written.missing == ()
    assert json.loads((written.path / f"{CELL}_fit.json").read_text()) == made.fit()
    assert (written.path / "modfiles/Ih.mod").read_text() == made.NMODL
    manifest = json.loads((written.path / "manifest.json").read_text())
    specs = {entry["key"]: entry["spec"] for entry in manifest["manifest"]}
    for key in ("MORPHOLOGY", "MARKER", "stimulus_path", "MODFILE_DIR", "WORKDIR"):
        assert (written.path / specs[key]).exists()


def test_what_is_written_is_read_again_as_the_same(lake: brainlake.Lake, tmp_path: Path) -> None:
    written = lake.export_bundle(MODEL, tmp_path / f"specimen_{CELL}")
    questions = (
        "select * exclude (ingest_id, biophysical_fit_id) from models.biophysical_genome order by row_index",
        "select * exclude (ingest_id, mechanism_id) from models.mechanisms",
        "select node_type, x, y, z, radius, parent_id from morphology.nodes order by node_id",
        "select raw_x, raw_y, raw_z, marker_shape, marker_code, comment from morphology.markers order by marker_index",
        "select sweep_number, sampling_rate, stimulus, response from icephys.sweep_traces join icephys.nwb_sweeps"
        " using (specimen_id, sweep_number) order by sweep_number",
    )
    with brainlake.create(tmp_path / "second") as second:
        second.ingest(written.path).raise_failed()
        second.refresh()
        for question in questions:
            answer = lake.sql(question).pl()
            assert len(answer) > 0
            assert second.sql(question).pl().equals(answer)


def test_what_is_not_here_is_told_with_what_brings_it(sources: Path, tmp_path: Path, capsys) -> None:
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest([sources / "neuronal_model.json", sources / f"{CELL}_fit.json"]).raise_failed()
        lake.refresh()
        with pytest.raises(QueryError, match=rf"lacks .*314804040\.nwb.*`brainlake fetch biophysical_files {MODEL}`"):
            lake.export_bundle(MODEL, tmp_path / "bundle")
        assert not (tmp_path / "bundle").exists()
    command = ["--lake", str(tmp_path / "lake"), "export", "bundle", str(MODEL), "-o", str(tmp_path / "bundle")]
    assert run([*command, "--partial"]) == 0
    told = capsys.readouterr()
    assert f"{CELL}_fit.json" in told.out
    assert "not in this lake: 314804040.nwb, line_m.swc, line_marker_m.swc, modfiles/Ih.mod" in told.err
    assert run(command) == 1  # it is there already, and not whole
    assert run(["--lake", str(tmp_path / "lake"), "export", "bundle", "12", "-o", str(tmp_path / "x")]) == 1
    assert "there is no record of model 12" in capsys.readouterr().err
