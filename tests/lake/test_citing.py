"""What a source asks to be cited by is recorded when it is ingested, and told of exactly what an answer rests on."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

import bibtexparser
import brainlake
import h5py
import pytest
from brainlake import ingest
from brainlake.ingest.contract import Identity, Published
from brainlake.lake.citing import Told, recorded
from brainlake.lake.cli import run
from brainlake.lake.datasets import DATASETS, Entry, entries, escaped, named, split
from brainlake.lake.errors import BrainlakeError
from brainlake.tests.fixtures.allen_ecephys import make_session
from brainlake.tests.fixtures.other_labs import make_other_lab

ALLEN = 715093703
LICENCE = "Allen Institute Terms of Use (https://alleninstitute.org/terms-of-use/)"


def keys(bibtex: str) -> list[str]:
    """Keys of the entries, as an independent reader of BibTeX finds them; it must understand all of the text."""
    library = bibtexparser.parse_string(bibtex)
    assert not library.failed_blocks
    return [entry.key for entry in library.entries]


def fields(bibtex: str) -> dict[str, str]:
    """Fields of the one entry of a text."""
    (entry,) = bibtexparser.parse_string(bibtex).entries
    return {field.key: field.value for field in entry.fields}


@pytest.fixture(scope="module")
def lake(tmp_path_factory: pytest.TempPathFactory) -> Iterator[brainlake.Lake]:
    """A session of the Allen Institute's and a recording of another laboratory's, which names a paper."""
    folder = tmp_path_factory.mktemp("cited")
    make_session(folder / "allen.nwb", session_id=ALLEN, n_spikes=500)
    make_other_lab(folder / "lab.nwb")
    with h5py.File(folder / "lab.nwb", "a") as file:
        file.require_group("general")
        if "related_publications" in file["general"]:
            del file["general/related_publications"]
        file["general/related_publications"] = ["Doe & Roe 2024, https://doi.org/10.1234/abc.5", "doi:10.1234/abc.6"]
    with brainlake.create(folder / "lake") as opened:
        opened.ingest(folder / "allen.nwb").raise_failed()
        lab = {"dataset": "Recordings of the Doe laboratory", "version": "2", "doi": "10.5281/zenodo.7"}
        opened.ingest(folder / "lab.nwb", collection={**lab, "licence": "CC-BY-4.0"}).raise_failed()
        opened.write("lab.labels", {"unit_id": [1]})
        yield opened


def test_every_collection_that_a_reader_names_is_known():
    told = {}
    for module in pkgutil.iter_modules(ingest.__path__):
        loaded = importlib.import_module(f"{ingest.__name__}.{module.name}")
        if hasattr(loaded, "DATASET"):
            told[module.name] = loaded.DATASET
    assert len(told) > 10
    assert {name for name in told.values() if name not in DATASETS} == set()


@pytest.mark.parametrize("name", DATASETS)
def test_every_collection_has_terms_and_entries_that_parse(name):
    dataset = DATASETS[name]
    assert dataset.licence == LICENCE
    assert len(keys(dataset.citation)) == len(dataset.entries) > 0
    if dataset.doi:
        assert dataset.doi in dataset.citation


# DOIs by hand, from the journals' pages of these papers.
@pytest.mark.parametrize(
    ("name", "doi"),
    [
        ("Allen Brain Observatory: Visual Coding Neuropixels", "10.1038/s41586-020-03171-x"),
        ("Allen Cell Types Database", "10.1038/s41593-019-0417-0"),
        ("Allen Mouse Brain Connectivity Atlas", "10.1038/nature13186"),
        ("Allen Mouse Brain Common Coordinate Framework", "10.1016/j.cell.2020.04.007"),
        ("Allen Mouse Brain Atlas", "10.1038/nature05453"),
        ("GLIF models of Teeter et al. 2018", "10.1038/s41467-017-02717-4"),
    ],
)
def test_the_papers_of_the_products(name, doi):
    assert DATASETS[name].doi == doi


def test_an_answer_cites_the_sources_it_rests_on_and_no_others(lake):
    allen = ["siegle2021survey", "allen_neuropixels", "brainlake"]
    of_one = lake.sql("select count(*) from ecephys.units where session_id = $s", {"s": ALLEN})
    assert keys(of_one.cite()) == allen
    both = keys(lake.sql("select count(*) from ecephys.units").cite())
    assert set(both) == {*allen, "recordings_of_the_doe_laboratory", *(k for k in both if k.startswith("publication_"))}
    assert len([k for k in both if k.startswith("publication_")]) == 2
    assert keys(lake.sql("select 1").cite()) == ["brainlake"]
    assert keys(lake.sql("from lab.labels").cite()) == ["brainlake"]


def test_macros_rest_on_the_sessions_of_the_relations_they_are_given(lake):
    """By name: relations of the question, of the lake, and the user's own frames."""
    allen = ["siegle2021survey", "allen_neuropixels", "brainlake"]
    mine = {"mine": {"session_id": [ALLEN], "event_time": [10.0]}}
    psth = "select * from ecephys.psth('ecephys.units', 'mine')"
    assert keys(lake.sql(psth, tables=mine).cite()) == allen
    named = """
        with events as (
            select session_id, start_time as event_time from ecephys.stimulus_presentations where session_id = $s
        ), units as (
            select session_id, unit_id from ecephys.units
        )
        select unit_id, avg(spikes_per_s) from ecephys.psth('units', 'events') group by all"""
    found = keys(lake.sql(named, {"s": ALLEN}).cite())
    assert "recordings_of_the_doe_laboratory" in found  # the question reads all units itself, before they are aligned
    of_session = named.replace("from ecephys.units\n", "from ecephys.units where session_id = $s\n")
    assert keys(lake.sql(of_session, {"s": ALLEN}).cite()) == allen
    beside = f"select (select count(*) from ecephys.units) as n, * from ({psth})"
    assert "recordings_of_the_doe_laboratory" in keys(lake.sql(beside, tables=mine).cite())
    unknown = {"mine": {"session_id": [1], "event_time": [10.0]}}
    assert keys(lake.sql(psth, tables=unknown).cite()) == ["brainlake"]


def test_what_is_recorded_of_a_source(lake):
    asked = "select dataset, version, doi, licence, citation from lake.ingests where reader = 'nwb' order by dataset"
    allen, lab = lake.sql(asked).pl().to_dicts()
    assert (allen["dataset"], allen["doi"], allen["licence"]) == (
        "Allen Brain Observatory: Visual Coding Neuropixels", "10.1038/s41586-020-03171-x", LICENCE,
    )  # fmt: skip
    assert (lab["dataset"], lab["version"], lab["doi"], lab["licence"]) == (
        "Recordings of the Doe laboratory", "2", "10.5281/zenodo.7", "CC-BY-4.0",
    )  # fmt: skip
    own, one, other = split(lab["citation"])
    assert fields(own) == {
        "title": "{Recordings of the Doe laboratory}", "version": "2", "doi": "10.5281/zenodo.7",
    }  # fmt: skip
    assert fields(one) == {"doi": "10.1234/abc.5", "note": "Doe \\& Roe 2024, https://doi.org/10.1234/abc.5"}
    assert fields(other) == {"doi": "10.1234/abc.6"}


def test_what_people_say_counts_first_then_the_archive_then_the_source_then_what_is_known():
    known = Identity("a", "b", dataset="Allen Cell Types Database", version="1")
    archive = Published(
        "dandi_000021", "A dandiset", "0.1", "10.48324/dandi.000021/0.1", "CC-BY-4.0", ("Doe, J.",), "2021"
    )
    nothing = recorded(Identity("a", "b"), None, Told())
    assert nothing == {"dataset": None, "version": None, "doi": None, "licence": None, "citation": None}
    by_name = recorded(known, None, Told())
    assert (by_name["doi"], by_name["licence"], by_name["version"]) == ("10.1038/s41593-019-0417-0", LICENCE, "1")
    deposited = recorded(known, archive, Told())
    assert (deposited["dataset"], deposited["version"], deposited["doi"], deposited["licence"]) == (
        "Allen Cell Types Database", "0.1", "10.48324/dandi.000021/0.1", "CC-BY-4.0",
    )  # fmt: skip
    assert keys(str(deposited["citation"])) == ["dandi_000021", "gouwens2019classification", "allen_cell_types"]
    told = recorded(known, archive, Told(dataset="Mine", doi="10.1/x"))
    assert (told["dataset"], told["doi"], told["version"]) == ("Mine", "10.1/x", "0.1")
    assert keys(str(told["citation"])) == ["mine", "dandi_000021"]
    bibtex = "@article{doe, title = {A {B} c}, year = 2024}"
    assert keys(str(recorded(Identity("a", "b"), None, Told("Mine", citation=bibtex))["citation"])) == ["doe"]
    with pytest.raises(BrainlakeError, match="no entry of BibTeX"):
        Told(citation="Doe et al.")
    with pytest.raises(BrainlakeError, match="a collection has no 'license': it has dataset, version, doi, licence"):
        Told.of({"license": "CC0"})


def test_a_source_said_to_be_of_another_collection_is_taken_again(tmp_path):
    make_session(tmp_path / "a.nwb", session_id=ALLEN, n_spikes=500)
    lake = ["--lake", str(tmp_path / "lake")]
    run([*lake, "create"])
    (tmp_path / "c.bib").write_text("@misc{mine, title = {Mine}}")
    more = [
        "--dataset",
        "Mine",
        "--doi",
        "https://doi.org/10.1/x",
        "--licence",
        "CC0",
        "--citation",
        str(tmp_path / "c.bib"),
    ]
    with brainlake.open(tmp_path / "lake") as opened:
        for arguments, status in (([], "ingested"), ([], "unchanged"), (more, "replaced"), (more, "unchanged")):
            assert run([*lake, "ingest", str(tmp_path / "a.nwb"), *arguments]) == 0, status
            opened.refresh()
        (found,) = opened.sql("select dataset, doi, licence, citation from lake.ingests").pl().rows()
        assert found == ("Mine", "10.1/x", "CC0", "@misc{mine, title = {Mine}}")
        assert opened.snapshot == 2
        assert opened.ingest(stale=True).items == ()


def test_entries_are_told_once_and_a_key_is_of_one_thing():
    one = "@misc{a, title = {One}}"
    other = "@misc{a, title = {Other}}"
    assert entries([one, None, f"{one}\n\n{other}", other]) == [one, "@misc{a_2, title = {Other}}"]
    assert entries(["% a comment\n@article{b, title = {{Nested {braces}}}} and words"]) == [
        "@article{b, title = {{Nested {braces}}}}"
    ]
    assert keys(named("A & B_c {100%}", None, None).bibtex) == ["a_b_c_100"]
    assert fields(Entry("misc", "x", {"title": escaped("50% of {this} & #1_a")}).bibtex)["title"] == (
        "50\\% of (this) \\& \\#1\\_a"
    )


def test_the_command_prints_bibtex(lake, capsys):
    assert run(["--lake", str(lake.path), "cite", f"from ecephys.units where session_id = {ALLEN}"]) == 0
    assert keys(capsys.readouterr().out) == ["siegle2021survey", "allen_neuropixels", "brainlake"]


def test_ingests_read_like_a_notebook(lake, capsys):
    """When, who, what, from where, how much, how long, and what was odd."""
    first = lake.sql("from lake.ingests").pl()
    assert first.columns[:9] == [
        "ingested_at_utc", "author", "message", "subject", "role", "source_url", "n_rows", "size_bytes", "seconds",
    ]  # fmt: skip
    assert first["snapshot_id"].is_sorted()
    assert (first["seconds"] > 0).all()
    assert run(["--lake", str(lake.path), "ingests"]) == 0
    lines = [line for line in capsys.readouterr().out.splitlines() if line.strip()]
    assert max(map(len, lines)) <= 160
    assert any(f"ecephys.session/{ALLEN}" in line and "allen.nwb" in line for line in lines)


def test_a_dandi_source_says_its_dandiset(tmp_path):
    archive = Published(
        "dandi_000021", "Two probes (DANDI:000021)", "draft", licence="CC-BY-4.0", publisher="DANDI Archive"
    )
    found = recorded(Identity("nwb.file/x", "nwb"), archive, Told())
    assert found["dataset"] == "Two probes (DANDI:000021)"
    assert found["doi"] is None
    assert fields(str(found["citation"])) == {
        "title": "{Two probes (DANDI:000021)}", "version": "draft", "publisher": "DANDI Archive",
    }  # fmt: skip
