"""Answers of the API taken apart: JSON and XML, nested and flat, known and unknown, whole and damaged."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from brainlake.ingest import registry
from brainlake.ingest.contract import Report
from brainlake.ingest.rma_records import READER
from brainlake.lake.errors import BrainlakeError, SourceError
from brainlake.tests.fixtures.corrupted_text import edits_of
from brainlake.tests.fixtures.ingesting import source_of
from brainlake.tests.fixtures.reading import column, gather

LINE = {"id": 20, "name": "Cux2-CreERT2", "transgenic_line_type_name": "driver", "ar_association_key_name": "7"}
CONTAINER = {
    "id": 1,
    "imaging_depth": 275,
    "isi_experiment_id": 9,
    "targeted_structure_id": 394,
    "targeted_structure": {"id": 394, "acronym": "VISam", "graph_id": 1},
    "specimen": {"id": 5, "donor": {"id": 7, "transgenic_lines": [LINE]}, "ephys_sweeps": [{"id": 3}]},
    "ophys_experiments": [{"id": 100, "date_of_acquisition": "2017-02-08T21:57:10Z", "fail_eye_tracking": False}],
}
XML = """<?xml version="1.0" encoding="UTF-8"?>
<Response success="true" id="0" start_row="0" num_rows="1" total_rows="1">
  <section-data-sets>
    <section-data-set>
      <id>5</id>
      <failed>false</failed>
      <name nil="true"/>
      <section-thickness>25.0</section-thickness>
      <specimen><id>6</id><name>brain &amp; all</name></specimen>
      <products><product><id>1</id><name>Mouse Brain</name></product><product><id>3</id><name>P</name></product></products>
    </section-data-set>
  </section-data-sets>
</Response>
"""


def write(path: Path, found) -> Path:
    path.write_text(found if isinstance(found, str) else json.dumps(found))
    return path


def read(path: Path):
    return gather(READER.read(source_of(path), frozenset({"records"}), Report()))


def test_records_land_by_model_and_nothing_is_lost(tmp_path):
    tables = read(write(tmp_path / "a.json", [CONTAINER, {**CONTAINER, "id": 2}]))
    assert column(tables["rma.answered_experiment_containers"], "id") == [1, 2]
    assert column(tables["rma.answered_structures"], "acronym") == ["VISam"]
    lines = tables["rma.answered_transgenic_lines"]
    assert json.loads(column(lines, "extra")[0]) == {"ar_association_key_name": "7"}
    specimens = tables["rma.answered_specimens"]
    assert json.loads(column(specimens, "extra")[0]) == {
        "ephys_sweeps": [{"id": 3}]
    }  # no table is declared for them here
    assert (
        column(tables["rma.answered_ophys_experiments"], "date_of_acquisition")[0].isoformat() == "2017-02-08T21:57:10"
    )
    links = tables["rma.answered_links"]
    assert set(zip(column(links, "association"), column(links, "owner_id"), column(links, "member_id"), strict=True)) == {
        ("ophys_experiments", 1, 100), ("ophys_experiments", 2, 100), ("transgenic_lines", 7, 20),
    }  # fmt: skip


def test_csv_says_what_json_says_where_its_model_is_told(tmp_path):
    text = (
        'id,name,transgenic_line_type_name,stock_number,colour\n20,"Cux2, ERT2",driver,,\n21,Ai93,reporter,024107,red\n'
    )
    source = replace(source_of(write(tmp_path / "lines.csv", text)), settings=(("model", "TransgenicLine"),))
    tables = gather(READER.read(source, frozenset({"records"}), Report()))
    assert list(tables) == ["rma.answered_transgenic_lines"]
    lines = tables["rma.answered_transgenic_lines"]
    assert column(lines, "id") == [20, 21]
    assert column(lines, "name") == ["Cux2, ERT2", "Ai93"]
    assert column(lines, "stock_number") == [None, "024107"]
    assert json.loads(column(lines, "extra")[1]) == {"colour": "red"}
    assert READER.identify(source).subject == "rma.transgenic_lines/20-21"
    with pytest.raises(SourceError, match=r"neither JSON nor XML.*--set model=NAME"):
        read(tmp_path / "lines.csv")


def test_xml_says_what_json_says(tmp_path):
    record = {
        "id": 5, "failed": False, "name": None, "section_thickness": 25.0, "specimen": {"id": 6, "name": "brain & all"},
        "products": [{"id": 1, "name": "Mouse Brain"}, {"id": 3, "name": "P"}],
    }  # fmt: skip
    xml = read(write(tmp_path / "a.xml", XML))
    assert xml == read(write(tmp_path / "a.json", {"model": "SectionDataSet", "msg": [record], "success": True}))
    assert column(xml["rma.answered_data_sets"], "type") == ["SectionDataSet"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (
            XML.replace("<Response", "<!DOCTYPE a [<!ENTITY b 'c'>]><Response"),
            "declares types",
        ),
        (XML[:-30], "is no XML"),
        (XML.replace('success="true"', 'success="false"'), "an answer that failed"),
        (XML.replace("<failed>false</failed>", "<id>6</id>"), "names id twice"),
        ("<Response success='true'>" + "<a>" * 100 + "</a>" * 100 + "</Response>", "nests deeper"),
    ],
)
def test_xml_that_is_no_answer_is_refused(tmp_path, text, said):
    with pytest.raises(SourceError, match=said):
        read(write(tmp_path / "a.xml", text))


def test_an_answer_says_its_model_and_query(tmp_path):
    document = {
        "model": "Donor",
        "query": "model::Donor",
        "msg": [{"id": 1, "weight": 5}],
        "success": True,
        "num_rows": 1,
    }
    path = write(tmp_path / "a.json", document)
    assert registry.choose(source_of(path)).name == "rma_records"
    subject = READER.identify(source_of(path)).subject
    again = write(tmp_path / "b.json", {**document, "msg": [{"id": 2}]})
    assert READER.identify(source_of(again)).subject == subject  # another answer to the same query takes its place
    assert subject.startswith("rma.donors/")


def test_an_attribute_of_another_type_is_one_error_that_names_it(tmp_path):
    with pytest.raises(SourceError, match=r'record 0, imaging_depth: "deep" is no int64'):
        read(write(tmp_path / "a.json", [{**CONTAINER, "imaging_depth": "deep"}]))


def test_other_readers_keep_what_is_theirs(tmp_path):
    """Two claims of one file would be an error of the registry."""
    structure = {
        "id": 8,
        "acronym": "grey",
        "name": "grey",
        "graph_id": 1,
        "graph_order": 1,
        "structure_id_path": "/8/",
    }
    path = write(tmp_path / "s.json", {"model": "Structure", "msg": [structure], "success": True})
    assert registry.choose(source_of(path)).name == "ccf_structures"
    flat = [{"id": 1, "experiment_container_id": 2, "session_type": "three_session_A", "targeted_structure": "VISp"}]
    assert not READER.sniff(source_of(write(tmp_path / "flat.json", flat)))


@pytest.mark.parametrize("suffix", ["json", "xml"])
def test_damage_is_read_or_refused_with_one_error(tmp_path, suffix):
    text = XML if suffix == "xml" else json.dumps([CONTAINER, {**CONTAINER, "id": 2}], indent=1)
    rng, path = np.random.default_rng(11), tmp_path / f"a.{suffix}"
    refused, n_read = [], 0
    for _ in range(8):
        for edit in edits_of(text.encode()).values():
            path.write_bytes(edit(rng, text.encode()))
            try:
                READER.sniff(source_of(path))
                READER.identify(source_of(path))
                read(path)
            except BrainlakeError as error:
                refused.append(str(error))
            else:
                n_read += 1
    assert all(str(path) in error for error in refused)
    assert refused
    assert n_read


def test_real_containers_are_normalised(real_data):
    """216 containers, 648 experiments, as the file's record says; donors and lines are counted in the JSON itself."""
    path = real_data("metadata/brain_observatory/experiment_containers_rma216.json")
    records = json.loads(path.read_text())
    tables = read(path)
    assert registry.choose(source_of(path)).name == "rma_records"
    assert tables["rma.answered_experiment_containers"].num_rows == 216
    assert tables["rma.answered_ophys_experiments"].num_rows == 648
    donors = {r["specimen"]["donor"]["id"]: r["specimen"]["donor"] for r in records}
    assert sorted(column(tables["rma.answered_donors"], "id")) == sorted(donors)
    found = dict(
        zip(
            column(tables["rma.answered_donors"], "id"),
            column(tables["rma.answered_donors"], "full_genotype"),
            strict=True,
        )
    )
    assert found == {key: donor["full_genotype"] for key, donor in donors.items()}
    lines = {line["id"] for donor in donors.values() for line in donor["transgenic_lines"]}
    assert set(column(tables["rma.answered_transgenic_lines"], "id")) == lines


def test_a_real_data_set_in_xml(real_data):
    """100141219: 140 section images, red background, thickness 100 um."""
    tables = read(real_data("rma/100141219_data_set.xml"))
    assert tables["rma.answered_sub_images"].num_rows == 140
    assert column(tables["rma.answered_data_sets"], "section_thickness") == [100.0]
    assert column(tables["rma.answered_data_sets"], "qc_date")[0].isoformat() == "2011-09-02T19:45:18"
    assert set(column(tables["rma.answered_sub_images"], "data_set_id")) == {100141219}


@pytest.mark.parametrize("name", ["rma/glif_472451425_model_metadata.pyliteral.txt", "rma/472451419_response.json"])
def test_real_records_of_models_go_to_their_reader(real_data, name):
    """One of them was printed by Python (None, True): it is read as a literal, and nothing of it is run."""
    assert registry.choose(source_of(real_data(name))).name == "model_records"


IMAGE = {"id": 7, "data_set_id": 5, "section_number": 171, "tier_count": 7, "alignment2d": {"id": 9, "tsv_00": 1.5}}
DATA_SET = {"id": 5, "plane_of_section_id": 2, "section_thickness": 25.0, "reference_space_id": 10,
            "alignment3d": {"id": 8, "tvr_00": 0.5}}  # fmt: skip


@pytest.mark.parametrize(
    ("record", "table"), [(IMAGE, "rma.answered_sub_images"), (DATA_SET, "rma.answered_data_sets")]
)
def test_one_record_out_of_its_answer_is_an_answer_of_one(tmp_path, record, table):
    path = write(tmp_path / "a.json", record)
    assert registry.choose(source_of(path)) is READER
    tables = read(path)
    assert column(tables[table], "id") == [record["id"]]
    assert tables == read(write(tmp_path / "b.json", {"success": True, "num_rows": 1, "msg": [record]}))


def test_what_people_say_of_a_file_decides_whose_records_it_holds(tmp_path):
    """Of a file that nobody else knows, however the model is spelled; of a folder's files only where they do not tell."""
    path = write(tmp_path / "a.txt", {"id": 3, "name": "Neuropixels"})
    with pytest.raises(SourceError, match=r"no reader knows.*--set model=NAME tells"):
        registry.choose(source_of(path))
    said = source_of(path, model="product")
    assert registry.choose(said) is READER
    assert READER.identify(said).subject == "rma.products/3"
    images = source_of(write(tmp_path / "b.json", [IMAGE]), model="AtlasImage")
    assert column(gather(READER.read(images, frozenset({"records"}), Report()))["rma.answered_sub_images"], "type") == [
        "AtlasImage"
    ]
    assert READER.identify(replace(source_of(tmp_path / "b.json", model="Product"), named=False)).subject == (
        "rma.sub_images/7"
    )


def test_metrics_of_containers_come_in_csv(tmp_path):
    text = (
        "experiment_container_id,tld1_id,area,failed_experiment_container,mean_running_speed_a,"
        "population_receptive_field_large\n511510627,179697864,VISl,f,1.5,/path/large.png\n"
    )
    path = write(tmp_path / "metrics.csv", text)
    assert registry.choose(source_of(path)) is READER
    assert READER.identify(source_of(path)).subject == "rma.api_cam_experiment_container_metrics/511510627"
    (row,) = read(path)["rma.answered_api_cam_experiment_container_metrics"].to_pylist()
    assert (row["experiment_container_id"], row["area"], row["failed_experiment_container"]) == (
        511510627,
        "VISl",
        False,
    )
    assert row["mean_running_speed_a"] == 1.5  # cm/s
    assert json.loads(row["extra"]) == {"population_receptive_field_large": "/path/large.png"}


@pytest.mark.parametrize(
    ("name", "reader"),
    [
        ("rma/atldld/rma_all_SectionDataSet.json", "rma_records"),
        ("rma/atldld/rma_all_SectionImage.json", "rma_records"),
        ("rma/atldld/sync_SectionDataSet.txt", "connectivity_json"),
        ("rma/atldld/sync_SectionImage.txt", "rma_records"),
        ("metadata/brain_observatory/container_metrics_199.csv", "rma_records"),
    ],
)
def test_real_records_find_their_reader(real_data, name, reader):
    assert registry.choose(source_of(real_data(name))).name == reader
