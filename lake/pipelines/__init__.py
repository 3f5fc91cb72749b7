"""Pipelines of files: a JSON document says what to read and what to make, another what was made.

Each module is one of them, with ``SCHEMA``, a JSON Schema of its input, and ``run``; kernels are in ``udfs``.
"""

from __future__ import annotations

# name on the command line -> module and what it does
PIPELINES = {
    "grid": "gridder",
    "unionize": "unionizer",
    "thumbnail": "thumbnails",
    "stitch": "stitcher",
    "region-metrics": "region_metrics",
}
