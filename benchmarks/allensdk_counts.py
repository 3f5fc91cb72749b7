"""The Allen SDK's spike histogram on given arrays; run by a Python that has allensdk, and nothing of ours."""

import json
import sys
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")
from allensdk.brain_observatory.ecephys.ecephys_session import build_spike_histogram  # noqa: E402

given = np.load(sys.argv[1])
trains = dict(enumerate(np.split(given["spikes"], given["ends"][:-1])))
domain = given["starts"][:, None] + np.array([0.0, given["length"]])
start = time.perf_counter()
counts = build_spike_histogram(domain, trains, list(trains), dtype=np.uint16)
took = time.perf_counter() - start
print(json.dumps({"ms": took * 1e3, "total": int(counts.sum(dtype=np.int64))}))
