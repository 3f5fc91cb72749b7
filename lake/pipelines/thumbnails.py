"""Strips of rotating projections of a volume, coloured and over a background (spec: connectivity THB-01 to THB-06)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...ingest.contract import Source
from ...udfs import thumbnails as kernels
from ..errors import SourceError
from .documents import COUNT, LENGTH, NUMBER, TEXT, a_list, an_object
from .images import read_image, write_image
from .volumes import volume_at, whole

_AXIS = {"type": "integer", "minimum": 0, "maximum": 2}
_POSITIVE = {"type": "number", "minimum": 0}
SCHEMA = an_object(
    {
        "volume_path": TEXT,
        "colormap_path": TEXT,
        "min_threshold": _POSITIVE,
        "max_threshold": _POSITIVE,
        "rotations": a_list(
            an_object(
                {
                    "window_size": {"anyOf": [{"enum": ["pad", "no_pad"]}, {**a_list(COUNT, 3), "maxItems": 3}]},
                    "projection_parameters": an_object({"axis": _AXIS}),
                    "rotation_parameters": an_object(
                        {"from_axis": _AXIS, "to_axis": _AXIS, "start": NUMBER, "end": NUMBER, "nsteps": COUNT}
                    ),
                    "depth_path": TEXT,
                    "output_images": a_list(
                        an_object(
                            {"path": TEXT},
                            {
                                "blur": {**_POSITIVE, "default": 0},
                                "scale": {**LENGTH, "default": 1},
                                "background_path": {"type": ["string", "null"], "default": None},
                            },
                        )
                    ),
                }
            ),
            1,
        ),
    },
    {"log_level": {}},
)


def run(parameters: dict[str, Any], source: Source, folder: Path) -> dict[str, Any]:
    """Write strips and depth sheets; returns their paths, and notes on what was not quite as asked.

    folder : where relative paths of outputs are put
    """
    volume = volume_at(parameters["volume_path"])
    values = kernels.windowed(
        kernels.upright(whole(volume)).astype(np.float64), parameters["min_threshold"], parameters["max_threshold"]
    )
    colours = _colormap(Path(parameters["colormap_path"]))
    made: list[Path] = []
    notes: list[str] = []
    for number, wanted in enumerate(parameters["rotations"]):
        z, y, x = values.shape
        shape = kernels.window_size((x, y, z), wanted["window_size"])[::-1]
        if kernels.parities_differ(values, shape):
            notes.append(f"rotations[{number}]: the volume lies half a voxel beside the middle of its window")
        turn = wanted["rotation_parameters"]
        if turn["from_axis"] == turn["to_axis"]:
            raise SourceError(source, f"rotations[{number}]", "turns from an axis to the same axis")
        strip, depth = kernels.strips(
            kernels.pasted(values, shape),
            wanted["projection_parameters"]["axis"],
            turn["from_axis"],
            turn["to_axis"],
            kernels.angles(turn["start"], turn["end"], turn["nsteps"]),
        )
        made.append(folder / wanted["depth_path"])
        write_image(made[-1], depth.astype(np.uint16))
        for image in wanted["output_images"]:
            made.append(folder / image["path"])
            write_image(made[-1], _coloured(image, strip, colours, turn["nsteps"]))
    return {"output_file_paths": [str(path) for path in made], "notes": notes, "input_parameters": parameters}


def _coloured(image: dict[str, Any], strip: np.ndarray, colours: np.ndarray, n_views: int) -> np.ndarray:
    """One strip as it is asked for, over its background."""
    finished = kernels.finished(strip, image["blur"], image["scale"])
    behind: np.ndarray | float = 0.0
    if path := image["background_path"]:
        behind = _background(Path(path), finished.shape, n_views)
    return kernels.coloured(finished, colours, behind)


def _background(path: Path, shape: tuple[int, ...], n_views: int) -> np.ndarray:
    """Grey in 0 to 1: the first channel of an image as large as the strip, or as one of its views."""
    grey = read_image(path, channel=0) / 255
    if grey.shape[1] * n_views == shape[1]:
        grey = np.tile(grey, (1, n_views))
    if grey.shape != shape:
        raise SourceError(path, None, f"has {grey.shape} pixels, and the strip {shape}")
    return grey


def _colormap(path: Path) -> np.ndarray:
    """Rows of r g b, apart by blanks, without a header (THB-06)."""
    try:
        text = path.read_text(encoding="ascii")
        return kernels.colormap(
            np.array([[float(value) for value in row.split()] for row in text.splitlines() if row.strip()])
        )
    except OSError as error:
        raise SourceError(path, None, f"cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise SourceError(path, None, f"is no table of colours, r g b a row: {error}") from None
