"""Readers are chosen by looking into a source."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import h5py
import pytest
from brainlake.ingest import registry
from brainlake.ingest.contract import Reader, Source
from brainlake.lake.errors import BrainlakeError, SourceError
from brainlake.tests.fixtures.anything import make_anything


def source(path: Path) -> Source:
    return Source(path, path.name)


@pytest.mark.parametrize("name", registry.names())
def test_every_registered_reader_keeps_the_contract(name: str) -> None:
    reader = registry.get(name)
    assert isinstance(reader, Reader)
    assert reader.name == name
    assert len({part.name for part in reader.parts}) == len(reader.parts)


def test_an_unknown_reader_is_answered_with_those_there_are() -> None:
    with pytest.raises(BrainlakeError, match="there is no reader 'nbw': there are nwb, "):
        registry.get("nbw")


def test_readers_are_imported_when_first_asked_for() -> None:
    code = "import sys; from brainlake.ingest import registry; print('h5py' in sys.modules, 'pynwb' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]


def test_the_content_decides_not_the_name(tmp_path: Path) -> None:
    make_anything(tmp_path / "recording.csv")
    assert registry.choose(source(tmp_path / "recording.csv")).name == "nwb"


def test_two_claims_ask_for_a_choice(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make_anything(tmp_path / "file.nwb")
    monkeypatch.setattr(registry.get("ecephys_csv"), "sniff", lambda source: True)
    with pytest.raises(SourceError, match=r"several readers take it: nwb, ecephys_csv \(say which with --as\)"):
        registry.choose(source(tmp_path / "file.nwb"))
    assert registry.choose(source(tmp_path / "file.nwb"), "nwb").name == "nwb"


def test_a_file_that_no_reader_takes_says_what_it_seems_to_be(tmp_path: Path) -> None:
    make_anything(tmp_path / "whole.nwb")
    contents = {
        "empty.nwb": (b"", "is empty"),
        "text.nwb": (b"once upon a time", "is no HDF5 file"),
        "cut.nwb": ((tmp_path / "whole.nwb").read_bytes()[:60_000], "is truncated"),
        "cut_short.nwb": ((tmp_path / "whole.nwb").read_bytes()[:9], "cannot be read"),
        "notes.txt": (b"once upon a time", "no reader knows what it holds .readers: nwb"),
    }
    for name, (content, reason) in contents.items():
        (tmp_path / name).write_bytes(content)
        with pytest.raises(SourceError, match=f"^{name}: {reason}"):
            registry.choose(source(tmp_path / name))
    with h5py.File(tmp_path / "other.h5", "w") as file:
        file["x"] = 1
    with pytest.raises(SourceError, match=r"^other.h5: no reader knows what it holds"):
        registry.choose(source(tmp_path / "other.h5"))
    with pytest.raises(SourceError, match=r"^gone.nwb: cannot be opened: No such file"):
        registry.choose(source(tmp_path / "gone.nwb"))


def test_asked_for_the_wrong_reader_says_why_it_does_not_take_the_file(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "old.nwb", "w") as file:
        file["nwb_version"] = "NWB-1.0.6"
    with pytest.raises(SourceError, match=r"^old.nwb: /: is no NWB 2 file: its nwb_version is NWB-1.0.6"):
        registry.choose(source(tmp_path / "old.nwb"), "nwb").identify(source(tmp_path / "old.nwb"))
