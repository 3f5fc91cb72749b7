"""HDF5 files, read safely: whatever a file holds, its reader gets values or one SourceError naming file and object.

h5py answers a damaged file with a dozen kinds of exception, follows links and storage into other files, and allocates
whatever shape a header declares. Here links lead nowhere outside the file, a shape that its stored bytes cannot hold
is refused before memory is taken, and text, references and enumerations come as Python values.
"""

from __future__ import annotations

import contextlib
import math
from collections.abc import Mapping
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np

from ..lake.errors import SourceError
from .contract import Source
from .hdf5_guard import guarded, refuse_foreign, refuse_unknown_list
from .hdf5_values import Decoder, plain

_SOFT_LINKS = 32  # followed one after the other before they are called a circle
_SMALL = 64 << 20  # bytes that any dataset may declare, stored or not
_COMPRESSION = 1_100  # the most that deflate can shrink: beyond it a shape is not what the file holds
_ATTRIBUTE_BYTES = 16 << 20
_CHUNK_CACHE = 128 << 20  # bytes: a row of chunks within it is decompressed once, however it is sliced


class Hdf5File:
    """An open file. A context manager; paths are absolute, ``/general/devices``."""

    def __init__(self, source: Source, file: h5py.File, size: int) -> None:
        self.source, self.size = source, size
        self._file = file
        self._groups: dict[str, h5py.Group] = {"/": file["/"]}
        self._datasets: dict[str, Dataset] = {}
        self._attributes: dict[str, Mapping[str, Any]] = {}
        self.decoder = Decoder(self.path_of_reference)
        self._path_of_address: dict[int, str] = {}
        self.last_read = "/"  # for errors that nobody can place better

    @classmethod
    def open(cls, source: Source) -> Self:
        """Raises SourceError where the file is missing, empty, foreign or truncated."""
        refuse_foreign(source)
        with guarded(source, None):
            return cls(source, _open(source), source.path.stat().st_size)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        """Closing a damaged file may fail as well; nothing was written, so nothing is lost."""
        self._groups.clear()
        self._datasets.clear()
        self._attributes.clear()
        with contextlib.suppress(Exception):
            self._file.close()

    def error(self, where: str, reason: str, remedy: str | None = None) -> SourceError:
        return SourceError(self.source, where, reason, remedy)

    def guarded(self, where: str) -> contextlib.AbstractContextManager[None]:
        return guarded(self.source, where)

    # --- what is where --------------------------------------------------------------------------------------------

    def resolve(self, path: str) -> str | None:
        """The path of an object behind all soft links; None where there is none, or it lies in another file."""
        found = self._find(path)
        return found[0] if found else None

    def has(self, path: str) -> bool:
        """A group or dataset is there, in this file."""
        return self._find(path) is not None

    def is_group(self, path: str) -> bool:
        found = self._find(path)
        return found is not None and isinstance(found[1], h5py.Group)

    def is_dataset(self, path: str) -> bool:
        found = self._find(path)
        return found is not None and isinstance(found[1], h5py.Dataset)

    def children(self, path: str) -> list[str]:
        """Names in a group, sorted; empty where there is no such group."""
        found = self._find(path)
        if found is None or not isinstance(found[1], h5py.Group):
            return []
        with self.guarded(path):
            return sorted(found[1])

    def link(self, path: str) -> tuple[str, str | None]:
        """Kind of the link at a path (``hard``, ``soft``, ``external``), and where a link that is not hard leads."""
        parent, _, name = path.rpartition("/")
        found = self._find(parent or "/")
        if found is None or not isinstance(found[1], h5py.Group):
            raise self.error(path, "is missing")
        with self.guarded(path):
            link = found[1].get(name, getlink=True)
            if isinstance(link, h5py.ExternalLink):
                return "external", f"{link.filename}:{link.path}"
            if isinstance(link, h5py.SoftLink):
                return "soft", _joined(parent or "/", link.path)
            return "hard", None

    def link_target(self, path: str) -> str | None:
        """Where a link leads, all links followed; the path itself where it is no link; None where nothing is there."""
        return self.resolve(path)

    def item(self, path: str) -> h5py.Group | h5py.Dataset | h5py.Datatype:
        """The h5py object at a path. Raises SourceError where it is missing."""
        found = self._find(path)
        if found is None:
            raise self.error(path, self._why_missing(path))
        return found[1]

    def address(self, path: str) -> int:
        """Where an object lies in the file: equal for every path that leads to it."""
        with self.guarded(path):
            return int(h5py.h5o.get_info(self.item(path).id).addr)

    def name_address(self, address: int, path: str) -> None:
        """References to the object at an address read as this path."""
        self._path_of_address[address] = path

    def path_of_reference(self, reference: h5py.Reference) -> str | None:
        """The path of the object a reference points to; None for a null reference."""
        if not reference:
            return None
        target = h5py.h5r.dereference(reference, self._file.id)
        if target is None:
            raise ValueError("a reference leads nowhere")
        address = int(h5py.h5o.get_info(target).addr)
        if address not in self._path_of_address:
            name = h5py.h5i.get_name(target)
            if not name:
                raise ValueError("a reference leads to an object without a path")
            self._path_of_address[address] = name.decode("utf-8", "replace")
        return self._path_of_address[address]

    def _find(self, path: str, hops: int = 0) -> tuple[str, Any] | None:
        """(path behind soft links, h5py object), or None. One name at a time, so that no link leaves the file."""
        at, names = "/", [name for name in path.split("/") if name not in ("", ".")]
        item: Any = self._groups["/"]
        for i, name in enumerate(names):
            if not isinstance(item, h5py.Group):
                return None
            here = f"{at.rstrip('/')}/{name}"
            if here in self._groups:
                at, item = here, self._groups[here]
                continue
            with self.guarded(here):
                encoded = name.encode("utf-8", "surrogateescape")
                if not item.id.links.exists(encoded):
                    return None
                kind = item.id.links.get_info(encoded).type
                target = item.id.links.get_val(encoded) if kind == h5py.h5l.TYPE_SOFT else b""
            if kind == h5py.h5l.TYPE_SOFT:
                if hops == _SOFT_LINKS:
                    raise self.error(here, "is a link that leads in a circle")
                rest = "/".join(names[i + 1 :])
                return self._find(f"{_joined(at, target.decode('utf-8', 'surrogateescape'))}/{rest}", hops + 1)
            if kind != h5py.h5l.TYPE_HARD:
                return None
            with self.guarded(here):
                item = item[name]
            at = here
            if isinstance(item, h5py.Group):
                self._groups[here] = item
        return at, item

    def _why_missing(self, path: str) -> str:
        """Missing, or behind a link into another file, which is never followed."""
        at = ""
        for name in [n for n in path.split("/") if n]:
            if not self.is_group(at or "/"):
                break
            at = f"{at}/{name}"
            if self._has_link(at) and (link := self.link(at))[0] == "external":
                return f"leads to another file ({link[1]}), which is not followed"
        return "is missing"

    def _has_link(self, path: str) -> bool:
        parent, _, name = path.rpartition("/")
        return name in self.children(parent or "/")

    # --- values ---------------------------------------------------------------------------------------------------

    def dataset(self, path: str) -> Dataset:
        """A dataset, checked to be one that can be read. Raises SourceError."""
        self.last_read = path
        if path not in self._datasets:
            item = self.item(path)
            if not isinstance(item, h5py.Dataset):
                raise self.error(path, "should be a dataset, and is a group")
            with self.guarded(path):
                refuse_unknown_list(self.source, path, item.id.get_type())
                self._datasets[path] = Dataset(self, path, _with_cache(item))
        return self._datasets[path]

    def array(self, path: str) -> np.ndarray:
        """A whole dataset: numbers as stored, text and reference paths as Python strings."""
        return self.dataset(path)[()]

    def scalar(self, path: str) -> Any:
        """The one value of a dataset, as a Python value; None where there is no such dataset, or it is empty."""
        if not self.has(path):
            return None
        dataset = self.dataset(path)
        if dataset.is_null or dataset.size == 0:
            return None
        if dataset.size > 1:
            raise self.error(path, f"should be one value, and has the shape {_shape(dataset.shape)}")
        return plain(dataset[()].reshape(-1)[0])

    def attributes(self, path: str) -> Mapping[str, Any]:
        """Attributes as Python values (arrays as lists, references as paths); empty where nothing is there."""
        if path not in self._attributes:
            found = self._find(path)
            if found is None or isinstance(found[1], h5py.Datatype):
                return {}
            with self.guarded(path):
                names = sorted(found[1].attrs)
                self._attributes[path] = {name: self._attribute(path, found[1], name) for name in names}
        return self._attributes[path]

    def _attribute(self, path: str, item: Any, name: str) -> Any:
        where = f"{path}@{name}"
        with self.guarded(where):
            attribute = h5py.h5a.open(item.id, name.encode("utf-8", "surrogateescape"))
            space = attribute.get_space()
            if space.get_simple_extent_type() == h5py.h5s.NULL:
                return None
            refuse_unknown_list(self.source, where, attribute.get_type())
            size = space.get_simple_extent_npoints() * attribute.get_type().get_size()
            if size > _ATTRIBUTE_BYTES:
                raise self.error(where, f"declares {size:,} bytes: more than any attribute holds")
            try:
                value = item.attrs[name]
            except TypeError:
                return None  # an HDF5 type that numpy has no word for: nothing that NWB uses
            return plain(self.decoder.decode(np.asarray(value), item.attrs.get_id(name).dtype))

    def stored_bytes(self, path: str) -> int:
        """Bytes that a dataset, or everything in a group, takes in the file; links are not followed."""
        total, waiting, seen = 0, [path], set()
        while waiting:
            at = waiting.pop()
            item = self.item(at)
            if (address := self.address(at)) in seen:
                continue
            seen.add(address)
            if isinstance(item, h5py.Dataset):
                with self.guarded(at):
                    total += int(item.id.get_storage_size())
            elif isinstance(item, h5py.Group):
                waiting += [c for name in self.children(at) if self.link(c := f"{at.rstrip('/')}/{name}")[0] == "hard"]
        return total


def _open(source: Source) -> h5py.File:
    """Unlocked: files may lie on read-only mounts, and a lock would outlive a killed reader on some."""
    try:
        return h5py.File(source.path, "r", locking=False)
    except OSError as error:
        if "locking flag" not in str(error):
            raise
        return h5py.File(source.path, "r")  # this process has it open already, locked: pynwb in a notebook


class Dataset:
    """A dataset of a file, read in slices. Shape, ndim, dtype, chunks and len are as h5py's."""

    def __init__(self, file: Hdf5File, path: str, dataset: h5py.Dataset) -> None:
        self.file, self.path = file, path
        self._dataset = dataset
        self.is_null = dataset.shape is None
        self.shape: tuple[int, ...] = dataset.shape or () if not self.is_null else (0,)
        self.dtype: np.dtype = dataset.dtype
        self.chunks: tuple[int, ...] | None = dataset.chunks
        self.size = math.prod(self.shape)
        self.stored_bytes = int(dataset.id.get_storage_size())
        self._refuse_other_files()
        self._refuse_implausible()

    @property
    def ndim(self) -> int:
        return len(self.shape)

    @property
    def row_bytes(self) -> int:
        """Bytes of one row in memory."""
        return max(math.prod(self.shape[1:]) * self.dtype.itemsize, 1)

    @property
    def is_text(self) -> bool:
        return self.dtype.kind == "S" or h5py.check_string_dtype(self.dtype) is not None

    @property
    def is_reference(self) -> bool:
        return h5py.check_ref_dtype(self.dtype) is not None

    def __len__(self) -> int:
        if not self.shape:
            raise self.file.error(self.path, "should be a list, and is one value")
        return self.shape[0]

    def __getitem__(self, key: Any) -> np.ndarray:
        """Values of a selection of rows (or of everything, by ``()``), at once in memory."""
        if self.is_null:
            return np.empty(0, self.dtype)
        with self.file.guarded(self.path):
            values = self._dataset[key]
            if not self.shape and h5py.check_vlen_dtype(self.dtype) is not None:
                row, values = values, np.empty((), object)  # one value, which is an array
                values[()] = row
            return self.file.decoder.decode(np.asarray(values), self.dtype)

    def _refuse_other_files(self) -> None:
        if self._dataset.external:
            raise self.file.error(self.path, "keeps its values in another file, which is not read")
        for source in self._dataset.virtual_sources() if self._dataset.is_virtual else ():
            if source.file_name != ".":
                raise self.file.error(self.path, "is put together from other files, which are not read")
            item = self.file.item(source.dset_name)
            if not isinstance(item, h5py.Dataset) or item.is_virtual:  # of itself, it would never end
                raise self.file.error(self.path, f"is put together from {source.dset_name}, which has no values")

    def _refuse_implausible(self) -> None:
        """No more memory for a dataset than its bytes in the file can account for."""
        if self.stored_bytes > self.file.size:
            reason = f"declares {self.stored_bytes:,} stored bytes in a file of {self.file.size:,}"
            raise self.file.error(self.path, reason, "the file is truncated or damaged")
        allowed = _SMALL + _COMPRESSION * self.stored_bytes
        for what, shape in (("shape", self.shape), ("chunk", self.chunks or ())):
            if math.prod(shape) * self.dtype.itemsize > allowed:
                reason = f"declares the {what} {_shape(shape)}, but {self.stored_bytes:,} bytes are stored"
                raise self.file.error(self.path, reason, "the file is damaged or was never filled")


def _with_cache(dataset: h5py.Dataset) -> h5py.Dataset:
    """The dataset with a cache of chunks, where one row of chunks exceeds the library's own."""
    if not dataset.chunks:
        return dataset
    across = math.prod(-(-n // c) for n, c in zip(dataset.shape[1:], dataset.chunks[1:], strict=True))
    chunk = math.prod(dataset.chunks) * dataset.dtype.itemsize
    if across * chunk <= 1 << 20 or chunk > _CHUNK_CACHE:
        return dataset
    access = h5py.h5p.create(h5py.h5p.DATASET_ACCESS)
    access.set_chunk_cache(min(100 * across + 1, 1 << 20), min(across * chunk, _CHUNK_CACHE), 1.0)
    return h5py.Dataset(h5py.h5d.open(dataset.parent.id, dataset.name.rsplit("/", 1)[1].encode(), access))


def _joined(group: str, target: str) -> str:
    return target if target.startswith("/") else f"{group.rstrip('/')}/{target}"


def _shape(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape)) or "of one value"
