"""Samples of sweeps as the lake keeps them: whole sweeps, counts of the digitiser where they are exact, envelopes.

Why so: docs/sweep-layout.md.
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
_MAX_RANGE = 1 << 22  # counts between extremes: beyond it values are no digitiser's


def trace_rows(
    specimen_id: int, sweep_number: int, stimulus: np.ndarray | None, response: np.ndarray | None
) -> Iterator[Rows]:
    """``icephys.stored_traces`` and ``icephys.sweep_envelopes`` of one sweep; sweeps come by specimen and number.

    stimulus, response : (n,) samples in V or A, None where there is none. Single precision is kept bit by bit, double
        precision too: beside the samples in single precision stand the exact ones, where those differ and the
        digitiser's counts do not tell them.
    """
    shown: dict[str, np.ndarray | None] = {"stimulus": _single(stimulus), "response": _single(response)}
    counted = None if response is None else quantised(response)
    counts, scale = counted if counted else (None, None)
    yield Rows(
        "icephys.stored_traces",
        {
            "specimen_id": [specimen_id],
            "sweep_number": [sweep_number],
            "stimulus": _lists([shown["stimulus"]], float32),
            "response": _lists([None if counted else shown["response"]], float32),
            "response_counts": _lists([counts], int32),
            "response_scale": pa.array([scale], float64),
            "stimulus_exact": _lists([_exact(stimulus, shown["stimulus"])], float64),
            "response_exact": _lists([None if counted else _exact(response, shown["response"])], float64),
        },
    )
    levels = list(envelopes(shown["stimulus"], shown["response"]))
    if levels:
        names = ("stimulus_min", "stimulus_max", "response_min", "response_max", "response_mean")
        yield Rows(
            "icephys.sweep_envelopes",
            {
                "specimen_id": [specimen_id] * len(levels),
                "sweep_number": [sweep_number] * len(levels),
                "bin_samples": pa.array([bin_samples for bin_samples, _ in levels], int32),
                **{name: _lists([level.get(name) for _, level in levels], float32) for name in names},
            },
        )


def quantised(values: np.ndarray) -> tuple[np.ndarray, float] | None:
    """(counts, scale) that give every value back bit by bit, or None: ``counts * scale`` in the values' precision.

    values : (n,) float32 or float64, as a digitiser gave them times factors
    counts : (n,) int32

    The step between values is guessed from some of them. Each value ``v = round(k * scale)`` then leaves the scale an
    interval of half a unit in the last place around ``v / k``; any scale in all intervals is exact.
    """
    if not len(values):
        return None
    stride = max(len(values) // _PROBED, 1)
    probe = np.unique(np.concatenate([values[:_PROBED], values[::stride]]))
    if len(probe) < 2 or not np.isfinite(probe).all():
        return None
    step = _step(probe)
    if step is None:
        return None
    for some in (probe, values):  # the interval left by some values, and only if that does not do, by all
        scale = _scale(some, step)
        if scale is None:
            return None
        with np.errstate(invalid="ignore", over="ignore"):
            counts = np.rint(values / np.float64(scale))
            if not np.abs(counts).max() <= _MAX_RANGE:  # also where one is NaN
                return None
            whole = counts.astype(np.int32)
        if _same_bits((whole * np.float64(scale)).astype(values.dtype), values):
            return whole, scale
    return None


def _step(probe: np.ndarray) -> float | None:
    """Step between sorted distinct values, near enough to count them; None where there is none to speak of."""
    distance = probe.astype(np.float64) - float(probe[0])
    step = float(np.diff(distance).min())
    if not step > 0 or distance[-1] / step > _MAX_RANGE:
        return None
    reach = 64.0
    while reach < _MAX_RANGE:  # a step off by its last digits miscounts far values: sharpen it by near ones first
        near = distance[distance <= reach * step]
        k = np.rint(near / step)
        if k.any():
            step = float((near * k).sum() / (k * k).sum())
        if near[-1] == distance[-1]:
            break
        reach *= 4
    return step


def _scale(values: np.ndarray, step: float) -> float | None:
    """The shortest number within the intervals that values leave for the scale; None where they exclude each other."""
    with np.errstate(invalid="ignore", divide="ignore"):
        k = np.rint(values / np.float64(step))
        half = np.spacing(np.abs(values)).astype(np.float64) / 2
        known = k != 0
        size, exact = np.abs(k[known]), np.abs(values[known].astype(np.float64))
        low, high = ((exact - half[known]) / size).max(initial=0), ((exact + half[known]) / size).min(initial=np.inf)
    if not low <= high < np.inf:
        return None
    middle = (low + high) / 2
    candidates = (float(f"{middle:.{digits}g}") for digits in range(1, 17))
    return next((c for c in candidates if low < c < high), float(middle))


def envelopes(stimulus: np.ndarray | None, response: np.ndarray | None) -> Iterator[tuple[int, dict[str, np.ndarray]]]:
    """(samples a bin, extremes of bins) of every zoom level that says more than the one before.

    Samples that are NaN do not count; a bin of nothing else is NaN.
    """
    traces = {name: t for name, t in (("stimulus", stimulus), ("response", response)) if t is not None and len(t)}
    if not traces:
        return
    longest = max(len(trace) for trace in traces.values())
    low, high = dict(traces), dict(traces)
    total = {name: trace.astype(np.float64) for name, trace in traces.items() if name == "response"}
    number: dict[str, np.ndarray] = {}
    before = 1
    for bin_samples in ENVELOPE_BINS:
        if longest <= before:
            return
        factor, level = bin_samples // before, {}
        for name in traces:
            low[name] = _reduced(np.fmin, low[name], factor)
            high[name] = _reduced(np.fmax, high[name], factor)
            level |= {f"{name}_min": low[name], f"{name}_max": high[name]}
        if "response" in traces:
            is_number = ~np.isnan(total["response"]) if before == 1 else number["response"]
            counted = _reduced(np.add, is_number.astype(np.float64), factor)
            summed = _reduced(np.add, np.nan_to_num(total["response"], nan=0.0), factor)
            number["response"], total["response"] = counted, summed
            with np.errstate(invalid="ignore", divide="ignore"):
                level["response_mean"] = (summed / counted).astype(np.float32)
        yield bin_samples, level
        before = bin_samples


def _reduced(operation: np.ufunc, values: np.ndarray, factor: int) -> np.ndarray:
    """Every ``factor`` values made one; the last of what is left."""
    whole = len(values) // factor * factor
    reduced = operation.reduce(values[:whole].reshape(-1, factor), axis=1)
    if whole < len(values):
        reduced = np.append(reduced, operation.reduce(values[whole:]))
    return reduced


def _single(values: np.ndarray | None) -> np.ndarray | None:
    with np.errstate(over="ignore"):
        return None if values is None else np.ascontiguousarray(values, np.float32)


def _exact(values: np.ndarray | None, single: np.ndarray | None) -> np.ndarray | None:
    """The values, where single precision does not hold them."""
    if values is None or single is None or values.dtype == np.float32:
        return None
    return None if np.array_equal(single.astype(np.float64), values, equal_nan=True) else values.astype(np.float64)


def _same_bits(a: np.ndarray, b: np.ndarray) -> bool:
    kind = np.int32 if a.dtype.itemsize == 4 else np.int64
    return np.array_equal(a.view(kind), np.ascontiguousarray(b).view(kind))


def _lists(rows: list[Any], of: pa.DataType) -> pa.Array:
    """A LIST column; None is NULL. One array is not copied."""
    kept = [np.asarray(row, of.to_pandas_dtype()) for row in rows if row is not None]
    offsets = np.concatenate([[0], np.cumsum([0 if row is None else len(row) for row in rows])]).astype(np.int32)
    flat = kept[0] if len(kept) == 1 else np.concatenate(kept) if kept else np.empty(0, of.to_pandas_dtype())
    mask = pa.array([row is None for row in rows]) if len(kept) < len(rows) else None
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat), type=list_(of), mask=mask)
