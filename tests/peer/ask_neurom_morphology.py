"""Run by a Python that has NeuroM: what it measures of SWC files. Arguments: answers.json FILE..."""

from __future__ import annotations

import json
import sys
import warnings


def measure(path):
    import neurom
    from neurom.core.types import NeuriteType

    tree = neurom.load_morphology(path)
    told = {}
    for name in ("basal_dendrite", "apical_dendrite", "axon"):
        of = {"neurite_type": getattr(NeuriteType, name)}
        told[name] = {
            "total_length": float(sum(neurom.get("total_length_per_neurite", tree, **of))),
            "total_volume_corrected": float(neurom.get("total_volume", tree, **of)),
            "number_tips": int(neurom.get("number_of_leaves", tree, **of)),
        }
    return told


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    with open(sys.argv[1], "w") as file:
        json.dump([measure(path) for path in sys.argv[2:]], file)
