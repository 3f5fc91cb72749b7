"""How spikes follow each other: counts of the lags between two trains."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from .compiling import WORTH_COMPILING, compiled
from .registry import Ragged, udf
from .spikes import unpack

_BLOB = pa.binary()


@udf(args=[_BLOB, _BLOB, _BLOB, pa.bool_()], returns=pa.list_(pa.int64()))
def correlogram(packed_reference: Ragged, packed_other: Ragged, packed_edges: Ragged, is_same: np.ndarray) -> Ragged:
    """Pairs of a spike of one train and a spike of another, counted by their lag (Perkel, Gerstein & Moore 1967).

    A pair counts in bin k if reference + edges[k] <= other < reference + edges[k + 1].

    packed_reference, packed_other, packed_edges : ragged, s, ascending
    is_same : the trains are one, and no spike is paired with itself
    returns : ragged int64, n_edges - 1 counts a row
    """
    reference, other, edges = unpack(packed_reference), unpack(packed_other), unpack(packed_edges)
    histograms = [np.empty(0, np.int64)]
    for row, grid in enumerate(edges):
        a, b = reference[row], other[row]
        below = np.zeros(len(grid), np.int64)
        fast = compiled(_count_below) if len(a) * len(grid) > WORTH_COMPILING else None
        if fast:
            fast(a, b, grid, below)
        else:
            below[:] = [np.searchsorted(b, a + edge).sum() for edge in grid]
        counts = np.diff(below)
        zero = np.searchsorted(grid, 0.0, side="right") - 1
        if is_same[row] and 0 <= zero < len(counts):
            counts[zero] -= len(a)
        histograms.append(counts)
    return Ragged(np.concatenate(histograms), np.cumsum([0, *(len(h) for h in histograms[1:])]))


def _count_below(a, b, grid, below):  # type: ignore[no-untyped-def]
    for k in range(len(grid)):
        until, total = 0, 0
        for i in range(len(a)):
            limit = a[i] + grid[k]
            while until < len(b) and b[until] < limit:
                until += 1
            total += until
        below[k] = total
