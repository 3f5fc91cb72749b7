"""Stimulus presentations, trials, optotagging and invalid times: interval tables into rows.

Allen sessions keep one table a stimulus (layout v2) or one table for everything (v1), with columns of mixed text and
numbers; names and parameters are standardised as the reference does (ecephys EC-3 steps 1-3, EC-12). Other
laboratories' interval tables keep their names, and their columns as they are.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from ..lake.tables.ecephys import NWB_PRESENTATIONS
from .nwb_columns import plain

Column = np.ndarray  # (n,) float64, int64, bool or object (str, list, None)

_NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
_MOVIE = re.compile(r"natural_movie_(\d+|" + "|".join(_NUMBERS) + r")(_shuffled)?(_more_repeats)?")
_UNNUMBERED_SHUFFLED = "natural_movie_shuffled"

# OD-19: natural_movie_1* never reaches this table, since its digit is a word by then.
STIMULUS_RENAMES = {
    "": "spontaneous",
    "Natural Images": "natural_scenes",
    "flash_250ms": "flashes",
    "gabor_20_deg_250ms": "gabors",
    "contrast_response": "drifting_gratings_contrast",
    "motion_stimulus": "dot_motion",
    "drifting_gratings_more_repeats": "drifting_gratings_75_repeats",
    "signal_noise_test_0_200_repeats": "test_movie_one",
    "signal_noise_test_0": "test_movie_two",
    **{f"signal_noise_session_{n}": f"dense_movie_{_NUMBERS[n]}" for n in range(1, 7)},
}

# lower case -> the name in the lake
COLUMN_RENAMES = {
    "ori": "orientation",
    "sf": "spatial_frequency",
    "tf": "temporal_frequency",
    "image": "frame",
    "pos_x": "x_position",
    "pos_y": "y_position",
    **{name: name for name in ("contrast", "phase", "color", "dir", "speed", "size")},
}

_NUMERIC = (
    "orientation", "spatial_frequency", "temporal_frequency", "contrast", "x_position", "y_position", "color",
    "frame", "dir", "speed", "stimulus_block", "stimulus_index",
)  # fmt: skip
_TEXTUAL = ("phase", "size", "color_triplet")
_NOT_PARAMETERS = {"id", "start_time", "stop_time", "stimulus_name", "duration", "timeseries"}
_NOT_APPLICABLE = ("", "N/A")


@dataclass(frozen=True)
class IntervalTable:
    """One interval table: equally long columns, ragged ones as lists."""

    name: str
    columns: Mapping[str, Column]

    def __len__(self) -> int:
        return len(self.columns["start_time"])


def allen_presentations(session_id: int, tables: Sequence[IntervalTable], *, keep_ids: bool = False) -> pa.Table:
    """Rows of ``ecephys.nwb_presentations`` from an Allen session's stimulus tables.

    keep_ids : presentations keep the ids of their table (layout v1) instead of their rank by start time (v2)
    """
    parts = []
    for table in tables:
        columns = _collapse({name: _applicable(c) for name, c in table.columns.items() if name not in ("tags",)})
        default = table.name.removesuffix("_presentations")
        names = columns.pop("stimulus_name", np.full(len(table), default, object))
        parts.append(_Part(table, _rename(columns), np.array(["" if n is None else str(n) for n in names], object)))
    standard = standard_names([str(n) for part in parts for n in set(part.names)])
    for part in parts:
        part.names = np.array([standard[n] for n in part.names], object)
    return _rows(session_id, parts, keep_ids, _unspelled)


def other_presentations(session_id: int, tables: Sequence[IntervalTable]) -> pa.Table:
    """Rows of ``ecephys.nwb_presentations`` from another laboratory's interval tables, one table after the other."""
    parts = [_Part(t, {}, np.full(len(t), t.name, object), dict(t.columns)) for t in tables]
    return _rows(session_id, parts, False, plain)


def standard_names(names: Iterable[str]) -> dict[str, str]:
    """Every stimulus name of one session -> its standard name (EC-12: digits, shuffled movies, renames)."""
    spelled = {name: _spell_number(name) for name in names}
    if _UNNUMBERED_SHUFFLED in spelled.values():
        numbers = {m[1] for name in spelled.values() if (m := _MOVIE.search(name))}
        # the reference raises for several numbers; a name is no reason to refuse a session's spikes
        numbered = f"natural_movie_{numbers.pop()}_shuffled" if len(numbers) == 1 else _UNNUMBERED_SHUFFLED
        spelled = {k: numbered if v == _UNNUMBERED_SHUFFLED else v for k, v in spelled.items()}
    return {name: STIMULUS_RENAMES.get(new, new) for name, new in spelled.items()}


def _spell_number(name: str) -> str:
    match = _MOVIE.search(name)
    if match is None or not match[1].isdigit() or int(match[1]) >= len(_NUMBERS):
        return name
    return name[: match.start(1)] + _NUMBERS[int(match[1])] + name[match.end(1) :]


@dataclass
class _Part:
    table: IntervalTable
    typed: dict[str, Column]  # columns of the lake's table
    names: np.ndarray
    others: dict[str, Column] | None = None  # go to ``parameters``; None: what of ``typed`` is not typed


def _collapse(columns: dict[str, Column]) -> dict[str, Column]:
    """Columns that differ only by capitals and are never both given become one (lower-case) column."""
    for name in sorted(columns, key=str.lower):
        for variant in {name.upper(), name.capitalize()} - {name}:
            if name not in columns or variant not in columns:
                continue
            lower, upper = columns[name], columns[variant]
            given, other = _given(lower), _given(upper)
            if not (given & other).any():
                merged = lower.astype(object)
                merged[other] = upper[other]
                columns[name] = merged
                del columns[variant]
    return columns


def _rename(columns: dict[str, Column]) -> dict[str, Column]:
    """Columns under the lake's names; one whose name is taken keeps its own (and becomes a parameter)."""
    renamed: dict[str, Column] = {}
    for name in sorted(columns, key=lambda n: n != COLUMN_RENAMES.get(n.lower(), n)):
        target = COLUMN_RENAMES.get(name.lower(), name)
        renamed[name if target in renamed else target] = columns[name]
    return renamed


def _applicable(column: Column) -> Column:
    """'' and 'N/A' mean not applicable: None."""
    if column.dtype != object:
        return column
    return np.array([None if isinstance(v, str) and v in _NOT_APPLICABLE else v for v in column] + [None], object)[:-1]


def _given(column: Column) -> np.ndarray:
    if column.dtype.kind == "f":
        return ~np.isnan(column)
    if column.dtype != object:
        return np.ones(len(column), bool)
    return np.array([v is not None and v == v for v in column], bool)


def _rows(session_id: int, parts: list[_Part], keep_ids: bool, spell: Callable[[Any], Any]) -> pa.Table:
    tables = []
    for part in parts:
        n = len(part.table)
        columns: dict[str, Any] = {name: pa.nulls(n, NWB_PRESENTATIONS[name].type) for name in (*_NUMERIC, *_TEXTUAL)}
        others = dict(part.others or {})
        for name, column in part.typed.items():
            if name == "color":
                columns["color"], columns["color_triplet"], rest = _color(column)
            elif name in _NUMERIC:
                columns[name], rest = _numbers(column)
            elif name in _TEXTUAL:
                columns[name], rest = _texts(column), None
            else:
                rest = column
            if rest is not None:
                others[name] = rest
        columns["parameters"] = _parameters(n, others, spell)
        columns["start_time"] = np.asarray(part.table.columns["start_time"], np.float64)
        stop = part.table.columns.get("stop_time", np.full(n, np.nan))
        columns["stop_time"] = pa.array(np.asarray(stop, np.float64), from_pandas=True)
        columns["stimulus_name"] = pa.array(part.names, pa.string())
        columns["source_table"] = pa.repeat(pa.scalar(part.table.name), n)
        given_ids = part.table.columns.get("id")
        columns["stimulus_presentation_id"] = np.arange(n) if given_ids is None else given_ids.astype(np.int64)
        columns["session_id"] = np.full(n, session_id, np.int64)
        tables.append(pa.table({c.name: columns[c.name] for c in NWB_PRESENTATIONS if c.name in columns}))
    if not tables:
        return NWB_PRESENTATIONS.arrow.remove(len(NWB_PRESENTATIONS.columns)).empty_table()
    rows = pa.concat_tables(tables)
    order = np.argsort(rows["start_time"].to_numpy(), kind="stable")
    rows = rows.take(pa.array(order))
    if not keep_ids:
        at = rows.schema.get_field_index("stimulus_presentation_id")
        rows = rows.set_column(at, "stimulus_presentation_id", pa.array(np.arange(len(order))))
    return rows


def _factorised(column: Column) -> tuple[np.ndarray, list[Any]]:
    """Codes and distinct values: a session has 80,000 presentations of a few hundred conditions."""
    if column.dtype != object:
        values, codes = np.unique(column, return_inverse=True)
        return codes, values.tolist()
    seen: dict[Any, int] = {}
    distinct: list[Any] = []
    codes = np.empty(len(column), np.int64)
    for i, value in enumerate(column):
        key = repr(value) if isinstance(value, list) else value
        code = seen.setdefault(key, len(distinct))
        if code == len(distinct):
            distinct.append(value)
        codes[i] = code
    return codes, distinct


def _numbers(column: Column) -> tuple[pa.Array, Column | None]:
    """A column as float64, and the values that are no number (flashes have a spatial frequency '[0.0, 0.0]')."""
    if column.dtype.kind in "fiub":
        return pa.array(column.astype(np.float64), from_pandas=True), None
    codes, values = _factorised(column)
    numbers = [_number(v) for v in values]
    rest = [v if n is None else None for v, n in zip(values, numbers, strict=True)]
    taken = pa.array(numbers, pa.float64()).take(pa.array(codes))
    return taken, (_take(rest, codes) if any(v is not None for v in rest) else None)


def _texts(column: Column) -> pa.Array:
    codes, values = _factorised(column)
    return pa.array([_text(v) for v in values], pa.string()).take(pa.array(codes))


def _color(column: Column) -> tuple[pa.Array, pa.Array, Column | None]:
    """EC-3 step 2: a list in brackets is a triplet, other text a number."""
    codes, values = _factorised(column)
    is_triplet = [isinstance(v, str) and v.startswith("[") and "," in v for v in values]
    triplets = pa.array([v if t else None for v, t in zip(values, is_triplet, strict=True)], pa.string())
    singles = [None if t else v for v, t in zip(values, is_triplet, strict=True)]
    numbers, rest = _numbers(_take(singles, codes))
    return numbers, triplets.take(pa.array(codes)), rest


def _take(values: list[Any], codes: np.ndarray) -> Column:
    lookup = np.empty(len(values), object)
    lookup[:] = values
    return lookup[codes]


def _number(value: Any) -> float | None:
    if value is None or isinstance(value, list):
        return None
    try:
        number = float(value)
    except (TypeError, ValueError):
        return None
    return None if number != number else number


def _text(value: Any) -> str | None:
    if value is None or value != value:
        return None
    return repr(float(value)) if isinstance(value, (int, float)) and not isinstance(value, bool) else str(value)


def _unspelled(value: Any) -> Any:
    """Numbers are numbers, whether a layout spells them as text (v1) or not (v2), so that both give the same row."""
    number = None if isinstance(value, bool) else _number(value)
    return plain(value if number is None else number)


def _parameters(n: int, columns: Mapping[str, Column], spell: Callable[[Any], Any]) -> pa.Array:
    """One JSON object a row, keys sorted, without what is not applicable; NULL where nothing is left."""
    named = [(name, *_factorised(c)) for name, c in sorted(columns.items()) if name not in _NOT_PARAMETERS]
    combined = np.zeros(n, np.int64)
    for _, codes, _ in named:
        combined = np.unique(combined * (codes.max(initial=0) + 1) + codes, return_inverse=True)[1]
    _, first, which = np.unique(combined, return_index=True, return_inverse=True)
    texts = []
    for row in first:
        given = {name: spell(values[codes[row]]) for name, codes, values in named}
        given = {name: v for name, v in given.items() if v is not None}
        texts.append(json.dumps(given, ensure_ascii=False) if given else None)
    return pa.array(texts, pa.string()).take(pa.array(which))
