"""Tiles of the microscope put together to a section (spec: connectivity STI-01 to STI-03)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...ingest.contract import Source
from ...udfs import stitching
from ..errors import SourceError
from .documents import COUNT, INDEX, TEXT, a_list, an_object
from .images import read_image, write_image

_SPAN = an_object({"start": INDEX, "end": INDEX})
_EDGES = an_object({"row": COUNT, "column": COUNT})
SCHEMA = an_object(
    {
        "image_dimensions": _EDGES,
        "channels": a_list(COUNT, 1),
        "tiles": a_list(
            an_object(
                {
                    "index": INDEX,
                    "path": TEXT,
                    "channel": COUNT,
                    "bounds": an_object({"row": _SPAN, "column": _SPAN}),
                    "size": _EDGES,
                    "margins": an_object({"row": INDEX, "column": INDEX}),
                }
            )
        ),
        "average_tile_paths": {"type": "object", "additionalProperties": TEXT},
        "slice_fname": TEXT,
    },
    {"spacing": {}, "log_level": {}},
)
MAX_PIXELS = 1 << 32


def run(parameters: dict[str, Any], source: Source, folder: Path) -> dict[str, Any]:
    """Write the section, uint16, a page a channel; returns its path and the outlines of tiles that were missing.

    folder : where a relative ``slice_fname`` is put
    """
    size, channels = parameters["image_dimensions"], parameters["channels"]
    shape = size["row"], size["column"]
    if shape[0] * shape[1] * len(channels) > MAX_PIXELS:
        raise SourceError(source, "image_dimensions", f"declares {shape} pixels in {len(channels)} channels: too many")
    section = np.zeros((len(channels), *shape), np.uint16)
    covered = np.zeros(section.shape, bool)
    fields = {int(name): _flat_field(path) for name, path in parameters["average_tile_paths"].items() if name.isdigit()}
    missing: dict[int, str] = {}
    for number, tile in enumerate(parameters["tiles"]):
        where = f"tiles[{number}]"
        if tile["channel"] not in channels:
            raise SourceError(source, where, f"is of channel {tile['channel']}, which is none of channels")
        at = channels.index(tile["channel"])
        place = _place(tile)
        image = _read(tile["path"])
        if image is None:
            missing[tile["index"]] = ",".join(map(str, place.outline))
        try:
            stitching.lay(
                section[at], covered[at], stitching.prepared(image, place, fields.get(tile["channel"])), place
            )
        except ValueError as error:
            raise SourceError(source, where, str(error)) from None
    path = folder / parameters["slice_fname"]
    write_image(path, np.moveaxis(section, 0, 2))
    return {
        "slice_fname": str(path),
        "missing_tile_paths": {str(index): outline for index, outline in missing.items()},
        "input_parameters": parameters,
    }


def _place(tile: dict[str, Any]) -> stitching.Place:
    bounds, size, margins = tile["bounds"], tile["size"], tile["margins"]
    rows, columns = ((bounds[name]["start"], bounds[name]["end"]) for name in ("row", "column"))
    return stitching.Place(rows, columns, (size["row"], size["column"]), (margins["row"], margins["column"]))


def _read(path: str) -> np.ndarray | None:
    """A tile as it lies in the section; None where it cannot be read, which microscopes leave behind (STI-01)."""
    try:
        return stitching.upright(read_image(Path(path)))
    except SourceError:
        return None


def _flat_field(path: str) -> np.ndarray | None:
    image = _read(path)
    return None if image is None else stitching.flat_field(image)
