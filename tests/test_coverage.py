"""docs/coverage.md names what exists, and leaves out no feature of the specification."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from brainlake.lake import questions
from brainlake.lake.cli import brainlake
from brainlake.lake.relations import RELATIONS
from brainlake.lake.tables import TABLES
from brainlake.views.plots import ecephys as plots

ROOT = Path(__file__).resolve().parent.parent
PAGE = ROOT / "docs" / "coverage.md"
FEATURES, COMPUTATIONS = 73, 9  # spec ecephys: section 8 counts to F-EC-73; of section 4, EC-1 to EC-9 are asked for
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
        assert name.removeprefix("plot.") in plots.__all__
    elif "." in name:
        assert name in {*TABLES, *questions.standard(), *RELATIONS}
    else:
        assert name in ("rma", "corrected")  # a schema to come, and the name of a parameter


def test_every_feature_has_one_row() -> None:
    ids = [row[0] for row in rows()]
    for family, n in (("F-EC", FEATURES), ("EC", COMPUTATIONS)):
        wanted = [f"{family}-{i}" for i in range(1, n + 1)]
        assert [i for i in wanted if ids.count(i) != 1] == []


def test_what_is_done_is_shown_by_a_test_and_what_is_not_says_why() -> None:
    for row in rows():
        *_, where, test, state, why = row
        assert state in STATES, row
        if state == "done":
            assert where, row
            assert "::" in test, row
        else:
            assert why, row
