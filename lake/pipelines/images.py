"""Section images and tiles, decoded by Pillow: JPEG 2000, TIFF, PNG and what else it knows (spec: connectivity GRD-16).

Arrays are ``[row, column]``, or ``[row, column, channel]``; who wants columns first transposes.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from ..errors import BrainlakeError, SourceError
from ..whole_files import whole_file

if TYPE_CHECKING:
    from PIL.Image import Image

MAX_PIXELS = 1 << 31  # a section at 0.35 um has 10^9
_LIMIT = threading.Lock()


def read_image(path: Path, level: int = 0, channel: int | None = None) -> np.ndarray:
    """One channel of an image at a pyramid level, ``[row, column]``.

    level : each step halves both edges. A file without a pyramid is averaged over squares of pixels instead.
    channel : from 0; None where the image has one

    Raises SourceError where the file is no image, is too large, or has no such channel.
    """
    pixels, is_reduced = _decoded(path, level)
    if pixels.ndim == 3:
        if channel is None or not 0 <= channel < pixels.shape[2]:
            raise SourceError(path, None, f"has channels 0 to {pixels.shape[2] - 1}, and {channel} is none of them")
        pixels = pixels[:, :, channel]
    elif channel not in (None, 0):
        raise SourceError(path, None, f"has one channel, 0, and no channel {channel}")
    return pixels if is_reduced else _averaged(pixels, level)


def _decoded(path: Path, level: int) -> tuple[np.ndarray, bool]:
    """All channels, and whether they are at the pyramid level already."""
    pillow = _pillow()
    try:
        with _room_for(MAX_PIXELS), pillow.open(path) as image:
            if image.width * image.height > MAX_PIXELS:
                raise SourceError(path, None, f"declares {image.width} x {image.height} pixels: too many")
            is_pyramid = image.format == "JPEG2000"
            if is_pyramid:
                image.reduce = level
            return _pixels(image), is_pyramid or level == 0
    except SourceError:
        raise
    except OSError as error:
        reason = error.strerror or "is no image that can be decoded"
        raise SourceError(path, None, reason, "get the file again") from None
    except (SyntaxError, ValueError, TypeError, EOFError, MemoryError, pillow.DecompressionBombError) as error:
        raise SourceError(path, None, f"is no image that can be decoded: {str(error)[:100]}") from None


def _pixels(image: Image) -> np.ndarray:
    if image.mode == "P":
        image = image.convert("RGB")
    pixels = np.asarray(image)
    return pixels.astype(np.uint8) if pixels.dtype == bool else pixels


def _pillow() -> Any:
    try:
        from PIL import Image
    except ImportError:
        raise BrainlakeError("images are decoded by Pillow: pip install 'brainlake[images]'") from None
    return Image


@contextlib.contextmanager
def _room_for(n_pixels: int) -> Iterator[None]:
    """Pillow's guard against bombs, set for sections, which are larger than photographs."""
    pillow = _pillow()
    with _LIMIT:
        usual, pillow.MAX_IMAGE_PIXELS = pillow.MAX_IMAGE_PIXELS, n_pixels
        try:
            yield
        finally:
            pillow.MAX_IMAGE_PIXELS = usual


def _averaged(pixels: np.ndarray, level: int) -> np.ndarray:
    """Means of squares of pixels, at the border of what there is of them; float64."""
    sums, counts = pixels, np.ones(pixels.shape, np.int64)
    for axis in (0, 1):
        starts = np.arange(0, pixels.shape[axis], 2**level)
        sums = np.add.reduceat(sums, starts, axis=axis, dtype=np.float64)
        counts = np.add.reduceat(counts, starts, axis=axis)
    return sums / counts


def fitted(pixels: np.ndarray, shape: tuple[int, int]) -> np.ndarray:
    """An image cut to a shape, or its last row and column repeated: pyramids round odd edges up or down."""
    if any(abs(have - want) > 1 for have, want in zip(pixels.shape, shape, strict=True)):
        raise ValueError(f"an image of {pixels.shape} pixels, where {shape} are expected")
    return pixels[
        np.ix_(*(np.minimum(np.arange(want), have - 1) for have, want in zip(pixels.shape, shape, strict=True)))
    ]


def write_image(path: Path, pixels: np.ndarray) -> None:
    """Write an image in the format of its suffix: uint8 grey or colour, or uint16 grey.

    Several channels of uint16 (``[row, column, channel]``) become pages of a TIFF; ``.npy`` keeps any array.
    Raises BrainlakeError where the format holds no such image.
    """
    with whole_file(path) as stream:
        if path.suffix.lower() == ".npy":
            np.save(stream, pixels)
            return
        pillow = _pillow()
        suffix = pillow.registered_extensions().get(path.suffix.lower())
        pages = [pixels]
        more: dict[str, Any] = {}
        if pixels.dtype == np.uint16 and pixels.ndim == 3:
            if suffix != "TIFF":
                raise BrainlakeError(f"{path}: channels of 16 bits are written as pages of a .tif, or as .npy")
            pages = list(np.moveaxis(pixels, 2, 0))
            more = {"save_all": True}
        first, *others = (pillow.fromarray(np.ascontiguousarray(page)) for page in pages)
        if more:
            more["append_images"] = others
        try:
            first.save(stream, suffix or "", **more)
        except (KeyError, ValueError, OSError) as error:
            raise BrainlakeError(f"{path}: is not written of such an image: {error}") from None
