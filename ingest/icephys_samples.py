"""Samples of sweeps as the lake keeps them: packed, as steps of the digitiser where there are such, with envelopes.

Why so: docs/sweep-layout.md. What unpacks them: :mod:`brainlake.udfs.sweep_traces`.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pyarrow as pa

from ..lake.spec import float32, float64, int32, list_
from .contract import Rows

ENVELOPE_BINS = (256, 4_096, 65_536)  # samples a bin of the zoom levels, each a multiple of the one before
_PROBED = 1 << 14  # samples by which the digitiser's step is guessed, from the start and from all over the sweep
_MAX_LEVELS = 1 << 16  # what a digitiser's 16 bits tell apart
_BLOCK = 1 << 15  # samples handled at once, few enough to stay in the processor's cache
_SINGLE_REACH = 1 << 20  # steps from zero within which single precision counts them without doubt


def trace_rows(
    specimen_id: int, sweep_number: int, stimulus: np.ndarray | None, response: np.ndarray | None
) -> Iterator[Rows]:
    """``icephys.stored_traces`` and ``icephys.sweep_envelopes`` of one sweep; sweeps come by specimen and number.

    stimulus, response : (n,) samples in V or A, None where there is none. Single precision is kept bit by bit, double
        precision too: beside the samples in single precision stand the exact ones, where those differ and the
        digitiser's levels do not tell them.
    """
    shown: dict[str, np.ndarray] = {}
    row: dict[str, Any] = {"specimen_id": [specimen_id], "sweep_number": [sweep_number]}
    for name, values in (("stimulus", stimulus), ("response", response)):
        coded = single = None
        if values is not None:
            coded, single = quantised(values), _single(values)
            shown[name] = single
        codes, levels = coded if coded else (single, None)
        row |= {
            f"{name}_bytes": pa.array([None if codes is None else packed(codes)], pa.binary()),
            f"{name}_levels": _lists([levels], float64),
            f"{name}_exact": _lists([None if coded else _exact(values, single)], float64),
        }
    yield Rows("icephys.stored_traces", row)
    zooms = list(envelopes(shown.get("stimulus"), shown.get("response")))
    if zooms:
        names = ("stimulus_min", "stimulus_max", "response_min", "response_max", "response_mean")
        yield Rows(
            "icephys.sweep_envelopes",
            {
                "specimen_id": [specimen_id] * len(zooms),
                "sweep_number": [sweep_number] * len(zooms),
                "bin_samples": pa.array([bin_samples for bin_samples, _ in zooms], int32),
                **{name: _lists([zoom.get(name) for _, zoom in zooms], float32) for name in names},
            },
        )


def packed(values: np.ndarray) -> bytes:
    """The lowest byte of every number, then the next byte of every number ...: alike bytes side by side compress best.

    values : (n,) uint16 or float32
    """
    little = np.ascontiguousarray(values, values.dtype.newbyteorder("<"))
    return little.view(np.uint8).reshape(len(little), little.dtype.itemsize).T.tobytes()


def quantised(values: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """(codes, levels) such that ``levels[codes]`` are the values bit by bit; None where they are no digitiser's.

    values : (n,) float32 or float64
    codes : (n,) uint16, steps above the smallest value; a further code stands for NaN
    levels : float64, the value of each code

    Which value a step has is looked up, not computed: programs scale a digitiser's integers in one or in several
    roundings, and only the table gives back each of them.
    """
    if not len(values):
        return None
    low, high = float(np.min(values)), float(np.max(values))
    if has_nan := bool(np.isnan(low)):  # fmin and fmax pass over it, and take several times as long
        low, high = float(np.fmin.reduce(values)), float(np.fmax.reduce(values))
    if not np.isfinite(high - low):
        return None
    step = 1.0 if low == high else _step(_probe(values))
    if step is None:
        return None
    is_near = max(abs(low), abs(high)) < _SINGLE_REACH * step
    kind = values.dtype.type if is_near else np.float64
    with np.errstate(invalid="ignore", over="ignore"):
        scale = kind(1 / step)
        first, last = np.rint(kind(low) * scale), np.rint(kind(high) * scale)
        n_levels = float(last - first) + 1
    if not n_levels + has_nan <= min(_MAX_LEVELS, len(values) / 2):  # or the table would be the greater part
        return None
    codes = np.empty(len(values), np.uint16)
    levels = np.full(int(n_levels) + has_nan, np.nan, values.dtype)
    for start in range(0, len(values), _BLOCK):
        block, of_block = values[start : start + _BLOCK], codes[start : start + _BLOCK]
        steps = np.rint(block * scale)
        steps -= first
        if has_nan:
            steps[np.isnan(steps)] = n_levels
        of_block[...] = steps
        if not _holds(levels, of_block, block):
            return None
    return codes, levels.astype(np.float64)


def _holds(levels: np.ndarray, codes: np.ndarray, values: np.ndarray) -> bool:
    """``levels[codes]`` are the values bit by bit, once levels that no sample had before are filled in."""
    differs = _differing(levels.take(codes), values)
    if not differs.any():
        return True
    new = codes[differs]
    if not np.isnan(levels[new]).all():
        return False
    levels[new] = values[differs]
    return not _differing(levels.take(codes), values).any()


def _probe(values: np.ndarray) -> np.ndarray:
    """Sorted distinct finite values of some of the samples."""
    stride = max(len(values) // _PROBED, 1)
    probe = np.unique(np.concatenate([values[:_PROBED], values[::stride]]))
    return probe[np.isfinite(probe)]


def _step(probe: np.ndarray) -> float | None:
    """Step between sorted distinct values, near enough to count them; None where there is none to speak of."""
    if len(probe) < 2:
        return None
    distance = probe.astype(np.float64) - float(probe[0])
    step = float(np.diff(distance).min())
    if not (step > 0 and distance[-1] < _MAX_LEVELS * step):
        return None
    reach = 64.0
    while True:  # a step off by its last digits miscounts far values: sharpen it by near ones first
        near = distance[distance <= reach * step]
        k = np.rint(near / step)
        if k.any():
            step = float((near * k).sum() / (k * k).sum())
        if near[-1] == distance[-1]:
            return step
        reach *= 4


def envelopes(stimulus: np.ndarray | None, response: np.ndarray | None) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """(samples a bin, extremes of bins) of every zoom level that says more than the one before.

    Samples that are NaN do not count; a bin of nothing else is NaN.
    """
    traces = {name: t for name, t in (("stimulus", stimulus), ("response", response)) if t is not None and len(t)}
    if not traces:
        return
    longest = max(len(trace) for trace in traces.values())
    extremes = {name: (trace, trace) for name, trace in traces.items()}
    total, counted = _countable(traces.get("response"))
    before = 1
    for bin_samples in ENVELOPE_BINS:
        if longest <= before:
            return
        factor = bin_samples // before
        level: dict[str, np.ndarray] = {}
        for name, (low, high) in extremes.items():
            has_nan = bool(np.isnan(np.min(low)))  # minimum and maximum are several times as fast as fmin and fmax
            low = _reduced(np.fmin if has_nan else np.minimum, low, factor)
            high = _reduced(np.fmax if has_nan else np.maximum, high, factor)
            extremes[name] = low, high
            level |= {f"{name}_min": low, f"{name}_max": high}
        if total is not None and counted is not None:
            with np.errstate(invalid="ignore", divide="ignore"):
                total = _reduced(np.add, total, factor, np.float64)
                counted = _reduced(np.add, counted, factor, np.float64)
                level["response_mean"] = (total / counted).astype(np.float32)
        yield bin_samples, level
        before = bin_samples


def _countable(trace: np.ndarray | None) -> tuple[np.ndarray | None, np.ndarray | None]:
    """Samples with 0 for NaN, and whether each is a number."""
    if trace is None or not len(trace):
        return None, None
    if not np.isnan(np.min(trace)):
        return trace, np.broadcast_to(np.int8(1), len(trace))
    is_number = ~np.isnan(trace)
    return np.where(is_number, trace, np.float32(0)), is_number


def _reduced(operation: np.ufunc, values: np.ndarray, factor: int, dtype: Any = None) -> np.ndarray:
    """Every ``factor`` values made one; the last of what is left."""
    whole = len(values) // factor * factor
    reduced = operation.reduce(values[:whole].reshape(-1, factor), axis=1, dtype=dtype)
    if whole < len(values):
        reduced = np.append(reduced, operation.reduce(values[whole:], dtype=dtype))
    return reduced


def _single(values: np.ndarray) -> np.ndarray:
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(values, np.float32)


def _exact(values: np.ndarray | None, single: np.ndarray | None) -> np.ndarray | None:
    """The values, where single precision does not hold them."""
    if values is None or single is None or values.dtype == np.float32:
        return None
    return None if np.array_equal(single.astype(np.float64), values, equal_nan=True) else values.astype(np.float64)


def _differing(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Where two arrays of a type differ in any bit; any NaN is equal to any other."""
    kind = np.int32 if a.dtype.itemsize == 4 else np.int64
    differs = np.ascontiguousarray(a).view(kind) != np.ascontiguousarray(b).view(kind)
    if differs.any():
        differs &= ~(np.isnan(a) & np.isnan(b))
    return differs


def _lists(rows: list[Any], of: pa.DataType) -> pa.Array:
    """A LIST column; None is NULL. One array is not copied."""
    kept = [np.asarray(row, of.to_pandas_dtype()) for row in rows if row is not None]
    offsets = np.concatenate([[0], np.cumsum([0 if row is None else len(row) for row in rows])]).astype(np.int32)
    flat = kept[0] if len(kept) == 1 else np.concatenate(kept) if kept else np.empty(0, of.to_pandas_dtype())
    mask = pa.array([row is None for row in rows]) if len(kept) < len(rows) else None
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat), type=list_(of), mask=mask)
