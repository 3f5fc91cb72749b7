"""Volumes as files: NRRD, NIfTI, NumPy. An answer of sagittal planes becomes one, a plane at a time.

The planes are those of ``ccf.mask_volume``, ``ccf.annotation_volume`` ...: rows (ml_index, shape, spacing_um, dtype,
plane_bytes) from left to right. All three formats hold the same bytes, ap fastest, behind headers of their own.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterator, Sequence
from typing import IO, TYPE_CHECKING

import numpy as np

from .errors import BrainlakeError

if TYPE_CHECKING:
    import pyarrow as pa

NEEDED = ("ml_index", "shape", "spacing_um", "dtype", "plane_bytes")
_NRRD_TYPES = {"u1": "unsigned char", "u2": "unsigned short", "u4": "unsigned int", "f4": "float", "f8": "double"}
_NIFTI_TYPES = {"u1": 2, "f4": 16, "f8": 64, "u2": 512, "u4": 768}


def write_nrrd(batches: pa.RecordBatchReader, stream: IO[bytes], _rows: int) -> None:
    """A NRRD file, packed with gzip, its axes named for what they are."""
    planes, shape, spacing, dtype = _opened(batches, "NRRD")
    stream.write(nrrd_header(shape, spacing, dtype))
    packer = zlib.compressobj(6, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    for plane in planes:
        stream.write(packer.compress(plane))
    stream.write(packer.flush())


def nrrd_header(shape: Sequence[int], spacing: Sequence[float], dtype: str) -> bytes:
    """Header of a volume whose voxels follow in gzip, ap fastest; spacing in um along ap, dv and ml."""
    directions = " ".join(
        "(" + ",".join(f"{s:g}" if i == j else "0" for j in range(3)) + ")" for i, s in enumerate(spacing)
    )
    lines = [
        "NRRD0004",
        f"type: {_NRRD_TYPES[dtype]}",
        "dimension: 3",
        "space dimension: 3",
        f"sizes: {' '.join(map(str, shape))}",
        f"space directions: {directions}",
        "kinds: domain domain domain",
        'labels: "ap" "dv" "ml"',
        "endian: little",
        "encoding: gzip",
        "space origin: (0,0,0)",
    ]
    return ("\n".join(lines) + "\n\n").encode()


def write_nifti(batches: pa.RecordBatchReader, stream: IO[bytes], _rows: int) -> None:
    """A NIfTI-1 file whose affine says what its axes are: to posterior, inferior and right."""
    planes, shape, spacing, dtype = _opened(batches, "NIfTI")
    head = bytearray(352)
    struct.pack_into("<i", head, 0, 348)
    struct.pack_into("<8h", head, 40, 3, *shape, 1, 1, 1, 1)
    struct.pack_into("<2h", head, 70, _NIFTI_TYPES[dtype], 8 * int(dtype[1]))
    ap, dv, ml = (s / 1000 for s in spacing)
    struct.pack_into("<8f", head, 76, 1, ap, dv, ml, 0, 0, 0, 0)
    struct.pack_into("<3f", head, 108, 352, 1, 0)
    head[123] = 2  # millimetres
    struct.pack_into("<2h", head, 252, 0, 1)
    # rows of the affine: right, anterior, superior
    struct.pack_into("<12f", head, 280, 0, 0, ml, 0, -ap, 0, 0, 0, 0, -dv, 0, 0)
    head[344:348] = b"n+1\0"
    stream.write(head)
    for plane in planes:
        stream.write(plane)


def write_npy(batches: pa.RecordBatchReader, stream: IO[bytes], _rows: int) -> None:
    """An array ``[ap, dv, ml]`` for ``numpy.load``, in Fortran order: its bytes are those of the planes."""
    planes, shape, _, dtype = _opened(batches, "npy")
    header = {"descr": np.dtype(dtype).newbyteorder("<").str, "fortran_order": True, "shape": tuple(shape)}
    np.lib.format.write_array_header_1_0(stream, header)
    for plane in planes:
        stream.write(plane)


def _opened(batches: pa.RecordBatchReader, what: str) -> tuple[Iterator[bytes], list[int], list[float], str]:
    """Planes, and shape, spacing and type of the volume they make up. Raises BrainlakeError where they make up none."""
    missing = [name for name in NEEDED if name not in batches.schema.names]
    if missing:
        raise BrainlakeError(
            f"{what} holds a volume, and the answer has no column {missing[0]}: ask ccf.mask_volume([...]), "
            "ccf.annotation_volume() or another that gives planes"
        )
    rows = (row for batch in batches for row in batch.select(list(NEEDED)).to_pylist())
    first = next(rows, None)
    if first is None:
        raise BrainlakeError(f"{what} holds a volume, and the answer has no plane")
    shape, dtype = first["shape"], first["dtype"]
    if dtype not in _NRRD_TYPES:
        raise BrainlakeError(f"{what} is not written of voxels of type {dtype}")
    size = shape[0] * shape[1] * np.dtype(dtype).itemsize

    def planes() -> Iterator[bytes]:
        row, expected = first, 0
        while row is not None:
            if row["ml_index"] != expected or len(row["plane_bytes"]) != size:
                raise BrainlakeError(f"{what} holds a whole volume, and plane {expected} of the answer is another's")
            yield row["plane_bytes"]
            row, expected = next(rows, None), expected + 1
        if expected != shape[2]:
            raise BrainlakeError(f"{what} holds a whole volume, and the answer has {expected} of {shape[2]} planes")

    return planes(), shape, first["spacing_um"], dtype
