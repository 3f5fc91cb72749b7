"""A damaged file is read or refused with one clear error: never a hang, a traceback or memory without bound.

Variants are numbered: the same number is the same damage on every machine (see ``fixtures/corrupted.py``). To look at
one: ``python -m brainlake.tests.fixtures.corrupted FILE 143 144 FOLDER``.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import h5py
import pytest
from brainlake.ingest.contract import Source
from brainlake.ingest.hdf5 import Hdf5File
from brainlake.lake.errors import SourceError
from brainlake.tests.fixtures import corrupted
from brainlake.tests.fixtures.allen_ecephys import make_session
from brainlake.tests.fixtures.anything import make_anything
from brainlake.tests.fixtures.other_labs import make_other_lab

# original, and its share of the variants: an Allen session has 400 times the rows of the others
ORIGINALS: dict[str, tuple[Callable[[Path], object], float]] = {
    "anything": (make_anything, 0.47),
    "other_lab": (make_other_lab, 0.46),
    "allen": (lambda path: make_session(path, n_spikes=2_000), 0.07),
}
IN_SHORT, IN_FULL = 150, 2_100


def try_all(folder: Path, n: int) -> list[corrupted.Outcome]:
    """So many variants, shared among the originals."""
    work, first = [], 0
    for name, (make, share) in ORIGINALS.items():
        make(folder / f"{name}.nwb")
        work.append((folder / f"{name}.nwb", first, first := first + round(n * share), folder))
    with ThreadPoolExecutor(2) as pool:
        return [outcome for found in pool.map(lambda job: corrupted.outcomes(*job), work) for outcome in found]


def assert_ragged_indices_are_named(outcomes: list[corrupted.Outcome]) -> None:
    """Every spoilt index is refused by its path; where the rest is salvaged, the file is read."""
    spoilt = [o for o in outcomes if o.damage.startswith("ragged")]
    assert {o.damage.rsplit(" ", 1)[0] for o in spoilt} == set(corrupted.RAGGED)
    for outcome in spoilt:
        if corrupted.is_salvaged(outcome.number):
            assert outcome.kind == "read", outcome
        else:
            assert outcome.kind == "refused", outcome
            # an index cut short is past by the index into it, where lists are nested
            path = outcome.damage.rsplit(" ", 1)[1]
            assert re.search(rf": /{path}(_index)?: ", outcome.message), outcome


def test_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    outcomes = try_all(tmp_path, IN_SHORT)
    corrupted.assert_all_are_answered(outcomes)
    assert_ragged_indices_are_named(outcomes)


@pytest.mark.slow
def test_two_thousand_damaged_files_are_read_or_refused(tmp_path: Path) -> None:
    outcomes = try_all(tmp_path, IN_FULL)
    assert len(outcomes) >= 2_000
    assert {o.damage.split(" ")[0] for o in outcomes} >= {
        "flip",
        "truncate",
        "drop",
        "wrong",
        "cycle",
        "huge",
        "ragged",
    }
    corrupted.assert_all_are_answered(outcomes)
    assert_ragged_indices_are_named(outcomes)


def test_a_heap_of_texts_that_never_ends_is_refused(tmp_path: Path) -> None:
    """libhdf5 does not come back from free space of length 0 (found by variants 143 and 407)."""
    with h5py.File(tmp_path / "file.nwb", "w") as file:
        file["text"] = "text"
    data = bytearray((tmp_path / "file.nwb").read_bytes())
    free = data.find(b"GCOL") + 16 + 16 + 8  # behind the heap's header and its one object
    assert int.from_bytes(data[free : free + 2], "little") == 0
    data[free + 8 : free + 16] = bytes(8)
    (tmp_path / "file.nwb").write_bytes(data)
    with pytest.raises(SourceError, match=r"^file\.nwb: is damaged: its texts at byte \S+ have no end"):
        Hdf5File.open(Source(tmp_path / "file.nwb", "file.nwb"))


def test_a_list_type_that_hdf5_does_not_know_is_refused(tmp_path: Path) -> None:
    """libhdf5 crashes on it (found by variants 1159 and 1267)."""
    with h5py.File(tmp_path / "file.nwb", "w") as file:
        file["x"] = 1
        file["x"].attrs["unit"] = "V"
    data = (tmp_path / "file.nwb").read_bytes()
    of_characters = b"\x19\x01\x01\x00\x10\x00\x00\x00"  # type 9, version 1; of characters, in UTF-8; 16 bytes
    assert data.count(of_characters) == 1
    (tmp_path / "file.nwb").write_bytes(data.replace(of_characters, b"\x19\x7f" + of_characters[2:]))
    with (
        Hdf5File.open(Source(tmp_path / "file.nwb", "file.nwb")) as file,
        pytest.raises(SourceError, match=r"/x@unit: has a type that HDF5 does not know"),
    ):
        file.attributes("/x")


def test_a_dataset_put_together_from_itself_is_refused(tmp_path: Path) -> None:
    """libhdf5 overruns its stack on it (found by variant 416)."""
    with h5py.File(tmp_path / "file.nwb", "w") as file:
        layout = h5py.VirtualLayout((10,), "f8")
        layout[:] = h5py.VirtualSource(".", "/x", (10,))
        file.create_virtual_dataset("x", layout)
    with (
        Hdf5File.open(Source(tmp_path / "file.nwb", "file.nwb")) as file,
        pytest.raises(SourceError, match="/x: is put"),
    ):
        file.array("/x")
