"""The Allen SDK's own steps towards features of dendrites: read, transform, strip, and sum over compartments.

Run by a Python that has allensdk, and nothing of ours: ``allensdk_morphology.py FOLDER N``. It computes what the SDK has
(the feature table's own program is no part of it): total length, bifurcations, tips and dimensions of dendrites.
"""

import contextlib
import io
import json
import sys
import time
from pathlib import Path

from allensdk.internal.core import swc

IDENTITY = [1.0, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0]

paths = sorted(Path(sys.argv[1]).glob("*.swc"))[: int(sys.argv[2])]
lengths, reading, computing = [], 0.0, 0.0
with contextlib.redirect_stdout(io.StringIO()):
    for path in paths:
        start = time.perf_counter()
        tree = swc.read_swc(str(path))
        read = time.perf_counter()
        tree.apply_affine(IDENTITY)
        tree.convert_type(4, 3)
        tree.strip_all_other_types(3, keep_soma=False)
        lengths.append(sum(edge.length for edge in tree.compartment_list))
        branched = sum(len(node.children) > 1 for node in tree.node_list)
        tips = sum(not node.children for node in tree.node_list)
        dimensions = tree.get_dimensions()
        reading, computing = reading + read - start, computing + time.perf_counter() - read

print(json.dumps({"read_ms": reading * 1e3, "compute_ms": computing * 1e3, "lengths": lengths}))
