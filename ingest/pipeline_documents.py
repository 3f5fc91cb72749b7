"""What ``brainlake pipeline`` writes when it is done: a JSON document that names the pipeline, its input and its files.

Unionizes are not among them: their document is an answer of the API, and has its own reader.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.tables import pipelines as tables
from .contract import Identity, Part, Report, Rows, Setting, Source, made_id
from .json_source import claimed, document

SPECS = {
    "grid": tables.GRID_RUNS,
    "stitch": tables.STITCHED_SECTIONS,
    "thumbnail": tables.PROJECTION_THUMBNAILS,
    "region-metrics": tables.ISI_REGION_METRICS,
}


class PipelineDocumentReader:
    """Reader of the documents that pipelines write."""

    name = "pipeline_documents"
    version = "1"
    parts: Sequence[Part] = tuple(Part(spec.part, spec.grain) for spec in SPECS.values())
    settings: Sequence[Setting] = (Setting("region", "id of the area that region metrics are of"),)

    def sniff(self, source: Source) -> bool:
        return claimed(source, (b'"pipeline"',), lambda found: _pipeline(found) is not None)

    def identify(self, source: Source) -> Identity:
        pipeline, run_id, _ = _opened(source)
        return Identity(f"pipeline.run/{pipeline}/{run_id}", "pipeline_document")

    def inspect(self, source: Source, report: Report) -> None:
        pipeline, _, _ = _opened(source)
        report.found(SPECS[pipeline].part, source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        pipeline, run_id, found = _opened(source)
        if SPECS[pipeline].part not in parts:
            return
        spec = SPECS[pipeline]
        try:
            told = _COLUMNS[pipeline](source, found)
            columns = {name: pa.array(values, spec[name].type) for name, values in told.items()}
        except (KeyError, TypeError, ValueError, AttributeError, pa.ArrowException) as error:
            raise SourceError(source, None, f"is no document of the pipeline {pipeline}: {error!r}") from None
        n = len(next(iter(columns.values())))
        if n:
            yield Rows(spec.name, {"run_id": np.full(n, run_id), **columns})


def _pipeline(found: Any) -> str | None:
    """Name of the pipeline that wrote a document, None where it is something else."""
    if not isinstance(found, dict) or not isinstance(found.get("input_parameters"), dict):
        return None
    name = found.get("pipeline")
    return name if name in SPECS else None


def _opened(source: Source) -> tuple[str, int, Mapping[str, Any]]:
    """Pipeline, id of the run, and the document. Raises SourceError."""
    found = document(source)
    pipeline = _pipeline(found)
    if pipeline is None:
        raise SourceError(source, None, f"is no document that a pipeline wrote ({', '.join(SPECS)})")
    return pipeline, made_id("pipeline", pipeline, json.dumps(found["input_parameters"], sort_keys=True)), found


def _grid(source: Source, found: Mapping[str, Any]) -> dict[str, list[Any]]:
    asked = found["input_parameters"]
    return {
        "grid_case": [asked["case"]],
        "n_sections": [len(asked["sub_images"])],
        "target_spacings_um": [[float(um) for um in asked["target_spacings"]]],
        "output_paths": [_texts(found["output_file_paths"])],
        "input_parameters": [json.dumps(asked)],
    }


def _stitch(source: Source, found: Mapping[str, Any]) -> dict[str, list[Any]]:
    asked, missing = found["input_parameters"], found["missing_tile_paths"]
    return {
        "image_path": [str(found["slice_fname"])],
        "n_rows": [asked["image_dimensions"]["row"]],
        "n_columns": [asked["image_dimensions"]["column"]],
        "image_channels": [asked["channels"]],
        "n_tiles": [len(asked["tiles"])],
        "missing_tile_indices": [[int(index) for index in missing]],
        "missing_tile_outlines": [_texts(missing.values())],
    }


def _thumbnail(source: Source, found: Mapping[str, Any]) -> dict[str, list[Any]]:
    asked = found["input_parameters"]
    paths = iter(_texts(found["output_file_paths"]))  # of each rotation the depths, then its images
    rows = []
    for rotation_index, rotation in enumerate(asked["rotations"]):
        depth, turn = next(paths, None), rotation["rotation_parameters"]
        for image_index, _ in enumerate(rotation["output_images"]):
            rows.append(
                {
                    "rotation_index": rotation_index,
                    "image_index": image_index,
                    "volume_path": asked["volume_path"],
                    "projection_axis": rotation["projection_parameters"]["axis"],
                    "from_axis": turn["from_axis"],
                    "to_axis": turn["to_axis"],
                    "first_angle_rad": turn["start"] * math.pi,
                    "end_angle_rad": turn["end"] * math.pi,
                    "n_views": turn["nsteps"],
                    "image_path": next(paths, None),
                    "depth_path": depth,
                }
            )
    if any(row["image_path"] is None for row in rows):
        raise ValueError("fewer files than were asked for")
    names = [column.name for column in tables.PROJECTION_THUMBNAILS if column.name != "run_id"]
    return {name: [row[name] for row in rows] for name in names}


def _region_metrics(source: Source, found: Mapping[str, Any]) -> dict[str, list[Any]]:
    region = source.setting("region")
    if region is not None and not region.isdigit():
        raise SourceError(source, "setting region", f"{region!r} is no id of an area")
    measured = [c.name for c in tables.ISI_REGION_METRICS if c.name not in ("run_id", "region_id", "source_path")]
    return {
        "region_id": [int(region) if region else None],
        "source_path": [found["input_parameters"]["processed_h5"]],
        **{name: [None if found[name] is None else float(found[name])] for name in measured},
    }


def _texts(values: Any) -> list[str]:
    texts = list(values)
    if not all(isinstance(text, str) for text in texts):
        raise ValueError("a path is no text")
    return texts


_COLUMNS = {"grid": _grid, "stitch": _stitch, "thumbnail": _thumbnail, "region-metrics": _region_metrics}

READER = PipelineDocumentReader()
