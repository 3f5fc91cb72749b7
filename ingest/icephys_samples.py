"""Samples of sweeps as the lake keeps them: whole sweeps, as steps of the digitiser where there are such, envelopes.

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
_MAX_LEVELS = 1 << 18  # steps between extremes: beyond it values are no digitiser's


def trace_rows(
    specimen_id: int, sweep_number: int, stimulus: np.ndarray | None, response: np.ndarray | None
) -> Iterator[Rows]:
    """``icephys.stored_traces`` and ``icephys.sweep_envelopes`` of one sweep; sweeps come by specimen and number.

    stimulus, response : (n,) samples in V or A, None where there is none. Single precision is kept bit by bit, double
        precision too: beside the samples in single precision stand the exact ones, where those differ and the
        digitiser's levels do not tell them.
    """
    shown: dict[str, np.ndarray | None] = {"stimulus": _single(stimulus), "response": _single(response)}
    coded = None if response is None else quantised(response)
    codes, levels = coded if coded else (None, None)
    yield Rows(
        "icephys.stored_traces",
        {
            "specimen_id": [specimen_id],
            "sweep_number": [sweep_number],
            "stimulus": _lists([shown["stimulus"]], float32),
            "response": _lists([None if coded else shown["response"]], float32),
            "response_codes": _lists([codes], int32),
            "response_levels": _lists([levels], float64),
            "stimulus_exact": _lists([_exact(stimulus, shown["stimulus"])], float64),
            "response_exact": _lists([None if coded else _exact(response, shown["response"])], float64),
        },
    )
    zooms = list(envelopes(shown["stimulus"], shown["response"]))
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


def quantised(values: np.ndarray) -> tuple[np.ndarray, np.ndarray] | None:
    """(codes, levels) such that ``levels[codes]`` are the values bit by bit; None where they are no digitiser's.

    values : (n,) float32 or float64
    codes : (n,) int32, steps above the smallest value; a further code stands for NaN
    levels : float64, the value of each code

    Which value a step has is looked up, not computed: programs scale a digitiser's integers in one or in several
    roundings, and only the table gives back each of them.
    """
    stride = max(len(values) // _PROBED, 1)
    probe = np.unique(np.concatenate([values[:_PROBED], values[::stride]]))
    step = _step(probe[np.isfinite(probe)])
    if step is None:
        return None
    is_nan = np.isnan(values)
    with np.errstate(invalid="ignore", over="ignore"):
        steps = np.rint(values / np.float64(step))
        first, last = np.fmin.reduce(steps), np.fmax.reduce(steps)
        if not last - first < min(_MAX_LEVELS, len(values) / 2):  # or the table would be the greater part
            return None
        codes = (steps - first).astype(np.int32)
    levels = np.full(int(last - first) + 1, np.nan)
    if is_nan.any():
        codes[is_nan] = len(levels)
        levels = np.append(levels, np.nan)
    levels[codes] = values
    same = _same_bits(levels.astype(values.dtype)[codes], values)
    return (codes, levels) if same else None


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
    low, high = dict(traces), dict(traces)
    total = {name: trace.astype(np.float64) for name, trace in traces.items() if name == "response"}
    number: dict[str, np.ndarray] = {}
    before = 1
    for bin_samples in ENVELOPE_BINS:
        if longest <= before:
            return
        factor = bin_samples // before
        level: dict[str, np.ndarray] = {}
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
    """Equal to the last bit; any NaN is equal to any other."""
    kind = np.int32 if a.dtype.itemsize == 4 else np.int64
    differs = np.ascontiguousarray(a).view(kind) != np.ascontiguousarray(b).view(kind)
    return not differs.any() or bool(np.isnan(a[differs]).all() and np.isnan(b[differs]).all())


def _lists(rows: list[Any], of: pa.DataType) -> pa.Array:
    """A LIST column; None is NULL. One array is not copied."""
    kept = [np.asarray(row, of.to_pandas_dtype()) for row in rows if row is not None]
    offsets = np.concatenate([[0], np.cumsum([0 if row is None else len(row) for row in rows])]).astype(np.int32)
    flat = kept[0] if len(kept) == 1 else np.concatenate(kept) if kept else np.empty(0, of.to_pandas_dtype())
    mask = pa.array([row is None for row in rows]) if len(kept) < len(rows) else None
    return pa.ListArray.from_arrays(pa.array(offsets), pa.array(flat), type=list_(of), mask=mask)
