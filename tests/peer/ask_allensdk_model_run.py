"""Run by the Allen SDK's Python: what its reader of a model's run tells. Arguments: the run's JSON file, the file to write."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from allensdk.internal.api.queries.biophysical_module_reader import BiophysicalModuleReader

reader = BiophysicalModuleReader()
reader.read_lims_file(sys.argv[1])
told = {
    "stimulus": reader.stimulus_path(),
    "morphology": reader.morphology_path(),
    "fit": reader.fit_parameters_path(),
    "modfiles": reader.mod_file_paths(),
    "sweep_numbers": reader.sweep_numbers(),
    "sweeps_by_type": reader.sweep_numbers_by_type(),
    "model_type": reader.model_type(),
    "run_folder": reader.neuronal_model_run_dir(),
}
Path(sys.argv[2]).write_text(json.dumps(told))
