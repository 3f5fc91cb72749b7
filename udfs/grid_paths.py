"""Ways through the voxels of a grid, from a point to where a tracer was injected (spec: connectivity SRCH-03)."""

from __future__ import annotations

import itertools

import numpy as np
import pyarrow as pa

from .registry import Ragged, udf

FLOOR = 0.001  # added to a density, so that a way through a faint voxel is long and not without end

_longs, _doubles = pa.list_(pa.int64()), pa.list_(pa.float64())
# One of each pair of opposite steps to the 26 neighbours of a voxel.
_STEPS = [step for step in itertools.product((-1, 0, 1), repeat=3) if step > (0, 0, 0)]


@udf(args=[_longs, _longs, _longs, _doubles, _longs, _doubles], returns=_longs)
def densest_path(
    ap_index: Ragged, dv_index: Ragged, ml_index: Ragged, density: Ragged, seed: Ragged, target: Ragged
) -> Ragged:
    """The way from a voxel to a place along dense voxels, by Dijkstra's search over the 26 neighbours of each.

    A step costs its length over the density of the voxel that it leads to, plus 0.001. The service's own way of
    searching is not published: only the ends of a path can be compared with it.

    ap_index, dv_index, ml_index, density : ragged, voxels of a grid whose density is above 0
    seed : ragged, indices along ap, dv and ml of the voxel to start from
    target : ragged, the same of the place to come to, in voxels; the path ends in the voxel that is nearest to it
    returns : ragged int64, places of the path's voxels among those given, first to last; empty where the seed is
        none of them, or nothing leads to the target
    """
    paths = []
    for i in range(len(ap_index)):
        voxels = np.stack([ap_index[i], dv_index[i], ml_index[i]], axis=1).astype(np.int64)
        paths.append(_path(voxels, density[i], seed[i], target[i]))
    return Ragged.of(paths, np.int64)


def _path(voxels: np.ndarray, density: np.ndarray, seed: np.ndarray, target: np.ndarray) -> np.ndarray:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    (at_seed,) = np.nonzero((voxels == seed).all(axis=1)) if len(voxels) else (np.empty(0, int),)
    if not len(at_seed):
        return np.empty(0, np.int64)
    start, goal = int(at_seed[0]), int(((voxels - target) ** 2).sum(axis=1).argmin())
    lowest = voxels.min(axis=0) - 1
    extent = voxels.max(axis=0) - lowest + 2  # a margin on each side: a neighbour's code is nobody else's
    codes = np.ravel_multi_index(tuple((voxels - lowest).T), tuple(extent))
    order = np.argsort(codes)
    known = codes[order]
    origins, ends, costs = [], [], []
    for step in _STEPS:
        wanted = codes + (step[0] * extent[1] + step[1]) * extent[2] + step[2]
        place = np.searchsorted(known, wanted).clip(max=len(known) - 1)
        (one,) = np.nonzero(known[place] == wanted)
        other = order[place[one]]
        length = float(np.sqrt(np.square(step).sum()))
        origins += [one, other]
        ends += [other, one]
        costs += [length / (density[other] + FLOOR), length / (density[one] + FLOOR)]
    n = len(voxels)
    graph = csr_array((np.concatenate(costs), (np.concatenate(origins), np.concatenate(ends))), shape=(n, n))
    _, before = dijkstra(graph, indices=start, return_predecessors=True)
    path = [goal]
    while path[-1] != start:
        previous = int(before[path[-1]])
        if previous < 0:
            return np.empty(0, np.int64)
        path.append(previous)
    return np.array(path[::-1], np.int64)
