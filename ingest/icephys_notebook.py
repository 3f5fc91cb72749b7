"""The laboratory notebook that MIES keeps in its NWB files: for every entry a value a key and headstage (2.3)."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
import pyarrow as pa

from .contract import Rows
from .hdf5 import Dataset
from .hdf5_values import printable
from .nwb_file import NwbFile

NOTEBOOK = "/general/labnotebook"
_SWEEP_KEYS = ("SweepNum", "Sweep #")  # the newer name first
_VALUES = 1 << 20  # read at once
_SOURCES = (("numerical", "fiu"), ("textual", "OSU"))  # and the kinds of their values; in the order of rows


def has_notebook(nwb: NwbFile) -> bool:
    return any(nwb.is_group(f"{NOTEBOOK}/{device}") for device in nwb.children(NOTEBOOK))


def notebook_rows(nwb: NwbFile, file_id: int) -> Iterator[Rows]:
    """``icephys.lab_notebook``: the values that are there, by device and entry. Raises SourceError."""
    for device in nwb.children(NOTEBOOK):
        for source, kinds in _SOURCES:
            at = f"{NOTEBOOK}/{device}/{source}"
            if nwb.is_dataset(f"{at}Values") and nwb.is_dataset(f"{at}Keys"):
                yield from _rows(nwb, device, source, kinds, file_id)


def _rows(nwb: NwbFile, device: str, source: str, kinds: str, file_id: int) -> Iterator[Rows]:
    at = f"{NOTEBOOK}/{device}/{source}"
    keys, units = _keys(nwb, f"{at}Keys")
    values = nwb.dataset(f"{at}Values")
    if values.ndim != 3 or values.shape[1] != len(keys) or not (values.dtype.kind in kinds or values.is_text):
        shape = " x ".join(map(str, values.shape))
        raise nwb.error(
            f"{at}Values", f"should be entries x {len(keys)} keys x headstages, and is {shape} {values.dtype}"
        )
    sweep_key = next((keys.index(key) for key in _SWEEP_KEYS if key in keys), None)
    entries = max(_VALUES // max(values.shape[1] * values.shape[2], 1), 1)
    for start in range(0, values.shape[0], entries):
        block, is_there = _block(values, start, start + entries)
        sweeps = np.full(len(block), np.nan)
        if sweep_key is not None:
            numbers = _numbers(block[:, sweep_key, :])
            known = np.isfinite(numbers) & (numbers >= 0) & (numbers < 2**31)
            first = known.argmax(axis=1)
            sweeps = np.where(known.any(axis=1), np.take_along_axis(numbers, first[:, None], 1)[:, 0], np.nan)
        entry, key, headstage = np.nonzero(is_there)
        if not len(entry):
            continue
        found, number = block[entry, key, headstage], sweeps[entry]
        is_text = source == "textual"
        yield Rows(
            "icephys.lab_notebook",
            {
                "file_id": np.full(len(entry), file_id, np.int64),
                "device": [printable(device)] * len(entry),
                "entry_source": [source] * len(entry),
                "entry_index": (entry + start).astype(np.int32),
                "sweep_number": pa.array(np.nan_to_num(number).astype(np.int64), mask=np.isnan(number)),
                "headstage": headstage.astype(np.int32),
                "entry_key": [keys[k] for k in key.tolist()],
                "value": pa.nulls(len(entry), pa.float64()) if is_text else pa.array(found.astype(np.float64)),
                "value_text": pa.array([str(v) for v in found] if is_text else [None] * len(entry), pa.string()),
                "value_unit": [units[k] for k in key.tolist()],
            },
        )


def _keys(nwb: NwbFile, path: str) -> tuple[list[str], list[str | None]]:
    """Names and units of the keys: the first two rows."""
    table = nwb.dataset(path)
    if table.ndim != 2 or not table.shape[0] or not table.is_text:
        raise nwb.error(path, f"should be rows of texts about keys, and is {table.ndim}-dimensional {table.dtype}")
    rows = table[()]
    units = rows[1].tolist() if len(rows) > 1 else [""] * rows.shape[1]
    return [str(name) for name in rows[0].tolist()], [str(unit) if unit else None for unit in units]


def _block(values: Dataset, start: int, stop: int) -> tuple[np.ndarray, np.ndarray]:
    """Entries, and which of their values are there."""
    block = values[start:stop]
    if block.dtype.kind in "fiu":
        return block, ~np.isnan(block.astype(np.float64))
    return block, block.astype(object) != ""


def _numbers(values: np.ndarray) -> np.ndarray:
    """Values as numbers, NaN where they are none."""
    if values.dtype.kind in "fiu":
        return values.astype(np.float64)
    flat = [_number(value) for value in values.reshape(-1).tolist()]
    return np.array(flat, np.float64).reshape(values.shape)


def _number(value: object) -> float:
    try:
        return float(str(value))
    except ValueError:
        return np.nan
