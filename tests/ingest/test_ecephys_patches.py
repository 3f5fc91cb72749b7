"""Corrected structures of a probe's channels: of the probe that the file's name tells, or that people say."""

from __future__ import annotations

from pathlib import Path

import brainlake
import pytest
from brainlake.ingest.contract import Report, Source
from brainlake.ingest.ecephys_patches import READER
from brainlake.lake.errors import SourceError

# Probe 805579698 is known to have CA1 in channels 0-71 and VISam in 72-154; here it is told otherwise.
CORRECTED = "local_index,ecephys_structure_acronym,ecephys_structure_id\n" + "".join(
    f"{i}.0,{acronym},{number}\n"
    for i, acronym, number in ((0, "CA1", "382.0"), (1, "CA1", "382.0"), (2, "", "nan"), (3, "CA1", "382.0"), (4, "DG", "726"))
)  # fmt: skip


def source(path: Path, **settings: str) -> Source:
    return Source(path, str(path), tuple(settings.items()))


@pytest.fixture
def patch(tmp_path: Path) -> Path:
    path = tmp_path / "787025148_probeB_805579698.csv"
    path.write_text(CORRECTED)
    return path


def test_a_correction_goes_before_what_is_known_of_its_probe(patch: Path) -> None:
    with brainlake.create(patch.parent / "lake") as lake:
        lake.ingest(patch, jobs=1).raise_failed()
        runs = lake.sql(
            "select first_local_index, last_local_index, structure_acronym, structure_id "
            "from ecephys.structure_patches where probe_id = 805579698 and structure_id is not null order by 1"
        ).pl()
        assert runs.rows() == [(0, 1, "CA1", 382), (3, 3, "CA1", 382), (4, 4, "DG", 726)]
        others = lake.sql("select distinct probe_id from ecephys.structure_patches where probe_id <> 805579698").pl()
        assert len(others) == 7


def test_the_probe_is_told_by_the_file_s_name_or_by_people(patch: Path, tmp_path: Path) -> None:
    assert READER.sniff(source(patch))
    assert READER.identify(source(patch)).subject == "ecephys.corrected_structures/805579698"
    assert READER.identify(source(patch, probe="7")).subject == "ecephys.corrected_structures/7"
    plain = tmp_path / "mine.csv"
    plain.write_text(CORRECTED)
    assert READER.identify(source(plain, probe="7")).subject == "ecephys.corrected_structures/7"
    with pytest.raises(SourceError, match=r"does not tell which.*--set probe=ID"):
        READER.identify(source(plain))
    with pytest.raises(SourceError, match="'B' is no id"):
        READER.identify(source(plain, probe="B"))


def test_a_table_of_fewer_channels_than_a_probe_has_is_wondered_about(patch: Path) -> None:
    def warned(lines: int) -> list[str]:
        head = CORRECTED.splitlines()[0]
        patch.write_text("\n".join([head, *(f"{i}.0,CA1,382.0" for i in range(lines - 1)), ",,", ""]))
        report = Report()
        assert sum(1 for _ in READER.read(source(patch), frozenset({"channels"}), report)) == 1
        return report.warnings

    assert warned(384) == []
    assert warned(18) == ["tells of 18 channels of 384: is the file whole?"]
