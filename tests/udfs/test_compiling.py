"""numba is optional, and so is a folder to keep compiled code in."""

from __future__ import annotations

import sys

import pytest
from brainlake.udfs import compiling


@pytest.fixture(autouse=True)
def _nothing_compiled_yet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(compiling, "_COMPILED", {})


def add(a: float, b: float) -> float:
    return a + b


def test_without_numba_there_is_no_compiled_loop(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "numba", None)
    assert compiling.compiled(add) is None


def test_a_loop_compiles_where_nothing_can_be_written(monkeypatch: pytest.MonkeyPatch) -> None:
    numba = pytest.importorskip("numba")
    njit = numba.njit

    def njit_on_a_read_only_system(loop, cache=False, **options):
        if cache:
            raise RuntimeError("cannot cache function: no locator available")
        return njit(loop, **options)

    monkeypatch.setattr(numba, "njit", njit_on_a_read_only_system)
    loop = compiling.compiled(add)
    assert loop is not None
    assert loop(1.5, 2.0) == 3.5
    assert compiling.compiled(add) is loop
