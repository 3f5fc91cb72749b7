"""Samples of sweeps out of the form they are stored in."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from .registry import Ragged, udf


@udf(args=[pa.list_(pa.int32()), pa.float64()], returns=pa.list_(pa.float32()))
def counted_samples(counts: Ragged, scale: np.ndarray) -> Ragged:
    """Samples of sweeps kept as counts of the digitiser: ``counts * scale`` in single precision (NW-8).

    counts : ragged int32, one row a sweep
    scale : (rows,) V or A a count
    returns : ragged float32 (V or A)
    """
    samples = np.empty(len(counts.values), np.float32)
    for i, factor in enumerate(scale):
        part = slice(counts.offsets[i], counts.offsets[i + 1])
        # in double precision and rounded once, as the counts were found; without room for the doubles
        np.multiply(counts.values[part], factor, out=samples[part], dtype=np.float64, casting="unsafe")
    return Ragged(samples, counts.offsets)
