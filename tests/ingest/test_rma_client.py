"""The client of the API against a server that misbehaves: whatever it does, an answer is whole and right, or none."""

from __future__ import annotations

import json

import pytest
from brainlake.ingest import rma_client
from brainlake.ingest.rma_client import Client, api_url
from brainlake.ingest.rma_files import AT_ONCE, Wanted, fetch_file, fetch_files
from brainlake.ingest.rma_pages import fetch_answer
from brainlake.lake.errors import ApiError, QueryError
from brainlake.tests.fixtures.rma_server import Fault, serving

LINES = [{"id": n, "name": f"line {n}"} for n in range(1, 8)]
QUERY = "model::TransgenicLine,rma::options[num_rows$eq'all']"
FILE = bytes(range(256)) * 40


@pytest.fixture
def server():
    path = "/api/v2/well_known_file_download/5"
    with serving(records={"TransgenicLine": LINES}, files={path: FILE}) as found:
        yield found


@pytest.fixture
def pauses():
    return []


@pytest.fixture
def client(server, pauses):
    return Client(server.url, attempts=3, pause_s=0.5, timeout_s=(20, 20), sleep=pauses.append)


def records(fetched):
    return json.loads(fetched.path.read_text())["msg"]


def test_an_answer_comes_in_pages_and_is_whole(client, server, tmp_path):
    fetched = fetch_answer(client, QUERY, tmp_path, page=3)
    assert records(fetched) == LINES
    page = "model::TransgenicLine,rma::options[num_rows$eq3][start_row$eq{}][order$eq'id']"
    assert server.queries() == [page.format(start) for start in (0, 3, 6)]


def test_what_is_here_is_not_asked_for_again(client, server, tmp_path):
    fetch_answer(client, QUERY, tmp_path)
    asked = len(server.asked)
    assert fetch_answer(client, QUERY, tmp_path).was_here
    assert fetch_answer(Client(server.url, offline=True), QUERY, tmp_path).was_here
    assert len(server.asked) == asked
    assert not fetch_answer(client, QUERY, tmp_path, refresh=True).was_here


def test_offline_nothing_is_asked(server, tmp_path):
    with pytest.raises(ApiError, match="nothing is fetched offline"):
        fetch_answer(Client(server.url, offline=True), QUERY, tmp_path)
    assert server.asked == []
    assert list(tmp_path.rglob("*")) == []


PASSING = [
    Fault("status", 500),
    Fault("status", 503),
    Fault("status", 429),
    Fault("malformed"),
    Fault("text", "<html>"),
    Fault("truncate", 10),
    Fault("wrong_length", 7),
    Fault("reset", 0),
    Fault("reset", 30),
    Fault("slow", 2.0),
]


@pytest.mark.parametrize("fault", PASSING, ids=lambda fault: f"{fault.kind}-{fault.at}")
def test_what_passes_is_tried_again(client, server, pauses, tmp_path, fault):
    server.faults += [fault]
    if fault.kind == "slow":
        client.timeout_s = (20, fault.at / 2)
    assert records(fetch_answer(client, QUERY, tmp_path)) == LINES
    assert len(server.asked) == 2
    assert pauses == [0.5]


def test_a_connection_reset_at_any_byte_is_no_part_of_an_answer(client, server, tmp_path):
    """Every seventh byte of the answer, the last included: it comes whole, at the second attempt."""
    size = len(json.dumps(server.envelope(QUERY, None)[1]))
    for at in [*range(0, size, 7), size - 1]:
        server.faults += [Fault("reset", at)]
        asked = len(server.asked)
        assert records(fetch_answer(client, QUERY, tmp_path, page=50, refresh=True)) == LINES, at
        assert len(server.asked) - asked == 2, at


def test_attempts_end_and_pauses_grow(client, server, pauses, tmp_path):
    server.faults += [Fault("status", 500)] * 3
    with pytest.raises(ApiError, match=r"TransgenicLine.*status 500.*tried 3 times"):
        fetch_answer(client, QUERY, tmp_path)
    assert pauses == [0.5, 1.0]
    assert not list(tmp_path.rglob("*.json"))


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (Fault("message", "Graph or model not found"), "refused by the API: Graph or model not found"),
        (Fault("empty_message", 0), "gives no reason"),
        (Fault("empty_message", 1), "dict where records should be"),
        (Fault("envelope"), "without the API's envelope"),
        (Fault("status", 404), "refused by the API: status 404"),
        (Fault("redirect", "ftp://127.0.0.1/x"), "no address that can be asked"),
    ],
    ids=lambda value: getattr(value, "kind", None),
)
def test_what_does_not_pass_is_one_error_that_names_the_query(client, server, tmp_path, fault, said):
    server.faults += [fault]
    with pytest.raises(ApiError, match=said) as error:
        fetch_answer(client, QUERY, tmp_path)
    assert "model::TransgenicLine" in str(error.value)
    assert len(server.asked) == 1


def test_a_redirection_is_followed_and_one_without_end_is_not(client, server, tmp_path):
    other = f"{server.url}/api/v2/data/query.json?q=model::TransgenicLine,rma::options[num_rows$eq2000]"
    server.faults += [Fault("redirect", other)]
    assert records(fetch_answer(client, QUERY, tmp_path)) == LINES
    server.faults += [Fault("redirect", other)] * 9
    with pytest.raises(ApiError, match="without end"):
        fetch_answer(client, QUERY, tmp_path, refresh=True)


@pytest.mark.parametrize(
    "fault", [Fault("total_rows", 1), Fault("duplicate"), Fault("missing"), Fault("total_rows", -2)], ids=str
)
def test_pages_that_contradict_each_other_are_fetched_anew(client, server, tmp_path, fault):
    server.faults += [None, fault]
    assert records(fetch_answer(client, QUERY, tmp_path, page=3)) == LINES
    assert len(server.asked) == 5  # two that disagreed, then three


def test_pages_that_contradict_each_other_time_and_again_are_no_answer(client, server, tmp_path):
    server.faults += [None, Fault("duplicate")] * 3
    with pytest.raises(ApiError, match="has records twice, each of 3 times"):
        fetch_answer(client, QUERY, tmp_path, page=3)
    assert not list(tmp_path.rglob("*.json"))


def test_records_of_two_keys_are_paged_by_both(client, server, tmp_path):
    """None of them is twice though each key is; a page that comes twice is seen."""
    pairs = [{"structure_set_id": 2 + n // 3, "structure_id": n % 3} for n in range(6)]
    server.records["StructureSetsStructure"] = pairs
    server.faults += [None, Fault("duplicate")]
    query = "model::StructureSetsStructure"
    assert records(fetch_answer(client, query, tmp_path, page=3)) == pairs
    assert len(server.asked) == 4  # two that disagreed, then two
    assert all("[order$eq'structure_set_id,structure_id']" in asked for asked in server.queries())


def test_a_fetch_goes_on_where_it_was_stopped(client, server, tmp_path):
    server.faults += [None, *[Fault("status", 500)] * 3]
    with pytest.raises(ApiError):
        fetch_answer(client, QUERY, tmp_path, page=3)
    asked = len(server.asked)
    assert records(fetch_answer(client, QUERY, tmp_path, page=3)) == LINES
    assert len(server.asked) == asked + 2  # the first page was kept


def test_a_kept_page_that_is_damaged_is_asked_for_again(client, server, tmp_path):
    server.faults += [None, *[Fault("status", 500)] * 3]
    with pytest.raises(ApiError):
        fetch_answer(client, QUERY, tmp_path, page=3)
    next(tmp_path.rglob("pages/0.json")).write_text('{"records": [')
    assert records(fetch_answer(client, QUERY, tmp_path, page=3)) == LINES


def test_a_failed_refresh_leaves_the_answer_that_is_here(client, server, tmp_path):
    fetched = fetch_answer(client, QUERY, tmp_path)
    server.faults += [Fault("status", 500)] * 3
    with pytest.raises(ApiError):
        fetch_answer(client, QUERY, tmp_path, refresh=True)
    assert records(fetched) == LINES


def test_rows_of_a_join_are_counted_by_its_rows_and_kept_once(client, server, tmp_path):
    """total_rows counts the criteria join: a record may come on several pages (D-30)."""
    server.records["Donor"] = [{"id": n} for n in (1, 1, 1, 2, 2)]
    query = "model::Donor,rma::criteria,specimens,rma::options[num_rows$eq'all']"
    assert records(fetch_answer(client, query, tmp_path, page=2)) == [{"id": 1}, {"id": 2}]


def test_a_query_that_says_how_many_rows_is_asked_as_it_is(client, server, tmp_path):
    query = "model::TransgenicLine,rma::options[num_rows$eq2][start_row$eq1]"
    assert records(fetch_answer(client, query, tmp_path)) == LINES[1:3]
    assert server.queries() == [query]


def test_what_is_no_query_is_never_sent(client, server, tmp_path):
    with pytest.raises(QueryError):
        fetch_answer(client, "model::Structure,rma::criteria,[id$eq'1]", tmp_path)
    assert server.asked == []


def test_the_journal_tells_every_request(client, server, tmp_path):
    server.faults += [Fault("status", 500)]
    fetched = fetch_answer(client, QUERY, tmp_path, page=4)
    requests = json.loads(fetched.journal.read_text())["brainlake_requests"]
    assert [(r["attempts"], r["start_row"], r["num_rows"], r["total_rows"]) for r in requests] == [
        (2, 0, 4, 7),
        (1, 4, 3, 7),
    ]
    assert requests[0]["rma_text"] == "model::TransgenicLine,rma::options[num_rows$eq4][start_row$eq0][order$eq'id']"


# -- files ----------------------------------------------------------------------------------------------------------


def wanted(server, **told):
    return Wanted(f"{server.url}/api/v2/well_known_file_download/5", "cell.nwb", **told)


@pytest.mark.parametrize("at", [0, 1, 5_000, len(FILE) - 1])
@pytest.mark.parametrize("kind", ["reset", "truncate"])
def test_a_file_is_gone_on_with_from_any_byte(client, server, tmp_path, kind, at):
    server.faults += [Fault(kind, at)]
    assert fetch_file(client, wanted(server), tmp_path).path.read_bytes() == FILE
    have = server.ranges[1]
    assert have is None or int(have.removeprefix("bytes=").rstrip("-")) <= at


def test_a_file_that_changed_meanwhile_comes_anew(client, server, tmp_path):
    server.faults += [*[Fault("truncate", 5_000)] * 3]
    with pytest.raises(ApiError, match=r"incomplete|connection fails"):
        fetch_file(client, wanted(server), tmp_path)
    server.etag = '"2"'
    server.files["/api/v2/well_known_file_download/5"] = FILE[::-1]
    assert fetch_file(client, wanted(server), tmp_path).path.read_bytes() == FILE[::-1]


def test_without_a_version_nothing_partial_stays(client, server, tmp_path):
    server.etag = None
    server.faults += [Fault("truncate", 5_000)] * 3
    with pytest.raises(ApiError):
        fetch_file(client, wanted(server), tmp_path)
    assert [path.name for path in tmp_path.rglob("*") if path.is_file()] == [".lock"]


def test_a_file_of_another_content_is_refused(client, server, tmp_path):
    with pytest.raises(ApiError, match="is not the file it should be"):
        fetch_file(client, wanted(server, sha256="0" * 64), tmp_path)
    assert not list(tmp_path.rglob("*.nwb*"))


def test_one_file_that_is_missing_stops_no_other(client, server, tmp_path):
    absent = Wanted(f"{server.url}/api/v2/well_known_file_download/6", "absent.nwb")
    found = fetch_files(client, [absent, wanted(server)], tmp_path)
    assert isinstance(found[0], ApiError)
    assert found[1].path.read_bytes() == FILE
    assert "status 404" in str(found[0])


def test_a_few_files_at_once_and_no_more(server, tmp_path):
    """However many are wanted: the API serves others too."""
    names = [f"/api/v2/well_known_file_download/{n}" for n in range(10, 22)]
    server.files |= dict.fromkeys(names, FILE[:400])
    server.faults += [Fault("slow", 0.0002)] * len(names)
    found = fetch_files(Client(server.url), [Wanted(server.url + name, f"{name[-2:]}.nwb") for name in names], tmp_path)
    assert [one.path.read_bytes() for one in found] == [FILE[:400]] * len(names)
    assert server.most_at_once == AT_ONCE


def test_requests_begin_one_after_the_other(server, tmp_path, monkeypatch):
    """By a clock that only waiting moves: no request within half a second of the one before, pages and files alike."""
    clock, begun = [100.0], []
    monkeypatch.setattr(rma_client.time, "monotonic", lambda: clock[0])

    def wait(seconds: float) -> None:
        clock[0] += seconds
        begun.append(clock[0])

    client = Client(server.url, spacing_s=0.5, sleep=wait)
    fetch_answer(client, QUERY, tmp_path, page=3)
    fetch_file(client, wanted(server), tmp_path)
    assert len(server.asked) == 4
    assert begun == [100.5, 101.0, 101.5]


def test_a_server_that_is_not_there_is_an_error_with_its_address(tmp_path, pauses):
    client = Client("http://127.0.0.1:9", attempts=2, sleep=pauses.append)
    with pytest.raises(ApiError, match=r"127\.0\.0\.1:9.*connection fails"):
        fetch_answer(client, QUERY, tmp_path)


@pytest.mark.parametrize("address", ["ftp://host", "host", "http://", "http://host?x=1"])
def test_a_base_address_is_an_http_address(address):
    with pytest.raises(ApiError, match="no base address"):
        api_url(address)


def test_the_environment_names_another_base_address(monkeypatch):
    monkeypatch.setenv("BRAINLAKE_API", "http://127.0.0.1:8080/")
    assert api_url() == "http://127.0.0.1:8080"
    assert api_url("http://127.0.0.1:1") == "http://127.0.0.1:1"
