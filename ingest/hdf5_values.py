"""Values of HDF5 as Python and numpy know them: text as str, references as paths, enumerations as their names."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import h5py
import numpy as np


class Decoder:
    """Turns what h5py reads into plain arrays.

    path_of : path of the object behind a reference, or None
    """

    def __init__(self, path_of: Callable[[h5py.Reference], str | None]) -> None:
        self._path_of = path_of

    def decode(self, values: np.ndarray, stored: np.dtype) -> np.ndarray:
        """Numbers and booleans as they are; text, reference paths and names of enumerations as objects.

        values : as read; stored : the dataset's own type, which carries what h5py knows beyond numpy's
        """
        if values.dtype.names is not None:
            return self._fields(values, stored)
        if stored.kind in "SU" or h5py.check_string_dtype(stored) is not None:
            return _objects(values, text)
        if (kind := h5py.check_ref_dtype(stored)) is not None:
            return _objects(values, self._path_of if kind is h5py.Reference else lambda _: None)
        if (names := h5py.check_enum_dtype(stored)) is not None:
            spelled = {number: name for name, number in names.items()}
            return _objects(values, lambda number: spelled.get(number, str(number)))
        if (element := h5py.check_vlen_dtype(stored)) is not None:
            return _objects(values, lambda row: self.decode(np.asarray(row), element))
        return values

    def _fields(self, values: np.ndarray, stored: np.dtype) -> np.ndarray:
        """A compound, field by field; fields that are decoded become objects."""
        fields = {}
        for name in values.dtype.names or ():
            kind = (stored.fields or values.dtype.fields)[name][0]  # type: ignore[index]
            fields[name] = self.decode(values[name], kind.subdtype[0] if kind.subdtype else kind)
        dtype = np.dtype([(name, f.dtype, f.shape[values.ndim :]) for name, f in fields.items()])
        decoded = np.empty(values.shape, dtype)
        for name, field in fields.items():
            decoded[name] = field
        return decoded


def text(value: Any) -> str:
    """Text as UTF-8, or as Latin-1 where it is none: a micro sign in an old file is no reason to refuse it."""
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            return value.decode("latin-1")
    return printable(value) if isinstance(value, str) else str(value)


def printable(name: str) -> str:
    """A name without the surrogates by which Python carries bytes that are no UTF-8."""
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def plain(value: Any) -> Any:
    """numpy values as Python's: arrays as lists, compounds as dicts, opaque bytes as hexadecimal text."""
    if isinstance(value, np.ndarray):
        if value.dtype.kind == "V":  # compounds and opaque bytes, which ``tolist`` would take apart
            return plain(value[()]) if value.ndim == 0 else [plain(v) for v in value]
        return plain(value.item()) if value.ndim == 0 else [plain(v) for v in value.tolist()]
    if isinstance(value, np.void):
        if value.dtype.names is None:
            return value.tobytes().hex()
        return {name: plain(value[name]) for name in value.dtype.names}
    if isinstance(value, np.generic):
        return value.item()
    if isinstance(value, (list, tuple)):
        return [plain(v) for v in value]
    if isinstance(value, bytes):
        return text(value)
    return value


def _objects(values: np.ndarray, convert: Callable[[Any], Any]) -> np.ndarray:
    result = np.empty(values.shape, object)
    flat = result.reshape(-1)
    for i, value in enumerate(values.reshape(-1).tolist() if values.dtype != object else values.reshape(-1)):
        flat[i] = convert(value)
    return result
