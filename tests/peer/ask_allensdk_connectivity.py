"""Run by the Allen SDK's Python: its answers on a cache folder. Arguments: folder asked.json told.json.

``asked`` lists methods of MouseConnectivityCache with their arguments; the network is out of reach, so what the folder
does not hold is an error.
"""

from __future__ import annotations

import json
import socket
import sys
import warnings
from pathlib import Path

import numpy as np

COLUMNS = ("experiment_id", "structure_id", "hemisphere_id", "is_injection", "projection_volume", "max_voxel_x")


def unionizes(found):
    return found[list(COLUMNS)].to_numpy(dtype=float).tolist()


def matrix(found):
    values = np.where(np.isnan(found["matrix"]), None, found["matrix"])
    return {"matrix": values.tolist(), "labels": [column["label"] for column in found["columns"]]}


def grid(found):
    values = found[0].astype(float)
    at = np.argwhere(values > 0)
    return {"shape": values.shape, "sum": values.sum(), "n": len(at), "values": values[tuple(at[::97].T)].tolist(),
            "at": at[::97].tolist()}  # fmt: skip


def field(found):
    return {"shape": found.shape, "values": found.astype(float).ravel().tolist()}


TOLD = {
    "get_experiments": lambda found: [[e["id"], e["structure_id"], e["injection_structures"]] for e in found],
    "get_structure_unionizes": unionizes,
    "rank_structures": lambda found: found,
    "get_projection_matrix": matrix,
    "get_projection_density": grid,
    "get_injection_density": grid,
    "get_injection_fraction": grid,
    "get_data_mask": grid,
    "get_deformation_field": field,
    "get_affine_parameters": lambda found: found.ravel().tolist(),
}


def no_network(*_, **__):
    raise OSError("the folder does not hold what was asked")


def main(folder, asked, told):
    warnings.simplefilter("ignore")
    from allensdk.core.mouse_connectivity_cache import MouseConnectivityCache

    cache = MouseConnectivityCache(manifest_file=str(Path(folder) / "manifest.json"), resolution=100)
    socket.create_connection = socket.socket.connect = no_network
    answers = [TOLD[name](getattr(cache, name)(**given)) for name, given in json.loads(Path(asked).read_text())]
    Path(told).write_text(json.dumps(answers))


if __name__ == "__main__":
    main(*sys.argv[1:])
