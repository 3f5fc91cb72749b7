"""Real recordings are cited as their files ask, and leave a lake for another as they are."""

from __future__ import annotations

import bibtexparser
import brainlake
import pytest

MICROWIRE, RETINA = "neuropixels/sub-4_ses-4_ecephys+image.nwb", "neuropixels/20080606_R1.nwb"


@pytest.fixture(scope="module")
def lake(real_data, tmp_path_factory):
    with brainlake.create(tmp_path_factory.mktemp("real") / "lake") as opened:
        opened.ingest([real_data(MICROWIRE), real_data(RETINA)]).raise_failed()
        yield opened


def session_of(lake: brainlake.Lake, file: str) -> int:
    query = """
        select session_id from ecephys.nwb_sessions join lake.ingests using (ingest_id)
        where source_url like '%' || $file"""
    return lake.sql(query, {"file": file}).one().session_id


def test_a_recording_is_cited_by_the_paper_that_its_file_names(lake):
    """Zheng et al. 2022, as /general/related_publications of the file has it; the retina's file names none."""
    microwire, retina = session_of(lake, MICROWIRE), session_of(lake, RETINA)
    asked = "select count(*) from ecephys.spikes where session_id = $s"
    first, software = bibtexparser.parse_string(lake.sql(asked, {"s": microwire}).cite()).entries
    assert "Cognitive boundary signals in the human medial temporal lobe" in first["note"]
    assert software.key == "brainlake"
    assert [e.key for e in bibtexparser.parse_string(lake.sql(asked, {"s": retina}).cite()).entries] == ["brainlake"]


@pytest.mark.parametrize("way", ["copy", "publish"])
def test_one_recording_of_two_is_taken_elsewhere(lake, tmp_path, way):
    session = session_of(lake, MICROWIRE)
    getattr(lake, way)(tmp_path / "part", where=f"session_id = {session}")
    with brainlake.open(tmp_path / "part") as part:
        for question in (
            "select unit_id, spike_time from ecephys.spikes order by all",
            "select path, neurodata_type from nwb.objects order by all",
            "select * from nwb_table('/intervals/encoding_table') order by all",
        ):
            narrowed = question.replace("ecephys.spikes", f"ecephys.spikes where session_id = {session}")
            narrowed = narrowed.replace(
                "nwb.objects", f"nwb.objects join nwb.files using (file_id) where file_name like '%{MICROWIRE[-20:]}'"
            )
            assert part.sql(question).arrow().equals(lake.sql(narrowed).arrow())
        assert part.check(deep=True) == []
