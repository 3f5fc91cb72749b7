"""The Allen SDK's spike histogram, on given arrays and from a session file.

Run by a Python that has allensdk, and nothing of ours: ``allensdk_counts.py ARRAYS.npz SESSION.nwb``.
"""

import json
import sys
import time
import warnings

import numpy as np

warnings.filterwarnings("ignore")
from allensdk.brain_observatory.ecephys.ecephys_session import EcephysSession, build_spike_histogram  # noqa: E402

given = np.load(sys.argv[1])
domain = given["starts"][:, None] + np.array([0.0, given["length"]])

trains = dict(enumerate(np.split(given["spikes"], given["ends"][:-1])))
start = time.perf_counter()
counts = build_spike_histogram(domain, trains, list(trains), dtype=np.uint16)
in_memory = time.perf_counter() - start

start = time.perf_counter()
session = EcephysSession.from_nwb_path(sys.argv[2])
units = list(session.units.index)[: len(trains)]
build_spike_histogram(domain, session.spike_times, units, dtype=np.uint16)
from_file = time.perf_counter() - start

print(
    json.dumps(
        {"in_memory_ms": in_memory * 1e3, "from_file_ms": from_file * 1e3, "total": int(counts.sum(dtype=np.int64))}
    )
)
