"""NumPy arrays of three dimensions, ``[ap, dv, ml]`` as Python code has them (spec: connectivity 2.2)."""

from __future__ import annotations

import numpy as np
from numpy.lib import format as npy_format

from ..lake.errors import SourceError
from .contract import Source
from .volume_files import Axis, VolumeHeader, Voxels


def open_file(source: Source) -> tuple[VolumeHeader, Voxels]:
    """Header, and where the voxels are. Raises SourceError; arrays of Python objects are refused unread."""
    try:
        with source.path.open("rb") as file:
            version = npy_format.read_magic(file)
            read = {(1, 0): npy_format.read_array_header_1_0, (2, 0): npy_format.read_array_header_2_0}.get(version)
            if read is None:
                raise SourceError(source, "header", f"is of version {version[0]}.{version[1]}, not 1.0 or 2.0")
            shape, is_fortran, dtype = read(file)
            start = file.tell()
    except OSError as error:
        raise SourceError(source, None, f"cannot be opened: {error.strerror}") from None
    except (ValueError, SyntaxError, EOFError, UnicodeDecodeError) as error:
        raise SourceError(source, "header", f"is no header of an array: {str(error)[:80]}") from None
    if dtype.kind not in "biuf" or dtype.hasobject:
        raise SourceError(source, "header", f"declares voxels of type {dtype}: numbers are needed")
    if len(shape) not in (3, 4):
        raise SourceError(source, "header", f"declares {len(shape)} dimensions, a volume has 3")
    n_components = 1
    if len(shape) == 4:
        if is_fortran:
            raise SourceError(source, "header", "keeps the values of a voxel apart: save it in C order")
        n_components, shape = shape[3], shape[:3]
    axes = tuple(Axis(name) for name in ("ap", "dv", "ml"))
    sizes = tuple(shape)
    if not is_fortran:
        axes, sizes = axes[::-1], sizes[::-1]
    fields = {"shape": str(shape), "fortran_order": str(is_fortran), "descr": dtype.str}
    header = VolumeHeader("npy", sizes, np.dtype(dtype), fields, n_components, axes)
    return header, Voxels(source.path, start)
