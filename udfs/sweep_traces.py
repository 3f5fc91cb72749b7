"""Samples of sweeps out of the form they are stored in."""

from __future__ import annotations

import numpy as np
import pyarrow as pa

from .registry import Ragged, udf


@udf(args=[pa.list_(pa.int32()), pa.list_(pa.float64())], returns=pa.list_(pa.float32()), keep_nan=True)
def samples_of_codes(codes: Ragged, levels: Ragged) -> Ragged:
    """Samples of sweeps kept as steps of the digitiser: ``levels[codes]`` in single precision (NW-8).

    codes : ragged int32, one row a sweep
    levels : ragged, the value of each code (V or A)
    returns : ragged float32 (V or A)
    """
    samples = np.empty(len(codes.values), np.float32)
    for i, level in enumerate(levels):
        part = slice(codes.offsets[i], codes.offsets[i + 1])
        if part.start < part.stop:
            np.take(level.astype(np.float32), codes.values[part], out=samples[part], mode="clip")
    return Ragged(samples, codes.offsets)
