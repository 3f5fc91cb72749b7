"""Shared by every test: where real files are."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
# Real files are not part of the project (their licences): a checkout has them beside it, or the variable says where.
REAL_DATA = Path(os.environ.get("BRAINLAKE_REAL_DATA") or ROOT.parent / "shared" / "data")


@pytest.fixture(scope="session")
def real_data() -> Callable[[str], Path]:
    """``real_data("neuropixels/aibs.nwb")``: the path of a real file; the test is skipped where it is not at hand."""

    def find(name: str) -> Path:
        path = REAL_DATA / name
        if not path.exists():
            pytest.skip(f"real file {name} is not at hand: set BRAINLAKE_REAL_DATA to the folder that holds it")
        return path

    return find


@pytest.fixture(autouse=True)
def _no_lake_of_the_user(monkeypatch: pytest.MonkeyPatch) -> None:
    """A test never opens, by default, the lake of whoever runs it."""
    monkeypatch.delenv("BRAINLAKE", raising=False)
