"""Run by a Python that has iblatlas: what it tells of every structure of its ontology. Arguments: told.json tree.csv.

The ontology's table, which comes with the package, is copied to the second.
"""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import numpy as np
from iblatlas import regions


def main(told, tree):
    shutil.copy(regions.ALLEN_FILE_REGIONS, tree)
    brain = regions.BrainRegions()
    right = np.flatnonzero(brain.id > 0)  # structures of the left have negative ids there
    answer = {"regions": {}, "mappings": {}, "leaves": [int(i) for i in brain.leaves().id if i > 0]}
    for at in right:
        id_ = int(brain.id[at])
        answer["regions"][id_] = {
            "acronym": brain.acronym[at],
            "name": brain.name[at],
            "rgb": brain.rgb[at].tolist(),
            "level": int(brain.level[at]),
            "ancestors": sorted(int(i) for i in brain.ancestors(id_).id),
            "descendants": sorted(int(i) for i in brain.descendants(id_).id),
        }
    for name in ("Beryl", "Cosmos"):
        mapped = brain.id[brain.mappings[name][right]]
        answer["mappings"][name] = {int(brain.id[at]): int(to) for at, to in zip(right, mapped, strict=True)}
    Path(told).write_text(json.dumps(answer))


if __name__ == "__main__":
    main(*sys.argv[1:])
