"""Run by the Allen SDK's Python: how its GLIF neurons step. Arguments: configs.json stimulus.npz runs.npz.

stimulus.npz holds stimulus (A) and dt (s). runs.npz holds <config name>/<output> for each configuration, and `seconds`,
the time that stepping alone took.
"""

from __future__ import annotations

import json
import sys
import time
import warnings

import numpy as np


def main(configs, stimulus, runs):
    warnings.simplefilter("ignore")
    from allensdk.model.glif.glif_neuron import GlifNeuron

    given = np.load(stimulus)
    told, seconds = {}, 0.0
    with open(configs) as file:
        cells = json.load(file)
    for name, config in cells.items():
        neuron = GlifNeuron.from_dict(config)
        neuron.dt = float(given["dt"])
        begun = time.perf_counter()
        run = neuron.run(given["stimulus"])
        seconds += time.perf_counter() - begun
        told.update({f"{name}/{output}": np.asarray(values, float) for output, values in run.items()})
    np.savez(runs, seconds=seconds, **told)


if __name__ == "__main__":
    main(*sys.argv[1:])
