"""Chunks inflated by threads give what the HDF5 library gives, or one error."""

from __future__ import annotations

import sys
import zlib
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pytest
from brainlake.ingest import chunk_slices
from brainlake.ingest.chunk_slices import slices, whole
from brainlake.ingest.contract import Source
from brainlake.ingest.hdf5 import Hdf5File
from brainlake.lake.errors import SourceError

CHUNK, ROWS = 1_000, 3_000


@pytest.fixture(autouse=True)
def _however_short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chunk_slices, "_WORTH_IT", 0)
    monkeypatch.setattr(chunk_slices, "_TASK", 20_000)  # two chunks or three


@pytest.fixture(params=["zlib", "deflate"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Each library that may inflate: the one that Python brings, and the extra's."""
    if request.param == "deflate":
        pytest.importorskip("deflate")
    else:
        monkeypatch.setitem(sys.modules, "deflate", None)
    monkeypatch.setattr(chunk_slices, "_inflate_one", chunk_slices._inflater())
    return str(request.param)


def _write(path: Path, values: np.ndarray, **how: Any) -> Source:
    with h5py.File(path, "w") as file:
        file.create_dataset("list", data=values, **how)
    return Source(path, str(path))


def _read(source: Source, rows: int = ROWS, threads: int = 3) -> np.ndarray:
    with Hdf5File.open(source) as file:
        found = list(slices(file.dataset("/list"), rows, threads=threads))
    assert [start for start, _ in found] == list(range(0, sum(len(v) for _, v in found), rows))
    return np.concatenate([values for _, values in found])


@pytest.mark.usefixtures("library")
@pytest.mark.parametrize("dtype", ["f8", "f4", "i8", "u2", ">f8"])
@pytest.mark.parametrize(
    "how",
    [
        {"compression": "gzip"},
        {"compression": "gzip", "shuffle": True},
        {"compression": "gzip", "fletcher32": True},
        {"compression": "lzf"},
        {},
    ],
)
def test_values_are_those_of_the_library(tmp_path: Path, dtype: str, how: dict[str, Any]) -> None:
    values = (np.random.default_rng(0).normal(size=10_500) * 1_000).astype(dtype)
    source = _write(tmp_path / "x.h5", values, chunks=(CHUNK,), **how)
    expected = values.astype(values.dtype.newbyteorder("=")).tobytes()
    assert _read(source).tobytes() == expected
    with Hdf5File.open(source) as file:
        told = whole(file.dataset("/list"))
    assert told.astype(told.dtype.newbyteorder("=")).tobytes() == expected


def test_slices_that_cut_chunks_and_contiguous_lists_are_read_the_ordinary_way(tmp_path: Path) -> None:
    values = np.arange(10_500.0)
    chunked = _write(tmp_path / "chunked.h5", values, chunks=(CHUNK,), compression="gzip")
    np.testing.assert_array_equal(_read(chunked, rows=1_700), values)
    np.testing.assert_array_equal(_read(_write(tmp_path / "plain.h5", values)), values)


def test_a_chunk_that_was_never_written_is_the_fill_value(tmp_path: Path) -> None:
    path = tmp_path / "holes.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("list", (5_000,), "f8", chunks=(CHUNK,), compression="gzip", fillvalue=7.0)
        data[1_000:2_000] = 1.0
    found = _read(Source(path, str(path)))
    assert found.tolist() == [7.0] * 1_000 + [1.0] * 1_000 + [7.0] * 3_000


@pytest.mark.usefixtures("library")
def test_a_damaged_chunk_is_one_error_naming_the_list(tmp_path: Path) -> None:
    source = _write(tmp_path / "x.h5", np.random.default_rng(1).normal(size=5_000), chunks=(CHUNK,), compression="gzip")
    with h5py.File(source.path) as file:
        info = file["list"].id.get_chunk_info(2)
    with source.path.open("r+b") as file:
        file.seek(info.byte_offset + 100)
        file.write(b"\xff" * 64)
    with pytest.raises(SourceError) as caught:
        _read(source)
    assert caught.value.where == "/list"
    with Hdf5File.open(source) as file, pytest.raises(SourceError, match=r"/list.*damaged"):
        whole(file.dataset("/list"))


def test_values_come_as_the_type_asked_for(tmp_path: Path) -> None:
    values = np.random.default_rng(3).normal(size=10_500)
    with Hdf5File.open(_write(tmp_path / "x.h5", values, chunks=(CHUNK,), compression="gzip")) as file:
        data = file.dataset("/list")
        found = [some for _, some in slices(data, ROWS, dtype=np.float32, threads=3)]
        assert np.concatenate(found).tobytes() == values.astype(np.float32).tobytes()
        assert whole(data, dtype=np.float32).tobytes() == values.astype(np.float32).tobytes()


def test_a_file_behind_a_block_of_the_users_is_read_the_ordinary_way(tmp_path: Path) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w", userblock_size=512) as file:
        file.create_dataset("list", data=np.arange(5_000.0), chunks=(CHUNK,), compression="gzip")
    np.testing.assert_array_equal(_read(Source(path, str(path))), np.arange(5_000.0))


def test_a_chunk_beyond_the_files_end_is_one_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    values = np.random.default_rng(1).normal(size=5_000)
    source = _write(tmp_path / "x.h5", values, chunks=(CHUNK,), compression="gzip")
    with Hdf5File.open(source) as file:
        data = file.dataset("/list")
        monkeypatch.setattr(file, "size", 20_000)  # as if it had been cut since
        with pytest.raises(SourceError, match=r"/list: .*reaches past the file's end"):
            whole(data)


def test_a_chunk_that_claims_more_than_it_may_is_refused_without_inflating_it(tmp_path: Path, library: str) -> None:
    path = tmp_path / "x.h5"
    with h5py.File(path, "w") as file:
        data = file.create_dataset("list", (2_000,), "f8", chunks=(CHUNK,), compression="gzip")
        data.id.write_direct_chunk((0,), zlib.compress(bytes(100_000_000)))
        data[CHUNK:] = 1.0
    refusal = {"zlib": "8,001 bytes instead of", "deflate": "cannot be decompressed"}[library]
    with Hdf5File.open(Source(path, str(path))) as file, pytest.raises(SourceError, match=refusal):
        whole(file.dataset("/list"))
