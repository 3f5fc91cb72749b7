"""The tree of an NWB file: every group, dataset and link, met once."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import h5py
import numpy as np

from ..lake.tables.nwb import OBJECTS
from .contract import Report, Rows
from .hdf5 import Dataset
from .hdf5_values import plain, printable
from .nwb_file import NwbFile
from .nwb_specs import SPECIFICATIONS
from .salvage import salvaging

_BATCH = 4_096
_MAX_DEPTH = 128
_VALUE_ELEMENTS = 16
_VALUE_LENGTH = 16_384  # characters of a value kept beside its object
_ATTRIBUTE_ELEMENTS = 1_024


@dataclass(frozen=True)
class Entry:
    """One object or link. ``kind`` and ``target`` as in ``nwb.objects``."""

    path: str
    kind: str
    target: str | None = None
    neurodata_type: str | None = None

    @property
    def is_group(self) -> bool:
        return self.kind == "group"


def walk(nwb: NwbFile, report: Report) -> list[Entry]:
    """Every object of the file in the order of paths. One that is met again, by whatever path, is a link to the first.

    The file learns which path an address has, so that references read as these paths.
    """
    first_path: dict[int, str] = {}
    entries, waiting = [], ["/"]
    while waiting:
        path = waiting.pop()
        with salvaging(report):
            entry = _entry(nwb, path, first_path)
            entries.append(entry)
            if entry.kind == "external_link":
                report.warn(f"{printable(path)} leads to another file ({entry.target}), which is not followed")
            if entry.is_group:
                if path.count("/") > _MAX_DEPTH:
                    raise nwb.error(path, f"is nested deeper than {_MAX_DEPTH} groups")
                waiting += [f"{path.rstrip('/')}/{name}" for name in reversed(nwb.children(path))]
    return sorted(entries, key=lambda entry: printable(entry.path))


def _entry(nwb: NwbFile, path: str, first_path: dict[int, str]) -> Entry:
    kind, target = nwb.link(path) if path != "/" else ("hard", None)
    if kind != "hard":
        return Entry(path, f"{kind}_link", target)
    item, address = nwb.item(path), nwb.address(path)
    if address in first_path:
        return Entry(path, "hard_link", first_path[address])
    first_path[address] = path
    nwb.name_address(address, printable(path))
    if isinstance(item, h5py.Datatype):
        return Entry(path, "datatype")
    return Entry(path, "group" if isinstance(item, h5py.Group) else "dataset", None, nwb.neurodata_type(path))


def object_rows(nwb: NwbFile, file_id: int, entries: Sequence[Entry], report: Report) -> Iterator[Rows]:
    """Rows of ``nwb.objects``, in the order of paths."""
    for first in range(0, len(entries), _BATCH):
        rows = []
        for entry in entries[first : first + _BATCH]:
            with salvaging(report):
                rows.append({"file_id": file_id, **_row(nwb, entry)})
        names = OBJECTS.arrow.names[:-1]
        yield Rows(OBJECTS.name, {name: [row.get(name) for row in rows] for name in names})
        report.progress("objects", min(first + _BATCH, len(entries)), len(entries))


def _row(nwb: NwbFile, entry: Entry) -> dict[str, Any]:
    row: dict[str, Any] = {
        "path": printable(entry.path),
        "kind": entry.kind,
        "target": printable(entry.target) if entry.target else None,
    }
    if entry.kind not in ("group", "dataset"):
        return row
    attributes = nwb.attributes(entry.path)
    row |= {
        "neurodata_type": entry.neurodata_type,
        "namespace": _text(attributes.get("namespace")),
        "attributes": to_json({name: _short(value) for name, value in attributes.items()}) if attributes else None,
        "base_types": list(nwb.types.lineage(entry.neurodata_type)) if entry.neurodata_type else None,
    }
    if entry.kind == "dataset":
        dataset = nwb.dataset(entry.path)
        row |= {
            "shape": list(dataset.shape),
            "dtype": type_name(dataset.dtype),
            "size_bytes": dataset.stored_bytes,
            "value": _value(dataset) if not entry.path.startswith(f"{SPECIFICATIONS}/") else None,
        }
    return row


def _value(dataset: Dataset) -> str | None:
    """A scalar, or a short list of texts, as text."""
    is_short = dataset.size == 1 or (dataset.is_text and dataset.size <= _VALUE_ELEMENTS)
    if dataset.is_null or dataset.size == 0 or not is_short or dataset.row_bytes > _VALUE_LENGTH:
        return None
    values = plain(dataset[()].reshape(-1))
    value = values[0] if len(values) == 1 else values
    text = value if isinstance(value, str) else to_json(value)
    return text if len(text) <= _VALUE_LENGTH else None


def type_name(dtype: np.dtype) -> str:
    """A type as people name it: text, reference, int64, {idx_start: int32, ...}."""
    if dtype.names is not None:
        assert dtype.fields is not None
        return "{" + ", ".join(f"{name}: {type_name(dtype.fields[name][0])}" for name in dtype.names) + "}"
    if dtype.subdtype is not None:
        return f"{type_name(dtype.subdtype[0])}[{', '.join(map(str, dtype.subdtype[1]))}]"
    if dtype.kind == "S" or h5py.check_string_dtype(dtype) is not None:
        return "text"
    if h5py.check_ref_dtype(dtype) is not None:
        return "reference"
    if (element := h5py.check_vlen_dtype(dtype)) is not None:
        return f"{type_name(element)}[]"
    if h5py.check_enum_dtype(dtype) is not None:
        return "enumeration"
    return "opaque" if dtype.kind == "V" else dtype.name


def to_json(value: Any) -> str:
    """JSON of plain values; what is no number in JSON (NaN, infinity) is null."""
    return json.dumps(_finite(value), ensure_ascii=False, default=str)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if np.isfinite(value) else None
    if isinstance(value, str):
        return printable(value)
    if isinstance(value, dict):
        return {printable(str(name)): _finite(v) for name, v in value.items()}
    return [_finite(v) for v in value] if isinstance(value, list) else value


def _short(value: Any) -> Any:
    if isinstance(value, list) and len(value) > _ATTRIBUTE_ELEMENTS:
        return f"{len(value)} values"
    return value


def _text(value: Any) -> str | None:
    return None if value is None else str(value)
