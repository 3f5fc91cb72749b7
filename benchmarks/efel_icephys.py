"""Features of spikes by eFEL: as many of those that a spike of ours has as it knows.

Run by a Python that has efel, and nothing of ours: ``efel_icephys.py RESPONSES RATE START STOP``; RESPONSES is an array
(sweeps, samples) in mV, the rest in Hz and s.
"""

import json
import sys
import time

import efel
import numpy as np

FEATURES = [
    "peak_time", "peak_voltage", "AP_begin_time", "AP_begin_voltage", "AHP_depth_abs", "min_AHP_indices", "AP_width",
    "AP_peak_upstroke", "AP_peak_downstroke", "ISI_values", "spike_half_width",
]  # fmt: skip

responses = np.load(sys.argv[1])
rate, onset, offset = (float(number) for number in sys.argv[2:])
time_ms = np.arange(responses.shape[1]) * (1e3 / rate)
start = time.perf_counter()
traces = [
    {"T": time_ms, "V": v.astype(float), "stim_start": [onset * 1e3], "stim_end": [offset * 1e3]} for v in responses
]
found = efel.get_feature_values(traces, FEATURES, raise_warnings=False)
took = time.perf_counter() - start
n_spikes = sum(0 if one["peak_time"] is None else len(one["peak_time"]) for one in found)
print(json.dumps({"ms": took * 1e3, "n_spikes": n_spikes}))
