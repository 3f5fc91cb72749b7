"""A lake served as the Atlas API: its addresses, envelopes and formats, over HTTP on loopback."""

from __future__ import annotations

import csv
import inspect
import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import brainlake
import numpy as np
import pytest
import requests
from brainlake.ingest import rma_endpoints as at
from brainlake.ingest.volume_files import open_volume
from brainlake.lake.commands.serving import rma as rma_command
from brainlake.lake.errors import BrainlakeError
from brainlake.lake.rma.models import models
from brainlake.lake.serve.rma import Server
from brainlake.tests.fixtures import atlas_origin as origin
from brainlake.tests.fixtures import ccf, connectivity
from brainlake.tests.fixtures.ingesting import source_of
from brainlake.tests.fixtures.rma_server import path_of

TREE = """id,atlas_id,name,acronym,st_level,ontology_id,hemisphere_id,weight,parent_structure_id,depth,graph_id,graph_order,structure_id_path,color_hex_triplet,neuro_name_structure_id,neuro_name_structure_id_path,failed,sphinx_id,structure_name_facet,failed_facet,safe_name
997,-1,root,root,,1,3,8690,,0,1,0,/997/,FFFFFF,,,f,1,385153371,734881840,root
8,0,Basic cell groups,grey,,1,3,8690,997,1,1,1,/997/8/,BFDAE3,,,f,2,2244697386,734881840,Basic cell groups
567,70,Cerebrum,CH,,1,3,8690,8,2,1,2,/997/8/567/,B0F0FF,,,f,3,2878815794,734881840,Cerebrum
"""


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder: Path = tmp_path_factory.mktemp("served")
    (folder / "structures.csv").write_text(TREE)
    with brainlake.create(folder / "lake") as lake:
        lake.ingest(folder / "structures.csv").raise_failed()
        with Server(lake, port=0) as server:
            threading.Thread(target=server.serve_forever, daemon=True).start()
            yield f"{server.url}/api/v2"
            server.shutdown()


def test_a_query_comes_in_the_envelope(url: str) -> None:
    got = requests.get(f"{url}/data/query.json?q=model::Structure,rma::options[order$eqgraph_order][num_rows$eq2]")
    envelope = got.json()
    assert {k: envelope[k] for k in ("success", "id", "start_row", "num_rows", "total_rows")} == {
        "success": True, "id": 0, "start_row": 0, "num_rows": 2, "total_rows": 3,
    }  # fmt: skip
    assert [(one["acronym"], one["structure_id_path"]) for one in envelope["msg"]] == [
        ("root", "/997/"), ("grey", "/997/8/"),
    ]  # fmt: skip


def test_the_same_in_xml_and_csv_and_by_the_body_of_a_post(url: str) -> None:
    query = "model::Structure,rma::criteria,[id$eq8],rma::include,parent,rma::options[only$eq'acronym,graph_id']"
    root = ElementTree.fromstring(requests.get(f"{url}/data/query.xml", {"q": query}).text)
    assert (root.tag, root.get("total_rows"), root.findtext("structures/structure/graph-id")) == ("Response", "1", "1")
    assert root.findtext("structures/structure/parent/acronym") == "root"
    table = "model::Structure,rma::options[tabular$eq'acronym as short,depth'][order$eqdepth]"
    rows = list(csv.reader(requests.post(f"{url}/data/query.csv", {"q": table}).text.splitlines()))
    assert rows == [["short", "depth"], ["root", "0"], ["grey", "1"], ["CH", "2"]]


def test_one_record_a_model_s_clauses_and_the_schema(url: str) -> None:
    assert requests.get(f"{url}/data/Structure/567.json").json()["msg"][0]["acronym"] == "CH"
    some = requests.get(f"{url}/data/Structure/query.json?criteria=[depth$ge1]&order=depth&only=id").json()
    assert some["msg"] == [{"id": 8}, {"id": 567}]
    described = requests.get(f"{url}/data/Structure.json").json()["msg"][0]["DataDescription"]["Structure"]
    assert described["table"] == "structures"
    assert {"name": "parent", "type": "belongs_to", "class": "Structure"} in described["associations"]


def test_the_schema_is_read_into_tables(url: str, tmp_path: Path) -> None:
    """As the API's own document: models with their tables, fields and associations."""
    (tmp_path / "data.json").write_text(requests.get(f"{url}/data.json").text)
    with brainlake.create(tmp_path / "lake") as lake:
        lake.ingest(tmp_path / "data.json").raise_failed()
        assert lake.sql(
            "select table_name, field, field_type, is_nullable from rma.model_fields "
            "where model = 'Structure' and field in ('id', 'acronym', 'failed') order by field_index"
        ).pl().rows() == [
            ("structures", "id", "integer", False), ("structures", "acronym", "string", True),
            ("structures", "failed", "boolean", True),
        ]  # fmt: skip
        assert lake.sql(
            "select association_type, target_model from rma.model_associations "
            "where model = 'Structure' and association = 'children'"
        ).pl().rows() == [("has_many", "Structure")]
        assert lake.sql("select count(distinct model) from rma.model_fields").pl().item() == len(models())


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ('{"msg": [{"DataDescription": {"Age": 5}}]}', "Age: is no description of a model"),
        ('{"msg": [{"DataDescription": {"Age": {"fields": []}}}]}', "Age, table: is no name"),
        ('{"msg": [{"DataDescription": {"Age": {"table": "ages", "fields": 5}}}]}', "Age, fields: is no list"),
    ],
)
def test_a_schema_that_is_wrong_is_one_clear_error(tmp_path: Path, told: str, said: str) -> None:
    (tmp_path / "data.json").write_text(told)
    with brainlake.create(tmp_path / "lake") as lake, pytest.raises(BrainlakeError, match=said):
        lake.ingest(tmp_path / "data.json").raise_failed()


def test_a_server_is_reached_from_this_machine_alone_unless_told_otherwise(url: str) -> None:
    assert inspect.signature(Server).parameters["host"].default == "127.0.0.1"
    asked = {option.name: option.default for option in rma_command.params}
    assert asked["host"] == "127.0.0.1"
    host, port = url.split("/")[2].split(":")
    assert host == "127.0.0.1"
    other = next(
        (found for found in socket.gethostbyname_ex(socket.gethostname())[2] if not found.startswith("127.")), None
    )
    if other is None:
        pytest.skip("this machine has no other address")
    with pytest.raises(OSError, match="refused"):
        socket.create_connection((other, int(port)), timeout=5)


def test_trees(url: str) -> None:
    found = requests.get(f"{url}/tree_search/Structure/8.json?ancestors=true&descendants=true").json()["msg"]
    assert [one["id"] for one in found] == [997, 8, 567]
    nested = requests.get(f"{url}/structure_graph_download/1.json").json()["msg"][0]
    assert nested["children"][0]["children"][0]["acronym"] == "CH"


@pytest.mark.parametrize(
    ("address", "status"),
    [
        ("data/query.json?q=model::Nothing", 400),
        ("data/query.json?q=model::Structure[", 400),
        ("data/query.json", 400),
        ("data/Structure/1.json", 404),
        ("data/Structure/query.json?criteria=[id$eq8],model::Donor", 400),
        ("well_known_file_download/1", 404),
        ("well_known_file_download/../../catalog.sqlite", 404),
        ("data/query.json?q=service::mouse_connectivity_correlation[row$eq1]", 404),
        ("data/query.json?q=service::human_microarray_expression[probes$eq1]", 404),
        ("data/query.json?q=service::mouse_connectivity_correlation[row$eq'one']", 400),
        ("data/query.json?q=service::mouse_connectivity_injection_coordinate[seed_point$eq1,2]", 400),
        ("data/query.json?q=service::no_such_service[row$eq1]", 400),
        ("compound_annotated_section_data_sets.json?query=[structures $in 1] xor [structures $in 2]", 400),
        ("annotated_section_data_sets.json?structures=1&wings='High'", 400),
        ("svg/5", 404),
    ],
)
def test_what_cannot_be_answered_says_so_in_the_api_s_form(url: str, address: str, status: int) -> None:
    got = requests.get(f"{url}/{address}")
    assert (got.status_code, got.json()["success"]) == (status, False)
    assert got.json()["msg"]


# -- what a lake makes, and finds ---------------------------------------------------------------------------------------

LABELS = ccf.annotation()
ANNOTATIONS = [
    {"id": n, "structure_id": structure, "section_data_set_id": data_set, "intensity_call": intensity,
     "density_call": density, "pattern_call": "Regional"}
    for n, (structure, data_set, intensity, density) in enumerate(
        [(385, 1, "High", "Low"), (385, 2, "Low", "Low"), (549, 2, "High", "High"), (549, 3, "High", "Low")], start=1)
]  # fmt: skip


@pytest.fixture(scope="module")
def atlas(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, brainlake.Lake]]:
    """A served lake of a small brain, a few experiments, and series that are annotated."""
    folder: Path = tmp_path_factory.mktemp("atlas")
    ccf.write_json(folder / "structures.json", ccf.tree_records())
    ccf.write_nrrd(folder / "annotation_25.nrrd", LABELS)
    (folder / "structure_385.obj").write_bytes(origin.MESH)
    connectivity.write_experiments(folder / "experiments.json")
    series = {"model": "AtlasDataSet", "msg": [{"id": n, "section_thickness": 25.0} for n in (1, 2, 3)]}
    for record in series["msg"]:
        record["type"] = "SectionDataSet"
    (folder / "series.json").write_text(json.dumps(series))
    (folder / "calls.json").write_text(json.dumps({"model": "ManualAnnotation", "msg": ANNOTATIONS}))
    with brainlake.create(folder / "lake") as lake:
        files = [path for path in folder.iterdir() if path.is_file()]
        lake.ingest(files, settings={"version": "ccf_2017"}, jobs=1).raise_failed()
        with Server(lake, port=0) as server:
            threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
            yield server.url, lake
            server.shutdown()


def downloaded(url: str, address: str, folder: Path) -> np.ndarray:
    got = requests.get(url + path_of(address))
    assert got.status_code == 200, got.text
    (folder / "volume.nrrd").write_bytes(got.content)
    planes = open_volume(source_of(folder / "volume.nrrd")).planes()
    return np.stack([plane.copy() for _, plane in planes]).transpose(2, 1, 0)


def test_volumes_are_made_of_the_lake(atlas, tmp_path):
    url, _ = atlas
    assert np.array_equal(downloaded(url, at.annotation_volume(25), tmp_path), LABELS)
    mask = downloaded(url, at.structure_mask(385, 25), tmp_path)
    assert np.array_equal(mask, np.isin(LABELS, [385, 593, 821]))
    mesh = requests.get(url + path_of(at.structure_mesh(385))).text.splitlines()
    assert mesh == ["v 0.5 0.0 0.0", "v 10.0 0.0 0.0", "v 0.0 10.0 0.0", "vn 0.0 0.0 1.0", "f 1//1 2//1 3//1"]


@pytest.mark.parametrize(
    ("address", "said"),
    [
        (at.annotation_volume(50), "no annotation of ccf_2017 at 50 um"),
        (at.template_volume(25), "no volume of kind template at 25"),
        (at.structure_mask(7, 25), "there is no structure 7"),
        (at.structure_mesh(549), "the mesh of this structure is not in this lake"),
        (
            at.projection_grid(501, "projection_density", 25),
            "projection_density of experiment 501 at 25 um is not in this lake",
        ),
        (at.projection_grid(3, "data_mask", 25), "data_mask of experiment 3 at 25 um is not in this lake"),
    ],
)
def test_what_cannot_be_made_says_what_brings_it(atlas, address, said):
    got = requests.get(atlas[0] + path_of(address))
    assert (got.status_code, got.json()["success"]) == (404, False)
    assert said in got.json()["msg"]


def test_services_search_as_the_macros_do(atlas):
    url, lake = atlas

    def asked(service: str) -> list[Any]:
        got = requests.get(f"{url}/api/v2/data/query.json", {"q": f"service::mouse_connectivity_{service}"}).json()
        assert got["success"], got
        return got["msg"]

    near = asked("injection_coordinate[seed_point$eq6900,5050,6450]")
    expected = lake.sql("from connectivity.search_injection_coordinate([6900, 5050, 6450])").pl()
    assert [one["id"] for one in near] == expected["experiment_id"].to_list() != []
    assert [one["distance"] for one in near] == expected["distance_um"].to_list()
    assert asked("injection_coordinate[seed_point$eq6900,5050,6450][num_rows$eq1][start_row$eq1]") == near[1:2]
    first = near[0]
    (told,) = lake.sql(
        "select specimen_name, [ap_um, dv_um, ml_um] as place, injection_structure_ids, product_id, transgenic_line, "
        "transgenic_line_id from connectivity.experiments where experiment_id = ?", [first["id"]]
    ).arrow().to_pylist()  # fmt: skip
    assert (first["name"], first["injection-coordinates"]) == (told["specimen_name"], told["place"])
    assert [one["id"] for one in first["injection-structures"]] == told["injection_structure_ids"]
    wild = asked("injection_structure[injection_structures$eqroot][transgenic_lines$eq0]")
    assert {one["transgenic-line"] for one in wild} == {None}
    told_lines = lake.sql("select distinct transgenic_line as line from connectivity.experiments order by 1").pl()
    told_lines = [name for name in told_lines["line"] if name]
    line = told_lines[0]
    one = asked(f"injection_structure[injection_structures$eqroot][transgenic_lines$eq'{line.upper()}']")
    assert {record["transgenic-line"] for record in one} == {line}
    both = asked("injection_structure[injection_structures$eqroot][transgenic_lines$eq7]")  # by the id that both have
    assert {record["transgenic-line"] for record in both} == set(told_lines)


def test_annotated_series_are_found_by_their_calls(atlas):
    url, _ = atlas

    def asked(address: str) -> list[int]:
        got = requests.get(f"{url}/api/v2/{address}").json()
        assert got["success"], got
        return [one["id"] for one in got["msg"]]

    assert asked("annotated_section_data_sets.json?structures=385&intensity_values='High','Low'") == [1, 2]
    assert asked(
        "annotated_section_data_sets.json?structures=385,549&intensity_values='High'&density_values='Low'"
    ) == [1, 3]
    groups = "[structures $in 385 : intensity_values $in 'High'] or [structures $in 549 : density_values $in 'Low']"
    assert asked(f"compound_annotated_section_data_sets.json?query={groups}") == [1, 3]
    groups = "[structures $in 385] and [structures $in 549 : intensity_values $in 'High']"
    assert asked(f"compound_annotated_section_data_sets.json?query={groups}") == [2]


def test_a_relation_has_the_columns_that_were_asked_for(atlas):
    """What no column holds is asked for by a name that is no column's, and then comes with the others' rest."""
    _, lake = atlas

    def shown(options: str) -> list[str]:
        return lake.rma(f"model::SectionDataSet,rma::options{options}").arrow().schema.names

    assert shown("[only$eq'data_sets.id','failed']") == ["id", "failed"]
    assert shown("[only$eq'id','rating']") == ["id", "extra"]
    assert {"id", "extra"} < set(shown("[num_rows$eq1]"))
    assert "failed" not in shown("[except$eq'failed']")
