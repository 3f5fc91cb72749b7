"""From a server of the API into the lake: what comes is kept whole, ingested once, and asked for no more."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
import time

import brainlake
import pytest
from brainlake.ingest import rma_endpoints as at
from brainlake.lake.cli import run
from brainlake.lake.errors import ApiError, QueryError
from brainlake.lake.fetching import How
from brainlake.tests.fixtures.rma_server import Fault, path_of, serving

LINES = [
    {"id": 20, "name": "Cux2-CreERT2", "transgenic_line_type_name": "driver"},
    {"id": 10, "name": "Ai93(TITL-GCaMP6f)", "transgenic_line_type_name": "reporter"},
]
DONOR = {
    "id": 7,
    "name": "mouse",
    "date_of_birth": "2016-10-03T00:00:00Z",
    "new_column": 1.5,
    "transgenic_lines": LINES,
}
CONTAINERS = [
    {"id": 1, "imaging_depth": 275, "failed": False, "targeted_structure_id": 394, "isi_experiment_id": 9, "specimen_id": 5,
     "ophys_experiments": [{"id": 100, "experiment_container_id": 1, "stimulus_name": "three_session_B"},
                           {"id": 101, "experiment_container_id": 1, "stimulus_name": "three_session_A"}],
     "specimen": {"id": 5, "donor_id": 7, "donor": DONOR}},
    {"id": 2, "imaging_depth": 175, "failed": True, "targeted_structure_id": 385, "isi_experiment_id": 9, "specimen_id": 5,
     "ophys_experiments": [], "specimen": {"id": 5, "donor_id": 7, "donor": DONOR}},
]  # fmt: skip
STRUCTURES = [
    {"id": 997, "acronym": "root", "name": "root", "graph_id": 1, "graph_order": 0, "structure_id_path": "/997/",
     "parent_structure_id": None, "color_hex_triplet": "FFFFFF", "structure_sets": []},
    {"id": 8, "acronym": "grey", "name": "Basic cell groups and regions", "graph_id": 1, "graph_order": 1,
     "structure_id_path": "/997/8/", "parent_structure_id": 997, "color_hex_triplet": "BFDAE3",
     "structure_sets": [{"id": 2, "name": "set two", "description": ""}]},
]  # fmt: skip
SWC = b"1 1 0 0 0 5 -1\n2 3 10 0 0 1 1\n"


@pytest.fixture
def server():
    cell = {"id": 3, "neuron_reconstructions": [{"id": 4, "well_known_files": [
        {"id": 55, "download_link": "/api/v2/well_known_file_download/55"}]}]}  # fmt: skip
    records = {
        "ExperimentContainer": CONTAINERS,
        "Structure": STRUCTURES,
        "Specimen": [cell],
        "NewModel": [{"id": 1, "deep": {"x": [1, 2]}}, {"name": "no id"}],
        "Product": [],
    }
    with serving(records=records, files={"/api/v2/well_known_file_download/55": SWC}) as found:
        yield found


@pytest.fixture
def lake(tmp_path):
    with brainlake.create(tmp_path / "lake") as found:
        yield found


def rows(lake, query):
    return [tuple(row) for row in lake.sql(query).pl().rows()]


def test_nested_records_land_in_tables_of_their_own(lake, server):
    lake.fetch("containers", how=How(server.url)).raise_failed()
    assert rows(lake, "select id, imaging_depth, failed from rma.experiment_containers order by id") == [
        (1, 275, False),
        (2, 175, True),
    ]
    assert rows(lake, "select id, stimulus_name from rma.ophys_experiments order by id") == [
        (100, "three_session_B"),
        (101, "three_session_A"),
    ]
    donors = "select id, name, date_of_birth::varchar, json_extract(extra, '$.new_column')::double from rma.donors"
    assert rows(lake, donors) == [(7, "mouse", "2016-10-03 00:00:00", 1.5)]  # in both containers, kept once
    lists = "select owner_id, association, list(member_id order by member_index) from rma.links group by all order by 1"
    assert rows(lake, lists) == [(1, "ophys_experiments", [100, 101]), (7, "transgenic_lines", [20, 10])]


def test_every_request_is_told(lake, server):
    lake.fetch("containers", how=How(server.url)).raise_failed()
    told = rows(lake, "select rma_text, http_status, num_rows, total_rows, attempts from rma.requests")
    assert told == [(server.queries()[0], 200, 2, 2, 1)]
    joined = "select count(*) from rma.requests as r join lake.ingests as i on contains(i.source_url, r.fetch_key)"
    assert rows(lake, joined) == [(2,)]  # the answer and the journal


def test_a_domain_takes_the_answer_where_one_knows_it(lake, server):
    lake.fetch("structures", how=How(server.url)).raise_failed()
    assert rows(lake, "select acronym from ccf.structures order by graph_order") == [("root",), ("grey",)]


def test_an_answer_of_a_model_that_nobody_knows_is_kept_whole(lake, server):
    lake.fetch("rma", "model::NewModel", how=How(server.url)).raise_failed()
    found = rows(lake, "select model, record_id, attributes from rma.answered_records order by record_number")
    assert [(model, record_id, json.loads(text)) for model, record_id, text in found] == [
        ("NewModel", 1, {"id": 1, "deep": {"x": [1, 2]}}),
        ("NewModel", None, {"name": "no id"}),
    ]


def test_fetched_again_nothing_is_asked_and_nothing_changes(lake, server):
    lake.fetch("containers", how=How(server.url)).raise_failed()
    asked, snapshot = len(server.asked), lake.snapshot
    report = lake.fetch("containers", how=How(server.url, offline=True))
    assert (report.n_here, len(server.asked), lake.snapshot) == (1, asked, snapshot)


def test_a_refreshed_answer_takes_the_place_of_the_old(lake, server):
    lake.fetch("containers", how=How(server.url)).raise_failed()
    server.records["ExperimentContainer"] = [{**CONTAINERS[0], "imaging_depth": 300}]
    lake.fetch("containers", how=How(server.url, refresh=True)).raise_failed()
    assert rows(lake, "select id, imaging_depth from rma.experiment_containers") == [(1, 300)]


def test_a_file_is_found_by_the_answer_that_tells_it(lake, server):
    report = lake.fetch("reconstructions", 3, how=How(server.url))
    report.raise_failed()
    assert report.paths[1].read_bytes() == SWC
    assert rows(lake, "select named_specimen_id, n_nodes from morphology.swc_files") == [(3, 2)]


def test_what_cannot_be_had_leaves_the_lake_as_it_was(lake, server):
    snapshot = lake.snapshot
    server.faults += [Fault("message", "no")]
    with pytest.raises(ApiError, match="refused by the API: no"):
        lake.fetch("containers", how=How(server.url))
    assert lake.snapshot == snapshot


def test_an_answer_without_rows_is_a_note(lake, server):
    report = lake.fetch("rma", "model::Product", how=How(server.url))
    assert report.notes == ("Product: the API has no such rows",)


@pytest.mark.parametrize(
    ("what", "ids", "said"),
    [
        ("cels", (), "nothing is fetched as 'cels'"),
        ("unionizes", (), "name the ids of experiments"),
        ("experiments", (5,), "come all at once"),
        ("unionizes", ("5; drop",), "ids are numbers"),
        ("rma", (), "write the query"),
        ("rma", ("Structure",), "expected model::"),
    ],
)
def test_what_cannot_be_asked_is_told_before_anything_is_sent(lake, server, what, ids, said):
    with pytest.raises(QueryError, match=said):
        lake.fetch(what, *ids, how=How(server.url))
    assert server.asked == []


def test_the_command_fetches_and_tells(lake, server, capsys):
    path = ["--lake", str(lake.path), "fetch"]
    assert run([*path, "containers", "--api", server.url]) == 0
    assert "fetched 1 file, 0 were here" in capsys.readouterr().out
    assert run([*path, "sessions", "--api", server.url]) == 1
    assert "no such model" in capsys.readouterr().err
    assert run([*path, "--list"]) == 0
    assert "recordings" in capsys.readouterr().out
    assert run([*path, "annotation", "--dry-run"]) == 0
    assert capsys.readouterr().out.strip() == at.annotation_volume(25)
    assert run([*path, "meshes", "8", "--archive", server.url, "--api", server.url]) == 1
    assert "status 404" in capsys.readouterr().err


def test_a_mesh_comes_from_the_archive(lake, server):
    address = at.structure_mesh(8, archive=server.url)
    server.files[path_of(address)] = b"v 0 0 0\nv 10 0 0\nv 0 10 0\nvn 0 0 1\nf 1//1 2//1 3//1\n"
    lake.fetch("meshes", 8, how=How(server.url, archive=server.url)).raise_failed()
    assert rows(lake, "select count(*) from ccf.mesh_vertices where structure_id = 8") == [(3,)]


def test_the_answer_of_a_service_is_kept_as_its_records(lake, server):
    server.services["mouse_connectivity_injection_structure"] = [{"id": 5, "num-voxels": 7, "sum": 0.5}]
    query = "service::mouse_connectivity_injection_structure[injection_structures$eqIsocortex]"
    lake.fetch("rma", query, how=How(server.url)).raise_failed()
    found = rows(lake, "select model, record_id, attributes from rma.answered_records")
    assert [(model, key, json.loads(text)) for model, key, text in found] == [
        ("mouse_connectivity_injection_structure", 5, {"id": 5, "num-voxels": 7, "sum": 0.5})
    ]


def test_a_log_tells_of_requests_and_attempts_when_it_is_wanted(lake, server, capsys):
    server.faults += [Fault("status", 503)]
    fetch = ["--lake", str(lake.path), "fetch", "rma", "model::TransgenicLine", "--api", server.url, "--refresh"]
    server.records["TransgenicLine"] = LINES
    assert run(["--log-level", "info", *fetch]) == 0
    told = capsys.readouterr().err
    assert "is refused with status 503" in told
    assert "attempt 2 of 5 follows in 0.5 s" in told
    assert " GET " not in told
    assert run(["--log-level", "debug", *fetch]) == 0
    assert "model::TransgenicLine" in next(line for line in capsys.readouterr().err.splitlines() if " GET " in line)
    assert run(["--log-level", "error", *fetch]) == 0
    assert " GET " not in capsys.readouterr().err


@pytest.mark.parametrize("is_terminal", [True, False])
def test_a_fetch_shows_how_far_it_is_on_a_terminal_and_plain_lines_elsewhere(lake, server, is_terminal):
    server.records["TransgenicLine"] = [{"id": n, "name": f"line {n}"} for n in range(1, 10)]
    server.faults += [Fault("slow", 0.002)] * 3
    ours, theirs = pty.openpty() if is_terminal else os.pipe()
    command = [sys.executable, "-m", "brainlake", "--lake", str(lake.path), "fetch", "rma", "model::TransgenicLine",
               "--api", server.url, "--page", "3", "--pause", "0"]  # fmt: skip
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "120"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=theirs, env=environment) as process:
        os.close(theirs)
        seen = b""
        with contextlib.suppress(OSError):  # a terminal that nobody writes to any more
            while block := os.read(ours, 1 << 16):
                seen += block
        out = process.stdout.read().decode()
    os.close(ours)
    assert process.returncode == 0
    assert "fetched 1 file, 0 were here" in out
    assert ("\u2501" in seen.decode(), b"\x1b[" in seen) == (is_terminal, is_terminal)  # a bar, and how it is drawn
    if not is_terminal:
        assert seen.decode().splitlines()[0] == "[1] model::TransgenicLine"


def test_a_fetch_that_was_killed_goes_on_and_asks_nothing_twice(lake, server):
    """kill -9 while the third page is on its way; every page is asked for once more at most."""
    server.records["TransgenicLine"] = [{"id": n, "name": f"line {n}"} for n in range(1, 10)]
    server.faults += [None, None, Fault("slow", 0.2)]
    code = (
        "import sys, brainlake; from brainlake.lake.fetching import How\n"
        "with brainlake.open(sys.argv[1]) as lake:\n"
        "    lake.fetch('rma', \"model::TransgenicLine,rma::options[num_rows$eq'all']\", how=How(sys.argv[2], page=2))"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(lake.path), server.url])
    while len(server.asked) < 3 and process.poll() is None:
        time.sleep(0.01)
    process.kill()
    process.wait()
    assert lake.refresh() == lake.snapshot
    assert rows(lake, "select count(*) from rma.transgenic_lines") == [(0,)]
    query = "model::TransgenicLine,rma::options[num_rows$eq'all']"
    lake.fetch("rma", query, how=How(server.url, page=2)).raise_failed()
    assert rows(lake, "select count(*), min(name), max(name) from rma.transgenic_lines") == [(9, "line 1", "line 9")]
    starts = [int(text.partition("[start_row$eq")[2].partition("]")[0]) for text in server.queries()]
    assert starts == [0, 2, 4, 4, 6, 8]
