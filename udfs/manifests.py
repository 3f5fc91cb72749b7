"""Paths of manifests."""

from __future__ import annotations

import re

import numpy as np
import pyarrow as pa

from .registry import Ragged, udf

_PLACEHOLDER = re.compile(r"%(%|[-+ 0#]*\d{0,3}(?:\.\d{1,3})?[diuoxXeEfFgGsr])")
_OF_INTEGERS, _OF_FLOATS = frozenset("diuoxX"), frozenset("eEfFgG")


@udf(args=[pa.string(), pa.list_(pa.string())], returns=pa.string())
def fill_placeholders(paths: np.ndarray, arguments: Ragged) -> np.ndarray:
    """Paths with their % placeholders filled, as MD-5 asks: ``specimen_%d/ephys.nwb``.

    paths : (rows,) text; arguments : ragged text, a value for each placeholder, in order
    Raises ValueError where there are more or fewer values than placeholders, or one is no number where one is asked for.
    """
    filled = [_filled(path, list(arguments[row])) for row, path in enumerate(paths)]
    return np.array(filled, dtype=object)


def _filled(path: str, values: list[str]) -> str:
    wanted = [kind for kind in _PLACEHOLDER.findall(path) if kind != "%"]
    if len(wanted) != len(values):
        raise ValueError(f"the path {path} has {len(wanted)} placeholders, and {len(values)} values are given")
    given = iter(values)

    def fill(match: re.Match[str]) -> str:
        kind = match[1]
        if kind == "%":
            return "%"
        value = next(given)
        try:
            typed = int(value) if kind[-1] in _OF_INTEGERS else float(value) if kind[-1] in _OF_FLOATS else value
        except ValueError:
            raise ValueError(f"the path {path} asks for a number, and is given {value[:40]!r}") from None
        return match[0] % typed

    return _PLACEHOLDER.sub(fill, path)
