"""How much memory a process takes that opens the reference space and answers once: ours, and the SDK's.

Both are asked the same in a fresh process: where 1,000 points lie, a mask, a coronal slice, and the size of every structure.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

from .measure import Row

ALLENSDK = "BRAINLAKE_ALLENSDK_PYTHON"

_MEASURED = """
def resident(what):
    with open("/proc/self/status") as file:
        return next(int(line.split()[1]) / 1024 for line in file if line.startswith(what))
import json, sys
import numpy as np
{imports}
imported = resident("VmRSS")
where = np.random.default_rng(0).uniform(0, np.array([528, 320, 456]) * 25, (1000, 3))
{questions}
print(json.dumps({{"imported": imported, "peak": resident("VmHWM")}}))
"""

_OURS = _MEASURED.format(
    imports="import brainlake, duckdb, pyarrow\nbrainlake.open  # which is imported when it is first used",
    questions="""
path, wanted = sys.argv[1], int(sys.argv[2])
with brainlake.open(path) as lake:
    mine = {"mine": dict(zip(("ap_um", "dv_um", "ml_um"), where.T))}
    lake.sql("from ccf.structures_at('mine')", tables=mine).arrow()
    lake.sql(f"from ccf.mask({wanted})").arrow()
    lake.sql("from ccf.slice_image('coronal', 6600)").arrow()
    lake.sql("from ccf.structure_geometry").arrow()
""",
)

_PEER = _MEASURED.format(
    imports="""
import nrrd
from allensdk.core.reference_space import ReferenceSpace
from allensdk.core.structure_tree import StructureTree
""",
    questions="""
path, wanted, tree_path = sys.argv[1], int(sys.argv[2]), sys.argv[3]
volume, _ = nrrd.read(path)  # as its cache reads it
space = ReferenceSpace(StructureTree(StructureTree.clean_structures(json.load(open(tree_path)))), volume, [25, 25, 25])
volume[tuple((where // 25).astype(int).T)]
space.make_structure_mask([wanted])
space.get_slice_image(0, 6600)
space.total_voxel_counts
""",
)


def memory(lake: Path, annotation: Path, tree: Path, wanted: int) -> list[Row]:
    """Peak of a process, and what of it comes on top of imports; nothing where the SDK is not at hand."""
    ours = _ask(sys.executable, _OURS, lake, wanted)
    what = "memory of a process that answers points, mask, slice and sizes once"
    python = os.environ.get(ALLENSDK)
    if not python:
        return [Row(what, ours["peak"], "MB")]
    peer = _ask(python, _PEER, annotation, wanted, tree)
    ours_above, peer_above = (one["peak"] - one["imported"] for one in (ours, peer))
    return [
        _less(what, ours["peak"], peer["peak"]),
        _less("the same, on top of what imports take", ours_above, peer_above),
        Row(
            "what imports take",
            ours["imported"],
            "MB",
            peer["imported"],
            "Allen SDK",
            peer["imported"] / ours["imported"],
        ),
    ]


def _ask(python: str, program: str, *arguments: object) -> dict[str, float]:
    done = subprocess.run([python, "-c", program, *map(str, arguments)], capture_output=True, text=True, check=True)
    found: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return found


def _less(what: str, ours: float, peer: float) -> Row:
    return Row(what, ours, "MB", peer, "Allen SDK", peer / ours, "≥ 10×", peer / ours >= 10)
