"""What people name becomes files at hand: each once, whole, or one clear error."""

from __future__ import annotations

import functools
import http.server
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fsspec
import pytest
import requests
from brainlake.ingest import sources
from brainlake.lake.errors import SourceError


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Two files that a reader may know, in folders, among others."""
    inner = tmp_path / "data" / "inner folder"
    inner.mkdir(parents=True)
    for path in (tmp_path / "data" / "b.nwb", inner / "a.NWB", inner / "notes.md", inner / "._a.NWB"):
        path.write_bytes(b"x")
    return tmp_path / "data"


@pytest.fixture
def memory() -> Iterator[fsspec.AbstractFileSystem]:
    filesystem = fsspec.filesystem("memory")
    yield filesystem
    filesystem.store.clear()


@pytest.fixture
def web(folder: Path) -> Iterator[str]:
    """The folder, served."""
    handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory=folder)
    handler.func.log_message = lambda *_: None  # type: ignore[attr-defined]
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()


def test_a_folder_means_every_file_below_it_that_a_reader_may_know(folder: Path, tmp_path: Path) -> None:
    found = sources.expand([folder], tmp_path)
    assert [s.path for s in found] == [folder / "b.nwb", folder / "inner folder" / "a.NWB"]


def test_a_glob_means_what_it_matches_and_a_file_is_taken_once(folder: Path, tmp_path: Path) -> None:
    found = sources.expand([folder / "b.nwb", f"{folder}/**/*.nwb", (folder / "b.nwb").as_uri()], tmp_path)
    assert [s.url for s in found] == [str(folder / "b.nwb")]


def test_a_named_file_may_be_called_anything(folder: Path, tmp_path: Path) -> None:
    assert sources.expand([(folder / "inner folder" / "notes.md").as_uri()], tmp_path)[0].name == "notes.md"


@pytest.mark.parametrize(
    ("argument", "reason"),
    [
        ("nowhere.nwb", "there is no such file or folder"),
        ("nowhere*.nwb", "no file matches"),
        ("memory://nowhere.nwb", "cannot be fetched: FileNotFoundError"),
        ("memory://nowhere*.nwb", "no file matches"),
        ("nosuch://host/x.nwb", "cannot be fetched: ValueError: Protocol not known"),
        ("dandi:21/x.nwb", "is not dandi:000000"),
    ],
)
def test_what_leads_to_no_file_is_one_error_naming_it(argument: str, reason: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=f"^{argument.replace('*', '[*]')}: {reason}"):
        sources.expand([argument], tmp_path)


def test_an_empty_folder_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="holds no file that a reader may know"):
        sources.expand([tmp_path], tmp_path)


def test_a_remote_file_is_fetched_whole_and_keeps_its_address(
    memory: fsspec.AbstractFileSystem, tmp_path: Path
) -> None:
    memory.pipe("/lab/one.nwb", b"1" * 1000)
    memory.pipe("/lab/two.nwb", b"2")
    one, two = sources.expand(["memory://lab/*.nwb"], tmp_path)
    assert (one.url, one.name, one.path.read_bytes()) == ("memory:///lab/one.nwb", "one.nwb", b"1" * 1000)
    assert two.path.read_bytes() == b"2"
    assert not list(tmp_path.rglob("*.part"))


def test_a_fetched_file_is_fetched_again_only_when_it_has_changed(web: str, folder: Path, tmp_path: Path) -> None:
    first = sources.expand([f"{web}/b.nwb"], tmp_path)[0]
    inode = first.path.stat().st_ino
    assert sources.expand([f"{web}/b.nwb"], tmp_path)[0].path.stat().st_ino == inode
    first.path.write_bytes(b"xx")  # not what came
    assert sources.expand([f"{web}/b.nwb"], tmp_path)[0].path.read_bytes() == b"x"
    (folder / "b.nwb").write_bytes(b"changed")
    assert sources.expand([f"{web}/b.nwb"], tmp_path)[0].path.read_bytes() == b"changed"


def test_http_errors_are_one_line(web: str, tmp_path: Path) -> None:
    with pytest.raises(SourceError, match=f"^{web}/missing.nwb: cannot be fetched: FileNotFoundError"):
        sources.expand([f"{web}/missing.nwb"], tmp_path)
    with pytest.raises(SourceError, match=r"cannot be fetched.*check the address and the network"):
        sources.expand(["http://127.0.0.1:9/closed.nwb"], tmp_path)


def test_an_incomplete_file_is_refused_and_nothing_is_left_of_it(
    memory: fsspec.AbstractFileSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.pipe("/one.nwb", b"1" * 10)
    about = memory.info("/one.nwb")
    monkeypatch.setattr(type(memory), "info", lambda *_, **__: {**about, "size": 20})
    with pytest.raises(SourceError, match="came incomplete: 10 of 20 bytes"):
        sources.expand(["memory://one.nwb"], tmp_path)
    assert not [path for path in tmp_path.rglob("*") if path.is_file()]


class Reply:
    """What the archive's API answers for the one asset of the tests."""

    def __init__(self, url: str) -> None:
        self.url = url

    def raise_for_status(self) -> None:
        pass

    def json(self) -> dict[str, Any]:
        if not self.url.endswith("/assets/"):
            return {
                "name": "Recordings of two probes", "license": ["spdx:CC-BY-4.0"], "datePublished": "2021-08-12T15:00:00",
                "contributor": [
                    {"name": "Doe, Jane", "includeInCitation": True},
                    {"name": "A foundation", "includeInCitation": False},
                ],
            }  # fmt: skip
        longer = {"path": "sub-1/b.nwb.bak", "asset_id": "0"}  # the API filters by prefix
        return {"results": [longer, {"path": "sub-1/b.nwb", "asset_id": "7"}]}


def test_a_dandi_asset_is_found_by_its_path_and_version(
    web: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def get(url: str, **_: object) -> Reply:
        asked.append(url)
        return Reply(url)

    monkeypatch.setattr(requests, "get", get)
    monkeypatch.setattr(sources, "DANDI_API", web)
    (folder / "assets" / "7" / "download").mkdir(parents=True)
    (folder / "assets" / "7" / "download" / "index.html").write_bytes(b"asset 7")
    name = "dandi:000021@0.210812.1500/sub-1/b.nwb"
    found = sources.expand([name], tmp_path)[0]
    assert (found.url, found.name, found.path.read_bytes()) == (name, "b.nwb", b"asset 7")
    version = f"{web}/dandisets/000021/versions/0.210812.1500/"
    assert asked == [f"{version}assets/", version]
    told = found.published
    assert told is not None
    assert (told.title, told.version) == ("Recordings of two probes (DANDI:000021)", "0.210812.1500")
    # the archive gives every published version a DOI of this form
    assert (told.doi, told.licence) == ("10.48324/dandi.000021/0.210812.1500", "CC-BY-4.0")
    assert (told.authors, told.year) == (("Doe, Jane",), "2021")
    with pytest.raises(SourceError, match=r"dandiset 000021 has no asset sub-1/c\.nwb"):
        sources.expand(["dandi:000021/sub-1/c.nwb"], tmp_path)


def test_a_dandiset_that_tells_nothing_is_known_by_its_address(
    web: str, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A draft has no DOI, and what the archive fails to tell is not made up."""

    class Silent(Reply):
        def json(self) -> dict[str, Any]:
            return super().json() if self.url.endswith("/assets/") else {}

    monkeypatch.setattr(requests, "get", lambda url, **_: Silent(url))
    monkeypatch.setattr(sources, "DANDI_API", web)
    (folder / "assets" / "7" / "download").mkdir(parents=True)
    (folder / "assets" / "7" / "download" / "index.html").write_bytes(b"asset 7")
    told = sources.expand(["dandi:000021/sub-1/b.nwb"], tmp_path)[0].published
    assert told is not None
    assert (told.title, told.version, told.doi, told.licence) == ("DANDI:000021", "draft", None, None)


def test_offline_dandi_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "DANDI_API", "http://127.0.0.1:9")
    with pytest.raises(SourceError, match=r"the archive cannot be asked: ConnectionError.*check the network"):
        sources.expand(["dandi:000021/sub-1/b.nwb"], tmp_path)
