"""Whatever an HDF5 file holds, its reader gets values or one SourceError naming file and object."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
import pytest
from brainlake.ingest.contract import Source
from brainlake.ingest.hdf5 import Hdf5File
from brainlake.lake.errors import SourceError

Write = Callable[[Callable[[h5py.File], object]], Hdf5File]


@pytest.fixture
def written(tmp_path: Path) -> Write:
    """Write a file, open it for reading."""

    def write(fill: Callable[[h5py.File], object]) -> Hdf5File:
        path = tmp_path / "file.h5"
        with h5py.File(path, "w") as file:
            fill(file)
        return Hdf5File.open(Source(path, "file.h5"))

    return write


# --- opening ------------------------------------------------------------------------------------------------------------


def test_a_file_that_the_same_process_has_open_is_read_all_the_same(written: Write) -> None:
    """A notebook looks at it with h5py or pynwb, which lock it; HDF5 opens no file in two ways at once."""
    first = written(lambda file: file.create_dataset("x", data=[1, 2]))
    first.close()
    with h5py.File(first.source.path), Hdf5File.open(first.source) as file:
        assert file.array("/x").tolist() == [1, 2]


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (None, "cannot be opened: No such file"),
        (b"", "is empty"),
        (b"PK\x03\x04" * 100, "is no HDF5 file"),
        (b"\x89HDF\r\n\x1a\n" + b"\x00" * 3000, "cannot be read"),
    ],
)
def test_what_is_no_hdf5_file_is_refused_by_name(content: bytes | None, reason: str, tmp_path: Path) -> None:
    path = tmp_path / "file.h5"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SourceError, match=f"^file.h5: {reason}"):
        Hdf5File.open(Source(path, "file.h5"))


def test_a_truncated_file_says_so(written: Write, tmp_path: Path) -> None:
    written(lambda f: f.create_dataset("x", data=np.zeros(10_000))).close()
    path = tmp_path / "file.h5"
    path.write_bytes(path.read_bytes()[:40_000])
    with pytest.raises(SourceError, match=r"^file.h5: is truncated \(copy or download it again\)"):
        Hdf5File.open(Source(path, "file.h5"))


def test_a_block_of_the_users_before_the_file_is_allowed(tmp_path: Path) -> None:
    with h5py.File(tmp_path / "file.h5", "w", userblock_size=1024) as file:
        file["x"] = 1
    with Hdf5File.open(Source(tmp_path / "file.h5", "file.h5")) as file:
        assert file.scalar("/x") == 1


# --- values -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("stored", "value"),
    [
        (3, 3),
        (2.5, 2.5),
        (True, True),
        ("µ", "µ"),
        (np.array(["list of one"], dtype=h5py.string_dtype()), "list of one"),
        (np.array([[7]]), 7),
        (np.bytes_("grün".encode("latin-1")), "grün"),
        (h5py.Empty("f8"), None),
        (np.empty(0), None),
        (np.array(1 + 2j), 1 + 2j),
    ],
)
def test_a_scalar_is_a_python_value(stored: object, value: object, written: Write) -> None:
    with written(lambda f: f.create_dataset("x", data=stored)) as file:
        found = file.scalar("/x")
        assert found == value
        assert type(found) is type(value)


def test_scalars_that_are_missing_are_none_and_lists_are_refused(written: Write) -> None:
    with written(lambda f: f.create_dataset("x", data=np.arange(4).reshape(2, 2))) as file:
        assert file.scalar("/y") is None
        assert file.scalar("/x/y") is None
        with pytest.raises(SourceError, match=r"^file.h5: /x: should be one value, and has the shape 2 x 2$"):
            file.scalar("/x")
        with pytest.raises(SourceError, match=r"^file.h5: /y: is missing$"):
            file.array("/y")
        with pytest.raises(SourceError, match=r"^file.h5: /: should be a dataset, and is a group$"):
            file.array("/")


def test_references_read_as_paths_and_enumerations_as_names(written: Write) -> None:
    def fill(f: h5py.File) -> None:
        f.create_group("a/b")
        f.create_dataset("refs", (3,), h5py.ref_dtype)[:2] = [f["a/b"].ref, f.ref]
        colors = h5py.enum_dtype({"red": 1, "green": 2}, basetype="i1")
        f.create_dataset("colors", data=np.array([2, 1, 5]), dtype=colors)
        f["refs"].attrs["target"] = f["a"].ref

    with written(fill) as file:
        assert file.array("/refs").tolist() == ["/a/b", "/", None]
        assert file.array("/colors").tolist() == ["green", "red", "5"]
        assert file.attributes("/refs") == {"target": "/a"}


def test_arrays_of_their_own_length_are_rows(written: Write) -> None:
    kind = h5py.vlen_dtype("i4")

    def fill(f: h5py.File) -> None:
        rows = f.create_dataset("rows", (2,), kind)
        rows[0], rows[1] = [1, 2], []
        f.create_dataset("row", (), kind)[()] = [1, 2, 3]

    with written(fill) as file:
        assert [row.tolist() for row in file.array("/rows")] == [[1, 2], []]
        assert file.scalar("/row") == [1, 2, 3]


def test_compounds_keep_their_fields_with_text_and_references_decoded(written: Write) -> None:
    kind = np.dtype([("n", "<i4"), ("where", h5py.ref_dtype), ("name", h5py.string_dtype()), ("xy", "<f4", (2,))])

    def fill(f: h5py.File) -> None:
        rows = np.zeros(2, kind)
        rows["n"], rows["name"], rows["where"] = [1, 2], ["one", "two"], f.ref
        f.create_dataset("rows", data=rows)

    with written(fill) as file:
        rows = file.array("/rows")
        assert (rows["n"].tolist(), rows["where"].tolist()) == ([1, 2], ["/", "/"])
        assert rows["name"].tolist() == ["one", "two"]
        assert rows["xy"].shape == (2, 2)


def test_attributes_of_every_kind_are_plain_values(written: Write) -> None:
    values = {"i": np.int8(3), "f": 2.5, "s": "µ", "l": np.arange(3), "b": np.True_, "t": np.array([b"a", b"b"])}

    def fill(f: h5py.File) -> None:
        for name, value in values.items():
            f.attrs[name] = value
        f.attrs["empty"] = h5py.Empty("f8")
        f.attrs["opaque"] = np.void(b"\x01\xff")

    with written(fill) as file:
        expected = {"i": 3, "f": 2.5, "s": "µ", "l": [0, 1, 2], "b": True, "t": ["a", "b"], "empty": None}
        assert file.attributes("/") == {**expected, "opaque": "01ff"}
        assert file.attributes("/nowhere") == {}


def test_a_dataset_is_read_in_slices(written: Write) -> None:
    values = np.arange(100_000).reshape(-1, 4)
    with written(lambda f: f.create_dataset("x", data=values, chunks=(100, 4))) as file:
        data = file.dataset("/x")
        assert (len(data), data.shape, data.ndim, data.chunks, data.row_bytes) == (25_000, (25_000, 4), 2, (100, 4), 32)
        np.testing.assert_array_equal(data[990:1010], values[990:1010])
        np.testing.assert_array_equal(data[10:20, 1:3], values[10:20, 1:3])


# --- links --------------------------------------------------------------------------------------------------------------


def test_soft_links_are_followed_and_circles_are_refused(written: Write) -> None:
    def fill(f: h5py.File) -> None:
        f["a/x"] = 1
        f["a/relative"], f["absolute"], f["group"] = h5py.SoftLink("x"), h5py.SoftLink("/a/x"), h5py.SoftLink("a")
        f["dangling"], f["one"], f["two"] = h5py.SoftLink("/nowhere"), h5py.SoftLink("/two"), h5py.SoftLink("/one")

    with written(fill) as file:
        paths = ("/a/relative", "/absolute", "/group/x", "/group/relative")
        assert [file.scalar(path) for path in paths] == [1, 1, 1, 1]
        assert [file.link_target(path) for path in paths] == ["/a/x"] * 4
        assert file.link("/a/relative") == ("soft", "/a/x")
        assert not file.has("/dangling")
        assert file.link_target("/dangling") is None
        with pytest.raises(SourceError, match=r"^file.h5: /(one|two): is a link that leads in a circle$"):
            file.has("/one")


def test_a_group_within_itself_ends(written: Write) -> None:
    def fill(f: h5py.File) -> None:
        f["a/x"] = np.zeros(100)
        f["a/again"] = f["a"]
        f["root"] = f["/"]

    with written(fill) as file:
        assert file.stored_bytes("/") == 800
        assert file.address("/a/again/again") == file.address("/a")


def test_no_link_leads_out_of_the_file(written: Write, tmp_path: Path) -> None:
    with h5py.File(tmp_path / "secret.h5", "w") as secret:
        secret["x"] = 42

    with written(lambda f: f.__setitem__("out", h5py.ExternalLink("secret.h5", "/"))) as file:
        assert not file.has("/out")
        assert not file.has("/out/x")
        assert file.link("/out") == ("external", "secret.h5:/")
        with pytest.raises(SourceError, match=r"/out/x: leads to another file \(secret.h5:/\), which is not followed"):
            file.array("/out/x")


def test_values_kept_in_other_files_are_not_read(written: Write, tmp_path: Path) -> None:
    (tmp_path / "secret").write_bytes(b"secret")
    with h5py.File(tmp_path / "other.h5", "w") as other:
        other["x"] = np.zeros(3)

    def fill(f: h5py.File) -> None:
        f.create_dataset("raw", (6,), "u1", external=[(str(tmp_path / "secret"), 0, 6)])
        layout = h5py.VirtualLayout((3,), "f8")
        layout[:] = h5py.VirtualSource(str(tmp_path / "other.h5"), "x", (3,))
        f.create_virtual_dataset("virtual", layout)

    with written(fill) as file:
        with pytest.raises(SourceError, match="/raw: keeps its values in another file"):
            file.array("/raw")
        with pytest.raises(SourceError, match="/virtual: is put together from other files"):
            file.array("/virtual")


# --- sizes --------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("how", [{"chunks": (1 << 16,)}, {}])
def test_a_shape_that_the_file_cannot_hold_is_refused_before_memory_is_taken(how: dict, written: Write) -> None:
    def fill(f: h5py.File) -> None:
        plist = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
        if how:
            plist.set_chunk(how["chunks"])
        plist.set_alloc_time(h5py.h5d.ALLOC_TIME_LATE)
        h5py.h5d.create(f.id, b"x", h5py.h5t.NATIVE_DOUBLE, h5py.h5s.create_simple((1 << 40,)), plist)

    with (
        written(fill) as file,
        pytest.raises(SourceError, match="/x: declares the shape 1099511627776, but 0 bytes are stored"),
    ):
        file.array("/x")


def test_well_compressed_and_unwritten_data_of_ordinary_size_are_read(written: Write) -> None:
    def fill(f: h5py.File) -> None:
        f.create_dataset("zeros", data=np.zeros(12_000_000), chunks=(1_000_000,), compression="gzip")
        f.create_dataset("unwritten", (1_000_000,), "f8", chunks=(1_000,), fillvalue=2.0)

    with written(fill) as file:
        assert file.dataset("/zeros").stored_bytes < 100_000
        assert len(file.array("/zeros")) == 12_000_000
        assert file.array("/unwritten")[-1] == 2.0


def test_an_error_crosses_processes_whole(written: Write) -> None:
    with written(lambda f: None) as file, pytest.raises(SourceError) as caught:
        file.array("/x")
    copy = pickle.loads(pickle.dumps(caught.value))
    assert (str(copy), copy.where) == ("file.h5: /x: is missing", "/x")
