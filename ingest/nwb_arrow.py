"""Values of HDF5 as Arrow arrays in types that every engine reads: the columns of a DynamicTable."""

from __future__ import annotations

import h5py
import numpy as np
import pyarrow as pa

# unsigned types become the next wider signed ones; uint64 is checked value by value
_NUMBERS = {
    "i1": pa.int8(), "i2": pa.int16(), "i4": pa.int32(), "i8": pa.int64(),
    "u1": pa.int16(), "u2": pa.int32(), "u4": pa.int64(), "u8": pa.int64(),
    "f2": pa.float32(), "f4": pa.float32(), "f8": pa.float64(), "f16": pa.float64(),
}  # fmt: skip


def arrow_type(stored: np.dtype, inner: tuple[int, ...] = ()) -> pa.DataType:
    """The Arrow type of one value.

    stored : type of the dataset, which carries what h5py knows beyond numpy's
    inner : shape of one row behind the first axis; each axis becomes a list
    """
    if stored.subdtype is not None:
        return arrow_type(stored.subdtype[0], inner + stored.subdtype[1])
    if inner:
        return pa.list_(arrow_type(stored, inner[1:]))
    if stored.names is not None:
        assert stored.fields is not None
        return pa.struct([(name, arrow_type(stored.fields[name][0])) for name in stored.names])
    if (element := h5py.check_vlen_dtype(stored)) is not None and h5py.check_string_dtype(stored) is None:
        return pa.list_(arrow_type(element))
    if stored.kind == "b":
        return pa.bool_()
    if stored.kind == "c":
        return pa.struct([("real", pa.float64()), ("imag", pa.float64())])
    if stored.kind in "iuf" and h5py.check_enum_dtype(stored) is None:
        return _NUMBERS[f"{stored.kind}{stored.itemsize}"]
    return pa.string()  # text, paths of references, names of enumerations, opaque bytes as hexadecimal digits


def arrow_array(values: np.ndarray, type_: pa.DataType, *, nan_is_null: bool = False) -> pa.Array:
    """Decoded values, one or more axes, as an array of :func:`arrow_type`.

    Raises OverflowError for an unsigned number beyond int64.
    """
    if pa.types.is_list(type_):
        return _lists(values, type_)
    if pa.types.is_struct(type_):
        return _struct(values, type_)
    if pa.types.is_string(type_):
        return pa.array([v.hex() if isinstance(v, bytes) else v for v in values.tolist()], type_)
    if values.dtype.kind == "u" and values.dtype.itemsize == 8 and len(values) and values.max() >= 1 << 63:
        raise OverflowError(f"holds {values.max()}, which is beyond 64-bit whole numbers")
    return pa.array(values.astype(type_.to_pandas_dtype(), copy=False), type_, from_pandas=nan_is_null)


def ragged_array(values: pa.Array, ends: np.ndarray, first: int) -> pa.ListArray:
    """Rows of lists from the values of all rows.

    ends : where each row ends, counted in all the values of the column; first : where the first row starts
    """
    offsets = np.concatenate([[first], ends]).astype(np.int64) - first
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), values)


def _lists(values: np.ndarray, type_: pa.ListType) -> pa.Array:
    if values.ndim > 1:
        n, width = values.shape[:2]
        inner = arrow_array(values.reshape(n * width, *values.shape[2:]), type_.value_type)
        offsets = np.arange(n + 1, dtype=np.int64) * width
    else:  # each value is an array of its own length
        rows = [np.asarray(row) for row in values]
        offsets = np.concatenate([[0], np.cumsum([len(row) for row in rows], dtype=np.int64)]).astype(np.int64)
        flat = np.concatenate(rows) if rows else np.empty(0, type_.value_type.to_pandas_dtype())
        inner = arrow_array(flat, type_.value_type)
    return pa.ListArray.from_arrays(pa.array(offsets, pa.int32()), inner)


def _struct(values: np.ndarray, type_: pa.StructType) -> pa.Array:
    parts = [values.real, values.imag] if values.dtype.kind == "c" else [values[field.name] for field in type_]
    arrays = [arrow_array(part, field.type) for part, field in zip(parts, type_, strict=True)]
    return pa.StructArray.from_arrays(arrays, fields=list(type_))
