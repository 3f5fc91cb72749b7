"""A lake served as the Atlas API: its addresses, envelopes and formats, over HTTP on loopback."""

from __future__ import annotations

import csv
import threading
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree

import brainlake
import pytest
import requests
from brainlake.lake.serve.rma import Server

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
