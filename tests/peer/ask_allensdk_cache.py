"""What the Allen SDK's CellTypesCache finds in a folder, without asking the network.

Run by a Python that has allensdk, and nothing of ours: ``ask_allensdk_cache.py MANIFEST CELL SWEEP``.
"""

import contextlib
import io
import json
import sys
import warnings

from allensdk.core.cell_types_cache import CellTypesCache

warnings.simplefilter("ignore")
manifest, cell, sweep = sys.argv[1], int(sys.argv[2]), int(sys.argv[3])
with contextlib.redirect_stdout(io.StringIO()):
    cache = CellTypesCache(manifest_file=manifest)
    recording = cache.get_ephys_data(cell)
    told = recording.get_sweep(sweep)
    found = {
        "cells": sorted(one["id"] for one in cache.get_cells()),
        "features": sorted(one["specimen_id"] for one in cache.get_ephys_features()),
        "morphologies": sorted(one["specimen_id"] for one in cache.get_morphology_features()),
        "listed_sweeps": [one["sweep_number"] for one in cache.get_ephys_sweeps(cell)],
        "sweeps": sorted(recording.get_sweep_numbers()),
        "sampling_rate": told["sampling_rate"],
        "index_range": [int(index) for index in told["index_range"]],
        "response": told["response"].tolist(),
        "nodes": [
            [node["type"], node["x"], node["y"], node["z"]] for node in cache.get_reconstruction(cell).compartment_list
        ],
        "markers": [[marker["x"], marker["name"]] for marker in cache.get_reconstruction_markers(cell)],
    }
print(json.dumps(found))
