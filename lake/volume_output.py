"""Volumes as files: NRRD, NIfTI, MetaImage, NumPy. An answer becomes one, a plane at a time, whatever the size of the volume.

An answer is a volume in one of three forms, each from left to right, whose first row tells dtype and ``shape, spacing_um``
(single voxels: ``n_ap, n_dv, n_ml, grid_um, background``, as they are many, and lists cost more than the voxels):

- whole sagittal planes (``ml_index, plane_bytes``), as of ``ccf.annotation_volume`` and ``ccf.mask_volume``;
- blocks of 16 x 16 x 16 voxels (``component, ml_block, ap_block, dv_block, voxel_bytes``), as of ``ccf.grey_volume``;
- single voxels (``ml_index, dv_index, ap_index, voxel_value``), as of ``connectivity.grid_volume``.

What blocks and voxels leave out is background. All formats hold the same bytes behind headers of their own: ap fastest,
the components of a vector one whole volume after the other; MetaImage alone has a voxel's components side by side.
"""

from __future__ import annotations

import itertools
import math
import shutil
import struct
import tempfile
import zlib
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import numpy as np

from .errors import BrainlakeError

if TYPE_CHECKING:
    import pyarrow as pa

EDGE = 16  # voxels of a block along each axis
_NRRD_TYPES = {
    "u1": "unsigned char", "i1": "signed char", "u2": "unsigned short", "i2": "short",
    "u4": "unsigned int", "i4": "int", "f4": "float", "f8": "double",
}  # fmt: skip
_NIFTI_TYPES = {"u1": 2, "i2": 4, "i4": 8, "f4": 16, "f8": 64, "i1": 256, "u2": 512, "u4": 768}
_METAIMAGE_TYPES = {
    "u1": "MET_UCHAR", "i1": "MET_CHAR", "u2": "MET_USHORT", "i2": "MET_SHORT",
    "u4": "MET_UINT", "i4": "MET_INT", "f4": "MET_FLOAT", "f8": "MET_DOUBLE",
}  # fmt: skip
_VECTOR = 1007  # NIfTI's code for a vector in every voxel


@dataclass(frozen=True)
class Volume:
    """A volume on its way to a file.

    shape : voxels along ap, dv and ml; spacing_um : edges of a voxel
    dtype : numpy's name of a voxel's type, as ``f4``
    planes : sagittal planes (dv, ap) from left to right, of one component after the other
    """

    shape: tuple[int, int, int]
    spacing_um: tuple[float, float, float]
    dtype: str
    n_components: int
    planes: Iterator[np.ndarray]


def write_nrrd(batches: pa.RecordBatchReader, stream: IO[bytes], _rows: int) -> None:
    """A NRRD file, packed with gzip, its axes named for what they are."""
    volume = volume_of(batches, "NRRD")
    stream.write(nrrd_header(volume.shape, volume.spacing_um, volume.dtype, volume.n_components))
    packer = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for plane in volume.planes:
        stream.write(packer.compress(plane.data))
    stream.write(packer.flush())


def nrrd_header(shape: Sequence[int], spacing: Sequence[float], dtype: str, n_components: int = 1) -> bytes:
    """Header of a volume whose voxels follow in gzip, ap fastest; spacing in um along ap, dv and ml."""
    directions = ["(" + ",".join(f"{s:g}" if i == j else "0" for j in range(3)) + ")" for i, s in enumerate(spacing)]
    is_vector = n_components > 1
    lines = [
        "NRRD0004",
        f"type: {_NRRD_TYPES[dtype]}",
        f"dimension: {3 + is_vector}",
        "space dimension: 3",
        f"sizes: {' '.join(map(str, [*shape, n_components][: 3 + is_vector]))}",
        f"space directions: {' '.join([*directions, 'none'][: 3 + is_vector])}",
        f"kinds: domain domain domain{' vector' * is_vector}",
        'labels: "ap" "dv" "ml"' + ' "component"' * is_vector,
        "endian: little",
        "encoding: gzip",
        "space origin: (0,0,0)",
    ]
    return ("\n".join(lines) + "\n\n").encode()


def write_nifti(batches: pa.RecordBatchReader, stream: IO[bytes], _rows: int) -> None:
    """A NIfTI-1 file whose affine says what its axes are: to posterior, inferior and right."""
    volume = volume_of(batches, "NIfTI")
    is_vector = volume.n_components > 1
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 5 if is_vector else 3, *volume.shape, 1, volume.n_components, 1, 1)
    struct.pack_into("<h", head, 68, _VECTOR if is_vector else 0)
    struct.pack_into("<2h", head, 70, _NIFTI_TYPES[volume.dtype], 8 * int(volume.dtype[1]))
    ap, dv, ml = (s / 1000 for s in volume.spacing_um)
    struct.pack_into("<8f", head, 76, 1, ap, dv, ml, 0, 0, 0, 0)
    struct.pack_into("<3f", head, 108, 352, 1, 0)
    head[123] = 2  # millimetres
    struct.pack_into("<2h", head, 252, 0, 1)
    # rows of the affine: right, anterior, superior
    struct.pack_into("<12f", head, 280, 0, 0, ml, 0, -ap, 0, 0, 0, 0, -dv, 0, 0)
    head[344:348] = b"n+1\0"
    stream.write(head)
    for plane in volume.planes:
        stream.write(plane.data)


def write_metaimage(batches: pa.RecordBatchReader, stream: IO[bytes], _rows: int) -> None:
    """A MetaImage in one file (``.mha``), packed with zlib; spacing in um, as the API's own have it."""
    volume = volume_of(batches, "MetaImage")
    with tempfile.TemporaryFile() as packed:  # its size stands in the header
        packer = zlib.compressobj(6)
        for plane in _side_by_side(volume):
            packed.write(packer.compress(plane.data))
        packed.write(packer.flush())
        lines = [
            "ObjectType = Image",
            "NDims = 3",
            "BinaryData = True",
            "BinaryDataByteOrderMSB = False",
            "CompressedData = True",
            f"CompressedDataSize = {packed.tell()}",
            "TransformMatrix = 1 0 0 0 1 0 0 0 1",
            "Offset = 0 0 0",
            f"ElementSpacing = {' '.join(f'{s:g}' for s in volume.spacing_um)}",
            f"DimSize = {' '.join(map(str, volume.shape))}",
            *([f"ElementNumberOfChannels = {volume.n_components}"] if volume.n_components > 1 else []),
            f"ElementType = {_METAIMAGE_TYPES[volume.dtype]}",
            "ElementDataFile = LOCAL",
        ]
        stream.write(("\n".join(lines) + "\n").encode())
        packed.seek(0)
        shutil.copyfileobj(packed, stream, 1 << 20)


def _side_by_side(volume: Volume) -> Iterator[np.ndarray]:
    """Planes with a voxel's components next to each other."""
    if volume.n_components == 1:
        yield from volume.planes
        return
    with tempfile.TemporaryFile() as aside:  # components come one after the other
        for plane in volume.planes:
            aside.write(plane.data)
        aside.flush()
        n_ap, n_dv, n_ml = volume.shape
        whole = np.memmap(aside, np.dtype(volume.dtype), "r", shape=(volume.n_components, n_ml, n_dv, n_ap))
        for ml in range(n_ml):
            yield np.ascontiguousarray(np.moveaxis(whole[:, ml], 0, -1))


def write_npy(batches: pa.RecordBatchReader, stream: IO[bytes], _rows: int) -> None:
    """An array ``[ap, dv, ml]``, or ``[ap, dv, ml, component]``, for ``numpy.load``; in Fortran order, as the planes."""
    volume = volume_of(batches, "npy")
    shape = (*volume.shape, volume.n_components)[: 3 + (volume.n_components > 1)]
    header = {"descr": np.dtype(volume.dtype).newbyteorder("<").str, "fortran_order": True, "shape": shape}
    np.lib.format.write_array_header_1_0(stream, header)
    for plane in volume.planes:
        stream.write(plane.data)


def array_of(batches: pa.RecordBatchReader) -> np.ndarray:
    """The volume as an array ``[ap, dv, ml]``, or ``[ap, dv, ml, component]``. Raises BrainlakeError for no volume."""
    volume = volume_of(batches, "an array")
    found = np.empty((volume.n_components, *volume.shape[::-1]), np.dtype(volume.dtype))
    for place, plane in zip(np.ndindex(found.shape[:2]), volume.planes, strict=True):
        found[place] = plane
    return found[0].T if volume.n_components == 1 else found.transpose(3, 2, 1, 0)


# -- the forms of an answer -------------------------------------------------------------------------------------------


def volume_of(batches: pa.RecordBatchReader, what: str = "a file") -> Volume:
    """The volume that an answer is. Raises BrainlakeError where it is none, or, as its planes are taken, not whole."""
    columns = frozenset(batches.schema.names)
    form = next((f for f in _FORMS if {*f.needed} <= columns), None)
    if form is None:
        nearest = min(_FORMS, key=lambda f: len({*f.needed} - columns))
        missing = next(name for name in nearest.needed if name not in columns)
        raise BrainlakeError(
            f"{what} holds a volume, and the answer has no column {missing}: ask ccf.mask_volume([...]), "
            "ccf.annotation_volume(), ccf.grey_volume(), connectivity.grid_volume(...) or another that gives a volume"
        )
    filled = (batch for batch in batches if batch.num_rows)
    first = next(filled, None)
    if first is None:
        raise BrainlakeError(f"{what} holds a volume, and the answer has no row")
    said = {name: first.column(name)[0].as_py() for name in (*form.needed, "n_components") if name in columns}
    shape = said["shape"] if "shape" in said else [said["n_ap"], said["n_dv"], said["n_ml"]]
    spacing = said["spacing_um"] if "spacing_um" in said else [said["grid_um"]] * 3
    dtype, n_components = said["dtype"], said.get("n_components", 1)
    if dtype not in _NRRD_TYPES:
        raise BrainlakeError(f"{what} is not written of voxels of type {dtype}")
    if len(shape) != 3 or min(shape) < 1 or math.prod(shape) > 1 << 40:
        raise BrainlakeError(f"{what} holds a volume, and the answer's shape is {shape}")
    n_ap, n_dv, n_ml = shape
    grid = _Grid(what, n_ap, n_dv, n_ml, np.dtype(dtype).newbyteorder("<"), n_components)
    planes = form.planes(grid, itertools.chain([first], filled))
    return Volume((n_ap, n_dv, n_ml), tuple(spacing), dtype, n_components, planes)


@dataclass(frozen=True)
class _Grid:
    what: str
    n_ap: int
    n_dv: int
    n_ml: int
    dtype: np.dtype
    n_components: int

    def refusal(self, reason: str) -> BrainlakeError:
        return BrainlakeError(f"{self.what} holds a whole volume, and {reason}")


def _whole_planes(grid: _Grid, batches: Iterator[pa.RecordBatch]) -> Iterator[np.ndarray]:
    expected = 0
    for batch in batches:
        for ml, found in zip(batch.column("ml_index").to_pylist(), batch.column("plane_bytes"), strict=True):
            plane = np.frombuffer(found.as_buffer() if found.is_valid else b"", np.uint8)
            if ml != expected or plane.nbytes != grid.n_dv * grid.n_ap * grid.dtype.itemsize:
                raise grid.refusal(f"plane {expected} of the answer is another's")
            yield plane.view(grid.dtype).reshape(grid.n_dv, grid.n_ap)
            expected += 1
    if expected != grid.n_ml:
        raise grid.refusal(f"the answer has {expected} of {grid.n_ml} planes")


def _planes_of_blocks(grid: _Grid, batches: Iterator[pa.RecordBatch]) -> Iterator[np.ndarray]:
    """16 planes at a time are held. Blocks come component by component, in each from left to right."""
    n_blocks = [-(-n // EDGE) for n in (grid.n_ml, grid.n_dv, grid.n_ap)]
    slab = np.zeros([EDGE, n_blocks[1] * EDGE, n_blocks[2] * EDGE], grid.dtype)
    n_slabs, at = grid.n_components * n_blocks[0], 0

    def planes() -> Iterator[np.ndarray]:
        for ml in range(min(EDGE, grid.n_ml - at % n_blocks[0] * EDGE)):
            yield slab[ml, : grid.n_dv, : grid.n_ap].copy()
        slab[:] = 0

    for batch in batches:
        places = [batch.column(name).to_pylist() for name in ("component", "ml_block", "dv_block", "ap_block")]
        for component, ml, dv, ap, found in zip(*places, batch.column("voxel_bytes"), strict=True):
            if ml is None:  # a volume of zeros has no block
                continue
            place = component * n_blocks[0] + ml
            if not (at <= place < n_slabs and 0 <= dv < n_blocks[1] and 0 <= ap < n_blocks[2]):
                raise grid.refusal(f"block ({component}, {ml}, {dv}, {ap}) is out of it, or out of order")
            while at < place:
                yield from planes()
                at += 1
            block = np.frombuffer(found.as_buffer(), grid.dtype).reshape(EDGE, EDGE, EDGE)  # [ap, dv, ml]
            slab[:, dv * EDGE : dv * EDGE + EDGE, ap * EDGE : ap * EDGE + EDGE] = block.transpose(2, 1, 0)
    while at < n_slabs:
        yield from planes()
        at += 1


def _planes_of_voxels(grid: _Grid, batches: Iterator[pa.RecordBatch]) -> Iterator[np.ndarray]:
    """One plane at a time is held. Voxels come from left to right, in any order within a plane."""
    plane, at, background = np.empty(0), 0, 0.0
    for batch in batches:
        if not plane.size:
            if "background" in batch.schema.names:
                background = batch.column("background")[0].as_py() or 0.0
            plane = np.full((grid.n_dv, grid.n_ap), background, grid.dtype)
        batch = batch.filter(batch.column("ml_index").is_valid())  # a volume of background alone has no voxel
        ml, dv, ap = (
            batch.column(name).to_numpy(zero_copy_only=False) for name in ("ml_index", "dv_index", "ap_index")
        )
        values = batch.column("voxel_value").to_numpy(zero_copy_only=False)
        if len(ml) and not (
            ml[0] >= at
            and (np.diff(ml) >= 0).all()
            and ml[-1] < grid.n_ml
            and (dv >= 0).all()
            and (dv < grid.n_dv).all()
            and (ap >= 0).all()
            and (ap < grid.n_ap).all()
        ):
            raise grid.refusal("a voxel of the answer is out of it, or out of order")
        starts = np.flatnonzero(np.diff(ml, prepend=-1))
        for start, stop in itertools.pairwise([*starts, len(ml)]):
            while at < ml[start]:
                yield plane.copy()
                plane[:] = background
                at += 1
            plane[dv[start:stop], ap[start:stop]] = values[start:stop]
    for _ in range(at, grid.n_ml):
        yield plane.copy()
        plane[:] = background


@dataclass(frozen=True)
class _Form:
    """needed : columns that tell it"""

    needed: tuple[str, ...]
    planes: Callable[[_Grid, Iterator[Any]], Iterator[np.ndarray]]


_LISTED = ("shape", "spacing_um", "dtype")
_FORMS = (
    _Form(("ml_index", "plane_bytes", *_LISTED), _whole_planes),
    _Form(("component", "ml_block", "dv_block", "ap_block", "voxel_bytes", *_LISTED), _planes_of_blocks),
    _Form(
        ("ml_index", "dv_index", "ap_index", "voxel_value", "n_ap", "n_dv", "n_ml", "grid_um", "dtype"),
        _planes_of_voxels,
    ),
)
