"""Grey values of a volume, taken out of its blocks (``ccf.volume_blocks``): 16 x 16 x 16 voxels, ``[ap, dv, ml]``."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from .registry import Ragged, udf

EDGE = 16

_longs, _doubles = pa.list_(pa.int64()), pa.list_(pa.float64())


def _blocks(voxel_bytes: Ragged, dtype: np.ndarray) -> list[np.ndarray]:
    return [
        bytes_.view(np.dtype(str(name)).newbyteorder("<")).reshape(EDGE, EDGE, EDGE)
        for bytes_, name in zip(voxel_bytes, dtype, strict=True)
    ]


@udf(args=[pa.binary(), pa.string(), _longs], returns=_doubles, keep_nan=True)
def block_values(voxel_bytes: Ragged, dtype: np.ndarray, places: Ragged) -> Ragged:
    """Values of some voxels of each block.

    voxel_bytes : one block a row; dtype : type of its voxels, as numpy names it
    places : ragged, ``(ap * 16 + dv) * 16 + ml`` of each voxel within its block
    returns : ragged float64, as places
    """
    blocks = _blocks(voxel_bytes, dtype)
    return Ragged.of([block.ravel()[at] for block, at in zip(blocks, places, strict=True)], np.float64)


@udf(args=[pa.binary(), pa.string(), pa.string(), pa.int64()], returns=_doubles, keep_nan=True)
def block_slice(voxel_bytes: Ragged, dtype: np.ndarray, plane_name: np.ndarray, place: np.ndarray) -> Ragged:
    """A slice of each block, 16 x 16 values row by row.

    plane_name : coronal (rows along dv, columns along ml), horizontal (ap, ml) or sagittal (dv, ap)
    place : index of the slice within the block, 0-15
    returns : ragged float64, 256 a row
    """
    rows = []
    for block, name, at in zip(_blocks(voxel_bytes, dtype), plane_name, place, strict=True):
        tile = block[at] if name == "coronal" else block[:, at] if name == "horizontal" else block[:, :, at].T
        rows.append(tile.ravel())
    return Ragged.of(rows, np.float64)


@udf(args=[_longs, _longs, pa.list_(_doubles), pa.int64(), pa.int64()], returns=_doubles, keep_nan=True)
def image_of_tiles(
    tile_rows: Ragged, tile_columns: Ragged, tiles: Ragged, n_rows: np.ndarray, n_columns: np.ndarray
) -> Ragged:
    """An image of tiles of 16 x 16 values; 0 where there is none.

    tile_rows, tile_columns : ragged, place of each tile, counted in tiles
    tiles : ragged lists of 256 values, row by row
    returns : ragged float64, n_rows * n_columns values an image, row by row
    """
    images = []
    for i, (height, width) in enumerate(zip(n_rows, n_columns, strict=True)):
        image = np.zeros((-(-height // EDGE) * EDGE, -(-width // EDGE) * EDGE))
        inner: Ragged = tiles.values  # type: ignore[assignment]  # a list of lists comes as Ragged of Ragged
        for number, (row, column) in enumerate(zip(tile_rows[i], tile_columns[i], strict=True), tiles.offsets[i]):
            tile = inner[number].reshape(EDGE, EDGE)
            image[row * EDGE : (row + 1) * EDGE, column * EDGE : (column + 1) * EDGE] = tile
        images.append(image[:height, :width].ravel())
    return Ragged.of(images, np.float64)
