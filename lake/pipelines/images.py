"""Section images and tiles, decoded by Pillow: JPEG 2000, TIFF, PNG and what else it knows (spec: connectivity GRD-16).

Arrays are ``[row, column]``, or ``[row, column, channel]``; who wants columns first transposes.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from dataclasses import dataclass
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
    """All rows of :func:`open_image`."""
    image = open_image(path, level, channel)
    return image.rows(0, image.shape[0])


def open_image(path: Path, level: int = 0, channel: int | None = None) -> Picture:
    """One channel of an image at a pyramid level, decoded.

    level : each step halves both edges. A file without a pyramid is averaged over squares of pixels instead.
    channel : from 0; None where the image has one

    Raises SourceError where the file is no image, is too large, or has no such channel.
    """
    pillow = _pillow()
    with _decoding(path, pillow):
        with _room_for(MAX_PIXELS):
            image = pillow.open(path)
        with image:
            if image.width * image.height > MAX_PIXELS:
                raise SourceError(path, None, f"declares {image.width} x {image.height} pixels: too many")
            is_pyramid = image.format == "JPEG2000"
            if is_pyramid:
                image.reduce = level
            image.load()
    n_channels = len(image.getbands()) if image.mode != "P" else 3
    if n_channels > 1 and (channel is None or not 0 <= channel < n_channels):
        raise SourceError(path, None, f"has channels 0 to {n_channels - 1}, and {channel} is none of them")
    if n_channels == 1 and channel not in (None, 0):
        raise SourceError(path, None, f"has one channel, 0, and no channel {channel}")
    return Picture(image, 0 if is_pyramid else level, channel if n_channels > 1 else None)


@dataclass(frozen=True)
class Picture:
    """A decoded image, of which rows are taken: arrays of a whole section would take gigabytes.

    level : pyramid level that pixels are still to be averaged to
    channel : which is taken; None of an image that has one
    """

    image: Image
    level: int
    channel: int | None

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns at the level."""
        edge = 2**self.level
        return -(-self.image.height // edge), -(-self.image.width // edge)

    def rows(self, start: int, stop: int) -> np.ndarray:
        """Rows from ``start`` to before ``stop``, ``[row, column]``."""
        top, bottom = start << self.level, min(stop << self.level, self.image.height)
        with _room_for(MAX_PIXELS):
            band = self.image.crop((0, top, self.image.width, bottom))
        if band.mode == "P":
            band = band.convert("RGB")
        pixels = np.asarray(band)
        if self.channel is not None:
            pixels = pixels[:, :, self.channel]
        if pixels.dtype == bool:
            pixels = pixels.astype(np.uint8)
        return _averaged(pixels, self.level) if self.level else pixels


@contextlib.contextmanager
def _decoding(path: Path, pillow: Any) -> Iterator[None]:
    """What a file makes of Pillow as one clear error."""
    try:
        yield
    except SourceError:
        raise
    except OSError as error:
        reason = error.strerror or "is no image that can be decoded"
        raise SourceError(path, None, reason, "get the file again") from None
    except (SyntaxError, ValueError, TypeError, EOFError, MemoryError, pillow.DecompressionBombError) as error:
        raise SourceError(path, None, f"is no image that can be decoded: {str(error)[:100]}") from None


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
    counts = []
    for axis in (0, 1):
        starts = np.arange(0, pixels.shape[axis], 2**level)
        counts.append(np.diff(starts, append=pixels.shape[axis]))
        pixels = np.add.reduceat(pixels, starts, axis=axis, dtype=np.float64)
    return pixels / np.outer(*counts)


def fitted_rows(picture: Picture, shape: tuple[int, int], start: int, stop: int) -> np.ndarray:
    """Rows of an image as one of another shape has them: cut, or its last row and column repeated.

    Pyramids round odd edges up or down. Raises ValueError where a shape differs by more than that.
    """
    have = picture.shape
    if any(abs(n - wanted) > 1 for n, wanted in zip(have, shape, strict=True)):
        raise ValueError(f"an image of {have[::-1]} pixels, where {shape[::-1]} are expected")
    rows, columns = (
        np.minimum(np.arange(*span), n - 1) for span, n in zip(((start, stop), (0, shape[1])), have, strict=True)
    )
    pixels = picture.rows(int(rows[0]), int(rows[-1]) + 1)
    return pixels if pixels.shape == (stop - start, shape[1]) else pixels[np.ix_(rows - rows[0], columns)]


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
