"""One whole sweep, its samples read past DuckDB, which copies them four times on the way from a file to numpy.

A question that is nothing but a call of ``icephys.sweep`` is answered from what is told of the sweep, in SQL, and from the
sweep's own row group. Any other, and this one too where anything is amiss, goes the usual way.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from ..udfs.sweep_traces import unpacked_samples
from .functions import to_arrow, to_numpy

if TYPE_CHECKING:
    from .held import Partitions

SAMPLES = ("stimulus", "response")
SAMPLES_TYPE = "FLOAT[]"
_TRACES, _KEY = "icephys.stored_traces", ("specimen_id", "sweep_number")
_LISTS = pa.list_(pa.float32())
_ARGUMENT = r"(-?\d{1,18}|\$\w+|\?)"
_CALL = re.compile(
    r"\s*(?:select\s+(\*|\w+(?:\s*,\s*\w+)*)\s+)?from\s+icephys\s*\.\s*sweep\s*"
    rf"\(\s*(?:specimen\s*:=\s*)?{_ARGUMENT}\s*,\s*(?:sweep\s*:=\s*)?{_ARGUMENT}\s*\)\s*;?\s*",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class WholeSweep:
    """A sweep that a question asks for, and which columns of it: all where none is named."""

    specimen: int
    sweep: int
    columns: tuple[str, ...]

    @property
    def told(self) -> str:
        """The question for what is told of it beside its samples."""
        named = ", ".join(name for name in self.columns if name not in SAMPLES)
        wanted = named if self.columns else "*"
        return (
            f"select {wanted or 'sweep_number'} from icephys.recorded_sweeps "
            f"where specimen_id = {self.specimen} and sweep_number = {self.sweep}"
        )

    def in_order(self, told: Sequence[str]) -> list[str]:
        """Names of the answer's columns, from those of what is told."""
        return list(self.columns) or [*told, *SAMPLES]

    def answer(self, told: pa.Table, partitions: Partitions) -> pa.Table | None:
        """What is told, and the samples; None where they are not found as they should be."""
        if told.num_rows != 1:
            return None
        names = self.in_order(told.column_names)
        try:
            samples = self._samples([name for name in names if name in SAMPLES], partitions)
        except (OSError, pa.ArrowException, KeyError, IndexError):
            return None  # of a file that is lost or damaged the usual way tells more
        if samples is None:
            return None
        return pa.table([samples[name] if name in samples else told[name] for name in names], names)

    def _samples(self, wanted: Sequence[str], partitions: Partitions) -> dict[str, pa.Array] | None:
        key = self.specimen, self.sweep
        columns = tuple(f"{name}_{what}" for name in wanted for what in ("bytes", "levels"))
        for piece in partitions.pieces(_TRACES, _KEY, self.specimen):
            if piece.low == piece.high == key:  # a row group a sweep
                row = piece.read(columns)
                return {name: _unpacked(row[f"{name}_bytes"], row[f"{name}_levels"]) for name in wanted}
        return None


def whole_sweep(query: str, params: Sequence[Any] | Mapping[str, Any] | None) -> WholeSweep | None:
    """The sweep that a question asks for; None for any other question."""
    call = _CALL.fullmatch(query)
    if call is None:
        return None
    columns = () if call[1] in (None, "*") else tuple(name.strip().lower() for name in call[1].split(","))
    key = _values((call[2], call[3]), params or ())
    is_usual = key is None or len({*columns}) < len(columns) or (columns and not {*columns} & {*SAMPLES})
    return None if key is None or is_usual else WholeSweep(*key, columns)


def _values(arguments: tuple[str, str], params: Sequence[Any] | Mapping[str, Any]) -> tuple[int, int] | None:
    """Arguments as numbers; None where a parameter has no value, or a value that is no number, or none asks for one."""
    given = params if isinstance(params, Mapping) else {str(i): value for i, value in enumerate(params, start=1)}
    names = [text.lstrip("$") for text in arguments if text[0] in "$?"]
    if "?" in names:
        names = [str(i) for i in range(1, len(names) + 1)] if {*names} == {"?"} else ["?"]
    if {*names} != {*given}:
        return None
    unnamed = iter(names)
    specimen, sweep = (given[next(unnamed)] if text[0] in "$?" else int(text) for text in arguments)
    return (specimen, sweep) if type(specimen) is int and type(sweep) is int else None


def _unpacked(packed: pa.ChunkedArray, levels: pa.ChunkedArray) -> pa.Array:
    """Samples of one row, NULL where there are none."""
    if packed.null_count:
        return pa.nulls(1, _LISTS)
    return to_arrow(unpacked_samples(to_numpy(packed), to_numpy(levels)), _LISTS, keep_nan=True)
