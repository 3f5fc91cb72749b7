"""NIfTI-1 files, single (``.nii``, ``.nii.gz``): axes from the affine where it has an orientation.

World axes of NIfTI grow to the right, anterior and superior; ours to posterior, inferior and right.
"""

from __future__ import annotations

import zlib

import numpy as np

from ..lake.errors import SourceError
from .contract import Source
from .heads import read_head
from .volume_files import Axis, VolumeHeader, Voxels

HEADER_BYTES = 348
_DTYPES = {2: "u1", 4: "i2", 8: "i4", 16: "f4", 64: "f8", 256: "i1", 512: "u2", 768: "u4", 1024: "i8", 1280: "u8"}
_UM = {0: 1.0, 1: 1e6, 2: 1e3, 3: 1.0}  # what the header's unit of length is in micrometres
# world axis -> ours, and whether ours grows the other way
_WORLD = (("ml", False), ("ap", True), ("dv", True))


def open_file(source: Source) -> tuple[VolumeHeader, Voxels]:
    """Header, and where the voxels are. Raises SourceError."""
    head = read_head(source, 1 << 16)
    packing = "raw"
    if head[:2] == b"\x1f\x8b":
        packing = "gzip"
        try:
            head = zlib.decompressobj(zlib.MAX_WBITS | 32).decompress(head, HEADER_BYTES)
        except zlib.error as error:
            raise SourceError(source, "header", f"cannot be unpacked: {error}") from None
    if len(head) < HEADER_BYTES:
        raise SourceError(source, "header", f"ends after {len(head)} of {HEADER_BYTES} bytes", "get the file again")
    order = "<" if head[:4] == b"\x5c\x01\0\0" else ">"
    if head[344:347] != b"n+1":
        raise SourceError(source, "header", "keeps its voxels in another file: a single .nii is needed")

    def read(code: str, start: int, count: int = 1) -> np.ndarray:
        return np.frombuffer(head, order + code, count, start)

    dims = read("i2", 40, 8)
    if not 3 <= dims[0] <= 7 or any(d > 1 for d in dims[4 : dims[0] + 1]):
        raise SourceError(source, "dim", f"declares {dims[0]} dimensions, a volume has 3")
    kind = int(read("i2", 70)[0])
    if kind not in _DTYPES:
        raise SourceError(source, "datatype", f"{kind} is no type of plain numbers")
    slope, intercept = (float(v) for v in read("f4", 112, 2))
    if slope not in (0.0, 1.0) or (slope == 1.0 and intercept):
        raise SourceError(source, "scl_slope", f"scales its values by {slope:g}: save it unscaled")
    offset = float(read("f4", 108)[0])
    if not offset.is_integer() or offset < HEADER_BYTES:
        raise SourceError(source, "vox_offset", f"{offset:g} is no place for voxels")
    unit = _UM.get(int(head[123]) & 7, 1.0)
    axes, spacing, notes = _geometry(source, read, unit)
    fields = {
        "dim": str(dims.tolist()),
        "datatype": str(kind),
        "pixdim": str(read("f4", 76, 8).tolist()),
        "xyzt_units": str(head[123]),
        "qform_code": str(int(read("i2", 252)[0])),
        "sform_code": str(int(read("i2", 254)[0])),
        "srow": str(read("f4", 280, 12).tolist()),
        "descrip": head[148:228].split(b"\0")[0].decode("latin-1"),
    }
    sizes = tuple(int(d) for d in dims[1:4])
    header = VolumeHeader(
        "nifti", sizes, np.dtype(order + _DTYPES[kind]), fields, axes=axes, spacing=spacing, notes=notes
    )
    if packing == "gzip":
        return header, Voxels(source.path, 0, packing, skip=int(offset))
    return header, Voxels(source.path, int(offset))


def _geometry(source: Source, read: object, unit: float) -> tuple[tuple[Axis, ...], tuple[float, ...], tuple[str, ...]]:
    assert callable(read)
    pixdim = tuple(float(v) for v in read("f4", 76, 8))
    columns = _affine(read, pixdim)
    if columns is None:
        lengths = tuple(_plain(abs(v) * unit) for v in pixdim[1:4])
        # a file without an affine says nothing of its unit either: 1 or less would be no voxel of a brain
        is_told = all(v > 0 for v in lengths) and min(lengths) >= 5
        note = "its affine has no orientation: the axes are taken as ap,dv,ml (--set axes=... says others)"
        return (), lengths if is_told else (), (note,)
    axes = []
    for column in columns.T:
        world = int(np.argmax(np.abs(column)))
        name, is_opposite = _WORLD[world]
        axes.append(Axis(name, bool((column[world] < 0) != is_opposite)))
    if len({axis.name for axis in axes}) < 3:
        raise SourceError(source, "affine", "turns two axes into one", "say what they are: --set axes=ap,dv,ml")
    return tuple(axes), tuple(_plain(float(np.linalg.norm(c)) * unit) for c in columns.T), ()


def _affine(read: object, pixdim: tuple[float, ...]) -> np.ndarray | None:
    """Directions of the axes in the world, a column each; None where the header tells none."""
    assert callable(read)
    if int(read("i2", 254)[0]) > 0:
        matrix = np.asarray(read("f4", 280, 12), dtype=float).reshape(3, 4)[:, :3]
    elif int(read("i2", 252)[0]) > 0:
        b, c, d = (float(v) for v in read("f4", 256, 3))
        a = np.sqrt(max(0.0, 1 - b * b - c * c - d * d))
        matrix = np.array(
            [
                [a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)],
                [2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)],
                [2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c],
            ]
        ) * np.array([pixdim[1], pixdim[2], pixdim[3] * (-1 if pixdim[0] < 0 else 1)])
    else:
        return None
    return matrix if np.isfinite(matrix).all() and abs(np.linalg.det(matrix)) > 0 else None


def _plain(length: float) -> float:
    """A length as it was meant: headers keep it as float32, so that 0.1 mm comes as 100.000001 um."""
    return float(f"{length:.6g}")
