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


@udf(
    args=[_longs, _longs, pa.list_(pa.binary()), pa.string(), pa.int64(), pa.int64(), pa.int64()],
    returns=pa.list_(pa.binary()),
)
def slab_planes(
    ap_blocks: Ragged,
    dv_blocks: Ragged,
    voxel_bytes: Ragged,
    dtype: np.ndarray,
    n_ap: np.ndarray,
    n_dv: np.ndarray,
    n_planes: np.ndarray,
) -> Ragged:
    """Sagittal planes of a slab of blocks as the bytes of a file, ap fastest; 0 where there is no block.

    ap_blocks, dv_blocks : ragged, place of each block, counted in blocks
    voxel_bytes : ragged, the blocks
    dtype : type of a voxel, as numpy names it
    n_ap, n_dv : voxels along ap and dv
    n_planes : planes of the slab, 16 but at the volume's right edge
    returns : ragged lists of bytes, n_planes a slab, from left to right
    """
    planes: list[np.ndarray] = []
    inner: Ragged = voxel_bytes.values  # type: ignore[assignment]  # a list of blobs comes as Ragged of Ragged
    for i, name in enumerate(dtype):
        kind = np.dtype(str(name)).newbyteorder("<")
        slab = np.zeros((EDGE, -(-int(n_dv[i]) // EDGE) * EDGE, -(-int(n_ap[i]) // EDGE) * EDGE), kind)
        for number, (ap, dv) in enumerate(zip(ap_blocks[i], dv_blocks[i], strict=True), voxel_bytes.offsets[i]):
            block = inner[number].view(kind).reshape(EDGE, EDGE, EDGE)
            slab[:, dv * EDGE : (dv + 1) * EDGE, ap * EDGE : (ap + 1) * EDGE] = block.transpose(2, 1, 0)
        for plane in slab[: n_planes[i], : n_dv[i], : n_ap[i]]:
            planes.append(np.ascontiguousarray(plane).view(np.uint8).ravel())
    return Ragged(
        Ragged.of(planes, np.uint8),  # type: ignore[arg-type]
        np.concatenate([[0], np.cumsum(n_planes)]).astype(np.int64),
    )


@udf(args=[_longs, _doubles, pa.int64(), pa.float64(), pa.string()], returns=pa.binary())
def plane_of_voxels(
    places: Ragged, voxel_values: Ragged, n_voxels: np.ndarray, elsewhere: np.ndarray, dtype: np.ndarray
) -> Ragged:
    """Planes of which some voxels are told, as the bytes of a file.

    places : ragged, index of each voxel within its plane
    voxel_values : ragged, their values
    n_voxels : voxels of the plane; elsewhere : value of those that are not told
    dtype : type of a voxel, as numpy names it
    returns : ragged bytes, one plane a row
    """
    rows = []
    for i, name in enumerate(dtype):
        plane = np.full(int(n_voxels[i]), elsewhere[i], np.dtype(str(name)).newbyteorder("<"))
        plane[places[i]] = voxel_values[i]
        rows.append(plane.view(np.uint8))
    return Ragged.of(rows, np.uint8)
