"""Files of the API come by id, are kept as they came, told in ``rma.requests``, and read by the reader that knows them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import brainlake
import numpy as np
import pytest
from brainlake.lake.cli import run
from brainlake.lake.errors import QueryError
from brainlake.lake.fetching import How
from brainlake.tests.fixtures import atlas_origin as origin
from brainlake.tests.fixtures import ccf, connectivity, observatory, swc
from brainlake.tests.fixtures.rma_server import RmaServer, serving

DENSITY = connectivity.small_grids()["projection_density"]

# What is fetched, with which ids -> a question over what became of it, and its answer from what the origin holds.
FETCHED: dict[str, tuple[list[int], dict[str, Any], str, list[tuple[Any, ...]]]] = {
    "recordings": ([origin.CELL], {}, "select specimen_id, count(*) > 8 from icephys.sweeps group by all",
                   [(origin.CELL, True)]),
    "reconstructions": ([origin.CELL], {}, "select named_specimen_id, n_nodes from morphology.swc_files",
                        [(origin.CELL, len(swc.SMALL))]),
    "markers": ([origin.CELL], {}, "select named_specimen_id, n_markers from morphology.marker_files",
                [(origin.CELL, 1)]),
    "glif_configs": ([origin.GLIF_MODEL], {}, "select neuronal_model_id, capacitance from models.glif_configs",
                     [(origin.GLIF_MODEL, 8.0e-11)]),
    "projection_density": ([origin.EXPERIMENT], {"um": 100},
                           "select experiment_id, count(*), sum(voxel_value) from connectivity.grid_voxels group by all",
                           [(origin.EXPERIMENT, int(np.count_nonzero(DENSITY)), float(DENSITY.sum(dtype=float)))]),
    "data_mask": ([origin.EXPERIMENT], {"um": 100}, "select measure, grid_um from connectivity.grids",
                  [("data_mask", 100)]),
    "expression": ([origin.SERIES], {}, "select data_set_id, max(energy) from ish.grid_voxels group by all", [(origin.SERIES, 35.0)]),
    "template": ([], {}, "select kind, stored_dtype, shape from ccf.volumes", [("template", "u2", [*ccf.SHAPE])]),
    "nissl": ([], {}, "select kind, shape from ccf.volumes", [("nissl", [*ccf.SHAPE])]),
    "annotation": ([], {}, "select kind, version, shape from ccf.volumes", [("annotation", "ccf_2017", [*ccf.SHAPE])]),
    "masks": ([593], {}, "select kind, structure_id from ccf.volumes", [("mask", 593)]),
    "meshes": ([385], {}, "select structure_id, len(vertex_ap_um) from ccf.structure_meshes", [(385, 3)]),
    "section_images": ([origin.IMAGE], {}, "select size_bytes from rma.requests", [(len(origin.JPEG),)]),
    "svg": ([origin.IMAGE], {}, """
            select section_image_id, structure_id, graphic_group_label_id, left_px, bottom_px from rma.drawn_structures""",
            [(origin.IMAGE, 385, 28, 1.0, 4.0)]),
    "model_packages": ([origin.GLIF_MODEL], {}, "select neuronal_model_id, capacitance from models.glif_configs",
                       [(origin.GLIF_MODEL, 8.0e-11)]),
    "channels_on_reference": ([origin.EXPERIMENT], {}, """
            select c.experiment_id, c.channel, v.kind from connectivity.channel_volumes as c
            join ccf.volumes as v using (volume_id) order by 2""",
                              [(origin.EXPERIMENT, channel, "channel") for channel in ("blue", "green", "red")]),
    "ophys_events": ([observatory.EXPERIMENT], {}, "select ophys_experiment_id, count(*) from ophys.events group by all",
                     [(observatory.EXPERIMENT, 2)]),
    "eye_gaze": ([observatory.SESSION], {}, "select session_id, count(*) from behavior.gaze_mapping group by all",
                 [(observatory.SESSION, len(observatory.GAZE_TIMES))]),
    "cell_mapping": ([], {}, "select count(*), count(distinct cell_specimen_id) from ophys.mapped_cells", [(3, 2)]),
    "file": ([11], {}, "select count(*) > 8 from icephys.sweeps", [(True,)]),
}  # fmt: skip


@pytest.fixture(scope="module")
def held(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return origin.held(tmp_path_factory.mktemp("origin"))


@pytest.fixture
def server(held: dict[str, Any]):
    with serving(**held) as found:
        yield found


@pytest.fixture
def lake(tmp_path: Path):
    with brainlake.create(tmp_path / "lake") as found:
        yield found


def how(server: RmaServer, **further: Any) -> How:
    return How(server.url, archive=server.url, **further)


def rows(lake: brainlake.Lake, query: str) -> list[tuple[Any, ...]]:
    return [tuple(row) for row in lake.sql(query).pl().rows()]


@pytest.mark.parametrize("what", FETCHED)
def test_a_file_is_kept_told_and_read(lake, server, what):
    ids, further, query, expected = FETCHED[what]
    report = lake.fetch(what, *ids, how=how(server, **further))
    report.raise_failed()
    assert rows(lake, query) == expected
    kept = report.paths[-1]
    assert kept.read_bytes() == server.files[server.asked[-1]]  # byte for byte
    told = "select sha256, size_bytes, http_status from rma.requests where rma_text is null"
    data = kept.read_bytes()
    assert rows(lake, told) == [(hashlib.sha256(data).hexdigest(), len(data), 200)]
    asked = len(server.asked)
    assert lake.fetch(what, *ids, how=how(server, offline=True, **further)).n_here == len(report.paths)
    assert len(server.asked) == asked


def test_what_no_reader_knows_is_kept_and_said(lake, server):
    """Analyses are computed anew from recordings, and movies and scenes are for people: both stay files."""
    for what, ids, names in (
        ("ophys_analyses", [observatory.EXPERIMENT], ["502376461_three_session_B_analysis.h5"]),
        ("stimulus_templates", [], ["natural_movie_1.h5", "natural_scene_7.tiff"]),
        ("section_images", [origin.IMAGE], [f"{origin.IMAGE}.jpg"]),
    ):
        report = lake.fetch(what, *ids, how=how(server))
        report.raise_failed()
        kept = [path for path in report.paths if path.suffix != ".json"]
        assert [path.name for path in kept] == names
        assert list(report.notes) == [f"kept as {path}" for path in kept]
        assert {item.reader for item in report.ingested.items} <= {"rma_records", "rma_journal"}


def test_a_file_that_the_api_does_not_have_is_an_error_that_names_the_query(lake, server):
    report = lake.fetch("ophys_events", 5, observatory.EXPERIMENT, how=how(server))
    (error,) = report.errors
    assert str(error).startswith("ophys_events: the API has no such file: model::WellKnownFile")
    assert "[attachable_id$eq5]" in str(error)
    assert rows(lake, "select count(*) from ophys.event_trains") == [(len(observatory.EVENTS),)]  # of the other


def test_a_deformation_field_comes_with_its_voxels(lake, server, tmp_path):
    """Header and voxels lie side by side, each with its request; displacements are those of the file."""
    report = lake.fetch("deformation_fields", origin.EXPERIMENT, how=how(server, to=tmp_path))
    report.raise_failed()
    header, voxels = report.paths[1:]
    assert (header.parent, header.name, voxels.name) == (voxels.parent, "dfmfld.mhd", "dfmfld.raw")
    assert (tmp_path / f"experiment_{origin.EXPERIMENT}" / "dfmfld.raw").read_bytes() == voxels.read_bytes()
    point = "select 75.0 as ap_um, 50.0 as dv_um, 100.0 as ml_um"  # the centre of voxel (3, 2, 4)
    query = f"with p as ({point}) from connectivity.displacements('p', {origin.EXPERIMENT})"
    (found,) = rows(lake, query)
    assert found[-3:] == pytest.approx(tuple(origin.FIELD[3, 2, 4]), rel=1e-6)
    told = "select request_number, file_name from rma.requests where rma_text is null order by 1"
    folder = f"experiment_{origin.EXPERIMENT}"
    assert rows(lake, told) == [(0, f"{folder}/dfmfld.mhd"), (1, f"{folder}/dfmfld.raw")]
    assert [state for _, state in lake.compared()] == ["as it came"] * 2


def test_a_region_of_an_image_is_another_file(lake, server, tmp_path):
    region = {"downsample": "3", "left": "10", "top": "20", "width": "30", "height": "40"}
    for kind in ("section", "atlas", "projection"):
        report = lake.fetch(f"{kind}_images", origin.IMAGE, how=how(server, image=region, to=tmp_path / kind))
        report.raise_failed()
        assert server.asked[-1].endswith("?downsample=3&left=10&top=20&width=30&height=40")
        assert (tmp_path / kind / f"{origin.IMAGE}.jpg").read_bytes() == origin.JPEG + kind.encode()
    with pytest.raises(QueryError, match="an image has no parameter hight"):
        lake.fetch("section_images", origin.IMAGE, how=how(server, image={"hight": "40"}))


def test_a_model_is_laid_out_as_the_reference_runs_it(lake, server, tmp_path):
    """C-BIO: names of the files, the sweeps without tests, the manifest's entries."""
    lake.fetch("biophysical_models", origin.MODEL, how=how(server)).raise_failed()
    lake.fetch("biophysical_files", origin.MODEL, how=how(server, to=tmp_path / "out")).raise_failed()
    folder = tmp_path / "out" / f"neuronal_model_{origin.MODEL}"
    assert sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()) == [
        "314804040.nwb", "314804042_fit.json", "line_m.swc", "line_marker_m.swc", "manifest.json", "modfiles/Ih.mod",
    ]  # fmt: skip
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["biophys"] == [
        {"model_file": ["manifest.json", "314804042_fit.json"], "model_type": "Biophysical - perisomatic"}
    ]
    assert manifest["runs"][0]["sweeps"] == [4, 5, 7]
    assert {one["key"]: one["spec"] for one in manifest["manifest"]}["MORPHOLOGY"] == "line_m.swc"


def test_what_tells_of_a_file_is_kept_as_records(lake, server):
    """The cell's recording is found again: whose file it is, of which type."""
    lake.fetch("recordings", origin.CELL, how=how(server)).raise_failed()
    (record,) = lake.rma(
        f"model::Specimen,rma::criteria,[id$eq{origin.CELL}],ephys_result(well_known_files("
        "well_known_file_type[name$eqNWBDownload])),rma::include,ephys_result(well_known_files(well_known_file_type))"
    ).arrow().to_pylist()  # fmt: skip
    assert record["ephys_result"]["well_known_files"][0]["download_link"].endswith("/11")


def test_units_and_metrics_of_cells_are_typed(lake, server):
    for what in ("units", "cell_metrics", "probes", "channels", "genes"):
        lake.fetch(what, how=how(server)).raise_failed()
    assert rows(lake, "select id, snr, PT_ratio from rma.ecephys_units") == [(origin.UNIT, 2.5, 0.5)]
    query = "select cell_specimen_id, osi_dg, all_stim, reliability_nm1_a from rma.api_cam_cell_metrics"
    assert rows(lake, query) == [(517394843, 0.5, True, None)]
    (metric,) = lake.rma("model::ApiCamCellMetric,rma::criteria,[osi_dg$ge0.5]").arrow().to_pylist()
    assert "id" not in metric
    assert rows(lake, "select gene_acronym from ish.genes where organism_id = 2 order by 1") == [("Man1a",), ("Pdyn",)]


def test_whole_lists_of_the_neuropixels_release_are_its_project_tables(lake, server):
    """The same rows as from its CSV files: names, quotients, what is out of the reference space."""
    outside = {**server.records["EcephysChannel"][0], "id": 850249268, "anterior_posterior_ccf_coordinate": -1000,
               "dorsal_ventral_ccf_coordinate": -1000, "left_right_ccf_coordinate": -1000,
               "ecephys_structure_id": None, "ecephys_structure_acronym": None}  # fmt: skip
    server.records = {**server.records, "EcephysChannel": [*server.records["EcephysChannel"], outside]}
    for what in ("sessions", "probes", "channels", "units", "unit_metrics"):
        lake.fetch(what, how=how(server)).raise_failed()
    assert rows(lake, """
        select session_id, session_type, specimen_name, age_in_days, sex, full_genotype, has_nwb, in_project
        from ecephys.sessions""") == [
        (origin.SESSION, "brain_observatory_1.1", "Sst-386129", 120.0, "M", "Sst-IRES-Cre/wt", True, True)
    ]  # fmt: skip
    assert rows(lake, "select name, has_lfp_data, lfp_sampling_rate, lfp_sampling_rate_raw from ecephys.probes") == [
        ("probeA", True, 2499.996 / 2, 2499.996)
    ]
    assert rows(lake, "select channel_id, ap_um, structure_acronym from ecephys.channels order by 1") == [
        (origin.CHANNEL, 8445.0, "VISp"),
        (850249268, None, None),
    ]
    query = "select session_id, unit_id, snr, waveform_pt_ratio, structure_acronym, source from ecephys.good_units"
    assert rows(lake, query) == [(origin.SESSION, origin.UNIT, 2.5, 0.5, "VISp", "project")]
    assert rows(lake, "select unit_id, g_osi_dg from ecephys.published_unit_metrics") == [(origin.UNIT, 0.25)]
    assert rows(lake, "select id, stimulus_name from rma.ecephys_sessions") == [
        (origin.SESSION, "brain_observatory_1.1")
    ]


def test_a_part_of_a_list_takes_no_table_s_place(lake, server):
    lake.fetch("sessions", how=how(server)).raise_failed()
    lake.fetch("sessions", origin.SESSION, how=how(server)).raise_failed()
    query = "select count(*) from lake.ingests where subject = 'ecephys.project/sessions'"
    assert rows(lake, query) == [(1,)]
    assert rows(lake, "select count(*) from ecephys.project_sessions") == [(1,)]


def test_files_are_compared_with_what_came(lake, server, capsys):
    reports = [lake.fetch(what, origin.IMAGE, how=how(server)) for what in ("svg", "section_images")]
    lake.fetch("genes", how=how(server)).raise_failed()  # an answer: put together of pages, and no file of an address
    assert [state for _, state in lake.compared()] == ["as it came"] * 2
    command = ["--lake", str(lake.path), "fetch", "--verify"]
    assert run(command) == 0
    svg, image = (report.paths[-1] for report in reports)
    svg.write_bytes(svg.read_bytes() + b" ")
    image.unlink()
    assert sorted(state for _, state in lake.compared()) == ["changed", "missing"]
    capsys.readouterr()
    assert run(command) == 2
    told = capsys.readouterr()
    assert "0 of 2 files are as they came" in told.out
    assert f"{svg.name} is changed" in told.err
    assert f"{image.name} is missing" in told.err
