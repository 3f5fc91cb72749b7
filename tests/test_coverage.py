"""docs/coverage.md names what exists, and leaves out no feature of the specification."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from brainlake.lake import questions
from brainlake.lake.cli import brainlake
from brainlake.lake.functions import declared
from brainlake.lake.pictures import pictures
from brainlake.lake.relations import RELATIONS
from brainlake.lake.tables import TABLES

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "coverage.md"
# The feature ids of the specifications' checklists; of ecephys section 4, EC-1 to EC-9 are asked for so far.
FAMILIES = {
    "F-EC-{}": ((1, 73),),
    "EC-{}": ((1, 9),),
    "CT-{:03}": ((1, 15), (20, 40), (50, 78), (80, 108), (120, 146), (150, 169), (180, 189), (200, 205)),
    "CON-{:03}": (
        (1, 5), (10, 14), (20, 36), (40, 47), (50, 58), (60, 65), (70, 73), (80, 86), (90, 97), (100, 107), (110, 111),
    ),
    "API-{:03}": ((1, 61), (70, 85), (90, 99)),
}  # fmt: skip
STATES = ("done", "partly", "not")


def rows() -> list[list[str]]:
    lines = [line for line in PAGE.read_text(encoding="utf-8").splitlines() if line.startswith("| ")]
    cells = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return [row for row in cells if row[0] not in ("id", "what", "---")]


def names() -> list[str]:
    return sorted({name for row in rows() for name in re.findall(r"`([^`]+)`", " ".join(row))})


@pytest.mark.parametrize("name", names())
def test_what_is_named_exists(name: str) -> None:
    if "::" in name:
        path, test = name.split("::")
        assert re.search(rf"^\s*def {test}\(", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)
    elif "/" in name:
        assert (ROOT / name).exists()
    elif name.startswith("brainlake "):
        assert name.split()[1] in brainlake.commands
    elif name.startswith("plot."):
        assert name.removeprefix("plot.") in pictures()
    elif "." in name:
        assert name in {*TABLES, *questions.standard(), *RELATIONS}
    else:
        schemas = {table.partition(".")[0] for table in TABLES}
        assert name in {*declared(), *schemas, "corrected"}  # the parameter that offers what the reference has wrong


@pytest.mark.parametrize("family", FAMILIES)
def test_every_feature_has_one_row(family: str) -> None:
    ids = [row[0] for row in rows()]
    wanted = [family.format(i) for first, last in FAMILIES[family] for i in range(first, last + 1)]
    assert [i for i in wanted if ids.count(i) != 1] == []


def test_what_is_done_is_shown_by_a_test_and_what_is_not_says_why() -> None:
    for row in rows():
        *_, where, test, state, why = row
        assert state in STATES, row
        if state == "done":
            assert where, row
            assert "tests/" in test, row
        else:
            assert why, row
