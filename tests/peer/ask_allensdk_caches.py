"""Run by the Allen SDK's Python: lets its caches fill a folder from a server, or read what a folder has without any.

Arguments: ``fill`` and a base address, or ``read`` and an address where nobody answers; JSON file of ids; the folder; JSON file
to write (verb -> answer).
"""

from __future__ import annotations

import json
import sys
import traceback
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import statsmodels.sandbox.stats.multicomp as multicomp
from allensdk.core.cell_types_cache import CellTypesCache
from allensdk.core.mouse_connectivity_cache import MouseConnectivityCache
from allensdk.core.reference_space_cache import ReferenceSpaceCache
from statsmodels.stats.multitest import multipletests

multicomp.multipletests = multipletests  # where the SDK looks for it, and newer statsmodels do not have it
from allensdk.brain_observatory.ecephys.ecephys_project_cache import EcephysProjectCache  # noqa: E402
from allensdk.core.brain_observatory_cache import BrainObservatoryCache  # noqa: E402


def caches(url, folder):
    def manifest(name):
        return str(folder / name / "manifest.json")

    return (
        CellTypesCache(manifest_file=manifest("cell_types"), base_uri=url),
        MouseConnectivityCache(manifest_file=manifest("mouse_connectivity"), resolution=100, base_uri=url),
        BrainObservatoryCache(manifest_file=manifest("brain_observatory"), base_uri=url),
    )


def filling(url, ids, folder):
    cells, connectivity, observatory = caches(url, folder)
    scheme, host = url.split("://")
    units = EcephysProjectCache.from_warehouse(
        scheme=scheme, host=host, manifest=str(folder / "ecephys" / "manifest.json")
    )
    return {
        "cells": lambda: len(cells.get_cells()),
        "ephys_features": lambda: len(cells.get_ephys_features()),
        "morphology_features": lambda: len(cells.get_morphology_features()),
        "sweeps": lambda: len(cells.get_ephys_sweeps(ids["swept_cell"])),
        "experiments": lambda: len(connectivity.get_experiments()),
        "structures": lambda: len(connectivity.get_structure_tree().nodes()),
        "unionizes": lambda: len(connectivity.get_experiment_structure_unionizes(ids["unionized_experiment"])),
        "containers": lambda: len(observatory.get_experiment_containers(include_failed=True)),
        "ophys_experiments": lambda: len(observatory.get_ophys_experiments(include_failed=True)),
        "cell_specimens": lambda: len(observatory.get_cell_specimens(include_failed=True, simple=False)),
        "sessions": lambda: len(units.get_session_table()),
    }


def reading(url, ids, folder):
    cells, connectivity, observatory = caches(url, folder)
    cell, experiment = ids["cell"], ids["experiment"]
    spaces = ReferenceSpaceCache(
        25, "annotation/ccf_2017", manifest=str(folder / "space" / "manifest.json"), base_uri=url
    )
    return {
        "recording": lambda: cells.get_ephys_data(cell).get_sweep_numbers(),
        "reconstruction": lambda: len(cells.get_reconstruction(cell).compartment_list),
        "markers": lambda: len(cells.get_reconstruction_markers(cell)),
        "projection_density": lambda: float(connectivity.get_projection_density(experiment)[0].sum(dtype=float)),
        "data_mask": lambda: list(connectivity.get_data_mask(experiment)[0].shape),
        "annotation": lambda: [int(v) for v in np.unique(spaces.get_annotation_volume()[0])],
        "template": lambda: float(spaces.get_template_volume()[0].sum(dtype=float)),
        "mask": lambda: int(spaces.get_structure_mask(593)[0].sum()),
        "mesh": lambda: [list(part.shape) for part in spaces.get_structure_mesh(385)],
        "events": lambda: (
            np.nan_to_num(observatory.get_ophys_experiment_events(ids["ophys_experiment"])).sum(1).tolist()
        ),
    }


def main():
    mode, url, asked, folder, target = sys.argv[1:]
    ids, folder = json.loads(Path(asked).read_text()), Path(folder)
    told = {}
    for name, verb in (filling if mode == "fill" else reading)(url, ids, folder).items():
        try:
            told[name] = verb()
        except Exception as error:
            where = traceback.extract_tb(error.__traceback__)[-1]
            told[name] = {"error": f"{type(error).__name__}: {error} ({Path(where.filename).name}:{where.lineno})"}
    Path(target).write_text(json.dumps(told, default=lambda value: np.asarray(value).tolist()))


if __name__ == "__main__":
    warnings.simplefilter("ignore")
    pd.options.mode.copy_on_write = False
    main()
