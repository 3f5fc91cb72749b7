"""The Allen SDK's own way to the features of a cell: its file's sweeps, then every feature of the cell.

Run by a Python that has allensdk, and nothing of ours: ``allensdk_icephys.py FILE``.
"""

import contextlib
import io
import json
import sys
import time
import warnings

from allensdk.core.nwb_data_set import NwbDataSet
from allensdk.ephys.extract_cell_features import extract_cell_features

warnings.simplefilter("ignore")
with contextlib.redirect_stdout(io.StringIO()):
    start = time.perf_counter()
    recording = NwbDataSet(sys.argv[1])
    named = {}
    for number in recording.get_sweep_numbers():
        name = recording.get_sweep_metadata(number)["aibs_stimulus_name"]
        named.setdefault(name.decode() if isinstance(name, bytes) else name, []).append(number)
    features = extract_cell_features(recording, *(named[kind] for kind in ("Ramp", "Short Square", "Long Square")))
    took = time.perf_counter() - start
long = features["long_squares"]
told = {
    "input_resistance_mohm": long["input_resistance"],
    "tau": long["tau"],
    "rheobase_i_pa": long["rheobase_i"],
    "n_spikes": sum(len(sweep["spikes"]) for sweep in long["sweeps"]),
}
print(json.dumps({"ms": took * 1e3, "features": {name: float(value) for name, value in told.items()}}))
