"""Run by the Allen SDK's Python: what its cell cache answers from files at hand. Arguments: folder answers.json.

The folder is a cache (cells.json, ephys_features.csv, morphology_features.csv, ephys_sweeps.json of some cells) and holds
requests.json: a list of keyword arguments of get_cells, and specimens.json: records of the older endpoint.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path


def main(folder: Path, answers: Path) -> None:
    from allensdk.core.cell_types_cache import CellTypesCache

    cache = CellTypesCache(manifest_file=str(folder / "manifest.json"))
    requests = json.loads((folder / "requests.json").read_text())
    inner, outer = (cache.get_all_features(dataframe=True, require_reconstruction=wanted) for wanted in (True, False))
    told = {
        "cells": [cache.get_cells(**request) for request in requests],
        "inner": sorted(inner["specimen_id"].tolist()),
        "outer": sorted(outer["specimen_id"].tolist()),
        "columns": sorted({"id" if name in ("id_x", "id_y") else name for name in inner.columns}),
        "sweeps": {
            path.parent.name: cache.get_ephys_sweeps(int(path.parent.name.removeprefix("specimen_")))
            for path in sorted(folder.glob("*/ephys_sweeps.json"))
        },
    }
    answers.write_text(json.dumps(told))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
