"""Files of the connectivity atlas: what they hold arrives, and what is wrong with them is said."""

from __future__ import annotations

import json
import zipfile
from pathlib import Path

import brainlake
import numpy as np
import pytest
from brainlake.ingest import registry
from brainlake.ingest.contract import Report
from brainlake.lake.errors import AbsentError, ForeignError, SourceError
from brainlake.lake.volume_output import array_of
from brainlake.tests.fixtures import ccf
from brainlake.tests.fixtures import connectivity as fixture
from brainlake.tests.fixtures.ingesting import concat, source_of, tables_of
from brainlake.tests.fixtures.memory import memory_connection

COLUMNS = fixture.unionize_columns([501, 502], [385, 549])


def identity(path: Path, **settings: str) -> tuple[str, str]:
    source = source_of(path, **settings)
    found = registry.choose(source).identify(source)
    return found.subject, found.role


def density(folder: Path, **how) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    return ccf.write_nrrd(
        folder / "projection_density_200.nrrd", fixture.small_grids()["projection_density"], um=200, **how
    )


def test_experiments_keep_what_the_record_says(tmp_path):
    found = tables_of(fixture.write_experiments(tmp_path / "experiments.json"))["connectivity.listed_experiments"]
    row = found.to_pylist()[3]
    assert row["injection_structure_ids"] == [1027, 385, 1027]  # order and repeats kept
    assert row["transgenic_line"] == "Cux2-IRES-Cre"
    assert json.loads(row["extra"])["transgenic_line_record"] == {"id": 7, "originating_lab": "somewhere"}
    assert (row["injection_ap_um"], row["injection_ml_um"]) == (400, 6000)
    assert found["transgenic_line"].null_count == 3
    assert identity(tmp_path / "experiments.json") == ("connectivity.experiments", "experiments")


def test_a_page_of_experiments_is_a_subject_of_its_own(tmp_path):
    records = fixture.experiment_records()[:2]
    page = {"success": True, "id": 0, "start_row": 0, "num_rows": 2, "total_rows": 5, "msg": records}
    (tmp_path / "page.json").write_text(json.dumps(page))
    assert identity(tmp_path / "page.json") == ("connectivity.experiment/501-502", "experiments")


def test_unionizes_are_the_same_from_the_api_and_from_the_cache(tmp_path):
    cached = fixture.write_unionizes_csv(tmp_path / "experiment_501" / "structure_unionizes.csv", COLUMNS)
    (tmp_path / "api.json").write_text(json.dumps(fixture.unionize_records(COLUMNS)))
    name = "connectivity.published_unionizes"
    table = tables_of(cached)[name]
    assert table.equals(tables_of(tmp_path / "api.json")[name])
    for column, values in COLUMNS.items():
        np.testing.assert_array_equal(table[column].to_numpy(), values, err_msg=column)  # to the last bit
    assert identity(cached) == ("connectivity.experiment/501-502", "unionizes")


@pytest.mark.parametrize("given", [["T301", "other"], "T301|other", "T301 | other"])
def test_workflows_of_one_s_own_experiments_are_a_list_or_joined(tmp_path, given):
    named, other = fixture.experiment_records()[:2]
    path = fixture.write_experiments(tmp_path / "own.json", [{**named, "workflows": given}, other])
    first, second = tables_of(path)["connectivity.listed_experiments"].to_pylist()
    assert (first["workflows"], second["workflows"]) == (["T301", "other"], [])
    assert "workflows" not in (first["extra"] or "")
    fixture.write_experiments(path, [{**named, "workflows": [3]}])
    with pytest.raises(SourceError, match=r"record 0, workflows: '\[3\]' are no names"):
        tables_of(path)


def test_a_table_of_one_s_own_experiments_is_read(tmp_path):
    path = tmp_path / "mine.csv"
    path.write_text(
        "id,age,gender,project_code,workflow_state,workflows,structure_id,injection_structures,rig\n"
        "7,P56,m,T301,passed,T301|other,,,3\n8,P60,f,T302,failed,,385,385/593,4\n"
    )
    first, second = tables_of(path)["connectivity.listed_experiments"].to_pylist()
    assert (first["experiment_id"], first["structure_id"], first["workflows"]) == (7, None, ["T301", "other"])
    assert json.loads(first["extra"]) == {"rig": 3}
    assert second["injection_structure_ids"] == [385, 593]
    assert identity(path) == ("connectivity.experiment/7-8", "experiment_metadata")


@pytest.mark.parametrize("encoding", ["gzip", "raw", "bzip2"])
def test_a_grid_comes_back_voxel_by_voxel(tmp_path, encoding):
    grid = fixture.small_grids()["projection_density"]
    found = tables_of(density(tmp_path / "experiment_123456", encoding=encoding))
    voxels, back = found["connectivity.grid_voxels"], np.zeros(ccf.SHAPE, np.float32)
    back[voxels["ap_index"], voxels["dv_index"], voxels["ml_index"]] = voxels["voxel_value"]
    np.testing.assert_array_equal(back, grid)
    (facts,) = found["connectivity.grids"].to_pylist()
    assert (facts["experiment_id"], facts["measure"], facts["grid_um"]) == (123456, "projection_density", 200)
    assert facts["n_nonzero"] == np.count_nonzero(grid)
    assert facts["voxel_sum"] == pytest.approx(grid.sum(dtype=float))


def test_a_data_mask_keeps_where_it_is_not_one(tmp_path):
    mask = fixture.small_grids()["data_mask"]
    path = ccf.write_nrrd(tmp_path / "data_mask_200.nrrd", mask, um=200)
    back = np.ones(ccf.SHAPE, np.float32)
    for run in tables_of(path, experiment="5")["connectivity.data_mask_runs"].to_pylist():
        begin = run["ap_index"]
        back[begin : begin + run["n_voxels"], run["dv_index"], run["ml_index"]] = run["valid_fraction"]
    np.testing.assert_array_equal(back, mask)


def test_doubles_that_are_floats_are_kept_as_floats_and_others_are_refused(tmp_path):
    grid = fixture.small_grids()["projection_density"].astype(np.float64)
    path = ccf.write_nrrd(tmp_path / "projection_density_200.nrrd", grid, um=200)
    (facts,) = tables_of(path, experiment="5")["connectivity.grids"].to_pylist()
    assert facts["file_dtype"] == "<f8"
    ccf.write_nrrd(path, grid + 1 / 3, um=200)
    with pytest.raises(SourceError, match="holds values that float32 does not"):
        tables_of(path, experiment="5")


def test_a_grid_of_nobody_knows_whom_says_what_to_tell(tmp_path):
    with pytest.raises(SourceError, match="--set experiment=ID names it"):
        tables_of(density(tmp_path / "somewhere"))
    assert identity(density(tmp_path / "somewhere"), experiment="77")[0] == "connectivity.experiment/77"


def test_a_grid_of_another_size_than_the_reference_space_s_is_refused(tmp_path):
    grid = fixture.small_grids()["projection_density"]
    path = ccf.write_nrrd(tmp_path / "projection_density_100.nrrd", grid, um=100)
    with pytest.raises(SourceError, match=r"declares \(12, 8, 10\) voxels of 100 um; it has \(132, 80, 114\)"):
        tables_of(path, experiment="5")
    path = ccf.write_nrrd(tmp_path / "projection_density_50.nrrd", grid, um=200)
    with pytest.raises(SourceError, match="declares voxels of 200 um, and its name says 50"):
        tables_of(path, experiment="5")


def test_an_alignment_without_its_experiment_is_refused_unless_people_name_it(tmp_path):
    """The reference wrote all alignments to one path, where the first stayed for every experiment."""
    folder = tmp_path / "experiment_%d"
    folder.mkdir()
    path = folder / "alignment3d.json"
    path.write_text(json.dumps(fixture.alignment_record(np.eye(3), np.zeros(3))))
    with pytest.raises(SourceError, match="the alignment may be of any experiment"):
        tables_of(path)
    (row,) = tables_of(path, experiment="42")["connectivity.alignments"].to_pylist()
    assert row["experiment_id"] == 42
    assert row["trv"] == [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]
    path.write_text(json.dumps(fixture.alignment_record(np.eye(3), np.zeros(3), aligned_id=7)))
    with pytest.raises(SourceError, match="is 7, and --set experiment=42 says another"):
        tables_of(path, experiment="42")


def test_a_section_data_set_gives_alignment_injections_and_images(tmp_path):
    record = {
        "id": 501,
        "section_thickness": 100.0,
        "alignment3d": fixture.alignment_record(np.eye(3), np.zeros(3)),
        "specimen": {
            "stereotaxic_injections": [
                {
                    "id": 3,
                    "angle": 10,
                    "injection_materials": [{"name": "AAV"}],
                    "primary_injection_structure": {"id": 385, "acronym": "VISp"},
                    "structures": [{"id": 385}, {"id": 1027}],
                    "stereotaxic_injection_coordinates": [
                        {"coordinates_ap": -3.5, "coordinates_dv": 0.4, "coordinates_ml": 2.1}
                    ],
                }
            ]
        },
        "sub_images": [
            {"id": 9, "section_number": 4, "width": 30, "height": 20, "resolution": 0.35,
             "alignment2d": {f"{way}_{i:02d}": i for way in ("tsv", "tvs") for i in range(6)}},
            {"id": 10, "section_number": 5, "width": 30, "height": 20, "resolution": 0.35},
        ],
    }  # fmt: skip
    (tmp_path / "set.json").write_text(json.dumps([record]))
    found = tables_of(tmp_path / "set.json")
    (injection,) = found["connectivity.injections"].to_pylist()
    assert (injection["structure_id"], injection["injection_structure_ids"]) == (385, [385, 1027])
    assert (injection["injection_ap_mm"], injection["injection_angle"]) == (-3.5, 10)
    aligned, other = found["connectivity.section_images"].to_pylist()
    assert (aligned["tsv"], other["tsv"]) == ([0, 1, 2, 3, 4, 5], [])
    assert found["connectivity.alignments"].num_rows == 1


def summary() -> dict:
    """What the API tells of an injection; it names no owner of what it nests where the query leaves that out."""
    return {
        "id": 501, "failed": False, "specimen_id": 71, "section_thickness": 100.0, "green_channel": "rAAV",
        "equalization": {"id": 6, "red_lower": 0, "red_upper": 900, "green_lower": 7, "green_upper": 1800,
                         "blue_lower": 1, "blue_upper": 4095},
        "products": [{"id": 31}, {"id": 5}],
        "alignment3d": {"id": 3, "trv": "1,2,3,4,5,6,7,8,9,10,11,12.5", "tvr": "1,0,0,0,1,0,0,0,1,-1,-2,-3"},
        "specimen": {
            "id": 71, "donor_id": 72,
            "donor": {"id": 72, "sex": "F", "strain": "C57BL/6J", "transgenic_mouse_id": 73, "transgenic_mouse": {
                "id": 73, "name": "Rbp4", "transgenic_lines": [{"id": 75, "name": "Rbp4-Cre"}, {"id": 74, "name": "Ai75"}]}},
            "injections": [{"id": 76, "age_id": 77, "primary_injection_structure_id": 385, "structure_id": 385,
                            "registration_point": "Bregma", "coordinates_ap": -3.5, "coordinates_dv": 0.4,
                            "coordinates_ml": 2.1, "angle": 10.0, "injection_materials": "AAV", "age": {"id": 77, "days": 56.0}}],
        },
        "sub_images": [{"id": 9, "section_number": 4, "width": 30, "height": 20, "resolution": 0.35,
                        "alignment2d": {"id": 12, "tsv": "1,2,3,4,5,6", "tvs": "6,5,4,3,2,1"}}],
    }  # fmt: skip


def as_xml(value: object, name: str) -> str:
    tag = name.replace("_", "-")
    if isinstance(value, dict):
        return f"<{tag}>{''.join(as_xml(one, key) for key, one in value.items())}</{tag}>"
    if isinstance(value, list):
        singular = name.removesuffix("s")
        return f'<{tag} type="array">{"".join(as_xml(one, singular) for one in value)}</{tag}>'
    return f"<{tag}>{str(value).lower() if isinstance(value, bool) else value}</{tag}>"


@pytest.mark.parametrize("form", ["json", "xml"])
def test_an_injection_and_images_are_told_with_animal_and_equalization_in_either_form(tmp_path, form):
    record, path = summary(), tmp_path / f"set.{form}"
    if form == "json":  # where JSON has numbers one by one
        for one, ways in (
            (record["alignment3d"], ("trv", "tvr")),
            (record["sub_images"][0]["alignment2d"], ("tsv", "tvs")),
        ):
            for way in ways:
                one |= {f"{way}_{i:02d}": float(v) for i, v in enumerate(one.pop(way).split(","))}
        path.write_text(json.dumps({"model": "SectionDataSet", "success": True, "msg": [record]}))
    else:
        path.write_text(as_xml(record, "section_data_set"))
    ccf.write_json(tmp_path / "structures.json", ccf.tree_records())
    con = memory_connection(concat(tables_of(path), tables_of(tmp_path / "structures.json")))
    found = con.execute("from connectivity.injection_summary").fetchall()
    assert found == [
        (501, 76, False, [5, 31], 385, "VISp", "Primary visual area", "Bregma", -3.5, 0.4, 2.1, 10.0, "AAV", None, 56.0,
         "F", "C57BL/6J", "Rbp4", ["Ai75", "Rbp4-Cre"])
    ]  # fmt: skip
    images = con.execute("from connectivity.projection_images").fetchall()
    assert images == [(501, 9, 4, 30, 20, 0.35, 100.0, False, None, "rAAV", None, 0, 900, 7, 1800, 1, 4095)]
    assert con.execute("select connectivity.affine(501, 'trv')").fetchone()[0] == [*map(float, range(1, 12)), 12.5]
    aligned = con.execute("select section_image_id, tsv, tvs from ccf.section_images").fetchall()
    assert aligned == [(9, [1, 2, 3, 4, 5, 6], [6, 5, 4, 3, 2, 1])]
    con.close()


def test_the_summary_of_an_injection_is_read_without_the_series_attributes(tmp_path):
    record = {name: summary()[name] for name in ("id", "failed", "specimen_id", "equalization", "products", "specimen")}
    (tmp_path / "summary.json").write_text(json.dumps([record]))
    found = tables_of(tmp_path / "summary.json")
    assert found["rma.answered_injections"]["angle"].to_pylist() == [10.0]
    assert found["rma.answered_equalizations"]["section_data_set_id"].to_pylist() == [501]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"injection_structures": "385/VISp"}, r"record 1, injection_structures: '385/VISp' are no ids"),
        ({"data_set_id": None}, "record 1, data_set_id"),
        ({"injection_volume": "much"}, "record 1, injection_volume"),
    ],
)
def test_an_experiment_that_is_wrong_is_named(tmp_path, change, message):
    records = fixture.experiment_records()
    records[1] |= change
    with pytest.raises(SourceError, match=message):
        tables_of(fixture.write_experiments(tmp_path / "experiments.json", records))


@pytest.mark.parametrize("length", [41, 80, 640, 1_440])
def test_a_truncated_file_is_one_clear_error(tmp_path, length):
    files = [
        fixture.write_experiments(tmp_path / "experiments.json"),
        density(tmp_path / "experiment_123456"),
    ]
    for path in files:
        path.write_bytes(path.read_bytes()[:length][:-40])  # no file is left whole
        with pytest.raises((SourceError, ForeignError)) as error:
            tables_of(path)
        assert path.name in str(error.value)


def test_a_table_that_ends_within_a_row_is_refused_naming_the_line(tmp_path):
    path = fixture.write_unionizes_csv(tmp_path / "structure_unionizes.csv", COLUMNS)
    data = path.read_bytes()
    path.write_bytes(data[: data.rindex(b",")])
    with pytest.raises(SourceError, match=r"line 25: has 19 cells, the header 20"):
        tables_of(path)


def test_what_no_column_holds_is_reported(tmp_path):
    records = [{**record, "experimentID": 1} for record in fixture.unionize_records(COLUMNS)]
    (tmp_path / "unionizes.json").write_text(json.dumps(records))
    report = Report()
    tables_of(tmp_path / "unionizes.json", report=report)
    assert report.skipped == [("experimentID", "no attribute of unionizes")]


def test_a_cache_of_the_reference_is_adopted_whole(tmp_path):
    """Its folder is all that people name; the manifest is no data, and the alignment says whose it is."""
    cache = tmp_path / "mouse_connectivity"
    folder = cache / "experiment_123456"
    density(folder)
    fixture.write_unionizes_csv(folder / "structure_unionizes.csv", fixture.unionize_columns([123456], [385, 549]))
    aligned = fixture.alignment_record(np.eye(3), np.zeros(3), aligned_id=123456)
    (folder / "alignment3d.json").write_text(json.dumps(aligned))
    (cache / "manifest.json").write_text(json.dumps({"manifest": [{"key": "BASEDIR", "type": "dir", "spec": "."}]}))
    fixture.write_experiments(cache / "experiments.json")
    ccf.write_json(cache / "structures.json", ccf.tree_records())
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest(cache).raise_failed()
        found = (
            lake.sql("""
            select
                (select count(*) from connectivity.experiments) as experiments,
                (select count(*) from connectivity.unionizes) as unionizes,
                (select count(*) from connectivity.grid_voxels where experiment_id = 123456) as voxels,
                (select count(*) from connectivity.alignments) as alignments,
                (select count(*) from ccf.structures) as structures""")
            .arrow()
            .to_pylist()
        )
        voxels = int(np.count_nonzero(fixture.small_grids()["projection_density"]))
        assert found == [
            {"experiments": 5, "unionizes": 12, "voxels": voxels, "alignments": 1, "structures": len(ccf.TREE)}
        ]
        again = {item.status for item in lake.ingest(cache).items}
        assert "ingested" not in again


# -- channels --------------------------------------------------------------------------------------------------------


def channels_zip(path: Path, volumes: dict[str, np.ndarray]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for channel, volume in volumes.items():
            archive.writestr(f"resampled_{channel}.mhd", ccf.metaimage_header(volume, 25, f"resampled_{channel}.raw"))
            archive.writestr(f"resampled_{channel}.raw", ccf.file_order(volume))
    return path


def test_channels_of_an_experiment_come_back_as_they_were(tmp_path):
    rng = np.random.default_rng(0)
    volumes = {c: rng.integers(0, 4000, (40, 20, 35)).astype(np.uint16) for c in ("red", "green", "blue")}
    volumes["blue"][:] = 0
    path = channels_zip(tmp_path / "100141219.zip", volumes)
    assert identity(path) == ("connectivity.experiment/100141219", "channels")
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest(path).raise_failed()
        for channel, volume in volumes.items():
            query = f"from connectivity.channel_volume(100141219, of_channel := '{channel}')"
            assert np.array_equal(array_of(lake.sql(query).reader()), volume), channel
        with pytest.raises(AbsentError, match="channel pink of experiment 100141219 is not in this lake"):
            lake.sql("from connectivity.channel_volume(100141219, of_channel := 'pink')").arrow()


def test_channels_that_do_not_lie_on_one_grid_are_refused(tmp_path):
    volumes = {"red": np.ones((4, 3, 2), np.uint16), "green": np.ones((4, 3, 3), np.uint16)}
    with pytest.raises(SourceError, match="different shapes"):
        tables_of(channels_zip(tmp_path / "100141219.zip", volumes))
    with pytest.raises(SourceError, match="nothing tells which experiment"):
        tables_of(channels_zip(tmp_path / "channels.zip", dict.fromkeys(("red", "green"), volumes["red"])))
