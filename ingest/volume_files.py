"""Volumes in files: NRRD, MetaImage, NIfTI and NumPy, plane by plane, whatever order their axes have.

A file's voxels are a stream of bytes, packed or not, of which one plane is held at a time; memory does not grow with the
volume. Planes come sagittal, ``[dv, ap]``, from left to right: that is the order of every file of the Allen Institute.
A file in another order is unpacked into a temporary file first and read across.

Sizes, types and lengths are checked before anything is allocated: what a header declares must be what follows it.
"""

from __future__ import annotations

import bz2
import mmap
import tempfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, Any

import numpy as np

from ..lake.errors import SourceError
from .contract import Source
from .heads import read_head

AXES = ("ap", "dv", "ml")
MAX_EDGE = 32_767  # indices are int16
MAX_VOXELS = 1 << 34  # 14 times the 10 um volume
READ = 1 << 20
SLAB_BYTES = 256 << 20  # of a volume read across: so much is held
_HEAD = 4_096

# edge of a voxel (um) -> voxels along ap, dv, ml of the adult mouse CCF (spec: connectivity 2.2)
CCF_SHAPES = {10: (1320, 800, 1140), 25: (528, 320, 456), 50: (264, 160, 228), 100: (132, 80, 114)}
_KNOWN = {shape: float(um) for um, shape in CCF_SHAPES.items()}


@dataclass(frozen=True)
class Axis:
    """What a file's axis runs along, and whether it runs the other way (``-ml``: from right to left)."""

    name: str
    is_reversed: bool = False

    def __str__(self) -> str:
        return f"-{self.name}" if self.is_reversed else self.name


@dataclass(frozen=True)
class VolumeHeader:
    """What a file says of its volume. Sequences follow the file's axes, the fastest first.

    axes : what each axis runs along; empty where the file does not say
    spacing, origin : in micrometres; empty where the file does not say
    n_components : values a voxel, stored side by side
    fields : the header as it is written
    """

    file_format: str
    sizes: tuple[int, ...]
    dtype: np.dtype[Any]
    fields: Mapping[str, str]
    n_components: int = 1
    axes: tuple[Axis, ...] = ()
    spacing: tuple[float, ...] = ()
    origin: tuple[float, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def n_bytes(self) -> int:
        return int(np.prod(self.sizes, dtype=object)) * self.n_components * self.dtype.itemsize

    def along(self, values: Sequence[Any]) -> tuple[Any, Any, Any]:
        """What belongs to the file's axes, in the order ap, dv, ml."""
        found = dict(zip((axis.name for axis in self.axes), values, strict=True))
        return found["ap"], found["dv"], found["ml"]

    @property
    def shape(self) -> tuple[int, int, int]:
        """Voxels along ap, dv and ml."""
        return self.along(self.sizes)


@dataclass(frozen=True)
class Voxels:
    """Where a file's voxels lie: a file, or a member that ``opener`` opens; where they begin; how they are packed.

    skip : bytes before them, once unpacked
    """

    path: Path
    start: int = 0
    packing: str = "raw"  # raw, gzip or bzip2
    opener: Callable[[], IO[bytes]] | None = None
    skip: int = 0

    def open(self) -> IO[bytes]:
        file = self.opener() if self.opener else self.path.open("rb")
        file.seek(self.start)
        return file


@dataclass(frozen=True)
class Volume:
    """A volume at hand: header, and where its voxels are."""

    source: Source
    header: VolumeHeader
    voxels: Voxels
    warnings: tuple[str, ...] = field(default=())

    def planes(self) -> Iterator[tuple[int, np.ndarray]]:
        """Sagittal planes from left to right: index along ml, and ``[dv, ap]``, or ``[dv, ap, component]``.

        A plane is valid until the next one is asked for. Raises SourceError where the voxels are not as declared.
        """
        names = tuple(str(axis) for axis in self.header.axes)
        if names == AXES:
            yield from self._in_file_order()
        else:
            yield from self._across()

    def _in_file_order(self) -> Iterator[tuple[int, np.ndarray]]:
        ap, dv, ml = self.header.sizes
        shape = (dv, ap) if self.header.n_components == 1 else (dv, ap, self.header.n_components)
        with _Unpacked(self.source, self.voxels, self.header.n_bytes) as stream:
            buffer = bytearray(self.header.n_bytes // ml)
            plane = np.frombuffer(buffer, self.header.dtype).reshape(shape)
            for index in range(ml):
                stream.fill(buffer)
                yield index, plane
            stream.finish()

    def _across(self) -> Iterator[tuple[int, np.ndarray]]:
        """By way of a file that memory maps: the voxels' own where they are not packed, else a temporary one."""
        header = self.header
        with tempfile.TemporaryFile(prefix="brainlake-") as room, _Unpacked(
            self.source, self.voxels, header.n_bytes
        ) as stream:  # fmt: skip
            stream.copy_to(room)
            stream.finish()
            room.flush()
            with mmap.mmap(room.fileno(), header.n_bytes, access=mmap.ACCESS_READ) as mapped:
                stored = np.frombuffer(mapped, header.dtype)
                try:
                    yield from self._slabs(stored)
                finally:
                    del stored  # a mapped file closes only when nothing looks at it

    def _slabs(self, stored: np.ndarray) -> Iterator[tuple[int, np.ndarray]]:
        header = self.header
        inner = () if header.n_components == 1 else (header.n_components,)
        whole = stored.reshape(*reversed(header.sizes), *inner)
        for number, axis in enumerate(reversed(header.axes)):
            if axis.is_reversed:
                whole = np.flip(whole, number)
        position = {axis.name: number for number, axis in enumerate(reversed(header.axes))}
        order = [position["ml"], position["dv"], position["ap"], *range(3, whole.ndim)]
        planes = whole.transpose(order)
        step = max(1, SLAB_BYTES // max(1, header.n_bytes // len(planes)))
        for start in range(0, len(planes), step):
            slab = np.ascontiguousarray(planes[start : start + step])
            yield from enumerate(slab, start)


class _Unpacked:
    """The bytes of a volume, unpacked as they are asked for, and exactly as many as declared."""

    def __init__(self, source: Source, voxels: Voxels, n_bytes: int) -> None:
        self._source, self._voxels, self._expected = source, voxels, n_bytes
        self._given = 0
        self._unpack = {
            "raw": lambda: None,
            "gzip": lambda: zlib.decompressobj(zlib.MAX_WBITS | 32),
            "bzip2": lambda: bz2.BZ2Decompressor(),
        }[voxels.packing]()

    def __enter__(self) -> _Unpacked:
        try:
            self._file = self._voxels.open()
        except OSError as error:
            raise SourceError(self._source, self._voxels.path.name, f"cannot be opened: {error.strerror}") from None
        try:
            self._skip()
        except BaseException:
            self._file.close()
            raise
        return self

    def _skip(self) -> None:
        left = self._voxels.skip
        while left:
            block = self._next(left)
            if not block:
                raise self._error("holds no voxels: it is cut short")
            left -= len(block)

    def __exit__(self, *_: object) -> None:
        self._file.close()

    def fill(self, buffer: bytearray) -> None:
        """The next bytes, as many as there is room for."""
        view, done = memoryview(buffer), 0
        while done < len(view):
            block = self._next(len(view) - done)
            if not block:
                raise self._error(
                    f"holds {self._given + done:,} of {self._expected:,} bytes of voxels: it is cut short"
                )
            view[done : done + len(block)] = block
            done += len(block)
        self._given += done

    def copy_to(self, file: IO[bytes]) -> None:
        """All of them."""
        left = self._expected
        while left:
            block = bytearray(min(left, READ))
            self.fill(block)
            file.write(block)
            left -= len(block)

    def finish(self) -> None:
        """Raise SourceError where more follows than the header declares."""
        if self._next(1):
            raise self._error(f"holds more than the {self._expected:,} bytes of voxels that its header declares")

    def _next(self, at_most: int) -> bytes:
        try:
            return self._read(at_most)
        except (zlib.error, OSError, EOFError, ValueError) as error:  # bz2 and zip members raise the last three
            raise self._error(f"cannot be unpacked: {error}") from None

    def _read(self, at_most: int) -> bytes:
        unpack = self._unpack
        if unpack is None:
            return self._file.read(min(at_most, READ))
        while not unpack.eof:
            if isinstance(unpack, bz2.BZ2Decompressor):
                packed = self._file.read(READ) if unpack.needs_input else b""
                block = unpack.decompress(packed, at_most)
                is_dry = unpack.needs_input and not packed
            else:
                packed = unpack.unconsumed_tail or self._file.read(READ)
                block = unpack.decompress(packed, at_most)
                is_dry = not packed
            if block:
                return block
            if is_dry:
                return b""
        return b""

    def _error(self, reason: str) -> SourceError:
        return SourceError(self._source, "voxels", reason, "get the file again")


def format_of(source: Source) -> str | None:
    """The format that a file's first bytes tell, None where it is no volume."""
    head = read_head(source, _HEAD)
    name = source.name.lower()
    if head.startswith(b"NRRD000"):
        return "nrrd"
    if head.startswith(b"\x93NUMPY"):
        return "npy"
    if head[:2] == b"PK" and name.endswith(".zip"):
        return "zip"
    if b"NDims" in head[:512] and b"DimSize" in head:
        return "metaimage"
    if head[:4] in (b"\x5c\x01\0\0", b"\0\0\x01\x5c") and head[344:348] in (b"n+1\0", b"ni1\0"):
        return "nifti"
    if head[:2] == b"\x1f\x8b" and name.endswith(".nii.gz"):
        return "nifti"
    return None


def open_volume(source: Source, member: str | None = None) -> Volume:
    """A volume with its axes and spacing settled. Raises SourceError where file or settings do not tell them.

    member : header of the volume in an archive of several
    Settings ``axes`` (as ``ap,dv,ml``, the fastest first, ``-`` before one that runs backwards) and ``spacing`` (um,
    one number or three along ap, dv, ml) overrule the file.
    """
    from . import metaimage, nifti, npy, nrrd, volume_zip

    openers = {
        "nrrd": nrrd.open_file,
        "metaimage": metaimage.open_file,
        "nifti": nifti.open_file,
        "npy": npy.open_file,
        "zip": volume_zip.open_file,
    }
    kind = format_of(source)
    if kind is None:
        raise SourceError(source, None, f"is no volume in a known format ({', '.join(openers)})")
    header, voxels = volume_zip.open_file(source, member) if member else openers[kind](source)
    _check(source, header)
    header, warnings = _settled(source, header)
    return Volume(source, header, voxels, (*header.notes, *warnings))


def _check(source: Source, header: VolumeHeader) -> None:
    if len(header.sizes) != 3:
        raise SourceError(source, "header", f"declares {len(header.sizes)} dimensions, a volume has 3")
    if any(not 0 < size <= MAX_EDGE for size in header.sizes):
        sizes = " x ".join(map(str, header.sizes))
        raise SourceError(source, "header", f"declares {sizes} voxels; an edge has 1 to {MAX_EDGE:,}")
    if not 0 < header.n_components <= 16 or header.n_bytes > MAX_VOXELS * header.dtype.itemsize:
        raise SourceError(source, "header", f"declares {header.n_bytes:,} bytes of voxels: too many")
    if len(header.spacing) not in (0, 3) or any(not np.isfinite(s) or s <= 0 for s in header.spacing):
        raise SourceError(source, "header", f"declares a spacing of {header.spacing}: three lengths above 0 are needed")
    if len(header.origin) not in (0, 3) or not all(map(np.isfinite, header.origin)):
        raise SourceError(source, "header", f"declares an origin at {header.origin}: three positions are needed")


def _settled(source: Source, header: VolumeHeader) -> tuple[VolumeHeader, list[str]]:
    """The header with axes, spacing and origin, and what had to be supposed."""
    warnings: list[str] = []
    sizes = header.sizes
    if axes := source.setting("axes"):
        header = replace(header, axes=_axes(source, axes))
    elif not header.axes:
        is_turned = sizes not in _KNOWN and sizes[::-1] in _KNOWN
        named = AXES[::-1] if is_turned else AXES
        header = replace(header, axes=tuple(Axis(name) for name in named))
        if sizes not in _KNOWN and not is_turned:
            warnings.append(f"nothing tells its axes: taken as {','.join(named)} (--set axes=... says others)")
    if spacing := source.setting("spacing"):
        along = _spacing(source, spacing)
        header = replace(header, spacing=tuple(along[AXES.index(axis.name)] for axis in header.axes))
    elif not header.spacing:
        if header.shape not in _KNOWN:
            raise SourceError(source, "header", "tells no spacing of voxels", "say it in um: --set spacing=25")
        header = replace(header, spacing=(_KNOWN[header.shape],) * 3)
        warnings.append(f"nothing tells its spacing: {_KNOWN[header.shape]:g} um, as its {header.shape} voxels suggest")
    _check_resolution(source, header)
    return replace(header, origin=header.origin or (0.0, 0.0, 0.0)), warnings


def _check_resolution(source: Source, header: VolumeHeader) -> None:
    """Raise SourceError where there are as many voxels as the reference space has at another resolution."""
    meant = _KNOWN.get(header.shape)
    if meant is None or set(header.spacing) == {meant}:
        return
    edges, voxels = (
        " x ".join(f"{one:g}" for one in values) for values in (header.along(header.spacing), header.shape)
    )
    raise SourceError(
        source,
        "header",
        f"declares voxels of {edges} um, and {voxels} of them, as the reference space has at {meant:g} um",
        f"say what they are: --set spacing={meant:g}",
    )


def _axes(source: Source, told: str) -> tuple[Axis, ...]:
    axes = tuple(Axis(name.strip().lstrip("-"), name.strip().startswith("-")) for name in told.split(","))
    if sorted(axis.name for axis in axes) != sorted(AXES):
        raise SourceError(source, "setting axes", f"{told!r} does not name ap, dv and ml, each once")
    return axes


def _spacing(source: Source, told: str) -> tuple[float, ...]:
    try:
        values = tuple(float(value) for value in told.split(","))
    except ValueError:
        values = ()
    if len(values) == 1:
        values *= 3
    if len(values) != 3 or not all(np.isfinite(v) and v > 0 for v in values):
        raise SourceError(source, "setting spacing", f"{told!r} is not one length in um, or three")
    return values


def beside(source: Source, name: str, where: str) -> Path:
    """A file that a header names: in the header's own folder and nowhere else."""
    if not name or name in (".", "..") or any(c in name for c in "/\\\0"):
        raise SourceError(source, where, f"names the file {name[:60]!r}, which is not beside it")
    path = source.path.with_name(name)
    if not path.is_file():
        raise SourceError(source, where, f"its voxels lie in {name}, which is not beside it")
    return path
