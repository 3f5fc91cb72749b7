"""What of the visual field an annotated area of an intrinsic-signal map covers (spec: connectivity ARM)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from ...ingest.contract import Source
from ...ingest.hdf5 import Hdf5File
from ...udfs import isi_regions
from ..errors import SourceError
from .documents import INDEX, NUMBER, TEXT, a_list, an_object

MAPS = ("/retinotopy_altitude", "/retinotopy_azimuth")
SCHEMA = an_object(
    {
        "processed_h5": TEXT,
        "x": INDEX,
        "y": INDEX,
        "width": INDEX,
        "height": INDEX,
        "mask": a_list(a_list({"type": ["boolean", "integer"]})),
    },
    {
        "altitude_scale": {**NUMBER, "default": isi_regions.ALTITUDE_SCALE},
        "azimuth_scale": {**NUMBER, "default": isi_regions.AZIMUTH_SCALE},
        "log_level": {},
    },
)


def run(parameters: dict[str, Any], source: Source, _folder: Path) -> dict[str, Any]:
    """The metrics by name, centroid in pixels and the rest in degrees, beside what was asked for."""
    rows = parameters["mask"]
    if len(rows) != parameters["height"] or any(len(row) != parameters["width"] for row in rows):
        raise SourceError(source, "mask", f"does not have {parameters['height']} rows of {parameters['width']} values")
    altitude, azimuth = _maps(Path(parameters["processed_h5"]))
    try:
        region = isi_regions.region_mask(altitude.shape, parameters["x"], parameters["y"], np.array(rows))
    except ValueError as error:
        raise SourceError(source, "mask", str(error)) from None
    metrics = isi_regions.region_metrics(
        altitude, azimuth, region, parameters["altitude_scale"], parameters["azimuth_scale"]
    )
    # JSON has no NaN: a map without a value somewhere in the region
    known = {name: value if np.isfinite(value) else None for name, value in metrics.items()}
    return {**known, "input_parameters": parameters}


def _maps(path: Path) -> tuple[np.ndarray, np.ndarray]:
    source = Source(path, str(path))
    with Hdf5File.open(source) as file:
        altitude, azimuth = (np.asarray(file.array(name)) for name in MAPS)
    if altitude.ndim != 2 or altitude.shape != azimuth.shape or {altitude.dtype.kind, azimuth.dtype.kind} - set("fiu"):
        raise SourceError(source, " and ".join(MAPS), "are not two maps of numbers of one shape")
    return altitude.astype(np.float64), azimuth.astype(np.float64)
