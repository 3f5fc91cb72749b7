"""Matrices of experiments by targets as papers publish them: the workbook of Oh et al. 2014 and its HDF5 twin.

The workbook's sheet has three lines of heads over its targets (hemisphere, division, acronym) and a fourth that names
the columns of the experiments; merged cells stand in their first place only. All of its tracer was injected on the
right, so that its right hemisphere is the ipsilateral one. The HDF5 file numbers its targets, each matrix in an order of
its own, and its matrix of sources says where the tracer was, not where it went (spec: connectivity section 7).
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa

from ..lake.errors import SourceError
from ..lake.tables.connectivity import PUBLISHED_MATRICES
from .connectivity_names import DATASET
from .contract import Identity, Part, Report, Rows, Source
from .hdf5 import Hdf5File
from .volume_zip import members, unpacked_bytes

# The columns of a sheet that say which experiment a line is, and the first of those that hold its values.
_EXPERIMENT, _FIRST_VALUE = 1, 6
_HEMISPHERES, _ACRONYMS, _HEADS, _FIRST_LINE = 0, 2, 3, 4
_SIDES = {"right hemisphere": "ipsilateral", "left hemisphere": "contralateral"}
_MAX_UNPACKED = 1 << 28  # bytes; the published workbook has 9 MB

# dataset of the HDF5 file -> the labels of its columns, and the side that they are on
_MATRICES = {
    "experiment_source_matrix": ("col_label_list_source", "source"),
    "experiment_target_matrix_ipsi": ("col_label_list_target", "ipsilateral"),
    "experiment_target_matrix_contra": ("col_label_list_target", "contralateral"),
}
_ROWS = "row_label_list"


class UnreadWorkbook(SourceError):
    """A workbook, and the package that reads workbooks is not installed."""


@dataclass(frozen=True)
class Matrix:
    """Experiments by targets.

    values : (experiments, targets), NaN where a cell is empty
    targets : acronyms, or ids of structures
    sides : one a target: ipsilateral, contralateral, or source
    """

    name: str
    experiments: Sequence[int]
    targets: Sequence[str] | Sequence[int]
    sides: Sequence[str]
    values: np.ndarray


class MatrixReader:
    """Reader of published matrices."""

    name = "connectivity_matrices"
    version = "1"
    parts: Sequence[Part] = (Part("matrices", "experiments by targets, as a paper publishes them"),)

    def sniff(self, source: Source) -> bool:
        try:
            return _is_workbook(source) or _is_hdf5(source)
        except UnreadWorkbook:
            return source.named  # it may be one: reading it says which package tells
        except SourceError:
            return False

    def identify(self, source: Source) -> Identity:
        names = sorted({matrix.name for matrix in _matrices(source)})
        return Identity(f"connectivity.matrix/{names[0]}", "matrix", dataset=DATASET)

    def inspect(self, source: Source, report: Report) -> None:
        report.found("matrices", source.path.stat().st_size)

    def read(self, source: Source, parts: frozenset[str], report: Report) -> Iterator[Rows]:
        self.inspect(source, report)
        if "matrices" in parts:
            for matrix in _matrices(source):
                yield Rows(PUBLISHED_MATRICES.name, _table(matrix))


def _table(matrix: Matrix) -> pa.Table:
    rows, columns = np.nonzero(~np.isnan(matrix.values))
    named = pa.array(matrix.targets).take(pa.array(columns))
    is_text = pa.types.is_string(named.type)
    return pa.table({
        "matrix_name": pa.array([matrix.name]).take(pa.array(np.zeros(len(rows), np.int64))),
        "experiment_id": np.asarray(matrix.experiments, np.int64)[rows],
        "structure_acronym": named if is_text else pa.nulls(len(rows), pa.string()),
        "structure_id": pa.nulls(len(rows), pa.int64()) if is_text else named.cast(pa.int64()),
        "side": pa.array(matrix.sides).take(pa.array(columns)),
        "matrix_value": matrix.values[rows, columns],
        "matrix_row": rows.astype(np.int32),
        "matrix_column": columns.astype(np.int32),
    })  # fmt: skip


def _matrices(source: Source) -> list[Matrix]:
    return list(_of_hdf5(source)) if _is_hdf5(source) else [_of_workbook(source)]


# -- the workbook -----------------------------------------------------------------------------------------------------


def _is_workbook(source: Source) -> bool:
    return zipfile.is_zipfile(source.path) and _sheet(source, 1) is not None


def _sheet(source: Source, n_lines: int | None = None) -> tuple[str, list[list[Any]]] | None:
    """Name and cells of the sheet that is such a matrix; None where there is none. Raises SourceError."""
    if "xl/workbook.xml" not in members(source):
        return None
    try:
        import python_calamine as calamine
    except ImportError:
        raise UnreadWorkbook(
            source, None, "is a workbook, which another package reads", "pip install 'brainlake[sheets]'"
        ) from None
    if unpacked_bytes(source) > _MAX_UNPACKED:
        raise SourceError(source, None, f"unpacks to more than {_MAX_UNPACKED >> 20} MB: no published matrix does")
    try:
        book = calamine.CalamineWorkbook.from_path(str(source.path))
        for name in book.sheet_names:
            sheet = book.get_sheet_by_name(name)
            heads = sheet.to_python(skip_empty_area=False, nrows=_FIRST_LINE)
            if _heads_a_matrix(heads):
                return name, heads if n_lines else sheet.to_python(skip_empty_area=False)
    except (calamine.CalamineError, OSError, ValueError) as error:
        raise SourceError(source, None, f"is no workbook that can be read: {error}") from None
    return None


def _heads_a_matrix(lines: list[list[Any]]) -> bool:
    return (
        len(lines) == _FIRST_LINE
        and len(lines[0]) > _FIRST_VALUE
        and str(lines[_HEMISPHERES][_FIRST_VALUE]).strip().lower() in _SIDES
        and lines[_HEADS][_EXPERIMENT] == "image-series-id"
    )


def _of_workbook(source: Source) -> Matrix:
    found = _sheet(source)
    if found is None:
        raise SourceError(source, None, "has no sheet with the heads of a published matrix")
    name, lines = found
    sides: list[str] = []
    for cell in lines[_HEMISPHERES][_FIRST_VALUE:]:
        said = str(cell).strip().lower()
        if said and said not in _SIDES:
            raise SourceError(source, f"sheet {name}, line 1", f"{cell!r} is no hemisphere")
        sides.append(_SIDES[said] if said else sides[-1])
    targets = [str(cell).strip() for cell in lines[_ACRONYMS][_FIRST_VALUE:]]
    if "" in targets:
        raise SourceError(source, f"sheet {name}, line {_ACRONYMS + 1}", "leaves a target without acronym")
    experiments, values = [], []
    for number, line in enumerate(lines[_FIRST_LINE:], _FIRST_LINE + 1):
        if line[_EXPERIMENT] == "":
            continue
        where = f"sheet {name}, line {number}"
        experiments.append(_experiment(source, where, line[_EXPERIMENT]))
        values.append(_values(source, where, line[_FIRST_VALUE:]))
    if not experiments:
        raise SourceError(source, f"sheet {name}", "has heads and no experiments")
    if len(set(experiments)) < len(experiments):
        raise SourceError(source, f"sheet {name}", "has an experiment twice")
    return Matrix(name, experiments, targets, sides, np.array(values))


def _experiment(source: Source, where: str, cell: Any) -> int:
    if not isinstance(cell, (int, float)) or cell != int(cell) or cell <= 0:
        raise SourceError(source, where, f"{cell!r} is no id of an experiment")
    return int(cell)


def _values(source: Source, where: str, cells: list[Any]) -> list[float]:
    for cell in cells:
        if cell != "" and not isinstance(cell, (int, float)):
            raise SourceError(source, where, f"{cell!r} is no number")
    return [float("nan") if cell == "" else float(cell) for cell in cells]


# -- the HDF5 file ----------------------------------------------------------------------------------------------------


def _is_hdf5(source: Source) -> bool:
    if source.path.suffix.lower() not in (".h5", ".hdf5"):
        return False
    with Hdf5File.open(source) as file:
        return file.is_dataset(f"/{_ROWS}") and any(file.is_dataset(f"/{name}") for name in _MATRICES)


def _of_hdf5(source: Source) -> Iterator[Matrix]:
    with Hdf5File.open(source) as file:
        experiments = file.array(f"/{_ROWS}")
        if len(np.unique(experiments)) < len(experiments):
            raise file.error(f"/{_ROWS}", "has an experiment twice")
        for name, (labels, side) in _MATRICES.items():
            if not file.is_dataset(f"/{name}"):
                continue
            values = file.array(f"/{name}")
            if not values.size:  # the published file declares a matrix of the other side and leaves it empty
                continue
            targets = file.array(f"/{labels}")
            if values.shape != (len(experiments), len(targets)) or values.dtype.kind not in "fiu":
                raise file.error(
                    f"/{name}",
                    f"is {values.dtype} of shape {values.shape}, not numbers of {len(experiments)} experiments by "
                    f"{len(targets)} targets",
                )
            yield Matrix(name, experiments.tolist(), targets.tolist(), [side] * len(targets), values.astype(np.float64))


READER = MatrixReader()
