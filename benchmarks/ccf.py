"""The reference space at 25 um: points, masks, slices and geometry, beside an array in memory and the Allen SDK.

A brain is generated with about as many voxels and runs as the true one (shells of an ellipsoid, cut into sectors); where a real annotation is at hand (``$BRAINLAKE_ANNOTATION``), it is measured instead. NumPy has the whole
volume in memory already: what it took to read is stated apart. The SDK has its ``ReferenceSpace`` made of that array.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import zlib
from pathlib import Path
from typing import Any

import brainlake
import numpy as np
import polars as pl
from brainlake.tests.fixtures import ccf as files

from .ccf_memory import ALLENSDK, memory
from .material import Material
from .measure import Row, faster, milliseconds, seconds

SHAPE, UM = (528, 320, 456), 25
N_STRUCTURES = 640
ANNOTATION = "BRAINLAKE_ANNOTATION"
IN_MEMORY = "NumPy, volume in memory"
A_THIRD = 1 / 3  # warm, no slower than three times what NumPy takes

PEER = """
import json, sys, time
import nrrd
import numpy as np
from allensdk.core.reference_space import ReferenceSpace
from allensdk.core.structure_tree import StructureTree
volume_path, tree_path, wanted = sys.argv[1], sys.argv[2], int(sys.argv[3])
began = time.perf_counter()
volume, _ = nrrd.read(volume_path)  # as its cache reads it
tree = StructureTree(StructureTree.clean_structures(json.load(open(tree_path))))
space = ReferenceSpace(tree, volume, [25, 25, 25])
times = {"load": time.perf_counter() - began}
def timed(name, function, n):
    taken = []
    for _ in range(n):
        began = time.perf_counter()
        function()
        taken.append(time.perf_counter() - began)
    times[name] = float(np.median(taken))
timed("mask", lambda: space.make_structure_mask([wanted]), 3)
timed("slice", lambda: space.get_slice_image(0, 6600), 3)
began = time.perf_counter()
space.total_voxel_counts
times["counts"] = time.perf_counter() - began
print(json.dumps(times))
"""


def ccf(material: Material) -> list[Row]:
    folder = material.directory / "ccf"
    folder.mkdir(exist_ok=True)
    volume, tree, path, wanted = material_of(folder)
    shutil.rmtree(folder / "lake", ignore_errors=True)
    with brainlake.create(folder / "lake") as lake:
        lake.ingest(tree).raise_failed()
        ingest_s, report = seconds(lambda: lake.ingest(path, settings={"version": "ccf_2017"}))
        report.raise_failed()
        rows = [
            faster("ingest the annotation", ingest_s * 1e3, _unpacking(path), "zlib, unpacking it"),
            *_points(lake, volume),
            *_pieces(lake, volume, tree, path, wanted, folder),
        ]
    return rows + memory(folder / "lake", path, tree, wanted)


def material_of(folder: Path) -> tuple[np.ndarray, Path, Path, int]:
    """The annotation ``[ap, dv, ml]``, files of tree and annotation, and a structure to ask for."""
    if real := os.environ.get(ANNOTATION):
        path = Path(real)
        packed = path.read_bytes()
        voxels = zlib.decompress(packed[packed.index(b"\n\n") + 2 :], 47)
        volume = np.frombuffer(voxels, "<u4").reshape(SHAPE[::-1]).transpose(2, 1, 0)
        return volume, path.with_name("structures.json"), path, 385
    volume, records = _brain()
    tree, path = folder / "structures.json", folder / "annotation_25.nrrd"
    files.write_json(tree, records)
    if not path.exists():
        files.write_nrrd(path, volume, um=UM)
    return volume, tree, path, 1000


def _brain() -> tuple[np.ndarray, list[dict[str, Any]]]:
    """Shells of two mirrored ellipsoids, cut into sectors: a tree of a root, 20 divisions and 640 structures."""
    ap, dv, ml = np.ogrid[-1 : 1 : SHAPE[0] * 1j, -1 : 1 : SHAPE[1] * 1j, -1 : 1 : SHAPE[2] * 1j]
    radius = np.sqrt((ap / 0.95) ** 2 + (dv / 0.9) ** 2 + (ml / 0.9) ** 2).astype(np.float32)
    sector = (np.sin(7 * ap) + np.cos(9 * dv) + np.abs(3 * ml)).astype(np.float32)
    number = np.floor(sector * 5).astype(np.int32) * 11 + np.floor(radius * 10).astype(np.int32)
    volume = np.where(radius < 0.97, 1000 + number % N_STRUCTURES, 0).astype(np.uint32)
    records = [_record(997, [997], 0)]
    for division in range(20):
        records.append(_record(10_000 + division, [997, 10_000 + division], len(records)))
        members = range(1000 + division, 1000 + N_STRUCTURES, 20)
        records += [_record(i, [997, 10_000 + division, i], len(records) + n) for n, i in enumerate(members)]
    return volume, records


def _record(structure: int, path: list[int], order: int) -> dict[str, Any]:
    colour = [structure % 251, structure % 241, structure % 239]
    return {
        "id": structure, "acronym": f"s{structure}", "name": f"structure {structure}", "graph_id": 1,
        "graph_order": order, "structure_id_path": path, "rgb_triplet": colour, "structure_set_ids": [],
    }  # fmt: skip


def _unpacking(path: Path) -> float:
    packed = path.read_bytes()
    return seconds(lambda: zlib.decompress(packed[packed.index(b"\n\n") + 2 :], 47))[0] * 1e3


def _points(lake: brainlake.Lake, volume: np.ndarray) -> list[Row]:
    rows = []
    for n in (1, 1_000, 100_000, 1_000_000):
        where = np.random.default_rng(n).uniform(0, np.array(SHAPE) * UM, (n, 3))
        frame = pl.DataFrame({"n": np.arange(n), **dict(zip(("ap_um", "dv_um", "ml_um"), where.T, strict=True))})
        mine = {"mine": frame}
        found = lake.sql("from ccf.structures_at('mine') order by n", tables=mine).pl()

        def in_memory(where: np.ndarray = where) -> np.ndarray:
            return volume[tuple((where // UM).astype(np.int64).T)]

        if not np.array_equal(found["ccf_structure_id"].fill_null(0).to_numpy(), in_memory()):
            raise RuntimeError("points differ from the array")
        ours = milliseconds(lambda m=mine: lake.sql("from ccf.structures_at('mine')", tables=m).arrow(), 9)
        what = f"structures at {n:,} points all over"
        rows.append(_within(what, ours, 10 if n == 1_000 else None))
        rows.append(faster(what, ours, milliseconds(in_memory, 9), IN_MEMORY, A_THIRD))
    return rows


def _pieces(lake: brainlake.Lake, volume: np.ndarray, tree: Path, path: Path, wanted: int, folder: Path) -> list[Row]:
    below = lake.sql(f"select structure_id from ccf.descendants([{wanted}])").to_numpy()
    asked = {
        "mask": (f"a mask: structure {wanted} as runs", f"from ccf.mask([{wanted}])", lambda: np.isin(volume, below)),
        "slice": (
            "a coronal slice",
            "from ccf.slice_image('coronal', 6600)",
            lambda: np.ascontiguousarray(volume[264]),
        ),
        "horizontal": (
            "a horizontal slice",
            "from ccf.slice_image('horizontal', 4000)",
            lambda: np.ascontiguousarray(volume[:, 160]),
        ),
        "counts": (
            "voxels of every structure",
            "from ccf.structure_geometry",
            lambda: np.unique(volume, return_counts=True),
        ),
    }
    sdk = _sdk(path, tree, wanted)
    rows = []
    for name, (what, query, in_memory) in asked.items():
        ours = milliseconds(lambda q=query: lake.sql(q).arrow(), 7)
        rows.append(_within(what, ours, None if name == "counts" else 50))
        rows.append(faster(what, ours, milliseconds(in_memory, 3), IN_MEMORY, A_THIRD))
        if name in sdk:
            rows.append(faster(what, ours, sdk[name] * 1e3, "Allen SDK, volume in memory"))
            cold = _cold(folder / "lake", query)
            whole = (sdk["load"] + sdk[name]) * 1e3
            rows.append(faster(f"{what}, first of a process", cold, whole, "Allen SDK, reading the file first", 20))
    return rows


def _within(what: str, ours: float, limit: float | None) -> Row:
    return Row(what, ours) if limit is None else Row(what, ours, target=f"≤ {limit:g} ms", ok=ours <= limit)


def _cold(path: Path, query: str) -> float:
    """Opening the lake and answering, imports aside."""

    def ask() -> None:
        with brainlake.open(path) as lake:
            lake.sql(query).arrow()

    return milliseconds(ask, 3, warm=0)


def _sdk(path: Path, tree: Path, wanted: int) -> dict[str, float]:
    """What the SDK takes, in seconds; nothing where it is not at hand."""
    python = os.environ.get(ALLENSDK)
    if not python:
        return {}
    arguments = [python, "-c", PEER, str(path), str(tree), str(wanted)]
    done = subprocess.run(arguments, capture_output=True, text=True, check=True)
    times: dict[str, float] = json.loads(done.stdout.splitlines()[-1])
    return times
